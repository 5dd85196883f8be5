package casework_test

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

const reportPoints = 3

// checker stands for WeChat: texts with 违规 are risky, with 复审 are for
// review; down makes it unreachable.
type checker struct {
	mu     sync.Mutex
	down   bool
	texts  int
	images []string          // the links handed over
	traces map[string]string // link -> trace id
	// during is called while a picture is being handed over.
	during func(traceID string)
}

func (c *checker) set(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *checker) CheckText(_ context.Context, openID string, _ int, text string) (wechat.Verdict, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts++
	switch {
	case openID == "" || c.down:
		return wechat.Verdict{}, wechat.ErrUnavailable
	case strings.Contains(text, "违规"):
		return wechat.Verdict{Suggest: wechat.SuggestRisky}, nil
	case strings.Contains(text, "复审"):
		return wechat.Verdict{Suggest: wechat.SuggestReview}, nil
	}
	return wechat.Verdict{Suggest: wechat.SuggestPass}, nil
}

func (c *checker) CheckImage(_ context.Context, openID, url string, _ int) (string, error) {
	c.mu.Lock()
	if openID == "" || c.down {
		c.mu.Unlock()
		return "", wechat.ErrUnavailable
	}
	trace := "trace-" + url[strings.LastIndex(url, "/")+1:][:32] + "-" + strconv.Itoa(len(c.images))
	c.images = append(c.images, url)
	c.traces[url] = trace
	during := c.during
	c.mu.Unlock()
	if during != nil {
		during(trace)
	}
	return trace, nil
}

// map of positions: village A lies west of 120°, village B east, up to 121°.
type locator struct{ a, b string }

func (l locator) LocateRegion(_ context.Context, lon, _ float64) (string, error) {
	switch {
	case lon < 120:
		return l.a, nil
	case lon < 121:
		return l.b, nil
	}
	return "", fault.New(fault.NotFound, "region.not_located", "当前位置不在已划定的村社内，请手动选择")
}

type world struct {
	t                                *testing.T
	db                               *database.DB
	clock                            *clock.Manual
	wechat                           *checker
	store                            *blob.Disk
	ledger                           *ledger.Service
	casework                         *casework.Service
	county, town, villageA, villageB model.Region
	gridA                            model.Region // in village A
	elsewhere                        model.Region // a village of another county
	resident, neighbour              authz.Actor  // at home in village A
	workerA, workerB, worker2A       authz.Actor  // grid workers
	operator, auditor, townOperator  authz.Actor
	organizer                        authz.Actor
	keys                             int
}

func each(t *testing.T, test func(t *testing.T, w *world), change ...func(*casework.Config)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, change...)
		test(t, w)
		ledgertest.RequireSound(t, db)
		differences, err := w.casework.Audit(t.Context())
		require.NoError(t, err)
		require.Empty(t, differences, "the audit of cases found differences")
	})
}

func newWorld(t *testing.T, db *database.DB, change ...func(*casework.Config)) *world {
	t.Helper()
	c := clock.NewManual(noon, 7)
	w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c), wechat: &checker{traces: map[string]string{}}}
	var err error
	w.store, err = blob.OpenDisk(t.TempDir(), 5<<20)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	w.county = w.region("330481000000", "county", "海宁市", nil)
	w.town = w.region("330481001000", "town", "硖石街道", &w.county)
	w.villageA = w.region("330481001003", "village", "东山社区", &w.town)
	w.villageB = w.region("330481001004", "village", "西山社区", &w.town)
	w.gridA = w.region("330481001003-01", "grid", "第一网格", &w.villageA)
	other := w.region("330482000000", "county", "平湖市", nil)
	otherTown := w.region("330482001000", "town", "当湖街道", &other)
	w.elsewhere = w.region("330482001001", "village", "东湖社区", &otherTown)

	policies := policy.New(db, c, w.ledger)
	w.operator = w.staff(authz.RoleOperator, w.county)
	budget, err := policies.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
		RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1000,
	})
	require.NoError(t, err)
	_, err = policies.PublishRule(t.Context(), w.operator, policy.RuleInput{
		RegionID: w.county.ID, EventKind: model.EventReportVerified, BudgetID: budget.ID, Points: reportPoints, MaxPoints: reportPoints,
		DailyCap: 100, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	})
	require.NoError(t, err)

	w.resident, w.neighbour = w.newResident(&w.villageA), w.newResident(&w.villageA)
	w.workerA, w.worker2A, w.workerB = w.staff(authz.RoleGridWorker, w.villageA), w.staff(authz.RoleGridWorker, w.villageA), w.staff(authz.RoleGridWorker, w.villageB)
	w.auditor, w.townOperator = w.staff(authz.RoleAuditor, w.county), w.staff(authz.RoleOperator, w.town)
	w.organizer = w.staff(authz.RoleOrganizer, w.county)

	cfg := casework.Config{LinkSecret: strings.Repeat("k", 32), PublicURL: "https://example.org/", DailyReports: 100}
	for _, f := range change {
		f(&cfg)
	}
	w.casework, err = casework.New(casework.Parts{
		DB: db, Clock: c, Policy: policies, Ledger: w.ledger, Store: w.store, Checker: w.wechat, Locator: locator{w.villageA.ID, w.villageB.ID},
	}, cfg)
	require.NoError(t, err)
	return w
}

func (w *world) insert(row any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Exec(sql, args...).Error }))
}

func (w *world) count(sql string, args ...any) (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Raw(sql, args...).Scan(&n).Error)
	return n
}

func (w *world) region(code, level, name string, parent *model.Region) model.Region {
	now := clock.Now(w.clock)
	r := model.Region{ID: w.clock.NewID(), Code: code, Level: model.RegionLevel(level), Name: name, Version: 1, CreatedAt: now, UpdatedAt: now}
	r.Path = "/" + r.ID + "/"
	if parent != nil {
		r.ParentID = &parent.ID
		r.Path = parent.Path + r.ID + "/"
	}
	w.insert(&r)
	return r
}

func (w *world) newResident(home *model.Region) authz.Actor {
	id := w.clock.NewID()
	openID := "openid-" + id
	row := model.Resident{
		ID: id, OpenID: &openID, Nickname: "居民", VolunteerNumber: "V" + id, Status: model.ResidentActive,
		CreatedAt: clock.Now(w.clock), UpdatedAt: clock.Now(w.clock),
	}
	actor := authz.Actor{Kind: authz.KindResident, ID: id}
	if home != nil {
		row.HomeRegionID = &home.ID
		actor.RegionID, actor.RegionPath = home.ID, home.Path
	}
	w.insert(&row)
	return actor
}

func (w *world) staff(role authz.Role, over model.Region) authz.Actor {
	id := w.clock.NewID()
	now := clock.Now(w.clock)
	w.insert(&model.Staff{
		ID: id, Username: strings.ToLower(id), PasswordHash: "x", Name: string(role), RegionID: over.ID, Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
	})
	w.insert(&model.StaffGrant{ID: w.clock.NewID(), StaffID: id, Role: string(role), RegionID: &over.ID, ScopeRegionID: over.ID, GrantedBy: "test", CreatedAt: now})
	return authz.Actor{Kind: authz.KindStaff, ID: id, Grants: []authz.Grant{{Role: role, RegionID: over.ID, RegionPath: over.Path}}}
}

// key is a new idempotency key.
func (w *world) key() string {
	w.keys++
	return "key-" + strings.Repeat("x", 4) + "-" + w.clock.NewID()
}

func (w *world) input() casework.ReportInput {
	return casework.ReportInput{Category: model.CategorySanitation, Text: "楼道里堆了很多杂物", IdempotencyKey: w.key()}
}

func (w *world) report(change ...func(*casework.ReportInput)) casework.Reported {
	w.t.Helper()
	in := w.input()
	for _, f := range change {
		f(&in)
	}
	r, err := w.casework.Report(w.t.Context(), w.resident, in)
	require.NoError(w.t, err)
	return r
}

func (w *world) file(id string) (c model.CaseFile) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Where("id = ?", id).Take(&c).Error)
	return c
}

func (w *world) history(id string) (rows []model.CaseHistory) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Where("case_id = ?", id).Order("seq").Find(&rows).Error)
	return rows
}

func (w *world) upload(actor authz.Actor) casework.Picture {
	w.t.Helper()
	p, err := w.casework.Upload(w.t.Context(), actor, photo(w.t, 40, 30))
	require.NoError(w.t, err)
	return p
}

func (w *world) attachment(id string) (a model.Attachment) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Where("id = ?", id).Take(&a).Error)
	return a
}

// bring makes a case reach a status by the shortest way.
func (w *world) bring(id string, status model.CaseStatus) {
	w.t.Helper()
	ctx := w.t.Context()
	ways := map[model.CaseStatus][]func() (casework.Moved, error){}
	accept := func() (casework.Moved, error) { return w.casework.Accept(ctx, w.workerA, id, casework.MoveInput{}) }
	start := func() (casework.Moved, error) {
		return w.casework.StartHandling(ctx, w.workerA, id, casework.MoveInput{})
	}
	finish := func() (casework.Moved, error) {
		return w.casework.Finish(ctx, w.workerA, id, nil, casework.MoveInput{Note: "已清理"})
	}
	answer := func(solved bool) func() (casework.Moved, error) {
		return func() (casework.Moved, error) {
			return w.casework.Confirm(ctx, w.resident, id, casework.ConfirmInput{Solved: solved, Note: "谢谢", IdempotencyKey: w.key()})
		}
	}
	type way = []func() (casework.Moved, error)
	ways[model.CaseSubmitted] = way{}
	ways[model.CaseAccepted] = way{accept}
	ways[model.CaseDispatched] = way{accept, func() (casework.Moved, error) {
		return w.casework.Dispatch(ctx, w.workerA, id, w.worker2A.ID, casework.MoveInput{})
	}}
	ways[model.CaseHandling] = way{accept, start}
	ways[model.CaseHandled] = way{accept, start, finish}
	ways[model.CaseReopened] = way{accept, start, finish, answer(false)}
	ways[model.CaseConfirmed] = way{accept, start, finish, answer(true)}
	ways[model.CaseClosed] = way{accept, start, finish, answer(true), func() (casework.Moved, error) {
		return w.casework.Close(ctx, w.workerA, id, casework.MoveInput{})
	}}
	ways[model.CaseRejected] = way{func() (casework.Moved, error) {
		return w.casework.Reject(ctx, w.workerA, id, casework.MoveInput{Note: "不属实"})
	}}
	ways[model.CaseWithdrawn] = way{func() (casework.Moved, error) { return w.casework.Withdraw(ctx, w.resident, id, "") }}
	for _, step := range ways[status] {
		_, err := step()
		require.NoError(w.t, err)
	}
	require.Equal(w.t, status, w.file(id).Status)
}

func (w *world) wallet(resident authz.Actor) int64 {
	w.t.Helper()
	wallet, err := w.ledger.Wallet(w.t.Context(), resident.ID)
	require.NoError(w.t, err)
	return wallet.Points
}

func photo(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, width, height)), nil))
	return b.Bytes()
}
