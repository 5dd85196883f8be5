package schedule

import (
	"regexp"
	"strconv"
	"strings"
)

// Count says how many of something a run dealt with. Names are words for
// programs, [a-z_]; the screens have the words for people.
type Count struct {
	Name string
	N    int64
}

// Counts is the result of a run that counted: in the history it reads
// "periods=2 statements=5".
type Counts []Count

// String is the form that ParseCounts reads.
func (c Counts) String() string {
	parts := make([]string, len(c))
	for i, x := range c {
		parts[i] = x.Name + "=" + strconv.FormatInt(x.N, 10)
	}
	return strings.Join(parts, " ")
}

var countForm = regexp.MustCompile(`^([a-z_]{1,32})=([0-9]{1,18})$`)

// ParseCounts reads what String wrote; nil for a result in words of its own.
func ParseCounts(result string) Counts {
	var out Counts
	for part := range strings.FieldsSeq(result) {
		m := countForm.FindStringSubmatch(part)
		if m == nil {
			return nil
		}
		n, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return nil
		}
		out = append(out, Count{m[1], n})
	}
	return out
}
