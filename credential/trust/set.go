package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/credential"
)

// A Set is one adopted state of the whole repository. It does not change.
type Set struct {
	Issued  time.Time // of the timestamp: when the nation's desk last said "this is the newest"
	Expires time.Time // of the timestamp; a set in use does not end with it

	// Unusable says why nothing of what the firmware role signed last is taken; empty when
	// there is nothing wrong with it.
	Unusable string

	versions map[string]int64 // of the national roles and firmware
	regions  map[gatehouse.Issuer]*region
	keys     map[string][]credential.Key // by key id
	firmware map[string]File

	// What the next adoption builds on.
	roots    [][]byte // the chain, from the pinned one
	root     *rootRole
	national struct {
		file File
		role *targetsRole
	}
	firmwareRole File
	stamp        [sha256.Size]byte
	marks        map[string]mark
	thresholds   map[string]int
	files        Source // where everything lies
}

// A region is what a set holds of one region.
type region struct {
	Region
	role  File // its metadata in use; zero when there is none
	files map[string]File
	list  *credential.Trust
	ids   []string // key ids in its list
}

// Keys gives the keys under a key id of all regions; the caller does not change them.
func (s *Set) Keys(kid []byte) []credential.Key { return s.keys[string(kid)] }

// Len is the number of keys of all regions.
func (s *Set) Len() int {
	n := 0
	for _, r := range s.regions {
		n += r.Count
	}
	return n
}

// Age is the time since the nation's desk said that this is the newest. It is negative on a
// clock that is behind it, which is then wrong.
func (s *Set) Age(at time.Time) time.Duration { return at.Sub(s.Issued) }

// Versions gives the versions of root, timestamp, snapshot, targets and, where there is one,
// firmware.
func (s *Set) Versions() map[string]int64 { return maps.Clone(s.versions) }

// Regions gives all regions that the nation names, sorted.
func (s *Set) Regions() []Region {
	list := make([]Region, 0, len(s.regions))
	for _, id := range slices.Sorted(maps.Keys(s.regions)) {
		r := s.regions[id].Region
		r.Files = slices.Clone(r.Files)
		list = append(list, r)
	}
	return list
}

// Target reads one of a region's files, by its name among Names. It is read from the
// disk and held to its hash each time; false is a file that is not there, or damaged.
func (s *Set) Target(id gatehouse.Issuer, name string) ([]byte, bool) {
	r := s.regions[id]
	if r == nil {
		return nil, false
	}
	file, ok := r.files[name]
	if !ok {
		return nil, false
	}
	text, err := readFile(s.files, file)
	return text, err == nil
}

// Section is Target for a file that is too long to be held: it is read where it lies, for as
// long as the set is kept. It was held to its hash when it was adopted; a reader that must
// know that the disk did not change it since checks that itself.
func (s *Set) Section(id gatehouse.Issuer, name string) (r io.ReaderAt, length int64, ok bool) {
	region := s.regions[id]
	slot, stored := s.files.(archive)
	if region == nil || !stored {
		return nil, 0, false
	}
	file, named := region.files[name]
	if !named {
		return nil, 0, false
	}
	section := slot.section(file.Path, file.Length)
	return section, file.Length, section != nil
}

// Speakers are the people who speak for a region, or who sign the firmware: how many of them
// it takes, and the ids of their keys.
func (s *Set) Speakers(role string) (threshold int, keys []string) {
	if s.national.role == nil || s.national.role.Signed.Delegations == nil {
		return 0, nil
	}
	for _, r := range s.national.role.Signed.Delegations.Roles {
		if r.Name == role {
			return r.Threshold, slices.Clone(r.KeyIDs)
		}
	}
	return 0, nil
}

// Firmware tells what is signed of the file firmware/<name>. Images are large and do not lie in
// the set: whoever installs one opens File.Path at its own source and checks it before a byte
// of it is used.
func (s *Set) Firmware(name string) (File, bool) {
	f, ok := s.firmware[name]
	return f, ok
}

// FirmwareNames lists what the firmware role signed.
func (s *Set) FirmwareNames() []string { return slices.Sorted(maps.Keys(s.firmware)) }

// index gathers the keys of all regions by id. Most ids are one region's: its list is shared.
func (s *Set) index() {
	s.keys = map[string][]credential.Key{}
	for _, id := range slices.Sorted(maps.Keys(s.regions)) {
		r := s.regions[id]
		for _, kid := range r.ids {
			found := r.list.Keys([]byte(kid))
			if others, ok := s.keys[kid]; ok {
				found = slices.Concat(others, found)
			}
			s.keys[kid] = found
		}
	}
}

// kidsOf lists the ids in a key list, each once, as bytes.
func kidsOf(list []listedKey) []string {
	kids := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for _, key := range list {
		id, err := hex.DecodeString(key.KID)
		if err == nil && !seen[string(id)] {
			seen[string(id)] = true
			kids = append(kids, string(id))
		}
	}
	return kids
}
