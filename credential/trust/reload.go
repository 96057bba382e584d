package trust

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// reload reads the folder from nothing.
func (c *Cache) reload() {
	var faults []error
	f, err := c.readFloors()
	if err != nil {
		faults = append(faults, fmt.Errorf("floors.json is damaged: %w: the floors are taken from the slots", err))
	}
	current := c.pointer()
	order := []string{"a", "b"}
	if current != "" {
		order = []string{current[:1], other(current[:1])}
	}
	sets := map[string]*Set{}
	for i, slot := range order {
		s, err := c.verify(slot)
		if err != nil && (i == 0 && current != "" || !errors.Is(err, fs.ErrNotExist)) {
			faults = append(faults, fmt.Errorf("slot %s is damaged: %w", slot, err))
		}
		if err == nil {
			sets[slot] = s
		}
	}
	if len(f.Marks) == 0 {
		// Damaged or gone, and known still to a gate that runs. Each slot was in use or was to be,
		// so that the newer one is the floor: the name in current, which nobody signs, must not
		// bring the older one back.
		f = c.floors
		for _, s := range slices.SortedFunc(maps.Values(sets), older) {
			f = f.raised(s)
		}
	}
	slot := best(order, current, sets, f)
	next := sets[slot]
	below := error(nil)
	if next != nil {
		if below = f.under(next); below == nil {
			f = f.raised(next)
		}
	}
	switch {
	case c.set.Load() != nil && (next == nil || below != nil):
		// What is in memory was verified, and outlives its file.
		next, slot = c.set.Load(), c.slot
	case next == nil && (len(faults) > 0 || len(f.Marks) > 0):
		faults = append(faults, errors.New("no slot can be used: no key is known until trust is imported again"))
	case below != nil:
		faults = append(faults, fmt.Errorf("an older set serves from slot %s until trust is imported again: %w", slot, below))
	}
	c.put(next, slot, current, f, errors.Join(faults...))
}

// older orders sets by who had the word first: a version counts under one root and one targets
// role only, since thieves of a key sign the highest that there is.
func older(a, b *Set) int {
	return cmp.Or(
		cmp.Compare(a.versions[metadata.ROOT], b.versions[metadata.ROOT]),
		cmp.Compare(a.versions[metadata.TARGETS], b.versions[metadata.TARGETS]),
		cmp.Compare(a.versions[metadata.TIMESTAMP], b.versions[metadata.TIMESTAMP]),
	)
}

// best is the slot to use: the one that current names, unless it is damaged or lies below the
// floors and the other does not. Without current it is the newer.
func best(order []string, current string, sets map[string]*Set, f floors) string {
	first, second := sets[order[0]], sets[order[1]]
	switch {
	case second == nil && first == nil:
		return ""
	case second == nil:
		return order[0]
	case first == nil:
		return order[1]
	case f.under(first) != nil && f.under(second) == nil:
		return order[1]
	case current == "" && older(first, second) < 0:
		return order[1]
	}
	return order[0]
}

// verify reads a slot as if a stranger had brought it, but for expiry.
func (c *Cache) verify(slot string) (*Set, error) {
	a, kept, err := openSlot(c.disk, slot+".zip")
	if err != nil {
		return nil, err
	}
	l := &loader{src: a, pinned: c.pinned, record: kept}
	if err := l.load(); err != nil {
		a.file.Close()
		return nil, err
	}
	for _, r := range l.set.regions {
		for _, f := range r.files {
			if err := copyFile(io.Discard, a, f); err != nil {
				a.file.Close()
				return nil, err
			}
		}
	}
	return l.set, nil
}

func other(slot string) string {
	if slot == "a" {
		return "b"
	}
	return "a"
}
