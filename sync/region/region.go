// Package region is the regional server: it takes the gates' books and shows how the gates
// stand.
package region

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/sync/wire"
)

// A Ledger keeps what the gates hand over. Take returns when the rows would survive a power
// cut, with how far the book has come and the chain's hash there; rows that it has already
// do no harm. An error with a method Answer() string is the ledger's word on these rows:
// wire.Gap and wire.Fork come with through and hash, another word means that they are no
// rows at all. Head gives through and hash; Passages the newest limit ones, the newest
// first, of one gate or of all when gate is empty; Gates all books, the newest of each gate
// first.
type Ledger interface {
	Take(ctx context.Context, gate string, epoch [16]byte, first gatehouse.Seq, before [32]byte, rows [][]byte) (through gatehouse.Seq, hash [32]byte, err error)
	Head(ctx context.Context, gate string, epoch [16]byte) (through gatehouse.Seq, hash [32]byte, err error)
	Gates(ctx context.Context) ([]Standing, error)
	Passages(ctx context.Context, gate string, limit int) ([]gatehouse.Passage, error)
}

// A Standing is how far one book of a gate has come.
type Standing struct {
	Gate    string
	Epoch   [16]byte
	Through gatehouse.Seq
	Hash    [32]byte
	Seen    time.Time // last delivery, by the region's clock
	Deny    int64
	Refer   int64
	Admit   int64
	Hint    int64
	Forks   int64 // pieces of evidence that this book was copied or rewritten
}

// A Server answers gates and people. Ledger and Keys are needed.
type Server struct {
	Ledger Ledger
	Keys   func(gate string) (crypto.PublicKey, bool) // Ed25519 or ECDSA P-256; must be safe for concurrent use
	Token  string                                     // that readers have to show; empty lets only programs of this machine read
	Trust  fs.FS                                      // the regions' signed repository, for gates to fetch; nil: none is here
	Logger *slog.Logger                               // nil logs nothing
}

// mostUploads is how many batches are in memory at once. The rest is told to come later
// before a byte of their body is read.
const mostUploads = 32

// uploadTime is how long a gate may take for a whole batch: 1 MiB at 35 kB/s.
const uploadTime = 30 * time.Second

// Handler gives all routes: for gates the signed PUT; for readers JSON and one page.
func (s *Server) Handler() http.Handler {
	places := make(chan struct{}, mostUploads)
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/gates/{gate}/log/{epoch}/{span}", func(w http.ResponseWriter, r *http.Request) {
		// Proves nothing, but keeps places free from whoever does not even know a name.
		if _, ok := s.Keys(r.PathValue("gate")); !ok {
			w.Header().Set("Connection", "close")
			fail(w, http.StatusUnauthorized, wire.ErrSignature.Error())
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			s.take(w, r)
		default:
			s.later(w, "too many gates at once")
		}
	})
	mux.HandleFunc("GET /v1/trust/{path...}", s.trust)
	mux.Handle("GET /v1/gates/{gate}/log/{epoch}/head", s.readers(s.head))
	mux.Handle("GET /v1/gates", s.readers(s.gates))
	mux.Handle("GET /v1/passages", s.readers(s.passages))
	mux.Handle("GET /{$}", s.readers(s.page))
	mux.HandleFunc("GET /page.css", style)
	// A page of another origin in a reader's browser may not write here.
	return http.NewCrossOriginProtection().Handler(mux)
}

// HTTP gives a server with the limits that a region on an open network needs.
func HTTP(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       uploadTime + 10*time.Second,
		WriteTimeout:      uploadTime + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}

// take is the way of a batch: size, signature, address, ledger, and only then the answer.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	data, ok := s.body(w, r)
	if !ok {
		return
	}
	batch, err := wire.Open(data, s.Keys)
	switch {
	case errors.Is(err, wire.ErrSignature):
		s.log(slog.LevelWarn, "batch refused", "gate", r.PathValue("gate"), "err", err)
		fail(w, http.StatusUnauthorized, err.Error())
		return
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if want := wire.Path(batch); r.URL.Path != want {
		fail(w, http.StatusBadRequest, "the batch belongs to "+want)
		return
	}
	through, hash, err := s.Ledger.Take(r.Context(), batch.Gate, batch.Epoch, batch.First, batch.Before, batch.Rows)
	var answer interface{ Answer() string }
	switch {
	case errors.As(err, &answer):
		s.refuse(w, batch, wire.Ack{Through: through, Hash: hash, Error: answer.Answer()}, err)
	case err != nil:
		s.log(slog.LevelError, "batch not taken", "gate", batch.Gate, "first", batch.First, "err", err)
		s.later(w, "the ledger cannot write")
	default:
		reply(w, http.StatusOK, wire.Ack{Through: through, Hash: hash})
	}
}

// body reads a batch, never more than a batch may have.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.ContentLength > wire.MaxBatch {
		w.Header().Set("Connection", "close") // rather than read what is not wanted
		fail(w, http.StatusRequestEntityTooLarge, "a batch has at most 1 MiB")
		return nil, false
	}
	// A recorder in a test has no deadline; a connection has, and drops a gate that trickles.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	var buf bytes.Buffer
	_, err := io.Copy(&buf, http.MaxBytesReader(w, r.Body, wire.MaxBatch))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, "a batch has at most 1 MiB")
		return nil, false
	case err != nil:
		fail(w, http.StatusBadRequest, "the batch ends too soon")
		return nil, false
	}
	return buf.Bytes(), true
}

// refuse passes on the ledger's word. A gap heals by itself; a fork is for people.
func (s *Server) refuse(w http.ResponseWriter, b wire.Batch, ack wire.Ack, err error) {
	switch ack.Error {
	case wire.Gap:
		s.log(slog.LevelInfo, "batch too early", "gate", b.Gate, "first", b.First, "through", ack.Through)
		reply(w, http.StatusConflict, ack)
	case wire.Fork:
		s.log(slog.LevelError, "fork", "gate", b.Gate, "first", b.First, "through", ack.Through, "err", err)
		reply(w, http.StatusConflict, ack)
	default:
		s.log(slog.LevelError, "batch refused", "gate", b.Gate, "first", b.First, "err", err)
		fail(w, http.StatusBadRequest, err.Error())
	}
}

// later sends a gate away for a while, each for another one.
func (s *Server) later(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", strconv.Itoa(5+rand.IntN(26)))
	fail(w, http.StatusServiceUnavailable, why)
}

func fail(w http.ResponseWriter, status int, why string) {
	reply(w, status, struct {
		Error string `json:"error"`
	}{why})
}

func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"cannot be written as JSON"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the reader has gone: it asks again
}

func (s *Server) log(level slog.Level, msg string, args ...any) {
	if s.Logger != nil {
		s.Logger.Log(context.Background(), level, msg, args...)
	}
}
