package main

import (
	"slices"
	"strings"
	"time"
)

// An outcome is what a reading is worth.
type outcome struct {
	correct bool
	wrong   bool
}

// judge compares texts with what is known of a frame.
func (s still) judge(texts []string, alone bool) (o outcome) {
	if !s.known {
		return outcome{}
	}
	other := false
	for _, t := range texts {
		if s.text != "" && (s.bytes || sameText(t, s.text)) {
			o.correct = true
		} else {
			other = true
		}
	}
	o.wrong = other && (alone || !o.correct)
	return o
}

// sameText allows for what an editor does to a file of text: line ends.
func sameText(a, b string) bool {
	plain := func(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n") }
	return a == b || plain(a) == plain(b)
}

// A tally gathers what a reader did with a set.
type tally struct {
	codes    int // frames whose text is known and not empty
	correct  int
	wrong    int // frames with a false text
	times    []time.Duration
	allocs   uint64
	allocsOf int // frames that allocs was counted over
}

func (t *tally) add(s still, r reading, alone bool) outcome {
	o := s.judge(r.texts, alone)
	if s.text != "" {
		t.codes++
	}
	if o.correct {
		t.correct++
	}
	if o.wrong {
		t.wrong++
	}
	t.count(r)
	return o
}

// count takes a frame's costs alone.
func (t *tally) count(r reading) {
	t.times = append(t.times, r.took)
	if r.allocs != noAllocs {
		t.allocs += r.allocs
		t.allocsOf++
	}
}

// percentile gives the smallest value that at least that share of all values does not
// exceed (nearest rank). Zero of none.
func percentile[T int | time.Duration](values []T, percent int) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := (len(sorted)*percent + 99) / 100
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// mean of none is zero.
func mean[T int | time.Duration](values []T) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(len(values))
}

// word says what became of a frame, for the list.
func (o outcome) word(s still, r reading) string {
	switch {
	case !s.known && len(r.texts) > 0:
		return "unknown text"
	case o.wrong:
		return "false"
	case o.correct:
		return "read"
	}
	return "none"
}
