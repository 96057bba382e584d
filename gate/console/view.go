package console

import (
	"cmp"
	"time"

	"gatehouse"
	"gatehouse/gate"
)

// A face is what a screen shows as a whole: colour, shape, word and sound together.
type face string

const (
	faceAdmit   face = "admit"
	faceDeny    face = "deny"
	faceRefer   face = "refer"
	faceNotOurs face = "notours"
	faceHint    face = "hint"
	faceClosed  face = "closed"
)

// faceOf chooses the face of a passage. Only a written Admit is green: a passage without a
// number is not in the book, so nobody may walk on its account.
func faceOf(p gatehouse.Passage) face {
	v := p.Verdict
	switch {
	case v.Reason == gatehouse.ReasonCamera:
		return faceClosed
	case v.Reason == gatehouse.ReasonNotOurs && v.Call != gatehouse.Admit:
		return faceNotOurs
	case v.Call == gatehouse.Hint:
		return faceHint
	case v.Call == gatehouse.Refer:
		return faceRefer
	case v.Call == gatehouse.Admit && v.Reason == gatehouse.ReasonBarrier:
		return faceRefer
	case v.Call == gatehouse.Admit && p.Seq == 0:
		return faceRefer
	case v.Call == gatehouse.Admit:
		return faceAdmit
	}
	return faceDeny
}

// A do is what the holder can do next. It is one of a few, so that it cannot carry more.
type do string

const (
	doGo      do = "go"
	doWait    do = "wait"
	doRefresh do = "refresh"
	doOpen    do = "open"
	doCloser  do = "closer"
	doFace    do = "face"
	doSecond  do = "second"
	doLane    do = "lane"

	// What a code that cannot be read asks for; see gatehouse.Aim.
	doNearer   do = "nearer"
	doBright   do = "bright"
	doShade    do = "shade"
	doStill    do = "still"
	doStraight do = "straight"
	doWhole    do = "whole"
	doParts    do = "parts"
)

// doAim is what the holder does about an aim.
func doAim(a gatehouse.Aim) do {
	switch a {
	case gatehouse.TooFar:
		return doNearer
	case gatehouse.TooDark:
		return doBright
	case gatehouse.Glare:
		return doShade
	case gatehouse.Blurred:
		return doStill
	case gatehouse.Tilted:
		return doStraight
	case gatehouse.CutOff:
		return doWhole
	case gatehouse.MoreParts:
		return doParts
	}
	return doCloser
}

// doFor never tells fever from a red code: the queue reads the public screen too.
func doFor(f face, r gatehouse.Reason, a gatehouse.Aim) do {
	switch {
	case f == faceAdmit:
		return doGo
	case f == faceClosed:
		return doLane
	case f == faceNotOurs:
		return doOpen
	case f == faceHint && r == gatehouse.ReasonNotMeasured:
		return doFace
	case r == gatehouse.ReasonSecondCode:
		return doSecond
	case f == faceHint:
		return doAim(a)
	case r == gatehouse.ReasonExpired:
		return doRefresh
	}
	return doWait
}

// A publicEvent is a verdict as the holder and the queue may see it. It has no field that
// could carry a person's: numbers and two closed sets of words.
type publicEvent struct {
	Event uint64 `json:"event"`
	Mono  int64  `json:"mono"`
	Face  face   `json:"face"`
	TTL   int64  `json:"ttl"` // ms
	Do    do     `json:"do"`
}

// A publicBeat is the heartbeat of the holder's page.
type publicBeat struct {
	Mono   int64 `json:"mono"`
	Closed bool  `json:"closed"`
}

// A clearEvent takes one verdict off the screens.
type clearEvent struct {
	Event uint64 `json:"event"`
	Mono  int64  `json:"mono"`
}

// A said is one text in every language of the console.
type said map[string]string

// A guardEvent is a verdict as the guard sees it.
type guardEvent struct {
	Event   uint64           `json:"event"`
	Mono    int64            `json:"mono"`
	Face    face             `json:"face"`
	TTL     int64            `json:"ttl"`  // ms
	Wipe    int64            `json:"wipe"` // ms until Person goes
	Seq     gatehouse.Seq    `json:"seq"`
	Amends  gatehouse.Seq    `json:"amends,omitempty"`
	Call    gatehouse.Call   `json:"call"` // as judged here
	Reason  gatehouse.Reason `json:"reason"`
	Line    said             `json:"line"`
	Detail  string           `json:"detail,omitempty"`
	Person  *person          `json:"person,omitempty"`
	Format  string           `json:"format,omitempty"`
	Issuer  gatehouse.Issuer `json:"issuer,omitempty"`
	Grade   gatehouse.Grade  `json:"grade,omitzero"` // as issued
	Skin    string           `json:"skin,omitempty"`
	Quality string           `json:"quality"`
	Keys    said             `json:"keys"` // age and state of the trust in use
	Policy  string           `json:"policy,omitempty"`
	Rule    string           `json:"rule,omitempty"`    // of the policy, that decided
	Here    gatehouse.Grade  `json:"here,omitzero"`     // the colour as judged here
	Accord  string           `json:"accord,omitempty"`  // the agreement between regions that applied
	Second  string           `json:"second,omitempty"`  // format of the second code
	Without string           `json:"without,omitempty"` // why there was no code
	Guard   string           `json:"guard,omitempty"`
}

// A person is what a guard may compare with a document: the masked name, the year of birth.
type person struct {
	Name string `json:"name"`
	Born string `json:"born,omitempty"`
}

// asks reports whether the event wants something of the guard.
func (e guardEvent) asks() bool { return e.Face == faceDeny || e.Face == faceRefer }

func (s *Server) guardEvent(v gate.View, f face, now time.Time) guardEvent {
	p := v.Passage
	e := guardEvent{
		Event: s.events, Mono: s.mono(now), Face: f, TTL: s.TTL.of(f).Milliseconds(),
		Seq: p.Seq, Amends: p.Amends, Call: p.Verdict.Call, Reason: p.Verdict.Reason,
		Line: said{}, Detail: p.Verdict.Detail, Format: p.Format, Issuer: p.Issuer, Grade: p.Grade,
		Quality: quality(p.Skin.Quality), Keys: said{}, Policy: p.Verdict.Policy, Guard: p.Guard,
		Rule: p.Verdict.Rule, Here: p.Verdict.Here, Accord: p.Verdict.Agreement, Second: p.Second, Without: p.Without.String(),
	}
	for _, lang := range Languages() {
		e.Line[lang] = Describe(lang, v)
		e.Keys[lang] = keys(lang, p.TrustAge, p.Verdict.Trust)
	}
	if p.Skin.Quality == gatehouse.Steady || p.Skin.Quality == gatehouse.Unsteady {
		e.Skin = p.Skin.Skin.String()
	}
	if v.Pass != nil {
		e.Person = &person{Name: v.Pass.Holder.Name, Born: v.Pass.Holder.Birth[:min(4, len(v.Pass.Holder.Birth))]}
		e.Wipe = cmp.Or(s.TTL.Holder, 20*time.Second).Milliseconds()
	}
	return e
}

// quality is the word's key in the catalogues.
func quality(q gatehouse.Quality) string {
	switch q {
	case gatehouse.Unsteady:
		return "unsteady"
	case gatehouse.Steady:
		return "steady"
	case gatehouse.Faulty:
		return "fault"
	}
	return "none"
}

// A shift is what a guard on duty looks back on: counts, and the last passages without
// anything personal in them.
type shift struct {
	Since      string `json:"since"` // HH:MM of the first passage
	Admitted   int    `json:"admitted"`
	Denied     int    `json:"denied"`
	Referred   int    `json:"referred"`
	Unanswered int    `json:"unanswered"` // referred, and nobody acknowledged or decided in time
	Last       []row  `json:"last"`       // newest first
}

// A row is one line of the list.
type row struct {
	Seq    gatehouse.Seq    `json:"seq"`
	Amends gatehouse.Seq    `json:"amends,omitempty"`
	At     string           `json:"at"` // HH:MM
	Face   face             `json:"face"`
	Reason gatehouse.Reason `json:"reason"`
	Issuer gatehouse.Issuer `json:"issuer"`
}

// lastRows is how many passages the guard's page lists.
const lastRows = 10

func (s *shift) add(p gatehouse.Passage) {
	if s.Since == "" {
		s.Since = p.At.Format("15:04")
	}
	switch faceOf(p) {
	case faceAdmit:
		s.Admitted++
	case faceRefer:
		s.Referred++
	case faceDeny:
		s.Denied++
	}
	r := row{Seq: p.Seq, Amends: p.Amends, At: p.At.Format("15:04"), Face: faceOf(p), Reason: p.Verdict.Reason, Issuer: p.Issuer}
	s.Last = append([]row{r}, s.Last[:min(len(s.Last), lastRows-1)]...)
}
