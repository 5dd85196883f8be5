package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"jiamenkou/internal/fault"
	"jiamenkou/internal/redact"
)

// Problem is the body of every error: RFC 9457 application/problem+json with
// this program's code and request id. It never carries what the caller sent.
type Problem struct { //nolint:errname // RFC 9457 calls it a problem
	Type      string         `json:"type" example:"about:blank"`
	Title     string         `json:"title" example:"Conflict" doc:"The status in words"`
	Status    int            `json:"status" example:"409"`
	Detail    string         `json:"detail" example:"积分不足" doc:"给用户看的一句话：发生了什么，怎么办"`
	Code      string         `json:"code" example:"ledger.insufficient_points" doc:"Stable, for programs"`
	RequestID string         `json:"request_id" doc:"Quote it when asking for help"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"Faulty fields"`

	retryAfterSeconds int
}

// ProblemField is one faulty input field.
type ProblemField struct {
	Path   string `json:"path" example:"body.capacity"`
	Reason string `json:"reason" example:"应为 1 到 500 之间的整数"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfterSeconds > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfterSeconds))
	}
	return h
}

// maxLoggedBytes bounds what is logged of one error.
const maxLoggedBytes = 2000

var statusOf = map[fault.Kind]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// ProblemOf maps an error to its answer: the one place where faults meet HTTP.
// An untyped error becomes a 500 with a fixed text and is logged here, once,
// with its cause, but for what that may quote of people's data.
func ProblemOf(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	f := fault.As(err)
	switch {
	case f == nil && (errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled)):
		// The caller has gone: nobody reads the answer, and nothing is wrong.
		// A database that was cut off by that says so in words of its own.
		f = fault.New(fault.Unavailable, "request.cancelled", "请求已取消")
	case f == nil && errors.Is(err, context.DeadlineExceeded):
		f = fault.New(fault.Unavailable, "request.timeout", "处理超时，请稍后查看结果")
		f.RetryAfter = retryAfterTimeout
	case f == nil:
		slog.ErrorContext(ctx, "request failed", "request_id", RequestID(ctx), "error", redact.Error(err, maxLoggedBytes))
		return newProblem(ctx, http.StatusInternalServerError, "internal", "系统出错了，我们已记录，请稍后再试")
	}
	status, ok := statusOf[f.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	if status == http.StatusServiceUnavailable && f.Cause != nil {
		slog.WarnContext(ctx, "request refused", "request_id", RequestID(ctx), "code", f.Code, "cause", redact.Error(f.Cause, maxLoggedBytes))
	}
	p = newProblem(ctx, status, f.Code, f.Message)
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{Path: field.Path, Reason: field.Reason})
	}
	if f.RetryAfter > 0 {
		p.retryAfterSeconds = max(1, int(f.RetryAfter.Seconds()+0.5))
	}
	return p
}

func newProblem(ctx context.Context, status int, code, detail string) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail, Code: code, RequestID: RequestID(ctx),
	}
}

// WriteProblem answers a plain gin request with a problem and ends it.
func WriteProblem(c *gin.Context, err error) {
	p := ProblemOf(c.Request.Context(), err)
	for k, v := range p.GetHeaders() {
		c.Header(k, v[0])
	}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // a Problem is plain strings and numbers
	}
	c.Abort()
	c.Data(p.Status, "application/problem+json", body)
}

// humaProblem replaces huma's own errors, which echo the values sent and leak
// what a handler returned.
func humaProblem(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	background := context.Background()
	if ctx != nil {
		background = ctx.Context()
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return newProblem(background, status, "request.too_large", "提交的内容太大，请减少后再试")
	case status == http.StatusRequestTimeout:
		return newProblem(background, status, "request.slow", "提交太慢，请检查网络后再试")
	case status == http.StatusUnsupportedMediaType:
		return newProblem(background, status, "request.invalid", "不支持这种内容格式，请用 application/json")
	case status == http.StatusInternalServerError && msg == humaCannotRead:
		// The connection broke: nothing of ours is wrong.
		return newProblem(background, http.StatusBadRequest, "request.invalid", "请求没有完整送达，请再试一次")
	case status >= http.StatusInternalServerError:
		return ProblemOf(background, errors.Join(errs...))
	case status == http.StatusBadRequest:
		return newProblem(background, status, "request.invalid", "请求格式有误")
	}
	p := newProblem(background, status, "request.invalid", "填写的内容有误，请按提示修改")
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		detail := d.ErrorDetail()
		p.Errors = append(p.Errors, ProblemField{Path: fieldPath(detail.Location), Reason: reason(detail.Message)})
	}
	return p
}
