package qr

import (
	"math"
	"slices"
)

// From soft modules to data codewords: unmask, gather, split into blocks,
// correct each with as many erasures as it needs.

// A payload is the content of a symbol whose blocks were all corrected.
type payload struct {
	text     string
	append   Append
	version  int
	format   format
	fixed    int // codewords corrected
	mirrored bool
}

// minEvidence is the number of bits by which a corrected block must be
// unlikelier than chance: the check bits it had to spare beyond those that
// choosing its errors used up. 28 bits let the standard's own limits pass (its
// p in table 9 is there for the same reason) and stop a correction that any
// noise would have met.
const minEvidence = 28

// A decoder turns a grid into a payload. It keeps its buffers.
type decoder struct {
	words   []uint8
	trust   []float32 // by codeword: its least certain bit
	data    []uint8
	block   [256]uint8
	trial   [256]uint8
	doubt   [256]float32
	order   []int
	layouts [41]*layout
}

func (d *decoder) layout(version int) *layout {
	if d.layouts[version] == nil {
		d.layouts[version] = newLayout(version)
	}
	return d.layouts[version]
}

// decode reads the grid, whose dimension gives the version, mirrored if its
// format is. The stage it reached comes with the answer.
func (d *decoder) decode(g *grid) (payload, stage) {
	version := (g.dim - 17) / 4
	r := readFormat(g)
	if r.errors > maxFormatErrors {
		return payload{}, stageFormat
	}
	f := r.format
	if r.mirrored {
		g.transpose()
		defer g.transpose()
	}
	if version >= 7 {
		if v, ok := readVersion(g); !ok || v != version {
			return payload{}, stageFormat
		}
	}
	d.gather(g, d.layout(version), f.mask)
	fixed, ok := d.correctBlocks(version, f.level)
	if !ok {
		return payload{}, stageCorrect
	}
	text, app, ok := parseMessage(d.data, version)
	if !ok {
		return payload{}, stageCorrect
	}
	return payload{text: text, append: app, version: version, format: f, fixed: fixed, mirrored: r.mirrored}, stageRead
}

// gather packs the unmasked modules into codewords in reading order.
func (d *decoder) gather(g *grid, l *layout, mask int) {
	n := len(l.order) / 8
	d.words, d.trust = grow(d.words, n), grow(d.trust, n)
	for i := range n {
		word, least := uint8(0), float32(math.MaxFloat32)
		for _, at := range l.order[i*8 : i*8+8] {
			v := g.soft[at]
			word <<= 1
			if (v > 0) != masked(mask, int(at)%l.dim, int(at)/l.dim) {
				word |= 1
			}
			least = min(least, max(v, -v))
		}
		d.words[i], d.trust[i] = word, least
	}
}

// correctBlocks undoes the interleaving of 7.6 and leaves the data codewords in
// order in d.data.
func (d *decoder) correctBlocks(version int, level ecLevel) (fixed int, ok bool) {
	ecc, n := int(eccPerBlock[level][version]), int(blockCount[level][version])
	total := len(d.words)
	short := total/n - ecc // data codewords of a short block
	long := total % n      // so many blocks, the last ones, have one more
	d.data = d.data[:0]
	for b := range n {
		size := short
		if b >= n-long {
			size++
		}
		at := func(i int) int { // place of codeword i of this block in the stream
			switch {
			case i < short:
				return i*n + b
			case i < size:
				return short*n + b - (n - long)
			default:
				return total - ecc*n + (i-size)*n + b
			}
		}
		for i := range size + ecc {
			d.block[i], d.doubt[i] = d.words[at(i)], d.trust[at(i)]
		}
		k, ok := d.correctBlock(size+ecc, ecc)
		if !ok {
			return 0, false
		}
		fixed += k
		d.data = append(d.data, d.block[:size]...)
	}
	return fixed, true
}

// correctBlock tries the block as it is, then with ever more of its least
// certain codewords erased: generalized minimum distance decoding (Forney,
// 1966).
func (d *decoder) correctBlock(n, ecc int) (fixed int, ok bool) {
	d.order = d.order[:0]
	for erase := 0; erase <= ecc-2; erase += 2 {
		if erase == 2 {
			for i := range n {
				d.order = append(d.order, i)
			}
			slices.SortFunc(d.order, func(a, b int) int {
				switch {
				case d.doubt[a] < d.doubt[b]:
					return -1
				case d.doubt[a] > d.doubt[b]:
					return 1
				}
				return a - b
			})
		}
		copy(d.trial[:n], d.block[:n])
		var erased []int
		if erase > 0 {
			erased = d.order[:erase]
		}
		errors, ok := correct(d.trial[:n], ecc, erased)
		if !ok || evidence(n, ecc, erase, errors) < minEvidence {
			continue
		}
		for i := range n {
			if d.trial[i] != d.block[i] {
				fixed++
			}
		}
		copy(d.block[:n], d.trial[:n])
		return fixed, true
	}
	return 0, false
}

// evidence is -log2 of the chance that a random block is corrected with these
// erasures and errors: the check bits left, less the choices of the errors'
// places and values.
func evidence(n, ecc, erased, errors int) float64 {
	e := 8 * float64(ecc-erased-errors)
	for i := range errors {
		e -= math.Log2(float64(n-erased-i) / float64(i+1))
	}
	return e
}
