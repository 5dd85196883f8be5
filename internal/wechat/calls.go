package wechat

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/miniprogram"
	"github.com/silenceper/wechat/v2/miniprogram/qrcode"
	"github.com/silenceper/wechat/v2/miniprogram/security"
	"github.com/silenceper/wechat/v2/miniprogram/subscribe"

	"jiamenkou/internal/fault"
)

// The calls by name, as errors and faultOf know them.
const (
	opToken     = "get access token"
	opSession   = "code to session"
	opPhone     = "get phone number"
	opSubscribe = "send subscribe message"
	opQRCode    = "get code image"
	opText      = "check text"
	opImage     = "check image"
)

var (
	// The SDK pastes the login code into a URL without escaping: anything else
	// could add parameters of its own.
	codePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	idPattern   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`) // openid, template id, trace id
	// "根路径前不要填加 /，不能携带参数".
	pagePattern = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$`)
	// "最大32个可见字符，只支持数字，大小写英文以及部分特殊字符".
	scenePattern = regexp.MustCompile(`^[0-9A-Za-z!#$&'()*+,/:;=?@._~-]{1,32}$`)
)

// Session is what a login code is worth.
type Session struct {
	OpenID  string
	UnionID string // "" unless the mini-program is bound to an open platform account
	// SessionKey signs and encrypts user data; it must never leave the server,
	// hence neither fmt, slog nor encoding/json show it.
	// https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
	SessionKey string `json:"-"`
}

// String hides the session key.
func (s Session) String() string {
	return fmt.Sprintf("wechat.Session{OpenID:%s UnionID:%s}", s.OpenID, s.UnionID)
}

// GoString hides the session key from %#v.
func (s Session) GoString() string { return s.String() }

// LogValue hides the session key from slog.
func (s Session) LogValue() slog.Value {
	return slog.GroupValue(slog.String("openid", s.OpenID), slog.String("unionid", s.UnionID))
}

// CodeToSession exchanges a code of wx.login. A code is single use and lives
// five minutes: after any failure the client must log in anew, so nothing is
// repeated here. Errors: ErrCodeInvalid, ErrCodeUsed, ErrRateLimited (100
// calls a minute per person), ErrUserBlocked, ErrBusy, ErrUnavailable.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
func (c *Client) CodeToSession(ctx context.Context, code string) (Session, error) {
	if !codePattern.MatchString(code) {
		return Session{}, ErrCodeInvalid
	}
	var session Session
	err := c.call(ctx, opSession, once, func(ctx context.Context, sdk *miniprogram.MiniProgram) error {
		res, err := sdk.GetAuth().Code2SessionContext(ctx, code)
		session = Session{OpenID: res.OpenID, UnionID: res.UnionID, SessionKey: res.SessionKey}
		return err
	}, code)
	if err != nil {
		return Session{}, err
	}
	if session.OpenID == "" || session.SessionKey == "" {
		return Session{}, incomplete(opSession)
	}
	return session, nil
}

// PhoneNumber exchanges the code of a getPhoneNumber button: eleven digits for
// a mainland number, "+<country code><number>" for any other. The code is
// single use and lives five minutes. Errors as for CodeToSession.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/phone-number/getPhoneNumber.html
func (c *Client) PhoneNumber(ctx context.Context, code string) (string, error) {
	if !codePattern.MatchString(code) {
		return "", faultOf(opPhone, codeInvalidJSCode)
	}
	var phone, country, appID string
	err := c.call(ctx, opPhone, once, func(ctx context.Context, sdk *miniprogram.MiniProgram) error {
		res, err := sdk.GetAuth().GetPhoneNumberContext(ctx, code)
		if err == nil {
			info := res.PhoneInfo
			phone, country, appID = info.PurePhoneNumber, info.CountryCode, info.WaterMark.AppID
		}
		return err
	}, code)
	switch {
	case err != nil:
		return "", err
	case phone == "" || appID != c.cfg.AppID: // the watermark says whom the number was given to
		return "", incomplete(opPhone)
	case country != "" && country != "86":
		return "+" + country + phone, nil
	default:
		return phone, nil
	}
}

// SubscribeMessage is one message on a template that the person has agreed to
// receive; one consent is worth one message.
type SubscribeMessage struct {
	OpenID     string
	TemplateID string
	Page       string            // opened by a tap, may carry a query; "" opens nothing
	Data       map[string]string // keyword ("thing1", "time2") to value; see FitValue for the lengths
}

// messageStates are the names that this one interface gives to the builds.
var messageStates = map[string]string{EnvRelease: "formal", EnvTrial: "trial", EnvDevelop: "developer"}

// SendSubscribe sends m. It is never repeated after an unclear answer: rather
// a message lost than one sent twice on one consent. Errors:
// ErrSubscribeRefused (no consent left), ErrTemplateInvalid, ErrPageInvalid,
// ErrOpenIDInvalid, ErrBusy, ErrUnavailable.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html
func (c *Client) SendSubscribe(ctx context.Context, m SubscribeMessage) error {
	if err := m.validate(); err != nil {
		return err
	}
	data := make(map[string]*subscribe.DataItem, len(m.Data))
	for key, value := range m.Data {
		data[key] = &subscribe.DataItem{Value: value}
	}
	return c.call(ctx, opSubscribe, once, func(_ context.Context, sdk *miniprogram.MiniProgram) error {
		return sdk.GetSubscribe().Send(&subscribe.Message{
			ToUser:           m.OpenID,
			TemplateID:       m.TemplateID,
			Page:             m.Page,
			Data:             data,
			MiniprogramState: messageStates[c.cfg.EnvVersion],
			Lang:             "zh_CN",
		})
	})
}

const (
	maxKeywords   = 10   // more than any template of the public library has
	maxPageLength = 1024 // characters, with the query
)

func (m SubscribeMessage) validate() error {
	var faults fault.Fields
	faults.Add(idPattern.MatchString(m.OpenID), "open_id", "不是有效的微信账号")
	faults.Add(idPattern.MatchString(m.TemplateID), "template_id", "不是有效的模板编号")
	faults.Add(m.Page == "" || validPage(m.Page), "page", "不是有效的页面路径")
	faults.Add(len(m.Data) > 0 && len(m.Data) <= maxKeywords, "data", "内容项数量不对")
	for key, value := range m.Data {
		limit, ok := keywordLimit(key)
		faults.Add(ok, "data", "内容项名称不对")
		n := utf8.RuneCountInString(value)
		faults.Add(n > 0 && (!ok || n <= limit), "data", "内容项为空或过长")
	}
	return faults.Err(codeInput)
}

func validPage(page string) bool {
	path, _, _ := strings.Cut(page, "?")
	return len(page) <= maxPageLength && pagePattern.MatchString(path)
}

// keywordLimits are the lengths, in characters, beyond which WeChat refuses
// (errcode 47003), from the table 订阅消息参数值内容限制说明 of sendMessage;
// where it allows Latin letters more than Chinese characters (name), the latter.
var keywordLimits = map[string]int{
	"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32,
	"time": 32, "date": 32, "amount": 16, "phone_number": 17, "car_number": 8,
	"name": 10, "phrase": 5,
}

// keywordLimit splits "thing12" and looks the kind up.
func keywordLimit(key string) (int, bool) {
	kind := strings.TrimRight(key, "0123456789")
	limit, ok := keywordLimits[kind]
	return limit, ok && kind != key && len(key)-len(kind) <= 3
}

// FitValue shortens value to what WeChat takes for the keyword key ("thing1":
// 20 characters), ending in "…" where something was cut off. A key of unknown
// kind leaves value alone.
func FitValue(key, value string) string {
	limit, ok := keywordLimit(key)
	runes := []rune(value)
	if !ok || len(runes) <= limit {
		return value
	}
	return string(runes[:limit-1]) + "…"
}

// QRCode returns the JPEG of a mini-program code (unlimited in number) that
// opens page with scene: at most 32 characters out of digits, letters and
// !#$&'()*+,/:;=?@-._~. The page has no leading slash and no query; "" is the
// home page. Unless the build is EnvRelease, WeChat is told not to look
// whether the page is published.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html
func (c *Client) QRCode(ctx context.Context, scene, page string) ([]byte, error) {
	var faults fault.Fields
	faults.Add(scenePattern.MatchString(scene), "scene", "须为 1 到 32 个字母、数字或允许的符号")
	faults.Add(page == "" || (len(page) <= 128 && pagePattern.MatchString(page)), "page", "不是有效的页面路径")
	if err := faults.Err(codeInput); err != nil {
		return nil, err
	}
	checkPath := c.cfg.EnvVersion == EnvRelease
	var image []byte
	err := c.call(ctx, opQRCode, again, func(_ context.Context, sdk *miniprogram.MiniProgram) (err error) {
		image, err = sdk.GetQRCode().GetWXACodeUnlimit(qrcode.QRCoder{
			Scene: scene, Page: page, CheckPath: &checkPath, EnvVersion: c.cfg.EnvVersion,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return image, nil
}

// Suggest is WeChat's advice on a content.
type Suggest string

// The advices.
const (
	SuggestPass   Suggest = "pass"   // publish
	SuggestReview Suggest = "review" // let a person look
	SuggestRisky  Suggest = "risky"  // do not publish
)

func (s Suggest) valid() bool { return s == SuggestPass || s == SuggestReview || s == SuggestRisky }

// Where a content is shown, for the content checks.
const (
	SceneProfile = 1 // 资料
	SceneComment = 2 // 评论
	SceneForum   = 3 // 论坛
	SceneSocial  = 4 // 社交日志
)

// MaxTextRunes is the longest text that one CheckText takes.
const MaxTextRunes = 2500

// Verdict is the outcome of a text check. Label says what was found: 100
// nothing, 10001 advertising, 20001 politics, 20002 pornography, 20003 abuse,
// 20006 crime, 20008 fraud, 20012 vulgarity, 20013 copyright, 21000 other.
type Verdict struct {
	Suggest Suggest
	Label   int
	TraceID string
}

// CheckText checks a text of 1 to MaxTextRunes characters by the person
// openID, who must have used the mini-program within two hours (otherwise
// ErrUserInactive). An answer that cannot be understood is an error, never a
// pass.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html
func (c *Client) CheckText(ctx context.Context, openID string, scene int, text string) (Verdict, error) {
	var faults fault.Fields
	checkArguments(&faults, openID, scene)
	n := utf8.RuneCountInString(text)
	faults.Add(utf8.ValidString(text) && n >= 1 && n <= MaxTextRunes, "text", "须为 1 到 2500 个字")
	if err := faults.Err(codeInput); err != nil {
		return Verdict{}, err
	}
	var verdict Verdict
	err := c.call(ctx, opText, again, func(ctx context.Context, sdk *miniprogram.MiniProgram) error {
		res, err := sdk.GetSecurity().MsgCheckContext(ctx, &security.MsgCheckRequest{
			OpenID: openID, Scene: security.MsgScene(scene), Content: text, //nolint:gosec // 1 to 4, checked above
		})
		verdict = Verdict{Suggest: Suggest(res.Result.Suggest), Label: int(res.Result.Label), TraceID: res.TraceID}
		return err
	})
	if err != nil {
		return Verdict{}, err
	}
	if !verdict.Suggest.valid() {
		return Verdict{}, incomplete(opText)
	}
	return verdict, nil
}

const mediaTypeImage = 2

// CheckImage hands an image that WeChat can download (at most 10 MB) to the
// asynchronous check and returns the trace id under which the callback will
// bring the verdict within 30 minutes; see ParseCallback. The person openID
// must have used the mini-program within two hours.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
func (c *Client) CheckImage(ctx context.Context, openID, mediaURL string, scene int) (traceID string, err error) {
	var faults fault.Fields
	checkArguments(&faults, openID, scene)
	u, parseErr := url.Parse(mediaURL)
	faults.Add(parseErr == nil && len(mediaURL) <= 2048 && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"),
		"media_url", "须为完整的图片网址")
	if err := faults.Err(codeInput); err != nil {
		return "", err
	}
	err = c.call(ctx, opImage, once, func(ctx context.Context, sdk *miniprogram.MiniProgram) (err error) {
		traceID, err = sdk.GetSecurity().MediaCheckAsyncContext(ctx, &security.MediaCheckAsyncRequest{
			MediaURL: mediaURL, MediaType: mediaTypeImage, OpenID: openID, Scene: uint8(scene), //nolint:gosec // 1 to 4, checked above
		})
		return err
	})
	if err != nil {
		return "", err
	}
	if !idPattern.MatchString(traceID) {
		return "", incomplete(opImage) // without it the verdict could not be matched
	}
	return traceID, nil
}

func checkArguments(faults *fault.Fields, openID string, scene int) {
	faults.Add(idPattern.MatchString(openID), "open_id", "不是有效的微信账号")
	faults.Add(scene >= SceneProfile && scene <= SceneSocial, "scene", "不是有效的场景")
}

// incomplete: WeChat reported success but left out what it was asked for.
func incomplete(op string) *fault.Error {
	return ErrUnavailable.WithCause(fmt.Errorf("wechat: %s: incomplete answer", op))
}
