package casework

import (
	"gorm.io/gorm"

	"jiamenkou/model"
	"jiamenkou/service/region"
)

// settled are the states in which nobody has anything left to do.
var settled = []Status{model.CaseClosed, model.CaseRejected, model.CaseWithdrawn}

// StandingTx counts the open cases of the regions between two paths. It
// implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	n, err := region.CountTx(tx, "case_file", from, to, "x.status NOT IN ?", settled)
	return []model.RegionStanding{{Holding: model.HoldsCases, Count: n}}, err
}

// RehomeTx gives the open cases of one region to another: they are no move of
// the case, whose history stays. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	return region.GiveTx(tx, "case_file", fromID, toID, s.now(), "status NOT IN ?", settled)
}
