package scanner

import (
	"bytes"
	"image"
	"image/jpeg"
	"sync"

	"gatehouse/scanner/qr"
)

// The preview's bounds, in pixels; the frame's shape is kept.
const (
	previewWidth  = 320
	previewHeight = 240
)

// A preview is a small copy of the newest frame. Each frame is thinned out, which costs a
// tenth of a millisecond; it is made a JPEG only when somebody looks.
type preview struct {
	mu            sync.Mutex
	pix           []byte
	width, height int
}

// take keeps every n-th pixel of every n-th row.
func (p *preview) take(frame qr.Luma) {
	if !frame.Valid() {
		return
	}
	step := max((frame.Width+previewWidth-1)/previewWidth, (frame.Height+previewHeight-1)/previewHeight)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.width, p.height = (frame.Width+step-1)/step, (frame.Height+step-1)/step
	p.pix = p.pix[:0]
	for y := 0; y < frame.Height; y += step {
		row := frame.Pix[y*frame.Stride:][:frame.Width]
		for x := 0; x < len(row); x += step {
			p.pix = append(p.pix, row[x])
		}
	}
}

// Preview gives the newest frame as a grey JPEG of at most 320x240, for the guard's page.
// It is false before the first frame.
func (s *Scanner) Preview() ([]byte, bool) {
	p := &s.preview
	p.mu.Lock()
	img := &image.Gray{Pix: bytes.Clone(p.pix), Stride: p.width, Rect: image.Rect(0, 0, p.width, p.height)}
	p.mu.Unlock()
	if len(img.Pix) == 0 {
		return nil, false
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 60}); err != nil {
		return nil, false
	}
	return out.Bytes(), true
}
