package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kind = "test.count"

type payload struct{ N int }

func newClock() *clock.Manual {
	return clock.NewManual(time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC), 1)
}

func newWorker(db *database.DB, c clock.Clock, options ...queue.WorkerOptions) *queue.Worker {
	o := queue.WorkerOptions{Poll: 5 * time.Millisecond}
	if len(options) > 0 {
		o = options[0]
	}
	return queue.NewWorker(db, c, slog.New(slog.DiscardHandler), o)
}

func start(t *testing.T, w *queue.Worker) *queue.Worker {
	t.Helper()
	w.Start()
	t.Cleanup(func() { require.NoError(t, w.Close(context.Background())) })
	return w
}

func enqueue(t *testing.T, db *database.DB, c clock.Clock, jobs ...queue.Job) {
	t.Helper()
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		return queue.EnqueueTx(t.Context(), tx, c, jobs...)
	}))
}

func numbered(n int) []queue.Job {
	jobs := make([]queue.Job, n)
	for i := range jobs {
		jobs[i] = queue.Job{Kind: kind, Payload: payload{i}}
	}
	return jobs
}

func rows(t *testing.T, db *database.DB) (out []model.QueueJob) {
	t.Helper()
	require.NoError(t, db.Read(t.Context()).Order("id").Find(&out).Error)
	return out
}

// one returns the only job.
func one(t *testing.T, db *database.DB) model.QueueJob {
	t.Helper()
	all := rows(t, db)
	require.Len(t, all, 1)
	return all[0]
}

func eventually(t *testing.T, ok func() bool, why string) {
	t.Helper()
	require.Eventually(t, ok, 30*time.Second, 2*time.Millisecond, why)
}

func TestEnqueueTx(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		t.Run("nothing is left when the transaction rolls back", func(t *testing.T) {
			errOwn := errors.New("own")
			err := database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				return errors.Join(queue.EnqueueTx(t.Context(), tx, c, numbered(3)...), errOwn)
			})
			require.ErrorIs(t, err, errOwn)
			require.Empty(t, rows(t, db))
		})
		t.Run("writes nothing for no jobs", func(t *testing.T) {
			enqueue(t, db, c)
			require.Empty(t, rows(t, db))
		})
		t.Run("writes many in the order given", func(t *testing.T) {
			enqueue(t, db, c, numbered(450)...)
			all := rows(t, db)
			require.Len(t, all, 450)
			require.JSONEq(t, `{"N":449}`, all[449].Payload)
			require.Equal(t, clock.Now(c), all[0].DueAt)
			require.Equal(t, clock.Now(c), all[0].CreatedAt)
		})
		t.Run("ignores a unique key that its kind has had", func(t *testing.T) {
			before := len(rows(t, db))
			for range 2 {
				enqueue(t, db, c,
					queue.Job{Kind: "a", UniqueKey: "1"}, queue.Job{Kind: "a", UniqueKey: "1"},
					queue.Job{Kind: "b", UniqueKey: "1"}, queue.Job{Kind: "a", UniqueKey: "2"})
			}
			require.Len(t, rows(t, db), before+3)
		})
		t.Run("refuses what does not fit", func(t *testing.T) {
			for want, j := range map[error]queue.Job{
				queue.ErrBadKind:         {Kind: strings.Repeat("k", 65)},
				queue.ErrBadUniqueKey:    {Kind: kind, UniqueKey: strings.Repeat("k", 129)},
				queue.ErrPayloadTooLarge: {Kind: kind, Payload: strings.Repeat("x", queue.MaxPayloadBytes)},
			} {
				err := database.InTx(t.Context(), db, func(tx *gorm.DB) error {
					return queue.EnqueueTx(t.Context(), tx, c, j)
				})
				require.ErrorIs(t, err, want)
			}
			require.Error(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				return queue.EnqueueTx(t.Context(), tx, c, queue.Job{Kind: kind, Payload: make(chan int)})
			}))
		})
		t.Run("the largest payload fits, also in characters of three bytes", func(t *testing.T) {
			enqueue(t, db, c, queue.Job{Kind: kind, Payload: strings.Repeat("家", (queue.MaxPayloadBytes-2)/3)})
		})
	})
}

func TestWorker(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		const n = 500
		var ran [n]atomic.Int32
		var left atomic.Int32
		left.Store(n)
		workers := make([]*queue.Worker, 4)
		for i := range workers {
			workers[i] = newWorker(db, c, queue.WorkerOptions{Concurrency: 8, Poll: 5 * time.Millisecond})
			queue.Register(workers[i], kind, func(ctx context.Context, p payload) error {
				if r := queue.Current(ctx); r.ID == "" || r.Attempt != 1 || r.Last {
					return fmt.Errorf("unexpected %+v", r)
				}
				ran[p.N].Add(1)
				left.Add(-1)
				return nil
			}, queue.Options{})
			start(t, workers[i])
		}
		var enqueuers sync.WaitGroup
		for part := range 5 {
			enqueuers.Go(func() {
				enqueue(t, db, c, numbered(n)[part*n/5:(part+1)*n/5]...)
			})
		}
		enqueuers.Wait()
		eventually(t, func() bool { return left.Load() <= 0 }, "every job runs")
		for _, w := range workers {
			require.NoError(t, w.Close(t.Context()))
		}
		for i := range ran {
			require.EqualValues(t, 1, ran[i].Load(), "job %d", i)
		}
		var sum queue.Stats
		for _, w := range workers {
			s := w.Stats()
			sum.Claimed += s.Claimed
			sum.Succeeded += s.Succeeded
			sum.Lost += s.Lost
			sum.Retried += s.Retried
			require.Zero(t, s.InFlight)
		}
		require.Equal(t, queue.Stats{Claimed: n, Succeeded: n}, sum)
		for _, j := range rows(t, db) {
			require.Equal(t, model.QueueDone, j.Status)
			require.NotNil(t, j.FinishedAt)
			require.Empty(t, j.LeaseToken)
		}
	})
}

func TestWorkerWakesUpAfterCommit(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		w := newWorker(db, c, queue.WorkerOptions{Poll: time.Hour})
		ran := make(chan int, 1)
		queue.Register(w, kind, func(_ context.Context, p payload) error { ran <- p.N; return nil }, queue.Options{})
		start(t, w)
		for i := range 3 {
			enqueue(t, db, c, queue.Job{Kind: kind, Payload: payload{i}})
			select {
			case n := <-ran:
				require.Equal(t, i, n)
			case <-time.After(30 * time.Second):
				t.Fatal("the worker slept")
			}
			eventually(t, func() bool { return w.Stats().InFlight == 0 }, "idle again")
		}
	})
}

func TestWorkerHonoursRunAt(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		w := newWorker(db, c)
		var ran atomic.Int32
		queue.Register(w, kind, func(context.Context, payload) error { ran.Add(1); return nil }, queue.Options{})
		queue.Register(w, "marker", func(context.Context, payload) error { ran.Add(100); return nil }, queue.Options{})
		start(t, w)
		enqueue(t, db, c, queue.Job{Kind: kind, RunAt: c.Now().Add(time.Hour)}, queue.Job{Kind: "marker"})
		eventually(t, func() bool { return ran.Load() == 100 }, "the job that is due runs alone")
		c.Advance(time.Hour)
		eventually(t, func() bool { return ran.Load() == 101 }, "the other runs at its time")
	})
}

func TestWorkerLeavesOtherKindsAlone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		enqueue(t, db, c, queue.Job{Kind: "newer.release"})
		w := newWorker(db, c)
		queue.Register(w, kind, func(context.Context, payload) error { return nil }, queue.Options{})
		require.Equal(t, []string{kind}, w.Kinds())
		jobs, err := w.ClaimAndVanish(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, jobs)
		jobs, err = newWorker(db, c).ClaimAndVanish(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, jobs, "a worker without handlers")
	})
}

func TestRetry(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		attempts int
		last     string
	}{
		"is given up after MaxAttempts":              {errors.New("refused '13800138000'"), 3, "refused …"},
		"never happens for invalid input":            {fault.New(fault.Invalid, "x.bad", "不对"), 1, "x.bad"},
		"happens for other faults":                   {fault.New(fault.Unavailable, "x.away", "不在"), 3, "x.away"},
		"happens after a panic":                      {nil, 3, "queue: handler of test.count panicked: boom"},
		"happens after a time-out of the attempt":    {context.DeadlineExceeded, 3, "timed out: context deadline exceeded"},
		"happens for an error that wraps no invalid": {fmt.Errorf("x: %w", errors.New("y")), 3, "x: y"},
	} {
		t.Run(name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				c := newClock()
				w := newWorker(db, c)
				var attempts atomic.Int32
				queue.Register(w, kind, func(ctx context.Context, _ payload) error {
					attempts.Add(1)
					if test.err == nil {
						panic("boom")
					}
					if errors.Is(test.err, context.DeadlineExceeded) {
						<-ctx.Done()
						return ctx.Err()
					}
					return test.err
				}, queue.Options{MaxAttempts: 3, Backoff: queue.Backoff{First: time.Minute, Max: time.Hour}, Timeout: 20 * time.Millisecond})
				enqueue(t, db, c, numbered(1)...)
				start(t, w)
				want := uint64(0)
				for i := 1; i <= test.attempts; i++ {
					want++
					eventually(t, func() bool { s := w.Stats(); return s.Retried+s.Dead >= want }, "attempt")
					j := one(t, db)
					require.Equal(t, i, j.Attempt)
					require.Equal(t, test.last, j.LastError)
					require.Empty(t, j.LeaseToken)
					if i < test.attempts {
						require.Equal(t, model.QueuePending, j.Status)
						require.Nil(t, j.FinishedAt)
						wait := time.Minute << (i - 1)
						require.GreaterOrEqual(t, j.DueAt, clock.Now(c).Add(wait/2))
						require.LessOrEqual(t, j.DueAt, clock.Now(c).Add(wait))
						c.Advance(wait)
					}
				}
				require.Equal(t, model.QueueDead, one(t, db).Status)
				require.NotNil(t, one(t, db).FinishedAt)
				c.Advance(24 * time.Hour)
				require.NoError(t, w.Close(t.Context()))
				require.EqualValues(t, test.attempts, attempts.Load())
				b, err := w.Backlog(t.Context())
				require.NoError(t, err)
				require.Equal(t, queue.Backlog{Dead: 1}, b)
			})
		})
	}
}

func TestRetryWaitsAsLongAsTheErrorAsks(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		w := newWorker(db, c)
		away := fault.New(fault.TooMany, "x.slow", "慢")
		away.RetryAfter = 10 * time.Minute
		queue.Register(w, kind, func(context.Context, payload) error { return away }, queue.Options{})
		enqueue(t, db, c, numbered(1)...)
		start(t, w)
		eventually(t, func() bool { return w.Stats().Retried == 1 }, "one attempt")
		require.Equal(t, clock.Now(c).Add(10*time.Minute), one(t, db).DueAt)
	})
}

func TestPayloadThatDoesNotDecodeIsDead(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		w := newWorker(db, c)
		queue.Register(w, kind, func(context.Context, payload) error { t.Error("ran"); return nil }, queue.Options{})
		enqueue(t, db, c, queue.Job{Kind: kind, Payload: "13800138000"})
		start(t, w)
		eventually(t, func() bool { return w.Stats().Dead == 1 }, "dead")
		require.Contains(t, one(t, db).LastError, "queue.bad_payload")
		require.NotContains(t, one(t, db).LastError, "138001")
	})
}

func TestLease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		options := queue.Options{MaxAttempts: 2, Timeout: time.Minute}
		w := newWorker(db, c, queue.WorkerOptions{Poll: 5 * time.Millisecond, LeaseMargin: time.Minute})
		var ran atomic.Int32
		queue.Register(w, kind, func(context.Context, payload) error { ran.Add(1); return nil }, options)
		enqueue(t, db, c, numbered(1)...)

		killed, err := w.ClaimAndVanish(t.Context(), 5)
		require.NoError(t, err)
		require.Len(t, killed, 1)
		none, err := w.ClaimAndVanish(t.Context(), 5)
		require.NoError(t, err)
		require.Empty(t, none, "nobody else may have it")
		c.Advance(2*time.Minute - time.Microsecond)
		none, err = w.ClaimAndVanish(t.Context(), 5)
		require.NoError(t, err)
		require.Empty(t, none, "the lease still holds")

		c.Advance(time.Microsecond)
		second, err := w.ClaimAndVanish(t.Context(), 5)
		require.NoError(t, err)
		require.Len(t, second, 1, "a killed worker's job runs again")
		require.Equal(t, 2, second[0].Attempt)
		require.NotEqual(t, killed[0].LeaseToken, second[0].LeaseToken)

		w.Settle(killed[0])
		require.Equal(t, model.QueuePending, one(t, db).Status, "the first lease counts no more")
		require.EqualValues(t, 1, w.Stats().Lost)

		c.Advance(2 * time.Minute)
		start(t, w)
		eventually(t, func() bool { return w.Stats().Dead == 1 }, "a job that kills its workers is given up")
		require.Zero(t, ran.Load())
		require.Contains(t, one(t, db).LastError, "vanished")
	})
}

func TestClose(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		t.Run("waits for jobs in flight and begins no more", func(t *testing.T) {
			w := newWorker(db, c, queue.WorkerOptions{Concurrency: 2, Poll: 5 * time.Millisecond})
			begun, release := make(chan struct{}, 9), make(chan struct{})
			queue.Register(w, kind, func(context.Context, payload) error { begun <- struct{}{}; <-release; return nil }, queue.Options{})
			w.Start()
			enqueue(t, db, c, numbered(5)...)
			<-begun
			<-begun
			closed := make(chan error)
			go func() { closed <- w.Close(context.Background()) }()
			select {
			case err := <-closed:
				t.Fatal("closed while jobs were in flight", err)
			case <-time.After(20 * time.Millisecond):
			}
			close(release)
			require.NoError(t, <-closed)
			require.NoError(t, w.Close(t.Context()), "twice does no harm")
			require.EqualValues(t, 2, w.Stats().Succeeded)
			require.Empty(t, begun)
		})
		t.Run("gives jobs back when it cannot wait", func(t *testing.T) {
			const other = "test.slow"
			w := newWorker(db, c)
			begun := make(chan struct{}, 1)
			queue.Register(w, other, func(ctx context.Context, _ payload) error {
				begun <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			}, queue.Options{MaxAttempts: 1})
			w.Start()
			enqueue(t, db, c, queue.Job{Kind: other})
			<-begun
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, w.Close(ctx))
			require.EqualValues(t, 1, w.Stats().Released)
			var j model.QueueJob
			require.NoError(t, db.Read(t.Context()).Where("kind = ?", other).Take(&j).Error)
			require.Equal(t, model.QueuePending, j.Status)
			require.Zero(t, j.Attempt, "the attempt does not count")
			require.Equal(t, clock.Now(c), j.DueAt)
		})
		t.Run("before Start is nothing", func(t *testing.T) {
			require.NoError(t, newWorker(db, newClock()).Close(t.Context()))
		})
	})
}

func TestRegisterPanicsOnDefects(t *testing.T) {
	w := newWorker(nil, newClock())
	add := func(kind string) func() {
		return func() {
			queue.Register(w, kind, func(context.Context, payload) error { return nil }, queue.Options{})
		}
	}
	require.NotPanics(t, add(kind))
	require.Panics(t, add(kind), "taken")
	require.Panics(t, add(""))
}

func TestPrune(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		w := newWorker(db, c, queue.WorkerOptions{
			Poll: 5 * time.Millisecond, Concurrency: 16, KeepDone: 24 * time.Hour, KeepDead: 48 * time.Hour,
		})
		queue.Register(w, kind, func(_ context.Context, p payload) error {
			if p.N == 0 {
				return fault.New(fault.Invalid, "x.bad", "不对")
			}
			return nil
		}, queue.Options{})
		enqueue(t, db, c, numbered(520)...)
		start(t, w)
		eventually(t, func() bool { s := w.Stats(); return s.Succeeded+s.Dead == 520 }, "all run")
		enqueue(t, db, c, queue.Job{Kind: kind, RunAt: c.Now().Add(999 * time.Hour)})
		for _, step := range []struct {
			advance time.Duration
			deleted int64
		}{{23 * time.Hour, 0}, {time.Hour, 519}, {23 * time.Hour, 0}, {time.Hour, 1}} {
			c.Advance(step.advance)
			n, err := w.Prune(t.Context())
			require.NoError(t, err)
			require.Equal(t, step.deleted, n)
		}
		require.Equal(t, model.QueuePending, one(t, db).Status, "what waits stays")
	})
}

func TestBacklog(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		w := newWorker(db, c)
		b, err := w.Backlog(t.Context())
		require.NoError(t, err)
		require.Equal(t, queue.Backlog{}, b)
		enqueue(t, db, c, numbered(3)...)
		enqueue(t, db, c, queue.Job{Kind: kind, RunAt: c.Now().Add(time.Hour)})
		since := clock.Now(c)
		c.Advance(time.Minute)
		b, err = w.Backlog(t.Context())
		require.NoError(t, err)
		require.Equal(t, queue.Backlog{Due: 3, OldestDue: &since}, b)
	})
}

func TestBackoff(t *testing.T) {
	b := queue.Backoff{First: time.Second, Max: time.Minute}
	for attempt := 1; attempt <= 80; attempt++ {
		want := time.Minute
		if attempt <= 6 {
			want = time.Second << (attempt - 1)
		}
		for range 20 {
			d := b.After(attempt)
			require.GreaterOrEqual(t, d, want/2)
			require.LessOrEqual(t, d, want)
		}
	}
}

// TestClaimUsesAnIndex: among many finished rows and many that are not due,
// a claim must not walk the table.
func TestClaimUsesAnIndex(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		rows := make([]model.QueueJob, 2000)
		for i := range rows {
			rows[i] = model.QueueJob{
				ID: c.NewID(), Kind: kind, Payload: "null", Status: model.QueueDone,
				DueAt: clock.Now(c).Add(time.Duration(i) * time.Second), CreatedAt: clock.Now(c),
			}
			if i%4 == 0 {
				rows[i].Status = model.QueuePending
			}
		}
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			return tx.CreateInBatches(rows, 200).Error
		}))
		explain := "EXPLAIN "
		if db.Driver() == database.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		}
		var plan []map[string]any
		require.NoError(t, db.Read(t.Context()).Raw(explain+queue.CandidatesSQL,
			clock.Now(c).Add(10*time.Second), []string{kind, "other"}, 32).Scan(&plan).Error)
		require.Len(t, plan, 1, "one step, no sorting")
		if db.Driver() == database.SQLite {
			require.Contains(t, plan[0]["detail"], "USING INDEX queue_job_status_due_at_idx")
			return
		}
		text := func(v any) string {
			if raw, ok := v.([]byte); ok {
				return string(raw)
			}
			return fmt.Sprint(v)
		}
		require.Equal(t, "queue_job_status_due_at_idx", text(plan[0]["key"]), "%v", plan)
		require.Equal(t, "range", text(plan[0]["type"]))
		require.NotContains(t, text(plan[0]["Extra"]), "filesort")
	})
}
