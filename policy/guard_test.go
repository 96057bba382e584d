package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cel.dev/cel-go/cel"

	"gatehouse"
)

// asked are expressions whose parts guards take over, in all the ways that they do.
var asked = []string{
	`here.grade == "red"`, `"red" == here.grade`, `here.grade != "red"`, `here.grade in ["yellow", "grey"]`, `!(here.grade in ["yellow", "grey"])`,
	`here.grade == "red" || here.grade == "yellow"`, `pass.contact && !pass.health`, `!pass.place || pass.place`, `here.grade == ""`,
	`pass.format in ["RHC1", "DCC"]`, `pass.format == "other"`, `pass.age_group == "child"`, `pass.age_group != "elder" && pass.grade == "green"`,
	`within(issuer, "CN-33")`, `within(issuer, "CN-330000") && here.grade == "green"`, `within(issuer, "CN")`, `!within(issuer, "DE")`, `within(issuer, "DE")`,
	`hours_since(pass.issued) > 12`, `12 >= hours_since(pass.issued)`, `hours_since(pass.issued) > 12.5`, `days_since(pass.since) < 7`, `days_since(pass.since) >= 0`,
	`has(pass.since)`, `!has(pass.since)`, `has(pass.since) && days_since(pass.since) < 14`, `days_since(pass.since) < 14 && has(pass.since)`,
	`has(pass.since) || hours_since(pass.issued) < 3`, `has(history.seen) && seconds_since(history.seen) < 60`, `seconds_since(history.seen) < 60 && here.grade == "red"`,
	`here.grade == "red" && days_since(pass.since) < 7 && skin.celsius > 36.6`, `skin.celsius >= 36.6 || skin.state == "none"`, `skin.state == "fever"`,
	`size(pass.tests) > 0`, `pass.tests.exists(t, t.result == "negative" && hours_since(t.at) <= 72)`, `!pass.tests.exists(t, t.result == "positive")`,
	`pass.tests.all(t, t.result == "negative")`, `pass.tests.exists_one(t, t.result == "negative")`, `pass.tests.exists(t, hours_since(t.until) < 1)`,
	`size(pass.tests.filter(t, t.result == "negative")) >= 2`, `pass.travel.exists(t, t.division.startsWith("33")) && here.grade == "green"`,
	`pass.travel.exists(t, risk(t.division) == "high")`, `second.shown && second.travel.exists(t, t.division == "310000")`, `second.shown`, `hours_since(second.issued) < 24`,
	`history.grade != "" && history.grade != pass.grade`, `trust.state == "stale"`, `trust.hours > 24.0`, `here.recognition == "accept"`, `true`, `false`, `!true || pass.contact`,
	`second.issuer.region == site.region`, `issuer.country == "CN" && issuer.division.startsWith("33")`, `pass.tests.exists(t, t.method in sets.methods)`,
}

const tables = `
[ages]
child_below = 14
elder_from = 70
[sets]
methods = ["pcr", "antigen"]
[risk]
as_of = 2020-07-01
otherwise = "low"
high = ["3302"]
medium = ["310000"]
`

// The guards are a shorter way to the same answer. For any person, an expression says what
// the expression machine alone would have said, errors included.
func TestGuardsSayWhatTheMachineSays(t *testing.T) {
	p := read(t, openHouse+tables)
	random := rand.New(rand.NewPCG(38963, 2020))
	held, failed, native := 0, 0, 0
	for _, text := range asked {
		c, complaints := p.machine.compile(text)
		if len(complaints) > 0 {
			t.Errorf("%s: %v", text, complaints)
			continue
		}
		if c.program == nil {
			native++
		}
		checked, issues := p.machine.env.Compile(text)
		if err := issues.Err(); err != nil {
			t.Fatal(err)
		}
		alone, err := p.machine.env.Program(checked, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			t.Fatal(err)
		}
		for range 150 {
			e := anybody(random)
			j := &judging{person: &person{policy: p, e: &e, pass: e.Pass, trust: p.State(e.TrustAge)}}
			j.look()
			got, gotErr := c.holds(j.person)
			v, _, wantErr := alone.Eval(j.person)
			want := wantErr == nil && v.Value().(bool)
			if got != want || (gotErr == nil) != (wantErr == nil) {
				t.Fatalf("%s: guards say %v %v, the machine %v %v, of %+v", text, got, gotErr, want, wantErr, *e.Pass)
			}
			if want {
				held++
			}
			if wantErr != nil {
				failed++
			}
		}
	}
	if held < 500 || failed < 100 || native < 20 {
		t.Errorf("%d held, %d failed, %d native: the law was not put to the test", held, failed, native)
	}
}

// anybody is a person made by chance.
func anybody(r *rand.Rand) gatehouse.Evidence {
	when := func() time.Time {
		if r.IntN(4) == 0 {
			return time.Time{}
		}
		return july.Add(-time.Duration(r.IntN(20*24*60)) * time.Minute)
	}
	grade := func() gatehouse.Grade { return gatehouse.Grade(r.IntN(5)) }
	of := func(words ...string) string { return words[r.IntN(len(words))] }
	facts := func() (all []gatehouse.Fact) {
		for range r.IntN(4) {
			all = append(all, gatehouse.Fact{Kind: gatehouse.FactKind(of("test", "travel", "vaccination")), At: when(), Until: when(),
				Division: of("330106", "310000", "330200", "", "33"), Result: gatehouse.Result(r.IntN(3)), Method: of("pcr", "antigen", "x")})
		}
		return all
	}
	e := gatehouse.Evidence{At: july, Clock: true, TrustAge: time.Duration(r.IntN(60)) * time.Hour,
		Pass: &gatehouse.Pass{Format: of("RHC1", "DCC", "SHC", "XYZ"), Issuer: gatehouse.Issuer(of("CN-330106", "CN-33", "CN-310000", "DE", "CN", "")), Grade: grade(),
			Class: gatehouse.Class(r.IntN(8)), Since: when(), Issued: when(), Facts: facts(), Holder: gatehouse.Holder{Birth: of("", "1940", "1984-07", "2006-07-11", "2006-07-12", "x")}},
		Skin:    gatehouse.Measurement{Skin: gatehouse.Temperature(36_000 + r.IntN(2000)), Quality: gatehouse.Quality(r.IntN(4))},
		History: gatehouse.History{Seen: when(), Grade: grade(), Graded: when()}}
	if r.IntN(2) == 0 {
		e.Second = &gatehouse.Pass{Format: "TTC1", Issuer: gatehouse.Issuer(of("CN", "CN-330100")), Issued: when(), Facts: facts()}
	}
	return e
}

func TestAnAreaHoldsWhatARegionHolds(t *testing.T) {
	regions := []gatehouse.Issuer{"CN", "CN-33", "CN-330000", "CN-3301", "CN-330100", "CN-330106", "DE", "CN-000000"}
	for _, region := range regions {
		for _, issuer := range append(regions, "", "C", "CN-", "CN-3", "CNX", "DE-33", "CN-34", "CN-330200", "CN-33-1") {
			if got, want := areaOf(region).holds(issuer), issuer.Within(region); got != want {
				t.Errorf("%s within %s: area %v, word %v", issuer, region, got, want)
			}
		}
	}
}

func TestAgeGroupsLeaveNoDoubt(t *testing.T) {
	p := read(t, openHouse+tables)
	for birth, want := range map[string]string{
		"": "", "x": "", "19": "", "2021": "child",
		"2006": "", "2007": "child", "2005": "adult", // fourteen some day of the year 2020
		"2006-07-11": "adult", "2006-07-12": "child", "2006-08": "",
		"1950": "", "1949": "elder", "1951": "adult", "1950-07-11": "elder", "1950-07-12": "adult",
	} {
		e := somebody()
		e.Pass.Holder.Birth = birth
		who := &person{policy: p, e: &e, pass: e.Pass}
		if got := ageWords[who.ageGroup()]; got != want {
			t.Errorf("born %q: %q, want %q", birth, got, want)
		}
	}
}

func TestTheLongestPrefixTellsTheRisk(t *testing.T) {
	p := read(t, openHouse+"[risk]\nas_of = 2020-07-01\notherwise = \"medium\"\nhigh = [\"220284\", \"2301\"]\nmedium = [\"23\"]\nlow = [\"220200\", \"230110\"]\n")
	for division, want := range map[string]string{"220284": "high", "220204": "low", "220200": "low", "220000": "medium", "110105": "medium", "230103": "high",
		"230110": "low", "230200": "medium", "23": "medium", "": "unknown", "abc": "unknown", "2202841": "unknown", "22028": "unknown"} {
		if got := riskWords[p.risk.of(division, july)]; got != want {
			t.Errorf("%s: %s, want %s", division, got, want)
		}
	}
}

func TestATableOfAllCountiesIsRead(t *testing.T) {
	var high, low string
	n := 0
	for province := 11; province <= 15; province++ {
		for city := 1; city <= 30; city++ {
			for county := 1; county <= 20; county++ {
				code := fmt.Sprintf("\"%02d%02d%02d\", ", province, city, county)
				if n++; n%50 == 0 {
					high += code
				} else {
					low += code
				}
			}
		}
	}
	p := read(t, openHouse+"[risk]\nas_of = 2020-07-01\notherwise = \"unknown\"\nhigh = ["+high+"]\nlow = ["+low+"]\n")
	if len(p.risk.levels) != 3000 || p.risk.of("110101", july) != 1 {
		t.Errorf("%d divisions", len(p.risk.levels))
	}
}

func TestDaysAreCountedAtMidnightOfTheSite(t *testing.T) {
	china, err := readZone("+08:00")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"2020-07-10T23:59:00+08:00", "2020-07-11T00:01:00+08:00", 1},
		{"2020-07-10T00:01:00+08:00", "2020-07-10T23:59:00+08:00", 0},
		{"2020-07-10T15:59:00Z", "2020-07-10T16:00:00Z", 1},
		{"2020-02-22T12:00:00+08:00", "2020-03-07T01:00:00+08:00", 14},
		{"2020-07-11T12:00:00+08:00", "2020-07-10T12:00:00+08:00", -1},
		{"2020-02-28T23:00:00+08:00", "2020-03-01T01:00:00+08:00", 2}, // a leap year
		{"2021-02-28T23:00:00+08:00", "2021-03-01T01:00:00+08:00", 1},
		{"1969-12-30T12:00:00Z", "1970-01-02T12:00:00Z", 3},
	} {
		if got := china.days(at(c.from), at(c.to)); got != c.want {
			t.Errorf("%s to %s: %d days, want %d", c.from, c.to, got, c.want)
		}
	}
}

func TestTheVocabularyFitsItsPerson(t *testing.T) {
	values, words := 0, 0
	for _, f := range fields() {
		if f.value != nil {
			values++
		}
		if f.word != nil {
			words++
		}
		if f.means == "" {
			t.Errorf("%s has no meaning", f.path())
		}
	}
	if values > maxFields || words > maxSlots {
		t.Errorf("%d values of %d, %d words of %d", values, maxFields, words, maxSlots)
	}
}
