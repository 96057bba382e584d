package console

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"gatehouse"
	"gatehouse/gate"
)

// withouts are the causes for which somebody may come without a code here, as keys of the
// catalogues.
func (s *Server) withouts() (words []string) {
	for _, w := range []gatehouse.Without{gatehouse.OnPaper, gatehouse.NoPhone, gatehouse.Companion} {
		if s.Ways == nil || slices.Contains(s.Ways(), w) {
			words = append(words, w.String())
		}
	}
	return words
}

// without is the cause behind a key of the catalogues; WithCode where it is none of them.
func (s *Server) without(word string) gatehouse.Without {
	for _, w := range []gatehouse.Without{gatehouse.OnPaper, gatehouse.NoPhone, gatehouse.Companion} {
		if w.String() == word && slices.Contains(s.withouts(), word) {
			return w
		}
	}
	return gatehouse.WithCode
}

// serveEnter is POST /enter: a guard's word for somebody who has no code to show, under the
// guard's PIN. The person is measured and judged like any other, where the lane takes people.
func (s *Server) serveEnter(w http.ResponseWriter, r *http.Request) {
	if s.Enter == nil || len(s.Guards) == 0 {
		reply(w, http.StatusForbidden, answer{Error: "off"})
		return
	}
	var in struct {
		Without string `json:"without"`
		Guard   string `json:"guard"`
		PIN     string `json:"pin"`
	}
	cause := gatehouse.WithCode
	if err := read(w, r, &in); err == nil {
		cause = s.without(in.Without)
	}
	if cause == gatehouse.WithCode {
		reply(w, http.StatusBadRequest, answer{Error: "request"})
		return
	}
	if !s.knowsPIN(w, r, in.Guard, in.PIN) {
		return
	}
	// The screens send people to another lane then.
	if s.status().closed() {
		reply(w, http.StatusConflict, answer{Error: "closed"})
		return
	}

	// As with a decision: who has begun is not broken off by a page that closes.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), decideLimit)
	defer cancel()
	p, err := s.Enter(ctx, gate.Entry{Without: cause, Guard: in.Guard,
		Note: word(English, "without."+in.Without)})
	switch {
	case err == nil:
		reply(w, http.StatusOK, answer{Seq: p.Seq})
	case errors.Is(err, gate.ErrNoEntry):
		reply(w, http.StatusBadRequest, answer{Error: "request"})
	default:
		s.logger().Error("entry", "seq", p.Seq, "err", err)
		reply(w, http.StatusInternalServerError, answer{Seq: p.Seq, Error: "fault", Reason: p.Verdict.Reason})
	}
}
