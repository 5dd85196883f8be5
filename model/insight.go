package model

import "jiamenkou/internal/clock"

// InsightDay is a day whose figures were counted. It is counted anew until
// Final: no transaction of the day can commit any more.
type InsightDay struct {
	Day       clock.Day `gorm:"primaryKey"`
	Final     bool
	CountedAt clock.Instant
}

// InsightRegionDay is what happened on a day in a region and below it. A
// resident's points count where the home was when they were counted.
type InsightRegionDay struct {
	RegionID        string    `gorm:"primaryKey"`
	Day             clock.Day `gorm:"primaryKey"`
	IssuedPoints    int64     // from budgets to wallets
	TakenBackPoints int64     // from wallets to budgets: reversed awards, debits by hand
	RedeemedPoints  int64     // captured at merchants
	ReturnedPoints  int64     // reversed redemptions
	ExpiredPoints   int64
	ServiceMinutes  int64 // of records that took effect on the day, as they were then

	// CorrectedMinutes is what corrections changed that were approved on the day,
	// up or down, whatever the day of the service.
	CorrectedMinutes int64

	Reports int64
}

// InsightBudgetDay is what a budget issued on a day and took back.
type InsightBudgetDay struct {
	BudgetID        string    `gorm:"primaryKey"`
	Day             clock.Day `gorm:"primaryKey"`
	IssuedPoints    int64
	TakenBackPoints int64
}

// InsightRegionNow is how a region and what lies below it stood at CountedAt.
type InsightRegionNow struct {
	RegionID          string `gorm:"primaryKey"`
	Residents         int64  // active accounts
	ActiveResidents   int64  // of these, who did something in the last 30 days
	OutstandingPoints int64  // in wallets, held ones included
	HeldPoints        int64
	CountedAt         clock.Instant
}
