package qr

// Sampling: the grey value at each module's centre against a threshold from the
// modules around it. The sign is the colour, the size how sure it is.

// A grid is a sampled symbol.
type grid struct {
	dim  int
	raw  []float32 // darkness, 255 - grey (grey for an inverted symbol)
	soft []float32 // -1 sure light to +1 sure dark, and beyond

	places           []point   // of one row
	sum, high, count []float32 // box filter columns
	mean             []float32
	level, scale     []float32 // soft = (raw - level) * scale, by module
	least            float32   // contrast below which surroundings are washed out
	warp             warp
}

// sample fills raw. Where a module spans enough pixels, four more around the
// centre take the noise out.
func (g *grid) sample(w view, pl *placement) {
	d := pl.dim
	g.dim = d
	g.raw, g.soft, g.places = grow(g.raw, d*d), grow(g.soft, d*d), grow(g.places, d)
	k := 1 / w.scale
	e1, _ := pl.h.axes(float64(d)/2, float64(d)/2)
	wide := e1.length()*k > 4
	for y := range d {
		pl.row(float64(y)+0.5, g.places)
		row := g.raw[y*d : y*d+d]
		for x, p := range g.places[:d] {
			px, py := p.x*k, p.y*k
			s := w.grey(px, py)
			if wide {
				s = (2*s + w.grey(px-0.7, py) + w.grey(px+0.7, py) + w.grey(px, py-0.7) + w.grey(px, py+0.7)) / 6
			}
			if !pl.light {
				s = 255 - s
			}
			row[x] = float32(s)
		}
	}
}

// row fills out with the places of the modules' centres in the row v.
func (pl *placement) row(v float64, out []point) {
	h := &pl.h
	x, y, w := h[0]*0.5+h[1]*v+h[2], h[3]*0.5+h[4]*v+h[5], h[6]*0.5+h[7]*v+h[8]
	for i := range out {
		k := 1 / w
		out[i] = point{x * k, y * k}
		x, y, w = x+h[0], y+h[3], w+h[6]
	}
	n := len(pl.lattice)
	if n < 3 {
		return
	}
	j, t := between(pl.lattice, v)
	i := 0
	var s, step float64
	var left, right point
	for u := range out {
		c := float64(u) + 0.5
		if u == 0 || i < n-2 && c > pl.lattice[i+1] {
			if u > 0 {
				i++
			}
			left = pl.pull[j*n+i].towards(pl.pull[j*n+n+i], t)
			right = pl.pull[j*n+i+1].towards(pl.pull[j*n+n+i+1], t)
			step = 1 / (pl.lattice[i+1] - pl.lattice[i])
		}
		s = min(max((c-pl.lattice[i])*step, 0), 1)
		out[u] = out[u].add(left.towards(right, s))
	}
}

// at is the place of u, v with the alignment patterns' pull between them.
func (pl *placement) at(u, v float64) point {
	p := pl.h.at(u, v)
	n := len(pl.lattice)
	if n < 3 {
		return p
	}
	i, s := between(pl.lattice, u)
	j, t := between(pl.lattice, v)
	a := pl.pull[j*n+i].towards(pl.pull[j*n+i+1], s)
	b := pl.pull[j*n+n+i].towards(pl.pull[j*n+n+i+1], s)
	return p.add(a.towards(b, t))
}

// between is the interval of the lattice that holds u and how far in, the ends
// held.
func between(lattice []float64, u float64) (i int, t float64) {
	n := len(lattice)
	for i < n-2 && u > lattice[i+1] {
		i++
	}
	return i, min(max((u-lattice[i])/(lattice[i+1]-lattice[i]), 0), 1)
}

// window is the reach of the local threshold in modules.
const window = 5

// judge fills soft from raw: the threshold lies in the middle of the means of
// what is above and below the local mean, their distance is the scale.
func (g *grid) judge() {
	d := g.dim
	g.sum, g.high, g.count = grow(g.sum, d), grow(g.high, d), grow(g.count, d)
	g.mean, g.level, g.scale = grow(g.mean, d*d), grow(g.level, d*d), grow(g.scale, d*d)
	clear(g.sum)
	// First the local mean.
	g.slide(func(y int, sign float32) {
		for x, v := range g.raw[y*d : y*d+d] {
			g.sum[x] += sign * v
		}
	}, func(y, rows int) {
		s, n := float32(0), 0
		for x := -window; x < d; x++ {
			if x+window < d {
				s += g.sum[x+window]
				n++
			}
			if x > window {
				s -= g.sum[x-window-1]
				n--
			}
			if x >= 0 {
				g.mean[y*d+x] = s / float32(n*rows)
			}
		}
	})
	// Then the means of both sides of it, and their distance.
	total := float32(0)
	clear(g.sum)
	clear(g.high)
	clear(g.count)
	g.slide(func(y int, sign float32) {
		for x, v := range g.raw[y*d : y*d+d] {
			g.sum[x] += sign * v
			if v > g.mean[y*d+x] {
				g.high[x] += sign * v
				g.count[x] += sign
			}
		}
	}, func(y, rows int) {
		s, h, c, n := float32(0), float32(0), float32(0), 0
		for x := -window; x < d; x++ {
			if i := x + window; i < d {
				s, h, c = s+g.sum[i], h+g.high[i], c+g.count[i]
				n++
			}
			if i := x - window - 1; i >= 0 {
				s, h, c = s-g.sum[i], h-g.high[i], c-g.count[i]
				n--
			}
			if x >= 0 {
				dark := h / max(c, 1)
				light := (s - h) / max(float32(n*rows)-c, 1)
				i := y*d + x
				g.level[i], g.scale[i] = (dark+light)/2, dark-light
				total += g.scale[i]
			}
		}
	})
	g.least = max(4, leastContrast*total/float32(d*d))
	for i := range g.soft[:d*d] {
		g.scale[i] = 2 / max(g.scale[i], g.least)
		g.soft[i] = (g.raw[i] - g.level[i]) * g.scale[i]
	}
}

// leastContrast is the share of the mean contrast below which a module's
// surroundings are washed out and what differs there is noise.
const leastContrast = 0.25

// slide runs over the rows with a box of 2*window+1 of them: add takes rows in
// and, with a negative sign, out; done sees row y with the box around it.
func (g *grid) slide(add func(y int, sign float32), done func(y, rows int)) {
	rows := 0
	for y := -window; y < g.dim; y++ {
		if y+window < g.dim {
			add(y+window, 1)
			rows++
		}
		if y > window {
			add(y-window-1, -1)
			rows--
		}
		if y >= 0 {
			done(y, rows)
		}
	}
}

// transpose mirrors soft at the diagonal.
func (g *grid) transpose() {
	d := g.dim
	for y := range d {
		for x := range y {
			g.soft[y*d+x], g.soft[x*d+y] = g.soft[x*d+y], g.soft[y*d+x]
		}
	}
}
