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
	"jiamenkou/service/insight"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

func TestInsight(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		gin.SetMode(gin.ReleaseMode)
		s := &identitySurface{Fixture: f, router: gin.New(), log: &strings.Builder{}}
		s.router.Use(httpapi.Requests(f.Clock, slog.New(slog.NewJSONHandler(s.log, nil))))
		l := ledger.New(f.DB, f.Clock)
		rules := policy.New(f.DB, f.Clock, l)
		api.Mount(s.router, api.Services{
			Identity: f.Service, Policy: rules, Region: region.New(f.DB, f.Clock), Insight: insight.New(f.DB, f.Clock, region.New(f.DB, f.Clock), l, rules, insight.Config{}),
		}, httpapi.SurfaceConfig{Authenticator: f.Service, MaxBodyBytes: 1 << 16, Limiters: limiters(f.Clock.Now, 600)})
		f.Exec(t, "INSERT INTO insight_day VALUES ('2026-03-01', 0, 5)")
		f.Exec(t, "INSERT INTO insight_region_day VALUES (?, '2026-03-01', 9, 1, 4, 2, 3, 120, 6, -30)", f.East.ID)
		f.Exec(t, "INSERT INTO insight_region_now VALUES (?, 20, 5, 77, 7, 5)", f.East.ID)
		f.Staff(t, "auditor", authz.RoleAuditor, f.East.ID)
		auditor, root := s.login(t, "auditor"), s.login(t, "root")

		points := s.ok(t, auditor, http.MethodGet, "/insight/points?from=2026-03-01&step=month", "")
		require.Equal(t, "east", points["region_name"])
		require.InDelta(t, 77, points["outstanding"], 0)
		require.Equal(t, []any{map[string]any{
			"starts_on": "2026-03-01", "issued": 9.0, "taken_back": 1.0, "redeemed": 4.0, "returned": 2.0, "expired": 3.0,
		}}, points["series"])
		children := s.ok(t, root, http.MethodGet, "/insight/participation", "")["children"].([]any)
		require.Equal(t, map[string]any{
			"region_id": f.East.ID, "region_name": "east", "level": "town", "residents": 20.0, "active_residents": 5.0, "issued_points": 8.0,
			"redeemed_points": 2.0, "service_minutes": 120.0, "corrected_minutes": -30.0, "reports": 6.0,
		}, children[0])
		require.Nil(t, s.ok(t, root, http.MethodGet, "/insight/cases", "")["self"].(map[string]any)["rating"])
		budget := s.ok(t, root, http.MethodPost, "/budgets",
			`{"region_id":"`+f.County.ID+`","name":"年度","starts_on":"2026-01-01","ends_on":"2026-12-31","limit_points":500}`)
		forecast := s.ok(t, root, http.MethodGet, "/insight/budgets?on=2026-03-01", "")["items"].([]any)[0].(map[string]any)
		require.Equal(t, budget["id"], forecast["id"])
		county := s.ok(t, root, http.MethodGet, "/regions/"+f.County.ID, "")["name"]
		for _, named := range []map[string]any{budget, forecast, s.ok(t, root, http.MethodGet, "/budgets", "")["items"].([]any)[0].(map[string]any)} {
			require.Equal(t, county, named["region_name"])
		}
		rule := s.ok(t, root, http.MethodPost, "/policy-rules", `{"region_id":"`+f.County.ID+`","budget_id":"`+budget["id"].(string)+`","event_kind":"article_read",
			"points":1,"max_points":1,"daily_cap":3,"object_cap":1,"expiry":"end_of_next_year"}`)
		for _, named := range []map[string]any{rule, s.ok(t, root, http.MethodGet, "/policy-rules", "")["items"].([]any)[0].(map[string]any)} {
			require.Equal(t, []any{county, "年度"}, []any{named["region_name"], named["budget_name"]})
		}
		require.Nil(t, forecast["used_up_on"])
		require.InDelta(t, 500, forecast["left_at_the_end"], 0)
		s.fails(t, 404, "insight.region_not_found", auditor, http.MethodGet, "/insight/points?region_id="+f.West.ID, "")
		s.fails(t, 422, "insight.bad_period", auditor, http.MethodGet, "/insight/cases?to=2030-01-01", "")
	})
}
