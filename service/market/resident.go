package market

import (
	"context"
	"fmt"
	"strings"

	"github.com/skip2/go-qrcode"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// BenefitSort is the order of a list of benefits.
type BenefitSort string

// The orders.
const (
	SortNewest BenefitSort = "newest" // published last first
	SortPoints BenefitSort = "points" // fewest points first
	SortNear   BenefitSort = "near"   // nearest store first; those without a position last
)

// Position is where the reader is, for distances; it is not stored.
type Position struct{ Lon, Lat float64 }

// BenefitFilter narrows a resident's list; zero fields do not.
type BenefitFilter struct {
	Category   string
	Affordable bool   // only what the wallet covers now
	Text       string // part of the title or of the merchant's name, at most 32 characters
	Sort       BenefitSort
	Near       *Position // adds distances; SortNear needs it
}

func (f BenefitFilter) validate() error {
	if err := checkText(f.Text); err != nil {
		return err
	}
	var ff fault.Fields
	ff.Add(f.Sort != SortNear || f.Near != nil, "lon", "按距离排序需要位置，请先定位")
	ff.Add(f.Near == nil || model.ValidPosition(f.Near.Lon, f.Near.Lat), "lon", "位置无效，请重新定位")
	return ff.Err(codeInvalid)
}

// BenefitView is a benefit as a resident sees it.
type BenefitView struct {
	Benefit
	MerchantName  string
	Remaining     int64          // in the releases that are open now
	OnSale        bool           // a release is open now
	NextReleaseAt *clock.Instant // when the next release opens, if one is planned
	MyOrders      int64          // live and redeemed orders of the resident
	// DistanceKey measures how far the nearest redeeming store is, see
	// distanceKey; noDistance without a position on either side.
	DistanceKey float64
}

// MyLeft is how many more the resident may order.
func (v BenefitView) MyLeft() int64 { return max(0, v.PerPersonLimit-v.MyOrders) }

// maxSearchText is the longest text searched for, in characters.
const maxSearchText = 32

func checkText(text string) error {
	var f fault.Fields
	f.Add(len([]rune(text)) <= maxSearchText, "text", "最多 32 个字")
	return f.Err(codeInvalid)
}

// like makes a LIKE pattern that finds text anywhere; its escape is '!'.
func like(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}

// offered begins a query over what is offered to the residents of a home: the
// benefits of that region and of those above it.
func (s *Service) offered(ctx context.Context, actor authz.Actor) (*gorm.DB, error) {
	if err := actor.Resident(); err != nil {
		return nil, err
	}
	if actor.RegionPath == "" {
		return nil, ErrNoHome
	}
	return s.db.Read(ctx).Table("benefit b").Joins("JOIN merchant m ON m.id = b.merchant_id").
		Where("b.region_id IN ? AND b.status = ? AND m.status = ?",
			model.RegionPathIDs(actor.RegionPath), model.BenefitPublished, model.MerchantActive), nil
}

// VisibleBenefits lists what the resident can order now or later.
func (s *Service) VisibleBenefits(ctx context.Context, actor authz.Actor, f BenefitFilter, page paging.Request) (paging.Page[BenefitView], error) {
	var none paging.Page[BenefitView]
	if err := f.validate(); err != nil {
		return none, err
	}
	q, err := s.offered(ctx, actor)
	if err != nil {
		return none, err
	}
	q = q.Where("b.valid_until > ?", s.now())
	if f.Category != "" {
		q = q.Where("b.category = ?", f.Category)
	}
	if f.Text != "" {
		q = q.Where("(b.title LIKE ? ESCAPE '!' OR m.name LIKE ? ESCAPE '!')", like(f.Text), like(f.Text))
	}
	if f.Affordable {
		w, err := s.ledger.Wallet(ctx, actor.ID)
		if err != nil {
			return none, err
		}
		q = q.Where("b.points_price <= ?", w.Available)
	}
	q, keyOf, err := s.inOrder(ctx, q, &f, page)
	if err != nil {
		return none, err
	}
	var rows []BenefitView
	if err := q.Limit(page.Size() + 1).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("market: visible benefits: %w", err)
	}
	p := paging.Of(rows, page, keyOf)
	return p, s.fillViews(ctx, actor, p.Items)
}

// after continues a list behind a cursor of a number and an id.
func after(q *gorm.DB, column, than, id string, key []string) (*gorm.DB, error) {
	n, err := parseNumber(key[0])
	if err != nil {
		return nil, paging.ErrCursor
	}
	return q.Where("("+column+" "+than+" ? OR ("+column+" = ? AND "+id+" "+than+" ?))", n, n, key[1]), nil
}

// fillViews adds stock and the resident's own orders, in two statements.
func (s *Service) fillViews(ctx context.Context, actor authz.Actor, views []BenefitView) error {
	if len(views) == 0 {
		return nil
	}
	at, ids := map[string]int{}, make([]string, len(views))
	for i, v := range views {
		at[v.ID], ids[i] = i, v.ID
	}
	now := s.now()
	var stocks []struct {
		BenefitID string
		Remaining int64
		OpenCount int64
		NextAt    *clock.Instant
	}
	err := s.db.Read(ctx).Raw(`SELECT r.benefit_id, SUM(CASE WHEN r.starts_at <= ? THEN s.total - s.sold ELSE 0 END) AS remaining,
			SUM(CASE WHEN r.starts_at <= ? THEN 1 ELSE 0 END) AS open_count, MIN(CASE WHEN r.starts_at > ? THEN r.starts_at END) AS next_at
		FROM benefit_release r JOIN benefit_stock s ON s.release_id = r.id
		WHERE r.benefit_id IN ? AND r.ends_at > ? GROUP BY r.benefit_id`, now, now, now, ids, now).Scan(&stocks).Error
	if err != nil {
		return fmt.Errorf("market: stock of benefits: %w", err)
	}
	for _, st := range stocks {
		v := &views[at[st.BenefitID]]
		v.Remaining, v.OnSale, v.NextReleaseAt = st.Remaining, st.OpenCount > 0, st.NextAt
	}
	var mine []struct {
		BenefitID string
		N         int64
	}
	err = s.db.Read(ctx).Raw(`SELECT benefit_id, COUNT(*) AS n FROM benefit_order
		WHERE benefit_id IN ? AND resident_id = ? AND slot IS NOT NULL GROUP BY benefit_id`, ids, actor.ID).Scan(&mine).Error
	if err != nil {
		return fmt.Errorf("market: own orders of benefits: %w", err)
	}
	for _, m := range mine {
		views[at[m.BenefitID]].MyOrders = m.N
	}
	return nil
}

// BenefitDetail is a benefit with the open stores that redeem it.
type BenefitDetail struct {
	BenefitView
	ContactPhone string
	Stores       []Store
}

// VisibleBenefit returns one benefit that the resident can see.
func (s *Service) VisibleBenefit(ctx context.Context, actor authz.Actor, id string) (BenefitDetail, error) {
	q, err := s.offered(ctx, actor)
	if err != nil {
		return BenefitDetail{}, err
	}
	var rows []struct {
		BenefitView  `gorm:"embedded"`
		ContactPhone string
	}
	err = q.Select("b.*, m.name AS merchant_name, m.contact_phone").Where("b.id = ?", id).Limit(1).Scan(&rows).Error
	if err != nil {
		return BenefitDetail{}, fmt.Errorf("market: visible benefit: %w", err)
	}
	if len(rows) == 0 {
		return BenefitDetail{}, ErrBenefitMissing
	}
	views := []BenefitView{rows[0].BenefitView}
	if err := s.fillViews(ctx, actor, views); err != nil {
		return BenefitDetail{}, err
	}
	out := BenefitDetail{BenefitView: views[0], ContactPhone: rows[0].ContactPhone}
	out.Stores, err = s.redeemingStores(ctx, out.Benefit)
	return out, err
}

// redeemingStores lists the open stores that redeem a benefit.
func (s *Service) redeemingStores(ctx context.Context, b Benefit) ([]Store, error) {
	var stores []Store
	err := s.db.Read(ctx).Where(`merchant_id = ? AND status = ? AND (NOT EXISTS (SELECT 1 FROM benefit_store bs WHERE bs.benefit_id = ?)
		OR id IN (SELECT bs.store_id FROM benefit_store bs WHERE bs.benefit_id = ?))`, b.MerchantID, model.StoreOpen, b.ID, b.ID).
		Order("name").Limit(maxStores).Find(&stores).Error
	if err != nil {
		return nil, fmt.Errorf("market: redeeming stores: %w", err)
	}
	return stores, nil
}

// OrderView is an order as its resident sees it.
type OrderView struct {
	Order         `gorm:"embedded"`
	BenefitTitle  string
	ImageKey      string
	MerchantName  string
	StoreName     string // where it was redeemed
	RedeemedAt    *clock.Instant
	ReversedAt    *clock.Instant
	ReverseReason string
}

const orderViewQuery = `o.*, b.title AS benefit_title, b.image_key, m.name AS merchant_name, COALESCE(st.name, '') AS store_name,
	r.created_at AS redeemed_at, v.created_at AS reversed_at, COALESCE(v.reason, '') AS reverse_reason`

func (s *Service) orderViews(ctx context.Context) *gorm.DB {
	return s.db.Read(ctx).Table("benefit_order o").Select(orderViewQuery).
		Joins("JOIN benefit b ON b.id = o.benefit_id").Joins("JOIN merchant m ON m.id = o.merchant_id").
		Joins("LEFT JOIN redemption r ON r.order_id = o.id").Joins("LEFT JOIN merchant_store st ON st.id = r.store_id").
		Joins("LEFT JOIN redemption_reversal v ON v.order_id = o.id")
}

// MyOrders lists the resident's orders, newest first; status "" means all.
func (s *Service) MyOrders(ctx context.Context, actor authz.Actor, status OrderStatus, page paging.Request) (paging.Page[OrderView], error) {
	var none paging.Page[OrderView]
	if err := actor.Resident(); err != nil {
		return none, err
	}
	key, err := page.Key(1)
	if err != nil {
		return none, err
	}
	q := s.orderViews(ctx).Where("o.resident_id = ?", actor.ID).Order("o.id DESC").Limit(page.Size() + 1)
	if status != "" {
		q = q.Where("o.status = ?", status)
	}
	if key != nil {
		q = q.Where("o.id < ?", key[0])
	}
	var rows []OrderView
	if err := q.Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("market: my orders: %w", err)
	}
	return paging.Of(rows, page, func(o OrderView) []string { return []string{o.ID} }), nil
}

// OrderDetail is an order with the stores that redeem it.
type OrderDetail struct {
	OrderView
	Stores []Store
}

// MyOrder returns one order of the resident.
func (s *Service) MyOrder(ctx context.Context, actor authz.Actor, id string) (OrderDetail, error) {
	if err := actor.Resident(); err != nil {
		return OrderDetail{}, err
	}
	var rows []OrderView
	err := s.orderViews(ctx).Where("o.id = ? AND o.resident_id = ?", id, actor.ID).Limit(1).Scan(&rows).Error
	if err != nil {
		return OrderDetail{}, fmt.Errorf("market: my order: %w", err)
	}
	if len(rows) == 0 {
		return OrderDetail{}, ErrOrderMissing
	}
	stores, err := s.redeemingStores(ctx, Benefit{ID: rows[0].BenefitID, MerchantID: rows[0].MerchantID})
	return OrderDetail{OrderView: rows[0], Stores: stores}, err
}

// Code is what the resident shows at the counter.
type Code struct {
	OrderID    string
	Code       string // the text of the QR code
	ShortCode  string // ten digits for typing
	QRPNG      []byte
	ServerTime clock.Instant
	RefreshAt  clock.Instant // when the next code begins
	ExpiresAt  clock.Instant // until when this one is accepted, also shown offline
}

// qrPixels is the side of the picture of a code.
const qrPixels = 320

// Code returns the code of an order that can be redeemed now. A page that is
// offline may show it until ExpiresAt.
//
// Errors: ErrOrderMissing, ErrCodeUsed, ErrOrderCancelled, ErrOrderReversed,
// ErrOrderExpired.
func (s *Service) Code(ctx context.Context, actor authz.Actor, orderID string) (Code, error) {
	if err := actor.Resident(); err != nil {
		return Code{}, err
	}
	o, err := take[Order](s.db.Read(ctx).Where("id = ? AND resident_id = ?", orderID, actor.ID), ErrOrderMissing)
	if err != nil {
		return Code{}, err
	}
	now := s.now()
	if err := refused(o, now); err != nil {
		return Code{}, err
	}
	step := s.codes.stepAt(now)
	text, err := s.codes.sign(o.ID, step)
	if err != nil {
		return Code{}, err
	}
	png, err := qrcode.Encode(text, qrcode.Medium, qrPixels)
	if err != nil {
		return Code{}, fmt.Errorf("market: qr code: %w", err)
	}
	return Code{
		OrderID: o.ID, Code: text, ShortCode: s.codes.shortCode(o, step), QRPNG: png, ServerTime: now,
		RefreshAt: s.codes.startOf(step + 1), ExpiresAt: min(s.codes.startOf(step+2), o.RedeemUntil),
	}, nil
}
