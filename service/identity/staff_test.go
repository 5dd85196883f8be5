package identity_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/service/identity"
)

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	f := fault.As(err)
	require.NotNil(t, f, "%v", err)
	require.Equal(t, code, f.Code)
}

func TestLoginStaff(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "li.si", authz.RoleOrganizer, f.East.ID)

		t.Run("lets the right password in, whatever the case of the name", func(t *testing.T) {
			_, err := f.LoginStaff(ctx, " Li.Si ", password)
			require.NoError(t, err)
		})
		t.Run("says the same of an unknown name, a wrong password and a lock", func(t *testing.T) {
			_, unknown := f.LoginStaff(ctx, "nobody", password)
			_, wrong := f.LoginStaff(ctx, "li.si", "wrong password")
			require.Equal(t, identity.ErrBadCredentials, unknown)
			require.Equal(t, identity.ErrBadCredentials, wrong)
			for range 4 {
				_, err := f.LoginStaff(ctx, "li.si", "wrong password")
				require.Equal(t, identity.ErrBadCredentials, err)
			}
			_, locked := f.LoginStaff(ctx, "li.si", password)
			require.Equal(t, identity.ErrBadCredentials, locked, "the right password does not help while it is locked")
			page, err := f.ListStaff(ctx, f.Operator, identity.StaffFilter{Name: "li."}, paging.Request{})
			require.NoError(t, err)
			require.NotNil(t, page.Items[0].LockedUntil)

			f.Clock.Advance(15 * time.Minute)
			_, err = f.LoginStaff(ctx, "li.si", "wrong password")
			require.Equal(t, identity.ErrBadCredentials, err)
			_, err = f.LoginStaff(ctx, "li.si", password)
			require.NoError(t, err, "after a lock the count begins anew")
		})
		t.Run("text that is no UTF-8 is an unknown name", func(t *testing.T) {
			for _, name := range []string{"\xff", strings.Repeat("长", 30), "li.si\x00", "' OR 1=1 --"} {
				_, err := f.LoginStaff(ctx, name, "\xff")
				require.Equal(t, identity.ErrBadCredentials, err)
			}
			page, err := f.ListStaff(ctx, f.Operator, identity.StaffFilter{Name: "\xff", MerchantID: "\xff"}, paging.Request{})
			require.NoError(t, err)
			require.Empty(t, page.Items)
			_, err = f.AuditLog(ctx, f.Operator, identity.AuditFilter{ObjectID: "\xff"}, paging.Request{})
			require.NoError(t, err)
			require.ErrorIs(t, f.DisableStaff(ctx, f.Operator, "\xff", reason), identity.ErrStaffNotFound)
		})
		t.Run("a good login sets the count back", func(t *testing.T) {
			for range 3 {
				for range 4 {
					_, err := f.LoginStaff(ctx, "li.si", "wrong password")
					require.Error(t, err)
				}
				_, err := f.LoginStaff(ctx, "li.si", password)
				require.NoError(t, err)
			}
		})
		t.Run("many guesses at once get no more tries", func(t *testing.T) {
			f.Staff(t, "guessed", authz.RoleOrganizer, f.East.ID)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { _, _ = f.LoginStaff(ctx, "guessed", "wrong password") })
			}
			wg.Wait()
			require.EqualValues(t, 5, f.Count(t, "SELECT failed_logins FROM staff WHERE username = 'guessed'"))
			_, err := f.LoginStaff(ctx, "guessed", password)
			require.Equal(t, identity.ErrBadCredentials, err)
		})
		t.Run("replaces a hash of another cost", func(t *testing.T) {
			var before, after string
			read := func(hash *string) {
				require.NoError(t, f.DB.Read(ctx).Raw("SELECT password_hash FROM staff WHERE username = 'root'").Scan(hash).Error)
			}
			read(&before)
			costlier := f.Another(t, func(c *identity.Config) { c.Argon2.Time = 2 })
			_, err := costlier.LoginStaff(ctx, "root", password)
			require.NoError(t, err)
			read(&after)
			require.Contains(t, before, "m=64,t=1,p=1$")
			require.Contains(t, after, "m=64,t=2,p=1$")
			_, err = f.LoginStaff(ctx, "root", password)
			require.NoError(t, err)
		})
	})
}

func TestStaffWeChat(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		_, err := f.LoginStaffWeChat(ctx, f.Sim.LoginCode("root"))
		require.ErrorIs(t, err, identity.ErrStaffNotBound)
		require.NoError(t, f.BindStaffWeChat(ctx, f.Operator, f.Sim.LoginCode("root")))
		tokens, err := f.LoginStaffWeChat(ctx, f.Sim.LoginCode("root"))
		require.NoError(t, err)
		require.Equal(t, f.Operator.ID, f.Actor(t, tokens.Tokens).ID)

		f.Staff(t, "other", authz.RoleOperator, f.East.ID)
		other := f.Login(t, "other")
		require.ErrorIs(t, f.BindStaffWeChat(ctx, other, f.Sim.LoginCode("root")), identity.ErrWeChatTaken)
		require.NoError(t, f.UnbindStaffWeChat(ctx, f.Operator))
		_, err = f.LoginStaffWeChat(ctx, f.Sim.LoginCode("root"))
		require.ErrorIs(t, err, identity.ErrStaffNotBound)
		require.NoError(t, f.BindStaffWeChat(ctx, other, f.Sim.LoginCode("root")))

		resident, _ := f.Resident(t, "somebody")
		require.ErrorIs(t, f.BindStaffWeChat(ctx, resident, f.Sim.LoginCode("x")), authz.ErrForbidden)
		require.ErrorIs(t, f.UnbindStaffWeChat(ctx, resident), authz.ErrForbidden)
	})
}

func TestPasswords(t *testing.T) {
	for password, ok := range map[string]bool{
		"correct horse": true, "短语也可以做密码的": false, "短语也可以当作密码来用": true, "short": false,
		"1234567890": false, "Password123": false, "aaaaaaaaaaaa": false, "abababababab": false, "xxli.sixxx": false, "XXLI.SIXXX": false,
		"bad utf8 \xff\xff\xff": false,
	} {
		require.Equal(t, ok, len(identity.CheckPassword(password, "li.si")) == 0, "%q", password)
	}
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		const fresh = "another good phrase"
		id := f.Staff(t, "li.si", authz.RoleOrganizer, f.EastVillage.ID)
		t.Run("the owner changes it, and every other session ends", func(t *testing.T) {
			kept, lost := f.Login(t, "li.si"), f.Login(t, "li.si")
			requireCode(t, f.ChangeOwnPassword(ctx, kept, password, "1234567890"), "identity.password_policy")
			requireCode(t, f.ChangeOwnPassword(ctx, kept, password, password), "identity.password_policy")
			require.ErrorIs(t, f.ChangeOwnPassword(ctx, kept, "wrong password", fresh), identity.ErrWrongPassword)
			require.NoError(t, f.ChangeOwnPassword(ctx, kept, password, fresh))
			require.Zero(t, f.Count(t, "SELECT COUNT(*) FROM session WHERE id = ? AND revoked_at IS NOT NULL", kept.SessionID))
			require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM session WHERE id = ? AND revoke_reason = 'password_changed'", lost.SessionID))
			_, err := f.LoginStaff(ctx, "li.si", password)
			require.ErrorIs(t, err, identity.ErrBadCredentials)
			_, err = f.LoginStaff(ctx, "li.si", fresh)
			require.NoError(t, err)
		})
		t.Run("guessing the old one locks too", func(t *testing.T) {
			tokens, err := f.LoginStaff(ctx, "li.si", fresh)
			require.NoError(t, err)
			actor := f.Actor(t, tokens.Tokens)
			for range 5 {
				require.ErrorIs(t, f.ChangeOwnPassword(ctx, actor, "wrong password", password), identity.ErrWrongPassword)
			}
			require.ErrorIs(t, f.ChangeOwnPassword(ctx, actor, fresh, password), identity.ErrWrongPassword)
		})
		t.Run("an operator resets it, lifts the lock and ends the sessions", func(t *testing.T) {
			requireCode(t, f.ResetPassword(ctx, f.Operator, id, "1234567890", reason), "identity.password_policy")
			requireCode(t, f.ResetPassword(ctx, f.Operator, id, "my li.si phrase", reason), "identity.password_policy")
			requireCode(t, f.ResetPassword(ctx, f.Operator, id, password, ""), "identity.invalid")
			require.NoError(t, f.ResetPassword(ctx, f.Operator, id, password, reason))
			require.Zero(t, f.Count(t, "SELECT COUNT(*) FROM session WHERE principal_id = ? AND revoked_at IS NULL", id))
			f.Login(t, "li.si")
		})
	})
}

func TestCreateStaff(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "east", authz.RoleOperator, f.East.ID)
		east := f.Login(t, "east")
		grant := func(role authz.Role, regionID string) []identity.NewGrant {
			return []identity.NewGrant{{Role: role, RegionID: regionID}}
		}
		create := func(actor authz.Actor, n identity.NewStaff) error {
			if n.Username == "" {
				n.Username = "new.one"
			}
			if n.Password == "" {
				n.Password = password
			}
			if n.Name == "" {
				n.Name = "张三"
			}
			_, err := f.CreateStaff(ctx, actor, []identity.NewStaff{n})
			return err
		}
		t.Run("stays within the operator's subtree", func(t *testing.T) {
			require.NoError(t, create(east, identity.NewStaff{Grants: grant(authz.RoleGridWorker, f.EastVillage.ID)}))
			for _, id := range []string{f.County.ID, f.West.ID, f.WestVillage.ID} {
				require.ErrorIs(t, create(east, identity.NewStaff{Username: "other", Grants: grant(authz.RoleGridWorker, id)}), authz.ErrForbidden)
			}
			both := append(grant(authz.RoleGridWorker, f.EastVillage.ID), grant(authz.RoleOperator, f.County.ID)...)
			require.ErrorIs(t, create(east, identity.NewStaff{Username: "other", Grants: both}), authz.ErrForbidden)
		})
		t.Run("is not for other roles", func(t *testing.T) {
			f.Staff(t, "auditor", authz.RoleAuditor, f.County.ID)
			resident, _ := f.Resident(t, "wang")
			for _, actor := range []authz.Actor{f.Login(t, "auditor"), resident, {}} {
				require.ErrorIs(t, create(actor, identity.NewStaff{Username: "other", Grants: grant(authz.RoleGridWorker, f.EastVillage.ID)}), authz.ErrForbidden)
			}
		})
		t.Run("lets an owner have clerks of its own merchant only", func(t *testing.T) {
			merchant, rival := f.Clock.NewID(), f.Clock.NewID()
			at := func(role authz.Role, merchantID string) []identity.NewGrant {
				return []identity.NewGrant{{Role: role, MerchantID: merchantID, MerchantRegionID: f.EastVillage.ID}}
			}
			require.NoError(t, create(east, identity.NewStaff{Username: "owner", Grants: at(authz.RoleOwner, merchant)}))
			owner := f.Login(t, "owner")
			require.NoError(t, owner.AtMerchant(merchant, authz.RoleOwner))
			require.NoError(t, create(owner, identity.NewStaff{Username: "clerk", Grants: at(authz.RoleClerk, merchant)}))
			require.ErrorIs(t, create(owner, identity.NewStaff{Username: "c.2", Grants: at(authz.RoleClerk, rival)}), authz.ErrForbidden)
			require.ErrorIs(t, create(owner, identity.NewStaff{Username: "c.2", Grants: at(authz.RoleOwner, merchant)}), authz.ErrForbidden)
			page, err := f.ListStaff(ctx, owner, identity.StaffFilter{MerchantID: merchant}, paging.Request{})
			require.NoError(t, err)
			require.Len(t, page.Items, 2)
			_, err = f.ListStaff(ctx, owner, identity.StaffFilter{MerchantID: rival}, paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = f.ListStaff(ctx, owner, identity.StaffFilter{}, paging.Request{})
			require.ErrorIs(t, err, authz.ErrForbidden)
			clerk := page.Items[1].ID
			member, err := f.StaffMember(ctx, owner, clerk)
			require.NoError(t, err)
			require.Equal(t, page.Items[1], member)
			for _, foreign := range []string{east.ID, f.Clock.NewID()} {
				_, err = f.StaffMember(ctx, owner, foreign)
				require.ErrorIs(t, err, identity.ErrStaffNotFound)
			}
			member, err = f.StaffMember(ctx, east, clerk)
			require.NoError(t, err)
			require.Equal(t, "clerk", member.Username)
			require.NoError(t, f.DisableStaff(ctx, owner, clerk, reason))
			require.ErrorIs(t, f.DisableStaff(ctx, owner, east.ID, reason), identity.ErrStaffNotFound)
			require.ErrorIs(t, f.DisableStaff(ctx, f.Login(t, "owner"), owner.ID, reason), identity.ErrSelf)
		})
		t.Run("says what is wrong", func(t *testing.T) {
			g := grant(authz.RoleOrganizer, f.East.ID)
			require.ErrorIs(t, create(f.Operator, identity.NewStaff{Username: "Root", Grants: g}), identity.ErrUsernameTaken)
			require.ErrorIs(t, create(f.Operator, identity.NewStaff{Username: "dup", Grants: append(g, g...)}), identity.ErrGrantExists)
			require.ErrorIs(t, create(f.Operator, identity.NewStaff{Username: "other", Grants: grant(authz.RoleOrganizer, f.Clock.NewID())}), identity.ErrRegionUnknown)
			requireCode(t, create(f.Operator, identity.NewStaff{Username: "other", Password: "1234567890", Grants: g}), "identity.password_policy")
			requireCode(t, create(f.Operator, identity.NewStaff{Username: "a b", Grants: g}), "identity.invalid")
			requireCode(t, create(f.Operator, identity.NewStaff{Username: "other"}), "identity.invalid")
			requireCode(t, create(f.Operator, identity.NewStaff{Username: "other", Grants: grant("king", f.East.ID)}), "identity.invalid")
			_, err := f.CreateStaff(ctx, system, make([]identity.NewStaff, 101))
			require.ErrorIs(t, err, identity.ErrBatchTooLarge)
			ids, err := f.CreateStaff(ctx, system, nil)
			require.NoError(t, err)
			require.Empty(t, ids)
		})
		t.Run("the first operator is made once", func(t *testing.T) {
			id, err := f.EnsureOperator(ctx, system, "root", "another good phrase", f.East.ID)
			require.NoError(t, err)
			require.Equal(t, f.Operator.ID, id)
			f.Login(t, "root")
			_, err = f.EnsureOperator(ctx, f.Operator, "root2", password, f.East.ID)
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
	})
}

func TestGrants(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "east", authz.RoleOperator, f.East.ID)
		f.Staff(t, "west", authz.RoleOperator, f.West.ID)
		east, west := f.Login(t, "east"), f.Login(t, "west")
		id := f.Staff(t, "worker", authz.RoleGridWorker, f.EastVillage.ID)
		worker, err := f.LoginStaff(ctx, "worker", password)
		require.NoError(t, err)
		organizer := []identity.NewGrant{{Role: authz.RoleOrganizer, RegionID: f.EastVillage.ID}}
		grants := func() []identity.StaffGrant {
			s, err := f.StaffSelf(ctx, f.Actor(t, worker.Tokens))
			require.NoError(t, err)
			return s.Grants
		}

		t.Run("take effect at once here, and within seconds elsewhere", func(t *testing.T) {
			elsewhere := f.Another(t)
			before, err := elsewhere.Authenticate(ctx, worker.AccessToken)
			require.NoError(t, err)
			require.False(t, before.Has(authz.RoleOrganizer))
			require.NoError(t, f.Grant(ctx, east, id, organizer, reason))
			require.NoError(t, f.Actor(t, worker.Tokens).InRegion(f.EastVillage.Path, authz.RoleOrganizer))
			f.Clock.Advance(3 * time.Second)
			after, err := elsewhere.Authenticate(ctx, worker.AccessToken)
			require.NoError(t, err)
			require.True(t, after.Has(authz.RoleOrganizer))

			require.NoError(t, f.RevokeGrant(ctx, east, id, grants()[1].ID, reason))
			require.False(t, f.Actor(t, worker.Tokens).Has(authz.RoleOrganizer))
		})
		t.Run("are refused to operators of elsewhere", func(t *testing.T) {
			require.ErrorIs(t, f.Grant(ctx, west, id, organizer, reason), authz.ErrForbidden, "not their region")
			own := []identity.NewGrant{{Role: authz.RoleOrganizer, RegionID: f.West.ID}}
			require.ErrorIs(t, f.Grant(ctx, west, id, own, reason), identity.ErrStaffNotFound, "not their person")
			require.ErrorIs(t, f.RevokeGrant(ctx, west, id, grants()[0].ID, reason), identity.ErrGrantNotFound)
			require.ErrorIs(t, f.DisableStaff(ctx, west, id, reason), identity.ErrStaffNotFound)
			require.ErrorIs(t, f.ResetPassword(ctx, west, id, password, reason), identity.ErrStaffNotFound)
		})
		t.Run("do not let anybody manage who stands above", func(t *testing.T) {
			require.ErrorIs(t, f.ResetPassword(ctx, east, f.Operator.ID, password, reason), identity.ErrStaffNotFound)
			// The county's operator also works in the village: seen, not managed.
			f.Exec(t, `INSERT INTO staff_grant (id, staff_id, role, region_id, scope_region_id, granted_by, created_at)
				VALUES (?, ?, 'organizer', ?, ?, 'test', 0)`, f.Clock.NewID(), f.Operator.ID, f.EastVillage.ID, f.EastVillage.ID)
			require.ErrorIs(t, f.ResetPassword(ctx, east, f.Operator.ID, password, reason), authz.ErrForbidden)
			require.ErrorIs(t, f.DisableStaff(ctx, east, f.Operator.ID, reason), authz.ErrForbidden)
		})
		t.Run("are not for oneself", func(t *testing.T) {
			require.ErrorIs(t, f.Grant(ctx, east, east.ID, organizer, reason), identity.ErrSelf)
			require.ErrorIs(t, f.RevokeGrant(ctx, east, east.ID, f.Clock.NewID(), reason), identity.ErrSelf)
			require.ErrorIs(t, f.DisableStaff(ctx, east, east.ID, reason), identity.ErrSelf)
			require.ErrorIs(t, f.ResetPassword(ctx, east, east.ID, password, reason), identity.ErrSelf)
		})
		t.Run("say what is wrong", func(t *testing.T) {
			require.ErrorIs(t, f.Grant(ctx, east, f.Clock.NewID(), organizer, reason), identity.ErrStaffNotFound)
			require.ErrorIs(t, f.RevokeGrant(ctx, east, id, f.Clock.NewID(), reason), identity.ErrGrantNotFound)
			again := []identity.NewGrant{{Role: authz.RoleGridWorker, RegionID: f.EastVillage.ID}}
			require.ErrorIs(t, f.Grant(ctx, east, id, again, reason), identity.ErrGrantExists)
			requireCode(t, f.Grant(ctx, east, id, organizer, " "), "identity.invalid")
			requireCode(t, f.Grant(ctx, east, id, nil, reason), "identity.invalid")
			requireCode(t, f.RevokeGrant(ctx, east, id, "x", ""), "identity.invalid")
			plain := f.Actor(t, worker.Tokens)
			require.ErrorIs(t, f.Grant(ctx, plain, east.ID, organizer, reason), authz.ErrForbidden)
			require.ErrorIs(t, f.RevokeGrant(ctx, plain, east.ID, "x", reason), authz.ErrForbidden)
			require.ErrorIs(t, f.DisableStaff(ctx, plain, east.ID, reason), authz.ErrForbidden)
			many := []identity.NewGrant{}
			for i := range 50 {
				many = append(many, identity.NewGrant{Role: authz.RoleClerk, MerchantID: fmt.Sprintf("%026d", i), MerchantRegionID: f.EastVillage.ID})
			}
			require.ErrorIs(t, f.Grant(ctx, east, id, many, reason), identity.ErrTooManyGrants)
		})
		t.Run("a disabled account is out at once, and back when enabled", func(t *testing.T) {
			require.NoError(t, f.DisableStaff(ctx, east, id, reason))
			_, err := f.Authenticate(ctx, worker.AccessToken)
			require.ErrorIs(t, err, identity.ErrStaffDisabled)
			_, err = f.Refresh(ctx, authz.KindStaff, worker.RefreshToken)
			require.ErrorIs(t, err, identity.ErrStaffDisabled)
			_, err = f.LoginStaff(ctx, "worker", password)
			require.ErrorIs(t, err, identity.ErrStaffDisabled)
			require.ErrorIs(t, f.DisableStaff(ctx, east, id, reason), identity.ErrBadMove)
			require.NoError(t, f.EnableStaff(ctx, east, id, reason))
			f.Login(t, "worker")
			_, err = f.Authenticate(ctx, worker.AccessToken)
			require.ErrorIs(t, err, identity.ErrSessionRevoked, "the old session stays ended")
		})
	})
}

func TestListStaff(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "east", authz.RoleOperator, f.East.ID)
		f.Staff(t, "east.v", authz.RoleGridWorker, f.EastVillage.ID)
		west := f.Staff(t, "west_1", authz.RoleOrganizer, f.West.ID)
		list := func(actor authz.Actor, filter identity.StaffFilter, limit int) []string {
			var names []string
			req := paging.Request{Limit: limit}
			for {
				page, err := f.ListStaff(ctx, actor, filter, req)
				require.NoError(t, err)
				for _, s := range page.Items {
					names = append(names, s.Username)
				}
				if req.Cursor = page.Next; req.Cursor == "" {
					return names
				}
			}
		}
		require.Equal(t, []string{"root", "east", "east.v", "west_1"}, list(f.Operator, identity.StaffFilter{}, 1))
		require.Equal(t, []string{"east", "east.v"}, list(f.Login(t, "east"), identity.StaffFilter{}, 20))
		require.Equal(t, []string{"west_1"}, list(f.Operator, identity.StaffFilter{RegionID: f.West.ID}, 20))
		require.Equal(t, []string{"east.v"}, list(f.Operator, identity.StaffFilter{Role: authz.RoleGridWorker}, 20))
		require.Equal(t, []string{"west_1"}, list(f.Operator, identity.StaffFilter{Name: "west_"}, 20))
		require.Empty(t, list(f.Operator, identity.StaffFilter{Name: "%"}, 20))
		require.Empty(t, list(f.Login(t, "east"), identity.StaffFilter{RegionID: f.West.ID}, 20))
		require.Empty(t, list(f.Operator, identity.StaffFilter{Status: "disabled"}, 20))
		_, err := f.ListStaff(ctx, f.Operator, identity.StaffFilter{}, paging.Request{Cursor: "!"})
		require.ErrorIs(t, err, paging.ErrCursor)
		names, err := f.StaffNames(ctx, []string{west, "unknown"})
		require.NoError(t, err)
		require.Equal(t, map[string]string{west: "李四"}, names)
		names, err = f.StaffNames(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, names)
		_, err = f.StaffNames(ctx, make([]string, 1001))
		require.ErrorIs(t, err, identity.ErrBatchTooLarge)
		_, err = f.StaffSelf(ctx, authz.Actor{})
		require.ErrorIs(t, err, authz.ErrForbidden)
	})
}

func TestAuditLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "auditor.east", authz.RoleAuditor, f.East.ID)
		worker := f.Staff(t, "worker", authz.RoleGridWorker, f.EastVillage.ID)
		require.NoError(t, f.DisableStaff(ctx, f.Operator, worker, "离职了"))
		require.NoError(t, inTx(ctx, f, func(tx *gorm.DB) error {
			return f.RecordTx(tx, identity.AuditEntry{
				Actor: system, Action: "test.county", ObjectType: "test", ObjectID: "1",
				Detail: struct {
					Count int `json:"count"`
				}{3},
			})
		}))
		require.NoError(t, inTx(ctx, f, func(tx *gorm.DB) error { return f.RecordTx(tx) }), "no entries, no row")

		page, err := f.AuditLog(ctx, f.Operator, identity.AuditFilter{}, paging.Request{Limit: 2})
		require.NoError(t, err)
		require.Equal(t, "test.county", page.Items[0].Action, "newest first")
		require.JSONEq(t, `{"count":3}`, page.Items[0].Detail)
		require.Equal(t, "staff.disable", page.Items[1].Action)
		require.Equal(t, "离职了", page.Items[1].Reason)
		require.Equal(t, "管理员", page.Items[1].ActorName)
		rest, err := f.AuditLog(ctx, f.Operator, identity.AuditFilter{}, paging.Request{Cursor: page.Next})
		require.NoError(t, err)
		require.NotEmpty(t, rest.Items)
		require.Empty(t, rest.Next)

		local, err := f.AuditLog(ctx, f.Login(t, "auditor.east"), identity.AuditFilter{}, paging.Request{})
		require.NoError(t, err)
		for _, r := range local.Items {
			require.Contains(t, []string{"east", "east-village"}, r.RegionName)
		}
		require.Len(t, local.Items, 3, "two created, one disabled")
		one, err := f.AuditLog(ctx, f.Operator, identity.AuditFilter{ObjectID: worker, Action: "staff.disable", ObjectType: "staff", ActorID: f.Operator.ID}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, one.Items, 1)

		count := func(filter identity.AuditFilter) int {
			t.Helper()
			page, err := f.AuditLog(ctx, f.Operator, filter, paging.Request{})
			require.NoError(t, err)
			return len(page.Items)
		}
		all := count(identity.AuditFilter{})
		require.Equal(t, 3, count(identity.AuditFilter{RegionID: f.East.ID}), "with everything below it")
		require.Equal(t, 2, count(identity.AuditFilter{RegionID: f.EastVillage.ID}))
		require.Zero(t, count(identity.AuditFilter{RegionID: f.West.ID}))
		_, err = f.AuditLog(ctx, f.Operator, identity.AuditFilter{RegionID: "nowhere"}, paging.Request{})
		require.ErrorIs(t, err, identity.ErrRegionUnknown)
		require.Equal(t, 1, count(identity.AuditFilter{ActorName: "root"}))
		require.Equal(t, 1, count(identity.AuditFilter{ActorName: "管理员"}))
		require.Zero(t, count(identity.AuditFilter{ActorName: "管理"}))
		today := clock.Today(f.Clock)
		require.Equal(t, all, count(identity.AuditFilter{From: today.Start(), To: today.End()}))
		require.Zero(t, count(identity.AuditFilter{From: today.End()}))
		require.Zero(t, count(identity.AuditFilter{To: today.Start()}))
		f.Clock.Advance(24 * time.Hour)
		require.NoError(t, f.EnableStaff(ctx, f.Operator, worker, "回来了"))
		require.Equal(t, 1, count(identity.AuditFilter{From: today.End()}))
		require.Equal(t, all, count(identity.AuditFilter{To: today.End()}))

		resident, _ := f.Resident(t, "wang")
		_, err = f.AuditLog(ctx, resident, identity.AuditFilter{}, paging.Request{})
		require.ErrorIs(t, err, authz.ErrForbidden)
	})
}
