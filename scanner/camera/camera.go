// Package camera gives frames: from a camera on the board, from a folder of images, or from
// a simulator.
//
// A source is named by a line: "v4l2:/dev/v4l/by-id/...", "file:frames", "sim:people.jsonl",
// "opencv:0". Frames are pulled, not pushed: whoever asks gets the newest, and what nobody
// asked for is dropped.
package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/scanner/qr"
)

// A Frame is one picture's plane of luma. The pixels belong to the source and are good
// until its next Next or Close.
type Frame struct {
	qr.Luma
	At  time.Time // when it was taken
	Seq uint64    // counts the source's frames from 1; a dropped frame leaves a gap
}

// A Source gives frames, the newest each time. Next waits for one that was not given
// before. Its error is the camera's trouble, and the next call may find it mended; ErrEnd
// means that there will be no more. Next and Close are for one goroutine.
type Source interface {
	Next(ctx context.Context) (Frame, error)
	Close() error
}

// ErrEnd is what a folder or a video gives when its last frame was given. It is an io.EOF.
var ErrEnd = fmt.Errorf("camera: no more frames: %w", io.EOF)

// ErrFrozen is a live camera that sends the same picture again and again.
var ErrFrozen = errors.New("the picture is frozen: unplug the camera and plug it in again")

// maxSource is the length of a source's line, in bytes.
const maxSource = 4096

// Open gives the source that the line names. A line that makes no sense, a folder or a
// script that is not there are its errors; a live camera that is not there is Next's, which
// looks for it again each time.
func Open(line string) (Source, error) {
	s, err := parse(line)
	if err != nil {
		return nil, fmt.Errorf("camera %.80q: %w", line, err)
	}
	var src Source
	switch s.scheme {
	case "file":
		src, err = openFolder(s)
	case "sim":
		src, err = openSim(s)
	case "v4l2":
		src, err = openV4L2(s)
	case "opencv":
		src, err = openOpenCV(s)
	default:
		err = errors.New("no such kind of camera: there are v4l2:, file:, sim: and opencv:")
	}
	if err != nil {
		return nil, fmt.Errorf("camera %s:%s: %w", s.scheme, s.path, err)
	}
	return src, nil
}

// A spec is a source's line taken apart.
type spec struct {
	scheme, path string
	options      url.Values
}

// parse takes "scheme:path?option=value&option=value" apart. The path is taken as it
// stands, up to the first question mark.
func parse(line string) (spec, error) {
	if len(line) > maxSource {
		return spec{}, fmt.Errorf("longer than %d bytes", maxSource)
	}
	head, query, _ := strings.Cut(line, "?")
	scheme, path, ok := strings.Cut(head, ":")
	if !ok {
		return spec{}, errors.New(`no kind of camera before a colon, as in "v4l2:/dev/video0"`)
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return spec{}, fmt.Errorf("options: %w", err)
	}
	return spec{scheme, path, options}, nil
}

// only refuses options that nobody would look at: a misspelt one must not pass for a
// default.
func (s spec) only(known ...string) error {
	for name, values := range s.options {
		if !slices.Contains(known, name) {
			return fmt.Errorf("option %q: %s: knows %s", name, s.scheme, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return fmt.Errorf("option %q is given %d times", name, len(values))
		}
	}
	return nil
}

// number reads a whole number from min to max; absent is the default.
func (s spec) number(name string, absent, min, max int64) (int64, error) {
	text := s.options.Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < min || n > max {
		return 0, fmt.Errorf("option %s=%.20q: want a whole number from %d to %d", name, text, min, max)
	}
	return n, nil
}

// The sizes that a source may be asked for, in pixels along a side.
const (
	minSide = 64
	maxSide = 8192
)

// size reads "1280x720"; absent is the default.
func (s spec) size(width, height int) (int, int, error) {
	text := s.options.Get("size")
	if text == "" {
		return width, height, nil
	}
	w, h, _ := strings.Cut(text, "x")
	width, err := strconv.Atoi(w)
	if err == nil {
		height, err = strconv.Atoi(h)
	}
	if err != nil || min(width, height) < minSide || max(width, height) > maxSide || width*height > qr.MaxPixels {
		return 0, 0, fmt.Errorf("option size=%.20q: want WIDTHxHEIGHT as in 1280x720, each side %d to %d", text, minSide, maxSide)
	}
	return width, height, nil
}

// waitUntil returns at a moment, or with ctx's error before it.
func waitUntil(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
