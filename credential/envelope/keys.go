package envelope

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// The parts of HPKE (RFC 9180). Whoever keeps a stolen card for the day of a quantum computer
// has to break ML-KEM-768 as well as X25519 (KEM 0x647a, draft-ietf-hpke-pq). Only a key is
// taken out of HPKE: its own numbering of messages starts anew with each reader.
func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.MLKEM768X25519(), hpke.HKDFSHA256(), hpke.ExportOnly()
}

// The frames of key files, and what they may weigh.
const (
	publicFrame  = "GATEHOUSE ENVELOPE PUBLIC KEY"
	privateFrame = "GATEHOUSE ENVELOPE PRIVATE KEY"
	idField      = "Id"
	maxKeyFile   = 8 << 10
)

// A KeyID names a region's key: the first eight bytes of the SHA-256 of the public key.
type KeyID [8]byte

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// A PublicKey lets gates close fields for its region. The zero value closes nothing.
type PublicKey struct {
	key hpke.PublicKey
	id  KeyID
}

// A PrivateKey lets a region open what was closed for it. The zero value opens nothing.
type PrivateKey struct {
	key    hpke.PrivateKey
	public PublicKey
}

// GenerateKey makes a region's key.
func GenerateKey() (PrivateKey, error) {
	kem, _, _ := suite()
	key, err := kem.GenerateKey()
	if err != nil {
		return PrivateKey{}, fmt.Errorf("envelope: generate key: %w", err)
	}
	return private(key), nil
}

func private(key hpke.PrivateKey) PrivateKey {
	return PrivateKey{key: key, public: public(key.PublicKey())}
}

func public(key hpke.PublicKey) PublicKey {
	k := PublicKey{key: key}
	sum := sha256.Sum256(key.Bytes())
	copy(k.id[:], sum[:])
	return k
}

// ID names the key.
func (k PublicKey) ID() KeyID { return k.id }

// Public is the key that gates are given.
func (k PrivateKey) Public() PublicKey { return k.public }

// String names the key without telling it, should it ever stand in a log.
func (k PrivateKey) String() string { return "private key " + k.public.id.String() }

// GoString is String.
func (k PrivateKey) GoString() string { return k.String() }

// File is the key as people carry it: a frame of text with the key's id. The zero key has
// none.
func (k PublicKey) File() []byte {
	if k.key == nil {
		return nil
	}
	return frame(publicFrame, k.id, k.key.Bytes())
}

// File is the key as a region locks it away: 32 bytes in a frame of text.
func (k PrivateKey) File() ([]byte, error) {
	if k.key == nil {
		return nil, errors.New("envelope: write private key: there is none")
	}
	b, err := k.key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("envelope: write private key: %w", err)
	}
	return frame(privateFrame, k.public.id, b), nil
}

func frame(kind string, id KeyID, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Headers: map[string]string{idField: id.String()}, Bytes: b})
}

// ParsePublicKey reads a public key's file.
func ParsePublicKey(file []byte) (PublicKey, error) {
	b, id, err := unframe(publicFrame, file)
	if err != nil {
		return PublicKey{}, fmt.Errorf("envelope: public key: %w", err)
	}
	kem, _, _ := suite()
	key, err := kem.NewPublicKey(b)
	if err != nil {
		return PublicKey{}, fmt.Errorf("envelope: public key: %w", err)
	}
	k := public(key)
	if k.id.String() != id {
		return PublicKey{}, fmt.Errorf("envelope: public key: its file calls it %q, and it is %s", id, k.id)
	}
	return k, nil
}

// ParsePrivateKey reads a private key's file.
func ParsePrivateKey(file []byte) (PrivateKey, error) {
	b, id, err := unframe(privateFrame, file)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("envelope: private key: %w", err)
	}
	kem, _, _ := suite()
	key, err := kem.NewPrivateKey(b)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("envelope: private key: %w", err)
	}
	k := private(key)
	if k.public.id.String() != id {
		return PrivateKey{}, fmt.Errorf("envelope: private key: its file calls it %q, and it is %s", id, k.public.id)
	}
	return k, nil
}

// unframe takes a file apart that holds one frame of the kind and nothing else.
func unframe(kind string, file []byte) (b []byte, id string, err error) {
	if len(file) > maxKeyFile {
		return nil, "", fmt.Errorf("%d bytes, %d are allowed", len(file), maxKeyFile)
	}
	block, rest := pem.Decode(file)
	switch {
	case block == nil || !bytes.HasPrefix(bytes.TrimSpace(file), []byte("-----BEGIN ")):
		return nil, "", errors.New("the file does not begin with a key's frame")
	case block.Type != kind:
		return nil, "", fmt.Errorf("a frame %q is due", kind)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, "", errors.New("more behind the key")
	case len(block.Headers) != 1 || block.Headers[idField] == "":
		return nil, "", errors.New("the key's id is due, and no other field")
	}
	return block.Bytes, block.Headers[idField], nil
}
