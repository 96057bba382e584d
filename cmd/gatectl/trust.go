package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/cmd/jsonld"
	"gatehouse/credential"
	"gatehouse/credential/trust"
)

// trustFlags say whose keys to believe: single signers, signed trust as a nation publishes
// it or as a gate holds it, or both.
type trustFlags struct {
	signers []string
	folder  string
	root    string
	site    string
	at      string
}

func (t *trustFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&t.folder, "trust", "", "a trust repository, or a gate's trust folder")
	c.Flags().StringVar(&t.root, "root", "", "the root that gates are given to begin with (default: root.json in the folder or beside it, 1.root.json in it)")
	c.Flags().StringVar(&t.site, "site", "", "the region of the gate, as CN-330100 (default: the only one that has a policy)")
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

// A belief is what a gate with these flags would believe.
type belief struct {
	keys     credential.Keyring
	revoked  credential.Revocations // nil: nobody took any code back
	set      *trust.Set             // nil without a trust folder
	rootFrom string                 // the file that the root was read from
}

// Age is that of the signed trust; keys given by hand are as old as the moment.
func (b *belief) Age(at time.Time) time.Duration {
	if b.set == nil {
		return 0
	}
	return b.set.Age(at)
}

// verifier is how a gate with this belief reads codes.
func (b *belief) verifier() credential.Verifier {
	return credential.Verifier{Keys: b.keys, Revoked: b.revoked, Graph: jsonld.Graph{}}
}

// believe gathers what the flags name. What is odd about it, and still no reason to refuse
// it, is said to warn.
func (t *trustFlags) believe(warn io.Writer) (*belief, error) {
	b, err := t.gather(warn)
	if err != nil {
		return nil, daemon.UsageError{Err: err}
	}
	return b, nil
}

func (t *trustFlags) gather(warn io.Writer) (*belief, error) {
	var ring credential.Ring
	for _, s := range t.signers {
		text, err := signerText(s)
		if err != nil {
			return nil, err
		}
		keys, err := readSigner(text)
		if err != nil {
			return nil, fmt.Errorf("--signer %.60s: %w", s, err)
		}
		ring = append(ring, keys...)
	}
	b := &belief{keys: ring}
	if t.folder == "" {
		return b, nil
	}
	var err error
	if b.set, b.rootFrom, err = t.openSet(warn); err != nil {
		return nil, fmt.Errorf("--trust: %w", err)
	}
	b.keys = bothRings{b.set, ring}
	for _, r := range b.set.Regions() {
		if r.Fault != "" {
			fmt.Fprintf(warn, "%s: %s\n", r.ID, r.Fault)
		}
	}
	if b.revoked, err = revocations(b.set); err != nil {
		return nil, err
	}
	return b, nil
}

// openSet reads a repository, or a gate's trust folder, and changes neither.
func (t *trustFlags) openSet(warn io.Writer) (set *trust.Set, rootFrom string, err error) {
	root, rootFrom, err := t.pinned()
	if err != nil {
		return nil, "", err
	}
	// A set reads from a file that it has open, which outlives its name.
	temp, err := os.MkdirTemp("", "gatectl-trust-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(temp)
	switch {
	case isFile(t.folder, "timestamp.json"):
		set, err = t.adopt(temp, root)
	case isFile(t.folder, "a.zip"), isFile(t.folder, "b.zip"):
		set, err = t.mirror(temp, root, warn)
	default:
		err = errors.New("it holds no repository (timestamp.json) and no gate's trust (a.zip, b.zip)")
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", t.folder, err)
	}
	return set, rootFrom, nil
}

// adopt takes a repository as a new gate would. It is held to the time that is asked about
// when that is past, and to now otherwise: what a gate took in today serves it next week.
func (t *trustFlags) adopt(temp string, root []byte) (*trust.Set, error) {
	at, err := t.time()
	if err != nil {
		return nil, err
	}
	if now := time.Now(); at.After(now) {
		at = now
	}
	src, closer, err := trust.OpenFolder(t.folder)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	cache, err := trust.Open(temp, root)
	if err != nil {
		return nil, err
	}
	set, err := cache.Adopt(src, at, t.at == "")
	if errors.Is(err, trust.ErrExpired) {
		err = fmt.Errorf("%w (no gate takes it any more; --at names a day on which it did)", err)
	}
	return set, err
}

// mirror reads a gate's folder from beside it: the gate may be adopting at this moment, and
// whoever looks must neither hold its lock nor write its floors.
func (t *trustFlags) mirror(temp string, root []byte, warn io.Writer) (*trust.Set, error) {
	dir, err := filepath.Abs(t.folder)
	if err != nil {
		return nil, err
	}
	for _, slot := range []string{"a.zip", "b.zip"} {
		if !isFile(dir, slot) {
			continue
		}
		if err := os.Symlink(filepath.Join(dir, slot), filepath.Join(temp, slot)); err != nil {
			return nil, err
		}
	}
	for _, small := range []string{"current", "floors.json"} {
		text, err := daemon.ReadFile(filepath.Join(dir, small), maxSmall)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(temp, small), text, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	cache, err := trust.Open(temp, root)
	if err != nil {
		return nil, err
	}
	fault := cache.Fault()
	if cache.Current() == nil {
		return nil, fmt.Errorf("nothing in it is in use: %w", fault)
	}
	if fault != nil {
		fmt.Fprintf(warn, "%s: %v\n", t.folder, fault)
	}
	return cache.Current(), nil
}

// pinned is the root to begin with. One that lies with what it vouches for is good for
// looking, and is no proof: --root names the one that a gate was given.
func (t *trustFlags) pinned() (root []byte, from string, err error) {
	places := []string{t.root}
	if t.root == "" {
		dir := filepath.Clean(t.folder)
		places = []string{filepath.Join(dir, "root.json"), filepath.Join(dir, "..", "root.json"), filepath.Join(dir, "1.root.json")}
	}
	for _, place := range places {
		root, err = daemon.ReadFile(place, maxSmall)
		if err == nil {
			return root, place, nil
		}
		if t.root != "" || !errors.Is(err, os.ErrNotExist) {
			return nil, "", fmt.Errorf("root: %w", err)
		}
	}
	return nil, "", fmt.Errorf("%s: no root.json in it or beside it: give --root, the root that gates begin with", t.folder)
}

func isFile(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

// bothRings asks the signed trust first, then the single signers.
type bothRings struct {
	set  *trust.Set
	ring credential.Ring
}

func (b bothRings) Keys(kid []byte) []credential.Key {
	signed := b.set.Keys(kid)
	return append(signed[:len(signed):len(signed)], b.ring.Keys(kid)...)
}

// readSigner reads keys as people hand them over. A certificate of a state's authority is
// taken for what it may certify, too: those are handed over in the same way.
func readSigner(text []byte) ([]credential.Key, error) {
	keys, err := credential.ReadSigner(text)
	authorities, notCSCA := credential.ReadCSCA(text)
	if notCSCA == nil {
		return append(keys, authorities...), nil
	}
	return keys, err
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
