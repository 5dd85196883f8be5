package miniprogram_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/volunteer"
	"jiamenkou/service/volunteer/volunteertest"
)

func TestVolunteering(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		v := volunteertest.New(t, db)
		router := gin.New()
		all := limiters(v.Clock.Now, 600)
		all["verify"] = httpapi.NewLimiter(8, 8, v.Clock.Now)
		miniprogram.Mount(router, miniprogram.Services{Volunteer: v.Volunteer}, httpapi.SurfaceConfig{
			Authenticator: v, MaxBodyBytes: 1 << 20,
			Limiters: all,
		})
		call := func(method, path, token string, body any, want int) map[string]any {
			t.Helper()
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			if body == nil {
				raw = nil
			}
			req := httptest.NewRequestWithContext(t.Context(), method, miniprogram.Prefix+path, bytes.NewReader(raw))
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			var out map[string]any
			if answer.Body.Len() > 0 {
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out))
			}
			return out
		}
		activityID, shiftID := v.Published(t, 1)
		site := "/shifts/" + shiftID

		call("GET", "/activities", "nobody", nil, 401)
		call("GET", "/activities", "organizer", nil, 403)
		require.Equal(t, "volunteer.half_position", call("GET", "/activities?lon=120", "resident", nil, 422)["code"])
		call("GET", "/activities?from=2026-99-99", "resident", nil, 422)
		list := call("GET", fmt.Sprintf("/activities?text=河道&category=environment&from=2026-03-11&to=2026-03-11&free_only=true&lon=%g&lat=%g",
			volunteertest.Lon, volunteertest.Lat), "resident", nil, 200)["items"].([]any)
		require.Len(t, list, 1)
		require.InDelta(t, 0, list[0].(map[string]any)["distance_meters"], 0)
		shiftOf := func(who string) map[string]any {
			return call("GET", "/activities/"+activityID, who, nil, 200)["shifts"].([]any)[0].(map[string]any)
		}
		require.Equal(t, true, shiftOf("resident")["open"])

		g := call("POST", site+"/signup", "resident", nil, 200)
		require.Equal(t, g, call("POST", site+"/signup", "resident", nil, 200), "a replay")
		require.Equal(t, "volunteer.shift_full", call("POST", site+"/signup", "neighbour", nil, 409)["code"])
		require.Equal(t, "signed_up", shiftOf("resident")["signup"].(map[string]any)["status"])
		require.Nil(t, shiftOf("neighbour")["signup"])
		require.Equal(t, "cancelled", call("DELETE", site+"/signup", "resident", nil, 200)["status"])
		call("POST", site+"/signup", "resident", nil, 200)
		require.Len(t, call("GET", "/my-shifts", "resident", nil, 200)["items"], 1)

		mark := map[string]any{"code": "123456", "lon": volunteertest.Lon, "lat": volunteertest.Lat, "accuracy_meters": 15}
		require.Equal(t, "volunteer.check_in_too_early", call("POST", site+"/check-in", "resident", mark, 409)["code"])
		v.At(9)
		mark["code"] = "abc"
		require.Equal(t, "volunteer.code_wrong", call("POST", site+"/check-in", "resident", mark, 422)["code"])
		mark["code"] = v.Code(t, shiftID)
		call("POST", site+"/check-in", "neighbour", mark, 404)
		mark["lat"] = volunteertest.Lat + 0.01
		far := call("POST", site+"/check-in", "resident", mark, 409)
		require.Equal(t, "volunteer.outside", far["code"])
		require.Contains(t, far["detail"], "1.1 公里")
		mark["lat"] = volunteertest.Lat
		call("POST", site+"/check-in", "resident", map[string]any{"code": "123456"}, 422)
		in := call("POST", site+"/check-in", "resident", mark, 200)
		require.Equal(t, "checked_in", in["status"])
		require.Equal(t, in, call("POST", site+"/check-in", "resident", mark, 200), "a replay")
		v.At(12)
		require.Equal(t, "volunteer.code_wrong", call("POST", site+"/check-out", "resident", mark, 422)["code"], "this morning's code")
		mark["code"] = v.Code(t, shiftID)
		require.Equal(t, "checked_out", call("POST", site+"/check-out", "resident", mark, 200)["status"])

		page, err := v.Volunteer.Attendees(t.Context(), v.Actors["organizer"], shiftID, "signed_up", paging.Request{})
		require.NoError(t, err)
		_, err = v.Volunteer.Confirm(t.Context(), v.Actors["organizer"], volunteer.ConfirmInput{
			ShiftID: shiftID, Items: []volunteer.ConfirmItem{{SignupID: page.Items[0].ID}},
		})
		require.NoError(t, err)
		require.InDelta(t, 180, call("GET", "/service-records/total", "resident", nil, 200)["effective_minutes"], 0)
		records := call("GET", "/service-records?state=effective&from=2026-03-01", "resident", nil, 200)["items"].([]any)
		require.InDelta(t, 180, records[0].(map[string]any)["minutes"], 0)
		require.Equal(t, "2026-03-11", records[0].(map[string]any)["day"])
		require.Empty(t, call("GET", "/service-records", "neighbour", nil, 200)["items"])
		past := call("GET", "/my-shifts?when=past", "resident", nil, 200)["items"].([]any)
		require.Len(t, past, 2, "the cancelled and the attended")
		ledgertest.RequireSound(t, db)
	})
}
