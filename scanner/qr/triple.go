package qr

import (
	"math"
	"slices"
)

// Which three finders belong together: not one best choice but a ranked list,
// since a poster, a keyboard or a second code makes wrong threes that look
// right.

// A triple is three finders taken as the corners of one symbol: b is clockwise
// of a, to its right when the symbol stands upright.
type triple struct {
	a, b, c *finder
	modules float64 // estimated modules from a to b and from a to c, the mean
	penalty float64
}

const (
	maxTriples   = 256
	maxWeighed   = 8192 // threes that are looked at, those of the best finders first
	worstPenalty = 1.2
	minSpan      = 10.0  // modules between finder centres; version 1 has 14
	maxSpan      = 205.0 // version 40 has 170
)

// makeTriples appends the plausible triples, the best first.
func makeTriples(list []finder, out []triple) []triple {
	weighed := 0
	for i := range list {
		for j := i + 1; j < len(list); j++ {
			if !pair(&list[i], &list[j]) {
				continue
			}
			for k := j + 1; k < len(list); k++ {
				if !pair(&list[i], &list[k]) || !pair(&list[j], &list[k]) {
					continue
				}
				if weighed++; weighed > maxWeighed {
					break
				}
				if t, ok := newTriple(&list[i], &list[j], &list[k]); ok {
					out = append(out, t)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b triple) int {
		switch {
		case a.penalty < b.penalty:
			return -1
		case a.penalty > b.penalty:
			return 1
		}
		return 0
	})
	return out[:min(len(out), maxTriples)]
}

// pair reports whether two finders may belong to one symbol.
func pair(f, g *finder) bool {
	if f.light != g.light || f.module > 2.2*g.module || g.module > 2.2*f.module {
		return false
	}
	d := f.centre.sub(g.centre)
	m := (f.module + g.module) / 2
	far := maxSpan * math.Sqrt2 * m
	near := minSpan * 0.6 * m
	q := d.dot(d)
	return q > near*near && q < far*far
}

// newTriple puts the corner opposite the longest side and weighs the shape: the
// sides should count as many modules, and each finder's own square should lie
// along them.
func newTriple(f, g, h *finder) (triple, bool) {
	fg, gh, hf := f.centre.sub(g.centre), g.centre.sub(h.centre), h.centre.sub(f.centre)
	a, b, c := f, g, h
	switch q := max(fg.dot(fg), gh.dot(gh), hf.dot(hf)); q {
	case fg.dot(fg):
		a, b, c = h, f, g
	case hf.dot(hf):
		a, b, c = g, h, f
	}
	ab, ac := b.centre.sub(a.centre), c.centre.sub(a.centre)
	if ab.cross(ac) < 0 {
		b, c, ab, ac = c, b, ac, ab
	}
	n1 := 7 * ab.length() * 2 / (a.width(ab) + b.width(ab))
	n2 := 7 * ac.length() * 2 / (a.width(ac) + c.width(ac))
	n := (n1 + n2) / 2
	if n < minSpan || n > maxSpan {
		return triple{}, false
	}
	t := triple{a: a, b: b, c: c, modules: n}
	t.penalty = 2 * math.Abs(math.Log(n1/n2))
	if t.penalty > worstPenalty {
		return t, false
	}
	for _, p := range [3]*finder{a, b, c} {
		e1, e2 := p.axes(ab, ac)
		for _, d := range [2]point{e1.add(e2), e1.sub(e2)} {
			t.penalty += math.Abs(math.Log(7*d.length()/p.width(d))) / 3
		}
	}
	sin := ab.cross(ac) / (ab.length() * ac.length())
	t.penalty += 0.5 * (1 - sin)
	t.penalty += 0.3 * math.Log(max(a.module, b.module, c.module)/min(a.module, b.module, c.module))
	return t, t.penalty <= worstPenalty
}
