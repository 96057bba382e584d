package policy

import (
	"encoding/json"
	"strings"
	"testing"
)

func encoded(t testing.TB, r Rules) string {
	t.Helper()
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRulesComeBackAsTheyWereWritten(t *testing.T) {
	got, err := Parse([]byte(encoded(t, hangzhou())))
	if err != nil {
		t.Fatal(err)
	}
	if encoded(t, got) != encoded(t, hangzhou()) {
		t.Errorf("got %+v, want %+v", got, hangzhou())
	}
}

func TestRulesWithASlipAreRefusedWhole(t *testing.T) {
	good := encoded(t, hangzhou())
	for _, c := range []struct{ name, body, want string }{
		{"empty", "", "EOF"},
		{"cut off", good[:len(good)/2], "line"},
		{"unknown name", strings.Replace(good, `"accept"`, `"acept"`, 1), `unknown field "acept"`},
		{"something after it", good + "{}", "something follows"},
		{"a trust list", strings.Replace(good, `"kind": "policy"`, `"kind": "trust"`, 1), "kind"},
		{"no version", strings.Replace(good, `"version": 7`, `"version": 0`, 1), "version"},
		{"Fahrenheit", strings.Replace(good, "37300", "99140", 1), "fever_milli is 99140"},
		{"low above fever", strings.Replace(good, "35000", "37300", 1), "low_milli"},
		{"a year of freshness", strings.Replace(good, `"fresh_minutes": 60`, `"fresh_minutes": 525600`, 1), "fresh_minutes"},
		{"a country cut short", strings.Replace(good, `"CN-33"`, `"CN-"`, 1), `accept holds "CN-"`},
		{"half a division", strings.Replace(good, `"CN-33"`, `"CN-3"`, 1), `accept holds "CN-3"`},
		{"a region without a name", strings.Replace(good, `"CN-33"`, `""`, 1), `accept holds ""`},
		{"a site that is no region", strings.Replace(good, `"site": "CN-330100"`, `"site": "Hangzhou"`, 1), "site is"},
		{"too large", good + strings.Repeat(" ", maxRules), "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse([]byte(c.body))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %q", err, c.want)
			}
			if r.Version != 0 {
				t.Error("rules came with the error")
			}
		})
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	_, err := Parse([]byte(`{"kind":"policy"}`))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"site", "version", "issued", "accept", "fresh_minutes", "test_hours", "stale_hours", "fever_milli", "low_milli"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s:\n%v", want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(encoded(f, hangzhou())))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Parse(body)
		if err != nil {
			return
		}
		if v := r.Judge(healthy()); v.Policy != r.Name() {
			t.Errorf("verdict names policy %q", v.Policy)
		}
	})
}
