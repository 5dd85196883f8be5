package region

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// CreateInput describes a new region.
type CreateInput struct {
	ParentID string
	Level    Level
	Name     string
	// Code of a town or a village is the statistical one. "" has one made for
	// the levels below: the parent's code and G001, M001 or B001.
	Code string
}

// codeLetter begins the made part of a code.
var codeLetter = map[Level]string{
	model.RegionGrid: "G", model.RegionMicrogrid: "M", model.RegionBuilding: "B",
}

// codeAttempts bounds the search for a free code when somebody chose the next
// one by hand for a region elsewhere.
const codeAttempts = 20

// Create adds a region under one of the level above; the actor must be
// operator over the parent. Counties are only imported.
//
// Errors: ErrCodeTaken, ErrNameTaken, ErrClosed (the parent), ErrWrongParent
// for another pair of levels.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in CreateInput) (Region, error) {
	if in.Level.Parent() == "" {
		return Region{}, ErrWrongParent
	}
	if in.Code == "" && codeLetter[in.Level] == "" {
		return Region{}, fault.Fields{{Path: "code", Reason: "镇街和村社请填写统计用区划代码"}}.Err("region.invalid")
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
		if parent.Closed() {
			return ErrClosed
		}
		id, now := s.clock.NewID(), clock.Now(s.clock)
		created = Region{
			ID: id, Code: in.Code, ParentID: &parent.ID, Level: in.Level, Name: in.Name,
			Path: parent.Path + id + "/", Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if in.Code == "" {
			err = insertWithNextCode(tx, &created, parent)
		} else {
			err = insertNew(tx, &created)
		}
		if err != nil {
			return err
		}
		return s.record(tx, Change{Actor: actor, Action: ActionCreated, Region: created})
	})
	return created, err
}

// insertNew writes a region whose code or name may be taken.
func insertNew(tx *gorm.DB, r *Region) error {
	if err := r.Validate(); err != nil {
		return err
	}
	err := tx.Create(r).Error
	switch {
	case database.IsDuplicate(err):
		return whatIsTaken(tx, r)
	case err != nil:
		return fmt.Errorf("region: create: %w", err)
	}
	return nil
}

// whatIsTaken tells the two unique keys apart that a new region may meet.
func whatIsTaken(tx *gorm.DB, r *Region) error {
	var sameCode int64
	if err := tx.Raw("SELECT COUNT(*) FROM region WHERE code = ?", r.Code).Scan(&sameCode).Error; err != nil {
		return fmt.Errorf("region: what is taken: %w", err)
	}
	if sameCode > 0 {
		return ErrCodeTaken
	}
	return ErrNameTaken
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
		if err = insertNew(tx, r); !errors.Is(err, ErrCodeTaken) {
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
// returns ErrChanged if somebody edited the region since and ErrNameTaken if a
// sibling is called so.
func (s *Service) Rename(ctx context.Context, actor authz.Actor, in RenameInput) (Region, error) {
	if reason := model.RegionNameFault(in.Name); reason != "" {
		return Region{}, fault.Fields{{Path: "name", Reason: reason}}.Err("region.invalid")
	}
	return s.edit(ctx, actor, in.ID, in.Version, ActionRenamed, func(r *Region) (string, []any) {
		r.Name, r.NameSlot = in.Name, ""
		return "name = ?, name_slot = ''", []any{in.Name}
	})
}

// nameDetail is what the audit trail says of an edit.
type nameDetail struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// edit runs one conditional update on an open region and returns it as it then
// is.
func (s *Service) edit(ctx context.Context, actor authz.Actor, id string, version int64, action string,
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
		if r.Closed() {
			return ErrClosed.WithMessage("该地区已撤销，请先恢复再修改")
		}
		before := r.Name
		set, args := change(&r)
		r.Version, r.UpdatedAt = version+1, clock.Now(s.clock)
		res := tx.Exec("UPDATE region SET "+set+", version = ?, updated_at = ? WHERE id = ? AND version = ?",
			append(args, r.Version, r.UpdatedAt, id, version)...)
		if database.IsDuplicate(res.Error) {
			return ErrNameTaken
		}
		if err := database.RequireRows(res, 1); err != nil {
			return fmt.Errorf("region: edit: %w", err)
		}
		edited = r
		made := Change{Actor: actor, Action: action, Region: r}
		if r.Name != before {
			made.Detail = nameDetail{before, r.Name}
		}
		return s.record(tx, made)
	})
	return edited, err
}
