package policy

import (
	"errors"
	"slices"
	"strings"

	"gatehouse"
)

// ErrNotJudged is a row of the book that no policy judged: a guard's decision, or a gate
// that was out of order.
var ErrNotJudged = errors.New("policy: the row is not a judge's")

// Replay judges a row of the book again, by this policy: "14 passes would have become ask".
// A row keeps format, issuer, colour, temperature, clock and age of trust. It does not keep
// what else the code said: why the colour is what it is, its times, its facts, the holder's
// age, what was remembered, a second code. So
//
//   - a rule that asks for these counts as matching when it decided the row then, under the
//     same id, and as not matching otherwise;
//   - lacks names what was asked for in vain. With none the answer is exact.
//
// A code that proved nothing is judged by the reason that was written down.
func (p *Policy) Replay(row gatehouse.Passage) (v gatehouse.Verdict, lacks []string, err error) {
	switch row.Verdict.Reason {
	case gatehouse.ReasonLog, gatehouse.ReasonCamera, gatehouse.ReasonBarrier, gatehouse.ReasonGuard:
		return v, nil, ErrNotJudged
	}
	if row.Amends != 0 {
		return v, nil, ErrNotJudged
	}
	if p == nil || p.version == 0 {
		return p.Judge(gatehouse.Evidence{}), nil, nil
	}
	e := gatehouse.Evidence{At: row.At, Clock: row.Clock, TrustAge: row.TrustAge, Skin: row.Skin}
	if refusedThen(row.Verdict) {
		e.Refusal = &gatehouse.Refusal{Reason: row.Verdict.Reason, Detail: row.Verdict.Detail, Format: row.Format,
			Issuer: row.Issuer, KeyID: row.KeyID, Maybe: row.Verdict.Call == gatehouse.Refer}
	} else {
		e.Pass = &gatehouse.Pass{Format: row.Format, Issuer: row.Issuer, KeyID: row.KeyID, Code: row.Code, Grade: row.Grade}
	}
	j := &judging{person: &person{policy: p, e: &e, pass: e.Pass, trust: p.State(e.TrustAge)}, row: &row}
	j.settle()
	v = j.verdict()
	slices.Sort(j.lacks)
	return v, slices.Compact(j.lacks), nil
}

// refusedThen reports whether a verdict was on a code that proved nothing: its reason is of
// the code or its signature, or of its dates, and no rule gave it.
func refusedThen(v gatehouse.Verdict) bool {
	if v.Rule != "" {
		return false
	}
	switch v.Reason {
	case gatehouse.ReasonExpired, gatehouse.ReasonNotYetValid, gatehouse.ReasonRevoked:
		return true
	}
	return strings.HasPrefix(string(v.Reason), "Q") || strings.HasPrefix(string(v.Reason), "S")
}

// recall is what a rule said of a row whose code is gone, as far as the row tells.
func (j *judging) recall(r *rule) bool {
	if j.row.Verdict.Rule == r.id {
		return true
	}
	for _, g := range r.guards {
		// What the guards can see settles it without the code, unless they ask for words
		// that are gone.
		if s := j.policy.slots[g.slot]; s.kept && g.mask>>j.words[g.slot]&1 == 0 {
			return false
		}
	}
	for _, name := range r.lacks {
		j.lack(name)
	}
	return false
}

func (j *judging) lack(what string) { j.lacks = append(j.lacks, what) }
