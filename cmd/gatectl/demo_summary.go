package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
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
	ByPolicy     map[string]int           `json:"by_policy"` // by the version that judged
	ByKind       []outcome                `json:"by_kind"`
	PeakKiB      int                      `json:"gated_peak_kib,omitempty"` // most memory that gated had resident
}

// An outcome is what became of one kind of person, by what, and how often.
type outcome struct {
	Who       string           `json:"who"`
	Call      string           `json:"call"`
	Reason    gatehouse.Reason `json:"reason,omitempty"`
	Rule      string           `json:"rule,omitempty"`
	Agreement string           `json:"agreement,omitempty"`
	Issued    string           `json:"grade,omitempty"`  // the colour as issued
	Here      string           `json:"here,omitempty"`   // and as judged here
	Second    string           `json:"second,omitempty"` // format of the code that was judged with it
	Detail    string           `json:"detail"`           // of the first of them
	Count     int              `json:"count"`
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
	s, err := d.count(ctx, filepath.Join(d.dir, "gate/book.db"), filepath.Join(d.dir, "region/ledger.db"))
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
func (d *demo) count(ctx context.Context, bookPath, ledgerPath string) (summary, error) {
	s := summary{ByCall: map[string]int{}, ByReason: map[gatehouse.Reason]int{}, ByPolicy: map[string]int{}}
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
		s.add(d.who(p), p)
	}
	d.sort(s.ByKind)
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

// add counts one passage.
func (s *summary) add(who string, p gatehouse.Passage) {
	v := p.Verdict
	s.ByCall[v.Call.String()]++
	if v.Reason != gatehouse.ReasonNone {
		s.ByReason[v.Reason]++
	}
	if v.Policy != "" {
		s.ByPolicy[v.Policy]++
	}
	o := outcome{Who: who, Call: v.Call.String(), Reason: v.Reason, Rule: v.Rule, Agreement: v.Agreement,
		Issued: p.Grade.String(), Here: v.Here.String(), Second: p.Second}
	for i := range s.ByKind {
		old := &s.ByKind[i]
		if o.Count, o.Detail = old.Count, old.Detail; *old == o {
			old.Count++
			return
		}
	}
	o.Count, o.Detail = 1, v.Detail
	s.ByKind = append(s.ByKind, o)
}

// who tells whose passage a row is: by the code where the gate could read it, and else by who
// stood there at that time.
func (d *demo) who(p gatehouse.Passage) string {
	if p.Guard != "" {
		return "decided by a guard"
	}
	for _, person := range d.people {
		if p.Code != "" && slices.Contains(person.codes, p.Code) {
			return person.who
		}
	}
	return d.at(p.At)
}

// at is the kind of person who stood before the camera at a time.
func (d *demo) at(t time.Time) string {
	since := t.Sub(d.begin)
	if since < 0 || len(d.people) == 0 {
		return ""
	}
	return d.people[int(since/(showFor+gapFor))%len(d.people)].who
}

// sort puts the kinds in the order in which they first came.
func (d *demo) sort(all []outcome) {
	place := map[string]int{}
	for i, p := range d.people {
		if _, ok := place[p.who]; !ok {
			place[p.who] = i
		}
	}
	slices.SortStableFunc(all, func(a, b outcome) int { return cmp.Compare(place[a.Who], place[b.Who]) })
}

// printPassage prints a passage that the gate's log told of, as it stands in the book: whole,
// and durable already.
func (d *demo) printPassage(ctx context.Context, told passageLine) error {
	if d.book == nil {
		book, err := store.OpenReader(ctx, filepath.Join(d.dir, "gate/book.db"))
		if err != nil {
			return err
		}
		d.book = book
	}
	p, err := d.book.Passage(ctx, told.Seq)
	if err != nil {
		return err
	}
	l := lineOf(p)
	l.Queue, l.Who = told.Queue, d.who(p)
	return printPassage(d.out, l, d.asJSON)
}

func (s summary) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]summary{"summary": s})
	}
	fmt.Fprintf(w, "\n%d passages recorded, %d acknowledged by the region, %d lost\n", s.Recorded, s.Acknowledged, s.Lost)
	if s.PeakKiB > 0 {
		fmt.Fprintf(w, "gated had at most %d MiB resident\n", s.PeakKiB>>10)
	}
	fmt.Fprintln(w)
	for _, o := range s.ByKind {
		fmt.Fprintf(w, "  %s %3d  %-46s %s\n", callMark(w, o.Call), o.Count, o.Who, o.why())
	}
	fmt.Fprintln(w)
	for _, call := range []string{"admit", "refer", "deny", "hint"} {
		fmt.Fprintf(w, "  %s %4d\n", callMark(w, call), s.ByCall[call])
	}
	fmt.Fprintln(w)
	for _, r := range slices.Sorted(maps.Keys(s.ByReason)) {
		fmt.Fprintf(w, "  %s %4d  %s\n", r, s.ByReason[r], console.Words(console.English, r))
	}
	for _, p := range slices.Sorted(maps.Keys(s.ByPolicy)) {
		if _, err := fmt.Fprintf(w, "  judged by policy %s: %d\n", p, s.ByPolicy[p]); err != nil {
			return err
		}
	}
	return nil
}

// why says by what somebody was judged: the reason and what was found, the rule or the
// agreement that decided, and what the colour was worth here.
func (o outcome) why() string {
	var by []string
	if o.Rule != "" {
		by = append(by, "rule "+o.Rule)
	}
	if o.Agreement != "" {
		by = append(by, fmt.Sprintf("agreement %q", o.Agreement))
	}
	if o.Here != "" && o.Here != o.Issued {
		by = append(by, o.Issued+" there is "+o.Here+" here")
	}
	if o.Second != "" {
		by = append(by, "with "+o.Second)
	}
	why := strings.Join(by, ", ")
	if o.Reason == gatehouse.ReasonNone {
		return why
	}
	if why != "" {
		why = " (" + why + ")"
	}
	return string(o.Reason) + " " + cmp.Or(o.Detail, console.Words(console.English, o.Reason)) + why
}
