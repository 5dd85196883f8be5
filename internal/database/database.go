// Package database opens the two databases that the program runs on
// (embedded SQLite and MySQL or MariaDB), migrates them, and owns the one way
// into a transaction.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
	sqlitedriver "github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
)

// Driver names a database engine.
type Driver string

// The engines.
const (
	SQLite Driver = "sqlite"
	MySQL  Driver = "mysql" // MySQL 8, MariaDB 10.6+, TiDB
)

// Config says which database to open; config.yaml documents each field.
type Config struct {
	Driver         Driver
	SQLitePath     string
	MySQLDSN       string        // may set timeout, readTimeout and writeTimeout; see openMySQL
	MaxConnections int           // MySQL pool, and SQLite's read pool
	LockWait       time.Duration // how long a statement waits for a lock
	TxTimeout      time.Duration // one attempt of InTx, at most
	MaxAttempts    int           // attempts of InTx
}

// DB is an open database. Write serves transactions; Read serves everything
// else. On MySQL both are one pool; on SQLite Write is a single connection,
// since SQLite has one writer, and Read a pool that cannot write.
type DB struct {
	cfg   Config
	write *gorm.DB
	read  *gorm.DB
	// The pools behind the two.
	writeSQL, readSQL *sql.DB
}

// Open connects. It creates the SQLite file (and its folder) if there is none
// but no tables: see Migrate.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.MaxConnections <= 0 {
		cfg.MaxConnections = 16
	}
	if cfg.LockWait <= 0 {
		cfg.LockWait = 5 * time.Second
	}
	if cfg.TxTimeout <= 0 {
		cfg.TxTimeout = 30 * time.Second
	}
	if cfg.MaxAttempts <= 0 {
		cfg.MaxAttempts = 5
	}
	var (
		db  *DB
		err error
	)
	switch cfg.Driver {
	case SQLite:
		db, err = openSQLite(cfg)
	case MySQL:
		db, err = openMySQL(cfg)
	default:
		return nil, fmt.Errorf("database: unknown driver %q: use sqlite or mysql", cfg.Driver)
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database: cannot reach %s: %w", cfg.Driver, err), db.Close())
	}
	return db, nil
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true, // InTx opens the transactions
		TranslateError:         true,
		NamingStrategy:         schema.NamingStrategy{SingularTable: true},
		// A failed statement is logged once, by whoever answers for it, and
		// never with its parameters, which may be personal data.
		Logger: logger.Discard,
		// Open pings by itself, within its context.
		DisableAutomaticPing: true,
	}
}

func openSQLite(cfg Config) (*DB, error) {
	if cfg.SQLitePath == "" {
		return nil, errors.New("database: sqlite_path is empty")
	}
	if err := os.MkdirAll(filepath.Dir(cfg.SQLitePath), 0o750); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	open := func(maxConns int, extra ...string) (*sql.DB, error) {
		q := url.Values{"_txlock": {"immediate"}}
		// The busy time-out must come first: the pragmas after it may wait.
		q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", cfg.LockWait.Milliseconds()))
		q.Add("_pragma", "journal_mode(wal)")
		q.Add("_pragma", "synchronous(full)") // a commit that was acknowledged is on the disk
		q.Add("_pragma", "foreign_keys(1)")
		q.Add("_pragma", "temp_store(memory)")
		for _, p := range extra {
			q.Add("_pragma", p)
		}
		pool, err := sqlitedriver.Open("file:" + (&url.URL{Path: cfg.SQLitePath}).EscapedPath() + "?" + q.Encode())
		if err != nil {
			return nil, fmt.Errorf("database: open %s: %w", cfg.SQLitePath, err)
		}
		pool.SetMaxOpenConns(maxConns)
		pool.SetMaxIdleConns(maxConns)
		return pool, nil
	}
	writeSQL, err := open(1)
	if err != nil {
		return nil, err
	}
	readSQL, err := open(cfg.MaxConnections, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writeSQL.Close())
	}
	return wrap(cfg, writeSQL, readSQL, gormlite.OpenDB)
}

func openMySQL(cfg Config) (*DB, error) {
	dsn, err := mysqlDSN(cfg)
	if err != nil {
		return nil, err
	}
	dsn.ClientFoundRows = true // RowsAffected counts matched rows, as on SQLite
	// COMMIT has no context: without a bound of its own it would wait for ever
	// on a network that swallows packets.
	if dsn.ReadTimeout == 0 {
		dsn.ReadTimeout = 2 * cfg.TxTimeout
	}
	if dsn.WriteTimeout == 0 {
		dsn.WriteTimeout = 2 * cfg.TxTimeout
	}
	pool, err := openPool(dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(cfg.MaxConnections)
	pool.SetMaxIdleConns(cfg.MaxConnections)
	pool.SetConnMaxLifetime(30 * time.Minute)
	return wrap(cfg, pool, pool, func(p gorm.ConnPool) gorm.Dialector {
		return gormmysql.New(gormmysql.Config{Conn: p, SkipInitializeWithVersion: true})
	})
}

// dialTimeout bounds the opening of one connection, unless the DSN has its own.
const dialTimeout = 10 * time.Second

// mysqlDSN is the configured DSN with the session settings that the program
// counts on.
func mysqlDSN(cfg Config) (*mysql.Config, error) {
	dsn, err := mysql.ParseDSN(cfg.MySQLDSN)
	if err != nil {
		return nil, errors.New("database: mysql_dsn is malformed: want user:password@tcp(host:3306)/name")
	}
	if dsn.DBName == "" {
		return nil, errors.New("database: mysql_dsn names no database: want user:password@tcp(host:3306)/name")
	}
	if dsn.Timeout == 0 {
		dsn.Timeout = dialTimeout
	}
	dsn.InterpolateParams = true // one round trip a statement instead of three
	dsn.Loc = time.UTC
	dsn.Collation = "utf8mb4_bin"
	if dsn.Params == nil {
		dsn.Params = map[string]string{}
	}
	dsn.Params["innodb_lock_wait_timeout"] = strconv.Itoa(max(1, int(cfg.LockWait.Seconds())))
	dsn.Params["sql_mode"] = "'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_UNSIGNED_SUBTRACTION'"
	dsn.Params["time_zone"] = "'+00:00'"
	return dsn, nil
}

func openPool(dsn *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return sql.OpenDB(readCommitted{connector}), nil
}

// readCommitted sets the isolation level once per connection: given to each
// transaction, it would cost each a round trip. A variable of the DSN cannot
// do it, since MySQL 8 and MariaDB 10 call theirs by different names.
type readCommitted struct{ driver.Connector }

// Connect implements driver.Connector.
func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	session, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("database: the driver's connection takes no statement"), conn.Close())
	}
	if _, err := session.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("database: set the isolation level: %w", err), conn.Close())
	}
	return conn, nil
}

func wrap(cfg Config, writeSQL, readSQL *sql.DB, dialector func(gorm.ConnPool) gorm.Dialector) (*DB, error) {
	db := &DB{cfg: cfg, writeSQL: writeSQL, readSQL: readSQL}
	var err error
	if db.write, err = gorm.Open(dialector(writeSQL), gormConfig()); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), db.Close())
	}
	if err := watchRollbacks(db.write); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), db.Close())
	}
	db.read = db.write
	if readSQL != writeSQL {
		if db.read, err = gorm.Open(dialector(readSQL), gormConfig()); err != nil {
			return nil, errors.Join(fmt.Errorf("database: %w", err), db.Close())
		}
	}
	return db, nil
}

// Driver returns the engine.
func (db *DB) Driver() Driver { return db.cfg.Driver }

// Read returns a handle for queries outside a transaction. It must not write:
// on SQLite it cannot.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.read.WithContext(ctx) }

// WriteSQL returns the pool behind transactions, for migrations, metrics and
// tests.
func (db *DB) WriteSQL() *sql.DB { return db.writeSQL }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.writeSQL.PingContext(ctx); err != nil {
		return err
	}
	return db.readSQL.PingContext(ctx)
}

// Close closes every connection.
func (db *DB) Close() error {
	if db.readSQL == db.writeSQL {
		return db.writeSQL.Close()
	}
	return errors.Join(db.readSQL.Close(), db.writeSQL.Close())
}
