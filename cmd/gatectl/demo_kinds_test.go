package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/credential/revocation"
	"gatehouse/credential/trust"
	"gatehouse/gate"
	"gatehouse/policy"
	"gatehouse/sync/site"
)

func TestDemoPolicyBearsItsTests(t *testing.T) {
	now := time.Now()
	for version, high := range map[int][]string{1: riskBefore(), 2: riskAfter()} {
		p, results, err := policy.Ready(demoPolicy(version, now, high))
		if err != nil {
			t.Fatalf("version %d: %v %+v", version, err, results)
		}
		if p.Name() != fmt.Sprintf("CN-330100/%d", version) || !p.Holds(now) {
			t.Errorf("%s, and it holds now: %v", p.Name(), p.Holds(now))
		}
		if untested := p.Untested(); len(untested) > 0 {
			t.Errorf("no test is decided by %v", untested)
		}
	}
	old, _, err := policy.Ready(demoPolicy(1, now, riskBefore()))
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := policy.Ready(demoPolicy(2, now, riskAfter()))
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Follows(old); err != nil {
		t.Error(err)
	}
	changes := policy.Diff(old, next)
	if !slices.ContainsFunc(changes, func(c policy.Change) bool { return strings.Contains(c.Key, shulan) && c.New == "high" }) {
		t.Errorf("Shulan is not among the changes: %v", changes)
	}
}

func TestDemoQueueIsItsSeeds(t *testing.T) {
	order := func(seed uint64) []string {
		t.Helper()
		k, err := demoKit()
		if err != nil {
			t.Fatal(err)
		}
		people, err := k.queue(seed, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var who []string
		for i, p := range people {
			who = append(who, p.who)
			for _, text := range p.texts {
				if len(text) > 1500 {
					t.Errorf("%s: a code of %d letters", p.who, len(text))
				}
				if i > 0 && slices.Contains(people[i-1].texts, text) && text != menu {
					t.Errorf("%s: the code is held, and not shown anew", p.who)
				}
			}
		}
		return who
	}
	first := order(7)
	if !slices.Equal(first, order(7)) {
		t.Error("the same seed, another queue")
	}
	if slices.Equal(first, order(8)) {
		t.Error("another seed, the same queue")
	}
	round := len(first) / rounds
	if first[0] != green.who {
		t.Errorf("the first is %q", first[0])
	}
	if round > 36 {
		t.Errorf("%d people a round: more than 90 seconds", round)
	}
	all := slices.Compact(slices.Sorted(slices.Values(first)))
	if met := slices.Compact(slices.Sorted(slices.Values(first[:round]))); !slices.Equal(met, all) {
		t.Errorf("in the first round were %d of %d kinds", len(met), len(all))
	}
}

// A demoLane is every organ that the demo's people do not need to be real.
type demoLane struct {
	at     time.Time
	person person
	seq    gatehouse.Seq
	policy *policy.Policy
	set    *trust.Set
	codes  credential.Verifier
}

func (l *demoLane) Now() (time.Time, bool)         { return l.at, true }
func (l *demoLane) Age(at time.Time) time.Duration { return l.set.Age(at) }
func (l *demoLane) Open(context.Context) error     { return nil }
func (l *demoLane) Show(gate.View)                 {}
func (l *demoLane) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	return l.policy.Judge(e)
}

func (l *demoLane) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	pass, err := l.codes.Verify(text, at)
	if err != nil {
		return pass, err
	}
	return l.policy.Narrow(pass), nil
}

func (l *demoLane) Skin(context.Context) (gatehouse.Measurement, error) {
	m := gatehouse.Measurement{Skin: gatehouse.Temperature(l.person.skin), Ambient: 24_000, Quality: gatehouse.Steady, Readings: 5}
	if l.person.fault != "" {
		m.Quality = gatehouse.Faulty
	}
	return m, nil
}

func (l *demoLane) Record(_ context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	l.seq++
	p.Seq = l.seq
	return p, nil
}

func (l *demoLane) Passage(context.Context, gatehouse.Seq) (gatehouse.Passage, error) {
	return gatehouse.Passage{}, gate.ErrNoPassage
}

// adopt takes over what is in use in a folder, as a gate does.
func (l *demoLane) adopt(t *testing.T, dir string) {
	t.Helper()
	l.set = labGate(t, dir).Current()
	l.policy = policyOf(t, l.set, hangzhou)
	at, size, ok := l.set.Section(hangzhou, trust.Revocations)
	if !ok {
		t.Fatal("no revocations")
	}
	list, err := revocation.Open(at, size)
	if err != nil {
		t.Fatal(err)
	}
	lists := revocation.Set{}
	lists.Add(hangzhou, list)
	l.codes = credential.Verifier{Keys: l.set, Revoked: lists}
}

// line is an outcome in short: what the summary's table says of it, without the words.
func line(o outcome) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %q %s %s", o.Call, o.Reason, o.Rule, o.Agreement, o.Here, o.Second)), " ")
}

// TestEachKindOfTheDemoIsJudgedAsItSays sends a whole round through a lane before the demo's
// events, and one after.
func TestEachKindOfTheDemoIsJudgedAsItSays(t *testing.T) {
	dir, now := t.TempDir(), time.Now().Truncate(time.Second)
	k, err := demoKit()
	if err != nil {
		t.Fatal(err)
	}
	people, err := k.queue(1, now)
	if err != nil {
		t.Fatal(err)
	}
	k.of(hangzhou).policy = demoPolicy(1, now, riskBefore())
	if err := k.write(dir, []string{"localhost"}, now); err != nil {
		t.Fatal(err)
	}
	organs := &demoLane{at: now}
	organs.adopt(t, dir)
	memory := &site.Site{Gate: "test", Key: make([]byte, 32), Now: func() time.Time { return organs.at }}
	lane := &gate.Lane{Name: "test", Verifier: organs, Thermometer: organs, Judge: organs, Memory: memory, Log: organs,
		Barrier: organs, Screen: organs, Clock: organs, Trust: organs, Tries: func() int { return 1 }, Logger: slog.New(slog.DiscardHandler)}
	d := &demo{people: people, begin: now}
	round := func(people []person) map[string][]string {
		t.Helper()
		var s summary
		s.ByCall, s.ByReason, s.ByPolicy = map[string]int{}, map[gatehouse.Reason]int{}, map[string]int{}
		for _, p := range people {
			organs.person = p
			for _, text := range p.texts {
				row, err := lane.Admit(t.Context(), gatehouse.Sighting{Text: text, At: organs.at})
				if err != nil {
					t.Fatalf("%s: %v", p.who, err)
				}
				if row.Seq == 0 {
					continue // a menu beside a code
				}
				if who := d.who(row); who != p.who {
					t.Errorf("a passage of %q is told of %q", p.who, who)
				}
				s.add(p.who, row)
			}
			organs.at = organs.at.Add(showFor + gapFor)
		}
		met := map[string][]string{}
		for _, o := range s.ByKind {
			met[o.Who] = append(met[o.Who], line(o))
		}
		return met
	}
	want := map[string][]string{
		"green, healthy":                              {`admit green "" green`},
		fromShulan:                                    {`admit green "" green`},
		fromChengdu:                                   {`admit green "four provinces, May 2020" green`},
		"green of Guangzhou":                          {`admit green "four provinces, May 2020" green`},
		"red of Harbin, for a contact":                {`refer V33 not-green "Hangzhou reads Heilongjiang" yellow`},
		"Urumqi, tested yesterday":                    {`admit green "with a test of 48 hours" green`},
		"Urumqi, a test of three days ago":            {`refer V35 "with a test of 48 hours" green`},
		"yellow":                                      {`refer V33 not-green "" yellow`},
		"yellow, in a county now high-risk":           {`deny V33 yellow-from-high-risk "" yellow`},
		"red":                                         {`deny V33 red "" red`},
		"green, signed with SM2":                      {`admit green "" green`},
		"certificate of Germany, negative test":       {`admit negative-test "travel certificates of the EU"`},
		"taken back by its issuer":                    {`deny V32 ""`},
		"expired":                                     {`deny V30 ""`},
		"screenshot of last night":                    {`deny V30 old-code "" green`},
		"altered after it was signed":                 {`deny S20 ""`},
		"issuer that nobody vouches for":              {`refer S21 ""`},
		"a menu, not a health code":                   {`hint Q10 ""`},
		"green, glare on the screen":                  {`admit green "" green`},
		"green, a menu beside it":                     {`admit green "" green`},
		"two people at once":                          {`admit green "" green`, `refer Q14 "" green`},
		"fever":                                       {`refer T40 "" green`},
		"cold forehead":                               {`refer T41 "" green`},
		"the thermometer's bus is noisy":              {`refer T42 "" green`},
		"green, shown twice":                          {`admit green "" green`, `refer V34 shown-twice "" green`},
		"green, and then red: green":                  {`admit green "" green`},
		"green, and then red: red":                    {`deny V36 turned-red "" red`},
		"travel code, at home; then green":            {`hint Q13 ""`, `admit green "" green TTC1`},
		"travel code of a high-risk city; then green": {`hint Q13 ""`, `refer V33 phone-from-high-risk "" green TTC1`},
	}
	check := func(met map[string][]string) {
		t.Helper()
		for _, who := range slices.Sorted(maps.Keys(want)) {
			if !slices.Equal(met[who], want[who]) {
				t.Errorf("%s: %q, want %q", who, met[who], want[who])
			}
		}
		if len(met) != len(want) {
			t.Errorf("%d kinds, want %d", len(met), len(want))
		}
	}
	one := len(people) / rounds
	check(round(people[:one]))

	d.dir, d.kit, d.out, d.asJSON = dir, k, nil, true
	for _, event := range []func() error{d.raiseRisk, d.withdrawKey} {
		if err := event(); err != nil {
			t.Fatal(err)
		}
	}
	takeIn(t, dir, time.Now())
	organs.adopt(t, dir)
	want[fromShulan] = []string{`refer V33 from-high-risk "" green`}
	want[fromChengdu] = []string{`deny S22 ""`}
	check(round(people[one : 2*one]))
}

// takeIn adopts a kit's repository into its gate's folder once more.
func takeIn(t *testing.T, dir string, at time.Time) {
	t.Helper()
	src, closer, err := trust.OpenFolder(filepath.Join(dir, "nation"))
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	set, err := labGate(t, dir).Adopt(src, at, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Regions() {
		if r.Fault != "" {
			t.Errorf("%s: %s", r.ID, r.Fault)
		}
	}
}
