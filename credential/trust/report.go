package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A Report is what stands in a repository, for people.
type Report struct {
	Roles   []RoleReport `json:"roles"`
	Drafts  []Draft      `json:"drafts"`
	Issued  time.Time    `json:"issued,omitzero"` // of the timestamp
	Age     string       `json:"age,omitempty"`
	Fault   string       `json:"fault,omitempty"` // why a gate would refuse it as it lies there
	Regions []Fault      `json:"faults"`          // regions of which a new gate would take nothing
	Keys    int          `json:"keys"`            // that a new gate would believe
	Names   names        `json:"names"`           // whose key is whose, as far as this desk knows
}

type names map[string]string

// Of shortens an id to what a person can compare, and adds the name.
func (n names) Of(id string) string {
	if name, ok := n[id]; ok {
		return fmt.Sprintf("%.8s (%s)", id, name)
	}
	return fmt.Sprintf("%.8s", id)
}

// A Fault is why a region's word cannot be used.
type Fault struct {
	Region string `json:"region"`
	Fault  string `json:"fault"`
}

// A RoleReport is one role as it is published; Version is 0 when nothing is.
type RoleReport struct {
	Role      string    `json:"role"`
	Version   int64     `json:"version"`
	Issued    time.Time `json:"issued,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	Expired   bool      `json:"expired"`
	Threshold int       `json:"threshold"`
	Keys      []string  `json:"keys"`
	Files     []string  `json:"files,omitempty"`
}

// Report tells what stands in a repository. Its error is a folder that is none; what a gate
// would refuse is the report's Fault.
func (d Desk) Report() (Report, error) {
	s, err := d.state()
	if err != nil {
		return Report{}, err
	}
	r := Report{Drafts: s.allDrafts(), Regions: []Fault{}, Names: d.names()}
	r.Roles = d.roles(s)
	if s.stamp == nil {
		r.Fault = "nothing is published yet"
		return r, nil
	}
	r.Issued, _ = issueOf(s.stamp.Signed.UnrecognizedFields)
	r.Age = d.now().Sub(r.Issued).String()
	src, closer, err := OpenFolder(d.Dir)
	if err != nil {
		return r, err
	}
	defer closer.Close()
	set, err := d.read(src, floors{})
	if err != nil {
		r.Fault = err.Error()
		return r, nil
	}
	r.Keys = set.Len()
	for _, region := range set.Regions() {
		if region.Fault != "" {
			r.Regions = append(r.Regions, Fault{string(region.ID), region.Fault})
		}
	}
	if set.Unusable != "" {
		r.Regions = append(r.Regions, Fault{FirmwareRole, set.Unusable})
	}
	return r, nil
}

func (d Desk) roles(s *state) []RoleReport {
	list := []RoleReport{}
	add := func(name string, keys []string, threshold int, version int64, fields map[string]any, expires time.Time, files []string) {
		issued, _ := issueOf(fields)
		list = append(list, RoleReport{Role: name, Version: version, Issued: issued, Expires: expires,
			Expired: version > 0 && d.now().After(expires), Threshold: threshold, Keys: keys, Files: files})
	}
	root := s.root()
	published := int64(0)
	if len(s.roots) > 0 {
		root = s.roots[len(s.roots)-1]
		published = root.Signed.Version
	}
	of := func(name string) ([]string, int) {
		return root.Signed.Roles[name].KeyIDs, root.Signed.Roles[name].Threshold
	}
	keys, threshold := of(metadata.ROOT)
	add(metadata.ROOT, keys, threshold, published, root.Signed.UnrecognizedFields, root.Signed.Expires, nil)
	keys, threshold = of(metadata.TIMESTAMP)
	if s.stamp == nil {
		add(metadata.TIMESTAMP, keys, threshold, 0, nil, time.Time{}, nil)
		keys, threshold = of(metadata.SNAPSHOT)
		add(metadata.SNAPSHOT, keys, threshold, 0, nil, time.Time{}, nil)
		keys, threshold = of(metadata.TARGETS)
		add(metadata.TARGETS, keys, threshold, 0, nil, time.Time{}, nil)
		return list
	}
	add(metadata.TIMESTAMP, keys, threshold, s.stamp.Signed.Version, s.stamp.Signed.UnrecognizedFields, s.stamp.Signed.Expires, nil)
	keys, threshold = of(metadata.SNAPSHOT)
	add(metadata.SNAPSHOT, keys, threshold, s.snapshot.Signed.Version, s.snapshot.Signed.UnrecognizedFields, s.snapshot.Signed.Expires, nil)
	keys, threshold = of(metadata.TARGETS)
	add(metadata.TARGETS, keys, threshold, s.targets.Signed.Version, s.targets.Signed.UnrecognizedFields, s.targets.Signed.Expires, nil)
	if s.targets.Signed.Delegations == nil {
		return list
	}
	for _, r := range s.targets.Signed.Delegations.Roles {
		m := s.roles[r.Name]
		if m == nil {
			add(r.Name, r.KeyIDs, r.Threshold, 0, nil, time.Time{}, nil)
			continue
		}
		add(r.Name, r.KeyIDs, r.Threshold, m.Signed.Version, m.Signed.UnrecognizedFields, m.Signed.Expires,
			slices.Sorted(maps.Keys(m.Signed.Targets)))
	}
	return list
}

// FirstRoot is the root that new gates are given to begin with.
func (d Desk) FirstRoot() ([]byte, error) {
	src, closer, err := OpenFolder(d.Dir)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	text, err := readAll(src, metadataPath(metadata.ROOT, 1), maxRoot)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no first root yet: 'gatectl trust verify' says who has to sign it", d.Dir)
	}
	return text, err
}
