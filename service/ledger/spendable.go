package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
)

// Spendable is what a hold could take from a wallet at this moment.
type Spendable struct {
	Points int64
	Frozen bool // a hold would be refused with ErrAccountFrozen
}

// LockSpendableTx locks the wallets of residents as LockWalletsTx does and
// returns what each may spend: for a service that must know which of its items
// can be paid before it decides the rest. A hold of no more than that, in the
// same transaction, succeeds.
func (s *Service) LockSpendableTx(ctx context.Context, tx *gorm.DB, residentIDs []string) (map[string]Spendable, error) {
	ids := make([]AccountID, len(residentIDs))
	for i, r := range residentIDs {
		ids[i] = WalletOf(r)
	}
	b := &book{
		tx: tx.WithContext(ctx), clock: s.clock, now: clock.Now(s.clock), today: clock.Today(s.clock),
		accounts: map[AccountID]*account{}, lots: map[string]*lot{}, byWallet: map[AccountID][]*lot{},
	}
	if err := b.lock(ids); err != nil {
		return nil, fmt.Errorf("ledger: lock spendable: %w", err)
	}
	if err := b.loadLots(nil); err != nil {
		return nil, fmt.Errorf("ledger: lock spendable: %w", err)
	}
	out := make(map[string]Spendable, len(ids))
	for _, id := range ids {
		a := b.accounts[id]
		var free int64
		for _, l := range b.byWallet[id] {
			if l.row.ExpiresOn >= b.today {
				free += l.remaining - l.held
			}
		}
		out[id.OwnerID()] = Spendable{Points: max(0, min(free, a.headroom)), Frozen: a.frozen}
	}
	return out, nil
}
