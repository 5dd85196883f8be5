// Package leaderboard counts the points that residents earn per week and per
// month in their village, town and county, and shows those who agreed to it.
//
// It reads what service/policy awarded. Nothing is counted while a request
// waits: cron calls Build, which reads the new rows of award and keeps three
// sets of rows in step, in one transaction per batch: the scores, a histogram
// of the listed scores, from which a rank is a sum over distinct scores
// whatever the number of residents, and the total of each board.
//
// A resident appears only after agreeing to it (consent purpose leaderboard),
// with a masked name; whoever withdraws vanishes at once, since the consent in
// force is asked again when a page is read.
package leaderboard

import (
	"time"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/region"
)

// Config of the service.
type Config struct {
	Enabled bool // compliance.resident_leaderboards: off, nothing is counted or shown
	// BatchSize is the most awards, or consent decisions, of one transaction;
	// 0 means 300, which keeps its largest statement below SQLite's 32,766
	// parameters.
	BatchSize int
}

const defaultBatch = 300

// maxBatches bounds one run of a job; the next run goes on where it ended.
const maxBatches = 10_000

// overlap is how much later than its id was made a row may become visible: one
// attempt of a transaction (database.tx_timeout, 30 s), its COMMIT (twice
// that), and the difference between the clocks of two instances, with a wide
// margin.
const overlap = 10 * time.Minute

// clockBack is how far a clock may be set back: what is written then has ids
// before those that were read already.
const clockBack = 24 * time.Hour

// keepMonths is how many whole months before the current one are kept.
const keepMonths = 13

// Service counts and shows leaderboards. Safe for concurrent use.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	regions *region.Service
	people  *identity.Service
	ledger  *ledger.Service
	cfg     Config
}

// New makes the service.
func New(db *database.DB, c clock.Clock, regions *region.Service, people *identity.Service, l *ledger.Service, cfg Config) *Service {
	if cfg.BatchSize <= 0 || cfg.BatchSize > defaultBatch {
		cfg.BatchSize = defaultBatch
	}
	return &Service{db: db, clock: c, regions: regions, people: people, ledger: l, cfg: cfg}
}

// Kind is week or month.
type Kind = model.LeaderboardKind

// Level is a region's level.
type Level = model.RegionLevel

// Region is one node of the tree.
type Region = model.Region

// board is one leaderboard: a period in a region.
type board struct {
	kind     Kind
	start    clock.Day
	regionID string
}
