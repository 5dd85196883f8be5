package market

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b := w.publish(w.terms(), 3)
		place := func(who authz.Actor, benefit Benefit) func() error {
			return func() error {
				_, err := w.market.Order(ctx, who, OrderInput{BenefitID: benefit.ID, IdempotencyKey: w.key()})
				return err
			}
		}

		t.Run("holds points and stock together", func(t *testing.T) {
			who := w.resident(12)
			o := w.order(who, b)
			require.Equal(t, int64(5), o.Points)
			require.Equal(t, int64(3000), o.CashFen)
			require.Equal(t, w.now().Day().AddDays(8).Start(), o.RedeemUntil, "the end of the 7th day after today")
			require.Equal(t, int64(7), w.wallet(who).Available)
			require.Equal(t, int64(5), w.wallet(who).Held)
			sold, left := w.stock(b)
			require.Equal(t, []int64{1, 2}, []int64{sold, left})
			row := w.row(o.OrderID)
			require.Equal(t, model.OrderHeld, row.Status)
			require.Equal(t, int64(3000), row.SubsidyFen, "by default the original price less the cash part")
			w.sound()
		})
		t.Run("gives a replay the first answer, and another input 422", func(t *testing.T) {
			who := w.resident(100)
			in := OrderInput{BenefitID: b.ID, IdempotencyKey: w.key()}
			first, err := w.market.Order(ctx, who, in)
			require.NoError(t, err)
			w.clock.Advance(time.Minute)
			before := w.dump()
			again, err := w.market.Order(ctx, who, in)
			require.NoError(t, err)
			require.Equal(t, first, again)
			require.Equal(t, before, w.dump())
			other := w.publish(w.terms(), 1)
			w.refuses(t, ErrIdempotencyConflict, fault.Invalid, func() error {
				_, err := w.market.Order(ctx, who, OrderInput{BenefitID: other.ID, IdempotencyKey: in.IdempotencyKey})
				return err
			})
			_, err = w.market.Cancel(ctx, who, CancelInput{OrderID: first.OrderID, IdempotencyKey: w.key()})
			require.NoError(t, err)
			again, err = w.market.Order(ctx, who, in)
			require.NoError(t, err)
			require.Equal(t, first, again, "also after the order was cancelled")
		})
		t.Run("refuses when points do not suffice", func(t *testing.T) {
			w.refuses(t, ledger.ErrInsufficientPoints, fault.Conflict, place(w.resident(4), b))
		})
		t.Run("refuses a resident without any points", func(t *testing.T) {
			who := w.resident(0)
			require.ErrorIs(t, place(who, b)(), ledger.ErrInsufficientPoints)
			w.refuses(t, ledger.ErrInsufficientPoints, fault.Conflict, place(who, b))
		})
		t.Run("refuses beyond the limit per person", func(t *testing.T) {
			who := w.resident(100)
			two := w.terms()
			two.PerPersonLimit = 2
			limited := w.publish(two, 10)
			first := w.order(who, limited)
			w.order(who, limited)
			w.refuses(t, ErrLimitReached, fault.Conflict, place(who, limited))
			_, err := w.market.Cancel(ctx, who, CancelInput{OrderID: first.OrderID, IdempotencyKey: w.key()})
			require.NoError(t, err)
			third := w.order(who, limited)
			require.Equal(t, int64(1), *w.row(third.OrderID).Slot, "the slot that was freed")
			w.redeem(who, third)
			w.refuses(t, ErrLimitReached, fault.Conflict, place(who, limited))
		})
		t.Run("refuses when stock is gone", func(t *testing.T) {
			one := w.publish(w.terms(), 1)
			w.order(w.resident(5), one)
			w.refuses(t, ErrSoldOut, fault.Conflict, place(w.resident(5), one))
		})
		t.Run("refuses outside the region of the offer", func(t *testing.T) {
			in := w.terms()
			in.RegionID = w.otherTown.ID
			elsewhere := w.publish(in, 5)
			w.refuses(t, ErrBenefitMissing, fault.NotFound, place(w.resident(5), elsewhere))
			w.order(w.residents(1, w.otherTown, 5)[0], elsewhere)
		})
		t.Run("refuses a resident without a home region", func(t *testing.T) {
			who := w.resident(5)
			who.RegionPath = ""
			w.refuses(t, ErrNoHome, fault.Conflict, place(who, b))
		})
		t.Run("refuses before and after the validity", func(t *testing.T) {
			later, over := w.terms(), w.terms()
			later.ValidFrom = w.now().Add(time.Hour)
			soon := w.publish(later, 5)
			w.refuses(t, ErrNotYetValid, fault.Conflict, place(w.resident(5), soon))
			over.ValidUntil = w.now().Add(time.Minute)
			past := w.publish(over, 5)
			who := w.resident(5)
			w.clock.Advance(time.Minute)
			w.refuses(t, ErrNoLongerValid, fault.Gone, place(who, past))
		})
		t.Run("refuses outside every release and takes from the one that ends first", func(t *testing.T) {
			dry := w.publish(w.terms(), 0)
			w.refuses(t, ErrNotOnSale, fault.Conflict, place(w.resident(5), dry))
			w.release(dry, w.now().Add(time.Hour), w.now().Add(2*time.Hour), 5)
			w.refuses(t, ErrNotOnSale, fault.Conflict, place(w.resident(5), dry))
			long := w.release(dry, w.now(), w.now().Add(5*time.Hour), 1)
			short := w.release(dry, w.now(), w.now().Add(time.Hour), 1)
			require.Equal(t, short.ID, w.row(w.order(w.resident(5), dry).OrderID).ReleaseID)
			require.Equal(t, long.ID, w.row(w.order(w.resident(5), dry).OrderID).ReleaseID)
			w.refuses(t, ErrSoldOut, fault.Conflict, place(w.resident(5), dry))
		})
		t.Run("refuses what is not published", func(t *testing.T) {
			draft, err := w.market.CreateBenefit(ctx, w.owner, w.merchant.ID, w.terms())
			require.NoError(t, err)
			w.refuses(t, ErrBenefitMissing, fault.NotFound, place(w.resident(5), draft))
			w.refuses(t, ErrBenefitMissing, fault.NotFound, place(w.resident(5), Benefit{ID: w.clock.NewID()}))
			paused := w.publish(w.terms(), 5)
			_, err = w.market.MoveBenefit(ctx, w.owner, paused.ID, BenefitPause, "盘点")
			require.NoError(t, err)
			w.refuses(t, ErrBenefitClosed, fault.Conflict, place(w.resident(5), paused))
		})
		t.Run("refuses at a suspended merchant", func(t *testing.T) {
			_, err := w.market.MoveMerchant(ctx, w.operator, w.merchant.ID, model.MerchantSuspended, "整改")
			require.NoError(t, err)
			w.refuses(t, ErrBenefitClosed, fault.Conflict, place(w.resident(5), b))
			_, err = w.market.MoveMerchant(ctx, w.operator, w.merchant.ID, model.MerchantActive, "")
			require.NoError(t, err)
		})
		t.Run("refuses a frozen wallet, staff and a malformed key", func(t *testing.T) {
			who := w.resident(50)
			require.NoError(t, w.ledger.Freeze(ctx, []ledger.AccountID{ledger.WalletOf(who.ID)}, "核对"))
			w.refuses(t, ledger.ErrAccountFrozen, fault.Conflict, place(who, b))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, place(w.clerk, b))
			_, err := w.market.Order(ctx, who, OrderInput{BenefitID: b.ID, IdempotencyKey: "x"})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		})
	})
}

func TestOrderRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Run("200 residents for 20 tickets get exactly 20", func(t *testing.T) {
			b := w.publish(w.terms(), 20)
			people := w.residents(200, w.village, 5)
			var mu sync.Mutex
			won := map[string]bool{}
			together(len(people), func(i int) {
				_, err := w.market.Order(t.Context(), people[i], OrderInput{BenefitID: b.ID, IdempotencyKey: "the-only-order"})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won[people[i].ID] = true
				} else {
					require.ErrorIs(t, err, ErrSoldOut)
				}
			})
			require.Len(t, won, 20)
			sold, left := w.stock(b)
			require.Equal(t, []int64{20, 0}, []int64{sold, left})
			for _, p := range people {
				want := int64(5)
				if won[p.ID] {
					want = 0
				}
				require.Equal(t, want, w.wallet(p).Available)
			}
			w.sound()
		})
		t.Run("one order sent 50 times with one key is one order", func(t *testing.T) {
			in := w.terms()
			in.PerPersonLimit = 100
			b, who := w.publish(in, 100), w.resident(1000)
			answers := make([]Placed, 50)
			together(50, func(i int) {
				var err error
				answers[i], err = w.market.Order(t.Context(), who, OrderInput{BenefitID: b.ID, IdempotencyKey: "one-intent"})
				require.NoError(t, err)
			})
			for _, a := range answers {
				require.Equal(t, answers[0], a)
			}
			require.Equal(t, int64(5), w.wallet(who).Held)
			sold, _ := w.stock(b)
			require.Equal(t, int64(1), sold)
			w.sound()
		})
		t.Run("50 keys with a limit of two are two orders", func(t *testing.T) {
			in := w.terms()
			in.PerPersonLimit = 2
			b, who := w.publish(in, 100), w.resident(1000)
			var mu sync.Mutex
			n := 0
			together(50, func(i int) {
				_, err := w.market.Order(t.Context(), who, OrderInput{BenefitID: b.ID, IdempotencyKey: fmt.Sprintf("intent-%04d", i)})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					n++
				} else {
					require.ErrorIs(t, err, ErrLimitReached)
				}
			})
			require.Equal(t, 2, n)
			require.Equal(t, int64(10), w.wallet(who).Held)
			w.sound()
		})
		t.Run("orders, cancellations, scans and the job at once stay sound", func(t *testing.T) {
			in := w.terms()
			in.PerPersonLimit = 3
			b := w.publish(in, 15)
			people := w.residents(12, w.village, 20)
			together(24, func(i int) {
				who := people[i%len(people)]
				for range 3 {
					o, err := w.market.Order(t.Context(), who, OrderInput{BenefitID: b.ID, IdempotencyKey: w.key()})
					if err != nil {
						require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
						continue
					}
					if i%2 == 0 {
						_, err = w.market.Cancel(t.Context(), who, CancelInput{OrderID: o.OrderID, IdempotencyKey: w.key()})
						require.NoError(t, err)
						continue
					}
					c, err := w.market.Code(t.Context(), who, o.OrderID)
					require.NoError(t, err)
					_, err = w.market.Redeem(t.Context(), w.clerk, w.scan(c.Code))
					require.NoError(t, err)
					if i%3 == 0 {
						_, err = w.market.ReverseRedemption(t.Context(), w.owner, ReverseInput{OrderID: o.OrderID, Reason: "退票", IdempotencyKey: w.key()})
						require.NoError(t, err)
					}
					_, err = w.market.ReleaseExpired(t.Context())
					require.NoError(t, err)
				}
			})
			w.sound()
		})
	})
}

// TestPlaceTx drives random batches and the same items one by one against two
// copies of one world: answers, wallets and stock must be the same.
func TestPlaceTx(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		rapid.Check(t, func(r *rapid.T) {
			type shape struct {
				stock, limit, price int64
				home                bool
			}
			shapes := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) shape {
				return shape{
					stock: rapid.Int64Range(0, 4).Draw(r, "stock"), limit: rapid.Int64Range(1, 3).Draw(r, "limit"),
					price: rapid.Int64Range(1, 6).Draw(r, "price"), home: rapid.IntRange(0, 4).Draw(r, "home") > 0,
				}
			}), 1, 3).Draw(r, "benefits")
			purses := rapid.SliceOfN(rapid.Int64Range(0, 12), 1, 4).Draw(r, "purses")
			type pick struct{ resident, benefit, key int }
			picks := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) pick {
				return pick{
					rapid.IntRange(0, len(purses)-1).Draw(r, "resident"), rapid.IntRange(0, len(shapes)-1).Draw(r, "benefit"),
					rapid.IntRange(0, 9).Draw(r, "key"),
				}
			}), 1, 16).Draw(r, "items")

			type copyOf struct {
				benefits []Benefit
				people   []authz.Actor
				items    []orderItem
			}
			build := func() (c copyOf) {
				var (
					stocks []int64
					terms  []BenefitInput
				)
				for _, sh := range shapes {
					in := w.terms()
					in.PointsPrice, in.PerPersonLimit = sh.price, sh.limit
					if !sh.home {
						in.RegionID = w.otherTown.ID
					}
					stocks, terms = append(stocks, sh.stock), append(terms, in)
				}
				c.benefits, c.people = w.offer(stocks, terms), w.purses(w.village, purses)
				for _, p := range picks {
					b := c.benefits[p.benefit]
					c.items = append(c.items, orderItem{
						ResidentID: c.people[p.resident].ID, RegionPath: w.village.Path, BenefitID: b.ID,
						Key: fmt.Sprintf("item-%04d", p.key), Hash: hashInput("order", b.ID),
					})
				}
				return c
			}
			place := func(items []orderItem) []result {
				p, err := w.market.place(context.Background(), items)
				require.NoError(r, err)
				return p.results
			}
			batch, single := build(), build()
			answers := place(batch.items)
			answers = append(answers, place(batch.items)...) // every item again
			var want []result
			for range 2 {
				for _, item := range single.items {
					want = append(want, place([]orderItem{item})...)
				}
			}
			for i, a := range answers {
				require.Equal(r, fault.As(want[i].Err), fault.As(a.Err), "item %d", i)
				require.Equal(r, want[i].Replayed, a.Replayed, "item %d", i)
				require.Equal(r, want[i].Placed.Points, a.Placed.Points, "item %d", i)
			}
			for i := range purses {
				require.Equal(r, w.wallet(single.people[i]), w.wallet(batch.people[i]))
			}
			for i := range shapes {
				wantSold, wantLeft := w.stock(single.benefits[i])
				sold, left := w.stock(batch.benefits[i])
				require.Equal(r, []int64{wantSold, wantLeft}, []int64{sold, left})
			}
		})
		w.sound()
	})
}

func TestPlaceReplays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		terms := w.terms()
		terms.PerPersonLimit = 2
		b := w.publish(terms, 3)
		people := w.residents(4, w.village, 10)
		item := func(i int, key string) orderItem {
			return orderItem{ResidentID: people[i].ID, RegionPath: people[i].RegionPath, BenefitID: b.ID, Key: key, Hash: hashInput("order", b.ID)}
		}
		place := func(items ...orderItem) []result {
			p, err := w.market.place(t.Context(), items)
			require.NoError(t, err)
			return p.results
		}
		tried := func(items ...orderItem) error {
			return database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				_, err := w.market.placeTx(t.Context(), tx, items)
				return err
			})
		}
		first := place(item(0, "first"))[0]
		require.NoError(t, first.Err)

		require.ErrorIs(t, tried(item(1, "second"), item(0, "first")), errAnsweredBefore, "met when it is written")
		both := place(item(1, "second"), item(0, "first"))
		require.NoError(t, both[0].Err)
		require.False(t, both[0].Replayed)
		require.Equal(t, result{Placed: first.Placed, Replayed: true}, both[1])
		sold, left := w.stock(b)
		require.Equal(t, []int64{2, 1}, []int64{sold, left}, "what was tried in vain has taken nothing")

		require.NoError(t, place(item(2, "third"))[0].Err)
		require.ErrorIs(t, tried(item(3, "fourth"), item(0, "first")), errAnsweredBefore, "looked for, since it is refused")
		gone := place(item(3, "fourth"), item(0, "first"))
		require.ErrorIs(t, gone[0].Err, ErrSoldOut)
		require.Equal(t, result{Placed: first.Placed, Replayed: true}, gone[1])
		w.sound()
	})
}

func TestPlaceTxStatements(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.publish(w.terms(), 100)
		count := func(n int) (statements int) {
			people := w.residents(n, w.village, 5)
			items := make([]orderItem, n)
			for i, p := range people {
				items[i] = orderItem{ResidentID: p.ID, RegionPath: p.RegionPath, BenefitID: b.ID, Key: "statements", Hash: hashInput("order", b.ID)}
			}
			w.in(func(tx *gorm.DB) error {
				counting := func(*gorm.DB) { statements++ }
				on := tx.Callback()
				for _, err := range []error{
					on.Create().Before("*").Register("count", counting), on.Query().Before("*").Register("count", counting),
					on.Raw().Before("*").Register("count", counting), on.Row().Before("*").Register("count", counting),
				} {
					require.NoError(t, err)
				}
				p, err := w.market.placeTx(t.Context(), tx, items)
				for _, r := range p.results {
					require.NoError(t, r.Err)
				}
				for _, err := range []error{
					on.Create().Remove("count"), on.Query().Remove("count"), on.Raw().Remove("count"), on.Row().Remove("count"),
				} {
					require.NoError(t, err)
				}
				return err
			})
			return statements
		}
		one := count(1)
		require.Equal(t, one, count(50), "statements must not depend on the number of items")
		t.Logf("placeTx runs %d statements", one)
	})
}

func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b := w.publish(w.terms(), 3)
		who := w.resident(5)
		cancel := func(actor authz.Actor, id, key string) func() error {
			return func() error {
				_, err := w.market.Cancel(ctx, actor, CancelInput{OrderID: id, IdempotencyKey: key})
				return err
			}
		}
		t.Run("gives points, stock and slot back", func(t *testing.T) {
			o := w.order(who, b)
			in := CancelInput{OrderID: o.OrderID, Reason: "去不了", IdempotencyKey: w.key()}
			first, err := w.market.Cancel(ctx, who, in)
			require.NoError(t, err)
			require.Equal(t, int64(5), first.Points)
			require.Equal(t, int64(5), w.wallet(who).Available)
			sold, left := w.stock(b)
			require.Equal(t, []int64{0, 3}, []int64{sold, left})
			require.Nil(t, w.row(o.OrderID).Slot)
			w.clock.Advance(time.Second)
			before := w.dump()
			again, err := w.market.Cancel(ctx, who, in)
			require.NoError(t, err)
			require.Equal(t, first, again)
			require.Equal(t, before, w.dump())
			w.refuses(t, ErrIdempotencyConflict, fault.Invalid, cancel(who, o.OrderID, in.IdempotencyKey))
			w.refuses(t, ErrOrderCancelled, fault.Conflict, cancel(who, o.OrderID, w.key()))
		})
		t.Run("sent 20 times at once gives back once", func(t *testing.T) {
			o := w.order(who, b)
			answers := make([]Cancelled, 20)
			together(20, func(i int) {
				var err error
				answers[i], err = w.market.Cancel(ctx, who, CancelInput{OrderID: o.OrderID, IdempotencyKey: "cancel-once"})
				require.NoError(t, err)
			})
			for _, a := range answers {
				require.Equal(t, answers[0], a)
			}
			require.Equal(t, int64(5), w.wallet(who).Available)
		})
		t.Run("refuses another resident's order", func(t *testing.T) {
			o := w.order(who, b)
			w.refuses(t, ErrOrderMissing, fault.NotFound, cancel(w.resident(5), o.OrderID, w.key()))
			w.refuses(t, ErrOrderMissing, fault.NotFound, cancel(who, w.clock.NewID(), w.key()))
			w.redeem(who, o)
			w.refuses(t, ErrOrderRedeemed, fault.Conflict, cancel(who, o.OrderID, w.key()))
		})
		t.Run("refuses after the deadline", func(t *testing.T) {
			late := w.resident(5)
			o := w.order(late, b)
			w.clock.Set(o.RedeemUntil.Time())
			w.refuses(t, ErrOrderExpired, fault.Gone, cancel(late, o.OrderID, w.key()))
		})
	})
}

func TestReleaseExpired(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		in := w.terms()
		in.PerPersonLimit = 2
		b := w.publish(in, 1000)
		people := w.residents(releaseBatch+30, w.village, 20)
		results := make([]Placed, len(people))
		for i := 0; i < len(people); i += 100 {
			var items []orderItem
			for _, p := range people[i:min(i+100, len(people))] {
				items = append(items, orderItem{ResidentID: p.ID, RegionPath: p.RegionPath, BenefitID: b.ID, Key: "expires-soon", Hash: hashInput("order", b.ID)})
			}
			p, err := w.market.place(ctx, items)
			require.NoError(t, err)
			for j, r := range p.results {
				results[i+j] = r.Placed
			}
		}
		w.redeem(people[0], results[0])
		n, err := w.market.ReleaseExpired(ctx)
		require.NoError(t, err)
		require.Zero(t, n, "nothing is due yet")

		w.clock.Set(results[1].RedeemUntil.Time())
		young := w.order(people[1], b)
		w.refuses(t, ErrOrderExpired, fault.Gone, func() error {
			_, err := w.market.Code(ctx, people[2], results[2].OrderID)
			return err
		})
		var mu sync.Mutex
		total := 0
		together(2, func(int) { // two instances
			n, err := w.market.ReleaseExpired(ctx)
			require.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			total += n
		})
		require.Equal(t, len(people)-1, total)
		require.Equal(t, model.OrderRedeemed, w.row(results[0].OrderID).Status)
		require.Equal(t, model.OrderExpired, w.row(results[5].OrderID).Status)
		require.Equal(t, model.OrderHeld, w.row(young.OrderID).Status)
		require.Equal(t, int64(20), w.wallet(people[5]).Available)
		sold, _ := w.stock(b)
		require.Equal(t, int64(2), sold)
	})
}

func TestResidentReads(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		who := w.resident(6)
		cheap, dear, elsewhere := w.terms(), w.terms(), w.terms()
		cheap.Title, cheap.PointsPrice, cheap.PerPersonLimit, cheap.StoreIDs = "早餐_券", 2, 3, []string{w.store2.ID}
		cheap.Category = "dining"
		dear.Title, dear.PointsPrice, dear.RegionID = "健身卡", 50, w.village.ID
		elsewhere.RegionID = w.otherTown.ID
		first := w.publish(w.terms(), 5)
		w.clock.Advance(time.Second)
		second := w.publish(cheap, 4)
		w.clock.Advance(time.Second)
		third := w.publish(dear, 0)
		w.release(third, w.now().Add(time.Hour), w.now().Add(2*time.Hour), 9)
		w.publish(elsewhere, 5)
		list := func(f BenefitFilter, page paging.Request) (ids []string, next string) {
			p, err := w.market.VisibleBenefits(ctx, who, f, page)
			require.NoError(t, err)
			for _, v := range p.Items {
				ids = append(ids, v.ID)
			}
			return ids, p.Next
		}
		t.Run("lists what is offered at home, newest first or by points", func(t *testing.T) {
			ids, _ := list(BenefitFilter{}, paging.Request{})
			require.Equal(t, []string{third.ID, second.ID, first.ID}, ids)
			ids, _ = list(BenefitFilter{Sort: SortPoints}, paging.Request{})
			require.Equal(t, []string{second.ID, first.ID, third.ID}, ids)
		})
		t.Run("filters", func(t *testing.T) {
			ids, _ := list(BenefitFilter{Affordable: true, Sort: SortPoints}, paging.Request{})
			require.Equal(t, []string{second.ID, first.ID}, ids)
			ids, _ = list(BenefitFilter{Text: "餐_"}, paging.Request{})
			require.Equal(t, []string{second.ID}, ids)
			ids, _ = list(BenefitFilter{Text: "%"}, paging.Request{})
			require.Empty(t, ids, "no wildcard from outside")
			ids, _ = list(BenefitFilter{Category: "dining"}, paging.Request{})
			require.Equal(t, []string{second.ID}, ids)
		})
		t.Run("names the next release and counts the categories", func(t *testing.T) {
			next, err := w.market.NextReleases(ctx, who)
			require.NoError(t, err)
			require.Len(t, next, 1)
			require.Equal(t, third.ID, next[0].BenefitID)
			require.Equal(t, w.now().Add(time.Hour), next[0].StartsAt)
			require.EqualValues(t, 9, next[0].Total)
			categories, err := w.market.Categories(ctx, who)
			require.NoError(t, err)
			require.Len(t, categories, len(model.Categories()))
			require.Equal(t, []CategoryCount{{"dining", 1}, {"cinema", 2}}, categories[:2])
		})
		t.Run("sorts by the nearest store that redeems", func(t *testing.T) {
			// The first store is 100 m away, the second, the only one of the
			// second benefit, 1,000 m; the reader stands at 120.69, 30.53.
			w.in(func(tx *gorm.DB) error {
				return errors.Join(
					tx.Exec("UPDATE merchant_store SET lon = 120.69, lat = ? WHERE id = ?", 30.53+100/111_195.0, w.store.ID).Error,
					tx.Exec("UPDATE merchant_store SET lon = 120.69, lat = ? WHERE id = ?", 30.53-1000/111_195.0, w.store2.ID).Error)
			})
			here := &Position{Lon: 120.69, Lat: 30.53}
			var got []string
			for page := (paging.Request{Limit: 1}); ; {
				p, err := w.market.VisibleBenefits(ctx, who, BenefitFilter{Sort: SortNear, Near: here}, page)
				require.NoError(t, err)
				for _, v := range p.Items {
					want := int64(100)
					if v.ID == second.ID {
						want = 1000
					}
					require.NotNil(t, v.DistanceMeters())
					require.InDelta(t, want, *v.DistanceMeters(), 1)
					got = append(got, v.ID)
				}
				if p.Next == "" {
					break
				}
				page.Cursor = p.Next
				here = &Position{Lon: 121, Lat: 31} // who walks on keeps the order of the first page
			}
			require.Equal(t, []string{first.ID, third.ID, second.ID}, got)
			far, err := w.market.VisibleBenefits(ctx, w.resident(1), BenefitFilter{}, paging.Request{})
			require.NoError(t, err)
			require.Nil(t, far.Items[0].DistanceMeters(), "no position, no distance")
			_, err = w.market.VisibleBenefits(ctx, who, BenefitFilter{Sort: SortNear}, paging.Request{})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			_, err = w.market.VisibleBenefits(ctx, who, BenefitFilter{Near: &Position{Lon: 500, Lat: 3}}, paging.Request{})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		})
		t.Run("pages", func(t *testing.T) {
			for _, sort := range []BenefitSort{SortNewest, SortPoints} {
				all, _ := list(BenefitFilter{Sort: sort}, paging.Request{})
				var got []string
				for page := (paging.Request{Limit: 1}); ; {
					ids, next := list(BenefitFilter{Sort: sort}, page)
					got = append(got, ids...)
					if next == "" {
						break
					}
					page.Cursor = next
				}
				require.Equal(t, all, got)
			}
		})
		t.Run("shows stock, stores and what the resident has left", func(t *testing.T) {
			o := w.order(who, second)
			d, err := w.market.VisibleBenefit(ctx, who, second.ID)
			require.NoError(t, err)
			require.Equal(t, int64(3), d.Remaining)
			require.True(t, d.OnSale)
			require.Equal(t, int64(2), d.MyLeft())
			require.Len(t, d.Stores, 1)
			require.Equal(t, w.store2.ID, d.Stores[0].ID)
			d, err = w.market.VisibleBenefit(ctx, who, third.ID)
			require.NoError(t, err)
			require.False(t, d.OnSale)
			require.Equal(t, w.now().Add(time.Hour), *d.NextReleaseAt)
			require.Len(t, d.Stores, 2)
			_, err = w.market.VisibleBenefit(ctx, w.residents(1, w.otherTown, 0)[0], third.ID)
			require.ErrorIs(t, err, ErrBenefitMissing)

			orders, err := w.market.MyOrders(ctx, who, "", paging.Request{})
			require.NoError(t, err)
			require.Len(t, orders.Items, 1)
			require.Equal(t, "早餐_券", orders.Items[0].BenefitTitle)
			orders, err = w.market.MyOrders(ctx, who, model.OrderCancelled, paging.Request{})
			require.NoError(t, err)
			require.Empty(t, orders.Items)
			detail, err := w.market.MyOrder(ctx, who, o.OrderID)
			require.NoError(t, err)
			require.Len(t, detail.Stores, 1)
			_, err = w.market.MyOrder(ctx, w.resident(0), o.OrderID)
			require.ErrorIs(t, err, ErrOrderMissing)
		})
	})
}
