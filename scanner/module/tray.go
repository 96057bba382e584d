package module

import (
	"slices"
	"time"

	"gatehouse"
)

const (
	// holdFor is how long a code must not have been scanned to be new when it comes back: a
	// module in continuous mode gives a code again and again while it is held.
	holdFor = 1500 * time.Millisecond

	// freshFor is how long a text waits for somebody to ask. After that, whoever showed it
	// may have gone.
	freshFor = 3 * time.Second

	// maxTold bounds what is remembered. Nobody shows more codes than that in 1.5 s.
	maxTold = 16
)

// A tray holds the newest text until somebody asks, and remembers what was just told. No
// text stays in it for longer than it can matter.
type tray struct {
	counts  *Counts
	waiting gatehouse.Sighting // Text is empty when nothing waits
	told    []told
}

type told struct {
	text string
	last time.Time // scanned, or told
}

// put lays a scan down, at the time that it bears.
func (t *tray) put(s gatehouse.Sighting) {
	t.forget(s.At)
	t.counts.Scans++
	for i := range t.told {
		if t.told[i].text == s.Text {
			t.told[i].last = s.At
			t.counts.Repeats++
			return
		}
	}
	switch t.waiting.Text {
	case "":
	case s.Text:
		t.counts.Repeats++ // whoever shows it is still there
	default:
		t.counts.Dropped++
	}
	t.waiting = s
}

// take gives the text that waits, if there is one that is fresh enough.
func (t *tray) take(now time.Time) (gatehouse.Sighting, bool) {
	t.forget(now)
	s := t.waiting
	if s.Text == "" {
		return s, false
	}
	t.waiting = gatehouse.Sighting{}
	if len(t.told) == maxTold {
		t.told = slices.Delete(t.told, 0, 1)
	}
	t.told = append(t.told, told{s.Text, now})
	return s, true
}

// forget drops what has become too old.
func (t *tray) forget(now time.Time) {
	t.told = slices.DeleteFunc(t.told, func(o told) bool { return now.Sub(o.last) >= holdFor })
	if t.waiting.Text != "" && now.Sub(t.waiting.At) > freshFor {
		t.counts.Dropped++
		t.waiting = gatehouse.Sighting{}
	}
}
