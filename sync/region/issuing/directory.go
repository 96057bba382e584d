package issuing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"gatehouse"
)

// A Signing is an issuer and the ids of its keys.
type Signing struct {
	Issuer gatehouse.Issuer `json:"issuer"`
	Keys   []string         `json:"keys"` // lower-case hex
}

// A Directory is the region's entry in the directory of regions: who signs here, by which
// rules, whose codes count here, and whom to turn to. It is public. Its signature is the one
// of the trust material that carries it.
type Directory struct {
	Region     gatehouse.Issuer `json:"region"`
	Issuers    []Signing        `json:"issuers"`
	Policy     int64            `json:"policy"`
	Rules      string           `json:"rules_sha256"`
	Dormant    bool             `json:"dormant,omitempty"`
	Recognises []Recognition    `json:"recognises"`
	Complaint  Complaints       `json:"complaint"`
	Retired    []Retired        `json:"retired"`
}

// Directory gives the region's entry.
func (d *Desk) Directory() (Directory, error) {
	r := d.Rules()
	if r == nil {
		return Directory{}, no(Closed, "ask the region", "no rules are in force")
	}
	e := Directory{Region: r.Region, Issuers: []Signing{{Issuer: r.Region, Keys: []string{d.Signer.KeyID()}}}, Policy: r.Version,
		Rules: r.Digest(), Dormant: r.Dormant, Recognises: r.Recognise, Complaint: r.Contact, Retired: r.Retired}
	if e.Recognises == nil {
		e.Recognises = []Recognition{}
	}
	if e.Retired == nil {
		e.Retired = []Retired{}
	}
	return e, nil
}

// directory serves the entry. Gates keep it and ask whether it is still the same.
func (s *Server) directory(w http.ResponseWriter, r *http.Request) {
	e, err := s.Desk.Directory()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := json.Marshal(e)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sum := sha256.Sum256(b)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache") // kept, and asked for again each time
	h.Set("X-Content-Type-Options", "nosniff")
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimSpace(known); known == tag || known == "*" || known == "W/"+tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n')) // the gate has gone: it asks again
}

// A TakenBack is one code that does not count any more.
type TakenBack struct {
	N       int64     `json:"n"`
	Code    string    `json:"cti"` // 12 bytes in lower-case hex
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
	Why     string    `json:"why"`
}

// TakenBack gives the codes that were taken back, after a number, for who builds the
// revocations of the trust material.
func (d *Desk) TakenBack(ctx context.Context, caller Caller, after int64) ([]TakenBack, error) {
	if caller.Role != Builder {
		return nil, notYours(Builder)
	}
	rows, err := d.Store.Revocations(ctx, after, mostRevocations)
	all := make([]TakenBack, len(rows))
	for i, r := range rows {
		all[i] = TakenBack{N: r.N, Code: hex.EncodeToString(r.ID[:]), At: r.At, Expires: r.Expires, Why: r.Why}
	}
	return all, err
}

// mostRevocations bounds one answer; who gets as many asks for more.
const mostRevocations = 5000

type alarmJSON struct {
	ID        int64     `json:"alarm"`
	Of        string    `json:"of"`
	Name      string    `json:"name"`
	From      time.Time `json:"from"`
	At        time.Time `json:"at"`
	Count     int64     `json:"count"`
	Expected  float64   `json:"expected"`
	Cleared   time.Time `json:"cleared,omitzero"`
	ClearedBy string    `json:"cleared_by,omitempty"`
	Note      string    `json:"note,omitempty"`
}

func alarmsJSON(alarms []Alarm) []alarmJSON {
	all := make([]alarmJSON, len(alarms))
	for i, a := range alarms {
		all[i] = alarmJSON{ID: a.ID, Of: a.Of, Name: a.Name, From: a.From, At: a.At, Count: a.Count,
			Expected: float64(a.Expected) / 100, Cleared: a.Cleared, ClearedBy: a.ClearedBy, Note: a.Note}
	}
	return all
}

type entryJSON struct {
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	Role   string    `json:"role,omitempty"`
	What   string    `json:"what"`
	About  string    `json:"about,omitempty"`
	Why    string    `json:"why,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Hash   string    `json:"hash"`
}

func trailJSON(trail []Entry) []entryJSON {
	all := make([]entryJSON, len(trail))
	for i, e := range trail {
		all[i] = entryJSON{e.Seq, e.At, e.Who, e.Role, e.What, e.About, e.Why, e.Detail, hex.EncodeToString(e.Hash[:])}
	}
	return all
}
