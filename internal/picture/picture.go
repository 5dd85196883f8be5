// Package picture takes in photographs from outside: it refuses what is no
// JPEG or PNG or is too large to decode, turns the picture upright, scales it
// down and encodes it anew. The new file holds pixels and nothing else: no
// EXIF (which says where it was taken), no comments, nothing appended.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // DecodeConfig and Decode know it by its registration
	"net/http"

	"golang.org/x/image/draw"
)

// Errors of Intake.
var (
	ErrNotPicture = errors.New("picture: not a JPEG or PNG that can be read")
	ErrTooLarge   = errors.New("picture: too many bytes or pixels")
)

// Limits of Intake. A zero field takes its default.
type Limits struct {
	MaxBytes  int64 // of the file: 5 MB
	MaxPixels int64 // width times height: 40,000,000
	MaxSide   int   // of the result, in pixels: 1920
	Quality   int   // of the result, 1 to 100: 82
}

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = 5 << 20
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = 40_000_000
	}
	if l.MaxSide <= 0 {
		l.MaxSide = 1920
	}
	if l.Quality <= 0 || l.Quality > 100 {
		l.Quality = 82
	}
	return l
}

// ContentType of every Picture.
const ContentType = "image/jpeg"

// Picture is what Intake made.
type Picture struct {
	JPEG   []byte
	Width  int
	Height int
}

// Intake reads a picture. Its memory is bounded before the first pixel is
// decoded: MaxPixels is the budget of an ordinary picture, and what costs
// the decoder more per pixel (16-bit colour, progressive JPEG, whose
// coefficients are kept) may have accordingly fewer.
//
// Errors: ErrNotPicture, ErrTooLarge.
func Intake(data []byte, limits Limits) (Picture, error) {
	l := limits.withDefaults()
	if int64(len(data)) > l.MaxBytes {
		return Picture{}, ErrTooLarge
	}
	kind := http.DetectContentType(data)
	if kind != "image/jpeg" && kind != "image/png" {
		return Picture{}, ErrNotPicture
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || "image/"+format != kind || cfg.Width < 1 || cfg.Height < 1 {
		return Picture{}, ErrNotPicture
	}
	about := jpegInfo{orientation: upright}
	if format == "jpeg" {
		about = readJPEGInfo(data)
	}
	if int64(cfg.Width) > l.MaxPixels || int64(cfg.Width)*int64(cfg.Height)*costPerPixel(cfg.ColorModel, about) > l.MaxPixels {
		return Picture{}, ErrTooLarge
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return Picture{}, ErrNotPicture
	}
	return encode(turn(shrink(decoded, l.MaxSide), about.orientation), l.Quality)
}

// costPerPixel is the decoder's memory as a multiple of an ordinary picture's.
func costPerPixel(m color.Model, about jpegInfo) int64 {
	switch {
	case about.progressive:
		return 3
	case m == color.RGBA64Model || m == color.NRGBA64Model || m == color.Gray16Model:
		return 2
	default:
		return 1
	}
}

// shrink scales src down to at most side pixels, on white where it is
// transparent, since JPEG knows no transparency.
func shrink(src image.Image, side int) *image.RGBA {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(dst, dst.Bounds(), image.White, image.Point{}, draw.Src)
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(dst, dst.Bounds(), src, b.Min, draw.Over)
	} else {
		draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, b, draw.Over, nil)
	}
	return dst
}

func encode(img *image.RGBA, quality int) (Picture, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return Picture{}, fmt.Errorf("picture: %w", err)
	}
	return Picture{JPEG: out.Bytes(), Width: img.Rect.Dx(), Height: img.Rect.Dy()}, nil
}

// turn applies an EXIF orientation, which is lost with the EXIF data.
func turn(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == upright {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := w, h
	if orientation >= 5 { // the four that swap the sides
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range h {
		for x := range w {
			tx, ty := target(orientation, x, y, w, h)
			copy(dst.Pix[dst.PixOffset(tx, ty):][:4], src.Pix[src.PixOffset(x, y):][:4])
		}
	}
	return dst
}

// target is where a stored pixel is shown, by EXIF 2.32, tag 0x0112.
func target(orientation, x, y, w, h int) (tx, ty int) {
	switch orientation {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // upside down
		return w - 1 - x, h - 1 - y
	case 4: // upside down, mirrored
		return x, h - 1 - y
	case 5: // mirrored along the diagonal
		return y, x
	case 6: // to be turned clockwise
		return h - 1 - y, x
	case 7: // mirrored along the other diagonal
		return h - 1 - y, w - 1 - x
	case 8: // to be turned counter-clockwise
		return y, w - 1 - x
	default:
		return x, y
	}
}
