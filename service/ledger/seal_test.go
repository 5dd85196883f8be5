package ledger_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
)

// populate earns one point for each of n new residents.
func (w *world) populate(n int) []string {
	w.t.Helper()
	w.in(func(tx *gorm.DB) error { return w.ledger.ChangeBudgetLimitTx(w.t.Context(), tx, w.budget, 10_000_000) })
	residents := make([]string, n)
	var items []ledger.Earn
	for i := range residents {
		residents[i] = w.clock.NewID()
		items = append(items, ledger.Earn{Event: w.event(), BudgetID: w.budget, ResidentID: residents[i], Amount: 1, ExpiresOn: "2027-12-31"})
	}
	for chunk := range slices.Chunk(items, 100) {
		w.in(func(tx *gorm.DB) error {
			_, err := w.ledger.EarnTx(w.t.Context(), tx, chunk)
			return err
		})
	}
	return residents
}

func (w *world) prove(resident string) ledger.Proof {
	w.t.Helper()
	p, err := w.ledger.Prove(w.t.Context(), ledger.WalletOf(resident))
	require.NoError(w.t, err)
	return p
}

func TestSeal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.ledger.Prove(t.Context(), ledger.WalletOf(wang))
		require.ErrorIs(t, err, ledger.ErrNoSeal)
		empty := w.seal()
		require.EqualValues(t, 1, empty.Number)
		require.Zero(t, empty.WalletCount)
		require.NoError(t, w.prove(wang).Verify(), "nobody is in an empty tree, provably")

		w.earn(wang, 5, "2027-12-31")
		require.Equal(t, empty.Hash, w.seal().Hash, "one seal a day")
		w.clock.Advance(24 * time.Hour)
		second := w.seal()
		require.EqualValues(t, 2, second.Number)
		require.EqualValues(t, 1, second.WalletCount)
		require.Equal(t, empty.Hash, second.PreviousHash)
		require.Equal(t, empty.Root, second.PreviousRoot)
		require.NotEqual(t, empty.Root, second.Root)

		w.clock.Advance(24 * time.Hour)
		third := w.seal()
		require.Equal(t, second.Root, third.Root, "nothing changed")
		require.NotEqual(t, second.Hash, third.Hash)
		w.clock.Advance(-24 * time.Hour)
		require.Equal(t, third.Hash, w.seal().Hash, "a clock that was set back seals no day twice")

		page, err := w.ledger.Seals(t.Context(), pageOf(2, ""))
		require.NoError(t, err)
		require.Len(t, page.Items, 2)
		require.Equal(t, third.Root, page.Items[0].Root, "newest first")
		page, err = w.ledger.Seals(t.Context(), pageOf(2, page.Next))
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Empty(t, page.Next)
	})
}

func TestProve(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		residents := w.populate(40)
		w.earn(wang, 5, "2027-12-31")
		seal := w.seal()
		require.EqualValues(t, 41, seal.WalletCount)
		first := w.prove(wang)
		for _, r := range residents {
			p := w.prove(r)
			require.NoError(t, p.Verify())
			require.True(t, p.Included)
			require.EqualValues(t, 1, p.Seq)
			require.Equal(t, seal.Root, p.Seal.Root)
		}
		p := w.prove(li)
		require.NoError(t, p.Verify())
		require.False(t, p.Included, "no wallet, and a proof of that")

		// What happens after the seal does not touch its proofs.
		w.earn(wang, 1, "2027-12-31")
		w.earn(li, 1, "2027-12-31")
		w.link()
		require.Equal(t, first, w.prove(wang))
		require.False(t, w.prove(li).Included)

		w.clock.Advance(24 * time.Hour)
		w.seal()
		require.NoError(t, w.prove(wang).Verify())
		require.EqualValues(t, 2, w.prove(wang).Seq)
		require.True(t, w.prove(li).Included)
		require.NoError(t, w.prove(li).Verify())
		require.NoError(t, w.prove(residents[7]).Verify(), "an unchanged wallet is under the new root, too")
	})
}

func TestParseProof(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.populate(3)
		w.earn(wang, 5, "2027-12-31")
		w.earn(wang, 1, "2027-12-31")
		w.seal()
		text, err := json.Marshal(w.prove(wang))
		require.NoError(t, err)
		got, err := ledger.ParseProof(text)
		require.NoError(t, err)
		require.Equal(t, w.prove(wang), got)

		other := func(hash string) string {
			if hash[0] == '0' {
				return "1" + hash[1:]
			}
			return "0" + hash[1:]
		}
		for name, change := range map[string]func(p *ledger.Proof){
			"another account":       func(p *ledger.Proof) { p.Account = string(ledger.WalletOf(li)) },
			"another seq":           func(p *ledger.Proof) { p.Seq = 1 },
			"another head":          func(p *ledger.Proof) { p.Head = other(p.Head) },
			"another leaf":          func(p *ledger.Proof) { p.Bucket[0].Leaf = other(p.Bucket[0].Leaf) },
			"another key":           func(p *ledger.Proof) { p.Bucket[0].Key = p.Bucket[0].Key[:63] + "g" },
			"an entry twice":        func(p *ledger.Proof) { p.Bucket = append(p.Bucket, p.Bucket[0]) },
			"no bucket":             func(p *ledger.Proof) { p.Bucket = nil },
			"a denial":              func(p *ledger.Proof) { p.Included, p.Seq, p.Head = false, 0, "" },
			"an empty denial":       func(p *ledger.Proof) { p.Included, p.Seq, p.Head, p.Bucket = false, 0, "", nil },
			"another sibling":       func(p *ledger.Proof) { p.Path[3] = other(p.Path[3]) },
			"siblings out of order": func(p *ledger.Proof) { p.Path[0], p.Path[15] = p.Path[15], p.Path[0] },
			"a short path":          func(p *ledger.Proof) { p.Path = p.Path[:15] },
			"a long path":           func(p *ledger.Proof) { p.Path = append(p.Path, p.Path[0]) },
			"another root":          func(p *ledger.Proof) { p.Seal.Root = other(p.Seal.Root) },
			"another day":           func(p *ledger.Proof) { p.Seal.Day = "2026-03-11" },
			"another number":        func(p *ledger.Proof) { p.Seal.Number = 7 },
			"another count":         func(p *ledger.Proof) { p.Seal.WalletCount++ },
			"another batch":         func(p *ledger.Proof) { p.Seal.LinkBatch++ },
			"another predecessor":   func(p *ledger.Proof) { p.Seal.PreviousHash = other(p.Seal.PreviousHash) },
			"another hash":          func(p *ledger.Proof) { p.Seal.Hash = other(p.Seal.Hash) },
			"capital letters":       func(p *ledger.Proof) { p.Seal.Root = strings.ToUpper(p.Seal.Root) },
			"another version":       func(p *ledger.Proof) { p.Version = "2" },
		} {
			t.Run(name, func(t *testing.T) {
				p, err := ledger.ParseProof(text)
				require.NoError(t, err)
				change(&p)
				forged, err := json.Marshal(p)
				require.NoError(t, err)
				_, err = ledger.ParseProof(forged)
				require.ErrorIs(t, err, ledger.ErrProof)
			})
		}
		for name, text := range map[string]string{
			"nothing": "", "no JSON": "{", "an array": "[]", "an unknown field": `{"version":"jiamenkou-wallet-proof-1","verified":true}`,
			"something behind it": string(text) + "{}", "too large": `"` + strings.Repeat("x", ledger.MaxProofBytes) + `"`,
		} {
			_, err := ledger.ReadProof(strings.NewReader(text))
			require.ErrorIs(t, err, ledger.ErrProof, name)
		}
	})
}

func FuzzParseProof(f *testing.F) {
	hash := strings.Repeat("0", 64)
	path := `["` + strings.Repeat(hash+`","`, 15) + hash + `"]`
	for _, seed := range []string{
		``, `{}`, `[]`, `{"version":"jiamenkou-wallet-proof-1","account":"1X","included":true,"seq":1,"head":"` + hash + `","bucket":[{"key":"` + hash +
			`","leaf":"` + hash + `"}],"path":` + path + `,"seal":{"number":1,"day":"2026-01-01","root":"` + hash + `","wallet_count":1,"link_batch":1,"previous_root":"` +
			hash + `","previous_hash":"` + hash + `","hash":"` + hash + `"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ledger.ParseProof(text)
		if err != nil {
			require.ErrorIs(t, err, ledger.ErrProof)
			return
		}
		again, err := json.Marshal(p)
		require.NoError(t, err)
		_, err = ledger.ParseProof(again)
		require.NoError(t, err, "what holds once holds again")
	})
}

// statements counts what the database is asked while fn runs.
func statements(t *testing.T, db *database.DB, fn func()) (n int) {
	t.Helper()
	var mu sync.Mutex
	counting := true
	count := func(*gorm.DB) {
		mu.Lock()
		defer mu.Unlock()
		if counting {
			n++
		}
	}
	handles := []*gorm.DB{db.Read(t.Context())}
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		if db.Driver() == database.SQLite {
			handles = append(handles, tx)
		}
		return nil
	}))
	for i, h := range handles {
		name := fmt.Sprintf("test:count_%d_%p", i, &n)
		require.NoError(t, h.Callback().Create().Before("*").Register(name, count))
		require.NoError(t, h.Callback().Query().Before("*").Register(name, count))
		require.NoError(t, h.Callback().Row().Before("*").Register(name, count))
		require.NoError(t, h.Callback().Raw().Before("*").Register(name, count))
	}
	fn()
	mu.Lock()
	defer mu.Unlock()
	counting = false
	return n
}

func TestSeal_costsWhatChanged(t *testing.T) {
	cost := func(t *testing.T, driver database.Driver, wallets int) (asked int) {
		db := databasetest.Open(t, driver)
		w := newWorld(t, db)
		residents := w.populate(wallets)
		w.seal()
		w.clock.Advance(24 * time.Hour)
		w.earn(residents[0], 1, "2027-12-31")
		w.link()
		w.clock.Advance(time.Minute)
		asked = statements(t, db, func() { w.seal() })
		var nodes, leaves int64
		require.NoError(t, db.Read(t.Context()).Table("seal_node").Where("seal_number = 2").Count(&nodes).Error)
		require.NoError(t, db.Read(t.Context()).Table("seal_leaf").Where("seal_number = 2").Count(&leaves).Error)
		require.EqualValues(t, 17, nodes, "one path from bucket to root")
		require.EqualValues(t, 1, leaves)
		require.EqualValues(t, wallets, w.count("seal_leaf"), "the superseded leaf is pruned")
		var stale int64
		require.NoError(t, db.Read(t.Context()).Raw(`SELECT COUNT(*) FROM seal_node a JOIN seal_node b
			ON b.level = a.level AND b.position = a.position AND b.seal_number > a.seal_number`).Scan(&stale).Error)
		require.Zero(t, stale, "and so are the nodes")
		ledgertest.RequireSound(t, db)
		return asked
	}
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) {
			small, large := cost(t, driver, 10), cost(t, driver, 1000)
			t.Logf("statements: %d of 10 wallets, %d of 1000", small, large)
			require.Equal(t, small, large, "one changed wallet costs the same among 10 and among 1000")
		})
	}
}

func TestSeal_cutOffAnywhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		residents := w.populate(30)
		first := w.seal()
		w.clock.Advance(24 * time.Hour)
		for i := range 10 {
			w.earn(residents[i], 2, "2027-12-31")
		}
		// Each attempt is cut off a little later than the one before.
		done := false
		for after := time.Millisecond; !done && after < 2*time.Second; after += after/4 + time.Millisecond {
			ctx, cut := context.WithTimeout(t.Context(), after)
			_, err := w.ledger.Seal(ctx)
			cut()
			done = err == nil
			newest, readErr := w.ledger.Seals(t.Context(), pageOf(1, ""))
			require.NoError(t, readErr)
			if newest.Items[0].Number == first.Number {
				p := w.prove(residents[0])
				require.NoError(t, p.Verify(), "the seal before stands until the next one is whole")
				require.EqualValues(t, 1, p.Seq)
			}
			w.clock.Advance(time.Minute * 6) // a lease that nobody could give back runs out
		}
		require.True(t, done)
		require.EqualValues(t, 2, w.prove(residents[0]).Seal.Number)
		require.NoError(t, w.prove(residents[0]).Verify())
	})
}

func TestSeal_twoAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.populate(50)
		var wg sync.WaitGroup
		var mu sync.Mutex
		sealed := map[string]bool{}
		for i := range uint64(4) {
			wg.Go(func() {
				seal, err := ledger.New(w.db, clock.NewManual(noon, 100+i)).Seal(t.Context())
				if err != nil {
					require.ErrorIs(t, err, ledger.ErrSealing)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				sealed[seal.Hash] = true
			})
		}
		wg.Wait()
		require.Len(t, sealed, 1, "whoever gets a seal gets the same one")
		require.EqualValues(t, 1, w.count("seal"))
	})
}

func TestAppendOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn(wang, 5, "2027-12-31")
		w.seal()
		for _, statement := range []string{
			"UPDATE journal SET reason = 'x'", "DELETE FROM journal", "UPDATE transfer SET amount = 1", "DELETE FROM transfer",
			"UPDATE lot_entry SET amount = 1", "DELETE FROM lot_entry", "UPDATE wallet_link SET seq = 9", "DELETE FROM wallet_link",
			"UPDATE seal SET root = 'x'", "DELETE FROM seal",
		} {
			_, err := w.db.WriteSQL().ExecContext(t.Context(), statement)
			require.ErrorContains(t, err, "append only", statement)
		}
	})
}

func TestAuditStream(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		residents := w.populate(25)
		for _, r := range residents[:5] {
			w.capture(r, w.hold(r, 1).HoldID, shop)
		}
		w.seal()
		small := ledger.AuditOptions{RangeAccounts: 4, RangeRows: 2}
		whole, err := w.ledger.AuditStream(t.Context(), small)
		require.NoError(t, err)
		require.Empty(t, whole.Differences)
		require.EqualValues(t, 25+1+1, whole.Counts.Accounts)
		require.EqualValues(t, 30, whole.Counts.Links)
		require.EqualValues(t, 35, whole.Counts.Journals)
		require.EqualValues(t, 1, whole.Counts.Seals)

		// Stopped after every range in turn, and resumed from what was saved.
		stop := context.Canceled
		var saved []byte
		steps := 0
		for range 1000 {
			o := small
			o.Step = func(p ledger.AuditProgress) error {
				var err error
				saved, err = json.Marshal(p.State)
				require.NoError(t, err)
				require.LessOrEqual(t, p.Done, p.Total)
				if p.State.Complete {
					require.Equal(t, p.Total, p.Done)
					return nil
				}
				return stop
			}
			if saved != nil {
				o.Resume = &ledger.AuditState{}
				require.NoError(t, json.Unmarshal(saved, o.Resume))
			}
			steps++
			got, err := w.ledger.AuditStream(t.Context(), o)
			if err == nil {
				require.Equal(t, whole, got)
				break
			}
			require.ErrorIs(t, err, stop)
		}
		require.Greater(t, steps, 20)
	})
}

func TestAuditStream_keepsWhatItFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		residents := w.populate(9)
		databasetest.Tamper(t, db, `UPDATE account_balance SET posted = posted + 1, headroom = headroom + 1 WHERE account_id = ?`, ledger.WalletOf(residents[0]))
		var state ledger.AuditState
		_, err := w.ledger.AuditStream(t.Context(), ledger.AuditOptions{RangeAccounts: 2, Step: func(p ledger.AuditProgress) error {
			state = p.State
			return context.Canceled
		}})
		require.ErrorIs(t, err, context.Canceled)
		got, err := w.ledger.AuditStream(t.Context(), ledger.AuditOptions{Resume: &state, RangeAccounts: 2})
		require.NoError(t, err)
		accounts := map[ledger.AccountID]bool{}
		for _, d := range got.Differences {
			accounts[d.Account] = true
		}
		require.True(t, accounts[ledger.WalletOf(residents[0])], "found before the stop: %v", got.Differences)
	})
}

func TestAuditStream_besideWriters(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		residents := w.populate(20)
		writing, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for i := range 2 {
			writers.Go(func() {
				for n := i; writing.Err() == nil; n++ {
					w.earn(residents[n%20], 2, "2027-12-31")
					if h := w.hold(residents[n%20], 1); h.Err == nil {
						w.capture(residents[n%20], h.HoldID, shop)
					}
				}
			})
		}
		writers.Go(func() {
			for writing.Err() == nil {
				_, err := w.ledger.LinkTransfers(t.Context())
				require.NoError(t, err)
				w.clock.Advance(6 * time.Hour)
				_, err = w.ledger.Seal(t.Context())
				require.NoError(t, err)
			}
		})
		for range 6 {
			got, err := w.ledger.AuditStream(t.Context(), ledger.AuditOptions{RangeAccounts: 3})
			require.NoError(t, err)
			require.Empty(t, got.Differences)
		}
		stop()
		writers.Wait()
		ledgertest.RequireSound(t, db)
	})
}

// TestPlans fails when a statement of the sealer or the audit reads a whole
// table.
func TestPlans(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		var residents []string
		for range 30 {
			more := w.populate(100)
			residents = append(residents, more...)
			var holds []ledger.Hold
			for _, r := range more {
				holds = append(holds, ledger.Hold{Event: w.event(), ResidentID: r, Amount: 1, ExpiresAt: clock.Now(w.clock).Add(time.Hour)})
			}
			w.in(func(tx *gorm.DB) error {
				_, err := w.ledger.HoldTx(t.Context(), tx, holds)
				return err
			})
		}
		w.seal()
		analyze := "ANALYZE"
		if db.Driver() == database.MySQL {
			analyze = "ANALYZE TABLE account, account_balance, journal, transfer, hold, hold_lot, lot, lot_entry, wallet_link, seal_leaf, seal_node"
		}
		_, err := db.WriteSQL().ExecContext(t.Context(), analyze)
		require.NoError(t, err)
		var newest, account string
		require.NoError(t, db.Read(t.Context()).Raw("SELECT id FROM transfer ORDER BY id DESC LIMIT 1 OFFSET 50").Scan(&newest).Error)
		account = string(ledger.WalletOf(residents[2000]))
		next := string(ledger.WalletOf(residents[2020]))
		ids := []string{account, next}
		queries := map[string][]any{
			ledger.UnlinkedQuery: {newest, "~", 100}, ledger.AnyUnlinkedQuery: {newest, "~"}, ledger.ScanBoundQuery: {newest, 1000},
			ledger.LastTransferQuery: {newest}, ledger.HeadsQuery: {ids}, ledger.HeadsAsOfQuery: {5, ids}, ledger.ChangedQuery: {3, 4},
			ledger.NextBatchQuery: {3, 9}, ledger.BucketsQuery: {[]int64{3, 4}, 1}, ledger.NodesQuery: {9, []int64{3, 4}, 1},
			ledger.LotsQuery: {[]string{newest}}, ledger.LinkQuery: {account, next, account, 5, 10},
			ledger.SubtreeQuery: {3, 0, 1, 4, 0, 2, 1},
		}
		queries[ledger.CoveredQuery] = []any{newest, "~"}
		path := []any{1}
		for level := range 16 {
			path = append(path, level+1, 0)
		}
		queries[ledger.PathQuery] = path
		for name, q := range ledger.RangeQueries() {
			lo, hi := account, next
			if name == "reversal is the opposite" || strings.HasPrefix(name, "every journal row") {
				lo, hi = newest, "~"
			}
			queries[q] = []any{sql.Named("lo", lo), sql.Named("hi", hi)}
		}
		// Rows that lie anywhere in their table are not looked for one by one.
		for name, table := range map[string]string{"balance equals its transfers": "transfer", "lot equals its entries": "x"} {
			requireKeyAlone(t, db, table, ledger.RangeQueries()[name], sql.Named("lo", account), sql.Named("hi", next))
		}
		for query, args := range queries {
			requireNoScan(t, db, query, args...)
		}
	})
}

func requireNoScan(t *testing.T, db *database.DB, query string, args ...any) {
	t.Helper()
	if db.Driver() == database.SQLite {
		var rows []struct{ Detail string }
		require.NoError(t, db.Read(t.Context()).Raw("EXPLAIN QUERY PLAN "+query, args...).Scan(&rows).Error, query)
		for _, r := range rows {
			scan := strings.HasPrefix(r.Detail, "SCAN") && !strings.Contains(r.Detail, "SCAN (") && !isDerived(r.Detail)
			require.False(t, scan, "%s\n%v", query, rows)
		}
		return
	}
	var rows []struct {
		Table    string
		Type     string
		Key      string
		RowCount int64 `gorm:"column:rows"`
	}
	require.NoError(t, db.Read(t.Context()).Raw("EXPLAIN "+query, args...).Scan(&rows).Error, query)
	for _, r := range rows {
		if strings.HasPrefix(r.Table, "<") {
			continue // the result of a subquery
		}
		require.NotEqual(t, "ALL", r.Type, "%s\n%+v", query, rows)
		require.NotEqual(t, "index", r.Type, "%s\n%+v", query, rows)
	}
}

// requireKeyAlone checks that a query reads a table's key, and not its rows.
func requireKeyAlone(t *testing.T, db *database.DB, table, query string, args ...any) {
	t.Helper()
	var rows []struct{ Detail, Table, Extra string }
	explain, alone := "EXPLAIN ", "Using index"
	if db.Driver() == database.SQLite {
		explain, alone = "EXPLAIN QUERY PLAN ", "USING COVERING INDEX"
	}
	require.NoError(t, db.Read(t.Context()).Raw(explain+query, args...).Scan(&rows).Error, query)
	read := 0
	for _, r := range rows {
		if r.Table == table || strings.HasPrefix(r.Detail, "SEARCH "+table+" ") {
			read++
			require.Contains(t, r.Detail+r.Extra, alone, "%s\n%+v", query, rows)
		}
	}
	require.Positive(t, read, "%s\n%+v", query, rows)
}

// isDerived recognises the scan of a subquery's result by its alias.
func isDerived(detail string) bool {
	name := strings.Fields(detail)[1]
	return len(name) == 1 || name == "part"
}
