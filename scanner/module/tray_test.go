package module

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

var epoch = time.Date(2021, 3, 1, 8, 0, 0, 0, time.UTC)

// An event is a scan, or somebody who asks when there is no text.
type event struct {
	at   int // milliseconds
	text string
}

func TestNewestTextWaitsAndNotForLong(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []event
		want   []string
		counts Counts
	}{
		{"a scan", []event{{0, "A"}, {10, ""}}, []string{"A"}, Counts{Scans: 1}},
		{"nothing", []event{{0, ""}}, nil, Counts{}},
		{"told once", []event{{0, "A"}, {10, ""}, {20, ""}}, []string{"A"}, Counts{Scans: 1}},
		{"held on", []event{{0, "A"}, {10, ""}, {1000, "A"}, {2000, "A"}, {3000, "A"}, {3010, ""}}, []string{"A"}, Counts{Scans: 4, Repeats: 3}},
		{"back too soon", []event{{0, "A"}, {10, ""}, {1509, "A"}, {1510, ""}}, []string{"A"}, Counts{Scans: 2, Repeats: 1}},
		{"back after long enough", []event{{0, "A"}, {10, ""}, {1510, "A"}, {1520, ""}}, []string{"A", "A"}, Counts{Scans: 2}},
		{"told late, scanned again", []event{{0, "A"}, {2900, ""}, {3000, "A"}, {3010, ""}}, []string{"A"}, Counts{Scans: 2, Repeats: 1}},
		{"the next person", []event{{0, "A"}, {10, ""}, {100, "B"}, {110, ""}, {200, "A"}, {210, ""}}, []string{"A", "B"}, Counts{Scans: 3, Repeats: 1}},
		{"as old as may be", []event{{0, "A"}, {3000, ""}}, []string{"A"}, Counts{Scans: 1}},
		{"stale", []event{{0, "A"}, {3001, ""}}, nil, Counts{Scans: 1, Dropped: 1}},
		{"stale, then shown again", []event{{0, "A"}, {3001, ""}, {3100, "A"}, {3110, ""}}, []string{"A"}, Counts{Scans: 2, Dropped: 1}},
		{"waits while it is held", []event{{0, "A"}, {1000, "A"}, {2000, "A"}, {4900, ""}}, []string{"A"}, Counts{Scans: 3, Repeats: 2}},
		{"the newest of two", []event{{0, "A"}, {100, "B"}, {200, ""}, {210, ""}}, []string{"B"}, Counts{Scans: 2, Dropped: 1}},
		{"to and fro, none told", []event{{0, "A"}, {100, "B"}, {200, "A"}, {300, ""}}, []string{"A"}, Counts{Scans: 3, Dropped: 2}},
		{"held through another's turn", []event{{0, "A"}, {10, ""}, {500, "B"}, {600, "A"}, {700, ""}, {800, ""}}, []string{"A", "B"}, Counts{Scans: 3, Repeats: 1}},
	} {
		var counts Counts
		y := tray{counts: &counts}
		var told []string
		for _, e := range c.events {
			at := epoch.Add(time.Duration(e.at) * time.Millisecond)
			if e.text != "" {
				y.put(gatehouse.Sighting{Text: e.text, At: at})
			} else if s, ok := y.take(at); ok {
				told = append(told, s.Text)
			}
		}
		if !slices.Equal(told, c.want) || counts != c.counts {
			t.Errorf("%s: told %q, counted %+v; want %q, %+v", c.name, told, counts, c.want, c.counts)
		}
	}
}

func TestManyCodesAtOnceAreBounded(t *testing.T) {
	var counts Counts
	y := tray{counts: &counts}
	at := epoch
	for n := range 100 {
		at = at.Add(time.Millisecond)
		y.put(gatehouse.Sighting{Text: strings.Repeat("x", n+1), At: at})
		if s, ok := y.take(at); !ok || len(s.Text) != n+1 {
			t.Fatalf("code %d: told %q, %v", n, s.Text, ok)
		}
	}
	if len(y.told) != maxTold || len(y.told[maxTold-1].text) != 100 {
		t.Errorf("%d are remembered, the last of %d bytes", len(y.told), len(y.told[len(y.told)-1].text))
	}
}

func TestEveryScanIsAccountedForAndNothingIsKept(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var counts Counts
		y := tray{counts: &counts}
		now, told := epoch, uint64(0)
		for range 2000 {
			now = now.Add(time.Duration(r.IntN(1+r.IntN(800))) * time.Millisecond)
			if r.IntN(3) > 0 {
				y.put(gatehouse.Sighting{Text: strings.Repeat("x", 1+r.IntN(30)), At: now})
			} else if s, ok := y.take(now); ok {
				told++
				if now.Sub(s.At) > freshFor {
					t.Fatalf("seed %d: a text %v old was told", seed, now.Sub(s.At))
				}
			}
			waits := uint64(min(len(y.waiting.Text), 1))
			if counts.Scans != told+counts.Repeats+counts.Dropped+waits {
				t.Fatalf("seed %d: %+v, %d told, %d wait", seed, counts, told, waits)
			}
			if len(y.told) > maxTold {
				t.Fatalf("seed %d: %d texts are remembered", seed, len(y.told))
			}
		}
		y.forget(now.Add(freshFor + time.Millisecond))
		if y.waiting.Text != "" || len(y.told) > 0 {
			t.Fatalf("seed %d: texts are kept after everybody has gone", seed)
		}
	}
}
