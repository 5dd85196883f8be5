package model

import "jiamenkou/internal/clock"

// PeriodStatus of a settlement period: open → closed.
type PeriodStatus string

// The states of a period.
const (
	PeriodOpen   PeriodStatus = "open"
	PeriodClosed PeriodStatus = "closed"
)

// SettlementPeriod is one Shanghai day of redemptions. It is closed on the day
// after (T+1).
type SettlementPeriod struct {
	ID        string `gorm:"primaryKey"`
	Day       clock.Day
	Status    PeriodStatus
	ClosedAt  *clock.Instant
	CreatedAt clock.Instant `gorm:"autoCreateTime:false"`
}

// StatementStatus of a statement; docs/states/settlement.md draws the moves.
type StatementStatus string

// The states of a statement.
const (
	StatementIssued    StatementStatus = "issued"
	StatementConfirmed StatementStatus = "confirmed"
	StatementDisputed  StatementStatus = "disputed"
)

// SettlementStatement is what one merchant is paid for one period. What would
// be negative is carried into the merchant's next statement:
//
//	points      + carried_in_points = settled_points + carried_out_points
//	subsidy_fen + carried_in_fen    = payable_fen    + carried_out_fen
type SettlementStatement struct {
	ID               string `gorm:"primaryKey"`
	PeriodID         string
	MerchantID       string
	LineCount        int64
	Points           int64 // sum of the lines
	SubsidyFen       int64 // sum of the lines
	CarriedInPoints  int64 // 0 or below
	CarriedInFen     int64
	SettledPoints    int64 // moved to the settled account by JournalID
	PayableFen       int64 // what the county pays
	CarriedOutPoints int64
	CarriedOutFen    int64
	JournalID        *string
	Status           StatementStatus
	ConfirmBy        clock.Instant // without an answer until then it counts as confirmed
	Version          int64
	CreatedAt        clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt        clock.Instant `gorm:"autoUpdateTime:false"`
}

// LineKind says what a line of a statement stands for.
type LineKind string

// The kinds of line.
const (
	LineRedemption LineKind = "redemption"
	LineReversal   LineKind = "reversal"   // of a redemption on the same statement
	LineAdjustment LineKind = "adjustment" // of a redemption that was settled before
)

// SettlementLine is one redemption, or one reversal, on a statement: each is
// on exactly one. Append only.
type SettlementLine struct {
	ID           string `gorm:"primaryKey"`
	StatementID  string
	Kind         LineKind
	RedemptionID *string
	ReversalID   *string
	OrderID      string
	TransferID   string
	BenefitTitle string // as it was then
	Points       int64  // negative for a reversal or an adjustment
	SubsidyFen   int64
	CashFen      int64 // taken at the store, for information: the platform never holds it
	OccurredAt   clock.Instant
}

// StatementHistory is one move of a statement. Append only.
type StatementHistory struct {
	ID          string `gorm:"primaryKey"`
	StatementID string
	FromStatus  string // "" when it was issued
	ToStatus    string
	ActorKind   string
	ActorID     string
	Reason      string
	CreatedAt   clock.Instant `gorm:"autoCreateTime:false"`
}
