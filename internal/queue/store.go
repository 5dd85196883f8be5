package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/redact"
	"jiamenkou/model"
)

const (
	maxClaim        = 64 // jobs of one claim
	claimWindow     = 4  // candidates looked at, as a multiple of what is wanted
	maxSettle       = 64 // outcomes of one transaction
	settleTries     = 5
	settleTimeout   = 30 * time.Second
	pruneBatchRows  = 500
	maxPruneBatches = 2000
	maxBacklogCount = 100_000
)

// candidatesSQL walks the index queue_job_status_due_at_idx from the job that
// has waited longest.
const candidatesSQL = `SELECT id FROM queue_job
	WHERE status = 'pending' AND due_at <= ? AND kind IN ?
	ORDER BY due_at LIMIT ?`

// claim leases up to n due jobs. more says that it is worth asking again at
// once. Two statements: the candidates are read without a lock, and the
// conditional update decides between rivals that read the same ones.
func (w *Worker) claim(ctx context.Context, n int) (jobs []model.QueueJob, more bool, err error) {
	if len(w.kinds) == 0 {
		return nil, false, nil
	}
	n = min(n, maxClaim)
	now := clock.Now(w.clock)
	var ids []string
	if err := w.db.Read(ctx).Raw(candidatesSQL, now, w.kinds, n*claimWindow).Scan(&ids).Error; err != nil {
		return nil, false, fmt.Errorf("queue: candidates: %w", err)
	}
	if len(ids) == 0 {
		return nil, false, nil
	}
	seen := len(ids)
	if seen > n {
		// Rivals read the same window: start somewhere in it, so that most of
		// what is picked is still free.
		start := rand.N(seen - n + 1) //nolint:gosec // spreads load, not a secret
		ids = ids[start : start+n]
	}
	token := w.clock.NewID()
	err = database.InTx(ctx, w.db, func(tx *gorm.DB) error {
		jobs = nil
		lease, args := w.leases(now)
		args = append(append([]any{token}, args...), ids, now)
		res := tx.Exec(`UPDATE queue_job SET lease_token = ?, attempt = attempt + 1, due_at = `+lease+`
			WHERE id IN ? AND status = 'pending' AND due_at <= ?`, args...)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return tx.Where("id IN ? AND lease_token = ?", ids, token).Order("id").Find(&jobs).Error
	})
	if err != nil {
		return nil, false, fmt.Errorf("queue: claim: %w", err)
	}
	return jobs, seen > len(jobs), nil
}

// leases is the SQL of when the lease of a job ends, by its kind's time-out.
func (w *Worker) leases(now clock.Instant) (string, []any) {
	var b strings.Builder
	args := make([]any, 0, 2*len(w.kinds)+1)
	b.WriteString("CASE kind")
	for _, kind := range w.kinds {
		b.WriteString(" WHEN ? THEN ?")
		args = append(args, kind, now.Add(w.handlers[kind].options.Timeout+w.options.LeaseMargin))
	}
	b.WriteString(" ELSE due_at END")
	return b.String(), args
}

type verdict int

const (
	succeeded verdict = iota
	failed            // comes back after wait
	killed            // dead
	released          // given back, as if never begun
)

type outcome struct {
	job     model.QueueJob
	verdict verdict
	err     error
	wait    time.Duration
}

// settleLoop writes outcomes: whatever has gathered while the last batch was
// written goes into one transaction.
func (w *Worker) settleLoop() {
	for first := range w.results {
		batch := append(make([]outcome, 0, maxSettle), first)
		for len(batch) < maxSettle {
			select {
			case o, ok := <-w.results:
				if !ok {
					w.settle(batch)
					return
				}
				batch = append(batch, o)
				continue
			default:
			}
			break
		}
		w.settle(batch)
	}
}

// settle writes the outcomes of jobs whose leases are still this worker's. If
// the database stays away the leases run out and the jobs run again.
func (w *Worker) settle(batch []outcome) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.base), settleTimeout)
	defer cancel()
	groups := map[verdict][]outcome{}
	for _, o := range batch {
		groups[o.verdict] = append(groups[o.verdict], o)
		w.report(o)
	}
	var changed int64
	err := retry(ctx, func() error {
		return database.InTx(ctx, w.db, func(tx *gorm.DB) error {
			changed = 0
			now := clock.Now(w.clock)
			for _, statement := range []*gorm.DB{
				w.settleSucceeded(tx, groups[succeeded], now),
				w.settleFailed(tx, append(groups[failed], groups[killed]...), now),
				w.settleReleased(tx, groups[released], now),
			} {
				if statement == nil {
					continue
				}
				if statement.Error != nil {
					return statement.Error
				}
				changed += statement.RowsAffected
			}
			return nil
		})
	})
	if err != nil {
		w.count.errors.Add(1)
		w.log.Error("queue: cannot write outcomes; the jobs will run again", "jobs", len(batch), "error", lastError(err))
		return
	}
	if lost := int64(len(batch)) - changed; lost > 0 {
		w.count.lost.Add(uint64(lost))
		w.log.Warn("queue: jobs outlived their leases", "jobs", lost)
	}
	w.count.succeeded.Add(uint64(len(groups[succeeded])))
	w.count.retried.Add(uint64(len(groups[failed])))
	w.count.dead.Add(uint64(len(groups[killed])))
	w.count.released.Add(uint64(len(groups[released])))
}

func (w *Worker) report(o outcome) {
	attrs := []any{"job", o.job.ID, "kind", o.job.Kind, "attempt", o.job.Attempt}
	switch o.verdict {
	case failed:
		w.log.Warn("queue: job failed, will be retried", append(attrs, "wait", o.wait, "error", lastError(o.err))...)
	case killed:
		w.log.Error("queue: job is dead", append(attrs, "error", lastError(o.err))...)
	case succeeded, released:
	}
}

func lastError(err error) string { return redact.Error(err, maxLastErrorBytes) }

// retry runs fn again when the database was away for a moment. Writing an
// outcome twice changes nothing, so an unknown COMMIT is retried, too.
func retry(ctx context.Context, fn func() error) error {
	wait := 50 * time.Millisecond
	for try := 1; ; try++ {
		err := fn()
		if err == nil || try == settleTries {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
		wait *= 4
	}
}

// held is the SQL of "these jobs, if their leases are still ours". The plus
// keeps SQLite from going through all pending jobs.
func held(batch []outcome) (string, []any) {
	ids := make([]string, len(batch))
	args := make([]any, 1, 1+2*len(batch))
	for i, o := range batch {
		ids[i] = o.job.ID
		args = append(args, o.job.ID, o.job.LeaseToken)
	}
	args[0] = ids
	pairs := strings.Repeat(" OR (id = ? AND lease_token = ?)", len(batch))
	return "id IN ? AND +status = 'pending' AND (" + strings.TrimPrefix(pairs, " OR ") + ")", args
}

func (w *Worker) settleSucceeded(tx *gorm.DB, batch []outcome, now clock.Instant) *gorm.DB {
	if len(batch) == 0 {
		return nil
	}
	where, args := held(batch)
	return tx.Exec(`UPDATE queue_job SET status = 'done', lease_token = '', last_error = '', finished_at = ?, due_at = ? WHERE `+where,
		append([]any{now, now.Add(w.options.KeepDone)}, args...)...)
}

func (w *Worker) settleReleased(tx *gorm.DB, batch []outcome, now clock.Instant) *gorm.DB {
	if len(batch) == 0 {
		return nil
	}
	where, args := held(batch)
	return tx.Exec(`UPDATE queue_job SET lease_token = '', attempt = attempt - 1, due_at = ? WHERE `+where,
		append([]any{now}, args...)...)
}

// settleFailed writes retries and deaths, each with its own values, in one
// statement.
func (w *Worker) settleFailed(tx *gorm.DB, batch []outcome, now clock.Instant) *gorm.DB {
	if len(batch) == 0 {
		return nil
	}
	var status, due, finished, message caseByID
	for _, o := range batch {
		id := o.job.ID
		message.add(id, lastError(o.err))
		if o.verdict == killed {
			status.add(id, model.QueueDead)
			due.add(id, now.Add(w.options.KeepDead))
			finished.add(id, now)
			continue
		}
		status.add(id, model.QueuePending)
		due.add(id, now.Add(o.wait))
		finished.add(id, nil)
	}
	where, args := held(batch)
	values := append(append(append(status.args, due.args...), finished.args...), message.args...)
	return tx.Exec(`UPDATE queue_job SET status = `+status.sql()+`, due_at = `+due.sql()+`, finished_at = `+finished.sql()+`,
		last_error = `+message.sql()+`, lease_token = '' WHERE `+where, append(values, args...)...)
}

// caseByID builds a CASE id WHEN … THEN … END.
type caseByID struct{ args []any }

func (c *caseByID) add(id string, value any) { c.args = append(c.args, id, value) }

func (c *caseByID) sql() string {
	return "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(c.args)/2) + " END"
}

// Prune deletes the done and dead jobs that were kept long enough and returns
// how many. It works in small transactions, so that nobody waits for it.
func (w *Worker) Prune(ctx context.Context) (deleted int64, err error) {
	now := clock.Now(w.clock)
	for _, status := range []model.QueueStatus{model.QueueDone, model.QueueDead} {
		for range maxPruneBatches {
			var ids []string
			err := w.db.Read(ctx).Model(&model.QueueJob{}).Where("status = ? AND due_at <= ?", status, now).
				Order("due_at").Limit(pruneBatchRows).Pluck("id", &ids).Error
			if err != nil {
				return deleted, fmt.Errorf("queue: prune: %w", err)
			}
			if len(ids) == 0 {
				break
			}
			var n int64
			err = database.InTx(ctx, w.db, func(tx *gorm.DB) error {
				res := tx.Where("id IN ? AND status = ?", ids, status).Delete(&model.QueueJob{})
				n = res.RowsAffected
				return res.Error
			})
			if err != nil {
				return deleted, fmt.Errorf("queue: prune: %w", err)
			}
			deleted += n
		}
	}
	return deleted, nil
}

// Backlog is how much waits, of all kinds and for all workers.
type Backlog struct {
	Due       int64          // jobs that could run now, counted up to 100 000
	Dead      int64          // likewise
	OldestDue *clock.Instant // since when the first of them waits
}

// Backlog counts what waits, for metrics and /readyz.
func (w *Worker) Backlog(ctx context.Context) (b Backlog, err error) {
	now := clock.Now(w.clock)
	count := func(n *int64, where string, args ...any) error {
		args = append(args, maxBacklogCount)
		return w.db.Read(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM queue_job WHERE "+where+" LIMIT ?) AS q", args...).Scan(n).Error
	}
	err = errors.Join(
		count(&b.Due, "status = 'pending' AND due_at <= ?", now),
		count(&b.Dead, "status = 'dead'"),
		w.db.Read(ctx).Raw("SELECT MIN(due_at) FROM queue_job WHERE status = 'pending' AND due_at <= ?", now).Scan(&b.OldestDue).Error,
	)
	if err != nil {
		return Backlog{}, fmt.Errorf("queue: backlog: %w", err)
	}
	return b, nil
}
