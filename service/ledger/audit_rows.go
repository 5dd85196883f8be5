package ledger

import (
	"context"
	"database/sql"
	"fmt"

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
	// Count and Next are for rows that no single id orders: Table is empty then.
	Count func(tx *gorm.DB) (int64, error)
	Next  func(tx *gorm.DB, after string, rows int) (AuditRange, error)
}

// AuditRange is a range that an AuditPhase has made itself.
type AuditRange struct {
	Rows int64 // as Count counts them
	// Last is what Next is given for the range after this one; "" if there is
	// none, and then the range is not checked.
	Last string
	Args []sql.NamedArg // of the checks, in place of @lo and @hi
}

// RangeCheck is one comparison: a query with the columns object, account, want
// and got that returns only what differs among the rows @lo < id <= @hi.
type RangeCheck struct{ Name, Query string }

// StartAuditRows is the state at the beginning of AuditRows. It counts the rows,
// for the progress.
func (s *Service) StartAuditRows(ctx context.Context, phases []AuditPhase) (AuditState, error) {
	state := AuditState{StartedAt: clock.Now(s.clock)}
	for _, p := range phases {
		n, err := p.count(s.db.Read(ctx))
		if err != nil {
			return state, fmt.Errorf("ledger: audit: %w", err)
		}
		state.Total += n
	}
	return state, nil
}

func (p AuditPhase) count(tx *gorm.DB) (n int64, err error) {
	if p.Count != nil {
		return p.Count(tx)
	}
	err = tx.Raw("SELECT COUNT(*) FROM " + p.Table).Scan(&n).Error
	return n, err
}

// next is the range after the row of that id, with at most so many rows.
func (p AuditPhase) next(tx *gorm.DB, after string, rows int) (AuditRange, error) {
	if p.Next != nil {
		return p.Next(tx, after, rows)
	}
	var part struct {
		N    int64
		Last string
	}
	err := tx.Raw(`SELECT COUNT(*) AS n, COALESCE(MAX(id), '') AS last
		FROM (SELECT id FROM `+p.Table+` WHERE id > ? ORDER BY id LIMIT ?) part`, after, rows).Scan(&part).Error
	if part.N < int64(rows) {
		part.Last = lastID
	}
	return AuditRange{Rows: part.N, Last: part.Last, Args: []sql.NamedArg{sql.Named("lo", after), sql.Named("hi", part.Last)}}, err
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
		part, err := p.next(tx, after, rows)
		if err != nil || part.Last == "" {
			return err
		}
		next = part.Last
		var args []any
		for _, m := range part.Args {
			args = append(args, m)
		}
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
		a.state.Counts.Rows += part.Rows
		return nil
	})
	return next, err
}
