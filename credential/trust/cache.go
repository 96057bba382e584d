package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"gatehouse"
	"gatehouse/credential"
)

// A Cache holds the set in use of a gate, in memory and in a folder of its own. It is a
// credential.Keyring; its zero value knows no key, and its age is without end.
//
// The folder holds two slots, a.zip and b.zip, the file current that names the one in use, and
// floors.json, the newest versions that ever were in use. A new set goes into the slot that
// is not in use, whole, and only then current names it: whatever is pulled or cut on the
// way, the old set or the new one is there.
type Cache struct {
	// Check is asked of each file that a region signed anew, but for keys and revocations, before
	// a set is adopted: whether this gate can use it. An error is a slip of that region, which
	// keeps what it had. nil takes every file; it is set before the first Adopt.
	Check func(region gatehouse.Issuer, name string, text []byte) error

	set   atomic.Pointer[Set]
	floor atomic.Pointer[time.Time]
	fault atomic.Pointer[error]

	mu      sync.Mutex // of one adoption, and what it knows of the folder
	disk    disk
	pinned  []byte
	born    time.Time // issue of the pinned root
	slot    string    // in use: "a", "b", or "" for none
	current string    // text of the file current when it was read
	floors  floors
}

const maxCurrent = 64

// Open opens a cache, makes its folder where there is none, and verifies what lies in it
// again: each signature, hash and version, but no expiry, since what was accepted once serves
// until there is something newer. root is the pinned root: the metadata of a root, often the
// first, that came with the gate.
//
// Damage is no error: the other slot serves, or nothing does, and Fault says so. An error is
// a folder that cannot be read or a root that cannot be used.
func Open(dir string, root []byte) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("trust cache: %w", err)
	}
	return open(folder(dir), root)
}

func open(d disk, root []byte) (*Cache, error) {
	m, err := readMetadata[metadata.RootType](root, maxRoot)
	if err == nil {
		err = checkRoot(m)
	}
	if err != nil {
		return nil, fmt.Errorf("trust cache: the pinned root: %w", err)
	}
	c := &Cache{disk: d, pinned: root}
	if c.born, err = issueOf(m.Signed.UnrecognizedFields); err != nil {
		return nil, fmt.Errorf("trust cache: the pinned root: %w", err)
	}
	// Floors that a cut kept from being written are written now, unless another program has the
	// folder in its hands or nobody may write here: the slots hold them too.
	release, locked := d.lock()
	c.reload()
	if locked == nil {
		defer release()
		if len(c.floors.Marks) > 0 {
			_ = c.writeFloors(c.floors)
		}
	}
	return c, nil
}

// Current is the set in use, or nil.
func (c *Cache) Current() *Set { return c.set.Load() }

// Keys gives the keys under a key id of the set in use.
func (c *Cache) Keys(kid []byte) []credential.Key {
	if s := c.set.Load(); s != nil {
		return s.Keys(kid)
	}
	return nil
}

// Age is that of the set in use.
func (c *Cache) Age(at time.Time) time.Duration {
	if s := c.set.Load(); s != nil {
		return s.Age(at)
	}
	return math.MaxInt64
}

// Floor is a moment that has passed, by the newest signed metadata that was ever in use: a
// clock before it is wrong. It outlives restarts and both slots; zero on the zero Cache.
func (c *Cache) Floor() time.Time {
	if t := c.floor.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// Fault is what was found damaged when the folder was last read, until the next adoption
// mends it; nil when all was well.
func (c *Cache) Fault() error {
	if err := c.fault.Load(); err != nil {
		return *err
	}
	return nil
}

// Adopt puts what a source brings into use, or leaves all as it is and says why.
//
// The reference time of each expiry is the latest of at, Floor and the issue of the pinned
// root; at is the caller's own best word, the clock or the floor of its book. trusted says
// that at is a clock that is believed: metadata issued more than 24 hours after it is refused
// then. Without that, up to 366 days are taken, the time that a board may have lain in a drawer.
//
// A repository that is in use already, byte for byte, is no error. A region that signed
// something unusable keeps what it had: see Region.Fault.
func (c *Cache) Adopt(src Source, at time.Time, trusted bool) (*Set, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.disk == nil {
		return nil, errors.New("adopt trust: the cache was not opened")
	}
	release, err := c.disk.lock()
	if err != nil {
		return nil, fmt.Errorf("adopt trust: %w", err)
	}
	defer release()
	if c.pointer() != c.current {
		c.reload() // another program adopted something
	}
	next, err := c.adopt(src, at, trusted)
	if errors.Is(err, errSame) {
		return c.set.Load(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("adopt trust: %w", err)
	}
	return next, nil
}

func (c *Cache) adopt(src Source, at time.Time, trusted bool) (*Set, error) {
	for _, passed := range []time.Time{c.floors.Issued, c.born} {
		if passed.After(at) {
			at = passed
		}
	}
	limit := at.Add(ahead)
	if !trusted {
		limit = at.Add(farAhead)
	}
	l := &loader{src: src, pinned: c.pinned, at: at, limit: limit, floors: c.floors, old: c.set.Load(), check: c.Check}
	if err := l.load(); err != nil {
		return nil, err
	}
	spare := other(c.slot)
	if err := replace(c.disk, spare+".zip", func(w io.Writer) error { return writeSlot(w, l) }); err != nil {
		return nil, fmt.Errorf("slot %s: %w", spare, err)
	}
	// From here on the folder decides, whatever goes wrong: an unknown text makes the next
	// look read it again.
	c.current = "unknown"
	a, _, err := openSlot(c.disk, spare+".zip")
	if err != nil {
		return nil, fmt.Errorf("slot %s: %w", spare, err)
	}
	l.set.files = a
	current := fmt.Sprintf("%s %d\n", spare, l.set.versions[metadata.TIMESTAMP])
	if err := replace(c.disk, "current", text(current)); err != nil {
		return nil, fmt.Errorf("name slot %s the current one: %w", spare, err)
	}
	floors := c.floors.raised(l.set)
	if err := c.writeFloors(floors); err != nil {
		return nil, fmt.Errorf("write the floors down: %w", err)
	}
	c.put(l.set, spare, current, floors, nil)
	return l.set, nil
}

// put makes a set the one in use.
func (c *Cache) put(s *Set, slot, current string, f floors, fault error) {
	c.slot, c.current, c.floors = slot, current, f
	passed := f.Issued
	if c.born.After(passed) {
		passed = c.born
	}
	c.floor.Store(&passed)
	c.fault.Store(&fault)
	c.set.Store(s)
}

func (c *Cache) writeFloors(f floors) error {
	body, err := f.text()
	if err != nil {
		return err
	}
	if was, err := readDisk(c.disk, "floors.json", maxFloors); err == nil && bytes.Equal(was, body) {
		return nil
	}
	return replace(c.disk, "floors.json", text(string(body)))
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// Reload looks whether another program, such as gatectl with a stick, adopted something into
// the folder, and puts it into use.
func (c *Cache) Reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.disk != nil && c.pointer() != c.current {
		c.reload()
	}
}

// pointer reads which slot is in use; empty where nothing says so.
func (c *Cache) pointer() string {
	b, err := readDisk(c.disk, "current", maxCurrent)
	if err != nil || len(b) < 2 || b[0] != 'a' && b[0] != 'b' || b[1] != ' ' || b[len(b)-1] != '\n' {
		return ""
	}
	return string(b)
}

func (c *Cache) readFloors() (floors, error) {
	b, err := readDisk(c.disk, "floors.json", maxFloors)
	if errors.Is(err, fs.ErrNotExist) {
		return floors{}, nil
	}
	if err != nil {
		return floors{}, err
	}
	return readFloors(b)
}

func readDisk(d disk, name string, limit int64) ([]byte, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = ErrTooLong
	}
	return b, err
}
