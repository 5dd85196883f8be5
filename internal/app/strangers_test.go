package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/demo"
	"jiamenkou/service/identity"
	"jiamenkou/service/market"
)

// sharedWithStrangers are the operations on an object that a stranger to it may
// call, each with its reason.
var sharedWithStrangers = map[string]string{
	"api-v1 get-region":                  "the tree of regions is public knowledge",
	"api-v1 list-region-children":        "as above",
	"api-v1 list-closed-region-children": "as above",
	"api-v1 list-region-ancestors":       "as above",
	"api-v1 list-region-subtree":         "as above",
	"api-v1 get-region-boundary":         "as above",
	"mp-v1 get-region":                   "as above",
	"mp-v1 list-region-children":         "as above",
	"api-v1 list-job-runs":               "the program's own: there is nothing of anybody in it",
	"api-v1 run-job":                     "as above",
	"api-v1 close-settlement-period":     "a day, not an object",
	"api-v1 get-audit-run":               "of the whole program: see assurance_test.go",
	"api-v1 get-audit-report":            "as above",
	"mp-v1 grant-consent":                "a purpose, not an object: always one's own",
	"mp-v1 withdraw-consent":             "as above",
}

// offeredToNeighbours are the operations on what is offered to every resident of
// the county.
var offeredToNeighbours = []string{"get-article", "start-reading", "answer-quiz", "get-benefit", "get-activity", "sign-up"}

// Who is a stranger.
const (
	anotherCounty   = "staff of another county"
	anotherTown     = "staff of another town"
	anotherMerchant = "another merchant's owner"
	foreigner       = "resident of another county"
	neighbour       = "neighbour"
)

// strangers is the demo county, with something of everything in it, and people who
// have no business with what is there.
type strangers struct {
	*site
	a       *App
	insider *person            // staff with every role over the county and at the merchant
	owner   *person            // the resident whose the objects are
	other   map[string]*person // strangers
	own     map[string]string  // a region of each stranger's own
	ids     map[string]string  // of the objects, by the path that takes them: "/api/v1/cases/"
	fields  map[string]any     // what a body says where its field names an object
	schemas map[string]schema
	nth     int             // of names that must differ
	mine    map[string]bool // ids of rows that are the strangers' own
	things  things          // what the strangers would like to have a hand in
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Enum       []any
	Properties map[string]schema
	Items      *schema
	Required   []string
	Minimum    *float64
	MinItems   int
}

// TestStrangers walks both OpenAPI documents with callers who hold every role,
// but elsewhere: in another county, in another town of the county, at another
// merchant of the town; and with other residents. Whoever names an object of
// others by its id is refused with 403 or 404, whatever its state. Each call is
// made by somebody with the right to it too, so that no refusal comes from a
// call that nobody could make.
func TestStrangers(t *testing.T) {
	w := newStrangers(t)
	for _, part := range []struct {
		name string
		walk func(*strangers)
	}{
		{"find nothing of others in a list", (*strangers).lists},
		{"name nothing of others in a body", (*strangers).inBodies},
		{"name nothing of others in a path", (*strangers).paths}, // last: it leaves the owner frozen
	} {
		t.Run(part.name, func(t *testing.T) {
			w.t = t
			part.walk(w)
		})
	}
}

func (w *strangers) paths() {
	walked := 0
	for _, name := range []string{"mp-v1", "api-v1"} {
		text := w.call(http.MethodGet, "/openapi/"+name+".json", "", nil).body
		bodies := w.bodiesOf(text)
		ops := operationsOf(w.t, text)
		slices.SortStableFunc(ops, func(a, b operation) int { return endOf(a) - endOf(b) })
		for _, op := range ops {
			if op.public || !strings.Contains(op.template, ":") || sharedWithStrangers[name+" "+op.id] != "" {
				continue
			}
			walked++
			w.refuses(name, op, bodies[op.id])
		}
	}
	require.Greater(w.t, walked, 100, "the documents were read")
}

// endOf puts last what leaves nothing to do with an object.
func endOf(op operation) int {
	return slices.Index([]string{"cancel-signup", "disable-staff", "revoke-grant", "freeze-resident", "delete-view", "close-region"}, op.id)
}

func (w *strangers) refuses(surface string, op operation, body any) {
	template, _, _ := strings.Cut(op.template, ":")
	id, known := w.ids[template]
	require.True(w.t, known, "%s takes an object that the walk does not know", op)
	path := template + id + strings.TrimPrefix(op.template[len(template):], ":id")
	path = strings.ReplaceAll(path, ":grant_id", w.ids["grant"])
	for who, p := range w.other {
		if (p.prefix == "/mp/v1") != (surface == "mp-v1") || who == neighbour && slices.Contains(offeredToNeighbours, op.id) || !w.mayMeet(op, who) {
			continue
		}
		got := w.call(op.method, path, p.token, body, "Idempotency-Key", freshKey())
		if got.status != http.StatusForbidden && got.status != http.StatusNotFound {
			w.t.Errorf("%s as %s: %s", op, who, got)
		}
	}
	right := w.insider
	if surface == "mp-v1" {
		right = w.owner
	}
	got := w.call(op.method, path, right.token, body, "Idempotency-Key", freshKey())
	if slices.Contains([]int{401, 403, 404, 422, 500}, got.status) {
		w.t.Errorf("%s by who has the right to it: the walk proves nothing: %s, sent %v", op, got, body)
	}
}

// mayMeet leaves merchants' people out where their roles open nothing.
func (w *strangers) mayMeet(op operation, who string) bool {
	return who != anotherMerchant || strings.Contains(op.guard, string(authz.RoleOwner)) || strings.Contains(op.guard, string(authz.RoleClerk))
}

// bodiesOf makes up a body for each operation of a document.
func (w *strangers) bodiesOf(text []byte) map[string]any {
	var doc struct {
		Components struct{ Schemas map[string]schema }
		Paths      map[string]map[string]struct {
			ID   string `json:"operationId"` //nolint:tagliatelle // OpenAPI chose it
			Body struct {
				Content map[string]struct{ Schema schema }
			} `json:"requestBody"` //nolint:tagliatelle // as above
		}
	}
	require.NoError(w.t, json.Unmarshal(text, &doc))
	w.schemas = doc.Components.Schemas
	out := map[string]any{}
	for _, methods := range doc.Paths {
		for _, op := range methods {
			content, ok := op.Body.Content["application/json"]
			if !ok {
				continue
			}
			body, isObject := w.valueOf("", content.Schema).(object)
			require.True(w.t, isObject, op.ID)
			maps.Copy(body, w.bodies()[op.ID])
			out[op.ID] = body
		}
	}
	return out
}

// alwaysSaid are fields that a service may ask for although the document does
// not require them.
var alwaysSaid = []string{"reason", "note", "reason_code"}

func (w *strangers) valueOf(field string, s schema) any {
	if said, ok := w.fields[field]; ok {
		return said
	}
	if s.Ref != "" {
		s = w.schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	kind, _ := s.Type.(string)
	if several, ok := s.Type.([]any); ok {
		kind, _ = several[0].(string)
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case kind == "object":
		out := object{}
		for name, property := range s.Properties {
			if slices.Contains(s.Required, name) || slices.Contains(alwaysSaid, name) {
				out[name] = w.valueOf(name, property)
			}
		}
		return out
	case kind == "array":
		return []any{w.valueOf(strings.TrimSuffix(field, "s"), *s.Items)}
	case kind == "integer" || kind == "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case kind == "boolean":
		return true
	case s.Format == "date":
		return string(clock.DayOf(w.a.clock.Now()))
	case s.Format == "date-time":
		return w.a.clock.Now().Format(time.RFC3339)
	}
	return "按居民的申请办理"
}

// at is an hour of the day after tomorrow.
func (w *strangers) at(hour int) string {
	day := clock.DayOf(w.a.clock.Now()).AddDays(2).Start()
	return day.Add(time.Duration(hour) * time.Hour).Time().Format(time.RFC3339)
}

// bodies say what the documents alone do not.
func (w *strangers) bodies() map[string]object {
	const phone = "0573-87654321"
	shift := object{"starts_at": w.at(9), "ends_at": w.at(11), "capacity": 30}
	benefit := object{
		"original_price_fen": 6000, "cash_price_fen": 3000, "points_price": 5, "per_person_limit": 2, "redeem_days": 7,
		"valid_from": w.at(0), "valid_until": w.at(240),
	}
	return map[string]object{
		"add-shifts": {"shifts": []object{shift}}, "update-shift": shift,
		"update-activity":       {"contact_phone": phone, "radius_meters": 200, "lon": 120.7, "lat": 30.5},
		"update-benefit":        benefit,
		"create-benefit":        benefit,
		"add-release":           {"starts_at": w.at(9), "ends_at": w.at(20), "total": 5},
		"update-merchant":       {"contact_phone": phone, "contact_name": "老板"},
		"create-merchant-staff": {"username": "walker", "password": password, "name": "店员", "role": "clerk"},
		"reset-password":        {"new_password": "a different horse"},
		"issue-certificate":     {"handler_phone": phone},
		"propose-correction":    {"kind": "void"},
		"set-quiz":              {"questions": []object{{"text": "几点开门？", "choices": []string{"八点", "九点"}, "answer": 0}}},
		"set-region-boundary":   {"boundary": nil},
		"change-budget-limit":   {"limit_points": 2_000_000},
		"confirm-attendance":    {"items": []object{{"signup_id": w.fields["signup_id"]}}},
		"mark-attendance":       {"marks": []object{{"signup_id": w.fields["signup_id"], "check_in_at": w.at(9), "reason": "手机没电"}}},
		"change-view":           {"name": "我的", "filters": object{}, "columns": []string{}},
	}
}

// ulids finds the ids in an answer.
var ulids = regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{26}\b`)

func newStrangers(t *testing.T) *strangers {
	t.Helper()
	now := time.Date(2026, 5, 20, 2, 0, 0, 0, time.UTC)
	env := environ(t, databasetest.Config(t, database.SQLite))
	a := loadedDemo(t, env, now)
	w := &strangers{a: a, other: map[string]*person{}, own: map[string]string{}}
	merchant := w.one(t, "SELECT merchant_id FROM settlement_statement WHERE status = 'issued' LIMIT 1")
	before := w.rows(t)
	w.settle(t, merchant)
	w.mine = w.rows(t)
	maps.DeleteFunc(w.mine, func(id string, _ bool) bool { return before[id] })
	w.site = serve(t, env, clock.NewManual(now.Add(time.Minute), 2))
	w.login()
	w.find(merchant)
	w.things = w.theirs()
	return w
}

// one reads one text past the program.
func (w *strangers) one(t testing.TB, query string, args ...any) (text string) {
	t.Helper()
	require.NoError(t, w.a.db.WriteSQL().QueryRowContext(t.Context(), query, args...).Scan(&text), query)
	return text
}

// settle puts the strangers into their places.
func (w *strangers) settle(t testing.TB, merchant string) {
	t.Helper()
	ctx, root := t.Context(), authz.System("test")
	_, err := w.a.Region.Import(ctx, root, strings.NewReader("code,parent_code,level,name\n"+
		"330499000000,,county,别处县\n330499001000,330499000000,town,别处镇\n330499001001,330499001000,village,别处村\n"+
		"330481990000,330481000000,town,邻镇\n330481990001,330481990000,village,邻村\n"))
	require.NoError(t, err)
	region := func(code string) string { return w.one(t, "SELECT id FROM region WHERE code = ?", code) }
	home := w.one(t, "SELECT region_id FROM merchant WHERE id = ?", merchant)
	place := map[string]string{"outsider": region("330499000000"), "cousin": region("330481990000"), "rival": home}
	w.own[anotherCounty], w.own[anotherTown] = place["outsider"], place["cousin"]
	everyRole := func(regionID string) (grants []identity.NewGrant) {
		for _, role := range []authz.Role{authz.RoleOperator, authz.RoleAuditor, authz.RoleOrganizer, authz.RoleGridWorker} {
			grants = append(grants, identity.NewGrant{Role: role, RegionID: regionID})
		}
		return grants
	}
	atMerchant := func(id, regionID string) (grants []identity.NewGrant) {
		for _, role := range []authz.Role{authz.RoleOwner, authz.RoleClerk} {
			grants = append(grants, identity.NewGrant{Role: role, MerchantID: id, MerchantRegionID: regionID})
		}
		return grants
	}
	people := []identity.NewStaff{{
		Username: "insider", Password: password, Name: "自己人", Grants: append(everyRole(region("330481000000")), atMerchant(merchant, home)...),
	}, {Username: "shopkeeper", Password: password, Name: "店主", Grants: atMerchant(merchant, home)}}
	for _, name := range slices.Sorted(maps.Keys(place)) {
		m, err := w.a.Market.CreateMerchant(ctx, root, market.MerchantInput{RegionID: place[name], Name: "别家店" + name, Category: "other"})
		require.NoError(t, err)
		grants := atMerchant(m.ID, place[name])
		if name != "rival" {
			grants = append(everyRole(place[name]), grants...)
		}
		people = append(people, identity.NewStaff{Username: name, Password: password, Name: "外人", Grants: grants})
	}
	_, err = w.a.Identity.CreateStaff(ctx, root, people)
	require.NoError(t, err)
	_, err = w.a.Identity.CreateResidents(ctx, root, []identity.NewResident{
		{OpenID: w.a.sim.OpenID("foreigner"), Nickname: "外县人", HomeRegionID: region("330499001001")},
		{Nickname: "邻镇人", HomeRegionID: region("330481990001")},
		{OpenID: w.a.sim.OpenID("neighbour"), Nickname: "邻居", HomeRegionID: w.one(t, "SELECT home_region_id FROM resident WHERE openid = ?", w.a.sim.OpenID(demo.Resident))},
	})
	require.NoError(t, err)
}

func (w *strangers) login() {
	w.insider, w.owner = w.staff("insider"), w.resident(demo.Resident)
	w.other = map[string]*person{
		anotherCounty: w.staff("outsider"), anotherTown: w.staff("cousin"), anotherMerchant: w.staff("rival"),
		foreigner: w.resident("foreigner"), neighbour: w.resident("neighbour"),
	}
}

// made is what an operation that makes something answers.
type made struct {
	ID      string `json:"id"`
	OrderID string `json:"order_id"`
}

// find notes an object for each path; what the demo county has none of is made.
func (w *strangers) find(merchant string) {
	t := w.t
	one := func(query string, args ...any) string { return w.one(t, query, args...) }
	require.Equal(t, 2, w.owner.do(http.MethodPut, "/profile/real-name", object{"real_name": "王秀英"}).status/100)
	picture := into[made](t, w.owner.upload(photo(t, 1))).ID
	report := post[made](w.owner, "/cases", object{"category": "facility", "text": "路灯不亮了，晚上看不见", "attachment_ids": []string{picture}}).ID
	record := one("SELECT id FROM service_record WHERE resident_id = ? ORDER BY id LIMIT 1", w.owner.id)
	second := one("SELECT id FROM service_record WHERE resident_id = ? ORDER BY id DESC LIMIT 1", w.owner.id)
	correction := post[made](w.owner, "/service-records/"+record+"/corrections", object{"text": "我做到了十二点"}).ID
	certificate := post[made](w.owner, "/certificates", object{"purpose": "入学", "from": "2026-01-01", "to": "2026-05-20"}).ID
	entry := one("SELECT id FROM transfer WHERE credit_account_id = '1' || ? ORDER BY id LIMIT 1", w.owner.id)
	objection := post[made](w.owner, "/wallet/entries/"+entry+"/objections", object{"text": "这一笔少了两分"}).ID
	shift := one("SELECT s.shift_id FROM signup s JOIN activity_shift t ON t.id = s.shift_id WHERE t.starts_at > ? ORDER BY t.starts_at LIMIT 1", clock.Now(w.a.clock))
	target := one("SELECT id FROM staff WHERE username = ?", demo.GridWorker)
	benefit := one("SELECT id FROM benefit WHERE merchant_id = ? AND status = 'published' LIMIT 1", merchant)
	order := one("SELECT id FROM benefit_order WHERE merchant_id = ? LIMIT 1", merchant)
	article := one("SELECT article_id FROM article_question LIMIT 1")
	message := func(column, id string) string {
		messageID := w.a.clock.NewID()
		execute(t, w.a, "INSERT INTO message (id, "+column+", job_id, topic, title, body, link, created_at) VALUES (?, ?, ?, 'casework.moved', '标题', '内容', '/', 1)", messageID, id, messageID)
		return messageID
	}
	village := one("SELECT home_region_id FROM resident WHERE id = ?", w.owner.id)
	w.fields = map[string]any{
		"staff_id": target, "region_id": village, "signup_id": one("SELECT id FROM signup WHERE shift_id = ? LIMIT 1", shift),
		"parent_id": one("SELECT id FROM region WHERE level = 'town' AND code = '330481002000'"),
		"lon":       120.7, "lat": 30.5, "code": "123456", "radius_meters": 200, "choice": 0,
	}
	w.ids = map[string]string{
		"grant":                          one("SELECT id FROM staff_grant WHERE staff_id = ?", target),
		"/api/v1/activities/":            one("SELECT activity_id FROM activity_shift WHERE id = ?", shift),
		"/api/v1/adjustments/":           one("SELECT id FROM adjustment LIMIT 1"),
		"/api/v1/articles/":              article,
		"/api/v1/attachments/":           picture,
		"/api/v1/benefits/":              benefit,
		"/api/v1/budgets/":               one("SELECT id FROM budget LIMIT 1"),
		"/api/v1/cases/":                 report,
		"/api/v1/certificates/":          certificate,
		"/api/v1/corrections/":           correction,
		"/api/v1/exports/":               post[made](w.insider, "/exports", object{"resource": "merchants", "format": "csv"}).ID,
		"/api/v1/merchants/":             merchant,
		"/api/v1/messages/":              message("staff_id", w.insider.id),
		"/api/v1/objections/":            objection,
		"/api/v1/orders/":                order,
		"/api/v1/policy-rules/":          one("SELECT id FROM policy_rule LIMIT 1"),
		"/api/v1/regions/":               village,
		"/api/v1/residents/":             w.owner.id,
		"/api/v1/service-records/":       second,
		"/api/v1/settlement/statements/": one("SELECT id FROM settlement_statement WHERE merchant_id = ?", merchant),
		"/api/v1/shifts/":                shift,
		"/api/v1/staff/":                 target,
		"/api/v1/stores/":                one("SELECT id FROM merchant_store WHERE merchant_id = ? LIMIT 1", merchant),
		"/api/v1/views/":                 post[made](w.insider, "/views", object{"list": "cases", "name": "待办"}).ID,
		"/mp/v1/activities/":             one("SELECT activity_id FROM activity_shift WHERE id = ?", shift),
		"/mp/v1/articles/":               article,
		"/mp/v1/benefits/":               benefit,
		"/mp/v1/cases/":                  report,
		"/mp/v1/certificates/":           certificate,
		"/mp/v1/corrections/":            correction,
		"/mp/v1/messages/":               message("resident_id", w.owner.id),
		"/mp/v1/my-attachments/":         picture,
		"/mp/v1/orders/":                 one("SELECT id FROM benefit_order WHERE resident_id = ? LIMIT 1", w.owner.id),
		"/mp/v1/reading-sessions/":       post[made](w.owner, "/articles/"+article+"/reading-sessions", nil).ID,
		"/mp/v1/service-records/":        second,
		"/mp/v1/shifts/":                 one("SELECT g.shift_id FROM signup g JOIN activity_shift t ON t.id = g.shift_id WHERE g.resident_id = ? AND g.status = 'signed_up' AND t.starts_at > ? LIMIT 1", w.owner.id, clock.Now(w.a.clock)),
		"/mp/v1/wallet/entries/":         entry,
		"/mp/v1/wallet/objections/":      objection,
	}
	_, err := w.a.Ledger.LinkTransfers(t.Context())
	require.NoError(t, err)
	_, err = w.a.Ledger.Seal(t.Context())
	require.NoError(t, err)
	execute(t, w.a, "INSERT INTO staff_totp (staff_id, secret_cipher, created_at) VALUES (?, 'sealed', 1)", target)
}

// things are objects by the name under which a body or a path takes them.
type things map[string]string

// mixture is a call that names several objects: the caller's own, but for one.
type mixture struct {
	path    func(things) string
	body    func(things) object
	foreign []string // each in its turn is somebody else's
	refused bool     // with the caller's own it cannot succeed here
}

func at(path string) func(things) string { return func(things) string { return path } }

// theirs finds things, or makes them.
func (w *strangers) theirs() things {
	one := func(query string, args ...any) string { return w.one(w.t, query, args...) }
	merchant := w.ids["/api/v1/merchants/"]
	spare := into[made](w.t, w.owner.upload(photo(w.t, 2))).ID
	// Of no region: an account that has chosen no home, and what a merchant's people leave in the trail.
	w.resident("nowhere")
	require.Equal(w.t, 202, w.staff("shopkeeper").do(http.MethodPost, "/exports", object{"resource": "orders", "format": "csv"}).status)
	pending := post[struct {
		IDs []string `json:"record_ids"`
	}](w.insider, "/service-records", object{
		"region_id": w.fields["region_id"], "volunteer_numbers": []string{one("SELECT volunteer_number FROM resident WHERE id = ?", w.owner.id)},
		"title": "扫雪", "content": "扫雪", "place_name": "村口", "beneficiary": "全村", "person_in_charge": "老王", "reason": "当时停电",
		"started_at": "2026-05-01T09:00:00+08:00", "ended_at": "2026-05-01T11:00:00+08:00",
	})
	require.Len(w.t, pending.IDs, 1)
	return things{
		"region": one("SELECT id FROM region WHERE code = '330481002000'"), "village": fmt.Sprint(w.fields["region_id"]),
		"resident": w.owner.id, "volunteer": one("SELECT volunteer_number FROM resident WHERE id = ?", w.owner.id),
		"budget": w.ids["/api/v1/budgets/"], "transfer": w.ids["/mp/v1/wallet/entries/"], "objection": w.ids["/api/v1/objections/"],
		"award": one("SELECT id FROM award WHERE status = 'budget_exhausted' LIMIT 1"), "merchant": merchant, "store": w.ids["/api/v1/stores/"],
		"benefit": w.ids["/api/v1/benefits/"], "statement": w.ids["/api/v1/settlement/statements/"], "shift": w.ids["/api/v1/shifts/"],
		"signup": fmt.Sprint(w.fields["signup_id"]), "record": pending.IDs[0], "staff": one("SELECT id FROM staff WHERE username = ?", demo.Organizer),
		"grant":   one("SELECT g.id FROM staff_grant g JOIN staff p ON p.id = g.staff_id WHERE p.username = ?", demo.Organizer),
		"picture": spare, "order": w.ids["/api/v1/orders/"],
	}
}

// ours makes a stranger the same at home.
func (w *strangers) ours(p *person, region string) things {
	one := func(query string, args ...any) string { return w.one(w.t, query, args...) }
	x := things{
		"region":   region,
		"village":  one("SELECT id FROM region WHERE level = 'village' AND path LIKE '%' || ? || '%'", region),
		"merchant": one("SELECT g.merchant_id FROM staff_grant g WHERE g.staff_id = ? AND g.merchant_id IS NOT NULL LIMIT 1", p.id),
	}
	x["resident"] = one("SELECT id FROM resident WHERE home_region_id = ?", x["village"])
	x["volunteer"] = one("SELECT volunteer_number FROM resident WHERE id = ?", x["resident"])
	x["budget"] = post[made](p, "/budgets", object{"region_id": region, "name": "预算", "starts_on": "2026-05-01", "ends_on": "2026-12-31", "limit_points": 1000}).ID
	x["store"] = post[made](p, "/merchants/"+x["merchant"]+"/stores", object{"name": "门店", "address": "街口 1 号"}).ID
	x["staff"] = post[made](p, "/staff", object{
		"username": "hand" + strings.ToLower(region[20:]), "password": password, "name": "帮手", "grants": []object{{"role": "grid_worker", "region_id": region}},
	}).ID
	activity := post[made](p, "/activities", object{
		"region_id": region, "title": "扫雪", "content": "扫雪", "category": "community", "beneficiary": "全镇", "place_name": "街口", "lon": 120.7, "lat": 30.5,
		"radius_meters": 200, "contact_name": "老王", "contact_phone": "0573-87654321", "shifts": []object{{"starts_at": w.at(9), "ends_at": w.at(11), "capacity": 3}},
	})
	require.Equal(w.t, 200, p.do(http.MethodPost, "/activities/"+activity.ID+"/publish", nil).status)
	x["shift"] = one("SELECT id FROM activity_shift WHERE activity_id = ?", activity.ID)
	return x
}

func (w *strangers) mixtures() map[string]mixture {
	export := func(resource, filter, thing string) mixture {
		return mixture{at("/exports"), func(x things) object {
			return object{"resource": resource, "format": "csv", "filters": object{filter: x[thing]}}
		}, []string{thing}, true}
	}
	return map[string]mixture{
		"an activity": {at("/activities"), func(x things) object {
			return object{
				"region_id": x["region"], "title": "扫雪", "content": "扫雪", "category": "community", "beneficiary": "全镇", "place_name": "街口", "lon": 120.7, "lat": 30.5,
				"radius_meters": 200, "contact_name": "老王", "contact_phone": "0573-87654321",
			}
		}, []string{"region"}, false},
		"an adjustment": {at("/adjustments"), func(x things) object {
			return object{"kind": "credit", "resident_id": x["resident"], "budget_id": x["budget"], "points": 1, "reason_code": "missed_award", "reason_text": "漏发", "expires_on": "2026-12-31"}
		}, []string{"resident"}, false}, // a second person of the same level or above looks at the budget
		"an adjustment by an objection": {at("/adjustments"), func(x things) object {
			return object{
				"kind": "credit", "resident_id": x["resident"], "budget_id": x["budget"], "points": 1, "reason_code": "missed_award", "reason_text": "漏发",
				"expires_on": "2026-12-31", "objection_id": x["objection"],
			}
		}, []string{"objection"}, true},
		"a reversal": {at("/adjustments"), func(x things) object {
			return object{"kind": "reverse", "transfer_id": x["transfer"], "reason_code": "wrong_award", "reason_text": "发错了"}
		}, []string{"transfer"}, true},
		"an article": {at("/articles"), func(x things) object {
			return object{"region_id": x["region"], "title": "通知", "body": "正文。", "min_seconds": 20}
		}, []string{"region"}, false},
		"a budget": {at("/budgets"), func(x things) object {
			return object{"region_id": x["region"], "name": "另一笔", "starts_on": "2026-05-01", "ends_on": "2026-12-31", "limit_points": 10}
		}, []string{"region"}, false},
		"a late payment": {at("/exhausted-awards/pay"), func(x things) object { return object{"award_ids": []string{x["award"]}} }, []string{"award"}, true},
		"a late payment from a budget": {at("/exhausted-awards/pay"), func(x things) object {
			return object{"award_ids": []string{x["award"]}, "budget_id": x["budget"]}
		}, []string{"award"}, true},
		"an export of redemptions":   export("redemptions", "merchant_id", "merchant"),
		"an export of a statement":   export("statement_lines", "statement_id", "statement"),
		"an export of an attendance": export("attendances", "shift_id", "shift"),
		"a merchant": {at("/merchants"), func(x things) object {
			return object{"region_id": x["region"], "name": "新店", "category": "other"}
		}, []string{"region"}, false},
		"a benefit": {func(x things) string { return "/merchants/" + x["merchant"] + "/benefits" }, func(x things) object {
			return object{
				"region_id": x["region"], "title": "优惠", "category": "other", "original_price_fen": 6000, "cash_price_fen": 3000, "points_price": 5,
				"per_person_limit": 2, "redeem_days": 7, "valid_from": w.at(0), "valid_until": w.at(240), "store_ids": []string{x["store"]},
			}
		}, []string{"merchant", "store"}, false},
		"a rule": {at("/policy-rules"), func(x things) object {
			return object{
				"region_id": x["region"], "budget_id": x["budget"], "event_kind": "article_read", "points": 1, "max_points": 1, "daily_cap": 3, "object_cap": 1,
				"expiry": "end_of_next_year", "note": "读完一篇",
			}
		}, []string{"region", "budget"}, false},
		"a region below": {at("/regions"), func(x things) object {
			w.nth++
			return object{"parent_id": x["village"], "level": "grid", "name": fmt.Sprintf("第 %d 网格", w.nth)}
		}, []string{"village"}, false},
		"service by hand": {at("/service-records"), func(x things) object {
			return object{
				"region_id": x["region"], "volunteer_numbers": []string{x["volunteer"]}, "title": "扫雪", "content": "扫雪", "place_name": "村口", "beneficiary": "全村",
				"person_in_charge": "老王", "reason": "当时停电", "started_at": "2026-05-02T09:00:00+08:00", "ended_at": "2026-05-02T11:00:00+08:00",
			}
		}, []string{"region"}, false},
		"a decision on service by hand": {at("/service-records/decide-manual"), func(x things) object {
			return object{"decisions": []object{{"record_id": x["record"]}}}
		}, []string{"record"}, true},
		"a decision on a long day": {at("/service-records/decide-long-day"), func(x things) object {
			return object{"decisions": []object{{"record_id": x["record"]}}}
		}, []string{"record"}, true},
		"a mark": {func(x things) string { return "/shifts/" + x["shift"] + "/marks" }, func(x things) object {
			return object{"marks": []object{{"signup_id": x["signup"], "check_in_at": w.at(9), "reason": "手机没电"}}}
		}, []string{"signup"}, true},
		"a confirmation": {func(x things) string { return "/shifts/" + x["shift"] + "/confirm" }, func(x things) object {
			return object{"items": []object{{"signup_id": x["signup"]}}}
		}, []string{"signup"}, true},
		"a member of staff": {at("/staff"), func(x things) object {
			w.nth++
			return object{"username": fmt.Sprintf("helper%d", w.nth), "password": password, "name": "帮手", "grants": []object{{"role": "grid_worker", "region_id": x["region"]}}}
		}, []string{"region"}, false},
		"a role": {func(x things) string { return "/staff/" + x["staff"] + "/grants" }, func(x things) object {
			return object{"grants": []object{{"role": "organizer", "region_id": x["region"]}}, "reason": "人手不够"}
		}, []string{"region", "staff"}, false},
		"the end of a role": {func(x things) string { return "/staff/" + x["staff"] + "/grants/" + x["grant"] + "/revoke" }, func(things) object {
			return object{"reason": "人手够了"}
		}, []string{"grant"}, true},
	}
}

func (w *strangers) inBodies() {
	theirs := w.things
	for _, who := range []string{anotherCounty, anotherTown} {
		p := w.other[who]
		ours := w.ours(p, w.own[who])
		for name, m := range w.mixtures() {
			for _, foreign := range m.foreign {
				x := maps.Clone(ours)
				x[foreign] = theirs[foreign]
				require.NotEmpty(w.t, x[foreign], foreign)
				got := p.do(http.MethodPost, m.path(x), m.body(x), "Idempotency-Key", freshKey())
				if !slices.Contains([]int{403, 404, 422}, got.status) {
					w.t.Errorf("%s with the %s of others, by %s: %s", name, foreign, who, got)
				}
			}
			if m.refused {
				continue
			}
			if got := p.do(http.MethodPost, m.path(ours), m.body(ours), "Idempotency-Key", freshKey()); got.status/100 != 2 {
				w.t.Errorf("%s with nothing of others, by %s: the walk proves nothing: %s", name, who, got)
			}
		}
	}
}

// kept are the tables whose rows are nobody's in another county, and of these
// those that a neighbour may see.
var (
	kept = []string{
		"resident", "staff", "staff_grant", "merchant", "merchant_store", "benefit", "benefit_release", "benefit_order", "redemption", "transfer", "award", "activity",
		"activity_shift", "signup", "attendance", "service_record", "service_correction", "certificate", "case_file", "attachment", "article", "budget", "policy_rule",
		"adjustment", "objection", "settlement_statement", "settlement_line", "reading_session", "message", "export_job", "saved_view", "audit_log",
	}
	offered = []string{"merchant", "merchant_store", "benefit", "benefit_release", "activity", "activity_shift", "article"}
)

// rows are the ids of all rows that strangers might see.
func (w *strangers) rows(t testing.TB) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, table := range kept {
		var ids []string
		require.NoError(t, w.a.db.Read(t.Context()).Raw("SELECT id FROM "+table).Scan(&ids).Error)
		for _, id := range ids {
			out[id] = true
		}
	}
	return out
}

// secrets are the ids of the rows that none of the strangers has made, by table.
func (w *strangers) secrets() map[string]string {
	out := map[string]string{}
	for _, table := range kept {
		var ids []string
		require.NoError(w.t, w.a.db.Read(w.t.Context()).Raw("SELECT id FROM "+table).Scan(&ids).Error)
		for _, id := range ids {
			out[id] = table
		}
	}
	var homeless []string // seen by whoever oversees a whole county: it may be theirs
	require.NoError(w.t, w.a.db.Read(w.t.Context()).Raw("SELECT id FROM resident WHERE home_region_id IS NULL").Scan(&homeless).Error)
	for _, id := range homeless {
		delete(out, id)
	}
	return out
}

// required are parameters that a list does not do without.
var required = map[string]string{
	"list": "cases", "name": "街道", "from": "2026-05-18", "to": "2026-05-20", "lon": "120.69", "lat": "30.53",
	"/mp/v1/wallet/months from": "2026-04", "/mp/v1/wallet/months to": "2026-05",
}

// lists asks for everything that takes no id in its path, and by every id that
// a parameter takes.
func (w *strangers) lists() {
	theirs, secrets := w.things, w.secrets()
	maps.DeleteFunc(secrets, func(id, _ string) bool { return w.mine[id] })
	named := map[string]string{
		"region_id": theirs["region"], "within_id": theirs["region"], "merchant_id": theirs["merchant"], "resident_id": theirs["resident"], "benefit_id": theirs["benefit"],
		"budget_id": theirs["budget"], "actor_id": w.insider.id, "object_id": theirs["merchant"], "objection_id": theirs["objection"], "transfer_id": theirs["transfer"],
		"record_id": theirs["record"], "proposed_by": w.insider.id,
	}
	asked, found := 0, map[string]bool{}
	for _, surface := range []string{"mp-v1", "api-v1"} {
		for path, parameters := range w.listsOf(w.call(http.MethodGet, "/openapi/"+surface+".json", "", nil).body) {
			queries := []string{""}
			for _, p := range parameters {
				if id, ok := named[p.Name]; ok {
					queries = append(queries, p.Name+"="+id)
				} else if strings.HasSuffix(p.Name, "_id") {
					w.t.Errorf("%s takes %s, which the walk does not know", path, p.Name)
				}
			}
			for _, p := range []*person{w.insider, w.owner} {
				if strings.HasPrefix(path, p.prefix) {
					got := w.call(http.MethodGet, path+"?"+needed(path, parameters), p.token, nil)
					for _, id := range ulids.FindAllString(string(got.body), -1) {
						found[secrets[id]] = true
					}
				}
			}
			for who, p := range w.other {
				if !strings.HasPrefix(path, p.prefix) {
					continue
				}
				for _, q := range queries {
					asked++
					w.shows(p, who, path+"?"+q+needed(path, parameters), secrets)
				}
			}
		}
	}
	require.Greater(w.t, asked, 150, "the documents were read")
	require.Greater(w.t, len(found), 20, "who has the right to it sees rows of most tables: %v", found)
	for _, q := range []string{theirs["order"], "20260520", "海宁", "电影票", "志愿", "13800000000"} {
		for _, who := range []string{anotherCounty, anotherTown, anotherMerchant} {
			w.hides(who, "search", q, w.other[who].do(http.MethodPost, "/search", object{"q": q, "limit": 20}), secrets)
		}
	}
}

type parameter struct {
	Name, In string
	Required bool
}

func needed(path string, parameters []parameter) (query string) {
	for _, p := range parameters {
		if p.Required {
			query += "&" + p.Name + "=" + url.QueryEscape(cmp.Or(required[path+" "+p.Name], required[p.Name]))
		}
	}
	return query
}

// listsOf are the paths of a document that can be read without an id.
func (w *strangers) listsOf(text []byte) map[string][]parameter {
	var doc struct {
		Servers []struct{ URL string }
		Paths   map[string]map[string]struct {
			Security   []any
			Parameters []parameter
		}
	}
	require.NoError(w.t, json.Unmarshal(text, &doc))
	out := map[string][]parameter{}
	for path, methods := range doc.Paths {
		if op, ok := methods["get"]; ok && len(op.Security) > 0 && !strings.Contains(path, "{") {
			out[doc.Servers[0].URL+path] = slices.DeleteFunc(op.Parameters, func(p parameter) bool { return p.In != "query" })
		}
	}
	return out
}

// shows asks and looks for what must not be in the answer.
func (w *strangers) shows(p *person, who, path string, secrets map[string]string) {
	got := p.call(http.MethodGet, path, p.token, nil)
	if !slices.Contains([]int{200, 403, 404}, got.status) {
		w.t.Errorf("%s as %s: %s", path, who, got)
		return
	}
	w.hides(who, path, "", got, secrets)
}

func (w *strangers) hides(who, path, query string, got answer, secrets map[string]string) {
	for _, id := range ulids.FindAllString(string(got.body), -1) {
		table, secret := secrets[id]
		if secret && (who != neighbour || !slices.Contains(offered, table)) {
			w.t.Errorf("%s %s shows %s a row of %s: %s", path, query, who, table, id)
			return
		}
	}
}
