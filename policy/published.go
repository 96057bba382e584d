package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// A Published set of acceptance rules is what a member state says in a format's own terms,
// as the EU's states do for travel certificates. Failing gives the ids of the rules that a
// pass does not meet at an instant, in order; none when it meets all. An error is a
// breakdown: then nobody knows. It is pure.
type Published interface {
	Failing(pass *gatehouse.Pass, at time.Time) ([]string, error)
}

// A Library holds the published rules that a gate has, by country and purpose ("entry").
type Library interface {
	Rules(country, purpose string) (Published, bool)
}

// publishedID ends what a verdict names as its rule where a country's published rules admit.
const publishedID = "-published"

// A publication says whose published rules count here, for which codes.
type publication struct {
	line    int
	country string
	purpose string
	formats []string
	call    gatehouse.Call // where a rule fails
	span    span
}

func (doc *document) publishedRules(p *Policy, f *faults) {
	for i, d := range doc.Published {
		key := fmt.Sprintf("published[%d]", i)
		b := &publication{line: f.lines[key], country: d.Country, purpose: d.Purpose, call: doc.call(key+".call", d.Call, f)}
		if len(d.Country) != 2 || !regionForm.MatchString(d.Country) {
			f.at(key+".country", "%.20q, want the country whose rules these are, as DE", d.Country)
		}
		if !idForm.MatchString(d.Purpose) {
			f.at(key+".purpose", "%.20q, want a short word, as \"entry\"", d.Purpose)
		}
		if b.call != gatehouse.Refer && b.call != gatehouse.Deny {
			f.at(key+".call", "want refer or deny: what becomes of a code that does not meet the rules")
		}
		if b.formats = doc.formats(key+".formats", d.Formats, f); len(b.formats) == 0 {
			f.at(key+".formats", "missing: which codes the rules are about, as [\"DCC\"]")
		}
		b.span = p.spanOf(key, d.From, d.Until, f)
		if need := (readTests | readVaccinations | readRecoveries | readAge) &^ p.purpose.reads; need != 0 {
			f.at(key, "purpose lock: published rules read the whole statement, and purpose.reads does not name %q", need.names())
		}
		p.published = append(p.published, b)
	}
}

// With gives the same policy with the published rules that it asks for.
func (p *Policy) With(l Library) *Policy {
	if p == nil {
		return nil
	}
	with := *p
	with.library = l
	return &with
}

// publishedRules judges a statement by the member states' own rules. To meet them all
// counts as a rule that admits.
func (j *judging) publishedRules() {
	p := j.policy
	if p.mode == Dormant {
		return
	}
	for _, b := range p.published {
		if j.row != nil && slices.Contains(b.formats, j.pass.Format) {
			j.lack("published rules of "+b.country, b.call)
			continue
		}
		if !b.span.holds(j.e.At) || !slices.Contains(b.formats, j.pass.Format) {
			continue
		}
		name := "rules of " + b.country
		rules, ok := Published(nil), false
		if p.library != nil {
			rules, ok = p.library.Rules(b.country, b.purpose)
		}
		if !ok {
			j.refer(gatehouse.ReasonNoRule, "the published %s are not at this gate", name)
			continue
		}
		failing, err := rules.Failing(j.pass, j.e.At)
		switch {
		case err != nil:
			j.refer(gatehouse.ReasonNoRule, "the published %s cannot tell: %v", name, err)
		case len(failing) > 0:
			j.find(finding{call: b.call, reason: gatehouse.ReasonNotAccepted, rule: failing[0],
				detail: fmt.Sprintf("it does not meet the %s: %s", name, strings.Join(failing[:min(len(failing), 5)], ", "))})
		default:
			j.find(finding{call: gatehouse.Admit, rule: strings.ToLower(b.country) + publishedID})
		}
	}
}
