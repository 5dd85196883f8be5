package app

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
	"jiamenkou/service/volunteer"
)

// settled is a county in whose first village something of every kind is open.
type settled struct {
	*county
	a             *App
	t             *testing.T
	east, west    region.Region // towns
	first, second region.Region // villages of the east
	worker        authz.Actor   // of the first village
	ruleID        string        // of the first village, paid by the east
}

func settle(t *testing.T, a *App, c *county) *settled {
	t.Helper()
	s := &settled{county: c, a: a, t: t}
	ctx := t.Context()
	west, err := a.Region.Create(ctx, c.operator, region.CreateInput{ParentID: c.countyID, Level: model.RegionTown, Name: "海洲街道", Code: "330481002000"})
	require.NoError(t, err)
	s.west, s.east, s.first, s.second = west, s.region(c.townID), s.region(c.villages[0]), s.region(c.villages[1])
	_, err = a.Region.Create(ctx, c.operator, region.CreateInput{ParentID: s.first.ID, Level: model.RegionGrid, Name: "第一网格"})
	require.NoError(t, err)
	grant := func(role authz.Role, id string) identity.NewGrant { return identity.NewGrant{Role: role, RegionID: id} }
	ids, err := a.Identity.CreateStaff(ctx, authz.System("test"), []identity.NewStaff{
		{Username: "worker", Password: password, Name: "钱网格", Grants: []identity.NewGrant{grant(authz.RoleGridWorker, s.first.ID), grant(authz.RoleOrganizer, s.first.ID)}},
		{Username: "both", Password: password, Name: "孙网格", Grants: []identity.NewGrant{grant(authz.RoleGridWorker, s.first.ID), grant(authz.RoleGridWorker, s.second.ID)}},
		{Username: "easterner", Password: password, Name: "李东", Grants: []identity.NewGrant{grant(authz.RoleOperator, s.east.ID)}},
		{Username: "westerner", Password: password, Name: "吴西", Grants: []identity.NewGrant{grant(authz.RoleOperator, s.west.ID)}},
	})
	require.NoError(t, err)
	s.worker = authz.Actor{Kind: authz.KindStaff, ID: ids[0]}
	today := clock.Today(a.clock)
	budget := func(name, regionID string) string {
		b, err := a.Policy.CreateBudget(ctx, c.operator, policy.BudgetInput{RegionID: regionID, Name: name, StartsOn: today, EndsOn: today.AddDays(99), LimitPoints: 1000})
		require.NoError(t, err)
		return b.ID
	}
	budget("村预算", s.first.ID)
	rule, err := a.Policy.PublishRule(ctx, c.operator, policy.RuleInput{
		RegionID: s.first.ID, EventKind: model.EventDailySignIn, BudgetID: budget("街道预算", s.east.ID),
		Points: 7, MaxPoints: 7, DailyCap: 1, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	})
	require.NoError(t, err)
	s.ruleID = rule.ID
	_, err = a.Casework.Report(ctx, c.residents[0], casework.ReportInput{Category: model.CategorySanitation, Text: "楼下堆了垃圾，请清走", IdempotencyKey: "report-of-r0"})
	require.NoError(t, err)
	_, err = a.Volunteer.CreateActivity(ctx, c.operator, volunteer.ActivityInput{
		IdempotencyKey: "activity-one", RegionID: s.first.ID, Title: "清扫楼道", Content: "一起清扫", Category: "community", Beneficiary: "居民",
		PlaceName: "社区", Lon: 120.69, Lat: 30.51, RadiusMeters: 200, ContactName: "钱网格", ContactPhone: "13800000000",
	}, nil)
	require.NoError(t, err)
	s.serve(ids[2])
	_, err = a.Reading.Create(ctx, c.operator, s.first.ID, reading.ArticleInput{Title: "停水通知", Body: "明天停水", MinSeconds: 5})
	require.NoError(t, err)
	_, err = a.Market.CreateMerchant(ctx, c.operator, market.MerchantInput{RegionID: s.first.ID, Name: "村口小店", Category: "dining"})
	require.NoError(t, err)
	var posted string
	require.NoError(t, a.db.Read(ctx).Raw("SELECT id FROM transfer WHERE credit_account_id = CONCAT('1', ?)", c.residents[0].ID).Scan(&posted).Error)
	_, err = a.Recourse.Object(ctx, c.residents[0], recourse.ObjectionInput{TransferID: posted, Text: "应该多一分才对", IdempotencyKey: "objection-one"})
	require.NoError(t, err)
	return s
}

// serve adds two records of a resident by hand, has another person approve the
// first, and asks for a certificate of it.
func (s *settled) serve(approver string) {
	ctx, resident, began := s.t.Context(), s.residents[0], clock.Today(s.a.clock).AddDays(-2).Start()
	for n, key := range []string{"record-one", "record-two"} {
		from := began.Add(time.Duration(8+2*n) * time.Hour)
		added, err := s.a.Volunteer.AddManualRecord(ctx, s.operator, volunteer.ManualInput{
			IdempotencyKey: key, RegionID: s.first.ID, VolunteerNumbers: []string{s.volunteer()}, Title: "清扫", Content: "清扫",
			PlaceName: "社区", Beneficiary: "居民", PersonInCharge: "钱网格", StartedAt: from, EndedAt: from.Add(time.Hour), Reason: "当时停电",
		})
		require.NoError(s.t, err)
		if n == 0 {
			by := authz.Actor{Kind: authz.KindStaff, ID: approver, Grants: []authz.Grant{{Role: authz.RoleOperator, RegionID: s.east.ID, RegionPath: s.east.Path}}}
			require.NoError(s.t, s.a.Volunteer.ApproveManualRecord(ctx, by, []volunteer.Decision{{RecordID: added[0]}}))
		}
	}
	require.NoError(s.t, s.a.Identity.SetRealName(ctx, resident, "王秀英", ""))
	_, err := s.certify("certificate-one")
	require.NoError(s.t, err)
}

func (s *settled) certify(key string) (volunteer.Certificate, error) {
	day := clock.Today(s.a.clock).AddDays(-2)
	return s.a.Volunteer.RequestCertificate(s.t.Context(), s.residents[0], volunteer.CertificateRequest{IdempotencyKey: key, Purpose: "入学", From: day, To: day})
}

// volunteer is the number of the resident who serves.
func (s *settled) volunteer() string {
	people, err := s.a.Identity.Residents(s.t.Context(), []string{s.residents[0].ID})
	require.NoError(s.t, err)
	return people[s.residents[0].ID].VolunteerNumber
}

func (s *settled) region(id string) region.Region {
	s.t.Helper()
	r, err := s.a.Region.Get(s.t.Context(), id)
	require.NoError(s.t, err)
	return r
}

// points is what a region's board of the week says.
func (s *settled) points(id string) int64 {
	s.t.Helper()
	_, err := s.a.Leaderboard.Build(s.t.Context())
	require.NoError(s.t, err)
	page, err := s.a.Leaderboard.Totals(s.t.Context(), s.operator, leaderboard.TotalsQuery{Kind: model.LeaderboardWeek}, paging.Request{Limit: 100})
	require.NoError(s.t, err)
	for _, row := range page.Items {
		if row.RegionID == id {
			return row.Points
		}
	}
	return 0
}

func settledSite(t *testing.T, db database.Config) (*settled, *site, []string, *clock.Manual) {
	t.Helper()
	env, c := environ(t, db, "JMK_COMPLIANCE_RESIDENT_LEADERBOARDS=true"), newClock()
	a := openApp(t, env, c)
	s := settle(t, a, seed(t, a, want{residents: 2}))
	return s, serve(t, env, c), env, c
}

const reason = "区划调整，市政府〔2026〕8 号"

// TestMoveRegion: who is over the new town is over the village from the next
// request on, with all that lies in it; sums of before stay; no budget pays
// for a region that does not lie in its own.
func TestMoveRegion(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		s, site, env, c := settledSite(t, db)
		operator, easterner, westerner := site.staff(operatorName), site.staff("easterner"), site.staff("westerner")
		cases := func(p *person) int { return len(get[list[struct{ ID string }]](p, "/cases").Items) }
		require.Equal(t, []int{1, 0}, []int{cases(easterner), cases(westerner)})
		require.Equal(t, []int64{2, 2, 0}, []int64{s.points(s.first.ID), s.points(s.east.ID), s.points(s.west.ID)})

		path := "/regions/" + s.first.ID + "/move"
		body := object{"version": s.first.Version, "parent_id": s.west.ID, "reason": reason}
		for _, p := range []*person{easterner, westerner} {
			require.Equal(t, 403, p.do(http.MethodPost, path, body).status)
		}
		refused := operator.do(http.MethodPost, path, body)
		require.Equal(t, "policy.budget_left", refused.code(), refused)
		require.Contains(t, refused.String(), "街道预算")
		require.NoError(t, s.a.Policy.RetireRule(t.Context(), s.operator, s.ruleID))
		c.Advance(time.Microsecond)
		require.Equal(t, 200, operator.do(http.MethodPost, path, body).status)
		require.Equal(t, 409, operator.do(http.MethodPost, path, body).status, "the version is another now")

		require.Equal(t, []int{0, 1}, []int{cases(easterner), cases(westerner)}, "at once, whatever is cached")
		entry := get[list[struct{ Action, Reason string }]](operator, "/audit-log?object_type=region&object_id="+s.first.ID).Items[0]
		require.Equal(t, "region.move", entry.Action)
		require.Equal(t, reason, entry.Reason)
		// What was earned before stays with the east; from now on it counts for the west.
		require.Equal(t, []int64{2, 2, 0}, []int64{s.points(s.first.ID), s.points(s.east.ID), s.points(s.west.ID)})
		c.Advance(24 * time.Hour)
		post[struct{}](site.resident("r0"), "/sign-ins", object{})
		require.Equal(t, []int64{3, 2, 1}, []int64{s.points(s.first.ID), s.points(s.east.ID), s.points(s.west.ID)})
		requireSound(t, env, c)
	})
}

// TestMergeRegion: what is open goes to the successor, what is over stays.
func TestMergeRegion(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		s, site, env, c := settledSite(t, db)
		easterner := site.staff("easterner")
		worker := site.staff("worker")
		type holdings struct{ Own, Subtree []struct{ Kind, Text string } }
		held := get[holdings](easterner, "/regions/"+s.first.ID+"/holdings")
		var texts []string
		for _, h := range held.Own {
			texts = append(texts, h.Text)
		}
		require.Equal(t, []string{
			"1 个下级地区", "2 位居民", "2 名网格员", "1 件未办结事件", "1 件未答复的异议", "1 场未结束的活动", "1 条待审批的服务记录", "1 份待出具的证明", "1 篇未撤下的播报", "1 家商户", "1 笔未到期的积分预算",
		}, texts)
		refused := easterner.do(http.MethodPost, "/regions/"+s.first.ID+"/close", object{"version": s.first.Version, "reason": reason})
		require.Equal(t, "region.occupied", refused.code(), refused)
		require.Equal(t, 403, worker.do(http.MethodPost, "/regions/"+s.first.ID+"/close", object{"version": s.first.Version, "reason": reason}).status)

		awards := count(t, s.a.db.WriteSQL(), "SELECT COUNT(*) FROM award WHERE region_id = ?", s.first.ID)
		require.Positive(t, awards)
		merged := easterner.do(http.MethodPost, "/regions/"+s.first.ID+"/close", object{"version": s.first.Version, "successor_id": s.second.ID, "reason": reason})
		require.Equal(t, 200, merged.status, merged)
		require.Empty(t, get[holdings](easterner, "/regions/"+s.first.ID+"/holdings").Subtree)
		require.Len(t, get[holdings](easterner, "/regions/"+s.second.ID+"/holdings").Own, len(texts))
		require.Equal(t, awards, count(t, s.a.db.WriteSQL(), "SELECT COUNT(*) FROM award WHERE region_id = ?", s.first.ID), "history stays")
		for username, want := range map[string]int64{"worker": 2, "both": 1} {
			require.Equal(t, want, count(t, s.a.db.WriteSQL(),
				"SELECT COUNT(*) FROM staff_grant g JOIN staff p ON p.id = g.staff_id WHERE p.username = ? AND g.region_id = ?", username, s.second.ID), username)
		}
		require.Len(t, get[list[struct{ ID string }]](worker, "/cases").Items, 1, "the grid worker goes on with the case")
		require.Len(t, get[list[struct{ ID string }]](worker, "/service-records?state=pending_approval").Items, 1, "and the organizer with what is to be approved")
		require.Len(t, get[list[struct{ ID string }]](worker, "/certificates").Items, 1, "and to be certified")
		require.Equal(t, s.second.ID, get[struct {
			HomeRegion struct{ ID string } `json:"home_region"`
		}](site.resident("r0"), "/profile").HomeRegion.ID)
		entry := get[list[struct{ Action string }]](easterner, "/audit-log?object_type=region&object_id="+s.first.ID).Items[0]
		require.Equal(t, "region.merge", entry.Action)

		// Nothing new comes to it.
		for path, body := range map[string]object{
			"/budgets":  {"region_id": s.first.ID, "name": "新预算", "starts_on": "2026-03-01", "ends_on": "2027-03-01", "limit_points": 5},
			"/staff":    {"username": "later", "password": password, "name": "后来", "grants": []object{{"role": "grid_worker", "region_id": s.first.ID}}},
			"/articles": {"region_id": s.first.ID, "title": "标题", "body": "正文", "min_seconds": 5},
			"/regions":  {"parent_id": s.first.ID, "level": "grid", "name": "新网格"},
			"/service-records": {
				"region_id": s.first.ID, "volunteer_numbers": []string{s.volunteer()}, "title": "清扫", "content": "清扫", "place_name": "社区", "beneficiary": "居民",
				"person_in_charge": "钱网格", "reason": "当时停电", "started_at": c.Now().Add(-50 * time.Hour), "ended_at": c.Now().Add(-49 * time.Hour),
			},
		} {
			a := easterner.do(http.MethodPost, path, body, "Idempotency-Key", freshKey())
			require.Equal(t, "region.closed", a.code(), "%s: %s", path, a)
		}
		certificate := get[list[struct{ ID string }]](site.resident("r0"), "/certificates").Items[0].ID
		_, err := s.a.Volunteer.WithdrawCertificate(t.Context(), s.residents[0], certificate)
		require.NoError(t, err)
		_, err = s.certify("certificate-two")
		require.ErrorIs(t, err, region.ErrClosed, "by who is taken to live there still")
		c.Advance(24 * time.Hour)
		post[struct{}](site.resident("r0"), "/sign-ins", object{})
		require.EqualValues(t, 1, s.points(s.second.ID))
		requireSound(t, env, c)
	})
}

// TestCloseRegionMeetsNewcomer: a village is closed while residents choose it
// for their home: none ends up at home in a closed one.
func TestCloseRegionMeetsNewcomer(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		c := newClock()
		a := openApp(t, environ(t, db), c)
		county := seed(t, a, want{residents: 8})
		ctx := t.Context()
		for round := range 10 {
			r, err := a.Region.Create(ctx, county.operator, region.CreateInput{
				ParentID: county.townID, Level: model.RegionVillage, Name: "新村" + string(rune('甲'+round)), Code: "new" + string(rune('a'+round)),
			})
			require.NoError(t, err)
			var wg sync.WaitGroup
			for _, resident := range county.residents {
				wg.Go(func() {
					if _, err := a.Identity.SetHomeRegion(ctx, resident, r.ID); err != nil && fault.KindOf(err) != fault.Conflict {
						t.Error(err)
					}
				})
			}
			wg.Go(func() {
				_, err := a.Region.Close(ctx, county.operator, region.CloseInput{ID: r.ID, Version: r.Version, Reason: reason})
				if err != nil && fault.KindOf(err) != fault.Conflict {
					t.Error(err)
				}
			})
			wg.Wait()
			require.Zero(t, count(t, a.db.WriteSQL(), "SELECT COUNT(*) FROM resident p JOIN region r ON r.id = p.home_region_id WHERE r.closed_at IS NOT NULL"))
			for _, resident := range county.residents {
				_, err := a.Identity.SetHomeRegion(ctx, resident, county.villages[0])
				require.NoError(t, err)
			}
		}
	})
}
