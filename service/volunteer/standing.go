package volunteer

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/model"
)

// unfinished are the states of an activity that goes on.
var unfinished = []model.ActivityStatus{model.ActivityDraft, model.ActivityPublished}

// StandingTx counts the unfinished activities of the regions between two
// paths. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	out := model.RegionStanding{Holding: model.HoldsActivities}
	err := tx.Raw(`SELECT COUNT(*) FROM region r JOIN activity a ON a.region_id = r.id
		WHERE r.path >= ? AND r.path < ? AND a.status IN ?`, from, to, unfinished).Scan(&out.Count).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: activities of regions: %w", err)
	}
	return []model.RegionStanding{out}, nil
}

// RehomeTx gives the unfinished activities of one region to another. Records
// stay where the service was done. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	err := tx.Exec("UPDATE activity SET region_id = ?, updated_at = ? WHERE region_id = ? AND status IN ?", toID, s.now(), fromID, unfinished).Error
	if err != nil {
		return fmt.Errorf("volunteer: rehome: %w", err)
	}
	return nil
}
