package model

import "jiamenkou/internal/clock"

// LeaderboardKind is the length of a leaderboard's period.
type LeaderboardKind string

// The kinds of period.
const (
	LeaderboardWeek  LeaderboardKind = "week"  // ISO 8601: begins on Monday
	LeaderboardMonth LeaderboardKind = "month" // of the calendar
)

// LeaderboardKinds lists every kind.
func LeaderboardKinds() []LeaderboardKind {
	return []LeaderboardKind{LeaderboardWeek, LeaderboardMonth}
}

// LeaderboardLevels are the region levels that have leaderboards. What is
// earned below a village counts in the village.
func LeaderboardLevels() []RegionLevel {
	return []RegionLevel{RegionCounty, RegionTown, RegionVillage}
}

// LeaderboardScore is what one resident earned in one period and region.
// PeriodStart is the period's first day.
type LeaderboardScore struct {
	RegionID    string          `gorm:"primaryKey"`
	PeriodKind  LeaderboardKind `gorm:"primaryKey"`
	PeriodStart clock.Day       `gorm:"primaryKey"`
	ResidentID  string          `gorm:"primaryKey"`
	Points      int64
	Listed      bool // agreed to be shown, as far as the jobs know
}

// LeaderboardBucket is one bar of a board's histogram: how many listed
// residents have exactly Points.
type LeaderboardBucket struct {
	PeriodKind  LeaderboardKind `gorm:"primaryKey"`
	PeriodStart clock.Day       `gorm:"primaryKey"`
	RegionID    string          `gorm:"primaryKey"`
	Points      int64           `gorm:"primaryKey;autoIncrement:false"`
	Residents   int64
}

// LeaderboardTotal is the sum of one board: everybody who earned, listed or not.
type LeaderboardTotal struct {
	PeriodKind   LeaderboardKind `gorm:"primaryKey"`
	PeriodStart  clock.Day       `gorm:"primaryKey"`
	RegionID     string          `gorm:"primaryKey"`
	Participants int64
	Listed       int64
	Points       int64
}

// LeaderboardApplied marks an award that is in the scores.
type LeaderboardApplied struct {
	AwardID string `gorm:"primaryKey"`
}

// The cursors.
const (
	LeaderboardAwards   = "awards"
	LeaderboardConsents = "consents"
)

// LeaderboardCursor says how far a job has read a table whose ids are ULIDs.
// Rows up to FloorID are done for good; rows above it may still appear late
// and are looked at again.
type LeaderboardCursor struct {
	Name      string `gorm:"primaryKey"`
	SeenID    string
	FloorID   string
	UpdatedAt clock.Instant `gorm:"autoUpdateTime:false"`
}
