package model

import "jiamenkou/internal/clock"

// StaffTOTP is a row of staff_totp: the second factor of one staff member.
// LastStep is the last time step (30 s since 1970) whose code was used; no code
// of that step or an earlier one is taken again (RFC 6238, 5.2).
type StaffTOTP struct {
	StaffID      string `gorm:"primaryKey"`
	SecretCipher string // base32, sealed by internal/pii
	LastStep     int64
	ConfirmedAt  *clock.Instant // nil: enrolment has begun, and no code has been shown yet
	CreatedAt    clock.Instant  `gorm:"autoCreateTime:false"`
}

// TableName names the table, since gorm would split the abbreviation.
func (StaffTOTP) TableName() string { return "staff_totp" }

// StaffRecoveryCode is a row of staff_recovery_code: a code, good once, for
// who has lost the phone. Hash is its keyed hash; the code itself is nowhere.
type StaffRecoveryCode struct {
	ID        string `gorm:"primaryKey"`
	StaffID   string
	Hash      string
	UsedAt    *clock.Instant
	CreatedAt clock.Instant `gorm:"autoCreateTime:false"`
}
