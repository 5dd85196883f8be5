package notify_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/wechat"
	"jiamenkou/internal/wechat/wechatsim"
	"jiamenkou/model"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/notify"
	"jiamenkou/service/volunteer"
)

// waiting delivers a notice about a case to the reporter and returns the
// message that is to go through WeChat.
func (w *world) waiting(reporter authz.Actor) notify.Message {
	w.t.Helper()
	before := w.queued(notify.JobSubscribe)
	w.deliver(w.accepted(reporter))
	require.Equal(w.t, before+1, w.queued(notify.JobSubscribe))
	return w.inbox(reporter)[0]
}

func TestSend(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Run("takes one consent for one message, through the queue", func(t *testing.T) {
			wang := w.willing("wang", caseTemplate, caseTemplate, shiftTemplate)
			w.enqueue(w.accepted(wang))
			w.work()
			sent := w.Sim.Sent()
			require.Len(t, sent, 1)
			m := w.inbox(wang)[0]
			require.Equal(t, wechatsim.SentMessage{
				OpenID: w.Sim.OpenID("wang"), TemplateID: caseTemplate, Page: "pages/messages/index?id=" + m.ID, State: "formal", At: w.Clock.Now(),
				Data: map[string]string{"thing1": "您上报的事件已受理", "thing2": wechat.FitValue("thing2", m.Body), "time3": "2026年3月1日 12:00"},
			}, sent[0])
			require.EqualValues(t, 1, w.quota(wang, caseTemplate))
			require.EqualValues(t, 1, w.quota(wang, shiftTemplate))
			a := w.attempt(m.ID)
			require.Equal(t, model.SubscribeSent, a.Status)
			require.Zero(t, w.Count(t, "SELECT COUNT(*) FROM queue_job WHERE status <> 'done'"))

			require.NoError(t, w.Send(t.Context(), a.JobID, m.ID, false), "the same job again")
			require.NoError(t, w.Send(t.Context(), w.Clock.NewID(), m.ID, false), "another job of the same message")
			require.Len(t, w.Sim.Sent(), 1)
			require.EqualValues(t, 1, w.quota(wang, caseTemplate))

			shiftID, _ := w.shift("一个名字很长很长很长很长很长很长的活动")
			w.enqueue(notify.Notice{Topic: volunteer.NoticeShiftCancelled, ObjectID: shiftID, ResidentIDs: []string{wang.ID}})
			w.work()
			data := w.Sim.Sent()[1].Data
			require.Equal(t, "志愿班次已取消", data["thing4"])
			require.Contains(t, data, "date5")
			require.Len(t, []rune(data["thing2"]), 20)
		})
		t.Run("never sends two on one consent", func(t *testing.T) {
			li := w.willing("li", caseTemplate)
			first, second := w.waiting(li), w.waiting(li)
			before := len(w.Sim.Sent())
			var g sync.WaitGroup
			for _, m := range []notify.Message{first, second, first, second} {
				g.Go(func() { _ = w.Send(t.Context(), w.Clock.NewID(), m.ID, false) })
			}
			g.Wait()
			require.Len(t, w.Sim.Sent(), before+1)
			require.Zero(t, w.quota(li, caseTemplate))
			require.Len(t, w.inbox(li), 2)
		})
	})
}

func TestSend_inboxOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, who := range map[string]func() authz.Actor{
			"without a quota": func() authz.Actor { return w.willing("a") },
			"without the consent to notifications": func() authz.Actor {
				b := w.person("b")
				_, err := w.Subscribe(t.Context(), b, []string{caseTemplate})
				require.NoError(t, err)
				return b
			},
			"after the consent was withdrawn": func() authz.Actor {
				c := w.willing("c", caseTemplate)
				require.NoError(t, w.WithdrawConsent(t.Context(), c, model.ConsentNotifications))
				return c
			},
			"with a quota of another template": func() authz.Actor { return w.willing("d", shiftTemplate) },
			"without a WeChat account": func() authz.Actor {
				e := w.willing("e", caseTemplate)
				w.Exec(t, "UPDATE resident SET openid = NULL WHERE id = ?", e.ID)
				return e
			},
			"while frozen": func() authz.Actor {
				f := w.willing("f", caseTemplate)
				w.Exec(t, "UPDATE resident SET status = 'frozen' WHERE id = ?", f.ID)
				return f
			},
		} {
			t.Run(name, func(t *testing.T) {
				actor := who()
				w.enqueue(w.accepted(actor))
				w.work()
				require.Len(t, w.inbox(actor), 1)
				require.Zero(t, w.queued(notify.JobSubscribe))
			})
		}
		t.Run("when it changed after the delivery", func(t *testing.T) {
			for name, change := range map[string]func(authz.Actor, notify.Message){
				"g": func(a authz.Actor, _ notify.Message) {
					require.NoError(t, w.WithdrawConsent(t.Context(), a, model.ConsentNotifications))
				},
				"h": func(a authz.Actor, m notify.Message) { require.NoError(t, w.MarkRead(t.Context(), a, m.ID)) },
				"i": func(a authz.Actor, _ notify.Message) {
					w.Exec(t, "UPDATE subscribe_quota SET remaining = 0 WHERE resident_id = ?", a.ID)
				},
				"j": func(a authz.Actor, _ notify.Message) { require.NoError(t, w.DeleteAccount(t.Context(), a)) },
			} {
				actor := w.willing(name, caseTemplate)
				m := w.waiting(actor)
				change(actor, m)
				require.NoError(t, w.Send(t.Context(), w.Clock.NewID(), m.ID, false))
			}
		})
		require.Empty(t, w.Sim.Sent())
		require.Zero(t, w.Sim.Calls(wechatsim.PathSubscribe))
		require.Zero(t, w.Count(t, "SELECT COUNT(*) FROM subscribe_attempt"))
	})
}

func TestSend_answers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Run("refused: nothing is left, and the job is done", func(t *testing.T) {
			wang := w.willing("wang", caseTemplate, caseTemplate, caseTemplate)
			w.Sim.RefuseMessages(w.Sim.OpenID("wang"), true)
			m := w.waiting(wang)
			require.NoError(t, w.Send(t.Context(), w.Clock.NewID(), m.ID, false))
			require.Equal(t, model.SubscribeRefused, w.attempt(m.ID).Status)
			require.Equal(t, "wechat.subscribe_refused", w.attempt(m.ID).ErrorCode)
			require.Zero(t, w.quota(wang, caseTemplate))
		})
		t.Run("busy: again later, on the same consent", func(t *testing.T) {
			li := w.willing("li", caseTemplate)
			m, jobID := w.waiting(li), w.Clock.NewID()
			w.Sim.FailNext(wechatsim.PathSubscribe, -1, 2)
			for range 2 {
				require.ErrorIs(t, w.Send(t.Context(), jobID, m.ID, false), wechat.ErrBusy)
				require.Equal(t, model.SubscribeWaiting, w.attempt(m.ID).Status)
				require.Zero(t, w.quota(li, caseTemplate))
			}
			require.NoError(t, w.Send(t.Context(), jobID, m.ID, false))
			require.Equal(t, model.SubscribeSent, w.attempt(m.ID).Status)
			require.EqualValues(t, 3, w.attempt(m.ID).Calls)
			require.Len(t, w.Sim.Sent(), 1)
			require.Zero(t, w.quota(li, caseTemplate))
		})
		t.Run("busy to the last: the consent comes back", func(t *testing.T) {
			zhao := w.willing("zhao", caseTemplate)
			m, jobID := w.waiting(zhao), w.Clock.NewID()
			w.Sim.FailNext(wechatsim.PathSubscribe, -1, 2)
			require.ErrorIs(t, w.Send(t.Context(), jobID, m.ID, false), wechat.ErrBusy)
			require.ErrorIs(t, w.Send(t.Context(), jobID, m.ID, true), wechat.ErrBusy)
			require.Equal(t, model.SubscribeFailed, w.attempt(m.ID).Status)
			require.EqualValues(t, 1, w.quota(zhao, caseTemplate))
		})
		t.Run("a bad template: dead at once, the consent comes back", func(t *testing.T) {
			qian := w.willing("qian", caseTemplate)
			m := w.waiting(qian)
			w.Sim.FailNext(wechatsim.PathSubscribe, 40037, 1)
			err := w.Send(t.Context(), w.Clock.NewID(), m.ID, false)
			require.ErrorIs(t, err, wechat.ErrTemplateInvalid)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.Equal(t, model.SubscribeFailed, w.attempt(m.ID).Status)
			require.EqualValues(t, 1, w.quota(qian, caseTemplate))
		})
		t.Run("no answer: perhaps sent, never again", func(t *testing.T) {
			sun := w.willing("sun", caseTemplate)
			m, jobID := w.waiting(sun), w.Clock.NewID()
			w.Sim.StatusNext(wechatsim.PathSubscribe, 502, 1)
			calls := w.Sim.Calls(wechatsim.PathSubscribe)
			for range 2 {
				require.NoError(t, w.Send(t.Context(), jobID, m.ID, false))
			}
			require.Equal(t, calls+1, w.Sim.Calls(wechatsim.PathSubscribe))
			require.Equal(t, model.SubscribeUnknown, w.attempt(m.ID).Status)
			require.Zero(t, w.quota(sun, caseTemplate))
		})
		t.Run("a process that died in the call: never again", func(t *testing.T) {
			zhou := w.willing("zhou", caseTemplate)
			m, jobID := w.waiting(zhou), w.Clock.NewID()
			w.Sim.FailNext(wechatsim.PathSubscribe, -1, 1)
			require.Error(t, w.Send(t.Context(), jobID, m.ID, false))
			w.Exec(t, "UPDATE subscribe_attempt SET status = 'sending' WHERE message_id = ?", m.ID)
			calls := w.Sim.Calls(wechatsim.PathSubscribe)
			require.NoError(t, w.Send(t.Context(), jobID, m.ID, false))
			require.Equal(t, calls, w.Sim.Calls(wechatsim.PathSubscribe))
			require.Equal(t, model.SubscribeUnknown, w.attempt(m.ID).Status)
		})
		t.Run("unwanted while it waits: dropped, the consent comes back", func(t *testing.T) {
			wu := w.willing("wu", caseTemplate)
			m, jobID := w.waiting(wu), w.Clock.NewID()
			w.Sim.FailNext(wechatsim.PathSubscribe, 45009, 1)
			require.ErrorIs(t, w.Send(t.Context(), jobID, m.ID, false), wechat.ErrQuotaExhausted)
			require.NoError(t, w.WithdrawConsent(t.Context(), wu, model.ConsentNotifications))
			require.NoError(t, w.Send(t.Context(), jobID, m.ID, false))
			require.Equal(t, model.SubscribeDropped, w.attempt(m.ID).Status)
			require.EqualValues(t, 1, w.quota(wu, caseTemplate))
		})
	})
}

func TestSubscribe(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wang := w.person("wang")
		t.Run("lists the templates in use", func(t *testing.T) {
			got, err := w.Subscriptions(t.Context(), wang)
			require.NoError(t, err)
			require.Equal(t, notify.Subscriptions{Items: []notify.Subscription{
				{TemplateID: caseTemplate, Labels: []string{"上报事件进度"}, Topics: []string{"casework.moved"}},
				{TemplateID: shiftTemplate, Labels: []string{"志愿活动变动"}, Topics: []string{"volunteer.shift_cancelled"}},
			}}, got)
		})
		t.Run("adds one for each, up to the limit", func(t *testing.T) {
			var g sync.WaitGroup
			for range 5 {
				g.Go(func() {
					_, err := w.Subscribe(t.Context(), wang, []string{shiftTemplate, caseTemplate, caseTemplate})
					require.NoError(t, err)
				})
			}
			g.Wait()
			require.EqualValues(t, 3, w.quota(wang, caseTemplate))
			require.NoError(t, w.GrantConsent(t.Context(), wang, model.ConsentNotifications, "1"))
			got, err := w.Subscriptions(t.Context(), wang)
			require.NoError(t, err)
			require.True(t, got.Consenting)
			require.EqualValues(t, 3, got.Items[1].Remaining)
		})
		t.Run("refuses what is not in use, and changes nothing", func(t *testing.T) {
			li := w.person("li")
			_, err := w.Subscribe(t.Context(), li, []string{caseTemplate, "TPL_other"})
			require.ErrorIs(t, err, notify.ErrUnknownTemplate)
			_, err = w.Subscribe(t.Context(), li, nil)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			_, err = w.Subscribe(t.Context(), li, []string{"1", "2", "3", "4", "5", "6"})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			_, err = w.Subscribe(t.Context(), w.Operator, []string{caseTemplate})
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = w.Subscriptions(t.Context(), identitytest.System)
			require.ErrorIs(t, err, authz.ErrForbidden)
			require.NoError(t, w.DeleteAccount(t.Context(), li))
			_, err = w.Subscribe(t.Context(), li, []string{caseTemplate})
			require.ErrorIs(t, err, notify.ErrAccountGone)
			require.Zero(t, w.quota(li, caseTemplate))
		})
		t.Run("cannot go below zero in the database", func(t *testing.T) {
			_, err := w.DB.WriteSQL().ExecContext(t.Context(), "UPDATE subscribe_quota SET remaining = remaining - 10")
			require.Error(t, err)
		})
	})
}
