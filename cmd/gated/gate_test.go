package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
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
	"gatehouse/credential/trust"
	"gatehouse/policy"
	"gatehouse/scanner/qr"
	"gatehouse/store"
)

// A place is what a test's gate stands on: the people of a nation and of a region, what they
// signed, pictures of codes before the camera.
type place struct {
	t      *testing.T
	dir    string
	desk   trust.Desk // whose folder is the gate's stick
	people []ed25519.PrivateKey
	issuer *ecdsa.PrivateKey
	cities []gatehouse.Issuer // other regions that the nation names
}

func newPlace(t *testing.T, cities ...gatehouse.Issuer) *place {
	t.Helper()
	s := &place{t: t, dir: t.TempDir(), cities: cities}
	var err error
	if s.issuer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "frames"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 4 { // one of the nation, two of the region, one who signs the software
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s.people = append(s.people, key)
	}
	s.desk = trust.Desk{Dir: filepath.Join(s.dir, "stick"), Now: time.Now()}
	nation := trust.Quorum{Signers: s.signers(0), Threshold: 1}
	s.must(s.desk.Init(trust.Ceremony{Root: nation, Snapshot: nation, Timestamp: nation, Life: 365 * trust.Day}))
	s.must(s.desk.AddRole("CN-330100", trust.Quorum{Signers: s.signers(1, 2), Threshold: 2}, 365*trust.Day))
	s.must(s.desk.AddRole(trust.FirmwareRole, trust.Quorum{Signers: s.signers(3), Threshold: 1}, 365*trust.Day))
	for _, city := range cities {
		s.must(s.desk.AddRole(string(city), trust.Quorum{Signers: s.signers(1, 2), Threshold: 2}, 365*trust.Day))
	}
	s.publish("CN-330100", map[string][]byte{trust.Keys: s.keys(1), trust.Policy: s.everyday(1)})
	root, err := s.desk.FirstRoot()
	s.put("root.json", root, err)
	return s
}

func (s *place) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *place) signers(who ...int) (list []trust.Signer) {
	for _, i := range who {
		list = append(list, trust.Signer{Name: fmt.Sprint("person ", i), Public: s.people[i].Public()})
	}
	return list
}

func (s *place) put(name string, body []byte, err error) {
	s.t.Helper()
	s.must(err)
	// A new file takes the old one's place at once, as an operator's copy should.
	path := filepath.Join(s.dir, name)
	s.must(os.WriteFile(path+".new", body, 0o600))
	s.must(os.Rename(path+".new", path))
}

// publish puts a region's files before the gate, signed by everybody who has a say.
func (s *place) publish(region gatehouse.Issuer, files map[string][]byte) {
	s.t.Helper()
	paths := map[string]string{}
	for name, body := range files {
		s.put("draft."+name, body, nil)
		paths[name] = filepath.Join(s.dir, "draft."+name)
	}
	s.desk.Now = time.Now()
	s.must(s.desk.Publish(string(region), paths, 90*trust.Day))
	for _, key := range s.people {
		if _, err := s.desk.Sign("", key); err != nil && !strings.Contains(err.Error(), "no say") {
			s.t.Fatal(err)
		}
	}
	_, _, err := s.desk.Refresh([]crypto.Signer{s.people[0]}, 30*trust.Day, 14*trust.Day)
	s.must(err)
}

// keys is a key list that holds the issuer's.
func (s *place) keys(version uint64) []byte {
	s.t.Helper()
	id, err := credential.KeyID(s.issuer.Public())
	s.must(err)
	now := time.Now().Truncate(time.Second)
	key := credential.Key{ID: id, Issuer: "CN-330100", Public: s.issuer.Public(), Usage: credential.UseHealthCode,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	listed, err := key.Listed()
	s.must(err)
	body, err := json.Marshal(credential.TrustList{Kind: "trust", Region: "CN-330100", Version: version, Issued: now,
		Keys: []credential.TrustKey{listed}})
	s.must(err)
	return body
}

func (s *place) everyday(version uint64) []byte {
	s.t.Helper()
	body, err := policy.Everyday{Site: "CN-330100", Version: version, Issued: time.Now()}.Text()
	s.must(err)
	return body
}

// signed is what a gate lives by, without the gate around it.
func (s *place) signed(log io.Writer) (*signed, *store.Log) {
	s.t.Helper()
	book, err := store.OpenLog(s.t.Context(), filepath.Join(s.dir, "book.db"), "north-1")
	s.must(err)
	s.t.Cleanup(func() { book.Close() })
	cache, err := openSigned(s.config().Trust)
	s.must(err)
	signed := &signed{site: "CN-330100", stick: s.desk.Dir, cache: cache, book: book, clock: &clock{now: time.Now}, health: &health{},
		logger: slog.New(slog.NewTextHandler(log, nil))}
	cache.Check = signed.usable
	return signed, book
}

// picture puts one green code before the camera.
func (s *place) picture(name string) {
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

func (s *place) config() config {
	c := config{Name: "north-1", Book: filepath.Join(s.dir, "book.db"), Camera: "file:" + filepath.Join(s.dir, "frames") + "?loop=1",
		Thermometer: "none", Barrier: "note:", Lights: "none",
		Trust:   trustConfig{Folder: filepath.Join(s.dir, "trust"), Root: filepath.Join(s.dir, "root.json"), Site: "CN-330100", Stick: s.desk.Dir},
		Console: consoleConfig{Listen: "127.0.0.1:0"}}
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
func (s *place) launch(c config) *running {
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
func (s *place) start(c config) *running {
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
func (s *place) certificate() string {
	s.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.issuer.Public(), s.issuer)
	s.put("region.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err)
	return filepath.Join(s.dir, "region.pem")
}

// gateKey writes the gate's own key.
func (s *place) gateKey() string {
	s.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.issuer)
	s.put("gate.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err)
	return filepath.Join(s.dir, "gate.key")
}

// gatePublic is the half of the gate's key that the region has.
func (s *place) gatePublic() []byte {
	s.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.issuer.Public())
	if err != nil {
		s.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
