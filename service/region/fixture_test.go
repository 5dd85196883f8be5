package region_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

var system = authz.System("test")

func newService(db *database.DB) *region.Service {
	return region.New(db, clock.NewManual(time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC), 1))
}

const header = "code,parent_code,level,name\n"

// small is one county with two towns, two villages and a grid.
const small = header + `c1,,county,海宁市
t1,c1,town,硖石街道
t2,c1,town,海洲街道
v1,t1,village,火炬社区
v2,t2,village,新庄社区
g1,v1,grid,第一网格
`

func operator(path string) authz.Actor {
	return authz.Actor{Kind: authz.KindStaff, ID: "operator", Grants: []authz.Grant{{Role: authz.RoleOperator, RegionPath: path}}}
}

func imported(t *testing.T, s *region.Service, text string) region.ImportResult {
	t.Helper()
	res, err := s.Import(t.Context(), system, strings.NewReader(text))
	require.NoError(t, err, "%+v", fault.As(err))
	return res
}

func byCode(t *testing.T, s *region.Service, code string) region.Region {
	t.Helper()
	r, err := s.GetByCode(t.Context(), code)
	require.NoError(t, err, code)
	return r
}

func count(t *testing.T, db *database.DB) int {
	t.Helper()
	var n int64
	require.NoError(t, db.Read(t.Context()).Table("region").Count(&n).Error)
	return int(n)
}

// dump is every row but its time stamps, to prove that nothing changed.
func dump(t *testing.T, db *database.DB) []string {
	t.Helper()
	var rows []string
	require.NoError(t, db.Read(t.Context()).Raw(
		"SELECT CONCAT(id, ' ', code, ' ', level, ' ', name, ' ', path, ' ', version, ' ', updated_at) FROM region ORDER BY id").Scan(&rows).Error)
	return rows
}

// names walks every page of a list, two at a time.
func names(t *testing.T, list func(paging.Request) (paging.Page[region.Region], error)) []string {
	t.Helper()
	var out []string
	req := paging.Request{Limit: 2}
	for range 1000 {
		page, err := list(req)
		require.NoError(t, err)
		for _, r := range page.Items {
			out = append(out, r.Name)
		}
		if req.Cursor = page.Next; req.Cursor == "" {
			return out
		}
	}
	t.Fatal("the list has no end")
	return nil
}

func lineFaults(t *testing.T, err error) []string {
	t.Helper()
	require.ErrorIs(t, err, region.ErrBadFile)
	var out []string
	for _, f := range fault.As(err).Fields {
		out = append(out, f.Path+" "+f.Reason)
	}
	return out
}

// requireTree checks what must always hold: each path is the parent's path and
// the own id, each level lies right below the parent's.
func requireTree(t interface {
	require.TestingT
	Helper()
}, db *gorm.DB,
) []region.Region {
	t.Helper()
	var rows []region.Region
	require.NoError(t, db.Raw("SELECT * FROM region ORDER BY path").Scan(&rows).Error)
	byID := map[string]region.Region{}
	for _, r := range rows {
		byID[r.ID] = r
	}
	for _, r := range rows {
		require.NoError(t, r.Validate())
		if r.ParentID == nil {
			require.Equal(t, "/"+r.ID+"/", r.Path)
			require.Equal(t, model.RegionCounty, r.Level)
			continue
		}
		parent, ok := byID[*r.ParentID]
		require.True(t, ok)
		require.Equal(t, parent.Path+r.ID+"/", r.Path)
		require.Equal(t, r.Level.Parent(), parent.Level)
	}
	return rows
}

// countStatements counts what goes through the transactions' handle from now on.
func countStatements(t *testing.T, db *database.DB) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	count := func(*gorm.DB) { n.Add(1) }
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		c := tx.Callback()
		for _, err := range []error{
			c.Create().After("*").Register("test:create", count), c.Query().After("*").Register("test:query", count),
			c.Raw().After("*").Register("test:raw", count), c.Row().After("*").Register("test:row", count),
			c.Update().After("*").Register("test:update", count),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return &n
}

func haining(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("../../internal/demo/data/regions-haining.csv")
	require.NoError(t, err)
	return string(raw)
}

// province writes n rows: counties of 20 towns of 12 villages.
func province(n int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := 0; n > 0; i++ {
		county := fmt.Sprintf("33%04d000000", i)
		fmt.Fprintf(&b, "%s,,county,第%d县\n", county, i)
		n--
		for j := 0; j < 20 && n > 0; j++ {
			town := fmt.Sprintf("33%04d%03d000", i, j+1)
			fmt.Fprintf(&b, "%s,%s,town,第%d县%d镇\n", town, county, i, j)
			n--
			for k := 0; k < 12 && n > 0; k++ {
				fmt.Fprintf(&b, "33%04d%03d%03d,%s,village,第%d村\n", i, j+1, k+1, town, k)
				n--
			}
		}
	}
	return b.String()
}
