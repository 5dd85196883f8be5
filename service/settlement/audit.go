package settlement

import (
	"context"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Audit checks that every redemption and reversal up to the newest closed
// period is on exactly one line, that lines are what the ledger moved, and
// that statements add up.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	var newest model.SettlementPeriod
	err := s.db.Read(ctx).Where("status = ?", model.PeriodClosed).Order("day DESC").Limit(1).Find(&newest).Error
	if err != nil {
		return nil, err
	}
	closedBefore := int64(0)
	if newest.Day != "" {
		closedBefore = int64(newest.Day.End())
	}
	var out []ledger.Difference
	for _, c := range []struct {
		name, query string
		args        []any
	}{
		{"redemption is on a statement", `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got FROM redemption r
			LEFT JOIN settlement_line l ON l.redemption_id = r.id WHERE r.created_at < ? AND l.id IS NULL`, []any{closedBefore}},
		{"reversal is on a statement", `SELECT v.id AS object, '' AS account, 1 AS want, 0 AS got FROM redemption_reversal v
			LEFT JOIN settlement_line l ON l.reversal_id = v.id WHERE v.created_at < ? AND l.id IS NULL`, []any{closedBefore}},
		{"line equals its capture", `SELECT l.id AS object, t.debit_account_id AS account, t.amount AS want, l.points AS got
			FROM settlement_line l JOIN redemption r ON r.id = l.redemption_id JOIN transfer t ON t.id = r.transfer_id
			WHERE l.transfer_id <> t.id OR l.points <> t.amount`, nil},
		{"line equals its reversal", `SELECT l.id AS object, t.credit_account_id AS account, -t.amount AS want, l.points AS got
			FROM settlement_line l JOIN redemption_reversal v ON v.id = l.reversal_id JOIN transfer t ON t.id = v.transfer_id
			WHERE l.transfer_id <> t.id OR l.points <> -t.amount`, nil},
		{"statement's points equal its lines", `SELECT s.id AS object, '' AS account, COALESCE(x.points, 0) AS want, s.points AS got
			FROM settlement_statement s LEFT JOIN (SELECT statement_id, SUM(points) AS points, SUM(subsidy_fen) AS fen, COUNT(*) AS n
				FROM settlement_line GROUP BY statement_id) x ON x.statement_id = s.id
			WHERE s.points <> COALESCE(x.points, 0) OR s.subsidy_fen <> COALESCE(x.fen, 0) OR s.line_count <> COALESCE(x.n, 0)`, nil},
		{"statement's settled points are posted", `SELECT s.id AS object, '' AS account, s.settled_points AS want, COALESCE(t.amount, 0) AS got
			FROM settlement_statement s LEFT JOIN transfer t ON t.journal_id = s.journal_id
			WHERE s.settled_points <> COALESCE(t.amount, 0)`, nil},
		{"settlement posting has its statement", `SELECT j.id AS object, '' AS account, 1 AS want, 0 AS got FROM journal j
			LEFT JOIN settlement_statement s ON s.journal_id = j.id WHERE j.kind = ? AND s.id IS NULL`, []any{model.JournalSettle}},
	} {
		found, err := s.ledger.RunCheck(ctx, c.name, c.query, c.args...)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	return out, nil
}
