package leaderboard_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

// world is a county in which a minute of service earns a point.
type world struct {
	*identitytest.Fixture
	t      *testing.T
	ledger *ledger.Service
	policy *policy.Service
	boards *leaderboard.Service
	events int
}

// noon of Wednesday, 2026-03-11, in Shanghai.
var noon = time.Date(2026, 3, 11, 4, 0, 0, 0, time.UTC)

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		w := &world{Fixture: f, t: t, ledger: ledger.New(f.DB, f.Clock)}
		w.policy = policy.New(f.DB, f.Clock, w.ledger)
		w.boards = w.service(leaderboard.Config{Enabled: true})
		budget, err := w.policy.CreateBudget(t.Context(), f.Operator, policy.BudgetInput{
			RegionID: f.County.ID, Name: "全部", StartsOn: "2020-01-01", EndsOn: "2030-12-31", LimitPoints: 1_000_000_000,
		})
		require.NoError(t, err)
		_, err = w.policy.PublishRule(t.Context(), f.Operator, policy.RuleInput{
			RegionID: f.County.ID, EventKind: model.EventVolunteerService, BudgetID: budget.ID, Points: 1, PerMinutes: 1, MaxPoints: 100_000,
			DailyCap: 1000, ObjectCap: 1000, Expiry: model.ExpiryEndOfNextYear, ActiveFrom: clock.Day("2020-01-01").Start(),
		})
		require.NoError(t, err)
		f.Clock.Set(noon)
		test(t, w)
		ledgertest.RequireSound(t, f.DB)
	})
}

func (w *world) service(cfg leaderboard.Config) *leaderboard.Service { return w.on(w.Clock, cfg) }

func (w *world) on(c clock.Clock, cfg leaderboard.Config) *leaderboard.Service {
	return leaderboard.New(w.DB, c, region.New(w.DB, c), w.Service, w.ledger, cfg)
}

// residents makes n residents at home in the region; consent lists them.
func (w *world) residents(n int, home model.Region, consent bool) []authz.Actor {
	w.t.Helper()
	in := make([]identity.NewResident, n)
	for i := range in {
		in[i] = identity.NewResident{RealName: "王小明", HomeRegionID: home.ID}
		if consent {
			in[i].Consents = []identity.NewConsent{{Purpose: model.ConsentLeaderboard, Version: "1"}}
		}
	}
	ids, err := w.CreateResidents(w.t.Context(), identitytest.System, in)
	require.NoError(w.t, err)
	out := make([]authz.Actor, n)
	for i, id := range ids {
		out[i] = authz.Actor{Kind: authz.KindResident, ID: id, RegionID: home.ID, RegionPath: home.Path}
	}
	return out
}

func (w *world) resident(home model.Region, consent bool) authz.Actor {
	return w.residents(1, home, consent)[0]
}

// event is one that earns points; at 0 means now.
func (w *world) event(who authz.Actor, points int64, at clock.Instant) policy.Event {
	w.events++
	if at == 0 {
		at = clock.Now(w.Clock)
	}
	return policy.Event{
		Kind: model.EventVolunteerService, ID: "e" + strconv.Itoa(w.events), ResidentID: who.ID, ObjectID: "shift",
		Minutes: points, ActorID: "organizer", OccurredAt: at,
	}
}

func (w *world) award(events ...policy.Event) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.DB, func(tx *gorm.DB) error {
		awards, err := w.policy.AwardTx(w.t.Context(), tx, events)
		for _, a := range awards {
			if err == nil && a.Status != model.AwardPosted {
				err = fmt.Errorf("award is %s", a.Status)
			}
		}
		return err
	}))
}

func (w *world) earn(who authz.Actor, points int64) { w.t.Helper(); w.award(w.event(who, points, 0)) }

func (w *world) earnAt(who authz.Actor, points int64, at string) {
	w.t.Helper()
	w.award(w.event(who, points, clock.InstantOf(instant(w.t, at))))
}

// instant reads a Shanghai time.
func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, clock.Shanghai)
	require.NoError(t, err)
	return at
}

func (w *world) build() int {
	w.t.Helper()
	n, err := w.boards.Build(w.t.Context())
	require.NoError(w.t, err)
	return n
}

func (w *world) refresh() {
	w.t.Helper()
	_, err := w.boards.RefreshConsents(w.t.Context())
	require.NoError(w.t, err)
}

func (w *world) consent(who authz.Actor, yes bool) {
	w.t.Helper()
	err := w.WithdrawConsent(w.t.Context(), who, model.ConsentLeaderboard)
	if yes {
		err = w.GrantConsent(w.t.Context(), who, model.ConsentLeaderboard, "1")
	}
	require.NoError(w.t, err)
}

func (w *world) sound() {
	w.t.Helper()
	found, err := w.boards.Audit(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, found)
}

var (
	thisWeek  = leaderboard.Query{Kind: model.LeaderboardWeek}
	thisMonth = leaderboard.Query{Kind: model.LeaderboardMonth}
)

func (w *world) page(who authz.Actor, q leaderboard.Query) leaderboard.Page {
	w.t.Helper()
	p, err := w.boards.Board(w.t.Context(), who, q, paging.Request{Limit: 100})
	require.NoError(w.t, err)
	return p
}

// lines shows a page as "rank:points", "*" behind the caller's own.
func lines(entries []leaderboard.Entry) []string {
	out := []string{}
	for _, e := range entries {
		line := fmt.Sprintf("%d:%d", e.Rank, e.Points)
		if e.Me {
			line += "*"
		}
		out = append(out, line)
	}
	return out
}

func (w *world) lines(who authz.Actor, q leaderboard.Query) []string {
	return lines(w.page(who, q).Items)
}

func (w *world) rank(who authz.Actor, q leaderboard.Query) leaderboard.Rank {
	w.t.Helper()
	r, err := w.boards.MyRank(w.t.Context(), who, q)
	require.NoError(w.t, err)
	return r
}

// scores reads one board's rows: points by resident.
func (w *world) scores(kind leaderboard.Kind, start clock.Day, regionID string) map[string]int64 {
	w.t.Helper()
	var rows []model.LeaderboardScore
	require.NoError(w.t, w.DB.Read(w.t.Context()).
		Where("period_kind = ? AND period_start = ? AND region_id = ?", kind, start, regionID).Find(&rows).Error)
	out := map[string]int64{}
	for _, r := range rows {
		out[r.ResidentID] = r.Points
	}
	return out
}

// tripwire is a clock that cancels a context at the nth question for the time:
// a kill at a place that the service itself marks.
type tripwire struct {
	clock.Clock
	left   atomic.Int64
	cancel context.CancelFunc
}

func (c *tripwire) Now() time.Time {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
	return c.Clock.Now()
}
