package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/wechat"
	"jiamenkou/internal/wechat/wechatsim"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

const phone = "13812345678"

func TestProfile(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		actor, tokens := f.Resident(t, "wang")

		t.Run("binds a phone, once per number", func(t *testing.T) {
			masked, err := f.BindPhone(ctx, actor, f.Sim.PhoneCode(phone))
			require.NoError(t, err)
			require.Equal(t, "138****5678", masked)
			_, err = f.BindPhone(ctx, actor, f.Sim.PhoneCode(phone))
			require.NoError(t, err, "the same number again is no conflict")
			other, _ := f.Resident(t, "other")
			_, err = f.BindPhone(ctx, other, f.Sim.PhoneCode(phone))
			require.ErrorIs(t, err, identity.ErrPhoneTaken)
			require.NotContains(t, err.Error(), "phone_index")
			_, err = f.BindPhone(ctx, actor, "phone-12-1")
			require.ErrorIs(t, err, wechat.ErrCodeInvalid)
			_, err = f.BindPhone(ctx, f.Operator, f.Sim.PhoneCode(phone))
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
		t.Run("chooses a home of a village or below", func(t *testing.T) {
			region, err := f.SetHomeRegion(ctx, actor, f.EastVillage.ID)
			require.NoError(t, err)
			require.Equal(t, f.EastVillage.Path, region.Path)
			require.Equal(t, f.EastVillage.Path, f.Actor(t, tokens).RegionPath, "at once")
			_, err = f.SetHomeRegion(ctx, actor, f.East.ID)
			require.ErrorIs(t, err, identity.ErrRegionTooHigh)
			_, err = f.SetHomeRegion(ctx, actor, f.Clock.NewID())
			require.ErrorIs(t, err, identity.ErrRegionUnknown)
			_, err = f.SetHomeRegion(ctx, f.Operator, f.EastVillage.ID)
			require.ErrorIs(t, err, authz.ErrForbidden)
		})
		t.Run("takes a nickname that can be seen", func(t *testing.T) {
			require.NoError(t, f.UpdateProfile(ctx, actor, "隔壁老王"))
			for _, bad := range []string{"", " x", strings.Repeat("长", 21), "a\u202eb", "a\nb", "\xff"} {
				requireCode(t, f.UpdateProfile(ctx, actor, bad), "identity.invalid")
			}
			require.ErrorIs(t, f.UpdateProfile(ctx, f.Operator, "x"), authz.ErrForbidden)
			for _, word := range []string{wechatsim.MarkerRisky, wechatsim.MarkerReview} {
				require.ErrorIs(t, f.UpdateProfile(ctx, actor, "我"+word), identity.ErrNicknameRefused)
			}
			p, err := f.GetProfile(ctx, actor)
			require.NoError(t, err)
			require.Equal(t, "隔壁老王", p.Nickname)
		})
		t.Run("records a real name, and an ID number once for all", func(t *testing.T) {
			number := idNumber("19900101", "001")
			requireCode(t, f.SetRealName(ctx, actor, "王", ""), "identity.invalid")
			require.NoError(t, f.SetRealName(ctx, actor, "王小", ""))
			wrong := number[:17] + map[bool]string{true: "0", false: "1"}[number[17] != '0']
			for _, bad := range []string{"1", wrong, idNumber("19901301", "001"), idNumber("20260302", "001"), "x" + number[1:]} {
				requireCode(t, f.SetRealName(ctx, actor, "王小明", bad), "identity.invalid")
			}
			require.ErrorIs(t, f.SetRealName(ctx, actor, "王小明", idNumber("20150101", "001")), identity.ErrGuardian)
			require.NoError(t, f.SetRealName(ctx, actor, "王小明", strings.ToLower(number)))
			require.ErrorIs(t, f.SetRealName(ctx, actor, "李小明", ""), identity.ErrRealNameFixed)
			other, _ := f.Resident(t, "other")
			require.ErrorIs(t, f.SetRealName(ctx, other, "李小明", number), identity.ErrIDNumberTaken)
			require.ErrorIs(t, f.SetRealName(ctx, f.Operator, "李小明", ""), authz.ErrForbidden)
		})
		t.Run("fixes one ID number of several that come at once", func(t *testing.T) {
			for round := range 5 {
				somebody, _ := f.Resident(t, fmt.Sprintf("at-once-%d", round))
				const tries = 4
				results := make(chan error, tries)
				start := make(chan struct{})
				for n := range tries {
					go func() {
						<-start
						results <- f.SetRealName(ctx, somebody, "王小明", idNumber("19910101", fmt.Sprintf("%d%02d", round+1, n)))
					}()
				}
				close(start)
				fixed := 0
				for range tries {
					if err := <-results; err == nil {
						fixed++
					} else {
						require.ErrorIs(t, err, identity.ErrRealNameFixed)
					}
				}
				require.Equal(t, 1, fixed)
			}
		})
		t.Run("shows the person masked data", func(t *testing.T) {
			p, err := f.GetProfile(ctx, actor)
			require.NoError(t, err)
			require.Equal(t, "王**", p.MaskedName)
			require.Equal(t, "138****5678", p.MaskedPhone)
			require.Equal(t, "隔壁老王", p.Nickname)
			require.True(t, p.IDNumberOnFile)
			require.Equal(t, 1990, p.BirthYear)
			require.Equal(t, f.EastVillage.ID, p.HomeRegion.ID)
			require.Regexp(t, `^V[0-9A-Z]{10}$`, p.VolunteerNumber)
			_, err = f.GetProfile(ctx, f.Operator)
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = f.GetProfile(ctx, authz.Actor{Kind: authz.KindResident, ID: "gone"})
			require.ErrorIs(t, err, identity.ErrResidentUnknown)
		})
		t.Run("shows others the least", func(t *testing.T) {
			stranger, _ := f.Resident(t, "stranger")
			views, err := f.Residents(ctx, []string{actor.ID, stranger.ID, "unknown"})
			require.NoError(t, err)
			require.Len(t, views, 2)
			require.Equal(t, "王**", views[actor.ID].MaskedName)
			require.Equal(t, f.EastVillage.Path, views[actor.ID].HomeRegionPath)
			require.Equal(t, "居民", views[stranger.ID].MaskedName)
			require.NoError(t, f.UpdateProfile(ctx, stranger, "小花"))
			views, err = f.Residents(ctx, []string{stranger.ID})
			require.NoError(t, err)
			require.Equal(t, "小**", views[stranger.ID].MaskedName)
			_, err = f.Residents(ctx, make([]string, 1001))
			require.ErrorIs(t, err, identity.ErrBatchTooLarge)
			views, err = f.Residents(ctx, nil)
			require.NoError(t, err)
			require.Empty(t, views)
		})
		t.Run("names in clear leave a trace", func(t *testing.T) {
			names, err := f.RealNames(ctx, f.Operator, []string{actor.ID, "unknown"}, "打印签到表")
			require.NoError(t, err)
			require.Equal(t, map[string]string{actor.ID: "王小明"}, names)
			require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM pii_access WHERE field = 'real_name' AND resident_id = ?", actor.ID))
			names, err = f.RealNames(ctx, actor, []string{actor.ID}, "本人证明")
			require.NoError(t, err)
			require.Len(t, names, 1)
			require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM pii_access WHERE field = 'real_name'"), "one's own needs none")
			stranger, _ := f.Resident(t, "stranger")
			_, err = f.RealNames(ctx, stranger, []string{actor.ID}, "好奇")
			require.ErrorIs(t, err, authz.ErrForbidden)
			_, err = f.RealNames(ctx, f.Operator, []string{actor.ID}, "")
			requireCode(t, err, "identity.invalid")
			names, err = f.RealNames(ctx, f.Operator, nil, reason)
			require.NoError(t, err)
			require.Empty(t, names)
			_, err = f.RealNames(ctx, f.Operator, make([]string, 1001), reason)
			require.ErrorIs(t, err, identity.ErrBatchTooLarge)
		})
	})
}

func TestConsent(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		actor, _ := f.Resident(t, "wang")
		state := func(purpose model.ConsentPurpose) identity.Consent {
			all, err := f.Consents(ctx, actor)
			require.NoError(t, err)
			require.Len(t, all, 4)
			for _, c := range all {
				if c.Purpose == purpose {
					return c
				}
			}
			return identity.Consent{}
		}
		history := func() int64 {
			return f.Count(t, "SELECT COUNT(*) FROM consent_history WHERE resident_id = ?", actor.ID)
		}

		require.False(t, state(model.ConsentLeaderboard).Granted, "off until asked")
		require.NoError(t, f.WithdrawConsent(ctx, actor, model.ConsentLeaderboard))
		require.Zero(t, history())
		require.NoError(t, f.GrantConsent(ctx, actor, model.ConsentLeaderboard, "2026-01"))
		require.NoError(t, f.GrantConsent(ctx, actor, model.ConsentLeaderboard, "2026-01"))
		require.EqualValues(t, 1, history())
		require.True(t, state(model.ConsentLeaderboard).Granted)
		require.False(t, state(model.ConsentLocation).Granted, "each purpose by itself")
		require.NoError(t, f.GrantConsent(ctx, actor, model.ConsentLeaderboard, "2026-02"))
		require.Equal(t, "2026-02", state(model.ConsentLeaderboard).Version)

		stranger, _ := f.Resident(t, "stranger")
		consenting, err := f.Consenting(ctx, model.ConsentLeaderboard, []string{actor.ID, stranger.ID})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{actor.ID: true}, consenting)

		require.NoError(t, f.WithdrawConsent(ctx, actor, model.ConsentLeaderboard))
		require.False(t, state(model.ConsentLeaderboard).Granted)
		require.EqualValues(t, 3, history())
		consenting, err = f.Consenting(ctx, model.ConsentLeaderboard, []string{actor.ID})
		require.NoError(t, err)
		require.Empty(t, consenting)

		requireCode(t, f.GrantConsent(ctx, actor, "everything", "1"), "identity.invalid")
		requireCode(t, f.GrantConsent(ctx, actor, model.ConsentLocation, ""), "identity.invalid")
		requireCode(t, f.WithdrawConsent(ctx, actor, "everything"), "identity.invalid")
		require.ErrorIs(t, f.GrantConsent(ctx, f.Operator, model.ConsentLocation, "1"), authz.ErrForbidden)
		_, err = f.Consents(ctx, f.Operator)
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = f.Consenting(ctx, model.ConsentLocation, make([]string, 1001))
		require.ErrorIs(t, err, identity.ErrBatchTooLarge)
		consenting, err = f.Consenting(ctx, model.ConsentLocation, nil)
		require.NoError(t, err)
		require.Empty(t, consenting)
	})
}

func TestExportAndDelete(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		actor, tokens := f.Resident(t, "wang")
		_, err := f.BindPhone(ctx, actor, f.Sim.PhoneCode(phone))
		require.NoError(t, err)
		number := idNumber("19900101", "001")
		require.NoError(t, f.SetRealName(ctx, actor, "王小明", number))
		_, err = f.SetHomeRegion(ctx, actor, f.EastVillage.ID)
		require.NoError(t, err)
		require.NoError(t, f.GrantConsent(ctx, actor, model.ConsentLeaderboard, "1"))
		_, err = f.FindResidentByPhone(ctx, f.Operator, phone, "电话回访")
		require.NoError(t, err)

		e, err := f.ExportData(ctx, actor)
		require.NoError(t, err)
		require.Equal(t, []string{phone, "王小明", number}, []string{e.Phone, e.RealName, e.IDNumber})
		require.Len(t, e.Consents, 1)
		require.Len(t, e.Sessions, 1)
		require.Len(t, e.Accesses, 1)
		require.Equal(t, "电话回访", e.Accesses[0].Reason)
		_, err = f.ExportData(ctx, f.Operator)
		require.ErrorIs(t, err, authz.ErrForbidden)

		var hooked string
		refuse := errors.New("not yet")
		f.OnDelete(func(_ context.Context, tx *gorm.DB, id string) error {
			hooked = id
			require.NotNil(t, tx)
			return refuse
		})
		require.ErrorIs(t, f.DeleteAccount(ctx, actor), refuse)
		f.Actor(t, tokens) // nothing happened
		refuse = nil
		require.ErrorIs(t, f.DeleteAccount(ctx, f.Operator), authz.ErrForbidden)
		require.NoError(t, f.DeleteAccount(ctx, actor))
		require.Equal(t, actor.ID, hooked)
		_, err = f.Authenticate(ctx, tokens.AccessToken)
		require.ErrorIs(t, err, identity.ErrSessionRevoked)
		_, err = f.Refresh(ctx, authz.KindResident, tokens.RefreshToken)
		require.ErrorIs(t, err, identity.ErrSessionRevoked)
		require.ErrorIs(t, f.DeleteAccount(ctx, actor), identity.ErrBadMove)
		require.ErrorIs(t, f.GrantConsent(ctx, actor, model.ConsentLocation, "1"), identity.ErrSessionRevoked)

		views, err := f.Residents(ctx, []string{actor.ID})
		require.NoError(t, err)
		require.Equal(t, "已注销", views[actor.ID].MaskedName)
		require.Empty(t, views[actor.ID].HomeRegionID)
		require.EqualValues(t, 1, f.Count(t, `SELECT COUNT(*) FROM resident WHERE id = ? AND openid IS NULL AND phone_index IS NULL
			AND phone_cipher IS NULL AND real_name_cipher IS NULL AND id_number_index IS NULL AND birth_year IS NULL`, actor.ID))
		consenting, err := f.Consenting(ctx, model.ConsentLeaderboard, []string{actor.ID})
		require.NoError(t, err)
		require.Empty(t, consenting)
		_, err = f.FindResidentByPhone(ctx, f.Operator, phone, reason)
		require.ErrorIs(t, err, identity.ErrResidentUnknown)

		anew, _ := f.Resident(t, "wang")
		require.NotEqual(t, actor.ID, anew.ID, "the same person comes back as a stranger")
		_, err = f.BindPhone(ctx, anew, f.Sim.PhoneCode(phone))
		require.NoError(t, err)
	})
}

func TestFindResidentByPhone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "east", authz.RoleOperator, f.East.ID)
		f.Staff(t, "west", authz.RoleOperator, f.West.ID)
		f.Staff(t, "auditor", authz.RoleAuditor, f.County.ID)
		actor, _ := f.Resident(t, "wang")
		_, err := f.BindPhone(ctx, actor, f.Sim.PhoneCode(phone))
		require.NoError(t, err)

		_, err = f.FindResidentByPhone(ctx, f.Login(t, "east"), phone, reason)
		require.ErrorIs(t, err, identity.ErrResidentUnknown, "without a home only the county finds a resident")
		found, err := f.FindResidentByPhone(ctx, f.Operator, phone, reason)
		require.NoError(t, err)
		require.Equal(t, actor.ID, found.ID)
		_, err = f.SetHomeRegion(ctx, actor, f.EastVillage.ID)
		require.NoError(t, err)
		found, err = f.FindResidentByPhone(ctx, f.Login(t, "east"), phone, reason)
		require.NoError(t, err)
		require.Equal(t, actor.ID, found.ID)
		_, err = f.FindResidentByPhone(ctx, f.Login(t, "west"), phone, reason)
		require.ErrorIs(t, err, identity.ErrResidentUnknown)
		_, err = f.FindResidentByPhone(ctx, f.Operator, "13900000000", reason)
		require.ErrorIs(t, err, identity.ErrResidentUnknown)
		require.EqualValues(t, 5, f.Count(t, "SELECT COUNT(*) FROM pii_access WHERE field = 'phone'"), "found or not, each search is recorded")
		require.EqualValues(t, 2, f.Count(t, "SELECT COUNT(*) FROM pii_access WHERE resident_id = ?", actor.ID))

		_, err = f.FindResidentByPhone(ctx, f.Login(t, "auditor"), phone, reason)
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = f.FindResidentByPhone(ctx, f.Operator, phone, "")
		requireCode(t, err, "identity.invalid")
		_, err = f.FindResidentByPhone(ctx, f.Operator, "138", reason)
		requireCode(t, err, "identity.invalid")
	})
}

func TestFreezeResident(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		f.Staff(t, "west", authz.RoleOperator, f.West.ID)
		f.Staff(t, "auditor", authz.RoleAuditor, f.County.ID)
		actor, tokens := f.Resident(t, "wang")
		_, err := f.SetHomeRegion(ctx, actor, f.EastVillage.ID)
		require.NoError(t, err)
		require.ErrorIs(t, f.FreezeResident(ctx, f.Login(t, "west"), actor.ID, reason), identity.ErrResidentUnknown)
		require.ErrorIs(t, f.FreezeResident(ctx, f.Login(t, "auditor"), actor.ID, reason), authz.ErrForbidden)
		requireCode(t, f.FreezeResident(ctx, f.Operator, actor.ID, ""), "identity.invalid")
		require.ErrorIs(t, f.UnfreezeResident(ctx, f.Operator, actor.ID, reason), identity.ErrBadMove)
		require.NoError(t, f.FreezeResident(ctx, f.Operator, actor.ID, reason))
		_, err = f.Authenticate(ctx, tokens.AccessToken)
		require.ErrorIs(t, err, identity.ErrAccountFrozen)
		_, err = f.Refresh(ctx, authz.KindResident, tokens.RefreshToken)
		require.ErrorIs(t, err, identity.ErrAccountFrozen)
		_, err = f.LoginResident(ctx, identity.ResidentLogin{Code: f.Sim.LoginCode("wang")})
		require.ErrorIs(t, err, identity.ErrAccountFrozen)
		require.ErrorIs(t, f.UpdateProfile(ctx, actor, "x"), identity.ErrBadMove)
		require.NoError(t, f.UnfreezeResident(ctx, f.Operator, actor.ID, reason))
		f.Resident(t, "wang")
	})
}

func TestCreateResidents(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		batch := []identity.NewResident{
			{
				OpenID: f.Sim.OpenID("imported"), Nickname: "小李", Phone: phone, RealName: "李小明", HomeRegionID: f.EastVillage.ID,
				BirthYear: 1980, Consents: []identity.NewConsent{{Purpose: model.ConsentLeaderboard, Version: "paper-1"}},
			},
			{},
		}
		_, err := f.CreateResidents(ctx, f.Operator, batch)
		require.ErrorIs(t, err, authz.ErrForbidden)
		ids, err := f.CreateResidents(ctx, system, batch)
		require.NoError(t, err)
		require.Len(t, ids, 2)
		imported, _ := f.Resident(t, "imported")
		require.Equal(t, ids[0], imported.ID, "the login finds the imported row")
		found, err := f.FindResidentByPhone(ctx, f.Operator, phone, reason)
		require.NoError(t, err)
		require.Equal(t, ids[0], found.ID)
		consenting, err := f.Consenting(ctx, model.ConsentLeaderboard, ids)
		require.NoError(t, err)
		require.Equal(t, map[string]bool{ids[0]: true}, consenting)

		_, err = f.CreateResidents(ctx, system, []identity.NewResident{{}, {Phone: phone}})
		require.ErrorIs(t, err, identity.ErrResidentTaken)
		_, err = f.CreateResidents(ctx, system, []identity.NewResident{{HomeRegionID: f.Clock.NewID()}})
		require.ErrorIs(t, err, identity.ErrRegionUnknown)
		_, err = f.CreateResidents(ctx, system, []identity.NewResident{{Phone: "1"}})
		requireCode(t, err, "identity.invalid")
		_, err = f.CreateResidents(ctx, system, make([]identity.NewResident, 1001))
		require.ErrorIs(t, err, identity.ErrBatchTooLarge)
		ids, err = f.CreateResidents(ctx, system, nil)
		require.NoError(t, err)
		require.Empty(t, ids)
		ids, err = f.CreateResidents(ctx, system, make([]identity.NewResident, 1000))
		require.NoError(t, err, "the largest batch fits one statement")
		require.Len(t, ids, 1000)
	})
}

// TestNothingLeaks: neither the database nor the log holds personal data in
// clear, and no error text does.
func TestNothingLeaks(t *testing.T) {
	logs := captureLogs(t)
	const name = "欧阳不会泄露"
	number := idNumber("19900101", "777")
	secrets := []string{phone, name, number, password}
	var texts []string
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		f := newFixture(t, db)
		actor, _ := f.Resident(t, "wang")
		other, _ := f.Resident(t, "other")
		_, err := f.BindPhone(ctx, actor, f.Sim.PhoneCode(phone))
		require.NoError(t, err)
		require.NoError(t, f.SetRealName(ctx, actor, name, number))
		for _, run := range []func() error{
			func() error { _, err := f.BindPhone(ctx, other, f.Sim.PhoneCode(phone)); return err },
			func() error { return f.SetRealName(ctx, other, name, number) },
			func() error { return f.SetRealName(ctx, other, name, number[:17]) },
			func() error { _, err := f.FindResidentByPhone(ctx, other, phone, name); return err },
			func() error { _, err := f.LoginStaff(ctx, phone, password); return err },
			func() error {
				_, err := f.CreateResidents(ctx, system, []identity.NewResident{{Phone: phone, RealName: name}})
				return err
			},
		} {
			err := run()
			require.Error(t, err)
			texts = append(texts, err.Error())
		}
		for _, table := range []string{"resident", "staff", "audit_log", "pii_access", "session", "refresh_token"} {
			var rows []map[string]any
			require.NoError(t, f.DB.Read(ctx).Table(table).Find(&rows).Error)
			for _, row := range rows {
				for column, value := range row {
					if raw, ok := value.([]byte); ok {
						value = string(raw)
					}
					text, ok := value.(string)
					if !ok {
						continue
					}
					for _, s := range secrets {
						require.NotContains(t, text, s, "%s.%s", table, column)
					}
				}
			}
		}
	})
	for _, s := range secrets {
		require.NotContains(t, logs.String(), s)
		require.NotContains(t, strings.Join(texts, "\n"), s)
	}
}

func TestDatabaseFileHoldsNoPersonalData(t *testing.T) {
	cfg := databasetest.Config(t, database.SQLite)
	db, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	f := newFixture(t, db)
	actor, _ := f.Resident(t, "wang")
	_, err = f.BindPhone(t.Context(), actor, f.Sim.PhoneCode(phone))
	require.NoError(t, err)
	require.NoError(t, f.SetRealName(t.Context(), actor, "欧阳不会泄露", idNumber("19900101", "777")))
	require.NoError(t, f.UpdateProfile(t.Context(), actor, "to be found"))
	var content []byte
	for _, suffix := range []string{"", "-wal"} {
		part, err := os.ReadFile(cfg.SQLitePath + suffix) //nolint:gosec // the test's own file
		if err == nil {
			content = append(content, part...)
		}
	}
	require.NoError(t, db.Close())
	require.True(t, bytes.Contains(content, []byte("to be found")), "the search itself works")
	for _, s := range []string{phone, "欧阳不会泄露", idNumber("19900101", "777"), password} {
		require.False(t, bytes.Contains(content, []byte(s)))
	}
}

type brokenWeChat struct{ err error }

func (w brokenWeChat) CodeToSession(context.Context, string) (wechat.Session, error) {
	return wechat.Session{}, w.err
}
func (w brokenWeChat) PhoneNumber(context.Context, string) (string, error) { return "12345", w.err }

func (w brokenWeChat) CheckText(context.Context, string, int, string) (wechat.Verdict, error) {
	return wechat.Verdict{Suggest: wechat.SuggestPass}, w.err
}

func TestWeChatFailures(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		actor, _ := f.Resident(t, "wang")
		broken := func(err error) *identity.Service {
			s, newErr := identity.New(f.DB, f.Clock, f.Sealer, brokenWeChat{err}, config())
			require.NoError(t, newErr)
			return s
		}
		for _, want := range []error{wechat.ErrUnavailable, context.DeadlineExceeded, errOutage} {
			s := broken(want)
			_, err := s.LoginResident(ctx, identity.ResidentLogin{Code: "x"})
			require.ErrorIs(t, err, want)
			_, err = s.LoginStaffWeChat(ctx, "x")
			require.ErrorIs(t, err, want)
			require.ErrorIs(t, s.BindStaffWeChat(ctx, f.Operator, "x"), want)
			_, err = s.BindPhone(ctx, actor, "x")
			require.ErrorIs(t, err, want)
			require.ErrorIs(t, s.UpdateProfile(ctx, actor, "隔壁老王"), want)
		}
		_, err := broken(nil).BindPhone(ctx, actor, "x")
		require.ErrorIs(t, err, identity.ErrPhoneInvalid)
	})
}
