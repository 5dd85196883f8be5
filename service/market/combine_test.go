package market

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/batch"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/service/ledger"
)

// stopwatch stands in for the machine's monotonic clock.
type stopwatch struct{ atomic.Int64 }

func (s *stopwatch) elapsed() time.Duration { return time.Duration(s.Load()) }

func (s *stopwatch) advance(d time.Duration) { s.Add(int64(d)) }

// statements counts what fn sends to the database.
func (w *world) statements(fn func()) (n int64) {
	w.t.Helper()
	var count atomic.Int64
	handles := []*gorm.DB{w.db.Read(context.Background())}
	if w.db.Driver() == database.SQLite { // whose transactions have a handle of their own
		w.in(func(tx *gorm.DB) error { handles = append(handles, tx); return nil })
	}
	note := func(*gorm.DB) { count.Add(1) }
	for _, h := range handles {
		on := h.Callback()
		for _, err := range []error{
			on.Create().Before("*").Register("statements", note), on.Query().Before("*").Register("statements", note),
			on.Raw().Before("*").Register("statements", note), on.Row().Before("*").Register("statements", note),
		} {
			require.NoError(w.t, err)
		}
	}
	fn()
	for _, h := range handles {
		on := h.Callback()
		for _, err := range []error{
			on.Create().Remove("statements"), on.Query().Remove("statements"), on.Raw().Remove("statements"), on.Row().Remove("statements"),
		} {
			require.NoError(w.t, err)
		}
	}
	return count.Load()
}

func TestOrdersAreCombined(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 20
		// blocked makes a call that meets a locked stock, and the others at once
		// while it waits: the first is a batch and the others are the next.
		blocked := func(b Benefit, call func(i int)) {
			held, goOn := make(chan struct{}), make(chan struct{})
			var holder sync.WaitGroup
			holder.Go(func() {
				w.in(func(tx *gorm.DB) error {
					err := tx.Exec(`UPDATE benefit_stock SET version = version WHERE release_id IN (SELECT id FROM benefit_release WHERE benefit_id = ?)`, b.ID).Error
					close(held)
					<-goOn
					return err
				})
			})
			<-held
			before := w.market.Stats().Orders
			until := func(items, waiting int64) {
				for now := before; now.Items-before.Items != items || now.Waiting != waiting; now = w.market.Stats().Orders {
					time.Sleep(time.Millisecond)
				}
			}
			var first sync.WaitGroup
			first.Go(func() { call(0) })
			until(1, 0)
			go func() {
				until(1, n-1)
				close(goOn)
			}()
			together(n-1, func(i int) { call(i + 1) })
			first.Wait()
			holder.Wait()
		}
		version := func(b Benefit) (v int64) {
			require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT MAX(s.version) FROM benefit_stock s
				JOIN benefit_release r ON r.id = s.release_id WHERE r.benefit_id = ?`, b.ID).Scan(&v).Error)
			return v
		}

		t.Run("a hot benefit costs one update of its stock per batch", func(t *testing.T) {
			b, people := w.publish(w.terms(), 100), w.residents(n, w.village, 5)
			stats := w.market.Stats().Orders
			blocked(b, func(i int) {
				o, err := w.market.Order(t.Context(), people[i], OrderInput{BenefitID: b.ID, IdempotencyKey: "combined"})
				require.NoError(t, err)
				require.Equal(t, people[i].ID, w.row(o.OrderID).ResidentID, "everybody gets the own answer")
			})
			now := w.market.Stats().Orders
			require.EqualValues(t, 2, now.Batches-stats.Batches)
			require.EqualValues(t, n, now.Items-stats.Items)
			require.EqualValues(t, 1+2, version(b))
			sold, _ := w.stock(b)
			require.EqualValues(t, n, sold)
			w.sound()
		})
		t.Run("each order in a batch has its own answer", func(t *testing.T) {
			b, rich, poor := w.publish(w.terms(), 5), w.residents(10, w.village, 5), w.residents(9, w.village, 4)
			elsewhere := w.residents(1, w.otherTown, 5)[0]
			elsewhere.RegionPath = "/nowhere/"
			people := slices.Concat(rich, poor, []authz.Actor{elsewhere})
			errs := make([]error, n)
			blocked(b, func(i int) {
				_, errs[i] = w.market.Order(t.Context(), people[i], OrderInput{BenefitID: b.ID, IdempotencyKey: "own-answer"})
			})
			require.Zero(t, w.market.Stats().Orders.Fallbacks)
			placed := 0
			for i, err := range errs {
				switch {
				case i == n-1:
					require.ErrorIs(t, err, ErrBenefitMissing)
				case i >= 10:
					require.ErrorIs(t, err, ledger.ErrInsufficientPoints)
				case err == nil:
					placed++
				default:
					require.ErrorIs(t, err, ErrSoldOut)
				}
			}
			require.Equal(t, 5, placed)
			w.sound()
		})
		t.Run("an order that spoils the batch fails alone", func(t *testing.T) {
			b, people := w.publish(w.terms(), 100), w.residents(n, w.village, 5)
			// A wallet without a resident: the order's foreign key refuses it.
			ghost := &people[7]
			ghost.ID = w.clock.NewID()
			w.in(func(tx *gorm.DB) error {
				_, err := w.ledger.EarnTx(context.Background(), tx, []ledger.Earn{{
					Event:    ledger.Event{SourceType: "test", SourceID: ghost.ID, ActorID: "tester"},
					BudgetID: w.budget, ResidentID: ghost.ID, Amount: 5, ExpiresOn: "2027-12-31",
				}})
				return err
			})
			errs := make([]error, n)
			fallbacks := w.market.Stats().Orders.Fallbacks
			blocked(b, func(i int) {
				_, errs[i] = w.market.Order(t.Context(), people[i], OrderInput{BenefitID: b.ID, IdempotencyKey: "one-spoils"})
			})
			for i, err := range errs {
				if i == 7 {
					require.True(t, database.IsForeignKey(err), "%v", err)
				} else {
					require.NoError(t, err)
				}
			}
			require.EqualValues(t, 1, w.market.Stats().Orders.Fallbacks-fallbacks)
			sold, _ := w.stock(b)
			require.EqualValues(t, n-1, sold)
			w.sound()
		})
		t.Run("a caller who goes while the order runs finds it under the key", func(t *testing.T) {
			b, who := w.publish(w.terms(), 100), w.resident(5)
			in := OrderInput{BenefitID: b.ID, IdempotencyKey: "went-away"}
			held, goOn := make(chan struct{}), make(chan struct{})
			var holder sync.WaitGroup
			holder.Go(func() {
				w.in(func(tx *gorm.DB) error {
					err := tx.Exec(`UPDATE benefit_stock SET version = version WHERE release_id IN (SELECT id FROM benefit_release WHERE benefit_id = ?)`, b.ID).Error
					close(held)
					<-goOn
					return err
				})
			})
			<-held
			ctx, cancel := context.WithCancel(t.Context())
			items := w.market.Stats().Orders.Items
			go func() {
				for w.market.Stats().Orders.Items == items {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			_, err := w.market.Order(ctx, who, in)
			require.ErrorIs(t, err, context.Canceled)
			close(goOn)
			holder.Wait()
			again, err := w.market.Order(t.Context(), who, in)
			require.NoError(t, err)
			require.Equal(t, in.BenefitID, again.BenefitID)
			sold, _ := w.stock(b)
			require.EqualValues(t, 1, sold)
		})
		t.Run("refuses orders once it is closed", func(t *testing.T) {
			s, err := New(w.db, w.clock, w.ledger, Config{CodeKey: testKey})
			require.NoError(t, err)
			require.NoError(t, s.Close(t.Context()))
			b, who := w.publish(w.terms(), 1), w.resident(5)
			w.refuses(t, batch.ErrClosed, fault.Unavailable, func() error {
				_, err := s.Order(t.Context(), who, OrderInput{BenefitID: b.ID, IdempotencyKey: w.key()})
				return err
			})
		})
	})
	_, err := New(nil, nil, nil, Config{CodeKey: testKey, Batch: batch.Config{MaxItems: maxPlaced + 1}})
	require.Error(t, err)
}

func TestSoldOutIsAnsweredFromMemory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var watch stopwatch
		w.market.soldOut.elapsed = watch.elapsed
		order := func(who authz.Actor, b Benefit) error {
			_, err := w.market.Order(ctx, who, OrderInput{BenefitID: b.ID, IdempotencyKey: w.key()})
			return err
		}
		// soldOut returns a benefit whose only unit the buyer has, and that is
		// known to be sold out.
		soldOut := func(change func(*BenefitInput)) (b Benefit, buyer authz.Actor, first Placed) {
			in := w.terms()
			if change != nil {
				change(&in)
			}
			b, buyer = w.publish(in, 1), w.resident(100)
			first = w.order(buyer, b)
			require.ErrorIs(t, order(w.resident(5), b), ErrSoldOut)
			require.True(t, w.market.soldOut.knows(b.ID))
			return b, buyer, first
		}

		t.Run("without a single statement", func(t *testing.T) {
			b, _, _ := soldOut(nil)
			people := w.residents(50, w.village, 5)
			before, refused := w.market.Stats().Orders, w.market.Stats().SoldOut
			n := w.statements(func() {
				together(len(people), func(i int) { require.ErrorIs(t, order(people[i], b), ErrSoldOut) })
			})
			require.Zero(t, n)
			require.Equal(t, before, w.market.Stats().Orders, "nor a transaction")
			require.EqualValues(t, len(people), w.market.Stats().SoldOut-refused)
		})
		t.Run("but not who ordered it: a replay has the first answer", func(t *testing.T) {
			b, buyer, _ := soldOut(nil)
			one := w.publish(w.terms(), 1)
			in := OrderInput{BenefitID: one.ID, IdempotencyKey: w.key()}
			first, err := w.market.Order(ctx, buyer, in)
			require.NoError(t, err)
			require.ErrorIs(t, order(w.resident(5), one), ErrSoldOut)
			require.True(t, w.market.soldOut.knows(one.ID))
			again, err := w.market.Order(ctx, buyer, in)
			require.NoError(t, err)
			require.Equal(t, first, again)
			require.ErrorIs(t, order(buyer, b), ErrLimitReached)
			// An instance that has just started knows of nobody's keys.
			other, err := New(w.db, w.clock, w.ledger, Config{CodeKey: testKey})
			require.NoError(t, err)
			_, err = other.Order(ctx, w.resident(5), OrderInput{BenefitID: one.ID, IdempotencyKey: w.key()})
			require.ErrorIs(t, err, ErrSoldOut)
			require.True(t, other.soldOut.knows(one.ID))
			again, err = other.Order(ctx, buyer, in)
			require.NoError(t, err)
			require.Equal(t, first, again)
		})
		t.Run("nor whom the benefit does not concern", func(t *testing.T) {
			b, _, _ := soldOut(func(in *BenefitInput) { in.RegionID = w.town.ID })
			require.ErrorIs(t, order(w.residents(1, w.otherTown, 5)[0], b), ErrBenefitMissing)
			homeless := w.resident(5)
			homeless.RegionPath = ""
			require.ErrorIs(t, order(homeless, b), ErrNoHome)
		})
		t.Run("until somebody cancels here", func(t *testing.T) {
			b, buyer, first := soldOut(nil)
			_, err := w.market.Cancel(ctx, buyer, CancelInput{OrderID: first.OrderID, IdempotencyKey: w.key()})
			require.NoError(t, err)
			require.NoError(t, order(w.resident(5), b))
		})
		t.Run("until stock is added here", func(t *testing.T) {
			b, _, _ := soldOut(nil)
			w.release(b, w.now(), w.now().Add(time.Hour), 1)
			require.NoError(t, order(w.resident(5), b))
		})
		t.Run("until a redemption is reversed here", func(t *testing.T) {
			b, buyer, first := soldOut(nil)
			w.redeem(buyer, first)
			_, err := w.market.ReverseRedemption(ctx, w.owner, ReverseInput{OrderID: first.OrderID, Reason: "退票", IdempotencyKey: w.key()})
			require.NoError(t, err)
			require.NoError(t, order(w.resident(5), b))
		})
		t.Run("until an order expires here", func(t *testing.T) {
			b, _, _ := soldOut(nil)
			w.clock.Advance(9 * 24 * time.Hour)
			require.True(t, w.market.soldOut.knows(b.ID), "no time has passed on the other clock")
			_, err := w.market.ReleaseExpired(ctx)
			require.NoError(t, err)
			require.NoError(t, order(w.resident(5), b))
		})
		t.Run("until it is paused here", func(t *testing.T) {
			b, _, _ := soldOut(nil)
			_, err := w.market.MoveBenefit(ctx, w.operator, b.ID, BenefitPause, "整改")
			require.NoError(t, err)
			require.ErrorIs(t, order(w.resident(5), b), ErrBenefitClosed)
		})
		t.Run("until a release opens", func(t *testing.T) {
			b, buyer := w.publish(w.terms(), 1), w.resident(5)
			w.order(buyer, b)
			w.release(b, w.now().Add(time.Minute), w.now().Add(time.Hour), 1)
			require.ErrorIs(t, order(w.resident(5), b), ErrSoldOut)
			w.clock.Advance(time.Minute - time.Microsecond)
			require.True(t, w.market.soldOut.knows(b.ID))
			w.clock.Advance(time.Microsecond)
			require.NoError(t, order(w.resident(5), b))
		})
		t.Run("for less than a second after a restock elsewhere", func(t *testing.T) {
			b, _, _ := soldOut(nil)
			other, err := New(w.db, w.clock, w.ledger, Config{CodeKey: testKey})
			require.NoError(t, err)
			_, err = other.AddRelease(ctx, w.owner, b.ID, ReleaseInput{StartsAt: w.now(), EndsAt: w.now().Add(time.Hour), Total: 1, IdempotencyKey: w.key()})
			require.NoError(t, err)
			watch.advance(soldOutTTL - 1)
			who := w.resident(5)
			require.ErrorIs(t, order(who, b), ErrSoldOut, "as long as it may be wrong")
			watch.advance(1)
			require.NoError(t, order(who, b))
			require.Less(t, soldOutTTL, time.Second)
		})
		t.Run("not beyond a clock that is set back", func(t *testing.T) {
			b, _, _ := soldOut(nil)
			w.clock.Advance(-time.Hour)
			require.False(t, w.market.soldOut.knows(b.ID))
			w.clock.Advance(time.Hour)
		})
	})
}

func TestSoldOut(t *testing.T) {
	c := clock.NewManual(noon, 1)
	var watch stopwatch
	fresh := func() *soldOut {
		s := newSoldOut(c)
		s.elapsed = watch.elapsed
		return s
	}
	offer := func(id string) *onOffer {
		return &onOffer{Benefit: Benefit{ID: id, RegionID: "r", ValidUntil: clock.Now(c).Add(time.Hour)}}
	}
	t.Run("what was read before stock came back is not remembered after it", func(t *testing.T) {
		s := fresh()
		other := "b"
		for s.shard(other) == s.shard("a") { // those who share a counter are forgotten together
			other += "b"
		}
		at := s.before([]string{"a", other})
		s.forget("a")
		s.remember(at, offer("a"), nil)
		s.remember(at, offer(other), nil)
		require.False(t, s.knows("a"))
		require.True(t, s.knows(other))
	})
	t.Run("counts from before the benefit was read", func(t *testing.T) {
		s := fresh()
		at := s.before([]string{"a"})
		watch.advance(soldOutTTL)
		s.remember(at, offer("a"), nil)
		require.False(t, s.knows("a"))
	})
	t.Run("holds no more than it may", func(t *testing.T) {
		s := fresh()
		buyers := make([]string, maxBuyers)
		for i := range buyers {
			buyers[i] = fmt.Sprint(i)
		}
		fill := func(n int, buyers []string) {
			for i := range n {
				id := fmt.Sprint("x", i)
				s.remember(s.before([]string{id}), offer(id), buyers)
			}
		}
		fill(maxBuyersInAll/maxBuyers+5, buyers)
		require.Len(t, s.memos, maxBuyersInAll/maxBuyers)
		require.Equal(t, maxBuyersInAll, s.buyers)
		watch.advance(soldOutTTL)
		fill(maxSoldOut+5, nil)
		require.Len(t, s.memos, maxSoldOut)
		require.Zero(t, s.buyers)
		s.forget("x0", "x1", "never heard of")
		require.Len(t, s.memos, maxSoldOut-2)
	})
}

// The buyers of a benefit are read by an index, however many orders there are.
func TestBuyersQueryUsesAnIndex(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		explain := "EXPLAIN "
		if db.Driver() == database.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		}
		var rows []map[string]any
		require.NoError(t, db.Read(t.Context()).Raw(explain+`SELECT DISTINCT resident_id FROM benefit_order WHERE benefit_id = ? LIMIT ?`, "x", maxBuyers+1).Scan(&rows).Error)
		require.Contains(t, fmt.Sprint(rows), "benefit_order_slot_key")
	})
}
