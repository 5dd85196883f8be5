package notify_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/notify"
	"jiamenkou/service/volunteer"
)

// The templates of the tests.
const (
	caseTemplate  = "TPL_case"
	shiftTemplate = "TPL_shift"
)

type world struct {
	*identitytest.Fixture
	*notify.Service

	t      *testing.T
	ledger *ledger.Service
	serial int
}

func each(t *testing.T, test func(t *testing.T, w *world), change ...func(*notify.Config)) {
	t.Helper()
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		w := &world{Fixture: f, t: t, ledger: ledger.New(f.DB, f.Clock)}
		cfg := notify.Config{
			Templates: map[string]string{
				casework.NoticeCaseMoved:       caseTemplate,
				volunteer.NoticeShiftCancelled: shiftTemplate + "/thing4/thing2/date5",
				"ledger.points_expiring":       "",
			},
			Page: "pages/messages/index", MaxQuota: 3, BatchSize: 2,
		}
		for _, c := range change {
			c(&cfg)
		}
		var err error
		w.Service, err = notify.New(f.DB, f.Clock, w.ledger, f.WeChat, cfg)
		require.NoError(t, err)
		f.OnDelete(w.ForgetTx)
		test(t, w)
		ledgertest.RequireSound(t, f.DB)
	})
}

func (w *world) insert(row any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.DB, func(tx *gorm.DB) error { return tx.Create(row).Error }))
}

// person logs in; a willing one agrees to notifications, too.
func (w *world) person(name string) authz.Actor {
	w.t.Helper()
	actor, _ := w.Resident(w.t, name)
	return actor
}

func (w *world) willing(name string, templates ...string) authz.Actor {
	w.t.Helper()
	actor := w.person(name)
	require.NoError(w.t, w.GrantConsent(w.t.Context(), actor, model.ConsentNotifications, "2026-01"))
	for _, id := range templates {
		_, err := w.Subscribe(w.t.Context(), actor, []string{id})
		require.NoError(w.t, err)
	}
	return actor
}

// moved makes a case of the reporter and the history row by which it reached
// the status.
func (w *world) moved(reporter authz.Actor, status model.CaseStatus) (historyID, caseID string) {
	w.t.Helper()
	w.serial++
	now := clock.Now(w.Clock)
	c := model.CaseFile{
		ID: w.Clock.NewID(), CountyID: w.County.ID, Number: fmt.Sprintf("20260301-%04d", w.serial), Kind: model.CaseReport,
		Category: model.CategorySanitation, Content: "楼道里有杂物", RegionID: w.EastVillage.ID, ReporterID: reporter.ID,
		ContentStatus: model.ContentPassed, Status: status, Version: 2, IdempotencyKey: w.Clock.NewID(), CreatedAt: now, UpdatedAt: now,
	}
	if status == model.CaseHandled {
		c.ConfirmBy = now.Add(7 * 24 * time.Hour).Ptr()
	}
	w.insert(&c)
	from := model.CaseSubmitted
	h := model.CaseHistory{
		ID: w.Clock.NewID(), CaseID: c.ID, Seq: 2, Move: model.MoveAccept, FromStatus: &from, ToStatus: status,
		ActorKind: "staff", ActorID: w.Operator.ID, CreatedAt: now,
	}
	w.insert(&h)
	return h.ID, c.ID
}

// accepted is the notice of an accepted case.
func (w *world) accepted(reporter authz.Actor) notify.Notice {
	w.t.Helper()
	historyID, _ := w.moved(reporter, model.CaseAccepted)
	return notify.Notice{Topic: casework.NoticeCaseMoved, ObjectID: historyID, ResidentIDs: []string{reporter.ID}}
}

func (w *world) shift(title string) (shiftID, activityID string) {
	w.t.Helper()
	now := clock.Now(w.Clock)
	a := model.Activity{
		ID: w.Clock.NewID(), RegionID: w.EastVillage.ID, OrganizerStaffID: w.Operator.ID, Title: title, Content: "清扫", Category: "environment",
		Beneficiary: "居民", PlaceName: "广场", Lon: 120, Lat: 30, RadiusMeters: 100, ContactName: "王", ContactPhone: "12345",
		Status: model.ActivityDraft, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	w.insert(&a)
	s := model.ActivityShift{
		ID: w.Clock.NewID(), ActivityID: a.ID, StartsAt: now.Add(24 * time.Hour), EndsAt: now.Add(26 * time.Hour), CodeSecret: "00",
		Status: model.ShiftCancelled, CreatedAt: now, UpdatedAt: now,
	}
	w.insert(&s)
	return s.ID, a.ID
}

// deliver runs the job of a notice and returns the messages of its first
// recipient, newest first.
func (w *world) deliver(n notify.Notice) {
	w.t.Helper()
	require.NoError(w.t, w.Deliver(w.t.Context(), w.Clock.NewID(), n))
}

func (w *world) inbox(actor authz.Actor) []notify.Message {
	w.t.Helper()
	page, err := w.Messages(w.t.Context(), actor, notify.Filter{}, paging.Request{})
	require.NoError(w.t, err)
	return page.Items
}

func (w *world) quota(actor authz.Actor, template string) int64 {
	w.t.Helper()
	return w.Count(w.t, "SELECT COALESCE(SUM(remaining), 0) FROM subscribe_quota WHERE resident_id = ? AND template_id = ?", actor.ID, template)
}

func (w *world) attempt(messageID string) (a model.SubscribeAttempt) {
	w.t.Helper()
	require.NoError(w.t, w.DB.Read(w.t.Context()).Where("message_id = ?", messageID).Take(&a).Error)
	return a
}

func (w *world) queued(kind string) int64 {
	w.t.Helper()
	return w.Count(w.t, "SELECT COUNT(*) FROM queue_job WHERE kind = ?", kind)
}

func (w *world) enqueue(n any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.DB, func(tx *gorm.DB) error {
		return queue.EnqueueTx(w.t.Context(), tx, w.Clock, queue.Job{Kind: volunteer.JobNotify, Payload: n})
	}))
}

// work runs the queue until nothing is pending.
func (w *world) work() {
	w.t.Helper()
	worker := queue.NewWorker(w.DB, w.Clock, slog.New(slog.DiscardHandler), queue.WorkerOptions{Poll: 10 * time.Millisecond})
	w.Register(worker)
	worker.Start()
	require.Eventually(w.t, func() bool {
		return w.Count(w.t, "SELECT COUNT(*) FROM queue_job WHERE status = 'pending'") == 0
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(w.t, worker.Close(w.t.Context()))
}
