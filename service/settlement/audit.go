package settlement

import (
	"context"
	"database/sql"

	"gorm.io/gorm"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// auditPhases check that every redemption and reversal up to the newest closed
// period is on exactly one line, that lines are what the ledger moved, and
// that statements add up. As in the market's, a + keeps SQLite to the range of ids.
var auditPhases = []ledger.AuditPhase{
	{Table: "redemption", Args: closedBefore, Checks: []ledger.RangeCheck{
		{Name: "redemption is on a statement", Query: `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got FROM redemption r
			LEFT JOIN settlement_line l ON l.redemption_id = r.id
			WHERE r.id > @lo AND r.id <= @hi AND r.created_at < @closed AND l.id IS NULL`},
	}},
	{Table: "redemption_reversal", Args: closedBefore, Checks: []ledger.RangeCheck{
		{Name: "reversal is on a statement", Query: `SELECT v.id AS object, '' AS account, 1 AS want, 0 AS got FROM redemption_reversal v
			LEFT JOIN settlement_line l ON l.reversal_id = v.id
			WHERE v.id > @lo AND v.id <= @hi AND v.created_at < @closed AND l.id IS NULL`},
	}},
	{Table: "settlement_line", Checks: []ledger.RangeCheck{
		{Name: "line equals its capture", Query: `SELECT l.id AS object, COALESCE(t.debit_account_id, '') AS account, COALESCE(t.amount, 0) AS want, l.points AS got
			FROM settlement_line l LEFT JOIN redemption r ON r.id = l.redemption_id LEFT JOIN transfer t ON t.id = r.transfer_id
			WHERE l.id > @lo AND l.id <= @hi AND l.redemption_id IS NOT NULL AND (t.id IS NULL OR l.transfer_id <> t.id OR l.points <> t.amount)`},
		{Name: "line equals its reversal", Query: `SELECT l.id AS object, COALESCE(t.credit_account_id, '') AS account, COALESCE(-t.amount, 0) AS want, l.points AS got
			FROM settlement_line l LEFT JOIN redemption_reversal v ON v.id = l.reversal_id LEFT JOIN transfer t ON t.id = v.transfer_id
			WHERE l.id > @lo AND l.id <= @hi AND l.reversal_id IS NOT NULL AND (t.id IS NULL OR l.transfer_id <> t.id OR l.points <> -t.amount)`},
	}},
	{Table: "settlement_statement", Rows: 100, Checks: []ledger.RangeCheck{
		{Name: "statement's points equal its lines", Query: `SELECT s.id AS object, '' AS account, COALESCE(x.points, 0) AS want, s.points AS got
			FROM settlement_statement s LEFT JOIN (SELECT statement_id, SUM(points) AS points, SUM(subsidy_fen) AS fen, COUNT(*) AS n
				FROM settlement_line WHERE statement_id > @lo AND statement_id <= @hi GROUP BY statement_id) x ON x.statement_id = s.id
			WHERE s.id > @lo AND s.id <= @hi
				AND (s.points <> COALESCE(x.points, 0) OR s.subsidy_fen <> COALESCE(x.fen, 0) OR s.line_count <> COALESCE(x.n, 0))`},
		{Name: "statement's settled points are posted", Query: `SELECT s.id AS object, '' AS account, s.settled_points AS want, COALESCE(t.amount, 0) AS got
			FROM settlement_statement s LEFT JOIN transfer t ON t.journal_id = s.journal_id
			WHERE s.id > @lo AND s.id <= @hi AND s.settled_points <> COALESCE(t.amount, 0)`},
	}},
	{Table: "journal", Checks: []ledger.RangeCheck{
		{Name: "settlement posting has its statement", Query: `SELECT j.id AS object, '' AS account, 1 AS want, 0 AS got FROM journal j
			LEFT JOIN settlement_statement s ON s.journal_id = j.id
			WHERE j.id > @lo AND j.id <= @hi AND +j.kind = 'settle' AND s.id IS NULL`},
	}},
}

// closedBefore is the end of the newest closed period; what happened later need
// not be on a statement yet.
func closedBefore(tx *gorm.DB) ([]sql.NamedArg, error) {
	var newest model.SettlementPeriod
	err := tx.Where("status = ?", model.PeriodClosed).Order("day DESC").Limit(1).Find(&newest).Error
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if newest.Day != "" {
		before = int64(newest.Day.End())
	}
	return []sql.NamedArg{sql.Named("closed", before)}, nil
}

// AuditPhases are the phases of Audit, for who shows how far it is and resumes.
func (s *Service) AuditPhases() []ledger.AuditPhase { return auditPhases }

// Audit checks, by ranges of rows, that every redemption and reversal up to the
// newest closed period is on exactly one line, that lines are what the ledger
// moved, and that statements add up; it returns what differs (at most 100
// differences). It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	result, err := s.ledger.AuditRows(ctx, auditPhases, ledger.AuditOptions{})
	return result.Differences, err
}
