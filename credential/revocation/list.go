package revocation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"gatehouse"
	"gatehouse/credential"
)

const (
	// MaxEntries is how many codes a base may hold: 16,777,216, a filter of 38 MB.
	MaxEntries = 1 << 24

	// MaxChanges is how many additions and removals may stand behind a base, 1.3 MB of memory.
	// Where more are due, a region publishes a new base.
	MaxChanges = 1 << 17

	maxIssuer = 32 // bytes of an issuer's name
	maxDeltas = 1 << 12
)

// magic begins a file; its last byte is the version of the form.
const magic = "GHREVOC\x01"

// A List is a region's file in use: the filter and the changes in memory, the exact prefixes
// in the file, which stays open as long as the List is asked. It may be asked by several at
// once.
type List struct {
	issuer  gatehouse.Issuer
	version uint64
	entries int
	filter  fuse
	exact   *shelf   // nil where the region hands out no prefixes
	changed fuse     // whatever was added or removed since the base
	added   []uint64 // sorted
	removed []uint64 // sorted
}

// Open reads a region's file of so many bytes, and all of it: a file that breaks a rule of
// docs/revocation.md anywhere is refused with an error that says where. That the file is the
// region's and that it is the newest is for the caller to prove. No memory is taken for what
// the file only promises to hold.
func Open(r io.ReaderAt, size int64) (*List, error) {
	c := newCursor(r, size)
	l := &List{}
	if err := l.readHead(c); err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	if err := l.readBase(c, r); err != nil {
		return nil, fmt.Errorf("revocations: base: %w", err)
	}
	if err := l.readDeltas(c); err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	return l, nil
}

func (l *List) readHead(c *cursor) error {
	head, err := c.next(len(magic) + 1)
	if err != nil {
		return err
	}
	if string(head[:len(magic)]) != magic {
		return c.flaw("not a list of revocations in a form that this gate knows")
	}
	n := int(head[len(magic)])
	if n == 0 || n > maxIssuer {
		return c.flaw("an issuer's name of %d bytes, 1 to %d are due", n, maxIssuer)
	}
	name, err := c.next(n)
	if err != nil {
		return err
	}
	if !plain(string(name)) {
		return c.flaw("an issuer's name of letters, digits and hyphens is due")
	}
	l.issuer = gatehouse.Issuer(name)
	return nil
}

// plain reports whether a name is one that may stand in a log and on a screen.
func plain(name string) bool {
	for _, r := range name {
		if !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') {
			return false
		}
	}
	return name != ""
}

func (l *List) readBase(c *cursor, r io.ReaderAt) error {
	b, err := c.next(13)
	if err != nil {
		return err
	}
	l.version = binary.BigEndian.Uint64(b)
	entries, form := binary.BigEndian.Uint32(b[8:]), b[12]
	switch {
	case l.version == 0:
		return c.flaw("version 0, the first is 1")
	case entries > MaxEntries:
		return c.flaw("%d entries, %d are allowed", entries, MaxEntries)
	case form > formExact:
		return c.flaw("form %d of a base, 0 and 1 are known", form)
	}
	l.entries = int(entries)
	if entries > 0 {
		if l.filter, err = readFilter(c, l.entries); err != nil {
			return err
		}
	}
	if form == formExact {
		l.exact, err = readShelf(c, r, l.entries, &l.filter)
	}
	return err
}

// The forms of a base.
const (
	formFilter = 0 // the filter alone: whoever it names is maybe revoked
	formExact  = 1 // the filter, then the exact prefixes
)

// Issuer is the region that the file says it is of.
func (l *List) Issuer() gatehouse.Issuer { return l.issuer }

// Version is what the region numbered this state of its list.
func (l *List) Version() uint64 { return l.version }

// Entries is the number of codes in the base.
func (l *List) Entries() int { return l.entries }

// Changes is the number of codes on which a delta has the last word.
func (l *List) Changes() int { return len(l.added) + len(l.removed) }

// Exact reports whether the region handed out prefixes, so that no code is maybe revoked.
func (l *List) Exact() bool { return l.exact != nil }

// Memory is how many bytes the list holds while it is in use.
func (l *List) Memory() int {
	n := 2*(len(l.filter.Fingerprints)+len(l.changed.Fingerprints)) + 8*l.Changes()
	if l.exact != nil {
		n += 4 * len(l.exact.ends)
	}
	return n
}

// Standing tells whether the code was taken back. A file that can no longer be read leaves
// the filter's word: maybe.
func (l *List) Standing(code credential.Revocable) credential.Standing {
	prefix := Prefix(code.ID)
	if has(&l.changed, prefix) {
		if _, ok := slices.BinarySearch(l.added, prefix); ok {
			return credential.Revoked
		}
		if _, ok := slices.BinarySearch(l.removed, prefix); ok {
			return credential.InForce
		}
	}
	if !has(&l.filter, prefix) {
		return credential.InForce
	}
	if l.exact == nil {
		return credential.MaybeRevoked
	}
	switch listed, err := l.exact.has(prefix); {
	case err != nil:
		return credential.MaybeRevoked
	case listed:
		return credential.Revoked
	}
	return credential.InForce
}

// Prefixes gives every prefix in force, sorted: the base with its changes, for the region to
// make the next from. It takes 8 bytes for each. A region that hands out no prefixes has to
// remember them elsewhere.
func (l *List) Prefixes() ([]uint64, error) {
	if l.exact == nil {
		return nil, errors.New("revocations: the list holds a filter and no prefixes")
	}
	base, err := l.exact.all()
	if err != nil {
		return nil, err
	}
	base = slices.DeleteFunc(sorted(append(base, l.added...)), func(p uint64) bool {
		_, gone := slices.BinarySearch(l.removed, p)
		return gone
	})
	return base, nil
}
