package casework

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
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

// Audit compares cases with their history and with the points that they
// earned, and returns what differs. It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	var out []ledger.Difference
	for _, c := range []struct {
		name, query string
		args        []any
	}{
		{"a case is where its last history row left it", `SELECT c.id AS object, '' AS account, c.version AS want, COALESCE(h.seq, 0) AS got
			FROM case_file c LEFT JOIN case_history h ON h.case_id = c.id AND h.seq = c.version
			WHERE h.id IS NULL OR h.to_status <> c.status`, nil},
		{"a case has one history row for each version", `SELECT c.id AS object, '' AS account, c.version AS want, COALESCE(h.n, 0) AS got
			FROM case_file c LEFT JOIN (SELECT case_id, COUNT(*) AS n FROM case_history GROUP BY case_id) h ON h.case_id = c.id
			WHERE COALESCE(h.n, 0) <> c.version`, nil},
		{"each history row begins where the one before ended", `SELECT h.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM case_history h JOIN case_history p ON p.case_id = h.case_id AND p.seq = h.seq - 1
			WHERE h.from_status <> p.to_status`, nil},
		{
			"a verified report has its award", `SELECT c.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM case_file c JOIN resident p ON p.id = c.reporter_id
			LEFT JOIN award a ON a.event_kind = ? AND a.event_id = c.id
			WHERE c.earns = 1 AND p.status <> ? AND (a.id IS NULL OR a.resident_id <> c.reporter_id)`,
			[]any{model.EventReportVerified, model.ResidentDeleted},
		},
		{"an award for a report has its verified case", `SELECT a.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM award a LEFT JOIN case_file c ON c.id = a.event_id
			WHERE a.event_kind = ? AND a.pays_id IS NULL AND (c.id IS NULL OR c.earns <> 1)`, []any{model.EventReportVerified}},
		{"a picture in use belongs to a case", `SELECT a.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM attachment a LEFT JOIN case_attachment ca ON ca.attachment_id = a.id
			WHERE (a.attached_at IS NULL) <> (ca.attachment_id IS NULL)`, nil},
	} {
		found, err := s.ledger.RunCheck(ctx, c.name, c.query, c.args...)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	return out, nil
}
