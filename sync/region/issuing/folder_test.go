package issuing

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

// drop writes to the end of a file in the folder.
func drop(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFolderBringsEventsAndQuarantinesTheRest(t *testing.T) {
	w := newWorld(t)
	for n := range 4 {
		w.declared(n)
	}
	dir := t.TempDir()
	line := func(n int) string {
		b, err := json.Marshal(w.report(somebody(n), fmt.Sprint("c", n)))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	noEvidence := w.report(somebody(3), "c3")
	noEvidence.Case = ""
	bare, err := json.Marshal(noEvidence)
	if err != nil {
		t.Fatal(err)
	}
	json := filepath.Join(dir, "a.jsonl")
	drop(t, json, line(0)+"\n\n{\"person\":1}\n"+string(bare)+"\nnot json "+somebody(3).Number+"\n"+strings.Repeat("x", 3*maxLine)+"\n"+line(1)) // no break yet
	drop(t, filepath.Join(dir, "b.csv"), "id_kind,id_number,ref,indicator,kind,at,case,status\n"+
		fmt.Sprintf("resident,%s,c2,contact,close,%s,HZ-2026-0042,confirmed\n", somebody(2).Number, w.clock().Format("2006-01-02T15:04:05Z07:00"))+
		"resident,short\nresident,1,x,contact,close,yesterday,HZ-2026-0042,confirmed\n")
	drop(t, filepath.Join(dir, "notes.txt"), "not ours\n")
	if err := os.Mkdir(filepath.Join(dir, "c.csv"), 0o700); err != nil {
		t.Fatal(err)
	}

	f := &Folder{Path: dir, Source: "cdc"}
	pull := func(want int) {
		t.Helper()
		if n, err := w.desk.Pull(t.Context(), f); err != nil || n != want {
			t.Errorf("took %d, %v; want %d", n, err, want)
		}
	}
	pull(2)
	w.want(somebody(0), gatehouse.Red)
	w.want(somebody(1), gatehouse.Green) // its line is not there yet
	w.want(somebody(2), gatehouse.Red)
	w.want(somebody(3), gatehouse.Green)
	drop(t, json, "\n")
	pull(1)
	w.want(somebody(1), gatehouse.Red)
	pull(0)

	f = &Folder{Path: dir, Source: "cdc"} // after a start all is read again
	pull(3)
	if r, _, err := w.people.Record(t.Context(), w.desk.personID(somebody(0))); err != nil || len(r.Events) != 1 {
		t.Errorf("%d events, %v", len(r.Events), err)
	}

	bad, err := w.people.Quarantined(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range bad {
		got = append(got, fmt.Sprintf("%s:%d", b.File, b.Line))
		if strings.Contains(b.Why, somebody(3).Number) {
			t.Errorf("the quarantine quotes a person: %s", b.Why)
		}
	}
	if s := strings.Join(got, " "); s != "a.jsonl:3 a.jsonl:4 a.jsonl:5 a.jsonl:6 b.csv:3 b.csv:4" {
		t.Errorf("quarantined: %s", s)
	}
}

func TestLineWithoutEndDoesNotHoldUpTheFile(t *testing.T) {
	w := newWorld(t)
	w.declared(0)
	dir := t.TempDir()
	b, err := json.Marshal(w.report(somebody(0), "c"))
	if err != nil {
		t.Fatal(err)
	}
	drop(t, filepath.Join(dir, "a.jsonl"), strings.Repeat("x", maxPoll+10)+"\n"+string(b)+"\n")
	f := &Folder{Path: dir, Source: "cdc"}
	taken := 0
	for range 3 {
		n, err := w.desk.Pull(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		taken += n
	}
	if taken != 1 {
		t.Errorf("took %d, want the line after it", taken)
	}
	if bad, err := w.people.Quarantined(t.Context(), 10); err != nil || len(bad) != 2 {
		t.Errorf("quarantined %v, %v", bad, err)
	}
}

func TestClosedDeskLeavesTheFolderAsItIs(t *testing.T) {
	w := newWorld(t)
	w.declared(0)
	dir := t.TempDir()
	b, err := json.Marshal(w.report(somebody(0), "c"))
	if err != nil {
		t.Fatal(err)
	}
	drop(t, filepath.Join(dir, "a.jsonl"), string(b)+"\n")
	f := &Folder{Path: dir, Source: "cdc"}
	w.adopt(strings.NewReplacer("version = 1 ", "version = 2 ", "dormant = false", "dormant = true").Replace(string(Example)))
	_, err = w.desk.Pull(t.Context(), f)
	wantNo(t, err, Closed)
	w.adopt(strings.Replace(string(Example), "version = 1 ", "version = 3 ", 1))
	if n, err := w.desk.Pull(t.Context(), f); n != 1 || err != nil {
		t.Errorf("took %d, %v", n, err)
	}
}

func FuzzReports(f *testing.F) {
	f.Add([]byte(`{"identity":{"kind":"resident","number":"1"},"ref":"a","indicator":"contact"}`))
	f.Add([]byte("id_kind,id_number,ref,at\nresident,1,a,2026-05-01T00:00:00Z\n"))
	f.Add([]byte("\"\n\r\n,,\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		folder := &Folder{Source: "x"}
		var m mark
		for line := range strings.Lines(string(text)) {
			for _, kind := range []string{".jsonl", ".csv"} {
				if q, _, err := folder.line(kind, []byte(line), &m); err == nil {
					_, _ = q.event(q.At) // must not panic
				}
			}
		}
	})
}
