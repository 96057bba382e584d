package trust

import (
	"bytes"
	"crypto"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestTheSameCeremonyMakesTheSameBytes(t *testing.T) {
	one, two := newNation(t, "CN-33", "DE").tree(), newNation(t, "CN-33", "DE").tree()
	if !slices.Equal(slices.Sorted(maps.Keys(one)), slices.Sorted(maps.Keys(two))) {
		t.Fatal("two ceremonies made different files")
	}
	for path := range one {
		if !bytes.Equal(one[path].Data, two[path].Data) {
			t.Errorf("%s differs", path)
		}
	}
}

func TestFirmwareIsNamedAndNotCopied(t *testing.T) {
	n := newNation(t, "DE")
	n.must(n.desk.AddRole(FirmwareRole, Quorum{signers("f1", "f2", "f3"), 2}, 365*Day))
	n.sign("", "r1", "r2", "r3")
	image := filepath.Join(t.TempDir(), "image")
	n.must(os.WriteFile(image, []byte("an image"), 0o600))
	n.must(n.desk.Publish(FirmwareRole, map[string]string{"gatehouse-7.img": image}, 90*Day))
	n.sign(FirmwareRole, "f1", "f3")
	n.refresh()
	disk := newRAM()
	adopt(t, newCache(t, disk, n.root), n.tree(), noon)
	set := newCache(t, disk, n.root).Current()
	f, ok := set.Firmware("gatehouse-7.img")
	if !ok || f.Length != 8 || n.tree()[f.Path] == nil || set.Versions()[FirmwareRole] != 1 {
		t.Errorf("firmware %+v, %v", f, ok)
	}
	if bytes.Contains(disk.names["a.zip"].data, []byte("an image")) {
		t.Error("the image lies in the slot")
	}

	// A slip of the firmware people is theirs alone, also after a restart.
	tree := n.tree()
	change(t, tree, "1.firmware.json", func(m *targetsRole) {
		m.Signed.Version = 2
		m.Signed.Targets["region/DE/keys"] = m.Signed.Targets["firmware/gatehouse-7.img"]
	}, "f1", "f2")
	tree["2.firmware.json"] = tree["1.firmware.json"]
	restamp(t, tree, noon, asVersion(tree, FirmwareRole, 2))
	adopt(t, newCache(t, disk, n.root), tree, noon)
	set = newCache(t, disk, n.root).Current()
	if _, ok := set.Firmware("gatehouse-7.img"); ok || !strings.Contains(set.Unusable, "not its own") || len(set.Keys([]byte("DE"))) != 1 {
		t.Errorf("firmware %v, %q", ok, set.Unusable)
	}
}

// A refresh that was cut short anywhere can be done again, and a gate that read in between took
// the old state or nothing.
func TestRefreshCutShortIsDoneAgain(t *testing.T) {
	n := newNation(t, "DE")
	c := newCache(t, newRAM(), n.root)
	adopt(t, c, n.tree(), noon)
	n.later(time.Hour)
	_, err := n.desk.Rotate(metadata.ROOT, Change{Life: 365 * Day})
	n.must(err)
	n.sign("", "r1", "r2", "r3")
	n.publish("DE", 2)
	before := filepath.Join(t.TempDir(), "before")
	n.must(os.CopyFS(before, os.DirFS(n.desk.Dir)))
	n.refresh()
	var fresh []string
	for path := range n.tree() {
		if _, err := os.Stat(filepath.Join(before, path)); errors.Is(err, os.ErrNotExist) {
			fresh = append(fresh, path)
		}
	}
	if len(fresh) != 3 { // 2.root, 2.DE, 2.snapshot; the files of DE came with the draft
		t.Fatalf("fresh files: %v", fresh)
	}
	slices.Sort(fresh)
	for cut := range len(fresh) + 1 {
		dir := filepath.Join(t.TempDir(), "cut")
		n.must(os.CopyFS(dir, os.DirFS(before)))
		for _, path := range fresh[:cut] {
			text, err := os.ReadFile(n.desk.path(path))
			n.must(err)
			n.must(os.WriteFile(filepath.Join(dir, path), text, 0o600))
		}
		src, closer, err := OpenFolder(dir)
		n.must(err)
		if set, err := c.Adopt(src, n.desk.Now, true); err == nil && set.Versions()["timestamp"] != 1 {
			t.Errorf("cut after %d: a gate took version %d", cut, set.Versions()["timestamp"])
		}
		n.must(closer.Close())
		again := Desk{dir, n.desk.Now.Add(time.Minute)}
		set, taken, err := again.Refresh([]crypto.Signer{testKey("desk")}, 30*Day, 14*Day)
		if err != nil || set.Versions()["root"] != 2 || set.Regions()[0].List != 2 || len(taken) != 2 {
			t.Fatalf("cut after %d: took in %v, %v", cut, taken, err)
		}
	}
}

func TestDeskPublishesNoOtherWordsUnderAnOldVersion(t *testing.T) {
	n := newNation(t, "CN-330100")
	list := filepath.Join(t.TempDir(), "keys")
	n.must(os.WriteFile(list, append(listText("CN-330100", 1, "CN-330100"), '\n'), 0o600)) // version 1 is published
	n.must(n.desk.Publish("CN-330100", map[string]string{Keys: list}, 90*Day))
	n.sign("CN-330100", "CN-330100-1", "CN-330100-2")
	if _, _, err := n.desk.Refresh([]crypto.Signer{testKey("desk")}, 30*Day, 14*Day); err == nil || !strings.Contains(err.Error(), "version 1 was in use and said something else") {
		t.Errorf("refresh: %v", err)
	}
	n.must(os.WriteFile(list, listText("CN-330100", 2, "CN-330100"), 0o600))
	n.must(n.desk.Publish("CN-330100", map[string]string{Keys: list}, 90*Day))
	n.sign("CN-330100", "CN-330100-1", "CN-330100-2")
	n.refresh()
}
