package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"gatehouse/scanner/qr"
)

// draw makes frame n.
func (s *sequence) draw(n int) qr.Luma {
	light := make([]uint16, len(s.room))
	copy(light, s.room)
	s.lay(light, float64(n)/frameRate)
	pix := s.expose(light, n)
	if s.optics.quality > 0 {
		pix = compress(pix, s.optics.quality)
	}
	return qr.Luma{Pix: pix, Width: frameWidth, Height: frameHeight, Stride: frameWidth}
}

// lay puts the phone over the room. A pixel is the mean of samples that lie at different
// places in it and at different moments of the exposure; each row has its own moments.
func (s *sequence) lay(light []uint16, t float64) {
	o := s.optics
	x0, y0, x1, y1, moved := s.box(t)
	width, height := x1-x0, y1-y0
	if width <= 0 || height <= 0 {
		return
	}
	samples := min(max(4, int(1.5*moved)+1), 12)
	plane, work := make([]float32, width*height), make([]float32, width*height)
	covered := make([]float32, width*height)
	moire := newMoire(s.screen)
	for y := range height {
		rowAt := t + o.readout*float64(y0+y)/frameHeight
		row, hit := plane[y*width:][:width], covered[y*width:][:width]
		room := s.room[(y0+y)*frameWidth+x0:][:width]
		for k := range samples {
			// The places follow the plastic sequence, which fills a square evenly.
			_, placeX := math.Modf(0.5 + 0.7548776662466927*float64(k))
			_, placeY := math.Modf(0.5 + 0.5698402909980532*float64(k))
			moment := rowAt + o.shutter*(float64(k)+0.5)/float64(samples)
			back := s.hand.pose(moment).onto().inverse()
			s.screen.sample(row, hit, room, back, float64(x0)+placeX, float64(y0+y)+placeY, moire)
		}
	}
	held := s.hand.pose(t)
	shineX, shineY := held.x+s.light.x+s.light.moveX*t, held.y+s.light.y+s.light.moveY*t
	part := 1 / float32(samples)
	for y := range height {
		for x := range width {
			i := y*width + x
			plane[i] *= part
			if covered[i] > 0 {
				on := covered[i] * part * unit
				plane[i] += on * float32(o.veil)
				if s.light.strength > 0 {
					plane[i] += on * float32(s.light.at(float64(x0+x)-shineX, float64(y0+y)-shineY))
				}
			}
		}
	}
	soften(plane, work, width, height, o.blurAt(t))
	for y := range height {
		to := light[(y0+y)*frameWidth+x0:][:width]
		for x, v := range plane[y*width:][:width] {
			to[x] = uint16(min(v, 2*unit-1))
		}
	}
}

// box is the part of the frame that the phone is in at some moment of an exposure, and how
// far its middle moves during it, in pixels.
func (s *sequence) box(t float64) (x0, y0, x1, y1 int, moved float64) {
	o := s.optics
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	const w, h = caseWidth / 2, caseHeight / 2
	for _, at := range [3]float64{0, 0.5, 1} {
		onto := s.hand.pose(t + at*(o.readout+o.shutter)).onto()
		for _, c := range [4][2]float64{{-w, -h}, {w, -h}, {-w, h}, {w, h}} {
			x, y, ok := onto.point(c[0], c[1])
			if !ok {
				return 0, 0, 0, 0, 0
			}
			left, right, top, bottom = math.Min(left, x), math.Max(right, x), math.Min(top, y), math.Max(bottom, y)
		}
	}
	a, b := s.hand.pose(t), s.hand.pose(t+o.shutter)
	moved = math.Hypot(a.x-b.x, a.y-b.y)
	margin := 3*o.blurAt(t) + 2
	return int(clamp(left-margin, 0, frameWidth)), int(clamp(top-margin, 0, frameHeight)),
		int(clamp(right+margin, 0, frameWidth)), int(clamp(bottom+margin, 0, frameHeight)), moved
}

// moire is the grid of the screen's pixels as a table over one period.
type moire struct {
	table [256]float32
	scale float32 // of points of the picture to places in the table
}

func newMoire(s screen) *moire {
	m := &moire{scale: float32(256 / (s.pitch * finest))}
	for i := range m.table {
		m.table[i] = float32(math.Sqrt(s.depth) * (0.5 + 0.5*math.Cos(2*math.Pi*float64(i)/256)))
	}
	return m
}

// sample adds one sample to each pixel of a row: the screen where it is hit, else the room.
func (s *screen) sample(row, hit []float32, room []uint16, back mapping, x, y float64, grid *moire) {
	// In points of the picture, from its corner.
	u := (back[0]*x + back[1]*y + back[2]) * finest
	v := (back[3]*x + back[4]*y + back[5]) * finest
	w := back[6]*x + back[7]*y + back[8]
	du, dv, dw := back[0]*finest, back[3]*finest, back[6]
	for i := range row {
		over := 1 / w
		a, b := float32(u*over+across/2), float32(v*over+down/2)
		u, v, w = u+du, v+dv, w+dw
		if a < 0 || b < 0 || a >= across-1 || b >= down-1 {
			row[i] += float32(room[i])
			continue
		}
		ia, ib := int(a), int(b)
		fa, fb := a-float32(ia), b-float32(ib)
		at := ib*across + ia
		upper, lower := s.pix[at:at+2:at+2], s.pix[at+across:at+across+2:at+across+2]
		top := float32(upper[0]) + fa*(float32(upper[1])-float32(upper[0]))
		low := float32(lower[0]) + fa*(float32(lower[1])-float32(lower[0]))
		dark := grid.table[int(a*grid.scale)&255] * grid.table[int(b*grid.scale)&255]
		row[i] += (top + fb*(low-top)) * (1 - dark)
		hit[i]++
	}
}

// Noise comes from a table that each row begins to read at another place: drawing it anew
// for each pixel would cost more than everything else.
const grainSize = 1 << 17

// newGrain is a table of the normal distribution, with a deviation of 24 steps.
func newGrain(random *rand.Rand) []int8 {
	grain := make([]int8, grainSize+frameWidth)
	for i := range grain {
		grain[i] = int8(clamp(math.Round(24*random.NormFloat64()), -127, 127))
	}
	return grain
}

// expose is the sensor: the light that it had, its noise, which grows with the root of the
// light, and the bytes that a camera makes of both, by the root as well.
func (s *sequence) expose(light []uint16, n int) []byte {
	const fine = 4 // steps of the signal for each of the light
	gain := s.optics.exposureAt(float64(n) / frameRate)
	var signal, noisy [2 * unit]int32
	for i := range signal {
		v := math.Min(float64(i)/unit*gain, 2)
		signal[i] = int32(v * unit * fine)
		noisy[i] = int32(s.optics.noise * (0.4 + math.Sqrt(v)) * unit * fine / 24 * 256)
	}
	var tone [unit*fine + 1]byte
	for i := range tone {
		tone[i] = byte(math.Sqrt(float64(i)/(unit*fine))*255 + 0.5)
	}
	random := rand.New(rand.NewPCG(s.seed^s.index<<32, uint64(s.level)<<32|uint64(n)))
	pix := make([]byte, len(light))
	for y := range frameHeight {
		grain := s.grain[random.IntN(grainSize):][:frameWidth]
		row, to := light[y*frameWidth:][:frameWidth], pix[y*frameWidth:][:frameWidth]
		for x, v := range row {
			v &= 2*unit - 1
			to[x] = tone[min(max(signal[v]+int32(grain[x])*noisy[v]>>8, 0), unit*fine)]
		}
	}
	return pix
}

// compress is a camera that sends JPEG.
func compress(pix []byte, quality int) []byte {
	var file bytes.Buffer
	frame := &image.Gray{Pix: pix, Stride: frameWidth, Rect: image.Rect(0, 0, frameWidth, frameHeight)}
	if err := jpeg.Encode(&file, frame, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a buffer takes everything, and the size is right
	}
	back, err := jpeg.Decode(&file)
	if err != nil {
		panic(err)
	}
	grey := back.(*image.Gray)
	for y := range frameHeight {
		copy(pix[y*frameWidth:][:frameWidth], grey.Pix[y*grey.Stride:])
	}
	return pix
}
