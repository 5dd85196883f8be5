package wechat_test

import (
	"crypto/sha1" //nolint:gosec // WeChat's algorithm
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/wechat"
	"jiamenkou/internal/wechat/wechatsim"
)

const callbackJSON = `{"ToUserName":"gh_38cc49f9733b","FromUserName":"oH1fu0FdHqpToe2T6gBj0WyB8iS1","CreateTime":1554872560,
"MsgType":"event","Event":"wxa_media_check","appid":"wx8f16a5e77871c3f9","trace_id":"60ae120f-371d5872-7941a05b","version":2,
"detail":[{"strategy":"content_model","errcode":0,"suggest":"risky","label":20002,"prob":90}],
"errcode":0,"errmsg":"ok","result":{"suggest":"risky","label":20002}}`

const callbackXML = `<?xml version="1.0" encoding="utf-8"?>
<xml><ToUserName><![CDATA[gh_38cc49f9733b]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName><CreateTime>1554872560</CreateTime>
<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[wxa_media_check]]></Event><appid><![CDATA[wx8f16a5e77871c3f9]]></appid>
<trace_id><![CDATA[60ae120f-371d5872-7941a05b]]></trace_id><version>2</version>
<detail><strategy><![CDATA[content_model]]></strategy><errcode>-1</errcode><suggest><![CDATA[pass]]></suggest><label>100</label></detail>
<detail><strategy><![CDATA[keyword]]></strategy><errcode>0</errcode><suggest><![CDATA[risky]]></suggest><label>20002</label></detail>
<errcode>0</errcode><errmsg><![CDATA[ok]]></errmsg>
<result><suggest><![CDATA[risky]]></suggest><label>20002</label></result></xml>`

func TestVerifySignature(t *testing.T) {
	// sha1sum of "1714037059486452656AAAAA": the three in order, joined.
	const signature = "899cf89e464efb63f54ddac96b0a0a235f53aa78"
	assert.True(t, wechat.VerifySignature("AAAAA", signature, "1714037059", "486452656"))
	for name, args := range map[string][4]string{
		"token":          {"BBBBB", signature, "1714037059", "486452656"},
		"no token":       {"", signatureOf("", "1", "2"), "1", "2"},
		"signature":      {"AAAAA", strings.Repeat("0", 40), "1714037059", "486452656"},
		"no signature":   {"AAAAA", "", "1714037059", "486452656"},
		"prefix":         {"AAAAA", signature[:39], "1714037059", "486452656"},
		"upper case":     {"AAAAA", strings.ToUpper(signature), "1714037059", "486452656"},
		"timestamp":      {"AAAAA", signature, "1714037060", "486452656"},
		"nonce":          {"AAAAA", signature, "1714037059", "486452657"},
		"absurdly long":  {"AAAAA", signatureOf("AAAAA", "1", strings.Repeat("n", 1000)), "1", strings.Repeat("n", 1000)},
		"long timestamp": {"AAAAA", signatureOf("AAAAA", strings.Repeat("1", 100), "n"), strings.Repeat("1", 100), "n"},
	} {
		assert.False(t, wechat.VerifySignature(args[0], args[1], args[2], args[3]), name)
	}
}

func signatureOf(token, timestamp, nonce string) string {
	parts := []string{token, timestamp, nonce}
	slices.Sort(parts)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(parts, "")))) //nolint:gosec // WeChat's algorithm
}

func TestParseCallback(t *testing.T) {
	want := wechat.Event{
		Type: wechat.EventMediaCheck, AppID: "wx8f16a5e77871c3f9", TraceID: "60ae120f-371d5872-7941a05b",
		CreatedAt: time.Unix(1554872560, 0).In(clock.Shanghai), Suggest: wechat.SuggestRisky, Label: 20002,
	}
	for name, body := range map[string]string{"JSON": callbackJSON, "XML": callbackXML} {
		t.Run("reads "+name, func(t *testing.T) {
			event, err := wechat.ParseCallback([]byte(" " + body + "\n"))
			require.NoError(t, err)
			assert.Equal(t, want, event)
		})
	}
	t.Run("a check that failed advises nothing", func(t *testing.T) {
		event, err := wechat.ParseCallback([]byte(strings.Replace(callbackJSON, `"errcode":0,"errmsg":"ok"`, `"errcode":-1008,"errmsg":"download"`, 1)))
		require.NoError(t, err)
		assert.Equal(t, -1008, event.ErrCode)
		assert.Empty(t, event.Suggest)
	})
	t.Run("lets other messages through for acknowledgement", func(t *testing.T) {
		event, err := wechat.ParseCallback([]byte(`{"MsgType":"event","Event":"subscribe_msg_popup_event","CreateTime":1}`))
		require.NoError(t, err)
		assert.Equal(t, "subscribe_msg_popup_event", event.Type)
		event, err = wechat.ParseCallback([]byte(`<xml><MsgType>text</MsgType><Event>wxa_media_check</Event><Content>hi</Content></xml>`))
		require.NoError(t, err)
		assert.Empty(t, event.Type)
	})
	t.Run("names the encrypted mode", func(t *testing.T) {
		_, err := wechat.ParseCallback([]byte(`<xml><ToUserName>gh</ToUserName><Encrypt>abc=</Encrypt></xml>`))
		require.ErrorIs(t, err, wechat.ErrCallbackEncrypted)
	})
	t.Run("refuses a body over the limit", func(t *testing.T) {
		_, err := wechat.ParseCallback(make([]byte, wechat.MaxCallbackBytes+1))
		require.ErrorIs(t, err, wechat.ErrCallbackTooLarge)
	})
	for name, body := range map[string]string{
		"nothing":           "",
		"text":              "hello",
		"half JSON":         callbackJSON[:100],
		"half XML":          callbackXML[:400],
		"JSON and more":     callbackJSON + "{}",
		"XML and more":      callbackXML + "<xml/>",
		"other root":        `<html><MsgType>event</MsgType></html>`,
		"no type":           `{"Event":"wxa_media_check"}`,
		"no trace id":       strings.Replace(callbackJSON, "60ae120f-371d5872-7941a05b", "", 1),
		"odd trace id":      strings.Replace(callbackJSON, "60ae120f-371d5872-7941a05b", "' OR 1", 1),
		"unknown advice":    strings.Replace(callbackJSON, `"result":{"suggest":"risky"`, `"result":{"suggest":"fine"`, 1),
		"no advice (v1)":    `{"MsgType":"event","Event":"wxa_media_check","trace_id":"t","isrisky":0}`,
		"numbers as text":   strings.Replace(callbackJSON, `"errcode":0,"errmsg"`, `"errcode":"0","errmsg"`, 1),
		"entity":            `<!DOCTYPE x [<!ENTITY a "b">]><xml><MsgType>&a;</MsgType></xml>`,
		"another character": `<?xml version="1.0" encoding="gbk"?><xml><MsgType>event</MsgType></xml>`,
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			event, err := wechat.ParseCallback([]byte(body))
			require.ErrorIs(t, err, wechat.ErrCallbackInvalid)
			assert.Zero(t, event)
		})
	}
}

func TestCheckImageComesBack(t *testing.T) {
	const token = "callback-token"
	events := make(chan wechat.Event, 10)
	var attempts atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) == 1 {
			w.WriteHeader(http.StatusInternalServerError) // WeChat tries again
			return
		}
		query := r.URL.Query()
		assert.True(t, wechat.VerifySignature(token, query.Get("signature"), query.Get("timestamp"), query.Get("nonce")))
		assert.False(t, wechat.VerifySignature("other", query.Get("signature"), query.Get("timestamp"), query.Get("nonce")))
		assert.Equal(t, "kept", query.Get("own"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		event, err := wechat.ParseCallback(body)
		assert.NoError(t, err)
		events <- event
		_, _ = io.WriteString(w, "success")
	}))
	defer receiver.Close()

	sim := wechatsim.New(wechatsim.Config{AppID: appID, Secret: secret, CallbackToken: token})
	defer sim.Close()
	sim.SetCallbackURL(receiver.URL + "/wechat?own=kept")
	base, err := sim.Start(t.Context())
	require.NoError(t, err)
	client := newClient(t, base, clock.NewSystem())
	for url, want := range map[string]wechat.Suggest{
		"https://img.example/1.jpg":        wechat.SuggestPass,
		"https://img.example/risky.jpg":    wechat.SuggestRisky,
		"https://img.example/review/1.jpg": wechat.SuggestReview,
	} {
		trace, err := client.CheckImage(t.Context(), sim.OpenID("wang"), url, wechat.SceneForum)
		require.NoError(t, err)
		require.NoError(t, sim.WaitCallbacks(t.Context()))
		event := <-events
		assert.Equal(t, trace, event.TraceID)
		assert.Equal(t, appID, event.AppID)
		assert.Equal(t, want, event.Suggest)
	}
}

func FuzzParseCallback(f *testing.F) {
	f.Add([]byte(callbackJSON))
	f.Add([]byte(callbackXML))
	f.Add([]byte(`<xml><Encrypt>abc=</Encrypt></xml>`))
	f.Add([]byte(`{"MsgType":"text"}`))
	f.Add([]byte(`{"MsgType":"event","Event":"wxa_media_check","trace_id":"t","errcode":-1008}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := wechat.ParseCallback(body)
		if err != nil {
			if event != (wechat.Event{}) {
				t.Fatal("an event beside an error")
			}
			return
		}
		if event.Type != wechat.EventMediaCheck {
			if event.TraceID != "" || event.Suggest != "" {
				t.Fatalf("a verdict in another message: %+v", event)
			}
			return
		}
		if event.TraceID == "" || len(event.TraceID) > 128 {
			t.Fatalf("trace id %q", event.TraceID)
		}
		decided := event.Suggest == wechat.SuggestPass || event.Suggest == wechat.SuggestReview || event.Suggest == wechat.SuggestRisky
		if decided != (event.ErrCode == 0) {
			t.Fatalf("advice without a check, or a check without advice: %+v", event)
		}
	})
}
