package gate

import (
	"time"

	"gatehouse"
)

// halfWithin is how long one code waits for the other: time to find a second program on a
// telephone, and not for the next in the queue to be taken for the same person.
const halfWithin = time.Minute

// A half is one of two codes that are asked for together: the health code whose verdict
// awaits the travel code, or the travel code that was shown first.
type half struct {
	health *gatehouse.Pass
	travel *gatehouse.Pass
	seq    gatehouse.Seq
	at     time.Time
}

// pair puts a code beside the one that waits for it. What belongs to one person is decided
// here and nowhere else: one health code and one travel code, shown within a minute of each
// other and nothing between them. Whether they name the same holder is the judge's question.
// What waited is used up by this, whatever comes of it: only await lets a code wait.
func (l *Lane) pair(p *gatehouse.Passage, e *gatehouse.Evidence, pass gatehouse.Pass) {
	if l.isSpent(pass, p.At) {
		e.Second = &pass
		describe(p, pass)
		return
	}
	waiting := l.half
	l.half = half{}
	if age := p.At.Sub(waiting.at); age < 0 || age > halfWithin {
		waiting = half{}
	}
	if pass.Format == gatehouse.FormatTravel {
		e.Second, e.Pass = &pass, waiting.health
	} else {
		e.Pass, e.Second = &pass, waiting.travel
	}
	if e.Pass == nil {
		describe(p, pass)
		return
	}
	describe(p, *e.Pass)
	if e.Second != nil {
		p.Second, p.Amends = e.Second.Format, waiting.seq
	}
}

// spend notes the travel code with which somebody was admitted.
func (l *Lane) spend(p gatehouse.Passage, e gatehouse.Evidence) {
	if e.Second != nil {
		l.spent = half{travel: e.Second, at: p.At}
	}
}

// isSpent tells of a travel code that its holder still holds up after the barrier opened. It
// must not become the next person's.
func (l *Lane) isSpent(pass gatehouse.Pass, at time.Time) bool {
	age := at.Sub(l.spent.at)
	return pass.Format == gatehouse.FormatTravel && l.spent.travel != nil && age >= 0 && age <= halfWithin &&
		pass.Code != "" && pass.Code == l.spent.travel.Code
}

// other asks for the health code after a travel code that came alone: it opens nothing.
func (l *Lane) other(e gatehouse.Evidence) gatehouse.Verdict {
	v := l.Judge.Judge(e)
	v.Call, v.Reason, v.Rule, v.Says = gatehouse.Hint, gatehouse.ReasonSecondCode, "", gatehouse.Words{}
	v.Detail = "a travel code alone: the health code too"
	return v
}

// await lets a code wait while the other is still to come. Of two that came in one frame
// neither does: nobody can tell to which of them the other belongs.
func (l *Lane) await(p gatehouse.Passage, e gatehouse.Evidence, frame time.Time) {
	next := half{seq: p.Seq, at: p.At}
	switch {
	case e.Pass == nil && e.Second != nil && !l.isSpent(*e.Second, p.At):
		next.travel = e.Second
	case e.Pass != nil && e.Second == nil && p.Verdict.Reason == gatehouse.ReasonSecondCode:
		next.health = e.Pass
	default:
		return
	}
	if frame.IsZero() || !frame.Equal(l.waited) {
		l.half = next
	}
	l.waited = frame
}

// settled ends the wait of a code on which a guard has decided.
func (l *Lane) settled(p gatehouse.Passage) {
	waits := l.half.health
	if l.half.seq == p.Amends || waits != nil && p.Code != "" && waits.Code == p.Code {
		l.half = half{}
	}
}

// crowd notes the frame in which the code of somebody admitted was; somebody who came
// without a code leaves the last one as it is.
func (l *Lane) crowd(frame time.Time) {
	if !frame.IsZero() {
		l.crowded = frame
	}
}

// onePersonAFrame refers the second of two people whose codes were in one frame: one
// forehead was before the thermometer.
func (l *Lane) onePersonAFrame(p *gatehouse.Passage, frame time.Time) {
	if p.Verdict.Call != gatehouse.Admit || frame.IsZero() || !frame.Equal(l.crowded) {
		return
	}
	overrule(&p.Verdict, gatehouse.ReasonCrowd, "a second code in the frame of somebody who was admitted")
}
