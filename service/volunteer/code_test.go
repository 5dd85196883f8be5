package volunteer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCode(t *testing.T) {
	const shift = "01HZX3J8W6Q2M4N5P7R9S0T1V2"
	for text, want := range map[string][2]string{
		"012345": {"", "012345"}, "012 345": {"", "012345"}, " 012345 ": {"", "012345"}, "０１２３４５": {"", "012345"},
		"jmk:shift:" + shift + ":012345": {shift, "012345"},
	} {
		id, digits, ok := parseCode(text)
		require.True(t, ok, text)
		require.Equal(t, want, [2]string{id, digits}, text)
	}
	for _, text := range []string{
		"", "12345", "1234567", "12345a", "-12345", "jmk:shift:012345", "jmk:shift::012345", "jmk:shift:" + shift, "jmk:shift:" + shift + ":12345",
		"jmk:shift:" + shift + ":012345:9", "٠١٢٣٤٥", strings.Repeat("1", 1000),
	} {
		_, _, ok := parseCode(text)
		require.False(t, ok, text)
	}
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"012345", "０１ 23 45", "jmk:shift:01HZX3J8W6Q2M4N5P7R9S0T1V2:012345", "jmk:shift:", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, digits, ok := parseCode(text)
		if !ok {
			require.Empty(t, id+digits)
			return
		}
		require.True(t, onlyDigits(digits))
		require.True(t, id == "" || len(id) == shiftIDLen)
		again := digits
		if id != "" {
			again = qrPrefix + id + ":" + digits
		}
		id2, digits2, ok := parseCode(again)
		require.True(t, ok)
		require.Equal(t, [2]string{id, digits}, [2]string{id2, digits2})
	})
}

func TestCodeAt(t *testing.T) {
	seen := map[string]bool{}
	for step := range int64(1000) {
		code := codeAt("secret", step)
		require.True(t, onlyDigits(code))
		seen[code] = true
	}
	require.Greater(t, len(seen), 990, "codes hardly ever repeat")
	require.NotEqual(t, codeAt("secret", 1), codeAt("another", 1))
}
