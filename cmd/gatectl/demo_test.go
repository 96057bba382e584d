package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	t.Logf("%+v", *s)
}
