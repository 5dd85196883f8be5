package app

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/demo"
	"jiamenkou/internal/paging"
	"jiamenkou/service/ledger"
)

// residentColumns are the columns that may name a resident without a foreign
// key to one.
var residentColumns = []string{"resident_id", "reporter_id", "principal_id", "owner_id", "actor_id"}

// notTakenAlong are the tables that name residents and are not in the file that
// a resident takes along, each with its reason. PIPL art. 45.
var notTakenAlong = map[string]string{
	"consent":                    "the last decision of consent_history, which is in the file's head",
	"consent_history":            "in the file's head",
	"session":                    "in the file's head",
	"pii_access":                 "in the file's head",
	"audit_log":                  "what staff did; who saw this resident's data is in pii_access",
	"service_day":                "sums of service_record",
	"volunteer_tally":            "a sum of service_record",
	"leaderboard_score":          "sums of award, for those who agreed to the leaderboard",
	"case_quota":                 "counters against misuse, gone after a day",
	"account":                    "its balance is the sum of transfer",
	"journal":                    "its part that concerns the wallet stands with transfer",
	"award_payment":              "names the operator who paid late; the award itself is in the file",
	"volunteer_history":          "the moves behind signup and service_record; actors are mostly staff",
	"volunteer_request":          "idempotency keys",
	"service_correction_history": "the moves of service_correction",
	"certificate_history":        "the moves of certificate",
	"article_history":            "staff only",
	"merchant_history":           "staff only",
	"benefit_history":            "staff only",
	"order_history":              "the moves of benefit_order",
	"statement_history":          "staff only",
	"objection_history":          "the moves of objection",
	"adjustment_history":         "the moves of adjustment",
	"adjustment_day":             "staff only",
}

// TestExport_coversEveryTable walks the schema: whatever names a resident is in
// the file that a resident takes along, or has a reason not to be.
func TestExport_coversEveryTable(t *testing.T) {
	a := openApp(t, environ(t, databasetest.Config(t, database.SQLite)), newClock())
	exported := map[string]bool{}
	summaries, err := a.Identity.ExportSummaries(t.Context(), authz.Actor{Kind: authz.KindResident, ID: someULID})
	require.NoError(t, err)
	for _, s := range summaries {
		require.False(t, exported[s.Table], s.Table)
		require.NotEmpty(t, s.Title)
		exported[s.Table] = true
	}
	naming := tablesNamingResidents(t, a)
	require.Greater(t, len(naming), 20, "the schema was read")
	for table := range naming {
		require.NotEqual(t, exported[table], notTakenAlong[table] != "", "%s names a resident: give it to identity.OnExport, or a reason in notTakenAlong", table)
	}
	for table := range notTakenAlong {
		require.Contains(t, naming, table, "a reason for a table that is not there")
	}
	for table := range exported {
		if table != "transfer" && table != "case_history" { // through account and case_file
			require.Contains(t, naming, table)
		}
	}
}

// tablesNamingResidents maps each table to its column that names a resident.
func tablesNamingResidents(t *testing.T, a *App) map[string]string {
	t.Helper()
	var tables []string
	require.NoError(t, a.db.Read(t.Context()).Raw("SELECT name FROM sqlite_master WHERE type = 'table'").Scan(&tables).Error)
	out := map[string]string{}
	for _, table := range tables {
		var columns []string
		require.NoError(t, a.db.Read(t.Context()).Raw("SELECT name FROM pragma_table_info(?)", table).Scan(&columns).Error)
		for _, c := range residentColumns {
			if slices.Contains(columns, c) && out[table] == "" {
				out[table] = c
			}
		}
		var keys []string
		require.NoError(t, a.db.Read(t.Context()).Raw(`SELECT "from" FROM pragma_foreign_key_list(?) WHERE "table" = 'resident'`, table).Scan(&keys).Error)
		if len(keys) > 0 {
			out[table] = keys[0]
		}
	}
	return out
}

// TestExport_holdsEveryRow takes what the demo county's residents have and finds
// each row of it in their files.
func TestExport_holdsEveryRow(t *testing.T) {
	now := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	naming := tablesNamingResidents(t, openApp(t, environ(t, databasetest.Config(t, database.SQLite)), newClock()))
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) {
			a := loadedDemo(t, environ(t, databasetest.Config(t, driver)), now)
			var checked []string
			for table, column := range naming {
				if notTakenAlong[table] != "" || table == "case_history" {
					continue
				}
				// The resident with the most rows.
				var most struct {
					ID string
					N  int64
				}
				where := " WHERE " + column + " IS NOT NULL"
				if table == "attachment" {
					where = " WHERE owner_kind = 'resident' AND discarded_at IS NULL"
				}
				require.NoError(t, a.db.Read(t.Context()).Raw("SELECT "+column+" AS id, COUNT(*) AS n FROM "+table+where+
					" GROUP BY "+column+" ORDER BY n DESC LIMIT 1").Scan(&most).Error)
				if most.N == 0 {
					continue
				}
				checked = append(checked, table)
				rows := rowsOf(t, a, most.ID)
				require.Equal(t, most.N, rows[table], "%s of %s", table, most.ID)
				switch table { // what hangs on these
				case "case_file":
					var moves int64
					require.NoError(t, a.db.Read(t.Context()).Raw("SELECT COUNT(*) FROM case_history h JOIN case_file c ON c.id = h.case_id WHERE c.reporter_id = ?", most.ID).Scan(&moves).Error)
					require.Equal(t, moves, rows["case_history"])
				case "award":
					entries, err := a.Ledger.Entries(t.Context(), ledger.WalletOf(most.ID), ledger.EntryFilter{}, paging.Request{Limit: paging.MaxLimit})
					require.NoError(t, err)
					require.Empty(t, entries.Next)
					require.Len(t, entries.Items, int(rows["transfer"]))
					require.NotEmpty(t, entries.Items)
				}
			}
			slices.Sort(checked)
			require.Subset(t, checked, []string{"award", "benefit_order", "case_file", "daily_sign_in", "reading_session", "service_record", "signup"}, "the demo county has them")
		})
	}
}

// rowsOf counts the rows in a resident's file, and compares them with the summary.
func rowsOf(t *testing.T, a *App, residentID string) map[string]int64 {
	t.Helper()
	actor := authz.Actor{Kind: authz.KindResident, ID: residentID}
	var file bytes.Buffer
	file.WriteString(`{"head": 1`)
	require.NoError(t, a.Identity.WriteExport(t.Context(), actor, &file))
	file.WriteString("}")
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(file.Bytes(), &members))
	delete(members, "head")
	out := map[string]int64{}
	for table, text := range members {
		var part struct {
			Title    string
			Rows     []map[string]any
			Complete bool
		}
		require.NoError(t, json.Unmarshal(text, &part))
		require.True(t, part.Complete, table)
		out[table] = int64(len(part.Rows))
		for _, row := range part.Rows {
			require.NotEmpty(t, row)
			require.NotContains(t, slices.Collect(maps.Keys(row)), "Key")
		}
	}
	summaries, err := a.Identity.ExportSummaries(t.Context(), actor)
	require.NoError(t, err)
	for _, s := range summaries {
		require.Equal(t, s.Rows, out[s.Table], "what the page says of %s", s.Table)
	}
	return out
}

// TestExport_holdsWhatIsSensitive: the file says what WeChat calls the person,
// that a guardian agreed, and every position that is kept.
func TestExport_holdsWhatIsSensitive(t *testing.T) {
	now := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	env := environ(t, databasetest.Config(t, database.SQLite))
	a := loadedDemo(t, env, now)
	execute(t, a, `UPDATE attendance SET check_in_lon = 120.111, check_in_lat = 30.111, check_out_lon = 120.222, check_out_lat = 30.222, coordinates_until = ?
		WHERE check_out_at IS NOT NULL`, clock.InstantOf(now))
	execute(t, a, "UPDATE resident SET unionid = 'union-of-wang', guardian_consented_at = ? WHERE openid = ?",
		clock.InstantOf(time.Date(2026, 3, 4, 5, 6, 7, 0, clock.Shanghai)), a.sim.OpenID(demo.Resident))
	wang := serve(t, env, clock.NewManual(now.Add(time.Minute), 2)).resident(demo.Resident)
	post[made](wang, "/cases", object{"category": "facility", "text": "路灯不亮了，晚上看不见", "lon": 120.333, "lat": 30.333})
	file := string(wang.do(http.MethodGet, "/profile/export/file", nil).body)
	for _, sensitive := range []string{
		a.sim.OpenID(demo.Resident), "union-of-wang", "2026-03-04T05:06:07+08:00",
		"120.111", "30.111", "120.222", "30.222", "120.333", "30.333",
	} {
		require.Contains(t, file, sensitive)
	}
}

// TestExport_overHTTP: only the resident gets the file, and long tables are cut
// with a word about it.
func TestExport_overHTTP(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db, "JMK_AUTH_MAX_EXPORT_ROWS=2"), newClock()
		a := openApp(t, env, c)
		seed(t, a, want{residents: 1, signIn: 3})
		s := serve(t, env, c)
		wang := s.resident("r0")
		for range 3 {
			c.Advance(24 * time.Hour)
			wang = s.resident("r0")
			require.Equal(t, 200, wang.do(http.MethodPost, "/sign-ins", nil, "Idempotency-Key", freshKey()).status)
		}
		file := wang.do(http.MethodGet, "/profile/export/file", nil)
		require.Equal(t, 200, file.status)
		require.Contains(t, file.header.Get("Content-Disposition"), "my-data.json")
		require.Equal(t, "private, no-store", file.header.Get("Cache-Control"))
		var content struct {
			Complete bool
			Profile  object
			SignIns  struct {
				Title    string
				Complete bool
				Rows     []struct {
					Day string
				}
			} `json:"daily_sign_in"`
		}
		require.NoError(t, json.Unmarshal(file.body, &content))
		require.True(t, content.Complete)
		require.NotEmpty(t, content.Profile)
		require.Equal(t, "每日签到", content.SignIns.Title)
		require.Len(t, content.SignIns.Rows, 2, "the oldest, up to the limit")
		require.Less(t, content.SignIns.Rows[0].Day, content.SignIns.Rows[1].Day)
		require.False(t, content.SignIns.Complete)
		require.Equal(t, 403, s.call(http.MethodGet, "/mp/v1/profile/export/file", s.staff(operatorName).token, nil).status)
	})
}
