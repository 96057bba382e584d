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
	ErrAgain      = errors.New("the gate has judged the same person again: decide on that passage")
	ErrNoPassage  = errors.New("the book has no such passage to decide on")
)

// decideWithin is how long the person whom a passage is about can be expected to stand
// there still. A decision after that would open for somebody else.
const decideWithin = 10 * time.Minute

// mostLater is more people than come while a passage can be decided. A clock that was set
// back makes an old passage look new, and then the rows after it tell.
const mostLater = 1000

// Decide takes a guard's word on an earlier passage. It is another passage that amends the
// first: nothing in the book is ever changed. Written first, then opened, as with Admit.
func (l *Lane) Decide(ctx context.Context, d Decision) (gatehouse.Passage, error) {
	if err := d.check(); err != nil {
		return gatehouse.Passage{}, err
	}
	defer l.begin()()

	first, err := l.Log.Passage(ctx, d.Amends)
	if err != nil {
		return gatehouse.Passage{}, fmt.Errorf("decide on passage %d: %w", d.Amends, err)
	}
	// What the gate admitted itself may be opened again only where its barrier stuck. A
	// decision is not decided on: the passage is, again.
	if first.Verdict.Reason == gatehouse.ReasonGuard || first.Verdict.Call == d.Call && !slices.Contains(l.stuck, first.Seq) {
		return gatehouse.Passage{}, ErrDecided
	}
	at, trusted := l.Clock.Now()
	if age := at.Sub(first.At); age > decideWithin || age < -decideWithin {
		return gatehouse.Passage{}, fmt.Errorf("passage %d: %w", d.Amends, ErrTooLate)
	}
	if err := l.stands(ctx, first, d.Call); err != nil {
		return gatehouse.Passage{}, fmt.Errorf("decide on passage %d: %w", d.Amends, err)
	}

	p := first
	p.Seq, p.Amends = 0, d.Amends
	p.At, p.Clock, p.TrustAge, p.Took = at, trusted, l.Trust.Age(at), 0
	p.Guard, p.Note = d.Guard, d.Note
	p.Verdict = gatehouse.Verdict{Call: d.Call, Reason: gatehouse.ReasonGuard, Trust: first.Verdict.Trust,
		Detail: strings.TrimSpace(fmt.Sprintf("instead of %s %s", first.Verdict.Call, first.Verdict.Reason))}
	p, err = l.writeThenOpen(ctx, p, nil)
	if p.Seq != 0 {
		l.settled(p)
	}
	switch {
	case p.Verdict.Call == gatehouse.Admit:
		if p.Without != gatehouse.Companion {
			l.admitted = p.At
		}
		if l.Memory != nil && p.Code != "" { // by whose word a code let somebody in is all one
			l.Memory.Remember(gatehouse.Pass{Format: p.Format, Issuer: p.Issuer, KeyID: p.KeyID, Code: p.Code}, gatehouse.Admit, p.At)
		}
	case p.Seq != 0 && first.At.Equal(l.admitted):
		l.admitted = time.Time{} // who was sent back brings nobody
	}
	return p, err
}

// stands tells from the rows behind a passage whether a guard can still decide so on it: no
// guard has, the gate has not judged the same person again, and the code has let nobody in
// since. The book knows that also after the lane was started anew.
func (l *Lane) stands(ctx context.Context, first gatehouse.Passage, call gatehouse.Call) error {
	for seq := first.Seq + 1; ; seq++ {
		later, err := l.Log.Passage(ctx, seq)
		about, so := later.Amends == first.Seq, later.Verdict.Call == call && !slices.Contains(l.stuck, seq)
		switch {
		case errors.Is(err, ErrNoPassage):
			return nil
		case err != nil:
			return err
		case seq > first.Seq+mostLater:
			return ErrTooLate
		case about && later.Verdict.Reason != gatehouse.ReasonGuard:
			return ErrAgain
		case about && so, so && call == gatehouse.Admit && first.Code != "" && later.Code == first.Code && later.Issuer == first.Issuer:
			return ErrDecided
		}
	}
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
