package app

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

// operation is one line of an OpenAPI document.
type operation struct {
	id, method, path string // path with its prefix and plausible parameters
	template         string // path as gin writes it
	public           bool
	guard            string
}

func (o operation) String() string { return o.method + " " + o.template }

// specDocument is what the walk reads of an OpenAPI document.
type specDocument struct {
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct {
		ID         string                `json:"operationId"` //nolint:tagliatelle // OpenAPI chose it
		Guard      string                `json:"x-guard"`     //nolint:tagliatelle // as above
		Security   []map[string][]string `json:"security"`
		Parameters []struct {
			Name, In string
			Schema   struct {
				Enum      []string
				Pattern   string
				MinLength int `json:"minLength"` //nolint:tagliatelle // as above
			}
		}
	}
}

const someULID = "01KJKB3Q00J6ZFGWBHSZT8HNC7"

func operationsOf(t testing.TB, text []byte) (out []operation) {
	t.Helper()
	var doc specDocument
	require.NoError(t, json.Unmarshal(text, &doc))
	for path, methods := range doc.Paths {
		for method, op := range methods {
			o := operation{
				id: op.ID, method: strings.ToUpper(method), path: doc.Servers[0].URL + path, public: len(op.Security) == 0, guard: op.Guard,
				template: doc.Servers[0].URL + strings.NewReplacer("{", ":", "}", "").Replace(path),
			}
			for _, p := range op.Parameters {
				value := someULID
				switch {
				case len(p.Schema.Enum) > 0:
					value = p.Schema.Enum[0]
				case p.Name == "name":
					value = "queue.prune"
				case p.Schema.MinLength > len(value):
					value = strings.Repeat("a", p.Schema.MinLength)
				}
				if p.In == "path" {
					o.path = strings.ReplaceAll(o.path, "{"+p.Name+"}", value)
				}
			}
			require.NotContains(t, o.path, "{")
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// endsSession are the operations that change who the caller is: they are not
// called by those who may.
var endsSession = []string{
	"logout-staff", "logout-staff-everywhere", "change-password", "bind-wechat", "unbind-wechat",
	"logout-resident", "logout-resident-everywhere", "delete-profile",
}

// everybody is one caller of each sort.
func everybody(t *testing.T, s *site, c *county) map[string]*person {
	t.Helper()
	people := map[string]*person{
		"resident":                  s.resident("r0"),
		string(authz.RoleOperator):  s.staff(operatorName),
		string(authz.RoleAuditor):   s.staff(auditorName),
		string(authz.RoleOrganizer): s.staff(organizerName), string(authz.RoleGridWorker): s.staff(gridName),
		string(authz.RoleOwner): s.staff(c.shops[0].owner), string(authz.RoleClerk): s.staff(c.shops[0].clerk),
	}
	for _, role := range authz.Roles() {
		require.Contains(t, people, string(role), "a role that the walk does not know")
	}
	return people
}

// mayCall reads a guard as the document states it.
func mayCall(guard, who string) bool {
	if guard == "staff" {
		return who != "resident"
	}
	return slices.Contains(strings.Split(guard, ", "), who)
}

// TestEveryOperationIsGuarded walks both OpenAPI documents: anonymous callers
// are refused with 401, every wrong kind and role with 403, before anything
// else is looked at; whoever may call never meets a defect.
func TestEveryOperationIsGuarded(t *testing.T) {
	env, c := environ(t, databasetest.Config(t, database.SQLite)), newClock()
	a := openApp(t, env, c)
	county := seed(t, a, want{shops: 1, residents: 1})
	s := serve(t, env, c)
	people := everybody(t, s, county)
	names := slices.Sorted(maps.Keys(people))
	var walked, defects int
	for _, name := range []string{"mp-v1", "api-v1"} {
		for _, op := range operationsOf(t, s.call(http.MethodGet, "/openapi/"+name+".json", "", nil).body) {
			if op.public {
				require.NotContains(t, []int{401, 403}, s.call(op.method, op.path, "", nil).status, op)
				continue
			}
			walked++
			require.NotEmpty(t, op.guard, "%s: no x-guard", op)
			for _, token := range []string{"", "not-a-token", "eyJhbGciOiJub25lIn0.e30."} {
				got := s.call(op.method, op.path, token, object{})
				require.Equal(t, 401, got.status, "%s as nobody: %s", op, got)
			}
			for _, who := range names {
				may := mayCall(op.guard, who)
				if may && slices.Contains(endsSession, op.id) {
					continue
				}
				got := s.call(op.method, op.path, people[who].token, object{}, "Idempotency-Key", freshKey())
				switch {
				case !may:
					require.Equal(t, 403, got.status, "%s as %s: %s", op, who, got)
					require.Equal(t, "auth.forbidden", got.code(), op)
				case got.status == 401 || got.status >= 500 && got.status != 503:
					t.Errorf("%s as %s: %s", op, who, got)
					defects++
				}
			}
		}
	}
	require.Zero(t, defects)
	require.Greater(t, walked, 100, "the documents were read")
	requireSound(t, env, c)
}

var listed = regexp.MustCompile(`(?m)^\s+"([a-z-]+)":\s+"`)

func TestPublicListsAreExact(t *testing.T) {
	docs, err := Documents()
	require.NoError(t, err)
	files := map[string]string{"api-v1.json": "../../api/public.go", "mp-v1.json": "../../miniprogram-api/public.go"}
	for _, doc := range docs {
		var open []string
		for _, op := range operationsOf(t, doc.Text) {
			if op.public {
				open = append(open, op.id)
			}
		}
		source, err := os.ReadFile(files[doc.Name])
		require.NoError(t, err)
		var allowed []string
		for _, m := range listed.FindAllStringSubmatch(string(source), -1) {
			allowed = append(allowed, m[1])
		}
		require.NotEmpty(t, allowed)
		require.ElementsMatch(t, allowed, open, doc.Name)
	}
}

// TestEveryRouteIsDocumented finds what is mounted past the two surfaces.
func TestEveryRouteIsDocumented(t *testing.T) {
	known := map[string]bool{
		"GET /mp/v1/wechat/callback": true, "POST /mp/v1/wechat/callback": true, // signed by WeChat
	}
	docs, err := Documents()
	require.NoError(t, err)
	ids := map[string]string{}
	for _, doc := range docs {
		for _, op := range operationsOf(t, doc.Text) {
			known[op.String()] = true
			key := doc.Name + " " + op.id
			require.Empty(t, ids[key], "%s names two operations", key)
			ids[key] = op.path
		}
	}
	cfg, err := config.Load(defaults(t), "", nil)
	require.NoError(t, err)
	s := mount(cfg, newClock(), slog.New(slog.DiscardHandler), &App{requests: newRequestMetric()})
	for _, r := range s.router.Routes() {
		require.True(t, known[r.Method+" "+r.Path], "%s %s is in no document", r.Method, r.Path)
	}
	require.Len(t, s.router.Routes(), len(known))
}
