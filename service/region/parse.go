package region

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// Limits of an import file.
const (
	MaxImportBytes  = 5 << 20
	MaxImportRows   = 50_000
	maxListedFaults = 1_000
)

// Record is one row of an import file as written there, trimmed.
type Record struct {
	Line       int // of the file, the header being line 1
	Code       string
	ParentCode string // "" for a county
	Level      model.RegionLevel
	Name       string
}

// LineFault is what is wrong with one line. It never quotes the line.
type LineFault struct {
	Line   int
	Reason string
}

// File is a parsed import file. With no Faults every record has a valid code
// that no other has, a known level and a valid name, and only counties lack a
// parent; whether the parents exist and fit is the import's question. With
// Faults the records serve only to find more of them.
type File struct {
	Records []Record
	Faults  []LineFault
}

// Parse reads a CSV file with the columns 编码, 上级编码, 级别 and 名称 (or code,
// parent_code, level and name) in any order (others are ignored) below a header
// line, as UTF-8 with or without BOM or as GB18030. A level is written by its
// title or by its name in the API. A row is one line: no field may hold a line
// break, so that a stray quotation mark spoils its own line and no other.
//
// It returns ErrFileTooLarge, ErrTooManyRows or ErrEmptyFile without looking
// further, and never reads more than MaxImportBytes+1 bytes.
func Parse(r io.Reader) (File, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxImportBytes+1))
	if err != nil {
		return File{}, fmt.Errorf("region: reading the import file: %w", err)
	}
	if len(raw) > MaxImportBytes {
		return File{}, ErrFileTooLarge
	}
	if reason := foreignFormat(raw); reason != "" {
		return File{Faults: []LineFault{{1, reason}}}, nil
	}
	p := parser{decode: decoderFor(raw), firstLine: map[string]int{}}
	raw = bytes.TrimPrefix(raw, utf8BOM)
	line := 0
	for text := range bytes.Lines(raw) {
		line++
		if err := p.line(line, bytes.TrimRight(text, "\r\n")); err != nil {
			return File{}, err
		}
		if p.width == 0 && len(p.faults) > 0 {
			break // without a header no line means anything
		}
	}
	if len(p.records) == 0 && len(p.faults) == 0 {
		return File{}, ErrEmptyFile
	}
	return File{Records: p.records, Faults: p.faults}, nil
}

// foreignFormat names a file that is no CSV at all, by its first bytes.
func foreignFormat(raw []byte) string {
	switch {
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")), bytes.HasPrefix(raw, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return "这是 Excel 工作簿，请在 Excel 里另存为 CSV 再导入"
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return "文件是 UTF-16 编码，请另存为“CSV UTF-8”再导入"
	}
	return ""
}

type parser struct {
	decode    func([]byte) (string, bool)
	width     int // columns of the header, 0 until it is read
	columns   [columnCount]int
	firstLine map[string]int // code -> line
	rows      int
	records   []Record
	faults    []LineFault
}

const (
	columnCode = iota
	columnParentCode
	columnLevel
	columnName
	columnCount
)

// columnNames are what each column may be called: as people write it, and as
// the API calls it.
var columnNames = [columnCount][2]string{{"编码", "code"}, {"上级编码", "parent_code"}, {"级别", "level"}, {"名称", "name"}}

func (p *parser) fault(line int, reason string) { p.faults = append(p.faults, LineFault{line, reason}) }

func (p *parser) line(line int, raw []byte) error {
	text, ok := p.decode(raw)
	if ok && strings.Trim(text, ", \t\"") == "" {
		return nil // Excel leaves such lines at the end of a sheet
	}
	fields, reason := splitLine(text)
	if !ok {
		reason = "文字编码有误，请另存为“CSV UTF-8”再导入"
	}
	if p.width == 0 {
		if reason == "" {
			reason = p.header(fields)
		}
		if reason != "" {
			p.fault(line, reason)
		}
		return nil
	}
	if p.rows++; p.rows > MaxImportRows {
		return ErrTooManyRows
	}
	if reason == "" && len(fields) != p.width {
		reason = fmt.Sprintf("列数与表头不同，应为 %d 列", p.width)
	}
	if reason != "" {
		p.fault(line, reason)
		return nil
	}
	p.record(Record{
		Line: line, Code: fields[p.columns[columnCode]], ParentCode: fields[p.columns[columnParentCode]],
		Level: levelOf(fields[p.columns[columnLevel]]), Name: fields[p.columns[columnName]],
	})
	return nil
}

// header finds the columns and returns what is wrong, "" if nothing.
func (p *parser) header(fields []string) string {
	for i, names := range columnNames {
		at := -1
		for j, f := range fields {
			if f != names[0] && !strings.EqualFold(f, names[1]) {
				continue
			}
			if at >= 0 {
				return "表头里“" + names[0] + "”列重复"
			}
			at = j
		}
		if at < 0 {
			return "第一行应为表头，缺少“" + names[0] + "”列（需要编码、上级编码、级别、名称）"
		}
		p.columns[i] = at
	}
	p.width = len(fields)
	return ""
}

// levelOf is the level of that title or name; another word stays as it is.
func levelOf(word string) model.RegionLevel {
	for _, l := range model.RegionLevels() {
		if word == l.Title() {
			return l
		}
	}
	return model.RegionLevel(word)
}

func (p *parser) record(r Record) {
	codeReason := codeFault(r.Code)
	if codeReason != "" {
		p.fault(r.Line, codeReason)
	} else if first, taken := p.firstLine[r.Code]; taken {
		p.fault(r.Line, fmt.Sprintf("编码与第 %d 行重复", first))
		return
	}
	if reason := model.RegionNameFault(r.Name); reason != "" {
		p.fault(r.Line, reason)
	}
	if reason := placeFault(r); reason != "" {
		p.fault(r.Line, reason)
		// The rows below a faulty one are not faulty for that: it stays in the
		// file as a parent, without what cannot be judged.
		r.Level, r.ParentCode = "", ""
	}
	if codeReason == "" {
		p.firstLine[r.Code] = r.Line
		p.records = append(p.records, r)
	}
}

// placeFault says what is wrong with the level and the parent's code, as far
// as the line alone shows.
func placeFault(r Record) string {
	switch {
	case r.Level.Order() == 0:
		return "级别应为县市区、镇街、村社、网格、微网格、楼道之一"
	case r.ParentCode == "" && r.Level != model.RegionCounty:
		return "缺少上级编码"
	case r.ParentCode != "" && codeFault(r.ParentCode) != "":
		return "上级" + codeFault(r.ParentCode)
	}
	return ""
}

func codeFault(code string) string {
	switch {
	case code == "":
		return "编码不能为空"
	case strings.ContainsAny(code, "Ee") && strings.Contains(code, "+"):
		return "编码被 Excel 改成了科学计数法，请把该列设为文本后重新保存"
	case !model.ValidRegionCode(code):
		return "编码应为 1 到 32 位字母、数字、横线或下划线"
	}
	return ""
}

// splitLine splits one CSV line into trimmed fields.
func splitLine(text string) (fields []string, reason string) {
	if !strings.Contains(text, `"`) {
		fields = strings.Split(text, ",")
	} else {
		reader := csv.NewReader(strings.NewReader(text))
		reader.FieldsPerRecord = -1
		var err error
		if fields, err = reader.Read(); err != nil {
			return nil, "引号不成对"
		}
	}
	for i, f := range fields {
		fields[i] = strings.TrimSpace(f)
	}
	return fields, ""
}

var utf8BOM = []byte("\xef\xbb\xbf")

// decoderFor guesses the encoding line by line: whichever of UTF-8 and GB18030
// makes Chinese of more lines. Almost any bytes are some GB18030, but GB18030
// text is hardly ever UTF-8 of Chinese, so UTF-8 wins a tie: a broken UTF-8
// file must be refused, not read as nonsense.
func decoderFor(raw []byte) func([]byte) (string, bool) {
	if bytes.HasPrefix(raw, utf8BOM) {
		return decodeUTF8
	}
	decodeGB := gb18030Decoder()
	utf8Lines, gbLines := 0, 0
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, "\r\n")
		if !slices.ContainsFunc(line, func(b byte) bool { return b >= utf8.RuneSelf }) {
			continue
		}
		if text, ok := decodeUTF8(line); ok && strings.ContainsFunc(text, isEastAsian) {
			utf8Lines++
		} else if _, ok := decodeGB(line); ok {
			gbLines++
		}
	}
	if gbLines > utf8Lines {
		return decodeGB
	}
	return decodeUTF8
}

// isEastAsian: the blocks from CJK radicals on. Bytes of GB18030 that happen
// to be UTF-8 make Latin, Greek, Cyrillic or Arabic letters instead.
func isEastAsian(c rune) bool { return c >= 0x2e80 }

func decodeUTF8(line []byte) (string, bool) {
	text := string(line)
	return text, utf8.Valid(line) && !strings.ContainsRune(text, utf8.RuneError)
}

func gb18030Decoder() func([]byte) (string, bool) {
	decoder := simplifiedchinese.GB18030.NewDecoder()
	return func(line []byte) (string, bool) {
		text, err := decoder.Bytes(line)
		if err != nil {
			return "", false
		}
		// The decoder writes U+FFFD for what it cannot read.
		return string(text), !bytes.ContainsRune(text, utf8.RuneError)
	}
}

// badFile is the refusal that names the faulty lines, in order.
func badFile(faults []LineFault) error {
	faults = slices.Clone(faults)
	slices.SortStableFunc(faults, func(a, b LineFault) int { return a.Line - b.Line })
	e := ErrBadFile.WithMessage("文件有 %d 处错误，一条都没有导入，请按提示修改后重新导入", len(faults))
	if more := len(faults) - maxListedFaults; more > 0 {
		e = ErrBadFile.WithMessage("文件有 %d 处错误，一条都没有导入；下面列出前 %d 处，另有 %d 处未列出",
			len(faults), maxListedFaults, more)
		faults = faults[:maxListedFaults]
	}
	fields := make([]fault.Field, len(faults))
	for i, f := range faults {
		fields[i] = fault.Field{Path: fmt.Sprintf("line %d", f.Line), Reason: f.Reason}
	}
	return e.WithFields(fields...)
}
