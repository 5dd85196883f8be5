// Package identity knows who people are: residents (who log in through
// WeChat) and staff (by password or a bound WeChat account), their sessions,
// roles, consents and personal data, and the audit trail of what staff change.
//
// Personal data leaves this package only to the person it belongs to, or
// through a method that records in pii_access who asked and why. Nothing here
// logs.
package identity

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/pii"
	"jiamenkou/internal/wechat"
)

// WeChat is what identity asks of WeChat; *wechat.Client implements it. Codes
// are single use, so none of the methods is ever repeated here.
type WeChat interface {
	CodeToSession(ctx context.Context, code string) (wechat.Session, error)
	PhoneNumber(ctx context.Context, code string) (string, error)
	CheckText(ctx context.Context, openID string, scene int, text string) (wechat.Verdict, error)
}

// Config of the service. A zero field takes its default, except JWTSecret.
type Config struct {
	JWTSecret string // at least 32 bytes; signs access tokens and derives refresh tokens
	Issuer    string // "jiamenkou"
	Audience  string // "jiamenkou-api"

	AccessTTL    time.Duration // 15 minutes
	RefreshTTL   time.Duration // 30 days, counted afresh at each refresh
	RefreshGrace time.Duration // 10 s: how long a replaced refresh token gives its successor once more; negative: never

	ActorCacheTTL  time.Duration // 3 s: how long another process may still honour a revoked session; negative: no cache
	ActorCacheSize int           // 10,000 sessions

	MaxSessions int // 10 live sessions per person; a further login ends the one unused for longest

	MaxFailedLogins int           // 5 wrong passwords in a row …
	LockoutTime     time.Duration // … stop password logins for 15 minutes

	SecondFactor SecondFactorMode // optional
	ChallengeTTL time.Duration    // 5 minutes between the two steps of a login

	MaxExportRows int // 10,000 rows of each table in what a resident takes along

	Argon2            Argon2
	MaxParallelHashes int           // 4: each takes Argon2.MemoryKiB
	HashWait          time.Duration // 5 s in the queue for one of them, then 503
}

// Argon2 are the cost parameters of argon2id. The defaults are those of the
// OWASP password storage cheat sheet; a stored hash of another cost is
// replaced at its owner's next login.
type Argon2 struct {
	MemoryKiB uint32 // 19456
	Time      uint32 // 2
	Threads   uint8  // 1
}

// String keeps the secret out of %v and %+v.
func (Config) String() string { return "identity.Config" }

// GoString keeps the secret out of %#v.
func (Config) GoString() string { return "identity.Config" }

// LogValue keeps the secret out of logs.
func (Config) LogValue() slog.Value { return slog.StringValue("identity.Config") }

const minSecretBytes = 32

func (c *Config) complete() error {
	if len(c.JWTSecret) < minSecretBytes {
		return fmt.Errorf("identity: jwt secret: want at least %d bytes", minSecretBytes)
	}
	setDefault(&c.Issuer, "jiamenkou")
	setDefault(&c.Audience, "jiamenkou-api")
	setDefault(&c.AccessTTL, 15*time.Minute)
	setDefault(&c.RefreshTTL, 30*24*time.Hour)
	setDefault(&c.RefreshGrace, 10*time.Second)
	setDefault(&c.ActorCacheTTL, 3*time.Second)
	setDefault(&c.ActorCacheSize, 10_000)
	setDefault(&c.MaxSessions, 10)
	setDefault(&c.MaxFailedLogins, 5)
	setDefault(&c.LockoutTime, 15*time.Minute)
	setDefault(&c.SecondFactor, SecondFactorOptional)
	setDefault(&c.ChallengeTTL, 5*time.Minute)
	setDefault(&c.MaxExportRows, 10_000)
	setDefault(&c.Argon2.MemoryKiB, 19456)
	setDefault(&c.Argon2.Time, 2)
	setDefault(&c.Argon2.Threads, 1)
	setDefault(&c.MaxParallelHashes, 4)
	setDefault(&c.HashWait, 5*time.Second)
	switch {
	case c.AccessTTL < time.Second || c.RefreshTTL <= c.AccessTTL:
		return errors.New("identity: want refresh_ttl > access_ttl >= 1s")
	case c.ActorCacheSize < 1 || c.MaxSessions < 1 || c.MaxFailedLogins < 1 || c.LockoutTime < 0 || c.MaxParallelHashes < 1 || c.MaxExportRows < 1 || c.HashWait < 0:
		return errors.New("identity: limits must be positive")
	case !slices.Contains([]SecondFactorMode{SecondFactorOff, SecondFactorOptional, SecondFactorRequired}, c.SecondFactor):
		return errors.New("identity: second factor must be off, optional or required")
	case !c.Argon2.within():
		return errors.New("identity: argon2 cost is out of bounds")
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Service answers for identity. Safe for concurrent use.
type Service struct {
	db        *database.DB
	clock     clock.Clock
	sealer    *pii.Sealer
	wechat    WeChat
	cfg       Config
	passwords *passwords
	tokens    tokenMaker
	actors    *actorCache
	onDelete  []DeleteHook
	onExport  []ExportPart
}

// DeleteHook runs in the transaction that deletes a resident's account: other
// domains enqueue their own clean-up through it.
type DeleteHook func(ctx context.Context, tx *gorm.DB, residentID string) error

// New makes the service.
func New(db *database.DB, c clock.Clock, sealer *pii.Sealer, wx WeChat, cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	pw, err := newPasswords(cfg)
	if err != nil {
		return nil, err
	}
	accessKey, err := hkdf.Key(sha256.New, []byte(cfg.JWTSecret), nil, "jiamenkou access token v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	refreshKey, err := hkdf.Key(sha256.New, []byte(cfg.JWTSecret), nil, "jiamenkou refresh token v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	challengeKey, err := hkdf.Key(sha256.New, []byte(cfg.JWTSecret), nil, "jiamenkou login challenge v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return &Service{
		db: db, clock: c, sealer: sealer, wechat: wx, cfg: cfg, passwords: pw,
		tokens: tokenMaker{
			accessKey: accessKey, refreshKey: refreshKey, challengeKey: challengeKey, challengeTTL: cfg.ChallengeTTL, issuer: cfg.Issuer, audience: cfg.Audience, ttl: cfg.AccessTTL, now: c.Now,
		},
		actors: newActorCache(cfg.ActorCacheTTL, cfg.ActorCacheSize),
	}, nil
}

// OnDelete adds a hook to DeleteAccount. Call it before serving.
func (s *Service) OnDelete(hook DeleteHook) { s.onDelete = append(s.onDelete, hook) }

func (s *Service) now() clock.Instant { return clock.Now(s.clock) }
