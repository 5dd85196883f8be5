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

// CloseInput closes a region. Version is the one that the caller has seen.
type CloseInput struct {
	ID      string
	Version int64
	// SuccessorID is an open region of the same level and county that takes in
	// everything that is open: residents, staff, cases, what lies below. ""
	// closes a region that holds nothing.
	SuccessorID string
	Reason      string
}

// closeDetail is what the audit trail says of a closing.
type closeDetail struct {
	SuccessorID string         `json:"successor_id,omitempty"`
	Given       []standingItem `json:"given,omitempty"` // to the successor
}

type standingItem struct {
	Kind  model.RegionHolding `json:"kind"`
	Count int64               `json:"count"`
}

// Close closes a region, by itself if it holds nothing (ErrOccupied says what
// it holds), or by giving what is open in it to a successor. The actor must be
// operator over the parent, or over the lowest region that holds both parents.
// What is over (closed cases, records, awards, finished activities) stays with
// the closed region and under its old path.
//
// Errors: ErrNotFound, ErrChanged, ErrCounty, ErrClosed, ErrOccupied,
// ErrSuccessor, ErrOtherCounty, ErrNameTaken, and what tenants refuse.
func (s *Service) Close(ctx context.Context, actor authz.Actor, in CloseInput) (Region, error) {
	if err := reasonFault(in.Reason); err != nil {
		return Region{}, err
	}
	var closed Region
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		r, successor, err := lockClose(tx, in)
		if err != nil {
			return err
		}
		if err := mayClose(actor, r, successor); err != nil {
			return err
		}
		if r.Version != in.Version {
			return ErrChanged
		}
		held, err := s.standingOf(tx, r)
		if err != nil {
			return err
		}
		change := Change{Actor: actor, Action: ActionClosed, Reason: in.Reason}
		if successor != nil {
			if err := s.giveTx(tx, r, *successor); err != nil {
				return err
			}
			change.Action, change.Detail = ActionMerged, closeDetail{successor.ID, standingItems(held)}
			if held, err = s.standingOf(tx, r); err != nil {
				return err
			}
		}
		if len(held) > 0 {
			return ErrOccupied.WithMessage("“%s”还有 %s，请先处理，或选择并入的地区", r.Name, standingText(held))
		}
		if closed, err = s.closeTx(tx, r, successor); err != nil {
			return err
		}
		change.Region = closed
		return s.record(tx, change)
	})
	if err == nil {
		s.placed()
	}
	return closed, err
}

func standingItems(list []Standing) []standingItem {
	out := make([]standingItem, len(list))
	for i, s := range list {
		out[i] = standingItem{s.Holding, s.Count}
	}
	return out
}

// lockClose locks, in key order, a region and its successor, nil if there is
// none.
func lockClose(tx *gorm.DB, in CloseInput) (r Region, successor *Region, err error) {
	ids := []string{in.ID}
	if in.SuccessorID != "" {
		ids = append(ids, in.SuccessorID)
	}
	rows, err := lockAll(tx, ids...)
	if err != nil {
		return r, nil, err
	}
	if s, ok := rows[in.SuccessorID]; ok {
		successor = &s
	}
	return rows[in.ID], successor, nil
}

func mayClose(actor authz.Actor, r Region, successor *Region) error {
	if r.ParentID == nil {
		return ErrCounty
	}
	over := model.RegionParentPath(r.Path)
	if successor != nil {
		if over = model.RegionCommonPath(over, model.RegionParentPath(successor.Path)); over == "/" {
			return ErrOtherCounty
		}
	}
	if err := actor.InRegion(over, authz.RoleOperator); err != nil {
		return err
	}
	switch {
	case r.Closed(), successor != nil && successor.Closed():
		return ErrClosed
	case successor != nil && (successor.ID == r.ID || successor.Level != r.Level):
		return ErrSuccessor
	}
	return nil
}

// giveTx gives what is open in a region, and what lies below it, to another.
func (s *Service) giveTx(tx *gorm.DB, from, to Region) error {
	for _, t := range s.tenants {
		if err := t.RehomeTx(tx, from.ID, to.ID); err != nil {
			if fault.As(err) != nil {
				return err
			}
			return fmt.Errorf("region: give to the successor: %w", err)
		}
	}
	return s.moveChildrenTx(tx, from, to)
}

func (s *Service) closeTx(tx *gorm.DB, r Region, successor *Region) (Region, error) {
	now := clock.Now(s.clock)
	r.ClosedAt, r.NameSlot, r.Version, r.UpdatedAt = &now, r.ID, r.Version+1, now
	if successor != nil {
		r.SuccessorID = &successor.ID
	}
	res := tx.Exec("UPDATE region SET closed_at = ?, successor_id = ?, name_slot = id, version = ?, updated_at = ? WHERE id = ? AND version = ?",
		now, r.SuccessorID, r.Version, now, r.ID, r.Version-1)
	if err := database.RequireRows(res, 1); err != nil {
		return r, fmt.Errorf("region: close: %w", err)
	}
	return r, nil
}

// ReopenInput opens a closed region again. Version is the one that the caller
// has seen.
type ReopenInput struct {
	ID      string
	Version int64
	Reason  string
}

// Reopen opens a closed region; the actor must be operator over its parent,
// which must be open. What its closing gave to a successor stays there.
//
// Errors: ErrNotFound, ErrChanged, ErrNotClosed, ErrClosed (the parent),
// ErrNameTaken.
func (s *Service) Reopen(ctx context.Context, actor authz.Actor, in ReopenInput) (Region, error) {
	if err := reasonFault(in.Reason); err != nil {
		return Region{}, err
	}
	var opened Region
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		seen, err := one(tx, "id", in.ID, "")
		if err != nil {
			return err
		}
		if seen.ParentID == nil {
			return ErrNotClosed // a county never is
		}
		rows, err := lockAll(tx, in.ID, *seen.ParentID)
		if err != nil {
			return err
		}
		r, parent := rows[in.ID], rows[*seen.ParentID]
		if err := actor.InRegion(parent.Path, authz.RoleOperator); err != nil {
			return err
		}
		switch {
		case r.Version != in.Version:
			return ErrChanged
		case !r.Closed():
			return ErrNotClosed
		case parent.Closed():
			return ErrClosed.WithMessage("它的上级“%s”已撤销，请先恢复上级", parent.Name)
		}
		if opened, err = s.reopenTx(tx, r); err != nil {
			return err
		}
		return s.record(tx, Change{Actor: actor, Action: ActionReopened, Region: opened, Reason: in.Reason})
	})
	return opened, err
}

func (s *Service) reopenTx(tx *gorm.DB, r Region) (Region, error) {
	r.ClosedAt, r.SuccessorID, r.NameSlot, r.Version, r.UpdatedAt = nil, nil, "", r.Version+1, clock.Now(s.clock)
	res := tx.Exec("UPDATE region SET closed_at = NULL, successor_id = NULL, name_slot = '', version = ?, updated_at = ? WHERE id = ? AND version = ?",
		r.Version, r.UpdatedAt, r.ID, r.Version-1)
	if database.IsDuplicate(res.Error) {
		return r, ErrNameTaken
	}
	if err := database.RequireRows(res, 1); err != nil {
		return r, fmt.Errorf("region: reopen: %w", err)
	}
	return r, nil
}

// Holdings is what is open in a region by itself, and together with everything
// below it: what closing it meets, and what moving it takes along.
type Holdings struct {
	Own     []Standing
	Subtree []Standing
}

// Holdings counts what is open in a region; for operators and auditors over
// it. ErrNotFound also for a region of others.
func (s *Service) Holdings(ctx context.Context, actor authz.Actor, id string) (out Holdings, err error) {
	r, err := s.Get(ctx, id)
	if err != nil {
		return out, err
	}
	if actor.InRegion(r.Path, authz.RoleOperator, authz.RoleAuditor) != nil {
		return out, ErrNotFound
	}
	db := s.db.Read(ctx)
	if out.Own, err = s.standingOf(db, r); err != nil {
		return out, err
	}
	from, to := model.RegionPathRange(r.Path)
	out.Subtree, err = s.standing(db, from, to, "path > ? AND path < ?", r.Path, to)
	return out, err
}

// standingOf counts what keeps a region from being closed.
func (s *Service) standingOf(tx *gorm.DB, r Region) ([]Standing, error) {
	from, to := model.RegionPathOnly(r.Path)
	return s.standing(tx, from, to, "parent_id = ?", r.ID)
}

// standing counts the open regions that meet the condition and what the
// tenants have between the two paths.
func (s *Service) standing(tx *gorm.DB, from, to, below string, args ...any) ([]Standing, error) {
	regions := Standing{Holding: model.HoldsRegions}
	err := tx.Raw("SELECT COUNT(*) FROM region WHERE closed_at IS NULL AND "+below, args...).Scan(&regions.Count).Error
	if err != nil {
		return nil, fmt.Errorf("region: count below: %w", err)
	}
	held, err := s.standingIn(tx, from, to)
	if err != nil || regions.Count == 0 {
		return held, err
	}
	return append([]Standing{regions}, held...), nil
}
