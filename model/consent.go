package model

import "jiamenkou/internal/clock"

// ConsentPurpose is what personal data may be used for. Each is asked for and
// recorded separately (PIPL art. 14, 23, 29).
type ConsentPurpose string

// The purposes.
const (
	ConsentPrivacyPolicy ConsentPurpose = "privacy_policy"
	ConsentLocation      ConsentPurpose = "location"
	ConsentNotifications ConsentPurpose = "notifications"
	ConsentLeaderboard   ConsentPurpose = "leaderboard"
)

// ConsentPurposes lists every purpose.
func ConsentPurposes() []ConsentPurpose {
	return []ConsentPurpose{ConsentPrivacyPolicy, ConsentLocation, ConsentNotifications, ConsentLeaderboard}
}

// ConsentStatus is the last decision on a purpose: granted ⇄ withdrawn.
type ConsentStatus string

// The decisions.
const (
	ConsentGranted   ConsentStatus = "granted"
	ConsentWithdrawn ConsentStatus = "withdrawn"
)

// Consent is a row of consent: the decision in force. No row means never asked,
// which counts as no.
type Consent struct {
	ResidentID string         `gorm:"primaryKey"`
	Purpose    ConsentPurpose `gorm:"primaryKey"`
	Status     ConsentStatus
	Version    string // of the text that was shown, "2026-01"
	DecidedAt  clock.Instant
}

// ConsentHistory is a row of consent_history: every decision ever made.
type ConsentHistory struct {
	ID         string `gorm:"primaryKey"`
	ResidentID string
	Purpose    ConsentPurpose
	Status     ConsentStatus
	Version    string
	DecidedAt  clock.Instant
}
