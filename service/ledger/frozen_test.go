package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

// Locking a balance leaves the account itself alone, which foreign keys of
// other transactions read.
func TestLockingABalanceDoesNotLockItsAccount(t *testing.T) {
	db := databasetest.Open(t, database.MySQL)
	c := clock.NewSystem()
	s := New(db, c)
	resident := c.NewID()
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		_, err := s.LockWalletsTx(t.Context(), tx, []string{resident})
		return err
	}))
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		if _, err := s.LockWalletsTx(t.Context(), tx, []string{resident}); err != nil {
			return err
		}
		return database.InTx(t.Context(), db, func(other *gorm.DB) error {
			var id string
			require.NoError(t, other.Raw(`SELECT id FROM account WHERE id = ? FOR UPDATE NOWAIT`, string(WalletOf(resident))).Scan(&id).Error)
			require.NotEmpty(t, id)
			require.Error(t, other.Raw(`SELECT account_id FROM account_balance WHERE account_id = ? FOR UPDATE NOWAIT`, string(WalletOf(resident))).Scan(&id).Error,
				"the balance itself is locked")
			return nil
		})
	}))
}
