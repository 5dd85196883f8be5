package market

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/batch"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

// TestOrderReplaysAtOnce sends one key a hundred times at once, for one benefit
// and for two.
func TestOrderReplaysAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := w.terms()
		in.PerPersonLimit = 100
		a, b := w.publish(in, 100), w.publish(in, 100)
		who := w.resident(1000)
		answers, errs := make([]Placed, 100), make([]error, 100)
		together(100, func(i int) {
			benefit := a
			if i%2 == 1 {
				benefit = b
			}
			answers[i], errs[i] = w.market.Order(context.Background(), who, OrderInput{BenefitID: benefit.ID, IdempotencyKey: "one-intent"})
		})
		won := 0
		if errs[0] != nil {
			won = 1
		}
		for i := range answers {
			if i%2 == won {
				require.NoError(t, errs[i])
				require.Equal(t, answers[won], answers[i], "every caller has the first answer")
			} else {
				require.ErrorIs(t, errs[i], ErrIdempotencyConflict)
			}
		}
		require.EqualValues(t, 5, w.wallet(who).Held)
		soldA, _ := w.stock(a)
		soldB, _ := w.stock(b)
		require.EqualValues(t, 1, soldA+soldB)
	})
}

// TestLostCommitsOfOrders loses COMMITs of combined orders and the answers to
// them: everybody who repeats with the same key has one order in the end.
func TestLostCommitsOfOrders(t *testing.T) {
	losses := int64(databasetest.Rounds(t, 100, 1000))
	direct := databasetest.Open(t, database.MySQL)
	w := newWorld(t, direct)
	var lost atomic.Int64
	cfg := databasetest.ThroughCutter(t, direct, func() databasetest.CommitFault {
		if lost.Load() >= losses {
			return databasetest.CommitPasses
		}
		fault := databasetest.CommitFault(rand.N(3)) //nolint:gosec // which COMMIT is lost is no secret
		if fault != databasetest.CommitPasses {
			lost.Add(1)
		}
		return fault
	})
	db, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // its connections are broken on purpose
	shaky, err := New(db, w.clock, w.ledger, Config{CodeKey: testKey, Batch: batch.Config{MaxItems: 8, Lanes: 2}})
	require.NoError(t, err)

	in := w.terms()
	in.PerPersonLimit = 100
	benefits := make([]Benefit, 12)
	for i := range benefits {
		benefits[i] = w.publish(in, 10_000)
	}
	people := w.residents(16, w.village, 1_000_000)
	ids, failures := make([]map[string]bool, len(people)), make([]error, len(people))
	var all sync.WaitGroup
	for i, who := range people {
		ids[i] = map[string]bool{}
		all.Go(func() {
			for n := 0; lost.Load() < losses && failures[i] == nil; n++ {
				failures[i] = orderUntilTold(shaky, who, OrderInput{BenefitID: benefits[n%len(benefits)].ID, IdempotencyKey: fmt.Sprintf("intent-%04d", n)}, ids[i])
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(failures...))
	require.NoError(t, shaky.Close(t.Context()))
	var told int
	for i, who := range people {
		told += len(ids[i])
		var rows []Order
		require.NoError(t, direct.Read(t.Context()).Where("resident_id = ?", who.ID).Find(&rows).Error)
		require.Len(t, rows, len(ids[i]), "one order for each intent")
		for _, o := range rows {
			require.True(t, ids[i][o.ID])
		}
		require.EqualValues(t, 5*len(rows), w.wallet(who).Held)
	}
	var sold int64
	for _, b := range benefits {
		n, _ := w.stock(b)
		sold += n
	}
	require.EqualValues(t, told, sold)
	w.sound()
	t.Logf("%d COMMITs or their answers lost, %d orders", lost.Load(), told)
}

// orderUntilTold repeats an order with its key until it has an answer.
func orderUntilTold(s *Service, who authz.Actor, in OrderInput, ids map[string]bool) error {
	for {
		o, err := s.Order(context.Background(), who, in)
		switch {
		case err == nil:
			if ids[o.OrderID] {
				return fmt.Errorf("order %s is the answer to two intents", o.OrderID)
			}
			ids[o.OrderID] = true
			return nil
		case !errors.Is(err, database.ErrCommitUnknown):
			return err
		}
	}
}
