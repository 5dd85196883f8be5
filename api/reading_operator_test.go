package api_test

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
	"gorm.io/gorm"

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
)

// articleActors are the actors of this test, by access token.
type articleActors map[string]authz.Actor

func (a articleActors) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	if actor, ok := a[token]; ok {
		return actor, nil
	}
	return authz.Actor{}, authz.ErrAnonymous
}

type articleBody struct {
	ID, Title, Body, Status string
	Version, Reads          int64
	RegionName              string     `json:"region_name"`
	PublishedAt             *time.Time `json:"published_at"`
}

func TestArticles(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC), 1)
		county := model.Region{ID: c.NewID(), Code: "330481000000", Level: model.RegionCounty, Name: "海宁市", Version: 1}
		county.Path = "/" + county.ID + "/"
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return tx.Create(&county).Error }))
		points := ledger.New(db, c)
		service, err := reading.New(db, c, points, policy.New(db, c, points), reading.Config{})
		require.NoError(t, err)
		staff := func(role authz.Role, path string) authz.Actor {
			return authz.Actor{Kind: authz.KindStaff, ID: string(role), Grants: []authz.Grant{{Role: role, RegionPath: path}}}
		}
		router := gin.New()
		api.Mount(router, api.Services{Reading: service}, httpapi.SurfaceConfig{
			Authenticator: articleActors{
				"operator": staff(authz.RoleOperator, county.Path), "elsewhere": staff(authz.RoleOperator, "/other/"),
				"auditor": staff(authz.RoleAuditor, county.Path), "organizer": staff(authz.RoleOrganizer, county.Path),
			},
			Limiters: map[string]*httpapi.Limiter{"login": httpapi.NewLimiter(60, 60, c.Now), "redemption": httpapi.NewLimiter(60, 60, c.Now), "unmask": httpapi.NewLimiter(60, 60, c.Now), "search": httpapi.NewLimiter(60, 60, c.Now)},
		})
		call := func(method, path, token, body string, want int, into any) string {
			t.Helper()
			req := httptest.NewRequestWithContext(t.Context(), method, api.Prefix+path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			if into != nil {
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), into))
			}
			var problem struct{ Code string }
			_ = json.Unmarshal(answer.Body.Bytes(), &problem)
			return problem.Code
		}

		create := `{"region_id":"` + county.ID + `","title":"创城播报","summary":"摘要","body":"` + strings.Repeat("长", 20_000) + `","min_seconds":60}`
		call("POST", "/articles", "nobody", create, http.StatusUnauthorized, nil)
		call("POST", "/articles", "auditor", create, http.StatusForbidden, nil)
		call("POST", "/articles", "elsewhere", create, http.StatusForbidden, nil)
		require.Equal(t, "reading.invalid", call("POST", "/articles", "operator",
			`{"region_id":"`+county.ID+`","title":"一","body":"<b>粗</b>","min_seconds":60}`, http.StatusUnprocessableEntity, nil))
		call("POST", "/articles", "operator", `{"region_id":"`+county.ID+`","title":"一","body":"二","min_seconds":4}`, http.StatusUnprocessableEntity, nil)
		var a articleBody
		call("POST", "/articles", "operator", create, http.StatusCreated, &a)
		require.Equal(t, "draft", a.Status)
		require.Equal(t, "海宁市", a.RegionName)
		require.Nil(t, a.PublishedAt)

		path := "/articles/" + a.ID
		call("PUT", path, "operator", `{"version":1,"title":"新题","body":"正文","min_seconds":30}`, http.StatusOK, &a)
		require.Equal(t, "新题", a.Title)
		require.Equal(t, "reading.changed", call("POST", path+"/publish", "operator", `{"version":1}`, http.StatusConflict, nil))
		require.Equal(t, "reading.article_not_found", call("POST", path+"/publish", "elsewhere", `{"version":2}`, http.StatusNotFound, nil))
		call("POST", path+"/publish", "auditor", `{"version":2}`, http.StatusForbidden, nil)
		call("POST", path+"/publish", "operator", `{"version":2}`, http.StatusOK, &a)
		require.NotNil(t, a.PublishedAt)
		require.Equal(t, "reading.move_not_allowed", call("POST", path+"/publish", "operator", `{"version":3}`, http.StatusConflict, nil))
		require.Equal(t, "reading.invalid", call("POST", path+"/withdraw", "operator", `{"version":3}`, http.StatusUnprocessableEntity, nil))

		var list httpapi.PageBody[articleBody]
		call("GET", "/articles?status=published&q=新&region_id="+county.ID, "auditor", "", http.StatusOK, &list)
		require.Len(t, list.Items, 1)
		require.Empty(t, list.Items[0].Body)
		call("GET", "/articles", "elsewhere", "", http.StatusOK, &list)
		require.Empty(t, list.Items)
		call("GET", "/articles", "organizer", "", http.StatusForbidden, nil)
		call("GET", "/articles?status=nonsense", "operator", "", http.StatusUnprocessableEntity, nil)
		call("GET", path, "auditor", "", http.StatusOK, &a)
		require.Equal(t, "正文", a.Body)

		call("POST", path+"/withdraw", "operator", `{"version":3,"reason":"数字有误"}`, http.StatusOK, &a)
		require.Equal(t, "withdrawn", a.Status)
		var history httpapi.PageBody[struct{ Move, Reason string }]
		call("GET", path+"/history?limit=1", "auditor", "", http.StatusOK, &history)
		require.Equal(t, "withdraw", history.Items[0].Move)
		require.Equal(t, "数字有误", history.Items[0].Reason)
		require.NotEmpty(t, history.Next)
	})
}
