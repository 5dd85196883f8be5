package database_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

func TestProtect(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const table = "seal"
		exec(t, db, "INSERT INTO "+table+` (id, number, day, root, wallet_count, link_batch, previous_root, previous_hash, hash, created_at)
			VALUES ('a', 1, '2026-01-01', 'r', 0, 0, 'r', 'h', 'h', 0)`)
		refuses := func() {
			t.Helper()
			for _, statement := range []string{"UPDATE " + table + " SET root = 'x'", "DELETE FROM " + table} {
				_, err := db.WriteSQL().ExecContext(t.Context(), statement)
				require.ErrorContains(t, err, "seal is append only", statement)
			}
		}
		refuses()
		for range 2 { // once more changes nothing
			refused, err := database.Protect(t.Context(), db)
			require.NoError(t, err)
			require.Empty(t, refused)
		}
		databasetest.Tamper(t, db, "UPDATE "+table+" SET root = 'x'")
		var root string
		require.NoError(t, db.Read(t.Context()).Raw("SELECT root FROM seal").Scan(&root).Error)
		require.Equal(t, "x", root, "a test can tamper")
		refuses()
	})
}

func TestProtectedTablesExist(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, table := range database.AppendOnlyTables() {
			var n int64
			require.NoError(t, db.Read(t.Context()).Table(table).Count(&n).Error)
			require.Zero(t, n, "the pool empties %s too", table)
		}
	})
}

func TestSnapshot(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *database.DB) {
		require.NoError(t, database.Snapshot(t.Context(), db, func(tx *gorm.DB) error {
			read := func() (n int64) {
				require.NoError(t, tx.Raw("SELECT SUM(n) FROM scratch").Scan(&n).Error)
				return n
			}
			before := read()
			exec(t, db, "UPDATE scratch SET n = n + 1")
			require.Equal(t, before, read(), "it sees what the first statement saw")
			require.Error(t, tx.Exec("UPDATE scratch SET n = 0").Error, "it cannot write")
			return nil
		}))
	})
}
