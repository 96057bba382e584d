package revocation

import (
	"bytes"
	"crypto/sha256"

	"gatehouse"
	"gatehouse/credential"
)

// hashSize is how much of a SHA-256 the EU's lists are made from: its first 128 bits
// (Implementing Decision (EU) 2021/1073, annex VI as of 21 March 2022).
const hashSize = 16

// idKind reads the gateway's word for what of a certificate a list hashes.
func idKind(word string) (kind credential.IDKind, known bool) {
	switch word {
	case "UCI":
		return credential.OwnID, true
	case "COUNTRYCODEUCI":
		return credential.CountryID, true
	case "SIGNATURE":
		return credential.SignatureID, true
	}
	return 0, false
}

// Hashes holds hashes of certificates. Has is asked with the first 128 bits of a hash; what
// it answers rests on Bits of them.
type Hashes interface {
	Has(hash []byte) bool
	Bits() int
}

// sure is from how many bits on a hash that is listed is the certificate's own.
const sure = 64

// An EUList is one list of a member state, for the certificates of one signer.
type EUList struct {
	Key    []byte            // the signer's key id; nil where the list does not say
	Kind   credential.IDKind // of which ids the hashes are
	Hashes Hashes
}

// Standing tells whether the certificate was taken back. A bloom filter, and a list of
// hashes that were cut short, say maybe.
func (l EUList) Standing(code credential.Revocable) credential.Standing {
	if code.Kind != l.Kind || l.Key != nil && !bytes.Equal(l.Key, code.Key) {
		return credential.InForce
	}
	sum := sha256.Sum256(code.ID)
	switch {
	case !l.Hashes.Has(sum[:hashSize]):
		return credential.InForce
	case l.Hashes.Bits() < sure:
		return credential.MaybeRevoked
	}
	return credential.Revoked
}

// country reports whether a name is a country's two letters, as they stand before an issuer.
func country(name gatehouse.Issuer) bool {
	return len(name) == 2 && name[0] >= 'A' && name[0] <= 'Z' && name[1] >= 'A' && name[1] <= 'Z'
}
