package revocation

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// The places of a file of hangzhou's, as docs/revocation.md gives them.
const (
	atIssuer  = 8
	atVersion = 8 + 1 + 9
	atEntries = atVersion + 8
	atForm    = atEntries + 4
	atSeed    = atForm + 1
	atSegment = atSeed + 8
	atCount   = atSegment + 4
	atPrints  = atCount + 4
)

func put32(b []byte, at int, v uint32) { binary.BigEndian.PutUint32(b[at:], v) }
func put64(b []byte, at int, v uint64) { binary.BigEndian.PutUint64(b[at:], v) }

func TestOpenRefusesAndSaysWhere(t *testing.T) {
	whole := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 100), Exact: true})
	wide := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 1000), Exact: true})
	prints := 2 * len(open(t, whole).filter.Fingerprints)
	list := atPrints + prints + 4 // behind the one bucket's bound
	wideBounds := atPrints + 2*len(open(t, wide).filter.Fingerprints)
	delta := len(whole)
	chain := extend(t, whole, Delta{From: 1, To: 2, Adds: taken(200, 203), Removes: taken(0, 3)})

	for _, c := range []struct {
		what string
		file []byte
		harm func(b []byte) []byte
		want string
	}{
		{"nothing", nil, nil, "byte 0: file: 9 bytes are due and 0 are left"},
		{"another file", whole, func(b []byte) []byte { b[0] = 'g'; return b }, "not a list of revocations"},
		{"a later form", whole, func(b []byte) []byte { b[7] = 2; return b }, "not a list of revocations"},
		{"no issuer", whole, func(b []byte) []byte { b[atIssuer] = 0; return b }, "name of 0 bytes"},
		{"long issuer", whole, func(b []byte) []byte { b[atIssuer] = 33; return b }, "name of 33 bytes"},
		{"issuer with a line break", whole, func(b []byte) []byte { b[atIssuer+1] = '\n'; return b }, "letters, digits and hyphens"},
		{"no version", whole, func(b []byte) []byte { put64(b, atVersion, 0); return b }, "base: byte 31: version 0"},
		{"too many entries", whole, func(b []byte) []byte { put32(b, atEntries, MaxEntries+1); return b }, "16777217 entries"},
		{"unknown form", whole, func(b []byte) []byte { b[atForm] = 2; return b }, "form 2 of a base"},
		{"segment that is no power of two", whole, func(b []byte) []byte { put32(b, atSegment, 63); return b }, "a segment of 63"},
		{"segment of nothing", whole, func(b []byte) []byte { put32(b, atSegment, 0); return b }, "a segment of 0"},
		{"segment too short", whole, func(b []byte) []byte { put32(b, atSegment, 2); return b }, "a segment of 2"},
		{"segment too long", whole, func(b []byte) []byte { put32(b, atSegment, 1<<19); return b }, "a segment of 524288"},
		{"no segments", whole, func(b []byte) []byte { put32(b, atCount, 0); return b }, "0 segments"},
		{"segments past counting", whole, func(b []byte) []byte { put32(b, atCount, 1<<32-1); return b }, "4294967295 segments"},
		{"filter wider than its entries", whole, func(b []byte) []byte { put32(b, atSegment, 1<<18); return b }, "for 100 entries"},
		{"filter promised, not held", wide[:atPrints+100], nil, "filter: 2816 bytes are due and 100 are left"},
		{"entries promised, not held", whole, func(b []byte) []byte { return b[:len(b)-1] }, "list: 804 bytes are due and 803 are left"},
		{"a million entries promised", build(t, Base{Issuer: hangzhou, Version: 1, Exact: true}), func(b []byte) []byte {
			put32(b, atEntries, 1_000_000)
			b = binary.BigEndian.AppendUint64(b[:atSeed], 1)
			b = binary.BigEndian.AppendUint32(b, 1<<12)
			return binary.BigEndian.AppendUint32(b, 300)
		}, "bytes are due and 0 are left"},
		{"list that does not add up", whole, func(b []byte) []byte { put32(b, list-4, 99); return b }, "the buckets hold 99 of 100"},
		{"bucket past the list", whole, func(b []byte) []byte { put32(b, list-4, 101); return b }, "bucket 0 ends at 101"},
		{"bucket that ends before it begins", wide, func(b []byte) []byte { put32(b, wideBounds+4, 0); return b }, "bucket 1 ends at 0"},
		{"unsorted list", whole, func(b []byte) []byte {
			first := slices.Clone(b[list : list+8])
			copy(b[list:], b[list+8:list+16])
			copy(b[list+8:], first)
			return b
		}, "entry 1 is not above"},
		{"duplicate", whole, func(b []byte) []byte { copy(b[list+8:list+16], b[list:list+8]); return b }, "entry 1 is not above"},
		{"entry that the filter does not know", whole, func(b []byte) []byte { b[list+7] ^= 1; return b }, "the filter does not know entry 0"},
		{"filter of other keys", whole, func(b []byte) []byte { b[atSeed] ^= 1; return b }, "the filter does not know entry"},
		{"more behind the base", whole, func(b []byte) []byte { return append(b, 'D') }, "delta 1: byte 1"},
		{"what is no delta", chain, func(b []byte) []byte { b[delta] = 'E'; return b }, "begins with 0x45"},
		{"gap", chain, func(b []byte) []byte { put64(b, delta+1, 2); return b }, "leads on from version 2, 1 is due"},
		{"delta that leads nowhere", chain, func(b []byte) []byte { put64(b, delta+9, 1); return b }, "leads from version 1 to 1"},
		{"delta of nothing", chain[:delta+25], func(b []byte) []byte { put64(b, delta+17, 0); return b }, "changes nothing"},
		{"adds past all bounds", chain, func(b []byte) []byte { put32(b, delta+17, 1<<32-1); return b }, "there is room for 131072"},
		{"adds and removes that sum to few", chain, func(b []byte) []byte { put64(b, delta+17, 1<<63|1<<31); return b }, "there is room for 131072"},
		{"adds promised, not held", chain, func(b []byte) []byte { put32(b, delta+17, 1000); return b }, "adds: 8000 bytes are due"},
		{"unsorted adds", chain, func(b []byte) []byte { put64(b, delta+25, 1<<64-1); return b }, "adds: entry 1 is not above"},
		{"doubled removes", chain, func(b []byte) []byte { copy(b[delta+57:delta+65], b[delta+49:]); return b }, "removes: entry 1 is not above"},
		{"added and removed at once", chain, func(b []byte) []byte {
			copy(b[delta+25:], b[delta+49:delta+73])
			return b
		}, "adds and removes"},
	} {
		b := slices.Clone(c.file)
		if c.harm != nil {
			b = c.harm(b)
		}
		l, err := Open(bytes.NewReader(b), int64(len(b)))
		if err == nil || l != nil {
			t.Errorf("%s: opened", c.what)
			continue
		}
		if !strings.HasPrefix(err.Error(), "revocations: ") || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "byte ") {
			t.Errorf("%s: %q, want it to say %q and where", c.what, err, c.want)
		}
	}
}

// TestFileCutAnywhereIsRefused: only where a delta ends does a shorter file make sense, and
// then it is the version that was published before.
func TestFileCutAnywhereIsRefused(t *testing.T) {
	file := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 60), Exact: true})
	ends := map[int]uint64{len(file): 1}
	file = extend(t, file, Delta{From: 1, To: 2, Adds: taken(60, 62)})
	ends[len(file)] = 2
	file = extend(t, file, Delta{From: 2, To: 3, Removes: taken(60, 61)})
	ends[len(file)] = 3
	for n := range len(file) + 1 {
		l, err := Open(bytes.NewReader(file[:n]), int64(n))
		version, whole := ends[n]
		if whole != (err == nil) {
			t.Errorf("%d of %d bytes: %v", n, len(file), err)
		}
		if whole && l.Version() != version {
			t.Errorf("%d bytes: version %d, want %d", n, l.Version(), version)
		}
	}
	// A size that the reader does not have is a card that gives out, not a panic.
	if _, err := Open(bytes.NewReader(file), int64(len(file)+100)); err == nil {
		t.Error("a file shorter than its size was opened")
	}
	if _, err := Open(bytes.NewReader(file), -1); err == nil {
		t.Error("a file of negative size was opened")
	}
}

// TestFlippedBitNeverPanics flips each bit of a file in turn and asks for every code.
func TestFlippedBitNeverPanics(t *testing.T) {
	file := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: taken(0, 20), Exact: true})
	file = extend(t, file, Delta{From: 1, To: 2, Adds: taken(20, 22)})
	opened := 0
	for bit := range 8 * len(file) {
		b := slices.Clone(file)
		b[bit/8] ^= 1 << (bit % 8)
		l, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		opened++
		for n := range 40 {
			l.Standing(code(n))
		}
	}
	if opened == 0 || opened > 4*len(file) {
		t.Errorf("%d of %d files with a flipped bit were opened", opened, 8*len(file))
	}
}

// TestFilterOfEveryShapeIsRead: what the filter's makers choose for any number of entries
// stands within what a gate takes.
func TestFilterOfEveryShapeIsRead(t *testing.T) {
	for n := 1; n < 500_000; n += 1 + n/3 {
		file := build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: random(uint64(n), n)})
		if l := open(t, file); l.Entries() != n {
			t.Errorf("%d entries, want %d", l.Entries(), n)
		}
	}
	for n := 1; n < 600; n++ {
		open(t, build(t, Base{Issuer: hangzhou, Version: 1, Prefixes: random(uint64(n), n)}))
	}
}
