package policy

import (
	"io/fs"
	"strings"
	"testing"

	"gatehouse"
)

func FuzzRead(f *testing.F) {
	names, err := fs.Glob(Examples(), "*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		body, err := fs.ReadFile(Examples(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(openHouse + tables))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Read(body)
		if err != nil {
			if p != nil || err.Error() == "" {
				t.Errorf("policy %v with the error %q", p, err)
			}
			return
		}
		if v := p.Judge(somebody()); v.Policy != p.Name() || v.Call > 3 {
			t.Errorf("verdict %+v of %s", v, p.Name())
		}
		p.Test()
		if d := Diff(p, p); len(d) > 0 {
			t.Errorf("it differs from itself: %v", d)
		}
	})
}

func FuzzActivation(f *testing.F) {
	f.Add([]byte("kind = \"activation\"\nsite = \"CN-330100\"\npolicy = \"CN-330100/emergency-1\"\nzone = \"+08:00\"\nissued = 2020-07-11T06:00:00+08:00\nuntil = 2020-07-20\nzh = \"a\"\nen = \"b\"\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, err := ReadActivation(body); err == nil && (a.Until.IsZero() || a.Policy == "") {
			t.Errorf("%+v", a)
		}
	})
}

// FuzzExpression holds every expression that passes the check to what the check promised:
// it costs no more, it ends, and it says true, false or that it cannot tell.
func FuzzExpression(f *testing.F) {
	for _, text := range asked {
		f.Add(text)
	}
	f.Add(`pass.tests.exists(a, pass.tests.exists(b, a.at < b.at))`)
	f.Add(`size([1, 2, 3].filter(x, x > 1)) == 2 ? pass.contact : now > timestamp("2020-01-01T00:00:00Z") + duration("1h")`)
	p := read(f, openHouse+tables)
	e := somebody()
	travels(gatehouse.Fact{Kind: "test", At: july, Method: "pcr", Result: gatehouse.Negative}, gatehouse.Fact{Kind: "test", At: july.AddDate(0, 0, -2)},
		gatehouse.Fact{Kind: "travel", At: july, Division: "330200"}, gatehouse.Fact{Kind: "travel", Division: "310000"})(&e)
	for len(e.Pass.Facts) < maxFacts {
		e.Pass.Facts = append(e.Pass.Facts, gatehouse.Fact{Kind: "travel", At: july, Until: july, Division: strings.Repeat("3", maxWord)})
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, complaints := p.machine.compile(text)
		if len(complaints) > 0 {
			return
		}
		j := &judging{person: &person{policy: p, e: &e, pass: e.Pass}}
		j.look()
		if _, err := c.holds(j.person); err != nil && err.Error() == "" {
			t.Error("an error that says nothing")
		}
		if c.ast != nil {
			if took := p.machine.count(c.ast, j.person); took > c.cost {
				t.Errorf("it took %d, at most %d were reckoned", took, c.cost)
			}
		}
	})
}
