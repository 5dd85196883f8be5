package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"

	"jiamenkou/internal/fault"
)

// Errors of InTx.
var (
	// ErrBusy: every attempt met a deadlock, a lock wait or a busy database.
	// Nothing was written; the caller may try again later.
	ErrBusy = fault.New(fault.Unavailable, "database.busy", "系统繁忙，请稍后再试")
	// ErrCommitUnknown: the connection broke while COMMIT was under way, so
	// that the work may or may not be durable. The closure is not run again:
	// whoever repeats the request with its idempotency key finds out.
	ErrCommitUnknown = fault.New(fault.Unavailable, "database.commit_unknown", "网络异常，请稍后刷新查看结果，勿重复提交")
)

// MySQL server errors that roll a transaction back through no fault of its own.
const (
	mysqlLockWaitTimeout  = 1205
	mysqlDeadlock         = 1213
	mysqlRecordHasChanged = 1020 // MariaDB with innodb_snapshot_isolation
	mysqlDuplicateEntry   = 1062
	mysqlRowIsReferenced  = 1451
	mysqlNoReferencedRow  = 1452
	mysqlCheckViolated    = 3819 // MySQL 8
	mariadbCheckViolated  = 4025
	mysqlOutOfRange       = 1690 // BIGINT UNSIGNED below zero
)

// First and longest wait between two attempts; the wait is drawn evenly from
// zero to a bound that doubles, so that rivals do not meet again.
const (
	firstBackoff = 5 * time.Millisecond
	maxBackoff   = 200 * time.Millisecond
)

// InTx runs fn in a READ COMMITTED transaction and commits it. On a deadlock,
// a lock wait time-out or a busy database it rolls back and runs the whole
// closure again, up to Config.MaxAttempts times with jittered backoff: fn must
// set what it returns afresh on each run and do nothing that a rollback does
// not undo. It returns fn's own error untouched, ErrBusy when the attempts
// are used up, and ErrCommitUnknown when the outcome cannot be known.
//
// Lock rows in key order, the hottest last, and make no network call inside.
func InTx(ctx context.Context, db *DB, fn func(tx *gorm.DB) error) error {
	backoff := firstBackoff
	for attempt := 1; ; attempt++ {
		err := runTx(ctx, db, fn)
		if err == nil || !isRetryable(err) {
			return err
		}
		if attempt == db.cfg.MaxAttempts {
			return retryAfter(ErrBusy, err)
		}
		select {
		case <-ctx.Done():
			return retryAfter(ErrBusy, errors.Join(ctx.Err(), err))
		case <-time.After(rand.N(backoff)): //nolint:gosec // jitter, not a secret
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func runTx(ctx context.Context, db *DB, fn func(tx *gorm.DB) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, db.cfg.TxTimeout)
	defer cancel()
	tx := db.write.WithContext(ctx).Begin(&sql.TxOptions{Isolation: db.isolation()})
	if tx.Error != nil {
		return tx.Error
	}
	committed := false
	defer func() {
		if !committed {
			tx.Rollback() // also on a panic, which goes on
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit().Error; err != nil {
		if isRetryable(err) {
			return err
		}
		return retryAfter(ErrCommitUnknown, err)
	}
	committed = true
	return nil
}

// isolation: SQLite knows no levels; one writer and WAL snapshots give it more
// than READ COMMITTED anyway.
func (db *DB) isolation() sql.IsolationLevel {
	if db.cfg.Driver == SQLite {
		return sql.LevelDefault
	}
	return sql.LevelReadCommitted
}

func retryAfter(e *fault.Error, cause error) error {
	c := e.WithCause(cause)
	c.RetryAfter = time.Second
	return c
}

func isRetryable(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return my.Number == mysqlDeadlock || my.Number == mysqlLockWaitTimeout || my.Number == mysqlRecordHasChanged
	}
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED)
}

// IsDuplicate reports whether a unique key refused the row.
func IsDuplicate(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) && my.Number == mysqlDuplicateEntry {
		return true
	}
	return errors.Is(err, gorm.ErrDuplicatedKey) ||
		errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// IsForeignKey reports whether a foreign key refused the row.
func IsForeignKey(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) && (my.Number == mysqlRowIsReferenced || my.Number == mysqlNoReferencedRow) {
		return true
	}
	return errors.Is(err, gorm.ErrForeignKeyViolated) || errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY)
}

// IsCheck reports whether a CHECK, or an unsigned column's range, refused the
// row.
func IsCheck(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return my.Number == mysqlCheckViolated || my.Number == mariadbCheckViolated || my.Number == mysqlOutOfRange
	}
	return errors.Is(err, gorm.ErrCheckConstraintViolated) || errors.Is(err, sqlite3.CONSTRAINT_CHECK)
}

// ForUpdate returns the suffix that locks the rows of a SELECT: nothing on
// SQLite, whose transaction holds the only write lock already.
func ForUpdate(tx *gorm.DB) string {
	if tx.Name() == string(SQLite) {
		return ""
	}
	return " FOR UPDATE"
}

// RequireRows returns an error unless the statement changed exactly n rows:
// a conditional update that found its row in another state.
func RequireRows(res *gorm.DB, n int64) error {
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected != n {
		return fmt.Errorf("%w: changed %d rows, want %d", ErrRowsChanged, res.RowsAffected, n)
	}
	return nil
}

// ErrRowsChanged is what RequireRows reports; a service turns it into its own
// conflict.
var ErrRowsChanged = errors.New("database: conditional update")
