package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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

// client posts without pause, one thing after the other, on a database that
// may fail it.
type client struct {
	db       *database.DB
	ledger   *ledger.Service
	clock    clock.Clock
	budget   string
	resident string
	n        int

	item     any // under way
	event    string
	earned   int64
	captured int64
	holds    []string // pending
	acked    []string // events, in order
	errs     int      // attempts whose outcome it was not told
	found    int      // of those, how many its key then found
}

// next chooses what to post: it earns, holds, and captures or releases.
func (c *client) next() {
	c.n++
	c.event = fmt.Sprintf("%s-%d", c.resident, c.n)
	ev := ledger.Event{SourceType: "client", SourceID: c.event, ActorID: c.resident, IdempotencyKey: fmt.Sprint(c.n), Evidence: "{}"}
	switch c.n % 6 {
	case 1, 3:
		c.item = ledger.Earn{Event: ev, BudgetID: c.budget, ResidentID: c.resident, Amount: 5, ExpiresOn: "2099-12-31"}
	case 2, 4:
		c.item = ledger.Hold{Event: ev, ResidentID: c.resident, Amount: 3, ExpiresAt: clock.Now(c.clock).Add(time.Hour)}
	case 5:
		c.item = ledger.Capture{Event: ev, ResidentID: c.resident, HoldID: c.holds[0], MerchantID: shop}
	default:
		c.item = ledger.Release{Event: ev, ResidentID: c.resident, HoldID: c.holds[0]}
	}
}

// try posts what is under way, once.
func (c *client) try() error {
	if c.item == nil {
		c.next()
	}
	out, _, err := postItem(c.ledger, c.db, c.item)
	if err != nil {
		c.errs++
		return err
	}
	if out.Err != nil {
		return out.Err
	}
	if out.Replayed {
		c.found++
	}
	switch c.item.(type) {
	case ledger.Earn:
		c.earned += 5
	case ledger.Capture:
		c.captured += 3
		c.holds = c.holds[1:]
	case ledger.Release:
		c.holds = c.holds[1:]
	case ledger.Hold:
		c.holds = append(c.holds, out.HoldID)
	}
	c.acked = append(c.acked, c.event)
	c.item = nil
	return nil
}

// requireOnce requires that what the clients were told is there, once, and
// nothing else but what is under way.
func requireOnce(t *testing.T, db *database.DB, clients []*client) {
	t.Helper()
	var rows []struct {
		SourceID string
		N        int
	}
	require.NoError(t, db.Read(t.Context()).Model(&model.Journal{}).Select("source_id, COUNT(*) AS n").
		Where("source_type = 'client'").Group("source_id").Scan(&rows).Error)
	there := map[string]int{}
	for _, r := range rows {
		there[r.SourceID] = r.N
	}
	for _, c := range clients {
		for _, e := range c.acked {
			require.Equal(t, 1, there[e], "an acknowledged posting is there, once: %s", e)
			delete(there, e)
		}
		if c.item != nil {
			require.LessOrEqual(t, there[c.event], 1)
			delete(there, c.event)
		}
	}
	require.Empty(t, there, "postings that nobody asked for")
	ledgertest.RequireSound(t, db)
}

func newClients(t *testing.T, db *database.DB, n int) []*client {
	t.Helper()
	c := clock.NewSystem()
	s := ledger.New(db, c)
	budget := c.NewID()
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		return s.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: budget, LimitPoints: ledger.MaxBudgetPoints}})
	}))
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = &client{db: db, ledger: s, clock: c, budget: budget, resident: c.NewID()}
	}
	return clients
}

// requireWallets requires that everybody has what the answers add up to.
func requireWallets(t *testing.T, s *ledger.Service, clients []*client) {
	t.Helper()
	var earned, captured int64
	for _, c := range clients {
		w, err := s.Wallet(t.Context(), c.resident)
		require.NoError(t, err)
		require.Equal(t, c.earned-c.captured, w.Points)
		earned, captured = earned+c.earned, captured+c.captured
	}
	b, err := s.Balances(t.Context(), []ledger.AccountID{ledger.BudgetOf(clients[0].budget), ledger.MerchantOf(shop)})
	require.NoError(t, err)
	require.Equal(t, -earned, b[ledger.BudgetOf(clients[0].budget)].Posted)
	require.Equal(t, captured, b[ledger.MerchantOf(shop)].Posted)
}

// TestLostCommits drops COMMITs and answers to COMMITs at random under load:
// whoever repeats with the same key finds or does it, once.
func TestLostCommits(t *testing.T) {
	losses := int64(databasetest.Rounds(t, 100, 1000))
	direct := databasetest.Open(t, database.MySQL)
	var before, after atomic.Int64
	cfg := databasetest.ThroughCutter(t, direct, func() databasetest.CommitFault {
		if before.Load()+after.Load() >= losses {
			return databasetest.CommitPasses
		}
		switch rand.N(6) { //nolint:gosec // which COMMIT is lost is no secret
		case 0:
			before.Add(1)
			return databasetest.CommitLostBefore
		case 1, 2:
			after.Add(1)
			return databasetest.CommitLostAfter
		default:
			return databasetest.CommitPasses
		}
	})
	db, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // its connections are broken on purpose
	clients := newClients(t, direct, 8)
	var all sync.WaitGroup
	failures := make([]error, len(clients))
	for i, c := range clients {
		c.db = db
		all.Go(func() {
			for failures[i] == nil && (before.Load()+after.Load() < losses || c.item != nil) {
				if err := c.try(); err != nil && !errors.Is(err, database.ErrCommitUnknown) {
					failures[i] = err
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(failures...), "a lost COMMIT is told as such")
	var unknown, found, acked int
	for _, c := range clients {
		unknown, found, acked = unknown+c.errs, found+c.found, acked+len(c.acked)
	}
	t.Logf("%d COMMITs lost, %d answers lost, %d postings", before.Load(), after.Load(), acked)
	require.EqualValues(t, before.Load()+after.Load(), unknown)
	require.Positive(t, found, "what was durable was found by its key")
	require.LessOrEqual(t, int64(found), after.Load()) // a repetition's own COMMIT may be lost, too
	requireOnce(t, direct, clients)
	requireWallets(t, clients[0].ledger, clients)
}

// TestServerKilled kills MariaDB itself under load.
func TestServerKilled(t *testing.T) {
	rounds := databasetest.Rounds(t, 3, 30)
	server := databasetest.StartServer(t)
	db, err := database.Open(t.Context(), server.Config("killed"))
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // its connections may be broken
	clients := newClients(t, db, 8)
	var durable int
	for round := range rounds {
		var acked atomic.Int64
		var all sync.WaitGroup
		for _, c := range clients {
			all.Go(func() {
				for c.try() == nil { // until the server is gone
					acked.Add(1)
				}
			})
		}
		target := int64(60 + 17*(round%5))
		require.Eventually(t, func() bool { return acked.Load() >= target }, time.Minute, time.Millisecond)
		server.Kill()
		all.Wait()
		server.Start()
		requireOnce(t, db, clients)
		for _, c := range clients {
			require.NotNil(t, c.item, "the kill came in the middle")
			found := c.found
			require.NoError(t, c.try(), "the pool connects again, and the key finds or does it")
			durable += c.found - found
		}
		requireOnce(t, db, clients)
		requireWallets(t, clients[0].ledger, clients)
	}
	t.Logf("%d rounds; %d of %d postings in flight were durable", rounds, durable, rounds*len(clients))
	require.NoError(t, db.Ping(context.Background()))
}
