package pdf

import (
	"bytes"
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages counts the page objects.
func pages(file []byte) int { return len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(file, -1)) }

func TestDocument(t *testing.T) {
	t.Run("holds the glyphs that it uses, not the font", func(t *testing.T) {
		d := New("证明", "页脚")
		d.Centred(Title, "志愿服务记录证明")
		d.Paragraph(Body, "欧阳䶮、㛃、𬭊 rare 字")
		file, err := d.Bytes()
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(file, []byte("%PDF-")))
		require.Less(t, len(file), 60_000)
		require.Equal(t, 1, pages(file))
	})
	t.Run("begins a page when one is full", func(t *testing.T) {
		d := New("长", "页脚")
		for range 80 {
			d.Field("服务内容", strings.Repeat("清理河岸垃圾", 12))
		}
		file, err := d.Bytes()
		require.NoError(t, err)
		require.Greater(t, pages(file), 3)
	})
	t.Run("takes any text", func(t *testing.T) {
		picture := image.NewGray(image.Rect(0, 0, 8, 8))
		picture.SetGray(1, 1, color.Gray{Y: 255})
		d := New("", "")
		d.Corner(picture, 80, "扫码核验")
		for _, text := range []string{"", "\n\n", "a\tb\x00c", strings.Repeat("W", 500), "🎉 emoji", "\xff\xfe"} {
			d.Paragraph(Body, text)
			d.Note(Small, text)
		}
		_, err := d.Bytes()
		require.NoError(t, err)
	})
}

func TestLines(t *testing.T) {
	d := New("", "")
	for _, text := range []string{"一二三四五六七八九十，一二三四五六七八九十。", strings.Repeat("长", 300)} {
		lines := d.lines(105, Body, text)
		require.Equal(t, text, strings.Join(lines, ""), "nothing is lost")
		for _, l := range lines {
			first := []rune(l)[0]
			require.NotContains(t, closing, string(first))
			require.LessOrEqual(t, d.width(Body, l), 105+float64(Body)+0.1, "a closing mark may hang over")
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("一二三，四五六", 60.0)
	d := New("", "")
	f.Fuzz(func(t *testing.T, text string, width float64) {
		if len(text) > 400 {
			return
		}
		d.lines(width, Body, text)
		require.NoError(t, d.err)
	})
}
