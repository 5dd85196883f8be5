package volunteer

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// CorrectionItem is a correction beside the record that it is about.
type CorrectionItem struct {
	Correction
	Record model.ServiceRecord `gorm:"-"`
}

// CorrectionFilter narrows a list; zero fields do not.
type CorrectionFilter struct {
	State    model.CorrectionState
	RecordID string
}

// CorrectionOrder is how corrections can be sorted.
var CorrectionOrder = paging.NewOrder("-created_at", paging.Text("created_at", "c.id", func(c CorrectionItem) string { return c.ID }))

// Corrections lists the corrections of the actor's regions, newest first unless
// sorted by CorrectionOrder.
func (s *Service) Corrections(ctx context.Context, actor authz.Actor, filter CorrectionFilter, page paging.Request) (paging.Page[CorrectionItem], error) {
	where, args := scope("g.path", actor.RegionPaths(readers...))
	q := s.db.Read(ctx).Table("service_correction c").Joins("JOIN region g ON g.id = c.region_id").Where(where, args...)
	return s.correctionPage(ctx, q, filter, page)
}

// MyCorrections lists the corrections of the resident's own records, newest first.
func (s *Service) MyCorrections(ctx context.Context, actor authz.Actor, filter CorrectionFilter, page paging.Request) (paging.Page[CorrectionItem], error) {
	if err := actor.Resident(); err != nil {
		return paging.Page[CorrectionItem]{}, err
	}
	return s.correctionPage(ctx, s.db.Read(ctx).Table("service_correction c").Where("c.resident_id = ?", actor.ID), filter, page)
}

func (s *Service) correctionPage(ctx context.Context, q *gorm.DB, filter CorrectionFilter, page paging.Request) (paging.Page[CorrectionItem], error) {
	var none paging.Page[CorrectionItem]
	seek, err := CorrectionOrder.Seek(page)
	if err != nil {
		return none, err
	}
	if filter.State != "" {
		q = q.Where("c.state = ?", filter.State)
	}
	if filter.RecordID != "" {
		q = q.Where("c.record_id = ?", filter.RecordID)
	}
	var rows []CorrectionItem
	if err := q.Select("c.*").Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: corrections: %w", err)
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.RecordID
	}
	records, err := recordsByID(s.db.Read(ctx), ids)
	if err != nil {
		return none, err
	}
	for i := range rows {
		rows[i].Record = records[rows[i].RecordID]
	}
	return seek.Page(rows), nil
}

func recordsByID(db *gorm.DB, ids []string) (map[string]model.ServiceRecord, error) {
	out := make(map[string]model.ServiceRecord, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []model.ServiceRecord
	if err := db.Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("volunteer: records: %w", err)
	}
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

// CorrectionDetail is a correction with its course.
type CorrectionDetail struct {
	CorrectionItem
	RegionName string
	Approval   model.Approval // who has to approve the open proposal; "" if there is none
	History    []model.ServiceCorrectionHistory
}

// Correction returns one correction of the actor's regions, or
// ErrCorrectionMissing.
func (s *Service) Correction(ctx context.Context, actor authz.Actor, id string) (CorrectionDetail, error) {
	var out CorrectionDetail
	db := s.db.Read(ctx)
	err := db.Raw("SELECT * FROM service_correction WHERE id = ?", id).Take(&out.Correction).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return out, ErrCorrectionMissing
	}
	if err != nil {
		return out, fmt.Errorf("volunteer: correction: %w", err)
	}
	record, err := s.recordFor(ctx, actor, out.RecordID)
	if errors.Is(err, ErrRecordMissing) {
		return CorrectionDetail{}, ErrCorrectionMissing
	}
	if err != nil {
		return out, err
	}
	out.Record = record.ServiceRecord
	if out.State == model.CorrectionProposed {
		out.Approval = s.approvalNow(db, record, out.Correction)
	}
	if err := db.Raw("SELECT name FROM region WHERE id = ?", out.RegionID).Scan(&out.RegionName).Error; err != nil {
		return out, fmt.Errorf("volunteer: correction: %w", err)
	}
	err = db.Where("correction_id = ?", id).Order("id").Find(&out.History).Error
	if err != nil {
		return out, fmt.Errorf("volunteer: correction history: %w", err)
	}
	return out, nil
}

// approvalNow is what the decision will ask for; "" if the day has no room.
func (s *Service) approvalNow(db *gorm.DB, record recordRow, c Correction) model.Approval {
	approval, err := roomTx(db, record, c)
	if err != nil {
		return ""
	}
	return approval
}

// MyRecord is one of the resident's own records with its corrections, newest
// first.
type MyRecord struct {
	model.ServiceRecord
	Corrections []Correction
	CanAsk      bool // a correction can be asked for now
}

// MyRecord returns one of the resident's own records, or ErrRecordMissing.
func (s *Service) MyRecord(ctx context.Context, actor authz.Actor, id string) (MyRecord, error) {
	var out MyRecord
	if err := actor.Resident(); err != nil {
		return out, err
	}
	db := s.db.Read(ctx)
	records, err := recordsByID(db, []string{id})
	if err != nil {
		return out, err
	}
	record, ok := records[id]
	if !ok || record.ResidentID != actor.ID {
		return out, ErrRecordMissing
	}
	out.ServiceRecord = record
	if err := db.Where("record_id = ?", id).Order("id DESC").Find(&out.Corrections).Error; err != nil {
		return out, fmt.Errorf("volunteer: corrections: %w", err)
	}
	out.CanAsk = record.State == model.RecordEffective && record.StartedAt >= s.now().Add(-manualWithin) && len(out.Corrections) < model.MaxAsked
	for _, c := range out.Corrections {
		out.CanAsk = out.CanAsk && c.OpenSlot == nil
	}
	return out, nil
}
