package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
)

// A failing run prints its seed: `go test ./service/ledger -run NAME
// -rapid.seed=N` repeats it, and -rapid.checks=N asks for more runs than
// propertyRuns.
const (
	propertyWallets   = 50
	propertyMerchants = 3
)

func setChecks(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue {
		return // asked for on the command line
	}
	require.NoError(t, checks.Value.Set(fmt.Sprint(propertyRuns)))
	t.Cleanup(func() { require.NoError(t, checks.Value.Set(checks.DefValue)) })
}

// errRollback gives a transaction up on purpose.
var errRollback = errors.New("rolled back on purpose")

// county is one run: people, merchants and budgets that no other run has, and
// days that come after those of the runs before.
type county struct {
	rt     *rapid.T
	db     *database.DB
	clock  *clock.Manual
	ledger *ledger.Service

	residents, merchants, budgets []string

	books *books
	// What the ledger answered, by source and by the client's key.
	answers map[string]answer
	past    map[model.JournalKind][]any
	events  int
}

type answer struct {
	input   string
	outcome ledger.Outcome
}

// begin opens a run's accounts. Lots of earlier runs are past their days, and
// one sweep takes them out of the way.
func begin(rt *rapid.T, db *database.DB, c *clock.Manual) *county {
	c.Advance(60 * 24 * time.Hour)
	k := &county{
		rt: rt, db: db, clock: c, ledger: ledger.New(db, c), books: newBooks(),
		answers: map[string]answer{}, past: map[model.JournalKind][]any{},
	}
	for range propertyWallets {
		k.residents = append(k.residents, c.NewID())
	}
	for range propertyMerchants {
		k.merchants = append(k.merchants, c.NewID())
	}
	var budgets []ledger.Budget
	for _, limit := range []int64{300, 2_000} {
		id := c.NewID()
		k.budgets = append(k.budgets, id)
		k.books.limits[id] = limit
		budgets = append(budgets, ledger.Budget{ID: id, LimitPoints: limit})
	}
	require.NoError(rt, k.in(func(tx *gorm.DB) error { return k.ledger.OpenBudgetsTx(context.Background(), tx, budgets) }))
	_, err := k.ledger.ExpireLots(context.Background())
	require.NoError(rt, err)
	shared, err := k.ledger.Balances(context.Background(), []ledger.AccountID{ledger.Expired, ledger.Settled})
	require.NoError(rt, err)
	for id, b := range shared {
		k.books.posted[id] = b.Posted
	}
	return k
}

func (k *county) in(fn func(tx *gorm.DB) error) error {
	return database.InTx(context.Background(), k.db, fn)
}

func (k *county) today() clock.Day { return clock.Today(k.clock) }

// --- what may happen ---

// uniform draws 0..n-1, each as likely: rapid's own ranges prefer small numbers,
// with which most kinds of item would hardly ever come up. It shrinks to 0.
func uniform(n int) *rapid.Generator[int] {
	return rapid.Custom(func(rt *rapid.T) int {
		v := 0
		for range 12 {
			v <<= 1
			if rapid.Bool().Draw(rt, "bit") {
				v |= 1
			}
		}
		return v % n
	})
}

func (k *county) chance(percent int, label string) bool {
	return uniform(100).Draw(k.rt, label) >= 100-percent // shrinks to no
}

func (k *county) amount() int64 {
	if k.chance(8, "odd amount") {
		odd := []int64{0, -1, ledger.MaxAmount + 1, math.MaxInt64, math.MinInt64, ledger.MaxAmount}
		return odd[uniform(len(odd)).Draw(k.rt, "amount")]
	}
	return int64(1 + uniform(60).Draw(k.rt, "amount"))
}

// resident draws one of fifty, three times of four one of five.
func (k *county) resident() string {
	among := k.residents
	if k.chance(75, "regular") {
		among = among[:5]
	}
	return among[uniform(len(among)).Draw(k.rt, "resident")]
}

func (k *county) merchant() string {
	return k.merchants[uniform(len(k.merchants)).Draw(k.rt, "merchant")]
}
func (k *county) budget() string { return k.budgets[uniform(len(k.budgets)).Draw(k.rt, "budget")] }

func (k *county) day() clock.Day {
	return k.today().AddDays(-1 + uniform(7).Draw(k.rt, "expires in days"))
}

func (k *county) until() clock.Instant {
	return clock.Now(k.clock).Add(time.Duration(-1+uniform(7).Draw(k.rt, "hold hours")) * time.Hour)
}

// someHold is a hold and, nearly always, the resident whose it is.
func (k *county) someHold() (hold, resident string) {
	ids := slices.Sorted(maps.Keys(k.books.holds))
	if len(ids) == 0 || k.chance(3, "no such hold") {
		return "01MISSING00000000000000000", k.resident()
	}
	hold = ids[uniform(len(ids)).Draw(k.rt, "hold")]
	if k.chance(5, "another's hold") {
		return hold, k.resident()
	}
	return hold, k.books.holds[hold].resident
}

func (k *county) someTransfer() string {
	ids := slices.Sorted(maps.Keys(k.books.transfers))
	if len(ids) == 0 || k.chance(3, "no such transfer") {
		return "01MISSING00000000000000000"
	}
	return ids[uniform(len(ids)).Draw(k.rt, "transfer")]
}

func (k *county) event() ledger.Event {
	k.events++
	ev := ledger.Event{SourceType: "property", SourceID: k.budgets[0] + fmt.Sprint(k.events), ActorID: "tester", Evidence: "{}"}
	if k.chance(30, "keyed") {
		ev.IdempotencyKey = "key-" + ev.SourceID
	}
	return ev
}

// kindOf is one kind of item: how it is drawn, posted and expected.
type kindOf[T any] struct {
	kind  model.JournalKind
	draw  func() T
	event func(*T) *ledger.Event
	post  func(context.Context, *gorm.DB, []T) ([]ledger.Outcome, error)
	model func(*books, T, ledger.Outcome) error
}

// drawn is an item: a new one, a repetition, or a new one under the key or the
// source of an earlier one.
func drawn[T any](k *county, of kindOf[T]) T {
	old := k.past[of.kind]
	if len(old) > 0 && k.chance(10, "repeat") {
		return old[uniform(len(old)).Draw(k.rt, "past")].(T)
	}
	item := of.draw()
	ev := of.event(&item)
	*ev = k.event()
	if len(old) == 0 || !k.chance(6, "clash") {
		return item
	}
	first := old[uniform(len(old)).Draw(k.rt, "past")].(T)
	if e := of.event(&first); e.IdempotencyKey != "" && k.chance(50, "by key") {
		ev.IdempotencyKey = e.IdempotencyKey
	} else {
		ev.SourceID = e.SourceID
	}
	return item
}

// batch posts a few items of one kind in one transaction, and requires of each
// what the model says.
func batch[T any](k *county, of kindOf[T]) {
	items := make([]T, 1+uniform(8).Draw(k.rt, "items"))
	for i := range items {
		items[i] = drawn(k, of)
	}
	giveUp := k.chance(8, "roll back")
	var outs []ledger.Outcome
	err := k.in(func(tx *gorm.DB) (err error) {
		if outs, err = of.post(context.Background(), tx, items); err == nil && giveUp {
			err = errRollback
		}
		return err
	})
	require.True(k.rt, err == nil || giveUp && errors.Is(err, errRollback), "%s: %v", of.kind, err)
	require.Len(k.rt, outs, len(items))
	books, answers, past := k.books, k.answers, k.past[of.kind]
	if giveUp {
		k.books, k.answers = books.clone(), maps.Clone(answers)
	}
	for i, item := range items {
		expect(k, of, item, outs[i])
	}
	if giveUp {
		k.books, k.answers, k.past[of.kind] = books, answers, past
	}
}

func expect[T any](k *county, of kindOf[T], item T, out ledger.Outcome) {
	bare := item
	ev := *of.event(&bare)
	*of.event(&bare) = ledger.Event{}
	input := fmt.Sprintf("%s %+v", of.kind, bare)
	source, key := "source "+string(of.kind)+ev.SourceID, "key "+ev.IdempotencyKey
	first, known := k.answers[source]
	if !known && ev.IdempotencyKey != "" {
		first, known = k.answers[key]
	}
	if known {
		if first.input != input {
			require.ErrorIs(k.rt, out.Err, ledger.ErrIdempotencyConflict, "%+v", item)
			return
		}
		want := first.outcome
		want.Replayed = true
		require.Equal(k.rt, want, out, "a replay has the first answer: %+v", item)
		return
	}
	want := of.model(k.books, item, out)
	if want != nil {
		require.ErrorIs(k.rt, out.Err, want, "%s %+v", of.kind, item)
		return
	}
	require.NoError(k.rt, out.Err, "%s %+v", of.kind, item)
	require.False(k.rt, out.Replayed)
	k.answers[source] = answer{input: input, outcome: out}
	if ev.IdempotencyKey != "" {
		k.answers[key] = k.answers[source]
	}
	k.past[of.kind] = append(k.past[of.kind], item)
}

// --- the kinds ---

func (k *county) earns() kindOf[ledger.Earn] {
	return kindOf[ledger.Earn]{
		model.JournalEarn,
		func() ledger.Earn {
			return ledger.Earn{BudgetID: k.budget(), ResidentID: k.resident(), Amount: k.amount(), ExpiresOn: k.day()}
		},
		func(e *ledger.Earn) *ledger.Event { return &e.Event },
		k.ledger.EarnTx,
		func(b *books, e ledger.Earn, o ledger.Outcome) error { return b.earn(e, k.today(), o) },
	}
}

func (k *county) holds() kindOf[ledger.Hold] {
	return kindOf[ledger.Hold]{
		model.JournalHold,
		func() ledger.Hold {
			return ledger.Hold{ResidentID: k.resident(), Amount: k.amount(), ExpiresAt: k.until()}
		},
		func(h *ledger.Hold) *ledger.Event { return &h.Event },
		k.ledger.HoldTx,
		func(b *books, h ledger.Hold, o ledger.Outcome) error { return b.hold(h, k.today(), o) },
	}
}

func (k *county) captures() kindOf[ledger.Capture] {
	return kindOf[ledger.Capture]{
		model.JournalCapture,
		func() ledger.Capture {
			hold, resident := k.someHold()
			return ledger.Capture{ResidentID: resident, HoldID: hold, MerchantID: k.merchant()}
		},
		func(c *ledger.Capture) *ledger.Event { return &c.Event },
		k.ledger.CaptureTx,
		func(b *books, c ledger.Capture, o ledger.Outcome) error { return b.capture(c, clock.Now(k.clock), o) },
	}
}

func (k *county) releases() kindOf[ledger.Release] {
	return kindOf[ledger.Release]{
		model.JournalRelease,
		func() ledger.Release {
			hold, resident := k.someHold()
			return ledger.Release{ResidentID: resident, HoldID: hold}
		},
		func(r *ledger.Release) *ledger.Event { return &r.Event },
		k.ledger.ReleaseTx,
		func(b *books, r ledger.Release, _ ledger.Outcome) error { return b.release(r) },
	}
}

func (k *county) reverses() kindOf[ledger.Reverse] {
	return kindOf[ledger.Reverse]{
		model.JournalReverse,
		func() ledger.Reverse { return ledger.Reverse{TransferID: k.someTransfer()} },
		func(r *ledger.Reverse) *ledger.Event { return &r.Event },
		k.ledger.ReverseTx,
		func(b *books, r ledger.Reverse, o ledger.Outcome) error { return b.reverse(r, k.today(), o) },
	}
}

func (k *county) settles() kindOf[ledger.Settle] {
	return kindOf[ledger.Settle]{
		model.JournalSettle,
		func() ledger.Settle { return ledger.Settle{MerchantID: k.merchant(), Amount: k.amount()} },
		func(s *ledger.Settle) *ledger.Event { return &s.Event },
		k.ledger.SettleTx,
		func(b *books, s ledger.Settle, o ledger.Outcome) error { return b.settle(s, o) },
	}
}

func (k *county) adjusts() kindOf[ledger.Adjust] {
	return kindOf[ledger.Adjust]{
		model.JournalAdjust,
		func() ledger.Adjust {
			a := ledger.Adjust{BudgetID: k.budget(), ResidentID: k.resident(), Amount: k.amount(), ExpiresOn: k.day()}
			if k.chance(50, "debit") {
				a.Amount = -a.Amount
			}
			return a
		},
		func(a *ledger.Adjust) *ledger.Event { return &a.Event },
		k.ledger.AdjustTx,
		func(b *books, a ledger.Adjust, o ledger.Outcome) error { return b.adjust(a, k.today(), o) },
	}
}

// --- the rest of what may happen ---

// ticks are how the clock moves: an hour back, too.
var ticks = []time.Duration{10 * time.Minute, time.Hour, -time.Hour, 5 * time.Hour, 24 * time.Hour}

func (k *county) expire() {
	lots, err := k.ledger.ExpireLots(context.Background())
	require.NoError(k.rt, err)
	require.Equal(k.rt, k.books.expire(k.today()), lots)
}

func (k *county) changeLimit() {
	budget, limit := k.budget(), int64(uniform(3001).Draw(k.rt, "limit"))
	err := k.in(func(tx *gorm.DB) error { return k.ledger.ChangeBudgetLimitTx(context.Background(), tx, budget, limit) })
	switch {
	case limit == 0:
		require.ErrorIs(k.rt, err, ledger.ErrAmount)
	case -k.books.posted[ledger.BudgetOf(budget)] > limit:
		require.ErrorIs(k.rt, err, ledger.ErrBudgetExhausted)
	default:
		require.NoError(k.rt, err)
		k.books.limits[budget] = limit
	}
}

func (k *county) link() {
	_, err := k.ledger.LinkTransfers(context.Background())
	require.NoError(k.rt, err)
}

func (k *county) accounts() []ledger.AccountID {
	ids := []ledger.AccountID{ledger.Expired, ledger.Settled}
	for _, r := range k.residents {
		ids = append(ids, ledger.WalletOf(r))
	}
	for _, m := range k.merchants {
		ids = append(ids, ledger.MerchantOf(m))
	}
	for _, b := range k.budgets {
		ids = append(ids, ledger.BudgetOf(b))
	}
	return ids
}

// compare requires that every balance and every lot is as the model has it.
func (k *county) compare() {
	ctx := context.Background()
	ids := k.accounts()
	balances, err := k.ledger.Balances(ctx, ids)
	require.NoError(k.rt, err)
	for _, id := range ids {
		require.Equal(k.rt, k.books.posted[id], balances[id].Posted, "posted of %s", id)
		require.Equal(k.rt, k.books.held(id), balances[id].Held, "held of %s", id)
	}
	var rows []model.Lot
	require.NoError(k.rt, k.db.Read(ctx).Where("account_id IN ?", ids).Find(&rows).Error)
	got, want := map[string]purse{}, map[string]purse{}
	for _, l := range rows {
		if l.Remaining != 0 || l.Held != 0 {
			name := l.AccountID + " " + string(l.ExpiresOn)
			require.NotContains(k.rt, got, name, "one lot per wallet and day")
			got[name] = purse{l.Remaining, l.Held}
		}
	}
	for w, lots := range k.books.lots {
		for day, p := range lots {
			if *p != (purse{}) {
				want[string(w)+" "+string(day)] = *p
			}
		}
	}
	require.Equal(k.rt, want, got)
}

// end relinks, so that the audit sees the chains of every transfer, and audits.
func (k *county) end() {
	_, err := k.ledger.RelinkTransfers(context.Background())
	require.NoError(k.rt, err)
	differences, err := k.ledger.Audit(context.Background())
	require.NoError(k.rt, err)
	require.Empty(k.rt, differences, "the audit found differences")
}

// TestAgainstModel posts at random, one batch after the other, and requires
// that the ledger answers and keeps what the model does.
func TestAgainstModel(t *testing.T) {
	setChecks(t)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(noon, 1)
		rapid.Check(t, func(rt *rapid.T) {
			k := begin(rt, db, c)
			acts := []func(){
				func() { batch(k, k.earns()) },
				func() { batch(k, k.earns()) },
				func() { batch(k, k.holds()) },
				func() { batch(k, k.holds()) },
				func() { batch(k, k.captures()) },
				func() { batch(k, k.captures()) },
				func() { batch(k, k.releases()) },
				func() { batch(k, k.reverses()) },
				func() { batch(k, k.reverses()) },
				func() { batch(k, k.settles()) },
				func() { batch(k, k.adjusts()) },
				func() { k.clock.Advance(ticks[uniform(len(ticks)).Draw(rt, "tick")]) },
				k.expire,
				k.changeLimit,
				k.link,
			}
			for range 20 + uniform(40).Draw(rt, "steps") {
				acts[uniform(len(acts)).Draw(rt, "act")]()
			}
			k.compare()
			k.end()
		})
		ledgertest.RequireSound(t, db)
	})
}
