package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/credential/trust"
	"gatehouse/policy"
)

// labGate opens a laboratory's trust as its gate does when it starts.
func labGate(t *testing.T, lab string) *trust.Cache {
	t.Helper()
	root, err := os.ReadFile(filepath.Join(lab, "root.json"))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := trust.Open(filepath.Join(lab, "trust"), root)
	if err != nil {
		t.Fatal(err)
	}
	if gate.Fault() != nil || gate.Current() == nil {
		t.Fatalf("nothing is in use: %v", gate.Fault())
	}
	return gate
}

func policyOf(t *testing.T, set *trust.Set, id gatehouse.Issuer) *policy.Policy {
	t.Helper()
	body, ok := set.Target(id, trust.Policy)
	if !ok {
		t.Fatalf("no policy of %s", id)
	}
	p, err := policy.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGateOfALaboratoryStartsWithoutALink(t *testing.T) {
	lab := laboratory(t)
	set := labGate(t, lab).Current()
	if p := policyOf(t, set, "CN-330100"); p.Name() != "CN-330100/1" || !p.Holds(time.Now()) {
		t.Errorf("policy %s, which holds now: %v", p.Name(), p.Holds(time.Now()))
	}
	if _, ok := set.Target("CN-440100", trust.Policy); ok {
		t.Error("the other region gives this gate rules")
	}
	for _, r := range set.Regions() {
		if r.Fault != "" || r.Count != 1 || r.List != 1 {
			t.Errorf("%+v", r)
		}
	}
	for _, id := range []gatehouse.Issuer{"CN-330100", "CN-440100"} {
		key, err := daemon.ReadKey(filepath.Join(lab, "issuer-"+string(id)+".key"))
		if err != nil {
			t.Fatal(err)
		}
		kid, err := credential.KeyID(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if keys := set.Keys(kid); len(keys) != 1 || keys[0].Issuer != id {
			t.Errorf("%s: %+v", id, keys)
		}
	}
}

func TestNobodyInALaboratorySignsForTwo(t *testing.T) {
	lab := laboratory(t)
	set := labGate(t, lab).Current()
	var all []string
	for _, role := range []string{"CN-330100", "CN-440100", "firmware"} {
		threshold, people := set.Speakers(role)
		if threshold != 2 || len(people) != 3 {
			t.Errorf("%s: %d of %d sign", role, threshold, len(people))
		}
		all = append(all, people...)
	}
	report, err := desk(filepath.Join(lab, "nation")).Report()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Roles {
		if r.Role == "root" {
			if r.Threshold != 2 || len(r.Keys) != 3 {
				t.Errorf("root: %d of %d sign", r.Threshold, len(r.Keys))
			}
			all = append(all, r.Keys...)
		}
	}
	slices.Sort(all)
	if len(all) != 12 || len(slices.Compact(all)) != 12 {
		t.Errorf("of twelve people some are the same")
	}
	if report.Fault != "" || len(report.Drafts) != 0 || len(report.Regions) != 0 {
		t.Errorf("%+v", report)
	}
}

func TestPrivateKeysAreTheirOwnersAlone(t *testing.T) {
	lab := laboratory(t)
	keys := 0
	err := filepath.WalkDir(lab, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".key") {
			return err
		}
		keys++
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", path, info.Mode())
		}
		return err
	})
	if want := 2 + 13 + 2; err != nil || keys != want {
		t.Errorf("%d keys, want %d: of issuers, people, region and gate; %v", keys, want, err)
	}
	for _, public := range []string{"nation", "trust"} {
		if err := filepath.WalkDir(filepath.Join(lab, public), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), "PRIVATE") {
				t.Errorf("%s holds a private key", path)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestLaboratoryCanChangeItsPolicy goes the way of a region's people with the files and the
// keys that init left.
func TestLaboratoryCanChangeItsPolicy(t *testing.T) {
	lab := laboratory(t)
	c := ceremony{t, lab}
	file := filepath.Join(lab, "regions", "CN-330100", "policy.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(string(text), "version = 1\n", "version = 2\n", 1)
	if err := os.WriteFile(file, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	nation, people := filepath.Join(lab, "nation"), filepath.Join(lab, "people")
	c.must("publish", nation, "CN-330100", "policy="+file)
	c.must("sign", nation, "--key", filepath.Join(people, "CN-330100-3.key"))
	c.refused(1, "has no say", "sign", nation, "CN-330100", "--key", filepath.Join(people, "CN-440100-1.key"))
	c.must("sign", nation, "--key", filepath.Join(people, "CN-330100-1.key"))
	c.must("refresh", nation, "--key", filepath.Join(people, "desk.key"))
	c.must("import", nation, "--cache", filepath.Join(lab, "trust"), "--root", filepath.Join(lab, "root.json"))
	if p := policyOf(t, labGate(t, lab).Current(), "CN-330100"); p.Name() != "CN-330100/2" {
		t.Errorf("the gate judges by %s", p.Name())
	}
}

func TestKeyListStaysAsItWasWhenThePolicyAloneIsNew(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	k, err := newKit(hangzhou, chengdu)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.write(dir, []string{"localhost"}, now); err != nil {
		t.Fatal(err)
	}
	later := now.Add(time.Minute)
	k.of(hangzhou).policy = demoPolicy(2, later, riskAfter())
	if err := k.publish(dir, hangzhou, later); err != nil {
		t.Fatal(err)
	}
	takeIn(t, dir, later)
	if p := policyOf(t, labGate(t, dir).Current(), hangzhou); p.Name() != "CN-330100/2" {
		t.Errorf("the gate judges by %s", p.Name())
	}
	later = later.Add(time.Minute)
	k.of(chengdu).list, k.of(chengdu).keys[0].withdrawn = 2, true
	if err := k.publish(dir, chengdu, later); err != nil {
		t.Fatal(err)
	}
	kid, err := credential.KeyID(k.signer(chengdu).Public())
	if err != nil {
		t.Fatal(err)
	}
	takeIn(t, dir, later)
	if keys := labGate(t, dir).Current().Keys(kid); len(keys) != 1 || !keys[0].Withdrawn {
		t.Errorf("the withdrawn key: %+v", keys)
	}
}

func TestPolicyThatItsTestsDoNotBearOutIsNotSigned(t *testing.T) {
	k, err := newKit(hangzhou)
	if err != nil {
		t.Fatal(err)
	}
	k.of(hangzhou).policy = []byte(strings.Replace(demoRules, `want = { call = "admit", rule = "green", here = "green" }`, `want = { call = "deny", reason = "V33" }`, 1))
	if err := k.write(t.TempDir(), nil, time.Now()); err == nil || !strings.Contains(err.Error(), "policy of CN-330100") {
		t.Errorf("%v", err)
	}
}

func TestInitThatIsRefusedLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	for _, more := range [][]string{{"--region", "Hangzhou"}, {"--issuer", "FRA"}, {"--also", "md5"}, {"--also", "sm2,sm2"}} {
		if code, _, errs := ctl(t, "", append([]string{"init", dir}, more...)...); code == 0 || errs == "" {
			t.Errorf("%v: exit code %d, %q", more, code, errs)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%v: a folder was made: %v", more, err)
		}
	}
}

func TestKeysMakesALineForTheTrustList(t *testing.T) {
	for _, algorithm := range []string{"es256", "eddsa", "sm2"} {
		name := filepath.Join(t.TempDir(), "issuer")
		code, line, errs := ctl(t, "", "keys", "--type", algorithm, "--issuer", "CN-330100", "--usage", "health-code,travel-code", name)
		if code != 0 {
			t.Fatalf("%s: %s", algorithm, errs)
		}
		var listed credential.TrustKey
		if err := json.Unmarshal([]byte(line), &listed); err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(credential.TrustList{Kind: "trust", Region: "CN-330100", Version: 1, Issued: time.Now(), Keys: []credential.TrustKey{listed}})
		if err != nil {
			t.Fatal(err)
		}
		list, err := credential.ReadTrust(body)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		code, text, errs := ctl(t, "", "issue", "--key", name+".key")
		if code != 0 {
			t.Fatalf("%s: %s", algorithm, errs)
		}
		if pass, err := (credential.Verifier{Keys: list}).Verify(strings.TrimSpace(text), time.Now()); err != nil || pass.Grade != gatehouse.Green {
			t.Errorf("%s: %+v, %v", algorithm, pass, err)
		}
		if code, _, _ := ctl(t, "", "keys", "--type", algorithm, name); code == 0 {
			t.Errorf("%s: a key was written over another", algorithm)
		}
	}
}
