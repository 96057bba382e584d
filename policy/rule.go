package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// A rule is one rule of the region, checked and ready.
type rule struct {
	id     string
	line   int
	call   gatehouse.Call
	reason gatehouse.Reason
	says   says
	span   span
	// The native selectors: none is "any".
	formats []string
	issuers []area
	condition
}

// A span is the time in which something holds: from the first instant up to, and without,
// the second. A zero end is open.
type span struct{ from, until time.Time }

func (s span) holds(at time.Time) bool {
	return (s.from.IsZero() || !at.Before(s.from)) && (s.until.IsZero() || at.Before(s.until))
}

// meets reports whether two spans have an instant in common.
func (s span) meets(o span) bool {
	return (s.until.IsZero() || o.from.IsZero() || o.from.Before(s.until)) &&
		(o.until.IsZero() || s.from.IsZero() || s.from.Before(o.until))
}

// within reports whether all of s lies in o.
func (s span) within(o span) bool {
	return (o.from.IsZero() || s.from.IsZero() || !s.from.Before(o.from)) && (o.until.IsZero() || s.until.IsZero() || !s.until.After(o.until))
}

func (doc *document) rulesOf(p *Policy, f *faults) {
	if len(doc.Rule) > maxRuleCount {
		f.at("rule[0]", "%d rules, at most %d", len(doc.Rule), maxRuleCount)
		return
	}
	p.compileAll(doc.Rule)
	defer func() { p.ready = nil }()
	admits := false
	for i := range doc.Rule {
		d, key := &doc.Rule[i], fmt.Sprintf("rule[%d]", i)
		r := &rule{id: d.ID, line: f.lines[key], reason: gatehouse.Reason(d.Reason), formats: d.Formats}
		p.takeID(key, d.ID, f)
		if r.call = doc.call(key+".call", d.Call, f); r.call == gatehouse.Admit {
			if d.Reason != "" {
				f.at(key+".reason", "who is admitted needs no reason")
			}
		} else if !slices.Contains(ruleReasons, r.reason) {
			f.at(key+".reason", "%.20q is no code that a rule may give: want one of %q", d.Reason, ruleReasons)
		}
		r.span = p.spanOf(key, d.From, d.Until, f)
		r.formats = doc.formats(key+".formats", d.Formats, f)
		for n, name := range d.Issuers {
			r.issuers = append(r.issuers, areaOf(region(fmt.Sprintf("%s.issuers[%d]", key, n), name, f)))
		}
		if d.When == "" {
			f.at(key+".when", "missing: when the rule holds; \"true\" for always")
		} else {
			r.condition = p.compile(key+".when", d.When, f)
		}
		r.says = p.says(key, d.Zh, d.En, f)
		r.reads |= r.says.reads
		admits = admits || r.call == gatehouse.Admit && (p.mode != Dormant || r.reads&health == 0)
		p.rules = append(p.rules, r)
	}
	switch {
	case admits || len(p.published) > 0 && p.mode != Dormant:
	case p.mode == Dormant:
		f.at("rule", "no rule that admits does without health, so in dormant mode nobody could pass")
	default:
		f.at("rule", "no rule admits: nobody could pass")
	}
}

// takeID holds ids of rules, second codes and ways to one meaning each: a verdict names what
// decided by it.
func (p *Policy) takeID(key, id string, f *faults) {
	switch before := f.ids[id]; {
	case !idForm.MatchString(id):
		f.at(key+".id", "%.40q, want small letters, digits, - and _, which begin with a letter", id)
	case strings.HasSuffix(id, publishedID):
		f.at(key+".id", "%.40q is how the rules that a country publishes are named", id)
	case before > 0:
		f.at(key+".id", "%s is taken, on line %d", id, before)
	}
	if f.ids == nil {
		f.ids = map[string]int{}
	}
	f.ids[id] = max(f.lines[key], 1)
}
