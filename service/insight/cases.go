package insight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// CaseCounts says what became of the cases that were reported in a period.
// Each case is in exactly one of OnTime, Late, Open, Overdue and Dropped.
type CaseCounts struct {
	Reported int64
	OnTime   int64 // handled by the due time of the report, or of its last reopening
	Late     int64 // handled after it
	Open     int64 // being handled, not due yet
	Overdue  int64 // being handled, due
	Dropped  int64 // rejected, or withdrawn by the reporter
	Rated    int64 // residents who rated the outcome
	Ratings  int64 // the sum of their ratings, 1 to 5 each
}

func (c *CaseCounts) add(d CaseCounts) {
	c.Reported += d.Reported
	c.OnTime += d.OnTime
	c.Late += d.Late
	c.Open += d.Open
	c.Overdue += d.Overdue
	c.Dropped += d.Dropped
	c.Rated += d.Rated
	c.Ratings += d.Ratings
}

// CasesOf is the cases of a region and below it.
type CasesOf struct {
	Region Region
	CaseCounts
}

// CasesReport is a region, then its children in the order of their codes.
type CasesReport struct {
	Scope
	Self     CasesOf
	Children []CasesOf
}

// casesQuery reads the primary key of the period's cases only: the cost grows
// with the period that is asked for, not with the county's history.
const casesQuery = `SELECT r.path, COUNT(*) AS reported,
		SUM(CASE WHEN c.status IN ('handled', 'confirmed', 'closed') AND c.handled_at <= c.began_at + ? THEN 1 ELSE 0 END) AS on_time,
		SUM(CASE WHEN c.status IN ('handled', 'confirmed', 'closed') AND c.handled_at > c.began_at + ? THEN 1 ELSE 0 END) AS late,
		SUM(CASE WHEN c.status IN ('submitted', 'accepted', 'dispatched', 'handling', 'reopened') AND NOT COALESCE(c.due_at < ?, 0) THEN 1 ELSE 0 END) AS open,
		SUM(CASE WHEN c.status IN ('submitted', 'accepted', 'dispatched', 'handling', 'reopened') AND c.due_at < ? THEN 1 ELSE 0 END) AS overdue,
		SUM(CASE WHEN c.status IN ('rejected', 'withdrawn') THEN 1 ELSE 0 END) AS dropped,
		COUNT(c.rating) AS rated, COALESCE(SUM(c.rating), 0) AS ratings
	FROM (SELECT f.region_id, f.status, f.handled_at, f.due_at, f.rating, CASE WHEN f.reopens = 0 THEN f.created_at ELSE
			(SELECT MAX(h.created_at) FROM case_history h WHERE h.case_id = f.id AND h.move = 'reopen') END AS began_at
		FROM case_file f JOIN region g ON g.id = f.region_id
		WHERE f.id >= ? AND f.id < ? AND f.created_at >= ? AND f.created_at < ? AND g.path >= ? AND g.path < ?
	) c JOIN region r ON r.id = c.region_id GROUP BY r.path`

// Cases reports the cases of a region that residents reported in the period,
// by child region: how many were handled on time, and what residents said.
func (s *Service) Cases(ctx context.Context, actor authz.Actor, q Query) (out CasesReport, err error) {
	if out.Scope, err = s.scope(ctx, actor, q); err != nil {
		return out, err
	}
	children, err := s.children(ctx, out.Region.ID)
	if err != nil {
		return out, err
	}
	due, now := s.cfg.CaseDueIn.Microseconds(), clock.Now(s.clock)
	from, to := model.RegionPathRange(out.Region.Path)
	args := append([]any{due, due, now, now}, dayArgs(out.From.Start(), out.To.End())...)
	var rows []struct {
		Path string
		CaseCounts
	}
	if err := s.db.Read(ctx).Raw(casesQuery, append(args, from, to)...).Scan(&rows).Error; err != nil {
		return out, fmt.Errorf("insight: cases: %w", err)
	}
	out.Self.Region = out.Region
	index := map[string]int{}
	for i, c := range children {
		out.Children = append(out.Children, CasesOf{Region: c})
		index[c.ID] = i
	}
	for _, r := range rows {
		out.Self.add(r.CaseCounts)
		child, _, _ := strings.Cut(strings.TrimPrefix(r.Path, out.Region.Path), "/")
		if i, ok := index[child]; ok { // what was reported in the region itself is in none
			out.Children[i].add(r.CaseCounts)
		}
	}
	out.Children = slices.DeleteFunc(out.Children, func(c CasesOf) bool { return c.Region.Closed() && c.Reported == 0 })
	return out, nil
}
