// Package insight is the dashboard of operators and auditors: how many points
// were issued, redeemed and expired, how long budgets last, who takes part and
// whether cases are handled in time.
//
// Figures that come from history are counted once a day and region by cron
// (CountDays) and kept: a page reads one row per day, whatever the county has
// behind it. They are sums per region, never of one resident or one member of
// staff.
package insight

import (
	"context"
	"errors"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

// Limits and definitions.
const (
	MaxPeriodDays = 366
	ForecastDays  = 28 // a forecast is the mean of so many days before today
	ActiveDays    = 30 // who did something within these is active

	defaultPeriodDays = 30
)

// Config of the service.
type Config struct {
	CaseDueIn time.Duration // casework.due_in: a case should be handled within this
}

// Service counts and shows. Safe for concurrent use.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	regions *region.Service
	ledger  *ledger.Service
	policy  *policy.Service
	cfg     Config
}

// New makes the service.
func New(db *database.DB, c clock.Clock, regions *region.Service, l *ledger.Service, p *policy.Service, cfg Config) *Service {
	if cfg.CaseDueIn <= 0 {
		cfg.CaseDueIn = 5 * 24 * time.Hour
	}
	return &Service{db: db, clock: c, regions: regions, ledger: l, policy: p, cfg: cfg}
}

// Region is one node of the tree.
type Region = model.Region

// Query asks about a region and what lies below it, over the days From to To,
// both included.
type Query struct {
	RegionID string // "": the highest region that the actor oversees
	From, To string // "": the last 30 days
}

// Scope is what a Query came to.
type Scope struct {
	Region   Region
	From, To clock.Day
}

var readers = []authz.Role{authz.RoleOperator, authz.RoleAuditor}

// scope checks the right and the period. Errors: ErrRegion, ErrPeriod.
func (s *Service) scope(ctx context.Context, actor authz.Actor, q Query) (out Scope, err error) {
	if out.Region, err = s.scopeRegion(ctx, actor, q.RegionID); err != nil {
		return out, err
	}
	out.From, out.To, err = s.period(q.From, q.To)
	return out, err
}

func (s *Service) scopeRegion(ctx context.Context, actor authz.Actor, id string) (Region, error) {
	if id == "" {
		highest := ""
		for _, path := range actor.RegionPaths(readers...) {
			if highest == "" || len(path) < len(highest) {
				highest = path
			}
		}
		ids := model.RegionPathIDs(highest)
		if len(ids) == 0 {
			return Region{}, authz.ErrForbidden
		}
		id = ids[len(ids)-1]
	}
	r, err := s.regions.Get(ctx, id)
	if errors.Is(err, region.ErrNotFound) || err == nil && actor.InRegion(r.Path, readers...) != nil {
		return Region{}, ErrRegion
	}
	return r, err
}

func (s *Service) period(from, to string) (clock.Day, clock.Day, error) {
	today := clock.Today(s.clock)
	last := today
	var err error
	if to != "" {
		if last, err = clock.ParseDay(to); err != nil || last > today {
			return "", "", ErrPeriod
		}
	}
	first := last.AddDays(1 - defaultPeriodDays)
	if from != "" {
		if first, err = clock.ParseDay(from); err != nil {
			return "", "", ErrPeriod
		}
	}
	if first > last || first.AddDays(MaxPeriodDays-1) < last {
		return "", "", ErrPeriod
	}
	return first, last, nil
}

// idRange bounds the ids of the rows that were created from one instant up to
// another.
func idRange(from, to clock.Instant) (string, string) {
	return clock.IDAt(from.Add(-clock.IDSlack)), clock.IDAt(to.Add(clock.IDSlack))
}
