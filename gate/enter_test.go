package gate

import (
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
