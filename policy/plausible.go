package policy

import (
	"time"

	"gatehouse"
)

// oversized refers a code that is larger than any honest one: what a rule can cost was
// reckoned for less. It settles the matter.
func (j *judging) oversized() bool {
	for _, pass := range []*gatehouse.Pass{j.pass, j.e.Second} {
		if pass == nil {
			continue
		}
		if pass.Grade > gatehouse.Grey {
			j.refer(gatehouse.ReasonMalformed, "colour number %d", pass.Grade)
			return true
		}
		if len(pass.Facts) > maxFacts {
			j.refer(gatehouse.ReasonMalformed, "it states %d facts, at most %d are judged", len(pass.Facts), maxFacts)
			return true
		}
		for i := range pass.Facts {
			if f := &pass.Facts[i]; len(f.Division) > maxWord || len(f.Method) > maxWord || len(f.Product) > maxWord {
				j.refer(gatehouse.ReasonMalformed, "it states a fact with more than %d letters", maxWord)
				return true
			}
		}
		if len(pass.Issuer) > maxWord {
			j.refer(gatehouse.ReasonMalformed, "its issuer's name has more than %d letters", maxWord)
			return true
		}
	}
	if len(j.e.History.SeenAt) > maxWord {
		j.refer(gatehouse.ReasonMalformed, "the name of the gate that saw it has more than %d letters", maxWord)
		return true
	}
	return false
}

// plausible refers a code whose history cannot have happened: a genuine signature over an
// error is still an error, and nobody at the gate can tell whose.
func (j *judging) plausible() {
	impossible(j, j.pass, "")
	if j.e.Second != nil {
		impossible(j, j.e.Second, "second code: ")
	}
}

func impossible(j *judging, pass *gatehouse.Pass, whose string) {
	refer := func(format string, args ...any) {
		j.refer(gatehouse.ReasonMalformed, whose+"impossible: "+format, args...)
	}
	issued, reads := pass.Issued, j.policy.reads()
	switch {
	case issued.IsZero():
	case !pass.Expires.IsZero() && !pass.Expires.After(issued):
		refer("it ends at %s and was made at %s", j.clock(pass.Expires), j.clock(issued))
	case reads&readColour != 0 && pass.Since.After(issued.Add(clockSlack)):
		refer("the colour changed at %s, after the code was made at %s", j.clock(pass.Since), j.clock(issued))
	}
	if year, ok := birthYear(pass.Holder.Birth); ok && reads&readAge != 0 && year > j.e.At.In(j.policy.zone.Location).Year() {
		refer("the holder is not born yet")
	}
	for i := range pass.Facts {
		f := &pass.Facts[i]
		if claimOf(f.Kind)&^reads != 0 {
			continue
		}
		known := f.At.Add(-slack(f.At)) // the earliest that it can have been
		switch {
		case f.At.IsZero():
		case f.Kind == gatehouse.Travel && known.After(j.e.At):
			refer("travel to %s at %s, which is yet to come", f.Division, j.clock(f.At))
		case f.Kind != gatehouse.Entitlement && known.After(j.e.At):
			refer("%s of %s, which is yet to come", f.Kind, j.clock(f.At))
		case f.Kind != gatehouse.Entitlement && !issued.IsZero() && known.After(issued):
			refer("%s of %s, after the code was made at %s", f.Kind, j.clock(f.At), j.clock(issued))
		case !f.Until.IsZero() && f.Until.Before(f.At):
			refer("%s ends at %s, before it begins at %s", f.Kind, j.clock(f.Until), j.clock(f.At))
		}
		if f.Kind == gatehouse.Travel && f.Until.Add(-slack(f.Until)).After(j.e.At) {
			refer("travel to %s until %s, which is yet to come", f.Division, j.clock(f.Until))
		}
		if f.Dose < 0 || f.Doses < 0 {
			refer("dose %d of %d", f.Dose, f.Doses)
		}
	}
}

// slack is how far a fact's time may lie ahead of another clock's. A bare day is written as
// its midnight in UTC, and has begun up to fourteen hours before that in the east.
func slack(t time.Time) time.Duration {
	if t.Equal(t.UTC().Truncate(24 * time.Hour)) {
		return 14 * time.Hour
	}
	return clockSlack
}
