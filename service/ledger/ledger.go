// Package ledger keeps the points: one row is one transfer between two
// accounts, so that an imbalance cannot be written down.
//
// Every operation takes a slice and runs a constant number of statements,
// however long the slice is: load what the batch touches under lock, apply the
// items one by one in memory, write the outcome back. An item that cannot be
// carried out gets its own error and leaves no trace; the others go through.
//
// Locks are taken in the order of account ids, whose first character is the
// account's heat: wallets before merchants before budgets, so that the row
// everybody wants is locked last and held shortest.
package ledger

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// MaxAmount is the most points that one operation may move. With it no sum of
// a lifetime of operations comes near 64 bits.
const MaxAmount = 100_000_000

// MaxBatch is the most items that one call takes.
const MaxBatch = 1_000

// A merchant's account may run below zero only by reversals after settlement;
// the floor bounds even that.
const merchantFloorPoints = -1_000_000_000

// Service keeps the ledger.
type Service struct {
	db    *database.DB
	clock clock.Clock
}

// New returns the service.
func New(db *database.DB, c clock.Clock) *Service { return &Service{db: db, clock: c} }

// AccountID names an account: the digit of its heat, then its owner's ULID.
type AccountID string

// WalletOf returns the account of a resident.
func WalletOf(residentID string) AccountID { return AccountID("1" + residentID) }

// MerchantOf returns the account of a merchant.
func MerchantOf(merchantID string) AccountID { return AccountID("2" + merchantID) }

// BudgetOf returns the account of a budget.
func BudgetOf(budgetID string) AccountID { return AccountID("3" + budgetID) }

// The system accounts.
const (
	Expired AccountID = "4EXPIRED"
	Settled AccountID = "4SETTLED"
)

// Kind returns the kind that the first character stands for.
func (a AccountID) Kind() model.AccountKind {
	if a == "" {
		return ""
	}
	switch a[0] {
	case '1':
		return model.AccountWallet
	case '2':
		return model.AccountMerchant
	case '3':
		return model.AccountBudget
	default:
		return model.AccountSystem
	}
}

// OwnerID returns the id of the resident, merchant or budget.
func (a AccountID) OwnerID() string { return string(a[1:]) }

// floor is the least that a newly opened account may hold.
func (a AccountID) floor() int64 {
	if a.Kind() == model.AccountMerchant {
		return merchantFloorPoints
	}
	return 0
}

// Event says why points move: the header of a journal row.
type Event struct {
	SourceType     string // the business event, unique with SourceID and the kind of operation
	SourceID       string
	ActorID        string // who caused it
	IdempotencyKey string // the client's key, if there is one; unique per actor
	Reason         string // at most 200 characters
	RuleID         string // the policy rule that set the amount
	RuleVersion    int64
	Evidence       string        // JSON: what proves the event
	EffectiveAt    clock.Instant // when it took effect, may lie in the past; zero means now
}

// Earn credits a wallet from a budget.
type Earn struct {
	Event
	BudgetID   string
	ResidentID string
	Amount     int64     // points, 1..MaxAmount
	ExpiresOn  clock.Day // last day on which they can be spent
}

// Hold reserves points of a wallet, soonest-expiring first.
type Hold struct {
	Event
	ResidentID string
	Amount     int64         // points, 1..MaxAmount
	ExpiresAt  clock.Instant // when ReleaseExpired gives it back
}

// Capture turns a pending hold into a transfer to a merchant.
type Capture struct {
	Event
	ResidentID string
	HoldID     string
	MerchantID string
}

// Release gives a pending hold back to the lots that it came from.
type Release struct {
	Event
	ResidentID string
	HoldID     string
}

// Reverse writes the opposite of an earlier earn or capture. Points that a
// capture took go back to the lots that they came from.
type Reverse struct {
	Event
	TransferID string
}

// Settle moves points from a merchant to the settled account.
type Settle struct {
	Event
	MerchantID string
	Amount     int64 // points, 1..MaxAmount
}

// Outcome is what became of one item.
type Outcome struct {
	JournalID  string
	TransferID string // "" for a hold or a release
	HoldID     string // for a hold
	Replayed   bool   // the event had been recorded before; nothing moved now
	Err        error  // why the item was not carried out; the rest is empty then
}

// EarnTx credits wallets from budgets. Item errors: ErrBudgetExhausted,
// ErrAmount, ErrAccountMissing (no such budget), ErrAccountFrozen,
// ErrIdempotencyConflict.
func (s *Service) EarnTx(ctx context.Context, tx *gorm.DB, items []Earn) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

// HoldTx reserves points. Item errors: ErrInsufficientPoints, ErrAmount,
// ErrAccountFrozen, ErrIdempotencyConflict.
func (s *Service) HoldTx(ctx context.Context, tx *gorm.DB, items []Hold) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

// CaptureTx captures holds. Item errors: ErrHoldMissing, ErrHoldResolved,
// ErrHoldExpired, ErrAccountFrozen.
func (s *Service) CaptureTx(ctx context.Context, tx *gorm.DB, items []Capture) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

// ReleaseTx releases holds. Item errors: ErrHoldMissing, ErrHoldResolved.
func (s *Service) ReleaseTx(ctx context.Context, tx *gorm.DB, items []Release) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

// ReverseTx reverses transfers. Item errors: ErrTransferMissing,
// ErrAlreadyReversed, ErrIrreversible, ErrInsufficientPoints (the points of a
// reversed earn are spent), ErrAccountFrozen.
func (s *Service) ReverseTx(ctx context.Context, tx *gorm.DB, items []Reverse) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

// SettleTx settles merchants. Item errors: ErrInsufficientBalance, ErrAmount.
func (s *Service) SettleTx(ctx context.Context, tx *gorm.DB, items []Settle) ([]Outcome, error) {
	return runAll(ctx, s, tx, nil, items)
}

// Budget opens the account of a budget.
type Budget struct {
	ID          string
	LimitPoints int64 // the most it may issue, 1..MaxBudgetPoints
}

// MaxBudgetPoints is the largest limit of a budget.
const MaxBudgetPoints = 1_000_000_000_000

// OpenBudgetsTx opens the accounts of budgets. Opening one twice is an error
// of the database (duplicate key).
func (s *Service) OpenBudgetsTx(ctx context.Context, tx *gorm.DB, budgets []Budget) error {
	now := clock.Now(s.clock)
	accounts := make([]model.Account, 0, len(budgets))
	balances := make([]model.AccountBalance, 0, len(budgets))
	for _, b := range budgets {
		if b.LimitPoints < 1 || b.LimitPoints > MaxBudgetPoints {
			return ErrAmount
		}
		id := BudgetOf(b.ID)
		accounts = append(accounts, model.Account{ID: string(id), Kind: id.Kind(), OwnerID: b.ID, CreatedAt: now})
		balances = append(balances, model.AccountBalance{
			AccountID: string(id), FloorPoints: -b.LimitPoints, Headroom: b.LimitPoints, Version: 1,
		})
	}
	tx = tx.WithContext(ctx)
	if err := tx.Create(&accounts).Error; err != nil {
		return err
	}
	return tx.Create(&balances).Error
}

// ChangeBudgetLimitTx sets a new limit. It returns ErrBudgetExhausted if more
// than that has been issued already.
func (s *Service) ChangeBudgetLimitTx(ctx context.Context, tx *gorm.DB, budgetID string, limitPoints int64) error {
	if limitPoints < 1 || limitPoints > MaxBudgetPoints {
		return ErrAmount
	}
	res := tx.WithContext(ctx).Exec(`UPDATE account_balance
		SET floor_points = ?, headroom = posted - held + ?, version = version + 1
		WHERE account_id = ? AND posted - held + ? >= 0`, -limitPoints, limitPoints, string(BudgetOf(budgetID)), limitPoints)
	err := database.RequireRows(res, 1)
	if errors.Is(err, database.ErrRowsChanged) {
		return ErrBudgetExhausted.WithCause(err)
	}
	if err != nil { // the row is wanted by everybody who earns: it may well have to be waited for
		return fmt.Errorf("ledger: change budget limit: %w", err)
	}
	return nil
}
