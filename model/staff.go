package model

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// StaffStatus of a staff member: active ⇄ disabled.
type StaffStatus string

// The states of a staff member.
const (
	StaffActive   StaffStatus = "active"
	StaffDisabled StaffStatus = "disabled"
)

// Staff is a row of staff.
type Staff struct {
	ID           string `gorm:"primaryKey"`
	Username     string // lower case
	PasswordHash string // argon2id in PHC form
	Name         string
	OpenID       *string `gorm:"column:openid"`
	RegionID     string  // the region whose operators administer this person
	Status       StaffStatus
	FailedLogins int
	LockedUntil  *clock.Instant
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt    clock.Instant `gorm:"autoUpdateTime:false"`
}

// StaffGrant is a row of staff_grant: one role over one region subtree or one
// merchant. Revoking a grant deletes the row; audit_log keeps the history.
type StaffGrant struct {
	ID            string `gorm:"primaryKey"`
	StaffID       string
	Role          string        // an authz.Role
	RegionID      *string       // region roles
	MerchantID    *string       // merchant roles
	ScopeRegionID string        // RegionID, or the region in which the merchant is
	GrantedBy     string        // staff id or system job
	CreatedAt     clock.Instant `gorm:"autoCreateTime:false"`
}

var usernamePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,31}$`)

// MaxStaffName is the longest name of a staff member, in characters.
const MaxStaffName = 30

// Validate checks what people typed in.
func (s *Staff) Validate(f *fault.Fields, path string) {
	f.Add(usernamePattern.MatchString(s.Username), path+".username", "应为 3 到 32 位小写字母、数字或 . _ -，以字母或数字开头")
	f.Add(lengthWithin(s.Name, 1, MaxStaffName) && printable(s.Name), path+".name", "应为 1 到 30 个字")
}

// lengthWithin counts characters of the trimmed text.
func lengthWithin(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && s == strings.TrimSpace(s) && n >= least && n <= most
}

// printable refuses control and invisible formatting characters, with which
// one name can be made to look like another.
func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
