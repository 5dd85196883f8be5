package model

import "jiamenkou/internal/clock"

// OrderStatus of an order; docs/states/market.md draws the moves.
type OrderStatus string

// The states of an order. Held and redeemed orders are live: they occupy stock
// and one slot of the resident.
const (
	OrderHeld      OrderStatus = "held"
	OrderRedeemed  OrderStatus = "redeemed"
	OrderCancelled OrderStatus = "cancelled" // by the resident
	OrderExpired   OrderStatus = "expired"   // not redeemed in time
	OrderReversed  OrderStatus = "reversed"  // a redemption that was taken back
)

// OrderStatuses lists every state.
func OrderStatuses() []OrderStatus {
	return []OrderStatus{OrderHeld, OrderRedeemed, OrderCancelled, OrderExpired, OrderReversed}
}

// BenefitOrder is a row of benefit_order. Prices are those of the benefit when
// it was ordered.
type BenefitOrder struct {
	ID             string `gorm:"primaryKey"`
	ResidentID     string
	BenefitID      string
	ReleaseID      string // whose stock it took
	MerchantID     string
	Points         int64
	CashFen        int64
	SubsidyFen     int64
	Slot           *int64 // 1..Benefit.PerPersonLimit; nil once the order is not live
	Status         OrderStatus
	HoldID         string
	IdempotencyKey string
	InputHash      string
	CodeLocator    int64 // first five digits of its short codes; not unique
	RedeemUntil    clock.Instant
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt      clock.Instant `gorm:"autoUpdateTime:false"`
}

// OrderHistory is a row of order_history: one move. Append only. A move that a
// client asked for carries the key of that request.
type OrderHistory struct {
	ID             string `gorm:"primaryKey"`
	OrderID        string
	FromStatus     string // "" when it was placed
	ToStatus       string
	ActorKind      string
	ActorID        string
	Reason         string
	IdempotencyKey *string
	InputHash      *string
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}

// Redemption is a row of redemption: which clerk redeemed an order at which
// store, and the transfer that paid the merchant. Append only.
type Redemption struct {
	ID             string `gorm:"primaryKey"`
	OrderID        string
	MerchantID     string
	StoreID        string
	ClerkID        string
	TransferID     string
	IdempotencyKey string
	InputHash      string
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}

// RedemptionReversal is a row of redemption_reversal: who took a redemption
// back, why, and the transfer that returned the points. Append only.
type RedemptionReversal struct {
	ID           string `gorm:"primaryKey"`
	RedemptionID string
	OrderID      string
	MerchantID   string
	StaffID      string
	TransferID   string
	Reason       string
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
}
