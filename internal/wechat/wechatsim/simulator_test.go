package wechatsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/wechat/wechatsim"
)

const (
	appID  = "wx1"
	secret = "s3cret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type answer struct {
	Code        int    `json:"errcode"`
	Message     string `json:"errmsg"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	OpenID      string `json:"openid"`
	TraceID     string `json:"trace_id"`
}

// ask speaks to the simulator as any client would, without the SDK.
func ask(t *testing.T, h http.Handler, method, target, body string) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body)))
	require.Equal(t, http.StatusOK, w.Code)
	var a answer
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), w.Body.String())
	return a
}

func newSim(t *testing.T, cfg wechatsim.Config) (*wechatsim.Simulator, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), 1)
	cfg.AppID, cfg.Secret, cfg.Clock = appID, secret, clk
	s := wechatsim.New(cfg)
	t.Cleanup(s.Close)
	return s, clk
}

func stable(t *testing.T, s http.Handler, force string) answer {
	t.Helper()
	return ask(t, s, http.MethodPost, wechatsim.PathStableToken,
		`{"grant_type":"client_credential","appid":"wx1","secret":"s3cret","force_refresh":`+force+`}`)
}

func TestTokens(t *testing.T) {
	s, clk := newSim(t, wechatsim.Config{})
	use := func(token string) int {
		return ask(t, s, http.MethodPost, wechatsim.PathText+"?access_token="+token, `{"openid":"o1","scene":1,"version":2,"content":"x"}`).Code
	}
	first := stable(t, s, "false")
	assert.Equal(t, 7200, first.ExpiresIn)
	assert.Zero(t, use(first.AccessToken))
	assert.Equal(t, 41001, use(""))
	assert.Equal(t, 40001, use("made-up"))

	clk.Advance(time.Hour)
	again := stable(t, s, "false")
	assert.Equal(t, first.AccessToken, again.AccessToken)
	assert.Equal(t, 3600, again.ExpiresIn)

	forced := stable(t, s, "true")
	assert.NotEqual(t, first.AccessToken, forced.AccessToken)
	assert.Equal(t, 42001, use(first.AccessToken))
	assert.Zero(t, use(forced.AccessToken))

	const plain = wechatsim.PathToken + "?grant_type=client_credential&appid=wx1&secret=s3cret"
	other := ask(t, s, http.MethodGet, plain, "").AccessToken
	assert.Zero(t, use(other))
	assert.Zero(t, use(forced.AccessToken), "the two kinds of token are apart")
	assert.NotEqual(t, other, ask(t, s, http.MethodGet, plain, "").AccessToken)

	clk.Advance(2 * time.Hour)
	assert.Equal(t, 42001, use(forced.AccessToken))
	assert.NotEqual(t, forced.AccessToken, stable(t, s, "false").AccessToken)
}

func TestRefusals(t *testing.T) {
	s, _ := newSim(t, wechatsim.Config{})
	token := "?access_token=" + stable(t, s, "false").AccessToken
	const login = wechatsim.PathSession + "?appid=wx1&secret=s3cret&grant_type=authorization_code&js_code="
	for name, c := range map[string]struct {
		method, target, body string
		want                 int
	}{
		"app id of token":   {"GET", wechatsim.PathToken + "?appid=wx2&secret=s3cret", "", 40013},
		"secret of token":   {"GET", wechatsim.PathToken + "?appid=wx1&secret=x", "", 40125},
		"grant of token":    {"GET", wechatsim.PathToken + "?appid=wx1&secret=s3cret", "", 40002},
		"stable secret":     {"POST", wechatsim.PathStableToken, `{"appid":"wx1"}`, 40125},
		"stable grant":      {"POST", wechatsim.PathStableToken, `{"appid":"wx1","secret":"s3cret"}`, 40002},
		"stable body":       {"POST", wechatsim.PathStableToken, `x`, 47001},
		"method":            {"POST", login + "demo-a-1", "", 43001},
		"other method":      {"GET", wechatsim.PathText + token, "", 43002},
		"app id of login":   {"GET", wechatsim.PathSession + "?appid=wx2&js_code=demo-a-1", "", 40013},
		"grant of login":    {"GET", wechatsim.PathSession + "?appid=wx1&secret=s3cret&js_code=demo-a-1", "", 40002},
		"no code":           {"GET", login, "", 41008},
		"unknown code":      {"GET", login + "demo-a", "", 40029},
		"phone code":        {"POST", wechatsim.PathPhone + token, `{"code":"phone-123-1"}`, 40029},
		"receiver":          {"POST", wechatsim.PathSubscribe + token, `{}`, 40003},
		"template":          {"POST", wechatsim.PathSubscribe + token, `{"touser":"o1"}`, 40037},
		"page":              {"POST", wechatsim.PathSubscribe + token, `{"touser":"o1","template_id":"t","page":"/x"}`, 41030},
		"no data":           {"POST", wechatsim.PathSubscribe + token, `{"touser":"o1","template_id":"t"}`, 47003},
		"long data":         {"POST", wechatsim.PathSubscribe + token, `{"touser":"o1","template_id":"t","data":{"thing1":{"value":"` + strings.Repeat("字", 21) + `"}}}`, 47003},
		"scene":             {"POST", wechatsim.PathQRCode + token, `{"scene":"` + strings.Repeat("a", 33) + `"}`, 40129},
		"page of code":      {"POST", wechatsim.PathQRCode + token, `{"scene":"a","page":"a?b"}`, 41030},
		"old text version":  {"POST", wechatsim.PathText + token, `{"openid":"o1","scene":1,"content":"x"}`, 47003},
		"empty text":        {"POST", wechatsim.PathText + token, `{"openid":"o1","scene":1,"version":2}`, 44004},
		"long text":         {"POST", wechatsim.PathText + token, `{"openid":"o1","scene":1,"version":2,"content":"` + strings.Repeat("字", 2501) + `"}`, 45002},
		"old media version": {"POST", wechatsim.PathMedia + token, `{"openid":"o1","scene":1,"media_type":2,"media_url":"https://x/y"}`, 47003},
		"media url":         {"POST", wechatsim.PathMedia + token, `{"openid":"o1","scene":1,"version":2,"media_type":2,"media_url":"y"}`, 47003},
		"huge body":         {"POST", wechatsim.PathText + token, strings.Repeat("x", 2<<20), 47001},
	} {
		got := ask(t, s, c.method, c.target, c.body)
		assert.Equal(t, c.want, got.Code, name)
		assert.NotEmpty(t, got.Message, name)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/other", nil))
	assert.Equal(t, http.StatusNotFound, w.Code)
}

func TestLoginNames(t *testing.T) {
	s, _ := newSim(t, wechatsim.Config{})
	login := func(code string) answer {
		return ask(t, s, http.MethodGet, wechatsim.PathSession+"?appid=wx1&secret=s3cret&grant_type=authorization_code&js_code="+url.QueryEscape(code), "")
	}
	assert.Equal(t, s.OpenID("li-si"), login("demo-li-si-77").OpenID, "a name may hold a dash")
	assert.Len(t, s.OpenID("li-si"), 28)
	a, b := s.LoginCode("wang"), s.LoginCode("wang")
	assert.NotEqual(t, a, b)
	assert.Equal(t, login(a).OpenID, login(b).OpenID)
	assert.Equal(t, 40163, login(a).Code)
}

func TestRateLimit(t *testing.T) {
	s, clk := newSim(t, wechatsim.Config{LimitPerMinute: 2})
	assert.Zero(t, stable(t, s, "false").Code)
	assert.Zero(t, stable(t, s, "false").Code)
	assert.Equal(t, 45011, stable(t, s, "false").Code)
	clk.Advance(time.Minute)
	assert.Zero(t, stable(t, s, "false").Code)
	assert.Equal(t, 4, s.Calls(wechatsim.PathStableToken))
}

func TestFaults(t *testing.T) {
	s, _ := newSim(t, wechatsim.Config{})
	s.FailNext(wechatsim.PathStableToken, -1, 2)
	s.FailNext(wechatsim.PathStableToken, 45009, 1)
	for _, want := range []int{-1, -1, 45009, 0} {
		assert.Equal(t, want, stable(t, s, "false").Code)
	}
	assert.Panics(t, func() { s.FailNext("/unknown", -1, 1) })
	assert.Panics(t, func() { s.FailNext(wechatsim.PathText, -1, 0) })
}

// check submits an image and returns its answer.
func check(t *testing.T, s http.Handler) answer {
	t.Helper()
	token := stable(t, s, "false").AccessToken
	return ask(t, s, http.MethodPost, wechatsim.PathMedia+"?access_token="+token,
		`{"openid":"o1","scene":1,"version":2,"media_type":2,"media_url":"https://img.example/1.jpg"}`)
}

func TestCallbacks(t *testing.T) {
	var got atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.True(t, bytes.Contains(body, []byte(`"wxa_media_check"`)))
		got.Add(1)
	}))
	defer receiver.Close()

	t.Run("all arrive", func(t *testing.T) {
		s, _ := newSim(t, wechatsim.Config{CallbackURL: receiver.URL, CallbackToken: "t", CallbackDelay: time.Millisecond})
		require.NoError(t, s.WaitCallbacks(t.Context()), "nothing to wait for")
		traces := map[string]bool{}
		for range 50 {
			traces[check(t, s).TraceID] = true
		}
		require.NoError(t, s.WaitCallbacks(t.Context()))
		assert.Len(t, traces, 50)
		assert.EqualValues(t, 50, got.Load())
	})
	t.Run("are bounded in number and dropped at the end", func(t *testing.T) {
		got.Store(0)
		s, _ := newSim(t, wechatsim.Config{CallbackURL: receiver.URL, CallbackDelay: time.Hour, QueueSize: 3})
		for range 3 {
			assert.Zero(t, check(t, s).Code)
		}
		assert.Equal(t, -1, check(t, s).Code)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, s.WaitCallbacks(ctx), context.DeadlineExceeded)
		s.Close()
		require.NoError(t, s.WaitCallbacks(t.Context()))
		assert.Zero(t, got.Load())
		assert.Equal(t, -1, check(t, s).Code, "nothing is taken after the end")
	})
	t.Run("are given up when nobody takes them", func(t *testing.T) {
		s, _ := newSim(t, wechatsim.Config{CallbackURL: "http://127.0.0.1:1/"})
		assert.Zero(t, check(t, s).Code)
		require.NoError(t, s.WaitCallbacks(t.Context()))
	})
}

func TestStart(t *testing.T) {
	get := func(base string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+wechatsim.PathToken, nil)
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	t.Run("serves until closed", func(t *testing.T) {
		s, _ := newSim(t, wechatsim.Config{})
		base, err := s.Start(t.Context())
		require.NoError(t, err)
		require.NoError(t, get(base))
		_, err = s.Start(t.Context())
		require.Error(t, err, "once only")
		s.Close()
		s.Close()
		require.Error(t, get(base))
		_, err = s.Start(t.Context())
		require.Error(t, err)
	})
	t.Run("serves until its context ends", func(t *testing.T) {
		s, _ := newSim(t, wechatsim.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		base, err := s.Start(ctx)
		require.NoError(t, err)
		require.NoError(t, get(base))
		cancel()
		require.Eventually(t, func() bool { return get(base) != nil }, 5*time.Second, 5*time.Millisecond)
	})
	t.Run("lets go of hanging calls", func(t *testing.T) {
		s, _ := newSim(t, wechatsim.Config{})
		base, err := s.Start(t.Context())
		require.NoError(t, err)
		s.HangNext(wechatsim.PathToken, 1)
		done := make(chan error, 1)
		go func() { done <- get(base) }()
		require.Eventually(t, func() bool { return s.Calls(wechatsim.PathToken) == 1 }, 5*time.Second, time.Millisecond)
		s.Close()
		<-done //nolint:errcheck // a test server
	})
}
