package paging

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Column is what a list can be sorted by: an SQL expression that is never NULL,
// and where a row has its value.
type Column[T any] struct {
	name, sql string
	value     func(T) string
	argument  func(string) (any, bool) // of the query, from a value
	compare   func(a, b T) int
}

// Number is a column of whole numbers or instants, under the name that the API
// has for it.
func Number[T any, N ~int64](name, sql string, value func(T) N) Column[T] {
	return Column[T]{
		name: name, sql: sql,
		value: func(row T) string { return strconv.FormatInt(int64(value(row)), 10) },
		argument: func(s string) (any, bool) {
			n, err := strconv.ParseInt(s, 10, 64)
			return n, err == nil
		},
		compare: func(a, b T) int { return cmp.Compare(value(a), value(b)) },
	}
}

// Last is the value of a number that a row does not have: it comes after all that
// rows have. Its column in SQL says COALESCE(…, 9223372036854775807).
const Last int64 = math.MaxInt64

// OrLast is what a row has, or Last.
func OrLast[N ~int64](value *N) int64 {
	if value == nil {
		return Last
	}
	return int64(*value)
}

// Text is a column of texts or days, in the order of their characters' codes.
func Text[T any, S ~string](name, sql string, value func(T) S) Column[T] {
	return Column[T]{
		name: name, sql: sql,
		value:    func(row T) string { return string(value(row)) },
		argument: func(s string) (any, bool) { return s, utf8.ValidString(s) },
		compare:  func(a, b T) int { return cmp.Compare(value(a), value(b)) },
	}
}

// Order is how a list can be sorted.
type Order[T any] struct {
	own     string
	columns []Column[T] // the first tells every row from every other
}

// NewOrder makes the order of a list. own is the sort that nobody need ask for,
// such as "-created_at". No two rows are alike in the first column, which
// decides between rows that are alike in another: mostly it is the id, which is
// in the order of time and so may stand for the time of creation. A column
// without a name only decides.
func NewOrder[T any](own string, unique Column[T], others ...Column[T]) Order[T] {
	o := Order[T]{own: own, columns: append([]Column[T]{unique}, others...)}
	if !slices.Contains(o.Sorts(), own) {
		panic("paging: the list cannot be sorted by its own order " + own)
	}
	return o
}

// Sorts are the sorts that can be asked for, the list's own first: a name for
// the small and early first, "-" and a name for the large and late first.
func (o Order[T]) Sorts() []string {
	out := []string{o.own}
	for _, c := range o.columns {
		for _, sort := range []string{c.name, "-" + c.name} {
			if c.name != "" && sort != o.own {
				out = append(out, sort)
			}
		}
	}
	return out
}

// Seek is how a query finds one page.
type Seek[T any] struct {
	Where string // the rows behind the cursor; on the first page all are
	Args  []any
	By    string // what follows ORDER BY
	Limit int    // one row more than the page shows

	request Request
	sort    string
	down    bool
	columns []Column[T] // the unique one, or another and the unique one
}

// Seek reads the request. Errors: ErrSort, ErrCursor, and ErrOtherSort for a
// cursor of the list in another order.
func (o Order[T]) Seek(r Request) (Seek[T], error) {
	s := Seek[T]{Where: "1 = 1", Limit: r.Size() + 1, request: r, sort: r.Sort}
	if s.sort == "" {
		s.sort = o.own
	}
	var name string
	name, s.down = strings.CutPrefix(s.sort, "-")
	i := slices.IndexFunc(o.columns, func(c Column[T]) bool { return c.name != "" && c.name == name })
	if i < 0 {
		return s, ErrSort.WithMessage("这个列表不能这样排序，可用：%s", strings.Join(o.Sorts(), "、"))
	}
	s.columns = []Column[T]{o.columns[i]}
	if i > 0 {
		s.columns = append(s.columns, o.columns[0])
	}
	direction, beyond := "", ">"
	if s.down {
		direction, beyond = " DESC", "<"
	}
	by := make([]string, len(s.columns))
	for i, c := range s.columns {
		by[i] = c.sql + direction
	}
	s.By = strings.Join(by, ", ")
	if r.Cursor == "" {
		return s, nil
	}
	raw, err := r.decode()
	if err != nil {
		return s, err
	}
	made, key, _ := strings.Cut(raw, separator)
	if made != s.sort && slices.Contains(o.Sorts(), made) {
		return s, ErrOtherSort
	} else if made != s.sort {
		return s, ErrCursor
	}
	return s, s.after(strings.SplitN(key, separator, len(s.columns)), beyond)
}

// after leaves the rows behind the key of a cursor. The first bound says nothing
// new, but without it SQLite would follow an index from its beginning.
func (s *Seek[T]) after(key []string, beyond string) error {
	if len(key) != len(s.columns) {
		return ErrCursor
	}
	args := make([]any, len(s.columns))
	for i, c := range s.columns {
		value, ok := c.argument(key[len(key)-1-i])
		if !ok {
			return ErrCursor
		}
		args[i] = value
	}
	first := s.columns[0].sql
	if len(args) == 1 {
		s.Where, s.Args = first+" "+beyond+" ?", args
		return nil
	}
	s.Where = fmt.Sprintf("(%[1]s %[3]s= ? AND (%[1]s %[3]s ? OR (%[1]s = ? AND %[2]s %[3]s ?)))", first, s.columns[1].sql, beyond)
	s.Args = []any{args[0], args[0], args[0], args[1]}
	return nil
}

// Compare puts rows of several queries into the order that each of them has.
func (s Seek[T]) Compare(a, b T) int {
	for _, c := range s.columns {
		if n := c.compare(a, b); n != 0 && s.down {
			return -n
		} else if n != 0 {
			return n
		}
	}
	return 0
}

// Page makes a page from what the query found. Its cursor holds the sort, the
// unique value and last the other one, which may be any text.
func (s Seek[T]) Page(rows []T) Page[T] {
	return Of(rows, s.request, func(row T) []string {
		key := []string{s.sort}
		for _, c := range slices.Backward(s.columns) {
			key = append(key, c.value(row))
		}
		return key
	})
}
