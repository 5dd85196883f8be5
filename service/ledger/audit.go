package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// Difference is something that an audit found wrong.
type Difference struct {
	Check   string // which comparison
	Object  string // account, hold, lot, order … id
	Want    int64  // as the transfers say
	Got     int64  // as the row says
	Account AccountID
}

// String says it in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s: want %d, got %d", d.Check, d.Object, d.Want, d.Got)
}

// maxDifferences bounds what one audit lists; one is enough to fail it.
const maxDifferences = 100

// check is one comparison: a query that returns only what differs.
type check struct {
	name  string
	query string // columns: object, account, want, got
	args  []any
}

var checks = []check{
	{"sum of all balances is zero", `SELECT 'all accounts' AS object, '' AS account, 0 AS want, total AS got
		FROM (SELECT COALESCE(SUM(posted), 0) AS total FROM account_balance) s WHERE total <> 0`, nil},
	{"balance equals its transfers", `SELECT b.account_id AS object, b.account_id AS account, COALESCE(t.net, 0) AS want, b.posted AS got
		FROM account_balance b LEFT JOIN (
			SELECT account_id, SUM(net) AS net FROM (
				SELECT credit_account_id AS account_id, amount AS net FROM transfer
				UNION ALL SELECT debit_account_id, -amount FROM transfer) sides GROUP BY account_id
		) t ON t.account_id = b.account_id WHERE b.posted <> COALESCE(t.net, 0)`, nil},
	{"every account has a balance", `SELECT a.id AS object, a.id AS account, 1 AS want, 0 AS got
		FROM account a LEFT JOIN account_balance b ON b.account_id = a.id WHERE b.account_id IS NULL`, nil},
	{"held equals the pending holds", `SELECT b.account_id AS object, b.account_id AS account, COALESCE(h.total, 0) AS want, b.held AS got
		FROM account_balance b LEFT JOIN (
			SELECT account_id, SUM(amount) AS total FROM hold WHERE status = ? GROUP BY account_id
		) h ON h.account_id = b.account_id WHERE b.held <> COALESCE(h.total, 0)`, []any{model.HoldPending}},
	{"headroom is posted less held less floor", `SELECT account_id AS object, account_id AS account, posted - held - floor_points AS want, headroom AS got
		FROM account_balance WHERE posted - held - floor_points <> headroom OR headroom < 0`, nil},
	{"wallet equals its lots", `SELECT b.account_id AS object, b.account_id AS account, b.posted AS want, COALESCE(l.total, 0) AS got
		FROM account_balance b JOIN account a ON a.id = b.account_id LEFT JOIN (
			SELECT account_id, SUM(remaining) AS total FROM lot GROUP BY account_id
		) l ON l.account_id = b.account_id WHERE a.kind = ? AND b.posted <> COALESCE(l.total, 0)`, []any{model.AccountWallet}},
	{"lot equals its entries", `SELECT l.id AS object, l.account_id AS account, COALESCE(e.total, 0) AS want, l.remaining AS got
		FROM lot l LEFT JOIN (SELECT lot_id, SUM(amount) AS total FROM lot_entry GROUP BY lot_id) e ON e.lot_id = l.id
		WHERE l.remaining <> COALESCE(e.total, 0)`, nil},
	{"lot's held equals the pins of pending holds", `SELECT l.id AS object, l.account_id AS account, COALESCE(p.total, 0) AS want, l.held AS got
		FROM lot l LEFT JOIN (
			SELECT hl.lot_id, SUM(hl.amount) AS total FROM hold_lot hl JOIN hold h ON h.id = hl.hold_id
			WHERE h.status = ? GROUP BY hl.lot_id
		) p ON p.lot_id = l.id WHERE l.held <> COALESCE(p.total, 0)`, []any{model.HoldPending}},
	{"hold equals its pins", `SELECT h.id AS object, h.account_id AS account, h.amount AS want, COALESCE(p.total, 0) AS got
		FROM hold h LEFT JOIN (SELECT hold_id, SUM(amount) AS total FROM hold_lot GROUP BY hold_id) p ON p.hold_id = h.id
		WHERE h.amount <> COALESCE(p.total, 0)`, nil},
	{"captured hold has its transfer", `SELECT h.id AS object, h.account_id AS account, h.amount AS want, COALESCE(t.amount, 0) AS got
		FROM hold h LEFT JOIN transfer t ON t.hold_id = h.id
		WHERE h.status = ? AND (t.id IS NULL OR t.amount <> h.amount OR t.debit_account_id <> h.account_id)`, []any{model.HoldCaptured}},
	{"transfer's hold is captured", `SELECT t.id AS object, t.debit_account_id AS account, 1 AS want, 0 AS got
		FROM transfer t JOIN hold h ON h.id = t.hold_id WHERE h.status <> ?`, []any{model.HoldCaptured}},
	{"reversal is the opposite", `SELECT r.id AS object, r.debit_account_id AS account, t.amount AS want, r.amount AS got
		FROM transfer r JOIN transfer t ON t.id = r.reverses_id
		WHERE r.amount <> t.amount OR r.debit_account_id <> t.credit_account_id OR r.credit_account_id <> t.debit_account_id`, nil},
	{"every journal row that moves points has its transfer", `SELECT j.id AS object, '' AS account, 1 AS want, 0 AS got
		FROM journal j LEFT JOIN transfer t ON t.journal_id = j.id
		WHERE j.kind NOT IN (?, ?) AND t.id IS NULL`, []any{model.JournalHold, model.JournalRelease}},
}

// Audit recomputes every balance, hold and lot from the transfers and returns
// what differs (at most 100 differences). It only reads.
func (s *Service) Audit(ctx context.Context) ([]Difference, error) {
	var out []Difference
	for _, c := range checks {
		found, err := s.RunCheck(ctx, c.name, c.query, c.args...)
		if err != nil {
			return out, err
		}
		if out = append(out, found...); len(out) >= maxDifferences {
			return out[:maxDifferences], nil
		}
	}
	return out, nil
}

// RunCheck runs one comparison for an audit: a query with the columns object,
// account, want and got that returns only what differs. The services above
// the ledger check their own rows against it in the same way.
func (s *Service) RunCheck(ctx context.Context, name, query string, args ...any) ([]Difference, error) {
	var rows []Difference
	err := s.db.Read(ctx).Raw(query+fmt.Sprintf(" LIMIT %d", maxDifferences), args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("ledger: audit: %s: %w", name, err)
	}
	for i := range rows {
		rows[i].Check = name
	}
	return rows, nil
}

// Freeze stops the use of accounts until a person has looked: nothing is
// earned, held or captured on them; holds can still be given back. It leaves
// accounts alone that are frozen already.
func (s *Service) Freeze(ctx context.Context, ids []AccountID, reason string) error {
	if len(ids) == 0 {
		return nil
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE account SET frozen_reason = ? WHERE id IN ? AND frozen_reason = ''`, reason, ids).Error
	})
}
