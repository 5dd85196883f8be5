// Package ledgertest lets the tests of every service above the ledger end
// with an audit.
package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/service/ledger"
)

// RequireSound fails the test if the ledger's audit finds a difference.
func RequireSound(t testing.TB, db *database.DB) {
	t.Helper()
	differences, err := ledger.New(db, clock.NewSystem()).Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, differences, "the audit found differences")
}
