package issuing

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Connector brings events from elsewhere. Poll gives the reports that are new since the
// last one, and the lines that were none; it may give the same report again, which then
// changes nothing. An error is trouble with the source: what came before it counts.
type Connector interface {
	Name() string
	Poll(ctx context.Context) ([]Brought, []Bad, error)
	Back() // the last poll was not taken whole: the next one brings all again
}

// A Brought is a report and where it stood.
type Brought struct {
	Report Report
	File   string
	Line   int64
}

// Pull takes what a connector brings. What the desk refuses goes to quarantine with its file
// and line, as what could not be read does; a breakdown ends the pull, and the next one
// brings all again.
func (d *Desk) Pull(ctx context.Context, c Connector) (taken int, err error) {
	if _, err := d.open(); err != nil {
		return 0, err
	}
	brought, bad, poll := c.Poll(ctx)
	whole := false
	defer func() {
		if !whole {
			c.Back()
		}
	}()
	caller := Caller{Name: c.Name(), Role: Source}
	for _, b := range brought {
		var n *No
		switch err := d.Enter(ctx, caller, b.Report); {
		case errors.As(err, &n) && n.Kind == Closed:
			return taken, err
		case errors.As(err, &n):
			bad = append(bad, Bad{Source: c.Name(), File: b.File, Line: b.Line, Why: n.What})
		case err != nil:
			return taken, fmt.Errorf("%s: line %d: %w", b.File, b.Line, err)
		default:
			taken++
		}
	}
	if len(bad) > 0 {
		for i := range bad {
			bad[i].At = d.Now()
		}
		if err := d.Store.Quarantine(ctx, bad); err != nil {
			return taken, err
		}
		d.log(slog.LevelWarn, "lines in quarantine", "source", c.Name(), "lines", len(bad))
	}
	whole = true
	return taken, poll
}

// Bounds of a folder: a line, and what one poll reads of one file.
const (
	maxLine = 4 << 10
	maxPoll = 4 << 20
)

// A Folder is a connector to files of events that somebody else drops: one report a line,
// as JSON (*.jsonl) or as CSV with the keys of the JSON in its first line (*.csv). Files
// grow at their ends; a last line without a line break is not there yet. It remembers in
// memory how far it has read: after a start all is read again, and known by its references.
type Folder struct {
	Path   string
	Source string // the name of who drops files here

	marks map[string]mark
}

// A mark is how far a file was read.
type mark struct {
	offset int64
	line   int64
	header []string // of a CSV file
}

// Name is the source's.
func (f *Folder) Name() string { return "folder:" + f.Source }

// Poll reads what was added since the last time.
func (f *Folder) Poll(ctx context.Context) (all []Brought, bad []Bad, err error) {
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return nil, nil, err
	}
	if f.marks == nil {
		f.marks = map[string]mark{}
	}
	var troubles []error
	for _, e := range entries {
		kind := filepath.Ext(e.Name())
		if !e.Type().IsRegular() || kind != ".jsonl" && kind != ".csv" || ctx.Err() != nil {
			continue
		}
		m, brought, none, err := f.read(e.Name(), f.marks[e.Name()])
		if err != nil {
			troubles = append(troubles, err)
			continue
		}
		f.marks[e.Name()] = m
		all, bad = append(all, brought...), append(bad, none...)
	}
	return all, bad, errors.Join(troubles...)
}

// Back forgets how far was read, so that the next poll brings all again.
func (f *Folder) Back() { f.marks = nil }

func (f *Folder) read(name string, m mark) (_ mark, all []Brought, bad []Bad, err error) {
	file, err := os.Open(filepath.Join(f.Path, name))
	if err != nil {
		return m, nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return m, nil, nil, err
	}
	if info.Size() < m.offset {
		m = mark{} // another file under the same name
	}
	if _, err := file.Seek(m.offset, io.SeekStart); err != nil {
		return m, nil, nil, err
	}
	begin := m.offset
	lines := bufio.NewReaderSize(io.LimitReader(file, maxPoll), maxLine)
	for {
		line, long, whole, err := nextLine(lines)
		if err != nil {
			return m, nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if !whole {
			if m.offset == begin && info.Size()-begin > maxPoll {
				// No break in all that one poll reads: skipped, so that what follows is seen.
				m.offset, m.line = begin+maxPoll, m.line+1
				bad = append(bad, Bad{Source: f.Name(), File: name, Line: m.line, Why: fmt.Sprintf("longer than %d bytes", maxPoll)})
			}
			return m, all, bad, nil
		}
		m.offset += int64(len(line)) + long
		m.line++
		if m.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 && long == 0 {
			continue
		}
		var q Report
		why := fmt.Errorf("longer than %d bytes", maxLine)
		header := false
		if long == 0 {
			q, header, why = f.line(filepath.Ext(name), text, &m)
		}
		switch {
		case why != nil:
			bad = append(bad, Bad{Source: f.Name(), File: name, Line: m.line, Why: why.Error()})
		case !header:
			all = append(all, Brought{Report: q, File: name, Line: m.line})
		}
	}
}

// nextLine reads one line with its break. Of one that is too long, long is how much followed
// what is given. whole is false at an end without a break.
func nextLine(r *bufio.Reader) (line []byte, long int64, whole bool, err error) {
	line, err = r.ReadSlice('\n')
	line = bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = r.ReadSlice('\n')
		long += int64(len(more))
	}
	if errors.Is(err, io.EOF) {
		return nil, 0, false, nil
	}
	return line, long, err == nil, err
}

func (f *Folder) line(kind string, text []byte, m *mark) (q Report, header bool, err error) {
	if kind == ".jsonl" {
		q, err = ParseReport(text)
		return q, false, err
	}
	fields, err := csv.NewReader(bytes.NewReader(text)).Read()
	if err != nil {
		return q, false, errors.New("no line of CSV")
	}
	if m.header == nil {
		for _, name := range fields {
			if !slices.Contains(columns(), name) {
				return q, false, errors.New("the first line names a column that is not known")
			}
		}
		m.header = fields
		return q, true, nil
	}
	q, err = reportOf(m.header, fields)
	return q, false, err
}

// ParseReport reads one report in JSON. The error does not quote it: it is about a person.
func ParseReport(text []byte) (q Report, err error) {
	if len(text) > maxLine {
		return q, fmt.Errorf("longer than %d bytes", maxLine)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return Report{}, errors.New("no JSON object with the keys of a report")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Report{}, errors.New("more than one JSON value")
	}
	return q, nil
}

func columns() []string {
	return []string{"id_kind", "id_number", "ref", "indicator", "kind", "at", "division", "risk", "case", "status", "finding"}
}

func reportOf(header, fields []string) (q Report, err error) {
	if len(fields) != len(header) {
		return q, fmt.Errorf("%d columns, the first line has %d", len(fields), len(header))
	}
	for i, name := range header {
		v := strings.TrimSpace(fields[i])
		switch name {
		case "id_kind":
			q.Identity.Kind = v
		case "id_number":
			q.Identity.Number = v
		case "ref":
			q.Ref = v
		case "indicator":
			q.Indicator = v
		case "kind":
			q.Kind = v
		case "at":
			if q.At, err = time.Parse(time.RFC3339, v); err != nil {
				return Report{}, errors.New("at is no time as in 2026-05-01T08:00:00+08:00")
			}
		case "division":
			q.Division = v
		case "risk":
			q.Risk = v
		case "case":
			q.Case = v
		case "status":
			q.Status = v
		case "finding":
			q.Finding = v
		}
	}
	return q, nil
}
