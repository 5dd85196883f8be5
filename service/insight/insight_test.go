package insight_test

import (
	"fmt"
	"strconv"
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
	"jiamenkou/service/insight"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

// noon of Wednesday, 2026-03-11, in Shanghai.
var noon = time.Date(2026, 3, 11, 4, 0, 0, 0, time.UTC)

// world is a county in which a minute of service earns a point.
type world struct {
	*identitytest.Fixture
	t       *testing.T
	ledger  *ledger.Service
	policy  *policy.Service
	insight *insight.Service
	budget  model.Budget
	n       int
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		w := &world{Fixture: f, t: t, ledger: ledger.New(f.DB, f.Clock)}
		w.policy = policy.New(f.DB, f.Clock, w.ledger)
		w.insight = insight.New(f.DB, f.Clock, region.New(f.DB, f.Clock), w.ledger, w.policy, insight.Config{CaseDueIn: 5 * 24 * time.Hour})
		var err error
		w.budget, err = w.policy.CreateBudget(t.Context(), f.Operator, policy.BudgetInput{
			RegionID: f.County.ID, Name: "全部", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 10_000,
		})
		require.NoError(t, err)
		_, err = w.policy.PublishRule(t.Context(), f.Operator, policy.RuleInput{
			RegionID: f.County.ID, EventKind: model.EventVolunteerService, BudgetID: w.budget.ID, Points: 1, PerMinutes: 1, MaxPoints: 100_000,
			DailyCap: 1000, ObjectCap: 1000, Expiry: model.ExpiryDays, ExpiryDays: 1, ActiveFrom: clock.Day("2020-01-01").Start(),
		})
		require.NoError(t, err)
		f.Clock.Set(noon)
		test(t, w)
		ledgertest.RequireSound(t, f.DB)
	})
}

func (w *world) resident(home model.Region) string {
	w.t.Helper()
	ids, err := w.CreateResidents(w.t.Context(), identitytest.System, []identity.NewResident{{RealName: "王小明", HomeRegionID: home.ID}})
	require.NoError(w.t, err)
	return ids[0]
}

func (w *world) earn(resident string, points int64) {
	w.t.Helper()
	w.n++
	require.NoError(w.t, database.InTx(w.t.Context(), w.DB, func(tx *gorm.DB) error {
		_, err := w.policy.AwardTx(w.t.Context(), tx, []policy.Event{{
			Kind: model.EventVolunteerService, ID: "e" + strconv.Itoa(w.n), ResidentID: resident, ObjectID: "shift", Minutes: points,
			ActorID: "organizer", OccurredAt: clock.Now(w.Clock),
		}})
		return err
	}))
}

func (w *world) count() {
	w.t.Helper()
	_, err := w.insight.CountDays(w.t.Context())
	require.NoError(w.t, err)
	_, err = w.insight.CountRegions(w.t.Context())
	require.NoError(w.t, err)
}

func (w *world) points(q insight.Query, step insight.Step) insight.PointsReport {
	w.t.Helper()
	r, err := w.insight.Points(w.t.Context(), w.Operator, q, step)
	require.NoError(w.t, err)
	return r
}

func TestPoints(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		east, west := w.resident(w.EastVillage), w.resident(w.WestVillage)
		require.Nil(t, w.points(insight.Query{}, insight.StepDay).CountedAt, "nothing was counted yet")
		w.earn(east, 30)
		w.earn(west, 5)
		w.count()
		w.Clock.Advance(24 * time.Hour)
		w.earn(east, 7)
		w.count()
		day := w.points(insight.Query{From: "2026-03-10"}, insight.StepDay)

		t.Run("are per day, every day of the period once", func(t *testing.T) {
			require.Equal(t, w.County.ID, day.Region.ID)
			require.Equal(t, []insight.Points{
				{StartsOn: "2026-03-10"}, {StartsOn: "2026-03-11", Issued: 35}, {StartsOn: "2026-03-12", Issued: 7},
			}, day.Series)
			require.Equal(t, insight.Points{StartsOn: "2026-03-10", Issued: 42}, day.Total)
			require.EqualValues(t, 42, day.Outstanding)
			require.Equal(t, clock.Now(w.Clock), *day.CountedAt)
		})
		t.Run("are per week and month", func(t *testing.T) {
			require.Equal(t, []insight.Points{{StartsOn: "2026-03-02"}, {StartsOn: "2026-03-09", Issued: 42}},
				w.points(insight.Query{From: "2026-03-08"}, insight.StepWeek).Series)
			require.Equal(t, []insight.Points{{StartsOn: "2026-03-01", Issued: 42}},
				w.points(insight.Query{From: "2026-03-08"}, insight.StepMonth).Series)
		})
		t.Run("belong to the home and what it lies in", func(t *testing.T) {
			require.EqualValues(t, 37, w.points(insight.Query{RegionID: w.East.ID}, insight.StepDay).Total.Issued)
			require.EqualValues(t, 5, w.points(insight.Query{RegionID: w.WestVillage.ID}, insight.StepDay).Total.Issued)
		})
		t.Run("are the same counted again", func(t *testing.T) {
			w.count()
			require.Equal(t, day, w.points(insight.Query{From: "2026-03-10"}, insight.StepDay))
		})
		t.Run("expire, and leave the wallets", func(t *testing.T) {
			w.Clock.Advance(3 * 24 * time.Hour)
			_, err := w.ledger.ExpireLots(t.Context())
			require.NoError(t, err)
			w.count()
			got := w.points(insight.Query{}, insight.StepDay)
			require.EqualValues(t, 42, got.Total.Expired)
			require.Zero(t, got.Outstanding)
		})
		t.Run("stand once their day is final", func(t *testing.T) {
			final := w.Count(t, "SELECT COUNT(*) FROM insight_day WHERE final = 1")
			require.EqualValues(t, 4, final, "of 11 to 14 March")
			w.Exec(t, "UPDATE insight_region_day SET issued_points = 1000 WHERE day = '2026-03-11'")
			w.count()
			require.EqualValues(t, 1007, w.points(insight.Query{RegionID: w.County.ID}, insight.StepDay).Total.Issued)
		})
	})
}

func TestScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Staff(t, "auditor", authz.RoleAuditor, w.East.ID)
		w.Staff(t, "worker", authz.RoleGridWorker, w.East.ID)
		auditor := w.Login(t, "auditor")
		for name, c := range map[string]struct {
			actor authz.Actor
			query insight.Query
			want  error
		}{
			"other roles":         {w.Login(t, "worker"), insight.Query{}, authz.ErrForbidden},
			"nobody":              {authz.Actor{}, insight.Query{RegionID: w.East.ID}, insight.ErrRegion},
			"other regions":       {auditor, insight.Query{RegionID: w.West.ID}, insight.ErrRegion},
			"the region above":    {auditor, insight.Query{RegionID: w.County.ID}, insight.ErrRegion},
			"no such region":      {auditor, insight.Query{RegionID: "x"}, insight.ErrRegion},
			"tomorrow":            {auditor, insight.Query{To: "2026-03-12"}, insight.ErrPeriod},
			"a malformed day":     {auditor, insight.Query{From: "2026-02-30"}, insight.ErrPeriod},
			"the wrong way round": {auditor, insight.Query{From: "2026-03-05", To: "2026-03-04"}, insight.ErrPeriod},
			"more than a year":    {auditor, insight.Query{From: "2025-03-10"}, insight.ErrPeriod},
		} {
			t.Run("refuses "+name, func(t *testing.T) {
				_, err := w.insight.Points(t.Context(), c.actor, c.query, insight.StepDay)
				require.ErrorIs(t, err, c.want)
				_, err = w.insight.Participation(t.Context(), c.actor, c.query)
				require.ErrorIs(t, err, c.want)
				_, err = w.insight.Cases(t.Context(), c.actor, c.query)
				require.ErrorIs(t, err, c.want)
			})
		}
		t.Run("is by default the highest region of the actor", func(t *testing.T) {
			r, err := w.insight.Participation(t.Context(), auditor, insight.Query{})
			require.NoError(t, err)
			require.Equal(t, w.East.ID, r.Region.ID)
			require.Len(t, r.Children, 1)
		})
	})
}

func TestParticipation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 3 {
			w.resident(w.EastVillage)
		}
		active := w.resident(w.EastVillage)
		w.resident(w.West)
		w.earn(active, 10)
		w.count()
		r, err := w.insight.Participation(t.Context(), w.Operator, insight.Query{})
		require.NoError(t, err)
		require.EqualValues(t, 5, r.Self.Residents)
		require.EqualValues(t, 1, r.Self.ActiveResidents)
		require.Len(t, r.Children, 2)
		east, west := r.Children[0], r.Children[1]
		require.Equal(t, []any{"east", int64(4), int64(1), int64(10)}, []any{east.Region.Name, east.Residents, east.ActiveResidents, east.IssuedPoints})
		require.Equal(t, []any{"west", int64(1), int64(0), int64(0)}, []any{west.Region.Name, west.Residents, west.ActiveResidents, west.IssuedPoints})

		w.Clock.Advance(31 * 24 * time.Hour)
		w.count()
		r, err = w.insight.Participation(t.Context(), w.Operator, insight.Query{})
		require.NoError(t, err)
		require.Zero(t, r.Self.ActiveResidents, "30 days later nobody was active")
		require.EqualValues(t, 5, r.Self.Residents)
	})
}

// TestServiceMinutes: a day on which records were only corrected downwards has
// no minutes, not less than none; what was taken back is a figure of its own.
func TestServiceMinutes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage)
		record := func(kind model.RecordKind, minutes int64) model.ServiceRecord {
			now := clock.Now(w.Clock)
			row := model.ServiceRecord{
				ID: w.Clock.NewID(), Kind: kind, State: model.RecordEffective, Approval: model.ApprovalSecondPerson, ResidentID: who, VolunteerNumber: "V" + who,
				RegionID: w.EastVillage.ID, ActivityTitle: "x", Day: "2026-03-11", StartedAt: now, EndedAt: now.Add(10 * time.Hour), Minutes: minutes,
				PlaceName: "x", Beneficiary: "x", Content: "x", PersonInCharge: "x", RecorderID: "recorder", RecorderName: "x", Reason: "补录",
				DecidedBy: new("another"), DecidedAt: &now, CreatedAt: now,
			}
			require.NoError(t, database.InTx(t.Context(), w.DB, func(tx *gorm.DB) error { return tx.Create(&row).Error }))
			return row
		}
		move := func(r model.ServiceRecord, to model.RecordState) {
			require.NoError(t, database.InTx(t.Context(), w.DB, func(tx *gorm.DB) error {
				return tx.Create(&model.VolunteerHistory{
					ID: w.Clock.NewID(), ObjectType: model.VolunteerRecord, ObjectID: r.ID, ToStatus: string(to), ActorKind: "staff", ActorID: "another",
					CreatedAt: clock.Now(w.Clock),
				}).Error
			}))
		}
		on := func(day clock.Day) (minutes, corrected int64) {
			t.Helper()
			w.count()
			r, err := w.insight.Participation(t.Context(), w.Operator, insight.Query{RegionID: w.East.ID, From: string(day), To: string(day)})
			require.NoError(t, err)
			return r.Self.ServiceMinutes, r.Self.CorrectedMinutes
		}
		first, second := record(model.RecordManual, 180), record(model.RecordManual, 60)
		move(first, model.RecordEffective)
		move(second, model.RecordEffective)
		minutes, corrected := on("2026-03-11")
		require.EqualValues(t, 240, minutes)
		require.Zero(t, corrected)

		w.Clock.Advance(24 * time.Hour)
		shorter := record(model.RecordCorrection, 120)
		move(first, model.RecordCorrected)
		move(shorter, model.RecordEffective)
		move(second, model.RecordCorrected) // and nothing stands for it
		minutes, corrected = on("2026-03-12")
		require.Zero(t, minutes)
		require.EqualValues(t, -120, corrected)
		minutes, corrected = on("2026-03-11")
		require.EqualValues(t, 240, minutes, "a day that was counted stays")
		require.Zero(t, corrected)
	})
}

func TestCases(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		reporter := w.resident(w.EastVillage)
		day := func(n int) clock.Instant { return clock.InstantOf(noon).Add(time.Duration(n-40) * 24 * time.Hour) }
		n := 0
		add := func(home model.Region, status string, reported, handled, due int, reopens int64, rating any) string {
			n++
			w.Clock.Set(day(reported).Time())
			id := w.Clock.NewID()
			var handledAt, dueAt, confirmBy, verified any
			if handled > 0 {
				handledAt = day(handled)
			}
			if due > 0 {
				dueAt = day(due)
			}
			if status == "handled" {
				confirmBy = day(50)
			}
			if status == "confirmed" {
				verified = day(handled)
			}
			w.Exec(t, `INSERT INTO case_file (id, county_id, number, kind, category, content, region_id, reporter_id, content_status, status, version,
				due_at, confirm_by, handled_at, verified_at, reopens, rating, idempotency_key, input_hash, created_at, updated_at)
				VALUES (?, ?, ?, 'report', 'other', '路灯不亮', ?, ?, 'passed', ?, 1, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)`,
				id, w.County.ID, fmt.Sprint(n), home.ID, reporter, status, dueAt, confirmBy, handledAt, verified, reopens, rating, fmt.Sprint("key", n), day(reported), day(reported))
			return id
		}
		add(w.EastVillage, "confirmed", 15, 18, 0, 0, 5)
		add(w.EastVillage, "handled", 15, 30, 0, 0, nil)
		again := add(w.EastVillage, "confirmed", 15, 30, 0, 1, 4)
		w.Exec(t, `INSERT INTO case_history (id, case_id, seq, move, from_status, to_status, actor_kind, actor_id, created_at)
			VALUES (?, ?, 2, 'reopen', 'handled', 'reopened', 'resident', 'x', ?)`, w.Clock.NewID(), again, day(27))
		add(w.West, "handling", 38, 0, 43, 0, nil)
		add(w.West, "handling", 20, 0, 25, 0, nil)
		add(w.County, "rejected", 20, 0, 0, 0, nil)
		add(w.West, "handled", 5, 6, 0, 0, nil) // before the period
		w.Clock.Set(noon)

		r, err := w.insight.Cases(t.Context(), w.Operator, insight.Query{})
		require.NoError(t, err)
		require.Equal(t, insight.CaseCounts{Reported: 6, OnTime: 2, Late: 1, Open: 1, Overdue: 1, Dropped: 1, Rated: 2, Ratings: 9}, r.Self.CaseCounts)
		require.Equal(t, insight.CaseCounts{Reported: 3, OnTime: 2, Late: 1, Rated: 2, Ratings: 9}, r.Children[0].CaseCounts)
		require.Equal(t, insight.CaseCounts{Reported: 2, Open: 1, Overdue: 1}, r.Children[1].CaseCounts)
	})
}

func TestBudgets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage)
		for range 28 {
			w.earn(who, 100)
			w.Clock.Advance(24 * time.Hour)
		}
		w.earn(who, 50) // today is left out of the mean
		w.count()
		page, err := w.insight.Budgets(t.Context(), w.Operator, policy.BudgetFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		f := page.Items[0]
		require.EqualValues(t, 2850, f.IssuedPoints)
		require.EqualValues(t, 7150, f.Remaining)
		require.EqualValues(t, 1000, f.MeanTenths)
		require.Equal(t, 28, f.MeanDays)
		require.Equal(t, clock.Today(w.Clock).AddDays(71), *f.UsedUpOn)
		require.Zero(t, f.LeftAtTheEnd)
		none, err := w.insight.Budgets(t.Context(), w.Operator, policy.BudgetFilter{On: "2027-01-01"}, paging.Request{})
		require.NoError(t, err)
		require.Empty(t, none.Items)
	})
}

func TestForecast(t *testing.T) {
	budget := func(from, to clock.Day, limit, issued int64) policy.BudgetUse {
		return policy.BudgetUse{Budget: model.Budget{StartsOn: from, EndsOn: to, LimitPoints: limit}, IssuedPoints: issued}
	}
	const today = clock.Day("2026-03-29")
	on := func(d clock.Day) *clock.Day { return &d }
	for name, c := range map[string]struct {
		budget policy.BudgetUse
		net    int64
		days   int
		usedUp *clock.Day
		left   int64
	}{
		"lasts when nothing is issued":           {budget("2026-01-01", "2026-12-31", 100, 10), 0, 28, nil, 90},
		"lasts when more is taken back":          {budget("2026-01-01", "2026-12-31", 100, 10), -5, 28, nil, 90},
		"is used up today":                       {budget("2026-01-01", "2026-12-31", 100, 100), 28, 28, on(today), 0},
		"is used up on the day of the last":      {budget("2026-01-01", "2026-12-31", 103, 100), 28, 28, on("2026-03-31"), 0},
		"is used up on its very last day":        {budget("2026-01-01", "2026-03-31", 103, 100), 28, 28, on("2026-03-31"), 0},
		"has something left at its end":          {budget("2026-01-01", "2026-03-31", 104, 100), 28, 28, nil, 1},
		"young counts its own days":              {budget("2026-03-27", "2026-12-31", 110, 100), 20, 2, on(today), 0},
		"that begins today has no mean":          {budget(today, "2026-12-31", 110, 0), 0, 0, nil, 110},
		"that is to come has no mean":            {budget("2026-05-01", "2026-12-31", 110, 0), 0, 0, nil, 110},
		"that is over keeps what it did not pay": {budget("2025-01-01", "2025-12-31", 110, 100), 28, 28, nil, 10},
	} {
		t.Run(name, func(t *testing.T) {
			f := insight.Forecast(c.budget, c.net, today)
			require.Equal(t, c.days, f.MeanDays)
			require.Equal(t, c.usedUp, f.UsedUpOn)
			require.Equal(t, c.left, f.LeftAtTheEnd)
		})
	}
}

// A day is counted from the rows of that day: no statement reads a whole table
// of history.
func TestDayQueriesAreIndexed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident(w.EastVillage)
		for range 200 {
			w.earn(who, 1)
			w.Clock.Advance(time.Hour)
		}
		explain := "EXPLAIN "
		if w.DB.Driver() == database.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		}
		texts, args := insight.DayQueries("2026-03-12")
		for _, text := range texts {
			var rows []map[string]any
			require.NoError(t, w.DB.Read(t.Context()).Raw(explain+text, args...).Scan(&rows).Error)
			require.NotEmpty(t, rows)
			for _, r := range rows {
				plan := fmt.Sprint(r)
				if w.DB.Driver() == database.SQLite {
					require.NotContains(t, plan, "SCAN", text)
					continue
				}
				require.NotContains(t, []string{"ALL", "index"}, fmt.Sprint(r["type"]), "%s: %s", text, plan)
			}
		}
	})
}
