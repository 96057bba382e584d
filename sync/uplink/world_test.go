package uplink

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/sync/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func link(before [32]byte, row []byte) [32]byte {
	return sha256.Sum256(append(before[:], row...))
}

// A fakeBook holds rows in memory; hashes[i] is the chain's after row i.
type fakeBook struct {
	mu     sync.Mutex
	rows   [][]byte
	hashes [][32]byte
	mark   gatehouse.Seq
}

func newBook(rows int) *fakeBook {
	b := &fakeBook{hashes: [][32]byte{{0xa0}}}
	for range rows {
		b.record()
	}
	return b
}

func (b *fakeBook) record() {
	b.mu.Lock()
	defer b.mu.Unlock()
	row := fmt.Appendf(nil, "row %d", len(b.rows)+1)
	b.rows = append(b.rows, row)
	b.hashes = append(b.hashes, link(b.hashes[len(b.hashes)-1], row))
}

func (b *fakeBook) Pending(_ context.Context, n int) (gatehouse.Seq, [32]byte, [][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := b.rows[b.mark:]
	return b.mark + 1, b.hashes[b.mark], rows[:min(n, len(rows))], nil
}

func (b *fakeBook) Hash(_ context.Context, seq gatehouse.Seq) ([32]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if seq >= gatehouse.Seq(len(b.hashes)) {
		return [32]byte{}, errors.New("no such row")
	}
	return b.hashes[seq], nil
}

func (b *fakeBook) Ack(_ context.Context, from, to gatehouse.Seq) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mark != from || to > gatehouse.Seq(len(b.rows)) {
		return fmt.Errorf("ack %d to %d: mark %d of %d", from, to, b.mark, len(b.rows))
	}
	b.mark = to
	return nil
}

func (b *fakeBook) Queue(context.Context) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint64(len(b.rows)) - uint64(b.mark), nil
}

func (b *fakeBook) marked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.mark)
}

// A fakeRegion answers as docs/wire.md says.
type fakeRegion struct {
	mu    sync.Mutex
	books map[string]*fakeBook
	taken []string // "gate first-last" of each batch in the order of arrival
}

func newRegion() *fakeRegion { return &fakeRegion{books: map[string]*fakeBook{}} }

func (f *fakeRegion) book(gate string) *fakeBook {
	if f.books[gate] == nil {
		f.books[gate] = newBook(0)
	}
	return f.books[gate]
}

var gateKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))

func (f *fakeRegion) serve(path string, body []byte) *http.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, err := wire.Open(body, func(string) (crypto.PublicKey, bool) { return gateKey.Public(), true })
	if err != nil || wire.Path(b) != path {
		return answer(http.StatusBadRequest, `{"error":"not a batch"}`)
	}
	f.taken = append(f.taken, fmt.Sprintf("%s %d-%d", b.Gate, b.First, b.Last()))
	have := f.book(b.Gate)
	through := gatehouse.Seq(len(have.rows))
	ack := wire.Ack{Through: through, Hash: have.hashes[through]}
	switch {
	case b.First > through+1:
		ack.Error = wire.Gap
	case have.hashes[b.First-1] != b.Before:
		ack.Error = wire.Fork
	}
	for i, row := range b.Rows {
		seq := int(b.First) + i
		switch {
		case ack.Error != "":
		case seq > len(have.rows):
			have.rows = append(have.rows, row)
			have.hashes = append(have.hashes, link(have.hashes[seq-1], row))
			ack.Through, ack.Hash = gatehouse.Seq(seq), have.hashes[seq]
		case !bytes.Equal(have.rows[seq-1], row):
			ack.Error = wire.Fork
		}
	}
	text, err := json.Marshal(ack)
	if err != nil {
		panic(err)
	}
	if ack.Error != "" {
		return answer(http.StatusConflict, string(text))
	}
	return answer(http.StatusOK, string(text))
}

// restore forgets all after n rows, as a backup does.
func (f *fakeRegion) restore(gate string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	have := f.book(gate)
	have.rows, have.hashes = have.rows[:n], have.hashes[:n+1]
}

func (f *fakeRegion) has(gate string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.book(gate).rows)
}

func (f *fakeRegion) batches() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.taken)
}

func answer(status int, text string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(text)))}
}

// A roundTrip is a whole network in one function.
type roundTrip func(r *http.Request, body []byte) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	a, err := f(r, body)
	if a != nil {
		a.Request = r
	}
	return a, err
}

func linkOf(b Book, network roundTrip) *Uplink {
	return &Uplink{Book: b, Gate: "hall-east", Epoch: [16]byte{1}, Key: gateKey, URL: "https://region.example/",
		Client: &http.Client{Transport: network}}
}

func direct(region *fakeRegion) roundTrip {
	return func(r *http.Request, body []byte) (*http.Response, error) { return region.serve(r.URL.Path, body), nil }
}
