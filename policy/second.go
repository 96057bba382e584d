package policy

import (
	"fmt"
	"slices"
	"time"

	"gatehouse"
)

// A second is a demand for a second code in the same transaction: the travel code.
type second struct {
	id      string
	line    int
	formats []string // what is taken as it
	with    []string // of the first codes that need one; none for every one
	span    span     // it always has an end: what is asked of people for a while ends by itself
	fresh   time.Duration
	proven  bool // that both are one holder's has to be proven, not just not contradicted
	says    says
}

func (doc *document) secondCodes(p *Policy, f *faults) {
	for i, d := range doc.Second {
		key := fmt.Sprintf("second[%d]", i)
		s := &second{id: d.ID, line: f.lines[key], proven: d.Proven}
		p.takeID(key, d.ID, f)
		if len(d.Formats) == 0 {
			f.at(key+".formats", "missing: which codes are taken, as [\"TTC1\"]")
		}
		s.formats, s.with = doc.formats(key+".formats", d.Formats, f), doc.formats(key+".with", d.With, f)
		s.span = p.spanOf(key, d.From, d.Until, f)
		if !f.has(key + ".until") {
			f.at(key+".until", "missing: the day on which asking for a second code ends")
		}
		var err error
		if s.fresh, err = readDuration(d.FreshFor, 30*24*time.Hour); err != nil {
			f.at(key+".fresh_for", "%v", err)
		}
		s.says = p.says(key, d.Zh, d.En, f)
		p.seconds = append(p.seconds, s)
	}
}

// secondCode judges the second code: whether one was due, whether it counts, and whether it
// is the same holder's. Tags of holders are compared here and nowhere in a policy's words.
func (j *judging) secondCode() {
	p, e := j.policy, j.e
	if e.Second != nil && j.row == nil {
		if r := p.matrix.find(p, e.Second, e); r == nil || r.deal == dealRefuse {
			j.refer(gatehouse.ReasonNotAccepted, unknownSecond+"%s are not recognised here", e.Second.Issuer)
		}
		if a, b := j.pass.Holder.Tag, e.Second.Holder.Tag; a != b && j.comparable() {
			j.refer(gatehouse.ReasonNotAccepted, twoHolders)
		}
	}
	for _, s := range p.seconds {
		if !s.span.holds(e.At) || len(s.with) > 0 && !slices.Contains(s.with, j.pass.Format) {
			continue
		}
		if reason, why := s.missing(j); reason != gatehouse.ReasonNone {
			j.find(finding{call: gatehouse.Refer, reason: reason, detail: why, rule: s.id, says: s.says})
		} else if j.row != nil {
			j.recallSecond(s)
		}
	}
}

// unknownSecond begins what is said of a second code of an issuer that no row recognises.
const unknownSecond = "second codes of "

// twoHolders is what is said of two codes whose tags differ.
const twoHolders = "the two codes are not the same holder's"

// comparable reports whether two tags that differ are two holders'. An issuer tags people
// under a key of its own and of the day: those of two issuers, or of two days, differ for one person, too.
func (j *judging) comparable() bool {
	a, b := j.pass, j.e.Second
	return a.Holder.Tag != "" && b.Holder.Tag != "" && normal(a.Issuer) == normal(b.Issuer) && j.policy.zone.days(a.Issued, b.Issued) == 0
}

// missing says why the second code does not meet the demand; no reason when it does.
func (s *second) missing(j *judging) (gatehouse.Reason, string) {
	code, e := j.e.Second, j.e
	switch {
	case code == nil:
		return gatehouse.ReasonSecondCode, "a second code is needed: show it within a minute"
	case !slices.Contains(s.formats, code.Format):
		return gatehouse.ReasonNotAccepted, fmt.Sprintf("a second code in %s is not what is needed", code.Format)
	case j.row != nil:
		return gatehouse.ReasonNone, "" // the row keeps no more of it
	case !code.Expires.IsZero() && !e.At.Before(code.Expires):
		return gatehouse.ReasonExpired, "the second code expired at " + j.clock(code.Expires)
	case code.Issued.IsZero() || e.At.Sub(code.Issued) > s.fresh:
		return gatehouse.ReasonExpired, fmt.Sprintf("the second code is older than %s", spell(s.fresh))
	case !code.NotBefore.IsZero() && e.At.Before(code.NotBefore):
		return gatehouse.ReasonNotYetValid, "the second code counts from " + j.clock(code.NotBefore)
	case code.Issued.After(e.At.Add(clockSlack)):
		return gatehouse.ReasonNotYetValid, "the second code was made at " + j.clock(code.Issued) + ", which is yet to come"
	}
	if a, b := j.pass.Holder.Tag, code.Holder.Tag; s.proven && (a == "" || a != b) {
		return gatehouse.ReasonNotAccepted, "nothing proves that the two codes are the same holder's"
	}
	return gatehouse.ReasonNone, ""
}
