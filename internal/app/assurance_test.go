package app

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/paging"
	"jiamenkou/service/assurance"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

// auditorOf is an auditor of a region.
func auditorOf(t *testing.T, a *App, name, regionID string) authz.Actor {
	t.Helper()
	ids, err := a.Identity.CreateStaff(t.Context(), authz.System("test"), []identity.NewStaff{{
		Username: name, Password: password, Name: name, Grants: []identity.NewGrant{{Role: authz.RoleAuditor, RegionID: regionID}},
	}})
	require.NoError(t, err)
	actor, err := a.Identity.StaffActor(t.Context(), ids[0])
	require.NoError(t, err)
	return actor
}

type auditRun struct {
	ID, Cause, Status string
	RequestedName     string `json:"requested_name"`
	Done, Total       int64
	DifferenceCount   int64 `json:"difference_count"`
	FrozenCount       int64 `json:"frozen_count"`
	Accounts          int64
	Differences       list[struct {
		Section, Check string
		ObjectID       string `json:"object_id"`
		Want, Got      int64
	}]
}

// TestAuditRuns walks the audit in the background over HTTP: an auditor starts
// it and watches it, an operator of the county reads along.
func TestAuditRuns(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db), newClock()
		a := openApp(t, env, c)
		county := seed(t, a, want{residents: 3, signIn: 20})
		auditorOf(t, a, "villager", county.villages[0])
		s := serve(t, env, c)
		auditor, operator, villager := s.staff(auditorName), s.staff(operatorName), s.staff("villager")
		ended := func(id string) (run auditRun) {
			require.Eventually(t, func() bool {
				run = get[auditRun](operator, "/audit-runs/"+id)
				return run.Status != "queued" && run.Status != "running"
			}, bootWait, 20*time.Millisecond)
			return run
		}
		start := func() auditRun { return post[auditRun](auditor, "/audit-runs", object{}) }

		require.Equal(t, 403, operator.do(http.MethodPost, "/audit-runs", object{}).status)
		require.Equal(t, 403, villager.do(http.MethodPost, "/audit-runs", object{}).status, "an audit is of the whole county")
		require.Equal(t, 403, villager.do(http.MethodGet, "/audit-runs", nil).status)

		run := ended(start().ID)
		require.Equal(t, "sound", run.Status)
		require.Equal(t, "staff", run.Cause)
		require.NotEmpty(t, run.RequestedName)
		require.EqualValues(t, 4, run.Accounts)
		require.Equal(t, run.Total, run.Done)
		require.Positive(t, run.Total)
		require.Empty(t, run.Differences.Items)
		require.Equal(t, "audit.start", get[list[struct{ Action string }]](operator, "/audit-log?object_type=audit_run").Items[0].Action)

		wallet := ledger.WalletOf(county.residents[1].ID)
		databasetest.Tamper(t, a.db, "UPDATE "+balanceTable+" SET posted = posted + 1, headroom = headroom + 1 WHERE account_id = ?", wallet)
		run = ended(start().ID)
		require.Equal(t, "different", run.Status)
		require.Zero(t, run.FrozenCount, "an auditor's run changes nothing")
		require.Len(t, run.Differences.Items, int(run.DifferenceCount))
		require.Equal(t, "ledger", run.Differences.Items[0].Section)
		require.Equal(t, string(wallet), run.Differences.Items[0].ObjectID)
		require.Equal(t, run.Differences.Items[0].Want+1, run.Differences.Items[0].Got)
		first := get[auditRun](auditor, "/audit-runs/"+run.ID+"?limit=1").Differences
		require.Len(t, first.Items, 1)
		require.NotEmpty(t, first.Next)

		file := auditor.do(http.MethodGet, "/audit-runs/"+run.ID+"/report", nil)
		require.Contains(t, file.header.Get("Content-Disposition"), "audit-"+run.ID+".json")
		var report assurance.Report
		require.NoError(t, json.Unmarshal(file.body, &report))
		direct, err := a.Assurance.Audit(t.Context(), assurance.Options{})
		require.NoError(t, err)
		text, err := json.Marshal(direct)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(file.body), "what the command prints")

		runs := get[list[auditRun]](operator, "/audit-runs").Items
		require.Len(t, runs, 2)
		require.Equal(t, run.ID, runs[0].ID, "newest first")
		require.Equal(t, 404, auditor.do(http.MethodGet, "/audit-runs/"+someULID, nil).status)
	})
}

// TestAuditRuns_oneAtATime: what is under way is neither doubled nor lost.
func TestAuditRuns_oneAtATime(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		c := newClock()
		a := openApp(t, environ(t, db), c)
		county := seed(t, a, want{residents: 3, signIn: 20})
		actor := auditorOf(t, a, "second", county.countyID)
		ctx := t.Context()
		status := func(id string) assurance.RunView {
			t.Helper()
			run, err := a.Assurance.Run(ctx, actor, id)
			require.NoError(t, err)
			return run
		}

		mine, err := a.Assurance.StartRun(ctx, actor)
		require.NoError(t, err)
		_, err = a.Assurance.StartRun(ctx, actor)
		require.ErrorIs(t, err, assurance.ErrRunning)
		_, err = a.Assurance.RunReport(ctx, actor, mine.ID)
		require.ErrorIs(t, err, assurance.ErrNotOver)

		// The nightly audit does not run beside it, but its freezing is done.
		result, err := a.Assurance.Nightly(ctx)
		require.NoError(t, err)
		require.Contains(t, result, mine.ID)
		wallet := ledger.WalletOf(county.residents[0].ID)
		databasetest.Tamper(t, a.db, "UPDATE "+balanceTable+" SET posted = posted + 1, headroom = headroom + 1 WHERE account_id = ?", wallet)
		require.NoError(t, a.Assurance.Work(ctx, mine.ID))
		require.EqualValues(t, "different", status(mine.ID).Status)
		require.EqualValues(t, 1, status(mine.ID).FrozenCount)
		frozen, err := a.Ledger.Wallet(ctx, county.residents[0].ID)
		require.NoError(t, err)
		require.True(t, frozen.Frozen)
		require.NoError(t, a.Assurance.Work(ctx, mine.ID), "run once more it changes nothing")

		// The nightly run itself: it freezes and fails, and goes on with what an
		// instance left that vanished.
		_, err = a.Assurance.Nightly(ctx)
		require.ErrorContains(t, err, "differences found")
		execute(t, a, "UPDATE audit_run SET status = 'running', slot = 1, difference_count = 0, finished_at = NULL WHERE cause = 'nightly'")
		databasetest.Tamper(t, a.db, "UPDATE "+balanceTable+" SET posted = posted - 1, headroom = headroom - 1 WHERE account_id = ?", wallet)
		result, err = a.Assurance.Nightly(ctx)
		require.NoError(t, err)
		require.Equal(t, "sound", result)
		page, err := a.Assurance.Runs(ctx, actor, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 2, "no third run was made")

		// A run on which nobody works any more makes room.
		lost, err := a.Assurance.StartRun(ctx, actor)
		require.NoError(t, err)
		c.Advance(5 * time.Hour)
		next, err := a.Assurance.StartRun(ctx, actor)
		require.NoError(t, err)
		require.EqualValues(t, "failed", status(lost.ID).Status)
		require.NoError(t, a.Assurance.Work(ctx, lost.ID), "its job finds nothing to do")
		require.NoError(t, a.Assurance.Work(ctx, next.ID))
		require.EqualValues(t, "sound", status(next.ID).Status)
	})
}

// TestAuditRuns_resume lets the minute of each job pass within a few statements:
// the next job goes on where it stopped, and the run comes to its end.
func TestAuditRuns_resume(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		c := newClock()
		a := openApp(t, environ(t, db), c)
		county := seed(t, a, want{residents: 3, signIn: 20})
		actor := auditorOf(t, a, "second", county.countyID)
		started, err := a.Assurance.StartRun(t.Context(), actor)
		require.NoError(t, err)
		slow := func(*gorm.DB) { c.Advance(10 * time.Second) }
		require.NoError(t, a.db.Read(t.Context()).Callback().Row().After("gorm:row").Register("test:slow", slow))
		jobs, done := 0, int64(0)
		for ; jobs < 100; jobs++ {
			require.NoError(t, a.Assurance.Work(t.Context(), started.ID))
			run, err := a.Assurance.Run(t.Context(), actor, started.ID)
			require.NoError(t, err)
			require.GreaterOrEqual(t, run.Done, done, "progress never goes back")
			if done = run.Done; run.Status != "running" {
				require.EqualValues(t, "sound", run.Status)
				break
			}
			require.Positive(t, run.Total)
			require.NotNil(t, run.Left)
		}
		require.Greater(t, jobs, 2)
		require.Less(t, jobs, 100)
		var queued int64
		require.NoError(t, a.db.Read(t.Context()).Raw("SELECT COUNT(*) FROM queue_job WHERE kind = ?", assurance.Job).Scan(&queued).Error)
		require.EqualValues(t, jobs+1, queued, "each job that ran out of time left one behind it")
	})
}
