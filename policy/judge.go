package policy

import (
	"fmt"
	"time"

	"gatehouse"
)

// highest is above what a living forehead shows; more is a lamp, a cup or a fault.
const highest gatehouse.Temperature = 43_000

// Judge gives the verdict on one person. The questions stand in the order in which an
// answer settles the matter: what is proven bad, what the gate itself cannot know today,
// what the region does not accept, how the person is.
func (r Rules) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	v := r.judge(e)
	v.Policy = r.Name()
	return v
}

func (r Rules) judge(e gatehouse.Evidence) gatehouse.Verdict {
	switch {
	case r.Version == 0:
		return refer(gatehouse.ReasonNoRule, "no signed policy is in use")
	case e.Refusal != nil:
		return refused(e)
	case e.Pass == nil:
		return refer(gatehouse.ReasonNoRule, "no evidence")
	}
	for _, question := range []func(gatehouse.Evidence) (gatehouse.Verdict, bool){
		r.gate, r.recognised, r.current, r.colour, r.proof, r.temperature,
	} {
		if v, settled := question(e); settled {
			return v
		}
	}
	return gatehouse.Verdict{Call: gatehouse.Admit}
}

// refused judges a code that proved nothing. Only what is proven bad is denied; what this
// gate cannot know, it refers. A refusal that rests on the time is worth as much as the
// clock.
func refused(e gatehouse.Evidence) gatehouse.Verdict {
	reason, detail := e.Refusal.Reason, e.Refusal.Detail
	switch reason {
	case gatehouse.ReasonNotOurs, gatehouse.ReasonUnreadable:
		return gatehouse.Verdict{Call: gatehouse.Hint, Reason: reason, Detail: detail}
	case gatehouse.ReasonExpired:
		if !e.Clock {
			return refer(gatehouse.ReasonClock, "%s", detail)
		}
		return deny(reason, "%s", detail)
	case gatehouse.ReasonNotYetValid:
		if !e.Clock {
			return refer(gatehouse.ReasonClock, "%s", detail)
		}
		return refer(reason, "%s", detail)
	case gatehouse.ReasonBadSignature, gatehouse.ReasonKeyWithdrawn, gatehouse.ReasonKeyUsage:
		return deny(reason, "%s", detail)
	}
	return refer(reason, "%s", detail)
}

// gate asks whether this gate can judge anybody today.
func (r Rules) gate(e gatehouse.Evidence) (gatehouse.Verdict, bool) {
	if !e.Clock {
		return refer(gatehouse.ReasonClock, "the clock is not trusted"), true
	}
	if limit := time.Duration(r.StaleHours) * time.Hour; e.TrustAge > limit {
		return refer(gatehouse.ReasonTrustStale, "keys are %d h old, at most %d", int(e.TrustAge.Hours()), r.StaleHours), true
	}
	return gatehouse.Verdict{}, false
}

func (r Rules) recognised(e gatehouse.Evidence) (gatehouse.Verdict, bool) {
	for _, region := range r.Accept {
		if e.Pass.Issuer.Within(region) {
			return gatehouse.Verdict{}, false
		}
	}
	return refer(gatehouse.ReasonNotAccepted, "%s is not recognised here", e.Pass.Issuer), true
}

// current asks whether the code speaks of now. Only a health code ages within the day; a
// travel certificate states facts that carry dates of their own.
func (r Rules) current(e gatehouse.Evidence) (gatehouse.Verdict, bool) {
	p := e.Pass
	if !e.At.Before(p.Expires) {
		return deny(gatehouse.ReasonExpired, "expired at %s", clock(p.Expires)), true
	}
	if p.Grade == gatehouse.NoGrade {
		return gatehouse.Verdict{}, false
	}
	if age := e.At.Sub(p.Issued); age > time.Duration(r.FreshMinutes)*time.Minute {
		return deny(gatehouse.ReasonExpired, "made at %s, %d min ago, at most %d", clock(p.Issued), int(age.Minutes()), r.FreshMinutes), true
	}
	return gatehouse.Verdict{}, false
}

func (r Rules) colour(e gatehouse.Evidence) (gatehouse.Verdict, bool) {
	switch e.Pass.Grade {
	case gatehouse.Green, gatehouse.NoGrade:
		return gatehouse.Verdict{}, false
	case gatehouse.Red:
		return deny(gatehouse.ReasonColour, "red"), true
	}
	return refer(gatehouse.ReasonColour, "%s", e.Pass.Grade), true
}

// proof asks a code without a colour for one fact that stands today: a finished course of
// vaccination, a recovery within its dates, a negative test that is recent. A signature
// over a positive test is as valid as any: it is here that it does not let anybody in.
func (r Rules) proof(e gatehouse.Evidence) (gatehouse.Verdict, bool) {
	if e.Pass.Grade != gatehouse.NoGrade {
		return gatehouse.Verdict{}, false
	}
	for _, f := range e.Pass.Facts {
		if f.Kind == gatehouse.Test && f.Result == gatehouse.Positive {
			return refer(gatehouse.ReasonColour, "positive test of %s", day(f.At)), true
		}
	}
	detail := "it states nothing that counts here"
	for _, f := range e.Pass.Facts {
		switch {
		case f.Kind == gatehouse.Test && f.Result == gatehouse.Negative:
			age := e.At.Sub(f.At)
			if age >= 0 && age <= time.Duration(r.TestHours)*time.Hour {
				return gatehouse.Verdict{}, false
			}
			detail = fmt.Sprintf("negative test %d h ago, at most %d", int(age.Hours()), r.TestHours)
		case f.Kind == gatehouse.Vaccination:
			if f.Doses > 0 && f.Dose >= f.Doses && !f.At.After(e.At) {
				return gatehouse.Verdict{}, false
			}
			detail = fmt.Sprintf("dose %d of %d", f.Dose, f.Doses)
		case f.Kind == gatehouse.Recovery:
			// The last day counts whole.
			if !f.At.After(e.At) && e.At.Before(f.Until.AddDate(0, 0, 1)) {
				return gatehouse.Verdict{}, false
			}
			detail = "recovery counts until " + day(f.Until)
		}
	}
	return refer(gatehouse.ReasonNotAccepted, "%s", detail), true
}

// temperature is last: it is the one question that a second look can answer otherwise. A
// low reading is a cold forehead or a person too far away, never a healthy one.
func (r Rules) temperature(e gatehouse.Evidence) (gatehouse.Verdict, bool) {
	t, skin := r.Temperature, e.Skin
	switch {
	case t.Off:
		return gatehouse.Verdict{}, false
	case skin.Quality == gatehouse.Faulty:
		return refer(gatehouse.ReasonSensorFault, "the thermometer does not answer"), true
	case skin.Quality == gatehouse.NotMeasured:
		return refer(gatehouse.ReasonNotMeasured, "nobody was measured"), true
	case skin.Quality != gatehouse.Steady:
		return refer(gatehouse.ReasonNotMeasured, "the readings do not agree"), true
	case skin.Skin < t.Low:
		return refer(gatehouse.ReasonNotMeasured, "%s is too low to be a forehead", skin.Skin), true
	case skin.Skin > highest:
		return refer(gatehouse.ReasonNotMeasured, "%s is too high to be a forehead", skin.Skin), true
	case skin.Skin >= t.Fever:
		return refer(gatehouse.ReasonFever, "%s, fever from %s", skin.Skin, t.Fever), true
	}
	return gatehouse.Verdict{}, false
}

func deny(reason gatehouse.Reason, format string, args ...any) gatehouse.Verdict {
	return gatehouse.Verdict{Call: gatehouse.Deny, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func refer(reason gatehouse.Reason, format string, args ...any) gatehouse.Verdict {
	return gatehouse.Verdict{Call: gatehouse.Refer, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04Z") }
func day(at time.Time) string   { return at.UTC().Format("2006-01-02") }
