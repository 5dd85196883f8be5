package market

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

func TestStaffOrders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		terms := w.terms()
		terms.PerPersonLimit = 5
		b := w.publish(terms, 100)
		who := w.resident(100)
		first := w.order(who, b)
		w.redeem(who, first)
		w.clock.Advance(24 * time.Hour)
		second := w.order(who, b)
		list := func(actor authz.Actor, f OrderFilter) (ids []string) {
			page, err := w.market.StaffOrders(ctx, actor, f, paging.Request{})
			require.NoError(t, err)
			for _, o := range page.Items {
				ids = append(ids, o.ID)
			}
			return ids
		}
		both := []string{second.OrderID, first.OrderID}

		t.Run("are seen by the region and by the merchant, and by nobody else", func(t *testing.T) {
			for _, actor := range []authz.Actor{w.operator, w.auditor, w.owner, w.clerk} {
				require.Equal(t, both, list(actor, OrderFilter{}))
			}
			for _, actor := range []authz.Actor{w.otherOperator, w.otherOwner, w.otherClerk, who} {
				require.Empty(t, list(actor, OrderFilter{}))
				_, err := w.market.StaffOrder(ctx, actor, first.OrderID)
				require.ErrorIs(t, err, ErrOrderMissing)
			}
		})
		t.Run("are narrowed", func(t *testing.T) {
			require.Equal(t, both[:1], list(w.operator, OrderFilter{Status: model.OrderHeld}))
			require.Equal(t, both, list(w.operator, OrderFilter{BenefitID: b.ID, MerchantID: w.merchant.ID, ResidentID: who.ID}))
			require.Empty(t, list(w.operator, OrderFilter{MerchantID: w.otherMerchant.ID}))
			require.Empty(t, list(w.operator, OrderFilter{BenefitID: w.clock.NewID()}))
			today := clock.Today(w.clock)
			require.Equal(t, both[:1], list(w.operator, OrderFilter{From: today.Start()}))
			require.Equal(t, both[1:], list(w.operator, OrderFilter{To: today.Start()}))
		})
		t.Run("are paged", func(t *testing.T) {
			page, err := w.market.StaffOrders(ctx, w.owner, OrderFilter{}, paging.Request{Limit: 1})
			require.NoError(t, err)
			next, err := w.market.StaffOrders(ctx, w.owner, OrderFilter{}, paging.Request{Limit: 1, Cursor: page.Next})
			require.NoError(t, err)
			require.Equal(t, first.OrderID, next.Items[0].ID)
			require.Empty(t, next.Next)
		})
		t.Run("tell their history, and the merchant not who the resident is", func(t *testing.T) {
			seen, err := w.market.StaffOrder(ctx, w.auditor, first.OrderID)
			require.NoError(t, err)
			require.Equal(t, who.ID, seen.ResidentID)
			require.NotEmpty(t, seen.VolunteerNumber)
			require.Equal(t, w.town.Name, seen.RegionName)
			require.Len(t, seen.History, 2)
			require.Equal(t, model.OrderHeld, seen.History[0].To)
			require.Equal(t, who.ID, seen.History[0].ActorID)
			require.Equal(t, model.OrderRedeemed, seen.History[1].To)
			require.NotEmpty(t, seen.History[1].ActorName)

			seen, err = w.market.StaffOrder(ctx, w.clerk, first.OrderID)
			require.NoError(t, err)
			require.Empty(t, seen.ResidentID)
			require.Empty(t, seen.VolunteerNumber)
			require.Empty(t, seen.History[0].ActorID)
			elsewhereToo := w.owner
			elsewhereToo.Grants = slices.Concat(w.owner.Grants, w.otherOperator.Grants)
			require.Equal(t, both, list(elsewhereToo, OrderFilter{}))
			require.Empty(t, list(elsewhereToo, OrderFilter{ResidentID: who.ID}), "whose an order is cannot be asked for either")
			_, err = w.market.StaffOrders(ctx, w.owner, OrderFilter{ResidentID: who.ID}, paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
		t.Run("are counted", func(t *testing.T) {
			n, err := w.market.CountOrders(ctx, who.ID)
			require.NoError(t, err)
			require.Equal(t, OrderCounts{Total: 2, Held: 1, Redeemed: 1}, n)
		})
	})
}
