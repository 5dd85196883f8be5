package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
)

// UnfreezeTx lets an account be used again, once a person has looked at what
// the audit found and has set it right; an account that still differs is frozen
// by the next audit. It returns ErrNotFrozen, also of an account that does not
// exist.
func (s *Service) UnfreezeTx(ctx context.Context, tx *gorm.DB, id AccountID) error {
	res := tx.WithContext(ctx).Exec(`UPDATE account SET frozen_reason = '' WHERE id = ? AND frozen_reason <> ''`, string(id))
	if res.Error == nil && res.RowsAffected == 0 {
		return ErrNotFrozen
	}
	if err := database.RequireRows(res, 1); err != nil {
		return fmt.Errorf("ledger: unfreeze: %w", err)
	}
	return nil
}
