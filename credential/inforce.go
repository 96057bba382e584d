package credential

import (
	"bytes"
	"slices"

	"gatehouse"
)

// widelyListed is for contents that lists name by more than their ids.
type widelyListed interface {
	alsoListed(u Unverified, issuer gatehouse.Issuer) []Revocable
}

// inForce asks last whether the issuer took the code back: only of a code that is genuine
// does anybody know an id worth asking for.
func (u Unverified) inForce(revoked Revocations, issuer gatehouse.Issuer, keys []Key, inside contents) error {
	if revoked == nil {
		return nil
	}
	var listed []Revocable
	for _, id := range inside.ids() {
		listed = append(listed, Revocable{ID: id})
	}
	if wide, ok := inside.(widelyListed); ok {
		listed = append(listed, wide.alsoListed(u, issuer)...)
	}
	stamped := u.stamped
	if stamped == 0 {
		stamped = u.issued
	}
	maybe := false
	for _, by := range inNameOf(issuer, keys) {
		for _, code := range listed {
			code.Issuer, code.Key, code.Issued = by.issuer, by.key, stamped.time()
			switch revoked.Revoked(code) {
			case InForce:
			case Revoked:
				return u.refuse(gatehouse.ReasonRevoked, "its issuer took it back")
			default:
				maybe = true
			}
		}
	}
	if maybe {
		refusal := u.refuse(gatehouse.ReasonRevoked, "its issuer may have taken it back")
		refusal.Maybe = true
		return refusal
	}
	return nil
}

// A byWhom is an issuer that may have taken a code back, and the id by which it may have named
// the key.
type byWhom struct {
	issuer gatehouse.Issuer
	key    []byte
}

// inNameOf gives all under which a code's lists may stand: its issuer and, where that is no part
// of it, whom a listing has for the key's owner; the id that the code named, and the others of the
// key, since whoever holds a code whose key id is not signed can write another one there.
func inNameOf(issuer gatehouse.Issuer, keys []Key) (all []byWhom) {
	for i, key := range keys {
		name := issuer
		if !issuer.Within(key.Issuer) && !key.AnyIssuer {
			name = key.Issuer
		}
		for _, id := range append([][]byte{key.ID}, key.others...) {
			known := func(by byWhom) bool { return by.issuer == name && bytes.Equal(by.key, id) }
			if i == 0 || !slices.ContainsFunc(all, known) {
				all = append(all, byWhom{name, id})
			}
		}
	}
	return all
}
