package gate

import (
	"context"
	"errors"
	"io"
	"time"

	"gatehouse"
)

// The pause after a camera's error, doubled up to the longest: a camera that is gone must
// not keep the processor busy, one that came back must not be waited for.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 2 * time.Second
)

// Run admits one person after the other until ctx ends, or the scanner says io.EOF because
// a folder of frames is used up. A breakdown is logged and shown, and the lane goes on. The
// camera's is shown only: a scanner says nothing while nobody is there, so the lane cannot
// tell a second outage from the first. Who holds the camera can, and logs it.
func (l *Lane) Run(ctx context.Context) error {
	pause := shortestPause
	for {
		s, err := l.Scanner.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			if pause == shortestPause {
				l.Screen.Show(View{Passage: outOfService(l.Name, err)})
			}
			if wait(ctx, pause) != nil {
				return nil
			}
			pause = min(2*pause, longestPause)
			continue
		case s.Text == "":
			l.Screen.Show(View{Passage: unread(l.Name, s), Aim: s.Aim})
			continue
		}
		pause = shortestPause
		// A lane that is told to stop breaks off, which is no breakdown, unless there is a row
		// in the book already that its barrier did not follow.
		if p, err := l.Admit(ctx, s); err != nil && (ctx.Err() == nil || p.Seq != 0) {
			l.Logger.Error("lane", "call", p.Verdict.Call.String(), "err", err)
		}
	}
}

// outOfService is what a screen shows while the camera is gone. It is no passage: nobody
// was there to be judged, so it has no number and is not written down.
func outOfService(name string, err error) gatehouse.Passage {
	return gatehouse.Passage{Gate: name, Verdict: gatehouse.Verdict{
		Call: gatehouse.Hint, Reason: gatehouse.ReasonCamera, Detail: err.Error()}}
}

// unread is the hint for a code that was seen but gave no text.
func unread(name string, s gatehouse.Sighting) gatehouse.Passage {
	return gatehouse.Passage{Gate: name, At: s.At, Verdict: gatehouse.Verdict{
		Call: gatehouse.Hint, Reason: gatehouse.ReasonUnreadable, Detail: s.Aim.String()}}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
