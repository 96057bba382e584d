package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

const (
	maxBloom  = 32 << 20 // bytes of a bloom filter
	maxRounds = 127      // the format counts them in a signed byte
	bloomHead = 20
)

// A Bloom is a bloom filter of the EU's certificates: in so many rounds it hashes what it is
// asked for, and each round names a bit that is set for whatever was put in.
//
// The format and the hash are those of the member states' common implementation,
// github.com/eu-digital-green-certificates/dgc-bloomfilter.
type Bloom struct {
	words  []uint32 // the first bit is the highest of the first word
	size   uint64   // in bits
	wrap   uint64   // 2^256 modulo size
	rounds int
}

// ReadBloom reads the published form. It is big-endian: 2 bytes of version, which is 1; one
// byte for the hash function, which is 0 for SHA-256, and one for the number of rounds; 4 of
// the false-positive rate, 4 of the number of elements that were planned and 4 of those
// present, none of which a look-up needs; 4 of the number of words; and the words, of 4 bytes.
//
// The format's description has the hash function before the rounds, the Java implementation
// writes the rounds first. Since one of the two is always zero and the other never, both are
// read.
func ReadBloom(b []byte) (*Bloom, error) {
	if len(b) < bloomHead || len(b) > bloomHead+maxBloom {
		return nil, fmt.Errorf("bloom filter: %d bytes, %d to %d are due", len(b), bloomHead, bloomHead+maxBloom)
	}
	if version := binary.BigEndian.Uint16(b); version != 1 {
		return nil, fmt.Errorf("bloom filter: byte 0: version %d, 1 is known", version)
	}
	rounds, function := int(b[3]), int(b[2])
	if rounds == 0 {
		rounds, function = function, rounds
	}
	if function != 0 {
		return nil, fmt.Errorf("bloom filter: byte 2: hash function %d, 0 for SHA-256 is known", function)
	}
	words := uint64(binary.BigEndian.Uint32(b[16:]))
	if left := uint64(len(b) - bloomHead); 4*words != left {
		return nil, fmt.Errorf("bloom filter: byte 16: %d words are promised and %d bytes are left", words, left)
	}
	filter := make([]uint32, words)
	for i := range filter {
		filter[i] = binary.BigEndian.Uint32(b[bloomHead+4*i:])
	}
	return newBloom(filter, 32*words, rounds)
}

// newBloom checks what a look-up relies on: a bit to name, and a bounded number of rounds.
func newBloom(words []uint32, size uint64, rounds int) (*Bloom, error) {
	if size == 0 || size > 32*uint64(len(words)) {
		return nil, fmt.Errorf("bloom filter: %d bits in %d words", size, len(words))
	}
	if rounds < 1 || rounds > maxRounds {
		return nil, fmt.Errorf("bloom filter: %d rounds, 1 to %d are due", rounds, maxRounds)
	}
	wrap := 1 % size
	for range 4 {
		wrap = bits.Rem64(wrap, 0, size)
	}
	return &Bloom{words: words, size: size, wrap: wrap, rounds: rounds}, nil
}

// Has reports whether an element was put in, or looks as if it had been.
func (f *Bloom) Has(element []byte) bool {
	for round := range f.rounds {
		at := f.bit(element, round)
		if f.words[at/32]&(1<<31>>(at%32)) == 0 {
			return false
		}
	}
	return true
}

// Bits is none: a bloom filter never is sure.
func (f *Bloom) Bits() int { return 0 }

// bit is the bit that a round names: the SHA-256 of the element and the round's number, taken
// as a signed number, modulo the size of the filter and never negative.
func (f *Bloom) bit(element []byte, round int) uint64 {
	message := make([]byte, 0, 64)
	message = append(append(message, element...), byte(round))
	sum := sha256.Sum256(message)
	at := uint64(0)
	for i := 0; i < len(sum); i += 8 {
		at = bits.Rem64(at, binary.BigEndian.Uint64(sum[i:]), f.size)
	}
	if sum[0] >= 0x80 { // negative: 2^256 less
		at = (at + f.size - f.wrap) % f.size
	}
	return at
}
