package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

const parallel = 100

// atOnce posts item(i) from so many goroutines at once.
func (w *world) atOnce(n int, item func(i int) any) []ledger.Outcome {
	w.t.Helper()
	outs, errs := make([]ledger.Outcome, n), make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			x := item(i)
			<-start
			outs[i], _, errs[i] = postItem(w.ledger, w.db, x)
		})
	}
	close(start)
	all.Wait()
	require.NoError(w.t, errors.Join(errs...))
	return outs
}

// requireOneAnswer requires that one call did it and all others were given its
// answer.
func requireOneAnswer(t *testing.T, outs []ledger.Outcome) {
	t.Helper()
	first := 0
	for _, o := range outs {
		require.NoError(t, o.Err)
		if !o.Replayed {
			first++
		}
		o.Replayed = outs[0].Replayed
		require.Equal(t, outs[0], o)
	}
	require.Equal(t, 1, first)
}

// operations are one item of each kind, on what prepare made.
var operations = []struct {
	name string
	// item prepares what it needs and returns the item under an event, and
	// another input for the same event, of the same wallet.
	item func(w *world) (item func(ledger.Event) any, other func(ledger.Event) any)
}{
	{"earn", func(w *world) (item, other func(ledger.Event) any) {
		earn := func(points int64) func(ledger.Event) any {
			return func(ev ledger.Event) any {
				return ledger.Earn{Event: ev, BudgetID: w.budget, ResidentID: wang, Amount: points, ExpiresOn: "2027-12-31"}
			}
		}
		return earn(5), earn(6)
	}},
	{"hold", func(w *world) (item, other func(ledger.Event) any) {
		w.earn(wang, 500, "2027-12-31")
		until := clock.Now(w.clock).Add(time.Hour)
		hold := func(points int64) func(ledger.Event) any {
			return func(ev ledger.Event) any {
				return ledger.Hold{Event: ev, ResidentID: wang, Amount: points, ExpiresAt: until}
			}
		}
		return hold(5), hold(6)
	}},
	{"capture", func(w *world) (item, other func(ledger.Event) any) {
		w.earn(wang, 500, "2027-12-31")
		hold := w.hold(wang, 5).HoldID
		capture := func(merchant string) func(ledger.Event) any {
			return func(ev ledger.Event) any {
				return ledger.Capture{Event: ev, ResidentID: wang, HoldID: hold, MerchantID: merchant}
			}
		}
		return capture(shop), capture("01MERCHANTOTHER00000000000")
	}},
	{"release", func(w *world) (item, other func(ledger.Event) any) {
		w.earn(wang, 500, "2027-12-31")
		release := func(hold string) func(ledger.Event) any {
			return func(ev ledger.Event) any { return ledger.Release{Event: ev, ResidentID: wang, HoldID: hold} }
		}
		return release(w.hold(wang, 5).HoldID), release(w.hold(wang, 6).HoldID)
	}},
	{"reverse", func(w *world) (item, other func(ledger.Event) any) {
		reverse := func(transfer string) func(ledger.Event) any {
			return func(ev ledger.Event) any { return ledger.Reverse{Event: ev, TransferID: transfer} }
		}
		return reverse(w.earn(wang, 5, "2027-12-31").TransferID), reverse(w.earn(wang, 6, "2027-12-31").TransferID)
	}},
	{"settle", func(w *world) (item, other func(ledger.Event) any) {
		w.earn(wang, 500, "2027-12-31")
		w.capture(wang, w.hold(wang, 500).HoldID, shop)
		settle := func(points int64) func(ledger.Event) any {
			return func(ev ledger.Event) any { return ledger.Settle{Event: ev, MerchantID: shop, Amount: points} }
		}
		return settle(5), settle(6)
	}},
}

func (w *world) journals() (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Model(&model.Journal{}).Count(&n).Error)
	return n
}

func TestReplaysAtOnce(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				t.Run("of one source do it once", func(t *testing.T) {
					item, _ := op.item(w)
					ev, before := w.event(), w.journals()
					outs := w.atOnce(parallel, func(int) any { return item(ev) })
					requireOneAnswer(t, outs)
					require.Equal(t, before+1, w.journals())
				})
				t.Run("of one key under other sources do it once", func(t *testing.T) {
					item, _ := op.item(w)
					before := w.journals()
					outs := w.atOnce(parallel, func(int) any {
						ev := w.event()
						ev.IdempotencyKey = "one-intent-" + op.name
						return item(ev)
					})
					requireOneAnswer(t, outs)
					require.Equal(t, before+1, w.journals())
				})
				t.Run("with two inputs do one of them", func(t *testing.T) {
					item, other := op.item(w)
					ev, before := w.event(), w.journals()
					ev.IdempotencyKey = "two-intents-" + op.name
					outs := w.atOnce(parallel, func(i int) any {
						if i%2 == 0 {
							return item(ev)
						}
						return other(ev)
					})
					won := 0
					if outs[0].Err != nil {
						won = 1
					}
					var same []ledger.Outcome
					for i, o := range outs {
						if i%2 == won {
							same = append(same, o)
						} else {
							require.ErrorIs(t, o.Err, ledger.ErrIdempotencyConflict)
						}
					}
					requireOneAnswer(t, same)
					require.Equal(t, before+1, w.journals())
				})
			})
		})
	}
}

// The lock of the wallet cannot order those who use one key for different
// wallets.
func TestReplaysAtOnce_ofDifferentWallets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			ev := w.event()
			ev.IdempotencyKey = fmt.Sprintf("one-key-%d", round)
			before := w.journals()
			outs := w.atOnce(20, func(i int) any {
				return ledger.Earn{
					Event: ev, BudgetID: w.budget, ResidentID: fmt.Sprintf("01RESIDENT%016d", i), Amount: 1, ExpiresOn: "2027-12-31",
				}
			})
			won := 0
			for _, o := range outs {
				if o.Err == nil {
					won++
				} else {
					require.ErrorIs(t, o.Err, ledger.ErrIdempotencyConflict)
				}
			}
			require.Equal(t, 1, won)
			require.Equal(t, before+1, w.journals())
		}
	})
}

func TestClockSetBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.Set(time.Date(2026, 3, 11, 16, 30, 0, 0, time.UTC)) // half past midnight in Shanghai, the 12th
		ev := w.event()
		item := ledger.Earn{Event: ev, BudgetID: w.budget, ResidentID: wang, Amount: 10, ExpiresOn: "2026-03-12"}
		first, _, err := postItem(w.ledger, w.db, item)
		require.NoError(t, err)
		require.NoError(t, first.Err)
		hold := w.hold(wang, 4)
		w.clock.Advance(-time.Hour) // the 11th

		again, _, err := postItem(w.ledger, w.db, item)
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, first.TransferID, again.TransferID)
		require.NoError(t, w.earn(wang, 3, "2026-03-11").Err)
		require.EqualValues(t, 9, w.wallet(wang).Available)
		c := w.capture(wang, hold.HoldID, shop)
		require.NoError(t, c.Err)
		require.NoError(t, w.reverse(c.TransferID).Err)
		entries, err := w.ledger.Entries(t.Context(), ledger.WalletOf(wang), ledger.EntryFilter{}, pageOf(50, ""))
		require.NoError(t, err)
		require.Len(t, entries.Items, 4, "what came before the clock went back is there as well")

		// What was over and then is not: the sweep took it, and once only.
		w.clock.Advance(time.Hour)
		n, err := w.ledger.ExpireLots(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		w.clock.Advance(-time.Hour)
		require.EqualValues(t, 10, w.wallet(wang).Available)
		require.NoError(t, w.earn(wang, 2, "2026-03-11").Err, "into the lot that was swept")
		w.clock.Advance(time.Hour)
		n, err = w.ledger.ExpireLots(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.EqualValues(t, 10, w.wallet(wang).Points)
		require.EqualValues(t, 5, w.posted(ledger.Expired))
	})
}

// dump is all that points are, for tests of what changes nothing.
func (w *world) dump() string {
	w.t.Helper()
	var out string
	for _, table := range []string{"account", "account_balance", "journal", "transfer", "hold", "lot", "hold_lot", "lot_entry"} {
		var rows []map[string]any
		require.NoError(w.t, w.db.Read(w.t.Context()).Raw("SELECT * FROM "+table+" ORDER BY 1, 2").Scan(&rows).Error)
		out += fmt.Sprintln(table, rows)
	}
	return out
}

func TestAmounts(t *testing.T) {
	wrong := map[string]int64{
		"zero": 0, "minus one": -1, "one too many": ledger.MaxAmount + 1, "the largest": math.MaxInt64, "the smallest": math.MinInt64,
		"minus the most": -ledger.MaxAmount, "the smallest but one": math.MinInt64 + 1,
	}
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 50, "2027-12-31")
		w.capture(wang, w.hold(wang, 20).HoldID, shop)
		out, _, err := postItem(w.ledger, w.db, ledger.Settle{Event: w.event(), MerchantID: shop, Amount: 1}) // all accounts are open now
		require.NoError(t, err)
		require.NoError(t, out.Err)
		ctx := t.Context()
		for name, points := range wrong {
			t.Run(name, func(t *testing.T) {
				before := w.dump()
				for _, item := range []any{
					ledger.Earn{Event: w.event(), BudgetID: w.budget, ResidentID: wang, Amount: points, ExpiresOn: "2027-12-31"},
					ledger.Hold{Event: w.event(), ResidentID: wang, Amount: points, ExpiresAt: clock.Now(w.clock).Add(time.Hour)},
					ledger.Settle{Event: w.event(), MerchantID: shop, Amount: points},
				} {
					out, _, err := postItem(w.ledger, w.db, item)
					require.NoError(t, err)
					require.ErrorIs(t, out.Err, ledger.ErrAmount, "%T", item)
				}
				if points > 0 && points <= ledger.MaxBudgetPoints {
					return // a budget may be as large
				}
				require.ErrorIs(t, database.InTx(ctx, w.db, func(tx *gorm.DB) error {
					return w.ledger.OpenBudgetsTx(ctx, tx, []ledger.Budget{{ID: w.clock.NewID(), LimitPoints: points}})
				}), ledger.ErrAmount)
				require.ErrorIs(t, database.InTx(ctx, w.db, func(tx *gorm.DB) error {
					return w.ledger.ChangeBudgetLimitTx(ctx, tx, w.budget, points)
				}), ledger.ErrAmount)
				require.Equal(t, before, w.dump(), "a refused amount changed something")
			})
		}
	})
}

// The database refuses an amount that no service would write.
func TestDatabase_refusesAmounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 50, "2027-12-31")
		w.hold(wang, 20)
		for _, amount := range []int64{0, -1, math.MinInt64} {
			for table, sql := range map[string]string{
				"transfer": `INSERT INTO transfer (id, journal_id, debit_account_id, credit_account_id, amount, created_at)
					SELECT 'x', journal_id, debit_account_id, credit_account_id, ?, created_at FROM transfer`,
				"hold": `INSERT INTO hold (id, journal_id, account_id, amount, status, expires_at, created_at)
					SELECT 'x', journal_id, account_id, ?, 'pending', expires_at, created_at FROM hold`,
			} {
				err := database.InTx(t.Context(), w.db, func(tx *gorm.DB) error { return tx.Exec(sql, amount).Error })
				require.True(t, database.IsCheck(err), "%s %d: %v", table, amount, err)
			}
		}
	})
}

// Whoever posts the largest amount again and again meets a limit long before
// 64 bits end.
func TestOverflow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		budgets := []ledger.Budget{{ID: w.clock.NewID(), LimitPoints: ledger.MaxBudgetPoints}}
		w.in(func(tx *gorm.DB) error { return w.ledger.OpenBudgetsTx(ctx, tx, budgets) })
		times := int(ledger.MaxBudgetPoints / ledger.MaxAmount)
		for _, b := range budgets {
			for done := 0; done < times+1; done += ledger.MaxBatch {
				items := make([]ledger.Earn, min(ledger.MaxBatch, times+1-done))
				for i := range items {
					items[i] = ledger.Earn{Event: w.event(), BudgetID: b.ID, ResidentID: wang, Amount: ledger.MaxAmount, ExpiresOn: "2027-12-31"}
				}
				w.in(func(tx *gorm.DB) error {
					outs, err := w.ledger.EarnTx(ctx, tx, items)
					for i, o := range outs {
						if done+i < times {
							require.NoError(t, o.Err)
						} else {
							require.ErrorIs(t, o.Err, ledger.ErrBudgetExhausted)
						}
					}
					return err
				})
			}
			require.EqualValues(t, -ledger.MaxBudgetPoints, w.posted(ledger.BudgetOf(b.ID)))
		}
		require.Equal(t, int64(ledger.MaxBudgetPoints), w.wallet(wang).Available)

		// A merchant who is settled at once, and whose captures are then all
		// reversed, ends at its floor.
		const floor, n = -1_000_000_000, 12
		var captured []string
		for range n {
			captured = append(captured, w.capture(wang, w.hold(wang, ledger.MaxAmount).HoldID, shop).TransferID)
			out, _, err := postItem(w.ledger, w.db, ledger.Settle{Event: w.event(), MerchantID: shop, Amount: ledger.MaxAmount})
			require.NoError(t, err)
			require.NoError(t, out.Err)
		}
		for i, id := range captured {
			if out := w.reverse(id); i < -floor/ledger.MaxAmount {
				require.NoError(t, out.Err)
			} else {
				require.ErrorIs(t, out.Err, ledger.ErrInsufficientBalance)
			}
		}
		require.EqualValues(t, floor, w.posted(ledger.MerchantOf(shop)))
	})
}
