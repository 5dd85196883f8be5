package identity

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/skip2/go-qrcode"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/pii"
	"jiamenkou/model"
)

// SecondFactorMode says who needs two steps to log in.
type SecondFactorMode string

// The modes.
const (
	SecondFactorOff      SecondFactorMode = "off"      // nobody is asked, whatever they have enrolled
	SecondFactorOptional SecondFactorMode = "optional" // who has enrolled is asked
	SecondFactorRequired SecondFactorMode = "required" // operators and auditors can do nothing before they have enrolled
)

const (
	fieldTOTPSecret   pii.Field = "staff.totp_secret" //nolint:gosec // the name of a column
	fieldRecoveryCode pii.Field = "staff.recovery_code"

	totpPeriodSeconds = 30
	totpSkewSteps     = 1  // a phone's clock may be half a minute off (RFC 6238, 5.2)
	totpSecretBytes   = 20 // RFC 4226, 4: 160 bits are recommended
	recoveryCodes     = 10
	recoveryCodeBytes = 10 // 80 bits, 16 characters of base32
	qrPixels          = 256
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// mustEnrol lists the roles that SecondFactorRequired is about.
var mustEnrol = []authz.Role{authz.RoleOperator, authz.RoleAuditor}

// Enrolment is what an authenticator app needs; shown once.
type Enrolment struct {
	Secret string // base32, for typing in
	URI    string // otpauth://totp/…
	QRCode []byte // PNG of URI
}

// EnrolSecondFactor begins the enrolment of the actor's second factor: it
// counts only once ConfirmSecondFactor has seen a code. Beginning again replaces
// a secret that was never confirmed. The password is asked again, since a
// stolen session must not lock its owner out. Errors: ErrWrongPassword,
// ErrSecondFactorOff, ErrSecondFactorEnrolled.
func (s *Service) EnrolSecondFactor(ctx context.Context, actor authz.Actor, password string) (Enrolment, error) {
	if s.cfg.SecondFactor == SecondFactorOff {
		return Enrolment{}, ErrSecondFactorOff
	}
	staff, err := s.checkOwnPassword(ctx, actor, password)
	if err != nil {
		return Enrolment{}, err
	}
	raw := make([]byte, totpSecretBytes)
	if _, err := rand.Read(raw); err != nil {
		return Enrolment{}, fmt.Errorf("identity: totp secret: %w", err)
	}
	secret := base32Text.EncodeToString(raw)
	sealed, err := s.sealer.Seal(fieldTOTPSecret, secret)
	if err != nil {
		return Enrolment{}, fmt.Errorf("identity: seal totp secret: %w", err)
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if _, err := lockStaffTx(tx, actor.ID); err != nil {
			return err
		}
		factor, found, err := totpTx(tx, actor.ID)
		if err != nil {
			return err
		}
		if found && factor.ConfirmedAt != nil {
			return ErrSecondFactorEnrolled
		}
		if err := forgetAttemptTx(tx, actor.ID); err != nil {
			return err
		}
		if err := removeFactorTx(tx, actor.ID); err != nil {
			return err
		}
		return tx.Create(&model.StaffTOTP{StaffID: actor.ID, SecretCipher: sealed, CreatedAt: s.now()}).Error
	})
	if err != nil {
		return Enrolment{}, err
	}
	return enrolmentOf(secret, staff.Username)
}

func enrolmentOf(secret, username string) (Enrolment, error) {
	const issuer = "家门口"
	uri := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + username,
		// Written by hand: some apps read "+" in the query as a plus.
		RawQuery: "secret=" + secret + "&issuer=" + url.PathEscape(issuer) + "&algorithm=SHA1&digits=6&period=30",
	}
	png, err := qrcode.Encode(uri.String(), qrcode.Medium, qrPixels)
	if err != nil {
		return Enrolment{}, fmt.Errorf("identity: enrolment code: %w", err)
	}
	return Enrolment{Secret: secret, URI: uri.String(), QRCode: png}, nil
}

// ConfirmSecondFactor ends the enrolment with a first code, ends the actor's
// other sessions, which were opened without one, and returns the recovery
// codes: shown this once, good once each. Errors: ErrBadCode,
// ErrSecondFactorMissing, ErrSecondFactorEnrolled.
func (s *Service) ConfirmSecondFactor(ctx context.Context, actor authz.Actor, code string) ([]string, error) {
	defer s.actors.purge(actor.ID)
	return s.newCodes(ctx, actor, func(tx *gorm.DB, rows []model.StaffRecoveryCode) error { return s.confirmTx(tx, actor, code, rows) })
}

// newCodes counts an attempt, runs one that stores new recovery codes, and
// returns them.
func (s *Service) newCodes(ctx context.Context, actor authz.Actor, storeTx func(*gorm.DB, []model.StaffRecoveryCode) error) ([]string, error) {
	if actor.Kind != authz.KindStaff {
		return nil, authz.ErrForbidden
	}
	codes, rows, err := s.newRecoveryCodes(actor.ID)
	if err != nil {
		return nil, err
	}
	admitted, err := s.countAttempt(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	if !admitted {
		return nil, ErrBadCode
	}
	if err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return storeTx(tx, rows) }); err != nil {
		return nil, err
	}
	return codes, nil
}

func (s *Service) confirmTx(tx *gorm.DB, actor authz.Actor, code string, recovery []model.StaffRecoveryCode) error {
	staff, err := lockStaffTx(tx, actor.ID)
	if err != nil {
		return err
	}
	factor, found, err := totpTx(tx, actor.ID)
	switch {
	case err != nil:
		return err
	case !found:
		return ErrSecondFactorMissing
	case factor.ConfirmedAt != nil:
		return ErrSecondFactorEnrolled
	}
	if err := s.useCodeTx(tx, factor, code); err != nil {
		return err
	}
	now := s.now()
	if err := tx.Exec("UPDATE staff_totp SET confirmed_at = ? WHERE staff_id = ?", now, actor.ID).Error; err != nil {
		return fmt.Errorf("identity: confirm second factor: %w", err)
	}
	if err := tx.Create(&recovery).Error; err != nil {
		return fmt.Errorf("identity: store recovery codes: %w", err)
	}
	if err := forgetAttemptTx(tx, actor.ID); err != nil {
		return err
	}
	if err := revokeTx(tx, now, model.RevokedByPasswordChange, "principal_id = ? AND id <> ?", staff.ID, actor.SessionID); err != nil {
		return err
	}
	return s.RecordTx(tx, AuditEntry{
		Actor: actor, Action: "staff.enrol_second_factor", ObjectType: objectStaff, ObjectID: staff.ID, RegionID: staff.RegionID,
	})
}

// RenewRecoveryCodes replaces the actor's recovery codes, for who has used them
// up or shown them to somebody: the old ones are worthless from then on. It asks
// for a code of the app, or one of the old recovery codes, so that a stolen
// session alone gets none. Errors: ErrBadCode, ErrSecondFactorMissing.
func (s *Service) RenewRecoveryCodes(ctx context.Context, actor authz.Actor, code string) ([]string, error) {
	return s.newCodes(ctx, actor, func(tx *gorm.DB, rows []model.StaffRecoveryCode) error {
		return s.renewRecoveryTx(tx, actor, code, rows)
	})
}

func (s *Service) renewRecoveryTx(tx *gorm.DB, actor authz.Actor, code string, recovery []model.StaffRecoveryCode) error {
	staff, err := lockStaffTx(tx, actor.ID)
	if err != nil {
		return err
	}
	factor, found, err := totpTx(tx, actor.ID)
	if err != nil {
		return err
	}
	if !found || factor.ConfirmedAt == nil {
		return ErrSecondFactorMissing
	}
	if err := s.useFactorTx(tx, factor, code); err != nil {
		return err
	}
	if err := tx.Exec("DELETE FROM staff_recovery_code WHERE staff_id = ?", actor.ID).Error; err != nil {
		return fmt.Errorf("identity: drop recovery codes: %w", err)
	}
	if err := tx.Create(&recovery).Error; err != nil {
		return fmt.Errorf("identity: store recovery codes: %w", err)
	}
	if err := forgetAttemptTx(tx, actor.ID); err != nil {
		return err
	}
	return s.RecordTx(tx, AuditEntry{
		Actor: actor, Action: "staff.renew_recovery_codes", ObjectType: objectStaff, ObjectID: staff.ID, RegionID: staff.RegionID,
	})
}

// RemoveSecondFactor takes a staff member's second factor off, for who has lost
// the phone and the recovery codes. For operators over the person, never for
// oneself. Errors: those of DisableStaff, ErrSecondFactorMissing.
func (s *Service) RemoveSecondFactor(ctx context.Context, actor authz.Actor, staffID, reason string) error {
	if err := reasonFault(reason); err != nil {
		return err
	}
	return s.administer(ctx, actor, staffID, func(tx *gorm.DB, t target) error {
		_, found, err := totpTx(tx, staffID)
		if err != nil {
			return err
		}
		if !found {
			return ErrSecondFactorMissing
		}
		if err := removeFactorTx(tx, staffID); err != nil {
			return err
		}
		return s.RecordTx(tx, AuditEntry{
			Actor: actor, Action: "staff.remove_second_factor", ObjectType: objectStaff, ObjectID: staffID, RegionID: t.RegionID, Reason: reason,
		})
	})
}

func removeFactorTx(tx *gorm.DB, staffID string) error {
	for _, statement := range []string{"DELETE FROM staff_recovery_code WHERE staff_id = ?", "DELETE FROM staff_totp WHERE staff_id = ?"} {
		if err := tx.Exec(statement, staffID).Error; err != nil {
			return fmt.Errorf("identity: remove second factor: %w", err)
		}
	}
	return nil
}

func totpTx(tx *gorm.DB, staffID string) (factor model.StaffTOTP, found bool, err error) {
	var rows []model.StaffTOTP
	if err := tx.Raw("SELECT * FROM staff_totp WHERE staff_id = ?", staffID).Scan(&rows).Error; err != nil {
		return factor, false, fmt.Errorf("identity: read second factor: %w", err)
	}
	if len(rows) == 0 {
		return factor, false, nil
	}
	return rows[0], true, nil
}

// asksForCode reports whether a login of this person needs the second step.
func (s *Service) asksForCode(tx *gorm.DB, staffID string) (bool, error) {
	if s.cfg.SecondFactor == SecondFactorOff {
		return false, nil
	}
	factor, found, err := totpTx(tx, staffID)
	return found && factor.ConfirmedAt != nil, err
}

// CompleteLogin is the second step of a login: the challenge of the first one
// with a code of the app, or a recovery code. Wrong codes count towards the lock of
// LoginStaff, and a code is good once. Errors: ErrChallengeInvalid (log in
// anew), ErrBadCode, ErrStaffDisabled.
func (s *Service) CompleteLogin(ctx context.Context, challenge, code string) (Tokens, error) {
	claims, err := s.tokens.parseChallenge(challenge)
	if err != nil {
		return Tokens{}, err
	}
	admitted, err := s.countAttempt(ctx, claims.Subject)
	if err != nil {
		return Tokens{}, err
	}
	if !admitted {
		return Tokens{}, ErrBadCode
	}
	var tokens Tokens
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		staff, err := lockStaffTx(tx, claims.Subject)
		if err != nil {
			return err
		}
		if staff.Status != model.StaffActive {
			return ErrStaffDisabled
		}
		factor, found, err := totpTx(tx, staff.ID)
		if err != nil {
			return err
		}
		if !found || factor.ConfirmedAt == nil || claims.Credentials != s.tokens.credentials(staff) {
			return ErrChallengeInvalid
		}
		if err := s.useFactorTx(tx, factor, code); err != nil {
			return err
		}
		if err := resetAttemptsTx(tx, staff.ID); err != nil {
			return err
		}
		tokens, err = s.startSessionTx(tx, authz.KindStaff, staff.ID)
		return err
	})
	return tokens, err
}

// useFactorTx takes a code of the app, or else a recovery code.
func (s *Service) useFactorTx(tx *gorm.DB, factor model.StaffTOTP, code string) error {
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
	if len(code) == int(otp.DigitsSix) {
		return s.useCodeTx(tx, factor, code)
	}
	res := tx.Exec("UPDATE staff_recovery_code SET used_at = ? WHERE staff_id = ? AND hash = ? AND used_at IS NULL",
		s.now(), factor.StaffID, s.recoveryHash(factor.StaffID, code))
	if res.Error != nil {
		return fmt.Errorf("identity: use recovery code: %w", res.Error)
	}
	if res.RowsAffected != 1 {
		return ErrBadCode
	}
	return nil
}

// useCodeTx takes a code of the app once: its step becomes the last one used.
func (s *Service) useCodeTx(tx *gorm.DB, factor model.StaffTOTP, code string) error {
	secret, err := s.sealer.Open(fieldTOTPSecret, factor.SecretCipher)
	if err != nil {
		return fmt.Errorf("identity: open totp secret: %w", err)
	}
	current := s.clock.Now().Unix() / totpPeriodSeconds
	for step := current - totpSkewSteps; step <= current+totpSkewSteps; step++ {
		if step <= factor.LastStep || !codeOfStep(code, secret, step) {
			continue
		}
		res := tx.Exec("UPDATE staff_totp SET last_step = ? WHERE staff_id = ? AND last_step < ?", step, factor.StaffID, step)
		if res.Error != nil {
			return fmt.Errorf("identity: use code: %w", res.Error)
		}
		if res.RowsAffected == 1 {
			return nil
		}
	}
	return ErrBadCode
}

// codeOfStep compares in constant time; text that is no code is false.
func codeOfStep(code, secret string, step int64) bool {
	ok, err := hotp.ValidateCustom(code, uint64(step), secret, //nolint:gosec // a step since 1970 is positive
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	return err == nil && ok
}

func (s *Service) newRecoveryCodes(staffID string) ([]string, []model.StaffRecoveryCode, error) {
	codes, rows := make([]string, recoveryCodes), make([]model.StaffRecoveryCode, recoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryCodeBytes)
		if _, err := rand.Read(raw); err != nil {
			return nil, nil, fmt.Errorf("identity: recovery code: %w", err)
		}
		text := base32Text.EncodeToString(raw)
		codes[i] = text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
		rows[i] = model.StaffRecoveryCode{ID: s.clock.NewID(), StaffID: staffID, Hash: s.recoveryHash(staffID, text), CreatedAt: s.now()}
	}
	return codes, rows, nil
}

// recoveryHash is keyed, and a fast hash is enough for 80 random bits.
func (s *Service) recoveryHash(staffID, code string) string {
	return s.sealer.Index(fieldRecoveryCode, staffID+" "+code)
}
