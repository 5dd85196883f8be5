package model

import "jiamenkou/internal/clock"

// AuditLog is a row of audit_log: one change made by staff or by the program.
// Append only; Detail is JSON without personal data.
type AuditLog struct {
	ID         string `gorm:"primaryKey"`
	ActorKind  string // an authz.Kind
	ActorID    string
	Action     string // "staff.disable"
	ObjectType string // "staff"
	ObjectID   string
	RegionID   *string // whose auditors see it; nil: only those of a whole county
	Reason     string
	Detail     string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// PIIField is a kind of personal data that staff looked at or searched by.
type PIIField string

// The kinds.
const (
	PIIPhone    PIIField = "phone"
	PIIRealName PIIField = "real_name"
)

// PIIAccess is a row of pii_access: who saw or searched whose personal data,
// and why. ResidentID is nil if a search found nobody.
type PIIAccess struct {
	ID         string `gorm:"primaryKey"`
	ActorKind  string // an authz.Kind
	ActorID    string
	ResidentID *string
	Field      PIIField
	Reason     string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// TableName names the table, since gorm would split the abbreviation.
func (PIIAccess) TableName() string { return "pii_access" }
