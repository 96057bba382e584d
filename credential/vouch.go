package credential

import (
	"slices"
	"time"

	"gatehouse"
)

// vouch settles in whose name the key spoke, and gives the listings that count: several may
// hold one key, a nation's and its province's, and a region's that has no right to it. Of those
// that speak for the issuer whom the code names, each may withdraw the key.
func (u Unverified) vouch(keys []Key, pass *gatehouse.Pass) ([]Key, error) {
	var counts []Key
	for _, key := range keys {
		if key.speaksFor(u.issuer) && (u.format.native || key.knownAs(u.name)) {
			counts = append(counts, key)
		}
	}
	loosely := len(counts) == 0
	if loosely && u.format.native {
		return nil, u.refuse(gatehouse.ReasonUnknownKey, "a key of %s may not speak for %s", keys[0].Issuer, u.issuer)
	}
	if loosely {
		// Abroad the claim is loosely kept; what is proven is whose key it was.
		for _, key := range keys {
			if key.knownAs(u.name) {
				counts = append(counts, key)
			}
		}
	}
	if len(counts) == 0 {
		return nil, u.refuse(gatehouse.ReasonUnknownKey, "the key is not that of the issuer whom the code names")
	}
	if slices.ContainsFunc(counts, func(key Key) bool { return key.Withdrawn }) {
		return nil, u.refuse(gatehouse.ReasonKeyWithdrawn, "the key was withdrawn")
	}
	if loosely {
		pass.Issuer = counts[0].Issuer
		if u.name != "" && len(counts[0].Names) == 0 && !counts[0].AnyIssuer {
			pass.Warnings = append(pass.Warnings, "names another issuer than its key's")
		}
	}
	return counts, nil
}

// mark stands for the id of a code that has none: the part of its signature that nobody can
// write otherwise. Of an ECDSA signature (r, s) that is r, since (r, n-s) holds as well.
func (u Unverified) mark() []byte {
	if u.alg == algES256 && len(u.signature) == 64 {
		return u.signature[:32]
	}
	return u.signature
}

// signedBy finds the key that made the signature, once for each listing of it. Short key ids
// collide, so each key under the id is tried.
func (u Unverified) signedBy(v Verifier, at time.Time) ([]Key, error) {
	candidates, err := u.candidates(v, at)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.format.algs, u.alg) {
		return nil, u.refuse(gatehouse.ReasonBadSignature, "%s does not sign with %s", u.format.name, u.Algorithm())
	}
	fitting := slices.DeleteFunc(slices.Clone(candidates), func(key Key) bool { return !fits(u.alg, key.Public) })
	if len(fitting) == 0 {
		return nil, u.refuse(gatehouse.ReasonBadSignature, "%s does not fit key %s", u.Algorithm(), u.KeyID())
	}
	signed, err := u.signed(v)
	if err != nil {
		return nil, u.malformed("signed", err)
	}
	for len(fitting) > 0 {
		tried := fitting[0].Public
		other := func(key Key) bool { return !samePublic(key.Public, tried) }
		if verified(tried, signed, u.signature) {
			return slices.DeleteFunc(fitting, other), nil
		}
		fitting = slices.DeleteFunc(fitting, func(key Key) bool { return !other(key) })
	}
	return nil, u.refuse(gatehouse.ReasonBadSignature, "signature does not match")
}

// candidates are the keys that may have signed the code: those that the code names, or the
// one that it brings along and that a key of the trust certifies.
func (u Unverified) candidates(v Verifier, at time.Time) ([]Key, error) {
	if u.endorsed != nil {
		return u.endorsed(v, at)
	}
	if len(u.kid) == 0 {
		return nil, u.refuse(gatehouse.ReasonUnknownKey, "the code names no key")
	}
	var found []Key
	if v.Keys != nil {
		found = v.Keys.Keys(u.kid)
	}
	if len(found) == 0 {
		return nil, u.refuse(gatehouse.ReasonUnknownKey, "key %s is not in the trust list", u.KeyID())
	}
	return found, nil
}
