package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A Fault is one thing that is wrong with a policy, and where.
type Fault struct {
	Line int    // 0 when something is missing altogether
	Key  string // "rule[3].when": the fourth rule's expression
	What string
}

func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", f.Line)
	}
	if f.Key != "" {
		fmt.Fprintf(&b, "%s: ", f.Key)
	}
	return b.String() + f.What
}

// Faults are all that is wrong with one policy, in the order of its lines. They are the
// error of Read, Ready and ReadActivation.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = "policy: " + fault.String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults keeps a page of nonsense from becoming a book of complaints.
const maxFaults = 100

// faults gathers what is wrong while a document is checked.
type faults struct {
	list   []Fault
	lines  map[string]int // line of each key of the document
	ids    map[string]int // line of each id that is taken
	unread int            // how many of the list are values that could not be read
}

// at notes a fault of a key. A key that is not in the document gives the line of the table
// that it is missing from.
func (f *faults) at(key, format string, args ...any) {
	line, parent := f.lines[key], key
	for line == 0 && parent != "" {
		parent = parent[:max(strings.LastIndexByte(parent, '.'), 0)]
		line = f.lines[parent]
	}
	for _, unread := range f.list[:f.unread] {
		if line > 0 && line == unread.Line && f.lines[key] == line {
			return // a value that could not be read looks missing: people read of it once
		}
	}
	f.list = append(f.list, Fault{Line: line, Key: key, What: fmt.Sprintf(format, args...)})
}

// has reports whether the document states a key.
func (f *faults) has(key string) bool { return f.lines[key] > 0 }

// sorted gives the faults as an error, or nil.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	f.unread = 0
	slices.SortStableFunc(f.list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	list := slices.CompactFunc(f.list, func(a, b Fault) bool { return a == b })
	if len(list) > maxFaults {
		list = append(list[:maxFaults], Fault{What: fmt.Sprintf("and %d more", len(list)-maxFaults)})
	}
	return Faults(list)
}

// keyLines finds the line of every key of a TOML document; tables of arrays are counted
// from zero. A text over several lines counts from where its first character stands. It
// gives nil for what is no TOML, and the line of a name that has more parts than any of a policy.
func keyLines(body []byte) (lines map[string]int, deep int) {
	lines = map[string]int{}
	var p unstable.Parser
	p.Reset(body)
	var starts []int
	for i, b := range body {
		if b == '\n' {
			starts = append(starts, i)
		}
	}
	line := func(offset uint32) int {
		n, _ := slices.BinarySearch(starts, int(offset))
		return n + 1
	}
	counts := map[string]int{}
	table := ""
	var value func(path string, n *unstable.Node, at int)
	pair := func(in string, n *unstable.Node) {
		path, at, parts := in, 0, 0
		for it := n.Key(); it.Next() && deep == 0; {
			if parts++; parts > maxKeyParts {
				deep = line(it.Node().Raw.Offset)
			}
			path = join(path, string(it.Node().Data))
			if at == 0 {
				at = line(it.Node().Raw.Offset)
			}
		}
		value(path, n.Value(), at)
	}
	value = func(path string, n *unstable.Node, at int) {
		lines[path] = at
		switch n.Kind {
		case unstable.String:
			if raw := p.Raw(n.Raw); n.Raw.Length > 0 {
				lines[path] = line(n.Raw.Offset)
				if bytes.HasPrefix(raw, []byte("'''\n")) || bytes.HasPrefix(raw, []byte("\"\"\"\n")) {
					lines[path]++
				}
			}
		case unstable.Array:
			i := 0
			for it := n.Children(); it.Next(); i++ {
				value(fmt.Sprintf("%s[%d]", path, i), it.Node(), at)
			}
		case unstable.InlineTable:
			for it := n.Children(); it.Next(); {
				pair(path, it.Node())
			}
		}
	}
	for deep == 0 && p.NextExpression() {
		n := p.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			path, at, parts := "", 0, 0
			for it := n.Key(); it.Next() && deep == 0; {
				if parts++; parts > maxKeyParts {
					deep = line(it.Node().Raw.Offset)
				}
				path = join(path, string(it.Node().Data))
				at = line(it.Node().Raw.Offset)
				// Inside an array of tables a name means its newest table.
				if c := counts[path]; c > 0 && !(n.Kind == unstable.ArrayTable && it.IsLast()) {
					path = fmt.Sprintf("%s[%d]", path, c-1)
				}
			}
			if n.Kind == unstable.ArrayTable {
				counts[path]++
				path = fmt.Sprintf("%s[%d]", path, counts[path]-1)
			}
			table = path
			lines[table] = at
		case unstable.KeyValue:
			pair(table, n)
		}
	}
	if deep > 0 || p.Error() != nil {
		return nil, deep
	}
	return lines, 0
}

// maxKeyParts bounds a name with dots: a million of parts would be read for minutes.
const maxKeyParts = 8

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// plainText refuses what a signed note cannot carry: control characters, and bytes that are
// not UTF-8.
func plainText(body []byte, f *faults) {
	for i, line := range bytes.Split(body, []byte("\n")) {
		if !utf8.Valid(line) {
			f.list = append(f.list, Fault{Line: i + 1, What: "not UTF-8"})
		}
		if at := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }); at >= 0 {
			f.list = append(f.list, Fault{Line: i + 1, What: fmt.Sprintf("control character %#02x: indent with spaces", line[at])})
		}
	}
}
