package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

const fileRisk = "[risk]\nfile = true\notherwise = \"low\"\n"

const stopsHigh = "[[rule]]\nid = \"from-high\"\ncall = \"deny\"\nreason = \"V33\"\nwhen = 'pass.travel.exists(t, risk(t.division) == \"high\")'\n"

func was(division string) gatehouse.Evidence {
	e := somebody()
	e.Pass.Facts = []gatehouse.Fact{{Kind: "travel", Division: division, At: july.AddDate(0, 0, -3), Until: july.AddDate(0, 0, -1)}}
	return e
}

func graded4(tb testing.TB, p *Policy, file string) *Policy {
	tb.Helper()
	with, err := p.WithRisk([]byte(file))
	if err != nil {
		tb.Fatal(err)
	}
	return with
}

func TestTheRegionsFileTakesThePlaceOfThePolicysTable(t *testing.T) {
	own := read(t, openHouse+fileRisk+"as_of = 2020-07-01\nhigh = [\"2301\"]\n"+stopsHigh)
	file := graded4(t, own, "division,level,from,until\n220284,high,2020-07-01,\n2202,medium,2020-07-01,2020-07-31\n")
	for _, c := range []struct {
		name     string
		p        *Policy
		division string
		want     gatehouse.Call
	}{
		{"own table, high there", own, "230103", gatehouse.Deny},
		{"own table, unknown there", own, "220284", gatehouse.Admit},
		{"file, high in the own table", file, "230103", gatehouse.Admit},
		{"file, high there", file, "220284", gatehouse.Deny},
	} {
		e := was(c.division)
		if v := c.p.Judge(e); v.Call != c.want {
			t.Errorf("%s: %+v, want %s", c.name, v, c.want)
		}
	}
	for p, want := range map[*Policy]string{own: "the policy's own table, 1 divisions", file: "the region's file, 2 divisions"} {
		if text := strings.Join(p.Explain(was("220284")).Lines(), "\n"); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestWithoutTheFileARuleThatAsksForItAsksStaff(t *testing.T) {
	p := read(t, openHouse+fileRisk+stopsHigh)
	if v := p.Judge(was("230103")); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNoRule || !strings.Contains(v.Detail, "table of risk is not at this gate") {
		t.Errorf("%+v", v)
	}
	if v := p.Judge(somebody()); v.Call != gatehouse.Admit {
		t.Errorf("who was nowhere: %+v", v)
	}
}

func TestAPolicyThatDoesNotAskForTheFileKeepsItsTable(t *testing.T) {
	p := read(t, openHouse+"[risk]\nas_of = 2020-07-01\notherwise = \"low\"\nhigh = [\"2301\"]\n"+stopsHigh)
	if with := graded4(t, p, "no table at all"); with != p || p.TakesRisk() || (*Policy)(nil).TakesRisk() {
		t.Errorf("%v, takes it: %v", with, p.TakesRisk())
	}
}

func TestOwnTestsAreJudgedByTheOwnTable(t *testing.T) {
	p := read(t, example(t, "travel-risk"))
	with := graded4(t, p, "division,level,from,until\n11,high,2020-01-01,\n")
	for _, r := range with.Test() {
		if !r.Passed {
			t.Errorf("%s: got %s, want %s", r.Name, r.Got, r.Want)
		}
	}
}

func TestALevelHoldsForItsDaysOfTheSite(t *testing.T) {
	p := graded4(t, read(t, openHouse+fileRisk), "\ufeffdivision,level,from,until\r\n3302,medium,2020-07-01,2020-07-09\r\n"+
		"330200,high,2020-07-10,2020-07-11T12:00:00+08:00\r\n\"33\",medium,2020-07-11T04:00:00Z,\r\n330203,low,2020-07-01,\r\n")
	for _, c := range []struct {
		at, division, want string
	}{
		{"2020-06-30T23:59:59+08:00", "330201", "low"}, // nothing holds yet, and otherwise is low
		{"2020-07-01T00:00:00+08:00", "330201", "medium"},
		{"2020-07-09T23:59:59+08:00", "330201", "medium"},
		{"2020-07-10T00:00:00+08:00", "330201", "high"},
		{"2020-07-11T11:59:59+08:00", "330201", "high"},
		{"2020-07-11T12:00:00+08:00", "330201", "medium"}, // its city's is over, its province's has begun
		{"2020-07-10T12:00:00+08:00", "330203", "low"},
		{"2020-07-10T12:00:00+08:00", "3302", "high"},
		{"2020-07-10T12:00:00+08:00", "340100", "low"},
		{"2020-07-10T12:00:00+08:00", "330", "unknown"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := riskWords[p.risk.of(c.division, at)]; got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.division, c.at, got, c.want)
		}
	}
}

func TestABadRiskFileIsRefusedWithTheLine(t *testing.T) {
	const head = "division,level,from,until\n"
	p := read(t, openHouse+fileRisk)
	for _, c := range []struct {
		name, file string
		line       int
		want       string
	}{
		{"nothing", "", 0, "the table is empty"},
		{"a header alone", head, 0, "the table is empty"},
		{"another header", "code,level,from,until\n3301,high,2020-07-01,\n", 1, "the first line is"},
		{"a slip in a code", head + "33010,high,2020-07-01,\n", 2, "is no division code"},
		{"a province that there is not", head + "990100,high,2020-07-01,\n", 2, "is no division code"},
		{"no such level", head + "\n3301,hihg,2020-07-01,\n", 3, `"hihg", want one of`},
		{"a level that nobody graded", head + "3301,unknown,2020-07-01,\n", 2, `"unknown", want one of`},
		{"no beginning", head + "3301,high,,\n", 2, "is no date"},
		{"a date that is none", head + "3301,high,2020-02-30,\n", 2, "is no date"},
		{"a time without a zone", head + "3301,high,2020-07-01T08:00:00,\n", 2, "is no date"},
		{"a year for ever", head + "3301,high,2020-07-01,9999-12-31\n", 2, "the year"},
		{"ends before it begins", head + "3301,high,2020-07-02,2020-07-01\n", 2, "it ends before it begins"},
		{"too few fields", head + "3301,high,2020-07-01\n", 2, "3 fields, want 4"},
		{"two levels at one time", head + "3301,high,2020-07-01,\n3302,low,2020-07-01,\n330100,low,2020-08-01,\n", 4, "3301 has a level on line 2 for the same time"},
		{"two levels on one day", head + "3301,high,2020-07-01,2020-07-05\n3301,low,2020-07-05,\n", 3, "for the same time"},
		{"a quote", head + "33\"01,high,2020-07-01,\n", 2, "bare"},
		{"no UTF-8", head + "3301,high,2020-07-01,\n\xff,high,2020-07-01,\n", 3, "not UTF-8"},
		{"too many bytes", strings.Repeat("x", maxRiskFile+1), 0, "at most"},
		{"too many rows", head + strings.Repeat("3301,high,2020-07-01,\n", maxRiskRows+1), maxRiskRows + 2, "more than 50000 rows"},
	} {
		with, err := p.WithRisk([]byte(c.file))
		var faults Faults
		if !errors.As(err, &faults) || with != nil {
			t.Errorf("%s: policy %v, error %v", c.name, with, err)
			continue
		}
		if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Line == c.line && strings.Contains(f.What, c.want) }) {
			t.Errorf("%s: got %v, want line %d: %s", c.name, err, c.line, c.want)
		}
		if _, again := p.WithRisk([]byte(c.file)); again.Error() != err.Error() {
			t.Errorf("%s: another time %v", c.name, again)
		}
	}
	many := head + "1,x,y,z\n3301,x,2020-07-01,2020-06-01\n"
	if _, err := p.WithRisk([]byte(many)); err == nil || len(err.(Faults)) != 6 {
		t.Errorf("not all faults in one run: %v", err)
	}
}

// counties is a file of 3,000 divisions.
func counties() []byte {
	var b strings.Builder
	b.WriteString("division,level,from,until\n")
	for n := range 3000 {
		level := "low"
		if n%50 == 0 {
			level = "high"
		}
		fmt.Fprintf(&b, "%02d%02d%02d,%s,2020-07-%02d,\n", 11+n/600, 1+n/20%30, 1+n%20, level, 1+n%9)
	}
	return []byte(b.String())
}

func TestATableOfAllCountiesTakesThePlaceOfAnother(t *testing.T) {
	p := graded4(t, read(t, openHouse+fileRisk), string(counties()))
	if len(p.risk.levels) != 3000 || p.risk.of("110101", july) != 3 || p.risk.of("110102", july) != 1 {
		t.Errorf("%d divisions", len(p.risk.levels))
	}
}

func BenchmarkWithRisk3000(b *testing.B) {
	p := read(b, openHouse+fileRisk)
	file := counties()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.WithRisk(file); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRisk(f *testing.F) {
	f.Add([]byte("division,level,from,until\n330100,high,2020-07-01,2020-07-09\n3302,low,2020-07-01T08:00:00+08:00,\n"))
	p := read(f, openHouse+fileRisk+stopsHigh)
	e := was("330100")
	f.Fuzz(func(t *testing.T, file []byte) {
		with, err := p.WithRisk(file)
		switch {
		case err != nil && (with != nil || err.Error() == ""):
			t.Errorf("policy %v with the error %q", with, err)
		case err == nil:
			if v := with.Judge(e); v.Call != gatehouse.Deny && v.Call != gatehouse.Admit {
				t.Errorf("%+v", v)
			}
		}
	})
}
