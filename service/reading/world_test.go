package reading_test

import (
	"fmt"
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
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// world is a county with two towns, a village in the first, and a budget.
type world struct {
	t                            *testing.T
	db                           *database.DB
	clock                        *clock.Manual
	ledger                       *ledger.Service
	policy                       *policy.Service
	reading                      *reading.Service
	county, town, village, other model.Region
	operator                     authz.Actor // over the county
	budget                       model.Budget
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		test(t, w)
		w.sound()
	})
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	c := clock.NewManual(noon, 7)
	w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c)}
	w.policy = policy.New(db, c, w.ledger)
	w.reading = w.service(reading.Config{DailySignIn: true})
	w.county = w.region("330481000000", model.RegionCounty, "海宁市", nil)
	w.town = w.region("330481001000", model.RegionTown, "硖石街道", &w.county)
	w.village = w.region("330481001003", model.RegionVillage, "东山社区", &w.town)
	w.other = w.region("330481002000", model.RegionTown, "海洲街道", &w.county)
	w.operator = staff(authz.RoleOperator, w.county)
	var err error
	w.budget, err = w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
		RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100,
	})
	require.NoError(t, err)
	return w
}

// sound runs the ledger's audit and this service's.
func (w *world) sound() {
	w.t.Helper()
	ledgertest.RequireSound(w.t, w.db)
	differences, err := w.reading.Audit(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, differences)
}

func (w *world) service(cfg reading.Config) *reading.Service {
	w.t.Helper()
	s, err := reading.New(w.db, w.clock, w.ledger, w.policy, cfg)
	require.NoError(w.t, err)
	return s
}

func staff(role authz.Role, r model.Region) authz.Actor {
	return authz.Actor{Kind: authz.KindStaff, ID: string(role), Grants: []authz.Grant{{Role: role, RegionID: r.ID, RegionPath: r.Path}}}
}

func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Exec(statement, args...).Error }))
}

func (w *world) insert(row any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
}

func (w *world) count(query string, args ...any) int64 {
	w.t.Helper()
	var n int64
	require.NoError(w.t, w.db.Read(w.t.Context()).Raw(query, args...).Scan(&n).Error)
	return n
}

func (w *world) region(code string, level model.RegionLevel, name string, parent *model.Region) model.Region {
	w.t.Helper()
	now := clock.Now(w.clock)
	r := model.Region{ID: w.clock.NewID(), Code: code, Level: level, Name: name, Version: 1, CreatedAt: now, UpdatedAt: now}
	r.Path = "/" + r.ID + "/"
	if parent != nil {
		r.ParentID, r.Path = &parent.ID, parent.Path+r.ID+"/"
	}
	w.insert(&r)
	return r
}

// media is a file that was uploaded.
func (w *world) media(kind model.MediaKind) string {
	w.t.Helper()
	now := clock.Now(w.clock)
	row := model.Media{
		ID: blob.NewKey(), Kind: kind, ContentType: "image/jpeg", SizeBytes: 1, SHA256: "-", CreatedBy: "operator",
		Day: now.Day(), CreatedAt: now, StoredAt: &now,
	}
	w.insert(&row)
	return row.ID
}

// resident lives in home, nowhere if it is nil.
func (w *world) resident(home *model.Region) authz.Actor {
	w.t.Helper()
	now, id := clock.Now(w.clock), w.clock.NewID()
	row := model.Resident{ID: id, VolunteerNumber: "V" + id, Status: model.ResidentActive, CreatedAt: now, UpdatedAt: now}
	actor := authz.Actor{Kind: authz.KindResident, ID: id}
	if home != nil {
		row.HomeRegionID = &home.ID
		actor.RegionID, actor.RegionPath = home.ID, home.Path
	}
	w.insert(&row)
	return actor
}

func (w *world) rule(kind model.EventKind, change func(*policy.RuleInput)) {
	w.t.Helper()
	in := policy.RuleInput{
		RegionID: w.county.ID, EventKind: kind, BudgetID: w.budget.ID, Points: 2, MaxPoints: 10,
		DailyCap: 3, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	}
	if change != nil {
		change(&in)
	}
	_, err := w.policy.PublishRule(w.t.Context(), w.operator, in)
	require.NoError(w.t, err)
}

func text(title string) reading.ArticleInput {
	return reading.ArticleInput{Title: title, Summary: "摘要", Body: "正文\n第二段", Source: "县融媒体中心", MinSeconds: 60}
}

func (w *world) draft(region model.Region, title string) reading.StaffArticle {
	w.t.Helper()
	a, err := w.reading.Create(w.t.Context(), w.operator, region.ID, text(title))
	require.NoError(w.t, err)
	return a
}

func (w *world) publish(region model.Region, title string) reading.StaffArticle {
	w.t.Helper()
	a, err := w.reading.Publish(w.t.Context(), w.operator, changeOf(w.draft(region, title)))
	require.NoError(w.t, err)
	return a
}

func changeOf(a reading.StaffArticle) reading.Change {
	return reading.Change{ArticleID: a.ID, Version: a.Version, Reason: "测试"}
}

func (w *world) start(actor authz.Actor, a reading.StaffArticle) reading.Session {
	w.t.Helper()
	s, err := w.reading.Start(w.t.Context(), actor, a.ID)
	require.NoError(w.t, err)
	return s
}

func (w *world) beat(actor authz.Actor, id string) reading.Session {
	w.t.Helper()
	s, err := w.reading.Beat(w.t.Context(), actor, id)
	require.NoError(w.t, err)
	return s
}

// read lets time pass with a beat every five seconds.
func (w *world) read(actor authz.Actor, id string, seconds int) {
	w.t.Helper()
	for passed := 0; passed < seconds; passed += 5 {
		w.clock.Advance(5 * time.Second)
		w.beat(actor, id)
	}
}

// finish reads an article from start to completion.
func (w *world) finish(actor authz.Actor, a reading.StaffArticle) reading.Completion {
	w.t.Helper()
	s := w.start(actor, a)
	w.read(actor, s.ID, int(s.MinSeconds))
	c, err := w.reading.Complete(w.t.Context(), actor, s.ID)
	require.NoError(w.t, err)
	return c
}

func (w *world) points(actor authz.Actor) int64 {
	w.t.Helper()
	wallet, err := w.ledger.Wallet(w.t.Context(), actor.ID)
	require.NoError(w.t, err)
	return wallet.Available
}

// requireFault asserts an error's code and kind.
func requireFault(t *testing.T, err error, want *fault.Error) {
	t.Helper()
	require.ErrorIs(t, err, want)
	require.Equal(t, want.Kind, fault.KindOf(err))
	require.NotEmpty(t, fault.As(err).Message)
}

// requireField asserts that the error names a faulty field.
func requireField(t *testing.T, err error, path string) {
	t.Helper()
	f := fault.As(err)
	require.NotNil(t, f, fmt.Sprint(err))
	require.Equal(t, "reading.invalid", f.Code)
	require.Equal(t, fault.Invalid, f.Kind)
	require.NotEmpty(t, f.Fields)
	require.Equal(t, path, f.Fields[0].Path)
}
