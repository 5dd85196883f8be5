package ledger

import "jiamenkou/internal/clock"

// Statement is a statement for EXPLAIN, and the index that it must use.
type Statement struct {
	SQL   string
	Args  []any
	Index string
}

// Statements are those of the sweeps and of the monthly summary.
func Statements() []Statement {
	wallet := WalletOf("01RESIDENT0000000000000007")
	bounds, _ := monthsBetween("2026-01", "2026-12")
	out := []Statement{
		{dueLots, []any{clock.Day("2026-04-03"), "", 200}, "lot_expires_on_idx"},
		{dueLots, []any{clock.Day("2026-04-03"), string(wallet), 200}, "lot_expires_on_idx"},
		{dueNotices, []any{clock.Day("2026-04-03"), "", 500}, "lot_expires_on_idx"},
		{nextExpiry, []any{clock.Day("2026-04-01"), clock.Day("2026-05-01")}, "lot_expires_on_idx"},
	}
	for _, side := range []monthSide{{"credit_account_id", "debit_account_id", 1}, {"debit_account_id", "credit_account_id", -1}} {
		sql, args := side.query(wallet, bounds)
		out = append(out, Statement{sql, args, "transfer_" + side.own + "_idx"})
	}
	return out
}
