package miniprogram

import (
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"jiamenkou/internal/fault"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/wechat"
)

// CallbackPath is where WeChat pushes its messages to: the URL that is set in
// the mini-program's console is Prefix + CallbackPath.
const CallbackPath = "/wechat/callback"

// CallbackConfig is what proves that a push comes from WeChat and is ours.
type CallbackConfig struct {
	Token string // as set in the mini-program's console; "" refuses every push
	AppID string
}

var errCallbackSignature = fault.New(fault.Forbidden, "wechat.bad_signature", "签名不正确")

// callbackRoutes mounts the callback: plain gin, since WeChat dictates its
// form, and no part of the OpenAPI document, since clients never call it.
func (s *server) callbackRoutes(router *gin.Engine) {
	router.GET(Prefix+CallbackPath, s.verifyCallback)
	router.POST(Prefix+CallbackPath, s.takeCallback)
}

func (s *server) callbackSigned(c *gin.Context) bool {
	if wechat.VerifySignature(s.Callback.Token, c.Query("signature"), c.Query("timestamp"), c.Query("nonce")) {
		return true
	}
	httpapi.WriteProblem(c, errCallbackSignature)
	return false
}

// verifyCallback answers the console's question whether this is our server.
func (s *server) verifyCallback(c *gin.Context) {
	if !s.callbackSigned(c) {
		return
	}
	echo := c.Query("echostr")
	if len(echo) > 256 {
		httpapi.WriteProblem(c, wechat.ErrCallbackInvalid)
		return
	}
	plain(c, echo)
}

// takeCallback takes one pushed message. Everything that is not meant for us
// is acknowledged: WeChat repeats what is not.
func (s *server) takeCallback(c *gin.Context) {
	if !s.callbackSigned(c) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, wechat.MaxCallbackBytes+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		err = wechat.ErrCallbackTooLarge
	} else if err != nil {
		err = wechat.ErrCallbackInvalid.WithCause(err)
	}
	var event wechat.Event
	if err == nil {
		event, err = wechat.ParseCallback(body)
	}
	if err != nil {
		httpapi.WriteProblem(c, err)
		return
	}
	// A check that failed at WeChat leaves the picture pending; a job hands it
	// over again.
	ours := event.Type == wechat.EventMediaCheck && event.AppID == s.Callback.AppID && event.ErrCode == 0
	if ours {
		if _, err := s.Casework.ImageVerdict(c.Request.Context(), event.TraceID, event.Suggest); err != nil {
			httpapi.WriteProblem(c, err)
			return
		}
	}
	plain(c, "success")
}

// plain answers text that no browser takes for a page.
func plain(c *gin.Context, text string) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(text))
}
