package camera

import (
	"math"
	"math/rand/v2"
	"time"

	"gatehouse/scanner/qr"
)

// A scene draws what a gate's camera sees, in the order of the light: a room, phones in
// it, a reflection on them, the exposure, the noise of the sensor. What does not depend on
// the moment is made once, since frames are drawn live.
type scene struct {
	width, height int
	seed          uint64
	people        script

	room  []byte // the picture without anybody
	quiet []int8 // noise of the sensor
	loud  []int8 // the same in the dark

	phones []*phone // of the person who was drawn last
	drawn  look     // what phones shows
}

// A look is what the phones of a person must be drawn anew for.
type look struct {
	who   int
	blurs int
}

// Noise comes from a table that each row begins to read at another place: drawing it anew
// for each pixel would cost more than everything else.
const (
	noiseSize  = 1 << 16
	quietNoise = 2.8 // standard deviation, in steps of 256
	loudNoise  = 4.8
)

func newScene(width, height int, seed uint64, people script) *scene {
	s := &scene{width: width, height: height, seed: seed, people: people, drawn: look{who: -1}}
	random := rand.New(rand.NewPCG(seed, 1))
	s.room = room(width, height, random)
	s.quiet, s.loud = make([]int8, noiseSize+width), make([]int8, noiseSize+width)
	for i := range s.quiet {
		z := random.NormFloat64()
		s.quiet[i], s.loud[i] = int8(math.Round(z*quietNoise)), int8(math.Round(z*loudNoise))
	}
	return s
}

// draw fills pix with frame n, taken at a time since the start.
func (s *scene) draw(pix []byte, at time.Duration, n uint64) error {
	copy(pix, s.room)
	exposure, noise := 1.0, s.quiet
	if who, since, ok := s.people.at(at); ok {
		p := s.people[who]
		part := float64(since) / float64(p.show())
		if err := s.meet(who, p, part); err != nil {
			return err
		}
		var held pose
		for i, ph := range s.phones {
			held = s.pose(who, i, p, since)
			ph.draw(pix, s.width, s.height, held)
		}
		switch p.Effect {
		case glare:
			s.shine(pix, held, part)
		case dark:
			exposure, noise = 0.3+0.15*part, s.loud
		}
	}
	s.expose(pix, exposure, noise, n)
	return nil
}

// meet makes the phones of a person, unless they were made for the frame before.
func (s *scene) meet(who int, p person, part float64) error {
	want := look{who: who, blurs: 1}
	if p.Effect == blur {
		want.blurs = max(1, 10-int(part*18)) // sharp from the middle on
	}
	if want == s.drawn {
		return nil
	}
	count := max(1, len(p.Texts))
	if s.drawn.who != who {
		s.phones = s.phones[:0]
		s.drawn.who = -1
		// Near enough to fill the frame, as people hold their phones up.
		side := min(0.75*float64(s.height), float64(s.width)/(1.16*float64(count)))
		for i := range count {
			random := rand.New(rand.NewPCG(s.seed, uint64(2+2*who+i)))
			ph, err := newPhone(int(side), p.Texts[min(i, len(p.Texts)):], random)
			if err != nil {
				return err
			}
			s.phones = append(s.phones, ph)
		}
	}
	for _, ph := range s.phones {
		ph.soften(want.blurs)
	}
	s.drawn = want
	return nil
}

// pose holds a phone into the frame: in from one side, then swaying as a hand does.
func (s *scene) pose(who, i int, p person, since time.Duration) pose {
	random := rand.New(rand.NewPCG(s.seed^0x9e3779b97f4a7c15, uint64(2*who+i)))
	between := func(a, b float64) float64 { return a + (b-a)*random.Float64() }
	t := since.Seconds()
	part := float64(since) / float64(p.show())
	w, h := float64(s.width), float64(s.height)

	o := pose{
		x: w / 2, y: h/2 + between(-0.04, 0.04)*h, scale: 1, distance: 2.4 * h,
		turn: between(-0.08, 0.08), pitch: between(-0.1, 0.1), yaw: between(-0.1, 0.1),
	}
	if len(p.Texts) == 2 {
		o.x = w * (1 + 2*float64(i)) / 4
	} else {
		o.x += between(-0.1, 0.1) * w
	}
	// From the side in a third of a second, slowing down.
	coming := math.Pow(1-math.Min(t/0.35, 1), 2)
	if o.x < w/2 {
		coming = -coming
	}
	o.x += coming*w + 0.005*w*math.Sin(3.7*t+between(0, 6))
	o.y += 0.006 * h * math.Sin(2.9*t+between(0, 6))
	o.turn += 0.01 * math.Sin(2.3*t)

	late := math.Max(0, 1-part/0.6) // 1 at first, 0 when it has been put right
	switch p.Effect {
	case tilt:
		o.pitch, o.yaw, o.turn = 0.22+0.5*late, -0.2-0.4*late, o.turn+0.3*late
	case far:
		o.scale = 0.95 - 0.55*late
	}
	return o
}

// shine lays a lamp's reflection over a phone. It wanders off when the phone is turned.
func (s *scene) shine(pix []byte, held pose, part float64) {
	w, h := float64(s.width), float64(s.height)
	cx, cy := held.x+w*math.Max(0, part-0.25), held.y-0.05*h
	rx, ry := 0.22*h, 0.15*h
	for y := max(0, int(cy-ry)); y < min(s.height, int(cy+ry)); y++ {
		dy := (float64(y) - cy) / ry
		row := pix[y*s.width:][:s.width]
		for x := max(0, int(cx-rx)); x < min(s.width, int(cx+rx)); x++ {
			dx := (float64(x) - cx) / rx
			if far := 1 - dx*dx - dy*dy; far > 0 {
				row[x] = sum(row[x], byte(min(520*far*far, 255)))
			}
		}
	}
}

// expose is the sensor: how much light it had, and its noise.
func (s *scene) expose(pix []byte, exposure float64, noise []int8, n uint64) {
	const margin = 128 // of the noise, below black and above white
	var tone [256]uint16
	for v := range tone {
		tone[v] = margin + uint16(exposure*float64(v)+12*(1-exposure))
	}
	var clamp [512]byte
	for v := range clamp {
		clamp[v] = byte(min(max(v-margin, 0), 255))
	}
	random := rand.New(rand.NewPCG(s.seed, n<<16|1))
	for y := range s.height {
		row := pix[y*s.width:][:s.width]
		grain := noise[random.Uint32()%noiseSize:][:len(row)]
		for x, v := range row {
			row[x] = clamp[(int(tone[v])+int(grain[x]))&511]
		}
	}
}

// room is a wall with a soft light, furniture and a grating: edges that are no code.
func room(width, height int, random *rand.Rand) []byte {
	pix := make([]byte, width*height)
	base := 60 + 70*random.Float64()
	slopeX, slopeY := 60*(random.Float64()-0.5), 60*(random.Float64()-0.5)
	for y := range height {
		for x := range width {
			light := base + slopeX*float64(x)/float64(width) + slopeY*float64(y)/float64(height)
			pix[y*width+x] = byte(light)
		}
	}
	for range 14 {
		w, h := 1+random.IntN(width/3), 1+random.IntN(height/3)
		fill(pix, width, height, random.IntN(width), random.IntN(height), w, h, byte(20+random.IntN(190)))
	}
	x, y := random.IntN(width), random.IntN(height)
	for bar := range 8 {
		fill(pix, width, height, x+bar*14, y, 7, height/4, 25)
	}
	return pix
}

// fill paints a rectangle as far as it lies in the picture.
func fill(pix []byte, width, height, x, y, w, h int, v byte) {
	for row := max(y, 0); row < min(y+h, height); row++ {
		for col := max(x, 0); col < min(x+w, width); col++ {
			pix[row*width+col] = v
		}
	}
}

// encode makes the code of a text: as robust as it can be without its modules becoming too
// small for the camera.
func encode(text string) (qr.Matrix, error) {
	const dense = 89 // modules of version 18
	m, err := qr.Encode(text, qr.M)
	if err == nil && m.Size() <= dense {
		return m, nil
	}
	return qr.Encode(text, qr.L)
}
