package market

import (
	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// retired are the states in which a benefit is offered no more.
var retired = []BenefitStatus{model.BenefitRejected, model.BenefitEnded}

// StandingTx counts the merchants of the regions between two paths, and the
// benefits offered there that are not over. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	merchants, err := region.CountTx(tx, "merchant", from, to, "1 = 1")
	if err != nil {
		return nil, err
	}
	benefits, err := region.CountTx(tx, "benefit", from, to, "x.status NOT IN ?", retired)
	return []model.RegionStanding{{Holding: model.HoldsMerchants, Count: merchants}, {Holding: model.HoldsBenefits, Count: benefits}}, err
}

// RehomeTx gives the merchants of one region to another, and offers there what
// was offered here and is not over. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	now := s.now()
	err := region.GiveTx(tx, "merchant", fromID, toID, now, "1 = 1")
	if database.IsDuplicate(err) {
		return ErrMerchantName.WithMessage("两边有同名的商户，请先给其中一家改名")
	}
	if err != nil {
		return err
	}
	return region.GiveTx(tx, "benefit", fromID, toID, now, "status NOT IN ?", retired)
}
