package qr

// Equalizing: blur and motion mix each module with its neighbours. The filter
// that undoes it is learned from the symbol itself: least squares from what was
// sampled to what is known, function patterns surely and the rest by their
// present colour. This is decision-directed equalization (Lucky, "Techniques
// for adaptive equalization of digital communication systems", 1966) in two
// dimensions; the half-module samples make it fractionally spaced, so that it
// also takes up what the grid is still off by.

const (
	taps        = 13   // nine modules, four edges between them
	trainOn     = 2500 // modules that the filter is learned from, about
	knownWeight = 4    // of a function pattern against a module judged by itself
	ridge       = 0.02 // pull towards doing nothing, a share of the modules
)

// equalize learns the filter from soft and applies it. It needs the edges that
// refine sampled.
func (g *grid) equalize(l *layout) {
	d := g.dim
	var a [taps][taps + 1]float64
	var x [taps]float32
	step := max(1, d*d/trainOn)
	if step%d == 0 || d%step == 0 {
		step++ // no columns left out
	}
	n := 0.0
	for i := d + 1; i < d*d-d-1; i++ {
		weight := 1.0
		target := float32(1)
		switch {
		case l.known[i] != 0:
			weight, target = knownWeight, float32(l.known[i])
		case i%step != 0:
			continue
		case g.soft[i] < 0:
			target = -1
		}
		if c := i % d; c == 0 || c == d-1 {
			continue
		}
		g.neighbourhood(i, &x)
		n += weight
		for r := range taps {
			f := float64(x[r]) * weight
			for c := r; c < taps; c++ {
				a[r][c] += f * float64(x[c])
			}
			a[r][taps] += f * float64(target)
		}
	}
	for r := range taps {
		a[r][r] += ridge * n
		for c := range r {
			a[r][c] = a[c][r]
		}
	}
	a[0][taps] += ridge * n
	w, ok := solveTaps(&a)
	if !ok {
		return
	}
	for y := 1; y < d-1; y++ {
		for i := y*d + 1; i < y*d+d-1; i++ {
			g.neighbourhood(i, &x)
			s := float32(0)
			for k, v := range x {
				s += v * w[k]
			}
			g.soft[i] = s
		}
	}
}

// neighbourhood is the module, its eight neighbours and the four edges around
// it, on the module's own scale.
func (g *grid) neighbourhood(i int, x *[taps]float32) {
	d := g.dim
	level, scale := g.level[i], g.scale[i]
	up, row, down := g.raw[i-d-1:i-d+2], g.raw[i-1:i+2], g.raw[i+d-1:i+d+2]
	*x = [taps]float32{row[1], row[0], row[2], up[1], down[1], up[0], up[2], down[0], down[2],
		g.warp.right[i-1], g.warp.right[i], g.warp.below[i-d], g.warp.below[i]}
	for k := range x {
		x[k] = (x[k] - level) * scale
	}
}

// solveTaps is Gauss's elimination; the ridge keeps the matrix definite.
func solveTaps(a *[taps][taps + 1]float64) (w [taps]float32, ok bool) {
	for c := range taps {
		if a[c][c] < 1e-9 {
			return w, false
		}
		for r := c + 1; r < taps; r++ {
			f := a[r][c] / a[c][c]
			for j := c; j <= taps; j++ {
				a[r][j] -= f * a[c][j]
			}
		}
	}
	for r := taps - 1; r >= 0; r-- {
		v := a[r][taps]
		for c := r + 1; c < taps; c++ {
			v -= a[r][c] * float64(w[c])
		}
		w[r] = float32(v / a[r][r])
	}
	return w, true
}
