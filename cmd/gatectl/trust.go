package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/policy"
)

// trustFlags say whose keys to believe: single signers, a folder as a gate has it, or both.
type trustFlags struct {
	signers []string
	folder  string
	root    string
	at      string
}

func (t *trustFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&t.folder, "trust", "", "folder with trust.note, policy.note and root.pub")
	c.Flags().StringVar(&t.root, "root", "", "public key of who signed the folder's files (default: its root.pub)")
	c.Flags().StringVar(&t.at, "at", "", "judge as of this time, RFC 3339 (default: now)")
}

// time is the moment to judge at.
func (t *trustFlags) time() (time.Time, error) {
	if t.at == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, t.at)
	if err != nil {
		return at, daemon.UsageError{Err: fmt.Errorf("--at %q is no RFC 3339 time, as in 2021-05-03T18:00:00Z", t.at)}
	}
	return at, nil
}

// keys gathers all keys that the flags name.
func (t *trustFlags) keys() (credential.Keyring, *credential.Trust, error) {
	var ring credential.Ring
	for _, s := range t.signers {
		text, err := signerText(s)
		if err != nil {
			return nil, nil, daemon.UsageError{Err: err}
		}
		keys, err := credential.ReadSigner(text)
		if err != nil {
			return nil, nil, daemon.UsageError{Err: fmt.Errorf("--signer %.60s: %w", s, err)}
		}
		ring = append(ring, keys...)
	}
	if t.folder == "" {
		return ring, nil, nil
	}
	root, err := t.rootKey()
	if err != nil {
		return nil, nil, daemon.UsageError{Err: err}
	}
	sealed, err := daemon.ReadFile(filepath.Join(t.folder, "trust.note"), maxSmall)
	if err != nil {
		return nil, nil, daemon.UsageError{Err: err}
	}
	list, err := credential.OpenTrust(sealed, root)
	if err != nil {
		return nil, nil, daemon.UsageError{Err: fmt.Errorf("%s: %w", t.folder, err)}
	}
	return bothRings{list, ring}, list, nil
}

// bothRings asks the signed list first, then the single signers.
type bothRings struct {
	list *credential.Trust
	ring credential.Ring
}

func (b bothRings) Keys(kid []byte) []credential.Key {
	return append(b.list.Keys(kid)[:len(b.list.Keys(kid)):len(b.list.Keys(kid))], b.ring.Keys(kid)...)
}

// signerText takes a file's content, or the argument itself when there is no such file.
func signerText(s string) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(s), "{") || len(s) > 4096 {
		return []byte(s), nil
	}
	text, err := daemon.ReadFile(s, maxSmall)
	if errors.Is(err, os.ErrNotExist) || err != nil && len(s) > 200 {
		if len(s) < 60 || strings.Contains(s, ".pem") {
			return nil, fmt.Errorf("--signer %s: no such file, and no key in itself", s)
		}
		return []byte(s), nil
	}
	return text, err
}

// rootKey is the flag's, or the folder's own: good for looking, not for trusting.
func (t *trustFlags) rootKey() (string, error) {
	if t.root != "" {
		return t.root, nil
	}
	b, err := daemon.ReadFile(filepath.Join(t.folder, "root.pub"), maxSmall)
	if err != nil {
		return "", fmt.Errorf("%w: give --root, the key that gate.toml has as trust.root", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// rules reads a policy: the folder's signed one, or a file. A file without a signature is
// taken, since looking at what a policy would do comes before signing it; it is said.
func (t *trustFlags) rules(file string) (r policy.Rules, isSigned bool, err error) {
	asked := file != ""
	if !asked {
		if t.folder == "" {
			return policy.Rules{}, false, nil
		}
		file = filepath.Join(t.folder, "policy.note")
	}
	text, err := daemon.ReadFile(file, maxSmall)
	if err != nil {
		return r, false, daemon.UsageError{Err: err}
	}
	body := text
	if root, rootErr := t.rootKey(); rootErr == nil {
		if opened, err := credential.Open("policy", text, root); err == nil {
			body, isSigned = opened, true
		}
	}
	if !isSigned {
		// A signed note is the body, a blank line, and its signatures.
		if i := strings.Index(string(text), "\n\n\u2014 "); i >= 0 {
			return r, false, daemon.UsageError{Err: fmt.Errorf("%s: it is signed, but not by the root key in use", file)}
		}
	}
	if !isSigned && !asked {
		return r, false, daemon.UsageError{Err: fmt.Errorf("%s: it is not signed: no gate takes it; name it with --policy to look at what it would do", file)}
	}
	r, err = policy.Parse(body)
	if err != nil {
		return r, false, daemon.UsageError{Err: fmt.Errorf("%s: %w", file, err)}
	}
	return r, isSigned, nil
}
