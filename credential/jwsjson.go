package credential

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a JSON text in a code. The largest card that is published has 3,100 values and
// nests 12 deep.
const (
	maxJSONDepth   = 24
	maxJSONItems   = 8192 // values and names
	maxJSONMembers = 64   // of one object
	maxJSONNumber  = 40   // characters

	jsonSpace = " \t\r\n"
)

// A jsonText is a JSON text of a code taken apart: a flat list of where each value stands.
// It is read here and not by encoding/json because that takes a name twice, a name in other
// letters and half a surrogate, builds up what nobody asks for, and could not write the
// canonical form that some codes are signed over.
type jsonText struct {
	src   []byte
	items []jsonItem
}

type jsonItem struct {
	kind       byte   // { [ " 0 t f n
	start, end uint32 // in src, quotes included
	next       uint32 // the item behind it and all that is in it
}

// A jsonValue is one value of a text. The zero value is one that is not there.
type jsonValue struct {
	text *jsonText
	at   uint32
}

// parseJSON reads one value (RFC 8259) and nothing behind it.
func parseJSON(src []byte) (jsonValue, error) {
	if len(src) > maxInflated {
		return jsonValue{}, errors.New("longer than any code")
	}
	p := jsonParser{jsonText: &jsonText{src: src, items: make([]jsonItem, 0, min(len(src)/6+8, maxJSONItems))}}
	if err := p.value(0); err != nil {
		return jsonValue{}, err
	}
	if p.space(); p.pos < len(src) {
		return jsonValue{}, flaw("bytes follow the end")
	}
	return jsonValue{text: p.jsonText}, nil
}

type jsonParser struct {
	*jsonText
	pos int
}

func (p *jsonParser) space() {
	for p.pos < len(p.src) && strings.IndexByte(jsonSpace, p.src[p.pos]) >= 0 {
		p.pos++
	}
}

// take steps over space and c, if c stands there.
func (p *jsonParser) take(c byte) bool {
	p.space()
	if p.pos >= len(p.src) || p.src[p.pos] != c {
		return false
	}
	p.pos++
	return true
}

func (p *jsonParser) unreadable() error {
	if p.pos >= len(p.src) {
		return flaw("cut off")
	}
	return flaw("not JSON that can be read")
}

func (p *jsonParser) value(depth int) error {
	p.space()
	switch {
	case depth > maxJSONDepth:
		return flaw("nested too deep")
	case len(p.items) >= maxJSONItems:
		return flaw("a list is too long")
	case p.pos >= len(p.src):
		return flaw("cut off")
	}
	at, c := len(p.items), p.src[p.pos]
	p.items = append(p.items, jsonItem{kind: c, start: uint32(p.pos)})
	var err error
	switch c {
	case '{':
		err = p.object(at, depth)
	case '[':
		err = p.list(depth)
	case '"':
		err = p.string()
	case 't':
		err = p.word("true")
	case 'f':
		err = p.word("false")
	case 'n':
		err = p.word("null")
	default:
		p.items[at].kind = '0'
		err = p.number()
	}
	p.items[at].end, p.items[at].next = uint32(p.pos), uint32(len(p.items))
	return err
}

func (p *jsonParser) object(at, depth int) error {
	p.pos++
	for n := 0; ; n++ {
		if p.take('}') {
			if n > 0 {
				return flaw("not JSON that can be read") // a comma before the end
			}
			return nil
		}
		if n == maxJSONMembers {
			return flaw("a list is too long")
		}
		name := len(p.items)
		if p.space(); p.pos >= len(p.src) || p.src[p.pos] != '"' {
			return p.unreadable()
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		if err := p.newName(at, name); err != nil {
			return err
		}
		if !p.take(':') {
			return p.unreadable()
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		if !p.take(',') {
			if p.take('}') {
				return nil
			}
			return p.unreadable()
		}
	}
}

// newName refuses a name that stands in the object already, and one that is written with
// escapes: no format needs them, and comparing them would cost more than it is worth.
func (p *jsonParser) newName(object, name int) error {
	written := p.src[p.items[name].start:p.items[name].end]
	if bytes.IndexByte(written, '\\') >= 0 {
		return flaw("a name is written with escapes")
	}
	for i := object + 1; i < name; i = int(p.items[i+1].next) {
		if bytes.Equal(written, p.src[p.items[i].start:p.items[i].end]) {
			return flaw("a key stands there twice")
		}
	}
	return nil
}

func (p *jsonParser) list(depth int) error {
	p.pos++
	for n := 0; ; n++ {
		if p.take(']') {
			if n > 0 {
				return flaw("not JSON that can be read")
			}
			return nil
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		if !p.take(',') {
			if p.take(']') {
				return nil
			}
			return p.unreadable()
		}
	}
}

// string checks a string so that decoding it later cannot fail.
func (p *jsonParser) string() error {
	for p.pos++; p.pos < len(p.src); {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			return nil
		case c < ' ':
			return flaw("a control character in a text")
		case c == '\\':
			n := escapeLength(p.src[p.pos:])
			if n == 0 {
				return flaw("not JSON that can be read")
			}
			p.pos += n
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, n := utf8.DecodeRune(p.src[p.pos:])
			if r == utf8.RuneError && n <= 1 {
				return flaw("a text is not UTF-8")
			}
			p.pos += n
		}
	}
	return flaw("cut off")
}

// escapeLength is that of the escape which s begins with, a surrogate pair being one; 0 for
// none that stands for a character.
func escapeLength(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	if s[1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), s[1]) < 0 {
			return 0
		}
		return 2
	}
	r, ok := hex4(s)
	switch {
	case !ok:
		return 0
	case !utf16.IsSurrogate(r):
		return 6
	}
	if low, ok := hex4(s[6:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
		return 12
	}
	return 0
}

// hex4 reads \uXXXX.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil
}

func (p *jsonParser) word(word string) error {
	if !bytes.HasPrefix(p.src[p.pos:], []byte(word)) {
		return flaw("not JSON that can be read")
	}
	p.pos += len(word)
	return nil
}

func (p *jsonParser) number() error {
	start := p.pos
	digits := func() (n int) {
		for ; p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '9'; p.pos++ {
			n++
		}
		return n
	}
	next := func(set string) bool {
		if p.pos < len(p.src) && bytes.IndexByte([]byte(set), p.src[p.pos]) >= 0 {
			p.pos++
			return true
		}
		return false
	}
	next("-")
	if !next("0") && digits() == 0 {
		return flaw("not JSON that can be read")
	}
	if next(".") && digits() == 0 {
		return flaw("not JSON that can be read")
	}
	if next("eE") {
		next("+-")
		if digits() == 0 {
			return flaw("not JSON that can be read")
		}
	}
	if p.pos-start > maxJSONNumber {
		return flaw("a number is too long")
	}
	return nil
}
