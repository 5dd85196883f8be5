package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/reading"
)

// manyRows is from how many rows on a table must not be read whole.
const manyRows = 250

// statement is one that a call has run, with its arguments.
type statement struct {
	call, sql string
	args      []any
}

// recorder notes what goes to the database, by the call during which it goes.
type recorder struct {
	mu   sync.Mutex
	call string
	all  []statement
}

func record(t *testing.T, a *App) *recorder {
	t.Helper()
	r := &recorder{}
	note := func(tx *gorm.DB) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.call != "" && !tx.DryRun && tx.Statement.SQL.Len() > 0 { // a dry run builds a part of another
			r.all = append(r.all, statement{r.call, tx.Statement.SQL.String(), slices.Clone(tx.Statement.Vars)})
		}
	}
	listen := func(db *gorm.DB) {
		on := db.Callback()
		require.NoError(t, on.Query().Register("test:record", note))
		require.NoError(t, on.Row().Register("test:record", note))
		require.NoError(t, on.Raw().Register("test:record", note))
		require.NoError(t, on.Create().Register("test:record", note))
		require.NoError(t, on.Update().Register("test:record", note))
		require.NoError(t, on.Delete().Register("test:record", note))
	}
	listen(a.db.Read(t.Context()))
	if a.db.Driver() == database.SQLite { // writes have a pool of their own
		require.NoError(t, database.InTx(t.Context(), a.db, func(tx *gorm.DB) error {
			listen(tx)
			return nil
		}))
	}
	return r
}

// during notes the statements of fn under a name and returns how many they are.
func (r *recorder) during(call string, fn func()) int {
	r.mu.Lock()
	r.call = call
	before := len(r.all)
	r.mu.Unlock()
	fn()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call = ""
	return len(r.all) - before
}

// town is a county in which the hot calls are made.
type town struct {
	*recorder
	t       *testing.T
	a       *App
	c       *county
	clock   *clock.Manual
	site    *site
	article string
	visits  int
	pages   int
	towns   int

	elsewhere []string // villages of another town
}

func newTown(t *testing.T, db database.Config) *town {
	t.Helper()
	c := newClock()
	a := openApp(t, environ(t, db), c)
	w := &town{t: t, a: a, clock: c, c: seed(t, a, want{shops: 1, residents: 1, signIn: 50, stock: 100_000}), site: around(t, a), recorder: record(t, a)}
	t.Cleanup(func() { require.NoError(t, a.drainBatches(context.Background())) })
	w.article = w.publish("县里的新播报")
	return w
}

func (w *town) publish(title string) string {
	w.t.Helper()
	draft, err := w.a.Reading.Create(w.t.Context(), w.c.operator, w.c.countyID, reading.ArticleInput{Title: title, Body: "正文。", MinSeconds: 20})
	require.NoError(w.t, err)
	_, err = w.a.Reading.Publish(w.t.Context(), w.c.operator, reading.Change{ArticleID: draft.ID, Version: draft.Version})
	require.NoError(w.t, err)
	return draft.ID
}

// hot makes every call that is made often, or by many at once, each by somebody
// whom no cache knows, and returns the number of statements of each.
func (w *town) hot() map[string]int {
	w.t.Helper()
	w.visits++
	w.clock.Advance(24 * time.Hour) // a new day: signing in is possible again
	n := map[string]int{}
	var me *person
	var tokens struct {
		Tokens struct {
			AccessToken  string `json:"access_token"`
			RefreshToken string `json:"refresh_token"`
		}
	}
	n["login"] = w.during("login", func() {
		tokens = into[struct {
			Tokens struct {
				AccessToken  string `json:"access_token"`
				RefreshToken string `json:"refresh_token"`
			}
		}](w.t, w.site.call(http.MethodPost, "/mp/v1/auth/login", "", object{"code": fmt.Sprintf("demo-r0-p%d", w.visits)}))
	})
	me = &person{site: w.site, prefix: "/mp/v1", token: tokens.Tokens.AccessToken}
	do := func(call, method, path string, body any) answer {
		w.clock.Advance(10 * time.Second) // past what the server remembers of a session
		var out answer
		n[call] = w.during(call, func() { out = me.do(method, path, body, "Idempotency-Key", freshKey()) })
		require.Equal(w.t, 2, out.status/100, "%s: %s", call, out)
		return out
	}
	type item struct{ ID string }
	require.Equal(w.t, 2, me.do(http.MethodPut, "/consents/leaderboard", object{"version": "v1"}).status/100)
	do("sign in", http.MethodPost, "/sign-ins", nil)
	w.reads(me, do)
	do("wallet", http.MethodGet, "/wallet", nil)
	entries := into[list[item]](w.t, do("wallet entries", http.MethodGet, "/wallet/entries?limit=1", nil))
	do("wallet entries, next page", http.MethodGet, "/wallet/entries?limit=10&cursor="+entries.Next, nil)
	do("wallet entries of a kind", http.MethodGet, "/wallet/entries?kind=earn", nil)
	do("wallet entry", http.MethodGet, "/wallet/entries/"+entries.Items[0].ID, nil)
	do("wallet months", http.MethodGet, "/wallet/months?from=2026-01&to=2026-12", nil)
	do("earnings today", http.MethodGet, "/earnings/today", nil)
	do("sign-in of today", http.MethodGet, "/sign-ins/today", nil)
	do("unread count", http.MethodGet, "/messages/unread-count", nil)
	do("messages", http.MethodGet, "/messages", nil)
	do("next releases", http.MethodGet, "/releases/next", nil)
	do("articles", http.MethodGet, "/articles", nil)
	do("unread articles", http.MethodGet, "/articles?unread=true", nil)
	do("article", http.MethodGet, "/articles/"+w.article, nil)
	w.shops(do)
	for range 2 { // the leaderboards follow with a delay
		w.clock.Advance(time.Minute)
		n["build leaderboards"] = w.during("build leaderboards", func() { w.must(w.a.Leaderboard.Build(w.t.Context())) })
	}
	do("leaderboard", http.MethodGet, "/leaderboard", nil)
	do("my rank", http.MethodGet, "/leaderboard/me", nil)
	w.clock.Advance(10 * time.Second)
	n["refresh"] = w.during("refresh", func() {
		out := w.site.call(http.MethodPost, "/mp/v1/auth/refresh", "", object{"refresh_token": tokens.Tokens.RefreshToken})
		require.Equal(w.t, 200, out.status, out)
	})
	return n
}

type caller func(call, method, path string, body any) answer

// reads takes an article to its end.
func (w *town) reads(_ *person, do caller) {
	w.t.Helper()
	fresh := w.publish(fmt.Sprintf("第 %d 天的播报", w.visits))
	type session struct {
		ID               string
		SecondsLeft      int64 `json:"seconds_left"`
		HeartbeatSeconds int64 `json:"heartbeat_seconds"`
	}
	s := into[session](w.t, do("start reading", http.MethodPost, "/articles/"+fresh+"/reading-sessions", nil))
	for range 10 {
		w.clock.Advance(time.Duration(s.HeartbeatSeconds) * time.Second)
		s = into[session](w.t, do("beat", http.MethodPost, "/reading-sessions/"+s.ID+"/beats", nil))
		if s.SecondsLeft == 0 {
			break
		}
	}
	require.Zero(w.t, s.SecondsLeft)
	do("complete reading", http.MethodPost, "/reading-sessions/"+s.ID+"/complete", nil)
}

// shops orders twice: once to redeem, once to cancel.
func (w *town) shops(do caller) {
	w.t.Helper()
	shop := w.c.shops[0]
	do("benefits", http.MethodGet, "/benefits", nil)
	do("benefit categories", http.MethodGet, "/benefits/categories", nil)
	do("benefit", http.MethodGet, "/benefits/"+shop.benefitID, nil)
	order := func() string {
		return into[struct{ ID string }](w.t, do("order", http.MethodPost, "/orders", object{"benefit_id": shop.benefitID})).ID
	}
	first, second := order(), order()
	do("orders", http.MethodGet, "/orders", nil)
	do("held orders", http.MethodGet, "/orders?status=held", nil)
	do("one order", http.MethodGet, "/orders/"+first, nil)
	code := into[struct{ Code string }](w.t, do("code", http.MethodGet, "/orders/"+first+"/code", nil))
	clerk := w.site.staff(shop.clerk)
	scan := func(call, path string) {
		w.during(call, func() {
			out := clerk.do(http.MethodPost, path, object{"code": code.Code, "store_id": shop.storeID}, "Idempotency-Key", freshKey())
			require.Equal(w.t, 2, out.status/100, "%s: %s", call, out)
		})
	}
	scan("preview", "/redemptions/preview")
	scan("redeem", "/redemptions")
	do("cancel", http.MethodPost, "/orders/"+second+"/cancel", object{"reason": "临时有事"})
}

func (w *town) must(_ any, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
}

// grow fills the tables: residents with a history each, and around them rows of
// others.
func (w *town) grow(n int) {
	w.t.Helper()
	ctx := w.t.Context()
	village := model.Region{}
	require.NoError(w.t, w.a.db.Read(ctx).First(&village, "id = ?", w.c.villages[0]).Error)
	in := make([]identity.NewResident, n)
	for i := range in {
		in[i] = identity.NewResident{OpenID: w.a.sim.OpenID(fmt.Sprintf("crowd%d", i)), Nickname: fmt.Sprintf("居民%d", i), HomeRegionID: village.ID}
	}
	ids, err := w.a.Identity.CreateResidents(ctx, authz.System("test"), in)
	require.NoError(w.t, err)
	clerk := w.a.clerkOf(w.t, w.c.shops[0])
	w.together(len(ids), func(i int) error {
		r := authz.Actor{Kind: authz.KindResident, ID: ids[i], RegionID: village.ID, RegionPath: village.Path}
		if _, err := w.a.Reading.SignIn(ctx, r); err != nil {
			return err
		}
		o, err := w.a.Market.Order(ctx, r, market.OrderInput{BenefitID: w.c.shops[0].benefitID, IdempotencyKey: fmt.Sprintf("crowd-%06d", i)})
		if err != nil || i%2 == 0 {
			return err
		}
		code, err := w.a.Market.Code(ctx, r, o.OrderID)
		if err != nil {
			return err
		}
		_, err = w.a.Market.Redeem(ctx, clerk, market.RedeemInput{
			Scan: market.Scan{Code: code.Code, StoreID: w.c.shops[0].storeID}, IdempotencyKey: fmt.Sprintf("crowd-%06d", i),
		})
		return err
	})
	w.surround(n, ids)
}

// together does something n times, by many at once, as the combiners like it.
func (w *town) together(n int, do func(i int) error) {
	w.t.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	for lane := range 32 {
		all.Go(func() {
			for i := lane; i < n; i += 32 {
				errs[i] = do(i)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(w.t, err)
	}
}

// surround copies rows that no service makes in numbers.
func (w *town) surround(n int, residents []string) {
	w.t.Helper()
	now := clock.Now(w.clock)
	id := w.clock.NewID
	article := one[model.Article](w, "id = ?", w.article)
	fill(w, n, func(i int) model.Article {
		row := article
		row.ID, row.Title = id(), fmt.Sprintf("播报 %d", i)
		row.RegionID = append(w.c.villages, w.c.countyID, w.c.townID)[i%4]
		return row
	})
	session := one[model.Session](w, "kind = 'resident'")
	fill(w, n, func(i int) model.Session {
		row := session
		row.ID, row.PrincipalID = id(), residents[i]
		return row
	})
	token := one[model.RefreshToken](w, "1 = 1")
	fill(w, n, func(int) model.RefreshToken {
		row := token
		row.ID, row.Hash, row.ReplacedBy, row.UsedAt = id(), id(), nil, nil
		return row
	})
	mine := w.c.residents[0].ID
	fill(w, 2*n, func(i int) model.Message {
		who := residents[i/2]
		if i%2 == 0 {
			who = mine
		}
		return model.Message{ID: id(), ResidentID: &who, JobID: id(), Topic: "market.redeemed", Title: "已核销", Body: "已核销。", CreatedAt: now}
	})
	fill(w, n, func(i int) model.ReadingSession {
		return model.ReadingSession{
			ID: id(), ArticleID: w.article, ResidentID: residents[i], Status: model.ReadingExpired, EndReason: new(model.ReadingEnd("timed_out")),
			MinSeconds: 20, StartedAt: now, LastBeatAt: now, EndedAt: &now,
		}
	})
	fill(w, n, func(i int) model.QueueJob {
		row := model.QueueJob{ID: id(), Kind: w.a.worker.Kinds()[0], Payload: "null", Status: model.QueueDone, DueAt: now, CreatedAt: now, FinishedAt: &now}
		if i%2 == 0 {
			row.Status, row.FinishedAt, row.DueAt = model.QueuePending, nil, now.Add(time.Duration(i)*time.Hour)
		}
		return row
	})
	w.stock(n)
}

// stock makes more benefits, each with a release.
func (w *town) stock(n int) {
	benefit := one[model.Benefit](w, "id = ?", w.c.shops[0].benefitID)
	release := one[model.BenefitRelease](w, "benefit_id = ?", benefit.ID)
	var benefits, releases []string
	fill(w, n, func(i int) model.Benefit {
		row := benefit
		row.ID, row.Title = w.clock.NewID(), fmt.Sprintf("福利 %d", i)
		if i%10 > 0 {
			row.RegionID = w.c.villages[1] // where nobody here lives
		}
		benefits = append(benefits, row.ID)
		return row
	})
	fill(w, n, func(i int) model.BenefitRelease {
		row := release
		row.ID, row.BenefitID, row.IdempotencyKey = w.clock.NewID(), benefits[i], fmt.Sprintf("release-%06d", i)
		releases = append(releases, row.ID)
		return row
	})
	fill(w, n, func(i int) model.BenefitStock {
		return model.BenefitStock{ReleaseID: releases[i], Total: 100, Remaining: 100, Version: 1}
	})
}

func one[T any](w *town, where string, args ...any) (row T) {
	w.t.Helper()
	require.NoError(w.t, w.a.db.Read(w.t.Context()).Where(where, args...).Limit(1).Take(&row).Error)
	return row
}

func fill[T any](w *town, n int, row func(i int) T) {
	w.t.Helper()
	rows := make([]T, n)
	for i := range rows {
		rows[i] = row(i)
	}
	require.NoError(w.t, database.InTx(w.t.Context(), w.a.db, func(tx *gorm.DB) error { return tx.CreateInBatches(rows, 200).Error }))
}

// clerkOf is the clerk of a shop, as logged in.
func (a *App) clerkOf(t *testing.T, s shop) authz.Actor {
	t.Helper()
	login, err := a.Identity.LoginStaff(t.Context(), s.clerk, password)
	require.NoError(t, err)
	actor, err := a.Identity.Authenticate(t.Context(), login.AccessToken)
	require.NoError(t, err)
	return actor
}

// catchUp lets the jobs do what the crowd has left to them: a batch of all rows
// would rightly read a table as a whole.
func (w *town) catchUp() {
	w.t.Helper()
	ctx := w.t.Context()
	w.clock.Advance(10 * time.Minute)
	w.must(w.a.Ledger.LinkTransfers(ctx))
	w.must(w.a.Ledger.Seal(ctx))
	w.must(w.a.Leaderboard.Build(ctx))
}

// background runs what cron and the queue run again and again.
func (w *town) background() {
	w.t.Helper()
	ctx := w.t.Context()
	for _, job := range []struct {
		name string
		run  func() error
	}{
		{"link transfers", func() error { _, err := w.a.Ledger.LinkTransfers(ctx); return err }},
		{"seal", func() error { _, err := w.a.Ledger.Seal(ctx); return err }},
		{"audit of the ledger", func() error {
			_, err := w.a.Ledger.AuditStream(ctx, ledger.AuditOptions{RangeAccounts: 50, RangeRows: 50})
			return err
		}},
		{"audit of the market", w.auditOf(w.a.Market.AuditPhases())},
		{"audit of the settlement", w.auditOf(w.a.Settlement.AuditPhases())},
		{"audit of volunteering", w.auditOf(w.a.Volunteer.AuditPhases())},
		{"audit of reading", w.auditOf(w.a.Reading.AuditPhases())},
		{"audit of casework", w.auditOf(w.a.Casework.AuditPhases())},
		{"audit of the leaderboard", w.auditOf(w.a.Leaderboard.AuditPhases())},
		{"release orders", func() error { _, err := w.a.Market.ReleaseExpired(ctx); return err }},
		{"expire readings", func() error { _, err := w.a.Reading.ExpireSessions(ctx); return err }},
		{"queue", func() error { w.a.worker.Start(); return w.queued() }},
	} {
		w.during(job.name, func() { require.NoError(w.t, job.run(), job.name) })
		w.clock.Advance(time.Hour)
	}
	w.clock.Set(time.Date(2027, 12, 10, 0, 0, 0, 0, time.UTC))
	w.during("expiry notices", func() { w.must(w.a.Ledger.NoticeExpiring(ctx, w.a.cfg.Ledger.ExpiryNoticeDays)) })
	w.clock.Set(time.Date(2028, 1, 2, 0, 0, 0, 0, time.UTC))
	w.during("expire lots", func() {
		lots, err := w.a.Ledger.ExpireLots(ctx)
		require.NoError(w.t, err)
		require.Equal(w.t, 1, lots)
	})
}

// auditOf is a service's part of the audit, by small ranges.
func (w *town) auditOf(phases []ledger.AuditPhase) func() error {
	return func() error {
		_, err := w.a.Ledger.AuditRows(w.t.Context(), phases, ledger.AuditOptions{RangeRows: 50})
		return err
	}
}

// queued waits until the worker has taken a job.
func (w *town) queued() error {
	for began := time.Now(); time.Since(began) < bootWait; time.Sleep(10 * time.Millisecond) {
		if w.a.worker.Stats().Claimed > 0 {
			return w.a.worker.Close(w.t.Context())
		}
	}
	return fmt.Errorf("the worker takes no job")
}

// big is the number of rows of every table that has many.
func (w *town) big() map[string]int64 {
	w.t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	if w.a.db.Driver() == database.MySQL {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	}
	var tables []string
	require.NoError(w.t, w.a.db.Read(w.t.Context()).Raw(query).Scan(&tables).Error)
	out := map[string]int64{}
	for _, table := range tables {
		if rows := count(w.t, w.a.db.WriteSQL(), "SELECT COUNT(*) FROM "+table); rows >= manyRows {
			out[table] = rows
		}
	}
	return out
}

// analyze lets MySQL know how many rows there are, as it does by itself in
// time. On SQLite the program never runs ANALYZE: its plans are those without.
func (w *town) analyze(tables map[string]int64) {
	w.t.Helper()
	if w.a.db.Driver() == database.MySQL {
		execute(w.t, w.a, "ANALYZE TABLE "+strings.Join(slices.Sorted(maps.Keys(tables)), ", "))
	}
}

// wholeTable names the statements that may read a table from end to end, by the
// beginning of the call and a part of theirs, and why.
var wholeTable = []struct{ call, part, why string }{
	{"audit of ", "SUM(posted)", "the sum of all balances is one statement on purpose"},
	{"audit of ", "SELECT COUNT(*) FROM", "an audit counts once what it will read"},
	{"audit of ", "COUNT(DISTINCT account_id) AS n FROM seal_leaf", "an audit counts once the wallets under the newest seal"},
}

// fewValues names the columns by which most rows are found only since this test
// has few values of them: a key that begins with one is good enough.
var fewValues = map[string]string{
	"region_id":      "what lies in a place: there are few places",
	"home_region_id": "who lives there",
	"reporter_id":    "what somebody has reported: one has reported everything",
}

// TestHotCallsReadNoWholeTable explains every statement that the hot calls and
// the jobs have really run, with its arguments.
func TestHotCallsReadNoWholeTable(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		w := newTown(t, db)
		w.hot() // whose points expire a year before those of the crowd
		w.clock.Set(time.Date(2026, 12, 31, 20, 0, 0, 0, time.UTC))
		w.grow(600)
		w.furnish(600)
		w.catchUp()
		w.hot()
		w.desk()
		w.background()
		big := w.big()
		for _, table := range append(deskTables,
			"resident", "session", "refresh_token", "account", "account_balance", "journal", "transfer", "hold", "hold_lot", "lot", "lot_entry",
			"wallet_link", "seal_leaf", "award", "article", "reading_session", "daily_sign_in", "benefit", "benefit_release", "benefit_stock",
			"benefit_order", "order_history", "redemption", "leaderboard_score", "message", "queue_job",
		) {
			require.Contains(t, big, table, "too few rows to tell")
		}
		calls := map[string]bool{}
		w.analyze(big)
		seen := map[string]bool{}
		for _, s := range w.all {
			calls[s.call] = true
			if !seen[s.sql] {
				seen[s.sql] = true
				w.requireNoScan(s, big)
			}
			w.requireFollowed(s)
			w.requireKeys(s)
		}
		require.GreaterOrEqual(t, len(calls), 40, "%v", calls)
		require.Equal(t, 36, w.pages, "pages of long lists in their orders")
		require.Equal(t, 2, w.towns, "lists of a town")
	})
}

func (w *town) requireNoScan(s statement, big map[string]int64) {
	w.t.Helper()
	if slices.ContainsFunc(wholeTable, func(x struct{ call, part, why string }) bool {
		return strings.HasPrefix(s.call, x.call) && strings.Contains(s.sql, x.part)
	}) {
		return
	}
	for _, scanned := range w.scans(s) {
		// A batch that names a good part of the rows may as well read all.
		if rows, is := big[scanned]; is && int64(len(s.args)) < rows/4 {
			w.t.Errorf("%s: reads all of %s:\n%s\n%v", s.call, scanned, s.sql, s.args)
		}
	}
}

// followed are the pages of long lists that an index gives in their order: the
// beginning of the call, and of the statement that finds the rows.
var followed = []struct{ call, sql string }{
	{"/cases?", "SELECT c.*"},
	{"/service-records?", "SELECT r.*"},
	{"/residents?", "SELECT p.id, p.nickname"},
	{"/audit-log?", "SELECT a.id, a.actor_kind"},
	{"/orders?", "SELECT o.*"},
	{"/merchants/", "SELECT x.*"},
	{"/four-eyes?", "SELECT x.id AS id, 'manual_record'"},
}

// requireFollowed requires that no rows are put into order for such a page, here
// and with other numbers of rows: the statement itself says which table leads,
// unless none but the first may.
func (w *town) requireFollowed(s statement) {
	w.t.Helper()
	if !slices.ContainsFunc(followed, func(x struct{ call, sql string }) bool {
		return strings.HasPrefix(s.call, x.call) && strings.HasPrefix(s.sql, x.sql)
	}) {
		return
	}
	if told := database.InOrder(w.a.db.Read(w.t.Context())); !strings.Contains(s.sql, told) && !strings.Contains(s.sql, "LEFT JOIN region") {
		w.t.Errorf("%s: leaves it to the database which table leads\n%s", s.call, s.sql)
	}
	w.pages++
	for _, part := range w.parts(s) {
		if part.sorted {
			w.t.Errorf("%s: sorts what it finds: %+v\n%s\n%v", s.call, part, s.sql, s.args)
		}
	}
}

// townLists are the lists of one town: the beginning of the call, and the table.
var townLists = map[string]string{"town's /audit-log": "a", "town's /orders": "o"}

// requireKeys requires that, if a town's rows are put into order, this takes no
// more than an index.
func (w *town) requireKeys(s statement) {
	w.t.Helper()
	for _, part := range w.parts(s) {
		for i, r := range part.reads {
			if r.table != townLists[s.call] || !part.sorted && i > 0 {
				continue
			}
			w.towns++
			if part.sorted && !r.keyOnly {
				w.t.Errorf("%s: sorts whole rows: %+v\n%s\n%v", s.call, part, s.sql, s.args)
			}
		}
	}
}

// scans are the tables that a statement reads from end to end.
func (w *town) scans(s statement) (tables []string) {
	w.t.Helper()
	names := namesIn(s.sql)
	walks := strings.Count(s.sql, "LIMIT")
	for _, part := range w.parts(s) {
		for i, r := range part.reads {
			// The first rows in the order of an index are no whole table.
			if i == 0 && r.byIndex && !part.sorted && walks > 0 {
				walks--
			} else if r.whole {
				tables = append(tables, names[r.table])
			}
		}
	}
	return tables
}

// planPart is a SELECT of a statement: the statement itself or one within it.
type planPart struct {
	reads  []tableRead
	sorted bool
}

// tableRead is how a plan reads a table.
type tableRead struct {
	table   string
	whole   bool // from end to end, unless it stops early
	byIndex bool // and in the order of an index
	keyOnly bool // nothing but an index
}

// parts is what the database plans to do, the SELECTs in their order.
func (w *town) parts(s statement) []planPart {
	w.t.Helper()
	var order []int64
	found := map[int64]*planPart{}
	add := func(id int64, r tableRead, sorted bool) {
		if found[id] == nil {
			order, found[id] = append(order, id), &planPart{}
		}
		found[id].sorted = found[id].sorted || sorted
		if r.table != "" {
			found[id].reads = append(found[id].reads, r)
		}
	}
	if w.a.db.Driver() == database.SQLite {
		var rows []struct {
			Parent int64
			Detail string
		}
		w.explain("EXPLAIN QUERY PLAN ", s, &rows)
		names := namesIn(s.sql)
		for _, r := range rows {
			how, rest, _ := strings.Cut(r.Detail, " ")
			table, rest, _ := strings.Cut(rest, " ")
			if how != "SCAN" && how != "SEARCH" {
				table = ""
			}
			whole := how == "SCAN" || how == "SEARCH" && w.searchesMost(names[table], r.Detail)
			add(r.Parent, tableRead{
				table, whole, whole && strings.HasPrefix(rest, "USING INDEX "), strings.HasPrefix(rest, "USING COVERING INDEX "),
			}, strings.Contains(r.Detail, "FOR ORDER BY"))
		}
	} else {
		var rows []struct {
			ID                 int64
			Table, Type, Extra string
			Examined           string `gorm:"column:rows"` // such as "1 (0%)" where a filter of row ids helps
		}
		w.explain("EXPLAIN ", s, &rows)
		for _, r := range rows {
			text, _, _ := strings.Cut(r.Examined, " ")
			examined, err := strconv.ParseInt(cmp.Or(text, "0"), 10, 64)
			require.NoError(w.t, err)
			whole := (r.Type == "ALL" || r.Type == "index") && examined >= manyRows
			add(r.ID, tableRead{r.Table, whole, whole && r.Type == "index", slices.Contains(strings.Split(r.Extra, "; "), "Using index")}, strings.Contains(r.Extra, "filesort"))
		}
	}
	out := make([]planPart, len(order))
	for i, id := range order {
		out[i] = *found[id]
	}
	return out
}

// searchesMost reports whether a line of SQLite's plan is a search by a key's
// first columns that leave most rows.
func (w *town) searchesMost(table, detail string) bool {
	w.t.Helper()
	m := searched.FindStringSubmatch(detail)
	if m == nil || strings.ContainsAny(m[2], "<>") {
		return false
	}
	if first, _, _ := strings.Cut(m[2], "="); fewValues[first] != "" {
		return false
	}
	return w.leaves(table, m[1], strings.Count(m[2], "=?")) >= manyRows
}

// leaves is how many rows of a table equal values of so many columns of an index
// leave on average.
func (w *town) leaves(table, index string, columns int) int64 {
	w.t.Helper()
	var names []string
	require.NoError(w.t, w.a.db.Read(w.t.Context()).Raw("SELECT name FROM pragma_index_info(?) ORDER BY seqno LIMIT ?", index, columns).Scan(&names).Error)
	list := strings.Join(names, ", ")
	given := strings.Join(names, " IS NOT NULL AND ") + " IS NOT NULL" // nothing equals NULL
	return count(w.t, w.a.db.WriteSQL(), "SELECT CAST(COALESCE(AVG(n), 0) AS INTEGER) FROM (SELECT COUNT(*) AS n FROM "+table+" WHERE "+given+" GROUP BY "+list+") each_value")
}

// explain asks the connection that writes, which knows of every change of the
// schema: SQLite answers EXPLAIN from what a connection remembers of it.
func (w *town) explain(command string, s statement, plan any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.a.db, func(tx *gorm.DB) error {
		return tx.Raw(command+s.sql, s.args...).Scan(plan).Error
	}), s.sql)
}

// searched recognises a look-up: the index, the columns.
var searched = regexp.MustCompile(`^SEARCH \w+ USING (?:COVERING )?INDEX (\w+) \((.*)\)`)

var tableNames = regexp.MustCompile("(?i)\\b(?:FROM|JOIN|UPDATE|INTO)\\s+[`\"]?(\\w+)[`\"]?(?:\\s+(?:AS\\s+)?[`\"]?(\\w+))?")

// namesIn maps every table of a statement and its alias to the table.
func namesIn(sql string) map[string]string {
	out := map[string]string{}
	for _, m := range tableNames.FindAllStringSubmatch(sql, -1) {
		out[m[1]] = m[1]
		if m[2] != "" {
			out[m[2]] = m[1]
		}
	}
	return out
}

// TestStatementsPerCall: what a call costs does not depend on how many rows
// there are.
func TestStatementsPerCall(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		w := newTown(t, db)
		w.hot() // the first makes rows that stay: a wallet, a tally
		few := w.hot()
		w.grow(100)
		many := w.hot()
		delete(few, "build leaderboards") // a job: in proportion to what is new
		delete(many, "build leaderboards")
		require.Equal(t, few, many)
		for _, call := range []string{"wallet", "wallet entries", "order", "earnings today", "articles", "benefits", "unread count"} {
			require.NotZero(t, many[call], call)
		}
	})
}
