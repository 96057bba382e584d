package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lineOf is the line of a text on which the mark stands first.
func lineOf(text, mark string) int {
	return 1 + strings.Count(text[:strings.Index(text, mark)], "\n")
}

func TestABadPolicyIsRefusedWithTheLine(t *testing.T) {
	rule := func(when string) string {
		return openHouse + "[[rule]]\nid = \"bad\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = '" + when + "' # here\n"
	}
	change := func(from, to string) string {
		if !strings.Contains(openHouse, from) {
			t.Fatalf("openHouse has no %q", from)
		}
		return strings.Replace(openHouse, from, to+" # here", 1)
	}
	for _, c := range []struct{ name, body, want string }{
		{"a type error", rule(`pass.grade > 3`), "no matching overload"},
		{"no truth", rule(`pass.grade`), "it gives string"},
		{"an unknown name", rule(`pass.gradee == "red"`), "undefined field 'gradee'"},
		{"an unknown variable", rule(`person.name == "x"`), "undeclared reference to 'person'"},
		{"an unknown function", rule(`matches(pass.format, "R.*")`), "undeclared reference to 'matches'"},
		{"an unknown word", rule(`here.grade == "rde"`), `grade is never "rde"`},
		{"an unknown word in a list", rule(`here.grade in ["red", "yelow"]`), `grade is never "yelow"`},
		{"an unknown level", rule(`pass.travel.exists(t, risk(t.division) == "hihg")`), `risk is never "hihg"`},
		{"an unknown result", rule(`pass.tests.exists(t, t.result == "pos")`), `result is never "pos"`},
		{"no region", rule(`within(issuer, "CN-3")`), `"CN-3" is no region`},
		{"an unknown set", rule(`pass.format in sets.nobody`), "undefined field 'nobody'"},
		{"a table that is not there", rule(`pass.travel.exists(t, risk(t.division) == "high")`), "there is no [risk] table"},
		{"age groups without lines", rule(`pass.age_group == "child"`), "[ages] does not say"},
		{"an object made", rule(`Pass{} == pass`), "objects cannot be made"},
		{"a map made", rule(`{"a": 1}["a"] == 1`), "objects cannot be made"},
		{"a date that is none", rule(`timestamp("2020-13-01T00:00:00Z") < now`), "invalid RFC 3339 timestamp"},
		{"a function of the wrong words", rule(`risk(3) == "high"`), "no matching overload for 'risk'"},
		{"broken grammar", rule(`here.grade ==`), "Syntax error"},
		{"a cost bomb", rule(`pass.travel.exists(a, pass.travel.exists(b, pass.travel.exists(c, a.division == b.division && b.division == c.division)))`), "it can cost"},
		{"deeper than anybody thinks", rule(strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200)), "recursion"},
		{"longer than anybody reads", rule(strings.Repeat("true && ", 600) + "true"), "size"},

		{"an unknown key", change(`mode = "normal"`, "mode = \"normal\"\ncolor = 3"), "unknown name"},
		{"a number for a word", change(`site = "CN-330100"`, `site = 330100`), "cannot"},
		{"no region for a site", change(`site = "CN-330100"`, `site = "Hangzhou"`), "site: "},
		{"version nought", change("version = 1", "version = 0"), "version: "},
		{"ends before it begins", change("until = 2020-12-31", "until = 2020-12-31\nnot_before = 2021-01-01"), "it ends before it begins"},
		{"ends before it was issued", change("until = 2020-12-31", "until = 2020-01-31"), "it ends before it was issued"},
		{"a year for ever", change("until = 2020-12-31", "until = 9999-12-31"), "the year"},
		{"a zone by name", change(`zone = "+08:00"`, `zone = "Asia/Shanghai"`), "is no offset"},
		{"an unknown mode", change(`mode = "normal"`, `mode = "panic"`), "normal, dormant or emergency"},
		{"an unknown claim", change(`"risk", "temperature"]`, `"risk", "temperature", "name"]`), `"name", want some of`},
		{"trust for ever", change(`stale_ok = "7d"`, `stale_ok = "900d"`), "at most"},
		{"fresh for longer than in use", change(`fresh_for = "24h"`, `fresh_for = "9d"`), "longer than stale_ok"},
		{"Fahrenheit", change("off = true", "fever = 99.1\nlow = 35.0\nhigh = 43.0\ntries = 3\nfault = \"refer\""), "99.1 degrees Celsius"},
		{"low above fever", change("off = true", "fever = 37.3\nlow = 37.3\nhigh = 43.0\ntries = 3\nfault = \"refer\""), "not below the fever line"},
		{"k without ambient", change("off = true", "fever = 37.3\nlow = 35.0\nhigh = 43.0\nk = 0.1\ntries = 3\nfault = \"refer\""), "temperature.ambient: missing"},
		{"lines of a thermometer that is off", change("off = true", "off = true\nfever = 37.3"), "nobody is measured"},
		{"a default that admits", change("[default]\ncall = \"refer\"", "[default]\ncall = \"admit\""), "referred or denied"},

		{"a rule's unknown reason", change(`call = "admit"`, "call = \"deny\"\nreason = \"V99\""), "is no code that a rule may give"},
		{"a reason of the gate's own", change(`call = "admit"`, "call = \"refer\"\nreason = \"D51\""), "is no code that a rule may give"},
		{"an unknown call", change(`call = "admit"`, `call = "open"`), `"open" is no call`},
		{"an id twice", openHouse + "[[rule]]\nid = \"everybody\" # here\ncall = \"admit\"\nwhen = \"true\"\n", "everybody is taken"},
		{"no condition", change(`when = "true"`, ``), "when: missing"},
		{"one language", change(`call = "admit"`, "call = \"admit\"\nzh = \"好\""), "stand together"},
		{"a placeholder that names somebody", change(`call = "admit"`, "call = \"admit\"\nzh = \"{name}\"\nen = \"{name}\""), "{name} is no placeholder"},
		{"placeholders that differ", change(`call = "admit"`, "call = \"admit\"\nzh = \"{grade}\"\nen = \"{here}\""), "placeholders"},
		{"dates outside the policy's", change(`call = "admit"`, "call = \"admit\"\nfrom = 2022-01-01"), "no day in common"},
		{"dates before the policy was issued", change(`call = "admit"`, "call = \"admit\"\nuntil = 2020-07-09"), "no day in common"},
		{"a widening of what is to come", change(`name = "test"`, "name = \"test\"\nwidens = 1"), "it names a version before this one"},
		{"a temperature of a quality that is none", openHouse + "[[test]]\nname = \"x\"\npass = {}\nskin = { celsius = 36.5, quality = \"stedy\" } # here\nwant = { call = \"admit\" }\n", `"stedy", want one of`},
		{"an unknown format", change(`call = "admit"`, "call = \"admit\"\nformats = [\"XYZ\"]"), `"XYZ", want some of`},
		{"quoted dates", change(`call = "admit"`, "call = \"admit\"\nfrom = \"2020-08-01\""), "without quotes"},

		{"rows that contradict", openHouse + "[[recognise]] # here\nissuer = \"CN\"\ndo = \"refuse\"\n", "contradicts the row on line"},
		{"rows that repeat", openHouse + "[[recognise]] # here\nissuer = \"CN\"\ndo = \"accept\"\nfrom = 2020-08-01\n", "repeats the row on line"},
		{"a row for another province", change(`issuer = "CN"`, "issuer = \"CN\"\nsite = \"CN-440000\""), "is no part of CN-330100"},
		{"a map without a map", change(`do = "accept"`, `do = "map"`), "stand together"},
		{"a colour that is none", change(`do = "accept"`, "do = \"map\"\nmap = [{ grade = \"blue\", here = \"red\" }]"), `grade "blue"`},
		{"a line that is never reached", change(`do = "accept"`, "do = \"map\"\nmap = [{ grade = \"red\", here = \"yellow\" }, { grade = \"red\", class = [\"contact\"], here = \"red\" }]"), "answered this already"},

		{"a table with a slip", openHouse + "[risk]\nas_of = 2020-07-09\notherwise = \"low\"\nhigh = [\"33010\"] # here\n", `"33010" is no division code`},
		{"a province that there is not", openHouse + "[risk]\nas_of = 2020-07-09\notherwise = \"low\"\nhigh = [\"990100\"] # here\n", "is no division code"},
		{"a division in two levels", openHouse + "[risk]\nas_of = 2020-07-09\notherwise = \"low\"\nmedium = [\"3301\"]\nhigh = [\"330100\"] # here\n", "in the table twice"},
		{"a table of tomorrow", openHouse + "[risk]\nas_of = 2020-07-12 # here\notherwise = \"low\"\nhigh = [\"3301\"]\n", "after the policy's own date"},
		{"a table of nothing", openHouse + "[risk] # here\nas_of = 2020-07-09\notherwise = \"low\"\n", "the table is empty"},
		{"a second code for ever", openHouse + "[[second]] # here\nid = \"t\"\nformats = [\"TTC1\"]\nfresh_for = \"24h\"\n", "until: missing"},
		{"an emergency that is none", openHouse + "[emergency] # here\nactivation = \"signed\"\nmax_days = 3\n", "it belongs to mode"},
		{"a test of nobody", openHouse + "[[test]] # here\nname = \"x\"\nwant = { call = \"admit\" }\n", "no pass, no refusal"},
		{"no TOML", change("version = 1", "version 1"), "expected"},
		{"a tab", strings.Replace(openHouse, `site =`, "\tsite =", 1) + "", "control character 0x09"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Read([]byte(c.body))
			var faults Faults
			if !errors.As(err, &faults) || p != nil {
				t.Fatalf("policy %v, error %v", p, err)
			}
			i := slices.IndexFunc(faults, func(f Fault) bool { return strings.Contains(f.String(), c.want) })
			if i < 0 {
				t.Fatalf("no fault names %q:\n%v", c.want, err)
			}
			if at := strings.Index(c.body, "# here"); at >= 0 {
				line := 1 + strings.Count(c.body[:at], "\n")
				if got := faults[i].Line; got > line || got < line-6 {
					t.Errorf("line %d, want %d or the table above it: %v", got, line, faults[i])
				}
			}
			if faults[i].Line == 0 {
				t.Errorf("no line: %v", faults[i])
			}
		})
	}
}

func TestTheLineOfAnExpressionIsExact(t *testing.T) {
	body := openHouse + "[[rule]]\nid = \"bad\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = '''\nhere.grade == \"red\"\n  && pass.contact\n  && pass.nothing\n'''\n"
	_, err := Read([]byte(body))
	if want := fmt.Sprintf("line %d: rule[1].when: undefined field 'nothing'", lineOf(body, "pass.nothing")); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAllFaultsAreNamedInOneRun(t *testing.T) {
	_, err := Read([]byte("kind = \"policy\"\n[purpose]\nname = \"x\"\n[[rule]]\nid = 3\n[[rule]]\nid = \"a\"\ncolor = 1\nwhen = 'x'\n"))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"line 5", "line 8: rule.color: unknown name", "site", "version", "zone", "issued", "until", "mode", "purpose.reads", "trust.fresh_for",
		"trust.stale_ok", "temperature: missing", "default: missing", "recognise: missing", "rule[1].call", "line 9: rule[1].when: undeclared reference to 'x'"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s:\n%v", want, err)
		}
	}
}

func TestAPolicyCannotNameAPerson(t *testing.T) {
	for _, name := range []string{"pass.holder", "pass.holder.name", "pass.name", "pass.tag", "pass.holder.tag", "pass.birth", "pass.holder.birth", "pass.code",
		"pass.key_id", "pass.key", "pass.kid", "pass.native", "second.holder", "second.code", "second.tag", "history.tag", "history.holder", "history.code",
		"issuer.key", "skin.sensor", "holder", "code"} {
		body := openHouse + fmt.Sprintf("[[rule]]\nid = \"bad\"\ncall = \"deny\"\nreason = \"V33\"\nwhen = '%s == \"8f3a\"'\n", name)
		_, err := Read([]byte(body))
		if want := fmt.Sprintf("line %d: rule[1].when: und", lineOf(body, "when = '"+name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, f := range fields() {
		for _, word := range []string{"name", "holder", "birth", "tag", "key", "code", "id"} {
			if f.name == word {
				t.Errorf("the vocabulary has %s", f.path())
			}
		}
	}
}

func TestThePurposeLockTakesNamesAway(t *testing.T) {
	locked := strings.Replace(openHouse, `reads = ["age", "seen", "colour", "travel", "tests", "vaccinations", "recoveries", "exemptions", "risk", "temperature"]`, `reads = ["colour"]`, 1)
	read(t, locked)
	for _, c := range []struct{ add, want string }{
		{"[[rule]]\nid = \"a\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'size(pass.travel) > 0'\n", `purpose lock: pass.travel is of the group "travel"`},
		{"[[rule]]\nid = \"a\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'size(second.tests) > 0'\n", `purpose lock: second.tests is of the group "tests"`},
		{"[[rule]]\nid = \"a\"\ncall = \"refer\"\nreason = \"V34\"\nwhen = 'has(history.seen)'\n", `purpose lock: history.seen is of the group "seen"`},
		{"[[rule]]\nid = \"a\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'true'\nzh = \"{seen}\"\nen = \"{seen}\"\n", `purpose lock: its words tell of ["seen"]`},
		{"[[published]]\ncountry = \"DE\"\npurpose = \"entry\"\nformats = [\"DCC\"]\ncall = \"refer\"\n", "purpose lock: published rules read the whole statement"},
	} {
		_, err := Read([]byte(locked + c.add))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// Such a name would otherwise be copied once for each of its parts, which takes minutes.
func TestANameOfManyPartsIsRefusedUnread(t *testing.T) {
	many := strings.Repeat("a.", 400_000)
	for name, body := range map[string]string{
		"key":    openHouse + many + "b = 1\n",
		"table":  openHouse + "[" + many + "b]\n",
		"tables": openHouse + "[[" + many + "b]]\n",
		"inline": openHouse + "[sets]\nx = { " + many + "b = 1 }\n",
	} {
		_, err := Read([]byte(body))
		want := fmt.Sprintf("line %d: a name of more than 8 parts", lineOf(body, "a.a."))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %.200v, want %s", name, err, want)
		}
	}
}

func TestHugeFilesAreRefusedUnread(t *testing.T) {
	for name, body := range map[string]string{
		"bytes":  openHouse + strings.Repeat("# \n", maxDocument/3),
		"tables": openHouse + strings.Repeat("[[test]]\n", maxTables),
		"rules":  openHouse + strings.Repeat("[[rule]]\nid=\"x\"\n", maxRuleCount),
		"cost": string(rulesLike(t, 1500, func(i int) string {
			return fmt.Sprintf("\n[[rule]]\nid = \"r%d\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'pass.travel.exists(a, pass.tests.exists(b, a.at < b.at))'\n", i)
		})),
	} {
		if _, err := Read([]byte(body)); err == nil || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

func TestAPolicyWithoutTestsOrWithAFailingOneIsNotReady(t *testing.T) {
	if _, _, err := Ready([]byte(openHouse)); err == nil || !strings.Contains(err.Error(), "no tests of its own") {
		t.Errorf("no tests: %v", err)
	}
	body := openHouse + "[[test]]\nname = \"green is stopped\"\npass = { grade = \"green\" }\nwant = { call = \"deny\", reason = \"V33\" }\n"
	_, results, err := Ready([]byte(body))
	want := fmt.Sprintf(`line %d: test[0]: "green is stopped": got admit rule everybody, here green, trust fresh, want deny V33`, lineOf(body, "[[test]]"))
	if err == nil || !strings.Contains(err.Error(), want) || len(results) != 1 || results[0].Passed {
		t.Errorf("got %v %+v\nwant %s", err, results, want)
	}
}
