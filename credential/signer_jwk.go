package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// maxSet bounds the keys of one set or document; maxSigner would let in some hundreds.
const maxSet = 256

// readJSON tells a set of keys and a DID document from a single JWK by what only they have.
func readJSON(text []byte) ([]Key, error) {
	var document struct {
		Keys    []json.RawMessage `json:"keys"`
		Methods json.RawMessage   `json:"verificationMethod"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, errors.New("neither JWK nor DID document in JSON")
	}
	switch {
	case document.Methods != nil:
		return readDID(text)
	case document.Keys != nil:
		return readSet(document.Keys)
	}
	return readJWK(text)
}

// readSet reads a JWK Set. A key that is there to encrypt signs nothing and is passed over;
// any other must be sound, so that a set with a slip in it does not look like a smaller one.
func readSet(set []json.RawMessage) ([]Key, error) {
	if len(set) > maxSet {
		return nil, fmt.Errorf("JWK set of %d keys, at most %d", len(set), maxSet)
	}
	var keys []Key
	for i, text := range set {
		var purpose struct {
			Use string `json:"use"`
		}
		if err := json.Unmarshal(text, &purpose); err != nil {
			return nil, fmt.Errorf("key %d: JWK is not JSON", i+1)
		}
		if purpose.Use == "enc" {
			continue
		}
		more, err := readJWK(text)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, more...)
	}
	if len(keys) == 0 {
		return nil, errors.New("JWK set without a key that signs")
	}
	return keys, nil
}

type jwk struct {
	Type    string          `json:"kty"`
	Curve   string          `json:"crv"`
	X       string          `json:"x"`
	Y       string          `json:"y"`
	N       string          `json:"n"`
	E       string          `json:"e"`
	ID      string          `json:"kid"`
	Private json.RawMessage `json:"d"`
}

// readJWK gives the key once for each of its ids.
func readJWK(text []byte) ([]Key, error) {
	var j jwk
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, errors.New("JWK is not JSON")
	}
	public, err := j.public()
	if err != nil {
		return nil, err
	}
	keys, err := bareKey(public)
	if err != nil {
		return nil, err
	}
	print, err := thumbprint(public)
	if err != nil {
		return nil, err
	}
	ids := [][]byte{print}
	if 0 < len(j.ID) && len(j.ID) <= maxKeyID {
		ids = append(ids, []byte(j.ID))
	}
	// Some publish a travel certificate's key as JWK, with the certificate's id in base64.
	if id := jwkBytes(strings.NewReplacer("+", "-", "/", "_").Replace(j.ID), keyIDSize); id != nil {
		ids = append(ids, id)
	}
	for _, id := range ids {
		if slices.ContainsFunc(keys, func(key Key) bool { return bytes.Equal(key.ID, id) }) {
			continue
		}
		named := keys[0]
		named.ID = id
		keys = append(keys, named)
	}
	return keys, nil
}

func (j jwk) public() (crypto.PublicKey, error) {
	if j.Private != nil {
		return nil, errors.New("JWK holds a private key: give the public part only")
	}
	switch {
	case j.Type == "EC" && (j.Curve == "P-256" || j.Curve == "SM2"):
		point := slices.Concat([]byte{4}, jwkBytes(j.X, 32), jwkBytes(j.Y, 32))
		if j.Curve == "SM2" {
			return sm2Point(point)
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, errors.New("JWK holds no point of P-256")
		}
		return key, nil
	case j.Type == "OKP" && j.Curve == "Ed25519":
		x := jwkBytes(j.X, ed25519.PublicKeySize)
		if x == nil {
			return nil, errors.New("JWK holds no Ed25519 key")
		}
		return ed25519.PublicKey(x), nil
	case j.Type == "RSA":
		n, e := jwkBytes(j.N, 0), jwkBytes(j.E, 0)
		if len(n) < 128 || len(n) > 1024 || len(e) < 1 || len(e) > 3 {
			return nil, errors.New("JWK holds no RSA key of a size in use")
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	}
	return nil, errors.New("JWK is neither EC P-256 or SM2 nor OKP Ed25519 nor RSA")
}

// thumbprint is the SHA-256 of the key's required members in the order of their names
// (RFC 7638, section 3.2).
func thumbprint(public crypto.PublicKey) ([]byte, error) {
	enc := base64.RawURLEncoding.EncodeToString
	var members string
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		x, y, err := coordinates(key)
		if err != nil {
			return nil, err
		}
		curve := "P-256"
		if isSM2(key) {
			curve = "SM2"
		}
		members = fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, curve, enc(x), enc(y))
	case ed25519.PublicKey:
		members = fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, enc(key))
	case *rsa.PublicKey:
		members = fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, enc(big.NewInt(int64(key.E)).Bytes()), enc(key.N.Bytes()))
	default:
		return nil, fmt.Errorf("a key of type %T", public)
	}
	sum := sha256.Sum256([]byte(members))
	return sum[:], nil
}

// jwkBytes decodes a JWK's base64url, and gives nil unless it has size bytes (0: any).
func jwkBytes(s string, size int) []byte {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || size != 0 && len(b) != size {
		return nil
	}
	return b
}
