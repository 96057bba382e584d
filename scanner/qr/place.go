package qr

import "math"

// Where a triple's symbol lies: its finders' corners from line fits and the
// homography through them.

// A placement is a symbol's geometry in the frame.
type placement struct {
	dim     int
	h       homography
	matches []match
	timing  float64 // how well the timing lines alternate, -1 to 1
	light   bool

	// The pull of the alignment patterns away from the homography, on their
	// own lattice; see align.go.
	lattice []float64
	pull    []point
}

// A view is the level at which a symbol is sampled.
type view struct {
	*level
}

// at is the brightness at a place of the full frame.
func (w view) at(p point) float64 { return w.grey(p.x/w.scale, p.y/w.scale) }

// carefulPenalty is the penalty up to which a triple is placed the costly way
// when its timing lines cannot be seen the cheap way.
const carefulPenalty = 0.5

// place works out the geometry of a triple in pl, keeping its slices.
func place(w view, t *triple, pl *placement) stage {
	dim, score := timedDimension(w, t)
	if score < leastTiming && t.penalty > carefulPenalty {
		return stageFinder
	}
	var corners [12]point
	ab, ac := t.b.centre.sub(t.a.centre), t.c.centre.sub(t.a.centre)
	for i, f := range [3]*finder{t.a, t.b, t.c} {
		e1, e2 := f.axes(ab, ac)
		square(w, f, e1, e2, corners[4*i:4*i+4])
	}
	pl.light, pl.timing = t.a.light, score
	pl.lattice, pl.pull = pl.lattice[:0], pl.pull[:0]
	if score >= leastTiming {
		return pl.fit(t, corners[:], dim)
	}
	swing := 0.0
	for v, last := versionsNear(t); v <= last; v++ {
		if pl.fit(t, corners[:], dimension(v)) != stageTiming {
			continue
		}
		s1, a1 := alternation(w, pl.dim, pl.across, pl.light)
		s2, a2 := alternation(w, pl.dim, pl.down, pl.light)
		if a := min(a1, a2); a > swing {
			dim, pl.timing, swing = pl.dim, min(s1, s2), a
		}
	}
	if pl.timing < leastTiming {
		return stageFinder
	}
	return pl.fit(t, corners[:], dim)
}

// fit sets the homography through the finders' centres and corners.
func (pl *placement) fit(t *triple, corners []point, dim int) stage {
	pl.dim = dim
	pl.matches = finderMatches(pl.matches[:0], t, corners, dim)
	var ok bool
	if pl.h, ok = fitHomography(pl.matches, dim); !ok {
		return stageFinder
	}
	return stageTiming
}

// across and down are the centres of the timing lines' modules.
func (pl *placement) across(k int) point { return pl.h.at(float64(k)+0.5, 6.5) }
func (pl *placement) down(k int) point   { return pl.h.at(6.5, float64(k)+0.5) }

// finderMatches are the centres and the corners.
func finderMatches(out []match, t *triple, corners []point, dim int) []match {
	far := float64(dim) - 3.5
	for i, f := range [3]*finder{t.a, t.b, t.c} {
		u, v := [3]float64{3.5, far, 3.5}[i], [3]float64{3.5, 3.5, far}[i]
		out = append(out, match{u, v, f.centre, 1})
		for j, s := range [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
			if p := corners[4*i+j]; p != (point{}) {
				out = append(out, match{u + 3.5*s[0], v + 3.5*s[1], p, 0.25})
			}
		}
	}
	return out
}

// A line is the points p with p.n = d, n of length 1.
type line struct {
	n point
	d float64
}

func (l line) meet(m line) (point, bool) {
	det := l.n.cross(m.n)
	if math.Abs(det) < 0.2 {
		return point{}, false
	}
	return point{(l.d*m.n.y - m.d*l.n.y) / det, (l.n.x*m.d - m.n.x*l.d) / det}, true
}

// square fits a line to each side of the finder's outer square and writes its
// corners, clockwise from the one at -e1, -e2; a corner without both lines
// stays the zero point.
func square(w view, f *finder, e1, e2 point, corners []point) {
	var sides [4]line
	var ok [4]bool
	for i, s := range [4][2]point{{e2.times(-1), e1}, {e1, e2}, {e2, e1}, {e1.times(-1), e2}} {
		sides[i], ok[i] = side(w, f, s[0], s[1])
	}
	for i := range 4 {
		j := (i + 3) % 4
		corners[i] = point{}
		if !ok[i] || !ok[j] {
			continue
		}
		p, meets := sides[i].meet(sides[j])
		if meets && p.sub(f.centre).length() < 8*f.module {
			corners[i] = p
		}
	}
}

// side finds the outer edge in the direction out on six lanes and fits a line,
// the two worst left out.
func side(w view, f *finder, out, along point) (line, bool) {
	const step = 0.2
	sign := 1.0
	if f.light {
		sign = -1
	}
	level := localThreshold(w.level, f.centre.add(out.times(3.5)).times(1/w.scale))
	var pts [8]point
	n := 0
	for i := range 8 {
		base := f.centre.add(along.times(float64(i)*0.75 - 2.625))
		prev := 0.0
		for r := 2.6; r < 4.8; r += step {
			v := sign * (level - w.at(base.add(out.times(r))))
			if v <= 0 && prev > 0 {
				pts[n] = base.add(out.times(r - step*v/(v-prev)))
				n++
				break
			}
			prev = v
		}
	}
	if n < 5 {
		return line{}, false
	}
	l := fitLine(pts[:n])
	for range 2 {
		worst, at := 0.0, 0
		for i, p := range pts[:n] {
			if e := math.Abs(p.dot(l.n) - l.d); e > worst {
				worst, at = e, i
			}
		}
		if worst < 0.1*f.module || n <= 4 {
			break
		}
		n--
		pts[at] = pts[n]
		l = fitLine(pts[:n])
	}
	return l, true
}

// fitLine is the total least-squares line.
func fitLine(pts []point) line {
	var c point
	for _, p := range pts {
		c = c.add(p)
	}
	c = c.times(1 / float64(len(pts)))
	var xx, xy, yy float64
	for _, p := range pts {
		d := p.sub(c)
		xx += d.x * d.x
		xy += d.x * d.y
		yy += d.y * d.y
	}
	a := math.Atan2(2*xy, xx-yy) / 2 // along the line
	n := point{-math.Sin(a), math.Cos(a)}
	return line{n, n.dot(c)}
}
