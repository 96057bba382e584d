// Package site lets the gates of one site remember together which codes let somebody in.
//
// A code is known by a tag of the day, and so is its holder. What the gates tell each other
// is under the site's key: who has it not sees that a gate judged somebody, and nothing
// else. All of it is in memory and forgotten after a day. A gate that hears no other goes on
// with what it saw itself.
package site

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
	"unique"

	"gatehouse"
)

const (
	// Window is how long a code is remembered. A region's policy asks for less.
	Window = 24 * time.Hour

	// most bounds the memory, of codes and of holders each: a day of a busy station's gates,
	// 40 bytes each and the map's own.
	most = 200_000

	// skew is how far the clocks of two gates may be apart before one does not listen to
	// the other: what an older datagram said was heard, or is of no use any more.
	skew = 5 * time.Minute

	// sendLimit is how long a network that takes nothing may hold the lane.
	sendLimit = 50 * time.Millisecond
)

// A Site is one gate's memory and its ear and mouth for the others'. Gate, Key and Now are
// needed; without Peers it remembers alone. Fields are not changed after the first use.
type Site struct {
	Gate   string           // this gate's name, which the others show
	Key    []byte           // of the site, the same at all its gates: 32 bytes
	Peers  []netip.AddrPort // where the others listen
	Now    func() time.Time // of this gate's clock, by which a datagram's age is taken
	Logger *slog.Logger     // nil: says nothing

	mu      sync.Mutex
	codes   map[tag]visit
	holders map[tag]visit
	conn    *net.UDPConn
	words   cipher.AEAD // set with conn
	refused uint64
}

// A tag stands for a code or a holder on one day.
type tag [16]byte

// A visit is what is remembered under a tag.
type visit struct {
	at    int64                 // Unix milliseconds
	gate  unique.Handle[string] // of few names
	grade gatehouse.Grade
}

func (v visit) when() time.Time { return time.UnixMilli(v.at).UTC() }

// Recall tells what is remembered of a pass. It is a gate.Memory's method.
func (s *Site) Recall(p gatehouse.Pass, at time.Time) (h gatehouse.History) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A code that was shown before midnight has a tag of yesterday's, and one that was shown
	// at a gate whose clock is ahead may have one of tomorrow's.
	for _, day := range []time.Time{at.Add(skew), at, at.Add(-Window)} {
		if v, ok := s.codes[s.tag(kindCode, p.Code, day)]; ok && p.Code != "" && v.within(at) && v.when().After(h.Seen) {
			h.Seen, h.SeenAt = v.when(), v.gate.Value()
		}
		if v, ok := s.holders[s.tag(kindHolder, p.Holder.Tag, day)]; ok && p.Holder.Tag != "" && v.within(at) && v.when().After(h.Graded) {
			h.Grade, h.Graded = v.grade, v.when()
		}
	}
	return h
}

// Remember takes in what became of a pass and tells the other gates. A code counts as seen
// when it let somebody in. A colour counts when it was shown, but green only when it let its
// holder in: else who was yellow an hour ago would show a green code once to be asked about
// it, and once more to walk through.
func (s *Site) Remember(p gatehouse.Pass, c gatehouse.Call, at time.Time) {
	w := word{at: at, gate: s.Gate}
	if c == gatehouse.Admit && p.Code != "" {
		w.code = s.tag(kindCode, p.Code, at)
	}
	if p.Grade != gatehouse.NoGrade && p.Holder.Tag != "" && (p.Grade != gatehouse.Green || c == gatehouse.Admit) {
		w.holder, w.grade = s.tag(kindHolder, p.Holder.Tag, at), p.Grade
	}
	s.keep(w)
	s.send(w)
}

// Seen takes over from the book what let somebody in before this gate was started.
func (s *Site) Seen(code string, at time.Time, gate string) {
	if code != "" {
		s.keep(word{code: s.tag(kindCode, code, at), at: at, gate: gate})
	}
}

// keep puts a word into memory.
func (s *Site) keep(w word) {
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes, s.holders = make(map[tag]visit), make(map[tag]visit)
	}
	v := visit{at: w.at.UnixMilli(), gate: unique.Make(w.gate), grade: w.grade}
	if w.code != (tag{}) {
		put(s.codes, w.code, v, now)
	}
	if w.holder != (tag{}) {
		put(s.holders, w.holder, v, now)
	}
}

// put never displaces a newer visit by an older one, unless the newer is of a clock that was
// ahead and has been set right: it would stand in the way of all visits until then.
func put(memory map[tag]visit, t tag, v visit, now time.Time) {
	if old, ok := memory[t]; ok && v.at <= old.at && (!old.ahead(now) || v.ahead(now)) {
		return
	}
	if len(memory) >= most {
		forget(memory, now)
	}
	memory[t] = v
}

// forget makes room: what is past its window goes, and when that is nothing, any tenth. A
// flood of words must not take the memory of a board; what it costs is that a code shown
// twice may pass as one shown once.
func forget(memory map[tag]visit, now time.Time) {
	for t, v := range memory {
		if now.Sub(v.when()) > Window {
			delete(memory, t)
		}
	}
	for t := range memory {
		if len(memory) < most-most/10 {
			return
		}
		delete(memory, t)
	}
}

// within leaves room for a neighbour's clock that is a little ahead.
func (v visit) within(now time.Time) bool {
	return !v.ahead(now) && now.Sub(v.when()) <= Window
}

func (v visit) ahead(now time.Time) bool { return v.when().Sub(now) >= skew }

// What a tag is of.
const (
	kindCode   byte = 1
	kindHolder byte = 2
)

// tag is HMAC-SHA256 under the site's key over kind, day (UTC) and what is tagged, cut to 16 bytes.
func (s *Site) tag(kind byte, id string, day time.Time) (t tag) {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(binary.BigEndian.AppendUint32([]byte{kind}, uint32(day.UTC().Unix()/(24*60*60))))
	mac.Write([]byte(id))
	copy(t[:], mac.Sum(nil))
	return t
}
