package settlement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/settlement"
)

func TestCloseDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.redeem(w.shop("影院"))
		day := clock.Today(w.Clock)
		w.Staff(t, "town", authz.RoleOperator, w.East.ID)
		_, err := w.settlement.CloseDay(t.Context(), w.Login(t, "town"), day)
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = w.settlement.CloseDay(t.Context(), w.Operator, day)
		require.ErrorIs(t, err, settlement.ErrDay, "today goes on")
		w.nextDay()
		for range 2 { // the second time changes nothing
			p, err := w.settlement.CloseDay(t.Context(), w.Operator, day)
			require.NoError(t, err)
			require.Equal(t, model.PeriodClosed, p.Status)
		}
		require.EqualValues(t, 1, w.Count(t, "SELECT COUNT(*) FROM settlement_statement"))
		require.EqualValues(t, 1, w.Count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'settlement.close' AND actor_id = ?", w.Operator.ID),
			"a trace of the hand that closed it, once")
		w.redeem(w.shop("超市"))
		w.nextDay()
		_, err = w.settlement.CloseDue(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, w.Count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'settlement.close'"), "cron has its own history")
		_, err = w.settlement.CloseDay(t.Context(), w.Operator, day.AddDays(-5))
		require.ErrorIs(t, err, settlement.ErrDay, "before the first redemption")
		w.sound()
	})
}
