package miniprogram_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/miniprogram-api"
	"jiamenkou/model"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/notify"
)

func newMessageSurface(t *testing.T, f *identitytest.Fixture) *identitySurface {
	t.Helper()
	service, err := notify.New(f.DB, f.Clock, ledger.New(f.DB, f.Clock), f.WeChat, notify.Config{
		Templates: map[string]string{"casework.moved": "TPL_1", "ledger.points_expiring": "TPL_1"}, MaxQuota: 2,
	})
	require.NoError(t, err)
	f.OnDelete(service.ForgetTx)
	return mountIdentity(t, f, miniprogram.Services{Notify: service}, 600)
}

// message puts one into the inbox of a resident.
func (s *identitySurface) message(t *testing.T, residentID, title string) string {
	t.Helper()
	m := model.Message{
		ID: s.Clock.NewID(), ResidentID: &residentID, JobID: s.Clock.NewID(), Topic: "casework.moved", Title: title, Body: "正文", Link: "/cases/1",
		CreatedAt: clock.Now(s.Clock),
	}
	require.NoError(t, database.InTx(t.Context(), s.DB, func(tx *gorm.DB) error { return tx.Create(&m).Error }))
	return m.ID
}

func TestMessages(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newMessageSurface(t, f)
		token, _ := s.resident(t, "wang")
		other, _ := s.resident(t, "li")
		me := s.ok(t, token, http.MethodGet, "/profile", "")["id"].(string)
		require.Empty(t, s.ok(t, token, http.MethodGet, "/messages", "")["items"])
		first, second := s.message(t, me, "一"), s.message(t, me, "二")

		page := s.ok(t, token, http.MethodGet, "/messages?limit=1", "")
		item := page["items"].([]any)[0].(map[string]any)
		require.Equal(t, second, item["id"])
		require.Equal(t, "二", item["title"])
		require.Equal(t, "/cases/1", item["link"])
		require.Contains(t, item["created_at"], "+08:00")
		require.Nil(t, item["read_at"])
		next := s.ok(t, token, http.MethodGet, "/messages?limit=1&topic=casework.moved&cursor="+page["next"].(string), "")
		require.Equal(t, first, next["items"].([]any)[0].(map[string]any)["id"])
		require.Empty(t, next["next"])
		s.fails(t, 422, "page.bad_cursor", token, http.MethodGet, "/messages?cursor=x", "")

		require.EqualValues(t, 2, s.ok(t, token, http.MethodGet, "/messages/unread-count", "")["unread"])
		s.fails(t, 404, "notify.message_not_found", other, http.MethodPost, "/messages/"+first+"/read", "")
		require.EqualValues(t, 2, s.ok(t, token, http.MethodGet, "/messages/unread-count", "")["unread"])
		for range 2 {
			status, _ := s.call(t, token, http.MethodPost, "/messages/"+first+"/read", "")
			require.Equal(t, http.StatusNoContent, status)
		}
		unread := s.ok(t, token, http.MethodGet, "/messages?unread=true", "")["items"].([]any)
		require.Len(t, unread, 1)
		require.Equal(t, second, unread[0].(map[string]any)["id"])
		require.EqualValues(t, 0, s.ok(t, other, http.MethodPost, "/messages/read-all", "")["read"])
		require.EqualValues(t, 1, s.ok(t, token, http.MethodPost, "/messages/read-all", "")["read"])
		require.EqualValues(t, 0, s.ok(t, token, http.MethodGet, "/messages/unread-count", "")["unread"])
	})
}

func TestSubscriptions(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newMessageSurface(t, f)
		token, _ := s.resident(t, "wang")
		template := func(answer map[string]any) map[string]any { return answer["items"].([]any)[0].(map[string]any) }
		before := s.ok(t, token, http.MethodGet, "/subscriptions/templates", "")
		require.Equal(t, false, before["consenting"])
		require.Equal(t, map[string]any{
			"template_id": "TPL_1", "topics": []any{"casework.moved", "ledger.points_expiring"},
			"labels": []any{"上报事件进度", "积分到期提醒"}, "remaining": 0.0,
		}, template(before))

		s.ok(t, token, http.MethodPut, "/consents/notifications", `{"version":"2026-01"}`)
		for _, want := range []int{1, 2, 2} {
			after := s.ok(t, token, http.MethodPost, "/subscriptions", `{"template_ids":["TPL_1"]}`)
			require.Equal(t, true, after["consenting"])
			require.EqualValues(t, want, template(after)["remaining"])
		}
		s.fails(t, 422, "notify.unknown_template", token, http.MethodPost, "/subscriptions", `{"template_ids":["TPL_2"]}`)
		s.fails(t, 422, "request.invalid", token, http.MethodPost, "/subscriptions", `{"template_ids":[]}`)
		s.fails(t, 422, "request.invalid", token, http.MethodPost, "/subscriptions", `{"template_ids":["1","2","3","4","5","6"]}`)
		require.EqualValues(t, 2, template(s.ok(t, token, http.MethodGet, "/subscriptions/templates", ""))["remaining"])

		s.ok(t, token, http.MethodDelete, "/profile", "")
		require.Zero(t, f.Count(t, "SELECT COUNT(*) FROM subscribe_quota"))
	})
}

func TestMessageGuards(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newMessageSurface(t, f)
		staff, err := f.LoginStaff(t.Context(), "root", identitytest.Password)
		require.NoError(t, err)
		for _, route := range []string{
			"GET /messages", "GET /messages/unread-count", "POST /messages/x/read", "POST /messages/read-all",
			"GET /subscriptions/templates", "POST /subscriptions",
		} {
			method, path, _ := strings.Cut(route, " ")
			s.fails(t, 401, "auth.required", "", method, path, "")
			s.fails(t, 403, "auth.forbidden", staff.AccessToken, method, path, "")
		}
	})
}
