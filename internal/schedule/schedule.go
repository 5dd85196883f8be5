// Package schedule runs the cron entries of jobs/: each tick once, on one of
// the instances that share the database, with a history.
//
// Who may run an entry is decided by a lease row with a fencing version; that
// a tick runs once, by the unique key (name, scheduled_at) of its history. An
// instance that vanishes stops renewing its lease: another marks the run
// abandoned and, if the entry catches up, runs it again. So an entry's
// function must be idempotent and should heed its context.
//
// Instances compare the lease with their own clocks: keep these within a few
// seconds of each other (NTP), which is far below the lease.
package schedule

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// Entry is one job and its times.
type Entry struct {
	Name  string // "queue.prune": what the history and the operator know it by
	Title string // for people, in plain Chinese; "" shows Name
	// Schedule is a cron spec of five fields (minute hour day month weekday)
	// or @hourly, @daily, @weekly, @monthly, on the Shanghai calendar. A tick
	// that comes while the run before is still going is left out.
	Schedule string
	Timeout  time.Duration // one run, at most; must be set
	// CatchUp runs the entry once, at start, if its last tick passed while no
	// instance was up, and again at once if the instance that ran it vanished.
	CatchUp bool
	// Run does the work and says in a few words what it did ("deleted 12").
	// Neither text may hold personal data.
	Run func(ctx context.Context) (result string, err error) // a result is Counts, or words
}

// Run is one run of an entry.
type Run struct {
	ID          string
	Name        string
	ScheduledAt clock.Instant
	Cause       model.JobCause
	RequestedBy string // staff id of a manual run, else ""
	Instance    string
	Status      model.JobStatus
	StartedAt   clock.Instant
	FinishedAt  *clock.Instant
	Result      string
	Error       string
}

func runOf(m model.JobRun) Run { return Run(m) }

// Status is an entry and how it is doing.
type Status struct {
	Name     string
	Title    string
	Schedule string
	CatchUp  bool
	Timeout  time.Duration
	NextAt   clock.Instant // next tick; 0 if there is none
	Last     *Run          // nil before the first run
	// Overdue: a tick passed, long enough ago to have been run, and it was not.
	Overdue bool
	// Failing: the last run that ended did not succeed.
	Failing bool
}

// Errors.
var (
	ErrNoSuchEntry = fault.New(fault.NotFound, "job.not_found", "没有这个定时任务")
	ErrRunning     = fault.New(fault.Conflict, "job.running", "这个任务正在运行，请等它结束")
	ErrStopping    = fault.New(fault.Unavailable, "job.stopping", "系统正在重启，请稍后再试")
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_.-]{1,63}$`)

// entry is an Entry with its parsed schedule.
type entry struct {
	Entry
	spec *cron.SpecSchedule
	next time.Time // the tick that the loop waits for; only the loop uses it
}

var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

func parse(e Entry) (*entry, error) {
	switch {
	case !namePattern.MatchString(e.Name):
		return nil, fmt.Errorf("schedule: malformed name %q", e.Name)
	case e.Timeout <= 0:
		return nil, fmt.Errorf("schedule: %s has no time-out", e.Name)
	case e.Run == nil:
		return nil, fmt.Errorf("schedule: %s has nothing to run", e.Name)
	case strings.Contains(e.Schedule, "TZ="):
		return nil, fmt.Errorf("schedule: %s: times are always Asia/Shanghai", e.Name)
	}
	parsed, err := parser.Parse(e.Schedule)
	if err != nil {
		return nil, fmt.Errorf("schedule: %s: %w", e.Name, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		// @every counts from the start of the process: no two instances agree.
		return nil, fmt.Errorf("schedule: %s: %q names no fixed times", e.Name, e.Schedule)
	}
	spec.Location = clock.Shanghai
	if e.Title == "" {
		e.Title = e.Name
	}
	return &entry{Entry: e, spec: spec}, nil
}

// lookBack are the windows in which prev searches, narrowest first, so that
// it steps over few ticks whatever the schedule.
var lookBack = []time.Duration{
	2 * time.Minute, time.Hour, 25 * time.Hour, 8 * 24 * time.Hour, 32 * 24 * time.Hour, 5 * 366 * 24 * time.Hour,
}

// prev returns the last tick at or before now; the zero time if there is none.
// cron can only step forwards.
func (e *entry) prev(now time.Time) time.Time {
	now = now.In(clock.Shanghai)
	for _, window := range lookBack {
		tick := e.spec.Next(now.Add(-window))
		if tick.IsZero() || tick.After(now) {
			continue
		}
		for {
			following := e.spec.Next(tick)
			if following.IsZero() || following.After(now) {
				return tick
			}
			tick = following
		}
	}
	return time.Time{}
}

// after returns the first tick after t; the zero time if there is none.
func (e *entry) after(t time.Time) time.Time { return e.spec.Next(t.In(clock.Shanghai)) }
