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
			for x := 160 + 25*(k%4); x < 190+25*(k%4); x++ {
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
