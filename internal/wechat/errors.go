package wechat

import (
	"time"

	"jiamenkou/internal/fault"
)

// What a caller can act on. Compare with errors.Is; the cause, for the log,
// holds WeChat's number and text and no secret. ErrUnavailable stands for the
// network (no answer, or none that can be read), ErrRefused for every number
// that is not listed here.
var (
	ErrCodeInvalid      = fault.New(fault.Invalid, "wechat.code_invalid", "登录凭证无效，请重新登录")
	ErrCodeUsed         = fault.New(fault.Conflict, "wechat.code_used", "登录凭证已经用过，请重新登录")
	ErrUserBlocked      = fault.New(fault.Forbidden, "wechat.user_blocked", "微信暂时限制了这个账号，请联系微信客服")
	ErrUserInactive     = fault.New(fault.Conflict, "wechat.user_inactive", "离开太久了，请重新打开小程序后再试")
	ErrOpenIDInvalid    = fault.New(fault.Invalid, "wechat.openid_invalid", "微信账号无法识别，请重新登录")
	ErrSubscribeRefused = fault.New(fault.Conflict, "wechat.subscribe_refused", "还没有同意接收这类通知，请先在小程序里允许")
	ErrTemplateInvalid  = fault.New(fault.Invalid, "wechat.template_invalid", "通知内容与模板不符，请联系管理员")
	ErrPageInvalid      = fault.New(fault.Invalid, "wechat.page_invalid", "小程序里没有这个页面，请联系管理员")
	ErrRateLimited      = retryAfter(fault.New(fault.TooMany, "wechat.rate_limited", "操作太频繁，请一分钟后再试"), time.Minute)
	ErrQuotaExhausted   = retryAfter(fault.New(fault.Unavailable, "wechat.quota_exhausted", "今天的微信服务次数已用完，请明天再试"), time.Hour)
	ErrBusy             = retryAfter(fault.New(fault.Unavailable, "wechat.busy", "微信服务繁忙，请稍后再试"), 5*time.Second)
	ErrUnavailable      = retryAfter(fault.New(fault.Unavailable, "wechat.unavailable", "暂时连不上微信，请稍后再试"), 10*time.Second)
	ErrTokenRejected    = retryAfter(fault.New(fault.Unavailable, "wechat.token_rejected", "暂时连不上微信，请稍后再试"), 10*time.Second)
	ErrRefused          = retryAfter(fault.New(fault.Unavailable, "wechat.refused", "微信没有受理，请稍后再试"), 10*time.Second)
	ErrMisconfigured    = retryAfter(fault.New(fault.Unavailable, "wechat.misconfigured", "微信接口设置有误，请联系管理员"), time.Minute)

	// ErrCallbackInvalid: the callback's body is not one that WeChat sends.
	ErrCallbackInvalid = fault.New(fault.Invalid, "wechat.callback_invalid", "无法识别的微信推送")
	// ErrCallbackTooLarge: the callback's body is over MaxCallbackBytes.
	ErrCallbackTooLarge = fault.New(fault.TooLarge, "wechat.callback_too_large", "微信推送内容过大")
	// ErrCallbackEncrypted: the message push is set to 安全模式; the program
	// reads 明文模式 (or the plain part of 兼容模式) only.
	ErrCallbackEncrypted = fault.New(fault.Invalid, "wechat.callback_encrypted", "消息推送请改用明文模式")
)

// codeInput is the fault code of arguments that were refused before WeChat
// saw them; the fields say which.
const codeInput = "wechat.input_invalid"

// WeChat's numbers that this package knows, from the tables of each interface
// and https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html
const (
	codeBusy              = -1
	codeInvalidCredential = 40001
	codeInvalidOpenID     = 40003
	codeInvalidAppID      = 40013
	codeInvalidToken      = 40014
	codeInvalidJSCode     = 40029
	codeInvalidTemplate   = 40037
	codeInvalidSecret     = 40125
	codeJSCodeUsed        = 40163
	codeIPNotAllowed      = 40164
	codeUserBlocked       = 40226
	codeInvalidPage       = 41030
	codeTokenExpired      = 42001
	codeUserRefused       = 43101
	codeDailyQuota        = 45009
	codeRateLimited       = 45011
	codeTemplateData      = 47003
	codeUserInactive      = 61010
)

var faultsByCode = map[int64]*fault.Error{
	codeBusy:              ErrBusy,
	codeInvalidCredential: ErrTokenRejected, // even after the refresh that Client.call makes
	codeInvalidToken:      ErrTokenRejected,
	codeTokenExpired:      ErrTokenRejected,
	codeInvalidOpenID:     ErrOpenIDInvalid,
	codeInvalidAppID:      ErrMisconfigured,
	codeInvalidSecret:     ErrMisconfigured,
	codeIPNotAllowed:      ErrMisconfigured,
	codeInvalidJSCode:     ErrCodeInvalid,
	codeJSCodeUsed:        ErrCodeUsed,
	codeUserBlocked:       ErrUserBlocked,
	codeInvalidTemplate:   ErrTemplateInvalid,
	codeTemplateData:      ErrTemplateInvalid,
	codeInvalidPage:       ErrPageInvalid,
	codeUserRefused:       ErrSubscribeRefused,
	codeDailyQuota:        ErrQuotaExhausted,
	codeRateLimited:       ErrRateLimited,
	codeUserInactive:      ErrUserInactive,
}

// faultOf maps WeChat's number. The phone number has a code of its own, which
// a person renews by another tap and not by logging in.
func faultOf(op string, code int64) *fault.Error {
	known, ok := faultsByCode[code]
	switch {
	case !ok:
		return ErrRefused
	case op == opToken && code == codeInvalidCredential:
		return ErrMisconfigured // there is no token yet: it speaks of the secret
	case op == opPhone && (known == ErrCodeInvalid || known == ErrCodeUsed):
		return known.WithMessage("手机号授权已失效，请重新点击获取手机号")
	default:
		return known
	}
}

// transient reports that the same request may succeed in a moment.
func transient(err *fault.Error) bool {
	return err.Code == ErrBusy.Code || err.Code == ErrUnavailable.Code
}

func retryAfter(e *fault.Error, d time.Duration) *fault.Error {
	e.RetryAfter = d
	return e
}
