package miniprogram_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/miniprogram-api"
	"jiamenkou/model"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

func newLeaderboardSurface(t *testing.T, f *identitytest.Fixture, cfg leaderboard.Config) (*identitySurface, *leaderboard.Service) {
	t.Helper()
	boards := leaderboard.New(f.DB, f.Clock, region.New(f.DB, f.Clock), f.Service, ledger.New(f.DB, f.Clock), cfg)
	return mountIdentity(t, f, miniprogram.Services{Leaderboard: boards}, 600), boards
}

func TestLeaderboard(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s, boards := newLeaderboardSurface(t, f, leaderboard.Config{Enabled: true})
		token, _ := s.resident(t, "wang")
		s.fails(t, 409, "leaderboard.no_home", token, http.MethodGet, "/leaderboard", "")
		s.ok(t, token, http.MethodPut, "/profile/home-region", `{"region_id":"`+f.EastVillage.ID+`"}`)
		s.ok(t, token, http.MethodPut, "/profile/real-name", `{"real_name":"王小明"}`)
		empty := s.ok(t, token, http.MethodGet, "/leaderboard/me", "")
		require.Nil(t, empty["as_of"])
		require.Nil(t, empty["rank"])

		awardSignIn(t, f, s.ok(t, token, http.MethodGet, "/profile", "")["id"].(string))
		_, err := boards.Build(t.Context())
		require.NoError(t, err)
		mine := s.ok(t, token, http.MethodGet, "/leaderboard/me", "")
		require.EqualValues(t, 3, mine["points"])
		require.Nil(t, mine["rank"])
		require.Equal(t, false, mine["consenting"])
		require.NotEmpty(t, mine["hint"])
		require.Empty(t, s.ok(t, token, http.MethodGet, "/leaderboard", "")["items"])

		s.ok(t, token, http.MethodPut, "/consents/leaderboard", `{"version":"2026-01"}`)
		_, err = boards.RefreshConsents(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, s.ok(t, token, http.MethodGet, "/leaderboard/me?level=county", "")["rank"])
		page := s.ok(t, token, http.MethodGet, "/leaderboard?kind=month&region_id="+f.County.ID, "")
		require.Equal(t, []any{map[string]any{"rank": 1.0, "masked_name": "王**", "points": 3.0, "me": true}}, page["items"])
		require.Equal(t, "month", page["kind"])
		require.Equal(t, "2026-03-01", page["starts_on"])
		require.Equal(t, "2026-03-31", page["ends_on"])
		require.Equal(t, "county", page["level"])
		require.Contains(t, page["as_of"], "+08:00")
		require.Empty(t, page["next"])

		s.ok(t, token, http.MethodDelete, "/consents/leaderboard", "")
		require.Empty(t, s.ok(t, token, http.MethodGet, "/leaderboard", "")["items"])
		s.fails(t, 422, "leaderboard.bad_period", token, http.MethodGet, "/leaderboard?day=2030-01-01", "")
		s.fails(t, 404, "leaderboard.region_not_found", token, http.MethodGet, "/leaderboard?region_id=01ARZ3NDEKTSV4RRFFQ69G5FAV", "")
		s.fails(t, 422, "page.bad_cursor", token, http.MethodGet, "/leaderboard?cursor=x", "")
		ledgertest.RequireSound(t, f.DB)
	})
}

func TestLeaderboardGuards(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s, _ := newLeaderboardSurface(t, f, leaderboard.Config{})
		staff, err := f.LoginStaff(t.Context(), "root", identitytest.Password)
		require.NoError(t, err)
		token, _ := s.resident(t, "wang")
		for _, path := range []string{"/leaderboard", "/leaderboard/me"} {
			s.fails(t, 401, "auth.required", "", http.MethodGet, path, "")
			s.fails(t, 403, "auth.forbidden", staff.AccessToken, http.MethodGet, path, "")
			s.fails(t, 404, "leaderboard.off", token, http.MethodGet, path, "")
		}
	})
}

// awardSignIn gives the resident 3 points under a rule of the county.
func awardSignIn(t *testing.T, f *identitytest.Fixture, residentID string) {
	t.Helper()
	p := policy.New(f.DB, f.Clock, ledger.New(f.DB, f.Clock))
	budget, err := p.CreateBudget(t.Context(), f.Operator, policy.BudgetInput{
		RegionID: f.County.ID, Name: "2026", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1000,
	})
	require.NoError(t, err)
	_, err = p.PublishRule(t.Context(), f.Operator, policy.RuleInput{
		RegionID: f.County.ID, EventKind: model.EventDailySignIn, BudgetID: budget.ID, Points: 3, MaxPoints: 3,
		DailyCap: 1, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	})
	require.NoError(t, err)
	require.NoError(t, database.InTx(t.Context(), f.DB, func(tx *gorm.DB) error {
		_, err := p.AwardTx(t.Context(), tx, []policy.Event{{
			Kind: model.EventDailySignIn, ID: "e1", ResidentID: residentID, ObjectID: "day", ActorID: residentID, OccurredAt: clock.Now(f.Clock),
		}})
		return err
	}))
}
