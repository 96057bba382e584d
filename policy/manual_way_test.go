package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// nobody is a healthy person without a code, on a guard's word.
func nobody(way gatehouse.Without) gatehouse.Evidence {
	e := somebody()
	e.Pass, e.Without = nil, way
	return e
}

func TestWhoHasNoCodeIsJudgedLikeAnybodyElse(t *testing.T) {
	p := read(t, example(t, "families-and-paper"))
	skin := func(c gatehouse.Temperature) func(*gatehouse.Evidence) {
		return func(e *gatehouse.Evidence) { e.Skin.Skin = c }
	}
	seen := func(ago time.Duration) func(*gatehouse.Evidence) {
		return func(e *gatehouse.Evidence) { e.History.Seen = e.At.Add(-ago) }
	}
	for _, c := range []struct {
		name   string
		way    gatehouse.Without
		change func(*gatehouse.Evidence)
		want   string
	}{
		{"paper", gatehouse.OnPaper, skin(36_600), "admit  paper"},
		{"no telephone", gatehouse.NoPhone, skin(36_600), "admit  no-phone"},
		{"a way that is none", 9, skin(36_600), "refer D54 "},
		{"fever", gatehouse.NoPhone, skin(39_000), "refer T40 "},
		{"nobody measured", gatehouse.NoPhone, func(e *gatehouse.Evidence) { e.Skin = gatehouse.Measurement{} }, "refer T41 "},
		{"dead sensor", gatehouse.NoPhone, func(e *gatehouse.Evidence) { e.Skin.Quality = gatehouse.Faulty }, "refer T42 "},
		{"clock not trusted", gatehouse.OnPaper, func(e *gatehouse.Evidence) { e.Clock = false }, "refer D51 "},
		{"old keys", gatehouse.OnPaper, func(e *gatehouse.Evidence) { e.TrustAge = 8 * 24 * time.Hour }, "refer D50 "},
		{"the policy is over", gatehouse.OnPaper, func(e *gatehouse.Evidence) { e.At = e.At.AddDate(1, 0, 0) }, "refer D54 "},
		{"the way is over", gatehouse.OnPaper, func(e *gatehouse.Evidence) { e.At = time.Date(2020, 8, 31, 16, 0, 0, 0, time.UTC) }, "refer D54 "},
		{"the way's last instant", gatehouse.OnPaper, func(e *gatehouse.Evidence) { e.At = time.Date(2020, 8, 31, 15, 59, 59, 0, time.UTC) }, "admit  paper"},
		{"with somebody", gatehouse.Companion, seen(5 * time.Minute), "admit  companion"},
		{"with somebody of a while ago", gatehouse.Companion, seen(5*time.Minute + 1), "refer D54 "},
		{"with somebody who is yet to come", gatehouse.Companion, seen(-1), "refer D54 "},
		{"with nobody", gatehouse.Companion, skin(36_600), "refer D54 "},
		{"a forgery on paper", gatehouse.OnPaper, func(e *gatehouse.Evidence) { e.Refusal = &gatehouse.Refusal{Reason: "S20"} }, "deny S20 "},
		{"a red code on paper", gatehouse.OnPaper, func(e *gatehouse.Evidence) {
			e.Pass = somebody().Pass
			e.Pass.Issuer, e.Pass.Grade = "CN-330100", gatehouse.Red
		}, "deny V33 red"},
	} {
		e := nobody(c.way)
		c.change(&e)
		v := p.Judge(e)
		if got := fmt.Sprintf("%s %s %s", v.Call, v.Reason, v.Rule); got != c.want || v.Call != gatehouse.Admit && v.Detail == "" {
			t.Errorf("%s: %s (%s), want %s", c.name, got, v.Detail, c.want)
		}
		if v.Call == gatehouse.Admit && (v.Says.Zh == "" || v.Says.En == "" || v.Here != gatehouse.NoGrade) {
			t.Errorf("%s: says %+v, here %s", c.name, v.Says, v.Here)
		}
		if x := p.Explain(e).Verdict; x != v {
			t.Errorf("%s: explained as %+v, judged as %+v", c.name, x, v)
		}
	}
}

// A rule that admits everybody is about codes. Who has none needs a way of their own.
func TestNoRuleAdmitsWhoHasNoCode(t *testing.T) {
	for _, way := range []gatehouse.Without{gatehouse.OnPaper, gatehouse.NoPhone, gatehouse.Companion} {
		e := nobody(way)
		e.History.Seen = e.At
		v := read(t, openHouse).Judge(e)
		if v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNoRule || !strings.Contains(v.Detail, "no such way") {
			t.Errorf("%s: %+v", way, v)
		}
	}
}

func TestACompanionHasTenMinutesWhereNothingIsSaid(t *testing.T) {
	p := read(t, openHouse+"[[manual]]\nid = \"companion\"\nzh = \"同行\"\nen = \"Companion\"\n")
	offered := p.Manual(july)
	if len(offered) != 1 || offered[0].Without != gatehouse.Companion || offered[0].Within != 10*time.Minute {
		t.Errorf("%+v", offered)
	}
	e := nobody(gatehouse.Companion)
	for ago, want := range map[time.Duration]gatehouse.Call{10 * time.Minute: gatehouse.Admit, 10*time.Minute + 1: gatehouse.Refer} {
		e.History.Seen = e.At.Add(-ago)
		if v := p.Judge(e); v.Call != want {
			t.Errorf("%s ago: %+v", ago, v)
		}
	}
	if (*Policy)(nil).Manual(july) != nil || len(p.Manual(july.AddDate(1, 0, 0))) != 0 {
		t.Error("ways are offered where no policy holds")
	}
}

func TestABadWayIsRefusedWithTheLine(t *testing.T) {
	for _, c := range []struct{ way, want string }{
		{"id = \"vip\"\nzh = \"贵宾\"\nen = \"VIP\"", `"vip" is no way that a guard can take`},
		{"id = \"paper\"\nen = \"Paper\"", "stand together"},
		{"id = \"paper\"", "zh and en are needed"},
		{"id = \"paper\"\nzh = \"{issuer}\"\nen = \"{issuer}\"", "no code here that a placeholder"},
		{"id = \"paper\"\nzh = \"纸\"\nen = \"Paper\"\nwithin = \"5m\"", "only a companion"},
		{"id = \"companion\"\nzh = \"同\"\nen = \"With\"\nwithin = \"2h\"", "at most 60 min"},
		{"id = \"companion\"\nzh = \"同\"\nen = \"With\"\nwithin = \"-5m\"", "not more than nothing"},
		{"id = \"paper\"\nzh = \"纸\"\nen = \"Paper\"\nuntil = 2020-01-01", "no day in common"},
		{"id = \"paper\"\nzh = \"纸\"\nen = \"Paper\"\n[[rule]]\nid = \"paper\"\ncall = \"admit\"\nwhen = 'true'", "paper is taken, on line"},
		{"id = \"paper\"\nzh = \"纸\"\nen = \"Paper\"\n[[rule]]\nid = \"de-published\"\ncall = \"admit\"\nwhen = 'true'", "is how the rules that a country publishes are named"},
		{"id = \"paper\"\nzh = \"纸\"\nen = \"Paper\"\n[[test]]\nname = \"a\"\nwithout = \"no phone\"\nwant = { call = \"admit\" }", `"no phone", want paper, no-phone or companion`},
		{"id = \"paper\"\nzh = \"纸\"\nen = \"Paper\"\n[[test]]\nname = \"a\"\nwithout = \"paper\"\npass = {}\nwant = { call = \"admit\" }", "who has no code shows none"},
	} {
		body := openHouse + "[[manual]]\n" + c.way + "\n"
		_, err := Read([]byte(body))
		line := lineOf(body, "[[manual]]")
		if err == nil || !strings.Contains(err.Error(), c.want) || err.(Faults)[0].Line < line {
			t.Errorf("%q: got %v, want %s from line %d on", c.way, err, c.want, line)
		}
	}
}
