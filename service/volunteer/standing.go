package volunteer

import (
	"gorm.io/gorm"

	"jiamenkou/model"
	"jiamenkou/service/region"
)

// unfinished are the states of an activity that goes on.
var unfinished = []model.ActivityStatus{model.ActivityDraft, model.ActivityPublished}

// StandingTx counts the unfinished activities of the regions between two
// paths. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	n, err := region.CountTx(tx, "activity", from, to, "x.status IN ?", unfinished)
	return []model.RegionStanding{{Holding: model.HoldsActivities, Count: n}}, err
}

// RehomeTx gives the unfinished activities of one region to another. Records
// stay where the service was done. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	return region.GiveTx(tx, "activity", fromID, toID, s.now(), "status IN ?", unfinished)
}
