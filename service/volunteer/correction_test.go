package volunteer_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/volunteer"
)

// served gives who a confirmed record of an hour range on a day and returns it.
func (w *world) served(who authz.Actor, day int, from, to float64) model.ServiceRecord {
	w.t.Helper()
	_, shifts := w.published(shift(day, from, to, 5))
	g := w.signUp(who, shifts[0])
	w.attend(shifts[0], at(day, from), at(day, to), who)
	out := w.confirm(w.organizer, shifts[0], item(g))
	require.NotEmpty(w.t, out[0].RecordID, out[0].Refusal)
	return w.record(out[0].RecordID)
}

func (w *world) record(id string) model.ServiceRecord {
	w.t.Helper()
	r, err := w.Record(w.t.Context(), w.operator, id)
	require.NoError(w.t, err)
	return r
}

// change proposes other hours for a record of that day.
func change(r model.ServiceRecord, day int, from, to float64, minutes int64) volunteer.ProposalInput {
	return volunteer.ProposalInput{
		RecordID: r.ID, Kind: model.CorrectionChange, StartedAt: at(day, from), EndedAt: at(day, to), Minutes: minutes,
		QualityRating: new(int64(5)), Reason: "签退时手机没电，按现场登记更正",
	}
}

func (w *world) propose(by authz.Actor, in volunteer.ProposalInput) volunteer.Correction {
	w.t.Helper()
	c, err := w.ProposeCorrection(w.t.Context(), by, in)
	require.NoError(w.t, err)
	return c
}

func TestCorrection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		who, other := w.resident(), w.resident()
		record := w.served(who, 1, 9, 11)
		w.set(at(1, 18))
		earned := w.points(who)
		require.EqualValues(t, 4, earned)
		ask := volunteer.AskInput{IdempotencyKey: "ask-0001", RecordID: record.ID, Text: "我一直服务到中午十二点"}

		t.Run("is asked for by the volunteer alone, once at a time", func(t *testing.T) {
			for _, bad := range []string{"", "短", " 前面有空格"} {
				_, err := w.AskCorrection(ctx, who, volunteer.AskInput{RecordID: record.ID, Text: bad})
				require.Equal(t, fault.Invalid, fault.KindOf(err), bad)
			}
			w.refuses(volunteer.ErrRecordMissing, func() error { _, err := w.AskCorrection(ctx, other, ask); return err })
			w.refuses(authz.ErrForbidden, func() error { _, err := w.AskCorrection(ctx, w.organizer, ask); return err })
			c, err := w.AskCorrection(ctx, who, ask)
			require.NoError(t, err)
			require.Equal(t, model.CorrectionAsked, c.State)
			again, err := w.AskCorrection(ctx, who, ask)
			require.NoError(t, err)
			require.Equal(t, c.ID, again.ID)
			changed := ask
			changed.Text = "另一句话"
			w.refuses(volunteer.ErrIdempotency, func() error { _, err := w.AskCorrection(ctx, who, changed); return err })
			changed.IdempotencyKey = "ask-0002"
			w.refuses(volunteer.ErrCorrectionOpen, func() error { _, err := w.AskCorrection(ctx, who, changed); return err })
			require.EqualValues(t, 1, w.notices(volunteer.NoticeCorrectionAsked, c.ID))
		})

		t.Run("is proposed by an organizer of the region, on the record's day", func(t *testing.T) {
			in := change(record, 1, 9, 12, 180)
			w.refuses(volunteer.ErrRecordMissing, func() error { _, err := w.ProposeCorrection(ctx, w.neighbour, in); return err })
			w.refuses(authz.ErrForbidden, func() error { _, err := w.ProposeCorrection(ctx, who, in); return err })
			for name, bad := range map[string]volunteer.ProposalInput{
				"another day":         change(record, 0, 9, 12, 180),
				"more than the time":  change(record, 1, 9, 12, 181),
				"backwards":           change(record, 1, 12, 9, 60),
				"in the future":       change(record, 1, 9, 23, 180),
				"nothing is new":      {RecordID: record.ID, Kind: model.CorrectionChange, StartedAt: record.StartedAt, EndedAt: record.EndedAt, Minutes: 120, Reason: "没有改动"},
				"a void with minutes": {RecordID: record.ID, Kind: model.CorrectionVoid, Minutes: 5, Reason: "作废"},
				"no reason":           {RecordID: record.ID, Kind: model.CorrectionVoid},
			} {
				_, err := w.ProposeCorrection(ctx, w.organizer, bad)
				require.Equal(t, fault.Invalid, fault.KindOf(err), name)
			}
			c := w.propose(w.organizer, in)
			require.Equal(t, model.CorrectionProposed, c.State)
			require.Equal(t, ask.Text, c.AskedText, "it takes up what was asked")
			w.refuses(volunteer.ErrCorrectionOpen, func() error { _, err := w.ProposeCorrection(ctx, w.colleague, in); return err })
			w.refuses(volunteer.ErrBadMove, func() error { _, err := w.WithdrawCorrection(ctx, who, c.ID); return err })
		})

		page, err := w.Corrections(ctx, w.organizer, volunteer.CorrectionFilter{State: model.CorrectionProposed}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		open := page.Items[0]
		require.Equal(t, record.ID, open.Record.ID)
		yes := volunteer.CorrectionDecision{CorrectionID: open.ID, IdempotencyKey: "approve-0001"}

		t.Run("is approved by another person of the region", func(t *testing.T) {
			w.refuses(volunteer.ErrOwnCorrection, func() error { _, err := w.ApproveCorrection(ctx, w.organizer, yes); return err })
			w.refuses(volunteer.ErrCorrectionMissing, func() error { _, err := w.ApproveCorrection(ctx, w.neighbour, yes); return err })
			w.refuses(volunteer.ErrBadMove, func() error {
				_, err := w.DeclineCorrection(ctx, w.colleague, volunteer.CorrectionDecision{CorrectionID: open.ID, Reason: "已有提议"})
				return err
			})
			detail, err := w.Correction(ctx, w.colleague, open.ID)
			require.NoError(t, err)
			require.Equal(t, model.ApprovalSecondPerson, detail.Approval)
			done, err := w.ApproveCorrection(ctx, w.colleague, yes)
			require.NoError(t, err)
			again, err := w.ApproveCorrection(ctx, w.colleague, yes)
			require.NoError(t, err)
			require.Equal(t, done.ResultRecordID, again.ResultRecordID)

			old, fresh := w.record(record.ID), w.record(*done.ResultRecordID)
			require.Equal(t, model.RecordCorrected, old.State)
			require.EqualValues(t, 120, old.Minutes, "the old record is never written over")
			require.Equal(t, model.RecordCorrection, fresh.Kind)
			require.EqualValues(t, 180, fresh.Minutes)
			require.Equal(t, w.organizer.ID, fresh.RecorderID)
			require.Equal(t, w.colleague.ID, *fresh.DecidedBy)
			require.Equal(t, record.ActivityTitle, fresh.ActivityTitle)
			require.EqualValues(t, 180, w.minutes(who).EffectiveMinutes)
			require.Equal(t, earned, w.points(who), "a correction moves no points")
			require.EqualValues(t, 1, w.notices(volunteer.NoticeCorrectionSettled, open.ID))
			require.EqualValues(t, 1, w.notices(volunteer.NoticeCorrectionReviewed, open.ID))
			detail, err = w.Correction(ctx, w.operator, open.ID)
			require.NoError(t, err)
			require.Len(t, detail.History, 3)
		})

		t.Run("is final, and the new record can be corrected in turn", func(t *testing.T) {
			w.refuses(volunteer.ErrNotCorrectable, func() error {
				_, err := w.ProposeCorrection(ctx, w.colleague, change(record, 1, 9, 10, 60))
				return err
			})
			mine, err := w.MyRecord(ctx, who, record.ID)
			require.NoError(t, err)
			require.False(t, mine.CanAsk)
			require.Len(t, mine.Corrections, 1)
			fresh := w.record(*mine.Corrections[0].ResultRecordID)
			void := w.propose(w.colleague, volunteer.ProposalInput{RecordID: fresh.ID, Kind: model.CorrectionVoid, Reason: "登记到了别人名下"})
			_, err = w.ApproveCorrection(ctx, w.organizer, volunteer.CorrectionDecision{CorrectionID: void.ID})
			require.NoError(t, err)
			require.Zero(t, w.minutes(who).EffectiveMinutes)
			require.Equal(t, model.RecordCorrected, w.record(fresh.ID).State)
		})
	})
}

func TestCorrectionRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		who := w.resident()
		record := w.served(who, 1, 9, 11)
		w.set(at(1, 18))
		ask := func(key string) volunteer.Correction {
			c, err := w.AskCorrection(ctx, who, volunteer.AskInput{IdempotencyKey: key, RecordID: record.ID, Text: "时长少记了"})
			require.NoError(t, err)
			return c
		}
		t.Run("the volunteer takes a request back", func(t *testing.T) {
			c, err := w.WithdrawCorrection(ctx, who, ask("ask-1").ID)
			require.NoError(t, err)
			require.Equal(t, model.CorrectionWithdrawn, c.State)
			w.refuses(volunteer.ErrCorrectionMissing, func() error { _, err := w.WithdrawCorrection(ctx, w.resident(), c.ID); return err })
		})
		t.Run("an organizer declines with a reason", func(t *testing.T) {
			c := ask("ask-2")
			_, err := w.DeclineCorrection(ctx, w.organizer, volunteer.CorrectionDecision{CorrectionID: c.ID})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			c, err = w.DeclineCorrection(ctx, w.organizer, volunteer.CorrectionDecision{CorrectionID: c.ID, Reason: "签到签退时间完整，记录无误"})
			require.NoError(t, err)
			require.Equal(t, model.CorrectionDeclined, c.State)
			require.EqualValues(t, 1, w.notices(volunteer.NoticeCorrectionSettled, c.ID))
		})
		t.Run("the other person rejects, and the record stays", func(t *testing.T) {
			ask("ask-3")
			c := w.propose(w.organizer, change(record, 1, 9, 12, 180))
			no := volunteer.CorrectionDecision{CorrectionID: c.ID, Reason: "没有依据"}
			w.refuses(volunteer.ErrOwnCorrection, func() error { _, err := w.RejectCorrection(ctx, w.organizer, no); return err })
			c, err := w.RejectCorrection(ctx, w.colleague, no)
			require.NoError(t, err)
			require.Equal(t, model.CorrectionRejected, c.State)
			require.Equal(t, model.RecordEffective, w.record(record.ID).State)
			require.EqualValues(t, 120, w.minutes(who).EffectiveMinutes)
		})
		t.Run("three requests are enough", func(*testing.T) {
			w.refuses(volunteer.ErrAskedOften, func() error {
				_, err := w.AskCorrection(ctx, who, volunteer.AskInput{RecordID: record.ID, Text: "第四次"})
				return err
			})
		})
		t.Run("the account goes with the words", func(t *testing.T) {
			c := w.propose(w.organizer, change(record, 1, 9, 12, 180))
			require.NoError(t, w.forget(who))
			detail, err := w.Correction(ctx, w.operator, c.ID)
			require.NoError(t, err)
			require.Equal(t, model.CorrectionWithdrawn, detail.State)
			require.Zero(t, w.count("SELECT COUNT(*) FROM service_correction WHERE asked_text <> ''"))
			require.Zero(t, w.count("SELECT COUNT(*) FROM volunteer_request WHERE actor_id = ?", who.ID))
		})
	})
}

func TestCorrectionLimits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		who := w.resident()
		morning := w.served(who, 1, 6, 10)
		evening := w.served(who, 1, 15, 17)
		w.set(at(2, 9))

		t.Run("nobody was in two places", func(*testing.T) {
			w.refuses(volunteer.ErrRecordOverlap, func() error {
				_, err := w.ProposeCorrection(ctx, w.organizer, change(evening, 1, 9.5, 17, 120))
				return err
			})
		})
		t.Run("a day of more than 12 hours is refused", func(*testing.T) {
			w.refuses(volunteer.ErrDayLimit, func() error {
				_, err := w.ProposeCorrection(ctx, w.organizer, change(evening, 1, 10, 18.5, 481))
				return err
			})
		})
		t.Run("a day of more than 8 hours is for the region above", func(t *testing.T) {
			c := w.propose(w.organizer, change(evening, 1, 12, 18, 300))
			yes := volunteer.CorrectionDecision{CorrectionID: c.ID}
			w.refuses(volunteer.ErrParentRegion, func() error { _, err := w.ApproveCorrection(ctx, w.colleague, yes); return err })
			detail, err := w.Correction(ctx, w.colleague, c.ID)
			require.NoError(t, err)
			require.Equal(t, model.ApprovalLongDay, detail.Approval)
			done, err := w.ApproveCorrection(ctx, w.townOffice, yes)
			require.NoError(t, err)
			require.Equal(t, model.ApprovalLongDay, w.record(*done.ResultRecordID).Approval)
			require.EqualValues(t, 540, w.minutes(who).EffectiveMinutes)
		})
		t.Run("a day that filled up meanwhile can only be rejected", func(t *testing.T) {
			c := w.propose(w.organizer, change(morning, 1, 6, 12, 360))
			var number string
			require.NoError(t, w.db.Read(ctx).Raw("SELECT volunteer_number FROM resident WHERE id = ?", who.ID).Scan(&number).Error)
			_, err := w.AddManualRecord(ctx, w.colleague, volunteer.ManualInput{
				RegionID: w.village.ID, VolunteerNumbers: []string{number}, Title: "夜间巡逻", Content: "巡逻", PlaceName: "村口", Beneficiary: "村民",
				PersonInCharge: "李老师", StartedAt: at(1, 19), EndedAt: at(1, 21), Reason: "当时没有登记",
			})
			require.NoError(t, err)
			w.refuses(volunteer.ErrDayLimit, func() error {
				_, err := w.ApproveCorrection(ctx, w.townOffice, volunteer.CorrectionDecision{CorrectionID: c.ID})
				return err
			})
			_, err = w.RejectCorrection(ctx, w.colleague, volunteer.CorrectionDecision{CorrectionID: c.ID, Reason: "当天时长已满"})
			require.NoError(t, err)
		})
	})
}

func TestCorrectionRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.resident()
		record := w.served(who, 1, 9, 11)
		w.set(at(1, 18))
		c := w.propose(w.organizer, change(record, 1, 9, 12, 180))
		deciders := []authz.Actor{w.colleague, w.townOffice, w.operator, w.colleague}
		errs := make([]error, len(deciders))
		all(len(deciders), func(i int) {
			in := volunteer.CorrectionDecision{CorrectionID: c.ID, Reason: "同时审批"}
			if i%2 == 0 {
				_, errs[i] = w.ApproveCorrection(t.Context(), deciders[i], in)
			} else {
				_, errs[i] = w.RejectCorrection(t.Context(), deciders[i], in)
			}
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, volunteer.ErrBadMove)
			}
		}
		require.Equal(t, 1, won, "one decision, whoever was first")
	})
}

// notices counts the jobs of a topic about an object.
func (w *world) notices(topic, objectID string) int64 {
	return w.count("SELECT COUNT(*) FROM queue_job WHERE unique_key = ?", topic+":"+objectID)
}

func (w *world) forget(who authz.Actor) error {
	return database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return w.ForgetTx(w.t.Context(), tx, who.ID) })
}
