package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// didDocument is what an issuer of the web's DIDs publishes about its keys (W3C, "Decentralized
// Identifiers (DIDs) v1.0", section 5).
type didDocument struct {
	ID      string            `json:"id"`
	Methods []didMethod       `json:"verificationMethod"`
	Asserts []json.RawMessage `json:"assertionMethod"` // names of methods, or whole ones
}

type didMethod struct {
	ID         string          `json:"id"`
	Controller string          `json:"controller"`
	JWK        json.RawMessage `json:"publicKeyJwk"`
}

// readDID takes of a DID document the keys that its subject states things with: those under
// assertionMethod, that the subject itself controls. Keys to log in with sign no pass.
func readDID(text []byte) ([]Key, error) {
	var document didDocument
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, errors.New("DID document is not in the form of one")
	}
	if !strings.HasPrefix(document.ID, "did:") || !presentable(document.ID, maxIssuerName) {
		return nil, errors.New("DID document without a DID")
	}
	if len(document.Methods) > maxSet || len(document.Asserts) > maxSet {
		return nil, fmt.Errorf("DID document of more than %d keys", maxSet)
	}
	var keys []Key
	for i, assert := range document.Asserts {
		method, err := document.method(assert)
		if err != nil {
			return nil, fmt.Errorf("assertion method %d: %w", i+1, err)
		}
		key, err := document.key(method)
		if err != nil {
			return nil, fmt.Errorf("assertion method %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("DID document without a key under assertionMethod")
	}
	return keys, nil
}

// method finds what an entry of assertionMethod means. A name may stand without the DID
// before its #.
func (d didDocument) method(entry json.RawMessage) (didMethod, error) {
	var method didMethod
	if json.Unmarshal(entry, &method) == nil && method.ID != "" {
		return method, nil
	}
	var name string
	if err := json.Unmarshal(entry, &name); err != nil {
		return method, errors.New("neither a name nor a key")
	}
	i := slices.IndexFunc(d.Methods, func(m didMethod) bool { return d.whole(m.ID) == d.whole(name) })
	if i < 0 {
		return method, errors.New("names no key of the document")
	}
	return d.Methods[i], nil
}

func (d didDocument) whole(name string) string {
	if strings.HasPrefix(name, "#") {
		return d.ID + name
	}
	return name
}

func (d didDocument) key(m didMethod) (Key, error) {
	did, fragment, _ := strings.Cut(d.whole(m.ID), "#")
	switch {
	case did != d.ID:
		return Key{}, errors.New("is another DID's")
	case m.Controller != d.ID:
		return Key{}, errors.New("is controlled by another")
	case fragment == "" || len(fragment) > maxKeyID:
		return Key{}, fmt.Errorf("has no name of 1 to %d bytes", maxKeyID)
	case m.JWK == nil:
		return Key{}, errors.New("has no publicKeyJwk")
	}
	keys, err := readJWK(m.JWK)
	if err != nil {
		return Key{}, err
	}
	key := keys[0]
	key.ID, key.Names = []byte(fragment), []string{d.ID}
	key.AnyIssuer, key.Usage = false, UseProof|UseEntitlement
	return key, nil
}
