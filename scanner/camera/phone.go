package camera

import (
	"math"
	"math/rand/v2"

	"gatehouse/scanner/qr"
)

// A phone is a picture of a screen with a code in its middle, about as large as it comes
// to lie in the frame.
type phone struct {
	width, height int
	sharp         []byte
	pix           []byte // sharp after the lens
	work          []byte
}

// newPhone draws a phone whose code, with its quiet zone, is side pixels wide. It shows the
// first of the texts, or none.
func newPhone(side int, texts []string, random *rand.Rand) (*phone, error) {
	border := side * 6 / 100
	p := &phone{width: side + 2*border, height: 2 * side}
	size := p.width * p.height
	p.sharp, p.pix, p.work = make([]byte, size), make([]byte, size), make([]byte, size)

	fill(p.sharp, p.width, p.height, 0, 0, p.width, p.height, 10) // the case
	edge := border / 2
	fill(p.sharp, p.width, p.height, edge, edge, p.width-2*edge, p.height-2*edge, 235)
	line := max(side/40, 2)
	for y := border; y < p.height-border; y += 2 * line {
		for x := border; x < p.width-border; {
			word := line + random.IntN(4*line)
			if random.IntN(5) > 0 {
				fill(p.sharp, p.width, p.height, x, y, min(word, p.width-border-x), line, byte(60+random.IntN(60)))
			}
			x += word + line
		}
	}
	if len(texts) == 0 {
		return p, nil
	}
	m, err := encode(texts[0])
	if err != nil {
		return nil, err
	}
	p.print(m, side, border, (p.height-side)/2)
	return p, nil
}

// print draws the code. A pixel that a module's edge goes through gets both their shares.
func (p *phone) print(m qr.Matrix, side, left, top int) {
	const light, black = 245, 12
	modules := float64(m.Size() + 2*qr.QuietZone)
	// share tells which modules a pixel lies on, and how much of it on the second.
	share := func(i int) (a, b int, second float64) {
		from, to := float64(i)*modules/float64(side), float64(i+1)*modules/float64(side)
		a, b = int(from), min(int(to), int(modules)-1)
		if a == b {
			return a - qr.QuietZone, a - qr.QuietZone, 0
		}
		return a - qr.QuietZone, b - qr.QuietZone, (to - float64(b)) / (to - from)
	}
	of := func(x, y int) float64 {
		if m.Dark(x, y) {
			return black
		}
		return light
	}
	for y := range side {
		y0, y1, down := share(y)
		row := p.sharp[(top+y)*p.width+left:][:side]
		for x := range row {
			x0, x1, right := share(x)
			v := of(x0, y0)
			if right > 0 || down > 0 {
				upper := of(x0, y0)*(1-right) + of(x1, y0)*right
				lower := of(x0, y1)*(1-right) + of(x1, y1)*right
				v = upper*(1-down) + lower*down
			}
			row[x] = byte(v)
		}
	}
}

// soften is the lens: passes of the binomial 1 2 1 both ways, each of a variance of half a
// pixel squared.
func (p *phone) soften(passes int) {
	copy(p.pix, p.sharp)
	for range passes {
		smooth(p.work, p.pix, 1)
		smooth(p.pix, p.work, p.width)
	}
}

// smooth takes 1 2 1 over neighbours that are step apart. The first and last step pixels
// stay as they are.
func smooth(to, from []byte, step int) {
	copy(to, from)
	if len(from) <= 2*step {
		return
	}
	before, here, after := from[:len(from)-2*step], from[step:len(from)-step], from[2*step:]
	to = to[step : len(to)-step]
	for i := range to {
		to[i] = byte((int(before[i]) + 2*int(here[i]) + int(after[i]) + 2) >> 2)
	}
}

// A pose is how a phone is held: the middle of its code in the frame, its size, and its
// turns in radians, in a frame seen from a distance in pixels.
type pose struct {
	x, y, scale, distance float64
	turn, pitch, yaw      float64
}

// A plane maps a plane onto another: row-major, projective.
type plane [9]float64

func (m plane) apply(x, y float64) (u, v, w float64) {
	return m[0]*x + m[1]*y + m[2], m[3]*x + m[4]*y + m[5], m[6]*x + m[7]*y + m[8]
}

// inverse up to a factor, which cancels in projective coordinates: the adjugate.
func (m plane) inverse() plane {
	return plane{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}

// onto maps the phone's picture, from its middle, into the frame: a pinhole camera that
// looks at a turned plane.
func (o pose) onto() plane {
	sx, cx := math.Sincos(o.pitch)
	sy, cy := math.Sincos(o.yaw)
	sz, cz := math.Sincos(o.turn)
	r00, r01 := cy*cz, -cy*sz
	r10, r11 := sx*sy*cz+cx*sz, -sx*sy*sz+cx*cz
	r20, r21 := -cx*sy*cz+sx*sz, cx*sy*sz+sx*cz
	f := o.distance
	return plane{
		f*o.scale*r00 + o.x*o.scale*r20, f*o.scale*r01 + o.x*o.scale*r21, f * o.x,
		f*o.scale*r10 + o.y*o.scale*r20, f*o.scale*r11 + o.y*o.scale*r21, f * o.y,
		o.scale * r20, o.scale * r21, f,
	}
}

// span is the number of pixels between two exact points of the mapping; in between it is
// taken for straight.
const span = 32

// draw lays the phone over the frame: for each pixel of its surroundings, where on the
// phone it lies, and what is there between four pixels.
func (p *phone) draw(pix []byte, width, height int, o pose) {
	onto := o.onto()
	left, top, right, bottom := float64(width), float64(height), 0.0, 0.0
	for _, c := range [4][2]float64{{-1, -1}, {1, -1}, {-1, 1}, {1, 1}} {
		u, v, w := onto.apply(c[0]*float64(p.width)/2, c[1]*float64(p.height)/2)
		if w <= 0 {
			return // behind the camera
		}
		left, right = math.Min(left, u/w), math.Max(right, u/w)
		top, bottom = math.Min(top, v/w), math.Max(bottom, v/w)
	}
	x0, x1 := max(0, int(left)), min(width, int(right)+1)
	back := onto.inverse()
	exact := func(x, y int) (int, int) { // in 16 bits of fraction
		u, v, w := back.apply(float64(x), float64(y))
		const one = 1 << 16
		return int((u/w + float64(p.width)/2) * one), int((v/w + float64(p.height)/2) * one)
	}
	for y := max(0, int(top)); y < min(height, int(bottom)+1); y++ {
		if x0 >= x1 {
			return
		}
		u, v := exact(x0, y)
		for x := x0; x < x1; x += span {
			nextU, nextV := exact(x+span, y)
			to := pix[y*width+x:][:min(span, x1-x)]
			p.sample(to, u, v, (nextU-u)/span, (nextV-v)/span)
			u, v = nextU, nextV
		}
	}
}

// sample fills a few pixels of a row from a straight line over the phone.
func (p *phone) sample(to []byte, u, v, du, dv int) {
	inX, inY := uint(p.width-1), uint(p.height-1)
	for i := range to {
		x, y := uint(u>>16), uint(v>>16)
		if x < inX && y < inY {
			at := int(y)*p.width + int(x)
			upper := p.pix[at : at+2 : at+2]
			lower := p.pix[at+p.width : at+p.width+2 : at+p.width+2]
			fx, fy := u>>8&255, v>>8&255
			a := int(upper[0])<<8 + fx*(int(upper[1])-int(upper[0]))
			b := int(lower[0])<<8 + fx*(int(lower[1])-int(lower[0]))
			to[i] = byte((a<<8 + fy*(b-a)) >> 16)
		}
		u, v = u+du, v+dv
	}
}
