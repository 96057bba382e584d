package site

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"gatehouse"
)

// What a word is about.
const (
	kindCode   byte = 1
	kindHolder byte = 2
)

// A word is what one gate tells the others: one visit under one tag.
//
//	"GHS1"  4 bytes
//	kind    1 byte: 1 a code let somebody in, 2 a holder showed a colour
//	grade   1 byte: the colour, as a row has it; 0 with a code
//	at      8 bytes, big endian: milliseconds since 1970-01-01T00:00:00Z
//	tag    16 bytes
//	gate    1 byte of length and as many of the name
//	mac    32 bytes: HMAC-SHA256 under the site's key over all before it
type word struct {
	kind byte
	tag  tag
	visit
}

const (
	magic    = "GHS1"
	fixed    = len(magic) + 1 + 1 + 8 + 16 + 1
	maxName  = 64
	maxWord  = fixed + maxName + sha256.Size
	lastTime = 253402300799999 // 9999-12-31T23:59:59.999Z
)

var errWord = errors.New("not a word of this site's gates")

func (w word) seal(key []byte) []byte {
	name := w.gate[:min(len(w.gate), maxName)]
	b := make([]byte, 0, fixed+len(name)+sha256.Size)
	b = append(b, magic...)
	b = append(b, w.kind, byte(w.grade))
	b = binary.BigEndian.AppendUint64(b, uint64(w.at.UnixMilli()))
	b = append(b, w.tag[:]...)
	b = append(b, byte(len(name)))
	b = append(b, name...)
	return mac(key, b).Sum(b)
}

// open takes a word apart once its mac holds; nothing of an unproven one is looked at but
// its length.
func open(key, b []byte) (word, error) {
	body := len(b) - sha256.Size
	if body < fixed || len(b) > maxWord || !hmac.Equal(mac(key, b[:body]).Sum(nil), b[body:]) {
		return word{}, errWord
	}
	b = b[:body]
	at := binary.BigEndian.Uint64(b[6:14])
	w := word{kind: b[4]}
	w.grade, w.gate = gatehouse.Grade(b[5]), string(b[fixed:])
	copy(w.tag[:], b[14:30])
	if string(b[:4]) != magic || w.kind != kindCode && w.kind != kindHolder || w.grade > gatehouse.Grey ||
		at > lastTime || int(b[30]) != len(w.gate) {
		return word{}, errWord
	}
	w.at = time.UnixMilli(int64(at)).UTC()
	return w, nil
}

func mac(key, b []byte) interface{ Sum([]byte) []byte } {
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m
}
