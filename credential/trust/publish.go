package trust

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"gatehouse"
)

// Publish drafts the next version of a region's role, or of firmware. files are paths on this
// machine by name ("keys", "policy"; for firmware any file name); names that are left out
// stay as they were, and an empty path takes one out. No files at all renew the role.
func (d Desk) Publish(role string, files map[string]string, life time.Duration) error {
	s, err := d.state()
	if err != nil {
		return err
	}
	if delegation(s.national(), role) == nil {
		return fmt.Errorf("there is no role %s: 'gatectl trust add-region' names who signs for it", role)
	}
	next, err := s.nextRole(role, d.now())
	if err != nil {
		return err
	}
	for name, path := range files {
		target := strings.TrimSuffix(pathOf(role), "*") + name
		if path == "" {
			if _, there := next.Signed.Targets[target]; !there {
				return fmt.Errorf("%s has no %s to take out", role, name)
			}
			delete(next.Signed.Targets, target)
			continue
		}
		t, err := d.take(role, name, target, path)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", name, role, err)
		}
		next.Signed.Targets[target] = t
	}
	return redraft(d, role, next, life)
}

// nextRole is the role to change: its draft, the published one a version on, or a first one.
func (s *state) nextRole(role string, now time.Time) (*targetsRole, error) {
	m, published := s.drafts[role], s.roles[role]
	switch {
	case m != nil:
		return m, nil
	case published != nil:
		next := *published
		next.Signed.Version++
		next.Signed.Targets = maps.Clone(published.Signed.Targets)
		return &next, nil
	}
	return metadata.Targets(now), nil
}

// take copies a file to where gates look for it, and describes it. Until a draft that names it
// is signed and taken in, no gate knows that it is there.
func (d Desk) take(role, name, target, path string) (*metadata.TargetFiles, error) {
	limit := maxTarget(name)
	if role == FirmwareRole {
		if limit = maxImage; !isFileName(name) {
			return nil, errors.New("a firmware file's name has letters, digits, '.', '-' and '_', at most 128")
		}
	}
	if limit == 0 {
		return nil, fmt.Errorf("a region has %s", strings.Join(Names(), ", "))
	}
	src, closer, err := OpenFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	if role != FirmwareRole && name == Keys {
		text, err := readAll(src, filepath.Base(path), limit)
		if err != nil {
			return nil, err
		}
		if _, _, err := readList(gatehouse.Issuer(role), text); err != nil {
			return nil, err
		}
	}
	r, err := src.Open(filepath.Base(path), limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	hash := sha256.New()
	length, err := io.Copy(hash, r)
	if err != nil {
		return nil, err
	}
	f := File{Path: targetPath(target, hash.Sum(nil)), Length: length, SHA256: [sha256.Size]byte(hash.Sum(nil))}
	place := d.path(f.Path)
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return nil, err
	}
	from := File{Path: filepath.Base(path), Length: length, SHA256: f.SHA256}
	err = replace(folder(filepath.Dir(place)), filepath.Base(place), func(w io.Writer) error { return copyFile(w, src, from) })
	return &metadata.TargetFiles{Length: length, Hashes: metadata.Hashes{"sha256": f.SHA256[:]}, Path: target}, err
}

// Drop takes a draft back. What is published stays.
func (d Desk) Drop(role string) error {
	if role != metadata.ROOT && role != metadata.TARGETS && !isRole(role) {
		return fmt.Errorf("there is no role %q", role)
	}
	err := os.Remove(d.path(draftPath(role)))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no draft of %s", role)
	}
	return err
}
