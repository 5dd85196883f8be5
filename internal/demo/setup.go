package demo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/region"
)

const (
	residentCount = 600
	// gridVillages is how many villages get grids, microgrids and buildings.
	gridVillages = 6
)

func (l *loader) makeRegions(ctx context.Context) error {
	file, err := files.Open(regionsFile)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // embedded
	if _, err := l.Region.Import(ctx, l.root, file); err != nil {
		return err
	}
	roots, err := l.Region.Roots(ctx, paging.Request{})
	if err != nil {
		return err
	}
	l.county = roots.Items[0]
	l.towns, err = l.children(ctx, l.county.ID)
	if err != nil {
		return err
	}
	for _, t := range l.towns {
		villages, err := l.children(ctx, t.ID)
		if err != nil {
			return err
		}
		l.villages = append(l.villages, villages...)
	}
	for i, v := range l.villages[:gridVillages] {
		if err := l.makeGrids(ctx, v); err != nil {
			return err
		}
		_, err := l.Region.SetBoundary(ctx, l.root, region.BoundaryInput{ID: v.ID, Version: v.Version, GeoJSON: square(i)})
		if err != nil {
			return err
		}
	}
	return nil
}

// square is a made-up boundary, about a kilometre wide: three beside each
// other, the first of them about the centre, the others north of them.
func square(i int) string {
	const half = 0.005
	west, south := lon-half+2*half*float64(i%3), lat-half+2*half*float64(i/3)
	east, north := west+2*half, south+2*half
	return fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%[1]f,%[2]f],[%[3]f,%[2]f],[%[3]f,%[4]f],[%[1]f,%[4]f],[%[1]f,%[2]f]]]}`,
		west, south, east, north)
}

func (l *loader) makeGrids(ctx context.Context, village region.Region) error {
	for g := range 2 {
		grid, err := l.Region.Create(ctx, l.root, region.CreateInput{
			ParentID: village.ID, Level: model.RegionGrid, Name: fmt.Sprintf("第%d网格", g+1),
		})
		if err != nil {
			return err
		}
		micro, err := l.Region.Create(ctx, l.root, region.CreateInput{ParentID: grid.ID, Level: model.RegionMicrogrid, Name: "微网格一"})
		if err != nil {
			return err
		}
		for b := range 2 {
			_, err := l.Region.Create(ctx, l.root, region.CreateInput{
				ParentID: micro.ID, Level: model.RegionBuilding, Name: fmt.Sprintf("%d幢", b+1),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) children(ctx context.Context, id string) ([]region.Region, error) {
	var out []region.Region
	page := paging.Request{Limit: paging.MaxLimit}
	for {
		got, err := l.Region.Children(ctx, id, page)
		if err != nil {
			return nil, err
		}
		out = append(out, got.Items...)
		if page.Cursor = got.Next; got.Next == "" {
			return out, nil
		}
	}
}

// staffOver creates one staff member with a role over a region.
func (l *loader) staffOver(ctx context.Context, username, name string, role authz.Role, r region.Region) (authz.Actor, error) {
	ids, err := l.Identity.CreateStaff(ctx, l.root, []identity.NewStaff{{
		Username: username, Password: Password, Name: name, Grants: []identity.NewGrant{{Role: role, RegionID: r.ID}},
	}})
	if err != nil {
		return authz.Actor{}, err
	}
	return authz.Actor{Kind: authz.KindStaff, ID: ids[0], Grants: []authz.Grant{
		{Role: role, RegionID: r.ID, RegionPath: r.Path},
	}}, nil
}

func (l *loader) makeStaff(ctx context.Context) (err error) {
	if l.operator, err = l.staffOver(ctx, Operator, operatorName, authz.RoleOperator, l.county); err != nil {
		return err
	}
	if l.colleague, err = l.staffOver(ctx, Operator+"2", colleagueName, authz.RoleOperator, l.county); err != nil {
		return err
	}
	if _, err = l.staffOver(ctx, Auditor, auditorName, authz.RoleAuditor, l.county); err != nil {
		return err
	}
	if l.organizer, err = l.staffOver(ctx, Organizer, organizerName, authz.RoleOrganizer, l.county); err != nil {
		return err
	}
	for i, t := range l.towns {
		username := GridWorker
		if i > 0 {
			username = fmt.Sprintf("%s%d", GridWorker, i+1)
		}
		l.workers[t.Path], err = l.staffOver(ctx, username, string(l.surnames[i])+"网格", authz.RoleGridWorker, t)
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) makePolicies(ctx context.Context) error {
	today := clock.Today(l.Clock)
	budget, err := l.Policy.CreateBudget(ctx, l.operator, policy.BudgetInput{
		RegionID: l.county.ID, Name: "年度志愿积分预算", StartsOn: today, EndsOn: today.AddDays(365), LimitPoints: 500_000,
	})
	if err != nil {
		return err
	}
	l.budgetID = budget.ID
	for _, r := range []policy.RuleInput{
		{EventKind: model.EventVolunteerService, Points: 2, PerMinutes: 60, MaxPoints: 16, DailyCap: 2, ObjectCap: 1, Note: "志愿服务每满一小时 2 分"},
		{EventKind: model.EventArticleRead, Points: 1, MaxPoints: 1, DailyCap: 3, ObjectCap: 1, Note: "读完一篇播报 1 分，每天 3 篇"},
		{EventKind: model.EventDailySignIn, Points: 1, MaxPoints: 1, DailyCap: 1, ObjectCap: 1, Note: "每日签到 1 分"},
		{EventKind: model.EventReportVerified, Points: 5, MaxPoints: 5, DailyCap: 2, ObjectCap: 1, Note: "上报经核实 5 分"},
	} {
		r.RegionID, r.BudgetID, r.Expiry = l.county.ID, budget.ID, model.ExpiryEndOfNextYear
		if _, err := l.Policy.PublishRule(ctx, l.operator, r); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) makeMerchants(ctx context.Context) error {
	for i, m := range l.merchants {
		if err := l.makeMerchant(ctx, i, m); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

func (l *loader) makeMerchant(ctx context.Context, i int, m merchantData) error {
	town := l.county
	for _, t := range l.towns {
		if t.Name == m.Town {
			town = t
		}
	}
	row, err := l.Market.CreateMerchant(ctx, l.operator, market.MerchantInput{RegionID: town.ID, Name: m.Name, Category: m.Category})
	if err != nil {
		return err
	}
	if _, err := l.Market.MoveMerchant(ctx, l.operator, row.ID, model.MerchantActive, "签约"); err != nil {
		return err
	}
	storeLon, storeLat := l.near(town)
	store, err := l.Market.CreateStore(ctx, l.operator, row.ID, market.StoreInput{
		Name: m.Name, Address: m.Address, Lon: &storeLon, Lat: &storeLat,
	})
	if err != nil {
		return err
	}
	owner, clerk := Owner, Clerk
	if i > 0 {
		owner, clerk = fmt.Sprintf("%s%d", Owner, i+1), fmt.Sprintf("%s%d", Clerk, i+1)
	}
	grant := func(role authz.Role) []identity.NewGrant {
		return []identity.NewGrant{{Role: role, MerchantID: row.ID, MerchantRegionID: town.ID}}
	}
	ids, err := l.Identity.CreateStaff(ctx, l.root, []identity.NewStaff{
		{Username: owner, Password: Password, Name: string(l.surnames[i]) + "老板", Grants: grant(authz.RoleOwner)},
		{Username: clerk, Password: Password, Name: string(l.surnames[i+1]) + "店员", Grants: grant(authz.RoleClerk)},
	})
	if err != nil {
		return err
	}
	at := func(id string, role authz.Role) authz.Actor {
		return authz.Actor{Kind: authz.KindStaff, ID: id, Grants: []authz.Grant{{Role: role, MerchantID: row.ID}}}
	}
	for _, line := range m.Benefits {
		b, err := parseBenefit(line)
		if err != nil {
			return err
		}
		id, err := l.offer(ctx, at(ids[0], authz.RoleOwner), row, b)
		if err != nil {
			return err
		}
		l.benefits = append(l.benefits, benefitRow{
			id: id, points: b.points, merchant: row.ID, store: store.ID, owner: at(ids[0], authz.RoleOwner), clerk: at(ids[1], authz.RoleClerk),
		})
	}
	return nil
}

// near is a made-up place in a town: the towns lie on a ring about the centre,
// the first two in it, and their shops within half a kilometre of each other.
func (l *loader) near(town region.Region) (shopLon, shopLat float64) {
	n := slices.IndexFunc(l.towns, func(t region.Region) bool { return t.ID == town.ID })
	radius, angle := 0.09, 2*math.Pi*float64(n)/float64(len(l.towns))
	if n < 2 {
		radius = 0.006
	}
	k := float64(len(l.benefits) % 7)
	shopLon = lon + radius*math.Cos(angle) + 0.0007*k
	shopLat = lat + radius*math.Sin(angle) + 0.0006*float64(int(k*3)%7)
	return math.Round(shopLon*1e6) / 1e6, math.Round(shopLat*1e6) / 1e6
}

// offer takes a benefit through review to its first release.
func (l *loader) offer(ctx context.Context, owner authz.Actor, m market.Merchant, b benefitData) (string, error) {
	id, err := l.submit(ctx, owner, m, b)
	if err != nil {
		return "", err
	}
	if _, err := l.Market.MoveBenefit(ctx, l.operator, id, market.BenefitApprove, ""); err != nil {
		return "", err
	}
	now := clock.Now(l.Clock)
	_, err = l.Market.AddRelease(ctx, owner, id, market.ReleaseInput{
		StartsAt: now, EndsAt: now.Add(300 * 24 * time.Hour), Total: b.stock, IdempotencyKey: l.Clock.NewID(),
	})
	return id, err
}

// submit writes a benefit down and hands it in for review.
func (l *loader) submit(ctx context.Context, owner authz.Actor, m market.Merchant, b benefitData) (string, error) {
	now := clock.Now(l.Clock)
	redeemDays := int64(14)
	cover, err := l.cover(ctx, m.Category, len(l.benefits))
	if err != nil {
		return "", err
	}
	row, err := l.Market.CreateBenefit(ctx, owner, m.ID, market.BenefitInput{
		RegionID: l.county.ID, Title: b.title, Category: m.Category, ImageKey: cover,
		Description: fmt.Sprintf("到店出示核销码，另付 %d 元。不与店内其他优惠同享。", b.cashFen/100),
		PointsPrice: b.points, CashPriceFen: b.cashFen, OriginalPriceFen: b.originalFen, PerPersonLimit: b.perPersonLimitOfOrders,
		RedeemDays: &redeemDays, ValidFrom: now, ValidUntil: now.Add(365 * 24 * time.Hour),
	})
	if err != nil {
		return "", err
	}
	_, err = l.Market.MoveBenefit(ctx, owner, row.ID, market.BenefitSubmit, "")
	return row.ID, err
}

func (l *loader) makeArticles(ctx context.Context) error {
	for i, a := range l.content.articles {
		l.Clock.Advance(time.Minute)
		cover, err := l.cover(ctx, a.Cover, i)
		if err != nil {
			return err
		}
		row, err := l.Reading.Create(ctx, l.operator, l.county.ID, reading.ArticleInput{
			Title: a.Title, Body: strings.ReplaceAll(a.Body, "|", "\n\n"), Source: "海宁播报（演示）", MinSeconds: a.Seconds, CoverKey: cover,
		})
		if err != nil {
			return err
		}
		l.drafts = append(l.drafts, articleRow{id: row.ID, version: row.Version, seconds: a.Seconds})
	}
	return l.publish(ctx, len(l.drafts)/2)
}

// publish makes news of so many drafts, the oldest first.
func (l *loader) publish(ctx context.Context, count int) error {
	for _, a := range l.drafts[:count] {
		if _, err := l.Reading.Publish(ctx, l.operator, reading.Change{ArticleID: a.id, Version: a.version}); err != nil {
			return err
		}
		l.articles = append(l.articles, a)
	}
	l.drafts = l.drafts[count:]
	return nil
}

// askQuestions puts quizzes under some articles, at the end: the month's
// readers had none to answer.
func (l *loader) askQuestions(ctx context.Context) error {
	for i, a := range l.content.articles {
		if len(a.Quiz) == 0 {
			continue
		}
		row, err := l.Reading.Article(ctx, l.operator, l.articles[i].id)
		if err != nil {
			return err
		}
		questions := make([]reading.Question, len(a.Quiz))
		for n, line := range a.Quiz {
			parts := strings.Split(line, " | ")
			right := int64(n+i) % int64(len(parts)-1) // where the right choice stands
			choices := append([]string{}, parts[2:]...)
			questions[n] = reading.Question{Text: parts[0], Choices: slices.Insert(choices, int(right), parts[1]), Answer: right}
		}
		_, err = l.Reading.SetQuiz(ctx, l.operator, reading.Change{ArticleID: row.ID, Version: row.Version}, questions)
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) makeResidents(ctx context.Context) error {
	in := make([]identity.NewResident, residentCount)
	homes := make([]region.Region, residentCount)
	for i := range in {
		name := fmt.Sprintf("r%03d", i)
		homes[i] = l.villages[l.rand.IntN(len(l.villages))]
		if i < residentCount/4 {
			homes[i] = l.villages[i%gridVillages] // neighbours, so that a village board has rivals
		}
		nickname := string(l.surnames[l.rand.IntN(len(l.surnames))]) + l.given[l.rand.IntN(len(l.given))]
		if i < len(neighbours) {
			name, nickname = neighbours[i].Login, neighbours[i].Name
		}
		in[i] = identity.NewResident{
			OpenID: l.OpenID(name), Nickname: nickname, RealName: nickname, Phone: fmt.Sprintf("139%08d", 10_000_000+i*37),
			HomeRegionID: homes[i].ID, Consents: []identity.NewConsent{{Purpose: model.ConsentPrivacyPolicy, Version: identity.ConsentVersion}},
		}
		if i%5 < 3 { // three in five want to be seen on the boards
			in[i].Consents = append(in[i].Consents, identity.NewConsent{Purpose: model.ConsentLeaderboard, Version: identity.ConsentVersion})
		}
	}
	ids, err := l.Identity.CreateResidents(ctx, l.root, in)
	if err != nil {
		return err
	}
	for i, id := range ids {
		l.residents = append(l.residents, authz.Actor{
			Kind: authz.KindResident, ID: id, RegionID: homes[i].ID, RegionPath: homes[i].Path,
		})
	}
	l.count["residents"] = len(ids)
	return nil
}

// points is what a resident can spend now.
func (l *loader) points(ctx context.Context, residentID string) (int64, error) {
	w, err := ledger.New(l.DB, l.Clock).Wallet(ctx, residentID)
	return w.Available, err
}
