package casework

import (
	"context"
	"fmt"
	"slices"

	"jiamenkou/internal/authz"
	"jiamenkou/model"
)

// Numbered is a case that a search found.
type Numbered struct{ ID, Number, Title, RegionName string }

// afterDigits follows every number that begins as another does.
const afterDigits = "~"

// CasesNumbered finds the cases of the actor's regions by the beginning of the
// number, newest first; the county's key on the number answers it. Nobody else
// than the readers of cases finds any.
func (s *Service) CasesNumbered(ctx context.Context, actor authz.Actor, prefix string, limit int) ([]Numbered, error) {
	var counties []string
	for _, path := range actor.RegionPaths(readers...) {
		if ids := model.RegionPathIDs(path); len(ids) > 0 && !slices.Contains(counties, ids[0]) {
			counties = append(counties, ids[0])
		}
	}
	if len(counties) == 0 {
		return nil, nil
	}
	where, args, err := s.scope(ctx, actor, "")
	if err != nil {
		return nil, err
	}
	var rows []Numbered
	err = s.db.Read(ctx).Table("case_file c").Select("c.id, c.number, c.title, r.name AS region_name").Joins("JOIN region r ON r.id = c.region_id").
		Where("c.county_id IN ? AND c.number >= ? AND c.number < ?", counties, prefix, prefix+afterDigits).Where(where, args...).
		Order("c.number DESC").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("casework: cases by number: %w", err)
	}
	return rows, nil
}

// CountReports counts the cases that a resident reported. The caller has
// checked that the actor may see this resident.
func (s *Service) CountReports(ctx context.Context, residentID string) (n int64, err error) {
	err = s.db.Read(ctx).Raw("SELECT COUNT(*) FROM case_file WHERE reporter_id = ?", residentID).Scan(&n).Error
	if err != nil {
		return 0, fmt.Errorf("casework: count reports: %w", err)
	}
	return n, nil
}
