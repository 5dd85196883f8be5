package miniprogram_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/volunteer"
	"jiamenkou/service/volunteer/volunteertest"
)

func TestServiceRecords(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		v := volunteertest.New(t, db)
		router := gin.New()
		all := limiters(v.Clock.Now, 600)
		all["verify"] = httpapi.NewLimiter(6, 6, v.Clock.Now)
		miniprogram.Mount(router, miniprogram.Services{Volunteer: v.Volunteer}, httpapi.SurfaceConfig{
			Authenticator: v, MaxBodyBytes: 1 << 16, Limiters: all,
		})
		send := func(method, path, token, key string, body any) *httptest.ResponseRecorder {
			raw := []byte(nil)
			if body != nil {
				var err error
				raw, err = json.Marshal(body)
				require.NoError(t, err)
			}
			req := httptest.NewRequestWithContext(t.Context(), method, miniprogram.Prefix+path, bytes.NewReader(raw))
			req.Header.Set("Content-Type", "application/json")
			if token != "" {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			if key != "" {
				req.Header.Set("Idempotency-Key", key)
			}
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			return answer
		}
		call := func(method, path, token, key string, body any, want int) map[string]any {
			t.Helper()
			answer := send(method, path, token, key, body)
			require.Equal(t, want, answer.Code, answer.Body.String())
			var out map[string]any
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out))
			return out
		}
		record := "/service-records/" + v.Served(t, "resident")
		v.At(18)

		t.Run("a correction is asked for and taken back", func(t *testing.T) {
			require.Equal(t, true, call("GET", record, "resident", "", nil, 200)["can_ask"])
			call("GET", record, "neighbour", "", nil, 404)
			call("GET", record, "organizer", "", nil, 403)
			ask := map[string]any{"text": "少记了一个小时"}
			call("POST", record+"/corrections", "resident", "", ask, 422)
			call("POST", record+"/corrections", "neighbour", "key-0001", ask, 404)
			made := call("POST", record+"/corrections", "resident", "key-0001", ask, 201)
			require.Equal(t, made, call("POST", record+"/corrections", "resident", "key-0001", ask, 201), "a replay")
			seen := call("GET", record, "resident", "", nil, 200)
			require.Equal(t, false, seen["can_ask"])
			require.Len(t, seen["corrections"], 1)
			require.Len(t, call("GET", "/corrections?state=asked", "resident", "", nil, 200)["items"], 1)
			require.Empty(t, call("GET", "/corrections", "neighbour", "", nil, 200)["items"])
			call("POST", "/corrections/"+made["id"].(string)+"/withdraw", "neighbour", "", nil, 404)
			require.Equal(t, "withdrawn", call("POST", "/corrections/"+made["id"].(string)+"/withdraw", "resident", "", nil, 200)["state"])
		})

		t.Run("a certificate is requested, fetched and verified by anybody", func(t *testing.T) {
			body := map[string]any{"purpose": "申请助学金", "from": "2026-03-01", "to": "2026-03-11"}
			require.Equal(t, "volunteer.no_real_name", call("POST", "/certificates", "resident", "key-0002", body, 409)["code"])
			require.NoError(t, v.People.SetRealName(t.Context(), v.Actors["resident"], "王小明", ""))
			call("POST", "/certificates", "resident", "", body, 422)
			taken := call("POST", "/certificates", "resident", "key-0002", body, 201)
			require.Equal(t, "withdrawn", call("POST", "/certificates/"+taken["id"].(string)+"/withdraw", "resident", "", nil, 200)["state"])
			made := call("POST", "/certificates", "resident", "key-0003", body, 201)
			path := "/certificates/" + made["id"].(string)
			require.Empty(t, made["verify_url"])
			call("GET", path+"/file", "resident", "", nil, 409)
			issued, err := v.Volunteer.IssueCertificate(t.Context(), v.Actors["organizer"], volunteer.IssueInput{
				CertificateID: made["id"].(string), Issuer: "东山村志愿服务站", HandlerPhone: "0573-87001234",
			})
			require.NoError(t, err)
			mine := call("GET", path, "resident", "", nil, 200)
			require.Equal(t, *issued.CheckCode, mine["check_code"])
			call("GET", path, "neighbour", "", nil, 404)
			call("GET", path+"/file", "neighbour", "", nil, 404)
			file := send("GET", path+"/file", "resident", "", nil)
			require.Equal(t, "application/pdf", file.Header().Get("Content-Type"))
			require.True(t, bytes.HasPrefix(file.Body.Bytes(), []byte("%PDF-")))
			require.Len(t, call("GET", "/certificates?state=issued", "resident", "", nil, 200)["items"], 1)

			verify := func(number, code string, want int) map[string]any {
				t.Helper()
				return call("GET", "/certificates/verify?"+url.Values{"number": {number}, "check_code": {code}}.Encode(), "", "", nil, want)
			}
			v1 := verify(*issued.Number, *issued.CheckCode, 200)
			require.Equal(t, "issued", v1["state"])
			require.Equal(t, "王**", v1["masked_name"])
			require.NotContains(t, v1, "resident_id")
			require.InDelta(t, 180, v1["records"].([]any)[0].(map[string]any)["minutes"], 0)
			wrong := verify(*issued.Number, "WRONG", 404)
			require.Equal(t, wrong["detail"], verify("330481-2026-999999", *issued.CheckCode, 404)["detail"], "it does not tell which was wrong")
			for range 3 {
				verify(*issued.Number, "WRONG", 404)
			}
			verify(*issued.Number, "WRONG", 429)
		})
		ledgertest.RequireSound(t, db)
	})
}
