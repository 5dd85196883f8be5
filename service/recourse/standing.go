package recourse

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// StandingTx counts the open objections and the undecided proposals of the
// regions between two paths. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	objections, proposals := model.RegionStanding{Holding: model.HoldsObjections}, model.RegionStanding{Holding: model.HoldsAdjustments}
	for _, c := range []struct {
		table string
		state any
		into  *int64
	}{{"objection", model.ObjectionOpen, &objections.Count}, {"adjustment", model.AdjustmentProposed, &proposals.Count}} {
		err := tx.Raw("SELECT COUNT(*) FROM region r JOIN "+c.table+" x ON x.region_id = r.id WHERE r.path >= ? AND r.path < ? AND x.status = ?",
			from, to, c.state).Scan(c.into).Error
		if err != nil {
			return nil, fmt.Errorf("recourse: %s of regions: %w", c.table, err)
		}
	}
	return []model.RegionStanding{objections, proposals}, nil
}

// RehomeTx gives the open objections and the undecided proposals of one region
// to another, whose operators decide them. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	now := clock.Now(s.clock)
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"UPDATE objection SET region_id = ?, updated_at = ? WHERE region_id = ? AND status = ?", []any{toID, now, fromID, model.ObjectionOpen}},
		{"UPDATE adjustment SET region_id = ?, updated_at = ? WHERE region_id = ? AND status = ?", []any{toID, now, fromID, model.AdjustmentProposed}},
		{"UPDATE adjustment SET scope_region_id = ?, updated_at = ? WHERE scope_region_id = ? AND status = ?", []any{toID, now, fromID, model.AdjustmentProposed}},
	} {
		if err := tx.Exec(step.query, step.args...).Error; err != nil {
			return fmt.Errorf("recourse: rehome: %w", err)
		}
	}
	return nil
}
