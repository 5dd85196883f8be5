package policy_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

func (w *world) due(actor authz.Actor, f policy.ExhaustedFilter) []string {
	w.t.Helper()
	page, err := w.policy.Exhausted(w.t.Context(), actor, f, paging.Request{Limit: 100})
	require.NoError(w.t, err)
	ids := []string{}
	for _, a := range page.Items {
		ids = append(ids, a.ID)
	}
	return ids
}

func (w *world) pay(key string, ids ...string) (policy.Payment, error) {
	return w.policy.PayExhausted(context.Background(), w.operator, policy.PayInput{AwardIDs: ids, IdempotencyKey: key})
}

func (w *world) raise(limit int64) {
	w.t.Helper()
	_, err := w.policy.ChangeBudgetLimit(w.t.Context(), w.operator, w.budget.ID, limit, "年中追加")
	require.NoError(w.t, err)
}

func outcomes(p policy.Payment) (out []string) {
	for _, i := range p.Items {
		out = append(out, i.Outcome)
	}
	return out
}

func TestPayExhausted(t *testing.T) {
	t.Run("pays later under the rule of then, once, and the leaderboard sees it", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			boards := leaderboard.New(w.db, w.clock, region.New(w.db, w.clock), nil, w.ledger, leaderboard.Config{Enabled: true})
			rule := w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 60, 60 })
			wang, li := w.resident(&w.village), w.resident(&w.village)
			got := w.award(w.read(wang, "a1"), w.read(li, "a1"))
			_, err := boards.Build(t.Context())
			require.NoError(t, err)
			w.clock.Advance(24 * time.Hour)
			w.publish(func(in *policy.RuleInput) {
				in.Points, in.MaxPoints, in.Expiry, in.ExpiryDays = 7, 7, model.ExpiryDays, 10
			})
			id := got[1].ID
			require.Equal(t, []string{id}, w.due(w.operator, policy.ExhaustedFilter{State: policy.ExhaustedDue}))

			still, err := w.pay("pay-key-1", id)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayExhausted}, outcomes(still), "the budget is still used up")
			w.raise(200)
			again, err := w.pay("pay-key-1", id)
			require.NoError(t, err)
			require.Equal(t, still, again, "a replay gets the first answer")
			_, err = w.pay("pay-key-1", got[0].ID)
			require.ErrorIs(t, err, policy.ErrKeyConflict)

			paid, err := w.pay("pay-key-2", id)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayPaid}, outcomes(paid))
			require.EqualValues(t, 60, paid.PaidPoints)
			require.EqualValues(t, 60, w.points(li))
			page, err := w.ledger.Entries(t.Context(), ledger.WalletOf(li), ledger.EntryFilter{}, paging.Request{})
			require.NoError(t, err)
			require.Equal(t, rule.ID, page.Items[0].RuleID)
			require.Equal(t, got[1].OccurredAt, page.Items[0].EffectiveAt)
			require.Contains(t, page.Items[0].Evidence, `"seconds":61`)
			require.Contains(t, page.Items[0].Evidence, id)
			wallet, err := w.ledger.Wallet(t.Context(), li)
			require.NoError(t, err)
			require.Equal(t, clock.Day("2027-12-31"), wallet.Expiring[0].Day, "the expiry of the rule of then")

			third, err := w.pay("pay-key-3", id)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayAnswered}, outcomes(third))
			require.Empty(t, w.due(w.operator, policy.ExhaustedFilter{State: policy.ExhaustedDue}))
			require.Equal(t, []string{id}, w.due(w.operator, policy.ExhaustedFilter{State: policy.ExhaustedPaid}))
			require.Equal(t, model.AwardBudgetExhausted, w.award(w.read(li, "a1"))[0].Status, "a repeated event gets the first answer")
			require.EqualValues(t, 60, w.points(li))

			n, err := boards.Build(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, n, "the late payment is counted, once")
			var score int64
			require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT points FROM leaderboard_score
				WHERE resident_id = ? AND region_id = ? AND period_kind = 'month'`, li, w.county.ID).Scan(&score).Error)
			require.EqualValues(t, 60, score)
			found, err := boards.Audit(t.Context())
			require.NoError(t, err)
			require.Empty(t, found)
		})
	})
	t.Run("keeps to the caps of then", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints, in.DailyCap = 60, 60, 2 })
			wang := w.resident(&w.village)
			got := w.award(w.read(wang, "a1"), w.read(wang, "a2"), w.read(wang, "a3"))
			require.Equal(t, model.AwardBudgetExhausted, got[1].Status)
			require.Equal(t, model.AwardBudgetExhausted, got[2].Status, "the second took no slot of the day")
			w.raise(1000)
			require.Equal(t, model.AwardPosted, w.award(w.read(wang, "a4"))[0].Status, "the day's second slot is used")
			p, err := w.pay("pay-key-1", got[1].ID)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayCapped}, outcomes(p))
			require.EqualValues(t, 120, w.points(wang))
			require.Equal(t, []string{got[2].ID}, w.due(w.operator, policy.ExhaustedFilter{State: policy.ExhaustedDue}), "it was answered for good")
			_, err = w.pay("pay-key-2", got[0].ID)
			require.ErrorIs(t, err, policy.ErrAwardMissing, "a paid award is none of these")
		})
	})
	t.Run("what still cannot be paid takes no room from the next", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) {
				in.EventKind, in.Points, in.PerMinutes, in.MaxPoints, in.DailyCap = model.EventVolunteerService, 1, 1, 1000, 1
			})
			wang := w.resident(&w.village)
			var ids []string
			for _, minutes := range []int64{500, 150, 120} {
				shift := fmt.Sprint("shift-", minutes)
				got := w.award(policy.Event{
					Kind: model.EventVolunteerService, ID: shift, ResidentID: wang, ObjectID: shift, Minutes: minutes, ActorID: "organizer", OccurredAt: clock.Now(w.clock),
				})
				require.Equal(t, model.AwardBudgetExhausted, got[0].Status)
				ids = append(ids, got[0].ID)
			}
			w.raise(150)
			p, err := w.pay("pay-key-1", ids...)
			require.NoError(t, err)
			require.Equal(t, []string{policy.PayExhausted, policy.PayPaid, policy.PayCapped}, outcomes(p))
			require.EqualValues(t, 150, p.PaidPoints)
			require.EqualValues(t, 150, w.points(wang))
		})
	})
	t.Run("pays once when many pay at once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 101, 101 })
			var events []policy.Event
			people := make([]string, 6)
			for i := range people {
				people[i] = w.resident(&w.village)
				events = append(events, w.read(people[i], "a1"))
			}
			var ids []string
			for _, a := range w.award(events...) {
				require.Equal(t, model.AwardBudgetExhausted, a.Status)
				ids = append(ids, a.ID)
			}
			w.raise(10_000)
			var wg sync.WaitGroup
			same := make(chan string, 20)
			for i := range 10 {
				key := "same-key-1"
				if i >= 5 {
					key = fmt.Sprintf("other-key-%d", i)
				}
				wg.Go(func() {
					p, err := w.pay(key, ids...)
					if err != nil {
						t.Error(err)
					}
					if i < 5 {
						same <- p.ID + fmt.Sprint(outcomes(p))
					}
				})
			}
			wg.Wait()
			close(same)
			first := <-same
			for other := range same {
				require.Equal(t, first, other, "parallel replays give one answer")
			}
			for _, who := range people {
				require.EqualValues(t, 101, w.points(who))
			}
		})
	})
	t.Run("is refused across regions and without the right budget", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 101, 101 })
			wang := w.resident(&w.village)
			id := w.award(w.read(wang, "a1"))[0].ID
			elsewhere := w.region("330482000000", "county", "平湖市", nil)
			in := policy.PayInput{AwardIDs: []string{id}, IdempotencyKey: "pay-key-1"}
			_, err := w.policy.PayExhausted(t.Context(), operatorOver(elsewhere), in)
			require.ErrorIs(t, err, policy.ErrAwardMissing)
			_, err = w.policy.PayExhausted(t.Context(), operatorOver(w.village), in)
			require.ErrorIs(t, err, authz.ErrForbidden, "the county's budget is the county's to spend")
			require.Equal(t, []string{id}, w.due(operatorOver(w.village), policy.ExhaustedFilter{RegionID: w.village.ID, EventKind: model.EventArticleRead}))
			require.Empty(t, w.due(operatorOver(elsewhere), policy.ExhaustedFilter{}))
			require.Empty(t, w.due(w.operator, policy.ExhaustedFilter{From: "2026-03-11"}))
			require.Empty(t, w.due(w.operator, policy.ExhaustedFilter{RegionID: elsewhere.ID}))

			foreign, err := w.policy.CreateBudget(t.Context(), operatorOver(elsewhere), policy.BudgetInput{
				RegionID: elsewhere.ID, Name: "x", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1000,
			})
			require.NoError(t, err)
			in.BudgetID = foreign.ID
			both := operatorOver(elsewhere)
			both.ID, both.Grants = "operator", append(both.Grants, w.operator.Grants...)
			_, err = w.policy.PayExhausted(t.Context(), both, in)
			require.ErrorIs(t, err, policy.ErrBudgetRegion)
			in.BudgetID = w.clock.NewID()
			_, err = w.policy.PayExhausted(t.Context(), w.operator, in)
			require.ErrorIs(t, err, policy.ErrBudgetMissing)
			for _, ids := range [][]string{nil, {id, id}, make([]string, 201)} {
				_, err = w.pay("pay-key-9", ids...)
				require.ErrorContains(t, err, "policy.invalid")
			}
			require.Zero(t, w.points(wang))
			var rows int64
			require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT COUNT(*) FROM award_payment`).Scan(&rows).Error)
			require.Zero(t, rows)
		})
	})
}

func TestBudgetPeriod(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.publish(nil)
		wang := w.resident(&w.village)
		w.clock.Set(time.Date(2026, 12, 31, 15, 59, 0, 0, time.UTC)) // 23:59 in Shanghai
		last := w.read(wang, "a1")
		w.clock.Advance(time.Hour)
		got := w.award(last, w.read(wang, "a2"))
		require.Equal(t, model.AwardPosted, got[0].Status, "the day of the event counts")
		require.Equal(t, model.AwardBudgetExhausted, got[1].Status, "the budget was for 2026")
		_, err := w.pay("pay-key-1", got[1].ID)
		require.ErrorIs(t, err, policy.ErrBudgetPeriod)
		next, err := w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
			RegionID: w.county.ID, Name: "2027 年", StartsOn: "2027-01-01", EndsOn: "2027-12-31", LimitPoints: 100,
		})
		require.NoError(t, err)
		p, err := w.policy.PayExhausted(t.Context(), w.operator, policy.PayInput{
			AwardIDs: []string{got[1].ID}, BudgetID: next.ID, IdempotencyKey: "pay-key-2",
		})
		require.NoError(t, err)
		require.Equal(t, []string{policy.PayPaid}, outcomes(p))
		require.EqualValues(t, 4, w.points(wang))
	})
}

func TestExpiry_changesForLaterPointsOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.publish(nil)
		wang := w.resident(&w.village)
		w.award(w.read(wang, "a1"))
		w.clock.Advance(time.Hour)
		w.publish(func(in *policy.RuleInput) { in.Expiry, in.ExpiryDays = model.ExpiryDays, 10 })
		w.award(w.read(wang, "a2"))
		wallet, err := w.ledger.Wallet(t.Context(), wang)
		require.NoError(t, err)
		require.Equal(t, []ledger.Expiring{{Day: "2026-03-20", Points: 2}, {Day: "2027-12-31", Points: 2}}, wallet.Expiring)
		w.clock.Advance(11 * 24 * time.Hour)
		_, err = w.ledger.ExpireLots(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2, w.points(wang), "what was earned before keeps its expiry")
	})
}

func TestBudgetAlerts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints, in.DailyCap = 5, 5, 1000 })
		wang := w.resident(&w.village)
		n := 0
		earn := func(times int) {
			for range times {
				n++
				w.award(w.read(wang, fmt.Sprint("a", n)))
			}
		}
		check := func(want int) {
			t.Helper()
			got, err := w.policy.CheckBudgets(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		earn(15) // 75
		check(0)
		earn(1) // 80
		check(1)
		check(0)
		earn(3) // 95
		check(1)
		check(0)
		page, err := w.policy.BudgetAlerts(t.Context(), w.operator, w.budget.ID, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 2)
		require.EqualValues(t, 95, page.Items[0].ThresholdPercent)
		require.EqualValues(t, 95, page.Items[0].IssuedPoints)
		require.Equal(t, "2026 年", page.Items[0].BudgetName)
		page, err = w.policy.BudgetAlerts(t.Context(), operatorOver(w.village), "", paging.Request{})
		require.NoError(t, err)
		require.Empty(t, page.Items, "the county's")
		var notices int64
		require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT COUNT(*) FROM queue_job WHERE kind = 'notify'`).Scan(&notices).Error)
		require.EqualValues(t, 2, notices)

		w.raise(110) // 95 of 110 is more than 80 %: a warning about the new limit
		check(1)
		var wg sync.WaitGroup
		earn(2) // 105 of 110
		for range 4 {
			wg.Go(func() {
				if _, err := w.policy.CheckBudgets(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		page, err = w.policy.BudgetAlerts(t.Context(), w.operator, "", paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 4, "once per threshold and limit, also at once")
	})
}

func TestChangeBudgetLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.publish(func(in *policy.RuleInput) { in.Points, in.MaxPoints = 60, 60 })
		w.award(w.read(w.resident(&w.village), "a1"))
		change := func(actor authz.Actor, id string, limit int64, reason string) error {
			_, err := w.policy.ChangeBudgetLimit(t.Context(), actor, id, limit, reason)
			return err
		}
		require.ErrorIs(t, change(w.operator, w.budget.ID, 59, "减少"), policy.ErrBudgetIssued)
		require.ErrorIs(t, change(operatorOver(w.town), w.budget.ID, 500, "追加"), policy.ErrBudgetMissing, "the county's")
		require.ErrorIs(t, change(w.operator, w.clock.NewID(), 500, "追加"), policy.ErrBudgetMissing)
		require.ErrorContains(t, change(w.operator, w.budget.ID, 500, " "), "policy.invalid")
		require.ErrorContains(t, change(w.operator, w.budget.ID, 0, "追加"), "policy.invalid")
		require.NoError(t, change(w.operator, w.budget.ID, 120, "追加"))
		require.NoError(t, change(w.operator, w.budget.ID, 120, "追加"), "again changes nothing")
		page, err := w.policy.Budgets(t.Context(), w.operator, policy.BudgetFilter{}, paging.Request{})
		require.NoError(t, err)
		require.EqualValues(t, 120, page.Items[0].LimitPoints)
		require.EqualValues(t, 60, page.Items[0].IssuedPoints)
		var trail []model.AuditLog
		require.NoError(t, database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
			return tx.Where("action = ?", "budget.change_limit").Find(&trail).Error
		}))
		require.Len(t, trail, 1)
		require.Equal(t, "追加", trail[0].Reason)
		require.JSONEq(t, `{"from_points":100,"to_points":120}`, trail[0].Detail)
		require.Equal(t, model.AwardPosted, w.award(w.read(w.resident(&w.village), "a1"))[0].Status)
	})
}
