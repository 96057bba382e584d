// Package module reads codes from scanner modules that give texts instead of frames.
//
// Turnstiles often carry such a module. It sits on a serial port, or it is a keyboard that
// types what it reads:
//
//	serial:/dev/serial/by-id/usb-...?baud=115200
//	hid:/dev/input/by-id/usb-...-event-kbd
//
// A module works while nobody looks at it, so its texts are heard at once and their age is
// known. Only the newest waits to be asked for, and not for long: a code must not open the
// gate for whoever comes next.
package module

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"gatehouse"
)

// A Reader gives what one module scans. Next is for one goroutine; everything else may be
// called by others meanwhile.
type Reader struct {
	path string
	idle time.Duration // without a byte: a text that has begun is over
	open func() (port, *decoder, error)
	news chan struct{} // there is something to tell

	mu      sync.Mutex
	tray    tray
	counts  Counts
	trouble error     // of the last attempt, not told yet; nil while the module is open
	alive   time.Time // when the module was last known to be there
	stop    func()    // ends the listening; nil before it began
	over    <-chan struct{}
	closed  bool
	work    sync.WaitGroup
}

// Counts are what a module gave since the Reader was opened. Each of the scans was told by
// Next, is a repeat, was dropped, or waits.
type Counts struct {
	Scans   uint64 // texts as they came
	Repeats uint64 // the same code held on
	Dropped uint64 // nobody asked in time, or a newer one came first
	TooLong uint64 // no text: more than any QR code holds
	Refused uint64 // no text: control characters, a stray key, noise
	Cut     uint64 // no text: it stopped without the suffix that the line names, or with the module
	Lost    uint64 // times that the module went away
}

// Open takes a module's line apart: a line that makes no sense is its only error. The
// module itself may come later; Next looks for it.
//
// Options of both: idle=60ms, the pause in which a text without a suffix ends, 5ms to 5s;
// and suffix, what the module puts at the end of a text. With one named, only that ends a
// text, and one that stops without it is dropped. suffix=none leaves the pause alone.
//
//	serial  baud=115200, always 8N1; suffix=any (CR, LF or both), cr, lf, crlf, tab, none
//	hid     suffix=any (Enter or Tab), enter, tab, none
//
// A text holds at most 7,089 bytes. It is UTF-8; bytes that are not are taken as ISO 8859-1,
// which QR codes hold when they do not say (ISO/IEC 18004, 7.3.5). With a control character
// in it, it is no text.
func Open(line string) (*Reader, error) {
	s, err := parse(line)
	if err != nil {
		return nil, fmt.Errorf("scanner module %.80q: %w", line, err)
	}
	r := &Reader{path: s.path, news: make(chan struct{}, 1)}
	r.tray.counts = &r.counts
	switch s.scheme {
	case "serial":
		err = r.wireSerial(s)
	case "hid":
		err = r.wireKeyboard(s)
	default:
		err = errors.New("no such kind of scanner module: there are serial: and hid:")
	}
	if err != nil {
		return nil, fmt.Errorf("scanner module %s:%s: %w", s.scheme, s.path, err)
	}
	return r, nil
}

// Next waits for a code that was not just told: the same text again within 1.5 s of its
// last scan is the same code held on. A text that nobody asked for within 3 s is dropped.
//
// An error is the module's trouble, told once for each attempt to open it; the module is
// looked for again meanwhile. It is never io.EOF, because a module has no end. After Close
// it is os.ErrClosed.
func (r *Reader) Next(ctx context.Context) (gatehouse.Sighting, error) {
	over, err := r.begin()
	if err != nil {
		return gatehouse.Sighting{}, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return gatehouse.Sighting{}, err
		}
		s, ok, err := r.take()
		if ok || err != nil {
			return s, err
		}
		select {
		case <-ctx.Done():
		case <-r.news:
		case <-over:
			return gatehouse.Sighting{}, r.closedError()
		}
	}
}

// begin starts to listen, the first time. Nothing is opened before, so that a line can be
// checked on another machine.
func (r *Reader) begin() (over <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, r.closedError()
	}
	if r.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		r.stop, r.over = stop, ctx.Done()
		r.work.Go(func() { r.listen(ctx) })
	}
	return r.over, nil
}

func (r *Reader) closedError() error {
	return fmt.Errorf("scanner module %s: %w", r.path, os.ErrClosed)
}

// take gives what there is to tell now: a text before a trouble, since it was there first.
func (r *Reader) take() (s gatehouse.Sighting, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok = r.tray.take(time.Now()); ok {
		return s, true, nil
	}
	if err, r.trouble = r.trouble, nil; err != nil {
		return s, false, fmt.Errorf("scanner module %s: %w", r.path, err)
	}
	return s, false, nil
}

// Close gives the module back. A Next that waits ends.
func (r *Reader) Close() error {
	r.mu.Lock()
	r.closed = true
	stop := r.stop
	r.mu.Unlock()
	if stop != nil {
		stop()
		r.work.Wait()
	}
	return nil
}

// Alive is when the module was last known to be there, at most a second ago while it is,
// however long nobody has shown a code. It is zero before it was first found.
func (r *Reader) Alive() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alive
}

// Counts gives the counts so far.
func (r *Reader) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}
