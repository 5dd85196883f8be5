package app

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
)

// password of every staff member of the test county.
const password = "correct horse battery"

// bootWait bounds every wait for a program; it is no measure of speed.
const bootWait = 60 * time.Second

func defaults(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../../config.yaml")
	require.NoError(t, err)
	return text
}

// environ is the environment of a program on that database: demo mode with
// cheap passwords, no rate limits, no cron and a port of the kernel's choice.
func environ(t testing.TB, db database.Config, more ...string) []string {
	t.Helper()
	return append([]string{
		"JMK_DATABASE_DRIVER=" + string(db.Driver), "JMK_DATABASE_SQLITE_PATH=" + db.SQLitePath, "JMK_DATABASE_MYSQL_DSN=" + db.MySQLDSN,
		"JMK_FILES_PATH=" + t.TempDir(), "JMK_HTTP_ADDR=127.0.0.1:0", "JMK_JOBS_ENABLED=false", "JMK_QUEUE_POLL_INTERVAL=50ms",
		"JMK_AUTH_PASSWORD_MEMORY_MB=1", "JMK_AUTH_PASSWORD_PASSES=1", "JMK_LOG_LEVEL=warn",
		"JMK_LIMITS_LOGIN_PER_MINUTE=600000", "JMK_LIMITS_LOGIN_BURST=100000",
		"JMK_LIMITS_REDEMPTION_PER_MINUTE=600000", "JMK_LIMITS_REDEMPTION_BURST=100000",
		"JMK_LIMITS_UNMASK_PER_MINUTE=600000", "JMK_LIMITS_UNMASK_BURST=100000", "JMK_LIMITS_SEARCH_PER_MINUTE=600000", "JMK_LIMITS_SEARCH_BURST=100000",
		"JMK_LIMITS_VERIFY_PER_MINUTE=600000", "JMK_LIMITS_VERIFY_BURST=100000", "JMK_LIMITS_TAKEOUT_PER_MINUTE=600000", "JMK_LIMITS_TAKEOUT_BURST=100000",
	}, more...)
}

// openApp puts the program together without serving, for seeding and for
// looking at the database.
func openApp(t testing.TB, env []string, c clock.Clock) *App {
	t.Helper()
	cfg, err := config.Load(defaults(t), "", env)
	require.NoError(t, err)
	a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

// output is what a program writes; safe for several writers.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// run carries out one command in this process and returns its exit code and
// what it wrote.
func run(t testing.TB, env []string, c clock.Clock, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr output
	p := Program{Defaults: defaults(t), Environ: env, Out: &stdout, Err: &stderr, Clock: c}
	code = p.Run(t.Context(), args)
	return code, stdout.String(), stderr.String()
}

// requireSound runs jiamenkou audit.
func requireSound(t testing.TB, env []string, c clock.Clock) {
	t.Helper()
	code, out, errs := run(t, env, c, "audit")
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "nothing was lost")
}

// site is a running program and how to call it.
type site struct {
	t    testing.TB
	base string
	http *http.Client
	stop func()
}

var nonce atomic.Int64

func newSite(t testing.TB, addr string) *site {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{t: t, base: "http://" + addr, http: &http.Client{Transport: transport, Timeout: bootWait}}
}

// serve boots the program as main does and stops it, with exit code 0, when
// the test ends.
func serve(t testing.TB, env []string, c clock.Clock) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var stdout, stderr output
	listening, exit := make(chan string, 1), make(chan int, 1)
	p := Program{
		Defaults: defaults(t), Environ: env, Out: &stdout, Err: &stderr, Clock: c,
		Listening: func(addr string) { listening <- addr },
	}
	go func() { exit <- p.Run(ctx, []string{"serve"}) }()
	var s *site
	select {
	case addr := <-listening:
		s = newSite(t, addr)
	case code := <-exit:
		cancel()
		require.FailNow(t, "the program did not start", "exit %d: %s", code, stderr.String())
	case <-time.After(bootWait):
		cancel()
		require.FailNow(t, "the program does not listen", stderr.String())
	}
	t.Cleanup(func() {
		if t.Failed() { // what the program logged is the first thing to look at
			t.Logf("the program's log:\n%s", stderr.String())
		}
	})
	s.stop = sync.OnceFunc(func() {
		s.http.CloseIdleConnections()
		cancel()
		select {
		case code := <-exit:
			require.Zero(t, code, stderr.String())
		case <-time.After(bootWait):
			require.FailNow(t, "the program does not stop")
		}
	})
	t.Cleanup(s.stop)
	return s
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// code is the problem's code, "" if the answer is none.
func (a answer) code() string {
	var p struct{ Code string }
	if json.Unmarshal(a.body, &p) != nil {
		return ""
	}
	return p.Code
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// try sends one request. headers are pairs.
func (s *site) try(ctx context.Context, method, path, token string, body any, headers ...string) (answer, error) {
	var reader io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, raw}, err
}

func (s *site) call(method, path, token string, body any, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(s.t.Context(), method, path, token, body, headers...)
	require.NoError(s.t, err)
	return a
}

// person is somebody logged in on one surface.
type person struct {
	*site
	prefix string // /mp/v1 or /api/v1
	token  string
	id     string
}

func (p *person) do(method, path string, body any, headers ...string) answer {
	p.t.Helper()
	return p.call(method, p.prefix+path, p.token, body, headers...)
}

// into requires a 2xx answer and decodes it.
func into[T any](t testing.TB, a answer) (out T) {
	t.Helper()
	require.Equal(t, 2, a.status/100, a.String())
	if len(a.body) > 0 {
		require.NoError(t, json.Unmarshal(a.body, &out), a.String())
	}
	return out
}

func get[T any](p *person, path string) T {
	p.t.Helper()
	return into[T](p.t, p.do(http.MethodGet, path, nil))
}

// post sends a body under a fresh idempotency key.
func post[T any](p *person, path string, body any) T {
	p.t.Helper()
	return into[T](p.t, p.do(http.MethodPost, path, body, "Idempotency-Key", freshKey()))
}

func freshKey() string { return "test-key-" + strconv.FormatInt(nonce.Add(1), 10) }

// object is a JSON object to send.
type object = map[string]any

// list is a page of T.
type list[T any] struct {
	Items []T
	Next  string
}

// resident logs a person in by the mini-program.
func (s *site) resident(name string) *person {
	s.t.Helper()
	code := fmt.Sprintf("demo-%s-t%d", name, nonce.Add(1))
	in := into[struct {
		Tokens struct {
			AccessToken string `json:"access_token"`
		}
		ResidentID string `json:"resident_id"`
	}](s.t, s.call(http.MethodPost, "/mp/v1/auth/login", "", object{"code": code}))
	return &person{site: s, prefix: "/mp/v1", token: in.Tokens.AccessToken, id: in.ResidentID}
}

// staff logs a staff member in by the console.
func (s *site) staff(username string) *person {
	s.t.Helper()
	in := into[struct {
		AccessToken string `json:"access_token"`
		StaffID     string `json:"staff_id"`
	}](s.t, s.call(http.MethodPost, "/api/v1/auth/login", "", object{"username": username, "password": password}))
	return &person{site: s, prefix: "/api/v1", token: in.AccessToken, id: in.StaffID}
}

// upload sends one picture of a case.
func (p *person) upload(file []byte) answer {
	p.t.Helper()
	return p.uploadTo("/attachments", file)
}

// uploadTo sends one file.
func (p *person) uploadTo(path string, file []byte) answer {
	p.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "photo.jpg")
	require.NoError(p.t, err)
	_, err = part.Write(file)
	require.NoError(p.t, err)
	require.NoError(p.t, form.Close())
	return p.do(http.MethodPost, path, b.Bytes(), "Content-Type", form.FormDataContentType())
}

// photo is a JPEG; shade makes two of them differ.
func photo(t testing.TB, shade byte) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range img.Pix {
		img.Pix[i] = byte(i) + shade
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// The test county's staff, by user name.
const (
	operatorName  = "operator"
	auditorName   = "auditor"
	organizerName = "organizer"
	gridName      = "gridworker"
)

// shop is one merchant with a store and a published benefit.
type shop struct {
	merchantID, storeID, benefitID string
	owner, clerk                   string // user names
}

// county is what seed made.
type county struct {
	countyID, townID string
	villages         []string
	operator         authz.Actor
	shops            []shop
	residents        []authz.Actor // by seed's residents
}

// want says how large the county is to be.
type want struct {
	shops     int
	residents int   // logged in as r0, r1, …, at home in the first village
	signIn    int64 // points of a daily sign-in; 0 means 1
	stock     int64 // of each benefit; 0 means 10
}

// seed makes a county of one town and two villages with its staff through the
// services, and notes that no demo county is wanted.
func seed(t testing.TB, a *App, w want) *county {
	t.Helper()
	ctx, root, now := t.Context(), authz.System("test"), clock.Now(a.clock)
	execute(t, a, "INSERT INTO demo_load (id, started_at, finished_at) VALUES (1, ?, ?)", now, now)
	_, err := a.Region.Import(ctx, root, strings.NewReader("code,parent_code,level,name\n"+
		"330481000000,,county,海宁市\n330481001000,330481000000,town,硖石街道\n"+
		"330481001001,330481001000,village,火炬社区\n330481001002,330481001000,village,西山社区\n"))
	require.NoError(t, err)
	c := &county{}
	regions := map[string]model.Region{}
	var rows []model.Region
	require.NoError(t, a.db.Read(ctx).Order("code").Find(&rows).Error)
	for _, r := range rows {
		regions[r.Name] = r
	}
	c.countyID, c.townID = regions["海宁市"].ID, regions["硖石街道"].ID
	c.villages = []string{regions["火炬社区"].ID, regions["西山社区"].ID}

	staff := func(username string, role authz.Role, regionID string) identity.NewStaff {
		return identity.NewStaff{
			Username: username, Password: password, Name: "测试员", Grants: []identity.NewGrant{{Role: role, RegionID: regionID}},
		}
	}
	ids, err := a.Identity.CreateStaff(ctx, root, []identity.NewStaff{
		staff(operatorName, authz.RoleOperator, c.countyID), staff(auditorName, authz.RoleAuditor, c.countyID),
		staff(organizerName, authz.RoleOrganizer, c.townID), staff(gridName, authz.RoleGridWorker, c.townID),
	})
	require.NoError(t, err)
	c.operator = authz.Actor{Kind: authz.KindStaff, ID: ids[0], Grants: []authz.Grant{
		{Role: authz.RoleOperator, RegionID: c.countyID, RegionPath: regions["海宁市"].Path},
	}}
	seedPolicies(t, a, c, max(1, w.signIn))
	for i := range w.shops {
		c.shops = append(c.shops, seedShop(t, a, c, i, max(1, w.stock)))
	}
	c.residents = seedResidents(t, a, w.residents, regions["火炬社区"])
	return c
}

func seedPolicies(t testing.TB, a *App, c *county, signIn int64) {
	t.Helper()
	ctx, today := t.Context(), clock.Today(a.clock)
	budget, err := a.Policy.CreateBudget(ctx, c.operator, policy.BudgetInput{
		RegionID: c.countyID, Name: "志愿积分预算", StartsOn: today, EndsOn: today.AddDays(365), LimitPoints: 1_000_000,
	})
	require.NoError(t, err)
	for _, r := range []policy.RuleInput{
		{EventKind: model.EventVolunteerService, Points: 2, PerMinutes: 60, MaxPoints: 16, DailyCap: 2, ObjectCap: 1, Note: "每满一小时 2 分"},
		{EventKind: model.EventArticleRead, Points: 1, MaxPoints: 1, DailyCap: 3, ObjectCap: 1, Note: "读完一篇 1 分"},
		{EventKind: model.EventReportVerified, Points: 5, MaxPoints: 5, DailyCap: 2, ObjectCap: 1, Note: "上报经核实 5 分"},
		{EventKind: model.EventDailySignIn, Points: signIn, MaxPoints: signIn, DailyCap: 1, ObjectCap: 1, Note: "每日签到"},
	} {
		r.RegionID, r.BudgetID, r.Expiry = c.countyID, budget.ID, model.ExpiryEndOfNextYear
		_, err := a.Policy.PublishRule(ctx, c.operator, r)
		require.NoError(t, err)
	}
}

// seedShop makes a cinema: a ticket of ¥60 for 5 points and ¥30.
func seedShop(t testing.TB, a *App, c *county, i int, stock int64) shop {
	t.Helper()
	ctx, now := t.Context(), clock.Now(a.clock)
	m, err := a.Market.CreateMerchant(ctx, c.operator, market.MerchantInput{RegionID: c.townID, Name: fmt.Sprintf("影院%d", i), Category: "cinema"})
	require.NoError(t, err)
	_, err = a.Market.MoveMerchant(ctx, c.operator, m.ID, model.MerchantActive, "签约")
	require.NoError(t, err)
	store, err := a.Market.CreateStore(ctx, c.operator, m.ID, market.StoreInput{Name: "一号店", Address: "工人路 1 号"})
	require.NoError(t, err)
	s := shop{merchantID: m.ID, storeID: store.ID, owner: fmt.Sprintf("owner%d", i), clerk: fmt.Sprintf("clerk%d", i)}
	grant := func(role authz.Role) []identity.NewGrant {
		return []identity.NewGrant{{Role: role, MerchantID: m.ID, MerchantRegionID: c.townID}}
	}
	ids, err := a.Identity.CreateStaff(ctx, authz.System("test"), []identity.NewStaff{
		{Username: s.owner, Password: password, Name: "老板", Grants: grant(authz.RoleOwner)},
		{Username: s.clerk, Password: password, Name: "店员", Grants: grant(authz.RoleClerk)},
	})
	require.NoError(t, err)
	owner := authz.Actor{Kind: authz.KindStaff, ID: ids[0], Grants: []authz.Grant{{Role: authz.RoleOwner, MerchantID: m.ID}}}
	days := int64(14)
	b, err := a.Market.CreateBenefit(ctx, owner, m.ID, market.BenefitInput{
		RegionID: c.countyID, Title: "2D 电影票", Description: "任意场次", Category: "cinema", PointsPrice: 5, CashPriceFen: 3000,
		OriginalPriceFen: 6000, PerPersonLimit: 100, RedeemDays: &days, ValidFrom: now, ValidUntil: now.Add(365 * 24 * time.Hour),
	})
	require.NoError(t, err)
	s.benefitID = b.ID
	_, err = a.Market.MoveBenefit(ctx, owner, b.ID, market.BenefitSubmit, "")
	require.NoError(t, err)
	_, err = a.Market.MoveBenefit(ctx, c.operator, b.ID, market.BenefitApprove, "")
	require.NoError(t, err)
	_, err = a.Market.AddRelease(ctx, owner, b.ID, market.ReleaseInput{
		StartsAt: now, EndsAt: now.Add(300 * 24 * time.Hour), Total: stock, IdempotencyKey: a.clock.NewID(),
	})
	require.NoError(t, err)
	return s
}

func seedResidents(t testing.TB, a *App, n int, home model.Region) (out []authz.Actor) {
	t.Helper()
	if n == 0 {
		return nil
	}
	in := make([]identity.NewResident, n)
	for i := range in {
		in[i] = identity.NewResident{OpenID: a.sim.OpenID(fmt.Sprintf("r%d", i)), Nickname: fmt.Sprintf("居民%d", i), HomeRegionID: home.ID}
	}
	ids, err := a.Identity.CreateResidents(t.Context(), authz.System("test"), in)
	require.NoError(t, err)
	for _, id := range ids {
		r := authz.Actor{Kind: authz.KindResident, ID: id, RegionID: home.ID, RegionPath: home.Path}
		_, err := a.Reading.SignIn(t.Context(), r)
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

func execute(t testing.TB, a *App, query string, args ...any) {
	t.Helper()
	_, err := a.db.WriteSQL().ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}

// count asks the database for one number, past the program.
func count(t testing.TB, db *sql.DB, query string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), query, args...).Scan(&n))
	return n
}

// bothDrivers runs test on each engine with the configuration of an empty
// migrated database.
func bothDrivers(t *testing.T, test func(t *testing.T, db database.Config)) {
	t.Helper()
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) { test(t, databasetest.Config(t, driver)) })
	}
}
