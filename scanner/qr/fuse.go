package qr

import "math"

// Fusion over frames: a code that is held for some frames and in none of them
// read is read from their sum. The grids are added module by module, so it
// does not matter how the code moved in between; noise averages out, and glare
// and moire wander while the modules stay.

const (
	fuseFrames  = 45  // a grid not seen for so many frames is forgotten
	fuseMost    = 16  // frames in a sum count no more than this
	sameCode    = 0.4 // correlation of the data modules in two views of one code
	fuseAround  = 1   // modules around one whose contrast is its own
	fuseStrange = 3   // frames in a row that may be badly placed
	fuseClip    = 1.5 // a single module's say in one frame
)

// A memory is the sum of the grids of one code that was not read yet.
type memory struct {
	dim     int
	light   bool
	sum     []float32
	frames  int // in the sum
	age     int // frames since the last
	strange int // frames since then that disagreed
}

// Forget drops what earlier frames left for later ones. A reader of unrelated
// pictures calls it between them.
func (r *Reader) Forget() {
	r.memory.frames, r.gate.width, r.motion.width, r.track.codes, r.glimpse.age, r.glimpse.hint = 0, 0, 0, 0, 0, HintNone
}

// fuse adds the grid that was not read, each module with its weight, to the
// memory and reads their sum. A grid that disagrees with the memory is another
// code, or a bad placement of the same: it takes the memory's place when others
// before it disagreed too, or the memory is of one frame only.
func (r *Reader) fuse() stage {
	m, g := &r.memory, &r.grid
	n := g.dim * g.dim
	g.discount()
	switch {
	case m.frames > 0 && m.dim == g.dim && m.light == r.place.light && m.agrees(g, r.decoder.layout((g.dim-17)/4)):
	case m.strange < min(m.frames-1, fuseStrange):
		m.strange++
		return r.decode()
	default:
		m.dim, m.light, m.frames = g.dim, r.place.light, 0
		m.sum = grow(m.sum, n)
		clear(m.sum)
	}
	keep := float32(1)
	if m.frames >= fuseMost {
		keep = 1 - 1.0/fuseMost
	} else {
		m.frames++
	}
	m.age, m.strange = 0, 0
	for i, v := range g.soft[:n] {
		m.sum[i] = m.sum[i]*keep + v
		g.soft[i] = m.sum[i]
	}
	s := r.decode()
	if s == stageRead {
		m.frames = 0
	}
	return s
}

// discount turns soft into evidence: a module counts with the square of the
// contrast right around it, against the symbol's mean. That is the
// log-likelihood of a level in noise that is everywhere the same; what light
// washes out says little, wherever it lies on the scale that was stretched for
// it.
func (g *grid) discount() {
	d := g.dim
	mean := float32(0)
	for _, s := range g.scale[:d*d] {
		mean += 2 / s
	}
	mean /= float32(d * d)
	for y := range d {
		y0, y1 := max(0, y-fuseAround), min(d-1, y+fuseAround)
		for x := range d {
			x0, x1 := max(0, x-fuseAround), min(d-1, x+fuseAround)
			low, high := float32(255), float32(0)
			for i := y0; i <= y1; i++ {
				for _, v := range g.raw[i*d+x0 : i*d+x1+1] {
					low, high = min(low, v), max(high, v)
				}
			}
			c := (high - low) / mean
			i := y*d + x
			g.soft[i] = min(max(g.soft[i], -fuseClip), fuseClip) * min(c*c, 1)
		}
	}
}

// agrees reports whether the sum and the grid have mostly the same data: the
// correlation between them.
func (m *memory) agrees(g *grid, l *layout) bool {
	var both, one, other float64
	for _, i := range l.order {
		a, b := float64(m.sum[i]), float64(g.soft[i])
		both += a * b
		one += a * a
		other += b * b
	}
	return both > sameCode*math.Sqrt(one*other)
}
