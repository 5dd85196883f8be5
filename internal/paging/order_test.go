package paging_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/paging"
)

type thing struct {
	ID, Name string
	Points   int64
}

var thingOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "x.id", func(t thing) string { return t.ID }),
	paging.Number("points", "x.points", func(t thing) int64 { return t.Points }),
	paging.Text("name", "x.name", func(t thing) string { return t.Name }),
)

// things have few different points and names, so that most rows are alike in
// what they are sorted by.
func things() []thing {
	out := make([]thing, 50)
	for i := range out {
		out[i] = thing{ID: fmt.Sprintf("id%02d", (i*7)%50), Name: []string{"a", "b", "b c", "d"}[i%4], Points: int64(i%3 - 1)}
	}
	return out
}

func TestOrder(t *testing.T) {
	all := things()
	selects := make([]string, len(all))
	for i, x := range all {
		selects[i] = fmt.Sprintf("SELECT '%s' AS id, '%s' AS name, %d AS points", x.ID, x.Name, x.Points)
	}
	table := "(" + strings.Join(selects, " UNION ALL ") + ") x"
	byID := func(a, b thing) int { return cmp.Compare(a.ID, b.ID) }
	ascending := map[string]func(a, b thing) int{
		"created_at": byID,
		"points":     func(a, b thing) int { return cmp.Or(cmp.Compare(a.Points, b.Points), byID(a, b)) },
		"name":       func(a, b thing) int { return cmp.Or(cmp.Compare(a.Name, b.Name), byID(a, b)) },
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, sort := range append(thingOrder.Sorts(), "") {
			for _, limit := range []int{1, 7, 50} {
				t.Run(fmt.Sprintf("walks every row once/%s by %d", sort, limit), func(t *testing.T) {
					var got []thing
					request := paging.Request{Limit: limit, Sort: sort}
					for {
						seek, err := thingOrder.Seek(request)
						require.NoError(t, err)
						var rows []thing
						err = db.Read(t.Context()).Raw("SELECT * FROM "+table+" WHERE "+seek.Where+" ORDER BY "+seek.By+" LIMIT ?",
							append(seek.Args, seek.Limit)...).Scan(&rows).Error
						require.NoError(t, err)
						page := seek.Page(rows)
						require.LessOrEqual(t, len(page.Items), limit)
						got = append(got, page.Items...)
						if request.Cursor = page.Next; page.Next == "" {
							break
						}
					}
					want := slices.Clone(all)
					name, down := strings.CutPrefix(cmp.Or(sort, "-created_at"), "-")
					slices.SortFunc(want, ascending[name])
					if down {
						slices.Reverse(want)
					}
					require.Equal(t, want, got)
					seek, err := thingOrder.Seek(request)
					require.NoError(t, err)
					require.True(t, slices.IsSortedFunc(got, seek.Compare))
				})
			}
		}
	})
}

func TestSeek(t *testing.T) {
	t.Run("names what can be asked for, the list's own order first", func(t *testing.T) {
		require.Equal(t, []string{"-created_at", "created_at", "points", "-points", "name", "-name"}, thingOrder.Sorts())
	})
	t.Run("a column without a name only decides", func(t *testing.T) {
		o := paging.NewOrder("-at", paging.Text("", "id", func(t thing) string { return t.ID }), paging.Number("at", "at", func(t thing) int64 { return t.Points }))
		require.Equal(t, []string{"-at", "at"}, o.Sorts())
		for _, sort := range []string{"-", "id"} {
			_, err := o.Seek(paging.Request{Sort: sort})
			require.ErrorIs(t, err, paging.ErrSort)
		}
	})
	t.Run("refuses any other sort and says what there is", func(t *testing.T) {
		for _, sort := range []string{"x.id", "-", "--points", "points desc", "POINTS", "points,name"} {
			_, err := thingOrder.Seek(paging.Request{Sort: sort})
			require.ErrorIs(t, err, paging.ErrSort, sort)
			require.ErrorContains(t, err, "可用：-created_at、created_at、points、-points、name、-name")
			require.NotContains(t, err.Error(), "desc")
		}
	})
	next := func(sort string) string {
		seek, err := thingOrder.Seek(paging.Request{Limit: 1, Sort: sort})
		require.NoError(t, err)
		return seek.Page([]thing{{"id1", "a\x1fb", 5}, {"id2", "c", 6}}).Next
	}
	t.Run("bounds the rows by the sorted column alone", func(t *testing.T) {
		seek, err := thingOrder.Seek(paging.Request{Sort: "-points", Cursor: next("-points")})
		require.NoError(t, err)
		require.Equal(t, "(x.points <= ? AND (x.points < ? OR (x.points = ? AND x.id < ?)))", seek.Where)
		require.Equal(t, []any{int64(5), int64(5), int64(5), "id1"}, seek.Args)
		require.Equal(t, "x.points DESC, x.id DESC", seek.By)
	})
	t.Run("a cursor holds any text", func(t *testing.T) {
		seek, err := thingOrder.Seek(paging.Request{Sort: "name", Cursor: next("name")})
		require.NoError(t, err)
		require.Equal(t, []any{"a\x1fb", "a\x1fb", "a\x1fb", "id1"}, seek.Args)
	})
	t.Run("the list's own order may be named or not", func(t *testing.T) {
		_, err := thingOrder.Seek(paging.Request{Sort: "-created_at", Cursor: next("")})
		require.NoError(t, err)
	})
	t.Run("refuses a cursor of another sort", func(t *testing.T) {
		for _, sort := range []string{"", "created_at", "points", "name"} {
			_, err := thingOrder.Seek(paging.Request{Sort: sort, Cursor: next("-points")})
			require.ErrorIs(t, err, paging.ErrOtherSort, sort)
		}
	})
	t.Run("refuses what is no cursor", func(t *testing.T) {
		for _, raw := range []string{"x", "id1", "-points", "-points\x1fid1", "-points\x1fid1\x1f", "-points\x1fid1\x1f1.5", "-points\x1fid1\x1f5\x1f", "points desc\x1fid1\x1f5"} {
			cursor := base64.RawURLEncoding.EncodeToString([]byte(raw))
			_, err := thingOrder.Seek(paging.Request{Sort: "-points", Cursor: cursor})
			require.ErrorIs(t, err, paging.ErrCursor, raw)
		}
		_, err := thingOrder.Seek(paging.Request{Sort: "name", Cursor: base64.RawURLEncoding.EncodeToString([]byte("name\x1fid1\x1f\xff"))})
		require.ErrorIs(t, err, paging.ErrCursor, "no text")
	})
	t.Run("a list without sorts refuses one", func(t *testing.T) {
		_, err := paging.Request{Sort: "points"}.Key(1)
		require.ErrorIs(t, err, paging.ErrSort)
	})
}

func FuzzSeek(f *testing.F) {
	seek, err := thingOrder.Seek(paging.Request{Limit: 1, Sort: "points"})
	require.NoError(f, err)
	f.Add(seek.Page([]thing{{"id1", "a", -5}, {}}).Next, "points")
	for _, cursor := range []string{"", "!", "AAAA", "cG9pbnRz", "cG9pbnRzH2lkMR94", "bmFtZR9pZDEf_w", strings.Repeat("A", 1<<12)} {
		f.Add(cursor, "points")
		f.Add(cursor, "name")
		f.Add(cursor, "")
	}
	f.Fuzz(func(t *testing.T, cursor, sort string) {
		request := paging.Request{Cursor: cursor, Limit: 1, Sort: sort}
		seek, err := thingOrder.Seek(request)
		if err != nil {
			return
		}
		require.Len(t, seek.Args, strings.Count(seek.Where, "?"))
		if cursor == "" {
			return
		}
		// What was taken for a cursor names a row: the row's own cursor is the same place.
		row := thing{ID: seek.Args[len(seek.Args)-1].(string)}
		switch v := seek.Args[0].(type) {
		case int64:
			row.Points = v
		case string:
			row.Name = v
		}
		again, err := thingOrder.Seek(paging.Request{Cursor: seek.Page([]thing{row, {}}).Next, Sort: sort})
		require.NoError(t, err)
		require.Equal(t, seek.Args, again.Args)
	})
}
