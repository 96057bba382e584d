package qr

import "math"

// Patches: what may be a code and shows no finder. A code too far away or out
// of focus is still a dark patch in its bright quiet zone: its modules run
// together, its margin does not. Each level shows patches of one range of sizes
// with the modules gone and the margin left. (Runs that touch are one patch by
// union and find; Rosenfeld and Pfaltz, "Sequential operations in digital
// picture processing", 1966.)

const (
	patchLeast  = 16   // pixels of a level along the side
	patchMost   = 72   // of the box around it
	patchBright = 0.86 // of the brightest around: the margin, and no patch
	patchAround = 3    // blocks in which the brightest is looked for
	maxRuns     = 1 << 13
)

// A run is a stretch of pixels of a row. Its root is the first run of its patch.
type run struct {
	x0, x1, y, root int32
}

// A patch is the runs of one root.
type patch struct {
	root           int32
	area           int32
	x0, y0, x1, y1 int32 // the box around it
	sumX, sumY     int64
}

// A patcher finds the patches of a level.
type patcher struct {
	mask    level // of what is not bright
	tops    []uint8
	edges   []int32
	runs    []run
	of      []int32 // the patch of each run
	patches []patch
}

// find sets p.patches. It is false where the level shows too much.
func (p *patcher) find(l *level) bool {
	p.patches, p.runs = p.patches[:0], p.runs[:0]
	m := &p.mask
	m.Luma, m.scale, m.bw, m.bh, m.words = l.Luma, l.scale, l.bw, l.bh, l.words
	m.thr, p.tops = grow(m.thr, l.bw*l.bh), grow(p.tops, l.bw*l.bh)
	m.bits = grow(m.bits, l.words*l.Height)
	p.limits()
	m.pack()
	if !p.join() {
		return false
	}
	p.gather()
	return true
}

// limits sets the mask's thresholds: a share of the brightest around.
func (p *patcher) limits() {
	m := &p.mask
	for by := range m.bh {
		rows := m.Pix[min(by*8, m.Height-8)*m.Stride:]
		for bx := range m.bw {
			o := min(bx*8, m.Width-8)
			top := uint64(0)
			for range 4 {
				_, top = minmax(top, quads(rows[o:o+8], rows[o+m.Stride:o+m.Stride+8]))
				o += 2 * m.Stride
			}
			_, top = minmax(top, top>>32)
			_, top = minmax(top, top>>16)
			p.tops[by*m.bw+bx] = uint8(top & 0xFFFF / 4)
		}
	}
	for y := range m.bh {
		for x := range m.bw {
			v := uint8(0)
			for _, t := range p.tops[y*m.bw+max(0, x-patchAround) : y*m.bw+min(m.bw-1, x+patchAround)+1] {
				v = max(v, t)
			}
			m.thr[y*m.bw+x] = v
		}
	}
	copy(p.tops, m.thr)
	for y := range m.bh {
		for x := range m.bw {
			v := uint8(0)
			for i := max(0, y-patchAround); i <= min(m.bh-1, y+patchAround); i++ {
				v = max(v, p.tops[i*m.bw+x])
			}
			m.thr[y*m.bw+x] = uint8(float32(v) * patchBright)
		}
	}
}

// join makes the runs and joins those that touch. It is false where they are
// too many.
func (p *patcher) join() bool {
	m := &p.mask
	p.edges = grow(p.edges, m.Width+8)
	above, here := 0, 0
	for y := range m.Height {
		n := edges(m.bits[y*m.words:y*m.words+m.words], m.Width, p.edges)
		if len(p.runs)+n/2 > maxRuns {
			return false
		}
		above, here = here, len(p.runs)
		a := above
		for k := 0; k+1 < n; k += 2 {
			i := int32(len(p.runs))
			p.runs = append(p.runs, run{p.edges[k], p.edges[k+1], int32(y), i})
			for a < here && p.runs[a].x1 <= p.edges[k] {
				a++
			}
			for b := a; b < here && p.runs[b].x0 < p.edges[k+1]; b++ {
				r, s := p.root(int32(b)), p.root(i)
				p.runs[max(r, s)].root = min(r, s)
			}
		}
	}
	return true
}

func (p *patcher) root(i int32) int32 {
	for p.runs[i].root != i {
		p.runs[i].root = p.runs[p.runs[i].root].root
		i = p.runs[i].root
	}
	return i
}

// gather makes the patches of the runs.
func (p *patcher) gather() {
	p.of = grow(p.of, len(p.runs))
	for i := range p.runs {
		r := &p.runs[i]
		root := p.root(int32(i))
		if int(root) == i {
			p.of[i] = int32(len(p.patches))
			p.patches = append(p.patches, patch{root: root, x0: r.x0, y0: r.y, x1: r.x1, y1: r.y + 1})
		} else {
			p.of[i] = p.of[root]
		}
		q := &p.patches[p.of[i]]
		n := r.x1 - r.x0
		q.area += n
		q.x0, q.x1, q.y1 = min(q.x0, r.x0), max(q.x1, r.x1), r.y+1
		q.sumX += int64(n) * int64(r.x0+r.x1)
		q.sumY += int64(n) * int64(2*r.y+1)
	}
}

// fits reports whether the patch has a size that its level is for.
func (p *patch) fits() bool {
	w, h := p.x1-p.x0, p.y1-p.y0
	return max(w, h) <= patchMost && min(w, h) >= patchLeast/2 && p.area >= patchLeast*patchLeast*2/3
}

// corners are the patch's four corners, clockwise, in the level's pixels: the
// place farthest from its middle, the one farthest from that, and the farthest
// from the line between both on either side.
func (p *patcher) corners(q *patch, at int32) (c [4]point) {
	middle := point{float64(q.sumX), float64(q.sumY)}.times(0.5 / float64(q.area))
	farthest := func(weigh func(point) float64) (best point) {
		most := math.Inf(-1)
		for i := int(q.root); i < len(p.runs) && p.runs[i].y < q.y1; i++ {
			if p.of[i] != at {
				continue
			}
			r := &p.runs[i]
			for _, e := range [4]point{{float64(r.x0), float64(r.y)}, {float64(r.x1), float64(r.y)},
				{float64(r.x0), float64(r.y + 1)}, {float64(r.x1), float64(r.y + 1)}} {
				if w := weigh(e); w > most {
					most, best = w, e
				}
			}
		}
		return best
	}
	c[0] = farthest(func(e point) float64 { d := e.sub(middle); return d.dot(d) })
	c[2] = farthest(func(e point) float64 { d := e.sub(c[0]); return d.dot(d) })
	line := c[2].sub(c[0])
	c[1] = farthest(func(e point) float64 { return -line.cross(e.sub(c[0])) })
	c[3] = farthest(func(e point) float64 { return line.cross(e.sub(c[0])) })
	return c
}
