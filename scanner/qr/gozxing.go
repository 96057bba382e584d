package qr

import (
	"errors"

	"github.com/makiuchi-d/gozxing"
	many "github.com/makiuchi-d/gozxing/multi/qrcode/detector"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// Bounds of one try. A poster full of finder patterns must not hold the lane: gozxing
// compares every three candidates with each other, and has no bound of its own.
const (
	maxFinders = 150 // candidates for a finder pattern in a frame
	maxTriples = 48  // sets of three that are sampled and decoded
)

// errCrowded ends a search in a frame with more than maxFinders candidates.
var errCrowded = errors.New("more finder patterns than a gate can have before it")

// threshold is how grey becomes black and white.
type threshold int

const (
	local  threshold = iota // blocks of 8x8 pixels, smoothed over 5x5 blocks
	global                  // the valley of the frame's histogram
)

// binarize makes black and white of a frame. Nil is a frame without contrast.
func (r *Reader) binarize(frame Luma, way threshold) (bits *gozxing.BitMatrix) {
	defer r.catch()
	src := &source{LuminanceSourceBase: gozxing.LuminanceSourceBase{Width: frame.Width, Height: frame.Height}, pix: r.pack(frame)}
	binarizer := gozxing.NewHybridBinarizer(src)
	if way == global {
		binarizer = gozxing.NewGlobalHistgramBinarizer(src)
	}
	bits, err := binarizer.GetBlackMatrix()
	if err != nil {
		return nil
	}
	return bits
}

// readOne reads the code whose finder patterns fit each other best.
func (r *Reader) readOne(bits *gozxing.BitMatrix) {
	if bits == nil {
		return
	}
	defer r.catch()
	info, err := detector.NewFinderPatternFinder(bits, count()).Find(nil)
	if err != nil {
		return
	}
	r.decode(detector.NewDetector(bits), info)
}

// readMany reads every three finder patterns that could be a code of their own.
func (r *Reader) readMany(bits *gozxing.BitMatrix) {
	if bits == nil {
		return
	}
	defer r.catch()
	infos, err := many.NewMultiFinderPatternFinder(bits, count()).FindMulti(nil)
	if err != nil {
		return
	}
	d := detector.NewDetector(bits)
	for _, info := range infos[:min(len(infos), maxTriples)] {
		r.decode(d, info)
	}
}

// decode samples the grid between three finder patterns and reads it.
func (r *Reader) decode(d *detector.Detector, info *detector.FinderPatternInfo) {
	grid, err := d.ProcessFinderPatternInfo(info)
	if err != nil {
		return
	}
	result, err := decoder.NewDecoder().Decode(grid.GetBits(), nil)
	if err != nil {
		return
	}
	r.add(code{text: result.GetText(), x: (info.GetTopRight().GetX() + info.GetBottomLeft().GetX()) / 2})
}

// count gives the callback that gozxing calls with each new candidate. Leaving by a panic
// is the only way out of its search.
func count() gozxing.ResultPointCallback {
	seen := 0
	return func(gozxing.ResultPoint) {
		if seen++; seen > maxFinders {
			panic(errCrowded)
		}
	}
}

// catch stands between the lane and a decoder that is fed with whatever people hold up.
func (r *Reader) catch() {
	if broken := recover(); broken != nil && broken != errCrowded {
		r.Panics++
	}
}

// A source shows a tight plane of luma to gozxing without a conversion.
type source struct {
	gozxing.LuminanceSourceBase
	pix []byte
}

func (s *source) GetMatrix() []byte { return s.pix }

func (s *source) GetRow(y int, row []byte) ([]byte, error) {
	if y < 0 || y >= s.Height {
		return nil, errors.New("row outside of the frame")
	}
	if len(row) < s.Width {
		row = make([]byte, s.Width)
	}
	copy(row, s.pix[y*s.Width:][:s.Width])
	return row, nil
}

func (s *source) Invert() gozxing.LuminanceSource { return gozxing.LuminanceSourceInvert(s) }

func (s *source) String() string { return gozxing.LuminanceSourceString(s) }
