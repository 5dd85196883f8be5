package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"jiamenkou/internal/clock"
)

// The floor replays what the program wrote: the very rows, in the very
// transactions, by bare multi-row statements on a copy of the database as it
// was before. It reads nothing and decides nothing.

// written is how the rows of a table are found, with the instant of their
// journal row in front: all rows of one transaction share it.
type written struct{ table, from string }

var (
	orderTables = []written{
		{"journal", "journal j JOIN journal x ON x.id = j.id"},
		{"hold", "journal j JOIN hold x ON x.journal_id = j.id"},
		{"hold_lot", "journal j JOIN hold h ON h.journal_id = j.id JOIN hold_lot x ON x.hold_id = h.id"},
		{"benefit_order", "journal j JOIN hold h ON h.journal_id = j.id JOIN benefit_order x ON x.hold_id = h.id"},
		{"order_history", "journal j JOIN hold h ON h.journal_id = j.id JOIN benefit_order o ON o.hold_id = h.id JOIN order_history x ON x.order_id = o.id"},
	}
	earnTables = []written{
		{"daily_sign_in", "journal j JOIN award a ON a.journal_id = j.id JOIN daily_sign_in x ON x.resident_id = a.resident_id AND x.day = a.day"},
		{"account", "journal j JOIN transfer t ON t.journal_id = j.id JOIN account x ON x.id = t.credit_account_id"},
		{"journal", "journal j JOIN journal x ON x.id = j.id"},
		{"transfer", "journal j JOIN transfer x ON x.journal_id = j.id"},
		{"lot", "journal j JOIN transfer t ON t.journal_id = j.id JOIN lot x ON x.account_id = t.credit_account_id"},
		{"lot_entry", "journal j JOIN transfer t ON t.journal_id = j.id JOIN lot_entry x ON x.transfer_id = t.id"},
		{"award", "journal j JOIN award x ON x.journal_id = j.id"},
	}
)

// rowsOf are the rows of one table in one transaction.
type rowsOf struct {
	table   string
	columns []string
	rows    [][]any
}

// counter is a row that is updated: by how much each of its columns grows.
type counter struct {
	table, key string
	columns    []string
	by         map[string][]int64
}

func (c *counter) add(key string, by ...int64) {
	if c.by[key] == nil {
		c.by[key] = make([]int64, len(by))
	}
	for i, n := range by {
		c.by[key][i] += n
	}
}

// transaction is one of the program's, as the floor writes it.
type transaction struct {
	items    int
	inserts  []*rowsOf
	counters []*counter
}

// recordedTx reads the transactions of one kind from an instant on.
func recordedTx(ctx context.Context, db *sql.DB, kind string, since clock.Instant) ([]*transaction, error) {
	tables := orderTables
	if kind == "earn" {
		tables = earnTables
	}
	found := map[int64]*transaction{}
	for _, w := range tables {
		if err := w.read(ctx, db, kind, since, found); err != nil {
			return nil, fmt.Errorf("floor: %s: %w", w.table, err)
		}
	}
	out := make([]*transaction, 0, len(found))
	for _, at := range slices.Sorted(maps.Keys(found)) {
		t := found[at]
		t.count(kind)
		out = append(out, t)
	}
	return out, nil
}

func (w written) read(ctx context.Context, db *sql.DB, kind string, since clock.Instant, into map[int64]*transaction) (err error) {
	rows, err := db.QueryContext(ctx, "SELECT j.created_at, x.* FROM "+w.from+" WHERE j.kind = ? AND j.created_at >= ? ORDER BY j.created_at, j.id", kind, int64(since)) //nolint:gosec // from is one of our own constants
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close(), rows.Err()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		var at int64
		values, targets := make([]any, len(columns)-1), []any{&at}
		for i := range values {
			targets = append(targets, &values[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = string(b)
			}
		}
		if into[at] == nil {
			into[at] = &transaction{}
		}
		into[at].add(w.table, columns[1:], values)
	}
	return nil
}

func (t *transaction) add(table string, columns []string, values []any) {
	last := len(t.inserts) - 1
	if last < 0 || t.inserts[last].table != table {
		t.inserts = append(t.inserts, &rowsOf{table: table, columns: columns})
		last++
	}
	t.inserts[last].rows = append(t.inserts[last].rows, values)
}

// count derives the updates, and rolls inserted rows back to what they were
// when they were inserted.
func (t *transaction) count(kind string) {
	balances := &counter{table: "account_balance", key: "account_id", by: map[string][]int64{}}
	t.counters = []*counter{balances}
	if kind == "earn" {
		balances.columns = []string{"posted", "headroom"}
	} else {
		balances.columns = []string{"held", "headroom"}
		t.counters = []*counter{
			{table: "lot", key: "id", columns: []string{"held"}, by: map[string][]int64{}},
			balances,
			{table: "benefit_stock", key: "release_id", columns: []string{"sold", "remaining"}, by: map[string][]int64{}},
		}
	}
	opened := &rowsOf{table: "account_balance", columns: []string{"account_id"}}
	for _, in := range t.inserts {
		at := func(column string) int { return slices.Index(in.columns, column) }
		for _, row := range in.rows {
			switch in.table {
			case "journal":
				t.items++
			case "account":
				opened.rows = append(opened.rows, []any{row[at("id")]})
			case "transfer":
				amount := number(row[at("amount")])
				balances.add(text(row[at("debit_account_id")]), -amount, -amount)
				balances.add(text(row[at("credit_account_id")]), amount, amount)
			case "hold":
				amount := number(row[at("amount")])
				balances.add(text(row[at("account_id")]), amount, -amount)
			case "hold_lot":
				t.counters[0].add(text(row[at("lot_id")]), number(row[at("amount")]))
			case "benefit_order":
				t.counters[2].add(text(row[at("release_id")]), 1, -1)
			}
		}
	}
	if len(opened.rows) > 0 { // right behind account, which is the second
		t.inserts = slices.Insert(t.inserts, 2, opened)
	}
}

func text(v any) string { return fmt.Sprint(v) }

func number(v any) (n int64) {
	_, _ = fmt.Sscan(fmt.Sprint(v), &n) // the drivers give int64 or digits
	return n
}

// statement is SQL with its arguments, built before the clock starts.
type statement struct {
	sql  string
	args []any
}

func (t *transaction) statements() (out []statement) {
	for _, in := range t.inserts {
		var args []any
		for _, row := range in.rows {
			args = append(args, row...)
		}
		values := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(in.columns)), ", ") + ")"
		out = append(out, statement{
			"INSERT INTO " + in.table + " (" + strings.Join(in.columns, ", ") + ") VALUES " +
				strings.TrimSuffix(strings.Repeat(values+", ", len(in.rows)), ", "), args,
		})
	}
	for _, c := range t.counters {
		out = append(out, c.statement())
	}
	return out
}

func (c *counter) statement() statement {
	var (
		set  []string
		args []any
		keys = slices.Sorted(maps.Keys(c.by))
	)
	for i, column := range c.columns {
		set = append(set, column+" = "+column+" + CASE "+c.key+strings.Repeat(" WHEN ? THEN ?", len(keys))+" ELSE 0 END")
		for _, k := range keys {
			args = append(args, k, c.by[k][i])
		}
	}
	for _, k := range keys {
		args = append(args, k)
	}
	return statement{
		"UPDATE " + c.table + " SET version = version + 1, " + strings.Join(set, ", ") +
			" WHERE " + c.key + " IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(keys)), ", ") + ")", args,
	}
}

// replay writes the transactions over so many connections and returns items
// per second.
func replay(ctx context.Context, db *sql.DB, connections int, txs []*transaction) (float64, error) {
	work, items := make(chan []statement, len(txs)), 0
	for _, t := range txs {
		work <- t.statements()
		items += t.items
	}
	close(work)
	errs := make([]error, connections)
	var all sync.WaitGroup
	start := time.Now()
	for c := range connections {
		all.Go(func() {
			for statements := range work {
				if errs[c] = commit(ctx, db, statements); errs[c] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return float64(items) / time.Since(start).Seconds(), errors.Join(errs...)
}

func commit(ctx context.Context, db *sql.DB, statements []statement) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s.sql, s.args...); err != nil {
			return errors.Join(fmt.Errorf("%.60s…: %w", s.sql, err), tx.Rollback())
		}
	}
	return tx.Commit()
}
