package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A Quorum is who may sign for a role, and how many of them must.
type Quorum struct {
	Signers   []Signer
	Threshold int
}

// A Ceremony is what a nation decides on its first day.
type Ceremony struct {
	Root      Quorum // 3 of 5, on paper and in safes
	Targets   Quorum // who names the regions; the root's own people when it is empty
	Snapshot  Quorum // the desk that publishes, 1 of 1
	Timestamp Quorum // the same, usually
	Life      time.Duration
}

// Init drafts the first root and an empty list of regions in a new folder.
func (d Desk) Init(c Ceremony) error {
	if entries, err := os.ReadDir(d.Dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: a repository begins in a new folder", d.Dir)
	}
	if len(c.Targets.Signers) == 0 {
		c.Targets = c.Root
	}
	root := metadata.Root(d.now())
	for name, q := range map[string]Quorum{metadata.ROOT: c.Root, metadata.TARGETS: c.Targets,
		metadata.SNAPSHOT: c.Snapshot, metadata.TIMESTAMP: c.Timestamp} {
		ids, err := addKeys(root.Signed.Keys, q.Signers)
		if err != nil {
			return err
		}
		root.Signed.Roles[name] = &metadata.Role{KeyIDs: ids, Threshold: q.Threshold}
	}
	if err := checkRoot(root); err != nil {
		return err
	}
	targets := metadata.Targets(d.now())
	targets.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{}}
	if err := d.remember(slices.Concat(c.Root.Signers, c.Targets.Signers, c.Snapshot.Signers, c.Timestamp.Signers)); err != nil {
		return err
	}
	if err := redraft(d, metadata.ROOT, root, c.Life); err != nil {
		return err
	}
	return redraft(d, metadata.TARGETS, targets, c.Life)
}

func addKeys(keys map[string]*metadata.Key, signers []Signer) (ids []string, err error) {
	for _, s := range signers {
		key, err := tufKey(s.Public)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", s.Name, err)
		}
		id, err := key.ID()
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", s.Name, err)
		}
		if slices.Contains(ids, id) {
			return nil, fmt.Errorf("key of %s: it is given twice", s.Name)
		}
		keys[id] = key
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// AddRole drafts a new version of the targets role that names who speaks for a region, or for
// firmware.
func (d Desk) AddRole(role string, q Quorum, life time.Duration) error {
	if !isRole(role) {
		return fmt.Errorf("%q is no region as CN-330100 or DE, and not %s", role, FirmwareRole)
	}
	s, err := d.state()
	if err != nil {
		return err
	}
	national, err := s.nextNational()
	if err != nil {
		return err
	}
	if delegation(national, role) != nil {
		return fmt.Errorf("%s is there already: 'gatectl trust rotate' changes its keys", role)
	}
	signed := national.Signed.Delegations
	ids, err := addKeys(signed.Keys, q.Signers)
	if err != nil {
		return err
	}
	signed.Roles = append(signed.Roles, metadata.DelegatedRole{Name: role, KeyIDs: ids, Threshold: q.Threshold,
		Terminating: true, Paths: []string{pathOf(role)}})
	slices.SortFunc(signed.Roles, func(a, b metadata.DelegatedRole) int { return strings.Compare(a.Name, b.Name) })
	if err := checkNational(national); err != nil {
		return err
	}
	if err := d.returned(role, nil, ids); err != nil {
		return err
	}
	if err := d.remember(q.Signers); err != nil {
		return err
	}
	return redraft(d, metadata.TARGETS, national, life)
}

// nextNational is the targets role to change: its draft, or the published one, one version on.
func (s *state) nextNational() (*targetsRole, error) {
	if m := s.drafts[metadata.TARGETS]; m != nil {
		return m, nil
	}
	if s.targets == nil {
		return nil, errors.New("there is no targets role yet: 'gatectl trust init' drafts one")
	}
	next := *s.targets
	next.Signed.Version++
	if next.Signed.Delegations == nil {
		next.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}}
	}
	return &next, nil
}

// A Change is what happens to the keys of a role.
type Change struct {
	Add       []Signer
	Remove    []string // key ids, or so much of their beginning as names one only
	Threshold int      // 0: as it was
	Life      time.Duration
}

// Rotate drafts a change of a role's keys: a new root for root, targets, snapshot and timestamp,
// a new targets role for regions and firmware. A change of nothing renews root or targets
// before they end. Where those who stay did not sign what is published in sufficient number,
// the same words are drafted anew for the new people to sign; drafted tells of which role.
func (d Desk) Rotate(role string, c Change) (drafted []string, err error) {
	s, err := d.state()
	if err != nil {
		return nil, err
	}
	if _, top := s.root().Signed.Roles[role]; top {
		err = d.rotateTop(s, role, c)
		drafted = append(drafted, metadata.ROOT)
	} else {
		err = d.rotateRegion(s, role, c)
		drafted = append(drafted, metadata.TARGETS)
	}
	if err == nil {
		err = d.remember(c.Add)
	}
	if err != nil {
		return nil, err
	}
	resign, err := d.resign(role)
	if resign {
		drafted = append(drafted, role)
	}
	return drafted, err
}

func (d Desk) rotateTop(s *state, role string, c Change) error {
	root := s.draftRoot
	if root == nil {
		next := *s.root()
		next.Signed.Version++
		root = &next
	}
	r := root.Signed.Roles[role]
	ids, err := c.apply(r.KeyIDs, root.Signed.Keys)
	if err != nil {
		return fmt.Errorf("role %s: %w", role, err)
	}
	if err := d.returned(role, r.KeyIDs, ids); err != nil {
		return err
	}
	r.KeyIDs = ids
	if c.Threshold > 0 {
		r.Threshold = c.Threshold
	}
	used := map[string]bool{}
	for _, r := range root.Signed.Roles {
		for _, id := range r.KeyIDs {
			used[id] = true
		}
	}
	maps.DeleteFunc(root.Signed.Keys, func(id string, _ *metadata.Key) bool { return !used[id] })
	if err := checkRoot(root); err != nil {
		return err
	}
	return redraft(d, metadata.ROOT, root, c.Life)
}

func (d Desk) rotateRegion(s *state, role string, c Change) error {
	national, err := s.nextNational()
	if err != nil {
		return err
	}
	r := delegation(national, role)
	if r == nil {
		return fmt.Errorf("there is no role %s: 'gatectl trust show' lists them", role)
	}
	ids, err := c.apply(r.KeyIDs, national.Signed.Delegations.Keys)
	if err != nil {
		return fmt.Errorf("role %s: %w", role, err)
	}
	if err := d.returned(role, r.KeyIDs, ids); err != nil {
		return err
	}
	r.KeyIDs = ids
	if c.Threshold > 0 {
		r.Threshold = c.Threshold
	}
	used := map[string]bool{}
	for _, r := range national.Signed.Delegations.Roles {
		for _, id := range r.KeyIDs {
			used[id] = true
		}
	}
	maps.DeleteFunc(national.Signed.Delegations.Keys, func(id string, _ *metadata.Key) bool { return !used[id] })
	if err := checkNational(national); err != nil {
		return err
	}
	return redraft(d, metadata.TARGETS, national, c.Life)
}

// apply gives the ids after a change, and adds the new keys to keys.
func (c Change) apply(ids []string, keys map[string]*metadata.Key) ([]string, error) {
	next := slices.Clone(ids)
	for _, begin := range c.Remove {
		var found []string
		for _, id := range ids {
			if begin != "" && strings.HasPrefix(id, begin) {
				found = append(found, id)
			}
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%d of its keys begin with %q, want one: 'gatectl trust show' lists them", len(found), begin)
		}
		next = slices.DeleteFunc(next, func(id string) bool { return id == found[0] })
	}
	added, err := addKeys(keys, c.Add)
	if err != nil {
		return nil, err
	}
	for _, id := range added {
		if slices.Contains(ids, id) {
			return nil, fmt.Errorf("key %.8s is one of its keys already", id)
		}
		next = append(next, id)
	}
	slices.Sort(next)
	return next, nil
}

// returned refuses a key that left a role and comes back. What it signed then would count again,
// and gates rely on that it does not: see floors.check.
func (d Desk) returned(role string, now, next []string) error {
	for version := int64(1); ; version++ {
		root, err := read[metadata.RootType](d, metadataPath(metadata.ROOT, version), maxRoot)
		if err != nil {
			break
		}
		if was := root.Signed.Roles[role]; was != nil {
			if err := cameBack(role, was.KeyIDs, now, next); err != nil {
				return err
			}
		}
	}
	for version := int64(1); ; version++ {
		m, err := read[metadata.TargetsType](d, metadataPath(metadata.TARGETS, version), maxNational)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if was := delegation(m, role); was != nil {
			if err := cameBack(role, was.KeyIDs, now, next); err != nil {
				return err
			}
		}
	}
}

func cameBack(role string, was, now, next []string) error {
	for _, id := range next {
		if slices.Contains(was, id) && !slices.Contains(now, id) {
			return fmt.Errorf("key %.8s left the role %s before: what it signed then would count again; make a new key", id, role)
		}
	}
	return nil
}

// resign drafts what a role signed last anew where its published signatures no longer suffice.
func (d Desk) resign(role string) (bool, error) {
	s, err := d.state()
	if err != nil {
		return false, err
	}
	published, life := s.roles[role], 90*Day
	if role == metadata.TARGETS {
		published = s.targets
	}
	if published == nil || s.drafts[role] != nil {
		return false, nil
	}
	enough := true
	for _, need := range s.needs(role, published) {
		enough = enough && need.Left() == 0
	}
	if enough {
		return false, nil
	}
	issued, err := issueOf(published.Signed.UnrecognizedFields)
	if err == nil {
		life = published.Signed.Expires.Sub(issued) // as long as last time
	}
	next := *published
	next.Signed.Version++
	return true, redraft(d, role, &next, life)
}
