package console

import (
	"time"

	"gatehouse"
)

// A Status is how the gate itself is: what the top of the guard's page and /healthz say.
type Status struct {
	Gate    string `json:"gate"`
	Version string `json:"version"` // of the program

	Closed     bool        `json:"closed"`     // the lane takes nobody yet, or no more
	Conditions []Condition `json:"conditions"` // what is not as it should be, gravest first
	Linked     bool        `json:"linked"`     // whether the region answered lately
	Queue      int         `json:"queue"`      // passages that the region has not acknowledged

	TrustAge     time.Duration   `json:"trust_age_ns"`
	Trust        gatehouse.Trust `json:"trust"` // by the lines of the policy in use
	TrustVersion string          `json:"trust_version"`
	Clock        bool            `json:"clock_trusted"`
	Policy       string          `json:"policy"` // name and version: "CN-330100/7"
}

// A Condition is one thing that is wrong with the gate, and since when: D53 for the camera,
// T42 for the thermometer, D52 for the log. The link's trouble has no reason code, since no
// passage is judged by it.
type Condition struct {
	Reason gatehouse.Reason `json:"reason"`
	Since  time.Time        `json:"since,omitzero"`
	Detail string           `json:"detail,omitempty"` // one line for the operator; never who
}

// closed reports whether the lane can take nobody.
func (s Status) closed() bool {
	if s.Closed {
		return true
	}
	for _, c := range s.Conditions {
		if c.Reason == gatehouse.ReasonCamera {
			return true
		}
	}
	return false
}

func (s *Server) status() Status {
	if s.Status == nil {
		return Status{Gate: s.Gate, Version: s.Version, Conditions: []Condition{
			{Reason: gatehouse.ReasonCamera, Detail: "the console is not connected to a lane"}}}
	}
	st := s.Status()
	if st.Gate == "" {
		st.Gate = s.Gate
	}
	if st.Version == "" {
		st.Version = s.Version
	}
	return st
}

// A guardBeat is the heartbeat of the guard's page.
type guardBeat struct {
	Mono   int64    `json:"mono"`
	Closed bool     `json:"closed"`
	Time   string   `json:"time"` // HH:MM by the gate's clock
	Linked bool     `json:"linked"`
	Queue  int      `json:"queue"`
	Keys   said     `json:"keys"`
	Stale  bool     `json:"stale"` // the keys are not fresh
	Clock  bool     `json:"clock"`
	Policy string   `json:"policy"`
	Banner []notice `json:"banner"`
}

// A notice is one condition in words.
type notice struct {
	Reason gatehouse.Reason `json:"reason"`
	Since  string           `json:"since,omitempty"` // HH:MM
	Line   said             `json:"line"`
}

func (s *Server) guardBeat(st Status, now time.Time) guardBeat {
	b := guardBeat{
		Mono: s.mono(now), Closed: st.closed(), Time: s.now().Format("15:04"), Linked: st.Linked,
		Queue: st.Queue, Keys: said{}, Clock: st.Clock, Policy: st.Policy, Banner: []notice{},
		Stale: st.Trust != gatehouse.TrustFresh,
	}
	for _, lang := range Languages() {
		b.Keys[lang] = age(lang, st.TrustAge)
	}
	for _, c := range st.Conditions {
		n := notice{Reason: c.Reason, Line: said{}}
		if !c.Since.IsZero() {
			n.Since = c.Since.Format("15:04")
		}
		for _, lang := range Languages() {
			n.Line[lang] = Words(lang, c.Reason, "age", age(lang, st.TrustAge))
		}
		b.Banner = append(b.Banner, n)
	}
	return b
}
