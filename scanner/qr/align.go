package qr

import "math"

// Alignment patterns: each is searched where the homography so far expects it,
// the bottom right one first, and what it is off by is spread between them, so
// that a curved page or a bent screen is sampled tile by tile.

// findAlignments refines the placement with every alignment pattern that shows.
func findAlignments(w view, pl *placement) {
	at, n := alignmentCentres((pl.dim - 17) / 4)
	if n == 0 {
		return
	}
	seen := make([]bool, 0, 49)[:n*n]
	far := float64(at[n-1]) + 0.5
	reach := max(2, min(0.08*float64(pl.dim), 5))
	if p, ok := search(w, pl, far, far, reach, 0.6); ok {
		seen[n*n-1] = true
		pl.matches = append(pl.matches, match{far, far, p, 1})
		if h, ok := fitHomography(pl.matches, pl.dim); ok {
			pl.h = h
		}
	}
	if n == 2 {
		return
	}
	// From the outside in, so that each is near ones already known.
	for ring := range n {
		added := false
		for i := range n {
			for j := range n {
				if corner(i, j, n) || seen[i*n+j] || min(n-1-i, n-1-j) != ring && min(i, j) != ring {
					continue
				}
				u, v := float64(at[i])+0.5, float64(at[j])+0.5
				if p, ok := search(w, pl, u, v, 1.5, 0.65); ok {
					seen[i*n+j] = true
					added = true
					pl.matches = append(pl.matches, match{u, v, p, 1})
				}
			}
		}
		if added {
			if h, ok := fitHomography(pl.matches, pl.dim); ok {
				pl.h = h
			}
		}
	}
	pl.spread(at[:n])
}

func corner(i, j, n int) bool {
	return i == 0 && j == 0 || i == 0 && j == n-1 || i == n-1 && j == 0
}

// spread sets the lattice and the pull at each of its crossings: what the
// matches there are off by, at most a module.
func (pl *placement) spread(at []int) {
	n := len(at)
	pl.lattice = pl.lattice[:0]
	for _, a := range at {
		pl.lattice = append(pl.lattice, float64(a)+0.5)
	}
	pl.pull = grow(pl.pull, n*n)
	clear(pl.pull)
	for _, m := range pl.matches {
		i, j := latticeIndex(pl.lattice, m.u), latticeIndex(pl.lattice, m.v)
		if i < 0 || j < 0 {
			continue
		}
		d := m.p.sub(pl.h.at(m.u, m.v))
		e1, _ := pl.h.axes(m.u, m.v)
		if d.length() < e1.length() {
			pl.pull[j*n+i] = d
		}
	}
}

func latticeIndex(lattice []float64, u float64) int {
	for i, a := range lattice {
		if math.Abs(a-u) < 0.25 {
			return i
		}
	}
	return -1
}

// search looks within reach modules of u, v for the 5x5 pattern: the place
// where the grey values correlate best with it, and true where they correlate
// at least so much.
func search(w view, pl *placement, u, v, reach, least float64) (point, bool) {
	e1, e2 := pl.h.axes(u, v)
	c := pl.h.at(u, v)
	best, bu, bv := -1.0, 0.0, 0.0
	try := func(du, dv float64) {
		s := correlate(w, c.add(e1.times(du)).add(e2.times(dv)), e1, e2)
		if pl.light {
			s = -s
		}
		if s > best {
			best, bu, bv = s, du, dv
		}
	}
	// Mostly it is where it is expected.
	const coarse, sure = 0.5, 0.8
	for n := 1; n <= int(reach/coarse) && best < sure; n++ {
		for i := -n; i <= n; i++ {
			for j := -n; j <= n; j++ {
				if n == 1 || max(i, -i, j, -j) == n {
					try(float64(i)*coarse, float64(j)*coarse)
				}
			}
		}
	}
	if best < least-0.2 {
		return point{}, false
	}
	for step := coarse / 2; step > 0.1; step /= 2 {
		mu, mv := bu, bv
		for i := -1; i <= 1; i++ {
			for j := -1; j <= 1; j++ {
				if i != 0 || j != 0 {
					try(mu+float64(i)*step, mv+float64(j)*step)
				}
			}
		}
	}
	return c.add(e1.times(bu)).add(e2.times(bv)), best >= least
}

// correlate is the correlation coefficient of darkness with the alignment
// pattern at c, -1 to 1.
func correlate(w view, c, e1, e2 point) float64 {
	var sum, squares, dark float64
	k := 1 / w.scale
	c, e1, e2 = c.times(k), e1.times(k), e2.times(k)
	for y := -2; y <= 2; y++ {
		p := c.add(e2.times(float64(y))).sub(e1.times(2))
		for x := -2; x <= 2; x++ {
			g := w.grey(p.x, p.y)
			sum += g
			squares += g * g
			if max(x, -x, y, -y) != 1 {
				dark += g
			}
			p = p.add(e1)
		}
	}
	const n, nd = 25.0, 17.0
	spread := math.Sqrt(max(0, squares/n-sum/n*sum/n))
	if spread < 2 {
		return 0
	}
	// cov of the 0/1 pattern over its own spread
	cov := dark/n - sum/n*nd/n
	return -cov / (spread * math.Sqrt(nd/n*(1-nd/n)))
}
