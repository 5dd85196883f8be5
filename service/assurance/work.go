package assurance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Job is the kind of the queued job that works on a run for a while.
const Job = "audit.work"

const (
	// slice is how long one job works on a run: then another job goes on, so
	// that a worker that died holds the run up for no longer than workTimeout.
	slice       = time.Minute
	workTimeout = 20 * time.Minute
	saveEvery   = time.Second
	// stuckAfter is when a run on which nobody works is taken to be lost: after
	// every attempt of its job.
	stuckAfter = 4 * time.Hour

	freezeReason = "对账发现差异"
	textLimit    = 1000 // characters of a note
)

var (
	errTaken  = errors.New("assurance: another worker runs the audit")
	errFreeze = errors.New("assurance: accounts are to be frozen first")
	errSlice  = errors.New("assurance: the time of this job is over")
)

type payload struct {
	ID string `json:"id"`
}

// Register makes the worker run audits.
func (s *Service) Register(w *queue.Worker) {
	queue.Register(w, Job, func(ctx context.Context, p payload) error { return s.Work(ctx, p.ID) },
		queue.Options{MaxAttempts: 5, Timeout: workTimeout})
}

// Work goes on with a run for a minute and leaves the rest to another job. Of
// two at once only the later one counts.
func (s *Service) Work(ctx context.Context, runID string) error {
	run, err := s.claim(ctx, runID)
	if err != nil || run.ID == "" {
		return err
	}
	_, err = s.work(ctx, &run, slice)
	switch {
	case errors.Is(err, errTaken):
		return nil
	case errors.Is(err, errSlice):
		return database.InTx(ctx, s.DB, func(tx *gorm.DB) error { return enqueueTx(ctx, tx, s.Clock, runID) })
	case err != nil && queue.Current(ctx).Last:
		return errors.Join(err, s.fail(context.WithoutCancel(ctx), run))
	}
	return err
}

// Nightly is the audit that cron runs: as StartRun, and every account that
// differs is frozen until a person has looked. It is an error if anything
// differs, so that the history of the job shows it. If a run is under way,
// that one takes the freezing over.
func (s *Service) Nightly(ctx context.Context) (string, error) {
	run, waits, err := s.openNightly(ctx)
	if err != nil {
		return "", err
	}
	if waits {
		return "left to run " + run.ID, nil
	}
	report, err := s.work(ctx, &run, 0)
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, s.fail(ctx, run))
		}
		return "", err
	}
	if !report.Sound {
		return "", fmt.Errorf("audit: differences found, %d accounts frozen: see run %s", run.FrozenCount, run.ID)
	}
	return "sound", nil
}

// openNightly makes tonight's run, goes on with one that was interrupted, or
// says that an auditor's run is under way.
func (s *Service) openNightly(ctx context.Context) (run Run, waits bool, err error) {
	err = database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		run = Run{ID: s.Clock.NewID(), Cause: model.AuditNightly, Status: model.AuditQueued, Slot: new(int64(1)), FreezesAccounts: true}
		waits = false
		err := s.createRunTx(tx, &run)
		if !errors.Is(err, ErrRunning) {
			return err
		}
		if err := tx.Exec("UPDATE audit_run SET freezes_accounts = 1 WHERE slot = 1").Error; err != nil {
			return err
		}
		run = Run{}
		if err := tx.Where("slot = 1").Take(&run).Error; err != nil {
			return err
		}
		waits = run.Cause != model.AuditNightly
		return nil
	})
	if err == nil && !waits {
		run, err = s.claim(ctx, run.ID)
		if err == nil && run.ID == "" {
			err = errTaken
		}
	}
	return run, waits, err
}

// claim makes the run this worker's; an empty row if it is over.
func (s *Service) claim(ctx context.Context, id string) (run Run, err error) {
	token := s.Clock.NewID()
	err = database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		run = Run{}
		now := clock.Now(s.Clock)
		res := tx.Exec("UPDATE audit_run SET status = ?, run_token = ?, started_at = COALESCE(started_at, ?), updated_at = ? WHERE id = ? AND status IN ?",
			model.AuditRunning, token, now, now, id, unfinished)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return tx.Where("id = ?", id).Take(&run).Error
	})
	if err != nil {
		return run, fmt.Errorf("assurance: claim: %w", err)
	}
	return run, nil
}

// work runs the audit from where the run stands to its end, or for as long as
// it may (0: to the end), and writes down what it found.
func (s *Service) work(ctx context.Context, run *Run, most time.Duration) (Report, error) {
	began := s.Clock.Now()
	saved := began
	options := Options{Step: func(state State, done, total int64) error {
		now := s.Clock.Now()
		over := most > 0 && now.Sub(began) >= most
		if !over && now.Sub(saved) < saveEvery && run.State != "" {
			return nil
		}
		saved = now
		if err := s.save(ctx, run, state, done, total); err != nil || !over {
			return err
		}
		return errSlice
	}}
	if run.State != "" {
		options.Resume = &State{}
		if err := json.Unmarshal([]byte(run.State), options.Resume); err != nil { //nolint:musttag // written by save, read by nobody else
			return Report{}, fmt.Errorf("assurance: state: %w", err)
		}
	}
	report, err := s.Audit(ctx, options)
	if err != nil {
		return report, err
	}
	return report, s.finish(ctx, run, report)
}

// save notes how far the run is.
func (s *Service) save(ctx context.Context, run *Run, state State, done, total int64) error {
	text, err := json.Marshal(state) //nolint:musttag // as above
	if err != nil {
		return fmt.Errorf("assurance: state: %w", err)
	}
	run.State, run.Done, run.Total = string(text), done, total
	return database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		return s.ownTx(tx, *run, "state = ?, done = ?, total = ?", run.State, done, total)
	})
}

// finish writes the differences and the end of the run together, and freezes
// what differs if that is asked for.
func (s *Service) finish(ctx context.Context, run *Run, report Report) error {
	var rows []RunDifference
	for _, part := range report.Sections {
		for _, d := range part.Differences {
			rows = append(rows, RunDifference{
				ID: s.Clock.NewID(), RunID: run.ID, Section: part.Name, CheckName: d.Check, ObjectID: d.Object, AccountID: string(d.account),
				Seq: d.Seq, Want: d.Want, Got: d.Got, Note: cut(d.Note),
			})
		}
	}
	run.Status = model.AuditSound
	if len(rows) > 0 {
		run.Status = model.AuditDifferent
	}
	err := s.endRun(ctx, run, report.Counts, rows)
	if !errors.Is(err, errFreeze) {
		return err
	}
	accounts := accountsOf(rows)
	if err := s.Ledger.Freeze(ctx, accounts, freezeReason); err != nil {
		return err
	}
	run.FrozenCount = int64(len(accounts))
	return s.endRun(ctx, run, report.Counts, rows)
}

// endRun writes the end of a run down; errFreeze if accounts are to be frozen
// before it. (The wish may come from a nightly run while this one is at work.)
func (s *Service) endRun(ctx context.Context, run *Run, c Counts, rows []RunDifference) error {
	return database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		if err := s.ownTx(tx, *run, "done = total"); err != nil {
			return err
		}
		var freezes bool
		if err := tx.Raw("SELECT freezes_accounts FROM audit_run WHERE id = ?", run.ID).Scan(&freezes).Error; err != nil {
			return fmt.Errorf("assurance: finish: %w", err)
		}
		if freezes && run.FrozenCount == 0 && len(accountsOf(rows)) > 0 {
			return errFreeze
		}
		if len(rows) > 0 {
			if err := tx.CreateInBatches(&rows, insertRows).Error; err != nil {
				return fmt.Errorf("assurance: differences: %w", err)
			}
		}
		return s.ownTx(tx, *run, `status = ?, slot = NULL, state = '', accounts = ?, links = ?, journals = ?, seals = ?,
			checked_rows = ?, difference_count = ?, frozen_count = ?, finished_at = ?`,
			run.Status, c.Accounts, c.Links, c.Journals, c.Seals, c.Rows, len(rows), run.FrozenCount, clock.Now(s.Clock))
	})
}

const insertRows = 200

func accountsOf(rows []RunDifference) (ids []ledger.AccountID) {
	seen := map[string]bool{"": true}
	for _, d := range rows {
		if !seen[d.AccountID] {
			seen[d.AccountID] = true
			ids = append(ids, ledger.AccountID(d.AccountID))
		}
	}
	return ids
}

func cut(note string) string {
	if runes := []rune(note); len(runes) > textLimit {
		return string(runes[:textLimit])
	}
	return note
}

// fail ends the run without a result.
func (s *Service) fail(ctx context.Context, run Run) error {
	err := database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		return s.ownTx(tx, run, "status = ?, slot = NULL, state = '', error = ?, finished_at = ?", model.AuditFailed, failedText, clock.Now(s.Clock))
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// ownTx updates the run if it is still this worker's, or returns errTaken.
func (s *Service) ownTx(tx *gorm.DB, run Run, set string, args ...any) error {
	// The row is locked first: MySQL counts changed rows, not matched ones.
	var id string
	err := tx.Raw("SELECT id FROM audit_run WHERE id = ? AND status = ? AND run_token = ?"+database.ForUpdate(tx),
		run.ID, model.AuditRunning, run.RunToken).Scan(&id).Error
	if err != nil {
		return fmt.Errorf("assurance: write down: %w", err)
	}
	if id == "" {
		return errTaken
	}
	args = append(args, clock.Now(s.Clock), id)
	if err := tx.Exec("UPDATE audit_run SET "+set+", updated_at = ? WHERE id = ?", args...).Error; err != nil {
		return fmt.Errorf("assurance: write down: %w", err)
	}
	return nil
}
