package gate

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

var (
	noon    = time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)
	errFull = errors.New("disk full")
	errBus  = errors.New("mlx90614: read 0x07: no acknowledge")
)

// A fakeLane is every organ at once, and notes the order in which it was asked.
type fakeLane struct {
	skin       gatehouse.Temperature
	verifyErr  error
	measureErr error
	recordErr  error
	openErr    error
	trusted    bool

	did   []string
	rows  []gatehouse.Passage
	shown []View
	now   time.Time
}

func (f *fakeLane) Verify(text string, at time.Time) (gatehouse.Pass, error) {
	f.did = append(f.did, "verify")
	return gatehouse.Pass{Issuer: "CN-330100", Grade: gatehouse.Green, Code: "c0de"}, f.verifyErr
}

func (f *fakeLane) Skin(context.Context) (gatehouse.Measurement, error) {
	f.did = append(f.did, "measure")
	return gatehouse.Measurement{Skin: f.skin, Quality: gatehouse.Steady, Readings: 5}, f.measureErr
}

// Judge has the smallest rules that tell the cases apart; the real ones are policy's.
func (f *fakeLane) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	switch {
	case e.Refusal != nil:
		return gatehouse.Verdict{Call: gatehouse.Deny, Reason: e.Refusal.Reason}
	case e.Pass == nil:
		return gatehouse.Verdict{}
	case e.Skin.Quality == gatehouse.Faulty:
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonSensorFault}
	case e.Skin.Skin < 35_000:
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonNotMeasured}
	case e.Skin.Skin > 37_300:
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonFever}
	}
	return gatehouse.Verdict{Call: gatehouse.Admit}
}

func (f *fakeLane) Record(_ context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	f.did = append(f.did, "record")
	if f.recordErr != nil {
		return p, f.recordErr
	}
	p.Seq = gatehouse.Seq(len(f.rows) + 1)
	f.rows = append(f.rows, p)
	return p, nil
}

func (f *fakeLane) Passage(_ context.Context, seq gatehouse.Seq) (gatehouse.Passage, error) {
	if int(seq) > len(f.rows) {
		return gatehouse.Passage{}, ErrNoPassage
	}
	return f.rows[seq-1], nil
}

func (f *fakeLane) Open(context.Context) error {
	f.did = append(f.did, "open")
	return f.openErr
}

func (f *fakeLane) Show(v View)                    { f.shown = append(f.shown, v) }
func (f *fakeLane) Now() (time.Time, bool)         { return f.now, f.trusted }
func (f *fakeLane) Age(at time.Time) time.Duration { return time.Hour }
func (f *fakeLane) lane() *Lane {
	if f.now.IsZero() {
		f.now = noon
	}
	return &Lane{Name: "north", Verifier: f, Thermometer: f, Judge: f, Log: f, Barrier: f, Screen: f, Clock: f, Trust: f,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func TestLaneWritesDownBeforeItOpens(t *testing.T) {
	forged := &gatehouse.Refusal{Reason: gatehouse.ReasonBadSignature, Issuer: "CN-330100"}
	for _, c := range []struct {
		name   string
		lane   fakeLane
		did    []string
		call   gatehouse.Call
		reason gatehouse.Reason
		fails  error
	}{
		{"healthy", fakeLane{skin: 36_600}, []string{"verify", "measure", "record", "open"},
			gatehouse.Admit, "", nil},
		{"fever", fakeLane{skin: 38_900}, []string{"verify", "measure", "record"},
			gatehouse.Refer, gatehouse.ReasonFever, nil},
		{"forged", fakeLane{skin: 36_600, verifyErr: forged}, []string{"verify", "record"},
			gatehouse.Deny, gatehouse.ReasonBadSignature, nil},
		{"keys unreadable", fakeLane{verifyErr: io.ErrUnexpectedEOF}, []string{"verify"},
			gatehouse.Refer, gatehouse.ReasonMalformed, io.ErrUnexpectedEOF},
		{"cold forehead", fakeLane{skin: 33_200}, []string{"verify", "measure", "measure", "measure", "record"},
			gatehouse.Refer, gatehouse.ReasonNotMeasured, nil},
		{"dead bus", fakeLane{skin: 36_600, measureErr: errBus}, []string{"verify", "measure", "record"},
			gatehouse.Refer, gatehouse.ReasonSensorFault, nil},
		{"disk full", fakeLane{skin: 36_600, recordErr: errFull}, []string{"verify", "measure", "record"},
			gatehouse.Refer, gatehouse.ReasonLog, errFull},
		{"disk full and fever", fakeLane{skin: 38_900, recordErr: errFull}, []string{"verify", "measure", "record"},
			gatehouse.Refer, gatehouse.ReasonFever, errFull},
		{"barrier stuck", fakeLane{skin: 36_600, openErr: errBus}, []string{"verify", "measure", "record", "open"},
			gatehouse.Refer, gatehouse.ReasonBarrier, errBus},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := c.lane.lane().Admit(t.Context(), gatehouse.Sighting{Text: "RHC1:..."})
			if !errors.Is(err, c.fails) {
				t.Errorf("error %v, want %v", err, c.fails)
			}
			if !slices.Equal(c.lane.did, c.did) {
				t.Errorf("did %v, want %v", c.lane.did, c.did)
			}
			if p.Verdict.Call != c.call || p.Verdict.Reason != c.reason {
				t.Errorf("verdict %v %s, want %v %s", p.Verdict.Call, p.Verdict.Reason, c.call, c.reason)
			}
			last := c.lane.shown[len(c.lane.shown)-1].Passage
			if last.Verdict != p.Verdict {
				t.Errorf("the screen shows %+v, the lane says %+v", last.Verdict, p.Verdict)
			}
		})
	}
}

func TestBookKeepsTheVerdictThatTheBarrierDidNotFollow(t *testing.T) {
	f := fakeLane{skin: 36_600, openErr: errBus}
	if _, err := f.lane().Admit(t.Context(), gatehouse.Sighting{}); err == nil {
		t.Fatal("a stuck barrier is no error")
	}
	if got := f.rows[0].Verdict.Call; got != gatehouse.Admit {
		t.Errorf("row says %v, want admit: the row was true when it was written", got)
	}
}

func TestColdForeheadIsAskedCloserBetweenTries(t *testing.T) {
	f := fakeLane{skin: 33_200}
	if _, err := f.lane().Admit(t.Context(), gatehouse.Sighting{}); err != nil {
		t.Fatal(err)
	}
	var calls []gatehouse.Call
	for _, v := range f.shown {
		calls = append(calls, v.Passage.Verdict.Call)
	}
	if want := []gatehouse.Call{gatehouse.Hint, gatehouse.Hint, gatehouse.Refer}; !slices.Equal(calls, want) {
		t.Errorf("shown %v, want %v", calls, want)
	}
	if len(f.rows) != 1 {
		t.Errorf("%d rows, want 1: a hint is no passage", len(f.rows))
	}
}

func TestBookNeverHoldsAName(t *testing.T) {
	f := fakeLane{skin: 36_600, trusted: true}
	if _, err := f.lane().Admit(t.Context(), gatehouse.Sighting{Text: "secret text"}); err != nil {
		t.Fatal(err)
	}
	p := f.rows[0]
	if p.Issuer != "CN-330100" || p.Code != "c0de" || p.Grade != gatehouse.Green || !p.Clock || p.TrustAge != time.Hour || p.Gate != "north" || !p.At.Equal(noon) {
		t.Errorf("row %+v misses what the code and the gate said", p)
	}
	if f.shown[0].Pass == nil {
		t.Error("the guard's screen got no pass to show")
	}
}

func TestLaneWithoutThermometerTellsTheJudge(t *testing.T) {
	f := fakeLane{}
	l := f.lane()
	l.Thermometer = nil
	p, err := l.Admit(t.Context(), gatehouse.Sighting{})
	if err != nil || p.Verdict.Reason != gatehouse.ReasonNotMeasured || p.Skin.Quality != gatehouse.NotMeasured {
		t.Errorf("got %+v, %v; want one judgement on no measurement", p, err)
	}
	if got := len(f.shown); got != 1 {
		t.Errorf("shown %d times, want once: there is nothing to come closer to", got)
	}
}

func TestCancelledLaneWritesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := fakeLane{measureErr: context.Canceled}
	cancel()
	if _, err := f.lane().Admit(ctx, gatehouse.Sighting{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
	if len(f.rows) != 0 {
		t.Errorf("%d rows for a person whom nobody judged", len(f.rows))
	}
}

func TestMenuBesideAHealthCodeIsNobodysPassage(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	frame := noon.Add(-time.Second)
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "RHC1:...", At: frame}); err != nil {
		t.Fatal(err)
	}
	f.verifyErr = &gatehouse.Refusal{Reason: gatehouse.ReasonNotOurs}
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "https://example.com", At: frame}); err != nil {
		t.Fatal(err)
	}
	if len(f.rows) != 1 || len(f.shown) != 1 {
		t.Errorf("%d rows, shown %d times; want the judged person alone", len(f.rows), len(f.shown))
	}
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "https://example.com", At: noon}); err != nil {
		t.Fatal(err)
	}
	if len(f.rows) != 2 {
		t.Errorf("%d rows; want the next one who shows a menu told so", len(f.rows))
	}
}

// A bareLog returns a passage as a book does: with nothing that a row has no field for.
type bareLog struct{ *fakeLane }

func (b bareLog) Record(ctx context.Context, p gatehouse.Passage) (gatehouse.Passage, error) {
	p.Verdict.Says = gatehouse.Words{}
	return b.fakeLane.Record(ctx, p)
}

// sayingJudge refers everybody in words of its own.
type sayingJudge struct{}

func (sayingJudge) Judge(gatehouse.Evidence) gatehouse.Verdict {
	return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonFlipped, Says: gatehouse.Words{En: "was yellow"}}
}

func TestGuardReadsTheRulesOwnWords(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	l.Log, l.Judge = bareLog{&f}, sayingJudge{}
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if got := f.shown[len(f.shown)-1].Passage.Verdict.Says.En; got != "was yellow" {
		t.Errorf("the screen says %q, want the rule's own words", got)
	}
}

// welcomeJudge admits everybody by a rule with words of its own.
type welcomeJudge struct{}

func (welcomeJudge) Judge(gatehouse.Evidence) gatehouse.Verdict {
	return gatehouse.Verdict{Call: gatehouse.Admit, Rule: "green", Says: gatehouse.Words{En: "welcome"}}
}

func TestRuleIsNotNamedForWhatTheLaneOverruled(t *testing.T) {
	for _, f := range []*fakeLane{{recordErr: errFull}, {openErr: errBus}, {}} {
		l := f.lane()
		l.Judge = welcomeJudge{}
		var p gatehouse.Passage
		for range 2 { // two in one frame
			p, _ = l.Admit(t.Context(), gatehouse.Sighting{Text: "x", At: noon}) // breakdowns are part of the cases
		}
		shown := f.shown[len(f.shown)-1].Passage.Verdict
		for _, v := range []gatehouse.Verdict{p.Verdict, shown} {
			if v.Call != gatehouse.Refer || v.Rule != "" || v.Says != (gatehouse.Words{}) {
				t.Errorf("verdict %+v, want refer by no rule and in nobody's words", v)
			}
		}
	}
}
