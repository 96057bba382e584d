package qr

import "math"

// A Hint is what kept a code in view from being read, for the guard and the
// holder: the stage that failed, put as what to do about it.
type Hint int

const (
	HintNone    Hint = iota // read, or nothing like a code in view
	HintCutOff              // part of the code lies outside the picture
	HintTooFar              // fewer pixels a module than a code needs
	HintTooDark             // screen or room too dim
	HintGlare               // light washes part of it out
	HintTilted              // held too slanted
	HintBlurred             // out of focus or moved
)

func (h Hint) String() string {
	return [...]string{"", "cut off", "too far", "too dark", "glare", "tilted", "blurred"}[h]
}

// Limits between one hint and the next. A code of two pixels a module is the
// least that is read reliably; the others are set on frames of a simulated
// camera.
const (
	nearEnough  = 2.0  // pixels a module
	brightest   = 55   // grey of the light modules
	washedOut   = 0.03 // share of modules without contrast
	flatStep    = 24   // grey between dark and light that is no contrast
	mostSlanted = 1.9  // longer over shorter axis of a module, or near over far
)

// Hint tells why the last Read had no text.
func (r *Reader) Hint() Hint {
	if len(r.texts) > 0 {
		return HintNone
	}
	return r.hint
}

// weigh sets the hint from a symbol that was placed and sampled, yet not read.
func (r *Reader) weigh(t *triple) {
	pl := &r.place
	c := float64(pl.dim) / 2
	e1, e2 := pl.h.axes(c, c)
	long, short := max(e1.length(), e2.length()), min(e1.length(), e2.length())
	sizes := [3]float64{t.a.module, t.b.module, t.c.module}
	near, far := max(sizes[0], sizes[1], sizes[2]), min(sizes[0], sizes[1], sizes[2])
	flat, light := r.grid.contrast(pl.light)
	switch {
	case light < brightest:
		r.hint = HintTooDark
	case flat > washedOut:
		r.hint = HintGlare
	case long > mostSlanted*short || near > mostSlanted*far:
		r.hint = HintTilted
	case math.Sqrt(math.Abs(e1.cross(e2))) < nearEnough:
		r.hint = HintTooFar
	default:
		r.hint = HintBlurred
	}
}

// contrast is the share of modules in whose surroundings dark and light are
// alike, and the mean grey of light ones.
func (g *grid) contrast(inverted bool) (flat, light float64) {
	n := g.dim * g.dim
	for i := range n {
		half := 1 / float64(g.scale[i])
		if 2*half < max(flatStep, float64(g.least)*1.001) {
			flat++
		}
		bright := 255 - float64(g.level[i]) + half
		if inverted {
			bright = float64(g.level[i]) + half
		}
		light += bright
	}
	return flat / float64(n), light / float64(n)
}

// weighFinders sets the hint where no symbol was placed: from two good finders
// whose third would lie outside the picture, or is not there to be seen.
func (r *Reader) weighFinders() {
	w, h := float64(r.levels[0].Width), float64(r.levels[0].Height)
	for i := range r.finders {
		for j := i + 1; j < len(r.finders); j++ {
			p, q := &r.finders[i], &r.finders[j]
			if p.score < goodScore || q.score < goodScore || !pair(p, q) {
				continue
			}
			d := q.centre.sub(p.centre)
			modules := 7 * d.length() * 2 / (p.width(d) + q.width(d))
			down := p.otherAxis(d.times(1 / modules)).times(modules)
			outside := func(c point) bool { return c.x < 0 || c.y < 0 || c.x >= w || c.y >= h }
			left := outside(p.centre.add(down)) || outside(q.centre.add(down))
			right := outside(p.centre.sub(down)) || outside(q.centre.sub(down))
			switch {
			case left || right:
				r.hint = HintCutOff
			case p.module < nearEnough || q.module < nearEnough:
				r.hint = HintTooFar
			default:
				r.hint = HintGlare
			}
			return
		}
	}
}
