// Package wechat is the program's only door to WeChat's server interface: the
// mini-program login, phone number, subscribe messages, codes, content checks
// and the callback of the asynchronous check.
//
// It drives github.com/silenceper/wechat/v2 and makes good what that SDK
// leaves open: its HTTP client is one process global without a time-out, some
// of its calls take no context, its error texts carry the whole URL with the
// AppSecret, and it does not refresh a token that WeChat has dropped. All of
// that is dealt with in transport.go. The package writes no logs; what it
// returns is safe to log.
package wechat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/credential"
	"github.com/silenceper/wechat/v2/miniprogram"
	"github.com/silenceper/wechat/v2/miniprogram/config"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// Which build of the mini-program codes and messages open.
const (
	EnvRelease = "release" // the published mini-program
	EnvTrial   = "trial"   // 体验版
	EnvDevelop = "develop" // 开发版
)

// Bounds of Config, and what the zero value of a field stands for.
const (
	DefaultTimeout    = 5 * time.Second
	DefaultMaxRetries = 2
	DefaultRetryDelay = 200 * time.Millisecond
	DefaultMaxConns   = 32

	maxTimeout = 30 * time.Second
	maxRetries = 5
)

// Config is what a Client needs to know. It never prints its secret.
type Config struct {
	AppID     string
	AppSecret string

	// BaseURL replaces https://api.weixin.qq.com ("" keeps it). Since every
	// login sends the AppSecret there, plain http is accepted for loopback
	// addresses only.
	BaseURL string

	// EnvVersion is the build that codes and messages open: EnvRelease (the
	// default), EnvTrial or EnvDevelop.
	EnvVersion string

	Timeout    time.Duration // of one HTTP exchange, at most 30 s; 0 means DefaultTimeout
	MaxRetries int           // repeats of a repeatable call when WeChat is busy, at most 5; 0 means DefaultMaxRetries, negative none
	RetryDelay time.Duration // before the first repeat, doubled for each further one; 0 means DefaultRetryDelay
	MaxConns   int           // connections to WeChat at a time; 0 means DefaultMaxConns
}

// String hides the secret.
func (c Config) String() string {
	return fmt.Sprintf("wechat.Config{AppID:%s BaseURL:%s}", c.AppID, c.BaseURL)
}

// GoString hides the secret from %#v.
func (c Config) GoString() string { return c.String() }

// LogValue hides the secret from slog.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("app_id", c.AppID), slog.String("base_url", c.BaseURL))
}

// Client calls WeChat for one mini-program. Safe for concurrent use.
type Client struct {
	cfg    Config
	base   *url.URL
	tokens *tokenCache
	stable credential.AccessTokenContextHandle
	// gate admits one fetch of the access token at a time. The SDK has a lock
	// for that, but who waits for it cannot leave when his context ends.
	gate      chan struct{}
	transport *http.Transport
}

// New checks cfg and makes a Client. It talks to nobody yet.
func New(cfg Config, clk clock.Clock) (*Client, error) {
	base, err := complete(&cfg)
	if err != nil {
		return nil, err
	}
	installTransport()

	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the standard library documents the type
	transport.MaxConnsPerHost = cfg.MaxConns
	transport.MaxIdleConnsPerHost = cfg.MaxConns
	tokens := newTokenCache(clk)
	return &Client{
		cfg:    cfg,
		base:   base,
		tokens: tokens,
		// The stable token (getStableAccessToken) lets several copies of the
		// program fetch it without throwing out one another's:
		// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
		stable:    credential.NewStableAccessToken(cfg.AppID, cfg.AppSecret, credential.CacheKeyMiniProgramPrefix, tokens),
		gate:      make(chan struct{}, 1),
		transport: transport,
	}, nil
}

// Close gives up idle connections. The Client may still be used.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// String hides what the Client holds: fmt would otherwise print the secret
// and the cached token out of its fields.
func (c *Client) String() string { return "wechat.Client{AppID:" + c.cfg.AppID + "}" }

// GoString hides the same from %#v.
func (c *Client) GoString() string { return c.String() }

// complete fills in defaults and refuses what cannot work. Its errors are for
// the operator at start-up and never carry the secret.
func complete(cfg *Config) (*url.URL, error) {
	if cfg.AppID == "" || cfg.AppSecret == "" {
		return nil, errors.New("wechat: AppID and AppSecret must be set")
	}
	if cfg.EnvVersion == "" {
		cfg.EnvVersion = EnvRelease
	}
	if _, ok := messageStates[cfg.EnvVersion]; !ok {
		return nil, fmt.Errorf("wechat: EnvVersion must be %s, %s or %s", EnvRelease, EnvTrial, EnvDevelop)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Timeout < 0 || cfg.Timeout > maxTimeout {
		return nil, fmt.Errorf("wechat: Timeout must be between 0 and %s", maxTimeout)
	}
	if cfg.MaxRetries == 0 {
		cfg.MaxRetries = DefaultMaxRetries
	}
	if cfg.MaxRetries > maxRetries {
		return nil, fmt.Errorf("wechat: MaxRetries must be at most %d", maxRetries)
	}
	if cfg.RetryDelay == 0 {
		cfg.RetryDelay = DefaultRetryDelay
	}
	if cfg.RetryDelay < 0 || cfg.RetryDelay > maxTimeout {
		return nil, fmt.Errorf("wechat: RetryDelay must be between 0 and %s", maxTimeout)
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = DefaultMaxConns
	}
	if cfg.MaxConns < 0 {
		return nil, errors.New("wechat: MaxConns must not be negative")
	}
	return parseBase(cfg.BaseURL)
}

func parseBase(raw string) (*url.URL, error) {
	if raw == "" {
		raw = "https://" + wechatHost
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("wechat: BaseURL must be an absolute URL without user, query and fragment")
	}
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return nil, errors.New("wechat: BaseURL must be https, or http on a loopback address")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

// repeatable says whether the same request may be sent again after an answer
// that leaves open what WeChat has done.
type repeatable bool

const (
	// once: a login or phone code is used up by its first arrival, a subscribe
	// message uses up a consent, a media check makes a second task. A repeat
	// would turn "busy" into "code used", or do the thing twice.
	once repeatable = false
	// again: nothing changes at WeChat.
	again repeatable = true
)

// call runs fn, which makes one SDK call, until it succeeds or must not be
// tried again:
//
//   - a rejected access token is dropped and the call repeated once: WeChat
//     checks the token before it looks at anything else;
//   - "busy" and network failures are repeated for calls that are repeatable,
//     and for every call that never got past fetching its token.
//
// The error repeats nothing of hide.
func (c *Client) call(ctx context.Context, op string, rep repeatable, fn func(context.Context, *miniprogram.MiniProgram) error, hide ...string) error {
	refreshed := false
	for retries := 0; ; {
		x := c.begin(ctx)
		x.hide = hide
		err := fn(x.ctx, c.sdk(x))
		x.end()
		if err == nil {
			return nil
		}
		failure := x.failure(op)
		switch {
		case ctx.Err() != nil:
			return failure
		case x.tokenRejected() && !refreshed:
			refreshed = true
			c.tokens.drop(x.token)
		case (bool(rep) || x.tokenFailure != nil) && transient(failure) && retries < c.cfg.MaxRetries:
			if !pause(ctx, c.cfg.RetryDelay<<retries) {
				return failure
			}
			retries++
		default:
			return failure
		}
	}
}

// sdk makes the SDK's entry point for one exchange. It gets the exchange's id
// in place of the secret and of the access token, so that no text the SDK
// makes can contain either; exchange.send puts the real ones in.
func (c *Client) sdk(x *exchange) *miniprogram.MiniProgram {
	sdk := miniprogram.NewMiniProgram(&config.Config{
		AppID:       c.cfg.AppID,
		AppSecret:   x.id,
		Cache:       c.tokens,
		UseStableAK: true,
	})
	sdk.SetAccessTokenContextHandle(x)
	return sdk
}

// accessToken returns the cached token or fetches one, one fetch at a time.
func (c *Client) accessToken(ctx context.Context) (string, *fault.Error) {
	if token := c.tokens.current(); token != "" {
		return token, nil
	}
	x := c.begin(ctx)
	defer x.end()
	// Bounded: while WeChat does not answer, each one let in would add his
	// own time-out to the wait of all behind him.
	wait, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-wait.Done():
		x.transportErr = wait.Err()
		return "", x.failure(opToken)
	}
	// Looks into the cache once more before it asks WeChat.
	token, err := c.stable.GetAccessTokenContext(x.ctx)
	if err != nil || token == "" {
		return "", x.failure(opToken)
	}
	return token, nil
}

// pause waits for about d and reports whether ctx still runs.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d/2+1)) //nolint:gosec // jitter, so that callers who failed together do not return together //nolint:gosec // jitter, not a secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
