package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// world is a ledger with one budget of 1000 points.
type world struct {
	t      testing.TB
	db     *database.DB
	clock  *clock.Manual
	ledger *ledger.Service
	budget string
	n      int
	mu     sync.Mutex
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(noon, 1)
		w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c), budget: c.NewID()}
		w.in(func(tx *gorm.DB) error {
			return w.ledger.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: w.budget, LimitPoints: 1000}})
		})
		test(t, w)
		ledgertest.RequireSound(t, db)
	})
}

func (w *world) in(fn func(tx *gorm.DB) error) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(context.Background(), w.db, fn))
}

func (w *world) event() ledger.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return ledger.Event{SourceType: "test", SourceID: fmt.Sprint(w.n), ActorID: "tester", Evidence: `{"n":1}`}
}

func (w *world) earn(resident string, points int64, expires clock.Day) ledger.Outcome {
	w.t.Helper()
	return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
		return w.ledger.EarnTx(w.t.Context(), tx, []ledger.Earn{{
			Event: w.event(), BudgetID: w.budget, ResidentID: resident, Amount: points, ExpiresOn: expires,
		}})
	})
}

func (w *world) hold(resident string, points int64) ledger.Outcome {
	w.t.Helper()
	return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
		return w.ledger.HoldTx(w.t.Context(), tx, []ledger.Hold{{
			Event: w.event(), ResidentID: resident, Amount: points, ExpiresAt: clock.Now(w.clock).Add(time.Hour),
		}})
	})
}

func (w *world) capture(resident, hold, merchant string) ledger.Outcome {
	w.t.Helper()
	return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
		return w.ledger.CaptureTx(w.t.Context(), tx, []ledger.Capture{{
			Event: w.event(), ResidentID: resident, HoldID: hold, MerchantID: merchant,
		}})
	})
}

func (w *world) release(resident, hold string) ledger.Outcome {
	w.t.Helper()
	return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
		return w.ledger.ReleaseTx(w.t.Context(), tx, []ledger.Release{{Event: w.event(), ResidentID: resident, HoldID: hold}})
	})
}

func (w *world) reverse(transfer string) ledger.Outcome {
	w.t.Helper()
	return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
		return w.ledger.ReverseTx(w.t.Context(), tx, []ledger.Reverse{{Event: w.event(), TransferID: transfer}})
	})
}

func (w *world) one(fn func(tx *gorm.DB) ([]ledger.Outcome, error)) (out ledger.Outcome) {
	w.t.Helper()
	w.in(func(tx *gorm.DB) error {
		outs, err := fn(tx)
		if err == nil {
			require.Len(w.t, outs, 1)
			out = outs[0]
		}
		return err
	})
	return out
}

func (w *world) wallet(resident string) ledger.Wallet {
	w.t.Helper()
	got, err := w.ledger.Wallet(w.t.Context(), resident)
	require.NoError(w.t, err)
	return got
}

func (w *world) posted(id ledger.AccountID) int64 {
	w.t.Helper()
	b, err := w.ledger.Balances(w.t.Context(), []ledger.AccountID{id})
	require.NoError(w.t, err)
	return b[id].Posted
}

const (
	wang = "01RESIDENTWANG000000000000"
	li   = "01RESIDENTLI00000000000000"
	shop = "01MERCHANTSHOP000000000000"
)

func TestEarn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		require.NoError(t, w.earn(wang, 5, "2027-12-31").Err)
		require.NoError(t, w.earn(wang, 3, "2026-12-31").Err)
		require.NoError(t, w.earn(wang, 2, "2027-12-31").Err)
		got := w.wallet(wang)
		require.EqualValues(t, 10, got.Points)
		require.EqualValues(t, 10, got.Available)
		require.Equal(t, []ledger.Expiring{{Day: "2026-12-31", Points: 3}, {Day: "2027-12-31", Points: 7}}, got.Expiring,
			"one lot per expiry date")
		require.EqualValues(t, -10, w.posted(ledger.BudgetOf(w.budget)))
	})
}

func TestEarn_refuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, points := range map[string]int64{"zero": 0, "negative": -1, "too much": ledger.MaxAmount + 1, "overflow": 1<<63 - 1} {
			require.ErrorIs(t, w.earn(wang, points, "2027-12-31").Err, ledger.ErrAmount, name)
		}
		require.ErrorIs(t, w.earn(wang, 1, "2026-03-09").Err, ledger.ErrAmount, "points that have expired already")
		require.ErrorIs(t, w.earn(wang, 1001, "2027-12-31").Err, ledger.ErrBudgetExhausted)
		require.Zero(t, w.wallet(wang).Points)
		require.Zero(t, w.posted(ledger.BudgetOf(w.budget)))
	})
}

func TestEarn_batch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		item := func(resident string, points int64) ledger.Earn {
			return ledger.Earn{Event: w.event(), BudgetID: w.budget, ResidentID: resident, Amount: points, ExpiresOn: "2027-12-31"}
		}
		repeated := item(wang, 7)
		changed := repeated
		changed.Amount = 8
		items := []ledger.Earn{item(wang, 600), item(li, 500), item(li, 300), repeated, repeated, changed}
		var outs []ledger.Outcome
		w.in(func(tx *gorm.DB) (err error) {
			outs, err = w.ledger.EarnTx(t.Context(), tx, items)
			return err
		})
		require.NoError(t, outs[0].Err)
		require.ErrorIs(t, outs[1].Err, ledger.ErrBudgetExhausted, "600 + 500 is over the limit")
		require.NoError(t, outs[2].Err, "a failed item does not stop the next")
		require.NoError(t, outs[3].Err)
		require.True(t, outs[4].Replayed)
		require.Equal(t, outs[3].TransferID, outs[4].TransferID, "a replay gets the first answer")
		require.ErrorIs(t, outs[5].Err, ledger.ErrIdempotencyConflict)
		require.EqualValues(t, 607, w.wallet(wang).Points)
		require.EqualValues(t, 300, w.wallet(li).Points)
		// The same batch again, in a transaction of its own.
		w.in(func(tx *gorm.DB) (err error) {
			again, err := w.ledger.EarnTx(t.Context(), tx, items)
			require.True(t, again[0].Replayed)
			require.Equal(t, outs[0].TransferID, again[0].TransferID)
			require.ErrorIs(t, again[5].Err, ledger.ErrIdempotencyConflict)
			return err
		})
		require.EqualValues(t, 607, w.wallet(wang).Points)
	})
}

func TestHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2027-12-31")
		w.earn(wang, 3, "2026-12-31")
		h := w.hold(wang, 5)
		require.NoError(t, h.Err)
		got := w.wallet(wang)
		require.EqualValues(t, 2, got.Available)
		require.EqualValues(t, 5, got.Held)
		require.ErrorIs(t, w.hold(wang, 3).Err, ledger.ErrInsufficientPoints)
		require.ErrorIs(t, w.hold(li, 1).Err, ledger.ErrInsufficientPoints, "a wallet that never earned")

		c := w.capture(wang, h.HoldID, shop)
		require.NoError(t, c.Err)
		got = w.wallet(wang)
		require.Equal(t, []ledger.Expiring{{Day: "2027-12-31", Points: 2}}, got.Expiring, "soonest-expiring points go first")
		require.Zero(t, got.Held)
		require.EqualValues(t, 5, w.posted(ledger.MerchantOf(shop)))
		require.ErrorIs(t, w.capture(wang, h.HoldID, shop).Err, ledger.ErrHoldResolved)
		require.ErrorIs(t, w.release(wang, h.HoldID).Err, ledger.ErrHoldResolved)

		// The reversal gives the points back to the lots that they came from.
		require.NoError(t, w.reverse(c.TransferID).Err)
		require.Equal(t, []ledger.Expiring{{Day: "2026-12-31", Points: 3}, {Day: "2027-12-31", Points: 4}}, w.wallet(wang).Expiring)
		require.Zero(t, w.posted(ledger.MerchantOf(shop)))
		require.ErrorIs(t, w.reverse(c.TransferID).Err, ledger.ErrAlreadyReversed)
	})
}

func TestRelease(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2027-12-31")
		h := w.hold(wang, 4)
		require.ErrorIs(t, w.release(li, h.HoldID).Err, ledger.ErrHoldMissing, "somebody else's hold")
		require.ErrorIs(t, w.capture(li, h.HoldID, shop).Err, ledger.ErrHoldMissing)
		require.NoError(t, w.release(wang, h.HoldID).Err)
		require.EqualValues(t, 4, w.wallet(wang).Available)
		require.ErrorIs(t, w.capture(wang, h.HoldID, shop).Err, ledger.ErrHoldResolved)
	})
}

func TestCapture_refusesExpiredHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2027-12-31")
		h := w.hold(wang, 4)
		w.clock.Advance(time.Hour)
		require.ErrorIs(t, w.capture(wang, h.HoldID, shop).Err, ledger.ErrHoldExpired)
		require.EqualValues(t, 4, w.wallet(wang).Held, "the release job gives it back")
	})
}

func TestReverse_earn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.earn(wang, 4, "2027-12-31")
		w.earn(wang, 3, "2026-12-31")
		h := w.hold(wang, 5)
		require.ErrorIs(t, w.reverse(first.TransferID).Err, ledger.ErrInsufficientPoints, "held points cannot be taken back")
		w.release(wang, h.HoldID)
		r := w.reverse(first.TransferID)
		require.NoError(t, r.Err)
		require.Equal(t, []ledger.Expiring{{Day: "2026-12-31", Points: 3}}, w.wallet(wang).Expiring, "from the lot they went to")
		require.EqualValues(t, -3, w.posted(ledger.BudgetOf(w.budget)))
		require.ErrorIs(t, w.reverse(r.TransferID).Err, ledger.ErrIrreversible)
		require.ErrorIs(t, w.reverse("01MISSING00000000000000000").Err, ledger.ErrTransferMissing)
	})
}

func TestSettle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2027-12-31")
		c := w.capture(wang, w.hold(wang, 4).HoldID, shop)
		settle := func(points int64) error {
			return w.one(func(tx *gorm.DB) ([]ledger.Outcome, error) {
				return w.ledger.SettleTx(t.Context(), tx, []ledger.Settle{{Event: w.event(), MerchantID: shop, Amount: points}})
			}).Err
		}
		require.ErrorIs(t, settle(5), ledger.ErrInsufficientBalance)
		require.NoError(t, settle(4))
		require.NoError(t, w.reverse(c.TransferID).Err, "a reversal after settlement is carried as a debt")
		require.EqualValues(t, -4, w.posted(ledger.MerchantOf(shop)))
		require.ErrorIs(t, settle(1), ledger.ErrInsufficientBalance)
	})
}

func TestExpireLots(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2026-03-10")
		w.earn(wang, 3, "2027-12-31")
		w.earn(li, 2, "2026-03-10")
		h := w.hold(wang, 1)
		n, err := w.ledger.ExpireLots(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "the last day is not over")

		w.clock.Advance(24 * time.Hour)
		require.EqualValues(t, 3, w.wallet(wang).Available, "expired points cannot be spent before the sweep either")
		require.ErrorIs(t, w.hold(wang, 4).Err, ledger.ErrInsufficientPoints)
		n, err = w.ledger.ExpireLots(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.EqualValues(t, 4, w.wallet(wang).Points, "three to come and the held one")
		require.EqualValues(t, 5, w.posted(ledger.Expired))

		// A released point goes back to its lot and expires then.
		require.NoError(t, w.release(wang, h.HoldID).Err)
		n, err = w.ledger.ExpireLots(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.EqualValues(t, 3, w.wallet(wang).Points)
		require.EqualValues(t, 6, w.posted(ledger.Expired))
	})
}

func TestBudgetLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		change := func(limit int64) error {
			return database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				return w.ledger.ChangeBudgetLimitTx(t.Context(), tx, w.budget, limit)
			})
		}
		w.earn(wang, 900, "2027-12-31")
		require.ErrorIs(t, change(899), ledger.ErrBudgetExhausted)
		require.NoError(t, change(900))
		require.ErrorIs(t, w.earn(wang, 1, "2027-12-31").Err, ledger.ErrBudgetExhausted)
		require.NoError(t, change(901))
		require.NoError(t, w.earn(wang, 1, "2027-12-31").Err)

		gone, leave := context.WithCancel(t.Context())
		leave()
		err := database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
			return w.ledger.ChangeBudgetLimitTx(gone, tx, w.budget, 2000)
		})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ledger.ErrBudgetExhausted, "that a statement failed says nothing about the budget")
	})
}

// The database itself refuses what the service would never write.
func TestDatabase_refusesNegativeBalance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2027-12-31")
		for _, sql := range []string{
			`UPDATE account_balance SET posted = posted - 5, headroom = headroom - 5 WHERE account_id = ?`,
			`UPDATE account_balance SET held = held + 5 WHERE account_id = ?`,
			`UPDATE account_balance SET headroom = headroom + 1 WHERE account_id = ?`,
			`UPDATE lot SET remaining = remaining - 5 WHERE account_id = ?`,
			`UPDATE lot SET held = remaining + 1 WHERE account_id = ?`,
		} {
			err := database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				return tx.Exec(sql, string(ledger.WalletOf(wang))).Error
			})
			require.Error(t, err, sql)
			require.True(t, database.IsCheck(err), "%s: %v", sql, err)
		}
	})
}

func TestConcurrency(t *testing.T) {
	t.Run("one wallet is never overdrawn", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.earn(wang, 10, "2027-12-31")
			var wg sync.WaitGroup
			won := make(chan struct{}, 100)
			for range 30 {
				wg.Go(func() {
					err := database.InTx(context.Background(), w.db, func(tx *gorm.DB) error {
						outs, err := w.ledger.HoldTx(context.Background(), tx, []ledger.Hold{{
							Event: w.event(), ResidentID: wang, Amount: 1, ExpiresAt: clock.Now(w.clock).Add(time.Hour),
						}})
						if err != nil {
							return err
						}
						return outs[0].Err
					})
					if err == nil {
						won <- struct{}{}
					}
				})
			}
			wg.Wait()
			require.Len(t, won, 10)
			require.Zero(t, w.wallet(wang).Available)
		})
	})
	t.Run("one event posted many times at once moves points once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			ev := w.event()
			var wg sync.WaitGroup
			ids := make(chan string, 100)
			for range 30 {
				wg.Go(func() {
					var out ledger.Outcome
					err := database.InTx(context.Background(), w.db, func(tx *gorm.DB) error {
						outs, err := w.ledger.EarnTx(context.Background(), tx, []ledger.Earn{{
							Event: ev, BudgetID: w.budget, ResidentID: wang, Amount: 5, ExpiresOn: "2027-12-31",
						}})
						if err == nil {
							out = outs[0]
						}
						return err
					})
					if err == nil && out.Err == nil {
						ids <- out.TransferID
					}
				})
			}
			wg.Wait()
			close(ids)
			first := ""
			n := 0
			for id := range ids {
				n++
				if first == "" {
					first = id
				}
				require.Equal(t, first, id)
			}
			require.Equal(t, 30, n, "every caller gets the first answer")
			require.EqualValues(t, 5, w.wallet(wang).Points)
		})
	})
	t.Run("crossing batches do not deadlock for good", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					a, b := wang, li
					if i%2 == 0 {
						a, b = li, wang
					}
					err := database.InTx(context.Background(), w.db, func(tx *gorm.DB) error {
						_, err := w.ledger.EarnTx(context.Background(), tx, []ledger.Earn{
							{Event: w.event(), BudgetID: w.budget, ResidentID: a, Amount: 1, ExpiresOn: "2027-12-31"},
							{Event: w.event(), BudgetID: w.budget, ResidentID: b, Amount: 1, ExpiresOn: "2027-12-31"},
						})
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 20, w.wallet(wang).Points)
			require.EqualValues(t, 20, w.wallet(li).Points)
		})
	})
}

func TestAudit_namesWhatDiffers(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(noon, 1)
		w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c), budget: c.NewID()}
		w.in(func(tx *gorm.DB) error {
			return w.ledger.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: w.budget, LimitPoints: 1000}})
		})
		w.earn(wang, 4, "2027-12-31")
		w.hold(wang, 1)
		ledgertest.RequireSound(t, db)
		databasetest.Tamper(t, db, `UPDATE transfer SET amount = 5`)
		found, err := w.ledger.Audit(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, found)
		accounts := map[ledger.AccountID]bool{}
		for _, d := range found {
			accounts[d.Account] = true
		}
		require.True(t, accounts[ledger.WalletOf(wang)], "%v", found)
	})
}

func TestEntries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 5 {
			w.earn(wang, 2, "2027-12-31")
		}
		c := w.capture(wang, w.hold(wang, 3).HoldID, shop)
		first, err := w.ledger.Entries(t.Context(), ledger.WalletOf(wang), ledger.EntryFilter{}, pageOf(4, ""))
		require.NoError(t, err)
		require.Len(t, first.Items, 4)
		require.EqualValues(t, -3, first.Items[0].Amount, "newest first")
		require.Equal(t, c.TransferID, first.Items[0].TransferID)
		rest, err := w.ledger.Entries(t.Context(), ledger.WalletOf(wang), ledger.EntryFilter{}, pageOf(4, first.Next))
		require.NoError(t, err)
		require.Len(t, rest.Items, 2)
		require.Empty(t, rest.Next)
		require.JSONEq(t, `{"n":1}`, rest.Items[0].Evidence)
		only, err := w.ledger.Entries(t.Context(), ledger.WalletOf(wang), ledger.EntryFilter{Kind: "capture"}, pageOf(4, ""))
		require.NoError(t, err)
		require.Len(t, only.Items, 1)
		_, err = w.ledger.Entry(t.Context(), ledger.WalletOf(li), c.TransferID)
		require.ErrorIs(t, err, ledger.ErrTransferMissing, "somebody else's entry")
	})
}

func TestFreeze(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 4, "2027-12-31")
		h := w.hold(wang, 1)
		require.NoError(t, w.ledger.Freeze(t.Context(), []ledger.AccountID{ledger.WalletOf(wang)}, "audit"))
		require.ErrorIs(t, w.earn(wang, 1, "2027-12-31").Err, ledger.ErrAccountFrozen)
		require.ErrorIs(t, w.hold(wang, 1).Err, ledger.ErrAccountFrozen)
		require.ErrorIs(t, w.capture(wang, h.HoldID, shop).Err, ledger.ErrAccountFrozen)
		require.NoError(t, w.release(wang, h.HoldID).Err, "a hold can still be given back")
		require.True(t, w.wallet(wang).Frozen)
		require.EqualValues(t, 4, w.wallet(wang).Available)

		unfreeze := func() error {
			return database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				return w.ledger.UnfreezeTx(t.Context(), tx, ledger.WalletOf(wang))
			})
		}
		require.NoError(t, unfreeze())
		require.NoError(t, w.hold(wang, 1).Err)
		require.ErrorIs(t, unfreeze(), ledger.ErrNotFrozen)
	})
}
