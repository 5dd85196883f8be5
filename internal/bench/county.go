package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"jiamenkou/internal/app"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
)

const (
	hotClients = 64 // the most clients
	towns      = 16 // each with a budget of its own; town 0 has the hot one
	benefits   = 64 // each sold by one of as many merchants
	price      = 1
)

// someone is a resident and how to call as that person.
type someone struct {
	actor authz.Actor
	token string
}

// county is what is measured on.
type county struct {
	operator  authz.Actor
	buyers    []someone // have points
	oneTown   []someone // will earn from one budget
	unseen    []someone // will too, in process: they never log in
	manyTowns []someone // will earn from one of many budgets
	benefits  []string
	owners    []authz.Actor
	regions   map[string]model.Region // by code
}

// found makes the county through the services.
func found(ctx context.Context, a *app.App, db *database.DB) (*county, error) {
	if _, err := db.WriteSQL().ExecContext(ctx, "INSERT INTO demo_load (id, started_at, finished_at) VALUES (1, 1, 1)"); err != nil {
		return nil, err
	}
	regions, err := foundRegions(ctx, a, db)
	if err != nil {
		return nil, err
	}
	root := regions["330481000000"]
	ids, err := a.Identity.CreateStaff(ctx, authz.System("bench"), []identity.NewStaff{{
		Username: "operator", Password: "correct horse battery", Name: "测试员",
		Grants: []identity.NewGrant{{Role: authz.RoleOperator, RegionID: root.ID}},
	}})
	if err != nil {
		return nil, err
	}
	c := &county{operator: authz.Actor{Kind: authz.KindStaff, ID: ids[0], Grants: []authz.Grant{
		{Role: authz.RoleOperator, RegionID: root.ID, RegionPath: root.Path},
	}}}
	for t := range towns + 1 {
		if err := c.fund(ctx, a, regions[townCode(t)]); err != nil {
			return nil, fmt.Errorf("fund: %w", err)
		}
	}
	for i := range benefits {
		if err := c.shop(ctx, a, root, regions[townCode(0)], i); err != nil {
			return nil, fmt.Errorf("shop: %w", err)
		}
	}
	c.regions = regions
	return c, nil
}

func townCode(t int) string    { return fmt.Sprintf("330481%03d000", t+1) }
func villageCode(t int) string { return fmt.Sprintf("330481%03d001", t+1) }

func foundRegions(ctx context.Context, a *app.App, db *database.DB) (map[string]model.Region, error) {
	var csv strings.Builder
	csv.WriteString("code,parent_code,level,name\n330481000000,,county,海宁市\n")
	for t := range towns + 1 {
		fmt.Fprintf(&csv, "%s,330481000000,town,街道%d\n", townCode(t), t)
		fmt.Fprintf(&csv, "%s,%s,village,社区%d\n", villageCode(t), townCode(t), t)
	}
	if _, err := a.Region.Import(ctx, authz.System("bench"), strings.NewReader(csv.String())); err != nil {
		return nil, err
	}
	var rows []model.Region
	if err := db.Read(ctx).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := map[string]model.Region{}
	for _, r := range rows {
		out[r.Code] = r
	}
	return out, nil
}

// fund gives a town its budget and a rule that pays a sign-in from it.
func (c *county) fund(ctx context.Context, a *app.App, town model.Region) error {
	today := clock.Today(clock.NewSystem())
	budget, err := a.Policy.CreateBudget(ctx, c.operator, policy.BudgetInput{
		RegionID: town.ID, Name: "积分预算", StartsOn: today.AddDays(-60), EndsOn: today.AddDays(300), LimitPoints: 1_000_000_000,
	})
	if err != nil {
		return err
	}
	_, err = a.Policy.PublishRule(ctx, c.operator, policy.RuleInput{
		RegionID: town.ID, BudgetID: budget.ID, EventKind: model.EventDailySignIn, Points: 100, MaxPoints: 100,
		DailyCap: 1, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear, Note: "每日签到",
	})
	return err
}

// shop publishes a benefit of a merchant of its own.
func (c *county) shop(ctx context.Context, a *app.App, root, town model.Region, i int) error {
	m, err := a.Market.CreateMerchant(ctx, c.operator, market.MerchantInput{RegionID: town.ID, Name: fmt.Sprintf("影院%d", i), Category: "cinema"})
	if err != nil {
		return err
	}
	if _, err := a.Market.MoveMerchant(ctx, c.operator, m.ID, model.MerchantActive, "签约"); err != nil {
		return err
	}
	if _, err := a.Market.CreateStore(ctx, c.operator, m.ID, market.StoreInput{Name: "一号店", Address: "工人路 1 号"}); err != nil {
		return err
	}
	ids, err := a.Identity.CreateStaff(ctx, authz.System("bench"), []identity.NewStaff{{
		Username: fmt.Sprintf("owner%d", i), Password: "correct horse battery", Name: "老板",
		Grants: []identity.NewGrant{{Role: authz.RoleOwner, MerchantID: m.ID, MerchantRegionID: town.ID}},
	}})
	if err != nil {
		return err
	}
	owner := authz.Actor{Kind: authz.KindStaff, ID: ids[0], Grants: []authz.Grant{{Role: authz.RoleOwner, MerchantID: m.ID}}}
	stock := int64(1_000_000)
	if i < repeats {
		stock = tickets // these sell out
	}
	id, err := c.publish(ctx, a, owner, m.ID, root.ID, stock)
	c.benefits, c.owners = append(c.benefits, id), append(c.owners, owner)
	return err
}

func (c *county) publish(ctx context.Context, a *app.App, owner authz.Actor, merchantID, regionID string, stock int64) (string, error) {
	now, days := clock.Now(clock.NewSystem()), int64(14)
	b, err := a.Market.CreateBenefit(ctx, owner, merchantID, market.BenefitInput{
		RegionID: regionID, Title: "2D 电影票", Description: "任意场次", Category: "cinema", PointsPrice: price, CashPriceFen: 3000,
		OriginalPriceFen: 6000, PerPersonLimit: 100, RedeemDays: &days, ValidFrom: now, ValidUntil: now.Add(365 * 24 * time.Hour),
	})
	if err != nil {
		return "", err
	}
	if _, err := a.Market.MoveBenefit(ctx, owner, b.ID, market.BenefitSubmit, ""); err != nil {
		return "", err
	}
	if _, err := a.Market.MoveBenefit(ctx, c.operator, b.ID, market.BenefitApprove, ""); err != nil {
		return "", err
	}
	_, err = a.Market.AddRelease(ctx, owner, b.ID, market.ReleaseInput{
		StartsAt: now, EndsAt: now.Add(300 * 24 * time.Hour), Total: stock, IdempotencyKey: clock.NewSystem().NewID(),
	})
	return b.ID, err
}

// people registers everybody whom a run needs and logs them in.
func (c *county) people(ctx context.Context, a *app.App) (err error) {
	perRound := hotClients * rounds()
	first := func(int) model.Region { return c.regions[villageCode(0)] }
	if c.buyers, err = register(ctx, a, "b", perRound, first); err != nil {
		return err
	}
	_, err = together(hotClients, len(c.buyers), func(_, i int) (bool, error) {
		_, err := a.Reading.SignIn(ctx, c.buyers[i].actor)
		return true, err
	})
	if err != nil {
		return err
	}
	// Each can sign in once a day. Beside the floor there are repeats rounds over
	// HTTP and as many in process; hot and spread take those of 64 clients, of 16
	// and of 1 (200 at the least).
	compared := repeats * (perRound + max(200, 16*rounds()) + 200)
	if c.oneTown, err = register(ctx, a, "o", repeats*perRound+compared, first); err != nil {
		return err
	}
	if c.unseen, err = enrol(ctx, a, "u", repeats*perRound, first); err != nil {
		return err
	}
	c.manyTowns, err = register(ctx, a, "m", compared, func(i int) model.Region { return c.regions[villageCode(1+i%towns)] })
	return err
}

// enrol makes residents.
func enrol(ctx context.Context, a *app.App, prefix string, n int, home func(i int) model.Region) ([]someone, error) {
	const atOnce = 1000
	out := make([]someone, n)
	for first := 0; first < n; first += atOnce {
		in := make([]identity.NewResident, min(atOnce, n-first))
		for i := range in {
			in[i] = identity.NewResident{
				OpenID: a.SimulatedOpenID(fmt.Sprint(prefix, first+i)), Nickname: fmt.Sprint("居民", first+i), HomeRegionID: home(first + i).ID,
			}
		}
		ids, err := a.Identity.CreateResidents(ctx, authz.System("bench"), in)
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		for i, id := range ids {
			r := home(first + i)
			out[first+i].actor = authz.Actor{Kind: authz.KindResident, ID: id, RegionID: r.ID, RegionPath: r.Path}
		}
	}
	return out, nil
}

// register makes residents and logs them in.
func register(ctx context.Context, a *app.App, prefix string, n int, home func(i int) model.Region) ([]someone, error) {
	out, err := enrol(ctx, a, prefix, n, home)
	if err != nil {
		return nil, err
	}
	_, err = together(hotClients, n, func(_, i int) (bool, error) {
		session, err := a.Identity.LoginResident(ctx, identity.ResidentLogin{Code: fmt.Sprintf("demo-%s%d-t1", prefix, i)})
		out[i].token = session.AccessToken
		if err == nil && session.PrincipalID != out[i].actor.ID {
			err = fmt.Errorf("logged in as somebody else: %s", session.PrincipalID)
		}
		return true, err
	})
	return out, err
}
