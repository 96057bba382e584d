package qr

import (
	"math"
	"math/bits"
)

// Format and version information, ISO/IEC 18004 7.9 and 7.10: BCH codes with so
// few words that the nearest is found by trying all.

// A format says how the data modules are to be read.
type format struct {
	level ecLevel
	mask  int
}

// formatWord is the 15-bit word of a format: two bits of level, three of mask,
// ten of BCH(15,5), masked with 0x5412.
func formatWord(f format) uint32 {
	v := uint32([...]int{1, 0, 3, 2}[f.level]<<3 | f.mask)
	return (v<<10 | bch(v, 10, 0x537)) ^ 0x5412
}

// versionWord is the 18-bit word of a version: six bits and twelve of
// BCH(18,6).
func versionWord(v int) uint32 { return uint32(v)<<12 | bch(uint32(v), 12, 0x1F25) }

// bch is the remainder of v * x^n by the generator.
func bch(v uint32, n int, generator uint32) uint32 {
	r := v << n
	for bits.Len32(r) > n {
		r ^= generator << (bits.Len32(r) - bits.Len32(generator))
	}
	return r
}

// maxFormatErrors is how many of the 15 bits may be wrong: the code's distance
// is 7.
const maxFormatErrors = 3

// A formatReading is the format nearest to the two copies in a grid.
type formatReading struct {
	format
	score    float32 // sum of the soft bits that agree, less those that do not
	errors   int     // wrong bits of the better copy
	mirrored bool    // as the transposed grid has it
}

// readFormat finds the format nearest to the two copies in a grid of soft
// modules, dark positive; where they contradict each other the sum of their
// soft values decides. A mirrored symbol has it across the diagonal: the
// reading that agrees more is returned.
func readFormat(g *grid) formatReading {
	a, b := formatNearest(g, false), formatNearest(g, true)
	if b.score > a.score {
		return b
	}
	return a
}

func formatNearest(g *grid, mirrored bool) formatReading {
	d := g.dim
	at := func(x, y int) float32 {
		if mirrored {
			x, y = y, x
		}
		return g.soft[y*d+x]
	}
	var a, b [15]float32 // most significant bit first
	for i := range 15 {
		a[i] = at(formatPlace(i))
		if i < 7 {
			b[i] = at(8, d-1-i)
		} else {
			b[i] = at(d-15+i, 8)
		}
	}
	best := formatReading{score: -math.MaxFloat32, errors: 15, mirrored: mirrored}
	for l := range 4 {
		for m := range 8 {
			f := format{ecLevel(l), m}
			w := formatWord(f)
			score, ea, eb := float32(0), 0, 0
			for i := range 15 {
				sign := float32(-1)
				if w>>(14-i)&1 != 0 {
					sign = 1
				}
				score += sign * (a[i] + b[i])
				if sign*a[i] <= 0 {
					ea++
				}
				if sign*b[i] <= 0 {
					eb++
				}
			}
			if score > best.score {
				best.format, best.score, best.errors = f, score, min(ea, eb)
			}
		}
	}
	return best
}

// formatPlace is the column and row of format bit i, the most significant
// first, beside the top left finder.
func formatPlace(i int) (x, y int) {
	switch {
	case i < 6:
		return i, 8
	case i == 6:
		return 7, 8
	case i == 7:
		return 8, 8
	case i == 8:
		return 8, 7
	default:
		return 8, 14 - i
	}
}

// maxVersionErrors is how many of the 18 bits may be wrong: the code's distance
// is 8.
const maxVersionErrors = 3

// readVersion finds the version nearest to the two copies of the version
// information in a grid of soft modules.
func readVersion(g *grid) (int, bool) {
	d := g.dim
	var a, b uint32
	for i := range 18 { // least significant first
		if g.soft[(i/3)*d+d-11+i%3] > 0 {
			a |= 1 << i
		}
		if g.soft[(d-11+i%3)*d+i/3] > 0 {
			b |= 1 << i
		}
	}
	best, errors := 0, 18
	for v := 7; v <= 40; v++ {
		w := versionWord(v)
		if e := min(bits.OnesCount32(w^a), bits.OnesCount32(w^b)); e < errors {
			best, errors = v, e
		}
	}
	return best, errors <= maxVersionErrors
}
