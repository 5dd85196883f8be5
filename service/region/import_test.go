package region_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/service/region"
)

func TestImport(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		text := haining(t)
		require.Equal(t, region.ImportResult{Created: 249}, imported(t, s, text))
		rows := requireTree(t, db.Read(t.Context()))
		require.Len(t, rows, 249)
		before := dump(t, db)
		for name, again := range map[string]string{"UTF-8": text, "UTF-8 with BOM": "\ufeff" + text, "GB18030": gb18030(t, text)} {
			require.Equal(t, region.ImportResult{Unchanged: 249}, imported(t, s, again), name)
			require.Equal(t, before, dump(t, db), name)
		}
		county := byCode(t, s, "330481000000")
		require.Equal(t, "海宁市", county.Name)
	})
}

func TestImport_encodings(t *testing.T) {
	for name, text := range map[string]string{"UTF-8 with BOM": "\ufeff" + haining(t), "GB18030": gb18030(t, haining(t))} {
		t.Run("creates from "+name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				s := newService(db)
				require.Equal(t, region.ImportResult{Created: 249}, imported(t, s, text))
				require.Equal(t, "海宁市", byCode(t, s, "330481000000").Name)
				require.Equal(t, region.ImportResult{Unchanged: 249}, imported(t, s, text))
			})
		})
	}
}

func TestImport_changes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		v1 := byCode(t, s, "v1")

		t.Run("renames, and leaves what the file does not name", func(t *testing.T) {
			require.Equal(t, region.ImportResult{Updated: 1}, imported(t, s, header+"v1,t1,village,新火炬社区\n"))
			renamed := byCode(t, s, "v1")
			require.Equal(t, "新火炬社区", renamed.Name)
			require.Equal(t, v1.Version+1, renamed.Version)
			require.Equal(t, v1.Path, renamed.Path)
			require.Equal(t, 6, count(t, db))
		})
		t.Run("takes parents from the database and from later lines", func(t *testing.T) {
			require.Equal(t, region.ImportResult{Created: 3}, imported(t, s, header+"m1,g9,microgrid,微网格\ng9,v9,grid,网格\nv9,t2,village,村\n"))
			requireTree(t, db.Read(t.Context()))
		})
		t.Run("moves a region with everything below it", func(t *testing.T) {
			require.Equal(t, region.ImportResult{Updated: 1}, imported(t, s, header+"v1,t2,village,新火炬社区\n"))
			requireTree(t, db.Read(t.Context()))
			require.Equal(t, byCode(t, s, "t2").Path+v1.ID+"/", byCode(t, s, "v1").Path)
			require.Equal(t, byCode(t, s, "v1").Path+byCode(t, s, "g1").ID+"/", byCode(t, s, "g1").Path)
		})
		t.Run("exchanges names and places in one file", func(t *testing.T) {
			imported(t, s, header+"x1,t2,village,甲\nx2,t2,village,乙\ny1,x1,grid,第一网格\ny2,x2,grid,第一网格\n")
			res := imported(t, s, header+"x1,t2,village,乙\nx2,t2,village,甲\ny1,x2,grid,第一网格\ny2,x1,grid,第一网格\nx3,t2,village,丙\n")
			require.Equal(t, region.ImportResult{Created: 1, Updated: 4}, res)
			requireTree(t, db.Read(t.Context()))
			_, err := s.Create(t.Context(), system, region.CreateInput{ParentID: byCode(t, s, "t2").ID, Level: "village", Name: "丙", Code: "x4"})
			require.ErrorIs(t, err, region.ErrNameTaken, "the names are held again")
		})
		t.Run("moves a village to a new town, its grid elsewhere and what lies below that along, in one file", func(t *testing.T) {
			imported(t, s, header+"m2,g1,microgrid,微网格\n")
			res := imported(t, s, header+"t3,c1,town,新街道\nt2,c1,town,改名街道\nv1,t3,village,新火炬社区\ng1,v9,grid,第一网格\ng2,v1,grid,新网格\n")
			require.Equal(t, region.ImportResult{Created: 2, Updated: 3}, res)
			requireTree(t, db.Read(t.Context()))
			require.Equal(t, region.ImportResult{Unchanged: 4}, imported(t, s, header+"g1,v9,grid,第一网格\nt2,c1,town,改名街道\nv1,t3,village,新火炬社区\nm2,g1,microgrid,微网格\n"))
		})
	})
}

func TestImport_refusals(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small+"c2,,county,桐乡市\nt3,c2,town,梧桐街道\nv3,t3,village,甲村\n")
		before := dump(t, db)
		for name, c := range map[string]struct {
			text string
			want []string
		}{
			"unknown parent":       {"t8,c1,town,甲\nt9,c9,town,乙\nv9,t9,village,丙\n", []string{"line 3 上级编码不存在"}},
			"wrong level order":    {"t9,c1,town,甲\ng9,t9,grid,乙\nv9,c1,village,丙\nt8,v1,town,丁\n", []string{"line 3 上级的级别不对：网格的上级应为村社", "line 4 上级的级别不对：村社的上级应为镇街", "line 5 上级的级别不对：镇街的上级应为县市区"}},
			"county with a parent": {"c9,c1,county,甲\n", []string{"line 2 县市区不能有上级"}},
			"level of a known one": {"v1,c1,town,甲\n", []string{"line 2 系统里该编码属于另一个级别，级别不能改变"}},
			"duplicate code":       {"t9,c1,town,甲\nt9,c1,town,乙\n", []string{"line 3 编码与第 2 行重复"}},
			"cycle":                {"t9,v9,town,甲\nv9,t9,village,乙\ng9,v9,grid,丙\nt7,t7,town,丁\n", []string{"line 2 上级关系成环", "line 3 上级关系成环", "line 5 上级关系成环"}},
			"cycle through known":  {"t1,v1,town,甲\n", []string{"line 2 上级的级别不对：镇街的上级应为县市区"}},
			"another county": {
				"t1,c2,town,硖石街道\nv3,t2,village,甲村\nt2,c9,town,海洲街道\nc9,,county,丙\nt9,c2,town,丁\nv1,t9,village,火炬社区\nv2,t2,village,新庄社区\n",
				[]string{"line 2 不能移到另一个县市区", "line 3 不能移到另一个县市区", "line 4 不能移到另一个县市区", "line 7 不能移到另一个县市区"},
			},
			"empty name":        {"t9,c1,town,甲\n\nt8,c1,town,\nv9,t8,village,乙\n", []string{"line 4 名称不能为空"}},
			"broken encoding":   {"t9,c1,town,甲乙丙\nt8,c1,town,\xff\xfe\n", []string{"line 3 文字编码有误，请另存为“CSV UTF-8”再导入"}},
			"name of a sibling": {"v8,t1,village,火炬社区\nv9,t1,village,乙\nv7,t1,village,乙\nv2,t1,village,乙\n", []string{"line 2 同一上级下已有同名地区", "line 4 同一上级下已有同名地区", "line 5 同一上级下已有同名地区"}},
			"several at once":   {"t9,c9,town,甲\nt8,c1,town,\n,c1,town,乙\n", []string{"line 2 上级编码不存在", "line 3 名称不能为空", "line 4 编码不能为空"}},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := s.Import(t.Context(), system, strings.NewReader(header+c.text))
				require.Equal(t, c.want, lineFaults(t, err))
				require.NotContains(t, fmt.Sprintf("%+v", fault.As(err)), "甲", "nothing of the file is echoed")
				require.Equal(t, before, dump(t, db))
			})
		}
		t.Run("lists 1,000 faults and says how many more", func(t *testing.T) {
			var b strings.Builder
			b.WriteString(header)
			for i := range 1500 {
				fmt.Fprintf(&b, "t%d,nowhere,town,镇\n", i+100)
			}
			_, err := s.Import(t.Context(), system, strings.NewReader(b.String()))
			faults := lineFaults(t, err)
			require.Len(t, faults, 1000)
			require.Equal(t, "line 1001 上级编码不存在", faults[999])
			require.Equal(t, "文件有 1500 处错误，一条都没有导入；下面列出前 1000 处，另有 500 处未列出", fault.As(err).Message)
			require.Equal(t, before, dump(t, db))
		})
		t.Run("10 MB of rubbish", func(t *testing.T) {
			rubbish := make([]byte, 10<<20)
			_, _ = rand.NewChaCha8([32]byte{7}).Read(rubbish)
			_, err := s.Import(t.Context(), system, bytes.NewReader(rubbish))
			require.ErrorIs(t, err, region.ErrFileTooLarge)
			_, err = s.Import(t.Context(), system, bytes.NewReader(rubbish[:4<<20]))
			require.ErrorIs(t, err, region.ErrBadFile)
			_, err = s.Import(t.Context(), system, io.MultiReader(strings.NewReader(header), bytes.NewReader(rubbish[:4<<20])))
			require.ErrorIs(t, err, region.ErrBadFile)
			require.Equal(t, before, dump(t, db))
		})
	})
}

func TestImport_rights(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		run := func(actor authz.Actor, text string) error {
			_, err := s.Import(t.Context(), actor, strings.NewReader(header+text))
			return err
		}
		require.ErrorIs(t, run(operator("/x/"), "c1,,county,甲\n"), authz.ErrForbidden)
		require.Zero(t, count(t, db))
		imported(t, s, small+"c2,,county,桐乡市\nt3,c2,town,梧桐街道\n")
		c1, c2, t1 := byCode(t, s, "c1"), byCode(t, s, "c2"), byCode(t, s, "t1")
		require.NoError(t, run(operator(c1.Path), "c1,,county,海宁市\nt1,c1,town,改名\nt9,c1,town,新镇\nt3,c2,town,梧桐街道\n"), "what stays as it is needs no right")
		before := dump(t, db)
		for name, c := range map[string]struct {
			actor authz.Actor
			text  string
		}{
			"another county":          {operator(c2.Path), "t1,c1,town,硖石\n"},
			"a new county":            {operator(c1.Path), "c9,,county,甲\n"},
			"below a new county":      {operator(c1.Path), "c9,,county,甲\nt8,c9,town,乙\n"},
			"operator of a town only": {operator(t1.Path), "v1,t1,village,甲\n"},
			"auditor":                 {authz.Actor{Kind: authz.KindStaff, Grants: []authz.Grant{{Role: authz.RoleAuditor, RegionPath: c1.Path}}}, "v1,t1,village,甲\n"},
			"resident":                {authz.Actor{Kind: authz.KindResident}, "v1,t1,village,甲\n"},
			"nobody":                  {authz.Actor{}, "v1,t1,village,火炬社区\n"},
		} {
			require.ErrorIs(t, run(c.actor, c.text), authz.ErrForbidden, name)
			require.Equal(t, before, dump(t, db), name)
		}
		// What staff import is told of, once for each county that it changes.
		var told []string
		s.OnChange(func(_ *gorm.DB, c region.Change) error {
			detail, err := json.Marshal(c.Detail)
			told = append(told, c.Actor.ID+" "+c.Action+" "+c.Region.ID+" "+string(detail))
			return err
		})
		both := operator(c1.Path)
		both.Grants = append(both.Grants, operator(c2.Path).Grants...)
		require.NoError(t, run(both, "t1,c1,town,改回\nt4,c2,town,新街道\n"))
		want := []string{"operator region.import " + c1.ID + ` {"created":1,"updated":1}`, "operator region.import " + c2.ID + ` {"created":1,"updated":1}`}
		require.ElementsMatch(t, want, told)
		require.NoError(t, run(both, "t1,c1,town,改回\nt4,c2,town,新街道\n"))
		require.Len(t, told, 2, "an import that changes nothing is not")
	})
}

func TestImport_province(t *testing.T) {
	const rows = provinceRows
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		text := province(rows)
		statements := countStatements(t, db)
		start := time.Now()
		require.Equal(t, region.ImportResult{Created: rows}, imported(t, s, text))
		t.Logf("%d rows created by %d statements in %s", rows, statements.Load(), time.Since(start))
		require.LessOrEqual(t, statements.Load(), int64(rows/500+rows/900+10))

		statements.Store(0)
		start = time.Now()
		require.Equal(t, region.ImportResult{Unchanged: rows}, imported(t, s, text))
		t.Logf("again: %d statements in %s", statements.Load(), time.Since(start))
		require.LessOrEqual(t, statements.Load(), int64(rows/900+2))

		statements.Store(0)
		start = time.Now()
		renamed := strings.ReplaceAll(text, "村\n", "社区\n")
		villages := strings.Count(text, "village")
		require.Equal(t, region.ImportResult{Updated: villages, Unchanged: rows - villages}, imported(t, s, renamed))
		t.Logf("%d renamed by %d statements in %s", villages, statements.Load(), time.Since(start))
		require.LessOrEqual(t, statements.Load(), int64(3*rows/900+rows/300+10))

		statements.Store(0)
		start = time.Now()
		// Every village of the first county moves to a new town.
		moved := renamed
		for j := range 20 {
			moved = strings.ReplaceAll(moved, fmt.Sprintf(",330000%03d000,village", j+1), fmt.Sprintf(",330000%03d000,village", j+501))
			moved += fmt.Sprintf("330000%03d000,330000000000,town,新%d镇\n", j+501, j)
		}
		require.Equal(t, region.ImportResult{Created: 20, Updated: 240, Unchanged: rows - 240}, imported(t, s, moved))
		t.Logf("240 villages moved by %d statements in %s", statements.Load(), time.Since(start))
		require.LessOrEqual(t, statements.Load(), int64(rows/900+10))
		requireTree(t, db.Read(t.Context()))
	})
}

func TestImport_together(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		t.Run("the same file at once", func(t *testing.T) {
			text := province(600)
			var wg sync.WaitGroup
			results := make([]region.ImportResult, 4)
			for i := range results {
				wg.Go(func() {
					res, err := s.Import(t.Context(), system, strings.NewReader(text))
					if err == nil || fault.KindOf(err) == fault.Conflict || fault.KindOf(err) == fault.Unavailable {
						results[i] = res
						return
					}
					t.Error(err)
				})
			}
			wg.Wait()
			created := 0
			for _, r := range results {
				created += r.Created
			}
			require.Equal(t, 600, created)
			require.Equal(t, 606, count(t, db))
		})
		t.Run("moves while others build below", func(t *testing.T) {
			v1 := byCode(t, s, "v1")
			var wg sync.WaitGroup
			wg.Go(func() {
				for i := range 10 {
					_, err := s.Import(t.Context(), system, strings.NewReader(fmt.Sprintf("%sv1,t%d,village,火炬社区\n", header, i%2+1)))
					if err != nil && fault.KindOf(err) != fault.Unavailable {
						t.Error(err)
					}
				}
			})
			for worker := range 3 {
				wg.Go(func() {
					for n := range 10 {
						_, err := s.Create(t.Context(), system, region.CreateInput{ParentID: v1.ID, Level: "grid", Name: fmt.Sprintf("网格%d-%d", worker, n)})
						if err != nil && fault.KindOf(err) != fault.Unavailable {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			requireTree(t, db.Read(t.Context()))
		})
	})
}

// Random files against a plain map: the tree in the database is always the
// tree that the files described, whatever moved in which order, and nothing ever
// leaves its county.
func TestImport_property(t *testing.T) {
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) {
			db := databasetest.Open(t, driver)
			s := newService(db)
			type node struct{ level, parent, name string }
			levels := []string{"county", "town", "village", "grid", "microgrid", "building"}
			want := map[string]node{}
			county := func(tree map[string]node, code string) string {
				for tree[code].parent != "" {
					code = tree[code].parent
				}
				return code
			}
			rapid.Check(t, func(rt *rapid.T) {
				file := map[string]node{}
				for range rapid.IntRange(1, 12).Draw(rt, "rows") {
					depth := rapid.IntRange(0, 5).Draw(rt, "depth")
					var parents []string
					for code := range want {
						if depth > 0 && want[code].level == levels[depth-1] {
							parents = append(parents, code)
						}
					}
					for code := range file {
						if depth > 0 && file[code].level == levels[depth-1] && want[code].level == "" {
							parents = append(parents, code)
						}
					}
					n := node{level: levels[depth], name: rapid.StringMatching("[甲乙丙]{1,2}").Draw(rt, "name")}
					if depth > 0 {
						if len(parents) == 0 {
							continue
						}
						n.parent = parents[rapid.IntRange(0, len(parents)-1).Draw(rt, "parent")]
					}
					file[fmt.Sprintf("%s%d", n.level, rapid.IntRange(0, 4).Draw(rt, "number"))] = n
				}
				if len(file) == 0 {
					return
				}
				var b strings.Builder
				b.WriteString(header)
				next := maps.Clone(want)
				for code, n := range file {
					fmt.Fprintf(&b, "%s,%s,%s,%s\n", code, n.parent, n.level, n.name)
					next[code] = n
				}
				type place struct{ parent, name string }
				places, shared := map[place]bool{}, false
				for _, n := range next {
					shared = shared || n.parent != "" && places[place{n.parent, n.name}]
					places[place{n.parent, n.name}] = true
				}
				left := false
				for code := range want {
					left = left || county(want, code) != county(next, code)
				}
				_, err := s.Import(t.Context(), system, strings.NewReader(b.String()))
				if shared || left {
					require.ErrorIs(rt, err, region.ErrBadFile)
				} else {
					require.NoError(rt, err)
					want = next
				}
				rows := requireTree(rt, db.Read(t.Context()))
				require.Len(rt, rows, len(want))
				codes := map[string]string{}
				for _, r := range rows {
					codes[r.ID] = r.Code
				}
				for _, r := range rows {
					got := node{level: string(r.Level), name: r.Name}
					if r.ParentID != nil {
						got.parent = codes[*r.ParentID]
					}
					require.Equal(rt, want[r.Code], got)
					page, err := s.Subtree(t.Context(), r.ID, "", paging.Request{Limit: 100})
					require.NoError(rt, err)
					for _, below := range page.Items {
						require.True(rt, below.ID == r.ID || strings.Contains(below.Path, "/"+r.ID+"/"))
					}
				}
			})
		})
	}
}
