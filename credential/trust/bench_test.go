package trust

import (
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// largeNation is a nation of many regions with keys, policy and a list of revocations each. It
// goes around the desk's commands, which read the whole folder each time.
func largeNation(b *testing.B, regions, keys int) *nation {
	b.Helper()
	n := newNation(b)
	s, err := n.desk.state()
	n.must(err)
	national, err := s.nextNational()
	n.must(err)
	d := national.Signed.Delegations
	for i := range regions {
		id := fmt.Sprintf("CN-%06d", 110000+i)
		ids, err := addKeys(d.Keys, signers(id+"-1", id+"-2", id+"-3"))
		n.must(err)
		d.Roles = append(d.Roles, metadata.DelegatedRole{Name: id, KeyIDs: ids, Threshold: 2, Terminating: true, Paths: []string{pathOf(id)}})
		m := metadata.Targets(noon.Add(90 * Day))
		m.Signed.UnrecognizedFields = map[string]any{issuedField: noon.Format(time.RFC3339)}
		for name, text := range map[string][]byte{Keys: manyKeys(id, keys), Policy: make([]byte, 4<<10), Revocations: make([]byte, 4<<10)} {
			length, hashes := describe(text)
			m.Signed.Targets["region/"+id+"/"+name] = &metadata.TargetFiles{Length: length, Hashes: hashes}
			path := n.desk.path(targetPath("region/"+id+"/"+name, hashes["sha256"]))
			n.must(os.MkdirAll(filepath.Dir(path), 0o755))
			n.must(os.WriteFile(path, text, 0o600))
		}
		n.must(signWith(m, testKey(id+"-1")))
		n.must(signWith(m, testKey(id+"-2")))
		text, err := encode(m)
		n.must(err)
		n.must(os.WriteFile(n.desk.path(draftPath(id)), text, 0o600))
	}
	n.must(redraft(n.desk, metadata.TARGETS, national, 365*Day))
	n.sign(metadata.TARGETS, "r1", "r2", "r3")
	_, _, err = n.desk.Refresh([]crypto.Signer{testKey("desk")}, 30*Day, 14*Day)
	n.must(err)
	return n
}

// BenchmarkImport is a stick in a new board: 1,000 regions with four keys each.
func BenchmarkImport(b *testing.B) {
	n := largeNation(b, 1_000, 4)
	src, closer, err := OpenFolder(n.desk.Dir)
	n.must(err)
	defer closer.Close()
	var c *Cache
	before := spent(b)
	for b.Loop() {
		c, err = Open(filepath.Join(b.TempDir(), "cache"), n.root)
		n.must(err)
		_, err = c.Adopt(src, noon, true)
		n.must(err)
	}
	if c.Current().Len() != 4_000 {
		b.Fatalf("%d keys", c.Current().Len())
	}
	b.StopTimer()
	b.ReportMetric((spent(b)-before).Seconds()*1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(heldBytes(func() { c = nil }))/1024, "KiB-held")
}

// BenchmarkReopen is the same board after a restart: everything is verified again.
func BenchmarkReopen(b *testing.B) {
	n := largeNation(b, 1_000, 4)
	src, closer, err := OpenFolder(n.desk.Dir)
	n.must(err)
	defer closer.Close()
	dir := filepath.Join(b.TempDir(), "cache")
	c, err := Open(dir, n.root)
	n.must(err)
	_, err = c.Adopt(src, noon, true)
	n.must(err)
	for b.Loop() {
		c, err := Open(dir, n.root)
		n.must(err)
		if c.Current() == nil {
			b.Fatal(c.Fault())
		}
	}
}

// BenchmarkNextDay is the daily beat: one region of a thousand signed something new.
func BenchmarkNextDay(b *testing.B) {
	n := largeNation(b, 1_000, 4)
	src, closer, err := OpenFolder(n.desk.Dir)
	n.must(err)
	defer closer.Close()
	c, err := Open(filepath.Join(b.TempDir(), "cache"), n.root)
	n.must(err)
	_, err = c.Adopt(src, n.desk.Now, true)
	n.must(err)
	for b.Loop() {
		b.StopTimer()
		n.later(time.Minute)
		n.refresh()
		b.StartTimer()
		_, err = c.Adopt(src, n.desk.Now, true)
		n.must(err)
	}
}

func BenchmarkKeys(b *testing.B) {
	n := largeNation(b, 100, 4)
	src, closer, err := OpenFolder(n.desk.Dir)
	n.must(err)
	defer closer.Close()
	c, err := Open(filepath.Join(b.TempDir(), "cache"), n.root)
	n.must(err)
	_, err = c.Adopt(src, noon, true)
	n.must(err)
	kid := fmt.Appendf(nil, "CN-%06d/1", 110042)
	b.ReportAllocs()
	for b.Loop() {
		if len(c.Keys(kid)) != 1 {
			b.Fatal("no key")
		}
	}
}

// heldBytes is how much memory goes when something is let go.
func heldBytes(letGo func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	letGo()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return before.HeapAlloc - min(after.HeapAlloc, before.HeapAlloc)
}

// spent is the processor time of this program, which tells more than the clock on a machine
// that is shared.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
