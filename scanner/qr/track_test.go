package qr

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// scene is a frame with codes at places.
func scene(t testing.TB, rnd *rand.Rand, codes ...string) func(at ...[2]float64) Luma {
	var symbols []symbol
	for _, c := range codes {
		symbols = append(symbols, encode(t, c, levelM, 0))
	}
	return func(at ...[2]float64) Luma {
		img := blank(1000, 700, 128)
		for i, p := range at {
			draw(img, symbols[i], pose{x: p[0], y: p[1], module: 4, turn: 0.1})
		}
		noise(img, 2, rnd)
		return img
	}
}

func TestACodeThatIsHeldIsReadFromItsRegion(t *testing.T) {
	frame := scene(t, rand.New(rand.NewPCG(61, 61)), "a code that is held in a hand")
	var r Reader
	for k := range 30 {
		x, y := 300+float64(k)*7, 300+float64(k%3)*5
		got := r.Read(frame([2]float64{x, y}))
		if len(got) != 1 || got[0].Value != "a code that is held in a hand" {
			t.Fatalf("frame %d: got %q", k, values(got))
		}
		middle := point{(got[0].Corners[0].X + got[0].Corners[2].X) / 2, (got[0].Corners[0].Y + got[0].Corners[2].Y) / 2}
		if d := middle.sub(point{x, y}).length(); d > 1 {
			t.Errorf("frame %d: the middle is %.1f pixels away", k, d)
		}
	}
	if want := 30 / (trackMost + 1); r.track.passes != want {
		t.Errorf("%d whole frames were read of 30, want %d", r.track.passes, want)
	}
}

func TestASecondCodeElsewhereIsSeenInAFewFrames(t *testing.T) {
	frame := scene(t, rand.New(rand.NewPCG(62, 62)), "one", "two")
	for after := range trackMost + 1 {
		var r Reader
		for k := range after + 1 {
			r.Read(frame([2]float64{250, 250 + 6*float64(k)}))
		}
		k := 0
		for len(r.Read(frame([2]float64{250, 290}, [2]float64{800, 500}))) < 2 {
			if k++; k > trackMost {
				t.Fatalf("after %d frames of the first: not seen in %d frames", after+1, k)
			}
		}
		if got := values(r.Read(frame([2]float64{256, 290}, [2]float64{806, 500}))); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("both, a frame later: got %q", got)
		}
	}
}

func TestACodeThatLeftFreesTheTrack(t *testing.T) {
	frame := scene(t, rand.New(rand.NewPCG(63, 63)), "one", "two")
	var r Reader
	r.Read(frame([2]float64{250, 250}))
	r.Read(frame([2]float64{256, 250}))
	if r.track.passes != 1 {
		t.Fatalf("%d whole frames, want 1", r.track.passes)
	}
	if got := r.Read(frame()); len(got) > 0 || r.track.passes != 2 || r.track.codes != 0 {
		t.Errorf("gone: got %q, %d whole frames, %d followed; want nothing, 2, 0", values(got), r.track.passes, r.track.codes)
	}
	r.Read(frame())
	if r.track.passes != 3 {
		t.Errorf("%d whole frames, want 3", r.track.passes)
	}
	// One that is elsewhere in the next frame is found in that frame.
	r.Read(frame([2]float64{250, 250}))
	if got := values(r.Read(frame([2]float64{750, 450}))); !slices.Equal(got, []string{"one"}) {
		t.Errorf("elsewhere: got %q", got)
	}
}

func TestOneOfTwoThatLeavesIsMissedAtOnce(t *testing.T) {
	frame := scene(t, rand.New(rand.NewPCG(64, 64)), "one", "two")
	var r Reader
	r.Read(frame([2]float64{250, 250}, [2]float64{480, 250}))
	passes := r.track.passes
	if got := values(r.Read(frame([2]float64{256, 250}))); !slices.Equal(got, []string{"one"}) || r.track.passes != passes+1 {
		t.Errorf("got %q in %d whole frames, want one in 1", got, r.track.passes-passes)
	}
}

func TestAnotherSceneIsNotTracked(t *testing.T) {
	frame := scene(t, rand.New(rand.NewPCG(66, 66)), "one")
	var r Reader
	img := frame([2]float64{250, 250})
	r.Read(img)
	for i, v := range img.Pix {
		img.Pix[i] = v - v/4
	}
	if got := r.Read(img); len(got) != 1 || r.track.passes != 2 {
		t.Errorf("got %q in %d whole frames, want one in 2", values(got), r.track.passes)
	}
}

func BenchmarkHeldCode(b *testing.B) {
	frame := scene(b, rand.New(rand.NewPCG(65, 65)), "one code that is held in a hand and moves a little")
	frames := []Luma{frame([2]float64{300, 300}), frame([2]float64{306, 300}), frame([2]float64{303, 306})}
	var r Reader
	for i := 0; b.Loop(); i++ {
		r.Read(frames[i%len(frames)])
	}
}
