package qr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestEveryVersionAndLevelIsRead(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var r Reader
	for v := 1; v <= 40; v++ {
		level := ecLevel(v % 4)
		capacity := (len(newLayout(v).order)/8 - int(eccPerBlock[level][v])*int(blockCount[level][v]))
		want := randomText(rnd, capacity*5/4) // 11 bits for two characters, less than the header
		s := encode(t, want, level, v)
		side := (s.dim + 12) * 9 / 2
		img := blank(side, side, 128)
		draw(img, s, pose{x: float64(side) / 2, y: float64(side) / 2, module: 3, turn: float64(v) * 0.01})
		got := r.Read(img)
		if len(got) != 1 || got[0].Value != want || got[0].Version != v || got[0].Level != level.String() {
			t.Errorf("version %d-%v: got %d texts, want one of %d characters", v, level, len(got), len(want))
		}
	}
}

func TestACodeIsReadHoweverItIsHeld(t *testing.T) {
	const want = "HC1:THE QUICK BROWN FOX"
	s := encode(t, want, levelM, 0)
	var r Reader
	for _, c := range []struct {
		name string
		pose pose
	}{
		{"upright", pose{module: 4}},
		{"small", pose{module: 2.2}},
		{"large", pose{module: 14}},
		{"a quarter turn", pose{module: 4, turn: math.Pi / 2}},
		{"upside down", pose{module: 4, turn: math.Pi}},
		{"on a corner", pose{module: 4, turn: math.Pi / 4}},
		{"slanted", pose{module: 5, slant: 0.2}},
		{"slanted and turned", pose{module: 5, slant: 0.15, turn: 0.6}},
		{"mirrored", pose{module: 4, mirrored: true}},
		{"inverted", pose{module: 4, inverted: true}},
		{"mirrored, inverted, turned", pose{module: 4, mirrored: true, inverted: true, turn: 2}},
	} {
		img := blank(640, 480, 128)
		c.pose.x, c.pose.y = 320, 240
		draw(img, s, c.pose)
		got := r.Read(img)
		if len(got) != 1 || got[0].Value != want {
			t.Errorf("%s: got %q, want %q", c.name, values(got), want)
			continue
		}
		if got[0].Mirrored != c.pose.mirrored || got[0].Inverted != c.pose.inverted {
			t.Errorf("%s: mirrored %v inverted %v", c.name, got[0].Mirrored, got[0].Inverted)
		}
	}
}

func TestCornersAreTheSymbolsOwn(t *testing.T) {
	s := encode(t, "CORNERS", levelM, 0)
	img := blank(640, 480, 128)
	draw(img, s, pose{x: 300, y: 200, module: 5, turn: math.Pi / 2})
	var r Reader
	got := r.Read(img)
	if len(got) != 1 {
		t.Fatalf("got %d texts, want 1", len(got))
	}
	h := float64(s.dim) / 2 * 5
	for i, want := range [4]Point{{300 + h, 200 - h}, {300 + h, 200 + h}, {300 - h, 200 + h}, {300 - h, 200 - h}} {
		if c := got[0].Corners[i]; math.Hypot(c.X-want.X, c.Y-want.Y) > 0.5 {
			t.Errorf("corner %d: got %.2f, want %.2f", i, c, want)
		}
	}
}

func TestSeveralCodesAreReadFromLeftToRight(t *testing.T) {
	img := blank(900, 360, 128)
	var want []string
	for i := range 4 {
		want = append(want, fmt.Sprintf("CODE %d", i))
		draw(img, encode(t, want[i], levelM, 0), pose{x: 120 + 220*float64(i), y: 180, module: 4, turn: float64(i) * 0.3, inverted: i == 2})
	}
	var r Reader
	if got := values(r.Read(img)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWidthsThatAreNoMultipleOfAWordAreRead(t *testing.T) {
	s := encode(t, "ODD", levelL, 0)
	var r Reader
	for w := 130; w < 260; w += 13 {
		for _, pad := range []int{0, 5} {
			img := Luma{Pix: make([]byte, (w+pad)*131-pad), Width: w, Height: 131, Stride: w + pad}
			draw(img, s, pose{x: 65, y: 65, module: 3.5})
			if got := values(r.Read(img)); !slices.Equal(got, []string{"ODD"}) {
				t.Errorf("width %d, stride %d: got %q", w, img.Stride, got)
			}
		}
	}
}

func TestACodeOfAPixelAModuleWithoutMarginIsRead(t *testing.T) {
	const want = "SCREENSHOT"
	s := encode(t, want, levelM, 3)
	img := blank(s.dim, s.dim, 255)
	for i, dark := range s.dark {
		if dark {
			img.Pix[i] = 0
		}
	}
	var r Reader
	if got := values(r.Read(img)); !slices.Equal(got, []string{want}) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestACodeWithOneFinderHiddenIsRead(t *testing.T) {
	const want = "THE THIRD FINDER IS UNDER A REFLECTION"
	s := encode(t, want, levelQ, 0)
	for corner := range 3 {
		img := blank(640, 480, 128)
		draw(img, s, pose{x: 320, y: 240, module: 4, turn: 0.2})
		u, v := float64(4-s.dim/2), float64(4-s.dim/2) // of the top left finder, from the middle
		if corner == 1 {
			u = -u
		}
		if corner == 2 {
			v = -v
		}
		sin, cos := math.Sincos(0.2)
		cx, cy := 320+4*(u*cos-v*sin), 240+4*(u*sin+v*cos)
		for y := range 480 {
			for x := range 640 {
				if d := math.Hypot(float64(x)-cx-6, float64(y)-cy); d < 9 {
					img.Pix[y*640+x] = 250
				}
			}
		}
		var r Reader
		if got := values(r.Read(img)); !slices.Equal(got, []string{want}) {
			t.Errorf("corner %d: got %q", corner, got)
		}
	}
}

func TestDamagedFramesNeverBreakTheReader(t *testing.T) {
	rnd := rand.New(rand.NewPCG(20, 20))
	var r Reader
	for k := range 150 {
		w, h := 60+rnd.IntN(300), 60+rnd.IntN(300)
		img := blank(w, h, byte(rnd.IntN(256)))
		for range 1 + rnd.IntN(3) {
			s := encode(t, randomText(rnd, 1+rnd.IntN(60)), levelL, 0)
			draw(img, s, pose{x: rnd.Float64() * float64(w), y: rnd.Float64() * float64(h), module: 0.5 + 6*rnd.Float64(),
				turn: 7 * rnd.Float64(), slant: rnd.Float64(), inverted: k%3 == 0})
		}
		for range rnd.IntN(20) { // scratches
			x, y := rnd.IntN(w), rnd.IntN(h)
			for i := range min(w-x, h-y) {
				img.Pix[(y+i)*w+x+i] = byte(rnd.IntN(256))
			}
		}
		noise(img, 30*rnd.Float64(), rnd)
		r.Read(img)
		if r.Panics != 0 {
			t.Fatalf("frame %d broke the reader", k)
		}
	}
}

func TestAFrameWithoutACodeAllocatesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	img := blank(640, 480, 90)
	noise(img, 20, rnd)
	for y := range 200 { // stripes that look like patterns now and then
		for x := range 300 {
			if x*(y/9+3)/17%2 == 0 {
				img.Pix[y*640+x] = 220
			}
		}
	}
	var r Reader
	r.Read(img)
	if n := testing.AllocsPerRun(5, func() { r.Read(img) }); n != 0 {
		t.Errorf("got %v allocations a frame, want 0", n)
	}
}

func TestBrokenPicturesHaveNoText(t *testing.T) {
	var r Reader
	for _, img := range []Luma{
		{},
		{Pix: make([]byte, 1), Width: 1, Height: 1, Stride: 1},
		{Pix: make([]byte, 99), Width: 100, Height: 100, Stride: 100},
		{Pix: make([]byte, 100*100), Width: 100, Height: 100, Stride: 50},
		{Pix: make([]byte, 100*100), Width: -100, Height: -100, Stride: 100},
		{Pix: make([]byte, 100*100), Width: 1 << 30, Height: 1 << 30, Stride: 1 << 30},
		{Pix: make([]byte, 100*100), Width: 100, Height: 101, Stride: 100},
		{Pix: make([]byte, 24*24), Width: 24, Height: 24, Stride: 24},
		blank(3000, 24, 0),
		blank(24, 3000, 255),
	} {
		if got := r.Read(img); len(got) != 0 || r.Panics != 0 {
			t.Errorf("%dx%d: got %d texts, %d panics", img.Width, img.Height, len(got), r.Panics)
		}
	}
}

// The work on a frame is bounded whatever it shows.
func TestThousandsOfSquaresMeetTheBudget(t *testing.T) {
	squares := blank(1280, 720, 255)
	for y := range 720 {
		for x := range 1280 {
			u, v := x%18/2-4, y%18/2-4
			if r := max(u, -u, v, -v); r < 2 || r == 3 {
				squares.Pix[y*1280+x] = 0
			}
		}
	}
	chess := blank(1280, 720, 255)
	for i := range chess.Pix {
		if (i%1280/5+i/1280/5)%2 == 0 {
			chess.Pix[i] = 0
		}
	}
	rough := blank(1280, 720, 128)
	noise(rough, 60, rand.New(rand.NewPCG(3, 3)))
	var r Reader
	for name, img := range map[string]Luma{"squares": squares, "chessboard": chess, "noise": rough} {
		if got := r.Read(img); len(got) != 0 {
			t.Errorf("%s: got %q", name, values(got))
		}
		if r.search < 0 || r.work < 0 || len(r.finders) > maxFinders || len(r.triples) > maxTriples {
			t.Errorf("%s: budgets %d and %d left, %d finders, %d triples", name, r.search, r.work, len(r.finders), len(r.triples))
		}
	}
}

func FuzzRead(f *testing.F) {
	s := encode(f, "FUZZ", levelL, 0)
	img := blank(90, 90, 128)
	draw(img, s, pose{x: 45, y: 45, module: 3})
	f.Add(uint16(90), uint16(90), uint16(90), img.Pix)
	f.Add(uint16(24), uint16(24), uint16(30), make([]byte, 720))
	var r Reader
	f.Fuzz(func(t *testing.T, w, h, stride uint16, pix []byte) {
		r.Read(Luma{Pix: pix, Width: int(w), Height: int(h), Stride: int(stride)})
		if r.Panics != 0 {
			t.Fatal("the reader panicked")
		}
	})
}
