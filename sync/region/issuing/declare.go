package issuing

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// A HealthDeclaration is what a person says of themselves. It is no evidence: who says that
// they met a case or were in a place of high risk is under review until an officer has looked.
type HealthDeclaration struct {
	Identity Identity `json:"identity"`
	Name     string   `json:"name"`
	Birth    string   `json:"birth,omitempty"` // the year, where the document's number does not hold it
	Symptoms bool     `json:"symptoms"`        // fever, cough, fatigue
	Contact  bool     `json:"contact"`
	Place    bool     `json:"place"`
}

// A TripDeclaration is one stay in another division.
type TripDeclaration struct {
	Identity Identity  `json:"identity"`
	Division string    `json:"division"` // six digits of GB/T 2260
	In       time.Time `json:"in"`
	Out      time.Time `json:"out"`
}

var birthYear = regexp.MustCompile(`^(19|20)[0-9]{2}$`)

// digest is what a request is recognised by when it comes again under the same key.
func digest(request any) [32]byte {
	b, err := json.Marshal(request)
	if err != nil {
		panic("issuing: " + err.Error()) // plain structs of plain fields
	}
	return sha256.Sum256(b)
}

// errKnown ends a change that would change nothing: the request came before.
var errKnown = errors.New("known already")

// repeated is what a row under the same key comes to: the same request again, or a mistake.
func repeated(same bool) error {
	if same {
		return errKnown
	}
	return no(Conflict, "use a new key for a new request", "the idempotency key was used for another request")
}

// DeclareHealth takes a declaration. ref is the caller's own key for it: the same one again
// changes nothing.
func (d *Desk) DeclareHealth(ctx context.Context, caller Caller, ref string, q HealthDeclaration) (Answer, error) {
	rules, err := d.open()
	if err != nil {
		return Answer{}, err
	}
	if caller.Role != App && caller.Role != Officer {
		return Answer{}, notYours(App, Officer)
	}
	if err := q.Identity.Check(); err != nil {
		return Answer{}, err
	}
	name, err := mask(q.Name)
	if err != nil {
		return Answer{}, err
	}
	birth := q.Birth
	if b := q.Identity.birth(); b != "" {
		birth = b
	}
	if birth != "" && !birthYear.MatchString(birth) {
		return Answer{}, no(Malformed, "give a year of four digits, or none", "birth is no year")
	}
	ref, sum := caller.Name+":"+ref, digest(q)
	var answer Answer
	err = d.Store.Change(ctx, d.personID(q.Identity), func(r Record, found bool) (Change, error) {
		w := d.draft(r, rules, caller)
		if i := slices.IndexFunc(r.Declarations, func(n Declaration) bool { return n.Ref == ref }); i >= 0 {
			answer = rules.answer(r.Person, r.Events, w.now)
			return Change{}, repeated(r.Declarations[i].Digest == sum)
		}
		if len(r.Declarations) >= mostDeclared {
			return Change{}, tooMany()
		}
		w.Person.Name, w.Person.Birth, w.Person.Declared = name, birth, w.now
		n := Declaration{N: w.next(), Symptoms: q.Symptoms, Contact: q.Contact, Place: q.Place, Ref: ref, Digest: sum, At: w.now}
		if !q.Contact && !q.Place {
			n.Checked, n.CheckedBy = w.now, "rules"
		}
		w.declare(n)
		why := WhyDeclared
		if q.Symptoms {
			w.enter(Event{Indicator: classOf("health"), Kind: "symptoms", At: w.now, Finding: "declared by the person",
				Source: "declaration", Ref: "declaration:" + ref, Digest: sum})
			why = WhyBegan
		}
		w.settle(why)
		answer = rules.answer(w.Person, w.Events, w.now)
		return w.done(), nil
	})
	if err == errKnown {
		err = nil
	}
	return answer, err
}

// DeclareTrip takes a stay. A place whose risk the rules call medium or high makes it an
// event of the place indicator, whose days count from the departure.
func (d *Desk) DeclareTrip(ctx context.Context, caller Caller, ref string, q TripDeclaration) (Answer, error) {
	rules, err := d.open()
	if err != nil {
		return Answer{}, err
	}
	if caller.Role != App && caller.Role != Officer {
		return Answer{}, notYours(App, Officer)
	}
	if err := q.Identity.Check(); err != nil {
		return Answer{}, err
	}
	now := d.Now()
	switch {
	case !divisionName.MatchString(q.Division):
		return Answer{}, no(Malformed, "give six digits of GB/T 2260", "the division is none")
	case q.In.After(q.Out) || q.Out.After(now) || now.Sub(q.In) > 366*24*time.Hour:
		return Answer{}, no(Malformed, "give a stay that is over, within the last year", "the times of the trip do not fit")
	}
	ref, sum := caller.Name+":"+ref, digest(q)
	var answer Answer
	err = d.Store.Change(ctx, d.personID(q.Identity), func(r Record, found bool) (Change, error) {
		if r.Person.Declared.IsZero() {
			return Change{}, undeclared()
		}
		w := d.draft(r, rules, caller)
		if i := slices.IndexFunc(r.Trips, func(t Trip) bool { return t.Ref == ref }); i >= 0 {
			answer = rules.answer(r.Person, r.Events, w.now)
			return Change{}, repeated(r.Trips[i].Digest == sum)
		}
		if len(r.Trips) >= mostDeclared {
			return Change{}, tooMany()
		}
		t := Trip{N: w.next(), Division: q.Division, In: q.In.UTC(), Out: q.Out.UTC(), Ref: ref, Digest: sum, Recorded: w.now,
			Risk: rules.risk(q.Division, q.In, q.Out)}
		w.Trips = append(w.Trips, t)
		w.change.Trips = append(w.change.Trips, t)
		if t.Risk > riskOf("low") {
			w.enter(Event{Indicator: classOf("place"), Kind: "stay", At: t.Out, Division: t.Division, Risk: t.Risk,
				Source: "trip", Ref: "trip:" + ref, Digest: sum})
		}
		w.settle(WhyBegan)
		answer = rules.answer(w.Person, w.Events, w.now)
		return w.done(), nil
	})
	if err == errKnown {
		err = nil
	}
	return answer, err
}

// mostDeclared bounds the declarations, and the trips, on record of one person.
const mostDeclared = 500

func tooMany() error {
	return no(Conflict, "wait until older ones have left the record", "this person has declared %d times", mostDeclared)
}

func undeclared() error {
	return no(Missing, "declare health first", "this person has declared nothing here")
}

// CheckDeclaration closes what waits for an officer: the person's claims were looked into.
// What they come to is entered as an event of its own, with its evidence.
func (d *Desk) CheckDeclaration(ctx context.Context, caller Caller, id PersonID, n int64, note string) error {
	rules, err := d.open()
	if err != nil {
		return err
	}
	if caller.Role != Officer {
		return notYours(Officer)
	}
	if !shown(note, 3, maxNote) {
		return no(Malformed, "say in a line what was found", "a check needs a note of 3 to %d bytes", maxNote)
	}
	return d.Store.Change(ctx, id, func(r Record, found bool) (Change, error) {
		i := slices.IndexFunc(r.Declarations, func(x Declaration) bool { return x.N == n })
		if !found || i < 0 {
			return Change{}, no(Missing, "look the person up again", "there is no such declaration")
		}
		if !r.Declarations[i].Checked.IsZero() {
			return Change{}, no(Conflict, "nothing is left to do", "the declaration was checked by %s", r.Declarations[i].CheckedBy)
		}
		w := d.draft(r, rules, caller)
		checked := w.Declarations[i]
		checked.Checked, checked.CheckedBy = w.now, caller.Name
		w.declare(checked)
		w.note("declaration checked", note, fmt.Sprintf("row %d", n))
		w.settle(WhyChecked)
		return w.done(), nil
	})
}

// maxNote bounds what people write into one line.
const maxNote = 200

func notYours(want ...Role) error {
	return no(Forbidden, fmt.Sprintf("ask somebody with the role %v", want), "this is not for your role")
}
