package gate

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

// A fakeMemory remembers the calls on one code.
type fakeMemory struct{ calls []gatehouse.Call }

func (m *fakeMemory) Recall(gatehouse.Pass, time.Time) gatehouse.History {
	if slices.Contains(m.calls, gatehouse.Admit) {
		return gatehouse.History{Seen: noon}
	}
	return gatehouse.History{}
}

func (m *fakeMemory) Remember(_ gatehouse.Pass, c gatehouse.Call, _ time.Time) {
	m.calls = append(m.calls, c)
}

// onceJudge admits by a code once.
type onceJudge struct{}

func (onceJudge) Judge(e gatehouse.Evidence) gatehouse.Verdict {
	if !e.History.Seen.IsZero() {
		return gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonSeenBefore}
	}
	return gatehouse.Verdict{Call: gatehouse.Admit}
}

func TestLaneRemembersWhatIsInTheBookAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		lane fakeLane
		want []gatehouse.Call
	}{
		{"shown twice", fakeLane{skin: 36_600}, []gatehouse.Call{gatehouse.Admit, gatehouse.Refer}},
		{"not written", fakeLane{skin: 36_600, recordErr: errFull}, nil},
		{"the barrier stuck", fakeLane{skin: 36_600, openErr: errBus}, []gatehouse.Call{gatehouse.Refer, gatehouse.Refer}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var memory fakeMemory
			l := c.lane.lane()
			l.Judge, l.Memory = onceJudge{}, &memory
			for range 2 {
				l.Admit(t.Context(), gatehouse.Sighting{Text: "x"}) // breakdowns are part of the cases
			}
			if !slices.Equal(memory.calls, c.want) {
				t.Errorf("remembers %v, want %v", memory.calls, c.want)
			}
		})
	}
}

func TestMemoryIsAskedAfterTheThermometer(t *testing.T) {
	f := fakeLane{skin: 36_600}
	l := f.lane()
	var memory fakeMemory
	l.Judge, l.Memory = onceJudge{}, &memory
	l.Thermometer = skinFunc(func() { memory.calls = append(memory.calls, gatehouse.Admit) }) // at another gate, meanwhile
	p, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x"})
	if err != nil || p.Verdict.Reason != gatehouse.ReasonSeenBefore {
		t.Errorf("verdict %+v (%v), want %s", p.Verdict, err, gatehouse.ReasonSeenBefore)
	}
}

// skinFunc is what happens while somebody is measured.
type skinFunc func()

func (f skinFunc) Skin(context.Context) (gatehouse.Measurement, error) {
	f()
	return gatehouse.Measurement{Skin: 36_600, Quality: gatehouse.Steady}, nil
}

func TestCodeThatAGuardLetInIsRemembered(t *testing.T) {
	f := fakeLane{skin: 38_900}
	l := f.lane()
	var memory fakeMemory
	l.Memory = &memory
	if _, err := l.Admit(t.Context(), gatehouse.Sighting{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Decide(t.Context(), Decision{Amends: 1, Call: gatehouse.Admit, Guard: "Li", Note: "measured again"}); err != nil {
		t.Fatal(err)
	}
	if want := []gatehouse.Call{gatehouse.Refer, gatehouse.Admit}; !slices.Equal(memory.calls, want) {
		t.Errorf("remembers %v, want %v", memory.calls, want)
	}
}
