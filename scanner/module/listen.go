package module

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"gatehouse"
)

// The pause after a module could not be opened or went away, doubled up to the longest: one
// that is gone must not keep the processor busy, one that came back must not be waited for.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 2 * time.Second
)

// beat is how often a silent module is looked after.
const beat = time.Second

// A port is an open module. Read gives os.ErrDeadlineExceeded when nothing came in time.
type port interface {
	io.ReadCloser
	SetReadDeadline(at time.Time) error
}

// A decoder makes texts of what a port gives.
type decoder struct {
	keyboard *keyboard // nil when the port gives characters and not keys
	framer
}

func (d *decoder) take(b []byte) []string {
	if d.keyboard != nil {
		b = d.keyboard.typed(b)
	}
	return d.framer.take(b)
}

// listen keeps the module open and hears what it scans, until ctx ends.
func (r *Reader) listen(ctx context.Context) {
	pause := shortestPause
	for {
		p, d, err := r.open()
		if err == nil {
			opened := time.Now()
			err = r.hear(ctx, p, d)
			if time.Since(opened) > longestPause {
				pause = shortestPause // it was no loose cable's flicker
			}
		}
		if ctx.Err() != nil {
			return
		}
		r.fail(err)
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		pause = min(2*pause, longestPause)
	}
}

// hear takes in what an open module scans, until it goes away.
func (r *Reader) hear(ctx context.Context, p port, d *decoder) error {
	defer p.Close()
	release := context.AfterFunc(ctx, func() { p.Close() })
	defer release()

	r.found()
	buf := make([]byte, 4096)
	var first, last time.Time // bytes of the text that has begun
	for {
		wait := beat
		if d.pending() {
			wait = r.idle
		}
		if err := p.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return r.lose(d, err)
		}
		n, err := p.Read(buf)
		now := time.Now()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			r.heard(now, last, now.Sub(first), d.pause)
		case err != nil:
			return r.lose(d, err)
		default:
			if !d.pending() {
				first = now
			}
			last = now
			if r.heard(now, now, now.Sub(first), func() []string { return d.take(buf[:n]) }) {
				first = now
			}
		}
	}
}

// heard notes that the module is there, and lays down the texts that ended, if any did.
func (r *Reader) heard(now, at time.Time, took time.Duration, ended func() []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alive = now
	texts := ended()
	for _, text := range texts {
		r.tray.put(gatehouse.Sighting{Text: text, At: at, Took: took})
		r.tell()
	}
	r.tray.forget(now)
	return len(texts) > 0
}

func (r *Reader) found() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alive, r.trouble = time.Now(), nil
}

// lose counts a module that went away, and a text that it left half.
func (r *Reader) lose(d *decoder, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return err
	}
	r.counts.Lost++
	if len(d.text) > 0 {
		r.counts.Cut++
	}
	return unplugged(err)
}

func (r *Reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tray.forget(time.Now())
	r.trouble = err
	r.tell()
}

// tell wakes a Next that waits. One word is enough, however much there is to tell.
func (r *Reader) tell() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// unplugged words the errors of a port that was open. A hang-up is read as io.EOF, which
// must not be passed on: it would say that there will never be another text.
func unplugged(err error) error {
	const advice = "plug the module in again, or try another cable"
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("unplugged: " + advice)
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		return fmt.Errorf("unplugged: %s: %w", advice, err)
	}
	return fmt.Errorf("read: %w: %s", err, advice)
}
