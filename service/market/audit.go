package market

import (
	"context"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// check is one comparison: a query that returns only what differs.
type check struct {
	name  string
	query string // columns: object, account, want, got
	args  []any
}

var checks = []check{
	{"held order has its pending hold", `SELECT o.id AS object, COALESCE(h.account_id, '') AS account, o.points AS want, COALESCE(h.amount, 0) AS got
		FROM benefit_order o LEFT JOIN hold h ON h.id = o.hold_id AND h.status = ? AND SUBSTR(h.account_id, 2) = o.resident_id
		WHERE o.status = ? AND (h.id IS NULL OR h.amount <> o.points)`, []any{model.HoldPending, model.OrderHeld}},
	{"redeemed order has its capture", `SELECT o.id AS object, COALESCE(t.debit_account_id, '') AS account, o.points AS want, COALESCE(t.amount, 0) AS got
		FROM benefit_order o LEFT JOIN redemption r ON r.order_id = o.id
		LEFT JOIN transfer t ON t.id = r.transfer_id AND t.hold_id = o.hold_id AND SUBSTR(t.credit_account_id, 2) = o.merchant_id
		WHERE o.status IN (?, ?) AND (t.id IS NULL OR t.amount <> o.points)`, []any{model.OrderRedeemed, model.OrderReversed}},
	{"given-up order has its hold released", `SELECT o.id AS object, COALESCE(h.account_id, '') AS account, 1 AS want, 0 AS got
		FROM benefit_order o LEFT JOIN hold h ON h.id = o.hold_id AND h.status = ?
		WHERE o.status IN (?, ?) AND h.id IS NULL`, []any{model.HoldReleased, model.OrderCancelled, model.OrderExpired}},
	{"order's hold in the ledger has its order", `SELECT h.id AS object, h.account_id AS account, 1 AS want, 0 AS got
		FROM journal j JOIN hold h ON h.journal_id = j.id LEFT JOIN benefit_order o ON o.hold_id = h.id AND o.id = j.source_id
		WHERE j.kind = ? AND j.source_type = ? AND o.id IS NULL`, []any{model.JournalHold, sourceOrder}},
	{"order's capture in the ledger has its redemption", `SELECT t.id AS object, t.debit_account_id AS account, 1 AS want, 0 AS got
		FROM journal j JOIN transfer t ON t.journal_id = j.id LEFT JOIN redemption r ON r.transfer_id = t.id AND r.order_id = j.source_id
		WHERE j.kind = ? AND j.source_type = ? AND r.id IS NULL`, []any{model.JournalCapture, sourceOrder}},
	{"redemption belongs to a redeemed order", `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM redemption r JOIN benefit_order o ON o.id = r.order_id
		WHERE o.status NOT IN (?, ?) OR o.merchant_id <> r.merchant_id`, []any{model.OrderRedeemed, model.OrderReversed}},
	{"reversed order has its reversal", `SELECT o.id AS object, COALESCE(t.credit_account_id, '') AS account, o.points AS want, COALESCE(t.amount, 0) AS got
		FROM benefit_order o LEFT JOIN redemption r ON r.order_id = o.id LEFT JOIN redemption_reversal v ON v.redemption_id = r.id
		LEFT JOIN transfer t ON t.id = v.transfer_id AND t.reverses_id = r.transfer_id
		WHERE o.status = ? AND (t.id IS NULL OR t.amount <> o.points)`, []any{model.OrderReversed}},
	{"reversal belongs to a reversed order", `SELECT v.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM redemption_reversal v JOIN benefit_order o ON o.id = v.order_id
		WHERE o.status <> ?`, []any{model.OrderReversed}},
	{"reversed capture in the ledger has its reversal", `SELECT t.id AS object, t.credit_account_id AS account, 1 AS want, 0 AS got
		FROM redemption r JOIN transfer t ON t.reverses_id = r.transfer_id LEFT JOIN redemption_reversal v ON v.transfer_id = t.id
		WHERE v.id IS NULL`, nil},
	{"stock sold equals the live orders", `SELECT s.release_id AS object, '' AS account, COALESCE(o.n, 0) AS want, s.sold AS got
		FROM benefit_stock s LEFT JOIN (
			SELECT release_id, COUNT(*) AS n FROM benefit_order WHERE status IN (?, ?) GROUP BY release_id
		) o ON o.release_id = s.release_id WHERE s.sold <> COALESCE(o.n, 0)`, []any{model.OrderHeld, model.OrderRedeemed}},
	{"stock's remainder is total less sold", `SELECT release_id AS object, '' AS account, total - sold AS want, remaining AS got
		FROM benefit_stock WHERE remaining <> total - sold OR sold < 0 OR sold > total`, nil},
	{"every release has its stock", `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM benefit_release r LEFT JOIN benefit_stock s ON s.release_id = r.id WHERE s.release_id IS NULL`, nil},
	{"order's release is of its benefit", `SELECT o.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM benefit_order o JOIN benefit_release r ON r.id = o.release_id WHERE r.benefit_id <> o.benefit_id`, nil},
	{"slot is within the limit per person", `SELECT o.id AS object, '' AS account, b.per_person_limit AS want, o.slot AS got
		FROM benefit_order o JOIN benefit b ON b.id = o.benefit_id WHERE o.slot > b.per_person_limit`, nil},
	{"live order has a slot", `SELECT id AS object, '' AS account, 1 AS want, 0 AS got FROM benefit_order
		WHERE (status IN (?, ?)) <> (slot IS NOT NULL)`, []any{model.OrderHeld, model.OrderRedeemed}},
	{"order's state is in its history", `SELECT o.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM benefit_order o LEFT JOIN order_history h ON h.order_id = o.id AND h.to_status = o.status WHERE h.id IS NULL`, nil},
}

// Audit compares orders with holds, captures and reversals one to one, stock
// with live orders, and slots with limits; it returns what differs. It only
// reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	var out []ledger.Difference
	for _, c := range checks {
		found, err := s.ledger.RunCheck(ctx, "market: "+c.name, c.query, c.args...)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	return out, nil
}
