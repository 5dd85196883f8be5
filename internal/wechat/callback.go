package wechat

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // WeChat's own algorithm for the message push
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"jiamenkou/internal/clock"
)

// MaxCallbackBytes is the largest callback body that ParseCallback reads; the
// HTTP handler should stop reading at one byte more.
const MaxCallbackBytes = 64 << 10

// EventMediaCheck is the Event.Type that brings the verdict of CheckImage.
const EventMediaCheck = "wxa_media_check"

// VerifySignature reports whether a callback comes from someone who knows
// token: signature is the SHA-1 of token, timestamp and nonce, sorted and
// joined. Compared in constant time; an empty token verifies nothing.
//
// WeChat's signature does not cover the body and does not expire: a caller
// must act only on trace ids that it is waiting for, and only once.
//
// https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
func VerifySignature(token, signature, timestamp, nonce string) bool {
	if token == "" || len(timestamp) > 64 || len(nonce) > 128 {
		return false
	}
	parts := []string{token, timestamp, nonce}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(signature)) == 1
}

// Event is a message that WeChat pushed.
type Event struct {
	Type      string // EventMediaCheck, or another that the program ignores; "" for a message that is no event
	AppID     string
	TraceID   string // what CheckImage returned
	CreatedAt time.Time

	// ErrCode is not 0 when the check itself failed (-1008: the image could
	// not be downloaded); then Suggest is "" and the content stays pending.
	ErrCode int
	Suggest Suggest
	Label   int // as in Verdict
}

// pushed is the part of a pushed message that the program reads, in both
// forms that the message push can be set to.
type pushed struct {
	XMLName    xml.Name `json:"-" xml:"xml"`
	CreateTime int64    `json:"CreateTime" xml:"CreateTime"`
	MsgType    string   `json:"MsgType" xml:"MsgType"`
	Event      string   `json:"Event" xml:"Event"`
	Encrypt    string   `json:"Encrypt" xml:"Encrypt"`
	AppID      string   `json:"appid" xml:"appid"`
	TraceID    string   `json:"trace_id" xml:"trace_id"`
	ErrCode    int      `json:"errcode" xml:"errcode"`
	Result     struct {
		Suggest Suggest `json:"suggest" xml:"suggest"`
		Label   int     `json:"label" xml:"label"`
	} `json:"result" xml:"result"`
}

// ParseCallback reads a pushed message, JSON or XML. Messages of other types
// come back without error and with little more than their Type, so that the
// caller can acknowledge them: WeChat repeats what is not acknowledged.
// Verify the signature first, and compare Event.AppID with one's own.
//
// Errors: ErrCallbackTooLarge, ErrCallbackInvalid, ErrCallbackEncrypted.
func ParseCallback(body []byte) (Event, error) {
	if len(body) > MaxCallbackBytes {
		return Event{}, ErrCallbackTooLarge
	}
	msg, err := decodePushed(bytes.TrimSpace(body))
	switch {
	case err != nil:
		return Event{}, ErrCallbackInvalid.WithCause(err)
	case msg.Encrypt != "" && msg.MsgType == "":
		return Event{}, ErrCallbackEncrypted
	case msg.MsgType == "" || len(msg.Event) > 128 || len(msg.AppID) > 128:
		return Event{}, ErrCallbackInvalid
	}
	if msg.MsgType != "event" {
		return Event{AppID: msg.AppID, CreatedAt: created(msg.CreateTime)}, nil
	}
	event := Event{Type: msg.Event, AppID: msg.AppID, CreatedAt: created(msg.CreateTime)}
	if event.Type != EventMediaCheck {
		return event, nil
	}
	if !idPattern.MatchString(msg.TraceID) {
		return Event{}, ErrCallbackInvalid
	}
	event.TraceID, event.ErrCode = msg.TraceID, msg.ErrCode
	if event.ErrCode != 0 {
		return event, nil
	}
	// Unknown advice, or none (version 1 of the interface), must not read as a pass.
	if !msg.Result.Suggest.valid() {
		return Event{}, ErrCallbackInvalid
	}
	event.Suggest, event.Label = msg.Result.Suggest, msg.Result.Label
	return event, nil
}

func created(seconds int64) time.Time { return time.Unix(seconds, 0).In(clock.Shanghai) }

func decodePushed(body []byte) (pushed, error) {
	var msg pushed
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		if err := json.Unmarshal(body, &msg); err != nil {
			return pushed{}, errors.New("wechat: callback is not the JSON expected") // the decoder's text may quote the body
		}
	case bytes.HasPrefix(body, []byte("<")):
		decoder := xml.NewDecoder(bytes.NewReader(body))
		if err := decoder.Decode(&msg); err != nil {
			return pushed{}, errors.New("wechat: callback is not the XML expected")
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return pushed{}, errors.New("wechat: callback has something after its end")
		}
	default:
		return pushed{}, fmt.Errorf("wechat: callback of %d bytes is neither JSON nor XML", len(body))
	}
	return msg, nil
}
