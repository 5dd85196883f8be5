package api_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/api"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
	"jiamenkou/service/casework/caseworktest"
)

func TestCases(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		v := caseworktest.New(t, db)
		router := gin.New()
		api.Mount(router, api.Services{Casework: v.Casework}, httpapi.SurfaceConfig{
			Authenticator: v, MaxBodyBytes: 1 << 20,
			Limiters: map[string]*httpapi.Limiter{
				"login": httpapi.NewLimiter(600, 600, v.Clock.Now), "redemption": httpapi.NewLimiter(600, 600, v.Clock.Now), "unmask": httpapi.NewLimiter(600, 600, v.Clock.Now), "search": httpapi.NewLimiter(600, 600, v.Clock.Now),
			},
		})
		call := func(method, path, token string, body any, want int) map[string]any {
			t.Helper()
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			req := httptest.NewRequestWithContext(t.Context(), method, api.Prefix+path, bytes.NewReader(raw))
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", "key-close-1")
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			var out map[string]any
			if answer.Body.Len() > 0 && answer.Header().Get("Content-Type") != "image/jpeg" {
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out))
			}
			return out
		}
		photo, err := v.Casework.Upload(t.Context(), v.Actors["resident"], caseworktest.Photo(t))
		require.NoError(t, err)
		lon, lat := 119.5, 30.2
		made, err := v.Casework.Report(t.Context(), v.Actors["resident"], casework.ReportInput{
			Category: "safety", Text: "路灯坏了，晚上很黑", AttachmentIDs: []string{photo.ID}, Lon: &lon, Lat: &lat, IdempotencyKey: "key-0001",
		})
		require.NoError(t, err)
		path := "/cases/" + made.ID

		list := call("GET", "/cases?status=submitted&category=safety&overdue=false&text=路灯", "worker", nil, 200)
		require.Len(t, list["items"], 1)
		require.Empty(t, call("GET", "/cases", "outsider", nil, 200)["items"])
		call("GET", "/cases", "resident", nil, 403)
		call("GET", path, "outsider", nil, 404)
		page := call("GET", path, "worker", nil, 200)
		require.Equal(t, made.Number, page["number"], "the summary's fields are there")
		require.InDelta(t, lon, page["lon"], 1e-9)
		require.Equal(t, []any{"accept", "reject"}, page["next_moves"])
		require.Len(t, call("GET", "/case-counts", "auditor", nil, 200)["items"], 10)

		call("POST", path+"/accept", "auditor", map[string]any{"version": 1}, 403)
		call("POST", path+"/accept", "outsider", map[string]any{"version": 1}, 404)
		call("POST", path+"/accept", "worker", map[string]any{}, 422)
		require.Equal(t, "casework.changed", call("POST", path+"/accept", "worker", map[string]any{"version": 9}, 409)["code"])
		require.Equal(t, "casework.move_not_allowed", call("POST", path+"/start", "worker", map[string]any{"version": 1}, 409)["code"])
		require.Equal(t, "casework.content_decided", call("POST", path+"/decide-content", "worker", map[string]any{"version": 1, "pass": true}, 409)["code"])
		require.InDelta(t, 2, call("POST", path+"/accept", "worker", map[string]any{"version": 1}, 200)["version"], 0)
		require.Equal(t, "casework.bad_assignee",
			call("POST", path+"/dispatch", "worker", map[string]any{"version": 2, "staff_id": v.Actors["outsider"].ID}, 422)["code"])
		call("POST", path+"/dispatch", "worker", map[string]any{"version": 2, "staff_id": v.Actors["worker"].ID}, 200)
		call("POST", path+"/start", "worker", map[string]any{"version": 3}, 200)
		call("POST", path+"/finish", "worker", map[string]any{"version": 4}, 422)
		call("POST", path+"/finish", "worker", map[string]any{"version": 4, "note": "已换灯泡"}, 200)
		require.Equal(t, "casework.move_not_allowed", call("POST", path+"/close", "worker", map[string]any{"version": 5}, 409)["code"])
		_, err = v.Casework.Confirm(t.Context(), v.Actors["resident"], made.ID, casework.ConfirmInput{Solved: true, IdempotencyKey: "key-0002"})
		require.NoError(t, err)
		done := call("POST", path+"/close", "worker", map[string]any{"version": 6}, 200)
		require.Equal(t, "closed", done["status"])
		require.Equal(t, done, call("POST", path+"/close", "worker", map[string]any{"version": 6}, 200), "a replay")

		call("GET", "/attachments/"+photo.ID, "worker", nil, 200)
		call("GET", "/attachments/"+photo.ID, "outsider", nil, 404)
		call("POST", "/attachments/"+photo.ID+"/decide", "auditor", map[string]any{"pass": true}, 403)
		call("POST", "/attachments/"+photo.ID+"/decide", "worker", map[string]any{"pass": false}, 204)
		call("GET", "/attachments/"+photo.ID, "worker", nil, 410)
	})
}
