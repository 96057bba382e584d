package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"gatehouse"
)

// maxSigner bounds what ReadSigner takes; a certificate has one or two kilobytes.
const maxSigner = 64 << 10

// ReadSigner reads public keys as people hand them over: PEM (certificates, public keys),
// a certificate in DER or in base64 of it on one line, a JWK or a set of them (RFC 7517: EC
// P-256 and SM2, OKP Ed25519, RSA), or the DID document of an issuer (W3C, did:web).
//
// Keys come once for each id that codes may name them by. Of a certificate that is the first
// 8 bytes of its own SHA-256, which an EU DCC uses; of each key the id of RHC1; of a JWK its
// thumbprint of 32 bytes (RFC 7638), which a SMART Health Card names in base64url, and its
// "kid", as text and, where it is base64 of 8 bytes, as those; of a DID document's key its
// name behind the #.
//
// A key without a name speaks for any issuer: whoever gives it by hand vouches for it. That
// of a DID document speaks for its DID alone.
func ReadSigner(data []byte) ([]Key, error) {
	if len(data) > maxSigner {
		return nil, fmt.Errorf("signer: %d bytes, at most %d", len(data), maxSigner)
	}
	keys, err := readSigner(data)
	if err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	return keys, nil
}

func readSigner(data []byte) ([]Key, error) {
	text := bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(text, []byte("-----BEGIN ")):
		return readPEM(text)
	case bytes.HasPrefix(text, []byte("{")):
		return readJSON(text)
	case len(data) > 0 && data[0] == 0x30: // a DER SEQUENCE, and "0", which no base64 of one begins with
		return readCertificate(data)
	}
	der, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return nil, errors.New("neither PEM nor JWK nor DID document nor a certificate in base64")
	}
	return readCertificate(der)
}

func readPEM(text []byte) ([]Key, error) {
	var keys []Key
	for len(text) > 0 {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("PEM is broken off")
		}
		var more []Key
		var err error
		switch block.Type {
		case "CERTIFICATE":
			more, err = readCertificate(block.Bytes)
		case "PUBLIC KEY":
			var public crypto.PublicKey
			if public, err = parseSPKI(block.Bytes); err == nil {
				more, err = bareKey(public)
			}
		default:
			err = fmt.Errorf("PEM block is neither CERTIFICATE nor PUBLIC KEY")
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
		text = bytes.TrimSpace(rest)
	}
	return keys, nil
}

func readCertificate(der []byte) ([]Key, error) {
	certificate, err := parseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := Sound(certificate.PublicKey); err != nil {
		return nil, err
	}
	key := Key{
		Public:    certificate.PublicKey,
		NotBefore: certificate.NotBefore,
		NotAfter:  certificate.NotAfter,
		Usage:     certificateUsage(certificate),
	}
	if c := certificate.Subject.Country; len(c) == 1 && isIssuer(strings.ToUpper(c[0])) {
		key.Issuer = gatehouse.Issuer(strings.ToUpper(c[0]))
	}
	key.AnyIssuer = key.Issuer == ""
	sum := sha256.Sum256(der)
	key.ID = sum[:keyIDSize]
	spki := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	native := key
	native.ID = spki[:keyIDSize]
	return []Key{key, native}, nil
}

// certificateUsage reads the extended key usages of an EU DCC signer, as the eHealth
// Network's certificate governance numbers them: 1.3.6.1.4.1.1847.2021.1 and below it 1 test,
// 2 vaccination, 3 recovery. Many have a 0 before 1847. One that names none may sign all.
func certificateUsage(certificate *x509.Certificate) Usage {
	bits := map[int]Usage{1: UseTest, 2: UseVaccination, 3: UseRecovery}
	arcs := []asn1.ObjectIdentifier{
		{1, 3, 6, 1, 4, 1, 1847, 2021, 1},
		{1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1},
	}
	var usage Usage
	for _, oid := range certificate.UnknownExtKeyUsage {
		for _, arc := range arcs {
			if n := len(arc); len(oid) == n+1 && slices.Equal(oid[:n], arc) {
				usage |= bits[oid[n]]
			}
		}
	}
	if usage == 0 {
		return UseAll
	}
	return usage
}

// bareKey is a key without a name: it answers to its id in RHC1.
func bareKey(public crypto.PublicKey) ([]Key, error) {
	if err := Sound(public); err != nil {
		return nil, err
	}
	id, err := KeyID(public)
	if err != nil {
		return nil, err
	}
	return []Key{{ID: id, Public: public, AnyIssuer: true, Usage: UseAll}}, nil
}

// Sound refuses kinds of keys that no format knows, and keys under which everybody can
// sign, or nobody. Curve and size are held to the algorithm when a code names one.
func Sound(public crypto.PublicKey) error {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if isSM2(key) {
			_, _, err := coordinates(key) // a library of its own took it apart
			return err
		}
		return nil
	case ed25519.PublicKey:
		if smallOrder(key) {
			return errors.New("an Ed25519 key of small order: anybody could sign under it")
		}
		return nil
	case *rsa.PublicKey:
		if key.E < 3 || key.E%2 == 0 || key.N.Bit(0) == 0 {
			return errors.New("no RSA key: modulus and exponent must be odd, the exponent 3 or more")
		}
		return nil
	case nil:
		return errors.New("a key of a kind that is not known here")
	}
	return fmt.Errorf("a key of type %T", public)
}

// smallOrder reports whether a key is one of the eight points whose multiples are no secret,
// in any spelling: ed25519.Verify takes made-up signatures under them for good ones. Those of
// order 1, 2 and 4 have y = 1, -1 and 0; those of order 8 double to y = 0, and with the
// curve's equation (RFC 8032, section 5.1) 121665y^4 - 243332y^2 + 121666 = 0.
func smallOrder(key ed25519.PublicKey) bool {
	little := bytes.Clone(key)
	slices.Reverse(little)
	little[0] &= 0x7f // the sign of x
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	y := new(big.Int).SetBytes(little)
	square := new(big.Int).Mul(y, y)
	eight := new(big.Int).Mul(big.NewInt(121665), square)
	eight.Sub(eight, big.NewInt(243332)).Mul(eight, square).Add(eight, big.NewInt(121666))
	product := y.Mul(y, square.Sub(square, big.NewInt(1)))
	return product.Mul(product, eight).Mod(product, p).Sign() == 0
}
