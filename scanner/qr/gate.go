package qr

import (
	"encoding/binary"
	"math"
)

// The frame gate: a frame that shows what the one before showed has its texts,
// and is not read again. A camera that gives a frame twice, a code on a stand,
// a phone laid down are most of what a gate sees after the first text.
//
// Frames are compared in tiles of 4x4 pixels, so that noise averages out and a
// single changed module does not: everywhere within the codes, and in every
// eighth row of tiles elsewhere, where a second code may come into view. What
// is compared with is the frame that was read, so that no drift adds up.

const (
	gateTile     = 4
	gateStep     = 8   // of the rows of tiles outside the codes one in so many is compared
	gateRange    = 96  // change of a tile's sum: five times what noise of 3 grey does
	gateLeast    = 3.0 // pixels a module: one that changes fills a seventh of some tile
	gateContrast = 64  // grey between dark and light: a seventh of it is above the range
	gateMost     = 60  // frames told from one reading
)

// A gate keeps the frame that was read, by tiles.
type gate struct {
	width, height int // of the frame; 0 is none
	sums          []uint16
	frames        int // told since
	top, bottom   int // rows of tiles that hold the codes
}

// keep remembers the frame whose texts were read, if all of them can be told
// from others by tiles.
func (g *gate) keep(img Luma, texts []Text) {
	g.width = 0
	if len(texts) == 0 {
		return
	}
	top, bottom := float64(img.Height), 0.0
	for _, t := range texts {
		if contrast(img, t) < gateContrast {
			return
		}
		for i, a := range t.Corners {
			b := t.Corners[(i+1)%4]
			side := point{b.X - a.X, b.Y - a.Y}
			if side.length() < gateLeast*float64(dimension(t.Version)) {
				return
			}
			top, bottom = min(top, a.Y), max(bottom, a.Y)
		}
	}
	g.width, g.height, g.frames = img.Width, img.Height, 0
	g.top, g.bottom = int(top)/gateTile-1, int(bottom)/gateTile+1
	across, down := g.width/gateTile, g.height/gateTile
	g.sums = grow(g.sums, across*down)
	for y := range down {
		if g.compared(y) {
			for x := range across {
				g.sums[y*across+x] = tileSum(img, x, y)
			}
		}
	}
}

// contrast is the grey between the middle of the text's first finder pattern
// and the margin beside it.
func contrast(img Luma, t Text) float64 {
	a, b, d := t.Corners[0], t.Corners[1], t.Corners[3]
	at := func(modules float64) float64 {
		s := modules / float64(dimension(t.Version))
		return img.grey(a.X+(b.X-a.X+d.X-a.X)*s, a.Y+(b.Y-a.Y+d.Y-a.Y)*s)
	}
	return math.Abs(at(3.5) - at(-1))
}

// compared reports whether the row of tiles is.
func (g *gate) compared(y int) bool { return y >= g.top && y <= g.bottom || y%gateStep == 0 }

// same reports whether the picture shows what the one that was kept shows.
func (g *gate) same(img Luma) bool {
	if g.width == 0 || g.width != img.Width || g.height != img.Height || g.frames >= gateMost {
		return false
	}
	across := g.width / gateTile
	for y := range g.height / gateTile {
		if !g.compared(y) {
			continue
		}
		for x, was := range g.sums[y*across : y*across+across] {
			if d := int(tileSum(img, x, y)) - int(was); d > gateRange || d < -gateRange {
				return false
			}
		}
	}
	g.frames++
	return true
}

// tileSum adds the pixels of a tile.
func tileSum(img Luma, x, y int) uint16 {
	p := img.Pix[y*gateTile*img.Stride+x*gateTile:]
	a, b := binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[img.Stride:])
	c, d := binary.LittleEndian.Uint32(p[2*img.Stride:]), binary.LittleEndian.Uint32(p[3*img.Stride:])
	const even = lanes & 0xFFFFFFFF
	sum := a&even + a>>8&even + b&even + b>>8&even + c&even + c>>8&even + d&even + d>>8&even
	return uint16(sum) + uint16(sum>>16)
}
