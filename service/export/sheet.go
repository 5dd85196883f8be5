package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"jiamenkou/internal/clock"
)

// The formats.
const (
	formatCSV  = "csv"
	formatXLSX = "xlsx"
)

// byteOrderMark tells Excel that a CSV file is UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// fen is an amount of money, written in yuan.
type fen int64

// sheet is a file that is written row by row.
type sheet interface {
	row(cells []any) error
	end() error
	abort() error // gives back what the sheet holds; the file is worthless
}

func newSheet(format string, w io.Writer) (sheet, error) {
	if format == formatXLSX {
		return newWorkbook(w)
	}
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return nil, err
	}
	return &commas{csv.NewWriter(w)}, nil
}

func header(columns []string) []any {
	out := make([]any, len(columns))
	for i, c := range columns {
		out[i] = c
	}
	return out
}

// text writes a cell as text; numbers say that they are one.
func text(cell any) (value string, number bool) {
	switch v := cell.(type) {
	case string:
		return harmless(v), false
	case *string:
		if v == nil {
			return "", false
		}
		return harmless(*v), false
	case int64:
		return strconv.FormatInt(v, 10), true
	case *int64:
		if v == nil {
			return "", false
		}
		return strconv.FormatInt(*v, 10), true
	case fen:
		sign, n := "", int64(v)
		if n < 0 {
			sign, n = "-", -n
		}
		return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100), true
	case clock.Instant:
		return v.Time().Format("2006-01-02 15:04:05"), false
	case *clock.Instant:
		if v == nil {
			return "", false
		}
		return v.Time().Format("2006-01-02 15:04:05"), false
	case *clock.Day:
		if v == nil {
			return "", false
		}
		return string(*v), false
	case bool:
		if v {
			return "是", false
		}
		return "否", false
	default:
		return harmless(fmt.Sprint(v)), false
	}
}

// harmless keeps a spreadsheet from taking what somebody typed for a formula
// (OWASP, CSV injection). Characters that XML does not know are dropped.
func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if s != "" && strings.ContainsRune("=+-@\t\n＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

type commas struct{ w *csv.Writer }

func (c *commas) row(cells []any) error {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i], _ = text(cell)
	}
	return c.w.Write(out)
}

func (c *commas) end() error {
	c.w.Flush()
	return c.w.Error()
}

func (*commas) abort() error { return nil }

// workbook streams an .xlsx file: excelize keeps the rows in a temporary file
// once they are many.
type workbook struct {
	file   *excelize.File
	stream *excelize.StreamWriter
	out    io.Writer
	rows   int
}

func newWorkbook(w io.Writer) (*workbook, error) {
	file := excelize.NewFile()
	stream, err := file.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, fmt.Errorf("export: workbook: %w", err)
	}
	return &workbook{file: file, stream: stream, out: w}, nil
}

func (b *workbook) row(cells []any) error {
	out := make([]any, len(cells))
	for i, cell := range cells {
		value, number := text(cell)
		if out[i] = value; number {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return fmt.Errorf("export: cell: %w", err)
			}
			out[i] = n
		}
	}
	b.rows++
	return b.stream.SetRow("A"+strconv.Itoa(b.rows), out)
}

func (b *workbook) end() error {
	if err := b.stream.Flush(); err != nil {
		return fmt.Errorf("export: workbook: %w", err)
	}
	if err := b.file.Write(b.out); err != nil {
		return fmt.Errorf("export: workbook: %w", err)
	}
	return b.file.Close()
}

func (b *workbook) abort() error { return b.file.Close() }
