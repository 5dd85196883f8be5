// Package desk keeps what members of staff arrange for themselves in the
// console: saved views of lists. A view says how to ask for a list, never what
// is on it: who opens it sees what the list shows to that person.
package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Limits of a view; its JSON stays below what the columns hold.
const (
	maxName        = 20 // characters
	maxFilters     = 20
	maxFilterRunes = 40
	maxColumns     = 40
)

// Service keeps views. Safe for concurrent use.
type Service struct {
	db    *database.DB
	clock clock.Clock
}

// New makes the service.
func New(db *database.DB, c clock.Clock) *Service { return &Service{db: db, clock: c} }

// View is a saved view of a list.
type View struct {
	ID        string
	List      string
	Name      string
	Filters   map[string]string
	Columns   []string // those shown, in their order; empty for all
	Sort      string
	IsDefault bool
	UpdatedAt clock.Instant
}

var (
	listPattern = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)
	keyPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	sortPattern = regexp.MustCompile(`^[a-z0-9_:-]{0,64}$`)
)

func (v *View) check() error {
	v.Name = strings.TrimSpace(v.Name)
	var f fault.Fields
	n := utf8.RuneCountInString(v.Name)
	f.Add(n >= 1 && n <= maxName && utf8.ValidString(v.Name), "name", "名称应为 1 到 20 个字")
	f.Add(listPattern.MatchString(v.List), "list", "没有这个列表")
	f.Add(sortPattern.MatchString(v.Sort), "sort", "排序有误")
	f.Add(len(v.Filters) <= maxFilters, "filters", "筛选条件太多")
	for key, value := range v.Filters {
		f.Add(keyPattern.MatchString(key) && utf8.RuneCountInString(value) <= maxFilterRunes && utf8.ValidString(value), "filters", "筛选条件有误，每项最多 40 个字")
	}
	f.Add(len(v.Columns) <= maxColumns, "columns", "列太多")
	for _, key := range v.Columns {
		f.Add(keyPattern.MatchString(key), "columns", "没有这一列")
	}
	return f.Err(codeInvalid)
}

// Views lists the actor's own views of a list by name.
func (s *Service) Views(ctx context.Context, actor authz.Actor, list string, page paging.Request) (paging.Page[View], error) {
	var none paging.Page[View]
	if actor.Kind != authz.KindStaff {
		return none, authz.ErrForbidden
	}
	key, err := page.Key(1)
	if err != nil {
		return none, err
	}
	q := s.db.Read(ctx).Where("staff_id = ? AND list_name = ?", actor.ID, list).Order("name").Limit(page.Size() + 1)
	if key != nil {
		q = q.Where("name > ?", key[0])
	}
	var rows []model.SavedView
	if err := q.Find(&rows).Error; err != nil {
		return none, fmt.Errorf("desk: views: %w", err)
	}
	views := make([]View, len(rows))
	for i, row := range rows {
		if views[i], err = viewOf(row); err != nil {
			return none, err
		}
	}
	return paging.Of(views, page, func(v View) []string { return []string{v.Name} }), nil
}

func viewOf(row model.SavedView) (View, error) {
	v := View{ID: row.ID, List: row.List, Name: row.Name, Sort: row.Sort, IsDefault: row.DefaultSlot != nil, UpdatedAt: row.UpdatedAt}
	if err := errors.Join(json.Unmarshal([]byte(row.Filters), &v.Filters), json.Unmarshal([]byte(row.Columns), &v.Columns)); err != nil {
		return v, fmt.Errorf("desk: view %s: %w", row.ID, err)
	}
	return v, nil
}

func (s *Service) rowOf(staffID string, v View) (model.SavedView, error) {
	row := model.SavedView{ID: v.ID, StaffID: staffID, List: v.List, Name: v.Name, Sort: v.Sort, UpdatedAt: clock.Now(s.clock)}
	if v.IsDefault {
		row.DefaultSlot = new(int64(1))
	}
	kept := map[string]string{} // null is no filter
	maps.Copy(kept, v.Filters)
	filters, err := json.Marshal(kept)
	if err != nil {
		return row, fmt.Errorf("desk: filters: %w", err)
	}
	columns, err := json.Marshal(append([]string{}, v.Columns...))
	if err != nil {
		return row, fmt.Errorf("desk: columns: %w", err)
	}
	row.Filters, row.Columns = string(filters), string(columns)
	return row, nil
}

// Save keeps a new view of the actor's. Errors: ErrNameTaken, ErrTooMany, field
// faults.
func (s *Service) Save(ctx context.Context, actor authz.Actor, v View) (View, error) {
	if actor.Kind != authz.KindStaff {
		return v, authz.ErrForbidden
	}
	if err := v.check(); err != nil {
		return v, err
	}
	v.ID = s.clock.NewID()
	row, err := s.rowOf(actor.ID, v)
	if err != nil {
		return v, err
	}
	row.CreatedAt = row.UpdatedAt
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var used []int64
		if err := tx.Raw("SELECT slot FROM saved_view WHERE staff_id = ? AND list_name = ?", actor.ID, v.List).Scan(&used).Error; err != nil {
			return fmt.Errorf("desk: slots: %w", err)
		}
		row.Slot = 1
		for slices.Contains(used, row.Slot) {
			row.Slot++
		}
		if row.Slot > model.MaxViews {
			return ErrTooMany
		}
		if err := clearDefaultTx(tx, row); err != nil {
			return err
		}
		return tx.Create(&row).Error
	})
	if err != nil {
		return v, taken(err)
	}
	return viewOf(row)
}

// Change replaces one of the actor's views; its list stays. Errors: ErrMissing,
// ErrNameTaken, field faults.
func (s *Service) Change(ctx context.Context, actor authz.Actor, v View) (View, error) {
	var old model.SavedView
	err := s.db.Read(ctx).Where("id = ? AND staff_id = ?", v.ID, actor.ID).Take(&old).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return v, ErrMissing
	}
	if err != nil {
		return v, fmt.Errorf("desk: view: %w", err)
	}
	v.List = old.List
	if err := v.check(); err != nil {
		return v, err
	}
	row, err := s.rowOf(actor.ID, v)
	if err != nil {
		return v, err
	}
	row.Slot, row.CreatedAt = old.Slot, old.CreatedAt
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := clearDefaultTx(tx, row); err != nil {
			return err
		}
		return tx.Exec(`UPDATE saved_view SET name = ?, default_slot = ?, filters = ?, column_keys = ?, sort_key = ?, updated_at = ? WHERE id = ?`,
			row.Name, row.DefaultSlot, row.Filters, row.Columns, row.Sort, row.UpdatedAt, row.ID).Error
	})
	if err != nil {
		return v, taken(err)
	}
	return viewOf(row)
}

// clearDefaultTx makes room for the view that opens the list from now on.
func clearDefaultTx(tx *gorm.DB, row model.SavedView) error {
	if row.DefaultSlot == nil {
		return nil
	}
	err := tx.Exec("UPDATE saved_view SET default_slot = NULL WHERE staff_id = ? AND list_name = ? AND id <> ?", row.StaffID, row.List, row.ID).Error
	if err != nil {
		return fmt.Errorf("desk: default: %w", err)
	}
	return nil
}

// taken: two saved at the same moment meet in a key as well; to try again with
// another name is right for both.
func taken(err error) error {
	if database.IsDuplicate(err) {
		return ErrNameTaken
	}
	return err
}

// Delete forgets one of the actor's views. Errors: ErrMissing.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, id string) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec("DELETE FROM saved_view WHERE id = ? AND staff_id = ?", id, actor.ID)
		if res.Error != nil {
			return fmt.Errorf("desk: delete: %w", res.Error)
		}
		if res.RowsAffected == 0 {
			return ErrMissing
		}
		return nil
	})
}
