package qr

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	spec "github.com/makiuchi-d/gozxing/qrcode/decoder"
)

func TestBlocksAndAlignmentsAreThoseOfTheStandard(t *testing.T) {
	for v := 1; v <= 40; v++ {
		want, err := spec.Version_GetVersionForNumber(v)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(newLayout(v).order) / 8; n != want.GetTotalCodewords() {
			t.Errorf("version %d: %d codewords, want %d", v, n, want.GetTotalCodewords())
		}
		at, n := alignmentCentres(v)
		centres := want.GetAlignmentPatternCenters()
		if n != len(centres) {
			t.Fatalf("version %d: %d alignment rows, want %d", v, n, len(centres))
		}
		for i, c := range centres {
			if at[i] != c {
				t.Errorf("version %d: alignment row %d at %d, want %d", v, i, at[i], c)
			}
		}
		for l, level := range gozxingLevels {
			b := want.GetECBlocksForLevel(level)
			if int(eccPerBlock[l][v]) != b.GetECCodewordsPerBlock() || int(blockCount[l][v]) != b.GetNumBlocks() {
				t.Errorf("version %d-%v: %d checks in %d blocks", v, ecLevel(l), eccPerBlock[l][v], blockCount[l][v])
			}
		}
	}
}

func TestKnownModulesAreThoseOfAnEncodedSymbol(t *testing.T) {
	for _, v := range []int{1, 2, 6, 7, 14, 21, 40} {
		s, l := encode(t, "KNOWN", levelL, v), newLayout(v)
		for i, k := range l.known {
			if k != 0 && s.dark[i] != (k > 0) {
				t.Errorf("version %d: module %d,%d is %v", v, i%l.dim, i/l.dim, s.dark[i])
			}
		}
	}
}

func TestErrorsAndErasuresWithinTheDistanceAreCorrected(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	for range 2000 {
		ecc := 7 + rnd.IntN(24)
		n := ecc + 1 + rnd.IntN(100)
		want := make([]byte, n) // any multiple of the generator is a codeword: so are sums of them
		addCodeword(want, ecc, rnd)
		erased := rnd.IntN(ecc + 1)
		wrong := rnd.IntN((ecc-erased)/2 + 1)
		got := bytes.Clone(want)
		places := rnd.Perm(n)[:erased+wrong]
		for i, p := range places {
			if i < erased {
				got[p] = byte(rnd.Uint32())
			} else {
				got[p] ^= byte(1 + rnd.IntN(255))
			}
		}
		errors, ok := correct(got, ecc, places[:erased])
		if !ok || !bytes.Equal(got, want) || errors > wrong {
			t.Fatalf("%d of %d, %d erased, %d wrong: ok %v, %d errors", ecc, n, erased, wrong, ok, errors)
		}
	}
}

// addCodeword makes c a random codeword by long division.
func addCodeword(c []byte, ecc int, rnd *rand.Rand) {
	g := []byte{1}
	for i := range ecc {
		next := make([]byte, len(g)+1)
		for j, v := range g {
			next[j] ^= v
			next[j+1] ^= mul(v, gf.exp[i])
		}
		g = next
	}
	for i := range len(c) - ecc {
		c[i] = byte(rnd.Uint32())
	}
	r := bytes.Clone(c)
	for i := range len(c) - ecc {
		f := r[i]
		for j, v := range g {
			r[i+j] ^= mul(f, v)
		}
	}
	copy(c[len(c)-ecc:], r[len(c)-ecc:])
}

func TestABlockBeyondRepairIsLeftAsItWas(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	for range 2000 {
		b := make([]byte, 60)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		before := bytes.Clone(b)
		if _, ok := correct(b, 20, nil); !ok && !bytes.Equal(b, before) {
			t.Fatal("changed a block that it did not correct")
		}
	}
}

// A grid of random modules is never a text: the evidence asked for leaves
// chance one in hundreds of millions.
func TestRandomGridsAreNoText(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 6))
	var d chance
	n := 5000
	if s := os.Getenv("QR_RANDOM_GRIDS"); s != "" { // a million takes some minutes
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		if p, s := d.random(rnd); s == stageRead {
			t.Fatalf("read %q from chance", p.text)
		}
	}
}

// chance feeds a decoder with chance.
type chance struct {
	decoder
	grid grid
}

func (d *chance) random(rnd *rand.Rand) (payload, stage) {
	v := 1 + rnd.IntN(6)
	g := &d.grid
	g.dim = dimension(v)
	g.soft = grow(g.soft, g.dim*g.dim)
	for i := range g.soft {
		g.soft[i] = float32(rnd.NormFloat64())
	}
	return d.decode(g)
}

func TestFormatsAreReadWithThreeWrongBits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for l := range 4 {
		for m := range 8 {
			want := format{ecLevel(l), m}
			g := grid{dim: 21, soft: make([]float32, 21*21)}
			w := formatWord(want)
			wrong := rnd.Perm(15)[:3]
			for i := range 15 {
				v := float32(-1)
				if w>>(14-i)&1 != 0 {
					v = 1
				}
				for _, k := range wrong {
					if k == i {
						v = -v / 2
					}
				}
				x, y := formatPlace(i)
				g.soft[y*21+x] = v
				if i < 7 {
					g.soft[(20-i)*21+8] = v
				} else {
					g.soft[8*21+6+i] = v
				}
			}
			if got := readFormat(&g); got.errors > maxFormatErrors || got.format != want || got.mirrored {
				t.Errorf("got %+v, want %v", got, want)
			}
		}
	}
}

func TestWordWideExtremesEqualPlainOnes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	for _, size := range [][2]int{{64, 24}, {71, 29}, {130, 33}} {
		l := level{Luma: blank(size[0], size[1], 0)}
		for i := range l.Pix {
			l.Pix[i] = byte(rnd.Uint32())
		}
		l.binarize(false)
		for by := range l.bh {
			for bx := range l.bw {
				x0, y0 := min(bx*8, l.Width-8), min(by*8, l.Height-8)
				lo, hi := 1020, 0
				for k := range 16 {
					i := (y0+k/4*2)*l.Stride + x0 + k%4*2
					s := int(l.Pix[i]) + int(l.Pix[i+1]) + int(l.Pix[i+l.Stride]) + int(l.Pix[i+l.Stride+1])
					lo, hi = min(lo, s), max(hi, s)
				}
				if got, want := l.spans[by*l.bw+bx], uint8((hi-lo)/4); got != want {
					t.Fatalf("%v: contrast of block %d,%d is %d, want %d", size, bx, by, got, want)
				}
			}
		}
		for i, v := range l.Pix {
			x, y := i%l.Width, i/l.Width
			if got, want := l.dark(x, y), v <= l.thr[y/8*l.bw+x/8]; got != want {
				t.Fatalf("%v: pixel %d,%d is %v", size, x, y, got)
			}
		}
	}
}

func TestAThirdIsTheMeanOfNine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	src := blank(101, 80, 0)
	for i := range src.Pix {
		src.Pix[i] = byte(rnd.Uint32())
	}
	small, _ := third(src, nil)
	for i, got := range small.Pix {
		x, y := i%small.Width*3, i/small.Width*3
		s := 0
		for k := range 9 {
			s += int(src.Pix[(y+k/3)*src.Stride+x+k%3])
		}
		if int(got) != s/9 {
			t.Fatalf("pixel %d: got %d, want %d", i, got, s/9)
		}
	}
}

func TestAHomographyIsFoundFromItsMatches(t *testing.T) {
	want := homography{5, 0.4, 100, -0.3, 4.5, 60, 0.002, -0.001, 1}
	var matches []match
	for _, c := range [][2]float64{{3.5, 3.5}, {25.5, 3.5}, {3.5, 25.5}, {0, 0}, {22.5, 22.5}, {29, 0}} {
		matches = append(matches, match{c[0], c[1], want.at(c[0], c[1]), 1})
	}
	got, ok := fitHomography(matches, 29)
	if !ok {
		t.Fatal("no homography")
	}
	for _, c := range [][2]float64{{0, 0}, {29, 29}, {14, 3}} {
		if e := got.at(c[0], c[1]).sub(want.at(c[0], c[1])).length(); e > 1e-6 || math.IsNaN(e) {
			t.Errorf("%v is off by %g", c, e)
		}
	}
}

func TestARowOfPlacesEqualsItsPlaces(t *testing.T) {
	pl := placement{dim: 45, h: homography{5, 0.4, 100, -0.3, 4.5, 60, 0.002, -0.001, 1}}
	pl.matches = []match{{6.5, 22.5, pl.h.at(6.5, 22.5).add(point{1, 2}), 1}, {22.5, 38.5, pl.h.at(22.5, 38.5).add(point{-2, 1}), 1}}
	pl.spread([]int{6, 22, 38})
	row := make([]point, pl.dim)
	for y := range pl.dim {
		pl.row(float64(y)+0.5, row)
		for x, got := range row {
			if e := got.sub(pl.at(float64(x)+0.5, float64(y)+0.5)).length(); e > 1e-9 {
				t.Fatalf("module %d,%d is off by %g pixels", x, y, e)
			}
		}
	}
}

func TestTwiceAsLargeIsBilinear(t *testing.T) {
	rnd := rand.New(rand.NewPCG(14, 14))
	src := blank(31, 26, 0)
	for i := range src.Pix {
		src.Pix[i] = byte(rnd.Uint32())
	}
	large, _ := double(src, nil)
	for i, got := range large.Pix {
		x, y := i%large.Width, i/large.Width
		if want := src.grey((float64(x)+0.5)/2, (float64(y)+0.5)/2); math.Abs(float64(got)-want) > 1 {
			t.Fatalf("pixel %d,%d: got %d, want %.2f", x, y, got, want)
		}
	}
}
