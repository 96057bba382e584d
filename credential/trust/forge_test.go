package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// asRoot and asTargets put a new version of the national roles into a tree, signed by three of the
// root's people, with a snapshot over it by whoever holds the desk's key.
func asRoot(t testing.TB, at time.Time, f func(m *rootRole), who ...string) func(fstest.MapFS) {
	return func(tree fstest.MapFS) {
		tree["2.root.json"] = tree["1.root.json"]
		change(t, tree, "2.root.json", func(m *rootRole) { m.Signed.Version = 2; f(m) }, who...)
		restamp(t, tree, at, func(s *snapshotRole) { s.Signed.Meta["root.json"].Version = 2 })
	}
}

func asTargets(t testing.TB, at time.Time, f func(m *targetsRole)) func(fstest.MapFS) {
	return func(tree fstest.MapFS) {
		tree["2.targets.json"] = tree["1.targets.json"]
		change(t, tree, "2.targets.json", func(m *targetsRole) { m.Signed.Version = 2; f(m) }, "r1", "r2", "r3")
		restamp(t, tree, at, asVersion(tree, "targets", 2))
	}
}

func p256(name string) *ecdsa.PrivateKey {
	scalar := sha256.Sum256([]byte(name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		panic(err) // a hash is below the order but for one name in 2^32
	}
	return key
}

func tufOf(t testing.TB, public crypto.PublicKey) (string, *metadata.Key) {
	t.Helper()
	key, err := tufKey(public)
	if err != nil {
		t.Fatal(err)
	}
	id, err := key.ID()
	if err != nil {
		t.Fatal(err)
	}
	return id, key
}

// TestNobodyGetsASecondVote: what the nation's people sign by mistake must not turn one key into
// two, nor a role into one that fewer speak for than it says.
func TestNobodyGetsASecondVote(t *testing.T) {
	n, _, two := twoDays(t)
	at := n.desk.Now
	one := p256("one")
	id, key := tufOf(t, one.Public())
	renamed := &metadata.Key{Type: metadata.KeyTypeECDSA_SHA2_P256, Scheme: key.Scheme, Value: key.Value}
	if key.Type == renamed.Type {
		renamed.Type = metadata.KeyTypeECDSA_SHA2_P256_COMPAT
	}
	other, err := renamed.ID()
	if err != nil || other == id {
		t.Fatalf("two ids of one key: %q and %q, %v", id, other, err)
	}
	long, err := metadata.KeyFromPublicKey(func() crypto.PublicKey {
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), bytes.Repeat([]byte{1}, 48))
		if err != nil {
			t.Fatal(err)
		}
		return k.Public()
	}())
	n.must(err)
	longID, err := long.ID()
	n.must(err)
	everybodys, err := metadata.KeyFromPublicKey(ed25519.PublicKey(append([]byte{1}, make([]byte, 31)...)))
	n.must(err)
	everybodysID, err := everybodys.ID()
	n.must(err)
	role := func(m *targetsRole) *metadata.DelegatedRole { return delegation(m, "DE") }
	for name, c := range map[string]struct {
		forge func(fstest.MapFS)
		words string
	}{
		"one key under two ids": {asTargets(t, at, func(m *targetsRole) {
			m.Signed.Delegations.Keys[id], m.Signed.Delegations.Keys[other] = key, renamed
			role(m).KeyIDs = []string{id, other}
		}), "its id should be"},
		"one key under a made-up id": {asTargets(t, at, func(m *targetsRole) {
			m.Signed.Delegations.Keys[strings.ToUpper(id)] = key
			role(m).KeyIDs = append(role(m).KeyIDs, strings.ToUpper(id))
		}), "its id should be"},
		"one id twice": {asTargets(t, at, func(m *targetsRole) {
			role(m).KeyIDs = []string{role(m).KeyIDs[0], role(m).KeyIDs[0]}
		}), "twice"},
		"nobody need sign": {asTargets(t, at, func(m *targetsRole) { role(m).Threshold = 0 }), "cannot be"},
		"less than nobody": {asTargets(t, at, func(m *targetsRole) { role(m).Threshold = -1 }), "cannot be"},
		"more than all":    {asTargets(t, at, func(m *targetsRole) { role(m).Threshold = 4 }), "cannot be"},
		"a key of P-384": {asTargets(t, at, func(m *targetsRole) {
			m.Signed.Delegations.Keys[longID] = long
			role(m).KeyIDs = append(role(m).KeyIDs, longID)
		}), "P-256 or Ed25519"},
		"a key that everybody signs under": {asTargets(t, at, func(m *targetsRole) {
			m.Signed.Delegations.Keys[everybodysID] = everybodys
			role(m).KeyIDs = append(role(m).KeyIDs, everybodysID)
		}), "anybody could sign"},
		"a key that is not there": {asTargets(t, at, func(m *targetsRole) { role(m).KeyIDs[0] = id }), "not there"},
		"a region of another name": {asTargets(t, at, func(m *targetsRole) {
			role(m).Name, role(m).Paths = "DE/../AT", []string{"region/DE/../AT/*"}
		}), "want a region"},
		"a region called as the root": {asTargets(t, at, func(m *targetsRole) {
			role(m).Name, role(m).Paths = "root", []string{"region/root/*"}
		}), "want a region"},
		"two of one name": {asTargets(t, at, func(m *targetsRole) {
			m.Signed.Delegations.Roles = append(m.Signed.Delegations.Roles, *role(m))
		}), "twice"},
		"the nation speaks for a region": {asTargets(t, at, func(m *targetsRole) {
			m.Signed.Targets["region/DE/keys"] = &metadata.TargetFiles{Length: 1, Hashes: metadata.Hashes{"sha256": make([]byte, 32)}}
		}), "signs files itself"},
		"a root without a role": {asRoot(t, at, func(m *rootRole) { delete(m.Signed.Roles, metadata.SNAPSHOT) }, "r1", "r2", "r3"), "no role snapshot"},
		"a root that one signs": {asRoot(t, at, func(m *rootRole) { m.Signed.Roles[metadata.ROOT].Threshold = 0 }, "r1", "r2", "r3"), "cannot be"},
	} {
		cache := newCache(t, newRAM(), n.root)
		old := adopt(t, cache, two, at)
		tree := maps.Clone(two)
		c.forge(tree)
		for _, cache := range []*Cache{cache, newCache(t, newRAM(), n.root)} {
			if _, err := cache.Adopt(Folder{tree}, at, true); err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s: got %v, want %q", name, err, c.words)
			}
		}
		if cache.Current() != old {
			t.Errorf("%s: the old set is gone", name)
		}
	}
}

// TestNoRoleIsTakenForAnother puts metadata where other metadata is due, signed by all who can.
func TestNoRoleIsTakenForAnother(t *testing.T) {
	n, _, two := twoDays(t)
	at := n.desk.Now
	named := func(role string, version int64, text []byte) func(tree fstest.MapFS) {
		return func(tree fstest.MapFS) {
			tree[metadataPath(role, version)] = &fstest.MapFile{Data: text}
			restamp(t, tree, at, asVersion(tree, role, version))
		}
	}
	for name, forge := range map[string]func(fstest.MapFS){
		"a snapshot as timestamp":           func(tree fstest.MapFS) { tree["timestamp.json"] = tree["2.snapshot.json"] },
		"a root as timestamp":               func(tree fstest.MapFS) { tree["timestamp.json"] = tree["1.root.json"] },
		"the first root as the second":      func(tree fstest.MapFS) { tree["2.root.json"] = tree["1.root.json"] },
		"the targets as root":               func(tree fstest.MapFS) { tree["2.root.json"] = tree["1.targets.json"] },
		"a region's role as the targets":    named("targets", 2, two["2.DE.json"].Data),
		"the targets as a region's role":    named("DE", 3, two["1.targets.json"].Data),
		"another region's role as a region": named("DE", 3, two["1.CN-330100.json"].Data),
		"an old version as a new one":       named("DE", 3, two["2.DE.json"].Data),
		"the timestamp as the snapshot": func(tree fstest.MapFS) {
			tree["9.snapshot.json"] = tree["timestamp.json"]
			change(t, tree, "timestamp.json", func(m *timestampRole) {
				m.Signed.Version = 9
				meta := m.Signed.Meta["snapshot.json"]
				meta.Version = 9
				meta.Length, meta.Hashes = describe(tree["9.snapshot.json"].Data)
			}, "desk")
		},
	} {
		cache := newCache(t, newRAM(), n.root)
		old := adopt(t, cache, two, at)
		tree := maps.Clone(two)
		forge(tree)
		if _, err := cache.Adopt(Folder{tree}, at, true); err == nil || cache.Current() != old {
			t.Errorf("%s: adopted, %v", name, err)
		}
	}
}

// TestEachEndIsLookedAt: a repository that ended anywhere above the regions is held back by
// somebody, or nobody signs any more.
func TestEachEndIsLookedAt(t *testing.T) {
	n, _, two := twoDays(t)
	at := n.desk.Now
	ended := at.Add(-time.Second)
	fields := map[string]any{issuedField: at.Add(-time.Hour).UTC().Format(time.RFC3339)}
	for name, forge := range map[string]func(fstest.MapFS){
		"timestamp": func(tree fstest.MapFS) {
			change(t, tree, "timestamp.json", func(m *timestampRole) {
				m.Signed.Version, m.Signed.Expires, m.Signed.UnrecognizedFields = 3, ended, fields
			}, "desk")
		},
		"targets": asTargets(t, at, func(m *targetsRole) { m.Signed.Expires, m.Signed.UnrecognizedFields = ended, fields }),
		"root":    asRoot(t, at, func(m *rootRole) { m.Signed.Expires, m.Signed.UnrecognizedFields = ended, fields }, "r1", "r2", "r3"),
	} {
		for _, had := range []bool{true, false} {
			cache := newCache(t, newRAM(), n.root)
			if had {
				adopt(t, cache, two, at)
			}
			tree := maps.Clone(two)
			forge(tree)
			if _, err := cache.Adopt(Folder{tree}, at, true); !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s, had %v: got %v, want %v", name, had, err, ErrExpired)
			}
		}
	}
}

// TestHugePromisesAreRefusedUnread: no length and no version that is signed makes a gate ask for
// more than its bounds.
func TestHugePromisesAreRefusedUnread(t *testing.T) {
	n, _, two := twoDays(t)
	at := n.desk.Now
	for _, length := range []int64{-1, 0, maxRole + 1, 1 << 31, 1<<63 - 1} {
		tree := maps.Clone(two)
		restamp(t, tree, at, func(s *snapshotRole) { s.Signed.Meta["DE.json"].Length = length })
		if _, err := newCache(t, newRAM(), n.root).Adopt(Folder{tree}, at, true); err == nil || !strings.Contains(err.Error(), "want 1 to") {
			t.Errorf("a role of %d bytes: %v", length, err)
		}
	}
	for _, version := range []int64{-1, 0} {
		tree := maps.Clone(two)
		restamp(t, tree, at, func(s *snapshotRole) { s.Signed.Meta["DE.json"].Version = version })
		if _, err := newCache(t, newRAM(), n.root).Adopt(Folder{tree}, at, true); err == nil {
			t.Errorf("version %d was adopted", version)
		}
	}
}

// TestTricksWithPathsNameNoFile: a name that is almost that of a file is none, or the region's slip.
func TestTricksWithPathsNameNoFile(t *testing.T) {
	n, _, two := twoDays(t)
	at := n.desk.Now
	for path, own := range map[string]bool{
		"region/CN-330100/../DE/keys": true, "region/CN-330100//keys": true, "region/CN-330100/keys/": true, "region/CN-330100/KEYS": true,
		"region/CN-330100/./keys": true, "region/CN-330100/keys\u0000": true, "region/CN-330100/..": true,
		"region/DE/keys": false, "region/CN-3301/keys": false, "region/CN-33010/keys": false, "/region/CN-330100/keys": false,
		"Region/CN-330100/keys": false, "region/cn-330100/keys": false, "../region/CN-330100/keys": false, "firmware/x": false, "": false,
	} {
		tree := maps.Clone(two)
		tree["2.CN-330100.json"] = tree["1.CN-330100.json"]
		change(t, tree, "2.CN-330100.json", func(m *targetsRole) {
			m.Signed.Version = 2
			m.Signed.Targets[path] = m.Signed.Targets["region/CN-330100/keys"]
			delete(m.Signed.Targets, "region/CN-330100/keys")
		}, "CN-330100-1", "CN-330100-2")
		restamp(t, tree, at, asVersion(tree, "CN-330100", 2))
		cache := newCache(t, newRAM(), n.root)
		if _, err := cache.Adopt(Folder{tree}, at, true); err != nil {
			if path != "" {
				t.Errorf("%q: %v", path, err)
			}
			continue
		}
		if r := cache.Current().Regions()[0]; len(cache.Keys([]byte("CN-330100"))) != 0 || (r.Fault == "") != own {
			t.Errorf("%q: %+v with %d keys", path, r, len(cache.Keys([]byte("CN-330100"))))
		}
		if len(cache.Keys([]byte("DE"))) != 1 {
			t.Errorf("%q: DE suffers for it", path)
		}
	}
}

// TestLongChainOfRootsIsFollowedStepByStep rotates the root's people one by one until none of the
// first are left, and brings the whole chain to gates that stopped at each of its steps.
func TestLongChainOfRootsIsFollowedStepByStep(t *testing.T) {
	n := newNation(t, "DE")
	var trees []fstest.MapFS
	people := []string{"r1", "r2", "r3", "r4", "r5"}
	trees = append(trees, n.tree())
	for i := range 5 {
		n.later(time.Hour)
		id, _ := tufOf(t, testKey(people[0]).Public())
		fresh := fmt.Sprintf("s%d", i)
		_, err := n.desk.Rotate(metadata.ROOT, Change{Add: signers(fresh), Remove: []string{id}, Life: 365 * Day})
		n.must(err)
		_, err = n.desk.Rotate(metadata.TARGETS, Change{Add: signers(fresh), Remove: []string{id}, Life: 365 * Day})
		n.must(err)
		n.sign("", people[1], people[2], people[3])
		n.sign("", fresh)
		people = append(people[1:], fresh)
		n.refresh()
		trees = append(trees, n.tree())
	}
	last := trees[len(trees)-1]
	for i, tree := range trees {
		disk := newRAM()
		cache := newCache(t, disk, n.root)
		adopt(t, cache, tree, n.desk.Now)
		set := adopt(t, newCache(t, disk, n.root), last, n.desk.Now)
		if v := set.Versions()[metadata.ROOT]; v != 6 || len(set.Keys([]byte("DE"))) != 1 {
			t.Errorf("from root %d: root %d, %d keys", i+1, v, len(set.Keys([]byte("DE"))))
		}
		if again := newCache(t, disk, n.root); again.Fault() != nil || again.Current().Versions()[metadata.ROOT] != 6 {
			t.Errorf("from root %d, after a restart: %v", i+1, again.Fault())
		}
		// The first five together sign a seventh: they count no more.
		forged := maps.Clone(last)
		forged["7.root.json"] = forged["6.root.json"]
		change(t, forged, "7.root.json", func(m *rootRole) { m.Signed.Version = 7 }, "r1", "r2", "r3", "r4", "r5")
		if _, err := newCache(t, disk, n.root).Adopt(Folder{forged}, n.desk.Now, true); !errors.Is(err, ErrUnsigned) {
			t.Errorf("five removed keys: %v, want %v", err, ErrUnsigned)
		}
	}
	for gap := 2; gap <= 6; gap++ {
		short := maps.Clone(last)
		delete(short, metadataPath(metadata.ROOT, int64(gap)))
		if _, err := newCache(t, newRAM(), n.root).Adopt(Folder{short}, n.desk.Now, true); err == nil {
			t.Errorf("adopted without root %d", gap)
		}
	}
}

// TestReplacedPeopleOfARegionCountNoMore: what they signed before, and what they sign now.
func TestReplacedPeopleOfARegionCountNoMore(t *testing.T) {
	n := newNation(t, "DE", "FR")
	old := n.tree()
	cache := newCache(t, newRAM(), n.root)
	adopt(t, cache, old, noon)
	n.later(time.Hour)
	var gone []string
	for _, name := range []string{"DE-1", "DE-2", "DE-3"} {
		id, _ := tufOf(t, testKey(name).Public())
		gone = append(gone, id)
	}
	_, err := n.desk.Rotate("DE", Change{Remove: gone, Add: signers("DE-4", "DE-5"), Life: 365 * Day})
	n.must(err)
	n.sign("", "r1", "r2", "r3")
	n.sign("DE", "DE-4", "DE-5")
	n.refresh()
	now := n.tree()
	adopt(t, cache, now, n.desk.Now)
	forged := maps.Clone(now)
	forged["9.DE.json"] = old["1.DE.json"]
	change(t, forged, "9.DE.json", func(m *targetsRole) { m.Signed.Version = 9 }, "DE-1", "DE-2", "DE-3")
	restamp(t, forged, n.desk.Now, asVersion(forged, "DE", 9))
	if _, err := cache.Adopt(Folder{forged}, n.desk.Now, true); !errors.Is(err, ErrUnsigned) {
		t.Errorf("the old people: %v, want %v", err, ErrUnsigned)
	}
	// The targets that still named them come back with a fresh snapshot.
	back := maps.Clone(now)
	restamp(t, back, n.desk.Now, func(s *snapshotRole) {
		for _, role := range []string{"targets", "DE"} {
			meta := s.Signed.Meta[role+".json"]
			meta.Version = 1
			meta.Length, meta.Hashes = describe(back["1."+role+".json"].Data)
		}
	})
	if _, err := cache.Adopt(Folder{back}, n.desk.Now, true); !errors.Is(err, ErrOlder) {
		t.Errorf("yesterday's targets: %v, want %v", err, ErrOlder)
	}
}
