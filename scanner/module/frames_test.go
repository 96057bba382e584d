package module

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// cut feeds parts to a framer, with a pause wherever a part is "|".
func cut(end suffix, parts ...string) (texts []string, c Counts) {
	f := framer{suffix: end, counts: &c}
	for _, p := range parts {
		if p == "|" {
			texts = append(texts, f.pause()...)
			continue
		}
		texts = append(texts, f.take([]byte(p))...)
	}
	return texts, c
}

func named(t testing.TB, name string) suffix {
	t.Helper()
	i := slices.IndexFunc(serialSuffixes, func(s suffix) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no suffix %s", name)
	}
	return serialSuffixes[i]
}

func TestTextsEndWhereTheModuleEndsThem(t *testing.T) {
	long := strings.Repeat("7", maxText)
	for _, c := range []struct {
		name, suffix string
		parts, want  []string
		counts       Counts
	}{
		{"CR", "any", []string{"A\rB\r"}, []string{"A", "B"}, Counts{}},
		{"LF", "any", []string{"A\nB\n"}, []string{"A", "B"}, Counts{}},
		{"CR LF", "any", []string{"A\r\nB\r\n"}, []string{"A", "B"}, Counts{}},
		{"CR and LF apart", "any", []string{"A\r", "|", "\n", "|", "B\r\n"}, []string{"A", "B"}, Counts{}},
		{"a pause", "any", []string{"A", "|", "B", "|"}, []string{"A", "B"}, Counts{}},
		{"not over yet", "any", []string{"A\rB"}, []string{"A"}, Counts{}},
		{"in pieces", "any", []string{"HC", "1:", "6B", "F\r"}, []string{"HC1:6BF"}, Counts{}},
		{"nothing", "any", []string{"", "|", "\r\r\n\n", "|"}, nil, Counts{}},

		{"CR alone", "cr", []string{"A\r", "B", "|", "C\r"}, []string{"A", "C"}, Counts{Cut: 1}},
		{"LF where CR is meant", "cr", []string{"A\nB\rC\r"}, []string{"C"}, Counts{Refused: 1}},
		{"LF alone", "lf", []string{"A\nB\n"}, []string{"A", "B"}, Counts{}},
		{"CRLF alone", "crlf", []string{"A\r\nB\r\n", "C", "|"}, []string{"A", "B"}, Counts{Cut: 1}},
		{"tab", "tab", []string{"A\tB\t"}, []string{"A", "B"}, Counts{}},
		{"pauses alone", "none", []string{"A", "B", "|", "C", "|"}, []string{"AB", "C"}, Counts{}},
		{"a suffix that was not meant", "none", []string{"A\r", "|", "B", "|"}, []string{"B"}, Counts{Refused: 1}},

		{"zero byte", "any", []string{"A\x00B\rC\r"}, []string{"C"}, Counts{Refused: 1}},
		{"tab in a text", "any", []string{"A\tB\rC\r"}, []string{"C"}, Counts{Refused: 1}},
		{"delete", "any", []string{"\x7f\rC\r"}, []string{"C"}, Counts{Refused: 1}},
		{"many control characters are one text", "any", []string{"A\x01\x02B\x03", "|", "C\r"}, []string{"C"}, Counts{Refused: 1}},
		{"refused up to the pause", "cr", []string{"A\x01B", "|", "C\r"}, []string{"C"}, Counts{Refused: 1}},

		{"the longest", "any", []string{long + "\r"}, []string{long}, Counts{}},
		{"one more", "any", []string{long + "7\rA\r"}, []string{"A"}, Counts{TooLong: 1}},
		{"endless, to a pause", "any", []string{long, long, long, "|", "A\r"}, []string{"A"}, Counts{TooLong: 1}},
		{"the longest, to a pause", "any", []string{long, "|"}, []string{long}, Counts{}},

		{"UTF-8", "any", []string{"健康码 Zürich\r"}, []string{"健康码 Zürich"}, Counts{}},
		{"UTF-8 in pieces", "any", []string{"\xe5", "\x81\xa5\r"}, []string{"健"}, Counts{}},
		{"ISO 8859-1", "any", []string{"Z\xfcrich\r"}, []string{"Zürich"}, Counts{}},
		{"C1 in ISO 8859-1", "any", []string{"\xfc\x85\rA\r"}, []string{"A"}, Counts{Refused: 1}},
		{"C1 in UTF-8", "any", []string{"\u0085\rA\r"}, []string{"A"}, Counts{Refused: 1}},
		{"C1, to a pause", "none", []string{"\x85", "|", "A", "|"}, []string{"A"}, Counts{Refused: 1}},
	} {
		texts, counts := cut(named(t, c.suffix), c.parts...)
		if !slices.Equal(texts, c.want) {
			t.Errorf("%s: %.60q, want %.60q", c.name, texts, c.want)
		}
		if counts != c.counts {
			t.Errorf("%s: counted %+v, want %+v", c.name, counts, c.counts)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("HC1:6BF\r\nHC1:NCF\r\n"), uint8(0), uint8(7))
	f.Add([]byte("A\x00B\rC"), uint8(1), uint8(1))
	f.Add([]byte("Z\xfcrich\r\xe5\x81\xa5"), uint8(5), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, end, at uint8) {
		s := serialSuffixes[int(end)%len(serialSuffixes)]
		var whole, parts Counts
		a, c := framer{suffix: s, counts: &whole}, framer{suffix: s, counts: &parts}
		got := append(a.take(b), a.pause()...)
		var pieces []string
		for chunk := range slices.Chunk(b, int(at)+1) {
			pieces = append(pieces, c.take(chunk)...)
		}
		pieces = append(pieces, c.pause()...)
		if !slices.Equal(got, pieces) || whole != parts {
			t.Fatalf("at once %q %+v, in pieces %q %+v", got, whole, pieces, parts)
		}
		if a.pending() || cap(a.text) > 2*maxText {
			t.Fatalf("%d bytes are kept, pending %v", cap(a.text), a.pending())
		}
		for _, text := range got {
			if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) {
				t.Fatalf("%q is no text", text)
			}
		}
	})
}
