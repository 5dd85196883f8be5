package insight

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Step is how long a period of a series is.
type Step string

// The steps. A week begins on Monday.
const (
	StepDay   Step = "day"
	StepWeek  Step = "week"
	StepMonth Step = "month"
)

// start returns the first day of the period that a day lies in.
func (p Step) start(day clock.Day) clock.Day {
	switch p {
	case StepWeek:
		return day.AddDays(-(int(day.Start().Time().Weekday()) + 6) % 7)
	case StepMonth:
		return day[:8] + "01"
	default:
		return day
	}
}

// Points are the points that moved in a period.
type Points struct {
	StartsOn  clock.Day // the first day of the period, which may lie before the query's
	Issued    int64
	TakenBack int64
	Redeemed  int64
	Returned  int64
	Expired   int64
}

func (p *Points) add(d model.InsightRegionDay) {
	p.Issued += d.IssuedPoints
	p.TakenBack += d.TakenBackPoints
	p.Redeemed += d.RedeemedPoints
	p.Returned += d.ReturnedPoints
	p.Expired += d.ExpiredPoints
}

// PointsReport is the points of a region.
type PointsReport struct {
	Scope
	CountedAt    *clock.Instant // of the newest day; nil before the first count
	Outstanding  int64          // in wallets at StandingAsOf
	Held         int64          // of these, held for orders
	StandingAsOf *clock.Instant
	Total        Points
	Series       []Points // every period of the query, oldest first
}

// Points reports the points of a region per day, week or month.
func (s *Service) Points(ctx context.Context, actor authz.Actor, q Query, step Step) (out PointsReport, err error) {
	if out.Scope, err = s.scope(ctx, actor, q); err != nil {
		return out, err
	}
	db := s.db.Read(ctx)
	var rows []model.InsightRegionDay
	err = db.Raw("SELECT * FROM insight_region_day WHERE region_id = ? AND day >= ? AND day <= ? ORDER BY day",
		out.Region.ID, out.From, out.To).Scan(&rows).Error
	if err != nil {
		return out, fmt.Errorf("insight: points: %w", err)
	}
	out.Total.StartsOn = out.From
	at := map[clock.Day]int{}
	for day := out.From; day <= out.To; day = day.AddDays(1) {
		if first := step.start(day); len(out.Series) == 0 || out.Series[len(out.Series)-1].StartsOn != first {
			out.Series = append(out.Series, Points{StartsOn: first})
		}
		at[day] = len(out.Series) - 1
	}
	for _, r := range rows {
		out.Total.add(r)
		out.Series[at[r.Day]].add(r)
	}
	now, err := s.standing(ctx, []string{out.Region.ID})
	if err != nil {
		return out, err
	}
	if n, ok := now[out.Region.ID]; ok {
		out.Outstanding, out.Held, out.StandingAsOf = n.OutstandingPoints, n.HeldPoints, n.CountedAt.Ptr()
	}
	out.CountedAt, err = s.countedAt(ctx)
	return out, err
}

func (s *Service) standing(ctx context.Context, ids []string) (map[string]model.InsightRegionNow, error) {
	var rows []model.InsightRegionNow
	if err := s.db.Read(ctx).Raw("SELECT * FROM insight_region_now WHERE region_id IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("insight: standing: %w", err)
	}
	out := make(map[string]model.InsightRegionNow, len(rows))
	for _, r := range rows {
		out[r.RegionID] = r
	}
	return out, nil
}

func (s *Service) countedAt(ctx context.Context) (*clock.Instant, error) {
	var at []clock.Instant
	if err := s.db.Read(ctx).Raw("SELECT counted_at FROM insight_day ORDER BY day DESC LIMIT 1").Scan(&at).Error; err != nil {
		return nil, fmt.Errorf("insight: counted at: %w", err)
	}
	if len(at) == 0 {
		return nil, nil //nolint:nilnil // nothing was counted yet
	}
	return &at[0], nil
}
