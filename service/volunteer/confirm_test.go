package volunteer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/volunteer"
)

func TestConfirm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		lunch := shift(1, 9, 14, 20)
		lunch.BreakMinutes = 60
		activityID, shifts := w.published(lunch)
		id := shifts[0]
		people := w.residents(6, w.village)
		signups := make([]model.Signup, len(people))
		for i, p := range people {
			signups[i] = w.signUp(p, id)
		}
		full, short, exact, stays, never, refused := people[0], people[1], people[2], people[3], people[4], people[5]
		w.set(at(1, 8.75))
		for _, p := range []authz.Actor{full, short, exact, stays, refused} {
			w.checkIn(p, id)
		}
		w.set(at(1, 12).Add(24*time.Minute - time.Second)) // a second short of 60 %
		w.checkOut(short, id)
		w.clock.Advance(time.Second) // 144 of 240 minutes
		w.checkOut(exact, id)
		w.set(at(1, 14.5))
		w.checkOut(full, id)
		w.checkOut(refused, id)

		t.Run("shows beforehand what it would credit", func(t *testing.T) {
			page, err := w.Attendees(ctx, w.organizer, id, "", paging.Request{})
			require.NoError(t, err)
			served := map[string]*int64{}
			for _, a := range page.Items {
				if a.Attendance != nil {
					served[a.ID] = a.Attendance.ServedMinutes
				}
			}
			require.EqualValues(t, 240, *served[signups[0].ID])
			require.EqualValues(t, 143, *served[signups[1].ID])
			require.Nil(t, served[signups[3].ID], "not checked out yet")
		})
		items := []volunteer.ConfirmItem{
			{SignupID: signups[0].ID, QualityRating: new(int64(5))},
			item(signups[1]), item(signups[2]), item(signups[3]), item(signups[4]),
			{SignupID: signups[5].ID, RejectReason: "中途离开，没有服务"},
		}
		in := volunteer.ConfirmInput{ShiftID: id, Items: items, IdempotencyKey: "confirm-0001"}
		out, err := w.Confirm(ctx, w.organizer, in)
		require.NoError(t, err)

		t.Run("counts the minutes within the shift less the breaks", func(t *testing.T) {
			require.Equal(t, model.AttendanceConfirmed, out[0].Status)
			require.EqualValues(t, 240, out[0].Minutes)
			require.EqualValues(t, 8, out[0].Points)
			require.EqualValues(t, 8, w.points(full))
			require.EqualValues(t, 240, w.minutes(full).EffectiveMinutes)
		})
		t.Run("gives nothing below 60 percent", func(t *testing.T) {
			require.Equal(t, model.CreditTooShort, out[1].Credit)
			require.EqualValues(t, 143, out[1].ServedMinutes)
			require.Zero(t, out[1].Minutes)
			require.Zero(t, w.points(short))
			require.Equal(t, model.CreditFull, out[2].Credit)
			require.EqualValues(t, 144, out[2].Minutes)
			require.EqualValues(t, 4, w.points(exact), "a part of half an hour earns nothing")
		})
		t.Run("refuses who did not check in or out", func(t *testing.T) {
			require.Equal(t, volunteer.ErrNotCheckedOut.Code, out[3].Refusal.Code)
			require.Equal(t, model.AttendanceCheckedIn, out[3].Status)
			require.Equal(t, volunteer.ErrNotCheckedIn.Code, out[4].Refusal.Code)
		})
		t.Run("rejects", func(t *testing.T) {
			require.Equal(t, model.AttendanceRejected, out[5].Status)
			require.Zero(t, w.points(refused))
			page, err := w.Attendees(ctx, w.organizer, id, "absent", paging.Request{})
			require.NoError(t, err)
			require.Equal(t, signups[5].ID, page.Items[0].ID)
		})
		t.Run("twice, changes nothing", func(t *testing.T) {
			before := w.state()
			again, err := w.Confirm(ctx, w.organizer, in)
			require.NoError(t, err)
			require.Equal(t, out, again)
			other := in
			other.Items = items[:1]
			_, err = w.Confirm(ctx, w.organizer, other)
			require.ErrorIs(t, err, volunteer.ErrIdempotency)
			replay := w.confirm(w.colleague, id, items[0], items[1], items[5])
			require.Equal(t, []volunteer.ConfirmOutcome{out[0], out[1], out[5]}, replay)
			require.Equal(t, before, w.state())
		})
		t.Run("records what the measures ask for", func(t *testing.T) {
			page, err := w.MyRecords(ctx, full, volunteer.RecordFilter{State: "effective"}, paging.Request{})
			require.NoError(t, err)
			r := page.Items[0]
			require.Equal(t, "V"+full.ID, r.VolunteerNumber)
			require.Equal(t, activityID, *r.ActivityID)
			require.Equal(t, "河道清洁", r.ActivityTitle)
			require.Equal(t, clock.DayOf(dawn).AddDays(1), r.Day)
			require.Equal(t, []string{"东山河边", "社区居民", "李老师", "organizer"}, []string{r.PlaceName, r.Beneficiary, r.PersonInCharge, r.RecorderName})
			require.EqualValues(t, 5, *r.QualityRating)
			require.Equal(t, at(1, 9), r.StartedAt)
			require.Equal(t, at(1, 14), r.EndedAt)
		})
		t.Run("takes less than computed but never more", func(t *testing.T) {
			mark := volunteer.HandMark{SignupID: signups[3].ID, CheckOutAt: at(1, 14).Ptr(), Reason: "手机没电了"}
			require.NoError(t, w.MarkAttendance(ctx, w.organizer, id, "", []volunteer.HandMark{mark}))
			w.refuses(volunteer.ErrAlreadyMarked, func() error { return w.MarkAttendance(ctx, w.organizer, id, "", []volunteer.HandMark{mark}) })
			x := volunteer.ConfirmItem{SignupID: signups[3].ID, Minutes: new(int64(241)), MinutesReason: "晚到"}
			require.Equal(t, volunteer.ErrMinutesTooMany.Code, w.confirm(w.organizer, id, x)[0].Refusal.Code)
			x.Minutes = new(int64(180))
			got := w.confirm(w.organizer, id, x)[0]
			require.EqualValues(t, 180, got.Minutes)
			require.EqualValues(t, 6, w.points(stays), "one of the marks was made by code")
		})
		t.Run("wants sign-ups of this shift", func(t *testing.T) {
			_, others := w.published(shift(3, 9, 12, 5))
			foreign := w.signUp(never, others[0])
			w.refuses(volunteer.ErrSignupMissing, func() error {
				_, err := w.Confirm(ctx, w.organizer, volunteer.ConfirmInput{ShiftID: id, Items: []volunteer.ConfirmItem{item(foreign)}})
				return err
			})
			for _, bad := range [][]volunteer.ConfirmItem{
				nil, {items[0], items[0]}, {{SignupID: "x", QualityRating: new(int64(6))}}, {{SignupID: "x", Minutes: new(int64(1))}},
			} {
				_, err := w.Confirm(ctx, w.organizer, volunteer.ConfirmInput{ShiftID: id, Items: bad})
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			}
			_, err := w.Reject(ctx, w.organizer, id, []volunteer.RejectItem{{SignupID: signups[0].ID}})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		})
	})
}

//go:fix inline

func TestConfirmRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, shifts := w.published(shift(1, 9, 12, 50))
		people := w.residents(12, w.village)
		items := make([]volunteer.ConfirmItem, len(people))
		for i, p := range people {
			items[i] = item(w.signUp(p, shifts[0]))
		}
		w.attend(shifts[0], at(1, 9), at(1, 12), people...)
		answers := make([][]volunteer.ConfirmOutcome, 6)
		all(len(answers), func(i int) {
			in := volunteer.ConfirmInput{ShiftID: shifts[0], Items: items, IdempotencyKey: []string{"same-key-1", ""}[i%2]}
			out, err := w.Confirm(t.Context(), w.organizer, in)
			require.NoError(t, err)
			answers[i] = out
		})
		for _, a := range answers {
			require.Equal(t, answers[0], a)
		}
		for _, p := range people {
			require.EqualValues(t, 6, w.points(p))
		}
		require.EqualValues(t, 12, w.count("SELECT COUNT(*) FROM service_record"))
	})
}

func TestHandMarks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, shifts := w.published(shift(1, 9, 12, 5))
		a, b := w.resident(), w.resident()
		g, h := w.signUp(a, shifts[0]), w.signUp(b, shifts[0])
		mark := volunteer.HandMark{SignupID: g.ID, CheckInAt: at(1, 9).Ptr(), CheckOutAt: at(1, 12).Ptr(), Reason: "老人没有手机"}
		w.set(at(1, 12.5))

		t.Run("need a reason and believable times", func(t *testing.T) {
			for _, change := range []func(m *volunteer.HandMark){
				func(m *volunteer.HandMark) { m.Reason = "" },
				func(m *volunteer.HandMark) { m.CheckInAt, m.CheckOutAt = nil, nil },
				func(m *volunteer.HandMark) { m.CheckInAt = at(1, 8).Ptr() },
				func(m *volunteer.HandMark) { m.CheckOutAt = at(1, 12.75).Ptr() },
				func(m *volunteer.HandMark) { m.CheckOutAt = m.CheckInAt },
			} {
				bad := mark
				change(&bad)
				require.Equal(t, fault.Invalid, fault.KindOf(w.MarkAttendance(ctx, w.organizer, shifts[0], "", []volunteer.HandMark{bad})))
			}
			w.refuses(volunteer.ErrNotCheckedIn, func() error {
				return w.MarkAttendance(ctx, w.organizer, shifts[0], "", []volunteer.HandMark{{SignupID: h.ID, CheckOutAt: at(1, 12).Ptr(), Reason: "没有手机"}})
			})
			w.refuses(volunteer.ErrSignupMissing, func() error {
				return w.MarkAttendance(ctx, w.organizer, shifts[0], "", []volunteer.HandMark{mark, {SignupID: "x", CheckInAt: at(1, 9).Ptr(), Reason: "没有手机"}})
			})
		})
		t.Run("without any by code need a second person and earn nothing", func(t *testing.T) {
			require.NoError(t, w.MarkAttendance(ctx, w.organizer, shifts[0], "", []volunteer.HandMark{mark}))
			require.Equal(t, volunteer.ErrSecondPerson.Code, w.confirm(w.organizer, shifts[0], item(g))[0].Refusal.Code)
			got := w.confirm(w.colleague, shifts[0], item(g))[0]
			require.EqualValues(t, 180, got.Minutes)
			require.Empty(t, got.Award)
			require.Zero(t, w.points(a))
			require.EqualValues(t, 180, w.minutes(a).EffectiveMinutes)
		})
		t.Run("leave a trail with who and why", func(t *testing.T) {
			page, err := w.ShiftMoves(ctx, w.organizer, shifts[0], paging.Request{})
			require.NoError(t, err)
			require.Len(t, page.Items, 2)
			confirmed, marked := page.Items[0], page.Items[1]
			require.Equal(t, []string{string(model.AttendanceConfirmed), w.colleague.ID}, []string{confirmed.ToStatus, confirmed.ActorID})
			require.Equal(t, []string{g.ID, "", string(model.AttendanceCheckedOut), "老人没有手机", w.organizer.ID},
				[]string{marked.SignupID, marked.FromStatus, marked.ToStatus, marked.Reason, marked.ActorID})
			require.NotEmpty(t, marked.ActorName)
			require.NotEmpty(t, marked.Nickname)

			first, err := w.ShiftMoves(ctx, w.operator, shifts[0], paging.Request{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, page.Items[:1], first.Items)
			second, err := w.ShiftMoves(ctx, w.operator, shifts[0], paging.Request{Limit: 1, Cursor: first.Next})
			require.NoError(t, err)
			require.Equal(t, page.Items[1:], second.Items)
			require.Empty(t, second.Next)
			w.refuses(volunteer.ErrShiftMissing, func() error { _, err := w.ShiftMoves(ctx, w.neighbour, shifts[0], paging.Request{}); return err })
		})
		t.Run("close after three days", func(*testing.T) {
			w.set(at(4, 12.1))
			mark.SignupID = h.ID
			w.refuses(volunteer.ErrHandMarksClosed, func() error { return w.MarkAttendance(ctx, w.organizer, shifts[0], "", []volunteer.HandMark{mark}) })
		})
	})
}

func TestLongDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		// 8 h exactly, then 2 h, then 2 h and a half.
		_, shifts := w.published(shift(1, 6, 14, 5), shift(1, 14, 16, 5), shift(1, 16, 18.5, 5), shift(1, 18.5, 20.5, 5))
		a, b := w.resident(), w.resident()
		signups := map[string][]model.Signup{}
		for _, p := range []authz.Actor{a, b} {
			for _, s := range shifts {
				signups[p.ID] = append(signups[p.ID], w.signUp(p, s))
			}
		}
		hours := []float64{6, 14, 16, 18.5, 20.5}
		for i, s := range shifts {
			w.attend(s, at(1, hours[i]), at(1, hours[i+1]), a, b)
		}
		confirm := func(i int, who authz.Actor) volunteer.ConfirmOutcome {
			return w.confirm(w.organizer, shifts[i], item(signups[who.ID][i]))[0]
		}

		first := confirm(0, a)
		require.Equal(t, model.RecordEffective, first.RecordState, "8 hours take effect at once")
		require.EqualValues(t, 16, w.points(a))
		long := confirm(1, a)
		require.Equal(t, model.RecordPending, long.RecordState, "10 hours need the parent region")
		require.Zero(t, long.Points)
		require.EqualValues(t, 16, w.points(a))
		require.Equal(t, volunteer.ServiceTotal{EffectiveMinutes: 480, PendingMinutes: 120, Records: 1}, w.minutes(a))
		before := w.state()
		over := confirm(2, a)
		require.Equal(t, volunteer.ErrDayLimit.Code, over.Refusal.Code, "12.5 hours are refused")
		require.Equal(t, model.AttendanceCheckedOut, over.Status)
		require.Equal(t, before, w.state())
		require.Equal(t, model.RecordPending, confirm(3, a).RecordState, "12 hours are just within")

		approve := func(by authz.Actor, d volunteer.Decision) error {
			return w.ApproveLongDay(ctx, by, []volunteer.Decision{d})
		}
		w.refuses(volunteer.ErrParentRegion, func() error { return approve(w.colleague, volunteer.Decision{RecordID: long.RecordID}) })
		w.refuses(volunteer.ErrRecordMissing, func() error { return approve(w.neighbour, volunteer.Decision{RecordID: long.RecordID}) })
		w.refuses(volunteer.ErrRecordMissing, func() error { return approve(w.townOffice, volunteer.Decision{RecordID: first.RecordID}) })
		w.refuses(volunteer.ErrRecordMissing, func() error {
			return w.ApproveManualRecord(ctx, w.townOffice, []volunteer.Decision{{RecordID: long.RecordID}})
		})
		require.NoError(t, approve(w.townOffice, volunteer.Decision{RecordID: long.RecordID}))
		require.NoError(t, approve(w.townOffice, volunteer.Decision{RecordID: long.RecordID}), "again changes nothing")
		require.EqualValues(t, 20, w.points(a), "the points come with the approval")
		require.Equal(t, volunteer.ServiceTotal{EffectiveMinutes: 600, PendingMinutes: 120, Records: 2}, w.minutes(a))
		w.refuses(volunteer.ErrBadMove, func() error {
			return approve(w.operator, volunteer.Decision{RecordID: long.RecordID, RejectReason: "重新考虑"})
		})

		t.Run("rejected, leaves room again", func(t *testing.T) {
			confirm(0, b)
			x := confirm(3, b)
			require.NoError(t, approve(w.operator, volunteer.Decision{RecordID: x.RecordID, RejectReason: "时间不符"}))
			require.Equal(t, model.RecordPending, confirm(2, b).RecordState)
			require.EqualValues(t, 16, w.points(b))
			require.EqualValues(t, 630, w.count("SELECT minutes FROM service_day WHERE resident_id = ?", b.ID))
		})
		t.Run("must not be approved by who confirmed", func(t *testing.T) {
			_, more := w.published(shift(2, 6, 14.5, 5))
			g := w.signUp(a, more[0])
			w.attend(more[0], at(2, 6), at(2, 14.5), a)
			out := w.confirm(w.townOffice, more[0], item(g))[0]
			w.refuses(volunteer.ErrSecondPerson, func() error { return approve(w.townOffice, volunteer.Decision{RecordID: out.RecordID}) })
			require.NoError(t, approve(w.operator, volunteer.Decision{RecordID: out.RecordID}))
		})
		t.Run("the database refuses a thirteenth hour", func(t *testing.T) {
			err := database.InTx(ctx, w.db, func(tx *gorm.DB) error {
				return tx.Exec("UPDATE service_day SET minutes = 721 WHERE resident_id = ?", a.ID).Error
			})
			require.True(t, database.IsCheck(err), err)
		})
	})
}

func (w *world) manual(people ...authz.Actor) volunteer.ManualInput {
	in := volunteer.ManualInput{
		RegionID: w.village.ID, Title: "敬老院慰问", Content: "陪老人聊天", PlaceName: "敬老院", Beneficiary: "老人", PersonInCharge: "王主任",
		StartedAt: at(-1, 9), EndedAt: at(-1, 12), BreakMinutes: 30, Reason: "当天系统停电",
	}
	for _, p := range people {
		in.VolunteerNumbers = append(in.VolunteerNumbers, "V"+p.ID)
	}
	return in
}

func TestManualRecord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a, b := w.resident(), w.resident()
		in := w.manual(a, b)
		in.IdempotencyKey = "manual-0001"
		ids, err := w.AddManualRecord(ctx, w.organizer, in)
		require.NoError(t, err)
		require.Len(t, ids, 2)

		t.Run("repeats the first answer", func(t *testing.T) {
			before := w.state()
			again, err := w.AddManualRecord(ctx, w.organizer, in)
			require.NoError(t, err)
			require.Equal(t, ids, again)
			other := in
			other.Title = "别的活动"
			w.refuses(volunteer.ErrIdempotency, func() error { _, err := w.AddManualRecord(ctx, w.organizer, other); return err })
			require.Equal(t, before, w.state())
		})
		t.Run("counts once a second person approves, and never earns points", func(t *testing.T) {
			require.Zero(t, w.minutes(a).EffectiveMinutes)
			approve := func(by authz.Actor, d ...volunteer.Decision) error { return w.ApproveManualRecord(ctx, by, d) }
			w.refuses(volunteer.ErrSecondPerson, func() error { return approve(w.organizer, volunteer.Decision{RecordID: ids[0]}) })
			w.refuses(volunteer.ErrRecordMissing, func() error { return approve(w.neighbour, volunteer.Decision{RecordID: ids[0]}) })
			w.refuses(volunteer.ErrRecordMissing, func() error { return approve(w.colleague, volunteer.Decision{RecordID: "x"}) })
			w.refuses(volunteer.ErrRecordMissing, func() error {
				return w.ApproveLongDay(ctx, w.townOffice, []volunteer.Decision{{RecordID: ids[0]}})
			})
			require.NoError(t, approve(w.colleague, volunteer.Decision{RecordID: ids[0]}, volunteer.Decision{RecordID: ids[1], RejectReason: "当天不在场"}))
			require.EqualValues(t, 150, w.minutes(a).EffectiveMinutes)
			require.Zero(t, w.minutes(b).EffectiveMinutes)
			require.Zero(t, w.points(a))
			require.Zero(t, w.count("SELECT COUNT(*) FROM award"))
		})
		t.Run("refuses an overlap", func(t *testing.T) {
			_, err := w.AddManualRecord(ctx, w.organizer, w.manual(a))
			require.ErrorIs(t, err, volunteer.ErrRecordOverlap)
			require.Equal(t, "volunteer_numbers[0]", fault.As(err).Fields[0].Path)
			_, err = w.AddManualRecord(ctx, w.organizer, w.manual(b))
			require.NoError(t, err, "a rejected record leaves its time free")
		})
		t.Run("keeps to the day's limits", func(t *testing.T) {
			c := w.resident()
			long := w.manual(c)
			long.StartedAt, long.EndedAt, long.BreakMinutes = at(-3, 6), at(-3, 15), 0
			got, err := w.AddManualRecord(ctx, w.organizer, long)
			require.NoError(t, err)
			w.refuses(volunteer.ErrParentRegion, func() error {
				return w.ApproveManualRecord(ctx, w.colleague, []volunteer.Decision{{RecordID: got[0]}})
			})
			long.StartedAt, long.EndedAt = at(-3, 15), at(-3, 19)
			w.refuses(volunteer.ErrDayLimit, func() error { _, err := w.AddManualRecord(ctx, w.organizer, long); return err })
			require.NoError(t, w.ApproveManualRecord(ctx, w.townOffice, []volunteer.Decision{{RecordID: got[0]}}))
			require.Zero(t, w.points(c))
		})
		t.Run("is refused with faulty input", func(t *testing.T) {
			far := w.residents(1, w.farVillage)[0]
			for name, change := range map[string]func(*volunteer.ManualInput){
				"nobody":          func(in *volunteer.ManualInput) { in.VolunteerNumbers = nil },
				"twice":           func(in *volunteer.ManualInput) { in.VolunteerNumbers = []string{"V" + b.ID, "V" + b.ID} },
				"unknown":         func(in *volunteer.ManualInput) { in.VolunteerNumbers = []string{"V0"} },
				"another county":  func(in *volunteer.ManualInput) { in.VolunteerNumbers = []string{"V" + far.ID} },
				"future":          func(in *volunteer.ManualInput) { in.EndedAt = at(0, 7) },
				"two days":        func(in *volunteer.ManualInput) { in.StartedAt = at(-2, 9) },
				"long ago":        func(in *volunteer.ManualInput) { in.StartedAt, in.EndedAt = at(-400, 9), at(-400, 12) },
				"only breaks":     func(in *volunteer.ManualInput) { in.BreakMinutes = 180 },
				"no reason":       func(in *volunteer.ManualInput) { in.Reason = "" },
				"no content":      func(in *volunteer.ManualInput) { in.Content = "" },
				"rated too high":  func(in *volunteer.ManualInput) { in.QualityRating = new(int64(9)) },
				"negative breaks": func(in *volunteer.ManualInput) { in.BreakMinutes = -1 },
			} {
				bad := w.manual(b)
				change(&bad)
				before := w.state()
				_, err := w.AddManualRecord(ctx, w.organizer, bad)
				require.Equal(t, fault.Invalid, fault.KindOf(err), name)
				require.Equal(t, before, w.state())
			}
			_, err := w.AddManualRecord(ctx, w.neighbour, w.manual(b))
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
		t.Run("excludes an attendance of the same time, and the other way round", func(t *testing.T) {
			c := w.resident()
			_, shifts := w.published(shift(1, 9, 12, 5), shift(2, 9, 12, 5))
			g, h := w.signUp(c, shifts[0]), w.signUp(c, shifts[1])
			w.attend(shifts[0], at(1, 9), at(1, 12), c)
			same := w.manual(c)
			same.StartedAt, same.EndedAt = at(1, 10), at(1, 11)
			same.BreakMinutes = 0
			w.refuses(volunteer.ErrRecordOverlap, func() error { _, err := w.AddManualRecord(ctx, w.organizer, same); return err })
			w.confirm(w.organizer, shifts[0], item(g))
			w.set(at(2, 9))
			same.StartedAt, same.EndedAt = at(2, 8), at(2, 9)
			_, err := w.AddManualRecord(ctx, w.organizer, same)
			require.NoError(t, err)
			require.NoError(t, database.InTx(ctx, w.db, func(tx *gorm.DB) error {
				return tx.Exec("UPDATE service_record SET ended_at = ? WHERE resident_id = ? AND started_at = ?", at(2, 10), c.ID, at(2, 8)).Error
			}))
			w.attend(shifts[1], at(2, 9), at(2, 12), c)
			require.Equal(t, volunteer.ErrRecordOverlap.Code, w.confirm(w.organizer, shifts[1], item(h))[0].Refusal.Code)
		})
	})
}

func TestManualRecordRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := w.manual(w.resident())
		in.IdempotencyKey = "manual-race"
		answers := make([][]string, 6)
		all(len(answers), func(i int) {
			ids, err := w.AddManualRecord(t.Context(), w.organizer, in)
			require.NoError(t, err)
			answers[i] = ids
		})
		for _, a := range answers {
			require.Equal(t, answers[0], a)
		}
		require.EqualValues(t, 1, w.count("SELECT COUNT(*) FROM service_record"))
	})
}

// TestStatementsStayConstant: the cost of a call does not grow with its items.
func TestStatementsStayConstant(t *testing.T) {
	w := newWorld(t, databasetest.Open(t, database.SQLite))
	statements := 0
	require.NoError(t, database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
		count := func(*gorm.DB) { statements++ }
		on := tx.Callback()
		return errors.Join(on.Create().Register("test:count", count), on.Query().Register("test:count", count),
			on.Raw().Register("test:count", count), on.Row().Register("test:count", count))
	}))
	cost := func(n, day int) int {
		_, shifts := w.published(shift(day, 9, 12, 100))
		people := w.residents(n, w.village)
		items := make([]volunteer.ConfirmItem, n)
		for i, p := range people {
			items[i] = item(w.signUp(p, shifts[0]))
		}
		w.attend(shifts[0], at(day, 9), at(day, 12), people...)
		before := statements
		w.confirm(w.organizer, shifts[0], items...)
		return statements - before
	}
	cost(1, 1) // the first award opens accounts
	one, many := cost(1, 2), cost(60, 3)
	require.Greater(t, one, 10)
	require.Equal(t, one, many)
}
