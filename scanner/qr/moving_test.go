package qr

import (
	"math"
	"math/rand/v2"
	"testing"
)

// seen gives a motion the frames one after the other and returns what it says of
// the last.
func seen(frames ...Luma) (area, bool) {
	var r Reader
	var at area
	ok := false
	for _, f := range frames {
		n := r.pyramid(f)
		r.levels[0].binarize(false)
		at, ok = r.motion.see(&r.levels[0], &r.levels[min(n-1, movingLevel)])
	}
	return at, ok
}

func TestWhatMovesIsLookedAt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(41, 41))
	s := encode(t, randomText(rnd, 300), levelL, 0)
	with := func(x, y float64) Luma {
		img := blank(900, 600, 128)
		draw(img, s, pose{x: 700, y: 400, module: 3}) // another one, that stands still
		if x > 0 {
			draw(img, s, pose{x: x, y: y, module: 3})
		}
		noise(img, 3, rnd)
		return img
	}
	for _, c := range []struct {
		name   string
		frames []Luma
		want   bool
	}{
		{"comes into view", []Luma{with(0, 0), with(250, 250), with(260, 256)}, true},
		{"came and is held", []Luma{with(250, 250), with(256, 255), with(256, 255), with(256, 255)}, true},
		{"nothing moves", []Luma{with(0, 0), with(0, 0), with(0, 0)}, false},
		{"a frame that comes alone", []Luma{with(250, 250)}, false},
		{"another picture", []Luma{with(250, 250), blank(900, 600, 30)}, false},
	} {
		at, ok := seen(c.frames...)
		if ok != c.want {
			t.Errorf("%s: got %v, want %v", c.name, ok, c.want)
			continue
		}
		if x, y := at.x+at.side/2, at.y+at.side/2; ok && math.Hypot(x-256, y-255) > 60 {
			t.Errorf("%s: the middle is %.0f,%.0f, want 256,255", c.name, x, y)
		}
	}
}

func TestSharpeningIsTwiceTheDifferenceFromTheMean(t *testing.T) {
	rnd := rand.New(rand.NewPCG(42, 42))
	src := Luma{Pix: make([]byte, 45*30), Width: 40, Height: 30, Stride: 45}
	for i := range src.Pix {
		src.Pix[i] = byte(100 + rnd.IntN(40))
	}
	got, _ := sharpen(src, nil)
	at := func(x, y int) int { return int(src.Pix[y*src.Stride+x]) }
	for y := 1; y < 29; y++ {
		for x := 1; x < 39; x++ {
			sum := 0
			for i := -1; i <= 1; i++ {
				for j := -1; j <= 1; j++ {
					sum += at(x+i, y+j) * (2 - max(i, -i)) * (2 - max(j, -j))
				}
			}
			want := min(max(3*float64(at(x, y))-float64(sum)/8, 0), 255)
			if g := float64(got.Pix[y*got.Width+x]); math.Abs(g-want) > 1 {
				t.Fatalf("pixel %d,%d: got %.0f, want %.1f", x, y, g, want)
			}
		}
	}
}

func TestAMeanThresholdIsTheMeanOfItsBlock(t *testing.T) {
	rnd := rand.New(rand.NewPCG(44, 44))
	var l level
	l.Luma, l.scale = blank(50, 40, 0), 1
	for i := range l.Pix {
		l.Pix[i] = byte(rnd.IntN(2) * 255)
	}
	l.binarize(true)
	for by := range l.bh {
		for bx := range l.bw {
			sum := 0
			for y := min(by*8, 32); y < min(by*8, 32)+8; y++ {
				for x := min(bx*8, 42); x < min(bx*8, 42)+8; x++ {
					sum += int(l.Pix[y*50+x])
				}
			}
			if got := int(l.raw[by*l.bw+bx]); got != sum/64 {
				t.Errorf("block %d,%d: got %d, want %d", bx, by, got, sum/64)
			}
		}
	}
}

func TestOnlyWhatIsFullOfEdgesBothWaysMayBeACode(t *testing.T) {
	rnd := rand.New(rand.NewPCG(43, 43))
	s := encode(t, randomText(rnd, 300), levelL, 0)
	paper := func(fn func(x, y int) bool) Luma {
		img := blank(900, 600, 200)
		for i := range img.Pix {
			if fn(i%900, i/900) {
				img.Pix[i] = 40
			}
		}
		return img
	}
	code := func(p pose) Luma {
		img := blank(900, 600, 128)
		draw(img, s, p)
		return img
	}
	words := make([]bool, 900)
	for i := range words {
		words[i] = rnd.IntN(5) > 0
	}
	for _, c := range []struct {
		name string
		img  Luma
		want bool
	}{
		{"a code", code(pose{x: 450, y: 300, module: 3}), true},
		{"a large code", code(pose{x: 450, y: 300, module: 5, turn: 0.3}), true},
		{"a code on the slant", code(pose{x: 450, y: 300, module: 4, turn: 0.78}), true},
		{"a wall", blank(900, 600, 90), false},
		{"stripes", paper(func(x, y int) bool { return x/5%2 == 0 }), false},
		{"lines of words", paper(func(x, y int) bool { return y%24 < 10 && words[(x/9+y/24*31)%900] }), false},
	} {
		noise(c.img, 2, rnd)
		for _, a := range []area{{x: 370, y: 220, side: 160}, {x: 365, y: 225, side: 153}, {x: 405, y: 240, side: 108}} {
			var r Reader
			r.pyramid(c.img)
			r.levels[0].binarize(false)
			if got := r.levels[0].busy(a); got != c.want {
				t.Errorf("%s at %.0f,%.0f: got %v, want %v", c.name, a.x, a.y, got, c.want)
			}
		}
	}
	var r Reader
	r.pyramid(code(pose{x: 820, y: 520, module: 4}))
	r.levels[0].binarize(false)
	r.levels[0].busy(area{x: 495, y: 195, side: 405}) // up to the last row and column
}
