package credential

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse"
)

const (
	trustKind    = "trust"
	maxTrust     = 4 << 20 // bytes
	maxTrustKeys = 10_000
	maxSameID    = 8  // keys under one id: each costs a signature check
	maxOwnIDs    = 32 // ids of one key: revocations are asked for under each

	maxNames      = 8   // of one key's issuer
	maxIssuerName = 256 // bytes
)

// A TrustList is the body of a region's signed list: whose keys its gates believe.
type TrustList struct {
	Kind    string           `json:"kind"` // always "trust"
	Region  gatehouse.Issuer `json:"region"`
	Version uint64           `json:"version"` // from 1, only grows
	Issued  time.Time        `json:"issued"`
	Keys    []TrustKey       `json:"keys"`
}

// A TrustKey is one key of the list.
type TrustKey struct {
	Issuer    gatehouse.Issuer `json:"issuer"`
	KID       string           `json:"kid"`  // hex
	SPKI      []byte           `json:"spki"` // SubjectPublicKeyInfo, DER; base64 in JSON
	NotBefore time.Time        `json:"not_before"`
	NotAfter  time.Time        `json:"not_after"`
	Withdrawn bool             `json:"withdrawn,omitempty"`
	Usage     []string         `json:"usage"`           // "health-code", "test", "vaccination", "recovery", "entitlement", "travel-code", "certify"
	Names     []string         `json:"names,omitempty"` // as formats abroad know the issuer: a URL, a DID
}

// Listed writes a key as a trust list has it.
func (k Key) Listed() (TrustKey, error) {
	spki, err := marshalSPKI(k.Public)
	if err != nil {
		return TrustKey{}, fmt.Errorf("list key: %w", err)
	}
	return TrustKey{
		Issuer:    k.Issuer,
		KID:       hex.EncodeToString(k.ID),
		SPKI:      spki,
		NotBefore: k.NotBefore.UTC(),
		NotAfter:  k.NotAfter.UTC(),
		Withdrawn: k.Withdrawn,
		Usage:     k.Usage.Words(),
		Names:     k.Names,
	}, nil
}

// Body writes a list as a region signs it: one key a line, so that people can compare two
// versions. What ReadTrust would refuse is an error.
func (l TrustList) Body() ([]byte, error) {
	l.Kind = trustKind
	body, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("write trust list: %w", err)
	}
	// Quotes inside of a value are escaped, so nothing but a key begins like this.
	body = bytes.ReplaceAll(body, []byte(`{"issuer":`), []byte("\n"+`{"issuer":`))
	if _, err := ReadTrust(body); err != nil {
		return nil, err
	}
	return append(body, '\n'), nil
}

// Trust is a trust list that was read: a Keyring that does not change.
type Trust struct {
	Region  gatehouse.Issuer
	Version uint64
	Issued  time.Time

	keys map[string][]Key
	size int
}

// ReadTrust reads the body of a trust list that was authenticated by other means, as the
// target of a signed repository is.
func ReadTrust(body []byte) (*Trust, error) {
	if len(body) > maxTrust {
		return nil, fmt.Errorf("read trust: %d bytes, at most %d", len(body), maxTrust)
	}
	if err := isKind(trustKind, body); err != nil {
		return nil, fmt.Errorf("read trust: %w", err)
	}
	t, err := readTrust(body)
	if err != nil {
		return nil, fmt.Errorf("read trust: %w", err)
	}
	return t, nil
}

// readTrust takes a body that is one JSON object, as isKind makes sure of.
func readTrust(body []byte) (*Trust, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var list TrustList
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	switch {
	case !isIssuer(string(list.Region)):
		return nil, fmt.Errorf("region %.20q, want the form CN-330000", list.Region)
	case list.Version == 0:
		return nil, errors.New("version is missing: it counts from 1")
	case list.Issued.IsZero():
		return nil, errors.New("issued is missing")
	case len(list.Keys) > maxTrustKeys:
		return nil, fmt.Errorf("%d keys, at most %d", len(list.Keys), maxTrustKeys)
	}
	t := &Trust{
		Region:  list.Region,
		Version: list.Version,
		Issued:  list.Issued,
		keys:    make(map[string][]Key, len(list.Keys)),
		size:    len(list.Keys),
	}
	ids := make(map[string][][]byte, len(list.Keys)) // by SPKI
	withdrawn := make(map[string]bool, len(list.Keys))
	for i, listed := range list.Keys {
		key, err := listed.key()
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		// A travel certificate need not sign its key id: whoever holds it could write the
		// other one there.
		spki := string(listed.SPKI)
		if was, seen := withdrawn[spki]; seen && was != key.Withdrawn {
			return nil, fmt.Errorf("key %d: withdrawn under one id and not under another", i+1)
		}
		withdrawn[spki] = key.Withdrawn
		ids[spki] = append(ids[spki], key.ID)
		id := string(key.ID)
		for _, other := range t.keys[id] {
			if samePublic(key.Public, other.Public) {
				return nil, fmt.Errorf("key %d: stands there twice: which one counts?", i+1)
			}
		}
		if t.keys[id] = append(t.keys[id], key); len(t.keys[id]) > maxSameID {
			return nil, fmt.Errorf("key %d: more than %d keys under id %x", i+1, maxSameID, key.ID)
		}
	}
	if err := t.introduce(ids); err != nil {
		return nil, err
	}
	return t, nil
}

// introduce tells each key that stands under several ids of its others.
func (t *Trust) introduce(ids map[string][][]byte) error {
	for spki, own := range ids {
		if len(own) == 1 {
			continue
		}
		if len(own) > maxOwnIDs {
			return fmt.Errorf("one key under %d ids, at most %d", len(own), maxOwnIDs)
		}
		public, err := parseSPKI([]byte(spki))
		if err != nil {
			return fmt.Errorf("spki: %w", err)
		}
		for i, id := range own {
			for j := range t.keys[string(id)] {
				if key := &t.keys[string(id)][j]; samePublic(key.Public, public) {
					key.others = slices.Delete(slices.Clone(own), i, i+1)
				}
			}
		}
	}
	return nil
}

func (l TrustKey) key() (Key, error) {
	id, err := hex.DecodeString(l.KID)
	if err != nil || len(id) == 0 || len(id) > maxKeyID {
		return Key{}, fmt.Errorf("kid is not hex of 1 to %d bytes", maxKeyID)
	}
	public, err := parseSPKI(l.SPKI)
	if err != nil {
		return Key{}, fmt.Errorf("spki: %w", err)
	}
	if err := Sound(public); err != nil {
		return Key{}, fmt.Errorf("spki: %w", err)
	}
	var usage Usage
	for _, word := range l.Usage {
		bit := slices.Index(usageWords[:], word)
		if bit < 0 {
			return Key{}, fmt.Errorf("usage %.20q, want some of %v", word, usageWords)
		}
		usage |= 1 << bit
	}
	if err := suits(public, usage); err != nil {
		return Key{}, fmt.Errorf("spki: %w", err)
	}
	switch {
	case !isIssuer(string(l.Issuer)):
		return Key{}, fmt.Errorf("issuer %.20q, want the form CN-330100 or DE", l.Issuer)
	case usage == 0:
		return Key{}, fmt.Errorf("usage is missing: some of %v", usageWords)
	case l.NotBefore.IsZero() || !l.NotAfter.After(l.NotBefore):
		return Key{}, errors.New("not_before and not_after must both be there, in this order")
	}
	if len(l.Names) > maxNames || slices.ContainsFunc(l.Names, func(name string) bool { return name == "" || !presentable(name, maxIssuerName) }) {
		return Key{}, fmt.Errorf("names: at most %d, of 1 to %d bytes each", maxNames, maxIssuerName)
	}
	if usage&(UseHealthCode|UseTravelCode) != 0 {
		native := sha256.Sum256(l.SPKI)
		if !bytes.Equal(id, native[:keyIDSize]) {
			return Key{}, fmt.Errorf("kid of a key for health codes or travel codes, want %x", native[:keyIDSize])
		}
	}
	return Key{
		ID: id, Issuer: l.Issuer, Public: public,
		NotBefore: l.NotBefore, NotAfter: l.NotAfter,
		Withdrawn: l.Withdrawn, Usage: usage, Names: l.Names,
	}, nil
}

// suits holds a key to what it is listed for: codes are signed with few algorithms, the
// authorities of states certify with some more.
func suits(public crypto.PublicKey, usage Usage) error {
	signs := slices.ContainsFunc([]int64{algES256, algEdDSA, algPS256, algSM2}, func(alg int64) bool { return fits(alg, public) })
	switch {
	case usage&^UseCertify != 0 && !signs:
		return errors.New("want P-256, Ed25519, SM2 or RSA of 2048 to 4096 bits")
	case usage&UseCertify != 0 && !mayCertify(public):
		return errors.New("to certify, want P-256, P-384, P-521 or RSA of 2048 to 8192 bits")
	}
	return nil
}

// Keys gives the keys under a key id; the caller does not change them.
func (t *Trust) Keys(kid []byte) []Key { return t.keys[string(kid)] }

// Len is the number of keys.
func (t *Trust) Len() int { return t.size }

// isKind walks the outermost object by tokens, since json.Unmarshal would take "KIND" or a
// second "kind" for the word as well.
func isKind(kind string, body []byte) error {
	if !json.Valid(body) || bytes.TrimSpace(body)[0] != '{' {
		return errors.New("not one JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return err
	}
	found := ""
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if name != "kind" {
			continue
		}
		if found != "" {
			return errors.New("names its kind twice")
		}
		if err := json.Unmarshal(value, &found); err != nil || found == "" {
			return errors.New("its kind is not a word")
		}
	}
	if found != kind {
		return fmt.Errorf("kind is %.40q, want %q", found, kind)
	}
	return nil
}
