package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// WorkerOptions are the worker's limits; the zero value takes the defaults.
type WorkerOptions struct {
	Concurrency int           // jobs that run at once; default 4
	Poll        time.Duration // between two looks when nothing wakes the worker; default 1 s
	// LeaseMargin is how long after its handler's time-out a job is taken to
	// be lost: it covers writing the outcome and clocks of two instances
	// that differ. Default 1 min.
	LeaseMargin time.Duration
	KeepDone    time.Duration // until Prune deletes a done job; default 7 days
	KeepDead    time.Duration // until Prune deletes a dead job; default 90 days
}

func (o WorkerOptions) withDefaults() WorkerOptions {
	const day = 24 * time.Hour
	if o.Concurrency <= 0 {
		o.Concurrency = 4
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&o.Poll, time.Second}, {&o.LeaseMargin, time.Minute}, {&o.KeepDone, 7 * day}, {&o.KeepDead, 90 * day},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	return o
}

// stopGrace is what handlers get to return in after their context was
// cancelled.
const stopGrace = 5 * time.Second

// Stats counts what the worker did since it was made.
type Stats struct {
	Claimed   uint64 // attempts begun
	Succeeded uint64
	Retried   uint64 // attempts that failed and come back
	Dead      uint64 // jobs given up
	Released  uint64 // attempts cut short by Close, not counted against the job
	Lost      uint64 // outcomes that came after the lease had gone to another worker
	Errors    uint64 // claims and outcomes that the database refused
	InFlight  int64
}

type counters struct {
	claimed, succeeded, retried, dead, released, lost, errors atomic.Uint64
	inFlight                                                  atomic.Int64
}

// Worker claims jobs and runs them. Any number of workers on any number of
// instances may share the table.
type Worker struct {
	db       *database.DB
	clock    clock.Clock
	log      *slog.Logger
	options  WorkerOptions
	handlers map[string]handler
	kinds    []string

	started atomic.Bool
	closing sync.Once
	drained sync.Once
	wake    chan struct{}
	stop    chan struct{}   // closed: claim no more
	base    context.Context //nolint:containedctx // the life of all handlers, which Close ends
	cancel  context.CancelCauseFunc
	slots   chan struct{} // one token per job in flight
	results chan outcome
	loops   sync.WaitGroup // claiming
	jobs    sync.WaitGroup // handlers
	settled chan struct{}  // closed when the last outcome is written
	count   counters
}

// NewWorker makes a worker: Register its handlers, then Start it.
func NewWorker(db *database.DB, c clock.Clock, log *slog.Logger, options WorkerOptions) *Worker {
	options = options.withDefaults()
	base, cancel := context.WithCancelCause(context.Background())
	return &Worker{
		db: db, clock: c, log: log, options: options, handlers: map[string]handler{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}), base: base, cancel: cancel,
		slots: make(chan struct{}, options.Concurrency), results: make(chan outcome, options.Concurrency),
		settled: make(chan struct{}),
	}
}

func (w *Worker) register(kind string, h handler) {
	if _, taken := w.handlers[kind]; taken || w.started.Load() || kind == "" || len(kind) > maxKindLength {
		panic(fmt.Sprintf("queue: kind %q is malformed, taken or late", kind))
	}
	w.handlers[kind] = h
	w.kinds = append(w.kinds, kind)
	slices.Sort(w.kinds)
}

// Kinds returns the kinds that the worker runs, sorted.
func (w *Worker) Kinds() []string { return slices.Clone(w.kinds) }

// Start begins to work in the background until Close. Call it once.
func (w *Worker) Start() {
	if w.started.Swap(true) {
		panic("queue: worker started twice")
	}
	listen(w)
	w.loops.Go(w.claimLoop)
	go func() {
		defer close(w.settled)
		w.settleLoop()
	}()
}

// Wake makes the worker look for jobs now. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Stats returns the counters.
func (w *Worker) Stats() Stats {
	c := &w.count
	return Stats{
		Claimed: c.claimed.Load(), Succeeded: c.succeeded.Load(), Retried: c.retried.Load(), Dead: c.dead.Load(),
		Released: c.released.Load(), Lost: c.lost.Load(), Errors: c.errors.Load(), InFlight: c.inFlight.Load(),
	}
}

// Close stops claiming and waits for the jobs in flight and their outcomes.
// When ctx ends first it cancels the handlers and gives their jobs back; it
// returns an error if a handler does not return even then.
func (w *Worker) Close(ctx context.Context) error {
	w.closing.Do(func() { close(w.stop) })
	if !w.started.Load() {
		return nil
	}
	unlisten(w)
	idle := make(chan struct{})
	go func() {
		w.loops.Wait()
		w.jobs.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		w.cancel(errStopped)
		select {
		case <-idle:
		case <-time.After(stopGrace):
			return fmt.Errorf("queue: %d jobs ignore their context: %w", w.count.inFlight.Load(), ctx.Err())
		}
	}
	w.drained.Do(func() { close(w.results) })
	<-w.settled
	w.cancel(errStopped)
	return nil
}

// claimLoop keeps the slots full while there is work.
func (w *Worker) claimLoop() {
	poll := time.NewTicker(w.options.Poll)
	defer poll.Stop()
	for {
		n := w.takeSlots()
		if n == 0 {
			return
		}
		jobs, more, err := w.claim(w.base, n)
		for range n - len(jobs) {
			<-w.slots
		}
		if err != nil {
			w.count.errors.Add(1)
			if w.base.Err() == nil {
				w.log.Error("queue: cannot claim", "error", err)
			}
		}
		for _, j := range jobs {
			w.begin(j)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-w.stop:
			return
		case <-w.wake:
		case <-poll.C:
		}
	}
}

// takeSlots waits for one free slot and takes all that are free. It returns 0
// when the worker stops.
func (w *Worker) takeSlots() int {
	select {
	case <-w.stop:
		return 0
	default:
	}
	select {
	case <-w.stop:
		return 0
	case w.slots <- struct{}{}:
	}
	for n := 1; ; n++ {
		select {
		case w.slots <- struct{}{}:
		default:
			return n
		}
	}
}

func (w *Worker) begin(j model.QueueJob) {
	w.count.claimed.Add(1)
	w.count.inFlight.Add(1)
	w.jobs.Go(func() {
		o := w.run(j)
		w.results <- o
		w.count.inFlight.Add(-1)
		<-w.slots
	})
}

// run makes one attempt and judges it.
func (w *Worker) run(j model.QueueJob) outcome {
	h := w.handlers[j.Kind]
	if j.Attempt > h.options.MaxAttempts {
		return w.kill(j, errAbandoned)
	}
	err := w.attempt(h, j)
	switch {
	case err == nil:
		return outcome{job: j, verdict: succeeded}
	case errors.Is(context.Cause(w.base), errStopped):
		return outcome{job: j, verdict: released}
	case fault.KindOf(err) == fault.Invalid || j.Attempt >= h.options.MaxAttempts:
		return w.kill(j, err)
	default:
		return outcome{job: j, verdict: failed, err: err, wait: h.options.wait(j.Attempt, err)}
	}
}

func (w *Worker) kill(j model.QueueJob, err error) outcome {
	return outcome{job: j, verdict: killed, err: err}
}
