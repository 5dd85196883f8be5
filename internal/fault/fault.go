// Package fault holds the program's one error type.
//
// A service returns *fault.Error for everything that the caller can act on;
// internal/httpapi alone turns a Kind into an HTTP status. Any other error
// type is a defect or an outage and reaches the caller as a fixed text.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure it is; each maps to one HTTP status.
type Kind string

// The kinds, with the status that internal/httpapi gives each.
const (
	Invalid         Kind = "invalid"         // 422: the input breaks a rule
	Unauthenticated Kind = "unauthenticated" // 401: no valid credentials
	Forbidden       Kind = "forbidden"       // 403: known, but not allowed
	NotFound        Kind = "not_found"       // 404: no such thing, or none that the caller may see
	Conflict        Kind = "conflict"        // 409: the state does not allow it now
	Gone            Kind = "gone"            // 410: it existed and is over (an expired code)
	TooLarge        Kind = "too_large"       // 413: body or file over its limit
	TooMany         Kind = "too_many"        // 429: rate limit
	Unavailable     Kind = "unavailable"     // 503: try again later
)

// Field is one faulty input field. It never carries the value that was sent.
type Field struct {
	Path   string // where: "body.shifts[0].capacity"
	Reason string // what is wrong and what to do, in plain Chinese
}

// Error is what a service tells its caller. Message is shown to people:
// short, plain Chinese, saying what to do next.
type Error struct {
	Kind       Kind
	Code       string // stable, for programs: "ledger.insufficient_points"
	Message    string
	Fields     []Field
	RetryAfter time.Duration // with TooMany and Unavailable
	Cause      error         // logged, never shown
}

// New makes an error; services keep theirs in errors.go.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Error implements error.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is compare by Code, so that a copy made by With… still
// matches the value in errors.go.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// WithFields returns a copy that names faulty fields.
func (e *Error) WithFields(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// WithCause returns a copy that carries the underlying error for the log.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.Cause = err
	return &c
}

// WithMessage returns a copy with a more exact message (formatted as by
// fmt.Sprintf). It must not echo what the caller sent.
func (e *Error) WithMessage(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// As returns err's *Error, or nil if there is none in its chain.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}

// KindOf returns err's Kind, or "" for an untyped error.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return ""
}

// Fields collects field faults while a row or an input is validated.
type Fields []Field

// Add notes a fault unless ok.
func (f *Fields) Add(ok bool, path, reason string) {
	if !ok {
		*f = append(*f, Field{Path: path, Reason: reason})
	}
}

// Err returns nil if nothing was noted, or code as an Invalid error with all
// the fields.
func (f Fields) Err(code string) error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: code, Message: "填写的内容有误，请按提示修改", Fields: f}
}
