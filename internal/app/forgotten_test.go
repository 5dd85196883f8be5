package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/demo"
)

// staysBehind are the columns in which words of a resident who has left may
// stand, each with its reason. PIPL art. 47.
var staysBehind = map[string]string{
	"case_file.content": "the case belongs to the village too, which works on it; nothing says whose it was",
	"case_file.address": "as above: the place of the problem",
	"case_history.note": "as above",
	"pii_access.reason": "words of staff: who looked at whose data, and why, is kept",
	"audit_log.reason":  "as above",
}

// TestForgotten plants a word into everything that a resident can write, lets
// staff act on it, and looks for the words and the person in every text of the
// database once the account is deleted.
func TestForgotten(t *testing.T) {
	now := time.Date(2026, 5, 20, 2, 0, 0, 0, time.UTC)
	env := environ(t, databasetest.Config(t, database.SQLite))
	a := loadedDemo(t, env, now)
	w := &strangers{a: a, own: map[string]string{}}
	merchant := w.one(t, "SELECT merchant_id FROM settlement_statement WHERE status = 'issued' LIMIT 1")
	w.settle(t, merchant)
	w.site = serve(t, env, clock.NewManual(now.Add(time.Minute), 2))
	r, staff := w.resident(demo.Resident), w.staff("insider")
	openID := w.one(t, "SELECT openid FROM resident WHERE id = ?", r.id)
	said := 0
	word := func(where string) string {
		said++
		return "铭记" + where
	}
	ok := func(got answer) { require.Equal(t, 2, got.status/100, got.String()) }

	ok(r.do(http.MethodPatch, "/profile", object{"nickname": word("昵称")}))
	ok(r.do(http.MethodPut, "/profile/real-name", object{"real_name": "铭记名"}))
	first := w.one(t, "SELECT id FROM service_record WHERE resident_id = ? ORDER BY id LIMIT 1", r.id)
	second := w.one(t, "SELECT id FROM service_record WHERE resident_id = ? ORDER BY id DESC LIMIT 1", r.id)
	post[made](r, "/service-records/"+first+"/corrections", object{"text": word("更正一")})
	asked := post[made](r, "/service-records/"+second+"/corrections", object{"text": word("更正二")})
	post[made](staff, "/service-records/"+first+"/corrections", object{"kind": "void", "reason": "核对过了"})
	ok(staff.do(http.MethodPost, "/corrections/"+asked.ID+"/decline", object{"reason": "核对过了"}, "Idempotency-Key", freshKey()))
	refused := post[made](r, "/certificates", object{"purpose": word("用途一"), "from": "2026-01-01", "to": "2026-05-20"})
	ok(staff.do(http.MethodPost, "/certificates/"+refused.ID+"/refuse", object{"reason": "请到窗口办理"}, "Idempotency-Key", freshKey()))
	issuedFor := word("用途二") // a certificate that was issued is out in the world
	issued := post[made](r, "/certificates", object{"purpose": issuedFor, "from": "2026-01-01", "to": "2026-05-20"})
	ok(staff.do(http.MethodPost, "/certificates/"+issued.ID+"/issue", object{"issuer": "志愿服务中心", "handler_phone": "0573-87654321"}, "Idempotency-Key", freshKey()))
	post[made](r, "/certificates", object{"purpose": word("用途三"), "from": "2026-01-01", "to": "2026-05-20"})
	entry := w.one(t, "SELECT id FROM transfer WHERE credit_account_id = '1' || ? ORDER BY id LIMIT 1", r.id)
	post[made](r, "/wallet/entries/"+entry+"/objections", object{"text": word("异议之内")})
	order := w.one(t, "SELECT id FROM benefit_order WHERE resident_id = ? AND status = 'held'", r.id)
	ok(r.do(http.MethodPost, "/orders/"+order+"/cancel", object{"reason": word("取消")}, "Idempotency-Key", freshKey()))
	report := post[made](r, "/cases", object{"category": "facility", "text": word("上报的文字"), "address": word("上报的地址"), "lon": 120.7, "lat": 30.5})
	ok(r.do(http.MethodPost, "/cases/"+report.ID+"/withdraw", object{"note": word("撤回的话")}))
	ok(staff.do(http.MethodPost, "/residents/"+r.id+"/unmask", object{"field": "real_name", "reason": "other", "note": "核对" + word("备注")}))
	before := w.texts(t, "铭记")
	require.GreaterOrEqual(t, len(before), 8, "the words were kept: %v", before)

	ok(r.do(http.MethodDelete, "/profile", nil))
	for _, needle := range []string{"铭记", openID} {
		for _, found := range w.texts(t, needle) {
			column, _, _ := strings.Cut(found, ":")
			if staysBehind[column] == "" && !strings.Contains(found, issuedFor) {
				t.Errorf("%s stays behind", found)
			}
		}
	}
	for _, column := range []string{"phone_cipher", "real_name_cipher", "id_number_cipher", "home_region_id", "birth_year"} {
		require.Empty(t, w.one(t, "SELECT COALESCE("+column+", '') FROM resident WHERE id = ?", r.id), column)
	}
}

// texts are the columns that hold the words, with what is in them.
func (w *strangers) texts(t testing.TB, words string) (found []string) {
	t.Helper()
	var tables []string
	db := w.a.db.Read(t.Context())
	require.NoError(t, db.Raw("SELECT name FROM sqlite_master WHERE type = 'table'").Scan(&tables).Error)
	for _, table := range tables {
		var columns []string
		require.NoError(t, db.Raw("SELECT name FROM pragma_table_info(?)", table).Scan(&columns).Error)
		for _, column := range columns {
			var texts []string
			require.NoError(t, db.Raw(`SELECT "`+column+`" FROM "`+table+`" WHERE INSTR(CAST("`+column+`" AS TEXT), ?) > 0`, words).Scan(&texts).Error)
			for _, text := range texts {
				found = append(found, table+"."+column+": "+text)
			}
		}
	}
	return found
}
