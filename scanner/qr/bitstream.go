package qr

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// The bit stream of the data codewords, ISO/IEC 18004 7.4: segments of a mode,
// a count and characters, until the terminator.

// Append is the structured append header: this symbol is number Index, from 0,
// of Total; Parity is the exclusive or of the whole message's bytes. Total is 0
// where there is none.
type Append struct {
	Index, Total int
	Parity       byte
}

const (
	modeEnd        = 0
	modeNumeric    = 1
	modeAlnum      = 2
	modeAppend     = 3
	modeByte       = 4
	modeFNC1First  = 5
	modeECI        = 7
	modeKanji      = 8
	modeFNC1Second = 9
	modeHanzi      = 13 // GB/T 18284
)

const alnumChars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// A bitReader takes bits from codewords, the most significant first. Past the
// end it is broken and gives zeros.
type bitReader struct {
	data   []byte
	at     int
	broken bool
}

func (b *bitReader) left() int { return len(b.data)*8 - b.at }

func (b *bitReader) take(n int) int {
	if n > b.left() {
		b.broken = true
		b.at = len(b.data) * 8
		return 0
	}
	v := 0
	for range n {
		v = v<<1 | int(b.data[b.at>>3]>>(7-b.at&7)&1)
		b.at++
	}
	return v
}

// A message is what the data codewords say.
type message struct {
	text   strings.Builder
	append Append
	gs1    bool // FNC1 in first position
	eci    int  // assignment in force, -1 for none
}

// parseMessage reads the segments. It is false for a stream that breaks the
// standard's rules or says nothing.
func parseMessage(data []byte, version int) (text string, app Append, ok bool) {
	b := bitReader{data: data}
	m := message{eci: -1}
	for b.left() >= 4 {
		mode := b.take(4)
		if mode == modeEnd {
			break
		}
		if !m.segment(&b, mode, version) || b.broken {
			return "", Append{}, false
		}
	}
	return m.text.String(), m.append, m.text.Len() > 0
}

func (m *message) segment(b *bitReader, mode, version int) bool {
	switch mode {
	case modeAppend:
		m.append = Append{Index: b.take(4), Total: b.take(4) + 1, Parity: byte(b.take(8))}
		return m.append.Index < m.append.Total
	case modeFNC1First:
		m.gs1 = true
		return true
	case modeFNC1Second:
		m.gs1 = true
		b.take(8) // the application indicator
		return true
	case modeECI:
		m.eci = takeECI(b)
		return m.eci >= 0
	}
	if mode == modeHanzi && b.take(4) != 1 { // the subset: GB 2312 is the only one
		return false
	}
	bits, known := countBits(mode, version)
	if !known {
		return false
	}
	n := b.take(bits)
	switch mode {
	case modeNumeric:
		return m.numeric(b, n)
	case modeAlnum:
		return m.alphanumeric(b, n)
	case modeByte:
		return m.bytes(b, n)
	case modeHanzi:
		return m.double(b, n, 0x60, 0x0A00, 0xA1A1, 0xA6A1, simplifiedchinese.GBK)
	default: // 7.4.6 backwards
		return m.double(b, n, 0xC0, 0x1F00, 0x8140, 0xC140, japanese.ShiftJIS)
	}
}

// countBits is the width of the character count, table 3.
func countBits(mode, version int) (bits int, ok bool) {
	size := 0
	if version >= 10 {
		size++
	}
	if version >= 27 {
		size++
	}
	switch mode {
	case modeNumeric:
		return [3]int{10, 12, 14}[size], true
	case modeAlnum:
		return [3]int{9, 11, 13}[size], true
	case modeByte:
		return [3]int{8, 16, 16}[size], true
	case modeKanji, modeHanzi:
		return [3]int{8, 10, 12}[size], true
	}
	return 0, false
}

// takeECI reads a designator of one to three bytes (7.4.2.2), -1 for a bad one.
func takeECI(b *bitReader) int {
	v := b.take(8)
	switch {
	case v&0x80 == 0:
		return v
	case v&0xC0 == 0x80:
		return v&0x3F<<8 | b.take(8)
	case v&0xE0 == 0xC0:
		return v&0x1F<<16 | b.take(16)
	}
	return -1
}

func (m *message) numeric(b *bitReader, n int) bool {
	for ; n > 0; n -= 3 {
		k := min(n, 3)
		v := b.take([4]int{0, 4, 7, 10}[k])
		if b.broken || v >= [4]int{1, 10, 100, 1000}[k] {
			return false
		}
		digits := [3]byte{byte('0' + v/100), byte('0' + v/10%10), byte('0' + v%10)}
		m.text.Write(digits[3-k:])
	}
	return true
}

func (m *message) alphanumeric(b *bitReader, n int) bool {
	if n*5 > b.left() {
		return false
	}
	chars := make([]byte, 0, n)
	for ; n >= 2; n -= 2 {
		v := b.take(11)
		if v >= 45*45 {
			return false
		}
		chars = append(chars, alnumChars[v/45], alnumChars[v%45])
	}
	if n == 1 {
		v := b.take(6)
		if v >= 45 {
			return false
		}
		chars = append(chars, alnumChars[v])
	}
	s := string(chars)
	if m.gs1 { // 7.4.8.2: a lone % is the group separator, %% a percent sign
		s = strings.NewReplacer("%%", "%", "%", "\x1d").Replace(s)
	}
	m.text.WriteString(s)
	return true
}

func (m *message) bytes(b *bitReader, n int) bool {
	if n*8 > b.left() {
		return false
	}
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(b.take(8))
	}
	m.text.WriteString(m.decode(raw))
	return true
}

// double reads double-byte characters packed into 13 bits: a row of so many
// columns, moved by low below the split and by high from there.
func (m *message) double(b *bitReader, n, columns, split, low, high int, enc encoding.Encoding) bool {
	if n*13 > b.left() {
		return false
	}
	raw := make([]byte, 0, 2*n)
	for range n {
		v := b.take(13)
		c := v/columns<<8 | v%columns
		if c < split {
			c += low
		} else {
			c += high
		}
		raw = append(raw, byte(c>>8), byte(c))
	}
	s, err := enc.NewDecoder().Bytes(raw)
	if err != nil {
		return false
	}
	m.text.Write(s)
	return true
}
