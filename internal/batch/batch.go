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
	MaxWait     time.Duration // how long a run waits at most for those who were just answered to be back: not at all
	QueueLength int           // most items that wait: 4096
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
	cfg Config
	key func(In) string
	run Run[In, Out]
	// What a run works under: no caller may end it for the others.
	base    context.Context //nolint:containedctx // ends with the Combiner
	stop    context.CancelFunc
	closing chan struct{} // closed by Close
	idle    chan struct{} // closed once it is closed and no lane works

	mu       sync.Mutex
	queue    []*call[In, Out]
	busy     map[string]bool // keys of items that are under way
	active   int             // items that are under way
	working  int             // lanes at work
	expected int             // items that are likely to come now: as many as were answered and did not come yet
	company  chan struct{}   // while a lane waits for company: closed when it is there
	closed   bool
	stats    Stats
}

// call is one caller of Do. Its answer never blocks who gives it.
type call[In, Out any] struct {
	ctx    context.Context //nolint:containedctx // of the caller, who waits for the answer
	in     In
	key    string
	answer chan Result[Out]
}

// New returns a Combiner. Items with the same key are never in two runs at
// once and keep their order.
func New[In, Out any](cfg Config, key func(In) string, run Run[In, Out]) *Combiner[In, Out] {
	c := &Combiner[In, Out]{
		cfg: cfg.complete(), key: key, run: run, busy: map[string]bool{},
		closing: make(chan struct{}), idle: make(chan struct{}),
	}
	c.base, c.stop = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
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
	w := &call[In, Out]{ctx: ctx, in: in, key: c.key(in), answer: make(chan Result[Out], 1)}
	if err := c.enqueue(w); err != nil {
		return none, err
	}
	select {
	case r := <-w.answer:
		return r.Value, r.Err
	case <-ctx.Done():
	}
	c.withdraw(w)
	select {
	case r := <-w.answer: // it came at the same moment
		return r.Value, r.Err
	default:
		return none, ctx.Err()
	}
}

func (c *Combiner[In, Out]) enqueue(w *call[In, Out]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if len(c.queue) >= c.cfg.QueueLength {
		c.stats.Full++
		return ErrFull
	}
	c.queue = append(c.queue, w)
	c.expected = max(0, c.expected-1)
	if c.company != nil && c.enough() {
		close(c.company)
		c.company = nil
	}
	c.startLane()
	return nil
}

// startLane starts one more lane if there is something for it. What it may not
// take is left to the lane that has its key.
func (c *Combiner[In, Out]) startLane() {
	free := func(w *call[In, Out]) bool { return !c.busy[w.key] }
	if c.working < c.cfg.Lanes && slices.ContainsFunc(c.queue, free) {
		c.working++
		go c.work()
	}
}

// withdraw takes a call out of the queue, if it still waits there.
func (c *Combiner[In, Out]) withdraw(w *call[In, Out]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.queue, w); i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
		c.stats.Dropped++
	}
}

// work is a lane: it runs batches until there is nothing that it may take.
func (c *Combiner[In, Out]) work() {
	for {
		c.awaitCompany()
		calls := c.next()
		if len(calls) == 0 {
			return
		}
		c.serve(calls)
		// Let those who were just answered ask for the next thing first: else
		// many callers would go in turns of one and all the others.
		runtime.Gosched()
	}
}

// together is how many items are not worth spreading over the lanes: a run
// costs much by itself, and little for each item.
const together = 16

// share is how many items a run takes at most: its lane's part of all who are
// about, so that the lanes' transactions overlap, and so does what the callers
// do with their answers.
func (c *Combiner[In, Out]) share() int {
	about := len(c.queue) + c.active + c.expected
	return min(c.cfg.MaxItems, max(together, (about+c.cfg.Lanes-1)/c.cfg.Lanes))
}

// enough reports whether there is nobody to wait for.
func (c *Combiner[In, Out]) enough() bool {
	return c.expected == 0 || len(c.queue) >= c.share()
}

// awaitCompany waits a little for those who were just answered and are likely
// to come again. Whoever was alone is alone again, and does not wait.
func (c *Combiner[In, Out]) awaitCompany() {
	c.mu.Lock()
	if c.cfg.MaxWait <= 0 || c.closed || len(c.queue) == 0 || c.enough() {
		c.mu.Unlock()
		return
	}
	if c.company == nil {
		c.company = make(chan struct{})
	}
	company := c.company
	c.mu.Unlock()
	timer := time.NewTimer(c.cfg.MaxWait)
	defer timer.Stop()
	select {
	case <-company:
		return
	case <-c.closing:
		return
	case <-timer.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = 0 // they do not come
}

// next takes the next batch; the lane rests when there is none.
func (c *Combiner[In, Out]) next() []*call[In, Out] {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.take(c.share())
	if len(calls) == 0 {
		c.working--
		c.restIfClosed()
		return nil
	}
	c.active += len(calls)
	c.stats.Batches++
	c.stats.Items += int64(len(calls))
	c.startLane()
	return calls
}

// take takes so many calls off the queue, without those whose caller has gone
// and those whose key is under way. Nobody else can take the items of a key
// that it has: those come along whatever their number.
func (c *Combiner[In, Out]) take(most int) (calls []*call[In, Out]) {
	kept, mine := c.queue[:0], map[string]bool{}
	for _, w := range c.queue {
		switch {
		case len(calls) == c.cfg.MaxItems, c.busy[w.key], len(calls) >= most && !mine[w.key]:
			kept = append(kept, w)
		case w.ctx.Err() != nil:
			c.stats.Dropped++
		default:
			calls = append(calls, w)
			mine[w.key] = true
		}
	}
	clear(c.queue[len(kept):])
	c.queue = kept
	for key := range mine {
		c.busy[key] = true
	}
	return calls
}

// done lets others have the keys.
func (c *Combiner[In, Out]) done(calls []*call[In, Out]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range calls {
		delete(c.busy, w.key)
	}
	c.active -= len(calls)
	c.expected += len(calls)
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
		c.done(calls)
		for i, w := range calls {
			w.answer <- results[i]
		}
	case len(calls) > 1 && mayRepeat(err):
		cancel()
		c.oneByOne(calls, err)
		c.done(calls)
	default:
		c.done(calls)
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
	for _, w := range c.queue {
		w.answer <- Result[Out]{Err: ErrClosed}
	}
	c.queue = nil
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
	s.Waiting = int64(len(c.queue))
	return s
}
