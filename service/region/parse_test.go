package region_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

func gb18030(t testing.TB, text string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	require.NoError(t, err)
	return out
}

func TestParse(t *testing.T) {
	t.Run("reads the same from every encoding, column order and line ending", func(t *testing.T) {
		want, err := region.Parse(strings.NewReader(small))
		require.NoError(t, err)
		require.Empty(t, want.Faults)
		require.Equal(t, region.Record{Line: 2, Code: "c1", Level: "county", Name: "海宁市"}, want.Records[0])
		require.Equal(t, region.Record{Line: 7, Code: "g1", ParentCode: "v1", Level: "grid", Name: "第一网格"}, want.Records[5])
		var swapped strings.Builder
		for line := range strings.Lines(small) {
			f := strings.Split(strings.TrimSpace(line), ",")
			fmt.Fprintf(&swapped, "%s,备注,\" %s \",%s,%s\n", f[3], f[0], f[2], f[1])
		}
		for name, text := range map[string]string{
			"BOM": "\ufeff" + small, "GB18030": gb18030(t, small), "CRLF": strings.ReplaceAll(small, "\n", "\r\n"),
			"no last line end": strings.TrimSuffix(small, "\n"), "empty lines at the end": small + ",,,\n\n,,,",
			"header in capitals": strings.Replace(small, "parent_code", "Parent_Code", 1),
			"header and levels in Chinese": strings.NewReplacer("parent_code", "上级编码", "code", "编码", "level", "级别", "name", "名称",
				"county", "县市区", "town", "镇街", "village", "村社", "grid", "网格").Replace(small),
			"other order, a column, quotes":   swapped.String(),
			"other order, a column, as Excel": gb18030(t, swapped.String()),
		} {
			got, err := region.Parse(strings.NewReader(text))
			require.NoError(t, err, name)
			require.Equal(t, want, got, name)
		}
	})
	t.Run("takes a GB18030 name that happens to be UTF-8 of something for what it is", func(t *testing.T) {
		got, err := region.Parse(strings.NewReader(gb18030(t, header+"c1,,county,隆平\n")))
		require.NoError(t, err)
		require.Equal(t, "隆平", got.Records[0].Name)
	})
	for name, c := range map[string]struct {
		text string
		want []region.LineFault
	}{
		"empty name": {"c1,,county,\nc2,,county, \u3000\n", []region.LineFault{
			{Line: 2, Reason: "名称不能为空"}, {Line: 3, Reason: "名称不能为空"},
		}},
		"duplicate code": {"c1,,county,甲\nt1,c1,town,乙\nc1,,county,丙\n", []region.LineFault{{Line: 4, Reason: "编码与第 2 行重复"}}},
		"bad codes": {",,county,甲\n3.3048E+11,,county,乙\n一,,county,丙\nt1,!,town,丁\n", []region.LineFault{
			{Line: 2, Reason: "编码不能为空"},
			{Line: 3, Reason: "编码被 Excel 改成了科学计数法，请把该列设为文本后重新保存"},
			{Line: 4, Reason: "编码应为 1 到 32 位字母、数字、横线或下划线"},
			{Line: 5, Reason: "上级编码应为 1 到 32 位字母、数字、横线或下划线"},
		}},
		"level and parent": {"c1,,country,甲\nt1,,town,乙\n", []region.LineFault{
			{Line: 2, Reason: "级别应为县市区、镇街、村社、网格、微网格、楼道之一"}, {Line: 3, Reason: "缺少上级编码"},
		}},
		"two faults in one line": {"c1,,x,\n", []region.LineFault{
			{Line: 2, Reason: "名称不能为空"}, {Line: 2, Reason: "级别应为县市区、镇街、村社、网格、微网格、楼道之一"},
		}},
		"columns":                      {"c1,,county\nc2,,county,甲,乙\n", []region.LineFault{{Line: 2, Reason: "列数与表头不同，应为 4 列"}, {Line: 3, Reason: "列数与表头不同，应为 4 列"}}},
		"a stray quote spoils no more": {"c1,,county,\"甲\nc2,,county,乙\nc2,,county,丙\n", []region.LineFault{{Line: 2, Reason: "引号不成对"}, {Line: 4, Reason: "编码与第 3 行重复"}}},
		"broken UTF-8":                 {"c1,,county,海宁市\nc2,,county,\xe6\xb5\nc3,,county,桐乡市\n", []region.LineFault{{Line: 3, Reason: "文字编码有误，请另存为“CSV UTF-8”再导入"}}},
		"lost characters":              {"c1,,county,海\ufffd市\n", []region.LineFault{{Line: 2, Reason: "文字编码有误，请另存为“CSV UTF-8”再导入"}}},
		"invisible characters":         {"c1,,county,海\u200b宁\nc2,,county,海\x00宁\n", []region.LineFault{{Line: 2, Reason: "名称含有不可见的字符"}, {Line: 3, Reason: "名称含有不可见的字符"}}},
		"long name":                    {"c1,,county," + strings.Repeat("长", 65) + "\n", []region.LineFault{{Line: 2, Reason: "名称最多 64 个字"}}},
	} {
		t.Run("names the line of "+name, func(t *testing.T) {
			got, err := region.Parse(strings.NewReader(header + c.text))
			require.NoError(t, err)
			require.Equal(t, c.want, got.Faults)
		})
	}
	t.Run("names the line of broken GB18030", func(t *testing.T) {
		got, err := region.Parse(strings.NewReader(gb18030(t, header+"c1,,county,海宁市\nc2,,county,桐乡市\n") + "c3,,county,\xba\n"))
		require.NoError(t, err)
		require.Equal(t, []region.LineFault{{Line: 4, Reason: "文字编码有误，请另存为“CSV UTF-8”再导入"}}, got.Faults)
	})
	t.Run("names the header and nothing below it", func(t *testing.T) {
		for text, reason := range map[string]string{
			"c1,,county,甲\n":                        "第一行应为表头，缺少“编码”列（需要编码、上级编码、级别、名称）",
			"code,level,name\nx,,\n":                "第一行应为表头，缺少“上级编码”列（需要编码、上级编码、级别、名称）",
			"code,编码,parent_code,level,name\nx,,\n": "表头里“编码”列重复",
			"PK\x03\x04rest":                        "这是 Excel 工作簿，请在 Excel 里另存为 CSV 再导入",
			"\xff\xfec\x00o\x00":                    "文件是 UTF-16 编码，请另存为“CSV UTF-8”再导入",
		} {
			got, err := region.Parse(strings.NewReader(text))
			require.NoError(t, err)
			require.Equal(t, region.File{Faults: []region.LineFault{{Line: 1, Reason: reason}}}, got)
		}
	})
	t.Run("refuses nothing, too much and rubbish", func(t *testing.T) {
		for _, text := range []string{"", header, "\ufeff", "\n\n\n"} {
			_, err := region.Parse(strings.NewReader(text))
			require.ErrorIs(t, err, region.ErrEmptyFile)
		}
		_, err := region.Parse(strings.NewReader(header + strings.Repeat("x\n", region.MaxImportRows+1)))
		require.ErrorIs(t, err, region.ErrTooManyRows)
		source := &endless{rand.NewChaCha8([32]byte{1}), 0}
		_, err = region.Parse(source)
		require.ErrorIs(t, err, region.ErrFileTooLarge)
		require.LessOrEqual(t, source.read, region.MaxImportBytes+1<<20, "reading stops at the limit")
		rubbish := make([]byte, 1<<20)
		_, _ = source.rubbish.Read(rubbish)
		got, err := region.Parse(bytes.NewReader(rubbish))
		require.NoError(t, err)
		require.Len(t, got.Faults, 1)
		require.Empty(t, got.Records)
	})
}

// endless gives rubbish for ever.
type endless struct {
	rubbish *rand.ChaCha8
	read    int
}

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return e.rubbish.Read(p)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("\ufeff" + small))
	f.Add([]byte(gb18030(f, small)))
	f.Add([]byte(header + "a,\"b\"\"\",\"\n,,,\n\xff,\x00"))
	f.Add([]byte("name,level,parent_code,code,x\r\n甲,county,,c1,\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := region.Parse(bytes.NewReader(raw))
		if err != nil {
			require.NotNil(t, fault.As(err), err)
			return
		}
		require.True(t, len(file.Records) > 0 || len(file.Faults) > 0)
		codes, line := map[string]bool{}, 1
		for _, r := range file.Records {
			require.Greater(t, r.Line, line)
			line = r.Line
			require.True(t, model.ValidRegionCode(r.Code))
			require.False(t, codes[r.Code])
			codes[r.Code] = true
			if len(file.Faults) == 0 {
				require.Empty(t, model.RegionNameFault(r.Name))
				require.Positive(t, r.Level.Order())
				require.True(t, r.ParentCode != "" || r.Level == model.RegionCounty)
			}
		}
	})
}
