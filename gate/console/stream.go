package console

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A screen is which of the two pages a stream feeds.
type screen string

const (
	guardScreen  screen = "guard"
	publicScreen screen = "public"
)

const (
	beat       = time.Second     // a page that misses two goes neutral
	writeLimit = 2 * time.Second // for one write to a page; slower pages are dropped
	boxSize    = 16              // events a page may lag behind
	maxStreams = 8               // of each screen: pages of one can never push out the other's
)

// A stream is one open page. Whoever holds the server's mu may offer to it; only its own
// handler writes.
type stream struct {
	screen screen
	box    chan []byte
	gone   chan struct{} // closed when the stream is dropped
	drop   func()        // closes gone, once
}

// offer never blocks: a full box is a page that does not keep up.
func (st *stream) offer(line []byte) {
	select {
	case st.box <- line:
	default:
		st.drop()
	}
}

// join opens a stream and puts into its box what a page must know at once: the shift, and
// what the other screens show now, for the time that is left of it.
func (s *Server) join(to screen) *stream {
	gone := make(chan struct{})
	st := &stream{screen: to, box: make(chan []byte, boxSize), gone: gone,
		drop: sync.OnceFunc(func() { close(gone) })}

	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.settle(now)
	if to == guardScreen {
		st.offer(frame("shift", s.shift))
	}
	if s.current != nil {
		g, p := s.current.guard, s.current.public
		left := s.current.until.Sub(now).Milliseconds()
		g.TTL, g.Mono = left, s.mono(now)
		p.TTL, p.Mono = left, s.mono(now)
		if to == guardScreen {
			st.offer(frame("verdict", g))
		} else {
			st.offer(frame("verdict", p))
		}
	}
	if s.closed {
		st.drop()
		return st
	}
	same := 0
	for _, other := range s.streams {
		if other.screen == to {
			same++
		}
	}
	if same >= maxStreams {
		oldest := slices.IndexFunc(s.streams, func(o *stream) bool { return o.screen == to })
		s.streams[oldest].drop()
		s.streams = slices.Delete(s.streams, oldest, oldest+1)
	}
	s.streams = append(s.streams, st)
	return st
}

func (s *Server) leave(st *stream) {
	st.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = slices.DeleteFunc(s.streams, func(o *stream) bool { return o == st })
}

// Close ends all streams and takes no new ones. An http.Server's Shutdown waits for its
// streams and does not end them: give it Close through RegisterOnShutdown.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, st := range s.streams {
		st.drop()
	}
}

// A hello begins each stream: the page starts its count of time anew, and reloads itself
// when it was made by another version of the program.
type hello struct {
	Version string `json:"version"`
}

// serveEvents is GET /events: verdicts as they fall, and a heartbeat each second.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	to := screen(r.URL.Query().Get("screen"))
	if to != guardScreen && to != publicScreen {
		http.Error(w, "screen is guard or public", http.StatusBadRequest)
		return
	}
	st := s.join(to)
	defer s.leave(st)

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy that buffers makes a frozen screen
	// The server's WriteTimeout counts from the request on and would end every stream: each
	// write has a deadline of its own instead.
	c := http.NewResponseController(w)
	write := func(line []byte) bool {
		if err := c.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return false
		}
		if _, err := w.Write(line); err != nil {
			return false
		}
		return c.Flush() == nil
	}

	if !write([]byte("retry: 500\n\n")) || !write(frame("hello", hello{s.Version})) || !write(s.beat(to)) {
		return
	}
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		var line []byte
		select {
		case <-st.gone:
			return
		case <-r.Context().Done():
			return
		case line = <-st.box:
		case <-ticker.C:
			line = s.beat(to)
		}
		if !write(line) {
			return
		}
	}
}

// beat is the heartbeat's event. The status is asked before the lock is taken: it belongs
// to others, and the lane's Show waits for nobody but us.
func (s *Server) beat(to screen) []byte {
	st := s.status()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.settle(now)
	if to == guardScreen {
		return frame("status", s.guardBeat(st, now))
	}
	return frame("status", publicBeat{Mono: s.mono(now), Closed: st.closed()})
}
