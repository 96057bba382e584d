package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
)

// A Lane takes people one at a time. Every field but Thermometer, Memory and Tries is
// needed; a lane without a thermometer tells its judge that nobody was measured, one without
// a memory that nothing was seen before.
type Lane struct {
	Name        string
	Scanner     Scanner
	Verifier    Verifier
	Thermometer Thermometer
	Judge       Judge
	Memory      Memory
	Log         Log
	Barrier     Barrier
	Screen      Screen
	Clock       Clock
	Trust       Trust
	Tries       func() int // measurements of one forehead before staff is asked; nil, or 0, means 3
	Logger      *slog.Logger

	turn sync.Mutex                // one transaction at a time: a person's, or a guard's decision
	busy atomic.Pointer[time.Time] // when the transaction under way began; nil for none

	stuck    []gatehouse.Seq // the last few rows that admit and that the barrier did not follow
	judged   time.Time       // of the frame in which the last code of ours was
	crowded  time.Time       // of the frame with whose code somebody was admitted
	admitted time.Time       // when somebody was, last, who may have a companion
	half     half            // one of two codes, and the other is awaited
	waited   time.Time       // of the frame in which the last such code was
	spent    half            // the travel code with which somebody was admitted, last
}

// rememberStuck is more than a gate whose barrier is broken writes down while a passage can
// be decided.
const rememberStuck = 256

// Admit takes one person from a text seen to a barrier opened, top to bottom. The passage
// it returns is in the book when its Seq is not zero. A code that is not ours, on the screen
// of a person who was judged in the same frame, is no passage. An error is a breakdown on
// the way: the passage then says what the screen shows, and the barrier stayed shut unless
// the error says otherwise.
func (l *Lane) Admit(ctx context.Context, s gatehouse.Sighting) (gatehouse.Passage, error) {
	defer l.begin()()

	at, trusted := l.Clock.Now()
	p := gatehouse.Passage{Gate: l.Name, At: at, Clock: trusted, TrustAge: l.Trust.Age(at)}
	evidence := gatehouse.Evidence{At: at, Clock: trusted, TrustAge: p.TrustAge}

	pass, err := l.Verifier.Verify(s.Text, at)
	var refusal *gatehouse.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Reason == gatehouse.ReasonNotOurs && !s.At.IsZero() && s.At.Equal(l.judged):
		return gatehouse.Passage{}, nil // what else is on the screen of a person who was just judged
	case errors.As(err, &refusal):
		if refusal.Reason != gatehouse.ReasonNotOurs {
			l.half = half{}
		}
		evidence.Refusal = refusal
		p.Format, p.Issuer, p.KeyID = refusal.Format, refusal.Issuer, refusal.KeyID
		p.Verdict = l.Judge.Judge(evidence)
	case err != nil:
		l.half = half{}
		return l.breakdown(p, gatehouse.ReasonMalformed, fmt.Errorf("verify: %w", err))
	default:
		l.pair(&p, &evidence, pass)
		if evidence.Pass == nil {
			p.Verdict = l.other(evidence)
			break
		}
		if err := l.measure(ctx, &p, evidence); err != nil {
			return p, err
		}
		l.onePersonAFrame(&p, s.At)
	}
	if p.Verdict.Reason != gatehouse.ReasonNotOurs {
		l.judged = s.At
	}
	p.Took = s.Took + l.since(at)
	p, err = l.writeThenOpen(ctx, p, evidence.Pass)
	l.remember(p, evidence, s.At)
	return p, err
}

// describe takes over into the passage what a book may keep of a code.
func describe(p *gatehouse.Passage, pass gatehouse.Pass) {
	p.Format, p.Issuer, p.KeyID, p.Code = pass.Format, pass.Issuer, pass.KeyID, pass.Code
	p.Grade, p.Class, p.Age = pass.Grade, pass.Class, p.At.Sub(pass.Issued)
}

// remember is the end of a transaction: what the next one must know of it. Only what is in
// the book was.
func (l *Lane) remember(p gatehouse.Passage, e gatehouse.Evidence, frame time.Time) {
	if p.Seq == 0 {
		return
	}
	l.await(p, e, frame)
	// Where the barrier stuck, too, the forehead was that of whom the row admits.
	if p.Verdict.Call == gatehouse.Admit || p.Verdict.Reason == gatehouse.ReasonBarrier {
		l.crowd(frame)
	}
	if p.Verdict.Call == gatehouse.Admit {
		l.spend(p, e)
		if p.Without != gatehouse.Companion { // who came with somebody brings nobody
			l.admitted = p.At
		}
	}
	if l.Memory != nil && e.Pass != nil {
		l.Memory.Remember(*e.Pass, p.Verdict.Call, p.At)
	}
}

// measure asks the thermometer until the judge can tell, or the tries are used up. A person
// who stands too far away is told so between two tries, and nobody is turned away for it.
func (l *Lane) measure(ctx context.Context, p *gatehouse.Passage, e gatehouse.Evidence) error {
	tries := 0
	if l.Tries != nil {
		tries = l.Tries()
	}
	if tries <= 0 {
		tries = 3
	}
	for try := 1; ; try++ {
		if l.Thermometer != nil {
			skin, err := l.Thermometer.Skin(ctx)
			if ctx.Err() != nil {
				return fmt.Errorf("measure: %w", ctx.Err())
			}
			if err != nil {
				l.Logger.Warn("thermometer", "err", err)
				skin.Quality = gatehouse.Faulty
			}
			e.Skin, p.Skin = skin, skin
		}
		if l.Memory != nil && e.Pass != nil {
			// Not before the thermometer, which takes a while: the code may have let somebody
			// in at another gate since.
			e.History = l.Memory.Recall(*e.Pass, p.At)
		}
		p.Verdict = l.Judge.Judge(e)
		if p.Verdict.Reason != gatehouse.ReasonNotMeasured || l.Thermometer == nil || try >= tries {
			return nil
		}
		hint := *p
		hint.Verdict.Call = gatehouse.Hint
		l.Screen.Show(View{Passage: hint})
	}
}

// writeThenOpen is the law of the lane: the row is durable before the barrier moves. What
// cannot be written is referred, whatever the judge said.
func (l *Lane) writeThenOpen(ctx context.Context, p gatehouse.Passage, pass *gatehouse.Pass) (gatehouse.Passage, error) {
	written, err := l.Log.Record(ctx, p)
	if err != nil {
		if p.Verdict.Call == gatehouse.Admit {
			overrule(&p.Verdict, gatehouse.ReasonLog, "the passage could not be written down")
		}
		l.Screen.Show(View{Passage: p, Pass: pass})
		return p, fmt.Errorf("write down: %w", err)
	}
	written.Verdict.Says = p.Verdict.Says // shown, and no part of a row
	if written.Verdict.Call == gatehouse.Admit {
		// Who is written down as admitted is let in, also while the lane is being stopped.
		if err := l.Barrier.Open(context.WithoutCancel(ctx)); err != nil {
			l.stuck = append(l.stuck, written.Seq)
			l.stuck = l.stuck[max(0, len(l.stuck)-rememberStuck):]
			shown := written
			overrule(&shown.Verdict, gatehouse.ReasonBarrier, "admitted, but the barrier did not move")
			l.Screen.Show(View{Passage: shown, Pass: pass})
			return shown, fmt.Errorf("passage %d: open barrier: %w", written.Seq, err)
		}
	}
	l.Screen.Show(View{Passage: written, Pass: pass})
	return written, nil
}

// overrule makes ask-staff of the judge's admit. No rule of the policy decided so, and none
// has words for it.
func overrule(v *gatehouse.Verdict, r gatehouse.Reason, detail string) {
	v.Call, v.Reason, v.Detail, v.Rule, v.Says = gatehouse.Refer, r, detail, "", gatehouse.Words{}
}

// breakdown shows and returns what a lane that cannot go on says of the person before it.
func (l *Lane) breakdown(p gatehouse.Passage, r gatehouse.Reason, err error) (gatehouse.Passage, error) {
	p.Verdict = gatehouse.Verdict{Call: gatehouse.Refer, Reason: r, Detail: err.Error()}
	l.Screen.Show(View{Passage: p})
	return p, err
}

// begin waits for the lane's turn and tells since when it is taken; what it returns gives
// the turn back.
func (l *Lane) begin() (end func()) {
	l.turn.Lock()
	began := time.Now() // keeps the monotonic clock's reading: somebody may set the other one
	l.busy.Store(&began)
	return func() {
		l.busy.Store(nil)
		l.turn.Unlock()
	}
}

// Busy tells for how long the transaction under way has been going on; 0 when there is
// none. A watchdog that sees it grow past all reason must not be petted.
func (l *Lane) Busy() time.Duration {
	began := l.busy.Load()
	if began == nil {
		return 0
	}
	return time.Since(*began)
}

// since is how long ago at was, by the lane's own clock; a clock that was set in between
// gives nothing rather than nonsense.
func (l *Lane) since(at time.Time) time.Duration {
	now, _ := l.Clock.Now()
	return max(now.Sub(at), 0)
}
