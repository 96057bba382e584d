// Package scanner turns the frames of a camera into sightings: one for each code that comes
// into view, however many frames show it.
package scanner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// A Source gives the newest frame before the camera, as camera.Source does. The frame's
// pixels are good until the next call.
type Source interface {
	Next(ctx context.Context) (camera.Frame, error)
}

// A Reader finds the codes in a frame, left to right. What it gives is good until the next
// Read; Hint tells what kept a code in that frame from being read. *qr.Reader is one.
type Reader interface {
	Read(frame qr.Luma) []qr.Text
	Hint() qr.Hint
}

// Times of the frames, not of whoever looks at them.
const (
	defaultHold = 1500 * time.Millisecond
	longestGap  = 10 * time.Second // without any frame: what was seen before is forgotten
)

// A Scanner looks at the newest frame each time and tells of each code once while it stays
// in view. Next is for one goroutine; everything else may be asked by others meanwhile.
type Scanner struct {
	Source Source
	Reader Reader

	// Hold is how long a code must have been out of view to be new when it comes back. In
	// a bad light a code held still is lost for frames. Zero is 1.5 s.
	Hold time.Duration

	views   []view               // codes in view
	pending []gatehouse.Sighting // found in one frame, not told yet
	at      time.Time            // of the frame before
	coach   coach
	parts   parts

	counts  counts
	preview preview
}

// A view is a code that is being held before the camera.
type view struct {
	text string
	lost time.Time // the first frame without it; zero while it is seen
}

// Next waits for a code that was not in view before, or for one that is held there and
// cannot be read: a sighting without a text, with what its holder can mend. Several in one frame are told left to
// right, one a call. The camera's errors are passed on; the next call tries again.
func (s *Scanner) Next(ctx context.Context) (gatehouse.Sighting, error) {
	for len(s.pending) == 0 {
		frame, err := s.Source.Next(ctx)
		if err != nil {
			return gatehouse.Sighting{}, fmt.Errorf("next frame: %w", err)
		}
		s.counts.frames.Add(1)
		s.counts.newest.Store(&frame.At)
		s.preview.take(frame.Luma)

		begun := time.Now()
		texts := s.values(s.Reader.Read(frame.Luma), frame.At)
		took := time.Since(begun)
		if len(texts) > 0 {
			s.counts.read.Add(1)
		}
		if r, ok := s.Reader.(*qr.Reader); ok {
			s.counts.panics.Store(r.Panics)
		}
		for _, text := range s.fresh(texts, frame.At) {
			s.pending = append(s.pending, gatehouse.Sighting{Text: text, At: frame.At, Took: took})
		}
		// Who was just read takes the phone away: nothing about that is to be mended.
		aim := gatehouse.NoAim
		if len(s.views) == 0 {
			aim = aimOf(s.Reader.Hint())
		}
		if aim = s.coach.look(aim, frame.At); aim != gatehouse.NoAim {
			s.pending = append(s.pending, gatehouse.Sighting{Aim: aim, At: frame.At, Took: took})
		}
	}
	first := s.pending[0]
	s.pending = s.pending[1:]
	return first, nil
}

// values gives the texts, each once: a code may stand on a screen twice, and one text may
// be spread over several symbols.
func (s *Scanner) values(codes []qr.Text, at time.Time) (texts []string) {
	for _, c := range codes {
		text, whole := c.Value, true
		if c.Append.Total > 1 {
			text, whole = s.parts.add(c, at)
		}
		if whole && text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// fresh keeps account of what is in view, and gives the texts that were not. Only frames
// count: a lane that was busy with a slow thermometer for seconds has not looked, and
// finds the code still held that it is busy with.
func (s *Scanner) fresh(texts []string, at time.Time) (found []string) {
	if at.Sub(s.at) > longestGap {
		s.views = s.views[:0]
	}
	s.at = at
	hold := cmp.Or(s.Hold, defaultHold)
	kept := s.views[:0]
	for _, v := range s.views {
		switch {
		case slices.Contains(texts, v.text):
			v.lost = time.Time{}
		case v.lost.IsZero():
			v.lost = at
		case at.Sub(v.lost) >= hold:
			continue
		}
		kept = append(kept, v)
	}
	s.views = kept
	for _, text := range texts {
		known := func(v view) bool { return v.text == text }
		if !slices.ContainsFunc(s.views, known) {
			s.views = append(s.views, view{text: text})
			found = append(found, text)
		}
	}
	return found
}

// counts are what the scanner did, for watchdog and metrics.
type counts struct {
	frames, read, panics atomic.Uint64
	newest               atomic.Pointer[time.Time] // with the monotonic clock's, where the source gives it
}

// LastFrame is when the newest frame was taken, as its source has it; zero before the
// first. A live camera's time goes by the monotonic clock: when somebody sets the board's
// clock the camera does not look dead.
func (s *Scanner) LastFrame() time.Time {
	if at := s.counts.newest.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Frames is how many frames were looked at.
func (s *Scanner) Frames() uint64 { return s.counts.frames.Load() }

// Decoded is how many of them gave a text.
func (s *Scanner) Decoded() uint64 { return s.counts.read.Load() }

// Panics is how many times the reader broke down on a frame and was caught.
func (s *Scanner) Panics() uint64 { return s.counts.panics.Load() }
