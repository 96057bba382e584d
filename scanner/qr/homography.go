package qr

import "math"

// A homography maps the symbol's plane, in modules from its top left corner, to
// the frame.
type homography [9]float64

func (h *homography) at(u, v float64) point {
	w := 1 / (h[6]*u + h[7]*v + h[8])
	return point{(h[0]*u + h[1]*v + h[2]) * w, (h[3]*u + h[4]*v + h[5]) * w}
}

// axes is the module at u, v: the steps of one to the right and one down.
func (h *homography) axes(u, v float64) (e1, e2 point) {
	return h.at(u+0.5, v).sub(h.at(u-0.5, v)), h.at(u, v+0.5).sub(h.at(u, v-0.5))
}

// A match is a place known in both planes.
type match struct {
	u, v   float64
	p      point
	weight float64
}

// fitHomography is the least-squares homography through at least four matches,
// by the direct linear transformation on normalized coordinates (Hartley and
// Zisserman, "Multiple View Geometry", 4.1 and 4.4), the scale fixed by the
// last element, which a symbol in view never has at zero. A second round
// weighs with the first one's denominators, so that it is the distance in the
// frame that is least.
func fitHomography(matches []match, dim int) (homography, bool) {
	half := float64(dim) / 2
	var mean point
	for _, m := range matches {
		mean = mean.add(m.p)
	}
	mean = mean.times(1 / float64(len(matches)))
	size := 0.0
	for _, m := range matches {
		size += m.p.sub(mean).length()
	}
	size /= float64(len(matches))
	if len(matches) < 4 || size < 1 {
		return homography{}, false
	}
	var x [8]float64
	for round := range 2 {
		var a [8][9]float64
		for _, m := range matches {
			u, v := (m.u-half)/half, (m.v-half)/half
			px, py := (m.p.x-mean.x)/size, (m.p.y-mean.y)/size
			w := m.weight
			if round > 0 {
				z := x[6]*u + x[7]*v + 1
				w /= z * z
			}
			accumulate(&a, [9]float64{u, v, 1, 0, 0, 0, -u * px, -v * px, px}, w)
			accumulate(&a, [9]float64{0, 0, 0, u, v, 1, -u * py, -v * py, py}, w)
		}
		var ok bool
		if x, ok = solve(&a); !ok {
			return homography{}, false
		}
	}
	// Undo the normalization: frame * x * modules.
	var h homography
	for r := range 3 {
		row := [3]float64{x[6], x[7], 1}
		if r < 2 {
			m := [2]float64{mean.x, mean.y}[r]
			for c := range 3 {
				row[c] = x[r*3+c]*size + m*row[c]
			}
		}
		h[r*3], h[r*3+1] = row[0]/half, row[1]/half
		h[r*3+2] = row[2] - row[0] - row[1]
	}
	return h, h.inFront(dim)
}

// inFront reports whether the whole symbol lies before the camera, not
// absurdly slanted.
func (h *homography) inFront(dim int) bool {
	d := float64(dim)
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range [4][2]float64{{0, 0}, {d, 0}, {0, d}, {d, d}} {
		w := h[6]*c[0] + h[7]*c[1] + h[8]
		lo, hi = min(lo, w), max(hi, w)
	}
	return lo > 0 && hi < 4*lo
}

// accumulate adds one equation to the normal equations.
func accumulate(a *[8][9]float64, row [9]float64, w float64) {
	for i := range 8 {
		if row[i] == 0 {
			continue
		}
		f := row[i] * w
		for j := range 9 {
			a[i][j] += f * row[j]
		}
	}
}

// solve is Gauss's elimination with partial pivoting.
func solve(a *[8][9]float64) (x [8]float64, ok bool) {
	for c := range 8 {
		p := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		a[c], a[p] = a[p], a[c]
		if math.Abs(a[c][c]) < 1e-12 {
			return x, false
		}
		for r := c + 1; r < 8; r++ {
			f := a[r][c] / a[c][c]
			for j := c; j < 9; j++ {
				a[r][j] -= f * a[c][j]
			}
		}
	}
	for r := 7; r >= 0; r-- {
		v := a[r][8]
		for c := r + 1; c < 8; c++ {
			v -= a[r][c] * x[c]
		}
		x[r] = v / a[r][r]
	}
	return x, true
}
