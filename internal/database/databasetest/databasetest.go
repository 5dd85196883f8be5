// Package databasetest gives every test its own freshly migrated database, on
// each engine that the program supports.
//
// SQLite databases are copies of one migrated file. MySQL databases are kept
// in a pool, since creating the tables takes a second and emptying them a few
// milliseconds. The MySQL server comes from scripts/with-mariadb.sh, which
// sets JMK_TEST_MYSQL_DSN; a test without it fails rather than skips, so that
// a green run has really met both.
package databasetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
)

// ServerDSNVariable names the environment variable that holds the DSN of the
// private test server.
const ServerDSNVariable = "JMK_TEST_MYSQL_DSN"

// Each runs test once on each engine, as the subtests sqlite and mysql, each
// on an empty migrated database of its own. change may adjust the config.
func Each(t *testing.T, test func(t *testing.T, db *database.DB), change ...func(*database.Config)) {
	t.Helper()
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) {
			test(t, Open(t, driver, change...))
		})
	}
}

// Open returns an empty migrated database of the given engine, closed when the
// test ends.
func Open(t testing.TB, driver database.Driver, change ...func(*database.Config)) *database.DB {
	t.Helper()
	cfg := Config(t, driver)
	for _, f := range change {
		f(&cfg)
	}
	db, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Config returns the configuration of an empty migrated database that the
// test has for itself: for tests that boot the program or open it twice.
func Config(t testing.TB, driver database.Driver) database.Config {
	t.Helper()
	cfg := database.Config{Driver: driver}
	if driver == database.SQLite {
		cfg.SQLitePath = filepath.Join(t.TempDir(), "test.sqlite")
		template, err := sqliteTemplate()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(cfg.SQLitePath, template, 0o600))
		return cfg
	}
	cfg.MySQLDSN = borrow(t)
	return cfg
}

// FreshConfig returns the configuration of a database without any table, for
// tests of migrating; it is dropped when the test ends.
func FreshConfig(t testing.TB, driver database.Driver) database.Config {
	t.Helper()
	if driver == database.SQLite {
		return database.Config{Driver: driver, SQLitePath: filepath.Join(t.TempDir(), "fresh.sqlite")}
	}
	server := ServerDSN(t)
	target := server.Clone()
	pool.Lock()
	pool.made++
	target.DBName = fmt.Sprintf("jmk_fresh_%d_%d", os.Getpid(), pool.made)
	pool.Unlock()
	createEmpty(t, server, target.DBName)
	t.Cleanup(func() { admin(t, server, "DROP DATABASE `"+target.DBName+"`") })
	return database.Config{Driver: driver, MySQLDSN: target.FormatDSN()}
}

// sqliteTemplate is the content of a migrated, empty SQLite file.
var sqliteTemplate = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "jmk-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	path := filepath.Join(dir, "template.sqlite")
	ctx := context.Background()
	db, err := database.Open(ctx, database.Config{Driver: database.SQLite, SQLitePath: path})
	if err != nil {
		return nil, err
	}
	if _, err := database.Migrate(ctx, db); err != nil {
		return nil, err
	}
	if _, err := database.Protect(ctx, db); err != nil {
		return nil, err
	}
	// Closing the last connection folds the WAL back into the file.
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // our own temporary file
})

// pool holds the migrated MySQL databases of this test process that no test
// uses just now.
var pool struct {
	sync.Mutex
	free []string
	made int
}

// ServerDSN returns the DSN of the private test server; it names no database.
func ServerDSN(t testing.TB) *mysql.Config {
	t.Helper()
	raw := os.Getenv(ServerDSNVariable)
	if raw == "" {
		t.Fatalf("%s is not set: run tests through `make test`, or `scripts/with-mariadb.sh go test ./...`", ServerDSNVariable)
	}
	dsn, err := mysql.ParseDSN(raw)
	require.NoError(t, err)
	return dsn
}

func borrow(t testing.TB) string {
	t.Helper()
	server := ServerDSN(t)
	pool.Lock()
	defer pool.Unlock()
	var name string
	if n := len(pool.free); n > 0 {
		name, pool.free = pool.free[n-1], pool.free[:n-1]
	} else {
		pool.made++
		name = fmt.Sprintf("jmk_test_%d_%d", os.Getpid(), pool.made)
		create(t, server, name)
	}
	target := server.Clone()
	target.DBName = name
	dsn := target.FormatDSN()
	t.Cleanup(func() {
		empty(t, dsn)
		pool.Lock()
		defer pool.Unlock()
		pool.free = append(pool.free, name)
	})
	return dsn
}

func create(t testing.TB, server *mysql.Config, name string) {
	t.Helper()
	createEmpty(t, server, name)
	target := server.Clone()
	target.DBName = name
	ctx := context.Background()
	db, err := database.Open(ctx, database.Config{Driver: database.MySQL, MySQLDSN: target.FormatDSN()})
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // as above
	_, err = database.Migrate(ctx, db)
	require.NoError(t, err)
	refused, err := database.Protect(ctx, db)
	require.NoError(t, err)
	require.Empty(t, refused)
}

func createEmpty(t testing.TB, server *mysql.Config, name string) {
	t.Helper()
	admin(t, server, "CREATE DATABASE `"+name+"` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
}

// admin runs one statement on the server itself.
func admin(t testing.TB, server *mysql.Config, statement string) {
	t.Helper()
	db, err := sql.Open("mysql", server.FormatDSN())
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // the statement has been answered
	_, err = db.ExecContext(context.Background(), statement)
	require.NoError(t, err)
}

// empty deletes every row but goose's own, so that the next test finds the
// database as migrations leave it.
func empty(t testing.TB, dsn string) {
	t.Helper()
	ctx := context.Background() // the test's own context is over by now
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // as above
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // as above
	rows, err := conn.QueryContext(ctx, `SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'goose%'`)
	require.NoError(t, err)
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	_, err = conn.ExecContext(ctx, "SET foreign_key_checks = 0")
	require.NoError(t, err)
	for _, table := range tables {
		if slices.Contains(database.AppendOnlyTables(), table) {
			// Their triggers refuse DELETE; TRUNCATE passes by them but is slow.
			var one int
			err := conn.QueryRowContext(ctx, "SELECT 1 FROM `"+table+"` LIMIT 1").Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			require.NoError(t, err)
			_, err = conn.ExecContext(ctx, "TRUNCATE TABLE `"+table+"`")
			require.NoError(t, err)
			continue
		}
		_, err = conn.ExecContext(ctx, "DELETE FROM `"+table+"`") //nolint:gosec // the server's own name for its table
		require.NoError(t, err)
	}
}

// Tamper runs one statement as somebody with the database's own password
// would: past the triggers of the append-only tables and past foreign keys. The
// triggers are back afterwards.
func Tamper(t testing.TB, db *database.DB, statement string, args ...any) {
	t.Helper()
	ctx := context.Background()
	conn, err := db.WriteSQL().Conn(ctx)
	require.NoError(t, err)
	defer func() {
		require.NoError(t, conn.Close())
		_, err := database.Protect(ctx, db)
		require.NoError(t, err)
	}()
	run := func(statement string, args ...any) {
		t.Helper()
		_, err := conn.ExecContext(ctx, statement, args...)
		require.NoError(t, err, statement)
	}
	for _, table := range database.AppendOnlyTables() {
		if !strings.Contains(statement, table) {
			continue // making triggers takes a server some milliseconds each
		}
		for _, event := range []string{"UPDATE", "DELETE"} {
			run("DROP TRIGGER IF EXISTS " + database.TriggerName(table, event))
		}
	}
	off, on := "PRAGMA foreign_keys = 0", "PRAGMA foreign_keys = 1"
	if db.Driver() == database.MySQL {
		off, on = "SET foreign_key_checks = 0", "SET foreign_key_checks = 1"
	}
	run(off)
	run(statement, args...)
	run(on)
}
