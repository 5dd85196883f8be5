package desk_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/desk"
	"jiamenkou/service/identity/identitytest"
)

func TestViews(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		ctx, s := t.Context(), desk.New(f.DB, f.Clock)
		f.Staff(t, "other", authz.RoleOperator, f.East.ID)
		mine, other := f.Operator, f.Login(t, "other")
		views := func(who authz.Actor, list string) []desk.View {
			t.Helper()
			page, err := s.Views(ctx, who, list, paging.Request{Limit: 100})
			require.NoError(t, err)
			return page.Items
		}
		waiting := desk.View{List: "adjustments", Name: " 等我审批 ", Filters: map[string]string{"status": "proposed"}, Columns: []string{"at", "points"}, Sort: "-at", IsDefault: true}

		made, err := s.Save(ctx, mine, waiting)
		require.NoError(t, err)
		require.Equal(t, "等我审批", made.Name)
		require.Equal(t, []desk.View{made}, views(mine, "adjustments"))
		require.Equal(t, waiting.Filters, made.Filters)
		require.Equal(t, waiting.Columns, made.Columns)
		require.Equal(t, "-at", made.Sort)
		require.Empty(t, views(mine, "cases"), "a view is of one list")
		require.Empty(t, views(other, "adjustments"), "and of one person")

		t.Run("one view opens the list", func(t *testing.T) {
			second, err := s.Save(ctx, mine, desk.View{List: "adjustments", Name: "全部", IsDefault: true})
			require.NoError(t, err)
			require.NotNil(t, second.Filters)
			byName := map[string]bool{}
			for _, v := range views(mine, "adjustments") {
				byName[v.Name] = v.IsDefault
			}
			require.Equal(t, map[string]bool{"全部": true, "等我审批": false}, byName)
			second.IsDefault, second.Name = false, "所有的"
			changed, err := s.Change(ctx, mine, second)
			require.NoError(t, err)
			require.Equal(t, "所有的", changed.Name)
			require.False(t, changed.IsDefault)
		})
		t.Run("a name is taken once per list", func(t *testing.T) {
			_, err := s.Save(ctx, mine, desk.View{List: "adjustments", Name: "等我审批"})
			require.ErrorIs(t, err, desk.ErrNameTaken)
			_, err = s.Save(ctx, mine, desk.View{List: "cases", Name: "等我审批"})
			require.NoError(t, err)
		})
		t.Run("nobody changes or deletes another's", func(t *testing.T) {
			_, err := s.Change(ctx, other, made)
			require.ErrorIs(t, err, desk.ErrMissing)
			require.ErrorIs(t, s.Delete(ctx, other, made.ID), desk.ErrMissing)
			require.NoError(t, s.Delete(ctx, mine, made.ID))
			require.ErrorIs(t, s.Delete(ctx, mine, made.ID), desk.ErrMissing)
		})
		t.Run("refuses what is no view", func(t *testing.T) {
			many := map[string]string{}
			for i := range 21 {
				many[fmt.Sprintf("f%d", i)] = "x"
			}
			for name, v := range map[string]desk.View{
				"no name":        {List: "cases"},
				"a long name":    {List: "cases", Name: strings.Repeat("长", 21)},
				"no list":        {Name: "x"},
				"a strange list": {Name: "x", List: "../cases"},
				"many filters":   {Name: "x", List: "cases", Filters: many},
				"a long filter":  {Name: "x", List: "cases", Filters: map[string]string{"text": strings.Repeat("长", 41)}},
				"a bad key":      {Name: "x", List: "cases", Filters: map[string]string{"a b": "x"}},
				"a bad column":   {Name: "x", List: "cases", Columns: []string{"A"}},
				"a bad sort":     {Name: "x", List: "cases", Sort: "at desc"},
			} {
				_, err := s.Save(ctx, mine, v)
				require.Error(t, err, name)
			}
			resident, _ := f.Resident(t, "wang")
			_, err := s.Save(ctx, resident, desk.View{List: "cases", Name: "x"})
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = s.Views(ctx, resident, "cases", paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
	})
}

// The limit holds for many at once, and a place that was given back is used again.
func TestViews_limit(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		ctx, s := t.Context(), desk.New(f.DB, f.Clock)
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() { _, _ = s.Save(ctx, f.Operator, desk.View{List: "cases", Name: fmt.Sprintf("视图 %02d", i)}) })
		}
		all.Wait()
		for i := 0; ; i++ {
			_, err := s.Save(ctx, f.Operator, desk.View{List: "cases", Name: fmt.Sprintf("再来 %02d", i)})
			if err != nil {
				require.ErrorIs(t, err, desk.ErrTooMany)
				break
			}
		}
		var names []string
		var first desk.View
		for cursor := ""; ; {
			page, err := s.Views(ctx, f.Operator, "cases", paging.Request{Cursor: cursor, Limit: 7})
			require.NoError(t, err)
			for _, v := range page.Items {
				names = append(names, v.Name)
				first = v
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		require.Len(t, names, model.MaxViews)
		require.NoError(t, s.Delete(ctx, f.Operator, first.ID))
		_, err := s.Save(ctx, f.Operator, desk.View{List: "cases", Name: "空出来的位置"})
		require.NoError(t, err)
	})
}
