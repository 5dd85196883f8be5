package redact_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/fault"
	"jiamenkou/internal/redact"
)

func TestError(t *testing.T) {
	require.Empty(t, redact.Error(nil, 100))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a driver's quotation":    {errors.New("Error 1062: Duplicate entry '13800138000-x' for key 'a'"), "Error 1062: Duplicate entry … for key …"},
		"a number without quotes": {errors.New("send to 13800138000: refused"), "send to …: refused"},
		"a secret in a URL":       {errors.New("Get https://api.example/token?appid=a&secret=b: EOF"), "Get https://api.example/token?… EOF"},
		"an address":              {errors.New("mail li@example.com bounced"), "mail … bounced"},
		"a long token":            {errors.New("bearer " + strings.Repeat("aB3", 20)), "bearer …"},
		"an id, which stays":      {errors.New("job 01ARZ3NDEKTSV4RRFFQ69G5FAV gone"), "job 01ARZ3NDEKTSV4RRFFQ69G5FAV gone"},
		"a name":                  {errors.New("resident 李小明 has no phone"), "resident … has no phone"},
		"a fault":                 {fmt.Errorf("x: %w", fault.New(fault.Conflict, "a.b", "某某")), "a.b"},
		"a fault with a cause":    {fault.New(fault.Conflict, "a.b", "某某").WithCause(errors.New("value 'x'")), "a.b: value …"},
		"a time-out":              {fmt.Errorf("call: %w", context.DeadlineExceeded), "timed out: call: context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, redact.Error(c.err, 200)) })
	}
}

func FuzzError(f *testing.F) {
	f.Add("a '13800138000' b", 20)
	f.Add("李小明\xff 123456", 17)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(16, min(limit, 1000))
		got := redact.Error(errors.New(s), limit)
		require.LessOrEqual(t, len(got), limit)
		require.True(t, utf8.ValidString(got))
		require.NotRegexp(t, `(^|[^0-9A-Z])[0-9]{5,25}($|[^0-9A-Z])`, got)
		require.True(t, utf8.ValidString(redact.Text(s, limit)))
		require.LessOrEqual(t, len(redact.Text(s, limit)), limit)
	})
}
