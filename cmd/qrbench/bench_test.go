package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gatehouse/cmd/daemon"
	"gatehouse/scanner/qr"
)

// pgm draws a code, or even grey.
func pgm(t *testing.T, text string) []byte {
	t.Helper()
	if text == "" {
		return append([]byte("P5\n90 90\n255\n"), bytes.Repeat([]byte{90}, 90*90)...)
	}
	m, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	img := m.Image(4)
	return append(fmt.Appendf(nil, "P5\n%d %d\n255\n", img.Rect.Dx(), img.Rect.Dy()), img.Pix...)
}

func write(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunMeasuresWhatItFindsAndSaysWhatIsMissing(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	write(t, dir, map[string][]byte{
		"photos/zxing/1/a.pgm": pgm(t, "one"), "photos/zxing/1/a.txt": []byte("one\n"),
		"photos/zxing/2/b.pgm": pgm(t, "two"), "photos/zxing/2/b.txt": []byte("another"),
		"photos/zxing/2/c.pgm":     pgm(t, "three"),
		"photos/negatives/1/d.pgm": pgm(t, ""), "photos/negatives/1/e.pgm": pgm(t, "a code after all"),
		"photos/eu-dcc-qa/DE/1.pgm": pgm(t, "HC1:DE"), "photos/eu-dcc-qa/decoded.tsv": []byte("DE/1.pgm\tHC1:DE\n"),
		"drawn/synth-easy/000.pgm": pgm(t, "HC1:E"), "drawn/synth-easy/000.txt": []byte("HC1:E"),
		"drawn/synth-none/000.pgm": pgm(t, ""), "drawn/synth-none/000.txt": nil,
	})
	var stdout, stderr bytes.Buffer
	code := daemon.Execute(command(), []string{"--frames", filepath.Join(dir, "photos"), "--synth", filepath.Join(dir, "drawn"),
		"--sequences", "0", "--readers", "gozxing", "--rounds", "2",
		"--markdown", filepath.Join(out, "docs", "t.md"), "--list", filepath.Join(out, "list.tsv")}, &stdout, &stderr)
	if code != daemon.OK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	for _, want := range []string{
		`synth-easy: 1 frames, 1 with a known text\n.*\n  gozxing +1 +0 `,
		`synth-none: 1 frames, 0 with a known text\n.*\n  gozxing +- +0 `,
		`zxing: 3 frames, 2 with a known text\n.*\n  gozxing +1 +1 `,
		`negatives: 2 frames, 0 with a known text\n.*\n  gozxing +- +1 `,
		`eu-dcc-qa: 1 frames, 1 with a known text\n.*\n  gozxing +1 +0 `,
		`left out: photographs jsqr`,
		`gatehouse unknown, \d{4}-\d\d-\d\d, go1`,
		`wall clock, 2 rounds`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout.String()) {
			t.Errorf("no %s in\n%s", want, stdout.String())
		}
	}
	marked, err := os.ReadFile(filepath.Join(out, "docs", "t.md"))
	if err != nil || !strings.Contains(string(marked), "| gozxing | 1 | 1 |") || !strings.Contains(string(marked), "Left out: photographs jsqr") {
		t.Errorf("%v, %s", err, marked)
	}
	list, err := os.ReadFile(filepath.Join(out, "list.tsv"))
	if err != nil || strings.Count(string(list), "\n") != 17 { // a head, and eight frames once for each of two readers
		t.Errorf("%v, %s", err, list)
	}
	for _, want := range []string{"zxing\t1/a.pgm\tgozxing\tread\t", "zxing\t2/b.pgm\tgozxing\tfalse\t", "zxing\t2/c.pgm\tgozxing\tunknown text\t", "negatives\t1/d.pgm\tgozxing\tnone\t"} {
		if !strings.Contains(string(list), want) {
			t.Errorf("no %q in %s", want, list)
		}
	}
	if strings.Contains(string(list), "HC1:") {
		t.Error("the list holds a text")
	}
}

func TestMeasuringNothingIsAnError(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--frames", "", "--sequences", "0"}, daemon.Fault},
		{[]string{"--frames", "", "--sequences", "0", "--synth", filepath.Join(t.TempDir(), "absent")}, daemon.Fault},
		{[]string{"--readers", "quirc"}, daemon.Usage},
		{[]string{"--rounds", "0"}, daemon.Usage},
		{[]string{"--clock", "sundial"}, daemon.Usage},
		{[]string{"draw", "--level", "absurd", "--out", t.TempDir()}, daemon.Usage},
	} {
		if got := daemon.Execute(command(), c.args, io.Discard, io.Discard); got != c.want {
			t.Errorf("%q: exit code %d, want %d", c.args, got, c.want)
		}
	}
}

func TestPeerThatCannotBeBuiltIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	args := []string{"--frames", "", "--sequences", "1", "--only", "sequence-easy", "--build", t.TempDir()}
	var stdout, stderr bytes.Buffer
	if code := daemon.Execute(command(), append(args, "--peers"), &stdout, &stderr); code != daemon.OK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	for _, name := range []string{"zxing-cpp", "zxing-wasm", "zbar"} {
		if !strings.Contains(stdout.String(), "left out: peer "+name+": ") {
			t.Errorf("%s is not said to be missing:\n%s", name, stdout.String())
		}
	}
	stderr.Reset()
	if code := daemon.Execute(command(), append(args, "--require-peers"), io.Discard, &stderr); code != daemon.Fault || !strings.Contains(stderr.String(), "apt-get install libzxing-dev g++") {
		t.Errorf("required: exit code %d: %s", code, stderr.String())
	}
}

func TestEveryPeerThatIsThereReadsACode(t *testing.T) {
	ready, missing, stop := startPeers(t.Context(), wall, t.TempDir(), nil)
	defer stop()
	for _, m := range missing {
		t.Logf("left out: %s", m)
	}
	if len(ready) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no peer can be built here")
		}
		t.Skip("left out: no peer can be built here")
	}
	m, err := qr.Encode("HC1:PEER", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	img := m.Image(4)
	for _, c := range ready {
		e := c.newEye()
		for _, f := range []struct {
			luma qr.Luma
			want string
		}{
			{qr.Luma{Pix: img.Pix, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Stride: img.Stride}, "[HC1:PEER]"},
			{qr.Luma{Pix: make([]byte, 100), Width: 10, Height: 9, Stride: 11}, "[]"},
			{qr.Luma{Pix: make([]byte, 1), Width: 1, Height: 1, Stride: 1}, "[]"},
		} {
			r, err := e.read(f.luma)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if got := fmt.Sprint(r.texts); got != f.want || r.took <= 0 {
				t.Errorf("%s: got %s in %v, want %s", c.name, got, r.took, f.want)
			}
		}
	}
}
