package database_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

func TestProtectRefused(t *testing.T) {
	cfg := databasetest.FreshConfig(t, database.MySQL)
	owner, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, owner.Close()) })
	_, err = database.Migrate(t.Context(), owner)
	require.NoError(t, err)
	var name string
	require.NoError(t, owner.Read(t.Context()).Raw("SELECT DATABASE()").Scan(&name).Error)
	exec(t, owner, "CREATE USER jmk_plain IDENTIFIED BY 'plain'")
	t.Cleanup(func() {
		_, err := owner.WriteSQL().ExecContext(context.Background(), "DROP USER jmk_plain")
		require.NoError(t, err)
	})
	exec(t, owner, "GRANT SELECT, INSERT, UPDATE, DELETE ON `"+name+"`.* TO jmk_plain")

	dsn := databasetest.ServerDSN(t)
	dsn.User, dsn.Passwd, dsn.DBName = "jmk_plain", "plain", name
	plain, err := database.Open(t.Context(), database.Config{Driver: database.MySQL, MySQLDSN: dsn.FormatDSN()})
	require.NoError(t, err)
	defer plain.Close() //nolint:errcheck // it only tried
	refused, err := database.Protect(t.Context(), plain)
	require.NoError(t, err, "the program starts all the same")
	require.Contains(t, refused, "1142")

	refused, err = database.Protect(t.Context(), owner)
	require.NoError(t, err)
	require.Empty(t, refused)
}
