package camera

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shades draws a picture whose brightness grows from left to right.
func shades(t testing.TB, m interface {
	image.Image
	Set(x, y int, c color.Color)
}) image.Image {
	t.Helper()
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			m.Set(x, y, color.Gray{Y: byte((x - b.Min.X) * 8)})
		}
	}
	return m
}

func encoded(t testing.TB, encode func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryKindOfImageGivesTheSameLuma(t *testing.T) {
	r := image.Rect(0, 0, 32, 16)
	var greys color.Palette
	for v := range 256 {
		greys = append(greys, color.Gray{Y: byte(v)})
	}
	of := func(m image.Image) func(io.Writer) error {
		return func(w io.Writer) error { return png.Encode(w, m) }
	}
	for name, file := range map[string][]byte{
		"grey":     encoded(t, of(shades(t, image.NewGray(r)))),
		"grey 16":  encoded(t, of(shades(t, image.NewGray16(r)))),
		"rgba":     encoded(t, of(shades(t, image.NewRGBA(r)))),
		"nrgba 16": encoded(t, of(shades(t, image.NewNRGBA64(r)))),
		"palette":  encoded(t, of(shades(t, image.NewPaletted(r, greys)))),
		"jpeg":     encoded(t, func(w io.Writer) error { return jpeg.Encode(w, shades(t, image.NewRGBA(r)), nil) }),
		"gif": encoded(t, func(w io.Writer) error {
			return gif.Encode(w, shades(t, image.NewPaletted(r, greys)), nil)
		}),
		"pgm":       append([]byte("P5 # made by hand\n32 16\n255\n"), shadesPix()...),
		"plain pgm": []byte("P2\n32 16 31\n" + strings.Repeat("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31\n", 16)),
	} {
		l, err := ReadImage(bytes.NewReader(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l.Width != 32 || l.Height != 16 || !l.Valid() {
			t.Errorf("%s: %dx%d, valid %v", name, l.Width, l.Height, l.Valid())
			continue
		}
		for x := range 32 {
			if got, want := int(l.Pix[9*l.Stride+x]), x*8; got < want-8 || got > want+8 {
				t.Errorf("%s: brightness at %d is %d, want %d", name, x, got, want)
				break
			}
		}
	}
}

func shadesPix() []byte {
	pix := make([]byte, 32*16)
	for i := range pix {
		pix[i] = byte(i % 32 * 8)
	}
	return pix
}

func TestPartOfAPictureIsReadFromItsPlace(t *testing.T) {
	for name, m := range map[string]image.Image{
		"grey":  shades(t, image.NewGray(image.Rect(0, 0, 32, 16))).(*image.Gray).SubImage(image.Rect(8, 4, 20, 10)),
		"nrgba": shades(t, image.NewNRGBA(image.Rect(0, 0, 32, 16))).(*image.NRGBA).SubImage(image.Rect(8, 4, 20, 10)),
		"rgba":  shades(t, image.NewRGBA(image.Rect(0, 0, 32, 16))).(*image.RGBA).SubImage(image.Rect(8, 4, 20, 10)),
	} {
		l := luma(m)
		if !l.Valid() || l.Width != 12 || l.Height != 6 {
			t.Fatalf("%s: %dx%d, valid %v", name, l.Width, l.Height, l.Valid())
		}
		if got := l.Pix[5*l.Stride+11]; got != 19*8 {
			t.Errorf("%s: last pixel is %d, want %d", name, got, 19*8)
		}
	}
}

func TestTransparentIsWhite(t *testing.T) {
	clear := color.NRGBA{}
	half := color.NRGBA{A: 128}
	for name, m := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"nrgba":    image.NewNRGBA(image.Rect(0, 0, 2, 1)),
		"rgba":     image.NewRGBA(image.Rect(0, 0, 2, 1)),
		"nrgba 16": image.NewNRGBA64(image.Rect(0, 0, 2, 1)),
		"palette":  image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{clear, half}),
	} {
		m.Set(0, 0, clear)
		m.Set(1, 0, half)
		if l := luma(m); l.Pix[0] != 255 || l.Pix[1] < 126 || l.Pix[1] > 128 {
			t.Errorf("%s: clear black is %d, half clear %d; want 255 and 127", name, l.Pix[0], l.Pix[1])
		}
	}
}

// bombs are files of a few bytes whose heads promise more than a board has.
func bombs() map[string][]byte {
	head := []byte("\x00\x00\x27\x10\x00\x00\x27\x10\x08\x00\x00\x00\x00") // 10,000 x 10,000 grey
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	body := append([]byte("IHDR"), head...)
	chunk = binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
	deep := append([]byte("IHDR"), "\x00\x00\x1b\x58\x00\x00\x1b\x58\x10\x06\x00\x00\x00"...) // 7,000 x 7,000 of 8 bytes
	deepChunk := binary.BigEndian.AppendUint32(append([]byte{0, 0, 0, 13}, deep...), crc32.ChecksumIEEE(deep))
	const jfif = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	return map[string][]byte{
		"png":       append([]byte("\x89PNG\r\n\x1a\n"), chunk...),
		"deep":      append([]byte("\x89PNG\r\n\x1a\n"), deepChunk...),
		"gif":       []byte("GIF89a\x10\x27\x10\x27\x00\x00\x00"),
		"jpeg":      []byte(jfif + "\xff\xc0\x00\x0b\x08\x27\x10\x27\x10\x01\x01\x11\x00"),
		"slow jpeg": []byte(jfif + "\xff\xc2\x00\x0b\x08\x10\x00\x10\x00\x01\x01\x11\x00"),
		"webp":      []byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x0f\x27\x00\x0f\x27\x00"),
		"pgm":       []byte("P5 10000 10000 255\n"),
		"wide":      []byte("P5 999999 999999 255\n"),
	}
}

func TestHundredMegapixelImageIsRefusedBeforeItIsDecoded(t *testing.T) {
	for name, file := range bombs() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadImage(bytes.NewReader(file))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%s: %v, want too large", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%s: took %d bytes of memory", name, took)
		}
	}
}

// Each scan is a few bytes long and goes through all the pixels.
func TestJPEGOfManyScansIsRefused(t *testing.T) {
	scans := func(n int) []byte {
		file := []byte("\xff\xd8\xff\xc2\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00")       // progressive, 16x16 grey
		file = append(file, "\xff\xc4\x00\x14\x10\x01"+strings.Repeat("\x00", 15)+"\xe0"...) // one AC code: an end of 2^14 and more blocks
		for range n {
			file = append(file, "\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x00\x01"...)
		}
		return append(file, 0xff, 0xd9)
	}
	if _, err := ReadImage(bytes.NewReader(scans(maxScans + 1))); err == nil || !strings.Contains(err.Error(), "scans") {
		t.Errorf("%d scans: %v", maxScans+1, err)
	}
	if l, err := ReadImage(bytes.NewReader(scans(maxScans))); err != nil || l.Width != 16 {
		t.Errorf("%d scans: %dx%d, %v", maxScans, l.Width, l.Height, err)
	}
}

func TestFileWithoutEndIsRefused(t *testing.T) {
	if _, err := ReadImage(zeros{}); err == nil || !strings.Contains(err.Error(), "larger than 64 MB") {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBrokenImageIsAnError(t *testing.T) {
	whole := encoded(t, func(w io.Writer) error { return png.Encode(w, shades(t, image.NewGray(image.Rect(0, 0, 32, 16)))) })
	for name, file := range map[string][]byte{
		"empty":           {},
		"text":            []byte("hello"),
		"cut png":         whole[:len(whole)-30],
		"head only":       whole[:20],
		"cut jpeg":        []byte("\xff\xd8\xff\xe0\x00\x10JFIF"),
		"cut pgm":         []byte("P5 4 4 255\n123456"),
		"cut wide pgm":    []byte("P5 1 1 65535\n1"),
		"pgm of nothing":  []byte("P5 0 4 255\n"),
		"pgm no white":    []byte("P5 4 4 0\n1234567890123456"),
		"pgm white":       []byte("P5 4 4 65536\n1234567890123456"),
		"pgm above white": []byte("P2 1 1 7 8"),
		"pgm letters":     []byte("P5 four 4 255\n"),
		"pgm comment":     []byte("P5 # without end"),
		"pgm digits":      []byte("P5 1000000000000 4 255\n"),
		"pbm":             []byte("P4 4 4\n1234"),
	} {
		if l, err := ReadImage(bytes.NewReader(file)); err == nil {
			t.Errorf("%s: %dx%d pixels, want an error", name, l.Width, l.Height)
		}
	}
}

func folderOf(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolderGoesOnAfterABrokenImage(t *testing.T) {
	dir := folderOf(t, map[string][]byte{
		"a.pgm":     []byte("P5 1 1 255\na"),
		"b.PNG":     []byte("no picture"),
		"c.pgm":     []byte("P5 1 1 255\nc"),
		"notes.txt": []byte("not looked at"),
	})
	src := open(t, "file:"+dir+"?fps=0")
	if f := next(t, src); f.Pix[0] != 'a' || f.Seq != 1 {
		t.Errorf("first frame %d is %q", f.Seq, f.Pix)
	}
	if _, err := src.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "b.PNG") || errors.Is(err, io.EOF) {
		t.Errorf("broken image: %v, want its name", err)
	}
	if f := next(t, src); f.Pix[0] != 'c' {
		t.Errorf("frame after the broken one is %q", f.Pix)
	}
	for range 2 {
		if _, err := src.Next(t.Context()); !errors.Is(err, ErrEnd) || !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v, want %v", err, ErrEnd)
		}
	}
}

func TestFolderLoopsAtItsRate(t *testing.T) {
	dir := folderOf(t, map[string][]byte{"a.pgm": []byte("P5 1 1 255\na"), "b.pgm": []byte("P5 1 1 255\nb")})
	synctest.Test(t, func(t *testing.T) {
		src := open(t, "file:"+dir+"?loop=1&fps=4")
		begun := time.Now()
		for i, want := range "ababa" {
			f := next(t, src)
			if f.Pix[0] != byte(want) || f.At.Sub(begun) != time.Duration(i)*time.Second/4 {
				t.Errorf("frame %d is %q at %v, want %q", i, f.Pix, f.At.Sub(begun), want)
			}
		}
	})
	one := next(t, open(t, "file:"+filepath.Join(dir, "b.pgm")))
	if one.Pix[0] != 'b' {
		t.Errorf("a single file gave %q", one.Pix)
	}
}

func TestLineThatMakesNoSenseIsRefused(t *testing.T) {
	empty := t.TempDir()
	for line, want := range map[string]string{
		"":                             "colon",
		"/dev/video0":                  "colon",
		"usb:0":                        "no such kind",
		"file:" + empty:                "no images",
		"file:" + empty + "/gone":      "no such file",
		"file:x?frames=1":              "knows loop, fps",
		"file:x?fps=1&fps=2":           "2 times",
		"file:x?fps=fast":              "0 to 240",
		"file:x?loop=yes":              "0 to 1",
		"file:x?%zz":                   "options",
		"sim:gone.jsonl":               "no such file",
		"sim:?size=big":                "1280x720",
		"sim:?size=10x10":              "64 to 8192",
		"sim:?size=8192x8192":          "1280x720",
		"sim:?fps=0":                   "1 to 240",
		"sim:?start=-5":                "start",
		"v4l2:":                        "no device",
		"v4l2:/dev/video0?rate=1":      "knows size, fps, format",
		"v4l2:/dev/video0?format=h264": "mjpeg, yuyv and grey",
		strings.Repeat("x", 5000):      "longer",
	} {
		if src, err := Open(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, %v; want %q in the error", line, src, err, want)
		} else if len(err.Error()) > 300 {
			t.Errorf("%.40q: the error is %d bytes long", line, len(err.Error()))
		}
	}
}

func FuzzImage(f *testing.F) {
	small := image.Rect(0, 0, 5, 3)
	f.Add(encoded(f, func(w io.Writer) error { return png.Encode(w, shades(f, image.NewNRGBA(small))) }))
	f.Add(encoded(f, func(w io.Writer) error { return jpeg.Encode(w, shades(f, image.NewRGBA(small)), nil) }))
	f.Add(encoded(f, func(w io.Writer) error { return gif.Encode(w, shades(f, image.NewRGBA(small)), nil) }))
	f.Add([]byte("P5 #c\n2 2 65535\n12345678"))
	f.Add([]byte("P2 2 1 9 4 5"))
	f.Fuzz(func(t *testing.T, file []byte) {
		l, err := ReadImage(bytes.NewReader(file))
		if err == nil && !l.Valid() {
			t.Fatalf("%dx%d, stride %d, %d bytes", l.Width, l.Height, l.Stride, len(l.Pix))
		}
	})
}
