package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// A table is printed for people, or as Markdown. The first column is text, the others are
// numbers.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t table) widths() []int {
	w := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			w[i] = max(w[i], utf8.RuneCountInString(cell))
		}
	}
	return w
}

func (t table) plain(out io.Writer) {
	fmt.Fprintf(out, "%s\n", t.title)
	w := t.widths()
	for _, row := range append([][]string{t.head}, t.rows...) {
		line := fmt.Sprintf("  %-*s", w[0], row[0])
		for i, cell := range row[1:] {
			line += fmt.Sprintf("  %*s", w[i+1], cell)
		}
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(out)
}

func (t table) markdown(out io.Writer) {
	fmt.Fprintf(out, "**%s**\n\n| %s |\n|---%s|\n", t.title, strings.Join(t.head, " | "), strings.Repeat("|---:", len(t.head)-1))
	for _, row := range t.rows {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	}
	fmt.Fprintln(out)
}

// ofStills makes the table of a set.
func ofStills(name string, frames int, readers []contestant, tallies []tally) table {
	t := table{head: []string{"reader", "correct", "false", "median ms", "p95 ms", "mean ms", "allocs"}}
	codes := 0
	for i, c := range readers {
		n := tallies[i]
		codes = n.codes
		correct := "-"
		if codes > 0 {
			correct = fmt.Sprint(n.correct)
		}
		t.rows = append(t.rows, append([]string{c.name, correct, fmt.Sprint(n.wrong)}, costs(n, true)...))
	}
	t.title = fmt.Sprintf("%s: %d frames, %d with a known text", name, frames, codes)
	return t
}

// costs are the cells of times and allocations.
func costs(n tally, withMean bool) []string {
	cells := []string{ms(percentile(n.times, 50)), ms(percentile(n.times, 95))}
	if withMean {
		cells = append(cells, ms(time.Duration(mean(n.times))))
	}
	return append(cells, allocations(n))
}

func allocations(n tally) string {
	if n.allocsOf == 0 {
		return "-"
	}
	each := float64(n.allocs) / float64(n.allocsOf)
	if n.allocs > 0 && each < 10 {
		return fmt.Sprintf("%.1f", each)
	}
	return fmt.Sprintf("%.0f", each)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }
