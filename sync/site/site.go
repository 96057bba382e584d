// Package site lets the gates of one site remember together which codes let somebody in.
//
// A code is known by a tag under a key of the day, and so is its holder: who has no key of
// the site learns nothing from what the gates tell each other, and nobody learns anything
// from it once the day is over. All of it is in memory. A gate that hears no other goes on
// with what it saw itself.
package site

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"gatehouse"
)

const (
	// Window is how long a code is remembered. A region's policy asks for less.
	Window = 24 * time.Hour

	// most bounds the memory: a day of a busy station's gates, 50 bytes each and the map's own.
	most = 200_000

	// skew is how far the clocks of two gates may be apart before one does not listen to
	// the other: what an older datagram said was heard, or is of no use any more.
	skew = 5 * time.Minute
)

// A Site is one gate's memory and its ear and mouth for the others'. Gate and Key are
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
	refused uint64
}

// A tag stands for a code or a holder on one day.
type tag [16]byte

// A visit is what is remembered under a tag.
type visit struct {
	at    time.Time
	gate  string
	grade gatehouse.Grade
}

// Recall tells what is remembered of a pass. It is a gate.Memory's method.
func (s *Site) Recall(p gatehouse.Pass, at time.Time) (h gatehouse.History) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A code that was shown before midnight has a tag of yesterday's.
	for _, day := range []time.Time{at, at.AddDate(0, 0, -1)} {
		if v, ok := s.codes[s.tag(kindCode, p.Code, day)]; ok && p.Code != "" && v.within(at) && v.at.After(h.Seen) {
			h.Seen, h.SeenAt = v.at, v.gate
		}
		if v, ok := s.holders[s.tag(kindHolder, p.Holder.Tag, day)]; ok && p.Holder.Tag != "" && v.within(at) && v.at.After(h.Graded) {
			h.Grade, h.Graded = v.grade, v.at
		}
	}
	return h
}

// Remember takes in what became of a pass and tells the other gates. A code counts as seen
// when it let somebody in; a colour counts when it was shown.
func (s *Site) Remember(p gatehouse.Pass, c gatehouse.Call, at time.Time) {
	var news []word
	if c == gatehouse.Admit && p.Code != "" {
		news = append(news, word{kind: kindCode, tag: s.tag(kindCode, p.Code, at), visit: visit{at: at, gate: s.Gate}})
	}
	if p.Grade != gatehouse.NoGrade && p.Holder.Tag != "" {
		news = append(news, word{kind: kindHolder, tag: s.tag(kindHolder, p.Holder.Tag, at), visit: visit{at: at, gate: s.Gate, grade: p.Grade}})
	}
	for _, w := range news {
		s.keep(w)
		s.send(w)
	}
}

// Seen takes over from the book what let somebody in before this gate was started.
func (s *Site) Seen(code string, at time.Time, gate string) {
	if code != "" {
		s.keep(word{kind: kindCode, tag: s.tag(kindCode, code, at), visit: visit{at: at, gate: gate}})
	}
}

// keep puts a word into memory. An older word never displaces a newer one.
func (s *Site) keep(w word) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes, s.holders = make(map[tag]visit), make(map[tag]visit)
	}
	memory := s.codes
	if w.kind == kindHolder {
		memory = s.holders
	}
	if old, ok := memory[w.tag]; ok && !w.at.After(old.at) {
		return
	}
	if len(memory) >= most {
		forget(memory, w.at)
	}
	memory[w.tag] = w.visit
}

// forget makes room: what is past its window goes, and when that is nothing, any tenth. A
// flood of words must not take the memory of a board; what it costs is that a code shown
// twice may pass as one shown once.
func forget(memory map[tag]visit, now time.Time) {
	for t, v := range memory {
		if !v.within(now) {
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
	age := now.Sub(v.at)
	return age > -skew && age <= Window
}

// tag is HMAC-SHA256 under the site's key over kind, day (UTC) and what is tagged, cut to 16 bytes.
func (s *Site) tag(kind byte, id string, day time.Time) (t tag) {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(binary.BigEndian.AppendUint32([]byte{kind}, uint32(day.UTC().Unix()/(24*60*60))))
	mac.Write([]byte(id))
	copy(t[:], mac.Sum(nil))
	return t
}
