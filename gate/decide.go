package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// Errors of Decide that a guard can mend.
var (
	ErrNoDecision = errors.New("a decision admits or denies, names a guard, and gives a reason of at most 200 bytes on one line")
	ErrTooLate    = errors.New("the passage is too old to decide: let the person show the code again")
	ErrDecided    = errors.New("it is decided so already: nothing opens twice for one person")
	ErrNoPassage  = errors.New("the book has no such passage to decide on")
)

// decideWithin is how long the person whom a passage is about can be expected to stand
// there still. A decision after that would open for somebody else.
const decideWithin = 10 * time.Minute

// rememberDecisions is more than any lane's guards take while a passage can be decided.
const rememberDecisions = 256

// Decide takes a guard's word on an earlier passage. It is another passage that amends the
// first: nothing in the book is ever changed. Written first, then opened, as with Admit.
func (l *Lane) Decide(ctx context.Context, d Decision) (gatehouse.Passage, error) {
	if err := d.check(); err != nil {
		return gatehouse.Passage{}, err
	}
	defer l.begin()()

	if slices.ContainsFunc(l.decided, func(old Decision) bool { return old.Amends == d.Amends && old.Call == d.Call }) {
		return gatehouse.Passage{}, ErrDecided
	}
	first, err := l.Log.Passage(ctx, d.Amends)
	if err != nil {
		return gatehouse.Passage{}, fmt.Errorf("decide on passage %d: %w", d.Amends, err)
	}
	// What the gate admitted itself may be opened again only where its barrier stuck. A
	// decision is not decided on: the passage is, again.
	if first.Amends != 0 || first.Verdict.Call == d.Call && first.Seq != l.stuck {
		return gatehouse.Passage{}, ErrDecided
	}
	at, trusted := l.Clock.Now()
	if age := at.Sub(first.At); age > decideWithin || age < -decideWithin {
		return gatehouse.Passage{}, fmt.Errorf("passage %d: %w", d.Amends, ErrTooLate)
	}

	p := first
	p.Seq, p.Amends = 0, d.Amends
	p.At, p.Clock, p.TrustAge, p.Took = at, trusted, l.Trust.Age(at), 0
	p.Guard, p.Note = d.Guard, d.Note
	p.Verdict = gatehouse.Verdict{Call: d.Call, Reason: gatehouse.ReasonGuard, Trust: first.Verdict.Trust,
		Detail: strings.TrimSpace(fmt.Sprintf("instead of %s %s", first.Verdict.Call, first.Verdict.Reason))}
	p, err = l.writeThenOpen(ctx, p, nil)
	if p.Seq != 0 {
		l.decided = append(l.decided, d)
		l.decided = l.decided[max(0, len(l.decided)-rememberDecisions):]
	}
	return p, err
}

func (d Decision) check() error {
	if d.Amends == 0 || !isLine(d.Guard) || !isLine(d.Note) || d.Call != gatehouse.Admit && d.Call != gatehouse.Deny {
		return ErrNoDecision
	}
	return nil
}

// isLine reports whether a book can hold s as a guard's word: one line, and not a long one.
func isLine(s string) bool {
	return s != "" && len(s) <= 200 && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
