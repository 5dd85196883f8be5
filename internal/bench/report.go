package main

import (
	"fmt"
	"io"
	"slices"
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
		row[i] = fmt.Sprint(c)
	}
	r.rows = append(r.rows, row)
}

// figures is one quantity, measured in several rounds.
type figures []float64

func (f *figures) add(v float64) { *f = append(*f, v) }

func (f figures) median() float64 { return slices.Sorted(slices.Values(f))[len(f)/2] }

// as gives the median with the least and the most.
func (f figures) as(format string) string {
	sorted := slices.Sorted(slices.Values(f))
	least, median, most := fmt.Sprintf(format, sorted[0]), fmt.Sprintf(format, sorted[len(sorted)/2]), fmt.Sprintf(format, sorted[len(sorted)-1])
	if least == most {
		return median
	}
	return median + " (" + least + " to " + most + ")"
}

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
