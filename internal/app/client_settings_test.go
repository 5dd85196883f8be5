package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/demo"
	"jiamenkou/service/identity"
)

func TestClientConfig(t *testing.T) {
	a := openApp(t, environ(t, databasetest.Config(t, database.SQLite),
		"JMK_COMPLIANCE_DAILY_SIGN_IN=false", "JMK_NOTIFY_TEMPLATES=casework.moved:TEMPLATE-1", "JMK_CASEWORK_MAX_UPLOAD_BYTES=1000000"), newClock())
	ask := func(t *testing.T) (answer, http.Header) {
		h, err := a.handler()
		require.NoError(t, err)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mp/v1/client-config", http.NoBody))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body.String())
		return answer{status: rec.Code, body: rec.Body.Bytes()}, rec.Header()
	}
	type config1 struct {
		Mode          string
		DemoResidents []struct{ Name, Code string }           `json:"demo_residents"`
		DemoStaff     []struct{ Username, Name, Role string } `json:"demo_staff"`
		DailySignIn   bool                                    `json:"daily_sign_in"`
		Leaderboards  bool                                    `json:"resident_leaderboards"`
		MaxUpload     int64                                   `json:"max_upload_bytes"`
		MaxPictures   int                                     `json:"max_attachments"`
		CodeStep      int64                                   `json:"code_step_seconds"`
		Templates     []struct{ Topic, Title string }         `json:"subscribe_templates"`
		Consents      []struct{ Purpose, Version, Collects, Why string }
	}
	t.Run("tells the settings and the texts of every purpose", func(t *testing.T) {
		raw, header := ask(t)
		require.Equal(t, "public, max-age=300", header.Get("Cache-Control"))
		got := into[config1](t, raw)
		require.Equal(t, "demo", got.Mode)
		require.False(t, got.DailySignIn)
		require.True(t, got.Leaderboards)
		require.EqualValues(t, 1_000_000, got.MaxUpload)
		require.Equal(t, 9, got.MaxPictures)
		require.EqualValues(t, 30, got.CodeStep)
		require.Len(t, got.Templates, 1)
		require.Equal(t, "casework.moved", got.Templates[0].Topic)
		require.Len(t, got.Consents, 4)
		for _, c := range got.Consents {
			require.Equal(t, identity.ConsentVersion, c.Version)
			require.NotEmpty(t, c.Collects)
			require.NotEmpty(t, c.Why)
		}
		require.Len(t, got.DemoResidents, 4)
		require.Len(t, got.DemoStaff, 6)
	})
	t.Run("in production tells no demo login", func(t *testing.T) {
		a.cfg.Mode = config.Production
		raw, _ := ask(t)
		got := into[config1](t, raw)
		require.Equal(t, "production", got.Mode)
		require.Empty(t, got.DemoResidents)
		require.Empty(t, got.DemoStaff)
		for _, p := range append(demo.Residents(), demo.Staff()...) {
			require.NotContains(t, string(raw.body), `"`+p.Login+`"`)
			require.NotContains(t, string(raw.body), p.Name)
		}
		require.NotContains(t, string(raw.body), demo.Password)
	})
	t.Run("against the real WeChat, demo residents cannot log in and are not told", func(t *testing.T) {
		a.cfg.Mode, a.cfg.WeChat.Simulator = config.Demo, false
		raw, _ := ask(t)
		require.Empty(t, into[config1](t, raw).DemoResidents)
	})
}
