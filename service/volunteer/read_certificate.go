package volunteer

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// CertificateItem is a certificate with the region and the masked name of the
// volunteer.
type CertificateItem struct {
	Certificate
	RegionName string
	MaskedName string `gorm:"-"`
}

// CertificateFilter narrows a list; zero fields do not.
type CertificateFilter struct {
	State  model.CertificateState
	Number string // exactly
}

// CertificateOrder is how certificates can be sorted.
var CertificateOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "c.id", func(c CertificateItem) string { return c.ID }),
	paging.Number("total_minutes", "c.total_minutes", func(c CertificateItem) int64 { return c.TotalMinutes }),
)

// Certificates lists the certificates of the actor's regions, newest first unless
// sorted by CertificateOrder.
func (s *Service) Certificates(ctx context.Context, actor authz.Actor, filter CertificateFilter, page paging.Request) (paging.Page[CertificateItem], error) {
	where, args := scope("g.path", actor.RegionPaths(readers...))
	return s.certificatePage(ctx, s.db.Read(ctx).Where(where, args...), filter, page)
}

// MyCertificates lists the resident's own, newest first.
func (s *Service) MyCertificates(ctx context.Context, actor authz.Actor, filter CertificateFilter, page paging.Request) (paging.Page[CertificateItem], error) {
	if err := actor.Resident(); err != nil {
		return paging.Page[CertificateItem]{}, err
	}
	return s.certificatePage(ctx, s.db.Read(ctx).Where("c.resident_id = ?", actor.ID), filter, page)
}

func (s *Service) certificatePage(ctx context.Context, q *gorm.DB, filter CertificateFilter, page paging.Request) (paging.Page[CertificateItem], error) {
	var none paging.Page[CertificateItem]
	seek, err := CertificateOrder.Seek(page)
	if err != nil {
		return none, err
	}
	q = q.Table("certificate c").Joins("JOIN region g ON g.id = c.region_id")
	if filter.State != "" {
		q = q.Where("c.state = ?", filter.State)
	}
	if filter.Number != "" {
		q = q.Where("c.number = ?", filter.Number)
	}
	var rows []CertificateItem
	if err := q.Select("c.*, g.name AS region_name").Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: certificates: %w", err)
	}
	if err := s.addMaskedNames(ctx, rows); err != nil {
		return none, err
	}
	return seek.Page(rows), nil
}

func (s *Service) addMaskedNames(ctx context.Context, rows []CertificateItem) error {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ResidentID
	}
	views, err := s.people.Residents(ctx, ids)
	if err != nil {
		return err
	}
	for i, r := range rows {
		rows[i].MaskedName = views[r.ResidentID].MaskedName
	}
	return nil
}

// CertificateDetail is a certificate with the records that it covers, or would
// cover if it were issued now, and its course.
type CertificateDetail struct {
	CertificateItem
	Records []model.ServiceRecord
	History []model.CertificateHistory
}

// StaffCertificate returns one certificate of the actor's regions, or
// ErrCertificateMissing.
func (s *Service) StaffCertificate(ctx context.Context, actor authz.Actor, id string) (CertificateDetail, error) {
	return s.certificateDetail(ctx, id, func(_ Certificate, path string) bool { return actor.InRegion(path, readers...) == nil })
}

// MyCertificate returns one of the resident's own, or ErrCertificateMissing.
func (s *Service) MyCertificate(ctx context.Context, actor authz.Actor, id string) (CertificateDetail, error) {
	return s.certificateDetail(ctx, id, func(c Certificate, _ string) bool { return actor.Resident() == nil && c.ResidentID == actor.ID })
}

func (s *Service) certificateDetail(ctx context.Context, id string, mayRead func(c Certificate, path string) bool) (CertificateDetail, error) {
	var out CertificateDetail
	db := s.db.Read(ctx)
	c, path, err := certificateRow(db, "c.id = ?", id)
	if err != nil {
		return out, err
	}
	if !mayRead(c, path) {
		return out, ErrCertificateMissing
	}
	rows := []CertificateItem{{Certificate: c}}
	if err := s.addMaskedNames(ctx, rows); err != nil {
		return out, err
	}
	out.CertificateItem = rows[0]
	if err := db.Raw("SELECT name FROM region WHERE id = ?", c.RegionID).Scan(&out.RegionName).Error; err != nil {
		return out, fmt.Errorf("volunteer: certificate: %w", err)
	}
	if out.Records, err = s.recordsOf(db, c); err != nil {
		return out, err
	}
	if err := db.Where("certificate_id = ?", id).Order("id").Find(&out.History).Error; err != nil {
		return out, fmt.Errorf("volunteer: certificate history: %w", err)
	}
	return out, nil
}

// recordsOf are the records that an issued certificate covers, or that a
// request would cover now; none of one that came to nothing.
func (s *Service) recordsOf(db *gorm.DB, c Certificate) ([]model.ServiceRecord, error) {
	switch c.State {
	case model.CertificateRequested:
		var rows []model.ServiceRecord
		err := db.Where("resident_id = ? AND day >= ? AND day <= ? AND state = ?", c.ResidentID, c.FromDay, c.ToDay, model.RecordEffective).
			Order("started_at, id").Limit(model.MaxCertificateRecords).Find(&rows).Error
		return rows, err
	case model.CertificateIssued, model.CertificateRevoked:
		return coveredRecords(db, c.ID)
	default:
		return nil, nil
	}
}
