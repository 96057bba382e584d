package qr

import "math"

// Rings: a finder pattern to a fraction of a pixel. The column through a
// cluster is followed on the binarized picture; then rays from its middle find
// the dark square's and the ring's edges in grey, and the middles of opposite
// edges give the centre: blur and slant move both ends alike.

// crossCheck follows the cluster's column on the binarized picture, then
// measures the pattern in grey.
func crossCheck(l *level, c *cluster, work *budget) (finder, bool) {
	x, y := float64(c.x), float64(c.first+c.last)/2+0.5
	m := float64(c.size) / 7
	cy, size, ok := column(l, int(x), int(y), c.size, c.light)
	if !ok {
		return finder{}, false
	}
	if r := size / float64(c.size); r > 2.5 || r < 0.4 {
		return finder{}, false
	}
	m = math.Sqrt(m * size / 7)
	f := finder{centre: point{x, cy}, light: c.light}
	if f.centre, m, ok = probe(l, f.centre, m, c.light); !ok {
		return finder{}, false
	}
	if !work.spend(measureCost + int(64*m)) {
		return finder{}, false
	}
	return f, measure(l, &f, m)
}

// column measures 1:1:3:1:1 down column x through row y and returns the middle
// and the length of the five runs.
func column(l *level, x, y int, size float32, light bool) (mid, length float64, ok bool) {
	if x < 0 || x >= l.Width || y < 0 || y >= l.Height || l.dark(x, y) == light {
		return 0, 0, false
	}
	limit := int(size * 1.5)
	var up, down [3]int
	walk := func(step int, runs *[3]int) bool {
		at, want := y, !light
		for i := range runs {
			for at >= 0 && at < l.Height && l.dark(x, at) == want && runs[i] <= limit {
				runs[i]++
				at += step
			}
			if runs[i] > limit || runs[i] == 0 {
				return false
			}
			want = !want
		}
		return true
	}
	if !walk(-1, &up) || !walk(1, &down) {
		return 0, 0, false
	}
	c := up[0] + down[0] - 1
	sum := c + up[1] + up[2] + down[1] + down[2]
	unit := float64(sum) / 7
	tol := unit*0.75 + 1
	for _, v := range [4]int{up[1], up[2], down[1], down[2]} {
		if math.Abs(float64(v)-unit) > tol {
			return 0, 0, false
		}
	}
	if math.Abs(float64(c)-3*unit) > 1.5*unit+1 {
		return 0, 0, false
	}
	return float64(y) + 0.5 + float64(down[0]-up[0])/2, float64(sum), true
}

// probe casts half of the rays on the binarized picture, where a step costs
// little, and gives up early: noise and text pass the column now and then.
func probe(l *level, centre point, module float64, light bool) (point, float64, bool) {
	var shift point
	good, bad, mean := 0, 0, 0.0
	for i := range rays / 2 {
		d := rayDirections[i*6%rays] // neighbours come late
		_, out1, ok1 := walkBits(l, centre, d, module, light)
		_, out2, ok2 := walkBits(l, centre, d.times(-1), module, light)
		if !ok1 || !ok2 {
			if bad++; bad > 2 {
				return point{}, 0, false
			}
			continue
		}
		good++
		shift = shift.add(d.times((out1 - out2) / 2))
		mean += (out1 + out2) / 2
	}
	n := float64(good)
	return centre.add(shift.times(2 / n)), mean / n / (3.5 * squareMean), true
}

// leastScore is the score below which a pattern is chance.
const leastScore = 0.55

// squareMean is the mean radius of a square of half width 1.
const squareMean = 1.1222

// walkBits goes outwards on the binarized picture and returns the distances of
// the dark square's edge and of the ring's outer edge, to half a pixel.
func walkBits(l *level, from, d point, module float64, light bool) (in, out float64, ok bool) {
	want := 0
	prev := !light
	limit := int(module * 13)
	dx, dy := d.x/2, d.y/2
	px, py := from.x, from.y
	for i := 1; i < limit; i++ {
		px += dx
		py += dy
		x, y := int(px), int(py)
		dark := light // outside the picture the quiet zone goes on
		if uint(x) < uint(l.Width) && uint(y) < uint(l.Height) {
			dark = l.dark(x, y)
		} else if want != 2 {
			return 0, 0, false
		}
		if dark == prev {
			continue
		}
		prev = dark
		at := float64(i)/2 - 0.25
		switch want {
		case 0:
			in = at
		case 2:
			return in, at, in < 0.7*at+0.5 && in > 0.2*at-0.5
		}
		want++
	}
	return 0, 0, false
}

// greyEdge moves an edge found on bits to where the grey value along the ray
// crosses the threshold; darkness falls there.
func greyEdge(l *level, from, d point, at, level, sign float64) float64 {
	const step = 0.5
	r := at - 2*step
	prev := sign * (level - l.grey(from.x+d.x*r, from.y+d.y*r))
	for range 4 {
		r += step
		v := sign * (level - l.grey(from.x+d.x*r, from.y+d.y*r))
		if v <= 0 && prev > 0 {
			return r - step*v/(v-prev)
		}
		prev = v
	}
	return at
}

// measure casts the rays and moves the finder to the mean of the middles.
func measure(l *level, f *finder, module float64) bool {
	level := localThreshold(l, f.centre)
	sign := 1.0
	if f.light {
		sign = -1
	}
	var shift point
	var sum, sumSquares float64
	good, bad := 0, 0
	for i := range rays {
		if bad > rays*3/8 {
			return false
		}
		k := i * 7 % rays // neighbours fail together
		d := rayDirections[k]
		bad++
		in1, out1, ok1 := walkBits(l, f.centre, d, module, f.light)
		in2, out2, ok2 := walkBits(l, f.centre, d.times(-1), module, f.light)
		f.half[k] = 0
		if !ok1 || !ok2 {
			continue
		}
		back := d.times(-1)
		in1 = greyEdge(l, f.centre, d, in1, level, sign)
		in2 = greyEdge(l, f.centre, back, in2, level, sign)
		out1 = greyEdge(l, f.centre, d, out1, level, sign)
		out2 = greyEdge(l, f.centre, back, out2, level, sign)
		if in1 < 0.2*out1 || in1 > 0.75*out1 || in2 < 0.2*out2 || in2 > 0.75*out2 {
			continue
		}
		good++
		bad--
		shift = shift.add(d.times((in1 - in2 + out1 - out2) / 4))
		f.half[k] = (out1 + out2) / 2
		r := (in1 + in2) / (out1 + out2) // three sevenths
		sum += r
		sumSquares += r * r
	}
	if bad > rays*3/8 {
		return false
	}
	// A mean over directions of shifts along each is half the shift.
	f.centre = f.centre.add(shift.times(2 / float64(good)))
	mean := 0.0
	for k := range rays {
		if f.half[k] == 0 { // take the neighbours' word
			for j := 1; j < rays && f.half[k] == 0; j++ {
				f.half[k] = max(f.half[(k+j)%rays], f.half[(k+rays-j)%rays])
			}
		}
		mean += f.half[k]
	}
	f.module = mean / rays / (3.5 * squareMean)
	n := float64(good)
	spread := math.Sqrt(max(0, sumSquares/n-sum/n*sum/n))
	f.score = n/rays - 3*spread - math.Abs(sum/n-3.0/7)
	return f.module >= 1 && f.score >= leastScore
}

var rayDirections = func() (d [rays]point) {
	for k := range d {
		d[k].y, d[k].x = math.Sincos(float64(k) * math.Pi / rays)
	}
	return d
}()

// localThreshold is the block threshold at p.
func localThreshold(l *level, p point) float64 {
	x, y := min(max(int(p.x), 0), l.Width-1), min(max(int(p.y), 0), l.Height-1)
	return float64(l.thr[(y>>3)*l.bw+x>>3])
}
