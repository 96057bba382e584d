package revocation

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sort"
)

// A shelf is the exact prefixes of a base where they lie, in the file: sorted, and cut into
// buckets by their first bytes, which a bucket's prefixes share and which are therefore not
// written. Only the buckets' bounds are in memory.
type shelf struct {
	from  io.ReaderAt
	at    int64    // where the first prefix begins
	width int      // bytes that are written of a prefix
	ends  []uint32 // of each bucket: how many prefixes lie in it and before it
}

// window is how many prefixes are read at once in a search; a bucket holds fewer, unless the
// region's ids are not random.
const window = 512

// shared says how many first bytes the prefixes of a bucket share. It follows from their
// number: a bucket holds some two hundred of a long list, and a short one pays for no bounds.
func shared(entries int) int {
	switch {
	case entries < window:
		return 0
	case entries < 256*window:
		return 1
	}
	return 2
}

// appendShelf writes sorted prefixes, bounds first.
func appendShelf(b []byte, prefixes []uint64) []byte {
	cut := shared(len(prefixes))
	end := 0
	for bucket := range uint64(1) << (8 * cut) {
		for end < len(prefixes) && prefixes[end]>>(64-8*cut) == bucket {
			end++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(end))
	}
	var whole [8]byte
	for _, prefix := range prefixes {
		binary.BigEndian.PutUint64(whole[:], prefix)
		b = append(b, whole[cut:]...)
	}
	return b
}

// readShelf reads bounds and prefixes once, to see that they are sorted and that the filter
// knows each: one that it does not know would never be looked for.
func readShelf(c *cursor, from io.ReaderAt, entries int, f *fuse) (*shelf, error) {
	cut := shared(entries)
	s := &shelf{from: from, width: 8 - cut, ends: make([]uint32, 1<<(8*cut))}
	if err := c.holds("list", int64(4*len(s.ends))+int64(s.width)*int64(entries)); err != nil {
		return nil, err
	}
	before := uint32(0)
	for i := range s.ends {
		b, err := c.next(4)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		end := binary.BigEndian.Uint32(b)
		if end < before || uint64(end) > uint64(entries) {
			return nil, c.flaw("list: bucket %d ends at %d, between %d and %d is due", i, end, before, entries)
		}
		s.ends[i], before = end, end
	}
	if uint64(before) != uint64(entries) {
		return nil, c.flaw("list: the buckets hold %d of %d entries", before, entries)
	}
	s.at = c.at
	err := s.walk(c, func(i int, last, prefix uint64) error {
		if i > 0 && prefix <= last {
			return c.flaw("list: entry %d is not above the one before it", i)
		}
		if !has(f, prefix) {
			return c.flaw("list: the filter does not know entry %d", i)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// walk gives each prefix to do in order, with the one before it.
func (s *shelf) walk(c *cursor, do func(i int, last, prefix uint64) error) error {
	i, last := 0, uint64(0)
	for bucket, end := range s.ends {
		for i < int(end) {
			n := min(int(end)-i, window)
			b, err := c.next(n * s.width)
			if err != nil {
				return fmt.Errorf("list: %w", err)
			}
			for ; len(b) > 0; b = b[s.width:] {
				prefix := s.prefix(bucket, b)
				if err := do(i, last, prefix); err != nil {
					return err
				}
				i, last = i+1, prefix
			}
		}
	}
	return nil
}

// prefix puts a bucket's bytes before the written ones.
func (s *shelf) prefix(bucket int, written []byte) uint64 {
	p := uint64(bucket)
	for _, b := range written[:s.width] {
		p = p<<8 | uint64(b)
	}
	return p
}

// has looks a prefix up in the file. Whatever the file holds, it reads some twenty entries and
// one window at most.
func (s *shelf) has(prefix uint64) (bool, error) {
	bucket := int(prefix >> (8 * s.width))
	low, high := 0, int(s.ends[bucket])
	if bucket > 0 {
		low = int(s.ends[bucket-1])
	}
	read := make([]byte, min(high-low, window)*s.width)
	for high-low > window {
		middle := low + (high-low)/2
		if err := s.read(read[:s.width], middle); err != nil {
			return false, err
		}
		if s.prefix(bucket, read) <= prefix {
			low = middle
		} else {
			high = middle
		}
	}
	read = read[:(high-low)*s.width]
	if err := s.read(read, low); err != nil {
		return false, err
	}
	at := sort.Search(high-low, func(i int) bool { return s.prefix(bucket, read[i*s.width:]) >= prefix })
	return at < high-low && s.prefix(bucket, read[at*s.width:]) == prefix, nil
}

func (s *shelf) read(b []byte, entry int) error {
	if len(b) == 0 {
		return nil
	}
	at := s.at + int64(entry)*int64(s.width)
	if n, err := s.from.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("revocations: read byte %d: %w", at, err)
	}
	return nil
}

// all reads every prefix.
func (s *shelf) all() ([]uint64, error) {
	entries := int(s.ends[len(s.ends)-1])
	prefixes := make([]uint64, 0, entries)
	c := newCursor(io.NewSectionReader(s.from, s.at, int64(entries)*int64(s.width)), int64(entries)*int64(s.width))
	err := s.walk(c, func(_ int, _, prefix uint64) error {
		prefixes = append(prefixes, prefix)
		return nil
	})
	return slices.Clip(prefixes), err
}
