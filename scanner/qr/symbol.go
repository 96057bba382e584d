package qr

// What ISO/IEC 18004 fixes about a symbol: sizes, patterns, blocks.

// ecLevel is an error correction level, in the order of recovery capacity.
type ecLevel int

const (
	levelL ecLevel = iota
	levelM
	levelQ
	levelH
)

func (l ecLevel) String() string { return [...]string{"L", "M", "Q", "H"}[l&3] }

// dimension is the number of modules along a side of version v, 1 to 40.
func dimension(v int) int { return 17 + 4*v }

// eccPerBlock and blockCount are table 9 of ISO/IEC 18004:2015, by level and
// version.
var eccPerBlock = [4][41]uint8{
	{0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
	{0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
	{0, 13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30, 28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
	{0, 17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28, 30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
}

var blockCount = [4][41]uint8{
	{0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25},
	{0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49},
	{0, 1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68},
	{0, 1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81},
}

// alignmentCentres returns the rows (and columns) on which alignment patterns
// are centred, annex E; n of the array count.
func alignmentCentres(v int) (at [7]int, n int) {
	if v < 2 {
		return at, 0
	}
	n = v/7 + 2
	step := (v*8 + n*3 + 5) / (n*4 - 4) * 2
	at[0] = 6
	for i, p := n-1, dimension(v)-7; i > 0; i, p = i-1, p-step {
		at[i] = p
	}
	return at, n
}

// A layout is what one version's modules are for.
type layout struct {
	version, dim int
	known        []int8   // by module: +1 dark and -1 light function pattern, 0 data, format or version
	reserved     []bool   // not data: function pattern, format or version
	order        []uint16 // data modules in reading order, codeword by codeword
}

func newLayout(version int) *layout {
	d := dimension(version)
	l := &layout{version: version, dim: d, known: make([]int8, d*d), reserved: make([]bool, d*d)}
	put := func(x, y int, dark bool) {
		if x < 0 || y < 0 || x >= d || y >= d {
			return
		}
		l.reserved[y*d+x] = true
		l.known[y*d+x] = -1
		if dark {
			l.known[y*d+x] = 1
		}
	}
	for i := 8; i < d-8; i++ {
		put(i, 6, i%2 == 0)
		put(6, i, i%2 == 0)
	}
	for _, c := range [3][2]int{{3, 3}, {d - 4, 3}, {3, d - 4}} {
		for y := -4; y <= 4; y++ {
			for x := -4; x <= 4; x++ {
				r := max(x, -x, y, -y)
				put(c[0]+x, c[1]+y, r != 2 && r != 4)
			}
		}
	}
	at, n := alignmentCentres(version)
	for i := range n {
		for j := range n {
			if i == 0 && j == 0 || i == 0 && j == n-1 || i == n-1 && j == 0 {
				continue
			}
			for y := -2; y <= 2; y++ {
				for x := -2; x <= 2; x++ {
					put(at[i]+x, at[j]+y, max(x, -x, y, -y) != 1)
				}
			}
		}
	}
	for i := range 9 {
		l.reserved[i*d+8], l.reserved[8*d+i] = true, true
	}
	for i := range 8 {
		l.reserved[(d-1-i)*d+8], l.reserved[8*d+d-1-i] = true, true
	}
	put(8, d-8, true)
	if version >= 7 {
		for i := range 18 {
			l.reserved[(i/3)*d+d-11+i%3], l.reserved[(d-11+i%3)*d+i/3] = true, true
		}
	}
	l.readingOrder()
	return l
}

// readingOrder lists the data modules as 7.7.3 places them: pairs of columns
// from the right, up and down in turn, past the vertical timing pattern.
func (l *layout) readingOrder() {
	d := l.dim
	up := true
	for right := d - 1; right > 0; right -= 2 {
		if right == 6 {
			right = 5
		}
		for i := range d {
			y := i
			if up {
				y = d - 1 - i
			}
			for x := right; x >= right-1; x-- {
				if !l.reserved[y*d+x] {
					l.order = append(l.order, uint16(y*d+x))
				}
			}
		}
		up = !up
	}
	l.order = l.order[:len(l.order)/8*8] // remainder bits carry nothing
}

// masked reports whether mask pattern m inverts the module at column x, row y
// (table 10).
func masked(m, x, y int) bool {
	switch m {
	case 0:
		return (x+y)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (x+y)%3 == 0
	case 4:
		return (y/2+x/3)%2 == 0
	case 5:
		return x*y%2+x*y%3 == 0
	case 6:
		return (x*y%2+x*y%3)%2 == 0
	default:
		return ((x+y)%2+x*y%3)%2 == 0
	}
}
