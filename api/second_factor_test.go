package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/service/identity"
	"jiamenkou/service/identity/identitytest"
)

func TestMustEnrolFirst(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 600)
		root := s.login(t, "root")
		s.fails(t, 403, "auth.must_enrol", root, http.MethodGet, "/staff", "")
		s.fails(t, 403, "auth.must_enrol", root, http.MethodGet, "/messages", "")
		s.fails(t, 403, "auth.must_enrol", root, http.MethodPut, "/auth/password", `{"old_password":"`+identitytest.Password+`","new_password":"another-password"}`)
		s.fails(t, 403, "auth.must_enrol", root, http.MethodPost, "/auth/second-factor/recovery-codes", `{"code":"123456"}`)
		require.Equal(t, true, s.ok(t, root, http.MethodGet, "/auth/self", "")["must_enrol"])
		e := s.ok(t, root, http.MethodPost, "/auth/second-factor", `{"password":"`+identitytest.Password+`"}`)
		require.Contains(t, e["uri"], "otpauth://totp/")
		require.NotContains(t, s.log.String(), e["secret"])
	}, func(c *identity.Config) { c.SecondFactor = identity.SecondFactorRequired })
}
