package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A mark is the newest of one role's metadata, or of one region's key list, that was in use.
type mark struct {
	Version uint64   `json:"version"`
	SHA256  string   `json:"sha256"` // tells two of one version apart
	Keys    []string `json:"keys"`   // ids of those who could sign it
}

// floors are what a gate never goes below, whatever happens to the rest.
type floors struct {
	Issued time.Time       `json:"issued"` // newest issue of a timestamp in use: that moment has passed
	Marks  map[string]mark `json:"marks"`  // by role; a region's list stands under <role>/keys
}

// check tells whether a mark may follow what was in use.
//
// A floor falls with the keys that made it. Where the authority above replaced so many keys of
// a role that those left cannot reach its threshold, nothing that was signed before counts
// any more, so nothing older can come back; and a nation can heal a role whose thieves
// signed the highest version there is. The root has no authority above: its floor stays.
func (f floors) check(name string, next mark, threshold int) error {
	old, known := f.Marks[name]
	if !known || name != metadata.ROOT && shared(old.Keys, next.Keys) < threshold {
		return nil
	}
	if next.Version < old.Version {
		return fmt.Errorf("%s: version %d, but %d was: %w", name, next.Version, old.Version, ErrOlder)
	}
	if next.Version == old.Version && next.SHA256 != old.SHA256 {
		return fmt.Errorf("%s: version %d was in use and said something else: %w", name, next.Version, ErrOlder)
	}
	return nil
}

func shared(a, b []string) int {
	n := 0
	for _, id := range a {
		if slices.Contains(b, id) {
			n++
		}
	}
	return n
}

// raised gives the floors with a set in use. Marks of regions that are gone stay: one that
// comes back does not come back older.
func (f floors) raised(s *Set) floors {
	next := floors{Issued: f.Issued, Marks: maps.Clone(f.Marks)}
	if next.Marks == nil {
		next.Marks = map[string]mark{}
	}
	if s.Issued.After(next.Issued) {
		next.Issued = s.Issued
	}
	for name, m := range s.marks {
		if f.check(name, m, s.thresholds[name]) == nil {
			next.Marks[name] = m
		}
	}
	return next
}

// under tells whether a set lies below the floors.
func (f floors) under(s *Set) error {
	for _, name := range slices.Sorted(maps.Keys(s.marks)) {
		if err := f.check(name, s.marks[name], s.thresholds[name]); err != nil {
			return err
		}
	}
	return nil
}

const maxFloors = 8 << 20

// text is the floors' file: the SHA-256 of what follows, a line end, and JSON. A bit that
// turned a 5 into a 7 would lock the gate out.
func (f floors) text() ([]byte, error) {
	body, err := json.MarshalIndent(f, "", "\t")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return slices.Concat([]byte(hex.EncodeToString(sum[:])+"\n"), body), nil
}

func readFloors(text []byte) (floors, error) {
	sum, body, _ := bytes.Cut(text, []byte("\n"))
	want := sha256.Sum256(body)
	if string(sum) != hex.EncodeToString(want[:]) {
		return floors{}, errors.New("its checksum is wrong")
	}
	var f floors
	err := json.Unmarshal(body, &f)
	return f, err
}

// markOf is the mark of metadata as it was read.
func markOf(version uint64, sum [sha256.Size]byte, keys []string) mark {
	return mark{Version: version, SHA256: hex.EncodeToString(sum[:]), Keys: slices.Sorted(slices.Values(keys))}
}
