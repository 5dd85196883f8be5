package identity

import (
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/model"
)

// Region is what identity says of a region: enough to show and to check.
type Region struct {
	ID    string
	Name  string
	Level model.RegionLevel
	Path  string
}

// regionsByID reads regions in one query. Missing ids are ErrRegionUnknown.
// (service/region stands on the same floor and cannot be called.)
func regionsByID(tx *gorm.DB, ids ...string) (map[string]Region, error) {
	out := make(map[string]Region, len(ids))
	var rows []Region
	if err := tx.Raw("SELECT id, name, level, path FROM region WHERE id IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("identity: read regions: %w", err)
	}
	for _, row := range rows {
		out[row.ID] = row
	}
	for _, id := range ids {
		if _, ok := out[id]; !ok {
			return nil, ErrRegionUnknown
		}
	}
	return out, nil
}

// regionScope is the WHERE clause for "region r lies in one of the subtrees", and
// matches nothing if there are none. nullToo lets rows without a region through.
func regionScope(paths []string, nullToo bool) (where string, args []any) {
	const column = "r.path"
	parts := []string{"1 = 0"}
	for _, path := range paths {
		from, to := model.RegionPathRange(path)
		parts = append(parts, column+" >= ? AND "+column+" < ?")
		args = append(args, from, to)
	}
	if nullToo {
		parts = append(parts, column+" IS NULL")
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}
