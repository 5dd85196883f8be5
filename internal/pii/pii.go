// Package pii seals personal data (phone, real name, ID number) for storage
// and makes blind indexes for looking it up again (PIPL art. 51).
//
// A sealed value is "v1.<key id>.<base64url(nonce ‖ ciphertext)>", AES-256-GCM
// with the column's name as associated data, so that a value copied into
// another column does not open. The key id lets keys rotate: new values are
// sealed under the first key, older keys still open theirs.
//
// A blind index is HMAC-SHA-256 under a key of its own per column. It does not
// rotate with the sealing keys, since every stored index would change with it.
//
// Nothing here logs, and errors never carry a value or a key.
package pii

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// keyBytes is the length of every key that the operator supplies, and of
// every key derived from it.
const keyBytes = 32

// IndexLength is the length of a blind index in characters.
const IndexLength = 2 * sha256.Size

// ErrOpen says that the value was not sealed for this column, was changed, or its key
// is not configured any more.
var ErrOpen = errors.New("pii: value cannot be opened")

// Field names the column that a value is sealed for: "resident.phone".
type Field string

// Config holds the keys as the environment gives them.
type Config struct {
	// Keys is "id:base64,id:base64": 32 random bytes each (openssl rand -base64
	// 32). The first seals; all open. To rotate, put a new key in front and
	// drop an old one only when nothing is sealed under it (NeedsReseal).
	Keys string
	// IndexKey is base64 of 32 bytes. It may be left empty as long as there is
	// one sealing key, from which it is then derived; before the first rotation
	// it must be set to that key's value, and must never change afterwards.
	IndexKey string
}

// Sealer seals, opens and indexes. Safe for concurrent use.
type Sealer struct {
	current string
	aeads   map[string]cipher.AEAD
	index   []byte
}

var keyIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,16}$`)

// New reads the keys. Its errors say which entry is wrong, never its content.
func New(cfg Config) (*Sealer, error) {
	s := &Sealer{aeads: map[string]cipher.AEAD{}}
	var first []byte
	for i, entry := range strings.Split(cfg.Keys, ",") {
		id, encoded, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || !keyIDPattern.MatchString(id) {
			return nil, fmt.Errorf("pii: key %d: want id:base64 with an id of 1 to 16 letters, digits, - or _", i+1)
		}
		if _, taken := s.aeads[id]; taken {
			return nil, fmt.Errorf("pii: key %d: its id occurs twice", i+1)
		}
		secret, err := decodeKey(encoded)
		if err != nil {
			return nil, fmt.Errorf("pii: key %d: %w", i+1, err)
		}
		if s.aeads[id], err = newAEAD(secret); err != nil {
			return nil, fmt.Errorf("pii: key %d: %w", i+1, err)
		}
		if i == 0 {
			s.current, first = id, secret
		}
	}
	switch {
	case cfg.IndexKey != "":
		var err error
		if s.index, err = decodeKey(cfg.IndexKey); err != nil {
			return nil, fmt.Errorf("pii: index key: %w", err)
		}
	case len(s.aeads) == 1:
		s.index = first
	default:
		return nil, errors.New("pii: index key: with several keys it must be set (to the value of the key in use before the first rotation)")
	}
	return s, nil
}

func decodeKey(encoded string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("want base64 of %d bytes", keyBytes)
	}
	return key, nil
}

func newAEAD(secret []byte) (cipher.AEAD, error) {
	key, err := derive(secret, "jiamenkou pii seal v1")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// derive separates the uses of one secret: what is learnt about one derived
// key says nothing about another.
func derive(secret []byte, info string) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, info, keyBytes)
}

// Seal encrypts plain for the column f. Sealing the same text twice gives two
// different values.
func (s *Sealer) Seal(f Field, plain string) (string, error) {
	aead := s.aeads[s.current]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("pii: nonce: %w", err)
	}
	sealed := aead.Seal(nonce, nonce, []byte(plain), []byte(f))
	return "v1." + s.current + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open decrypts what Seal made for the same column, under any configured key.
// Every failure is ErrOpen.
func (s *Sealer) Open(f Field, sealed string) (string, error) {
	id, encoded, ok := split(sealed)
	if !ok {
		return "", ErrOpen
	}
	aead, ok := s.aeads[id]
	if !ok {
		return "", fmt.Errorf("%w: key %q is not configured", ErrOpen, id)
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(raw) < aead.NonceSize() {
		return "", ErrOpen
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(f))
	if err != nil {
		return "", ErrOpen
	}
	return string(plain), nil
}

func split(sealed string) (id, encoded string, ok bool) {
	rest, ok := strings.CutPrefix(sealed, "v1.")
	if !ok {
		return "", "", false
	}
	id, encoded, ok = strings.Cut(rest, ".")
	return id, encoded, ok && keyIDPattern.MatchString(id)
}

// NeedsReseal reports whether the value was sealed under another key than the
// one that seals now.
func (s *Sealer) NeedsReseal(sealed string) bool {
	id, _, ok := split(sealed)
	return !ok || id != s.current
}

// Index returns the blind index of plain in column f: IndexLength hex
// characters, equal for equal text in one column and unrelated between
// columns. The caller normalises the text first.
func (s *Sealer) Index(f Field, plain string) string {
	key, err := derive(s.index, "jiamenkou pii index v1 "+string(f))
	if err != nil {
		panic(err) // HKDF fails only for an absurd output length
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(plain))
	return hex.EncodeToString(mac.Sum(nil))
}

// String keeps the keys out of %v and %+v.
func (*Sealer) String() string { return "pii.Sealer" }

// GoString keeps the keys out of %#v.
func (*Sealer) GoString() string { return "pii.Sealer" }

// LogValue keeps the keys out of logs.
func (*Sealer) LogValue() slog.Value { return slog.StringValue("pii.Sealer") }

// String keeps the keys out of %v and %+v.
func (Config) String() string { return "pii.Config" }

// GoString keeps the keys out of %#v.
func (Config) GoString() string { return "pii.Config" }

// LogValue keeps the keys out of logs.
func (Config) LogValue() slog.Value { return slog.StringValue("pii.Config") }
