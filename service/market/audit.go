package market

import (
	"context"

	"jiamenkou/service/ledger"
)

// auditPhases compare orders with holds, captures and reversals one to one,
// stock with live orders, and slots with limits.
//
// The + before a column of the journal keeps SQLite from preferring the index
// over that column, under which most of the journal lies, to the range of ids;
// to MySQL it is nothing. CROSS JOIN keeps it from beginning with the table on
// the right; to MySQL it is a plain join.
var auditPhases = []ledger.AuditPhase{
	{Table: "benefit_order", Checks: []ledger.RangeCheck{
		{Name: "market: held order has its pending hold", Query: `SELECT o.id AS object, COALESCE(h.account_id, '') AS account, o.points AS want, COALESCE(h.amount, 0) AS got
			FROM benefit_order o LEFT JOIN hold h ON h.id = o.hold_id AND h.status = 'pending' AND SUBSTR(h.account_id, 2) = o.resident_id
			WHERE o.id > @lo AND o.id <= @hi AND +o.status = 'held' AND (h.id IS NULL OR h.amount <> o.points)`},
		{Name: "market: redeemed order has its capture", Query: `SELECT o.id AS object, COALESCE(t.debit_account_id, '') AS account, o.points AS want, COALESCE(t.amount, 0) AS got
			FROM benefit_order o LEFT JOIN redemption r ON r.order_id = o.id
			LEFT JOIN transfer t ON t.id = r.transfer_id AND t.hold_id = o.hold_id AND SUBSTR(t.credit_account_id, 2) = o.merchant_id
			WHERE o.id > @lo AND o.id <= @hi AND +o.status IN ('redeemed', 'reversed') AND (t.id IS NULL OR t.amount <> o.points)`},
		{Name: "market: given-up order has its hold released", Query: `SELECT o.id AS object, COALESCE(h.account_id, '') AS account, 1 AS want, 0 AS got
			FROM benefit_order o LEFT JOIN hold h ON h.id = o.hold_id AND h.status = 'released'
			WHERE o.id > @lo AND o.id <= @hi AND +o.status IN ('cancelled', 'expired') AND h.id IS NULL`},
		{Name: "market: reversed order has its reversal", Query: `SELECT o.id AS object, COALESCE(t.credit_account_id, '') AS account, o.points AS want, COALESCE(t.amount, 0) AS got
			FROM benefit_order o LEFT JOIN redemption r ON r.order_id = o.id LEFT JOIN redemption_reversal v ON v.redemption_id = r.id
			LEFT JOIN transfer t ON t.id = v.transfer_id AND t.reverses_id = r.transfer_id
			WHERE o.id > @lo AND o.id <= @hi AND +o.status = 'reversed' AND (t.id IS NULL OR t.amount <> o.points)`},
		{Name: "market: order's release is of its benefit", Query: `SELECT o.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM benefit_order o LEFT JOIN benefit_release r ON r.id = o.release_id
			WHERE o.id > @lo AND o.id <= @hi AND (r.id IS NULL OR r.benefit_id <> o.benefit_id)`},
		{Name: "market: slot is within the limit per person", Query: `SELECT o.id AS object, '' AS account, COALESCE(b.per_person_limit, 0) AS want, o.slot AS got
			FROM benefit_order o LEFT JOIN benefit b ON b.id = o.benefit_id
			WHERE o.id > @lo AND o.id <= @hi AND o.slot > COALESCE(b.per_person_limit, 0)`},
		{Name: "market: live order has a slot", Query: `SELECT id AS object, '' AS account, 1 AS want, 0 AS got FROM benefit_order
			WHERE id > @lo AND id <= @hi AND (status IN ('held', 'redeemed')) <> (slot IS NOT NULL)`},
		{Name: "market: order's state is in its history", Query: `SELECT o.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM benefit_order o LEFT JOIN order_history h ON h.order_id = o.id AND h.to_status = o.status
			WHERE o.id > @lo AND o.id <= @hi AND h.id IS NULL`},
	}},
	{Table: "journal", Checks: []ledger.RangeCheck{
		{Name: "market: order's hold in the ledger has its order", Query: `SELECT h.id AS object, h.account_id AS account, 1 AS want, 0 AS got
			FROM journal j CROSS JOIN hold h ON h.journal_id = j.id LEFT JOIN benefit_order o ON o.hold_id = h.id AND o.id = j.source_id
			WHERE j.id > @lo AND j.id <= @hi AND +j.kind = 'hold' AND +j.source_type = '` + SourceOrder + `' AND o.id IS NULL`},
		{Name: "market: order's capture in the ledger has its redemption", Query: `SELECT t.id AS object, t.debit_account_id AS account, 1 AS want, 0 AS got
			FROM journal j CROSS JOIN transfer t ON t.journal_id = j.id LEFT JOIN redemption r ON r.transfer_id = t.id AND r.order_id = j.source_id
			WHERE j.id > @lo AND j.id <= @hi AND +j.kind = 'capture' AND +j.source_type = '` + SourceOrder + `' AND r.id IS NULL`},
	}},
	{Table: "redemption", Checks: []ledger.RangeCheck{
		{Name: "market: redemption belongs to a redeemed order", Query: `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM redemption r LEFT JOIN benefit_order o ON o.id = r.order_id
			WHERE r.id > @lo AND r.id <= @hi AND (o.id IS NULL OR o.status NOT IN ('redeemed', 'reversed') OR o.merchant_id <> r.merchant_id)`},
		{Name: "market: reversed capture in the ledger has its reversal", Query: `SELECT t.id AS object, t.credit_account_id AS account, 1 AS want, 0 AS got
			FROM redemption r CROSS JOIN transfer t ON t.reverses_id = r.transfer_id LEFT JOIN redemption_reversal v ON v.transfer_id = t.id
			WHERE r.id > @lo AND r.id <= @hi AND v.id IS NULL`},
	}},
	{Table: "redemption_reversal", Checks: []ledger.RangeCheck{
		{Name: "market: reversal belongs to a reversed order", Query: `SELECT v.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM redemption_reversal v LEFT JOIN benefit_order o ON o.id = v.order_id
			WHERE v.id > @lo AND v.id <= @hi AND (o.id IS NULL OR o.status <> 'reversed')`},
	}},
	{Table: "benefit_release", Rows: 100, Checks: []ledger.RangeCheck{
		{Name: "market: stock sold equals the live orders", Query: `SELECT s.release_id AS object, '' AS account, COALESCE(o.n, 0) AS want, s.sold AS got
			FROM benefit_stock s LEFT JOIN (
				SELECT release_id, COUNT(*) AS n FROM benefit_order
				WHERE release_id > @lo AND release_id <= @hi AND +status IN ('held', 'redeemed') GROUP BY release_id
			) o ON o.release_id = s.release_id
			WHERE s.release_id > @lo AND s.release_id <= @hi AND s.sold <> COALESCE(o.n, 0)`},
		{Name: "market: stock's remainder is total less sold", Query: `SELECT release_id AS object, '' AS account, total - sold AS want, remaining AS got
			FROM benefit_stock WHERE release_id > @lo AND release_id <= @hi AND (remaining <> total - sold OR sold < 0 OR sold > total)`},
		{Name: "market: every release has its stock", Query: `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM benefit_release r LEFT JOIN benefit_stock s ON s.release_id = r.id
			WHERE r.id > @lo AND r.id <= @hi AND s.release_id IS NULL`},
	}},
}

// AuditPhases are the phases of Audit, for who shows how far it is and resumes.
func (s *Service) AuditPhases() []ledger.AuditPhase { return auditPhases }

// Audit compares orders with holds, captures and reversals one to one, stock
// with live orders, and slots with limits, by ranges of rows; it returns what
// differs (at most 100 differences). It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	result, err := s.ledger.AuditRows(ctx, auditPhases, ledger.AuditOptions{})
	return result.Differences, err
}
