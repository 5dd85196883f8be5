package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/model"
)

// Wallets are wallets that a transaction has locked. What was read of them
// serves the posting that follows in the same transaction, once: EarnTx or
// HoldTx of other wallets too.
type Wallets struct {
	service *Service
	book    *book // nil once it is used
}

// take hands over what was read; nil if there is nothing (any more).
func (w *Wallets) take() *book {
	if w == nil {
		return nil
	}
	b := w.book
	w.book = nil
	return b
}

// EarnTx is Service.EarnTx without reading the wallets again.
func (w *Wallets) EarnTx(ctx context.Context, tx *gorm.DB, items []Earn) ([]Outcome, error) {
	return runAll(ctx, w.service, tx, w, items)
}

// HoldTx is Service.HoldTx without reading the wallets again.
func (w *Wallets) HoldTx(ctx context.Context, tx *gorm.DB, items []Hold) ([]Outcome, error) {
	return runAll(ctx, w.service, tx, w, items)
}

// LockWalletsTx locks the wallets of residents in key order, opening those
// that do not exist yet. A service that counts before it posts calls it first,
// so that nobody else counts for the same residents meanwhile.
func (s *Service) LockWalletsTx(ctx context.Context, tx *gorm.DB, residentIDs []string) (*Wallets, error) {
	ids := make([]AccountID, len(residentIDs))
	for i, r := range residentIDs {
		ids[i] = WalletOf(r)
	}
	b := s.bookOf(ctx, tx, nil)
	if err := b.lock(ids); err != nil {
		return nil, fmt.Errorf("ledger: lock wallets: %w", err)
	}
	return &Wallets{service: s, book: b}, nil
}

// Spendable is what a hold could take from a wallet at this moment.
type Spendable struct {
	Points int64
	Frozen bool // a hold would be refused with ErrAccountFrozen
}

// LockSpendableTx locks the wallets of residents as LockWalletsTx does and
// returns what each may spend: for a service that must know which of its items
// can be paid before it decides the rest. A hold of no more than that, in the
// same transaction, succeeds.
func (s *Service) LockSpendableTx(ctx context.Context, tx *gorm.DB, residentIDs []string) (*Wallets, map[string]Spendable, error) {
	w, err := s.LockWalletsTx(ctx, tx, residentIDs)
	if err != nil {
		return nil, nil, err
	}
	if err := w.book.loadLots(nil); err != nil {
		return nil, nil, fmt.Errorf("ledger: lock spendable: %w", err)
	}
	out := make(map[string]Spendable, len(residentIDs))
	for id, a := range w.book.accounts {
		if id.Kind() == model.AccountWallet {
			out[id.OwnerID()] = Spendable{Points: w.book.free(id), Frozen: a.frozen}
		}
	}
	return w, out, nil
}

// free is what a wallet holds in lots that can be spent and are not held.
func (b *book) free(wallet AccountID) int64 {
	var sum int64
	for _, l := range b.byWallet[wallet] {
		if l.row.ExpiresOn >= b.today {
			sum += l.remaining - l.held
		}
	}
	return max(0, min(sum, b.accounts[wallet].headroom))
}
