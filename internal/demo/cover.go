package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// Size of a cover in pixels. What is drawn is measured in these units, from
// the top left corner.
const (
	coverWidth   = 640
	coverHeight  = 360
	coverQuality = 78
)

// distance is a shape: how far a point is outside of it, negative inside. An
// edge is smoothed over the pixel in which the distance passes zero.
type distance func(x, y float64) float64

func disc(cx, cy, r float64) distance {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

func ring(cx, cy, r, width float64) distance { //nolint:unparam // a shape has a place, like the others
	return func(x, y float64) float64 { return math.Abs(math.Hypot(x-cx, y-cy)-r) - width/2 }
}

// box is a rectangle about its centre, turned by degrees, with round corners.
func box(cx, cy, w, h, round, degrees float64) distance {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return func(x, y float64) float64 {
		dx, dy := x-cx, y-cy
		qx := math.Abs(dx*cos+dy*sin) - w/2 + round
		qy := math.Abs(dy*cos-dx*sin) - h/2 + round
		return math.Hypot(max(qx, 0), max(qy, 0)) + min(max(qx, qy), 0) - round
	}
}

// stroke is a line with round ends.
func stroke(x1, y1, x2, y2, width float64) distance {
	return func(x, y float64) float64 {
		t := ((x-x1)*(x2-x1) + (y-y1)*(y2-y1)) / ((x2-x1)*(x2-x1) + (y2-y1)*(y2-y1))
		t = min(max(t, 0), 1)
		return math.Hypot(x-x1-t*(x2-x1), y-y1-t*(y2-y1)) - width/2
	}
}

// below is everything under a line of hills.
func below(height, swing, length, shift float64) distance {
	return func(x, y float64) float64 { return height + swing*math.Sin((x+shift)/length) - y }
}

func both(a, b distance) distance {
	return func(x, y float64) float64 { return max(a(x, y), b(x, y)) }
}

func without(a, b distance) distance {
	return func(x, y float64) float64 { return max(a(x, y), -b(x, y)) }
}

// layer is a shape in a colour.
type layer struct {
	shape distance
	color color.NRGBA
}

// palette is the colours of a cover: the ground from top to bottom, and what
// stands on it.
type palette struct{ top, bottom, main, second, light color.NRGBA }

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255} //nolint:gosec // the low byte is meant
}

func faint(c color.NRGBA, alpha uint8) color.NRGBA { c.A = alpha; return c }

// palettes are after things of the place: osmanthus, the lake, tea fields, the
// lanterns of Xiashi, evening on the river.
var palettes = []palette{
	{rgb(0xFFF1D6), rgb(0xFFD08A), rgb(0xC8553D), rgb(0xF28F3B), rgb(0xFFFDF7)},
	{rgb(0xDFF3F5), rgb(0x9ED2DA), rgb(0x1F6F78), rgb(0x3AA6A0), rgb(0xFBFFFF)},
	{rgb(0xEAF5DC), rgb(0xB7D99A), rgb(0x3E7C4F), rgb(0x86B04F), rgb(0xFDFFF8)},
	{rgb(0xFDE4DF), rgb(0xF2AFA3), rgb(0xA63446), rgb(0xE07A5F), rgb(0xFFFAF8)},
	{rgb(0xE5E6F7), rgb(0xB3B7E2), rgb(0x3D4585), rgb(0x7C83C9), rgb(0xFCFCFF)},
}

// motifs are what the covers show, by category of benefits and by what
// articles.yaml names.
var motifs = map[string]func(p palette) []layer{
	"cinema": func(p palette) []layer {
		ticket := without(without(box(320, 180, 300, 150, 16, -10), disc(206, 126, 20)), disc(232, 276, 20))
		return []layer{
			{ticket, p.main},
			{box(320, 180, 250, 104, 8, -10), faint(p.light, 235)},
			{stroke(398, 118, 416, 216, 5), faint(p.main, 160)},
			{disc(300, 184, 34), p.second},
			{box(302, 183, 20, 20, 3, 35), p.light},
		}
	},
	"dining": func(p palette) []layer {
		bowl := both(disc(320, 190, 112), below(190, 0, 1, 0))
		return []layer{
			{bowl, p.main},
			{box(320, 190, 250, 16, 8, 0), p.second},
			{box(320, 304, 90, 18, 9, 0), p.main},
			{stroke(272, 100, 284, 158, 12), faint(p.light, 220)},
			{stroke(320, 84, 320, 158, 12), faint(p.light, 220)},
			{stroke(368, 100, 356, 158, 12), faint(p.light, 220)},
			{stroke(402, 180, 482, 82, 8), p.second},
			{stroke(420, 184, 506, 96, 8), p.second},
		}
	},
	"fitness": func(p palette) []layer {
		return []layer{
			{stroke(230, 180, 410, 180, 18), p.second},
			{box(224, 180, 34, 150, 14, 0), p.main},
			{box(184, 180, 28, 104, 12, 0), p.main},
			{box(416, 180, 34, 150, 14, 0), p.main},
			{box(456, 180, 28, 104, 12, 0), p.main},
			{below(318, 10, 34, 0), faint(p.second, 120)},
			{below(334, 8, 28, 40), faint(p.main, 90)},
		}
	},
	"retail": func(p palette) []layer {
		return []layer{
			{both(ring(320, 140, 54, 14), box(320, 96, 200, 90, 0, 0)), p.second},
			{box(320, 222, 210, 172, 20, 0), p.main},
			{box(320, 164, 210, 30, 12, 0), faint(p.second, 210)},
			{disc(284, 236, 10), p.light},
			{disc(356, 236, 10), p.light},
			{both(ring(320, 240, 36, 10), below(246, 0, 1, 0)), p.light},
		}
	},
	"culture": func(p palette) []layer {
		body := both(box(320, 176, 172, 176, 84, 0), box(320, 176, 220, 176, 0, 0))
		return []layer{
			{stroke(320, 30, 320, 96, 6), p.second},
			{body, p.main},
			{both(ring(320, 176, 46, 6), body), faint(p.light, 150)},
			{stroke(320, 92, 320, 260, 6), faint(p.light, 150)},
			{box(320, 90, 104, 18, 6, 0), p.second},
			{box(320, 264, 104, 18, 6, 0), p.second},
			{stroke(300, 276, 300, 322, 6), p.second},
			{stroke(320, 276, 320, 336, 6), p.second},
			{stroke(340, 276, 340, 322, 6), p.second},
		}
	},
	"service": func(p palette) []layer {
		roof := both(box(320, 176, 178, 178, 10, 45), box(320, 100, 400, 152, 0, 0))
		return []layer{
			{box(320, 234, 182, 140, 8, 0), p.light},
			{roof, p.main},
			{box(320, 262, 50, 84, 8, 0), p.second},
			{box(258, 226, 36, 36, 5, 0), faint(p.second, 150)},
			{box(382, 226, 36, 36, 5, 0), faint(p.second, 150)},
			{below(302, 0, 1, 0), faint(p.main, 200)},
		}
	},
	"park": func(p palette) []layer {
		return []layer{
			{disc(480, 92, 44), p.light},
			{below(214, 34, 96, 10), faint(p.second, 170)},
			{below(262, 26, 74, 120), p.main},
			{stroke(170, 176, 170, 268, 10), p.main},
			{disc(170, 150, 46), p.second},
			{stroke(248, 200, 248, 270, 8), p.main},
			{disc(248, 182, 32), p.second},
			{below(318, 6, 40, 0), faint(p.light, 150)},
		}
	},
	"health": func(p palette) []layer {
		return []layer{
			{disc(320, 180, 116), p.light},
			{box(320, 180, 46, 150, 12, 0), p.main},
			{box(320, 180, 150, 46, 12, 0), p.main},
			{ring(320, 180, 130, 8), faint(p.second, 180)},
		}
	},
	"city": func(p palette) []layer {
		out := []layer{{disc(150, 96, 38), p.light}, {below(300, 0, 1, 0), faint(p.main, 220)}}
		for i, h := range []float64{120, 190, 150, 220, 130} {
			x := 190 + 68*float64(i)
			out = append(out, layer{box(x, 302-h/2, 56, h, 6, 0), []color.NRGBA{p.main, p.second}[i%2]})
			for row := 0.0; row < h/40-1; row++ {
				out = append(out,
					layer{box(x-11, 322-h+row*38, 12, 16, 2, 0), faint(p.light, 210)}, layer{box(x+11, 322-h+row*38, 12, 16, 2, 0), faint(p.light, 210)})
			}
		}
		return out
	},
	"book": func(p palette) []layer {
		return []layer{
			{box(244, 196, 158, 176, 8, 6), p.main},
			{box(396, 196, 158, 176, 8, -6), p.main},
			{box(246, 186, 146, 168, 6, 6), p.light},
			{box(394, 186, 146, 168, 6, -6), p.light},
			{stroke(196, 140, 286, 150, 7), faint(p.second, 190)},
			{stroke(192, 176, 282, 186, 7), faint(p.second, 190)},
			{stroke(188, 212, 278, 222, 7), faint(p.second, 190)},
			{stroke(354, 150, 444, 140, 7), faint(p.second, 190)},
			{stroke(358, 186, 448, 176, 7), faint(p.second, 190)},
			{stroke(362, 222, 452, 212, 7), faint(p.second, 190)},
		}
	},
	"notice": func(p palette) []layer {
		return []layer{
			{box(320, 180, 190, 190, 26, 45), p.second},
			{box(320, 180, 164, 164, 20, 45), p.light},
			{stroke(320, 112, 320, 196, 26), p.main},
			{disc(320, 246, 16), p.main},
		}
	},
}

// draw paints a motif on the ground of a palette.
func draw(motif string, p palette) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, coverWidth, coverHeight))
	layers := append([]layer{
		{disc(560, 60, 150), faint(p.light, 70)}, {disc(70, 330, 120), faint(p.light, 60)},
	}, motifs[motif](p)...)
	for py := range coverHeight {
		ground := mix(p.top, p.bottom, float64(py)/coverHeight)
		for px := range coverWidth {
			c := ground
			for _, l := range layers {
				inside := min(max(0.5-l.shape(float64(px)+0.5, float64(py)+0.5), 0), 1)
				if inside > 0 {
					c = mix(c, l.color, inside*float64(l.color.A)/255)
				}
			}
			img.SetRGBA(px, py, color.RGBA{R: c.R, G: c.G, B: c.B, A: 255})
		}
	}
	return img
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	at := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*t)) }
	return color.NRGBA{R: at(a.R, b.R), G: at(a.G, b.G), B: at(a.B, b.B), A: 255}
}

// cover draws a motif, uploads it once for each palette, and returns its key.
func (l *loader) cover(ctx context.Context, motif string, n int) (string, error) {
	n %= len(palettes)
	name := fmt.Sprint(motif, n)
	if key, ok := l.covers[name]; ok {
		return key, nil
	}
	if motifs[motif] == nil {
		return "", fmt.Errorf("demo: no motif %q", motif)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, draw(motif, palettes[n]), &jpeg.Options{Quality: coverQuality}); err != nil {
		return "", fmt.Errorf("demo: cover: %w", err)
	}
	item, err := l.Media.UploadPicture(ctx, l.root, out.Bytes())
	l.covers[name] = item.Key
	return item.Key, err
}
