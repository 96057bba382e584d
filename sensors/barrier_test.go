package sensors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
	"gatehouse/sensors/bench"
)

func newBarrier(t *testing.T) (*Barrier, *bench.Relay) {
	t.Helper()
	relay := &bench.Relay{Name: "barrier"}
	b, err := NewBarrier(relay, 800*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return b, relay
}

func TestOpenIsOnePulseAndHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, relay := newBarrier(t)
		begun := time.Now()
		if err := b.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 0 || !relay.On() {
			t.Errorf("open: took %v, energised %v; want it told at once", took, relay.On())
		}
		time.Sleep(time.Minute)
		if got := relay.Pulses(); len(got) != 1 || got[0].For != 800*time.Millisecond {
			t.Errorf("got %+v, want one pulse of 800 ms", got)
		}
		if err := b.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := relay.Pulses(); len(got) != 2 || got[1].For != 800*time.Millisecond {
			t.Errorf("got %+v, want a second pulse of 800 ms", got)
		}
	})
}

func TestASecondOpenMakesThePulseLonger(t *testing.T) {
	for _, gap := range []time.Duration{time.Nanosecond, 500 * time.Millisecond, 799 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			b, relay := newBarrier(t)
			_ = b.Open(t.Context())
			time.Sleep(gap)
			_ = b.Open(t.Context())
			time.Sleep(time.Minute)
			if got := relay.Pulses(); len(got) != 1 || got[0].For != gap+800*time.Millisecond {
				t.Errorf("after %v: got %+v, want one pulse of %v", gap, got, gap+800*time.Millisecond)
			}
		})
	}
}

func TestATimerThatComesLateDoesNotCutThePulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, relay := newBarrier(t)
		_ = b.Open(t.Context())
		time.Sleep(300 * time.Millisecond)
		b.letGo() // of an earlier pulse, that had to wait while Open was at work
		if !relay.On() {
			t.Error("the pulse was cut")
		}
		time.Sleep(time.Minute)
		if got := relay.Pulses(); len(got) != 1 || got[0].For != 800*time.Millisecond {
			t.Errorf("got %+v, want one pulse of 800 ms", got)
		}
	})
}

func TestCloseAlwaysLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, relay := newBarrier(t)
		_ = b.Open(t.Context())
		time.Sleep(100 * time.Millisecond)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if relay.On() || !relay.Freed() {
			t.Errorf("energised %v, freed %v; want it at rest and freed", relay.On(), relay.Freed())
		}
		if err := b.Open(t.Context()); err == nil {
			t.Error("a closed barrier opened")
		}
		time.Sleep(time.Minute)
		if got := relay.Pulses(); len(got) != 1 || got[0].For != 100*time.Millisecond {
			t.Errorf("got %+v, want one pulse, cut at 100 ms", got)
		}
		if err := b.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
	})
}

func TestALaneThatEndsOpensNothing(t *testing.T) {
	b, relay := newBarrier(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Open(ctx); !errors.Is(err, context.Canceled) || relay.Count() != 0 {
		t.Errorf("got %v and %d pulses, want none", err, relay.Count())
	}
}

func TestARelayThatDoesNotLetGoIsSaidAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, relay := newBarrier(t)
		welded := errors.New("gpio line 17: set 0: input/output error")
		_ = b.Open(t.Context())
		relay.Break(welded)
		time.Sleep(2 * time.Second)
		if err := b.Open(t.Context()); !errors.Is(err, welded) || !strings.Contains(err.Error(), "has not let go") {
			t.Errorf("got %v, want the reason", err)
		}
		relay.Break(nil)
		time.Sleep(letGoAgain)
		synctest.Wait()
		if relay.On() {
			t.Error("the relay works again and is still energised")
		}
		if err := b.Open(t.Context()); err != nil {
			t.Errorf("mended: %v", err)
		}
		_ = b.Close()
	})
}

func TestARelayThatCannotBeToldIsABreakdown(t *testing.T) {
	broken := errors.New("no such device")
	relay := &bench.Relay{}
	relay.Break(broken)
	if _, err := NewBarrier(relay, time.Second); !errors.Is(err, broken) {
		t.Errorf("new: got %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		b, relay := newBarrier(t)
		relay.Break(broken)
		if err := b.Open(t.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), "barrier: energise") {
			t.Errorf("open: got %v", err)
		}
		if err := b.Close(); !errors.Is(err, broken) || !relay.Freed() {
			t.Errorf("close: got %v, freed %v; want the line given up all the same", err, relay.Freed())
		}
	})
}

// panel is Lights on relays.
func panel(sound Sound) (*Lights, map[string]*bench.Relay) {
	r := map[string]*bench.Relay{}
	for _, name := range []string{"green", "amber", "red", "buzzer"} {
		r[name] = &bench.Relay{Name: name}
	}
	return &Lights{Green: r["green"], Amber: r["amber"], Red: r["red"], Buzzer: r["buzzer"], Sound: sound}, r
}

func lit(r map[string]*bench.Relay) string {
	var on []string
	for _, name := range []string{"green", "amber", "red"} {
		if r[name].On() {
			on = append(on, name)
		}
	}
	return strings.Join(on, "+")
}

func TestALampShowsTheLastCallAndGoesOutByItself(t *testing.T) {
	for _, c := range []struct {
		call gatehouse.Call
		lamp string
		last time.Duration
	}{
		{gatehouse.Admit, "green", 1500 * time.Millisecond},
		{gatehouse.Deny, "red", 5 * time.Second},
		{gatehouse.Refer, "amber", 30 * time.Second},
		{gatehouse.Call(99), "red", 30 * time.Second}, // what is not known does not pass
	} {
		synctest.Test(t, func(t *testing.T) {
			l, r := panel(Silent)
			if err := l.Show(gatehouse.Admit); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // the first green lamp's time is not the second's
			if err := l.Show(c.call); err != nil {
				t.Fatal(err)
			}
			if got := lit(r); got != c.lamp {
				t.Errorf("%v: got %q, want %q", c.call, got, c.lamp)
			}
			time.Sleep(c.last - time.Nanosecond)
			synctest.Wait()
			if got := lit(r); got != c.lamp {
				t.Errorf("%v: got %q before %v, want %q", c.call, got, c.last, c.lamp)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if got := lit(r); got != "" {
				t.Errorf("%v: got %q after %v, want it dark", c.call, got, c.last)
			}
			if r["buzzer"].Count() != 0 {
				t.Errorf("%v: a silent buzzer sounded", c.call)
			}
		})
	}
}

func TestAHintPutsTheLampsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := panel(Distinct)
		_ = l.Show(gatehouse.Refer)
		if err := l.Show(gatehouse.Hint); err != nil || lit(r) != "" || r["buzzer"].On() {
			t.Errorf("got %q, buzzer %v, %v; want nothing", lit(r), r["buzzer"].On(), err)
		}
		time.Sleep(time.Minute)
		if r["buzzer"].Count() != 1 {
			t.Errorf("the tune went on: %d notes", r["buzzer"].Count())
		}
	})
}

func TestRedAndAmberSoundTheSame(t *testing.T) {
	const short, long = 80 * time.Millisecond, 250 * time.Millisecond
	for _, c := range []struct {
		sound Sound
		call  gatehouse.Call
		want  []time.Duration
	}{
		{Distinct, gatehouse.Admit, []time.Duration{short}},
		{Distinct, gatehouse.Deny, []time.Duration{long, long}},
		{Distinct, gatehouse.Refer, []time.Duration{long, long}},
		{Neutral, gatehouse.Admit, []time.Duration{short}},
		{Neutral, gatehouse.Deny, []time.Duration{short}},
		{Neutral, gatehouse.Refer, []time.Duration{short}},
		{"", gatehouse.Deny, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, r := panel(c.sound)
			_ = l.Show(c.call)
			time.Sleep(time.Minute)
			var got []time.Duration
			for _, p := range r["buzzer"].Pulses() {
				got = append(got, p.For)
			}
			if len(got) != len(c.want) {
				t.Fatalf("%s %v: got %v, want %v", c.sound, c.call, got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%s %v: got %v, want %v", c.sound, c.call, got, c.want)
				}
			}
		})
	}
}

func TestALampThatDoesNotGoOutIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := panel(Silent)
		_ = l.Show(gatehouse.Admit)
		r["green"].Break(errors.New("input/output error"))
		time.Sleep(time.Minute)
		if lit(r) != "green" {
			t.Fatalf("got %q, want a lamp that cannot be told", lit(r))
		}
		r["green"].Break(nil)
		time.Sleep(letGoAgain)
		synctest.Wait()
		if got := lit(r); got != "" {
			t.Errorf("the lamp works again: got %q, want it dark", got)
		}
		r["green"].Break(errors.New("input/output error"))
		_ = l.Show(gatehouse.Admit)
		_ = l.Close()
		time.Sleep(time.Minute) // a closed panel tries no more: synctest would wait for ever
	})
}

func TestABrokenLampDoesNotHideTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := panel(Distinct)
		burnt := errors.New("burnt out")
		r["green"].Break(burnt)
		if err := l.Show(gatehouse.Deny); !errors.Is(err, burnt) || lit(r) != "red" {
			t.Errorf("got %q %v, want red and the breakdown", lit(r), err)
		}
		if err := l.Close(); !errors.Is(err, burnt) {
			t.Errorf("close: got %v", err)
		}
		if lit(r) != "" || r["buzzer"].On() || !r["green"].Freed() || !r["buzzer"].Freed() {
			t.Error("close left something on, or a line taken")
		}
		if err := l.Show(gatehouse.Admit); err == nil {
			t.Error("closed lights shone")
		}
		time.Sleep(time.Minute)
	})
}

func TestNoLampsAreNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Lights{Sound: Distinct}
		for _, call := range []gatehouse.Call{gatehouse.Deny, gatehouse.Refer, gatehouse.Admit, gatehouse.Hint} {
			if err := l.Show(call); err != nil {
				t.Errorf("%v: %v", call, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
