package app

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/demo"
)

// everySort walks every list that the staff surface can sort, by everything that
// its document names, over the demo's county: each row comes once, the rows are
// in the order of the member that the sort is named after, and the other way
// round they are in the other order.
func everySort(t *testing.T, a *App) {
	t.Helper()
	s := around(t, a)
	login := into[struct {
		AccessToken string `json:"access_token"`
	}](t, s.call(http.MethodPost, "/api/v1/auth/login", "", object{"username": "operator", "password": demo.Password}))
	operator := &person{site: s, prefix: "/api/v1", token: login.AccessToken}
	one := func(query string) (id string) {
		require.NoError(t, a.db.Read(t.Context()).Raw(query+" LIMIT 1").Scan(&id).Error)
		require.NotEmpty(t, id)
		return id
	}
	post[object](operator, "/exports", object{"resource": "merchants", "format": "csv", "sort": "-name"})
	for range 3 {
		a.clock.(*clock.Manual).Advance(time.Second) // two runs at one instant are one
		run := post[struct{ ID string }](operator, "/jobs/queue.prune/runs", nil)
		_, err := a.runner.Await(t.Context(), run.ID)
		require.NoError(t, err)
	}
	parents := map[string]string{
		"list-stores": one("SELECT merchant_id FROM merchant_store"), "list-redemptions": one("SELECT merchant_id FROM redemption GROUP BY merchant_id ORDER BY COUNT(*) DESC"),
		"list-statement-lines": one("SELECT statement_id FROM settlement_line GROUP BY statement_id ORDER BY COUNT(*) DESC"),
		"list-attendees":       one("SELECT shift_id FROM signup GROUP BY shift_id ORDER BY COUNT(*) DESC"), "list-job-runs": "queue.prune",
	}
	var doc specDocument
	require.NoError(t, json.Unmarshal(s.call(http.MethodGet, "/openapi/api-v1.json", "", nil).body, &doc))
	lists := 0
	for path, methods := range doc.Paths {
		op := methods["get"]
		for _, p := range op.Parameters {
			if p.Name != "sort" {
				continue
			}
			lists++
			path = strings.NewReplacer("{id}", parents[op.ID], "{name}", parents[op.ID]).Replace(path)
			t.Run(op.ID, func(t *testing.T) { sortsOf(t, operator, path, p.Schema.Enum) })
		}
	}
	require.Equal(t, 29, lists, "lists that can be sorted")
}

func sortsOf(t *testing.T, who *person, path string, sorts []string) {
	t.Helper()
	whole := walk(who, path, "", 100)
	t.Logf("%d rows, by %v", len(whole), sorts)
	require.Equal(t, whole, walk(who, path, sorts[0], 100), "the first sort is the list's own")
	orders := map[string][]string{}
	for _, sort := range sorts {
		rows := walk(who, path, sort, min(100, len(whole)/4+1))
		require.ElementsMatch(t, whole, rows, sort)
		orders[sort] = rows
		name, down := strings.CutPrefix(sort, "-")
		values := make([]any, len(rows))
		for i, row := range rows {
			item := object{}
			require.NoError(t, json.Unmarshal([]byte(row), &item))
			require.Contains(t, item, name, "a sort is named after a member")
			values[i] = item[name]
		}
		if down {
			slices.Reverse(values)
		}
		require.True(t, slices.IsSortedFunc(values, compare), "%s: %v", sort, values)
	}
	for _, sort := range sorts {
		if other := orders["-"+sort]; other != nil {
			slices.Reverse(other)
			require.Equal(t, orders[sort], other, sort)
		}
	}
	// The second page of a list that is too short for one can be asked for as well.
	for _, sort := range sorts {
		reached := 0
		for _, key := range []string{"0", "0\x1f0"} {
			cursor := base64.RawURLEncoding.EncodeToString([]byte(sort + "\x1f" + key))
			if who.do(http.MethodGet, path+"?sort="+sort+"&cursor="+cursor, nil).status == http.StatusOK {
				reached++
			}
		}
		require.NotZero(t, reached, sort)
	}
	refused := who.do(http.MethodGet, path+"?sort=id", nil)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.String(), "这个列表不能这样排序，可用："+strings.Join(sorts, "、"))
}

// walk reads a list page by page and gives its items as they came.
func walk(who *person, path, sort string, limit int) (rows []string) {
	who.t.Helper()
	query := url.Values{"limit": {fmt.Sprint(limit)}}
	if sort != "" {
		query.Set("sort", sort)
	}
	for {
		page := get[list[json.RawMessage]](who, path+"?"+query.Encode())
		for _, item := range page.Items {
			rows = append(rows, string(item))
		}
		if page.Next == "" {
			return rows
		}
		query.Set("cursor", page.Next)
	}
}

// compare orders what an API shows: none is later than any.
func compare(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a == nil), boolInt(b == nil))
	}
	if n, is := a.(float64); is {
		return cmp.Compare(n, b.(float64)) // one list has one type
	}
	x, y := a.(string), b.(string)
	p, err := time.Parse(time.RFC3339, x)
	q, err2 := time.Parse(time.RFC3339, y)
	if err == nil && err2 == nil {
		return p.Compare(q)
	}
	return strings.Compare(x, y)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
