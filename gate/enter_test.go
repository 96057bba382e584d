package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// A deskJudge lets in by paper, and a companion of somebody admitted within a minute.
type deskJudge struct{}

func (deskJudge) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	with := e.At.Sub(e.History.Seen)
	switch {
	case e.Skin.Skin > 37_300:
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonFever}
	case e.Pass != nil, e.Without == gatehouse.OnPaper, e.Without == gatehouse.Companion && with <= time.Minute:
		return gatehouse.Verdict{Call: gatehouse.Admit}
	}
	return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonNoRule}
}

func TestPersonWithoutACodeGoesTheSameWay(t *testing.T) {
	for _, c := range []struct {
		name string
		skin gatehouse.Temperature
		why  gatehouse.Without
		did  []string
	}{
		{"on paper", 36_600, gatehouse.OnPaper, []string{"measure", "record", "open"}},
		{"fever", 38_900, gatehouse.OnPaper, []string{"measure", "record"}},
		{"no path in the rules", 36_600, gatehouse.NoPhone, []string{"measure", "record"}},
		{"a companion of nobody", 36_600, gatehouse.Companion, []string{"measure", "record"}},
	} {
		f := fakeLane{skin: c.skin}
		l := f.lane()
		l.Judge = deskJudge{}
		p, err := l.Enter(t.Context(), Entry{Without: c.why, Guard: "Li", Note: "green on paper"})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f.did, c.did) {
			t.Errorf("%s: did %v, want %v", c.name, f.did, c.did)
		}
		if p.Seq != 1 || p.Without != c.why || p.Guard != "Li" || p.Note == "" || p.Code != "" {
			t.Errorf("%s: row %+v", c.name, p)
		}
	}
}

func TestCompanionGoesWithWhoWasAdmitted(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	l.Judge = deskJudge{}
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(30 * time.Second)
	p, err := l.Enter(t.Context(), Entry{Without: gatehouse.Companion, Guard: "Li", Note: "child of the woman before"})
	if err != nil || p.Verdict.Call != gatehouse.Admit {
		t.Errorf("verdict %+v (%v), want admit", p.Verdict, err)
	}
}

func TestEntryThatIsNoneIsNotWrittenDown(t *testing.T) {
	good := Entry{Without: gatehouse.OnPaper, Guard: "Li", Note: "green on paper"}
	for name, spoil := range map[string]func(*Entry){
		"has a code":    func(e *Entry) { e.Without = gatehouse.WithCode },
		"no such cause": func(e *Entry) { e.Without = 9 },
		"nobody":        func(e *Entry) { e.Guard = "" },
		"nothing seen":  func(e *Entry) { e.Note = "" },
		"a book of it":  func(e *Entry) { e.Note = strings.Repeat("x", 201) },
		"two lines":     func(e *Entry) { e.Note = "a\nb" },
		"no characters": func(e *Entry) { e.Guard = "\xff" },
	} {
		f, entry := fakeLane{skin: 36_600}, good
		spoil(&entry)
		if _, err := f.lane().Enter(t.Context(), entry); !errors.Is(err, ErrNoEntry) || len(f.did) != 0 {
			t.Errorf("%s: %v, did %v", name, err, f.did)
		}
	}
}

func TestCompanionBringsNobody(t *testing.T) {
	for _, c := range []struct {
		name  string
		first func(*Lane) error
		after time.Duration // between two
		want  []gatehouse.Call
	}{
		{"of one who was admitted", byCode, 20 * time.Second, []gatehouse.Call{gatehouse.Admit, gatehouse.Admit, gatehouse.Admit}},
		{"of companions alone", byCode, 40 * time.Second, []gatehouse.Call{gatehouse.Admit, gatehouse.Refer, gatehouse.Refer}},
		{"of one whom a guard admitted", byGuard, 20 * time.Second, []gatehouse.Call{gatehouse.Admit, gatehouse.Admit, gatehouse.Admit}},
		{"of one whom a guard sent back", byCodeAndBack, 20 * time.Second, []gatehouse.Call{gatehouse.Refer, gatehouse.Refer, gatehouse.Refer}},
		{"the clock was set back", byCode, -time.Hour, []gatehouse.Call{gatehouse.Refer, gatehouse.Refer, gatehouse.Refer}},
	} {
		f := fakeLane{skin: 36_600}
		l := f.lane()
		l.Judge = deskJudge{}
		if err := c.first(l); err != nil {
			t.Fatal(err)
		}
		f.skin = 36_600
		var got []gatehouse.Call
		for range c.want {
			f.now = f.now.Add(c.after)
			p, err := l.Enter(t.Context(), Entry{Without: gatehouse.Companion, Guard: "Li", Note: "child"})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.Verdict.Call)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func byCode(l *Lane) error {
	_, err := l.Admit(context.Background(), gatehouse.Sighting{Text: "x"})
	return err
}

func byCodeAndBack(l *Lane) error {
	if err := byCode(l); err != nil {
		return err
	}
	_, err := l.Decide(context.Background(), Decision{Amends: 1, Call: gatehouse.Deny, Guard: "Li", Note: "another's code"})
	return err
}

func byGuard(l *Lane) error {
	l.Thermometer.(*fakeLane).skin = 38_900
	p, err := l.Admit(context.Background(), gatehouse.Sighting{Text: "x"})
	if err != nil {
		return err
	}
	_, err = l.Decide(context.Background(), Decision{Amends: p.Seq, Call: gatehouse.Admit, Guard: "Li", Note: "measured again"})
	return err
}

func TestPersonWithoutACodeMakesNoRoomInAFrame(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	l.Judge = deskJudge{}
	frame := noon.Add(-time.Second)
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x", At: frame}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Enter(t.Context(), Entry{Without: gatehouse.OnPaper, Guard: "Li", Note: "paper"}); err != nil {
		t.Fatal(err)
	}
	p, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "y", At: frame})
	if err != nil || p.Verdict.Reason != gatehouse.ReasonCrowd {
		t.Errorf("verdict %+v (%v), want %s", p.Verdict, err, gatehouse.ReasonCrowd)
	}
}
