package region

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/sync/wire"
)

// mostPassages is the most that one answer carries.
const mostPassages = 1000

// readers lets in who shows the token: a program as a bearer token, a browser as the
// password of HTTP Basic with any user name.
func (s *Server) readers(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.Token == "" && !local(r):
			fail(w, http.StatusForbidden, "no token is configured: only this machine may read")
		case s.Token != "" && !s.shown(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="region", charset="UTF-8"`)
			fail(w, http.StatusUnauthorized, "show the reader's token")
		default:
			h(w, r)
		}
	})
}

// local reports whether a program of this machine asks, under a name of this machine: a
// browser here that a foreign page leads by its own host name is not let in, nor is whoever
// stands behind a proxy that says so.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if _, ok := r.Header[name]; ok {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

func (s *Server) shown(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, token, ok = r.BasicAuth()
	}
	// Hashed first: the comparison then tells nothing about the length either.
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.Token))
	return ok && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

func (s *Server) head(w http.ResponseWriter, r *http.Request) {
	epoch, err := wire.ParseEpoch(r.PathValue("epoch"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	through, hash, err := s.Ledger.Head(r.Context(), r.PathValue("gate"), epoch)
	if err != nil {
		s.unreadable(w, err)
		return
	}
	reply(w, http.StatusOK, wire.Ack{Through: through, Hash: hash})
}

type standingJSON struct {
	Gate    string           `json:"gate"`
	Epoch   string           `json:"epoch"`
	Through gatehouse.Seq    `json:"through"`
	Hash    string           `json:"hash"`
	Seen    time.Time        `json:"seen"`
	Calls   map[string]int64 `json:"calls"`
	Forks   int64            `json:"forks"`
}

func (s *Server) gates(w http.ResponseWriter, r *http.Request) {
	standings, err := s.Ledger.Gates(r.Context())
	if err != nil {
		s.unreadable(w, err)
		return
	}
	gates := make([]standingJSON, len(standings))
	for i, g := range standings {
		gates[i] = standingJSON{
			Gate: g.Gate, Epoch: hex.EncodeToString(g.Epoch[:]), Through: g.Through, Hash: hex.EncodeToString(g.Hash[:]), Seen: g.Seen,
			Calls: map[string]int64{
				gatehouse.Deny.String(): g.Deny, gatehouse.Refer.String(): g.Refer,
				gatehouse.Admit.String(): g.Admit, gatehouse.Hint.String(): g.Hint,
			},
			Forks: g.Forks,
		}
	}
	reply(w, http.StatusOK, gates)
}

type passageJSON struct {
	Gate   string           `json:"gate"`
	Seq    gatehouse.Seq    `json:"seq"`
	At     time.Time        `json:"at"`
	Clock  bool             `json:"clock"` // whether At can be relied on
	Amends gatehouse.Seq    `json:"amends,omitempty"`
	Call   gatehouse.Call   `json:"call"`
	Reason gatehouse.Reason `json:"reason"`
	Detail string           `json:"detail,omitempty"`
	Policy string           `json:"policy,omitempty"`
	Format string           `json:"format,omitempty"`
	Issuer gatehouse.Issuer `json:"issuer,omitempty"`
	KeyID  string           `json:"kid,omitempty"`
	Code   string           `json:"code,omitempty"`
	Grade  gatehouse.Grade  `json:"grade,omitempty"`
	Skin   *skinJSON        `json:"skin,omitempty"`
	Guard  string           `json:"guard,omitempty"`
	Note   string           `json:"note,omitempty"`
	Trust  int64            `json:"trust_age_s"`
	Took   int64            `json:"took_us"`

	TrustState gatehouse.Trust `json:"trust"`
	Rule       string          `json:"rule,omitempty"`
	Here       gatehouse.Grade `json:"here,omitempty"`
	Agreement  string          `json:"agreement,omitempty"`
	Class      []string        `json:"class,omitempty"`
	Age        int64           `json:"age_s,omitempty"` // of the code
	Second     string          `json:"second,omitempty"`
	Without    string          `json:"without,omitempty"`
}

type skinJSON struct {
	MilliCelsius gatehouse.Temperature `json:"milli_celsius"`
	Ambient      gatehouse.Temperature `json:"ambient_milli_celsius"`
	Quality      string                `json:"quality"`
	Readings     int                   `json:"readings"`
	Sensor       string                `json:"sensor,omitempty"`
}

func (s *Server) passages(w http.ResponseWriter, r *http.Request) {
	limit := 100
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostPassages {
			fail(w, http.StatusBadRequest, "limit: want 1 to "+strconv.Itoa(mostPassages))
			return
		}
		limit = n
	}
	passages, err := s.Ledger.Passages(r.Context(), r.URL.Query().Get("gate"), limit)
	if err != nil {
		s.unreadable(w, err)
		return
	}
	out := make([]passageJSON, len(passages))
	for i, p := range passages {
		out[i] = passageJSON{
			Gate: p.Gate, Seq: p.Seq, At: p.At, Clock: p.Clock, Amends: p.Amends,
			Call: p.Verdict.Call, Reason: p.Verdict.Reason, Detail: p.Verdict.Detail, Policy: p.Verdict.Policy,
			Format: p.Format, Issuer: p.Issuer, KeyID: p.KeyID, Code: p.Code, Grade: p.Grade,
			Guard: p.Guard, Note: p.Note, Trust: int64(p.TrustAge / time.Second), Took: p.Took.Microseconds(),
			TrustState: p.Verdict.Trust, Rule: p.Verdict.Rule, Here: p.Verdict.Here, Agreement: p.Verdict.Agreement,
			Class: p.Class.Words(), Age: int64(p.Age / time.Second), Second: p.Second, Without: p.Without.String(),
		}
		if p.Skin.Quality != gatehouse.NotMeasured {
			out[i].Skin = &skinJSON{p.Skin.Skin, p.Skin.Ambient, p.Skin.Quality.String(), p.Skin.Readings, p.Skin.Sensor}
		}
	}
	reply(w, http.StatusOK, out)
}

func (s *Server) unreadable(w http.ResponseWriter, err error) {
	s.log(slog.LevelError, "read ledger", "err", err)
	fail(w, http.StatusServiceUnavailable, "the ledger cannot be read")
}
