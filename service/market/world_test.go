package market

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai, the start of a step

const testKey = "a key of thirty-two bytes or more"

// world is a county with two towns, a merchant with two stores in the first
// town and another merchant with one.
type world struct {
	t      testing.TB
	db     *database.DB
	clock  *clock.Manual
	ledger *ledger.Service
	market *Service
	budget string

	county, town, village, otherTown model.Region

	operator, otherOperator, auditor, owner, clerk, otherOwner, otherClerk authz.Actor
	merchant, otherMerchant                                                Merchant
	store, store2, otherStore                                              Store

	mu sync.Mutex
	n  int
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		test(t, w)
		w.sound()
	})
}

func newWorld(t testing.TB, db *database.DB) *world {
	c := clock.NewManual(noon, 7)
	w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c)}
	var err error
	w.market, err = New(db, c, w.ledger, Config{CodeKey: testKey})
	require.NoError(t, err)
	w.county = w.region(nil, model.RegionCounty, "县")
	w.town = w.region(&w.county, model.RegionTown, "甲镇")
	w.village = w.region(&w.town, model.RegionVillage, "甲村")
	w.otherTown = w.region(&w.county, model.RegionTown, "乙镇")
	w.budget = c.NewID()
	w.in(func(tx *gorm.DB) error {
		return w.ledger.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: w.budget, LimitPoints: 1_000_000_000}})
	})
	at := func(r model.Region, role authz.Role) authz.Actor {
		return w.staff(authz.Grant{Role: role, RegionID: r.ID, RegionPath: r.Path})
	}
	w.operator, w.otherOperator, w.auditor = at(w.county, authz.RoleOperator), at(w.otherTown, authz.RoleOperator), at(w.county, authz.RoleAuditor)
	w.merchant, w.owner, w.clerk = w.newMerchant("影院")
	w.otherMerchant, w.otherOwner, w.otherClerk = w.newMerchant("饭店")
	w.store, w.store2, w.otherStore = w.newStore(w.merchant, "一店"), w.newStore(w.merchant, "二店"), w.newStore(w.otherMerchant, "一店")
	return w
}

func (w *world) in(fn func(tx *gorm.DB) error) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(context.Background(), w.db, fn))
}

func (w *world) next() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return w.n
}

func (w *world) key() string { return fmt.Sprintf("key-%08d", w.next()) }

func (w *world) now() clock.Instant { return clock.Now(w.clock) }

func (w *world) region(parent *model.Region, level model.RegionLevel, name string) model.Region {
	r := model.Region{ID: w.clock.NewID(), Level: level, Name: name, Version: 1, CreatedAt: w.now(), UpdatedAt: w.now()}
	r.Code, r.Path = r.ID, "/"+r.ID+"/"
	if parent != nil {
		r.ParentID, r.Path = &parent.ID, parent.Path+r.ID+"/"
	}
	w.in(func(tx *gorm.DB) error { return tx.Create(&r).Error })
	return r
}

func (w *world) staff(grants ...authz.Grant) authz.Actor {
	n := w.next()
	row := model.Staff{
		ID: w.clock.NewID(), Username: fmt.Sprintf("staff%d", n), PasswordHash: "-", Name: fmt.Sprintf("员工%d", n),
		RegionID: w.county.ID, Status: model.StaffActive, CreatedAt: w.now(), UpdatedAt: w.now(),
	}
	w.in(func(tx *gorm.DB) error { return tx.Create(&row).Error })
	return authz.Actor{Kind: authz.KindStaff, ID: row.ID, Grants: grants}
}

func (w *world) newMerchant(name string) (m Merchant, owner, clerk authz.Actor) {
	w.t.Helper()
	ctx := context.Background()
	m, err := w.market.CreateMerchant(ctx, w.operator, MerchantInput{RegionID: w.town.ID, Name: name, Category: "cinema", ContactPhone: "0571-12345678"})
	require.NoError(w.t, err)
	m, err = w.market.MoveMerchant(ctx, w.operator, m.ID, model.MerchantActive, "")
	require.NoError(w.t, err)
	return m, w.staff(authz.Grant{Role: authz.RoleOwner, MerchantID: m.ID}), w.staff(authz.Grant{Role: authz.RoleClerk, MerchantID: m.ID})
}

func (w *world) newStore(m Merchant, name string) Store {
	w.t.Helper()
	st, err := w.market.CreateStore(context.Background(), w.operator, m.ID, StoreInput{Name: name, Address: "人民路 1 号"})
	require.NoError(w.t, err)
	return st
}

// residents makes n residents of a region, each with points to spend.
func (w *world) residents(n int, home model.Region, points int64) []authz.Actor {
	w.t.Helper()
	purses := make([]int64, n)
	for i := range purses {
		purses[i] = points
	}
	return w.purses(home, purses)
}

// purses makes residents of a region who have so many points each.
func (w *world) purses(home model.Region, points []int64) []authz.Actor {
	w.t.Helper()
	rows, actors := make([]model.Resident, len(points)), make([]authz.Actor, len(points))
	var earns []ledger.Earn
	for i := range points {
		rows[i] = model.Resident{
			ID: w.clock.NewID(), VolunteerNumber: fmt.Sprintf("V%08d", w.next()), HomeRegionID: &home.ID,
			Status: model.ResidentActive, CreatedAt: w.now(), UpdatedAt: w.now(),
		}
		actors[i] = authz.Actor{Kind: authz.KindResident, ID: rows[i].ID, RegionID: home.ID, RegionPath: home.Path}
		if points[i] == 0 {
			continue
		}
		earns = append(earns, ledger.Earn{
			Event:    ledger.Event{SourceType: "test", SourceID: fmt.Sprint(w.next()), ActorID: "tester"},
			BudgetID: w.budget, ResidentID: rows[i].ID, Amount: points[i], ExpiresOn: "2027-12-31",
		})
	}
	w.in(func(tx *gorm.DB) error {
		if err := tx.Create(&rows).Error; err != nil {
			return err
		}
		outcomes, err := w.ledger.EarnTx(context.Background(), tx, earns)
		for _, o := range outcomes {
			require.NoError(w.t, o.Err)
		}
		return err
	})
	return actors
}

func (w *world) resident(points int64) authz.Actor { return w.residents(1, w.village, points)[0] }

// terms of a benefit that tests start from: a cinema ticket of 60 yuan for 5
// points and 30 yuan, for the whole county, one each.
func (w *world) terms() BenefitInput {
	days := int64(7)
	return BenefitInput{
		RegionID: w.county.ID, Title: "电影票", Category: "cinema", PointsPrice: 5, CashPriceFen: 3000, OriginalPriceFen: 6000,
		PerPersonLimit: 1, RedeemDays: &days, ValidFrom: w.now().Add(-time.Hour), ValidUntil: w.now().Add(30 * 24 * time.Hour),
	}
}

// publish makes a published benefit with stock that is open now.
func (w *world) publish(in BenefitInput, stock int64) Benefit {
	w.t.Helper()
	ctx := context.Background()
	b, err := w.market.CreateBenefit(ctx, w.owner, w.merchant.ID, in)
	require.NoError(w.t, err)
	_, err = w.market.MoveBenefit(ctx, w.owner, b.ID, BenefitSubmit, "")
	require.NoError(w.t, err)
	b, err = w.market.MoveBenefit(ctx, w.operator, b.ID, BenefitApprove, "")
	require.NoError(w.t, err)
	if stock > 0 {
		w.release(b, in.ValidFrom, in.ValidUntil, stock)
	}
	return b
}

// offer writes published benefits with open stock straight into the tables:
// for tests that need many.
func (w *world) offer(stocks []int64, terms []BenefitInput) []Benefit {
	w.t.Helper()
	var (
		rows     []Benefit
		releases []model.BenefitRelease
		counts   []model.BenefitStock
	)
	for i, in := range terms {
		b, err := in.row()
		require.NoError(w.t, err)
		now := w.now()
		b.ID, b.MerchantID, b.Status, b.PublishedAt, b.Version = w.clock.NewID(), w.merchant.ID, model.BenefitPublished, &now, 1
		rows = append(rows, b)
		if stocks[i] > 0 {
			r := model.BenefitRelease{ID: w.clock.NewID(), BenefitID: b.ID, StartsAt: b.ValidFrom, EndsAt: b.ValidUntil, IdempotencyKey: "first", InputHash: "-"}
			releases = append(releases, r)
			counts = append(counts, model.BenefitStock{ReleaseID: r.ID, Total: stocks[i], Remaining: stocks[i], Version: 1})
		}
	}
	w.in(func(tx *gorm.DB) error {
		return errors.Join(create(tx, rows), create(tx, releases), create(tx, counts))
	})
	return rows
}

func (w *world) release(b Benefit, from, to clock.Instant, stock int64) Release {
	w.t.Helper()
	r, err := w.market.AddRelease(context.Background(), w.owner, b.ID, ReleaseInput{StartsAt: from, EndsAt: to, Total: stock, IdempotencyKey: w.key()})
	require.NoError(w.t, err)
	return r
}

func (w *world) order(who authz.Actor, b Benefit) Placed {
	w.t.Helper()
	o, err := w.market.Order(context.Background(), who, OrderInput{BenefitID: b.ID, IdempotencyKey: w.key()})
	require.NoError(w.t, err)
	return o
}

func (w *world) code(who authz.Actor, o Placed) Code {
	w.t.Helper()
	c, err := w.market.Code(context.Background(), who, o.OrderID)
	require.NoError(w.t, err)
	return c
}

func (w *world) scan(code string) RedeemInput {
	return RedeemInput{Scan: Scan{Code: code, StoreID: w.store.ID}, IdempotencyKey: w.key()}
}

func (w *world) redeem(who authz.Actor, o Placed) Redeemed {
	w.t.Helper()
	r, err := w.market.Redeem(context.Background(), w.clerk, w.scan(w.code(who, o).Code))
	require.NoError(w.t, err)
	return r
}

func (w *world) wallet(who authz.Actor) ledger.Wallet {
	w.t.Helper()
	x, err := w.ledger.Wallet(context.Background(), who.ID)
	require.NoError(w.t, err)
	return x
}

func (w *world) row(id string) Order {
	w.t.Helper()
	o, err := take[Order](w.db.Read(context.Background()).Where("id = ?", id), ErrOrderMissing)
	require.NoError(w.t, err)
	return o
}

func (w *world) stock(b Benefit) (sold, remaining int64) {
	w.t.Helper()
	var x struct{ Sold, Remaining int64 }
	require.NoError(w.t, w.db.Read(context.Background()).Raw(`SELECT SUM(s.sold) AS sold, SUM(s.remaining) AS remaining FROM benefit_stock s
		JOIN benefit_release r ON r.id = s.release_id WHERE r.benefit_id = ?`, b.ID).Scan(&x).Error)
	return x.Sold, x.Remaining
}

// marketTables are what a refused request must not change.
var marketTables = []string{
	"benefit", "benefit_history", "benefit_release", "benefit_stock", "benefit_order", "order_history", "redemption", "redemption_reversal",
	"merchant", "merchant_store", "merchant_history", "benefit_store",
	"journal", "transfer", "hold", "hold_lot", "lot", "lot_entry", "account_balance",
}

// dump is the whole content of those tables as text.
func (w *world) dump() string {
	w.t.Helper()
	var out string
	for _, table := range marketTables {
		var rows []map[string]any
		require.NoError(w.t, w.db.Read(context.Background()).Raw("SELECT * FROM "+table).Scan(&rows).Error)
		lines := make(map[string]bool, len(rows))
		for _, r := range rows {
			lines[fmt.Sprint(r)] = true
		}
		out += table + fmt.Sprint(sortedKeys(lines)) + "\n"
	}
	return out
}

// refuses requires that do fails with the error, of the kind, and changes
// nothing.
func (w *world) refuses(t testing.TB, want *fault.Error, kind fault.Kind, do func() error) {
	t.Helper()
	before := w.dump()
	err := do()
	require.ErrorIs(t, err, want)
	require.Equal(t, kind, fault.KindOf(err))
	require.Equal(t, before, w.dump(), "a refused request changed something")
}

func (w *world) sound() {
	w.t.Helper()
	ledgertest.RequireSound(w.t, w.db)
	differences, err := w.market.Audit(context.Background())
	require.NoError(w.t, err)
	require.Empty(w.t, differences)
}

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	done.Add(n)
	for i := range n {
		go func() {
			defer done.Done()
			ready.Done()
			ready.Wait()
			fn(i)
		}()
	}
	done.Wait()
}
