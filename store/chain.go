package store

import (
	"crypto/sha256"
	"fmt"
	"regexp"
)

// An Epoch is 16 random bytes that a book gets when it is made. A wiped card starts a new
// book with another epoch, so its row 1 is never taken for the old row 1.
type Epoch = [16]byte

// A Hash is a link of the chain: SHA-256.
type Hash = [sha256.Size]byte

// Genesis is the hash before row 1. It binds the chain to a gate and an epoch: a row moved
// into another book breaks that book's chain.
func Genesis(gate string, epoch Epoch) Hash {
	h := sha256.New()
	h.Write([]byte("gatehouse book 1\n"))
	h.Write(epoch[:])
	h.Write([]byte(gate))
	return Hash(h.Sum(nil))
}

// Link is the hash after a row: SHA-256 of the hash before and the row's exact bytes.
func Link(before Hash, row []byte) Hash {
	h := sha256.New()
	h.Write(before[:])
	h.Write(row)
	return Hash(h.Sum(nil))
}

var gateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// checkGate keeps gate names to what stands in a URL path and a log line unescaped.
func checkGate(name string) error {
	if !gateName.MatchString(name) {
		return fmt.Errorf("gate name %q: want 1 to 64 letters, digits, '.', '_', '-', beginning with a letter or digit", name)
	}
	return nil
}
