package identity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

func TestListResidents(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		for name, region := range map[string]string{"east": f.East.ID, "west": f.West.ID} {
			f.Staff(t, name, authz.RoleOperator, region)
		}
		f.Staff(t, "auditor", authz.RoleAuditor, f.County.ID)
		f.Staff(t, "organizer", authz.RoleOrganizer, f.County.ID)
		old := clock.InstantOf(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
		ids, err := f.CreateResidents(ctx, system, []identity.NewResident{
			{RealName: "王小明", Phone: "13800001234", HomeRegionID: f.EastVillage.ID, CreatedAt: old},
			{RealName: "李四", HomeRegionID: f.WestVillage.ID},
			{Nickname: "还没选家"},
		})
		require.NoError(t, err)
		list := func(actor authz.Actor, filter identity.ResidentFilter) (got []string) {
			page, err := f.ListResidents(ctx, actor, filter, paging.Request{})
			require.NoError(t, err)
			for _, r := range page.Items {
				got = append(got, r.ID)
			}
			return got
		}
		root, east := f.Operator, f.Login(t, "east")

		t.Run("shows each actor his own regions, newest first", func(t *testing.T) {
			require.Equal(t, []string{ids[2], ids[1], ids[0]}, list(root, identity.ResidentFilter{}))
			require.Equal(t, []string{ids[0]}, list(east, identity.ResidentFilter{}))
			require.Len(t, list(f.Login(t, "auditor"), identity.ResidentFilter{}), 3)
			_, err := f.ListResidents(ctx, f.Login(t, "organizer"), identity.ResidentFilter{}, paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
		t.Run("masks", func(t *testing.T) {
			r, err := f.StaffResident(ctx, east, ids[0])
			require.NoError(t, err)
			require.Equal(t, "王**", r.MaskedName)
			require.Equal(t, "138****1234", r.MaskedPhone)
			require.Equal(t, f.EastVillage.Name, r.HomeRegionName)
			require.Equal(t, old, r.JoinedAt)
			_, err = f.StaffResident(ctx, f.Login(t, "west"), ids[0])
			require.ErrorIs(t, err, identity.ErrResidentUnknown)
		})
		t.Run("filters, and another region's filter opens nothing", func(t *testing.T) {
			require.Equal(t, []string{ids[1]}, list(root, identity.ResidentFilter{RegionID: f.West.ID}))
			require.Empty(t, list(east, identity.ResidentFilter{RegionID: f.West.ID}))
			require.Equal(t, []string{ids[0]}, list(root, identity.ResidentFilter{JoinedTo: old + 1}))
			require.Equal(t, []string{ids[2], ids[1]}, list(root, identity.ResidentFilter{JoinedFrom: old + 1}))
			require.NoError(t, f.FreezeResident(ctx, root, ids[1], reason))
			require.Equal(t, []string{ids[1]}, list(root, identity.ResidentFilter{Status: model.ResidentFrozen}))
		})
		t.Run("pages", func(t *testing.T) {
			first, err := f.ListResidents(ctx, root, identity.ResidentFilter{}, paging.Request{Limit: 2})
			require.NoError(t, err)
			second, err := f.ListResidents(ctx, root, identity.ResidentFilter{}, paging.Request{Limit: 2, Cursor: first.Next})
			require.NoError(t, err)
			require.Len(t, second.Items, 1)
			require.Equal(t, ids[0], second.Items[0].ID)
		})
	})
}

func TestUnmask(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "west", authz.RoleOperator, f.West.ID)
		f.Staff(t, "auditor", authz.RoleAuditor, f.County.ID)
		ids, err := f.CreateResidents(ctx, system, []identity.NewResident{{Phone: "13800001234", HomeRegionID: f.EastVillage.ID}})
		require.NoError(t, err)
		wish := identity.Unmasking{Field: model.PIIPhone, Reason: model.PIIForContact, Note: "活动改期"}

		t.Run("shows an operator the value, and leaves both traces", func(t *testing.T) {
			value, err := f.Unmask(ctx, f.Operator, ids[0], wish)
			require.NoError(t, err)
			require.Equal(t, "13800001234", value)
			require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM pii_access WHERE resident_id = ? AND field = 'phone' AND reason = '电话联系本人：活动改期'", ids[0]))
			page, err := f.AuditLog(ctx, f.Operator, identity.AuditFilter{ObjectID: ids[0], Action: "resident.unmask"}, paging.Request{})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			require.JSONEq(t, `{"field":"phone","reason":"contact"}`, page.Items[0].Detail)
		})
		t.Run("refuses auditors and other regions", func(t *testing.T) {
			_, err := f.Unmask(ctx, f.Login(t, "auditor"), ids[0], wish)
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = f.Unmask(ctx, f.Login(t, "west"), ids[0], wish)
			require.ErrorIs(t, err, identity.ErrResidentUnknown)
		})
		t.Run("needs a reason of the list, and a note with other", func(t *testing.T) {
			for _, bad := range []identity.Unmasking{
				{Field: model.PIIPhone, Reason: "curious"},
				{Field: model.PIIPhone, Reason: model.PIIForOther},
				{Field: "id_number", Reason: model.PIIForContact},
			} {
				_, err := f.Unmask(ctx, f.Operator, ids[0], bad)
				requireCode(t, err, "identity.invalid")
			}
		})
		t.Run("says when there is nothing to show", func(t *testing.T) {
			_, err := f.Unmask(ctx, f.Operator, ids[0], identity.Unmasking{Field: model.PIIRealName, Reason: model.PIIForContact})
			require.ErrorIs(t, err, identity.ErrNotOnRecord)
		})
		require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM pii_access"), "what was refused showed nothing")
	})
}
