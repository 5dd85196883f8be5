package app

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
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
		require.ErrorIs(t, a.Assurance.Unfreeze(ctx, actor, wallet, "余额已更正"), authz.ErrForbidden, "whoever runs the program, nobody else")
		require.ErrorContains(t, a.Assurance.Unfreeze(ctx, authz.System("test"), wallet, " "), "assurance.invalid")
		unfreeze := []string{"unfreeze", string(wallet), "--reason", "余额已更正"}
		code, _, errs := run(t, environ(t, db), c, unfreeze...)
		require.Zero(t, code, errs)
		code, _, errs = run(t, environ(t, db), c, unfreeze...)
		require.Equal(t, 1, code)
		require.Contains(t, errs, "ledger.account_not_frozen")
		frozen, err = a.Ledger.Wallet(ctx, county.residents[0].ID)
		require.NoError(t, err)
		require.False(t, frozen.Frozen)
		require.EqualValues(t, 1, count(t, a.db.WriteSQL(), "SELECT COUNT(*) FROM audit_log WHERE action = 'account.unfreeze' AND reason = '余额已更正'"))
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

type fourEyes struct {
	Kind, Status, Reason, Title string
	ObjectID                    string `json:"object_id"`
	Amount                      int64
	ProposerKind                string `json:"proposer_kind"`
	ProposerID                  string `json:"proposer_id"`
	DeciderID                   string `json:"decider_id"`
	DeciderName                 string `json:"decider_name"`
	DecisionNote                string `json:"decision_note"`
}

// fourEyes makes one decision of each kind and finds all of them on one list.
func (l *loop) fourEyes(t *testing.T) {
	a := openApp(t, l.env, l.clock)
	_, err := a.Identity.CreateStaff(t.Context(), authz.System("test"), []identity.NewStaff{{
		Username: "second", Password: password, Name: "李主任", Grants: []identity.NewGrant{{Role: authz.RoleOperator, RegionID: l.c.countyID}},
	}})
	require.NoError(t, err)
	second, villager := l.staff("second"), auditorOf(t, a, "villager", l.c.villages[1])
	type made struct{ ID string }

	entry := get[list[made]](l.wang, "/wallet/entries").Items[0].ID
	post[made](l.wang, "/wallet/entries/"+entry+"/objections", object{"text": "这一笔少了"})
	objection := get[list[made]](l.operator, "/objections?status=open").Items[0].ID
	post[object](l.operator, "/objections/"+objection+"/answer", object{"answer": "核对过了，没有少"})
	adjust := func() string {
		budget := get[list[made]](l.operator, "/budgets").Items[0].ID
		return post[made](l.operator, "/adjustments", object{"kind": "credit", "resident_id": l.wang.id, "points": 2, "budget_id": budget, "reason_code": "missed_award", "reason_text": "活动漏记"}).ID
	}
	approved, waiting := adjust(), adjust()
	post[object](second, "/adjustments/"+approved+"/approve", object{"reason": "属实"})
	number := get[struct {
		Number string `json:"volunteer_number"`
	}](l.wang, "/profile").Number
	start := l.clock.Now().Add(-50 * time.Hour)
	record := post[struct {
		IDs []string `json:"record_ids"`
	}](l.organizer, "/service-records", object{
		"region_id": l.c.villages[0], "volunteer_numbers": []string{number}, "title": "河道清理", "content": "清理河道", "place_name": "东河", "beneficiary": "村民",
		"person_in_charge": "王队长", "started_at": start, "ended_at": start.Add(time.Hour), "reason": "当天没有网络",
	}).IDs[0]
	require.Equal(t, 204, second.do(http.MethodPost, "/service-records/decide-manual", object{"decisions": []object{{"record_id": record, "reject_reason": "没有照片"}}}).status)
	statement := get[list[made]](l.owner, "/settlement/statements").Items[0].ID
	execute(t, a, "UPDATE settlement_statement SET status = 'issued' WHERE id = ?", statement) // as if the owner had not answered yet
	post[object](l.owner, "/settlement/statements/"+statement+"/dispute", object{"reason": "少了一笔核销"})
	post[object](l.operator, "/settlement/statements/"+statement+"/resolve", object{"reason": "已与商户核对"})

	items := get[list[fourEyes]](l.rev, "/four-eyes").Items
	byObject := map[string]fourEyes{}
	for _, d := range items {
		byObject[d.ObjectID] = d
	}
	require.Len(t, byObject, 5)
	require.Equal(t, statement, items[0].ObjectID, "newest first")
	for object, want := range map[string]fourEyes{
		approved:  {Kind: "adjustment", Status: "approved", Reason: "活动漏记", Amount: 2, ProposerKind: "staff", DeciderName: "李主任", DecisionNote: "属实"},
		waiting:   {Kind: "adjustment", Status: "waiting", Reason: "活动漏记", Amount: 2, ProposerKind: "staff"},
		objection: {Kind: "objection", Status: "approved", Reason: "这一笔少了", ProposerKind: "resident", DecisionNote: "核对过了，没有少"},
		record:    {Kind: "manual_record", Status: "rejected", Reason: "当天没有网络", Title: "河道清理", Amount: 60, ProposerKind: "staff", DeciderName: "李主任", DecisionNote: "没有照片"},
		statement: {Kind: "dispute", Status: "approved", Reason: "少了一笔核销", Amount: 5, ProposerKind: "staff", DecisionNote: "已与商户核对"},
	} {
		got := byObject[object]
		require.NotEqual(t, got.ProposerID, got.DeciderID)
		if want.DeciderName == "" {
			got.DeciderName = ""
		}
		if want.Title == "" {
			got.Title = ""
		}
		got.ObjectID, got.ProposerID, got.DeciderID = "", "", ""
		require.Equal(t, want, got)
	}

	l.fourEyesFilters(t, items)
	theirs, err := a.Assurance.FourEyesLog(t.Context(), villager, assurance.FourEyesFilter{}, paging.Request{})
	require.NoError(t, err)
	require.Empty(t, theirs.Items, "another village's")
	require.Equal(t, 403, l.owner.do(http.MethodGet, "/four-eyes", nil).status)
}

func (l *loop) fourEyesFilters(t *testing.T, all []fourEyes) {
	var paged []fourEyes
	for cursor := ""; ; {
		page := get[list[fourEyes]](l.rev, "/four-eyes?limit=2&cursor="+cursor)
		paged = append(paged, page.Items...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, all, paged, "the pages follow each other across the sources")
	today := string(clock.Today(l.clock))
	for query, want := range map[string]int{
		"kind=adjustment": 2, "kind=long_day": 0, "status=waiting": 1, "status=rejected": 1, "region_id=" + l.c.countyID: 5, "region_id=" + l.c.villages[1]: 0,
		"region_id=" + someULID: 0, "staff=second": 2, "staff=" + "李主任": 2, "staff=" + organizerName: 1, "from=" + today: 5, "to=" + today: 5, "to=2001-01-01": 0, "from=2100-01-01": 0,
	} {
		require.Len(t, get[list[fourEyes]](l.rev, "/four-eyes?"+query).Items, want, query)
	}
}
