package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
)

// AuditPhase is how a service above the ledger has its rows checked: by ranges
// of one table's ids, each from one consistent read.
type AuditPhase struct {
	Table  string // whose id makes the ranges
	Rows   int    // of one range, at most; 0 means 5,000. Fewer where each row stands for many others
	Checks []RangeCheck
	// Args are more arguments of the checks than the range's bounds, read in
	// the same snapshot; nil if there are none.
	Args func(tx *gorm.DB) ([]sql.NamedArg, error)
}

// RangeCheck is one comparison: a query with the columns object, account, want
// and got that returns only what differs among the rows @lo < id <= @hi.
type RangeCheck struct{ Name, Query string }

// StartAuditRows is the state at the beginning of AuditRows. It counts the rows,
// for the progress.
func (s *Service) StartAuditRows(ctx context.Context, phases []AuditPhase) (AuditState, error) {
	state := AuditState{StartedAt: clock.Now(s.clock)}
	counts := make([]string, len(phases))
	for i, p := range phases {
		counts[i] = "(SELECT COUNT(*) FROM " + p.Table + ")"
	}
	err := s.db.Read(ctx).Raw("SELECT " + strings.Join(counts, " + ")).Scan(&state.Total).Error
	if err != nil {
		return state, fmt.Errorf("ledger: audit: %w", err)
	}
	return state, nil
}

// AuditRows passes the phases one after the other, as AuditStream passes those
// of the ledger: in constant memory, and resumable.
func (s *Service) AuditRows(ctx context.Context, phases []AuditPhase, o AuditOptions) (AuditResult, error) {
	own := make([]auditPhase, len(phases))
	for i, p := range phases {
		own[i] = func(a *auditor, ctx context.Context, after string) (string, error) { return a.rowRange(ctx, p, after) }
	}
	start := func(ctx context.Context) (AuditState, error) { return s.StartAuditRows(ctx, phases) }
	return s.audit(ctx, own, start, o)
}

// rowRange checks the next range of a phase. The last one has no end, so that rows are met
// whose parent in Table is missing.
func (a *auditor) rowRange(ctx context.Context, p AuditPhase, after string) (next string, err error) {
	rows := a.rows
	if p.Rows > 0 {
		rows = min(rows, p.Rows)
	}
	err = database.Snapshot(ctx, a.s.db, func(tx *gorm.DB) error {
		var part struct {
			N    int64
			Last string
		}
		err := tx.Raw(`SELECT COUNT(*) AS n, COALESCE(MAX(id), '') AS last
			FROM (SELECT id FROM `+p.Table+` WHERE id > ? ORDER BY id LIMIT ?) part`, after, rows).Scan(&part).Error
		if err != nil {
			return err
		}
		next = lastID
		if part.N == int64(rows) {
			next = part.Last
		}
		args := []any{sql.Named("lo", after), sql.Named("hi", next)}
		if p.Args != nil {
			more, err := p.Args(tx)
			if err != nil {
				return err
			}
			for _, m := range more {
				args = append(args, m)
			}
		}
		for _, c := range p.Checks {
			found, err := runCheck(tx, c.Name, c.Query, args...)
			if err != nil {
				return err
			}
			a.found(found...)
		}
		a.state.Counts.Rows += part.N
		return nil
	})
	return next, err
}
