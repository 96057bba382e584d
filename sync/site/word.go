package site

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// A word is what one gate tells the others of one code that it judged. On the way it is
//
//	"GHS1"  4 bytes
//	nonce  12 bytes, random
//	body  106 bytes under AES-256-GCM, and its tag of 16
//
// and the body is
//
//	grade   1 byte: the colour that the holder showed, as a row has it; 0 for none
//	at      8 bytes, big endian: milliseconds since 1970-01-01T00:00:00Z
//	code   16 bytes: the tag of the code that let somebody in; zeros for none
//	holder 16 bytes: the tag of the holder of the colour; zeros for none
//	gate    1 byte of length, the name, and zeros up to 64 bytes
//
// Each code that is judged is one word, and all have the same length: who listens without
// the key sees that a gate judged somebody, and not how.
type word struct {
	code, holder tag
	grade        gatehouse.Grade
	at           time.Time
	gate         string
}

const (
	magic     = "GHS1"
	maxName   = 64
	bodySize  = 1 + 8 + 2*len(tag{}) + 1 + maxName
	nonceSize = 12
	wordSize  = len(magic) + nonceSize + bodySize + 16
	keySize   = 32
	lastTime  = 253402300799999 // 9999-12-31T23:59:59.999Z
)

var errWord = errors.New("not a word of this site's gates")

// sealer is what closes and opens words under a site's key. Its nonces are random, which is
// good for 2^32 words of one key (NIST SP 800-38D, 8.3): a word a second for a century.
func sealer(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("site: key of %d bytes, want %d", len(key), keySize)
	}
	words, err := hkdf.Key(sha256.New, key, nil, "gatehouse site words", keySize)
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	block, err := aes.NewCipher(words)
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (w word) seal(a cipher.AEAD) []byte {
	return a.Seal([]byte(magic), nil, w.body(), []byte(magic))
}

// open takes a word apart once its tag holds; nothing of an unproven one is looked at but
// its length.
func open(a cipher.AEAD, b []byte) (word, error) {
	if len(b) != wordSize || string(b[:len(magic)]) != magic {
		return word{}, errWord
	}
	body, err := a.Open(nil, nil, b[len(magic):], []byte(magic))
	if err != nil {
		return word{}, errWord
	}
	return read(body)
}

func (w word) body() []byte {
	name := w.gate[:min(len(w.gate), maxName)]
	b := make([]byte, 0, bodySize)
	b = append(b, byte(w.grade))
	b = binary.BigEndian.AppendUint64(b, uint64(w.at.UnixMilli()))
	b = append(b, w.code[:]...)
	b = append(b, w.holder[:]...)
	b = append(b, byte(len(name)))
	b = append(b, name...)
	return b[:bodySize]
}

// read takes a body apart. Behind a good tag is a neighbour, who may be broken.
func read(b []byte) (word, error) {
	if len(b) != bodySize {
		return word{}, errWord
	}
	at, length := binary.BigEndian.Uint64(b[1:9]), int(b[41])
	if b[0] > byte(gatehouse.Grey) || at > lastTime || length > maxName {
		return word{}, errWord
	}
	name, rest := b[42:42+length], b[42+length:]
	if !utf8.Valid(name) || bytes.ContainsFunc(name, unicode.IsControl) || len(bytes.Trim(rest, "\x00")) > 0 {
		return word{}, errWord
	}
	w := word{grade: gatehouse.Grade(b[0])}
	copy(w.code[:], b[9:25])
	copy(w.holder[:], b[25:41])
	w.at, w.gate = time.UnixMilli(int64(at)).UTC(), string(name)
	return w, nil
}
