// Package console is what people see of a gate: the guard's page, and the holder's page
// that says no more than what to do.
//
// The lane shows, the console mirrors. A verdict on a screen has a number and a time to
// live, because a frozen green screen admits everybody: a page that hears nothing for two
// seconds goes neutral, and a page whose script stalls is cleared by its own style sheet.
// The barrier, the lights and the buzzer hang on the daemon, never on a browser.
//
// Personal fields travel once, to the guard's pages that are open at that moment. The
// server keeps none of them, and the type of the public page's events has no place for any.
package console

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/gate"
)

// A Server is the console of one gate: an http.Handler for its pages and the gate.Screen of
// its lane. The zero value works and lets nobody decide anything. Fields are set before the
// first use and not changed afterwards.
type Server struct {
	Gate    string // the gate's name as people call it
	Version string // of the program; a page of another version reloads itself
	Lang    string // of the guard's page until the guard switches: Chinese (default) or English
	Sound   string // Off, Neutral (default) or Distinct, until the guard switches
	Blue    bool   // admit in blue, for guards who cannot tell red from green, until the guard switches

	// Decide takes a guard's word; a gate.Lane's method fits. Without it, or without
	// guards, the page offers no decisions and says so.
	Decide func(context.Context, gate.Decision) (gatehouse.Passage, error)
	Guards []Guard

	// Enter takes a guard's word for somebody who has no code; a gate.Lane's method fits.
	// Without it the page offers no such path.
	Enter func(context.Context, gate.Entry) (gatehouse.Passage, error)

	// Ways are the causes that the region's policy lets count today; nil lets all of them.
	Ways func() []gatehouse.Without

	// Status is asked once a second and page, and answers from memory. Nil is a gate that
	// tells nothing about itself: its clock is not trusted and its camera is gone.
	Status func() Status

	// Preview gives the camera's newest frame as a JPEG, false when there is none. Nil
	// takes the preview off the page.
	Preview func() ([]byte, bool)

	// Token keeps the guard's page to those who know it; the holder's page stays open to
	// all. Empty leaves it to the listener, which then belongs on the loopback.
	Token string

	TTL    TTL
	Now    func() time.Time // what the page's clock shows; nil is time.Now
	Logger *slog.Logger     // nil is slog.Default

	once    sync.Once
	handler http.Handler // the routes, built once

	pin      sync.Mutex // one PIN is checked at a time
	attempts attempts   // guarded by pin

	mu      sync.Mutex
	streams []*stream // oldest first
	closed  bool
	started time.Time
	events  uint64   // number of the last event
	current *showing // what a page that joins now must show; nothing personal
	shift   shift
}

// A Guard may decide. PIN is what HashPIN made of the guard's number.
type Guard struct {
	Name string
	PIN  string
}

// What the guard's page plays. Neutral has one sound for all that is not a pass, so that a
// queue does not hear who has a fever.
const (
	Off      = "off"
	Neutral  = "neutral"
	Distinct = "distinct"
)

// TTL is how long each kind of event stays on a screen; zero fields have the usual values.
type TTL struct {
	Admit   time.Duration // 1.5 s
	Deny    time.Duration // 15 s when nobody acknowledges
	Refer   time.Duration // 30 s when nobody acknowledges
	NotOurs time.Duration // 2 s
	Hint    time.Duration // 2 s
	Holder  time.Duration // 20 s: personal fields are wiped then, whatever else still shows
}

func (t TTL) of(f face) time.Duration {
	switch f {
	case faceAdmit:
		return cmp.Or(t.Admit, 1500*time.Millisecond)
	case faceRefer:
		return cmp.Or(t.Refer, 30*time.Second)
	case faceNotOurs:
		return cmp.Or(t.NotOurs, 2*time.Second)
	case faceHint, faceClosed:
		return cmp.Or(t.Hint, 2*time.Second)
	}
	return cmp.Or(t.Deny, 15*time.Second)
}

// settled is how long a hint leaves a Deny or a Refer alone. The next in the queue already
// waves a telephone at the camera while the guard still reads. A hint to the same person,
// who has shown the second code meanwhile, is shown at once.
const settled = 5 * time.Second

// A showing is what is on the screens now, less everything personal.
type showing struct {
	guard  guardEvent
	public publicEvent
	since  time.Time
	until  time.Time
}

// Show puts a view on all screens and returns at once: a page that does not keep up loses
// its stream, not the lane its time.
func (s *Server) Show(v gate.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.settle(now)

	f := faceOf(v.Passage)
	if f == faceHint && s.current != nil && s.current.guard.asks() && now.Sub(s.current.since) < settled &&
		(v.Passage.Amends == 0 || v.Passage.Amends != s.current.guard.Seq) {
		return
	}
	if s.current != nil && s.current.guard.Face == faceRefer && v.Passage.Amends != s.current.guard.Seq {
		s.shift.Unanswered++
	}
	s.events++
	full := s.guardEvent(v, f, now)
	public := publicEvent{Event: s.events, Mono: s.mono(now), Face: f, TTL: full.TTL, Do: doFor(f, v.Passage.Verdict.Reason, v.Aim)}
	s.tell(guardScreen, "verdict", full)
	s.tell(publicScreen, "verdict", public)

	full.Person = nil
	s.current = &showing{guard: full, public: public, since: now, until: now.Add(s.TTL.of(f))}
	if v.Passage.Seq != 0 {
		s.shift.add(v.Passage)
		s.tell(guardScreen, "shift", s.shift)
	}
}

// acknowledge clears event n from all screens, if it is what they show.
func (s *Server) acknowledge(n uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.guard.Event != n {
		return false
	}
	s.current = nil
	clear := clearEvent{Event: n, Mono: s.mono(time.Now())}
	s.tell(guardScreen, "clear", clear)
	s.tell(publicScreen, "clear", clear)
	return true
}

// settle forgets what has outlived its time, and counts the question that nobody answered.
func (s *Server) settle(now time.Time) {
	if s.current == nil || now.Before(s.current.until) {
		return
	}
	if s.current.guard.Face == faceRefer {
		s.shift.Unanswered++
		s.tell(guardScreen, "shift", s.shift)
	}
	s.current = nil
}

// tell hands an event to every page of one screen. Callers hold mu.
func (s *Server) tell(to screen, name string, event any) {
	var line []byte
	for _, st := range s.streams {
		if st.screen != to {
			continue
		}
		if line == nil {
			line = frame(name, event)
		}
		st.offer(line)
	}
}

// frame is one event of the text/event-stream format (WHATWG HTML, 9.2.6). JSON has no
// line breaks of its own, so one data line is enough.
func frame(name string, event any) []byte {
	data, err := json.Marshal(event)
	if err != nil {
		// Every event is a struct of plain fields: only a field added without thought
		// gets here, and the test of the stream would not pass.
		panic("console: " + name + ": " + err.Error())
	}
	return append(append([]byte("event: "+name+"\ndata: "), data...), "\n\n"...)
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// mono is milliseconds since the first use, by the machine's monotonic clock: a page can
// tell how old an event is even when somebody sets the gate's clock. Callers hold mu.
func (s *Server) mono(now time.Time) int64 {
	if s.started.IsZero() {
		s.started = now
	}
	return now.Sub(s.started).Milliseconds()
}

func (s *Server) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}
