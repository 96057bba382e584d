// Package revocation tells which codes their region took back.
//
// A region publishes one file: a filter that says of almost every code at once that it was
// not taken back, the exact list that has the last word, and the changes since. A gate opens
// the file, keeps the filter in memory and leaves the list on the disk, where it is asked
// only about the one code in sixty thousand that the filter has doubts about, and about those
// that were in fact taken back. docs/revocation.md describes the file.
//
// The lists that other systems publish are read here too: the bloom filters and hash lists of
// the EU Digital COVID Certificate, and the lists of SMART Health Cards.
package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"gatehouse"
	"gatehouse/credential"
)

// A Source is one list of codes that were taken back.
type Source interface {
	Standing(code credential.Revocable) credential.Standing
}

// A Set holds what each region published. It answers what credential asks of Revocations: a
// code may be taken back by its issuer and by each region that the issuer is a part of, since
// a province signs in the name of its cities. A region that published nothing took nothing
// back. A Set in use is not changed: a gate puts another in its place.
type Set map[gatehouse.Issuer][]Source

// Add puts in what a region published.
func (s Set) Add(region gatehouse.Issuer, sources ...Source) {
	region = whole(region)
	s[region] = append(s[region], sources...)
}

// Revoked gives the gravest word that there is on a code.
func (s Set) Revoked(code credential.Revocable) credential.Standing {
	gravest := credential.InForce
	for region := whole(code.Issuer); region != ""; region = above(region) {
		for _, source := range s[region] {
			if standing := source.Standing(code); standing > gravest {
				gravest = standing
			}
		}
	}
	return gravest
}

// whole writes a region without the pairs of zeros that mean all of it: CN-330000 is CN-33.
func whole(region gatehouse.Issuer) gatehouse.Issuer {
	country := len(region.Country())
	for len(region) > country+3 && strings.HasSuffix(string(region), "00") {
		region = region[:len(region)-2]
	}
	return region
}

// above is the region that a region is a part of: CN-33 for CN-3301, CN for CN-33, and the
// empty one for a country.
func above(region gatehouse.Issuer) gatehouse.Issuer {
	switch country := len(region.Country()); {
	case len(region) > country+3:
		return region[:len(region)-2]
	case len(region) > country:
		return region[:country]
	}
	return ""
}

// Prefix is the name under which a list knows a code: the first eight bytes of the SHA-256 of
// its id, as a number, the first byte the highest. A list of ten million names takes a
// stranger's code for one of its own once in a million million times.
func Prefix(id []byte) uint64 {
	sum := sha256.Sum256(id)
	return binary.BigEndian.Uint64(sum[:8])
}
