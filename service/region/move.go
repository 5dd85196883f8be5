package region

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

const maxReasonRunes = 200

// reasonFault says what is wrong with the reason of an edit, nil if nothing.
func reasonFault(reason string) error {
	var f fault.Fields
	n := utf8.RuneCountInString(strings.TrimSpace(reason))
	f.Add(n >= 2 && n <= maxReasonRunes && utf8.ValidString(reason), "reason", "请写明原因，2 到 200 个字")
	return f.Err("region.invalid")
}

// MoveInput puts a region under another parent. Version is the one that the
// caller has seen.
type MoveInput struct {
	ID       string
	Version  int64
	ParentID string
	Reason   string
}

// moveDetail is what the audit trail says of a move.
type moveDetail struct {
	FromID string `json:"from_id"`
	ToID   string `json:"to_id"`
}

// Move puts a region with everything below it under another parent of the
// same county; the actor must be operator over the lowest region that holds
// both parents. Codes stay. Whatever lies in the subtree lies there still and
// goes with it: who is over the new parent is over it from now on. What was
// summed up for the old parents before stays with them.
//
// Errors: ErrNotFound, ErrChanged, ErrCounty, ErrOtherCounty, ErrWrongParent,
// ErrSameParent, ErrClosed, ErrNameTaken, and what OnPlaced refuses.
func (s *Service) Move(ctx context.Context, actor authz.Actor, in MoveInput) (Region, error) {
	if err := reasonFault(in.Reason); err != nil {
		return Region{}, err
	}
	var moved Region
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		r, old, parent, err := lockMove(tx, in)
		if err != nil {
			return err
		}
		if err := mayMove(actor, old, parent); err != nil {
			return err
		}
		if r.Version != in.Version || *r.ParentID != old.ID {
			return ErrChanged
		}
		if err := fits(r, old, parent); err != nil {
			return err
		}
		moved, err = s.moveTx(tx, r, parent)
		if err != nil {
			return err
		}
		return s.record(tx, Change{
			Actor: actor, Action: ActionMoved, Region: moved, Reason: in.Reason, Detail: moveDetail{old.ID, parent.ID},
		})
	})
	if err == nil {
		s.placed()
	}
	return moved, err
}

// lockMove locks, in key order, a region and its parents: the locks make
// everyone who puts something under one of them wait, and with it whoever
// moves or closes one of them.
func lockMove(tx *gorm.DB, in MoveInput) (r, old, parent Region, err error) {
	seen, err := one(tx, "id", in.ID, "")
	if err != nil {
		return r, old, parent, err
	}
	if seen.ParentID == nil {
		return r, old, parent, ErrCounty
	}
	rows, err := lockAll(tx, in.ID, *seen.ParentID, in.ParentID)
	if err != nil {
		return r, old, parent, err
	}
	return rows[in.ID], rows[*seen.ParentID], rows[in.ParentID], nil
}

// lockAll locks regions in key order and returns them by id, ErrNotFound if
// one is missing.
func lockAll(tx *gorm.DB, ids ...string) (map[string]Region, error) {
	rows, err := readBy(tx, "id", ids, database.ForUpdate(tx))
	if err != nil {
		return nil, err
	}
	out := make(map[string]Region, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	for _, id := range ids {
		if _, ok := out[id]; !ok {
			return nil, ErrNotFound
		}
	}
	return out, nil
}

// mayMove: numbers of cases and certificates belong to a county, so that
// nothing moves from one to another; within it the operators over both parents.
func mayMove(actor authz.Actor, old, parent Region) error {
	common := model.RegionCommonPath(old.Path, parent.Path)
	if common == "/" {
		return ErrOtherCounty
	}
	return actor.InRegion(common, authz.RoleOperator)
}

// fits says why a region cannot come to lie under a parent, nil if it can. The
// order of the levels also keeps a region from coming to lie below itself.
func fits(r, old, parent Region) error {
	switch {
	case parent.Level != r.Level.Parent():
		return ErrWrongParent
	case parent.ID == old.ID:
		return ErrSameParent
	case r.Closed(), parent.Closed():
		return ErrClosed
	}
	return nil
}

// moveTx puts a locked region under a locked parent. All below it move by one
// statement.
func (s *Service) moveTx(tx *gorm.DB, r, parent Region) (Region, error) {
	now, from := clock.Now(s.clock), r.Path
	r.ParentID, r.Path, r.NameSlot, r.Version, r.UpdatedAt = &parent.ID, childPath(parent.Path, r.ID), "", r.Version+1, now
	res := tx.Exec("UPDATE region SET parent_id = ?, name_slot = '', version = ?, updated_at = ? WHERE id = ? AND version = ?",
		parent.ID, r.Version, now, r.ID, r.Version-1)
	if database.IsDuplicate(res.Error) {
		return r, ErrNameTaken
	}
	if err := database.RequireRows(res, 1); err != nil {
		return r, fmt.Errorf("region: move: %w", err)
	}
	if err := rewritePaths(tx, []move{{from: from, to: r.Path}}, now); err != nil {
		return r, err
	}
	return r, s.checkPlaces(tx, r.Path)
}

// moveChildrenTx puts every open child of a region under another region:
// constant statements per hundred of them.
func (s *Service) moveChildrenTx(tx *gorm.DB, from, to Region) error {
	children, err := openChildren(tx, from.ID)
	if err != nil || len(children) == 0 {
		return err
	}
	now := clock.Now(s.clock)
	moves, paths := make([]move, len(children)), make([]string, len(children))
	for i, c := range children {
		paths[i] = childPath(to.Path, c.ID)
		moves[i] = move{from: c.Path, to: paths[i]}
	}
	if err := checkSharedNames(tx, from.ID, to.ID); err != nil {
		return err
	}
	res := tx.Exec("UPDATE region SET parent_id = ?, version = version + 1, updated_at = ? WHERE parent_id = ? AND closed_at IS NULL",
		to.ID, now, from.ID)
	if database.IsDuplicate(res.Error) {
		return ErrNameTaken
	}
	if res.Error != nil {
		return fmt.Errorf("region: move children: %w", res.Error)
	}
	for chunk := range slices.Chunk(moves, moveChunk) {
		if err := rewritePaths(tx, chunk, now); err != nil {
			return err
		}
	}
	return s.checkPlaces(tx, to.Path)
}

func openChildren(tx *gorm.DB, id string) ([]Region, error) {
	var rows []Region
	err := tx.Raw("SELECT "+columns+" FROM region WHERE parent_id = ? AND closed_at IS NULL ORDER BY id"+database.ForUpdate(tx), id).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("region: children: %w", err)
	}
	return rows, nil
}

// maxNamesTold bounds the names in one message.
const maxNamesTold = 5

// checkSharedNames refuses to put together what is called alike, with the
// names: two villages that become one often have a first grid each.
func checkSharedNames(tx *gorm.DB, fromID, toID string) error {
	var names []string
	err := tx.Raw(`SELECT c.name FROM region c JOIN region o ON o.parent_id = ? AND o.name = c.name AND o.name_slot = ''
		WHERE c.parent_id = ? AND c.name_slot = '' ORDER BY c.code`, toID, fromID).Scan(&names).Error
	if err != nil {
		return fmt.Errorf("region: shared names: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	more := ""
	if len(names) > maxNamesTold {
		more = fmt.Sprintf("等 %d 个", len(names))
	}
	return ErrNameTaken.WithMessage("两边都有叫“%s”%s的下级地区，请先改名再合并", strings.Join(names[:min(len(names), maxNamesTold)], "”“"), more)
}
