package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/policy"
	"gatehouse/store"
)

// filledBook writes the passages of a day: judged by the policy of everydayText, and a
// guard's decision.
func filledBook(t *testing.T, path string, skins []gatehouse.Temperature) {
	t.Helper()
	book, err := store.OpenLog(t.Context(), path, "gate-1")
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	p, err := policy.Read([]byte(everydayText(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	row := func(at time.Time, grade gatehouse.Grade, skin gatehouse.Temperature) gatehouse.Passage {
		pass := gatehouse.Pass{Format: "RHC1", Issuer: "CN-330100", Grade: grade, Issued: at.Add(-time.Minute), Expires: at.Add(time.Hour)}
		m := gatehouse.Measurement{Skin: skin, Ambient: 22_000, Quality: gatehouse.Steady, Readings: 3}
		r := gatehouse.Passage{At: at, Clock: true, TrustAge: time.Hour, Format: pass.Format, Issuer: pass.Issuer, Grade: grade, Skin: m}
		r.Verdict = p.Judge(gatehouse.Evidence{At: at, Clock: true, TrustAge: time.Hour, Pass: &pass, Skin: m})
		return r
	}
	put := func(p gatehouse.Passage) gatehouse.Passage {
		written, err := book.Record(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		return written
	}
	put(row(now.Add(-72*time.Hour), gatehouse.Green, 37_200)) // long ago
	for i, skin := range skins {
		put(row(now.Add(-time.Hour+time.Duration(i)*time.Second), gatehouse.Green, skin))
	}
	red := put(row(now.Add(-time.Minute), gatehouse.Red, 36_500))
	put(gatehouse.Passage{At: now, Clock: true, Amends: red.Seq, Guard: "li", Note: "seen",
		Verdict: gatehouse.Verdict{Call: gatehouse.Admit, Reason: gatehouse.ReasonGuard}})
}

func TestReplayTellsWhatWouldHaveBecomeOfWhom(t *testing.T) {
	dir := t.TempDir()
	book, next := filepath.Join(dir, "book.db"), filepath.Join(dir, "next.toml")
	filledBook(t, book, []gatehouse.Temperature{36_500, 37_100, 36_600, 37_200, 37_400})
	write(t, next, everydayText(t, 2, cooler...))
	var line replayLine
	code, out, errs := ctl(t, "", "replay", "--book", book, "--policy", next, "--json")
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, errs)
	}
	if line.Rows != 7 || line.Judged != 6 || line.NotJudged != 1 || line.Same != 4 || len(line.Changes) != 1 || line.Policy != "CN-330100/2" {
		t.Errorf("%+v", line)
	}
	if c := line.Changes[0]; c.From != "admit" || c.To != "refer" || c.ToReason != "T40" || c.Count != 2 || c.FromRule != "green" || len(c.Seqs) != 2 || c.Seqs[0] != 5 {
		t.Errorf("%+v", c)
	}
	_, out, _ = ctl(t, "", "replay", "--book", book, "--policy", next, "--since", "4d")
	if !strings.Contains(out, "3 pass would have become ask") || !strings.Contains(out, "ask T40") || !strings.Contains(out, "#1") {
		t.Errorf("of four days:\n%s", out)
	}
	// A rule that asks for what no row keeps is not made out to know it.
	lacking := filepath.Join(dir, "lacking.toml")
	write(t, lacking, everydayText(t, 2, "hours_since(pass.issued) > 12", "hours_since(pass.issued) > 11"))
	code, out, _ = ctl(t, "", "replay", "--book", book, "--policy", lacking, "--json")
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 || line.Inexact == 0 || len(line.Lacks) == 0 {
		t.Errorf("exit code %d, %v: %+v", code, err, line)
	}
	for _, bad := range [][]string{{}, {"--book", book}, {"--book", book, "--policy", next, "--since", "yesterday"}, {"--book", book, "--policy", book}} {
		if code, _, errs := ctl(t, "", append([]string{"replay"}, bad...)...); code != daemon.Usage || errs == "" {
			t.Errorf("replay %v: exit code %d, %s", bad, code, errs)
		}
	}
	if code, _, _ := ctl(t, "", "replay", "--book", filepath.Join(dir, "none.db"), "--policy", next); code != daemon.Fault {
		t.Errorf("exit code %d for a book that is not there", code)
	}
}

// gateOf is a gate's settings that name a port on which nobody listens.
func gateOf(t *testing.T, lab string) (config, address string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	free.Close()
	config = filepath.Join(lab, "gate", "quiet.toml")
	write(t, config, "name = \"gate-1\"\nbook = \""+filepath.Join(lab, "gate", "book.db")+"\"\n[trust]\nfolder = \""+filepath.Join(lab, "trust")+
		"\"\nroot = \""+filepath.Join(lab, "root.json")+"\"\nsite = \"CN-330100\"\n[console]\nlisten = \""+address+"\"\n")
	return config, address
}

func statusOf(t *testing.T, args ...string) statusLine {
	t.Helper()
	code, out, errs := ctl(t, "", append([]string{"status", "--json"}, args...)...)
	var line statusLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, errs)
	}
	return line
}

func TestStatusOfAGateThatDoesNotAnswerIsThatOfItsFiles(t *testing.T) {
	lab := laboratory(t)
	filledBook(t, filepath.Join(lab, "gate", "book.db"), []gatehouse.Temperature{36_500, 36_600, 38_000})
	config, _ := gateOf(t, lab)
	line := statusOf(t, "--config", config)
	if line.From != "files" || line.Gate != "gate-1" || line.Trust != "fresh" || line.Policy != "CN-330100/1" || !line.Clock || line.Queue != 6 || len(line.Conditions) != 0 {
		t.Errorf("%+v", line)
	}
	if line.StaleAt == nil || line.TooOldAt.Sub(*line.TrustIssued) != 7*24*time.Hour || line.StaleAt.Sub(*line.TrustIssued) != 24*time.Hour {
		t.Errorf("the lines are not the policy's: issued %v, stale %v, too old %v", line.TrustIssued, line.StaleAt, line.TooOldAt)
	}
	for _, tt := range []struct {
		offline, trust string
		stay, asked    int
	}{{"36h", "stale", 2, 0}, {"9d", "too old", 0, 2}} {
		w := statusOf(t, "--config", config, "--what-if", "offline="+tt.offline).WhatIf
		if w == nil || w.Trust != tt.trust || w.Admitted != 2 || w.WouldStay != tt.stay || w.Others["D50"] != tt.asked {
			t.Errorf("offline for %s: %+v", tt.offline, w)
		}
	}
	w := statusOf(t, "--config", config, "--what-if", "offline=400d").WhatIf
	if w.Holds || len(w.Ends) == 0 || w.Others["D54"] != 2 {
		t.Errorf("after the policy's end: %+v", w)
	}
	for _, bad := range []string{"offline", "offline=", "offline=-1h", "online=9d", "offline=0d", "offline=70000d"} {
		if code, _, _ := ctl(t, "", "status", "--config", config, "--what-if", bad); code != daemon.Usage {
			t.Errorf("--what-if %s: exit code %d", bad, code)
		}
	}
	if err := os.RemoveAll(filepath.Join(lab, "trust")); err != nil {
		t.Fatal(err)
	}
	if line := statusOf(t, "--config", config); line.TrustAge != -1 || len(line.Conditions) != 1 || line.Conditions[0].Reason != "D54" {
		t.Errorf("without trust: %+v", line)
	}
}

func TestStatusOfARunningGateIsItsOwnWord(t *testing.T) {
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" || r.Header.Get("Authorization") != "Bearer sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"gate":"gate-7","version":"abc","closed":true,"conditions":[{"reason":"D53","detail":"no camera"}],"queue":3,
			"trust_age_ns":3600000000000,"trust":"stale","trust_version":"12","clock_trusted":true,"policy":"CN-330100/7"}`))
	}))
	defer gate.Close()
	line := statusOf(t, "--url", gate.URL, "--token", "sesame")
	if line.From != "gate" || line.Gate != "gate-7" || !line.Closed || line.Queue != 3 || line.Trust != "stale" || line.TrustAge != 3600 || line.Conditions[0].Reason != "D53" {
		t.Errorf("%+v", line)
	}
	if code, _, errs := ctl(t, "", "status", "--url", gate.URL); code != daemon.Fault || !strings.Contains(errs, "401") {
		t.Errorf("without the token: exit code %d, %s", code, errs)
	}
	if code, _, errs := ctl(t, "", "status", "--url", gate.URL, "--what-if", "offline=9d"); code != daemon.Usage || !strings.Contains(errs, "--config") {
		t.Errorf("what-if without files: exit code %d, %s", code, errs)
	}
	if code, _, _ := ctl(t, "", "status", "--config", filepath.Join(t.TempDir(), "none.toml")); code != daemon.Usage {
		t.Errorf("exit code %d for settings that are not there", code)
	}
}
