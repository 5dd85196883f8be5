package model

import "jiamenkou/internal/clock"

// CorrectionState is the state of a correction of a service record.
type CorrectionState string

// The states of a correction: asked → proposed | declined | withdrawn,
// proposed → approved | rejected | withdrawn. An organizer's own begins as
// proposed.
const (
	CorrectionAsked     CorrectionState = "asked"     // by the volunteer
	CorrectionProposed  CorrectionState = "proposed"  // by an organizer; waits for another person
	CorrectionApproved  CorrectionState = "approved"  // a new record stands, or none (void)
	CorrectionRejected  CorrectionState = "rejected"  // by the other person
	CorrectionDeclined  CorrectionState = "declined"  // nothing was proposed
	CorrectionWithdrawn CorrectionState = "withdrawn" // by the volunteer, or with the account
)

// CorrectionKind says what becomes of the record.
type CorrectionKind string

// The kinds of correction.
const (
	CorrectionChange CorrectionKind = "change" // a new record with other times, minutes or quality
	CorrectionVoid   CorrectionKind = "void"   // 作废: no record
)

// Bounds of the corrections of one record.
const (
	MaxCorrections = 9 // a CHECK says so too
	MaxAsked       = 3 // the volunteer's part of them
)

// ServiceCorrection is a row of service_correction: one correction of one
// service record by two persons. The record itself is never written over.
type ServiceCorrection struct {
	ID             string `gorm:"primaryKey"`
	RecordID       string
	ResidentID     string
	RegionID       string // of the record
	Attempt        int64  // 1..MaxCorrections per record
	OpenSlot       *int64 // 1 while asked or proposed, nil afterwards: one open correction per record
	State          CorrectionState
	AskedText      string          // the volunteer's words; "" if an organizer began
	Kind           *CorrectionKind // nil until proposed
	StartedAt      *clock.Instant  // of a change: what the new record says
	EndedAt        *clock.Instant
	Minutes        *int64
	QualityRating  *int64 // 1..5
	Reason         string // the proposer's
	ProposedBy     *string
	ProposerName   string
	ProposedAt     *clock.Instant
	DecidedBy      *string
	DecidedAt      *clock.Instant
	DecisionReason string
	ResultRecordID *string       // of an approved change
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt      clock.Instant `gorm:"autoUpdateTime:false"`
}

// ServiceCorrectionHistory is one move of a correction. Append only.
type ServiceCorrectionHistory struct {
	ID           string `gorm:"primaryKey"`
	CorrectionID string
	FromStatus   CorrectionState // "" for the first
	ToStatus     CorrectionState
	ActorKind    string
	ActorID      string
	Reason       string
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
}
