package camera

import (
	"image"
	"image/color"

	"gatehouse/scanner/qr"
)

// luma takes the brightness of a picture. Grey and YCbCr have it as a plane already, which
// is used as it stands.
func luma(img image.Image) qr.Luma {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	switch m := img.(type) {
	case *image.Gray:
		return qr.Luma{Pix: m.Pix[m.PixOffset(b.Min.X, b.Min.Y):], Width: w, Height: h, Stride: m.Stride}
	case *image.YCbCr:
		return qr.Luma{Pix: m.Y[m.YOffset(b.Min.X, b.Min.Y):], Width: w, Height: h, Stride: m.YStride}
	}
	l := qr.Luma{Pix: make([]byte, w*h), Width: w, Height: h, Stride: w}
	for y := range h {
		lumaRow(l.Pix[y*w:][:w], img, b.Min.X, b.Min.Y+y)
	}
	return l
}

// lumaRow fills to with the brightness of one row, from column x on.
func lumaRow(to []byte, img image.Image, x, y int) {
	switch m := img.(type) {
	case *image.NRGBA:
		from := m.Pix[m.PixOffset(x, y):]
		for i := range to {
			p := from[4*i:][:4]
			to[i] = onWhite(weigh(p[0], p[1], p[2]), p[3])
		}
	case *image.RGBA:
		from := m.Pix[m.PixOffset(x, y):]
		for i := range to {
			p := from[4*i:][:4]
			// Colours are multiplied by alpha already; white shines through the rest.
			to[i] = sum(weigh(p[0], p[1], p[2]), 255-p[3])
		}
	case *image.Paletted:
		var table [256]byte
		for i, c := range m.Palette[:min(len(m.Palette), 256)] {
			table[i] = brightness(c)
		}
		from := m.Pix[m.PixOffset(x, y):]
		for i := range to {
			to[i] = table[from[i]]
		}
	case *image.NYCbCrA:
		for i := range to {
			to[i] = onWhite(m.Y[m.YOffset(x+i, y)], m.A[m.AOffset(x+i, y)])
		}
	default:
		for i := range to {
			to[i] = brightness(img.At(x+i, y))
		}
	}
}

// brightness of any colour, over white.
func brightness(c color.Color) byte {
	r, g, b, a := c.RGBA()
	return sum(weigh(byte(r>>8), byte(g>>8), byte(b>>8)), byte(255-a>>8))
}

// weigh is the luma of ITU-R BT.601, in 16 bits of fraction.
func weigh(r, g, b byte) byte {
	return byte((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

func onWhite(y, alpha byte) byte {
	return byte((uint32(y)*uint32(alpha) + 255*(255-uint32(alpha)) + 127) / 255)
}

func sum(a, b byte) byte { return byte(min(int(a)+int(b), 255)) }
