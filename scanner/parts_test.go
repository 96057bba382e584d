package scanner

import (
	"testing"
	"time"

	"gatehouse/scanner/qr"
)

func part(text string, index, total int, parity byte) qr.Text {
	return qr.Text{Value: text, Append: qr.Append{Index: index, Total: total, Parity: parity}}
}

func TestSpreadTextIsToldWhenAllItsSymbolsWereSeen(t *testing.T) {
	var s Scanner
	at := func(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }
	for i, c := range []struct {
		name  string
		at    int
		codes []qr.Text
		want  string
	}{
		{"the last first", 0, []qr.Text{part("DEF", 1, 3, 7)}, ""},
		{"another's, between", 1, []qr.Text{part("xyz", 0, 3, 8)}, ""},
		{"two more in one frame", 2, []qr.Text{part("GHI", 2, 3, 7), part("ABC", 0, 3, 7)}, "ABCDEFGHI"},
		{"one of them again", 3, []qr.Text{part("DEF", 1, 3, 7)}, "ABCDEFGHI"},
		{"one long after", 20, []qr.Text{part("DEF", 1, 3, 7)}, ""},
		{"number beyond the total", 21, []qr.Text{part("A", 3, 3, 9)}, ""},
		{"more than a text may have", 21, []qr.Text{part("A", 16, 17, 9)}, ""},
		{"a symbol that stands alone", 22, []qr.Text{{Value: "alone"}}, "alone"},
	} {
		texts := s.values(c.codes, at(c.at))
		got := ""
		if len(texts) == 1 {
			got = texts[0]
		}
		if got != c.want || len(texts) > 1 {
			t.Errorf("%d, %s: told %q, want %q", i+1, c.name, texts, c.want)
		}
	}
}

func TestStrangersSymbolsTakeNoRoom(t *testing.T) {
	var p parts
	for i := range 1000 {
		p.add(part("A", 0, 2, byte(i)), epoch)
	}
	if len(p.sets) > mostSets {
		t.Errorf("%d sets are kept, want at most %d", len(p.sets), mostSets)
	}
}
