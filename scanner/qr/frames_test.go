package qr_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// frames finds the photographs: $GATEHOUSE_FRAMES, or shared/frames beside the repository.
func frames(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_FRAMES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "frames")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the photographs are missing: set GATEHOUSE_FRAMES: %v", err)
		}
		t.Skipf("left out: no photographs: set GATEHOUSE_FRAMES: %v", err)
	}
	return dir
}

func images(t *testing.T, pattern string) (found []string) {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if ext := filepath.Ext(path); ext != ".txt" && ext != ".tsv" {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no image is %s", pattern)
	}
	return found
}

// gozxing itself reads 157 of the 179 photographs with one try, and 162 with all tries.
func TestReaderReadsWhatItsDecoderCan(t *testing.T) {
	dir := frames(t)
	for _, c := range []struct {
		set             string
		quick, thorough int
	}{
		{set: "zxing/*/*", quick: 157, thorough: 162},
		{set: "zxing-cpp/*/*", quick: 45, thorough: 49},
	} {
		for _, thorough := range []bool{false, true} {
			read, all := 0, images(t, filepath.Join(dir, c.set))
			for _, path := range all {
				frame, err := camera.ReadFile(path)
				if err != nil {
					t.Error(err)
					continue
				}
				want, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".txt")
				if err != nil {
					t.Fatal(err)
				}
				r := qr.Reader{Thorough: thorough}
				got := r.Read(frame)
				if slices.Contains(got, string(want)) {
					read++
				} else if len(got) > 0 {
					t.Errorf("%s: read %q, want %q", path, got, want)
				}
				if r.Panics > 0 {
					t.Errorf("%s: %d panics", path, r.Panics)
				}
			}
			want := c.quick
			if thorough {
				want = c.thorough
			}
			t.Logf("%s, thorough %v: %d of %d", c.set, thorough, read, len(all))
			if read < want {
				t.Errorf("%s, thorough %v: read %d of %d, want at least %d", c.set, thorough, read, len(all), want)
			}
		}
	}
}

func TestNothingIsReadWhereNoCodeIs(t *testing.T) {
	for _, path := range images(t, filepath.Join(frames(t), "negatives", "*", "*")) {
		frame, err := camera.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		var lane qr.Reader
		for range 3 { // as many as it has tries in turn
			if got := lane.Read(frame); got != nil {
				t.Errorf("%s: read %q", path, got)
			}
		}
		if got := (&qr.Reader{Thorough: true}).Read(frame); got != nil {
			t.Errorf("%s: read %q with all tries", path, got)
		}
	}
}

// The texts in decoded.tsv are gozxing's own, of certificates that about 40 countries gave.
func TestEveryCountrysCertificateIsRead(t *testing.T) {
	dir := filepath.Join(frames(t), "eu-dcc-qa")
	list, err := os.ReadFile(filepath.Join(dir, "decoded.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for line := range strings.Lines(string(list)) {
		path, want, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok {
			t.Fatalf("no text in %q", line)
		}
		frame, err := camera.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Error(err)
			continue
		}
		r := qr.Reader{Thorough: true}
		if got := r.Read(frame); !slices.Contains(got, want) {
			t.Errorf("%s: read %q", path, got)
			continue
		}
		read++
	}
	if read == 0 {
		t.Error("nothing was read")
	}
	t.Logf("read %d", read)
}
