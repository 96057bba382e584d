package trust

import (
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A Desk is a repository in the hands of those who sign: a plain folder that can be carried
// from one to the next. What is not signed by enough of them yet lies below drafts/, where
// no gate looks; Refresh takes it in when it is.
type Desk struct {
	Dir string
	Now time.Time // of whoever signs: the time of issue
}

type (
	rootRole      = metadata.Metadata[metadata.RootType]
	snapshotRole  = metadata.Metadata[metadata.SnapshotType]
	timestampRole = metadata.Metadata[metadata.TimestampType]
)

// A draftable role is one that people sign one after the other.
type draftable interface {
	metadata.RootType | metadata.TargetsType
}

// Day is the unit of all lifetimes at a desk.
const Day = 24 * time.Hour

func (d Desk) path(name string) string { return filepath.Join(d.Dir, filepath.FromSlash(name)) }

func draftPath(role string) string { return "drafts/" + role + ".json" }

func (d Desk) now() time.Time { return d.Now.UTC().Truncate(time.Second) }

// write puts a file in its place, whole or not at all.
func (d Desk) write(name string, text []byte) error { return writeFile(d.path(name), text) }

func writeFile(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	base := filepath.Base(file)
	return replace(folder(filepath.Dir(file)), base, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// read reads metadata as a gate would.
func read[T metadata.Roles](d Desk, path string, limit int64) (*metadata.Metadata[T], error) {
	src, closer, err := OpenFolder(d.Dir)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	text, err := readAll(src, path, limit)
	if err != nil {
		return nil, err
	}
	m, err := readMetadata[T](text, int(limit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// encode writes metadata for people and programs alike: names sorted, one a line.
func encode[T metadata.Roles](m *metadata.Metadata[T]) ([]byte, error) {
	slices.SortFunc(m.Signatures, func(a, b metadata.Signature) int { return strings.Compare(a.KeyID, b.KeyID) })
	text, err := m.ToBytes(true)
	return append(text, '\n'), err
}

// state is all that stands at a desk: what is published and what is being signed.
type state struct {
	roots    []*rootRole // 1, 2, ...; none before the first refresh
	stamp    *timestampRole
	snapshot *snapshotRole
	targets  *targetsRole
	roles    map[string]*targetsRole

	draftRoot *rootRole
	drafts    map[string]*targetsRole // targets, regions, firmware
}

func (d Desk) state() (*state, error) {
	s := &state{roles: map[string]*targetsRole{}, drafts: map[string]*targetsRole{}}
	for version := int64(1); ; version++ {
		root, err := read[metadata.RootType](d, metadataPath(metadata.ROOT, version), maxRoot)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err == nil {
			err = checkRoot(root)
		}
		if err != nil {
			return nil, fmt.Errorf("root %d: %w", version, err)
		}
		s.roots = append(s.roots, root)
	}
	if err := d.published(s); err != nil {
		return nil, err
	}
	if err := d.drafted(s); err != nil {
		return nil, err
	}
	s.unstale()
	if len(s.roots) == 0 && s.draftRoot == nil {
		return nil, fmt.Errorf("%s holds no root and no draft of one: 'gatectl trust init' makes a repository", d.Dir)
	}
	return s, nil
}

// unstale puts right what a refresh that was cut short left: drafts that were taken in and
// still lie there, and a root that lies there and was not taken in.
func (s *state) unstale() {
	for role, m := range s.drafts {
		was := s.roles[role]
		if role == metadata.TARGETS {
			was = s.targets
		}
		if was != nil && was.Signed.Version >= m.Signed.Version {
			delete(s.drafts, role)
		}
	}
	if s.draftRoot == nil || len(s.roots) == 0 || s.roots[len(s.roots)-1].Signed.Version < s.draftRoot.Signed.Version {
		return
	}
	if s.snapshot != nil && s.snapshot.Signed.Meta["root.json"].Version >= s.draftRoot.Signed.Version {
		s.draftRoot = nil
		return
	}
	s.roots = s.roots[:len(s.roots)-1]
}

func (d Desk) published(s *state) (err error) {
	s.stamp, err = read[metadata.TimestampType](d, metadataPath(metadata.TIMESTAMP, 0), maxTimestamp)
	if errors.Is(err, fs.ErrNotExist) {
		s.stamp = nil
		return nil
	}
	if err != nil {
		return err
	}
	_, version, err := metaFile(metadata.SNAPSHOT, s.stamp.Signed.Meta["snapshot.json"])
	if err != nil {
		return err
	}
	if s.snapshot, err = read[metadata.SnapshotType](d, metadataPath(metadata.SNAPSHOT, version), maxSnapshot); err != nil {
		return err
	}
	if s.snapshot.Signed.Meta["root.json"] == nil || s.snapshot.Signed.Meta["targets.json"] == nil {
		return errors.New("the snapshot names no root or no targets")
	}
	for file, meta := range s.snapshot.Signed.Meta {
		role := strings.TrimSuffix(file, ".json")
		if role == metadata.ROOT {
			continue
		}
		m, err := read[metadata.TargetsType](d, metadataPath(role, meta.Version), maxMetadata(role))
		if err != nil {
			return err
		}
		if role == metadata.TARGETS {
			s.targets, err = m, checkNational(m)
		} else {
			s.roles[role] = m
		}
		if err != nil {
			return fmt.Errorf("%s: %w", role, err)
		}
	}
	return nil
}

func (d Desk) drafted(s *state) error {
	entries, err := os.ReadDir(d.path("drafts"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		role, isJSON := strings.CutSuffix(e.Name(), ".json")
		var err error
		switch {
		case !isJSON:
		case role == metadata.ROOT:
			if s.draftRoot, err = read[metadata.RootType](d, draftPath(role), maxRoot); err == nil {
				err = checkRoot(s.draftRoot)
			}
		case role == metadata.TARGETS:
			if s.drafts[role], err = read[metadata.TargetsType](d, draftPath(role), maxNational); err == nil {
				err = checkNational(s.drafts[role])
			}
		case isRole(role):
			s.drafts[role], err = read[metadata.TargetsType](d, draftPath(role), maxMetadata(role))
		}
		if err != nil {
			return fmt.Errorf("draft of %s: %w", role, err)
		}
	}
	return nil
}

// root is the one in force after the next refresh, as far as is known: the draft, or the last.
func (s *state) root() *rootRole {
	if s.draftRoot != nil {
		return s.draftRoot
	}
	return s.roots[len(s.roots)-1]
}

// national is the targets role likewise; nil before the first.
func (s *state) national() *targetsRole {
	if m := s.drafts[metadata.TARGETS]; m != nil {
		return m
	}
	return s.targets
}

// delegation is who speaks for a region; nil when nobody was named.
func delegation(m *targetsRole, role string) *metadata.DelegatedRole {
	if m == nil || m.Signed.Delegations == nil {
		return nil
	}
	for i := range m.Signed.Delegations.Roles {
		if r := &m.Signed.Delegations.Roles[i]; r.Name == role {
			return r
		}
	}
	return nil
}

// redraft stamps changed metadata with a new issue and end, takes all signatures away, since
// they were for other words, and saves it.
func redraft[T draftable](d Desk, role string, m *metadata.Metadata[T], life time.Duration) error {
	if life < time.Hour || life > 20*366*Day {
		return fmt.Errorf("a lifetime of %s: want an hour to 20 years", life)
	}
	issued, expires := d.now(), d.now().Add(life)
	fields := map[string]any{issuedField: issued.Format(time.RFC3339)}
	switch signed := any(&m.Signed).(type) {
	case *metadata.RootType:
		signed.Expires, signed.UnrecognizedFields = expires, fields
	case *metadata.TargetsType:
		signed.Expires, signed.UnrecognizedFields = expires, fields
	}
	m.Signatures = []metadata.Signature{}
	return save(d, role, m)
}

func save[T draftable](d Desk, role string, m *metadata.Metadata[T]) error {
	text, err := encode(m)
	if err != nil {
		return err
	}
	if max := maxMetadata(role); int64(len(text)) > max {
		return fmt.Errorf("%s: %d bytes, at most %d", role, len(text), max)
	}
	return d.write(draftPath(role), text)
}

// signWith adds a signature, in the place of an earlier one by the same key.
func signWith[T metadata.Roles](m *metadata.Metadata[T], key crypto.Signer) error {
	id, err := KeyID(key.Public())
	if err != nil {
		return err
	}
	signer, err := signature.LoadSigner(key, crypto.SHA256)
	if err != nil {
		return err
	}
	m.Signatures = slices.DeleteFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == id })
	_, err = m.Sign(signer)
	return err
}

// signedBy asks with the gate's own check whether one key signed.
func signedBy[T metadata.Roles](m *metadata.Metadata[T], id string, keys map[string]*metadata.Key) bool {
	asker := metadata.Root(time.Time{})
	asker.Signed.Keys = keys
	asker.Signed.Roles["asked"] = &metadata.Role{KeyIDs: []string{id}, Threshold: 1}
	return asker.VerifyDelegate("asked", m) == nil
}

// describe gives a file's hash and length as metadata has them.
func describe(text []byte) (int64, metadata.Hashes) {
	sum := sha256.Sum256(text)
	return int64(len(text)), metadata.Hashes{"sha256": sum[:]}
}

// names is the desk's own address book: a key's id, and the name of the file that it came in.
// Nobody signs it and no gate reads it.
func (d Desk) names() map[string]string {
	names := map[string]string{}
	if text, err := os.ReadFile(d.path("drafts/names.json")); err == nil && len(text) < 1<<20 {
		_ = json.Unmarshal(text, &names) // a damaged address book is an empty one
	}
	return names
}

// A Signer is a public key, and under which name the desk shows it.
type Signer struct {
	Name   string
	Public crypto.PublicKey
}

func (d Desk) remember(signers []Signer) error {
	names := d.names()
	for _, s := range signers {
		id, err := KeyID(s.Public)
		if err != nil {
			return fmt.Errorf("key of %s: %w", s.Name, err)
		}
		names[id] = s.Name
	}
	text, err := json.MarshalIndent(names, "", "\t")
	if err != nil {
		return err
	}
	return d.write("drafts/names.json", append(text, '\n'))
}
