package credential

import (
	"errors"
	"strings"

	"gatehouse"

	"github.com/fxamacker/cbor/v2"
)

// cwt is what the formats have in common that carry a CWT (RFC 8392) in a COSE_Sign1: a
// text encoding, perhaps a compression, the message, the claims.
type cwt struct {
	prefix   string
	spelling string                                        // of the text after the prefix: "base45", "base32"
	decode   func(text string) ([]byte, error)             // of the text after the prefix
	unwrap   func(b []byte) ([]byte, error)                // around the message; nil: nothing is
	unpack   func(b []byte) ([]byte, error)                // around the claims; nil: nothing is
	textKID  bool                                          // whether a key id may be text
	shape    func(u *Unverified, m sign1, c *claims) error // what must stand there before any key is asked for
	open     func(c claims) (contents, error)
}

// claims is the CWT around what a code states.
type claims struct {
	Issuer  string          `cbor:"1,keyasint,omitempty"`
	Expires instant         `cbor:"4,keyasint,omitempty"`
	Begins  instant         `cbor:"5,keyasint,omitempty"`
	Issued  instant         `cbor:"6,keyasint,omitempty"`
	ID      bytesOf         `cbor:"7,keyasint,omitempty"`
	DCC     cbor.RawMessage `cbor:"-260,keyasint,omitempty"`
	Health  cbor.RawMessage `cbor:"-70001,keyasint,omitempty"`
	Travel  cbor.RawMessage `cbor:"-70002,keyasint,omitempty"`
	VC      cbor.RawMessage `cbor:"vc,omitempty"` // a W3C credential, in an NZ COVID Pass
}

func (f cwt) begins(text string) bool { return strings.HasPrefix(text, f.prefix) }

func (f cwt) parse(u *Unverified, text string) error {
	b, err := f.decode(strings.TrimPrefix(text, f.prefix))
	if err != nil {
		return u.malformed(f.spelling, err)
	}
	if f.unwrap != nil {
		if b, err = f.unwrap(b); err != nil {
			return u.malformed("inflate", err)
		}
	}
	u.size = len(b)
	m, err := parseSign1(b)
	if err != nil {
		return u.malformed("cose", err)
	}
	if m.textKID && !f.textKID {
		return u.malformed("cose", flaw("not a byte string"))
	}
	u.alg, u.kid, u.signature = m.alg, m.kid, m.signature
	u.signed = func(Verifier) ([]byte, error) { return toBeSigned(m.protected, m.payload), nil }
	packed := m.payload
	if f.unpack != nil {
		if packed, err = f.unpack(packed); err != nil {
			return u.malformed("inflate", err)
		}
	}
	var c claims
	if err := decode(packed, &c); err != nil {
		return u.malformed("cwt", err)
	}
	u.name, u.issued, u.begins, u.expires = c.Issuer, c.Issued, c.Begins, c.Expires
	if isIssuer(c.Issuer) {
		u.issuer = gatehouse.Issuer(c.Issuer)
	}
	if err := f.shape(u, m, &c); err != nil {
		return err
	}
	u.open = func() (contents, error) { return f.open(c) }
	return nil
}

// needTimes is part of most formats' shape.
func needTimes(u *Unverified) error {
	if u.expires == 0 || u.issued == 0 {
		return u.malformed("cwt", errors.New("issue time and expiry must both be there"))
	}
	return nil
}
