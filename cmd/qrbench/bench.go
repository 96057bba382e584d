package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"gatehouse/cmd/daemon"
)

// A bench is one run: what is asked for, and what has come of it.
type bench struct {
	frames, qrsynth, build   string
	synth, only, readers     []string
	seed                     uint64
	sequences, limit, rounds int
	peers, requirePeers      bool
	clock                    clock
	markdown, list           string
	out, progress            io.Writer

	contestants []contestant
	tables      []table
	missing     []string // what was left out, and why
	log         []string // lines of the list
}

func (b *bench) run(ctx context.Context) error {
	if b.rounds < 1 || b.limit < 0 || b.sequences < 0 {
		return daemon.UsageError{Err: errors.New("--rounds is 1 or more, --limit and --sequences are not negative")}
	}
	// One thread: a reader's garbage is collected at its own cost, and the clock of the
	// thread sees all of its work.
	cores := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(cores)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	stop, err := b.enter(ctx)
	defer stop()
	if err != nil {
		return err
	}
	sets, cleanUp, err := b.sets(ctx, cores)
	defer cleanUp()
	if err != nil {
		return err
	}
	for _, s := range sets {
		if err := b.measure(ctx, s); err != nil {
			return err
		}
	}
	if err := b.watch(ctx, cores); err != nil {
		return err
	}
	if len(b.tables) == 0 {
		return errors.New("there is nothing to measure: give --frames, --synth, --qrsynth or --sequences")
	}
	return b.finish(cores)
}

// enter brings the readers together.
func (b *bench) enter(ctx context.Context) (stop func(), err error) {
	stop = func() {}
	b.contestants = slices.DeleteFunc(ownReaders(b.clock), func(c contestant) bool { return !chosen(c.name, b.readers) })
	if b.peers || b.requirePeers {
		var ready []contestant
		var missing []string
		ready, missing, stop = startPeers(ctx, b.clock, b.build, b.readers)
		for _, m := range missing {
			b.missing = append(b.missing, "peer "+m)
		}
		b.contestants = append(b.contestants, ready...)
		if b.requirePeers && len(missing) > 0 {
			return stop, fmt.Errorf("peers are missing:\n  %s", strings.Join(missing, "\n  "))
		}
	}
	if len(b.contestants) == 0 {
		return stop, daemon.UsageError{Err: fmt.Errorf("no reader's name holds one of %q", b.readers)}
	}
	return stop, nil
}

// sets finds the stills that are asked for.
func (b *bench) sets(ctx context.Context, cores int) (all []set, cleanUp func(), err error) {
	cleanUp = func() {}
	synth := slices.Clone(b.synth)
	if b.qrsynth != "" {
		dir, err := os.MkdirTemp("", "qrbench-")
		if err != nil {
			return nil, cleanUp, err
		}
		cleanUp = func() { os.RemoveAll(dir) }
		fmt.Fprintf(b.progress, "drawing frames of seed %d\n", b.seed)
		if err := generate(ctx, b.qrsynth, b.seed, b.only, dir, cores); err != nil {
			return nil, cleanUp, err
		}
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			synth = append(synth, dir)
		}
	}
	for _, dir := range synth {
		found, err := drawn(dir)
		if err != nil {
			return nil, cleanUp, err
		}
		all = append(all, found...)
	}
	if b.frames != "" {
		found, missing := photographs(b.frames)
		all, b.missing = append(all, found...), append(b.missing, missing...)
	}
	all = slices.DeleteFunc(all, func(s set) bool { return !chosen(s.name, b.only) })
	return all, cleanUp, nil
}

// measure gives a set of stills to each reader. In each round a reader begins anew and sees
// all frames in their order; the readers take turns, so that a machine that becomes slower
// does so for all. A frame's time is its best.
func (b *bench) measure(ctx context.Context, s set) error {
	frames, err := s.load()
	if err != nil {
		return fmt.Errorf("frames %s: %w", s.name, err)
	}
	if b.limit > 0 {
		frames = frames[:min(b.limit, len(frames))]
	}
	if len(frames) == 0 {
		b.missing = append(b.missing, "frames "+s.name+": there is no image")
		return nil
	}
	tallies := make([]tally, len(b.contestants))
	for round := range b.rounds {
		for i, c := range b.contestants {
			fmt.Fprintf(b.progress, "%s: %s, round %d of %d\n", s.name, c.name, round+1, b.rounds)
			e := c.newEye()
			if err := warm(e, frames[0].luma.Width, frames[0].luma.Height); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			runtime.GC() // the garbage of the one before
			for k, f := range frames {
				if err := ctx.Err(); err != nil {
					return err
				}
				r, err := e.read(f.luma)
				if err != nil {
					return fmt.Errorf("%s: %s/%s: %w", c.name, s.name, f.name, err)
				}
				if round > 0 {
					tallies[i].times[k] = min(tallies[i].times[k], r.took)
					continue
				}
				o := tallies[i].add(f, r, s.alone)
				b.note(s.name, f.name, c.name, o.word(f, r), r.took)
			}
		}
	}
	b.tables = append(b.tables, ofStills(s.name, len(frames), b.contestants, tallies))
	b.tables[len(b.tables)-1].plain(b.out)
	return nil
}

// note keeps a line of the list. It never holds a text.
func (b *bench) note(set, frame, reader, what string, took time.Duration) {
	b.log = append(b.log, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", set, frame, reader, what, ms(took)))
}

// finish says what was measured on what, and writes the files.
func (b *bench) finish(cores int) error {
	head := append(machine(cores), fmt.Sprintf("%s clock, %d rounds, seed %d, one thread a reader", &b.clock, b.rounds, b.seed))
	for _, line := range head {
		fmt.Fprintln(b.out, line)
	}
	for _, m := range b.missing {
		fmt.Fprintln(b.out, "left out:", m)
	}
	if b.markdown != "" {
		if err := writeFile(b.markdown, func(w io.Writer) { b.writeMarkdown(w, head) }); err != nil {
			return err
		}
	}
	if b.list != "" {
		return writeFile(b.list, func(w io.Writer) {
			fmt.Fprintf(w, "set\tframe\treader\toutcome\tms\n%s\n", strings.Join(b.log, "\n"))
		})
	}
	return nil
}

func (b *bench) writeMarkdown(w io.Writer, head []string) {
	fmt.Fprintf(w, "%s.\n\n", strings.Join(head, "; "))
	for _, t := range b.tables {
		t.markdown(w)
	}
	for _, m := range b.missing {
		fmt.Fprintf(w, "Left out: %s.\n", m)
	}
}

func writeFile(path string, write func(io.Writer)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var text strings.Builder
	write(&text)
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
