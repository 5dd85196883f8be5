package httpapi

import (
	"container/list"
	"reflect"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"jiamenkou/internal/fault"
)

// maxLimiterKeys bounds a limiter's memory; the key unused for longest is
// forgotten first.
const maxLimiterKeys = 100_000

// Limiter is a token bucket per key (a principal or an address). It lives in
// this process: with n copies behind a balancer a key may spend up to n times
// the rate, which is enough to blunt guessing and flooding.
type Limiter struct {
	perMinute int
	burst     int
	now       func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element
	recent  *list.List // of *bucket, most recently used first
}

type bucket struct {
	key string
	lim *rate.Limiter
}

// NewLimiter allows perMinute calls a minute and key, and burst at once.
func NewLimiter(perMinute, burst int, now func() time.Time) *Limiter {
	return &Limiter{perMinute: perMinute, burst: burst, now: now, buckets: map[string]*list.Element{}, recent: list.New()}
}

// Allow takes one token of key.
func (l *Limiter) Allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.buckets[key]
	if !ok {
		if l.recent.Len() >= maxLimiterKeys {
			oldest := l.recent.Back()
			delete(l.buckets, oldest.Value.(*bucket).key) //nolint:forcetypeassert // it holds nothing else
			l.recent.Remove(oldest)
		}
		e = l.recent.PushFront(&bucket{key: key, lim: rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.burst)})
		l.buckets[key] = e
	}
	l.recent.MoveToFront(e)
	return e.Value.(*bucket).lim.AllowN(l.now(), 1) //nolint:forcetypeassert // as above
}

// Refusal is the error for a key that has used its tokens up.
func (l *Limiter) Refusal() error {
	e := fault.New(fault.TooMany, "request.too_many", "操作太频繁，请稍等片刻再试")
	e.RetryAfter = time.Minute / time.Duration(max(1, l.perMinute))
	e.RetryAfter = max(e.RetryAfter, time.Second)
	return e
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
