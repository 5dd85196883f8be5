package reading_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/batch"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
)

// combined makes a call that meets a locked budget, and n-1 calls at once while
// it waits: the first is a batch and the others are the next.
func (w *world) combined(stats func() batch.Stats, n int, call func(i int)) {
	w.t.Helper()
	budget := string(ledger.BudgetOf(w.budget.ID))
	version := func() int64 { return w.count(`SELECT version FROM account_balance WHERE account_id = ?`, budget) }
	before, began := stats(), version()
	held, goOn := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		err := database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error {
			var locked int64
			err := tx.Raw(`SELECT version FROM account_balance WHERE account_id = ?`+database.ForUpdate(tx), budget).Scan(&locked).Error
			close(held)
			<-goOn
			return err
		})
		if err != nil {
			w.t.Error(err)
		}
	})
	<-held
	until := func(items, waiting int) {
		for now := stats(); now.Items-before.Items != int64(items) || now.Waiting != int64(waiting); now = stats() {
			time.Sleep(time.Millisecond)
		}
	}
	var first sync.WaitGroup
	first.Go(func() { call(0) })
	until(1, 0)
	go func() {
		until(1, n-1)
		close(goOn)
	}()
	parallel(n-1, func(i int) { call(i + 1) })
	first.Wait()
	holder.Wait()
	now := stats()
	require.EqualValues(w.t, n, now.Items-before.Items)
	require.EqualValues(w.t, 2, now.Batches-before.Batches)
	require.Zero(w.t, now.Fallbacks-before.Fallbacks)
	require.LessOrEqual(w.t, version()-began, int64(2), "the budget is updated once per batch")
	require.Greater(w.t, version(), began)
}

func TestEarningIsCombined(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventDailySignIn, nil)
		w.rule(model.EventArticleRead, nil)
		s := w.service(reading.Config{DailySignIn: true, Batch: batch.Config{Lanes: 1}})
		people := make([]authz.Actor, 12)
		for i := range people {
			people[i] = w.resident(&w.village)
		}
		t.Run("sign-ins", func(t *testing.T) {
			homeless := w.resident(nil)
			// Everybody twice, and somebody who may not.
			all := slices.Concat(people, people, []authz.Actor{homeless})
			results, errs := make([]reading.SignIn, len(all)), make([]error, len(all))
			w.combined(func() batch.Stats { return s.Stats().SignIns }, len(all), func(i int) {
				results[i], errs[i] = s.SignIn(t.Context(), all[i])
			})
			for i, who := range people {
				require.NoError(t, errs[i])
				require.Equal(t, reading.Award{Status: model.AwardPosted, Points: 2}, results[i].Award)
				require.Equal(t, results[i], results[i+len(people)], "a replay beside its first")
				require.EqualValues(t, 1, results[i].StreakDays)
				require.EqualValues(t, 2, w.points(who))
			}
			requireFault(t, errs[len(all)-1], reading.ErrNoHome)
			require.EqualValues(t, len(people), w.count(`SELECT COUNT(*) FROM daily_sign_in`))
			w.sound()
		})
		t.Run("sign-ins of the next day continue each row of days", func(t *testing.T) {
			w.clock.Advance(24 * time.Hour)
			late := w.resident(&w.village)
			all := append(slices.Clone(people[:5]), late)
			results := make([]reading.SignIn, len(all))
			w.combined(func() batch.Stats { return s.Stats().SignIns }, len(all), func(i int) {
				var err error
				results[i], err = s.SignIn(t.Context(), all[i])
				require.NoError(t, err)
			})
			for i := range 5 {
				require.EqualValues(t, 2, results[i].StreakDays)
			}
			require.EqualValues(t, 1, results[5].StreakDays)
		})
		t.Run("completions", func(t *testing.T) {
			a := w.publish(w.county, "新闻")
			sessions := make([]reading.Session, len(people))
			for i, who := range people {
				sessions[i] = w.start(who, a)
			}
			for range 12 {
				w.clock.Advance(5 * time.Second)
				for i, who := range people {
					w.beat(who, sessions[i].ID)
				}
			}
			results, errs := make([]reading.Completion, len(people)), make([]error, len(people))
			w.combined(func() batch.Stats { return s.Stats().Completions }, len(people), func(i int) {
				results[i], errs[i] = s.Complete(t.Context(), people[i], sessions[i].ID)
			})
			for i := range people {
				require.NoError(t, errs[i])
				require.Equal(t, sessions[i].ID, results[i].SessionID)
				require.EqualValues(t, 2, results[i].Award.Points)
			}
			w.sound()
		})
		t.Run("a resident without a home is refused without spoiling anybody's day, and may sign in later", func(t *testing.T) {
			who := w.resident(nil)
			_, err := s.SignIn(t.Context(), who)
			requireFault(t, err, reading.ErrNoHome)
			w.exec(`UPDATE resident SET home_region_id = ? WHERE id = ?`, w.village.ID, who.ID)
			first, err := s.SignIn(t.Context(), who)
			require.NoError(t, err)
			// What was done before the home was given up stays done.
			w.exec(`UPDATE resident SET home_region_id = NULL WHERE id = ?`, who.ID)
			again, err := s.SignIn(t.Context(), who)
			require.NoError(t, err)
			require.Equal(t, first, again)
			w.exec(`UPDATE resident SET home_region_id = ? WHERE id = ?`, w.village.ID, who.ID)
		})
		t.Run("closed, it refuses", func(t *testing.T) {
			require.NoError(t, s.Close(t.Context()))
			_, err := s.SignIn(t.Context(), people[0])
			requireFault(t, err, batch.ErrClosed)
			_, err = s.Complete(t.Context(), people[0], w.clock.NewID())
			requireFault(t, err, batch.ErrClosed)
		})
	})
	_, err := reading.New(nil, nil, nil, nil, reading.Config{Batch: batch.Config{MaxItems: policy.MaxEvents + 1}})
	require.Error(t, err)
}
