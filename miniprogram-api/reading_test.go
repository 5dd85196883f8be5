package miniprogram_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
)

// readers are the actors of this test, by access token.
type readers map[string]authz.Actor

func (a readers) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	if actor, ok := a[token]; ok {
		return actor, nil
	}
	return authz.Actor{}, authz.ErrAnonymous
}

type readingWorld struct {
	clock    *clock.Manual
	county   model.Region
	resident authz.Actor
	homeless authz.Actor
	operator authz.Actor
	points   *ledger.Service
	policy   *policy.Service
}

func newReadingWorld(t *testing.T, db *database.DB) readingWorld {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC), 1)
	w := readingWorld{clock: c, points: ledger.New(db, c)}
	w.policy = policy.New(db, c, w.points)
	w.county = model.Region{ID: c.NewID(), Code: "330481000000", Level: model.RegionCounty, Name: "海宁市", Version: 1}
	w.county.Path = "/" + w.county.ID + "/"
	w.resident = authz.Actor{Kind: authz.KindResident, ID: c.NewID(), RegionID: w.county.ID, RegionPath: w.county.Path}
	w.homeless = authz.Actor{Kind: authz.KindResident, ID: c.NewID()}
	w.operator = authz.Actor{Kind: authz.KindStaff, ID: "operator", Grants: []authz.Grant{{Role: authz.RoleOperator, RegionPath: w.county.Path}}}
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		if err := tx.Create(&w.county).Error; err != nil {
			return err
		}
		return tx.Create([]model.Resident{
			{ID: w.resident.ID, VolunteerNumber: "V1", HomeRegionID: &w.county.ID, Status: model.ResidentActive},
			{ID: w.homeless.ID, VolunteerNumber: "V2", Status: model.ResidentActive},
		}).Error
	}))
	budget, err := w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
		RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100,
	})
	require.NoError(t, err)
	for _, kind := range []model.EventKind{model.EventArticleRead, model.EventDailySignIn} {
		_, err = w.policy.PublishRule(t.Context(), w.operator, policy.RuleInput{
			RegionID: w.county.ID, EventKind: kind, BudgetID: budget.ID, Points: 2, MaxPoints: 2,
			DailyCap: 1, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
		})
		require.NoError(t, err)
	}
	return w
}

func (w readingWorld) publish(t *testing.T, s *reading.Service) string {
	t.Helper()
	a, err := s.Create(t.Context(), w.operator, w.county.ID, reading.ArticleInput{Title: "创城播报", Body: "正文", MinSeconds: 10})
	require.NoError(t, err)
	_, err = s.Publish(t.Context(), w.operator, reading.Change{ArticleID: a.ID, Version: a.Version})
	require.NoError(t, err)
	return a.ID
}

func TestReadingAndSignIn(t *testing.T) {
	gin.SetMode(gin.TestMode)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newReadingWorld(t, db)
		open := func(cfg reading.Config) (*reading.Service, func(method, path, token string, want int, into any) string) {
			service, err := reading.New(db, w.clock, w.points, w.policy, cfg)
			require.NoError(t, err)
			router := gin.New()
			miniprogram.Mount(router, miniprogram.Services{Reading: service}, httpapi.SurfaceConfig{
				Authenticator: readers{"resident": w.resident, "operator": w.operator, "homeless": w.homeless},
				Limiters:      limiters(w.clock.Now, 60),
			})
			return service, func(method, path, token string, want int, into any) string {
				t.Helper()
				req := httptest.NewRequestWithContext(t.Context(), method, miniprogram.Prefix+path, http.NoBody)
				req.Header.Set("Authorization", "Bearer "+token)
				answer := httptest.NewRecorder()
				router.ServeHTTP(answer, req)
				require.Equal(t, want, answer.Code, answer.Body.String())
				if into != nil {
					require.NoError(t, json.Unmarshal(answer.Body.Bytes(), into))
				}
				var problem struct{ Code string }
				_ = json.Unmarshal(answer.Body.Bytes(), &problem)
				return problem.Code
			}
		}
		service, call := open(reading.Config{DailySignIn: true})
		first, second := w.publish(t, service), w.publish(t, service)

		type award struct {
			Status, Note string
			Points       int64
		}
		var list httpapi.PageBody[struct {
			ID     string
			Read   bool
			Points int64
		}]
		call("GET", "/articles", "nobody", http.StatusUnauthorized, nil)
		call("GET", "/articles", "operator", http.StatusForbidden, nil)
		call("GET", "/articles?limit=1", "resident", http.StatusOK, &list)
		require.Len(t, list.Items, 1)
		require.NotEmpty(t, list.Next)
		require.EqualValues(t, 2, list.Items[0].Points)
		call("GET", "/articles?q=没有&unread=true", "resident", http.StatusOK, &list)
		require.Empty(t, list.Items)
		var article struct {
			Body       string
			RegionName string `json:"region_name"`
		}
		call("GET", "/articles/"+first, "resident", http.StatusOK, &article)
		require.Equal(t, "正文", article.Body)
		require.Equal(t, "海宁市", article.RegionName)
		require.Equal(t, "reading.article_not_found", call("GET", "/articles/"+first, "homeless", http.StatusNotFound, nil))
		require.Equal(t, "reading.article_not_found", call("POST", "/articles/"+first+"/reading-sessions", "homeless", http.StatusNotFound, nil))

		var session struct {
			ID, Status       string
			SecondsLeft      int64 `json:"seconds_left"`
			HeartbeatSeconds int64 `json:"heartbeat_seconds"`
		}
		var completion struct{ Award award }
		call("POST", "/articles/"+first+"/reading-sessions", "resident", http.StatusOK, &session)
		require.EqualValues(t, 5, session.HeartbeatSeconds)
		path := "/reading-sessions/" + session.ID
		require.Equal(t, "reading.too_short", call("POST", path+"/complete", "resident", http.StatusConflict, nil))
		require.Equal(t, "reading.session_not_found", call("POST", path+"/beats", "homeless", http.StatusNotFound, nil))
		require.Equal(t, "reading.session_not_found", call("POST", path+"/complete", "homeless", http.StatusNotFound, nil))
		w.clock.Advance(5 * time.Second)
		call("POST", path+"/beats", "resident", http.StatusOK, &session)
		require.EqualValues(t, 5, session.SecondsLeft)
		w.clock.Advance(5 * time.Second)
		for range 2 {
			call("POST", path+"/complete", "resident", http.StatusOK, &completion)
			require.Equal(t, award{Status: "posted", Points: 2}, completion.Award)
		}

		// The second of the day is capped, and the resident is told so.
		call("POST", "/articles/"+second+"/reading-sessions", "resident", http.StatusOK, &session)
		stale := session.ID
		w.clock.Advance(10 * time.Second)
		call("POST", "/reading-sessions/"+stale+"/complete", "resident", http.StatusOK, &completion)
		require.Equal(t, award{Status: "capped", Note: "今天的积分次数已用完，明天再来"}, completion.Award)
		call("GET", "/articles", "resident", http.StatusOK, &list)
		for _, a := range list.Items {
			require.True(t, a.Read)
			require.Zero(t, a.Points)
		}
		third := w.publish(t, service)
		call("POST", "/articles/"+third+"/reading-sessions", "resident", http.StatusOK, &session)
		w.clock.Advance(3 * time.Hour)
		require.Equal(t, "reading.session_over", call("POST", "/reading-sessions/"+session.ID+"/beats", "resident", http.StatusGone, nil))

		// Signing in.
		var state struct {
			Enabled, Signed bool
			Points          int64
		}
		call("GET", "/sign-ins/today", "resident", http.StatusOK, &state)
		require.True(t, state.Enabled && !state.Signed)
		require.EqualValues(t, 2, state.Points)
		var signed struct {
			Day        string
			StreakDays int64 `json:"streak_days"`
			Award      award
		}
		for range 2 {
			call("POST", "/sign-ins", "resident", http.StatusOK, &signed)
			require.Equal(t, "2026-03-10", signed.Day)
			require.EqualValues(t, 1, signed.StreakDays)
			require.EqualValues(t, 2, signed.Award.Points)
		}
		require.Equal(t, "reading.no_home", call("POST", "/sign-ins", "homeless", http.StatusConflict, nil))
		call("POST", "/sign-ins", "operator", http.StatusForbidden, nil)
		_, off := open(reading.Config{})
		require.Equal(t, "reading.sign_in_off", off("POST", "/sign-ins", "resident", http.StatusForbidden, nil))
		off("GET", "/sign-ins/today", "resident", http.StatusOK, &state)
		require.False(t, state.Enabled)

		ledgertest.RequireSound(t, db)
	})
}
