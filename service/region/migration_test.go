package region_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/region"
)

// migration returns one direction of a migration's SQL.
func migration(t *testing.T, driver database.Driver, name string) (up, down string) {
	t.Helper()
	folder := map[database.Driver]string{database.SQLite: "sqlite", database.MySQL: "mysql"}[driver]
	raw, err := os.ReadFile(filepath.Join("../../migrations", folder, name+".sql")) //nolint:gosec // a name that a test says
	require.NoError(t, err)
	up, down, ok := strings.Cut(strings.TrimPrefix(string(raw), "-- +goose Up\n"), "-- +goose Down\n")
	require.True(t, ok)
	return up, down
}

// A database from before the rule upgrades, whatever its siblings are called.
func TestSharedNamesFromBefore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		exec := func(query string) {
			t.Helper()
			_, err := db.WriteSQL().ExecContext(t.Context(), query)
			require.NoError(t, err, query)
		}
		share, _ := migration(t, db.Driver(), "01612_region_shared_names")
		hold, drop := migration(t, db.Driver(), "01613_region_parent_id_name_key")
		exec(drop)
		v1 := byCode(t, s, "v1")
		for _, code := range []string{"x1", "x2", "x3"} {
			_, err := s.Create(t.Context(), system, region.CreateInput{ParentID: v1.ID, Level: "grid", Name: "同名网格", Code: code})
			require.NoError(t, err)
		}
		exec(share)
		exec(hold)

		slots := []string{}
		for _, code := range []string{"g1", "x1", "x2", "x3"} {
			slots = append(slots, byCode(t, s, code).NameSlot)
		}
		require.Equal(t, []string{"", "", byCode(t, s, "x2").ID, byCode(t, s, "x3").ID}, slots, "the oldest holds the name")
		x2 := byCode(t, s, "x2")
		_, err := s.Rename(t.Context(), system, region.RenameInput{ID: x2.ID, Version: x2.Version, Name: "第一网格"})
		require.ErrorIs(t, err, region.ErrNameTaken)
		imported(t, s, header+"x3,v1,grid,同名网格\n") // as it is
		renamed, err := s.Rename(t.Context(), system, region.RenameInput{ID: x2.ID, Version: x2.Version, Name: "第二网格"})
		require.NoError(t, err)
		require.Empty(t, renamed.NameSlot)
		_, err = s.Create(t.Context(), system, region.CreateInput{ParentID: v1.ID, Level: "grid", Name: "第二网格"})
		require.ErrorIs(t, err, region.ErrNameTaken)
	})
}
