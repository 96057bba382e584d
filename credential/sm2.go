package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// sm2User is the identity that an SM2 signature is bound to when the parties agreed on no
// other (GM/T 0009-2012, section 10).
const sm2User = "1234567812345678"

// isSM2 tells the curve of GB/T 32918.5 from those of NIST: Go has one type for both.
func isSM2(key *ecdsa.PublicKey) bool { return key.Curve == sm2.P256() }

// verifiedSM2 checks SM2 with SM3 over a message; r and s are 32 bytes each, between 1 and the
// order of the curve.
func verifiedSM2(key *ecdsa.PublicKey, message, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return sm2.VerifyWithSM2(key, []byte(sm2User), message, r, s)
}

// sm2Curve is the curve's object identifier, 1.2.156.10197.1.301, in DER.
const sm2Curve = "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"

// sm2SPKI is how each SubjectPublicKeyInfo of SM2 begins in DER, up to the point: id-ecPublicKey
// and the curve (RFC 5480, section 2; GM/T 0006-2012). crypto/x509 knows no such curve.
const sm2SPKI = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" + sm2Curve + "\x03\x42\x00"

// parseSPKI reads a SubjectPublicKeyInfo in DER, that of SM2 too.
func parseSPKI(der []byte) (crypto.PublicKey, error) {
	point, ok := bytes.CutPrefix(der, []byte(sm2SPKI))
	if !ok {
		return x509.ParsePKIXPublicKey(der)
	}
	return sm2Point(point)
}

// sm2Point reads an uncompressed point: 4, x and y.
func sm2Point(point []byte) (crypto.PublicKey, error) {
	if len(point) != 65 {
		return nil, errors.New("no uncompressed point of SM2")
	}
	key, err := sm2.NewPublicKey(point)
	if err != nil {
		return nil, errors.New("no point of SM2's curve")
	}
	return key, nil
}

// marshalSPKI is the way back of parseSPKI.
func marshalSPKI(public crypto.PublicKey) ([]byte, error) {
	key, ok := public.(*ecdsa.PublicKey)
	if !ok || !isSM2(key) {
		return x509.MarshalPKIXPublicKey(public)
	}
	x, y, err := coordinates(key)
	if err != nil {
		return nil, err
	}
	return slices.Concat([]byte(sm2SPKI), []byte{4}, x, y), nil
}

// coordinates are those of a key of 256 bits, P-256 or SM2, in 32 bytes each.
func coordinates(key *ecdsa.PublicKey) (x, y []byte, err error) {
	if isSM2(key) {
		point, err := sm2.PublicKeyToECDH(key)
		if err != nil {
			return nil, nil, errors.New("no point of SM2's curve")
		}
		return point.Bytes()[1:33], point.Bytes()[33:], nil
	}
	point, err := key.Bytes()
	if err != nil || len(point) != 65 {
		return nil, nil, errors.New("no point of P-256")
	}
	return point[1:33], point[33:], nil
}

// parseCertificate reads an X.509 certificate in DER. One of SM2 is read by another library, so
// that whatever it takes more lightly than crypto/x509 holds for SM2 alone.
func parseCertificate(der []byte) (*x509.Certificate, error) {
	certificate, err := x509.ParseCertificate(der)
	if err == nil || !bytes.Contains(der, []byte(sm2Curve)) {
		return certificate, err
	}
	other, otherErr := smx509.ParseCertificate(der)
	if otherErr != nil {
		return nil, otherErr
	}
	if key, ok := other.PublicKey.(*ecdsa.PublicKey); !ok || !isSM2(key) {
		return nil, err
	}
	return other.ToX509(), nil
}
