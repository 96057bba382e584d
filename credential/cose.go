package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"
)

// Algorithms of the IANA COSE registry. SM2 with SM3 has no number there; our own formats
// have -65800, of the private range, for it.
const (
	algES256 = -7
	algEdDSA = -8
	algPS256 = -37
	algSM2   = -65800
)

func algorithmName(alg int64) string {
	switch alg {
	case 0:
		return "none"
	case algES256:
		return "ES256"
	case algEdDSA:
		return "EdDSA"
	case algPS256:
		return "PS256"
	case algSM2:
		return "SM2"
	}
	return fmt.Sprintf("algorithm %d", alg)
}

const (
	tagSign1 = 18 // COSE_Sign1, RFC 9052 section 2
	tagCWT   = 61 // RFC 8392 section 6

	maxKeyID = 32 // bytes; all that we know of use 8
)

// sign1 is a COSE_Sign1 message taken apart, before anything in it is believed. It is read
// here and not by a COSE library because those hold to the letter what issuers did not:
// the key's id in both headers, the algorithm in the unprotected one only.
type sign1 struct {
	protected []byte // as signed
	payload   []byte
	signature []byte

	alg       int64 // 0 when neither header names one
	kid       []byte
	inProtect bool // both algorithm and key id are signed
	textKID   bool // the key id was written as text, which most formats have no place for
}

// header holds the parameters that we read; all others are without meaning to a gate.
type header struct {
	Alg  cbor.RawMessage `cbor:"1,keyasint,omitempty"`
	Crit cbor.RawMessage `cbor:"2,keyasint,omitempty"`
	KID  keyName         `cbor:"4,keyasint,omitempty"`
}

// A keyName is a key id: bytes (RFC 9052, section 3.1), or text, as some issuers write it.
type keyName struct {
	id   []byte // nil: absent
	text bool
}

func (k *keyName) UnmarshalCBOR(item []byte) error {
	var text string
	if len(item) == 0 || item[0]>>5 != 3 {
		return (*bytesOf)(&k.id).UnmarshalCBOR(item)
	}
	if err := decode(item, &text); err != nil {
		return err
	}
	k.id, k.text = []byte(text), true
	return nil
}

// parseSign1 reads a message of RFC 9052 section 4.2, with or without its tag and the CWT
// tag around it.
func parseSign1(message []byte) (sign1, error) {
	body, err := untag(message)
	if err != nil {
		return sign1{}, err
	}
	var parts struct {
		_           struct{} `cbor:",toarray"`
		Protected   bytesOf
		Unprotected header
		Payload     bytesOf
		Signature   bytesOf
	}
	if err := decode(body, &parts); err != nil {
		return sign1{}, err
	}
	var protected header
	if len(parts.Protected) > 0 {
		if err := decode(parts.Protected, &protected); err != nil {
			return sign1{}, fmt.Errorf("protected header: %w", err)
		}
	}
	if protected.Crit != nil || parts.Unprotected.Crit != nil {
		return sign1{}, errors.New("a header is critical that we do not know")
	}
	if len(parts.Payload) == 0 {
		return sign1{}, errors.New("no payload")
	}
	s := sign1{
		protected: parts.Protected,
		payload:   parts.Payload,
		signature: parts.Signature,
		kid:       protected.KID.id,
		inProtect: protected.Alg != nil && protected.KID.id != nil,
		textKID:   protected.KID.text,
	}
	// An empty map is signed as the empty string, however it was sent (RFC 9052, 4.4).
	if len(s.protected) == 1 && s.protected[0] == 0xa0 {
		s.protected = nil
	}
	if s.kid == nil {
		s.kid, s.textKID = parts.Unprotected.KID.id, parts.Unprotected.KID.text
	}
	if len(s.kid) > maxKeyID {
		return sign1{}, fmt.Errorf("key id of %d bytes, at most %d", len(s.kid), maxKeyID)
	}
	alg := protected.Alg
	if alg == nil {
		alg = parts.Unprotected.Alg
	}
	if alg != nil {
		if err := decode(alg, &s.alg); err != nil {
			return sign1{}, fmt.Errorf("algorithm: %w", err)
		}
	}
	return s, nil
}

// untag takes off the CWT tag and the COSE_Sign1 tag, each at most once and in this order.
func untag(message []byte) ([]byte, error) {
	for _, want := range []uint64{tagCWT, tagSign1} {
		if len(message) == 0 || message[0]>>5 != 6 {
			break
		}
		var tag cbor.RawTag
		if err := decode(message, &tag); err != nil {
			return nil, err
		}
		if tag.Number == want {
			message = tag.Content
		}
	}
	if len(message) > 0 && message[0]>>5 == 6 {
		return nil, errors.New("a tag that is not COSE_Sign1's")
	}
	return message, nil
}

// toBeSigned is the Sig_structure of RFC 9052 section 4.4, without external data.
func toBeSigned(protected, payload []byte) []byte {
	out := make([]byte, 0, 12+len(protected)+len(payload)+12)
	out = append(out, 0x84, 0x6a)
	out = append(out, "Signature1"...)
	out = appendByteString(out, protected)
	out = appendByteString(out, nil)
	return appendByteString(out, payload)
}

func appendByteString(out, b []byte) []byte {
	switch n := len(b); {
	case n < 24:
		out = append(out, 0x40|byte(n))
	case n < 1<<8:
		out = append(out, 0x58, byte(n))
	case n < 1<<16:
		out = append(out, 0x59, byte(n>>8), byte(n))
	default: // bounded far below 2^32 by what is inflated
		out = append(out, 0x5a, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, b...)
}

// fits reports whether a key is one that the algorithm may be used with. The message's word
// alone must never choose how a key is used.
func fits(alg int64, public crypto.PublicKey) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return alg == algES256 && key.Curve == elliptic.P256() || alg == algSM2 && isSM2(key)
	case ed25519.PublicKey:
		return alg == algEdDSA && len(key) == ed25519.PublicKeySize
	case *rsa.PublicKey:
		// Below 2048 bits is weak (RFC 8230, section 6.1); above 4096 costs time that a
		// stranger could make us spend.
		bits := key.N.BitLen()
		return alg == algPS256 && bits >= 2048 && bits <= 4096
	}
	return false
}

// verified checks a raw signature by a key that fits its algorithm. ECDSA and SM2 are r and s,
// 32 bytes each (RFC 9053, section 2.1), between 1 and the order of the curve; PSS has a salt as long as the hash (RFC 8230).
func verified(public crypto.PublicKey, message, signature []byte) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if isSM2(key) {
			return verifiedSM2(key, message, signature)
		}
		if len(signature) != 64 {
			return false
		}
		hash := sha256.Sum256(message)
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, hash[:], r, s)
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		hash := sha256.Sum256(message)
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(key, crypto.SHA256, hash[:], signature, options) == nil
	}
	return false
}
