package model

import "jiamenkou/internal/clock"

// AdjustmentKind says which way points move by hand.
type AdjustmentKind string

// The kinds of adjustment.
const (
	AdjustmentCredit  AdjustmentKind = "credit"  // budget -> wallet
	AdjustmentDebit   AdjustmentKind = "debit"   // wallet -> budget
	AdjustmentReverse AdjustmentKind = "reverse" // the opposite of an earlier entry
)

// AdjustmentStatus is the state of an adjustment.
type AdjustmentStatus string

// The states of an adjustment: proposed -> approved | rejected | expired.
const (
	AdjustmentProposed AdjustmentStatus = "proposed"
	AdjustmentApproved AdjustmentStatus = "approved" // its points are posted
	AdjustmentRejected AdjustmentStatus = "rejected"
	AdjustmentExpired  AdjustmentStatus = "expired" // nobody decided in time
)

// AdjustmentReason is why points move by hand.
type AdjustmentReason string

// The reasons; "other" needs a text.
const (
	ReasonWrongAward   AdjustmentReason = "wrong_award"
	ReasonMissedAward  AdjustmentReason = "missed_award"
	ReasonDuplicate    AdjustmentReason = "duplicate"
	ReasonCompensation AdjustmentReason = "compensation"
	ReasonFraud        AdjustmentReason = "fraud"
	ReasonTest         AdjustmentReason = "test"
	ReasonOther        AdjustmentReason = "other"
)

// AdjustmentReasons lists every reason with its name for people.
func AdjustmentReasons() []AdjustmentReasonName {
	return []AdjustmentReasonName{
		{ReasonWrongAward, "积分发放有误"},
		{ReasonMissedAward, "漏发积分"},
		{ReasonDuplicate, "重复记账"},
		{ReasonCompensation, "服务补偿"},
		{ReasonFraud, "违规所得"},
		{ReasonTest, "系统测试"},
		{ReasonOther, "其他"},
	}
}

// AdjustmentReasonName is a reason and its name.
type AdjustmentReasonName struct {
	Code AdjustmentReason
	Name string
}

// Adjustment moves points by hand: one operator proposes it, another of the
// same region or one above approves it.
type Adjustment struct {
	ID                 string `gorm:"primaryKey"`
	Kind               AdjustmentKind
	ResidentID         string
	RegionID           string // the resident's home region at the time
	ScopeRegionID      string // the region of the grant that the proposer used
	Amount             int64  // points, always positive
	BudgetID           *string
	ExpiresOn          *clock.Day // of a credit
	ReversesTransferID *string    // of a reversal
	ObjectionID        *string    // the objection that it answers
	ReasonCode         AdjustmentReason
	ReasonText         string
	Status             AdjustmentStatus
	ProposedBy         string
	IdempotencyKey     string
	InputHash          string
	DecideBy           clock.Instant
	DecidedBy          *string
	DecidedAt          *clock.Instant
	DecisionReason     string
	DecisionKey        *string
	DecisionHash       *string
	JournalID          *string
	TransferID         *string
	CreatedAt          clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt          clock.Instant `gorm:"autoUpdateTime:false"`
}

// AdjustmentHistory is one move of an adjustment. Append only.
type AdjustmentHistory struct {
	ID           string `gorm:"primaryKey"`
	AdjustmentID string
	FromStatus   AdjustmentStatus // "" when it was proposed
	ToStatus     AdjustmentStatus
	ActorKind    string
	ActorID      string
	Reason       string
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
}

// AdjustmentDay counts what an operator has proposed on a day.
type AdjustmentDay struct {
	ActorID     string    `gorm:"primaryKey"`
	Day         clock.Day `gorm:"primaryKey"`
	UsedPoints  int64
	LimitPoints int64
}

// ObjectionStatus is the state of an objection.
type ObjectionStatus string

// The states of an objection: open -> answered -> closed, or open -> closed.
const (
	ObjectionOpen     ObjectionStatus = "open"
	ObjectionAnswered ObjectionStatus = "answered"
	ObjectionClosed   ObjectionStatus = "closed"
)

// MaxObjections is how often an entry can be objected to; the table keeps it.
const MaxObjections = 3

// Objection is a resident's "this number is wrong" about one entry of the
// wallet.
type Objection struct {
	ID             string `gorm:"primaryKey"`
	TransferID     string
	ResidentID     string
	RegionID       string // the resident's home region at the time
	Attempt        int64  // 1..MaxObjections per entry
	OpenSlot       *int64 // 1 while open, nil afterwards: one open objection per entry
	Status         ObjectionStatus
	Text           string
	Answer         string
	AnsweredBy     *string
	AnsweredAt     *clock.Instant
	ClosedAt       *clock.Instant
	IdempotencyKey string
	InputHash      string
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt      clock.Instant `gorm:"autoUpdateTime:false"`
}

// ObjectionHistory is one move of an objection. Append only.
type ObjectionHistory struct {
	ID          string `gorm:"primaryKey"`
	ObjectionID string
	FromStatus  ObjectionStatus // "" when it was opened
	ToStatus    ObjectionStatus
	ActorKind   string
	ActorID     string
	Reason      string
	CreatedAt   clock.Instant `gorm:"autoCreateTime:false"`
}
