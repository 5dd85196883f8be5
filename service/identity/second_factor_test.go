package identity_test

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/service/identity"
)

// enrol gives the actor a second factor and moves the clock past the code used.
func enrol(t *testing.T, f *fixture, actor authz.Actor) (secret string, recovery []string) {
	t.Helper()
	e, err := f.EnrolSecondFactor(t.Context(), actor, password)
	require.NoError(t, err)
	recovery, err = f.ConfirmSecondFactor(t.Context(), actor, codeNow(t, f, e.Secret))
	require.NoError(t, err)
	f.Clock.Advance(time.Minute)
	return e.Secret, recovery
}

func codeNow(t *testing.T, f *fixture, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, f.Clock.Now())
	require.NoError(t, err)
	return code
}

func challenge(t *testing.T, f *fixture) string {
	t.Helper()
	login, err := f.LoginStaff(t.Context(), "li.si", password)
	require.NoError(t, err)
	require.NotEmpty(t, login.Challenge)
	require.Empty(t, login.AccessToken)
	return login.Challenge
}

func TestSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		id := f.Staff(t, "li.si", authz.RoleOperator, f.East.ID)
		li := f.Login(t, "li.si")
		_, err := f.EnrolSecondFactor(ctx, li, "wrong password")
		require.ErrorIs(t, err, identity.ErrWrongPassword)
		_, err = f.ConfirmSecondFactor(ctx, li, "123456")
		require.ErrorIs(t, err, identity.ErrSecondFactorMissing)
		_, err = f.RenewRecoveryCodes(ctx, li, "123456")
		require.ErrorIs(t, err, identity.ErrSecondFactorMissing)
		secret, recovery := enrol(t, f, li)
		require.Len(t, recovery, 10)
		require.Zero(t, f.Count(t, "SELECT COUNT(*) FROM staff_totp WHERE secret_cipher LIKE ?", "%"+secret+"%"), "sealed")
		_, err = f.EnrolSecondFactor(ctx, li, password)
		require.ErrorIs(t, err, identity.ErrSecondFactorEnrolled)

		t.Run("takes a code once, and none of an earlier step", func(t *testing.T) {
			earlier := codeNow(t, f, secret)
			f.Clock.Advance(30 * time.Second)
			code := codeNow(t, f, secret)
			tokens, err := f.CompleteLogin(ctx, challenge(t, f), code)
			require.NoError(t, err)
			require.Equal(t, id, f.Actor(t, tokens).ID)
			for _, again := range []string{code, earlier} {
				_, err = f.CompleteLogin(ctx, challenge(t, f), again)
				require.Equal(t, identity.ErrBadCode, err)
			}
			f.Clock.Advance(time.Minute)
		})
		t.Run("takes a recovery code once", func(t *testing.T) {
			_, err := f.CompleteLogin(ctx, challenge(t, f), recovery[3])
			require.NoError(t, err)
			_, err = f.CompleteLogin(ctx, challenge(t, f), recovery[3])
			require.Equal(t, identity.ErrBadCode, err)
		})
		t.Run("knows the challenge's age and its kind", func(t *testing.T) {
			old := challenge(t, f)
			_, err := f.Authenticate(ctx, old)
			require.ErrorIs(t, err, identity.ErrTokenInvalid)
			f.Clock.Advance(6 * time.Minute)
			_, err = f.CompleteLogin(ctx, old, codeNow(t, f, secret))
			require.Equal(t, identity.ErrChallengeInvalid, err)
		})
		t.Run("gives new recovery codes for a code, and none of the old is good after", func(t *testing.T) {
			_, err := f.RenewRecoveryCodes(ctx, li, "000000")
			require.Equal(t, identity.ErrBadCode, err)
			_, err = f.CompleteLogin(ctx, challenge(t, f), recovery[5])
			require.NoError(t, err, "a refused renewal drops none")
			renewed, err := f.RenewRecoveryCodes(ctx, li, recovery[6])
			require.NoError(t, err)
			require.Len(t, renewed, 10)
			for _, old := range recovery {
				require.NotContains(t, renewed, old)
			}
			_, err = f.CompleteLogin(ctx, challenge(t, f), recovery[7])
			require.Equal(t, identity.ErrBadCode, err)
			f.Clock.Advance(time.Minute)
			recovery, err = f.RenewRecoveryCodes(ctx, li, codeNow(t, f, secret))
			require.NoError(t, err)
			require.EqualValues(t, 2, f.Count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'staff.renew_recovery_codes' AND object_id = ?", id))
			f.Clock.Advance(time.Minute)
		})
		t.Run("wrong codes lock, whatever the password's owner does between", func(t *testing.T) {
			_, err := f.CompleteLogin(ctx, challenge(t, f), recovery[4])
			require.NoError(t, err, "sets the count back")
			for range 5 {
				_, err := f.CompleteLogin(ctx, challenge(t, f), "00000A")
				require.Equal(t, identity.ErrBadCode, err)
			}
			_, err = f.LoginStaff(ctx, "li.si", password)
			require.Equal(t, identity.ErrBadCredentials, err)
			f.Clock.Advance(15 * time.Minute)
		})
		t.Run("is taken off by an operator above, with a reason", func(t *testing.T) {
			require.ErrorIs(t, f.RemoveSecondFactor(ctx, li, id, reason), identity.ErrSelf)
			requireCode(t, f.RemoveSecondFactor(ctx, f.Operator, id, ""), "identity.invalid")
			require.NoError(t, f.RemoveSecondFactor(ctx, f.Operator, id, reason))
			require.ErrorIs(t, f.RemoveSecondFactor(ctx, f.Operator, id, reason), identity.ErrSecondFactorMissing)
			require.EqualValues(t, 1, f.Count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'staff.remove_second_factor' AND object_id = ?", id))
			f.Login(t, "li.si")
		})
	})
}

func TestSecondFactorRequired(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.Staff(t, "li.si", authz.RoleAuditor, f.East.ID)
		f.Staff(t, "worker", authz.RoleGridWorker, f.East.ID)
		require.False(t, f.Login(t, "worker").MustEnrol)
		li := f.Login(t, "li.si")
		require.True(t, li.MustEnrol)
		secret, _ := enrol(t, f, li)
		tokens, err := f.CompleteLogin(t.Context(), challenge(t, f), codeNow(t, f, secret))
		require.NoError(t, err)
		require.False(t, f.Actor(t, tokens).MustEnrol)
	}, func(c *identity.Config) { c.SecondFactor = identity.SecondFactorRequired })
}
