package httpapi_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/httpapi"
)

func TestLimiter(t *testing.T) {
	newClock := func() *clock.Manual { return clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 1) }

	t.Run("allows the burst, then the rate, each key by itself", func(t *testing.T) {
		c := newClock()
		l := httpapi.NewLimiter(6, 3, c.Now) // one token each ten seconds
		for range 3 {
			require.True(t, l.Allow("a"))
		}
		require.False(t, l.Allow("a"))
		require.True(t, l.Allow("b"))
		c.Advance(9 * time.Second)
		require.False(t, l.Allow("a"))
		c.Advance(time.Second)
		require.True(t, l.Allow("a"))
		require.False(t, l.Allow("a"))
	})
	t.Run("refills up to the burst and no further", func(t *testing.T) {
		c := newClock()
		l := httpapi.NewLimiter(6, 3, c.Now)
		for range 3 {
			require.True(t, l.Allow("a"))
		}
		c.Advance(24 * time.Hour)
		allowed := 0
		for l.Allow("a") {
			allowed++
		}
		require.Equal(t, 3, allowed)
	})
	t.Run("keeps a bounded number of keys, forgetting the one unused for longest", func(t *testing.T) {
		c := newClock()
		l := httpapi.NewLimiter(1, 1, c.Now)
		require.True(t, l.Allow("oldest"))
		require.True(t, l.Allow("busy"))
		const bound = 100_000
		for i := range bound - 2 {
			require.True(t, l.Allow(strconv.Itoa(i)))
		}
		require.False(t, l.Allow("busy"), "it is remembered, and now the newest")
		require.True(t, l.Allow("one more"), "which forgets the oldest")
		require.False(t, l.Allow("busy"))
		require.True(t, l.Allow("oldest"), "it starts anew")
	})
	t.Run("counts exactly under concurrency", func(t *testing.T) {
		c := newClock()
		l := httpapi.NewLimiter(1, 50, c.Now)
		var allowed atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 100 {
					if l.Allow("a") {
						allowed.Add(1)
					}
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 50, allowed.Load())
	})
	t.Run("says when to come back", func(t *testing.T) {
		for perMinute, want := range map[int]time.Duration{1: time.Minute, 20: 3 * time.Second, 600: time.Second} {
			f := fault.As(httpapi.NewLimiter(perMinute, 1, newClock().Now).Refusal())
			require.Equal(t, fault.TooMany, f.Kind)
			require.Equal(t, want, f.RetryAfter)
		}
	})
}

func TestLimitedOperations(t *testing.T) {
	none := noBody[nothing]
	r := newRig(t, "login")
	httpapi.Handle(r.surface, "POST /login", httpapi.Public, "login", "t", "s", none, httpapi.Limited("slow"))
	httpapi.Handle(r.surface, "POST /redeem", httpapi.StaffSession, "redeem", "t", "s", none, httpapi.Limited("people"))
	httpapi.HandleUpload(r.surface, "POST /file", httpapi.Resident, "file", "t", "s", 10,
		func(context.Context, []byte) (string, error) { return "", nil }, httpapi.Limited("people"))
	from := func(address, path, token string) int {
		req := r.request("POST", path, "")
		req.RemoteAddr = address + ":1234"
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		answer := r.do(req)
		if answer.Code == 429 {
			r.problem(answer, 429, "request.too_many")
			require.NotEmpty(t, answer.Header().Get("Retry-After"))
		}
		return answer.Code
	}

	t.Run("an address spends its burst and waits for the refill", func(t *testing.T) {
		require.Equal(t, 204, from("192.0.2.1", "/v1/login", ""))
		require.Equal(t, 204, from("192.0.2.1", "/v1/login", ""))
		require.Equal(t, 429, from("192.0.2.1", "/v1/login", ""))
		require.Equal(t, 204, from("192.0.2.2", "/v1/login", ""), "another address")
		r.clock.Advance(31 * time.Second)
		require.Equal(t, 204, from("192.0.2.1", "/v1/login", ""))
		require.Equal(t, 429, from("192.0.2.1", "/v1/login", ""))
	})
	t.Run("a forged X-Forwarded-For is no other address", func(t *testing.T) {
		req := r.request("POST", "/v1/login", "")
		req.RemoteAddr = "192.0.2.1:1234"
		req.Header.Set("X-Forwarded-For", "198.51.100.9")
		require.Equal(t, 429, r.do(req).Code)
	})
	t.Run("a principal is counted across addresses", func(t *testing.T) {
		for i := range 3 {
			require.Equal(t, 204, from("203.0.113."+strconv.Itoa(i), "/v1/redeem", "clerk"))
		}
		require.Equal(t, 429, from("203.0.113.9", "/v1/redeem", "clerk"))
		require.Equal(t, 204, from("203.0.113.9", "/v1/redeem", "operator"), "somebody else")
	})
	t.Run("an address is counted before anyone is authenticated", func(t *testing.T) {
		for range 3 {
			require.Equal(t, 401, from("198.51.100.1", "/v1/redeem", "guess"))
		}
		require.Equal(t, 429, from("198.51.100.1", "/v1/redeem", "guess"))
	})
	t.Run("uploads are counted too", func(t *testing.T) {
		for range 3 {
			require.Equal(t, 422, from("198.51.100.2", "/v1/file", "resident"))
		}
		require.Equal(t, 429, from("198.51.100.2", "/v1/file", "resident"))
	})
}
