package camera

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"gatehouse/scanner/qr"
)

// Limits of a live camera. Drivers report a dead camera late or never, so the source
// watches for itself.
const (
	noFrameFor  = 2 * time.Second        // then the camera is gone
	frozenFor   = 10 * time.Second       // of equal frames: no sensor is that free of noise
	brokenFrame = 5                      // pictures in a row that cannot be decoded
	reopenPause = 500 * time.Millisecond // between two attempts to open
	freshFor    = 100 * time.Millisecond // a queue left alone for longer holds old frames
)

// A device is an open camera that streams.
type device interface {
	// wait returns true when a frame is there, and false after about a second without.
	wait() (bool, error)
	// take gives the oldest frame that waits; ok is false when there is none. It must be
	// given back before anything else is taken.
	take() (frame []byte, index uint32, ok bool, err error)
	giveBack(index uint32) error
	Close() error
}

// A mode is how a device lays its frames out.
type mode struct {
	format        pixels
	width, height int
	stride        int // bytes from row to row; no meaning for MJPEG
}

type pixels string

// The layouts that are understood, by their names in options.
const (
	mjpeg pixels = "mjpeg" // a JPEG each
	yuyv  pixels = "yuyv"  // luma in every second byte
	grey  pixels = "grey"  // luma alone
)

// A video is a camera that may be unplugged and plugged in again. Nothing is opened before
// the first Next, so that a gate can start, and say what is wrong, without its camera.
type video struct {
	path string
	open func() (device, mode, error)

	dev     device // nil while it is closed
	mode    mode
	openAt  time.Time // not before
	emptied time.Time // when the queue was found empty
	raw     []byte    // the frame as it came
	work    []byte    // luma of YUYV, or JPEG with tables put in
	broken  int
	seed    maphash.Seed
	sum     uint64 // of the last frame
	changed time.Time
	seq     uint64
}

func (v *video) Next(ctx context.Context) (Frame, error) {
	for {
		l, at, err := v.look(ctx)
		switch {
		case ctx.Err() != nil:
			return Frame{}, ctx.Err()
		case err != nil:
			// Closing is what helps against a driver that is stuck; the next call opens.
			v.drop()
			return Frame{}, fmt.Errorf("camera %s: %w", v.path, err)
		case l.Pix != nil:
			v.seq++
			return Frame{Luma: l, At: at, Seq: v.seq}, nil
		}
	}
}

// look takes one frame. A frame that cannot be decoded gives no pixels and, the first few
// times, no error: one cut-off picture is a loose cable's everyday.
func (v *video) look(ctx context.Context) (qr.Luma, time.Time, error) {
	if v.dev == nil {
		if err := v.reopen(ctx); err != nil {
			return qr.Luma{}, time.Time{}, err
		}
	}
	if err := v.newest(ctx); err != nil {
		return qr.Luma{}, time.Time{}, err
	}
	now := time.Now()
	if err := v.thaw(now); err != nil {
		return qr.Luma{}, now, err
	}
	l, err := v.luma()
	if err == nil {
		v.broken = 0
		return l, now, nil
	}
	if v.broken++; v.broken < brokenFrame {
		return qr.Luma{}, now, nil
	}
	return qr.Luma{}, now, fmt.Errorf("%d broken pictures in a row: is the cable loose? %w", v.broken, err)
}

func (v *video) reopen(ctx context.Context) (err error) {
	if err := waitUntil(ctx, v.openAt); err != nil {
		return err
	}
	v.openAt = time.Now().Add(reopenPause)
	if v.dev, v.mode, err = v.open(); err != nil {
		v.dev = nil
		return err
	}
	v.broken, v.sum, v.changed, v.emptied = 0, 0, time.Now(), time.Now()
	return nil
}

// newest copies the newest frame to raw and gives its buffer back. The copy comes first:
// the kernel writes the next frame into a buffer that it has back.
func (v *video) newest(ctx context.Context) error {
	begun := time.Now()
	// Whoever was busy for long finds frames from the beginning of that time: the driver
	// stops when its buffers are full. They are emptied out, and the next one is taken.
	old := begun.Sub(v.emptied) > freshFor
	for have := false; ; {
		frame, index, ok, err := v.dev.take()
		if err != nil {
			return err
		}
		if ok {
			if !old && len(frame) > 0 {
				v.raw = append(v.raw[:0], frame...)
				have = true
			}
			if err := v.dev.giveBack(index); err != nil {
				return err
			}
			if time.Since(begun) < noFrameFor {
				continue // there may be a newer one; but nobody is outrun for ever
			}
		}
		old, v.emptied = false, time.Now()
		if have {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Since(begun) >= noFrameFor {
			return fmt.Errorf("no frame for %v: is the camera plugged in?", noFrameFor)
		}
		if _, err := v.dev.wait(); err != nil {
			return err
		}
	}
}

// thaw is an error when the picture has not changed in a single bit for long.
func (v *video) thaw(now time.Time) error {
	sum := maphash.Bytes(v.seed, v.raw)
	if sum != v.sum {
		v.sum, v.changed = sum, now
		return nil
	}
	if now.Sub(v.changed) < frozenFor {
		return nil
	}
	return ErrFrozen
}

// luma is the brightness of raw.
func (v *video) luma() (l qr.Luma, err error) {
	m := v.mode
	switch m.format {
	case mjpeg:
		l, v.work, err = mjpegLuma(v.raw, v.work)
		return l, err
	case grey:
		l = qr.Luma{Pix: v.raw, Width: m.width, Height: m.height, Stride: m.stride}
	case yuyv:
		if m.stride < 2*m.width || len(v.raw) < m.stride*(m.height-1)+2*m.width {
			return qr.Luma{}, fmt.Errorf("frame of %d bytes for %dx%d yuyv", len(v.raw), m.width, m.height)
		}
		v.work = yuyvLuma(v.work[:0], v.raw, m)
		l = qr.Luma{Pix: v.work, Width: m.width, Height: m.height, Stride: m.width}
	}
	if !l.Valid() {
		return qr.Luma{}, fmt.Errorf("frame of %d bytes for %dx%d %s", len(v.raw), m.width, m.height, m.format)
	}
	return l, nil
}

// yuyvLuma appends every second byte of each row: Y0 U Y1 V (V4L2_PIX_FMT_YUYV).
func yuyvLuma(to, raw []byte, m mode) []byte {
	for y := range m.height {
		row := raw[y*m.stride:][:2*m.width]
		for x := 0; x < len(row); x += 2 {
			to = append(to, row[x])
		}
	}
	return to
}

func (v *video) drop() {
	if v.dev != nil {
		// The camera is given up: that closing it fails too tells nobody anything.
		_ = v.dev.Close()
		v.dev = nil
	}
}

func (v *video) Close() error {
	if v.dev == nil {
		return nil
	}
	err := v.dev.Close()
	v.dev = nil
	return err
}

// wanted is what a line asks of a live camera.
type wanted struct {
	width, height int
	fps           int64
	format        pixels // empty: the one that costs least
}

func wantedMode(s spec) (w wanted, err error) {
	if s.path == "" {
		return w, errors.New("no device: as in v4l2:/dev/v4l/by-id/...")
	}
	if err := s.only("size", "fps", "format"); err != nil {
		return w, err
	}
	if w.width, w.height, err = s.size(1280, 720); err != nil {
		return w, err
	}
	if w.fps, err = s.number("fps", 30, 1, 240); err != nil {
		return w, err
	}
	w.format = pixels(s.options.Get("format"))
	switch w.format {
	case "", mjpeg, yuyv, grey:
		return w, nil
	}
	return w, fmt.Errorf("option format=%.20q: there are mjpeg, yuyv and grey", w.format)
}
