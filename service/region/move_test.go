package region_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// large is small with a second village in each town, and a grid, microgrid and
// building below the first.
const large = small + `v3,t1,village,东山社区
v4,t2,village,梅园社区
m1,g1,microgrid,微网格一
b1,m1,building,1幢
g2,v3,grid,第一网格
`

const why = "区划调整，市政府〔2026〕8号"

func TestMove(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		var changes []region.Change
		s.OnChange(func(_ *gorm.DB, c region.Change) error { changes = append(changes, c); return nil })
		forgotten := 0
		s.AfterPlaced(func() { forgotten++ })
		imported(t, s, large+"c2,,county,桐乡市\nt9,c2,town,梧桐街道\n")
		ctx := t.Context()
		c1, t1, t2, t9 := byCode(t, s, "c1"), byCode(t, s, "t1"), byCode(t, s, "t2"), byCode(t, s, "t9")
		v1, v3, g1 := byCode(t, s, "v1"), byCode(t, s, "v3"), byCode(t, s, "g1")
		move := func(actor authz.Actor, r, to region.Region) (region.Region, error) {
			return s.Move(ctx, actor, region.MoveInput{ID: r.ID, Version: r.Version, ParentID: to.ID, Reason: why})
		}

		t.Run("refuses", func(t *testing.T) {
			before := dump(t, db)
			both := operator(t1.Path)
			both.Grants = append(both.Grants, operator(t2.Path).Grants...)
			for _, actor := range []authz.Actor{operator(t1.Path), operator(t2.Path), both, operator(t9.Path), {}, {Kind: authz.KindResident, RegionPath: v1.Path}} {
				_, err := move(actor, v1, t2)
				require.ErrorIs(t, err, authz.ErrForbidden, "two towns are the county's business")
			}
			for _, c := range []struct {
				r, to region.Region
				want  error
			}{
				{v1, t1, region.ErrSameParent},
				{v1, c1, region.ErrWrongParent},
				{v1, v3, region.ErrWrongParent},
				{v1, g1, region.ErrWrongParent},
				{v1, v1, region.ErrWrongParent},
				{v1, t9, region.ErrOtherCounty},
				{c1, t1, region.ErrCounty},
				{g1, v3, region.ErrNameTaken},
				{v1, region.Region{ID: "nobody"}, region.ErrNotFound},
				{region.Region{ID: "nobody"}, t2, region.ErrNotFound},
			} {
				_, err := move(system, c.r, c.to)
				require.ErrorIs(t, err, c.want, "%s to %s", c.r.Name, c.to.Name)
			}
			_, err := s.Move(ctx, system, region.MoveInput{ID: v1.ID, Version: 2, ParentID: t2.ID, Reason: why})
			require.ErrorIs(t, err, region.ErrChanged)
			for _, reason := range []string{"", " 因 ", strings.Repeat("长", 201)} {
				_, err := s.Move(ctx, system, region.MoveInput{ID: v1.ID, Version: 1, ParentID: t2.ID, Reason: reason})
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			}
			require.Equal(t, before, dump(t, db))
			require.Empty(t, changes)
			require.Zero(t, forgotten)
		})
		t.Run("takes along everything below", func(t *testing.T) {
			moved, err := move(operator(c1.Path), v1, t2)
			require.NoError(t, err)
			require.Equal(t, t2.Path+v1.ID+"/", moved.Path)
			require.Equal(t, moved, byCode(t, s, "v1"))
			require.Equal(t, v1.Version+1, moved.Version)
			require.Equal(t, moved.Path+g1.ID+"/", byCode(t, s, "g1").Path)
			require.Contains(t, byCode(t, s, "b1").Path, moved.Path)
			require.Equal(t, "g1", byCode(t, s, "g1").Code)
			requireTree(t, db.Read(ctx))
			require.Len(t, changes, 1)
			require.Equal(t, region.ActionMoved, changes[0].Action)
			require.Equal(t, why, changes[0].Reason)
			require.Equal(t, 1, forgotten)
		})
		t.Run("within one town is the town's business", func(t *testing.T) {
			v2, m1 := byCode(t, s, "v2"), byCode(t, s, "m1")
			g3, err := s.Create(ctx, operator(t2.Path), region.CreateInput{ParentID: v2.ID, Level: model.RegionGrid, Name: "第二网格"})
			require.NoError(t, err)
			_, err = move(operator(v2.Path), m1, g3)
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = move(operator(t2.Path), m1, g3)
			require.NoError(t, err)
			require.Equal(t, g3.Path+m1.ID+"/"+byCode(t, s, "b1").ID+"/", byCode(t, s, "b1").Path)
			requireTree(t, db.Read(ctx))
		})
		t.Run("stays where another service needs it", func(t *testing.T) {
			before := dump(t, db)
			var seen []string
			refusal := fault.New(fault.Conflict, "test.needed", "还要用")
			s.OnPlaced(func(tx *gorm.DB, path string) error {
				var now string
				require.NoError(t, tx.Raw("SELECT path FROM region WHERE id = ?", v3.ID).Scan(&now).Error)
				seen = append(seen, path, now)
				return refusal
			})
			_, err := move(system, v3, t2)
			require.ErrorIs(t, err, refusal)
			require.Equal(t, []string{t2.Path + v3.ID + "/", t2.Path + v3.ID + "/"}, seen)
			_, err = s.Import(ctx, system, strings.NewReader(header+"v3,t2,village,东山社区\n"))
			require.ErrorIs(t, err, refusal, "nor by a file")
			require.Equal(t, c1.Path, seen[2])
			require.Equal(t, before, dump(t, db))
		})
	})
}

// Whoever creates, moves and closes at once: the tree is a tree, and nothing
// open lies below what is closed.
func TestMove_together(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, large)
		ctx := t.Context()
		fine := func(err error) bool {
			return err == nil || slices.Contains([]fault.Kind{fault.Conflict, fault.Invalid, fault.Unavailable}, fault.KindOf(err))
		}
		move := func(code, to string) error {
			r, err := s.GetByCode(ctx, code)
			if err != nil {
				return err
			}
			_, err = s.Move(ctx, system, region.MoveInput{ID: r.ID, Version: r.Version, ParentID: byCode(t, s, to).ID, Reason: why})
			return err
		}
		var wg sync.WaitGroup
		moved := make([]int, 3)
		for i, c := range []struct{ code, one, other string }{{"v1", "t1", "t2"}, {"g1", "v1", "v4"}, {"v4", "t1", "t2"}} {
			wg.Go(func() {
				for n := range 15 {
					err := move(c.code, []string{c.other, c.one}[n%2])
					if !fine(err) {
						t.Error(err)
					} else if err == nil {
						moved[i]++
					}
				}
			})
		}
		g1, m1 := byCode(t, s, "g1"), byCode(t, s, "m1")
		for worker := range 3 {
			wg.Go(func() {
				for n := range 10 {
					below, level := g1.ID, model.RegionMicrogrid
					if n%2 == 1 {
						below, level = m1.ID, model.RegionBuilding
					}
					_, err := s.Create(ctx, system, region.CreateInput{ParentID: below, Level: level, Name: fmt.Sprintf("新%d-%d", worker, n)})
					if !fine(err) {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() {
			for range 10 {
				r := byCode(t, s, "v1")
				var err error
				if r.Closed() {
					_, err = s.Reopen(ctx, system, region.ReopenInput{ID: r.ID, Version: r.Version, Reason: why})
				} else {
					_, err = s.Close(ctx, system, region.CloseInput{ID: r.ID, Version: r.Version, SuccessorID: byCode(t, s, "v4").ID, Reason: why})
				}
				if !fine(err) {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		for i, n := range moved {
			require.Positive(t, n, "mover %d never won", i)
		}
		rows := requireTree(t, db.Read(ctx))
		closed := map[string]bool{}
		for _, r := range rows {
			closed[r.ID] = r.Closed()
		}
		for _, r := range rows {
			require.False(t, !r.Closed() && r.ParentID != nil && closed[*r.ParentID], "%s is open below a closed region", r.Name)
		}
	})
}

// lodger is a tenant with one number in each region.
type lodger map[string]int64

func (l lodger) StandingTx(tx *gorm.DB, from, to string) ([]region.Standing, error) {
	out := region.Standing{Holding: model.HoldsResidents}
	var ids []string
	err := tx.Raw("SELECT id FROM region WHERE path >= ? AND path < ?", from, to).Scan(&ids).Error
	for _, id := range ids {
		out.Count += l[id]
	}
	return []region.Standing{out}, err
}

func (l lodger) RehomeTx(_ *gorm.DB, from, to string) error {
	if l["refuse"] > 0 {
		return errors.New("a tenant's own trouble")
	}
	l[to] += l[from]
	delete(l, from)
	return nil
}

func TestClose(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		var changes []region.Change
		s.OnChange(func(_ *gorm.DB, c region.Change) error { changes = append(changes, c); return nil })
		residents := lodger{}
		s.OnClose(residents)
		imported(t, s, large+"c2,,county,桐乡市\nt9,c2,town,梧桐街道\nv9,t9,village,杨园社区\n")
		ctx := t.Context()
		c1, t1, t2 := byCode(t, s, "c1"), byCode(t, s, "t1"), byCode(t, s, "t2")
		v1, v2, v3, v4, g1 := byCode(t, s, "v1"), byCode(t, s, "v2"), byCode(t, s, "v3"), byCode(t, s, "v4"), byCode(t, s, "g1")
		closeIt := func(actor authz.Actor, r region.Region, successor string) (region.Region, error) {
			return s.Close(ctx, actor, region.CloseInput{ID: r.ID, Version: r.Version, SuccessorID: successor, Reason: why})
		}
		reopen := func(actor authz.Actor, r region.Region) (region.Region, error) {
			return s.Reopen(ctx, actor, region.ReopenInput{ID: r.ID, Version: r.Version, Reason: why})
		}
		residents[v1.ID], residents[v2.ID], residents[g1.ID] = 12, 3, 7

		t.Run("refuses", func(t *testing.T) {
			before := dump(t, db)
			_, err := closeIt(operator(t1.Path), v1, "")
			require.ErrorIs(t, err, region.ErrOccupied)
			require.Equal(t, "“火炬社区”还有 1 个下级地区、12 位居民，请先处理，或选择并入的地区", fault.As(err).Message)
			for _, actor := range []authz.Actor{operator(v1.Path), operator(t2.Path), {}} {
				_, err := closeIt(actor, v1, "")
				require.ErrorIs(t, err, authz.ErrForbidden)
			}
			_, err = closeIt(operator(t1.Path), v1, v2.ID)
			require.ErrorIs(t, err, authz.ErrForbidden, "into another town is the county's business")
			for successor, want := range map[string]error{
				v1.ID: region.ErrSuccessor, t2.ID: region.ErrSuccessor, g1.ID: region.ErrSuccessor,
				byCode(t, s, "v9").ID: region.ErrOtherCounty, "nobody": region.ErrNotFound,
			} {
				_, err := closeIt(system, v1, successor)
				require.ErrorIs(t, err, want)
			}
			_, err = closeIt(system, v1, v3.ID)
			require.ErrorIs(t, err, region.ErrNameTaken)
			require.Equal(t, "两边都有叫“第一网格”的下级地区，请先改名再合并", fault.As(err).Message)
			_, err = closeIt(system, c1, "")
			require.ErrorIs(t, err, region.ErrCounty)
			_, err = s.Close(ctx, system, region.CloseInput{ID: v4.ID, Version: 2, Reason: why})
			require.ErrorIs(t, err, region.ErrChanged)
			_, err = s.Close(ctx, system, region.CloseInput{ID: v4.ID, Version: 1})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			_, err = reopen(system, v1)
			require.ErrorIs(t, err, region.ErrNotClosed)
			_, err = reopen(system, c1)
			require.ErrorIs(t, err, region.ErrNotClosed)
			require.Equal(t, before, dump(t, db))
		})
		// The fake's own numbers know no transaction: what was refused above has been taken back by hand.
		residents[v1.ID], residents[v2.ID], residents[g1.ID] = 12, 3, 7
		delete(residents, v3.ID)

		t.Run("counts what a region holds, and what lies below", func(t *testing.T) {
			h, err := s.Holdings(ctx, operator(v1.Path), v1.ID)
			require.NoError(t, err)
			require.Equal(t, region.Holdings{
				Own:     []region.Standing{{Holding: model.HoldsRegions, Count: 1}, {Holding: model.HoldsResidents, Count: 12}},
				Subtree: []region.Standing{{Holding: model.HoldsRegions, Count: 3}, {Holding: model.HoldsResidents, Count: 19}},
			}, h)
			_, err = s.Holdings(ctx, operator(v3.Path), v1.ID)
			require.ErrorIs(t, err, region.ErrNotFound)
		})
		t.Run("an empty one, and opens it again", func(t *testing.T) {
			closed, err := closeIt(operator(t2.Path), v4, "")
			require.NoError(t, err)
			require.True(t, closed.Closed())
			require.Equal(t, closed, byCode(t, s, "v4"))
			require.Equal(t, region.ActionClosed, changes[len(changes)-1].Action)
			_, err = closeIt(system, closed, "")
			require.ErrorIs(t, err, region.ErrClosed)
			_, err = closeIt(system, v2, closed.ID)
			require.ErrorIs(t, err, region.ErrClosed)
			_, err = s.Rename(ctx, system, region.RenameInput{ID: v4.ID, Version: closed.Version, Name: "别名"})
			require.ErrorIs(t, err, region.ErrClosed)
			_, err = s.Create(ctx, system, region.CreateInput{ParentID: v4.ID, Level: model.RegionGrid, Name: "网格"})
			require.ErrorIs(t, err, region.ErrClosed)
			_, err = s.Move(ctx, system, region.MoveInput{ID: v4.ID, Version: closed.Version, ParentID: t1.ID, Reason: why})
			require.ErrorIs(t, err, region.ErrClosed)
			_, err = s.Move(ctx, system, region.MoveInput{ID: g1.ID, Version: g1.Version, ParentID: v4.ID, Reason: why})
			require.ErrorIs(t, err, region.ErrClosed)
			for text, want := range map[string]string{
				"v4,t2,village,改名\n": "line 2 该地区已撤销，请先在地区页面恢复", "g9,v4,grid,网格\n": "line 2 上级地区已撤销",
			} {
				_, err = s.Import(ctx, system, strings.NewReader(header+text))
				require.Equal(t, []string{want}, lineFaults(t, err))
			}
			imported(t, s, header+"v4,t2,village,梅园社区\n")
			require.ErrorIs(t, database.InTx(ctx, db, func(tx *gorm.DB) error { return region.RequireOpenTx(tx, v2.ID, v4.ID) }), region.ErrClosed)
			require.NoError(t, database.InTx(ctx, db, func(tx *gorm.DB) error { return region.RequireOpenTx(tx, v2.ID) }))

			list := func(of func(paging.Request) (paging.Page[region.Region], error)) []string { return names(t, of) }
			require.Equal(t, []string{"新庄社区"}, list(func(p paging.Request) (paging.Page[region.Region], error) { return s.Children(ctx, t2.ID, p) }))
			require.Equal(t, []string{"梅园社区"}, list(func(p paging.Request) (paging.Page[region.Region], error) { return s.ClosedChildren(ctx, t2.ID, p) }))
			require.NotContains(t, list(func(p paging.Request) (paging.Page[region.Region], error) { return s.Subtree(ctx, c1.ID, "", p) }), "梅园社区")
			require.Empty(t, list(func(p paging.Request) (paging.Page[region.Region], error) { return s.Search(ctx, "梅园", "", p) }))

			// Its name is free meanwhile.
			again, err := s.Create(ctx, system, region.CreateInput{ParentID: t2.ID, Level: model.RegionVillage, Name: "梅园社区", Code: "v5"})
			require.NoError(t, err)
			_, err = reopen(operator(t2.Path), closed)
			require.ErrorIs(t, err, region.ErrNameTaken)
			_, err = closeIt(system, again, "")
			require.NoError(t, err)
			_, err = reopen(operator(v4.Path), closed)
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = reopen(system, v4)
			require.ErrorIs(t, err, region.ErrChanged)
			opened, err := reopen(operator(t2.Path), closed)
			require.NoError(t, err)
			require.False(t, opened.Closed())
			require.Equal(t, opened, byCode(t, s, "v4"))
		})
		t.Run("into another: residents, grids and all", func(t *testing.T) {
			merged, err := closeIt(operator(c1.Path), v1, v2.ID)
			require.NoError(t, err)
			require.Equal(t, v2.ID, *merged.SuccessorID)
			require.Equal(t, v1.Path, merged.Path, "what is over stays under its old path")
			require.Equal(t, lodger{v2.ID: 15, g1.ID: 7}, residents)
			require.Equal(t, v2.Path+g1.ID+"/", byCode(t, s, "g1").Path)
			require.Equal(t, v2.Path+g1.ID+"/", strings.TrimSuffix(byCode(t, s, "m1").Path, byCode(t, s, "m1").ID+"/"))
			requireTree(t, db.Read(ctx))
			last := changes[len(changes)-1]
			require.Equal(t, region.ActionMerged, last.Action)
			require.Contains(t, fmt.Sprintf("%+v", last.Detail), v2.ID)
			// The town cannot go before what was closed below it is no matter: closed children do not count.
			_, err = closeIt(system, byCode(t, s, "t1"), "")
			require.Equal(t, "“硖石街道”还有 1 个下级地区，请先处理，或选择并入的地区", fault.As(err).Message)
			opened, err := reopen(system, merged)
			require.NoError(t, err)
			require.Nil(t, opened.SuccessorID)
			require.EqualValues(t, 15, residents[v2.ID], "what was given stays given")
		})
		t.Run("is undone whole when a tenant fails", func(t *testing.T) {
			before := dump(t, db)
			residents["refuse"] = 1
			defer delete(residents, "refuse")
			_, err := closeIt(system, v3, v2.ID)
			require.ErrorContains(t, err, "a tenant's own trouble")
			require.Equal(t, before, dump(t, db))
		})
		t.Run("needs an open parent to open again", func(t *testing.T) {
			v, err := closeIt(system, byCode(t, s, "v9"), "")
			require.NoError(t, err)
			_, err = closeIt(system, byCode(t, s, "t9"), "")
			require.NoError(t, err)
			_, err = reopen(system, v)
			require.ErrorIs(t, err, region.ErrClosed)
			require.Equal(t, "它的上级“梧桐街道”已撤销，请先恢复上级", fault.As(err).Message)
		})
	})
}
