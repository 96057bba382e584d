package main

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/policy"
)

// Two codes on one screen are one transaction, in whichever order they are read.
func TestScanJudgesASecondCodeWithTheFirst(t *testing.T) {
	body, err := fs.ReadFile(policy.Examples(), "travel-code.toml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	key, err := newIssuerKey()
	if err != nil {
		t.Fatal(err)
	}
	id, err := credential.KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 5, 20, 9, 0, 0, 0, time.UTC)
	code := func(c credential.Claims) string {
		c.Issuer, c.Issued, c.Expires = "CN-310000", at.Add(-time.Minute), at.Add(time.Hour)
		text, err := credential.Issue(key, c)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	health := code(credential.Claims{Grade: gatehouse.Green})
	travel := code(credential.Claims{Format: gatehouse.FormatTravel, Operator: "test", Holder: gatehouse.Holder{Name: "138****1234"}})
	ring := credential.Ring{{ID: id, Issuer: "CN-310000", Public: key.Public(), Usage: credential.UseHealthCode | credential.UseTravelCode}}
	for name, tt := range map[string]struct {
		texts  []string
		call   gatehouse.Call
		reason gatehouse.Reason
		second string
	}{
		"the health code alone": {[]string{health}, gatehouse.Refer, gatehouse.ReasonSecondCode, ""},
		"the travel code alone": {[]string{travel}, gatehouse.Hint, gatehouse.ReasonSecondCode, ""},
		"both":                  {[]string{health, travel}, gatehouse.Admit, gatehouse.ReasonNone, "TTC1"},
		"the other way round":   {[]string{travel, health}, gatehouse.Admit, gatehouse.ReasonNone, "TTC1"},
		"a menu between them":   {[]string{health, "https://example.com/menu", travel}, gatehouse.Admit, gatehouse.ReasonNone, "TTC1"},
		"no code at all":        {[]string{"https://example.com/menu"}, gatehouse.Hint, gatehouse.ReasonNotOurs, ""},
	} {
		s := &scan{belief: &belief{keys: ring}, rules: regional{everyday: p}, at: at}
		got := s.verdict(t.Context(), tt.texts)
		if got.Verdict.Call != tt.call || got.Verdict.Reason != tt.reason || got.Second != tt.second {
			t.Errorf("%s: %s %s %s, second %q", name, got.Verdict.Call, got.Verdict.Reason, got.Verdict.Detail, got.Second)
		}
	}
}

// What programs read of an explanation: every rule, the one that decided, and nobody's name.
func TestExplanationForProgramsNamesEveryRuleAndNobody(t *testing.T) {
	lab := laboratory(t)
	picture := filepath.Join(lab, "red.png")
	code := issue(t, lab, "--colour", "red", "--holder", "张三丰", "--png", picture)
	exit, out, errs := ctl(t, "", "scan", "--trust", filepath.Join(lab, "trust"), "--temp", "36.6", "--explain", "--json", picture)
	var line scanLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || exit != 0 {
		t.Fatalf("exit code %d, %v: %s", exit, err, errs)
	}
	if line.Verdict != "deny" || line.Decided != "red" || line.Rule != "red" || line.Here != "red" || len(line.Steps) < 8 {
		t.Errorf("%+v", line)
	}
	matched := ""
	for _, r := range line.Rules {
		if r.Line == 0 || r.ID == "" {
			t.Errorf("a rule without id or line: %+v", r)
		}
		if r.Matched {
			matched += r.ID
		}
	}
	if matched != "red" || len(line.Rules) < 8 {
		t.Errorf("matched %q of %d rules", matched, len(line.Rules))
	}
	line.Texts = nil // the one field that has the code's text
	rest, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"张", code, code[5:60]} {
		if strings.Contains(string(rest), secret) {
			t.Errorf("the explanation says %q", secret)
		}
	}
	for name, args := range map[string][]string{
		"a region that signed none": {"--trust", filepath.Join(lab, "trust"), "--site", "DE"},
		"a policy of another site":  {"--trust", filepath.Join(lab, "trust"), "--site", "DE", "--policy", filepath.Join(lab, "regions/CN-330100/policy.toml")},
	} {
		if exit, out, errs := ctl(t, "", append([]string{"scan", picture}, args...)...); exit != 2 || out != "" || errs == "" {
			t.Errorf("%s: exit code %d, %s%s", name, exit, out, errs)
		}
	}
}
