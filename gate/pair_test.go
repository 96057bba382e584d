package gate

import (
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
	case "travel":
		return gatehouse.Pass{Format: gatehouse.FormatTravel, Issuer: "CN", Code: "77"}, nil
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
