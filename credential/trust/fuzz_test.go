package trust

import (
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// FuzzImport puts any bytes in the place of any file of a sound repository. The importer never
// panics, and what it adopts all the same is what was signed.
func FuzzImport(f *testing.F) {
	n := newNation(f, "DE")
	sound := n.tree()
	paths := slices.Sorted(maps.Keys(sound))
	for i, path := range paths {
		f.Add(uint8(i), sound[path].Data)
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		tree := maps.Clone(sound)
		tree[paths[int(which)%len(paths)]] = &fstest.MapFile{Data: text}
		c := newCache(t, newRAM(), n.root)
		set, err := c.Adopt(Folder{tree}, noon, true)
		if err != nil {
			if set != nil || c.Current() != nil || len(c.Keys([]byte("DE"))) != 0 {
				t.Error("refused, and in use")
			}
			return
		}
		if policyOf(set, "DE") != "policy 1 of DE" || len(c.Keys([]byte("DE"))) != 1 || set.Versions()["timestamp"] != 1 {
			t.Errorf("adopted something that nobody signed: %v", set.Regions())
		}
	})
}

// FuzzMetadata reads any bytes as each kind of metadata, as happens before a signature is
// checked.
func FuzzMetadata(f *testing.F) {
	n := newNation(f, "DE")
	tree := n.tree()
	for _, path := range []string{"1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json", "1.DE.json"} {
		f.Add(tree[path].Data)
	}
	f.Add([]byte(`{"signed":{"_type":"targets","targets":{"x":null}}}`))
	f.Add([]byte(`{"signed":{"_type":"root","keys":{"x":null}}}`))
	f.Add([]byte(`{"signed":{"_type":"root","keys":{"x":{"keytype":"ed25519","keyval":{"public":"00"}}}},"Signed":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := &loader{src: Folder{fstest.MapFS{"timestamp.json": {Data: text}}}, pinned: text, set: &Set{}}
		_ = l.load()
		if m, err := readMetadata[metadata.TargetsType](text, maxRole); err == nil {
			if checkNational(m) == nil && m.Signed.Delegations != nil {
				for _, d := range m.Signed.Delegations.Roles {
					_ = signed(text, m.Signatures, &metadata.Role{KeyIDs: d.KeyIDs, Threshold: d.Threshold}, m.Signed.Delegations.Keys)
				}
			}
		}
		if m, err := readMetadata[metadata.RootType](text, maxRoot); err == nil && checkRoot(m) == nil {
			for _, d := range m.Signed.Roles {
				needOf("root", d, m.Signed.Keys, m)
			}
		}
	})
}

// FuzzSlot opens any bytes as a slot.
func FuzzSlot(f *testing.F) {
	n := newNation(f, "DE")
	disk := newRAM()
	adopt(f, newCache(f, disk, n.root), n.tree(), noon)
	f.Add(disk.names["a.zip"].data, disk.names["floors.json"].data, disk.names["current"].data)
	f.Fuzz(func(t *testing.T, slot, floors, current []byte) {
		disk := newRAM()
		for name, data := range map[string][]byte{"a.zip": slot, "floors.json": floors, "current": current} {
			disk.names[name] = &inode{data, len(data)}
		}
		c := newCache(t, disk, n.root)
		if set := c.Current(); set != nil && policyOf(set, "DE") != "policy 1 of DE" {
			t.Error("something serves that nobody signed")
		}
	})
}
