package credential

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// maxSealed bounds a signed file: room for a trust list of 10,000 keys.
const maxSealed = 4 << 20

// Seal signs a body for gates to open: a signed note (golang.org/x/mod/sumdb/note), which is
// the body as it stands and, after a blank line, one line for each signer. The body is JSON
// that names its kind as a member "kind", and has no control characters but newlines.
func Seal(kind string, body []byte, signers ...string) ([]byte, error) {
	if !bytes.HasSuffix(body, []byte("\n")) {
		body = append(bytes.Clone(body), '\n')
	}
	if err := isKind(kind, body); err != nil {
		return nil, fmt.Errorf("seal %s: %w", kind, err)
	}
	for i, line := range bytes.Split(body, []byte("\n")) {
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("seal %s: line %d is not UTF-8", kind, i+1)
		}
		if bytes.IndexFunc(line, func(r rune) bool { return r < ' ' }) >= 0 {
			return nil, fmt.Errorf("seal %s: line %d holds a tab or another control character", kind, i+1)
		}
	}
	if len(signers) == 0 {
		return nil, fmt.Errorf("seal %s: nobody signs", kind)
	}
	keys := make([]note.Signer, 0, len(signers))
	for _, signer := range signers {
		key, err := note.NewSigner(signer)
		if err != nil {
			return nil, fmt.Errorf("seal %s: %w", kind, err)
		}
		keys = append(keys, key)
	}
	sealed, err := note.Sign(&note.Note{Text: string(body)}, keys...)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", kind, err)
	}
	if len(sealed) > maxSealed {
		return nil, fmt.Errorf("seal %s: %d bytes, at most %d", kind, len(sealed), maxSealed)
	}
	return sealed, nil
}

// Open gives the body of a signed file, when root signed it and it is of the kind that is
// asked for: a signed policy is no trust list. Signatures by others are passed over.
func Open(kind string, sealed []byte, root string) ([]byte, error) {
	if len(sealed) > maxSealed {
		return nil, fmt.Errorf("open %s: %d bytes, at most %d", kind, len(sealed), maxSealed)
	}
	verifier, err := note.NewVerifier(root)
	if err != nil {
		return nil, fmt.Errorf("open %s: root key: %w", kind, err)
	}
	opened, err := note.Open(sealed, note.VerifierList(verifier))
	if err != nil {
		var stranger *note.UnverifiedNoteError
		if errors.As(err, &stranger) {
			err = errors.New("the root key did not sign it")
		}
		return nil, fmt.Errorf("open %s: %w", kind, err)
	}
	body := []byte(opened.Text)
	if err := isKind(kind, body); err != nil {
		return nil, fmt.Errorf("open %s: %w", kind, err)
	}
	return body, nil
}

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

// NewTrustKey makes a key pair for Seal and Open: Ed25519, in the text form of signed notes.
// The name stands in each signature; it has no spaces and no plus: "CN-330000".
func NewTrustKey(name string) (signer, verifier string, err error) {
	signer, verifier, err = note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("new trust key: %w", err)
	}
	return signer, verifier, nil
}
