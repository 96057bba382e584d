package credential

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
)

// appendCanonical writes the value as RFC 8785 has it: names in the order of their UTF-16
// code units, no space, one spelling for each text and number.
func (v jsonValue) appendCanonical(out []byte) ([]byte, error) {
	var err error
	switch v.kind() {
	case '{':
		names := make([]string, 0, 8)
		for name := range v.members() {
			names = append(names, name)
		}
		slices.SortFunc(names, compareUTF16)
		out = append(out, '{')
		for i, name := range names {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendText(out, name), ':')
			if out, err = v.get(name).appendCanonical(out); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case '[':
		out = append(out, '[')
		first := true
		for element := range v.elements() {
			if !first {
				out = append(out, ',')
			}
			first = false
			if out, err = element.appendCanonical(out); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case '"':
		return appendText(out, v.str()), nil
	case '0':
		f, ok := v.number()
		if !ok {
			return nil, flaw("a number is out of range")
		}
		return appendNumber(out, f), nil
	}
	return append(out, v.raw()...), nil
}

func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// appendText escapes what RFC 8785, section 3.2.2.2, says and nothing more.
func appendText(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c >= ' ':
			out = append(out, c)
		case bytes.IndexByte([]byte("\b\t\n\f\r"), c) >= 0:
			out = append(out, '\\', "btn?fr"[c-'\b'])
		default:
			out = append(out, `\u00`...)
			out = append(out, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	return append(out, '"')
}

// appendNumber writes a number as ECMAScript does (RFC 8785, section 3.2.2.3).
func appendNumber(out []byte, f float64) []byte {
	if f == 0 {
		return append(out, '0') // -0 too
	}
	form := byte('f')
	if size := math.Abs(f); size < 1e-6 || size >= 1e21 {
		form = 'e'
	}
	start := len(out)
	out = strconv.AppendFloat(out, f, form, -1, 64)
	if n := len(out); form == 'e' && n-start > 4 && out[n-2] == '0' && bytes.IndexByte([]byte("+-"), out[n-3]) >= 0 {
		out = append(out[:n-2], out[n-1]) // e-07 is e-7 there
	}
	return out
}
