// Package paging is the one shape of a page: a cursor and a limit in, items
// and the next cursor out. Cursors are opaque to clients.
package paging

import (
	"encoding/base64"
	"strings"

	"jiamenkou/internal/fault"
)

// Limits of one page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// separator is between the parts of a cursor.
const separator = "\x1f"

var (
	// ErrCursor is returned for a cursor that this program did not make.
	ErrCursor = fault.New(fault.Invalid, "page.bad_cursor", "翻页参数无效，请从第一页重新查看")
	// ErrOtherSort is returned for a cursor of the same list in another order.
	ErrOtherSort = fault.New(fault.Invalid, "page.other_sort", "排序已改变，请从第一页重新查看")
	// ErrSort is returned for a sort that the list does not have.
	ErrSort = fault.New(fault.Invalid, "page.bad_sort", "这个列表不能这样排序")
)

// Request asks for one page.
type Request struct {
	Cursor string // "" for the first page
	Limit  int    // 1..MaxLimit; 0 means DefaultLimit
	Sort   string // one of the Sorts of the list's Order; "" for its own
}

// Size returns the limit within its bounds.
func (r Request) Size() int {
	switch {
	case r.Limit <= 0:
		return DefaultLimit
	case r.Limit > MaxLimit:
		return MaxLimit
	default:
		return r.Limit
	}
}

// Key decodes the cursor into its n key parts: nil for the first page. It is for
// lists that have one order only.
func (r Request) Key(n int) ([]string, error) {
	if r.Sort != "" {
		return nil, ErrSort
	}
	if r.Cursor == "" {
		return nil, nil
	}
	raw, err := r.decode()
	if err != nil {
		return nil, err
	}
	parts := strings.Split(raw, separator)
	if len(parts) != n {
		return nil, ErrCursor
	}
	return parts, nil
}

func (r Request) decode() (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(r.Cursor)
	if err != nil || len(raw) > 512 {
		return "", ErrCursor
	}
	return string(raw), nil
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Next  string // "" on the last page
}

// Of makes a page from up to limit+1 rows: the query asks for Size()+1 rows,
// and the extra one, if it came, only proves that there is a next page. key
// gives the cursor parts of the last row shown.
func Of[T any](rows []T, r Request, key func(T) []string) Page[T] {
	limit := r.Size()
	if len(rows) <= limit {
		return Page[T]{Items: rows}
	}
	rows = rows[:limit]
	return Page[T]{
		Items: rows,
		Next:  base64.RawURLEncoding.EncodeToString([]byte(strings.Join(key(rows[limit-1]), separator))),
	}
}

// Map converts the items of a page, for a DTO.
func Map[T, U any](p Page[T], f func(T) U) Page[U] {
	out := Page[U]{Items: make([]U, 0, len(p.Items)), Next: p.Next}
	for _, item := range p.Items {
		out.Items = append(out.Items, f(item))
	}
	return out
}
