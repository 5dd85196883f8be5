package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
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
	// ErrBusy: every attempt met a deadlock, a lock wait or a busy database, or
	// one attempt took longer than it may.
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
	mysqlOutOfRange       = 1690 // BIGINT UNSIGNED counted below zero
	mysqlColumnRange      = 1264 // BIGINT UNSIGNED set below zero
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
// or Config.TxTimeout is used up, and ErrCommitUnknown when the outcome cannot
// be known. An error other than ErrCommitUnknown means that nothing was written.
//
// fn returns the first error of a statement: after a deadlock the server has
// ended the transaction, and what follows would be written outside of it.
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

func runTx(caller context.Context, db *DB, fn func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(caller, db.cfg.TxTimeout)
	defer cancel()
	a := &attempt{caller: caller}
	a.ctx = context.WithValue(ctx, attemptKey{}, a)
	tx := db.write.WithContext(a.ctx).Begin() // READ COMMITTED by readCommitted; SQLite's one writer needs no level
	if tx.Error != nil {
		return a.unwritten(tx.Error)
	}
	committed := false
	defer func() {
		if !committed {
			tx.Rollback() // also on a panic, which goes on
		}
	}()
	if err := fn(tx); err != nil {
		return a.unwritten(err)
	}
	if a.rolledBack != nil {
		return a.rolledBack
	}
	// A context tells its children a moment after itself, and the driver's is
	// a child: without this look a COMMIT could slip through after the end.
	if err := a.ctx.Err(); err != nil {
		return a.unwritten(err)
	}
	if err := tx.Commit().Error; err != nil {
		return a.commitError(err)
	}
	committed = true
	return nil
}

// attempt is one run of a closure.
type attempt struct {
	caller     context.Context //nolint:containedctx // lives exactly as long as the call that was given it
	ctx        context.Context //nolint:containedctx // as above; ends with caller or with Config.TxTimeout
	rolledBack error           // the server ended the transaction by itself
}

type attemptKey struct{}

// unwritten is the error of an attempt that wrote nothing. That its own time
// ran out, and not the caller's, means that the database is busy.
func (a *attempt) unwritten(err error) error {
	if a.ctx.Err() != nil && a.caller.Err() == nil && isCutOff(err) {
		return retryAfter(ErrBusy, err)
	}
	return err
}

// commitError is the error of an attempt whose Commit failed.
func (a *attempt) commitError(err error) error {
	if isRetryable(err) {
		return err
	}
	// Once its context is over, database/sql rolls back and sends no COMMIT.
	if errors.Is(err, sql.ErrTxDone) && a.ctx.Err() != nil {
		return a.unwritten(errors.Join(a.ctx.Err(), err))
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return a.unwritten(err)
	}
	return retryAfter(ErrCommitUnknown, err)
}

// isCutOff reports whether a statement failed since its context was over: the
// drivers have several words for it.
func isCutOff(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sqlite3.INTERRUPT)
}

// watchRollbacks makes every statement of g note it when the server answers
// that it has rolled the whole transaction back. A closure that goes on in
// spite of that error writes outside of any transaction; InTx at least runs it
// again instead of reporting a success that is half one.
func watchRollbacks(g *gorm.DB) error {
	note := func(tx *gorm.DB) {
		if a, ok := tx.Statement.Context.Value(attemptKey{}).(*attempt); ok && isRolledBack(tx.Error) {
			a.rolledBack = tx.Error
		}
	}
	const name = "database:watch_rollbacks"
	on := g.Callback()
	return errors.Join(
		on.Create().Register(name, note), on.Query().Register(name, note), on.Update().Register(name, note),
		on.Delete().Register(name, note), on.Row().Register(name, note), on.Raw().Register(name, note),
	)
}

func isRolledBack(err error) bool {
	my, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (my.Number == mysqlDeadlock || my.Number == mysqlRecordHasChanged)
}

func retryAfter(e *fault.Error, cause error) error {
	c := e.WithCause(cause)
	c.RetryAfter = time.Second
	return c
}

func isRetryable(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return my.Number == mysqlDeadlock || my.Number == mysqlLockWaitTimeout || my.Number == mysqlRecordHasChanged
	}
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED)
}

// IsDuplicate reports whether a unique key refused the row.
func IsDuplicate(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok && my.Number == mysqlDuplicateEntry {
		return true
	}
	return errors.Is(err, gorm.ErrDuplicatedKey) ||
		errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// IsForeignKey reports whether a foreign key refused the row.
func IsForeignKey(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok && (my.Number == mysqlRowIsReferenced || my.Number == mysqlNoReferencedRow) {
		return true
	}
	return errors.Is(err, gorm.ErrForeignKeyViolated) || errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY)
}

// IsCheck reports whether a CHECK, or an unsigned column's range, refused the
// row.
func IsCheck(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch my.Number {
		case mysqlCheckViolated, mariadbCheckViolated, mysqlOutOfRange, mysqlColumnRange:
			return true
		}
		return false
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

// InOrder returns the join that reads the table on its left first: so that a list
// follows an index of that table to the end of a page, or so that few rows lead to
// those that belong to them. A list must then be one of which the actor may see
// nearly every row: of one who may see few it would read many.
func InOrder(tx *gorm.DB) string {
	if tx.Name() == string(SQLite) {
		return "CROSS JOIN"
	}
	return "STRAIGHT_JOIN"
}

// ByIndex returns what follows a table's name to have it read by that index, where
// MySQL would rather follow the primary key and filter.
func ByIndex(tx *gorm.DB, index string) string {
	if tx.Name() == string(SQLite) {
		return "INDEXED BY " + index
	}
	return "FORCE INDEX (" + index + ")"
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
