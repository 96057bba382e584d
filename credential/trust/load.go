package trust

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"gatehouse"
)

// A loader reads a repository from top to bottom: roots, timestamp, snapshot, targets, then
// role by role. Nothing is used before the step above has vouched for it.
type loader struct {
	src    Source
	pinned []byte    // the root that the gate came with
	at     time.Time // reference time for expiry; zero: what lies in a slot does not expire
	limit  time.Time // metadata issued later than this is refused; zero: none is
	floors floors
	old    *Set                                                          // in use until now, or nil
	check  func(region gatehouse.Issuer, name string, text []byte) error // nil: every file can be used
	record record                                                        // of a slot: what was decided about regions when it was adopted

	tm    *trustedmetadata.TrustedMetadata
	set   *Set
	meta  []entry // national metadata that was read, for the slot
	held  map[File][]byte
	holds int
	total int64 // bytes of all files that the set names
}

// An entry is one file as it was read.
type entry struct {
	path string
	text []byte
}

// errSame says that a repository is the one in use, byte for byte from the timestamp down.
var errSame = errors.New("in use already")

func (l *loader) load() error {
	l.set = &Set{
		versions: map[string]int64{}, regions: map[gatehouse.Issuer]*region{}, firmware: map[string]File{},
		marks: map[string]mark{}, thresholds: map[string]int{}, files: l.src,
	}
	for _, step := range []func() error{l.roots, l.timestamp, l.snapshot, l.national, l.delegated} {
		if err := step(); err != nil {
			return err
		}
	}
	l.set.index()
	return nil
}

// roots follows the chain: each root is signed by enough keys of the one before it and of its
// own. Those in use already are not asked for again.
func (l *loader) roots() error {
	if err := l.firstRoot(); err != nil {
		return err
	}
	for version := l.tm.Root.Signed.Version + 1; ; version++ {
		text, err := readAll(l.src, metadataPath(metadata.ROOT, version), maxRoot)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err == nil && len(l.set.roots) == maxRoots {
			err = fmt.Errorf("more than %d roots", maxRoots)
		}
		var next *rootRole
		if err == nil {
			next, err = readMetadata[metadata.RootType](text, maxRoot)
		}
		if err == nil {
			err = checkRoot(next)
		}
		if err == nil {
			_, err = l.tm.UpdateRoot(text)
		}
		if err != nil {
			return fmt.Errorf("root %d: %w", version, reason(err))
		}
		l.set.roots = append(l.set.roots, text)
	}
	root := l.tm.Root.Signed
	l.set.root = l.tm.Root
	if err := l.issued("root", root.UnrecognizedFields, root.Expires); err != nil {
		return err
	}
	last := l.set.roots[len(l.set.roots)-1]
	return l.mark(metadata.ROOT, root.Version, sha256.Sum256(last), root.Roles[metadata.ROOT])
}

// firstRoot begins with the root in use, and else with the pinned one.
func (l *loader) firstRoot() error {
	if l.old != nil {
		l.tm = &trustedmetadata.TrustedMetadata{Root: l.old.root, Targets: map[string]*targetsRole{}, RefTime: l.at}
		l.set.roots = slices.Clip(l.old.roots)
		return nil
	}
	first, err := readMetadata[metadata.RootType](l.pinned, maxRoot)
	if err == nil {
		err = checkRoot(first)
	}
	if err == nil {
		l.tm, err = trustedmetadata.New(l.pinned)
	}
	if err != nil {
		return fmt.Errorf("the root that this gate came with: %w", reason(err))
	}
	l.tm.RefTime = l.at
	l.set.roots = [][]byte{l.pinned}
	return nil
}

func (l *loader) timestamp() error {
	text, err := readAll(l.src, metadataPath(metadata.TIMESTAMP, 0), maxTimestamp)
	if err != nil {
		return missing(err)
	}
	if _, err := readMetadata[metadata.TimestampType](text, maxTimestamp); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	stamp, err := l.tm.UpdateTimestamp(text)
	if err != nil {
		return fmt.Errorf("timestamp: %w", reason(err))
	}
	signed := stamp.Signed
	if err := l.issued("timestamp", signed.UnrecognizedFields, signed.Expires); err != nil {
		return err
	}
	if err := l.mark(metadata.TIMESTAMP, signed.Version, sha256.Sum256(text), l.tm.Root.Signed.Roles[metadata.TIMESTAMP]); err != nil {
		return err
	}
	l.set.Issued, _ = issueOf(signed.UnrecognizedFields)
	l.set.Expires, l.set.stamp = signed.Expires, sha256.Sum256(text)
	l.meta = append(l.meta, entry{metadataPath(metadata.TIMESTAMP, 0), text})
	if l.old != nil && l.old.stamp == l.set.stamp && l.old.root == l.tm.Root {
		return errSame
	}
	return nil
}

func (l *loader) snapshot() error {
	file, _, err := metaFile(metadata.SNAPSHOT, l.tm.Timestamp.Signed.Meta["snapshot.json"])
	if err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	text, err := l.read(file)
	if err != nil {
		return err
	}
	if _, err := readMetadata[metadata.SnapshotType](text, maxSnapshot); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	snap, err := l.tm.UpdateSnapshot(text, false)
	if err != nil {
		return fmt.Errorf("snapshot: %w", reason(err))
	}
	if err := l.issued("snapshot", snap.Signed.UnrecognizedFields, snap.Signed.Expires); err != nil {
		return err
	}
	// The snapshot names the root in force, so that a root which nobody brought is missed.
	if want := snap.Signed.Meta["root.json"]; want == nil || want.Version != l.tm.Root.Signed.Version {
		return fmt.Errorf("the snapshot is not of root %d: a root of the chain: %w", l.tm.Root.Signed.Version, ErrMissing)
	}
	return l.mark(metadata.SNAPSHOT, snap.Signed.Version, file.SHA256, l.tm.Root.Signed.Roles[metadata.SNAPSHOT])
}

func (l *loader) national() error {
	file, version, err := metaFile(metadata.TARGETS, l.tm.Snapshot.Signed.Meta["targets.json"])
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	text, err := l.read(file)
	if err != nil {
		return err
	}
	root := l.tm.Root.Signed
	targets := (*targetsRole)(nil)
	if l.old != nil && l.old.national.file == file && l.old.root == l.tm.Root {
		targets = l.old.national.role // the same bytes under the same root
	} else if targets, err = readMetadata[metadata.TargetsType](text, maxNational); err == nil {
		if err = checkNational(targets); err == nil {
			err = signed(text, targets.Signatures, root.Roles[metadata.TARGETS], root.Keys)
		}
	}
	if err == nil && targets.Signed.Version != version {
		err = fmt.Errorf("it is version %d, and not %d: %w", targets.Signed.Version, version, ErrMismatch)
	}
	if err != nil {
		return fmt.Errorf("targets: %w", err)
	}
	l.set.national.file, l.set.national.role = file, targets
	if err := l.issued("targets", targets.Signed.UnrecognizedFields, targets.Signed.Expires); err != nil {
		return err
	}
	return l.mark(metadata.TARGETS, version, file.SHA256, root.Roles[metadata.TARGETS])
}

// delegated reads what the regions and firmware signed. A tree that is not the one that was
// signed is refused whole; a region's own slip under its own signature is that region's alone.
func (l *loader) delegated() error {
	national := l.set.national.role
	if national.Signed.Delegations == nil {
		return nil
	}
	for _, role := range national.Signed.Delegations.Roles {
		err := l.role(role)
		if err != nil {
			return fmt.Errorf("role %s: %w", role.Name, err)
		}
		if l.total > maxTotal {
			return fmt.Errorf("more than %d bytes in all", int64(maxTotal))
		}
	}
	return nil
}

// mark notes a role's version, and refuses one below the floor.
func (l *loader) mark(name string, version int64, sum [sha256.Size]byte, role *metadata.Role) error {
	if version < 1 {
		return fmt.Errorf("%s: version %d, they count from 1", name, version)
	}
	m := markOf(uint64(version), sum, role.KeyIDs)
	if err := l.floors.check(name, m, role.Threshold); err != nil {
		return err
	}
	l.set.marks[name], l.set.thresholds[name] = m, role.Threshold
	if !isRegion(name) {
		l.set.versions[name] = version
	}
	return nil
}

// issued holds metadata to a time of issue that stands before its end and not in the future.
func (l *loader) issued(name string, fields map[string]any, expires time.Time) error {
	at, err := issueOf(fields)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case at.After(expires):
		return fmt.Errorf("%s: issued after its own end", name)
	case !l.limit.IsZero() && at.After(l.limit):
		return fmt.Errorf("%s: issued %s: %w", name, at.Format(time.RFC3339), ErrFuture)
	case !l.at.IsZero() && l.at.After(expires):
		return fmt.Errorf("%s: until %s: %w", name, expires.Format(time.RFC3339), ErrExpired)
	}
	return nil
}

// read reads metadata that goes into the slot.
func (l *loader) read(f File) ([]byte, error) {
	text, err := l.fetch(f)
	if err == nil {
		l.meta = append(l.meta, entry{f.Path, text})
	}
	return text, err
}

// fetch reads a file that is known by its hash, and prefers to find it where it lies already.
// Small ones are held until they are in the slot: a stick is slow.
func (l *loader) fetch(f File) ([]byte, error) {
	if text, ok := l.held[f]; ok {
		return text, nil
	}
	if l.old != nil {
		if text, err := readFile(l.old.files, f); err == nil {
			return text, nil
		}
	}
	text, err := readFile(l.src, f)
	if err != nil {
		return nil, missing(err)
	}
	if l.holds += len(text); l.holds <= maxHeld {
		if l.held == nil {
			l.held = map[File][]byte{}
		}
		l.held[f] = text
	}
	return text, nil
}

func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return err
}
