package assurance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

// Run is one run of the audit.
type Run = model.AuditRun

// RunDifference is something that a run found.
type RunDifference = model.AuditDifference

// RunView is a run as people see it.
type RunView struct {
	Run
	RequestedName string         // "" for the nightly run
	Left          *time.Duration // about how long it still takes; nil if nothing is known
}

var unfinished = []model.AuditRunStatus{model.AuditQueued, model.AuditRunning}

// StartRun begins an audit in the background, for an auditor of the county. It
// freezes nothing: that is left to the nightly run. Errors: ErrRunning.
func (s *Service) StartRun(ctx context.Context, actor authz.Actor) (RunView, error) {
	if err := inCounty(actor, authz.RoleAuditor); err != nil {
		return RunView{}, err
	}
	run := Run{
		ID: s.Clock.NewID(), Cause: model.AuditByStaff, RequestedBy: &actor.ID, Status: model.AuditQueued, Slot: new(int64(1)),
	}
	err := database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		if err := s.createRunTx(tx, &run); err != nil {
			return err
		}
		if err := s.Identity.RecordTx(tx, identity.AuditEntry{
			Actor: actor, Action: "audit.start", ObjectType: "audit_run", ObjectID: run.ID, RegionID: regionOf(actor),
		}); err != nil {
			return err
		}
		return enqueueTx(ctx, tx, s.Clock, run.ID)
	})
	if database.IsDuplicate(err) { // asked twice at the same time
		return RunView{}, ErrRunning
	}
	if err != nil {
		return RunView{}, err
	}
	return s.Run(ctx, actor, run.ID)
}

// regionOf is the region whose auditors see the trace.
func regionOf(actor authz.Actor) string {
	for _, g := range actor.Grants {
		if g.Role == authz.RoleAuditor && g.RegionID != "" {
			return g.RegionID
		}
	}
	return ""
}

// createRunTx writes the run down, unless another one waits or runs. One that
// nobody has worked on for long counts as lost.
func (s *Service) createRunTx(tx *gorm.DB, run *Run) error {
	now := clock.Now(s.Clock)
	err := tx.Exec("UPDATE audit_run SET status = ?, slot = NULL, state = '', error = ?, finished_at = ?, updated_at = ? WHERE slot = 1 AND updated_at < ?",
		model.AuditFailed, stuckText, now, now, now.Add(-stuckAfter)).Error
	if err != nil {
		return fmt.Errorf("assurance: lost runs: %w", err)
	}
	var running int64
	if err := tx.Raw("SELECT COUNT(*) FROM audit_run WHERE slot = 1").Scan(&running).Error; err != nil {
		return fmt.Errorf("assurance: running: %w", err)
	}
	if running > 0 {
		return ErrRunning
	}
	run.CreatedAt, run.UpdatedAt = now, now
	return tx.Create(run).Error
}

func enqueueTx(ctx context.Context, tx *gorm.DB, c clock.Clock, runID string) error {
	return queue.EnqueueTx(ctx, tx, c, queue.Job{Kind: Job, Payload: payload{runID}})
}

// RunOrder is how the runs can be sorted.
var RunOrder = paging.NewOrder("-created_at", paging.Text("created_at", "a.id", func(r RunView) string { return r.ID }))

// Runs lists the runs, newest first unless sorted by RunOrder. For auditors and operators of the county.
func (s *Service) Runs(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[RunView], error) {
	if err := inCounty(actor, readers...); err != nil {
		return paging.Page[RunView]{}, err
	}
	seek, err := RunOrder.Seek(page)
	if err != nil {
		return paging.Page[RunView]{}, err
	}
	var rows []RunView
	if err := s.runs(ctx).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Find(&rows).Error; err != nil {
		return paging.Page[RunView]{}, fmt.Errorf("assurance: runs: %w", err)
	}
	s.estimate(rows)
	return seek.Page(rows), nil
}

// Run returns one run, or ErrMissing. For auditors and operators of the county.
func (s *Service) Run(ctx context.Context, actor authz.Actor, id string) (RunView, error) {
	if err := inCounty(actor, readers...); err != nil {
		return RunView{}, err
	}
	var row RunView
	err := s.runs(ctx).Where("a.id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrMissing
	}
	if err != nil {
		return row, fmt.Errorf("assurance: run: %w", err)
	}
	rows := []RunView{row}
	s.estimate(rows)
	return rows[0], nil
}

// runs leaves the state out, which may be large.
func (s *Service) runs(ctx context.Context) *gorm.DB {
	return s.DB.Read(ctx).Table("audit_run a").
		Select(`a.id, a.cause, a.requested_by, a.status, a.freezes_accounts, a.done, a.total, a.accounts, a.links, a.journals, a.seals,
			a.checked_rows, a.difference_count, a.frozen_count, a.error, a.created_at, a.started_at, a.updated_at, a.finished_at,
			COALESCE(p.name, '') AS requested_name`).
		Joins("LEFT JOIN staff p ON p.id = a.requested_by")
}

// estimate says how long a run still takes, if it goes on as until now.
func (s *Service) estimate(rows []RunView) {
	now := clock.Now(s.Clock)
	for i, r := range rows {
		if r.Status != model.AuditRunning || r.StartedAt == nil || r.Done == 0 || r.Total < r.Done {
			continue
		}
		took := now.Time().Sub(r.StartedAt.Time())
		rows[i].Left = new(time.Duration(float64(took) * float64(r.Total-r.Done) / float64(r.Done)).Round(time.Second))
	}
}

// Differences lists what a run found, in the order of the audit. Errors:
// ErrMissing.
func (s *Service) Differences(ctx context.Context, actor authz.Actor, runID string, page paging.Request) (paging.Page[RunDifference], error) {
	if _, err := s.Run(ctx, actor, runID); err != nil {
		return paging.Page[RunDifference]{}, err
	}
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[RunDifference]{}, err
	}
	q := s.DB.Read(ctx).Where("run_id = ?", runID).Order("id").Limit(page.Size() + 1)
	if key != nil {
		q = q.Where("id > ?", key[0])
	}
	var rows []RunDifference
	if err := q.Find(&rows).Error; err != nil {
		return paging.Page[RunDifference]{}, fmt.Errorf("assurance: differences: %w", err)
	}
	return paging.Of(rows, page, func(d RunDifference) []string { return []string{d.ID} }), nil
}

// RunReport is what `jiamenkou audit --json` prints, of a run that has ended.
// Errors: ErrMissing, ErrRunning.
func (s *Service) RunReport(ctx context.Context, actor authz.Actor, id string) (Report, error) {
	run, err := s.Run(ctx, actor, id)
	if err != nil {
		return Report{}, err
	}
	if run.Status != model.AuditSound && run.Status != model.AuditDifferent {
		return Report{}, ErrNotOver
	}
	report := Report{
		Sound:  run.Status == model.AuditSound,
		Counts: Counts{Accounts: run.Accounts, Links: run.Links, Journals: run.Journals, Seals: run.Seals, Rows: run.CheckedRows},
	}
	sections := map[string]*Section{}
	report.Sections = make([]Section, 0, len(s.sections()))
	for _, part := range s.sections() {
		report.Sections = append(report.Sections, Section{Name: part.name, Differences: []Difference{}})
		sections[part.name] = &report.Sections[len(report.Sections)-1]
	}
	var rows []RunDifference // at most 100 of each section
	if err := s.DB.Read(ctx).Where("run_id = ?", id).Order("id").Find(&rows).Error; err != nil {
		return Report{}, fmt.Errorf("assurance: report: %w", err)
	}
	for _, d := range rows {
		if part := sections[d.Section]; part != nil {
			part.Differences = append(part.Differences, Difference{Check: d.CheckName, Object: d.ObjectID, Seq: d.Seq, Want: d.Want, Got: d.Got, Note: d.Note})
		}
	}
	return report, nil
}
