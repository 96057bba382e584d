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
	washedGrey  = 0.85 // of the light modules' grey
	mostSlanted = 1.9  // longer over shorter axis of a module, or near over far
	glareGrey   = 200  // that light on a screen has at least
	slantedPair = 1.6  // the same of two finders that show no symbol
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

// contrast is the share of modules that light washes out, as bright as the
// light ones and dark and light alike around them, and the mean grey of light
// ones.
func (g *grid) contrast(inverted bool) (flat, light float64) {
	n := g.dim * g.dim
	grey := func(i int) float64 { // between dark and light
		if inverted {
			return float64(g.level[i])
		}
		return 255 - float64(g.level[i])
	}
	for i := range n {
		light += (grey(i) + 1/float64(g.scale[i])) / float64(n)
	}
	for i := range n {
		if 2/float64(g.scale[i]) < max(flatStep, float64(g.least)*1.001) && grey(i) > washedGrey*light {
			flat++
		}
	}
	return flat / float64(n), light
}

// weighFinders sets the hint where no symbol was placed: from two good finders
// that are slanted, or whose third would lie outside the picture or is not there
// to be seen. That it is hidden by light is a guess.
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
			case p.slant()+q.slant() > 2*slantedPair:
				r.hint = HintTilted
			case left || right:
				r.hint = HintCutOff
			case p.module < nearEnough || q.module < nearEnough:
				r.hint = HintTooFar
			case r.brightest(p.centre.add(q.centre).times(0.5), d.length()) >= glareGrey:
				r.hint, r.guess = HintGlare, true
			}
			return
		}
	}
}

// brightest is the highest grey within so many pixels of a place.
func (r *Reader) brightest(c point, reach float64) (most float64) {
	const n = 16
	for i := range n * n {
		at := point{float64(i%n) - n/2, float64(i/n) - n/2}.times(2 * reach / n)
		most = max(most, r.levels[0].grey(c.x+at.x, c.y+at.y))
	}
	return most
}

// slant is the longer over the shorter axis of the finder's square in view, from
// the moments of its outline: 1 for a square, whichever way it is turned.
func (f *finder) slant() float64 {
	var xx, xy, yy float64
	for k, h := range f.half {
		d := rayDirections[k].times(h * h)
		xx, xy, yy = xx+d.x*d.x, xy+d.x*d.y, yy+d.y*d.y
	}
	mean, half := (xx+yy)/2, math.Hypot((xx-yy)/2, xy)
	return math.Sqrt((mean + half) / max(1e-9, mean-half))
}
