package scanner

import (
	"slices"
	"strings"
	"time"

	"gatehouse/scanner/qr"
)

// A text may be spread over up to 16 symbols, which say so (structured append, ISO/IEC
// 18004, 8). Their holder may show them at once or one after the other.
const (
	mostParts  = 16
	mostSets   = 4
	partsStand = 10 * time.Second // without any of its symbols in view a set is forgotten
)

// parts gathers the symbols of spread texts.
type parts struct {
	sets []set
}

// A set is one text's symbols as far as they were seen.
type set struct {
	total  int
	parity byte // of the whole text: symbols of one text agree in it
	texts  [mostParts]string
	seen   time.Time
}

// add takes one symbol and gives the whole text once all its symbols were seen, and each
// time that one of them is seen again. Two people's symbols can agree in number and parity
// and make nonsense together; the signature of a code does not hold over nonsense.
func (p *parts) add(c qr.Text, at time.Time) (whole string, ok bool) {
	a := c.Append
	if a.Total > mostParts || a.Index < 0 || a.Index >= a.Total || c.Value == "" {
		return "", false
	}
	p.sets = slices.DeleteFunc(p.sets, func(s set) bool { return at.Sub(s.seen) > partsStand })
	i := slices.IndexFunc(p.sets, func(s set) bool { return s.total == a.Total && s.parity == a.Parity })
	if i < 0 {
		if len(p.sets) == mostSets {
			p.sets = slices.Delete(p.sets, 0, 1)
		}
		p.sets = append(p.sets, set{total: a.Total, parity: a.Parity})
		i = len(p.sets) - 1
	}
	s := &p.sets[i]
	s.texts[a.Index], s.seen = c.Value, at
	if slices.Contains(s.texts[:s.total], "") {
		return "", false
	}
	return strings.Join(s.texts[:s.total], ""), true
}
