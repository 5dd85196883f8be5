// Package batch combines concurrent calls into one: what arrives while a run
// is under way goes together in the next one.
//
// A row that everybody wants carries about one commit at a time, whoever
// waits for it. One transaction for all who wait turns that into one commit
// for as many as there are: see docs/adr/0009-combining.md.
package batch

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
)

// Errors of Do. After either nothing was written for the item.
var (
	// ErrFull: as many items wait as may wait.
	ErrFull = &fault.Error{Kind: fault.Unavailable, Code: "batch.full", Message: "现在人太多了，请稍后再试", RetryAfter: time.Second}
	// ErrClosed: the program is stopping.
	ErrClosed = &fault.Error{Kind: fault.Unavailable, Code: "batch.closed", Message: "系统正在重启，请稍后再试", RetryAfter: time.Second}
)

// Config bounds a Combiner. Zero fields take their defaults.
type Config struct {
	MaxItems    int           // most items of one run: 128
	MaxWait     time.Duration // how long a run waits at most until as many items are there as the one before had: not at all
	QueueLength int           // most items that wait, over all lanes: 4096
	Lanes       int           // runs at once: 2
	RunTimeout  time.Duration // one run at most, and once more for a fallback as a whole: 1 minute
	// OnFallback, if set, is told why a batch of so many items failed that is
	// now run one by one: no caller may ever see that error.
	OnFallback func(err error, items int)
}

func (c Config) complete() Config {
	for _, d := range []struct {
		value *int
		or    int
	}{{&c.MaxItems, 128}, {&c.QueueLength, 4096}, {&c.Lanes, 2}} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if c.RunTimeout <= 0 {
		c.RunTimeout = time.Minute
	}
	return c
}

// Result is what became of one item.
type Result[Out any] struct {
	Value Out
	Err   error // concerns this item alone
}

// Run carries items out, one result for each in the same order. An error means
// that nothing was written for any of them, unless it is
// database.ErrCommitUnknown.
type Run[In, Out any] func(ctx context.Context, items []In) ([]Result[Out], error)

// Combiner combines calls of Do. It keeps no goroutine while nobody calls.
// Safe for concurrent use.
type Combiner[In, Out any] struct {
	cfg  Config
	key  func(In) string
	run  Run[In, Out]
	seed maphash.Seed
	// What a run works under: no caller may end it for the others.
	base    context.Context //nolint:containedctx // ends with the Combiner
	stop    context.CancelFunc
	closing chan struct{} // closed by Close
	idle    chan struct{} // closed once it is closed and no lane works

	mu      sync.Mutex
	lanes   []*lane[In, Out]
	waiting int // items in all queues
	working int // lanes at work
	closed  bool
	stats   Stats
}

// lane is one queue, worked off by one goroutine at a time.
type lane[In, Out any] struct {
	queue   []*call[In, Out]
	working bool
	last    int           // items of the run before
	filled  chan struct{} // while it waits for company: closed when enough are there
}

// call is one caller of Do. Its answer never blocks who gives it.
type call[In, Out any] struct {
	ctx    context.Context //nolint:containedctx // of the caller, who waits for the answer
	in     In
	answer chan Result[Out]
}

// New returns a Combiner. Items with the same key are never in two runs at
// once and keep their order; different keys are spread over the lanes.
func New[In, Out any](cfg Config, key func(In) string, run Run[In, Out]) *Combiner[In, Out] {
	c := &Combiner[In, Out]{
		cfg: cfg.complete(), key: key, run: run, seed: maphash.MakeSeed(),
		closing: make(chan struct{}), idle: make(chan struct{}),
	}
	c.base, c.stop = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	c.lanes = make([]*lane[In, Out], c.cfg.Lanes)
	for i := range c.lanes {
		c.lanes[i] = &lane[In, Out]{}
	}
	return c
}

// Do carries in out, together with what others ask for at the same time, and
// returns its own result. ErrFull and ErrClosed at once. When ctx ends first
// Do returns its error: an item that waited is dropped, one that runs goes on,
// so that whoever repeats it finds it by its idempotency key.
func (c *Combiner[In, Out]) Do(ctx context.Context, in In) (Out, error) {
	var none Out
	if err := ctx.Err(); err != nil {
		return none, err
	}
	w := &call[In, Out]{ctx: ctx, in: in, answer: make(chan Result[Out], 1)}
	l := c.lanes[maphash.String(c.seed, c.key(in))%uint64(len(c.lanes))]
	if err := c.enqueue(l, w); err != nil {
		return none, err
	}
	select {
	case r := <-w.answer:
		return r.Value, r.Err
	case <-ctx.Done():
	}
	c.withdraw(l, w)
	select {
	case r := <-w.answer: // it came at the same moment
		return r.Value, r.Err
	default:
		return none, ctx.Err()
	}
}

func (c *Combiner[In, Out]) enqueue(l *lane[In, Out], w *call[In, Out]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.waiting >= c.cfg.QueueLength {
		c.stats.Full++
		return ErrFull
	}
	c.waiting++
	l.queue = append(l.queue, w)
	if l.filled != nil && len(l.queue) >= c.enough(l) {
		close(l.filled)
		l.filled = nil
	}
	if !l.working {
		l.working = true
		c.working++
		go c.work(l)
	}
	return nil
}

// withdraw takes a call out of the queue, if it still waits there.
func (c *Combiner[In, Out]) withdraw(l *lane[In, Out], w *call[In, Out]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(l.queue, w); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		c.waiting--
		c.stats.Dropped++
	}
}

// work runs the lane until its queue is empty.
func (c *Combiner[In, Out]) work(l *lane[In, Out]) {
	for {
		c.awaitCompany(l)
		calls := c.next(l)
		if len(calls) == 0 {
			return
		}
		c.serve(calls)
		// Let those who were just answered ask for the next thing first: else
		// many callers would go in turns of one and all the others.
		runtime.Gosched()
	}
}

// enough is how many items are worth waiting for: as many as came together the
// last time, since those callers have their answers and will be back. Whoever
// was alone is alone again, and does not wait.
func (c *Combiner[In, Out]) enough(l *lane[In, Out]) int { return min(l.last, c.cfg.MaxItems) }

// awaitCompany waits a little when fewer are there than came together the last
// time: a run costs much by itself, and little for each item.
func (c *Combiner[In, Out]) awaitCompany(l *lane[In, Out]) {
	c.mu.Lock()
	if c.cfg.MaxWait <= 0 || c.closed || len(l.queue) == 0 || len(l.queue) >= c.enough(l) {
		c.mu.Unlock()
		return
	}
	filled := make(chan struct{})
	l.filled = filled
	c.mu.Unlock()
	timer := time.NewTimer(c.cfg.MaxWait)
	defer timer.Stop()
	select {
	case <-filled:
	case <-timer.C:
	case <-c.closing:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l.filled = nil
}

// next takes the next batch off the queue, without those whose caller has
// gone. The lane rests when there is none.
func (c *Combiner[In, Out]) next(l *lane[In, Out]) []*call[In, Out] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var calls []*call[In, Out]
	taken := 0
	for ; taken < len(l.queue) && len(calls) < c.cfg.MaxItems; taken++ {
		if w := l.queue[taken]; w.ctx.Err() == nil {
			calls = append(calls, w)
		}
	}
	l.queue = slices.Delete(l.queue, 0, taken)
	c.waiting -= taken
	c.stats.Dropped += int64(taken - len(calls))
	if len(calls) == 0 {
		l.working = false
		c.working--
		c.restIfClosed()
		return nil
	}
	l.last = len(calls)
	c.stats.Batches++
	c.stats.Items += int64(len(calls))
	return calls
}

// restIfClosed tells Close that nothing works any more.
func (c *Combiner[In, Out]) restIfClosed() {
	if c.closed && c.working == 0 {
		close(c.idle)
	}
}

// serve runs a batch and answers its callers.
func (c *Combiner[In, Out]) serve(calls []*call[In, Out]) {
	items := make([]In, len(calls))
	for i, w := range calls {
		items[i] = w.in
	}
	ctx, cancel := context.WithTimeout(c.base, c.cfg.RunTimeout)
	defer cancel()
	results, err := c.guarded(ctx, items)
	switch {
	case err == nil:
		for i, w := range calls {
			w.answer <- results[i]
		}
	case len(calls) > 1 && mayRepeat(err):
		cancel()
		c.oneByOne(calls, err)
	default:
		for _, w := range calls {
			w.answer <- Result[Out]{Err: err}
		}
	}
}

// oneByOne runs the items of a failed batch each by itself, so that the one
// that spoiled it spoils nothing else. What it does not get to in time is
// refused: nothing was written for it.
func (c *Combiner[In, Out]) oneByOne(calls []*call[In, Out], batchErr error) {
	c.mu.Lock()
	c.stats.Fallbacks++
	c.mu.Unlock()
	if c.cfg.OnFallback != nil {
		c.cfg.OnFallback(batchErr, len(calls))
	}
	ctx, cancel := context.WithTimeout(c.base, c.cfg.RunTimeout)
	defer cancel()
	for _, w := range calls {
		if err := w.ctx.Err(); err != nil {
			w.answer <- Result[Out]{Err: err}
			continue
		}
		if err := ctx.Err(); err != nil {
			w.answer <- Result[Out]{Err: database.ErrBusy.WithCause(errors.Join(err, batchErr))}
			continue
		}
		results, err := c.guarded(ctx, []In{w.in})
		if err != nil {
			w.answer <- Result[Out]{Err: err}
			continue
		}
		w.answer <- results[0]
	}
}

// errMiscounted is a defect of run, which may have written: nothing is run
// again after it.
var errMiscounted = errors.New("batch: the run did not answer every item")

// mayRepeat reports whether the failed batch wrote nothing for sure.
func mayRepeat(err error) bool {
	return !errors.Is(err, database.ErrCommitUnknown) && !errors.Is(err, errMiscounted)
}

// guarded turns a panic of run into an error. Both transactions and their
// closures give up what they wrote when they panic.
func (c *Combiner[In, Out]) guarded(ctx context.Context, items []In) (results []Result[Out], err error) {
	defer func() {
		if v := recover(); v != nil {
			results, err = nil, fmt.Errorf("batch: panic: %v\n%s", v, debug.Stack())
		}
	}()
	results, err = c.run(ctx, items)
	if err == nil && len(results) != len(items) {
		return nil, errMiscounted
	}
	return results, err
}

// Close refuses new items and waits until those that it has are done. When
// ctx ends first it refuses what still waits, ends what runs, and returns the
// error of ctx.
func (c *Combiner[In, Out]) Close(ctx context.Context) error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.closing)
		c.restIfClosed()
	}
	c.mu.Unlock()
	select {
	case <-c.idle:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working == 0 {
		c.stop()
		return nil
	}
	for _, l := range c.lanes {
		for _, w := range l.queue {
			w.answer <- Result[Out]{Err: ErrClosed}
		}
		c.waiting -= len(l.queue)
		l.queue = nil
	}
	c.stop()
	return fmt.Errorf("batch: items were still under way: %w", ctx.Err())
}

// Stats counts what a Combiner did since it was made.
type Stats struct {
	Batches   int64 // runs of whole batches
	Items     int64 // in those
	Fallbacks int64 // batches that failed and were run again one by one
	Full      int64 // items refused since the queue was full
	Dropped   int64 // items whose caller went before their batch began
	Waiting   int64 // items that wait now
}

// Stats returns the counts.
func (c *Combiner[In, Out]) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Waiting = int64(c.waiting)
	return s
}
