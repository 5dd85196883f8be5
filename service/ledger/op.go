package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// op is one item of a batch, of any kind.
type op interface {
	// header returns the event and the kind of its journal row.
	header() (Event, model.JournalKind)
	// input is everything that a replay must repeat, in a fixed order.
	input() []any
	// accounts lists what the item touches; pre is what was read before.
	accounts(pre *preloaded) []AccountID
	// apply changes the book in memory and returns what it wrote, or an
	// error and no change.
	apply(b *book) (*entry, error)
}

// hashInput is the SHA-256 of the parts, each with its length before it, so
// that no two inputs run together.
func hashInput(kind model.JournalKind, parts []any) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\n", kind) // a hash never fails
	for _, p := range parts {
		text := fmt.Sprint(p)
		_, _ = fmt.Fprintf(h, "%d:%s\n", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// runAll carries a batch out: the one path by which points move. locked may
// hold wallets that the transaction has locked and read already.
func runAll[T op](ctx context.Context, s *Service, tx *gorm.DB, locked *Wallets, items []T) ([]Outcome, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if len(items) > MaxBatch {
		return nil, fmt.Errorf("ledger: batch of %d items, at most %d", len(items), MaxBatch)
	}
	ops := make([]op, len(items))
	for i, item := range items {
		ops[i] = item
	}
	// The first try does not look whether an event is in the journal already:
	// that is rare, and shows (see missed). The others do.
	outcomes, err := s.runOnce(s.bookOf(ctx, tx, locked), ops, false)
	for try := 1; errors.Is(err, errRecordedMeanwhile) && try < maxRivals; try++ {
		outcomes, err = s.runOnce(s.bookOf(ctx, tx, nil), ops, true)
	}
	return outcomes, err
}

// maxRivals is how often a batch may find that one of its events has been
// recorded before or meanwhile.
const maxRivals = 5

// errRecordedMeanwhile: one of the events is in the journal, where nobody had
// looked, or since somebody recorded it under the lock of another account.
var errRecordedMeanwhile = errors.New("ledger: recorded before or meanwhile")

// runOnce carries a batch out. After errRecordedMeanwhile nothing is written,
// and the transaction can go on: the next try finds the other's row.
func (s *Service) runOnce(b *book, ops []op, look bool) ([]Outcome, error) {
	if err := b.load(ops, look); err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(ops))
	for i, o := range ops {
		outcomes[i] = b.record(o)
	}
	if !look {
		if err := b.missed(ops, outcomes); err != nil {
			return nil, err
		}
	}
	if err := b.flush(); err != nil {
		return nil, err
	}
	return outcomes, nil
}

// missed looks, for a batch that did not, whether an item failed that has been
// carried out before: a replay whose points are spent by now. A replay that did
// not fail meets the journal's unique key.
func (b *book) missed(ops []op, outcomes []Outcome) error {
	var failed []op
	for i, o := range ops {
		if outcomes[i].Err != nil {
			failed = append(failed, o)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	found, err := b.findRecorded(failed)
	if err != nil {
		return fmt.Errorf("ledger: load: %w", err)
	}
	if len(found) > 0 {
		return errRecordedMeanwhile
	}
	return nil
}

// record applies one item, or finds that it was recorded before.
func (b *book) record(o op) Outcome {
	ev, kind := o.header()
	if err := ev.validate(); err != nil {
		return Outcome{Err: err}
	}
	hash := hashInput(kind, o.input())
	if first, ok := b.recorded(ev, kind); ok {
		if first.hash != hash {
			return Outcome{Err: ErrIdempotencyConflict}
		}
		out := first.outcome
		out.Replayed = true
		return out
	}
	e, err := o.apply(b)
	if err != nil {
		return Outcome{Err: err}
	}
	return b.journalize(ev, kind, hash, e)
}

func (e Event) validate() error {
	var f fault.Fields
	f.Add(e.SourceType != "" && len(e.SourceType) <= 32, "source_type", "缺少来源类型")
	f.Add(e.SourceID != "" && len(e.SourceID) <= 64, "source_id", "缺少来源编号")
	f.Add(e.ActorID != "" && len(e.ActorID) <= 64, "actor_id", "缺少操作人")
	f.Add(len([]rune(e.Reason)) <= 200, "reason", "原因最多 200 个字")
	f.Add(len(e.Evidence) <= 8<<10, "evidence", "依据过长")
	f.Add(len(e.IdempotencyKey) <= 64, "idempotency_key", "请求号过长")
	if len(f) > 0 {
		return ErrSource.WithFields(f...)
	}
	return nil
}

// sourceKey is how a recorded event is found again.
func sourceKey(kind model.JournalKind, sourceType, sourceID string) string {
	return strings.Join([]string{string(kind), sourceType, sourceID}, "\x1f")
}

func actorKey(actorID, key string) string { return actorID + "\x1f" + key }

// --- the kinds of item ---

func (e Earn) header() (Event, model.JournalKind) { return e.Event, model.JournalEarn }

func (e Earn) input() []any { return []any{e.BudgetID, e.ResidentID, e.Amount, e.ExpiresOn} }

func (e Earn) accounts(*preloaded) []AccountID {
	return []AccountID{WalletOf(e.ResidentID), BudgetOf(e.BudgetID)}
}

func (e Earn) apply(b *book) (*entry, error) {
	if err := checkAmount(e.Amount); err != nil {
		return nil, err
	}
	if e.ExpiresOn < b.today {
		return nil, ErrAmount.WithMessage("积分有效期不能早于今天")
	}
	t := &draft{debit: BudgetOf(e.BudgetID), credit: WalletOf(e.ResidentID), amount: e.Amount}
	if err := b.move(t, ErrBudgetExhausted); err != nil {
		return nil, err
	}
	t.giveLot(b.lotOf(t.credit, e.ExpiresOn), e.Amount)
	return &entry{transfer: t}, nil
}

func (h Hold) header() (Event, model.JournalKind) { return h.Event, model.JournalHold }
func (h Hold) input() []any                       { return []any{h.ResidentID, h.Amount, int64(h.ExpiresAt)} }
func (h Hold) accounts(*preloaded) []AccountID    { return []AccountID{WalletOf(h.ResidentID)} }

func (h Hold) apply(b *book) (*entry, error) {
	if err := checkAmount(h.Amount); err != nil {
		return nil, err
	}
	wallet := WalletOf(h.ResidentID)
	acc, err := b.account(wallet)
	if err != nil {
		return nil, err
	}
	pins := b.spendable(wallet, h.Amount, "")
	if pins == nil || acc.headroom < h.Amount {
		return nil, ErrInsufficientPoints
	}
	acc.held += h.Amount
	acc.headroom -= h.Amount
	acc.dirty = true
	for _, p := range pins {
		p.lot.held += p.amount
		p.lot.dirty = true
	}
	return &entry{hold: &holdDraft{account: wallet, amount: h.Amount, expiresAt: h.ExpiresAt, pins: pins}}, nil
}

func (c Capture) header() (Event, model.JournalKind) { return c.Event, model.JournalCapture }
func (c Capture) input() []any                       { return []any{c.ResidentID, c.HoldID, c.MerchantID} }

func (c Capture) accounts(*preloaded) []AccountID {
	return []AccountID{WalletOf(c.ResidentID), MerchantOf(c.MerchantID)}
}

func (c Capture) apply(b *book) (*entry, error) {
	h, err := b.pendingHold(c.HoldID, c.ResidentID)
	if err != nil {
		return nil, err
	}
	if h.row.ExpiresAt <= b.now {
		return nil, ErrHoldExpired
	}
	wallet, err := b.account(WalletOf(c.ResidentID))
	if err != nil {
		return nil, err
	}
	t := &draft{debit: WalletOf(c.ResidentID), credit: MerchantOf(c.MerchantID), amount: h.row.Amount, holdID: h.row.ID}
	// The held points become free for the moment in which they move.
	wallet.held -= h.row.Amount
	wallet.headroom += h.row.Amount
	if err := b.move(t, ErrInsufficientPoints); err != nil {
		wallet.held += h.row.Amount
		wallet.headroom -= h.row.Amount
		return nil, err
	}
	for _, p := range h.pins {
		p.lot.held -= p.amount
		t.giveLot(p.lot, -p.amount)
	}
	h.resolve(model.HoldCaptured)
	return &entry{transfer: t, resolves: h}, nil
}

func (r Release) header() (Event, model.JournalKind) { return r.Event, model.JournalRelease }
func (r Release) input() []any                       { return []any{r.ResidentID, r.HoldID} }
func (r Release) accounts(*preloaded) []AccountID    { return []AccountID{WalletOf(r.ResidentID)} }

func (r Release) apply(b *book) (*entry, error) {
	h, err := b.pendingHold(r.HoldID, r.ResidentID)
	if err != nil {
		return nil, err
	}
	wallet, ok := b.accounts[WalletOf(r.ResidentID)] // a frozen wallet may still get its hold back
	if !ok {
		return nil, ErrAccountMissing
	}
	wallet.held -= h.row.Amount
	wallet.headroom += h.row.Amount
	wallet.dirty = true
	for _, p := range h.pins {
		p.lot.held -= p.amount
		p.lot.dirty = true
	}
	h.resolve(model.HoldReleased)
	return &entry{resolves: h}, nil
}

func (r Reverse) header() (Event, model.JournalKind) { return r.Event, model.JournalReverse }
func (r Reverse) input() []any                       { return []any{r.TransferID} }
func (r Reverse) accounts(pre *preloaded) []AccountID {
	if t, ok := pre.transfers[r.TransferID]; ok {
		return []AccountID{AccountID(t.DebitAccountID), AccountID(t.CreditAccountID)}
	}
	return nil
}

func (r Reverse) apply(b *book) (*entry, error) {
	first, ok := b.pre.transfers[r.TransferID]
	switch {
	case !ok:
		return nil, ErrTransferMissing
	case b.reversed[r.TransferID]:
		return nil, ErrAlreadyReversed
	case first.ReversesID != nil:
		return nil, ErrIrreversible
	}
	t := &draft{
		debit: AccountID(first.CreditAccountID), credit: AccountID(first.DebitAccountID),
		amount: first.Amount, reversesID: first.ID,
	}
	entries := b.pre.lotEntries[first.ID]
	switch {
	case t.debit.Kind() == model.AccountMerchant && t.credit.Kind() == model.AccountWallet:
		if err := b.move(t, ErrInsufficientBalance); err != nil {
			return nil, err
		}
		for _, le := range entries {
			t.giveLot(b.lots[le.LotID], -le.Amount)
		}
	case t.debit.Kind() == model.AccountWallet && t.credit.Kind() == model.AccountBudget:
		// Take the points from the lot that they went to, then from others.
		pins := b.spendable(t.debit, t.amount, entries[0].LotID)
		if pins == nil {
			return nil, ErrInsufficientPoints
		}
		if err := b.move(t, ErrInsufficientPoints); err != nil {
			return nil, err
		}
		for _, p := range pins {
			t.giveLot(p.lot, -p.amount)
		}
	case t.debit.Kind() == model.AccountBudget && t.credit.Kind() == model.AccountWallet:
		// A debit by hand: the points go back to the lots that they came from.
		if err := b.move(t, ErrBudgetExhausted); err != nil {
			return nil, err
		}
		for _, le := range entries {
			t.giveLot(b.lots[le.LotID], -le.Amount)
		}
	default:
		return nil, ErrIrreversible
	}
	b.reversed[r.TransferID] = true
	return &entry{transfer: t}, nil
}

func (s Settle) header() (Event, model.JournalKind) { return s.Event, model.JournalSettle }
func (s Settle) input() []any                       { return []any{s.MerchantID, s.Amount} }
func (s Settle) accounts(*preloaded) []AccountID {
	return []AccountID{MerchantOf(s.MerchantID), Settled}
}

func (s Settle) apply(b *book) (*entry, error) {
	if err := checkAmount(s.Amount); err != nil {
		return nil, err
	}
	// The floor lets reversals take a merchant below zero; a settlement may not.
	acc, err := b.account(MerchantOf(s.MerchantID))
	if err != nil {
		return nil, err
	}
	if acc.posted < s.Amount {
		return nil, ErrInsufficientBalance
	}
	t := &draft{debit: MerchantOf(s.MerchantID), credit: Settled, amount: s.Amount}
	if err := b.move(t, ErrInsufficientBalance); err != nil {
		return nil, err
	}
	return &entry{transfer: t}, nil
}

// expire takes what is left of a lot whose last day is over.
type expire struct {
	Event
	wallet AccountID
	lotID  string
}

func (e expire) header() (Event, model.JournalKind) { return e.Event, model.JournalExpire }
func (e expire) input() []any                       { return []any{e.wallet, e.lotID} }
func (e expire) accounts(*preloaded) []AccountID    { return []AccountID{e.wallet, Expired} }

func (e expire) apply(b *book) (*entry, error) {
	l := b.lots[e.lotID]
	if l == nil || l.row.ExpiresOn >= b.today || l.remaining-l.held == 0 {
		return nil, errNothingToExpire
	}
	t := &draft{debit: e.wallet, credit: Expired, amount: l.remaining - l.held}
	if err := b.move(t, ErrInsufficientPoints); err != nil {
		return nil, err
	}
	t.giveLot(l, -t.amount)
	return &entry{transfer: t}, nil
}

func checkAmount(points int64) error {
	if points < 1 || points > MaxAmount {
		return ErrAmount
	}
	return nil
}
