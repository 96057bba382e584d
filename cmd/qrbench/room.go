package main

import (
	"math"
	"math/rand/v2"
)

// newRoom is what stands before a gate without anybody: a wall in uneven light, round and
// square things, bars and chequers, after the lens.
func newRoom(random *rand.Rand, blur float64) []uint16 {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	pix := make([]float32, frameWidth*frameHeight)
	base, slopeX, slopeY := between(0.05, 0.4), between(-0.12, 0.12), between(-0.12, 0.12)
	for y := range frameHeight {
		for x := range frameWidth {
			pix[y*frameWidth+x] = float32(math.Max(0.01, base+slopeX*(float64(x)/frameWidth-0.5)+slopeY*(float64(y)/frameHeight-0.5)))
		}
	}
	// each paints the points within a box around a middle.
	each := func(cx, cy, rx, ry float64, paint func(v *float32, dx, dy float64)) {
		for y := max(int(cy-ry), 0); y < min(int(cy+ry), frameHeight); y++ {
			for x := max(int(cx-rx), 0); x < min(int(cx+rx), frameWidth); x++ {
				paint(&pix[y*frameWidth+x], (float64(x)-cx)/rx, (float64(y)-cy)/ry)
			}
		}
	}
	for range 10 + random.IntN(20) {
		light, round := float32(between(-0.2, 0.3)), random.IntN(2) == 0
		each(between(0, frameWidth), between(0, frameHeight), between(10, 150), between(10, 150), func(v *float32, dx, dy float64) {
			if !round || dx*dx+dy*dy < 1 {
				*v = min(max(*v+light, 0.01), 1)
			}
		})
	}
	for range random.IntN(4) {
		size, wide, turn, chequers := between(40, 200), between(4, 16), between(0, math.Pi), random.IntN(2) == 0
		sin, cos := math.Sincos(turn)
		each(between(0, frameWidth), between(0, frameHeight), size, size, func(v *float32, dx, dy float64) {
			stripe := int(math.Floor((dx*cos + dy*sin) * size / wide))
			if chequers {
				stripe += int(math.Floor((-dx*sin + dy*cos) * size / wide))
			}
			if *v = 0.08; stripe&1 == 0 {
				*v = 0.6
			}
		})
	}
	soften(pix, make([]float32, len(pix)), frameWidth, frameHeight, blur)
	room := make([]uint16, len(pix))
	for i, v := range pix {
		room[i] = uint16(v*unit + 0.5)
	}
	return room
}
