package trust

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A fullDisk has no room at one step, and goes on after it: the card was full, or one write failed.
type fullDisk struct {
	*ram
	step, at int
	hit      bool
}

func (d *fullDisk) full() error {
	d.step++
	if d.step == d.at {
		d.hit = true
		return syscall.ENOSPC
	}
	return nil
}

func (d *fullDisk) create(name string) (newFile, error) {
	if err := d.full(); err != nil {
		return nil, err
	}
	f, err := d.ram.create(name)
	return fullFile{f, d}, err
}

func (d *fullDisk) rename(from, to string) error {
	if err := d.full(); err != nil {
		return err
	}
	return d.ram.rename(from, to)
}

func (d *fullDisk) sync() error {
	if err := d.full(); err != nil {
		return err
	}
	return d.ram.sync()
}

type fullFile struct {
	newFile
	disk *fullDisk
}

func (f fullFile) Write(p []byte) (int, error) {
	if err := f.disk.full(); err != nil {
		n, _ := f.newFile.Write(p[:len(p)/2])
		return n, err
	}
	return f.newFile.Write(p)
}

func (f fullFile) Sync() error {
	if err := f.disk.full(); err != nil {
		return err
	}
	return f.newFile.Sync()
}

// TestFullDiskAtAnyStepHoldsNothingUp: the set in use stays or the new one serves, no half file is
// left, a restart finds either, and the next try goes through.
func TestFullDiskAtAnyStepHoldsNothingUp(t *testing.T) {
	n, one, two := twoDays(t)
	at := n.desk.Now
	for step := 1; ; step++ {
		disk := &fullDisk{ram: newRAM()}
		c := newCache(t, disk, n.root)
		adopt(t, c, one, noon)
		disk.at = disk.step + step
		_, err := c.Adopt(Folder{two}, at, true)
		if !disk.hit {
			if err != nil {
				t.Fatal(err)
			}
			if step < 10 {
				t.Fatalf("only %d steps", step)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("step %d: %v, want %v", step, err, syscall.ENOSPC)
		}
		if got := policyOf(c.Current(), "DE"); got != "policy 1 of DE" {
			t.Errorf("step %d: %q serves", step, got)
		}
		for name := range disk.names {
			if strings.HasSuffix(name, ".new") {
				t.Errorf("step %d: %s was left", step, name)
			}
		}
		again := newCache(t, disk, n.root)
		if got := policyOf(again.Current(), "DE"); again.Fault() != nil || got != "policy 1 of DE" && got != "policy 2 of DE" {
			t.Errorf("step %d: %q serves after a restart, fault %v", step, got, again.Fault())
		}
		for _, c := range []*Cache{c, again} {
			if set, err := c.Adopt(Folder{two}, at, true); err != nil || policyOf(set, "DE") != "policy 2 of DE" || c.Fault() != nil {
				t.Errorf("step %d: the next try: %v, fault %v", step, err, c.Fault())
			}
			if _, err := c.Adopt(Folder{one}, at, true); !errors.Is(err, ErrOlder) {
				t.Errorf("step %d: then yesterday's: %v, want %v", step, err, ErrOlder)
			}
		}
	}
}

// TestLostFloorsDoNotBringTheOlderSlotBack: floors and the name of the slot in use are signed by
// nobody. Whoever takes or spoils the one and turns the other does not turn the gate back.
func TestLostFloorsDoNotBringTheOlderSlotBack(t *testing.T) {
	n, one, two := twoDays(t)
	for name, lose := range map[string]func(names map[string]*inode){
		"gone":      func(names map[string]*inode) { delete(names, "floors.json") },
		"empty":     func(names map[string]*inode) { names["floors.json"] = &inode{} },
		"garbage":   func(names map[string]*inode) { names["floors.json"] = &inode{data: []byte("{}\n{}")} },
		"too long":  func(names map[string]*inode) { names["floors.json"] = &inode{data: make([]byte, maxFloors+1)} },
		"no floors": func(names map[string]*inode) { names["floors.json"] = &inode{data: emptyFloors(t)} },
	} {
		for _, current := range []string{"a 1\n", "b 2\n", "", "c 9\n"} {
			disk := newRAM()
			c := newCache(t, disk, n.root)
			adopt(t, c, one, noon)
			adopt(t, c, two, n.desk.Now)
			lose(disk.names)
			disk.names["current"] = &inode{data: []byte(current)}
			again := newCache(t, disk, n.root)
			if got := policyOf(again.Current(), "DE"); got != "policy 2 of DE" {
				t.Errorf("%s, current %q: %q serves", name, current, got)
			}
			if _, err := again.Adopt(Folder{one}, n.desk.Now, true); !errors.Is(err, ErrOlder) {
				t.Errorf("%s, current %q: yesterday's: %v, want %v", name, current, err, ErrOlder)
			}
			// A gate that runs knows its floors, also when both slots are older than they are.
			disk.names["b.zip"] = disk.names["a.zip"]
			lose(disk.names)
			disk.names["current"] = &inode{data: []byte("b 7\n")}
			c.Reload()
			if got := policyOf(c.Current(), "DE"); got != "policy 2 of DE" {
				t.Errorf("%s, running: %q serves", name, got)
			}
			if !again.Floor().Equal(n.desk.Now) {
				t.Errorf("%s, current %q: floor of time %s", name, current, again.Floor())
			}
		}
	}
}

func emptyFloors(t *testing.T) []byte {
	t.Helper()
	text, err := floors{}.text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDamageInAnyBlockOfASlotIsFound turns every block of a slot over, one after the other.
func TestDamageInAnyBlockOfASlotIsFound(t *testing.T) {
	n := newNation(t, "DE")
	disk := newRAM()
	adopt(t, newCache(t, disk, n.root), n.tree(), noon)
	sound := disk.names["a.zip"].data
	const block = 160
	for from := 0; from < len(sound); from += block {
		for name, damage := range map[string]func([]byte) []byte{
			"turned over": func(b []byte) []byte {
				for i := range b[from:min(from+block, len(b))] {
					b[from+i] ^= 0xff
				}
				return b
			},
			"zeros":    func(b []byte) []byte { clear(b[from:min(from+block, len(b))]); return b },
			"cut off":  func(b []byte) []byte { return b[:from] },
			"left out": func(b []byte) []byte { return slices.Delete(b, from, min(from+block, len(b))) },
		} {
			disk.names["a.zip"] = &inode{data: damage(slices.Clone(sound))}
			c := newCache(t, disk, n.root)
			if c.Current() == nil && c.Fault() == nil || c.Current() != nil && policyOf(c.Current(), "DE") != "policy 1 of DE" {
				t.Fatalf("block at %d %s: fault %v", from, name, c.Fault())
			}
		}
	}
}

// TestTwoProgramsAdoptInTurnsAndNeitherGoesBack: a gate and somebody with a stick, on one folder
// and at the same time.
func TestTwoProgramsAdoptInTurnsAndNeitherGoesBack(t *testing.T) {
	n := newNation(t, "DE")
	trees := []Source{Folder{n.tree()}}
	for i := range 4 {
		n.later(time.Minute)
		n.publish("DE", uint64(i+2))
		n.refresh()
		trees = append(trees, Folder{n.tree()})
	}
	at, dir := n.desk.Now, filepath.Join(t.TempDir(), "cache")
	first, err := Open(dir, n.root)
	n.must(err)
	_, err = first.Adopt(trees[0], at, true)
	n.must(err)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			c, err := Open(dir, n.root)
			if err != nil {
				t.Error(err)
				return
			}
			newest := int64(0)
			for range 3 {
				for _, tree := range trees {
					_, _ = c.Adopt(tree, at, true) // busy, older or taken
					c.Reload()
					switch v := c.Current().Versions()[metadata.TIMESTAMP]; {
					case v < newest:
						t.Errorf("version %d after %d", v, newest)
					case policyOf(c.Current(), "DE") == "":
						t.Error("a set cannot read its own files")
					default:
						newest = v
					}
				}
			}
		})
	}
	wait.Wait()
	last, err := Open(dir, n.root)
	n.must(err)
	if last.Fault() != nil {
		t.Error(last.Fault())
	}
	if _, err := last.Adopt(trees[len(trees)-1], at, true); err != nil || last.Current().Versions()[metadata.TIMESTAMP] != 5 {
		t.Errorf("in the end: %v, %v", last.Current().Versions(), err)
	}
}

// TestSectionReadsWhatTargetReads, for as long as the set is kept, and nothing that is not there.
func TestSectionReadsWhatTargetReads(t *testing.T) {
	n, one, two := twoDays(t)
	c := newCache(t, newRAM(), n.root)
	old := adopt(t, c, one, noon)
	adopt(t, c, two, n.desk.Now)
	n.later(time.Hour)
	n.refresh()
	adopt(t, c, n.tree(), n.desk.Now) // writes over the slot of old
	for _, name := range []string{Keys, Policy} {
		want, _ := old.Target("DE", name)
		r, length, ok := old.Section("DE", name)
		if !ok || length != int64(len(want)) || len(want) == 0 {
			t.Fatalf("%s: %d bytes, %v, want %d", name, length, ok, len(want))
		}
		got, err := io.ReadAll(io.NewSectionReader(r, 0, length+1))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if k, err := r.ReadAt(make([]byte, 8), length-4); k != 4 || err != io.EOF {
			t.Errorf("%s: %d bytes and %v over its end", name, k, err)
		}
	}
	if _, _, ok := old.Section("DE", Revocations); ok {
		t.Error("a file that DE did not sign")
	}
	if _, _, ok := old.Section("FR", Keys); ok {
		t.Error("a region that the nation does not name")
	}
	if _, _, ok := n.refresh().Section("DE", Keys); ok {
		t.Error("a set that lies in no slot")
	}
	if _, _, ok := new(Set).Section("DE", Keys); ok {
		t.Error("the zero set")
	}
}

// TestSpeakersAreThoseWhomTheNationNamed today, whoever signed what is in use.
func TestSpeakersAreThoseWhomTheNationNamed(t *testing.T) {
	n := newNation(t, "DE", "FR")
	disk := newRAM()
	c := newCache(t, disk, n.root)
	set := adopt(t, c, n.tree(), noon)
	ids := func(names ...string) (list []string) {
		for _, name := range names {
			id, _ := tufOf(t, testKey(name).Public())
			list = append(list, id)
		}
		slices.Sort(list)
		return list
	}
	threshold, keys := set.Speakers("DE")
	if threshold != 2 || !slices.Equal(slices.Sorted(slices.Values(keys)), ids("DE-1", "DE-2", "DE-3")) {
		t.Errorf("DE: %d of %v", threshold, keys)
	}
	clear(keys)
	if _, again := set.Speakers("DE"); slices.Contains(again, "") {
		t.Error("whoever asks can change what the set holds")
	}
	for _, role := range []string{FirmwareRole, "AT", "", metadata.ROOT, metadata.TARGETS} {
		if threshold, keys := set.Speakers(role); threshold != 0 || keys != nil {
			t.Errorf("%q: %d of %v", role, threshold, keys)
		}
	}
	if threshold, keys := new(Set).Speakers("DE"); threshold != 0 || keys != nil {
		t.Errorf("the zero set: %d of %v", threshold, keys)
	}
	gone, _ := tufOf(t, testKey("DE-1").Public())
	_, err := n.desk.Rotate("DE", Change{Remove: []string{gone}, Add: signers("DE-4"), Threshold: 3, Life: 365 * Day})
	n.must(err)
	n.sign("", "r1", "r2", "r3")
	n.sign("DE", "DE-2", "DE-3", "DE-4")
	n.later(time.Hour)
	n.refresh()
	set = adopt(t, c, n.tree(), n.desk.Now)
	if threshold, keys = set.Speakers("DE"); threshold != 3 || !slices.Equal(slices.Sorted(slices.Values(keys)), ids("DE-2", "DE-3", "DE-4")) {
		t.Errorf("DE, rotated: %d of %v", threshold, keys)
	}
	if again, _ := newCache(t, disk, n.root).Current().Speakers("DE"); again != 3 {
		t.Errorf("DE after a restart: %d, want 3", again)
	}
}
