package wechatsim

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

var (
	loginCode = regexp.MustCompile(`^demo-([A-Za-z0-9_-]+)-[A-Za-z0-9_]+$`)
	phoneCode = regexp.MustCompile(`^phone-([0-9]{11})-[A-Za-z0-9_]+$`)
)

// tokens are the access tokens given out. WeChat keeps the stable one and the
// one of /cgi-bin/token apart: neither throws out the other.
type tokens struct {
	byValue map[string]time.Time // value to expiry; what expired stays, to be told from what never was
	order   []string
	stable  string
}

func (t *tokens) issue(expires time.Time) string {
	if t.byValue == nil {
		t.byValue = map[string]time.Time{}
	}
	if len(t.order) == maxTokens {
		delete(t.byValue, t.order[0])
		t.order = t.order[1:]
	}
	value := "sim_" + rand.Text()
	t.byValue[value] = expires
	t.order = append(t.order, value)
	return value
}

// usedCodes remembers the newest codes; of those before it has forgotten that
// they were used.
type usedCodes struct {
	set   map[string]bool
	order []string
}

// use reports whether code was new.
func (u *usedCodes) use(code string) bool {
	if u.set == nil {
		u.set = map[string]bool{}
	}
	if u.set[code] {
		return false
	}
	if len(u.order) == maxUsedCodes {
		delete(u.set, u.order[0])
		u.order = u.order[1:]
	}
	u.set[code] = true
	u.order = append(u.order, code)
	return true
}

type tokenReply struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
}

// token answers getAccessToken: a new token at each call.
func (s *Simulator) token(r *http.Request, _ []byte) reply {
	query := r.URL.Query()
	if code := s.credentialFault(query.Get("appid"), query.Get("secret")); code != 0 {
		return failure(code)
	}
	if query.Get("grant_type") != "client_credential" {
		return failure(40002)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	value := s.tokens.issue(s.cfg.Clock.Now().Add(s.cfg.TokenTTL))
	return reply{object: tokenReply{value, int64(s.cfg.TokenTTL.Seconds())}}
}

// stableToken answers getStableAccessToken: the same token while it lives,
// unless force_refresh asks for another, which ends the one before.
func (s *Simulator) stableToken(_ *http.Request, body []byte) reply {
	var in struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if json.Unmarshal(body, &in) != nil {
		return failure(47001)
	}
	if code := s.credentialFault(in.AppID, in.Secret); code != 0 {
		return failure(code)
	}
	if in.GrantType != "client_credential" {
		return failure(40002)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	expires, ok := s.tokens.byValue[s.tokens.stable]
	if !ok || in.ForceRefresh || !now.Before(expires) {
		if ok {
			s.tokens.byValue[s.tokens.stable] = now
		}
		expires = now.Add(s.cfg.TokenTTL)
		s.tokens.stable = s.tokens.issue(expires)
	}
	return reply{object: tokenReply{s.tokens.stable, int64(expires.Sub(now).Seconds())}}
}

func (s *Simulator) credentialFault(appID, secret string) int {
	if appID != s.cfg.AppID {
		return 40013
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(s.cfg.Secret)) != 1 {
		return 40125
	}
	return 0
}

func (s *Simulator) tokenFault(value string) int {
	if value == "" {
		return 41001
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	expires, ok := s.tokens.byValue[value]
	switch {
	case !ok:
		return 40001
	case !s.cfg.Clock.Now().Before(expires):
		return 42001
	}
	return 0
}

// ExpireTokens ends all access tokens given out so far: calls with them get
// 42001.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	for value := range s.tokens.byValue {
		s.tokens.byValue[value] = now
	}
}

// ForgetTokens makes all access tokens given out so far unknown: calls with
// them get 40001.
func (s *Simulator) ForgetTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = tokens{}
}

// session answers code2Session.
func (s *Simulator) session(r *http.Request, _ []byte) reply {
	query := r.URL.Query()
	if code := s.credentialFault(query.Get("appid"), query.Get("secret")); code != 0 {
		return failure(code)
	}
	if query.Get("grant_type") != "authorization_code" {
		return failure(40002)
	}
	code := query.Get("js_code")
	if code == "" {
		return failure(41008)
	}
	match := loginCode.FindStringSubmatch(code)
	if match == nil {
		return failure(40029)
	}
	if !s.useCode(code) {
		return failure(40163)
	}
	key := sha256.Sum256([]byte("session-key\x00" + s.cfg.AppID + "\x00" + code))
	return reply{object: struct {
		SessionKey string `json:"session_key"`
		OpenID     string `json:"openid"`
		UnionID    string `json:"unionid"`
	}{base64.StdEncoding.EncodeToString(key[:16]), s.OpenID(match[1]), identifier("unionid", match[1])}}
}

// phone answers getPhoneNumber.
func (s *Simulator) phone(_ *http.Request, body []byte) reply {
	var in struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &in) != nil {
		return failure(47001)
	}
	match := phoneCode.FindStringSubmatch(in.Code)
	if match == nil {
		return failure(40029)
	}
	if !s.useCode(in.Code) {
		return failure(40163)
	}
	type watermark struct {
		Timestamp int64  `json:"timestamp"`
		AppID     string `json:"appid"`
	}
	type info struct {
		PhoneNumber     string    `json:"phoneNumber"`
		PurePhoneNumber string    `json:"purePhoneNumber"`
		CountryCode     string    `json:"countryCode"`
		Watermark       watermark `json:"watermark"`
	}
	return reply{object: struct {
		apiError
		PhoneInfo info `json:"phone_info"`
	}{apiError{0, "ok"}, info{match[1], match[1], "86", watermark{s.cfg.Clock.Now().Unix(), s.cfg.AppID}}}}
}

func (s *Simulator) useCode(code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used.use(code)
}

// LoginCode makes a fresh login code of the person name (letters, digits,
// "-", "_").
func (s *Simulator) LoginCode(name string) string { return fmt.Sprintf("demo-%s-%s", name, s.nonce()) }

// PhoneCode makes a fresh code for a phone number of eleven digits.
func (s *Simulator) PhoneCode(phone string) string {
	return fmt.Sprintf("phone-%s-%s", phone, s.nonce())
}

// nonce is serial: tests want the same codes in every run. The letter keeps
// them apart from the numbers that people write by hand.
func (s *Simulator) nonce() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return "n" + strconv.Itoa(s.serial)
}

// OpenID returns the openid that a login as name yields. It depends on the
// name and the AppID only.
func (s *Simulator) OpenID(name string) string { return identifier(s.cfg.AppID, name) }

// identifier looks like WeChat's: 28 characters that begin with "o".
func identifier(scope, name string) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + name))
	return "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27]
}
