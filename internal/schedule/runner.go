package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/redact"
	"jiamenkou/model"
)

const (
	// missedAfter is how late a tick may be noticed and still be on time.
	missedAfter = time.Minute
	// writeTimeout bounds the writing of a run's end.
	writeTimeout = 30 * time.Second
	// stopGrace is what runs get to return in after their context was cancelled.
	stopGrace = 5 * time.Second
	// maxInstanceLength is what the instance column holds.
	maxInstanceLength = 64
)

var errStopped = errors.New("schedule: the program is stopping")

// Options of a Runner; the zero value takes the defaults.
type Options struct {
	Instance string // this process in the history; default host name and an id
	// LeaseTTL is how long an entry stays with an instance that is not heard
	// of. It must be well above database.Config.TxTimeout. Default 90 s.
	LeaseTTL  time.Duration
	Heartbeat time.Duration // between two renewals; default LeaseTTL/3
	Poll      time.Duration // between two looks at the clock; default 1 s
	// AuditTx, if set, records a manual run in the same transaction.
	AuditTx func(ctx context.Context, tx *gorm.DB, actor authz.Actor, run Run) error
}

func (o Options) withDefaults(c clock.Clock) Options {
	if o.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		id := c.NewID()
		o.Instance = host[:min(len(host), maxInstanceLength-1-len(id))] + "/" + id
	}
	if o.LeaseTTL <= 0 {
		o.LeaseTTL = 90 * time.Second
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = o.LeaseTTL / 3
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	return o
}

// Runner starts entries at their ticks. Every instance runs one.
type Runner struct {
	store   *store
	clock   clock.Clock
	log     *slog.Logger
	options Options
	entries []*entry // by name
	names   []string

	started atomic.Bool
	base    context.Context //nolint:containedctx // the life of all runs, which Close ends
	cancel  context.CancelCauseFunc
	loop    sync.WaitGroup
	stop    chan struct{}

	mu      sync.Mutex
	closed  bool
	running map[string]*active // by run id
	runs    sync.WaitGroup

	// Only the loop uses these.
	seeded    bool
	recovered clock.Instant
	orphans   []*entry // abandoned runs to repeat, until one has been started
}

type active struct {
	name string
	done chan struct{}
}

// New checks the entries. The composition root calls Start and Close.
func New(db *database.DB, c clock.Clock, log *slog.Logger, entries []Entry, options Options) (*Runner, error) {
	base, cancel := context.WithCancelCause(context.Background())
	r := &Runner{
		store: &store{db: db, clock: c}, clock: c, log: log, options: options.withDefaults(c),
		base: base, cancel: cancel, stop: make(chan struct{}), running: map[string]*active{},
	}
	if len(r.options.Instance) > maxInstanceLength {
		return nil, fmt.Errorf("schedule: instance name is longer than %d", maxInstanceLength)
	}
	for _, e := range entries {
		parsed, err := parse(e)
		if err != nil {
			return nil, err
		}
		r.entries = append(r.entries, parsed)
		r.names = append(r.names, e.Name)
	}
	slices.SortFunc(r.entries, func(a, b *entry) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(r.names)
	if len(slices.Compact(slices.Clone(r.names))) != len(r.names) {
		return nil, errors.New("schedule: two entries have the same name")
	}
	return r, nil
}

// Start begins to watch the clock until Close. Call it once. Without it the
// Runner still answers List and RunNow.
func (r *Runner) Start() {
	if r.started.Swap(true) {
		panic("schedule: runner started twice")
	}
	r.loop.Go(func() {
		ticker := time.NewTicker(r.options.Poll)
		defer ticker.Stop()
		for {
			r.poll(r.base)
			select {
			case <-r.stop:
				return
			case <-ticker.C:
			}
		}
	})
}

// Close starts nothing more and waits for the runs in flight. When ctx ends
// first it cancels them and leaves them to another instance; it returns an
// error if one does not return even then.
func (r *Runner) Close(ctx context.Context) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.stop)
	}
	r.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		r.loop.Wait()
		r.runs.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		r.cancel(errStopped)
		select {
		case <-idle:
		case <-time.After(stopGrace):
			return fmt.Errorf("schedule: runs ignore their context: %s", strings.Join(r.runningNames(), ", "))
		}
	}
	r.cancel(errStopped)
	return nil
}

func (r *Runner) runningNames() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, a := range r.running {
		names = append(names, a.name)
	}
	slices.Sort(names)
	return names
}

// poll looks once at the clock: it picks up what other instances lost and
// starts what is due.
func (r *Runner) poll(ctx context.Context) {
	now := r.clock.Now()
	if !r.seeded {
		if err := r.seed(ctx, now); err != nil {
			r.warn("cannot begin", err)
			return
		}
		r.seeded = true
	}
	if at := clock.InstantOf(now); at >= r.recovered.Add(r.options.LeaseTTL/3) {
		if err := r.takeOver(ctx); err != nil {
			r.warn("cannot look for lost runs", err)
		} else {
			r.recovered = at
		}
	}
	for _, e := range r.entries {
		if !e.next.IsZero() && !e.next.After(now) {
			r.fire(ctx, e, now)
		}
	}
}

// seed decides for each entry which tick it waits for: the one that passed
// last if it was missed and is to be caught up, else the next.
func (r *Runner) seed(ctx context.Context, now time.Time) error {
	leases, err := r.store.seed(ctx, r.names)
	if err != nil {
		return err
	}
	last, err := r.store.last(ctx, r.names)
	if err != nil {
		return err
	}
	for _, e := range r.entries {
		e.next = e.after(now)
		missed := e.prev(now)
		if !e.CatchUp || missed.IsZero() {
			continue
		}
		at := clock.InstantOf(missed)
		// A tick from before the entry existed was not missed.
		if run, ran := last[e.Name]; at > leases[e.Name].CreatedAt && (!ran || run.ScheduledAt < at) {
			e.next = missed
		}
	}
	return nil
}

// fire starts the entry for the last tick at or before now. Of several ticks
// that passed (the machine slept) only the last one counts.
func (r *Runner) fire(ctx context.Context, e *entry, now time.Time) {
	tick := e.prev(now)
	cause := model.JobTick
	if now.Sub(tick) > missedAfter {
		cause = model.JobCatchUp
	}
	if cause == model.JobTick || e.CatchUp {
		_, err := r.start(ctx, e, clock.InstantOf(tick), cause, authz.Actor{})
		switch {
		case err == nil, errors.Is(err, errTaken):
		case errors.Is(err, ErrRunning):
			r.log.Info("schedule: tick left out: a run is still going", "entry", e.Name)
		case errors.Is(err, ErrStopping):
			return
		default:
			r.warn("cannot start "+e.Name, err)
			return // the next poll tries this tick again
		}
	}
	e.next = e.after(now)
}

// takeOver marks lost runs and repeats those that catch up, once: a run that
// kills whoever runs it must not go round all instances.
func (r *Runner) takeOver(ctx context.Context) error {
	found, err := r.store.recover(ctx)
	if err != nil {
		return err
	}
	for _, l := range found {
		r.log.Warn("schedule: a run was abandoned", "entry", l.name)
		if e := r.find(l.name); e != nil && e.CatchUp && l.cause != model.JobTakeover {
			r.orphans = append(r.orphans, e)
		}
	}
	waiting := r.orphans
	r.orphans = nil
	for _, e := range waiting {
		_, err := r.start(ctx, e, clock.Now(r.clock), model.JobTakeover, authz.Actor{})
		if err != nil && !errors.Is(err, ErrRunning) && !errors.Is(err, errTaken) {
			r.warn("cannot take over "+e.Name, err)
			r.orphans = append(r.orphans, e)
		}
	}
	return nil
}

func (r *Runner) find(name string) *entry {
	i, ok := slices.BinarySearch(r.names, name)
	if !ok {
		return nil
	}
	return r.entries[i]
}

func (r *Runner) warn(what string, err error) {
	if r.base.Err() == nil {
		r.log.Warn("schedule: "+what, "error", redact.Error(err, maxTextBytes))
	}
}

// start claims the entry and runs it in the background.
func (r *Runner) start(ctx context.Context, e *entry, at clock.Instant, cause model.JobCause, by authz.Actor) (Run, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return Run{}, ErrStopping
	}
	r.runs.Add(1) // before Close can wait
	r.mu.Unlock()
	row := model.JobRun{
		ID: r.clock.NewID(), Name: e.Name, ScheduledAt: at, Cause: cause, RequestedBy: by.ID,
		Instance: r.options.Instance, Status: model.JobRunning, StartedAt: clock.Now(r.clock),
	}
	var audit func(tx *gorm.DB) error
	if cause == model.JobManual && r.options.AuditTx != nil {
		audit = func(tx *gorm.DB) error { return r.options.AuditTx(ctx, tx, by, runOf(row)) }
	}
	held, err := r.store.claim(ctx, row, r.options.LeaseTTL, audit)
	if err != nil {
		r.runs.Done()
		return Run{}, err
	}
	a := &active{name: e.Name, done: make(chan struct{})}
	r.mu.Lock()
	r.running[row.ID] = a
	r.mu.Unlock()
	go func() {
		defer r.runs.Done()
		r.execute(e, held, row.StartedAt)
		r.mu.Lock()
		delete(r.running, row.ID)
		r.mu.Unlock()
		close(a.done)
	}()
	return runOf(row), nil
}

// execute runs the entry under its lease and writes how it ended.
func (r *Runner) execute(e *entry, held lease, started clock.Instant) {
	ctx, cancel := context.WithCancelCause(r.base)
	var heart sync.WaitGroup
	heart.Go(func() { r.beat(ctx, held, started.Add(r.options.LeaseTTL), cancel) })
	result, err := r.call(ctx, e)
	cause := context.Cause(ctx)
	cancel(nil)
	heart.Wait()

	ctx, stop := context.WithTimeout(context.WithoutCancel(r.base), writeTimeout)
	defer stop()
	log := r.log.With("entry", e.Name, "run", held.runID)
	status := model.JobSucceeded
	switch {
	case err == nil:
	case errors.Is(cause, errStopped):
		if err := r.store.forsake(ctx, held); err != nil {
			log.Error("schedule: cannot hand the run over", "error", redact.Error(err, maxTextBytes))
		}
		log.Warn("schedule: run cut short, another instance takes it over")
		return
	case errors.Is(cause, errLeaseLost):
		status, err = model.JobFailed, fmt.Errorf("%w: %w", errLeaseLost, err)
	default:
		status = model.JobFailed
	}
	ours, writeErr := r.store.finish(ctx, held, status, result, err)
	switch {
	case writeErr != nil:
		log.Error("schedule: cannot write the end of the run", "error", redact.Error(writeErr, maxTextBytes))
	case !ours:
		log.Warn("schedule: the run had been abandoned before it ended")
	case err != nil:
		log.Error("schedule: run failed", "error", redact.Error(err, maxTextBytes))
	default:
		log.Info("schedule: run succeeded", "result", redact.Text(result, maxTextBytes))
	}
}

// call runs the entry's function within its time-out and turns a panic into
// an error.
func (r *Runner) call(ctx context.Context, e *entry) (result string, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.log.Error("schedule: panic", "entry", e.Name, "panic", redact.Error(err, maxTextBytes), "stack", string(debug.Stack()))
		}
	}()
	return e.Run(ctx)
}

// beat renews the lease until ctx ends, and ends ctx when the lease is lost:
// taken by another instance, or run out while the database was away.
func (r *Runner) beat(ctx context.Context, held lease, until clock.Instant, lose context.CancelCauseFunc) {
	ticker := time.NewTicker(r.options.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		next := clock.Now(r.clock).Add(r.options.LeaseTTL)
		err := r.store.renew(ctx, held, next)
		switch {
		case err == nil:
			until = next
		case ctx.Err() != nil:
			return
		case errors.Is(err, errLeaseLost), clock.Now(r.clock) >= until:
			lose(errLeaseLost)
			return
		default:
			r.warn("cannot renew the lease of "+held.name, err)
		}
	}
}
