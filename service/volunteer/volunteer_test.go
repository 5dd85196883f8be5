package volunteer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/volunteer"
)

func TestActivity(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		someone := w.resident()

		t.Run("starts as a draft that residents do not see", func(t *testing.T) {
			id, err := w.CreateActivity(ctx, w.organizer, w.input(), []volunteer.ShiftInput{shift(1, 9, 12, 5)})
			require.NoError(t, err)
			_, err = w.Activity(ctx, someone, id)
			require.ErrorIs(t, err, volunteer.ErrActivityMissing)
			w.refusesSignUp(volunteer.ErrShiftMissing, someone, w.shifts(id)[0])
			require.NoError(t, w.PublishActivity(ctx, w.organizer, id))
			require.NoError(t, w.PublishActivity(ctx, w.organizer, id), "publishing again changes nothing")
			detail, err := w.Activity(ctx, someone, id)
			require.NoError(t, err)
			require.True(t, detail.Shifts[0].Open)
			require.EqualValues(t, 180, detail.Shifts[0].PlannedMinutes)
			history, err := w.History(ctx, w.organizer, id)
			require.NoError(t, err)
			require.Len(t, history, 2)
		})
		t.Run("needs a shift to be published", func(t *testing.T) {
			id, err := w.CreateActivity(ctx, w.organizer, w.input(), nil)
			require.NoError(t, err)
			w.refuses(volunteer.ErrNoShift, func() error { return w.PublishActivity(ctx, w.organizer, id) })
			require.NoError(t, w.AddShifts(ctx, w.organizer, id, "", []volunteer.ShiftInput{shift(1, 9, 12, 5)}))
			require.NoError(t, w.PublishActivity(ctx, w.organizer, id))
		})
		t.Run("names the faulty fields", func(t *testing.T) {
			in := w.input()
			in.Title, in.Lat, in.RadiusMeters, in.Category = "", 91, 1, "nonsense"
			_, err := w.CreateActivity(ctx, w.organizer, in, nil)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Len(t, fault.As(err).Fields, 4)
			for _, bad := range []volunteer.ShiftInput{
				shift(1, 12, 9, 5), shift(1, 22, 26, 5), shift(1, 9, 12, 0), shift(1, 9, 12, 1001), shift(-1, 9, 12, 5), shift(500, 9, 12, 5),
				shift(1, 8, 21, 5),
				{StartsAt: at(1, 9), EndsAt: at(1, 10), BreakMinutes: 60, Capacity: 1},
			} {
				_, err := w.CreateActivity(ctx, w.organizer, w.input(), []volunteer.ShiftInput{bad})
				require.Equal(t, fault.Invalid, fault.KindOf(err), "%+v", bad)
			}
		})
		t.Run("belongs to its region", func(t *testing.T) {
			id, shifts := w.published(shift(1, 9, 12, 5))
			_, err := w.CreateActivity(ctx, w.neighbour, w.input(), nil)
			require.ErrorIs(t, err, authz.ErrForbidden)
			for _, call := range []func() error{
				func() error { return w.UpdateActivity(ctx, w.neighbour, id, 1, w.input()) },
				func() error { return w.CancelActivity(ctx, w.neighbour, id, "路过看看") },
				func() error { return w.AddShifts(ctx, w.neighbour, id, "", []volunteer.ShiftInput{shift(1, 9, 12, 5)}) },
				func() error { _, err := w.StaffActivity(ctx, w.neighbour, id); return err },
				func() error { _, err := w.History(ctx, w.neighbour, id); return err },
			} {
				w.refuses(volunteer.ErrActivityMissing, call)
			}
			for _, call := range []func() error{
				func() error { return w.UpdateShift(ctx, w.neighbour, shifts[0], shift(1, 9, 12, 5)) },
				func() error { return w.CancelShift(ctx, w.neighbour, shifts[0], "路过看看") },
				func() error { _, err := w.ShiftCode(ctx, w.neighbour, shifts[0]); return err },
				func() error {
					_, err := w.Attendees(ctx, w.neighbour, shifts[0], "", paging.Request{})
					return err
				},
				func() error {
					_, err := w.Confirm(ctx, w.neighbour, volunteer.ConfirmInput{ShiftID: shifts[0], Items: []volunteer.ConfirmItem{{SignupID: "x"}}})
					return err
				},
				func() error {
					return w.MarkAttendance(ctx, w.neighbour, shifts[0], "", []volunteer.HandMark{{SignupID: "x", CheckInAt: at(0, 6).Ptr(), Reason: "没有手机"}})
				},
			} {
				w.refuses(volunteer.ErrShiftMissing, call)
			}
			require.NoError(t, w.UpdateActivity(ctx, w.townOffice, id, 2, w.input()), "the town stands above the village")
			far := w.residents(1, w.farVillage)[0]
			_, err = w.Activity(ctx, far, id)
			require.ErrorIs(t, err, volunteer.ErrActivityMissing)
			w.refusesSignUp(volunteer.ErrShiftMissing, far, shifts[0])
			w.signUp(w.residents(1, w.otherTown)[0], shifts[0])
		})
		t.Run("refuses an edit of an old version", func(t *testing.T) {
			id, _ := w.published(shift(1, 9, 12, 5))
			in := w.input()
			in.Title = "新标题"
			w.refuses(volunteer.ErrChanged, func() error { return w.UpdateActivity(ctx, w.organizer, id, 1, in) })
			require.NoError(t, w.UpdateActivity(ctx, w.organizer, id, 2, in))
			detail, err := w.StaffActivity(ctx, w.organizer, id)
			require.NoError(t, err)
			require.Equal(t, "新标题", detail.Title)
			require.EqualValues(t, 3, detail.Version)
			require.Equal(t, w.organizer.ID, detail.OrganizerStaffID)
			require.NoError(t, w.CancelActivity(ctx, w.organizer, id, "台风来了"))
			var trail []string
			require.NoError(t, w.db.Read(ctx).Raw(`SELECT CONCAT(action, ' ', reason) FROM audit_log
				WHERE object_type = 'activity' AND object_id = ? AND region_id = ? ORDER BY id`, id, detail.RegionID).Scan(&trail).Error)
			require.Equal(t, []string{"activity.create ", "activity.publish ", "activity.update ", "activity.cancel 台风来了"}, trail)
			require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM audit_log WHERE object_id = ? AND detail LIKE '%"field":"title"%"to":"新标题"%'`, id))
		})
		t.Run("cancelled, gives every place back and tells people", func(t *testing.T) {
			id, shifts := w.published(shift(2, 9, 12, 5), shift(3, 9, 12, 5))
			other := w.resident()
			w.signUp(someone, shifts[0])
			w.signUp(other, shifts[1])
			require.NoError(t, w.CancelActivity(ctx, w.organizer, id, "台风来了"))
			require.NoError(t, w.CancelActivity(ctx, w.organizer, id, "台风来了"))
			require.Zero(t, w.count("SELECT SUM(signed_up) FROM shift_count WHERE shift_id IN ?", shifts))
			require.EqualValues(t, 2, w.count("SELECT COUNT(*) FROM queue_job WHERE kind = ?", volunteer.JobNotify))
			w.refusesSignUp(volunteer.ErrNotOpen, someone, shifts[0])
			w.refuses(volunteer.ErrBadMove, func() error { return w.PublishActivity(ctx, w.organizer, id) })
			w.refuses(volunteer.ErrBadMove, func() error { return w.AddShifts(ctx, w.organizer, id, "", []volunteer.ShiftInput{shift(4, 9, 12, 5)}) })
			past, err := w.PastShifts(ctx, other, paging.Request{})
			require.NoError(t, err)
			require.Equal(t, model.SignupCancelled, past.Items[0].Status)
		})
		t.Run("cannot be cancelled once somebody has come", func(*testing.T) {
			id, shifts := w.published(shift(5, 9, 12, 5))
			w.signUp(someone, shifts[0])
			w.set(at(5, 9))
			w.checkIn(someone, shifts[0])
			w.refuses(volunteer.ErrStarted, func() error { return w.CancelActivity(ctx, w.organizer, id, "不办了") })
			w.refuses(volunteer.ErrStarted, func() error { return w.CancelShift(ctx, w.organizer, shifts[0], "不办了") })
			w.clock.Set(dawn)
		})
	})
}

func TestShift(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, shifts := w.published(shift(1, 9, 12, 5))
		id := shifts[0]
		require.NoError(t, w.UpdateShift(ctx, w.organizer, id, shift(1, 10, 12, 3)), "nobody has signed up")
		people := w.residents(3, w.village)
		for _, p := range people[:2] {
			w.signUp(p, id)
		}
		w.refuses(volunteer.ErrShiftInUse, func() error { return w.UpdateShift(ctx, w.organizer, id, shift(1, 9, 12, 3)) })
		w.refuses(volunteer.ErrCapacity, func() error { return w.UpdateShift(ctx, w.organizer, id, shift(1, 10, 12, 1)) })
		require.NoError(t, w.UpdateShift(ctx, w.organizer, id, shift(1, 10, 12, 2)))
		w.refusesSignUp(volunteer.ErrFull, people[2], id)
		require.NoError(t, w.CancelShift(ctx, w.organizer, id, "人数不够"))
		require.NoError(t, w.CancelShift(ctx, w.organizer, id, "人数不够"))
		var trail []string
		require.NoError(t, w.db.Read(ctx).Raw(`SELECT CONCAT(action, ' ', reason, ' ', detail) FROM audit_log
			WHERE object_type = 'shift' AND object_id = ? AND actor_id = ? ORDER BY id`, id, w.organizer.ID).Scan(&trail).Error)
		require.Len(t, trail, 3, "a change that was refused, or that changes nothing, is not recorded")
		require.Contains(t, trail[0], `shift.update  {"changes":[{"field":"starts_at",`)
		require.Equal(t, `shift.update  {"changes":[{"field":"capacity","from":"3","to":"2"}]}`, trail[1])
		require.Equal(t, "shift.cancel 人数不够 {}", trail[2])
		w.refusesSignUp(volunteer.ErrNotOpen, people[2], id)
		w.refuses(volunteer.ErrBadMove, func() error { return w.UpdateShift(ctx, w.organizer, id, shift(1, 10, 12, 2)) })
	})
}

func TestSignUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, shifts := w.published(shift(1, 9, 12, 2), shift(1, 11, 13, 2), shift(1, 12, 13, 2))
		a, b := w.resident(), w.resident()

		t.Run("repeats the first answer", func(t *testing.T) {
			first := w.signUp(a, shifts[0])
			require.Equal(t, first.ID, w.signUp(a, shifts[0]).ID)
			require.EqualValues(t, 1, w.count("SELECT signed_up FROM shift_count WHERE shift_id = ?", shifts[0]))
		})
		t.Run("refuses an overlap but not the next shift", func(*testing.T) {
			w.refusesSignUp(volunteer.ErrOverlap, a, shifts[1])
			w.signUp(a, shifts[2])
		})
		t.Run("refuses without a home region", func(*testing.T) {
			w.refusesSignUp(volunteer.ErrNoHomeRegion, authz.Actor{Kind: authz.KindResident, ID: a.ID}, shifts[0])
			w.refusesSignUp(volunteer.ErrShiftMissing, a, "nonsense")
			w.refusesSignUp(authz.ErrForbidden, w.organizer, shifts[0])
		})
		t.Run("can be cancelled and made again", func(t *testing.T) {
			g := w.signUp(b, shifts[0])
			w.refusesSignUp(volunteer.ErrFull, w.resident(), shifts[0])
			for range 2 {
				c, err := w.CancelSignup(ctx, b, shifts[0])
				require.NoError(t, err)
				require.Equal(t, g.ID, c.ID)
				require.Equal(t, model.SignupCancelled, c.Status)
			}
			require.NotEqual(t, g.ID, w.signUp(b, shifts[0]).ID)
			w.refuses(volunteer.ErrSignupMissing, func() error { _, err := w.CancelSignup(ctx, b, shifts[1]); return err })
		})
		t.Run("closes when the shift begins", func(*testing.T) {
			w.set(at(1, 9))
			w.refusesSignUp(volunteer.ErrSignupClosed, w.resident(), shifts[0])
			w.refuses(volunteer.ErrCancelTooLate, func() error { _, err := w.CancelSignup(ctx, b, shifts[0]); return err })
			w.checkIn(b, shifts[0])
			w.refuses(volunteer.ErrStarted, func() error { _, err := w.CancelSignup(ctx, b, shifts[0]); return err })
		})
	})
}

func TestSignUpRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, shifts := w.published(shift(1, 9, 12, 20), shift(1, 10, 13, 60))
		people := w.residents(60, w.village)
		full := make([]error, len(people))
		all(len(people), func(i int) { _, full[i] = w.SignUp(t.Context(), people[i], shifts[0]) })
		won := 0
		for _, err := range full {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, volunteer.ErrFull)
		}
		require.Equal(t, 20, won, "60 residents, 20 places")
		require.EqualValues(t, 20, w.count("SELECT COUNT(*) FROM signup WHERE shift_id = ? AND active_slot = 1", shifts[0]))

		t.Run("of one person for overlapping shifts", func(t *testing.T) {
			_, more := w.published(shift(2, 9, 12, 20), shift(2, 10, 13, 20), shift(2, 11, 14, 20))
			errs := make([]error, 9)
			all(len(errs), func(i int) { _, errs[i] = w.SignUp(t.Context(), people[0], more[i%3]) })
			require.EqualValues(t, 1, w.count("SELECT COUNT(*) FROM signup WHERE shift_id IN ? AND active_slot = 1", more))
			for _, err := range errs {
				require.True(t, err == nil || errors.Is(err, volunteer.ErrOverlap), err)
			}
		})
		t.Run("against a cancellation", func(t *testing.T) {
			id, more := w.published(shift(3, 9, 12, 20))
			errs := make([]error, 12)
			all(len(errs), func(i int) {
				if i == 6 {
					errs[i] = w.CancelActivity(t.Context(), w.organizer, id, "下大雨了")
					return
				}
				_, errs[i] = w.SignUp(t.Context(), people[i], more[0])
			})
			require.NoError(t, errs[6])
			require.Zero(t, w.count("SELECT COUNT(*) FROM signup WHERE shift_id = ? AND active_slot = 1", more[0]))
		})
	})
}

func TestCheckIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, shifts := w.published(shift(1, 9, 12, 50), shift(1, 12, 14, 50))
		a := w.resident()
		w.signUp(a, shifts[0])
		w.signUp(a, shifts[1])
		in := volunteer.MarkInput{ShiftID: shifts[0], Code: "123456", Lon: placeLon, Lat: placeLat}

		t.Run("has its hours", func(*testing.T) {
			w.set(at(1, 8.4))
			w.refuses(volunteer.ErrCodeHours, func() error { _, err := w.ShiftCode(ctx, w.organizer, shifts[0]); return err })
			w.refusesCheckIn(volunteer.ErrTooEarly, a, in)
			w.set(at(1, 12).Add(time.Second))
			w.refusesCheckIn(volunteer.ErrTooLate, a, in)
			w.set(at(1, 8.5))
			w.refusesCheckIn(volunteer.ErrSignupMissing, w.resident(), in)
			w.refusesCheckIn(authz.ErrForbidden, w.organizer, in)
			w.refuses(volunteer.ErrNotCheckedIn, func() error { _, err := w.CheckOut(ctx, a, in); return err })
		})
		t.Run("takes this code and the one before", func(t *testing.T) {
			w.set(at(1, 8.75))
			c, err := w.ShiftCode(ctx, w.organizer, shifts[0])
			require.NoError(t, err)
			require.Equal(t, at(1, 8.75).Add(30*time.Second), c.ExpiresAt)
			b, late := w.resident(), w.resident()
			w.signUp(b, shifts[0])
			w.signUp(late, shifts[0])
			in := volunteer.MarkInput{ShiftID: shifts[0], Code: c.QRText, Lon: placeLon, Lat: placeLat}
			w.clock.Advance(59 * time.Second)
			require.NotEqual(t, c.Digits, w.code(shifts[0]))
			_, err = w.CheckIn(ctx, b, in)
			require.NoError(t, err)
			w.clock.Advance(time.Second)
			w.refusesCheckIn(volunteer.ErrCodeExpired, late, in)
			in.Code = "六位数字"
			w.refusesCheckIn(volunteer.ErrCodeWrong, late, in)
			in.Code = "jmk:shift:" + shifts[1] + ":" + w.code(shifts[0])
			w.refusesCheckIn(volunteer.ErrCodeWrong, late, in)
		})
		t.Run("must be near the place", func(t *testing.T) {
			b := w.resident()
			w.signUpLate(b, shifts[0])
			far := w.here(shifts[0])
			far.Lat += 240 * meterLat
			w.refusesCheckIn(volunteer.ErrOutside, b, far)
			far.AccuracyMeters = 501
			w.refusesCheckIn(volunteer.ErrInaccurate, b, far)
			far.Lat, far.AccuracyMeters = placeLat+260*meterLat, 400
			w.refusesCheckIn(volunteer.ErrOutside, b, far)
			far.Lat, far.AccuracyMeters = placeLat+240*meterLat, 60
			got, err := w.CheckIn(ctx, b, far)
			require.NoError(t, err)
			require.Equal(t, model.MarkTolerated, got.CheckInVerdict)
			require.InDelta(t, 240, *got.CheckInDistanceMeters, 2)
			bad := w.here(shifts[0])
			bad.Lon, bad.Lat = 0, 0
			_, err = w.CheckIn(ctx, b, bad)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		})
		t.Run("counts failures", func(t *testing.T) {
			b := w.resident()
			w.signUpLate(b, shifts[0])
			bad := w.here(shifts[0])
			bad.Code = "wrong"
			for range 10 {
				w.refusesCheckIn(volunteer.ErrCodeWrong, b, bad)
			}
			_, err := w.CheckIn(ctx, b, w.here(shifts[0]))
			require.ErrorIs(t, err, volunteer.ErrTooManyAttempts)
			require.Equal(t, 10*time.Minute, fault.As(err).RetryAfter)
			w.clock.Advance(10 * time.Minute)
			w.checkIn(b, shifts[0])
		})
		t.Run("repeats the first answer", func(t *testing.T) {
			first, err := w.CheckIn(ctx, a, w.here(shifts[0]))
			require.NoError(t, err)
			w.clock.Advance(time.Minute)
			again, err := w.CheckIn(ctx, a, w.here(shifts[0]))
			require.NoError(t, err)
			require.Equal(t, first.ID, again.ID)
			require.Equal(t, first.CheckInAt, again.CheckInAt)
		})
		t.Run("is in one place at a time", func(*testing.T) {
			w.set(at(1, 11.75))
			w.refusesCheckIn(volunteer.ErrStillElsewhere, a, w.here(shifts[1]))
			w.checkOut(a, shifts[0])
			w.checkIn(a, shifts[1])
			w.set(at(1, 15).Add(time.Second))
			w.refuses(volunteer.ErrTooLate, func() error {
				_, err := w.CheckOut(ctx, a, volunteer.MarkInput{ShiftID: shifts[1], Code: "123456", Lon: placeLon, Lat: placeLat})
				return err
			})
		})
	})
}

// signUpLate signs somebody up although the shift may have begun.
func (w *world) signUpLate(who authz.Actor, shiftID string) {
	now := w.clock.Now()
	w.clock.Set(dawn)
	w.signUp(who, shiftID)
	w.clock.Set(now)
}

func TestCheckInRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, shifts := w.published(shift(1, 9, 12, 5))
		a := w.resident()
		w.signUp(a, shifts[0])
		w.set(at(1, 9))
		in := w.here(shifts[0])
		ids := make([]string, 8)
		all(len(ids), func(i int) {
			got, err := w.CheckIn(t.Context(), a, in)
			require.NoError(t, err)
			ids[i] = got.ID
		})
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
	})
}

func TestCoordinates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, shifts := w.published(shift(1, 9, 12, 5))
		a := w.resident()
		w.signUp(a, shifts[0])
		w.attend(shifts[0], at(1, 9), at(1, 12), a)
		kept := func() int64 {
			return w.count("SELECT COUNT(*) FROM attendance WHERE check_in_lon IS NOT NULL AND check_out_lat IS NOT NULL")
		}
		w.set(at(31, 8.9))
		n, err := w.DropCoordinates(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		require.EqualValues(t, 1, kept())
		w.set(at(31, 9))
		n, err = w.DropCoordinates(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Zero(t, w.count(`SELECT COUNT(*) FROM attendance WHERE check_in_lon IS NOT NULL OR check_in_lat IS NOT NULL
			OR check_out_lon IS NOT NULL OR check_out_lat IS NOT NULL`))
		require.EqualValues(t, 1, w.count("SELECT COUNT(*) FROM attendance WHERE check_in_verdict = 'inside' AND check_in_distance_meters = 0"))
		n, err = w.DropCoordinates(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestFinish(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id, shifts := w.published(shift(1, 9, 12, 5))
		came, missed := w.resident(), w.resident()
		g, _ := w.signUp(came, shifts[0]), w.signUp(missed, shifts[0])
		w.attend(shifts[0], at(1, 9), at(1, 12), came)
		w.set(at(4, 11.9))
		n, err := w.FinishActivities(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		w.set(at(4, 12))
		n, err = w.FinishActivities(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		detail, err := w.StaffActivity(t.Context(), w.organizer, id)
		require.NoError(t, err)
		require.Equal(t, model.ActivityFinished, detail.Status)
		page, err := w.Attendees(t.Context(), w.organizer, shifts[0], "absent", paging.Request{})
		require.NoError(t, err)
		require.Equal(t, missed.ID, page.Items[0].ResidentID)
		require.Len(t, page.Items, 1)
		require.EqualValues(t, 180, w.confirm(w.organizer, shifts[0], item(g))[0].Minutes, "still to be confirmed")
		n, err = w.FinishActivities(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestForget(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, shifts := w.published(shift(1, 9, 12, 5), shift(2, 9, 12, 5))
		a := w.resident()
		g := w.signUp(a, shifts[0])
		w.signUp(a, shifts[1])
		w.attend(shifts[0], at(1, 9), at(1, 12), a)
		w.confirm(w.organizer, shifts[0], item(g))
		require.NoError(t, database.InTx(t.Context(), w.db, func(tx *gorm.DB) error { return w.ForgetTx(t.Context(), tx, a.ID) }))
		require.Zero(t, w.count("SELECT signed_up FROM shift_count WHERE shift_id = ?", shifts[1]))
		require.Zero(t, w.count("SELECT COUNT(*) FROM attendance WHERE check_in_lon IS NOT NULL"))
		require.EqualValues(t, 180, w.minutes(a).EffectiveMinutes)
	})
}
