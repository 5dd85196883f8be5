package model

import "jiamenkou/internal/clock"

// QueueStatus is the state of a queued job.
type QueueStatus string

// The states: pending (waiting, or leased by a worker), then done or dead.
const (
	QueuePending QueueStatus = "pending"
	QueueDone    QueueStatus = "done"
	QueueDead    QueueStatus = "dead" // given up; LastError says why
)

// QueueJob is one job of the outbox.
//
// DueAt is when somebody has to look at the row again: a worker at a pending
// job, another worker at a job whose lease ran out, the pruning at a finished
// one. So one index serves all three.
type QueueJob struct {
	ID         string
	Kind       string
	UniqueKey  *string // unique per kind
	Payload    string  // JSON
	Status     QueueStatus
	DueAt      clock.Instant
	Attempt    int           // attempts begun
	LeaseToken string        // of the claim that has the job, "" when nobody has it
	LastError  string        // without personal data
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
	FinishedAt *clock.Instant
}
