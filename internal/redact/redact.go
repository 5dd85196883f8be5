// Package redact turns errors into texts that may be kept.
//
// A driver's or an SDK's error quotes what it was given: "Duplicate entry
// '13800138000'", a URL with its secret. A log line or a history row outlives
// the request, so such parts are cut out first.
package redact

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"jiamenkou/internal/fault"
)

const (
	cut          = "…"
	maxPlain     = 26 // characters of the longest token that is kept: a ULID
	maxDigits    = 4
	inputFactor  = 8 // an error longer than this many times the limit is cut before the work
	minimumLimit = 16
)

var (
	quoted  = regexp.MustCompile("'[^']*'|\"[^\"]*\"|`[^`]*`|“[^”]*”")
	query   = regexp.MustCompile(`\?\S+`)
	foreign = regexp.MustCompile(`[^\x20-\x7e]+`) // names and addresses are Chinese, the program's own errors are not
	address = regexp.MustCompile(`\S+@\S+`)
	token   = regexp.MustCompile(`[A-Za-z0-9]+`)
	digits  = regexp.MustCompile(`[0-9]{5,}`)
	ulid    = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
)

// Error returns at most limit bytes that describe err without what it may
// quote of people's data or of secrets. A fault gives its code and the
// redacted cause; "" for nil.
func Error(err error, limit int) string {
	if err == nil {
		return ""
	}
	limit = max(limit, minimumLimit)
	var text string
	switch f := fault.As(err); {
	case f != nil && f.Cause != nil:
		text = f.Code + ": " + clean(f.Cause.Error(), limit)
	case f != nil:
		text = f.Code
	case errors.Is(err, context.DeadlineExceeded):
		text = "timed out: " + clean(err.Error(), limit)
	default:
		text = clean(err.Error(), limit)
	}
	return truncate(text, limit)
}

func clean(s string, limit int) string {
	s = truncate(s, limit*inputFactor)
	s = quoted.ReplaceAllString(s, cut)
	s = query.ReplaceAllString(s, "?"+cut)
	s = address.ReplaceAllString(s, cut)
	s = foreign.ReplaceAllString(s, cut)
	s = token.ReplaceAllStringFunc(s, func(t string) string {
		if ulid.MatchString(t) {
			return t
		}
		if len(t) > maxPlain || digits.MatchString(t) {
			return cut
		}
		return t
	})
	return s
}

// truncate cuts s to at most limit bytes without splitting a character.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit-len(cut)]
	for !utf8.ValidString(s) && s != "" {
		s = s[:len(s)-1]
	}
	return strings.TrimSpace(s) + cut
}

// Text cuts a text that a program made (a job's result) to at most limit
// bytes without splitting a character.
func Text(s string, limit int) string {
	return truncate(strings.ToValidUTF8(s, cut), max(limit, minimumLimit))
}
