package qr

import "math"

// The dimension: the lines of alternating modules between the finders, sampled
// for each dimension that the finders allow. The right one beats.

// leastTiming is the timing score below which three finders are not one symbol.
const leastTiming = 0.25

// versionsNear is the range of versions that the triple's estimate allows.
func versionsNear(t *triple) (first, last int) {
	guess := int(math.Round((t.modules + 7 - 17) / 4))
	reach := 1 + int(t.modules/28)
	return max(1, guess-reach), min(40, guess+reach)
}

// timedDimension tries the dimensions near the triple's estimate on both timing
// lines and returns the one whose lines swing most, with the worse of its two
// scores.
func timedDimension(w view, t *triple) (dim int, score float64) {
	p := newPlane(t)
	swing := 0.0
	for v, last := versionsNear(t); v <= last; v++ {
		d := dimension(v)
		unit := 1 / float64(d-7)
		s1, a1 := alternation(w, d, func(k int) point { return p.at(float64(k-3)*unit, 3*unit) }, t.a.light)
		if s1 <= 0 {
			continue
		}
		s2, a2 := alternation(w, d, func(k int) point { return p.at(3*unit, float64(k-3)*unit) }, t.a.light)
		if s, a := min(s1, s2), min(a1, a2); a > swing {
			dim, score, swing = d, s, a
		}
	}
	return dim, score
}

// A plane is the symbol's plane as three finders alone show it: their centres,
// and how much farther b and c are than a. An area in view shrinks with the
// third power of the distance.
type plane struct {
	a, b, c    point
	farB, farC float64
}

func newPlane(t *triple) plane {
	area := t.a.area()
	return plane{t.a.centre, t.b.centre, t.c.centre, math.Cbrt(area / t.b.area()), math.Cbrt(area / t.c.area())}
}

// at is the place s of the way from a to b and t of the way from a to c.
func (p *plane) at(s, t float64) point {
	a, b, c := 1-s-t, s*p.farB, t*p.farC
	k := 1 / (a + b + c)
	return point{(p.a.x*a + p.b.x*b + p.c.x*c) * k, (p.a.y*a + p.b.y*b + p.c.y*c) * k}
}

// alternation samples a timing line of a symbol of the dimension, from the dark
// module in the one finder's corner to that in the other's. score is how much
// of the change from module to module has the sign that alternation wants, -1
// to 1, swing the change in that sense a module.
func alternation(w view, dim int, at func(k int) point, light bool) (score, swing float64) {
	sum, abs := 0.0, 0.0
	var a, b float64
	for k := 6; k <= dim-7; k++ {
		c := w.at(at(k))
		if k >= 8 {
			d := a - 2*b + c // at k-1
			if k&1 == 0 {    // which is light
				d = -d
			}
			sum += d
			abs += math.Abs(d)
		}
		a, b = b, c
	}
	if light {
		sum = -sum
	}
	if abs == 0 {
		return 0, 0
	}
	return sum / abs, sum / float64(dim-13)
}
