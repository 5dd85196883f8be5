package schedule_test

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

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/schedule"
	"jiamenkou/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	name = "test.job"
	ttl  = time.Minute
)

var system = authz.System("test")

// at is a moment of 2026-03-01, Shanghai.
func at(hour, minute, second int) time.Time {
	return time.Date(2026, 3, 1, hour, minute, second, 0, clock.Shanghai)
}

func newClock(now time.Time) *clock.Manual { return clock.NewManual(now, 1) }

// newRunner makes a runner whose heartbeat never comes unless options say so.
func newRunner(t *testing.T, db *database.DB, c clock.Clock, instance string, e schedule.Entry, change ...func(*schedule.Options)) *schedule.Runner {
	t.Helper()
	if e.Name == "" {
		e.Name = name
	}
	if e.Timeout == 0 {
		e.Timeout = time.Minute
	}
	o := schedule.Options{Instance: instance, LeaseTTL: ttl, Heartbeat: time.Hour, Poll: 2 * time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	r, err := schedule.New(db, c, slog.New(slog.DiscardHandler), []schedule.Entry{e}, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	return r
}

func history(t *testing.T, r *schedule.Runner) []schedule.Run {
	t.Helper()
	page, err := r.Runs(t.Context(), system, name, paging.Request{Limit: paging.MaxLimit})
	require.NoError(t, err)
	return page.Items
}

// settled waits until no run of the history is running.
func settled(t *testing.T, r *schedule.Runner, want int) []schedule.Run {
	t.Helper()
	var runs []schedule.Run
	require.Eventually(t, func() bool {
		runs = history(t, r)
		for _, run := range runs {
			if run.Status == model.JobRunning {
				return false
			}
		}
		return len(runs) == want
	}, 30*time.Second, 2*time.Millisecond)
	return runs
}

func counting(n *atomic.Int32) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		return fmt.Sprintf("run %d", n.Add(1)), nil
	}
}

func TestTick(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		t.Run("runs once on one of two instances that see it together", func(t *testing.T) {
			c := newClock(at(9, 0, 30))
			var n atomic.Int32
			e := schedule.Entry{Schedule: "*/10 * * * *", Run: counting(&n)}
			a, b := newRunner(t, db, c, "a", e), newRunner(t, db, c, "b", e)
			a.Poll(t.Context())
			b.Poll(t.Context())
			require.Zero(t, n.Load(), "no tick yet")
			for tick := 1; tick <= 5; tick++ {
				c.Set(at(9, 10*tick, 1))
				var both sync.WaitGroup
				both.Go(func() { a.Poll(t.Context()) })
				both.Go(func() { b.Poll(t.Context()) })
				both.Wait()
				runs := settled(t, a, tick)
				require.EqualValues(t, tick, n.Load())
				finished := clock.InstantOf(c.Now())
				run := runs[0]
				require.Contains(t, []string{"a", "b"}, run.Instance)
				run.ID, run.Instance = "", ""
				require.Equal(t, schedule.Run{
					Name: name, ScheduledAt: clock.InstantOf(at(9, 10*tick, 0)), Cause: model.JobTick,
					Status: model.JobSucceeded, StartedAt: finished, FinishedAt: &finished, Result: fmt.Sprintf("run %d", tick),
				}, run)
			}
		})
	})
}

func TestTickOnALateClock(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var n atomic.Int32
		e := schedule.Entry{Schedule: "0 * * * *", Run: counting(&n)}
		early, late := newClock(at(8, 59, 59)), clock.NewManual(at(8, 59, 50), 2)
		a, b := newRunner(t, db, early, "a", e), newRunner(t, db, late, "b", e)
		a.Poll(t.Context())
		b.Poll(t.Context())
		early.Set(at(9, 0, 0))
		a.Poll(t.Context())
		settled(t, a, 1)
		late.Set(at(9, 0, 0))
		b.Poll(t.Context())
		settled(t, b, 1)
		require.EqualValues(t, 1, n.Load())
	})
}

func TestTickIsLeftOutWhileTheRunBeforeStillGoes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		release := make(chan struct{})
		r := newRunner(t, db, c, "a", schedule.Entry{Schedule: "* * * * *", Run: func(context.Context) (string, error) {
			<-release
			return "", nil
		}}, func(o *schedule.Options) { o.LeaseTTL = time.Hour })
		r.Poll(t.Context())
		c.Set(at(9, 1, 0))
		r.Poll(t.Context())
		c.Set(at(9, 2, 0))
		r.Poll(t.Context())
		require.Len(t, history(t, r), 1)
		close(release)
		settled(t, r, 1)
		c.Set(at(9, 3, 0))
		r.Poll(t.Context())
		settled(t, r, 2)
	})
}

func TestStart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		var n atomic.Int32
		r := newRunner(t, db, c, "a", schedule.Entry{Schedule: "*/10 * * * *", Run: counting(&n)})
		r.Start()
		require.Eventually(t, func() bool {
			s, err := r.Health(t.Context())
			require.NoError(t, err)
			var leases int64
			require.NoError(t, db.Read(t.Context()).Model(&model.JobLease{}).Count(&leases).Error)
			return leases == 1 && s[0].NextAt == clock.InstantOf(at(9, 10, 0))
		}, 30*time.Second, 2*time.Millisecond)
		time.Sleep(10 * time.Millisecond) // the first poll ends
		c.Set(at(9, 10, 0))
		settled(t, r, 1)
		require.NoError(t, r.Close(t.Context()))
		require.NoError(t, r.Close(t.Context()), "twice does no harm")
		_, err := r.RunNow(t.Context(), system, name)
		require.ErrorIs(t, err, schedule.ErrStopping)
	})
}

func TestCatchUp(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var n atomic.Int32
		c := newClock(at(9, 0, 0))
		e := schedule.Entry{Schedule: "0 3 * * *", CatchUp: true, Run: counting(&n)}
		poll := func(e schedule.Entry) *schedule.Runner {
			r := newRunner(t, db, c, "a", e)
			r.Poll(t.Context())
			return r
		}
		poll(e)
		c.Advance(time.Hour)
		r := poll(e)
		require.Empty(t, history(t, r), "a tick from before the entry existed was not missed")

		c.Advance(72 * time.Hour)
		poll(schedule.Entry{Schedule: e.Schedule, Run: e.Run})
		require.Empty(t, history(t, r), "without CatchUp a missed tick is missed")

		first, second := newRunner(t, db, c, "a", e), newRunner(t, db, c, "b", e)
		first.Poll(t.Context())
		second.Poll(t.Context())
		runs := settled(t, r, 1)
		require.EqualValues(t, 1, n.Load(), "of three missed ticks the last runs, once")
		require.Equal(t, model.JobCatchUp, runs[0].Cause)
		require.Equal(t, clock.InstantOf(at(3, 0, 0).AddDate(0, 0, 3)), runs[0].ScheduledAt)

		poll(e)
		settled(t, r, 1)

		// The same happens to a process that slept.
		c.Advance(30 * time.Hour)
		first.Poll(t.Context())
		runs = settled(t, r, 2)
		require.Equal(t, model.JobCatchUp, runs[0].Cause)
	})
}

// vanish starts a run on an instance whose lease is never renewed; the
// returned function lets the zombie go on and waits for its end.
func vanish(t *testing.T, db *database.DB, c clock.Clock, e schedule.Entry) (id string, wake func()) {
	t.Helper()
	release := make(chan struct{})
	e.Run = func(context.Context) (string, error) {
		<-release
		return "too late", nil
	}
	r := newRunner(t, db, c, "killed", e)
	run, err := r.RunNow(t.Context(), system, name)
	require.NoError(t, err)
	var once sync.Once
	wake = func() {
		once.Do(func() { close(release) })
		_, err := r.Await(context.Background(), run.ID)
		require.NoError(t, err)
	}
	t.Cleanup(func() { once.Do(func() { close(release) }) })
	return run.ID, wake
}

func TestTakeover(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		var n atomic.Int32
		e := schedule.Entry{Schedule: "0 3 * * *", CatchUp: true, Run: counting(&n)}
		b := newRunner(t, db, c, "b", e)
		id, wake := vanish(t, db, c, e)
		c.Advance(ttl - time.Second)
		b.Poll(t.Context())
		require.Zero(t, n.Load(), "the lease still holds")
		_, err := b.RunNow(t.Context(), system, name)
		require.ErrorIs(t, err, schedule.ErrRunning)

		c.Advance(time.Minute)
		b.Poll(t.Context())
		runs := settled(t, b, 2)
		require.EqualValues(t, 1, n.Load())
		require.Equal(t, "b", runs[0].Instance)
		require.Equal(t, model.JobTakeover, runs[0].Cause)
		require.Equal(t, model.JobSucceeded, runs[0].Status)
		require.Equal(t, id, runs[1].ID)
		require.Equal(t, model.JobAbandoned, runs[1].Status)
		require.NotNil(t, runs[1].FinishedAt)

		wake()
		runs = history(t, b)
		require.Equal(t, model.JobAbandoned, runs[1].Status, "what the zombie says comes too late")
		require.Empty(t, runs[1].Result)
		c.Advance(time.Second)
		_, err = b.RunNow(t.Context(), system, name)
		require.NoError(t, err, "and frees nobody's lease, holds none")
	})
}

func TestTakeoverHappensOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		block := make(chan struct{})
		defer close(block) // before the runners are closed
		e := schedule.Entry{Schedule: "0 3 * * *", CatchUp: true, Run: func(context.Context) (string, error) {
			<-block
			return "", nil
		}}
		vanish(t, db, c, e)
		for _, instance := range []string{"b", "c", "d"} {
			c.Advance(2 * ttl)
			newRunner(t, db, c, instance, e).Poll(t.Context())
		}
		runs := history(t, newRunner(t, db, c, "e", e))
		require.Len(t, runs, 2, "a run that kills its instances does not go round")
		require.Equal(t, model.JobAbandoned, runs[0].Status)
	})
}

func TestExpiredRunWithoutCatchUpIsOnlyMarked(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		var n atomic.Int32
		e := schedule.Entry{Schedule: "0 3 * * *", Run: counting(&n)}
		_, wake := vanish(t, db, c, e)
		c.Advance(2 * ttl)
		b := newRunner(t, db, c, "b", e)
		b.Poll(t.Context())
		require.Equal(t, model.JobAbandoned, settled(t, b, 1)[0].Status)
		require.Zero(t, n.Load())
		wake()
	})
}

func TestClaimOfAnExpiredLease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		var n atomic.Int32
		e := schedule.Entry{Schedule: "0 3 * * *", Run: counting(&n)}
		_, wake := vanish(t, db, c, e)
		c.Advance(2 * ttl)
		b := newRunner(t, db, c, "b", e)
		_, err := b.RunNow(t.Context(), system, name)
		require.NoError(t, err)
		runs := settled(t, b, 2)
		require.Equal(t, model.JobSucceeded, runs[0].Status)
		require.Equal(t, model.JobAbandoned, runs[1].Status)
		wake()
	})
}

func TestHeartbeat(t *testing.T) {
	beating := func(o *schedule.Options) { o.Heartbeat = 2 * time.Millisecond }
	until := func(ctx context.Context) (string, error) { <-ctx.Done(); return "", context.Cause(ctx) }
	expiry := func(t *testing.T, db *database.DB) (l model.JobLease) {
		t.Helper()
		require.NoError(t, db.Read(t.Context()).Where("name = ?", name).Take(&l).Error)
		return l
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		t.Run("keeps the lease", func(t *testing.T) {
			c := newClock(at(9, 0, 30))
			release := make(chan struct{})
			r := newRunner(t, db, c, "a", schedule.Entry{Schedule: "0 3 * * *", Run: func(ctx context.Context) (string, error) {
				<-release
				return "kept", ctx.Err()
			}}, beating)
			run, err := r.RunNow(t.Context(), system, name)
			require.NoError(t, err)
			for range 5 {
				c.Advance(ttl / 2)
				require.Eventually(t, func() bool { return expiry(t, db).ExpiresAt == clock.Now(c).Add(ttl) }, 30*time.Second, time.Millisecond)
			}
			close(release)
			run, err = r.Await(t.Context(), run.ID)
			require.NoError(t, err)
			require.Equal(t, model.JobSucceeded, run.Status)
			l := expiry(t, db)
			require.Zero(t, l.ExpiresAt)
			require.Empty(t, l.Holder)
		})
		t.Run("cancels the run when the lease was stolen", func(t *testing.T) {
			c := newClock(at(10, 0, 30))
			r := newRunner(t, db, c, "a", schedule.Entry{Schedule: "0 3 * * *", Timeout: time.Hour, Run: until}, beating)
			run, err := r.RunNow(t.Context(), system, name)
			require.NoError(t, err)
			require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				return tx.Exec("UPDATE job_lease SET version = version + 1, holder = 'thief', run_id = '', expires_at = 0 WHERE name = ?", name).Error
			}))
			run, err = r.Await(t.Context(), run.ID)
			require.NoError(t, err)
			require.Equal(t, model.JobFailed, run.Status)
			require.Contains(t, run.Error, "the lease was lost")
			require.Equal(t, "thief", expiry(t, db).Holder, "it frees what is not its own to nobody")
		})
	})
}

func TestHeartbeatCancelsTheRunWhenTheDatabaseIsAwayTooLong(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(10, 0, 30))
		cause := make(chan error, 1)
		broken, err := database.Open(t.Context(), configOf(t, db))
		require.NoError(t, err)
		r, err := schedule.New(broken, c, slog.New(slog.DiscardHandler), []schedule.Entry{{
			Name: name, Schedule: "0 3 * * *", Timeout: time.Hour,
			Run: func(ctx context.Context) (string, error) {
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return "", ctx.Err()
			},
		}}, schedule.Options{LeaseTTL: ttl, Heartbeat: 2 * time.Millisecond})
		require.NoError(t, err)
		_, err = r.RunNow(t.Context(), system, name)
		require.NoError(t, err)
		require.NoError(t, broken.Close())
		select {
		case err := <-cause:
			t.Fatal("cancelled although the lease still holds", err)
		case <-time.After(30 * time.Millisecond):
		}
		c.Advance(ttl)
		require.ErrorContains(t, <-cause, "the lease was lost")
		require.NoError(t, r.Close(t.Context()))
	})
}

func TestRun(t *testing.T) {
	for title, test := range map[string]struct {
		run    func(context.Context) (string, error)
		status model.JobStatus
		result string
		err    string
	}{
		"keeps what it said": {
			func(context.Context) (string, error) { return "deleted 12", nil }, model.JobSucceeded, "deleted 12", "",
		},
		"keeps an error without personal data": {
			func(context.Context) (string, error) { return "half", errors.New("no '李小明' at 13800138000") },
			model.JobFailed, "half", "no … at …",
		},
		"keeps a panic": {
			func(context.Context) (string, error) { panic("boom") }, model.JobFailed, "", "panic: boom",
		},
		"ends at its time-out": {
			func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() },
			model.JobFailed, "", "timed out: context deadline exceeded",
		},
		"cuts long texts": {
			func(context.Context) (string, error) {
				return strings.Repeat("家", 400), errors.New(strings.Repeat("no ", 400))
			},
			model.JobFailed, strings.Repeat("家", 165) + "…", strings.TrimSpace(strings.Repeat("no ", 166)[:497]) + "…",
		},
	} {
		t.Run(title, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				r := newRunner(t, db, newClock(at(9, 0, 0)), "a", schedule.Entry{
					Schedule: "@daily", Timeout: 50 * time.Millisecond, Run: test.run,
				})
				run, err := r.RunNow(t.Context(), system, name)
				require.NoError(t, err)
				require.Equal(t, model.JobRunning, run.Status)
				run, err = r.Await(t.Context(), run.ID)
				require.NoError(t, err)
				require.Equal(t, test.status, run.Status)
				require.Equal(t, test.result, run.Result)
				require.Equal(t, test.err, run.Error)
			})
		})
	}
}

func TestClose(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 0))
		t.Run("waits for a run", func(t *testing.T) {
			release := make(chan struct{})
			r := newRunner(t, db, c, "a", schedule.Entry{Schedule: "@daily", Run: func(ctx context.Context) (string, error) {
				<-release
				return "whole", ctx.Err()
			}})
			run, err := r.RunNow(t.Context(), system, name)
			require.NoError(t, err)
			closed := make(chan error)
			go func() { closed <- r.Close(context.Background()) }()
			select {
			case err := <-closed:
				t.Fatal("closed while a run was going", err)
			case <-time.After(20 * time.Millisecond):
			}
			close(release)
			require.NoError(t, <-closed)
			run, err = r.Await(t.Context(), run.ID)
			require.NoError(t, err)
			require.Equal(t, "whole", run.Result)
		})
		t.Run("hands a run over when it cannot wait", func(t *testing.T) {
			var n atomic.Int32
			begun := make(chan struct{})
			e := schedule.Entry{Schedule: "@daily", CatchUp: true, Run: func(ctx context.Context) (string, error) {
				close(begun)
				<-ctx.Done()
				return "", ctx.Err()
			}}
			c.Advance(time.Second)
			r := newRunner(t, db, c, "a", e)
			_, err := r.RunNow(t.Context(), system, name)
			require.NoError(t, err)
			<-begun
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, r.Close(ctx))
			e.Run = counting(&n)
			c.Advance(time.Second)
			b := newRunner(t, db, c, "b", e)
			b.Poll(t.Context())
			runs := settled(t, b, 3)
			require.EqualValues(t, 1, n.Load(), "at once, without waiting for the lease")
			require.Equal(t, model.JobTakeover, runs[0].Cause)
			require.Equal(t, model.JobAbandoned, runs[1].Status)
		})
	})
}

func TestNewRefusesDefects(t *testing.T) {
	fine := schedule.Entry{Name: name, Schedule: "0 3 * * *", Timeout: time.Minute, Run: counting(new(atomic.Int32))}
	try := func(entries ...schedule.Entry) error {
		_, err := schedule.New(nil, newClock(at(0, 0, 0)), slog.New(slog.DiscardHandler), entries, schedule.Options{})
		return err
	}
	require.NoError(t, try(fine))
	require.Error(t, try(fine, fine), "the same name twice")
	for what, change := range map[string]func(*schedule.Entry){
		"a malformed name":      func(e *schedule.Entry) { e.Name = "Bad Name" },
		"no time-out":           func(e *schedule.Entry) { e.Timeout = 0 },
		"nothing to run":        func(e *schedule.Entry) { e.Run = nil },
		"seconds":               func(e *schedule.Entry) { e.Schedule = "0 0 3 * * *" },
		"a zone of its own":     func(e *schedule.Entry) { e.Schedule = "CRON_TZ=UTC 0 3 * * *" },
		"an interval, no times": func(e *schedule.Entry) { e.Schedule = "@every 1h" },
	} {
		e := fine
		change(&e)
		require.Error(t, try(e), what)
	}
}

func TestPrev(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, clock.Shanghai) // a Wednesday
	for spec, want := range map[string]string{
		"* * * * *":    "2026-03-04 05:06",
		"*/10 * * * *": "2026-03-04 05:00",
		"6 5 * * *":    "2026-03-04 05:06",
		"7 5 * * *":    "2026-03-03 05:07",
		"@hourly":      "2026-03-04 05:00",
		"@daily":       "2026-03-04 00:00",
		"@weekly":      "2026-03-01 00:00",
		"@monthly":     "2026-03-01 00:00",
		"0 3 * * MON":  "2026-03-02 03:00",
		"0 0 31 12 *":  "2025-12-31 00:00",
		"0 0 29 2 *":   "2024-02-29 00:00",
		"0 0 31 2 *":   "0001-01-01 00:00",
		"30 23 * *":    "",
	} {
		for _, in := range []time.Time{now, now.UTC()} {
			got, err := schedule.Prev(spec, in)
			if want == "" {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, got.Format("2006-01-02 15:04"), spec)
		}
	}
}

func staff(role authz.Role, path string) authz.Actor {
	return authz.Actor{Kind: authz.KindStaff, ID: "s1", Grants: []authz.Grant{{Role: role, RegionPath: path}}}
}

func TestOperate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 0))
		var n atomic.Int32
		var audited []string
		refuse := errors.New("no audit, no run")
		e := func(name string) schedule.Entry {
			return schedule.Entry{Name: name, Schedule: "@hourly", Timeout: time.Minute, Run: counting(&n)}
		}
		r, err := schedule.New(db, c, slog.New(slog.DiscardHandler), []schedule.Entry{e("c.c"), e("a.a"), e("b.b")}, schedule.Options{
			AuditTx: func(_ context.Context, tx *gorm.DB, actor authz.Actor, run schedule.Run) error {
				if run.Name == "c.c" {
					return refuse
				}
				audited = append(audited, actor.ID+" "+run.Name)
				return tx.Exec("SELECT 1").Error
			},
		})
		require.NoError(t, err)
		defer r.Close(context.Background()) //nolint:errcheck // nothing is running
		ctx, root := t.Context(), staff(authz.RoleOperator, "/c1/")

		t.Run("lists entries by page", func(t *testing.T) {
			var names []string
			req := paging.Request{Limit: 2}
			for {
				page, err := r.List(ctx, root, req)
				require.NoError(t, err)
				for _, s := range page.Items {
					names = append(names, s.Name)
					require.Equal(t, s.Name, s.Title)
					require.Equal(t, clock.InstantOf(at(10, 0, 0)), s.NextAt)
					require.Nil(t, s.Last)
				}
				if req.Cursor = page.Next; req.Cursor == "" {
					break
				}
			}
			require.Equal(t, []string{"a.a", "b.b", "c.c"}, names)
		})
		t.Run("runs for operators of a root region only", func(t *testing.T) {
			for _, a := range []authz.Actor{{}, staff(authz.RoleOperator, "/c1/t1/"), staff(authz.RoleAuditor, "/c1/"), staff(authz.RoleOperator, "")} {
				_, err := r.RunNow(ctx, a, "a.a")
				require.ErrorIs(t, err, authz.ErrForbidden)
			}
			for i := range 3 {
				c.Advance(time.Second)
				run, err := r.RunNow(ctx, root, "a.a")
				require.NoError(t, err)
				require.Equal(t, "s1", run.RequestedBy)
				require.Equal(t, model.JobManual, run.Cause)
				_, err = r.Await(ctx, run.ID)
				require.NoError(t, err)
				require.EqualValues(t, i+1, n.Load())
			}
			require.Equal(t, []string{"s1 a.a", "s1 a.a", "s1 a.a"}, audited)
			_, err := r.RunNow(ctx, root, "no.such")
			require.ErrorIs(t, err, schedule.ErrNoSuchEntry)
		})
		t.Run("does not run what could not be audited", func(t *testing.T) {
			_, err := r.RunNow(ctx, root, "c.c")
			require.ErrorIs(t, err, refuse)
			page, err := r.Runs(ctx, root, "c.c", paging.Request{})
			require.NoError(t, err)
			require.Empty(t, page.Items)
		})
		t.Run("lists runs, newest first, by page", func(t *testing.T) {
			page, err := r.Runs(ctx, staff(authz.RoleAuditor, "/c1/t1/"), "a.a", paging.Request{Limit: 2})
			require.NoError(t, err)
			require.Len(t, page.Items, 2)
			require.Equal(t, "run 3", page.Items[0].Result)
			page, err = r.Runs(ctx, root, "a.a", paging.Request{Limit: 2, Cursor: page.Next})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			require.Empty(t, page.Next)
			_, err = r.Runs(ctx, root, "a.a", paging.Request{Cursor: "eA"})
			require.ErrorIs(t, err, paging.ErrCursor)
			_, err = r.Runs(ctx, root, "no.such", paging.Request{})
			require.ErrorIs(t, err, schedule.ErrNoSuchEntry)
			_, err = r.Runs(ctx, staff(authz.RoleClerk, ""), "a.a", paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = r.List(ctx, authz.Actor{}, paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
	})
}

func TestHealth(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 30))
		fail := errors.New("broken")
		var block chan struct{}
		r := newRunner(t, db, c, "a", schedule.Entry{Schedule: "@hourly", Run: func(context.Context) (string, error) {
			if block != nil {
				<-block
			}
			return "", fail
		}})
		health := func() schedule.Status {
			s, err := r.Health(t.Context())
			require.NoError(t, err)
			require.Len(t, s, 1)
			return s[0]
		}
		require.False(t, health().Overdue, "never seen")
		r.Poll(t.Context())
		c.Set(at(10, 1, 0))
		require.False(t, health().Overdue, "a run may still come")
		c.Set(at(10, 10, 0))
		require.True(t, health().Overdue)

		_, err := r.RunNow(t.Context(), system, name)
		require.NoError(t, err)
		settled(t, r, 1)
		s := health()
		require.False(t, s.Overdue)
		require.True(t, s.Failing)
		require.Equal(t, model.JobFailed, s.Last.Status)

		fail = nil
		c.Advance(time.Second)
		_, err = r.RunNow(t.Context(), system, name)
		require.NoError(t, err)
		settled(t, r, 2)
		require.False(t, health().Failing)

		block = make(chan struct{})
		c.Advance(time.Second)
		run, err := r.RunNow(t.Context(), system, name)
		require.NoError(t, err)
		s = health()
		require.Equal(t, model.JobRunning, s.Last.Status)
		require.False(t, s.Failing, "the run before it counts")
		close(block)
		_, err = r.Await(t.Context(), run.ID)
		require.NoError(t, err)
	})
}

func TestPruneHistory(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock(at(9, 0, 0))
		var rows []model.JobRun
		for i := range 700 {
			finished := clock.Now(c).Add(time.Duration(i) * time.Minute)
			rows = append(rows, model.JobRun{
				ID: c.NewID(), Name: name, ScheduledAt: finished, Cause: model.JobTick, Instance: "a",
				Status: model.JobSucceeded, StartedAt: finished, FinishedAt: &finished,
			})
		}
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return tx.CreateInBatches(rows, 100).Error }))
		h := schedule.NewHistory(db, c, 24*time.Hour)
		c.Advance(24*time.Hour + 600*time.Minute)
		n, err := h.Prune(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 600, n)
		c.Advance(240 * time.Hour)
		n, err = h.Prune(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 99, n, "the newest stays")
	})
}

// configOf opens the same database again.
func configOf(t *testing.T, db *database.DB) database.Config {
	t.Helper()
	if db.Driver() == database.SQLite {
		var path string
		require.NoError(t, db.Read(t.Context()).Raw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path).Error)
		return database.Config{Driver: database.SQLite, SQLitePath: path}
	}
	var schema string
	require.NoError(t, db.Read(t.Context()).Raw("SELECT DATABASE()").Scan(&schema).Error)
	dsn := databasetest.ServerDSN(t)
	dsn.DBName = schema
	return database.Config{Driver: database.MySQL, MySQLDSN: dsn.FormatDSN()}
}
