package issuing

import (
	"slices"
	"time"

	"gatehouse"
)

// What changes a colour. A history line has one of these words.
const (
	WhyDeclared  = "declared"  // the first declaration, checked or waiting
	WhyChecked   = "checked"   // an officer checked a declaration
	WhyBegan     = "began"     // an event came in
	WhyRanOut    = "ran out"   // an event's day counter did
	WhyMeasured  = "measured"  // a normal temperature ended a high one
	WhyWithdrawn = "withdrawn" // a correction was approved
	WhyFiled     = "filed"     // a correction is pending
	WhyRefused   = "refused"   // a correction was refused
)

// grade finds the rule for an event and lets it count: colour, days, and when they run out.
// An event that no rule speaks of stays on record without a colour.
func (r *Rules) grade(e *Event) {
	e.Policy = r.Version
	for i := range r.Grading {
		if g := &r.Grading[i]; g.matches(e) {
			e.Rule, e.Number, e.Grade, e.Days = g.ID, g.Number, g.grade, g.Days
			e.Until = endOfDay(e.At, g.Days, r.zone)
			return
		}
	}
}

func (g *Rule) matches(e *Event) bool {
	return g.class == e.Indicator && slices.Contains(g.Kinds, e.Kind) &&
		(len(g.Risk) == 0 || slices.Contains(g.Risk, riskWord(e.Risk))) &&
		(len(g.Status) == 0 || slices.Contains(g.Status, e.Status))
}

// endOfDay is the first instant after day n, the day of at being day 0. Days are those of the
// zone's calendar, also where a day has 23 hours.
func endOfDay(at time.Time, n int64, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d+int(n)+1, 0, 0, 0, 0, zone).UTC()
}

// dayOf counts the days from an event to now: 0 on its own day.
func dayOf(at, now time.Time, zone *time.Location) int64 {
	y, m, d := at.In(zone).Date()
	y2, m2, d2 := now.In(zone).Date()
	noon := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }
	return int64(noon(y2, m2, d2).Sub(noon(y, m, d)) / (24 * time.Hour))
}

// active reports whether an event makes a colour at a time.
func active(e Event, now time.Time) bool {
	return e.Grade != gatehouse.NoGrade && e.Ended.IsZero() && e.Withdrawn.IsZero() && now.Before(e.Until)
}

// worse reports whether a outranks b: the colour first, then the one that lasts longer. The
// older of equals stays, so that a colour does not change hands for nothing.
func worse(a, b Event) bool {
	if a.Grade != b.Grade {
		return a.Grade == gatehouse.Red
	}
	return a.Until.After(b.Until)
}

// colour is what a record comes to at a time: the worst active event, grey while a
// declaration waits or a correction of such a colour is pending, else green. It reads no
// rule: events carry their grades. grey are the colours that a correction turns grey.
func colour(r Record, grey []string, now time.Time) State {
	s := State{Grade: gatehouse.Green}
	var cause Event
	for _, e := range r.Events {
		if active(e, now) && (s.Cause == 0 || worse(e, cause)) {
			cause, s.Cause = e, e.N
		}
	}
	if s.Cause == 0 {
		if i := slices.IndexFunc(r.Declarations, func(d Declaration) bool { return d.Checked.IsZero() }); i >= 0 {
			d := r.Declarations[i]
			s.Grade, s.Cause, s.Class = gatehouse.Grey, d.N, claimed(d)
		}
		return s
	}
	s.Grade, s.Number, s.Until = cause.Grade, cause.Number, cause.Until
	for _, e := range r.Events {
		if active(e, now) && e.Grade == cause.Grade {
			s.Class |= e.Indicator
		}
		// A milder one that would take over earlier than this runs out changes nothing; one
		// of this colour that runs out earlier may take an indicator away with it.
		if active(e, now) && e.Grade == cause.Grade && e.Until.Before(s.Until) {
			s.Until = e.Until
		}
	}
	if slices.Contains(grey, cause.Grade.String()) && reviewed(r.Corrections, cause.N) {
		s.Grade = gatehouse.Grey
	}
	return s
}

// reviewed reports whether the first correction of an event is pending. A second one does
// not turn the colour grey again: nobody files a yellow code away.
func reviewed(corrections []Correction, event int64) bool {
	i := slices.IndexFunc(corrections, func(c Correction) bool { return c.Event == event })
	return i >= 0 && corrections[i].State == Pending
}

func claimed(d Declaration) (c gatehouse.Class) {
	if d.Place {
		c |= gatehouse.Place
	}
	if d.Contact {
		c |= gatehouse.Contact
	}
	if d.Symptoms {
		c |= gatehouse.Health
	}
	return c
}
