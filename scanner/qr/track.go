package qr

import "math"

// Tracking: a code that was read in one frame is near the same place in the
// next. That region is read first, and the rest of the frame only where it does
// not show as many codes as before, or after some frames: a second code may have
// come into view elsewhere.

const (
	trackMost  = 5    // frames in a row read from the region alone
	trackGrown = 0.3  // of the code's side, on each side of it
	trackAhead = 2    // times the way from the frame before
	trackShare = 0.5  // of the frame: a larger region is not worth it
	trackLeast = 96   // pixels along a side of the region
	trackTiles = 24   // tiles across and down that tell whether it is the same scene
	trackStep  = 128  // change of a tile's sum: 8 grey
	trackCut   = 0.35 // share of tiles that change where it is another
)

// A track is where the codes of the frame before are.
type track struct {
	width, height  int // of the frame
	codes          int // 0 is nothing to follow
	x0, y0, x1, y1 int
	middle         point
	frames         int // read from the region since the last whole one
	passes         int // whole frames read
	tiles          [trackTiles * trackTiles]uint16
}

// follows reports whether the region of the picture is to be read first.
func (t *track) follows(img Luma) bool {
	if t.codes == 0 || t.width != img.Width || t.height != img.Height || t.frames >= trackMost {
		return false
	}
	changed := 0
	for i, was := range t.tiles {
		if d := int(t.tile(img, i)) - int(was); d > trackStep || d < -trackStep {
			changed++
		}
	}
	return float64(changed) <= trackCut*trackTiles*trackTiles
}

// tile is the sum of one of the tiles that are spread over the frame.
func (t *track) tile(img Luma, i int) uint16 {
	across, down := img.Width/gateTile, img.Height/gateTile
	return tileSum(img, (2*(i%trackTiles)+1)*across/(2*trackTiles), (2*(i/trackTiles)+1)*down/(2*trackTiles))
}

// keep notes where the texts are, of a whole frame or of the region.
func (t *track) keep(img Luma, texts []Text, whole bool) {
	if t.frames++; whole {
		t.frames = 0
	}
	followed := t.codes > 0
	t.width, t.height, t.codes = img.Width, img.Height, len(texts)
	if t.codes == 0 {
		return
	}
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	side := 0.0
	for _, text := range texts {
		from, to := low, high
		low, high = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
		for _, c := range text.Corners {
			low, high = point{min(low.x, c.X), min(low.y, c.Y)}, point{max(high.x, c.X), max(high.y, c.Y)}
		}
		side = max(side, high.x-low.x, high.y-low.y)
		low, high = point{min(low.x, from.x), min(low.y, from.y)}, point{max(high.x, to.x), max(high.y, to.y)}
	}
	was := t.middle
	t.middle = low.towards(high, 0.5)
	grown := trackGrown * side
	if followed {
		grown += trackAhead * t.middle.sub(was).length()
	}
	t.x0, t.y0 = max(0, int(low.x-grown)), max(0, int(low.y-grown))
	t.x1, t.y1 = min(img.Width, int(high.x+grown)), min(img.Height, int(high.y+grown))
	w, h := t.x1-t.x0, t.y1-t.y0
	if min(w, h) < trackLeast || float64(w)*float64(h) > trackShare*float64(img.Width)*float64(img.Height) {
		t.codes = 0
		return
	}
	for i := range t.tiles {
		t.tiles[i] = t.tile(img, i)
	}
}

// readTracked reads the region. It is false where that shows fewer codes than
// the frame before: then nothing has been read.
func (r *Reader) readTracked(img Luma) bool {
	t := &r.track
	part := Luma{Pix: img.Pix[t.y0*img.Stride+t.x0:], Width: t.x1 - t.x0, Height: t.y1 - t.y0, Stride: img.Stride}
	r.read(part)
	if len(r.texts) < t.codes {
		r.texts, r.hint, r.guess = r.texts[:0], HintNone, false
		return false
	}
	r.mapBack(func(p Point) Point { return Point{p.X + float64(t.x0), p.Y + float64(t.y0)} })
	return true
}
