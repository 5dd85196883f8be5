package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/api"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/volunteer"
	"jiamenkou/service/volunteer/volunteertest"
)

func TestVolunteering(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		v := volunteertest.New(t, db)
		router := gin.New()
		api.Mount(router, api.Services{Volunteer: v.Volunteer, Identity: v.People}, httpapi.SurfaceConfig{
			Authenticator: v, MaxBodyBytes: 1 << 20,
			Limiters: map[string]*httpapi.Limiter{
				"login": httpapi.NewLimiter(600, 600, v.Clock.Now), "redemption": httpapi.NewLimiter(600, 600, v.Clock.Now), "unmask": httpapi.NewLimiter(600, 600, v.Clock.Now), "search": httpapi.NewLimiter(600, 600, v.Clock.Now),
			},
		})
		key := "key-0001"
		call := func(method, path, token string, body any, want int) map[string]any {
			t.Helper()
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			req := httptest.NewRequestWithContext(ctx, method, api.Prefix+path, bytes.NewReader(raw))
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", key)
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			var out map[string]any
			if answer.Body.Len() > 0 {
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out))
			}
			return out
		}
		shift := map[string]any{"starts_at": "2026-03-11T09:00:00+08:00", "ends_at": "2026-03-11T12:00:00+08:00", "capacity": 2}
		fields := map[string]any{
			"title": "河道清洁", "content": "清理河岸垃圾", "category": "environment", "beneficiary": "社区居民", "place_name": "东山河边",
			"lon": volunteertest.Lon, "lat": volunteertest.Lat, "radius_meters": 200, "contact_name": "李老师", "contact_phone": "0573-87001234",
		}
		with := func(more map[string]any) map[string]any {
			out := map[string]any{}
			for _, m := range []map[string]any{fields, more} {
				maps.Copy(out, m)
			}
			return out
		}
		draft := with(map[string]any{"region_id": v.RegionID, "shifts": []any{shift}})
		call("POST", "/activities", "resident", draft, 403)
		call("POST", "/activities", "auditor", draft, 403)
		call("POST", "/activities", "outsider", draft, 403)
		call("POST", "/activities", "organizer", fields, 422)
		made := call("POST", "/activities", "organizer", draft, 201)
		require.Equal(t, made["id"], call("POST", "/activities", "organizer", draft, 201)["id"], "a replay makes no second one")
		key = "key-shifts"
		path := "/activities/" + made["id"].(string)
		require.Equal(t, "draft", made["status"])
		call("GET", path, "outsider", nil, 404)
		call("GET", path, "auditor", nil, 200)
		require.Equal(t, "volunteer.changed", call("PUT", path, "organizer", with(map[string]any{"version": 9}), 409)["code"])
		call("PUT", path, "organizer", with(map[string]any{"version": 1}), 200)
		require.Equal(t, "published", call("POST", path+"/publish", "organizer", nil, 200)["status"])
		extra := map[string]any{"shifts": []any{
			map[string]any{"starts_at": "2026-03-12T09:00:00+08:00", "ends_at": "2026-03-12T12:00:00+08:00", "break_minutes": 30, "capacity": 3},
		}}
		call("POST", path+"/shifts", "organizer", extra, 200)
		again := call("POST", path+"/shifts", "organizer", extra, 200)
		for _, step := range again["history"].([]any) {
			require.Equal(t, "organizer", step.(map[string]any)["actor_name"])
		}
		more := again["shifts"].([]any)
		require.Len(t, more, 2)
		second := "/shifts/" + more[1].(map[string]any)["id"].(string)
		require.InDelta(t, 150, more[1].(map[string]any)["planned_minutes"], 0)
		shift["starts_at"], shift["ends_at"] = "2026-03-13T09:00:00+08:00", "2026-03-13T12:00:00+08:00"
		call("PUT", second, "outsider", shift, 404)
		call("PUT", second, "organizer", shift, 204)
		call("POST", second+"/cancel", "organizer", map[string]any{"reason": ""}, 422)
		call("POST", second+"/cancel", "organizer", map[string]any{"reason": "人数不够"}, 204)
		require.Len(t, call("GET", "/activities?status=published&text=河道&mine=true", "organizer", nil, 200)["items"], 1)
		require.Empty(t, call("GET", "/activities", "outsider", nil, 200)["items"])
		call("GET", "/activities", "resident", nil, 403)

		_, shiftID := v.Published(t, 5)
		site := "/shifts/" + shiftID
		require.Equal(t, "volunteer.code_not_now", call("GET", site+"/code", "organizer", nil, 409)["code"])
		for _, who := range []string{"resident", "neighbour"} {
			_, err := v.Volunteer.SignUp(ctx, v.Actors[who], shiftID)
			require.NoError(t, err)
		}
		list := call("GET", site+"/attendees?status=signed_up", "organizer", nil, 200)["items"].([]any)
		require.Len(t, list, 2)
		ids := []string{list[0].(map[string]any)["signup_id"].(string), list[1].(map[string]any)["signup_id"].(string)}
		call("GET", site+"/attendees", "outsider", nil, 404)
		v.At(9)
		code := call("GET", site+"/code", "organizer", nil, 200)
		require.Equal(t, v.Code(t, shiftID), code["code"])
		require.InDelta(t, 30, code["step_seconds"], 0)
		call("GET", site+"/code", "auditor", nil, 403)
		mark := func() volunteer.MarkInput {
			return volunteer.MarkInput{ShiftID: shiftID, Code: v.Code(t, shiftID), Lon: volunteertest.Lon, Lat: volunteertest.Lat}
		}
		_, err := v.Volunteer.CheckIn(ctx, v.Actors["resident"], mark())
		require.NoError(t, err)
		v.At(12)
		_, err = v.Volunteer.CheckOut(ctx, v.Actors["resident"], mark())
		require.NoError(t, err)
		hand := map[string]any{"marks": []any{map[string]any{
			"signup_id": ids[1], "check_in_at": "2026-03-11T09:00:00+08:00", "check_out_at": "2026-03-11T12:00:00+08:00", "reason": "没有手机",
		}}}
		key = "key-marks"
		call("POST", site+"/marks", "organizer", hand, 204)
		call("POST", site+"/marks", "organizer", hand, 204)
		key = "key-marks-again"
		require.Equal(t, "volunteer.already_marked", call("POST", site+"/marks", "organizer", hand, 409)["code"])

		for who, needs := range map[string]bool{"organizer": true, "colleague": false} {
			list := call("GET", site+"/attendees?status=signed_up", who, nil, 200)["items"].([]any)
			require.Equal(t, needs, list[1].(map[string]any)["attendance"].(map[string]any)["needs_second_person"], who)
		}
		call("GET", site+"/history", "outsider", nil, 404)
		trail := call("GET", site+"/history", "auditor", nil, 200)["items"].([]any)
		require.Len(t, trail, 1, "what residents did themselves is not in it, nor is a replay")
		require.Equal(t, "没有手机", trail[0].(map[string]any)["reason"])
		require.Equal(t, ids[1], trail[0].(map[string]any)["signup_id"])

		key = "key-confirm"
		body := map[string]any{"items": []any{map[string]any{"signup_id": ids[0], "quality_rating": 5}, map[string]any{"signup_id": ids[1]}}}
		call("POST", site+"/confirm", "outsider", body, 404)
		done := call("POST", site+"/confirm", "organizer", body, 200)
		items := done["items"].([]any)
		require.InDelta(t, 6, items[0].(map[string]any)["points"], 0)
		require.Equal(t, "volunteer.second_person", items[1].(map[string]any)["refusal"].(map[string]any)["code"])
		require.Equal(t, done, call("POST", site+"/confirm", "organizer", body, 200), "a replay")
		call("POST", site+"/confirm", "organizer", map[string]any{"items": []any{map[string]any{"signup_id": ids[0]}}}, 422)
		call("POST", site+"/reject", "colleague", map[string]any{"items": []any{map[string]any{"signup_id": ids[1], "reason": "没有来"}}}, 200)
		require.Len(t, call("GET", "/service-records?state=effective", "auditor", nil, 200)["items"], 1)

		key = "key-0002"
		manual := map[string]any{
			"region_id": v.RegionID, "volunteer_numbers": []string{"V" + v.Actors["neighbour"].ID}, "title": "敬老院慰问", "content": "陪老人聊天",
			"place_name": "敬老院", "beneficiary": "老人", "person_in_charge": "王主任", "reason": "当天系统停电",
			"started_at": "2026-03-08T09:00:00+08:00", "ended_at": "2026-03-08T12:00:00+08:00",
		}
		added := call("POST", "/service-records", "organizer", manual, 201)
		require.Equal(t, added, call("POST", "/service-records", "organizer", manual, 201), "a replay")
		recordID := added["record_ids"].([]any)[0].(string)
		decide := map[string]any{"decisions": []any{map[string]any{"record_id": recordID}}}
		require.Equal(t, "volunteer.second_person", call("POST", "/service-records/decide-manual", "organizer", decide, 409)["code"])
		call("POST", "/service-records/decide-long-day", "town", decide, 404)
		call("POST", "/service-records/decide-manual", "colleague", decide, 204)
		require.Equal(t, "effective", call("GET", "/service-records/"+recordID, "organizer", nil, 200)["state"])
		call("GET", "/service-records/"+recordID, "outsider", nil, 404)

		require.Equal(t, "cancelled", call("POST", path+"/cancel", "organizer", map[string]any{"reason": "台风来了"}, 200)["status"])
		differences, err := v.Volunteer.Audit(ctx)
		require.NoError(t, err)
		require.Empty(t, differences)
		ledgertest.RequireSound(t, db)
	})
}
