package model

import "jiamenkou/internal/clock"

// AuditRunStatus is the state of a run of the audit.
type AuditRunStatus string

// The states: queued -> running -> sound | different | failed.
const (
	AuditQueued    AuditRunStatus = "queued"
	AuditRunning   AuditRunStatus = "running"
	AuditSound     AuditRunStatus = "sound"
	AuditDifferent AuditRunStatus = "different" // it found differences
	AuditFailed    AuditRunStatus = "failed"    // it did not come to an end
)

// AuditCause says who started a run.
type AuditCause string

// The causes.
const (
	AuditNightly AuditCause = "nightly"
	AuditByStaff AuditCause = "staff"
)

// AuditRun is one run of the audit over every service.
type AuditRun struct {
	ID              string `gorm:"primaryKey"`
	Cause           AuditCause
	RequestedBy     *string // staff
	Status          AuditRunStatus
	Slot            *int64 // 1 while it waits or runs: one at a time
	RunToken        string // of the worker that runs it
	FreezesAccounts bool   // freeze what differs, as the nightly run does
	State           string // JSON, to go on after an interruption; "" at its end
	Done, Total     int64  // accounts, journal rows and other rows together
	Accounts        int64
	Links           int64
	Journals        int64
	Seals           int64
	CheckedRows     int64
	DifferenceCount int64
	FrozenCount     int64
	Error           string
	CreatedAt       clock.Instant `gorm:"autoCreateTime:false"`
	StartedAt       *clock.Instant
	UpdatedAt       clock.Instant `gorm:"autoUpdateTime:false"`
	FinishedAt      *clock.Instant
}

// AuditDifference is one thing that a run found different. Append only.
type AuditDifference struct {
	ID        string `gorm:"primaryKey"`
	RunID     string
	Section   string // the service whose rows they are
	CheckName string
	ObjectID  string
	AccountID string // "" if nobody's points are in doubt
	Seq       int64  // place in the account's chain, 0 if it is not there
	Want      int64
	Got       int64
	Note      string
}
