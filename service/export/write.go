package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
)

const (
	// progressRows is how many rows are written between two notes of progress.
	progressRows = 1000
	// stuckAfter is when an export that still waits or runs is taken to be lost:
	// after every attempt of its job.
	stuckAfter   = 3 * time.Hour
	keepRecords  = 90 * 24 * time.Hour
	cleanBatch   = 200
	writeTimeout = 20 * time.Minute
)

// Register makes the worker write exports.
func (s *Service) Register(w *queue.Worker) {
	queue.Register(w, Job, func(ctx context.Context, p payload) error { return s.Write(ctx, p.ID) },
		queue.Options{MaxAttempts: 3, Timeout: writeTimeout})
}

var errTaken = errors.New("export: another worker runs it")

// Write writes the file of an export. Run again it begins anew under a token
// of its own: of two at once only the later one counts.
func (s *Service) Write(ctx context.Context, id string) error {
	row, err := s.claim(ctx, id)
	if err != nil || row.ID == "" {
		return err
	}
	key := blob.NewKey()
	size, err := s.writeFile(ctx, &row, key)
	if err == nil {
		err = s.finish(ctx, row, key, size)
	}
	if err == nil {
		return nil
	}
	// Nobody else knows of the file; the job's context may be over.
	clean := context.WithoutCancel(ctx)
	if deleted := s.files.Delete(clean, key); deleted != nil {
		err = errors.Join(err, deleted)
	}
	return s.giveUp(clean, row, err)
}

// claim makes the export this worker's; an empty row if it is over.
func (s *Service) claim(ctx context.Context, id string) (row Export, err error) {
	token := s.clock.NewID()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row = Export{}
		res := tx.Exec("UPDATE export_job SET status = ?, run_token = ?, rows_done = 0 WHERE id = ? AND status IN ?",
			model.ExportRunning, token, id, []Status{model.ExportQueued, model.ExportRunning})
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return tx.Where("id = ?", id).Take(&row).Error
	})
	if err != nil {
		return row, fmt.Errorf("export: claim: %w", err)
	}
	return row, nil
}

func (s *Service) writeFile(ctx context.Context, row *Export, key string) (int64, error) {
	r := s.resource(row.Resource)
	if r == nil {
		return 0, ErrResource
	}
	var in asked
	if err := json.Unmarshal([]byte(row.Filters), &in); err != nil {
		return 0, fmt.Errorf("export: filters: %w", err)
	}
	actor, err := s.people.StaffActor(ctx, row.StaffID)
	if err != nil {
		return 0, err
	}
	row.MadeUnder = strings.Join(rolesOf(actor), " ")
	return s.files.Write(ctx, key, func(w io.Writer) error {
		sheet, err := newSheet(row.Format, w)
		if err != nil {
			return err
		}
		if err := sheet.row(header(r.columns)); err != nil {
			return err
		}
		if err := s.copyRows(ctx, actor, r, in, sheet, row); err != nil {
			return errors.Join(err, sheet.abort())
		}
		return sheet.end()
	})
}

// copyRows pages through the list; one page is in memory at a time.
func (s *Service) copyRows(ctx context.Context, actor authz.Actor, r *resource, in asked, sheet sheet, row *Export) error {
	cursor, noted := "", int64(0)
	for {
		limit := min(paging.MaxLimit, s.cfg.MaxRows-row.RowsDone)
		if limit <= 0 {
			row.Truncated = true
			return nil
		}
		page, err := r.page(ctx, actor, in.Filters, paging.Request{Cursor: cursor, Limit: int(limit), Sort: in.Sort})
		if err != nil {
			return err
		}
		for _, cells := range page.Items {
			if err := sheet.row(cells); err != nil {
				return err
			}
		}
		row.RowsDone += int64(len(page.Items))
		if cursor = page.Next; cursor == "" {
			return nil
		}
		if row.RowsDone-noted >= progressRows {
			noted = row.RowsDone
			if err := s.note(ctx, *row); err != nil {
				return err
			}
		}
	}
}

func (s *Service) note(ctx context.Context, row Export) error {
	return s.own(ctx, row, "rows_done = ?", row.RowsDone)
}

func (s *Service) finish(ctx context.Context, row Export, key string, size int64) error {
	now := clock.Now(s.clock)
	return s.own(ctx, row, "status = ?, slot = NULL, rows_done = ?, truncated = ?, file_key = ?, size_bytes = ?, made_under = ?, finished_at = ?, expires_at = ?",
		model.ExportDone, row.RowsDone, row.Truncated, key, size, row.MadeUnder, now, now.Add(s.cfg.Keep))
}

// own updates the export if it is still this worker's, or returns errTaken.
func (s *Service) own(ctx context.Context, row Export, set string, args ...any) error {
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE export_job SET "+set+" WHERE id = ? AND status = ? AND run_token = ?",
			append(args, row.ID, model.ExportRunning, row.RunToken)...)
		if res.Error == nil && res.RowsAffected == 0 {
			// MySQL counts changed rows: the same progress twice changes none.
			var n int64
			if err := tx.Raw("SELECT COUNT(*) FROM export_job WHERE id = ? AND status = ? AND run_token = ?",
				row.ID, model.ExportRunning, row.RunToken).Scan(&n).Error; err != nil || n == 1 {
				return err
			}
			return errTaken
		}
		return res.Error
	})
	if err != nil && !errors.Is(err, errTaken) {
		return fmt.Errorf("export: write down: %w", err)
	}
	return err
}

// giveUp ends the export for what another attempt would not change, and after
// the last attempt; otherwise the queue tries again.
func (s *Service) giveUp(ctx context.Context, row Export, cause error) error {
	if errors.Is(cause, errTaken) {
		return nil
	}
	text := failedText
	f := fault.As(cause)
	switch {
	case errors.Is(cause, blob.ErrTooLarge):
		text = largeText
	case f != nil && f.Kind != fault.Unavailable:
		text = f.Message
	case !queue.Current(ctx).Last:
		return cause
	}
	err := s.own(ctx, row, "status = ?, slot = NULL, error = ?, finished_at = ?", model.ExportFailed, text, clock.Now(s.clock))
	if errors.Is(err, errTaken) {
		return nil
	}
	if err == nil && text == failedText {
		return cause // for the log of the queue
	}
	return err
}

// Clean deletes the files that are over, fails what got stuck and forgets old
// exports; it returns how many exports it touched.
func (s *Service) Clean(ctx context.Context) (cleaned int, err error) {
	now := clock.Now(s.clock)
	var due []Export
	err = s.db.Read(ctx).Where("status = ? AND expires_at <= ?", model.ExportDone, now).Order("id").Limit(cleanBatch).Find(&due).Error
	if err != nil {
		return 0, fmt.Errorf("export: due: %w", err)
	}
	for _, e := range due {
		if err := s.files.Delete(ctx, e.FileKey); err != nil {
			return cleaned, err
		}
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		cleaned = 0
		for _, e := range due {
			res := tx.Exec("UPDATE export_job SET status = ?, file_key = '' WHERE id = ? AND status = ?", model.ExportExpired, e.ID, model.ExportDone)
			if res.Error != nil {
				return res.Error
			}
			cleaned += int(res.RowsAffected)
		}
		stuck := tx.Exec("UPDATE export_job SET status = ?, slot = NULL, error = ?, finished_at = ? WHERE status IN ? AND created_at < ?",
			model.ExportFailed, stuckText, now, []Status{model.ExportQueued, model.ExportRunning}, now.Add(-stuckAfter))
		if stuck.Error != nil {
			return stuck.Error
		}
		old := tx.Exec("DELETE FROM export_job WHERE status IN ? AND created_at < ?",
			[]Status{model.ExportFailed, model.ExportExpired}, now.Add(-keepRecords))
		cleaned += int(stuck.RowsAffected + old.RowsAffected)
		return old.Error
	})
	if err != nil {
		return 0, fmt.Errorf("export: clean: %w", err)
	}
	return cleaned, nil
}
