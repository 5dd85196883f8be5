package volunteer

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Titled is an activity that a search found.
type Titled struct{ ID, Title, RegionName string }

// afterAll follows every text that begins as another does.
const afterAll = "\U0010FFFF"

// ActivitiesTitled finds the activities of the actor's regions by the
// beginning of the title, in its order; an index on the title answers it.
func (s *Service) ActivitiesTitled(ctx context.Context, actor authz.Actor, prefix string, limit int) ([]Titled, error) {
	where, args := scope("r.path", actor.RegionPaths(readers...))
	var rows []Titled
	err := s.db.Read(ctx).Table("activity a").Select("a.id, a.title, r.name AS region_name").Joins("JOIN region r ON r.id = a.region_id").
		Where("a.title >= ? AND a.title < ?", prefix, prefix+afterAll).Where(where, args...).
		Order("a.title, a.id").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: activities by title: %w", err)
	}
	return rows, nil
}

// TotalOf returns a resident's minutes. The caller has checked that the actor
// may see this resident.
func (s *Service) TotalOf(ctx context.Context, residentID string) (ServiceTotal, error) {
	var out ServiceTotal
	err := s.db.Read(ctx).Raw(`SELECT
		COALESCE(SUM(CASE WHEN state = ? THEN minutes ELSE 0 END), 0) AS effective_minutes,
		COALESCE(SUM(CASE WHEN state = ? THEN minutes ELSE 0 END), 0) AS pending_minutes,
		COALESCE(SUM(CASE WHEN state = ? THEN 1 ELSE 0 END), 0) AS records
		FROM service_record WHERE resident_id = ?`, model.RecordEffective, model.RecordPending, model.RecordEffective, residentID).Scan(&out).Error
	if err != nil {
		return out, fmt.Errorf("volunteer: total: %w", err)
	}
	return out, nil
}

// Known is an activity or a shift by its id, for those who show who did what to
// it.
type Known struct {
	ID         string
	Title      string        // of the activity
	ActivityID string        // of a shift
	StartsAt   clock.Instant // of a shift
}

// ActivitiesKnown names the activities of the actor's regions among the ids.
func (s *Service) ActivitiesKnown(ctx context.Context, actor authz.Actor, ids []string) (rows []Known, err error) {
	where, args := scope("r.path", actor.RegionPaths(readers...))
	err = s.db.Read(ctx).Table("activity a").Select("a.id, a.title").Joins("JOIN region r ON r.id = a.region_id").
		Where("a.id IN ?", ids).Where(where, args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: activities by id: %w", err)
	}
	return rows, nil
}

// ShiftsKnown names the shifts of the actor's regions among the ids.
func (s *Service) ShiftsKnown(ctx context.Context, actor authz.Actor, ids []string) (rows []Known, err error) {
	where, args := scope("r.path", actor.RegionPaths(readers...))
	err = s.db.Read(ctx).Table("activity_shift t").Select("t.id, a.title, a.id AS activity_id, t.starts_at").
		Joins("JOIN activity a ON a.id = t.activity_id").Joins("JOIN region r ON r.id = a.region_id").
		Where("t.id IN ?", ids).Where(where, args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: shifts by id: %w", err)
	}
	return rows, nil
}
