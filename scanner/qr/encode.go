package qr

import (
	"fmt"
	"image"

	levels "github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

// Level is how much of a code may be lost: about 7, 15, 25 or 30 per cent
// (ISO/IEC 18004, 7.5.1).
type Level uint8

// The levels of error correction.
const (
	L Level = iota
	M
	Q
	H
)

// QuietZone is the light border that a code needs, in modules (ISO/IEC 18004, 6.3.8).
const QuietZone = 4

// A Matrix is a code as squares, without its quiet zone.
type Matrix struct {
	size int
	dark []bool
}

// Size is the number of modules along one side: 21 to 177.
func (m Matrix) Size() int { return m.size }

// Dark reports whether the module in column x and row y is dark. Outside it is light.
func (m Matrix) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < m.size && y < m.size && m.dark[y*m.size+x]
}

// Encode makes the smallest code that holds the text. A text that is empty or fits no
// version at that level is an error.
func Encode(text string, level Level) (Matrix, error) {
	order := [...]levels.ErrorCorrectionLevel{
		levels.ErrorCorrectionLevel_L, levels.ErrorCorrectionLevel_M,
		levels.ErrorCorrectionLevel_Q, levels.ErrorCorrectionLevel_H,
	}
	if text == "" {
		return Matrix{}, fmt.Errorf("encode a QR code: there is no text")
	}
	if int(level) >= len(order) {
		return Matrix{}, fmt.Errorf("encode a QR code: there is no level %d", level)
	}
	drawn, err := encoder.Encoder_encode(text, order[level], nil)
	if err != nil {
		return Matrix{}, fmt.Errorf("encode a QR code of %d bytes: %w", len(text), err)
	}
	rows := drawn.GetMatrix()
	m := Matrix{size: rows.GetWidth(), dark: make([]bool, rows.GetWidth()*rows.GetWidth())}
	for y := range m.size {
		for x := range m.size {
			m.dark[y*m.size+x] = rows.Get(x, y) == 1
		}
	}
	return m, nil
}

// Image draws the code with its quiet zone, each module scale pixels wide, 1 to 32.
func (m Matrix) Image(scale int) *image.Gray {
	scale = min(max(scale, 1), 32)
	side := (m.size + 2*QuietZone) * scale
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !m.Dark(x/scale-QuietZone, y/scale-QuietZone) {
				img.Pix[y*img.Stride+x] = 255
			}
		}
	}
	return img
}
