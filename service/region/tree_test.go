package region_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

func TestTree(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small+"c2,,county,桐乡市\nt3,c2,town,硖石新区\n")
		ctx := t.Context()
		c1, t1, v1, g1 := byCode(t, s, "c1"), byCode(t, s, "t1"), byCode(t, s, "v1"), byCode(t, s, "g1")

		t.Run("get", func(t *testing.T) {
			got, err := s.Get(ctx, v1.ID)
			require.NoError(t, err)
			require.Equal(t, v1, got)
			for _, id := range []string{"", "nobody"} {
				_, err = s.Get(ctx, id)
				require.ErrorIs(t, err, region.ErrNotFound)
				_, err = s.GetByCode(ctx, id)
				require.ErrorIs(t, err, region.ErrNotFound)
			}
			many, err := s.ByIDs(ctx, []string{v1.ID, c1.ID, v1.ID, "nobody"})
			require.NoError(t, err)
			require.Equal(t, map[string]region.Region{v1.ID: v1, c1.ID: c1}, many)
			none, err := s.ByIDs(ctx, nil)
			require.NoError(t, err)
			require.Empty(t, none)
		})
		t.Run("lists", func(t *testing.T) {
			require.Equal(t, []string{"海宁市", "桐乡市"}, names(t, func(p paging.Request) (paging.Page[region.Region], error) { return s.Roots(ctx, p) }))
			require.Equal(t, []string{"硖石街道", "海洲街道"}, names(t, func(p paging.Request) (paging.Page[region.Region], error) { return s.Children(ctx, c1.ID, p) }))
			require.Empty(t, names(t, func(p paging.Request) (paging.Page[region.Region], error) { return s.Children(ctx, g1.ID, p) }))
			_, err := s.Children(ctx, "nobody", paging.Request{})
			require.ErrorIs(t, err, region.ErrNotFound)
			subtree := func(id string, level region.Level) []string {
				return names(t, func(p paging.Request) (paging.Page[region.Region], error) { return s.Subtree(ctx, id, level, p) })
			}
			require.Equal(t, []string{"海宁市", "硖石街道", "火炬社区", "第一网格", "海洲街道", "新庄社区"}, subtree(c1.ID, ""))
			require.Equal(t, []string{"海宁市", "硖石街道", "海洲街道"}, subtree(c1.ID, model.RegionTown))
			require.Equal(t, []string{"硖石街道", "火炬社区", "第一网格"}, subtree(t1.ID, model.RegionBuilding))
			require.Empty(t, subtree(v1.ID, model.RegionCounty))
			_, err = s.Subtree(ctx, c1.ID, "planet", paging.Request{})
			require.ErrorIs(t, err, region.ErrBadQuery)
			_, err = s.Subtree(ctx, "nobody", "", paging.Request{})
			require.ErrorIs(t, err, region.ErrNotFound)
		})
		t.Run("ancestors", func(t *testing.T) {
			above, err := s.Ancestors(ctx, g1.ID)
			require.NoError(t, err)
			require.Equal(t, []region.Region{c1, t1, v1}, above)
			above, err = s.Ancestors(ctx, c1.ID)
			require.NoError(t, err)
			require.Empty(t, above)
			full, err := s.FullNames(ctx, []region.Region{g1, c1})
			require.NoError(t, err)
			require.Equal(t, map[string]string{g1.ID: "海宁市 / 硖石街道 / 火炬社区 / 第一网格", c1.ID: "海宁市"}, full)
		})
		t.Run("search", func(t *testing.T) {
			search := func(name, within string) []string {
				return names(t, func(p paging.Request) (paging.Page[region.Region], error) { return s.Search(ctx, name, within, p) })
			}
			require.Equal(t, []string{"硖石街道", "硖石新区"}, search("硖石", ""))
			require.Equal(t, []string{"硖石街道"}, search(" 硖石 ", c1.ID))
			require.Equal(t, []string{"新庄社区", "火炬社区", "硖石新区"}[:1], search("新庄", ""))
			require.Equal(t, []string{"新庄社区", "硖石新区"}, search("新", ""), "beginnings come first")
			require.Equal(t, []string{"火炬社区", "新庄社区", "硖石新区"}, search("区", ""))
			require.Empty(t, search("%", ""))
			require.Empty(t, search("_", ""))
			for _, bad := range []string{"", "  ", strings.Repeat("长", 33), "\xff"} {
				_, err := s.Search(ctx, bad, "", paging.Request{})
				require.ErrorIs(t, err, region.ErrBadQuery)
			}
			_, err := s.Search(ctx, "新", "nobody", paging.Request{})
			require.ErrorIs(t, err, region.ErrNotFound)
			_, err = s.Search(ctx, "新", "", paging.Request{Cursor: "!"})
			require.ErrorIs(t, err, paging.ErrCursor)
		})
	})
}

func TestCreate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		ctx := t.Context()
		t1, t2, v1, v2 := byCode(t, s, "t1"), byCode(t, s, "t2"), byCode(t, s, "v1"), byCode(t, s, "v2")
		create := func(actor authz.Actor, in region.CreateInput) (region.Region, error) { return s.Create(ctx, actor, in) }

		t.Run("makes codes downwards", func(t *testing.T) {
			parent := v1
			for i, level := range []region.Level{model.RegionGrid, model.RegionMicrogrid, model.RegionBuilding} {
				_, err := create(operator(v1.Path), region.CreateInput{ParentID: parent.ID, Level: level, Name: "甲"})
				require.NoError(t, err)
				second, err := create(operator(v1.Path), region.CreateInput{ParentID: parent.ID, Level: level, Name: "乙"})
				require.NoError(t, err)
				require.Equal(t, []string{"v1G002", "v1G002M002", "v1G002M002B002"}[i], second.Code)
				stored, err := s.Get(ctx, second.ID)
				require.NoError(t, err)
				require.Equal(t, second, stored)
				parent = second
			}
			requireTree(t, db.Read(ctx))
		})
		t.Run("steps over codes that others chose", func(t *testing.T) {
			for _, code := range []string{"v2G007", "v2Gx", "v2G1e9", "v2G-5"} {
				_, err := create(system, region.CreateInput{ParentID: v2.ID, Level: model.RegionGrid, Name: code, Code: code})
				require.NoError(t, err)
			}
			_, err := create(system, region.CreateInput{ParentID: v1.ID, Level: model.RegionGrid, Name: "丙", Code: "v2G008"})
			require.NoError(t, err)
			r, err := create(system, region.CreateInput{ParentID: v2.ID, Level: model.RegionGrid, Name: "甲"})
			require.NoError(t, err)
			require.Equal(t, "v2G009", r.Code)
			_, err = create(system, region.CreateInput{ParentID: v2.ID, Level: model.RegionGrid, Name: "乙", Code: "v2G009"})
			require.ErrorIs(t, err, region.ErrCodeTaken)
			_, err = create(system, region.CreateInput{ParentID: v2.ID, Level: model.RegionGrid, Name: "甲"})
			require.ErrorIs(t, err, region.ErrNameTaken)
		})
		t.Run("refuses", func(t *testing.T) {
			before := count(t, db)
			grid := region.CreateInput{ParentID: v1.ID, Level: model.RegionGrid, Name: "甲"}
			for _, actor := range []authz.Actor{operator(t2.Path), operator(v2.Path), {}, {Kind: authz.KindResident, RegionPath: v1.Path}, {Kind: authz.KindStaff, Grants: []authz.Grant{{Role: authz.RoleGridWorker, RegionPath: v1.Path}}}} {
				_, err := create(actor, grid)
				require.ErrorIs(t, err, authz.ErrForbidden)
			}
			for _, in := range []region.CreateInput{
				{ParentID: t1.ID, Level: model.RegionGrid, Name: "甲"},
				{ParentID: v1.ID, Level: model.RegionMicrogrid, Name: "甲"},
				{ParentID: v1.ID, Level: model.RegionBuilding, Name: "甲"},
				{ParentID: v1.ID, Level: model.RegionTown, Name: "甲", Code: "t9"},
				{ParentID: t1.ID, Level: model.RegionCounty, Name: "甲", Code: "c9"},
				{ParentID: v1.ID, Name: "甲"},
			} {
				_, err := create(system, in)
				require.ErrorIs(t, err, region.ErrWrongParent)
			}
			for _, in := range []region.CreateInput{
				{ParentID: t1.ID, Level: model.RegionVillage, Name: "甲"},
				{ParentID: v1.ID, Level: model.RegionGrid},
				{ParentID: v1.ID, Level: model.RegionGrid, Name: strings.Repeat("长", 65)},
				{ParentID: v1.ID, Level: model.RegionGrid, Name: "甲", Code: "不行"},
			} {
				_, err := create(system, in)
				require.Equal(t, fault.Invalid, fault.KindOf(err), err)
			}
			_, err := create(system, region.CreateInput{ParentID: "nobody", Level: model.RegionGrid, Name: "甲"})
			require.ErrorIs(t, err, region.ErrNotFound)
			require.Equal(t, before, count(t, db))
		})
		t.Run("takes the statistical code of a town or a village", func(t *testing.T) {
			county := byCode(t, s, "c1")
			town, err := create(operator(county.Path), region.CreateInput{ParentID: county.ID, Level: model.RegionTown, Name: "新镇", Code: "t8"})
			require.NoError(t, err)
			village, err := create(operator(town.Path), region.CreateInput{ParentID: town.ID, Level: model.RegionVillage, Name: "新村", Code: "v8"})
			require.NoError(t, err)
			require.Equal(t, town.Path+village.ID+"/", village.Path)
			_, err = create(operator(town.Path), region.CreateInput{ParentID: county.ID, Level: model.RegionTown, Name: "别镇", Code: "t9"})
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
		t.Run("gives creators at once different codes without a gap", func(t *testing.T) {
			g1 := byCode(t, s, "g1")
			const workers, each = 8, 5
			var wg sync.WaitGroup
			for worker := range workers {
				wg.Go(func() {
					for n := range each {
						if _, err := s.Create(ctx, system, region.CreateInput{ParentID: g1.ID, Level: model.RegionMicrogrid, Name: fmt.Sprintf("%d-%d", worker, n)}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			for n := range workers * each {
				byCode(t, s, fmt.Sprintf("g1M%03d", n+1))
			}
			requireTree(t, db.Read(ctx))
		})
	})
}

func TestRename(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		ctx := t.Context()
		v1 := byCode(t, s, "v1")
		renamed, err := s.Rename(ctx, operator(byCode(t, s, "t1").Path), region.RenameInput{ID: v1.ID, Version: 1, Name: "新名"})
		require.NoError(t, err)
		require.Equal(t, "新名", renamed.Name)
		require.EqualValues(t, 2, renamed.Version)
		require.Equal(t, renamed, byCode(t, s, "v1"))
		_, err = s.Rename(ctx, system, region.RenameInput{ID: v1.ID, Version: 1, Name: "别名"})
		require.ErrorIs(t, err, region.ErrChanged)
		_, err = s.Rename(ctx, operator(byCode(t, s, "t2").Path), region.RenameInput{ID: v1.ID, Version: 2, Name: "别名"})
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = s.Rename(ctx, system, region.RenameInput{ID: "nobody", Version: 2, Name: "别名"})
		require.ErrorIs(t, err, region.ErrNotFound)
		for _, name := range []string{"", " ", " 前后 ", "换\n行", strings.Repeat("长", 65)} {
			_, err = s.Rename(ctx, system, region.RenameInput{ID: v1.ID, Version: 2, Name: name})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		}
		require.Equal(t, renamed, byCode(t, s, "v1"))
		imported(t, s, header+"v3,t1,village,东山社区\n")
		_, err = s.Rename(ctx, system, region.RenameInput{ID: v1.ID, Version: 2, Name: "东山社区"})
		require.ErrorIs(t, err, region.ErrNameTaken)
	})
}

func TestIndexes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, province(4000))
		_, err := db.WriteSQL().ExecContext(t.Context(), map[database.Driver]string{
			database.SQLite: "ANALYZE", database.MySQL: "ANALYZE TABLE region",
		}[db.Driver()])
		require.NoError(t, err)
		// A town is what lists are of: a whole county of one may well be a scan.
		town := byCode(t, s, "330003005000")
		from, to := model.RegionPathRange(town.Path)
		for _, c := range []struct {
			index, query string
			args         []any
		}{
			{"region_path_key", "SELECT * FROM region WHERE path >= ? AND path < ? AND level IN ('town', 'village') ORDER BY path LIMIT 21", []any{from, to}},
			{"region_path_key", "SELECT * FROM region WHERE path > ? AND path < ? ORDER BY path LIMIT 21", []any{from, to}},
			{"region_parent_id_idx", "SELECT * FROM region WHERE parent_id = ? ORDER BY code LIMIT 21", []any{town.ID}},
			{"region_parent_id_idx", "SELECT * FROM region WHERE parent_id = ? AND code > ? ORDER BY code LIMIT 21", []any{town.ID, town.Code}},
			{"region_parent_id_idx", "SELECT * FROM region WHERE parent_id IS NULL ORDER BY code LIMIT 21", nil},
			{"region_code_key", "SELECT * FROM region WHERE code = ?", []any{town.Code}},
			{"region_bounds_idx", "SELECT id FROM region WHERE min_lat <= ? AND max_lat >= ? AND min_lon <= ? AND max_lon >= ?", []any{30.5, 30.5, 120.5, 120.5}},
		} {
			plan := explain(t, db, c.query, c.args...)
			require.Contains(t, plan, c.index, c.query)
			require.NotContains(t, plan, "filesort", c.query)
			require.NotContains(t, plan, "TEMP B-TREE", c.query)
		}
	})
}

// explain returns the plan as text: on MySQL the key chosen and the extras.
func explain(t *testing.T, db *database.DB, query string, args ...any) string {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if db.Driver() == database.MySQL {
		prefix = "EXPLAIN "
	}
	var rows []map[string]any
	require.NoError(t, db.Read(t.Context()).Raw(prefix+query, args...).Scan(&rows).Error)
	var out strings.Builder
	for _, row := range rows {
		for _, column := range []string{"detail", "key", "Extra"} {
			switch v := row[column].(type) {
			case []byte:
				out.WriteString(string(v) + " ")
			case string:
				out.WriteString(v + " ")
			}
		}
	}
	return out.String()
}
