package policy

import (
	"fmt"
	"strings"
	"time"

	"gatehouse"
)

// A testDoc is one of a policy's own tests: a sketch of a person, and what has to become of
// them. What the sketch leaves out is a healthy person with a code of today.
type testDoc struct {
	Name      string      `toml:"name"`
	At        any         `toml:"at"`        // when it is; the policy's first day at noon when left out
	Site      string      `toml:"site"`      // the gate's, when it is a part of the policy's
	Clock     *bool       `toml:"clock"`     // whether the clock is trusted; true when left out
	TrustAge  string      `toml:"trust_age"` // "1h" when left out
	Pass      *passDoc    `toml:"pass"`
	Second    *passDoc    `toml:"second"`
	Refusal   *refusalDoc `toml:"refusal"`
	Without   string      `toml:"without"` // who has no code, and which way the guard takes: "paper"
	Skin      *skinDoc    `toml:"skin"`    // 36.5 degrees at 22 around, steady, when left out
	History   historyDoc  `toml:"history"`
	Published *[]string   `toml:"published"` // ids of published rules that fail; [] when all are met
	Want      wantDoc     `toml:"want"`
}

// Times of a sketch are as long ago as they say: "10m", "3d"; or "in 20h"; or a date.
type passDoc struct {
	Format    string    `toml:"format"` // RHC1 when left out
	Issuer    string    `toml:"issuer"` // the policy's site when left out
	Grade     string    `toml:"grade"`
	Class     []string  `toml:"class"`
	Since     any       `toml:"since"`
	Issued    any       `toml:"issued"`  // "10m" when left out
	Expires   any       `toml:"expires"` // "in 12h" when left out
	NotBefore any       `toml:"not_before"`
	Birth     string    `toml:"birth"`
	Holder    string    `toml:"holder"` // any letter: the same letter is the same holder
	Facts     []factDoc `toml:"facts"`
}

type factDoc struct {
	Kind     string  `toml:"kind"`
	At       any     `toml:"at"`
	Until    any     `toml:"until"`
	Division string  `toml:"division"`
	Risk     string  `toml:"risk"`
	Method   string  `toml:"method"`
	Result   string  `toml:"result"`
	Product  string  `toml:"product"`
	Dose     int     `toml:"dose"`
	Doses    int     `toml:"doses"`
	Celsius  float64 `toml:"celsius"`
}

type refusalDoc struct {
	Reason string `toml:"reason"`
	Maybe  bool   `toml:"maybe"`
}

type skinDoc struct {
	Celsius float64 `toml:"celsius"`
	Ambient float64 `toml:"ambient"`
	Quality string  `toml:"quality"`
}

type historyDoc struct {
	Seen   any    `toml:"seen"`
	SeenAt string `toml:"seen_at"`
	Grade  string `toml:"grade"`
	Graded any    `toml:"graded"`
}

type wantDoc struct {
	Call      string `toml:"call"`
	Reason    string `toml:"reason"`
	Rule      string `toml:"rule"`
	Here      string `toml:"here"`
	Agreement string `toml:"agreement"`
	Trust     string `toml:"trust"`
}

// A testCase is a test of the policy, made ready.
type testCase struct {
	name     string
	line     int
	site     gatehouse.Issuer
	evidence gatehouse.Evidence
	failing  *[]string
	want     wantDoc
}

// A Result is what came of one of a policy's own tests.
type Result struct {
	Name   string
	Line   int
	Passed bool
	Got    string // "refer V33 rule yellow-here, here yellow"
	Want   string
}

// Test runs the policy's own tests.
func (p *Policy) Test() (results []Result) {
	if p == nil {
		return nil
	}
	for _, c := range p.tests {
		v := p.staged(c).Judge(c.evidence)
		got := wantDoc{v.Call.String(), string(v.Reason), v.Rule, v.Here.String(), v.Agreement, v.Trust.String()}
		r := Result{Name: c.name, Line: c.line, Passed: c.want.matches(got), Got: got.String(), Want: c.want.String()}
		if !r.Passed && v.Detail != "" {
			r.Got += " (" + v.Detail + ")"
		}
		results = append(results, r)
	}
	return results
}

// staged is the policy at the site, and with the published rules, that a test speaks of. Tests
// are judged by the policy's own table of risk: the region's file has other levels tomorrow.
func (p *Policy) staged(c testCase) *Policy {
	staged := *p
	staged.at, staged.risk = c.site, p.ownRisk
	if c.failing != nil {
		staged.library = sketched(*c.failing)
	}
	return &staged
}

// matches holds a verdict to what a test asks of it: call, reason and rule always, the rest
// where the test speaks of it.
func (w wantDoc) matches(got wantDoc) bool {
	return w.Call == got.Call && w.Reason == got.Reason && w.Rule == got.Rule && (w.Here == "" || w.Here == got.Here) &&
		(w.Agreement == "" || w.Agreement == got.Agreement) && (w.Trust == "" || w.Trust == got.Trust)
}

func (w wantDoc) String() string {
	var b strings.Builder
	b.WriteString(w.Call)
	for _, s := range []struct{ before, word string }{{" ", w.Reason}, {" rule ", w.Rule}, {", here ", w.Here}, {", by ", w.Agreement}, {", trust ", w.Trust}} {
		if s.word != "" {
			b.WriteString(s.before + s.word)
		}
	}
	return b.String()
}

// sketched stands for the published rules in a test: these fail.
type sketched []string

func (s sketched) Rules(string, string) (Published, bool) { return s, true }

func (s sketched) Failing(*gatehouse.Pass, time.Time) ([]string, error) { return s, nil }

// Ready is what a signer asks: Read, and the policy's own tests. A policy without tests, or
// with one that fails, gives an error, and must not be signed. The results come along
// in both cases, as far as the tests could be run.
func Ready(body []byte) (*Policy, []Result, error) {
	p, err := Read(body)
	if err != nil {
		return nil, nil, err
	}
	results := p.Test()
	f := &faults{}
	if len(results) == 0 {
		f.at("test", "the policy has no tests of its own: nobody could tell what it does")
	}
	for i, r := range results {
		if !r.Passed {
			f.list = append(f.list, Fault{r.Line, fmt.Sprintf("test[%d]", i), fmt.Sprintf("%q: got %s, want %s", r.Name, r.Got, r.Want)})
		}
	}
	if err := f.err(); err != nil {
		return nil, results, err
	}
	return p, results, nil
}

// Untested gives the ids of rules, and of ways without a code, that decide in none of the
// policy's own tests. Rules that sleep in the policy's mode are not among them.
func (p *Policy) Untested() (ids []string) {
	if p == nil {
		return nil
	}
	decided := map[string]bool{}
	for _, c := range p.tests {
		decided[p.staged(c).Judge(c.evidence).Rule] = true
	}
	for _, r := range p.rules {
		if !decided[r.id] && r.reads&^p.reads() == 0 {
			ids = append(ids, r.id)
		}
	}
	for _, m := range p.manual {
		if !decided[m.ID] {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (doc *document) testsOf(p *Policy, f *faults) {
	names := map[string]int{}
	for i := range doc.Test {
		d, key := &doc.Test[i], fmt.Sprintf("test[%d]", i)
		c := testCase{name: d.Name, line: f.lines[key], failing: d.Published, want: d.Want}
		if d.Name == "" || names[d.Name] > 0 {
			f.at(key+".name", "%.60q: each test has a name of its own, which says what has to hold", d.Name)
		}
		names[d.Name]++
		if d.Site != "" {
			if c.site = region(key+".site", d.Site, f); !c.site.Within(p.site) {
				f.at(key+".site", "%s is no part of %s", d.Site, p.site)
			}
		}
		doc.call(key+".want.call", d.Want.Call, f)
		s := sketch{p: p, f: f, at: p.zone.readMoment(key+".at", d.At, false, f)}
		if s.at.IsZero() {
			s.at = p.firstNoon()
		}
		c.evidence = s.evidence(key, d)
		p.tests = append(p.tests, c)
	}
}

// firstNoon is a moment at which the policy holds: noon of its first whole day.
func (p *Policy) firstNoon() time.Time {
	from := p.issued
	if p.span.from.After(from) {
		from = p.span.from
	}
	y, m, d := from.In(p.zone.Location).AddDate(0, 0, 1).Date()
	return time.Date(y, m, d, 12, 0, 0, 0, p.zone.Location)
}
