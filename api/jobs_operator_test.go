package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/schedule"
	"jiamenkou/service/volunteer/volunteertest"
)

// jobActors are the actors of this test, by access token.
type jobActors map[string]authz.Actor

func (a jobActors) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	actor, ok := a[token]
	if !ok {
		return authz.Actor{}, authz.ErrAnonymous
	}
	return actor, nil
}

func TestJobs(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC), 1)
		release := make(chan struct{})
		runner, err := schedule.New(db, c, slog.New(slog.DiscardHandler), []schedule.Entry{{
			Name: "queue.prune", Title: "清理", Schedule: "17 * * * *", Timeout: time.Minute,
			Run: func(context.Context) (string, error) {
				<-release
				return schedule.Counts{{Name: "deleted", N: 3}}.String(), nil
			},
		}}, schedule.Options{Instance: "here"})
		require.NoError(t, err)
		staff := func(role authz.Role, path string) authz.Actor {
			return authz.Actor{Kind: authz.KindStaff, ID: string(role) + path, Grants: []authz.Grant{{Role: role, RegionPath: path}}}
		}
		router := gin.New()
		api.Mount(router, api.Services{Jobs: runner, Identity: volunteertest.People(t, db, c)}, httpapi.SurfaceConfig{
			Authenticator: jobActors{
				"root": staff(authz.RoleOperator, "/c/"), "town": staff(authz.RoleOperator, "/c/t/"),
				"auditor": staff(authz.RoleAuditor, "/c/"), "organizer": staff(authz.RoleOrganizer, "/c/"),
			},
			Limiters: map[string]*httpapi.Limiter{"login": httpapi.NewLimiter(60, 60, c.Now), "redemption": httpapi.NewLimiter(60, 60, c.Now), "unmask": httpapi.NewLimiter(60, 60, c.Now), "search": httpapi.NewLimiter(60, 60, c.Now)},
		})
		call := func(method, path, token string, want int, into any) {
			t.Helper()
			req := httptest.NewRequestWithContext(t.Context(), method, api.Prefix+path, http.NoBody)
			req.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			if into != nil {
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), into))
			}
		}
		type run struct {
			ID, Status, Cause, Result string
			RequestedBy               string `json:"requested_by"`
			Counts                    []struct {
				Name  string
				Count int64
			}
		}

		call("GET", "/jobs", "nobody", http.StatusUnauthorized, nil)
		call("GET", "/jobs", "organizer", http.StatusForbidden, nil)
		call("POST", "/jobs/queue.prune/runs", "auditor", http.StatusForbidden, nil)
		call("POST", "/jobs/queue.prune/runs", "town", http.StatusForbidden, nil)
		call("POST", "/jobs/no.such/runs", "root", http.StatusNotFound, nil)
		call("GET", "/jobs/no.such/runs", "root", http.StatusNotFound, nil)
		call("GET", "/jobs/NO/runs", "root", http.StatusUnprocessableEntity, nil)

		var started run
		call("POST", "/jobs/queue.prune/runs", "root", http.StatusAccepted, &started)
		require.Equal(t, run{ID: started.ID, Status: "running", Cause: "manual", RequestedBy: "operator/c/", Counts: started.Counts}, started)
		require.Empty(t, started.Counts)
		call("POST", "/jobs/queue.prune/runs", "root", http.StatusConflict, nil)
		close(release)
		_, err = runner.Await(t.Context(), started.ID)
		require.NoError(t, err)

		var runs struct{ Items []run }
		call("GET", "/jobs/queue.prune/runs", "auditor", http.StatusOK, &runs)
		require.Len(t, runs.Items, 1)
		require.Equal(t, run{started.ID, "succeeded", "manual", "deleted=3", "operator/c/", runs.Items[0].Counts}, runs.Items[0])
		require.Len(t, runs.Items[0].Counts, 1)
		require.Equal(t, "deleted", runs.Items[0].Counts[0].Name)
		require.EqualValues(t, 3, runs.Items[0].Counts[0].Count)
		var jobs struct {
			Items []struct {
				Name    string
				NextAt  time.Time `json:"next_at"`
				LastRun run       `json:"last_run"`
			}
		}
		call("GET", "/jobs", "town", http.StatusOK, &jobs)
		require.Len(t, jobs.Items, 1)
		require.Equal(t, runs.Items[0], jobs.Items[0].LastRun)
		require.True(t, jobs.Items[0].NextAt.Equal(time.Date(2026, 3, 1, 1, 17, 0, 0, time.UTC)))
		require.NoError(t, runner.Close(t.Context()))
	})
}
