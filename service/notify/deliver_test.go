package notify_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/ledger"
	"jiamenkou/service/notify"
	"jiamenkou/service/policy"
	"jiamenkou/service/volunteer"
)

func TestDeliver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Run("writes one message however often the job runs", func(t *testing.T) {
			wang := w.willing("wang", caseTemplate)
			n, jobID := w.accepted(wang), w.Clock.NewID()
			var g sync.WaitGroup
			failures := make(chan error, 4)
			for range 4 {
				g.Go(func() { failures <- w.Deliver(t.Context(), jobID, n) })
			}
			g.Wait()
			close(failures)
			for err := range failures {
				require.NoError(t, err)
			}
			w.Clock.Advance(time.Hour)
			require.NoError(t, w.Deliver(t.Context(), jobID, n))
			require.Len(t, w.inbox(wang), 1)
			require.EqualValues(t, 1, w.queued(notify.JobSubscribe))
			w.Exec(t, "DELETE FROM queue_job")
		})
		t.Run("tells everybody of a cancelled shift, once each", func(t *testing.T) {
			people := []authz.Actor{w.person("p1"), w.person("p2"), w.person("p3"), w.person("gone"), w.person("stranger")}
			require.NoError(t, w.DeleteAccount(t.Context(), people[3]))
			shiftID, activityID := w.shift("清洁家园")
			ids := []string{people[0].ID, people[1].ID, people[2].ID, people[3].ID, people[0].ID}
			w.deliver(notify.Notice{Topic: volunteer.NoticeShiftCancelled, ObjectID: shiftID, ResidentIDs: ids})
			for _, p := range people[:3] {
				inbox := w.inbox(p)
				require.Len(t, inbox, 1)
				require.Equal(t, "志愿班次已取消", inbox[0].Title)
				require.Equal(t, "3月2日 13:00“清洁家园”的班次已取消，您不用前往。可以看看其他班次或活动。", inbox[0].Body)
				require.Equal(t, "/activities/"+activityID, inbox[0].Link)
				require.Nil(t, inbox[0].ReadAt)
			}
			require.Empty(t, w.inbox(people[4]))
			require.Zero(t, w.Count(t, "SELECT COUNT(*) FROM message WHERE resident_id = ?", people[3].ID), "a deleted account gets nothing")
		})
		t.Run("says what the move was, not where the case is now", func(t *testing.T) {
			reporter := w.person("reporter")
			for status, title := range map[model.CaseStatus]string{
				model.CaseAccepted: "您上报的事件已受理", model.CaseHandled: "事件已办理，请您确认", model.CaseRejected: "您上报的事件未予受理",
			} {
				historyID, caseID := w.moved(reporter, status)
				w.deliver(notify.Notice{Topic: casework.NoticeCaseMoved, ObjectID: historyID, ResidentIDs: []string{reporter.ID}})
				m := w.inbox(reporter)[0]
				require.Equal(t, title, m.Title)
				require.Equal(t, "/cases/"+caseID, m.Link)
				require.NotContains(t, m.Body, "%!")
				if status == model.CaseHandled {
					require.Contains(t, m.Body, "3月8日")
				}
			}
		})
	})
}

func TestDeliver_points(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wang, li := w.person("wang"), w.person("li")
		budget := w.budget()
		w.earn(budget, wang, 40, "2026-03-31")
		var lot model.Lot
		require.NoError(t, w.DB.Read(t.Context()).Take(&lot).Error)
		n := notify.Notice{Topic: "ledger.points_expiring", ObjectID: lot.ID, ResidentIDs: []string{wang.ID}}

		t.Run("tells the owner how many expire when", func(t *testing.T) {
			w.deliver(n)
			require.Equal(t, "40 积分 3月31日 到期，过期作废。可以到“福利”里兑换。", w.inbox(wang)[0].Body)
		})
		t.Run("tells nobody else", func(t *testing.T) {
			foreign := n
			foreign.ResidentIDs = []string{li.ID}
			require.ErrorIs(t, w.Deliver(t.Context(), w.Clock.NewID(), foreign), notify.ErrNoRecipient)
			require.Empty(t, w.inbox(li))
		})
		t.Run("is silent about what is over", func(t *testing.T) {
			w.Clock.Set(time.Date(2026, 4, 1, 4, 0, 0, 0, time.UTC))
			w.deliver(n)
			require.Len(t, w.inbox(wang), 1)
		})
	})
}

func TestDeliver_refuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wang := w.person("wang")
		good := w.accepted(wang)
		withdrawn, _ := w.moved(wang, model.CaseWithdrawn)
		for _, tc := range []struct {
			name string
			n    notify.Notice
			want *fault.Error
		}{
			{"an unknown topic", notify.Notice{Topic: "x.y", ObjectID: good.ObjectID, ResidentIDs: good.ResidentIDs}, notify.ErrUnknownTopic},
			{"nobody to tell", notify.Notice{Topic: good.Topic, ObjectID: good.ObjectID}, notify.ErrNoRecipient},
			{"what does not exist", notify.Notice{Topic: good.Topic, ObjectID: "none", ResidentIDs: good.ResidentIDs}, notify.ErrNoObject},
			{"a move that nobody is told of", notify.Notice{Topic: good.Topic, ObjectID: withdrawn, ResidentIDs: good.ResidentIDs}, notify.ErrNoObject},
		} {
			t.Run(tc.name, func(t *testing.T) {
				err := w.Deliver(t.Context(), w.Clock.NewID(), tc.n)
				require.ErrorIs(t, err, tc.want)
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			})
		}
		t.Run("a delivery outside a job", func(t *testing.T) {
			require.Error(t, w.Deliver(t.Context(), "", good))
		})
		require.Empty(t, w.inbox(wang))
		t.Run("and keeps the job as dead with the reason", func(t *testing.T) {
			w.enqueue(notify.Notice{Topic: "x.y", ObjectID: "1", ResidentIDs: []string{wang.ID}})
			w.work()
			var job model.QueueJob
			require.NoError(t, w.DB.Read(t.Context()).Where("kind = ?", volunteer.JobNotify).Take(&job).Error)
			require.Equal(t, model.QueueDead, job.Status)
			require.Contains(t, job.LastError, "notify.unknown_topic")
			require.Contains(t, job.LastError, "x.y")
		})
	})
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]notify.Config{
		"an unknown topic":        {Templates: map[string]string{"x.y": ""}},
		"a topic for staff":       {Templates: map[string]string{"policy.budget_low": "TPL"}},
		"a malformed template":    {Templates: map[string]string{casework.NoticeCaseMoved: "a b"}},
		"a keyword of wrong kind": {Templates: map[string]string{casework.NoticeCaseMoved: "TPL/thing1/phrase2/time3"}},
		"a missing keyword":       {Templates: map[string]string{casework.NoticeCaseMoved: "TPL/thing1"}},
		"a batch without end":     {BatchSize: 10_000},
		"messages kept for hours": {Keep: time.Hour},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := notify.New(nil, nil, nil, nil, cfg)
			require.Error(t, err)
		})
	}
}

func (w *world) budget() string {
	w.t.Helper()
	p := policy.New(w.DB, w.Clock, w.ledger)
	b, err := p.CreateBudget(w.t.Context(), w.Operator, policy.BudgetInput{
		RegionID: w.County.ID, Name: "2026", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1000,
	})
	require.NoError(w.t, err)
	return b.ID
}

func (w *world) earn(budgetID string, who authz.Actor, points int64, until clock.Day) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.DB, func(tx *gorm.DB) error {
		out, err := w.ledger.EarnTx(w.t.Context(), tx, []ledger.Earn{{
			Event:    ledger.Event{SourceType: "test", SourceID: who.ID, ActorID: "test", IdempotencyKey: who.ID},
			BudgetID: budgetID, ResidentID: who.ID, Amount: points, ExpiresOn: until,
		}})
		if err == nil {
			err = out[0].Err
		}
		return err
	}))
}
