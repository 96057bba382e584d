package credential

import "fmt"

// base45Alphabet is the alphabet of RFC 9285, which is the alphanumeric mode of QR codes.
const base45Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// base45Value maps a byte to its value, or to 255 where the alphabet does not hold it.
var base45Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range len(base45Alphabet) {
		t[base45Alphabet[i]] = byte(i)
	}
	return t
}()

// decodeBase45 takes text back to bytes, strictly: three characters stand for two bytes
// and two for one (RFC 9285, section 4). A single character left over, a foreign one and a
// group above 65535 or 255 are errors, so that each byte string has one text.
func decodeBase45(text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return nil, fmt.Errorf("one character is left over of %d", len(text))
	}
	out := make([]byte, 0, len(text)/3*2+1)
	i := 0
	for ; i+3 <= len(text); i += 3 {
		c, d, e := base45Value[text[i]], base45Value[text[i+1]], base45Value[text[i+2]]
		if c == 255 || d == 255 || e == 255 {
			return nil, foreign(text, i)
		}
		n := uint32(c) + 45*uint32(d) + 45*45*uint32(e)
		if n > 0xffff {
			return nil, fmt.Errorf("group at character %d is above 65535", i)
		}
		out = append(out, byte(n>>8), byte(n))
	}
	if i < len(text) {
		c, d := base45Value[text[i]], base45Value[text[i+1]]
		if c == 255 || d == 255 {
			return nil, foreign(text, i)
		}
		n := uint32(c) + 45*uint32(d)
		if n > 0xff {
			return nil, fmt.Errorf("group at character %d is above 255", i)
		}
		out = append(out, byte(n))
	}
	return out, nil
}

// foreign names the first character at or after from that the alphabet does not hold; the
// caller has seen that there is one.
func foreign(text string, from int) error {
	for base45Value[text[from]] != 255 {
		from++
	}
	return fmt.Errorf("character %d is not of the alphabet", from)
}

// encodeBase45 is the way back, for issuing.
func encodeBase45(b []byte) string {
	out := make([]byte, 0, (len(b)+1)/2*3)
	for len(b) >= 2 {
		n := uint32(b[0])<<8 | uint32(b[1])
		out = append(out, base45Alphabet[n%45], base45Alphabet[n/45%45], base45Alphabet[n/45/45])
		b = b[2:]
	}
	if len(b) == 1 {
		out = append(out, base45Alphabet[b[0]%45], base45Alphabet[b[0]/45])
	}
	return string(out)
}
