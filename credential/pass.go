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
//
// Each format is a file of its own and one line of formats; what several share stands in
// cwt.go, cose.go and cbor.go.
package credential

import (
	"encoding/hex"
	"fmt"
	"time"

	"gatehouse"
)

// maxText is what the largest QR code holds, version 40-L in digits (ISO/IEC 18004).
const maxText = 7089

// A format is one kind of code.
type format struct {
	name   string
	begins func(text string) bool                 // told by how the text begins, nothing decoded
	parse  func(u *Unverified, text string) error // fills u; what it refuses is malformed
	algs   []int64                                // signatures that the format knows
	native bool                                   // our own: a region speaks for itself and its parts alone
	codes  int                                    // that one statement may be spread over; 0: one
}

// formats are the codes that a gate knows, each in a file of its own.
var formats = []format{
	rhc1,
	rhc2,
	ttc1,
	dcc,
	nzcp,
	shc,
	vdsnc,
	divoc,
}

// contents is what stands inside of a code.
type contents interface {
	uses() Usage                     // the kinds of statement in it: each needs the key's permission
	tell(pass *gatehouse.Pass) error // last check: exactly one statement, and it can be read
	ids() [][]byte                   // ids under which its issuer may have taken it back
}

// Unverified is a code that was taken apart and is nobody's word yet.
type Unverified struct {
	format *format
	alg    int64            // of the IANA COSE registry, for every format; 0: none named
	kid    []byte           // as the code names its key
	name   string           // of the issuer, as the code has it: "CN-330100", an URL, a DID
	issuer gatehouse.Issuer // the same, where it has the form of one

	issued, begins, expires instant // 0: not said
	stamped                 instant // the issue rounded down, where issued is rounded up; 0: the same

	signature []byte
	signed    func(v Verifier) ([]byte, error)              // the bytes that the signature is over
	endorsed  func(v Verifier, at time.Time) ([]Key, error) // the key, where the code carries its certificate
	open      func() (contents, error)                      // what is inside, once the signature holds
	size      int
}

// Parse takes a code's text apart. An error is a *gatehouse.Refusal: ReasonNotOurs for a
// text of another kind, ReasonMalformed for one of ours that is broken.
func Parse(text string) (Unverified, error) {
	for i := range formats {
		if !formats[i].begins(text) {
			continue
		}
		u := Unverified{format: &formats[i]}
		if most := maxText * max(1, formats[i].codes); len(text) > most {
			return Unverified{}, u.malformed("prefix", fmt.Errorf("longer than the %d characters that its QR codes hold", most))
		}
		if err := u.format.parse(&u, text); err != nil {
			return Unverified{}, err
		}
		return u, nil
	}
	return Unverified{}, &gatehouse.Refusal{Reason: gatehouse.ReasonNotOurs, Detail: "prefix: not a health code"}
}

// A Verifier holds what a gate believes: keys, and what became of codes since they were
// signed. The zero value believes nobody.
type Verifier struct {
	Keys    Keyring
	Revoked Revocations // nil: no region took any code back
	Graph   Graph       // for formats that sign a graph (JSON-LD); nil: those are refused
}

// Verify parses and verifies. An error is a *gatehouse.Refusal.
func (v Verifier) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	u, err := Parse(text)
	if err != nil {
		return gatehouse.Pass{}, err
	}
	return u.Verify(v, at)
}

// Verify tells what the code says, when a key that v believes signed it, may sign it, and at
// is a time at which it holds. An error is a *gatehouse.Refusal.
func (u Unverified) Verify(v Verifier, at time.Time) (gatehouse.Pass, error) {
	if u.format == nil {
		return gatehouse.Pass{}, u.refuse(gatehouse.ReasonMalformed, "prefix: nothing was parsed")
	}
	keys, err := u.signedBy(v, at)
	if err != nil {
		return gatehouse.Pass{}, err
	}
	pass := gatehouse.Pass{
		Format:    u.format.name,
		Issuer:    u.issuer,
		KeyID:     u.KeyID(),
		Issued:    u.issued.time(),
		NotBefore: u.begins.time(),
		Expires:   u.expires.time(),
	}
	if keys, err = u.vouch(keys, &pass); err != nil {
		return gatehouse.Pass{}, err
	}
	key := keys[0]
	if err := u.inTime(key, at); err != nil {
		return gatehouse.Pass{}, err
	}
	inside, err := u.open()
	if err != nil {
		return gatehouse.Pass{}, u.malformed("claims", err)
	}
	if uses := inside.uses(); uses&^key.Usage != 0 {
		return gatehouse.Pass{}, u.refuse(gatehouse.ReasonKeyUsage, "the key may not sign: %s", uses&^key.Usage)
	}
	if err := inside.tell(&pass); err != nil {
		return gatehouse.Pass{}, u.malformed("claims", err)
	}
	if pass.Code == "" {
		pass.Code = tagOf(u.mark())
	}
	if err := u.inForce(v.Revoked, pass.Issuer, keys, inside); err != nil {
		return gatehouse.Pass{}, err
	}
	return pass, nil
}

// clockSlack is how far a gate's clock may lie behind its region's. A health code is shown
// seconds after it was made, and NTP over a bad link keeps a clock to within seconds; a minute
// is too short for a code to be worth anything before its time. Other formats get none: their
// codes are days old when they are shown, and their published vectors allow none.
const clockSlack = time.Minute

// inTime holds the code to its own times first: an expired code is expired, whatever
// became of its key since. The instant of the expiry itself still counts: RFC 8392 would end
// the code with it, but the EU's published vectors do not.
func (u Unverified) inTime(key Key, at time.Time) error {
	issued, begins, expires := u.issued.time(), u.begins.time(), u.expires.time()
	slack := time.Duration(0)
	if u.format.native {
		slack = clockSlack
	}
	switch {
	case u.expires != 0 && at.After(expires):
		return u.refuse(gatehouse.ReasonExpired, "expired %s", expires.Format(time.RFC3339))
	case at.Before(issued.Add(-slack)):
		return u.refuse(gatehouse.ReasonNotYetValid, "issued %s, which is yet to come", issued.Format(time.RFC3339))
	case at.Before(begins.Add(-slack)):
		return u.refuse(gatehouse.ReasonNotYetValid, "counts from %s", begins.Format(time.RFC3339))
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
func (u Unverified) KeyID() string { return hex.EncodeToString(u.kid) }

// Algorithm names the signature: "ES256", "EdDSA", "SM2", "PS256", "none".
func (u Unverified) Algorithm() string { return algorithmName(u.alg) }

// Size is that of the signed message in bytes, after base45 and decompression.
func (u Unverified) Size() int { return u.size }

func (u *Unverified) refuse(reason gatehouse.Reason, detail string, args ...any) *gatehouse.Refusal {
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
