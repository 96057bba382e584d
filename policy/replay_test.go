package policy

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// rowOf is the row that a lane writes of what a policy judged: times to a second, and of the
// code what a book may keep.
func rowOf(p *Policy, e gatehouse.Evidence) gatehouse.Passage {
	r := gatehouse.Passage{Seq: 1, At: e.At, Verdict: p.Judge(e), TrustAge: e.TrustAge.Truncate(time.Second), Clock: e.Clock, Skin: e.Skin, Without: e.Without}
	switch {
	case e.Pass != nil:
		r.Format, r.Issuer, r.Code, r.Grade, r.Class = e.Pass.Format, e.Pass.Issuer, e.Pass.Code, e.Pass.Grade, e.Pass.Class
		r.Age = e.At.Sub(e.Pass.Issued).Truncate(time.Second)
		if e.Second != nil {
			r.Second, r.Amends = e.Second.Format, 1
		}
	case e.Refusal != nil:
		r.Format, r.Issuer = e.Refusal.Format, e.Refusal.Issuer
	}
	r.Verdict.Says = gatehouse.Words{}
	return r
}

func TestARowIsJudgedAgain(t *testing.T) {
	p := everyday(t)
	stricter := read(t, swap(t, string(mustText(t)), "fever = 37.3", "fever = 36.6", "hours_since(pass.issued) > 12", "hours_since(pass.issued) > 4", `call = "refer"
reason = "V33"
when = 'here.grade in`, `call = "deny"
reason = "V33"
when = 'here.grade in`))
	for _, c := range []struct {
		name   string
		change func(*gatehouse.Evidence)
		by     *Policy
		call   gatehouse.Call
		reason gatehouse.Reason
		lacks  string
	}{
		{"green, the same policy", func(*gatehouse.Evidence) {}, p, gatehouse.Admit, "", "history.seen"},
		{"green at 36.6, a lower fever line", func(*gatehouse.Evidence) {}, stricter, gatehouse.Refer, "T40", "history.seen"},
		{"yellow, now denied", func(e *gatehouse.Evidence) { e.Pass.Grade = gatehouse.Yellow }, stricter, gatehouse.Deny, "V33", ""},
		{"a code of six hours, of which four count now", func(e *gatehouse.Evidence) { e.Pass.Issued = july.Add(-6 * time.Hour) }, stricter, gatehouse.Deny, "V30", ""},
		{"a screenshot stays one", func(e *gatehouse.Evidence) { e.Pass.Issued = july.Add(-20 * time.Hour) }, p, gatehouse.Deny, "V30", ""},
		{"a code that does not say when it was made", func(e *gatehouse.Evidence) { e.Pass.Issued = time.Time{} }, p, gatehouse.Refer, "D54", "history.seen"},
		{"a tested traveller stays admitted", travels(gatehouse.Fact{Kind: "test", Result: gatehouse.Negative, At: july.AddDate(0, 0, -2)}), p, gatehouse.Admit, "",
			"history.seen, pass.entitlements, pass.recoveries, pass.tests, pass.vaccinations"},
		{"a code that ended at that instant", func(e *gatehouse.Evidence) { e.Pass.Expires = july }, p, gatehouse.Deny, "V30", ""},
		{"an impossible history", func(e *gatehouse.Evidence) {
			e.Pass.Facts = []gatehouse.Fact{{Kind: "test", At: july.AddDate(0, 0, 2)}}
		}, p, gatehouse.Refer, "Q12", "history.seen"},
		{"a forgery", unproven("S20", true, false), stricter, gatehouse.Deny, "S20", ""},
		{"perhaps revoked", unproven("V32", true, true), p, gatehouse.Refer, "V32", ""},
		{"no trusted clock", func(e *gatehouse.Evidence) { e.Clock = false }, p, gatehouse.Refer, "D51", ""},
	} {
		e := somebody()
		c.change(&e)
		v, lacks, err := c.by.Replay(rowOf(p, e))
		if err != nil || v.Call != c.call || v.Reason != c.reason || strings.Join(lacks, ", ") != c.lacks {
			t.Errorf("%s: %v %s (%s), lacks %q, %v; want %v %s, lacks %s", c.name, v.Call, v.Reason, v.Detail, lacks, err, c.call, c.reason, c.lacks)
		}
	}
}

func TestARowTellsWhyAColourIsWhatItIs(t *testing.T) {
	p := read(t, example(t, "heilongjiang"))
	for class, want := range map[gatehouse.Class]gatehouse.Grade{gatehouse.Contact: gatehouse.Red, gatehouse.Place: gatehouse.Yellow} {
		e := somebody()
		e.Pass.Issuer, e.Pass.Grade, e.Pass.Class = "CN-610000", gatehouse.Yellow, class
		row := rowOf(p, e)
		v, lacks, err := p.Replay(row)
		if err != nil || len(lacks) > 0 || v.Here != want || v.Call != row.Verdict.Call {
			t.Errorf("%s: %+v, lacks %q, %v; want %s, as %+v", class.Words(), v, lacks, err, want, row.Verdict)
		}
	}
}

func TestARowTellsWhetherASecondCodeWasShown(t *testing.T) {
	p := read(t, example(t, "travel-code"))
	e := somebody()
	e.Pass.Issuer = "CN-310000"
	v, lacks, err := p.Replay(rowOf(p, e))
	if err != nil || v.Reason != gatehouse.ReasonSecondCode || v.Rule != "telecom-travel" || len(lacks) > 0 {
		t.Errorf("none was: %+v, lacks %q, %v", v, lacks, err)
	}
	e.Second = &gatehouse.Pass{Format: "TTC1", Issuer: "CN", Issued: july.Add(-time.Hour), Expires: july.Add(time.Hour)}
	v, lacks, err = p.Replay(rowOf(p, e))
	if err != nil || v.Call != gatehouse.Admit || strings.Join(lacks, ", ") != "second.issued, second.travel" {
		t.Errorf("one was: %+v, lacks %q, %v", v, lacks, err)
	}
	e.Second.Issued = july.AddDate(0, 0, -2)
	v, lacks, err = p.Replay(rowOf(p, e))
	if err != nil || v.Reason != gatehouse.ReasonExpired || v.Rule != "telecom-travel" {
		t.Errorf("an old one was: %+v, lacks %q, %v", v, lacks, err)
	}
	e.Pass.Holder.Tag, e.Second.Holder.Tag, e.Second.Issuer, e.Second.Issued = "a", "b", "CN-310000", july.Add(-time.Hour)
	v, _, err = p.Replay(rowOf(p, e))
	if err != nil || v.Reason != gatehouse.ReasonNotAccepted || v.Detail != twoHolders {
		t.Errorf("somebody else's was: %+v, %v", v, err)
	}
}

func TestARowOfAWayWithoutACodeIsJudgedAgain(t *testing.T) {
	p := read(t, example(t, "families-and-paper"))
	fewer := read(t, swap(t, example(t, "families-and-paper"), "[[manual]]\nid = \"no-phone\"\nzh = \"无手机:核验身份证并登记\"\nen = \"No phone: check the identity card and note it\"\n", "",
		"[[test]]\nname = \"no telephone, identity card seen\"\nwithout = \"no-phone\"\nwant = { call = \"admit\", rule = \"no-phone\" }\n", "", "fever = 37.3", "fever = 37.0"))
	seen := func(e *gatehouse.Evidence) { e.History.Seen = e.At.Add(-time.Minute) }
	warm := func(e *gatehouse.Evidence) { seen(e); e.Skin.Skin = 37_100 }
	for _, c := range []struct {
		name   string
		way    gatehouse.Without
		change func(*gatehouse.Evidence)
		by     *Policy
		want   string
		lacks  string
	}{
		{"no telephone", gatehouse.NoPhone, seen, p, "admit  no-phone", ""},
		{"no telephone, and the way is gone", gatehouse.NoPhone, seen, fewer, "refer D54 ", ""},
		{"warm, and the line is lower", gatehouse.OnPaper, warm, fewer, "refer T40 ", ""},
		{"with somebody", gatehouse.Companion, seen, p, "admit  companion", ""},
		{"with nobody", gatehouse.Companion, func(*gatehouse.Evidence) {}, p, "refer D54 ", "whom they came with"},
	} {
		e := nobody(c.way)
		c.change(&e)
		v, lacks, err := c.by.Replay(rowOf(p, e))
		if got := v.Call.String() + " " + string(v.Reason) + " " + v.Rule; err != nil || got != c.want || strings.Join(lacks, ", ") != c.lacks {
			t.Errorf("%s: %s (%s), lacks %q, %v; want %s, lacks %s", c.name, got, v.Detail, lacks, err, c.want, c.lacks)
		}
	}
}

func TestARowTellsThatAnExtraProofWasMissing(t *testing.T) {
	body := swap(t, openHouse, "do = \"accept\"", "do = \"extra\"\nneeds = 'pass.tests.exists(t, t.result == \"negative\")'")
	p := read(t, body)
	for _, c := range []struct {
		call  gatehouse.Call
		facts []gatehouse.Fact
		lacks int
	}{
		{gatehouse.Refer, nil, 0},
		{gatehouse.Admit, []gatehouse.Fact{{Kind: "test", At: july.AddDate(0, 0, -1), Result: gatehouse.Negative}}, 1},
	} {
		e := somebody()
		e.Pass.Facts = c.facts
		row := rowOf(p, e)
		if v, lacks, err := p.Replay(row); err != nil || row.Verdict.Call != c.call || v.Call != c.call || len(lacks) != c.lacks {
			t.Errorf("%+v, then %+v, lacks %q, %v", v, row.Verdict, lacks, err)
		}
	}
}

func TestWhatWasNotKeptIsLacking(t *testing.T) {
	dormant, awake := read(t, example(t, "dormant")), everyday(t)
	e := somebody()
	e.Pass.Issuer, e.Pass.Grade = "CN-330100", gatehouse.Red
	_, lacks, err := awake.Replay(dormant.Keep(rowOf(dormant, e)))
	if got := strings.Join(lacks, ", "); err != nil || !strings.Contains(got, "pass.grade") || !strings.Contains(got, "skin") {
		t.Errorf("lacks %q, %v", got, err)
	}
}

func TestRowsOfNoJudgeAreNotJudgedAgain(t *testing.T) {
	p := everyday(t)
	for name, change := range map[string]func(*gatehouse.Passage){
		"a guard's":       func(r *gatehouse.Passage) { r.Amends, r.Verdict.Reason = 1, gatehouse.ReasonGuard },
		"a broken book's": func(r *gatehouse.Passage) { r.Verdict.Reason = gatehouse.ReasonLog },
		"a travel code alone": func(r *gatehouse.Passage) {
			r.Verdict.Call, r.Verdict.Reason = gatehouse.Hint, gatehouse.ReasonSecondCode
		},
	} {
		row := rowOf(p, somebody())
		change(&row)
		if _, _, err := p.Replay(row); !errors.Is(err, ErrNotJudged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	crowd := rowOf(p, somebody())
	crowd.Verdict = gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonCrowd, Detail: "two"}
	if v, _, err := p.Replay(crowd); err != nil || v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonCrowd {
		t.Errorf("the second of one frame: %+v, %v", v, err)
	}
	crowd.Grade = gatehouse.Red
	if v, _, err := p.Replay(crowd); err != nil || v.Reason != gatehouse.ReasonColour {
		t.Errorf("the second of one frame, red: %+v, %v", v, err)
	}
}

// By the policy that judged it, a row comes to the same verdict, or says what it lacks.
func TestARowComesToTheSameVerdictByTheSamePolicy(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 14))
	exact := 0
	for _, p := range allExamples(t) {
		name := p.doc.Title.En
		for range 300 {
			e := anybodyAt(random, p)
			row := rowOf(p, e)
			v, lacks, err := p.Replay(row)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			v.Says, v.Detail, row.Verdict.Detail = gatehouse.Words{}, "", ""
			if len(lacks) == 0 && v != row.Verdict {
				t.Fatalf("%s: %+v, then %+v, and nothing is lacking; of %+v", name, v, row.Verdict, row)
			}
			if len(lacks) == 0 {
				exact++
			}
		}
	}
	if exact < 500 {
		t.Errorf("%d exact: the law was not put to the test", exact)
	}
}
