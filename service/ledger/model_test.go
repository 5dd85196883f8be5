package ledger_test

import (
	"maps"
	"slices"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// books is the ledger as a model in memory: written from the rules in
// docs/, not from the code, and as simple as it can be. One caller at a time.
type books struct {
	posted    map[ledger.AccountID]int64
	lots      map[ledger.AccountID]map[clock.Day]*purse
	limits    map[string]int64 // by budget
	holds     map[string]*promise
	transfers map[string]*movement
}

// purse is what a wallet owns of one expiry date.
type purse struct{ remaining, held int64 }

// promise is a hold.
type promise struct {
	resident string
	amount   int64
	until    clock.Instant
	pins     map[clock.Day]int64
	resolved bool
}

// movement is a transfer that may be reversed.
type movement struct {
	kind     model.JournalKind
	from, to ledger.AccountID
	amount   int64
	lots     map[clock.Day]int64 // given to (positive) or taken from the wallet's lots
	reversed bool
}

const modelFloor = -1_000_000_000 // what reversals after settlement may cost a merchant

func newBooks() *books {
	return &books{
		posted: map[ledger.AccountID]int64{}, lots: map[ledger.AccountID]map[clock.Day]*purse{}, limits: map[string]int64{},
		holds: map[string]*promise{}, transfers: map[string]*movement{},
	}
}

// clone is a copy that can be thrown away: for a transaction that rolls back.
func (b *books) clone() *books {
	c := newBooks()
	maps.Copy(c.posted, b.posted)
	maps.Copy(c.limits, b.limits)
	for w, lots := range b.lots {
		c.lots[w] = map[clock.Day]*purse{}
		for day, p := range lots {
			own := *p
			c.lots[w][day] = &own
		}
	}
	for id, h := range b.holds {
		own := *h
		c.holds[id] = &own
	}
	for id, m := range b.transfers {
		own := *m
		c.transfers[id] = &own
	}
	return c
}

func (b *books) purse(w ledger.AccountID, day clock.Day) *purse {
	if b.lots[w] == nil {
		b.lots[w] = map[clock.Day]*purse{}
	}
	if b.lots[w][day] == nil {
		b.lots[w][day] = &purse{}
	}
	return b.lots[w][day]
}

// pick takes amount from what is free in the lots of today and later, the
// given day first, then soonest-expiring: nil if it does not suffice.
func (b *books) pick(w ledger.AccountID, amount int64, today, first clock.Day) map[clock.Day]int64 {
	days := slices.Sorted(maps.Keys(b.lots[w]))
	if at := slices.Index(days, first); at >= 0 {
		days = append([]clock.Day{first}, slices.Delete(days, at, at+1)...)
	}
	out := map[clock.Day]int64{}
	for _, day := range days {
		p := b.lots[w][day]
		take := min(amount, p.remaining-p.held)
		if day < today || take <= 0 {
			continue
		}
		out[day] = take
		amount -= take
	}
	if amount > 0 {
		return nil
	}
	return out
}

func (b *books) move(m movement, transferID string) {
	b.posted[m.from] -= m.amount
	b.posted[m.to] += m.amount
	wallet := m.to
	if m.from.Kind() == model.AccountWallet {
		wallet = m.from
	}
	for day, n := range m.lots {
		b.purse(wallet, day).remaining += n
	}
	b.transfers[transferID] = &m
}

func negated(lots map[clock.Day]int64) map[clock.Day]int64 {
	out := map[clock.Day]int64{}
	for day, n := range lots {
		out[day] = -n
	}
	return out
}

func badAmount(n int64) bool { return n <= 0 || n > 100_000_000 }

// The operations: each returns the error that the ledger must give, and
// otherwise does its work under the ids that the ledger gave.

func (b *books) earn(e ledger.Earn, today clock.Day, out ledger.Outcome) error {
	budget := ledger.BudgetOf(e.BudgetID)
	switch {
	case badAmount(e.Amount), e.ExpiresOn < today:
		return ledger.ErrAmount
	case -b.posted[budget]+e.Amount > b.limits[e.BudgetID]:
		return ledger.ErrBudgetExhausted
	}
	b.move(movement{
		kind: model.JournalEarn, from: budget, to: ledger.WalletOf(e.ResidentID), amount: e.Amount,
		lots: map[clock.Day]int64{e.ExpiresOn: e.Amount},
	}, out.TransferID)
	return nil
}

// adjust is an earn by hand, or takes free points back into the budget.
func (b *books) adjust(a ledger.Adjust, today clock.Day, out ledger.Outcome) error {
	if a.Amount > 0 {
		err := b.earn(ledger.Earn(a), today, out)
		if err == nil {
			b.transfers[out.TransferID].kind = model.JournalAdjust
		}
		return err
	}
	if badAmount(-a.Amount) {
		return ledger.ErrAmount
	}
	w := ledger.WalletOf(a.ResidentID)
	pins := b.pick(w, -a.Amount, today, "")
	if pins == nil {
		return ledger.ErrInsufficientPoints
	}
	b.move(movement{
		kind: model.JournalAdjust, from: w, to: ledger.BudgetOf(a.BudgetID), amount: -a.Amount, lots: negated(pins),
	}, out.TransferID)
	return nil
}

func (b *books) hold(h ledger.Hold, today clock.Day, out ledger.Outcome) error {
	if badAmount(h.Amount) {
		return ledger.ErrAmount
	}
	w := ledger.WalletOf(h.ResidentID)
	pins := b.pick(w, h.Amount, today, "")
	if pins == nil {
		return ledger.ErrInsufficientPoints
	}
	for day, n := range pins {
		b.purse(w, day).held += n
	}
	b.holds[out.HoldID] = &promise{resident: h.ResidentID, amount: h.Amount, until: h.ExpiresAt, pins: pins}
	return nil
}

func (b *books) pending(holdID, resident string) (*promise, error) {
	h := b.holds[holdID]
	switch {
	case h == nil, h.resident != resident:
		return nil, ledger.ErrHoldMissing
	case h.resolved:
		return nil, ledger.ErrHoldResolved
	}
	return h, nil
}

func (b *books) capture(c ledger.Capture, now clock.Instant, out ledger.Outcome) error {
	h, err := b.pending(c.HoldID, c.ResidentID)
	if err != nil {
		return err
	}
	if h.until <= now {
		return ledger.ErrHoldExpired
	}
	w := ledger.WalletOf(c.ResidentID)
	for day, n := range h.pins {
		b.purse(w, day).held -= n
	}
	h.resolved = true
	b.move(movement{
		kind: model.JournalCapture, from: w, to: ledger.MerchantOf(c.MerchantID), amount: h.amount, lots: negated(h.pins),
	}, out.TransferID)
	return nil
}

func (b *books) release(r ledger.Release) error {
	h, err := b.pending(r.HoldID, r.ResidentID)
	if err != nil {
		return err
	}
	for day, n := range h.pins {
		b.purse(ledger.WalletOf(r.ResidentID), day).held -= n
	}
	h.resolved = true
	return nil
}

func (b *books) reverse(r ledger.Reverse, today clock.Day, out ledger.Outcome) error {
	m := b.transfers[r.TransferID]
	switch {
	case m == nil:
		return ledger.ErrTransferMissing
	case m.reversed:
		return ledger.ErrAlreadyReversed
	case !slices.Contains([]model.JournalKind{model.JournalEarn, model.JournalAdjust, model.JournalCapture}, m.kind):
		return ledger.ErrIrreversible
	}
	back := movement{kind: model.JournalReverse, from: m.to, to: m.from, amount: m.amount, lots: negated(m.lots)}
	if m.kind == model.JournalCapture && b.posted[m.to]-m.amount < modelFloor {
		return ledger.ErrInsufficientBalance
	}
	if m.to.Kind() == model.AccountBudget && -b.posted[m.to]+m.amount > b.limits[m.to.OwnerID()] {
		return ledger.ErrBudgetExhausted
	}
	if m.from.Kind() == model.AccountBudget {
		var day clock.Day
		for day = range m.lots { // what comes from a budget goes to one
			break
		}
		pins := b.pick(m.to, m.amount, today, day)
		if pins == nil {
			return ledger.ErrInsufficientPoints
		}
		back.lots = negated(pins)
	}
	m.reversed = true
	b.move(back, out.TransferID)
	return nil
}

func (b *books) settle(s ledger.Settle, out ledger.Outcome) error {
	merchant := ledger.MerchantOf(s.MerchantID)
	switch {
	case badAmount(s.Amount):
		return ledger.ErrAmount
	case b.posted[merchant] < s.Amount:
		return ledger.ErrInsufficientBalance
	}
	b.move(movement{kind: model.JournalSettle, from: merchant, to: ledger.Settled, amount: s.Amount}, out.TransferID)
	return nil
}

// expire takes what is free in the lots of the days before today, and returns
// from how many.
func (b *books) expire(today clock.Day) (lots int) {
	for w, days := range b.lots {
		for day, p := range days {
			if free := p.remaining - p.held; day < today && free > 0 {
				p.remaining -= free
				b.posted[w] -= free
				b.posted[ledger.Expired] += free
				lots++
			}
		}
	}
	return lots
}

// held is what the wallet's pending holds reserve.
func (b *books) held(w ledger.AccountID) (n int64) {
	for _, p := range b.lots[w] {
		n += p.held
	}
	return n
}
