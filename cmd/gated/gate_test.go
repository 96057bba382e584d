package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"image/png"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/policy"
	"gatehouse/scanner/qr"
	"gatehouse/store"
)

// A site is what a test's gate stands on: a region's keys, its signed files, pictures of
// codes before the camera.
type site struct {
	t      *testing.T
	dir    string
	signer string
	root   string
	issuer *ecdsa.PrivateKey
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	var err error
	if s.signer, s.root, err = credential.NewTrustKey("CN-330100"); err != nil {
		t.Fatal(err)
	}
	if s.issuer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"trust", "frames"} {
		if err := os.Mkdir(filepath.Join(s.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.trust(1)
	s.policy(1)
	return s
}

func (s *site) put(name string, body []byte, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	// A new file takes the old one's place at once, as an operator's copy should.
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path+".new", body, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) trust(version uint64) {
	s.t.Helper()
	id, err := credential.KeyID(s.issuer.Public())
	if err != nil {
		s.t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	key := credential.Key{ID: id, Issuer: "CN-330100", Public: s.issuer.Public(), Usage: credential.UseHealthCode,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	listed, err := key.Listed()
	if err != nil {
		s.t.Fatal(err)
	}
	note, err := credential.SealTrust(credential.TrustList{Region: "CN-330100", Version: version, Issued: now,
		Keys: []credential.TrustKey{listed}}, s.signer)
	s.put("trust/trust.note", note, err)
}

func (s *site) policy(version uint64) {
	s.t.Helper()
	s.rules(policy.Rules{Kind: "policy", Site: "CN-330100", Version: version, Issued: time.Now(),
		Accept: []gatehouse.Issuer{"CN-330100"}, FreshMinutes: 60, TestHours: 72, StaleHours: 24,
		Temperature: policy.Temperature{Fever: 37_300, Low: 35_000}})
}

// rules signs a policy.
func (s *site) rules(r policy.Rules) {
	s.t.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	note, err := credential.Seal("policy", body, s.signer)
	s.put("trust/policy.note", note, err)
}

// signed is the trust folder as a gate lives by it, without the gate around it.
func (s *site) signed(log io.Writer) (*signed, *store.Log) {
	s.t.Helper()
	book, err := store.OpenLog(s.t.Context(), filepath.Join(s.dir, "book.db"), "north-1")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { book.Close() })
	return &signed{folder: filepath.Join(s.dir, "trust"), root: s.root, book: book, clock: &clock{now: time.Now}, health: &health{},
		logger: slog.New(slog.NewTextHandler(log, nil))}, book
}

// picture puts one green code before the camera.
func (s *site) picture(name string) {
	s.t.Helper()
	text, err := credential.Issue(s.issuer, credential.Claims{Issuer: "CN-330100", Grade: gatehouse.Green,
		Issued: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)})
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := qr.Encode(text, qr.M)
	if err != nil {
		s.t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(s.dir, "frames", name))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m.Image(3)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) config() config {
	c := config{Name: "north-1", Book: filepath.Join(s.dir, "book.db"), Camera: "file:" + filepath.Join(s.dir, "frames") + "?loop=1",
		Thermometer: "none", Barrier: "note:", Lights: "none",
		Trust: trustConfig{Folder: filepath.Join(s.dir, "trust"), Root: s.root}, Console: consoleConfig{Listen: "127.0.0.1:0"}}
	c.Check(func(key, what, hint string) { s.t.Errorf("the test's settings: %s %s", key, what) })
	return c
}

// A running gate, and what it says.
type running struct {
	t       *testing.T
	log     *io.PipeReader
	lines   *bufio.Scanner
	address string
	stop    func() error
	seen    []string
}

// launch runs a gate in this process until the test ends.
func (s *site) launch(c config) *running {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, c, daemon.Logger(in))
		in.Close()
		done <- err
	}()
	r := &running{t: s.t, log: out, lines: bufio.NewScanner(out)}
	r.stop = func() error {
		cancel()
		go io.Copy(io.Discard, out)
		err := <-done
		done <- err
		return err
	}
	s.t.Cleanup(func() {
		if err := r.stop(); err != nil {
			s.t.Errorf("the gate ended with %v", err)
		}
	})
	return r
}

// start is launch, and waits for the screens.
func (s *site) start(c config) *running {
	s.t.Helper()
	r := s.launch(c)
	line := r.wait(`"msg":"console"`)
	var l struct{ Address string }
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		s.t.Fatal(err)
	}
	r.address = l.Address
	return r
}

// patience is when a test gives a gate up that says nothing more.
const patience = 2 * time.Minute

// wait reads the gate's log up to a line that holds all the words.
func (r *running) wait(words ...string) string {
	r.t.Helper()
	given := time.AfterFunc(patience, func() { r.log.CloseWithError(os.ErrDeadlineExceeded) })
	defer given.Stop()
	for r.lines.Scan() {
		line := r.lines.Text()
		r.seen = append(r.seen, line)
		found := true
		for _, w := range words {
			found = found && strings.Contains(line, w)
		}
		if found {
			return line
		}
	}
	r.t.Fatalf("the log ended without %q:\n%s", words, strings.Join(r.seen, "\n"))
	return ""
}

// event reads the guard's stream up to an event that holds all the words.
func (r *running) event(words ...string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), "GET", r.address+"/events?screen=guard", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := http.DefaultTransport.(*http.Transport).Clone().RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		line, found := lines.Text(), true
		for _, w := range words {
			found = found && strings.Contains(line, w)
		}
		if found {
			return line
		}
	}
	r.t.Fatalf("the stream ended without %q", words)
	return ""
}

// get reads one page.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	answer, err := http.Get(r.address + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// certificate writes the one of a region on this machine. Its key is the gate's too: this is
// no test of keys.
func (s *site) certificate() string {
	s.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.issuer.Public(), s.issuer)
	s.put("region.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err)
	return filepath.Join(s.dir, "region.pem")
}

// gateKey writes the gate's own key.
func (s *site) gateKey() string {
	s.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.issuer)
	s.put("gate.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err)
	return filepath.Join(s.dir, "gate.key")
}

// gatePublic is the half of the gate's key that the region has.
func (s *site) gatePublic() []byte {
	s.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.issuer.Public())
	if err != nil {
		s.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
