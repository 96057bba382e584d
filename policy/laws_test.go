package policy

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"cel.dev/cel-go/cel"

	"gatehouse"
)

func allExamples(tb testing.TB) (all []*Policy) {
	tb.Helper()
	names, err := fs.Glob(Examples(), "*.toml")
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range names {
		all = append(all, read(tb, example(tb, strings.TrimSuffix(name, ".toml"))))
	}
	return all
}

// anybodyAt is a person made by chance, with or without a code, on a day of the policy's.
func anybodyAt(r *rand.Rand, p *Policy) gatehouse.Evidence {
	e := anybody(r)
	shift := p.firstNoon().AddDate(0, 0, r.IntN(60)).Sub(e.At)
	move := func(t *time.Time) {
		if !t.IsZero() {
			*t = t.Add(shift)
		}
	}
	move(&e.At)
	move(&e.History.Seen)
	move(&e.History.Graded)
	for _, pass := range []*gatehouse.Pass{e.Pass, e.Second} {
		if pass == nil {
			continue
		}
		move(&pass.Since)
		move(&pass.Issued)
		pass.Code = "0102"
		for i := range pass.Facts {
			move(&pass.Facts[i].At)
			move(&pass.Facts[i].Until)
		}
		if r.IntN(2) == 0 { // one that most policies would admit
			pass.Issuer, pass.Issued, pass.Since = p.site, e.At.Add(-time.Duration(r.IntN(90))*time.Minute), time.Time{}
		}
		if r.IntN(3) == 0 {
			pass.Expires = e.At.Add(time.Duration(r.IntN(600)-60) * time.Minute)
		}
	}
	e.Clock = r.IntN(10) > 0
	e.TrustAge = time.Duration(r.IntN(240)) * time.Hour
	switch r.IntN(8) {
	case 0:
		reasons := []gatehouse.Reason{"Q10", "Q11", "Q12", "S20", "S21", "S22", "S23", "V30", "V31", "V32"}
		e.Pass, e.Second, e.Refusal = nil, nil, &gatehouse.Refusal{Reason: reasons[r.IntN(len(reasons))], Detail: "so"}
	case 1:
		e.Pass, e.Second, e.Without = nil, nil, gatehouse.Without(1+r.IntN(3))
	}
	return e
}

func TestExplainAndJudgeAgreeOnAnybody(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	calls := map[gatehouse.Call]int{}
	for _, p := range allExamples(t) {
		name := p.doc.Title.En
		for range 300 {
			e := anybodyAt(random, p)
			v := p.Judge(e)
			if x := p.Explain(e).Verdict; x != v {
				t.Fatalf("%s: explained as %+v, judged as %+v", name, x, v)
			}
			if again := p.Judge(e); again != v {
				t.Fatalf("%s: judged as %+v, then as %+v", name, v, again)
			}
			calls[v.Call]++
		}
	}
	for call := gatehouse.Deny; call <= gatehouse.Hint; call++ {
		if calls[call] < 20 {
			t.Errorf("%s came %d times: the law was not put to the test", call, calls[call])
		}
	}
}

// The floors, of every example and of anybody: no clock, no trust, no proof, no recognition,
// red or a fever never opens.
func TestNoExampleAdmitsOverAFloor(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	admitted := 0
	for _, p := range allExamples(t) {
		name := p.doc.Title.En
		for range 2000 {
			e := anybodyAt(random, p)
			v := p.Judge(e)
			if v.Call != gatehouse.Admit {
				continue
			}
			admitted++
			_, measures := p.Measures()
			if !e.Clock || p.State(e.TrustAge) == gatehouse.TrustTooOld || v.Trust == gatehouse.TrustTooOld || e.Refusal != nil || !p.Holds(e.At) ||
				v.Here == gatehouse.Red || v.Reason != gatehouse.ReasonNone || v.Rule == "" ||
				measures && p.skin.read(e.Skin).state != skinOK && !(p.skin.skipFault && e.Skin.Quality == gatehouse.Faulty) ||
				e.Pass == nil && e.Without == gatehouse.WithCode || e.Pass != nil && p.matrix.find(p, e.Pass, &e) == nil {
				t.Fatalf("%s: admitted as %+v: %+v %+v", name, v, e, e.Pass)
			}
		}
	}
	if admitted < 500 {
		t.Errorf("%d admitted: the law was not put to the test", admitted)
	}
}

func TestOneExampleServesManyLanesAtOnce(t *testing.T) {
	all := allExamples(t)
	var lanes sync.WaitGroup
	for lane := range 4 {
		lanes.Go(func() {
			random := rand.New(rand.NewPCG(9, uint64(lane)))
			for _, p := range all {
				for range 40 {
					e := anybodyAt(random, p)
					if v, x := p.Judge(e), p.Explain(e).Verdict; v != x {
						t.Errorf("%s: %+v, %+v", p.doc.Title.En, v, x)
					}
				}
			}
		})
	}
	lanes.Wait()
}

// What a rule cannot answer is for staff, whatever the rule would have said.
func TestARuleThatCannotTellAsksStaff(t *testing.T) {
	for name, when := range map[string]string{
		"a time that is not stated":         `hours_since(pass.since) > 1`,
		"a time that is not stated, looped": `pass.tests.exists(t, hours_since(t.until) < 1)`,
		"division by nothing":               `size(pass.tests) / size(pass.travel) > 1`,
		"an element that is not there":      `pass.tests[7].result == "negative"`,
		"a sum that overflows":              `9223372036854775807 + size(pass.tests) > 0`,
		"a time out of range":               `timestamp("9999-12-31T23:59:00Z") + (now - pass.issued) > now`,
		"a date that is none":               `timestamp(history.seen_at) < now`,
		"a number that is none":             `int(pass.format) > 1`,
	} {
		for _, call := range []string{"admit", "deny\"\nreason = \"V33", "refer\"\nreason = \"V33", "hint\"\nreason = \"V33"} {
			p := read(t, openHouse+"[[rule]]\nid = \"asks\"\ncall = \""+call+"\"\nwhen = '"+when+"'\n")
			e := somebody()
			e.Pass.Facts = []gatehouse.Fact{{Kind: "test", At: july.AddDate(0, 0, -1), Result: gatehouse.Negative}}
			if v := p.Judge(e); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNoRule || v.Rule != "asks" {
				t.Errorf("%s, %.5s: %+v", name, call, v)
			}
		}
	}
}

// The bound that the check reckons holds for the largest evidence that is judged at all.
func TestNoRuleCostsMoreThanWasReckoned(t *testing.T) {
	p := read(t, openHouse+tables)
	e := somebody()
	long := strings.Repeat("3", maxWord)
	for range maxFacts {
		e.Pass.Facts = append(e.Pass.Facts, gatehouse.Fact{Kind: "travel", At: july.AddDate(0, 0, -1), Until: july.AddDate(0, 0, -1), Division: long, Method: long, Product: long})
	}
	second := *e.Pass
	e.Second, e.History.SeenAt = &second, long
	for _, text := range append(asked,
		`(pass.travel + second.travel).exists(a, a.division.contains("4"))`,
		`(pass.travel + second.travel + pass.travel).filter(a, a.division != "4").exists(b, b.division.contains("34"))`,
		`pass.travel.exists(a, second.travel.exists(b, a.division.contains("4") && b.method.contains("5")))`,
		`pass.travel.all(a, (a.division + a.division + a.division).contains(a.division))`,
		`pass.travel.exists(a, a.division in ["1", "2", "3"])`,
		`history.seen_at.contains("34") || (history.seen_at + history.seen_at).endsWith("4")`,
		`size(pass.travel.filter(a, risk(a.division) == "unknown")) == 64 && pass.travel.exists(a, a.product > "34")`,
	) {
		c, complaints := p.machine.compile(text)
		if len(complaints) > 0 {
			if strings.Contains(fmt.Sprint(complaints), "it can cost") {
				continue
			}
			t.Fatalf("%s: %v", text, complaints)
		}
		if c.ast == nil {
			continue
		}
		j := &judging{person: &person{policy: p, e: &e, pass: e.Pass}}
		j.look()
		if took := p.machine.count(c.ast, j.person); took > c.cost {
			t.Errorf("%s: it took %d, at most %d were reckoned", text, took, c.cost)
		}
	}
}

func TestEvidenceLargerThanAnyHonestOneIsReferred(t *testing.T) {
	p := read(t, openHouse)
	long := strings.Repeat("x", maxWord+1)
	for name, change := range map[string]func(*gatehouse.Evidence){
		"facts":    func(e *gatehouse.Evidence) { e.Pass.Facts = make([]gatehouse.Fact, maxFacts+1) },
		"division": func(e *gatehouse.Evidence) { e.Pass.Facts = []gatehouse.Fact{{Division: long}} },
		"issuer":   func(e *gatehouse.Evidence) { e.Pass.Issuer = gatehouse.Issuer("CN-" + long) },
		"second":   func(e *gatehouse.Evidence) { e.Second = &gatehouse.Pass{Facts: make([]gatehouse.Fact, maxFacts+1)} },
		"seen at":  func(e *gatehouse.Evidence) { e.History.SeenAt = long },
		"colour":   func(e *gatehouse.Evidence) { e.Second = &gatehouse.Pass{Grade: 200} },
	} {
		e := somebody()
		change(&e)
		if v := p.Judge(e); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonMalformed || len(v.Detail) > 200 {
			t.Errorf("%s: %+v", name, v)
		}
	}
	most := somebody()
	most.Pass.Facts = make([]gatehouse.Fact, maxFacts)
	if v := p.Judge(most); v.Call != gatehouse.Admit {
		t.Errorf("as many facts as are judged: %+v", v)
	}
}

// Numbers that no honest gate gives: nobody passes by them, and nothing panics.
func TestNumbersOutOfAllRangeOpenNothing(t *testing.T) {
	p := everyday(t)
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for name, change := range map[string]func(*gatehouse.Evidence){
		"trust of all ages":      func(e *gatehouse.Evidence) { e.TrustAge = 1<<63 - 1 },
		"coldest":                func(e *gatehouse.Evidence) { e.Skin.Skin, e.Skin.Ambient = -1<<31, 1<<31-1 },
		"hottest":                func(e *gatehouse.Evidence) { e.Skin.Skin, e.Skin.Ambient = 1<<31-1, -1<<31 },
		"time nought":            func(e *gatehouse.Evidence) { e.At = time.Time{} },
		"the end of time":        func(e *gatehouse.Evidence) { e.At = far },
		"made at the end":        func(e *gatehouse.Evidence) { e.Pass.Issued = far },
		"made at the beginning":  func(e *gatehouse.Evidence) { e.Pass.Issued = time.Unix(0, 0) },
		"ended at the beginning": func(e *gatehouse.Evidence) { e.Pass.Expires = time.Unix(0, 0) },
		"counts from the end":    func(e *gatehouse.Evidence) { e.Pass.NotBefore = far },
		"a class of all bits":    func(e *gatehouse.Evidence) { e.Pass.Class, e.Pass.Grade = 255, gatehouse.Red },
		"a colour before":        func(e *gatehouse.Evidence) { e.Pass.Grade, e.History.Grade = 255, 255 },
		"seen at the end":        func(e *gatehouse.Evidence) { e.History.Seen = far },
	} {
		e := somebody()
		change(&e)
		if v := p.Explain(e).Verdict; v.Call == gatehouse.Admit {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// Words that tell of health are not said where nobody's health may be told.
func TestADormantPolicySaysNothingOfHealth(t *testing.T) {
	p := read(t, swap(t, example(t, "dormant"), "do = \"accept\"\n", "do = \"accept\"\n\n[[recognise]]\nissuer = \"CN-650000\"\ndo = \"refuse\"\nzh = \"{grade}\"\nen = \"Your {grade} is not for here\"\n",
		"zh = \"没有可认可的证明\"\nen = \"It states nothing that counts here\"", "zh = \"{grade}\"\nen = \"Nothing counts of your {grade}\""))
	for _, change := range []func(*gatehouse.Evidence){
		func(e *gatehouse.Evidence) { e.Pass.Issuer = "CN-650000" },
		func(e *gatehouse.Evidence) { e.Pass.Format = "SHC" },
	} {
		e := somebody()
		e.Pass.Grade = gatehouse.Yellow
		change(&e)
		if v := p.Judge(e); v.Call != gatehouse.Refer || strings.Contains(fmt.Sprint(v), "yellow") || strings.Contains(fmt.Sprint(v), "黄") {
			t.Errorf("%+v", v)
		}
	}
}

func TestAListsElementHasANameOfItsOwn(t *testing.T) {
	for _, name := range []string{"now", "here", "pass"} {
		_, err := Read([]byte(openHouse + "[[rule]]\nid = \"a\"\ncall = \"refer\"\nreason = \"V33\"\nwhen = 'pass.tests.exists(" + name + ", " + name + ".result == \"positive\")'\n"))
		if err == nil || !strings.Contains(err.Error(), "call each of the list otherwise") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWordsOfTheDefaultKeepToThePurpose(t *testing.T) {
	_, err := Read([]byte(swap(t, openHouse, `reads = ["age", "seen", "colour",`, `reads = ["age", "seen",`, "reason = \"V35\"\n", "reason = \"V35\"\nzh = \"{grade}\"\nen = \"{grade}\"\n")))
	if err == nil || !strings.Contains(err.Error(), `default: purpose lock: its words tell of ["colour"]`) {
		t.Errorf("%v", err)
	}
}

func TestASecondCodeOfNobodyRecognisedCountsForNothing(t *testing.T) {
	p := read(t, openHouse+"[[rule]]\nid = \"tested\"\ncall = \"admit\"\nwhen = 'second.tests.exists(t, t.result == \"negative\")'\n")
	e := somebody()
	e.Second = &gatehouse.Pass{Format: "RHC1", Issuer: "DE", Issued: july, Facts: []gatehouse.Fact{{Kind: "test", Result: gatehouse.Negative, At: july}}}
	if v := p.Judge(e); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNotAccepted {
		t.Errorf("%+v", v)
	}
}

// A rule that is stopped because it costs too much has not been answered.
func TestARuleThatIsStoppedAsksStaff(t *testing.T) {
	for _, call := range []string{"admit", "deny\"\nreason = \"V33"} {
		p := read(t, openHouse+"[[rule]]\nid = \"looks\"\ncall = \""+call+"\"\nwhen = 'pass.tests.exists(t, t.result == \"negative\")'\n")
		r := p.rules[1]
		var err error
		if r.program, err = p.machine.env.Program(r.ast, cel.CostLimit(3)); err != nil {
			t.Fatal(err)
		}
		e := somebody()
		e.Pass.Facts = []gatehouse.Fact{{Kind: "test", At: july.AddDate(0, 0, -1), Result: gatehouse.Negative}}
		if v := p.Judge(e); v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonNoRule || v.Rule != "looks" {
			t.Errorf("%.5s: %+v", call, v)
		}
	}
}

func TestARuleHoldsFromItsFirstInstantUpToItsLast(t *testing.T) {
	p := read(t, openHouse+"[[rule]]\nid = \"closed\"\ncall = \"deny\"\nreason = \"V35\"\nwhen = 'true'\nfrom = 2020-08-01\nuntil = 2020-08-03\n")
	for at, want := range map[string]gatehouse.Call{
		"2020-07-31T23:59:59+08:00": gatehouse.Admit,
		"2020-08-01T00:00:00+08:00": gatehouse.Deny,
		"2020-08-03T23:59:59+08:00": gatehouse.Deny,
		"2020-08-04T00:00:00+08:00": gatehouse.Admit,
	} {
		e := somebody()
		var err error
		if e.At, err = time.Parse(time.RFC3339, at); err != nil {
			t.Fatal(err)
		}
		e.Pass.Issued, e.Pass.Expires = e.At.Add(-time.Minute), e.At.Add(time.Hour)
		if v := p.Judge(e); v.Call != want {
			t.Errorf("%s: %+v, want %s", at, v, want)
		}
	}
}

// The order of rules decides which of two equally bad answers is told, and never the call.
func TestTheOrderOfRulesDoesNotChangeTheCall(t *testing.T) {
	body := example(t, "everyday")
	head, rest, _ := strings.Cut(body, "# Colours.")
	parts := strings.Split(rest, "\n[[rule]]\n")
	last, tail, _ := strings.Cut(parts[len(parts)-1], "\n[[manual]]\n")
	_, tests, _ := strings.Cut(tail, "\n[[test]]\n")
	parts[len(parts)-1] = last
	turned := head + "\n[[test]]\n" + tests
	for i := len(parts) - 1; i > 0; i-- {
		turned += "\n[[rule]]\n" + parts[i]
	}
	a, b := read(t, body), read(t, turned)
	if len(a.rules) != len(b.rules) || a.rules[0].id != b.rules[len(b.rules)-1].id {
		t.Fatalf("%d rules, turned %d", len(a.rules), len(b.rules))
	}
	random := rand.New(rand.NewPCG(6, 28))
	for range 2000 {
		e := anybodyAt(random, a)
		if e.Without != gatehouse.WithCode {
			continue
		}
		if v, w := a.Judge(e), b.Judge(e); v.Call != w.Call || v.Here != w.Here {
			t.Fatalf("%+v, turned round %+v", v, w)
		}
	}
}
