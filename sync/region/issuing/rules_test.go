package issuing

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestExampleRulesHaveNoFault(t *testing.T) {
	r, err := ParseRules(Example)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Grading) != 8 || r.rule("fever") == nil || r.rule("nobody") != nil {
		t.Errorf("%d rules", len(r.Grading))
	}
}

func TestFaultsOfRulesComeWithTheirLines(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"version = 1 ", "version = 0 ", "line 6: version: want a number above 0"},
		{"zone = \"Asia/Shanghai\"", "zone = \"Mars/Olympus\"", "line 7: zone: "},
		{"zone = \"Asia/Shanghai\"", "zone = \"../../etc/passwd\"", "line 7: zone: "},
		{"code_hours = 12", "code_hours = 48", "line 8: code_hours: "},
		{"fever = 37.3", "fever = 42.0", "line 9: fever: "},
		{"least = 20", "least = 0", "line 16: alarm.least: "},
		{"id = \"close-contact\"", "id = \"case\"", "rule#1.id: case is the name of two rules"},
		{"id = \"close-contact\"", "id = \"close-contact\"\npersons = [\"100000195001010014\"]", "unknown key rule.persons"},
		{"kinds = [\"arrival\"]", "kinds = [\"savings\"]", `rule#5.kinds: "savings" is no kind of this indicator`},
		{"colour = \"red\"\ndays = 14\nzh = \"确诊病", "colour = \"green\"\ndays = 14\nzh = \"确诊病", "rule#1.colour: want yellow or red"},
		{"number = 21", "number = 41", "rule#1.number: 41 is the number of two rules"},
		{"division = \"110112\"", "division = \"11\"", "area#0.division: "},
		{"issuer = \"CN-440000\"", "issuer = \"CN-330100\"", "recognise#0.issuer: "},
		{"red = \"grey\"", "red = \"blue\"", "recognise#0.colours: "},
		{"version = 1 ", "version = \"one\" ", "line 6: "},
		{"region = ", "[[", "line 5: "},
	} {
		text := strings.Replace(string(Example), c.old, c.new, 1)
		if text == string(Example) {
			t.Fatalf("%q is not in the example", c.old)
		}
		if _, err := ParseRules([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.new, err, c.want)
		}
	}
	if _, err := ParseRules(bytes.Repeat([]byte("# "), maxRules)); err == nil {
		t.Error("a document of half a megabyte was read")
	}
}

// A rules document has no place where a person could stand: no key of it takes one, and
// nothing that a rule matches on does.
func TestRulesCannotNameAPerson(t *testing.T) {
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range typ.NumField() {
			name := typ.Field(i).Tag.Get("toml")
			for _, bad := range []string{"person", "holder", "tag", "name", "identity", "citizen"} {
				if strings.Contains(name, bad) && path+name != "keep.tags" && path+name != "keep.persons" {
					t.Errorf("key %s%s", path, name)
				}
			}
			if name != "" {
				walk(typ.Field(i).Type, path+name+".")
			}
		}
	}
	walk(reflect.TypeFor[Rules](), "")
	r, err := ParseRules(Example)
	if err != nil {
		t.Fatal(err)
	}
	one := Event{Indicator: gatehouse.Contact, Kind: "close", Status: "confirmed", Case: "A-0001", Source: "a", Operator: "x", Ref: "1", At: time.Unix(1e9, 0)}
	other := one
	other.Case, other.Source, other.Operator, other.Ref, other.Finding = "B-0002", "b", "y", "2", "z"
	r.grade(&one)
	r.grade(&other)
	if one.Rule != other.Rule || one.Grade != gatehouse.Red || other.Grade != gatehouse.Red {
		t.Errorf("who they are made a difference: %v %v", one, other)
	}
}

func TestMostSpecificAreaSaysTheRisk(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	r := Rules{Areas: []Area{
		{Division: "330000", Risk: "medium", From: at("2026-05-01")},
		{Division: "330100", Risk: "low", From: at("2026-05-01")},
		{Division: "330106", Risk: "high", From: at("2026-05-03"), Until: at("2026-05-10")},
	}}
	for _, c := range []struct {
		division, in, out, want string
	}{
		{"330200", "2026-05-02", "2026-05-02", "medium"},
		{"330102", "2026-05-02", "2026-05-02", "low"},
		{"330106", "2026-05-01", "2026-05-02", "low"},
		{"330106", "2026-05-01", "2026-05-03", "high"},
		{"330106", "2026-05-10", "2026-05-12", "high"},
		{"330106", "2026-05-11", "2026-05-12", "low"},
		{"330200", "2026-04-02", "2026-04-03", ""},
		{"110101", "2026-05-02", "2026-05-02", ""},
	} {
		if got := riskWord(r.risk(c.division, at(c.in), at(c.out))); got != c.want {
			t.Errorf("%s from %s to %s: %q, want %q", c.division, c.in, c.out, got, c.want)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add(Example)
	f.Add([]byte("region = \"CN-330100\"\n[[rule]]\n"))
	f.Add([]byte("zone = \"../x\"\nversion = 1e9\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRules(text)
		if (r == nil) == (err == nil) {
			t.Errorf("rules %v with error %v", r != nil, err)
		}
		if r != nil {
			e := Event{Indicator: gatehouse.Health, Kind: "confirmed", At: time.Unix(1e9, 0)}
			r.grade(&e)
			r.risk("330106", e.At, e.At)
		}
	})
}
