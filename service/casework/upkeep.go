package casework

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// maxBatches bounds one run of a job; the next run goes on.
const maxBatches = 1000

// inBatches runs one transaction after the other until one finds less than a
// full batch, and returns the sum.
func (s *Service) inBatches(ctx context.Context, fn func(tx *gorm.DB) (int, error)) (total int, err error) {
	for range maxBatches {
		var n int
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
			n, err = fn(tx)
			return err
		})
		if err != nil {
			return total, err
		}
		if total += n; n < s.cfg.BatchSize {
			break
		}
	}
	return total, nil
}

// AutoConfirm confirms the handled cases whose reporters have not answered in
// time, posts their points, and returns how many there were.
func (s *Service) AutoConfirm(ctx context.Context) (int, error) {
	program := authz.System("casework.auto_confirm")
	return s.inBatches(ctx, func(tx *gorm.DB) (int, error) {
		var due []string
		err := tx.Raw(`SELECT id FROM case_file WHERE confirm_by <= ? ORDER BY confirm_by LIMIT ?`, s.now(), s.cfg.BatchSize).Scan(&due).Error
		if err != nil || len(due) == 0 {
			return 0, err
		}
		// Locked in key order, and asked again: a reporter may just have answered.
		var cases []*placed
		err = tx.Raw(`SELECT * FROM case_file WHERE id IN ? AND status = ? AND confirm_by <= ? ORDER BY id`+database.ForUpdate(tx),
			due, model.CaseHandled, s.now()).Scan(&cases).Error
		if err != nil || len(cases) == 0 {
			return 0, err
		}
		return len(cases), s.advanceTx(ctx, tx, cases, ruleOf(model.MoveAutoConfirm), &step{
			move: model.MoveAutoConfirm, actor: program, note: "超过确认期限，系统自动确认",
		})
	})
}

// DropPositions forgets the coordinates whose time is up, and the hashes that
// could be used to guess them, and returns how many cases there were. It
// forgets old daily counts on the way.
func (s *Service) DropPositions(ctx context.Context) (int, error) {
	n, err := s.inBatches(ctx, func(tx *gorm.DB) (int, error) {
		var ids []string
		err := tx.Raw(`SELECT id FROM case_file WHERE position_until <= ? ORDER BY position_until LIMIT ?`, s.now(), s.cfg.BatchSize).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		res := tx.Exec(`UPDATE case_file SET lon = NULL, lat = NULL, position_until = NULL, input_hash = '' WHERE id IN ?`, ids)
		return int(res.RowsAffected), res.Error
	})
	if err != nil {
		return n, err
	}
	return n, database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return tx.Exec(`DELETE FROM case_quota WHERE day < ?`, clock.Today(s.clock).AddDays(-2)).Error
	})
}

// DeleteOrphans deletes uploads that no case has used for a day, bytes first,
// and returns how many.
func (s *Service) DeleteOrphans(ctx context.Context) (int, error) {
	_, err := s.inBatches(ctx, func(tx *gorm.DB) (int, error) {
		var ids []string
		err := tx.Raw(`SELECT id FROM attachment WHERE attached_at IS NULL AND discarded_at IS NULL AND created_at <= ? ORDER BY created_at LIMIT ?`,
			s.now().Add(-s.cfg.KeepOrphans), s.cfg.BatchSize).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		// From here on no report can claim them.
		err = tx.Exec(`UPDATE attachment SET discarded_at = ? WHERE id IN ? AND attached_at IS NULL`, s.now(), ids).Error
		return len(ids), err
	})
	if err != nil {
		return 0, err
	}
	return s.deleteDiscarded(ctx)
}

func (s *Service) deleteDiscarded(ctx context.Context) (total int, err error) {
	for range maxBatches {
		var rows []model.Attachment
		err := s.db.Read(ctx).Where("discarded_at IS NOT NULL").Order("discarded_at").Limit(s.cfg.BatchSize).Find(&rows).Error
		if err != nil {
			return total, fmt.Errorf("casework: discarded pictures: %w", err)
		}
		ids := make([]string, 0, len(rows))
		for _, a := range rows {
			if err := s.store.Delete(ctx, a.StorageKey); err != nil {
				return total, fmt.Errorf("casework: discarded pictures: %w", err)
			}
			ids = append(ids, a.ID)
		}
		if len(ids) == 0 {
			break
		}
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			return tx.Exec(`DELETE FROM attachment WHERE id IN ? AND discarded_at IS NOT NULL`, ids).Error
		})
		if err != nil {
			return total, err
		}
		if total += len(ids); len(ids) < s.cfg.BatchSize {
			break
		}
	}
	return total, nil
}

// ForgetTx joins the deletion of a resident's account: positions go at once,
// and unused uploads with the next run of DeleteOrphans. The cases stay, by
// an anonymous reporter. It is an identity.DeleteHook.
func (*Service) ForgetTx(ctx context.Context, tx *gorm.DB, residentID string) error {
	tx = tx.WithContext(ctx)
	err := tx.Exec(`UPDATE case_file SET lon = NULL, lat = NULL, position_until = NULL, input_hash = '' WHERE reporter_id = ?`, residentID).Error
	if err != nil {
		return fmt.Errorf("casework: forget: %w", err)
	}
	err = tx.Exec(`UPDATE attachment SET discarded_at = created_at WHERE owner_kind = ? AND owner_id = ?
		AND attached_at IS NULL AND discarded_at IS NULL`, string(authz.KindResident), residentID).Error
	if err != nil {
		return fmt.Errorf("casework: forget: %w", err)
	}
	return nil
}
