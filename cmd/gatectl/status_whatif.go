package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sort"
	"time"

	"gatehouse"
	"gatehouse/credential/trust"
	"gatehouse/policy"
	"gatehouse/store"
)

// A whatIf is what becomes of a gate that nothing new reaches for a while.
type whatIf struct {
	Offline  string    `json:"offline"`
	At       time.Time `json:"at"`          // when that is over
	Trust    string    `json:"trust"`       // by the lines of the policy that is in force then
	TrustAge int64     `json:"trust_age_s"` // then
	StaleAt  time.Time `json:"stale_at"`
	TooOldAt time.Time `json:"too_old_at"`
	Policy   string    `json:"policy"` // in force then; empty: everybody is referred
	Holds    bool      `json:"policy_holds"`
	Ends     []ending  `json:"ends"` // before then

	Since     time.Time                `json:"since"`      // of the passages below
	Admitted  int                      `json:"admitted"`   // since, by a policy
	WouldStay int                      `json:"would_stay"` // admitted then, too
	Others    map[gatehouse.Reason]int `json:"others"`     // who would not, by reason
	Inexact   int                      `json:"inexact"`    // rows that do not tell all that a rule asks for
}

// An ending is something signed that ends.
type ending struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
}

// whatIf looks ahead. Nothing that is in use ends by its signers' dates alone, so that only
// the policy's lines and its own dates change what the gate says.
func (s *status) whatIf(ctx context.Context, offline time.Duration) (*whatIf, error) {
	if s.set == nil {
		return nil, errors.New("what-if: the gate has no signed trust: it refers everybody, now and then")
	}
	then := s.now.Add(offline)
	p := s.rules.inForce(then)
	if p == nil {
		return nil, errors.New("what-if: the gate has no policy: it refers everybody, now and then")
	}
	age := s.set.Age(then)
	w := &whatIf{Offline: spelled(offline), At: then.UTC().Truncate(time.Second), Trust: p.State(age).String(), TrustAge: int64(age / time.Second),
		Policy: p.Name(), Holds: p.Holds(then), Ends: s.ends(then), Since: s.now.Add(-trust.Day).UTC().Truncate(time.Second),
		Others: map[gatehouse.Reason]int{}}
	stale, tooOld := s.turns(p)
	w.StaleAt, w.TooOldAt = *stale, *tooOld
	book, err := store.OpenReader(ctx, s.settings.Book)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil // a gate that was never switched on
	}
	if err != nil {
		return nil, fmt.Errorf("what-if: %w", err)
	}
	defer book.Close()
	err = eachRow(ctx, book, w.Since, func(row gatehouse.Passage) {
		if row.Verdict.Call != gatehouse.Admit {
			return
		}
		row.At, row.TrustAge = row.At.Add(offline), age
		v, lacks, err := p.Replay(row)
		if err != nil {
			return // a guard's decision is nobody's rule
		}
		w.Admitted++
		switch {
		case !w.Holds:
			w.Others[gatehouse.ReasonNoRule]++
		case v.Call == gatehouse.Admit:
			w.WouldStay++
		default:
			w.Others[v.Reason]++
		}
		if len(lacks) > 0 {
			w.Inexact++
		}
	})
	if err != nil {
		return nil, fmt.Errorf("what-if: %w", err)
	}
	return w, nil
}

// turns are the moments at which the trust in use turns stale and too old by a policy's
// lines.
func (s *status) turns(p *policy.Policy) (stale, tooOld *time.Time) {
	const longest = int(10 * 366 * trust.Day / time.Second) // of what a policy may allow
	last := func(worse gatehouse.Trust) *time.Time {
		n := sort.Search(longest, func(n int) bool { return p.State(time.Duration(n+1)*time.Second) <= worse })
		at := s.set.Issued.Add(time.Duration(n) * time.Second).UTC()
		return &at
	}
	return last(gatehouse.TrustStale), last(gatehouse.TrustTooOld)
}

// ends lists what ends up to a moment, the first first: the policies' own dates, and by when
// the regions' people meant to have signed anew.
func (s *status) ends(until time.Time) (list []ending) {
	for _, p := range []*policy.Policy{s.rules.everyday, s.rules.urgent} {
		if p == nil || !p.Holds(s.now) || p.Holds(until) {
			continue
		}
		seconds := sort.Search(int(until.Sub(s.now)/time.Second), func(n int) bool { return !p.Holds(s.now.Add(time.Duration(n) * time.Second)) })
		list = append(list, ending{"policy " + p.Name() + ": everybody is referred from then on", s.now.Add(time.Duration(seconds) * time.Second).UTC().Truncate(time.Second)})
	}
	if now, then := s.rules.inForce(s.now), s.rules.inForce(until); s.rules.activation != nil && now.Name() != then.Name() {
		seconds := sort.Search(int(until.Sub(s.now)/time.Second), func(n int) bool {
			return s.rules.inForce(s.now.Add(time.Duration(n)*time.Second)).Name() == then.Name()
		})
		list = append(list, ending{"policy " + now.Name() + ": " + then.Name() + " is in force again", s.now.Add(time.Duration(seconds) * time.Second).UTC().Truncate(time.Second)})
	}
	for _, r := range s.set.Regions() {
		if r.Expires.After(s.now) && !r.Expires.After(until) && (r.ID == s.rules.id || r.Count > 0) {
			list = append(list, ending{fmt.Sprintf("what %s signed: a gate that has it goes on, a new one would not take it", r.ID), r.Expires.UTC()})
		}
	}
	slices.SortStableFunc(list, func(a, b ending) int { return a.At.Compare(b.At) })
	return list
}

func (w *whatIf) print(out io.Writer) error {
	fmt.Fprintf(out, "after %s without anything new, %s:\n", w.Offline, stamp(w.At))
	row := func(name, format string, args ...any) {
		fmt.Fprintf(out, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("trust", "%s, %s old; stale from %s, too old from %s", w.Trust, spelled(time.Duration(w.TrustAge)*time.Second), stamp(w.StaleAt), stamp(w.TooOldAt))
	switch {
	case !w.Holds:
		row("policy", "%s has ended: everybody is referred (%s)", w.Policy, gatehouse.ReasonNoRule)
	case w.Trust == gatehouse.TrustTooOld.String():
		row("policy", "%s: Admit becomes Refer (%s)", w.Policy, gatehouse.ReasonTrustStale)
	default:
		row("policy", "%s goes on", w.Policy)
	}
	for _, e := range w.Ends {
		row("ends", "%s: %s", stamp(e.At), e.What)
	}
	if w.Admitted == 0 {
		row("people", "nobody was admitted since %s", stamp(w.Since))
		return nil
	}
	row("people", "%d were admitted since %s; %d of them would be", w.Admitted, stamp(w.Since), w.WouldStay)
	reasons := make([]string, 0, len(w.Others))
	for r := range w.Others {
		reasons = append(reasons, string(r))
	}
	slices.Sort(reasons)
	for _, r := range reasons {
		row("", "%d would not, %s", w.Others[gatehouse.Reason(r)], orDash(r))
	}
	if w.Inexact > 0 {
		row("", "%d rows do not tell all that a rule asks for", w.Inexact)
	}
	return nil
}
