package qr

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAnUnchangedFrameHasItsTextsUnread(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 17))
	want := randomText(rnd, 120)
	clean := blank(400, 400, 128)
	draw(clean, encode(t, want, levelM, 0), pose{x: 200, y: 190, module: 5, turn: 0.1})
	var r Reader
	for k := range gateMost + 2 {
		img := Luma{Pix: slices.Clone(clean.Pix), Width: 400, Height: 400, Stride: 400}
		noise(img, 1.5, rnd)
		got := values(r.Read(img))
		if !slices.Equal(got, []string{want}) {
			t.Fatalf("frame %d: got %q, want %q", k, got, want)
		}
		if told := k % (gateMost + 1); r.gate.frames != told {
			t.Fatalf("frame %d: %d frames told from one reading, want %d", k, r.gate.frames, told)
		}
	}
	if n := testing.AllocsPerRun(5, func() { r.Read(clean) }); n > 0 {
		t.Errorf("an unchanged frame allocates %v times", n)
	}
}

func TestAnotherCodeInTheSamePlaceIsNeverToldByTheOneBefore(t *testing.T) {
	rnd := rand.New(rand.NewPCG(19, 19))
	for k := range 30 {
		first := randomText(rnd, 40)
		second := first[:20] + randomText(rnd, 1) + first[21:]
		module := 3 + rnd.Float64()*3
		at := pose{x: 200 + rnd.Float64(), y: 200 + rnd.Float64(), module: module, turn: rnd.Float64()}
		var r Reader
		for _, want := range []string{first, second} {
			img := blank(400, 400, 128)
			draw(img, encode(t, want, levelL, 0), at)
			if got := values(r.Read(img)); !slices.Equal(got, []string{want}) {
				t.Errorf("code %d at %.1f pixels a module: got %q, want %q", k, module, got, want)
			}
		}
	}
}

func TestACodeThatComesBesideAnotherIsRead(t *testing.T) {
	one, two := encode(t, "one", levelM, 0), encode(t, "two", levelM, 0)
	img := blank(600, 600, 128)
	draw(img, one, pose{x: 150, y: 150, module: 4})
	var r Reader
	r.Read(img)
	draw(img, two, pose{x: 420, y: 450, module: 4})
	var got []string
	for range trackMost + 1 { // frames in which only the first is looked at
		got = values(r.Read(img))
	}
	if !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q", got)
	}
}

func TestForgetEndsWhatTheFrameBeforeTells(t *testing.T) {
	img := blank(300, 300, 128)
	draw(img, encode(t, "one", levelM, 0), pose{x: 150, y: 150, module: 5})
	var r Reader
	r.Read(img)
	r.Forget()
	r.Read(img)
	if r.gate.frames != 0 {
		t.Errorf("a frame after Forget was told from the one before")
	}
}

func BenchmarkUnchangedFrame(b *testing.B) {
	img := blank(1280, 720, 128)
	draw(img, encode(b, "one code that is held still", levelM, 0), pose{x: 640, y: 360, module: 6})
	var r Reader
	r.Read(img)
	for b.Loop() {
		r.gate.frames = 0
		r.Read(img)
	}
}
