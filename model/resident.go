package model

import (
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// ResidentStatus of a resident: active ⇄ frozen, active → deleted.
type ResidentStatus string

// The states of a resident. A deleted row is anonymous: a CHECK keeps every
// personal column empty.
const (
	ResidentActive  ResidentStatus = "active"
	ResidentFrozen  ResidentStatus = "frozen"
	ResidentDeleted ResidentStatus = "deleted"
)

// Resident is a row of resident. Columns ending in Cipher are sealed by
// internal/pii, columns ending in Index are its blind indexes.
type Resident struct {
	ID                  string  `gorm:"primaryKey"`
	OpenID              *string `gorm:"column:openid"`
	UnionID             *string `gorm:"column:unionid"`
	Nickname            string
	PhoneCipher         *string
	PhoneIndex          *string
	RealNameCipher      *string
	IDNumberCipher      *string
	IDNumberIndex       *string
	VolunteerNumber     string // shown on certificates; never the ID number
	HomeRegionID        *string
	BirthYear           *int // only if stated
	GuardianConsentedAt *clock.Instant
	Status              ResidentStatus
	CreatedAt           clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt           clock.Instant `gorm:"autoUpdateTime:false"`
	DeletedAt           *clock.Instant
}

// Bounds of a resident's texts, in characters.
const (
	MaxNickname = 20
	MaxRealName = 40
)

// Bounds of a stated birth year; the upper one is the current year.
const minBirthYear = 1900

// ValidateNickname checks a nickname that is 1 to MaxNickname characters.
func ValidateNickname(f *fault.Fields, path, nickname string) {
	f.Add(lengthWithin(nickname, 1, MaxNickname) && printable(nickname), path, "应为 1 到 20 个字")
}

// ValidateRealName checks a real name of 2 to MaxRealName characters.
func ValidateRealName(f *fault.Fields, path, name string) {
	f.Add(lengthWithin(name, 2, MaxRealName) && printable(name), path, "应为 2 到 40 个字的真实姓名")
}

// ValidateBirthYear checks a birth year against the current one.
func ValidateBirthYear(f *fault.Fields, path string, year, currentYear int) {
	f.Add(year >= minBirthYear && year <= currentYear, path, "应为四位数的出生年份")
}
