package market

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
)

const someOrder = "01JQZK4M8W3V6T2R9X5B7N0PAC"

func testCodes(t testing.TB, key string) codes {
	t.Helper()
	c, err := newCodes(Config{CodeKey: key, CodeStep: 30 * time.Second})
	require.NoError(t, err)
	return c
}

func TestCodes(t *testing.T) {
	c := testCodes(t, testKey)
	text, err := c.sign(someOrder, 58_000_000)
	require.NoError(t, err)
	t.Run("fit a small QR code and come back", func(t *testing.T) {
		require.Len(t, text, 55)
		require.Regexp(t, `^[A-Z2-7]+$`, text, "the alphanumeric mode of QR codes")
		id, step, err := c.parse("  " + strings.ToLower(text) + "\n")
		require.NoError(t, err)
		require.Equal(t, someOrder, id)
		require.Equal(t, uint32(58_000_000), step)
	})
	t.Run("are forged when one bit differs", func(t *testing.T) {
		for i := range text {
			for _, letter := range []byte("A7") {
				if text[i] == letter {
					continue
				}
				_, _, err := c.parse(text[:i] + string(letter) + text[i+1:])
				require.ErrorIs(t, err, ErrCodeForged, "position %d", i)
			}
		}
		for _, bad := range []string{"", "x", text[1:], text + "A", strings.Repeat("=", codeLength), strings.Repeat("A", codeLength), "家门口"} {
			_, _, err := c.parse(bad)
			require.ErrorIs(t, err, ErrCodeForged)
		}
	})
	t.Run("are forged under another key", func(t *testing.T) {
		_, _, err := testCodes(t, strings.Repeat("another key ", 4)).parse(text)
		require.ErrorIs(t, err, ErrCodeForged)
	})
	t.Run("live for their step and the next", func(t *testing.T) {
		start := c.startOf(100)
		for _, x := range []struct {
			at   clock.Instant
			want bool
		}{
			{start, true},
			{start.Add(60*time.Second - time.Microsecond), true},
			{start.Add(60 * time.Second), false},
			{start.Add(-30 * time.Second), true}, // another instance's clock is ahead
			{start.Add(-31 * time.Second), false},
		} {
			require.Equal(t, x.want, c.inTime(100, x.at), x.at-start)
		}
	})
	t.Run("have short codes of ten digits", func(t *testing.T) {
		o := Order{ID: someOrder, CodeLocator: c.locator(someOrder)}
		short := c.shortCode(o, 100)
		require.Regexp(t, `^\d{10}$`, short)
		require.NotEqual(t, short, c.shortCode(o, 101))
		locator, check, err := parseShort(short[:5] + " " + short[5:])
		require.NoError(t, err)
		require.Equal(t, o.CodeLocator, locator)
		require.Equal(t, c.shortCheck(someOrder, 100), check)
		for _, bad := range []string{"", "123", "12345678901", "12345６7890", "+123456789", "-1234567890x"} {
			_, _, err := parseShort(bad)
			require.ErrorIs(t, err, ErrCodeForged, bad)
		}
	})
	t.Run("need a key of 32 bytes and a whole step, and do not print it", func(t *testing.T) {
		for _, cfg := range []Config{{CodeKey: "short", CodeStep: time.Minute}, {CodeKey: testKey}, {CodeKey: testKey, CodeStep: 1500 * time.Millisecond}} {
			_, err := newCodes(cfg)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "short key")
		}
		require.Equal(t, "market.Config", Config{CodeKey: testKey}.String())
	})
}

// FuzzCode: whatever is scanned is refused or is, letter for letter, a code
// that this program signed.
func FuzzCode(f *testing.F) {
	c := testCodes(f, testKey)
	good, err := c.sign(someOrder, 58_000_000)
	require.NoError(f, err)
	for _, seed := range []string{good, strings.ToLower(good), good[:54] + "B", "", "1234567890", "12345 67890", "https://example.com/?c=" + good} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, step, err := c.parse(text); err == nil {
			again, err := c.sign(id, step)
			require.NoError(t, err)
			require.Equal(t, again, strings.ToUpper(strings.TrimSpace(text)))
		} else {
			require.ErrorIs(t, err, ErrCodeForged)
		}
		if locator, check, err := parseShort(text); err == nil {
			require.True(t, locator >= 0 && locator < shortSpace && check >= 0 && check < shortSpace)
		} else {
			require.ErrorIs(t, err, ErrCodeForged)
		}
	})
}
