package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/scanner"
	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// A projector shows every third frame of a sequence to a scanner, from the first that it is
// told on: ten a second.
type projector struct {
	*sequence
	next int
}

func (p *projector) Next(context.Context) (camera.Frame, error) {
	if p.next >= p.count {
		return camera.Frame{}, camera.ErrEnd
	}
	at := time.Date(2021, 3, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(p.next) * time.Second / frameRate)
	frame := camera.Frame{Luma: p.draw(p.next), At: at}
	p.next += 3
	return frame, nil
}

// aims are the hints that a scanner tells of a sequence, and whether it reads a text.
func aims(t *testing.T, s *sequence, from, to int) (aims []gatehouse.Aim, read bool) {
	t.Helper()
	s.count = to
	eye := scanner.Scanner{Source: &projector{s, from}, Reader: new(qr.Reader)}
	for {
		sighting, err := eye.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return aims, read
		}
		if err != nil {
			t.Fatal(err)
		}
		if sighting.Text != "" {
			if read {
				t.Error("a code that is held was told twice")
			}
			read = true
		} else {
			aims = append(aims, sighting.Aim)
		}
	}
}

func TestACodeThatIsHeldWronglyHasTheHintToMendIt(t *testing.T) {
	for _, c := range []struct {
		name     string
		index    uint64
		pixels   float64 // a module
		blur     float64
		pitch    float64
		yaw      float64
		exposure float64
		shine    float64
		right    float64 // of the middle, pixels
		want     gatehouse.Aim
	}{
		{name: "good", index: 0, pixels: 4, blur: 0.6},
		{name: "good, another", index: 1, pixels: 3.5, blur: 0.8, yaw: 0.3},
		{name: "far", index: 0, pixels: 1, blur: 0.6, want: gatehouse.TooFar},
		{name: "far, another", index: 1, pixels: 1.1, blur: 0.8, want: gatehouse.TooFar},
		{name: "far, a third", index: 4, pixels: 1, blur: 0.7, want: gatehouse.TooFar},
		{name: "out of focus", index: 0, pixels: 2.5, blur: 3, want: gatehouse.Blurred},
		{name: "out of focus, another", index: 1, pixels: 3.5, blur: 4, want: gatehouse.Blurred},
		{name: "out of focus, slanted", index: 0, pixels: 4, blur: 5, yaw: 0.4, want: gatehouse.Blurred},
		{name: "out of focus, near", index: 1, pixels: 5, blur: 6, pitch: 0.2, want: gatehouse.Blurred},
		{name: "slanted", index: 0, pixels: 3, blur: 0.7, pitch: 1.15, want: gatehouse.Tilted},
		{name: "slanted, another", index: 1, pixels: 3, blur: 0.7, pitch: 1.1, want: gatehouse.Tilted},
		{name: "dark", index: 3, pixels: 3, blur: 3, exposure: 0.045, want: gatehouse.TooDark},
		{name: "dark and out of focus", index: 1, pixels: 3.5, blur: 3.5, exposure: 0.06, want: gatehouse.TooDark},
		{name: "under a lamp", index: 0, pixels: 3, blur: 0.7, shine: 1.5, want: gatehouse.Glare},
		{name: "under a lamp, another", index: 2, pixels: 3.5, blur: 0.7, shine: 2.5, want: gatehouse.Glare},
		{name: "over the edge", index: 0, pixels: 3, blur: 0.7, right: 610, want: gatehouse.CutOff},
		{name: "over the edge, another", index: 1, pixels: 3, blur: 0.7, right: -620, want: gatehouse.CutOff},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := newSequence(easy, 4001, c.index)
			if err != nil {
				t.Fatal(err)
			}
			s.hand.distance = focal * s.screen.code.side / (c.pixels * float64(s.screen.code.modules))
			s.hand.pitch, s.hand.yaw = c.pitch, c.yaw
			s.optics.blur = c.blur
			if c.exposure > 0 {
				s.optics.exposure, s.optics.unmeant = c.exposure, 0
			}
			if c.shine > 0 {
				s.light = reflection{strength: c.shine, x: 10, y: 20, long: 130, wide: 100}
			}
			if c.right != 0 {
				s.hand.x = c.right
			}
			told, read := aims(t, s, 24, 54)
			if c.want == gatehouse.NoAim {
				if !read || len(told) > 0 {
					t.Errorf("got hints %v, read %v; want a text alone", told, read)
				}
				return
			}
			if read || !slices.Equal(told, []gatehouse.Aim{c.want}) {
				t.Errorf("got hints %v, read %v; want %v alone", told, read, c.want)
			}
		})
	}
}

func TestAPhoneWithoutACodeHasNoHint(t *testing.T) {
	for index := range uint64(6) {
		s, err := newSequence(empty, 4001, index)
		if err != nil {
			t.Fatal(err)
		}
		if told, read := aims(t, s, 0, 60); read || len(told) > 0 {
			t.Errorf("sequence %d: got hints %v, read %v", index, told, read)
		}
	}
}
