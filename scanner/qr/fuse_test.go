package qr

import (
	"math/rand/v2"
	"testing"
)

// hold shows the code for so many frames, each a little farther on and with a
// reflection that wanders over it, and returns the number of frames until it
// was read, one more than all of them for never.
func hold(t *testing.T, r *Reader, want string, frames int, forget bool, rnd *rand.Rand) int {
	t.Helper()
	s := encode(t, want, levelL, 0)
	for k := range frames {
		img := blank(400, 400, 128)
		draw(img, s, pose{x: 190 + float64(k), y: 200, module: 4, turn: 0.02 * float64(k)})
		for y := range 400 {
			for x := 130 + 40*(k%4); x < 190+40*(k%4); x++ {
				img.Pix[y*400+x] = 250
			}
		}
		noise(img, 10, rnd)
		if forget {
			r.Forget()
		}
		for _, got := range r.Read(img) {
			if got.Value != want {
				t.Fatalf("frame %d: got %q, want %q", k, got.Value, want)
			}
			return k + 1
		}
	}
	return frames + 1
}

func TestACodeThatNoFrameShowsIsReadFromTheirSum(t *testing.T) {
	var r Reader
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(11, seed))
		want := randomText(rnd, 400)
		if n := hold(t, &r, want, 8, true, rnd); n <= 8 {
			t.Errorf("a single frame was read, the %d.: nothing is shown by this", n)
		}
		r.Forget()
		if n := hold(t, &r, want, 8, false, rnd); n > 8 {
			t.Errorf("not read from %d frames", n-1)
		}
	}
}

func TestAnotherCodeIsNotMixedIn(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 13))
	first, second := randomText(rnd, 400), randomText(rnd, 400)
	var r Reader
	hold(t, &r, first, 1, false, rnd)
	if n := hold(t, &r, second, 8, false, rnd); n > 8 { // any text but the second fails
		t.Errorf("the second code was not read from %d frames", n-1)
	}
}

func TestWhatIsWashedOutCountsForLittle(t *testing.T) {
	const dim = 25
	g := grid{dim: dim, raw: make([]float32, dim*dim), soft: make([]float32, dim*dim)}
	for i := range g.raw {
		g.raw[i] = float32(i % 2 * 200)
		if i/dim >= 15 { // light has left a tenth of the contrast
			g.raw[i] /= 10
		}
	}
	g.judge()
	g.discount()
	for i, v := range g.soft {
		switch y := i / dim; {
		case y < 9 && max(v, -v) < 0.5:
			t.Fatalf("row %d, in full contrast: got %.2f, want at least 0.5 of 1", y, v)
		case y > 16 && max(v, -v) > 0.1:
			t.Fatalf("row %d, washed out: got %.2f, want at most 0.1 of 1", y, v)
		}
	}
}

func TestAFrameThatIsBadlyPlacedDoesNotEndTheSum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(23, 23))
	const dim = 25
	truth := make([]float32, dim*dim)
	for i := range truth {
		truth[i] = float32(rnd.IntN(2)*2 - 1)
	}
	var r Reader
	see := func(sign float32) {
		g := &r.grid
		g.dim = dim
		g.raw, g.soft = make([]float32, dim*dim), make([]float32, dim*dim)
		for i, v := range truth {
			g.raw[i] = 100 + 80*v*sign
		}
		g.judge()
		r.fuse()
	}
	see(1)
	see(1)
	see(-1)
	if r.memory.frames != 2 {
		t.Errorf("after a strange frame the sum is of %d, want 2", r.memory.frames)
	}
	see(1)
	if r.memory.frames != 3 {
		t.Errorf("after one more the sum is of %d, want 3", r.memory.frames)
	}
	for range fuseStrange + 1 {
		see(-1)
	}
	if r.memory.frames >= 3 || r.memory.sum[0] > 0 == (truth[0] > 0) {
		t.Errorf("another code that stays does not take the place of the sum of %d", r.memory.frames)
	}
}
