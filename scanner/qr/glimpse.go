package qr

import "math"

// A glimpse is a code that is seen and shows no finder: a four-sided patch in a
// bright margin, uneven inside as modules are that run together, and neither in
// lines, as text is, nor in a pattern that repeats, as chequers do, nor smooth,
// as faces and pictures are. It is looked for every few frames, and only what
// moved lately or is new counts: a poster on the wall is nobody's code.

const (
	glimpseEvery = 6  // frames
	glimpseMost  = 32 // patches of a level that are looked at
	glimpseSide  = 24 // places along each side where its grey is taken
	glimpseInset = 0.04
	glimpseMoved = 0.3 // share that moved lately
	glimpseApart = 4   // places from which on the grey of a code is unlike
	glimpseReach = 8   // and as far as that is looked at

	leastSpread = 0.035 // deviation of the grey, against white
	leastStep   = 2.5   // and in grey
	mostLined   = 0.45  // share of the variance that lies between rows, or columns
	mostAlike   = 0.45  // correlation of the grey with that farther on
	leastEven   = 0.45  // deviation in the evenest sixteenth, against the mean
	mostOneWay  = 1.5   // change along one side against that along the other
	mostLines   = 0.2   // share of the variance that lies between lines as of text
	mostLong    = 3.2
	mostUneven  = 2.5
	mostBitten  = 0.75 // of the four-sided shape that a patch fills at least
	mostBulging = 1.14 // and at most
	leastMargin = 0.65 // share of the margin that is bright
	tiltMargin  = 0.5  // of one that a tilt makes narrow

	dimWhite     = 60   // grey of the margin
	longTilted   = 1.7  // longer over shorter side, or diagonal
	unevenTilted = 1.45 // a side over the one across
	farSide      = 90   // pixels: less shows few codes whole
	denseSide    = 240  // less can be a code of many modules
	sharpStep    = 0.48 // change of grey over three pixels against that over twelve
)

// A shape is how a patch lies: its corners in the level's pixels.
type shape struct {
	level   *level
	corners [4]point
	white   float64
	long    float64 // longer over shorter side, or diagonal
	uneven  float64 // a side over the one across
	side    float64 // pixels of the frame
	cut     bool    // by the frame's edge
}

// at is the place u of the way across and v of the way down.
func (s *shape) at(u, v float64) point {
	a, b := s.corners[0].towards(s.corners[1], u), s.corners[3].towards(s.corners[2], u)
	return a.towards(b, v)
}

// look sets the glimpse of a frame whose levels and motion are known.
func (r *Reader) look() {
	g := &r.glimpse
	if len(r.texts) > 0 {
		g.hint = HintNone
		return
	}
	if g.age++; g.age < glimpseEvery && g.age > 1 {
		return
	}
	g.age, g.hint = 1, HintNone
	if r.motion.fresh == 0 && !r.motion.moves {
		return
	}
	for i := movingLevel; i >= 1 && g.hint == HintNone; i-- {
		l := &r.levels[i]
		if !l.textured() || !g.find(l) {
			continue
		}
		tried := 0
		for j := range g.patches {
			if !g.patches[j].fits() {
				continue
			}
			if tried++; tried > glimpseMost {
				break
			}
			s, ok := g.shape(l, int32(j))
			if ok && r.motion.share(&s) >= glimpseMoved && g.uneven(&s) && !s.text(&r.levels[0]) {
				if g.hint = s.hint(&r.levels[1]); g.hint != HintNone {
					break
				}
			}
		}
	}
}

// textured reports whether the level has enough blocks with contrast for a
// code's margin.
func (l *level) textured() bool {
	n := 0
	for _, v := range l.raw {
		n += int(min(v, 1))
	}
	return n >= 4
}

// A glimpser looks for glimpses.
type glimpser struct {
	patcher
	age  int // frames since it looked, 0 for never
	hint Hint
	grey [glimpseSide * glimpseSide]float64
}

// shape is that of a patch which has four sides and a bright margin.
func (g *glimpser) shape(l *level, i int32) (s shape, ok bool) {
	p := &g.patches[i]
	s.level, s.corners = l, g.corners(p, i)
	s.cut = p.x0 == 0 || p.y0 == 0 || int(p.x1) == l.Width || int(p.y1) == l.Height
	c := &s.corners
	area := math.Abs(c[2].sub(c[0]).cross(c[3].sub(c[1]))) / 2
	if fill := float64(p.area) / area; area == 0 || fill < mostBitten || fill > mostBulging {
		return s, false
	}
	s.side = math.Sqrt(area) * l.scale
	over := func(a, b float64) float64 { return max(a, b) / max(1e-9, min(a, b)) }
	var sides [4]float64
	for i := range c {
		sides[i] = c[(i+1)%4].sub(c[i]).length()
	}
	s.long = max(over(sides[0]+sides[2], sides[1]+sides[3]), over(c[2].sub(c[0]).length(), c[3].sub(c[1]).length()))
	s.uneven = max(over(sides[0], sides[2]), over(sides[1], sides[3]))
	x, y := int(p.sumX/int64(2*p.area)), int(p.sumY/int64(2*p.area))
	s.white = float64(g.mask.thr[y>>3*l.bw+x>>3]) / patchBright
	least := leastMargin
	if s.long > longTilted {
		least = tiltMargin
	}
	return s, s.long <= mostLong && s.uneven <= mostUneven && g.margin(&s) >= least
}

// margin is the share of bright pixels right around the shape, of those in the
// picture.
func (g *glimpser) margin(s *shape) float64 {
	l := s.level
	step := 1.2 * l.scale / s.side
	bright, n := 0.0, 0.0
	for i := range glimpseSide {
		t := (float64(i) + 0.5) / glimpseSide
		for _, e := range [4]point{s.at(t, -step), s.at(t, 1+step), s.at(-step, t), s.at(1+step, t)} {
			if e.x < 0 || e.y < 0 || e.x >= float64(l.Width) || e.y >= float64(l.Height) {
				continue
			}
			n++
			if l.grey(e.x, e.y) > s.white*patchBright {
				bright++
			}
		}
	}
	return bright / max(n, 1)
}

// uneven reports whether the grey within the shape is that of a code.
func (g *glimpser) uneven(s *shape) bool {
	const n = glimpseSide
	var rows, columns [n]float64
	sum, squares := 0.0, 0.0
	for i := range g.grey {
		u, v := (float64(i%n)+0.5)/n, (float64(i/n)+0.5)/n
		p := s.at(glimpseInset+u*(1-2*glimpseInset), glimpseInset+v*(1-2*glimpseInset))
		grey := s.level.grey(p.x, p.y) / s.white
		g.grey[i] = grey
		sum, squares = sum+grey, squares+grey*grey
		rows[i/n] += grey / n
		columns[i%n] += grey / n
	}
	mean := sum / (n * n)
	variance := squares/(n*n) - mean*mean
	if variance < leastSpread*leastSpread || variance < (leastStep/s.white)*(leastStep/s.white) {
		return false
	}
	for i := range g.grey {
		g.grey[i] -= mean
	}
	return lined(&rows, mean) <= mostLined*variance && lined(&columns, mean) <= mostLined*variance &&
		g.oneWay() <= mostOneWay && g.evenest() >= leastEven && g.alike() <= mostAlike
}

// lined is the variance of the means of rows, or columns.
func lined(lines *[glimpseSide]float64, mean float64) (v float64) {
	for _, m := range lines {
		v += (m - mean) * (m - mean) / glimpseSide
	}
	return v
}

// oneWay is the change of grey along one side against that along the other.
func (g *glimpser) oneWay() float64 {
	const n = glimpseSide
	across, down := 1e-9, 1e-9
	for i := n + 1; i < n*n; i++ {
		if i%n > 0 {
			across += math.Abs(g.grey[i] - g.grey[i-1])
			down += math.Abs(g.grey[i] - g.grey[i-n])
		}
	}
	return max(across/down, down/across)
}

// evenest is the deviation in the evenest sixteenth against the mean of all.
func (g *glimpser) evenest() float64 {
	const n, parts = glimpseSide, 4
	const side = n / parts
	least, mean := math.Inf(1), 0.0
	for k := range parts * parts {
		sum, squares := 0.0, 0.0
		for i := range side * side {
			v := g.grey[(k/parts*side+i/side)*n+k%parts*side+i%side]
			sum, squares = sum+v, squares+v*v
		}
		d := math.Sqrt(max(0, squares/(side*side)-sum/(side*side)*sum/(side*side)))
		least, mean = min(least, d), mean+d/(parts*parts)
	}
	return least / mean
}

// alike is the highest correlation of the grey with itself some places farther
// on.
func (g *glimpser) alike() (most float64) {
	const n = glimpseSide
	for dy := 0; dy <= glimpseReach; dy++ {
		for dx := -glimpseReach; dx <= glimpseReach; dx++ {
			if dx*dx+dy*dy < glimpseApart*glimpseApart {
				continue
			}
			both, one, other := 0.0, 1e-9, 1e-9
			for y := range n - dy {
				a, b := g.grey[y*n:][:n], g.grey[(y+dy)*n:][:n]
				for x := max(0, -dx); x < min(n, n-dx); x++ {
					both += a[x] * b[x+dx]
					one += a[x] * a[x]
					other += b[x+dx] * b[x+dx]
				}
			}
			most = max(most, both/math.Sqrt(one*other))
		}
	}
	return most
}

// text reports whether the shape has lines: means of the frame's grey along one
// side or the other that repeat.
func (s *shape) text(frame *level) bool {
	const lines, places = 96, 40
	const first, last = 3, 40 // lines from one to the next
	for way := range 2 {
		var means [lines]float64
		sum, squares := 0.0, 0.0
		for i := range lines * places {
			u, v := (float64(i%places)+0.5)/places, glimpseInset+(float64(i/places)+0.5)/lines*(1-2*glimpseInset)
			if way == 1 {
				u, v = v, u
			}
			p := s.at(u, v).times(s.level.scale)
			grey := frame.grey(p.x, p.y)
			means[i/places] += grey / places
			sum, squares = sum+grey, squares+grey*grey
		}
		mean := sum / (lines * places)
		most := mostLines * (squares/(lines*places) - mean*mean)
		for lag := first; lag < last; lag++ {
			both := 0.0
			for i := range lines - lag {
				both += (means[i] - mean) * (means[i+lag] - mean)
			}
			if both > most*float64(lines-lag) {
				return true
			}
		}
	}
	return false
}

// hint is what keeps the code that the shape is from being read; none where
// nothing does that can be told.
func (s *shape) hint(third *level) Hint {
	sharp := s.sharp(third)
	switch {
	case s.white < dimWhite:
		return HintTooDark
	case s.cut:
		return HintCutOff
	case s.long > longTilted || s.uneven > unevenTilted:
		return HintTilted
	case s.side < farSide, s.side < denseSide && sharp > sharpStep:
		return HintTooFar
	case sharp <= sharpStep:
		return HintBlurred
	}
	return HintNone
}

// sharp is the change of grey over three pixels of the frame against that over
// twelve: small where it is out of focus, whatever is seen. Level is the third-
// size one, where noise is less.
func (s *shape) sharp(third *level) float64 {
	const n = glimpseSide
	near, far := 0.0, 1e-9
	for i := range n * n {
		p := s.at((float64(i%n)+0.5)/n, (float64(i/n)+0.5)/n).times(s.level.scale / third.scale)
		v := third.grey(p.x, p.y)
		for _, d := range [2]point{{1, 0}, {0, 1}} {
			a, b := v-third.grey(p.x+d.x, p.y+d.y), v-third.grey(p.x+4*d.x, p.y+4*d.y)
			near, far = near+a*a, far+b*b
		}
	}
	return math.Sqrt(near / far)
}

// share is how much of a shape moved lately; all of it where the whole picture
// is new.
func (m *motion) share(s *shape) float64 {
	if m.fresh > 0 {
		return 1
	}
	const n = 8
	moved := 0.0
	for i := range n * n {
		p := s.at((float64(i%n)+0.5)/n, (float64(i/n)+0.5)/n).times(s.level.scale / movingCell)
		x, y := int(p.x), int(p.y)
		if x >= 0 && y >= 0 && x < m.width && y < m.height && m.moved[y*m.width+x] > 0 {
			moved++
		}
	}
	return moved / (n * n)
}
