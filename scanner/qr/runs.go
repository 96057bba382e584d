package qr

import "math/bits"

// The run scan: where a row of the binarized picture shows 1:1:3:1:1, dark or
// light, a finder pattern may be cut. The ratio test is that of ISO/IEC 18004
// annex on the reference decode algorithm; finding the edges word by word with
// trailing zeros is the usual bit-set walk.

// A cluster is a run of rows that cut what may be one finder pattern.
type cluster struct {
	x, size     float32 // means over the rows: centre and width of seven modules
	first, last int32   // rows
	rows        int32
	light       bool // light on dark: an inverted symbol
}

// maxClusters bounds a level's clusters: chessboards and halftones have
// thousands.
const maxClusters = 8192

// A scanner collects the clusters of one level.
type scanner struct {
	edges    []int32
	clusters []cluster
	bins     []int32 // by polarity and column/binWidth: newest cluster there, -1 none
}

const binWidth = 8

// scan fills s.clusters from every step-th row.
func (s *scanner) scan(l *level, step int) {
	s.clusters = s.clusters[:0]
	s.edges = grow(s.edges, l.Width+8)
	nb := l.Width/binWidth + 3
	s.bins = grow(s.bins, 2*nb)
	for i := range s.bins {
		s.bins[i] = -1
	}
	for y := step / 2; y < l.Height; y += step {
		n := edges(l.bits[y*l.words:y*l.words+l.words], l.Width, s.edges)
		s.matchRow(s.edges[:n], int32(y), int32(step), nb)
	}
}

// edges writes the places where the row changes colour, beginning with the
// first dark pixel, and the width if the row ends dark.
func edges(row []uint64, width int, out []int32) int {
	n := 0
	prev := uint64(0)
	for i, v := range row {
		e := v ^ (v<<1 | prev>>63)
		prev = v
		base := int32(i * 64)
		for e != 0 {
			out[n] = base + int32(bits.TrailingZeros64(e))
			n++
			e &= e - 1
		}
	}
	if n&1 != 0 && (n == 0 || int(out[n-1]) < width) {
		out[n] = int32(width)
		n++
	}
	return n
}

// matchRow tests every five runs. Each run may be off by half a module and
// half a pixel of blur at both ends.
func (s *scanner) matchRow(e []int32, y, step int32, nb int) {
	if len(e) < 6 {
		return
	}
	a, b, c, d := e[1]-e[0], e[2]-e[1], e[3]-e[2], e[4]-e[3]
	for k := 5; k < len(e); k++ {
		f := e[k] - e[k-1]
		if rest := a + b + d + f; 5*c > 2*rest && c > b && c > d && c > a && c > f {
			sum := rest + c
			tol := sum*5 + 56 // of 112ths: five sevenths of half a module, and half a pixel
			if near(a*112, sum*16, tol*2) && near(f*112, sum*16, tol*2) &&
				near(b*112, sum*16, tol*2) && near(d*112, sum*16, tol*2) && near(c*112, sum*48, tol*3) && sum >= 7 {
				s.add(float32(e[k-3]+e[k-2])/2, float32(sum), y, step, k&1 == 0, nb)
			}
		}
		a, b, c, d = b, c, d, f
	}
}

func near(v, want, tol int32) bool { return v-want <= tol && want-v <= tol }

// add joins the hit to the cluster above it, or begins one.
func (s *scanner) add(x, size float32, y, step int32, light bool, nb int) {
	base := 1
	if light {
		base += nb
	}
	bin := base + int(x)/binWidth
	reach := size / 7
	for i := bin - 1; i <= bin+1 && i < len(s.bins); i++ {
		j := s.bins[i]
		if j < 0 {
			continue
		}
		c := &s.clusters[j]
		if y-c.last > max(2*step, int32(reach)) || c.light != light {
			continue
		}
		if dx := x - c.x; dx > reach || -dx > reach || size > c.size*1.6 || c.size > size*1.6 {
			continue
		}
		w := 1 / float32(c.rows+1)
		c.x += (x - c.x) * w
		c.size += (size - c.size) * w
		c.last, c.rows = y, c.rows+1
		s.bins[bin] = j
		return
	}
	if len(s.clusters) == maxClusters {
		return
	}
	s.bins[bin] = int32(len(s.clusters))
	s.clusters = append(s.clusters, cluster{x: x, size: size, first: y, last: y, rows: 1, light: light})
}
