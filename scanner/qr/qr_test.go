package qr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// paper is a white frame to print codes on.
func paper(width, height int) Luma {
	l := Luma{Pix: make([]byte, width*height), Width: width, Height: height, Stride: width}
	for i := range l.Pix {
		l.Pix[i] = 230
	}
	return l
}

// print puts a code on the paper, its quiet zone's corner at x, y.
func (l Luma) print(t testing.TB, text string, x, y, scale int) {
	t.Helper()
	m, err := Encode(text, M)
	if err != nil {
		t.Fatal(err)
	}
	img := m.Image(scale)
	for row := range img.Rect.Dy() {
		copy(l.Pix[(y+row)*l.Stride+x:][:img.Rect.Dx()], img.Pix[row*img.Stride:][:img.Rect.Dx()])
	}
}

func TestTextComesBackAtEveryLevel(t *testing.T) {
	for _, level := range []Level{L, M, Q, H} {
		for _, text := range []string{"1", "A", "01234567890123456789", "HC1:NCFOXN%TSMAHN-H", "健康码 RHC1", "a\nb\x00c", strings.Repeat("0123456789ABCDEF", 60)} {
			m, err := Encode(text, level)
			if err != nil {
				t.Fatal(err)
			}
			img := m.Image(3)
			frame := Luma{Pix: img.Pix, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Stride: img.Stride}
			if got := (&Reader{Thorough: true}).Read(frame); !slices.Equal(got, []string{text}) {
				t.Errorf("level %d: read %q, want %q", level, got, text)
			}
		}
	}
}

func TestCodeThatCannotBeIsNotEncoded(t *testing.T) {
	for _, c := range []struct {
		text  string
		level Level
	}{{"", M}, {"A", H + 1}, {strings.Repeat("x", 3000), L}, {strings.Repeat("x", 1300), H}} {
		if m, err := Encode(c.text, c.level); err == nil {
			t.Errorf("%d bytes at level %d became a code of %d modules", len(c.text), c.level, m.Size())
		}
	}
}

func TestCodesAreToldLeftToRightAndOnce(t *testing.T) {
	for _, thorough := range []bool{false, true} {
		frame := paper(1280, 720)
		frame.print(t, "RIGHT", 900, 80, 6)
		frame.print(t, "LEFT", 60, 300, 6)
		frame.print(t, "MIDDLE", 470, 200, 6)
		r := Reader{Thorough: thorough}
		if got, want := r.Read(frame), []string{"LEFT", "MIDDLE", "RIGHT"}; !slices.Equal(got, want) {
			t.Errorf("thorough %v: %q, want %q", thorough, got, want)
		}
		twice := paper(800, 400)
		twice.print(t, "SAME", 20, 50, 6)
		twice.print(t, "SAME", 420, 50, 6)
		if got := r.Read(twice); !slices.Equal(got, []string{"SAME"}) {
			t.Errorf("thorough %v: the same text twice: %q", thorough, got)
		}
	}
}

func TestLightCodeOnDarkIsReadWithinThreeFrames(t *testing.T) {
	frame := paper(640, 480)
	frame.print(t, "DARK MODE", 200, 100, 6)
	for i, v := range frame.Pix {
		frame.Pix[i] = 255 - v
	}
	if got := (&Reader{Thorough: true}).Read(frame); !slices.Equal(got, []string{"DARK MODE"}) {
		t.Errorf("thorough: %q", got)
	}
	var r Reader
	for range 3 {
		if slices.Equal(r.Read(frame), []string{"DARK MODE"}) {
			return
		}
	}
	t.Error("not read in three frames")
}

func TestRowsMayBePadded(t *testing.T) {
	tight := paper(300, 200)
	tight.print(t, "PADDED", 40, 10, 5)
	padded := Luma{Width: 300, Height: 200, Stride: 333, Pix: make([]byte, 333*199+300)}
	for y := range 200 {
		copy(padded.Pix[y*333:], tight.Pix[y*300:][:300])
	}
	before := slices.Clone(padded.Pix)
	for _, thorough := range []bool{false, true} {
		if got := (&Reader{Thorough: thorough}).Read(padded); !slices.Equal(got, []string{"PADDED"}) {
			t.Errorf("thorough %v: %q", thorough, got)
		}
	}
	if !slices.Equal(before, padded.Pix) {
		t.Error("the frame was written to")
	}
}

func TestFrameThatIsNoneHasNoTexts(t *testing.T) {
	pix := make([]byte, 100)
	for _, l := range []Luma{
		{},
		{Pix: pix, Width: 10, Height: 11, Stride: 10},
		{Pix: pix, Width: 10, Height: 10, Stride: 9},
		{Pix: pix, Width: -10, Height: -10, Stride: 10},
		{Pix: pix, Width: 10, Height: 10, Stride: 11},
		{Pix: pix, Width: 1 << 16, Height: 1 << 15, Stride: 1 << 16},
		{Pix: pix, Width: 1<<31 - 1, Height: 1<<31 - 1, Stride: 1<<31 - 1},
	} {
		if l.Valid() {
			t.Errorf("%dx%d with a stride of %d in %d bytes is valid", l.Width, l.Height, l.Stride, len(l.Pix))
		}
		if got := (&Reader{Thorough: true}).Read(l); got != nil {
			t.Errorf("read %q from %dx%d", got, l.Width, l.Height)
		}
	}
	large := Luma{Pix: make([]byte, MaxPixels+10_000), Width: 10_000, Height: 5_001, Stride: 10_000}
	if large.Valid() {
		t.Error("more than 50 megapixels are valid")
	}
}

func TestFramesOfAllSizesAreTaken(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{1, 1}, {1, 100}, {100, 1}, {2, 2}, {7, 7}, {39, 41}, {40, 40}, {41, 47}, {3, 3000}, {3000, 3}, {257, 129}} {
		for fill := range 4 {
			l := paper(size[0], size[1])
			for i := range l.Pix {
				switch fill {
				case 0:
					l.Pix[i] = 0
				case 1:
					l.Pix[i] = byte(random.Uint32())
				case 2:
					l.Pix[i] = byte((i%size[0]/3+i/size[0]/3)%2) * 255 // a chessboard
				}
			}
			r := Reader{Thorough: true}
			if got := r.Read(l); got != nil || r.Panics > 0 {
				t.Errorf("%dx%d, filled %d: %q, %d panics", size[0], size[1], fill, got, r.Panics)
			}
		}
	}
}

// Comparing every three of these patterns would take hours.
func TestPosterOfFinderPatternsDoesNotHoldTheLane(t *testing.T) {
	l := paper(1280, 720)
	for y := 0; y+9 < l.Height; y += 10 {
		for x := 0; x+9 < l.Width; x += 10 {
			for i := range 49 {
				ring := max(max(i%7, 6-i%7), max(i/7, 6-i/7)) // 3 in the middle, 6 outside
				if ring != 5 {
					l.Pix[(y+1+i/7)*l.Stride+x+1+i%7] = 10
				}
			}
		}
	}
	for _, thorough := range []bool{false, true} {
		r := Reader{Thorough: thorough}
		for range 3 {
			if got := r.Read(l); got != nil {
				t.Errorf("read %q", got)
			}
		}
		if r.Panics > 0 {
			t.Errorf("%d panics: a crowd is no breakdown", r.Panics)
		}
	}
}

func TestBreakdownIsCaughtAndCounted(t *testing.T) {
	var r Reader
	for _, cause := range []any{"index out of range", errCrowded, fmt.Errorf("nil")} {
		func() {
			defer r.catch()
			panic(cause)
		}()
	}
	if r.Panics != 2 {
		t.Errorf("%d panics, want 2", r.Panics)
	}
}

func BenchmarkRead(b *testing.B) {
	random := rand.New(rand.NewPCG(3, 4))
	room := paper(1280, 720)
	for i := range room.Pix {
		room.Pix[i] = byte(90 + i%1280/20 + random.IntN(9))
	}
	code := Luma{Pix: slices.Clone(room.Pix), Width: 1280, Height: 720, Stride: 1280}
	code.print(b, strings.Repeat("HC1:6BF", 40), 400, 100, 6)
	for _, c := range []struct {
		name  string
		frame Luma
		texts int
	}{{"code", code, 1}, {"empty", room, 0}} {
		b.Run(c.name, func(b *testing.B) {
			var r Reader
			b.ReportAllocs()
			for b.Loop() {
				if got := r.Read(c.frame); len(got) != c.texts {
					b.Fatalf("read %q", got)
				}
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	m, err := Encode("FUZZ", L)
	if err != nil {
		f.Fatal(err)
	}
	img := m.Image(2)
	f.Add(img.Pix, uint16(img.Rect.Dx()), false)
	f.Add(img.Pix, uint16(img.Rect.Dx()), true)
	f.Add(make([]byte, 50*50), uint16(50), true)
	f.Fuzz(func(t *testing.T, pix []byte, width uint16, thorough bool) {
		w := int(width%512) + 1
		l := Luma{Pix: pix, Width: w, Height: min(len(pix)/w, 512), Stride: w}
		r := Reader{Thorough: thorough}
		for _, text := range r.Read(l) {
			if text == "" {
				t.Fatal("an empty text")
			}
		}
	})
}
