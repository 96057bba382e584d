package qr

import (
	"math/rand/v2"
	"testing"
)

func TestAHintSaysWhyACodeWasNotRead(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 10))
	s := encode(t, randomText(rnd, 300), levelL, 0)
	glare := func(img Luma) {
		for y := range img.Height {
			for x := range img.Width {
				if dx, dy := x-320, y-250; dx*dx+dy*dy < 60*60 {
					img.Pix[y*img.Stride+x] = 255
				}
			}
		}
	}
	dim := func(img Luma) {
		glare(img)
		for i, v := range img.Pix {
			img.Pix[i] = v / 6
		}
	}
	for _, c := range []struct {
		name  string
		pose  pose
		spoil func(Luma)
		want  Hint
	}{
		{"read", pose{x: 320, y: 240, module: 5}, func(Luma) {}, HintNone},
		{"cut off on the right", pose{x: 560, y: 240, module: 5}, func(Luma) {}, HintCutOff},
		{"glare", pose{x: 320, y: 240, module: 5}, glare, HintGlare},
		{"dark", pose{x: 320, y: 240, module: 5}, dim, HintTooDark},
	} {
		img := blank(640, 480, 128)
		draw(img, s, c.pose)
		c.spoil(img)
		var r Reader
		texts := r.Read(img)
		if got := r.Hint(); got != c.want || (len(texts) > 0) != (c.want == HintNone) {
			t.Errorf("%s: got hint %q with %d texts, want %q", c.name, got, len(texts), c.want)
		}
	}
	var r Reader
	r.Read(blank(640, 480, 200))
	if got := r.Hint(); got != HintNone {
		t.Errorf("empty frame: got hint %q", got)
	}
}

// A symbol that was placed and not read has the hint of how it lies and looks.
func TestASymbolThatIsPlacedAndNotReadHasItsHint(t *testing.T) {
	rnd := rand.New(rand.NewPCG(46, 46))
	s := encode(t, randomText(rnd, 200), levelL, 0)
	same := func(v byte) byte { return v }
	for _, c := range []struct {
		name   string
		module float64 // pixels
		far    float64 // of a finder's module, as a share of the nearest's
		light  func(byte) byte
		shine  bool
		want   Hint
	}{
		{"nothing but blur is left", 4, 1, same, false, HintBlurred},
		{"small", 1.8, 1, same, false, HintTooFar},
		{"one side half as far as the other", 4, 0.5, same, false, HintTilted},
		{"dim", 4, 1, func(v byte) byte { return v / 6 }, false, HintTooDark},
		{"washed out", 4, 1, same, true, HintGlare},
		{"dim comes before washed out", 4, 1, func(v byte) byte { return v / 8 }, true, HintTooDark},
		{"tilted comes before small", 1.8, 0.5, same, false, HintTilted},
	} {
		img := blank(400, 400, 128)
		draw(img, s, pose{x: 200, y: 200, module: c.module})
		blur(img, c.module/3)
		for i, v := range img.Pix {
			if x, y := i%400-200, i/400-200; c.shine && float64(x*x+y*y) < 200*c.module*c.module {
				v = 255
			}
			img.Pix[i] = c.light(v)
		}
		var r Reader
		r.pyramid(img)
		r.levels[0].binarize(false)
		corner := 200 - c.module*float64(s.dim)/2
		r.place.dim = s.dim
		r.place.h = homography{c.module, 0, corner, 0, c.module, corner, 0, 0, 1}
		r.grid.sample(view{&r.levels[0]}, &r.place)
		r.grid.judge()
		r.weigh(&triple{a: &finder{module: c.module}, b: &finder{module: c.module}, c: &finder{module: c.module * c.far}})
		if r.Hint() != c.want {
			t.Errorf("%s: got hint %q, want %q", c.name, r.Hint(), c.want)
		}
	}
}
