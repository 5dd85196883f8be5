package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// AuditOptions adjust an audit; the zero value runs it whole and in silence.
type AuditOptions struct {
	Resume        *AuditState               // go on where an earlier audit stopped
	Step          func(AuditProgress) error // called after each range; an error ends the audit
	RangeAccounts int                       // accounts checked from one consistent read; 0 means 200
	RangeRows     int                       // rows of the journal, of the links or of an AuditPhase checked from one consistent read; 0 means 5,000
}

// AuditProgress is how far an audit is. State is all that Resume needs.
type AuditProgress struct {
	Done, Total int64 // accounts, transfers, journal rows, links and parts of the tree, or rows of the phases, together
	State       AuditState
}

// AuditState is where an audit stands between two ranges.
type AuditState struct {
	StartedAt   clock.Instant
	Total       int64
	Phase       int
	After       string // the last id of the range before; "" at the beginning of a phase
	Counts      AuditCounts
	Differences []Difference
	Complete    bool // every phase is through
}

// AuditCounts says what was looked at.
type AuditCounts struct {
	Accounts int64
	Sums     int64 // transfers of accounts that are no wallets
	Links    int64
	Journals int64
	Seals    int64
	Parts    int64 // of the tree
	Rows     int64 // of a service above the ledger
}

func (c AuditCounts) done() int64 {
	return c.Accounts + c.Sums + c.Journals + c.Links + c.Parts + c.Rows
}

// Progress is how far the audit is.
func (s AuditState) Progress() AuditProgress {
	done := s.Counts.done()
	if s.Complete {
		return AuditProgress{Done: done, Total: done, State: s} // rows may have gone meanwhile
	}
	return AuditProgress{Done: done, Total: max(s.Total, done), State: s}
}

// AuditResult is what an audit found.
type AuditResult struct {
	Differences []Difference // at most 100, then the audit stops
	Counts      AuditCounts
}

const (
	auditAccounts = 200   // accounts of one range
	auditRows     = 5_000 // rows of one range
	auditLinks    = 1_000 // links in memory at once
	auditSums     = 10    // times as many rows in one part of a sum, of which only a key is read
	auditSubtrees = 16    // the tree is read in so many parts, of 8,191 nodes at most
	subtreeLevel  = 4     // at which there are that many
	lastID        = "~"   // after every id
	// linkGrace is how much older than the last complete relinking a transfer
	// must be for a missing link to count: the sealer runs behind, and a clock
	// may have been set back.
	linkGrace = 48 * time.Hour
)

// auditPhases are the ledger's own. Each is passed from range to range: it takes
// the id after which to go on and returns the next one, "" at its end. Each
// range is checked from one read-only transaction, so that whoever writes
// meanwhile neither waits nor makes a sound ledger look broken. A new one comes
// last: an audit that an older version began goes on by its number.
var auditPhases = []auditPhase{
	(*auditor).accountRange,
	(*auditor).journalRange,
	(*auditor).subtree,
	(*auditor).treeTop,
	(*auditor).sealRange,
	(*auditor).sum,
	(*auditor).coveredRange,
}

type auditPhase func(a *auditor, ctx context.Context, after string) (next string, err error)

type auditor struct {
	s      *Service
	size   int
	rows   int
	phases []auditPhase
	state  AuditState
}

// StartAudit is the state at the beginning of the ledger's own audit. It counts
// what there is, for the progress: of transfers, those between two accounts that
// are no wallets are summed twice, and are few.
func (s *Service) StartAudit(ctx context.Context) (AuditState, error) {
	state := AuditState{StartedAt: clock.Now(s.clock)}
	err := s.db.Read(ctx).Raw(`SELECT (SELECT COUNT(*) FROM account) + (SELECT COUNT(*) FROM transfer) + (SELECT COUNT(*) FROM journal)
		+ (SELECT COUNT(*) FROM wallet_link) + ?`, auditSubtrees).Scan(&state.Total).Error
	return state, err
}

// AuditStream is the audit, by ranges of accounts and in constant memory. An
// audit that was stopped can be resumed from the last state that Step was given.
func (s *Service) AuditStream(ctx context.Context, o AuditOptions) (AuditResult, error) {
	return s.audit(ctx, auditPhases, s.StartAudit, o)
}

func (s *Service) audit(
	ctx context.Context, phases []auditPhase, start func(context.Context) (AuditState, error), o AuditOptions,
) (AuditResult, error) {
	a := &auditor{s: s, phases: phases, size: o.RangeAccounts, rows: o.RangeRows}
	if a.size <= 0 {
		a.size = auditAccounts
	}
	if a.rows <= 0 {
		a.rows = auditRows
	}
	if o.Resume != nil {
		a.state = *o.Resume
	} else {
		var err error
		if a.state, err = start(ctx); err != nil {
			return AuditResult{}, err
		}
	}
	return a.run(ctx, o.Step)
}

func (a *auditor) run(ctx context.Context, step func(AuditProgress) error) (AuditResult, error) {
	for a.state.Phase < len(a.phases) && len(a.state.Differences) < maxDifferences {
		next, err := a.phases[a.state.Phase](a, ctx, a.state.After)
		if err != nil {
			return a.result(), fmt.Errorf("ledger: audit: %w", err)
		}
		a.state.After = next
		if next == "" || next == lastID {
			a.state.After = ""
			a.state.Phase++
		}
		a.state.Complete = a.state.Phase == len(a.phases)
		if step != nil {
			if err := step(a.state.Progress()); err != nil {
				return a.result(), err
			}
		}
	}
	return a.result(), nil
}

func (a *auditor) result() AuditResult {
	return AuditResult{Differences: a.state.Differences[:min(len(a.state.Differences), maxDifferences)], Counts: a.state.Counts}
}

func (a *auditor) found(d ...Difference) { a.state.Differences = append(a.state.Differences, d...) }

// rangeChecks compare the rows of a range of accounts.
var rangeChecks = []RangeCheck{
	// The sums of other accounts are taken in parts: see bigSums.
	{"balance equals its transfers", `SELECT b.account_id AS object, b.account_id AS account,
			COALESCE(c.total, 0) - COALESCE(d.total, 0) AS want, b.posted AS got
		FROM account_balance b
		LEFT JOIN (SELECT credit_account_id AS account_id, SUM(amount) AS total FROM transfer
			WHERE credit_account_id > @lo AND credit_account_id <= @hi AND credit_account_id < '2' GROUP BY credit_account_id) c ON c.account_id = b.account_id
		LEFT JOIN (SELECT debit_account_id AS account_id, SUM(amount) AS total FROM transfer
			WHERE debit_account_id > @lo AND debit_account_id <= @hi AND debit_account_id < '2' GROUP BY debit_account_id) d ON d.account_id = b.account_id
		WHERE b.account_id > @lo AND b.account_id <= @hi AND b.account_id < '2' AND b.posted <> COALESCE(c.total, 0) - COALESCE(d.total, 0)`},
	{"every account has a balance", `SELECT a.id AS object, a.id AS account, 1 AS want, 0 AS got
		FROM account a LEFT JOIN account_balance b ON b.account_id = a.id
		WHERE a.id > @lo AND a.id <= @hi AND b.account_id IS NULL`},
	{"held equals the pending holds", `SELECT b.account_id AS object, b.account_id AS account, COALESCE(h.total, 0) AS want, b.held AS got
		FROM account_balance b LEFT JOIN (
			SELECT account_id, SUM(amount) AS total FROM hold
			WHERE account_id > @lo AND account_id <= @hi AND status = 'pending' GROUP BY account_id
		) h ON h.account_id = b.account_id
		WHERE b.account_id > @lo AND b.account_id <= @hi AND b.held <> COALESCE(h.total, 0)`},
	{"headroom is posted less held less floor", `SELECT account_id AS object, account_id AS account, posted - held - floor_points AS want, headroom AS got
		FROM account_balance WHERE account_id > @lo AND account_id <= @hi AND (posted - held - floor_points <> headroom OR headroom < 0)`},
	{"wallet equals its lots", `SELECT b.account_id AS object, b.account_id AS account, b.posted AS want, COALESCE(l.total, 0) AS got
		FROM account_balance b LEFT JOIN (
			SELECT account_id, SUM(remaining) AS total FROM lot WHERE account_id > @lo AND account_id <= @hi GROUP BY account_id
		) l ON l.account_id = b.account_id
		WHERE b.account_id > @lo AND b.account_id <= @hi AND b.account_id < '2' AND b.posted <> COALESCE(l.total, 0)`},
	{"lot equals its entries", `SELECT l.id AS object, l.account_id AS account, COALESCE(e.total, 0) AS want, l.remaining AS got
		FROM lot l LEFT JOIN (
			SELECT x.lot_id, SUM(x.amount) AS total FROM lot y JOIN lot_entry x ON x.lot_id = y.id
			WHERE y.account_id > @lo AND y.account_id <= @hi GROUP BY x.lot_id
		) e ON e.lot_id = l.id
		WHERE l.account_id > @lo AND l.account_id <= @hi AND l.remaining <> COALESCE(e.total, 0)`},
	{"lot's held equals the pins of pending holds", `SELECT l.id AS object, l.account_id AS account, COALESCE(p.total, 0) AS want, l.held AS got
		FROM lot l LEFT JOIN (
			SELECT hl.lot_id, SUM(hl.amount) AS total FROM hold h JOIN hold_lot hl ON hl.hold_id = h.id
			WHERE h.account_id > @lo AND h.account_id <= @hi AND h.status = 'pending' GROUP BY hl.lot_id
		) p ON p.lot_id = l.id
		WHERE l.account_id > @lo AND l.account_id <= @hi AND l.held <> COALESCE(p.total, 0)`},
	{"hold equals its pins", `SELECT h.id AS object, h.account_id AS account, h.amount AS want, COALESCE(p.total, 0) AS got
		FROM hold h LEFT JOIN (
			SELECT hl.hold_id, SUM(hl.amount) AS total FROM hold k JOIN hold_lot hl ON hl.hold_id = k.id
			WHERE k.account_id > @lo AND k.account_id <= @hi GROUP BY hl.hold_id
		) p ON p.hold_id = h.id
		WHERE h.account_id > @lo AND h.account_id <= @hi AND h.amount <> COALESCE(p.total, 0)`},
	{"captured hold has its transfer", `SELECT h.id AS object, h.account_id AS account, h.amount AS want, COALESCE(t.amount, 0) AS got
		FROM hold h LEFT JOIN transfer t ON t.hold_id = h.id
		WHERE h.account_id > @lo AND h.account_id <= @hi AND h.status = 'captured'
			AND (t.id IS NULL OR t.amount <> h.amount OR t.debit_account_id <> h.account_id)`},
	{"transfer's hold is captured", `SELECT t.id AS object, t.debit_account_id AS account, 1 AS want, 0 AS got
		FROM hold h JOIN transfer t ON t.hold_id = h.id
		WHERE h.account_id > @lo AND h.account_id <= @hi AND h.status <> 'captured'`},
}

// accountRange checks the next accounts: balances, holds, lots and chains.
func (a *auditor) accountRange(ctx context.Context, after string) (next string, err error) {
	err = database.Snapshot(ctx, a.s.db, func(tx *gorm.DB) error {
		var ids []string
		if err := tx.Raw(`SELECT id FROM account WHERE id > ? ORDER BY id LIMIT ?`, after, a.size).Scan(&ids).Error; err != nil {
			return err
		}
		// The ranges cover every id there could be, so that rows without an
		// account are met as well.
		next = lastID
		if len(ids) == a.size {
			next = ids[len(ids)-1]
		}
		for _, c := range rangeChecks {
			d, err := runCheck(tx, c.Name, c.Query, sql.Named("lo", after), sql.Named("hi", next))
			if err != nil {
				return err
			}
			a.found(d...)
		}
		if err := a.bigSums(tx, ids); err != nil {
			return err
		}
		if err := a.chains(tx, after, next); err != nil {
			return err
		}
		a.state.Counts.Accounts += int64(len(ids))
		return nil
	})
	return next, err
}

// bigSums compares the balances of accounts that are no wallets: a budget has
// millions of transfers, which one statement would not sum in time.
func (a *auditor) bigSums(tx *gorm.DB, ids []string) error {
	for _, id := range ids {
		if AccountID(id).Kind() == model.AccountWallet {
			continue
		}
		credit, err := a.sumOf(tx, "credit_account_id", id)
		if err != nil {
			return err
		}
		debit, err := a.sumOf(tx, "debit_account_id", id)
		if err != nil {
			return err
		}
		net := credit - debit
		d, err := runCheck(tx, "balance equals its transfers", `SELECT account_id AS object, account_id AS account, ? AS want, posted AS got
			FROM account_balance WHERE account_id = ? AND posted <> ?`, net, id, net)
		if err != nil {
			return err
		}
		a.found(d...)
	}
	return nil
}

// sumOf sums the transfers of an account on one side, in parts, from a key alone.
func (a *auditor) sumOf(tx *gorm.DB, column, account string) (total int64, err error) {
	table := "transfer " + database.ByIndex(tx, "transfer_"+column+"_amount_idx")
	for after := ""; after != lastID; {
		upTo := ""
		err := tx.Raw(`SELECT id FROM `+table+` WHERE `+column+` = ? AND id > ? ORDER BY id LIMIT 1 OFFSET ?`, account, after, auditSums*a.rows-1).Scan(&upTo).Error
		if err != nil {
			return 0, err
		}
		upTo = cmp.Or(upTo, lastID)
		var part struct{ Total, N int64 }
		err = tx.Raw(`SELECT COALESCE(SUM(amount), 0) AS total, COUNT(*) AS n FROM `+table+`
			WHERE `+column+` = ? AND id > ? AND id <= ?`, account, after, upTo).Scan(&part).Error
		if err != nil {
			return 0, err
		}
		total += part.Total
		a.state.Counts.Sums += part.N
		after = upTo
	}
	return total, nil
}

// journalChecks compare the rows of a range of ids of the journal, and the
// transfers of the same range of ids.
var journalChecks = []RangeCheck{
	{"every journal row that moves points has its transfer", `SELECT j.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM journal j LEFT JOIN transfer t ON t.journal_id = j.id
		WHERE j.id > @lo AND j.id <= @hi AND j.kind NOT IN ('hold', 'release') AND t.id IS NULL`},
	{"reversal is the opposite", `SELECT r.id AS object, r.debit_account_id AS account, t.amount AS want, r.amount AS got
		FROM transfer r JOIN transfer t ON t.id = r.reverses_id
		WHERE r.id > @lo AND r.id <= @hi
			AND (r.amount <> t.amount OR r.debit_account_id <> t.credit_account_id OR r.credit_account_id <> t.debit_account_id)`},
}

// journalRange checks that every event that moves points has moved some, and
// that the sealer has lost no transfer.
func (a *auditor) journalRange(ctx context.Context, after string) (next string, err error) {
	err = database.Snapshot(ctx, a.s.db, func(tx *gorm.DB) error {
		if err := tx.Raw(`SELECT id FROM journal WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?`, after, a.rows-1).Scan(&next).Error; err != nil {
			return err
		}
		if next == "" {
			next = lastID
		}
		var state model.SealState
		if err := tx.Raw(`SELECT * FROM seal_state WHERE id = 1`).Scan(&state).Error; err != nil {
			return err
		}
		lo, hi := sql.Named("lo", after), sql.Named("hi", next)
		for _, c := range journalChecks {
			d, err := runCheck(tx, c.Name, c.Query, lo, hi)
			if err != nil {
				return err
			}
			a.found(d...)
		}
		if state.RelinkedUntil != 0 {
			// No account: the sealer's delay is nobody's fault to be frozen for.
			d, err := runCheck(tx, "every old transfer is in a chain", `SELECT t.id AS object, '' AS account, 1 AS want, 0 AS got,
					'never linked: run the job ledger.relink' AS note
				FROM transfer t LEFT JOIN wallet_link l ON l.transfer_id = t.id
				WHERE t.id > @lo AND t.id <= @hi AND t.id < @mark AND l.transfer_id IS NULL`,
				lo, hi, sql.Named("mark", idAt(state.RelinkedUntil.Add(-linkGrace))))
			if err != nil {
				return err
			}
			a.found(d...)
		}
		var n int64
		if err := tx.Raw(`SELECT COUNT(*) FROM journal WHERE id > ? AND id <= ?`, after, next).Scan(&n).Error; err != nil {
			return err
		}
		a.state.Counts.Journals += n
		return nil
	})
	return next, err
}

// sum checks that points are neither made nor lost: one statement sees all
// balances at one moment.
func (a *auditor) sum(ctx context.Context, _ string) (string, error) {
	d, err := a.s.RunCheck(ctx, "sum of all balances is zero", `SELECT 'all accounts' AS object, '' AS account, 0 AS want, total AS got
		FROM (SELECT COALESCE(SUM(posted), 0) AS total FROM account_balance) s WHERE total <> 0`)
	a.found(d...)
	return "", err
}
