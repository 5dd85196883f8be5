package recourse

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// StandingTx counts the open objections and the undecided proposals of the
// regions between two paths. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	objections, err := region.CountTx(tx, "objection", from, to, "x.status = ?", model.ObjectionOpen)
	if err != nil {
		return nil, err
	}
	proposals, err := region.CountTx(tx, "adjustment", from, to, "x.status = ?", model.AdjustmentProposed)
	return []model.RegionStanding{{Holding: model.HoldsObjections, Count: objections}, {Holding: model.HoldsAdjustments, Count: proposals}}, err
}

// RehomeTx gives the open objections and the undecided proposals of one region
// to another, whose operators decide them. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	now := clock.Now(s.clock)
	if err := region.GiveTx(tx, "objection", fromID, toID, now, "status = ?", model.ObjectionOpen); err != nil {
		return err
	}
	if err := region.GiveTx(tx, "adjustment", fromID, toID, now, "status = ?", model.AdjustmentProposed); err != nil {
		return err
	}
	err := tx.Exec("UPDATE adjustment SET scope_region_id = ?, updated_at = ? WHERE scope_region_id = ? AND status = ?",
		toID, now, fromID, model.AdjustmentProposed).Error
	if err != nil {
		return fmt.Errorf("recourse: rehome: %w", err)
	}
	return nil
}
