package certlogic

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// published gives a rule as a country would publish it, with some fields changed; a nil
// takes a field away.
func published(t *testing.T, change map[string]any) string {
	t.Helper()
	rule := map[string]any{
		"Identifier": "VR-XX-0001", "Type": "Acceptance", "Country": "XX",
		"Version": "1.0.0", "SchemaVersion": "1.3.0", "Engine": "CERTLOGIC", "EngineVersion": "1.0.0",
		"CertificateType": "Vaccination",
		"Description":     []any{map[string]string{"lang": "en", "desc": "All doses."}, map[string]string{"lang": "de", "desc": "Alle Dosen."}},
		"ValidFrom":       "2021-07-01T00:00:00Z", "ValidTo": "2030-01-01T00:00:00+01:00",
		"AffectedFields": []string{"v.0.dn"},
		"Logic":          json.RawMessage(`{">=":[{"var":"payload.v.0.dn"},{"var":"payload.v.0.sd"}]}`),
	}
	maps.Copy(rule, change)
	for key, v := range rule {
		if v == nil {
			delete(rule, key)
		}
	}
	b, err := json.Marshal(rule)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func readRules(t *testing.T, texts ...string) Rules {
	t.Helper()
	rules, err := ReadRules([]byte("[" + strings.Join(texts, ",") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestARuleIsReadAsPublished(t *testing.T) {
	rules, err := ReadRules([]byte("\n " + published(t, nil)))
	if err != nil || len(rules) != 1 {
		t.Fatalf("%d rules, %v", len(rules), err)
	}
	r := rules[0]
	got := fmt.Sprint(r.Identifier, r.Type, r.Country, r.Version, r.SchemaVersion, r.EngineVersion, r.CertificateType,
		r.ValidFrom.Format(time.RFC3339), r.ValidTo.Format(time.RFC3339), r.AffectedFields)
	want := "VR-XX-0001 Acceptance XX 1.0.0 1.3.0 1.0.0 Vaccination 2021-07-01T00:00:00Z 2029-12-31T23:00:00Z [v.0.dn]"
	if strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(want), "") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for lang, want := range map[string]string{"de": "Alle Dosen.", "DE": "Alle Dosen.", "zh": "All doses.", "": "All doses."} {
		if got := r.Text(lang); got != want {
			t.Errorf("text in %q: %q, want %q", lang, got, want)
		}
	}
}

func TestARuleThatCannotBeReadRefusesTheList(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"no identifier": {"Identifier": nil}, "no country": {"Country": nil}, "no type": {"Type": nil},
		"strange type": {"Type": "Recommendation"}, "no kind": {"CertificateType": nil}, "no engine": {"Engine": nil},
		"no version": {"Version": nil}, "strange version": {"Version": "1.0"}, "no schema": {"SchemaVersion": nil},
		"no engine version": {"EngineVersion": nil}, "huge version": {"Version": "1.0.99999999999"},
		"no end": {"ValidTo": nil}, "no such day": {"ValidFrom": "2021-02-30T00:00:00Z"}, "no logic": {"Logic": nil},
	} {
		list := "[" + published(t, nil) + "," + published(t, change) + "]"
		if rules, err := ReadRules([]byte(list)); err == nil || rules != nil {
			t.Errorf("%s: %d rules, %v, want an error", name, len(rules), err)
		}
	}
	for _, text := range []string{"", "null", "[null]", "7", "[", "[{}]", `{"Identifier":7}`, "[" + strings.Repeat("{},", maxRules) + "{}]"} {
		if rules, err := ReadRules([]byte(text)); err == nil {
			t.Errorf("%.20q: %d rules, want an error", text, len(rules))
		}
	}
	heavy := published(t, map[string]any{"Logic": json.RawMessage("[" + strings.Repeat("1,", maxNodes-2) + "1]")})
	if _, err := ReadRules([]byte("[" + strings.Repeat(heavy+",", maxRulesParts/maxNodes) + heavy + "]")); err == nil {
		t.Error("more parts than the limit are read")
	}
	for _, between := range []string{"", ",", "],[", "]"} {
		if _, err := ReadRules([]byte(published(t, nil) + between + published(t, nil))); err == nil {
			t.Errorf("two rules with %q between them are read", between)
		}
	}
	if _, err := ReadRules(make([]byte, maxRulesBytes+1)); err == nil {
		t.Error("more bytes than the limit are read")
	}
}

func TestTheRulesOfCountryKindAndClockBind(t *testing.T) {
	rules := readRules(t,
		published(t, nil),
		published(t, map[string]any{"Version": "1.0.10"}),
		published(t, map[string]any{"Version": "1.0.9"}),
		published(t, map[string]any{"Version": "2.0.0", "ValidFrom": "2026-01-01T00:00:00Z"}),
		published(t, map[string]any{"Identifier": "GR-XX-0001", "CertificateType": "General"}),
		published(t, map[string]any{"Identifier": "TR-XX-0001", "CertificateType": "Test"}),
		published(t, map[string]any{"Identifier": "VR-XX-0002", "Region": "R1"}),
		published(t, map[string]any{"Identifier": "VR-XX-0003", "Version": "3.0.0"}),
		published(t, map[string]any{"Identifier": "VR-XX-0003", "Region": "r1"}),
		published(t, map[string]any{"Identifier": "IR-XX-0001", "Type": "Invalidation", "CertificateType": "General"}),
		published(t, map[string]any{"Identifier": "IR-YY-0001", "Type": "Invalidation", "CertificateType": "General", "Country": "YY"}),
		published(t, map[string]any{"Identifier": "VR-YY-0001", "Country": "YY"}),
	)
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		s    Selection
		want string
	}{
		{Selection{Country: "XX", Certificate: "Vaccination", At: at}, "VR-XX-0001/1.0.10 GR-XX-0001/1.0.0 VR-XX-0003/3.0.0"},
		{Selection{Country: "xx", Certificate: "vaccination", At: at, Region: "R1"}, "VR-XX-0001/1.0.10 GR-XX-0001/1.0.0 VR-XX-0002/1.0.0 VR-XX-0003/1.0.0"},
		{Selection{Country: "XX", Certificate: "Test", At: at}, "GR-XX-0001/1.0.0 TR-XX-0001/1.0.0"},
		{Selection{Country: "XX", Certificate: "Test", Issuer: "YY", At: at}, "GR-XX-0001/1.0.0 TR-XX-0001/1.0.0 IR-YY-0001/1.0.0"},
		{Selection{Country: "XX", Certificate: "Vaccination", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, "VR-XX-0001/2.0.0 GR-XX-0001/1.0.0 VR-XX-0003/3.0.0"},
		{Selection{Country: "XX", Certificate: "Vaccination", At: time.Date(2029, 12, 31, 23, 0, 0, 0, time.UTC)}, ""},
		{Selection{Country: "XX", Certificate: "Vaccination"}, ""},
		{Selection{Country: "ZZ", Certificate: "Vaccination", At: at}, ""},
		{Selection{}, ""},
	} {
		var got []string
		for _, r := range rules.Applicable(c.s) {
			got = append(got, r.Identifier+"/"+r.Version.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v\n got %s\nwant %s", c.s, strings.Join(got, " "), c.want)
		}
	}
}

func TestARulePassesFailsOrStaysOpen(t *testing.T) {
	logic := func(text string) map[string]any { return map[string]any{"Logic": json.RawMessage(text)} }
	sets, err := ReadValueSets([]byte(`{"vaccines":["A","B"]}`))
	if err != nil {
		t.Fatal(err)
	}
	external := External{
		ValidationClock: time.Date(2022, 1, 1, 13, 0, 0, 999_999_999, time.FixedZone("", 3600)),
		ValueSets:       sets, CountryCode: "XX", IssuerCountryCode: "YY", Region: "R1", KID: "a2lk",
		Exp: time.Date(2022, 2, 1, 0, 0, 0, 0, time.UTC), Iat: time.Date(2021, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	const dcc = `{"ver":"1.3.0","v":[{"dn":2,"sd":2,"mp":"A"}]}`
	for _, c := range []struct {
		name   string
		change map[string]any
		dcc    string
		want   Outcome
	}{
		{"all doses", nil, dcc, Passed},
		{"a dose is missing", nil, `{"ver":"1.3.0","v":[{"dn":1,"sd":2}]}`, Failed},
		{"no doses told", nil, `{"ver":"1.3.0","v":[{}]}`, Open},
		{"no version told", nil, `{"v":[{"dn":2,"sd":2}]}`, Passed},
		{"another schema", nil, `{"ver":"2.0.0","v":[{"dn":2,"sd":2}]}`, Open},
		{"a schema nobody can read", nil, `{"ver":"new","v":[{"dn":2,"sd":2}]}`, Open},
		{"not JSON", nil, `{"v":`, Open},
		{"nothing", nil, ``, Open},
		{"no object", nil, `[true]`, Open},
		{"too long", nil, `{"x":"` + strings.Repeat("x", maxPayload) + `"}`, Open},
		{"another engine", map[string]any{"Engine": "XX-METADATA"}, dcc, Open},
		{"an engine to come", map[string]any{"EngineVersion": "2.0.0"}, dcc, Open},
		{"truthy is not true", logic(`{"var":"payload.v.0.mp"}`), dcc, Open},
		{"null is not false", logic(`{"var":"payload.t.0"}`), dcc, Open},
		{"value set", logic(`{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.vaccines"}]}`), dcc, Passed},
		{"no such value set", logic(`{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.tests"}]}`), dcc, Open},
		{"clock", logic(`{"===":[{"var":"external.validationClock"},"2022-01-01T12:00:00.999Z"]}`), dcc, Passed},
		{"life", logic(`{"before":[{"plusTime":[{"var":"external.iat"},364,"day"]},{"plusTime":[{"var":"external.exp"},0,"day"]}]}`), dcc, Passed},
		{"whose", logic(`{"===":[[{"var":"external.countryCode"},{"var":"external.region"},{"var":"external.issuerCountryCode"},{"var":"external.kid"}],["XX","R1","YY","a2lk"]]}`), dcc, Passed},
	} {
		r := readRules(t, published(t, c.change)).Judge([]byte(c.dcc), external)[0]
		if r.Outcome != c.want || (r.Err != nil) != (c.want == Open) {
			t.Errorf("%s: %s, %v, want %s", c.name, r.Outcome, r.Err, c.want)
		}
	}
	clockless := readRules(t, published(t, logic(`{"after":[{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":["1970-01-01",0,"day"]}]}`)))
	if r := clockless.Judge([]byte(dcc), External{})[0]; r.Outcome != Open {
		t.Errorf("without a clock: %s, want open", r.Outcome)
	}
	if r := (Rules{{Engine: engine}}).Judge([]byte(dcc), external)[0]; r.Outcome != Open {
		t.Errorf("without logic: %s, want open", r.Outcome)
	}
	if got := (Rules)(nil).Judge([]byte(dcc), external); len(got) != 0 {
		t.Errorf("no rules: %d results", len(got))
	}
}

func TestValueSetsAreListsOfCodes(t *testing.T) {
	for _, text := range []string{``, `[]`, `"x"`, `{"a":"b"}`, `{"a":[1]}`, `{"a":{"b":{}}}`, `{"a":[null]}`} {
		if _, err := ReadValueSets([]byte(text)); err == nil {
			t.Errorf("%s: read, want an error", text)
		}
	}
}

// Rules that are run by several gates' lanes at once share their expressions.
func TestManyMayJudgeAtOnce(t *testing.T) {
	rules := readRules(t, published(t, nil), published(t, map[string]any{"Identifier": "VR-XX-0002"}))
	done := make(chan Outcome)
	for range 8 {
		go func() {
			var worst = Passed
			for range 100 {
				for _, r := range rules.Judge([]byte(`{"v":[{"dn":2,"sd":2}]}`), External{}) {
					worst = min(worst, r.Outcome)
				}
			}
			done <- worst
		}()
	}
	for range 8 {
		if got := <-done; got != Passed {
			t.Errorf("got %s, want passed", got)
		}
	}
}
