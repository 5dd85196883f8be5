package miniprogram_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/httpapi"
	"jiamenkou/miniprogram-api"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/identity/identitytest"
)

// identitySurface is the surface with identity behind it, and what a test adds.
type identitySurface struct {
	*identitytest.Fixture
	router *gin.Engine
	log    *strings.Builder
}

func newIdentitySurface(t *testing.T, f *identitytest.Fixture, perMinute int) *identitySurface {
	t.Helper()
	return mountIdentity(t, f, miniprogram.Services{}, perMinute)
}

func mountIdentity(t *testing.T, f *identitytest.Fixture, more miniprogram.Services, perMinute int) *identitySurface {
	t.Helper()
	more.Identity = f.Service
	gin.SetMode(gin.ReleaseMode)
	s := &identitySurface{Fixture: f, router: gin.New(), log: &strings.Builder{}}
	s.router.Use(httpapi.Requests(f.Clock, slog.New(slog.NewJSONHandler(s.log, nil))))
	miniprogram.Mount(s.router, more, httpapi.SurfaceConfig{
		Authenticator: f.Service, MaxBodyBytes: 1 << 16,
		Limiters: limiters(f.Clock.Now, perMinute),
	})
	return s
}

// call sends a JSON request and returns the status and the decoded answer.
func (s *identitySurface) call(t *testing.T, token, method, path, body string) (int, map[string]any) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, miniprogram.Prefix+path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	s.router.ServeHTTP(rec, req)
	raw, err := io.ReadAll(rec.Body)
	require.NoError(t, err)
	answer := map[string]any{}
	if len(raw) > 0 {
		require.NoError(t, json.Unmarshal(raw, &answer), "%s", raw)
	}
	return rec.Code, answer
}

func (s *identitySurface) ok(t *testing.T, token, method, path, body string) map[string]any {
	t.Helper()
	status, answer := s.call(t, token, method, path, body)
	require.Less(t, status, 300, "%s %s: %v", method, path, answer)
	return answer
}

func (s *identitySurface) fails(t *testing.T, status int, code, token, method, path, body string) {
	t.Helper()
	got, answer := s.call(t, token, method, path, body)
	require.Equal(t, code, answer["code"], "%v", answer)
	require.Equal(t, status, got)
}

func (s *identitySurface) resident(t *testing.T, name string) (token, refresh string) {
	t.Helper()
	answer := s.ok(t, "", http.MethodPost, "/auth/login", `{"code":"`+s.Sim.LoginCode(name)+`"}`)
	tokens := answer["tokens"].(map[string]any)
	return tokens["access_token"].(string), tokens["refresh_token"].(string)
}

func TestIdentityGuards(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 600)
		staff, err := f.LoginStaff(t.Context(), "root", identitytest.Password)
		require.NoError(t, err)
		for _, route := range []string{
			"POST /auth/logout", "POST /auth/logout-everywhere", "GET /profile", "PATCH /profile", "DELETE /profile", "GET /profile/export",
			"PUT /profile/phone", "PUT /profile/home-region", "PUT /profile/real-name", "GET /consents", "PUT /consents/location", "DELETE /consents/location",
		} {
			method, path, _ := strings.Cut(route, " ")
			s.fails(t, 401, "auth.required", "", method, path, "")
			s.fails(t, 401, "identity.token_invalid", "nonsense", method, path, "")
			s.fails(t, 403, "auth.forbidden", staff.AccessToken, method, path, "")
		}
		s.fails(t, 401, "identity.refresh_invalid", "", http.MethodPost, "/auth/refresh", `{"refresh_token":"`+staff.RefreshToken+`"}`)
	})
}

func TestResidentJourney(t *testing.T) {
	const phone, name = "13812345678", "欧阳小明"
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 600)
		first := s.ok(t, "", http.MethodPost, "/auth/login", `{"code":"`+f.Sim.LoginCode("wang")+`"}`)
		require.Equal(t, true, first["new"])
		tokens := first["tokens"].(map[string]any)
		require.Contains(t, tokens["access_expires_at"], "+08:00")
		token := tokens["access_token"].(string)
		s.fails(t, 403, "identity.guardian_required", "", http.MethodPost, "/auth/login",
			`{"code":"`+f.Sim.LoginCode("kid")+`","birth_year":2020}`)
		s.fails(t, 422, "wechat.code_invalid", "", http.MethodPost, "/auth/login", `{"code":"x"}`)

		require.Equal(t, "138****5678", s.ok(t, token, http.MethodPut, "/profile/phone", `{"code":"`+f.Sim.PhoneCode(phone)+`"}`)["masked_phone"])
		require.Equal(t, f.EastVillage.Path, s.ok(t, token, http.MethodPut, "/profile/home-region", `{"region_id":"`+f.EastVillage.ID+`"}`)["path"])
		s.fails(t, 422, "identity.region_too_high", token, http.MethodPut, "/profile/home-region", `{"region_id":"`+f.County.ID+`"}`)
		s.ok(t, token, http.MethodPatch, "/profile", `{"nickname":"老王"}`)
		s.ok(t, token, http.MethodPut, "/profile/real-name", `{"real_name":"`+name+`"}`)
		profile := s.ok(t, token, http.MethodGet, "/profile", "")
		require.Equal(t, "欧**", profile["masked_name"])
		require.Equal(t, "老王", profile["nickname"])
		require.Equal(t, f.EastVillage.ID, profile["home_region"].(map[string]any)["id"])

		s.ok(t, token, http.MethodPut, "/consents/leaderboard", `{"version":"2026-01"}`)
		consents := s.ok(t, token, http.MethodGet, "/consents", "")["items"].([]any)
		require.Len(t, consents, len(model.ConsentPurposes()))
		require.Equal(t, true, consents[3].(map[string]any)["granted"])
		s.ok(t, token, http.MethodDelete, "/consents/leaderboard", "")
		s.fails(t, 422, "request.invalid", token, http.MethodPut, "/consents/everything", `{"version":"1"}`)

		export := s.ok(t, token, http.MethodGet, "/profile/export", "")
		require.Equal(t, phone, export["phone"])
		require.Equal(t, name, export["real_name"])
		require.Len(t, export["consents"], 2)

		next := s.ok(t, "", http.MethodPost, "/auth/refresh", `{"refresh_token":"`+tokens["refresh_token"].(string)+`"}`)
		s.ok(t, next["access_token"].(string), http.MethodPost, "/auth/logout", "")
		s.fails(t, 401, "identity.session_revoked", token, http.MethodGet, "/profile", "")
		again, refresh := s.resident(t, "wang")
		s.ok(t, again, http.MethodPost, "/auth/logout-everywhere", "")
		s.fails(t, 401, "identity.session_revoked", "", http.MethodPost, "/auth/refresh", `{"refresh_token":"`+refresh+`"}`)
		again, _ = s.resident(t, "wang")
		s.ok(t, again, http.MethodDelete, "/profile", "")
		s.fails(t, 401, "identity.session_revoked", again, http.MethodGet, "/profile", "")

		for _, secret := range []string{phone, name, "老王", token, refresh} {
			require.NotContains(t, s.log.String(), secret)
		}
	})
}

func TestFrozenResident(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 600)
		token, _ := s.resident(t, "wang")
		actor := f.Actor(t, identity.Tokens{AccessToken: token})
		require.NoError(t, f.FreezeResident(t.Context(), f.Operator, actor.ID, identitytest.Reason))
		s.fails(t, 403, "identity.account_frozen", token, http.MethodGet, "/profile", "")
	})
}

func TestLoginIsLimited(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 3)
		for range 3 {
			s.fails(t, 422, "wechat.code_invalid", "", http.MethodPost, "/auth/login", `{"code":"x"}`)
		}
		s.fails(t, 429, "request.too_many", "", http.MethodPost, "/auth/login", `{"code":"x"}`)
		s.fails(t, 429, "request.too_many", "", http.MethodPost, "/auth/refresh", `{"refresh_token":"x"}`)
	})
}

// limiters has every limiter that a route names; other slices bring their own.
func limiters(now func() time.Time, perMinute int) map[string]*httpapi.Limiter {
	out := map[string]*httpapi.Limiter{}
	for _, name := range []string{"login", "redemption", "verify", "takeout"} {
		out[name] = httpapi.NewLimiter(perMinute, perMinute, now)
	}
	return out
}
