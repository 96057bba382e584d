package qr

import "encoding/binary"

// The binarizer: extremes of 8x8 blocks, thresholds smoothed over 5x5 blocks
// where there is contrast, one bit a pixel. The block grid follows zxing's
// HybridBinarizer; the word-wide arithmetic ("SIMD within a register") is
// Lamport, "Multiple byte processing with full-word instructions", 1975.

// A level is the frame at one size, with everything the finders need.
type level struct {
	Luma
	scale float64 // full-frame pixels a pixel

	bw, bh int     // blocks across and down
	raw    []uint8 // threshold of each block, 0 where its contrast is too low
	spans  []uint8 // contrast of each block
	thr    []uint8 // smoothed, never 0
	sums   []uint16
	counts []uint16

	words int      // words a row
	bits  []uint64 // a set bit is a dark pixel; bits past the width are 0
	pad   [64]byte
}

// A block says something about the threshold where the difference between its
// darkest and lightest pixel is above the noise. Noise is what the quietest
// quarter of the blocks show, half as much again for its spread; the bounds
// keep a frame full of code, or one without noise, from misleading.
const (
	minContrast = 24
	maxContrast = 110
)

const (
	ninthBit = 0x0100010001000100
	topBits  = 0x8000800080008000
	lowBits  = 0x0001000100010001
)

// binarize fills thresholds and bits from the picture.
// With means a block's threshold is the mean of its pixels, not the middle of
// its extremes.
func (l *level) binarize(means bool) {
	l.bw, l.bh = (l.Width+7)/8, (l.Height+7)/8
	n := l.bw * l.bh
	l.raw, l.thr, l.spans = grow(l.raw, n), grow(l.thr, n), grow(l.spans, n)
	l.sums, l.counts = grow(l.sums, n), grow(l.counts, n)
	l.words = (l.Width + 63) / 64
	l.bits = grow(l.bits, l.words*l.Height)
	l.extremes()
	if means {
		l.means()
	}
	l.dropNoise()
	l.smooth()
	l.pack()
}

// extremes sets raw to the middle of each block's darkest and lightest 2x2
// pixels and spans to their difference.
// The last block of a row or column overlaps its neighbour.
func (l *level) extremes() {
	for by := range l.bh {
		y := min(by*8, l.Height-8)
		rows := l.Pix[y*l.Stride:]
		out := l.raw[by*l.bw : by*l.bw+l.bw]
		spans := l.spans[by*l.bw:][:len(out)]
		for bx := range out {
			o := min(bx*8, l.Width-8)
			lo := quads(rows[o:o+8], rows[o+l.Stride:o+l.Stride+8])
			hi := lo
			for range 3 {
				o += 2 * l.Stride
				q := quads(rows[o:o+8], rows[o+l.Stride:o+l.Stride+8])
				lo, _ = minmax(lo, q)
				_, hi = minmax(hi, q)
			}
			lo, _ = minmax(lo, lo>>32)
			lo, _ = minmax(lo, lo>>16)
			_, hi = minmax(hi, hi>>32)
			_, hi = minmax(hi, hi>>16)
			a, b := lo&0xFFFF, hi&0xFFFF // four times the grey
			out[bx], spans[bx] = uint8((a+b)/8), uint8((b-a)/4)
		}
	}
}

// means sets raw to the mean of each block. Where light swallows thin dark
// lines, or blur fills thin light ones, the middle of the extremes cuts through
// few of them.
func (l *level) means() {
	for by := range l.bh {
		y := min(by*8, l.Height-8)
		rows := l.Pix[y*l.Stride:]
		out := l.raw[by*l.bw : by*l.bw+l.bw]
		for bx := range out {
			o := min(bx*8, l.Width-8)
			sum := uint64(0)
			for range 4 {
				sum += quads(rows[o:o+8], rows[o+l.Stride:o+l.Stride+8])
				o += 2 * l.Stride
			}
			sum += sum >> 32
			out[bx] = uint8((sum + sum>>16) & 0xFFFF / 64)
		}
	}
}

// dropNoise sets the threshold of blocks without contrast to 0.
func (l *level) dropNoise() {
	var histogram [256]int
	for _, s := range l.spans {
		histogram[s]++
	}
	quiet, n := 0, 0
	for n += histogram[0]; n < len(l.spans)/4; n += histogram[quiet] {
		quiet++
	}
	least := uint8(min(max(quiet*3/2, minContrast), maxContrast))
	for i, s := range l.spans {
		if s <= least {
			l.raw[i] = 0
		}
	}
}

// quads adds eight pixels of two rows two by two: four 16-bit lanes. Noise is
// halved by it, a code's contrast is not.
func quads(a, b []byte) uint64 {
	x, y := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b)
	return x&lanes + x>>8&lanes + y&lanes + y>>8&lanes
}

// minmax is the lane-wise minimum and maximum of four 16-bit lanes below 2^15.
func minmax(a, b uint64) (lo, hi uint64) {
	ge := ((a | topBits) - b) & topBits >> 15 * 0xFFFF // lanes where a >= b
	d := (a ^ b) & ge
	return a ^ d, b ^ d
}

// smooth averages the thresholds of 5x5 blocks that have one. A block whose
// neighbours have none either takes the last one seen: inside a large module
// the edge's threshold still holds, and plain white is never assumed.
func (l *level) smooth() {
	bw, bh := l.bw, l.bh
	for y := range bh {
		in := l.raw[y*bw : y*bw+bw]
		sums, counts := l.sums[y*bw:y*bw+bw], l.counts[y*bw:y*bw+bw]
		var s, n uint16
		for x := -2; x < bw; x++ {
			if x+2 < bw {
				v := in[x+2]
				s += uint16(v)
				n += uint16(min(v, 1))
			}
			if x > 2 {
				v := in[x-3]
				s -= uint16(v)
				n -= uint16(min(v, 1))
			}
			if x >= 0 {
				sums[x], counts[x] = s, n
			}
		}
	}
	last := uint8(127)
	for y := range bh {
		y0, y1 := max(0, y-2), min(bh-1, y+2)
		out := l.thr[y*bw : y*bw+bw]
		if y > 0 {
			last = l.thr[(y-1)*bw]
		}
		for x := range out {
			s, n := uint32(0), uint32(0)
			for i := y0*bw + x; i <= y1*bw+x; i += bw {
				s += uint32(l.sums[i])
				n += uint32(l.counts[i])
			}
			if n > 0 {
				last = uint8(s / n)
			}
			out[x] = last
		}
	}
}

// pack compares every pixel with its block's threshold, 64 pixels a word.
func (l *level) pack() {
	for y := range l.Height {
		row := l.Pix[y*l.Stride : y*l.Stride+l.Width]
		thr := l.thr[(y>>3)*l.bw : (y>>3)*l.bw+l.bw]
		out := l.bits[y*l.words : y*l.words+l.words]
		for i := range out {
			if len(row) < 64 { // past the width a pixel is light
				for j := range l.pad {
					l.pad[j] = 255
				}
				copy(l.pad[:], row)
				row = l.pad[:]
			}
			p := row[:64]
			row = row[64:]
			var t [8]uint8
			copy(t[:], thr[i*8:])
			var acc uint64
			for b := range 8 {
				x := binary.LittleEndian.Uint64(p[b*8:])
				lim := uint64(t[b])*lowBits | ninthBit
				even := (lim - x&lanes) & ninthBit >> 8
				odd := (lim - x>>8&lanes) & ninthBit >> 7
				v := even | odd // two bits in each 16-bit lane
				acc |= (v | v>>14 | v>>28 | v>>42) & 0xFF << (8 * b)
			}
			out[i] = acc
		}
	}
}

// dark reports the binarized pixel at x, y, which must lie in the picture.
func (l *level) dark(x, y int) bool {
	return l.bits[y*l.words+x>>6]>>(x&63)&1 != 0
}
