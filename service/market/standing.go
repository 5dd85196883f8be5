package market

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// retired are the states in which a benefit is offered no more.
var retired = []BenefitStatus{model.BenefitRejected, model.BenefitEnded}

// StandingTx counts the merchants of the regions between two paths, and the
// benefits offered there that are not over. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	merchants, benefits := model.RegionStanding{Holding: model.HoldsMerchants}, model.RegionStanding{Holding: model.HoldsBenefits}
	err := tx.Raw("SELECT COUNT(*) FROM region r JOIN merchant m ON m.region_id = r.id WHERE r.path >= ? AND r.path < ?", from, to).
		Scan(&merchants.Count).Error
	if err != nil {
		return nil, fmt.Errorf("market: merchants of regions: %w", err)
	}
	err = tx.Raw(`SELECT COUNT(*) FROM region r JOIN benefit b ON b.region_id = r.id
		WHERE r.path >= ? AND r.path < ? AND b.status NOT IN ?`, from, to, retired).Scan(&benefits.Count).Error
	if err != nil {
		return nil, fmt.Errorf("market: benefits of regions: %w", err)
	}
	return []model.RegionStanding{merchants, benefits}, nil
}

// RehomeTx gives the merchants of one region to another, and offers there what
// was offered here and is not over. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	now := s.now()
	err := tx.Exec("UPDATE merchant SET region_id = ?, updated_at = ? WHERE region_id = ?", toID, now, fromID).Error
	if database.IsDuplicate(err) {
		return ErrMerchantName.WithMessage("两边有同名的商户，请先给其中一家改名")
	}
	if err != nil {
		return fmt.Errorf("market: rehome merchants: %w", err)
	}
	err = tx.Exec("UPDATE benefit SET region_id = ?, updated_at = ? WHERE region_id = ? AND status NOT IN ?", toID, now, fromID, retired).Error
	if err != nil {
		return fmt.Errorf("market: rehome benefits: %w", err)
	}
	return nil
}
