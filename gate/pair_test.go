package gate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

// A pairLane asks for two codes, and reads texts as the names of codes.
type pairLane struct {
	*fakeLane
	seen []gatehouse.Evidence
}

func (f *pairLane) Verify(text string, _ time.Time) (gatehouse.Pass, error) {
	switch text {
	case "travel", "travel2":
		return gatehouse.Pass{Format: gatehouse.FormatTravel, Issuer: "CN", Code: "77" + text[len("travel"):]}, nil
	case "breakdown":
		return gatehouse.Pass{}, errBus
	case "forged":
		return gatehouse.Pass{}, &gatehouse.Refusal{Reason: gatehouse.ReasonBadSignature}
	case "menu":
		return gatehouse.Pass{}, &gatehouse.Refusal{Reason: gatehouse.ReasonNotOurs}
	}
	return gatehouse.Pass{Format: "RHC1", Issuer: "CN-330100", Code: text, Grade: gatehouse.Green}, nil
}

func (f *pairLane) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	f.seen = append(f.seen, e)
	switch {
	case e.Refusal != nil:
		return gatehouse.Verdict{Call: gatehouse.Deny, Reason: e.Refusal.Reason}
	case e.Pass == nil:
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonNoRule, Policy: "CN-330100/7"}
	case e.Second == nil:
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonSecondCode}
	}
	return gatehouse.Verdict{Call: gatehouse.Admit}
}

func (f *pairLane) lane() *Lane {
	l := f.fakeLane.lane()
	l.Verifier, l.Judge, l.Thermometer = f, f, nil
	return l
}

func TestTwoCodesOfOnePersonAreOneTransaction(t *testing.T) {
	for _, c := range []struct {
		name  string
		shown []string
		gaps  time.Duration
		want  []gatehouse.Reason
		opens int
	}{
		{"health, then travel", []string{"a", "travel"}, time.Second, []gatehouse.Reason{"Q13", ""}, 1},
		{"travel, then health", []string{"travel", "a"}, time.Second, []gatehouse.Reason{"Q13", ""}, 1},
		{"too late", []string{"a", "travel"}, 61 * time.Second, []gatehouse.Reason{"Q13", "Q13"}, 0},
		{"the clock was set back in between", []string{"a", "travel"}, -time.Second, []gatehouse.Reason{"Q13", "Q13"}, 0},
		{"somebody else's between them", []string{"a", "b", "travel"}, time.Second, []gatehouse.Reason{"Q13", "Q13", ""}, 1},
		{"a forged code between them", []string{"a", "forged", "travel"}, time.Second, []gatehouse.Reason{"Q13", "S20", "Q13"}, 0},
		{"a menu's code between them", []string{"a", "menu", "travel"}, time.Second, []gatehouse.Reason{"Q13", "Q10", ""}, 1},
		{"the same code again, then travel", []string{"a", "a", "travel"}, time.Second, []gatehouse.Reason{"Q13", "Q13", ""}, 1},
		{"the phone is still held up for the next", []string{"a", "travel", "travel", "b"}, time.Second, []gatehouse.Reason{"Q13", "", "Q13", "Q13"}, 1},
		{"the phone is still held up in the next's turn", []string{"a", "travel", "b", "travel", "travel2"}, time.Second, []gatehouse.Reason{"Q13", "", "Q13", "Q13", ""}, 2},
		{"one travel code opens once", []string{"a", "travel", "b"}, time.Second, []gatehouse.Reason{"Q13", "", "Q13"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := pairLane{fakeLane: &fakeLane{now: noon}}
			l := f.lane()
			var got []gatehouse.Reason
			for _, text := range c.shown {
				p, err := l.Admit(t.Context(), gatehouse.Sighting{Text: text, At: f.now})
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, p.Verdict.Reason)
				f.now = f.now.Add(c.gaps)
			}
			opened := 0
			for _, did := range f.did {
				if did == "open" {
					opened++
				}
			}
			if !slices.Equal(got, c.want) || opened != c.opens {
				t.Errorf("reasons %v, opened %d times; want %v and %d", got, opened, c.want, c.opens)
			}
			if len(f.rows) != len(c.shown) {
				t.Errorf("%d rows of %d showings: each is written down", len(f.rows), len(c.shown))
			}
		})
	}
}

func TestSecondRowAmendsTheFirstAndNamesBothCodes(t *testing.T) {
	f := pairLane{fakeLane: &fakeLane{now: noon}}
	l := f.lane()
	for _, text := range []string{"a", "travel"} {
		if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.rows[1]; got.Amends != 1 || got.Format != "RHC1" || got.Code != "a" || got.Second != gatehouse.FormatTravel {
		t.Errorf("row 2 is %+v", got)
	}
	if got := f.seen[len(f.seen)-1]; got.Pass == nil || got.Pass.Code != "a" || got.Second == nil || got.Second.Code != "77" {
		t.Errorf("judged on %+v", got)
	}
}

func TestTravelCodeAloneIsAHintAndKeepsThePolicysName(t *testing.T) {
	f := pairLane{fakeLane: &fakeLane{now: noon}}
	p, err := f.lane().Admit(t.Context(), gatehouse.Sighting{Text: "travel"})
	if err != nil {
		t.Fatal(err)
	}
	if v := p.Verdict; v.Call != gatehouse.Hint || v.Reason != gatehouse.ReasonSecondCode || v.Policy != "CN-330100/7" {
		t.Errorf("verdict %+v", v)
	}
	if slices.Contains(f.did, "open") {
		t.Error("it opened")
	}
}

func TestOneForeheadAdmitsOnePerson(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	frame := noon.Add(-time.Second)
	var got []gatehouse.Reason
	for _, at := range []time.Time{frame, frame, frame.Add(time.Second)} {
		p, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x", At: at})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Verdict.Reason)
	}
	if want := []gatehouse.Reason{"", "Q14", ""}; !slices.Equal(got, want) {
		t.Errorf("reasons %v, want %v", got, want)
	}
}

func TestCodeThatWaitsDoesNotOutliveWhatCameBetween(t *testing.T) {
	full := func(f *pairLane) { f.recordErr = errFull }
	mended := func(f *pairLane) { f.recordErr = nil }
	for _, c := range []struct {
		name  string
		shown []string
		turns []func(*pairLane) // before each
	}{
		{"somebody's code that was not written down", []string{"a", "b", "travel"}, []func(*pairLane){nil, full, mended}},
		{"a breakdown", []string{"a", "breakdown", "travel"}, []func(*pairLane){nil, nil, nil}},
		{"its own second code, not written down", []string{"a", "travel", "travel2"}, []func(*pairLane){nil, full, mended}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := pairLane{fakeLane: &fakeLane{now: noon}}
			l := f.lane()
			var p gatehouse.Passage
			for i, text := range c.shown {
				if turn := c.turns[i]; turn != nil {
					turn(&f)
				}
				p, _ = l.Admit(t.Context(), gatehouse.Sighting{Text: text, At: f.now}) // breakdowns are part of the cases
				f.now = f.now.Add(time.Second)
			}
			if p.Verdict.Call != gatehouse.Hint || p.Amends != 0 || f.opened() != 0 {
				t.Errorf("verdict %+v amends %d, opened %d times; want the health code asked for", p.Verdict, p.Amends, f.opened())
			}
		})
	}
}

func TestGuardsWordEndsTheWaitForTheOtherCode(t *testing.T) {
	for _, call := range []gatehouse.Call{gatehouse.Admit, gatehouse.Deny} {
		f := pairLane{fakeLane: &fakeLane{now: noon}}
		l := f.lane()
		// Shown twice: the guard decides on the first row, the second one waits.
		for range 2 {
			if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "a"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: call, Guard: "Li", Note: "looked at"}); err != nil {
			t.Fatal(err)
		}
		before := f.opened()
		if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "travel"}); err != nil {
			t.Fatal(err)
		}
		if f.opened() != before {
			t.Errorf("the travel code opened after a guard's %v", call)
		}
	}
}

func TestGuardDecidesOnTheLastRowOfATransaction(t *testing.T) {
	f := pairLane{fakeLane: &fakeLane{now: noon, skin: 38_900}}
	l := f.lane()
	l.Thermometer, l.Judge = f.fakeLane, feverJudge{&f}
	for _, text := range []string{"a", "travel"} {
		if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	d := Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "measured again"}
	if _, err := l.Decide(t.Context(), d); !errors.Is(err, ErrAgain) {
		t.Errorf("on the row of the first code: %v, want %v", err, ErrAgain)
	}
	d.Amends = 2
	if p, err := l.Decide(t.Context(), d); err != nil || p.Amends != 2 || f.opened() != 1 {
		t.Errorf("on the row of both: %+v, %v, opened %d times", p, err, f.opened())
	}
	for _, amends := range []gatehouse.Seq{1, 2, 3} {
		d.Amends = amends
		if _, err := l.Decide(t.Context(), d); err == nil || f.opened() != 1 {
			t.Errorf("again on row %d: %v, opened %d times", amends, err, f.opened())
		}
	}
}

// feverJudge asks for two codes and then for a healthy forehead.
type feverJudge struct{ *pairLane }

func (f feverJudge) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	if v := f.pairLane.Judge(e); v.Call != gatehouse.Admit {
		return v
	}
	return f.fakeLane.Judge(e)
}

func TestGuardDoesNotOpenForWhomTheSecondCodeLetIn(t *testing.T) {
	f := pairLane{fakeLane: &fakeLane{now: noon}}
	l := f.lane()
	for _, text := range []string{"a", "travel"} {
		if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "looked at"}); err == nil || f.opened() != 1 {
		t.Errorf("%v, opened %d times; want an error, once", err, f.opened())
	}
}

func TestOfTwoCodesInOneFrameNeitherWaits(t *testing.T) {
	for _, shown := range [][]string{{"a", "b", "travel"}, {"travel", "travel2", "a"}, {"a", "b", "c", "travel"}} {
		f := pairLane{fakeLane: &fakeLane{now: noon}}
		l := f.lane()
		for _, text := range shown {
			if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: text, At: noon}); err != nil {
				t.Fatal(err)
			}
		}
		if f.opened() != 0 {
			t.Errorf("%v in one frame: somebody got in", shown)
		}
	}
}

func TestForeheadOfAStuckBarrierAdmitsNoSecondPerson(t *testing.T) {
	f := fakeLane{skin: 36_600, openErr: errBus}
	l := f.lane()
	frame := noon.Add(-time.Second)
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x", At: frame}); err == nil {
		t.Fatal("a stuck barrier is no error")
	}
	f.openErr = nil
	p, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "y", At: frame})
	if err != nil || p.Verdict.Reason != gatehouse.ReasonCrowd {
		t.Errorf("verdict %+v (%v), want %s", p.Verdict, err, gatehouse.ReasonCrowd)
	}
}
