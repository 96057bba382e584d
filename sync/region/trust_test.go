package region

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSignedFilesAreServedAndNothingElse(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	folder := t.TempDir()
	for path, text := range map[string]string{
		outside:                               "no",
		folder + "/timestamp.json":            `{"v":1}`,
		folder + "/targets/region/DE/ab.keys": "keys",
		folder + "/drafts/DE.json":            "half signed",
		folder + "/.hidden":                   "no",
		folder + "/large":                     strings.Repeat("x", tagWhole+1),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, folder+"/link"); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	served := (&Server{Trust: root.FS()}).Handler()
	ask := func(h http.Handler, path, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/v1/trust/"+path, nil)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for path, want := range map[string]int{
		"timestamp.json":            200,
		"targets/region/DE/ab.keys": 200,
		"large":                     200,
		"targets/region/DE":         404,
		"drafts/DE.json":            404,
		".hidden":                   404,
		"link":                      404,
		"nothing":                   404,
		"..%2fsecret":               404,
		"targets/%2e%2e/.hidden":    404,
		"%5cetc":                    404,
	} {
		if got := ask(served, path, ""); got.Code != want {
			t.Errorf("%s: %d %s, want %d", path, got.Code, got.Body, want)
		}
		if got := ask((&Server{}).Handler(), path, ""); got.Code != 404 {
			t.Errorf("%s, of a region without a repository: %d, want 404", path, got.Code)
		}
	}
	tag := ask(served, "timestamp.json", "").Header().Get("ETag")
	if got := ask(served, "timestamp.json", tag); got.Code != 304 {
		t.Errorf("unchanged: %d, want 304", got.Code)
	}
	if err := os.WriteFile(folder+"/timestamp.json", []byte(`{"v":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(served, "timestamp.json", tag); got.Code != 200 || got.Body.String() != `{"v":2}` {
		t.Errorf("changed: %d %s", got.Code, got.Body)
	}
}
