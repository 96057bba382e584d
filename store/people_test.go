package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

func openPeople(t testing.TB, path string) *People {
	t.Helper()
	p, err := OpenPeople(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

var peopleDay = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// known puts a person with a state on record.
func known(t testing.TB, p *People, id byte, grade gatehouse.Grade) [16]byte {
	t.Helper()
	who := [16]byte{id}
	err := p.Change(t.Context(), who, func(r Record, found bool) (Change, error) {
		c := Change{At: peopleDay, Person: r.Person}
		c.Person.Last++
		c.Person.Declared = peopleDay
		c.Person.State = State{N: c.Person.Last, Grade: grade, Since: peopleDay, At: peopleDay}
		c.States = []State{c.Person.State}
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestPeopleGiveBackWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.db")
	p := openPeople(t, path)
	who := [16]byte{7}
	at := func(n int) time.Time { return peopleDay.Add(time.Duration(n) * time.Hour) }
	event := Event{N: 1, Indicator: gatehouse.Health, Kind: "temperature", At: at(1), Division: "330106", Risk: 2, Case: "A-1", Status: "confirmed",
		Finding: "f", Skin: 37_500, Source: "s", Operator: "o", Ref: "r", Digest: [32]byte{1}, Recorded: at(2), Policy: 3, Rule: "fever", Number: 42,
		Grade: gatehouse.Yellow, Days: 7, Until: at(200)}
	want := Record{
		Person: Person{ID: who, Name: "张*", Birth: "1950", Last: 5, Declared: at(0), Normal: at(1),
			State: State{N: 5, Grade: gatehouse.Yellow, Class: gatehouse.Health, Number: 42, Since: at(2), Until: at(200), Cause: 1, Why: "began", At: at(2)}},
		Events:       []Event{event},
		Trips:        []Trip{{N: 2, Division: "330106", In: at(-9), Out: at(-3), Risk: 1, Ref: "t", Digest: [32]byte{2}, Recorded: at(0)}},
		Declarations: []Declaration{{N: 3, Symptoms: true, Place: true, Ref: "d", Digest: [32]byte{3}, At: at(0), Checked: at(1), CheckedBy: "li"}},
		Corrections: []Correction{{Person: who, N: 4, Event: 1, By: "app", Reason: "no", Ref: "c", Digest: [32]byte{4}, Filed: at(3), State: "pending",
			Words: []Word{{By: "li", Word: "approve", Note: "yes", At: at(4)}}}},
	}
	want.History = []State{want.Person.State}
	err := p.Change(t.Context(), who, func(r Record, found bool) (Change, error) {
		if found || r.Person.ID != who {
			t.Errorf("before the first change: %v %+v", found, r)
		}
		return Change{At: at(2), Person: want.Person, Events: want.Events, Trips: want.Trips, Declarations: want.Declarations,
			Corrections: want.Corrections, States: want.History}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	p = openPeople(t, path)
	got, found, err := p.Record(t.Context(), who)
	if err != nil || !found || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v\n%+v\nwant\n%+v", found, err, got, want)
	}
	person, trips, fevers, found, err := p.Glance(t.Context(), who, at(-3))
	if err != nil || !found || fmt.Sprint(person) != fmt.Sprint(want.Person) || len(trips) != 1 || len(fevers) != 1 {
		t.Errorf("glance: %+v %+v %+v, %v", person, trips, fevers, err)
	}
	if n, first, err := p.Tally(t.Context(), "operator", "o", at(2), at(3)); n != 1 || err != nil || first.IsZero() {
		t.Errorf("tally %d since %v, %v", n, first, err)
	}

	// What an event was stays; that it ended is added.
	event.Ended, event.Grade = at(5), gatehouse.Green
	if err := p.Change(t.Context(), who, func(r Record, _ bool) (Change, error) {
		return Change{At: at(5), Person: r.Person, Events: []Event{event}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, _, err = p.Record(t.Context(), who); err != nil || got.Events[0].Grade != gatehouse.Yellow || !got.Events[0].Ended.Equal(at(5)) {
		t.Errorf("%+v, %v", got.Events[0], err)
	}
	if _, err := p.writer.Exec(`UPDATE event SET grade = 1`); err == nil {
		t.Error("an event's colour was changed")
	}
}

func TestChangeIsAllOrNothing(t *testing.T) {
	p := openPeople(t, filepath.Join(t.TempDir(), "people.db"))
	who := known(t, p, 1, gatehouse.Green)
	no := errors.New("no")
	if err := p.Change(t.Context(), who, func(Record, bool) (Change, error) { return Change{}, no }); err != no {
		t.Errorf("the answer came back as %v", err)
	}
	if err := p.Change(t.Context(), who, func(Record, bool) (Change, error) { return Change{}, nil }); err == nil {
		t.Error("an empty change wiped a person")
	}
	twice := State{N: 9, Grade: gatehouse.Red}
	if err := p.Change(t.Context(), who, func(r Record, _ bool) (Change, error) {
		r.Person.Name, r.Person.Last = "Y*", 9
		return Change{Person: r.Person, States: []State{twice, twice}, Audit: []Entry{{What: "x"}}}, nil
	}); err == nil {
		t.Error("two lines under one number")
	}
	r, _, err := p.Record(t.Context(), who)
	if err != nil || r.Person.Name != "" || len(r.History) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if trail, err := p.Trail(t.Context(), 0, 10); err != nil || len(trail) != 0 {
		t.Errorf("%+v, %v", trail, err)
	}
}

func TestCodeOfAnotherStateIsNotWrittenDown(t *testing.T) {
	p := openPeople(t, filepath.Join(t.TempDir(), "people.db"))
	who := known(t, p, 1, gatehouse.Green)
	if _, err := p.DayKey(t.Context(), "2026-05-01", make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	c := Code{ID: [12]byte{1}, Person: who, State: 1, Issued: peopleDay, Expires: peopleDay.Add(time.Hour), Tag: [8]byte{5}, Day: "2026-05-01"}
	if kept, fresh, err := p.Issue(t.Context(), c); err != nil || !fresh || kept != c {
		t.Fatalf("%+v %v %v", kept, fresh, err)
	}
	known(t, p, 1, gatehouse.Red)
	c.ID = [12]byte{2}
	if kept, fresh, err := p.Issue(t.Context(), c); err != nil || fresh || kept.State != 0 {
		t.Errorf("after the colour changed: %+v %v %v", kept, fresh, err)
	}
	if got, found, err := p.Tagged(t.Context(), c.Tag); got != who || !found || err != nil {
		t.Errorf("the tag leads to %x %v %v", got, found, err)
	}
	c.ID, c.State, c.Tag, c.Day = [12]byte{3}, 2, [8]byte{6}, "2026-04-01" // that day's key is gone
	if _, fresh, err := p.Issue(t.Context(), c); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	if _, found, err := p.Tagged(t.Context(), c.Tag); found || err != nil {
		t.Error("a tag outlives its key")
	}
}

// Codes race with a change of the colour: each one that was handed out for the old colour is
// taken back by the change, and none was written for it afterwards.
func TestNoCodeOfAnOldColourEscapesItsRevocation(t *testing.T) {
	p := openPeople(t, filepath.Join(t.TempDir(), "people.db"))
	who := known(t, p, 1, gatehouse.Green)
	var mu sync.Mutex
	var given [][12]byte
	var work sync.WaitGroup
	for g := range 8 {
		work.Go(func() {
			for i := range 40 {
				c := Code{ID: [12]byte{byte(g), byte(i)}, Person: who, State: 1, Issued: peopleDay, Expires: peopleDay.Add(time.Hour), Day: "x"}
				_, fresh, err := p.Issue(context.Background(), c)
				if err != nil {
					t.Error(err)
				}
				if fresh {
					mu.Lock()
					given = append(given, c.ID)
					mu.Unlock()
				}
			}
		})
	}
	err := p.Change(t.Context(), who, func(r Record, _ bool) (Change, error) {
		r.Person.Last++
		r.Person.State = State{N: r.Person.Last, Grade: gatehouse.Red}
		return Change{At: peopleDay, Person: r.Person, States: []State{r.Person.State}, Revoke: "began"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	work.Wait()
	for _, id := range given {
		if revoked, err := p.Revoked(t.Context(), id); err != nil || !revoked {
			t.Errorf("code %x is out and not taken back (%v)", id, err)
		}
	}
	back, err := p.Revocations(t.Context(), 0, 1000)
	if err != nil || len(back) != len(given) {
		t.Errorf("%d taken back of %d, %v", len(back), len(given), err)
	}
}

func TestAlteredAuditTrailDoesNotOpen(t *testing.T) {
	for name, c := range map[string]struct{ tamper, want string }{
		"a word":         {`UPDATE audit SET who = 'nobody' WHERE seq = 2`, "line 2 is not what was written"},
		"the time":       {`UPDATE audit SET at = at + 1 WHERE seq = 3`, "line 3 is not what was written"},
		"the hash":       {`UPDATE audit SET hash = zeroblob(32) WHERE seq = 4`, "line 4 is not what was written"},
		"a line gone":    {`DELETE FROM audit WHERE seq = 2`, "line 2 is missing"},
		"first gone":     {`DELETE FROM audit WHERE seq = 1`, "line 1 is missing"},
		"the end":        {`DELETE FROM audit WHERE seq = 4`, "ends at line 3, 4 were written"},
		"all":            {`DELETE FROM audit`, "ends at line 0, 4 were written"},
		"two swapped":    {`UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99`, "line 2 is not what was written"},
		"one between":    {`INSERT INTO audit SELECT 5, at, who, role, what, about, why, detail, hash FROM audit WHERE seq = 4`, "line 5 is not what was written"},
		"words slid":     {`UPDATE audit SET who = who || role, role = '' WHERE seq = 1`, "line 1 is not what was written"},
		"nothing at all": {`SELECT 1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "people.db")
			p := openPeople(t, path)
			for i := range 4 {
				if err := p.Audit(t.Context(), Entry{At: peopleDay.Add(time.Duration(i) * time.Minute), Who: "li", Role: "officer", What: "record read", Why: "complaint"}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := p.writer.Exec(`DELETE FROM audit WHERE seq = 1`); err == nil {
				t.Fatal("a line was erased past its trigger")
			}
			if _, err := p.writer.Exec(`DROP TRIGGER audit_stays; DROP TRIGGER audit_keeps; ` + c.tamper); err != nil {
				t.Fatal(err)
			}
			p.Close()
			p, err := OpenPeople(t.Context(), path)
			if err == nil {
				p.Close()
			}
			if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
				t.Errorf("opened with %v, want %s", err, c.want)
			}
		})
	}
}

func TestPeopleFileIsNoOther(t *testing.T) {
	dir := t.TempDir()
	l, err := OpenLedger(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if p, err := OpenPeople(t.Context(), filepath.Join(dir, "ledger.db")); err == nil {
		p.Close()
		t.Error("a ledger was taken for people")
	}
}
