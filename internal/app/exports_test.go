package app

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// listing is a list of the staff surface and the export that writes it.
type listing struct {
	resource, path string
	filters        object
	id             string // the member of a list's item that is a row's first cell
}

// exports writes every list into a file as the loop has filled it, and reads
// the file back against the list itself.
func (l *loop) exports(t *testing.T) {
	shop, day := l.c.shops[0], "2000-01-01"
	statement := get[list[struct{ ID string }]](l.owner, "/settlement/statements").Items[0].ID
	activity := get[list[struct{ ID string }]](l.organizer, "/activities").Items[0].ID
	shift := get[struct{ Shifts []struct{ ID string } }](l.organizer, "/activities/"+activity).Shifts[0].ID
	budget := get[list[struct{ ID string }]](l.operator, "/budgets").Items[0].ID
	post[object](l.operator, "/adjustments", object{
		"kind": "credit", "resident_id": l.wang.id, "points": 1, "budget_id": budget, "reason_code": "other", "reason_text": "=1+1 的补发",
	})
	entry := get[list[struct{ ID string }]](l.wang, "/wallet/entries").Items[0].ID
	post[object](l.wang, "/wallet/entries/"+entry+"/objections", object{"text": "时长算少了，请核对"})
	listings := []listing{
		{"merchants", "/merchants", object{}, "id"},
		{"benefits", "/benefits", object{"merchant_id": shop.merchantID}, "id"},
		{"redemptions", "/merchants/" + shop.merchantID + "/redemptions", object{"merchant_id": shop.merchantID, "from": day}, "id"},
		{"statements", "/settlement/statements", object{"merchant_id": shop.merchantID}, "id"},
		{"statement_lines", "/settlement/statements/" + statement + "/lines", object{"statement_id": statement}, "id"},
		{"cases", "/cases", object{}, "number"},
		{"service_records", "/service-records", object{"status": "effective"}, "id"},
		{"activities", "/activities", object{"status": "published"}, "id"},
		{"attendances", "/shifts/" + shift + "/attendees", object{"shift_id": shift}, "signup_id"},
		{"adjustments", "/adjustments", object{"status": "proposed"}, "id"},
		{"budgets", "/budgets", object{}, "id"},
		{"policy_rules", "/policy-rules", object{"region_id": l.c.countyID}, "id"},
		{"orders", "/orders", object{"status": "redeemed"}, "id"},
		{"residents", "/residents", object{"status": "active"}, "id"},
		{"staff", "/staff", object{"kind": "grid_worker"}, "id"},
		{"articles", "/articles", object{"status": "published"}, "id"},
		{"objections", "/objections", object{}, "id"},
		{"audit_log", "/audit-log", object{"kind": "job.run"}, "id"},
	}
	queries := map[string]string{
		"benefits": "?merchant_id=" + shop.merchantID, "statements": "?merchant_id=" + shop.merchantID, "service_records": "?state=effective",
		"activities": "?status=published", "adjustments": "?status=proposed", "policy_rules": "?region_id=" + l.c.countyID, "audit_log": "?action=job.run",
		"orders": "?status=redeemed", "residents": "?status=active", "staff": "?role=grid_worker", "articles": "?status=published",
	}
	for _, x := range listings {
		items := get[list[object]](l.operator, x.path+queries[x.resource]).Items
		require.NotEmpty(t, items, x.resource)
		file := l.exported(t, l.operator, x.resource, "csv", x.filters)
		require.Equal(t, "text/csv; charset=utf-8", file.header.Get("Content-Type"))
		require.Contains(t, file.header.Get("Content-Disposition"), `attachment; filename="`+x.resource+"-")
		require.Equal(t, "private, no-store", file.header.Get("Cache-Control"))
		text, marked := bytes.CutPrefix(file.body, []byte("\xef\xbb\xbf"))
		require.True(t, marked)
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll() // refuses rows of unequal length
		require.NoError(t, err, x.resource)
		require.Len(t, rows, len(items)+1, "%s: a head, and the rows of the list", x.resource)
		for i, item := range items {
			require.Equal(t, item[x.id], rows[i+1][0], "%s: in the order of the list", x.resource)
		}
		require.NotContains(t, string(text), "王秀英", "%s names no resident", x.resource)
	}
	l.exportsAreHarmless(t)
	l.exportsAreTheirMakers(t)
}

// exported asks for a file, waits for it and fetches it.
func (l *loop) exported(t *testing.T, who *person, resource, format string, filters object) answer {
	t.Helper()
	type job struct {
		ID, Status, Error string
		SizeBytes         int64 `json:"size_bytes"`
	}
	e := post[job](who, "/exports", object{"resource": resource, "format": format, "filters": filters})
	require.Eventually(t, func() bool {
		e = get[job](who, "/exports/"+e.ID)
		return e.Status != "queued" && e.Status != "running"
	}, bootWait, 20*time.Millisecond)
	require.Equal(t, "done", e.Status, "%s: %s", resource, e.Error)
	file := who.do(http.MethodGet, "/exports/"+e.ID+"/file", nil)
	require.Equal(t, http.StatusOK, file.status, file.String())
	require.Len(t, file.body, int(e.SizeBytes))
	return file
}

// exportsAreHarmless looks at the cell that somebody typed as a formula.
func (l *loop) exportsAreHarmless(t *testing.T) {
	file := l.exported(t, l.operator, "adjustments", "xlsx", object{"kind": "credit"})
	require.Contains(t, file.header.Get("Content-Type"), "spreadsheetml")
	book, err := excelize.OpenReader(bytes.NewReader(file.body))
	require.NoError(t, err)
	rows, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, "'=1+1 的补发", rows[1][5])
	formula, err := book.GetCellFormula("Sheet1", "F2")
	require.NoError(t, err)
	require.Empty(t, formula)
	require.NoError(t, book.Close())
	text := string(l.exported(t, l.operator, "adjustments", "csv", object{}).body)
	require.Contains(t, text, ",'=1+1 的补发,")
}

// exportsAreTheirMakers: a list that one may not read is no file either, and a
// file is nobody else's.
func (l *loop) exportsAreTheirMakers(t *testing.T) {
	ask := func(who *person, resource string, filters object) answer {
		return who.do(http.MethodPost, "/exports", object{"resource": resource, "format": "csv", "filters": filters})
	}
	require.Equal(t, 403, ask(l.clerk, "audit_log", object{}).status)
	require.Equal(t, 403, ask(l.clerk, "statements", object{}).status)
	other := object{"merchant_id": l.c.shops[1].merchantID}
	require.Equal(t, "market.merchant_not_found", ask(l.clerk, "redemptions", other).code())
	require.Equal(t, "export.invalid", ask(l.operator, "cases", object{"merchant_id": l.c.shops[0].merchantID}).code())
	require.Equal(t, 422, ask(l.operator, "wallets", object{}).status)

	mine := get[list[struct{ ID string }]](l.operator, "/exports").Items[0].ID
	for _, path := range []string{"/exports/" + mine, "/exports/" + mine + "/file"} {
		require.Equal(t, 404, l.rev.do(http.MethodGet, path, nil).status, "another's file")
	}
	merchants := string(l.exported(t, l.owner, "merchants", "csv", object{}).body)
	require.Equal(t, 2, strings.Count(merchants, "\n"), fmt.Sprint("an owner's list is his own merchant: ", merchants))
	l.clock.Advance(25 * time.Hour)
	l.login()
	require.Equal(t, http.StatusGone, l.operator.do(http.MethodGet, "/exports/"+mine+"/file", nil).status)
}
