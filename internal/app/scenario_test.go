package app

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
)

// Where the activity is.
const lon, lat = 120.6806, 30.5107

// loop is one walk through the product: what each step leaves for the next.
type loop struct {
	*site
	env   []string
	clock *clock.Manual
	c     *county

	wang                                           *person
	operator, organizer, worker, owner, clerk, rev *person
}

// login logs everybody in again: days pass, and access tokens do not last.
func (l *loop) login() {
	l.wang = l.resident("wang")
	l.operator, l.organizer, l.worker = l.staff(operatorName), l.staff(organizerName), l.staff(gridName)
	l.owner, l.clerk, l.rev = l.staff(l.c.shops[0].owner), l.staff(l.c.shops[0].clerk), l.staff(auditorName)
}

type award struct {
	Status string
	Points int64
}

// TestLoop is the product's promise, end to end over HTTP: earn by serving,
// reading and reporting, spend next door, settle, rank, prove.
func TestLoop(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db), newClock()
		l := &loop{env: env, clock: c, c: seed(t, openApp(t, env, c), want{shops: 2, stock: 3})}
		l.site = serve(t, env, c)
		for _, step := range []struct {
			name string
			walk func(*loop, *testing.T)
		}{
			{"a resident joins", (*loop).joins},
			{"reads an article", (*loop).reads},
			{"serves a shift", (*loop).serves},
			{"has a report verified", (*loop).reports},
			{"sees in the wallet why", (*loop).seesWhy},
			{"orders the cinema ticket and spends it at the counter", (*loop).spends},
			{"the next day settles", (*loop).settles},
			{"what two persons decide is on one list", (*loop).fourEyes},
			{"the leaderboard shows who agreed", (*loop).ranks},
			{"the merchants take on people", (*loop).hires},
			{"every list becomes a file", (*loop).exports},
			{"nothing was lost", (*loop).proves},
		} {
			passed := t.Run(step.name, func(t *testing.T) {
				l.t = t
				l.login()
				step.walk(l, t)
			})
			require.True(t, passed, "the next step builds on this one")
		}
	})
}

func (l *loop) joins(t *testing.T) {
	used := object{"code": "demo-li-once"}
	require.Equal(t, 200, l.call(http.MethodPost, "/mp/v1/auth/login", "", used).status)
	require.Equal(t, 409, l.call(http.MethodPost, "/mp/v1/auth/login", "", used).status, "a code logs in once")

	require.Equal(t, "market.no_home_region", l.wang.do(http.MethodPost, "/orders", object{"benefit_id": l.c.shops[0].benefitID}, "Idempotency-Key", freshKey()).code())
	type region struct {
		ID, Name, Level string
	}
	counties := get[list[region]](l.wang, "/regions")
	require.Len(t, counties.Items, 1)
	towns := get[list[region]](l.wang, "/regions/"+counties.Items[0].ID+"/children")
	villages := get[list[region]](l.wang, "/regions/"+towns.Items[0].ID+"/children")
	require.Len(t, villages.Items, 2)
	refused := l.wang.do(http.MethodPut, "/profile/home-region", object{"region_id": towns.Items[0].ID})
	require.Equal(t, 422, refused.status, "a town is no home")
	require.Equal(t, 200, l.wang.do(http.MethodPut, "/profile/home-region", object{"region_id": l.c.villages[0]}).status)
	require.Equal(t, 204, l.wang.do(http.MethodPut, "/consents/leaderboard", object{"version": "v1"}).status)
	require.Equal(t, 204, l.wang.do(http.MethodPatch, "/profile", object{"nickname": "王秀英"}).status)
	profile := get[struct{ Nickname string }](l.wang, "/profile")
	require.Equal(t, "王秀英", profile.Nickname)
}

func (l *loop) reads(t *testing.T) {
	type article struct {
		ID      string
		Version int64
	}
	draft := post[article](l.operator, "/articles", object{
		"region_id": l.c.countyID, "title": "垃圾分类新规定", "summary": "下月起施行", "body": "正文。", "source": "本地播报", "min_seconds": 20,
	})
	require.Empty(t, get[list[article]](l.wang, "/articles").Items, "a draft is not offered")
	post[article](l.operator, "/articles/"+draft.ID+"/publish", object{"version": draft.Version})
	offers := get[list[struct {
		ID     string
		Points int64
	}]](l.wang, "/articles")
	require.Len(t, offers.Items, 1)
	require.EqualValues(t, 1, offers.Items[0].Points)

	type session struct {
		ID               string
		SecondsLeft      int64 `json:"seconds_left"`
		HeartbeatSeconds int64 `json:"heartbeat_seconds"`
	}
	s := post[session](l.wang, "/articles/"+draft.ID+"/reading-sessions", nil)
	require.EqualValues(t, 20, s.SecondsLeft)
	early := l.wang.do(http.MethodPost, "/reading-sessions/"+s.ID+"/complete", nil)
	require.Equal(t, 409, early.status, "the server's time counts, not the client's: %s", early)
	for range 50 { // beats without time passing earn nothing
		require.EqualValues(t, 20, post[session](l.wang, "/reading-sessions/"+s.ID+"/beats", nil).SecondsLeft)
	}
	for range 4 {
		l.clock.Advance(time.Duration(s.HeartbeatSeconds) * time.Second)
		s = post[session](l.wang, "/reading-sessions/"+s.ID+"/beats", nil)
	}
	require.Zero(t, s.SecondsLeft)
	for range 2 { // a replay is the first answer
		done := post[struct{ Award award }](l.wang, "/reading-sessions/"+s.ID+"/complete", nil)
		require.Equal(t, award{"posted", 1}, done.Award)
	}
	require.EqualValues(t, 1, l.available())
}

func (l *loop) available() int64 {
	return get[struct{ Available int64 }](l.wang, "/wallet").Available
}

func (l *loop) serves(t *testing.T) {
	begin := l.clock.Now().Add(2 * time.Hour)
	type shift struct{ ID string }
	activity := post[struct {
		ID     string
		Shifts []shift
	}](l.organizer, "/activities", object{
		"region_id": l.c.townID, "title": "河道清洁", "content": "捡拾河边垃圾", "category": "environment", "beneficiary": "社区居民",
		"place_name": "洛塘河", "lon": lon, "lat": lat, "radius_meters": 300, "contact_name": "顾老师", "contact_phone": "0573-87000000",
		"shifts": []object{{"starts_at": begin, "ends_at": begin.Add(2 * time.Hour), "capacity": 10}},
	})
	require.Equal(t, 2, l.organizer.do(http.MethodPost, "/activities/"+activity.ID+"/publish", nil).status/100)
	seen := get[struct{ Shifts []shift }](l.wang, "/activities/"+activity.ID)
	path := "/shifts/" + seen.Shifts[0].ID
	signup := post[struct{ ID, Status string }](l.wang, path+"/signup", nil)
	require.Equal(t, signup, post[struct{ ID, Status string }](l.wang, path+"/signup", nil), "a replay is the first sign-up")

	l.clock.Set(begin.Add(-10 * time.Minute))
	l.login()
	code := func() string { return get[struct{ Code string }](l.organizer, path+"/code").Code }
	old := code()
	l.clock.Advance(2 * time.Minute)
	here := func(digits string) object { return object{"code": digits, "lon": lon, "lat": lat} }
	require.Equal(t, 4, l.wang.do(http.MethodPost, path+"/check-in", here(old)).status/100, "an old code proves nothing")
	far := object{"code": code(), "lon": lon + 1, "lat": lat}
	require.Equal(t, 4, l.wang.do(http.MethodPost, path+"/check-in", far).status/100, "nor does a code seen from far away")
	require.Equal(t, 403, l.worker.do(http.MethodGet, path+"/code", nil).status)
	require.Equal(t, "checked_in", post[struct{ Status string }](l.wang, path+"/check-in", here(code())).Status)

	l.clock.Set(begin.Add(2 * time.Hour))
	l.login()
	require.Equal(t, "checked_out", post[struct{ Status string }](l.wang, path+"/check-out", here(code())).Status)
	require.EqualValues(t, 1, l.available(), "nothing before the organizer has confirmed")
	items := object{"items": []object{{"signup_id": signup.ID, "quality_rating": 5}}}
	key := freshKey()
	var first answer
	for range 2 {
		a := l.organizer.do(http.MethodPost, path+"/confirm", items, "Idempotency-Key", key)
		out := into[struct {
			Items []struct {
				Credit  string
				Minutes int64
				Points  int64
			}
		}](t, a)
		require.Len(t, out.Items, 1)
		require.Equal(t, "credited", out.Items[0].Credit)
		require.EqualValues(t, 120, out.Items[0].Minutes)
		require.EqualValues(t, 4, out.Items[0].Points)
		if first.body != nil {
			require.JSONEq(t, string(first.body), string(a.body), "a replay is the first answer")
		}
		first = a
	}
	require.EqualValues(t, 5, l.available())
	records := get[list[struct {
		Minutes int64
		State   string
	}]](l.wang, "/service-records")
	require.Len(t, records.Items, 1)
	require.Equal(t, "effective", records.Items[0].State)
}

func (l *loop) reports(t *testing.T) {
	type picture struct{ ID, Status, URL string }
	uploaded := l.wang.upload(photo(t, 0))
	require.Equal(t, 201, uploaded.status, uploaded.String())
	p := into[picture](t, uploaded)
	report := post[struct{ ID, Number string }](l.wang, "/cases", object{
		"category": "facility", "text": "小区南门口的路灯连续两晚不亮", "attachment_ids": []string{p.ID},
	})
	type caseView struct {
		ContentStatus string `json:"content_status"`
		Cover         *picture
		Points        award
	}
	// The simulated WeChat looks at text and picture and calls back.
	require.Eventually(t, func() bool {
		v := get[caseView](l.wang, "/cases/"+report.ID)
		return v.ContentStatus == "passed" && v.Cover != nil && v.Cover.Status == "passed"
	}, bootWait, 20*time.Millisecond)
	link := get[caseView](l.wang, "/cases/"+report.ID).Cover.URL
	image := l.call(http.MethodGet, link, "", nil)
	require.Equal(t, 200, image.status, image.String())
	require.Equal(t, "image/jpeg", image.header.Get("Content-Type"))
	forged := l.call(http.MethodGet, strings.Replace(link, "sig=", "sig=A", 1), "", nil)
	require.Equal(t, 4, forged.status/100)
	neighbour := l.resident("neighbour")
	require.Equal(t, 404, neighbour.do(http.MethodGet, "/cases/"+report.ID, nil).status, "another's case")

	done := into[picture](t, l.worker.upload(photo(t, 90)))
	move := func(name string, more object) {
		v := get[struct{ Version int64 }](l.worker, "/cases/"+report.ID)
		body := object{"version": v.Version, "note": "已到现场处理"}
		maps.Copy(body, more)
		post[struct{}](l.worker, "/cases/"+report.ID+"/"+name, body)
		stale := l.worker.do(http.MethodPost, "/cases/"+report.ID+"/"+name, body)
		require.Equal(t, 409, stale.status, "%s twice: %s", name, stale)
	}
	move("accept", nil)
	move("start", nil)
	move("finish", object{"attachment_ids": []string{done.ID}})
	before := l.available()
	key := freshKey()
	for range 2 {
		a := l.wang.do(http.MethodPost, "/cases/"+report.ID+"/confirm", object{"solved": true, "rating": 5}, "Idempotency-Key", key)
		require.Equal(t, award{"posted", 5}, into[caseView](t, a).Points)
	}
	require.Equal(t, before+5, l.available())
}

func (l *loop) seesWhy(t *testing.T) {
	type entry struct {
		ID          string
		Kind        string
		Points      int64
		Source      string
		RuleID      string `json:"rule_id"`
		RuleVersion int64  `json:"rule_version"`
		Evidence    object
		Rule        *struct {
			EventKind string `json:"event_kind"`
			Version   int64
			Points    int64
		}
	}
	entries := get[list[entry]](l.wang, "/wallet/entries").Items
	require.Len(t, entries, 3)
	want := map[string]int64{"report_verified": 5, "volunteer_service": 4, "article_read": 1}
	var total int64
	for _, e := range entries {
		d := get[entry](l.wang, "/wallet/entries/"+e.ID)
		require.Equal(t, "earn", d.Kind)
		require.NotEmpty(t, d.Evidence, "evidence of %s", e.Source)
		require.NotNil(t, d.Rule)
		require.EqualValues(t, 1, d.RuleVersion)
		require.Equal(t, d.RuleVersion, d.Rule.Version)
		require.Equal(t, want[d.Rule.EventKind], d.Points, d.Rule.EventKind)
		delete(want, d.Rule.EventKind)
		total += d.Points
	}
	require.Empty(t, want)
	require.Equal(t, total, l.available())
	stranger := l.resident("neighbour")
	require.Equal(t, 404, stranger.do(http.MethodGet, "/wallet/entries/"+entries[0].ID, nil).status)
}

func (l *loop) spends(t *testing.T) {
	shop := l.c.shops[0]
	offers := get[list[struct {
		ID               string
		PointsPrice      int64 `json:"points_price"`
		CashPriceFen     int64 `json:"cash_price_fen"`
		OriginalPriceFen int64 `json:"original_price_fen"`
		Remaining        int64
	}]](l.wang, "/benefits?affordable=true")
	require.Len(t, offers.Items, 2)
	for _, o := range offers.Items {
		require.Equal(t, []int64{5, 3000, 6000, 3}, []int64{o.PointsPrice, o.CashPriceFen, o.OriginalPriceFen, o.Remaining})
	}
	type placed struct {
		ID      string
		Points  int64
		CashFen int64 `json:"cash_fen"`
	}
	key := freshKey()
	place := func(benefit string) answer {
		return l.wang.do(http.MethodPost, "/orders", object{"benefit_id": benefit}, "Idempotency-Key", key)
	}
	order := into[placed](t, place(shop.benefitID))
	require.Equal(t, order, into[placed](t, place(shop.benefitID)), "a replay is the first order")
	require.Equal(t, 422, place(l.c.shops[1].benefitID).status, "the same key for something else")
	type wallet struct{ Available, Held, Points int64 }
	require.Equal(t, wallet{5, 5, 10}, get[wallet](l.wang, "/wallet"))

	type code struct {
		Code      string
		ShortCode string `json:"short_code"`
		QRPNG     string `json:"qr_png"`
	}
	shown := get[code](l.wang, "/orders/"+order.ID+"/code")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(shown.QRPNG, "data:image/png;base64,"))
	require.NoError(t, err)
	qr, err := png.Decode(bytes.NewReader(raw))
	require.NoError(t, err)
	require.Equal(t, qr.Bounds().Dx(), qr.Bounds().Dy())
	require.Len(t, shown.ShortCode, 10)

	scan := func(p *person, store, text, key string) answer {
		return p.do(http.MethodPost, "/redemptions", object{"code": text, "store_id": store}, "Idempotency-Key", key)
	}
	other := l.staff(l.c.shops[1].clerk)
	foreign := scan(other, l.c.shops[1].storeID, shown.Code, freshKey())
	require.Equal(t, "market.code_other_merchant", foreign.code())
	forged := scan(l.clerk, shop.storeID, shown.Code+"x", freshKey())
	require.Equal(t, "market.code_forged", forged.code())
	l.clock.Advance(3 * time.Minute)
	require.Equal(t, "market.code_expired", scan(l.clerk, shop.storeID, shown.Code, freshKey()).code())

	shown = get[code](l.wang, "/orders/"+order.ID+"/code")
	preview := into[struct {
		OrderID string `json:"order_id"`
		CashFen int64  `json:"cash_fen"`
	}](t, l.clerk.do(http.MethodPost, "/redemptions/preview", object{"short_code": shown.ShortCode, "store_id": shop.storeID}))
	require.Equal(t, order.ID, preview.OrderID)
	require.EqualValues(t, 3000, preview.CashFen)
	scanKey := freshKey()
	first := scan(l.clerk, shop.storeID, shown.Code, scanKey)
	redeemed := into[struct {
		OrderID string `json:"order_id"`
		Points  int64
		CashFen int64 `json:"cash_fen"`
	}](t, first)
	require.Equal(t, order.ID, redeemed.OrderID)
	require.EqualValues(t, 5, redeemed.Points)
	require.EqualValues(t, 3000, redeemed.CashFen)
	replay := scan(l.clerk, shop.storeID, shown.Code, scanKey)
	require.Equal(t, first.status, replay.status)
	require.JSONEq(t, string(first.body), string(replay.body), "a replay is the first answer")
	again := scan(l.clerk, shop.storeID, shown.Code, freshKey())
	require.Equal(t, 409, again.status)
	require.Equal(t, "market.code_used", again.code())
	require.Equal(t, wallet{5, 0, 5}, get[wallet](l.wang, "/wallet"))
	require.Len(t, get[list[struct{}]](l.clerk, "/redemptions/today").Items, 1)

	type why struct {
		ID     string
		Facts  []struct{ Label, Value string }
		People []struct{ Part, Name string }
	}
	spent := get[list[why]](l.wang, "/wallet/entries?kind=capture").Items
	require.Len(t, spent, 1)
	told := get[why](l.wang, "/wallet/entries/"+spent[0].ID)
	facts := map[string]string{}
	for _, f := range told.Facts {
		facts[f.Label] = f.Value
	}
	require.Contains(t, facts["福利"], "《")
	require.Equal(t, "30.00 元", facts["到店应付"])
	require.Equal(t, order.ID, facts["兑换单"])
	for _, label := range []string{"商户", "门店", "核销时间"} {
		require.NotEmpty(t, facts[label], label)
	}
	require.Len(t, told.People, 1)
	require.Equal(t, "核销", told.People[0].Part)

	// One more order is given back.
	cancelled := post[placed](l.wang, "/orders", object{"benefit_id": l.c.shops[1].benefitID})
	require.Equal(t, wallet{0, 5, 5}, get[wallet](l.wang, "/wallet"))
	short := l.wang.do(http.MethodPost, "/orders", object{"benefit_id": shop.benefitID}, "Idempotency-Key", freshKey())
	require.Equal(t, "ledger.insufficient_points", short.code(), short.String())
	post[struct{}](l.wang, "/orders/"+cancelled.ID+"/cancel", object{"reason": "临时有事"})
	require.Equal(t, wallet{5, 0, 5}, get[wallet](l.wang, "/wallet"))
}

// runJob asks for a job over HTTP and waits for its end.
func (l *loop) runJob(t *testing.T, name string) string {
	t.Helper()
	type job struct{ ID, Status, Result, Error string }
	l.clock.Advance(time.Second) // two runs at one instant are one
	started := post[job](l.operator, "/jobs/"+name+"/runs", nil)
	var last job
	require.Eventually(t, func() bool {
		for _, r := range get[list[job]](l.operator, "/jobs/"+name+"/runs").Items {
			if r.ID == started.ID {
				last = r
			}
		}
		return last.Status != "running"
	}, bootWait, 20*time.Millisecond)
	require.Equal(t, "succeeded", last.Status, last.Error)
	return last.Result
}

func (l *loop) settles(t *testing.T) {
	l.runJob(t, "settlement.close")
	type statement struct {
		ID         string
		Day        string
		MerchantID string `json:"merchant_id"`
		Status     string
		LineCount  int64 `json:"line_count"`
		Points     int64
		PayableFen int64 `json:"payable_fen"`
	}
	require.Empty(t, get[list[statement]](l.owner, "/settlement/statements").Items, "today is not over")

	day := clock.Today(l.clock)
	l.clock.Set(day.AddDays(1).Start().Time().Add(2*time.Hour + 5*time.Minute))
	l.login()
	for range 2 { // closing again closes nothing twice
		l.runJob(t, "settlement.close")
		got := get[list[statement]](l.owner, "/settlement/statements").Items
		require.Len(t, got, 1)
		require.Equal(t, string(day), got[0].Day)
		require.Equal(t, l.c.shops[0].merchantID, got[0].MerchantID)
		require.EqualValues(t, 1, got[0].LineCount)
		require.EqualValues(t, 5, got[0].Points)
		require.EqualValues(t, 3000, got[0].PayableFen, "¥60 less ¥30 paid at the counter")
	}
	st := get[list[statement]](l.owner, "/settlement/statements").Items[0]
	lines := get[list[struct {
		Kind       string
		Points     int64
		SubsidyFen int64  `json:"subsidy_fen"`
		CashFen    int64  `json:"cash_fen"`
		Title      string `json:"benefit_title"`
	}]](l.owner, "/settlement/statements/"+st.ID+"/lines").Items
	require.Len(t, lines, 1)
	require.Equal(t, "redemption", lines[0].Kind)
	require.Equal(t, []int64{5, 3000, 3000}, []int64{lines[0].Points, lines[0].SubsidyFen, lines[0].CashFen})
	require.Equal(t, "2D 电影票", lines[0].Title)
	stranger := l.staff(l.c.shops[1].owner)
	require.Equal(t, 404, stranger.do(http.MethodGet, "/settlement/statements/"+st.ID, nil).status, "another merchant's statement")
	require.Empty(t, get[list[statement]](stranger, "/settlement/statements").Items)
	require.Equal(t, "confirmed", post[statement](l.owner, "/settlement/statements/"+st.ID+"/confirm", nil).Status)
}

func (l *loop) ranks(t *testing.T) {
	l.runJob(t, "leaderboard.build")
	l.runJob(t, "leaderboard.consents")
	type me struct {
		Points     int64
		Rank       *int64
		Consenting bool
	}
	mine := get[me](l.wang, "/leaderboard/me")
	require.True(t, mine.Consenting)
	require.EqualValues(t, 10, mine.Points, "spending takes nothing from a rank")
	require.NotNil(t, mine.Rank)
	require.EqualValues(t, 1, *mine.Rank)
	board := func() []struct {
		MaskedName string `json:"masked_name"`
		Points     int64
		Me         bool
	} {
		return get[list[struct {
			MaskedName string `json:"masked_name"`
			Points     int64
			Me         bool
		}]](l.wang, "/leaderboard?level=village").Items
	}
	shown := board()
	require.Len(t, shown, 1)
	require.True(t, shown[0].Me)
	require.NotContains(t, shown[0].MaskedName, "秀英")

	require.Equal(t, 204, l.wang.do(http.MethodDelete, "/consents/leaderboard", nil).status)
	l.runJob(t, "leaderboard.consents")
	require.Empty(t, board(), "who withdraws the consent leaves the board")
	require.Nil(t, get[me](l.wang, "/leaderboard/me").Rank)
}

func (l *loop) proves(t *testing.T) {
	require.Equal(t, "sound", l.runJob(t, "audit"))
	requireSound(t, l.env, l.clock)
	log := get[list[struct{ Action string }]](l.rev, "/audit-log").Items
	var actions []string
	for _, e := range log {
		actions = append(actions, e.Action)
	}
	require.Contains(t, actions, "job.run", fmt.Sprint(actions))
}
