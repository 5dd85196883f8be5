package media_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/media"
)

func TestDeleteUnused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		store, err := blob.OpenDisk(t.TempDir(), media.MaxAudioBytes)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		c := clock.NewManual(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC), 7)
		s := media.New(db, c, store)
		var used []string
		s.OnUnused(
			func(context.Context, []string) ([]string, error) { return nil, nil },
			func(_ context.Context, keys []string) (found []string, err error) {
				for _, key := range keys {
					if slices.Contains(used, key) {
						found = append(found, key)
					}
				}
				return found, nil
			})
		operator := authz.Actor{Kind: authz.KindStaff, ID: "o", Grants: []authz.Grant{{Role: authz.RoleOperator, RegionID: "r", RegionPath: "/r/"}}}
		upload := func() string {
			item, err := s.UploadPicture(t.Context(), operator, drawing(t, 8, 8))
			require.NoError(t, err)
			return item.Key
		}
		run := func(want int) {
			t.Helper()
			n, err := s.DeleteUnused(t.Context(), 24*time.Hour)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		attachable := func(key string) bool {
			var f fault.Fields
			require.NoError(t, media.Check(db.Read(t.Context()), &f, "key", model.MediaPicture, key))
			return len(f) == 0
		}
		open := func(key string) error {
			_, err := s.Open(t.Context(), key)
			return err
		}
		kept, orphan, late := upload(), upload(), upload()
		used = []string{kept}
		run(0)
		require.True(t, attachable(orphan), "it is young")

		c.Advance(25 * time.Hour)
		young := upload()
		run(0)
		require.False(t, attachable(orphan), "set aside, it can no longer be attached")
		require.NoError(t, open(orphan), "but whoever attached it meanwhile still shows it")
		require.True(t, attachable(kept))
		require.True(t, attachable(young))
		run(0)
		used = append(used, late) // attached at the very moment

		c.Advance(2 * time.Hour)
		run(1)
		require.ErrorIs(t, open(orphan), media.ErrMissing)
		_, err = store.Get(t.Context(), orphan)
		require.ErrorIs(t, err, blob.ErrNotFound, "the bytes are gone")
		for _, key := range []string{kept, young, late} {
			require.NoError(t, open(key))
			require.True(t, attachable(key))
		}
	})
}
