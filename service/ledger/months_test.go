package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/service/ledger"
)

func (w *world) adjust(resident string, points int64) ledger.Outcome {
	w.t.Helper()
	return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
		return w.ledger.AdjustTx(w.t.Context(), tx, []ledger.Adjust{{
			Event: w.event(), BudgetID: w.budget, ResidentID: resident, Amount: points, ExpiresOn: "2027-12-31",
		}})
	})
}

func TestAdjust(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, points := range []int64{0, ledger.MaxAmount + 1, -ledger.MaxAmount - 1, 1<<63 - 1, -1 << 63} {
			require.ErrorIs(t, w.adjust(wang, points).Err, ledger.ErrAmount, points)
		}
		require.ErrorIs(t, w.adjust(wang, -1).Err, ledger.ErrInsufficientPoints)
		require.ErrorIs(t, w.adjust(wang, 1001).Err, ledger.ErrBudgetExhausted)
		credit := w.adjust(wang, 10)
		require.NoError(t, credit.Err)
		w.earn(wang, 5, "2026-12-31")
		h := w.hold(wang, 4)
		require.ErrorIs(t, w.adjust(wang, -12).Err, ledger.ErrInsufficientPoints, "held points stay")
		debit := w.adjust(wang, -7)
		require.NoError(t, debit.Err)
		require.EqualValues(t, 8, w.wallet(wang).Points)
		require.EqualValues(t, -8, w.posted(ledger.BudgetOf(w.budget)))
		require.ErrorIs(t, w.reverse(credit.TransferID).Err, ledger.ErrInsufficientPoints)
		back := w.reverse(debit.TransferID)
		require.NoError(t, back.Err, "a debit by hand can be taken back")
		require.Equal(t, []ledger.Expiring{{Day: "2026-12-31", Points: 5}, {Day: "2027-12-31", Points: 10}}, w.wallet(wang).Expiring,
			"the points are where they came from")
		require.ErrorIs(t, w.reverse(back.TransferID).Err, ledger.ErrIrreversible)
		w.release(wang, h.HoldID)
		require.NoError(t, w.reverse(credit.TransferID).Err)
		require.EqualValues(t, 5, w.wallet(wang).Points)
	})
}

// The summary is what a model in memory says, whatever happened when.
func TestMonths(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.in(func(tx *gorm.DB) error { return w.ledger.ChangeBudgetLimitTx(t.Context(), tx, w.budget, 1_000_000) })
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // reproducible
		want := map[string]*ledger.Month{}
		month := func() *ledger.Month {
			m := w.clock.Now().In(clock.Shanghai).Format("2006-01")
			if want[m] == nil {
				want[m] = &ledger.Month{Month: m}
			}
			return want[m]
		}
		var captures, earns []string
		for range 60 {
			w.clock.Advance(time.Duration(random.IntN(200)) * time.Hour)
			points := int64(random.IntN(20) + 1)
			today := clock.Today(w.clock)
			switch random.IntN(7) {
			case 0, 1, 2:
				out := w.earn(wang, points, today.AddDays(random.IntN(90)))
				require.NoError(t, out.Err)
				month().Earned += points
				earns = append(earns, out.TransferID)
				w.earn(li, points, "2027-12-31") // somebody else's
			case 3:
				if h := w.hold(wang, points); h.Err == nil {
					captures = append(captures, w.capture(wang, h.HoldID, shop).TransferID)
					month().Spent += points
				}
			case 4:
				before := w.wallet(wang).Points
				_, err := w.ledger.ExpireLots(t.Context())
				require.NoError(t, err)
				month().Expired += before - w.wallet(wang).Points
			case 5:
				if w.adjust(wang, points).Err == nil {
					month().Adjusted += points
				}
				if w.adjust(wang, -points/2).Err == nil {
					month().Adjusted -= points / 2
				}
			case 6:
				before := w.wallet(wang).Points
				if len(captures) > 0 && w.reverse(captures[0]).Err == nil {
					month().Returned += w.wallet(wang).Points - before
					captures = captures[1:]
				}
				before = w.wallet(wang).Points
				if len(earns) > 0 && w.reverse(earns[0]).Err == nil {
					month().Adjusted += w.wallet(wang).Points - before
					earns = earns[1:]
				}
			}
		}
		got, err := w.ledger.Months(t.Context(), ledger.WalletOf(wang), "2026-01", "2028-12")
		require.NoError(t, err)
		require.Len(t, got, 36)
		var sum int64
		for _, m := range got {
			if want[m.Month] == nil {
				want[m.Month] = &ledger.Month{Month: m.Month}
			}
			require.Equal(t, *want[m.Month], m)
			sum += m.Net()
		}
		require.Equal(t, w.wallet(wang).Points, sum)

		none, err := w.ledger.Months(t.Context(), ledger.WalletOf("01NOBODY000000000000000000"), "2026-03", "2026-03")
		require.NoError(t, err)
		require.Equal(t, []ledger.Month{{Month: "2026-03"}}, none)
		for _, period := range [][2]string{{"2026-03", "2026-02"}, {"2026-01", "2029-01"}, {"", "2026-01"}, {"2026-13", "2026-13"}, {"2026-1", "2026-02"}} {
			_, err := w.ledger.Months(t.Context(), ledger.WalletOf(wang), period[0], period[1])
			require.ErrorIs(t, err, ledger.ErrPeriod, period)
		}
	})
}

func TestNoticeExpiring(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2026-04-09") // in 30 days
		w.earn(wang, 2, "2026-03-10") // today
		w.earn(li, 3, "2026-04-10")   // in 31
		spent := "01RESIDENTZHAO0000000000000"[:26]
		w.earn(spent, 3, "2026-03-20")
		w.capture(spent, w.hold(spent, 3).HoldID, shop)
		notice := func(want int) {
			t.Helper()
			n, err := w.ledger.NoticeExpiring(t.Context(), 30)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		notice(2)
		notice(0)
		w.in(func(tx *gorm.DB) error { return tx.Exec(`DELETE FROM queue_job`).Error })
		notice(0) // also when the outbox has forgotten
		w.clock.Advance(24 * time.Hour)
		notice(1)
		var payload string
		require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT payload FROM queue_job`).Scan(&payload).Error)
		var lot string
		require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT id FROM lot WHERE account_id = ?`, string(ledger.WalletOf(li))).Scan(&lot).Error)
		require.JSONEq(t, fmt.Sprintf(`{"topic":"ledger.points_expiring","object_id":%q,"resident_ids":[%q]}`, lot, li), payload)
	})
}
