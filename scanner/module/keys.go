package module

import (
	"encoding/binary"
	"unsafe"
)

// What is looked at of input events, by their names in linux/input-event-codes.h.
const (
	evSyn = 0x00
	evKey = 0x01
	evLED = 0x11

	synReport  = 0
	synDropped = 3
	ledCapsL   = 1

	keyTab        = 15
	keyEnter      = 28
	keyLeftCtrl   = 29
	keyLeftShift  = 42
	keyRightShift = 54
	keyLeftAlt    = 56
	keyCapsLock   = 58
	keyNumLock    = 69
	keyScrollLock = 70
	keyKPEnter    = 96
	keyRightCtrl  = 97
	keyRightAlt   = 100
	keyLeftMeta   = 125
	keyRightMeta  = 126
)

// An input_event of linux/input.h is a time of two longs, then type, code and value: 24
// bytes where a long has 8, 16 where it has 4.
const (
	eventTime = 2 * int(unsafe.Sizeof(uintptr(0)))
	eventBody = 2 + 2 + 4
)

// spoilt stands for what cannot be typed into a text. It is a control character, so that
// the text it falls into is refused as a whole.
const spoilt = 0

// A keyboard turns input events into what was typed, on a US layout: modules can be set to
// others, but each of them is another way to mistake one character for another.
type keyboard struct {
	time int  // bytes of an event before its type
	caps bool // caps lock is on

	shift, other held
	deaf         bool   // events were lost: nothing counts before the next report
	rest         []byte // of an event that came in parts
	out          []byte
}

// held are keys of one kind that are down, by code.
type held struct{ left, right bool }

func (h held) any() bool { return h.left || h.right }

// typed gives the characters typed by the events in b, Enter as CR. The result is good
// until the next call.
func (k *keyboard) typed(b []byte) []byte {
	k.out = k.out[:0]
	size := k.time + eventBody
	k.rest = append(k.rest, b...)
	events := k.rest
	for ; len(events) >= size; events = events[size:] {
		body := events[k.time:size]
		// Every board that this runs on is little-endian.
		k.event(binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:]), int32(binary.LittleEndian.Uint32(body[4:])))
	}
	k.rest = append(k.rest[:0], events...)
	return k.out
}

func (k *keyboard) event(kind, code uint16, value int32) {
	switch {
	case kind == evSyn && code == synDropped:
		// The kernel's queue ran over. Keys may have come up unseen, and the end of a text
		// with them (kernel documentation, input/event-codes.rst).
		k.shift, k.other, k.deaf = held{}, held{}, true
		k.out = append(k.out, spoilt)
	case kind == evSyn && code == synReport:
		k.deaf = false
	case k.deaf:
	case kind == evLED && code == ledCapsL:
		k.caps = value != 0
	case kind == evKey:
		k.key(code, value)
	}
}

// key takes one key: value is 0 when it comes up, 1 when it goes down, 2 when the kernel
// repeats it, which is how a key that got stuck looks.
func (k *keyboard) key(code uint16, value int32) {
	down := value != 0
	switch code {
	case keyLeftShift:
		k.shift.left = down
		return
	case keyRightShift:
		k.shift.right = down
		return
	case keyLeftCtrl, keyLeftAlt, keyLeftMeta:
		k.other.left = down
		return
	case keyRightCtrl, keyRightAlt, keyRightMeta:
		k.other.right = down
		return
	}
	if value != 1 {
		return
	}
	switch code {
	case keyCapsLock:
		k.caps = !k.caps
	case keyNumLock, keyScrollLock: // the keypad's digits are digits, whatever the lock says
	case keyEnter, keyKPEnter:
		k.out = append(k.out, '\r')
	case keyTab:
		k.out = append(k.out, '\t')
	default:
		k.out = append(k.out, k.character(code))
	}
}

// keyRows are the printing keys in runs of codes that follow each other.
var keyRows = [...]struct {
	first          uint16
	plain, shifted string
}{
	{2, "1234567890-=", "!@#$%^&*()_+"},
	{16, "qwertyuiop[]", "QWERTYUIOP{}"},
	{30, "asdfghjkl;'`", `ASDFGHJKL:"~`},
	{43, `\zxcvbnm,./`, `|ZXCVBNM<>?`},
	{55, "*", "*"}, // keypad
	{57, " ", " "},
	{71, "789-456+1230.", "789-456+1230."}, // keypad
	{98, "/", "/"},                         // keypad
}

func (k *keyboard) character(code uint16) byte {
	if k.other.any() {
		return spoilt // control characters, and digits that are a code point's
	}
	for _, row := range keyRows {
		if code < row.first || int(code-row.first) >= len(row.plain) {
			continue
		}
		c, shifted := row.plain[code-row.first], k.shift.any()
		if 'a' <= c && c <= 'z' {
			shifted = shifted != k.caps
		}
		if shifted {
			return row.shifted[code-row.first]
		}
		return c
	}
	return spoilt
}
