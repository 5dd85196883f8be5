package model

import "jiamenkou/internal/clock"

// CertificateState is the state of a certificate.
type CertificateState string

// The states of a certificate: requested → issued | refused | withdrawn,
// issued → revoked.
const (
	CertificateRequested CertificateState = "requested"
	CertificateIssued    CertificateState = "issued"
	CertificateRefused   CertificateState = "refused"
	CertificateWithdrawn CertificateState = "withdrawn" // by the volunteer, or with the account
	CertificateRevoked   CertificateState = "revoked"   // it stays known, as void
)

// MaxCertificateRecords is the most records that one certificate covers: what
// a person can read and a handler can check.
const MaxCertificateRecords = 200

// Certificate is a row of certificate: a proof of service hours (民政部令第67号).
// The volunteer's name is not among its columns: it is sealed in resident,
// where it never changes, and goes with the account.
type Certificate struct {
	ID              string `gorm:"primaryKey"`
	ResidentID      string
	RegionID        string // the volunteer's home region when requested
	OpenSlot        *int64 // 1 while requested, nil afterwards: one open request per person
	State           CertificateState
	Purpose         string
	FromDay         clock.Day // the records of these days, both included
	ToDay           clock.Day
	VolunteerNumber string
	Number          *string // <county code>-<year>-<six digits>, once issued
	CheckCode       *string // proves to the public page that one holds the paper
	Issuer          string  // 出具单位
	IssuedOn        *clock.Day
	HandlerID       *string // 经办人
	HandlerName     string
	HandlerPhone    string
	RecordCount     int64
	TotalMinutes    int64
	Reason          string // why it was refused or revoked
	DecidedAt       *clock.Instant
	CreatedAt       clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt       clock.Instant `gorm:"autoUpdateTime:false"`
}

// CertificateRecord is a row of certificate_record: a record that an issued
// certificate covers. Records never change, so nothing is copied.
type CertificateRecord struct {
	CertificateID string `gorm:"primaryKey"`
	RecordID      string `gorm:"primaryKey"`
}

// CertificateHistory is one move of a certificate. Append only.
type CertificateHistory struct {
	ID            string `gorm:"primaryKey"`
	CertificateID string
	FromStatus    CertificateState // "" for the first
	ToStatus      CertificateState
	ActorKind     string
	ActorID       string
	Reason        string
	CreatedAt     clock.Instant `gorm:"autoCreateTime:false"`
}

// CertificateNumber is a row of certificate_number: the last number that a
// county gave out in a year.
type CertificateNumber struct {
	CountyID   string `gorm:"primaryKey"`
	Year       int64  `gorm:"primaryKey"`
	LastNumber int64
}
