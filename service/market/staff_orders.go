package market

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// StaffOrder is an order as staff see it: operators and auditors over the
// merchant's region, owners and clerks at the merchant.
type StaffOrder struct {
	OrderView       `gorm:"embedded"`
	VolunteerNumber string // of the resident; "" for the merchant's own people, as ResidentID is
	RegionID        string // of the merchant
	RegionName      string
	RegionPath      string
}

// OrderFilter narrows a list of orders; zero fields do not.
type OrderFilter struct {
	Status     OrderStatus
	BenefitID  string
	MerchantID string
	ResidentID string        // for operators and auditors
	From       clock.Instant // inclusive, by creation
	To         clock.Instant // exclusive
}

func (s *Service) staffOrders(ctx context.Context) *gorm.DB {
	return s.orderViews(ctx).Select(orderViewQuery + ", p.volunteer_number, mr.id AS region_id, mr.name AS region_name, mr.path AS region_path").
		Joins("JOIN region mr ON mr.id = m.region_id").Joins("JOIN resident p ON p.id = o.resident_id")
}

// findOrders are the ids of the orders that the actor can see. They are found in
// the order of an index, but led by the regions for those who oversee a part of a
// county; and by their ids alone, so that what is put into order is small.
func (s *Service) findOrders(ctx context.Context, actor authz.Actor) *gorm.DB {
	join := "JOIN"
	if actor.CountyWide(seesRegion...) || len(actor.RegionPaths(seesRegion...)) == 0 {
		join = database.InOrder(s.db.Read(ctx))
	}
	return s.db.Read(ctx).Table("benefit_order o").Select("o.id").
		Joins(join + " merchant m ON m.id = o.merchant_id").Joins(join + " region mr ON mr.id = m.region_id").
		Where(s.withinScope(ctx, actor, "o.merchant_id", "mr.path"))
}

// OrdersOrder is how orders can be sorted: ordering is too busy for any index
// but those that it has.
var OrdersOrder = paging.NewOrder("-created_at", paging.Text("created_at", "o.id", func(o StaffOrder) string { return o.ID }))

// StaffOrders lists the orders that the actor can see, newest first unless sorted
// by OrdersOrder.
func (s *Service) StaffOrders(ctx context.Context, actor authz.Actor, f OrderFilter, page paging.Request) (paging.Page[StaffOrder], error) {
	var none paging.Page[StaffOrder]
	seek, err := OrdersOrder.Seek(page)
	if err != nil {
		return none, err
	}
	if f.ResidentID != "" && !actor.IsSystem() {
		if !actor.Has(seesRegion...) {
			return none, authz.ErrForbidden
		}
		actor = overRegions(actor)
	}
	q := s.findOrders(ctx, actor).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	for _, c := range []struct{ where, value string }{
		{"o.status = ?", string(f.Status)},
		{"o.benefit_id = ?", f.BenefitID},
		{"o.merchant_id = ?", f.MerchantID},
		{"o.resident_id = ?", f.ResidentID},
	} {
		if c.value != "" {
			q = q.Where(c.where, c.value)
		}
	}
	if f.From != 0 {
		q = q.Where("o.created_at >= ?", f.From)
	}
	if f.To != 0 {
		q = q.Where("o.created_at < ?", f.To)
	}
	var rows []StaffOrder
	if err := s.staffOrders(ctx).Joins("JOIN (?) found ON found.id = o.id", q).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("market: orders: %w", err)
	}
	slices.SortFunc(rows, seek.Compare)
	hideResidents(actor, rows)
	return seek.Page(rows), nil
}

// overRegions leaves out what the actor is at merchants, where nobody is told
// whose an order is, and cannot find it out by asking for a resident's.
func overRegions(actor authz.Actor) authz.Actor {
	actor.Grants = slices.DeleteFunc(slices.Clone(actor.Grants), func(g authz.Grant) bool { return g.RegionPath == "" })
	return actor
}

// hideResidents keeps from a merchant's people who its customers are: the
// counter needs the code, not the person.
func hideResidents(actor authz.Actor, rows []StaffOrder) {
	for i := range rows {
		if actor.InRegion(rows[i].RegionPath, seesRegion...) != nil {
			rows[i].ResidentID, rows[i].VolunteerNumber = "", ""
		}
	}
}

// OrderMove is one line of an order's history.
type OrderMove struct {
	From      OrderStatus // "" when it was placed
	To        OrderStatus
	ActorKind authz.Kind
	ActorID   string // "" of a resident, for the merchant's people
	ActorName string // of staff
	Reason    string
	At        clock.Instant
}

// OrderRecord is an order with what happened to it, oldest first.
type OrderRecord struct {
	StaffOrder
	History []OrderMove
}

// StaffOrder returns one order that the actor can see, or ErrOrderMissing.
func (s *Service) StaffOrder(ctx context.Context, actor authz.Actor, id string) (OrderRecord, error) {
	var rows []StaffOrder
	err := s.staffOrders(ctx).Where("o.id = ?", id).Where(s.withinScope(ctx, actor, "o.merchant_id", "mr.path")).Limit(1).Scan(&rows).Error
	if err != nil {
		return OrderRecord{}, fmt.Errorf("market: order: %w", err)
	}
	if len(rows) == 0 {
		return OrderRecord{}, ErrOrderMissing
	}
	hideResidents(actor, rows)
	out := OrderRecord{StaffOrder: rows[0]}
	var history []struct {
		model.OrderHistory `gorm:"embedded"`
		ActorName          string
	}
	err = s.db.Read(ctx).Raw(`SELECT h.*, COALESCE(p.name, '') AS actor_name FROM order_history h
		LEFT JOIN staff p ON p.id = h.actor_id WHERE h.order_id = ? ORDER BY h.id LIMIT ?`, id, maxShownHistory).Scan(&history).Error
	if err != nil {
		return OrderRecord{}, fmt.Errorf("market: order history: %w", err)
	}
	for _, h := range history {
		move := OrderMove{
			From: OrderStatus(h.FromStatus), To: OrderStatus(h.ToStatus), ActorKind: authz.Kind(h.ActorKind), ActorID: h.ActorID,
			ActorName: h.ActorName, Reason: h.Reason, At: h.CreatedAt,
		}
		if move.ActorKind == authz.KindResident {
			move.ActorID = rows[0].ResidentID
		}
		out.History = append(out.History, move)
	}
	return out, nil
}

// OrderCounts says how many orders a resident has.
type OrderCounts struct{ Total, Held, Redeemed int64 }

// CountOrders counts a resident's orders. The caller has checked that the
// actor may see this resident.
func (s *Service) CountOrders(ctx context.Context, residentID string) (OrderCounts, error) {
	var out OrderCounts
	err := s.db.Read(ctx).Raw(`SELECT COUNT(*) AS total, COALESCE(SUM(CASE WHEN status = ? THEN 1 ELSE 0 END), 0) AS held,
		COALESCE(SUM(CASE WHEN status = ? THEN 1 ELSE 0 END), 0) AS redeemed FROM benefit_order WHERE resident_id = ?`,
		model.OrderHeld, model.OrderRedeemed, residentID).Scan(&out).Error
	if err != nil {
		return out, fmt.Errorf("market: count orders: %w", err)
	}
	return out, nil
}
