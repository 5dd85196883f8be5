package leaderboard_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/leaderboard"
)

func TestBoard(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		listed, hidden := w.residents(4, w.EastVillage, true), w.resident(w.EastVillage, false)
		west := w.resident(w.WestVillage, true)
		for i, points := range []int64{9, 5, 5, 2} {
			w.earn(listed[i], points)
		}
		w.earn(hidden, 7)
		w.earn(west, 8)

		t.Run("is empty before the first count, and says so", func(t *testing.T) {
			p := w.page(listed[0], thisWeek)
			require.Empty(t, p.Items)
			require.Nil(t, p.AsOf)
		})
		w.build()
		t.Run("shows who agreed, equal points with equal rank, masked", func(t *testing.T) {
			p := w.page(listed[1], thisWeek)
			require.Equal(t, []string{"1:9", "2:5", "2:5", "4:2"}, slices.Collect(func(yield func(string) bool) {
				for _, l := range lines(p.Items) {
					yield(strings.TrimSuffix(l, "*"))
				}
			}))
			mine := 0
			for _, e := range p.Items {
				require.Equal(t, "王**", e.MaskedName)
				if e.Me {
					mine++
					require.EqualValues(t, 5, e.Points)
				}
			}
			require.Equal(t, 1, mine)
			require.Equal(t, w.EastVillage.ID, p.Region.ID)
			require.Equal(t, leaderboard.Period{Kind: model.LeaderboardWeek, Start: "2026-03-09", End: "2026-03-15"}, p.Period)
			require.Equal(t, clock.InstantOf(noon), *p.AsOf)
		})
		t.Run("has a town and a county above it", func(t *testing.T) {
			require.Equal(t, []string{"1:9*", "2:8", "3:5", "3:5", "5:2"}, w.lines(listed[0], leaderboard.Query{Kind: model.LeaderboardMonth, Level: model.RegionCounty}))
			require.Equal(t, []string{"1:9*", "2:5", "2:5", "4:2"}, w.lines(listed[0], leaderboard.Query{Kind: model.LeaderboardMonth, Level: model.RegionTown}))
			require.Equal(t, []string{"1:8*"}, w.lines(west, thisMonth))
		})
		t.Run("shows any region of the same county", func(t *testing.T) {
			require.Equal(t, []string{"1:8"}, w.lines(listed[0], leaderboard.Query{Kind: model.LeaderboardWeek, RegionID: w.West.ID}))
		})
	})
}

func TestRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage, true)
		w.earn(who, 5)
		w.build()
		grid := w.addRegion(w.EastVillage, model.RegionGrid, "grid")
		other := model.Region{ID: w.Clock.NewID()}
		w.Exec(t, `INSERT INTO region (id, code, level, name, path, created_at, updated_at) VALUES (?, 'other', 'county', '邻县', ?, 0, 0)`, other.ID, "/"+other.ID+"/")
		homeless, townsman := who, who
		homeless.RegionID, homeless.RegionPath = "", ""
		townsman.RegionID, townsman.RegionPath = w.East.ID, w.East.Path
		before := w.count("SELECT COALESCE(SUM(points), 0) FROM leaderboard_score")
		for name, c := range map[string]struct {
			actor authz.Actor
			query leaderboard.Query
			kind  fault.Kind
			code  string
		}{
			"staff":                        {w.Operator, thisWeek, fault.Forbidden, "auth.forbidden"},
			"nobody":                       {authz.Actor{}, thisWeek, fault.Forbidden, "auth.forbidden"},
			"a resident without a home":    {homeless, thisWeek, fault.Conflict, "leaderboard.no_home"},
			"another county":               {who, leaderboard.Query{Kind: "week", RegionID: other.ID}, fault.NotFound, "leaderboard.region_not_found"},
			"a grid":                       {who, leaderboard.Query{Kind: "week", RegionID: grid.ID}, fault.NotFound, "leaderboard.region_not_found"},
			"a region that does not exist": {who, leaderboard.Query{Kind: "week", RegionID: "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, fault.NotFound, "leaderboard.region_not_found"},
			"a village of a town's home":   {townsman, thisWeek, fault.NotFound, "leaderboard.region_not_found"},
			"a level below the village":    {who, leaderboard.Query{Kind: "week", Level: model.RegionGrid}, fault.Invalid, "leaderboard.bad_level"},
			"another kind":                 {who, leaderboard.Query{Kind: "year"}, fault.Invalid, "leaderboard.bad_period"},
			"a malformed day":              {who, leaderboard.Query{Kind: "week", Day: "2026-3-9"}, fault.Invalid, "leaderboard.bad_period"},
			"the next week":                {who, leaderboard.Query{Kind: "week", Day: "2026-03-16"}, fault.Invalid, "leaderboard.bad_period"},
			"a month that is gone":         {who, leaderboard.Query{Kind: "month", Day: "2025-01-31"}, fault.Invalid, "leaderboard.bad_period"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.boards.Board(t.Context(), c.actor, c.query, paging.Request{})
				require.Equal(t, c.code, fault.As(err).Code)
				require.Equal(t, c.kind, fault.KindOf(err))
				_, err = w.boards.MyRank(t.Context(), c.actor, c.query)
				require.Equal(t, c.code, fault.As(err).Code)
			})
		}
		for _, key := range []string{"5", "5\x1f-1", "-1\x1f0", "x\x1f0", "5\x1fx", "5\x1f100001", "5\x1f1\x1f1"} {
			cursor := base64.RawURLEncoding.EncodeToString([]byte(key))
			_, err := w.boards.Board(t.Context(), who, thisWeek, paging.Request{Cursor: cursor})
			require.ErrorIs(t, err, paging.ErrCursor, "%q", key)
		}
		require.Equal(t, before, w.count("SELECT COALESCE(SUM(points), 0) FROM leaderboard_score"))
	})
}

func TestOffByCompliance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage, true)
		w.earn(who, 5)
		off := w.service(leaderboard.Config{})
		n, err := off.Build(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = off.RefreshConsents(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		require.Zero(t, w.count("SELECT COUNT(*) FROM leaderboard_score"), "nobody is counted")
		_, err = off.Board(t.Context(), who, thisWeek, paging.Request{})
		require.ErrorIs(t, err, leaderboard.ErrOff)
		require.Equal(t, fault.NotFound, fault.KindOf(err))
		_, err = off.MyRank(t.Context(), who, thisWeek)
		require.ErrorIs(t, err, leaderboard.ErrOff)
		_, err = off.Totals(t.Context(), w.Operator, leaderboard.TotalsQuery{Kind: "week"}, paging.Request{})
		require.ErrorIs(t, err, leaderboard.ErrOff)
		_, err = off.Prune(t.Context())
		require.NoError(t, err)
		found, err := off.Audit(t.Context())
		require.NoError(t, err)
		require.Empty(t, found)
		require.Equal(t, 1, w.build(), "switched on, it catches up")
	})
}

func TestConsent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, second := w.resident(w.EastVillage, true), w.resident(w.EastVillage, false)
		w.earn(first, 9)
		w.earn(second, 5)
		w.build()
		t.Run("without it there are points, no rank and a hint", func(t *testing.T) {
			r := w.rank(second, thisWeek)
			require.EqualValues(t, 5, r.Points)
			require.Zero(t, r.Rank)
			require.False(t, r.Consenting)
			require.Contains(t, r.Hint, "同意")
			require.Equal(t, []string{"1:9"}, w.lines(second, thisWeek))
		})
		t.Run("with it there is a rank at once, and a line after the next refresh", func(t *testing.T) {
			w.consent(second, true)
			r := w.rank(second, thisWeek)
			require.EqualValues(t, 2, r.Rank)
			require.Empty(t, r.Hint)
			w.refresh()
			require.Equal(t, []string{"1:9", "2:5*"}, w.lines(second, thisWeek))
			require.Equal(t, []string{"1:9", "2:5*"}, w.lines(second, thisMonth))
			w.sound()
		})
		t.Run("taken back it hides at once", func(t *testing.T) {
			w.consent(first, false)
			require.Equal(t, []string{"2:5*"}, w.lines(second, thisWeek))
			require.Zero(t, w.rank(first, thisWeek).Rank)
			w.refresh()
			require.Equal(t, []string{"1:5*"}, w.lines(second, thisWeek))
			require.Equal(t, []string{"1:5*"}, w.lines(second, leaderboard.Query{Kind: "month", Level: model.RegionCounty}))
			w.sound()
		})
		t.Run("counts also for what was earned meanwhile", func(t *testing.T) {
			w.earn(first, 1)
			w.consent(first, true)
			w.build()
			w.refresh()
			require.Equal(t, []string{"1:10*", "2:5"}, w.lines(first, thisWeek))
			w.sound()
		})
		t.Run("reaches the last period, not those before", func(t *testing.T) {
			third := w.resident(w.EastVillage, false)
			w.earn(third, 3)
			w.build()
			w.Clock.Set(instant(t, "2026-03-18 12:00:00"))
			w.consent(third, true)
			w.refresh()
			last := leaderboard.Query{Kind: "week", Day: "2026-03-09"}
			require.Equal(t, []string{"1:10", "2:5", "3:3*"}, w.lines(third, last))
			w.Clock.Set(instant(t, "2026-03-25 12:00:00"))
			fourth := w.resident(w.EastVillage, false)
			w.earnAt(fourth, 4, "2026-03-11 12:00:00")
			w.build()
			w.consent(fourth, true)
			w.refresh()
			require.Equal(t, []string{"1:10", "2:5", "3:3"}, w.lines(fourth, last))
			w.consent(third, false)
			w.refresh()
			require.Equal(t, []string{"1:10", "2:5"}, w.lines(fourth, last), "withdrawn counts everywhere")
			w.sound()
		})
		t.Run("ends with the account", func(t *testing.T) {
			w.Clock.Set(noon)
			require.NoError(t, w.DeleteAccount(t.Context(), first))
			require.Equal(t, []string{"2:5*"}, w.lines(second, thisWeek))
		})
	})
}

func TestFrozenResidentsAreNotShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.residents(2, w.EastVillage, true)
		w.earn(who[0], 9)
		w.earn(who[1], 5)
		w.build()
		require.NoError(t, w.FreezeResident(t.Context(), w.Operator, who[0].ID, "核查积分"))
		require.Equal(t, []string{"2:5*"}, w.lines(who[1], thisWeek))
	})
}

func TestPaging(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		people := w.residents(23, w.EastVillage, true)
		var want []string
		for i, who := range people {
			points := int64(30 - i/8*10) // 8 with 30, 8 with 20, 7 with 10
			w.earn(who, points)
			want = append(want, fmt.Sprintf("%d:%d", i/8*8+1, points))
		}
		w.build()
		for _, limit := range []int{1, 3, 4, 8, 22, 23, 24} {
			var got []string
			page := paging.Request{Limit: limit}
			for range 24 {
				p, err := w.boards.Board(t.Context(), people[0], thisWeek, page)
				require.NoError(t, err)
				for _, l := range lines(p.Items) {
					got = append(got, strings.TrimSuffix(l, "*"))
				}
				if page.Cursor = p.Next; page.Cursor == "" {
					break
				}
			}
			require.Equal(t, want, got, "pages of %d", limit)
		}
	})
}

// spy notes every statement of the service while it is on.
type spy struct{ statements []statement }

type statement struct {
	sql  string
	vars []any
}

func spyOn(t *testing.T, db *database.DB) *spy {
	t.Helper()
	s := &spy{}
	note := func(tx *gorm.DB) {
		s.statements = append(s.statements, statement{tx.Statement.SQL.String(), slices.Clone(tx.Statement.Vars)})
	}
	on := db.Read(t.Context()).Callback()
	require.NoError(t, on.Query().Register("test:spy", note))
	require.NoError(t, on.Row().Register("test:spy", note))
	require.NoError(t, on.Raw().Register("test:spy", note))
	return s
}

func TestCost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Clock.Set(noon)
		add := func(n int) []authz.Actor {
			people := w.residents(n, w.EastVillage, true)
			for i, who := range people {
				w.award(w.event(who, int64(i%20+1), 0))
			}
			w.build()
			return people
		}
		who := add(20)[3]
		s := spyOn(t, w.DB)
		cost := func(call func()) int {
			s.statements = nil
			call()
			return len(s.statements)
		}
		rank := func() { w.rank(who, thisWeek) }
		board := func() {
			_, err := w.boards.Board(t.Context(), who, thisWeek, paging.Request{Limit: 10})
			require.NoError(t, err)
		}
		fewRank, fewBoard := cost(rank), cost(board)
		require.Equal(t, 5, fewRank)
		require.Equal(t, 7, fewBoard)
		add(300)
		require.Equal(t, fewBoard, cost(board), "statements of a page")
		read := s.statements
		require.Equal(t, fewRank, cost(rank), "statements of a rank")
		read = append(read, s.statements...)
		require.EqualValues(t, 20, w.count("SELECT COUNT(*) FROM leaderboard_bucket WHERE period_kind = 'week' AND region_id = ?", w.EastVillage.ID),
			"bars of 320 residents")
		w.sound()
		if w.DB.Driver() == database.MySQL {
			w.Exec(t, "ANALYZE TABLE leaderboard_score, leaderboard_bucket")
		}
		for _, st := range read {
			if strings.Contains(st.sql, "leaderboard_score") || strings.Contains(st.sql, "leaderboard_bucket") {
				w.requireIndexed(st)
			}
		}
	})
}

// requireIndexed fails if the statement reads a whole table or sorts.
func (w *world) requireIndexed(st statement) {
	w.t.Helper()
	explain := "EXPLAIN "
	if w.DB.Driver() == database.SQLite {
		explain = "EXPLAIN QUERY PLAN "
	}
	var rows []map[string]any
	require.NoError(w.t, w.DB.Read(w.t.Context()).Raw(explain+st.sql, st.vars...).Scan(&rows).Error)
	require.NotEmpty(w.t, rows)
	for _, r := range rows {
		plan := fmt.Sprint(r)
		if strings.Contains(st.sql, "ORDER BY points DESC, resident_id") {
			require.Contains(w.t, plan, "leaderboard_score_board_idx", st.sql)
		}
		if w.DB.Driver() == database.SQLite {
			require.Contains(w.t, plan, "SEARCH", st.sql)
			require.NotContains(w.t, plan, "TEMP B-TREE", st.sql)
			continue
		}
		require.NotEmpty(w.t, r["key"], "%s: %s", st.sql, plan)
		require.NotContains(w.t, []string{"ALL", "index"}, fmt.Sprint(r["type"]), "%s: %s", st.sql, plan)
		require.NotContains(w.t, plan, "filesort", st.sql)
	}
}

func TestTotals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		east, west := w.residents(3, w.EastVillage, false), w.resident(w.WestVillage, true)
		for _, who := range east {
			w.earn(who, 5)
		}
		w.earn(west, 7)
		w.build()
		totals := func(actor authz.Actor, q leaderboard.TotalsQuery, limit int) (out []string) {
			page := paging.Request{Limit: limit}
			for {
				p, err := w.boards.Totals(t.Context(), actor, q, page)
				require.NoError(t, err)
				for _, r := range p.Items {
					out = append(out, fmt.Sprintf("%s %d/%d %d", r.Name, r.Listed, r.Participants, r.Points))
				}
				if page.Cursor = p.Next; page.Cursor == "" {
					return out
				}
			}
		}
		staff := func(role authz.Role, r model.Region) authz.Actor {
			return authz.Actor{Kind: authz.KindStaff, ID: "s", Grants: []authz.Grant{{Role: role, RegionID: r.ID, RegionPath: r.Path}}}
		}
		week := leaderboard.TotalsQuery{Kind: model.LeaderboardWeek}
		all := []string{"county 1/4 22", "east 0/3 15", "east-village 0/3 15", "west 1/1 7", "west-village 1/1 7"}
		require.Equal(t, all, totals(w.Operator, week, 100))
		require.Equal(t, all, totals(w.Operator, week, 2))
		require.Equal(t, all[1:3], totals(staff(authz.RoleAuditor, w.East), week, 100))
		require.Equal(t, []string{all[1], all[3]}, totals(w.Operator, leaderboard.TotalsQuery{Kind: "month", Level: model.RegionTown}, 1))
		require.Equal(t, all[3:], totals(w.Operator, leaderboard.TotalsQuery{Kind: "week", RegionID: w.West.ID}, 100))
		require.Equal(t, "county 0/0 0", totals(w.Operator, leaderboard.TotalsQuery{Kind: "week", Day: "2026-03-02"}, 100)[0])
		for code, c := range map[string]struct {
			actor authz.Actor
			query leaderboard.TotalsQuery
		}{
			"auth.forbidden":               {staff(authz.RoleOrganizer, w.East), week},
			"leaderboard.region_not_found": {staff(authz.RoleOperator, w.East), leaderboard.TotalsQuery{Kind: "week", RegionID: w.West.ID}},
			"leaderboard.bad_level":        {w.Operator, leaderboard.TotalsQuery{Kind: "week", Level: model.RegionGrid}},
			"leaderboard.bad_period":       {w.Operator, leaderboard.TotalsQuery{Kind: "week", Day: "2030-01-01"}},
		} {
			_, err := w.boards.Totals(t.Context(), c.actor, c.query, paging.Request{})
			require.Equal(t, code, fault.As(err).Code)
		}
		_, err := w.boards.Totals(t.Context(), east[0], week, paging.Request{})
		require.ErrorIs(t, err, authz.ErrForbidden)
	})
}
