package identity

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
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
func (s *Service) LoginStaff(ctx context.Context, username, password string) (Tokens, error) {
	var rows []model.Staff
	err := s.db.Read(ctx).Raw("SELECT * FROM staff WHERE username = ?", normalUsername(username)).Scan(&rows).Error
	if err != nil {
		return Tokens{}, fmt.Errorf("identity: read staff: %w", err)
	}
	staff := model.Staff{PasswordHash: s.passwords.dummy}
	if len(rows) == 1 {
		staff = rows[0]
	}
	admitted, err := s.countAttempt(ctx, staff.ID)
	if err != nil {
		return Tokens{}, err
	}
	if len(password) > 4*MaxPassword { // bytes: more cannot be a password
		password = ""
	}
	ok, current, err := s.passwords.verify(ctx, staff.PasswordHash, password)
	if err != nil {
		return Tokens{}, err
	}
	if !ok || !admitted {
		return Tokens{}, ErrBadCredentials
	}
	rehashed := ""
	if !current {
		if rehashed, err = s.passwords.hash(ctx, password); err != nil {
			return Tokens{}, err
		}
	}
	return s.startStaffSession(ctx, staff, rehashed)
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

// startStaffSession opens a session for a staff member whose password or
// WeChat account has just been verified. A password that was changed in the
// meantime no longer opens one.
func (s *Service) startStaffSession(ctx context.Context, staff model.Staff, rehashed string) (Tokens, error) {
	var tokens Tokens
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
		hash := staff.PasswordHash
		if rehashed != "" {
			hash = rehashed
		}
		err = tx.Exec("UPDATE staff SET failed_logins = 0, locked_until = NULL, password_hash = ? WHERE id = ?", hash, staff.ID).Error
		if err != nil {
			return fmt.Errorf("identity: reset attempts: %w", err)
		}
		tokens, err = s.startSessionTx(tx, authz.KindStaff, staff.ID)
		return err
	})
	return tokens, err
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
func (s *Service) LoginStaffWeChat(ctx context.Context, code string) (Tokens, error) {
	account, err := s.wechat.CodeToSession(ctx, code)
	if err != nil {
		return Tokens{}, wechatFault(err)
	}
	var rows []model.Staff
	if err := s.db.Read(ctx).Raw("SELECT * FROM staff WHERE openid = ?", account.OpenID).Scan(&rows).Error; err != nil {
		return Tokens{}, fmt.Errorf("identity: read staff: %w", err)
	}
	if len(rows) == 0 {
		return Tokens{}, ErrStaffNotBound
	}
	return s.startStaffSession(ctx, rows[0], "")
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
	if actor.Kind != authz.KindStaff {
		return authz.ErrForbidden
	}
	var rows []model.Staff
	if err := s.db.Read(ctx).Raw("SELECT * FROM staff WHERE id = ?", actor.ID).Scan(&rows).Error; err != nil {
		return fmt.Errorf("identity: read staff: %w", err)
	}
	if len(rows) == 0 {
		return ErrStaffNotFound
	}
	staff := rows[0]
	var f fault.Fields
	checkPassword(&f, "new_password", newPassword, staff.Username)
	f.Add(newPassword != oldPassword, "new_password", "不能与原密码相同")
	if err := f.Err(codePassword); err != nil {
		return err
	}
	admitted, err := s.countAttempt(ctx, staff.ID)
	if err != nil {
		return err
	}
	ok, _, err := s.passwords.verify(ctx, staff.PasswordHash, oldPassword[:min(len(oldPassword), 4*MaxPassword)])
	if err != nil {
		return err
	}
	if !ok || !admitted {
		return ErrWrongPassword
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
