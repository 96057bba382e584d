package revocation

import (
	"bytes"
	"testing"
	"time"

	"gatehouse/credential"
)

func FuzzOpen(f *testing.F) {
	f.Add(build(f, Base{Issuer: hangzhou, Version: 1, Exact: true}))
	f.Add(build(f, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 9)}))
	whole := build(f, Base{Issuer: "DE", Version: 1, Prefixes: taken(0, 30), Exact: true})
	f.Add(whole)
	f.Add(extend(f, whole, Delta{From: 1, To: 9, Adds: taken(30, 33), Removes: taken(0, 3)}))
	f.Add(build(f, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, window), Exact: true}))
	f.Fuzz(func(t *testing.T, file []byte) {
		l, err := Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		if l.Memory() > 8*len(file)+64 {
			t.Errorf("%d bytes of file hold %d of memory", len(file), l.Memory())
		}
		for n := range 64 {
			l.Standing(code(n))
		}
		if !l.Exact() {
			return
		}
		prefixes, err := l.Prefixes()
		if err != nil {
			t.Fatal(err)
		}
		// What a file says survives being written anew.
		again := open(t, build(t, Base{Issuer: l.Issuer(), Version: l.Version(), Prefixes: prefixes, Exact: true}))
		for n := range 64 {
			if got, want := again.Standing(code(n)), l.Standing(code(n)); got != want {
				t.Errorf("code %d is %d when written anew, %d before", n, got, want)
			}
		}
	})
}

func FuzzBloom(f *testing.F) {
	f.Add(bloomBytes(1, 0, 3, []uint32{0x80000001, 0}), []byte("a"))
	f.Add(bloomBytes(1, 3, 0, []uint32{0xffffffff}), []byte("a"))
	f.Add(bloomBytes(1, 0, 0, []uint32{1}), []byte{})
	f.Add(bloomBytes(1, 0, 127, nil), []byte{})
	f.Fuzz(func(t *testing.T, b, element []byte) {
		filter, err := ReadBloom(b)
		if err != nil {
			return
		}
		if filter.rounds < 1 || filter.rounds > maxRounds || uint64(len(filter.words))*32 != filter.size {
			t.Errorf("%d rounds in %d bits of %d words", filter.rounds, filter.size, len(filter.words))
		}
		filter.Has(element)
	})
}

func FuzzHashList(f *testing.F) {
	f.Add([]byte{0, 1, 0x3d, 0xcc, 0xcc, 0xcd, 0, 0, 0, 3, 2, 0xff, 1, 2, 3, 0xff, 1})
	f.Add([]byte{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ReadHashList(b)
		if err != nil {
			return
		}
		for i := range l.Len() {
			if !l.Has(l.hash(i)) {
				t.Errorf("hash %d of %d is not found", i, l.Len())
			}
		}
		for from := b[partialHead:]; len(from) > 0; from = from[l.width:] {
			if !l.Has(from[:l.width]) {
				t.Errorf("%x was listed and is not found", from[:l.width])
			}
		}
	})
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte(goodBatch))
	f.Add([]byte(`{"country":"DE","expires":"2022-11-01T00:00:00Z","kid":"UNKNOWN_KID","hashType":"UCI","entries":[]}`))
	f.Add([]byte(`{"country":"DE","country":"FR"}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := ReadBatch(b)
		if err != nil {
			return
		}
		batch.List().Standing(credential.Revocable{Issuer: batch.Country, Key: batch.Key, ID: []byte("URN:UVCI:01DE/1")})
		if got := len(batch.Prefixes()); got != batch.Hashes.Len() {
			t.Errorf("%d prefixes of %d hashes", got, batch.Hashes.Len())
		}
	})
}

func FuzzCRL(f *testing.F) {
	f.Add([]byte(goodCRL))
	f.Add([]byte(`{"kid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","method":"rid","ctr":1,"rids":["a.0"]}`))
	f.Add([]byte(`{"kid":"","rids":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ReadCRL(b)
		if err != nil {
			return
		}
		for rid := range l.until {
			if !l.Revoked(rid, time.Time{}) {
				t.Errorf("%q is listed and in force", rid)
			}
		}
		l.Standing(credential.Revocable{Key: l.Key, ID: []byte("a")})
	})
}
