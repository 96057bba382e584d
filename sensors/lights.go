package sensors

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/sensors/bench"
)

// Sound says what a buzzer tells people.
type Sound string

// The sounds. A red and an amber verdict sound the same, so that the queue does not hear
// what only guard and holder should know.
const (
	Silent   Sound = "off"
	Neutral  Sound = "neutral"  // one short note whatever the verdict
	Distinct Sound = "distinct" // one short note to go on, two long ones to stay
)

// Lights are a lane's lamps and its buzzer. A line that is not fitted is nil. A lamp goes
// out by itself: one that stayed green would wave everybody through.
type Lights struct {
	Green, Amber, Red Line
	Buzzer            Line
	Sound             Sound // "" is Silent

	mu     sync.Mutex
	shown  uint64 // verdicts so far; what a timer of an earlier one says is stale
	closed bool
}

// shownFor is how long a lamp stays, as long as the guard's screen does.
func shownFor(call gatehouse.Call) time.Duration {
	switch call {
	case gatehouse.Admit:
		return 1500 * time.Millisecond
	case gatehouse.Deny:
		return 5 * time.Second
	}
	return 30 * time.Second
}

// tune gives how long the buzzer sounds, rests, sounds and so on.
func (s Sound) tune(call gatehouse.Call) []time.Duration {
	const short, long = 80 * time.Millisecond, 250 * time.Millisecond
	switch {
	case s == Neutral, s == Distinct && call == gatehouse.Admit:
		return []time.Duration{short}
	case s == Distinct:
		return []time.Duration{long, short, long}
	}
	return nil
}

// Show lights the lamp of a call and sounds the buzzer, and returns. What was shown before
// ends. A hint is no verdict: it puts everything out. An error is a breakdown; the lamps
// that still work show what they can.
func (l *Lights) Show(call gatehouse.Call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.New("lights: show: closed already")
	}
	l.shown++
	turn := l.shown
	err := l.dark() // never two colours at once
	lamp := l.lamp(call)
	if call == gatehouse.Hint {
		return err
	}
	if lamp != nil {
		err = errors.Join(err, lamp.Set(true))
	}
	time.AfterFunc(shownFor(call), func() { l.out(turn, lamp) })
	l.sound(turn, l.Sound.tune(call))
	if err != nil {
		return fmt.Errorf("lights: show %v: %w", call, err)
	}
	return nil
}

func (l *Lights) lamp(call gatehouse.Call) Line {
	switch call {
	case gatehouse.Admit:
		return l.Green
	case gatehouse.Refer:
		return l.Amber
	}
	return l.Red
}

// out ends the lamp of a turn, unless another verdict is shown by now.
func (l *Lights) out(turn uint64, lamp Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if turn != l.shown || lamp == nil || l.closed {
		return
	}
	// Nobody is there to be told, and the next Show says it; until then it is tried again.
	if lamp.Set(false) != nil {
		time.AfterFunc(letGoAgain, func() { l.out(turn, lamp) })
	}
}

// sound plays the rest of a tune: the buzzer is on for the first time of an odd rest.
func (l *Lights) sound(turn uint64, rest []time.Duration) {
	if l.Buzzer == nil || len(rest) == 0 {
		return
	}
	_ = l.Buzzer.Set(len(rest)%2 == 1)
	time.AfterFunc(rest[0], func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if turn != l.shown || l.closed {
			return
		}
		if len(rest) == 1 {
			_ = l.Buzzer.Set(false)
			return
		}
		l.sound(turn, rest[1:])
	})
}

// lines gives what is fitted.
func (l *Lights) lines() []Line {
	var fitted []Line
	for _, line := range []Line{l.Green, l.Amber, l.Red, l.Buzzer} {
		if line != nil {
			fitted = append(fitted, line)
		}
	}
	return fitted
}

// dark puts everything out.
func (l *Lights) dark() error {
	var err error
	for _, line := range l.lines() {
		err = errors.Join(err, line.Set(false))
	}
	return err
}

// Close puts everything out and gives the lines up.
func (l *Lights) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	err := l.dark()
	for _, line := range l.lines() {
		err = errors.Join(err, line.Close())
	}
	return err
}

// OpenLights gives the lamps and the buzzer that a source names:
//
//	gpio:/dev/gpiochip0?active=high&green=22&amber=23&red=24&buzzer=25&sound=distinct
//	gpio:?active=high&green=GPIO22&red=GPIO24     by the lines' names; those not fitted left out
//	note:                                         lines that only note
//	none                                          no lamps
func OpenLights(text string) (*Lights, error) {
	l, err := openLights(text)
	if err != nil {
		return nil, fmt.Errorf("lights %q: %w", text, err)
	}
	return l, nil
}

func openLights(text string) (*Lights, error) {
	s, err := parseSource(text)
	if err != nil {
		return nil, err
	}
	switch s.scheme {
	case "none", "note":
		if s.path != "" {
			return nil, fmt.Errorf("%s: takes no %q", s.scheme, s.path)
		}
		if err := s.only(); err != nil {
			return nil, err
		}
		if s.scheme == "none" {
			return &Lights{}, nil
		}
		return &Lights{Green: &bench.Relay{Name: "green"}, Amber: &bench.Relay{Name: "amber"}, Red: &bench.Relay{Name: "red"},
			Buzzer: &bench.Relay{Name: "buzzer"}, Sound: Distinct}, nil
	case "gpio":
		return openLamps(s)
	}
	return nil, errors.New("unknown kind: write gpio:/dev/gpiochip0?active=high&green=22&amber=23&red=24, note: or none")
}

func openLamps(s source) (*Lights, error) {
	if err := s.only("active", "green", "amber", "red", "buzzer", "sound"); err != nil {
		return nil, err
	}
	low, err := s.activeLow()
	if err != nil {
		return nil, err
	}
	l := &Lights{Sound: Sound(s.options["sound"])}
	switch l.Sound {
	case "", Silent, Neutral, Distinct:
	default:
		return nil, fmt.Errorf("sound=%s is none of off, neutral, distinct", l.Sound)
	}
	for _, fit := range []struct {
		option string
		line   *Line
	}{{"green", &l.Green}, {"amber", &l.Amber}, {"red", &l.Red}, {"buzzer", &l.Buzzer}} {
		text, ok := s.options[fit.option]
		if !ok {
			continue
		}
		if s.path != "" {
			text = s.path + "/" + text
		}
		address, err := parseLine(text)
		if err == nil {
			*fit.line, err = openLine(address, low)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", fit.option, err), l.Close())
		}
	}
	if len(l.lines()) == 0 {
		return nil, errors.New("no lamp is named: write green=, amber=, red=, or the source none")
	}
	return l, nil
}
