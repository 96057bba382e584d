package trust

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Refresh takes in each draft that is signed by enough people, and signs a new snapshot and
// timestamp with the keys of the desk that publishes. The result is read as a gate would read
// it before a byte is written: what a gate would refuse is not published. Faults of single
// regions that were there before are no hindrance, new ones are.
//
// It returns the set as a new gate would have it, but for its files, which cannot be read any more,
// and the drafts that were taken in.
func (d Desk) Refresh(keys []crypto.Signer, snapshotLife, timestampLife time.Duration) (*Set, []string, error) {
	s, err := d.state()
	if err != nil {
		return nil, nil, err
	}
	taken := s.settle()
	if len(s.roots) == 0 || s.targets == nil {
		return nil, nil, errors.New("the first root and targets are not signed by enough people yet: 'gatectl trust verify' says who is missing")
	}
	fresh, err := d.compose(s, taken, keys, snapshotLife, timestampLife)
	if err != nil {
		return nil, nil, err
	}
	src, closer, err := OpenFolder(d.Dir)
	if err != nil {
		return nil, nil, err
	}
	defer closer.Close()
	set, err := d.read(overlay{fresh, src}, d.floors(src))
	if err != nil {
		return nil, nil, fmt.Errorf("a gate would refuse this: %w", err)
	}
	for _, r := range set.Regions() {
		if r.Fault != "" && slices.Contains(taken, string(r.ID)) {
			return nil, nil, fmt.Errorf("the draft of %s: %s; publish it anew", r.ID, r.Fault)
		}
	}
	if set.Unusable != "" && slices.Contains(taken, FirmwareRole) {
		return nil, nil, fmt.Errorf("the draft of firmware: %s; publish it anew", set.Unusable)
	}
	// The timestamp comes last: until it names the rest, nobody reads the rest.
	last := metadataPath(metadata.TIMESTAMP, 0)
	for _, path := range slices.Sorted(maps.Keys(fresh)) {
		if path != last {
			if err := d.write(path, fresh[path]); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := d.write(last, fresh[last]); err != nil {
		return nil, nil, err
	}
	for _, role := range taken {
		if err := os.Remove(d.path(draftPath(role))); err != nil {
			return nil, nil, err
		}
	}
	return set, taken, nil
}

// settle makes each complete draft the one in force, root first, and names them.
func (s *state) settle() (taken []string) {
	if s.draftRoot != nil && enough(s.rootNeeds(s.draftRoot)) {
		s.roots = append(s.roots, s.draftRoot)
		taken = append(taken, metadata.ROOT)
	}
	s.draftRoot = nil
	if len(s.roots) == 0 {
		return taken
	}
	if m := s.drafts[metadata.TARGETS]; m != nil {
		if enough(s.needs(metadata.TARGETS, m)) {
			s.targets = m
			taken = append(taken, metadata.TARGETS)
		}
		delete(s.drafts, metadata.TARGETS)
	}
	for _, role := range slices.Sorted(maps.Keys(s.drafts)) {
		if m := s.drafts[role]; enough(s.needs(role, m)) {
			s.roles[role] = m
			taken = append(taken, role)
		}
	}
	return taken
}

// compose writes all metadata of the new state, by path.
func (d Desk) compose(s *state, taken []string, keys []crypto.Signer, snapshotLife, timestampLife time.Duration) (map[string][]byte, error) {
	root := s.roots[len(s.roots)-1]
	files := map[string][]byte{}
	put := func(role string, version int64, text []byte, err error) (*metadata.MetaFiles, error) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", role, err)
		}
		files[metadataPath(role, version)] = text
		length, hashes := describe(text)
		return &metadata.MetaFiles{Version: version, Length: length, Hashes: hashes}, nil
	}
	snapshot, stamp := metadata.Snapshot(d.now().Add(snapshotLife)), metadata.Timestamp(d.now().Add(timestampLife))
	if s.snapshot != nil {
		snapshot.Signed.Version = s.snapshot.Signed.Version + 1
		stamp.Signed.Version = s.stamp.Signed.Version + 1
		was, err := issueOf(s.stamp.Signed.UnrecognizedFields)
		if err != nil || was.After(d.now()) {
			return nil, fmt.Errorf("the last timestamp was issued %s, which is yet to come: set this machine's clock", was.Format(time.RFC3339))
		}
	}
	fields := map[string]any{issuedField: d.now().Format(time.RFC3339)}
	snapshot.Signed.UnrecognizedFields, stamp.Signed.UnrecognizedFields = fields, fields
	var meta *metadata.MetaFiles
	text, err := encode(root)
	if !slices.Contains(taken, metadata.ROOT) {
		text, err = d.raw(metadata.ROOT, root.Signed.Version)
	}
	if meta, err = put(metadata.ROOT, root.Signed.Version, text, err); err != nil {
		return nil, err
	}
	snapshot.Signed.Meta = map[string]*metadata.MetaFiles{"root.json": meta}
	roles := maps.Clone(s.roles)
	roles[metadata.TARGETS] = s.targets
	for role, m := range roles {
		if role != metadata.TARGETS && delegation(s.targets, role) == nil {
			continue // the nation names it no more
		}
		text, err := encode(m)
		if !slices.Contains(taken, role) {
			text, err = d.raw(role, m.Signed.Version) // byte for byte, whoever wrote it
		}
		if meta, err = put(role, m.Signed.Version, text, err); err != nil {
			return nil, err
		}
		snapshot.Signed.Meta[role+".json"] = meta
	}
	if err := signAll(metadata.SNAPSHOT, snapshot, root, keys); err != nil {
		return nil, err
	}
	text, err = encode(snapshot)
	if meta, err = put(metadata.SNAPSHOT, snapshot.Signed.Version, text, err); err != nil {
		return nil, err
	}
	stamp.Signed.Meta = map[string]*metadata.MetaFiles{"snapshot.json": meta}
	if err := signAll(metadata.TIMESTAMP, stamp, root, keys); err != nil {
		return nil, err
	}
	text, err = encode(stamp)
	_, err = put(metadata.TIMESTAMP, 0, text, err)
	return files, err
}

// raw is metadata as it was published.
func (d Desk) raw(role string, version int64) ([]byte, error) {
	src, closer, err := OpenFolder(d.Dir)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return readAll(src, metadataPath(role, version), maxMetadata(role))
}

// signAll signs with those of the keys that have a say.
func signAll[T metadata.Roles](role string, m *metadata.Metadata[T], root *rootRole, keys []crypto.Signer) error {
	r := root.Signed.Roles[role]
	for _, key := range keys {
		id, err := KeyID(key.Public())
		if err != nil {
			return err
		}
		if !slices.Contains(r.KeyIDs, id) {
			continue
		}
		if err := signWith(m, key); err != nil {
			return fmt.Errorf("sign the %s: %w", role, err)
		}
	}
	need := needOf("root", r, root.Signed.Keys, m)
	if need.Left() == 0 {
		return nil
	}
	short := make([]string, len(need.Waiting))
	for i, id := range need.Waiting {
		short[i] = id[:8]
	}
	return fmt.Errorf("the %s needs %d more of the keys %s: give them with --key", role, need.Left(), strings.Join(short, ", "))
}

// floors are those of a gate that has what is published: what it would refuse, such
// as other words under the same version, is no news either.
func (d Desk) floors(src Source) floors {
	first, err := readAll(src, metadataPath(metadata.ROOT, 1), maxRoot)
	if err != nil {
		return floors{}
	}
	l := &loader{src: src, pinned: first}
	if err := l.load(); err != nil {
		return floors{} // nothing is published yet, or nothing that a gate has
	}
	return floors{}.raised(l.set)
}

// read reads a repository as a gate with these floors would, each file of it.
func (d Desk) read(src Source, f floors) (*Set, error) {
	first, err := readAll(src, metadataPath(metadata.ROOT, 1), maxRoot)
	if err != nil {
		return nil, err
	}
	l := &loader{src: src, pinned: first, at: d.now(), limit: d.now().Add(ahead), floors: f}
	if err := l.load(); err != nil {
		return nil, err
	}
	for _, r := range l.set.regions {
		for _, f := range r.files {
			if err := copyFile(io.Discard, src, f); err != nil {
				return nil, missing(err)
			}
		}
	}
	for _, f := range l.set.firmware {
		if err := copyFile(io.Discard, src, f); err != nil {
			return nil, missing(err)
		}
	}
	return l.set, nil
}

// An overlay is a source with files that are not written yet.
type overlay struct {
	fresh map[string][]byte
	Source
}

func (o overlay) Open(path string, limit int64) (io.ReadCloser, error) {
	if text, ok := o.fresh[path]; ok {
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	return o.Source.Open(path, limit)
}
