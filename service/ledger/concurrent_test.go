package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// scriptLine is one line of a goroutine's script. Holds and transfers are named by a
// number among those that exist when the line is reached.
type scriptLine struct {
	act                        string
	resident, merchant, budget int
	amount                     int64
	days                       int
	pick                       int
	contested                  int // the number of an event that several goroutines post, 0 for one of its own
	tick                       time.Duration
}

var scriptActs = []string{"earn", "earn", "hold", "hold", "capture", "capture", "release", "reverse", "settle", "adjust", "expire", "tick"}

func drawLine(rt *rapid.T) scriptLine {
	contested := 0
	if uniform(4).Draw(rt, "contested") == 3 {
		contested = 1 + uniform(3).Draw(rt, "event")
	}
	return scriptLine{
		act:      scriptActs[uniform(len(scriptActs)).Draw(rt, "act")],
		resident: uniform(10).Draw(rt, "resident"),
		merchant: uniform(propertyMerchants).Draw(rt, "merchant"),
		budget:   uniform(2).Draw(rt, "budget"),
		amount:   int64(1 + uniform(60).Draw(rt, "amount")),
		days:     uniform(4).Draw(rt, "days"),
		pick:     uniform(1000).Draw(rt, "pick"),
		tick:     ticks[uniform(len(ticks)).Draw(rt, "tick")], contested: contested,
	}
}

// crowd is a county on which several goroutines work, and what they were told.
type crowd struct {
	*county
	mu        sync.Mutex
	done      []doneItem
	holds     []string
	heldBy    map[string]ledger.Hold
	transfers []string
	swept     int // lots
	mine      int
}

type doneItem struct {
	item any
	ev   ledger.Event
	out  ledger.Outcome
}

// refusals are what a caller may be told when others work at the same time.
var refusals = map[string][]error{
	"earn":    {ledger.ErrBudgetExhausted, ledger.ErrIdempotencyConflict, ledger.ErrAmount},
	"hold":    {ledger.ErrInsufficientPoints, ledger.ErrIdempotencyConflict},
	"capture": {ledger.ErrHoldMissing, ledger.ErrHoldResolved, ledger.ErrHoldExpired, ledger.ErrIdempotencyConflict},
	"release": {ledger.ErrHoldMissing, ledger.ErrHoldResolved, ledger.ErrIdempotencyConflict},
	"reverse": {
		ledger.ErrTransferMissing, ledger.ErrAlreadyReversed, ledger.ErrIrreversible, ledger.ErrInsufficientPoints,
		ledger.ErrInsufficientBalance, ledger.ErrBudgetExhausted, ledger.ErrIdempotencyConflict,
	},
	"adjust": {ledger.ErrBudgetExhausted, ledger.ErrInsufficientPoints, ledger.ErrIdempotencyConflict, ledger.ErrAmount},
	"settle": {ledger.ErrInsufficientBalance, ledger.ErrIdempotencyConflict},
}

func (c *crowd) nextEvent(l scriptLine) ledger.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	prefix := c.budgets[0]
	if l.contested > 0 { // the same client key, and sometimes the same source
		key := fmt.Sprintf("%s-c%d", prefix, l.contested)
		ev := ledger.Event{SourceType: "crowd", SourceID: key, ActorID: "client", IdempotencyKey: key + l.act}
		if l.pick%2 == 0 {
			c.mine++
			ev.SourceID = fmt.Sprintf("%s-r%d", prefix, c.mine)
		}
		return ev
	}
	c.mine++
	return ledger.Event{SourceType: "crowd", SourceID: fmt.Sprintf("%s-%d", prefix, c.mine), ActorID: "tester"}
}

func pickOf(ids []string, n int) string {
	if len(ids) == 0 {
		return "01MISSING00000000000000000"
	}
	return ids[n%len(ids)]
}

// item is what a line of the script asks for at this moment.
func (c *crowd) item(l scriptLine) any {
	ev := c.nextEvent(l)
	c.mu.Lock()
	defer c.mu.Unlock()
	resident := c.residents[l.resident]
	hold := pickOf(c.holds, l.pick)
	owner := c.heldBy[hold].ResidentID
	switch l.act {
	case "earn":
		return ledger.Earn{Event: ev, BudgetID: c.budgets[l.budget], ResidentID: resident, Amount: l.amount, ExpiresOn: c.today().AddDays(l.days)}
	case "hold":
		return ledger.Hold{Event: ev, ResidentID: resident, Amount: l.amount, ExpiresAt: clock.Now(c.clock).Add(time.Duration(l.days) * 24 * time.Hour)}
	case "capture":
		return ledger.Capture{Event: ev, ResidentID: owner, HoldID: hold, MerchantID: c.merchants[l.merchant]}
	case "release":
		return ledger.Release{Event: ev, ResidentID: owner, HoldID: hold}
	case "reverse":
		return ledger.Reverse{Event: ev, TransferID: pickOf(c.transfers, l.pick)}
	case "adjust":
		a := ledger.Adjust{Event: ev, BudgetID: c.budgets[l.budget], ResidentID: resident, Amount: l.amount, ExpiresOn: c.today().AddDays(l.days)}
		if l.pick%2 == 1 {
			a.Amount = -a.Amount
		}
		return a
	default:
		return ledger.Settle{Event: ev, MerchantID: c.merchants[l.merchant], Amount: l.amount}
	}
}

// postItem posts one item of any kind and repeats it while the database is
// busy, as a client does.
func postItem(s *ledger.Service, db *database.DB, item any) (out ledger.Outcome, ev ledger.Event, err error) {
	ctx := context.Background()
	var post func(tx *gorm.DB) ([]ledger.Outcome, error)
	switch x := item.(type) {
	case ledger.Earn:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.EarnTx(ctx, tx, []ledger.Earn{x}) }
	case ledger.Hold:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.HoldTx(ctx, tx, []ledger.Hold{x}) }
	case ledger.Capture:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.CaptureTx(ctx, tx, []ledger.Capture{x}) }
	case ledger.Release:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.ReleaseTx(ctx, tx, []ledger.Release{x}) }
	case ledger.Reverse:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.ReverseTx(ctx, tx, []ledger.Reverse{x}) }
	case ledger.Adjust:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.AdjustTx(ctx, tx, []ledger.Adjust{x}) }
	case ledger.Settle:
		ev, post = x.Event, func(tx *gorm.DB) ([]ledger.Outcome, error) { return s.SettleTx(ctx, tx, []ledger.Settle{x}) }
	}
	for range 10 {
		err = database.InTx(ctx, db, func(tx *gorm.DB) error {
			outs, err := post(tx)
			if err == nil {
				out = outs[0]
			}
			return err
		})
		if !errors.Is(err, database.ErrBusy) {
			break
		}
	}
	return out, ev, err
}

// follow works one script off.
func (c *crowd) follow(script []scriptLine) error {
	for _, l := range script {
		switch l.act {
		case "tick":
			c.clock.Advance(l.tick)
			continue
		case "expire":
			n, err := c.ledger.ExpireLots(context.Background())
			if err != nil {
				return fmt.Errorf("expire: %w", err)
			}
			c.mu.Lock()
			c.swept += n
			c.mu.Unlock()
			continue
		}
		item := c.item(l)
		out, ev, err := postItem(c.ledger, c.db, item)
		if err != nil {
			return fmt.Errorf("%s: %w", l.act, err)
		}
		if out.Err != nil && !slices.ContainsFunc(refusals[l.act], func(e error) bool { return errors.Is(out.Err, e) }) {
			return fmt.Errorf("%s: %w", l.act, out.Err)
		}
		if out.Err == nil {
			c.note(item, ev, out)
		}
	}
	return nil
}

func (c *crowd) note(item any, ev ledger.Event, out ledger.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, doneItem{item, ev, out})
	if out.Replayed {
		return
	}
	if h, ok := item.(ledger.Hold); ok {
		c.holds = append(c.holds, out.HoldID)
		c.heldBy[out.HoldID] = h
	}
	if out.TransferID != "" {
		c.transfers = append(c.transfers, out.TransferID)
	}
}

// reconcile computes every balance from what the callers were told, and
// requires that the ledger has it.
func (c *crowd) reconcile() {
	ctx := context.Background()
	posted, firsts := c.books.posted, map[string]ledger.Outcome{}
	moved := map[string][3]any{} // transfer -> from, to, amount
	resolved, reversed := map[string]int{}, map[string]int{}
	give := func(id string, from, to ledger.AccountID, amount int64) {
		posted[from] -= amount
		posted[to] += amount
		moved[id] = [3]any{from, to, amount}
	}
	var fresh []doneItem
	for _, d := range c.done {
		if !d.out.Replayed {
			fresh = append(fresh, d)
			firsts[d.out.JournalID] = d.out
		}
	}
	for _, d := range c.done {
		if d.out.Replayed {
			want, ok := firsts[d.out.JournalID]
			require.True(c.rt, ok, "a replay has an answer that somebody got first: %+v", d)
			want.Replayed = true
			require.Equal(c.rt, want, d.out)
		}
	}
	// A reversal may be noted before what it reverses.
	for _, d := range fresh {
		switch x := d.item.(type) {
		case ledger.Earn:
			give(d.out.TransferID, ledger.BudgetOf(x.BudgetID), ledger.WalletOf(x.ResidentID), x.Amount)
		case ledger.Capture:
			resolved[x.HoldID]++
			give(d.out.TransferID, ledger.WalletOf(x.ResidentID), ledger.MerchantOf(x.MerchantID), c.heldBy[x.HoldID].Amount)
		case ledger.Release:
			resolved[x.HoldID]++
		case ledger.Adjust:
			from, to := ledger.BudgetOf(x.BudgetID), ledger.WalletOf(x.ResidentID)
			if x.Amount < 0 {
				from, to = to, from
			}
			give(d.out.TransferID, from, to, max(x.Amount, -x.Amount))
		case ledger.Settle:
			give(d.out.TransferID, ledger.MerchantOf(x.MerchantID), ledger.Settled, x.Amount)
		}
	}
	for _, d := range fresh {
		if x, ok := d.item.(ledger.Reverse); ok {
			reversed[x.TransferID]++
			m := moved[x.TransferID]
			give(d.out.TransferID, m[1].(ledger.AccountID), m[0].(ledger.AccountID), m[2].(int64))
		}
	}
	for id, n := range resolved {
		require.Equal(c.rt, 1, n, "hold %s", id)
	}
	for id, n := range reversed {
		require.Equal(c.rt, 1, n, "transfer %s", id)
	}
	held := map[ledger.AccountID]int64{}
	for id, h := range c.heldBy {
		if resolved[id] == 0 {
			held[ledger.WalletOf(h.ResidentID)] += h.Amount
		}
	}

	// Only of sweeps nobody is told what they took from whom.
	var sweeps []model.Transfer
	require.NoError(c.rt, c.db.Read(ctx).Where("credit_account_id = ? AND debit_account_id IN ?", ledger.Expired, c.accounts()).Find(&sweeps).Error)
	require.Len(c.rt, sweeps, c.swept)
	for _, s := range sweeps {
		give(s.ID, ledger.AccountID(s.DebitAccountID), ledger.Expired, s.Amount)
	}

	balances, err := c.ledger.Balances(ctx, c.accounts())
	require.NoError(c.rt, err)
	for _, id := range c.accounts() {
		require.Equal(c.rt, posted[id], balances[id].Posted, "posted of %s", id)
		require.Equal(c.rt, held[id], balances[id].Held, "held of %s", id)
		require.GreaterOrEqual(c.rt, balances[id].Headroom, int64(0))
	}
	var journals int64
	require.NoError(c.rt, c.db.Read(ctx).Model(&model.Journal{}).
		Where("source_type = 'crowd' AND source_id LIKE ?", c.budgets[0]+"%").Count(&journals).Error)
	require.EqualValues(c.rt, len(fresh), journals, "one journal row for each thing that was done")
}

// wind gives every hold back, lets all lots expire, and requires that nobody
// has anything left.
func (c *crowd) wind() {
	for id, h := range c.heldBy {
		out, _, err := postItem(c.ledger, c.db, ledger.Release{
			Event: ledger.Event{SourceType: "wind", SourceID: id, ActorID: "tester"}, ResidentID: h.ResidentID, HoldID: id,
		})
		require.NoError(c.rt, err)
		require.True(c.rt, out.Err == nil || errors.Is(out.Err, ledger.ErrHoldResolved), "%v", out.Err)
	}
	c.clock.Advance(30 * 24 * time.Hour)
	_, err := c.ledger.ExpireLots(context.Background())
	require.NoError(c.rt, err)
	balances, err := c.ledger.Balances(context.Background(), c.accounts())
	require.NoError(c.rt, err)
	for _, r := range c.residents {
		b := balances[ledger.WalletOf(r)]
		require.Zero(c.rt, b.Posted)
		require.Zero(c.rt, b.Held)
	}
}

// TestAgainstModel_concurrently lets several goroutines follow scripts that
// post, repeat, contend for keys and move the clock, and reconciles what they
// were told with what the ledger has: whatever order they came in.
func TestAgainstModel_concurrently(t *testing.T) {
	setChecks(t)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		manual := clock.NewManual(noon, 2)
		rapid.Check(t, func(rt *rapid.T) {
			scripts := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawLine), 1, 25), 2, 6).Draw(rt, "scripts")
			c := &crowd{county: begin(rt, db, manual), heldBy: map[string]ledger.Hold{}}
			failures := make([]error, len(scripts))
			var all sync.WaitGroup
			for i, script := range scripts {
				all.Go(func() { failures[i] = c.follow(script) })
			}
			all.Wait()
			require.NoError(rt, errors.Join(failures...))
			c.reconcile()
			c.wind()
			c.end()
		})
		ledgertest.RequireSound(t, db)
	})
}
