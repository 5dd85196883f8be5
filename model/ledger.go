package model

import "jiamenkou/internal/clock"

// AccountKind says whose account it is.
type AccountKind string

// The kinds of account.
const (
	AccountWallet   AccountKind = "wallet"   // a resident's points
	AccountMerchant AccountKind = "merchant" // points taken and not settled yet
	AccountBudget   AccountKind = "budget"   // issuer: negative by what it has issued
	AccountSystem   AccountKind = "system"   // expired, settled
)

// Account is one side of a transfer. The row never changes but for a freeze,
// so that foreign keys to it wait for nobody; AccountBalance moves.
type Account struct {
	ID           string `gorm:"primaryKey"`
	Kind         AccountKind
	OwnerID      string
	FrozenReason string // "" unless an audit found a difference
	CreatedAt    clock.Instant
}

// AccountBalance is the running state of an account. Posted - Held never
// falls below FloorPoints, and Headroom is the distance to it.
type AccountBalance struct {
	AccountID   string `gorm:"primaryKey"`
	Posted      int64
	Held        int64
	FloorPoints int64
	Headroom    int64
	Version     int64
}

// JournalKind says what sort of business event a journal row records.
type JournalKind string

// The kinds of journal row.
const (
	JournalEarn    JournalKind = "earn"    // budget -> wallet
	JournalHold    JournalKind = "hold"    // no transfer yet
	JournalCapture JournalKind = "capture" // wallet -> merchant
	JournalRelease JournalKind = "release" // a hold given back
	JournalReverse JournalKind = "reverse" // the opposite of an earlier transfer
	JournalExpire  JournalKind = "expire"  // wallet -> expired
	JournalSettle  JournalKind = "settle"  // merchant -> settled
	JournalAdjust  JournalKind = "adjust"  // by hand, with two persons
)

// Journal is one business event in the ledger: append only.
type Journal struct {
	ID             string `gorm:"primaryKey"`
	Kind           JournalKind
	SourceType     string
	SourceID       string
	ActorID        string
	IdempotencyKey *string
	InputHash      string
	Reason         string
	RuleID         *string
	RuleVersion    *int64
	Evidence       string // JSON
	EffectiveAt    clock.Instant
	CreatedAt      clock.Instant
}

// Transfer moves Amount points from the debit to the credit account: append
// only.
type Transfer struct {
	ID              string `gorm:"primaryKey"`
	JournalID       string
	DebitAccountID  string
	CreditAccountID string
	Amount          int64
	HoldID          *string // the hold that it captures
	ReversesID      *string // the transfer that it reverses
	CreatedAt       clock.Instant
}

// HoldStatus is the state of a hold.
type HoldStatus string

// The states of a hold: pending -> captured | released.
const (
	HoldPending  HoldStatus = "pending"
	HoldCaptured HoldStatus = "captured"
	HoldReleased HoldStatus = "released"
)

// Hold reserves points of a wallet until they are captured or released.
type Hold struct {
	ID                string `gorm:"primaryKey"`
	JournalID         string
	AccountID         string
	Amount            int64
	Status            HoldStatus
	ExpiresAt         clock.Instant
	ResolvedJournalID *string
	ResolvedAt        *clock.Instant
	CreatedAt         clock.Instant
}

// Lot is what a wallet owns of one expiry date. ExpiresOn is the last day on
// which the points can be spent.
type Lot struct {
	ID        string `gorm:"primaryKey"`
	AccountID string
	ExpiresOn clock.Day
	Remaining int64 // held points included
	Held      int64
	Version   int64
	CreatedAt clock.Instant
}

// HoldLot is how much of a lot a hold pins.
type HoldLot struct {
	HoldID string `gorm:"primaryKey"`
	LotID  string `gorm:"primaryKey"`
	Amount int64
}

// LotEntry is how much a transfer gave to (positive) or took from (negative) a
// lot.
type LotEntry struct {
	TransferID string `gorm:"primaryKey"`
	LotID      string `gorm:"primaryKey"`
	Amount     int64
}

// ExpiryNotice records that the owner of a lot was told that it expires soon.
type ExpiryNotice struct {
	LotID     string `gorm:"primaryKey"`
	CreatedAt clock.Instant
}
