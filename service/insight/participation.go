package insight

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// MaxChildren bounds the regions of one answer: no region of the tree has as
// many below it.
const MaxChildren = 1000

// Participation is who took part in a region and below it.
type Participation struct {
	Region          Region
	Residents       int64
	ActiveResidents int64 // in the last 30 days, whatever the query's period
	IssuedPoints    int64 // in the period, as those that follow
	RedeemedPoints  int64
	ServiceMinutes  int64 // never less than 0

	CorrectedMinutes int64 // by corrections of service records, up or down

	Reports int64
}

// ParticipationReport is a region, then its children in the order of their codes.
type ParticipationReport struct {
	Scope
	CountedAt *clock.Instant
	Self      Participation
	Children  []Participation
}

// Participation compares the children of a region, for a tree map and a table.
func (s *Service) Participation(ctx context.Context, actor authz.Actor, q Query) (out ParticipationReport, err error) {
	if out.Scope, err = s.scope(ctx, actor, q); err != nil {
		return out, err
	}
	children, err := s.children(ctx, out.Region.ID)
	if err != nil {
		return out, err
	}
	ids := []string{out.Region.ID}
	for _, c := range children {
		ids = append(ids, c.ID)
	}
	now, err := s.standing(ctx, ids)
	if err != nil {
		return out, err
	}
	var rows []model.InsightRegionDay
	err = s.db.Read(ctx).Raw(`SELECT region_id, SUM(issued_points - taken_back_points) AS issued_points,
			SUM(redeemed_points - returned_points) AS redeemed_points, SUM(service_minutes) AS service_minutes,
			SUM(corrected_minutes) AS corrected_minutes, SUM(reports) AS reports
		FROM insight_region_day WHERE region_id IN ? AND day >= ? AND day <= ? GROUP BY region_id`, ids, out.From, out.To).Scan(&rows).Error
	if err != nil {
		return out, fmt.Errorf("insight: participation: %w", err)
	}
	sums := make(map[string]model.InsightRegionDay, len(rows))
	for _, r := range rows {
		sums[r.RegionID] = r
	}
	of := func(r Region) Participation {
		d, n := sums[r.ID], now[r.ID]
		return Participation{
			Region: r, Residents: n.Residents, ActiveResidents: n.ActiveResidents, IssuedPoints: d.IssuedPoints,
			RedeemedPoints: d.RedeemedPoints, ServiceMinutes: d.ServiceMinutes, CorrectedMinutes: d.CorrectedMinutes, Reports: d.Reports,
		}
	}
	out.Self = of(out.Region)
	for _, c := range children {
		// A closed region is compared for as long as something happened in it.
		if _, happened := sums[c.ID]; happened || !c.Closed() {
			out.Children = append(out.Children, of(c))
		}
	}
	out.CountedAt, err = s.countedAt(ctx)
	return out, err
}

func (s *Service) children(ctx context.Context, id string) ([]Region, error) {
	var rows []Region
	err := s.db.Read(ctx).Raw("SELECT id, code, parent_id, level, name, path, closed_at FROM region WHERE parent_id = ? ORDER BY code LIMIT ?", id, MaxChildren).
		Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("insight: children: %w", err)
	}
	return rows, nil
}
