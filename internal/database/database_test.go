package database_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

func TestOpenRefuses(t *testing.T) {
	const password = "s3cret-never-shown"
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := closed.Addr().String()
	require.NoError(t, closed.Close())
	server := databasetest.ServerDSN(t).Addr

	for name, c := range map[string]struct {
		cfg  database.Config
		want string
	}{
		"an unknown driver":        {database.Config{Driver: "oracle"}, `unknown driver "oracle"`},
		"no driver":                {database.Config{}, "unknown driver"},
		"SQLite without a path":    {database.Config{Driver: database.SQLite}, "sqlite_path is empty"},
		"a path below a file":      {database.Config{Driver: database.SQLite, SQLitePath: "database_test.go/x.sqlite"}, "not a directory"},
		"a path that is a folder":  {database.Config{Driver: database.SQLite, SQLitePath: t.TempDir()}, "sqlite"},
		"MySQL without a DSN":      {database.Config{Driver: database.MySQL}, "mysql_dsn"},
		"a DSN without a slash":    {mysqlConfig("root:" + password + "@tcp(127.0.0.1:1)"), "mysql_dsn is malformed"},
		"a DSN as a URL":           {mysqlConfig("mysql://root:" + password + "@127.0.0.1:1/name"), "mysql_dsn"},
		"a DSN with a bad address": {mysqlConfig("root:" + password + "@tcp(127.0.0.1:1/name"), "mysql_dsn is malformed"},
		"a DSN with a bad value":   {mysqlConfig("root:" + password + "@tcp(127.0.0.1:1)/name?timeout=" + password), "mysql_dsn is malformed"},
		"a DSN without a database": {mysqlConfig("root:" + password + "@tcp(127.0.0.1:1)/"), "names no database"},
		"a server that is away":    {mysqlConfig("root:" + password + "@tcp(" + nobody + ")/name"), "cannot reach mysql"},
		"a wrong password":         {mysqlConfig("root:" + password + "@tcp(" + server + ")/name"), "Access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			db, err := database.Open(ctx, c.cfg)
			require.Nil(t, db)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), password)
		})
	}
}

func mysqlConfig(dsn string) database.Config {
	return database.Config{Driver: database.MySQL, MySQLDSN: dsn}
}

func TestOpenSQLite(t *testing.T) {
	t.Run("creates the folder and takes any file name", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "新 folder", "50% of #1? & more.sqlite")
		db, err := database.Open(t.Context(), database.Config{Driver: database.SQLite, SQLitePath: path})
		require.NoError(t, err)
		require.NoError(t, db.Close())
		require.FileExists(t, path)
	})
	t.Run("takes a relative path", func(t *testing.T) {
		t.Chdir(t.TempDir())
		db, err := database.Open(t.Context(), database.Config{Driver: database.SQLite, SQLitePath: "data/x.sqlite"})
		require.NoError(t, err)
		require.NoError(t, db.Close())
		_, err = os.Stat("data/x.sqlite")
		require.NoError(t, err)
	})
	t.Run("cannot write through Read", func(t *testing.T) {
		db := databasetest.Open(t, database.SQLite)
		require.Error(t, db.Read(t.Context()).Exec("DELETE FROM region").Error)
	})
	t.Run("sets what durability and integrity need on every connection", func(t *testing.T) {
		db := databasetest.Open(t, database.SQLite)
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			require.NoError(t, db.WriteSQL().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			require.Equal(t, want, got, pragma)
		}
	})
}

func TestOpenMySQLSession(t *testing.T) {
	db := databasetest.Open(t, database.MySQL, func(c *database.Config) { c.LockWait = 3 * time.Second })
	for variable, want := range map[string]string{
		"innodb_lock_wait_timeout": "3",
		"time_zone":                "+00:00",
		"collation_connection":     "utf8mb4_bin",
	} {
		var got string
		require.NoError(t, db.WriteSQL().QueryRowContext(t.Context(), "SELECT @@"+variable).Scan(&got))
		require.Equal(t, want, got, variable)
	}
}

func TestMigrate(t *testing.T) {
	t.Run("several instances at once on a fresh database", func(t *testing.T) {
		const instances = 3
		cfg := databasetest.FreshConfig(t, database.MySQL)
		results, applied := make(chan error, instances), make(chan int, instances)
		for range instances {
			go func() {
				n, err := openAndMigrate(t.Context(), cfg)
				applied <- n
				results <- err
			}()
		}
		total := 0
		for range instances {
			require.NoError(t, <-results)
			total += <-applied
		}
		db, err := database.Open(t.Context(), cfg)
		require.NoError(t, err)
		defer db.Close() //nolint:errcheck // only read
		all, err := database.Migrations(t.Context(), db)
		require.NoError(t, err)
		require.NotEmpty(t, all)
		require.Len(t, all, total, "each migration ran once")
		for _, m := range all {
			require.True(t, m.Applied, m.Name)
		}
	})
	t.Run("says what is pending", func(t *testing.T) {
		for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
			db, err := database.Open(t.Context(), databasetest.FreshConfig(t, driver))
			require.NoError(t, err)
			pending, err := database.Pending(t.Context(), db)
			require.NoError(t, err)
			require.True(t, pending)
			_, err = database.Migrate(t.Context(), db)
			require.NoError(t, err)
			pending, err = database.Pending(t.Context(), db)
			require.NoError(t, err)
			require.False(t, pending)
			n, err := database.Migrate(t.Context(), db)
			require.NoError(t, err)
			require.Zero(t, n)
			require.NoError(t, db.Close())
		}
	})
}

func openAndMigrate(ctx context.Context, cfg database.Config) (n int, err error) {
	db, err := database.Open(ctx, cfg)
	if err != nil {
		return 0, fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return database.Migrate(ctx, db)
}
