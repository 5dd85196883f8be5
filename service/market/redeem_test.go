package market

import (
	"bytes"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
)

func TestRedeem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		in := w.terms()
		in.PerPersonLimit = 100
		b := w.publish(in, 1000)
		who := w.resident(5000)
		redeem := func(actor authz.Actor, in RedeemInput) func() error {
			return func() error {
				_, err := w.market.Redeem(ctx, actor, in)
				return err
			}
		}
		// both requires the same refusal of Redeem and of Preview.
		both := func(t *testing.T, want *fault.Error, kind fault.Kind, actor authz.Actor, in RedeemInput) {
			t.Helper()
			w.refuses(t, want, kind, redeem(actor, in))
			w.refuses(t, want, kind, func() error {
				_, err := w.market.Preview(ctx, actor, in.Scan)
				return err
			})
		}

		t.Run("captures the points and records store and clerk", func(t *testing.T) {
			o := w.order(who, b)
			before, held := w.wallet(who).Points, w.wallet(who).Held
			c := w.code(who, o)
			p, err := w.market.Preview(ctx, w.clerk, Scan{Code: c.Code, StoreID: w.store2.ID})
			require.NoError(t, err)
			require.Equal(t, []any{"电影票", int64(5), int64(3000), "二店"}, []any{p.BenefitTitle, p.Points, p.CashFen, p.StoreName})
			scan := RedeemInput{Scan: Scan{Code: c.Code, StoreID: w.store2.ID}, IdempotencyKey: w.key()}
			r, err := w.market.Redeem(ctx, w.clerk, scan)
			require.NoError(t, err)
			require.Equal(t, Redeemed{
				RedemptionID: r.RedemptionID, OrderID: o.OrderID, BenefitID: b.ID, BenefitTitle: "电影票", Points: 5, CashFen: 3000,
				StoreID: w.store2.ID, StoreName: "二店", ClerkID: w.clerk.ID, RedeemedAt: w.now(),
			}, r)
			require.Equal(t, before-5, w.wallet(who).Points)
			require.Equal(t, held-5, w.wallet(who).Held)
			balances, err := w.ledger.Balances(ctx, []ledger.AccountID{ledger.MerchantOf(w.merchant.ID)})
			require.NoError(t, err)
			require.Equal(t, int64(5), balances[ledger.MerchantOf(w.merchant.ID)].Posted)
			require.Equal(t, model.OrderRedeemed, w.row(o.OrderID).Status)

			w.clock.Advance(time.Hour) // the code is long expired: a replay is a replay
			dump := w.dump()
			again, err := w.market.Redeem(ctx, w.clerk, scan)
			require.NoError(t, err)
			require.Equal(t, r, again)
			require.Equal(t, dump, w.dump())
			other := w.scan(w.code(who, w.order(who, b)).Code)
			other.IdempotencyKey = scan.IdempotencyKey
			w.refuses(t, ErrIdempotencyConflict, fault.Invalid, redeem(w.clerk, other))
		})
		t.Run("takes a short code", func(t *testing.T) {
			o := w.order(who, b)
			c := w.code(who, o)
			short := RedeemInput{Scan: Scan{ShortCode: c.ShortCode[:5] + " " + c.ShortCode[5:], StoreID: w.store.ID}, IdempotencyKey: w.key()}
			wrong := short
			wrong.ShortCode, wrong.IdempotencyKey = c.ShortCode[:5]+flip(c.ShortCode[5:]), w.key()
			both(t, ErrCodeForged, fault.Invalid, w.clerk, wrong)
			both(t, ErrCodeOtherMerchant, fault.Forbidden, w.otherClerk,
				RedeemInput{Scan: Scan{ShortCode: c.ShortCode, StoreID: w.otherStore.ID}, IdempotencyKey: w.key()})
			w.clock.Advance(2 * time.Minute)
			both(t, ErrCodeExpired, fault.Gone, w.clerk, short)
			short.ShortCode = w.code(who, o).ShortCode
			r, err := w.market.Redeem(ctx, w.clerk, short)
			require.NoError(t, err)
			require.Equal(t, o.OrderID, r.OrderID)
			again, err := w.market.Redeem(ctx, w.clerk, short)
			require.NoError(t, err)
			require.Equal(t, r, again)
			short.IdempotencyKey = w.key()
			both(t, ErrCodeUsed, fault.Conflict, w.clerk, short)
		})
		t.Run("refuses an expired code", func(t *testing.T) {
			w.clock.Set(w.market.codes.startOf(w.market.codes.stepAt(w.now()) + 1).Time())
			o := w.order(who, b)
			c := w.code(who, o)
			require.Equal(t, w.now().Add(30*time.Second), c.RefreshAt)
			require.Equal(t, w.now().Add(60*time.Second), c.ExpiresAt)
			w.clock.Advance(60 * time.Second)
			both(t, ErrCodeExpired, fault.Gone, w.clerk, w.scan(c.Code))
			w.clock.Advance(-time.Microsecond)
			_, err := w.market.Redeem(ctx, w.clerk, w.scan(c.Code))
			require.NoError(t, err, "accepted to the last moment that the page shows")
		})
		t.Run("refuses a code that was used", func(t *testing.T) {
			o := w.order(who, b)
			c := w.code(who, o)
			w.redeem(who, o)
			both(t, ErrCodeUsed, fault.Conflict, w.clerk, w.scan(c.Code))
			w.clock.Advance(time.Hour)
			both(t, ErrCodeUsed, fault.Conflict, w.clerk, w.scan(c.Code)) // used comes before expired
			w.refuses(t, ErrCodeUsed, fault.Conflict, func() error {
				_, err := w.market.Code(ctx, who, o.OrderID)
				return err
			})
		})
		t.Run("refuses a code of another merchant", func(t *testing.T) {
			c := w.code(who, w.order(who, b))
			in := w.scan(c.Code)
			in.StoreID = w.otherStore.ID
			both(t, ErrCodeOtherMerchant, fault.Forbidden, w.otherClerk, in)
			both(t, ErrStoreMissing, fault.NotFound, w.clerk, in) // a store where the clerk does not work
			in.StoreID = w.store.ID
			both(t, ErrStoreMissing, fault.NotFound, w.otherClerk, in)
			both(t, ErrStoreMissing, fault.NotFound, w.operator, in)
			both(t, authz.ErrForbidden, fault.Forbidden, who, in)
		})
		t.Run("refuses a forged code", func(t *testing.T) {
			o := w.order(who, b)
			c := w.code(who, o)
			both(t, ErrCodeForged, fault.Invalid, w.clerk, w.scan(flipLast(c.Code)))
			both(t, ErrCodeForged, fault.Invalid, w.clerk, w.scan("https://example.com/"+c.Code))
			text, err := testCodes(t, strings.Repeat("another key ", 4)).sign(o.OrderID, w.market.codes.stepAt(w.now()))
			require.NoError(t, err)
			both(t, ErrCodeForged, fault.Invalid, w.clerk, w.scan(text))
			text, err = w.market.codes.sign(w.clock.NewID(), w.market.codes.stepAt(w.now()))
			require.NoError(t, err)
			both(t, ErrOrderMissing, fault.NotFound, w.clerk, w.scan(text))
		})
		t.Run("refuses a code of a cancelled, expired or reversed order", func(t *testing.T) {
			o := w.order(who, b)
			c := w.code(who, o)
			_, err := w.market.Cancel(ctx, who, CancelInput{OrderID: o.OrderID, IdempotencyKey: w.key()})
			require.NoError(t, err)
			both(t, ErrOrderCancelled, fault.Conflict, w.clerk, w.scan(c.Code))

			o = w.order(who, b)
			c = w.code(who, o)
			w.redeem(who, o)
			_, err = w.market.ReverseRedemption(ctx, w.clerk, ReverseInput{OrderID: o.OrderID, Reason: "扫错了", IdempotencyKey: w.key()})
			require.NoError(t, err)
			both(t, ErrOrderReversed, fault.Conflict, w.clerk, w.scan(c.Code))

			o = w.order(who, b)
			now := w.clock.Now()
			w.clock.Set(o.RedeemUntil.Time().Add(-time.Second))
			c = w.code(who, o)
			require.Equal(t, o.RedeemUntil, c.ExpiresAt)
			w.clock.Set(o.RedeemUntil.Time())
			both(t, ErrOrderExpired, fault.Gone, w.clerk, w.scan(c.Code)) // before the job
			_, err = w.market.ReleaseExpired(ctx)
			require.NoError(t, err)
			both(t, ErrOrderExpired, fault.Gone, w.clerk, w.scan(c.Code)) // and after it
			w.clock.Set(now)
		})
		t.Run("refuses at a store that does not take part or is closed", func(t *testing.T) {
			in := w.terms()
			in.StoreIDs = []string{w.store2.ID}
			only := w.publish(in, 5)
			c := w.code(who, w.order(who, only))
			both(t, ErrStoreNotAllowed, fault.Conflict, w.clerk, w.scan(c.Code))
			at2 := w.scan(c.Code)
			at2.StoreID = w.store2.ID
			_, err := w.market.MoveStore(ctx, w.owner, w.store2.ID, model.StoreClosed, "装修")
			require.NoError(t, err)
			both(t, ErrStoreClosed, fault.Conflict, w.clerk, at2)
			_, err = w.market.MoveStore(ctx, w.owner, w.store2.ID, model.StoreOpen, "")
			require.NoError(t, err)
			_, err = w.market.Redeem(ctx, w.clerk, at2)
			require.NoError(t, err)
		})
		t.Run("refuses at a suspended merchant", func(t *testing.T) {
			c := w.code(who, w.order(who, b))
			_, err := w.market.MoveMerchant(ctx, w.operator, w.merchant.ID, model.MerchantSuspended, "整改")
			require.NoError(t, err)
			both(t, ErrMerchantInactive, fault.Conflict, w.clerk, w.scan(c.Code))
			_, err = w.market.MoveMerchant(ctx, w.operator, w.merchant.ID, model.MerchantActive, "")
			require.NoError(t, err)
		})
		t.Run("refuses both codes, no code and no store", func(t *testing.T) {
			for _, in := range []Scan{{}, {Code: "a", ShortCode: "b", StoreID: w.store.ID}, {Code: "a"}, {Code: strings.Repeat("a", 201), StoreID: w.store.ID}} {
				_, err := w.market.Preview(ctx, w.clerk, in)
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			}
		})
		t.Run("shows a QR picture", func(t *testing.T) {
			c := w.code(who, w.order(who, b))
			picture, err := png.Decode(bytes.NewReader(c.QRPNG))
			require.NoError(t, err)
			require.Equal(t, qrPixels, picture.Bounds().Dx())
			_, err = w.market.Code(ctx, w.resident(0), c.OrderID)
			require.ErrorIs(t, err, ErrOrderMissing)
		})
	})
}

func flip(digits string) string {
	last := digits[len(digits)-1]
	return digits[:len(digits)-1] + string('0'+(last-'0'+5)%10)
}

func flipLast(code string) string {
	if code[20] == 'A' {
		return code[:20] + "B" + code[21:]
	}
	return code[:20] + "A" + code[21:]
}

func TestRedeemRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.publish(w.terms(), 10)
		t.Run("one scan sent 20 times gives one answer", func(t *testing.T) {
			who := w.resident(5)
			scan := w.scan(w.code(who, w.order(who, b)).Code)
			answers := make([]Redeemed, 20)
			together(20, func(i int) {
				var err error
				answers[i], err = w.market.Redeem(t.Context(), w.clerk, scan)
				assert.NoError(t, err)
			})
			for _, a := range answers {
				require.Equal(t, answers[0], a)
			}
			w.sound()
		})
		t.Run("20 scans of one order redeem it once", func(t *testing.T) {
			who := w.resident(5)
			code := w.code(who, w.order(who, b)).Code
			var mu sync.Mutex
			won := 0
			together(20, func(i int) {
				clerk := w.clerk
				if i%2 == 0 {
					clerk = w.owner
				}
				_, err := w.market.Redeem(t.Context(), clerk, w.scan(code))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else {
					assert.ErrorIs(t, err, ErrCodeUsed)
				}
			})
			require.Equal(t, 1, won)
			w.sound()
		})
		t.Run("one key for two orders at once redeems one", func(t *testing.T) {
			codes := make([]string, 2)
			for i := range codes {
				who := w.resident(5)
				codes[i] = w.code(who, w.order(who, b)).Code
			}
			errs := make([]error, 2)
			key := w.key()
			together(2, func(i int) {
				in := w.scan(codes[i])
				in.IdempotencyKey = key
				_, errs[i] = w.market.Redeem(t.Context(), w.clerk, in)
			})
			if errs[0] == nil {
				errs[0], errs[1] = errs[1], errs[0]
			}
			require.ErrorIs(t, errs[0], ErrIdempotencyConflict)
			require.NoError(t, errs[1])
		})
		t.Run("cancellation and scan at once: one of them", func(t *testing.T) {
			who := w.resident(50)
			for range 4 {
				again := w.publish(w.terms(), 1)
				o := w.order(who, again)
				code := w.code(who, o).Code
				errs := make([]error, 2)
				together(2, func(i int) {
					if i == 0 {
						_, errs[0] = w.market.Cancel(t.Context(), who, CancelInput{OrderID: o.OrderID, IdempotencyKey: w.key()})
					} else {
						_, errs[1] = w.market.Redeem(t.Context(), w.clerk, w.scan(code))
					}
				})
				if errs[0] == nil {
					require.ErrorIs(t, errs[1], ErrOrderCancelled)
				} else {
					require.ErrorIs(t, errs[0], ErrOrderRedeemed)
					require.NoError(t, errs[1])
				}
			}
		})
	})
}

func TestReverseRedemption(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b := w.publish(w.terms(), 10)
		reverse := func(actor authz.Actor, in ReverseInput) func() error {
			return func() error {
				_, err := w.market.ReverseRedemption(ctx, actor, in)
				return err
			}
		}
		t.Run("gives points, slot and stock back and keeps the redemption", func(t *testing.T) {
			who := w.resident(5)
			o := w.order(who, b)
			w.redeem(who, o)
			in := ReverseInput{OrderID: o.OrderID, Reason: "放映取消", IdempotencyKey: w.key()}
			first, err := w.market.ReverseRedemption(ctx, w.clerk, in)
			require.NoError(t, err)
			require.Equal(t, Reversed{OrderID: o.OrderID, Points: 5, CashFen: 3000, ReversedAt: w.now()}, first)
			require.Equal(t, int64(5), w.wallet(who).Available)
			sold, left := w.stock(b)
			require.Equal(t, []int64{0, 10}, []int64{sold, left})
			w.clock.Advance(time.Minute)
			dump := w.dump()
			again, err := w.market.ReverseRedemption(ctx, w.clerk, in)
			require.NoError(t, err)
			require.Equal(t, first, again)
			require.Equal(t, dump, w.dump())
			in.IdempotencyKey = w.key()
			w.refuses(t, ErrOrderReversed, fault.Conflict, reverse(w.clerk, in))
			view, err := w.market.MyOrder(ctx, who, o.OrderID)
			require.NoError(t, err)
			require.Equal(t, "放映取消", view.ReverseReason)
			require.NotNil(t, view.RedeemedAt)
			w.order(who, b) // the slot is free again
		})
		t.Run("refuses on another day", func(t *testing.T) {
			who := w.resident(5)
			o := w.order(who, b)
			w.redeem(who, o)
			now := w.clock.Now()
			w.clock.Set(w.now().Day().End().Time())
			w.refuses(t, ErrReverseTooLate, fault.Conflict, reverse(w.clerk, ReverseInput{OrderID: o.OrderID, Reason: "晚了", IdempotencyKey: w.key()}))
			w.clock.Set(w.clock.Now().Add(-time.Microsecond))
			require.NoError(t, reverse(w.owner, ReverseInput{OrderID: o.OrderID, Reason: "还来得及", IdempotencyKey: w.key()})())
			w.clock.Set(now)
		})
		t.Run("refuses without a reason, at another merchant and before a redemption", func(t *testing.T) {
			who := w.resident(5)
			o := w.order(who, b)
			in := ReverseInput{OrderID: o.OrderID, Reason: "退票", IdempotencyKey: w.key()}
			w.refuses(t, ErrNotRedeemed, fault.Conflict, reverse(w.clerk, in))
			w.redeem(who, o)
			w.refuses(t, ErrOrderMissing, fault.NotFound, reverse(w.otherClerk, in))
			w.refuses(t, ErrOrderMissing, fault.NotFound, reverse(w.operator, in))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, reverse(who, in))
			in.Reason = " "
			require.Equal(t, fault.Invalid, fault.KindOf(reverse(w.clerk, in)()))
		})
		t.Run("sent 20 times at once reverses once", func(t *testing.T) {
			who := w.resident(5)
			o := w.order(who, b)
			w.redeem(who, o)
			in := ReverseInput{OrderID: o.OrderID, Reason: "退票", IdempotencyKey: w.key()}
			together(20, func(int) { assert.NoError(t, reverse(w.clerk, in)()) })
			require.Equal(t, int64(5), w.wallet(who).Available)
		})
	})
}

func TestRedemptions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		in := w.terms()
		in.PerPersonLimit = 10
		b := w.publish(in, 100)
		who := w.resident(100)
		var all []Redeemed
		for i := range 5 {
			o := w.order(who, b)
			scan := w.scan(w.code(who, o).Code)
			clerk := w.clerk
			if i%2 == 1 {
				scan.StoreID, clerk = w.store2.ID, w.owner
			}
			r, err := w.market.Redeem(ctx, clerk, scan)
			require.NoError(t, err)
			all = append(all, r)
			if i == 2 {
				w.clock.Advance(24 * time.Hour)
			}
			w.clock.Advance(time.Minute)
		}
		_, err := w.market.ReverseRedemption(ctx, w.owner, ReverseInput{OrderID: all[4].OrderID, Reason: "退票", IdempotencyKey: w.key()})
		require.NoError(t, err)
		list := func(actor authz.Actor, f RedemptionFilter) (n int) {
			page := paging.Request{Limit: 2}
			for {
				p, err := w.market.Redemptions(ctx, actor, w.merchant.ID, f, page)
				require.NoError(t, err)
				n += len(p.Items)
				if p.Next == "" {
					return n
				}
				page.Cursor = p.Next
			}
		}
		yes, no := true, false
		require.Equal(t, 5, list(w.owner, RedemptionFilter{}))
		require.Equal(t, 5, list(w.auditor, RedemptionFilter{}))
		require.Equal(t, 3, list(w.clerk, RedemptionFilter{}), "a clerk sees what is the clerk's own")
		require.Equal(t, 2, list(w.owner, RedemptionFilter{StoreID: w.store2.ID}))
		require.Equal(t, 3, list(w.owner, RedemptionFilter{ClerkID: w.clerk.ID}))
		require.Equal(t, 1, list(w.owner, RedemptionFilter{Reversed: &yes}))
		require.Equal(t, 4, list(w.owner, RedemptionFilter{Reversed: &no}))
		require.Equal(t, 3, list(w.owner, RedemptionFilter{To: all[3].RedeemedAt}))
		require.Equal(t, 2, list(w.owner, RedemptionFilter{From: all[3].RedeemedAt}))
		today, err := w.market.MyRedemptionsToday(ctx, w.clerk, paging.Request{})
		require.NoError(t, err)
		require.Len(t, today.Items, 1)
		require.Equal(t, "退票", today.Items[0].ReverseReason)
		_, err = w.market.Redemptions(ctx, w.otherOwner, w.merchant.ID, RedemptionFilter{}, paging.Request{})
		require.ErrorIs(t, err, ErrMerchantMissing)
		_, err = w.market.Redemptions(ctx, w.otherOperator, w.merchant.ID, RedemptionFilter{}, paging.Request{})
		require.ErrorIs(t, err, ErrMerchantMissing)
		_, err = w.market.Redemptions(ctx, w.clerk, w.merchant.ID, RedemptionFilter{ClerkID: w.owner.ID}, paging.Request{})
		require.ErrorIs(t, err, authz.ErrForbidden)
	})
}

// TestAudit breaks one thing after the other and requires that the audit names
// it.
func TestAudit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := w.terms()
		in.PerPersonLimit = 5
		b := w.publish(in, 10)
		who := w.resident(100)
		held, redeemed := w.order(who, b), w.order(who, b)
		r := w.redeem(who, redeemed)
		reversed := w.order(who, b)
		w.redeem(who, reversed)
		_, err := w.market.ReverseRedemption(t.Context(), w.clerk, ReverseInput{OrderID: reversed.OrderID, Reason: "x", IdempotencyKey: w.key()})
		require.NoError(t, err)
		w.sound()
		for _, x := range []struct{ check, breaks, mends string }{
			{"held order has its pending hold", `UPDATE benefit_order SET points = 6 WHERE id = '` + held.OrderID + `'`, `UPDATE benefit_order SET points = 5 WHERE id = '` + held.OrderID + `'`},
			{"redeemed order has its capture", `UPDATE benefit_order SET points = 6 WHERE id = '` + redeemed.OrderID + `'`, `UPDATE benefit_order SET points = 5 WHERE id = '` + redeemed.OrderID + `'`},
			{"given-up order has its hold released", `UPDATE benefit_order SET status = 'expired', slot = NULL WHERE id = '` + held.OrderID + `'`, `UPDATE benefit_order SET status = 'held', slot = 1 WHERE id = '` + held.OrderID + `'`},
			{"redemption belongs to a redeemed order", `UPDATE redemption SET merchant_id = '` + w.otherMerchant.ID + `' WHERE id = '` + r.RedemptionID + `'`, `UPDATE redemption SET merchant_id = '` + w.merchant.ID + `' WHERE id = '` + r.RedemptionID + `'`},
			{"reversed order has its reversal", `UPDATE benefit_order SET points = 6 WHERE id = '` + reversed.OrderID + `'`, `UPDATE benefit_order SET points = 5 WHERE id = '` + reversed.OrderID + `'`},
			{"reversal belongs to a reversed order", `UPDATE benefit_order SET status = 'redeemed', slot = 3 WHERE id = '` + reversed.OrderID + `'`, `UPDATE benefit_order SET status = 'reversed', slot = NULL WHERE id = '` + reversed.OrderID + `'`},
			{"stock sold equals the live orders", `UPDATE benefit_stock SET sold = 3, remaining = 7`, `UPDATE benefit_stock SET sold = 2, remaining = 8`},
			{"slot is within the limit per person", `UPDATE benefit_order SET slot = 6 WHERE id = '` + held.OrderID + `'`, `UPDATE benefit_order SET slot = 1 WHERE id = '` + held.OrderID + `'`},
			{"order's state is in its history", `UPDATE order_history SET to_status = 'x' WHERE order_id = '` + held.OrderID + `'`, `UPDATE order_history SET to_status = 'held' WHERE order_id = '` + held.OrderID + `'`},
		} {
			w.in(func(tx *gorm.DB) error { return tx.Exec(x.breaks).Error })
			found := ledgertest.AuditRows(t, w.ledger, w.market.AuditPhases())
			var names []string
			for _, d := range found {
				names = append(names, d.Check)
			}
			require.Contains(t, names, "market: "+x.check)
			w.in(func(tx *gorm.DB) error { return tx.Exec(x.mends).Error })
			w.sound()
		}
	})
}

// TestAuditLostOrder: a hold in the ledger that no order knows of.
func TestAuditLostOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		who := w.resident(10)
		var h ledger.Outcome
		w.in(func(tx *gorm.DB) error {
			out, err := w.ledger.HoldTx(t.Context(), tx, []ledger.Hold{{
				Event: ledger.Event{SourceType: SourceOrder, SourceID: "lost", ActorID: "x"}, ResidentID: who.ID, Amount: 1, ExpiresAt: w.now(),
			}})
			h = out[0]
			return err
		})
		found := ledgertest.AuditRows(t, w.ledger, w.market.AuditPhases())
		require.Len(t, found, 1)
		require.Equal(t, h.HoldID, found[0].Object)
	})
}
