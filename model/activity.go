// Package model holds the row shapes of the database: columns, status
// constants and Validate, one file per aggregate. No queries, no JSON.
package model

import (
	"math"
	"unicode/utf8"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// ActivityStatus is the state of an activity: draft → published → finished,
// and draft or published → cancelled.
type ActivityStatus string

// The states of an activity.
const (
	ActivityDraft     ActivityStatus = "draft"
	ActivityPublished ActivityStatus = "published"
	ActivityCancelled ActivityStatus = "cancelled"
	ActivityFinished  ActivityStatus = "finished" // every shift is over; attendance may still be confirmed
)

// ActivityCategories lists the fields of service.
func ActivityCategories() []string {
	return []string{
		"community", "elderly", "children", "disabled", "environment", "safety", "culture", "sports",
		"health", "education", "rescue", "event", "mediation", "other",
	}
}

// Limits of an activity. Texts are counted in characters.
const (
	MinRadiusMeters = 20
	MaxRadiusMeters = 5_000 // config.yaml may set it lower
	maxTitle        = 60
	maxContent      = 4_000
	maxPlaceName    = 100
	maxBeneficiary  = 60
	maxContactName  = 30
)

// Activity is a row of activity: what is done, where, and for whom.
type Activity struct {
	ID               string `gorm:"primaryKey"`
	RegionID         string
	OrganizerStaffID string
	Title            string
	Content          string
	Category         string
	Beneficiary      string
	PlaceName        string
	Lon, Lat         float64 // degrees, GCJ-02 as WeChat gives them
	RadiusMeters     int64   // how near one must be to check in
	ContactName      string  // the person in charge
	ContactPhone     string
	Status           ActivityStatus
	Version          int64         // counts edits
	CreatedAt        clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt        clock.Instant `gorm:"autoUpdateTime:false"`
	PublishedAt      *clock.Instant
}

// Validate checks what people typed in.
func (a *Activity) Validate(maxRadiusMeters int64) error {
	var f fault.Fields
	text := func(s string, least, most int, path, reason string) {
		f.Add(lengthWithin(s, least, most) && printable(s), path, reason)
	}
	text(a.Title, 2, maxTitle, "title", "应为 2 到 60 个字")
	n := utf8.RuneCountInString(a.Content)
	f.Add(utf8.ValidString(a.Content) && n >= 2 && n <= maxContent, "content", "应为 2 到 4000 个字")
	known := false
	for _, c := range ActivityCategories() {
		known = known || c == a.Category
	}
	f.Add(known, "category", "没有这个服务类别")
	text(a.Beneficiary, 1, maxBeneficiary, "beneficiary", "请填写服务对象，最多 60 个字")
	text(a.PlaceName, 1, maxPlaceName, "place_name", "请填写活动地点，最多 100 个字")
	f.Add(ValidPosition(a.Lon, a.Lat), "lon", "活动位置无效，请在地图上重新选择")
	f.Add(a.RadiusMeters >= MinRadiusMeters && a.RadiusMeters <= min(maxRadiusMeters, MaxRadiusMeters),
		"radius_meters", "签到范围应为 20 米到允许的最大范围之间")
	text(a.ContactName, 1, maxContactName, "contact_name", "请填写负责人，最多 30 个字")
	f.Add(ValidContactPhone(a.ContactPhone), "contact_phone", "应为 5 到 20 位电话号码")
	return f.Err("volunteer.invalid")
}

// ValidPosition reports whether lon and lat are degrees on the earth. The
// point (0, 0) is what a phone without a fix sends.
func ValidPosition(lon, lat float64) bool {
	return !math.IsNaN(lon) && !math.IsNaN(lat) && math.Abs(lon) <= 180 && math.Abs(lat) <= 90 && (lon != 0 || lat != 0)
}

// ValidContactPhone reports whether s is a phone number as people write it, 5
// to 20 characters.
func ValidContactPhone(s string) bool {
	if len(s) < 5 || len(s) > 20 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && c != '-' && c != '+' {
			return false
		}
	}
	return true
}

// ShiftStatus is the state of a shift: open → cancelled.
type ShiftStatus string

// The states of a shift.
const (
	ShiftOpen      ShiftStatus = "open"
	ShiftCancelled ShiftStatus = "cancelled"
)

// ActivityShift is a row of activity_shift. A shift lies within one Shanghai
// day, so that its minutes count on one day; a night has two shifts.
type ActivityShift struct {
	ID           string `gorm:"primaryKey"`
	ActivityID   string
	StartsAt     clock.Instant
	EndsAt       clock.Instant
	BreakMinutes int64  // travel, meals and rest: never service
	CodeSecret   string // hexadecimal; never leaves the server
	Status       ShiftStatus
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt    clock.Instant `gorm:"autoUpdateTime:false"`
}

const microsecondsPerMinute = 60_000_000

// PlannedMinutes is the service that the shift plans, breaks excluded.
func (s *ActivityShift) PlannedMinutes() int64 {
	return int64(s.EndsAt-s.StartsAt)/microsecondsPerMinute - s.BreakMinutes
}

// ServedMinutes is the service of somebody who was present from in to out:
// the whole minutes within the shift, less its breaks, never below zero.
func (s *ActivityShift) ServedMinutes(in, out clock.Instant) int64 {
	in, out = max(in, s.StartsAt), min(out, s.EndsAt)
	return max(0, int64(out-in)/microsecondsPerMinute-s.BreakMinutes)
}

// MaxShiftCapacity is the most people that one shift takes; a CHECK says so too.
const MaxShiftCapacity = 1_000

// ShiftCount is a row of shift_count: the places of a shift, a row apart since
// every sign-up changes it.
type ShiftCount struct {
	ShiftID  string `gorm:"primaryKey"`
	Capacity int64
	SignedUp int64
	IsOpen   int64 // 1 while people may sign up
	Edition  int64 // counts changes of the shift's times
	Version  int64
}

// SignupStatus is the state of a sign-up: signed_up → cancelled, attended or
// absent.
type SignupStatus string

// The states of a sign-up.
const (
	SignupSignedUp  SignupStatus = "signed_up"
	SignupCancelled SignupStatus = "cancelled"
	SignupAttended  SignupStatus = "attended"
	SignupAbsent    SignupStatus = "absent"
)

// Signup is a row of signup.
type Signup struct {
	ID               string `gorm:"primaryKey"`
	ShiftID          string
	ResidentID       string
	ActiveSlot       *int64 // 1 while it takes a place, nil once cancelled
	Status           SignupStatus
	FailedMarks      int64 // wrong codes or places since FailedMarksSince
	FailedMarksSince *clock.Instant
	CreatedAt        clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt        clock.Instant `gorm:"autoUpdateTime:false"`
}

// VolunteerObject says whose move a history row records.
type VolunteerObject string

// The objects with a history.
const (
	VolunteerActivity   VolunteerObject = "activity"
	VolunteerShift      VolunteerObject = "shift"
	VolunteerSignup     VolunteerObject = "signup"
	VolunteerAttendance VolunteerObject = "attendance"
	VolunteerRecord     VolunteerObject = "service_record"
)

// VolunteerHistory is a row of volunteer_history: one move, append only.
type VolunteerHistory struct {
	ID         string `gorm:"primaryKey"`
	ObjectType VolunteerObject
	ObjectID   string
	FromStatus string // "" for the first
	ToStatus   string
	ActorKind  string
	ActorID    string
	Reason     string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// VolunteerRequest is a row of volunteer_request: the answer given under an
// idempotency key.
type VolunteerRequest struct {
	ID             string `gorm:"primaryKey"`
	ActorID        string
	IdempotencyKey string
	InputHash      string
	Answer         string        // JSON
	ResidentID     *string       // whom the answer is about, and whose words it may repeat; nil for none or many
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}
