package model

import "jiamenkou/internal/clock"

// AttendanceStatus is the state of an attendance: checked_in → checked_out →
// confirmed, and checked_in or checked_out → rejected.
type AttendanceStatus string

// The states of an attendance.
const (
	AttendanceCheckedIn  AttendanceStatus = "checked_in"
	AttendanceCheckedOut AttendanceStatus = "checked_out"
	AttendanceConfirmed  AttendanceStatus = "confirmed"
	AttendanceRejected   AttendanceStatus = "rejected"
)

// MarkVerdict says how a check-in or check-out was proved. It outlives the
// coordinates.
type MarkVerdict string

// The verdicts.
const (
	MarkInside    MarkVerdict = "inside"    // by code, within the radius
	MarkTolerated MarkVerdict = "tolerated" // by code, outside by no more than the phone's own inaccuracy
	MarkByHand    MarkVerdict = "by_hand"   // by the organizer, with a reason
)

// Credit says what a confirmed attendance is worth.
type Credit string

// The credits.
const (
	CreditFull     Credit = "credited"
	CreditTooShort Credit = "too_short" // below 60 % of the planned time: nothing
)

// Attendance is a row of attendance: when somebody was there, and how that is
// known.
type Attendance struct {
	ID                     string `gorm:"primaryKey"`
	SignupID               string
	Status                 AttendanceStatus
	CheckInAt              clock.Instant
	CheckInVerdict         MarkVerdict
	CheckInDistanceMeters  *int64 // nil by hand
	CheckInBy              string // the resident, or the organizer who marked it
	CheckInLon, CheckInLat *float64
	CheckOutAt             *clock.Instant
	CheckOutVerdict        *MarkVerdict
	CheckOutDistanceMeters *int64
	CheckOutBy             *string
	CheckOutLon            *float64
	CheckOutLat            *float64
	CoordinatesUntil       *clock.Instant // nil once there are none
	ServedMinutes          *int64         // as computed, set when confirmed
	Minutes                *int64         // as credited: 0 if too short
	Credit                 *Credit
	QualityRating          *int64 // 1..5
	ConfirmedBy            *string
	ConfirmedAt            *clock.Instant
	CreatedAt              clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt              clock.Instant `gorm:"autoUpdateTime:false"`
}

// ByHandOnly reports whether no mark was proved by a code on the spot: the
// attendance counts as added by hand (补录).
func (a *Attendance) ByHandOnly() bool {
	return a.CheckInVerdict == MarkByHand && (a.CheckOutVerdict == nil || *a.CheckOutVerdict == MarkByHand)
}

// RecordKind says where a service record comes from.
type RecordKind string

// The kinds of service record.
const (
	RecordAttendance RecordKind = "attendance"
	RecordManual     RecordKind = "manual"     // 补录: needs a second person, never earns points
	RecordCorrection RecordKind = "correction" // 更正: stands for a corrected record, likewise
)

// RecordState is the state of a service record: pending_approval → effective
// or rejected, effective → corrected. Most are effective from the start.
type RecordState string

// The states of a service record.
const (
	RecordEffective RecordState = "effective"
	RecordPending   RecordState = "pending_approval"
	RecordRejected  RecordState = "rejected"
	RecordCorrected RecordState = "corrected" // another record stands for it, or none
)

// Approval says who has to approve a record before it takes effect.
type Approval string

// The approvals.
const (
	ApprovalNone         Approval = "none"
	ApprovalSecondPerson Approval = "second_person" // added or corrected by hand
	ApprovalLongDay      Approval = "long_day"      // more than 8 hours in a day: the parent region
)

// The limits of a person's service in one day, in minutes.
const (
	FreeDayMinutes = 8 * 60  // up to here records take effect at once
	MaxDayMinutes  = 12 * 60 // more is refused; a CHECK says so too
)

// ServiceRecord is a row of service_record: minutes of service, apart from
// points. Everything but the decision is written once; the texts are copies,
// so that a certificate can say later what was recorded (民政部令第67号,
// 民发〔2015〕149号). The volunteer's name is not copied: it is sealed in
// resident, which a certificate reads through identity.
type ServiceRecord struct {
	ID              string `gorm:"primaryKey"`
	Kind            RecordKind
	State           RecordState
	Approval        Approval
	ResidentID      string
	VolunteerNumber string
	RegionID        string // of the activity, or of the recorder for a manual one
	ActivityID      *string
	AttendanceID    *string
	ActivityTitle   string
	Day             clock.Day
	StartedAt       clock.Instant
	EndedAt         clock.Instant
	Minutes         int64
	PlaceName       string
	Beneficiary     string
	Content         string
	QualityRating   *int64 // 1..5
	PersonInCharge  string
	RecorderID      string
	RecorderName    string
	Reason          string // why it was added by hand, or decided so
	EarnsPoints     int64  // 1 if its effect is an event for the policies
	DecidedBy       *string
	DecidedAt       *clock.Instant
	CreatedAt       clock.Instant `gorm:"autoCreateTime:false"`
}

// ServiceDay is a row of service_day: minutes of a person and day in records
// that were neither rejected nor corrected.
type ServiceDay struct {
	ResidentID string    `gorm:"primaryKey"`
	Day        clock.Day `gorm:"primaryKey"`
	Minutes    int64
}

// VolunteerTally is a row of volunteer_tally: a person's effective minutes.
type VolunteerTally struct {
	ResidentID       string `gorm:"primaryKey"`
	EffectiveMinutes int64
}
