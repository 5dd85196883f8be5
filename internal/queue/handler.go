package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// Options of one kind of job; the zero value takes the defaults.
type Options struct {
	MaxAttempts int           // attempts before the job is dead; default 10
	Backoff     Backoff       // wait between two attempts
	Timeout     time.Duration // one attempt, at most; default 30 s
}

// Backoff doubles from First to Max; half of each wait is drawn at random, so
// that jobs which failed together do not return together.
type Backoff struct {
	First time.Duration // default 5 s
	Max   time.Duration // default 15 min
}

func (o Options) withDefaults() Options {
	if o.MaxAttempts <= 0 {
		o.MaxAttempts = 10
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Backoff.First <= 0 {
		o.Backoff.First = 5 * time.Second
	}
	if o.Backoff.Max <= 0 {
		o.Backoff.Max = 15 * time.Minute
	}
	return o
}

// after returns the wait after the given attempt (from 1) has failed.
func (b Backoff) after(attempt int) time.Duration {
	d := b.First
	for i := 1; i < attempt && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter, not a secret
}

// wait is Backoff, or longer if the error says when to come back.
func (o Options) wait(attempt int, err error) time.Duration {
	d := o.Backoff.after(attempt)
	if f := fault.As(err); f != nil && f.RetryAfter > d {
		return min(f.RetryAfter, o.Backoff.Max)
	}
	return d
}

type handler struct {
	options Options
	run     func(ctx context.Context, payload []byte) error
}

// Register makes w run jobs of this kind with fn, to which it gives the
// decoded payload. An error is retried after a wait, except a fault of kind
// Invalid and a payload that does not decode: those kill the job at once. It
// panics if the kind is taken or w was started: both are defects.
func Register[T any](w *Worker, kind string, fn func(ctx context.Context, payload T) error, options Options) {
	w.register(kind, handler{options: options.withDefaults(), run: func(ctx context.Context, raw []byte) error {
		var payload T
		if err := json.Unmarshal(raw, &payload); err != nil {
			return errPayload.WithCause(err)
		}
		return fn(ctx, payload)
	}})
}

var (
	errPayload   = fault.New(fault.Invalid, "queue.bad_payload", "任务内容无法读取")
	errAbandoned = errors.New("the last attempt was never finished: its worker vanished")
	errStopped   = errors.New("queue: the worker is stopping")
)

// Running describes the job that a handler runs.
type Running struct {
	ID      string // stays the same in every attempt: an idempotency key
	Kind    string
	Attempt int // from 1
	Last    bool
}

type runningKey struct{}

// Current returns the job that ctx belongs to; the zero Running outside one.
func Current(ctx context.Context) Running {
	r, _ := ctx.Value(runningKey{}).(Running)
	return r
}

// attempt runs the handler once, within its time-out, and turns a panic into
// an error.
func (w *Worker) attempt(h handler, j model.QueueJob) (err error) {
	ctx, cancel := context.WithTimeout(w.base, h.options.Timeout)
	defer cancel()
	ctx = context.WithValue(ctx, runningKey{}, Running{
		ID: j.ID, Kind: j.Kind, Attempt: j.Attempt, Last: j.Attempt >= h.options.MaxAttempts,
	})
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("queue: handler of %s panicked: %v", j.Kind, r)
			w.log.Error("queue: panic", "kind", j.Kind, "job", j.ID, "panic", lastError(err), "stack", string(debug.Stack()))
		}
	}()
	return h.run(ctx, []byte(j.Payload))
}
