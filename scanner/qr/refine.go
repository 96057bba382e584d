package qr

// Refining the grid by its own modules: where neighbours differ, the grey value
// on the edge between them should lie halfway; what it is off by, over the
// step's height, is the grid's displacement there. This is Gardner's timing
// error detector ("A BPSK/QPSK timing-error detector for sampled receivers",
// 1986) along rows and columns. Curved paper, cloth and version 1, which has no
// alignment pattern, need it.

// A warp is a displacement of every module in modules, by module.
type warp struct {
	du, dv  []float32
	right   []float32 // darkness on the edge to the next module to the right
	below   []float32
	num, by []float32 // sums of error*step and step*step
	tmp     []float32
	next    []point // places of the next row
}

const (
	warpRounds = 4
	warpStep   = 0.35 // most that one round moves a module
	warpLimit  = 1.5  // most that all of them do
)

// refine bends the sampling of g to the modules' edges.
func (g *grid) refine(w view, pl *placement) {
	d := pl.dim
	n := d * d
	wp := &g.warp
	for _, s := range []*[]float32{&wp.du, &wp.dv, &wp.right, &wp.below, &wp.num, &wp.by, &wp.tmp} {
		*s = grow(*s, n)
	}
	clear(wp.du)
	clear(wp.dv)
	for round := range warpRounds {
		g.sampleEdges(w, pl)
		reach := max(2, 5-round)
		wp.move(g.raw, wp.right, wp.du, d, 1, reach)
		wp.move(g.raw, wp.below, wp.dv, d, d, reach)
	}
	g.sampleEdges(w, pl)
}

// sampleEdges fills raw at the centres and right and below half a module on. A
// displacement is taken along the steps to the next module and the next row.
func (g *grid) sampleEdges(w view, pl *placement) {
	d := pl.dim
	wp := &g.warp
	k := 1 / w.scale
	g.places, wp.next = grow(g.places, d+1), grow(wp.next, d+1)
	row, next := g.places, wp.next
	pl.row(0.5, next)
	for y := range d {
		row, next = next, row
		pl.row(float64(y)+1.5, next)
		for x := range d {
			i := y*d + x
			e1, e2 := row[x+1].sub(row[x]).times(k), next[x].sub(row[x]).times(k)
			p := row[x].times(k).add(e1.times(float64(wp.du[i]))).add(e2.times(float64(wp.dv[i])))
			g.raw[i] = darkness(w, p, pl.light)
			wp.right[i] = darkness(w, p.add(e1.times(0.5)), pl.light)
			wp.below[i] = darkness(w, p.add(e2.times(0.5)), pl.light)
		}
	}
}

// darkness is the value at a place of the level, dark high.
func darkness(w view, p point, light bool) float32 {
	s := w.grey(p.x, p.y)
	if !light {
		s = 255 - s
	}
	return float32(s)
}

// move adds to shift what the edges say, smoothed over a box of modules. next
// is the distance to the neighbour across the edge: 1 or a row.
func (wp *warp) move(raw, edge, shift []float32, d, next, reach int) {
	clear(wp.num)
	clear(wp.by)
	for y := range d {
		for x := range d {
			if next == 1 && x == d-1 || next == d && y == d-1 {
				continue
			}
			i := y*d + x
			step := raw[i+next] - raw[i]
			off := (raw[i+next]+raw[i])/2 - edge[i]
			// Half a module moves the edge value by about a step.
			wp.num[i] = off * step
			wp.by[i] = step * step
		}
	}
	boxSum(wp.num, wp.tmp, d, reach)
	boxSum(wp.by, wp.tmp, d, reach)
	for i := range shift {
		if wp.by[i] < 1 {
			continue
		}
		m := wp.num[i] / wp.by[i]
		m = min(max(m, -warpStep), warpStep)
		shift[i] = min(max(shift[i]+m, -warpLimit), warpLimit)
	}
	boxSum(shift, wp.tmp, d, 1)
	for y := range d {
		for x := range d {
			w := min(x+1, d-1) - max(x-1, 0) + 1
			h := min(y+1, d-1) - max(y-1, 0) + 1
			shift[y*d+x] /= float32(w * h)
		}
	}
}

// boxSum replaces each value by the sum over the box of reach modules around
// it, cut at the border.
func boxSum(a, tmp []float32, d, reach int) {
	for y := range d {
		row, out := a[y*d:y*d+d], tmp[y*d:y*d+d]
		s := float32(0)
		for x := -reach; x < d; x++ {
			if x+reach < d {
				s += row[x+reach]
			}
			if x > reach {
				s -= row[x-reach-1]
			}
			if x >= 0 {
				out[x] = s
			}
		}
	}
	for x := range d {
		s := float32(0)
		for y := -reach; y < d; y++ {
			if y+reach < d {
				s += tmp[(y+reach)*d+x]
			}
			if y > reach {
				s -= tmp[(y-reach-1)*d+x]
			}
			if y >= 0 {
				a[y*d+x] = s
			}
		}
	}
}
