package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// clockSlack is how far two honest clocks may lie apart: the issuer's and the gate's, or a
// laboratory's and the issuer's.
const clockSlack = 5 * time.Minute

// A finding is one answer about a person: of a rule, or of a step that no policy can
// switch off.
type finding struct {
	call   gatehouse.Call
	reason gatehouse.Reason
	detail string
	rule   string
	says   says
}

// rank orders calls: the worst counts. Deny is proven bad, Refer cannot tell, Hint judged
// nobody, and Admit is what remains when nobody says otherwise.
func rank(c gatehouse.Call) int {
	switch c {
	case gatehouse.Admit:
		return 1
	case gatehouse.Hint:
		return 2
	case gatehouse.Refer:
		return 3
	}
	return 4
}

// A judging is one verdict in the making.
type judging struct {
	*person
	worst finding
	found bool
	trace *Trace // nil unless somebody wants it explained

	row   *gatehouse.Passage // judged again from the book; nil at a gate
	lacks []lacking          // what the row does not tell
	fell  bool               // nothing was found, and the default spoke
}

// find notes a finding. Of several that are equally bad the first decides.
func (j *judging) find(f finding) {
	if !j.found || rank(f.call) > rank(j.worst.call) {
		j.worst, j.found = f, true
	}
	j.trace.found(f)
}

// Judge gives the verdict on one person. It is pure: the same policy and the same evidence,
// the same verdict. The questions stand in the order in which an answer settles the
// matter; of those that do not settle it, the worst answer counts.
func (p *Policy) Judge(e gatehouse.Evidence) gatehouse.Verdict { return p.judge(&e, nil) }

func (p *Policy) judge(e *gatehouse.Evidence, t *Trace) gatehouse.Verdict {
	if p == nil || p.version == 0 {
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonNoRule, Detail: "no signed policy is in use"}
	}
	j := &judging{person: &person{policy: p, e: e, pass: e.Pass, trust: p.State(e.TrustAge)}, trace: t}
	j.settle()
	return j.verdict()
}

// settle asks the questions.
func (j *judging) settle() {
	p, e := j.policy, j.e
	if j.trace != nil {
		j.trace.step("trust", "%s: keys %s old, fresh up to %s, in use up to %s", j.trust, spell(e.TrustAge), spell(p.fresh), spell(p.stale))
	}
	switch {
	case e.Refusal != nil:
		j.refused()
		return
	case e.Pass == nil && e.Without == gatehouse.WithCode:
		j.refer(gatehouse.ReasonNoRule, "no evidence")
		return
	case !e.Clock:
		j.refer(gatehouse.ReasonClock, "the clock is not trusted")
		return
	case j.row == nil && !p.span.holds(e.At):
		j.refer(gatehouse.ReasonNoRule, "policy %s does not hold today", p.Name())
		return
	}
	if e.Pass == nil {
		j.withoutCode()
		return
	}
	if j.oversized() {
		return
	}
	if j.row != nil {
		j.recallCode()
	}
	j.plausible()
	j.current()
	j.look()
	j.recognised()
	j.secondCode()
	j.applyRules()
	j.temperature()
	j.publishedRules()
	j.floors()
}

func (j *judging) refer(reason gatehouse.Reason, format string, args ...any) {
	j.find(finding{call: gatehouse.Refer, reason: reason, detail: fmt.Sprintf(format, args...)})
}

func (j *judging) deny(reason gatehouse.Reason, format string, args ...any) {
	j.find(finding{call: gatehouse.Deny, reason: reason, detail: fmt.Sprintf(format, args...)})
}

// refused judges a code that proved nothing. Only what is proven bad is denied; what this
// gate cannot know, it refers. A refusal that rests on the time is worth as much as the
// clock.
func (j *judging) refused() {
	r := j.e.Refusal
	call := gatehouse.Refer
	switch r.Reason {
	case gatehouse.ReasonNotOurs, gatehouse.ReasonUnreadable:
		call = gatehouse.Hint
	case gatehouse.ReasonExpired, gatehouse.ReasonNotYetValid:
		if !j.e.Clock {
			j.refer(gatehouse.ReasonClock, "%s", r.Detail)
			return
		}
		if r.Reason == gatehouse.ReasonExpired {
			call = gatehouse.Deny
		}
	case gatehouse.ReasonRevoked:
		if !r.Maybe {
			call = gatehouse.Deny
		}
	case gatehouse.ReasonBadSignature, gatehouse.ReasonKeyWithdrawn, gatehouse.ReasonKeyUsage:
		call = gatehouse.Deny
	}
	j.find(finding{call: call, reason: r.Reason, detail: r.Detail})
}

// current asks whether the code speaks of now.
func (j *judging) current() {
	switch e, pass := j.e, j.pass; {
	case !pass.Expires.IsZero() && !e.At.Before(pass.Expires):
		j.deny(gatehouse.ReasonExpired, "expired at %s", j.clock(pass.Expires))
	case !pass.NotBefore.IsZero() && e.At.Before(pass.NotBefore):
		j.refer(gatehouse.ReasonNotYetValid, "it counts from %s", j.clock(pass.NotBefore))
	case pass.Issued.After(e.At.Add(clockSlack)):
		j.refer(gatehouse.ReasonNotYetValid, "made at %s, which is yet to come", j.clock(pass.Issued))
	}
}

// look prepares what the expressions see: the colour as judged here, the temperature by the
// policy's lines, and the words that guards ask for.
func (j *judging) look() {
	p := j.policy
	j.matched = p.matrix.find(p, j.pass, j.e)
	j.here = j.pass.Grade
	if j.matched != nil && p.reads()&readColour != 0 {
		j.here = j.matched.judge(j.pass.Grade, j.pass.Class)
	}
	j.feel()
	for slot, s := range p.slots {
		if s != nil {
			j.words[slot] = s.word(j.person)
		}
	}
}

// feel reads the temperature by the policy's lines, where it may.
func (j *judging) feel() {
	if j.policy.reads()&readTemperature != 0 && (j.row == nil || j.recallSkin()) {
		j.skin = j.policy.skin.read(j.e.Skin)
	}
}

// reads is what the purpose lock and the mode leave of the claims.
func (p *Policy) reads() claims {
	if p.mode == Dormant {
		return p.purpose.reads &^ health
	}
	return p.purpose.reads
}

// cannotTellOf stands between a rule and why it could not be answered.
const cannotTellOf = " cannot tell: "

// applyRules tries every rule. All that match are found; the worst decides.
func (j *judging) applyRules() {
	p := j.policy
	if j.trace != nil && p.risk.known() {
		j.trace.step("risk", "levels by %s, %d divisions", p.risk.name(), len(p.risk.levels))
	}
	reads := p.reads()
	for _, r := range p.rules {
		if why := r.skipped(j, reads); why != notSkipped {
			j.trace.rule(r, j, why, false, nil)
			continue
		}
		matched, err := j.tryRule(r)
		j.trace.rule(r, j, notSkipped, matched, err)
		switch {
		case err != nil:
			// Nobody knows what the rule would have said: that is for staff.
			j.find(finding{call: gatehouse.Refer, reason: gatehouse.ReasonNoRule, rule: r.id, detail: fmt.Sprintf("rule %s%s%v", r.id, cannotTellOf, err)})
		case matched:
			j.find(finding{call: r.call, reason: r.reason, rule: r.id, says: r.says})
		}
	}
}

func (j *judging) tryRule(r *rule) (bool, error) {
	if j.row != nil && j.gone(r) {
		return j.recall(r)
	}
	return r.holds(j.person)
}

// A skip is why a rule was not even tried.
type skip uint8

const (
	notSkipped skip = iota
	skipMode
	skipDates
	skipFormat
	skipIssuer
)

func (r *rule) skipped(j *judging, reads claims) skip {
	switch {
	case r.reads&^reads != 0:
		return skipMode
	case len(r.formats) > 0 && !slices.Contains(r.formats, j.pass.Format):
		return skipFormat
	case !r.span.holds(j.e.At):
		return skipDates
	case len(r.issuers) > 0 && !r.from(j.pass.Issuer):
		return skipIssuer
	}
	return notSkipped
}

func (r *rule) from(issuer gatehouse.Issuer) bool {
	for _, a := range r.issuers {
		if a.holds(issuer) {
			return true
		}
	}
	return false
}

// temperature comes after the rules: it is the one question that a second look can answer
// otherwise.
func (j *judging) temperature() {
	if j.policy.reads()&readTemperature == 0 || j.skin.state == skinOff {
		return
	}
	if j.trace != nil {
		j.trace.step("temperature", "read %s at %s around, %s: %s, %s", j.e.Skin.Skin, j.e.Skin.Ambient, j.e.Skin.Quality, j.skin.estimate, skinWords[j.skin.state])
	}
	switch j.skin.state {
	case skinFever:
		j.refer(gatehouse.ReasonFever, "%s", j.skin.why)
	case skinNone:
		j.refer(gatehouse.ReasonNotMeasured, "%s", j.skin.why)
	case skinFault:
		if !j.policy.skin.skipFault {
			j.refer(gatehouse.ReasonSensorFault, "%s", j.skin.why)
		}
	}
}

// floors are what stands under every policy: without a rule that admits nobody passes, red
// as judged here does not pass, and trust that is too old lets nobody pass.
func (j *judging) floors() {
	if !j.found {
		j.fell = true
		j.find(j.policy.fallback)
	}
	if j.worst.call != gatehouse.Admit {
		return
	}
	if j.here == gatehouse.Red && j.policy.reads()&readColour != 0 {
		j.refer(gatehouse.ReasonColour, "red, and rule %s would admit it", j.worst.rule)
	}
	if j.trust == gatehouse.TrustTooOld {
		j.refer(gatehouse.ReasonTrustStale, "keys are %s old, at most %s", spell(j.e.TrustAge), spell(j.policy.stale))
	}
}

// oldKeys begins what a detail says of stale trust.
const oldKeys = "; keys "

// verdict writes down what was found.
func (j *judging) verdict() gatehouse.Verdict {
	p, f := j.policy, j.worst
	v := gatehouse.Verdict{Call: f.call, Reason: f.reason, Detail: f.detail, Rule: f.rule, Policy: p.Name(), Trust: j.trust}
	// Words that tell of what nobody may read today are not said: a row of the matrix and a
	// default go on in dormant mode, where rules sleep.
	if len(f.says.en) > 0 && f.says.reads&^p.reads() == 0 {
		v.Says = f.says.words(j.person)
		if v.Detail == "" {
			v.Detail = v.Says.En
		}
	}
	if v.Detail == "" && v.Call != gatehouse.Admit {
		v.Detail = "rule " + f.rule
	}
	if j.matched != nil {
		v.Agreement = j.matched.agreement
	}
	if p.reads()&readColour != 0 && j.pass != nil {
		v.Here = j.here
	}
	if j.trust == gatehouse.TrustStale {
		v.Detail = strings.TrimPrefix(v.Detail+oldKeys+spell(j.e.TrustAge)+" old", "; ")
	}
	return v
}
