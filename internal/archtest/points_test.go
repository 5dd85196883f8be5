package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pointsTables are written by service/ledger alone; each has its row in model.
var pointsTables = map[string]string{
	"account": "Account", "account_balance": "AccountBalance", "journal": "Journal", "transfer": "Transfer",
	"hold": "Hold", "hold_lot": "HoldLot", "lot": "Lot", "lot_entry": "LotEntry",
	"wallet_link": "WalletLink", "seal": "Seal", "seal_leaf": "SealLeaf", "seal_node": "SealNode", "seal_state": "SealState",
}

// Who may write them; the bench, which fills databases of its own that are
// thrown away; and this folder, whose tests quote offenders.
var pointsWriters = []string{"service/ledger", "internal/bench", "internal/archtest"}

// skippedFolders hold no Go of ours: they would only slow the walk down.
var skippedFolders = []string{".git", "bin", "data", "docs", "node_modules", "testdata", "tmp", "web"}

// pointsWrite finds a statement that writes one of the tables. UPDATE in small
// letters needs its SET, since a message may well say "update account".
var pointsWrite = func() *regexp.Regexp {
	names := make([]string, 0, len(pointsTables))
	for name := range pointsTables {
		names = append(names, name)
	}
	slices.Sort(names)
	table := "\\s+[`\"]?(?:" + strings.Join(names, "|") + ")\\b"
	return regexp.MustCompile(`\b(?:` +
		`(?i:INSERT\s+(?:IGNORE\s+|OR\s+\w+\s+)?INTO|REPLACE\s+INTO|DELETE\s+FROM|TRUNCATE\s+TABLE)` + table +
		`|UPDATE(?:\s+IGNORE|\s+OR\s+\w+)?` + table +
		`|(?is:update` + table + `.*\bset\b))`)
}()

// gormWrites are the methods by which gorm writes.
var gormWrites = []string{
	"Create", "CreateInBatches", "Save", "Update", "Updates", "UpdateColumn", "UpdateColumns", "Delete",
	"FirstOrCreate",
}

func TestOnlyTheLedgerWritesPoints(t *testing.T) {
	var problems []string
	files := 0
	top := root(t)
	require.NoError(t, filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(skippedFolders, entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // our own source
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		files++
		found, err := pointsWritesIn(filepath.ToSlash(name), text)
		problems = append(problems, found...)
		return err
	}))
	require.Greater(t, files, 10, "the walk must not miss the sources")
	require.Empty(t, problems, "only service/ledger writes points tables:\n  %s", strings.Join(problems, "\n  "))
}

// pointsWritesIn lists where a file writes a points table: by SQL, through
// gorm, or by building such a row in order to write it.
func pointsWritesIn(name string, text []byte) (problems []string, err error) {
	if slices.ContainsFunc(pointsWriters, func(folder string) bool { return isUnder(name, folder) }) {
		return nil, nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("archtest: %w", err)
	}
	report := func(at token.Pos, what string) {
		problems = append(problems, fmt.Sprintf("%s:%d: %s", name, files.Position(at).Line, what))
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.BinaryExpr, *ast.BasicLit:
			if found := pointsWrite.FindString(constantText(n.(ast.Expr))); found != "" {
				report(n.Pos(), found)
				return false // the parts of a concatenation are inside it
			}
		case *ast.CallExpr:
			if row := gormWriteOf(n); row != "" {
				report(n.Pos(), "gorm writes "+row)
			}
		case *ast.CompositeLit:
			if row := pointsRow(n.Type); row != "" && len(n.Elts) > 0 {
				report(n.Pos(), "builds a model."+row)
			}
		}
		return true
	})
	return problems, nil
}

// constantText is the text of a string literal or of a concatenation; what is
// not a literal counts as nothing, so that "UPDATE "+prefix+"hold" is found.
func constantText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return constantText(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return constantText(e.X) + constantText(e.Y)
		}
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); e.Kind == token.STRING && err == nil {
			return text
		}
	}
	return ""
}

// gormWriteOf returns the points table or row that a call such as
// tx.Model(&model.Hold{}).Where(…).Updates(…) writes.
func gormWriteOf(call *ast.CallExpr) (found string) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(gormWrites, method.Sel.Name) {
		return ""
	}
	ast.Inspect(call, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CompositeLit:
			if row := pointsRow(n.Type); row != "" {
				found = "model." + row
			}
		case *ast.CallExpr:
			if table, ok := n.Fun.(*ast.SelectorExpr); ok && table.Sel.Name == "Table" && len(n.Args) > 0 {
				if name := constantText(n.Args[0]); pointsTables[name] != "" {
					found = name
				}
			}
		}
		return true
	})
	return found
}

// pointsRow returns the name of the points row that a type (or a slice of it)
// is, or "".
func pointsRow(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.ArrayType:
		return pointsRow(t.Elt)
	case *ast.StarExpr:
		return pointsRow(t.X)
	case *ast.SelectorExpr:
		if from, ok := t.X.(*ast.Ident); !ok || from.Name != "model" {
			return ""
		}
		for _, row := range pointsTables {
			if t.Sel.Name == row {
				return row
			}
		}
	}
	return ""
}

func TestPointsWritesIn(t *testing.T) {
	for name, c := range map[string]struct {
		file, body string
		want       string // part of the first problem; "" for none
	}{
		"INSERT":                      {"service/market/a.go", `tx.Exec("INSERT INTO transfer (id) VALUES (?)", 1)`, "a.go:5: INSERT INTO transfer"},
		"UPDATE over lines":           {"service/market/a.go", "tx.Exec(`\n\tupdate\n\t account_balance SET held = 0`)", "account_balance"},
		"DELETE with quotes":          {"service/market/a.go", "tx.Exec(\"DELETE FROM `hold` WHERE id = 1\")", "DELETE FROM `hold"},
		"INSERT IGNORE":               {"service/market/a.go", `tx.Exec("INSERT IGNORE INTO lot (id) VALUES (1)")`, "lot"},
		"INSERT OR REPLACE":           {"service/market/a.go", `tx.Exec("INSERT OR REPLACE INTO hold_lot (id) VALUES (1)")`, "hold_lot"},
		"a text in parts":             {"service/market/a.go", `tx.Exec("UPDATE " + "journal" + " SET kind = 1")`, "journal"},
		"a text around a value":       {"service/market/a.go", `tx.Exec("UPDATE account_balance SET " + column + " = 1")`, "account_balance"},
		"a constant":                  {"service/market/a.go", `const q = "DELETE FROM lot_entry"; _ = q`, "lot_entry"},
		"a test is no exception":      {"service/market/a_test.go", `tx.Exec("DELETE FROM lot")`, "lot"},
		"gorm by model":               {"jobs/a.go", `tx.Model(&model.Hold{}).Where("id = ?", 1).Updates(m)`, "gorm writes model.Hold"},
		"gorm by table":               {"jobs/a.go", `tx.Table("transfer").Create(m)`, "gorm writes transfer"},
		"gorm deletes":                {"jobs/a.go", `tx.Delete(&model.Lot{}, "id = 1")`, "gorm writes model.Lot"},
		"a row that is built":         {"jobs/a.go", `rows := []model.Transfer{{ID: "1"}}; tx.Create(&rows)`, "builds a model.Transfer"},
		"the ledger may":              {"service/ledger/a.go", `tx.Exec("INSERT INTO transfer (id) VALUES (?)", 1)`, ""},
		"the ledger's tests may":      {"service/ledger/ledgertest/a.go", `tx.Exec("DELETE FROM lot")`, ""},
		"a neighbour of it may not":   {"service/ledgers/a.go", `tx.Exec("DELETE FROM lot")`, "lot"},
		"reading":                     {"service/market/a.go", `tx.Raw("SELECT * FROM transfer JOIN hold ON 1")`, ""},
		"gorm reads":                  {"service/market/a.go", `tx.Model(&model.Hold{}).Where("x").Find(&rows)`, ""},
		"a longer name":               {"service/market/a.go", `tx.Exec("UPDATE lottery SET x = 1"); tx.Exec("UPDATE account_x SET x = 1")`, ""},
		"a lock":                      {"service/market/a.go", `tx.Raw("SELECT id FROM hold FOR UPDATE")`, ""},
		"a message":                   {"service/market/a.go", `fmt.Errorf("market: update hold: %w", err)`, ""},
		"a comment":                   {"service/market/a.go", "// UPDATE hold SET x = 1", ""},
		"another table of this model": {"service/market/a.go", `tx.Create(&model.Region{ID: "1"})`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := "package a\n\nfunc f() {\n\n\t" + c.body + "\n}\n"
			problems, err := pointsWritesIn(c.file, []byte(source))
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, problems)
				return
			}
			require.NotEmpty(t, problems)
			require.Contains(t, problems[0], c.want)
		})
	}
	_, err := pointsWritesIn("a.go", []byte("no Go"))
	require.Error(t, err, "a file that cannot be read is not a clean one")
}
