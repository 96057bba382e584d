package main

import (
	"errors"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
	single "github.com/makiuchi-d/gozxing/qrcode"

	"gatehouse/scanner/qr"
)

// gozxingOnce is the library as its manual shows it: one try with local thresholds.
func gozxingOnce(frame qr.Luma) []string {
	return gozxingTry(gozxing.NewHybridBinarizer(newPlane(frame)), false)
}

// gozxingAll makes each try that the library has until one gives a text: local thresholds,
// one threshold for all, several codes, light on dark.
func gozxingAll(frame qr.Luma) []string {
	plane := newPlane(frame)
	for _, source := range []gozxing.LuminanceSource{plane, plane.Invert()} {
		for _, way := range []func(gozxing.LuminanceSource) gozxing.Binarizer{gozxing.NewHybridBinarizer, gozxing.NewGlobalHistgramBinarizer} {
			for _, many := range []bool{false, true} {
				if texts := gozxingTry(way(source), many); len(texts) > 0 {
					return texts
				}
			}
		}
	}
	return nil
}

func gozxingTry(b gozxing.Binarizer, many bool) (texts []string) {
	// The library indexes out of range on some frames. That is a frame without a text.
	defer func() {
		if recover() != nil {
			texts = nil
		}
	}()
	bitmap, err := gozxing.NewBinaryBitmap(b)
	if err != nil {
		return nil
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	if !many {
		if r, err := single.NewQRCodeReader().Decode(bitmap, hints); err == nil {
			texts = append(texts, r.GetText())
		}
		return texts
	}
	results, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bitmap, hints)
	if err != nil {
		return nil
	}
	for _, r := range results {
		texts = append(texts, r.GetText())
	}
	return texts
}

// A plane shows tight luma to gozxing without a conversion.
type plane struct {
	gozxing.LuminanceSourceBase
	pix []byte
}

func newPlane(l qr.Luma) *plane {
	pix := l.Pix
	if l.Stride != l.Width {
		pix = tight(l)
	}
	return &plane{gozxing.LuminanceSourceBase{Width: l.Width, Height: l.Height}, pix[:l.Width*l.Height]}
}

// tight copies a frame without padding between its rows.
func tight(l qr.Luma) []byte {
	pix := make([]byte, 0, l.Width*l.Height)
	for y := range l.Height {
		pix = append(pix, l.Pix[y*l.Stride:][:l.Width]...)
	}
	return pix
}

func (p *plane) GetMatrix() []byte { return p.pix }

func (p *plane) GetRow(y int, row []byte) ([]byte, error) {
	if y < 0 || y >= p.Height {
		return nil, errors.New("row outside of the frame")
	}
	if len(row) < p.Width {
		row = make([]byte, p.Width)
	}
	copy(row, p.pix[y*p.Width:][:p.Width])
	return row, nil
}

func (p *plane) Invert() gozxing.LuminanceSource { return gozxing.LuminanceSourceInvert(p) }
func (p *plane) String() string                  { return gozxing.LuminanceSourceString(p) }
