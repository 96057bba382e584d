package main

import (
	"math"
	"math/rand/v2"
)

// Optics are the lens and the sensor over the time of a sequence.
type optics struct {
	shutter float64 // seconds that a row is exposed
	readout float64 // seconds from the first row to the last
	blur    float64 // when it is in focus: standard deviation in pixels
	settle  float64 // more blur at first
	focuses float64 // seconds in which that becomes a third
	hunt    float64 // blur when the focus is lost, and when
	huntAt  float64

	exposure float64
	unmeant  float64
	adapts   float64 // seconds in which an unmeant exposure becomes a third
	veil     float64 // stray light
	noise    float64 // of a white pixel, standard deviation
	quality  int     // of the JPEG; 0 is none
}

func newOptics(l look, random *rand.Rand) optics {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	o := optics{
		shutter: l.shutter.draw(random), readout: between(0.008, 0.022),
		blur: l.blur.draw(random), settle: l.settle.draw(random), focuses: between(0.15, 0.4),
		exposure: l.exposure.draw(random), unmeant: between(-l.unmeant, l.unmeant), adapts: between(0.12, 0.4),
		veil: l.veil * random.Float64(), noise: l.noise.draw(random),
	}
	if random.Float64() < l.hunts {
		o.hunt, o.huntAt = between(1, 3), between(0.5, 2)
	}
	if random.IntN(2) == 0 {
		o.quality = 55 + random.IntN(40)
	}
	return o
}

// blurAt is the blur of the phone at a time.
func (o optics) blurAt(t float64) float64 {
	lost := (t - o.huntAt) / 0.15
	return o.blur + o.settle*math.Exp(-t/o.focuses) + o.hunt*math.Exp(-lost*lost)
}

// exposureAt is how much of the light becomes signal; 1 takes a white screen to white.
func (o optics) exposureAt(t float64) float64 {
	return o.exposure * math.Exp(o.unmeant*math.Exp(-t/o.adapts))
}

// A reflection is a lamp on the glass. It wanders as the phone is turned.
type reflection struct {
	strength         float64 // 0 is none
	x, y             float64 // from the code's middle, pixels
	moveX, moveY     float64 // pixels a second
	long, wide, turn float64
}

func newReflection(l look, random *rand.Rand) reflection {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	if random.Float64() >= l.glare {
		return reflection{}
	}
	return reflection{
		strength: l.shine.draw(random), x: between(-130, 130), y: between(-130, 130),
		moveX: between(-90, 90), moveY: between(-90, 90),
		long: between(25, 130), wide: between(15, 70), turn: between(0, math.Pi),
	}
}

// at is the light at a point, from the reflection's middle.
func (r reflection) at(dx, dy float64) float64 {
	sin, cos := math.Sincos(r.turn)
	u, v := (dx*cos+dy*sin)/r.long, (-dx*sin+dy*cos)/r.wide
	return r.strength * math.Exp(-u*u-v*v)
}

// soften convolves with a Gaussian, both ways. The plane's edges are repeated.
func soften(plane, work []float32, width, height int, deviation float64) {
	reach := int(math.Ceil(2.5 * deviation))
	if reach < 1 || width <= 0 || height <= 0 {
		return
	}
	weights := make([]float32, reach+1)
	total := float32(0)
	for i := range weights {
		weights[i] = float32(math.Exp(-float64(i*i) / (2 * deviation * deviation)))
		total += weights[i]
		if i > 0 {
			total += weights[i]
		}
	}
	for i := range weights {
		weights[i] /= total
	}
	for y := range height {
		from, to := plane[y*width:][:width], work[y*width:][:width]
		for x := range to {
			sum := weights[0] * from[x]
			if x >= reach && x < width-reach {
				for i := 1; i <= reach; i++ {
					sum += weights[i] * (from[x-i] + from[x+i])
				}
			} else {
				for i := 1; i <= reach; i++ {
					sum += weights[i] * (from[max(x-i, 0)] + from[min(x+i, width-1)])
				}
			}
			to[x] = sum
		}
	}
	for y := range height {
		to, from := plane[y*width:][:width], work[y*width:][:width]
		for x := range to {
			to[x] = weights[0] * from[x]
		}
		for i := 1; i <= reach; i++ {
			above, below := work[max(y-i, 0)*width:][:width], work[min(y+i, height-1)*width:][:width]
			w := weights[i]
			for x := range to {
				to[x] += w * (above[x] + below[x])
			}
		}
	}
}
