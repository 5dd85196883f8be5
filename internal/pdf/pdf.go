// Package pdf writes A4 documents in Chinese. The font is embedded in the
// program, whole: a name may hold any character (docs/adr/0015). A document
// holds the glyphs that it uses only.
package pdf

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"image"
	"io"
	"strings"
	"sync"

	"github.com/signintech/gopdf"
)

// The font as its authors publish it (Noto Sans SC, SIL OFL 1.1), compressed.
//
//go:embed font/NotoSansSC-Regular.ttf.gz
var compressed []byte

var font = sync.OnceValues(func() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
})

// A4 in points, with its margins.
const (
	pageWidth  = 595.28
	pageHeight = 841.89
	margin     = 56.0
	family     = "noto"
	// missing stands for a character that the font does not have, as the sign for
	// a missing type does in Chinese print.
	missing = '〓'
)

// Size is a font size in points.
type Size float64

// The sizes of a document.
const (
	Small Size = 8.5
	Body  Size = 10.5
	Large Size = 12
	Title Size = 22
)

// leading is the distance of two lines, in font sizes.
const leading = 1.55

// Document is written from top to bottom; it begins a page by itself when one
// is full. Not safe for concurrent use. The first error stays and is returned
// by Bytes.
type Document struct {
	pdf    *gopdf.GoPdf
	y      float64
	footer string
	pages  int
	err    error
}

// New begins a document. The footer stands at the foot of every page, before
// the number of the page.
func New(title, footer string) *Document {
	d := &Document{pdf: &gopdf.GoPdf{}, footer: footer}
	d.pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	d.pdf.SetInfo(gopdf.PdfInfo{Title: title})
	data, err := font()
	if err == nil {
		err = d.pdf.AddTTFFontDataWithOption(family, data, gopdf.TtfOption{
			OnGlyphNotFoundSubstitute: func(rune) rune { return missing },
		})
	}
	d.note(err)
	d.newPage()
	return d
}

// Bytes returns the finished file.
func (d *Document) Bytes() ([]byte, error) {
	if d.err != nil {
		return nil, fmt.Errorf("pdf: %w", d.err)
	}
	out, err := d.pdf.GetBytesPdfReturnErr()
	if err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	return out, nil
}

func (d *Document) note(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *Document) newPage() {
	d.pdf.AddPage()
	d.pages++
	d.y = margin
	if d.err != nil {
		return
	}
	d.write(margin, pageHeight-margin+16, Small, fmt.Sprintf("%s　第 %d 页", d.footer, d.pages), muted)
}

// room begins a new page unless height is left on this one.
func (d *Document) room(height float64) {
	if d.y+height > pageHeight-margin {
		d.newPage()
	}
}

type colour struct{ r, g, b uint8 }

var (
	ink   = colour{32, 32, 32}
	muted = colour{110, 110, 110}
	rule  = colour{190, 190, 190}
)

// write puts one line with its top at y.
func (d *Document) write(x, y float64, size Size, text string, c colour) {
	if d.err != nil || text == "" {
		return
	}
	d.note(d.pdf.SetFont(family, "", float64(size)))
	d.pdf.SetTextColor(c.r, c.g, c.b)
	d.pdf.SetXY(x, y)
	d.note(d.pdf.Cell(nil, text))
}

// Centred writes one line in the middle.
func (d *Document) Centred(size Size, text string) {
	d.room(float64(size) * leading)
	d.write((pageWidth-d.width(size, text))/2, d.y, size, text, ink)
	d.y += float64(size) * leading
}

func (d *Document) width(size Size, text string) float64 {
	if d.err != nil {
		return 0
	}
	d.note(d.pdf.SetFont(family, "", float64(size)))
	w, err := d.pdf.MeasureTextWidth(text)
	d.note(err)
	return w
}

// Paragraph writes text over the whole width.
func (d *Document) Paragraph(size Size, text string) {
	d.block(margin, pageWidth-2*margin, size, text, ink)
}

// Note writes text in grey.
func (d *Document) Note(size Size, text string) {
	d.block(margin, pageWidth-2*margin, size, text, muted)
}

// Gap leaves points free.
func (d *Document) Gap(points float64) { d.y += points }

// Rule draws a thin line over the whole width.
func (d *Document) Rule() {
	d.room(8)
	d.pdf.SetStrokeColor(rule.r, rule.g, rule.b)
	d.pdf.SetLineWidth(0.6)
	d.pdf.Line(margin, d.y, pageWidth-margin, d.y)
	d.y += 8
}

// Keep begins a new page unless so many lines of the size fit on this one.
func (d *Document) Keep(size Size, lines int) { d.room(float64(size) * leading * float64(lines)) }

// Field writes a label and, beside it, its value.
func (d *Document) Field(label, value string) {
	const labelWidth = 84
	d.room(float64(Body) * leading)
	d.write(margin, d.y, Body, label, muted)
	d.block(margin+labelWidth, pageWidth-2*margin-labelWidth, Body, value, ink)
}

func (d *Document) block(x, width float64, size Size, text string, c colour) {
	for _, line := range d.lines(width, size, text) {
		d.room(float64(size) * leading)
		d.write(x, d.y, size, line, c)
		d.y += float64(size) * leading
	}
}

// closing marks never begin a line (the rule 行首禁则 of Chinese print).
const closing = "，。、；：？！”’）》」』】…％,.;:?!)%"

// lines breaks a text at the width, between any two characters but before a
// closing mark.
func (d *Document) lines(width float64, size Size, text string) []string {
	var out []string
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n") {
		var line []rune
		used := 0.0
		for _, r := range paragraph {
			if r < ' ' {
				r = ' '
			}
			w := d.width(size, string(r)) // without kerning a line is as wide as its characters
			if len(line) > 0 && !strings.ContainsRune(closing, r) && used+w > width {
				out, line, used = append(out, string(line)), nil, 0
			}
			line, used = append(line, r), used+w
		}
		out = append(out, string(line))
	}
	return out
}

// Corner puts a picture in the upper right corner of this page, square, and a
// caption under it.
func (d *Document) Corner(picture image.Image, side float64, caption string) {
	if d.err != nil {
		return
	}
	x := pageWidth - margin - side
	d.note(d.pdf.ImageFrom(picture, x, margin, &gopdf.Rect{W: side, H: side}))
	d.write(x+(side-d.width(Small, caption))/2, margin+side+3, Small, caption, muted)
}
