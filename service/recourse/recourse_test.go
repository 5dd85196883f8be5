package recourse_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/recourse"
)

func pageOf(limit int) paging.Request { return paging.Request{Limit: limit} }

func TestAdjustment(t *testing.T) {
	t.Run("a credit is posted when a second operator approves", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			a := w.propose(w.eastOp, w.credit(30))
			require.Zero(t, w.points(w.wang), "nothing moves before the second pair of eyes")
			require.Equal(t, w.east.ID, a.ScopeRegionID)
			done, err := w.approve(w.root, a.ID)
			require.NoError(t, err)
			require.Equal(t, model.AdjustmentApproved, done.Status)
			require.EqualValues(t, 30, w.points(w.wang))
			e := w.newest(w.wang)
			require.Equal(t, model.JournalAdjust, e.Kind)
			require.Equal(t, *done.TransferID, e.TransferID)
			require.Contains(t, e.Evidence, w.root.ID, "who approved is in the evidence")
			require.Contains(t, e.Evidence, w.eastOp.ID)

			why, err := w.recourse.Explain(t.Context(), w.wang.ID, e.TransferID)
			require.NoError(t, err)
			require.Equal(t, []recourse.Person{{"提交", "赵**"}, {"审批", "王**"}}, why.People)
			require.Contains(t, why.Facts, recourse.Fact{Label: "调账", Value: "补发"})
			require.Contains(t, why.Facts, recourse.Fact{Label: "原因", Value: "漏发积分"})

			_, history, err := w.recourse.Adjustment(t.Context(), w.eastOp, a.ID)
			require.NoError(t, err)
			require.Len(t, history, 2)
			require.Equal(t, w.root.ID, history[1].ActorID)
			require.EqualValues(t, 2, w.count(`SELECT COUNT(*) FROM audit_log WHERE object_id = ?`, a.ID))
			require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM queue_job WHERE unique_key = ?`, recourse.NoticeAdjusted+":"+a.ID))
		})
	})
	t.Run("a debit never goes below zero", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.earn(w.wang)
			in := w.credit(6)
			in.Kind, in.ReasonCode = model.AdjustmentDebit, model.ReasonFraud
			a := w.propose(w.eastOp, in)
			_, err := w.approve(w.root, a.ID)
			require.ErrorIs(t, err, ledger.ErrInsufficientPoints)
			require.EqualValues(t, 5, w.points(w.wang))
			again, _, err := w.recourse.Adjustment(t.Context(), w.root, a.ID)
			require.NoError(t, err)
			require.Equal(t, model.AdjustmentProposed, again.Status, "nothing was decided")
			in.Amount, in.IdempotencyKey = 3, w.key()
			debit, err := w.approve(w.root, w.propose(w.eastOp, in).ID)
			require.NoError(t, err)
			require.EqualValues(t, 2, w.points(w.wang))

			// The debit was wrong: it is taken back, into the lot that it came from.
			back := w.propose(w.eastOp, recourse.AdjustmentInput{
				Kind: model.AdjustmentReverse, TransferID: *debit.TransferID, ReasonCode: model.ReasonOther, ReasonText: "查错了人", IdempotencyKey: w.key(),
			})
			_, err = w.approve(w.second, back.ID)
			require.NoError(t, err)
			require.EqualValues(t, 5, w.points(w.wang))
			wallet, err := w.ledger.Wallet(t.Context(), w.wang.ID)
			require.NoError(t, err)
			require.Len(t, wallet.Expiring, 1)
		})
	})
	t.Run("an earning is reversed once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			e := w.earn(w.wang)
			in := recourse.AdjustmentInput{Kind: model.AdjustmentReverse, TransferID: e.TransferID, ReasonCode: model.ReasonWrongAward, IdempotencyKey: w.key()}
			first := w.propose(w.eastOp, in)
			in.IdempotencyKey = w.key()
			other := w.propose(w.root, in)
			done, err := w.approve(w.root, first.ID)
			require.NoError(t, err)
			require.Zero(t, w.points(w.wang))
			_, err = w.approve(w.second, other.ID)
			require.ErrorIs(t, err, ledger.ErrAlreadyReversed)
			why, err := w.recourse.Explain(t.Context(), w.wang.ID, e.TransferID)
			require.NoError(t, err)
			require.Equal(t, *done.TransferID, why.ReversedByID)
			in.IdempotencyKey = w.key()
			_, err = w.recourse.Propose(t.Context(), w.root, in)
			require.ErrorIs(t, err, ledger.ErrAlreadyReversed, "it would only use up the operator's day")
			_, err = w.recourse.Propose(t.Context(), w.root, recourse.AdjustmentInput{
				Kind: model.AdjustmentReverse, TransferID: *done.TransferID, ReasonCode: model.ReasonTest, IdempotencyKey: w.key(),
			})
			require.ErrorIs(t, err, recourse.ErrNotReversible, "a reversal is final")
		})
	})
}

func TestFourEyes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		town := w.propose(w.eastOp, w.credit(10))
		county := w.propose(w.root, w.credit(10))
		_, err := w.approve(w.eastOp, town.ID)
		require.ErrorIs(t, err, recourse.ErrSelfApproval)
		_, err = w.approve(w.eastOp, county.ID)
		require.ErrorIs(t, err, recourse.ErrLowerRegion, "a town does not approve what the county proposed")
		_, err = w.approve(w.west1, town.ID)
		require.ErrorIs(t, err, recourse.ErrAdjustmentMissing, "another town does not even see it")
		_, _, err = w.recourse.Adjustment(t.Context(), w.west1, town.ID)
		require.ErrorIs(t, err, recourse.ErrAdjustmentMissing)
		page, err := w.recourse.Adjustments(t.Context(), w.west1, recourse.AdjustmentFilter{}, pageOf(10))
		require.NoError(t, err)
		require.Empty(t, page.Items)
		_, err = w.approve(w.wang, town.ID)
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = w.recourse.Propose(t.Context(), w.west1, w.credit(1))
		require.ErrorIs(t, err, recourse.ErrResidentMissing, "not this town's resident")
		_, err = w.recourse.Propose(t.Context(), authz.System("job"), w.credit(1))
		require.ErrorIs(t, err, authz.ErrForbidden)
		require.Zero(t, w.points(w.wang))

		// The same town may approve its colleague's proposal.
		_, err = w.approve(w.operator("孙运营", w.east), town.ID)
		require.NoError(t, err)
		_, err = w.approve(w.root, town.ID)
		require.ErrorIs(t, err, recourse.ErrAdjustmentDecided)
		_, err = w.recourse.Reject(t.Context(), w.second, recourse.Decision{AdjustmentID: county.ID, IdempotencyKey: w.key()})
		require.ErrorContains(t, err, "recourse.invalid", "a refusal says why")
		rejected, err := w.recourse.Reject(t.Context(), w.second, recourse.Decision{AdjustmentID: county.ID, Reason: "没有依据", IdempotencyKey: w.key()})
		require.NoError(t, err)
		require.Equal(t, model.AdjustmentRejected, rejected.Status)
		_, err = w.approve(w.second, county.ID)
		require.ErrorIs(t, err, recourse.ErrAdjustmentDecided)
		require.EqualValues(t, 10, w.points(w.wang))

		// The database itself refuses one pair of eyes.
		err = database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
			return tx.Exec(`UPDATE adjustment SET decided_by = proposed_by WHERE id = ?`, county.ID).Error
		})
		require.True(t, database.IsCheck(err), "%v", err)
	})
}

// TestFourEyes_ownWallet: an operator is a resident too, and known by the WeChat
// account that both are bound to.
func TestFourEyes_ownWallet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bind := func(table, id string) {
			require.NoError(t, database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				return tx.Exec("UPDATE "+table+" SET openid = 'o-zhao' WHERE id = ?", id).Error
			}))
		}
		before := w.propose(w.eastOp, w.credit(10))
		bind("resident", w.wang.ID)
		bind("staff", w.eastOp.ID)
		_, err := w.recourse.Propose(t.Context(), w.eastOp, w.credit(10))
		require.ErrorIs(t, err, recourse.ErrOwnWallet)
		e := w.earn(w.wang)
		_, err = w.recourse.Propose(t.Context(), w.eastOp, recourse.AdjustmentInput{
			Kind: model.AdjustmentReverse, TransferID: e.TransferID, ReasonCode: model.ReasonTest, IdempotencyKey: w.key(),
		})
		require.ErrorIs(t, err, recourse.ErrOwnWallet)
		colleague := w.propose(w.operator("孙运营", w.east), w.credit(10))
		_, err = w.approve(w.eastOp, colleague.ID)
		require.ErrorIs(t, err, recourse.ErrOwnWallet)
		_, err = w.recourse.Reject(t.Context(), w.eastOp, recourse.Decision{AdjustmentID: colleague.ID, Reason: "不想扣", IdempotencyKey: w.key()})
		require.ErrorIs(t, err, recourse.ErrOwnWallet)
		for _, id := range []string{before.ID, colleague.ID} {
			_, err = w.approve(w.root, id)
			require.NoError(t, err, "somebody else decides as ever")
		}
		require.EqualValues(t, 25, w.points(w.wang))
	})
}

func TestDailyLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.propose(w.eastOp, w.credit(60))
		_, err := w.recourse.Propose(t.Context(), w.eastOp, w.credit(41))
		require.ErrorIs(t, err, recourse.ErrDailyLimit)
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM adjustment`), "the refused one left no row")
		_, err = w.recourse.Propose(t.Context(), w.eastOp, w.credit(101))
		require.ErrorIs(t, err, recourse.ErrDailyLimit)
		w.propose(w.root, w.credit(100)) // each operator has a day of his own
		w.propose(w.eastOp, w.credit(40))
		w.clock.Advance(12*time.Hour - time.Microsecond)
		_, err = w.recourse.Propose(t.Context(), w.eastOp, w.credit(1))
		require.ErrorIs(t, err, recourse.ErrDailyLimit)
		w.clock.Advance(time.Microsecond) // midnight in Shanghai
		w.propose(w.eastOp, w.credit(100))
		err = database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
			return tx.Exec(`UPDATE adjustment_day SET used_points = 101`).Error
		})
		require.True(t, database.IsCheck(err), "%v", err)
	})
	t.Run("holds when proposals come at once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			inputs := make([]recourse.AdjustmentInput, 12)
			for i := range inputs {
				inputs[i] = w.credit(20)
			}
			var wg sync.WaitGroup
			ok := make(chan struct{}, len(inputs))
			for _, in := range inputs {
				wg.Go(func() {
					_, err := w.recourse.Propose(context.Background(), w.eastOp, in)
					switch {
					case err == nil:
						ok <- struct{}{}
					case !errors.Is(err, recourse.ErrDailyLimit):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Len(t, ok, 5)
			require.EqualValues(t, 5, w.count(`SELECT COUNT(*) FROM adjustment`))
		})
	})
}

func TestAdjustment_idempotency(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := w.credit(10)
		changed := in
		changed.Amount = 11
		var wg sync.WaitGroup
		ids := make(chan string, 20)
		for range 10 {
			wg.Go(func() {
				a, err := w.recourse.Propose(context.Background(), w.eastOp, in)
				if err != nil {
					t.Error(err)
				}
				ids <- a.ID
			})
		}
		wg.Wait()
		close(ids)
		id := <-ids
		for other := range ids {
			require.Equal(t, id, other, "parallel replays give one answer")
		}
		_, err := w.recourse.Propose(t.Context(), w.eastOp, changed)
		require.ErrorIs(t, err, recourse.ErrKeyConflict)
		proposal, err := w.recourse.Propose(t.Context(), w.eastOp, in)
		require.NoError(t, err)

		w.clock.Advance(time.Minute)
		yes := recourse.Decision{AdjustmentID: id, Reason: "属实", IdempotencyKey: w.key()}
		type answer struct {
			a   recourse.Adjustment
			err error
		}
		answers := make(chan answer, 40)
		for range 8 {
			wg.Go(func() { // the same person with the same key
				a, err := w.recourse.Approve(context.Background(), w.root, yes)
				answers <- answer{a, err}
			})
		}
		wg.Wait()
		for range 8 {
			got := <-answers
			require.NoError(t, got.err)
			require.Equal(t, model.AdjustmentApproved, got.a.Status)
		}
		require.EqualValues(t, 10, w.points(w.wang))
		late, err := w.recourse.Propose(t.Context(), w.eastOp, in)
		require.NoError(t, err)
		require.Equal(t, proposal, late, "the first answer, whatever came of it")
		no := yes
		no.Reason = "另一个"
		_, err = w.recourse.Approve(t.Context(), w.root, no)
		require.ErrorIs(t, err, recourse.ErrKeyConflict)
		no.AdjustmentID = w.propose(w.eastOp, w.credit(1)).ID
		no.Reason = yes.Reason
		_, err = w.recourse.Approve(t.Context(), w.root, no)
		require.ErrorIs(t, err, recourse.ErrKeyConflict, "a key decides one adjustment")
	})
	t.Run("several approvers at once post once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			a := w.propose(w.eastOp, w.credit(10))
			var wg sync.WaitGroup
			won := make(chan struct{}, 20)
			for i := range 10 {
				who, key := w.root, w.key()
				if i%2 == 0 {
					who = w.second
				}
				wg.Go(func() {
					_, err := w.recourse.Approve(context.Background(), who, recourse.Decision{AdjustmentID: a.ID, IdempotencyKey: key})
					switch {
					case err == nil:
						won <- struct{}{}
					case !errors.Is(err, recourse.ErrAdjustmentDecided):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Len(t, won, 1)
			require.EqualValues(t, 10, w.points(w.wang))
			require.EqualValues(t, 2, w.count(`SELECT COUNT(*) FROM adjustment_history`))
		})
	})
}

func TestAdjustment_refuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		propose := func(change func(*recourse.AdjustmentInput)) error {
			in := w.credit(10)
			change(&in)
			_, err := w.recourse.Propose(t.Context(), w.eastOp, in)
			return err
		}
		for name, change := range map[string]func(*recourse.AdjustmentInput){
			"zero":          func(in *recourse.AdjustmentInput) { in.Amount = 0 },
			"negative":      func(in *recourse.AdjustmentInput) { in.Amount = -1 },
			"overflow":      func(in *recourse.AdjustmentInput) { in.Amount = 1<<63 - 1 },
			"no reason":     func(in *recourse.AdjustmentInput) { in.ReasonCode = "because" },
			"other, silent": func(in *recourse.AdjustmentInput) { in.ReasonCode = model.ReasonOther },
			"no kind":       func(in *recourse.AdjustmentInput) { in.Kind = "gift" },
			"no key":        func(in *recourse.AdjustmentInput) { in.IdempotencyKey = "" },
			"expired":       func(in *recourse.AdjustmentInput) { in.ExpiresOn = "2026-03-09" },
			"no day":        func(in *recourse.AdjustmentInput) { in.ExpiresOn = "soon" },
		} {
			require.ErrorContains(t, propose(change), "recourse.invalid", name)
		}
		require.ErrorIs(t, propose(func(in *recourse.AdjustmentInput) { in.ResidentID = w.clock.NewID() }), recourse.ErrResidentMissing)
		require.ErrorIs(t, propose(func(in *recourse.AdjustmentInput) { in.BudgetID = w.clock.NewID() }), recourse.ErrBudgetMissing)
		require.ErrorIs(t, propose(func(in *recourse.AdjustmentInput) { in.ObjectionID = w.clock.NewID() }), recourse.ErrObjectionMissing)
		reverse := func(in *recourse.AdjustmentInput, id string) {
			*in = recourse.AdjustmentInput{Kind: model.AdjustmentReverse, TransferID: id, ReasonCode: model.ReasonTest, IdempotencyKey: w.key()}
		}
		require.ErrorIs(t, propose(func(in *recourse.AdjustmentInput) { reverse(in, w.clock.NewID()) }), recourse.ErrEntryMissing)
		foreign := w.earn(w.resident(w.west))
		require.ErrorIs(t, propose(func(in *recourse.AdjustmentInput) { reverse(in, foreign.TransferID) }), recourse.ErrEntryMissing)
		w.clock.Advance(300 * 24 * time.Hour)
		require.ErrorIs(t, propose(func(*recourse.AdjustmentInput) {}), recourse.ErrBudgetUnfit, "2027 is not in the budget's period")
		require.Zero(t, w.count(`SELECT COUNT(*) FROM adjustment`))
	})
}

func TestAdjustment_expires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.propose(w.eastOp, w.credit(10))
		w.clock.Advance(7 * 24 * time.Hour)
		_, err := w.approve(w.root, a.ID)
		require.ErrorIs(t, err, recourse.ErrAdjustmentExpired, "also before the job ran")
		fresh := w.propose(w.eastOp, w.credit(10))
		n, err := w.recourse.ExpireAdjustments(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = w.recourse.ExpireAdjustments(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		row, history, err := w.recourse.Adjustment(t.Context(), w.root, a.ID)
		require.NoError(t, err)
		require.Equal(t, model.AdjustmentExpired, row.Status)
		require.Len(t, history, 2)
		_, err = w.approve(w.root, fresh.ID)
		require.NoError(t, err)
		page, err := w.recourse.Adjustments(t.Context(), w.eastOp, recourse.AdjustmentFilter{Status: model.AdjustmentExpired}, pageOf(10))
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
	})
}

func TestObjection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e := w.earn(w.wang)
		object := func(who authz.Actor, text string) (recourse.Objection, error) {
			return w.recourse.Object(t.Context(), who, recourse.ObjectionInput{TransferID: e.TransferID, Text: text, IdempotencyKey: w.key()})
		}
		_, err := object(w.resident(w.east), "这不是我的明细")
		require.ErrorIs(t, err, recourse.ErrEntryMissing, "somebody else's entry")
		_, err = object(w.eastOp, "工作人员不能提")
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = object(w.wang, "短")
		require.ErrorContains(t, err, "recourse.invalid")

		in := recourse.ObjectionInput{TransferID: e.TransferID, Text: "我读了两篇，只算了一篇", IdempotencyKey: w.key()}
		first, err := w.recourse.Object(t.Context(), w.wang, in)
		require.NoError(t, err)
		again, err := w.recourse.Object(t.Context(), w.wang, in)
		require.NoError(t, err)
		require.Equal(t, first, again)
		in.Text = "换了一段文字"
		_, err = w.recourse.Object(t.Context(), w.wang, in)
		require.ErrorIs(t, err, recourse.ErrKeyConflict)
		_, err = object(w.wang, "再提一次异议")
		require.ErrorIs(t, err, recourse.ErrObjectionOpen)
		why, err := w.recourse.Explain(t.Context(), w.wang.ID, e.TransferID)
		require.NoError(t, err)
		require.False(t, why.CanObject)
		require.Len(t, why.Objections, 1)
		require.Contains(t, why.Facts, recourse.Fact{Label: "有效阅读", Value: "61 秒（要求 60 秒）"})
		require.Equal(t, "播报", why.Facts[0].Label)
		require.Contains(t, why.RuleText, "每次得 5 分")

		// The operators of the home region see it, others do not.
		for actor, want := range map[string]int{w.eastOp.ID: 1, w.root.ID: 1, w.west1.ID: 0} {
			for _, a := range []authz.Actor{w.eastOp, w.root, w.west1} {
				if a.ID != actor {
					continue
				}
				page, err := w.recourse.Objections(t.Context(), a, recourse.ObjectionFilter{Status: model.ObjectionOpen}, pageOf(10))
				require.NoError(t, err)
				require.Len(t, page.Items, want)
			}
		}
		_, err = w.recourse.Answer(t.Context(), w.west1, first.ID, "不归我管")
		require.ErrorIs(t, err, recourse.ErrObjectionMissing)
		_, err = w.recourse.Objection(t.Context(), w.west1, first.ID)
		require.ErrorIs(t, err, recourse.ErrObjectionMissing)
		_, err = w.recourse.Close(t.Context(), w.resident(w.east), first.ID)
		require.ErrorIs(t, err, recourse.ErrObjectionMissing)

		// It is answered together with an adjustment.
		credit := w.credit(5)
		credit.ObjectionID = first.ID
		a := w.propose(w.eastOp, credit)
		_, err = w.approve(w.root, a.ID)
		require.NoError(t, err)
		answered, err := w.recourse.Answer(t.Context(), w.eastOp, first.ID, "核对属实，已补发")
		require.NoError(t, err)
		require.Equal(t, model.ObjectionAnswered, answered.Status)
		_, err = w.recourse.Answer(t.Context(), w.eastOp, first.ID, "核对属实，已补发")
		require.NoError(t, err, "the same answer again")
		_, err = w.recourse.Answer(t.Context(), w.root, first.ID, "另一个答复")
		require.ErrorIs(t, err, recourse.ErrObjectionState)
		detail, err := w.recourse.Objection(t.Context(), w.wang, first.ID)
		require.NoError(t, err)
		require.Len(t, detail.History, 2)
		require.Len(t, detail.Adjustments, 1)
		require.EqualValues(t, 10, w.points(w.wang))
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM queue_job WHERE unique_key = ?`, recourse.NoticeAnswered+":"+first.ID))

		closed, err := w.recourse.Close(t.Context(), w.wang, first.ID)
		require.NoError(t, err)
		require.Equal(t, model.ObjectionClosed, closed.Status)
		in.Text = first.Text
		again, err = w.recourse.Object(t.Context(), w.wang, in)
		require.NoError(t, err)
		require.Equal(t, first, again, "a replay gets the first answer, whatever came of it")
		for range 2 {
			o, err := object(w.wang, "还是不对，请再看看")
			require.NoError(t, err)
			_, err = w.recourse.Close(t.Context(), w.wang, o.ID)
			require.NoError(t, err)
		}
		_, err = object(w.wang, "第四次提出异议")
		require.ErrorIs(t, err, recourse.ErrObjectionLimit)
		mine, err := w.recourse.MyObjections(t.Context(), w.wang, recourse.ObjectionFilter{}, pageOf(10))
		require.NoError(t, err)
		require.Len(t, mine.Items, 3)
	})
	t.Run("one of many at once", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			e := w.earn(w.wang)
			var wg sync.WaitGroup
			won := make(chan struct{}, 20)
			for range 10 {
				key := w.key()
				wg.Go(func() {
					_, err := w.recourse.Object(context.Background(), w.wang, recourse.ObjectionInput{TransferID: e.TransferID, Text: "数目不对，请核对", IdempotencyKey: key})
					switch {
					case err == nil:
						won <- struct{}{}
					case !errors.Is(err, recourse.ErrObjectionOpen):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Len(t, won, 1)
		})
	})
	t.Run("closes by itself, and is forgotten with the account", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			e := w.earn(w.wang)
			o, err := w.recourse.Object(t.Context(), w.wang, recourse.ObjectionInput{TransferID: e.TransferID, Text: "数目不对，请核对", IdempotencyKey: w.key()})
			require.NoError(t, err)
			_, err = w.recourse.Answer(t.Context(), w.eastOp, o.ID, "没有错")
			require.NoError(t, err)
			n, err := w.recourse.CloseObjections(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
			w.clock.Advance(30 * 24 * time.Hour)
			n, err = w.recourse.CloseObjections(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, n)
			_, err = w.recourse.Object(t.Context(), w.wang, recourse.ObjectionInput{TransferID: e.TransferID, Text: "还是不对，请核对", IdempotencyKey: w.key()})
			require.NoError(t, err)
			require.NoError(t, database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				return w.recourse.ForgetTx(t.Context(), tx, w.wang.ID)
			}))
			require.Zero(t, w.count(`SELECT COUNT(*) FROM objection WHERE text <> '' OR status <> 'closed'`))
		})
	})
}
