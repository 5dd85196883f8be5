package identity

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
)

func maker() tokenMaker {
	return tokenMaker{
		accessKey: []byte(strings.Repeat("k", 32)), refreshKey: []byte(strings.Repeat("r", 32)), issuer: "i", audience: "a",
		ttl: time.Hour, now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	}
}

// FuzzParseToken: nothing but a token that we signed is ever accepted, and
// every refusal is a typed one.
func FuzzParseToken(f *testing.F) {
	m := maker()
	good, _, err := m.access(authz.KindStaff, "p", "s")
	require.NoError(f, err)
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOiJwIn0.")
	f.Add("")
	f.Add("..")
	f.Add(good + ".x")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := m.parse(token)
		if err == nil {
			require.Equal(t, "p", claims.Subject)
			require.Equal(t, good, token)
			return
		}
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
		require.Zero(t, claims)
	})
}

func FuzzRefreshHash(f *testing.F) {
	token, err := newRefresh()
	require.NoError(f, err)
	f.Add(token)
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		hash, ok := refreshHash(token)
		require.Equal(t, ok, len(hash) == 64)
		if ok {
			require.Len(t, token, 43)
		}
	})
}

func FuzzParseHash(f *testing.F) {
	p, err := newPasswords(Config{Argon2: Argon2{MemoryKiB: 8, Time: 1, Threads: 1}, MaxParallelHashes: 1, HashWait: time.Second})
	require.NoError(f, err)
	f.Add(p.dummy)
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AA")
	f.Fuzz(func(t *testing.T, encoded string) {
		if cost, salt, sum, err := parseHash(encoded); err == nil {
			require.True(t, cost.within())
			require.NotEmpty(t, salt)
			require.Len(t, sum, hashBytes)
		}
	})
}

func TestHashQueue(t *testing.T) {
	p, err := newPasswords(Config{Argon2: Argon2{MemoryKiB: 8, Time: 1, Threads: 1}, MaxParallelHashes: 1, HashWait: time.Millisecond})
	require.NoError(t, err)
	leave, err := p.enter(t.Context())
	require.NoError(t, err)
	_, err = p.hash(t.Context(), "x")
	require.ErrorIs(t, err, ErrBusy)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.wait = time.Minute
	_, _, err = p.verify(ctx, p.dummy, "x")
	require.ErrorIs(t, err, context.Canceled)
	leave()
	_, _, err = p.verify(t.Context(), "nonsense", "x")
	require.Error(t, err)
	ok, current, err := p.verify(t.Context(), p.dummy, "x")
	require.NoError(t, err)
	require.False(t, ok)
	require.True(t, current)
}

func TestActorCache(t *testing.T) {
	now := time.Unix(0, 0)
	c := newActorCache(time.Second, 2)
	never := now.Add(time.Hour)
	put := func(token string) {
		_, _, generation := c.get(token, now)
		c.put(generation, token, authz.Actor{ID: "p" + token}, never, now)
	}
	has := func(token string) bool { _, ok, _ := c.get(token, now); return ok }
	put("1")
	put("2")
	put("3")
	require.False(t, has("1"), "bounded")
	require.True(t, has("2"))
	_, _, before := c.get("4", now)
	c.purge("p2")
	require.False(t, has("2"))
	require.True(t, has("3"))
	c.put(before, "4", authz.Actor{ID: "p4"}, never, now)
	require.False(t, has("4"), "what was read before a purge is not kept")
	now = now.Add(time.Second)
	require.False(t, has("3"), "ends")
	_, _, generation := c.get("5", now)
	c.put(generation, "5", authz.Actor{ID: "p5"}, now.Add(time.Millisecond), now)
	require.True(t, has("5"))
	now = now.Add(time.Millisecond)
	require.False(t, has("5"), "a token that has expired is not known any longer")
	off := newActorCache(-1, 2)
	off.put(0, "1", authz.Actor{}, never, now)
	_, ok, _ := off.get("1", now)
	require.False(t, ok)
}

func TestErrorsHaveDistinctCodes(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range []*fault.Error{
		ErrTokenInvalid, ErrTokenExpired, ErrSessionRevoked, ErrRefreshInvalid, ErrRefreshReused, ErrAccountFrozen, ErrStaffDisabled,
		ErrBadCredentials, ErrStaffNotBound, ErrGuardian, ErrBusy, ErrWrongPassword, ErrWeChatTaken, ErrNicknameRefused, ErrPhoneTaken, ErrPhoneInvalid,
		ErrIDNumberTaken, ErrRealNameFixed, ErrResidentTaken, ErrUsernameTaken, ErrGrantExists, ErrTooManyGrants, ErrSelf, ErrBadMove,
		ErrStaffNotFound, ErrGrantNotFound, ErrResidentUnknown, ErrRegionUnknown, ErrRegionTooHigh, ErrBatchTooLarge,
	} {
		require.True(t, strings.HasPrefix(e.Code, "identity."), e.Code)
		require.False(t, seen[e.Code], e.Code)
		require.NotEmpty(t, e.Message)
		seen[e.Code] = true
	}
}
