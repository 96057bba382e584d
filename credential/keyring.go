package credential

import (
	"bytes"
	"crypto"
	"strings"
	"time"

	"gatehouse"
)

// A Keyring finds the keys under a key id. Ids are short, so several keys may answer to
// one; none is an unknown key.
type Keyring interface {
	Keys(kid []byte) []Key
}

// A Key is a public key that somebody vouches for, and what it is good for.
type Key struct {
	ID     []byte           // as codes name it: 8 bytes, usually
	Issuer gatehouse.Issuer // who signs with it
	Public crypto.PublicKey // *ecdsa.PublicKey, ed25519.PublicKey or *rsa.PublicKey

	// AnyIssuer marks a key that was given by hand and without a name: it speaks for
	// whomever the code claims. No trust list holds such a key.
	AnyIssuer bool

	NotBefore time.Time // codes count from here; zero: no bound
	NotAfter  time.Time // and up to here; zero: no bound
	Withdrawn bool      // nothing that it signed counts any more
	Usage     Usage
}

// speaksFor reports whether the key may sign in the name of issuer. A province's key may
// sign for its cities; a city's key for no other.
func (k Key) speaksFor(issuer gatehouse.Issuer) bool {
	if k.AnyIssuer {
		return issuer != ""
	}
	return issuer.Within(k.Issuer)
}

// Usage is the set of statements that a key may sign. The zero value is none.
type Usage uint8

// The statements; a usage is their sum.
const (
	UseHealthCode Usage = 1 << iota // RHC1
	UseTest
	UseVaccination
	UseRecovery

	UseTravel = UseTest | UseVaccination | UseRecovery // a whole EU DCC signer
	UseAll    = UseHealthCode | UseTravel
)

// usageWords are the names of the bits, lowest first, as the trust list writes them.
var usageWords = [...]string{"health-code", "test", "vaccination", "recovery"}

// Words lists the usage as the trust list writes it.
func (u Usage) Words() []string {
	words := []string{}
	for i, word := range usageWords {
		if u&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}

func (u Usage) String() string { return strings.Join(u.Words(), ", ") }

// A Ring is a handful of keys in memory.
type Ring []Key

// Keys gives the keys under a key id.
func (r Ring) Keys(kid []byte) []Key {
	var found []Key
	for _, key := range r {
		if bytes.Equal(key.ID, kid) {
			found = append(found, key)
		}
	}
	return found
}
