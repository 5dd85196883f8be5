package leaderboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// TotalsQuery asks for the totals of a period.
type TotalsQuery struct {
	Kind     Kind
	Day      string // any day of the period; "": the current period
	Level    Level  // only this level; "": county, town and village
	RegionID string // only this subtree; "": everything that the actor oversees
}

// RegionTotal is what staff see of a board: no names, no single scores.
type RegionTotal struct {
	RegionID     string
	Name         string
	Level        Level
	Path         string
	Participants int64 // residents who earned points
	Listed       int64 // of these, who agreed to be listed
	Points       int64
}

// Totals is a page of totals.
type Totals struct {
	Period Period
	AsOf   *clock.Instant
	paging.Page[RegionTotal]
}

// Totals lists the regions that the actor oversees as operator or auditor,
// each before what lies below it, with how many residents earned how many
// points; regions in which nobody did are listed with zeros.
//
// Errors: ErrOff, ErrPeriod, ErrLevel, ErrRegion (also for regions of others).
func (s *Service) Totals(ctx context.Context, actor authz.Actor, q TotalsQuery, page paging.Request) (out Totals, err error) {
	if !s.cfg.Enabled {
		return out, ErrOff
	}
	if out.Period, err = s.period(q.Kind, q.Day); err != nil {
		return out, err
	}
	scope, err := s.totalsScope(ctx, actor, q.RegionID)
	if err != nil {
		return out, err
	}
	levels := model.LeaderboardLevels()
	if q.Level != "" {
		if !slices.Contains(levels, q.Level) {
			return out, ErrLevel
		}
		levels = []Level{q.Level}
	}
	key, err := page.Key(1)
	if err != nil {
		return out, err
	}
	after := ""
	if key != nil {
		after = key[0]
	}
	where, args := within(scope)
	args = append([]any{out.Period.Kind, out.Period.Start, levels, after}, append(args, page.Size()+1)...)
	var rows []RegionTotal
	err = s.db.Read(ctx).Raw(`SELECT r.id AS region_id, r.name, r.level, r.path, COALESCE(t.participants, 0) AS participants,
			COALESCE(t.listed, 0) AS listed, COALESCE(t.points, 0) AS points
		FROM region r LEFT JOIN leaderboard_total t ON t.period_kind = ? AND t.period_start = ? AND t.region_id = r.id
		WHERE r.level IN ? AND r.path > ? AND (r.closed_at IS NULL OR t.points > 0) AND `+where+` ORDER BY r.path LIMIT ?`, args...).Scan(&rows).Error
	if err != nil {
		return out, fmt.Errorf("leaderboard: read totals: %w", err)
	}
	out.Page = paging.Of(rows, page, func(t RegionTotal) []string { return []string{t.Path} })
	out.AsOf, err = s.asOf(ctx)
	return out, err
}

// totalsScope returns the subtrees to list.
func (s *Service) totalsScope(ctx context.Context, actor authz.Actor, regionID string) ([]string, error) {
	roles := []authz.Role{authz.RoleOperator, authz.RoleAuditor}
	paths := actor.RegionPaths(roles...)
	if len(paths) == 0 {
		return nil, authz.ErrForbidden
	}
	if regionID == "" {
		return paths, nil
	}
	r, err := s.regions.Get(ctx, regionID)
	if errors.Is(err, region.ErrNotFound) || err == nil && actor.InRegion(r.Path, roles...) != nil {
		return nil, ErrRegion
	}
	return []string{r.Path}, err
}

// within is the WHERE clause for regions of the subtrees.
func within(paths []string) (where string, args []any) {
	parts := make([]string, len(paths))
	for i, path := range paths {
		from, to := model.RegionPathRange(path)
		parts[i] = "r.path >= ? AND r.path < ?"
		args = append(args, from, to)
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}
