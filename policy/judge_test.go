package policy

import (
	"math/rand/v2"
	"testing"
	"time"

	"gatehouse"
)

var noon = time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)

func hangzhou() Rules {
	return Rules{Kind: "policy", Site: "CN-330100", Version: 7, Issued: noon.Add(-24 * time.Hour),
		Accept: []gatehouse.Issuer{"CN-33", "CN-440000", "DE"}, FreshMinutes: 60, TestHours: 72, StaleHours: 48,
		Temperature: Temperature{Fever: 37_300, Low: 35_000}}
}

// healthy is a person whom hangzhou admits; each case changes one thing.
func healthy() gatehouse.Evidence {
	return gatehouse.Evidence{At: noon, Clock: true, TrustAge: time.Hour,
		Pass: &gatehouse.Pass{Format: "RHC1", Issuer: "CN-330106", Grade: gatehouse.Green,
			Issued: noon.Add(-10 * time.Minute), Expires: noon.Add(time.Hour)},
		Skin: gatehouse.Measurement{Skin: 36_600, Quality: gatehouse.Steady, Readings: 5}}
}

// dcc makes the evidence a travel certificate of Germany that states one fact.
func dcc(f gatehouse.Fact) func(*Rules, *gatehouse.Evidence) {
	return func(_ *Rules, e *gatehouse.Evidence) {
		e.Pass = &gatehouse.Pass{Format: "DCC", Issuer: "DE", Issued: noon.AddDate(0, -3, 0), Expires: noon.AddDate(0, 3, 0),
			Facts: []gatehouse.Fact{f}}
	}
}

func refusal(r gatehouse.Reason, clock bool) func(*Rules, *gatehouse.Evidence) {
	return func(_ *Rules, e *gatehouse.Evidence) {
		e.Pass, e.Refusal, e.Clock = nil, &gatehouse.Refusal{Reason: r}, clock
	}
}

func TestJudge(t *testing.T) {
	const (
		deny, refer, admit, hint = gatehouse.Deny, gatehouse.Refer, gatehouse.Admit, gatehouse.Hint
	)
	for _, c := range []struct {
		name   string
		change func(*Rules, *gatehouse.Evidence)
		call   gatehouse.Call
		reason gatehouse.Reason
	}{
		{"green, fresh, cool", func(*Rules, *gatehouse.Evidence) {}, admit, ""},
		{"no policy", func(r *Rules, _ *gatehouse.Evidence) { *r = Rules{} }, refer, "D54"},
		{"no evidence", func(_ *Rules, e *gatehouse.Evidence) { e.Pass = nil }, refer, "D54"},

		{"not ours", refusal("Q10", true), hint, "Q10"},
		{"broken inside", refusal("Q12", true), refer, "Q12"},
		{"forged", refusal("S20", true), deny, "S20"},
		{"forged, and the clock is wrong too", refusal("S20", false), deny, "S20"},
		{"unknown issuer is not red", refusal("S21", true), refer, "S21"},
		{"withdrawn key", refusal("S22", true), deny, "S22"},
		{"wrong key usage", refusal("S23", true), deny, "S23"},
		{"expired", refusal("V30", true), deny, "V30"},
		{"expired by a clock that nobody trusts", refusal("V30", false), refer, "D51"},
		{"not yet valid", refusal("V31", true), refer, "V31"},
		{"not yet valid by a clock that nobody trusts", refusal("V31", false), refer, "D51"},
		{"a reason that these rules do not know", refusal("X99", true), refer, "X99"},

		{"clock not trusted", func(_ *Rules, e *gatehouse.Evidence) { e.Clock = false }, refer, "D51"},
		{"keys as old as allowed", func(_ *Rules, e *gatehouse.Evidence) { e.TrustAge = 48 * time.Hour }, admit, ""},
		{"keys older", func(_ *Rules, e *gatehouse.Evidence) { e.TrustAge = 48*time.Hour + 1 }, refer, "D50"},

		{"whole country named", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Issuer = "DE" }, admit, ""},
		{"province with trailing zeros", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Issuer = "CN-440300" }, admit, ""},
		{"province not named", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Issuer = "CN-420100" }, refer, "V35"},
		{"no issuer", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Issuer = "" }, refer, "V35"},

		{"as old as allowed", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Issued = noon.Add(-time.Hour) }, admit, ""},
		{"a screenshot of an hour ago", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Issued = noon.Add(-time.Hour - 1) }, deny, "V30"},
		{"expires this instant", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Expires = noon }, deny, "V30"},

		{"red", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Red }, deny, "V33"},
		{"yellow", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Yellow }, refer, "V33"},
		{"under review", func(_ *Rules, e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Grey }, refer, "V33"},
		{"red with a fever stays red", func(_ *Rules, e *gatehouse.Evidence) {
			e.Pass.Grade, e.Skin.Skin = gatehouse.Red, 39_000
		}, deny, "V33"},

		{"second dose of two", dcc(gatehouse.Fact{Kind: "vaccination", Dose: 2, Doses: 2, At: noon}), admit, ""},
		{"first dose of two", dcc(gatehouse.Fact{Kind: "vaccination", Dose: 1, Doses: 2, At: noon}), refer, "V35"},
		{"dose of none", dcc(gatehouse.Fact{Kind: "vaccination", At: noon}), refer, "V35"},
		{"dose of tomorrow", dcc(gatehouse.Fact{Kind: "vaccination", Dose: 2, Doses: 2, At: noon.Add(1)}), refer, "V35"},
		{"negative test, 72 h", dcc(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: noon.Add(-72 * time.Hour)}), admit, ""},
		{"negative test, older", dcc(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: noon.Add(-72*time.Hour - 1)}), refer, "V35"},
		{"negative test of tomorrow", dcc(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: noon.Add(1)}), refer, "V35"},
		{"positive test, validly signed", dcc(gatehouse.Fact{Kind: "test", Result: gatehouse.Positive, At: noon}), refer, "V33"},
		{"positive test behind a negative one", func(r *Rules, e *gatehouse.Evidence) {
			dcc(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: noon})(r, e)
			e.Pass.Facts = append(e.Pass.Facts, gatehouse.Fact{Kind: "test", Result: gatehouse.Positive, At: noon})
		}, refer, "V33"},
		{"test without a result", dcc(gatehouse.Fact{Kind: "test", At: noon}), refer, "V35"},
		{"recovery, last day", dcc(gatehouse.Fact{Kind: "recovery", At: noon.AddDate(0, -3, 0), Until: noon.Add(-12 * time.Hour)}), admit, ""},
		{"recovery, day after", dcc(gatehouse.Fact{Kind: "recovery", At: noon.AddDate(0, -3, 0), Until: noon.Add(-36 * time.Hour)}), refer, "V35"},
		{"no fact", dcc(gatehouse.Fact{}), refer, "V35"},

		{"fever line", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Skin = 37_300 }, refer, "T40"},
		{"just below it", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Skin = 37_299 }, admit, ""},
		{"cold forehead is not measured", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Skin = 33_200 }, refer, "T41"},
		{"low line", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Skin = 35_000 }, admit, ""},
		{"a cup of tea", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Skin = 61_000 }, refer, "T41"},
		{"moving", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Quality = gatehouse.Unsteady }, refer, "T41"},
		{"nobody measured", func(_ *Rules, e *gatehouse.Evidence) { e.Skin = gatehouse.Measurement{} }, refer, "T41"},
		{"dead sensor", func(_ *Rules, e *gatehouse.Evidence) { e.Skin.Quality = gatehouse.Faulty }, refer, "T42"},
		{"measuring switched off", func(r *Rules, e *gatehouse.Evidence) {
			r.Temperature.Off, e.Skin = true, gatehouse.Measurement{}
		}, admit, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, e := hangzhou(), healthy()
			c.change(&r, &e)
			v := r.Judge(e)
			if v.Call != c.call || v.Reason != c.reason {
				t.Errorf("got %v %s (%s), want %v %s", v.Call, v.Reason, v.Detail, c.call, c.reason)
			}
			if v.Policy != r.Name() {
				t.Errorf("policy %q, want %q", v.Policy, r.Name())
			}
		})
	}
}

// Whatever else the evidence says, nobody is admitted whom one of these would stop.
func TestNoCombinationAdmitsWhomOneRuleStops(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 10))
	grades := []gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey, gatehouse.NoGrade}
	admitted := 0
	for range 100_000 {
		e := healthy()
		e.Clock = random.IntN(5) > 0
		e.TrustAge = time.Duration(random.IntN(60)) * time.Hour
		e.Pass.Grade = grades[random.IntN(len(grades))]
		e.Pass.Issuer = []gatehouse.Issuer{"CN-330100", "CN-420100", "DE", ""}[random.IntN(4)]
		e.Pass.Issued = noon.Add(-time.Duration(random.IntN(90)) * time.Minute)
		e.Skin.Quality = gatehouse.Quality(random.IntN(5))
		e.Skin.Skin = gatehouse.Temperature(32_000 + random.IntN(8_000))
		if hangzhou().Judge(e).Call != gatehouse.Admit {
			continue
		}
		admitted++
		if !e.Clock || e.TrustAge > 48*time.Hour || e.Pass.Grade != gatehouse.Green || e.Pass.Issuer == "CN-420100" ||
			e.Pass.Issuer == "" || noon.Sub(e.Pass.Issued) > time.Hour || e.Skin.Quality != gatehouse.Steady ||
			e.Skin.Skin < 35_000 || e.Skin.Skin >= 37_300 {
			t.Fatalf("admitted %+v %+v", e, *e.Pass)
		}
	}
	if admitted == 0 {
		t.Error("nobody was admitted: the law was not put to the test")
	}
}
