package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func swap(tb testing.TB, body string, pairs ...string) string {
	tb.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(body, pairs[i]) {
			tb.Fatalf("no %q to change", pairs[i])
		}
		body = strings.Replace(body, pairs[i], pairs[i+1], 1)
	}
	return body
}

func example(tb testing.TB, name string) string {
	tb.Helper()
	body, err := examples.ReadFile("examples/" + name + ".toml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}

func TestVersionsOnlyGrowAndPurposeDoesNotWidenInSilence(t *testing.T) {
	lock := example(t, "purpose-lock")
	old := read(t, lock)
	for _, c := range []struct{ name, body, want string }{
		{"the next", swap(t, lock, "version = 1", "version = 2"), ""},
		{"the same", lock, "in use already"},
		{"an older", "", "is older than"},
		{"of another region", swap(t, lock, "version = 1", "version = 2", `site = "CN-330100"`, `site = "CN-310000"`), "another region's"},
		{"issued before", swap(t, lock, "version = 1", "version = 2", "issued = 2020-05-10", "issued = 2020-05-09"), "issued before"},
		{"reads more", swap(t, lock, "version = 1", "version = 2", `reads = ["colour"]`, `reads = ["colour", "travel"]`), "reads more of people than CN-330100/1 (travel)"},
		{"reads more and says so", swap(t, lock, "version = 1", "version = 2", `reads = ["colour"]`, "reads = [\"colour\", \"travel\"]\nwidens = 1"), ""},
		{"reads more and says so of a version that this gate missed", swap(t, lock, "version = 1", "version = 3", `reads = ["colour"]`, "reads = [\"colour\", \"travel\"]\nwidens = 2"), ""},
		{"another purpose", swap(t, lock, "version = 1", "version = 2", `"museum-entry"`, `"marketing"`), "another purpose"},
		{"reads less", swap(t, lock, "version = 1", "version = 2", `reads = ["colour"]`, `reads = []`, `'here.grade == "green"'`, `'true'`, `'here.grade == "red"'`, `'false'`,
			`'here.grade in ["yellow", "grey"]'`, `'false'`, "{here}", "x", "{here}", "x"), ""},
	} {
		var next *Policy
		base := old
		if c.name == "an older" {
			base, next = read(t, swap(t, lock, "version = 1", "version = 2")), old
		} else {
			next = read(t, c.body)
		}
		err := next.Follows(base)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	// What was said of version 1 is not said of what came after it.
	third := read(t, swap(t, lock, "version = 1", "version = 3"))
	silent := read(t, swap(t, lock, "version = 1", "version = 4", `reads = ["colour"]`, "reads = [\"colour\", \"travel\"]\nwidens = 1"))
	if err := silent.Follows(third); err == nil || !strings.Contains(err.Error(), "does not say so") {
		t.Errorf("said of an older version: %v", err)
	}
	if err := old.Follows(nil); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := (*Policy)(nil).Follows(old); err == nil {
		t.Error("none follows one")
	}
}

func TestADormantGateKeepsNothingOfHealth(t *testing.T) {
	p := read(t, example(t, "dormant"))
	pass := p.Narrow(gatehouse.Pass{Format: "RHC1", Grade: gatehouse.Red, Class: gatehouse.Contact, Since: july, Issued: july, Native: []byte("{}"),
		Holder: gatehouse.Holder{Birth: "1984", Name: "张*"}, Facts: []gatehouse.Fact{{Kind: "test"}, {Kind: "entitlement"}}})
	if pass.Grade != gatehouse.NoGrade || pass.Class != 0 || !pass.Since.IsZero() || len(pass.Facts) != 1 || pass.Native != nil || pass.Holder.Birth != "" || pass.Holder.Name != "张*" {
		t.Errorf("left of the pass: %+v", pass)
	}
	row := p.Keep(gatehouse.Passage{Grade: gatehouse.Red, Class: gatehouse.Contact, Skin: gatehouse.Measurement{Skin: 39_000}, Verdict: gatehouse.Verdict{Here: gatehouse.Red}})
	if row.Grade != gatehouse.NoGrade || row.Class != 0 || row.Skin != (gatehouse.Measurement{}) || row.Verdict.Here != gatehouse.NoGrade {
		t.Errorf("kept: %+v", row)
	}
	if _, measures := p.Measures(); measures || slices.Contains(p.Reads(), "colour") {
		t.Errorf("measures %v, reads %q", measures, p.Reads())
	}
	e := somebody()
	e.Pass.Grade, e.Skin.Skin = gatehouse.Red, 39_000
	if v := p.Judge(e); v.Call != gatehouse.Admit || v.Here != gatehouse.NoGrade || strings.Contains(v.Detail, "red") {
		t.Errorf("%+v", v)
	}
	normal := everyday(t)
	full := gatehouse.Passage{Grade: gatehouse.Red, Class: gatehouse.Contact, Skin: gatehouse.Measurement{Skin: 39_000}}
	if normal.Keep(full) != full {
		t.Error("a policy that judges health loses it")
	}
}

func TestAnEmergencyComesIntoForceBySignedWordAndEndsByItself(t *testing.T) {
	urgent := read(t, swap(t, example(t, "emergency"), "issued = 2020-03-01", "issued = 2020-03-02"))
	normal := everyday(t)
	word := func(pairs ...string) *Activation {
		a, err := ReadActivation([]byte(swap(t, "kind = \"activation\"\nsite = \"CN-330100\"\npolicy = \"CN-330100/emergency-1\"\nzone = \"+08:00\"\n"+
			"issued = 2020-07-11T06:00:00+08:00\nuntil = 2020-07-20\nzh = \"疫情\"\nen = \"An outbreak\"\n", pairs...)))
		if err != nil {
			t.Fatal(err)
		}
		return &a
	}
	for _, c := range []struct {
		name string
		at   time.Time
		a    *Activation
		want *Policy
	}{
		{"nobody said so", july, nil, normal},
		{"named", july, word(), urgent},
		{"before it was said", july.AddDate(0, 0, -1), word(), normal},
		{"its last day", time.Date(2020, 7, 20, 15, 59, 0, 0, time.UTC), word(), urgent},
		{"over", time.Date(2020, 7, 20, 16, 0, 0, 0, time.UTC), word(), normal},
		{"another policy named", july, word("emergency-1", "emergency-2"), normal},
		{"another site", july, word("site = \"CN-330100\"", "site = \"CN-310000\""), normal},
		{"longer than the policy allows", july, word("until = 2020-07-20", "until = 2020-08-20"), normal},
		{"from tomorrow", july, word("until =", "from = 2020-07-12\nuntil ="), normal},
	} {
		if got := InForce(c.at, normal, urgent, c.a); got != c.want {
			t.Errorf("%s: %s in force, want %s", c.name, got.Name(), c.want.Name())
		}
	}
	if got := InForce(july, urgent, nil, nil); got != nil {
		t.Errorf("in the everyday one's place and nobody said so: %s", got.Name())
	}
	if got := InForce(july, nil, urgent, nil); got != nil {
		t.Errorf("without a word: %s", got.Name())
	}
	dated := read(t, swap(t, example(t, "emergency"), "activation = \"signed\"\nmax_days = 14", "activation = \"date\"",
		"until = 2021-03-01", "not_before = 2020-07-11\nuntil = 2020-07-25"))
	if InForce(july, normal, dated, nil) != dated || InForce(july.AddDate(0, 0, -2), normal, dated, nil) != normal {
		t.Error("a dated emergency does not keep its dates")
	}
	for _, bad := range []string{"", "kind = \"policy\"", "kind = \"activation\"\nfoo = 1", "kind = \"activation\"\nsite = \"CN-330100\"\nuntil = 3"} {
		if _, err := ReadActivation([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func TestDiffNamesWhatChanged(t *testing.T) {
	body := example(t, "travel-risk")
	old := read(t, body)
	next := read(t, swap(t, body, "version = 1", "version = 2", `high = ["220284", "222400"]`, `high = ["222400", "110106"]`, `medium = ["220200", "2301"]`, `medium = ["220200", "2301", "220284"]`,
		"call = \"deny\"\nreason = \"V33\"\nwhen = 'pass.travel", "call = \"refer\"\nreason = \"V33\"\nwhen = 'pass.travel", "issuer = \"CN-220000\"\ndo = \"accept\"", "issuer = \"CN-220000\"\ndo = \"refuse\""))
	var got []string
	for _, c := range Diff(old, next) {
		got = append(got, c.String())
	}
	want := []string{"~ recognise CN-220000: do: accept -> refuse", "+ risk 110106 = high", "~ risk 220284: high -> medium", "~ rule from-high-risk: call: deny -> refer", "~ version: 1 -> 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := Diff(old, old); len(d) != 0 {
		t.Errorf("a policy differs from itself: %v", d)
	}
	if d := Diff(nil, old); len(d) < 20 {
		t.Errorf("a first policy says %d things", len(d))
	}
}

func mustText(tb testing.TB) []byte {
	tb.Helper()
	body, err := Everyday{Site: "CN-330100", Version: 8, Issued: july.Add(-24 * time.Hour), Accept: []gatehouse.Issuer{"CN-33", "DE"}}.Text()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestAPolicyIsForTheSitesOfItsRegion(t *testing.T) {
	p := everyday(t)
	if _, err := p.At("CN-330106"); err != nil {
		t.Error(err)
	}
	if _, err := p.At("CN-310000"); err == nil {
		t.Error("Shanghai is a part of Hangzhou")
	}
}

// A rule that asks whether a certificate has a first dose at all, published for Germany.
const publishedRule = `[{"Identifier":"VR-DE-0001","Type":"Acceptance","Country":"DE","Version":"1.0.0","SchemaVersion":"1.0.0","Engine":"CERTLOGIC",
"EngineVersion":"0.7.5","CertificateType":"Vaccination","Description":[{"lang":"en","desc":"Course has to be complete."}],"ValidFrom":"2021-06-01T00:00:00Z",
"ValidTo":"2030-06-01T00:00:00Z","AffectedFields":["v.0","v.0.dn","v.0.sd"],"Logic":{">=":[{"var":"payload.v.0.dn"},{"var":"payload.v.0.sd"}]}}]`

func TestPublishedRulesRunAsTheyAre(t *testing.T) {
	p := read(t, example(t, "eu-entry"))
	states, err := ReadStates(map[string][]byte{"DE/entry": []byte(publishedRule)}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2021, 12, 1, 12, 0, 0, 0, time.UTC)
	of := func(dose int, kind gatehouse.FactKind) gatehouse.Evidence {
		e := somebody()
		e.At, e.Pass = at, &gatehouse.Pass{Format: "DCC", Issuer: "FR", KeyID: "0102", Issued: at.AddDate(0, -1, 0), Expires: at.AddDate(1, 0, 0),
			Facts:  []gatehouse.Fact{{Kind: kind, At: at.AddDate(0, -2, 0), Dose: dose, Doses: 2, Result: gatehouse.Negative}},
			Native: fmt.Appendf(nil, `{"ver":"1.3.0","v":[{"dn":%d,"sd":2}]}`, dose)}
		return e
	}
	for _, c := range []struct {
		name string
		p    *Policy
		e    gatehouse.Evidence
		want string
	}{
		{"complete", p.With(states), of(2, gatehouse.Vaccination), "admit  de-published"},
		{"first dose", p.With(states), of(1, gatehouse.Vaccination), "refer V35 VR-DE-0001"},
		{"no rules at the gate", p, of(2, gatehouse.Vaccination), "refer D54 "},
		{"no rule binds a test", p.With(states), of(2, gatehouse.Test), "refer D54 "},
	} {
		v := c.p.Judge(c.e)
		if got := fmt.Sprintf("%s %s %s", v.Call, v.Reason, v.Rule); got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, v.Detail, c.want)
		}
	}
	broken := of(2, gatehouse.Vaccination)
	broken.Pass.Native = []byte("{")
	if v := p.With(states).Judge(broken); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNoRule {
		t.Errorf("a statement that cannot be read: %+v", v)
	}
}
