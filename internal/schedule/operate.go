package schedule

import (
	"context"
	"errors"
	"sort"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// mayRead: operators and auditors, whatever their region, since a job serves
// the whole county and its texts hold no personal data.
func mayRead(a authz.Actor) error {
	if a.IsSystem() || a.Has(authz.RoleOperator, authz.RoleAuditor) {
		return nil
	}
	return authz.ErrForbidden
}

// mayRun: operators of a root region, for the same reason. The path of a root
// has one segment: "/<id>/".
func mayRun(a authz.Actor) error {
	if a.IsSystem() {
		return nil
	}
	for _, path := range a.RegionPaths(authz.RoleOperator) {
		if strings.Count(strings.Trim(path, "/"), "/") == 0 {
			return nil
		}
	}
	return authz.ErrForbidden
}

// List returns the entries by name and how each is doing.
func (r *Runner) List(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[Status], error) {
	if err := mayRead(actor); err != nil {
		return paging.Page[Status]{}, err
	}
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[Status]{}, err
	}
	from := 0
	if key != nil {
		from = sort.Search(len(r.names), func(i int) bool { return r.names[i] > key[0] })
	}
	rows, err := r.statuses(ctx, r.entries[from:min(len(r.entries), from+page.Size()+1)])
	if err != nil {
		return paging.Page[Status]{}, err
	}
	return paging.Of(rows, page, func(s Status) []string { return []string{s.Name} }), nil
}

// Runs returns the runs of one entry, newest first.
func (r *Runner) Runs(ctx context.Context, actor authz.Actor, name string, page paging.Request) (paging.Page[Run], error) {
	if err := mayRead(actor); err != nil {
		return paging.Page[Run]{}, err
	}
	if r.find(name) == nil {
		return paging.Page[Run]{}, ErrNoSuchEntry
	}
	return r.store.runs(ctx, name, page)
}

// RunNow starts the entry in the background, now, and returns its run; the
// history and the audit log name the actor. ErrRunning if it runs already.
func (r *Runner) RunNow(ctx context.Context, actor authz.Actor, name string) (Run, error) {
	if err := mayRun(actor); err != nil {
		return Run{}, err
	}
	e := r.find(name)
	if e == nil {
		return Run{}, ErrNoSuchEntry
	}
	run, err := r.start(ctx, e, clock.Now(r.clock), model.JobManual, actor)
	if errors.Is(err, errTaken) { // asked twice within one microsecond
		return Run{}, ErrRunning
	}
	if err != nil {
		return Run{}, err
	}
	r.log.InfoContext(ctx, "schedule: run asked for", "entry", name, "run", run.ID, "actor", actor.ID)
	return run, nil
}

// Await waits for a run that this instance started and returns how it ended:
// for the command line.
func (r *Runner) Await(ctx context.Context, runID string) (Run, error) {
	r.mu.Lock()
	a := r.running[runID]
	r.mu.Unlock()
	if a != nil {
		select {
		case <-a.done:
		case <-ctx.Done():
			return Run{}, ctx.Err()
		}
	}
	return r.store.run(ctx, runID)
}

// Health returns how each entry is doing, for /readyz and metrics. An overdue
// or failing entry is a reason to look, not to take the instance out of
// service.
func (r *Runner) Health(ctx context.Context) ([]Status, error) {
	return r.statuses(ctx, r.entries)
}

func (r *Runner) statuses(ctx context.Context, entries []*entry) ([]Status, error) {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	known, err := r.store.firstSeen(ctx, names)
	if err != nil {
		return nil, err
	}
	last, err := r.store.last(ctx, names)
	if err != nil {
		return nil, err
	}
	ended, err := r.store.ended(ctx, last)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	out := make([]Status, len(entries))
	for i, e := range entries {
		s := Status{Name: e.Name, Title: e.Title, Schedule: e.Schedule, CatchUp: e.CatchUp, Timeout: e.Timeout}
		if next := e.after(now); !next.IsZero() {
			s.NextAt = clock.InstantOf(next)
		}
		run, ran := last[e.Name]
		if ran {
			shown := runOf(run)
			s.Last = &shown
		}
		end, over := ended[e.Name]
		s.Failing = over && end.Status != model.JobSucceeded
		// A run may still be under way, or wait for a lease to run out.
		due := e.prev(now.Add(-e.Timeout - 2*r.options.LeaseTTL - missedAfter))
		seen, isKnown := known[e.Name]
		if !due.IsZero() && isKnown {
			at := clock.InstantOf(due)
			s.Overdue = at > seen && (!ran || run.ScheduledAt < at)
		}
		out[i] = s
	}
	return out, nil
}
