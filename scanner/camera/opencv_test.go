//go:build opencv

package camera

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

// colours makes a picture that grey alone could not: every channel differs.
func colours(n int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 96, 64))
	for y := range 64 {
		for x := range 96 {
			copy(m.Pix[m.PixOffset(x, y):], []byte{byte(2 * x), byte(3 * y), byte(40*n + x), 255})
		}
	}
	return m
}

func TestOpenCVSeesTheSameLumaAsGo(t *testing.T) {
	dir := t.TempDir()
	for n := range 3 {
		file := encoded(t, func(w io.Writer) error { return png.Encode(w, colours(n)) })
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.png", n)), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cv, own := open(t, "opencv:"+filepath.Join(dir, "%03d.png")), open(t, "file:"+dir+"?fps=0")
	for n := range 3 {
		a, b := next(t, cv), next(t, own)
		compare(t, a, b, 2)
		if a.Seq != uint64(n+1) {
			t.Errorf("frame %d has number %d", n+1, a.Seq)
		}
	}
	if _, err := cv.Next(t.Context()); !errors.Is(err, ErrEnd) {
		t.Errorf("after the last image: %v", err)
	}
}

func TestOpenCVReadsAVideo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.avi")
	w, err := gocv.VideoWriterFile(path, "MJPG", 15, 96, 64, true)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		frame, err := gocv.ImageToMatRGB(colours(n))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(frame), frame.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src, small := open(t, "opencv:"+path), open(t, "opencv:"+path+"?size=192x128")
	for n := range 3 {
		f := next(t, src)
		compare(t, f, Frame{Luma: luma(colours(n))}, 12) // what JPEG loses
		if g := next(t, small); g.Width != 192 || g.Height != 128 {
			t.Errorf("scaled to %dx%d", g.Width, g.Height)
		}
	}
	if _, err := src.Next(t.Context()); !errors.Is(err, ErrEnd) {
		t.Errorf("after the last frame: %v", err)
	}
}

func TestOpenCVSaysWhatItCannotOpen(t *testing.T) {
	for line, want := range map[string]string{
		"opencv:" + filepath.Join(t.TempDir(), "gone.avi"): "gone.avi",
		"opencv:0?fps=1": "knows size",
	} {
		if _, err := Open(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func compare(t *testing.T, a, b Frame, tolerance int) {
	t.Helper()
	if a.Width != b.Width || a.Height != b.Height {
		t.Fatalf("%dx%d and %dx%d pixels", a.Width, a.Height, b.Width, b.Height)
	}
	for y := range a.Height {
		for x := range a.Width {
			p, q := int(a.Pix[y*a.Stride+x]), int(b.Pix[y*b.Stride+x])
			if p-q > tolerance || q-p > tolerance {
				t.Fatalf("brightness at %d,%d is %d and %d", x, y, p, q)
			}
		}
	}
}
