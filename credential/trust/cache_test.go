package trust

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gatehouse"
)

func TestAdoptedTrustServesAndOutlivesARestart(t *testing.T) {
	n := newNation(t, "CN-330100", "DE")
	disk := newRAM()
	c := newCache(t, disk, n.root)
	if err := c.Fault(); err != nil || c.Current() != nil || c.Age(noon) != math.MaxInt64 || c.Keys([]byte("DE")) != nil {
		t.Errorf("a new cache: fault %v, set %v, age %s", err, c.Current(), c.Age(noon))
	}
	adopt(t, c, n.tree(), noon.Add(time.Hour))
	for _, c := range []*Cache{c, newCache(t, disk.reboot(func(int) int { return 0 }), n.root)} {
		set := c.Current()
		if set == nil || c.Fault() != nil {
			t.Fatalf("set %v, fault %v", set, c.Fault())
		}
		if got := c.Age(noon.Add(time.Hour)); got != time.Hour {
			t.Errorf("age %s, want an hour", got)
		}
		if keys := c.Keys([]byte("DE")); len(keys) != 1 || keys[0].Issuer != "DE" {
			t.Errorf("keys under DE's id: %v", keys)
		}
		if keys := c.Keys([]byte("FR")); len(keys) != 0 {
			t.Errorf("keys of nobody: %v", keys)
		}
		if text, ok := set.Target("CN-330100", Policy); !ok || string(text) != "policy 1 of CN-330100" {
			t.Errorf("policy %q, %v", text, ok)
		}
		if _, ok := set.Target("CN-330100", Risk); ok {
			t.Error("a file that nobody signed is there")
		}
		regions := set.Regions()
		if len(regions) != 2 || regions[0].ID != "CN-330100" || regions[1].ID != "DE" || regions[1].List != 1 || regions[1].Fault != "" {
			t.Errorf("regions %+v", regions)
		}
		if got := set.Versions(); got["root"] != 1 || got["timestamp"] != 1 || got["snapshot"] != 1 || got["targets"] != 1 {
			t.Errorf("versions %v", got)
		}
		if !c.Floor().Equal(noon) {
			t.Errorf("floor %s, want %s", c.Floor(), noon)
		}
	}
}

func TestZeroCacheKnowsNobody(t *testing.T) {
	var c Cache
	if c.Keys([]byte("DE")) != nil || c.Age(noon) != math.MaxInt64 || c.Current() != nil || !c.Floor().IsZero() || c.Fault() != nil {
		t.Error("a zero cache knows something")
	}
	if _, err := c.Adopt(Folder{fstest.MapFS{}}, noon, true); err == nil {
		t.Error("a zero cache adopted")
	}
}

func TestStaleTrustIsAClassNotACliff(t *testing.T) {
	n := newNation(t, "DE")
	disk := newRAM()
	adopt(t, newCache(t, disk, n.root), n.tree(), noon)
	years := noon.AddDate(3, 0, 0)
	c := newCache(t, disk, n.root)
	if len(c.Keys([]byte("DE"))) != 1 || c.Age(years) != years.Sub(noon) {
		t.Errorf("after three years: %d keys, age %s", len(c.Keys([]byte("DE"))), c.Age(years))
	}
	if _, err := c.Adopt(Folder{n.tree()}, years, true); !errors.Is(err, ErrExpired) {
		t.Errorf("the same again after three years: %v, want %v", err, ErrExpired)
	}
	if len(c.Keys([]byte("DE"))) != 1 {
		t.Error("a refused import took the keys away")
	}
}

// A pulled stick, a full card or a cut at any step: the old set or the new one, never none, and
// never again the old one where the new one was in use.
func TestPowerCutAtEveryStepLeavesTheOldSetOrTheNewOne(t *testing.T) {
	n := newNation(t, "CN-330100", "DE")
	before := n.tree()
	n.later(time.Hour)
	n.publish("DE", 2)
	n.refresh()
	after := n.tree()
	for _, first := range []bool{false, true} { // the third adoption writes over the first
		base := prepared(t, n, before, first)
		everything := func(n int) int { return n }
		whole := base.reboot(everything)
		steps := whole.steps
		adopt(t, newCache(t, whole, n.root), after, n.desk.Now)
		steps = whole.steps - steps
		if steps < 12 {
			t.Fatalf("an adoption of %d steps: the disk is not asked", steps)
		}
		cut := 0
		for i := range steps {
			for seed := range uint64(2) {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				disk := base.reboot(everything)
				c := newCache(t, disk, n.root)
				disk.left = i
				_, err := c.Adopt(Folder{after}, n.desk.Now, true)
				if err != nil {
					cut++
				}
				if got := c.Current(); got == nil || err == nil && got.Versions()["timestamp"] != 2 {
					t.Fatalf("cut at %d: in memory %v after %v", i, got, err)
				}
				rebooted := disk.reboot(func(n int) int { return r.IntN(n + 1) })
				c = newCache(t, rebooted, n.root)
				got := c.Current()
				if got == nil || c.Fault() != nil {
					t.Fatalf("cut at %d, seed %d: none is left: %v", i, seed, c.Fault())
				}
				version := got.Versions()["timestamp"]
				if want := fmt.Sprintf("policy %d of DE", version); version != 1 && version != 2 || policyOf(got, "DE") != want {
					t.Fatalf("cut at %d, seed %d: version %d with %q", i, seed, version, policyOf(got, "DE"))
				}
				if err == nil && version != 2 {
					t.Fatalf("cut at %d, seed %d: adopted, and gone after a restart", i, seed)
				}
				_, err = c.Adopt(Folder{before}, n.desk.Now, true)
				if version == 2 && !errors.Is(err, ErrOlder) {
					t.Fatalf("cut at %d, seed %d: went back: %v", i, seed, err)
				}
				adopt(t, c, after, n.desk.Now)
			}
		}
		if cut == 0 {
			t.Error("no cut was noticed")
		}
	}
}

func policyOf(s *Set, id gatehouse.Issuer) string {
	text, _ := s.Target(id, Policy)
	return string(text)
}

// prepared is a disk with one set in use; both slots hold one where twice is set.
func prepared(t *testing.T, n *nation, tree fstest.MapFS, twice bool) *ram {
	t.Helper()
	disk := newRAM()
	c := newCache(t, disk, n.root)
	adopt(t, c, tree, noon)
	if twice {
		disk.names["b.zip"] = disk.names["a.zip"]
		disk.durable["b.zip"] = disk.durable["a.zip"]
	}
	return disk
}

func TestDamagedSlotLeavesTheOtherAndNeverGoesBelowTheFloor(t *testing.T) {
	n := newNation(t, "DE")
	one := n.tree()
	n.later(time.Hour)
	n.publish("DE", 2)
	n.refresh()
	two := n.tree()
	disk := newRAM()
	c := newCache(t, disk, n.root)
	adopt(t, c, one, noon)
	adopt(t, c, two, n.desk.Now)
	spoil := func(name string) {
		data := disk.names[name].data
		disk.names[name] = &inode{data: append([]byte{}, data...)}
		for i := 0; i < len(data); i += 97 {
			disk.names[name].data[i] ^= 0x20
		}
	}
	spoil("b.zip")
	c = newCache(t, disk, n.root)
	if c.Current() == nil || policyOf(c.Current(), "DE") != "policy 1 of DE" || c.Fault() == nil || !strings.Contains(c.Fault().Error(), "slot b is damaged") {
		t.Fatalf("one slot damaged: %v, fault %v", c.Current(), c.Fault())
	}
	if _, err := c.Adopt(Folder{one}, n.desk.Now, true); !errors.Is(err, ErrOlder) {
		t.Errorf("version 1 below the floor: %v, want %v", err, ErrOlder)
	}
	spoil("a.zip")
	c = newCache(t, disk, n.root)
	if c.Current() != nil || c.Keys([]byte("DE")) != nil || c.Fault() == nil || !strings.Contains(c.Fault().Error(), "no slot can be used") {
		t.Fatalf("both slots damaged: %v, fault %v", c.Current(), c.Fault())
	}
	if _, err := c.Adopt(Folder{one}, n.desk.Now, true); !errors.Is(err, ErrOlder) {
		t.Errorf("both slots lost, version 1: %v, want %v", err, ErrOlder)
	}
	adopt(t, c, two, n.desk.Now)
	if c.Fault() != nil || policyOf(c.Current(), "DE") != "policy 2 of DE" {
		t.Errorf("mended: %v", c.Fault())
	}
}

// Each byte of a slot counts: whatever bit turns over, what serves is what was signed.
func TestBitRotNeverChangesWhatServes(t *testing.T) {
	n := newNation(t, "DE")
	disk := newRAM()
	adopt(t, newCache(t, disk, n.root), n.tree(), noon)
	sound := disk.names["a.zip"].data
	r := rand.New(rand.NewPCG(1, 2))
	lost := 0
	for range 150 {
		data := append([]byte{}, sound...)
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		disk.names["a.zip"] = &inode{data: data}
		c := newCache(t, disk, n.root)
		if c.Current() == nil {
			lost++
			if c.Fault() == nil {
				t.Fatal("nothing serves and nobody says why")
			}
			continue
		}
		if policyOf(c.Current(), "DE") != "policy 1 of DE" || len(c.Keys([]byte("DE"))) != 1 {
			t.Fatal("something else serves")
		}
	}
	if lost == 0 {
		t.Error("no damage was noticed")
	}
}

func TestLostFloorsComeBackFromTheSlots(t *testing.T) {
	n := newNation(t, "DE")
	one := n.tree()
	n.later(time.Hour)
	n.refresh()
	disk := newRAM()
	adopt(t, newCache(t, disk, n.root), n.tree(), n.desk.Now)
	disk.names["floors.json"].data[70] ^= 1
	c := newCache(t, disk, n.root)
	if c.Fault() == nil || !strings.Contains(c.Fault().Error(), "floors.json is damaged") {
		t.Errorf("fault %v", c.Fault())
	}
	if _, err := c.Adopt(Folder{one}, n.desk.Now, true); !errors.Is(err, ErrOlder) {
		t.Errorf("got %v, want %v", err, ErrOlder)
	}
}

func TestBootWithA1970AndA2099Clock(t *testing.T) {
	n := newNation(t, "DE")
	one := n.tree()
	n.later(20 * Day)
	n.publish("DE", 2)
	n.refresh()
	two := n.tree()
	y1970, y2099 := time.Unix(0, 0), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)

	// 1970: the cache's own floor is the reference, so what has ended stays refused, and
	// what is new is taken although it comes from the clock's far future.
	c := newCache(t, newRAM(), n.root)
	if _, err := c.Adopt(Folder{one}, y1970, false); err != nil {
		t.Errorf("a new board with a 1970 clock: %v", err)
	}
	if _, err := c.Adopt(Folder{two}, y1970, false); err != nil {
		t.Errorf("1970, twenty days on: %v", err)
	}
	if got := c.Floor(); !got.Equal(noon.Add(20 * Day)) {
		t.Errorf("floor %s", got)
	}
	fresh := newCache(t, newRAM(), n.root)
	fresh.floors.Issued = noon.Add(15 * Day) // as the book may say
	if _, err := fresh.Adopt(Folder{one}, y1970, false); !errors.Is(err, ErrExpired) {
		t.Errorf("an expired stick at a 1970 clock with a floor: %v, want %v", err, ErrExpired)
	}

	// 2099, believed: nothing can be adopted, and what is there stays.
	if _, err := c.Adopt(Folder{two}, y2099, true); !errors.Is(err, ErrExpired) {
		t.Errorf("2099: %v, want %v", err, ErrExpired)
	}
	if len(c.Keys([]byte("DE"))) != 1 || c.Floor().After(noon.Add(21*Day)) {
		t.Error("a 2099 clock took the keys away, or moved the floor")
	}
}

func TestTwoProgramsShareAFolder(t *testing.T) {
	n := newNation(t, "DE")
	dir := filepath.Join(t.TempDir(), "cache")
	gate, err := Open(dir, n.root)
	n.must(err)
	adopt(t, gate, n.tree(), noon)
	n.later(time.Hour)
	n.publish("DE", 2)
	n.refresh()
	ctl, err := Open(dir, n.root)
	n.must(err)
	adopt(t, ctl, n.tree(), n.desk.Now)
	old := gate.Current()
	gate.Reload()
	if got := gate.Current().Versions()["timestamp"]; got != 2 {
		t.Errorf("the gate serves version %d, want 2", got)
	}
	// Two more adoptions write over both slots; the old set still reads its own files.
	for range 2 {
		n.later(time.Hour)
		n.refresh()
		adopt(t, ctl, n.tree(), n.desk.Now)
	}
	if got := policyOf(old, "DE"); got != "policy 1 of DE" {
		t.Errorf("the old set reads %q", got)
	}
	release, err := folder(dir).lock()
	n.must(err)
	if _, err := gate.Adopt(Folder{n.tree()}, n.desk.Now, true); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("adopted while another program does: %v", err)
	}
	release()
	entries, err := os.ReadDir(dir)
	n.must(err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".new") {
			t.Errorf("%s was left", e.Name())
		}
	}
}

func TestTheSameAgainWritesNothing(t *testing.T) {
	n := newNation(t, "DE")
	disk := newRAM()
	c := newCache(t, disk, n.root)
	first := adopt(t, c, n.tree(), noon)
	steps := disk.steps
	if got := adopt(t, c, n.tree(), noon); got != first || disk.steps != steps {
		t.Errorf("%d steps on the disk for nothing new", disk.steps-steps)
	}
}
