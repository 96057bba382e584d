package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/credential/revocation"
	"gatehouse/credential/trust"
	"gatehouse/policy"
	"gatehouse/store"
)

func TestGateWithoutACameraSaysSo(t *testing.T) {
	s := newPlace(t)
	c := s.config()
	c.Camera = "v4l2:/dev/no-such-camera"
	r := s.start(c)
	r.wait(`"reason":"D53"`, "no-such-camera")
	r.event("D53", `"closed":true`)
	if code, health := r.get("/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(health, "D53") {
		t.Errorf("/healthz: %d, and does not name the camera:\n%s", code, health)
	}
}

func TestLaneIsOpenAgainWhenTheCameraGivesFrames(t *testing.T) {
	s := newPlace(t)
	blank := func(name string) { // a picture that shows no code
		s.put("frames/"+name, append([]byte("P5 64 64 255\n"), make([]byte, 64*64)...), nil)
	}
	move := func(from, to string) {
		if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	blank("a.pgm")
	r := s.start(s.config())
	for range 2 { // the second outage is told as the first is, though nobody came in between
		move("frames", "unplugged")
		r.wait(`"msg":"camera"`, `"reason":"D53"`)
		r.event("D53", `"closed":true`)
		move("unplugged", "frames")
		r.wait("camera gives frames again")
		r.event(`"closed":false`)
		if code, health := r.get("/healthz"); strings.Contains(health, "D53") {
			t.Errorf("/healthz: %d, still names the camera:\n%s", code, health)
		}
	}
}

func TestGateWithoutASensorRefersAndSaysSo(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	c := s.config()
	c.Thermometer = "mlx90614:/dev/i2c-250"
	r := s.start(c)
	line := r.wait(`"msg":"passage"`)
	if !strings.Contains(line, `"call":"refer"`) || !strings.Contains(line, `"reason":"T42"`) {
		t.Errorf("passage %s, want refer T42", line)
	}
	r.event("T42")
}

func TestGateWhoseBookCannotBeOpenedStaysClosedAndSaysSo(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	c := s.config()
	c.Book = filepath.Join(s.dir, "not-mounted-yet", "book.db")
	r := s.start(c)
	r.wait(`"reason":"D52"`)
	r.event("D52", `"closed":true`)
	// People mount the card; the gate opens by itself.
	if err := os.Mkdir(filepath.Dir(c.Book), 0o700); err != nil {
		t.Fatal(err)
	}
	r.wait(`"msg":"passage"`)
}

func TestGateThatWaitsForItsBookStopsAsTold(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	c := s.config()
	c.Book = filepath.Join(s.dir, "never-mounted", "book.db")
	r := s.start(c)
	r.wait(`"reason":"D52"`)
	if err := r.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestGateWorksWithoutItsScreens(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newPlace(t)
	s.picture("a.png")
	c := s.config()
	c.Console.Listen = taken.Addr().String()
	r := s.launch(c)
	r.wait(`"msg":"console"`, "in use")
	r.wait(`"msg":"passage"`)
}

func TestTwoGatesNeverWriteOneBook(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	first := s.start(s.config())
	first.wait("open for work")
	second := s.start(s.config())
	second.wait(`"reason":"D52"`, "another gated writes this book")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second.wait("open for work")
}

func TestGateWithoutItsScannerModuleSaysSo(t *testing.T) {
	s := newPlace(t)
	c := s.config()
	c.Camera = "serial:/dev/no-such-module"
	r := s.start(c)
	r.wait(`"reason":"D53"`, "no-such-module")
	r.event("D53", `"closed":true`)
}

func TestGateGoesOnWithoutItsRegion(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	s.picture("b.png")
	c := s.config()
	c.Region = regionConfig{URL: "https://127.0.0.1:1", CA: s.certificate(), Key: s.gateKey(),
		Beat: duration(time.Second), LongestWait: duration(time.Second)}
	r := s.start(c)
	r.wait(`"msg":"passage"`, `"seq":1`)
	r.wait(`"msg":"passage"`, `"seq":2`, `"queue":2`)
	r.event(`"linked":false`, `"queue":2`)
}

func TestGateNeverTakesAnOlderRepository(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	old := filepath.Join(s.dir, "old")
	s.must(os.CopyFS(old, os.DirFS(s.desk.Dir)))
	s.publish("CN-330100", map[string][]byte{trust.Keys: s.keys(2)})
	c := s.config()
	r := s.start(c)
	r.wait(`"msg":"signed files in use"`)
	r.wait("open for work")
	swap := func(dir string) {
		s.must(os.Rename(s.desk.Dir, s.desk.Dir+".away"))
		s.must(os.Rename(dir, s.desk.Dir))
	}
	swap(old)
	r.wait(`"msg":"signed files"`, "older than what was in use here")
	s.picture("b.png")
	r.wait(`"msg":"passage"`, `"seq":2`, `"reason":"T41"`) // nobody is measured here; the code itself is believed
	s.must(r.stop())

	// A restart forgets nothing either.
	again := s.start(c)
	again.wait(`"msg":"signed files"`, "older than what was in use here")
	again.wait(`"msg":"signed files in use"`)
}

func TestGateNeverTakesAnOlderPolicy(t *testing.T) {
	s := newPlace(t)
	s.publish("CN-330100", map[string][]byte{trust.Policy: s.everyday(5)})
	s.picture("a.png")
	r := s.start(s.config())
	r.wait(`"msg":"policy in use"`, "CN-330100/5")
	r.wait("open for work")
	s.publish("CN-330100", map[string][]byte{trust.Policy: s.everyday(4)})
	r.wait(`"msg":"signed files"`, "CN-330100/4", "older")
	s.must(r.stop())
	again := s.start(s.config())
	again.wait(`"msg":"policy in use"`, "CN-330100/5")
}

func TestPolicyThatCannotBeUsedLeavesTheLastGoodOne(t *testing.T) {
	province := policy.Everyday{Site: "CN-330000", Version: 6, Issued: time.Now()}
	week := policy.Everyday{Site: "CN-330100", Version: 6, Issued: time.Now().AddDate(0, 0, 7)}
	text := func(e policy.Everyday) func(*place) []byte {
		return func(s *place) []byte { body, err := e.Text(); s.must(err); return body }
	}
	for _, c := range []struct {
		name string
		next func(*place) []byte
		want string // of the log; empty when it is taken
	}{
		{"the next one", func(s *place) []byte { return s.everyday(6) }, ""},
		{"of the province", text(province), "is not for CN-330100"},
		{"older", func(s *place) []byte { return s.everyday(4) }, "older"},
		{"other words under the same version", func(s *place) []byte { return append(s.everyday(5), "# but\n"...) }, "says something else"},
		{"of next week", text(week), "yet to come"},
		{"scribble", func(*place) []byte { return []byte("kind = 1") }, "line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newPlace(t)
			s.publish("CN-330100", map[string][]byte{trust.Policy: s.everyday(5)})
			var said bytes.Buffer
			signed, _ := s.signed(&said)
			signed.look(t.Context())
			s.publish("CN-330100", map[string][]byte{trust.Policy: c.next(s)})
			signed.look(t.Context())
			want := "CN-330100/5"
			if c.want == "" {
				want = "CN-330100/6"
			}
			if got := signed.inForce(time.Now()).Name(); got != want {
				t.Errorf("in use: %s, want %s", got, want)
			}
			again, _ := s.signed(io.Discard)
			if again.look(t.Context()); again.inForce(time.Now()).Name() != want {
				t.Errorf("after a restart: %s, want %s", again.inForce(time.Now()).Name(), want)
			}
			if errors := strings.Contains(said.String(), "ERROR"); errors != (c.want != "") || !strings.Contains(said.String(), c.want) {
				t.Errorf("it says:\n%s\nwant %q in it", &said, c.want)
			}
			if _, trusted := signed.clock.Now(); !trusted {
				t.Error("the clock is not trusted any more")
			}
		})
	}
}

func TestPolicyOfOnePersonOrOfWhoSignsTheSoftwareIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		who  trust.Quorum
		want string
	}{
		{"one signature", trust.Quorum{Threshold: 1}, "one person alone"},
		{"the software's people", trust.Quorum{Threshold: 2}, "signs the software too"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newPlace(t, "CN-330200")
			if c.who.Signers = s.signers(1, 2); c.who.Threshold == 2 {
				c.who.Signers = s.signers(1, 2, 3)
			}
			_, err := s.desk.Rotate("CN-330200", trust.Change{Add: c.who.Signers[2:], Threshold: c.who.Threshold, Life: 365 * trust.Day})
			s.must(err)
			body, err := policy.Everyday{Site: "CN-330200", Version: 1, Issued: time.Now()}.Text()
			s.must(err)
			s.publish("CN-330200", map[string][]byte{trust.Policy: body})
			var said bytes.Buffer
			signed, _ := s.signed(&said)
			signed.site = "CN-330200"
			signed.look(t.Context())
			if p := signed.inForce(time.Now()); p != nil || !strings.Contains(said.String(), c.want) {
				t.Errorf("in use: %s; it says:\n%s\nwant %q", p.Name(), &said, c.want)
			}
		})
	}
}

func TestCodeThatWasTakenBackIsDeniedAndAListLostIsNotForgotten(t *testing.T) {
	s := newPlace(t)
	id := []byte("twelve bytes")
	text, err := credential.Issue(s.issuer, credential.Claims{Issuer: "CN-330100", Grade: gatehouse.Green, ID: id,
		Issued: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)})
	s.must(err)
	var said bytes.Buffer
	signed, _ := s.signed(&said)
	verify := func() error {
		signed.look(t.Context())
		_, err := credential.Verifier{Keys: signed.cache, Revoked: signed}.Verify(text, time.Now())
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	list, err := revocation.Build(revocation.Base{Issuer: "CN-330100", Version: 1, Prefixes: []uint64{revocation.Prefix(id)}, Exact: true})
	s.must(err)
	s.publish("CN-330100", map[string][]byte{trust.Revocations: list})
	var refusal *gatehouse.Refusal
	if err := verify(); !errors.As(err, &refusal) || refusal.Reason != gatehouse.ReasonRevoked || refusal.Maybe {
		t.Errorf("a code on the list: %v", err)
	}
	s.publish("CN-330100", map[string][]byte{trust.Revocations: list[:len(list)-3]})
	if err := verify(); !errors.As(err, &refusal) || !strings.Contains(said.String(), "revocations of CN-330100") {
		t.Errorf("after a broken list: %v; it says:\n%s", err, &said)
	}
}

func TestBootWithAWrongClockAdoptsAndRefersEverybody(t *testing.T) {
	for name, board := range map[string]time.Time{
		"1970": time.Unix(40, 0),
		"2099": time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			s := newPlace(t)
			var said bytes.Buffer
			signed, _ := s.signed(&said)
			signed.clock.now = func() time.Time { return board }
			signed.clock.raise(time.Now().AddDate(0, -3, 0)) // the build's time
			signed.look(t.Context())
			if signed.cache.Current() == nil || signed.rules.Load() == nil {
				t.Fatalf("nothing is in use:\n%s", &said)
			}
			at, trusted := signed.clock.Now()
			if trusted || at.Before(signed.cache.Current().Issued.Add(-time.Minute)) {
				t.Errorf("%v, trusted %v; want the newest signature's time, not trusted", at, trusted)
			}
			v := signed.Judge(gatehouse.Evidence{At: at, Clock: trusted, TrustAge: signed.cache.Age(at),
				Pass: &gatehouse.Pass{Format: "RHC1", Issuer: "CN-330100", Grade: gatehouse.Green, Issued: at, Expires: at.Add(time.Hour)}})
			if v.Call != gatehouse.Refer || v.Reason != gatehouse.ReasonClock {
				t.Errorf("verdict %v %s, want refer D51", v.Call, v.Reason)
			}
			// A repository that ended meanwhile is as old as before: the floor knows.
			old := s.desk.Dir
			s.must(os.Rename(old, old+".away"))
			signed.look(t.Context())
			if signed.cache.Current() == nil {
				t.Error("what was in use is gone")
			}
		})
	}
}

func TestGateWithoutSignedFilesRefersEverybody(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	c := s.config()
	c.Trust.Stick = ""
	r := s.start(c)
	line := r.wait(`"msg":"passage"`)
	if !strings.Contains(line, `"call":"refer"`) || !strings.Contains(line, `"reason":"D54"`) {
		t.Errorf("passage %s, want refer D54", line)
	}
	r.event("D54")
}

func TestGateEndsWithItsFolderOfFramesAndKeepsTheBook(t *testing.T) {
	s := newPlace(t)
	s.picture("a.png")
	s.picture("b.png")
	c := s.config()
	c.Camera = "file:" + filepath.Join(s.dir, "frames")
	r := s.start(c)
	r.wait(`"seq":2`)
	for r.lines.Scan() {
		// It ends by itself, and its log with it.
	}
	book, err := store.OpenReader(t.Context(), c.Book)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if err := book.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if seq, _, err := book.Head(t.Context()); err != nil || seq != 2 {
		t.Errorf("book ends at %d, %v; want 2", seq, err)
	}
}
