package region

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// CreateInput describes a new grid, microgrid or building.
type CreateInput struct {
	ParentID string
	Level    Level
	Name     string
	Code     string // "" to have one made: the parent's code and G001, M001 or B001
}

// codeLetter begins the made part of a code. Levels without one come from the
// statistical codes and are only imported.
var codeLetter = map[Level]string{
	model.RegionGrid: "G", model.RegionMicrogrid: "M", model.RegionBuilding: "B",
}

// codeAttempts bounds the search for a free code when somebody chose the next
// one by hand for a region elsewhere.
const codeAttempts = 20

// Create adds a grid under a village, a microgrid under a grid or a building
// under a microgrid; the actor must be operator over the parent. It returns
// ErrCodeTaken for a code in use and ErrWrongParent for another pair of
// levels.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in CreateInput) (Region, error) {
	if codeLetter[in.Level] == "" {
		return Region{}, ErrWrongParent
	}
	var created Region
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		// The lock makes creators under one parent wait for each other, and
		// for an import that moves the parent.
		parent, err := one(tx, "id", in.ParentID, database.ForUpdate(tx))
		if err != nil {
			return err
		}
		if err := actor.InRegion(parent.Path, authz.RoleOperator); err != nil {
			return err
		}
		if in.Level.Parent() != parent.Level {
			return ErrWrongParent
		}
		id, now := s.clock.NewID(), clock.Now(s.clock)
		created = Region{
			ID: id, Code: in.Code, ParentID: &parent.ID, Level: in.Level, Name: in.Name,
			Path: parent.Path + id + "/", Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if in.Code == "" {
			return insertWithNextCode(tx, &created, parent)
		}
		return insertNew(tx, &created)
	})
	return created, err
}

// insertNew writes a region whose code may be taken.
func insertNew(tx *gorm.DB, r *Region) error {
	if err := r.Validate(); err != nil {
		return err
	}
	err := tx.Create(r).Error
	switch {
	case database.IsDuplicate(err):
		return ErrCodeTaken
	case err != nil:
		return fmt.Errorf("region: create: %w", err)
	}
	return nil
}

func insertWithNextCode(tx *gorm.DB, r *Region, parent Region) error {
	prefix := parent.Code + codeLetter[r.Level]
	var last int64
	// SIGNED is MySQL's word; SQLite takes any, and reads the digits alike but
	// for an exponent. Hand-made codes that go on otherwise than in digits do
	// no harm: a free code is tried for below.
	err := tx.Raw(`SELECT COALESCE(MAX(CAST(SUBSTR(code, ?) AS SIGNED)), 0) FROM region
		WHERE parent_id = ? AND SUBSTR(code, 1, ?) = ? AND LENGTH(code) <= ?
		AND INSTR(LOWER(SUBSTR(code, ?)), 'e') = 0`,
		len(prefix)+1, parent.ID, len(prefix), prefix, len(prefix)+6, len(prefix)+1).Scan(&last).Error
	if err != nil {
		return fmt.Errorf("region: next code: %w", err)
	}
	last = max(0, last)
	for n := last + 1; n <= last+codeAttempts; n++ {
		r.Code = fmt.Sprintf("%s%03d", prefix, n)
		if err = insertNew(tx, r); fault.KindOf(err) != fault.Conflict {
			return err
		}
	}
	return err
}

// RenameInput names a region anew. Version is the one that the caller has
// seen.
type RenameInput struct {
	ID      string
	Version int64
	Name    string
}

// Rename changes a region's name; the actor must be operator over it. It
// returns ErrChanged if somebody edited the region since.
func (s *Service) Rename(ctx context.Context, actor authz.Actor, in RenameInput) (Region, error) {
	if reason := model.RegionNameFault(in.Name); reason != "" {
		return Region{}, fault.Fields{{Path: "name", Reason: reason}}.Err("region.invalid")
	}
	return s.edit(ctx, actor, in.ID, in.Version, func(r *Region) (string, []any) {
		r.Name = in.Name
		return "name = ?", []any{in.Name}
	})
}

// edit runs one conditional update on a region and returns it as it then is.
func (s *Service) edit(ctx context.Context, actor authz.Actor, id string, version int64,
	change func(r *Region) (assignments string, args []any),
) (Region, error) {
	var edited Region
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		r, err := one(tx, "id", id, database.ForUpdate(tx))
		if err != nil {
			return err
		}
		if err := actor.InRegion(r.Path, authz.RoleOperator); err != nil {
			return err
		}
		if r.Version != version {
			return ErrChanged
		}
		set, args := change(&r)
		r.Version, r.UpdatedAt = version+1, clock.Now(s.clock)
		res := tx.Exec("UPDATE region SET "+set+", version = ?, updated_at = ? WHERE id = ? AND version = ?",
			append(args, r.Version, r.UpdatedAt, id, version)...)
		if err := database.RequireRows(res, 1); err != nil {
			return fmt.Errorf("region: edit: %w", err)
		}
		edited = r
		return nil
	})
	return edited, err
}
