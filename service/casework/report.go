package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// ReportInput is what a resident reports.
type ReportInput struct {
	Category       Category
	Text           string   // 5 to 1000 characters
	AttachmentIDs  []string // own uploads that nothing uses yet
	RegionID       string   // a village or below; "": by the position, or else the home region
	Lon, Lat       *float64 // degrees; both or none
	Address        string   // at most 100 characters
	IdempotencyKey string
}

// Reported is the answer to a report; a replay returns the same.
type Reported struct {
	ID        string
	Number    string
	RegionID  string
	CreatedAt clock.Instant
}

func reportedOf(c model.CaseFile) Reported {
	return Reported{ID: c.ID, Number: c.Number, RegionID: c.RegionID, CreatedAt: c.CreatedAt}
}

func (in *ReportInput) validate(maxPictures int) error {
	var f fault.Fields
	f.Add(slices.Contains(model.CaseCategories(), in.Category), "category", "请选择事件类别")
	model.ValidateCaseText(&f, "text", in.Text, model.CaseMinText, model.CaseMaxText, "请用 5 到 1000 个字说明情况")
	model.ValidateCaseText(&f, "address", in.Address, 0, model.CaseMaxAddress, "最多 100 个字")
	f.Add((in.Lon == nil) == (in.Lat == nil), "lat", "经度和纬度要一起填写")
	f.Add(in.Lon == nil || within(*in.Lon, 180), "lon", "经度无效，请重新定位")
	f.Add(in.Lat == nil || within(*in.Lat, 90), "lat", "纬度无效，请重新定位")
	f.Add(in.IdempotencyKey != "" && len(in.IdempotencyKey) <= 64, "idempotency_key", "请刷新页面后重新提交")
	checkPictures(&f, in.AttachmentIDs, maxPictures)
	return f.Err(codeInvalid)
}

func within(degrees, bound float64) bool { return math.Abs(degrees) <= bound } // false for NaN

func (in *ReportInput) hash() string {
	return hashOf(in.Category, in.Text, in.AttachmentIDs, in.RegionID, in.Lon, in.Lat, in.Address)
}

// Report opens a case in the village where the problem is.
//
// The text is checked before the transaction: what WeChat calls risky is
// refused, what it would have reviewed waits for a person, and if it cannot
// be asked now it is asked later. Either way the report is kept.
//
// Errors: casework.invalid, ErrTextRefused, ErrNoVillage, ErrRegion,
// ErrDailyReports, ErrPictureUse, ErrKeyReused.
func (s *Service) Report(ctx context.Context, actor authz.Actor, in ReportInput) (Reported, error) {
	if err := actor.Resident(); err != nil {
		return Reported{}, err
	}
	in.Text, in.Address = strings.TrimSpace(in.Text), strings.TrimSpace(in.Address)
	if err := in.validate(s.cfg.MaxPictures); err != nil {
		return Reported{}, err
	}
	first, err := s.firstReport(s.db.Read(ctx), actor.ID, &in)
	if first != nil || err != nil {
		return deref(first), err
	}
	place, err := s.place(ctx, actor, &in)
	if err != nil {
		return Reported{}, err
	}
	checked, err := s.checkText(ctx, actor.ID, in.Text, in.Address)
	if err != nil {
		return Reported{}, err
	}
	var out Reported
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var err error
		out, err = s.reportTx(ctx, tx, actor, &in, place, checked)
		return err
	})
	if replayed, ok := errors.AsType[*replayedError](err); ok {
		return replayed.first, nil
	}
	if err != nil {
		return Reported{}, err
	}
	return out, nil
}

// replayedError rolls a transaction back that found its key used: the quota
// that it counted must not stay.
type replayedError struct{ first Reported }

func (*replayedError) Error() string { return "casework: reported before" }

// firstReport returns the answer that the key got before, nil if it is new.
func (s *Service) firstReport(db *gorm.DB, reporterID string, in *ReportInput) (*Reported, error) {
	var rows []model.CaseFile
	err := db.Where("reporter_id = ? AND idempotency_key = ?", reporterID, in.IdempotencyKey).Limit(1).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("casework: look for the first report: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil //nolint:nilnil // it is new
	}
	// The hash is dropped with the position, after which only the key speaks.
	if rows[0].InputHash != "" && rows[0].InputHash != in.hash() {
		return nil, ErrKeyReused
	}
	first := reportedOf(rows[0])
	return &first, nil
}

// reportTx writes the case. The resident's quota row comes first: it makes
// his parallel reports wait for each other, and with them replays. The
// county's counter, which all reports of the county share, comes late.
func (s *Service) reportTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, in *ReportInput, place regionRow, checked textCheck) (Reported, error) {
	now := s.now()
	quota, err := s.countTx(tx, actor.ID, "reports")
	if err != nil {
		return Reported{}, err
	}
	first, err := s.firstReport(tx, actor.ID, in)
	switch {
	case err != nil:
		return Reported{}, err
	case first != nil:
		return Reported{}, &replayedError{first: *first}
	case quota.Reports > s.cfg.DailyReports:
		return Reported{}, ErrDailyReports
	}
	c := model.CaseFile{
		ID: s.clock.NewID(), CountyID: model.RegionPathIDs(place.Path)[0], Kind: model.CaseReport, Category: in.Category,
		Content: in.Text, RegionID: place.ID, Address: in.Address, Lon: in.Lon, Lat: in.Lat, ReporterID: actor.ID,
		ContentStatus: checked.status, Status: model.CaseSubmitted, Version: 1, DueAt: now.Add(s.cfg.DueIn).Ptr(),
		IdempotencyKey: in.IdempotencyKey, InputHash: in.hash(), CreatedAt: now, UpdatedAt: now,
	}
	if in.Lon != nil {
		c.PositionUntil = now.Add(s.cfg.KeepPosition).Ptr()
	}
	if err := s.claimTx(tx, actor, in.AttachmentIDs, now); err != nil {
		return Reported{}, err
	}
	if c.Number, err = s.numberTx(tx, c.CountyID, now.Day()); err != nil {
		return Reported{}, err
	}
	if err := tx.Create(&c).Error; err != nil {
		return Reported{}, fmt.Errorf("casework: report: %w", err)
	}
	if err := region.RequireOpenTx(tx, c.RegionID); err != nil {
		return Reported{}, err
	}
	err = tx.Create(&model.CaseHistory{
		ID: s.clock.NewID(), CaseID: c.ID, Seq: 1, Move: model.MoveReport, ToStatus: c.Status,
		ActorKind: string(actor.Kind), ActorID: actor.ID, CreatedAt: now,
	}).Error
	if err != nil {
		return Reported{}, fmt.Errorf("casework: report: %w", err)
	}
	if err := s.tieTx(tx, c.ID, 1, in.AttachmentIDs); err != nil {
		return Reported{}, err
	}
	if checked.again {
		if err := queue.EnqueueTx(ctx, tx, s.clock, queue.Job{Kind: JobCheckText, UniqueKey: c.ID, Payload: CheckTextJob{CaseID: c.ID}}); err != nil {
			return Reported{}, err
		}
	}
	return reportedOf(c), nil
}

// countTx counts one more report or upload of a person today and returns the
// counts; the row stays locked until the transaction ends.
func (s *Service) countTx(tx *gorm.DB, ownerID, column string) (model.CaseQuota, error) {
	row := model.CaseQuota{OwnerID: ownerID, Day: clock.Today(s.clock)}
	if column == "reports" {
		row.Reports = 1
	} else {
		row.Uploads = 1
	}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "owner_id"}, {Name: "day"}},
		DoUpdates: clause.Assignments(map[string]any{column: gorm.Expr("case_quota." + column + " + 1")}),
	}).Create(&row).Error
	if err != nil {
		return row, fmt.Errorf("casework: quota: %w", err)
	}
	err = tx.Where("owner_id = ? AND day = ?", row.OwnerID, row.Day).Take(&row).Error
	return row, err
}

// numberTx draws the next number of the county and day.
func (s *Service) numberTx(tx *gorm.DB, countyID string, d clock.Day) (string, error) {
	row := model.CaseNumber{CountyID: countyID, Day: d, LastNumber: 1}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "county_id"}, {Name: "day"}},
		DoUpdates: clause.Assignments(map[string]any{"last_number": gorm.Expr("case_number.last_number + 1")}),
	}).Create(&row).Error
	if err != nil {
		return "", fmt.Errorf("casework: number: %w", err)
	}
	if err := tx.Where("county_id = ? AND day = ?", countyID, d).Take(&row).Error; err != nil {
		return "", fmt.Errorf("casework: number: %w", err)
	}
	return fmt.Sprintf("%s-%04d", strings.ReplaceAll(string(d), "-", ""), row.LastNumber), nil
}

// regionRow is what this package needs to know of a region.
type regionRow struct {
	ID    string
	Name  string
	Path  string
	Level model.RegionLevel
}

func (regionRow) TableName() string { return "region" }

// place finds the region of a report: the one named, else the one around the
// position, else the resident's own.
func (s *Service) place(ctx context.Context, actor authz.Actor, in *ReportInput) (regionRow, error) {
	id, named := in.RegionID, in.RegionID != ""
	if !named && in.Lon != nil && s.locator != nil {
		found, err := s.locator.LocateRegion(ctx, *in.Lon, *in.Lat)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return regionRow{}, err
		}
		id = found
	}
	if id == "" {
		id = actor.RegionID
	}
	if id == "" {
		return regionRow{}, ErrNoVillage
	}
	var rows []regionRow
	if err := s.db.Read(ctx).Where("id = ?", id).Limit(1).Find(&rows).Error; err != nil {
		return regionRow{}, fmt.Errorf("casework: region: %w", err)
	}
	if len(rows) == 0 || rows[0].Level.Order() < model.RegionVillage.Order() {
		if named {
			return regionRow{}, ErrRegion
		}
		return regionRow{}, ErrNoVillage
	}
	// A person picks from his own county's list; a position may lie elsewhere.
	if named && actor.RegionPath != "" && model.RegionCountyPath(actor.RegionPath) != model.RegionCountyPath(rows[0].Path) {
		return regionRow{}, ErrRegion
	}
	return rows[0], nil
}

// textCheck is what came of the check of a text that was not refused.
type textCheck struct {
	status model.ContentStatus
	again  bool // WeChat could not be asked: a job asks later
}

func (s *Service) checkText(ctx context.Context, residentID string, texts ...string) (textCheck, error) {
	openID, err := s.openID(ctx, residentID)
	if err != nil {
		return textCheck{}, err
	}
	if openID == "" { // WeChat does not know this person: somebody of the village decides
		return textCheck{status: model.ContentPending}, nil
	}
	verdict, err := s.checker.CheckText(ctx, openID, wechat.SceneForum, strings.TrimSpace(strings.Join(texts, "\n")))
	switch {
	case err != nil && ctx.Err() != nil:
		return textCheck{}, err
	case err != nil:
		slog.WarnContext(ctx, "text check postponed", "error", err)
		return textCheck{status: model.ContentPending, again: true}, nil
	case verdict.Suggest == wechat.SuggestRisky:
		return textCheck{}, ErrTextRefused
	case verdict.Suggest == wechat.SuggestPass:
		return textCheck{status: model.ContentPassed}, nil
	default:
		return textCheck{status: model.ContentPending}, nil
	}
}

func (s *Service) openID(ctx context.Context, residentID string) (string, error) {
	var ids []string
	err := s.db.Read(ctx).Raw(`SELECT openid FROM resident WHERE id = ? AND openid IS NOT NULL`, residentID).Scan(&ids).Error
	if err != nil {
		return "", fmt.Errorf("casework: openid: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
