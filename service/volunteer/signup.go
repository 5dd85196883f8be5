package volunteer

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// SignUp takes a place in a shift for the resident. Signing up again returns
// the first sign-up. The shift may be anywhere in the resident's county.
//
// Errors: ErrShiftMissing, ErrNoHomeRegion, ErrNotOpen, ErrSignupClosed,
// ErrOverlap, ErrTooManySignups, ErrFull, ErrChanged.
func (s *Service) SignUp(ctx context.Context, actor authz.Actor, shiftID string) (model.Signup, error) {
	if err := actor.Resident(); err != nil {
		return model.Signup{}, err
	}
	if actor.RegionPath == "" {
		return model.Signup{}, ErrNoHomeRegion
	}
	var out model.Signup
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := lockPeopleTx(tx, actor.ID); err != nil {
			return err
		}
		shift, err := loadShift(tx, shiftID)
		if err != nil {
			return err
		}
		if !inCounty(actor, shift) || shift.ActivityStatus == model.ActivityDraft {
			return ErrShiftMissing
		}
		first, err := activeSignup(tx, shiftID, actor.ID)
		if err != nil {
			return err
		}
		if first != nil {
			out = *first
			return nil
		}
		if err := s.maySignUpTx(tx, actor.ID, shift); err != nil {
			return err
		}
		now := s.now()
		out = model.Signup{
			ID: s.clock.NewID(), ShiftID: shift.ShiftID, ResidentID: actor.ID, ActiveSlot: new(int64(1)),
			Status: model.SignupSignedUp, CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.Create(&out).Error; err != nil {
			return err
		}
		err = s.recordMovesTx(tx, actor, []move{{object: model.VolunteerSignup, id: out.ID, to: string(out.Status)}})
		if err != nil {
			return err
		}
		return takePlaceTx(tx, shift)
	})
	if err != nil {
		return model.Signup{}, err
	}
	return out, nil
}

func inCounty(actor authz.Actor, shift shiftRow) bool {
	return strings.HasPrefix(shift.RegionPath, model.RegionCountyPath(actor.RegionPath))
}

// activeSignup returns the sign-up that takes the resident's place, or nil.
func activeSignup(tx *gorm.DB, shiftID, residentID string) (*model.Signup, error) {
	var rows []model.Signup
	err := tx.Where("shift_id = ? AND resident_id = ? AND active_slot = 1", shiftID, residentID).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func (s *Service) maySignUpTx(tx *gorm.DB, residentID string, shift shiftRow) error {
	if shift.ActivityStatus != model.ActivityPublished || shift.IsOpen == 0 {
		return ErrNotOpen
	}
	now := s.now()
	if now >= shift.StartsAt {
		return ErrSignupClosed
	}
	var mine []struct{ StartsAt, EndsAt clock.Instant }
	err := tx.Raw(`SELECT s.starts_at, s.ends_at FROM signup g JOIN activity_shift s ON s.id = g.shift_id
		WHERE g.resident_id = ? AND g.active_slot = 1 AND g.status IN ? AND s.ends_at > ? ORDER BY s.starts_at LIMIT ?`,
		residentID, []model.SignupStatus{model.SignupSignedUp, model.SignupAttended}, now, maxActiveSignups).Scan(&mine).Error
	if err != nil {
		return err
	}
	if len(mine) >= maxActiveSignups {
		return ErrTooManySignups
	}
	for _, m := range mine {
		if m.StartsAt < shift.EndsAt && shift.StartsAt < m.EndsAt {
			return ErrOverlap
		}
	}
	return nil
}

// takePlaceTx counts one more: the shift's counter is what everybody wants, so
// it comes last, and its condition is what keeps the capacity.
func takePlaceTx(tx *gorm.DB, shift shiftRow) error {
	res := tx.Exec(`UPDATE shift_count SET signed_up = signed_up + 1, version = version + 1
		WHERE shift_id = ? AND is_open = 1 AND edition = ? AND signed_up < capacity`, shift.ShiftID, shift.Edition)
	if res.Error != nil || res.RowsAffected == 1 {
		return res.Error
	}
	now, err := loadShift(tx, shift.ShiftID)
	switch {
	case err != nil:
		return err
	case now.IsOpen == 0:
		return ErrNotOpen
	case now.Edition != shift.Edition:
		return ErrChanged
	default:
		return ErrFull
	}
}

// CancelSignup gives the place back, before the shift starts. Cancelling again
// returns the cancelled sign-up.
//
// Errors: ErrSignupMissing, ErrCancelTooLate, ErrStarted.
func (s *Service) CancelSignup(ctx context.Context, actor authz.Actor, shiftID string) (model.Signup, error) {
	if err := actor.Resident(); err != nil {
		return model.Signup{}, err
	}
	var out model.Signup
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := lockPeopleTx(tx, actor.ID); err != nil {
			return err
		}
		var rows []model.Signup
		err := tx.Where("shift_id = ? AND resident_id = ?", shiftID, actor.ID).Order("id").Find(&rows).Error
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return ErrSignupMissing
		}
		out = rows[len(rows)-1]
		if active := slices.IndexFunc(rows, func(g model.Signup) bool { return g.ActiveSlot != nil }); active >= 0 {
			out = rows[active]
		}
		if out.Status == model.SignupCancelled {
			return nil
		}
		shift, err := loadShift(tx, shiftID)
		if err != nil {
			return err
		}
		var attended int64
		if err := tx.Raw("SELECT COUNT(*) FROM attendance WHERE signup_id = ?", out.ID).Scan(&attended).Error; err != nil {
			return err
		}
		switch {
		case attended > 0:
			return ErrStarted
		case s.now() >= shift.StartsAt:
			return ErrCancelTooLate
		}
		if err := s.cancelSignupsTx(tx, actor, []model.Signup{out}, ""); err != nil {
			return err
		}
		out.Status, out.ActiveSlot, out.UpdatedAt = model.SignupCancelled, nil, s.now()
		return nil
	})
	if err != nil {
		return model.Signup{}, err
	}
	return out, nil
}
