package credential

import (
	"bytes"
	"crypto"
	"slices"
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
	ID     []byte           // as codes name it: 8 bytes, usually; of a name, its text
	Issuer gatehouse.Issuer // who signs with it
	Public crypto.PublicKey // *ecdsa.PublicKey (P-256, SM2), ed25519.PublicKey or *rsa.PublicKey

	// AnyIssuer marks a key that was given by hand and without a name: it speaks for
	// whomever the code claims. No trust list holds such a key.
	AnyIssuer bool

	// Names are those that formats abroad know the issuer by: a URL, a DID. A key that has
	// names speaks under no other; one without is known by its id alone.
	Names []string

	NotBefore time.Time // codes count from here; zero: no bound
	NotAfter  time.Time // and up to here; zero: no bound
	Withdrawn bool      // nothing that it signed counts any more
	Usage     Usage

	others [][]byte // its other ids in the same list
}

// speaksFor reports whether the key may sign in the name of issuer. A province's key may
// sign for its cities; a city's key for no other.
func (k Key) speaksFor(issuer gatehouse.Issuer) bool {
	if k.AnyIssuer {
		return issuer != ""
	}
	return issuer.Within(k.Issuer)
}

// knownAs reports whether formats abroad may know the key's issuer by a name.
func (k Key) knownAs(name string) bool { return len(k.Names) == 0 || slices.Contains(k.Names, name) }

// samePublic compares keys of any kind.
func samePublic(a, b crypto.PublicKey) bool {
	same, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && same.Equal(b)
}

// Usage is the set of statements that a key may sign. The zero value is none.
type Usage uint8

// The statements; a usage is their sum.
const (
	UseHealthCode  Usage = 1 << iota // RHC1, RHC2
	UseTest                          // a proof of a test: EU DCC, SMART Health Card, DIVOC
	UseVaccination                   // a proof of vaccination
	UseRecovery                      // a proof of recovery
	UseEntitlement                   // may enter, no medical fact told: NZ COVID Pass
	UseTravelCode                    // the second code: where a phone was
	UseCertify                       // certifies other keys, and signs no code itself

	UseProof = UseTest | UseVaccination | UseRecovery // a whole EU DCC signer
	UseAll   = UseHealthCode | UseProof | UseEntitlement | UseTravelCode
)

// usageWords are the names of the bits, lowest first, as the trust list writes them.
var usageWords = [...]string{"health-code", "test", "vaccination", "recovery", "entitlement", "travel-code", "certify"}

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

// Revocations tells which codes their issuers took back.
type Revocations interface {
	Revoked(code Revocable) Standing
}

// A Revocable is what a genuine code can be called back by. A code is asked for under each
// of its ids.
type Revocable struct {
	Issuer gatehouse.Issuer // in whose name it was signed
	Key    []byte           // id of the key that signed it
	Issued time.Time
	ID     []byte // not hashed: lists hold a hash of it, each cut as its publisher does
	Kind   IDKind // of the ID
}

// IDKind tells what an id of a code is made of.
type IDKind uint8

// The kinds. The EU's revocation lists call them UCI, COUNTRYCODEUCI and SIGNATURE, and hold
// the first 16 bytes of the SHA-256 of each (hash types of the EU's DCC gateway).
const (
	OwnID       IDKind = iota // the format's own: cti, jti, rid; of a DCC the certificate's id
	CountryID                 // the issuer's country, directly followed by the DCC's id
	SignatureID               // the signature; of ES256 r alone, since anybody can make another s
)

// Standing is what a list of revocations says of a code.
type Standing uint8

// The standings. Whatever else a list may answer counts as MaybeRevoked.
const (
	InForce      Standing = iota // not on the list
	MaybeRevoked                 // a filter says so, and filters err
	Revoked                      // on the list
)

// A Graph writes a JSON-LD document as the canonical N-Quads that its signature is over
// (URDNA2015), without asking any network for what the document refers to.
type Graph interface {
	Canonical(document []byte) ([]byte, error)
}
