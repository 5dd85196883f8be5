package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/identity"
)

// TestRecourse walks what people do about a posting, over HTTP on both
// surfaces: a resident asks why and objects, one operator proposes points by
// hand, another approves, the objection is answered.
func TestRecourse(t *testing.T) {
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) {
			env, c := environ(t, databasetest.Config(t, driver)), newClock()
			a := openApp(t, env, c)
			county := seed(t, a, want{residents: 2, signIn: 3})
			_, err := a.Identity.CreateStaff(t.Context(), authz.System("test"), []identity.NewStaff{{
				Username: "second", Password: password, Name: "李主任", Grants: []identity.NewGrant{{Role: authz.RoleOperator, RegionID: county.countyID}},
			}})
			require.NoError(t, err)
			s := serve(t, env, c)
			wang, neighbour := s.resident("r0"), s.resident("r1")
			operator, second := s.staff(operatorName), s.staff("second")

			type budget struct{ ID string }
			type entry struct {
				ID          string
				Points      int64
				Facts       []struct{ Label, Value string }
				RuleText    string `json:"rule_text"`
				People      []struct{ Part, Name string }
				CanObject   bool   `json:"can_object"`
				HowToObject string `json:"how_to_object"`
			}
			first := get[list[entry]](wang, "/wallet/entries").Items[0]
			why := get[entry](wang, "/wallet/entries/"+first.ID)
			require.Contains(t, why.RuleText, "每日签到：每次得 3 分")
			require.Equal(t, "签到日期", why.Facts[0].Label)
			require.True(t, why.CanObject)
			require.NotEmpty(t, why.HowToObject)

			path := "/wallet/entries/" + first.ID + "/objections"
			text := object{"text": "昨天也签到了，没有积分"}
			require.Equal(t, 404, neighbour.do(http.MethodPost, path, text, "Idempotency-Key", freshKey()).status)
			require.Equal(t, 422, wang.do(http.MethodPost, path, text).status, "no key")
			key := freshKey()
			made := wang.do(http.MethodPost, path, text, "Idempotency-Key", key)
			require.Equal(t, 201, made.status, made)
			require.Equal(t, made.body, wang.do(http.MethodPost, path, text, "Idempotency-Key", key).body)
			require.Equal(t, "recourse.objection_open", wang.do(http.MethodPost, path, text, "Idempotency-Key", freshKey()).code())
			objection := get[list[struct{ ID, Status string }]](operator, "/objections?status=open").Items[0]

			budgets := get[list[budget]](operator, "/budgets").Items
			proposal := object{
				"kind": "credit", "resident_id": wang.id, "points": 3, "budget_id": budgets[0].ID, "reason_code": "missed_award",
				"objection_id": objection.ID,
			}
			adjustment := post[struct{ ID, Status string }](operator, "/adjustments", proposal)
			self := operator.do(http.MethodPost, "/adjustments/"+adjustment.ID+"/approve", object{}, "Idempotency-Key", freshKey())
			require.Equal(t, 403, self.status)
			require.Equal(t, "recourse.self_decision", self.code())
			key = freshKey()
			approve := func() answer {
				return second.do(http.MethodPost, "/adjustments/"+adjustment.ID+"/approve", object{}, "Idempotency-Key", key)
			}
			done := approve()
			require.Equal(t, 200, done.status, done)
			require.Equal(t, done.body, approve().body, "a replay gets the first answer")
			require.Equal(t, "recourse.adjustment_decided",
				second.do(http.MethodPost, "/adjustments/"+adjustment.ID+"/reject", object{"reason": "晚了"}, "Idempotency-Key", freshKey()).code())
			proposal["points"] = 1001
			require.Equal(t, "recourse.daily_limit", operator.do(http.MethodPost, "/adjustments", proposal, "Idempotency-Key", freshKey()).code())

			answered := post[struct{ Status string }](operator, "/objections/"+objection.ID+"/answer", object{"answer": "属实，已补发"})
			require.Equal(t, "answered", answered.Status)
			detail := get[struct {
				Status      string
				History     []object
				Adjustments []struct{ Status string }
				Entry       struct{ Facts []object }
			}](operator, "/objections/"+objection.ID)
			require.Equal(t, "approved", detail.Adjustments[0].Status)
			require.Len(t, detail.History, 2)
			require.NotEmpty(t, detail.Entry.Facts)
			require.Len(t, get[struct{ History []object }](operator, "/adjustments/"+adjustment.ID).History, 2)
			post[object](wang, "/wallet/objections/"+objection.ID+"/close", object{})
			require.Equal(t, "closed", get[list[struct{ Status string }]](wang, "/wallet/objections").Items[0].Status)

			newest := get[list[entry]](wang, "/wallet/entries?kind=adjust").Items[0]
			why = get[entry](wang, "/wallet/entries/"+newest.ID)
			require.EqualValues(t, 3, why.Points)
			require.Len(t, why.People, 2)
			require.Equal(t, "审批", why.People[1].Part)
			require.Equal(t, "李**", why.People[1].Name)
			month := c.Now().In(clock.Shanghai).Format("2006-01")
			months := get[list[struct{ Earned, Adjusted, Net int64 }]](wang, "/wallet/months?from="+month+"&to="+month).Items
			require.Len(t, months, 1)
			require.EqualValues(t, 3, months[0].Earned)
			require.EqualValues(t, 3, months[0].Adjusted)
			require.EqualValues(t, 6, months[0].Net)
			require.Equal(t, "ledger.period", wang.do(http.MethodGet, "/wallet/months?from=2026-05&to=2026-04", nil).code())

			limit := operator.do(http.MethodPut, "/budgets/"+budgets[0].ID+"/limit", object{"limit_points": 2_000_000, "reason": "年中追加"})
			require.Equal(t, 200, limit.status, limit)
			require.Contains(t, string(limit.body), `"limit_points":2000000`)
			require.Empty(t, get[list[object]](operator, "/budget-alerts").Items)
			require.Empty(t, get[list[object]](operator, "/exhausted-awards?state=due").Items)
			require.Equal(t, "policy.award_not_found", operator.do(http.MethodPost, "/exhausted-awards/pay",
				object{"award_ids": []string{strings.Repeat("0", 26)}}, "Idempotency-Key", freshKey()).code())
			s.stop()
			requireSound(t, env, c)
		})
	}
}
