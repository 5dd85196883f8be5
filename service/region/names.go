package region

import (
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// changes reports whether a record makes a region, or gives it another name or
// parent.
func changes(r Record, known map[string]Region) bool {
	old, ok := known[r.Code]
	if !ok || old.Name != r.Name {
		return true
	}
	parent, ok := known[r.ParentCode]
	return r.ParentCode != "" && (!ok || old.ParentID == nil || parent.ID != *old.ParentID)
}

// place is a name under a parent, which one open region at a time may hold.
type place struct{ parentCode, name string }

// checkNames finds the records that would be called as a sibling is: one in
// the file, or one that the file does not name. Siblings that share a name
// already, and stay as they are, are none of the file's faults.
func checkNames(tx *gorm.DB, records []Record, known map[string]Region) ([]LineFault, error) {
	changing := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.ParentCode == "" || !changes(r, known) })
	taken, err := namesKept(tx, records, changing, known)
	if err != nil {
		return nil, err
	}
	var faults []LineFault
	for _, r := range changing {
		p := place{r.ParentCode, r.Name}
		if taken[p] {
			faults = append(faults, LineFault{r.Line, "同一上级下已有同名地区"})
		}
		taken[p] = true
	}
	return faults, nil
}

// namesKept returns the names that stay with who has them, under the parents
// of what changes.
func namesKept(tx *gorm.DB, records, changing []Record, known map[string]Region) (map[place]bool, error) {
	taken, inFile := map[place]bool{}, make(map[string]bool, len(records))
	for _, r := range records {
		inFile[r.Code] = true
		if !changes(r, known) && !known[r.Code].Closed() {
			taken[place{r.ParentCode, r.Name}] = true
		}
	}
	parents := map[string]string{} // code by id
	for _, r := range changing {
		if parent, ok := known[r.ParentCode]; ok {
			parents[parent.ID] = parent.Code
		}
	}
	ids := make([]string, 0, len(parents))
	for id := range parents {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, lookupChunk) {
		var rows []struct{ ParentID, Code, Name string }
		err := tx.Raw("SELECT parent_id, code, name FROM region WHERE parent_id IN ? AND closed_at IS NULL", chunk).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("region: import: names: %w", err)
		}
		for _, row := range rows {
			if !inFile[row.Code] {
				taken[place{parents[row.ParentID], row.Name}] = true
			}
		}
	}
	return taken, nil
}
