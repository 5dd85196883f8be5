package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
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

const regionFile = "code,parent_code,level,name\nc1,,county,海宁市\nt1,c1,town,硖石街道\nt2,c1,town,海洲街道\nv1,t1,village,火炬社区\n"

type regionAnswer struct {
	ID          string `json:"id"`
	Code        string `json:"code"`
	FullName    string `json:"full_name"`
	Version     int64  `json:"version"`
	HasBoundary bool   `json:"has_boundary"`
	CreatedAt   string `json:"created_at"`
}

type regionListAnswer struct {
	Items []regionAnswer `json:"items"`
	Next  string         `json:"next"`
}

func TestRegions(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC), 1)
		regions := region.New(db, c)
		_, err := regions.Import(t.Context(), authz.System("test"), strings.NewReader(regionFile))
		require.NoError(t, err)
		byCode := func(code string) region.Region {
			t.Helper()
			r, err := regions.GetByCode(t.Context(), code)
			require.NoError(t, err)
			return r
		}
		county, town, village := byCode("c1"), byCode("t1"), byCode("v1")
		staff := func(role authz.Role, path string) authz.Actor {
			return authz.Actor{Kind: authz.KindStaff, ID: string(role), Grants: []authz.Grant{{Role: role, RegionPath: path}}}
		}
		router := gin.New()
		api.Mount(router, api.Services{Region: regions}, httpapi.SurfaceConfig{
			MaxBodyBytes: 64 << 10,
			Authenticator: regionActors{
				"county": staff(authz.RoleOperator, county.Path), "town": staff(authz.RoleOperator, byCode("t2").Path),
				"clerk": staff(authz.RoleClerk, ""), "resident": {Kind: authz.KindResident, ID: "r"},
			},
			Limiters: limiters(c.Now, 1000),
		})
		send := func(req *http.Request, token string, want int, into any) {
			t.Helper()
			req.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			if into != nil {
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), into))
			}
		}
		call := func(method, path, token, body string, want int, into any) {
			t.Helper()
			req := httptest.NewRequestWithContext(t.Context(), method, api.Prefix+path, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			send(req, token, want, into)
		}
		upload := func(token, text string, want int, into any) {
			t.Helper()
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			part, err := form.CreateFormFile("file", "regions.csv")
			require.NoError(t, err)
			_, err = part.Write([]byte(text))
			require.NoError(t, err)
			require.NoError(t, form.Close())
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, api.Prefix+"/region-imports", &body)
			req.Header.Set("Content-Type", form.FormDataContentType())
			send(req, token, want, into)
		}
		var (
			one     regionAnswer
			list    regionListAnswer
			problem struct {
				Code   string `json:"code"`
				Errors []struct {
					Path string `json:"path"`
				} `json:"errors"`
			}
		)
		names := func(path string) []string {
			t.Helper()
			var out []string
			next := ""
			for {
				list = regionListAnswer{}
				call(http.MethodGet, path+"&limit=2&cursor="+next, "clerk", "", 200, &list)
				for _, item := range list.Items {
					out = append(out, item.FullName)
				}
				if next = list.Next; next == "" {
					return out
				}
			}
		}

		// Reading is for every member of staff, and for nobody else.
		require.Equal(t, []string{"海宁市"}, names("/regions?"))
		require.Equal(t, []string{"海宁市 / 硖石街道", "海宁市 / 海洲街道"}, names("/regions/"+county.ID+"/children?"))
		require.Equal(t, []string{"海宁市", "海宁市 / 硖石街道", "海宁市 / 海洲街道"}, names("/regions/"+county.ID+"/subtree?max_level=town"))
		require.Equal(t, []string{"海宁市 / 硖石街道 / 火炬社区"}, names("/regions/search?name=%E7%81%AB&within_id="+town.ID))
		call(http.MethodGet, "/regions/"+village.ID+"/ancestors", "clerk", "", 200, &list)
		require.Len(t, list.Items, 2)
		call(http.MethodGet, "/regions/"+village.ID, "clerk", "", 200, &one)
		require.Equal(t, regionAnswer{ID: village.ID, Code: "v1", FullName: "海宁市 / 硖石街道 / 火炬社区", Version: 1, CreatedAt: "2026-03-01T09:00:00+08:00"}, one)
		call(http.MethodGet, "/regions/"+strings.Repeat("0", 26), "clerk", "", 404, &problem)
		require.Equal(t, "region.not_found", problem.Code)
		call(http.MethodGet, "/regions/"+village.ID, "resident", "", 403, nil)
		call(http.MethodGet, "/regions/"+village.ID, "nobody", "", 401, nil)

		// Writing is for the operator over the place.
		grid := fmt.Sprintf(`{"parent_id":%q,"level":"grid","name":"第一网格"}`, village.ID)
		call(http.MethodPost, "/regions", "clerk", grid, 403, nil)
		call(http.MethodPost, "/regions", "town", grid, 403, nil)
		call(http.MethodPost, "/regions", "county", grid, 201, &one)
		require.Equal(t, "v1G001", one.Code)
		call(http.MethodPost, "/regions", "county", strings.Replace(grid, "grid", "village", 1), 422, nil)
		rename := `{"version":1,"name":"改名网格"}`
		call(http.MethodPatch, "/regions/"+one.ID, "town", rename, 403, nil)
		call(http.MethodPatch, "/regions/"+one.ID, "county", rename, 200, &one)
		require.Equal(t, "海宁市 / 硖石街道 / 火炬社区 / 改名网格", one.FullName)
		call(http.MethodPatch, "/regions/"+one.ID, "county", rename, 409, &problem)
		require.Equal(t, "region.changed", problem.Code)

		// A boundary may be larger than other bodies.
		boundary := `{"version":2,"boundary":{"type":"Polygon","coordinates":[[` + strings.Repeat("[120.1,30.1],", 8000) + `[120.2,30.1],[120.2,30.2],[120.1,30.1]]]}}`
		require.Greater(t, len(boundary), 64<<10)
		call(http.MethodPut, "/regions/"+one.ID+"/boundary", "county", boundary, 200, &one)
		require.True(t, one.HasBoundary)
		var drawn struct {
			Boundary struct {
				Type string `json:"type"`
			} `json:"boundary"`
		}
		call(http.MethodGet, "/regions/"+one.ID+"/boundary", "clerk", "", 200, &drawn)
		require.Equal(t, "MultiPolygon", drawn.Boundary.Type)
		call(http.MethodPut, "/regions/"+one.ID+"/boundary", "county", `{"version":3,"boundary":{"type":"Point"}}`, 422, &problem)
		require.Equal(t, "region.bad_boundary", problem.Code)
		call(http.MethodPut, "/regions/"+one.ID+"/boundary", "county", `{"version":3,"boundary":null}`, 200, &one)
		require.False(t, one.HasBoundary)
		call(http.MethodGet, "/regions/"+one.ID+"/boundary", "clerk", "", 200, &drawn)

		// Uploads.
		var counts struct{ Created, Updated, Unchanged int }
		upload("county", "\ufeff"+regionFile+"t3,c1,town,新街道\n", 201, &counts)
		require.Equal(t, struct{ Created, Updated, Unchanged int }{1, 0, 4}, counts)
		upload("town", regionFile+"t4,c1,town,又一街道\n", 403, nil)
		upload("county", regionFile+"c2,,county,别县\n", 403, nil)
		upload("county", regionFile+"v2,t9,village,无上级\n", 422, &problem)
		require.Equal(t, "region.bad_file", problem.Code)
		require.Equal(t, "line 6", problem.Errors[0].Path)
		upload("county", strings.Repeat("x", 10<<20), 413, nil)
	})
}
