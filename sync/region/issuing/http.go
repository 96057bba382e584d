package issuing

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// maxRequest bounds every request's body.
const maxRequest = 16 << 10

// A Server is the desk over HTTPS: JSON for programs under /v1/codes/, the region's entry
// under /v1/directory, and pages for people under /people. Desk and Door are needed.
type Server struct {
	Desk *Desk
	Door *Door
}

// Handler gives all routes.
func (s *Server) Handler() http.Handler {
	d, mux := s.Desk, http.NewServeMux()
	mux.HandleFunc("POST /v1/codes/declare/health", post(s, func(r *http.Request, c Caller, key string, q HealthDeclaration) (any, error) {
		return d.DeclareHealth(r.Context(), c, key, q)
	}))
	mux.HandleFunc("POST /v1/codes/declare/trip", post(s, func(r *http.Request, c Caller, key string, q TripDeclaration) (any, error) {
		return d.DeclareTrip(r.Context(), c, key, q)
	}))
	mux.HandleFunc("POST /v1/codes/correct", post(s, func(r *http.Request, c Caller, key string, q CorrectionRequest) (any, error) {
		n, err := d.Correct(r.Context(), c, key, q)
		return map[string]int64{"correction": n}, err
	}))
	mux.HandleFunc("POST /v1/codes/query", ask(s, func(r *http.Request, c Caller, q struct {
		Identity Identity `json:"identity"`
	}) (any, error) {
		return d.Query(r.Context(), c, q.Identity)
	}))
	mux.HandleFunc("POST /v1/codes/make", ask(s, func(r *http.Request, c Caller, q struct {
		Identity Identity `json:"identity"`
	}) (any, error) {
		key := r.Header.Get("Idempotency-Key")
		if key != "" && !refName.MatchString(key) {
			return nil, badKey()
		}
		return d.Make(r.Context(), c, key, q.Identity)
	}))
	mux.HandleFunc("POST /v1/codes/verify", ask(s, func(r *http.Request, c Caller, q codeText) (any, error) {
		return d.Check(r.Context(), q.Code)
	}))
	mux.HandleFunc("POST /v1/codes/convert", ask(s, func(r *http.Request, c Caller, q codeText) (any, error) {
		return d.Convert(r.Context(), c, q.Code)
	}))
	mux.HandleFunc("POST /v1/codes/events", ask(s, func(r *http.Request, c Caller, q Report) (any, error) {
		return map[string]bool{"taken": true}, d.Enter(r.Context(), c, q)
	}))
	mux.HandleFunc("POST /v1/codes/decide", ask(s, func(r *http.Request, c Caller, q Decision) (any, error) {
		state, err := d.Decide(r.Context(), c, q)
		return map[string]string{"state": state}, err
	}))
	mux.HandleFunc("GET /v1/codes/revocations", s.lists(func(ctx context.Context, c Caller, after int64) (any, error) {
		return d.TakenBack(ctx, c, after)
	}))
	mux.HandleFunc("GET /v1/codes/alarms", s.lists(func(ctx context.Context, c Caller, _ int64) (any, error) {
		alarms, err := d.Alarms(ctx, c)
		return alarmsJSON(alarms), err
	}))
	mux.HandleFunc("GET /v1/codes/audit", s.lists(func(ctx context.Context, c Caller, after int64) (any, error) {
		trail, err := d.Trail(ctx, c, after)
		return trailJSON(trail), err
	}))
	mux.HandleFunc("GET /v1/directory", s.directory)
	s.pages(mux)
	// A page of another origin in an operator's browser may not write here.
	return http.NewCrossOriginProtection().Handler(mux)
}

type codeText struct {
	Code string `json:"code"`
}

// ask makes a handler of a request with a JSON body.
func ask[Q any](s *Server, answer func(*http.Request, Caller, Q) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.enter(w, r)
		if !ok {
			return
		}
		var q Q
		if err := read(w, r, &q); err != nil {
			s.fail(w, r, err)
			return
		}
		a, err := answer(r, c, q)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		reply(w, http.StatusOK, a)
	}
}

// post is ask for what is written once, however often it is sent: it needs a key.
func post[Q any](s *Server, answer func(*http.Request, Caller, string, Q) (any, error)) http.HandlerFunc {
	return ask(s, func(r *http.Request, c Caller, q Q) (any, error) {
		key := r.Header.Get("Idempotency-Key")
		if !refName.MatchString(key) {
			return nil, badKey()
		}
		return answer(r, c, key, q)
	})
}

func badKey() error {
	return no(Malformed, "send a header Idempotency-Key of at most 80 signs, the same for the same request", "the request has no key of its own")
}

func (s *Server) lists(answer func(context.Context, Caller, int64) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.enter(w, r)
		if !ok {
			return
		}
		after := int64(0)
		if text := r.URL.Query().Get("after"); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 {
				s.fail(w, r, no(Malformed, "give the number of the last entry that you have", "after is none"))
				return
			}
			after = n
		}
		a, err := answer(r.Context(), c, after)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		reply(w, http.StatusOK, a)
	}
}

// enter lets a caller in by name and token, as HTTP Basic has them.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	name, token, _ := r.BasicAuth()
	c, wait, ok := s.Door.Enter(name, token)
	if ok {
		return c, true
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		reply(w, http.StatusTooManyRequests, wrong{"too many wrong tokens", "wait, then come with the right one"})
		return Caller{}, false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="codes", charset="UTF-8"`)
	reply(w, http.StatusUnauthorized, wrong{"nobody known comes with this name and token", "give your name as the user and your token as the password"})
	return Caller{}, false
}

// read takes one JSON value of a size that a request may have, without keys that nobody asked
// for.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("more than one value")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return no(Malformed, "send less", "a request has at most %d bytes", maxRequest)
	}
	// The decoder's own words may quote the request, and with it a person.
	return no(Malformed, "send one JSON object with the documented keys", "the request cannot be read")
}

type wrong struct {
	Error string `json:"error"`
	Do    string `json:"do"`
}

func statusOf(n *No) int {
	switch n.Kind {
	case Forbidden:
		return http.StatusForbidden
	case Missing:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case Unfit:
		return http.StatusUnprocessableEntity
	case Closed:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// fail answers a no with its status, and logs a breakdown, which names no person.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var n *No
	if errors.As(err, &n) {
		reply(w, statusOf(n), wrong{n.What, n.Do})
		return
	}
	if r.Context().Err() == nil {
		s.Desk.log(slog.LevelError, "request", "path", r.URL.Path, "err", err)
	}
	w.Header().Set("Retry-After", "5")
	reply(w, http.StatusServiceUnavailable, wrong{"the region cannot answer now", "ask again in a few seconds"})
}

func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"cannot be written as JSON"}`, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the caller has gone: it asks again
}
