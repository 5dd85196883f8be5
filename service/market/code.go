package market

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"jiamenkou/internal/clock"
)

// A redemption code is 34 bytes in unpadded base32, 55 characters, which a QR
// code of version 3 holds in its alphanumeric mode:
//
//	version (1) ‖ key id (1) ‖ order (16) ‖ time step (4) ‖ HMAC-SHA-256, first 12 bytes
//
// The short code for typing is ten digits: five that stay with the order (its
// locator, a bucket to look in and no secret) and five of an HMAC over order
// and step. One guess hits with 2 in 100,000; only clerks can guess, under the
// limiter, and a hit redeems one order at the guesser's own merchant, with the
// guesser's name on it.
//
// Both are valid in the step in which they were made and in the next one, so
// that a page that went offline can show its code for the rest of that time.
// Single use is the order's matter: the first redemption changes its state.
const (
	codeVersion   = 1
	codeMACBytes  = 12
	codeBytes     = 1 + 1 + 16 + 4 + codeMACBytes
	codeLength    = (codeBytes*8 + 4) / 5
	locatorDigits = 5
	shortDigits   = 10
	shortSpace    = 100_000
	minKeyBytes   = 32
)

var codeText = base32.StdEncoding.WithPadding(base32.NoPadding)

type codes struct {
	id                    byte
	key, short, locatorBy []byte
	step                  time.Duration
}

func newCodes(cfg Config) (codes, error) {
	if len(cfg.CodeKey) < minKeyBytes {
		return codes{}, fmt.Errorf("market: code key: want at least %d bytes", minKeyBytes)
	}
	if cfg.CodeStep < time.Second || cfg.CodeStep%time.Second != 0 {
		return codes{}, errors.New("market: code step: want whole seconds")
	}
	c := codes{step: cfg.CodeStep}
	var id []byte
	for info, into := range map[string]*[]byte{"code v1": &c.key, "short code v1": &c.short, "locator v1": &c.locatorBy, "key id v1": &id} {
		derived, err := hkdf.Key(sha256.New, []byte(cfg.CodeKey), nil, "jiamenkou redemption "+info, sha256.Size)
		if err != nil {
			return codes{}, fmt.Errorf("market: code key: %w", err)
		}
		*into = derived
	}
	c.id = id[0]
	return c, nil
}

// stepAt is the number of the step in which t lies.
func (c codes) stepAt(t clock.Instant) uint32 {
	return uint32(int64(t) / c.step.Microseconds()) //nolint:gosec // seconds since 1970 in steps of at least one fit until 2106
}

// startOf is when the step begins.
func (c codes) startOf(step uint32) clock.Instant {
	return clock.Instant(int64(step) * c.step.Microseconds())
}

// inTime reports whether a code of that step is accepted at now. The step
// after counts as well: another instance's clock may be ahead.
func (c codes) inTime(step uint32, now clock.Instant) bool {
	at := c.stepAt(now)
	return step+1 >= at && step <= at+1
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// sign makes the code of an order for a step.
func (c codes) sign(orderID string, step uint32) (string, error) {
	order, err := ulid.ParseStrict(orderID)
	if err != nil {
		return "", fmt.Errorf("market: sign: %w", err)
	}
	raw := make([]byte, 0, codeBytes)
	raw = append(raw, codeVersion, c.id)
	raw = append(raw, order[:]...)
	raw = binary.BigEndian.AppendUint32(raw, step)
	raw = append(raw, sum(c.key, raw)[:codeMACBytes]...)
	return codeText.EncodeToString(raw), nil
}

// parse checks the signature of a scanned code: ErrCodeForged, or the order
// and the step. It says nothing about time or state.
func (c codes) parse(text string) (orderID string, step uint32, err error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if len(text) != codeLength {
		return "", 0, ErrCodeForged
	}
	raw, err := codeText.DecodeString(text)
	if err != nil || len(raw) != codeBytes || codeText.EncodeToString(raw) != text {
		return "", 0, ErrCodeForged // the last: bits beyond the 34 bytes
	}
	signed, mac := raw[:codeBytes-codeMACBytes], raw[codeBytes-codeMACBytes:]
	if !hmac.Equal(mac, sum(c.key, signed)[:codeMACBytes]) || signed[0] != codeVersion || signed[1] != c.id {
		return "", 0, ErrCodeForged
	}
	var order ulid.ULID
	copy(order[:], signed[2:18])
	return order.String(), binary.BigEndian.Uint32(signed[18:]), nil
}

// locator is the first half of an order's short codes.
func (c codes) locator(orderID string) int64 {
	return int64(binary.BigEndian.Uint32(sum(c.locatorBy, []byte(orderID))) % shortSpace)
}

// shortCheck is the second half, which rotates.
func (c codes) shortCheck(orderID string, step uint32) int64 {
	return int64(binary.BigEndian.Uint32(sum(c.short, []byte(orderID), binary.BigEndian.AppendUint32(nil, step))) % shortSpace)
}

// shortCode is the short code of an order for a step: ten digits.
func (c codes) shortCode(o Order, step uint32) string {
	return fmt.Sprintf("%05d%05d", o.CodeLocator, c.shortCheck(o.ID, step))
}

// parseShort splits a typed short code; spaces and hyphens are allowed.
func parseShort(text string) (locator, check int64, err error) {
	text = strings.NewReplacer(" ", "", "-", "").Replace(text)
	if len(text) != shortDigits || strings.Trim(text, "0123456789") != "" {
		return 0, 0, ErrCodeForged
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, 0, ErrCodeForged
	}
	return n / shortSpace, n % shortSpace, nil
}
