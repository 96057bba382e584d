package qr

// Reed-Solomon over GF(256) with x^8+x^4+x^3+x^2+1 and roots a^0 up, as ISO/IEC
// 18004 annex A. Errors and erasures together: Berlekamp-Massey begun with the
// erasure locator, Forney's values (Blahut, "Theory and Practice of Error
// Control Codes", 1983, chapters 7 and 9).

const maxECC = 30 // check codewords of the longest block

type field struct {
	exp [512]uint8
	log [256]uint8
}

var gf = makeField()

func makeField() (f field) {
	v := 1
	for i := range 255 {
		f.exp[i], f.exp[i+255] = uint8(v), uint8(v)
		f.log[v] = uint8(i)
		if v <<= 1; v > 255 {
			v ^= 0x11D
		}
	}
	return f
}

func mul(a, b uint8) uint8 {
	if a == 0 || b == 0 {
		return 0
	}
	return gf.exp[int(gf.log[a])+int(gf.log[b])]
}

// over divides a by b, which must not be 0.
func over(a, b uint8) uint8 {
	if a == 0 {
		return 0
	}
	return gf.exp[int(gf.log[a])+255-int(gf.log[b])]
}

// poly is a polynomial, the constant first.
type poly [maxECC + 2]uint8

func (p *poly) at(x uint8, degree int) uint8 {
	v := uint8(0)
	for i := degree; i >= 0; i-- {
		v = mul(v, x) ^ p[i]
	}
	return v
}

// syndromes evaluates the block at the code's roots; all zero is a codeword.
func syndromes(block []uint8, ecc int) (s [maxECC]uint8, clean bool) {
	clean = true
	for j := range ecc {
		v := uint8(0)
		for _, c := range block {
			if v != 0 {
				v = gf.exp[int(gf.log[v])+j]
			}
			v ^= c
		}
		s[j] = v
		clean = clean && v == 0
	}
	return s, clean
}

// correct repairs block in place: its last ecc codewords are checks, erased
// lists the positions not to be trusted. It returns how many other codewords
// were wrong, or false with block unchanged.
func correct(block []uint8, ecc int, erased []int) (errors int, ok bool) {
	n := len(block)
	if len(erased) > ecc || ecc > maxECC || n > 255 {
		return 0, false
	}
	s, clean := syndromes(block, ecc)
	if clean {
		return 0, true
	}
	// The erasure locator: a root at the inverse of each erased position.
	var loc, old poly
	loc[0] = 1
	e := len(erased)
	for i, p := range erased {
		x := gf.exp[n-1-p]
		for j := i + 1; j > 0; j-- {
			loc[j] ^= mul(loc[j-1], x)
		}
	}
	// Berlekamp-Massey from there.
	old = loc
	l := e
	for r := e; r < ecc; r++ {
		d := uint8(0)
		for j := 0; j <= min(l, r); j++ {
			d ^= mul(loc[j], s[r-j])
		}
		for j := len(old) - 1; j > 0; j-- {
			old[j] = old[j-1]
		}
		old[0] = 0
		if d == 0 {
			continue
		}
		next := loc
		for j := range next {
			next[j] ^= mul(d, old[j])
		}
		if 2*l <= r+e {
			for j := range old {
				old[j] = over(loc[j], d)
			}
			l = r + 1 + e - l
		}
		loc = next
	}
	if l > ecc || 2*(l-e)+e > ecc {
		return 0, false
	}
	return repair(block, ecc, &s, &loc, l, e)
}

// repair finds the roots of the locator and the values at them, and checks the
// outcome.
func repair(block []uint8, ecc int, s *[maxECC]uint8, loc *poly, degree, erased int) (errors int, ok bool) {
	n := len(block)
	var omega poly // s * loc, below x^ecc
	for i := range ecc {
		for j := 0; j <= min(i, degree); j++ {
			omega[i] ^= mul(loc[j], s[i-j])
		}
	}
	var at [maxECC]int
	var by [maxECC]uint8
	found := 0
	for p := range n {
		x := gf.exp[n-1-p]
		inv := over(1, x)
		if loc.at(inv, degree) != 0 {
			continue
		}
		if found == degree {
			return 0, false
		}
		slope := uint8(0) // the formal derivative
		for j := 1; j <= degree; j += 2 {
			v := loc[j]
			for range j - 1 {
				v = mul(v, inv)
			}
			slope ^= v
		}
		if slope == 0 {
			return 0, false
		}
		at[found], by[found] = p, mul(x, over(omega.at(inv, ecc-1), slope))
		found++
	}
	if found != degree {
		return 0, false
	}
	for i := range found {
		block[at[i]] ^= by[i]
	}
	if _, clean := syndromes(block, ecc); !clean {
		for i := range found {
			block[at[i]] ^= by[i]
		}
		return 0, false
	}
	return degree - erased, true
}
