package main

import (
	"math"
	"math/rand/v2"

	"gatehouse/scanner/qr"
)

// A screen is a picture of a phone in linear light: white is white, 1 is unit. Its
// coordinates are millimetres from its middle.
type screen struct {
	code  area
	pix   []uint16
	pitch float64 // of the screen's pixels, millimetres
	depth float64 // how dark it is between them
}

// An area is where a code, without its quiet zone, lies on a screen.
type area struct {
	x, y, side float64 // millimetres
	modules    int
}

func (a area) corners() [4][2]float64 {
	return [4][2]float64{{a.x, a.y}, {a.x + a.side, a.y}, {a.x, a.y + a.side}, {a.x + a.side, a.y + a.side}}
}

// Sizes of a phone, millimetres, and how finely it is drawn.
const (
	caseWidth, caseHeight     = 72.0, 152.0
	screenWidth, screenHeight = 67.0, 144.0
	finest                    = 10 // points a millimetre
	across, down              = caseWidth * finest, caseHeight * finest
	unit                      = 1 << 11 // a white screen; lights may be twice that
)

func newScreen(m qr.Matrix, l look, random *rand.Rand) screen {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	s := screen{pix: make([]uint16, across*down), pitch: between(0.09, 0.15), depth: l.moire.draw(random)}
	back, ink := between(0.85, 1), between(0.05, 0.3)
	if random.Float64() < 0.25 {
		back, ink = between(0.04, 0.12), between(0.5, 0.8)
	}
	s.fill(-caseWidth/2, -caseHeight/2, caseWidth, caseHeight, 0.02)
	s.fill(-screenWidth/2, -screenHeight/2, screenWidth, screenHeight, back)
	s.write(back, ink, random)
	if m.Size() == 0 {
		// A picture without a code is as large as one with it.
		s.code = area{x: -27, y: -27 + between(-14, 14), side: 54, modules: 60}
	} else {
		s.print(m, l, random)
	}
	if random.Float64() < l.cracked {
		s.crack(random)
	}
	return s
}

// write fills the screen with lines of words, pictures and buttons.
func (s *screen) write(back, ink float64, random *rand.Rand) {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	for y := -screenHeight/2 + 3; y < screenHeight/2-6; {
		high := between(1.2, 3.5)
		if random.IntN(5) == 0 {
			high *= 3
			s.fill(-screenWidth/2+3, y, screenWidth-6, high, back*0.6+ink*0.4)
		} else {
			for x := -screenWidth/2 + 4; x < screenWidth/2-6; {
				wide := between(0.7, 5)
				if random.IntN(7) > 0 {
					s.fill(x, y, wide, high, ink)
				}
				x += wide + between(0.5, 1.5)
			}
		}
		y += high + between(1, 5)
	}
}

// print draws the code with its quiet zone.
func (s *screen) print(m qr.Matrix, l look, random *rand.Rand) {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	n := m.Size()
	white, black := between(0.85, 1), between(0.01, 0.06)
	if random.Float64() < l.coloured {
		black = between(0.12, 0.4) // green, red and yellow, as a camera weighs them
	}
	if random.Float64() < l.inverted {
		white, black = black, white
	}
	with := screenWidth - 2 - between(0, 10) // millimetres with the quiet zone
	module := with / float64(n+2*qr.QuietZone)
	s.code = area{side: module * float64(n), modules: n}
	s.code.x, s.code.y = -s.code.side/2, -s.code.side/2+between(-16, 16)
	quiet := module * qr.QuietZone
	s.fill(s.code.x-quiet, s.code.y-quiet, with, with, white)
	for y := range n {
		for x := range n {
			if m.Dark(x, y) {
				s.fill(s.code.x+float64(x)*module, s.code.y+float64(y)*module, module, module, black)
			}
		}
	}
	if random.Float64() < l.emblem {
		// A tenth of the side covers a hundredth of the modules, which level L mends.
		side := s.code.side * between(0.08, 0.12)
		x, y := s.code.x+(s.code.side-side)/2, s.code.y+(s.code.side-side)/2
		s.fill(x, y, side, side, white)
		s.fill(x+side*0.15, y+side*0.15, side*0.7, side*0.7, between(0.2, 0.7))
	}
}

// crack runs a few lines over the glass, as from one blow.
func (s *screen) crack(random *rand.Rand) {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	x0, y0 := between(-30, 30), between(-60, 60)
	for range 3 + random.IntN(5) {
		x, y, angle := x0, y0, between(0, 2*math.Pi)
		bright := between(0, 0.8)
		for range int(between(200, 900)) {
			angle += between(-0.12, 0.12)
			x, y = x+0.1*math.Cos(angle), y+0.1*math.Sin(angle)
			s.fill(x, y, 0.2, 0.2, bright)
		}
	}
}

// fill paints a rectangle. A point that an edge goes through gets its share.
func (s *screen) fill(x, y, w, h, v float64) {
	left, top := (x+caseWidth/2)*finest, (y+caseHeight/2)*finest
	right, bottom := left+w*finest, top+h*finest
	share := func(i int, from, to float64) float64 {
		return clamp(math.Min(to, float64(i+1))-math.Max(from, float64(i)), 0, 1)
	}
	for py := max(int(top), 0); py < min(int(math.Ceil(bottom)), down); py++ {
		high := share(py, top, bottom)
		row := s.pix[py*across:][:across]
		for px := max(int(left), 0); px < min(int(math.Ceil(right)), across); px++ {
			part := high * share(px, left, right)
			row[px] = uint16(float64(row[px])*(1-part) + v*unit*part + 0.5)
		}
	}
}
