package qr

import "math"

// The missing third: glare or a cracked screen often hides one finder pattern
// and leaves the rest readable. Two good finders say where it would have to be,
// and the grey values there show whether it is.

const (
	goodScore    = 0.75 // of a finder that a third one is searched for
	maxPairs     = 3
	leastThird   = 0.5  // correlation with the pattern
	thirdReach   = 0.12 // share of the side that perspective may move it by
	axisSteps    = 64
	thirdSamples = 49
)

// completePairs makes triples of good finders that belong to none and a third
// one found where they want it.
func (r *Reader) completePairs() {
	r.found = r.found[:0]
	r.triples = r.triples[:0]
	pairs := 0
	for i := range r.finders {
		for j := i + 1; j < len(r.finders) && pairs < maxPairs; j++ {
			p, q := &r.finders[i], &r.finders[j]
			if p.score < goodScore || q.score < goodScore || p.used || q.used || !pair(p, q) {
				continue
			}
			pairs++
			r.complete(p, q)
		}
	}
	// Only now: growing found moves what the triples point to.
	for i := range r.found {
		f := &r.found[i]
		if t, ok := newTriple(f.p, f.q, &f.third); ok {
			r.triples = append(r.triples, t)
		}
	}
}

// A completed pair is two finders and the third.
type completed struct {
	p, q  *finder
	third finder
}

// complete searches the third corner beside p and q, on either side of both,
// and the pair as a diagonal.
func (r *Reader) complete(p, q *finder) {
	d := q.centre.sub(p.centre)
	modules := 7 * d.length() * 2 / (p.width(d) + q.width(d))
	across := d.times(1 / modules)
	down := p.otherAxis(across)
	reach := max(3, thirdReach*modules)
	for _, from := range [2]*finder{p, q} {
		for _, sign := range [2]float64{1, -1} {
			r.searchThird(p, q, from.centre.add(down.times(sign*modules)), across, down, reach)
		}
	}
	along, other := p.halves(across)
	r.searchThird(p, q, p.centre.add(along.times(modules)), along, other, reach)
	r.searchThird(p, q, p.centre.add(other.times(modules)), other, along, reach)
}

// halves are the two axes whose sum is the diagonal d of a module.
func (f *finder) halves(d point) (a, b point) {
	best := math.Inf(1)
	for k := range axisSteps {
		sin, cos := math.Sincos(float64(k) * 2 * math.Pi / axisSteps)
		e := point{cos, sin}
		e = e.times(f.width(e) / 7)
		o := d.sub(e)
		if e.cross(o) <= 0.3*e.length()*o.length() {
			continue
		}
		miss := math.Abs(math.Log(7 * o.length() / f.width(o)))
		c := e.sub(o)
		miss += math.Abs(math.Log(7 * c.length() / f.width(c)))
		if miss < best {
			best, a, b = miss, e, o
		}
	}
	return a, b
}

// otherAxis is the module across the axis e: the direction in which the
// pattern's diagonals come out right.
func (f *finder) otherAxis(e point) point {
	best, axis := math.Inf(1), point{}
	for k := range axisSteps {
		sin, cos := math.Sincos(float64(k) * math.Pi / axisSteps)
		c := point{cos, sin}
		c = c.times(f.width(c) / 7)
		if math.Abs(c.cross(e)) < 0.5*c.length()*e.length() {
			continue
		}
		miss := 0.0
		for _, d := range [2]point{e.add(c), e.sub(c)} {
			miss += math.Abs(math.Log(7 * d.length() / f.width(d)))
		}
		if miss < best {
			best, axis = miss, c
		}
	}
	return axis
}

// searchThird looks for a finder pattern around c.
func (r *Reader) searchThird(p, q *finder, c, e1, e2 point, reach float64) {
	l := &r.levels[0]
	w := view{l}
	size := point{float64(l.Width), float64(l.Height)}
	if c.x < 0 || c.y < 0 || c.x >= size.x || c.y >= size.y {
		return
	}
	n := int(reach)
	if !r.work.spend((2*n + 1) * (2*n + 1) * thirdSamples) {
		return
	}
	sign := 1.0
	if p.light {
		sign = -1
	}
	best, at := -1.0, c
	try := func(x point) {
		if s := sign * correlateFinder(w, x, e1, e2); s > best {
			best, at = s, x
		}
	}
	for i := -n; i <= n; i++ {
		for j := -n; j <= n; j++ {
			try(c.add(e1.times(float64(i))).add(e2.times(float64(j))))
		}
	}
	if best < leastThird-0.2 {
		return
	}
	for step := 0.5; step > 0.1; step /= 2 {
		m := at
		for i := -1.0; i <= 1; i++ {
			for j := -1.0; j <= 1; j++ {
				try(m.add(e1.times(i * step)).add(e2.times(j * step)))
			}
		}
	}
	if best < leastThird {
		return
	}
	f := *p // the same square, for want of its own
	f.centre, f.score = at, best
	r.found = append(r.found, completed{p, q, f})
}

// correlateFinder is the correlation coefficient of darkness with the finder
// pattern at c, -1 to 1.
func correlateFinder(w view, c, e1, e2 point) float64 {
	var sum, squares, dark float64
	for y := -3; y <= 3; y++ {
		p := c.add(e2.times(float64(y))).sub(e1.times(3))
		for x := -3; x <= 3; x++ {
			g := w.at(p)
			sum += g
			squares += g * g
			if max(x, -x, y, -y) != 2 {
				dark += g
			}
			p = p.add(e1)
		}
	}
	const n, nd = 49.0, 33.0
	spread := math.Sqrt(max(0, squares/n-sum/n*sum/n))
	if spread < 2 {
		return 0
	}
	cov := dark/n - sum/n*nd/n
	return -cov / (spread * math.Sqrt(nd/n*(1-nd/n)))
}
