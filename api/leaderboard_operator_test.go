package api_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/region"
)

func newLeaderboardSurface(t *testing.T, f *identitytest.Fixture, cfg leaderboard.Config) *identitySurface {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	s := &identitySurface{Fixture: f, router: gin.New(), log: &strings.Builder{}}
	s.router.Use(httpapi.Requests(f.Clock, slog.New(slog.NewJSONHandler(s.log, nil))))
	api.Mount(s.router, api.Services{
		Identity:    f.Service,
		Leaderboard: leaderboard.New(f.DB, f.Clock, region.New(f.DB, f.Clock), f.Service, ledger.New(f.DB, f.Clock), cfg),
	}, httpapi.SurfaceConfig{Authenticator: f.Service, MaxBodyBytes: 1 << 16, Limiters: limiters(f.Clock.Now, 600)})
	return s
}

func TestLeaderboardTotals(t *testing.T) {
	const path = "/leaderboard-totals"
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newLeaderboardSurface(t, f, leaderboard.Config{Enabled: true})
		f.Staff(t, "worker", authz.RoleGridWorker, f.EastVillage.ID)
		f.Staff(t, "auditor", authz.RoleAuditor, f.East.ID)
		_, resident := f.Resident(t, "wang")
		s.fails(t, 401, "auth.required", "", http.MethodGet, path, "")
		s.fails(t, 403, "auth.forbidden", resident.AccessToken, http.MethodGet, path, "")
		s.fails(t, 403, "auth.forbidden", s.login(t, "worker"), http.MethodGet, path, "")

		f.Exec(t, "INSERT INTO leaderboard_total VALUES ('month', '2026-03-01', ?, 4, 1, 22)", f.East.ID)
		auditor := s.login(t, "auditor")
		page := s.ok(t, auditor, http.MethodGet, path+"?kind=month&level=town", "")
		require.Equal(t, "2026-03-01", page["starts_on"])
		require.Equal(t, []any{map[string]any{
			"region_id": f.East.ID, "region_name": "east", "level": "town", "participants": 4.0, "listed": 1.0, "points": 22.0,
		}}, page["items"])
		require.Len(t, s.ok(t, s.login(t, "root"), http.MethodGet, path, "")["items"], 5)
		s.fails(t, 404, "leaderboard.region_not_found", auditor, http.MethodGet, path+"?region_id="+f.West.ID, "")
		s.fails(t, 422, "leaderboard.bad_period", auditor, http.MethodGet, path+"?day=2030-01-01", "")

		off := newLeaderboardSurface(t, f, leaderboard.Config{})
		off.fails(t, 404, "leaderboard.off", auditor, http.MethodGet, path, "")
	})
}
