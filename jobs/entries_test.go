package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/schedule"
	"jiamenkou/jobs"
)

// complete fills every field of Services with a function that does nothing,
// so that this test need not change when a field is added.
func complete() jobs.Services {
	var s jobs.Services
	for _, f := range reflect.ValueOf(&s).Elem().Fields() {
		if f.Kind() != reflect.Func {
			continue
		}
		f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value {
			out := make([]reflect.Value, f.Type().NumOut())
			for j := range out {
				out[j] = reflect.Zero(f.Type().Out(j))
			}
			return out
		}))
	}
	return s
}

func TestEntries(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 1)
	build := func(s jobs.Services) error {
		_, err := schedule.New(nil, c, slog.New(slog.DiscardHandler), jobs.Entries(s), schedule.Options{})
		return err
	}
	t.Run("are all well-formed and run", func(t *testing.T) {
		require.NoError(t, build(complete()))
		for _, e := range jobs.Entries(complete()) {
			require.NotEmpty(t, e.Title, e.Name)
			result, err := e.Run(t.Context())
			require.NoError(t, err, e.Name)
			if e.Name != "audit" && e.Name != "ledger.seal" { // whose results the composition root words
				require.NotNil(t, schedule.ParseCounts(result), "%s: %q", e.Name, result)
			}
		}
	})
	t.Run("are refused when a service is missing", func(t *testing.T) {
		require.Error(t, build(jobs.Services{}))
	})
	t.Run("say how much was deleted, also when it broke off", func(t *testing.T) {
		s, broken := complete(), errors.New("broken")
		s.PruneQueue = func(context.Context) (int64, error) { return 7, broken }
		result, err := jobs.Entries(s)[0].Run(t.Context())
		require.ErrorIs(t, err, broken)
		require.Equal(t, "deleted=7", result)
	})
}
