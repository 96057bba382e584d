package uplink

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRepositoryFetchesWhatChangedAndNothingBeyondALimit(t *testing.T) {
	stamp, sent := `{"v":1}`, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/trust/timestamp.json":
			tag := `"` + stamp + `"`
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			sent++
			io.WriteString(w, stamp)
		case "/v1/trust/endless":
			for i := 0; i < 1000; i++ {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<10)); err != nil {
					return
				}
			}
		case "/v1/trust/elsewhere":
			http.Redirect(w, r, "/v1/trust/timestamp.json", http.StatusFound)
		case "/v1/trust/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = stay
	defer client.CloseIdleConnections()
	told := 0
	repository := &Repository{URL: server.URL + "/", Client: client, Told: func(at time.Time) {
		if !at.IsZero() {
			told++
		}
	}}
	read := func(path string, limit int64) (string, error) {
		f, err := repository.Open(path, limit)
		if err != nil {
			return "", err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		return string(b), err
	}
	for _, want := range []string{`{"v":1}`, `{"v":1}`, `{"v":2}`} {
		stamp = want
		if got, err := read("timestamp.json", 100); err != nil || got != want {
			t.Fatalf("timestamp %q (%v), want %q", got, err, want)
		}
	}
	if told != 3 {
		t.Errorf("the server's time was told %d times of 3", told)
	}
	if sent != 2 {
		t.Errorf("the timestamp travelled %d times, want 2", sent)
	}
	if _, err := read("nothing", 100); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := read("timestamp.json", 3); err == nil {
		t.Error("a file longer than its limit was read")
	}
	for _, path := range []string{"endless", "elsewhere", "broken"} {
		if got, err := read(path, 10_000); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
}
