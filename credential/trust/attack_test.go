package trust

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// change decodes one file of a tree, changes it, has it signed by the named people and puts it
// back. What the others say of it is mended by restamp.
func change[T metadata.Roles](t testing.TB, tree fstest.MapFS, path string, f func(m *metadata.Metadata[T]), who ...string) {
	t.Helper()
	m, err := new(metadata.Metadata[T]).FromBytes(tree[path].Data)
	if err != nil {
		t.Fatal(err)
	}
	m.Signatures = nil
	f(m)
	for _, name := range who {
		if err := signWith(m, testKey(name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, tree, path, m)
}

func put[T metadata.Roles](t testing.TB, tree fstest.MapFS, path string, m *metadata.Metadata[T]) {
	t.Helper()
	text, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	tree[path] = &fstest.MapFile{Data: text}
}

// restamp is what a thief of the desk's key can do: a snapshot and timestamp of his own over
// whatever lies in the tree, under the next versions.
func restamp(t testing.TB, tree fstest.MapFS, at time.Time, f func(s *snapshotRole)) {
	t.Helper()
	stamp, err := metadata.Timestamp().FromBytes(tree["timestamp.json"].Data)
	if err != nil {
		t.Fatal(err)
	}
	old := metadataPath(metadata.SNAPSHOT, stamp.Signed.Meta["snapshot.json"].Version)
	snapshot, err := metadata.Snapshot().FromBytes(tree[old].Data)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{issuedField: at.UTC().Format(time.RFC3339)}
	snapshot.Signed.Version++
	snapshot.Signed.UnrecognizedFields, snapshot.Signed.Expires, snapshot.Signatures = fields, at.Add(30*Day), nil
	for name, meta := range snapshot.Signed.Meta {
		file, ok := tree[metadataPath(strings.TrimSuffix(name, ".json"), meta.Version)]
		if ok {
			meta.Length, meta.Hashes = describe(file.Data)
		}
	}
	if f != nil {
		f(snapshot)
	}
	if err := signWith(snapshot, testKey("desk")); err != nil {
		t.Fatal(err)
	}
	path := metadataPath(metadata.SNAPSHOT, snapshot.Signed.Version)
	put(t, tree, path, snapshot)
	stamp.Signed.Version++
	stamp.Signed.UnrecognizedFields, stamp.Signed.Expires, stamp.Signatures = fields, at.Add(14*Day), nil
	meta := stamp.Signed.Meta["snapshot.json"]
	meta.Version = snapshot.Signed.Version
	meta.Length, meta.Hashes = describe(tree[path].Data)
	if err := signWith(stamp, testKey("desk")); err != nil {
		t.Fatal(err)
	}
	put(t, tree, "timestamp.json", stamp)
}

// twoDays is a nation on its second day, and its trees of both.
func twoDays(t testing.TB) (n *nation, one, two fstest.MapFS) {
	n = newNation(t, "CN-330100", "CN-330200", "DE")
	one = n.tree()
	n.later(time.Hour)
	n.publish("DE", 2)
	n.refresh()
	return n, one, n.tree()
}

func TestEachAttackOnTheTreeIsRefusedAndTheOldSetStays(t *testing.T) {
	n, one, two := twoDays(t)
	at := n.desk.Now
	for _, c := range []struct {
		name  string
		tree  func(tree fstest.MapFS) // changes the tree of the second day
		at    time.Time
		want  error
		words string
	}{
		{"rollback of everything", func(tree fstest.MapFS) { clear(tree); maps.Copy(tree, one) }, at, ErrOlder, "timestamp"},
		{"rollback of the snapshot", func(tree fstest.MapFS) {
			restamp(t, tree, at, func(s *snapshotRole) { s.Signed.Version = 1 })
		}, at, ErrOlder, "snapshot"},
		{"rollback of one region", func(tree fstest.MapFS) {
			restamp(t, tree, at, func(s *snapshotRole) {
				meta := s.Signed.Meta["DE.json"]
				meta.Version = 1
				meta.Length, meta.Hashes = describe(tree["1.DE.json"].Data)
			})
		}, at, ErrOlder, "DE"},
		{"a region goes missing", func(tree fstest.MapFS) {
			restamp(t, tree, at, func(s *snapshotRole) { delete(s.Signed.Meta, "DE.json") })
		}, at, ErrOlder, "DE"},
		{"a version says something else", func(tree fstest.MapFS) {
			change(t, tree, "2.DE.json", func(m *targetsRole) { delete(m.Signed.Targets, "region/DE/policy") }, "DE-1", "DE-3")
			restamp(t, tree, at, nil)
		}, at, ErrOlder, "something else"},
		{"freeze: the timestamp ended", nil, at.Add(15 * Day), ErrExpired, "timestamp"},
		{"freeze: the snapshot ended", func(tree fstest.MapFS) {
			restamp(t, tree, at, func(s *snapshotRole) { s.Signed.Expires = at.Add(-time.Second) })
		}, at, ErrExpired, "snapshot"},
		{"freeze: the root ended", nil, noon.Add(366 * Day), ErrExpired, "root"},
		{"mix: snapshot of yesterday", func(tree fstest.MapFS) { tree["2.snapshot.json"] = one["1.snapshot.json"] }, at, ErrMismatch, "2.snapshot.json"},
		{"mix: a region of yesterday", func(tree fstest.MapFS) { tree["2.DE.json"] = one["1.DE.json"] }, at, ErrMismatch, "2.DE.json"},
		{"mix: a key list of yesterday", func(tree fstest.MapFS) {
			for path := range tree {
				if strings.HasPrefix(path, "targets/region/DE/") && one[path] == nil {
					tree[path] = &fstest.MapFile{Data: []byte("yesterday")}
				}
			}
		}, at, ErrMismatch, "targets/region/DE/"},
		{"a part is missing", func(tree fstest.MapFS) { delete(tree, "2.DE.json") }, at, ErrMissing, "2.DE.json"},
		{"nothing at all", func(tree fstest.MapFS) { clear(tree) }, at, ErrMissing, "timestamp.json"},
		{"endless timestamp", func(tree fstest.MapFS) {
			tree["timestamp.json"] = &fstest.MapFile{Data: make([]byte, maxTimestamp+1)}
		}, at, ErrTooLong, "timestamp.json"},
		{"endless root", func(tree fstest.MapFS) {
			tree["2.root.json"] = &fstest.MapFile{Data: make([]byte, maxRoot+1)}
		}, at, ErrTooLong, "root 2"},
		{"endless region", func(tree fstest.MapFS) {
			tree["2.DE.json"] = &fstest.MapFile{Data: append(tree["2.DE.json"].Data, ' ')}
		}, at, ErrTooLong, "2.DE.json"},
		{"a link in the place of a file", func(tree fstest.MapFS) {
			tree["timestamp.json"] = &fstest.MapFile{Data: []byte("/dev/zero"), Mode: fs.ModeSymlink}
		}, at, nil, "no regular file"},
		{"a pipe in the place of a file", func(tree fstest.MapFS) {
			tree["2.DE.json"] = &fstest.MapFile{Mode: fs.ModeNamedPipe}
		}, at, nil, "no regular file"},
		{"the timestamp of a stranger", func(tree fstest.MapFS) {
			change(t, tree, "timestamp.json", func(m *timestampRole) { m.Signed.Version++ }, "stranger")
		}, at, ErrUnsigned, "timestamp"},
		{"a timestamp from next week", func(tree fstest.MapFS) { restamp(t, tree, at.Add(7*Day), nil) }, at, ErrFuture, "timestamp"},
		{"a timestamp without issue", func(tree fstest.MapFS) {
			change(t, tree, "timestamp.json", func(m *timestampRole) { m.Signed.Version++; m.Signed.UnrecognizedFields = nil }, "desk")
		}, at, nil, "no time of issue"},
		{"one of two signatures", func(tree fstest.MapFS) {
			change(t, tree, "2.DE.json", func(m *targetsRole) { m.Signed.Version = 3 }, "DE-1")
			tree["3.DE.json"] = tree["2.DE.json"]
			restamp(t, tree, at, asVersion(tree, "DE", 3))
		}, at, ErrUnsigned, "DE"},
		{"one signature counted twice", func(tree fstest.MapFS) {
			change(t, tree, "2.DE.json", func(m *targetsRole) { m.Signed.Version = 3 }, "DE-1")
			tree["3.DE.json"] = &fstest.MapFile{Data: bytes.Replace(tree["2.DE.json"].Data, []byte(`"signatures": [`),
				append([]byte(`"signatures": [`), append(firstSignature(t, tree["2.DE.json"].Data), ',')...), 1)}
			restamp(t, tree, at, asVersion(tree, "DE", 3))
		}, at, nil, "multiple signatures"},
		{"another region's people", func(tree fstest.MapFS) {
			change(t, tree, "2.DE.json", func(m *targetsRole) { m.Signed.Version = 3 }, "CN-330100-1", "CN-330100-2", "CN-330100-3")
			tree["3.DE.json"] = tree["2.DE.json"]
			restamp(t, tree, at, asVersion(tree, "DE", 3))
		}, at, ErrUnsigned, "DE"},
		{"a root that two of five signed", func(tree fstest.MapFS) {
			tree["2.root.json"] = tree["1.root.json"]
			change(t, tree, "2.root.json", func(m *rootRole) { m.Signed.Version = 2 }, "r1", "r2")
		}, at, ErrUnsigned, "root 2"},
		{"a root that leaves one out", func(tree fstest.MapFS) {
			tree["2.root.json"] = tree["1.root.json"]
			change(t, tree, "2.root.json", func(m *rootRole) { m.Signed.Version = 3 }, "r1", "r2", "r3")
		}, at, nil, "root 2"},
		{"a root that nobody brought", func(tree fstest.MapFS) {
			restamp(t, tree, at, func(s *snapshotRole) { s.Signed.Meta["root.json"].Version = 2 })
		}, at, ErrMissing, "root"},
		{"the nation hands a region's path to another", func(tree fstest.MapFS) {
			change(t, tree, "1.targets.json", func(m *targetsRole) {
				m.Signed.Version = 2
				m.Signed.Delegations.Roles[0].Paths = []string{"region/*"}
			}, "r1", "r2", "r3")
			tree["2.targets.json"] = tree["1.targets.json"]
			restamp(t, tree, at, asVersion(tree, "targets", 2))
		}, at, nil, "terminating"},
		{"a name that stands there twice", func(tree fstest.MapFS) {
			tree["timestamp.json"] = &fstest.MapFile{Data: bytes.Replace(tree["timestamp.json"].Data, []byte(`"version"`), []byte(`"Version": 9, "version"`), 1)}
		}, at, nil, "twice"},
		{"a null", func(tree fstest.MapFS) {
			tree["timestamp.json"] = &fstest.MapFile{Data: bytes.Replace(tree["timestamp.json"].Data, []byte(`"version": 2`), []byte(`"version": null`), 1)}
		}, at, nil, "null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := newRAM()
			cache := newCache(t, disk, n.root)
			old := adopt(t, cache, two, n.desk.Now)
			// One that is in use already is not read again: the attack stands on a new version.
			tree := maps.Clone(two)
			if c.tree != nil {
				c.tree(tree)
			}
			for _, from := range []struct {
				name  string
				cache *Cache
			}{{"a gate in use", cache}, {"a new gate", newCache(t, newRAM(), n.root)}} {
				if from.cache != cache {
					adoptIfOlder(t, from.cache, c.want, two, n.desk.Now)
				}
				set, err := from.cache.Adopt(Folder{tree}, c.at, true)
				unread := errors.Is(c.want, ErrMismatch) || errors.Is(c.want, ErrMissing) || errors.Is(c.want, ErrTooLong) || c.words == "no regular file"
				if err == nil && from.cache == cache && unread && set == old {
					continue // what is in use is not asked for again
				}
				if err == nil {
					t.Fatalf("%s adopted it", from.name)
				}
				if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
					t.Errorf("%s: got %q, want %q and %q", from.name, err, c.want, c.words)
				}
			}
			if cache.Current() != old || len(cache.Keys([]byte("DE"))) != 1 {
				t.Error("the old set is gone")
			}
			if again := newCache(t, disk, n.root); again.Fault() != nil || policyOf(again.Current(), "DE") != "policy 2 of DE" {
				t.Errorf("after a restart: %v", again.Fault())
			}
		})
	}
}

// adoptIfOlder gives a new gate a memory where the attack is on that.
func adoptIfOlder(t *testing.T, c *Cache, want error, tree fstest.MapFS, at time.Time) {
	t.Helper()
	if errors.Is(want, ErrOlder) {
		adopt(t, c, tree, at)
	}
}

func asVersion(tree fstest.MapFS, role string, version int64) func(s *snapshotRole) {
	return func(s *snapshotRole) {
		meta := s.Signed.Meta[role+".json"]
		meta.Version = version
		meta.Length, meta.Hashes = describe(tree[metadataPath(role, version)].Data)
	}
}

func firstSignature(t *testing.T, text []byte) []byte {
	t.Helper()
	_, after, found := bytes.Cut(text, []byte(`"signatures": [`))
	end := bytes.IndexByte(after, '}')
	if !found || end < 0 {
		t.Fatalf("no signature in %s", text)
	}
	return slices.Clone(after[:end+1])
}

// A region's own slip, under its own valid signature, is its own alone: what it had stays, and
// the others move on.
func TestARegionsSlipHitsThatRegionAlone(t *testing.T) {
	n, _, two := twoDays(t)
	at := n.desk.Now
	for _, c := range []struct {
		name  string
		slip  func(tree fstest.MapFS, m *targetsRole)
		words string
	}{
		{"signs another region's file", func(tree fstest.MapFS, m *targetsRole) {
			m.Signed.Targets["region/CN-330200/keys"] = m.Signed.Targets["region/CN-330100/keys"]
		}, "not its own"},
		{"climbs out of its path", func(tree fstest.MapFS, m *targetsRole) {
			m.Signed.Targets["region/../firmware/x"] = m.Signed.Targets["region/CN-330100/keys"]
		}, "not its own"},
		{"names issuers outside", withList("CN-330100", listText("CN-330100", 2, "CN-330100", "DE")), "DE, which is not within"},
		{"another region's list", withList("CN-330100", listText("CN-330200", 2, "CN-330200")), "CN-330200's"},
		{"an older list", withList("CN-330100", listText("CN-330100", 1, "CN-330100", "CN-330100")), "key list"},
		{"a list that says something else", withList("CN-330100", listText("CN-330100", 1)), "something else"},
		{"no list any more", func(tree fstest.MapFS, m *targetsRole) { delete(m.Signed.Targets, "region/CN-330100/keys") }, "no key list any more"},
		{"a list that is none", withList("CN-330100", []byte(`{"kind":"trust"}`)), "key list"},
		{"a list too long to be one", func(tree fstest.MapFS, m *targetsRole) {
			m.Signed.Targets["region/CN-330100/keys"].Length = maxTarget(Keys) + 1
		}, "at most"},
		{"hands its word on", func(tree fstest.MapFS, m *targetsRole) {
			m.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{}}
		}, "on to others"},
		{"ended", func(tree fstest.MapFS, m *targetsRole) {
			m.Signed.UnrecognizedFields = map[string]any{issuedField: noon.Add(-2 * Day).Format(time.RFC3339)}
			m.Signed.Expires = noon.Add(-Day)
		}, "was not signed anew"},
		{"from the future", func(tree fstest.MapFS, m *targetsRole) {
			m.Signed.UnrecognizedFields = map[string]any{issuedField: at.Add(25 * time.Hour).Format(time.RFC3339)}
		}, "yet to come"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := maps.Clone(two)
			tree["2.CN-330100.json"] = tree["1.CN-330100.json"]
			change(t, tree, "2.CN-330100.json", func(m *targetsRole) { m.Signed.Version = 2; c.slip(tree, m) }, "CN-330100-1", "CN-330100-2")
			restamp(t, tree, at, asVersion(tree, "CN-330100", 2))
			for _, had := range []bool{true, false} {
				disk := newRAM()
				cache := newCache(t, disk, n.root)
				if had {
					adopt(t, cache, two, at)
				} else if strings.Contains(c.name, "older") || strings.Contains(c.name, "something else") || strings.Contains(c.name, "any more") {
					continue // a new gate cannot know
				}
				adopt(t, cache, tree, at)
				for _, cache := range []*Cache{cache, newCache(t, disk, n.root)} {
					set := cache.Current()
					r := set.Regions()[0]
					if r.ID != "CN-330100" || !strings.Contains(r.Fault, c.words) || cache.Fault() != nil {
						t.Fatalf("region %+v, want the fault %q; %v", r, c.words, cache.Fault())
					}
					keys, want := cache.Keys([]byte("CN-330100")), 0
					if had {
						want = 1
					}
					if len(keys) != want || (policyOf(set, "CN-330100") != "") != had {
						t.Errorf("had %v: %d keys, policy %q", had, len(keys), policyOf(set, "CN-330100"))
					}
					if set.Versions()["timestamp"] != 3 || len(cache.Keys([]byte("DE"))) != 1 || len(cache.Keys([]byte("CN-330200"))) != 1 {
						t.Error("the others did not move on")
					}
				}
			}
		})
	}
}

func withList(id string, text []byte) func(fstest.MapFS, *targetsRole) {
	return func(tree fstest.MapFS, m *targetsRole) {
		length, hashes := describe(text)
		m.Signed.Targets["region/"+id+"/keys"] = &metadata.TargetFiles{Length: length, Hashes: hashes}
		tree[targetPath("region/"+id+"/keys", hashes["sha256"])] = &fstest.MapFile{Data: text}
	}
}

func TestSleepyRegionKeepsWhatItHasAndHoldsNobodyUp(t *testing.T) {
	n := newNation(t, "CN-330100", "DE")
	c := newCache(t, newRAM(), n.root)
	adopt(t, c, n.tree(), noon)
	n.later(91 * Day) // both roles have ended; DE signs anew
	n.publish("DE", 2)
	n.refresh()
	adopt(t, c, n.tree(), n.desk.Now)
	if len(c.Keys([]byte("CN-330100"))) != 1 || policyOf(c.Current(), "DE") != "policy 2 of DE" {
		t.Error("the sleepy region lost its keys, or held DE up")
	}
	if r := c.Current().Regions()[0]; !n.desk.Now.After(r.Expires) {
		t.Errorf("its end is %s", r.Expires)
	}
	fresh := newCache(t, newRAM(), n.root)
	adopt(t, fresh, n.tree(), n.desk.Now)
	if len(fresh.Keys([]byte("CN-330100"))) != 0 || len(fresh.Keys([]byte("DE"))) != 1 {
		t.Error("a new gate took what had ended, or did not take DE")
	}
}

func TestRemovedRootKeysCountNoMore(t *testing.T) {
	n, _, two := twoDays(t)
	c := newCache(t, newRAM(), n.root)
	adopt(t, c, two, n.desk.Now)
	n.later(time.Hour)
	ids := map[string]string{}
	for _, name := range []string{"r1", "r2", "r3"} {
		id, err := KeyID(testKey(name).Public())
		n.must(err)
		ids[name] = id
	}
	_, err := n.desk.Rotate(metadata.ROOT, Change{Add: signers("r6", "r7", "r8"), Remove: []string{ids["r1"], ids["r2"], ids["r3"]}, Life: 365 * Day})
	n.must(err)
	n.sign(metadata.ROOT, "r1", "r2", "r3", "r6", "r7", "r8")
	n.refresh()
	three := n.tree()
	adopt(t, c, three, n.desk.Now)
	if got := c.Current().Versions()["root"]; got != 2 {
		t.Fatalf("root %d, want 2", got)
	}
	forged := maps.Clone(three)
	forged["3.root.json"] = forged["2.root.json"]
	change(t, forged, "3.root.json", func(m *rootRole) { m.Signed.Version = 3 }, "r1", "r2", "r3")
	if _, err := c.Adopt(Folder{forged}, n.desk.Now, true); !errors.Is(err, ErrUnsigned) {
		t.Errorf("three removed keys: %v, want %v", err, ErrUnsigned)
	}
	// A new gate that came with the first root needs each root on the way.
	adopt(t, newCache(t, newRAM(), n.root), three, n.desk.Now)
	short := maps.Clone(three)
	delete(short, "2.root.json")
	if _, err := newCache(t, newRAM(), n.root).Adopt(Folder{short}, n.desk.Now, true); !errors.Is(err, ErrMissing) {
		t.Errorf("without root 2: %v, want %v", err, ErrMissing)
	}
}

// Thieves of a role's keys sign the highest version there is. When the authority above has
// replaced the keys, the role goes on from a version that people use.
func TestStolenKeysCannotLockAGateOut(t *testing.T) {
	n := newNation(t, "DE")
	c := newCache(t, newRAM(), n.root)
	adopt(t, c, n.tree(), noon)
	stolen := n.tree()
	change(t, stolen, "1.DE.json", func(m *targetsRole) { m.Signed.Version = 1 << 60 }, "DE-1", "DE-2")
	stolen[metadataPath("DE", 1<<60)] = stolen["1.DE.json"]
	restamp(t, stolen, noon, asVersion(stolen, "DE", 1<<60))
	change(t, stolen, "timestamp.json", func(m *timestampRole) { m.Signed.Version = 1 << 60 }, "desk")
	adopt(t, c, stolen, noon)

	n.later(time.Hour)
	var gone []string
	for _, name := range []string{"DE-1", "DE-2"} {
		id, err := KeyID(testKey(name).Public())
		n.must(err)
		gone = append(gone, id)
	}
	desk, err := KeyID(testKey("desk").Public())
	n.must(err)
	_, err = n.desk.Rotate("DE", Change{Remove: gone, Add: signers("DE-4", "DE-5"), Life: 365 * Day})
	n.must(err)
	for _, role := range []string{metadata.TIMESTAMP, metadata.SNAPSHOT} {
		_, err = n.desk.Rotate(role, Change{Remove: []string{desk}, Add: signers("desk-2"), Life: 365 * Day})
		n.must(err)
	}
	n.sign("", "r1", "r2", "r3")
	n.sign("DE", "DE-4", "DE-5")
	_, _, err = n.desk.Refresh([]crypto.Signer{testKey("desk-2")}, 30*Day, 14*Day)
	n.must(err)
	set := adopt(t, c, n.tree(), n.desk.Now)
	if v := set.Versions()["timestamp"]; v != 2 || set.Regions()[0].Version != 2 {
		t.Errorf("timestamp %d, region %d", v, set.Regions()[0].Version)
	}
	if _, err := c.Adopt(Folder{stolen}, n.desk.Now, true); err == nil {
		t.Error("the thieves came back")
	}
}

func TestUnknownFilesAreNotRead(t *testing.T) {
	n := newNation(t, "DE")
	tree := n.tree()
	tree["autorun.inf"] = &fstest.MapFile{Data: []byte("x")}
	tree["targets/region/DE/evil"] = &fstest.MapFile{Data: []byte("x")}
	asked := map[string]bool{}
	src := reader(func(path string, limit int64) (io.ReadCloser, error) {
		asked[path] = true
		return Folder{tree}.Open(path, limit)
	})
	if _, err := newCache(t, newRAM(), n.root).Adopt(src, noon, true); err != nil {
		t.Fatal(err)
	}
	if asked["autorun.inf"] || asked["targets/region/DE/evil"] {
		t.Error("a file that nobody signed was opened")
	}
}

// A source that does not keep to its limit is held to it.
func TestEndlessSourceEnds(t *testing.T) {
	n := newNation(t, "DE")
	tree, read := n.tree(), int64(0)
	src := reader(func(path string, limit int64) (io.ReadCloser, error) {
		if !strings.HasPrefix(path, "targets/") {
			return Folder{tree}.Open(path, limit)
		}
		return io.NopCloser(endless{&read}), nil
	})
	if _, err := newCache(t, newRAM(), n.root).Adopt(src, noon, true); err == nil {
		t.Error("adopted what does not end")
	}
	if read > 1<<20 {
		t.Errorf("%d bytes were read of a list of a few hundred", read)
	}
}

type endless struct{ read *int64 }

func (e endless) Read(p []byte) (int, error) { *e.read += int64(len(p)); return len(p), nil }
