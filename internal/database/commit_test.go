package database_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
)

func TestInTxWhenCommitIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		fault   databasetest.CommitFault
		durable int64
	}{
		"before the server saw it":              {databasetest.CommitLostBefore, 0},
		"after the server did it":               {databasetest.CommitLostAfter, 1},
		"in a network that swallows everything": {databasetest.CommitSwallowed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			direct := databasetest.Open(t, database.MySQL)
			scratch(t, direct)
			cfg := databasetest.ThroughCutter(t, direct, func() databasetest.CommitFault { return c.fault })
			cfg.TxTimeout = time.Second
			db, err := database.Open(t.Context(), cfg)
			require.NoError(t, err)
			defer db.Close() //nolint:errcheck // its connection is broken on purpose

			runs, began := 0, time.Now()
			err = database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				runs++
				return add(tx, 1, 1)
			})
			require.ErrorIs(t, err, database.ErrCommitUnknown)
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
			require.Positive(t, fault.As(err).RetryAfter)
			require.Equal(t, 1, runs, "whoever repeats the request looks it up first")
			require.Less(t, time.Since(began), 30*time.Second)
			require.Equal(t, c.durable, n(t, direct, 1))
		})
	}
}
