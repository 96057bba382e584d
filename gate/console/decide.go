package console

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/gate"
)

// notes are a guard's reasons, as keys of the catalogues: a closed set, so that no name
// gets into the book by way of a free text.
func notes(c gatehouse.Call) []string {
	if c == gatehouse.Admit {
		return []string{"measured", "paper", "companion", "checked"}
	}
	return []string{"fever", "person", "desk", "left"}
}

// decideLimit is how long a row and a barrier may take before the guard is told.
const decideLimit = 10 * time.Second

const maxBody = 4 << 10

// An answer is what a page hears about a decision. Error is a key of the catalogues.
type answer struct {
	Seq    gatehouse.Seq    `json:"seq,omitempty"`
	Error  string           `json:"error,omitempty"`
	Reason gatehouse.Reason `json:"reason,omitempty"`
	Wait   int              `json:"wait,omitempty"` // seconds
}

// serveDecide is POST /decide: a guard's word on a passage, under the guard's PIN.
func (s *Server) serveDecide(w http.ResponseWriter, r *http.Request) {
	if s.Decide == nil || len(s.Guards) == 0 {
		reply(w, http.StatusForbidden, answer{Error: "off"})
		return
	}
	var in struct {
		Amends gatehouse.Seq   `json:"amends"`
		Call   *gatehouse.Call `json:"call"`
		Note   string          `json:"note"`
		Guard  string          `json:"guard"`
		PIN    string          `json:"pin"`
	}
	if err := read(w, r, &in); err != nil {
		reply(w, http.StatusBadRequest, answer{Error: "request"})
		return
	}
	if in.Amends == 0 || in.Call == nil || *in.Call != gatehouse.Admit && *in.Call != gatehouse.Deny ||
		!slices.Contains(notes(*in.Call), in.Note) {
		reply(w, http.StatusBadRequest, answer{Error: "request"})
		return
	}
	if !s.knowsPIN(w, r, in.Guard, in.PIN) {
		return
	}

	// A page that is closed now must not stop the decision between the row and the barrier.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), decideLimit)
	defer cancel()
	p, err := s.Decide(ctx, gate.Decision{
		Amends: in.Amends, Call: *in.Call, Guard: in.Guard, Note: word(English, "note."+in.Note)})
	switch {
	case err == nil:
		reply(w, http.StatusOK, answer{Seq: p.Seq})
	case errors.Is(err, gate.ErrNoPassage):
		reply(w, http.StatusBadRequest, answer{Error: "request"})
	case errors.Is(err, gate.ErrTooLate):
		reply(w, http.StatusConflict, answer{Error: "late"})
	case errors.Is(err, gate.ErrAgain):
		reply(w, http.StatusConflict, answer{Error: "again"})
	case errors.Is(err, gate.ErrDecided):
		reply(w, http.StatusConflict, answer{Error: "decided"})
	default:
		s.logger().Error("decision", "amends", in.Amends, "seq", p.Seq, "err", err)
		reply(w, http.StatusInternalServerError, answer{Seq: p.Seq, Error: "fault", Reason: p.Verdict.Reason})
	}
}

// knowsPIN answers for a guard whose PIN is wrong, or who has to wait.
func (s *Server) knowsPIN(w http.ResponseWriter, r *http.Request, guard, pin string) bool {
	status, a := s.checkPIN(r, guard, pin)
	if status == http.StatusOK {
		return true
	}
	if a.Wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.Wait))
	}
	reply(w, status, a)
	return false
}

// checkPIN lets one try through at a time, so that a thousand at once are not a thousand
// free ones, and none at all while the remote has to wait.
func (s *Server) checkPIN(r *http.Request, guard, pin string) (int, answer) {
	if !s.pin.TryLock() {
		return http.StatusTooManyRequests, answer{Error: "wait", Wait: 1}
	}
	defer s.pin.Unlock()
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	now := time.Now()
	if wait := s.attempts.wait(remote, now); wait > 0 {
		return http.StatusTooManyRequests, answer{Error: "wait", Wait: int(math.Ceil(wait.Seconds()))}
	}
	i := slices.IndexFunc(s.Guards, func(g Guard) bool { return g.Name == guard })
	right := i >= 0 && CheckPIN(s.Guards[i].PIN, pin)
	s.attempts.note(remote, right, now)
	if !right {
		s.logger().Warn("wrong PIN", "remote", remote)
		return http.StatusForbidden, answer{Error: "pin"}
	}
	return http.StatusOK, answer{}
}

// serveAcknowledge is POST /acknowledge: the guard has seen event n.
func (s *Server) serveAcknowledge(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Event uint64 `json:"event"`
	}
	if err := read(w, r, &in); err != nil {
		reply(w, http.StatusBadRequest, answer{Error: "request"})
		return
	}
	if !s.acknowledge(in.Event) {
		reply(w, http.StatusConflict, answer{Error: "late"})
		return
	}
	reply(w, http.StatusOK, answer{})
}

// read takes one small JSON object and nothing behind it.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The page that asked may be gone; the decision stands either way.
	_ = json.NewEncoder(w).Encode(v)
}
