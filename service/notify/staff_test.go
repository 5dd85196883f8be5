package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/notify"
)

func TestDeliver_staff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		east := w.Staff(t, "east", authz.RoleOperator, w.East.ID)
		west := w.Staff(t, "west", authz.RoleOperator, w.West.ID)
		auditor := w.Staff(t, "auditor", authz.RoleAuditor, w.County.ID)
		away := w.Staff(t, "away", authz.RoleOperator, w.East.ID)
		require.NoError(t, w.DisableStaff(t.Context(), w.Operator, away, identitytest.Reason))
		b := model.Budget{ID: w.Clock.NewID(), RegionID: w.East.ID, Name: "东镇 2026", LimitPoints: 1000, StartsOn: "2026-01-01", EndsOn: "2026-12-31", CreatedAt: 1}
		w.insert(&b)
		require.NoError(t, database.InTx(t.Context(), w.DB, func(tx *gorm.DB) error {
			return w.ledger.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: b.ID, LimitPoints: 1000}})
		}))
		alert := w.Clock.NewID()
		w.Exec(t, "INSERT INTO budget_alert (id, budget_id, region_id, threshold_percent, issued_points, limit_points, created_at) VALUES (?, ?, ?, 80, 800, 1000, 0)",
			alert, b.ID, w.East.ID)
		n, jobID := notify.Notice{Topic: "policy.budget_low", ObjectID: alert, ResidentIDs: []string{}}, w.Clock.NewID()
		require.NoError(t, w.Deliver(t.Context(), jobID, n))
		require.NoError(t, w.Deliver(t.Context(), jobID, n))
		for id, want := range map[string]int{w.Operator.ID: 1, east: 1, west: 0, auditor: 0, away: 0} {
			require.Len(t, w.inbox(authz.Actor{Kind: authz.KindStaff, ID: id}), want)
		}
		require.Equal(t, "积分预算“东镇 2026”还剩 1000 积分。用完后新的奖励不再入账，请及时追加预算或调整规则。", w.inbox(w.Operator)[0].Body)
		require.Zero(t, w.queued(notify.JobSubscribe))
	})
}
