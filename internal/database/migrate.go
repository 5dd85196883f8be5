package database

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"jiamenkou/migrations"
)

// MigrationStatus is one migration and whether it was applied.
type MigrationStatus struct {
	Name    string
	Applied bool
}

// Migrate applies every pending migration and returns how many there were.
// Several instances may start together on MySQL, where a lock table lets one
// of them migrate while the others wait. An SQLite file has one instance.
func Migrate(ctx context.Context, db *DB) (applied int, err error) {
	err = withProvider(db, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		applied = len(results)
		return err
	})
	return applied, err
}

// Migrations lists every migration in order.
func Migrations(ctx context.Context, db *DB) (out []MigrationStatus, err error) {
	err = withProvider(db, func(p *goose.Provider) error {
		rows, err := p.Status(ctx)
		for _, r := range rows {
			out = append(out, MigrationStatus{Name: r.Source.Path, Applied: r.State == goose.StateApplied})
		}
		return err
	})
	return out, err
}

// Pending reports whether a migration waits to be applied.
func Pending(ctx context.Context, db *DB) (pending bool, err error) {
	err = withProvider(db, func(p *goose.Provider) error {
		pending, err = p.HasPending(ctx)
		return err
	})
	return pending, err
}

func withProvider(db *DB, fn func(*goose.Provider) error) error {
	folder, err := fs.Sub(migrations.Files, string(db.cfg.Driver))
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	dialect, pool, opts := goose.DialectSQLite3, db.writeSQL, []goose.ProviderOption(nil)
	if db.cfg.Driver == MySQL {
		// goose's lock reads RowsAffected as changed rows and scans time
		// stamps, so it gets a pool of its own without our two settings.
		dsn, err := mysqlDSN(db.cfg)
		if err != nil {
			return err
		}
		dsn.ParseTime = true
		if pool, err = openPool(dsn); err != nil {
			return err
		}
		defer pool.Close() //nolint:errcheck // every statement has been answered
		locker, err := lock.NewMySQLTableLocker()
		if err != nil {
			return fmt.Errorf("database: %w", err)
		}
		dialect, opts = goose.DialectMySQL, append(opts, goose.WithLocker(locker))
	}
	p, err := goose.NewProvider(dialect, pool, folder, opts...)
	if err != nil {
		return fmt.Errorf("database: migrations: %w", err)
	}
	if err := fn(p); err != nil {
		return fmt.Errorf("database: migrations: %w", err)
	}
	return nil
}
