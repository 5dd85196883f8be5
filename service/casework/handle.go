package casework

import (
	"context"
	"fmt"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/model"
)

// MoveInput goes with every move of staff.
type MoveInput struct {
	Version        int64  // that the actor saw: a case that somebody else moved since then is ErrChanged
	Reason         string // for staff only, at most 500 characters
	Note           string // shown to the reporter, at most 500 characters
	IdempotencyKey string // "" without; needed where points move
}

func (in MoveInput) step(move model.CaseMove, actor authz.Actor, caseID string) step {
	return step{
		move: move, actor: actor, caseID: caseID, version: in.Version, reason: in.Reason, note: in.Note, key: in.IdempotencyKey,
	}
}

// The moves below are open to grid workers and operators over the case's
// region. All may fail with ErrNotFound, auth.forbidden, ErrMove, ErrChanged
// and casework.invalid.

// Accept takes a report on. ErrContentPending while its text is unchecked.
func (s *Service) Accept(ctx context.Context, actor authz.Actor, caseID string, in MoveInput) (Moved, error) {
	return s.make(ctx, in.step(model.MoveAccept, actor, caseID))
}

// Reject turns a report down; Note tells the reporter why.
func (s *Service) Reject(ctx context.Context, actor authz.Actor, caseID string, in MoveInput) (Moved, error) {
	return s.make(ctx, in.step(model.MoveReject, actor, caseID))
}

// Dispatch puts a grid worker, or staff of a handling unit, in charge: an
// active person who holds such a role over the case's region (ErrAssignee).
func (s *Service) Dispatch(ctx context.Context, actor authz.Actor, caseID, staffID string, in MoveInput) (Moved, error) {
	if err := s.checkAssignee(ctx, actor, caseID, staffID); err != nil {
		return Moved{}, err
	}
	st := in.step(model.MoveDispatch, actor, caseID)
	st.staffID = staffID
	return s.make(ctx, st)
}

// checkAssignee looks outside of the transaction: roles are granted and
// revoked at any time, also a moment after the dispatch.
func (s *Service) checkAssignee(ctx context.Context, actor authz.Actor, caseID, staffID string) error {
	c, err := s.load(ctx, actor, caseID)
	if err != nil {
		return err
	}
	if err := actor.InRegion(c.RegionPath, handlers...); err != nil {
		return err
	}
	var paths []string
	err = s.db.Read(ctx).Raw(`SELECT r.path FROM staff_grant g JOIN staff p ON p.id = g.staff_id JOIN region r ON r.id = g.region_id
		WHERE g.staff_id = ? AND p.status = ? AND g.role IN ?`, staffID, model.StaffActive, handlers).Scan(&paths).Error
	if err != nil {
		return fmt.Errorf("casework: assignee: %w", err)
	}
	for _, path := range paths {
		if strings.HasPrefix(c.RegionPath, path) {
			return nil
		}
	}
	return ErrAssignee
}

// StartHandling notes that work has begun. Who starts a case that nobody was
// put in charge of is in charge.
func (s *Service) StartHandling(ctx context.Context, actor authz.Actor, caseID string, in MoveInput) (Moved, error) {
	return s.make(ctx, in.step(model.MoveStart, actor, caseID))
}

// Finish feeds back to the reporter, who then confirms: Note says what was
// done, the pictures (own uploads) show it.
func (s *Service) Finish(ctx context.Context, actor authz.Actor, caseID string, attachmentIDs []string, in MoveInput) (Moved, error) {
	st := in.step(model.MoveFinish, actor, caseID)
	st.pictures = attachmentIDs
	return s.make(ctx, st)
}

// Close files a confirmed case. An operator also closes a reopened one, when
// nothing more can be done; Note then tells the reporter why, and the report
// earns its points.
func (s *Service) Close(ctx context.Context, actor authz.Actor, caseID string, in MoveInput) (Moved, error) {
	c, err := s.load(ctx, actor, caseID)
	if err != nil {
		return Moved{}, err
	}
	move := model.MoveClose
	if c.Status == model.CaseReopened || s.gaveUp(ctx, caseID, in.IdempotencyKey) {
		move = model.MoveGiveUp
	}
	return s.make(ctx, in.step(move, actor, caseID))
}

// gaveUp reports whether the key belongs to a closing that gave up, so that
// its replay is taken for the same move.
func (s *Service) gaveUp(ctx context.Context, caseID, key string) bool {
	var n int64
	err := s.db.Read(ctx).Model(&model.CaseHistory{}).
		Where("case_id = ? AND idempotency_key = ? AND move = ?", caseID, key, model.MoveGiveUp).Count(&n).Error
	return err == nil && n > 0
}

// DecideContent passes or rejects a text that WeChat did not decide on. A
// rejected text ends the case.
func (s *Service) DecideContent(ctx context.Context, actor authz.Actor, caseID string, pass bool, in MoveInput) (Moved, error) {
	move := model.MoveRejectContent
	if pass {
		move = model.MovePassContent
	}
	return s.make(ctx, in.step(move, actor, caseID))
}

// ConfirmInput is the reporter's answer to the feedback.
type ConfirmInput struct {
	Solved         bool
	Rating         int64  // 1 to 5; 0: none
	Note           string // needed if it is not solved
	IdempotencyKey string
}

// Confirm answers the feedback: solved confirms the case, and its points are
// posted; unsolved reopens it, a limited number of times (ErrReopenLimit).
func (s *Service) Confirm(ctx context.Context, actor authz.Actor, caseID string, in ConfirmInput) (Moved, error) {
	if err := actor.Resident(); err != nil {
		return Moved{}, err
	}
	st := step{move: model.MoveReopen, actor: actor, caseID: caseID, note: in.Note, key: in.IdempotencyKey}
	if in.Solved {
		st.move = model.MoveConfirm
	}
	if in.Rating != 0 {
		st.rating = &in.Rating
	}
	if err := s.refuseText(ctx, actor.ID, in.Note); err != nil {
		return Moved{}, err
	}
	return s.make(ctx, st)
}

// Withdraw takes back a report that nobody has accepted yet.
func (s *Service) Withdraw(ctx context.Context, actor authz.Actor, caseID, note string) (Moved, error) {
	if err := actor.Resident(); err != nil {
		return Moved{}, err
	}
	if err := s.refuseText(ctx, actor.ID, note); err != nil {
		return Moved{}, err
	}
	return s.make(ctx, step{move: model.MoveWithdraw, actor: actor, caseID: caseID, note: note})
}

// refuseText refuses a resident's note that WeChat calls risky. Only staff of
// the region read notes: one that WeChat cannot judge now is let through.
func (s *Service) refuseText(ctx context.Context, residentID, note string) error {
	if note = strings.TrimSpace(note); note == "" {
		return nil
	}
	if n := len([]rune(note)); n > model.CaseMaxNote {
		return nil // make says so
	}
	_, err := s.checkText(ctx, residentID, note)
	return err
}

// load reads a case that the actor may see.
func (s *Service) load(ctx context.Context, actor authz.Actor, caseID string) (placed, error) {
	var rows []placed
	if err := s.db.Read(ctx).Raw(selectPlaced+` WHERE c.id = ?`, caseID).Scan(&rows).Error; err != nil {
		return placed{}, fmt.Errorf("casework: case: %w", err)
	}
	if len(rows) == 0 {
		return placed{}, ErrNotFound
	}
	return rows[0], visible(actor, &rows[0])
}
