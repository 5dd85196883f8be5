package ledger

import (
	"context"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Adjust moves points between a wallet and a budget by hand. Who may, and that
// two persons agreed, is for the caller to know and to put into the evidence.
type Adjust struct {
	Event
	BudgetID   string
	ResidentID string
	Amount     int64     // points as the resident sees them: positive comes in, negative goes back to the budget
	ExpiresOn  clock.Day // of points that come in: the last day on which they can be spent
}

// AdjustTx posts adjustments. Item errors: ErrInsufficientPoints (a debit
// takes free points only, and never below zero), ErrBudgetExhausted, ErrAmount,
// ErrAccountMissing (no such budget), ErrAccountFrozen, ErrIdempotencyConflict.
func (s *Service) AdjustTx(ctx context.Context, tx *gorm.DB, items []Adjust) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

func (a Adjust) header() (Event, model.JournalKind) { return a.Event, model.JournalAdjust }
func (a Adjust) input() []any                       { return []any{a.BudgetID, a.ResidentID, a.Amount, a.ExpiresOn} }

func (a Adjust) accounts(*preloaded) []AccountID {
	return []AccountID{WalletOf(a.ResidentID), BudgetOf(a.BudgetID)}
}

func (a Adjust) apply(b *book) (*entry, error) {
	if a.Amount > 0 {
		return Earn(a).apply(b)
	}
	points := -a.Amount
	if err := checkAmount(points); err != nil {
		return nil, err
	}
	t := &draft{debit: WalletOf(a.ResidentID), credit: BudgetOf(a.BudgetID), amount: points}
	pins := b.spendable(t.debit, points, "")
	if pins == nil {
		return nil, ErrInsufficientPoints
	}
	if err := b.move(t, ErrInsufficientPoints); err != nil {
		return nil, err
	}
	for _, p := range pins {
		t.giveLot(p.lot, -p.amount)
	}
	return &entry{transfer: t}, nil
}
