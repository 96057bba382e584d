package qr

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/makiuchi-d/gozxing"
	spec "github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

var gozxingLevels = [4]spec.ErrorCorrectionLevel{spec.ErrorCorrectionLevel_L, spec.ErrorCorrectionLevel_M,
	spec.ErrorCorrectionLevel_Q, spec.ErrorCorrectionLevel_H}

// A symbol is the modules of an encoded text, true for dark.
type symbol struct {
	dim  int
	dark []bool
}

// encode makes a symbol of the version, 0 for the smallest that holds the text.
func encode(t testing.TB, text string, level ecLevel, version int) symbol {
	t.Helper()
	hints := map[gozxing.EncodeHintType]any{}
	if version > 0 {
		hints[gozxing.EncodeHintType_QR_VERSION] = version
	}
	code, err := encoder.Encoder_encode(text, gozxingLevels[level], hints)
	if err != nil {
		t.Fatalf("encode %d characters: %v", len(text), err)
	}
	m := code.GetMatrix()
	s := symbol{dim: m.GetWidth(), dark: make([]bool, m.GetWidth()*m.GetWidth())}
	for i := range s.dark {
		s.dark[i] = m.Get(i%s.dim, i/s.dim) == 1
	}
	return s
}

// A pose places a symbol in a picture: its centre, pixels a module, turn in
// radians and perspective, the share by which a module at the right edge is
// shorter than in the middle.
type pose struct {
	x, y, module, turn, slant float64
	mirrored, inverted        bool
}

// blank is a grey picture.
func blank(w, h int, grey byte) Luma {
	p := make([]byte, w*h)
	for i := range p {
		p[i] = grey
	}
	return Luma{Pix: p, Width: w, Height: h, Stride: w}
}

// draw paints the symbol with its quiet zone, nine samples a pixel.
func draw(img Luma, s symbol, p pose) {
	sin, cos := math.Sincos(p.turn)
	d := float64(s.dim)
	for y := range img.Height {
		for x := range img.Width {
			sum, n := 0.0, 0
			for k := range 9 {
				dx, dy := float64(x)+(float64(k%3)+0.5)/3-p.x, float64(y)+(float64(k/3)+0.5)/3-p.y
				u, v := (dx*cos+dy*sin)/p.module, (-dx*sin+dy*cos)/p.module
				w := 1 - p.slant*u/(d/2)
				u, v = u/w+d/2, v/w+d/2
				if p.mirrored {
					u, v = v, u
				}
				if u < -4 || v < -4 || u >= d+4 || v >= d+4 || w <= 0.1 {
					continue
				}
				n++
				dark := u >= 0 && v >= 0 && u < d && v < d && s.dark[int(v)*s.dim+int(u)]
				if dark == p.inverted {
					sum += 220
				} else {
					sum += 30
				}
			}
			i := y*img.Stride + x
			img.Pix[i] = byte((sum + float64(9-n)*float64(img.Pix[i])) / 9)
		}
	}
}

// noise adds a normal deviation to every pixel.
func noise(img Luma, sigma float64, r *rand.Rand) {
	for i, v := range img.Pix {
		img.Pix[i] = byte(min(max(float64(v)+r.NormFloat64()*sigma, 0), 255))
	}
}

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

func randomText(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

func values(texts []Text) []string {
	var out []string
	for _, t := range texts {
		out = append(out, t.Value)
	}
	return out
}

// blur is a Gaussian of the deviation, in pixels, both ways.
func blur(img Luma, deviation float64) {
	reach := int(3*deviation) + 1
	weights := make([]float64, 2*reach+1)
	total := 0.0
	for i := range weights {
		d := float64(i - reach)
		weights[i] = math.Exp(-d * d / (2 * deviation * deviation))
		total += weights[i]
	}
	for _, step := range [2]int{1, img.Stride} {
		src := append([]byte(nil), img.Pix...)
		for i := range src {
			s := 0.0
			for k, w := range weights {
				s += w * float64(src[min(max(i+(k-reach)*step, 0), len(src)-1)])
			}
			img.Pix[i] = byte(s/total + 0.5)
		}
	}
}
