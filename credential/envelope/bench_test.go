package envelope

import (
	"testing"

	"gatehouse"
)

// BenchmarkBoot is what a gate does once when it is switched on.
func BenchmarkBoot(b *testing.B) {
	public := newKey(b).Public()
	var s *Sealer
	for b.Loop() {
		var err error
		if s, err = NewSealer(public, gate, epoch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(s.Header())), "header-bytes")
}

// BenchmarkRow is what each passage costs on the gate.
func BenchmarkRow(b *testing.B) {
	s, _ := pair(b, newKey(b), gate, epoch)
	f := example()
	seq, bytes := gatehouse.Seq(0), 0
	b.ReportAllocs()
	for b.Loop() {
		seq++
		sealed, err := s.Seal(seq, f)
		if err != nil {
			b.Fatal(err)
		}
		bytes = len(sealed)
	}
	b.ReportMetric(float64(bytes), "row-bytes")
}

// BenchmarkOpen is what a header and then each row cost the region.
func BenchmarkOpen(b *testing.B) {
	key := newKey(b)
	s, o := pair(b, key, gate, epoch)
	sealed, err := s.Seal(1, example())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("header", func(b *testing.B) {
		for b.Loop() {
			if _, err := NewOpener(key, s.header, gate, epoch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("row", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.Open(1, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
}
