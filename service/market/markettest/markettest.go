// Package markettest gives the tests of the surfaces, and of the services
// above the market, a county with one merchant that sells one benefit.
package markettest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/market"
)

// Start is when the clock of a County stands at first: noon in Shanghai.
var Start = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

// County is the fixture. It is an httpapi.Authenticator: the access token of
// each of its people is the id.
type County struct {
	t  testing.TB
	db *database.DB

	Clock  *clock.Manual
	Ledger *ledger.Service
	Market *market.Service

	Region   model.Region // the county
	Village  model.Region // where residents live
	Operator authz.Actor  // over the county
	Owner    authz.Actor
	Clerk    authz.Actor
	Merchant market.Merchant
	Store    market.Store
	Benefit  market.Benefit // 5 points and 30 yuan, three each, stock of 100

	actors map[string]authz.Actor
	budget string
	n      int
}

// New fills an empty database.
func New(t testing.TB, db *database.DB) *County {
	t.Helper()
	ctx := t.Context()
	c := clock.NewManual(Start, 11)
	w := &County{t: t, db: db, Clock: c, Ledger: ledger.New(db, c), actors: map[string]authz.Actor{}, budget: c.NewID()}
	var err error
	w.Market, err = market.New(db, c, w.Ledger, market.Config{CodeKey: "a key for tests, of thirty-two bytes or more"})
	require.NoError(t, err)
	w.Region = w.region(nil, model.RegionCounty)
	w.Village = w.region(&w.Region, model.RegionTown)
	w.Village = w.region(&w.Village, model.RegionVillage)
	w.in(func(tx *gorm.DB) error {
		return w.Ledger.OpenBudgetsTx(ctx, tx, []ledger.Budget{{ID: w.budget, LimitPoints: 1_000_000}})
	})
	w.Operator = w.Staff(authz.Grant{Role: authz.RoleOperator, RegionID: w.Region.ID, RegionPath: w.Region.Path})
	w.Merchant, err = w.Market.CreateMerchant(ctx, w.Operator, market.MerchantInput{RegionID: w.Region.ID, Name: "影院", Category: "cinema"})
	require.NoError(t, err)
	w.Merchant, err = w.Market.MoveMerchant(ctx, w.Operator, w.Merchant.ID, model.MerchantActive, "")
	require.NoError(t, err)
	w.Owner = w.Staff(authz.Grant{Role: authz.RoleOwner, MerchantID: w.Merchant.ID})
	w.Clerk = w.Staff(authz.Grant{Role: authz.RoleClerk, MerchantID: w.Merchant.ID})
	w.Store, err = w.Market.CreateStore(ctx, w.Owner, w.Merchant.ID, market.StoreInput{Name: "一店", Address: "人民路 1 号"})
	require.NoError(t, err)
	w.publish(ctx)
	return w
}

func (w *County) publish(ctx context.Context) {
	days, now := int64(7), clock.Now(w.Clock)
	b, err := w.Market.CreateBenefit(ctx, w.Owner, w.Merchant.ID, market.BenefitInput{
		RegionID: w.Region.ID, Title: "电影票", Category: "cinema", PointsPrice: 5, CashPriceFen: 3000, OriginalPriceFen: 6000,
		PerPersonLimit: 3, RedeemDays: &days, ValidFrom: now, ValidUntil: now.Add(90 * 24 * time.Hour),
	})
	require.NoError(w.t, err)
	_, err = w.Market.MoveBenefit(ctx, w.Owner, b.ID, market.BenefitSubmit, "")
	require.NoError(w.t, err)
	w.Benefit, err = w.Market.MoveBenefit(ctx, w.Operator, b.ID, market.BenefitApprove, "")
	require.NoError(w.t, err)
	_, err = w.Market.AddRelease(ctx, w.Owner, b.ID, market.ReleaseInput{StartsAt: now, EndsAt: b.ValidUntil, Total: 100, IdempotencyKey: w.Key()})
	require.NoError(w.t, err)
}

func (w *County) in(fn func(tx *gorm.DB) error) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, fn))
}

func (w *County) region(parent *model.Region, level model.RegionLevel) model.Region {
	now := clock.Now(w.Clock)
	r := model.Region{ID: w.Clock.NewID(), Level: level, Name: string(level), Version: 1, CreatedAt: now, UpdatedAt: now}
	r.Code, r.Path = r.ID, "/"+r.ID+"/"
	if parent != nil {
		r.ParentID, r.Path = &parent.ID, parent.Path+r.ID+"/"
	}
	w.in(func(tx *gorm.DB) error { return tx.Create(&r).Error })
	return r
}

// Key returns a new idempotency key.
func (w *County) Key() string {
	w.n++
	return fmt.Sprintf("test-key-%06d", w.n)
}

// Staff adds a staff member with the grants.
func (w *County) Staff(grants ...authz.Grant) authz.Actor {
	w.t.Helper()
	w.n++
	now := clock.Now(w.Clock)
	row := model.Staff{
		ID: w.Clock.NewID(), Username: fmt.Sprintf("staff%d", w.n), PasswordHash: "-", Name: fmt.Sprintf("员工%d", w.n), RegionID: w.Region.ID,
		Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
	}
	w.in(func(tx *gorm.DB) error { return tx.Create(&row).Error })
	a := authz.Actor{Kind: authz.KindStaff, ID: row.ID, Grants: grants}
	w.actors[a.ID] = a
	return a
}

// Resident adds a resident of the village with points (0: none).
func (w *County) Resident(points int64) authz.Actor {
	w.t.Helper()
	w.n++
	now := clock.Now(w.Clock)
	row := model.Resident{
		ID: w.Clock.NewID(), VolunteerNumber: fmt.Sprintf("V%08d", w.n), HomeRegionID: &w.Village.ID, Status: model.ResidentActive,
		CreatedAt: now, UpdatedAt: now,
	}
	w.in(func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil || points == 0 {
			return err
		}
		out, err := w.Ledger.EarnTx(w.t.Context(), tx, []ledger.Earn{{
			Event:    ledger.Event{SourceType: "test", SourceID: row.ID, ActorID: "test"},
			BudgetID: w.budget, ResidentID: row.ID, Amount: points, ExpiresOn: "2027-12-31",
		}})
		if err == nil {
			err = out[0].Err
		}
		return err
	})
	a := authz.Actor{Kind: authz.KindResident, ID: row.ID, RegionID: w.Village.ID, RegionPath: w.Village.Path}
	w.actors[a.ID] = a
	return a
}

// Authenticate implements httpapi.Authenticator.
func (w *County) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	a, ok := w.actors[token]
	if !ok {
		return a, authz.ErrAnonymous
	}
	return a, nil
}

// RequireSound fails the test if an audit finds a difference.
func (w *County) RequireSound() {
	w.t.Helper()
	ledgertest.RequireSound(w.t, w.db)
	differences, err := w.Market.Audit(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, differences)
}
