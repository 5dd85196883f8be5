package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
)

// Difference is something that an audit found wrong.
type Difference struct {
	Check   string // which comparison
	Object  string // account, hold, lot, order … id
	Want    int64  // as the transfers say
	Got     int64  // as the row says
	Account AccountID
	Seq     int64  // place in the account's chain, if the difference is there
	Note    string // what is wrong, where Want and Got have no numbers for it
}

// String says it in one line.
func (d Difference) String() string {
	where := d.Object
	if d.Seq > 0 {
		where = fmt.Sprintf("%s seq %d", d.Object, d.Seq)
	}
	if d.Note != "" {
		return fmt.Sprintf("%s: %s: %s", d.Check, where, d.Note)
	}
	return fmt.Sprintf("%s: %s: want %d, got %d", d.Check, where, d.Want, d.Got)
}

// maxDifferences bounds what one audit lists; one is enough to fail it.
const maxDifferences = 100

// Audit is the whole audit of the ledger: it recomputes every balance, hold,
// lot, chain and seal from the transfers and returns what differs (at most 100
// differences). It only reads, and holds nobody up: AuditStream says how.
func (s *Service) Audit(ctx context.Context) ([]Difference, error) {
	result, err := s.AuditStream(ctx, AuditOptions{})
	return result.Differences, err
}

// RunCheck runs one comparison for an audit: a query with the columns object,
// account, want and got that returns only what differs. The services above
// the ledger check their own rows against it in the same way.
func (s *Service) RunCheck(ctx context.Context, name, query string, args ...any) ([]Difference, error) {
	return runCheck(s.db.Read(ctx), name, query, args...)
}

func runCheck(tx *gorm.DB, name, query string, args ...any) ([]Difference, error) {
	var rows []Difference
	err := tx.Raw(query+fmt.Sprintf(" LIMIT %d", maxDifferences), args...).Scan(&rows).Error
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
