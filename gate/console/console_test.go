package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fakePage is a browser at the end of a stream. One that is stuck takes no byte until the
// deadline of the write.
type fakePage struct {
	stuck    bool
	mu       sync.Mutex
	body     strings.Builder
	deadline time.Time
	header   http.Header
}

func (p *fakePage) Header() http.Header {
	if p.header == nil {
		p.header = http.Header{}
	}
	return p.header
}
func (p *fakePage) WriteHeader(int)                     {}
func (p *fakePage) Flush()                              {}
func (p *fakePage) SetWriteDeadline(at time.Time) error { p.deadline = at; return nil }

func (p *fakePage) Write(b []byte) (int, error) {
	if p.stuck {
		time.Sleep(time.Until(p.deadline)) // the bubble's time
		return 0, os.ErrDeadlineExceeded
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.body.Write(b)
}

func (p *fakePage) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.body.String()
}

// events gives the names of the events that arrived, in order.
func (p *fakePage) events() []string {
	var names []string
	for line := range strings.Lines(p.String()) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

func (p *fakePage) count(event string) int {
	n := 0
	for _, name := range p.events() {
		if name == event {
			n++
		}
	}
	return n
}

// open gives the server a page; gone is closed when its stream ends.
func open(t *testing.T, s *Server, to screen, p *fakePage) (gone chan struct{}) {
	t.Helper()
	gone = make(chan struct{})
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/events?screen="+string(to), nil)
	go func() {
		defer close(gone)
		s.ServeHTTP(p, r)
	}()
	synctest.Wait()
	return gone
}

func view(c gatehouse.Call, r gatehouse.Reason, seq gatehouse.Seq) gate.View {
	return gate.View{
		Pass: &gatehouse.Pass{Format: "RHC1", Issuer: "CN-330100", Grade: gatehouse.Green,
			Holder: gatehouse.Holder{Name: "欧阳*", Birth: "1990-05-17", Tag: "feedbeef"}},
		Passage: gatehouse.Passage{Seq: seq, Gate: "G1", At: time.Date(2026, 3, 1, 14, 2, 0, 0, time.UTC),
			Format: "RHC1", Issuer: "CN-330100", KeyID: "0badc0de", Code: "cafe", Grade: gatehouse.Green,
			Skin:     gatehouse.Measurement{Skin: 36_600, Quality: gatehouse.Steady, Readings: 5},
			TrustAge: 3 * time.Hour, Clock: true,
			Verdict: gatehouse.Verdict{Call: c, Reason: r, Detail: "what was found", Policy: "CN-330100/7",
				Rule: "travel-14-high", Trust: gatehouse.TrustStale, Here: gatehouse.Yellow, Agreement: "四省互认 2020-05"}, Second: gatehouse.FormatTravel},
	}
}

func well() Status { return Status{Clock: true, Linked: true} }

func TestOnlyAWrittenAdmitIsGreen(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    gatehouse.Verdict
		seq  gatehouse.Seq
		want face
	}{
		{"nothing at all", gatehouse.Verdict{}, 0, faceDeny},
		{"admit", gatehouse.Verdict{Call: gatehouse.Admit}, 7, faceAdmit},
		{"admit, not in the book", gatehouse.Verdict{Call: gatehouse.Admit}, 0, faceRefer},
		{"admit, barrier stuck", gatehouse.Verdict{Call: gatehouse.Admit, Reason: gatehouse.ReasonBarrier}, 7, faceRefer},
		{"admitted by a guard", gatehouse.Verdict{Call: gatehouse.Admit, Reason: gatehouse.ReasonGuard}, 8, faceAdmit},
		{"deny", gatehouse.Verdict{Call: gatehouse.Deny, Reason: gatehouse.ReasonExpired}, 7, faceDeny},
		{"refer", gatehouse.Verdict{Call: gatehouse.Refer, Reason: gatehouse.ReasonFever}, 7, faceRefer},
		{"not ours, as a hint", gatehouse.Verdict{Call: gatehouse.Hint, Reason: gatehouse.ReasonNotOurs}, 0, faceNotOurs},
		{"not ours, written", gatehouse.Verdict{Call: gatehouse.Deny, Reason: gatehouse.ReasonNotOurs}, 7, faceNotOurs},
		{"come closer", gatehouse.Verdict{Call: gatehouse.Hint, Reason: gatehouse.ReasonNotMeasured}, 0, faceHint},
		{"camera gone", gatehouse.Verdict{Call: gatehouse.Hint, Reason: gatehouse.ReasonCamera}, 0, faceClosed},
		{"no such call", gatehouse.Verdict{Call: 99}, 7, faceDeny},
	} {
		if got := faceOf(gatehouse.Passage{Seq: tt.seq, Verdict: tt.v}); got != tt.want {
			t.Errorf("%s: face %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestThePublicPageCannotCarryAPerson looks at the types: numbers, booleans and the two
// closed sets of words have no room for a name.
func TestThePublicPageCannotCarryAPerson(t *testing.T) {
	closedSets := map[reflect.Type]bool{reflect.TypeFor[face](): true, reflect.TypeFor[do](): true}
	for _, event := range []reflect.Type{reflect.TypeFor[publicEvent](), reflect.TypeFor[publicBeat](), reflect.TypeFor[clearEvent]()} {
		if event.Kind() != reflect.Struct || event.NumField() == 0 {
			t.Fatalf("%s is not a struct with fields", event)
		}
		for i := range event.NumField() {
			f := event.Field(i)
			switch {
			case closedSets[f.Type], f.Type.Kind() == reflect.Bool, f.Type.Kind() == reflect.Int64, f.Type.Kind() == reflect.Uint64:
			default:
				t.Errorf("%s.%s is a %s, which could carry a person's words", event, f.Name, f.Type)
			}
		}
	}
}

func TestTheQueueCannotTellFeverFromARedCode(t *testing.T) {
	var seen []string
	for _, r := range []gatehouse.Reason{gatehouse.ReasonFever, gatehouse.ReasonColour, gatehouse.ReasonFlipped, gatehouse.ReasonUnknownKey} {
		synctest.Test(t, func(t *testing.T) {
			s, p := &Server{Status: well}, &fakePage{}
			gone := open(t, s, publicScreen, p)
			s.Show(view(gatehouse.Refer, r, 7))
			synctest.Wait()
			seen = append(seen, p.String())
			s.Close()
			<-gone
		})
	}
	for _, body := range seen {
		if body != seen[0] || !strings.Contains(body, `"face":"refer"`) {
			t.Errorf("public page got %q, want the same for each reason: %q", body, seen[0])
		}
	}
}

func TestPersonalFieldsReachOnlyTheGuardWhoIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Status: well}
		guard, public := &fakePage{}, &fakePage{}
		open(t, s, guardScreen, guard)
		open(t, s, publicScreen, public)
		s.Show(view(gatehouse.Refer, gatehouse.ReasonFever, 7))
		time.Sleep(10 * time.Second)
		lateGuard, latePublic := &fakePage{}, &fakePage{}
		open(t, s, guardScreen, lateGuard)
		open(t, s, publicScreen, latePublic)

		if got := guard.String(); !strings.Contains(got, "欧阳*") || !strings.Contains(got, `"born":"1990"`) {
			t.Errorf("guard's page does not show the masked holder: %s", got)
		}
		for _, secret := range []string{"1990-05-17", "feedbeef", "cafe", "0badc0de"} {
			if strings.Contains(guard.String(), secret) {
				t.Errorf("guard's page got %q, which nobody needs", secret)
			}
		}
		for name, p := range map[string]*fakePage{"late guard": lateGuard, "public": public, "late public": latePublic} {
			if strings.Contains(p.String(), "欧阳") || strings.Contains(p.String(), "1990") {
				t.Errorf("%s got personal fields: %s", name, p)
			}
			if p.count("verdict") != 1 {
				t.Errorf("%s got %d verdicts, want 1", name, p.count("verdict"))
			}
		}
		if !strings.Contains(lateGuard.String(), `"ttl":20000`) {
			t.Errorf("late guard did not get the 20 s that were left: %s", lateGuard)
		}
		if kept := fmt.Sprintf("%+v %+v", *s.current, s.shift); strings.Contains(kept, "欧阳") {
			t.Errorf("the server keeps the holder: %s", kept)
		}
		s.Close()
		synctest.Wait()
	})
}

func TestAVerdictOutlivesItsTimeOnNoScreen(t *testing.T) {
	for f, want := range map[face]time.Duration{faceAdmit: 1500 * time.Millisecond, faceDeny: 15 * time.Second,
		faceRefer: 30 * time.Second, faceNotOurs: 2 * time.Second, faceHint: 2 * time.Second} {
		if got := (TTL{}).of(f); got != want {
			t.Errorf("%s lives %v, want %v", f, got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s, late := &Server{Status: well}, &fakePage{}
		s.Show(view(gatehouse.Admit, gatehouse.ReasonNone, 7))
		time.Sleep(1500 * time.Millisecond)
		open(t, s, guardScreen, late)
		if got := late.count("verdict"); got != 0 {
			t.Errorf("a page that came after 1.5 s got %d verdicts, want none", got)
		}
		s.Close()
		synctest.Wait()
	})
}

func TestTheHeartBeatsEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, to := range []screen{guardScreen, publicScreen} {
			s, p := &Server{Status: well}, &fakePage{}
			gone := open(t, s, to, p)
			time.Sleep(5*time.Second + time.Millisecond)
			synctest.Wait()
			if got := p.count("status"); got != 6 {
				t.Errorf("%s: %d beats in 5 s, want one at once and 5 more", to, got)
			}
			s.Close()
			<-gone
		}
	})
}

func TestShowNeverWaitsForASlowPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, slow, good := &Server{Status: well}, &fakePage{stuck: true}, &fakePage{}
		gone := open(t, s, guardScreen, slow)
		open(t, s, guardScreen, good)
		before := time.Now()
		for i := range 4 * boxSize {
			s.Show(view(gatehouse.Admit, gatehouse.ReasonNone, gatehouse.Seq(i+1)))
			synctest.Wait() // the good page reads, the slow one cannot
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Show waited %v, want not at all", waited)
		}
		<-gone
		if got := good.count("verdict"); got != 4*boxSize {
			t.Errorf("the page that keeps up got %d verdicts, want %d", got, 4*boxSize)
		}
		s.Close()
		synctest.Wait()
	})
}

func TestPublicPagesNeverPushOutTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Status: well}
		guard := open(t, s, guardScreen, &fakePage{})
		first := open(t, s, publicScreen, &fakePage{})
		last := first
		for range maxStreams {
			last = open(t, s, publicScreen, &fakePage{})
		}
		<-first // the oldest of its kind made place
		for name, gone := range map[string]chan struct{}{"guard": guard, "newest public page": last} {
			select {
			case <-gone:
				t.Errorf("%s was dropped", name)
			default:
			}
		}
		if got := len(s.streams); got != maxStreams+1 {
			t.Errorf("%d streams, want %d", got, maxStreams+1)
		}
		s.Close()
		synctest.Wait()
	})
}

func TestAcknowledgingClearsEveryScreenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, guard, public := &Server{Status: well}, &fakePage{}, &fakePage{}
		open(t, s, guardScreen, guard)
		open(t, s, publicScreen, public)
		s.Show(view(gatehouse.Refer, gatehouse.ReasonFever, 7))
		for i, want := range []int{http.StatusOK, http.StatusConflict} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("POST", "/acknowledge", strings.NewReader(`{"event":1}`)))
			if w.Code != want {
				t.Errorf("acknowledge %d: status %d, want %d", i+1, w.Code, want)
			}
		}
		synctest.Wait()
		if guard.count("clear") != 1 || public.count("clear") != 1 {
			t.Errorf("clear events: guard %d, public %d, want 1 each", guard.count("clear"), public.count("clear"))
		}
		time.Sleep(time.Minute)
		if s.shift.Unanswered != 0 {
			t.Errorf("an acknowledged question counts as unanswered")
		}
		s.Close()
		synctest.Wait()
	})
}

func TestAQuestionThatNobodyAnsweredIsCounted(t *testing.T) {
	amended := view(gatehouse.Admit, gatehouse.ReasonGuard, 8)
	amended.Passage.Amends = 7
	next := view(gatehouse.Admit, gatehouse.ReasonNone, 8)
	for _, tt := range []struct {
		name string
		then *gate.View
		want int
	}{
		{"time runs out", nil, 1},
		{"somebody else passes", &next, 1},
		{"a guard decides", &amended, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &Server{Status: well}
			s.Show(view(gatehouse.Refer, gatehouse.ReasonFever, 7))
			if tt.then != nil {
				s.Show(*tt.then)
			}
			time.Sleep(31 * time.Second)
			s.beat(guardScreen)
			if s.shift.Unanswered != tt.want {
				t.Errorf("%s: unanswered %d, want %d", tt.name, s.shift.Unanswered, tt.want)
			}
		})
	}
}

func TestAHintLeavesAFreshVerdictAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Status: well}
		hint := gate.View{Passage: gatehouse.Passage{Verdict: gatehouse.Verdict{Call: gatehouse.Hint, Reason: gatehouse.ReasonUnreadable}}}
		s.Show(view(gatehouse.Deny, gatehouse.ReasonBadSignature, 7))
		s.Show(hint)
		if got := s.current.guard.Face; got != faceDeny {
			t.Errorf("at once: screen shows %s, want %s", got, faceDeny)
		}
		time.Sleep(settled)
		s.Show(hint)
		if got := s.current.guard.Face; got != faceHint {
			t.Errorf("after %v: screen shows %s, want %s", settled, got, faceHint)
		}
	})
}

func TestAHintToThePersonWhoShowsTheSecondCodeIsShown(t *testing.T) {
	s := &Server{Status: well}
	s.Show(view(gatehouse.Refer, gatehouse.ReasonSecondCode, 7))
	closer := view(gatehouse.Hint, gatehouse.ReasonNotMeasured, 0)
	closer.Passage.Amends = 7
	s.Show(closer)
	if got := s.current.guard.Face; got != faceHint || s.shift.Unanswered != 0 {
		t.Errorf("screen shows %s, %d unanswered; want %s and none", got, s.shift.Unanswered, faceHint)
	}
}

func TestTheListHoldsTenAndNothingPersonal(t *testing.T) {
	s := &Server{}
	for i := range 15 {
		s.Show(view(gatehouse.Admit, gatehouse.ReasonNone, gatehouse.Seq(i+1)))
	}
	if len(s.shift.Last) != lastRows || s.shift.Last[0].Seq != 15 || s.shift.Last[9].Seq != 6 || s.shift.Admitted != 15 {
		t.Errorf("list %+v, admitted %d; want 15 down to 6, and 15", s.shift.Last, s.shift.Admitted)
	}
	for i := range reflect.TypeFor[row]().NumField() {
		switch name := reflect.TypeFor[row]().Field(i).Name; name {
		case "Seq", "Amends", "At", "Face", "Reason", "Issuer":
		default:
			t.Errorf("the list's row has a field %s; nothing about the person belongs there", name)
		}
	}
}

// TestAStreamOutlivesTheWriteTimeout is the trap of net/http: the server's timeout counts
// from the request on, and would cut each stream.
func TestAStreamOutlivesTheWriteTimeout(t *testing.T) {
	s := &Server{Status: well}
	ts := httptest.NewUnstartedServer(s)
	ts.Config.WriteTimeout = 100 * time.Millisecond
	ts.Start()
	defer ts.Close()
	ts.Config.RegisterOnShutdown(s.Close)
	res, err := ts.Client().Get(ts.URL + "/events?screen=public")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf, body := make([]byte, 4096), ""
	for strings.Count(body, "event: status") < 3 { // two of them after the timeout
		n, err := res.Body.Read(buf)
		body += string(buf[:n])
		if err != nil {
			t.Fatalf("the stream ended after %q: %v", body, err)
		}
	}
	// Shutdown waits for streams; Close has to end them.
	if err := ts.Config.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}
