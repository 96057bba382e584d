package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// Bounds of a region's risk file. A row is a division for a time; all of China's counties in
// a year of daily changes do not fill it.
const (
	maxRiskFile = 16 << 20
	maxRiskRows = 50_000
)

// riskHeader is the first line of a risk file.
var riskHeader = []string{"division", "level", "from", "until"}

// TakesRisk reports whether the policy asks for the region's risk file: [risk] file = true.
func (p *Policy) TakesRisk() bool { return p != nil && p.doc != nil && p.doc.Risk.File }

// WithRisk gives the same policy with the table of the region's risk file in place of its
// own: grades of counties change daily, a policy does not. A policy that does not ask for the
// file (see TakesRisk) comes back as it is, and the file is not read. Who signed the file is
// proven elsewhere.
//
// The file is CSV (RFC 4180) in UTF-8, at most 16 MiB and 50,000 rows, under the header
// "division,level,from,until". Divisions are of two, four or six digits, levels low, medium or
// high, dates as in a policy: 2020-07-10, which is a whole day of the site, or an instant of
// RFC 3339. An until that is left empty is open. Of a division that has rows of several times
// the one counts that holds; two that hold at once are a fault. The error is Faults, each with its
// line, and then there is no policy.
func (p *Policy) WithRisk(file []byte) (*Policy, error) {
	if !p.TakesRisk() {
		return p, nil
	}
	f := &faults{}
	table := parseRisk(file, p.zone, f)
	if err := f.err(); err != nil {
		return nil, err
	}
	table.otherwise = p.ownRisk.otherwise
	with := *p
	with.risk = table
	return &with, nil
}

func parseRisk(file []byte, z zone, f *faults) *risk {
	table := &risk{levels: map[string][]graded{}, file: true}
	fault := func(line int, key, format string, args ...any) {
		f.list = append(f.list, Fault{line, key, fmt.Sprintf(format, args...)})
	}
	if len(file) > maxRiskFile {
		fault(0, "", "%d bytes, at most %d", len(file), maxRiskFile)
		return table
	}
	if !utf8.Valid(file) {
		fault(1+bytes.Count(file[:firstInvalid(file)], []byte("\n")), "", "not UTF-8")
		return table
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff")))) // as spreadsheets begin it
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	for n := 0; len(f.list) <= maxFaults; n++ {
		row, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, io.EOF) && n < 2:
			fault(0, "", "the table is empty")
			return table
		case errors.Is(err, io.EOF):
			table.distinct(fault)
			return table
		case errors.As(err, &wrong):
			fault(wrong.Line, "", "%v", wrong.Err)
			continue
		case err != nil:
			fault(0, "", "%v", err)
			return table
		}
		line, _ := r.FieldPos(0)
		switch {
		case n == 0 && !slices.Equal(row, riskHeader):
			fault(line, "", "the first line is %.60q, want %q", strings.Join(row, ","), strings.Join(riskHeader, ","))
			return table
		case n == 0:
		case n > maxRiskRows:
			fault(line, "", "more than %d rows", maxRiskRows)
			return table
		case len(row) != len(riskHeader):
			fault(line, "", "%d fields, want %d", len(row), len(riskHeader))
		default:
			table.take(row, line, z, fault)
		}
	}
	return table
}

// firstInvalid is where a text stops to be UTF-8.
func firstInvalid(text []byte) (at int) {
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return at
}

// take reads one row.
func (t *risk) take(row []string, line int, z zone, fault func(line int, key, format string, args ...any)) {
	g := graded{line: line, level: uint8(max(slices.Index(riskWords, row[1]), 0))}
	if !divisionCode.MatchString(row[0]) {
		fault(line, "division", "%.20q is no division code: want two, four or six digits", row[0])
	}
	if g.level == 0 {
		fault(line, "level", "%.20q, want one of %q", row[1], riskWords[1:])
	}
	var err error
	if g.from, err = z.readCell(row[2], false); err != nil {
		fault(line, "from", "%v", err)
	}
	if row[3] != "" {
		if g.until, err = z.readCell(row[3], true); err != nil {
			fault(line, "until", "%v", err)
		} else if !g.from.Before(g.until) {
			fault(line, "until", "it ends before it begins")
		}
	}
	short := strings.Clone(trimZeros(row[0]))
	t.levels[short] = append(t.levels[short], g)
}

// readCell reads a moment of a table, by the rules that a policy's dates follow.
func (z zone) readCell(cell string, last bool) (time.Time, error) {
	var v any
	if t, err := time.Parse(time.RFC3339, cell); err == nil {
		v = t
	} else {
		var day toml.LocalDate
		if err := day.UnmarshalText([]byte(cell)); err != nil {
			return time.Time{}, fmt.Errorf("%.40q is no date: want 2020-07-10 or 2020-07-10T08:00:00+08:00", cell)
		}
		v = day
	}
	f := &faults{}
	t := z.readMoment("", v, last, f)
	if len(f.list) > 0 {
		return t, errors.New(f.list[0].What)
	}
	return t, nil
}

// distinct finds rows that give one division two levels at one time.
func (t *risk) distinct(fault func(line int, key, format string, args ...any)) {
	for division, rows := range t.levels {
		slices.SortStableFunc(rows, func(a, b graded) int { return a.from.Compare(b.from) })
		for i := range rows[1:] {
			if a, b := rows[i], rows[i+1]; a.span.meets(b.span) {
				fault(max(a.line, b.line), "division", "%s has a level on line %d for the same time", division, min(a.line, b.line))
			}
		}
	}
}
