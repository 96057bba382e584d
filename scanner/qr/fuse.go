package qr

// Fusion over frames: a code that is held for some frames and in none of them
// read is read from their sum. The grids are added module by module, so it
// does not matter how the code moved in between; noise averages out, and glare
// and moire wander while the modules stay.

const (
	fuseFrames = 45  // a grid not seen for so many frames is forgotten
	fuseMost   = 16  // frames in a sum count no more than this
	sameCode   = 0.7 // share of data modules that agree in two views of one code
	fuseClip   = 1.5 // a single module's say in one frame
)

// A memory is the sum of the grids of one code that was not read yet.
type memory struct {
	dim    int
	light  bool
	sum    []float32
	frames int // in the sum
	age    int // frames since the last
}

// Forget drops what earlier frames left to be fused with later ones. A reader
// of unrelated pictures calls it between them.
func (r *Reader) Forget() { r.memory.frames = 0 }

// fuse adds the grid that was not read to the memory and reads their sum. A
// grid that disagrees with the memory is another code and takes its place.
func (r *Reader) fuse() stage {
	m, g := &r.memory, &r.grid
	n := g.dim * g.dim
	if m.frames == 0 || m.dim != g.dim || m.light != r.place.light || !m.agrees(g, r.decoder.layout((g.dim-17)/4)) {
		m.dim, m.light, m.frames, m.age = g.dim, r.place.light, 1, 0
		m.sum = grow(m.sum, n)
		for i, v := range g.soft[:n] {
			m.sum[i] = min(max(v, -fuseClip), fuseClip)
		}
		return stageCorrect
	}
	keep := float32(1)
	if m.frames >= fuseMost {
		keep = 1 - 1.0/fuseMost
	} else {
		m.frames++
	}
	m.age = 0
	for i, v := range g.soft[:n] {
		m.sum[i] = m.sum[i]*keep + min(max(v, -fuseClip), fuseClip)
		g.soft[i] = m.sum[i]
	}
	s := r.decode()
	if s == stageRead {
		r.Forget()
	}
	return s
}

// agrees reports whether the sum and the grid have mostly the same data.
func (m *memory) agrees(g *grid, l *layout) bool {
	same := 0
	for _, i := range l.order {
		if m.sum[i] > 0 == (g.soft[i] > 0) {
			same++
		}
	}
	return float64(same) > sameCode*float64(len(l.order))
}
