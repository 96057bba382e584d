package qr

import "testing"

// stream writes bits for the tests: pairs of width and value.
func stream(fields ...int) []byte {
	var out []byte
	at := 0
	for i := 0; i < len(fields); i += 2 {
		for b := fields[i] - 1; b >= 0; b-- {
			if at%8 == 0 {
				out = append(out, 0)
			}
			out[at/8] |= byte(fields[i+1]>>b&1) << (7 - at%8)
			at++
		}
	}
	return out
}

func TestEveryModeIsRead(t *testing.T) {
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"numeric, annex I", "01234567", stream(4, 1, 10, 8, 10, 12, 10, 345, 7, 67, 4, 0)},
		{"alphanumeric, 7.4.4", "AC-42", stream(4, 2, 9, 5, 11, 462, 11, 1849, 6, 2, 4, 0)},
		{"byte as UTF-8", "é", stream(4, 4, 8, 2, 8, 0xC3, 8, 0xA9, 4, 0)},
		{"byte as Latin-1", "é!", stream(4, 4, 8, 2, 8, 0xE9, 8, '!', 4, 0)},
		{"ECI 26", "é", stream(4, 7, 8, 26, 4, 4, 8, 2, 8, 0xC3, 8, 0xA9, 4, 0)},
		{"ECI 9", "α", stream(4, 7, 8, 9, 4, 4, 8, 1, 8, 0xE1, 4, 0)},
		{"kanji, 7.4.6", "点茗", stream(4, 8, 8, 2, 13, 0xD9F, 13, 0x1AAA, 4, 0)},
		{"hanzi, B0A2 of GB 2312", "阿", stream(4, 13, 4, 1, 8, 1, 13, (0xB0-0xA6)*0x60+0xA2-0xA1, 4, 0)},
		{"FNC1", "A\x1dB%", stream(4, 5, 4, 2, 9, 5, 11, 10*45+38, 11, 11*45+38, 6, 38, 4, 0)},
		{"two segments, no terminator", "7AC", stream(4, 1, 10, 1, 4, 7, 4, 2, 9, 2, 11, 462, 2, 0)},
	} {
		got, _, ok := parseMessage(c.data, 1)
		if !ok || got != c.want {
			t.Errorf("%s: got %q %v, want %q", c.name, got, ok, c.want)
		}
	}
}

func TestStructuredAppendIsTold(t *testing.T) {
	text, app, ok := parseMessage(stream(4, 3, 4, 1, 4, 3, 8, 0x5A, 4, 1, 10, 1, 4, 7, 4, 0), 1)
	if want := (Append{Index: 1, Total: 4, Parity: 0x5A}); !ok || text != "7" || app != want {
		t.Errorf("got %q %+v %v, want 7 %+v", text, app, ok, want)
	}
}

func TestBrokenStreamsAreNoText(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":                  nil,
		"terminator alone":       stream(4, 0, 8, 0xEC),
		"unknown mode":           stream(4, 6, 8, 0),
		"count past the end":     stream(4, 4, 8, 200, 8, 'A'),
		"three digits above 999": stream(4, 1, 10, 3, 10, 1000, 4, 0),
		"pair above 45*45":       stream(4, 2, 9, 2, 11, 2040, 4, 0),
		"number 3 of 2":          stream(4, 3, 4, 2, 4, 1, 8, 0, 4, 1, 10, 1, 4, 7),
		"ECI designator 0xFF":    stream(4, 7, 8, 0xFF, 4, 4, 8, 1, 8, 'A'),
	} {
		if got, _, ok := parseMessage(data, 1); ok {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(stream(4, 1, 10, 8, 10, 12, 10, 345, 7, 67, 4, 0), 1)
	f.Add(stream(4, 7, 8, 26, 4, 4, 8, 2, 8, 0xC3, 8, 0xA9, 4, 0), 12)
	f.Fuzz(func(t *testing.T, data []byte, version int) {
		parseMessage(data, version)
	})
}
