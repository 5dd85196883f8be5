package wechatsim

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"
)

var (
	openIDShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	pageShape   = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\?.*)?$`)
	sceneShape  = regexp.MustCompile(`^[0-9A-Za-z!#$&'()*+,/:;=?@._~-]{1,32}$`)
	keyword     = regexp.MustCompile(`^([a-z_]+)[0-9]{1,3}$`)
)

// SentMessage is a subscribe message that the Simulator took.
type SentMessage struct {
	OpenID     string
	TemplateID string
	Page       string
	State      string // formal, trial or developer
	Data       map[string]string
	At         time.Time
}

// subscribe answers sendMessage.
func (s *Simulator) subscribe(_ *http.Request, body []byte) reply {
	var in struct {
		ToUser     string `json:"touser"`
		TemplateID string `json:"template_id"`
		Page       string `json:"page"`
		State      string `json:"miniprogram_state"`
		Data       map[string]struct {
			Value string `json:"value"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &in) != nil {
		return failure(47001)
	}
	switch {
	case !openIDShape.MatchString(in.ToUser):
		return failure(40003)
	case in.TemplateID == "":
		return failure(40037)
	case in.Page != "" && !pageShape.MatchString(in.Page):
		return failure(41030)
	case len(in.Data) == 0:
		return failure(47003)
	}
	message := SentMessage{in.ToUser, in.TemplateID, in.Page, in.State, map[string]string{}, s.cfg.Clock.Now()}
	for key, item := range in.Data {
		match := keyword.FindStringSubmatch(key)
		if match == nil || item.Value == "" || (match[1] == "thing" && utf8.RuneCountInString(item.Value) > 20) {
			return failure(47003)
		}
		message.Data[key] = item.Value
	}
	return s.deliver(message)
}

func (s *Simulator) deliver(message SentMessage) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused[message.OpenID] {
		return failure(43101)
	}
	if len(s.sent) == maxSent {
		s.sent = append(s.sent[:0], s.sent[maxSent/2:]...)
	}
	s.sent = append(s.sent, message)
	s.serial++
	return reply{object: struct {
		apiError
		MsgID int64 `json:"msgid"`
	}{apiError{0, "ok"}, int64(s.serial)}}
}

// Sent returns the newest subscribe messages taken (a few thousand at most),
// in order.
func (s *Simulator) Sent() []SentMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]SentMessage(nil), s.sent...)
}

// RefuseMessages makes the person openID refuse subscribe messages (43101),
// or take them again.
func (s *Simulator) RefuseMessages(openID string, refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refuse {
		s.refused[openID] = true
	} else {
		delete(s.refused, openID)
	}
}

const qrSize = 280 // pixels, the least width that WeChat draws

// qrCode answers getUnlimitedQRCode. WeChat draws a round code that only it
// can read; this one is a QR code of "page?scene=…", which anything can.
func (s *Simulator) qrCode(_ *http.Request, body []byte) reply {
	var in struct {
		Scene string `json:"scene"`
		Page  string `json:"page"`
	}
	if json.Unmarshal(body, &in) != nil {
		return failure(47001)
	}
	switch {
	case !sceneShape.MatchString(in.Scene):
		return failure(40129)
	case in.Page != "" && (!pageShape.MatchString(in.Page) || strings.Contains(in.Page, "?")):
		return failure(41030)
	}
	code, err := qrcode.New(in.Page+"?scene="+url.QueryEscape(in.Scene), qrcode.Medium)
	if err != nil {
		return failure(-1)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, code.Image(qrSize), &jpeg.Options{Quality: 80}); err != nil {
		return failure(-1)
	}
	return reply{image: out.Bytes()}
}
