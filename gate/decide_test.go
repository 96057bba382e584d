package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestGuardsDecisionIsAnotherPassage(t *testing.T) {
	f := fakeLane{skin: 38_900}
	l := f.lane()
	p, err := l.Admit(t.Context(), gatehouse.Sighting{})
	if err != nil {
		t.Fatal(err)
	}
	f.did = nil
	d := Decision{Amends: p.Seq, Call: gatehouse.Admit, Guard: "Li", Note: "measured again: 36.8"}
	got, err := l.Decide(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"record", "open"}; !slices.Equal(f.did, want) {
		t.Errorf("did %v, want %v", f.did, want)
	}
	if got.Seq != 2 || got.Amends != 1 || got.Guard != "Li" || got.Note == "" || got.Verdict.Reason != gatehouse.ReasonGuard || got.Issuer != "CN-330100" {
		t.Errorf("amending row %+v", got)
	}
	if f.rows[0].Verdict.Reason != gatehouse.ReasonFever {
		t.Error("the first row was changed")
	}
	other, err := l.Admit(t.Context(), gatehouse.Sighting{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: other.Seq, Call: gatehouse.Deny, Guard: "Wu", Note: "left"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Decide(t.Context(), d); !errors.Is(err, ErrDecided) {
		t.Errorf("a second click, after another guard's decision: %v, want %v", err, ErrDecided)
	}
	if len(f.rows) != 4 {
		t.Errorf("%d rows, want 4", len(f.rows))
	}
}

func TestDecisionThatIsNoneChangesNothing(t *testing.T) {
	good := Decision{Amends: 1, Call: gatehouse.Deny, Guard: "Li", Note: "left"}
	for _, c := range []struct {
		name string
		edit func(*Decision)
		want error
	}{
		{"no passage", func(d *Decision) { d.Amends = 0 }, ErrNoDecision},
		{"refer is no decision", func(d *Decision) { d.Call = gatehouse.Refer }, ErrNoDecision},
		{"hint is no decision", func(d *Decision) { d.Call = gatehouse.Hint }, ErrNoDecision},
		{"nobody", func(d *Decision) { d.Guard = "" }, ErrNoDecision},
		{"no reason", func(d *Decision) { d.Note = "" }, ErrNoDecision},
		{"a book of a reason", func(d *Decision) { d.Note = strings.Repeat("x", 201) }, ErrNoDecision},
		{"two lines", func(d *Decision) { d.Note = "a\nb" }, ErrNoDecision},
		{"broken text", func(d *Decision) { d.Guard = "\xff" }, ErrNoDecision},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fakeLane{skin: 38_900}
			l := f.lane()
			if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil {
				t.Fatal(err)
			}
			d := good
			c.edit(&d)
			if _, err := l.Decide(t.Context(), d); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if len(f.rows) != 1 || slices.Contains(f.did, "open") {
				t.Errorf("rows %d, did %v", len(f.rows), f.did)
			}
		})
	}
}

func TestDecisionOpensForThePersonWhoIsStillThere(t *testing.T) {
	f := fakeLane{skin: 38_900}
	l := f.lane()
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil {
		t.Fatal(err)
	}
	f.now = noon.Add(11 * time.Minute)
	d := Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "measured again"}
	if _, err := l.Decide(t.Context(), d); !errors.Is(err, ErrTooLate) {
		t.Errorf("eleven minutes later: %v, want %v", err, ErrTooLate)
	}
}

func TestDecisionThatCannotBeWrittenDoesNotOpen(t *testing.T) {
	f := fakeLane{skin: 38_900}
	l := f.lane()
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil {
		t.Fatal(err)
	}
	f.recordErr = errFull
	d := Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "measured again"}
	p, err := l.Decide(t.Context(), d)
	if !errors.Is(err, errFull) || p.Verdict.Call != gatehouse.Refer || slices.Contains(f.did, "open") {
		t.Errorf("got %v %v, did %v", p.Verdict, err, f.did)
	}
	f.recordErr = nil
	if _, err := l.Decide(t.Context(), d); err != nil {
		t.Errorf("the same decision after the disk is mended: %v", err)
	}
}

func TestBarrierOpensOnceForOnePerson(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil {
		t.Fatal(err)
	}
	admit := Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "again"}
	if _, err := l.Decide(t.Context(), admit); !errors.Is(err, ErrDecided) {
		t.Errorf("admitting whom the gate admitted: %v, want %v", err, ErrDecided)
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: gatehouse.Deny, Guard: "Li", Note: "came back"}); err != nil {
		t.Errorf("a guard's no after the gate's yes: %v", err)
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 2, Call: gatehouse.Admit, Guard: "Li", Note: "again"}); !errors.Is(err, ErrDecided) {
		t.Errorf("a decision on a decision: %v, want %v", err, ErrDecided)
	}
	opened := 0
	for _, did := range f.did {
		if did == "open" {
			opened++
		}
	}
	if opened != 1 {
		t.Errorf("the barrier opened %d times, want once", opened)
	}
}

func TestGuardMayOpenWhereTheBarrierStuck(t *testing.T) {
	f := fakeLane{skin: 36_600, openErr: errBus}
	l := f.lane()
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err == nil {
		t.Fatal("a stuck barrier is no error")
	}
	f.openErr = nil
	if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "by hand"}); err != nil {
		t.Errorf("opening again after the barrier was mended: %v", err)
	}
}

func (f *fakeLane) opened() (n int) {
	for _, did := range f.did {
		if did == "open" {
			n++
		}
	}
	return n
}

func TestDecisionHoldsAfterTheLaneWasStartedAgain(t *testing.T) {
	f := fakeLane{skin: 38_900}
	if _, err := f.lane().Admit(t.Context(), gatehouse.Sighting{}); err != nil {
		t.Fatal(err)
	}
	d := Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "measured again"}
	if _, err := f.lane().Decide(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := f.lane().Decide(t.Context(), d); !errors.Is(err, ErrDecided) || f.opened() != 1 {
		t.Errorf("after a restart: %v, opened %d times; want %v, once", err, f.opened(), ErrDecided)
	}
}

func TestGuardOpensForNobodyWhoIsInAlready(t *testing.T) {
	f := fakeLane{skin: 38_900}
	l := f.lane()
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil { // fever
		t.Fatal(err)
	}
	f.skin = 36_600
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil { // the same code again, and in
		t.Fatal(err)
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "again"}); !errors.Is(err, ErrDecided) || f.opened() != 1 {
		t.Errorf("%v, opened %d times; want %v, once", err, f.opened(), ErrDecided)
	}
}

func TestGuardMayTryAStuckBarrierUntilItOpens(t *testing.T) {
	f := fakeLane{skin: 36_600, openErr: errBus}
	l := f.lane()
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err == nil {
		t.Fatal("a stuck barrier is no error")
	}
	d := Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "again"}
	for _, c := range []struct{ stuck, want error }{{errBus, errBus}, {nil, nil}, {nil, ErrDecided}} {
		f.openErr = c.stuck
		if _, err := l.Decide(t.Context(), d); !errors.Is(err, c.want) {
			t.Errorf("barrier %v: %v, want %v", c.stuck, err, c.want)
		}
	}
}

func TestClockSetBackMakesNoOldPassageNew(t *testing.T) {
	f := fakeLane{skin: 38_900}
	l := f.lane()
	for range mostLater + 2 {
		if _, err := l.Admit(t.Context(), gatehouse.Sighting{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "again"}); !errors.Is(err, ErrTooLate) {
		t.Errorf("a thousand people later: %v, want %v", err, ErrTooLate)
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 3, Call: gatehouse.Admit, Guard: "Li", Note: "again"}); err != nil {
		t.Errorf("fewer people later: %v", err)
	}
}
