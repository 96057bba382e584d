package store

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"gatehouse"
)

// BenchmarkRecord is one durable passage. Beside it stands what the disk needs for one
// synced write of a page, which no book can beat.
func BenchmarkRecord(b *testing.B) {
	l := openLog(b, filepath.Join(b.TempDir(), "book.db"))
	for i := 0; b.Loop(); i++ {
		if _, err := l.Record(b.Context(), admitted(i)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSyncedPage appends to a file that is long enough already, as a WAL is after its
// first checkpoint. fdatasync is what the disk can do; fsync, which also writes the file's
// times, is what this build of SQLite calls.
func BenchmarkSyncedPage(b *testing.B) {
	for name, sync := range map[string]func(fd int) error{"fdatasync": unix.Fdatasync, "fsync": unix.Fsync} {
		b.Run(name, func(b *testing.B) { benchmarkSyncedPage(b, sync) })
	}
}

func benchmarkSyncedPage(b *testing.B, sync func(fd int) error) {
	const length = 4 << 20
	f, err := os.Create(filepath.Join(b.TempDir(), "pages"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, length)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	page := make([]byte, 4096)
	for i := int64(0); b.Loop(); i++ {
		page[0]++
		if _, err := f.WriteAt(page, i*4096%length); err != nil {
			b.Fatal(err)
		}
		if err := sync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTake500(b *testing.B) {
	l, err := OpenLedger(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	c := newChain(b, "hall-east", 1, 500)
	for i := 0; b.Loop(); i++ {
		c.epoch = Epoch{byte(i), byte(i >> 8), byte(i >> 16)}
		if _, _, err := l.Take(b.Context(), c.gate, c.epoch, 1, Genesis(c.gate, c.epoch), c.rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkPending500(b *testing.B) {
	l := openLog(b, filepath.Join(b.TempDir(), "book.db"))
	record(b, l, 600)
	for b.Loop() {
		if _, _, rows, err := l.Pending(b.Context(), 500); err != nil || len(rows) != 500 {
			b.Fatal(len(rows), err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	p := admitted(1)
	p.Seq, p.Gate = 1, "hall-east"
	var row []byte
	for b.Loop() {
		var err error
		if row, err = Encode(p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(row)), "bytes/row")
}

func BenchmarkDecode(b *testing.B) {
	p := admitted(1)
	p.Seq, p.Gate = 1, "hall-east"
	row, err := Encode(p)
	if err != nil {
		b.Fatal(err)
	}
	var back gatehouse.Passage
	for b.Loop() {
		if back, err = Decode(row); err != nil {
			b.Fatal(err)
		}
	}
	if back != p {
		b.Fatalf("got %+v, want %+v", back, p)
	}
}
