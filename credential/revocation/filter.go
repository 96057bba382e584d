package revocation

import (
	"encoding/binary"
	"fmt"

	"github.com/FastFilter/xorfilter"
)

// fuse is a binary fuse filter with 16 bits for a fingerprint: 18 bits for each key held, and
// one stranger in 65,536 taken for a key. A filter without fingerprints holds no key.
type fuse = xorfilter.BinaryFuse[uint16]

// maxSegment is the longest segment that a binary fuse filter is made with.
const maxSegment = 1 << 18

// buildFilter makes the filter over keys that are sorted and without a duplicate.
func buildFilter(keys []uint64) (fuse, error) {
	if len(keys) == 0 {
		return fuse{}, nil
	}
	f, err := xorfilter.NewBinaryFuse[uint16](keys)
	if err != nil {
		return fuse{}, fmt.Errorf("build filter of %d keys: %w", len(keys), err)
	}
	return *f, nil
}

func has(f *fuse, key uint64) bool { return len(f.Fingerprints) > 0 && f.Contains(key) }

// appendFilter writes the filter's shape and its fingerprints.
func appendFilter(b []byte, f fuse) []byte {
	b = binary.BigEndian.AppendUint64(b, f.Seed)
	b = binary.BigEndian.AppendUint32(b, f.SegmentLength)
	b = binary.BigEndian.AppendUint32(b, f.SegmentCount)
	for _, print := range f.Fingerprints {
		b = binary.BigEndian.AppendUint16(b, print)
	}
	return b
}

// readFilter reads the filter over so many entries. A look-up computes three places from the
// shape and does not look whether they are there: a shape that is not exactly one that the
// filter's makers would have made is refused, and what is derived from it is derived here.
func readFilter(c *cursor, entries int) (f fuse, err error) {
	shape, err := c.next(16)
	if err != nil {
		return f, fmt.Errorf("filter: %w", err)
	}
	f.Seed = binary.BigEndian.Uint64(shape)
	f.SegmentLength = binary.BigEndian.Uint32(shape[8:])
	f.SegmentCount = binary.BigEndian.Uint32(shape[12:])
	length, count := uint64(f.SegmentLength), uint64(f.SegmentCount)
	if length < 4 || length > maxSegment || length&(length-1) != 0 {
		return fuse{}, c.flaw("filter: a segment of %d fingerprints; a power of two from 4 to %d is due", length, maxSegment)
	}
	// The third place of a key lies up to two segments behind its first.
	prints := (count + 2) * length
	if count == 0 || prints > 2*uint64(entries)+64 {
		return fuse{}, c.flaw("filter: %d segments of %d fingerprints for %d entries", count, length, entries)
	}
	if err := c.holds("filter", int64(2*prints)); err != nil {
		return fuse{}, err
	}
	f.SegmentLengthMask = f.SegmentLength - 1
	f.SegmentCountLength = f.SegmentCount * f.SegmentLength
	f.Fingerprints = make([]uint16, prints)
	for rest := f.Fingerprints; len(rest) > 0; {
		n := min(len(rest), readAhead/2)
		b, err := c.next(2 * n)
		if err != nil {
			return fuse{}, fmt.Errorf("filter: %w", err)
		}
		for i := range n {
			rest[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		rest = rest[n:]
	}
	return f, nil
}
