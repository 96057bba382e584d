package policy

import (
	"errors"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// ErrNotJudged is a row of the book that no policy judged: a guard's decision, a travel code
// that came alone, or a gate that was out of order.
var ErrNotJudged = errors.New("policy: the row is not a judge's")

// unstatedAge is older than any code: the age of one that does not say when it was made.
const unstatedAge = 200 * 366 * 24 * time.Hour

// Replay judges a row of the book again, by this policy: "14 passes would have become ask".
// A row keeps format, issuer, colour and its reason, the code's age to a second, temperature,
// clock, age of trust, the second code's format, and which way somebody without a code came.
// It does not keep what else the code said: its other times, its facts, the holder's age, what
// was remembered, what the second code said. So
//
//   - a rule that asks for these counts as matching when it decided the row then, under the
//     same id, and as not matching otherwise; other questions likewise;
//   - lacks names what was asked for in vain and could have changed the call or its reason. With none the
//     answer is exact.
//
// A code that proved nothing is judged by the reason that was written down.
func (p *Policy) Replay(row gatehouse.Passage) (v gatehouse.Verdict, lacks []string, err error) {
	switch then := row.Verdict; then.Reason {
	case gatehouse.ReasonLog, gatehouse.ReasonCamera, gatehouse.ReasonBarrier, gatehouse.ReasonGuard:
		return v, nil, ErrNotJudged
	case gatehouse.ReasonSecondCode:
		if then.Call == gatehouse.Hint {
			return v, nil, ErrNotJudged
		}
	}
	if p == nil || p.version == 0 {
		return p.Judge(gatehouse.Evidence{}), nil, nil
	}
	e := evidenceOf(&row)
	j := &judging{person: &person{policy: p, e: e, pass: e.Pass, trust: p.State(e.TrustAge)}, row: &row}
	j.settle()
	v = j.verdict()
	switch then := row.Verdict; {
	case then.Call == gatehouse.Deny && v.Call != gatehouse.Deny && e.Pass != nil:
		j.lack("what a denial hid", gatehouse.Refer) // what would only have been referred: an impossible history
	case then.Reason == gatehouse.ReasonCrowd && v.Call == gatehouse.Admit:
		// The lane's word on whom its judge admitted: one forehead, two codes.
		v.Call, v.Reason, v.Detail, v.Rule, v.Says = gatehouse.Refer, then.Reason, then.Detail, "", gatehouse.Words{}
	}
	for _, l := range j.lacks {
		// What can only have called for less than the worst is no loss, unless there was nothing but
		// the default.
		if j.fell || rank(l.call) >= rank(v.Call) {
			lacks = append(lacks, l.what)
		}
	}
	slices.Sort(lacks)
	return v, slices.Compact(lacks), nil
}

// evidenceOf is what a row keeps of the evidence that was judged.
func evidenceOf(row *gatehouse.Passage) *gatehouse.Evidence {
	e := &gatehouse.Evidence{At: row.At, Clock: row.Clock, TrustAge: row.TrustAge, Skin: row.Skin, Without: row.Without}
	switch {
	case row.Without != gatehouse.WithCode:
	case refusedThen(row):
		e.Refusal = &gatehouse.Refusal{Reason: row.Verdict.Reason, Detail: saidThen(row.Verdict), Format: row.Format,
			Issuer: row.Issuer, KeyID: row.KeyID, Maybe: row.Verdict.Call == gatehouse.Refer}
	default:
		e.Pass = &gatehouse.Pass{Format: row.Format, Issuer: row.Issuer, KeyID: row.KeyID, Code: row.Code, Grade: row.Grade, Class: row.Class}
		if row.Age < unstatedAge {
			e.Pass.Issued = row.At.Add(-row.Age)
		}
		if row.Second != "" {
			e.Second = &gatehouse.Pass{Format: row.Second}
		}
	}
	return e
}

// refusedThen reports whether a row is about a code that proved nothing: it tells nothing that
// only a proven code says, its reason is of the code, its signature or its dates, and no rule
// gave it.
func refusedThen(row *gatehouse.Passage) bool {
	if row.Code != "" || row.Grade != gatehouse.NoGrade || row.Class != 0 || row.Age != 0 || row.Second != "" || row.Verdict.Rule != "" {
		return false
	}
	switch reason := row.Verdict.Reason; reason {
	case gatehouse.ReasonCrowd:
		return false
	case gatehouse.ReasonExpired, gatehouse.ReasonNotYetValid, gatehouse.ReasonRevoked:
		return true
	default:
		return strings.HasPrefix(string(reason), "Q") || strings.HasPrefix(string(reason), "S")
	}
}

// saidThen is a row's detail without what the age of trust added to it.
func saidThen(v gatehouse.Verdict) string {
	said, _, _ := strings.Cut(v.Detail, oldKeys)
	return said
}

// recallCode finds again what was wrong with the code itself: the row keeps the answer, and not
// what it rests on.
func (j *judging) recallCode() {
	then := j.row.Verdict
	switch {
	case then.Rule != "":
	case then.Reason == gatehouse.ReasonMalformed, then.Reason == gatehouse.ReasonExpired, then.Reason == gatehouse.ReasonNotYetValid,
		then.Reason == gatehouse.ReasonNotAccepted && (strings.HasPrefix(then.Detail, twoHolders) || strings.HasPrefix(then.Detail, unknownSecond)):
		j.find(finding{call: then.Call, reason: then.Reason, detail: saidThen(then)})
	}
	if j.policy.reads()&readColour != 0 && j.row.Grade == gatehouse.NoGrade && strings.HasPrefix(j.row.Format, "RHC") {
		j.lack("pass.grade", gatehouse.Deny) // it was not to be kept
	}
}

// recallSkin tells whether a row says anything of a temperature. One of which none was to be
// kept looks like one of nobody measured.
func (j *judging) recallSkin() bool {
	kept := j.row.Skin != (gatehouse.Measurement{}) || j.row.Verdict.Reason == gatehouse.ReasonNotMeasured
	if !kept && !j.policy.skin.off {
		j.lack("skin", gatehouse.Refer)
	}
	return kept
}

// recall is what a rule said of a row whose code is gone, as far as the row tells.
func (j *judging) recall(r *rule) (bool, error) {
	if then := j.row.Verdict; then.Rule == r.id {
		if _, why, could := strings.Cut(saidThen(then), cannotTellOf); could {
			return false, errors.New(why)
		}
		return true, nil
	}
	// What the row keeps may settle it without the code.
	for _, g := range r.guards {
		if s := j.policy.slots[g.slot]; s.kept && g.mask>>j.words[g.slot]&1 == 0 {
			return false, nil
		}
	}
	for i := range r.numbers {
		if n := &r.numbers[i]; n.kept && n.ask(j.person) == isNot {
			return false, nil
		}
	}
	for _, region := range r.regions {
		if !region.holds(j.pass.Issuer) {
			return false, nil
		}
	}
	for _, name := range r.lacks {
		j.lack(name, r.call)
	}
	return false, nil
}

// gone reports whether a rule asks for what the row does not keep. Of a second code that was
// not shown nothing is gone.
func (j *judging) gone(r *rule) bool {
	return slices.ContainsFunc(r.lacks, func(name string) bool { return j.e.Second != nil || !strings.HasPrefix(name, "second.") })
}

// recallExtra is whether the extra proof was there, as far as the row tells.
func (j *judging) recallExtra(r *recognition) {
	if then := j.row.Verdict; then.Rule == "" && then.Reason == gatehouse.ReasonNotAccepted && strings.Contains(then.Detail, needCheck) {
		j.find(finding{call: r.call, reason: then.Reason, detail: saidThen(then), says: r.says})
		return
	}
	j.lack("the extra proof that codes of "+string(j.pass.Issuer)+" need", r.call)
}

// recallSecond is whether a second code met the demand then, as far as the row tells.
func (j *judging) recallSecond(s *second) {
	if then := j.row.Verdict; then.Rule == s.id {
		j.find(finding{call: then.Call, reason: then.Reason, detail: saidThen(then), rule: s.id, says: s.says})
		return
	}
	j.lack("second.issued", gatehouse.Refer)
}

// cameAlong is whether somebody was a companion then. What stands before an admission, and
// what takes it back, tells it too.
func (j *judging) cameAlong(way string) bool {
	switch then := j.row.Verdict; then.Reason {
	case gatehouse.ReasonFever, gatehouse.ReasonNotMeasured, gatehouse.ReasonSensorFault, gatehouse.ReasonTrustStale:
		return true
	default:
		return then.Rule == way
	}
}

// A lacking is what a row does not tell, and the worst that could have come of it.
type lacking struct {
	what string
	call gatehouse.Call
}

func (j *judging) lack(what string, worst gatehouse.Call) {
	j.lacks = append(j.lacks, lacking{what, worst})
}
