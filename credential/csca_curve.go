package credential

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
)

// Signing authorities write the curve of their key out in full, as Doc 9303, part 12, section
// 4.4 asks of them; crypto/x509 knows curves by their names only.

var (
	idECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} // RFC 5480, section 2.1.1
	idPrimeField  = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1} // RFC 3279, section 2.3.5
)

// A plainCertificate is the outline of RFC 5280, section 4.1, as far as it leads to the key.
type plainCertificate struct {
	TBS struct {
		Version    asn1.RawValue
		Serial     *big.Int
		Algorithm  asn1.RawValue
		Issuer     asn1.RawValue
		Validity   asn1.RawValue
		Subject    asn1.RawValue
		Key        plainKey
		Extensions asn1.RawValue `asn1:"optional,explicit,tag:3"`
	}
	Algorithm asn1.RawValue
	Signature asn1.BitString
}

type plainKey struct {
	Algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	Key asn1.BitString
}

// A writtenCurve is the ECParameters of RFC 3279, section 2.3.5.
type writtenCurve struct {
	Version int
	Field   struct {
		ID    asn1.ObjectIdentifier
		Prime *big.Int
	}
	Curve struct {
		A, B []byte
		Seed asn1.BitString `asn1:"optional"`
	}
	Base     []byte
	Order    *big.Int
	Cofactor *big.Int `asn1:"optional"`
}

// withNamedCurve writes a certificate again with the name of its key's curve. The signature on
// it does not hold any longer, and nobody may ask for it. What has no curve written out in full,
// or one without a name here, comes back as it is.
func withNamedCurve(der []byte) []byte {
	var certificate plainCertificate
	if rest, err := asn1.Unmarshal(der, &certificate); err != nil || len(rest) > 0 {
		return der
	}
	key := &certificate.TBS.Key.Algorithm
	var curve writtenCurve
	if !key.ID.Equal(idECPublicKey) {
		return der
	}
	if rest, err := asn1.Unmarshal(key.Parameters.FullBytes, &curve); err != nil || len(rest) > 0 {
		return der
	}
	name := curve.name()
	if name == nil {
		return der
	}
	parameters, err := asn1.Marshal(name)
	if err != nil {
		return der
	}
	key.Parameters = asn1.RawValue{FullBytes: parameters}
	named, err := asn1.Marshal(certificate)
	if err != nil {
		return der
	}
	return named
}

// name compares all that makes a curve, the base point above all: one of another base point
// would let anybody sign (CVE-2020-0601).
func (c writtenCurve) name() asn1.ObjectIdentifier {
	for _, known := range []struct {
		curve elliptic.Curve
		name  asn1.ObjectIdentifier // RFC 5480, section 2.1.1.1
	}{
		{elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
		{elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
		{elliptic.P521(), asn1.ObjectIdentifier{1, 3, 132, 0, 35}},
	} {
		p := known.curve.Params()
		size := (p.BitSize + 7) / 8
		base := append([]byte{4}, p.Gx.FillBytes(make([]byte, size))...)
		base = append(base, p.Gy.FillBytes(make([]byte, size))...)
		a := new(big.Int).Sub(p.P, big.NewInt(3))
		if c.Field.ID.Equal(idPrimeField) && c.Field.Prime.Cmp(p.P) == 0 && new(big.Int).SetBytes(c.Curve.A).Cmp(a) == 0 &&
			new(big.Int).SetBytes(c.Curve.B).Cmp(p.B) == 0 && bytes.Equal(c.Base, base) && c.Order.Cmp(p.N) == 0 &&
			(c.Cofactor == nil || c.Cofactor.Cmp(big.NewInt(1)) == 0) {
			return known.name
		}
	}
	return nil
}
