// Package qr reads QR codes from camera frames.
//
// The files follow the frame. gate lets pass what did not change. luma and
// threshold make it bits; runs, finder and ring find the corner patterns, triple
// puts them together, timing, place, homography and align lay the grid, sample
// weighs each module, and format, codewords, reedsolomon, bitstream and charset
// read it as ISO/IEC 18004 has it. ladder holds the order of what is tried when
// that does not suffice: refine bends the grid, equalize takes blur out, fuse
// adds frames up, third looks for a hidden finder, enlarge looks closer, at good finders or
// where moving says that something came into view. hint says what was wrong; glimpse
// says it of a code without finders, which patch finds. track reads first where the last code was.
package qr

import "slices"

// A Text is one code that was read.
type Text struct {
	Value    string
	Corners  [4]Point // top left, top right, bottom right, bottom left of the symbol
	Version  int      // 1 to 40
	Level    string   // error correction: L, M, Q or H
	Append   Append   // Total is 0 for a symbol that stands alone
	Mirrored bool
	Inverted bool // light on dark
	Fixed    int  // codewords that had to be corrected
}

// A Point is a place in the picture in pixels, x to the right and y down from
// the top left corner.
type Point struct{ X, Y float64 }

const (
	maxLevels = 4
	rowStep   = 2 // every second row is scanned
)

// A Reader reads one frame after the other and keeps its buffers between them.
// It is not for concurrent use.
type Reader struct {
	// Panics counts the frames given up because the reader broke. It stays 0
	// unless the reader has a fault.
	Panics uint64

	levels  [maxLevels]level
	thirds  [maxLevels][]byte
	large   []byte // see enlarge
	crisp   []byte // see sharpen
	means   bool   // thresholds are means, see threshold
	plain   Luma   // what img was before it was sharpened
	twice   []byte // its pixels
	scanner scanner
	finders []finder
	triples []triple
	found   []completed
	place   placement
	grid    grid
	decoder decoder
	search  budget
	work    budget
	seen    bool // three finders with timing lines between them
	texts   []Text
	hint    Hint
	guess   bool // the hint is one that a glimpse may better
	memory  memory
	motion  motion
	gate    gate
	glimpse glimpser
	track   track
	fused   bool // this frame has been
}

// Read returns the codes in the picture, from left to right, in a slice that
// the next Read overwrites. A picture that it cannot work on, because it is
// too small, too large or shorter than it says, has none.
func (r *Reader) Read(img Luma) (texts []Text) {
	// Pixels come from outside: a fault here costs a frame, not the gate.
	defer func() {
		if recover() != nil {
			r.Panics++
			texts = nil
		}
	}()
	valid := img.valid()
	if valid && r.gate.same(img) {
		return r.texts
	}
	r.texts, r.hint, r.guess, r.fused, r.means, r.plain, r.gate.width = r.texts[:0], HintNone, false, false, false, Luma{}, 0
	if r.memory.age++; r.memory.age > fuseFrames {
		r.memory.frames = 0
	}
	if !valid {
		return nil
	}
	whole := !r.track.follows(img) || !r.readTracked(img)
	if whole {
		r.readWhole(img)
	}
	r.track.keep(img, r.texts, whole)
	slices.SortFunc(r.texts, func(a, b Text) int {
		switch ax, bx := a.Corners[0].X+a.Corners[2].X, b.Corners[0].X+b.Corners[2].X; {
		case ax < bx:
			return -1
		case ax > bx:
			return 1
		}
		return 0
	})
	if whole {
		r.gate.keep(img, r.texts) // a region does not tell what the frame shows
	}
	return r.texts
}

// readWhole reads the whole picture, and where that gives nothing looks closer.
func (r *Reader) readWhole(img Luma) {
	r.track.passes++
	levels := r.read(img)
	moving, moves := area{}, false
	if levels > movingLevel {
		moving, moves = r.motion.see(&r.levels[0], &r.levels[movingLevel])
		moves = moves && r.levels[0].busy(moving)
		r.look()
	}
	switch {
	case len(r.texts) > 0:
	case max(img.Width, img.Height) <= smallSide:
		r.readSmall(img)
	case moves:
		r.readMoving(img, moving)
	case !r.seen:
		r.readRegion(img)
	}
	if r.glimpse.hint != HintNone && (r.hint == HintNone || r.guess) {
		r.hint = r.glimpse.hint
	}
}

// read appends what is in the picture and its smaller levels, whose number it
// returns.
func (r *Reader) read(img Luma) int {
	r.search, r.work = searchBudget, readBudget
	r.finders, r.triples = r.finders[:0], r.triples[:0]
	before := len(r.texts)
	r.seen = false
	n := r.pyramid(img)
	for i := n - 1; i >= 0; i-- {
		l := &r.levels[i]
		l.binarize(r.means)
		r.scanner.scan(l, rowStep)
		r.finders = findFinders(l, r.scanner.clusters, rowStep, &r.search, r.finders)
	}
	r.finders = keepBest(r.finders)
	r.triples = makeTriples(r.finders, r.triples)
	r.climbAll(n)
	if len(r.texts) == before && !r.seen {
		r.completePairs()
		r.climbAll(n)
	}
	if len(r.texts) == before && r.seen && r.plain.Pix != nil {
		// Sharpening finds symbols; what light has swallowed is read better without.
		n = r.pyramid(r.plain)
		r.climbAll(n)
	}
	if len(r.texts) == before && r.hint == HintNone {
		r.weighFinders()
	}
	return n
}

// climbAll reads the triples, the best first.
func (r *Reader) climbAll(n int) {
	for i := range r.triples {
		t := &r.triples[i]
		if t.a.used || t.b.used || t.c.used {
			continue
		}
		if r.climb(t, n) == stageRead {
			r.crossOut(r.texts[len(r.texts)-1].Corners)
		}
	}
}

// pyramid sets the levels, each a third of the one before.
func (r *Reader) pyramid(img Luma) int {
	r.levels[0].Luma, r.levels[0].scale = img, 1
	n := 1
	for ; n < maxLevels; n++ {
		prev := &r.levels[n-1]
		if min(prev.Width, prev.Height) < 3*minSide {
			break
		}
		r.levels[n].Luma, r.thirds[n] = third(prev.Luma, r.thirds[n])
		r.levels[n].scale = prev.scale * 3
	}
	return n
}

// accept adds the text of the symbol at r.place.
func (r *Reader) accept(p payload) {
	t := Text{Value: p.text, Version: p.version, Level: p.format.level.String(), Append: p.append,
		Mirrored: p.mirrored, Inverted: r.place.light, Fixed: p.fixed}
	d := float64(r.place.dim)
	for i, c := range [4][2]float64{{0, 0}, {d, 0}, {d, d}, {0, d}} {
		if p.mirrored {
			c[0], c[1] = c[1], c[0]
		}
		q := r.place.at(c[0], c[1])
		t.Corners[i] = Point{q.x, q.y}
	}
	r.texts = append(r.texts, t)
}

// crossOut marks the finders within a symbol that was read as used.
func (r *Reader) crossOut(corners [4]Point) {
	for i := range r.finders {
		f := &r.finders[i]
		left, right := true, true
		for j, a := range corners {
			b := corners[(j+1)%4]
			side := (b.X-a.X)*(f.centre.y-a.Y) - (b.Y-a.Y)*(f.centre.x-a.X)
			left, right = left && side <= 0, right && side >= 0
		}
		f.used = f.used || left || right
	}
}
