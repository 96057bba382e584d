package gate

import (
	"context"
	"errors"
	"time"

	"gatehouse"
)

// ErrNoEntry is what an entry that cannot be taken gives.
var ErrNoEntry = errors.New("an entry without a code tells why there is none, names a guard, and says in at most 200 bytes on one line what was seen")

// Enter takes one person who has no code, on a guard's word, by the same way as Admit: the
// thermometer, the region's rules, the book, and only then the barrier. A region whose
// policy knows no such path refers everybody who comes by it.
func (l *Lane) Enter(ctx context.Context, entry Entry) (gatehouse.Passage, error) {
	if entry.Without == gatehouse.WithCode || entry.Without > gatehouse.Companion || !isLine(entry.Guard) || !isLine(entry.Note) {
		return gatehouse.Passage{}, ErrNoEntry
	}
	defer l.begin()()

	at, trusted := l.Clock.Now()
	p := gatehouse.Passage{Gate: l.Name, At: at, Clock: trusted, TrustAge: l.Trust.Age(at),
		Without: entry.Without, Guard: entry.Guard, Note: entry.Note}
	e := gatehouse.Evidence{At: at, Clock: trusted, TrustAge: p.TrustAge, Without: entry.Without}
	if entry.Without == gatehouse.Companion && !l.admitted.After(at) { // a clock that was set back makes nobody a companion
		e.History.Seen, e.History.SeenAt = l.admitted, l.Name // with whom they came
	}
	l.half = half{}
	if err := l.measure(ctx, &p, e); err != nil {
		return p, err
	}
	p.Took = l.since(at)
	p, err := l.writeThenOpen(ctx, p, nil)
	l.remember(p, e, time.Time{})
	return p, err
}
