// Package region keeps the tree of regions: county, town, village, grid,
// microgrid, building. It stands below every other service: who reads, earns,
// reports or decides does so somewhere in this tree.
//
// The tree is a materialised path (see model.Region): reading a subtree or the
// ancestors is one range or one IN list, never a recursion.
package region

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Region is one node of the tree.
type Region = model.Region

// Level is a region's level.
type Level = model.RegionLevel

// Service answers for the tree of regions. Safe for concurrent use.
type Service struct {
	db    *database.DB
	clock clock.Clock

	onChange []func(tx *gorm.DB, c Change) error
	onPlaced []func(tx *gorm.DB, path string) error
	afterPut []func()
	tenants  []Tenant
}

// New makes the service.
func New(db *database.DB, c clock.Clock) *Service { return &Service{db: db, clock: c} }

// columns are what a model.Region needs: all but the boundary, which may be
// hundreds of kilobytes.
const columns = "id, code, parent_id, level, name, path, min_lon, max_lon, min_lat, max_lat, closed_at, successor_id, name_slot, version, created_at, updated_at"

// lookupChunk bounds an IN list. MariaDB turns lists of 1,000 and more into
// temporary tables.
const lookupChunk = 900

// Get returns a region, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id string) (Region, error) {
	return one(s.db.Read(ctx), "id", id, "")
}

// GetByCode returns the region with this code, or ErrNotFound.
func (s *Service) GetByCode(ctx context.Context, code string) (Region, error) {
	return one(s.db.Read(ctx), "code", code, "")
}

// one reads the region whose column (a unique one) has the value; lock is ""
// or database.ForUpdate.
func one(tx *gorm.DB, column, value, lock string) (Region, error) {
	var rows []Region
	err := tx.Raw("SELECT "+columns+" FROM region WHERE "+column+" = ?"+lock, value).Scan(&rows).Error
	if err != nil {
		return Region{}, fmt.Errorf("region: read by %s: %w", column, err)
	}
	if len(rows) == 0 {
		return Region{}, ErrNotFound
	}
	return rows[0], nil
}

// ByIDs returns the regions with these ids; ids that do not exist are missing
// from the map.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]Region, error) {
	rows, err := readBy(s.db.Read(ctx), "id", ids, "")
	if err != nil {
		return nil, err
	}
	out := make(map[string]Region, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

// readBy reads the regions whose column (a unique one) has one of the values,
// in the order of that column, so that rows are locked in key order.
func readBy(tx *gorm.DB, column string, values []string, lock string) ([]Region, error) {
	values = slices.Clone(values)
	slices.Sort(values)
	values = slices.Compact(values)
	var out []Region
	for chunk := range slices.Chunk(values, lookupChunk) {
		var rows []Region
		err := tx.Raw("SELECT "+columns+" FROM region WHERE "+column+" IN ? ORDER BY "+column+lock, chunk).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("region: read many by %s: %w", column, err)
		}
		out = append(out, rows...)
	}
	return out, nil
}

// Roots lists the counties by code.
func (s *Service) Roots(ctx context.Context, page paging.Request) (paging.Page[Region], error) {
	return s.byCode(ctx, "parent_id IS NULL", nil, page)
}

// Children lists the open regions directly below a region, by code. A region
// that does not exist is ErrNotFound.
func (s *Service) Children(ctx context.Context, id string, page paging.Request) (paging.Page[Region], error) {
	return s.childrenWhere(ctx, id, "closed_at IS NULL", page)
}

// ClosedChildren is Children for the closed ones.
func (s *Service) ClosedChildren(ctx context.Context, id string, page paging.Request) (paging.Page[Region], error) {
	return s.childrenWhere(ctx, id, "closed_at IS NOT NULL", page)
}

func (s *Service) childrenWhere(ctx context.Context, id, condition string, page paging.Request) (paging.Page[Region], error) {
	if _, err := s.Get(ctx, id); err != nil {
		return paging.Page[Region]{}, err
	}
	return s.byCode(ctx, "parent_id = ? AND "+condition, []any{id}, page)
}

func (s *Service) byCode(ctx context.Context, where string, args []any, page paging.Request) (paging.Page[Region], error) {
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[Region]{}, err
	}
	if key != nil {
		where, args = where+" AND code > ?", append(args, key[0])
	}
	return s.page(ctx, where, "code", args, page, func(r Region) []string { return []string{r.Code} })
}

func (s *Service) page(ctx context.Context, where, order string, args []any, page paging.Request,
	key func(Region) []string,
) (paging.Page[Region], error) {
	var rows []Region
	err := s.db.Read(ctx).Raw("SELECT "+columns+" FROM region WHERE "+where+" ORDER BY "+order+" LIMIT ?",
		append(slices.Clone(args), page.Size()+1)...).Scan(&rows).Error
	if err != nil {
		return paging.Page[Region]{}, fmt.Errorf("region: list: %w", err)
	}
	return paging.Of(rows, page, key), nil
}

// Ancestors returns what lies above a region, the county first; nothing for a
// county.
func (s *Service) Ancestors(ctx context.Context, id string) ([]Region, error) {
	r, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	above, err := s.ByIDs(ctx, r.AncestorIDs())
	if err != nil {
		return nil, err
	}
	out := make([]Region, 0, len(above))
	for _, id := range r.AncestorIDs() {
		if a, ok := above[id]; ok {
			out = append(out, a)
		}
	}
	return out, nil
}

// Subtree lists a region and every open one below it down to maxLevel ("" for
// everything), each region before what lies below it.
func (s *Service) Subtree(ctx context.Context, id string, maxLevel Level, page paging.Request) (paging.Page[Region], error) {
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[Region]{}, err
	}
	if maxLevel != "" && maxLevel.Order() == 0 {
		return paging.Page[Region]{}, ErrBadQuery
	}
	root, err := s.Get(ctx, id)
	if err != nil {
		return paging.Page[Region]{}, err
	}
	from, to := model.RegionPathRange(root.Path)
	where, args := "path >= ? AND path < ?", []any{from, to}
	if key != nil {
		where, args = "path > ? AND path < ?", []any{max(key[0], from), to}
	}
	where += " AND closed_at IS NULL"
	if maxLevel != "" {
		where, args = where+" AND level IN ?", append(args, model.RegionLevels()[:maxLevel.Order()])
	}
	return s.page(ctx, where, "path", args, page, func(r Region) []string { return []string{r.Path} })
}

// Search limits.
const maxSearchRunes = 32

// Search lists the open regions whose name contains the text, those whose name
// begins with it first. withinID limits it to one subtree; "" searches
// everywhere.
func (s *Service) Search(ctx context.Context, name, withinID string, page paging.Request) (paging.Page[Region], error) {
	name = strings.TrimSpace(name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxSearchRunes {
		return paging.Page[Region]{}, ErrBadQuery
	}
	from, to := model.RegionPathRange("/")
	if withinID != "" {
		root, err := s.Get(ctx, withinID)
		if err != nil {
			return paging.Page[Region]{}, err
		}
		from, to = model.RegionPathRange(root.Path)
	}
	const rank = "CASE WHEN INSTR(name, ?) = 1 THEN 0 ELSE 1 END"
	where, args := "path >= ? AND path < ? AND closed_at IS NULL AND INSTR(name, ?) > 0", []any{from, to, name}
	key, err := page.Key(2)
	if err != nil {
		return paging.Page[Region]{}, err
	}
	if key != nil {
		last, err := strconv.Atoi(key[0])
		if err != nil {
			return paging.Page[Region]{}, paging.ErrCursor
		}
		where += " AND (" + rank + " > ? OR (" + rank + " = ? AND path > ?))"
		args = append(args, name, last, name, last, key[1])
	}
	return s.page(ctx, where, rank+", path", append(args, name), page, func(r Region) []string {
		if strings.HasPrefix(r.Name, name) {
			return []string{"0", r.Path}
		}
		return []string{"1", r.Path}
	})
}

// FullNames returns by id the names from the county down to each region,
// joined by " / ": many villages of one county share a name. One query, of
// however many regions.
func (s *Service) FullNames(ctx context.Context, regions []Region) (map[string]string, error) {
	var ids []string
	for i := range regions {
		ids = append(ids, regions[i].AncestorIDs()...)
	}
	above, err := s.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(regions))
	for i := range regions {
		var names []string
		for _, id := range regions[i].AncestorIDs() {
			names = append(names, above[id].Name)
		}
		out[regions[i].ID] = strings.Join(append(names, regions[i].Name), " / ")
	}
	return out, nil
}
