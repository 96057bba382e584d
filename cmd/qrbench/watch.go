package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"gatehouse/scanner/qr"
)

// A showing is what a reader did with one sequence.
type showing struct {
	until  int // frames from the first that shows the whole code to the text, 1 or more; 0 is never
	wrong  int // frames with a false text
	frames []reading
}

// watch gives sequences to each reader: a new one for each sequence, frame by frame, until
// it has the text.
func (b *bench) watch(ctx context.Context, cores int) error {
	for _, l := range []level{easy, medium, hard, empty} {
		name := "sequence-" + l.String()
		if b.sequences == 0 || !chosen(name, b.only) {
			continue
		}
		shown := make([][]showing, len(b.contestants))
		for index := range b.sequences {
			s, err := newSequence(l, b.seed, uint64(index))
			if err != nil {
				return err
			}
			fmt.Fprintf(b.progress, "%s: %d of %d\n", name, index+1, b.sequences)
			f := &film{sequence: s}
			next := func(n int) qr.Luma {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores)) // drawing is not measured
				return f.frame(n)
			}
			for i, c := range b.contestants {
				got, err := show(ctx, s, c.newEye(), next)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", c.name, name, err)
				}
				shown[i] = append(shown[i], got)
				var spent time.Duration
				for _, r := range got.frames {
					spent += r.took
				}
				b.note(name, fmt.Sprint(index), c.name, got.String(), spent)
			}
		}
		b.tables = append(b.tables, ofSequences(l, b.contestants, shown))
		b.tables[len(b.tables)-1].plain(b.out)
	}
	return nil
}

// show feeds one sequence to one reader.
func show(ctx context.Context, s *sequence, e eye, next func(n int) qr.Luma) (got showing, err error) {
	if err := warm(e, frameWidth, frameHeight); err != nil {
		return showing{}, err
	}
	for n := range s.count {
		frame := next(n)
		if err := ctx.Err(); err != nil {
			return showing{}, err
		}
		r, err := e.read(frame)
		if err != nil {
			return showing{}, fmt.Errorf("sequence %d, frame %d: %w", s.index, n, err)
		}
		got.frames = append(got.frames, r)
		own := func(t string) bool { return s.text != "" && t == s.text }
		if slices.ContainsFunc(r.texts, func(t string) bool { return !own(t) }) {
			got.wrong++
		}
		if slices.ContainsFunc(r.texts, own) {
			// Error correction can have the text before the last corner is in view.
			got.until = max(n-s.whole+1, 1)
			return got, nil
		}
	}
	return got, nil
}

func (s showing) String() string {
	what := "none"
	if s.until > 0 {
		what = fmt.Sprintf("frame %d", s.until)
	}
	if s.wrong > 0 {
		what += ", false"
	}
	return what
}

// ofSequences makes the table of a level. A sequence that was not read counts as one frame
// more than it had.
func ofSequences(l level, readers []contestant, shown [][]showing) table {
	t := table{head: []string{"reader", "read", "false", "frames until text: median", "p90", "mean", "median ms", "p95 ms", "allocs"}}
	for i, c := range readers {
		var all tally
		var until []int
		for _, s := range shown[i] {
			all.wrong += s.wrong
			if s.until > 0 {
				all.correct++
			}
			until = append(until, s.until)
			if s.until == 0 {
				until[len(until)-1] = enough + 1
			}
			for _, r := range s.frames {
				all.count(r)
			}
		}
		cells := []string{c.name, fmt.Sprint(all.correct), fmt.Sprint(all.wrong), atMost(percentile(until, 50)), atMost(percentile(until, 90)), fmt.Sprintf("%.1f", mean(until))}
		if l == empty {
			cells[1], cells[3], cells[4], cells[5] = "-", "-", "-", "-"
		}
		t.rows = append(t.rows, append(cells, costs(all, false)...))
	}
	t.title = fmt.Sprintf("sequences, %s: %d, a text within %d frames of the first that shows the whole code", l, len(shown[0]), enough)
	if l == empty {
		t.title = fmt.Sprintf("sequences without a code: %d", len(shown[0]))
	}
	return t
}

// atMost shows a number of frames; one that is more than a sequence has is none.
func atMost(n int) string {
	if n > enough {
		return fmt.Sprintf("> %d", enough)
	}
	return fmt.Sprint(n)
}
