package policy_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// world is a county with a town and a village, and residents in the village.
type world struct {
	t                     *testing.T
	db                    *database.DB
	clock                 *clock.Manual
	ledger                *ledger.Service
	policy                *policy.Service
	county, town, village model.Region
	operator              authz.Actor // over the county
	budget                model.Budget
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(noon, 7)
		w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c)}
		w.policy = policy.New(db, c, w.ledger)
		w.county = w.region("330481000000", "county", "海宁市", nil)
		w.town = w.region("330481001000", "town", "硖石街道", &w.county)
		w.village = w.region("330481001003", "village", "东山社区", &w.town)
		w.operator = operatorOver(w.county)
		var err error
		w.budget, err = w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
			RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100,
		})
		require.NoError(t, err)
		test(t, w)
		ledgertest.RequireSound(t, db)
	})
}

func operatorOver(r model.Region) authz.Actor {
	return authz.Actor{Kind: authz.KindStaff, ID: "operator", Grants: []authz.Grant{
		{Role: authz.RoleOperator, RegionID: r.ID, RegionPath: r.Path},
	}}
}

func (w *world) insert(row any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
}

func (w *world) region(code, level, name string, parent *model.Region) model.Region {
	now := clock.Now(w.clock)
	r := model.Region{ID: w.clock.NewID(), Code: code, Level: model.RegionLevel(level), Name: name, Version: 1, CreatedAt: now, UpdatedAt: now}
	r.Path = "/" + r.ID + "/"
	if parent != nil {
		r.ParentID = &parent.ID
		r.Path = parent.Path + r.ID + "/"
	}
	w.insert(&r)
	return r
}

func (w *world) resident(home *model.Region) string {
	id := w.clock.NewID()
	row := model.Resident{
		ID: id, VolunteerNumber: "V" + id, Status: model.ResidentActive,
		CreatedAt: clock.Now(w.clock), UpdatedAt: clock.Now(w.clock),
	}
	if home != nil {
		row.HomeRegionID = &home.ID
	}
	w.insert(&row)
	return id
}

func (w *world) publish(change func(*policy.RuleInput)) policy.Rule {
	w.t.Helper()
	in := policy.RuleInput{
		RegionID: w.county.ID, EventKind: model.EventArticleRead, BudgetID: w.budget.ID, Points: 2, MaxPoints: 2,
		DailyCap: 3, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	}
	if change != nil {
		change(&in)
	}
	r, err := w.policy.PublishRule(w.t.Context(), w.operator, in)
	require.NoError(w.t, err)
	return r.PolicyRule
}

func (w *world) read(resident, article string) policy.Event {
	return policy.Event{
		Kind: model.EventArticleRead, ID: resident + article, ResidentID: resident, ObjectID: article,
		Evidence: `{"seconds":61}`, ActorID: resident, OccurredAt: clock.Now(w.clock),
	}
}

func (w *world) award(events ...policy.Event) []model.Award {
	w.t.Helper()
	var out []model.Award
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) (err error) {
		out, err = w.policy.AwardTx(w.t.Context(), tx, events)
		return err
	}))
	require.Len(w.t, out, len(events))
	return out
}

func (w *world) points(resident string) int64 {
	w.t.Helper()
	got, err := w.ledger.Wallet(w.t.Context(), resident)
	require.NoError(w.t, err)
	return got.Points
}

func TestAward(t *testing.T) {
	t.Run("posts the rule's points with the rule and the evidence", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			rule := w.publish(nil)
			wang := w.resident(&w.village)
			got := w.award(w.read(wang, "a1"))[0]
			require.Equal(t, model.AwardPosted, got.Status)
			require.EqualValues(t, 2, w.points(wang))
			page, err := w.ledger.Entries(t.Context(), ledger.WalletOf(wang), ledger.EntryFilter{}, paging.Request{})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			require.Equal(t, rule.ID, page.Items[0].RuleID)
			require.EqualValues(t, 1, page.Items[0].RuleVersion)
			require.JSONEq(t, `{"seconds":61}`, page.Items[0].Evidence)
			wallet, err := w.ledger.Wallet(t.Context(), wang)
			require.NoError(t, err)
			require.Equal(t, clock.Day("2027-12-31"), wallet.Expiring[0].Day, "end of the following year")
		})
	})
	t.Run("answers a repeated event with the first answer", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(nil)
			wang := w.resident(&w.village)
			first := w.award(w.read(wang, "a1"), w.read(wang, "a1"))
			again := w.award(w.read(wang, "a1"))
			require.Equal(t, first[0].ID, first[1].ID)
			require.Equal(t, first[0].ID, again[0].ID)
			require.EqualValues(t, 2, w.points(wang))
		})
	})
	t.Run("keeps to the caps of day and object", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(nil)
			wang := w.resident(&w.village)
			second := w.read(wang, "a1")
			second.ID = "another reading of a1"
			got := w.award(w.read(wang, "a1"), second, w.read(wang, "a2"), w.read(wang, "a3"), w.read(wang, "a4"))
			var statuses []model.AwardStatus
			for _, a := range got {
				statuses = append(statuses, a.Status)
			}
			require.Equal(t, []model.AwardStatus{"posted", "capped", "posted", "posted", "capped"}, statuses)
			require.EqualValues(t, 6, w.points(wang))
			require.Equal(t, model.AwardCapped, w.award(w.read(wang, "a5"))[0].Status, "the cap holds across calls")
			w.clock.Advance(12 * time.Hour) // midnight in Shanghai
			require.Equal(t, model.AwardPosted, w.award(w.read(wang, "a6"))[0].Status, "a new day")
			third := w.read(wang, "a1")
			third.ID = "a1 on another day"
			require.Equal(t, model.AwardCapped, w.award(third)[0].Status, "once per article for ever")
		})
	})
	t.Run("records what the budget cannot pay", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 60, 60 })
			wang, li := w.resident(&w.village), w.resident(&w.village)
			got := w.award(w.read(wang, "a1"), w.read(li, "a1"))
			require.Equal(t, model.AwardPosted, got[0].Status)
			require.Equal(t, model.AwardBudgetExhausted, got[1].Status)
			require.Nil(t, got[1].JournalID)
			require.Zero(t, w.points(li))
		})
	})
	t.Run("lets what the budget cannot pay take no room, together or one by one", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) {
				in.EventKind, in.Points, in.PerMinutes, in.MaxPoints, in.DailyCap, in.ObjectCap = model.EventVolunteerService, 1, 1, 1000, 2, 1
			})
			serve := func(who string, minutes ...int64) (events []policy.Event) {
				for _, m := range minutes {
					shift := fmt.Sprint("shift-", m)
					events = append(events, policy.Event{
						Kind: model.EventVolunteerService, ID: who + shift, ResidentID: who, ObjectID: shift, Minutes: m, ActorID: "organizer", OccurredAt: clock.Now(w.clock),
					})
				}
				return events
			}
			want := []model.AwardStatus{"budget_exhausted", "budget_exhausted", "posted", "posted", "capped"}
			for _, together := range []bool{true, false} {
				who := w.resident(&w.village)
				events := serve(who, 200, 150, 10, 20, 30)
				var got []model.AwardStatus
				if together {
					for _, a := range w.award(events...) {
						got = append(got, a.Status)
					}
				} else {
					for _, e := range events {
						got = append(got, w.award(e)[0].Status)
					}
				}
				require.Equal(t, want, got, "together: %v", together)
				require.EqualValues(t, 30, w.points(who))
			}
		})
	})
	t.Run("keeps the points of a wallet that is being checked, and everybody else's day", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(nil)
			wang, li := w.resident(&w.village), w.resident(&w.village)
			w.award(w.read(wang, "a0"))
			wallet := ledger.WalletOf(wang)
			require.NoError(t, w.ledger.Freeze(t.Context(), []ledger.AccountID{wallet}, "audit"))
			got := w.award(w.read(wang, "a1"), w.read(li, "a1"))
			require.Equal(t, model.AwardBudgetExhausted, got[0].Status, "paid later")
			require.Equal(t, model.AwardPosted, got[1].Status)
			still, err := w.pay("pay-key-1", got[0].ID)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayFrozen}, outcomes(still))
			require.NoError(t, database.InTx(t.Context(), w.db, func(tx *gorm.DB) error { return w.ledger.UnfreezeTx(t.Context(), tx, wallet) }))
			paid, err := w.pay("pay-key-2", got[0].ID)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayPaid}, outcomes(paid))
			require.EqualValues(t, 4, w.points(wang))
		})
	})
	t.Run("knows no rule where there is none", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			wang, stranger := w.resident(&w.village), w.resident(nil)
			require.Equal(t, model.AwardNoRule, w.award(w.read(wang, "a1"))[0].Status)
			w.publish(nil)
			require.Equal(t, model.AwardNoRule, w.award(w.read(stranger, "a1"))[0].Status, "no home region")
		})
	})
	t.Run("lets the nearest region's rule win", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(nil)
			w.publish(func(in *policy.RuleInput) { in.RegionID, in.Points, in.MaxPoints = w.town.ID, 5, 5 })
			require.EqualValues(t, 5, w.award(w.read(w.resident(&w.village), "a1"))[0].Points)
			require.EqualValues(t, 2, w.award(w.read(w.resident(&w.county), "a1"))[0].Points)
		})
	})
	t.Run("takes the version that was active when it happened", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(nil)
			wang := w.resident(&w.village)
			before := w.read(wang, "a1")
			w.clock.Advance(time.Hour)
			second := w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 9, 9 })
			require.EqualValues(t, 2, second.Version)
			got := w.award(before, w.read(wang, "a2"))
			require.EqualValues(t, 2, got[0].Points)
			require.EqualValues(t, 9, got[1].Points)
			w.clock.Advance(time.Hour)
			require.NoError(t, w.policy.RetireRule(t.Context(), w.operator, second.ID))
			require.EqualValues(t, 2, w.award(w.read(wang, "a3"))[0].Points, "the version before it")
		})
	})
	t.Run("pays service by full units of time up to the most", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) {
				in.EventKind, in.Points, in.PerMinutes, in.MaxPoints, in.DailyCap = model.EventVolunteerService, 2, 60, 8, 10
			})
			wang := w.resident(&w.village)
			for minutes, want := range map[int64]int64{59: 0, 60: 2, 119: 2, 180: 6, 480: 8} {
				got := w.award(policy.Event{
					Kind: model.EventVolunteerService, ID: fmt.Sprint(minutes), ObjectID: fmt.Sprint(minutes), ResidentID: wang,
					Minutes: minutes, ActorID: "organizer", OccurredAt: clock.Now(w.clock),
				})[0]
				require.Equal(t, want, got.Points, "%d minutes", minutes)
			}
		})
	})
	t.Run("holds the cap when events arrive at once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(nil)
			wang := w.resident(&w.village)
			events := make([]policy.Event, 20)
			for i := range events {
				events[i] = w.read(wang, fmt.Sprint("a", i))
			}
			var wg sync.WaitGroup
			for _, e := range events {
				wg.Go(func() {
					err := database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
						_, err := w.policy.AwardTx(t.Context(), tx, []policy.Event{e})
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 6, w.points(wang), "three of two points each")
		})
	})
}

func TestEarnings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.publish(nil)
		wang := w.resident(&w.village)
		w.award(w.read(wang, "a1"))
		got, err := w.policy.Earnings(t.Context(), wang)
		require.NoError(t, err)
		require.Equal(t, clock.Day("2026-03-10"), got.Day)
		require.Len(t, got.Items, 1)
		require.EqualValues(t, 1, got.Items[0].PaidToday)
		require.EqualValues(t, 2, got.Items[0].EarnedToday)
	})
}

func TestRules_areTheOperatorsOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		elsewhere := w.region("330482000000", "county", "平湖市", nil)
		in := policy.RuleInput{
			RegionID: w.county.ID, EventKind: model.EventArticleRead, BudgetID: w.budget.ID, Points: 2, MaxPoints: 2,
			DailyCap: 3, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
		}
		_, err := w.policy.PublishRule(t.Context(), operatorOver(elsewhere), in)
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = w.policy.PublishRule(t.Context(), operatorOver(w.town), in)
		require.ErrorIs(t, err, authz.ErrForbidden, "a town does not set the county's rules")
		_, err = w.policy.CreateBudget(t.Context(), operatorOver(elsewhere), policy.BudgetInput{
			RegionID: w.county.ID, Name: "x", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1,
		})
		require.ErrorIs(t, err, authz.ErrForbidden)

		foreign, err := w.policy.CreateBudget(t.Context(), operatorOver(elsewhere), policy.BudgetInput{
			RegionID: elsewhere.ID, Name: "x", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1,
		})
		require.NoError(t, err)
		in.BudgetID = foreign.ID
		_, err = w.policy.PublishRule(t.Context(), w.operator, in)
		require.ErrorIs(t, err, policy.ErrBudgetRegion, "nobody draws on another county's budget")
		in.BudgetID = w.clock.NewID()
		_, err = w.policy.PublishRule(t.Context(), w.operator, in)
		require.ErrorIs(t, err, policy.ErrBudgetMissing)

		rule := w.publish(nil)
		require.ErrorIs(t, w.policy.RetireRule(t.Context(), operatorOver(elsewhere), rule.ID), authz.ErrForbidden)
		page, err := w.policy.Rules(t.Context(), operatorOver(elsewhere), policy.RuleFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Empty(t, page.Items)
		page, err = w.policy.Rules(t.Context(), w.operator, policy.RuleFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, rule, page.Items[0].PolicyRule)
		budgets, err := w.policy.Budgets(t.Context(), w.operator, policy.BudgetFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Equal(t, budgets.Items[0].Name, page.Items[0].BudgetName)

		for range 2 { // to retire it again changes nothing, and is not recorded
			require.NoError(t, w.policy.RetireRule(t.Context(), w.operator, rule.ID))
		}
		var trail []model.AuditLog
		require.NoError(t, w.db.Read(t.Context()).Where("region_id = ?", w.county.ID).Order("id").Find(&trail).Error)
		var got []string
		for _, r := range trail {
			got = append(got, fmt.Sprint(r.ActorID == w.operator.ID, " ", r.Action, " ", r.ObjectID, " ", r.Detail))
		}
		detail := fmt.Sprintf(`{"event_kind":"%s","version":1,"points":%d,"max_points":%d}`, rule.EventKind, rule.Points, rule.MaxPoints)
		require.Equal(t, []string{
			"true budget.create " + budgets.Items[0].ID + fmt.Sprintf(` {"from_points":0,"to_points":%d}`, budgets.Items[0].LimitPoints),
			"true rule.publish " + rule.ID + " " + detail, "true rule.retire " + rule.ID + " " + detail,
		}, got)

		in.RegionID, in.BudgetID = w.town.ID, w.budget.ID
		_, err = w.policy.PublishRule(t.Context(), operatorOver(w.town), in)
		require.ErrorIs(t, err, authz.ErrForbidden, "the county's budget is the county's to spend")
		in.RegionID = w.village.ID
		_, err = w.policy.PublishRule(t.Context(), w.operator, in)
		require.NoError(t, err, "which can let a village's rule draw on it")
	})
}

func TestRules_sayWhatTookOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.publish(nil)
		second := w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 3, 3 })
		later := w.publish(func(in *policy.RuleInput) { in.ActiveFrom = clock.InstantOf(w.clock.Now().Add(time.Hour)) })
		superseded := func() []string {
			page, err := w.policy.Rules(t.Context(), w.operator, policy.RuleFilter{}, paging.Request{})
			require.NoError(t, err)
			var out []string
			for _, r := range page.Items {
				if r.Superseded {
					out = append(out, r.ID)
				}
			}
			return out
		}
		require.Equal(t, []string{first.ID}, superseded(), "what is not yet in force takes over from nobody")
		require.NoError(t, w.policy.RetireRule(t.Context(), w.operator, second.ID))
		require.Empty(t, superseded(), "a retired version gives way again")
		w.clock.Advance(2 * time.Hour)
		require.ElementsMatch(t, []string{first.ID, second.ID}, superseded())
		require.NotContains(t, superseded(), later.ID)
	})
}

func TestBudgets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.publish(nil)
		w.award(w.read(w.resident(&w.village), "a1"))
		page, err := w.policy.Budgets(t.Context(), w.operator, policy.BudgetFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.EqualValues(t, 2, page.Items[0].IssuedPoints)
		_, err = w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
			RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1,
		})
		require.ErrorIs(t, err, policy.ErrBudgetName)
		_, err = w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{RegionID: w.county.ID})
		require.ErrorContains(t, err, "policy.invalid")
	})
}
