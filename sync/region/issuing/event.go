package issuing

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"gatehouse"
)

// A Report is one event as a source brings it. A field that its indicator needs and that is
// missing makes it no event: nobody gets a colour for being on a list.
type Report struct {
	Identity  Identity  `json:"identity"`
	Ref       string    `json:"ref"` // the source's own reference; the same one again is the same event
	Indicator string    `json:"indicator"`
	Kind      string    `json:"kind"`
	At        time.Time `json:"at"` // when its days begin to count
	Division  string    `json:"division,omitempty"`
	Risk      string    `json:"risk,omitempty"`
	Case      string    `json:"case,omitempty"`
	Status    string    `json:"status,omitempty"`
	Finding   string    `json:"finding,omitempty"`
}

var (
	refName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$`)
	caseName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{3,39}$`)
)

// oldest is how far back an event may have begun.
const oldest = 90 * 24 * time.Hour

// event checks a report for what its indicator needs.
func (q Report) event(now time.Time) (Event, error) {
	e := Event{Indicator: classOf(q.Indicator), Kind: q.Kind, At: q.At.UTC(), Division: q.Division, Risk: riskOf(q.Risk),
		Case: q.Case, Status: q.Status, Finding: q.Finding, Ref: q.Ref, Digest: digest(q)}
	switch {
	case !refName.MatchString(q.Ref):
		return e, no(Malformed, "give the source's own reference, at most 80 signs of A-Z a-z 0-9 . _ : / -", "ref is none")
	case e.Indicator == 0:
		return e, no(Unfit, "give place, contact or health", "no indicator speaks for this event")
	case !slices.Contains(kinds(e.Indicator), q.Kind) || q.Kind == "temperature":
		return e, no(Unfit, fmt.Sprintf("give one of %v; temperatures come from gates", kinds(e.Indicator)), "no kind of this indicator")
	case q.At.IsZero() || q.At.After(now) || now.Sub(q.At) > oldest:
		return e, no(Unfit, "give the time of the event, within the last 90 days", "no time from which days could count")
	}
	if err := q.Identity.Check(); err != nil {
		return e, err
	}
	place := divisionName.MatchString(q.Division) && (e.Risk > 0 || q.Kind == "arrival")
	contact := caseName.MatchString(q.Case) && slices.Contains(statuses(), q.Status)
	health := shown(q.Finding, 4, maxNote)
	switch {
	case e.Indicator == gatehouse.Place && !place:
		return e, no(Unfit, "give division and risk", "an event of the place indicator without its evidence")
	case e.Indicator == gatehouse.Contact && !contact:
		return e, no(Unfit, "give case, the reference of the case, and status: confirmed, suspected or asymptomatic", "an event of the contact indicator without its evidence")
	case e.Indicator == gatehouse.Health && !health:
		return e, no(Unfit, "give finding: what was found, and the reference of who found it", "an event of the health indicator without its evidence")
	case e.Indicator != gatehouse.Place && (q.Division != "" || q.Risk != ""),
		e.Indicator != gatehouse.Contact && (q.Case != "" || q.Status != ""),
		e.Indicator != gatehouse.Health && q.Finding != "":
		return e, no(Unfit, "give the evidence of its own indicator only", "evidence of another indicator")
	}
	return e, nil
}

// Enter takes one event. An operator's is audited; a program's carries its name.
func (d *Desk) Enter(ctx context.Context, caller Caller, q Report) error {
	rules, err := d.open()
	if err != nil {
		return err
	}
	if caller.Role != Officer && caller.Role != Source {
		return notYours(Officer, Source)
	}
	e, err := q.event(d.Now())
	if err != nil {
		return err
	}
	e.Source = caller.Name
	if caller.Role == Officer {
		e.Source, e.Operator = "operator", caller.Name
	}
	e.Ref = caller.Name + ":" + e.Ref
	return d.take(ctx, rules, caller, d.personID(q.Identity), e)
}

// take adds an event to a person, once, and looks whether its cause brings too many.
func (d *Desk) take(ctx context.Context, rules *Rules, caller Caller, id PersonID, e Event) error {
	var graded Event
	err := d.Store.Change(ctx, id, func(r Record, found bool) (Change, error) {
		if i := slices.IndexFunc(r.Events, func(old Event) bool { return old.Ref == e.Ref }); i >= 0 {
			return Change{}, repeated(r.Events[i].Digest == e.Digest)
		}
		w := d.draft(r, rules, caller)
		if e.Kind == "temperature" && !r.Person.Normal.Before(e.At) {
			e.Ended = r.Person.Normal // a newer reading was normal: this one came late
		}
		graded = w.enter(e)
		if caller.Role == Officer {
			w.note("event entered", e.Ref, fmt.Sprintf("row %d: %s, %s", graded.N, indicatorOf(e.Indicator), e.Kind))
		}
		w.settle(WhyBegan)
		return w.done(), nil
	})
	switch {
	case errors.Is(err, errKnown):
		return nil
	case err != nil:
		return err
	case graded.Grade == gatehouse.NoGrade || !graded.Ended.IsZero():
		return nil
	}
	return d.watch(ctx, rules, graded)
}

// A Reading is a temperature that a gate measured of whoever showed a code with this tag.
// The ledger's reader feeds these.
type Reading struct {
	Gate string
	At   time.Time
	Skin gatehouse.Temperature
	Tag  [8]byte
}

// Readings outside of this are no forehead's.
const (
	coldest = gatehouse.Temperature(34_000)
	hottest = gatehouse.Temperature(43_000)
)

// Measured takes a gate's reading. A fever is an event of the health indicator; a normal one
// ends those temperatures that were measured before it, and no other colour. Readings may
// come late and out of order: an older one never undoes a newer. known is false for a tag
// that no code of ours carried, or none of these days.
func (d *Desk) Measured(ctx context.Context, m Reading) (known bool, err error) {
	rules, err := d.open()
	if err != nil {
		return false, err
	}
	now := d.Now()
	switch {
	case m.Skin < coldest || m.Skin > hottest:
		return false, no(Unfit, "look at the gate's thermometer", "%v is no forehead's", m.Skin)
	case m.At.After(now.Add(5*time.Minute)) || now.Sub(m.At) > oldest || m.Gate == "":
		return false, no(Unfit, "look at the gate's clock", "a reading of no gate, or of no time that can be")
	}
	id, found, err := d.Store.Tagged(ctx, m.Tag)
	if err != nil || !found {
		return false, err
	}
	if float64(m.Skin)/1000 < rules.Fever {
		return true, d.normal(ctx, rules, id, m.At)
	}
	e := Event{Indicator: gatehouse.Health, Kind: "temperature", At: m.At.UTC(), Skin: m.Skin, Finding: "measured at a checkpoint",
		Source: "gate:" + m.Gate, Ref: fmt.Sprintf("gate:%s:%d", m.Gate, m.At.UnixMilli())}
	return true, d.take(ctx, rules, Caller{Name: e.Source, Role: Source}, id, e)
}

// normal ends the temperatures from before at.
func (d *Desk) normal(ctx context.Context, rules *Rules, id PersonID, at time.Time) error {
	err := d.Store.Change(ctx, id, func(r Record, found bool) (Change, error) {
		if !found || !r.Person.Normal.Before(at) {
			return Change{}, errKnown
		}
		w := d.draft(r, rules, Caller{Name: "region"})
		w.Person.Normal = at.UTC()
		for _, e := range r.Events {
			if e.Kind == "temperature" && e.Ended.IsZero() && e.At.Before(at) {
				e.Ended = at.UTC()
				w.amend(e)
			}
		}
		w.settle(WhyMeasured)
		return w.done(), nil
	})
	if errors.Is(err, errKnown) {
		return nil
	}
	return err
}
