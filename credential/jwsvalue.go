package credential

import (
	"bytes"
	"iter"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func (v jsonValue) item() jsonItem {
	if v.text == nil {
		return jsonItem{}
	}
	return v.text.items[v.at]
}

// kind is { [ " 0 t f n, or 0 for a value that is not there.
func (v jsonValue) kind() byte { return v.item().kind }

// raw is the value as it is written.
func (v jsonValue) raw() []byte {
	if v.text == nil {
		return nil
	}
	return v.text.src[v.item().start:v.item().end]
}

// get is the member of an object, exactly by its name.
func (v jsonValue) get(name string) jsonValue {
	for n, member := range v.members() {
		if n == name {
			return member
		}
	}
	return jsonValue{}
}

// members are those of an object; nothing else has any.
func (v jsonValue) members() iter.Seq2[string, jsonValue] {
	return func(yield func(string, jsonValue) bool) {
		if v.kind() != '{' {
			return
		}
		items := v.text.items
		for i := v.at + 1; i < items[v.at].next; i = items[i+1].next {
			if !yield(string(v.text.src[items[i].start+1:items[i].end-1]), jsonValue{v.text, i + 1}) {
				return
			}
		}
	}
}

// elements are those of a list; nothing else has any.
func (v jsonValue) elements() iter.Seq[jsonValue] {
	return func(yield func(jsonValue) bool) {
		if v.kind() != '[' {
			return
		}
		items := v.text.items
		for i := v.at + 1; i < items[v.at].next; i = items[i].next {
			if !yield(jsonValue{v.text, i}) {
				return
			}
		}
	}
}

// str is the text of a string, and empty for all else.
func (v jsonValue) str() string {
	if v.kind() != '"' {
		return ""
	}
	written := v.raw()
	written = written[1 : len(written)-1]
	if bytes.IndexByte(written, '\\') < 0 {
		return string(written)
	}
	out := make([]byte, 0, len(written))
	for len(written) > 0 {
		if written[0] != '\\' {
			out, written = append(out, written[0]), written[1:]
			continue
		}
		n := escapeLength(written)
		switch n {
		case 12:
			high, _ := hex4(written)
			low, _ := hex4(written[6:])
			out = utf8.AppendRune(out, utf16.DecodeRune(high, low))
		case 6:
			r, _ := hex4(written)
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}[written[1]])
			if out[len(out)-1] == 0 { // stands for itself
				out[len(out)-1] = written[1]
			}
		}
		written = written[n:]
	}
	return string(out)
}

// number is that of a JSON number.
func (v jsonValue) number() (float64, bool) {
	if v.kind() != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.raw()), 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// count is a small whole number; what is none is 0.
func (v jsonValue) count() int {
	f, ok := v.number()
	if !ok || !(f >= 0 && f <= 1000) || f != math.Trunc(f) {
		return 0
	}
	return int(f)
}
