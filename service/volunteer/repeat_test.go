package volunteer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/fault"
	"jiamenkou/service/volunteer"
)

func TestRepeatWeekly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		two := []volunteer.ShiftInput{shift(1, 9, 11, 5), shift(3, 14, 16, 5)}
		t.Run("makes the series with the activity", func(t *testing.T) {
			id, err := w.CreateActivity(t.Context(), w.organizer, w.input(), volunteer.RepeatWeekly(two, 4))
			require.NoError(t, err)
			detail, err := w.StaffActivity(t.Context(), w.organizer, id)
			require.NoError(t, err)
			require.Len(t, detail.Shifts, 8)
			require.Equal(t, at(1, 9), detail.Shifts[0].StartsAt)
			require.Equal(t, at(22, 9), detail.Shifts[6].StartsAt)
			require.Equal(t, at(24, 16), detail.Shifts[7].EndsAt)
		})
		t.Run("makes all of it or nothing", func(t *testing.T) {
			before := w.count("SELECT COUNT(*) FROM activity_shift")
			late := []volunteer.ShiftInput{shift(300, 9, 11, 5)}
			_, err := w.CreateActivity(t.Context(), w.organizer, w.input(), volunteer.RepeatWeekly(late, 26))
			require.Equal(t, fault.Invalid, fault.KindOf(err), "more than a year ahead")
			require.Equal(t, before, w.count("SELECT COUNT(*) FROM activity_shift"))
		})
		t.Run("keeps to the number of shifts of an activity", func(t *testing.T) {
			var many []volunteer.ShiftInput
			for d := range 8 {
				many = append(many, shift(d+1, 9, 10, 5))
			}
			_, err := w.CreateActivity(t.Context(), w.organizer, w.input(), volunteer.RepeatWeekly(many, 26))
			require.Equal(t, fault.Invalid, fault.KindOf(err), "208 shifts")
		})
		require.Len(t, volunteer.RepeatWeekly(two, 0), 2)
	})
}
