package casework_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/casework"
)

func TestNearby(t *testing.T) {
	const lon, lat = 119.5, 30.53
	meters := func(n float64) float64 { return n / 111_195 }
	each(t, func(t *testing.T, w *world) {
		place := func(north float64, change ...func(*casework.ReportInput)) casework.Reported {
			return w.report(append([]func(*casework.ReportInput){func(in *casework.ReportInput) {
				in.Lon, in.Lat = new(lon), new(lat+meters(north))
			}}, change...)...)
		}
		ask := func(category casework.Category) (numbers []string, all []casework.Nearby) {
			all, err := w.casework.Nearby(t.Context(), w.neighbour, casework.NearbyInput{Lon: lon, Lat: lat, Category: category})
			require.NoError(t, err)
			for _, n := range all {
				numbers = append(numbers, n.Number)
			}
			return numbers, all
		}
		old := place(5)
		w.clock.Advance(15 * 24 * time.Hour)
		far := place(70)
		near := place(10)
		place(140)
		withdrawn := place(10)
		_, err := w.casework.Withdraw(t.Context(), w.resident, withdrawn.ID, "")
		require.NoError(t, err)
		place(10, func(in *casework.ReportInput) { in.Text = "这件事要复审一下" })
		place(10, func(in *casework.ReportInput) { in.Category = model.CategoryDispute })
		place(10, func(in *casework.ReportInput) { in.Category = model.CategoryCare })
		lamp := place(60, func(in *casework.ReportInput) { in.Category = model.CategoryFacility })

		t.Run("tells what is open, passed, recent and of things, nearest first", func(t *testing.T) {
			numbers, all := ask("")
			require.Equal(t, near.Number, numbers[0])
			require.ElementsMatch(t, []string{near.Number, far.Number, lamp.Number}, numbers)
			require.NotContains(t, numbers, old.Number)
			require.EqualValues(t, 50, all[0].WithinMeters)
			require.EqualValues(t, 100, all[1].WithinMeters)
			require.Equal(t, "东山社区", all[0].RegionName)
			require.False(t, all[0].Mine)
		})
		t.Run("by category; disputes and care are never told", func(t *testing.T) {
			numbers, _ := ask(model.CategoryFacility)
			require.Equal(t, []string{lamp.Number}, numbers)
			for _, c := range []casework.Category{model.CategoryDispute, model.CategoryCare} {
				numbers, _ = ask(c)
				require.Empty(t, numbers)
			}
		})
		t.Run("gives neither words nor place nor person away", func(t *testing.T) {
			_, all := ask("")
			text := fmt.Sprintf("%+v", all)
			require.NotContains(t, text, "杂物")
			require.NotContains(t, text, w.resident.ID)
			require.NotContains(t, text, "119.5")
		})
		t.Run("does not give the spot away to somebody who asks from many places", func(t *testing.T) {
			// Twenty metres and more apart, in one cell: no answer tells them apart.
			for category, spot := range map[casework.Category][2]float64{model.CategorySafety: {119.5201, 30.5301}, model.CategoryOrder: {119.5204, 30.5304}} {
				w.report(func(in *casework.ReportInput) { in.Category, in.Lon, in.Lat = category, new(spot[0]), new(spot[1]) })
			}
			answers := map[string]int{}
			for north := -150.0; north <= 150; north += 12 {
				for east := -150.0; east <= 150; east += 12 {
					var said [2]string
					for i, category := range []casework.Category{model.CategorySafety, model.CategoryOrder} {
						got, err := w.casework.Nearby(t.Context(), w.neighbour, casework.NearbyInput{Lon: 119.5202 + meters(east), Lat: 30.5302 + meters(north), Category: category})
						require.NoError(t, err)
						for _, n := range got {
							said[i] = fmt.Sprint(n.WithinMeters)
						}
						answers[said[i]]++
					}
					require.Equal(t, said[0], said[1], "%v m north, %v m east", north, east)
				}
			}
			require.Len(t, answers, 3, "near, not so near and too far were asked for: %v", answers)
		})
		t.Run("tells one's own as such, and nothing to other counties or staff", func(t *testing.T) {
			own, err := w.casework.Nearby(t.Context(), w.resident, casework.NearbyInput{Lon: lon, Lat: lat})
			require.NoError(t, err)
			require.True(t, own[0].Mine)
			stranger, err := w.casework.Nearby(t.Context(), w.newResident(&w.elsewhere), casework.NearbyInput{Lon: lon, Lat: lat})
			require.NoError(t, err)
			require.Empty(t, stranger)
			_, err = w.casework.Nearby(t.Context(), w.operator, casework.NearbyInput{Lon: lon, Lat: lat})
			require.Equal(t, fault.Forbidden, fault.KindOf(err))
		})
		t.Run("tells nothing once the position is dropped", func(t *testing.T) {
			w.exec("UPDATE case_file SET lon = NULL, lat = NULL, position_until = NULL")
			numbers, _ := ask("")
			require.Empty(t, numbers)
		})
	})
}
