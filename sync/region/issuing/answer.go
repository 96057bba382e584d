package issuing

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"gatehouse"
)

// An Answer says which colour somebody has, and why.
type Answer struct {
	Colour     gatehouse.Grade `json:"colour"`
	Since      time.Time       `json:"since,omitzero"`
	Until      time.Time       `json:"until,omitzero"` // when it changes by itself
	Indicators []string        `json:"indicators,omitempty"`
	Event      *Cause          `json:"event,omitempty"` // nil when nothing speaks against green
	Complaint  Complaints      `json:"complaint"`
}

// A Cause is the event behind a colour, as its holder may read it.
type Cause struct {
	N         int64           `json:"event"`
	Indicator string          `json:"indicator"`
	Kind      string          `json:"kind"`
	At        time.Time       `json:"at"` // when the days begin to count
	Day       int64           `json:"day"`
	Days      int64           `json:"days"`
	Rule      string          `json:"rule"`
	Policy    int64           `json:"policy"`
	Words     gatehouse.Words `json:"words"`
	Source    string          `json:"source"`
}

func (r *Rules) answer(p Person, events []Event, now time.Time) Answer {
	s := p.State
	a := Answer{Colour: s.Grade, Since: s.Since, Until: s.Until, Complaint: r.Contact}
	for _, c := range []gatehouse.Class{gatehouse.Place, gatehouse.Contact, gatehouse.Health} {
		if s.Class&c != 0 {
			a.Indicators = append(a.Indicators, indicatorOf(c))
		}
	}
	if i := slices.IndexFunc(events, func(e Event) bool { return e.N == s.Cause && e.Rule != "" }); i >= 0 {
		e := events[i]
		a.Event = &Cause{N: e.N, Indicator: indicatorOf(e.Indicator), Kind: e.Kind, At: e.At, Days: e.Days,
			Day: min(max(dayOf(e.At, now, r.zone), 0), e.Days), Rule: e.Rule, Policy: e.Policy, Source: e.Source}
		if g := r.rule(e.Rule); g != nil && e.Policy == r.Version {
			a.Event.Words = gatehouse.Words{Zh: g.Zh, En: g.En}
		}
	}
	return a
}

// explain is answer with the words of the rules that graded the event, whatever their
// version.
func (d *Desk) explain(ctx context.Context, rules *Rules, p Person, events []Event, now time.Time) Answer {
	a := rules.answer(p, events, now)
	if a.Event != nil && a.Event.Policy != rules.Version {
		if old := d.rulesOf(ctx, a.Event.Policy); old != nil {
			if g := old.rule(a.Event.Rule); g != nil {
				a.Event.Words = gatehouse.Words{Zh: g.Zh, En: g.En}
			}
		}
	}
	return a
}

// Query tells a person, through their own program, which colour they have and why.
func (d *Desk) Query(ctx context.Context, caller Caller, i Identity) (Answer, error) {
	rules, err := d.open()
	if err != nil {
		return Answer{}, err
	}
	if caller.Role != App {
		return Answer{}, notYours(App)
	}
	if err := i.Check(); err != nil {
		return Answer{}, err
	}
	r, err := d.current(ctx, rules, d.personID(i))
	if err != nil {
		return Answer{}, err
	}
	return d.explain(ctx, rules, r.Person, r.Events, d.Now()), nil
}

// current is a record whose colour is that of now.
func (d *Desk) current(ctx context.Context, rules *Rules, id PersonID) (Record, error) {
	r, found, err := d.Store.Record(ctx, id)
	if err != nil {
		return Record{}, err
	}
	if !found {
		return Record{}, undeclared()
	}
	if ranOut(r.Person, d.Now()) {
		if err := d.runOut(ctx, rules, id); err != nil {
			return Record{}, err
		}
		r, _, err = d.Store.Record(ctx, id)
	}
	return r, err
}

func ranOut(p Person, now time.Time) bool {
	return !p.State.Until.IsZero() && !now.Before(p.State.Until)
}

// runOut writes down what a day counter did meanwhile.
func (d *Desk) runOut(ctx context.Context, rules *Rules, id PersonID) error {
	return d.Store.Change(ctx, id, func(r Record, found bool) (Change, error) {
		w := d.draft(r, rules, Caller{Name: "region"})
		w.settle(WhyRanOut)
		return w.done(), nil
	})
}

// A Search is an operator's look at one person, for a purpose.
type Search struct {
	Identity Identity
	Tag      string // of 8 bytes in hex, in place of an identity
	Person   string // the region's own id of the person in hex, in place of both
	Purpose  string // one of the rules'
	Note     string // which case
}

// A Sheet is what an operator sees of a person.
type Sheet struct {
	ID     string
	Record Record
	Answer Answer
	Now    time.Time
	Zone   *time.Location
	Rules  *Rules
}

// Look reads one person's record. It is written to the audit trail before it is read, also
// when nobody is found.
func (d *Desk) Look(ctx context.Context, caller Caller, s Search) (Sheet, error) {
	rules := d.Rules()
	if rules == nil {
		return Sheet{}, no(Closed, "ask the region", "no rules are in force")
	}
	if caller.Role != Viewer && caller.Role != Officer {
		return Sheet{}, notYours(Viewer, Officer)
	}
	if !slices.Contains(rules.Purposes, s.Purpose) {
		return Sheet{}, no(Malformed, "choose one of the purposes that the rules name", "a record is read for a purpose")
	}
	if !shown(s.Note, 3, maxNote) {
		return Sheet{}, no(Malformed, "name the case or the complaint", "a note of 3 to %d bytes is needed", maxNote)
	}
	id, found, err := d.find(ctx, s)
	if err != nil {
		return Sheet{}, err
	}
	about := ""
	if found {
		about = hex.EncodeToString(id[:])
	}
	if err := d.Store.Audit(ctx, d.entry(caller, "record read", about, s.Purpose, s.Note)); err != nil {
		return Sheet{}, err
	}
	missing := no(Missing, "check the number or the tag", "nobody is on record under it")
	if !found {
		return Sheet{}, missing
	}
	r, err := d.current(ctx, rules, id)
	var none *No
	if errors.As(err, &none) && none.Kind == Missing {
		return Sheet{}, missing
	}
	if err != nil {
		return Sheet{}, err
	}
	return Sheet{ID: about, Record: r, Answer: d.explain(ctx, rules, r.Person, r.Events, d.Now()), Now: d.Now(), Zone: rules.zone, Rules: rules}, nil
}

func (d *Desk) find(ctx context.Context, s Search) (PersonID, bool, error) {
	switch {
	case s.Person != "":
		id, err := ParsePerson(s.Person)
		return id, err == nil, err
	case s.Tag != "":
		b, err := hex.DecodeString(s.Tag)
		if err != nil || len(b) != 8 {
			return PersonID{}, false, no(Malformed, "give the 16 hex digits of the tag", "the tag is none")
		}
		return d.Store.Tagged(ctx, [8]byte(b))
	}
	if err := s.Identity.Check(); err != nil {
		return PersonID{}, false, err
	}
	return d.personID(s.Identity), true, nil
}

// ParsePerson reads a region's own id of a person.
func ParsePerson(s string) (PersonID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return PersonID{}, no(Malformed, "take it from the record", "the id of the person is none")
	}
	return PersonID(b), nil
}

func (d *Desk) entry(c Caller, what, about, why, detail string) Entry {
	return Entry{At: d.Now(), Who: c.Name, Role: string(c.Role), What: what, About: about, Why: why, Detail: detail}
}
