package database

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// Snapshot runs fn in a read-only transaction in which every statement sees
// the database as the first one did, whatever others commit meanwhile: REPEATABLE
// READ on MySQL, a WAL snapshot on SQLite. It takes no lock and is not retried.
func Snapshot(ctx context.Context, db *DB, fn func(tx *gorm.DB) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.cfg.Driver == MySQL {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx := db.read.WithContext(ctx).Begin(opts)
	if tx.Error != nil {
		return tx.Error
	}
	defer tx.Rollback() // it only read
	return fn(tx)
}

// TxTimeout is the longest that one attempt of InTx may take; its COMMIT may
// take as long again twice.
func (db *DB) TxTimeout() time.Duration { return db.cfg.TxTimeout }
