package qr

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// Bytes to text.

// decode turns the bytes of a segment into text: as the ECI says, and without
// one as most writers mean it, UTF-8, then Shift JIS, then Latin-1.
func (m *message) decode(raw []byte) string {
	enc := charset(m.eci)
	if enc == nil {
		switch {
		case utf8.Valid(raw):
			return string(raw)
		case looksShiftJIS(raw):
			enc = japanese.ShiftJIS
		default:
			enc = charmap.ISO8859_1
		}
	}
	if s, err := enc.NewDecoder().Bytes(raw); err == nil {
		return string(s)
	}
	s, _ := charmap.ISO8859_1.NewDecoder().Bytes(raw) // maps every byte
	return string(s)
}

// charset is the encoding of an ECI assignment (AIM ITS/04-023), nil where the
// bytes must speak for themselves.
func charset(eci int) encoding.Encoding {
	switch eci {
	case 0, 2:
		return charmap.CodePage437
	case 1, 3:
		return charmap.ISO8859_1
	case 20:
		return japanese.ShiftJIS
	case 25:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case 28:
		return traditionalchinese.Big5
	case 29, 32:
		return simplifiedchinese.GB18030
	case 30:
		return korean.EUCKR
	}
	for _, c := range [...]struct {
		eci int
		enc encoding.Encoding
	}{
		{4, charmap.ISO8859_2}, {5, charmap.ISO8859_3}, {6, charmap.ISO8859_4}, {7, charmap.ISO8859_5},
		{8, charmap.ISO8859_6}, {9, charmap.ISO8859_7}, {10, charmap.ISO8859_8}, {11, charmap.ISO8859_9},
		{12, charmap.ISO8859_10}, {15, charmap.ISO8859_13}, {16, charmap.ISO8859_14}, {17, charmap.ISO8859_15},
		{18, charmap.ISO8859_16}, {21, charmap.Windows1250}, {22, charmap.Windows1251}, {23, charmap.Windows1252},
		{24, charmap.Windows1256},
	} {
		if c.eci == eci {
			return c.enc
		}
	}
	return nil
}

// looksShiftJIS reports whether every byte fits Shift JIS and double-byte
// characters or runs of half-width katakana outweigh what Latin-1 would give.
func looksShiftJIS(raw []byte) bool {
	double, kana, run, longest := 0, 0, 0, 0
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c >= 0xA1 && c <= 0xDF:
			kana++
			run++
			longest = max(longest, run)
			continue
		case c >= 0x81 && c <= 0x9F || c >= 0xE0 && c <= 0xFC:
			if i++; i == len(raw) || raw[i] < 0x40 || raw[i] == 0x7F || raw[i] > 0xFC {
				return false
			}
			double++
		case c >= 0x80:
			return false
		}
		run = 0
	}
	return double >= 2 || longest >= 3 || kana*2 >= len(raw)
}
