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
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"UPDATE activity SET region_id = ?, updated_at = ? WHERE region_id = ? AND status IN ?", []any{toID, s.now(), fromID, unfinished}},
		{"UPDATE service_record SET region_id = ? WHERE region_id = ? AND state = ?", []any{toID, fromID, model.RecordPending}},
		{"UPDATE certificate SET region_id = ?, updated_at = ? WHERE region_id = ? AND state = ?", []any{toID, s.now(), fromID, model.CertificateRequested}},
	} {
		if err := tx.Exec(step.query, step.args...).Error; err != nil {
			return fmt.Errorf("volunteer: rehome: %w", err)
		}
	}
	return nil
}
