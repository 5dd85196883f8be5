package ledger

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Wallet is what a resident owns.
type Wallet struct {
	Points    int64 // posted, held points included
	Held      int64
	Available int64 // what can be spent today
	Frozen    bool
	Expiring  []Expiring // soonest first, lots with points only
}

// Expiring says how many points can be spent until the end of a day.
type Expiring struct {
	Day    clock.Day // the last day
	Points int64
}

// Wallet returns the wallet of a resident; a resident who never earned has an
// empty one.
func (s *Service) Wallet(ctx context.Context, residentID string) (Wallet, error) {
	db := s.db.Read(ctx)
	id := string(WalletOf(residentID))
	var w Wallet
	var bal model.AccountBalance
	err := db.Where("account_id = ?", id).Take(&bal).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return w, nil
	}
	if err != nil {
		return w, fmt.Errorf("ledger: wallet: %w", err)
	}
	var acc model.Account
	if err := db.Where("id = ?", id).Take(&acc).Error; err != nil {
		return w, fmt.Errorf("ledger: wallet: %w", err)
	}
	var lots []model.Lot
	if err := db.Where("account_id = ? AND remaining > 0", id).Order("expires_on").Find(&lots).Error; err != nil {
		return w, fmt.Errorf("ledger: wallet: %w", err)
	}
	w.Points, w.Held, w.Frozen = bal.Posted, bal.Held, acc.FrozenReason != ""
	today := clock.Today(s.clock)
	for _, l := range lots {
		if l.ExpiresOn < today {
			continue // the nightly sweep takes it
		}
		w.Available += l.Remaining - l.Held
		w.Expiring = append(w.Expiring, Expiring{Day: l.ExpiresOn, Points: l.Remaining})
	}
	return w, nil
}

// Entry is one line of an account's statement.
type Entry struct {
	TransferID  string
	JournalID   string
	Kind        model.JournalKind
	Amount      int64 // signed: positive came in
	SourceType  string
	SourceID    string
	ActorID     string // who caused it
	Reason      string
	RuleID      string
	RuleVersion int64
	Evidence    string // JSON
	ReversesID  string // the transfer that this one reverses
	EffectiveAt clock.Instant
	CreatedAt   clock.Instant
}

// EntryFilter narrows a statement; zero fields do not.
type EntryFilter struct {
	Kind model.JournalKind
	From clock.Instant // inclusive, by creation
	To   clock.Instant // exclusive
}

// Entries returns the statement of an account, newest first.
func (s *Service) Entries(ctx context.Context, id AccountID, f EntryFilter, page paging.Request) (paging.Page[Entry], error) {
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[Entry]{}, err
	}
	// One index range per side, so that neither scans the other accounts.
	side := func(column, sign string) *gorm.DB {
		q := s.db.Read(ctx).Table("transfer t").Joins("JOIN journal j ON j.id = t.journal_id").
			Select(`t.id AS transfer_id, t.journal_id, j.kind, `+sign+`t.amount AS amount, j.source_type, j.source_id, j.actor_id, j.reason,
				COALESCE(j.rule_id, '') AS rule_id, COALESCE(j.rule_version, 0) AS rule_version, j.evidence,
				COALESCE(t.reverses_id, '') AS reverses_id, j.effective_at, t.created_at`).
			Where("t."+column+" = ?", string(id)).Order("t.id DESC").Limit(page.Size() + 1)
		if key != nil {
			q = q.Where("t.id < ?", key[0])
		}
		if f.Kind != "" {
			q = q.Where("j.kind = ?", f.Kind)
		}
		if f.From != 0 {
			q = q.Where("t.created_at >= ?", f.From)
		}
		if f.To != 0 {
			q = q.Where("t.created_at < ?", f.To)
		}
		return q
	}
	var in, out []Entry
	if err := side("credit_account_id", "").Scan(&in).Error; err != nil {
		return paging.Page[Entry]{}, fmt.Errorf("ledger: entries: %w", err)
	}
	if err := side("debit_account_id", "-").Scan(&out).Error; err != nil {
		return paging.Page[Entry]{}, fmt.Errorf("ledger: entries: %w", err)
	}
	rows := mergeNewestFirst(in, out, page.Size()+1)
	return paging.Of(rows, page, func(e Entry) []string { return []string{e.TransferID} }), nil
}

func mergeNewestFirst(a, b []Entry, limit int) []Entry {
	out := make([]Entry, 0, min(limit, len(a)+len(b)))
	for len(out) < limit && (len(a) > 0 || len(b) > 0) {
		if len(b) == 0 || (len(a) > 0 && a[0].TransferID > b[0].TransferID) {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return out
}

// Entry returns one line of a resident's statement, or ErrTransferMissing if
// it is not the resident's.
func (s *Service) Entry(ctx context.Context, id AccountID, transferID string) (Entry, error) {
	var e Entry
	err := s.db.Read(ctx).Table("transfer t").Joins("JOIN journal j ON j.id = t.journal_id").
		Select(`t.id AS transfer_id, t.journal_id, j.kind, CASE WHEN t.credit_account_id = ? THEN t.amount ELSE -t.amount END AS amount,
			j.source_type, j.source_id, j.actor_id, j.reason, COALESCE(j.rule_id, '') AS rule_id, COALESCE(j.rule_version, 0) AS rule_version,
			j.evidence, COALESCE(t.reverses_id, '') AS reverses_id, j.effective_at, t.created_at`, string(id)).
		Where("t.id = ? AND (t.credit_account_id = ? OR t.debit_account_id = ?)", transferID, string(id), string(id)).
		Take(&e).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return e, ErrTransferMissing
	}
	if err != nil {
		return e, fmt.Errorf("ledger: entry: %w", err)
	}
	return e, nil
}

// Balances returns the balances of accounts; those never opened are left out.
func (s *Service) Balances(ctx context.Context, ids []AccountID) (map[AccountID]model.AccountBalance, error) {
	out := make(map[AccountID]model.AccountBalance, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []model.AccountBalance
	if err := s.db.Read(ctx).Where("account_id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("ledger: balances: %w", err)
	}
	for _, r := range rows {
		out[AccountID(r.AccountID)] = r
	}
	return out, nil
}

// EntryKind is what a statement can be filtered by.
type EntryKind = model.JournalKind
