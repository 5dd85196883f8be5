package region

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// Rows of one statement: they bound its length and its parameters.
const (
	insertChunk = 500
	updateChunk = 300
	moveChunk   = 100
)

// plan is what an import will write, worked out from what was read without
// locks.
type plan struct {
	now      clock.Instant
	known    map[string]Region // by code, as read
	placed   map[string]Region // by code, the file's regions as they will be
	moved    map[string]string // path as read -> path to be, of the moved themselves
	steps    []step            // one a level, the counties first
	locks    map[string]Region // by id: what must still be as read when it is written
	counties map[string]bool   // paths of the counties that are touched
	result   ImportResult
}

// step is what changes at one level.
type step struct {
	inserts []Region
	moves   []move
	updates []Region
}

// move is a region with everything below it that comes to lie elsewhere.
type move struct {
	planned  string // path as read
	from, to string // path when its turn comes, and afterwards
}

// place settles one record: its parent stands in p already.
func (p *plan) place(st *step, r Record, c clock.Clock) {
	parent, hasParent := p.at(r.ParentCode)
	var parentID *string
	if hasParent {
		parentID = &parent.ID
	}
	old, exists := p.known[r.Code]
	if !exists {
		id := c.NewID()
		added := Region{
			ID: id, Code: r.Code, ParentID: parentID, Level: r.Level, Name: r.Name,
			Path: childPath(parent.Path, id), Version: 1, CreatedAt: p.now, UpdatedAt: p.now,
		}
		p.placed[r.Code] = added
		st.inserts = append(st.inserts, added)
		p.result.Created++
		p.touch(parent.Path)
		p.lockKnown(r.ParentCode)
		return
	}
	updated := old
	updated.Name, updated.ParentID, updated.Path = r.Name, parentID, p.pathOf(old.Path)
	if hasParent && *old.ParentID != parent.ID {
		to := childPath(parent.Path, old.ID)
		st.moves = append(st.moves, move{planned: old.Path, from: updated.Path, to: to})
		p.lockKnown(r.ParentCode)
		updated.Path = to
	} else if old.Name == r.Name {
		p.placed[r.Code] = updated
		p.result.Unchanged++
		return
	}
	p.placed[r.Code] = updated
	st.updates = append(st.updates, updated)
	p.result.Updated++
	p.touch(old.Path)
	p.locks[old.ID] = old
}

// at returns the region with this code where it will be.
func (p *plan) at(code string) (Region, bool) {
	if r, ok := p.placed[code]; ok {
		return r, true
	}
	r, ok := p.known[code]
	r.Path = p.pathOf(r.Path)
	return r, ok
}

// pathOf is where a path as read will lead once the levels above have moved:
// the deepest moved ancestor has all the higher moves in its own new path.
func (p *plan) pathOf(path string) string {
	for end := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/'); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if to, ok := p.moved[path[:end+1]]; ok {
			return to + path[end+1:]
		}
	}
	return path
}

func childPath(parentPath, id string) string {
	if parentPath == "" {
		parentPath = "/"
	}
	return parentPath + id + "/"
}

// touch notes the county in which something changes. A county that does not
// exist yet is "", and nobody but the system is operator over that; nor over
// what will lie below it.
func (p *plan) touch(path string) { p.counties[model.RegionCountyPath(path)] = true }

// lockKnown notes a region under which something is put.
func (p *plan) lockKnown(code string) {
	if r, ok := p.known[code]; ok {
		p.locks[r.ID] = r
	}
}

// allowed asks whether the actor is operator over every county touched.
func (p *plan) allowed(actor authz.Actor) error {
	for county := range p.counties {
		if err := actor.InRegion(county, authz.RoleOperator); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) moves() bool {
	return slices.ContainsFunc(p.steps, func(st step) bool { return len(st.moves) > 0 })
}

// countiesTouched are the paths of the counties that existed before.
func (p *plan) countiesTouched() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.counties)), func(path string) bool { return path == "" })
}

// lock locks, in key order, what the plan rests on and returns errStale if any
// of it has changed since it was read. An import that changes nothing locks
// nothing.
func (p *plan) lock(tx *gorm.DB) error {
	if len(p.locks) == 0 {
		return nil
	}
	rows, err := readBy(tx, "id", slices.Collect(maps.Keys(p.locks)), database.ForUpdate(tx))
	if err != nil {
		return err
	}
	if len(rows) != len(p.locks) {
		return errStale
	}
	for _, now := range rows {
		read := p.locks[now.ID]
		if now.Version != read.Version || now.Path != read.Path {
			return errStale
		}
	}
	return nil
}

// write lets go of every name that changes hands before any is taken: in one
// file two regions may exchange theirs.
func (p *plan) write(tx *gorm.DB) error {
	var named []string
	for _, st := range p.steps {
		if p.result.Updated > 0 {
			for i := range st.inserts {
				st.inserts[i].NameSlot = st.inserts[i].ID
				named = append(named, st.inserts[i].ID)
			}
		}
		if len(st.inserts) > 0 {
			if err := tx.CreateInBatches(&st.inserts, insertChunk).Error; err != nil {
				return fmt.Errorf("region: import: insert: %w", err)
			}
		}
		for chunk := range slices.Chunk(st.moves, moveChunk) {
			if err := rewritePaths(tx, chunk, p.now); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(st.updates, updateChunk) {
			if err := p.updateRows(tx, chunk); err != nil {
				return err
			}
			for _, r := range chunk {
				named = append(named, r.ID)
			}
		}
	}
	for chunk := range slices.Chunk(named, lookupChunk) {
		if err := tx.Exec("UPDATE region SET name_slot = '' WHERE id IN ?", chunk).Error; err != nil {
			return fmt.Errorf("region: import: take names: %w", err)
		}
	}
	return nil
}

// rewritePaths moves whole subtrees, many in one statement. Regions of one
// level never lie within each other, so that each row meets one WHEN only.
func rewritePaths(tx *gorm.DB, moves []move, now clock.Instant) error {
	var (
		cases, ranges       strings.Builder
		caseArgs, rangeArgs []any
	)
	for i, m := range moves {
		from, to := model.RegionPathRange(m.from)
		cases.WriteString(" WHEN path >= ? AND path < ? THEN CONCAT(?, SUBSTR(path, ?))")
		caseArgs = append(caseArgs, from, to, m.to, len(m.from)+1)
		if i > 0 {
			ranges.WriteString(" OR ")
		}
		ranges.WriteString("(path >= ? AND path < ?)")
		rangeArgs = append(rangeArgs, from, to)
	}
	args := append(append(caseArgs, now), rangeArgs...)
	err := tx.Exec("UPDATE region SET path = CASE"+cases.String()+" ELSE path END, updated_at = ? WHERE "+ranges.String(), args...).Error
	if err != nil {
		return fmt.Errorf("region: rewrite paths: %w", err)
	}
	return nil
}

func (p *plan) updateRows(tx *gorm.DB, rows []Region) error {
	var (
		names, parents, ids          strings.Builder
		nameArgs, parentArgs, idArgs []any
	)
	for i, r := range rows {
		names.WriteString(" WHEN ? THEN ?")
		nameArgs = append(nameArgs, r.ID, r.Name)
		parents.WriteString(" WHEN ? THEN ?")
		parentArgs = append(parentArgs, r.ID, r.ParentID)
		if i > 0 {
			ids.WriteString(", ")
		}
		ids.WriteString("?")
		idArgs = append(idArgs, r.ID)
	}
	args := append(append(append(nameArgs, parentArgs...), p.now), idArgs...)
	res := tx.Exec("UPDATE region SET name = CASE id"+names.String()+" ELSE name END, parent_id = CASE id"+parents.String()+
		" ELSE parent_id END, name_slot = id, version = version + 1, updated_at = ? WHERE id IN ("+ids.String()+")", args...)
	if err := database.RequireRows(res, int64(len(rows))); err != nil {
		return fmt.Errorf("region: import: update: %w", err)
	}
	return nil
}
