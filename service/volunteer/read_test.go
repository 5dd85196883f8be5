package volunteer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/volunteer"
)

func TestActivitiesList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		someone := w.resident()
		post := func(title string, north int, day int, capacity int64) string {
			in := w.input()
			in.Title, in.Lat = title, placeLat+float64(north)*meterLat
			id, err := w.CreateActivity(ctx, w.organizer, in, []volunteer.ShiftInput{shift(day, 9, 12, capacity)})
			require.NoError(t, err)
			require.NoError(t, w.PublishActivity(ctx, w.organizer, id))
			return id
		}
		late, soon := post("植树", 900, 3, 5), post("巡河", 300, 1, 1)
		near, odd := post("100%爱心", 30, 5, 5), post("清扫", 600, 2, 5)
		list := func(f volunteer.ActivityFilter, limit int) (ids []string) {
			t.Helper()
			for cursor := ""; ; {
				page, err := w.Activities(ctx, someone, f, paging.Request{Cursor: cursor, Limit: limit})
				require.NoError(t, err)
				for _, a := range page.Items {
					ids = append(ids, a.ID)
				}
				if cursor = page.Next; cursor == "" {
					return ids
				}
				if f.Near != nil {
					f.Near = &volunteer.Position{Lon: placeLon + 1, Lat: placeLat} // a reader who moves on keeps the order
				}
			}
		}
		t.Run("soonest first, page by page", func(t *testing.T) {
			require.Equal(t, []string{soon, odd, late, near}, list(volunteer.ActivityFilter{}, 0))
			require.Equal(t, []string{soon, odd, late, near}, list(volunteer.ActivityFilter{}, 1))
		})
		t.Run("nearest first, page by page", func(t *testing.T) {
			f := volunteer.ActivityFilter{Near: &volunteer.Position{Lon: placeLon, Lat: placeLat}}
			require.Equal(t, []string{near, soon, odd, late}, list(f, 0))
			require.Equal(t, []string{near, soon, odd, late}, list(f, 1))
			page, err := w.Activities(ctx, someone, f, paging.Request{})
			require.NoError(t, err)
			require.InDelta(t, 30, *page.Items[0].DistanceMeters, 1)
		})
		t.Run("filters", func(t *testing.T) {
			require.Equal(t, []string{near}, list(volunteer.ActivityFilter{Text: "100%"}, 0))
			require.Empty(t, list(volunteer.ActivityFilter{Text: "1_0"}, 0))
			require.Empty(t, list(volunteer.ActivityFilter{Category: "sports"}, 0))
			day := clock.DayOf(dawn)
			require.Equal(t, []string{odd, late}, list(volunteer.ActivityFilter{From: day.AddDays(2), To: day.AddDays(3)}, 0))
			w.signUp(someone, w.shifts(soon)[0])
			require.Equal(t, []string{odd, late, near}, list(volunteer.ActivityFilter{FreeOnly: true}, 0))
			_, err := w.Activities(ctx, someone, volunteer.ActivityFilter{From: day, To: day.AddDays(-1)}, paging.Request{})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			_, err = w.Activities(ctx, someone, volunteer.ActivityFilter{From: "2026-99-99"}, paging.Request{})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			_, err = w.Activities(ctx, someone, volunteer.ActivityFilter{}, paging.Request{Cursor: "bm9uc2Vuc2U"})
			require.ErrorIs(t, err, paging.ErrCursor)
		})
		t.Run("of the own county only", func(t *testing.T) {
			page, err := w.Activities(ctx, w.residents(1, w.farVillage)[0], volunteer.ActivityFilter{}, paging.Request{})
			require.NoError(t, err)
			require.Empty(t, page.Items)
			page, err = w.Activities(ctx, w.residents(1, w.otherTown)[0], volunteer.ActivityFilter{}, paging.Request{})
			require.NoError(t, err)
			require.Len(t, page.Items, 4)
		})
		t.Run("for staff, by region", func(t *testing.T) {
			page, err := w.StaffActivities(ctx, w.townOffice, volunteer.StaffActivityFilter{Status: "published", Text: "巡"}, paging.Request{})
			require.NoError(t, err)
			require.Equal(t, soon, page.Items[0].ID)
			require.Len(t, page.Items, 1)
			page, err = w.StaffActivities(ctx, w.townOffice, volunteer.StaffActivityFilter{MineOnly: true}, paging.Request{})
			require.NoError(t, err)
			require.Empty(t, page.Items)
			page, err = w.StaffActivities(ctx, w.neighbour, volunteer.StaffActivityFilter{}, paging.Request{})
			require.NoError(t, err)
			require.Empty(t, page.Items)
		})
	})
}

func TestMyShifts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := w.resident()
		_, shifts := w.published(shift(1, 9, 12, 5), shift(2, 9, 12, 5), shift(3, 9, 12, 5))
		for _, s := range shifts {
			w.signUp(a, s)
		}
		_, err := w.CancelSignup(ctx, a, shifts[2])
		require.NoError(t, err)
		page, err := w.UpcomingShifts(ctx, a, paging.Request{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, shifts[0], page.Items[0].ShiftID)
		page, err = w.UpcomingShifts(ctx, a, paging.Request{Limit: 1, Cursor: page.Next})
		require.NoError(t, err)
		require.Equal(t, shifts[1], page.Items[0].ShiftID)
		require.Empty(t, page.Next)
		today, err := w.ShiftsOn(ctx, a, at(1, 9).Day(), paging.Request{})
		require.NoError(t, err)
		require.Len(t, today.Items, 1)
		require.Equal(t, shifts[0], today.Items[0].ShiftID)
		cancelled, err := w.ShiftsOn(ctx, a, at(3, 9).Day(), paging.Request{})
		require.NoError(t, err)
		require.Empty(t, cancelled.Items)
		_, err = w.ShiftsOn(ctx, a, "2026-02-30", paging.Request{})
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		w.attend(shifts[0], at(1, 9), at(1, 12), a)
		w.set(at(1, 13.1))
		past, err := w.PastShifts(ctx, a, paging.Request{})
		require.NoError(t, err)
		require.Len(t, past.Items, 2)
		require.Equal(t, shifts[2], past.Items[0].ShiftID)
		require.Equal(t, model.AttendanceCheckedOut, past.Items[1].Attendance.Status)

		records, err := w.Records(ctx, w.organizer, volunteer.RecordFilter{State: "pending_approval"}, paging.Request{})
		require.NoError(t, err)
		require.Empty(t, records.Items)
	})
}
