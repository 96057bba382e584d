package camera

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"image"
	"image/jpeg"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeCamera is a driver with a few buffers: it fills them and then stops, as V4L2 does.
// It overwrites a buffer as soon as it has it back.
type fakeCamera struct {
	every  time.Duration // from frame to frame
	frame  func(n int) []byte
	err    error // of take and wait
	queue  []int // filled buffers
	made   int
	begun  time.Time
	lent   []byte
	closed bool
}

const fakeBuffers = 4

func (c *fakeCamera) fill() {
	for c.every > 0 && time.Since(c.begun) >= time.Duration(c.made+1)*c.every {
		c.made++
		if len(c.queue) < fakeBuffers {
			c.queue = append(c.queue, c.made)
		}
	}
}

func (c *fakeCamera) wait() (bool, error) {
	for range 100 {
		if c.fill(); c.err != nil || len(c.queue) > 0 {
			return len(c.queue) > 0, c.err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false, nil
}

func (c *fakeCamera) take() ([]byte, uint32, bool, error) {
	if c.fill(); c.err != nil || len(c.queue) == 0 {
		return nil, 0, false, c.err
	}
	n := c.queue[0]
	c.queue = c.queue[1:]
	c.lent = c.frame(n)
	return c.lent, uint32(n), true, nil
}

func (c *fakeCamera) giveBack(uint32) error {
	for i := range c.lent {
		c.lent[i] = 0xEE
	}
	return nil
}

func (c *fakeCamera) Close() error { c.closed = true; return nil }

// greys numbers each frame by its pixels.
func greys(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 64) }

// plug gives a video whose n-th opening finds the n-th camera; nil is an empty socket.
func plug(m mode, cameras ...*fakeCamera) *video {
	opened := 0
	return &video{path: "/dev/fake", seed: maphash.MakeSeed(), open: func() (device, mode, error) {
		c := cameras[min(opened, len(cameras)-1)]
		opened++
		if c == nil {
			return nil, mode{}, errors.New("open: no such device")
		}
		c.begun = time.Now()
		return c, m, nil
	}}
}

var _ device = (*fakeCamera)(nil)

func eight() mode { return mode{format: grey, width: 8, height: 8, stride: 8} }

func TestLiveCameraGivesTheNewestFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCamera{every: 33 * time.Millisecond, frame: greys}
		src := plug(eight(), c)
		if f := next(t, src); f.Pix[0] != 1 || f.Pix[63] != 1 {
			t.Errorf("first frame shows %d", f.Pix[0])
		}
		time.Sleep(3 * time.Second) // a busy lane: the driver's buffers hold the frames 2 to 5
		f := next(t, src)
		if want := c.made; int(f.Pix[0]) != want || time.Since(f.At) > 33*time.Millisecond {
			t.Errorf("after three seconds frame %d is given, want %d", f.Pix[0], want)
		}
		if g := next(t, src); int(g.Pix[0]) != c.made || g.Seq != f.Seq+1 {
			t.Errorf("then frame %d, number %d", g.Pix[0], g.Seq)
		}
	})
}

func TestSilentCameraIsGoneAfterTwoSecondsAndFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &fakeCamera{frame: greys}
		good := &fakeCamera{every: 33 * time.Millisecond, frame: greys}
		src := plug(eight(), silent, nil, good)
		begun := time.Now()
		if _, err := src.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "/dev/fake: no frame for 2s") {
			t.Errorf("silent camera: %v", err)
		}
		if took := time.Since(begun); took < noFrameFor || took > noFrameFor+time.Second {
			t.Errorf("said so after %v", took)
		}
		if !silent.closed {
			t.Error("the silent camera is still open")
		}
		if _, err := src.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "no such device") {
			t.Errorf("unplugged: %v", err)
		}
		lost := time.Now()
		if f := next(t, src); f.Pix[0] != 1 {
			t.Errorf("plugged in again: frame %d", f.Pix[0])
		}
		if pause := time.Since(lost); pause < reopenPause {
			t.Errorf("opened again after %v: the bus would be kept busy", pause)
		}
		if err := src.Close(); err != nil || !good.closed {
			t.Errorf("close: %v, closed %v", err, good.closed)
		}
	})
}

func TestCameraThatIsPulledOutIsAnErrorAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCamera{every: 33 * time.Millisecond, frame: greys}
		src := plug(eight(), c)
		next(t, src)
		c.err = errors.New("no such device")
		begun := time.Now()
		if _, err := src.Next(t.Context()); !errors.Is(err, c.err) || time.Since(begun) > 0 {
			t.Errorf("pulled out: %v after %v", err, time.Since(begun))
		}
	})
}

func TestFrozenPictureIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := plug(eight(), &fakeCamera{every: 100 * time.Millisecond, frame: func(n int) []byte { return greys(min(n, 5)) }})
		begun := time.Now()
		for {
			_, err := src.Next(t.Context())
			if err == nil && time.Since(begun) < time.Minute {
				continue
			}
			if !errors.Is(err, ErrFrozen) {
				t.Errorf("got %v, want %v", err, ErrFrozen)
			}
			if after := time.Since(begun); after < frozenFor || after > frozenFor+time.Second {
				t.Errorf("said so after %v", after)
			}
			return
		}
	})
}

func TestFewBrokenPicturesAreSkippedManyAreAnError(t *testing.T) {
	whole := encoded(t, func(w io.Writer) error {
		return jpeg.Encode(w, shades(t, image.NewRGBA(image.Rect(0, 0, 32, 16))), nil)
	})
	at := func(cut func(n int) bool) func(int) []byte {
		return func(n int) []byte {
			frame := bytes.Clone(whole)
			if cut(n) {
				return append(frame[:len(frame)/2], byte(n))
			}
			return append(frame, byte(n)) // padding that differs, as a live picture does
		}
	}
	m := mode{format: mjpeg}
	synctest.Test(t, func(t *testing.T) {
		src := plug(m, &fakeCamera{every: 33 * time.Millisecond, frame: at(func(n int) bool { return n%5 != 0 })})
		for range 3 {
			if f := next(t, src); f.Width != 32 || f.Height != 16 {
				t.Errorf("%dx%d pixels", f.Width, f.Height)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		src := plug(m, &fakeCamera{every: 33 * time.Millisecond, frame: at(func(n int) bool { return true })})
		if _, err := src.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "5 broken pictures in a row") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWaitingForACameraEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := plug(eight(), &fakeCamera{frame: greys})
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if _, err := src.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLumaOfEachLayout(t *testing.T) {
	padded := []byte{1, 0, 2, 0, 99, 99, 3, 0, 4, 0, 99, 99}
	for _, c := range []struct {
		name string
		m    mode
		raw  []byte
		want []byte // nil: an error
	}{
		{"grey", mode{grey, 2, 2, 2}, []byte{1, 2, 3, 4}, []byte{1, 2, 3, 4}},
		{"padded grey", mode{grey, 2, 2, 3}, []byte{1, 2, 9, 3, 4}, []byte{1, 2, 3, 4}},
		{"short grey", mode{grey, 2, 2, 2}, []byte{1, 2, 3}, nil},
		{"yuyv", mode{yuyv, 2, 2, 4}, []byte{1, 128, 2, 128, 3, 128, 4, 128}, []byte{1, 2, 3, 4}},
		{"padded yuyv", mode{yuyv, 2, 2, 6}, padded, []byte{1, 2, 3, 4}},
		{"short yuyv", mode{yuyv, 2, 2, 4}, make([]byte, 7), nil},
		{"stride too short", mode{yuyv, 2, 2, 3}, make([]byte, 8), nil},
		{"no stride", mode{grey, 2, 2, 0}, make([]byte, 8), nil},
		{"no jpeg", mode{format: mjpeg}, []byte("hello"), nil},
	} {
		v := video{mode: c.m, raw: c.raw}
		l, err := v.luma()
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: %dx%d, want an error", c.name, l.Width, l.Height)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []byte
		for y := range l.Height {
			got = append(got, l.Pix[y*l.Stride:][:l.Width]...)
		}
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMotionJPEGWithoutTablesGetsTheStandardOnes(t *testing.T) {
	whole := encoded(t, func(w io.Writer) error {
		return jpeg.Encode(w, shades(t, image.NewRGBA(image.Rect(0, 0, 32, 16))), nil)
	})
	at := bytes.Index(whole, []byte{0xFF, markDHT})
	if at < 0 {
		t.Fatal("the encoder wrote no tables")
	}
	end := at + 2 + int(whole[at+2])<<8 + int(whole[at+3])
	bare := append(bytes.Clone(whole[:at]), whole[end:]...)
	if _, err := ReadImage(bytes.NewReader(bare)); err == nil {
		t.Fatal("the standard library fills in the tables: mjpegLuma is not needed")
	}
	want, _, err := mjpegLuma(whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, work, err := mjpegLuma(bare, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Pix, want.Pix) || got.Width != 32 {
		t.Error("another picture without its tables")
	}
	if len(work) != len(bare)+4+len(standardTables) {
		t.Errorf("%d bytes with tables, of %d without", len(work), len(bare))
	}
}

func FuzzMJPEG(f *testing.F) {
	f.Add(encoded(f, func(w io.Writer) error { return jpeg.Encode(w, image.NewGray(image.Rect(0, 0, 9, 9)), nil) }))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xda\x00\x02"))
	f.Add([]byte("\xff\xd8\xff\xdb\x00\x00\xff\xda"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if l, _, err := mjpegLuma(frame, nil); err == nil && !l.Valid() {
			t.Fatalf("%dx%d of %d bytes", l.Width, l.Height, len(l.Pix))
		}
	})
}
