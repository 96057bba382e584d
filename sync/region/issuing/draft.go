package issuing

import (
	"encoding/hex"
	"slices"
	"time"

	"gatehouse"
)

// A draft is a record while it is changed: as it was, as it becomes, and what that writes.
type draft struct {
	before Record
	Record // as it becomes
	change Change
	rules  *Rules
	caller Caller
	now    time.Time
}

func (d *Desk) draft(r Record, rules *Rules, caller Caller) *draft {
	after := r
	after.Events, after.Declarations = slices.Clone(r.Events), slices.Clone(r.Declarations)
	after.Corrections, after.Trips = slices.Clone(r.Corrections), slices.Clone(r.Trips)
	return &draft{before: r, Record: after, rules: rules, caller: caller, now: d.Now()}
}

// next gives the number of the next row.
func (w *draft) next() int64 {
	w.Person.Last++
	return w.Person.Last
}

// enter grades an event and adds it.
func (w *draft) enter(e Event) Event {
	e.N, e.Recorded = w.next(), w.now
	w.rules.grade(&e)
	w.Events = append(w.Events, e)
	w.change.Events = append(w.change.Events, e)
	return e
}

// amend writes an event again after its end was set.
func (w *draft) amend(e Event) {
	i := slices.IndexFunc(w.Events, func(old Event) bool { return old.N == e.N })
	w.Events[i] = e
	w.change.Events = append(w.change.Events, e)
}

func (w *draft) declare(n Declaration) {
	if i := slices.IndexFunc(w.Declarations, func(old Declaration) bool { return old.N == n.N }); i >= 0 {
		w.Declarations[i] = n
	} else {
		w.Declarations = append(w.Declarations, n)
	}
	w.change.Declarations = append(w.change.Declarations, n)
}

func (w *draft) correct(c Correction) {
	if i := slices.IndexFunc(w.Corrections, func(old Correction) bool { return old.N == c.N }); i >= 0 {
		w.Corrections[i] = c
	} else {
		w.Corrections = append(w.Corrections, c)
	}
	w.change.Corrections = append(w.change.Corrections, c)
}

// note adds a line to the audit trail.
func (w *draft) note(what, why, detail string) {
	w.change.Audit = append(w.change.Audit, Entry{At: w.now, Who: w.caller.Name, Role: string(w.caller.Role), What: what,
		About: hex.EncodeToString(w.Person.ID[:]), Why: why, Detail: detail})
}

// settle brings the draft to its colour: where what the record comes to is not what it last
// said, the history gets a line. Since moves only when the colour does. A colour that changed
// takes back the codes that show the old one; one that ran out leaves them to expire.
func (w *draft) settle(why string) {
	if w.Person.Declared.IsZero() && len(w.Events) == 0 {
		return
	}
	// What ran out did so at its own time, not when somebody looked.
	for until := w.Person.State.Until; !until.IsZero() && !w.now.Before(until); until = w.Person.State.Until {
		w.turn(colour(w.before, w.rules.Grey, until), WhyRanOut, until)
	}
	old, next := w.Person.State, colour(w.Record, w.rules.Grey, w.now)
	if old.N > 0 && next.Grade == old.Grade && next.Class == old.Class && next.Number == old.Number &&
		next.Cause == old.Cause && next.Until.Equal(old.Until) {
		return
	}
	w.turn(next, why, w.now)
	if old.Grade != gatehouse.NoGrade && next.Grade != old.Grade {
		w.change.Revoke = why
	}
}

// turn adds a line to the history and makes it the person's state.
func (w *draft) turn(next State, why string, at time.Time) {
	old := w.Person.State
	next.N, next.Why, next.At, next.Since = w.next(), why, w.now, old.Since
	if next.Grade != old.Grade {
		next.Since = at
	}
	w.Person.State = next
	w.History = append(w.History, next)
	w.change.States = append(w.change.States, next)
}

// done is what the draft writes. Rows that were touched twice are written as they became.
func (w *draft) done() Change {
	w.change.At, w.change.Person = w.now, w.Person
	return w.change
}
