package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
