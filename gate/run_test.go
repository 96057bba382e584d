package gate

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

// A script of what a camera gives, one entry a call; after the last it blocks.
type script []any

func (s *script) Next(ctx context.Context) (gatehouse.Sighting, error) {
	if len(*s) == 0 {
		<-ctx.Done()
		return gatehouse.Sighting{}, ctx.Err()
	}
	next := (*s)[0]
	*s = (*s)[1:]
	if err, ok := next.(error); ok {
		return gatehouse.Sighting{}, err
	}
	return next.(gatehouse.Sighting), nil
}

func TestLaneGoesOnAfterTheCameraCameBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fakeLane{skin: 36_600}
		l := f.lane()
		gone := errors.New("camera: no frame for 2 s")
		l.Scanner = &script{gone, gone, gone, gatehouse.Sighting{Text: "a"}, gatehouse.Sighting{Text: "b"}, io.EOF}
		began := time.Now()
		if err := l.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(f.rows) != 2 {
			t.Errorf("%d rows, want 2", len(f.rows))
		}
		outages := 0
		for _, v := range f.shown {
			if v.Passage.Verdict.Reason == gatehouse.ReasonCamera {
				outages++
			}
		}
		if outages != 1 {
			t.Errorf("the outage was shown %d times, want once", outages)
		}
		if waited := time.Since(began); waited != 700*time.Millisecond {
			t.Errorf("waited %v for the camera, want 100+200+400 ms", waited)
		}
	})
}

func TestLaneStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		f := fakeLane{skin: 36_600}
		l := f.lane()
		l.Scanner = &script{gatehouse.Sighting{Text: "a"}}
		if err := l.Run(ctx); err != nil {
			t.Errorf("a lane that was told to stop: %v", err)
		}
		if l.Busy() != 0 {
			t.Error("the lane says that it is busy")
		}
	})
}

func TestUnreadCodeIsAHintAndNoPassage(t *testing.T) {
	f := fakeLane{}
	l := f.lane()
	l.Scanner = &script{gatehouse.Sighting{Aim: gatehouse.TooFar}, io.EOF}
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.rows) != 0 || len(f.shown) != 1 || f.shown[0].Passage.Verdict.Call != gatehouse.Hint ||
		f.shown[0].Passage.Verdict.Reason != gatehouse.ReasonUnreadable || f.shown[0].Aim != gatehouse.TooFar {
		t.Errorf("rows %d, shown %+v", len(f.rows), f.shown)
	}
}
