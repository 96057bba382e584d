package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/gate/console"
	"gatehouse/store"
)

// A summary is what one demo came to. It is counted in the gate's book and the region's
// ledger after both daemons have ended, not in what they said of themselves.
type summary struct {
	Recorded     uint64                   `json:"recorded"`
	Acknowledged uint64                   `json:"acknowledged"` // in the region's ledger
	Lost         uint64                   `json:"lost"`         // recorded, and not in the ledger
	ByCall       map[string]int           `json:"by_call"`
	ByReason     map[gatehouse.Reason]int `json:"by_reason"`
	PeakKiB      int                      `json:"gated_peak_kib,omitempty"` // most memory that gated had resident
}

// drain is how long the gate may take to hand over what it still has.
const drain = 20 * time.Second

// close lets the book catch up, ends gate and region, and counts.
func (d *demo) close(ctx context.Context) (summary, error) {
	d.link.mend()
	d.say("          ----  ending: the book catches up\n")
	if err := d.caughtUp(ctx); err != nil {
		d.say("          ----  %v\n", err)
	}
	peak := d.gate.peak()
	if err := errors.Join(d.gate.stop(), d.region.stop()); err != nil {
		return summary{}, err
	}
	s, err := count(ctx, filepath.Join(d.dir, "gate/book.db"), filepath.Join(d.dir, "region/ledger.db"))
	s.PeakKiB = peak
	return s, err
}

// caughtUp waits until the region has all that is in the book.
func (d *demo) caughtUp(ctx context.Context) error {
	book, err := store.OpenReader(ctx, filepath.Join(d.dir, "gate/book.db"))
	if err != nil {
		return err
	}
	defer book.Close()
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		if queue, err := book.Queue(ctx); err != nil || queue == 0 {
			return err
		}
		select {
		case <-look.C:
		case _, ok := <-d.gate.lines:
			// The person before the camera right now is written down like any other.
			if !ok {
				return errors.New("gated ended by itself")
			}
		case <-ctx.Done():
			return errors.New("the region does not take all that the gate has")
		}
	}
}

// count compares book and ledger row by row.
func count(ctx context.Context, bookPath, ledgerPath string) (summary, error) {
	s := summary{ByCall: map[string]int{}, ByReason: map[gatehouse.Reason]int{}}
	book, err := store.OpenReader(ctx, bookPath)
	if err != nil {
		return s, err
	}
	defer book.Close()
	if err := book.Verify(ctx); err != nil {
		return s, fmt.Errorf("the gate's book: %w", err)
	}
	seq, hash, err := book.Head(ctx)
	if err != nil {
		return s, err
	}
	rows, err := book.Tail(ctx, int(seq))
	if err != nil {
		return s, err
	}
	for _, p := range rows {
		s.ByCall[p.Verdict.Call.String()]++
		if p.Verdict.Reason != gatehouse.ReasonNone {
			s.ByReason[p.Verdict.Reason]++
		}
	}
	ledger, err := store.OpenLedger(ctx, ledgerPath)
	if err != nil {
		return s, err
	}
	defer ledger.Close()
	through, theirs, err := ledger.Head(ctx, book.Gate(), book.Epoch())
	if err != nil {
		return s, err
	}
	// The chain's head stands for every byte below it: equal heads, equal books.
	if through == seq && theirs != hash {
		return s, errors.New("book and ledger differ under the same number")
	}
	s.Recorded, s.Acknowledged = uint64(seq), uint64(through)
	s.Lost = s.Recorded - min(s.Acknowledged, s.Recorded)
	return s, nil
}

func (s summary) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]summary{"summary": s})
	}
	fmt.Fprintf(w, "\n%d passages recorded, %d acknowledged by the region, %d lost\n\n", s.Recorded, s.Acknowledged, s.Lost)
	if s.PeakKiB > 0 {
		fmt.Fprintf(w, "gated had at most %d MiB resident\n\n", s.PeakKiB>>10)
	}
	for _, call := range []string{"admit", "refer", "deny", "hint"} {
		fmt.Fprintf(w, "  %s %4d\n", callMark(w, call), s.ByCall[call])
	}
	fmt.Fprintln(w)
	for _, r := range slices.Sorted(maps.Keys(s.ByReason)) {
		if _, err := fmt.Fprintf(w, "  %s %4d  %s\n", r, s.ByReason[r], console.Words(console.English, r)); err != nil {
			return err
		}
	}
	return nil
}
