// Package credential reads the codes that people show: what a code says, and whether a
// region vouches for it.
//
// The way is always Parse, then Verify. Parse takes a text apart and believes nothing of
// it; an Unverified exports no field, so the only way to what a code says leads through a
// key of the Keyring. There is no camera, no clock and no network in here: the caller
// brings the text, the time and the keys.
//
// An error of this package is an answer about the code, a *gatehouse.Refusal. Its detail
// names the stage that refused (prefix, base45, inflate, cose, cwt, claims), never what the
// code says about a person.
package credential

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"

	"github.com/fxamacker/cbor/v2"
)

// maxText is what the largest QR code holds, version 40-L in digits (ISO/IEC 18004).
const maxText = 7089

// A format is one kind of code. The order of its functions is the order of the checks.
type format struct {
	name   string
	prefix string
	unwrap func([]byte) ([]byte, error)     // after base45; nil when nothing wraps the message
	shape  func(u *Unverified) error        // what must stand there before any key is asked for
	algs   []int64                          // signatures that the format knows
	native bool                             // a region speaks for itself and its parts alone
	open   func(c claims) (contents, error) // what is inside, once the signature holds
}

// contents is what stands inside of a code.
type contents interface {
	uses() Usage                     // the kinds of statement in it: each needs the key's permission
	tell(pass *gatehouse.Pass) error // last check: exactly one statement, and it can be read
}

// formats are the codes that a gate knows, each in a file of its own.
var formats = []format{rhc1, dcc}

// claims is the CWT (RFC 8392) around what a code states.
type claims struct {
	Issuer  string          `cbor:"1,keyasint,omitempty"`
	Expires instant         `cbor:"4,keyasint,omitempty"`
	Issued  instant         `cbor:"6,keyasint,omitempty"`
	ID      bytesOf         `cbor:"7,keyasint,omitempty"`
	DCC     cbor.RawMessage `cbor:"-260,keyasint,omitempty"`
	Health  cbor.RawMessage `cbor:"-70001,keyasint,omitempty"`
}

// Unverified is a code that was taken apart and is nobody's word yet.
type Unverified struct {
	format  *format
	message sign1
	claims  claims
	issuer  gatehouse.Issuer // as claimed; empty unless it has the form of one
	size    int
}

// Parse takes a code's text apart. An error is a *gatehouse.Refusal: ReasonNotOurs for a
// text of another kind, ReasonMalformed for one of ours that is broken.
func Parse(text string) (Unverified, error) {
	for i := range formats {
		if rest, ok := strings.CutPrefix(text, formats[i].prefix); ok {
			return parse(&formats[i], rest)
		}
	}
	return Unverified{}, &gatehouse.Refusal{Reason: gatehouse.ReasonNotOurs, Detail: "prefix: not a health code"}
}

func parse(f *format, text string) (Unverified, error) {
	u := Unverified{format: f}
	if len(text)+len(f.prefix) > maxText {
		return Unverified{}, u.malformed("prefix", fmt.Errorf("longer than the %d characters that a QR code holds", maxText))
	}
	message, err := decodeBase45(text)
	if err != nil {
		return Unverified{}, u.malformed("base45", err)
	}
	if f.unwrap != nil {
		if message, err = f.unwrap(message); err != nil {
			return Unverified{}, u.malformed("inflate", err)
		}
	}
	u.size = len(message)
	if u.message, err = parseSign1(message); err != nil {
		return Unverified{}, u.malformed("cose", err)
	}
	if err := decode(u.message.payload, &u.claims); err != nil {
		return Unverified{}, u.malformed("cwt", err)
	}
	if isIssuer(u.claims.Issuer) {
		u.issuer = gatehouse.Issuer(u.claims.Issuer)
	}
	if u.claims.Expires == 0 || u.claims.Issued == 0 {
		return Unverified{}, u.malformed("cwt", errors.New("issue time and expiry must both be there"))
	}
	if err := f.shape(&u); err != nil {
		return Unverified{}, err
	}
	return u, nil
}

// Verify tells what the code says, when a key of the ring signed it, may sign it, and at is
// a time at which it holds. An error is a *gatehouse.Refusal.
func (u Unverified) Verify(keys Keyring, at time.Time) (gatehouse.Pass, error) {
	if u.format == nil {
		return gatehouse.Pass{}, u.refuse(gatehouse.ReasonMalformed, "prefix: nothing was parsed")
	}
	key, err := u.signedBy(keys)
	if err != nil {
		return gatehouse.Pass{}, err
	}
	if key.Withdrawn {
		return gatehouse.Pass{}, u.refuse(gatehouse.ReasonKeyWithdrawn, "the key was withdrawn")
	}
	pass := gatehouse.Pass{
		Format:  u.format.name,
		Issuer:  u.issuer,
		KeyID:   u.KeyID(),
		Issued:  u.claims.Issued.time(),
		Expires: u.claims.Expires.time(),
	}
	if !key.speaksFor(u.issuer) {
		if u.format.native {
			return gatehouse.Pass{}, u.refuse(gatehouse.ReasonUnknownKey,
				"a key of %s may not speak for %s", key.Issuer, u.issuer)
		}
		// Abroad the claim is loosely kept; what is proven is whose key it was.
		pass.Issuer = key.Issuer
		if u.claims.Issuer != "" {
			pass.Warnings = append(pass.Warnings, "names another issuer than its key's")
		}
	}
	if err := u.inTime(key, at); err != nil {
		return gatehouse.Pass{}, err
	}
	inside, err := u.format.open(u.claims)
	if err != nil {
		return gatehouse.Pass{}, u.malformed("claims", err)
	}
	if uses := inside.uses(); uses&^key.Usage != 0 {
		return gatehouse.Pass{}, u.refuse(gatehouse.ReasonKeyUsage, "the key may not sign: %s", uses&^key.Usage)
	}
	if err := inside.tell(&pass); err != nil {
		return gatehouse.Pass{}, u.malformed("claims", err)
	}
	return pass, nil
}

// signedBy finds the key that made the signature. Short key ids collide, so each key under
// the id is tried.
func (u Unverified) signedBy(keys Keyring) (Key, error) {
	if len(u.message.kid) == 0 {
		return Key{}, u.refuse(gatehouse.ReasonUnknownKey, "the code names no key")
	}
	var candidates []Key
	if keys != nil {
		candidates = keys.Keys(u.message.kid)
	}
	if len(candidates) == 0 {
		return Key{}, u.refuse(gatehouse.ReasonUnknownKey, "key %s is not in the trust list", u.KeyID())
	}
	if !slices.Contains(u.format.algs, u.message.alg) {
		return Key{}, u.refuse(gatehouse.ReasonBadSignature, "%s does not sign with %s", u.format.name, u.Algorithm())
	}
	signed := toBeSigned(u.message.protected, u.message.payload)
	fitting := 0
	for _, key := range candidates {
		if !fits(u.message.alg, key.Public) {
			continue
		}
		fitting++
		if verified(key.Public, signed, u.message.signature) {
			return key, nil
		}
	}
	if fitting == 0 {
		return Key{}, u.refuse(gatehouse.ReasonBadSignature, "%s does not fit key %s", u.Algorithm(), u.KeyID())
	}
	return Key{}, u.refuse(gatehouse.ReasonBadSignature, "signature does not match")
}

// inTime holds the code to its own times first: an expired code is expired, whatever
// became of its key since. The instant of the expiry itself still counts: RFC 8392 would end
// the code with it, but the EU's published vectors do not.
func (u Unverified) inTime(key Key, at time.Time) error {
	issued, expires := u.claims.Issued.time(), u.claims.Expires.time()
	switch {
	case at.After(expires):
		return u.refuse(gatehouse.ReasonExpired, "expired %s", expires.Format(time.RFC3339))
	case at.Before(issued):
		return u.refuse(gatehouse.ReasonNotYetValid, "issued %s, which is yet to come", issued.Format(time.RFC3339))
	case !key.NotBefore.IsZero() && at.Before(key.NotBefore):
		return u.refuse(gatehouse.ReasonKeyWithdrawn, "the key counts from %s", key.NotBefore.UTC().Format(time.RFC3339))
	case !key.NotAfter.IsZero() && at.After(key.NotAfter):
		return u.refuse(gatehouse.ReasonKeyWithdrawn, "the key counted until %s", key.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// Format is the name of the code's format: "RHC1", "DCC".
func (u Unverified) Format() string {
	if u.format == nil {
		return ""
	}
	return u.format.name
}

// KeyID is the id of the key that the code says it was signed with, in lower-case hex.
func (u Unverified) KeyID() string { return hex.EncodeToString(u.message.kid) }

// Algorithm names the signature: "ES256", "EdDSA", "PS256", "none".
func (u Unverified) Algorithm() string { return algorithmName(u.message.alg) }

// Size is that of the signed message in bytes, after base45 and decompression.
func (u Unverified) Size() int { return u.size }

// A Verifier reads codes for a gate.
type Verifier struct {
	Keys Keyring
}

// Verify parses and verifies. An error is a *gatehouse.Refusal.
func (v Verifier) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	u, err := Parse(text)
	if err != nil {
		return gatehouse.Pass{}, err
	}
	return u.Verify(v.Keys, at)
}

func (u *Unverified) refuse(reason gatehouse.Reason, detail string, args ...any) error {
	return &gatehouse.Refusal{
		Reason: reason,
		Detail: fmt.Sprintf(detail, args...),
		Format: u.Format(),
		Issuer: u.issuer,
		KeyID:  u.KeyID(),
	}
}

// malformed takes errors in our own words only: nothing that stands in a code may get into
// the detail of its refusal.
func (u *Unverified) malformed(stage string, err error) error {
	return u.refuse(gatehouse.ReasonMalformed, "%s: %v", stage, err)
}
