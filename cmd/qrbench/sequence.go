package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"gatehouse/scanner/qr"
)

// The camera of the sequences: 1280x720 at 30 frames/s, about 60 degrees wide.
const (
	frameWidth  = 1280
	frameHeight = 720
	frameRate   = 30
	focal       = 1100.0 // pixels
)

// A sequence is what a gate's camera sees of one person: a phone moves into view, comes
// closer, turns, and is held as hands hold. In the order of the light it is drawn with the
// moire of its pixels, reflections, the motion within the exposure and the rows' delay of a
// rolling shutter, defocus, an exposure that settles, noise, and in half of them a JPEG.
//
// The idea, and much of the measures, are those of a generator of single frames; what is
// added is time. A sequence is a function of its level, seed and index: frames can be drawn
// in any order.
type sequence struct {
	level level
	text  string // empty: the phone shows no code
	whole int    // the first frame in which the whole code is in view
	count int    // frames

	seed, index uint64
	screen      screen
	hand        hand
	optics      optics
	light       reflection
	room        []uint16 // the picture without the phone, after the lens
	grain       []int8
}

// A level is how much is asked of a reader.
type level int

const (
	easy level = iota
	medium
	hard
	empty // of medium difficulty, and no code on the screen
)

func (l level) String() string { return [...]string{"easy", "medium", "hard", "empty"}[l] }

// enough is how many frames a reader gets once the whole code is in view: two seconds.
const enough = 60

// newSequence makes one of the sequences of a seed.
func newSequence(l level, seed, index uint64) (*sequence, error) {
	random := rand.New(rand.NewPCG(seed, index<<8|uint64(l)))
	s := &sequence{level: l, seed: seed, index: index}
	look := lookOf(l)
	m, err := s.code(random)
	if err != nil {
		return nil, fmt.Errorf("sequence %s/%d of seed %d: %w", l, index, seed, err)
	}
	s.screen = newScreen(m, look, random)
	s.hand = newHand(s.screen.code, look, random)
	s.optics = newOptics(look, random)
	s.light = newReflection(look, random)
	s.room = newRoom(random, s.optics.blur)
	s.grain = newGrain(random)
	for s.whole = 0; s.whole < enough && !s.inView(s.whole); s.whole++ {
	}
	s.count = s.whole + enough
	return s, nil
}

// code draws lots for what the phone shows: a code as long as a signed pass or a
// certificate.
func (s *sequence) code(random *rand.Rand) (qr.Matrix, error) {
	if s.level == empty {
		return qr.Matrix{}, nil
	}
	const symbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	length, levels := 130+random.IntN(170), []qr.Level{qr.L, qr.M, qr.Q}
	if random.Float64() < 0.55 {
		length, levels = 420+random.IntN(220), []qr.Level{qr.L, qr.L, qr.M, qr.Q}
	}
	text := []byte("HC1:")
	for range length {
		text = append(text, symbols[random.IntN(len(symbols))])
	}
	s.text = string(text)
	return qr.Encode(s.text, levels[random.IntN(len(levels))])
}

// inView reports whether all four corners of the code are in a frame.
func (s *sequence) inView(n int) bool {
	onto := s.hand.pose(float64(n) / frameRate).onto()
	for _, c := range s.screen.code.corners() {
		x, y, ok := onto.point(c[0], c[1])
		if !ok || x < 2 || y < 2 || x > frameWidth-2 || y > frameHeight-2 {
			return false
		}
	}
	return true
}

// A look is the ranges that a level draws its lots from.
type look struct {
	pixels   span // of a module, when the phone is held still
	tilt     float64
	turn     float64 // standard deviation, radians
	coming   span    // seconds until the phone is there
	sway     span    // pixels
	tremor   span    // pixels
	shutter  span    // seconds
	blur     span    // of the lens, standard deviation in pixels
	settle   span    // more blur at first
	hunts    float64 // share where the focus is lost once
	exposure span
	unmeant  float64 // how far the exposure is off at first, in powers of e
	noise    span
	moire    span
	glare    float64 // share with a reflection
	shine    span    // its strength; a white screen is 1
	veil     float64
	coloured float64 // share of codes in a health code's colours
	emblem   float64 // share with a picture in the middle
	cracked  float64
	inverted float64
}

func lookOf(l level) look {
	switch l {
	case easy:
		return look{pixels: span{3.5, 5.5}, tilt: 0.15, turn: 0.08, coming: span{0.4, 0.7}, sway: span{1, 4}, tremor: span{0.1, 0.3},
			shutter: span{0.001, 0.004}, blur: span{0.4, 0.8}, settle: span{0, 0.8}, exposure: span{0.75, 1.05}, unmeant: 0.2,
			noise: span{0.004, 0.012}, moire: span{0, 0.12}, veil: 0.03}
	case hard:
		return look{pixels: span{2.2, 3.6}, tilt: 0.45, turn: 0.5, coming: span{0.5, 1.1}, sway: span{4, 12}, tremor: span{0.3, 1.1},
			shutter: span{0.004, 0.012}, blur: span{0.5, 1.1}, settle: span{0.5, 2.5}, hunts: 0.4, exposure: span{0.4, 1.7}, unmeant: 1.0,
			noise: span{0.012, 0.03}, moire: span{0, 0.25}, glare: 0.5, shine: span{0.2, 0.9}, veil: 0.15,
			coloured: 0.2, emblem: 0.2, cracked: 0.2, inverted: 0.05}
	}
	return look{pixels: span{2.5, 4.2}, tilt: 0.35, turn: 0.3, coming: span{0.4, 0.9}, sway: span{3, 9}, tremor: span{0.2, 0.8},
		shutter: span{0.003, 0.01}, blur: span{0.5, 1.0}, settle: span{0.3, 1.8}, hunts: 0.2, exposure: span{0.5, 1.4}, unmeant: 0.6,
		noise: span{0.01, 0.025}, moire: span{0, 0.2}, glare: 0.4, shine: span{0.15, 0.6}, veil: 0.1,
		coloured: 0.15, emblem: 0.15, cracked: 0.1}
}

// A span is a range that lots are drawn from.
type span struct{ from, to float64 }

func (s span) draw(random *rand.Rand) float64 { return s.from + (s.to-s.from)*random.Float64() }

// film draws frames of a sequence when they are asked for and keeps them, so that every
// reader sees the same pixels.
type film struct {
	*sequence
	frames []qr.Luma
}

// frame gives frame n, and draws a few more at once on all cores that the process may use.
func (f *film) frame(n int) qr.Luma {
	const block = 8
	if f.frames == nil {
		f.frames = make([]qr.Luma, f.count)
	}
	if f.frames[n].Pix != nil {
		return f.frames[n]
	}
	var all sync.WaitGroup
	for i := n; i < min(n+block, f.count); i++ {
		all.Go(func() { f.frames[i] = f.draw(i) })
	}
	all.Wait()
	return f.frames[n]
}

func clamp(v, from, to float64) float64 { return math.Max(from, math.Min(to, v)) }
