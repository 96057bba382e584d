package revocation

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gatehouse/credential"
)

// BenchmarkList measures what a list costs a gate: a million entries, which is usual, and ten,
// which is the most that is promised for. The file lies on a disk and is read from there.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) { benchmarkList(b, n) })
	}
}

func benchmarkList(b *testing.B, n int) {
	path := filepath.Join(b.TempDir(), "revocations")
	publish(b, path, n)
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		b.Fatal(err)
	}

	var l *List
	before := inUse()
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			l = nil // the gate's old list is gone before the next is counted
			if l, err = Open(file, info.Size()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(info.Size())/1e6, "file-MB")
	})
	held := inUse() - before

	strangers := make([]credential.Revocable, 1<<16)
	for i := range strangers {
		strangers[i] = code(i)
	}
	listed := random(uint64(n), 1<<16)
	for _, look := range []struct {
		what string
		up   func(i int)
	}{
		{"stranger", func(i int) { l.Standing(strangers[i%len(strangers)]) }},
		{"listed", func(i int) {
			if found, err := l.exact.has(listed[i%len(listed)]); err != nil || !found {
				b.Fatalf("%t, %v", found, err)
			}
		}},
	} {
		b.Run(look.what, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				look.up(i)
				i++
			}
			b.ReportMetric(float64(held)/1e6, "held-MB")
			b.ReportMetric(float64(l.Memory())/1e6, "counted-MB")
		})
	}
	runtime.KeepAlive(l)
}

// publish writes a file with n entries and as many changes as may stand behind them; what
// that took is garbage when it returns.
func publish(b *testing.B, path string, n int) {
	file := build(b, Base{Issuer: hangzhou, Version: 1, Prefixes: random(uint64(n), n), Exact: true})
	file = extend(b, file, Delta{From: 1, To: 2, Adds: random(uint64(n)+1, MaxChanges/2), Removes: random(uint64(n)+2, MaxChanges/2)})
	if err := os.WriteFile(path, file, 0o600); err != nil {
		b.Fatal(err)
	}
}

// inUse is the memory of everything alive, in bytes.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkBuild is the region's side: B/op is what it takes, nearly all of it at once.
func BenchmarkBuild(b *testing.B) {
	prefixes := random(1, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		build(b, Base{Issuer: hangzhou, Version: 1, Prefixes: prefixes, Exact: true})
	}
}

// BenchmarkBloom is a look-up in an EU filter of 24 bits an element, 17 rounds.
func BenchmarkBloom(b *testing.B) {
	words := make([]uint32, 750_000)
	filter, err := newBloom(words, 32*uint64(len(words)), 17)
	if err != nil {
		b.Fatal(err)
	}
	for n := range 100_000 {
		filter.add(hashOf(fmt.Sprint(n)))
	}
	element := hashOf("7")
	for b.Loop() {
		if !filter.Has(element) {
			b.Fatal("lost")
		}
	}
}
