package queue

import (
	"context"
	"time"

	"jiamenkou/model"
)

// CandidatesSQL is the query of a claim, for EXPLAIN.
const CandidatesSQL = candidatesSQL

// ClaimAndVanish claims up to n jobs as a worker does that is killed at once.
func (w *Worker) ClaimAndVanish(ctx context.Context, n int) ([]model.QueueJob, error) {
	jobs, _, err := w.claim(ctx, n)
	return jobs, err
}

// Settle writes that the job succeeded.
func (w *Worker) Settle(j model.QueueJob) { w.settle([]outcome{{job: j, verdict: succeeded}}) }

// After is the wait after an attempt.
func (b Backoff) After(attempt int) time.Duration { return b.after(attempt) }
