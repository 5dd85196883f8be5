package reading_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/reading"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventDailySignIn, nil)
		actor := w.resident(&w.village)
		state := func() reading.SignInState {
			st, err := w.reading.SignInState(t.Context(), actor)
			require.NoError(t, err)
			return st
		}
		require.Equal(t, reading.SignInState{Enabled: true, Day: "2026-03-10", Points: 2}, state())
		first, err := w.reading.SignIn(t.Context(), actor)
		require.NoError(t, err)
		require.Equal(t, reading.SignIn{
			Day: "2026-03-10", StreakDays: 1, SignedAt: clock.InstantOf(noon),
			Award: reading.Award{Status: model.AwardPosted, Points: 2},
		}, first)
		require.Equal(t, reading.SignInState{Enabled: true, Day: "2026-03-10", Signed: true, StreakDays: 1}, state())

		// Twice, also at 23:59 Shanghai time, is once.
		w.clock.Set(time.Date(2026, 3, 10, 15, 59, 59, 0, time.UTC))
		again, err := w.reading.SignIn(t.Context(), actor)
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.EqualValues(t, 2, w.points(actor))

		// The next day begins at midnight in Shanghai.
		w.clock.Advance(time.Second)
		require.Equal(t, reading.SignInState{Enabled: true, Day: "2026-03-11", StreakDays: 1, Points: 2}, state())
		next, err := w.reading.SignIn(t.Context(), actor)
		require.NoError(t, err)
		require.EqualValues(t, 2, next.StreakDays)
		require.EqualValues(t, 4, w.points(actor))

		// A day left out breaks the row.
		w.clock.Advance(48 * time.Hour)
		require.Zero(t, state().StreakDays)
		next, err = w.reading.SignIn(t.Context(), actor)
		require.NoError(t, err)
		require.EqualValues(t, 1, next.StreakDays)
	})
}

func TestSignInAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventDailySignIn, nil)
		actor := w.resident(&w.village)
		results := make([]reading.SignIn, 16)
		parallel(len(results), func(i int) {
			var err error
			results[i], err = w.reading.SignIn(t.Context(), actor)
			require.NoError(t, err)
		})
		for _, r := range results {
			require.Equal(t, results[0], r)
		}
		require.EqualValues(t, 2, w.points(actor))
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM daily_sign_in`))
	})
}

func TestSignInRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventDailySignIn, nil)
		actor := w.resident(&w.village)
		off := w.service(reading.Config{})
		_, err := off.SignIn(t.Context(), actor)
		requireFault(t, err, reading.ErrSignInOff)
		st, err := off.SignInState(t.Context(), actor)
		require.NoError(t, err)
		require.Equal(t, reading.SignInState{Day: "2026-03-10"}, st)
		_, err = w.reading.SignIn(t.Context(), w.operator)
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.SignInState(t.Context(), w.operator)
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.SignIn(t.Context(), w.resident(nil))
		requireFault(t, err, reading.ErrNoHome)
		require.Zero(t, w.count(`SELECT COUNT(*) FROM daily_sign_in`))
		require.Zero(t, w.points(actor))
	})
}
