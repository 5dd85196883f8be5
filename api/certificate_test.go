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
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/volunteer"
	"jiamenkou/service/volunteer/volunteertest"
)

// desk is the staff surface over a village of volunteers.
type desk struct {
	t      *testing.T
	router *gin.Engine
	*volunteertest.Village
}

func newDesk(t *testing.T, db *database.DB) *desk {
	gin.SetMode(gin.TestMode)
	v := volunteertest.New(t, db)
	d := &desk{t: t, router: gin.New(), Village: v}
	api.Mount(d.router, api.Services{Volunteer: v.Volunteer, Identity: v.People}, httpapi.SurfaceConfig{
		Authenticator: v, MaxBodyBytes: 1 << 20, Limiters: limiters(v.Clock.Now, 600),
	})
	return d
}

func (d *desk) send(method, path, token, key string, body any) *httptest.ResponseRecorder {
	d.t.Helper()
	raw := []byte(nil)
	if body != nil {
		var err error
		raw, err = json.Marshal(body)
		require.NoError(d.t, err)
	}
	req := httptest.NewRequestWithContext(d.t.Context(), method, api.Prefix+path, bytes.NewReader(raw))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	answer := httptest.NewRecorder()
	d.router.ServeHTTP(answer, req)
	return answer
}

func (d *desk) call(method, path, token, key string, body any, want int) map[string]any {
	d.t.Helper()
	answer := d.send(method, path, token, key, body)
	require.Equal(d.t, want, answer.Code, answer.Body.String())
	var out map[string]any
	require.NoError(d.t, json.Unmarshal(answer.Body.Bytes(), &out))
	return out
}

func TestCorrections(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db)
		recordID := d.Served(t, "resident")
		d.At(18)
		path := "/service-records/" + recordID + "/corrections"
		body := map[string]any{
			"kind": "change", "started_at": "2026-03-11T09:00:00+08:00", "ends_at": "2026-03-11T14:00:00+08:00", "minutes": 270, "reason": "午饭后继续服务",
		}
		d.call("POST", path, "organizer", "key-0001", body, 422)
		body["ended_at"] = body["ends_at"]
		delete(body, "ends_at")
		d.call("POST", path, "organizer", "", body, 422)
		for token, want := range map[string]int{"resident": 403, "auditor": 403, "outsider": 404} {
			d.call("POST", path, token, "key-0001", body, want)
		}
		made := d.call("POST", path, "organizer", "key-0001", body, 201)
		require.Equal(t, made["id"], d.call("POST", path, "organizer", "key-0001", body, 201)["id"], "a replay")
		require.Equal(t, "second_person", made["approval"])
		one := "/corrections/" + made["id"].(string)
		require.Equal(t, "volunteer.own_correction", d.call("POST", one+"/approve", "organizer", "key-0002", map[string]any{}, 409)["code"])
		d.call("POST", one+"/approve", "auditor", "key-0002", map[string]any{}, 403)
		d.call("POST", one+"/reject", "colleague", "key-0002", map[string]any{}, 422)
		d.call("POST", one+"/decline", "colleague", "key-0002", map[string]any{"reason": "已有提议"}, 409)
		done := d.call("POST", one+"/approve", "colleague", "key-0003", map[string]any{}, 200)
		require.Equal(t, "approved", done["state"])
		require.Len(t, done["history"], 2)
		names := []any{}
		for _, step := range done["history"].([]any) {
			names = append(names, step.(map[string]any)["actor_name"])
		}
		require.Equal(t, []any{"organizer", "colleague"}, names)
		fresh := d.call("GET", "/service-records/"+done["result_record_id"].(string), "auditor", "", nil, 200)
		require.Equal(t, "correction", fresh["kind"])
		require.InDelta(t, 270, fresh["minutes"], 0)
		require.Len(t, d.call("GET", "/corrections?state=approved", "auditor", "", nil, 200)["items"], 1)
		require.Empty(t, d.call("GET", "/corrections", "outsider", "", nil, 200)["items"])
		d.call("GET", one, "outsider", "", nil, 404)
		ledgertest.RequireSound(t, db)
	})
}

func TestShifts(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db)
		_, first := d.Published(t, 5)
		_, second := d.Published(t, 3)
		list := func(token, query string, want int) []any {
			t.Helper()
			items, _ := d.call("GET", "/shifts?"+query, token, "", nil, want)["items"].([]any)
			return items
		}
		week := "from=2026-03-09&to=2026-03-15"
		page := d.call("GET", "/shifts?limit=1&"+week, "auditor", "", nil, 200)
		rest := d.call("GET", "/shifts?limit=1&"+week+"&cursor="+page["next"].(string), "auditor", "", nil, 200)
		ids := []any{page["items"].([]any)[0].(map[string]any)["id"], rest["items"].([]any)[0].(map[string]any)["id"]}
		require.ElementsMatch(t, []any{first, second}, ids)
		require.Empty(t, rest["next"])
		require.Equal(t, "河道清洁", page["items"].([]any)[0].(map[string]any)["title"])
		require.Empty(t, list("organizer", "from=2026-03-12&to=2026-03-18", 200))
		require.Empty(t, list("outsider", week, 200))
		list("resident", week, 403)
		list("organizer", "from=2026-03-01&to=2026-04-12", 422)
		list("organizer", "from=2026-03-15&to=2026-03-09", 422)
		list("organizer", "from=2026-03-01", 422)
	})
}

func TestCertificates(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db)
		d.Served(t, "resident")
		d.At(18)
		ctx, who := t.Context(), d.Actors["resident"]
		require.NoError(t, d.People.SetRealName(ctx, who, "王小明", ""))
		request := func(key string) string {
			c, err := d.Volunteer.RequestCertificate(ctx, who, volunteer.CertificateRequest{IdempotencyKey: key, Purpose: "申请助学金", From: "2026-03-01", To: "2026-03-11"})
			require.NoError(t, err)
			return "/certificates/" + c.ID
		}
		refused := request("request-1")
		d.call("POST", refused+"/refuse", "organizer", "key-0001", map[string]any{"reason": ""}, 422)
		require.Equal(t, "refused", d.call("POST", refused+"/refuse", "organizer", "key-0001", map[string]any{"reason": "用途不明"}, 200)["state"])
		path := request("request-2")
		waiting := d.call("GET", path, "organizer", "", nil, 200)
		require.Len(t, waiting["records"], 1, "what it would cover")
		require.Equal(t, "王**", waiting["masked_name"])
		require.Equal(t, "volunteer.not_issued", d.call("GET", path+"/file", "organizer", "", nil, 409)["code"])
		body := map[string]any{"issuer": "东山村志愿服务站", "handler_phone": "0573-87001234"}
		for token, want := range map[string]int{"resident": 403, "auditor": 403, "outsider": 404} {
			d.call("POST", path+"/issue", token, "key-0002", body, want)
		}
		issued := d.call("POST", path+"/issue", "organizer", "key-0002", body, 200)
		require.Equal(t, issued["number"], d.call("POST", path+"/issue", "organizer", "key-0002", body, 200)["number"], "a replay")
		require.Equal(t, "330481-2026-000001", issued["number"])
		require.Contains(t, issued["verify_url"], "https://example.org/#/earn/certificate-verify/index?")
		file := d.send("GET", path+"/file", "organizer", "", nil)
		require.Equal(t, "application/pdf", file.Header().Get("Content-Type"))
		require.Contains(t, file.Header().Get("Content-Disposition"), "certificate-330481-2026-000001.pdf")
		require.True(t, bytes.HasPrefix(file.Body.Bytes(), []byte("%PDF-")))
		d.call("GET", path+"/file", "auditor", "", nil, 403)
		d.call("GET", path+"/file", "outsider", "", nil, 404)
		require.Len(t, d.call("GET", "/certificates?number=330481-2026-000001", "auditor", "", nil, 200)["items"], 1)
		require.Equal(t, "revoked", d.call("POST", path+"/revoke", "town", "key-0003", map[string]any{"reason": "所列记录有误"}, 200)["state"])
		d.call("GET", path+"/file", "organizer", "", nil, 409)
	})
}
