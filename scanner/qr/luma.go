package qr

import "encoding/binary"

// Luma is one grey picture, a byte a pixel, 0 black and 255 white. Row y begins
// at Pix[y*Stride]. The reader only looks at it; it keeps no reference.
type Luma struct {
	Pix                   []byte
	Width, Height, Stride int
}

// Bounds on what is looked at: a code needs 21 modules of a pixel and a half,
// and a picture above MaxPixels is refused rather than worked through.
const (
	minSide = 24
	maxSide = 1 << 15

	// MaxPixels is the largest picture that is looked at: 50 megapixels.
	MaxPixels = 50_000_000
)

// Valid reports whether the plane holds what its sizes promise, and no more than MaxPixels.
func (l Luma) Valid() bool {
	if l.Width < 1 || l.Height < 1 || l.Stride < l.Width {
		return false
	}
	// 64 bits: a product of sizes overflows an int of the 32-bit boards.
	if int64(l.Width)*int64(l.Height) > MaxPixels {
		return false
	}
	return int64(l.Stride)*int64(l.Height-1)+int64(l.Width) <= int64(len(l.Pix))
}

// valid reports whether the picture is one that a code can be in, too.
func (l Luma) valid() bool {
	return l.Valid() && min(l.Width, l.Height) >= minSide && max(l.Width, l.Height) <= maxSide
}

// third writes the picture at a third of its size into dst, each pixel the mean
// of nine, and returns it with the buffer grown to fit. Close-ups are found
// there, and the pixel grid of a screen averages out.
func third(src Luma, buf []byte) (Luma, []byte) {
	w, h := src.Width/3, src.Height/3
	buf = grow(buf, w*h)
	for y := range h {
		o := 3 * y * src.Stride
		r0 := src.Pix[o : o+src.Width]
		r1 := src.Pix[o+src.Stride : o+src.Stride+src.Width]
		r2 := src.Pix[o+2*src.Stride : o+2*src.Stride+src.Width]
		out := buf[y*w : y*w+w]
		x := 0
		for ; x+8 <= w; x += 8 {
			i := 3 * x
			e0, o0 := columnSums(r0[i:], r1[i:], r2[i:])
			e1, o1 := columnSums(r0[i+8:], r1[i+8:], r2[i+8:])
			e2, o2 := columnSums(r0[i+16:], r1[i+16:], r2[i+16:])
			q := out[x : x+8 : x+8]
			q[0] = ninth(e0 + o0 + e0>>16)
			q[1] = ninth(o0>>16 + e0>>32 + o0>>32)
			q[2] = ninth(e0>>48 + o0>>48 + e1)
			q[3] = ninth(o1 + e1>>16 + o1>>16)
			q[4] = ninth(e1>>32 + o1>>32 + e1>>48)
			q[5] = ninth(o1>>48 + e2 + o2)
			q[6] = ninth(e2>>16 + o2>>16 + e2>>32)
			q[7] = ninth(o2>>32 + e2>>48 + o2>>48)
		}
		for ; x < w; x++ {
			i := 3 * x
			s := 0
			for _, v := range [9]byte{r0[i], r0[i+1], r0[i+2], r1[i], r1[i+1], r1[i+2], r2[i], r2[i+1], r2[i+2]} {
				s += int(v)
			}
			out[x] = byte(s / 9)
		}
	}
	return Luma{Pix: buf, Width: w, Height: h, Stride: w}, buf
}

// lanes keeps the even bytes of a word as four 16-bit lanes.
const lanes = 0x00FF00FF00FF00FF

// columnSums adds eight columns of three rows: even and odd columns, four 16-bit
// lanes each.
func columnSums(a, b, c []byte) (even, odd uint64) {
	x, y, z := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(c)
	return x&lanes + y&lanes + z&lanes, x>>8&lanes + y>>8&lanes + z>>8&lanes
}

// ninth divides the low lane, at most 9*255, by nine. 7282 = ceil(2^16/9).
func ninth(s uint64) byte { return byte((s & 0xFFFF) * 7282 >> 16) }

// grey is the bilinear brightness at x, y; outside, the nearest pixel's.
func (l *Luma) grey(x, y float64) float64 {
	x -= 0.5
	y -= 0.5
	x = min(max(x, 0), float64(l.Width-1)-1e-6)
	y = min(max(y, 0), float64(l.Height-1)-1e-6)
	ix, iy := int(x), int(y)
	fx, fy := x-float64(ix), y-float64(iy)
	p := l.Pix[iy*l.Stride+ix:]
	a, b := float64(p[0]), float64(p[1])
	c, e := float64(p[l.Stride]), float64(p[l.Stride+1])
	a += (b - a) * fx
	c += (e - c) * fx
	return a + (c-a)*fy
}

// grow returns a slice of n elements, the old one where it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
