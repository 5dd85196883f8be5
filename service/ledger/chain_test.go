package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
)

func (w *world) link() int {
	w.t.Helper()
	n, err := w.ledger.LinkTransfers(w.t.Context())
	require.NoError(w.t, err)
	return n
}

func (w *world) seal() model.Seal {
	w.t.Helper()
	seal, err := w.ledger.Seal(w.t.Context())
	require.NoError(w.t, err)
	return seal
}

func (w *world) count(table string) (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Table(table).Count(&n).Error)
	return n
}

// requireLinkedOnce checks that every transfer is in exactly one chain, that
// of its cooler side, and that no chain has a gap.
func requireLinkedOnce(t *testing.T, w *world) {
	t.Helper()
	var wrong int64
	require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT COUNT(*) FROM transfer t LEFT JOIN wallet_link l ON l.transfer_id = t.id
		WHERE l.transfer_id IS NULL OR (l.account_id <> t.debit_account_id AND l.account_id <> t.credit_account_id)
			OR l.account_id > t.debit_account_id OR l.account_id > t.credit_account_id`).Scan(&wrong).Error)
	require.Zero(t, wrong, "transfers in no chain, or in another's")
	require.Equal(t, w.count("transfer"), w.count("wallet_link"))
	require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT COUNT(*) FROM (
		SELECT account_id FROM wallet_link GROUP BY account_id HAVING MAX(seq) <> COUNT(*) OR MIN(seq) <> 1) gaps`).Scan(&wrong).Error)
	require.Zero(t, wrong, "chains with gaps")
}

func TestLinkTransfers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		require.Zero(t, w.link(), "nothing to link")
		for range 3 {
			w.earn(wang, 2, "2027-12-31")
		}
		w.earn(li, 5, "2027-12-31")
		c := w.capture(wang, w.hold(wang, 3).HoldID, shop)
		require.Equal(t, 5, w.link())
		require.Zero(t, w.link(), "once is enough")
		requireLinkedOnce(t, w)

		var links []model.WalletLink
		require.NoError(t, w.db.Read(t.Context()).Where("account_id = ?", ledger.WalletOf(wang)).Order("seq").Find(&links).Error)
		require.Len(t, links, 4)
		require.Equal(t, c.TransferID, links[3].TransferID, "in the order of the ids")
		require.Equal(t, links[2].Hash, links[3].PrevHash)

		w.in(func(tx *gorm.DB) error {
			_, err := w.ledger.SettleTx(t.Context(), tx, []ledger.Settle{{Event: w.event(), MerchantID: shop, Amount: 3}})
			return err
		})
		require.Equal(t, 1, w.link())
		require.NoError(t, w.db.Read(t.Context()).Where("account_id = ?", ledger.MerchantOf(shop)).Find(&links).Error)
		require.Len(t, links, 1, "what moves between two others is in the merchant's chain")
	})
}

func TestLinkTransfers_lateCommits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		late := func(ago time.Duration) ledger.Outcome {
			t.Helper()
			w.clock.Advance(-ago)
			out := w.earn(wang, 1, "2027-12-31")
			w.clock.Advance(ago)
			return out
		}
		w.earn(wang, 1, "2027-12-31")
		require.Equal(t, 1, w.link())

		// Its ids were made before the pass, and it commits after it.
		w.clock.Advance(time.Minute)
		out := late(80 * time.Second)
		require.Equal(t, 1, w.link())
		var l model.WalletLink
		require.NoError(t, w.db.Read(t.Context()).Where("transfer_id = ?", out.TransferID).Take(&l).Error)
		require.EqualValues(t, 2, l.Seq, "it comes after what was linked before, though its id is smaller")

		// The clock is set back by an hour, and stays there.
		w.clock.Advance(-time.Hour)
		w.earn(wang, 1, "2027-12-31")
		require.Equal(t, 1, w.link())
		w.earn(wang, 1, "2027-12-31")
		require.Equal(t, 1, w.link())

		// A clock that was wrong by days, while no sealer ran.
		w.clock.Advance(2 * time.Hour)
		require.Zero(t, w.link())
		late(30 * 24 * time.Hour)
		require.Zero(t, w.link(), "out of the window")
		ledgertest.RequireSound(t, w.db)
		n, err := w.ledger.RelinkTransfers(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		requireLinkedOnce(t, w)

		late(30 * 24 * time.Hour)
		found, err := w.ledger.Audit(t.Context())
		require.NoError(t, err)
		require.Len(t, found, 1, "much older than a complete relinking, and in no chain")
		require.Contains(t, found[0].String(), "ledger.relink")
		require.Empty(t, found[0].Account, "nobody is frozen for it")
		_, err = w.ledger.RelinkTransfers(t.Context())
		require.NoError(t, err)
	})
}

func TestAudit_namesWalletAndSeq(t *testing.T) {
	flip := func(column string) string { // one character of a hash
		return `CONCAT(SUBSTR(` + column + `, 1, 7), CASE SUBSTR(` + column + `, 8, 1) WHEN '0' THEN '1' ELSE '0' END, SUBSTR(` + column + `, 9))`
	}
	const third = `(SELECT transfer_id FROM (SELECT * FROM wallet_link) x WHERE account_id = ? AND seq = 3)`
	wallet := ledger.WalletOf(wang)
	for name, c := range map[string]struct {
		statement string
		args      []any
		seq       int64
		frozen    bool // it names the account, too
	}{
		"a transfer's amount":        {`UPDATE transfer SET amount = amount + 1 WHERE id = ` + third, []any{wallet}, 3, true},
		"a transfer's time":          {`UPDATE transfer SET created_at = created_at + 1 WHERE id = ` + third, []any{wallet}, 3, true},
		"a transfer's other side":    {`UPDATE transfer SET debit_account_id = '4EXPIRED' WHERE id = ` + third, []any{wallet}, 3, true},
		"a journal's evidence":       {`UPDATE journal SET evidence = '{"n":2}' WHERE id = (SELECT journal_id FROM transfer WHERE id = ` + third + `)`, []any{wallet}, 3, true},
		"a journal's rule":           {`UPDATE journal SET rule_version = 9 WHERE id = (SELECT journal_id FROM transfer WHERE id = ` + third + `)`, []any{wallet}, 3, true},
		"a journal's actor":          {`UPDATE journal SET actor_id = 'testes' WHERE id = (SELECT journal_id FROM transfer WHERE id = ` + third + `)`, []any{wallet}, 3, true},
		"a lot entry":                {`UPDATE lot_entry SET amount = amount + 1 WHERE transfer_id = ` + third, []any{wallet}, 3, true},
		"a lot's last day":           {`UPDATE lot SET expires_on = '2028-12-31' WHERE account_id = ?`, []any{wallet}, 1, true},
		"a link's hash":              {`UPDATE wallet_link SET hash = ` + flip("hash") + ` WHERE account_id = ? AND seq = 3`, []any{wallet}, 3, true},
		"a link's previous hash":     {`UPDATE wallet_link SET prev_hash = ` + flip("prev_hash") + ` WHERE account_id = ? AND seq = 3`, []any{wallet}, 3, true},
		"a link that is gone":        {`DELETE FROM wallet_link WHERE account_id = ? AND seq = 3`, []any{wallet}, 3, true},
		"the last links are gone":    {`DELETE FROM wallet_link WHERE account_id = ? AND seq >= 4`, []any{wallet}, 4, true},
		"a whole chain is gone":      {`DELETE FROM wallet_link WHERE account_id = ?`, []any{wallet}, 1, true},
		"a transfer that is gone":    {`DELETE FROM transfer WHERE id = ` + third, []any{wallet}, 3, true},
		"a journal row that is gone": {`DELETE FROM journal WHERE id = (SELECT journal_id FROM transfer WHERE id = ` + third + `)`, []any{wallet}, 3, true},
		"a leaf's head":              {`UPDATE seal_leaf SET head = ` + flip("head") + ` WHERE account_id = ?`, []any{wallet}, 5, true},
		"a leaf that is gone":        {`DELETE FROM seal_leaf WHERE account_id = ?`, []any{wallet}, 5, true},
		"a bucket's node":            {`UPDATE seal_node SET hash = ` + flip("hash") + ` WHERE level = 16`, nil, 5, false},
		"a node in the middle":       {`UPDATE seal_node SET hash = ` + flip("hash") + ` WHERE level = 9`, nil, 5, false},
		"a node near the top":        {`UPDATE seal_node SET hash = ` + flip("hash") + ` WHERE level = 3`, nil, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				w := newWorld(t, db)
				for range 4 {
					w.earn(wang, 2, "2027-12-31")
				}
				w.capture(wang, w.hold(wang, 3).HoldID, shop)
				w.seal()
				w.earn(wang, 1, "2027-12-31")
				w.earn(li, 2, "2027-12-31")
				w.link()

				databasetest.Tamper(t, db, c.statement, c.args...)
				found, err := w.ledger.Audit(t.Context())
				require.NoError(t, err)
				named, frozen := false, false
				for _, d := range found {
					if d.Object == string(wallet) && d.Seq == c.seq {
						named = true
						frozen = frozen || d.Account == wallet
						require.Contains(t, d.String(), fmt.Sprintf("%s seq %d", wallet, c.seq))
					}
					require.NotEqual(t, ledger.WalletOf(li), d.Account, "somebody else: %s", d)
				}
				require.True(t, named, "%v", found)
				require.Equal(t, c.frozen, frozen, "%v", found)
			})
		})
	}
}

// TestChainsUnderLoad posts at random while sealers run, two at once, and are
// cut off at any moment.
func TestChainsUnderLoad(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		w := newWorld(t, db)
		w.in(func(tx *gorm.DB) error {
			return w.ledger.ChangeBudgetLimitTx(t.Context(), tx, w.budget, 1_000_000)
		})
		other := ledger.New(db, clock.NewManual(noon.Add(time.Second), 99))
		residents := make([]string, 12)
		for i := range residents {
			residents[i] = w.clock.NewID()
		}
		rounds := 25
		posting, stop := context.WithCancel(t.Context())
		var posters, sealers sync.WaitGroup
		for p := range 3 {
			posters.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(p))) //nolint:gosec // reproducible
				for range rounds {
					var earned []ledger.Outcome
					require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) (err error) {
						var items []ledger.Earn
						for range 1 + r.IntN(6) {
							items = append(items, ledger.Earn{
								Event: w.event(), BudgetID: w.budget, ResidentID: residents[r.IntN(len(residents))], Amount: int64(1 + r.IntN(9)), ExpiresOn: "2027-12-31",
							})
						}
						earned, err = w.ledger.EarnTx(t.Context(), tx, items)
						return err
					}))
					if r.IntN(3) == 0 {
						require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
							_, err := w.ledger.ReverseTx(t.Context(), tx, []ledger.Reverse{{Event: w.event(), TransferID: earned[0].TransferID}})
							return err
						}))
					}
				}
			})
		}
		for i, s := range []*ledger.Service{w.ledger, other} {
			sealers.Go(func() {
				r := rand.New(rand.NewPCG(seed, 100+uint64(i))) //nolint:gosec // reproducible
				for posting.Err() == nil {
					ctx, cut := context.WithTimeout(t.Context(), time.Duration(r.IntN(30))*time.Millisecond)
					if _, err := s.LinkTransfers(ctx); err != nil && !isOver(ctx) {
						t.Errorf("link: %v", err)
					}
					if r.IntN(4) == 0 {
						w.clock.Advance(24 * time.Hour / 2)
						if _, err := s.Seal(ctx); err != nil && !isOver(ctx) && !errors.Is(err, ledger.ErrSealing) {
							t.Errorf("seal: %v", err)
						}
					}
					cut()
				}
			})
		}
		posters.Wait()
		stop()
		sealers.Wait()
		_, err := w.ledger.RelinkTransfers(t.Context())
		require.NoError(t, err)
		requireLinkedOnce(t, w)
		w.clock.Advance(48 * time.Hour)
		w.seal()
		ledgertest.RequireSound(t, db)
	})
}

// isOver reports whether the context is over or about to be: a dialer gives up
// a little before its deadline.
func isOver(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(50 * time.Millisecond):
		return false
	}
}

// newWorld is a ledger with a budget, for tests that are not sound at their
// end.
func newWorld(t testing.TB, db *database.DB) *world {
	t.Helper()
	c := clock.NewManual(noon, 1)
	w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c), budget: c.NewID()}
	w.in(func(tx *gorm.DB) error {
		return w.ledger.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: w.budget, LimitPoints: 1000}})
	})
	return w
}
