package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Site is the region whose gates the policy binds.
func (p *Policy) Site() gatehouse.Issuer {
	if p == nil {
		return ""
	}
	return p.site
}

// At gives the same policy as it judges at one site of its region: a province's policy may
// have rows for single cities. A site that is no part of the region is an error.
func (p *Policy) At(site gatehouse.Issuer) (*Policy, error) {
	if p == nil || !site.Within(p.site) {
		return nil, fmt.Errorf("policy %s: %s is no part of it", p.Name(), site)
	}
	at := *p
	at.at = site
	return &at, nil
}

// Follows reports whether a policy may take the place of the one in use; the error says why
// not. Versions only grow, a site does not change, and what the policy may read of people
// does not grow in silence: a policy with another purpose or a wider one has to say so, by
// naming the last version that it widens; one that follows it goes on to say so, for gates that
// were away and missed it. An emergency policy has a count of its own. A nil old
// policy is none.
//
// The same version again is an error, too: whether the bytes are the same is for the one
// to say who has them.
func (p *Policy) Follows(old *Policy) error {
	switch {
	case p == nil || p.version == 0:
		return errors.New("policy: it is none")
	case old == nil || old.version == 0:
		return nil
	case p.site != old.site:
		return fmt.Errorf("policy %s is another region's than %s", p.Name(), old.Name())
	case (p.mode == Emergency) != (old.mode == Emergency):
		return fmt.Errorf("policy %s and %s are not of one kind: an emergency policy lies beside the everyday one", p.Name(), old.Name())
	case p.version < old.version:
		return fmt.Errorf("policy %s is older than %s", p.Name(), old.Name())
	case p.version == old.version:
		return fmt.Errorf("policy %s is in use already", old.Name())
	case p.issued.Before(old.issued):
		return fmt.Errorf("policy %s was issued before %s", p.Name(), old.Name())
	}
	wider := p.purpose.reads &^ old.purpose.reads
	if (wider != 0 || p.purpose.name != old.purpose.name) && p.purpose.widens < old.version {
		what := "another purpose"
		if wider != 0 {
			what = strings.Join(wider.names(), ", ")
		}
		return fmt.Errorf("policy %s reads more of people than %s (%s) and does not say so: purpose.widens = %d", p.Name(), old.Name(), what, old.version)
	}
	return nil
}

// Purpose is what codes are read for, and the words in which people are told.
func (p *Policy) Purpose() (name string, told gatehouse.Words) {
	if p == nil {
		return "", gatehouse.Words{}
	}
	return p.purpose.name, p.purpose.says
}

// Reads are the groups of claims that the policy reads today: what its purpose names, less
// what its mode leaves alone.
func (p *Policy) Reads() []string {
	if p == nil {
		return nil
	}
	return p.reads().names()
}

// Measures reports whether foreheads are measured, and how many tries a person has before a
// bad reading is judged as it is.
func (p *Policy) Measures() (tries int, measures bool) {
	if p == nil || p.skin.off || p.reads()&readTemperature == 0 {
		return 0, false
	}
	return p.skin.tries, true
}

// Narrow is what the purpose lock leaves of a pass: call it on every pass before anything
// else sees it, screens included. The native statement stays only where published rules
// of a member state have to judge it.
func (p *Policy) Narrow(pass gatehouse.Pass) gatehouse.Pass {
	var reads claims
	if p != nil {
		reads = p.reads()
	}
	if reads&readColour == 0 {
		pass.Grade, pass.Class, pass.Since = gatehouse.NoGrade, 0, time.Time{}
	}
	if reads&readAge == 0 {
		pass.Holder.Birth = ""
	}
	pass.Facts = slices.DeleteFunc(slices.Clone(pass.Facts), func(f gatehouse.Fact) bool { return claimOf(f.Kind)&^reads != 0 })
	judged := func(b *publication) bool { return slices.Contains(b.formats, pass.Format) }
	if p == nil || p.mode == Dormant || !slices.ContainsFunc(p.published, judged) {
		pass.Native = nil
	}
	return pass
}

// Keep is what may be written down of a passage. Where health is not judged it is not kept:
// no colour and no reason of one, no temperature.
func (p *Policy) Keep(row gatehouse.Passage) gatehouse.Passage {
	var reads claims
	if p != nil {
		reads = p.reads()
	}
	if reads&readColour == 0 {
		row.Grade, row.Class, row.Verdict.Here = gatehouse.NoGrade, 0, gatehouse.NoGrade
	}
	if reads&readTemperature == 0 {
		row.Skin = gatehouse.Measurement{}
	}
	return row
}

// State is how far trust of an age can be relied on, by the policy's lines; without a policy
// it is too old.
func (p *Policy) State(age time.Duration) gatehouse.Trust {
	switch {
	case p == nil || p.version == 0:
		return gatehouse.TrustTooOld
	case age <= p.fresh:
		return gatehouse.TrustFresh
	case age <= p.stale:
		return gatehouse.TrustStale
	}
	return gatehouse.TrustTooOld
}

// Issued is when the region said this.
func (p *Policy) Issued() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.issued
}

// Holds reports whether the policy's own dates hold at an instant. Outside of them everybody
// is referred.
func (p *Policy) Holds(at time.Time) bool { return p != nil && p.version > 0 && p.span.holds(at) }

// Mode is what the policy is for; empty for none.
func (p *Policy) Mode() Mode {
	if p == nil {
		return ""
	}
	return p.mode
}
