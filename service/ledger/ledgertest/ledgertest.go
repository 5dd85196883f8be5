// Package ledgertest lets the tests of every service above the ledger end
// with an audit.
package ledgertest

import (
	"context"
	"encoding/json"
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

// AuditRows runs the phases over ranges of one row, each in an audit of its
// own that is resumed from what the one before wrote down, requires that it
// finds what an undisturbed audit finds, and returns that.
func AuditRows(t testing.TB, l *ledger.Service, phases []ledger.AuditPhase) []ledger.Difference {
	t.Helper()
	whole, err := l.AuditRows(t.Context(), phases, ledger.AuditOptions{})
	require.NoError(t, err)
	var saved []byte
	o := ledger.AuditOptions{RangeRows: 1, Step: func(p ledger.AuditProgress) error {
		require.LessOrEqual(t, p.Done, p.Total)
		var err error
		saved, err = json.Marshal(p.State) //nolint:musttag // as jiamenkou audit does
		require.NoError(t, err)
		if p.State.Complete {
			require.Equal(t, p.Total, p.Done, "every row was counted once")
			return nil
		}
		return context.Canceled
	}}
	for range 10_000 {
		parts, err := l.AuditRows(t.Context(), phases, o)
		if err == nil {
			require.ElementsMatch(t, whole.Differences, parts.Differences)
			require.Equal(t, whole.Counts, parts.Counts)
			return parts.Differences
		}
		require.ErrorIs(t, err, context.Canceled)
		o.Resume = &ledger.AuditState{}
		require.NoError(t, json.Unmarshal(saved, o.Resume)) //nolint:musttag // as above
	}
	require.FailNow(t, "the audit does not end")
	return nil
}
