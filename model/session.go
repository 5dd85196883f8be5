package model

import "jiamenkou/internal/clock"

// RevokeReason says why a session ended before its time.
type RevokeReason string

// The reasons.
const (
	RevokedByLogout           RevokeReason = "logout"
	RevokedByLogoutEverywhere RevokeReason = "logout_everywhere"
	RevokedByRefreshReuse     RevokeReason = "refresh_reused"
	RevokedByPasswordChange   RevokeReason = "password_changed"
	RevokedByDisabling        RevokeReason = "disabled" // a disabled staff member or frozen resident
	RevokedByDeletion         RevokeReason = "deleted"
	RevokedByTooMany          RevokeReason = "too_many" // more sessions than one principal may have
)

// Session is a row of session: one login, and the family of refresh tokens
// that grew from it. PrincipalID is a resident or a staff member by Kind, so
// it has no foreign key; neither row is ever deleted.
type Session struct {
	ID           string `gorm:"primaryKey"`
	Kind         string // an authz.Kind: resident or staff
	PrincipalID  string
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
	LastUsedAt   clock.Instant
	RevokedAt    *clock.Instant
	RevokeReason *RevokeReason
}

// RefreshToken is a row of refresh_token. Hash is the SHA-256 of the token in
// hex; the token itself is nowhere.
type RefreshToken struct {
	ID         string `gorm:"primaryKey"`
	SessionID  string
	Hash       string
	ExpiresAt  clock.Instant
	UsedAt     *clock.Instant
	ReplacedBy *string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}
