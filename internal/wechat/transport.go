package wechat

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"jiamenkou/internal/fault"
)

const (
	wechatHost = "api.weixin.qq.com" // the host in the SDK's URLs

	// maxAnswerBytes bounds an answer; the largest one is a code's JPEG, some
	// 100 kB at the widest.
	maxAnswerBytes = 2 << 20

	// backstop is above every Config.Timeout, so that it never speaks first.
	backstop = maxTimeout + 5*time.Second
)

var (
	errStray    = errors.New("wechat: SDK request outside a Client")
	errTooLarge = errors.New("answer too large")
)

// installTransport replaces the SDK's process-wide HTTP client, once: this is
// the only place that touches it. Every Client of the process shares it; the
// router finds out whose request it is.
var installTransport = sync.OnceFunc(func() {
	util.DefaultHTTPClient = &http.Client{
		Transport: router{},
		Timeout:   backstop,
		// A redirect would carry a URL with the AppSecret to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
})

// router hands each request of the SDK to the exchange that caused it.
type router struct{}

// RoundTrip implements http.RoundTripper.
func (router) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req)
	if x == nil || req.URL.Scheme != "https" || req.URL.Host != wechatHost {
		// Not ours, so nothing is known about its time-out or what may be
		// shown of it: better no request than one with a secret in its errors.
		closeBody(req)
		return nil, errStray
	}
	resp, err := x.send(req)
	x.transportErr = err
	return resp, err
}

// exchange is one HTTP exchange of a Client: it carries the caller's context
// to SDK calls that take none, stands in for the secrets while the SDK works,
// and keeps what WeChat answered. Used by one goroutine.
type exchange struct {
	client *Client
	ctx    context.Context //nolint:containedctx // it exists to carry the context past SDK calls that take none
	id     string          // what the SDK sees as access token and as secret
	hide   []string        // arguments that no error may repeat: codes that may still be unused

	token        string       // the access token sent, "" if none
	tokenFailure *fault.Error // why there is no token
	transportErr error        // no answer at all, or not status 200
	code         int64        // errcode, 0 if none
	message      string       // errmsg
}

type exchangeKey struct{}

var (
	exchanges  sync.Map // id -> *exchange, while it runs
	exchangeNo atomic.Uint64
)

func (c *Client) begin(ctx context.Context) *exchange {
	x := &exchange{client: c, id: "x" + strconv.FormatUint(exchangeNo.Add(1), 10)}
	x.ctx = context.WithValue(ctx, exchangeKey{}, x)
	exchanges.Store(x.id, x)
	return x
}

func (x *exchange) end() { exchanges.Delete(x.id) }

// exchangeOf finds the exchange by the request's context or, for SDK calls
// without one (subscribe messages, codes), by the id given as access token.
func exchangeOf(req *http.Request) *exchange {
	if x, ok := req.Context().Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	if x, ok := exchanges.Load(req.URL.Query().Get("access_token")); ok {
		return x.(*exchange) //nolint:forcetypeassert // as above
	}
	return nil
}

// GetAccessToken implements the SDK's token handle: it fetches the real token
// and tells the SDK the exchange's id.
func (x *exchange) GetAccessToken() (string, error) {
	if x.token, x.tokenFailure = x.client.accessToken(x.ctx); x.tokenFailure != nil {
		return "", x.tokenFailure
	}
	return x.id, nil
}

// GetAccessTokenContext implements the same; the exchange has its context.
func (x *exchange) GetAccessTokenContext(context.Context) (string, error) { return x.GetAccessToken() }

// send puts the secrets in, sends the request to the base URL and reads the
// whole answer, all under the caller's context and the Client's time-out:
// when it returns, nothing of the request is left running.
func (x *exchange) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(x.ctx, x.client.cfg.Timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := x.client.transport.RoundTrip(x.outgoing(ctx, req))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, statusError(resp.StatusCode)
	case len(body) > maxAnswerBytes:
		return nil, errTooLarge
	}
	x.note(body)
	// The SDK compares with exactly this text before it takes a code's image.
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && media == "image/jpeg" {
		resp.Header.Set("Content-Type", media)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// outgoing is a copy of req with the real host and secrets. The original
// keeps the stand-ins: it is the one that http.Client's errors print.
func (x *exchange) outgoing(ctx context.Context, req *http.Request) *http.Request {
	out := req.Clone(ctx)
	base := x.client.base
	out.URL.Scheme, out.URL.Host, out.Host = base.Scheme, base.Host, ""
	out.URL.Path = base.Path + req.URL.Path
	query := out.URL.Query()
	if query.Get("access_token") == x.id {
		query.Set("access_token", x.token)
	}
	if query.Get("secret") == x.id {
		query.Set("secret", x.client.cfg.AppSecret)
	}
	out.URL.RawQuery = query.Encode()
	return out
}

// note keeps the error code of an answer: half of the SDK's calls only return
// it inside a text. An image or an unreadable body has none.
func (x *exchange) note(body []byte) {
	var answer struct {
		Code    int64  `json:"errcode"`
		Message string `json:"errmsg"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Unmarshal(body, &answer) == nil {
		x.code, x.message = answer.Code, answer.Message
	}
}

// failure says why the SDK call failed. Its text is made from what is known
// to be harmless, never from the SDK's own error, and is scrubbed besides.
func (x *exchange) failure(op string) *fault.Error {
	switch {
	case x.ctx.Err() != nil:
		return ErrUnavailable.WithCause(fmt.Errorf("wechat: %s: %w", op, x.ctx.Err()))
	case x.tokenFailure != nil:
		return x.tokenFailure
	case x.transportErr != nil:
		return ErrUnavailable.WithCause(fmt.Errorf("wechat: %s: %s", op, x.scrub(describe(x.transportErr))))
	case x.code != 0:
		cause := fmt.Errorf("wechat: %s: errcode %d: %s", op, x.code, x.scrub(x.message))
		return faultOf(op, x.code).WithCause(cause)
	default:
		return ErrUnavailable.WithCause(fmt.Errorf("wechat: %s: unreadable answer", op))
	}
}

// statusError is an answer with another status than 200.
type statusError int

func (e statusError) Error() string { return "status " + strconv.Itoa(int(e)) }

// describe gives the text of those errors that say what went wrong with the
// connection. The others can quote what the server sent (net/http's
// "malformed HTTP response …"), which may hold a session key.
func describe(err error) string {
	var (
		status  statusError
		network *net.OpError
		cert    *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &status), errors.Is(err, errTooLarge), errors.As(err, &network), errors.As(err, &cert):
		return err.Error()
	default:
		return "connection broken"
	}
}

const maxMessageRunes = 200

// scrub removes the secrets and whatever could break a log line from a text
// that came from outside.
func (x *exchange) scrub(text string) string {
	for _, secret := range append(slices.Clone(x.hide), x.client.cfg.AppSecret, x.token, x.client.tokens.current()) {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
			text = strings.ReplaceAll(text, url.QueryEscape(secret), "***")
		}
	}
	text = strings.ToValidUTF8(text, "?")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > maxMessageRunes {
		text = string(runes[:maxMessageRunes]) + "…"
	}
	return text
}

// tokenRejected reports that WeChat did not take the access token it was sent.
func (x *exchange) tokenRejected() bool {
	if x.token == "" {
		return false
	}
	switch x.code {
	case codeInvalidCredential, codeInvalidToken, codeTokenExpired:
		return true
	}
	return false
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
