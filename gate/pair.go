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
func (l *Lane) pair(p *gatehouse.Passage, e *gatehouse.Evidence, pass gatehouse.Pass) {
	waiting := l.half
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

// other asks for the health code after a travel code that came alone: it opens nothing.
func (l *Lane) other(e gatehouse.Evidence) gatehouse.Verdict {
	v := l.Judge.Judge(e)
	v.Call, v.Reason, v.Rule, v.Says = gatehouse.Hint, gatehouse.ReasonSecondCode, "", gatehouse.Words{}
	v.Detail = "a travel code alone: the health code too"
	return v
}

// await keeps what was shown while the other code is still to come, and forgets it else.
func (l *Lane) await(p gatehouse.Passage, e gatehouse.Evidence) {
	switch {
	case e.Pass == nil && e.Second != nil:
		l.half = half{travel: e.Second, seq: p.Seq, at: p.At}
	case e.Pass != nil && p.Verdict.Reason == gatehouse.ReasonSecondCode && e.Second == nil:
		l.half = half{health: e.Pass, seq: p.Seq, at: p.At}
	case e.Pass != nil, e.Refusal != nil && e.Refusal.Reason != gatehouse.ReasonNotOurs:
		l.half = half{}
	}
}

// onePersonAFrame refers the second of two people whose codes were in one frame: one
// forehead was before the thermometer.
func (l *Lane) onePersonAFrame(p *gatehouse.Passage, frame time.Time) {
	if p.Verdict.Call != gatehouse.Admit || frame.IsZero() || !frame.Equal(l.crowded) {
		return
	}
	p.Verdict.Call, p.Verdict.Reason = gatehouse.Refer, gatehouse.ReasonCrowd
	p.Verdict.Detail, p.Verdict.Says = "a second code in the frame of somebody who was admitted", gatehouse.Words{}
}
