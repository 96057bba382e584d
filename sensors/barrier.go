package sensors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/sensors/bench"
)

// A Line is one wire that is driven or at rest, whatever level that takes.
type Line interface {
	Set(on bool) error
	Close() error // gives the wire up; what level it keeps then is not known
}

// Times of a barrier's relay.
const (
	defaultPulse = 800 * time.Millisecond
	shortest     = 50 * time.Millisecond
	longest      = 30 * time.Second
	letGoAgain   = 100 * time.Millisecond // between tries when the relay does not let go
)

// A Barrier is opened by a pulse on a relay and shuts by itself.
//
// Fail-safe is in the wiring, not here: the relay must rest shut, and the fire release
// must cut the drive's supply without asking a computer. When this program ends or is
// killed, the kernel frees the line, and its level then is the board's.
type Barrier struct {
	line  Line
	pulse time.Duration

	mu     sync.Mutex
	until  time.Time   // end of the pulse
	timer  *time.Timer // lets go at until; nil before the first pulse
	stuck  error       // why the relay could not be let go
	closed bool
}

// NewBarrier gives a barrier on a line, and makes sure that the line is at rest.
func NewBarrier(line Line, pulse time.Duration) (*Barrier, error) {
	if err := line.Set(false); err != nil {
		return nil, fmt.Errorf("barrier: put the relay at rest: %w", err)
	}
	return &Barrier{line: line, pulse: pulse}, nil
}

// Open energises the relay and returns; the relay lets go when the pulse is over. Another
// Open during a pulse makes it last a whole pulse from then on. An error is a breakdown,
// and the relay is at rest as far as it can be told to be.
func (b *Barrier) Open(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errors.New("barrier: open: closed already")
	case ctx.Err() != nil:
		return fmt.Errorf("barrier: open: %w", ctx.Err())
	case b.stuck != nil:
		return fmt.Errorf("barrier: open: the relay has not let go since the last pulse: %w", b.stuck)
	}
	// The timer stands before the relay is touched: whatever happens, it is let go.
	b.until = time.Now().Add(b.pulse)
	if b.timer == nil {
		b.timer = time.AfterFunc(b.pulse, b.letGo)
	} else {
		b.timer.Reset(b.pulse)
	}
	if err := b.line.Set(true); err != nil {
		return errors.Join(fmt.Errorf("barrier: energise the relay: %w", err), b.line.Set(false))
	}
	return nil
}

// letGo ends a pulse, and tries again for as long as the relay cannot be told.
func (b *Barrier) letGo() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	if left := time.Until(b.until); left > 0 { // Open was quicker
		b.timer.Reset(left)
		return
	}
	err := b.line.Set(false)
	if err != nil {
		if b.stuck == nil {
			slog.Error("the barrier's relay does not let go", "err", err)
		}
		b.timer.Reset(letGoAgain)
	}
	b.stuck = err
}

// Close lets the relay go at once, pulse or not, and gives the line up.
func (b *Barrier) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.timer != nil {
		b.timer.Stop()
	}
	return errors.Join(b.line.Set(false), b.line.Close())
}

// OpenBarrier gives the barrier that a source names:
//
//	gpio:/dev/gpiochip0/17?active=high&pulse=800ms  a relay on a line of a GPIO chip
//	gpio:GPIO17?active=high                         the same by the line's name
//	note:?pulse=800ms                               none: each opening is logged and counted
//
// The line is taken at once and put at rest; when that fails there is no barrier.
func OpenBarrier(text string) (*Barrier, error) {
	b, err := openBarrier(text)
	if err != nil {
		return nil, fmt.Errorf("barrier %q: %w", text, err)
	}
	return b, nil
}

func openBarrier(text string) (*Barrier, error) {
	s, err := parseSource(text)
	if err != nil {
		return nil, err
	}
	pulse, err := s.duration("pulse", defaultPulse, shortest, longest)
	if err != nil {
		return nil, err
	}
	switch s.scheme {
	case "note":
		if s.path != "" {
			return nil, fmt.Errorf("note: takes no %q", s.path)
		}
		if err := s.only("pulse"); err != nil {
			return nil, err
		}
		return NewBarrier(&bench.Relay{Name: "barrier", Log: slog.Default()}, pulse)
	case "gpio":
		if err := s.only("active", "pulse"); err != nil {
			return nil, err
		}
		low, err := s.activeLow()
		if err != nil {
			return nil, err
		}
		address, err := parseLine(s.path)
		if err != nil {
			return nil, err
		}
		line, err := openLine(address, low)
		if err != nil {
			return nil, err
		}
		b, err := NewBarrier(line, pulse)
		if err != nil {
			return nil, errors.Join(err, line.Close())
		}
		return b, nil
	}
	return nil, errors.New("unknown kind: write gpio:/dev/gpiochip0/17?active=low, gpio:NAME?active=low or note:")
}
