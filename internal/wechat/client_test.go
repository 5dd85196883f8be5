package wechat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/wechat"
	"jiamenkou/internal/wechat/wechatsim"
)

const (
	appID  = "wx0123456789abcdef"
	secret = "5ecre7-0123456789abcdef-must-not-leak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the real SDK against the simulator over HTTP.
type rig struct {
	*wechat.Client
	sim   *wechatsim.Simulator
	clock *clock.Manual
}

func newRig(t *testing.T, change ...func(*wechat.Config)) rig {
	t.Helper()
	clk := clock.NewManual(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), 1)
	sim := wechatsim.New(wechatsim.Config{AppID: appID, Secret: secret, Clock: clk})
	server := httptest.NewServer(sim)
	client := newClient(t, server.URL, clk, change...)
	t.Cleanup(func() { // the simulator first: it lets go of requests that hang
		sim.Close()
		server.Close()
	})
	return rig{client, sim, clk}
}

func newClient(t *testing.T, baseURL string, clk clock.Clock, change ...func(*wechat.Config)) *wechat.Client {
	t.Helper()
	cfg := wechat.Config{AppID: appID, AppSecret: secret, BaseURL: baseURL, RetryDelay: time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	client, err := wechat.New(cfg, clk)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func message(openID string) wechat.SubscribeMessage {
	return wechat.SubscribeMessage{
		OpenID: openID, TemplateID: "tmpl_1", Page: "pages/wallet/index?from=msg",
		Data: map[string]string{"thing1": "您有一笔积分到账", "time2": "2026-11-22 12:00"},
	}
}

// calls are all the calls of a Client, each with arguments that are fine.
func calls(r rig) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		wechatsim.PathSession: func(ctx context.Context) error {
			_, err := r.CodeToSession(ctx, r.sim.LoginCode("wang"))
			return err
		},
		wechatsim.PathPhone: func(ctx context.Context) error {
			_, err := r.PhoneNumber(ctx, r.sim.PhoneCode("13800001111"))
			return err
		},
		wechatsim.PathSubscribe: func(ctx context.Context) error {
			return r.SendSubscribe(ctx, message(r.sim.OpenID("wang")))
		},
		wechatsim.PathQRCode: func(ctx context.Context) error {
			_, err := r.QRCode(ctx, "a=1", "pages/scan/index")
			return err
		},
		wechatsim.PathText: func(ctx context.Context) error {
			_, err := r.CheckText(ctx, r.sim.OpenID("wang"), wechat.SceneForum, "路灯坏了")
			return err
		},
		wechatsim.PathMedia: func(ctx context.Context) error {
			_, err := r.CheckImage(ctx, r.sim.OpenID("wang"), "https://img.example/1.jpg", wechat.SceneForum)
			return err
		},
	}
}

func TestCodeToSession(t *testing.T) {
	ctx := t.Context()
	t.Run("gives one person one openid", func(t *testing.T) {
		r := newRig(t)
		first, err := r.CodeToSession(ctx, "demo-wang-1")
		require.NoError(t, err)
		second, err := r.CodeToSession(ctx, "demo-wang-2")
		require.NoError(t, err)
		other, err := r.CodeToSession(ctx, "demo-li-1")
		require.NoError(t, err)
		assert.Equal(t, r.sim.OpenID("wang"), first.OpenID)
		assert.Equal(t, first.OpenID, second.OpenID)
		assert.Equal(t, first.UnionID, second.UnionID)
		assert.NotEqual(t, first.OpenID, other.OpenID)
		assert.NotEmpty(t, first.SessionKey)
		assert.NotEqual(t, first.SessionKey, second.SessionKey)
		assert.Zero(t, r.sim.Calls(wechatsim.PathStableToken), "a login needs no access token")
	})
	t.Run("refuses a code the second time", func(t *testing.T) {
		r := newRig(t)
		code := r.sim.LoginCode("wang")
		_, err := r.CodeToSession(ctx, code)
		require.NoError(t, err)
		_, err = r.CodeToSession(ctx, code)
		require.ErrorIs(t, err, wechat.ErrCodeUsed)
	})
	t.Run("refuses an unknown code", func(t *testing.T) {
		r := newRig(t)
		session, err := r.CodeToSession(ctx, "0a1b2c3d4e5f")
		require.ErrorIs(t, err, wechat.ErrCodeInvalid)
		assert.Zero(t, session)
	})
	t.Run("never sends a code that could carry parameters", func(t *testing.T) {
		r := newRig(t)
		for _, code := range []string{"", "abc&appid=evil", "a b", "a%26", "码", "a\n", strings.Repeat("a", 129)} {
			_, err := r.CodeToSession(ctx, code)
			require.ErrorIs(t, err, wechat.ErrCodeInvalid)
			_, err = r.PhoneNumber(ctx, code)
			require.ErrorIs(t, err, wechat.ErrCodeInvalid)
		}
		assert.Zero(t, r.sim.Calls(wechatsim.PathSession)+r.sim.Calls(wechatsim.PathPhone))
	})
}

func TestPhoneNumber(t *testing.T) {
	r := newRig(t)
	code := r.sim.PhoneCode("13800001111")
	phone, err := r.PhoneNumber(t.Context(), code)
	require.NoError(t, err)
	assert.Equal(t, "13800001111", phone)

	_, err = r.PhoneNumber(t.Context(), code)
	require.ErrorIs(t, err, wechat.ErrCodeUsed)
	assert.Contains(t, fault.As(err).Message, "手机号", "a used phone code is renewed by a tap, not by logging in")
}

func TestPhoneNumberFromAbroadAndForOthers(t *testing.T) {
	for owner, want := range map[string]string{appID: "+85261234567", "wxother": ""} {
		client := fixed(t, `{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200,"phone_info":
			{"phoneNumber":"85261234567","purePhoneNumber":"61234567","countryCode":"852","watermark":{"appid":"`+owner+`"}}}`)
		phone, err := client.PhoneNumber(t.Context(), "abc")
		assert.Equal(t, want, phone)
		assert.Equal(t, want == "", err != nil)
	}
}

func TestSendSubscribe(t *testing.T) {
	ctx := t.Context()
	t.Run("delivers the message", func(t *testing.T) {
		r := newRig(t, func(c *wechat.Config) { c.EnvVersion = wechat.EnvTrial })
		m := message(r.sim.OpenID("wang"))
		require.NoError(t, r.SendSubscribe(ctx, m))
		sent := r.sim.Sent()
		require.Len(t, sent, 1)
		assert.Equal(t, wechatsim.SentMessage{
			OpenID: m.OpenID, TemplateID: m.TemplateID, Page: m.Page, State: "trial", Data: m.Data, At: r.clock.Now(),
		}, sent[0])
	})
	t.Run("tells of a refusal", func(t *testing.T) {
		r := newRig(t)
		r.sim.RefuseMessages(r.sim.OpenID("wang"), true)
		require.ErrorIs(t, r.SendSubscribe(ctx, message(r.sim.OpenID("wang"))), wechat.ErrSubscribeRefused)
		assert.Empty(t, r.sim.Sent())
		r.sim.RefuseMessages(r.sim.OpenID("wang"), false)
		require.NoError(t, r.SendSubscribe(ctx, message(r.sim.OpenID("wang"))))
	})
	t.Run("refuses what WeChat would refuse, without echo", func(t *testing.T) {
		r := newRig(t)
		for name, change := range map[string]func(*wechat.SubscribeMessage){
			"openid":      func(m *wechat.SubscribeMessage) { m.OpenID = "evil evil" }, //nolint:dupword // twice on purpose
			"template":    func(m *wechat.SubscribeMessage) { m.TemplateID = "" },
			"page":        func(m *wechat.SubscribeMessage) { m.Page = "/evil" },
			"no data":     func(m *wechat.SubscribeMessage) { m.Data = nil },
			"keyword":     func(m *wechat.SubscribeMessage) { m.Data = map[string]string{"evil": "x"} },
			"bare kind":   func(m *wechat.SubscribeMessage) { m.Data = map[string]string{"thing": "x"} },
			"empty value": func(m *wechat.SubscribeMessage) { m.Data = map[string]string{"thing1": ""} },
			"long value":  func(m *wechat.SubscribeMessage) { m.Data = map[string]string{"thing1": strings.Repeat("evil", 6)} },
		} {
			m := message("o1")
			change(&m)
			err := r.SendSubscribe(ctx, m)
			require.Equal(t, fault.Invalid, fault.KindOf(err), name)
			assert.NotContains(t, fmt.Sprintf("%v %+v", err, fault.As(err).Fields), "evil", name)
		}
		assert.Zero(t, r.sim.Calls(wechatsim.PathSubscribe))
	})
}

func TestFitValue(t *testing.T) {
	long := strings.Repeat("社区", 15)
	assert.Equal(t, strings.Repeat("社区", 9)+"社…", wechat.FitValue("thing1", long))
	assert.Equal(t, "短", wechat.FitValue("thing1", "短"))
	assert.Equal(t, "社区社区…", wechat.FitValue("phrase2", long))
	assert.Equal(t, long, wechat.FitValue("unknown", long))
}

func TestQRCode(t *testing.T) {
	r := newRig(t)
	image, err := r.QRCode(t.Context(), "o=01HZY,v=1&x=~", "pages/scan/index")
	require.NoError(t, err)
	_, err = jpeg.Decode(bytes.NewReader(image))
	require.NoError(t, err)

	_, err = r.QRCode(t.Context(), strings.Repeat("s", 32), "")
	require.NoError(t, err)
	before := r.sim.Calls(wechatsim.PathQRCode)
	for _, bad := range [][2]string{
		{"", "pages/a"},
		{strings.Repeat("s", 33), "pages/a"},
		{"中文", "pages/a"},
		{"a b", "pages/a"},
		{"a%20", "pages/a"},
		{"ok", "/pages/a"},
		{"ok", "pages/a?x=1"},
	} {
		_, err := r.QRCode(t.Context(), bad[0], bad[1])
		require.Equal(t, fault.Invalid, fault.KindOf(err), bad)
	}
	assert.Equal(t, before, r.sim.Calls(wechatsim.PathQRCode))
}

func TestQRCodeTakesImageTypeWithParameters(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == wechatsim.PathStableToken {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":7200}`))
			return
		}
		w.Header().Set("Content-Type", "image/jpeg; charset=binary")
		_, _ = w.Write([]byte("\xff\xd8"))
	})
	image, err := client.QRCode(t.Context(), "s", "")
	require.NoError(t, err)
	assert.Equal(t, []byte("\xff\xd8"), image)
}

func TestCheckText(t *testing.T) {
	r := newRig(t)
	for text, want := range map[string]wechat.Suggest{
		"路灯坏了":                                   wechat.SuggestPass,
		"这是" + wechatsim.MarkerRisky:             wechat.SuggestRisky,
		"这是" + wechatsim.MarkerReview:            wechat.SuggestReview,
		strings.Repeat("字", wechat.MaxTextRunes): wechat.SuggestPass,
	} {
		verdict, err := r.CheckText(t.Context(), r.sim.OpenID("wang"), wechat.SceneComment, text)
		require.NoError(t, err)
		assert.Equal(t, want, verdict.Suggest)
		assert.NotEmpty(t, verdict.TraceID)
		assert.Equal(t, want == wechat.SuggestPass, verdict.Label == 100)
	}
	before := r.sim.Calls(wechatsim.PathText)
	for _, bad := range []struct {
		openID string
		scene  int
		text   string
	}{{"", 1, "x"}, {"o1", 0, "x"}, {"o1", 5, "x"}, {"o1", 257, "x"}, {"o1", 1, ""}, {"o1", 1, strings.Repeat("字", 2501)}, {"o1", 1, "\xff"}} {
		_, err := r.CheckText(t.Context(), bad.openID, bad.scene, bad.text)
		require.Equal(t, fault.Invalid, fault.KindOf(err), bad)
	}
	assert.Equal(t, before, r.sim.Calls(wechatsim.PathText))
}

func TestCheckTextNeverPassesWhatItCannotRead(t *testing.T) {
	for _, answer := range []string{`{"access_token":"t","expires_in":7200}`, `{"access_token":"t","expires_in":7200,"result":{"suggest":"fine"}}`} {
		verdict, err := fixed(t, answer).CheckText(t.Context(), "o1", wechat.SceneForum, "x")
		require.ErrorIs(t, err, wechat.ErrUnavailable)
		assert.Zero(t, verdict)
	}
}

func TestCheckImageRefusesBadURLs(t *testing.T) {
	r := newRig(t)
	for _, bad := range []string{"", "/a.jpg", "file:///etc/passwd", "https://", "://", "https://x/" + strings.Repeat("a", 2048)} {
		_, err := r.CheckImage(t.Context(), "o1", bad, wechat.SceneForum)
		require.Equal(t, fault.Invalid, fault.KindOf(err), bad)
	}
	assert.Zero(t, r.sim.Calls(wechatsim.PathMedia))
}

// Every number of WeChat's on every call: through texts for some SDK calls,
// through types for others.
func TestErrorCodes(t *testing.T) {
	expected := map[int]*fault.Error{
		-1: wechat.ErrBusy, 40001: wechat.ErrTokenRejected, 40014: wechat.ErrTokenRejected, 42001: wechat.ErrTokenRejected,
		40003: wechat.ErrOpenIDInvalid, 40013: wechat.ErrMisconfigured, 40125: wechat.ErrMisconfigured, 40164: wechat.ErrMisconfigured,
		40029: wechat.ErrCodeInvalid, 40163: wechat.ErrCodeUsed, 40226: wechat.ErrUserBlocked,
		40037: wechat.ErrTemplateInvalid, 47003: wechat.ErrTemplateInvalid, 41030: wechat.ErrPageInvalid,
		43101: wechat.ErrSubscribeRefused, 45009: wechat.ErrQuotaExhausted, 45011: wechat.ErrRateLimited,
		61010: wechat.ErrUserInactive, 99999: wechat.ErrRefused,
	}
	r := newRig(t)
	for path, call := range calls(r) {
		for code, want := range expected {
			t.Run(fmt.Sprintf("%s %d", path, code), func(t *testing.T) {
				r.sim.FailNext(path, code, 20)
				err := call(t.Context())
				r.sim.ClearFaults()
				require.ErrorIs(t, err, want)
				assert.Equal(t, want.Kind, fault.KindOf(err))
				assert.Equal(t, want.RetryAfter, fault.As(err).RetryAfter)
				assert.Contains(t, err.Error(), fmt.Sprintf("errcode %d:", code), "the operator needs the number")
				require.NoError(t, call(t.Context()), "the next call works again")
			})
		}
	}
}

func TestErrorCodesOfTheTokenItself(t *testing.T) {
	for code, want := range map[int]*fault.Error{
		40001: wechat.ErrMisconfigured, 40125: wechat.ErrMisconfigured, 40164: wechat.ErrMisconfigured, -1: wechat.ErrBusy, 45011: wechat.ErrRateLimited,
	} {
		r := newRig(t)
		r.sim.FailNext(wechatsim.PathStableToken, code, 20)
		require.ErrorIs(t, r.SendSubscribe(t.Context(), message("o1")), want)
		assert.Zero(t, r.sim.Calls(wechatsim.PathSubscribe))
	}
}

func TestBusy(t *testing.T) {
	repeated := map[string]bool{wechatsim.PathQRCode: true, wechatsim.PathText: true}
	for path := range calls(newRig(t)) {
		t.Run("is met with as many calls as are safe: "+path, func(t *testing.T) {
			r := newRig(t)
			call := calls(r)[path]
			r.sim.FailNext(path, -1, 1)
			r.sim.StatusNext(path, http.StatusBadGateway, 1)
			err := call(t.Context())
			if repeated[path] {
				require.NoError(t, err)
				assert.Equal(t, 3, r.sim.Calls(path))
				return
			}
			require.ErrorIs(t, err, wechat.ErrBusy)
			assert.Equal(t, 1, r.sim.Calls(path))
		})
	}
	t.Run("ends the repeats at the limit", func(t *testing.T) {
		r := newRig(t, func(c *wechat.Config) { c.MaxRetries = 3 })
		r.sim.FailNext(wechatsim.PathText, -1, 100)
		_, err := r.CheckText(t.Context(), "o1", wechat.SceneForum, "x")
		require.ErrorIs(t, err, wechat.ErrBusy)
		assert.Equal(t, 4, r.sim.Calls(wechatsim.PathText))
	})
	t.Run("while fetching the token is repeated for every call", func(t *testing.T) {
		r := newRig(t)
		r.sim.FailNext(wechatsim.PathStableToken, -1, 2)
		require.NoError(t, r.SendSubscribe(t.Context(), message("o1")))
		assert.Equal(t, 3, r.sim.Calls(wechatsim.PathStableToken))
		assert.Len(t, r.sim.Sent(), 1)
	})
	t.Run("is not repeated when repeats are off", func(t *testing.T) {
		r := newRig(t, func(c *wechat.Config) { c.MaxRetries = -1 })
		r.sim.FailNext(wechatsim.PathText, -1, 1)
		_, err := r.CheckText(t.Context(), "o1", wechat.SceneForum, "x")
		require.ErrorIs(t, err, wechat.ErrBusy)
	})
}

func TestToken(t *testing.T) {
	many := func(t *testing.T, r rig, n int) {
		t.Helper()
		var group sync.WaitGroup
		for range n {
			group.Go(func() {
				assert.NoError(t, r.SendSubscribe(t.Context(), message("o1")))
			})
		}
		group.Wait()
	}
	t.Run("is fetched once for many calls at once", func(t *testing.T) {
		r := newRig(t)
		many(t, r, 40)
		many(t, r, 40)
		assert.Equal(t, 1, r.sim.Calls(wechatsim.PathStableToken))
		assert.Zero(t, r.sim.Calls(wechatsim.PathToken), "the stable token is used")
		assert.Len(t, r.sim.Sent(), 80)
	})
	t.Run("is refreshed once when it expired early", func(t *testing.T) {
		r := newRig(t)
		many(t, r, 1)
		r.sim.ExpireTokens()
		many(t, r, 40)
		assert.Equal(t, 2, r.sim.Calls(wechatsim.PathStableToken))
		assert.Len(t, r.sim.Sent(), 41)
	})
	t.Run("is refreshed when WeChat forgot it", func(t *testing.T) {
		r := newRig(t)
		for path, call := range calls(r) {
			require.NoError(t, call(t.Context()))
			r.sim.ForgetTokens()
			require.NoError(t, call(t.Context()), path)
		}
	})
	t.Run("is refreshed before its time is over", func(t *testing.T) {
		r := newRig(t)
		many(t, r, 1)
		r.clock.Advance(2*time.Hour - 6*time.Minute)
		many(t, r, 1)
		assert.Equal(t, 1, r.sim.Calls(wechatsim.PathStableToken))
		r.clock.Advance(6 * time.Minute)
		many(t, r, 1)
		assert.Equal(t, 2, r.sim.Calls(wechatsim.PathStableToken))
	})
	t.Run("is refreshed no more than once a call", func(t *testing.T) {
		r := newRig(t)
		r.sim.FailNext(wechatsim.PathSubscribe, 42001, 10)
		err := r.SendSubscribe(t.Context(), message("o1"))
		require.ErrorIs(t, err, wechat.ErrTokenRejected)
		assert.Equal(t, fault.Unavailable, fault.KindOf(err))
		assert.Equal(t, 2, r.sim.Calls(wechatsim.PathSubscribe))
	})
	t.Run("waits no longer than its caller", func(t *testing.T) {
		r := newRig(t)
		r.sim.HangNext(wechatsim.PathStableToken, 1)
		holding, release := context.WithCancel(t.Context())
		held := make(chan error, 1)
		go func() { held <- r.SendSubscribe(holding, message("o1")) }()
		require.Eventually(t, func() bool { return r.sim.Calls(wechatsim.PathStableToken) == 1 }, 5*time.Second, time.Millisecond)

		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, r.SendSubscribe(ctx, message("o1")), context.DeadlineExceeded)
		release()
		require.ErrorIs(t, <-held, context.Canceled)
		require.NoError(t, r.SendSubscribe(t.Context(), message("o1")))
	})
	t.Run("that does not come holds nobody for long", func(t *testing.T) {
		r := newRig(t, func(c *wechat.Config) { c.Timeout, c.MaxRetries = 300*time.Millisecond, -1 })
		r.sim.HangNext(wechatsim.PathStableToken, 100)
		begin := time.Now()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				assert.ErrorIs(t, r.SendSubscribe(t.Context(), message("o1")), wechat.ErrUnavailable)
			})
		}
		group.Wait()
		assert.Less(t, time.Since(begin), 3*time.Second, "one after the other they would take six seconds")
	})
	t.Run("is an error when WeChat sends none", func(t *testing.T) {
		require.ErrorIs(t, fixed(t, `{}`).SendSubscribe(t.Context(), message("o1")), wechat.ErrUnavailable)
	})
}

func TestContext(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.SendSubscribe(t.Context(), message("o1"))) // fetch the token
	for path, call := range calls(r) {
		t.Run("ends the call at once: "+path, func(t *testing.T) {
			r.sim.HangNext(path, 1)
			before := r.sim.Calls(path)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- call(ctx) }()
			require.Eventually(t, func() bool { return r.sim.Calls(path) == before+1 }, 5*time.Second, time.Millisecond)
			cancel()
			select {
			case err := <-done:
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, wechat.ErrUnavailable)
			case <-time.After(3 * time.Second):
				t.Fatal("the call ignores its context")
			}
			assert.Equal(t, before+1, r.sim.Calls(path), "nothing is repeated")
		})
		t.Run("that is over sends nothing: "+path, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			before := r.sim.Calls(path)
			require.ErrorIs(t, call(ctx), context.Canceled)
			assert.Equal(t, before, r.sim.Calls(path))
		})
	}
}

func TestTimeout(t *testing.T) {
	r := newRig(t, func(c *wechat.Config) { c.Timeout, c.MaxRetries = 300*time.Millisecond, -1 })
	for path, call := range calls(r) {
		r.sim.HangNext(path, 1)
		err := call(t.Context())
		require.ErrorIs(t, err, wechat.ErrUnavailable, path)
		assert.Contains(t, err.Error(), "in time", path)
	}
}

// serve makes a Client of a server that is not the simulator.
func serve(t *testing.T, handler http.HandlerFunc) *wechat.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClient(t, server.URL, clock.NewSystem())
}

func fixed(t *testing.T, answer string) *wechat.Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
	})
}

func TestNoSecretInAnyError(t *testing.T) {
	const token = "7oken-must-not-leak"
	withToken := func(rest http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == wechatsim.PathStableToken {
				_, _ = w.Write([]byte(`{"access_token":"` + token + `","expires_in":7200}`))
				return
			}
			rest(w, r)
		}
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"errcode": 40164, "errmsg": "no\r\n" + r.URL.String() + " " + secret})
	}
	for name, handler := range map[string]http.HandlerFunc{
		"status":          withToken(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }),
		"status of token": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"not json":        withToken(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.String())) }), //nolint:gosec // a test server
		"token not json":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(secret)) },
		"echo":            withToken(echo),
		"token echo":      echo,
		"redirect": withToken(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/x", http.StatusFound)
		}),
		"abort": withToken(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"bad header": withToken(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = conn.Write([]byte(token + secret + "\r\n\r\n"))
			_ = conn.Close()
		}),
		"too large": withToken(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(token), 1<<18)) }),
		"slow": withToken(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the caller has gone
			<-r.Context().Done()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(handler)
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.Start()
			defer server.Close()
			client := newClient(t, server.URL, clock.NewSystem(), func(c *wechat.Config) { c.Timeout, c.MaxRetries = 200*time.Millisecond, 1 })
			noSecrets(t, client, secret, token, "js-code-1", "access_token=")
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		noSecrets(t, newClient(t, server.URL, clock.NewSystem()), secret, "js-code-1")
	})
}

func noSecrets(t *testing.T, client *wechat.Client, secrets ...string) {
	t.Helper()
	r := rig{client, wechatsim.New(wechatsim.Config{}), nil}
	all := calls(r)
	all["code"] = func(ctx context.Context) error { _, err := client.CodeToSession(ctx, "js-code-1"); return err }
	for path, call := range all {
		err := call(t.Context())
		require.Error(t, err, path)
		require.NotNil(t, fault.As(err), "%s: %v", path, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "err", e)
			text := fmt.Sprintf("%v\n%+v\n%#v\n%s", e, e, e, log.String())
			for _, s := range secrets {
				assert.NotContains(t, strings.ReplaceAll(text, "access_token=***", ""), s, path)
			}
			assert.NotContains(t, e.Error(), "\n", path)
		}
	}
}

func TestNothingPrintsItsSecrets(t *testing.T) {
	session := wechat.Session{OpenID: "o1", UnionID: "u1", SessionKey: secret}
	cfg := wechat.Config{AppID: appID, AppSecret: secret}
	client, err := wechat.New(cfg, clock.NewSystem())
	require.NoError(t, err)
	for _, value := range []any{session, &session, cfg, &cfg, client, struct{ S wechat.Session }{session}, []wechat.Config{cfg}} {
		var text, js bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", value)
		if _, isConfig := value.([]wechat.Config); !isConfig {
			slog.New(slog.NewJSONHandler(&js, nil)).Info("x", "v", value)
		}
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q", value, value, value, value, value)+text.String()+js.String(), secret)
	}
	assert.Contains(t, session.String(), "o1")
}

func TestClientsKeepApart(t *testing.T) {
	a, b := newRig(t), newRig(t)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { assert.NoError(t, a.SendSubscribe(t.Context(), message("oa"))) })
		group.Go(func() { assert.NoError(t, b.SendSubscribe(t.Context(), message("ob"))) })
	}
	group.Wait()
	for r, want := range map[*wechatsim.Simulator]string{a.sim: "oa", b.sim: "ob"} {
		require.Len(t, r.Sent(), 20)
		for _, m := range r.Sent() {
			assert.Equal(t, want, m.OpenID)
		}
	}
}

func TestNoExchangeIsKept(t *testing.T) {
	r := newRig(t)
	r.sim.FailNext(wechatsim.PathStableToken, -1, 1)
	r.sim.FailNext(wechatsim.PathQRCode, 42001, 1)
	for _, call := range calls(r) {
		require.NoError(t, call(t.Context()))
	}
	assert.Zero(t, wechat.Exchanges())
}

func TestSDKOutsideAClientSendsNothing(t *testing.T) {
	newRig(t)
	_, err := util.HTTPGet("https://api.weixin.qq.com/cgi-bin/token?secret=x")
	require.ErrorContains(t, err, "outside a Client")
}

func TestNewRefusesBadConfig(t *testing.T) {
	for name, change := range map[string]func(*wechat.Config){
		"no app id":           func(c *wechat.Config) { c.AppID = "" },
		"no secret":           func(c *wechat.Config) { c.AppSecret = "" },
		"plain http":          func(c *wechat.Config) { c.BaseURL = "http://sim.example" },
		"relative":            func(c *wechat.Config) { c.BaseURL = "sim.example" },
		"user":                func(c *wechat.Config) { c.BaseURL = "https://u:p@sim.example" },
		"query":               func(c *wechat.Config) { c.BaseURL = "https://sim.example/?a" },
		"environment":         func(c *wechat.Config) { c.EnvVersion = "prod" },
		"time-out too long":   func(c *wechat.Config) { c.Timeout = time.Hour },
		"time-out negative":   func(c *wechat.Config) { c.Timeout = -1 },
		"too many repeats":    func(c *wechat.Config) { c.MaxRetries = 100 },
		"delay negative":      func(c *wechat.Config) { c.RetryDelay = -1 },
		"connection negative": func(c *wechat.Config) { c.MaxConns = -1 },
	} {
		cfg := wechat.Config{AppID: appID, AppSecret: secret}
		change(&cfg)
		_, err := wechat.New(cfg, clock.NewSystem())
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), secret)
	}
	for _, base := range []string{"", "https://proxy.example/wx/", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"} {
		_, err := wechat.New(wechat.Config{AppID: appID, AppSecret: secret, BaseURL: base}, clock.NewSystem())
		require.NoError(t, err, base)
	}
}

func TestBaseURLWithPath(t *testing.T) {
	sim := wechatsim.New(wechatsim.Config{AppID: appID, Secret: secret})
	defer sim.Close()
	server := httptest.NewServer(http.StripPrefix("/wx", sim))
	defer server.Close()
	client := newClient(t, server.URL+"/wx/", clock.NewSystem())
	_, err := client.CodeToSession(t.Context(), sim.LoginCode("wang"))
	require.NoError(t, err)
	require.NoError(t, client.SendSubscribe(t.Context(), message("o1")))
}
