package databasetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
)

func TestEach(t *testing.T) {
	for range 2 { // the second round meets a database that went back to the pool
		Each(t, func(t *testing.T, db *database.DB) {
			var n int64
			require.NoError(t, db.Read(t.Context()).Table("region").Count(&n).Error)
			require.Zero(t, n)
			pending, err := database.Pending(t.Context(), db)
			require.NoError(t, err)
			require.False(t, pending)
			_, err = db.WriteSQL().ExecContext(t.Context(),
				`INSERT INTO region (id, code, level, name, path, created_at, updated_at) VALUES ('a', '1', 'county', 'x', '/a/', 0, 0)`)
			require.NoError(t, err)
		})
	}
}
