package revocation

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A Delta is what a region changed between two versions of its list.
type Delta struct {
	From, To uint64
	Adds     []uint64 // prefixes of codes taken back
	Removes  []uint64 // prefixes of codes that count again
}

// Diff is the delta that leads from the prefixes of one version to those of another, in
// whatever order they are given.
func Diff(from, to uint64, before, after []uint64) Delta {
	before, after = sorted(slices.Clone(before)), sorted(slices.Clone(after))
	return Delta{From: from, To: to, Adds: without(after, before), Removes: without(before, after)}
}

// without gives what is in all and not in others, both sorted.
func without(all, others []uint64) (left []uint64) {
	for _, p := range all {
		for len(others) > 0 && others[0] < p {
			others = others[1:]
		}
		if len(others) == 0 || others[0] != p {
			left = append(left, p)
		}
	}
	return left
}

// sorted sorts in place and drops duplicates.
func sorted(prefixes []uint64) []uint64 {
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// deltaMark begins a delta.
const deltaMark = 'D'

func (d Delta) append(b []byte) []byte {
	b = append(b, deltaMark)
	b = binary.BigEndian.AppendUint64(b, d.From)
	b = binary.BigEndian.AppendUint64(b, d.To)
	b = binary.BigEndian.AppendUint32(b, uint32(len(d.Adds)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(d.Removes)))
	for _, p := range d.Adds {
		b = binary.BigEndian.AppendUint64(b, p)
	}
	for _, p := range d.Removes {
		b = binary.BigEndian.AppendUint64(b, p)
	}
	return b
}

// readDeltas reads the chain of deltas behind the base, up to the end of the file. The last
// that speaks of a code is right.
func (l *List) readDeltas(c *cursor) error {
	var changes []change
	for n := 1; c.at < c.size; n++ {
		if n > maxDeltas {
			return c.flaw("more than %d deltas", maxDeltas)
		}
		d, err := readDelta(c, l.version, MaxChanges-len(changes))
		if err != nil {
			return fmt.Errorf("delta %d: %w", n, err)
		}
		for _, p := range d.Adds {
			changes = append(changes, change{prefix: p, delta: n, added: true})
		}
		for _, p := range d.Removes {
			changes = append(changes, change{prefix: p, delta: n})
		}
		l.version = d.To
	}
	return l.settle(changes)
}

// A change is one delta's word on one prefix.
type change struct {
	prefix uint64
	delta  int
	added  bool
}

// settle keeps the last word on each prefix, and a filter before these: that is three looks
// into memory for a stranger where a search through both would be thirty.
func (l *List) settle(changes []change) (err error) {
	slices.SortFunc(changes, func(a, b change) int {
		switch {
		case a.prefix < b.prefix, a.prefix == b.prefix && a.delta < b.delta:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	for i, last := range changes {
		switch {
		case i+1 < len(changes) && changes[i+1].prefix == last.prefix:
		case last.added:
			l.added = append(l.added, last.prefix)
		default:
			l.removed = append(l.removed, last.prefix)
		}
	}
	l.added, l.removed = slices.Clone(l.added), slices.Clone(l.removed) // without the room to grow
	l.changed, err = buildFilter(slices.Concat(l.added, l.removed))
	return err
}

// readDelta reads one delta that leads on from a version, with room for so many changes.
func readDelta(c *cursor, from uint64, room int) (d Delta, err error) {
	b, err := c.next(25)
	if err != nil {
		return d, err
	}
	d.From, d.To = binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:])
	adds, removes := binary.BigEndian.Uint32(b[17:]), binary.BigEndian.Uint32(b[21:])
	total := uint64(adds) + uint64(removes)
	switch {
	case b[0] != deltaMark:
		return d, c.flaw("begins with 0x%02x, not with 0x%02x", b[0], deltaMark)
	case d.From != from:
		return d, c.flaw("leads on from version %d, %d is due", d.From, from)
	case d.To <= d.From:
		return d, c.flaw("leads from version %d to %d", d.From, d.To)
	case total == 0:
		return d, c.flaw("changes nothing")
	case total > uint64(room):
		return d, c.flaw("%d changes, and there is room for %d: a new base is due", total, room)
	}
	if d.Adds, err = readSorted(c, "adds", int(adds)); err != nil {
		return d, err
	}
	if d.Removes, err = readSorted(c, "removes", int(removes)); err != nil {
		return d, err
	}
	for _, p := range d.Adds {
		if _, both := slices.BinarySearch(d.Removes, p); both {
			return d, c.flaw("adds and removes %016x", p)
		}
	}
	return d, nil
}

func readSorted(c *cursor, what string, n int) ([]uint64, error) {
	if err := c.holds(what, 8*int64(n)); err != nil {
		return nil, err
	}
	prefixes := make([]uint64, n)
	for i := range prefixes {
		b, err := c.next(8)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		prefixes[i] = binary.BigEndian.Uint64(b)
		if i > 0 && prefixes[i] <= prefixes[i-1] {
			return nil, c.flaw("%s: entry %d is not above the one before it", what, i)
		}
	}
	return prefixes, nil
}
