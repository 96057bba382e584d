package module

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// An input is one input event without its time.
type input struct {
	kind, code uint16
	value      int32
}

// The sizes of an event's time: boards of 64 and of 32 bits.
var times = []int{16, 8}

// recorded lays inputs out as the kernel does, each at a time of its own.
func recorded(time int, inputs ...input) []byte {
	var b []byte
	for i, in := range inputs {
		stamp := bytes.Repeat([]byte{byte(i + 1)}, time)
		b = append(b, stamp...)
		b = binary.LittleEndian.AppendUint16(b, in.kind)
		b = binary.LittleEndian.AppendUint16(b, in.code)
		b = binary.LittleEndian.AppendUint32(b, uint32(in.value))
	}
	return b
}

var report = input{evSyn, synReport, 0}

// press is a key that goes down and comes up, as evtest shows it: the scan code first.
func press(code uint16) []input {
	const evMsc, mscScan = 0x04, 0x04
	scan := input{evMsc, mscScan, 0x70000 + int32(code)}
	return []input{scan, {evKey, code, 1}, report, scan, {evKey, code, 0}, report}
}

func hold(code uint16, inner ...[]input) []input {
	all := []input{{evKey, code, 1}, report}
	for _, in := range inner {
		all = append(all, in...)
	}
	return append(all, input{evKey, code, 0}, report)
}

// keyOf is the US keyboard by character: the codes of linux/input-event-codes.h in the
// order of the alphabet, and the character that shares each key of the second line.
func keyOf(c byte) (code uint16, shift bool) {
	letters := [...]uint16{30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44}
	digits := [...]uint16{11, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	signs := map[byte]uint16{' ': 57, '-': 12, '=': 13, '[': 26, ']': 27, '\\': 43, ';': 39, '\'': 40, '`': 41, ',': 51, '.': 52, '/': 53}
	if i := strings.IndexByte(`!@#$%^&*()_+{}|:"~<>?`, c); i >= 0 {
		shift, c = true, "1234567890-=[]\\;'`,./"[i]
	}
	switch {
	case 'a' <= c && c <= 'z':
		return letters[c-'a'], shift
	case 'A' <= c && c <= 'Z':
		return letters[c-'A'], true
	case '0' <= c && c <= '9':
		return digits[c-'0'], shift
	}
	return signs[c], shift
}

// keystrokes types a text with either shift key, as a module does.
func keystrokes(text string) (all []input) {
	for i := range len(text) {
		code, shift := keyOf(text[i])
		switch {
		case shift && i%2 == 0:
			all = append(all, hold(keyLeftShift, press(code))...)
		case shift:
			all = append(all, hold(keyRightShift, press(code))...)
		default:
			all = append(all, press(code)...)
		}
	}
	return all
}

func TestEveryCharacterThatIsTypedComesBack(t *testing.T) {
	var printable []byte
	for c := byte(' '); c <= '~'; c++ {
		printable = append(printable, c)
	}
	for _, text := range []string{
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", // base45, RFC 9285
		string(printable),
		"HC1:6BFOXN%TSMAHN-HVN8J7UQMJ4/36 L-AH$%I",
	} {
		for _, size := range times {
			k := keyboard{time: size}
			if got := string(k.typed(recorded(size, keystrokes(text)...))); got != text {
				t.Errorf("time of %d bytes: typed %q, got %q", size, text, got)
			}
		}
	}
}

func TestEventsAreAsLargeAsTheKernels(t *testing.T) {
	// linux/input.h: 24 bytes where a long has 8, 16 where it has 4.
	if got, want := eventTime+eventBody, map[int]int{64: 24, 32: 16}[32<<(^uint(0)>>63)]; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

func TestKeysThatDoNotPrint(t *testing.T) {
	const keyA, keyC, key1, keyF1, keyEsc, keyBackspace, keyKP7, keyKPDot, keyKPSlash, keyKPAsterisk = 30, 46, 2, 59, 1, 14, 71, 83, 98, 55
	var repeated []input
	for range 5 {
		repeated = append(repeated, input{evKey, keyA, 2}, report)
	}
	lost := []input{{evSyn, synDropped, 0}, {evKey, keyA, 1}, {evKey, keyLeftShift, 1}, report}
	for _, c := range []struct {
		name   string
		inputs [][]input
		want   string
	}{
		{"enter", [][]input{press(keyA), press(keyEnter), press(keyKPEnter)}, "a\r\r"},
		{"tab", [][]input{press(keyA), press(keyTab)}, "a\t"},
		{"one key held", [][]input{hold(keyA, repeated)}, "a"},
		{"shift held", [][]input{hold(keyLeftShift, press(keyA), press(key1), press(keyA)), press(keyA)}, "A!Aa"},
		{"both shifts", [][]input{hold(keyLeftShift, hold(keyRightShift), press(keyA))}, "A"},
		{"shift repeated", [][]input{hold(keyLeftShift, []input{{evKey, keyLeftShift, 2}}, press(keyA))}, "A"},
		{"caps lock", [][]input{press(keyCapsLock), press(keyA), press(key1), press(keyCapsLock), press(keyA)}, "A1a"},
		{"caps lock with shift", [][]input{press(keyCapsLock), hold(keyLeftShift, press(keyA), press(key1))}, "a!"},
		{"caps lock by its lamp", [][]input{{{evLED, ledCapsL, 1}}, press(keyA), {{evLED, ledCapsL, 0}}, press(keyA)}, "Aa"},
		{"another lamp", [][]input{{{evLED, 0, 1}}, press(keyA)}, "a"},
		{"keypad", [][]input{press(keyNumLock), press(keyKP7), press(keyKPDot), press(keyKPSlash), press(keyKPAsterisk)}, "7./*"},
		{"control", [][]input{hold(keyLeftCtrl, press(keyC)), press(keyC)}, "\x00c"},
		{"alt and a code point", [][]input{hold(keyLeftAlt, press(keyKP7), press(keyKP7))}, "\x00\x00"},
		{"either meta", [][]input{hold(keyLeftMeta, hold(keyRightMeta), press(keyA)), press(keyA)}, "\x00a"},
		{"no character", [][]input{press(keyF1), press(keyEsc), press(keyBackspace), press(0), press(700)}, "\x00\x00\x00\x00\x00"},
		{"events lost", [][]input{press(keyA), lost, press(keyA)}, "a\x00a"},
		{"shift came up among the lost", [][]input{{{evKey, keyLeftShift, 1}}, lost, press(keyA)}, "\x00a"},
		{"pointer", [][]input{{{0x02, 0, 5}, {0x03, 1, 9}, report}}, ""},
	} {
		for _, size := range times {
			k := keyboard{time: size}
			if got := string(k.typed(recorded(size, slices.Concat(c.inputs...)...))); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	}
}

func TestLitCapsLockIsKnownFromTheStart(t *testing.T) {
	k := keyboard{time: 8, caps: true}
	if got := string(k.typed(recorded(8, keystrokes("aB1")...))); got != "Ab1" {
		t.Errorf("got %q", got)
	}
}

func TestStrayKeySpoilsItsTextAlone(t *testing.T) {
	const keyF1 = 59
	for _, size := range times {
		var c Counts
		d := decoder{&keyboard{time: size}, framer{suffix: hidSuffixes[0], counts: &c}}
		got := d.take(recorded(size, slices.Concat(keystrokes("ONE"), press(keyEnter),
			keystrokes("TWO"), press(keyF1), keystrokes("2"), press(keyTab), keystrokes("3"), press(keyTab))...))
		if want := []string{"ONE", "3"}; !slices.Equal(got, want) || c != (Counts{Refused: 1}) {
			t.Errorf("%q, %+v; want %q and one refused", got, c, want)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add(recorded(16, keystrokes("HC1:6BF %")...), false, uint8(24))
	f.Add(recorded(8, slices.Concat(keystrokes("a+B"), press(keyEnter))...), true, uint8(5))
	f.Fuzz(func(t *testing.T, b []byte, narrow bool, at uint8) {
		size := times[0]
		if narrow {
			size = times[1]
		}
		whole, parts := keyboard{time: size}, keyboard{time: size}
		got := whole.typed(b)
		var pieces []byte
		for chunk := range slices.Chunk(b, int(at)+1) {
			pieces = append(pieces, parts.typed(chunk)...)
		}
		if !bytes.Equal(got, pieces) {
			t.Fatalf("at once %q, in pieces %q", got, pieces)
		}
		if len(got) > len(b)/(size+eventBody) || len(whole.rest) >= size+eventBody {
			t.Fatalf("%d characters of %d bytes, %d left", len(got), len(b), len(whole.rest))
		}
		for _, c := range got {
			if (c < ' ' || c > '~') && c != '\r' && c != '\t' && c != spoilt {
				t.Fatalf("typed %q", got)
			}
		}
	})
}
