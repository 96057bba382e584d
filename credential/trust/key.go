package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"gatehouse/credential"
)

// maxKeys bounds the keys of one role: each costs a signature check.
const maxKeys = 16

// checkKeys holds all keys of root or targets to Ed25519 and P-256, each under the id that
// belongs to it. Of two ids for one key the second would be a second signature.
func checkKeys(keys map[string]*metadata.Key) error {
	for id, key := range keys {
		public, err := key.ToPublicKey()
		if err != nil {
			return fmt.Errorf("key %.8s: %w", id, err)
		}
		plain, err := tufKey(public)
		if err != nil {
			return fmt.Errorf("key %.8s: %w", id, err)
		}
		if want, err := plain.ID(); err != nil || id != want {
			return fmt.Errorf("key %.8s: its id should be %.8s", id, want)
		}
	}
	return nil
}

// checkRole holds a role to keys that are there and a threshold that they can reach.
func checkRole(name string, ids []string, threshold int, keys map[string]*metadata.Key) error {
	seen := map[string]bool{}
	for _, id := range ids {
		if keys[id] == nil {
			return fmt.Errorf("role %s: key %.8s is not there", name, id)
		}
		if seen[id] {
			return fmt.Errorf("role %s: key %.8s stands there twice", name, id)
		}
		seen[id] = true
	}
	if len(ids) > maxKeys {
		return fmt.Errorf("role %s: %d keys, at most %d", name, len(ids), maxKeys)
	}
	if threshold < 1 || threshold > len(ids) {
		return fmt.Errorf("role %s: %d signatures of %d keys cannot be", name, threshold, len(ids))
	}
	return nil
}

// tufKey writes a public key as TUF has it.
func tufKey(public crypto.PublicKey) (*metadata.Key, error) {
	switch p := public.(type) {
	case ed25519.PublicKey:
		if len(p) != ed25519.PublicKeySize {
			return nil, errors.New("an Ed25519 key has 32 bytes")
		}
		if err := credential.Sound(p); err != nil {
			return nil, err
		}
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, errors.New("want P-256 or Ed25519")
		}
	default:
		return nil, errors.New("want P-256 or Ed25519")
	}
	return metadata.KeyFromPublicKey(public)
}

// KeyID is the id of a public key in the repository: lower-case hex of the SHA-256 of its
// TUF form in canonical JSON.
func KeyID(public crypto.PublicKey) (string, error) {
	key, err := tufKey(public)
	if err != nil {
		return "", err
	}
	return key.ID()
}

// ReadPrivate reads a signer's key: PKCS #8 (RFC 5958) in PEM, Ed25519 or P-256.
func ReadPrivate(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("no PEM block PRIVATE KEY in it")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", private)
	}
	_, err = tufKey(signer.Public())
	return signer, err
}

// ReadPublic reads a public key in PEM (SubjectPublicKeyInfo), Ed25519 or P-256.
func ReadPublic(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("no PEM block PUBLIC KEY in it")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	_, err = tufKey(public)
	return public, err
}

// signed holds metadata to the threshold of a role whose keys were checked: each id there is
// one key, and the decoder saw to it that each id signed once. What was signed is the canonical
// form of the text itself; the library writes it anew from what it decoded, for each key,
// which for a thousand regions takes longer than all signatures.
func signed(text []byte, signatures []metadata.Signature, role *metadata.Role, keys map[string]*metadata.Key) error {
	var parts struct {
		Signed json.RawMessage `json:"signed"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	payload, err := cjson.EncodeCanonical(parts.Signed)
	if err != nil {
		return err
	}
	have := 0
	for _, s := range signatures {
		if !slices.Contains(role.KeyIDs, s.KeyID) {
			continue
		}
		public, err := keys[s.KeyID].ToPublicKey()
		if err != nil {
			return fmt.Errorf("key %.8s: %w", s.KeyID, err)
		}
		if verified(public, payload, s.Signature) {
			have++
		}
	}
	if have < role.Threshold {
		return fmt.Errorf("%w: %d of %d", ErrUnsigned, have, role.Threshold)
	}
	return nil
}

func verified(public crypto.PublicKey, payload, signature []byte) bool {
	switch p := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(p, payload, signature)
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(payload)
		return ecdsa.VerifyASN1(p, digest[:], signature)
	}
	return false
}
