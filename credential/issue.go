package credential

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"gatehouse"
)

const keyIDSize = 8

// KeyID is the id of a key in RHC1: the first 8 bytes of the SHA-256 of its
// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
func KeyID(public crypto.PublicKey) ([]byte, error) {
	spki, err := marshalSPKI(public)
	if err != nil {
		return nil, fmt.Errorf("key id: %w", err)
	}
	sum := sha256.Sum256(spki)
	return sum[:keyIDSize], nil
}

// Claims is what a region or an operator states in one code of our own formats.
type Claims struct {
	Format  string           // "RHC1", "RHC2" or "TTC1"; empty: RHC1 or RHC2, whichever text is shorter
	Issuer  gatehouse.Issuer // "CN-330100"
	Issued  time.Time        // counted in whole seconds
	Expires time.Time        // at most 24 hours later
	ID      []byte           // 12 bytes that are not used twice; nil: drawn at random

	// Holder's name is already masked: "张*", or the telephone number of a TTC1, "138****1234".
	// Of the birth date the year is carried, in a TTC1 nothing. The tag has 8 bytes.
	Holder gatehouse.Holder

	Grade    gatehouse.Grade // not in a TTC1, as all up to Since
	Class    gatehouse.Class
	Detail   uint      // the region's own number beside the class; a gate does not read it
	Since    time.Time // when the colour last changed; zero: not said
	Operator string    // whose network saw the telephone; in a TTC1 only

	// Facts are travels, temperatures, tests and vaccinations, in a TTC1 travels alone, all
	// before Issued. Times are carried in whole minutes before it, those of travels and
	// vaccinations in whole days.
	Facts []gatehouse.Fact
}

// Issue signs a code and gives the text for its QR code. The key is P-256 (ES256), Ed25519
// (EdDSA) or SM2, in memory or in a device. What Parse or Verify would refuse is an error.
func Issue(key crypto.Signer, c Claims) (string, error) {
	text, err := issue(key, c)
	if err != nil {
		return "", fmt.Errorf("issue: %w", err)
	}
	return text, nil
}

func issue(key crypto.Signer, c Claims) (string, error) {
	kid, err := KeyID(key.Public())
	if err != nil {
		return "", err
	}
	c.Issued, c.Expires = c.Issued.Truncate(time.Second), c.Expires.Truncate(time.Second)
	if c.ID == nil {
		c.ID = make([]byte, rhc1ID)
		rand.Read(c.ID) // never fails, by its own word
	}
	wrapped, err := c.wrap()
	if err != nil {
		return "", err
	}
	payload, err := encoding.Marshal(wrapped)
	if err != nil {
		return "", err
	}
	prefix, payload, err := c.pack(payload)
	if err != nil {
		return "", err
	}
	message, err := signMessage(key, kid, payload)
	if err != nil {
		return "", err
	}
	text := prefix + encodeBase45(message)

	// The issuer reads its own work as a gate will: one set of rules, not two that drift.
	ring := Ring{{ID: kid, Issuer: c.Issuer, Public: key.Public(), Usage: UseHealthCode | UseTravelCode}}
	if _, err := (Verifier{Keys: ring}).Verify(text, c.Issued); err != nil {
		return "", err
	}
	return text, nil
}

// pack chooses between the payload as it is and the payload deflated. The shorter payload is
// the shorter text, since all around it is the same.
func (c Claims) pack(payload []byte) (prefix string, packed []byte, err error) {
	switch c.Format {
	case rhc1.name:
		return rhc1CWT.prefix, payload, nil
	case ttc1.name:
		return ttc1CWT.prefix, payload, nil
	case rhc2.name, "":
	default:
		return "", nil, fmt.Errorf("format %.10q, want RHC1, RHC2 or TTC1", c.Format)
	}
	if packed, err = packRHC2(payload); err != nil {
		return "", nil, err
	}
	if c.Format == "" && len(packed) >= len(payload) {
		return rhc1CWT.prefix, payload, nil
	}
	return rhc2CWT.prefix, packed, nil
}
