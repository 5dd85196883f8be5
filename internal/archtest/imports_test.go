package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "jiamenkou"

// serviceGroups is the order of the services from the ground up: a package
// imports services of earlier groups only.
var serviceGroups = [][]string{
	{"region", "identity", "media", "desk"},
	{"ledger"},
	{"policy"},
	{"volunteer", "reading", "casework", "market"},
	{"settlement", "leaderboard", "notify", "insight", "recourse", "invite"},
	{"lookup", "assurance"},
	{"export"},
}

var (
	gorm     = []string{"gorm.io/", "github.com/ncruces/go-sqlite3/gormlite"}
	web      = []string{"github.com/gin-gonic/", "github.com/gin-contrib/", "github.com/danielgtaylor/huma/"}
	surfaces = []string{"api", "miniprogram-api"}
)

// bans lists what a part of the tree never imports, by path prefix: folders of
// this module by their path in it, other modules in full.
var bans = []struct {
	from   string
	except []string
	never  []string
	why    string
}{
	{"api", nil, append([]string{"model", "miniprogram-api"}, gorm...), "handlers are thin and have DTOs of their own"},
	{"miniprogram-api", nil, append([]string{"model", "api"}, gorm...), "handlers are thin and have DTOs of their own"},
	{"service", nil, append([]string{"jobs", "internal/app", "internal/httpapi"}, slices.Concat(surfaces, web)...), "services know nothing of who calls them"},
	{"jobs", nil, append([]string{"model", "internal/app", "internal/database"}, slices.Concat(surfaces, gorm, web)...), "a job calls one service method"},
	{"internal", []string{"internal/app", "internal/bench", "internal/demo"}, append([]string{"service", "jobs"}, surfaces...), "what all parts share stands below them"},
}

// modelMayImport is what model imports of this module.
var modelMayImport = []string{"internal/clock", "internal/fault"}

// forbiddenNames say nothing about what is inside.
var forbiddenNames = []string{"common", "util", "utils", "helper", "helpers"}

// pkg is one node of the import graph. Paths inside the module are relative to
// it.
type pkg struct {
	path, name string
	imports    []string // of the production code
}

func TestImports(t *testing.T) {
	graph := loadGraph(t)
	require.Greater(t, len(graph), 5, "the graph must not be empty by mistake")
	problems := checkImports(graph)
	require.Empty(t, problems, "\n  %s", strings.Join(problems, "\n  "))
}

// checkImports lists every import that breaks a rule.
func checkImports(graph []pkg) (problems []string) {
	for _, p := range graph {
		problems = append(problems, checkName(p)...)
		problems = append(problems, checkServiceOrder(p)...)
		for _, imported := range p.imports {
			if why := banned(p.path, imported); why != "" {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s", p.path, imported, why))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// TestServicesAreDocumented: whoever adds a service says where it stands.
func TestServicesAreDocumented(t *testing.T) {
	for _, file := range []string{"../../docs/architecture.md", "../../CONTRIBUTING.md"} {
		text, err := os.ReadFile(file) //nolint:gosec // our own pages
		require.NoError(t, err)
		for _, name := range slices.Concat(serviceGroups...) {
			require.Regexp(t, `\b`+name+`\b`, string(text), "%s does not name service/%s", file, name)
		}
	}
}

func checkName(p pkg) (problems []string) {
	for _, part := range append(strings.Split(p.path, "/"), p.name) {
		if slices.Contains(forbiddenNames, part) {
			return []string{fmt.Sprintf("%s: the name %q does not say what is inside", p.path, part)}
		}
	}
	return nil
}

func banned(from, imported string) string {
	if isUnder(from, "model") && isOurs(imported) && !isUnder(imported, "model") && !slices.Contains(modelMayImport, imported) {
		return "model imports only " + strings.Join(modelMayImport, " and ") + " of this module"
	}
	for _, b := range bans {
		if !isUnder(from, b.from) || isTestSupport(from) || slices.ContainsFunc(b.except, func(e string) bool { return isUnder(from, e) }) {
			continue
		}
		for _, never := range b.never {
			if isUnder(imported, never) {
				return b.why
			}
		}
	}
	return ""
}

func checkServiceOrder(p pkg) (problems []string) {
	own := service(p.path)
	if own == "" {
		return nil
	}
	rank := groupOf(own)
	if rank < 0 {
		return []string{fmt.Sprintf("%s: service %q is in no group: see internal/archtest and docs/architecture.md", p.path, own)}
	}
	for _, imported := range p.imports {
		other := service(imported)
		if other == "" || other == own {
			continue
		}
		switch at := groupOf(other); {
		case at == rank:
			problems = append(problems, fmt.Sprintf("%s imports %s: services of one group never import each other", p.path, imported))
		case at > rank:
			problems = append(problems, fmt.Sprintf("%s imports %s: that service stands above it", p.path, imported))
		}
	}
	return problems
}

// service returns the service that a path belongs to: "ledger" for
// service/ledger/ledgertest.
func service(p string) string {
	rest, ok := strings.CutPrefix(p, "service/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func groupOf(service string) int {
	return slices.IndexFunc(serviceGroups, func(group []string) bool { return slices.Contains(group, service) })
}

// isUnder reports whether p is the folder or lies in it. A prefix that ends in
// a slash stands for every module below that host or owner.
func isUnder(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
}

func isOurs(p string) bool {
	host, _, _ := strings.Cut(p, "/")
	return slices.Contains([]string{"api", "internal", "jobs", "migrations", "miniprogram-api", "model", "service"}, host)
}

// isTestSupport: packages such as databasetest are imported by tests only.
func isTestSupport(p string) bool { return strings.HasSuffix(path.Base(p), "test") }

// loadGraph asks the go command for every package of the module.
func loadGraph(t *testing.T) (graph []pkg) {
	t.Helper()
	// -e: a package that does not compile is for the compiler to report.
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Name,Imports", "./...")
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			ImportPath, Name string
			Imports          []string
		}
		err := decoder.Decode(&listed)
		if errors.Is(err, io.EOF) {
			return graph
		}
		require.NoError(t, err)
		p := pkg{path: relative(listed.ImportPath), name: listed.Name}
		for _, imported := range listed.Imports {
			p.imports = append(p.imports, relative(imported))
		}
		graph = append(graph, p)
	}
}

func relative(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// root returns the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func TestCheckImports(t *testing.T) {
	for name, c := range map[string]struct {
		from    string
		imports string
		want    string // part of the one problem; "" for none
	}{
		"a service may import an earlier group":      {"service/market", "service/ledger", ""},
		"a service may import its own packages":      {"service/ledger/ledgertest", "service/ledger", ""},
		"a service may import gorm":                  {"service/market", "gorm.io/gorm", ""},
		"a service never imports its own group":      {"service/market", "service/volunteer", "never import each other"},
		"region and identity are one group":          {"service/identity", "service/region", "never import each other"},
		"a part of a service is bound, too":          {"service/market/pricing", "service/reading", "never import each other"},
		"a service never imports a later group":      {"service/ledger", "service/policy", "stands above"},
		"a later group stands above, far or near":    {"service/region", "service/notify/templates", "stands above"},
		"a service must be in a group":               {"service/lottery", "context", "is in no group"},
		"a service never imports gin":                {"service/market", "github.com/gin-gonic/gin", "nothing of who calls"},
		"a service never imports huma":               {"service/market", "github.com/danielgtaylor/huma/v2/sse", "nothing of who calls"},
		"a service never imports api":                {"service/market", "api", "nothing of who calls"},
		"a service never imports miniprogram-api":    {"service/market", "miniprogram-api", "nothing of who calls"},
		"a service never imports jobs":               {"service/market", "jobs", "nothing of who calls"},
		"a service never imports the HTTP mapping":   {"service/market", "internal/httpapi", "nothing of who calls"},
		"api may import services and huma":           {"api", "service/market", ""},
		"api never imports gorm":                     {"api", "gorm.io/gorm/clause", "handlers are thin"},
		"api never imports gorm's SQLite":            {"api", "github.com/ncruces/go-sqlite3/gormlite", "handlers are thin"},
		"api never imports model":                    {"api/dto", "model", "handlers are thin"},
		"api never imports the other surface":        {"api", "miniprogram-api", "handlers are thin"},
		"miniprogram-api never imports the other":    {"miniprogram-api", "api", "handlers are thin"},
		"miniprogram-api never imports gorm":         {"miniprogram-api", "gorm.io/gorm", "handlers are thin"},
		"miniprogram-api never imports model":        {"miniprogram-api", "model", "handlers are thin"},
		"api is not a prefix of another folder":      {"apidocs", "gorm.io/gorm", ""},
		"model may import the clock":                 {"model", "internal/clock", ""},
		"model may import other modules":             {"model", "github.com/paulmach/orb", ""},
		"model never imports the database":           {"model", "internal/database", "model imports only"},
		"model never imports a service":              {"model", "service/ledger", "model imports only"},
		"a job may import services":                  {"jobs", "service/market", ""},
		"a job may import the queue":                 {"jobs", "internal/queue", ""},
		"a job never imports gorm":                   {"jobs", "gorm.io/gorm", "one service method"},
		"a job never imports model":                  {"jobs", "model", "one service method"},
		"internal never imports a service":           {"internal/queue", "service/notify", "stands below"},
		"internal never imports a surface":           {"internal/wechat", "api", "stands below"},
		"the composition root imports everything":    {"internal/app", "service/notify", ""},
		"the demo loader imports services":           {"internal/demo", "service/market", ""},
		"the bench program imports services":         {"internal/bench", "service/market", ""},
		"a test support package imports services":    {"internal/app/apptest", "service/market", ""},
		"the entry point imports the root":           {".", "internal/app", ""},
		"common is no name":                          {"internal/common", "context", "does not say"},
		"util is no name, wherever":                  {"service/ledger/util", "context", "does not say"},
		"a longer name may contain a forbidden word": {"service/ledger/commonage", "context", ""},
	} {
		t.Run(name, func(t *testing.T) {
			problems := checkImports([]pkg{{path: c.from, name: path.Base(c.from), imports: []string{"fmt", c.imports}}})
			if c.want == "" {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			require.Contains(t, problems[0], c.want)
			require.Contains(t, problems[0], c.from)
		})
	}
	t.Run("a package's name counts, not only its folder's", func(t *testing.T) {
		require.Len(t, checkImports([]pkg{{path: "internal/text", name: "helpers"}}), 1)
	})
	t.Run("every problem is listed", func(t *testing.T) {
		require.Len(t, checkImports([]pkg{
			{path: "api", imports: []string{"gorm.io/gorm", "model"}},
			{path: "service/reading", imports: []string{"service/market", "service/insight", "service/ledger"}},
		}), 4)
	})
}
