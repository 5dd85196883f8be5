package api_test

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

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/lookup"
)

// identitySurface is the surface with nothing behind it but identity.
type identitySurface struct {
	*identitytest.Fixture
	router *gin.Engine
	log    *strings.Builder
}

func newIdentitySurface(t *testing.T, f *identitytest.Fixture, perMinute int) *identitySurface {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	s := &identitySurface{Fixture: f, router: gin.New(), log: &strings.Builder{}}
	s.router.Use(httpapi.Requests(f.Clock, slog.New(slog.NewJSONHandler(s.log, nil))))
	api.Mount(s.router, api.Services{Identity: f.Service, Lookup: lookup.New(lookup.Parts{Identity: f.Service})}, httpapi.SurfaceConfig{
		Authenticator: f.Service, MaxBodyBytes: 1 << 16,
		Limiters: limiters(f.Clock.Now, perMinute),
	})
	return s
}

// call sends a JSON request and returns the status and the decoded answer.
func (s *identitySurface) call(t *testing.T, token, method, path, body string) (int, map[string]any) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, api.Prefix+path, strings.NewReader(body))
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

func (s *identitySurface) login(t *testing.T, username string) string {
	t.Helper()
	return s.ok(t, "", http.MethodPost, "/auth/login", `{"username":"`+username+`","password":"`+identitytest.Password+`"}`)["access_token"].(string)
}

const someID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

func TestIdentityGuards(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 600)
		_, tokens := f.Resident(t, "wang")
		f.Staff(t, "worker", authz.RoleGridWorker, f.EastVillage.ID)
		worker := s.login(t, "worker")
		for _, route := range []string{
			"POST /auth/logout", "POST /auth/logout-everywhere", "GET /auth/self", "PUT /auth/password", "PUT /auth/wechat", "DELETE /auth/wechat",
		} {
			method, path, _ := strings.Cut(route, " ")
			s.fails(t, 401, "auth.required", "", method, path, "")
			s.fails(t, 403, "auth.forbidden", tokens.AccessToken, method, path, "")
		}
		for _, route := range []string{
			"GET /staff", "GET /staff/" + someID, "POST /staff", "POST /merchants/" + someID + "/staff", "POST /staff/" + someID + "/disable", "POST /staff/" + someID + "/enable", "PUT /staff/" + someID + "/password",
			"POST /staff/" + someID + "/grants", "POST /staff/" + someID + "/grants/" + someID + "/revoke", "POST /residents/find",
			"POST /residents/" + someID + "/freeze", "POST /residents/" + someID + "/unfreeze", "GET /audit-log",
		} {
			method, path, _ := strings.Cut(route, " ")
			s.fails(t, 401, "auth.required", "", method, path, "")
			s.fails(t, 403, "auth.forbidden", tokens.AccessToken, method, path, "")
			s.fails(t, 403, "auth.forbidden", worker, method, path, "")
		}
		s.fails(t, 401, "identity.refresh_invalid", "", http.MethodPost, "/auth/refresh", `{"refresh_token":"`+tokens.RefreshToken+`"}`)
	})
}

func TestStaffJourney(t *testing.T) {
	const fresh, phone = "another good phrase", "13812345678"
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 600)
		root := s.login(t, "root")
		s.fails(t, 401, "identity.bad_credentials", "", http.MethodPost, "/auth/login", `{"username":"root","password":"wrong password"}`)
		s.fails(t, 401, "identity.bad_credentials", "", http.MethodPost, "/auth/login", `{"username":"nobody","password":"wrong password"}`)
		self := s.ok(t, root, http.MethodGet, "/auth/self", "")
		require.Equal(t, "operator", self["grants"].([]any)[0].(map[string]any)["role"])

		id := s.ok(t, root, http.MethodPost, "/staff", `{"username":"east","password":"`+identitytest.Password+`","name":"张三",
			"grants":[{"role":"operator","region_id":"`+f.East.ID+`"}]}`)["id"].(string)
		east := s.login(t, "east")
		s.fails(t, 403, "auth.forbidden", east, http.MethodPost, "/staff", `{"username":"west","password":"`+identitytest.Password+`","name":"张三",
			"grants":[{"role":"operator","region_id":"`+f.West.ID+`"}]}`)
		s.fails(t, 422, "identity.password_policy", root, http.MethodPost, "/staff", `{"username":"west","password":"1234567890","name":"张三",
			"grants":[{"role":"operator","region_id":"`+f.West.ID+`"}]}`)
		s.fails(t, 422, "request.invalid", root, http.MethodPost, "/staff", `{"username":"west","password":"`+identitytest.Password+`","name":"张三",
			"grants":[{"role":"merchant_owner","region_id":"`+f.West.ID+`"}]}`)
		require.Len(t, s.ok(t, root, http.MethodGet, "/staff", "")["items"], 2)
		require.Len(t, s.ok(t, east, http.MethodGet, "/staff?role=operator&status=active&name=ea", "")["items"], 1)

		s.ok(t, root, http.MethodPost, "/staff/"+id+"/grants", `{"grants":[{"role":"auditor","region_id":"`+f.East.ID+`"}],"reason":"兼任审计"}`)
		staff := s.ok(t, east, http.MethodGet, "/auth/self", "")
		grant := staff["grants"].([]any)[1].(map[string]any)
		require.Equal(t, "auditor", grant["role"])
		s.ok(t, root, http.MethodPost, "/staff/"+id+"/grants/"+grant["id"].(string)+"/revoke", `{"reason":"不再兼任"}`)
		s.ok(t, root, http.MethodPut, "/staff/"+id+"/password", `{"new_password":"`+fresh+`","reason":"本人忘记"}`)
		s.fails(t, 401, "identity.session_revoked", east, http.MethodGet, "/auth/self", "")
		s.ok(t, root, http.MethodPost, "/staff/"+id+"/disable", `{"reason":"离职了"}`)
		s.fails(t, 403, "identity.staff_disabled", "", http.MethodPost, "/auth/login", `{"username":"east","password":"`+fresh+`"}`)
		s.fails(t, 409, "identity.bad_status", root, http.MethodPost, "/staff/"+id+"/disable", `{"reason":"离职了"}`)
		s.ok(t, root, http.MethodPost, "/staff/"+id+"/enable", `{"reason":"又来了"}`)
		s.fails(t, 409, "identity.self", root, http.MethodPost, "/staff/"+f.Operator.ID+"/disable", `{"reason":"离职了"}`)

		s.ok(t, root, http.MethodPut, "/auth/wechat", `{"code":"`+f.Sim.LoginCode("root")+`"}`)
		byWeChat := s.ok(t, "", http.MethodPost, "/auth/login-wechat", `{"code":"`+f.Sim.LoginCode("root")+`"}`)
		require.Equal(t, f.Operator.ID, byWeChat["staff_id"])
		s.ok(t, root, http.MethodDelete, "/auth/wechat", "")
		s.fails(t, 401, "identity.staff_not_bound", "", http.MethodPost, "/auth/login-wechat", `{"code":"`+f.Sim.LoginCode("root")+`"}`)
		next := s.ok(t, "", http.MethodPost, "/auth/refresh", `{"refresh_token":"`+byWeChat["refresh_token"].(string)+`"}`)
		s.ok(t, next["access_token"].(string), http.MethodPost, "/auth/logout", "")
		s.fails(t, 403, "identity.wrong_password", root, http.MethodPut, "/auth/password", `{"old_password":"wrong","new_password":"`+fresh+`"}`)
		s.ok(t, root, http.MethodPut, "/auth/password", `{"old_password":"`+identitytest.Password+`","new_password":"`+fresh+`"}`)

		resident, residentTokens := f.Resident(t, "wang")
		_, err := f.BindPhone(t.Context(), resident, f.Sim.PhoneCode(phone))
		require.NoError(t, err)
		found := s.ok(t, root, http.MethodPost, "/residents/find", `{"phone":"`+phone+`","reason":"电话回访"}`)
		require.Equal(t, resident.ID, found["id"])
		s.fails(t, 422, "request.invalid", root, http.MethodPost, "/residents/find", `{"phone":"`+phone+`"}`)
		s.ok(t, root, http.MethodPost, "/residents/"+resident.ID+"/freeze", `{"reason":"异常行为"}`)
		_, err = f.Authenticate(t.Context(), residentTokens.AccessToken)
		require.ErrorIs(t, err, identity.ErrAccountFrozen)
		s.ok(t, root, http.MethodPost, "/residents/"+resident.ID+"/unfreeze", `{"reason":"误会一场"}`)

		page := s.ok(t, root, http.MethodGet, "/audit-log?limit=2", "")
		require.Len(t, page["items"], 2)
		first := page["items"].([]any)[0].(map[string]any)
		require.Equal(t, "resident.unfreeze", first["action"])
		require.Empty(t, first["object_name"], "who a resident is, is looked at on a page of its own")
		page = s.ok(t, root, http.MethodGet, "/audit-log?action=staff.create&cursor=", "")
		require.IsType(t, []any{}, page["items"].([]any)[0].(map[string]any)["detail"])
		require.NotEmpty(t, page["items"].([]any)[0].(map[string]any)["object_name"])
		s.ok(t, root, http.MethodPost, "/auth/logout-everywhere", "")
		s.fails(t, 401, "identity.session_revoked", root, http.MethodGet, "/auth/self", "")

		for _, secret := range []string{phone, fresh, identitytest.Password, root} {
			require.NotContains(t, s.log.String(), secret)
		}
	})
}

func TestLoginIsLimited(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 3)
		for range 3 {
			s.fails(t, 401, "identity.bad_credentials", "", http.MethodPost, "/auth/login", `{"username":"root","password":"wrong password"}`)
		}
		s.fails(t, 429, "request.too_many", "", http.MethodPost, "/auth/login", `{"username":"root","password":"wrong password"}`)
	})
}

// limiters has every limiter that a route names; other slices bring their own.
func limiters(now func() time.Time, perMinute int) map[string]*httpapi.Limiter {
	out := map[string]*httpapi.Limiter{}
	for _, name := range []string{"login", "redemption", "unmask", "search"} {
		out[name] = httpapi.NewLimiter(perMinute, perMinute, now)
	}
	return out
}
