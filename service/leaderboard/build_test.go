package leaderboard_test

import (
	"context"
	"flag"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
)

func TestPeriodOf(t *testing.T) {
	for _, c := range []struct{ day, monday, sunday, first, last string }{
		{"2026-03-11", "2026-03-09", "2026-03-15", "2026-03-01", "2026-03-31"},
		{"2026-03-09", "2026-03-09", "2026-03-15", "2026-03-01", "2026-03-31"}, // a Monday
		{"2026-03-15", "2026-03-09", "2026-03-15", "2026-03-01", "2026-03-31"}, // a Sunday
		{"2027-01-03", "2026-12-28", "2027-01-03", "2027-01-01", "2027-01-31"}, // week 53 of 2026
		{"2025-12-31", "2025-12-29", "2026-01-04", "2025-12-01", "2025-12-31"}, // week 1 of 2026
		{"2028-02-29", "2028-02-28", "2028-03-05", "2028-02-01", "2028-02-29"},
	} {
		week := leaderboard.PeriodOf(model.LeaderboardWeek, clock.Day(c.day))
		month := leaderboard.PeriodOf(model.LeaderboardMonth, clock.Day(c.day))
		require.Equal(t, []string{c.monday, c.sunday, c.first, c.last},
			[]string{string(week.Start), string(week.End), string(month.Start), string(month.End)}, c.day)
	}
}

func TestBuild(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		grid := w.addRegion(w.EastVillage, model.RegionGrid, "east-grid")
		inGrid, inVillage, west := w.resident(grid, true), w.resident(w.EastVillage, true), w.resident(w.WestVillage, true)
		w.award(w.event(inGrid, 10, 0), w.event(inVillage, 4, 0), w.event(west, 6, 0), w.event(inVillage, 3, 0))

		t.Run("counts each award in its village, town and county", func(t *testing.T) {
			require.Equal(t, 4, w.build())
			for kind, start := range map[leaderboard.Kind]clock.Day{model.LeaderboardWeek: "2026-03-09", model.LeaderboardMonth: "2026-03-01"} {
				east := map[string]int64{inGrid.ID: 10, inVillage.ID: 7}
				require.Equal(t, east, w.scores(kind, start, w.EastVillage.ID))
				require.Equal(t, east, w.scores(kind, start, w.East.ID))
				require.Equal(t, map[string]int64{west.ID: 6}, w.scores(kind, start, w.West.ID))
				require.Equal(t, map[string]int64{inGrid.ID: 10, inVillage.ID: 7, west.ID: 6}, w.scores(kind, start, w.County.ID))
				require.Empty(t, w.scores(kind, start, grid.ID))
			}
			w.sound()
		})
		t.Run("counts nothing twice", func(t *testing.T) {
			require.Zero(t, w.build())
			w.Clock.Advance(time.Hour)
			require.Zero(t, w.build())
			require.EqualValues(t, 7, w.rank(inVillage, thisWeek).Points)
			w.sound()
		})
		t.Run("adds to what is there", func(t *testing.T) {
			w.earn(inVillage, 5)
			require.Equal(t, 1, w.build())
			require.EqualValues(t, 12, w.rank(inVillage, thisWeek).Points)
			w.sound()
		})
		t.Run("keeps what was earned in the region where it was earned", func(t *testing.T) {
			w.Exec(t, "UPDATE resident SET home_region_id = ? WHERE id = ?", w.WestVillage.ID, inVillage.ID)
			w.earn(inVillage, 1)
			w.build()
			require.EqualValues(t, 12, w.scores(model.LeaderboardWeek, "2026-03-09", w.EastVillage.ID)[inVillage.ID])
			require.EqualValues(t, 1, w.scores(model.LeaderboardWeek, "2026-03-09", w.WestVillage.ID)[inVillage.ID])
			require.EqualValues(t, 13, w.scores(model.LeaderboardWeek, "2026-03-09", w.County.ID)[inVillage.ID])
			w.sound()
		})
		t.Run("leaves out what earned nothing", func(t *testing.T) {
			require.NoError(t, database.InTx(t.Context(), w.DB, func(tx *gorm.DB) error {
				_, err := w.policy.AwardTx(t.Context(), tx, []policy.Event{w.event(west, 0, 0)})
				return err
			}))
			require.Zero(t, w.build())
			w.sound()
		})
	})
}

func TestBuildOutOfOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage, true)
		w.earn(who, 10)
		require.Equal(t, 1, w.build())

		t.Run("finds an award whose id is older than what was counted", func(t *testing.T) {
			w.Clock.Advance(-9 * time.Minute)
			w.earn(who, 5)
			w.Clock.Advance(9 * time.Minute)
			require.Equal(t, 1, w.build())
			require.Zero(t, w.build())
			require.EqualValues(t, 15, w.rank(who, thisWeek).Points)
			w.sound()
		})
		t.Run("finds it also when marks were pruned meanwhile", func(t *testing.T) {
			w.Clock.Advance(25 * time.Hour)
			w.earn(who, 100)
			require.Equal(t, 1, w.build())
			n, err := w.boards.Prune(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 2, n, "no clock leads back to the marks of the day before")
			w.Clock.Advance(-7 * time.Minute)
			w.earn(who, 1000)
			w.Clock.Advance(7 * time.Minute)
			require.Equal(t, 1, w.build())
			require.Zero(t, w.build())
			require.EqualValues(t, 1115, w.rank(who, thisWeek).Points)
			w.sound()
		})
		t.Run("is not led astray by a clock that is ahead", func(t *testing.T) {
			w.Clock.Advance(6 * time.Hour)
			w.award(w.event(who, 1, clock.InstantOf(noon)))
			w.Clock.Advance(-6 * time.Hour)
			require.Equal(t, 1, w.build(), "the award with an id from the future")
			w.Clock.Advance(time.Minute)
			w.earn(who, 2)
			require.Equal(t, 1, w.build(), "one with an honest id after it")
			w.Clock.Advance(7 * time.Hour)
			w.earn(who, 3)
			require.Equal(t, 1, w.build())
			require.Zero(t, w.build())
			require.EqualValues(t, 1121, w.rank(who, thisWeek).Points)
			w.sound()
		})
		t.Run("counts on when the clock is set back", func(t *testing.T) {
			w.earn(who, 10_000)
			require.Equal(t, 1, w.build())
			w.Clock.Advance(-time.Hour)
			for range 2 {
				w.earn(who, 10_000)
				require.Equal(t, 1, w.build())
				_, err := w.boards.Prune(t.Context())
				require.NoError(t, err)
				require.Zero(t, w.build())
				w.Clock.Advance(5 * time.Minute)
			}
			w.Clock.Advance(50 * time.Minute)
			require.Zero(t, w.build())
			require.EqualValues(t, 31121, w.rank(who, thisWeek).Points)
			w.sound()
		})
		t.Run("leaves what comes impossibly late to the audit", func(t *testing.T) {
			w.Clock.Advance(-11 * time.Minute)
			w.earn(who, 7)
			w.Clock.Advance(11 * time.Minute)
			require.Zero(t, w.build())
			found, err := w.boards.Audit(t.Context())
			require.NoError(t, err)
			require.Len(t, found, 2, "the week and the month")
			require.EqualValues(t, 7, found[0].Want-found[0].Got)
		})
	})
}

// On MySQL a transaction really stays open while Build runs. (SQLite has one
// writer, so that its commits come in the order of its ids.)
func TestBuildBesideAnOpenTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.DB.Driver() == database.SQLite {
			return
		}
		slow, quick := w.resident(w.EastVillage, true), w.resident(w.EastVillage, true)
		event := w.event(slow, 5, 0)
		awarded, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			done <- database.InTx(t.Context(), w.DB, func(tx *gorm.DB) error {
				_, err := w.policy.AwardTx(t.Context(), tx, []policy.Event{event})
				close(awarded)
				<-goOn
				return err
			})
		}()
		<-awarded
		require.Zero(t, w.build())
		w.Clock.Advance(20 * time.Second)
		close(goOn)
		require.NoError(t, <-done)
		w.earn(quick, 1)
		require.Equal(t, 2, w.build())
		require.EqualValues(t, 5, w.rank(slow, thisWeek).Points)
		w.sound()
	})
}

func TestBuildAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		people := w.residents(12, w.EastVillage, true)
		for _, who := range people {
			w.award(w.event(who, 3, 0), w.event(who, 4, 0))
		}
		// One mark is below the floor, and prunable, while the runs go.
		small := w.service(leaderboard.Config{Enabled: true, BatchSize: 5})
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			total int
		)
		for range 3 {
			wg.Go(func() {
				n, err := small.Build(t.Context())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				total += n
				mu.Unlock()
			})
			wg.Go(func() {
				if _, err := small.RefreshConsents(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := small.Prune(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 24, total, "each award by exactly one run")
		for _, who := range people {
			require.EqualValues(t, 7, w.rank(who, thisMonth).Points)
		}
		w.sound()
	})
}

func TestBuildKilled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.residents(2, w.EastVillage, true)
		for i := range 10 {
			w.earn(who[i%2], 1)
		}
		// The clock is asked at the start and just before each batch is done.
		for _, at := range []int64{2, 4, 3} {
			ctx, cancel := context.WithCancel(t.Context())
			trip := &tripwire{Clock: w.Clock, cancel: cancel}
			trip.left.Store(at)
			n, err := w.on(trip, leaderboard.Config{Enabled: true, BatchSize: 2}).Build(ctx)
			require.Error(t, err)
			require.LessOrEqual(t, n, int(at-2)*2, "what was reported was committed")
			w.sound()
			cancel()
		}
		require.NotZero(t, w.count("SELECT COUNT(*) FROM leaderboard_applied"))
		require.Less(t, w.count("SELECT COUNT(*) FROM leaderboard_applied"), int64(10))
		w.build()
		require.EqualValues(t, 5, w.rank(who[0], thisWeek).Points)
		require.EqualValues(t, 5, w.rank(who[1], thisWeek).Points)
		w.sound()
	})
}

func TestPeriodBoundaries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage, true)
		w.Clock.Set(instant(t, "2027-01-04 12:00:00"))
		w.earnAt(who, 1, "2026-12-27 23:59:59.999999") // Sunday of week 52
		w.earnAt(who, 10, "2026-12-28 00:00:00")       // Monday of week 53
		w.earnAt(who, 100, "2026-12-31 23:59:59.999999")
		w.earnAt(who, 1000, "2027-01-01 00:00:00")         // still week 53, another month
		w.earnAt(who, 10000, "2027-01-03 23:59:59.999999") // its Sunday
		w.earnAt(who, 100000, "2027-01-04 00:00:00")       // week 1 of 2027
		require.Equal(t, 6, w.build())
		at := func(kind leaderboard.Kind, day string) int64 {
			return w.rank(who, leaderboard.Query{Kind: kind, Day: day}).Points
		}
		require.EqualValues(t, 1, at(model.LeaderboardWeek, "2026-12-21"))
		require.EqualValues(t, 11110, at(model.LeaderboardWeek, "2026-12-28"))
		require.EqualValues(t, 11110, at(model.LeaderboardWeek, "2027-01-03"), "any day of the week names it")
		require.EqualValues(t, 100000, at(model.LeaderboardWeek, ""))
		require.EqualValues(t, 111, at(model.LeaderboardMonth, "2026-12-01"))
		require.EqualValues(t, 111000, at(model.LeaderboardMonth, ""))
		w.sound()
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage, true)
		w.earn(who, 5)
		w.build()
		prune := func(at string) int64 {
			w.Clock.Set(instant(t, at))
			n, err := w.boards.Prune(t.Context())
			require.NoError(t, err)
			return n
		}
		t.Run("keeps 13 whole months", func(t *testing.T) {
			require.Zero(t, prune("2027-04-30 12:00:00"))
			require.EqualValues(t, 5, w.rank(who, leaderboard.Query{Kind: model.LeaderboardMonth, Day: "2026-03-05"}).Points)
			w.sound()
		})
		t.Run("deletes what is older, with histogram and total", func(t *testing.T) {
			require.EqualValues(t, 6, prune("2027-05-01 00:00:00"))
			for _, table := range []string{"leaderboard_score", "leaderboard_bucket", "leaderboard_total"} {
				require.Zero(t, w.count("SELECT COUNT(*) FROM "+table), table)
			}
			require.Zero(t, prune("2027-05-01 00:00:00"))
			w.sound()
		})
		t.Run("and a late award does not bring it back", func(t *testing.T) {
			w.earnAt(who, 8, "2026-03-11 12:00:00")
			w.earn(who, 9)
			require.Equal(t, 2, w.build())
			require.EqualValues(t, 6, w.count("SELECT COUNT(*) FROM leaderboard_score"))
			w.sound()
			require.EqualValues(t, 1, prune("2027-05-01 00:00:00"), "the first award's mark is far below the floor")
			require.EqualValues(t, 2, w.count("SELECT COUNT(*) FROM leaderboard_applied"))
		})
	})
}

func TestAuditFinds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := append(w.residents(2, w.EastVillage, true), w.resident(w.WestVillage, true))
		w.earn(who[0], 5)
		w.earn(who[1], 6)
		w.earnAt(who[2], 7, "2026-02-03 12:00:00") // a week and a month of its own
		w.build()
		for name, c := range map[string]struct{ spoil, mend, check, object string }{
			"a score that grew": {
				"UPDATE leaderboard_score SET points = points + 1", "UPDATE leaderboard_score SET points = points - 1",
				"county scores equal the awards", "week 2026-02-02 " + who[2].ID,
			},
			"a score without an award": {
				"INSERT INTO leaderboard_score (region_id, period_kind, period_start, resident_id, points, listed) VALUES ('" + w.County.ID + "', 'week', '2026-02-23', '" + who[0].ID + "', 3, 0)",
				"DELETE FROM leaderboard_score WHERE period_start = '2026-02-23'",
				"county scores equal the awards", "week 2026-02-23 " + who[0].ID,
			},
			"a board without a total": {
				"UPDATE leaderboard_total SET period_start = '2026-01-01' WHERE period_kind = 'month' AND period_start = '2026-02-01'",
				"UPDATE leaderboard_total SET period_start = '2026-02-01' WHERE period_start = '2026-01-01'",
				"total's participants equal the scores", "month 2026-02-01 " + w.West.ID,
			},
			"a wrong bar": {
				"UPDATE leaderboard_bucket SET residents = residents + 1", "UPDATE leaderboard_bucket SET residents = residents - 1",
				"histogram equals the listed scores", "month 2026-03-01 " + w.EastVillage.ID,
			},
			"a bar of nobody": {
				"INSERT INTO leaderboard_bucket (period_kind, period_start, region_id, points, residents) VALUES ('week', '2026-01-05', '" + w.East.ID + "', 9, 1)",
				"DELETE FROM leaderboard_bucket WHERE period_start = '2026-01-05'",
				"histogram equals the listed scores", "week 2026-01-05 " + w.East.ID,
			},
			"an unlisted resident": {
				"UPDATE leaderboard_score SET listed = 0", "UPDATE leaderboard_score SET listed = 1",
				"total's listed equal the scores", "week 2026-03-09 " + w.County.ID,
			},
			"a wrong total": {
				"UPDATE leaderboard_total SET points = points + 1", "UPDATE leaderboard_total SET points = points - 1",
				"total's points equal the scores", "week 2026-02-02 " + w.WestVillage.ID,
			},
			"a score that is gone": {
				"UPDATE leaderboard_score SET period_start = '2025-12-01' WHERE period_kind = 'month' AND period_start = '2026-03-01'",
				"UPDATE leaderboard_score SET period_start = '2026-03-01' WHERE period_start = '2025-12-01'",
				"county scores equal the awards", "month 2026-03-01 " + who[1].ID,
			},
		} {
			w.sound()
			w.Exec(t, c.spoil)
			found := ledgertest.AuditRows(t, w.ledger, w.boards.AuditPhases())
			require.True(t, slices.ContainsFunc(found, func(d ledger.Difference) bool {
				return d.Check == c.check && d.Object == c.object && d.Want != d.Got && d.Account == ""
			}), "%s: %v", name, found)
			w.Exec(t, c.mend)
		}
		require.Empty(t, ledgertest.AuditRows(t, w.ledger, w.boards.AuditPhases()))
	})
}

// TestBuildAgainstModel awards, agrees, withdraws, waits and builds at random
// and compares every board with a map.
func TestBuildAgainstModel(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	require.NoError(t, checks.Value.Set("12"))
	each(t, func(t *testing.T, w *world) {
		people := append(w.residents(3, w.EastVillage, false), w.residents(2, w.WestVillage, true)...)
		points := map[string]int64{} // kind + start + region + resident: nothing is ever taken away
		pending := map[string]int64{}
		consents := map[string]bool{people[3].ID: true, people[4].ID: true}
		rapid.Check(t, func(r *rapid.T) {
			w.boards = w.service(leaderboard.Config{Enabled: true, BatchSize: rapid.IntRange(1, 7).Draw(r, "batch")})
			pick := rapid.SampledFrom(people)
			r.Repeat(map[string]func(*rapid.T){
				"award": func(r *rapid.T) {
					who, n := pick.Draw(r, "who"), rapid.Int64Range(1, 3).Draw(r, "points")
					at := clock.Now(w.Clock).Add(-time.Duration(rapid.IntRange(0, 20).Draw(r, "days")) * 24 * time.Hour)
					late := time.Duration(rapid.IntRange(0, 500).Draw(r, "late")) * time.Second
					w.Clock.Advance(-late)
					w.award(w.event(who, n, at))
					w.Clock.Advance(late)
					for _, k := range keysOf(who, at) {
						pending[k] += n
					}
				},
				"decide": func(r *rapid.T) {
					who, yes := pick.Draw(r, "who"), rapid.Bool().Draw(r, "yes")
					w.consent(who, yes)
					consents[who.ID] = yes
				},
				"wait": func(r *rapid.T) {
					w.Clock.Advance(time.Duration(rapid.IntRange(1, 40).Draw(r, "minutes")) * time.Minute)
				},
				"prune": func(*rapid.T) { _, err := w.boards.Prune(t.Context()); require.NoError(r, err) },
				"build": func(*rapid.T) {
					w.build()
					w.refresh()
					for k, n := range pending {
						points[k] += n
					}
					clear(pending)
					w.compare(r, people, points, consents)
				},
			})
		})
		w.sound()
	})
}

func keysOf(who authz.Actor, at clock.Instant) (out []string) {
	for _, kind := range model.LeaderboardKinds() {
		for _, id := range model.RegionPathIDs(who.RegionPath) {
			out = append(out, string(kind)+string(leaderboard.PeriodOf(kind, at.Day()).Start)+id+who.ID)
		}
	}
	return out
}

// compare checks the current and the last periods of the county, whose order
// and ranks follow from the map alone.
func (w *world) compare(t require.TestingT, people []authz.Actor, points map[string]int64, consents map[string]bool) {
	today := clock.Today(w.Clock)
	for _, kind := range model.LeaderboardKinds() {
		now := leaderboard.PeriodOf(kind, today)
		for _, p := range []leaderboard.Period{now, leaderboard.PeriodOf(kind, now.Start.AddDays(-1))} {
			q := leaderboard.Query{Kind: kind, Day: string(p.Start), Level: model.RegionCounty}
			score := func(who authz.Actor) int64 { return points[string(kind)+string(p.Start)+w.County.ID+who.ID] }
			listed := 0
			for _, who := range people {
				want := int64(1)
				for _, other := range people {
					if consents[other.ID] && score(other) > score(who) {
						want++
					}
				}
				if score(who) == 0 || !consents[who.ID] {
					want = 0
				} else {
					listed++
				}
				got := w.rank(who, q)
				require.Equal(t, score(who), got.Points, q)
				require.Equal(t, want, got.Rank, q)
			}
			require.Len(t, w.page(people[0], q).Items, listed, q)
		}
	}
}

func (w *world) count(query string, args ...any) int64 {
	w.t.Helper()
	return w.Count(w.t, query, args...)
}

func (w *world) addRegion(parent model.Region, level model.RegionLevel, code string) model.Region {
	w.t.Helper()
	r := model.Region{ID: w.Clock.NewID(), Code: code, ParentID: &parent.ID, Level: level, Name: code}
	r.Path = parent.Path + r.ID + "/"
	w.Exec(w.t, `INSERT INTO region (id, code, parent_id, level, name, path, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 0, 0)`,
		r.ID, r.Code, parent.ID, string(level), r.Name, r.Path)
	return r
}
