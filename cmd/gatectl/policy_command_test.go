package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/policy"
)

// everydayText is a policy of Hangzhou, changed by pairs of old and new words.
func everydayText(t *testing.T, version uint64, changes ...string) string {
	t.Helper()
	text, err := policy.Everyday{Site: "CN-330100", Version: version, Issued: time.Now().UTC().Truncate(time.Second),
		Accept: []gatehouse.Issuer{"CN-440100"}}.Text()
	if err != nil {
		t.Fatal(err)
	}
	all := string(text)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(all, changes[i]) {
			t.Fatalf("the everyday policy does not say %q", changes[i])
		}
		all = strings.Replace(all, changes[i], changes[i+1], 1)
	}
	return all
}

// A warmer fever line, in the rules and in the test that says so.
var cooler = []string{"fever = 37.3", "fever = 37.0", "skin = { celsius = 37.3 }", "skin = { celsius = 37.1 }"}

// twoPeople is a nation with one region, whose first policy is published.
func twoPeople(t *testing.T) (c ceremony, nation string) {
	c = newCeremony(t)
	nation = c.at("nation")
	c.must("init", nation, "--root", c.pubs("anna", "bo", "cai"), "--threshold", "2", "--desk", c.pubs("desk"))
	c.must("add-region", nation, "CN-330100", "--key", c.pubs("fan", "gao"))
	c.must("sign", nation, "--key", c.at("anna.key"), "--key", c.at("bo.key"))
	c.must("publish", nation, "CN-330100", c.list(1), "policy="+c.put("one.toml", everydayText(t, 1)))
	c.must("sign", nation, "--key", c.at("fan.key"), "--key", c.at("gao.key"))
	c.must("refresh", nation, "--key", c.at("desk.key"))
	return c, nation
}

func TestEveryFaultOfAPolicyIsNamedByItsLine(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml")
	write(t, good, everydayText(t, 1))
	write(t, bad, everydayText(t, 1, `here.grade == "red"`, `here.grad == "red"`, `fresh_for = "24h"`, `fresh_for = "soon"`))
	code, out, _ := ctl(t, "", "policy", "check", good, bad)
	if code != daemon.Fault || !strings.Contains(out, good+": CN-330100/1 is sound") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	for _, fault := range []string{bad + ": line ", `trust.fresh_for: "soon"`, "rule[1].when: undefined field 'grad'"} {
		if !strings.Contains(out, fault) {
			t.Errorf("no %q in\n%s", fault, out)
		}
	}
	code, out, _ = ctl(t, "", "policy", "check", "--json", bad)
	var line checkLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != daemon.Fault || line.OK || len(line.Faults) != 2 || line.Faults[0].Line == 0 {
		t.Errorf("exit code %d, %v: %+v", code, err, line)
	}
	if code, _, _ := ctl(t, "", "policy", "check", filepath.Join(dir, "none.toml")); code != daemon.Usage {
		t.Errorf("exit code %d for a file that is not there", code)
	}
}

func TestPolicyWhoseTestFailsSaysWhichAndIsNotSigned(t *testing.T) {
	c, nation := twoPeople(t)
	// The fever line moves, and the test that knows the old one does not.
	bad := c.put("bad.toml", everydayText(t, 2, "fever = 37.3", "fever = 38.0"))
	code, out, errs := ctl(t, "", "policy", "test", bad)
	if code != daemon.Fault || !strings.Contains(out, "FAILS") || !strings.Contains(out, "fever") || !strings.Contains(errs, "line ") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	for _, args := range [][]string{
		{"policy", "sign", nation, "CN-330100", bad, "--key", c.at("fan.key")},
		{"trust", "publish", nation, "CN-330100", "policy=" + bad},
	} {
		if code, _, errs := ctl(t, "", args...); code != daemon.Fault || !strings.Contains(errs, `"fever"`) {
			t.Errorf("gatectl %s: exit code %d, %s", strings.Join(args, " "), code, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(nation, "drafts", "CN-330100.json")); !os.IsNotExist(err) {
		t.Errorf("a draft was left: %v", err)
	}
	good := c.put("good.toml", everydayText(t, 2, cooler...))
	if code, out, errs := ctl(t, "", "policy", "test", good); code != 0 || strings.Contains(out, "FAILS") || !strings.Contains(out, "may be signed") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestSecondPersonSeesWhatTheySign(t *testing.T) {
	c, nation := twoPeople(t)
	good := c.put("good.toml", everydayText(t, 2, cooler...))
	code, out, errs := ctl(t, "", "policy", "sign", nation, "CN-330100", good, "--key", c.at("fan.key"))
	if code != 0 || !strings.Contains(out, "1 of 2 signed") || !strings.Contains(out, "fever: 37.3 -> 37") {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	if out := c.must("refresh", nation, "--key", c.at("desk.key")); !strings.Contains(out, "took in no draft") || !strings.Contains(out, "1 missing") {
		t.Errorf("with one signature:\n%s", out)
	}
	out = c.must("sign", nation, "--key", c.at("gao.key"))
	for _, shown := range []string{"CN-330100/2", "fever: 37.3 -> 37", "its own tests: ", "keys: as it is published"} {
		if !strings.Contains(out, shown) {
			t.Errorf("the second person does not see %q:\n%s", shown, out)
		}
	}
	if out = c.must("refresh", nation, "--key", c.at("desk.key")); !strings.Contains(out, "took in CN-330100") {
		t.Error(out)
	}
	// Nothing goes back: neither the version nor what the gate may read.
	old := c.put("old.toml", everydayText(t, 1))
	if code, _, errs := ctl(t, "", "policy", "sign", nation, "CN-330100", old, "--key", c.at("fan.key")); code != daemon.Fault || !strings.Contains(errs, "older than CN-330100/2") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	wide := c.put("wide.toml", everydayText(t, 3, `reads = ["colour",`, `reads = ["age", "colour",`))
	if code, _, errs := ctl(t, "", "policy", "sign", nation, "CN-330100", wide, "--key", c.at("fan.key")); code != daemon.Fault || !strings.Contains(errs, "purpose.widens") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	foreign := c.put("foreign.toml", strings.ReplaceAll(everydayText(t, 3), "CN-330100", "CN-330200"))
	if code, _, errs := ctl(t, "", "policy", "sign", nation, "CN-330100", foreign, "--key", c.at("fan.key")); code != daemon.Fault || !strings.Contains(errs, "it is for CN-330200") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

// Somebody changed the words after the first person looked at them.
func TestNobodySignsWordsThatAreNotThere(t *testing.T) {
	c, nation := twoPeople(t)
	good := c.put("good.toml", everydayText(t, 2, cooler...))
	if code, _, errs := ctl(t, "", "policy", "sign", nation, "CN-330100", good, "--key", c.at("fan.key")); code != 0 {
		t.Fatal(errs)
	}
	draft := filepath.Join(nation, "drafts", "CN-330100.json")
	alone := c.at("CN-330100.json")
	text, err := os.ReadFile(draft)
	if err != nil {
		t.Fatal(err)
	}
	write(t, alone, string(text))
	c.refused(daemon.Fault, "nobody signs rules unread", "sign", alone, "--key", c.at("gao.key"))
	c.refused(daemon.Fault, "is not the file that the draft names", "sign", alone, "--file", "policy="+c.at("one.toml"), "--key", c.at("gao.key"))
	if out := c.must("sign", alone, "--file", "policy="+good, "--key", c.at("gao.key")); !strings.Contains(out, "its own tests: ") {
		t.Error(out)
	}
	stored, err := filepath.Glob(filepath.Join(nation, "targets/region/CN-330100/*.policy"))
	if err != nil || len(stored) != 2 {
		t.Fatalf("%v, %v", stored, err)
	}
	for _, file := range stored {
		write(t, file, "kind = \"policy\"\n")
	}
	c.refused(daemon.Fault, "is not the file that the draft names", "sign", nation, "--key", c.at("gao.key"))
}

func TestRegionNeedsTwoPeopleWhoDoNotMakeTheSoftware(t *testing.T) {
	c, nation := twoPeople(t)
	c.refused(daemon.Fault, "two different people", "add-region", nation, "DE", "--key", c.pubs("han"), "--threshold", "1")
	c.refused(daemon.Fault, "two different people", "rotate", nation, "CN-330100", "--threshold", "1")
	if _, err := os.Stat(filepath.Join(nation, "drafts", "targets.json")); !os.IsNotExist(err) {
		t.Errorf("a draft was left: %v", err)
	}
	c.refused(daemon.Fault, "nobody may do both", "add-region", nation, "firmware", "--key", c.pubs("han", "gao"))
	c.must("add-region", nation, "firmware", "--key", c.pubs("han", "eva"))
	c.refused(daemon.Fault, "nobody may do both", "rotate", nation, "CN-330100", "--add", c.at("han.pub"))
	c.refused(daemon.Fault, "nobody may do both", "add-region", nation, "DE", "--key", c.pubs("dai", "eva"))
	c.must("add-region", nation, "DE", "--key", c.pubs("dai", "cai"))
	if out := c.must("sign", nation, "--key", c.at("anna.key")); !strings.Contains(out, "+ DE: 2 of") || !strings.Contains(out, "(dai)") {
		t.Errorf("who signs does not see who would speak:\n%s", out)
	}
}

func TestFilesOfARegionAreReadBeforeTheyAreSigned(t *testing.T) {
	c, nation := twoPeople(t)
	rule := `{"Identifier":"VR-DE-0001","Type":"Acceptance","Country":"DE","Version":"1.0.0","SchemaVersion":"1.0.0","Engine":"CERTLOGIC",
		"EngineVersion":"0.7.5","CertificateType":"Vaccination","Description":[{"lang":"en","desc":"one"}],"ValidFrom":"2021-07-03T00:00:00Z",
		"ValidTo":"2030-06-01T00:00:00Z","AffectedFields":["v.0.tg"],"Logic":%s}`
	for name, file := range map[string]struct{ target, text, refused string }{
		"rules":                  {"rules", `{"rules":{"DE/entry":[` + strings.Replace(rule, "%s", `{"!":[{"var":"payload.v.0"}]}`, 1) + `]},"value_sets":{}}`, ""},
		"an unknown operation":   {"rules", `{"rules":{"DE/entry":[` + strings.Replace(rule, "%s", `{"frobnicate":[1]}`, 1) + `]},"value_sets":{}}`, "VR-DE-0001"},
		"rules without a land":   {"rules", `{"rules":{"entry":[]},"value_sets":{}}`, "country and purpose"},
		"no rules":               {"rules", `{"value_sets":{}}`, "empty"},
		"no JSON":                {"rules", `DE/entry`, "no JSON"},
		"revocations of nobody":  {"revocations", "GHREVOC", "revocations"},
		"an activation, half":    {"activation", "kind = \"activation\"\n", "issued and until are needed"},
		"an everyday policy":     {"emergency", everydayText(t, 1), "an emergency policy is signed as emergency"},
		"a list that goes back":  {"keys", `{"kind":"trust","region":"CN-330100","version":1,"issued":"2026-01-01T00:00:00Z","keys":[]}`, "only grows"},
		"a list of other people": {"keys", `{"kind":"trust","region":"DE","version":2,"issued":"2026-01-01T00:00:00Z","keys":[]}`, "it is DE's"},
	} {
		path := c.put("file", file.text)
		code, out, errs := ctl(t, "", "trust", "publish", nation, "CN-330100", file.target+"="+path)
		if (code == 0) != (file.refused == "") || !strings.Contains(errs, file.refused) {
			t.Errorf("%s: exit code %d, want %q\n%s%s", name, code, file.refused, out, errs)
		}
	}
}

func TestExamplesAreListedAndSound(t *testing.T) {
	code, out, _ := ctl(t, "", "policy", "example")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) < 10 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	for _, line := range lines {
		name, about, _ := strings.Cut(line, " ")
		if strings.TrimSpace(about) == "" {
			t.Errorf("nothing is said of %s", name)
		}
		_, text, _ := ctl(t, "", "policy", "example", name)
		if _, _, err := policy.Ready([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code, _, _ := ctl(t, "", "policy", "example", "../policy.go"); code != daemon.Usage {
		t.Errorf("exit code %d for an example that is none", code)
	}
}

func TestDiffSaysWhatChangesAndWhetherItMay(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "1.toml"), filepath.Join(dir, "2.toml")
	write(t, one, everydayText(t, 1))
	write(t, two, everydayText(t, 2, cooler...))
	code, out, _ := ctl(t, "", "policy", "diff", one, two)
	if code != 0 || !strings.Contains(out, "fever: 37.3 -> 37") || !strings.Contains(out, "CN-330100/2 may take the place of CN-330100/1") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	code, out, _ = ctl(t, "", "policy", "diff", "--json", two, one)
	var line diffLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 || line.Follows || !strings.Contains(line.Why, "older") || len(line.Changes) == 0 {
		t.Errorf("exit code %d, %v: %+v", code, err, line)
	}
}

// An unsigned policy is good for looking, and is said to be unsigned; what a gate would use is
// the signed one.
func TestUnsignedPolicyIsForLookingOnly(t *testing.T) {
	lab := laboratory(t)
	next, picture := filepath.Join(lab, "next.toml"), filepath.Join(lab, "green.png")
	issue(t, lab, "--png", picture)
	write(t, next, everydayText(t, 2, cooler...))
	scan := func(more ...string) scanLine {
		t.Helper()
		var line scanLine
		code, out, errs := ctl(t, "", append([]string{"scan", "--temp", "37.1", "--trust", filepath.Join(lab, "nation"), picture}, more...)...)
		if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v\n%s", code, err, errs)
		}
		return line
	}
	if l := scan(); l.Verdict != "admit" || !l.Signed || l.Policy != "CN-330100/1" || l.Rule != "green" || l.Trust != "fresh" {
		t.Errorf("by the signed policy: %+v", l)
	}
	if l := scan("--policy", next); l.Reason != "T40" || l.Signed || l.Policy != "CN-330100/2" {
		t.Errorf("by the next one: %+v", l)
	}
	_, out, _ := ctl(t, "", "scan", "--temp", "37.1", "--explain", "--trust", filepath.Join(lab, "nation"), "--policy", next, picture)
	if !strings.Contains(out, "not signed: no gate would take it") {
		t.Errorf("it is not said:\n%s", out)
	}
	nation := filepath.Join(lab, "nation")
	if code, _, errs := ctl(t, "", "policy", "sign", nation, "CN-330100", next, "--key", filepath.Join(lab, "people/CN-330100-1.key")); code != 0 {
		t.Fatal(errs)
	}
	if l := scan(); l.Policy != "CN-330100/1" {
		t.Errorf("one signature is enough: %+v", l)
	}
	for _, args := range [][]string{{"sign", nation, "--key", filepath.Join(lab, "people/CN-330100-2.key")}, {"refresh", nation, "--key", filepath.Join(lab, "people/desk.key")}} {
		if code, _, errs := ctl(t, "", append([]string{"trust"}, args...)...); code != 0 {
			t.Fatal(errs)
		}
	}
	if l := scan(); l.Reason != "T40" || !l.Signed || l.Policy != "CN-330100/2" {
		t.Errorf("signed by two: %+v", l)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
