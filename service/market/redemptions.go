package market

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
)

// RedemptionView is a redemption as the merchant sees it.
type RedemptionView struct {
	Redemption    `gorm:"embedded"`
	BenefitID     string
	BenefitTitle  string
	Points        int64
	CashFen       int64
	SubsidyFen    int64
	StoreName     string
	ClerkName     string
	ReversedAt    *clock.Instant
	ReverseReason string
}

// RedemptionFilter narrows a list; zero fields do not.
type RedemptionFilter struct {
	StoreID  string
	ClerkID  string
	From     clock.Instant // inclusive
	To       clock.Instant // exclusive
	Reversed *bool
}

// RedemptionOrder is how redemptions can be sorted.
var RedemptionOrder = paging.NewOrder("-redeemed_at",
	paging.Text("", "x.id", func(r RedemptionView) string { return r.ID }),
	paging.Number("redeemed_at", "x.created_at", func(r RedemptionView) clock.Instant { return r.CreatedAt }),
)

// Redemptions lists a merchant's redemptions, newest first unless sorted by
// RedemptionOrder: all of them for
// its owners and for operators and auditors over it, their own for clerks.
func (s *Service) Redemptions(ctx context.Context, actor authz.Actor, merchantID string, f RedemptionFilter, page paging.Request) (paging.Page[RedemptionView], error) {
	m, err := s.scopeOf(ctx, actor, merchantID)
	if err != nil {
		return paging.Page[RedemptionView]{}, err
	}
	if actor.AtMerchant(merchantID, authz.RoleOwner) != nil && actor.InRegion(m.Path, seesRegion...) != nil {
		if f.ClerkID != "" && f.ClerkID != actor.ID {
			return paging.Page[RedemptionView]{}, authz.ErrForbidden
		}
		f.ClerkID = actor.ID
	}
	return s.redemptions(s.redemptionViews(ctx).Where("x.merchant_id = ?", merchantID), f, page)
}

// MyRedemptionsToday lists what the clerk redeemed since midnight, newest first.
func (s *Service) MyRedemptionsToday(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[RedemptionView], error) {
	if actor.Kind != authz.KindStaff {
		return paging.Page[RedemptionView]{}, authz.ErrForbidden
	}
	return s.redemptions(s.redemptionViews(ctx), RedemptionFilter{ClerkID: actor.ID, From: s.now().Day().Start()}, page)
}

// redemptionViews follow an index of redemptions, of which the caller names the
// merchant or the clerk.
func (s *Service) redemptionViews(ctx context.Context) *gorm.DB {
	join := database.InOrder(s.db.Read(ctx))
	return s.db.Read(ctx).Table("redemption x").
		Select(`x.*, o.benefit_id, b.title AS benefit_title, o.points, o.cash_fen, o.subsidy_fen, st.name AS store_name,
			p.name AS clerk_name, v.created_at AS reversed_at, COALESCE(v.reason, '') AS reverse_reason`).
		Joins(join + " benefit_order o ON o.id = x.order_id").Joins(join + " benefit b ON b.id = o.benefit_id").
		Joins(join + " merchant_store st ON st.id = x.store_id").Joins(join + " staff p ON p.id = x.clerk_id").
		Joins("LEFT JOIN redemption_reversal v ON v.redemption_id = x.id")
}

func (s *Service) redemptions(q *gorm.DB, f RedemptionFilter, page paging.Request) (paging.Page[RedemptionView], error) {
	var none paging.Page[RedemptionView]
	seek, err := RedemptionOrder.Seek(page)
	if err != nil {
		return none, err
	}
	q = q.Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if f.StoreID != "" {
		q = q.Where("x.store_id = ?", f.StoreID)
	}
	if f.ClerkID != "" {
		q = q.Where("x.clerk_id = ?", f.ClerkID)
	}
	if f.From != 0 {
		q = q.Where("x.created_at >= ?", f.From)
	}
	if f.To != 0 {
		q = q.Where("x.created_at < ?", f.To)
	}
	if f.Reversed != nil {
		q = q.Where("(v.id IS NOT NULL) = ?", *f.Reversed)
	}
	var rows []RedemptionView
	if err := q.Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("market: redemptions: %w", err)
	}
	return seek.Page(rows), nil
}
