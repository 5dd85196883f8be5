package pii_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"jiamenkou/internal/pii"
)

func key(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

func sealer(t testing.TB, cfg pii.Config) *pii.Sealer {
	t.Helper()
	s, err := pii.New(cfg)
	require.NoError(t, err)
	return s
}

const phone pii.Field = "resident.phone"

func TestSealer(t *testing.T) {
	s := sealer(t, pii.Config{Keys: "a:" + key(1)})

	t.Run("opens what it sealed, whatever the text", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			plain := rapid.String().Draw(t, "plain")
			sealed, err := s.Seal(phone, plain)
			require.NoError(t, err)
			got, err := s.Open(phone, sealed)
			require.NoError(t, err)
			require.Equal(t, plain, got)
		})
	})
	t.Run("never seals to the same value twice", func(t *testing.T) {
		one, err := s.Seal(phone, "13800000000")
		require.NoError(t, err)
		two, err := s.Seal(phone, "13800000000")
		require.NoError(t, err)
		require.NotEqual(t, one, two)
		require.NotContains(t, one, "13800000000")
	})
	t.Run("refuses a value of another column", func(t *testing.T) {
		sealed, err := s.Seal(phone, "13800000000")
		require.NoError(t, err)
		_, err = s.Open("resident.real_name", sealed)
		require.ErrorIs(t, err, pii.ErrOpen)
	})
	t.Run("refuses every changed character", func(t *testing.T) {
		sealed, err := s.Seal(phone, "13800000000")
		require.NoError(t, err)
		for i := range sealed {
			changed := []byte(sealed)
			changed[i] ^= 1
			if got, err := s.Open(phone, string(changed)); err == nil {
				// The last base64 character may carry bits that are not data.
				require.Equal(t, len(sealed)-1, i)
				require.Equal(t, "13800000000", got)
			}
		}
	})
	t.Run("refuses what is not sealed at all", func(t *testing.T) {
		for _, v := range []string{"", "v1", "v1.", "v1.a", "v1.a.", "v1.a.!!", "v2.a.AAAA", "v1.b.AAAA", "13800000000"} {
			_, err := s.Open(phone, v)
			require.ErrorIs(t, err, pii.ErrOpen, v)
		}
	})
}

func TestRotation(t *testing.T) {
	before := sealer(t, pii.Config{Keys: "a:" + key(1)})
	after := sealer(t, pii.Config{Keys: "b:" + key(2) + ", a:" + key(1), IndexKey: key(1)})
	sealed, err := before.Seal(phone, "13800000000")
	require.NoError(t, err)

	got, err := after.Open(phone, sealed)
	require.NoError(t, err)
	require.Equal(t, "13800000000", got, "an old key still opens")
	require.True(t, after.NeedsReseal(sealed))
	require.False(t, before.NeedsReseal(sealed))

	resealed, err := after.Seal(phone, got)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(resealed, "v1.b."), "the first key seals")
	require.False(t, after.NeedsReseal(resealed))
	_, err = before.Open(phone, resealed)
	require.ErrorIs(t, err, pii.ErrOpen)

	require.Equal(t, before.Index(phone, "13800000000"), after.Index(phone, "13800000000"), "look-ups survive a rotation")
}

func TestIndex(t *testing.T) {
	s := sealer(t, pii.Config{Keys: "a:" + key(1)})
	other := sealer(t, pii.Config{Keys: "a:" + key(2)})
	index := s.Index(phone, "13800000000")
	require.Len(t, index, pii.IndexLength)
	require.Equal(t, index, s.Index(phone, "13800000000"))
	require.NotEqual(t, index, s.Index(phone, "13800000001"))
	require.NotEqual(t, index, s.Index("resident.id_number", "13800000000"), "columns are unrelated")
	require.NotEqual(t, index, other.Index(phone, "13800000000"), "keys are unrelated")
}

func TestNew(t *testing.T) {
	for name, cfg := range map[string]pii.Config{
		"no key":                      {},
		"no id":                       {Keys: key(1)},
		"short key":                   {Keys: "a:" + base64.StdEncoding.EncodeToString([]byte("short secret"))},
		"not base64":                  {Keys: "a:secret-secret"},
		"id twice":                    {Keys: "a:" + key(1) + ",a:" + key(2)},
		"bad id":                      {Keys: "a.b:" + key(1)},
		"several keys and no index":   {Keys: "b:" + key(2) + ",a:" + key(1)},
		"malformed index key":         {Keys: "a:" + key(1), IndexKey: "secret-secret"},
		"trailing comma after a key":  {Keys: "a:" + key(1) + ","},
		"index key of a wrong length": {Keys: "a:" + key(1), IndexKey: "c2VjcmV0"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := pii.New(cfg)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret", "an error never shows a key")
		})
	}
}

func TestNothingPrintsKeys(t *testing.T) {
	cfg := pii.Config{Keys: "a:" + key(7), IndexKey: key(8)}
	s := sealer(t, cfg)
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "sealer", s, "config", cfg)
	fmt.Fprintf(&out, "%v %+v %#v %s %v %+v %#v", s, s, s, s, cfg, cfg, cfg)
	require.NotContains(t, out.String(), key(7))
	require.NotContains(t, out.String(), key(8))
	require.NotContains(t, out.String(), "7, 7")
	require.NotContains(t, out.String(), "8 8 8")
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, pii.Config{Keys: "a:" + key(1)})
	sealed, err := s.Seal(phone, "13800000000")
	require.NoError(f, err)
	f.Add(sealed)
	f.Add("v1.a.AAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, v string) {
		if got, err := s.Open(phone, v); err == nil && got != "13800000000" {
			t.Fatalf("opened a forged value")
		}
	})
}
