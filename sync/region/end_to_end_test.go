package region_test

import (
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/sync/region"
	"gatehouse/sync/uplink"
)

// A ledger is the store's, in the region's words.
type ledger struct{ *store.Ledger }

func (l ledger) Gates(ctx context.Context) ([]region.Standing, error) {
	gates, err := l.Ledger.Gates(ctx)
	standings := make([]region.Standing, len(gates))
	for i, g := range gates {
		standings[i] = region.Standing(g)
	}
	return standings, err
}

func openBook(t testing.TB, path string) *store.Log {
	t.Helper()
	book, err := store.OpenLog(t.Context(), path, "hall-east")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	return book
}

func openLedger(t testing.TB, path string) ledger {
	t.Helper()
	l, err := store.OpenLedger(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return ledger{l}
}

func write(t testing.TB, book *store.Log, n int) {
	t.Helper()
	for i := range n {
		p := gatehouse.Passage{At: time.Date(2026, 5, 1, 12, 0, i, 0, time.UTC), Clock: true, Format: "RHC1", Issuer: "CN-330100",
			KeyID: "0a1b2c3d4e5f6071", Code: fmt.Sprintf("%016x", i), Grade: gatehouse.Green, Verdict: gatehouse.Verdict{Call: gatehouse.Call(i % 3)}}
		if _, err := book.Record(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// serve starts a region over TLS and gives a link to it that trusts its certificate alone.
func serve(t testing.TB, l region.Ledger, book *store.Log, keys func(string) (crypto.PublicKey, bool)) (*uplink.Uplink, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = region.HTTP("", (&region.Server{Ledger: l, Keys: keys}).Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that a test means to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := uplink.NewClient(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return &uplink.Uplink{Book: book, Gate: book.Gate(), Epoch: book.Epoch(), Key: gateKey, URL: server.URL, Client: client}, server
}

func TestBookArrivesOverTLSAndSurvivesBothRestarts(t *testing.T) {
	folder := t.TempDir()
	bookPath, ledgerPath := filepath.Join(folder, "book.db"), filepath.Join(folder, "ledger.db")
	for round := 1; round <= 3; round++ {
		book, l := openBook(t, bookPath), openLedger(t, ledgerPath)
		write(t, book, 12)
		link, server := serve(t, l, book, keys)
		link.Rows = 5
		if err := link.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		seq, hash, err := book.Head(t.Context())
		if err != nil || seq != gatehouse.Seq(12*round) {
			t.Fatalf("head %d, %v", seq, err)
		}
		through, have, err := l.Head(t.Context(), book.Gate(), book.Epoch())
		if err != nil || through != seq || have != hash {
			t.Errorf("the region has come to %d, %x (%v); want %d, %x", through, have, err, seq, hash)
		}
		if queue, err := book.Queue(t.Context()); err != nil || queue != 0 {
			t.Errorf("queue %d (%v), want 0", queue, err)
		}
		if err := errors.Join(l.Verify(t.Context()), book.Verify(t.Context())); err != nil {
			t.Error(err)
		}
		link.Client.CloseIdleConnections()
		server.Close()
		if err := errors.Join(book.Close(), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRegionRestoredFromABackupGetsTheRestAgain(t *testing.T) {
	folder := t.TempDir()
	book := openBook(t, filepath.Join(folder, "book.db"))
	now, backup := openLedger(t, filepath.Join(folder, "now.db")), openLedger(t, filepath.Join(folder, "backup.db"))
	write(t, book, 4)
	link, _ := serve(t, backup, book, keys)
	if err := link.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	link, _ = serve(t, now, book, keys) // knows nothing of row 1 to 4 yet
	write(t, book, 4)
	if err := link.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	link, _ = serve(t, backup, book, keys)
	write(t, book, 1)
	if err := link.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]ledger{"new": now, "restored": backup} {
		if n, err := l.Count(t.Context()); err != nil || n != map[string]int64{"new": 8, "restored": 9}[name] {
			t.Errorf("the %s region has %d rows (%v)", name, n, err)
		}
	}
}

func TestCopiedCardIsAForkAtTheRegion(t *testing.T) {
	folder := t.TempDir()
	l := openLedger(t, filepath.Join(folder, "ledger.db"))
	path := filepath.Join(folder, "book.db")
	book := openBook(t, path)
	write(t, book, 3)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, path, filepath.Join(folder, "copy.db"))
	first, second := openBook(t, path), openBook(t, filepath.Join(folder, "copy.db"))
	write(t, first, 2)
	link, _ := serve(t, l, first, keys)
	if err := link.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	link, _ = serve(t, l, second, keys)
	if err := link.Flush(t.Context()); !errors.Is(err, uplink.ErrFork) {
		t.Errorf("the card as it was at row 3 got %v, want ErrFork", err)
	}
	if _, err := second.Record(t.Context(), gatehouse.Passage{Note: "written by the copy"}); err != nil {
		t.Fatal(err)
	}
	if err := link.Flush(t.Context()); !errors.Is(err, uplink.ErrFork) {
		t.Errorf("the copy got %v, want ErrFork", err)
	}
	mark, err := second.Mark(t.Context())
	gates, gatesErr := l.Gates(t.Context())
	if err != nil || gatesErr != nil || mark != 0 || len(gates) != 1 || gates[0].Forks != 1 || gates[0].Through != 5 {
		t.Errorf("mark %d (%v), gates %+v (%v)", mark, err, gates, gatesErr)
	}
}

func TestLinkTrustsOnlyTheRegionItWasGiven(t *testing.T) {
	folder := t.TempDir()
	book, l := openBook(t, filepath.Join(folder, "book.db")), openLedger(t, filepath.Join(folder, "ledger.db"))
	write(t, book, 2)
	link, _ := serve(t, l, book, keys)
	link.Client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()} // trusts what the system trusts
	defer link.Client.CloseIdleConnections()
	if err := link.Flush(t.Context()); err == nil {
		t.Error("a certificate that nobody vouches for was trusted")
	}
	unknown := func(string) (crypto.PublicKey, bool) { return nil, false }
	link, _ = serve(t, l, book, unknown)
	var status *uplink.StatusError
	if err := link.Flush(t.Context()); !errors.As(err, &status) || status.Code != http.StatusUnauthorized {
		t.Errorf("a gate without a key got %v, want 401", err)
	}
	if n, err := l.Count(t.Context()); err != nil || n != 0 {
		t.Errorf("%d rows (%v), want none", n, err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkDrain500 carries 500 rows from the book to the ledger: read, signed, checked,
// chained, committed and acknowledged, over TLS on this machine.
func BenchmarkDrain500(b *testing.B) {
	folder := b.TempDir()
	book := openBook(b, filepath.Join(folder, "book.db"))
	write(b, book, 500)
	var l struct{ ledger }
	link, _ := serve(b, &l, book, keys)
	rows := 0
	for b.Loop() {
		b.StopTimer() // a region that knows nothing yet, and a mark that says so
		l.ledger = openLedger(b, filepath.Join(folder, fmt.Sprintf("ledger-%d.db", rows)))
		mark, err := book.Mark(b.Context())
		if err == nil {
			err = book.Ack(b.Context(), mark, 0)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := link.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		rows += 500
		b.StopTimer()
		if n, err := l.Count(b.Context()); err != nil || n != 500 {
			b.Fatalf("the region has %d rows (%v), want 500", n, err)
		}
		l.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
