package identity_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/wechat"
	"jiamenkou/service/identity"
)

func TestLoginResident(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		t.Run("registers at the first login and knows the person after", func(t *testing.T) {
			one, err := f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("wang")})
			require.NoError(t, err)
			require.True(t, one.New)
			two, err := f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("wang")})
			require.NoError(t, err)
			require.False(t, two.New)
			require.Equal(t, one.PrincipalID, two.PrincipalID)
			require.NotEqual(t, one.SessionID, two.SessionID)
		})
		t.Run("makes one resident of two first logins at once", func(t *testing.T) {
			var wg sync.WaitGroup
			ids := make([]string, 8)
			for i := range ids {
				code := f.Sim.LoginCode("twin")
				wg.Go(func() {
					s, err := f.LoginResident(ctx, identity.ResidentLogin{Code: code})
					if err == nil {
						ids[i] = s.PrincipalID
					}
				})
			}
			wg.Wait()
			for _, id := range ids {
				require.Equal(t, ids[0], id)
				require.NotEmpty(t, id)
			}
		})
		t.Run("refuses codes that are used or not codes", func(t *testing.T) {
			code := f.Sim.LoginCode("wang")
			_, err := f.LoginResident(ctx, identity.ResidentLogin{Code: code})
			require.NoError(t, err)
			_, err = f.LoginResident(ctx, identity.ResidentLogin{Code: code})
			require.ErrorIs(t, err, wechat.ErrCodeUsed)
			_, err = f.LoginResident(ctx, identity.ResidentLogin{Code: "abc&appid=evil"})
			require.ErrorIs(t, err, wechat.ErrCodeInvalid)
		})
		t.Run("wants a guardian for who may be under 14", func(t *testing.T) {
			before := f.Count(t, "SELECT COUNT(*) FROM resident")
			_, err := f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("kid"), BirthYear: 2012})
			require.ErrorIs(t, err, identity.ErrGuardian)
			require.Equal(t, before, f.Count(t, "SELECT COUNT(*) FROM resident"), "nothing is stored")
			s, err := f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("kid"), BirthYear: 2012, GuardianConsents: true})
			require.NoError(t, err)
			p, err := f.GetProfile(ctx, f.Actor(t, s.Tokens))
			require.NoError(t, err)
			require.Equal(t, 2012, p.BirthYear)
			_, err = f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("kid")})
			require.NoError(t, err, "the consent is on record")
			_, err = f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("teen"), BirthYear: 2011})
			require.NoError(t, err)
			_, err = f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("x"), BirthYear: 2027})
			requireCode(t, err, "identity.invalid")
		})
	})
}

func TestAuthenticate(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		actor, tokens := f.Resident(t, "wang")
		require.Equal(t, authz.KindResident, actor.Kind)

		t.Run("refuses an expired token, and says so", func(t *testing.T) {
			f.Clock.Advance(16 * time.Minute)
			_, err := f.Authenticate(ctx, tokens.AccessToken)
			require.ErrorIs(t, err, identity.ErrTokenExpired)
			f.Clock.Advance(-16 * time.Minute)
		})
		good := jwt.MapClaims{}
		_, _, err := jwt.NewParser().ParseUnverified(tokens.AccessToken, good)
		require.NoError(t, err)
		forge := func(method jwt.SigningMethod, key any, change ...any) string {
			claims := jwt.MapClaims{}
			maps.Copy(claims, good)
			for i := 0; i < len(change); i += 2 {
				if claims[change[i].(string)] = change[i+1]; change[i+1] == nil {
					delete(claims, change[i].(string))
				}
			}
			token, err := jwt.NewWithClaims(method, claims).SignedString(key)
			require.NoError(t, err)
			return token
		}
		key := identity.AccessKey(f.Service)
		_, err = f.Authenticate(ctx, forge(jwt.SigningMethodHS256, key))
		require.NoError(t, err, "the forge itself works")
		other, _ := f.Resident(t, "other")
		parts := strings.Split(tokens.AccessToken, ".")
		for name, token := range map[string]string{
			"alg none":                  forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
			"another algorithm":         forge(jwt.SigningMethodHS512, key),
			"another key":               forge(jwt.SigningMethodHS256, []byte(secret)),
			"another audience":          forge(jwt.SigningMethodHS256, key, "aud", "elsewhere"),
			"no audience":               forge(jwt.SigningMethodHS256, key, "aud", nil),
			"another issuer":            forge(jwt.SigningMethodHS256, key, "iss", "elsewhere"),
			"no expiry":                 forge(jwt.SigningMethodHS256, key, "exp", nil),
			"another kind":              forge(jwt.SigningMethodHS256, key, "kind", "staff"),
			"the system":                forge(jwt.SigningMethodHS256, key, "kind", "system"),
			"another person's name":     forge(jwt.SigningMethodHS256, key, "sub", other.ID),
			"another person's session":  forge(jwt.SigningMethodHS256, key, "sid", other.SessionID),
			"no session":                forge(jwt.SigningMethodHS256, key, "sid", nil),
			"a session that is not":     forge(jwt.SigningMethodHS256, key, "sid", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
			"expired, another audience": forge(jwt.SigningMethodHS256, key, "exp", 1, "aud", "elsewhere"),
			"a changed payload":         parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"kind":"staff"}`)) + "." + parts[2],
			"no signature":              parts[0] + "." + parts[1] + ".",
			"nothing":                   "",
			"far too much":              strings.Repeat("a", 1<<20),
		} {
			t.Run("refuses "+name, func(t *testing.T) {
				got, err := f.Authenticate(ctx, token)
				require.ErrorIs(t, err, identity.ErrTokenInvalid)
				require.Zero(t, got)
			})
		}
		t.Run("honours a logout at once here, and within seconds elsewhere", func(t *testing.T) {
			elsewhere := f.Another(t)
			_, err := elsewhere.Authenticate(ctx, tokens.AccessToken)
			require.NoError(t, err)
			require.NoError(t, f.Logout(ctx, actor))
			require.NoError(t, f.Logout(ctx, actor), "once is as good as twice")
			_, err = f.Authenticate(ctx, tokens.AccessToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked)
			f.Clock.Advance(3 * time.Second)
			_, err = elsewhere.Authenticate(ctx, tokens.AccessToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked)
			_, err = f.Refresh(ctx, authz.KindResident, tokens.RefreshToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked)
		})
		t.Run("ends every session at once", func(t *testing.T) {
			one, tokensOne := f.Resident(t, "wang")
			_, tokensTwo := f.Resident(t, "wang")
			require.NoError(t, f.LogoutEverywhere(ctx, one))
			for _, tk := range []identity.Tokens{tokensOne, tokensTwo} {
				_, err := f.Authenticate(ctx, tk.AccessToken)
				require.ErrorIs(t, err, identity.ErrSessionRevoked)
			}
			_, err := f.Authenticate(ctx, forge(jwt.SigningMethodHS256, key, "sub", other.ID, "sid", other.SessionID))
			require.NoError(t, err, "other people stay")
		})
		t.Run("needs a session to end", func(t *testing.T) {
			require.ErrorIs(t, f.Logout(ctx, authz.Actor{}), authz.ErrAnonymous)
			require.ErrorIs(t, f.LogoutEverywhere(ctx, authz.Actor{}), authz.ErrAnonymous)
		})
	})
}

func TestRefresh(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		refresh := func(token string) (identity.Tokens, error) { return f.Refresh(ctx, authz.KindResident, token) }

		t.Run("rotates within one session", func(t *testing.T) {
			_, first := f.Resident(t, "rotate")
			second, err := refresh(first.RefreshToken)
			require.NoError(t, err)
			require.NotEqual(t, first.RefreshToken, second.RefreshToken)
			require.Equal(t, first.SessionID, second.SessionID)
			third, err := refresh(second.RefreshToken)
			require.NoError(t, err)
			f.Actor(t, third)
		})
		t.Run("revokes the whole family when an old token comes again", func(t *testing.T) {
			_, first := f.Resident(t, "thief")
			second, err := refresh(first.RefreshToken)
			require.NoError(t, err)
			f.Actor(t, second)
			f.Clock.Advance(11 * time.Second)
			_, err = refresh(first.RefreshToken)
			require.ErrorIs(t, err, identity.ErrRefreshReused)
			_, err = refresh(second.RefreshToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked)
			_, err = f.Authenticate(ctx, second.AccessToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked)
		})
		t.Run("gives the same successor again within the grace", func(t *testing.T) {
			_, first := f.Resident(t, "lost")
			second, err := refresh(first.RefreshToken)
			require.NoError(t, err)
			f.Clock.Advance(9 * time.Second)
			again, err := refresh(first.RefreshToken)
			require.NoError(t, err)
			require.Equal(t, second.RefreshToken, again.RefreshToken)
			require.Equal(t, second.RefreshExpiresAt, again.RefreshExpiresAt)
		})
		t.Run("has no grace once the successor was used", func(t *testing.T) {
			_, first := f.Resident(t, "late")
			second, err := refresh(first.RefreshToken)
			require.NoError(t, err)
			_, err = refresh(second.RefreshToken)
			require.NoError(t, err)
			_, err = refresh(first.RefreshToken)
			require.ErrorIs(t, err, identity.ErrRefreshReused)
		})
		t.Run("keeps one living token however many race", func(t *testing.T) {
			_, first := f.Resident(t, "race")
			var (
				wg  sync.WaitGroup
				mu  sync.Mutex
				got = map[string]int{}
			)
			for range 12 {
				wg.Go(func() {
					tokens, err := refresh(first.RefreshToken)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						got[tokens.RefreshToken]++
					} else {
						got[err.Error()]++
					}
				})
			}
			wg.Wait()
			require.Len(t, got, 1, "%v", got)
			require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM refresh_token WHERE session_id = ? AND used_at IS NULL", first.SessionID))
			for token := range got {
				_, err := refresh(token)
				require.NoError(t, err)
			}
		})
		t.Run("refuses what is unknown, malformed, expired or of another kind", func(t *testing.T) {
			_, first := f.Resident(t, "expired")
			_, err := f.Refresh(ctx, authz.KindStaff, first.RefreshToken)
			require.ErrorIs(t, err, identity.ErrRefreshInvalid)
			for _, token := range []string{"", "x", first.AccessToken, first.RefreshToken + "A", strings.Repeat("A", 43)} {
				_, err := refresh(token)
				require.ErrorIs(t, err, identity.ErrRefreshInvalid)
			}
			f.Clock.Advance(30 * 24 * time.Hour)
			_, err = refresh(first.RefreshToken)
			require.ErrorIs(t, err, identity.ErrRefreshInvalid)
		})
		t.Run("stores no token", func(t *testing.T) {
			_, first := f.Resident(t, "stored")
			require.Zero(t, f.Count(t, "SELECT COUNT(*) FROM refresh_token WHERE hash = ?", first.RefreshToken))
		})
	})
}

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		t.Run("a further login ends the one unused for longest", func(t *testing.T) {
			_, oldest := f.Resident(t, "many")
			f.Clock.Advance(time.Second)
			_, second := f.Resident(t, "many")
			f.Clock.Advance(time.Second)
			_, third := f.Resident(t, "many")
			_, err := f.Authenticate(ctx, third.AccessToken)
			require.NoError(t, err)
			f.Clock.Advance(4 * time.Second) // past the cache
			_, err = f.Authenticate(ctx, oldest.AccessToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked)
			_, err = f.Authenticate(ctx, second.AccessToken)
			require.NoError(t, err)
		})
		t.Run("purging leaves what can still be used", func(t *testing.T) {
			_, old := f.Resident(t, "purged")
			f.Clock.Advance(31 * 24 * time.Hour)
			_, fresh := f.Resident(t, "purged")
			_, err := f.PurgeSessions(ctx, f.Operator, 10)
			require.ErrorIs(t, err, authz.ErrForbidden)
			n, err := f.PurgeSessions(ctx, system, 1)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			for n == 1 {
				n, err = f.PurgeSessions(ctx, system, 1)
				require.NoError(t, err)
			}
			require.Zero(t, f.Count(t, "SELECT COUNT(*) FROM session WHERE id = ?", old.SessionID))
			_, err = f.Refresh(ctx, authz.KindResident, fresh.RefreshToken)
			require.NoError(t, err)
		})
	}, func(c *identity.Config) { c.MaxSessions = 2 })
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*identity.Config){
		"a short secret":           func(c *identity.Config) { c.JWTSecret = "short" },
		"refresh shorter":          func(c *identity.Config) { c.RefreshTTL = time.Minute },
		"a negative limit":         func(c *identity.Config) { c.MaxSessions = -1 },
		"an absurd argon2 cost":    func(c *identity.Config) { c.Argon2.MemoryKiB = 1 << 30 },
		"an access ttl of nothing": func(c *identity.Config) { c.AccessTTL = time.Millisecond },
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			cfg := config()
			change(&cfg)
			_, err := identity.New(nil, nil, nil, nil, cfg)
			require.Error(t, err)
			require.NotContains(t, err.Error(), cfg.JWTSecret)
		})
	}
	require.NotContains(t, config().String()+config().GoString()+config().LogValue().String(), secret)
}

var errOutage = errors.New("outage with openid-of-somebody")
