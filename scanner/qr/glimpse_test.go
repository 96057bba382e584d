package qr

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestACodeThatIsSeenAndNotResolvedHasItsHint(t *testing.T) {
	rnd := rand.New(rand.NewPCG(51, 51))
	for _, c := range []struct {
		name   string
		length int
		module float64
		blur   float64
		turn   float64
		want   Hint
	}{
		{"far", 150, 1.3, 1, 0, HintTooFar},
		{"far and turned", 150, 1.6, 1.3, 0.4, HintTooFar},
		{"far, many modules", 500, 1, 0.7, 0.2, HintTooFar},
		{"farther than a patch is told", 150, 0.6, 0.5, 0, HintNone},
		{"out of focus", 150, 4, 4, 0, HintBlurred},
		{"out of focus and turned", 150, 4, 8, 0.4, HintBlurred},
		{"out of focus, near", 150, 6, 10, 0.7, HintBlurred},
		{"out of focus, many modules", 500, 2.5, 3, 0.3, HintBlurred},
		{"out of focus, many modules, near", 500, 6, 8, 1, HintBlurred},
	} {
		img := blank(960, 720, 128)
		draw(img, encode(t, randomText(rnd, c.length), levelL, 0), pose{x: 500, y: 370, module: c.module, turn: c.turn})
		blur(img, c.blur)
		noise(img, 3, rnd)
		var r Reader
		if n := len(r.Read(img)); n > 0 {
			t.Errorf("%s: it was read", c.name)
		}
		if got := r.Hint(); got != c.want {
			t.Errorf("%s: got hint %q, want %q", c.name, got, c.want)
		}
	}
}

// paint fills the places of a square card that fn gives a grey, 0 to 1, and
// blurs the picture.
func paint(side, deviation float64, rnd *rand.Rand, fn func(u, v float64) float64) Luma {
	img := blank(560, 480, 110)
	for y := range img.Height {
		for x := range img.Width {
			u, v := (float64(x)-280)/side+0.5, (float64(y)-240)/side+0.5
			if u >= -0.15 && v >= -0.15 && u < 1.15 && v < 1.15 {
				grey := 1.0
				if u >= 0 && v >= 0 && u < 1 && v < 1 {
					grey = fn(u, v)
				}
				img.Pix[y*img.Stride+x] = byte(30 + 190*grey)
			}
		}
	}
	if deviation > 0 {
		blur(img, deviation)
	}
	noise(img, 3, rnd)
	return img
}

// Each lies on a bright card as a code does, in many sizes, sharp and blurred.
func TestWhatIsNoCodeHasNoHint(t *testing.T) {
	rnd := rand.New(rand.NewPCG(52, 52))
	words := make([]bool, 64*64) // lines of words, with space between the lines
	for i := range words {
		if words[i] = i/64%2 == 0 && rnd.IntN(5) > 0; i%64 > 0 && !words[i-1] {
			words[i] = i/64%2 == 0
		}
	}
	dark := func(is bool) float64 {
		if is {
			return 0
		}
		return 1
	}
	for _, c := range []struct {
		name  string
		fn    func(u, v float64) float64
		pitch float64 // of the lines of text
	}{
		{"chessboard", func(u, v float64) float64 { return dark(int(u*8)%2 != int(v*8)%2) }, 0},
		{"fine chequers", func(u, v float64) float64 { return dark(int(u*24)%2 != int(v*24)%2) }, 0},
		{"stripes", func(u, v float64) float64 { return dark(int(u*16)%2 == 0) }, 0},
		{"slanted stripes", func(u, v float64) float64 { return dark(int((u+v)*12)%2 == 0) }, 0},
		{"a page of text", func(u, v float64) float64 { return dark(words[int(v*40)*64+int(u*60)]) }, 1.0 / 20},
		{"large text", func(u, v float64) float64 { return dark(words[int(v*12)*64+int(u*20)]) }, 1.0 / 6},
		{"a grey square", func(u, v float64) float64 { return 0.45 }, 0},
		{"shading", func(u, v float64) float64 { return 0.2 + 0.5*u*v }, 0},
		{"a face", func(u, v float64) float64 {
			blob := func(x, y, w, h float64) float64 { return math.Exp(-((u-x)*(u-x)/w/w + (v-y)*(v-y)/h/h)) }
			return 0.35 + 0.4*blob(0.5, 0.55, 0.35, 0.45) - 0.3*(blob(0.33, 0.45, 0.07, 0.04)+blob(0.67, 0.45, 0.07, 0.04)+blob(0.5, 0.78, 0.15, 0.04))
		}, 0},
		{"a hand", func(u, v float64) float64 {
			finger := v < 0.55 && math.Mod(u*4, 1) < 0.75 && u < 1
			return 1 - 0.45*(1-dark(finger || v >= 0.55))*(0.8+0.2*u)
		}, 0},
	} {
		for _, side := range []float64{60, 100, 160, 250, 350} {
			for _, deviation := range []float64{0, 1, 3, 6} {
				if c.pitch > 0 && deviation*3 > c.pitch*side {
					continue // nothing can tell its lines any more
				}
				var r Reader
				r.Read(paint(side, deviation, rnd, c.fn))
				if got := r.Hint(); got != HintNone {
					t.Errorf("%s of %.0f pixels, blur %.0f: got hint %q", c.name, side, deviation, got)
				}
			}
		}
	}
}

func TestWhatHangsOnTheWallHasNoHintForLong(t *testing.T) {
	rnd := rand.New(rand.NewPCG(53, 53))
	img := blank(640, 480, 128)
	draw(img, encode(t, randomText(rnd, 150), levelL, 0), pose{x: 300, y: 200, module: 4})
	blur(img, 5)
	var r Reader
	told := 0
	for range 4 * movingHeld {
		r.Read(img)
		if r.Hint() != HintNone {
			told++
		}
	}
	if told == 0 || told > movingHeld+glimpseEvery {
		t.Errorf("hints in %d frames, want some and no more than %d", told, movingHeld+glimpseEvery)
	}
}

func TestACodeThatIsBroughtHasItsHintAndOneThatGoesHasNoneLeft(t *testing.T) {
	rnd := rand.New(rand.NewPCG(54, 54))
	s := encode(t, randomText(rnd, 150), levelL, 0)
	var r Reader
	frame := func(with bool) Hint {
		img := blank(640, 480, 128)
		if with {
			draw(img, s, pose{x: 300, y: 200, module: 3})
			blur(img, 4)
		}
		r.Read(img)
		return r.Hint()
	}
	for range 2 * movingHeld {
		frame(false)
	}
	got := HintNone
	for range glimpseEvery {
		got = frame(true)
	}
	if got != HintBlurred {
		t.Errorf("brought: got hint %q, want %q", got, HintBlurred)
	}
	for range glimpseEvery {
		got = frame(false)
	}
	if got != HintNone {
		t.Errorf("gone: got hint %q", got)
	}
}

func TestPatchesAreJoinedAcrossRows(t *testing.T) {
	img := blank(96, 96, 220)
	for y := 20; y < 60; y++ { // a U: one patch, joined only at its foot
		for x := 20; x < 60; x++ {
			if x < 30 || x >= 50 || y >= 50 {
				img.Pix[y*96+x] = 40
			}
		}
	}
	img.Pix[35*96+40] = 40 // within the U, and not of it
	var r Reader
	r.pyramid(img)
	r.levels[0].binarize(false)
	var p patcher
	if !p.find(&r.levels[0]) || len(p.patches) != 2 {
		t.Fatalf("got %d patches, want 2", len(p.patches))
	}
	q := p.patches[0]
	if q.area != 2*30*10+40*10 || q.x0 != 20 || q.x1 != 60 || q.y0 != 20 || q.y1 != 60 {
		t.Errorf("got %+v", q)
	}
}

func BenchmarkLook(b *testing.B) {
	rnd := rand.New(rand.NewPCG(55, 55))
	img := blank(1280, 720, 128)
	draw(img, encode(b, randomText(rnd, 150), levelL, 0), pose{x: 640, y: 360, module: 4})
	blur(img, 5)
	var r Reader
	r.Read(img)
	for b.Loop() {
		r.glimpse.age, r.motion.fresh = 0, 1
		r.look()
	}
}
