package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// division codes of GB/T 2260: two, four or six digits, the first of a province that exists
// (11 Beijing to 82 Macao).
var divisionCode = regexp.MustCompile(`^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])([0-9]{2}){0,2}$`)

// Bounds of tables. China has some 2,900 divisions at county level; below them there is no
// code of GB/T 2260.
const (
	maxDivisions = 5000
	maxSets      = 100
	maxSetWords  = 1000
)

// risk is the region's table of low, medium and high risk. A division that is not in it has
// the level of the smallest part of the country that is and holds it.
type risk struct {
	levels    map[string][]graded // by the code without its trailing pairs of zeros
	otherwise uint8
	file      bool // of the region's own file, and not of the policy
}

// A graded is one division's level for a time.
type graded struct {
	span
	level uint8 // index of riskWords
	line  int   // of the file that it is from
}

// known reports whether there is a table at all: one that only the region's file fills is
// not there until the file is.
func (r *risk) known() bool { return r != nil && len(r.levels) > 0 }

// of finds the level of a division by the longest prefix. What is no division is unknown,
// whatever the table says of the rest of the country.
func (r *risk) of(division string, at time.Time) uint8 {
	if len(division) != 2 && len(division) != 4 && len(division) != 6 {
		return 0
	}
	for _, c := range []byte(division) {
		if c < '0' || c > '9' {
			return 0
		}
	}
	for n := len(division); n >= 2; n -= 2 {
		for _, g := range r.levels[division[:n]] {
			if g.holds(at) {
				return g.level
			}
		}
	}
	return r.otherwise
}

// name says which table it is.
func (r *risk) name() string {
	if r.file {
		return "the region's file"
	}
	return "the policy's own table"
}

// trimZeros takes off the pairs of zeros that mean "all of it".
func trimZeros(division string) string {
	for len(division) > 2 && strings.HasSuffix(division, "00") {
		division = division[:len(division)-2]
	}
	return division
}

func (doc *document) risk(z zone, f *faults) *risk {
	if !f.has("risk") {
		return nil
	}
	r := &risk{levels: map[string][]graded{}, otherwise: uint8(max(slices.Index(riskWords, doc.Risk.Otherwise), 0))}
	if !slices.Contains(riskWords, doc.Risk.Otherwise) {
		f.at("risk.otherwise", "%.20q, want one of %q: the level of what is not in the table", doc.Risk.Otherwise, riskWords)
	}
	n := len(doc.Risk.High) + len(doc.Risk.Medium) + len(doc.Risk.Low)
	if doc.Risk.File && n == 0 && !f.has("risk.as_of") {
		return r // the file is all that there is
	}
	asOf := z.readMoment("risk.as_of", doc.Risk.AsOf, false, f)
	issued := z.readMoment("issued", doc.Issued, false, &faults{})
	switch {
	case !f.has("risk.as_of"):
		f.at("risk.as_of", "missing: the day that the table speaks of")
	case asOf.After(issued):
		f.at("risk.as_of", "it is after the policy's own date")
	}
	if n == 0 {
		f.at("risk", "the table is empty")
	}
	if n > maxDivisions {
		f.at("risk", "%d divisions, at most %d", n, maxDivisions)
		return r
	}
	at := map[string]string{}
	for level, list := range [][]string{doc.Risk.Low, doc.Risk.Medium, doc.Risk.High} {
		for i, code := range list {
			key := fmt.Sprintf("risk.%s[%d]", riskWords[level+1], i)
			if !divisionCode.MatchString(code) {
				f.at(key, "%.20q is no division code: want two, four or six digits", code)
			}
			short := trimZeros(code)
			if before, twice := at[short]; twice {
				f.at(key, "%s is in the table twice: also as %s", code, before)
			}
			at[short], r.levels[short] = key, []graded{{level: uint8(level + 1)}}
		}
	}
	return r
}

func (doc *document) sets(f *faults) map[string]*setVal {
	all := map[string]*setVal{}
	if len(doc.Sets) > maxSets {
		f.at("sets", "%d sets, at most %d", len(doc.Sets), maxSets)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Sets)) {
		list := doc.Sets[name]
		key := "sets." + name
		set := &setVal{map[string]bool{}}
		if !idForm.MatchString(name) {
			f.at(key, "want a name of small letters, digits and _, which begins with a letter")
		}
		if len(list) == 0 || len(list) > maxSetWords {
			f.at(key, "%d words, want 1 to %d", len(list), maxSetWords)
		}
		for _, w := range list {
			if w == "" || len(w) > maxWord || set.words[w] {
				f.at(key, "%.40q is empty, too long or there twice", w)
			}
			set.words[w] = true
		}
		all[name] = set
	}
	return all
}

// A deal is what the matrix says of an issuer's codes.
type deal uint8

const (
	dealNone deal = iota // no row speaks of it: not recognised
	dealAccept
	dealMap
	dealExtra
	dealRefuse
)

// A recognition is one row of the matrix, checked.
type recognition struct {
	line      int
	issuer    string // without trailing zeros
	site      gatehouse.Issuer
	formats   []string
	span      span
	deal      deal
	call      gatehouse.Call // of a refusal, and of a check that is not met
	agreement string
	maps      []mapping
	needs     condition
	says      says
}

// A mapping says what a colour there is here, for one reason of it.
type mapping struct {
	grade gatehouse.Grade
	class gatehouse.Class // 0: for any reason, and for none
	here  gatehouse.Grade
}

// severity orders colours for "the worst counts".
var severity = [...]int{gatehouse.NoGrade: 0, gatehouse.Green: 1, gatehouse.Grey: 2, gatehouse.Yellow: 3, gatehouse.Red: 4}

// judge gives the colour as judged here. Each reason of the colour is judged by itself and
// the worst counts; what no line speaks of stays as it was issued.
func (r *recognition) judge(g gatehouse.Grade, c gatehouse.Class) gatehouse.Grade {
	if r.deal != dealMap {
		return g
	}
	one := func(class gatehouse.Class) gatehouse.Grade {
		for _, m := range r.maps {
			if m.grade == g && (m.class == 0 || class != 0 && m.class&class != 0) {
				return m.here
			}
		}
		return g
	}
	if c == 0 {
		return one(0)
	}
	worst := gatehouse.NoGrade
	for class := gatehouse.Place; class != 0; class <<= 1 {
		if c&class == 0 {
			continue
		}
		if here := one(class); severity[here] > severity[worst] {
			worst = here
		}
	}
	return worst
}

// A matrix finds the row that speaks of an issuer: of the smallest part of the country, then
// of the smallest site, then one that names the format.
type matrix map[string][]*recognition

func (m matrix) find(p *Policy, pass *gatehouse.Pass, e *gatehouse.Evidence) *recognition {
	name := normal(pass.Issuer)
	for name != "" {
		for _, r := range m[name] {
			if r.span.holds(e.At) && (len(r.formats) == 0 || slices.Contains(r.formats, pass.Format)) && p.here().Within(r.site) {
				return r
			}
		}
		country, div, ok := strings.Cut(name, "-")
		switch {
		case !ok:
			return nil
		case len(div) <= 2:
			name = country
		default:
			name = name[:len(name)-1] // half a pair is never a row's name
		}
	}
	return nil
}

// normal is a region's name without the zeros that mean all of it.
func normal(i gatehouse.Issuer) string {
	country, div, ok := strings.Cut(string(i), "-")
	if !ok {
		return country
	}
	return string(i[:len(country)+1+len(trimZeros(div))])
}

// An area is a region as rules ask for it, many times a verdict: it holds what Issuer.Within
// says that the region holds.
type area struct {
	name   string // without the zeros that mean all of it
	prefix string // of all that lies in it
}

func areaOf(region gatehouse.Issuer) area {
	name := normal(region)
	if division(region) == "" {
		return area{name, name + "-"}
	}
	return area{name, name}
}

func (a area) holds(i gatehouse.Issuer) bool {
	return strings.HasPrefix(string(i), a.prefix) || string(i) == a.name
}
