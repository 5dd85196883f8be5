package lookup_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/volunteer"
)

// change makes one change of each kind of master data.
func (w *world) change(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	_, err := w.reading.Create(ctx, w.Operator, w.Region.ID, reading.ArticleInput{Title: "河长制播报", Body: "正文", MinSeconds: 10})
	require.NoError(t, err)
	b, err := w.policy.CreateBudget(ctx, w.Operator, policy.BudgetInput{
		RegionID: w.Region.ID, Name: "全年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100,
	})
	require.NoError(t, err)
	_, err = w.policy.PublishRule(ctx, w.Operator, policy.RuleInput{
		RegionID: w.Region.ID, EventKind: model.EventArticleRead, BudgetID: b.ID, Points: 2, MaxPoints: 2, DailyCap: 3, ObjectCap: 1,
		Expiry: model.ExpiryEndOfNextYear,
	})
	require.NoError(t, err)
	detail, err := w.activities.StaffActivity(ctx, w.Operator, w.activity)
	require.NoError(t, err)
	starts := detail.Shifts[0].StartsAt
	require.NoError(t, w.activities.UpdateShift(ctx, w.Operator, detail.Shifts[0].ID, volunteer.ShiftInput{
		StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), Capacity: 9,
	}))
	// What other services record.
	require.NoError(t, database.InTx(ctx, w.db, func(tx *gorm.DB) error {
		return identity.NewTrail(w.Clock).RecordTx(tx,
			identity.AuditEntry{Actor: w.Operator, Action: "region.rename", ObjectType: "region", ObjectID: w.Village.ID, RegionID: w.Village.ID},
			identity.AuditEntry{Actor: w.Operator, Action: "resident.freeze", ObjectType: "resident", ObjectID: w.resident, RegionID: w.Village.ID},
			identity.AuditEntry{Actor: w.Operator, Action: "merchant.update", ObjectType: "merchant", ObjectID: w.Clock.NewID(), RegionID: w.Village.ID},
			// Recorded here, though what it is about lies out of sight of the village.
			identity.AuditEntry{Actor: w.Operator, Action: "merchant.update", ObjectType: "merchant", ObjectID: w.Merchant.ID, RegionID: w.Village.ID})
	}))
}

func TestAuditLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.change(t)
		names := func(actor authz.Actor) (out map[string][]string) {
			page, err := w.lookup.AuditLog(ctx, actor, identity.AuditFilter{}, paging.Request{Limit: 100})
			require.NoError(t, err)
			out = map[string][]string{}
			for _, r := range page.Items {
				text := r.ObjectName
				if r.ObjectWithin != "" {
					text += " in " + r.ObjectWithin
				}
				out[r.Action] = append(out[r.Action], text)
			}
			return out
		}
		day := clock.InstantOf(w.Clock.Now()).Add(24 * time.Hour).Time().Format("1月2日 15:04")
		auditor := w.Staff(authz.Grant{Role: authz.RoleAuditor, RegionID: w.Region.ID, RegionPath: w.Region.Path})
		require.Equal(t, map[string][]string{
			"merchant.create": {"影院"}, "merchant.activate": {"影院"}, "store.create": {"一店 in " + w.Merchant.ID},
			"benefit.create": {"电影票"}, "benefit.submit": {"电影票"}, "benefit.approve": {"电影票"}, "benefit.release": {"电影票"},
			"article.create": {"河长制播报"}, "budget.create": {"全年"}, "rule.publish": {"阅读播报 第 1 版"},
			"activity.create": {"河道清洁"}, "shift.update": {"河道清洁 " + day + " in " + w.activity},
			"region.rename": {w.Village.Name}, "resident.freeze": {""}, "merchant.update": {"影院", ""},
		}, names(auditor))
		// Whose look ends at the village.
		local := w.Staff(authz.Grant{Role: authz.RoleAuditor, RegionID: w.Village.ID, RegionPath: w.Village.Path})
		require.Equal(t, map[string][]string{
			"activity.create": {"河道清洁"}, "shift.update": {"河道清洁 " + day + " in " + w.activity},
			"region.rename": {w.Village.Name}, "resident.freeze": {""}, "merchant.update": {"", ""},
		}, names(local))
		_, err := w.lookup.AuditLog(ctx, w.Owner, identity.AuditFilter{}, paging.Request{})
		require.ErrorIs(t, err, authz.ErrForbidden)

		// A page of more lines costs the same: a statement for each type.
		var n atomic.Int64
		require.NoError(t, w.db.Read(ctx).Callback().Row().Before("*").Register("test:row", func(*gorm.DB) { n.Add(1) }))
		require.NoError(t, w.db.Read(ctx).Callback().Query().Before("*").Register("test:query", func(*gorm.DB) { n.Add(1) }))
		names(auditor)
		first := n.Swap(0)
		require.LessOrEqual(t, first, int64(11), "the page and ten types")
		for range 5 {
			_, err := w.reading.Create(ctx, w.Operator, w.Region.ID, reading.ArticleInput{Title: "又一篇", Body: "正文", MinSeconds: 10})
			require.NoError(t, err)
		}
		n.Store(0)
		names(auditor)
		require.Equal(t, first, n.Load())
	})
}
