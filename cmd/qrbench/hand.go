package main

import (
	"math"
	"math/rand/v2"
)

// A hand brings a phone to where it is held, and holds it as hands do: it sways about once
// a second, and trembles at 7 to 11 Hz (physiological tremor).
type hand struct {
	x, y, distance    float64 // of the code's middle when it is held: pixels from the frame's middle, millimetres
	turn, pitch, yaw  float64 // radians
	fromX, fromY      float64 // where it comes from, pixels from where it is held
	fromFar           float64 // how much further away it is at first, as a share
	fromTurn, fromYaw float64
	arrives           float64 // seconds until it is there
	nears             float64 // seconds until it is as near as it will come
	sways, trembles   [4]wave // of x, y, turn and distance
	middleX, middleY  float64 // of the code on the phone, millimetres
}

// A wave swings about zero.
type wave struct{ size, rate, phase float64 }

func (w wave) at(t float64) float64 { return w.size * math.Sin(2*math.Pi*w.rate*t+w.phase) }

func newHand(c area, l look, random *rand.Rand) hand {
	between := func(a, b float64) float64 { return span{a, b}.draw(random) }
	const most = 560.0 // pixels that a code may take: the frame is 720 high
	side := math.Min(l.pixels.draw(random)*float64(c.modules), most)
	h := hand{
		distance: focal * c.side / side,
		turn:     clamp(random.NormFloat64()*l.turn, -3*l.turn, 3*l.turn),
		pitch:    between(-l.tilt, l.tilt), yaw: between(-l.tilt, l.tilt),
		fromFar: between(0.15, 0.7), fromTurn: between(-0.5, 0.5), fromYaw: between(-0.4, 0.4),
		arrives: l.coming.draw(random),
		middleX: c.x + c.side/2, middleY: c.y + c.side/2,
	}
	h.nears = h.arrives * between(1, 1.8)
	if l.turn > 0.1 && random.Float64() < 0.1 {
		h.turn += math.Pi / 2 * float64(1+random.IntN(3)) // a phone held across, or to the wrong side
	}
	sway, tremor := l.sway.draw(random), l.tremor.draw(random)
	for i, share := range [4]float64{1, 1, 0.002, 0.001} { // pixels, pixels, radians, share of the distance
		h.sways[i] = wave{sway * share * between(0.6, 1.4), between(0.5, 1.3), between(0, 7)}
		h.trembles[i] = wave{tremor * share * between(0.6, 1.4), between(7, 11), between(0, 7)}
	}
	// Held where the whole code is in view, whatever the sway.
	reach := side*(math.Abs(math.Cos(h.turn))+math.Abs(math.Sin(h.turn)))/2*1.08 + 2*sway + 8
	h.x = clamp(between(-0.3, 0.3)*frameWidth, -math.Max(frameWidth/2-reach, 0), math.Max(frameWidth/2-reach, 0))
	h.y = clamp(between(-0.2, 0.2)*frameHeight, -math.Max(frameHeight/2-reach, 0), math.Max(frameHeight/2-reach, 0))
	// From below mostly, else from a side; far enough to be out of view.
	out := side * 0.6
	switch random.IntN(4) {
	case 0:
		h.fromX = -(frameWidth/2 + h.x + out)
	case 1:
		h.fromX = frameWidth/2 - h.x + out
	default:
		h.fromY, h.fromX = frameHeight/2-h.y+out, between(-200, 200)
	}
	return h
}

// pose is how the phone is held at a time in seconds.
func (h hand) pose(t float64) pose {
	// Fast at first, then slower and slower.
	left := func(until float64) float64 { return math.Pow(1-clamp(t/until, 0, 1), 2) }
	coming, nearing := left(h.arrives), left(h.nears)
	at := func(i int) float64 { return h.sways[i].at(t) + h.trembles[i].at(t) }
	return pose{
		x: frameWidth/2 + h.x + coming*h.fromX + at(0), y: frameHeight/2 + h.y + coming*h.fromY + at(1),
		distance: h.distance * (1 + nearing*h.fromFar + at(3)),
		turn:     h.turn + nearing*h.fromTurn + at(2), pitch: h.pitch, yaw: h.yaw + nearing*h.fromYaw,
		middleX: h.middleX, middleY: h.middleY,
	}
}

// A pose is a plane before the camera: where its middle is seen, how far away, how turned.
type pose struct {
	x, y, distance   float64
	turn, pitch, yaw float64
	middleX, middleY float64 // the point of the plane that is seen at x, y; millimetres
}

// A mapping takes points of one plane to another: row-major, projective.
type mapping [9]float64

// onto maps the phone's plane into the frame, as a pinhole camera does.
func (o pose) onto() mapping {
	sp, cp := math.Sincos(o.pitch)
	sy, cy := math.Sincos(o.yaw)
	st, ct := math.Sincos(o.turn)
	// Columns of the rotation: turned in its plane, then pitched, then yawed.
	ux, uy, uz := cy*ct+sy*sp*st, cp*st, -sy*ct+cy*sp*st
	vx, vy, vz := -cy*st+sy*sp*ct, cp*ct, sy*st+cy*sp*ct
	// The middle lies on the ray through x, y.
	mx, my := (o.x-frameWidth/2)/focal*o.distance, (o.y-frameHeight/2)/focal*o.distance
	tx, ty, tz := mx-ux*o.middleX-vx*o.middleY, my-uy*o.middleX-vy*o.middleY, o.distance-uz*o.middleX-vz*o.middleY
	const cx, cyy = frameWidth / 2, frameHeight / 2
	return mapping{
		focal*ux + cx*uz, focal*vx + cx*vz, focal*tx + cx*tz,
		focal*uy + cyy*uz, focal*vy + cyy*vz, focal*ty + cyy*tz,
		uz, vz, tz,
	}
}

// point maps one point. Not ok is one behind the camera.
func (m mapping) point(x, y float64) (u, v float64, ok bool) {
	w := m[6]*x + m[7]*y + m[8]
	if w <= 0 {
		return 0, 0, false
	}
	return (m[0]*x + m[1]*y + m[2]) / w, (m[3]*x + m[4]*y + m[5]) / w, true
}

// inverse up to a factor, which cancels: the adjugate.
func (m mapping) inverse() mapping {
	return mapping{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}
