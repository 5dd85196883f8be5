package model

import "jiamenkou/internal/clock"

// ReadingStatus of a reading session: see docs/states/reading.md.
type ReadingStatus string

// The states of a reading session; all but the first are final.
const (
	ReadingOpen      ReadingStatus = "open"
	ReadingCompleted ReadingStatus = "completed"
	ReadingExpired   ReadingStatus = "expired"
)

// ReadingEnd says why a session expired.
type ReadingEnd string

// Why a session expires.
const (
	ReadingTimedOut   ReadingEnd = "timed_out"
	ReadingSuperseded ReadingEnd = "superseded" // its reader opened another article
)

// ReadingSession is one reading of an article, timed by the server.
//
// ActiveResidentID is the reader while the session is open, and unique: nobody
// reads two articles at once. CompletedArticleID is the article once it was
// read, and unique per resident: nobody reads an article twice. A CHECK keeps
// CreditedSeconds within the wall-clock time from StartedAt to LastBeatAt.
type ReadingSession struct {
	ID                 string `gorm:"primaryKey"`
	ArticleID          string
	ResidentID         string
	Status             ReadingStatus
	EndReason          *ReadingEnd // with ReadingExpired
	ActiveResidentID   *string
	CompletedArticleID *string
	MinSeconds         int64 // the article's when the session began: a later edit breaks no promise
	CreditedSeconds    int64
	StartedAt          clock.Instant
	LastBeatAt         clock.Instant // up to here time was counted
	EndedAt            *clock.Instant
}

// DailySignIn is one resident's sign-in of one day.
type DailySignIn struct {
	ID         string `gorm:"primaryKey"`
	ResidentID string
	Day        clock.Day
	StreakDays int64         // days in a row up to this one, from 1
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}
