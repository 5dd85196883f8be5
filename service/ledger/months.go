package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// MaxMonths is the longest period of a monthly summary.
const MaxMonths = 36

// ErrPeriod refuses a period of a summary.
var ErrPeriod = fault.New(fault.Invalid, "ledger.period", "请选择起止月份，最多 36 个月")

const monthLayout = "2006-01"

// Month is what a wallet did in a month of the Shanghai calendar, by the time
// of posting. What came in less what went out is
// Earned - Spent - Expired + Returned + Adjusted.
type Month struct {
	Month    string // 2026-03
	Earned   int64
	Spent    int64 // captured by merchants
	Expired  int64
	Returned int64 // given back by a merchant's reversal
	Adjusted int64 // by hand, and earnings that were reversed: may be negative
}

// Net is by how much the wallet grew.
func (m Month) Net() int64 { return m.Earned - m.Spent - m.Expired + m.Returned + m.Adjusted }

// Months sums up a wallet for every month of a period, both ends included
// ("2026-01"), the oldest first; months without an entry are zero. It returns
// ErrPeriod.
func (s *Service) Months(ctx context.Context, id AccountID, from, to string) ([]Month, error) {
	bounds, err := monthsBetween(from, to)
	if err != nil {
		return nil, err
	}
	out := make([]Month, len(bounds)-1)
	for i := range out {
		out[i].Month = bounds[i].Time().Format(monthLayout)
	}
	for _, side := range []monthSide{{"credit_account_id", "debit_account_id", 1}, {"debit_account_id", "credit_account_id", -1}} {
		query, args := side.query(id, bounds)
		var sums []monthSum
		if err := s.db.Read(ctx).Raw(query, args...).Scan(&sums).Error; err != nil {
			return nil, fmt.Errorf("ledger: months: %w", err)
		}
		for _, sum := range sums {
			out[sum.MonthNo].add(sum, side.sign)
		}
	}
	return out, nil
}

// monthsBetween returns the beginnings of the months, and the end of the last.
func monthsBetween(from, to string) ([]clock.Instant, error) {
	first, err1 := time.ParseInLocation(monthLayout, from, clock.Shanghai)
	last, err2 := time.ParseInLocation(monthLayout, to, clock.Shanghai)
	if errors.Join(err1, err2) != nil || last.Before(first) || !last.Before(first.AddDate(0, MaxMonths, 0)) {
		return nil, ErrPeriod
	}
	bounds := []clock.Instant{clock.InstantOf(first)}
	for m := first; !m.After(last); {
		m = m.AddDate(0, 1, 0)
		bounds = append(bounds, clock.InstantOf(m))
	}
	return bounds, nil
}

type monthSum struct {
	MonthNo     int
	Kind        model.JournalKind
	Counterpart string // first character of the other account
	Points      int64
}

type monthSide struct {
	own, other string // columns
	sign       int64
}

// query sums one side of the wallet's transfers: one range of the index over
// that side, whatever the other wallets did.
func (m monthSide) query(id AccountID, bounds []clock.Instant) (query string, args []any) {
	var month strings.Builder
	for i, end := range bounds[1:] {
		fmt.Fprintf(&month, " WHEN t.created_at < ? THEN %d", i)
		args = append(args, end)
	}
	query = `SELECT CASE` + month.String() + ` END AS month_no, j.kind, SUBSTR(t.` + m.other + `, 1, 1) AS counterpart, SUM(t.amount) AS points
		FROM transfer t JOIN journal j ON j.id = t.journal_id
		WHERE t.` + m.own + ` = ? AND t.created_at >= ? AND t.created_at < ? GROUP BY month_no, j.kind, counterpart`
	return query, append(args, string(id), bounds[0], bounds[len(bounds)-1])
}

func (m *Month) add(sum monthSum, sign int64) {
	switch {
	case sum.Kind == model.JournalEarn:
		m.Earned += sign * sum.Points
	case sum.Kind == model.JournalCapture:
		m.Spent -= sign * sum.Points
	case sum.Kind == model.JournalExpire:
		m.Expired -= sign * sum.Points
	case sum.Kind == model.JournalReverse && AccountID(sum.Counterpart).Kind() == model.AccountMerchant:
		m.Returned += sign * sum.Points
	default:
		m.Adjusted += sign * sum.Points
	}
}

// ReversedBy returns the transfer that reverses another, "" if none does.
func (s *Service) ReversedBy(ctx context.Context, transferID string) (string, error) {
	var id string
	err := s.db.Read(ctx).Raw(`SELECT id FROM transfer WHERE reverses_id = ?`, transferID).Scan(&id).Error
	if err != nil {
		return "", fmt.Errorf("ledger: reversed by: %w", err)
	}
	return id, nil
}

// TransferTx returns a transfer and the kind of its journal row, or
// ErrTransferMissing.
func (s *Service) TransferTx(tx *gorm.DB, id string) (model.Transfer, model.JournalKind, error) {
	var row struct {
		model.Transfer
		Kind model.JournalKind
	}
	err := tx.Raw(`SELECT t.*, j.kind FROM transfer t JOIN journal j ON j.id = t.journal_id WHERE t.id = ?`, id).Scan(&row).Error
	if err != nil {
		return row.Transfer, "", fmt.Errorf("ledger: transfer: %w", err)
	}
	if row.ID == "" {
		return row.Transfer, "", ErrTransferMissing
	}
	return row.Transfer, row.Kind, nil
}
