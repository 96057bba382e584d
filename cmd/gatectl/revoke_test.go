package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
)

// A code that its region took back is refused by whoever holds the region's signed list.
func TestRevokedCodeIsRefusedByTheSignedList(t *testing.T) {
	lab := laboratory(t)
	at := func(name string) string { return filepath.Join(lab, name) }
	key, err := daemon.ReadKey(at("issuer-CN-330100.key"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	code := func(id string) string {
		text, err := credential.Issue(key, credential.Claims{Issuer: "CN-330100", Grade: gatehouse.Green, ID: []byte(id), Issued: now, Expires: now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	must := func(args ...string) string {
		t.Helper()
		exit, out, errs := ctl(t, "", args...)
		if exit != 0 {
			t.Fatalf("gatectl %s: %d %s", strings.Join(args, " "), exit, errs)
		}
		return out
	}
	publish := func(file string) {
		t.Helper()
		must("trust", "publish", at("nation"), "CN-330100", "revocations="+file)
		must("trust", "sign", at("nation"), "--key", at("people/CN-330100-1.key")+","+at("people/CN-330100-2.key"))
		must("trust", "refresh", at("nation"), "--key", at("people/desk.key"))
	}
	write(t, at("ids.txt"), "text:first-code-1\n\n")
	write(t, at("more.txt"), "7365636f6e642d636f64652d\n") // the id in hex
	write(t, at("again.txt"), "text:first-code-1\n")
	codes := code("first-code-1") + "\n" + code("second-code-") + "\n"
	refused := func() (reasons []string) {
		for _, l := range passed(t, codes, "--trust", at("nation")) {
			reasons = append(reasons, string(l.Reason))
		}
		return reasons
	}
	write(t, at("one"), must("revoke", "build", "--region", "CN-330100", at("ids.txt")))
	publish(at("one"))
	if got := strings.Join(refused(), ","); got != "V32," {
		t.Errorf("after the first list: %s", got)
	}
	write(t, at("two"), must("revoke", "delta", "--add", at("more.txt"), "--remove", at("again.txt"), at("one")))
	publish(at("two"))
	if got := strings.Join(refused(), ","); got != ",V32" {
		t.Errorf("after the change: %s", got)
	}
	var line revokeLine
	if err := json.Unmarshal([]byte(must("revoke", "show", "--json", at("two"))), &line); err != nil || line.Version != 2 || line.Entries != 1 || line.Changes != 2 || !line.Exact {
		t.Errorf("%v: %+v", err, line)
	}
	exit, _, errs := ctl(t, "", "trust", "publish", at("nation"), "CN-330100", "revocations="+at("one"))
	if exit != daemon.Fault || !strings.Contains(errs, "version is 1, and 2 is published") {
		t.Errorf("a list that goes back: %d, %s", exit, errs)
	}
	for _, bad := range [][]string{{"build", at("ids.txt")}, {"build", "--region", "CN-330100", at("root.json")}, {"delta", at("one")}, {"delta", "--add", at("ids.txt"), at("root.json")}} {
		if exit, out, errs := ctl(t, "", append([]string{"revoke"}, bad...)...); exit != daemon.Usage || out != "" || errs == "" {
			t.Errorf("revoke %v: exit code %d, %s", bad, exit, errs)
		}
	}
}
