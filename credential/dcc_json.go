package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// jsonOf writes one CBOR item as JSON of at most max bytes, for rules that are written in the
// terms of an EU DCC's JSON. The item has been through decode, so that it is well formed and
// nests no deeper than that allows. Nothing is built up on the way: memory is what comes out.
//
// Numbers stay numbers, the tag of a time is left off, and what JSON does not have becomes
// null or, of bytes, base64url (RFC 8949, section 6.1). A key that is no text, or that stands
// there twice, is an error: of two values each reader would take another.
func jsonOf(item []byte, max int) ([]byte, error) {
	w := jsonWriter{rest: item, max: max, out: make([]byte, 0, min(len(item)+len(item)/4, max))}
	if err := w.item(0); err != nil {
		return nil, err
	}
	return w.out, nil
}

type jsonWriter struct {
	rest []byte
	out  []byte
	max  int
}

// endless is the length of an item that ends with a break.
const endless = math.MaxUint64

// head takes the first bytes of an item (RFC 8949, section 3).
func (w *jsonWriter) head() (major, info byte, n uint64, err error) {
	if len(w.rest) == 0 {
		return 0, 0, 0, flaw("cut off")
	}
	major, info = w.rest[0]>>5, w.rest[0]&0x1f
	w.rest = w.rest[1:]
	switch {
	case info < 24:
		return major, info, uint64(info), nil
	case info == 31:
		return major, info, endless, nil
	case info > 27:
		return 0, 0, 0, flaw("not CBOR that can be read")
	}
	size := 1 << (info - 24)
	if len(w.rest) < size {
		return 0, 0, 0, flaw("cut off")
	}
	var wide [8]byte
	copy(wide[8-size:], w.rest)
	w.rest = w.rest[size:]
	return major, info, binary.BigEndian.Uint64(wide[:]), nil
}

// ended takes the break of an endless item, or counts to its length.
func (w *jsonWriter) ended(i, n uint64) bool {
	if n != endless {
		return i == n
	}
	if len(w.rest) > 0 && w.rest[0] == 0xff {
		w.rest = w.rest[1:]
		return true
	}
	return false
}

func (w *jsonWriter) item(depth int) error {
	if depth > maxDepth {
		return flaw("nested too deep")
	}
	major, info, n, err := w.head()
	if err != nil {
		return err
	}
	switch major {
	case 0:
		w.out = strconv.AppendUint(w.out, n, 10)
	case 1: // -1 - n
		if n > math.MaxInt64 {
			return flaw("a number is out of range")
		}
		w.out = strconv.AppendInt(w.out, -1-int64(n), 10)
	case 2, 3:
		s, err := w.text(major, n)
		if err != nil {
			return err
		}
		return w.string(major, s)
	case 4:
		return w.list(depth, n)
	case 5:
		return w.object(depth, n)
	case 6:
		return w.item(depth + 1)
	default:
		w.simple(info, n)
	}
	return w.room(0)
}

func (w *jsonWriter) list(depth int, n uint64) error {
	w.out = append(w.out, '[')
	for i := uint64(0); !w.ended(i, n); i++ {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.item(depth + 1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	return w.room(0)
}

func (w *jsonWriter) object(depth int, n uint64) error {
	w.out = append(w.out, '{')
	var few [16][]byte // a map of a certificate has no more, as a rule
	names := few[:0]
	for i := uint64(0); !w.ended(i, n); i++ {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		major, _, size, err := w.head()
		if err != nil {
			return err
		}
		if major != 3 {
			return flaw("a key is no text")
		}
		name, err := w.text(major, size)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(names, func(other []byte) bool { return bytes.Equal(other, name) }) {
			return flaw("a key stands there twice")
		}
		names = append(names, name)
		if err := w.string(major, name); err != nil {
			return err
		}
		w.out = append(w.out, ':')
		if err := w.item(depth + 1); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return w.room(0)
}

// text takes the bytes of a text or byte string; an endless one is sent in pieces.
func (w *jsonWriter) text(major byte, n uint64) ([]byte, error) {
	if n != endless {
		if n > uint64(len(w.rest)) {
			return nil, flaw("cut off")
		}
		s := w.rest[:n]
		w.rest = w.rest[n:]
		return s, nil
	}
	var whole []byte
	for i := uint64(0); !w.ended(i, n); i++ {
		kind, _, size, err := w.head()
		if err != nil {
			return nil, err
		}
		if kind != major || size == endless {
			return nil, flaw("not CBOR that can be read")
		}
		piece, err := w.text(kind, size)
		if err != nil {
			return nil, err
		}
		whole = append(whole, piece...)
	}
	return whole, nil
}

func (w *jsonWriter) string(major byte, s []byte) error {
	if err := w.room(len(s)); err != nil {
		return err
	}
	if major == 2 {
		w.out = fmt.Appendf(w.out, "%q", base64.RawURLEncoding.EncodeToString(s))
		return w.room(0)
	}
	if !utf8.Valid(s) {
		return flaw("a text is not UTF-8")
	}
	w.out = append(w.out, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			w.out = append(w.out, '\\', c)
		case c < ' ':
			w.out = fmt.Appendf(w.out, `\u%04x`, c)
			if err := w.room(0); err != nil { // six for one: not only at the end
				return err
			}
		default:
			w.out = append(w.out, c)
		}
	}
	w.out = append(w.out, '"')
	return w.room(0)
}

func (w *jsonWriter) simple(info byte, n uint64) {
	switch {
	case info == 20:
		w.out = append(w.out, "false"...)
	case info == 21:
		w.out = append(w.out, "true"...)
	case info == 25:
		w.float(half(uint16(n)))
	case info == 26:
		w.float(float64(math.Float32frombits(uint32(n))))
	case info == 27:
		w.float(math.Float64frombits(n))
	default:
		w.out = append(w.out, "null"...)
	}
}

func (w *jsonWriter) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.out = append(w.out, "null"...)
		return
	}
	w.out = strconv.AppendFloat(w.out, f, 'g', -1, 64)
}

// half reads a float of 16 bits (RFC 8949, appendix D).
func half(bits uint16) float64 {
	exponent, mantissa := int(bits>>10&0x1f), float64(bits&0x3ff)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(mantissa, -24)
	case 31:
		if f = math.Inf(1); mantissa != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(mantissa+1024, exponent-25)
	}
	if bits&0x8000 != 0 {
		return -f
	}
	return f
}

// room refuses to grow beyond what was allowed.
func (w *jsonWriter) room(more int) error {
	if len(w.out)+more > w.max {
		return flaw(fmt.Sprintf("more than %d bytes as JSON", w.max))
	}
	return nil
}
