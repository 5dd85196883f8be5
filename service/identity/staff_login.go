package identity

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// LoginStaff logs a staff member in by password.
//
// An unknown name, a wrong password and a locked account give the same error
// after the same work, so that nobody learns from outside which names exist.
// Config.MaxFailedLogins wrong passwords in a row lock password logins for
// Config.LockoutTime; an attempt is counted before its password is checked, so
// that many at once gain nothing. Errors: ErrBadCredentials, ErrStaffDisabled
// (only to who knows the password), ErrBusy.
func (s *Service) LoginStaff(ctx context.Context, username, password string) (StaffLogin, error) {
	var rows []model.Staff
	err := s.db.Read(ctx).Raw("SELECT * FROM staff WHERE username = ?", normalUsername(username)).Scan(&rows).Error
	if err != nil {
		return StaffLogin{}, fmt.Errorf("identity: read staff: %w", err)
	}
	staff := model.Staff{PasswordHash: s.passwords.dummy}
	if len(rows) == 1 {
		staff = rows[0]
	}
	admitted, err := s.countAttempt(ctx, staff.ID)
	if err != nil {
		return StaffLogin{}, err
	}
	if len(password) > 4*MaxPassword { // bytes: more cannot be a password
		password = ""
	}
	ok, current, err := s.passwords.verify(ctx, staff.PasswordHash, password)
	if err != nil {
		return StaffLogin{}, err
	}
	if !ok || !admitted {
		return StaffLogin{}, ErrBadCredentials
	}
	rehashed := ""
	if !current {
		if rehashed, err = s.passwords.hash(ctx, password); err != nil {
			return StaffLogin{}, err
		}
	}
	return s.startStaffSession(ctx, staff, rehashed, true)
}

func normalUsername(username string) string {
	const longest = 64 // bytes, twice what a username may have
	return strings.ToLower(strings.TrimSpace(strings.ToValidUTF8(username[:min(len(username), longest)], "")))
}

// countAttempt counts a login that is about to be checked as failed; the
// session that follows a good password sets the count back. admitted is false
// while the account is locked. For an unknown account ("") it does the same
// work on no row.
func (s *Service) countAttempt(ctx context.Context, staffID string) (admitted bool, err error) {
	now := s.now()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		// MySQL assigns from left to right and reads what it has assigned, so
		// locked_until, which reads the old count, comes first. After a lock
		// has run out the count begins anew.
		res := tx.Exec(`UPDATE staff SET
			locked_until = CASE WHEN CASE WHEN locked_until IS NULL THEN failed_logins + 1 ELSE 1 END >= ? THEN ? ELSE NULL END,
			failed_logins = CASE WHEN failed_logins >= ? THEN 1 ELSE failed_logins + 1 END
			WHERE id = ? AND (locked_until IS NULL OR locked_until <= ?)`,
			s.cfg.MaxFailedLogins, now.Add(s.cfg.LockoutTime), s.cfg.MaxFailedLogins, staffID, now)
		admitted = res.RowsAffected == 1
		return res.Error
	})
	if err != nil {
		return false, fmt.Errorf("identity: count attempt: %w", err)
	}
	return admitted, nil
}

// StaffLogin is the answer to a login: a session, or, for who has enrolled a
// second factor, the challenge that CompleteLogin wants with a code.
type StaffLogin struct {
	Tokens
	Challenge          string // "" with a session
	ChallengeExpiresAt clock.Instant
}

// startStaffSession opens a session for a staff member whose password or
// WeChat account has just been verified, or asks for the second factor. A
// password that was changed in the meantime no longer opens one.
func (s *Service) startStaffSession(ctx context.Context, staff model.Staff, rehashed string, counted bool) (StaffLogin, error) {
	var login StaffLogin
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		now, err := lockStaffTx(tx, staff.ID)
		if err != nil {
			return err
		}
		if now.PasswordHash != staff.PasswordHash || deref(now.OpenID) != deref(staff.OpenID) {
			return ErrBadCredentials
		}
		if now.Status != model.StaffActive {
			return ErrStaffDisabled
		}
		if rehashed != "" {
			now.PasswordHash = rehashed
			if err := tx.Exec("UPDATE staff SET password_hash = ? WHERE id = ?", rehashed, staff.ID).Error; err != nil {
				return fmt.Errorf("identity: renew password hash: %w", err)
			}
		}
		login, err = s.nextStepTx(tx, now, counted)
		return err
	})
	return login, err
}

func (s *Service) nextStepTx(tx *gorm.DB, staff model.Staff, counted bool) (login StaffLogin, err error) {
	asks, err := s.asksForCode(tx, staff.ID)
	if err != nil {
		return StaffLogin{}, err
	}
	if !asks {
		if err := resetAttemptsTx(tx, staff.ID); err != nil {
			return StaffLogin{}, err
		}
		login.Tokens, err = s.startSessionTx(tx, authz.KindStaff, staff.ID)
		return login, err
	}
	// Only this attempt is taken back: were the count reset, who knows the
	// password could try codes without end.
	if counted {
		if err := forgetAttemptTx(tx, staff.ID); err != nil {
			return StaffLogin{}, err
		}
	}
	login.Challenge, login.ChallengeExpiresAt, err = s.tokens.challenge(staff)
	return login, err
}

func resetAttemptsTx(tx *gorm.DB, staffID string) error {
	if err := tx.Exec("UPDATE staff SET failed_logins = 0, locked_until = NULL WHERE id = ?", staffID).Error; err != nil {
		return fmt.Errorf("identity: reset attempts: %w", err)
	}
	return nil
}

// forgetAttemptTx takes back the one attempt that countAttempt has admitted
// and that turned out right, with the lock that it may have caused.
func forgetAttemptTx(tx *gorm.DB, staffID string) error {
	err := tx.Exec("UPDATE staff SET failed_logins = failed_logins - 1, locked_until = NULL WHERE id = ? AND failed_logins > 0", staffID).Error
	if err != nil {
		return fmt.Errorf("identity: forget attempt: %w", err)
	}
	return nil
}

func lockStaffTx(tx *gorm.DB, id string) (model.Staff, error) {
	var rows []model.Staff
	if err := tx.Raw("SELECT * FROM staff WHERE id = ?"+database.ForUpdate(tx), id).Scan(&rows).Error; err != nil {
		return model.Staff{}, fmt.Errorf("identity: lock staff: %w", err)
	}
	if len(rows) == 0 {
		return model.Staff{}, ErrStaffNotFound
	}
	return rows[0], nil
}

// LoginStaffWeChat logs in the staff member to whom the WeChat account is
// bound. A lock on passwords does not concern it. Errors: those of
// wechat.CodeToSession, ErrStaffNotBound, ErrStaffDisabled.
func (s *Service) LoginStaffWeChat(ctx context.Context, code string) (StaffLogin, error) {
	account, err := s.wechat.CodeToSession(ctx, code)
	if err != nil {
		return StaffLogin{}, wechatFault(err)
	}
	var rows []model.Staff
	if err := s.db.Read(ctx).Raw("SELECT * FROM staff WHERE openid = ?", account.OpenID).Scan(&rows).Error; err != nil {
		return StaffLogin{}, fmt.Errorf("identity: read staff: %w", err)
	}
	if len(rows) == 0 {
		return StaffLogin{}, ErrStaffNotBound
	}
	return s.startStaffSession(ctx, rows[0], "", false)
}

// BindStaffWeChat binds the WeChat account behind a wx.login code to the
// actor, in place of any bound before. Errors: those of wechat.CodeToSession,
// ErrWeChatTaken.
func (s *Service) BindStaffWeChat(ctx context.Context, actor authz.Actor, code string) error {
	if actor.Kind != authz.KindStaff {
		return authz.ErrForbidden
	}
	account, err := s.wechat.CodeToSession(ctx, code)
	if err != nil {
		return wechatFault(err)
	}
	err = s.setStaffOpenID(ctx, actor, &account.OpenID, "staff.bind_wechat")
	if database.IsDuplicate(err) {
		return ErrWeChatTaken // without the cause, which holds the openid
	}
	return err
}

// UnbindStaffWeChat takes the actor's WeChat account off.
func (s *Service) UnbindStaffWeChat(ctx context.Context, actor authz.Actor) error {
	if actor.Kind != authz.KindStaff {
		return authz.ErrForbidden
	}
	return s.setStaffOpenID(ctx, actor, nil, "staff.unbind_wechat")
}

func (s *Service) setStaffOpenID(ctx context.Context, actor authz.Actor, openID *string, action string) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		staff, err := lockStaffTx(tx, actor.ID)
		if err != nil {
			return err
		}
		if err := tx.Exec("UPDATE staff SET openid = ?, updated_at = ? WHERE id = ?", openID, s.now(), actor.ID).Error; err != nil {
			return fmt.Errorf("identity: bind wechat: %w", err)
		}
		return s.RecordTx(tx, AuditEntry{Actor: actor, Action: action, ObjectType: objectStaff, ObjectID: actor.ID, RegionID: staff.RegionID})
	})
}

// ChangeOwnPassword replaces the actor's password and ends every other
// session. Wrong old passwords count towards the lock of LoginStaff. Errors:
// ErrWrongPassword, field faults (identity.password_policy).
func (s *Service) ChangeOwnPassword(ctx context.Context, actor authz.Actor, oldPassword, newPassword string) error {
	staff, err := s.ownStaffRow(ctx, actor)
	if err != nil {
		return err
	}
	var f fault.Fields
	checkPassword(&f, "new_password", newPassword, staff.Username)
	f.Add(newPassword != oldPassword, "new_password", "不能与原密码相同")
	if err := f.Err(codePassword); err != nil {
		return err
	}
	if staff, err = s.checkOwnPassword(ctx, actor, oldPassword); err != nil {
		return err
	}
	hash, err := s.passwords.hash(ctx, newPassword)
	if err != nil {
		return err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		current, err := lockStaffTx(tx, staff.ID)
		if err != nil {
			return err
		}
		if current.PasswordHash != staff.PasswordHash {
			return ErrWrongPassword
		}
		return s.setPasswordTx(tx, actor, current, hash, "staff.change_password", "")
	})
	s.actors.purge(actor.ID)
	return err
}

func (s *Service) ownStaffRow(ctx context.Context, actor authz.Actor) (model.Staff, error) {
	if actor.Kind != authz.KindStaff {
		return model.Staff{}, authz.ErrForbidden
	}
	var rows []model.Staff
	if err := s.db.Read(ctx).Raw("SELECT * FROM staff WHERE id = ?", actor.ID).Scan(&rows).Error; err != nil {
		return model.Staff{}, fmt.Errorf("identity: read staff: %w", err)
	}
	if len(rows) == 0 {
		return model.Staff{}, ErrStaffNotFound
	}
	return rows[0], nil
}

// checkOwnPassword asks the actor's password again, counted like a login; the
// caller takes the count back. Errors: ErrWrongPassword.
func (s *Service) checkOwnPassword(ctx context.Context, actor authz.Actor, password string) (model.Staff, error) {
	staff, err := s.ownStaffRow(ctx, actor)
	if err != nil {
		return model.Staff{}, err
	}
	admitted, err := s.countAttempt(ctx, staff.ID)
	if err != nil {
		return model.Staff{}, err
	}
	ok, _, err := s.passwords.verify(ctx, staff.PasswordHash, password[:min(len(password), 4*MaxPassword)])
	if err != nil {
		return model.Staff{}, err
	}
	if !ok || !admitted {
		return model.Staff{}, ErrWrongPassword
	}
	return staff, nil
}

// setPasswordTx also lifts a lock, and ends every session of the person but
// the one that the actor holds.
func (s *Service) setPasswordTx(tx *gorm.DB, actor authz.Actor, staff model.Staff, hash, action, reason string) error {
	now := s.now()
	err := tx.Exec("UPDATE staff SET password_hash = ?, failed_logins = 0, locked_until = NULL, updated_at = ? WHERE id = ?",
		hash, now, staff.ID).Error
	if err != nil {
		return fmt.Errorf("identity: set password: %w", err)
	}
	if err := revokeTx(tx, now, model.RevokedByPasswordChange, "principal_id = ? AND id <> ?", staff.ID, actor.SessionID); err != nil {
		return err
	}
	return s.RecordTx(tx, AuditEntry{
		Actor: actor, Action: action, ObjectType: objectStaff, ObjectID: staff.ID, RegionID: staff.RegionID, Reason: reason,
	})
}
