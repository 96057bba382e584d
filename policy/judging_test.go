package policy

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

var july = time.Date(2020, 7, 11, 4, 0, 0, 0, time.UTC) // noon in China

// everyday is the example's policy for Hangzhou, its province, Guangdong and Germany.
func everyday(tb testing.TB) *Policy {
	tb.Helper()
	body, err := Everyday{Site: "CN-330100", Version: 7, Issued: july.Add(-24 * time.Hour), Accept: []gatehouse.Issuer{"CN-33", "CN-440000", "DE"},
		Stale: 48 * time.Hour}.Text()
	if err != nil {
		tb.Fatal(err)
	}
	return read(tb, string(body))
}

func read(tb testing.TB, body string) *Policy {
	tb.Helper()
	p, err := Read([]byte(body))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// somebody is a person whom everyday admits; each case changes one thing.
func somebody() gatehouse.Evidence {
	return gatehouse.Evidence{At: july, Clock: true, TrustAge: time.Hour,
		Pass: &gatehouse.Pass{Format: "RHC1", Issuer: "CN-330106", Grade: gatehouse.Green,
			Issued: july.Add(-10 * time.Minute), Expires: july.Add(time.Hour)},
		Skin: gatehouse.Measurement{Skin: 36_600, Ambient: 22_000, Quality: gatehouse.Steady, Readings: 5}}
}

func travels(f ...gatehouse.Fact) func(*gatehouse.Evidence) {
	return func(e *gatehouse.Evidence) {
		e.Pass = &gatehouse.Pass{Format: "DCC", Issuer: "DE", Issued: july.AddDate(0, 0, -1), Expires: july.AddDate(0, 3, 0), Facts: f}
	}
}

func unproven(r gatehouse.Reason, clock, maybe bool) func(*gatehouse.Evidence) {
	return func(e *gatehouse.Evidence) {
		e.Pass, e.Refusal, e.Clock = nil, &gatehouse.Refusal{Reason: r, Detail: "so", Maybe: maybe}, clock
	}
}

func TestEverydayJudges(t *testing.T) {
	const (
		deny, refer, admit, hint = gatehouse.Deny, gatehouse.Refer, gatehouse.Admit, gatehouse.Hint
	)
	p := everyday(t)
	for _, c := range []struct {
		name   string
		change func(*gatehouse.Evidence)
		call   gatehouse.Call
		reason gatehouse.Reason
	}{
		{"green, fresh, cool", func(*gatehouse.Evidence) {}, admit, ""},
		{"no evidence", func(e *gatehouse.Evidence) { e.Pass = nil }, refer, "D54"},

		{"not ours", unproven("Q10", true, false), hint, "Q10"},
		{"broken inside", unproven("Q12", true, false), refer, "Q12"},
		{"forged", unproven("S20", true, false), deny, "S20"},
		{"forged, and the clock is wrong too", unproven("S20", false, false), deny, "S20"},
		{"unknown issuer is not red", unproven("S21", true, false), refer, "S21"},
		{"withdrawn key", unproven("S22", true, false), deny, "S22"},
		{"wrong key usage", unproven("S23", true, false), deny, "S23"},
		{"expired", unproven("V30", true, false), deny, "V30"},
		{"expired by a clock that nobody trusts", unproven("V30", false, false), refer, "D51"},
		{"not yet valid", unproven("V31", true, false), refer, "V31"},
		{"not yet valid by a clock that nobody trusts", unproven("V31", false, false), refer, "D51"},
		{"revoked", unproven("V32", true, false), deny, "V32"},
		{"perhaps revoked", unproven("V32", true, true), refer, "V32"},
		{"a reason that nobody knows", unproven("X99", true, false), refer, "X99"},

		{"clock not trusted", func(e *gatehouse.Evidence) { e.Clock = false }, refer, "D51"},
		{"red, and the clock not trusted", func(e *gatehouse.Evidence) { e.Clock, e.Pass.Grade = false, gatehouse.Red }, refer, "D51"},
		{"keys as old as allowed", func(e *gatehouse.Evidence) { e.TrustAge = 48 * time.Hour }, admit, ""},
		{"keys older", func(e *gatehouse.Evidence) { e.TrustAge = 48*time.Hour + 1 }, refer, "D50"},
		{"red stays red when keys are old", func(e *gatehouse.Evidence) { e.TrustAge, e.Pass.Grade = 1000*time.Hour, gatehouse.Red }, deny, "V33"},
		{"the policy has ended", func(e *gatehouse.Evidence) {
			e.At = july.AddDate(2, 0, 0)
			e.Pass.Issued, e.Pass.Expires = e.At.Add(-time.Minute), e.At.Add(time.Hour)
		}, refer, "D54"},

		{"country named", func(e *gatehouse.Evidence) { e.Pass.Issuer = "DE" }, admit, ""},
		{"province with trailing zeros", func(e *gatehouse.Evidence) { e.Pass.Issuer = "CN-440300" }, admit, ""},
		{"province not named", func(e *gatehouse.Evidence) { e.Pass.Issuer = "CN-420100" }, refer, "V35"},
		{"half a division", func(e *gatehouse.Evidence) { e.Pass.Issuer = "CN-4" }, refer, "V35"},
		{"no issuer", func(e *gatehouse.Evidence) { e.Pass.Issuer = "" }, refer, "V35"},

		{"as old as allowed", func(e *gatehouse.Evidence) { e.Pass.Issued = july.Add(-12 * time.Hour) }, admit, ""},
		{"a screenshot", func(e *gatehouse.Evidence) { e.Pass.Issued = july.Add(-12*time.Hour - 1) }, deny, "V30"},
		{"expires this instant", func(e *gatehouse.Evidence) { e.Pass.Expires = july }, deny, "V30"},
		{"does not say when it ends", func(e *gatehouse.Evidence) { e.Pass.Expires = time.Time{} }, admit, ""},
		{"does not say when it was made", func(e *gatehouse.Evidence) { e.Pass.Issued = time.Time{} }, refer, "D54"},
		{"counts from tomorrow", func(e *gatehouse.Evidence) { e.Pass.NotBefore = july.AddDate(0, 0, 1) }, refer, "V31"},
		{"made in the future", func(e *gatehouse.Evidence) { e.Pass.Issued = july.Add(6 * time.Minute) }, refer, "V31"},
		{"made by a clock a little ahead", func(e *gatehouse.Evidence) { e.Pass.Issued = july.Add(4 * time.Minute) }, admit, ""},

		{"red", func(e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Red }, deny, "V33"},
		{"yellow", func(e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Yellow }, refer, "V33"},
		{"under review", func(e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Grey }, refer, "V33"},
		{"a colour that is none", func(e *gatehouse.Evidence) { e.Pass.Grade = 9 }, refer, "Q12"},
		{"red with a fever stays red", func(e *gatehouse.Evidence) { e.Pass.Grade, e.Skin.Skin = gatehouse.Red, 39_000 }, deny, "V33"},

		{"second dose of two", travels(gatehouse.Fact{Kind: "vaccination", Dose: 2, Doses: 2, At: july.AddDate(0, 0, -9)}), admit, ""},
		{"dose of none", travels(gatehouse.Fact{Kind: "vaccination", At: july.AddDate(0, 0, -9)}), refer, "V35"},
		{"negative test, 72 h", travels(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: july.Add(-72 * time.Hour)}), admit, ""},
		{"negative test, older", travels(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: july.Add(-72*time.Hour - 1)}), refer, "V35"},
		{"positive test behind a negative one", travels(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: july.AddDate(0, 0, -2)},
			gatehouse.Fact{Kind: "test", Result: gatehouse.Positive, At: july.AddDate(0, 0, -2)}), refer, "V33"},
		{"no fact", travels(), refer, "V35"},
		{"more facts than anybody has", travels(make([]gatehouse.Fact, maxFacts+1)...), refer, "Q12"},
		{"a word without end", travels(gatehouse.Fact{Kind: "test", Method: strings.Repeat("x", maxWord+1)}), refer, "Q12"},

		{"fever line", func(e *gatehouse.Evidence) { e.Skin.Skin = 37_300 }, refer, "T40"},
		{"just below it", func(e *gatehouse.Evidence) { e.Skin.Skin = 37_299 }, admit, ""},
		{"cold forehead is not measured", func(e *gatehouse.Evidence) { e.Skin.Skin = 33_200 }, refer, "T41"},
		{"low line", func(e *gatehouse.Evidence) { e.Skin.Skin = 35_000 }, admit, ""},
		{"a cup of tea", func(e *gatehouse.Evidence) { e.Skin.Skin = 61_000 }, refer, "T41"},
		{"moving", func(e *gatehouse.Evidence) { e.Skin.Quality = gatehouse.Unsteady }, refer, "T41"},
		{"nobody measured", func(e *gatehouse.Evidence) { e.Skin = gatehouse.Measurement{} }, refer, "T41"},
		{"dead sensor", func(e *gatehouse.Evidence) { e.Skin.Quality = gatehouse.Faulty }, refer, "T42"},
		{"a quality that is none", func(e *gatehouse.Evidence) { e.Skin.Quality = 9 }, refer, "T41"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := somebody()
			c.change(&e)
			v := p.Judge(e)
			if v.Call != c.call || v.Reason != c.reason {
				t.Errorf("got %v %s (%s), want %v %s", v.Call, v.Reason, v.Detail, c.call, c.reason)
			}
			if v.Policy != "CN-330100/7" {
				t.Errorf("policy %q", v.Policy)
			}
			if v.Call != gatehouse.Admit && v.Detail == "" {
				t.Error("nothing is said about why")
			}
			if x := p.Explain(e).Verdict; x != v {
				t.Errorf("explained as %+v, judged as %+v", x, v)
			}
		})
	}
}

func TestWithoutAPolicyEverybodyIsReferred(t *testing.T) {
	for name, p := range map[string]*Policy{"nil": nil, "zero": {}} {
		if v := p.Judge(somebody()); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNoRule || v.Trust != gatehouse.TrustTooOld {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestTheStateOfTrustIsOnEveryVerdict(t *testing.T) {
	p := everyday(t)
	for _, c := range []struct {
		age  time.Duration
		want gatehouse.Trust
		call gatehouse.Call
		says string
	}{
		{0, gatehouse.TrustFresh, gatehouse.Admit, ""},
		{24 * time.Hour, gatehouse.TrustFresh, gatehouse.Admit, ""},
		{24*time.Hour + 1, gatehouse.TrustStale, gatehouse.Admit, "keys 24 h old"},
		{47 * time.Hour, gatehouse.TrustStale, gatehouse.Admit, "keys 47 h old"},
		{49 * time.Hour, gatehouse.TrustTooOld, gatehouse.Refer, "keys are 2 d old, at most 2 d"},
	} {
		e := somebody()
		e.TrustAge = c.age
		v := p.Judge(e)
		if v.Trust != c.want || v.Call != c.call || v.Detail != c.says {
			t.Errorf("%s: %+v, want %s %s %q", c.age, v, c.want, c.call, c.says)
		}
		unproven("S21", true, false)(&e)
		if v := p.Judge(e); v.Trust != c.want {
			t.Errorf("%s, refused: %s, want %s", c.age, v.Trust, c.want)
		}
	}
}

// A policy that admits everybody is the worst that a region can sign. The floors hold.
const openHouse = `kind = "policy"
site = "CN-330100"
version = 1
issued = 2020-07-10T08:00:00+08:00
until = 2020-12-31
zone = "+08:00"
mode = "normal"
[purpose]
name = "test"
zh = "测试"
en = "Test"
reads = ["age", "seen", "colour", "travel", "tests", "vaccinations", "recoveries", "exemptions", "risk", "temperature"]
[trust]
fresh_for = "24h"
stale_ok = "7d"
[temperature]
off = true
[default]
call = "refer"
reason = "V35"
[[recognise]]
issuer = "CN"
do = "accept"
[[rule]]
id = "everybody"
call = "admit"
when = "true"
`

func TestNoPolicySwitchesTheFloorsOff(t *testing.T) {
	p := read(t, openHouse)
	if v := p.Judge(somebody()); v.Call != gatehouse.Admit || v.Rule != "everybody" {
		t.Fatalf("the open house is shut: %+v", v)
	}
	for name, change := range map[string]func(*gatehouse.Evidence){
		"clock":       func(e *gatehouse.Evidence) { e.Clock = false },
		"old trust":   func(e *gatehouse.Evidence) { e.TrustAge = 8 * 24 * time.Hour },
		"red":         func(e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Red },
		"expired":     func(e *gatehouse.Evidence) { e.Pass.Expires = e.At },
		"not yet":     func(e *gatehouse.Evidence) { e.Pass.NotBefore = e.At.Add(time.Hour) },
		"issuer":      func(e *gatehouse.Evidence) { e.Pass.Issuer = "DE" },
		"revoked":     unproven("V32", true, false),
		"forged":      unproven("S20", true, false),
		"no evidence": func(e *gatehouse.Evidence) { e.Pass = nil },
		"two holders": func(e *gatehouse.Evidence) {
			e.Pass.Holder.Tag = "a"
			e.Second = &gatehouse.Pass{Holder: gatehouse.Holder{Tag: "b"}}
		},
		"future travel": func(e *gatehouse.Evidence) {
			e.Pass.Facts = []gatehouse.Fact{{Kind: "travel", At: e.At.AddDate(0, 0, 2)}}
		},
	} {
		e := somebody()
		change(&e)
		if v := p.Judge(e); v.Call == gatehouse.Admit || v.Detail == "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestImpossibleHistoriesAreReferredByName(t *testing.T) {
	p := read(t, openHouse)
	day := func(d int) time.Time { return july.AddDate(0, 0, d) }
	for _, c := range []struct {
		name   string
		change func(*gatehouse.Pass)
		want   string // empty: nothing is wrong
	}{
		{"test after the code was made", func(c *gatehouse.Pass) { c.Issued, c.Facts = day(-1), []gatehouse.Fact{{Kind: "test", At: day(0)}} }, "test of 2020-07-11 12:00, after the code was made"},
		{"test by a clock a little ahead", func(c *gatehouse.Pass) { c.Facts = []gatehouse.Fact{{Kind: "test", At: c.Issued.Add(time.Minute)}} }, ""},
		{"a bare day that has begun in the east", func(c *gatehouse.Pass) {
			c.Issued, c.Facts = time.Date(2020, 7, 10, 20, 0, 0, 0, time.UTC), []gatehouse.Fact{{Kind: "vaccination", At: time.Date(2020, 7, 11, 0, 0, 0, 0, time.UTC)}}
		}, ""},
		{"a bare day of next week", func(c *gatehouse.Pass) {
			c.Facts = []gatehouse.Fact{{Kind: "vaccination", At: time.Date(2020, 7, 18, 0, 0, 0, 0, time.UTC)}}
		}, "vaccination of 2020-07-18"},
		{"travel to come", func(c *gatehouse.Pass) { c.Facts = []gatehouse.Fact{{Kind: "travel", Division: "620100", At: day(3)}} }, "travel to 620100 at 2020-07-14 12:00, which is yet to come"},
		{"left before it came", func(c *gatehouse.Pass) { c.Facts = []gatehouse.Fact{{Kind: "travel", At: day(-3), Until: day(-5)}} }, "travel ends at 2020-07-06"},
		{"colour changed after the code", func(c *gatehouse.Pass) { c.Issued, c.Since = day(-1), day(0) }, "the colour changed at 2020-07-11"},
		{"ends before it was made", func(c *gatehouse.Pass) { c.Expires = c.Issued.Add(-time.Second) }, "it ends at"},
		{"born next year", func(c *gatehouse.Pass) { c.Holder.Birth = "2021" }, "not born yet"},
		{"born this year", func(c *gatehouse.Pass) { c.Holder.Birth = "2020-12" }, ""},
		{"dose below nothing", func(c *gatehouse.Pass) { c.Facts = []gatehouse.Fact{{Kind: "vaccination", Dose: -1}} }, "dose -1"},
		{"a booster", func(c *gatehouse.Pass) {
			c.Facts = []gatehouse.Fact{{Kind: "vaccination", Dose: 3, Doses: 1, At: day(-9)}}
		}, ""},
		{"an entitlement that begins later", func(c *gatehouse.Pass) {
			c.Facts = []gatehouse.Fact{{Kind: "entitlement", At: c.Issued.Add(8 * time.Minute)}}
		}, ""},
	} {
		e := somebody()
		e.Pass.Expires = day(30)
		c.change(e.Pass)
		v := p.Judge(e)
		if c.want == "" {
			if v.Call != gatehouse.Admit {
				t.Errorf("%s: %+v, want nothing wrong", c.name, v)
			}
			continue
		}
		if c.name == "ends before it was made" { // it has ended, too, and that is worse
			found := strings.Join(p.Explain(e).Lines(), "\n")
			if !strings.Contains(found, c.want) {
				t.Errorf("%s: not found in\n%s", c.name, found)
			}
			continue
		}
		if v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonMalformed || !strings.Contains(v.Detail, c.want) {
			t.Errorf("%s: %+v, want Q12 %q", c.name, v, c.want)
		}
	}
}

// Whatever else the evidence says, nobody is admitted whom one of these would stop.
func TestNoMixtureAdmitsWhomOneAnswerStops(t *testing.T) {
	p := everyday(t)
	random := rand.New(rand.NewPCG(7, 10))
	grades := []gatehouse.Grade{gatehouse.Green, gatehouse.Yellow, gatehouse.Red, gatehouse.Grey, gatehouse.NoGrade}
	admitted := 0
	for range 30_000 {
		e := somebody()
		e.Clock = random.IntN(5) > 0
		e.TrustAge = time.Duration(random.IntN(60)) * time.Hour
		e.Pass.Grade = grades[random.IntN(len(grades))]
		e.Pass.Issuer = []gatehouse.Issuer{"CN-330100", "CN-420100", "DE", ""}[random.IntN(4)]
		e.Pass.Issued = july.Add(-time.Duration(random.IntN(18)) * time.Hour)
		e.Skin.Quality = gatehouse.Quality(random.IntN(5))
		e.Skin.Skin = gatehouse.Temperature(32_000 + random.IntN(8_000))
		if p.Judge(e).Call != gatehouse.Admit {
			continue
		}
		admitted++
		if !e.Clock || e.TrustAge > 48*time.Hour || e.Pass.Grade != gatehouse.Green || e.Pass.Issuer == "CN-420100" ||
			e.Pass.Issuer == "" || july.Sub(e.Pass.Issued) > 12*time.Hour || e.Skin.Quality != gatehouse.Steady ||
			e.Skin.Skin < 35_000 || e.Skin.Skin >= 37_300 {
			t.Fatalf("admitted %+v %+v", e, *e.Pass)
		}
	}
	if admitted == 0 {
		t.Error("nobody was admitted: the law was not put to the test")
	}
}

func TestOfEquallyBadAnswersTheFirstDecidesAndAllAreTold(t *testing.T) {
	p := everyday(t)
	e := somebody()
	e.Pass.Grade, e.Skin.Skin = gatehouse.Yellow, 39_000
	trace := p.Explain(e)
	if trace.Verdict.Rule != "not-green" || trace.Verdict.Says.Zh != "黄码,请人工核验" || trace.Verdict.Here != gatehouse.Yellow {
		t.Errorf("%+v", trace.Verdict)
	}
	text := strings.Join(trace.Lines(), "\n")
	for _, want := range []string{"refer V33 by rule not-green", "refer T40: 39.0 °C", "rule        negative-test", "does not match", "native", "decided     not-green"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestOnePolicyServesManyLanes(t *testing.T) {
	p := everyday(t)
	var lanes sync.WaitGroup
	for range 4 {
		lanes.Go(func() {
			for range 200 {
				e := somebody()
				travels(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: july.AddDate(0, 0, -2)})(&e)
				if v := p.Judge(e); v.Rule != "negative-test" {
					t.Errorf("%+v", v)
				}
			}
		})
	}
	lanes.Wait()
}
