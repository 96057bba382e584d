package qr

import "math/bits"

// Where something moves: a code that is brought into view is a square full of
// contrast that was not there before, long before its finders can be told. The
// frame's ninth-size level is compared with that of the frame before, cell by
// cell, and the square that best holds the cells with contrast that moved
// lately is looked at closer. What stands still, text and bars on a wall, never
// costs anything. (The search of the best square is that of a box of largest
// sum in an integral image; Crow, "Summed-area tables", 1984.)

const (
	movingLevel = 2  // the level whose pixels are the cells
	movingCell  = 9  // pixels of the frame
	movingStep  = 4  // change of a cell's mean: five times what noise of 7 grey does
	movingHeld  = 45 // frames: what moved and stopped is being held
	movingLeast = 12 // cells along a side
	movingMost  = 45
	movingSkip  = 3   // cells between the squares that are weighed
	movingFull  = 0.6 // share of a square's cells that move

	busyCell  = 16   // pixels along the side of what is weighed for edges
	busyEdges = 16   // of its pixels that change to the next one, along both sides
	busyOver  = 3    // times as many along one side as along the other
	busyShare = 0.4  // of an area that may be a code
	busyMean  = 0.15 // changes a pixel, both sides together, in the mean
)

// A motion keeps the frame before, small.
type motion struct {
	width, height int // of before; 0 is none
	before        []byte
	moved         []uint8 // frames for which a cell still counts as moving
	sums          []int32 // moving cells above and left of each crossing
	fresh         int     // frames for which the whole picture still counts as new
	moves         bool    // some cell counts as moving
}

// An area is a square part of the frame, in pixels.
type area struct{ x, y, side float64 }

// see compares the frame with the one before and keeps it. It gives the square
// that moves, and false where there is none.
func (m *motion) see(frame, small *level) (area, bool) {
	w, h := small.Width, small.Height
	m.before, m.moved, m.sums = grow(m.before, w*h), grow(m.moved, w*h), grow(m.sums, (w+1)*(h+1))
	known := m.width == w && m.height == h
	m.width, m.height = w, h
	if !known || m.allChanged(small) {
		clear(m.moved)
		m.fresh = movingHeld
		for y := range h {
			copy(m.before[y*w:][:w], small.Pix[y*small.Stride:])
		}
		return area{}, false
	}
	m.fresh, m.moves = max(m.fresh-1, 0), false
	clear(m.sums[:w+1])
	for y := range h {
		row, before, moved := small.Pix[y*small.Stride:][:w], m.before[y*w:][:w], m.moved[y*w:][:w]
		contrast := frame.raw[(y*movingCell+movingCell/2)/8*frame.bw:][:frame.bw]
		above, sums := m.sums[y*(w+1):][:w+1], m.sums[(y+1)*(w+1):][:w+1]
		n, held := int32(0), uint8(0)
		sums[0] = 0
		for x, v := range row {
			if d := int(v) - int(before[x]); d >= movingStep || d <= -movingStep {
				moved[x] = movingHeld
			} else if moved[x] > 0 {
				moved[x]--
			}
			held |= moved[x]
			if moved[x] > 0 && contrast[(x*movingCell+movingCell/2)/8] != 0 {
				n++
			}
			sums[x+1] = above[x+1] + n
			before[x] = v
		}
		m.moves = m.moves || held > 0
	}
	return m.best()
}

// allChanged reports whether most of every fourth row's cells moved: the camera
// did, or somebody switched on a light. That points nowhere.
func (m *motion) allChanged(small *level) bool {
	changed, w := 0, m.width
	for y := 0; y < m.height; y += 4 {
		before := m.before[y*w:][:w]
		for x, v := range small.Pix[y*small.Stride:][:w] {
			if d := int(v) - int(before[x]); d >= movingStep || d <= -movingStep {
				changed++
			}
		}
	}
	return changed > w*(m.height+3)/4/2
}

// best is the square with most moving cells, less what each square of its size
// must have.
func (m *motion) best() (at area, ok bool) {
	w, h := m.width, m.height
	most := int32(0)
	for side := movingLeast; side <= movingMost; side += side / 4 {
		must := int32(movingFull * float64(side*side))
		if m.sums[(w+1)*(h+1)-1] <= must {
			break
		}
		for y := 0; y+side <= h; y += movingSkip {
			top, low := m.sums[y*(w+1):][:w+1], m.sums[(y+side)*(w+1):][:w+1]
			for x := 0; x+side <= w; x += movingSkip {
				if n := low[x+side] - low[x] - top[x+side] + top[x] - must; n > most {
					most, at = n, area{float64(x * movingCell), float64(y * movingCell), float64(side * movingCell)}
				}
			}
		}
	}
	return at, most > 0
}

// busy reports whether the area may be a code's: one is full of edges both ways.
// Pages and screens have their edges in lines with space between them.
func (l *level) busy(a area) bool {
	x0, y0 := int(a.x)&^(busyCell-1), int(a.y)
	across, down := int(a.side)/busyCell, int(a.side)/busyCell
	across, down = min(across, (l.Width-1-x0)/busyCell), min(down, (l.Height-1-y0)/busyCell)
	full, all := 0, 0
	for j := range down {
		for i := range across {
			x := x0 + i*busyCell
			beside, below := 0, 0
			for y := y0 + j*busyCell; y < y0+(j+1)*busyCell; y++ {
				row := l.bits[y*l.words+x>>6:]
				word, next := row[0]>>(x&63), row[l.words]>>(x&63)
				beside += bits.OnesCount64((word ^ word>>1) & (1<<(busyCell-1) - 1))
				below += bits.OnesCount64((word ^ next) & (1<<busyCell - 1))
			}
			all += beside + below
			if min(beside, below) >= busyEdges && max(beside, below) < busyOver*min(beside, below) {
				full++
			}
		}
	}
	n := float64(across * down)
	return float64(full) >= busyShare*n && float64(all) >= busyMean*n*busyCell*busyCell
}
