package volunteer

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/model"
	"jiamenkou/service/region"
)

// unfinished are the states of an activity that goes on.
var unfinished = []model.ActivityStatus{model.ActivityDraft, model.ActivityPublished}

// StandingTx counts the unfinished activities, the records that wait for an
// approval and the certificates that are asked for, of the regions between two
// paths. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	var out []model.RegionStanding
	for _, open := range []struct {
		holding      model.RegionHolding
		table, where string
		value        any
	}{
		{model.HoldsActivities, "activity", "x.status IN ?", unfinished},
		{model.HoldsRecords, "service_record", "x.state = ?", model.RecordPending},
		{model.HoldsCertificates, "certificate", "x.state = ?", model.CertificateRequested},
	} {
		n, err := region.CountTx(tx, open.table, from, to, open.where, open.value)
		if err != nil {
			return nil, err
		}
		out = append(out, model.RegionStanding{Holding: open.holding, Count: n})
	}
	return out, nil
}

// RehomeTx gives the same of one region to another, whose organizers go on with
// it. Records that are decided stay where the service was done. It implements
// region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	if err := region.GiveTx(tx, "activity", fromID, toID, s.now(), "status IN ?", unfinished); err != nil {
		return err
	}
	if err := region.GiveTx(tx, "certificate", fromID, toID, s.now(), "state = ?", model.CertificateRequested); err != nil {
		return err
	}
	// A record keeps no time of its last change.
	err := tx.Exec("UPDATE service_record SET region_id = ? WHERE region_id = ? AND state = ?", toID, fromID, model.RecordPending).Error
	if err != nil {
		return fmt.Errorf("volunteer: give records: %w", err)
	}
	return nil
}
