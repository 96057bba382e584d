package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
)

const maxRows = 2000

var dealWords = []string{"", "accept", "map", "extra", "refuse"}

var classWords = map[string]gatehouse.Class{"place": gatehouse.Place, "contact": gatehouse.Contact, "health": gatehouse.Health}

// recognise checks the matrix: which issuers' codes are worth what here, from when and until
// when. Two rows of one issuer and one site on one day are two answers to one question,
// and refused.
func (doc *document) recognise(p *Policy, f *faults) {
	p.matrix = matrix{}
	if len(doc.Recognise) == 0 {
		f.at("recognise", "missing: nobody's codes are recognised, not even the region's own")
	}
	if len(doc.Recognise) > maxRows {
		f.at("recognise[0]", "%d rows, at most %d", len(doc.Recognise), maxRows)
		return
	}
	for i := range doc.Recognise {
		key := fmt.Sprintf("recognise[%d]", i)
		r := doc.row(p, key, &doc.Recognise[i], f)
		for _, before := range p.matrix[r.issuer] {
			if r.collides(before) {
				verb := "repeats"
				if r.deal != before.deal || r.agreement != before.agreement || r.needs.text != before.needs.text || !slices.Equal(r.maps, before.maps) {
					verb = "contradicts"
				}
				f.at(key, "it %s the row on line %d: the same issuer, site and days", verb, before.line)
			}
		}
		p.rows = append(p.rows, r)
		p.matrix[r.issuer] = append(p.matrix[r.issuer], r)
	}
	for _, rows := range p.matrix {
		slices.SortStableFunc(rows, func(a, b *recognition) int {
			return cmp.Or(cmp.Compare(len(normal(b.site)), len(normal(a.site))), cmp.Compare(len(b.formats), len(a.formats)))
		})
	}
}

// collides reports whether two rows of one issuer speak of the same codes at the same time.
// A row that names formats stands before one that does not.
func (r *recognition) collides(o *recognition) bool {
	if normal(r.site) != normal(o.site) || !r.span.meets(o.span) || (len(r.formats) == 0) != (len(o.formats) == 0) {
		return false
	}
	return len(r.formats) == 0 || slices.ContainsFunc(r.formats, func(name string) bool { return slices.Contains(o.formats, name) })
}

func (doc *document) row(p *Policy, key string, d *recogniseDoc, f *faults) *recognition {
	r := &recognition{line: f.lines[key], site: p.site, call: gatehouse.Refer, agreement: d.Agreement}
	r.issuer = normal(region(key+".issuer", d.Issuer, f))
	if d.Site != "" {
		if r.site = region(key+".site", d.Site, f); !r.site.Within(p.site) {
			f.at(key+".site", "%s is no part of %s, whose policy this is", d.Site, p.site)
		}
	}
	r.formats = doc.formats(key+".formats", d.Formats, f)
	r.span = p.spanOf(key, d.From, d.Until, f)
	r.deal = deal(max(slices.Index(dealWords, d.Do), 0))
	if r.deal == dealNone {
		f.at(key+".do", "%.20q, want accept, map, extra or refuse", d.Do)
	}
	if len(d.Agreement) > 80 {
		f.at(key+".agreement", "more than 80 bytes do not fit the screen")
	}
	if d.Call != "" {
		r.call = doc.call(key+".call", d.Call, f)
		if r.deal != dealRefuse && r.deal != dealExtra || r.call != gatehouse.Refer && r.call != gatehouse.Deny {
			f.at(key+".call", "only rows that refuse or ask for more have a call: refer or deny")
		}
	}
	if (r.deal == dealMap) != (len(d.Map) > 0) {
		f.at(key+".map", "map = [...] and do = \"map\" stand together")
	}
	if d.Needs != "" {
		if r.deal != dealExtra {
			f.at(key+".needs", "only a row with do = \"extra\" asks for more")
		}
		r.needs = p.compile(key+".needs", d.Needs, f)
	}
	r.maps = doc.mappings(p, key, d.Map, f)
	r.says = p.says(key, d.Zh, d.En, f)
	return r
}

func (doc *document) mappings(p *Policy, key string, list []mapDoc, f *faults) (maps []mapping) {
	if len(list) > 0 && p.purpose.reads&readColour == 0 {
		f.at(key+".map", "purpose lock: colours are judged again, and purpose.reads does not name \"colour\"")
	}
	for i, d := range list {
		at := fmt.Sprintf("%s.map[%d]", key, i)
		grade, here := slices.Index(gradeWords, d.Grade), slices.Index(gradeWords, d.Here)
		if grade < 1 || here < 1 {
			f.at(at, "grade %.10q, here %.10q: want two of %q", d.Grade, d.Here, gradeWords[1:])
			continue
		}
		m := mapping{grade: gatehouse.Grade(grade), here: gatehouse.Grade(here)}
		for _, name := range d.Class {
			if classWords[name] == 0 {
				f.at(at, "class %.10q, want place, contact or health", name)
			}
			m.class |= classWords[name]
		}
		for _, before := range maps {
			if before.grade == m.grade && (before.class == 0 || m.class != 0 && m.class&^before.class == 0) {
				f.at(at, "a line before it has answered this already")
				break
			}
		}
		maps = append(maps, m)
	}
	return maps
}

// needCheck is what is said of codes whose extra proof is not there.
const needCheck = " need a check here"

// recognised asks the matrix what the issuer's codes are worth here.
func (j *judging) recognised() {
	r, issuer := j.matched, j.pass.Issuer
	switch {
	case r == nil:
		j.refer(gatehouse.ReasonNotAccepted, "%s is not recognised here", issuer)
		return
	case r.deal == dealRefuse:
		j.find(finding{call: r.call, reason: gatehouse.ReasonNotAccepted, detail: fmt.Sprintf("%s is not accepted here", issuer), says: r.says})
	case r.deal == dealExtra && j.row != nil && len(r.needs.lacks) > 0:
		j.recallExtra(r)
	case r.deal == dealExtra && j.policy.mode != Dormant:
		if met, why := j.meets(&r.needs); !met {
			j.find(finding{call: r.call, reason: gatehouse.ReasonNotAccepted, says: r.says,
				detail: strings.TrimSuffix(fmt.Sprintf("codes of %s%s: %s", issuer, needCheck, why), ": ")})
		}
	}
	if j.trace == nil {
		return
	}
	j.trace.step("recognised", "%s by the row on line %d: %s %s", issuer, r.line, recognitionWords[r.deal], r.agreement)
	if j.policy.reads()&readColour != 0 && j.here != j.pass.Grade {
		j.trace.step("colour", "%s there is %s here", j.pass.Grade, j.here)
	}
}

// meets asks whether the extra proof is there. A row without needs asks staff every time.
func (j *judging) meets(c *condition) (bool, string) {
	if c.text == "" {
		return false, ""
	}
	met, err := c.holds(j.person)
	if err != nil {
		return false, err.Error()
	}
	return met, ""
}
