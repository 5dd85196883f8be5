package miniprogram_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/service/region"
)

// regionActors are the actors of this test, by access token.
type regionActors map[string]authz.Actor

func (a regionActors) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	actor, ok := a[token]
	if !ok {
		return authz.Actor{}, authz.ErrAnonymous
	}
	return actor, nil
}

func TestRegions(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC), 1)
		regions := region.New(db, c)
		system := authz.System("test")
		_, err := regions.Import(t.Context(), system, strings.NewReader(
			"code,parent_code,level,name\nc1,,county,海宁市\nt1,c1,town,硖石街道\nv1,t1,village,火炬社区\n"))
		require.NoError(t, err)
		village, err := regions.GetByCode(t.Context(), "v1")
		require.NoError(t, err)
		_, err = regions.SetBoundary(t.Context(), system, region.BoundaryInput{
			ID: village.ID, Version: 1, GeoJSON: `{"type":"Polygon","coordinates":[[[120,30],[121,30],[121,31],[120,31],[120,30]]]}`,
		})
		require.NoError(t, err)
		router := gin.New()
		miniprogram.Mount(router, miniprogram.Services{Region: regions}, httpapi.SurfaceConfig{
			MaxBodyBytes: 64 << 10,
			Authenticator: regionActors{
				// Who has no home region yet must be able to pick one.
				"resident": {Kind: authz.KindResident, ID: "r"}, "staff": {Kind: authz.KindStaff, ID: "s"},
			},
			Limiters: limiters(c.Now, 1000),
		})
		call := func(method, path, token, body string, want int) map[string]any {
			t.Helper()
			req := httptest.NewRequestWithContext(t.Context(), method, miniprogram.Prefix+path, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			var out map[string]any
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out))
			return out
		}
		first := func(answer map[string]any) map[string]any {
			t.Helper()
			items, ok := answer["items"].([]any)
			require.True(t, ok)
			require.Len(t, items, 1)
			return items[0].(map[string]any)
		}
		county := first(call(http.MethodGet, "/regions", "resident", "", 200))
		require.Equal(t, "海宁市", county["name"])
		town := first(call(http.MethodGet, "/regions/"+county["id"].(string)+"/children", "resident", "", 200))
		require.Equal(t, "海宁市 / 硖石街道", town["full_name"])
		require.Equal(t, village.ID, first(call(http.MethodGet, "/regions/search?name=%E7%81%AB", "resident", "", 200))["id"])
		require.Equal(t, town["id"], call(http.MethodGet, "/regions/"+village.ID, "resident", "", 200)["parent_id"])
		require.Equal(t, village.ID, call(http.MethodPost, "/regions/locate", "resident", `{"longitude":120.5,"latitude":30.5}`, 200)["id"])
		require.Equal(t, "region.not_located", call(http.MethodPost, "/regions/locate", "resident", `{"longitude":119.5,"latitude":30.5}`, 404)["code"])
		call(http.MethodPost, "/regions/locate", "resident", `{"longitude":181,"latitude":30.5}`, 422)
		call(http.MethodGet, "/regions", "staff", "", 403)
		call(http.MethodGet, "/regions", "nobody", "", 401)
	})
}
