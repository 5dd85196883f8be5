package recourse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/recourse"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// world is a county with two towns, operators at every level and a budget.
type world struct {
	t        *testing.T
	db       *database.DB
	clock    *clock.Manual
	ledger   *ledger.Service
	policy   *policy.Service
	recourse *recourse.Service

	county, east, west          model.Region
	root, second, eastOp, west1 authz.Actor // operators of the county (two), of the towns
	wang                        authz.Actor // a resident of the east
	budget                      model.Budget
	n                           int
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := clock.NewManual(noon, 3)
		w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c)}
		w.policy = policy.New(db, c, w.ledger)
		w.recourse = recourse.New(db, c, w.ledger, w.policy, recourse.Config{DailyAdjustmentPoints: 100})
		w.county = w.region("330481", model.RegionCounty, nil)
		w.east = w.region("330481001", model.RegionTown, &w.county)
		w.west = w.region("330481002", model.RegionTown, &w.county)
		w.root, w.second = w.operator("王主任", w.county), w.operator("李主任", w.county)
		w.eastOp, w.west1 = w.operator("赵运营", w.east), w.operator("钱运营", w.west)
		w.wang = w.resident(w.east)
		var err error
		w.budget, err = w.policy.CreateBudget(t.Context(), w.root, policy.BudgetInput{
			RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 1000,
		})
		require.NoError(t, err)
		_, err = w.policy.PublishRule(t.Context(), w.root, policy.RuleInput{
			RegionID: w.county.ID, EventKind: model.EventArticleRead, BudgetID: w.budget.ID, Points: 5, MaxPoints: 5,
			DailyCap: 100, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
		})
		require.NoError(t, err)
		test(t, w)
		ledgertest.RequireSound(t, db)
	})
}

func (w *world) insert(row any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
}

func (w *world) region(code string, level model.RegionLevel, parent *model.Region) model.Region {
	now := clock.Now(w.clock)
	r := model.Region{ID: w.clock.NewID(), Code: code, Level: level, Name: code, Version: 1, CreatedAt: now, UpdatedAt: now}
	r.Path = "/" + r.ID + "/"
	if parent != nil {
		r.ParentID, r.Path = &parent.ID, parent.Path+r.ID+"/"
	}
	w.insert(&r)
	return r
}

func (w *world) operator(name string, r model.Region) authz.Actor {
	w.n++
	now := clock.Now(w.clock)
	row := model.Staff{
		ID: w.clock.NewID(), Username: fmt.Sprintf("op%d", w.n), PasswordHash: "-", Name: name, RegionID: r.ID,
		Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
	}
	w.insert(&row)
	return authz.Actor{Kind: authz.KindStaff, ID: row.ID, Grants: []authz.Grant{
		{Role: authz.RoleOperator, RegionID: r.ID, RegionPath: r.Path},
	}}
}

func (w *world) resident(home model.Region) authz.Actor {
	id, now := w.clock.NewID(), clock.Now(w.clock)
	w.insert(&model.Resident{
		ID: id, VolunteerNumber: "V" + id, HomeRegionID: &home.ID, Status: model.ResidentActive, CreatedAt: now, UpdatedAt: now,
	})
	return authz.Actor{Kind: authz.KindResident, ID: id, RegionID: home.ID, RegionPath: home.Path}
}

// earn lets somebody read an article and returns the entry.
func (w *world) earn(who authz.Actor) ledger.Entry {
	w.t.Helper()
	article := w.article()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error {
		_, err := w.policy.AwardTx(w.t.Context(), tx, []policy.Event{{
			Kind: model.EventArticleRead, ID: article + ":" + who.ID, ResidentID: who.ID, ObjectID: article, ActorID: who.ID,
			Evidence: fmt.Sprintf(`{"article_id":%q,"seconds":61,"min_seconds":60}`, article), OccurredAt: clock.Now(w.clock),
		}})
		return err
	}))
	return w.newest(who)
}

func (w *world) article() string {
	w.n++
	now := clock.Now(w.clock)
	row := model.Article{
		ID: w.clock.NewID(), RegionID: w.county.ID, Title: fmt.Sprintf("第 %d 期", w.n), Body: "正文", MinSeconds: 60, Status: model.ArticlePublished,
		Version: 1, PublishedAt: &now, CreatedBy: w.root.ID, CreatedAt: now, UpdatedAt: now,
	}
	w.insert(&row)
	return row.ID
}

func (w *world) newest(who authz.Actor) ledger.Entry {
	w.t.Helper()
	page, err := w.ledger.Entries(w.t.Context(), ledger.WalletOf(who.ID), ledger.EntryFilter{}, pageOf(1))
	require.NoError(w.t, err)
	require.NotEmpty(w.t, page.Items)
	return page.Items[0]
}

func (w *world) points(who authz.Actor) int64 {
	w.t.Helper()
	got, err := w.ledger.Wallet(w.t.Context(), who.ID)
	require.NoError(w.t, err)
	return got.Points
}

func (w *world) key() string {
	w.n++
	return fmt.Sprintf("test-key-%06d", w.n)
}

func (w *world) count(query string, args ...any) (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(w.t.Context()).Raw(query, args...).Scan(&n).Error)
	return n
}

func (w *world) credit(points int64) recourse.AdjustmentInput {
	return recourse.AdjustmentInput{
		Kind: model.AdjustmentCredit, ResidentID: w.wang.ID, Amount: points, BudgetID: w.budget.ID,
		ReasonCode: model.ReasonMissedAward, IdempotencyKey: w.key(),
	}
}

func (w *world) propose(actor authz.Actor, in recourse.AdjustmentInput) recourse.Adjustment {
	w.t.Helper()
	a, err := w.recourse.Propose(w.t.Context(), actor, in)
	require.NoError(w.t, err)
	return a
}

func (w *world) approve(actor authz.Actor, id string) (recourse.Adjustment, error) {
	return w.recourse.Approve(w.t.Context(), actor, recourse.Decision{AdjustmentID: id, IdempotencyKey: w.key()})
}
