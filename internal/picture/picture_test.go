package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/picture"
)

// quarters is a picture whose upper left quarter is red and whose upper right
// quarter is blue, on white.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 255, 255, 255}
			switch {
			case x < w/2 && y < h/2:
				c = color.RGBA{255, 0, 0, 255}
			case y < h/2:
				c = color.RGBA{0, 0, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

const takenAt = "GPS-30.2741N-120.1551E"

// withEXIF puts an EXIF segment with an orientation and a secret after the
// start of a JPEG.
func withEXIF(data []byte, orientation uint16) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, 0x0112)
	tiff = append(tiff, 0, 3, 0, 0, 0, 1)
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	body := append(append([]byte("Exif\x00\x00"), tiff...), takenAt...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2)) //nolint:gosec // small
	out := append(append([]byte{}, data[:2]...), segment...)
	return append(append(out, body...), data[2:]...)
}

func near(t *testing.T, img image.Image, x, y int, want color.RGBA) {
	t.Helper()
	r, g, b, _ := img.At(x, y).RGBA()
	for _, d := range []int{int(r>>8) - int(want.R), int(g>>8) - int(want.G), int(b>>8) - int(want.B)} {
		require.Less(t, max(d, -d), 40, "pixel (%d, %d) is %v, want about %v", x, y, img.At(x, y), want)
	}
}

var red, blue, white = color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{255, 255, 255, 255}

func TestIntake(t *testing.T) {
	t.Run("drops EXIF and whatever was appended", func(t *testing.T) {
		in := append(withEXIF(asJPEG(t, quarters(64, 32)), 1), "<script>"+takenAt...)
		out, err := picture.Intake(in, picture.Limits{})
		require.NoError(t, err)
		require.True(t, bytes.Contains(in, []byte(takenAt)))
		require.False(t, bytes.Contains(out.JPEG, []byte(takenAt)))
		require.False(t, bytes.Contains(out.JPEG, []byte("Exif")))
		require.False(t, bytes.Contains(out.JPEG, []byte("script")))
		require.Equal(t, []int{64, 32}, []int{out.Width, out.Height})
	})
	t.Run("turns each orientation upright", func(t *testing.T) {
		// Where the red and the blue quarter of the stored picture are seen.
		const ul, ur, ll, lr = 0, 1, 2, 3
		want := map[uint16][2]int{1: {ul, ur}, 2: {ur, ul}, 3: {lr, ll}, 4: {ll, lr}, 5: {ul, ll}, 6: {ur, lr}, 7: {lr, ur}, 8: {ll, ul}}
		for orientation, places := range want {
			out, err := picture.Intake(withEXIF(asJPEG(t, quarters(80, 48)), orientation), picture.Limits{})
			require.NoError(t, err)
			img, err := jpeg.Decode(bytes.NewReader(out.JPEG))
			require.NoError(t, err)
			w, h := 80, 48
			if orientation >= 5 {
				w, h = 48, 80
			}
			require.Equal(t, image.Rect(0, 0, w, h), img.Bounds(), "orientation %d", orientation)
			spots := [4]image.Point{{w / 4, h / 4}, {3 * w / 4, h / 4}, {w / 4, 3 * h / 4}, {3 * w / 4, 3 * h / 4}}
			for place, spot := range spots {
				expect := white
				switch place {
				case places[0]:
					expect = red
				case places[1]:
					expect = blue
				}
				near(t, img, spot.X, spot.Y, expect)
			}
		}
	})
	t.Run("scales down and keeps the shape", func(t *testing.T) {
		out, err := picture.Intake(asJPEG(t, quarters(800, 400)), picture.Limits{MaxSide: 200})
		require.NoError(t, err)
		require.Equal(t, []int{200, 100}, []int{out.Width, out.Height})
		img, err := jpeg.Decode(bytes.NewReader(out.JPEG))
		require.NoError(t, err)
		near(t, img, 50, 25, red)
		near(t, img, 150, 25, blue)
	})
	t.Run("a thin strip keeps at least a pixel", func(t *testing.T) {
		out, err := picture.Intake(asPNG(t, quarters(3000, 1)), picture.Limits{})
		require.NoError(t, err)
		require.Equal(t, []int{1920, 1}, []int{out.Width, out.Height})
	})
	t.Run("lays a transparent PNG on white", func(t *testing.T) {
		out, err := picture.Intake(asPNG(t, image.NewNRGBA(image.Rect(0, 0, 16, 16))), picture.Limits{})
		require.NoError(t, err)
		img, err := jpeg.Decode(bytes.NewReader(out.JPEG))
		require.NoError(t, err)
		near(t, img, 8, 8, white)
	})
	t.Run("refuses what is no picture", func(t *testing.T) {
		whole := asJPEG(t, quarters(64, 64))
		for name, data := range map[string][]byte{
			"nothing":        nil,
			"text":           []byte("hello"),
			"html":           []byte("<html><script>alert(1)</script>"),
			"svg":            []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
			"gif":            []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
			"only a magic":   {0xff, 0xd8, 0xff},
			"half a JPEG":    whole[:len(whole)/2],
			"half a PNG":     asPNG(t, quarters(64, 64))[:60],
			"a zip":          []byte("PK\x03\x04aaaaaaaaaaaaaaaaaaa"),
			"a PNG of width": pngHeader(0, 10, 8, 6),
		} {
			_, err := picture.Intake(data, picture.Limits{})
			require.ErrorIs(t, err, picture.ErrNotPicture, name)
		}
	})
	t.Run("refuses too many bytes", func(t *testing.T) {
		_, err := picture.Intake(asJPEG(t, quarters(64, 64)), picture.Limits{MaxBytes: 100})
		require.ErrorIs(t, err, picture.ErrTooLarge)
	})
	t.Run("refuses a decompression bomb by its header", func(t *testing.T) {
		for name, data := range map[string][]byte{
			"a PNG of 60000 by 60000":          pngHeader(60000, 60000, 8, 6),
			"a PNG as wide as its width goes":  pngHeader(1<<31-1, 1, 8, 6),
			"a 16-bit PNG of 5000 by 5000":     pngHeader(5000, 5000, 16, 6),
			"a JPEG of 65535 by 65535":         jpegHeader(0xc0, 65535, 65535),
			"a progressive JPEG of 16 million": jpegHeader(0xc2, 4000, 4000),
		} {
			require.Less(t, len(data), 200)
			_, err := picture.Intake(data, picture.Limits{})
			require.ErrorIs(t, err, picture.ErrTooLarge, name)
		}
		_, err := picture.Intake(jpegHeader(0xc0, 4000, 4000), picture.Limits{})
		require.ErrorIs(t, err, picture.ErrNotPicture, "a baseline JPEG of 16 million pixels passes the header and fails for want of data")
	})
}

// pngHeader is a PNG that ends after its header.
func pngHeader(w, h uint32, depth, colorType byte) []byte {
	body := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	body = append(binary.BigEndian.AppendUint32(body, h), depth, colorType, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

// jpegHeader is a JPEG that ends after its frame header.
func jpegHeader(sof byte, w, h uint16) []byte {
	out := []byte{0xff, 0xd8, 0xff, sof, 0, 17, 8}
	out = binary.BigEndian.AppendUint16(out, h)
	out = binary.BigEndian.AppendUint16(out, w)
	return append(out, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xda, 0, 12)
}

func FuzzIntake(f *testing.F) {
	small := quarters(16, 8)
	f.Add(asJPEG(f, small))
	f.Add(asPNG(f, small))
	f.Add(withEXIF(asJPEG(f, small), 6))
	f.Add(pngHeader(60000, 60000, 8, 6))
	f.Add(jpegHeader(0xc2, 4000, 4000))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 12, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0})
	limits := picture.Limits{MaxBytes: 64 << 10, MaxPixels: 1 << 16, MaxSide: 64}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := picture.Intake(data, limits)
		if err != nil {
			if !errors.Is(err, picture.ErrNotPicture) && !errors.Is(err, picture.ErrTooLarge) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(out.JPEG))
		if err != nil || cfg.Width != out.Width || cfg.Height != out.Height || max(out.Width, out.Height) > limits.MaxSide {
			t.Fatalf("made a bad picture: %dx%d, %v", out.Width, out.Height, err)
		}
	})
}
