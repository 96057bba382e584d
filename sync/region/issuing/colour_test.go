package issuing

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestColourEndsWithTheLastInstantOfItsLastDay(t *testing.T) {
	for _, c := range []struct {
		zone, at string
		days     int64
		end      string // the first instant after it
	}{
		{"Asia/Shanghai", "2026-05-01T00:00:00+08:00", 7, "2026-05-09T00:00:00+08:00"},
		{"Asia/Shanghai", "2026-05-01T23:59:59.999+08:00", 7, "2026-05-09T00:00:00+08:00"},
		{"Asia/Shanghai", "2026-05-01T16:00:00Z", 7, "2026-05-10T00:00:00+08:00"}, // May 2 there
		{"Asia/Shanghai", "2026-05-01T12:00:00+08:00", 14, "2026-05-16T00:00:00+08:00"},
		{"Asia/Shanghai", "2026-02-20T12:00:00+08:00", 14, "2026-03-07T00:00:00+08:00"},
		{"Europe/Berlin", "2026-03-27T12:00:00+01:00", 7, "2026-04-04T00:00:00+02:00"}, // a day of 23 hours within
		{"Europe/Berlin", "2026-10-20T12:00:00+02:00", 14, "2026-11-04T00:00:00+01:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.Parse(time.RFC3339, c.end)
		if err != nil {
			t.Fatal(err)
		}
		end := endOfDay(at, c.days, zone)
		if !end.Equal(want) {
			t.Errorf("%s, %d days: ends before %v, want %v", c.at, c.days, end, want)
		}
		e := Event{N: 1, Grade: gatehouse.Yellow, Indicator: gatehouse.Place, At: at, Days: c.days, Until: end}
		r := Record{Events: []Event{e}}
		if got := colour(r, nil, end.Add(-time.Nanosecond)).Grade; got != gatehouse.Yellow {
			t.Errorf("%s: %v in the last instant of day %d, want yellow", c.at, got, c.days)
		}
		if got := colour(r, nil, end).Grade; got != gatehouse.Green {
			t.Errorf("%s: %v after day %d, want green", c.at, got, c.days)
		}
		if got := dayOf(at, end.Add(-time.Nanosecond), zone); got != c.days {
			t.Errorf("%s: the last day is day %d, want %d", c.at, got, c.days)
		}
		if got := dayOf(at, at, zone); got != 0 {
			t.Errorf("%s: its own day is day %d, want 0", c.at, got)
		}
	}
}

func TestYellowAndRedEndOnTheirDaysAtTheDesk(t *testing.T) {
	for kind, c := range map[string]struct {
		days   int
		colour gatehouse.Grade
	}{"secondary": {7, gatehouse.Yellow}, "close": {14, gatehouse.Red}} {
		w := newWorld(t)
		id := w.declared(1)
		q := w.report(id, "case-1")
		q.Kind = kind
		w.enter(cdc, q)
		midnight := time.Date(2026, 5, 11+c.days+1, 0, 0, 0, 0, shanghai(t))
		w.set(midnight.Add(-time.Millisecond))
		if a := w.want(id, c.colour); a.Event == nil || a.Event.Day != int64(c.days) || a.Event.Days != int64(c.days) {
			t.Errorf("%s: in the last instant the answer is %+v", kind, a.Event)
		}
		w.set(midnight.Add(5 * time.Hour)) // nobody looked meanwhile
		a := w.want(id, gatehouse.Green)
		if !a.Since.Equal(midnight) {
			t.Errorf("%s: green since %v, want %v", kind, a.Since, midnight)
		}
		if _, code := w.make(id, ""); code.Pass.Grade != gatehouse.Green || !code.Pass.Since.Equal(midnight) || code.Pass.Class != 0 {
			t.Errorf("%s: the code says %v since %v", kind, code.Pass.Grade, code.Pass.Since)
		}
	}
}

// TestNoFlipWithoutAnEvent plays random lives and asks at random times: each line of a history
// that changes the colour stands at the instant at which an event began, ended or was
// withdrawn, and settling again changes nothing.
func TestNoFlipWithoutAnEvent(t *testing.T) {
	rules, err := ParseRules(Example)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		desk := &Desk{Now: func() time.Time { return now }}
		record := Record{Person: Person{Declared: now}}
		instants := map[int64]bool{now.UnixMilli(): true}
		for range 40 {
			now = now.Add(time.Duration(r.IntN(72*60)) * time.Minute)
			w := desk.draft(record, rules, cdc)
			why := WhyRanOut
			switch r.IntN(5) {
			case 0:
				e := w.enter(Event{Indicator: gatehouse.Place, Kind: "stay", Risk: int64(r.IntN(4)), At: now.Add(-time.Duration(r.IntN(200)) * time.Hour), Ref: "x"})
				instants[e.Until.UnixMilli()] = true
				instants[now.UnixMilli()], why = true, WhyBegan
			case 1:
				if n := len(record.Events); n > 0 {
					if e := record.Events[r.IntN(n)]; active(e, now) {
						e.Withdrawn = now
						w.amend(e)
						instants[now.UnixMilli()], why = true, WhyWithdrawn
					}
				}
			}
			w.settle(why)
			lines := len(w.History)
			w.settle(WhyRanOut)
			w.settle(WhyBegan)
			if len(w.History) != lines {
				t.Fatalf("seed %d: settling again wrote %+v", seed, w.History[lines:])
			}
			record = w.Record
			if got, want := record.Person.State.Grade, colour(record, rules.Grey, now).Grade; got != want {
				t.Fatalf("seed %d: the state is %v, the events come to %v", seed, got, want)
			}
		}
		was := gatehouse.NoGrade
		for i, s := range record.History {
			if s.Grade != was && i > 0 && !instants[s.Since.UnixMilli()] {
				t.Fatalf("seed %d: %v since %v, when nothing began or ended", seed, s.Grade, s.Since)
			}
			if s.Grade == was && !s.Since.Equal(record.History[i-1].Since) {
				t.Fatalf("seed %d: the same colour got another since", seed)
			}
			if s.Grade != gatehouse.Green && s.Cause == 0 {
				t.Fatalf("seed %d: %v without a cause", seed, s.Grade)
			}
			was = s.Grade
		}
	}
}

func TestNewRulesGradeNewEventsOnly(t *testing.T) {
	w := newWorld(t)
	old, fresh := w.declared(1), w.declared(2)
	w.enter(cdc, w.report(old, "case-1"))
	milder := strings.Replace(string(Example), "version = 1 ", "version = 2 ", 1)
	milder = strings.Replace(milder, "status = [\"confirmed\"] ", "status = [\"suspected\"] ", 1)
	w.adopt(milder)
	w.enter(cdc, w.report(fresh, "case-1"))
	w.later(time.Hour)
	if a := w.want(old, gatehouse.Red); a.Event.Policy != 1 || a.Event.Words.En != "Close contact of a confirmed case" {
		t.Errorf("the old colour is explained by %+v", a.Event)
	}
	if a := w.want(fresh, gatehouse.Yellow); a.Event.Policy != 2 || a.Event.Rule != "other-contact" {
		t.Errorf("the new colour is explained by %+v", a.Event)
	}
	if err := w.desk.Adopt(t.Context(), Example); err == nil {
		t.Error("a lower version was adopted")
	}
	if err := w.desk.Adopt(t.Context(), []byte(milder+"\n# other words")); err == nil {
		t.Error("another text was adopted under the same version")
	}
}

func TestWorstEventLeadsAndTheNextTakesOver(t *testing.T) {
	w := newWorld(t)
	id := w.declared(1)
	yellow := w.report(id, "case-1")
	yellow.Kind = "secondary"
	w.enter(cdc, yellow)
	since := w.want(id, gatehouse.Yellow).Since
	w.later(24 * time.Hour)
	another := w.report(id, "case-2")
	another.Kind = "secondary"
	w.enter(cdc, another)
	if a := w.want(id, gatehouse.Yellow); !a.Since.Equal(since) || a.Event.N == 0 {
		t.Errorf("a second yellow event moved since to %v", a.Since)
	}
	// The first runs out on day 7, the second a day later: the colour stays for it.
	w.set(time.Date(2026, 5, 19, 12, 0, 0, 0, shanghai(t)))
	if a := w.want(id, gatehouse.Yellow); !a.Since.Equal(since) || a.Event.Day != 7 {
		t.Errorf("the second event: %+v", a)
	}
	w.set(time.Date(2026, 5, 20, 0, 0, 0, 0, shanghai(t)))
	w.want(id, gatehouse.Green)
}
