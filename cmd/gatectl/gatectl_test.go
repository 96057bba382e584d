package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/cmd/daemon"
)

// ctl runs gatectl in this process.
func ctl(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	c := command()
	c.SetIn(strings.NewReader(stdin))
	code = daemon.Execute(c, args, &o, &e)
	return code, o.String(), e.String()
}

// laboratory makes a region with gatectl init.
func laboratory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lab")
	if code, out, errs := ctl(t, "", "init", dir, "--region", "CN-330100", "--issuer", "CN-440100"); code != 0 {
		t.Fatalf("init: %d\n%s%s", code, out, errs)
	}
	return dir
}

func issue(t *testing.T, lab string, more ...string) string {
	t.Helper()
	args := append([]string{"issue", "--key", filepath.Join(lab, "issuer-CN-330100.key"), "--issuer", "CN-330100"}, more...)
	code, out, errs := ctl(t, "", args...)
	if code != 0 {
		t.Fatalf("issue: %d %s", code, errs)
	}
	return strings.TrimSpace(out)
}

func TestPassSaysOneObjectALine(t *testing.T) {
	lab := laboratory(t)
	good, altered := issue(t, lab), alter(issue(t, lab))
	long := strings.Repeat("A", 100_000)
	code, out, _ := ctl(t, good+"\r\n\n"+altered+"\nhttps://example.com\n"+long+"\n"+good, "pass", "--trust", filepath.Join(lab, "trust"))
	if code != daemon.Fault {
		t.Errorf("exit code %d with a bad code among them, want %d", code, daemon.Fault)
	}
	var lines []passLine
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var l passLine
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		lines = append(lines, l)
	}
	if len(lines) != 5 {
		t.Fatalf("%d lines, want 5:\n%s", len(lines), out)
	}
	for i, want := range []struct {
		ok             bool
		reason, format string
	}{
		{true, "", "RHC1"}, {false, "S20", "RHC1"}, {false, "Q10", ""}, {false, "Q10", ""}, {true, "", "RHC1"},
	} {
		if l := lines[i]; l.OK != want.ok || string(l.Reason) != want.reason || l.Format != want.format {
			t.Errorf("line %d: %+v, want %+v", i+1, l, want)
		}
	}
	for _, key := range []string{`"format"`, `"ok"`, `"reason"`, `"detail"`, `"issuer"`, `"kid"`, `"issued"`, `"expires"`, `"facts":[]`} {
		if got := strings.Count(out, key); got != 5 {
			t.Errorf("%s stands in %d of 5 lines", key, got)
		}
	}
	if code, _, _ := ctl(t, good, "pass", "--trust", filepath.Join(lab, "trust"), "-"); code != daemon.OK {
		t.Errorf("exit code %d for a good code alone", code)
	}
}

func TestMistakesOfTheCallerAreExitCodeTwo(t *testing.T) {
	lab := laboratory(t)
	trust := filepath.Join(lab, "trust")
	for _, args := range [][]string{
		{"pass", "--at", "yesterday"},
		{"pass", "--signer", "no-such-file.pem"},
		{"pass", "--trust", filepath.Join(lab, "gate")},
		{"pass", "--trust", trust, "--root", "CN-330100+00000000+AAAA"},
		{"pass", filepath.Join(lab, "no-such-file.txt")},
		{"pass", "a", "b"},
		{"qr"},
		{"scan", "--temp", "NaN", "x.png"},
		{"scan", "--trust", trust, "--policy", filepath.Join(lab, "gate", "gate.toml"), "x.png"},
		{"issue"},
		{"issue", "--key", filepath.Join(lab, "gate", "gate.toml")},
		{"issue", "--key", filepath.Join(lab, "issuer-CN-330100.key"), "--colour", "blue"},
		{"issue", "--key", filepath.Join(lab, "issuer-CN-330100.key"), "--for", "25h"},
		{"issue", "--key", filepath.Join(lab, "issuer-CN-330100.key"), "--issuer", "Hangzhou"},
		{"bench", "--rounds", "0"},
		{"init", lab},
		{"init", filepath.Join(lab, "new"), "--gate", "A B"},
		{"keys", filepath.Join(lab, "k"), "--type", "rsa"},
		{"keys", filepath.Join(lab, "k"), "--usage", "certify"},
		{"keys", filepath.Join(lab, "k"), "--issuer", "Hangzhou"},
		{"pin"},
		{"demo", "--for", "1s"},
		{"fly"},
	} {
		if code, _, errs := ctl(t, "", args...); code != daemon.Usage || errs == "" {
			t.Errorf("gatectl %s: exit code %d, %q; want %d and a reason", strings.Join(args, " "), code, errs, daemon.Usage)
		}
	}
}

func TestScanDoesTheLanesWholeWork(t *testing.T) {
	lab := laboratory(t)
	trust := filepath.Join(lab, "trust")
	picture := func(name string, more ...string) string {
		path := filepath.Join(lab, name)
		issue(t, lab, append(more, "--png", path)...)
		return path
	}
	green, red := picture("green.png"), picture("red.png", "--colour", "red")
	old := picture("old.png", "--at", "2026-01-01T00:00:00Z")
	for _, c := range []struct {
		name    string
		args    []string
		verdict string
		reason  string
	}{
		{"green, 36.6", []string{"--trust", trust, "--temp", "36.6", green}, "admit", ""},
		{"green, 38.9", []string{"--trust", trust, "--temp", "38.9", green}, "refer", "T40"},
		{"green, 33.2 is nobody's temperature", []string{"--trust", trust, "--temp", "33.2", green}, "refer", "T41"},
		{"green, not measured", []string{"--trust", trust, green}, "refer", "T41"},
		{"red", []string{"--trust", trust, "--temp", "36.6", red}, "deny", "V33"},
		{"last winter's", []string{"--trust", trust, "--temp", "36.6", old}, "deny", "V30"},
		{"last winter's, last winter", []string{"--trust", trust, "--temp", "36.6", "--at", "2026-01-01T00:10:00Z", old}, "deny", "S22"},
		{"nobody to trust", []string{"--temp", "36.6", green}, "refer", "D54"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := ctl(t, "", append([]string{"scan"}, c.args...)...)
			var l scanLine
			if err := json.Unmarshal([]byte(out), &l); err != nil || code != 0 {
				t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
			}
			if l.Verdict != c.verdict || string(l.Reason) != c.reason {
				t.Errorf("verdict %s %s (%s), want %s %s", l.Verdict, l.Reason, l.Detail, c.verdict, c.reason)
			}
			if len(l.Texts) != 1 || l.Words == "" {
				t.Errorf("line %+v lacks texts or words", l)
			}
		})
	}
}

func TestExplainNamesEachStepAndNobody(t *testing.T) {
	lab := laboratory(t)
	path := filepath.Join(lab, "green.png")
	text := issue(t, lab, "--holder", "张三丰", "--png", path)
	code, out, errs := ctl(t, "", "scan", "--trust", filepath.Join(lab, "trust"), "--temp", "36.6", "--explain", path)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	for _, step := range []string{"image ", "text ", "RHC1", "ES256", "key ", "CN-330100", "signature  holds", "times ", "colour     green", "skin       36.6", "policy     CN-330100/1", "verdict    admit"} {
		if !strings.Contains(out, step) {
			t.Errorf("no %q in:\n%s", step, out)
		}
	}
	for _, secret := range []string{"张三丰", text} {
		if strings.Contains(out, secret) {
			t.Errorf("the explanation says %q:\n%s", secret, out)
		}
	}
}

func TestImageThatCannotBeReadIsNamedAndTheNextOneIsRead(t *testing.T) {
	lab := laboratory(t)
	good := filepath.Join(lab, "good.png")
	text := issue(t, lab, "--png", good)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		path := filepath.Join(lab, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	files := []string{
		write("cut.png", whole[:len(whole)/2]), write("empty.png", nil), write("text.png", []byte("not an image")),
		write("huge.png", hugePNG(10_000, 10_000)), filepath.Join(lab, "none.png"), lab, good,
	}
	code, out, _ := ctl(t, "", append([]string{"qr"}, files...)...)
	if code != daemon.Fault {
		t.Errorf("exit code %d, want %d", code, daemon.Fault)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d files:\n%s", len(lines), len(files), out)
	}
	for i, line := range lines {
		var l qrLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		isGood := i == len(files)-1
		if (l.Error == "") != isGood || isGood && (len(l.Texts) != 1 || l.Texts[0] != text) || l.Texts == nil {
			t.Errorf("%s: %+v", files[i], l)
		}
	}
}

// hugePNG is the head of an image that would take a hundred megabytes: a real header, and
// nothing behind it.
func hugePNG(width, height uint32) []byte {
	head := make([]byte, 0, 17)
	head = append(head, "IHDR"...)
	head = binary.BigEndian.AppendUint32(head, width)
	head = binary.BigEndian.AppendUint32(head, height)
	head = append(head, 8, 6, 0, 0, 0) // eight bits, with colour and alpha
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestGateWithoutAThermometerGetsAPolicyWithoutOne(t *testing.T) {
	lab := filepath.Join(t.TempDir(), "lab")
	if code, _, errs := ctl(t, "", "init", lab, "--no-thermometer"); code != 0 {
		t.Fatalf("init: %d %s", code, errs)
	}
	picture := filepath.Join(lab, "green.png")
	issue(t, lab, "--png", picture)
	_, out, _ := ctl(t, "", "scan", "--trust", filepath.Join(lab, "trust"), picture)
	if !strings.Contains(out, `"verdict":"admit"`) {
		t.Errorf("nobody measured, nobody asked to be: %s", out)
	}
}

func TestPINIsNeverWrittenAsItIs(t *testing.T) {
	code, out, _ := ctl(t, "246813\n", "pin")
	if code != 0 || !strings.HasPrefix(out, `pin = "`) || strings.Contains(out, "246813") {
		t.Errorf("exit code %d, %q", code, out)
	}
}
