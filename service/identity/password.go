package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"jiamenkou/internal/fault"
)

// Bounds of a password in characters.
const (
	MinPassword = 10
	MaxPassword = 128
)

const (
	saltBytes = 16
	hashBytes = 32
)

// commonPasswords are those of MinPassword characters or more that head the
// published lists of leaked ones, here and in China.
var commonPasswords = func() map[string]bool {
	set := map[string]bool{}
	for p := range strings.FieldsSeq(`1234567890 0123456789 0987654321 9876543210 12345678910 123456789a a123456789 123456789q
		1q2w3e4r5t 1qaz2wsx3edc qwertyuiop qwerty12345 qwerty123456 password123 password1234 passw0rd123 password12345
		admin12345 admin123456 administrator 1234567891 11223344556 1122334455 woaini1314520 woaini5201314 5201314520
		5201314woaini asdfghjkl123 abcd123456 abc123456789 123456abcdef 147258369147 1472583690 iloveyou123 letmein12345
		welcome12345 zxcvbnm123 1357924680 qazwsxedcrfv aa12345678 qq123456789 wang123456 jiamenkou123 jiamenkou2026`) {
		set[p] = true
	}
	return set
}()

// checkPassword notes every rule that the password breaks.
func checkPassword(f *fault.Fields, path, password, username string) {
	n := utf8.RuneCountInString(password)
	f.Add(utf8.ValidString(password) && n >= MinPassword && n <= MaxPassword, path, "应为 10 到 128 个字符")
	lower := strings.ToLower(password)
	f.Add(username == "" || !strings.Contains(lower, username), path, "不能包含用户名")
	f.Add(!commonPasswords[lower] && !repeats(lower), path, "太常见，容易被猜到，请换一个")
}

// repeats reports whether the text is one short piece over and over.
func repeats(s string) bool {
	for size := 1; size <= 3 && size < len(s); size++ {
		if strings.Repeat(s[:size], len(s)/size+1)[:len(s)] == s {
			return true
		}
	}
	return false
}

// passwords hashes and verifies, a few at a time: each run takes megabytes.
type passwords struct {
	cost  Argon2
	slots chan struct{}
	wait  time.Duration
	dummy string
}

func newPasswords(cfg Config) (*passwords, error) {
	p := &passwords{cost: cfg.Argon2, slots: make(chan struct{}, cfg.MaxParallelHashes), wait: cfg.HashWait}
	var err error
	p.dummy, err = p.hash(context.Background(), rand.Text())
	return p, err
}

func (a Argon2) within() bool {
	return a.Time >= 1 && a.Time <= 16 && a.Threads >= 1 && a.Threads <= 16 &&
		a.MemoryKiB >= 8*uint32(a.Threads) && a.MemoryKiB <= 1<<20
}

func (p *passwords) enter(ctx context.Context) (leave func(), err error) {
	select { // a free slot is taken even when this goroutine was kept waiting for longer than the wait
	case p.slots <- struct{}{}:
		return p.leave, nil
	default:
	}
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return p.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		e := *ErrBusy
		e.RetryAfter = time.Second
		return nil, &e
	}
}

func (p *passwords) leave() { <-p.slots }

// hash returns the password's hash in PHC form.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("identity: salt: %w", err)
	}
	sum := argon2.IDKey([]byte(password), salt, p.cost.Time, p.cost.MemoryKiB, p.cost.Threads, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.cost.MemoryKiB, p.cost.Time, p.cost.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// verify compares in constant time. current is false if the hash was made
// with another cost than today's.
func (p *passwords) verify(ctx context.Context, encoded, password string) (ok, current bool, err error) {
	cost, salt, want, err := parseHash(encoded)
	if err != nil {
		return false, false, err
	}
	leave, err := p.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	got := argon2.IDKey([]byte(password), salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(len(want))) //nolint:gosec // parseHash bounds it
	return subtle.ConstantTimeCompare(got, want) == 1, cost == p.cost, nil
}

var errHash = errors.New("identity: malformed password hash")

func parseHash(encoded string) (cost Argon2, salt, sum []byte, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.MemoryKiB, &cost.Time, &cost.Threads); err != nil || !cost.within() {
		return cost, nil, nil, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || sumErr != nil || len(salt) < 8 || len(sum) != hashBytes {
		return cost, nil, nil, errHash
	}
	return cost, salt, sum, nil
}
