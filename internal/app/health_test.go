package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

// testNow is a Tuesday, 09:00 in Shanghai.
var testNow = time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)

func newClock() *clock.Manual { return clock.NewManual(testNow, 1) }

// around serves an App's handler without the program around it.
func around(t *testing.T, a *App) *site {
	t.Helper()
	handler, err := a.handler()
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newSite(t, server.Listener.Addr().String())
}

func TestReadiness(t *testing.T) {
	type readiness struct{ Status, Database, Migrations, Jobs string }
	ready := func(t *testing.T, s *site, status int) (out readiness) {
		a := s.call(http.MethodGet, "/readyz", "", nil)
		require.Equal(t, status, a.status, a.String())
		require.NoError(t, json.Unmarshal(a.body, &out))
		return out
	}
	t.Run("is ok on a migrated database", func(t *testing.T) {
		bothDrivers(t, func(t *testing.T, db database.Config) {
			s := around(t, openApp(t, environ(t, db), newClock()))
			require.Equal(t, readiness{"ok", "ok", "ok", "ok"}, ready(t, s, 200))
			require.JSONEq(t, `{"status":"ok"}`, string(s.call(http.MethodGet, "/healthz", "", nil).body))
		})
	})
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run("is 503 while migrations are pending, on "+string(driver), func(t *testing.T) {
			s := around(t, openApp(t, environ(t, databasetest.FreshConfig(t, driver)), newClock()))
			got := ready(t, s, 503)
			require.Equal(t, "unavailable", got.Status)
			require.Equal(t, "pending", got.Migrations)
			require.Equal(t, 200, s.call(http.MethodGet, "/healthz", "", nil).status, "the process itself is well")
		})
	}
	t.Run("is 503 when the database is gone, and says nothing about it", func(t *testing.T) {
		bothDrivers(t, func(t *testing.T, db database.Config) {
			a := openApp(t, environ(t, db), newClock())
			s := around(t, a)
			ready(t, s, 200)
			require.NoError(t, a.db.Close())
			a.closed = a.closed[1:] // the database is closed already
			require.Equal(t, "unreachable", ready(t, s, 503).Database)
			require.Equal(t, 200, s.call(http.MethodGet, "/healthz", "", nil).status)
			answer := s.call(http.MethodPost, "/mp/v1/auth/login", "", object{"code": "demo-a-1"})
			require.Contains(t, []int{500, 503}, answer.status)
			require.NotContains(t, strings.ToLower(answer.String()), "sql", "the cause is for the log")
		})
	})
}

func TestMetrics(t *testing.T) {
	env := environ(t, databasetest.Config(t, database.SQLite))
	s := around(t, openApp(t, env, newClock()))
	require.Equal(t, 401, s.call(http.MethodGet, "/mp/v1/cases/01KJKB3Q00J6ZFGWBHSZT8HNC7", "", nil).status)
	metrics := func() string { return string(s.call(http.MethodGet, "/metrics", "", nil).body) }
	text := metrics()
	for _, want := range []string{
		`jiamenkou_http_request_duration_seconds_count{method="GET",route="/mp/v1/cases/:id",status="401"} 1`,
		"go_goroutines", "process_open_fds", `go_sql_open_connections{db_name="write"}`,
		"jiamenkou_queue_succeeded_total 0", "jiamenkou_queue_dead_total 0", "jiamenkou_queue_retried_total 0",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "01KJKB3Q00J6ZFGWBHSZT8HNC7", "labels are route patterns")

	// A caller chooses paths and methods: neither may make series.
	series := func() int { return strings.Count(metrics(), "jiamenkou_http_request_duration_seconds_count") }
	s.call("ODD0", "/nowhere", "", nil)
	before := series()
	for i := range 20 {
		s.call(fmt.Sprintf("ODD%d", i), fmt.Sprintf("/nowhere/%d", i), "", nil)
	}
	require.Equal(t, before, series())
}

var (
	// reference is what a page makes the browser load.
	reference = regexp.MustCompile(`(?i)<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)\s*=\s*["']?([^"'\s>]+)`)
	// outside is what code makes the browser load: assigned sources, imports,
	// requests and sockets with a host of their own.
	outside = regexp.MustCompile(`(?i)(?:@import\s+(?:url\()?|url\(|importScripts\(|new Worker\(|\bimport\(|fetch\(|\.src\s*=|\.open\("get",|new WebSocket\()\s*["']?(?:https?:|wss?:)?//[^"')\s]+`)
	anyURL  = regexp.MustCompile(`(?i)(?:https?:)?//[^\s"'<>]+`)
)

func TestReferencePages(t *testing.T) {
	s := around(t, openApp(t, environ(t, databasetest.Config(t, database.SQLite)), newClock()))
	for _, name := range []string{"mp-v1", "api-v1"} {
		t.Run(name, func(t *testing.T) {
			base := "/docs/" + name + "/"
			page := s.call(http.MethodGet, base, "", nil)
			require.Equal(t, 200, page.status)
			require.Contains(t, page.header.Get("Content-Type"), "text/html")
			require.Contains(t, string(page.body), "/openapi/"+name+".json")
			require.Empty(t, anyURL.FindAllString(withoutComments(string(page.body)), -1), "the page names no other host")
			assets := reference.FindAllStringSubmatch(string(page.body), -1)
			require.NotEmpty(t, assets)
			for _, m := range assets {
				require.NotContains(t, m[1], "//")
				path := m[1]
				if !strings.HasPrefix(path, "/") {
					path = base + path
				}
				asset := s.call(http.MethodGet, path, "", nil)
				require.Equal(t, 200, asset.status, path)
				require.NotEmpty(t, asset.body, path)
				require.NotContains(t, asset.header.Get("Content-Type"), "text/html", path)
				require.Empty(t, outside.FindAllString(string(asset.body), -1), path)
			}
			doc := s.call(http.MethodGet, "/openapi/"+name+".json", "", nil)
			require.Equal(t, "application/json", doc.header.Get("Content-Type"))
			require.True(t, json.Valid(doc.body))
		})
	}
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	require.Equal(t, "/docs/mp-v1/", s.call(http.MethodGet, "/docs", "", nil).header.Get("Location"))
}

var comment = regexp.MustCompile(`(?s)<!--.*?-->`)

func withoutComments(html string) string { return comment.ReplaceAllString(html, "") }

func TestDocumentsAreCommitted(t *testing.T) {
	docs, err := Documents()
	require.NoError(t, err)
	again, err := Documents()
	require.NoError(t, err)
	require.Equal(t, docs, again)
	folder := t.TempDir()
	code, out, errs := run(t, nil, nil, "openapi", folder)
	require.Zero(t, code, errs)
	require.Contains(t, out, "mp-v1.json")
	code, _, errs = run(t, nil, nil, "openapi", "--check", folder)
	require.Zero(t, code, errs)
	code, _, errs = run(t, nil, nil, "openapi", "--check", t.TempDir())
	require.Equal(t, 1, code)
	require.Contains(t, errs, "stale")
}

func TestStopsWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs output
	p := Program{Defaults: defaults(t), Environ: environ(t, databasetest.Config(t, database.SQLite)), Out: &out, Err: &errs}
	require.Equal(t, 1, p.Run(ctx, []string{"serve"}), "it never served")
	require.NotContains(t, errs.String(), "panic")
}
