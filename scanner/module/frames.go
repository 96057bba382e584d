package module

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the longest text, in bytes: as many digits as the largest QR code holds
// (version 40-L; ISO/IEC 18004, table 7). Everything else that it holds is shorter, kanji
// in UTF-8 included.
const maxText = 7089

// A framer cuts what a module sends into texts. It knows no clock: whoever feeds it says
// when there was a pause.
type framer struct {
	suffix
	counts *Counts

	text []byte // so far
	skip bool   // what comes is dropped up to the next end
}

// take gives the texts that end in b.
func (f *framer) take(b []byte) (texts []string) {
	for _, c := range b {
		switch {
		case strings.IndexByte(f.ends, c) >= 0:
			texts = f.end(texts)
		case f.skip:
		case c < ' ' || c == 0x7F:
			f.drop(&f.counts.Refused)
		case len(f.text) == maxText:
			f.drop(&f.counts.TooLong)
		default:
			f.text = append(f.text, c)
		}
	}
	return texts
}

// pause gives the text that ends because nothing follows it.
func (f *framer) pause() (texts []string) {
	if f.strict && len(f.text) > 0 {
		f.drop(&f.counts.Cut)
	}
	return f.end(nil)
}

// pending tells whether something has begun that a pause would end.
func (f *framer) pending() bool { return f.skip || len(f.text) > 0 }

func (f *framer) end(texts []string) []string {
	if len(f.text) > 0 {
		if text, ok := readable(f.text); ok {
			texts = append(texts, text)
		} else {
			f.counts.Refused++
		}
	}
	f.text, f.skip = f.text[:0], false
	return texts
}

func (f *framer) drop(why *uint64) {
	*why++
	f.text, f.skip = f.text[:0], true
}

// readable makes a text of UTF-8 or else of ISO 8859-1, and is false when a control
// character is in it: those of 8859-1 from 0x80 on are what noise looks like.
func readable(b []byte) (string, bool) {
	text := string(b)
	if !utf8.Valid(b) {
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		text = string(runes)
	}
	return text, !strings.ContainsFunc(text, unicode.IsControl)
}
