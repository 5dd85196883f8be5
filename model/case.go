package model

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// CaseKind says what opened a case.
type CaseKind string

// The kinds of case. Only a report can earn points.
const (
	CaseReport  CaseKind = "report"  // 上报
	CaseDispute CaseKind = "dispute" // 纠纷
)

// CaseCategory is what a case is about.
type CaseCategory string

// The categories.
const (
	CategorySanitation CaseCategory = "sanitation" // 环境卫生
	CategoryFacility   CaseCategory = "facility"   // 公共设施
	CategorySafety     CaseCategory = "safety"     // 安全隐患
	CategoryOrder      CaseCategory = "order"      // 公共秩序
	CategoryCare       CaseCategory = "care"       // 民生关爱
	CategoryDispute    CaseCategory = "dispute"    // 矛盾纠纷
	CategoryOther      CaseCategory = "other"      // 其他
)

// CaseCategories lists every category.
func CaseCategories() []CaseCategory {
	return []CaseCategory{
		CategorySanitation, CategoryFacility, CategorySafety, CategoryOrder, CategoryCare, CategoryDispute, CategoryOther,
	}
}

// CaseStatus is how far a case has come; service/casework holds the table of
// allowed moves, docs/states/casework.md draws it.
type CaseStatus string

// The states of a case.
const (
	CaseSubmitted  CaseStatus = "submitted"  // 已上报，待受理
	CaseAccepted   CaseStatus = "accepted"   // 已受理
	CaseDispatched CaseStatus = "dispatched" // 已分派
	CaseHandling   CaseStatus = "handling"   // 办理中
	CaseHandled    CaseStatus = "handled"    // 已反馈，待居民确认
	CaseReopened   CaseStatus = "reopened"   // 居民未认可，重办
	CaseConfirmed  CaseStatus = "confirmed"  // 居民已确认，或到期自动确认
	CaseClosed     CaseStatus = "closed"     // 已办结归档
	CaseRejected   CaseStatus = "rejected"   // 不予受理
	CaseWithdrawn  CaseStatus = "withdrawn"  // 居民撤回
)

// CaseStatuses lists every state in the order in which a case meets them.
func CaseStatuses() []CaseStatus {
	return []CaseStatus{
		CaseSubmitted, CaseAccepted, CaseDispatched, CaseHandling, CaseHandled, CaseReopened, CaseConfirmed, CaseClosed,
		CaseRejected, CaseWithdrawn,
	}
}

// ContentStatus is the outcome of the check that WeChat demands of what
// residents write and show.
type ContentStatus string

// The states of a content: pending until it passes.
const (
	ContentPending  ContentStatus = "pending"
	ContentPassed   ContentStatus = "passed"
	ContentRejected ContentStatus = "rejected"
)

// CaseMove names a step of a case: one row of case_history.
type CaseMove string

// The moves.
const (
	MoveReport        CaseMove = "report"         // opens the case
	MovePassContent   CaseMove = "pass_content"   // the text may be shown; the status stays
	MoveRejectContent CaseMove = "reject_content" // the text may not be shown
	MoveAccept        CaseMove = "accept"
	MoveReject        CaseMove = "reject"
	MoveDispatch      CaseMove = "dispatch"
	MoveStart         CaseMove = "start"
	MoveFinish        CaseMove = "finish"
	MoveConfirm       CaseMove = "confirm"
	MoveAutoConfirm   CaseMove = "auto_confirm"
	MoveReopen        CaseMove = "reopen"
	MoveClose         CaseMove = "close"
	MoveGiveUp        CaseMove = "give_up" // closes a case that its reporter still finds unsolved
	MoveWithdraw      CaseMove = "withdraw"
)

// CaseFile is one case: a row of case_file (CASE is a reserved word).
//
// Version counts the moves and is the Seq of the newest history row. Lon, Lat
// and PositionUntil are set and dropped together. VerifiedAt is the moment
// from which a report counts as true; Earns says whether its reporter could earn
// points then (a resident without a home region cannot).
type CaseFile struct {
	ID             string `gorm:"primaryKey"`
	CountyID       string
	Number         string // "20260131-0001", unique in the county
	Kind           CaseKind
	Category       CaseCategory
	Title          string
	Content        string
	RegionID       string // a village or below
	Address        string
	Lon            *float64
	Lat            *float64
	PositionUntil  *clock.Instant // when Lon and Lat must be dropped
	ReporterID     string
	ContentStatus  ContentStatus
	Status         CaseStatus
	Version        int64
	AssigneeID     *string        // staff
	DueAt          *clock.Instant // by when staff must make the next step
	ConfirmBy      *clock.Instant // handled: when silence counts as agreement
	HandledAt      *clock.Instant
	VerifiedAt     *clock.Instant
	Earns          int64 // 1: verified, and its points were asked of the policies
	Reopens        int64
	Rating         *int64 // 1 to 5, from the reporter
	IdempotencyKey string
	InputHash      string        // "" once the position is dropped: a hash could be tried out
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt      clock.Instant `gorm:"autoUpdateTime:false"`
}

// Limits of a case's texts, in characters.
const (
	CaseMinText    = 5
	CaseMaxText    = 1000
	CaseMaxAddress = 100
	CaseMaxNote    = 500
)

// ValidateCaseText checks a text of least to most characters that people
// wrote; line breaks are the only control characters it may hold.
func ValidateCaseText(f *fault.Fields, path, text string, least, most int, reason string) {
	n := utf8.RuneCountInString(text)
	sound := utf8.ValidString(text) && text == strings.TrimSpace(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
	f.Add(sound && n >= least && n <= most, path, reason)
}

// CaseHistory is one move of a case. Append only.
type CaseHistory struct {
	ID             string `gorm:"primaryKey"`
	CaseID         string
	Seq            int64 // from 1, without gaps
	Move           CaseMove
	FromStatus     *CaseStatus // nil for the first row
	ToStatus       CaseStatus
	ActorKind      string // authz.Kind
	ActorID        string
	Reason         string // for staff only
	Note           string // shown to the reporter
	IdempotencyKey *string
	InputHash      string
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}

// CaseAssignment says who was put in charge of a case, and when that ended.
type CaseAssignment struct {
	ID         string `gorm:"primaryKey"`
	CaseID     string
	Seq        int64  // of the history row that made it
	StaffID    string // grid worker, or staff of a handling unit
	AssignedBy string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
	EndedAt    *clock.Instant
}

// CaseAttachment ties a picture to the move that brought it. A picture
// belongs to one case at most: it is the primary key.
type CaseAttachment struct {
	AttachmentID string `gorm:"primaryKey"`
	CaseID       string
	Seq          int64 // of the history row: 1 for the report itself
	Position     int64 // order within the row, from 0
}

// CaseNumber counts the cases of one county and day. A row of its own, since
// every report of the county updates it.
type CaseNumber struct {
	CountyID   string    `gorm:"primaryKey"`
	Day        clock.Day `gorm:"primaryKey"`
	LastNumber int64
}

// CaseQuota counts what one person reported and uploaded on one day.
type CaseQuota struct {
	OwnerID string    `gorm:"primaryKey"` // resident or staff
	Day     clock.Day `gorm:"primaryKey"`
	Reports int64
	Uploads int64
}
