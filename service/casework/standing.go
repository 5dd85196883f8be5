package casework

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/model"
)

// settled are the states in which nobody has anything left to do.
var settled = []Status{model.CaseClosed, model.CaseRejected, model.CaseWithdrawn}

// StandingTx counts the open cases of the regions between two paths. It
// implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	out := model.RegionStanding{Holding: model.HoldsCases}
	err := tx.Raw(`SELECT COUNT(*) FROM region r JOIN case_file c ON c.region_id = r.id
		WHERE r.path >= ? AND r.path < ? AND c.status NOT IN ?`, from, to, settled).Scan(&out.Count).Error
	if err != nil {
		return nil, fmt.Errorf("casework: open cases of regions: %w", err)
	}
	return []model.RegionStanding{out}, nil
}

// RehomeTx gives the open cases of one region to another: they are no move of
// the case, whose history stays. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	err := tx.Exec("UPDATE case_file SET region_id = ?, updated_at = ? WHERE region_id = ? AND status NOT IN ?", toID, s.now(), fromID, settled).Error
	if err != nil {
		return fmt.Errorf("casework: rehome: %w", err)
	}
	return nil
}
