package volunteer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

const (
	codeDigits = 6
	// recentSteps is how many steps back a code is told to be expired rather
	// than wrong: people who photograph the screen should learn what to do.
	recentSteps = 20
	qrPrefix    = "jmk:shift:"
	shiftIDLen  = 26
)

// Code is what the organizer's screen shows.
type Code struct {
	Digits    string        // six digits, for those who type
	QRText    string        // the same with the shift, for those who scan
	ExpiresAt clock.Instant // when the next one replaces it
	Step      time.Duration
}

// ShiftCode returns the code of this moment, for the organizer's screen. It is
// given out only while somebody may check in or out with it (ErrCodeHours).
func (s *Service) ShiftCode(ctx context.Context, actor authz.Actor, shiftID string) (Code, error) {
	shift, err := s.shiftFor(s.db.Read(ctx), actor, shiftID, organizers)
	if err != nil {
		return Code{}, err
	}
	now := s.now()
	if shift.ActivityStatus != model.ActivityPublished || shift.ShiftStatus != model.ShiftOpen ||
		now < shift.StartsAt.Add(-s.cfg.CheckInEarly) || now > shift.EndsAt.Add(s.cfg.CheckOutLate) {
		return Code{}, ErrCodeHours
	}
	step := s.step(now)
	digits := codeAt(shift.CodeSecret, step)
	return Code{
		Digits: digits, QRText: qrPrefix + shift.ShiftID + ":" + digits,
		ExpiresAt: clock.Instant((step + 1) * s.cfg.CodeStep.Microseconds()), Step: s.cfg.CodeStep,
	}, nil
}

func (s *Service) step(now clock.Instant) int64 { return int64(now) / s.cfg.CodeStep.Microseconds() }

// codeAt is the code of one time step: HMAC-SHA-256 of the step, cut down as
// in RFC 4226, section 5.3.
func codeAt(secret string, step int64) string {
	mac := hmac.New(sha256.New, []byte(secret))
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) //nolint:gosec // steps since 1970 are positive
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:offset+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, number%1_000_000)
}

// checkCode returns nil for the code of this step or the one before,
// ErrCodeExpired for one of the last minutes, and ErrCodeWrong for anything
// else. text is what was typed or scanned.
func (s *Service) checkCode(shift shiftRow, text string, now clock.Instant) error {
	shiftID, digits, ok := parseCode(text)
	if !ok || (shiftID != "" && shiftID != shift.ShiftID) {
		return ErrCodeWrong
	}
	current := s.step(now)
	for back := range int64(recentSteps) {
		if subtle.ConstantTimeCompare([]byte(codeAt(shift.CodeSecret, current-back)), []byte(digits)) != 1 {
			continue
		}
		if back <= 1 {
			return nil
		}
		return ErrCodeExpired
	}
	return ErrCodeWrong
}

// parseCode reads six digits (spaces between and full-width digits, as Chinese
// keyboards make them, are fine) or the text of the QR code, whose shift it
// returns.
func parseCode(text string) (shiftID, digits string, ok bool) {
	if len(text) > 128 {
		return "", "", false
	}
	if rest, isQR := strings.CutPrefix(strings.TrimSpace(text), qrPrefix); isQR {
		shiftID, digits, ok = strings.Cut(rest, ":")
		if !ok || len(shiftID) != shiftIDLen || !onlyDigits(digits) {
			return "", "", false
		}
		return shiftID, digits, true
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == ' ' || r == '\u3000':
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		default:
			return "", "", false
		}
	}
	if !onlyDigits(b.String()) {
		return "", "", false
	}
	return "", b.String(), true
}

func onlyDigits(s string) bool {
	if len(s) != codeDigits {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
