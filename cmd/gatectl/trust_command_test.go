package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/credential/trust"
)

// ceremony is a room with a nation's people in it, and their keys on the table.
type ceremony struct {
	t   *testing.T
	dir string
}

func (c ceremony) at(name string) string { return filepath.Join(c.dir, name) }

// must runs a command that has to work.
func (c ceremony) must(args ...string) string {
	c.t.Helper()
	code, out, errs := ctl(c.t, "", append([]string{"trust"}, args...)...)
	if code != 0 {
		c.t.Fatalf("gatectl trust %s: %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

func (c ceremony) refused(want int, words string, args ...string) {
	c.t.Helper()
	code, out, errs := ctl(c.t, "", append([]string{"trust"}, args...)...)
	if code != want || !strings.Contains(errs, words) {
		c.t.Errorf("gatectl trust %s: %d, want %d and %q\n%s%s", strings.Join(args, " "), code, want, words, out, errs)
	}
}

func newCeremony(t *testing.T) ceremony {
	c := ceremony{t, t.TempDir()}
	for _, name := range []string{"anna", "bo", "cai", "dai", "eva", "fan", "han"} {
		c.must("key", c.at(name))
	}
	for _, name := range []string{"gao", "desk"} {
		c.must("key", "--type", "p256", c.at(name))
	}
	return c
}

func (c ceremony) put(name, text string) string {
	c.t.Helper()
	if err := os.WriteFile(c.at(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return c.at(name)
}

func (c ceremony) pubs(names ...string) string {
	for i, name := range names {
		names[i] = c.at(name + ".pub")
	}
	return strings.Join(names, ",")
}

// list writes a key list of one key of Hangzhou.
func (c ceremony) list(version uint64) string {
	text, err := os.ReadFile(c.at("fan.pub"))
	if err != nil {
		c.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		c.t.Fatal(err)
	}
	kid, err := credential.KeyID(public)
	if err != nil {
		c.t.Fatal(err)
	}
	now := time.Now().UTC()
	body, err := json.Marshal(credential.TrustList{Kind: "trust", Region: "CN-330100", Version: version, Issued: now,
		Keys: []credential.TrustKey{{Issuer: "CN-330100", KID: hex.EncodeToString(kid), SPKI: block.Bytes,
			NotBefore: now, NotAfter: now.AddDate(1, 0, 0), Usage: []string{"health-code"}}}})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.at("keys.json"), body, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return "keys=" + c.at("keys.json")
}

func TestCeremonyFromFirstRootToAGate(t *testing.T) {
	c := newCeremony(t)
	nation := c.at("nation")
	c.must("init", nation, "--root", c.pubs("anna", "bo", "cai", "dai", "eva"), "--desk", c.pubs("desk"))
	c.must("add-region", nation, "CN-330100", "--key", c.pubs("fan", "gao", "han"))
	c.must("sign", nation, "--key", c.at("anna.key"))
	if out := c.must("sign", nation, "--key", c.at("bo.key")); !strings.Contains(out, "2 of 3 signed for root 1, 1 missing, of") || !strings.Contains(out, "(eva)") {
		t.Errorf("after two of three:\n%s", out)
	}
	c.refused(1, "not signed by enough people yet", "refresh", nation, "--key", c.at("desk.key"))
	c.must("sign", nation, "--key", c.at("bo.key")) // twice is once
	c.refused(1, "not signed by enough people yet", "refresh", nation, "--key", c.at("desk.key"))
	c.refused(1, "has no say", "sign", nation, "--key", c.at("fan.key"))
	c.must("sign", nation, "--key", c.at("cai.key"))
	c.must("publish", nation, "CN-330100", c.list(1))
	c.must("sign", nation, "--key", c.at("fan.key"))
	// The second travels alone, to somebody who has no repository.
	draft := filepath.Join(nation, "drafts", "CN-330100.json")
	c.must("sign", draft, "--key", c.at("gao.key"))
	if out := c.must("refresh", nation, "--key", c.at("desk.key")); !strings.Contains(out, "took in root, targets, CN-330100") || !strings.Contains(out, "in use: 1 keys of 1 regions") {
		t.Errorf("first refresh:\n%s", out)
	}
	c.must("verify", nation)

	root := filepath.Join(nation, "1.root.json")
	cache := c.at("cache")
	out := c.must("import", nation, "--cache", cache, "--root", root)
	if !strings.Contains(out, "in use: 1 keys of 1 regions; root 1, targets 1, snapshot 1, timestamp 1") {
		t.Errorf("import:\n%s", out)
	}

	// A root's person leaves: old and new sign, and the gate follows.
	var report trust.Report
	if err := json.Unmarshal([]byte(c.must("show", nation, "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Roles) != 5 || report.Roles[0].Threshold != 3 || len(report.Roles[0].Keys) != 5 || report.Keys != 1 {
		t.Errorf("show: %+v", report)
	}
	anna := ""
	for id, name := range report.Names {
		if name == "anna" {
			anna = id
		}
	}
	old := c.at("old")
	if err := os.CopyFS(old, os.DirFS(nation)); err != nil {
		t.Fatal(err)
	}
	c.must("key", c.at("ida"))
	c.must("rotate", nation, "root", "--remove", anna[:12], "--add", c.at("ida.pub"))
	for _, name := range []string{"bo", "cai"} {
		c.must("sign", nation, "root", "--key", c.at(name+".key"))
	}
	c.must("sign", nation, "root", "--key", c.at("ida.key"))
	if out := c.must("verify", nation); !strings.Contains(out, "2 of 3 signed for root 1") || strings.Contains(out, "for root 2") {
		t.Errorf("three of the new, two of the old:\n%s", out)
	}
	c.must("sign", nation, "root", "--key", c.at("anna.key")) // her last
	c.must("refresh", nation, "--key", c.at("desk.key"))
	if out := c.must("import", nation, "--cache", cache, "--root", root); !strings.Contains(out, "root 2") {
		t.Errorf("import of root 2:\n%s", out)
	}
	c.refused(1, "older than what was in use here (what is in use stays)", "import", old, "--cache", cache, "--root", root)
	c.refused(1, "left the role root before", "rotate", nation, "root", "--add", c.at("anna.pub"))

	if out := c.must("show", nation); !strings.Contains(out, "CN-330100  1") || !strings.Contains(out, "2 of") || !strings.Contains(out, "(ida)") {
		t.Errorf("show:\n%s", out)
	}
}

func TestWhatAGateWouldRefuseIsNotPublished(t *testing.T) {
	c := newCeremony(t)
	nation := c.at("nation")
	c.must("init", nation, "--root", c.pubs("anna", "bo", "cai"), "--threshold", "2", "--desk", c.pubs("desk"))
	c.must("add-region", nation, "DE", "--key", c.pubs("fan", "gao"))
	c.refused(1, "it is CN-330100's", "publish", nation, "DE", c.list(1))
	c.put("names.json", `{"complaints":"12345"}`)
	c.refused(1, "a region has keys, policy", "publish", nation, "DE", "autorun.inf="+c.at("fan.pub"))
	c.refused(1, "there is no role FR", "publish", nation, "FR", "directory="+c.at("names.json"))
	c.refused(1, "is no region", "add-region", nation, "Germany", "--key", c.pubs("fan", "gao"))
	c.refused(1, "is not empty", "init", nation, "--root", c.pubs("anna"), "--threshold", "1", "--desk", c.pubs("desk"))
	c.refused(1, "cannot be", "init", c.at("other"), "--root", c.pubs("anna"), "--threshold", "2", "--desk", c.pubs("desk"))
	c.must("sign", nation, "--key", c.at("anna.key"), "--key", c.at("bo.key"))
	c.must("refresh", nation, "--key", c.at("desk.key"))
	c.must("publish", nation, "DE", "directory="+c.at("names.json"))
	c.must("sign", nation, "--key", c.at("fan.key"), "--key", c.at("gao.key"))
	c.refused(1, "needs 1 more of the keys", "refresh", nation, "--key", c.at("anna.key"))
	targets, err := filepath.Glob(filepath.Join(nation, "targets/region/DE/*.directory"))
	if err != nil || len(targets) != 1 {
		t.Fatalf("%v, %v", targets, err)
	}
	if err := os.WriteFile(targets[0], []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.refused(1, "a gate would refuse this", "refresh", nation, "--key", c.at("desk.key"))
	c.must("sign", nation, "--drop", "DE")
	c.must("refresh", nation, "--key", c.at("desk.key"))
}

func TestMistakesAtTheDeskAreExitCodeTwo(t *testing.T) {
	c := newCeremony(t)
	for _, args := range [][]string{
		{"init", c.at("n")},
		{"init", c.at("n"), "--root", c.at("nobody.pub"), "--desk", c.at("desk.pub")},
		{"init", c.at("n"), "--root", c.at("anna.key"), "--desk", c.at("desk.pub")},
		{"key", c.at("x"), "--type", "rsa"},
		{"sign", c.dir},
		{"sign", c.at("nowhere"), "--key", c.at("anna.key")},
		{"publish", c.dir, "DE", "policy"},
		{"import", c.dir},
		{"import", c.at("nowhere"), "--cache", c.at("cache"), "--root", c.at("anna.pub")},
	} {
		c.refused(daemon.Usage, "", args...)
	}
	if err := os.Chmod(c.at("anna.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.refused(daemon.Usage, "chmod 600", "sign", c.dir, "--key", c.at("anna.key"))
	c.refused(1, "", "key", c.at("anna"))
}
