package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// appendOnly are the tables whose rows never change and never go.
var appendOnly = []string{"journal", "transfer", "lot_entry", "wallet_link", "seal"}

// AppendOnlyTables lists the tables that Protect guards.
func AppendOnlyTables() []string { return append([]string(nil), appendOnly...) }

// What a server answers where triggers cannot be made: the account lacks SUPER
// while the binary log is on (1419), or lacks the TRIGGER privilege (1142).
const (
	mysqlTriggerNeedsSuper = 1419
	mysqlTriggerDenied     = 1142
	mysqlTriggerExists     = 1359
)

// Protect makes the triggers that refuse UPDATE and DELETE on the append-only
// tables, where they are missing. It is no migration, since a server may refuse
// it for reasons that are no fault of the schema: then it returns the reason
// (for a warning) and no error, and the program's own grants and the sealed
// chains have to do. It may be run at any time and by several instances.
func Protect(ctx context.Context, db *DB) (refused string, err error) {
	if db.cfg.Driver == MySQL {
		if reason, err := db.withoutTriggers(ctx); reason != "" || err != nil {
			return reason, err
		}
	}
	present, err := db.triggers(ctx)
	if err != nil {
		return "", fmt.Errorf("database: append only: %w", err)
	}
	for _, table := range appendOnly {
		for _, event := range []string{"UPDATE", "DELETE"} {
			name := TriggerName(table, event)
			if present[name] {
				continue
			}
			_, err := db.writeSQL.ExecContext(ctx, db.trigger(name, table, event))
			my, ok := errors.AsType[*mysql.MySQLError](err)
			switch {
			case err == nil, ok && my.Number == mysqlTriggerExists: // the latter: another instance was faster
			case ok && my.Number == mysqlTriggerNeedsSuper:
				return "the server keeps a binary log and the account has no SUPER (error 1419): set log_bin_trust_function_creators, or make the triggers by hand", nil
			case ok && my.Number == mysqlTriggerDenied:
				return "the account has no TRIGGER privilege (error 1142)", nil
			default:
				return "", fmt.Errorf("database: append only: %s: %w", table, err)
			}
		}
	}
	return "", nil
}

// TriggerName is the name of the trigger that guards a table against an event
// (UPDATE or DELETE).
func TriggerName(table, event string) string { return table + "_no_" + strings.ToLower(event) }

func (db *DB) trigger(name, table, event string) string {
	if db.cfg.Driver == SQLite {
		return fmt.Sprintf(`CREATE TRIGGER IF NOT EXISTS %s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, '%s is append only'); END`,
			name, event, table, table)
	}
	return fmt.Sprintf(`CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '%s is append only'`,
		name, event, table, table)
}

func (db *DB) triggers(ctx context.Context) (map[string]bool, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'trigger'`
	if db.cfg.Driver == MySQL {
		query = `SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()`
	}
	rows, err := db.writeSQL.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, rows.Err()
}

// withoutTriggers says why the server has none at all: TiDB.
func (db *DB) withoutTriggers(ctx context.Context) (reason string, err error) {
	var version string
	if err := db.writeSQL.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return "", fmt.Errorf("database: append only: %w", err)
	}
	if strings.Contains(version, "TiDB") {
		return "TiDB has no triggers: grant the program INSERT and SELECT only on these tables", nil
	}
	return "", nil
}
