package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/policy"
	"gatehouse/store"
)

func TestGateWithoutACameraSaysSo(t *testing.T) {
	s := newSite(t)
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
	s := newSite(t)
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
	s := newSite(t)
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
	s := newSite(t)
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
	s := newSite(t)
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
	s := newSite(t)
	s.picture("a.png")
	c := s.config()
	c.Console.Listen = taken.Addr().String()
	r := s.launch(c)
	r.wait(`"msg":"console"`, "in use")
	r.wait(`"msg":"passage"`)
}

func TestTwoGatesNeverWriteOneBook(t *testing.T) {
	s := newSite(t)
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
	s := newSite(t)
	c := s.config()
	c.Camera = "serial:/dev/no-such-module"
	r := s.start(c)
	r.wait(`"reason":"D53"`, "no-such-module")
	r.event("D53", `"closed":true`)
}

func TestGateGoesOnWithoutItsRegion(t *testing.T) {
	s := newSite(t)
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

func TestGateNeverTakesAnOlderTrustList(t *testing.T) {
	s := newSite(t)
	s.trust(5)
	s.picture("a.png")
	r := s.start(s.config())
	r.wait(`"msg":"trust list in use"`, `"version":5`)
	r.wait("open for work")
	s.trust(4)
	r.wait(`"msg":"signed file"`, "version 4 is older than 5")
	s.put("trust/trust.note", []byte("scribble"), nil)
	r.wait(`"msg":"signed file"`, "trust.note")
	s.picture("b.png")
	r.wait(`"msg":"passage"`, `"seq":2`, `"reason":"T41"`) // nobody is measured here; the code itself is believed
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	// A restart forgets nothing either.
	s.trust(4)
	again := s.start(s.config())
	again.wait(`"msg":"signed file"`, "version 4 is older than 5", "in use here before")
}

func TestGateNeverTakesAnOlderPolicy(t *testing.T) {
	s := newSite(t)
	s.policy(5)
	s.picture("a.png")
	r := s.start(s.config())
	r.wait(`"msg":"policy in use"`, "CN-330100/5")
	r.wait("open for work")
	s.policy(4)
	r.wait(`"msg":"signed file"`, "CN-330100/4", "older")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	again := s.start(s.config())
	again.wait(`"msg":"signed file"`, "CN-330100/4", "older than version 5", "in use here before")
}

func TestRefusedFileIsTriedAgain(t *testing.T) {
	s := newSite(t)
	s.picture("a.png")
	// The same bytes of the same moment: nothing of the file itself will change.
	move := func(from, to string) {
		if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	s.trust(2)
	move("trust/trust.note", "later.note")
	if err := syscall.Mkfifo(filepath.Join(s.dir, "trust/trust.note"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.start(s.config())
	r.wait(`"msg":"signed file"`, "trust.note is no file")
	move("later.note", "trust/trust.note")
	r.wait(`"msg":"trust list in use"`, `"version":2`)
}

func TestListThatCouldNotBeRememberedIsTriedAgain(t *testing.T) {
	s := newSite(t)
	var said bytes.Buffer
	signed, book := s.signed(&said)
	if err := book.RaiseFloor(t.Context(), "trust", 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	signed.look(ctx)
	if signed.trust.Current() != nil || said.Len() > 0 {
		t.Errorf("a gate that was told to stop says %s", &said)
	}
	signed.look(t.Context())
	if signed.trust.Current() == nil || signed.rules.Load() == nil {
		t.Errorf("nothing is in use: %s", &said)
	}
}

func TestPolicyOfAnotherPlaceOrTimeIsRefused(t *testing.T) {
	now := time.Now()
	good := policy.Rules{Kind: "policy", Site: "CN-330100", Version: 5, Issued: now,
		Accept: []gatehouse.Issuer{"CN-330100"}, FreshMinutes: 60, TestHours: 72, StaleHours: 24, Temperature: policy.Temperature{Off: true}}
	for _, c := range []struct {
		name   string
		change func(*policy.Rules)
		want   string // of the log; empty when it is taken
	}{
		{"the next one", func(r *policy.Rules) { r.Version = 6 }, ""},
		{"of the province", func(r *policy.Rules) { r.Site, r.Version = "CN-330000", 6 }, "another region's"},
		{"of another country", func(r *policy.Rules) { r.Site, r.Version = "DE", 6 }, "not for this gate"},
		{"older", func(r *policy.Rules) { r.Version = 4 }, "is older than CN-330100/5"},
		{"other words under the same version", func(r *policy.Rules) { r.FreshMinutes = 1440 }, "says something else"},
		{"of next week", func(r *policy.Rules) { r.Version, r.Issued = 6, now.AddDate(0, 0, 7) }, "yet to come"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			var said bytes.Buffer
			signed, _ := s.signed(&said)
			s.rules(good)
			signed.look(t.Context())
			next := good
			c.change(&next)
			s.rules(next)
			signed.look(t.Context())
			want := good.Name()
			if c.want == "" {
				want = next.Name()
			}
			if got := signed.policy(); got.Name() != want || got.FreshMinutes != 60 {
				t.Errorf("in use: %s with %d min, want %s with 60", got.Name(), got.FreshMinutes, want)
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

func TestGateWithoutSignedFilesRefersEverybody(t *testing.T) {
	s := newSite(t)
	s.picture("a.png")
	for _, f := range []string{"trust/trust.note", "trust/policy.note"} {
		if err := os.Remove(filepath.Join(s.dir, f)); err != nil {
			t.Fatal(err)
		}
	}
	r := s.start(s.config())
	line := r.wait(`"msg":"passage"`)
	if !strings.Contains(line, `"call":"refer"`) || !strings.Contains(line, `"reason":"D54"`) {
		t.Errorf("passage %s, want refer D54", line)
	}
	r.event("D54")
}

func TestGateEndsWithItsFolderOfFramesAndKeepsTheBook(t *testing.T) {
	s := newSite(t)
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
