package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/service/ledger"
)

// What LockWalletsTx has read serves one posting; what follows in the same
// transaction sees what that one did.
func TestWallets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, until := t.Context(), clock.Now(w.clock).Add(time.Hour)
		w.earn(wang, 5, "2026-12-31")
		earn := func(who string, points int64) []ledger.Earn {
			return []ledger.Earn{{Event: w.event(), BudgetID: w.budget, ResidentID: who, Amount: points, ExpiresOn: "2027-12-31"}}
		}
		hold := func(who string, points int64) []ledger.Hold {
			return []ledger.Hold{{Event: w.event(), ResidentID: who, Amount: points, ExpiresAt: until}}
		}
		w.in(func(tx *gorm.DB) error {
			locked, can, err := w.ledger.LockSpendableTx(ctx, tx, []string{wang, li})
			require.NoError(t, err)
			require.Equal(t, map[string]ledger.Spendable{wang: {Points: 5}, li: {}}, can, "one that is opened has nothing")
			post := func(outs []ledger.Outcome, err error) error {
				require.NoError(t, err)
				require.Len(t, outs, 1)
				return outs[0].Err
			}
			require.NoError(t, post(locked.EarnTx(ctx, tx, earn(li, 7))))
			require.NoError(t, post(locked.HoldTx(ctx, tx, hold(li, 7))), "a second time it reads again")
			require.ErrorIs(t, post(locked.HoldTx(ctx, tx, hold(li, 1))), ledger.ErrInsufficientPoints)
			require.NoError(t, post(locked.HoldTx(ctx, tx, hold(wang, 5))))
			return nil
		})
		require.Equal(t, int64(0), w.wallet(wang).Available)
		require.Equal(t, ledger.Wallet{Points: 7, Held: 7, Expiring: []ledger.Expiring{{Day: "2027-12-31", Points: 7}}}, w.wallet(li))
	})
}

// The first try does not look into the journal. A replay gets the first answer
// nevertheless, whether it could be carried out again or not, and spoils
// nothing for its neighbours.
func TestReplayAmongOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 5, "2027-12-31")
		w.earn(li, 9, "2027-12-31")
		item := func(who string, points int64) ledger.Hold {
			return ledger.Hold{Event: w.event(), ResidentID: who, Amount: points, ExpiresAt: clock.Now(w.clock).Add(time.Hour)}
		}
		post := func(items ...ledger.Hold) (outs []ledger.Outcome) {
			w.in(func(tx *gorm.DB) (err error) {
				outs, err = w.ledger.HoldTx(t.Context(), tx, items)
				return err
			})
			return outs
		}
		spent, repeatable := item(wang, 5), item(li, 3)
		first := post(spent, repeatable)
		require.NoError(t, first[0].Err)
		require.NoError(t, first[1].Err)
		other := spent
		other.Amount = 4
		again := post(spent, item(wang, 1), item(li, 2), repeatable, other)
		require.Equal(t, first[0].HoldID, again[0].HoldID, "its points are held by itself")
		require.True(t, again[0].Replayed)
		require.ErrorIs(t, again[1].Err, ledger.ErrInsufficientPoints)
		require.NoError(t, again[2].Err)
		require.Equal(t, first[1].HoldID, again[3].HoldID)
		require.True(t, again[3].Replayed)
		require.ErrorIs(t, again[4].Err, ledger.ErrIdempotencyConflict)
		require.Equal(t, int64(5), w.wallet(li).Held, "3 and 2")
	})
}
