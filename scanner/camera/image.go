package camera

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/webp"

	"gatehouse/scanner/qr"
)

// Bounds of an image file. The third is for pictures of many bytes a pixel: fifty
// megapixels of four bytes are the most that any image may take in memory.
const (
	maxFile   = 64 << 20
	maxMemory = 4 * qr.MaxPixels
	maxScans  = 256 // of a JPEG; encoders write a dozen
)

// A format knows its files by how they begin, and their size before the pixels are paid
// for.
type format struct {
	name   string
	starts []string // with ? for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

func formats() []format {
	return []format{
		{"png", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode},
		{"jpeg", []string{"\xff\xd8\xff"}, jpeg.DecodeConfig, jpeg.Decode},
		{"gif", []string{"GIF87a", "GIF89a"}, gif.DecodeConfig, gif.Decode},
		{"webp", []string{"RIFF????WEBP"}, webp.DecodeConfig, webp.Decode},
		{"pgm", []string{"P5", "P2"}, pgmConfig, decodePGM},
	}
}

// ReadFile reads the luma of an image file; see ReadImage.
func ReadFile(path string) (qr.Luma, error) {
	f, err := os.Open(path)
	if err != nil {
		return qr.Luma{}, err
	}
	defer f.Close()
	l, err := ReadImage(f)
	if err != nil {
		return qr.Luma{}, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// ReadImage reads the luma of a PNG, JPEG, GIF (its first picture), WebP or PGM of at most
// 50 megapixels and 64 MB, and not more than 200 MB when unpacked. The size is read from
// the head, before memory is taken for the pixels. What is transparent is white, as paper
// would be.
func ReadImage(r io.Reader) (qr.Luma, error) {
	file, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return qr.Luma{}, err
	}
	if len(file) > maxFile {
		return qr.Luma{}, fmt.Errorf("image: larger than %d MB", maxFile>>20)
	}
	for _, f := range formats() {
		for _, start := range f.starts {
			if begins(file, start) {
				return f.read(file)
			}
		}
	}
	return qr.Luma{}, errors.New("image: neither PNG, JPEG, GIF, WebP nor PGM")
}

func (f format) read(file []byte) (qr.Luma, error) {
	head, err := f.config(bytes.NewReader(file))
	if err != nil {
		return qr.Luma{}, fmt.Errorf("image: head of %s: %w", f.name, err)
	}
	pixels := int64(head.Width) * int64(head.Height)
	if head.Width < 1 || head.Height < 1 {
		return qr.Luma{}, fmt.Errorf("image: %s of %dx%d pixels", f.name, head.Width, head.Height)
	}
	if need := pixels * f.bytesPerPixel(file, head); pixels > qr.MaxPixels || need > maxMemory {
		return qr.Luma{}, fmt.Errorf("image: %s of %dx%d pixels is too large: at most %d megapixels and %d MB unpacked",
			f.name, head.Width, head.Height, qr.MaxPixels/1_000_000, maxMemory/1_000_000)
	}
	// A scan of a few bytes goes through all the pixels: a small file could take hours. The
	// marker cannot stand among coded pixels (ITU-T T.81, B.1.1.5).
	const scan = "\xff\xda" // SOS, table B.1
	if f.name == "jpeg" && bytes.Count(file, []byte(scan)) > maxScans {
		return qr.Luma{}, fmt.Errorf("image: jpeg of more than %d scans", maxScans)
	}
	img, err := f.decode(bytes.NewReader(file))
	if err != nil {
		return qr.Luma{}, fmt.Errorf("image: %s: %w", f.name, err)
	}
	return luma(img), nil
}

// bytesPerPixel is what the decoder takes for a pixel, at most.
func (f format) bytesPerPixel(file []byte, head image.Config) int64 {
	const progressive = "\xff\xc2" // SOF2, ITU-T T.81 table B.1
	switch {
	case f.name == "jpeg" && bytes.Contains(file, []byte(progressive)):
		return 16 // image/jpeg keeps 32-bit coefficients of up to four components
	case head.ColorModel == color.RGBA64Model, head.ColorModel == color.NRGBA64Model:
		return 8
	}
	return 4
}

func begins(file []byte, start string) bool {
	if len(file) < len(start) {
		return false
	}
	for i := range len(start) {
		if start[i] != '?' && start[i] != file[i] {
			return false
		}
	}
	return true
}
