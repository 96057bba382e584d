package main

import (
	"bytes"
	"testing"

	"gatehouse/scanner/qr"
)

func sequenceOf(t *testing.T, l level, seed, index uint64) *sequence {
	t.Helper()
	s, err := newSequence(l, seed, index)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSequenceIsAFunctionOfItsSeed(t *testing.T) {
	for _, l := range []level{easy, hard} {
		a, b := sequenceOf(t, l, 7, 3), sequenceOf(t, l, 7, 3)
		other, sibling := sequenceOf(t, l, 8, 3), sequenceOf(t, l, 7, 4)
		if a.text != b.text || a.whole != b.whole || a.count != b.count {
			t.Errorf("%v: the same sequence differs", l)
		}
		late := a.draw(20)
		for _, n := range []int{5, 20} {
			if !bytes.Equal(a.draw(n).Pix, b.draw(n).Pix) {
				t.Errorf("%v: frame %d differs", l, n)
			}
		}
		if !bytes.Equal(late.Pix, a.draw(20).Pix) {
			t.Errorf("%v: frame 20 depends on what was drawn before", l)
		}
		if bytes.Equal(late.Pix, a.draw(21).Pix) {
			t.Errorf("%v: the picture stands still", l)
		}
		for _, c := range []*sequence{other, sibling} {
			if c.text == a.text || bytes.Equal(late.Pix, c.draw(20).Pix) {
				t.Errorf("%v: another seed or index gives the same", l)
			}
		}
		f := film{sequence: b}
		if !bytes.Equal(f.frame(20).Pix, late.Pix) || !bytes.Equal(f.frame(20).Pix, late.Pix) {
			t.Errorf("%v: the film shows other frames", l)
		}
	}
}

func TestWholeCodeComesIntoViewAndStays(t *testing.T) {
	for _, l := range []level{easy, medium, hard} {
		for index := range uint64(6) {
			s := sequenceOf(t, l, 11, index)
			if s.whole == 0 || s.whole >= enough {
				t.Errorf("%v/%d: the code is whole from frame %d on, want it to come from outside", l, index, s.whole)
			}
			for n := s.count - 30; n < s.count; n++ {
				if !s.inView(n) {
					t.Errorf("%v/%d: frame %d of %d: the code is not whole", l, index, n, s.count)
					break
				}
			}
		}
	}
}

func TestEasySequencesAreRead(t *testing.T) {
	for index := range uint64(3) {
		s := sequenceOf(t, easy, 1, index)
		f := film{sequence: s}
		e := &inProcess{call: gozxingOnce}
		got, err := show(t.Context(), s, e, f.frame)
		if err != nil {
			t.Fatal(err)
		}
		if got.until < 1 || got.until > 30 || got.wrong > 0 {
			t.Errorf("sequence %d: read at frame %d with %d false texts, want a text soon", index, got.until, got.wrong)
		}
	}
}

func TestNothingIsToBeReadWhereNoCodeIsShown(t *testing.T) {
	s := sequenceOf(t, empty, 1, 0)
	if s.text != "" {
		t.Errorf("the text is %q", s.text)
	}
	s.count = 3
	texts := [][]string{nil, {"A"}, {""}}
	e := eyeOf(func(n int) []string { return texts[n] })
	got, err := show(t.Context(), s, &e, func(int) qr.Luma { return qr.Luma{} })
	if err != nil || got.until != 0 || got.wrong != 2 || len(got.frames) != 3 {
		t.Errorf("got %+v, %v, want two false texts and no end", got, err)
	}
}

// Each sequence is shown to an eye from its first frame on until it has the text, and the
// frames are counted from the first that shows the whole code.
func TestFramesAreCountedFromTheWholeCode(t *testing.T) {
	s := &sequence{text: "HC1:A", whole: 4, count: 64}
	for _, c := range []struct{ at, want int }{{0, 1}, {4, 1}, {5, 2}, {63, 60}, {64, 0}} {
		e := eyeOf(func(n int) []string {
			if n == c.at {
				return []string{"HC1:A"}
			}
			return nil
		})
		got, err := show(t.Context(), s, &e, func(int) qr.Luma { return qr.Luma{} })
		if err != nil || got.until != c.want || len(got.frames) != min(c.at+1, s.count) {
			t.Errorf("read at frame %d: got %d after %d frames, %v, want %d", c.at, got.until, len(got.frames), err, c.want)
		}
	}
}

// fakeEye says what it is told to say of each frame after the even ones of warm.
type fakeEye struct {
	n    int
	says func(n int) []string
}

func eyeOf(says func(n int) []string) fakeEye { return fakeEye{n: -3, says: says} }

func (e *fakeEye) read(qr.Luma) (reading, error) {
	defer func() { e.n++ }()
	if e.n < 0 {
		return reading{}, nil
	}
	return reading{texts: e.says(e.n)}, nil
}
