package api_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/httpapi"
	"jiamenkou/model"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/notify"
)

func TestMessages(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		gin.SetMode(gin.ReleaseMode)
		service, err := notify.New(f.DB, f.Clock, ledger.New(f.DB, f.Clock), f.WeChat, notify.Config{})
		require.NoError(t, err)
		s := &identitySurface{Fixture: f, router: gin.New(), log: &strings.Builder{}}
		s.router.Use(httpapi.Requests(f.Clock, slog.New(slog.NewJSONHandler(s.log, nil))))
		api.Mount(s.router, api.Services{Identity: f.Service, Notify: service}, httpapi.SurfaceConfig{
			Authenticator: f.Service, MaxBodyBytes: 1 << 16, Limiters: limiters(f.Clock.Now, 600),
		})
		f.Staff(t, "worker", authz.RoleGridWorker, f.EastVillage.ID)
		root, worker := s.login(t, "root"), s.login(t, "worker")
		m := model.Message{
			ID: f.Clock.NewID(), StaffID: &f.Operator.ID, JobID: f.Clock.NewID(), Topic: "policy.budget_low", Title: "积分预算所剩不多", Body: "正文",
			Link: "/budgets", CreatedAt: clock.Now(f.Clock),
		}
		require.NoError(t, database.InTx(t.Context(), f.DB, func(tx *gorm.DB) error { return tx.Create(&m).Error }))

		item := s.ok(t, root, http.MethodGet, "/messages?unread=true", "")["items"].([]any)[0].(map[string]any)
		require.Equal(t, m.ID, item["id"])
		require.Equal(t, "积分预算所剩不多", item["title"])
		require.Equal(t, "/budgets", item["link"])
		require.Nil(t, item["read_at"])
		require.Empty(t, s.ok(t, worker, http.MethodGet, "/messages", "")["items"])
		s.fails(t, 404, "notify.message_not_found", worker, http.MethodPost, "/messages/"+m.ID+"/read", "")
		require.EqualValues(t, 1, s.ok(t, root, http.MethodGet, "/messages/unread-count", "")["unread"])
		s.ok(t, root, http.MethodPost, "/messages/"+m.ID+"/read", "")
		require.EqualValues(t, 0, s.ok(t, root, http.MethodGet, "/messages/unread-count", "")["unread"])
		require.Empty(t, s.ok(t, root, http.MethodGet, "/messages?unread=true", "")["items"])
		require.NotNil(t, s.ok(t, root, http.MethodGet, "/messages", "")["items"].([]any)[0].(map[string]any)["read_at"])

		_, tokens := f.Resident(t, "wang")
		for _, route := range []string{"GET /messages", "GET /messages/unread-count", "POST /messages/" + m.ID + "/read"} {
			method, path, _ := strings.Cut(route, " ")
			s.fails(t, 401, "auth.required", "", method, path, "")
			s.fails(t, 403, "auth.forbidden", tokens.AccessToken, method, path, "")
		}
	})
}
