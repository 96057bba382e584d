package trust

import (
	"crypto"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A Need is a number of signatures that a draft must have before it counts.
type Need struct {
	By        string   `json:"by"` // whose keys: "root 1", "root 2", "targets"
	Threshold int      `json:"threshold"`
	Signed    []string `json:"signed"`  // ids of keys that did
	Waiting   []string `json:"waiting"` // ids of keys that could
}

// Left is how many signatures are still missing.
func (n Need) Left() int { return max(0, n.Threshold-len(n.Signed)) }

// needs lists what a delegated role or the targets role needs.
func (s *state) needs(role string, m *targetsRole) []Need {
	if role == metadata.TARGETS {
		root := s.root()
		return []Need{needOf(fmt.Sprintf("root %d", root.Signed.Version), root.Signed.Roles[role], root.Signed.Keys, m)}
	}
	national := s.national()
	d := delegation(national, role)
	if d == nil {
		return []Need{{By: "targets, which do not name it", Threshold: 1}}
	}
	by := fmt.Sprintf("targets %d", national.Signed.Version)
	return []Need{needOf(by, &metadata.Role{KeyIDs: d.KeyIDs, Threshold: d.Threshold}, national.Signed.Delegations.Keys, m)}
}

// rootNeeds lists what a new root needs: enough of the last root's keys, and of its own.
func (s *state) rootNeeds(next *rootRole) []Need {
	var needs []Need
	if len(s.roots) > 0 {
		last := s.roots[len(s.roots)-1]
		needs = append(needs, needOf(fmt.Sprintf("root %d", last.Signed.Version), last.Signed.Roles[metadata.ROOT], last.Signed.Keys, next))
	}
	return append(needs, needOf(fmt.Sprintf("root %d", next.Signed.Version), next.Signed.Roles[metadata.ROOT], next.Signed.Keys, next))
}

func needOf[T metadata.Roles](by string, role *metadata.Role, keys map[string]*metadata.Key, m *metadata.Metadata[T]) Need {
	n := Need{By: by, Threshold: role.Threshold, Signed: []string{}, Waiting: []string{}}
	for _, id := range slices.Sorted(slices.Values(role.KeyIDs)) {
		if signedBy(m, id, keys) {
			n.Signed = append(n.Signed, id)
		} else {
			n.Waiting = append(n.Waiting, id)
		}
	}
	return n
}

func enough(needs []Need) bool {
	return !slices.ContainsFunc(needs, func(n Need) bool { return n.Left() > 0 })
}

// has tells whether a key counts for any of the needs.
func has(needs []Need, id string) bool {
	return slices.ContainsFunc(needs, func(n Need) bool {
		return slices.Contains(n.Signed, id) || slices.Contains(n.Waiting, id)
	})
}

// A Draft is what people are signing.
type Draft struct {
	Role    string `json:"role"`
	Version int64  `json:"version"`
	Needs   []Need `json:"needs"`
}

// Complete tells whether Refresh will take it in.
func (d Draft) Complete() bool { return enough(d.Needs) }

// allDrafts lists the drafts in the order in which they vouch for each other.
func (s *state) allDrafts() []Draft {
	drafts := []Draft{}
	if s.draftRoot != nil {
		drafts = append(drafts, Draft{metadata.ROOT, s.draftRoot.Signed.Version, s.rootNeeds(s.draftRoot)})
	}
	if m := s.drafts[metadata.TARGETS]; m != nil {
		drafts = append(drafts, Draft{metadata.TARGETS, m.Signed.Version, s.needs(metadata.TARGETS, m)})
	}
	for _, role := range slices.Sorted(maps.Keys(s.drafts)) {
		if m := s.drafts[role]; role != metadata.TARGETS {
			drafts = append(drafts, Draft{role, m.Signed.Version, s.needs(role, m)})
		}
	}
	return drafts
}

// Sign adds a person's signature to the draft of a role; to each draft in which the key has a
// say when role is empty. It returns the drafts as they stand then.
func (d Desk) Sign(role string, key crypto.Signer) ([]Draft, error) {
	s, err := d.state()
	if err != nil {
		return nil, err
	}
	id, err := KeyID(key.Public())
	if err != nil {
		return nil, err
	}
	var signed []string
	for _, draft := range s.allDrafts() {
		if role != "" && draft.Role != role || !has(draft.Needs, id) {
			continue
		}
		if draft.Role == metadata.ROOT {
			if err = signWith(s.draftRoot, key); err == nil {
				err = save(d, draft.Role, s.draftRoot)
			}
		} else {
			m := s.drafts[draft.Role]
			if err = signWith(m, key); err == nil {
				err = save(d, draft.Role, m)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("sign the draft of %s: %w", draft.Role, err)
		}
		signed = append(signed, draft.Role)
	}
	if len(signed) == 0 {
		what := "any draft here"
		if role != "" {
			what = "a draft of " + role
		}
		return nil, fmt.Errorf("key %.8s has no say in %s: 'gatectl trust show' lists drafts and keys", id, what)
	}
	return slices.DeleteFunc(s.allDrafts(), func(f Draft) bool { return !slices.Contains(signed, f.Role) }), nil
}

// SignFile adds a signature to a draft that travels alone, without the repository. Whether the
// key has a say in it is seen when the file is back at the desk.
func SignFile(path string, key crypto.Signer) (role string, version int64, err error) {
	src, closer, err := OpenFolder(filepath.Dir(path))
	if err != nil {
		return "", 0, err
	}
	defer closer.Close()
	text, err := readAll(src, filepath.Base(path), maxNational)
	if err != nil {
		return "", 0, err
	}
	if root, rootErr := readMetadata[metadata.RootType](text, maxRoot); rootErr == nil {
		return metadata.ROOT, root.Signed.Version, signFile(path, root, key)
	}
	m, err := readMetadata[metadata.TargetsType](text, maxNational)
	if err != nil {
		return "", 0, fmt.Errorf("%s: no draft of root, targets, a region or firmware: %w", path, err)
	}
	return metadata.TARGETS, m.Signed.Version, signFile(path, m, key)
}

func signFile[T draftable](path string, m *metadata.Metadata[T], key crypto.Signer) error {
	if err := signWith(m, key); err != nil {
		return err
	}
	text, err := encode(m)
	if err != nil {
		return err
	}
	return writeFile(path, text)
}
