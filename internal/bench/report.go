package main

import (
	"fmt"
	"io"
	"strings"
)

// report collects one table.
type report struct {
	out   io.Writer
	title string
	head  []string
	rows  [][]string
}

func (r *report) columns(names ...string) { r.head = names }

func (r *report) row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case ratio:
			row[i] = fmt.Sprintf("%.2f", float64(c))
		case float64:
			row[i] = fmt.Sprintf("%.0f", c)
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	r.rows = append(r.rows, row)
}

// ratio is printed with two digits behind the point, a plain figure without.
type ratio float64

func (r *report) print() {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	fmt.Fprintf(&b, "\n### %s\n\n", r.title)
	line(r.head)
	fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(r.head)))
	for _, row := range r.rows {
		line(row)
	}
	fmt.Fprint(r.out, b.String()) //nolint:errcheck // a closed standard output is the caller's choice
}
