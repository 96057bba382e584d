package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestRepositoryIsServedAndNothingOutsideOfIt(t *testing.T) {
	dir := t.TempDir()
	nation, secret := filepath.Join(dir, "nation"), filepath.Join(dir, "secret")
	if err := os.Mkdir(nation, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(nation, "timestamp.json"), secret} {
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, filepath.Join(nation, "1.root.json")); err != nil {
		t.Fatal(err)
	}
	signed, end, err := openRepository(nation)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(signed, "timestamp.json"); err != nil || string(b) != "{}" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := fs.ReadFile(signed, "1.root.json"); err == nil {
		t.Errorf("a link leads to %q", b)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, _, err := openRepository(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there is served")
	}
	if signed, end, err := openRepository(""); signed != nil || err != nil || end() != nil {
		t.Errorf("without a repository: %v, %v", signed, err)
	}
}
