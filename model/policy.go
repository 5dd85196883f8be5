package model

import "jiamenkou/internal/clock"

// Budget is what a region may issue in a period: its points are posted by the
// ledger from the account of the same id.
type Budget struct {
	ID          string `gorm:"primaryKey"`
	RegionID    string
	Name        string
	StartsOn    clock.Day
	EndsOn      clock.Day
	LimitPoints int64
	CreatedBy   string
	CreatedAt   clock.Instant
}

// EventKind is a kind of event that can earn points.
type EventKind string

// The events that earn points.
const (
	EventVolunteerService EventKind = "volunteer_service"
	EventArticleRead      EventKind = "article_read"
	EventDailySignIn      EventKind = "daily_sign_in"
	EventReportVerified   EventKind = "report_verified"
)

// EventKinds lists every kind.
func EventKinds() []EventKind {
	return []EventKind{EventVolunteerService, EventArticleRead, EventDailySignIn, EventReportVerified}
}

// Expiry says how a rule sets the last day of the points that it grants.
type Expiry string

// The ways to set an expiry.
const (
	ExpiryEndOfNextYear Expiry = "end_of_next_year" // 31 December of the year after
	ExpiryDays          Expiry = "days"             // so many days after the event
)

// PolicyRule says how many points an event earns. A rule never changes; a new
// version of it replaces it for later events.
type PolicyRule struct {
	ID         string `gorm:"primaryKey"`
	RegionID   string
	EventKind  EventKind
	Version    int64
	BudgetID   string
	Points     int64 // for each event, or for each PerMinutes of service
	PerMinutes int64 // 0: Points are for the event as a whole
	MaxPoints  int64 // the most that one event earns
	DailyCap   int64 // paid events per resident and day
	ObjectCap  int64 // paid events per resident and object (an article, a shift)
	Expiry     Expiry
	ExpiryDays int64
	ActiveFrom clock.Instant
	RetiredAt  *clock.Instant
	Note       string
	CreatedBy  string
	CreatedAt  clock.Instant
}

// AwardStatus says what became of an event.
type AwardStatus string

// What can become of an event.
const (
	AwardPosted          AwardStatus = "posted"
	AwardCapped          AwardStatus = "capped"           // a cap of the rule was reached
	AwardBudgetExhausted AwardStatus = "budget_exhausted" // by the budget, or since an account is frozen: can be paid later
	AwardNoRule          AwardStatus = "no_rule"          // no rule is active where the resident lives
)

// Award is the answer to one event: which rule, how many points, why.
type Award struct {
	ID          string `gorm:"primaryKey"`
	EventKind   EventKind
	EventID     string
	ResidentID  string
	RegionID    string // home region at the time
	ObjectID    string
	Day         clock.Day
	Minutes     int64
	Status      AwardStatus
	Points      int64
	RuleID      *string
	RuleVersion *int64
	DailySlot   *int64 // which paid event of the day, from 1
	ObjectSlot  *int64
	JournalID   *string
	Evidence    string // JSON
	OccurredAt  clock.Instant
	CreatedAt   clock.Instant
	PaysID      *string        // the award that this one pays later
	PaidAt      *clock.Instant // with budget_exhausted: since when a later row answers it
}

// AwardPayment is one late payment of awards that budgets could not pay.
type AwardPayment struct {
	ID             string `gorm:"primaryKey"`
	ActorID        string
	IdempotencyKey string
	InputHash      string
	PaidAwards     int64
	PaidPoints     int64
	Result         string // JSON: the first answer, for a replay
	CreatedAt      clock.Instant
}

// BudgetAlert records that a budget has issued so much of its limit.
type BudgetAlert struct {
	ID               string `gorm:"primaryKey"`
	BudgetID         string
	RegionID         string
	ThresholdPercent int64
	IssuedPoints     int64 // when it was noticed
	LimitPoints      int64
	CreatedAt        clock.Instant
}
