package policy

import (
	"fmt"
	"strings"
	"time"

	"gatehouse"
)

// A Manual is a way past the gate for those without a code that can be judged: a child with
// its family, an elder without a telephone, a paper. A guard says which, and what was seen;
// the policy offers the way or does not, and the temperature is judged as anybody's.
type Manual struct {
	ID      string // as the book names the way, where a rule's id would stand: "companion"
	Without gatehouse.Without
	Says    gatehouse.Words
	Within  time.Duration // of a companion: how soon after the other one was admitted

	span span
	says says
}

// The spans in which a companion comes after whom they came with.
const (
	companionWithin    = 10 * time.Minute // where the policy says nothing
	maxCompanionWithin = time.Hour
)

// ways are the causes for which somebody has no code, as a policy names them.
var ways = map[string]gatehouse.Without{"paper": gatehouse.OnPaper, "no-phone": gatehouse.NoPhone, "companion": gatehouse.Companion}

func (doc *document) manualPaths(p *Policy, f *faults) {
	for i, d := range doc.Manual {
		key := fmt.Sprintf("manual[%d]", i)
		m := Manual{ID: d.ID, Without: ways[d.ID], Says: gatehouse.Words{Zh: d.Zh, En: d.En}}
		if p.takeID(key, d.ID, f); m.Without == gatehouse.WithCode {
			f.at(key+".id", "%.40q is no way that a guard can take: want paper, no-phone or companion", d.ID)
		}
		var err error
		switch m.says, err = readSays(d.Zh, d.En); {
		case err != nil:
			f.at(key, "%v", err)
		case d.Zh == "":
			f.at(key, "zh and en are needed: what the guard does")
		case strings.ContainsRune(d.Zh, '{'):
			f.at(key, "there is no code here that a placeholder could speak of")
		}
		switch {
		case d.Within != "" && m.Without != gatehouse.Companion:
			f.at(key+".within", "only a companion comes within some time of somebody")
		case d.Within != "":
			if m.Within, err = readDuration(d.Within, maxCompanionWithin); err != nil {
				f.at(key+".within", "%v", err)
			}
		case m.Without == gatehouse.Companion:
			m.Within = companionWithin
		}
		m.span = p.spanOf(key, d.From, d.Until, f)
		p.manual = append(p.manual, m)
	}
}

// Manual gives the ways without a code that the policy offers at an instant.
func (p *Policy) Manual(at time.Time) (offered []Manual) {
	if p == nil || !p.span.holds(at) {
		return nil
	}
	for _, m := range p.manual {
		if m.span.holds(at) {
			offered = append(offered, m)
		}
	}
	return offered
}

// withoutCode judges somebody who has no code to show. No rule speaks of them: rules are
// about codes.
func (j *judging) withoutCode() {
	j.feel()
	j.way()
	j.temperature()
	j.floors()
}

func (j *judging) way() {
	e := j.e
	for i := range j.policy.manual {
		m := &j.policy.manual[i]
		if m.Without != e.Without || !m.span.holds(e.At) {
			continue
		}
		if why := j.alone(m); why != "" {
			j.refer(gatehouse.ReasonNoRule, "%s", why)
			return
		}
		j.find(finding{call: gatehouse.Admit, rule: m.ID, says: m.says})
		return
	}
	j.refer(gatehouse.ReasonNoRule, "this region's rules know no such way: %s", e.Without)
}

// alone says why somebody is nobody's companion; empty for those who are not asked, and for
// those who are one.
func (j *judging) alone(m *Manual) string {
	if m.Without != gatehouse.Companion {
		return ""
	}
	if j.row != nil {
		if !j.cameAlong(m.ID) {
			j.lack("whom they came with", gatehouse.Refer)
			return "the book does not tell whom they came with"
		}
		return ""
	}
	seen := j.e.History.Seen
	switch age := j.e.At.Sub(seen); {
	case seen.IsZero() || age < 0:
		return "nobody was admitted here whom they could have come with"
	case age > m.Within:
		return fmt.Sprintf("whom they came with was admitted %s ago, at most %s", spell(age), spell(m.Within))
	}
	return ""
}
