package issuing

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
)

// The states of a correction, and an officer's words on it.
const (
	Pending  = "pending"
	Approved = "approved"
	Refused  = "refused"

	Approve = "approve"
	Refuse  = "refuse"
)

// A CorrectionRequest says that a colour is wrong, and why.
type CorrectionRequest struct {
	Identity Identity `json:"identity"`         // by the person's own program
	Person   string   `json:"person,omitempty"` // by an operator, from the record
	Event    int64    `json:"event"`            // behind the colour
	Reason   string   `json:"reason"`
}

// Correct files a correction request. It is about one event, and one may be pending of each.
func (d *Desk) Correct(ctx context.Context, caller Caller, ref string, q CorrectionRequest) (n int64, err error) {
	rules, err := d.open()
	if err != nil {
		return 0, err
	}
	var id PersonID
	switch caller.Role {
	case App:
		if err := q.Identity.Check(); err != nil {
			return 0, err
		}
		id = d.personID(q.Identity)
	case Viewer, Officer:
		if id, err = ParsePerson(q.Person); err != nil {
			return 0, err
		}
	default:
		return 0, notYours(App, Viewer, Officer)
	}
	if !shown(q.Reason, 5, maxNote) {
		return 0, no(Malformed, "say in a line why the colour is wrong", "a correction needs a reason of 5 to %d bytes", maxNote)
	}
	ref, sum := caller.Name+":"+ref, digest(q)
	err = d.Store.Change(ctx, id, func(r Record, found bool) (Change, error) {
		if !found {
			return Change{}, undeclared()
		}
		if i := slices.IndexFunc(r.Corrections, func(c Correction) bool { return c.Ref == ref }); i >= 0 {
			n = r.Corrections[i].N
			return Change{}, repeated(r.Corrections[i].Digest == sum)
		}
		i := slices.IndexFunc(r.Events, func(e Event) bool { return e.N == q.Event })
		switch {
		case i < 0:
			return Change{}, no(Missing, "take the event from the answer to a query", "there is no such event")
		case !active(r.Events[i], d.Now()):
			return Change{}, no(Conflict, "nothing is left to correct", "the event makes no colour any more")
		case slices.ContainsFunc(r.Corrections, func(c Correction) bool { return c.Event == q.Event && c.State == Pending }):
			return Change{}, no(Conflict, "wait for the decision", "a correction of this event is pending")
		case len(r.Corrections) >= mostCorrections:
			return Change{}, no(Conflict, "turn to the complaint contact", "too many corrections were filed")
		}
		w := d.draft(r, rules, caller)
		n = w.next()
		w.correct(Correction{Person: id, N: n, Event: q.Event, By: caller.Name, Reason: q.Reason, Ref: ref, Digest: sum, Filed: w.now, State: Pending})
		w.note("correction filed", q.Reason, fmt.Sprintf("row %d, of event %d", n, q.Event))
		w.settle(WhyFiled)
		return w.done(), nil
	})
	if err == errKnown {
		err = nil
	}
	return n, err
}

// mostCorrections bounds what one person's record holds of them.
const mostCorrections = 50

// A Decision is one officer's word on a correction.
type Decision struct {
	Person string `json:"person"`
	N      int64  `json:"correction"`
	Word   string `json:"word"` // approve or refuse
	Note   string `json:"note"`
}

// Decide takes an officer's word. Two equal words of two officers decide, neither of whom
// filed the correction or entered the event; an approved one withdraws the event. It returns
// the correction's state afterwards.
func (d *Desk) Decide(ctx context.Context, caller Caller, q Decision) (state string, err error) {
	rules, err := d.open()
	if err != nil {
		return "", err
	}
	id, err := ParsePerson(q.Person)
	switch {
	case err != nil:
		return "", err
	case caller.Role != Officer:
		return "", notYours(Officer)
	case q.Word != Approve && q.Word != Refuse:
		return "", no(Malformed, "say approve or refuse", "the word is none")
	case !shown(q.Note, 3, maxNote):
		return "", no(Malformed, "say why in a line", "a decision needs a note of 3 to %d bytes", maxNote)
	}
	err = d.Store.Change(ctx, id, func(r Record, found bool) (Change, error) {
		at := slices.IndexFunc(r.Corrections, func(c Correction) bool { return c.N == q.N })
		if !found || at < 0 {
			return Change{}, no(Missing, "look at the list of corrections again", "there is no such correction")
		}
		c := r.Corrections[at]
		of := slices.IndexFunc(r.Events, func(e Event) bool { return e.N == c.Event })
		switch {
		case slices.ContainsFunc(c.Words, func(w Word) bool { return w.By == caller.Name && w.Word == q.Word }):
			state = c.State // said before: the answer was lost
			return Change{}, errKnown
		case c.State != Pending:
			return Change{}, no(Conflict, "nothing is left to do", "the correction is %s", c.State)
		case slices.ContainsFunc(c.Words, func(w Word) bool { return w.By == caller.Name }):
			return Change{}, no(Conflict, "leave it to another officer", "you have said your word on it")
		case c.By == caller.Name:
			return Change{}, no(Forbidden, "leave it to two other officers", "you filed this correction")
		case of >= 0 && r.Events[of].Operator == caller.Name:
			return Change{}, no(Forbidden, "leave it to two other officers", "you entered this event")
		}
		w := d.draft(r, rules, caller)
		c.Words = append(slices.Clone(c.Words), Word{By: caller.Name, Word: q.Word, Note: q.Note, At: w.now})
		why := WhyRefused
		if same(c.Words, q.Word) >= 2 {
			c.State = Refused
			if q.Word == Approve {
				c.State = Approved
				if of >= 0 {
					e := r.Events[of]
					e.Withdrawn = w.now
					w.amend(e)
				}
				why = WhyWithdrawn
			}
		}
		w.correct(c)
		w.note("correction: "+q.Word, q.Note, fmt.Sprintf("row %d, %s", c.N, c.State))
		w.settle(why)
		if c.State == Approved {
			// Also where another event keeps the colour: the codes tell of one that was wrong.
			w.change.Revoke = WhyWithdrawn
		}
		state = c.State
		return w.done(), nil
	})
	if err == errKnown {
		return state, nil
	}
	return state, err
}

func same(words []Word, word string) (n int) {
	for _, w := range words {
		if w.Word == word {
			n++
		}
	}
	return n
}

// Waiting lists the corrections that wait for a word, the oldest first. Reading it is audited.
func (d *Desk) Waiting(ctx context.Context, caller Caller) ([]Correction, error) {
	if caller.Role != Officer && caller.Role != Viewer {
		return nil, notYours(Officer, Viewer)
	}
	// The list has people's own words in it: who reads it is written down.
	if err := d.Store.Audit(ctx, d.entry(caller, "list of corrections read", "", "", "")); err != nil {
		return nil, err
	}
	return d.Store.Pending(ctx, mostListed)
}

// Unchecked lists the persons whose declarations wait for an officer.
func (d *Desk) Unchecked(ctx context.Context, caller Caller) ([]string, error) {
	if caller.Role != Officer {
		return nil, notYours(Officer)
	}
	ids, err := d.Store.Unchecked(ctx, mostListed)
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = hex.EncodeToString(id[:])
	}
	return names, err
}

// mostListed bounds every list.
const mostListed = 200
