// Package qr reads the texts of the QR codes in a frame, and draws codes.
//
// The seam is one call: a plane of luma goes in, texts come out, left to right. What stands
// behind it is gozxing's detector and decoder (github.com/makiuchi-d/gozxing, after ZXing).
package qr

import (
	"cmp"
	"slices"
)

// MaxPixels is the largest frame that is looked at: 50 megapixels.
const MaxPixels = 50_000_000

// Luma is a plane of brightness, 0 black to 255 white. Row y begins at Pix[y*Stride].
type Luma struct {
	Pix           []byte
	Width, Height int
	Stride        int // bytes from one row to the next, at least Width
}

// Valid reports whether the plane holds what its sizes promise, and no more than
// MaxPixels.
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

// A Reader finds codes in frames. It keeps buffers from one frame to the next and is not
// for concurrent use. The zero value is ready.
//
// A camera shows the same scene again in a thirtieth of a second, so a frame without a
// result is given up early: the likely try on every frame, and one of the unlikely ones
// (overlapping candidates, another threshold, light on dark) in turn. A photograph comes
// once: Thorough makes all tries on it.
type Reader struct {
	Thorough bool

	// Panics counts the times that the decoder broke down on a frame and was caught.
	Panics uint64

	turn  int
	tight []byte // rows without padding
	dark  []byte // the frame with black and white exchanged
	found []code
}

// A code is a text and where it was.
type code struct {
	text string
	x    float64 // centre, in pixels from the left
}

// Read gives the texts of the codes in a frame, left to right, each once. A frame that is
// not Valid has none. The frame may be used again when Read has returned.
//
// The parts of a structured append (ISO/IEC 18004, 8) are texts of their own.
func (r *Reader) Read(frame Luma) []string {
	if !frame.Valid() {
		return nil
	}
	r.found = r.found[:0]
	if r.Thorough {
		r.readThoroughly(frame)
	} else {
		r.readQuickly(frame)
	}
	if len(r.found) == 0 {
		return nil
	}
	slices.SortStableFunc(r.found, func(a, b code) int { return cmp.Compare(a.x, b.x) })
	texts := make([]string, len(r.found))
	for i, c := range r.found {
		texts[i] = c.text
	}
	return texts
}

// add keeps a text once. An empty text is nothing that anybody could judge.
func (r *Reader) add(c code) {
	known := func(k code) bool { return k.text == c.text }
	if c.text != "" && !slices.ContainsFunc(r.found, known) {
		r.found = append(r.found, c)
	}
}

// readQuickly is for the next frame of many.
func (r *Reader) readQuickly(frame Luma) {
	bits := r.binarize(frame, local)
	r.readOne(bits)
	if len(r.found) > 0 {
		// A second code beside the first is another person's, or the travel code.
		r.readMany(bits)
		return
	}
	r.turn++
	switch r.turn % 3 {
	case 0:
		r.readOne(r.binarize(frame, global))
	case 1:
		r.readMany(bits)
	case 2:
		r.readOne(r.binarize(r.invert(frame), local))
	}
}

// readThoroughly is for a frame that comes once. The tries for a dark code on light come
// first; a code that is light on dark is looked for only when they found nothing, since
// the same code must not be paid for twice.
func (r *Reader) readThoroughly(frame Luma) {
	for _, way := range []threshold{local, global} {
		bits := r.binarize(frame, way)
		r.readOne(bits)
		r.readMany(bits)
	}
	if len(r.found) == 0 {
		inverted := r.invert(frame)
		for _, way := range []threshold{local, global} {
			r.readOne(r.binarize(inverted, way))
		}
	}
}

// invert exchanges black and white.
func (r *Reader) invert(frame Luma) Luma {
	r.dark = slices.Grow(r.dark[:0], frame.Width*frame.Height)[:frame.Width*frame.Height]
	for y := range frame.Height {
		from := frame.Pix[y*frame.Stride:][:frame.Width]
		to := r.dark[y*frame.Width:][:frame.Width]
		for x, v := range from {
			to[x] = ^v
		}
	}
	return Luma{Pix: r.dark, Width: frame.Width, Height: frame.Height, Stride: frame.Width}
}

// pack gives the frame without padding between its rows.
func (r *Reader) pack(frame Luma) []byte {
	if frame.Stride == frame.Width {
		return frame.Pix[:frame.Width*frame.Height]
	}
	r.tight = slices.Grow(r.tight[:0], frame.Width*frame.Height)[:frame.Width*frame.Height]
	for y := range frame.Height {
		copy(r.tight[y*frame.Width:][:frame.Width], frame.Pix[y*frame.Stride:])
	}
	return r.tight
}
