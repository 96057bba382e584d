package module

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

// A socket is where modules are plugged in: each opening finds the next of its ports, and
// the last one again and again. Nil is an empty socket.
type socket struct {
	ports  []port
	opened []time.Time
}

var errEmpty = errors.New("open: no such file or directory")

// plug gives a Reader on a socket. It works for a pause of 60 ms.
func plug(t *testing.T, end suffix, ports ...port) (*Reader, *socket) {
	t.Helper()
	s := &socket{ports: ports}
	r := &Reader{path: "/dev/fake", idle: defaultIdle, news: make(chan struct{}, 1)}
	r.tray.counts = &r.counts
	r.open = func() (port, *decoder, error) {
		s.opened = append(s.opened, time.Now())
		p := s.ports[min(len(s.opened), len(s.ports))-1]
		if p == nil {
			return nil, nil, errEmpty
		}
		return p, &decoder{framer: framer{suffix: end, counts: &r.counts}}, nil
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, s
}

// cable is a module's end and the Reader's.
func cable(t *testing.T) (module net.Conn, p port) {
	t.Helper()
	module, end := net.Pipe()
	t.Cleanup(func() { module.Close(); end.Close() })
	return module, end
}

func send(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Error(err)
	}
}

type answer struct {
	gatehouse.Sighting
	err error
	at  time.Time
}

// ask is Next while the test goes on.
func ask(ctx context.Context, r *Reader) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		s, err := r.Next(ctx)
		c <- answer{s, err, time.Now()}
	}()
	return c
}

func TestTextWithoutSuffixEndsWithAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, _ := plug(t, serialSuffixes[0], p)
		got := ask(t.Context(), r)
		begun := time.Now()
		for _, piece := range []string{"HC1:", "6BF", "OXN"} {
			send(t, m, piece)
			time.Sleep(59 * time.Millisecond) // shorter than the pause
		}
		a := <-got
		if a.err != nil || a.Text != "HC1:6BFOXN" {
			t.Fatalf("%q, %v", a.Text, a.err)
		}
		last := begun.Add(2 * 59 * time.Millisecond)
		if !a.At.Equal(last) || !a.at.Equal(last.Add(defaultIdle)) || a.Took != a.at.Sub(begun) {
			t.Errorf("at %v, took %v, told at %v", a.At.Sub(begun), a.Took, a.at.Sub(begun))
		}
	})
}

func TestTextWithSuffixIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, _ := plug(t, serialSuffixes[0], p)
		got := ask(t.Context(), r)
		begun := time.Now()
		send(t, m, "ON")
		time.Sleep(40 * time.Millisecond)
		send(t, m, "E\r\nTW")
		a := <-got
		if a.Text != "ONE" || !a.at.Equal(begun.Add(40*time.Millisecond)) || a.Took != 40*time.Millisecond {
			t.Errorf("%q after %v, took %v; %v", a.Text, a.at.Sub(begun), a.Took, a.err)
		}
		time.Sleep(20 * time.Millisecond)
		send(t, m, "O\r")
		if a := <-ask(t.Context(), r); a.Text != "TWO" || a.Took != 20*time.Millisecond {
			t.Errorf("%q took %v; %v", a.Text, a.Took, a.err)
		}
	})
}

func TestTextThatStopsWithoutItsSuffixIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, _ := plug(t, named(t, "cr"), p)
		got := ask(t.Context(), r)
		send(t, m, "HAL")
		time.Sleep(time.Second)
		send(t, m, "WHOLE\r")
		if a := <-got; a.Text != "WHOLE" || r.Counts() != (Counts{Scans: 1, Cut: 1}) {
			t.Errorf("%q, %v, %+v", a.Text, a.err, r.Counts())
		}
	})
}

func TestTextThatNobodyAskedForOpensNoGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, _ := plug(t, serialSuffixes[0], p)
		got := ask(t.Context(), r)
		send(t, m, "FIRST\r")
		<-got
		send(t, m, "GONE\r") // while the lane is busy
		time.Sleep(freshFor + 2*beat)
		if c := r.Counts(); c.Dropped != 1 {
			t.Errorf("kept though nobody may have it: %+v", c)
		}
		got = ask(t.Context(), r)
		synctest.Wait()
		select {
		case a := <-got:
			t.Fatalf("told %q, %v", a.Text, a.err)
		default:
		}
		send(t, m, "HERE\r")
		if a := <-got; a.Text != "HERE" {
			t.Errorf("told %q, %v", a.Text, a.err)
		}
	})
}

func TestCodeHeldThroughALongTurnIsOneSighting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, _ := plug(t, serialSuffixes[0], p)
		got := ask(t.Context(), r)
		send(t, m, "HELD\r")
		<-got
		for range 20 { // ten seconds
			time.Sleep(500 * time.Millisecond)
			send(t, m, "HELD\r")
		}
		got = ask(t.Context(), r)
		send(t, m, "NEXT\r")
		if a := <-got; a.Text != "NEXT" || r.Counts().Repeats != 20 {
			t.Errorf("told %q, %v, %+v", a.Text, a.err, r.Counts())
		}
	})
}

func TestModuleThatIsGoneIsLookedForWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, s := plug(t, serialSuffixes[0], nil, nil, nil, nil, nil, nil, nil, p)
		begun := time.Now()
		for range 7 {
			_, err := r.Next(t.Context())
			if !errors.Is(err, errEmpty) || err.Error() != "scanner module /dev/fake: "+errEmpty.Error() {
				t.Fatalf("got %v", err)
			}
		}
		if !r.Alive().IsZero() {
			t.Error("alive before it was found")
		}
		got := ask(t.Context(), r)
		send(t, m, "A\r")
		if a := <-got; a.Text != "A" {
			t.Errorf("%q, %v", a.Text, a.err)
		}
		var after []time.Duration
		for _, at := range s.opened {
			after = append(after, at.Sub(begun)/time.Millisecond)
		}
		if want := []time.Duration{0, 100, 300, 700, 1500, 3100, 5100, 7100}; !slices.Equal(after, want) {
			t.Errorf("opened after %d ms, want %d", after, want)
		}
	})
}

// A dead port hangs up as soon as it is read.
type dead struct{ err error }

func (d dead) Read([]byte) (int, error)        { return 0, d.err }
func (d dead) SetReadDeadline(time.Time) error { return nil }
func (d dead) Close() error                    { return nil }

func TestLooseCableDoesNotKeepTheProcessorBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s := plug(t, serialSuffixes[0], dead{syscall.EIO})
		if _, err := r.Next(t.Context()); !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		r.Close()
		if n := len(s.opened); n < 10 || n > 40 || r.Counts().Lost != uint64(n) {
			t.Errorf("opened %d times in a minute, lost %d times", n, r.Counts().Lost)
		}
	})
}

func TestUnpluggedModuleSaysWhatToDoAndIsNeverTheEnd(t *testing.T) {
	for _, gone := range []error{io.EOF, syscall.EIO, syscall.ENODEV, errors.New("strange")} {
		synctest.Test(t, func(t *testing.T) {
			r, _ := plug(t, serialSuffixes[0], dead{gone})
			_, err := r.Next(t.Context())
			// io.EOF would end the lane: the scanner has nothing more to give.
			if err == nil || errors.Is(err, io.EOF) {
				t.Fatalf("%v became %v", gone, err)
			}
			if text := err.Error(); !strings.Contains(text, "/dev/fake") || !strings.Contains(text, "plug the module in again") {
				t.Errorf("%v became %v", gone, err)
			}
		})
	}
}

func TestReplugIsHeardAndHalfATextIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		m2, p2 := cable(t)
		r, _ := plug(t, serialSuffixes[0], p, nil, p2)
		got := ask(t.Context(), r)
		send(t, m, "HAL")
		m.Close()
		if a := <-got; a.err == nil {
			t.Errorf("unplugged: %q", a.Text)
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, errEmpty) {
			t.Errorf("got %v", err)
		}
		send(t, m2, "WHOLE\r")
		if a := <-ask(t.Context(), r); a.Text != "WHOLE" {
			t.Errorf("%q, %v", a.Text, a.err)
		}
		if want := (Counts{Scans: 1, Cut: 1, Lost: 1}); r.Counts() != want {
			t.Errorf("counted %+v, want %+v", r.Counts(), want)
		}
	})
}

func TestTroubleThatIsMendedIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		m2, p2 := cable(t)
		r, _ := plug(t, serialSuffixes[0], p, p2)
		got := ask(t.Context(), r)
		send(t, m, "A\r")
		<-got
		m.Close() // while the lane is busy
		time.Sleep(time.Second)
		got = ask(t.Context(), r)
		synctest.Wait()
		send(t, m2, "B\r")
		if a := <-got; a.Text != "B" || r.Counts().Lost != 1 {
			t.Errorf("%q, %v, %+v", a.Text, a.err, r.Counts())
		}
	})
}

func TestModuleThatWorkedIsLookedForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		_, p2 := cable(t)
		r, s := plug(t, serialSuffixes[0], nil, nil, nil, nil, nil, nil, p, p2)
		got := ask(t.Context(), r)
		for range 6 {
			<-got
			got = ask(t.Context(), r)
		}
		time.Sleep(time.Hour)
		gone := time.Now()
		m.Close()
		<-got
		time.Sleep(longestPause)
		r.Close()
		if pause := s.opened[7].Sub(gone); pause != shortestPause {
			t.Errorf("opened again after %v", pause)
		}
	})
}

func TestModuleThatIsThereAndSilentIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := cable(t)
		r, _ := plug(t, serialSuffixes[0], p, nil)
		got := ask(t.Context(), r)
		for range 100 {
			time.Sleep(37 * time.Second)
			if since := time.Since(r.Alive()); since > beat {
				t.Fatalf("last alive %v ago", since)
			}
		}
		m.Close()
		<-got
		time.Sleep(time.Minute)
		if since := time.Since(r.Alive()); since < time.Minute {
			t.Errorf("unplugged a minute ago, alive %v ago", since)
		}
	})
}

func TestWaitingEndsWithItsContextAtOnce(t *testing.T) {
	for name, p := range map[string]func(t *testing.T) port{
		"silent": func(t *testing.T) port { _, p := cable(t); return p },
		"gone":   func(t *testing.T) port { return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			r, _ := plug(t, serialSuffixes[0], p(t))
			if name == "gone" {
				if _, err := r.Next(t.Context()); !errors.Is(err, errEmpty) {
					t.Errorf("%s: %v", name, err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 42*time.Millisecond)
			defer cancel()
			begun := time.Now()
			if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 42*time.Millisecond {
				t.Errorf("%s: %v after %v", name, err, time.Since(begun))
			}
			if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: an ended context gave %v", name, err)
			}
		})
	}
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := cable(t)
		r, _ := plug(t, serialSuffixes[0], p)
		got := ask(t.Context(), r)
		synctest.Wait()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if a := <-got; !errors.Is(a.err, os.ErrClosed) {
			t.Errorf("a Next that waited: %v", a.err)
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a Next after it: %v", err)
		}
		if _, err := p.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the port is still open: %v", err)
		}
		if c := r.Counts(); c != (Counts{}) {
			t.Errorf("closing was counted: %+v", c)
		}
	})
}
