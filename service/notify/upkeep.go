package notify

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
)

// Prune deletes the messages that are older than Config.Keep, with their
// attempts, in small transactions, and returns how many messages there were.
func (s *Service) Prune(ctx context.Context) (deleted int64, err error) {
	for range maxRounds {
		var ids []string
		err := s.db.Read(ctx).Raw("SELECT id FROM message WHERE created_at < ? ORDER BY created_at LIMIT ?",
			s.now().Add(-s.cfg.Keep), s.cfg.BatchSize).Scan(&ids).Error
		if err != nil {
			return deleted, fmt.Errorf("notify: prune: %w", err)
		}
		if len(ids) == 0 {
			break
		}
		var n int64
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			if err := tx.Exec("DELETE FROM subscribe_attempt WHERE message_id IN ?", ids).Error; err != nil {
				return err
			}
			res := tx.Exec("DELETE FROM message WHERE id IN ?", ids)
			n = res.RowsAffected
			return res.Error
		})
		if err != nil {
			return deleted, fmt.Errorf("notify: prune: %w", err)
		}
		if deleted += n; len(ids) < s.cfg.BatchSize {
			break
		}
	}
	return deleted, nil
}

// ForgetTx joins the deletion of a resident's account: messages, consents to
// subscribe messages and attempts go. It is an identity.DeleteHook.
func (*Service) ForgetTx(ctx context.Context, tx *gorm.DB, residentID string) error {
	tx = tx.WithContext(ctx)
	for _, statement := range []string{
		"DELETE FROM subscribe_attempt WHERE message_id IN (SELECT id FROM message WHERE resident_id = ?)",
		"DELETE FROM message WHERE resident_id = ?",
		"DELETE FROM subscribe_quota WHERE resident_id = ?",
	} {
		if err := tx.Exec(statement, residentID).Error; err != nil {
			return fmt.Errorf("notify: forget: %w", err)
		}
	}
	return nil
}
