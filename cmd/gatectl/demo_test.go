package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gatehouse/store"
)

// programs builds all three as they are shipped, into one folder.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/", "gatehouse/cmd/gated", "gatehouse/cmd/regiond", "gatehouse/cmd/gatectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func TestDemoLosesNothingWhenTheLinkIsCut(t *testing.T) {
	bin, keep := programs(t), filepath.Join(t.TempDir(), "demo")
	var out, errs bytes.Buffer
	demo := exec.CommandContext(t.Context(), filepath.Join(bin, "gatectl"), "demo", "--for", "30s", "--seed", "7", "--json", "--keep", keep)
	demo.Stdout, demo.Stderr = &out, &errs
	if err := demo.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &errs)
	}
	var passages []passageLine
	var sum struct{ Summary *summary }
	longest := uint64(0)
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var p passageLine
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if p.Seq == 0 {
			if err := json.Unmarshal([]byte(line), &sum); err != nil {
				t.Fatal(err)
			}
			continue
		}
		passages, longest = append(passages, p), max(longest, p.Queue)
	}
	s := sum.Summary
	if s == nil {
		t.Fatalf("no summary in:\n%s", &out)
	}
	if s.Lost != 0 || s.Acknowledged != s.Recorded || s.Recorded < uint64(len(passages)) {
		t.Errorf("%+v with %d passages printed", s, len(passages))
	}
	if len(passages) < 5 || s.ByCall["admit"] == 0 || s.ByCall["deny"]+s.ByCall["refer"] == 0 {
		t.Errorf("%d passages, %v: too few to show a gate at work", len(passages), s.ByCall)
	}
	if longest < 2 {
		t.Errorf("the longest queue was %d: the link was not missed", longest)
	}
	book, err := store.OpenReader(t.Context(), filepath.Join(keep, "gate", "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for _, p := range passages {
		row, err := book.Passage(t.Context(), p.Seq)
		if err != nil || row.Verdict.Call.String() != p.Call || row.Verdict.Reason != p.Reason {
			t.Errorf("passage %d was printed as %s %s, the book has %+v, %v", p.Seq, p.Call, p.Reason, row.Verdict, err)
		}
	}
	kinds := 0
	for _, o := range s.ByKind {
		if kinds += o.Count; o.Who == "" {
			t.Errorf("nobody knows who came: %+v", o)
		}
	}
	if kinds != int(s.Recorded) {
		t.Errorf("%d passages have a kind of person, of %d", kinds, s.Recorded)
	}
	t.Logf("%+v", *s)

	// Nothing but the region's server brought the gate what was signed while it ran.
	if s.ByPolicy["CN-330100/1"] == 0 || s.ByPolicy["CN-330100/2"] == 0 {
		t.Errorf("judged by %v, want both versions", s.ByPolicy)
	}
	set := labGate(t, keep).Current()
	kid := mustKeyID(t, filepath.Join(keep, "issuer-CN-510100.key"))
	if keys := set.Keys(kid); len(keys) != 1 || !keys[0].Withdrawn {
		t.Errorf("the key that was withdrawn while the link was cut: %+v", keys)
	}
}

// startDemo runs a demo in its own group of processes and with its own temporary folder.
func startDemo(t *testing.T, bin string, args ...string) (demo *exec.Cmd, lines *bufio.Scanner, leave func() error) {
	t.Helper()
	temp := t.TempDir()
	demo = exec.CommandContext(t.Context(), filepath.Join(bin, "gatectl"), append([]string{"demo", "--json"}, args...)...)
	demo.Env = append(os.Environ(), "TMPDIR="+temp)
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := filepath.Glob(filepath.Join(temp, "*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		if left := running(t, temp); len(left) > 0 {
			t.Errorf("still running: %q", left)
		}
	})
	return demo, bufio.NewScanner(out), out.Close
}

// running lists the processes whose command line names dir.
func running(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err == nil && bytes.Contains(b, []byte(dir)) { // others end while we look
			all = append(all, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return all
}

// On a terminal ctrl-C is sent to the whole group of processes. Here it comes while the link
// is cut: the book has still to reach the region.
func TestDemoStoppedAtTheKeyboardLosesNothing(t *testing.T) {
	demo, lines, _ := startDemo(t, programs(t), "--for", "24s")
	sum, pressed := (*summary)(nil), false
	for lines.Scan() {
		var l struct {
			passageLine
			Summary *summary
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if l.Queue >= 2 && !pressed {
			pressed = true
			if err := syscall.Kill(-demo.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		sum = l.Summary
	}
	if err := demo.Wait(); err != nil {
		t.Error(err)
	}
	switch {
	case !pressed:
		t.Error("the link was never missed: the key was not pressed")
	case sum == nil:
		t.Error("no summary")
	case sum.Lost != 0 || sum.Recorded < 2:
		t.Errorf("%+v", *sum)
	}
}

func TestDemoLeavesNothingBehind(t *testing.T) {
	bin := programs(t)
	for _, tt := range []struct {
		name string
		end  func(demo *exec.Cmd, leave func() error) error
	}{
		{"told to end", func(demo *exec.Cmd, _ func() error) error { return demo.Process.Signal(syscall.SIGTERM) }},
		{"terminal closed", func(demo *exec.Cmd, _ func() error) error { return demo.Process.Signal(syscall.SIGHUP) }},
		{"reader gone", func(_ *exec.Cmd, leave func() error) error { return leave() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			demo, lines, leave := startDemo(t, bin)
			if !lines.Scan() {
				t.Fatal("no passage")
			}
			if err := tt.end(demo, leave); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() {
				// Until it has said its last.
			}
			demo.Wait() // how it ends is not the point here
			if code := demo.ProcessState.ExitCode(); code < 0 {
				t.Errorf("ended by a signal: %v", demo.ProcessState)
			}
		})
	}
}
