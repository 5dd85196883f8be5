package volunteer

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// DropCoordinates empties the coordinates of marks that are older than
// Config.KeepCoordinates and returns how many attendances there were. The
// distances and verdicts stay.
func (s *Service) DropCoordinates(ctx context.Context) (int, error) {
	total := 0
	for range sweepRounds {
		n, err := s.dropSome(ctx)
		total += n
		if err != nil || n < sweepRows {
			return total, err
		}
	}
	return total, nil
}

func (s *Service) dropSome(ctx context.Context) (int, error) {
	var ids []string
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		ids = nil
		err := tx.Raw("SELECT id FROM attendance WHERE coordinates_until <= ? ORDER BY coordinates_until LIMIT ?", s.now(), sweepRows).
			Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		return tx.Exec(dropCoordinates+" WHERE id IN ?", ids).Error
	})
	if err != nil {
		return 0, fmt.Errorf("volunteer: drop coordinates: %w", err)
	}
	return len(ids), nil
}

const dropCoordinates = `UPDATE attendance SET check_in_lon = NULL, check_in_lat = NULL, check_out_lon = NULL,
	check_out_lat = NULL, coordinates_until = NULL`

// FinishActivities finishes the published activities whose last shift ended
// 72 hours ago, when marks by hand close too: who never checked in is absent. It
// returns how many there were. Attendances may still be confirmed.
func (s *Service) FinishActivities(ctx context.Context) (int, error) {
	total := 0
	for range sweepRounds {
		var ids []string
		err := s.db.Read(ctx).Raw(`SELECT a.id FROM activity a WHERE a.status = ? AND NOT EXISTS (
			SELECT 1 FROM activity_shift s WHERE s.activity_id = a.id AND s.status = ? AND s.ends_at > ?)
			ORDER BY a.id LIMIT ?`, model.ActivityPublished, model.ShiftOpen, s.now().Add(-handMarksWithin), sweepRows).Scan(&ids).Error
		if err != nil {
			return total, fmt.Errorf("volunteer: finish: %w", err)
		}
		for _, id := range ids {
			if err := s.finish(ctx, id); err != nil {
				return total, fmt.Errorf("volunteer: finish: %w", err)
			}
			total++
		}
		if len(ids) < sweepRows {
			break
		}
	}
	return total, nil
}

func (s *Service) finish(ctx context.Context, activityID string) error {
	actor := authz.System("volunteer.finish")
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row, err := s.lockActivityTx(tx, actor, activityID)
		if err != nil {
			return err
		}
		var ahead int64
		err = tx.Raw("SELECT COUNT(*) FROM activity_shift WHERE activity_id = ? AND status = ? AND ends_at > ?",
			row.ID, model.ShiftOpen, s.now().Add(-handMarksWithin)).Scan(&ahead).Error
		if err != nil || ahead > 0 || row.Status != model.ActivityPublished {
			return err // changed since it was found
		}
		now := s.now()
		var ids []string
		err = tx.Raw(`SELECT g.id FROM signup g JOIN activity_shift s ON s.id = g.shift_id LEFT JOIN attendance a ON a.signup_id = g.id
			WHERE s.activity_id = ? AND g.status = ? AND a.id IS NULL ORDER BY g.id`, row.ID, model.SignupSignedUp).Scan(&ids).Error
		if err != nil {
			return err
		}
		moves := []move{{
			object: model.VolunteerActivity, id: row.ID, from: string(row.Status), to: string(model.ActivityFinished),
		}}
		for i := 0; i < len(ids); i += insertRows {
			chunk := ids[i:min(i+insertRows, len(ids))]
			err := database.RequireRows(tx.Exec("UPDATE signup SET status = ?, updated_at = ? WHERE id IN ? AND status = ?",
				model.SignupAbsent, now, chunk, model.SignupSignedUp), int64(len(chunk)))
			if err != nil {
				return err
			}
			for _, id := range chunk {
				moves = append(moves, move{
					object: model.VolunteerSignup, id: id, from: string(model.SignupSignedUp), to: string(model.SignupAbsent),
				})
			}
		}
		err = tx.Exec(`UPDATE shift_count SET is_open = 0, version = version + 1
			WHERE shift_id IN (SELECT id FROM activity_shift WHERE activity_id = ?)`, row.ID).Error
		if err != nil {
			return err
		}
		err = database.RequireRows(tx.Exec("UPDATE activity SET status = ?, updated_at = ?, version = version + 1 WHERE id = ? AND status = ?",
			model.ActivityFinished, now, row.ID, model.ActivityPublished), 1)
		if err != nil {
			return err
		}
		return s.recordMovesTx(tx, actor, moves)
	})
}

// ForgetTx is what volunteering does when a resident deletes the account: the
// places ahead are given back, no coordinates stay, and what was asked about
// records is dropped. Records stay, since
// they name nobody but by the volunteer number. It is an identity.DeleteHook.
func (s *Service) ForgetTx(ctx context.Context, tx *gorm.DB, residentID string) error {
	tx = tx.WithContext(ctx)
	if err := lockPeopleTx(tx, residentID); err != nil {
		return err
	}
	var ahead []model.Signup
	err := tx.Raw(`SELECT g.* FROM signup g JOIN activity_shift s ON s.id = g.shift_id LEFT JOIN attendance a ON a.signup_id = g.id
		WHERE g.resident_id = ? AND g.active_slot = 1 AND g.status = ? AND s.starts_at > ? AND a.id IS NULL ORDER BY g.id`,
		residentID, model.SignupSignedUp, s.now()).Scan(&ahead).Error
	if err != nil {
		return err
	}
	err = tx.Exec(dropCoordinates+` WHERE coordinates_until IS NOT NULL AND signup_id IN (SELECT id FROM signup WHERE resident_id = ?)`, residentID).Error
	if err != nil {
		return err
	}
	system := authz.System("volunteer.forget")
	for _, closeTx := range []func(*gorm.DB, authz.Actor, string) error{s.closeCorrectionsTx, s.closeRequestsTx} {
		if err := closeTx(tx, system, residentID); err != nil {
			return err
		}
	}
	// The answers repeat the resident's words, also those that staff got.
	for _, column := range []string{"actor_id", "resident_id"} {
		if err := tx.Exec("DELETE FROM volunteer_request WHERE "+column+" = ?", residentID).Error; err != nil {
			return err
		}
	}
	return s.cancelSignupsTx(tx, system, ahead, "账号已注销")
}
