package credential

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tagOf shortens a code's random id to what a book may keep: enough to see the same code
// twice, nothing that leads back to it.
func tagOf(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:8])
}

// isIssuer reports whether s has the form of a gatehouse.Issuer: a country of ISO 3166-1,
// or a country and a division code of two, four or six digits.
func isIssuer(s string) bool {
	country, division, divided := strings.Cut(s, "-")
	if len(country) != 2 || !within(country, 'A', 'Z') {
		return false
	}
	if !divided {
		return true
	}
	return (len(division) == 2 || len(division) == 4 || len(division) == 6) && within(division, '0', '9')
}

func within(s string, low, high byte) bool {
	for i := range len(s) {
		if s[i] < low || s[i] > high {
			return false
		}
	}
	return true
}

// presentable reports whether a guard's page may show s as it is: UTF-8 of at most max
// bytes without control, bidirectional override or other invisible characters.
func presentable(s string, max int) bool {
	if len(s) > max || !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, hidden) < 0
}

// present makes s presentable: what is hidden is dropped, what is too long is cut.
func present(s string, max int) string {
	if len(s) > 4*max {
		s = s[:4*max]
	}
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	for len(s) > max {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

// hidden adds to what Unicode does not call printable the letters and marks that are drawn
// as nothing (fillers of Hangul, joiners) and the Braille pattern without a dot.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == '\u2800'
}

// mask keeps the first two letters of a family name: a guard can compare them with a card,
// and a screen read over a shoulder gives nobody away. It keeps one where two would be all of
// the name, and of a script whose letters are syllables or words.
func mask(name string) string {
	var first []rune
	for i, r := range name {
		if len(first) == 3 || i > 64 {
			break
		}
		if unicode.IsLetter(r) && !hidden(r) {
			first = append(first, r)
		}
	}
	if len(first) == 0 {
		return ""
	}
	kept := 2
	if len(first) < 3 || unicode.In(first[0], unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) {
		kept = 1
	}
	return string(first[:kept]) + "***"
}
