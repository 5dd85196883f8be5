package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// maxAccessToken bounds what is parsed; ours have about 350 bytes.
const maxAccessToken = 2048

const refreshBytes = 32

// accessClaims is the payload of an access token. It says who and which
// session; what the person may do is read from the database, so that a change
// of roles needs no new token.
type accessClaims struct {
	jwt.RegisteredClaims
	Kind      authz.Kind `json:"kind"`
	SessionID string     `json:"sid"`
}

// Validate implements jwt.ClaimsValidator.
func (c accessClaims) Validate() error {
	if c.Subject == "" || c.SessionID == "" || (c.Kind != authz.KindResident && c.Kind != authz.KindStaff) {
		return errors.New("identity: incomplete claims")
	}
	return nil
}

type tokenMaker struct {
	accessKey, refreshKey, challengeKey []byte
	challengeTTL                        time.Duration
	issuer, audience                    string
	ttl                                 time.Duration
	now                                 func() time.Time
}

// access signs an access token (JWT, HS256).
func (m tokenMaker) access(kind authz.Kind, principalID, sessionID string) (string, clock.Instant, error) {
	now := m.now()
	expires := now.Add(m.ttl).Truncate(time.Second)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, accessClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: m.issuer, Subject: principalID, Audience: jwt.ClaimStrings{m.audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Kind: kind, SessionID: sessionID,
	}).SignedString(m.accessKey)
	if err != nil {
		return "", 0, fmt.Errorf("identity: sign: %w", err)
	}
	return token, clock.InstantOf(expires), nil
}

// parse verifies an access token: HS256 and nothing else, our issuer and
// audience, not expired. Errors: ErrTokenInvalid, ErrTokenExpired.
func (m tokenMaker) parse(token string) (accessClaims, error) {
	var claims accessClaims
	if len(token) > maxAccessToken {
		return claims, ErrTokenInvalid
	}
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return m.accessKey, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(m.issuer), jwt.WithAudience(m.audience), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(m.now), jwt.WithStrictDecoding())
	switch {
	case err == nil:
		return claims, nil
	case onlyExpired(err):
		return accessClaims{}, ErrTokenExpired
	default:
		return accessClaims{}, ErrTokenInvalid
	}
}

// onlyExpired: the signature was good and age is all that is wrong. The parser
// checks the signature first and joins every fault of the claims.
func onlyExpired(err error) bool {
	if !errors.Is(err, jwt.ErrTokenExpired) {
		return false
	}
	for _, other := range []error{
		jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenNotValidYet,
		jwt.ErrTokenInvalidSubject, jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenSignatureInvalid,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

// challengeClaims is the payload of a challenge: the first step of a login is
// done. Credentials ties it to the password that was right.
type challengeClaims struct {
	jwt.RegisteredClaims
	Credentials string `json:"cred"`
}

// credentials changes with the password and the bound WeChat account.
func (m tokenMaker) credentials(staff model.Staff) string {
	mac := hmac.New(sha256.New, m.challengeKey)
	mac.Write([]byte(staff.ID + " " + staff.PasswordHash + " " + deref(staff.OpenID)))
	return hex.EncodeToString(mac.Sum(nil))
}

// challenge signs the proof of the first step of a login, under a key of its
// own: it can never pass for an access token.
func (m tokenMaker) challenge(staff model.Staff) (string, clock.Instant, error) {
	now := m.now()
	expires := now.Add(m.challengeTTL).Truncate(time.Second)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, challengeClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: m.issuer, Subject: staff.ID, Audience: jwt.ClaimStrings{m.audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Credentials: m.credentials(staff),
	}).SignedString(m.challengeKey)
	if err != nil {
		return "", 0, fmt.Errorf("identity: sign challenge: %w", err)
	}
	return token, clock.InstantOf(expires), nil
}

// parseChallenge verifies a challenge. Every failure is ErrChallengeInvalid.
func (m tokenMaker) parseChallenge(token string) (challengeClaims, error) {
	var claims challengeClaims
	if len(token) > maxAccessToken {
		return claims, ErrChallengeInvalid
	}
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return m.challengeKey, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(m.issuer), jwt.WithAudience(m.audience), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(m.now), jwt.WithStrictDecoding())
	if err != nil || claims.Subject == "" || claims.Credentials == "" {
		return challengeClaims{}, ErrChallengeInvalid
	}
	return claims, nil
}

// newRefresh returns the first refresh token of a session.
func newRefresh() (string, error) {
	raw := make([]byte, refreshBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("identity: refresh token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// successor derives the token that replaces old, stored under id. It is
// derived rather than drawn so that it can be given once more to a client
// that lost the answer, although the database holds only hashes.
func (m tokenMaker) successor(old, id string) string {
	mac := hmac.New(sha256.New, m.refreshKey)
	mac.Write([]byte(id))
	mac.Write([]byte{0})
	mac.Write([]byte(old))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// refreshHash is what the database keeps of a refresh token. ok is false for
// text that cannot be one. A fast hash is enough for 256 random bits.
func refreshHash(token string) (hash string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != refreshBytes {
		return "", false
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:]), true
}
