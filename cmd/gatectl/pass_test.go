package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/cmd/daemon"
	"gatehouse/credential"
)

// passed runs gatectl pass and gives its lines.
func passed(t *testing.T, stdin string, args ...string) (lines []passLine) {
	t.Helper()
	code, out, errs := ctl(t, stdin, append([]string{"pass"}, args...)...)
	if code == daemon.Usage {
		t.Fatalf("gatectl pass %s: %s", strings.Join(args, " "), errs)
	}
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var l passLine
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		lines = append(lines, l)
	}
	return lines
}

func text(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// Each vector of ours carries its text, the key to believe and the time: pass says of it what
// it expects.
func TestPassServesEveryFormatOfTheVectors(t *testing.T) {
	folder := filepath.Join("..", "..", "credential", "testdata", "vectors")
	var files []string
	for _, pattern := range []string{"*.json", "abroad/*.json"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	oks := map[string]int{}
	for _, file := range files {
		var v struct {
			Text   string              `json:"text"`
			Key    credential.TrustKey `json:"key"`
			At     time.Time           `json:"at"`
			Expect struct {
				Reason string `json:"reason"`
				Pass   *struct {
					Format string `json:"format"`
				} `json:"pass"`
			} `json:"expect"`
		}
		if err := json.Unmarshal([]byte(text(t, file)), &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if v.Text == "" || strings.ContainsAny(v.Text, "\r\n") {
			continue // no line of an input
		}
		body, err := json.Marshal(credential.TrustList{Kind: "trust", Region: v.Key.Issuer, Version: 1, Issued: v.At, Keys: []credential.TrustKey{v.Key}})
		if err != nil {
			t.Fatal(err)
		}
		list, err := credential.ReadTrust(body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var out bytes.Buffer
		pass := verifying{verifier: (&belief{keys: list}).verifier(), at: v.At, out: &out, asJSON: true}
		err = pass.all(strings.NewReader(v.Text+"\n"), "")
		var line struct {
			Format, Reason, Detail string
			OK                     bool
		}
		if bad := json.Unmarshal(out.Bytes(), &line); bad != nil {
			t.Fatalf("%s: %v: %s", file, bad, &out)
		}
		want := v.Expect.Pass != nil
		if line.OK != want || line.Reason != v.Expect.Reason || (err == nil) != want || want && line.Format != v.Expect.Pass.Format {
			t.Errorf("%s: %+v, %v; want ok %v, reason %q", file, line, err, want, v.Expect.Reason)
		}
		if line.OK {
			oks[line.Format]++
		}
	}
	for _, format := range []string{"RHC1", "RHC2", "TTC1", "DCC", "SHC", "VDS-NC"} {
		if oks[format] == 0 {
			t.Errorf("no %s is ok: %v", format, oks)
		}
	}
}

func TestCardInSeveralCodesIsJoinedFromItsLines(t *testing.T) {
	folder := filepath.Join(vectors(t, "shc"), "examples")
	keys := filepath.Join(folder, "issuer", ".well-known", "jwks.json")
	part := func(n string) string { return text(t, folder, "example-02-f-qr-code-numeric-value-"+n+".txt") }
	a, b, c := part("0"), part("1"), part("2")
	other := text(t, folder, "example-00-f-qr-code-numeric-value-0.txt")
	for _, tt := range []struct {
		name  string
		lines []string
		want  []bool
	}{
		{"in order", []string{a, b, c}, []bool{true}},
		{"in any order, one twice", []string{c, a, a, b}, []bool{true}},
		{"with an empty line between", []string{a, "", b, c}, []bool{true}},
		{"another code between", []string{a, b, other, c}, []bool{false, false, true, false}},
		{"one missing", []string{other, a, c}, []bool{true, false, false}},
		{"two cards", []string{a, b, c, b, c, a}, []bool{true, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []bool
			for _, l := range passed(t, strings.Join(tt.lines, "\n"), "--signer", keys) {
				got = append(got, l.OK)
				if l.Format != "SHC" || !l.OK && (l.Reason != "Q12" || !strings.Contains(l.Detail, "of 3")) {
					t.Errorf("%+v", l)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFileOfHealthCardsIsRead(t *testing.T) {
	folder := vectors(t, "shc")
	keys := filepath.Join(folder, "examples", "issuer", ".well-known", "jwks.json")
	files, err := filepath.Glob(filepath.Join(folder, "examples", "*.smart-health-card"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	const at = "2023-07-01T00:00:00Z" // one of them ends a year after it was issued
	for _, file := range files {
		lines := passed(t, "", "--at", at, "--signer", keys, file)
		if len(lines) != 1 || !lines[0].OK || lines[0].Format != "SHC" || lines[0].NotBefore != nil && lines[0].Issued == nil {
			t.Errorf("%s: %+v", file, lines)
		}
		if piped := passed(t, text(t, file), "--at", at, "--signer", keys); len(piped) != 1 || !piped[0].OK {
			t.Errorf("%s, piped: %+v", file, piped)
		}
	}
	// What is no file of cards is refused as one line, whatever it holds.
	for _, bad := range []string{`{"verifiableCredential":[]}`, `{"verifiableCredential":["eyJ"]`, `{"verifiableCredential":[7]}`} {
		if lines := passed(t, bad); len(lines) != 1 || lines[0].OK || lines[0].Reason != "Q12" {
			t.Errorf("%s: %+v", bad, lines)
		}
	}
}

func TestCertificatesFromAbroadAreRead(t *testing.T) {
	nz := filepath.Join(vectors(t, "nzcp"), "examples")
	at := []string{"--at", "2021-11-06T00:00:00Z", "--signer", filepath.Join(nz, "valid", "did.json")}
	lines := passed(t, text(t, nz, "valid", "nzcp.txt"), at...)
	if len(lines) != 1 || !lines[0].OK || lines[0].Format != "NZCP" || lines[0].Facts[0].Kind != "entitlement" {
		t.Errorf("NZCP: %+v", lines)
	}
	bad, err := filepath.Glob(filepath.Join(nz, "invalid", "*.txt"))
	if err != nil || len(bad) == 0 {
		t.Fatalf("%v, %v", bad, err)
	}
	for _, file := range bad {
		if lines := passed(t, text(t, file), at...); len(lines) != 1 || lines[0].OK || lines[0].Reason == "" {
			t.Errorf("%s: %+v", file, lines)
		}
	}
	// Without a key nobody is believed, and each is taken apart as what it is.
	for format, glob := range map[string]string{"DIVOC": "divoc/DIVOC*Contents.txt", "VDS-NC": "vds-nc/*Contents.txt"} {
		folder, pattern := filepath.Split(glob)
		files, err := filepath.Glob(filepath.Join(vectors(t, folder), pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", format, files, err)
		}
		for _, file := range files {
			lines := passed(t, "", "--at", "2022-01-01T00:00:00Z", file)
			if len(lines) != 1 || lines[0].Format != format || lines[0].Reason != "S21" {
				t.Errorf("%s: %+v", file, lines)
			}
		}
	}
}

// A repository and a gate's folder are the same trust, and neither is changed by a look.
func TestLookingAtTrustChangesNothing(t *testing.T) {
	lab := laboratory(t)
	code := issue(t, lab)
	for _, folder := range []string{"nation", "trust"} {
		before := tree(t, filepath.Join(lab, folder))
		if lines := passed(t, code, "--trust", filepath.Join(lab, folder)); len(lines) != 1 || !lines[0].OK {
			t.Errorf("%s: %+v", folder, lines)
		}
		if after := tree(t, filepath.Join(lab, folder)); after != before {
			t.Errorf("%s was\n%s\nand is\n%s", folder, before, after)
		}
	}
	for name, args := range map[string][]string{
		"no trust":       {"--trust", filepath.Join(lab, "gate")},
		"no folder":      {"--trust", filepath.Join(lab, "nowhere")},
		"another's root": {"--trust", filepath.Join(lab, "nation"), "--root", filepath.Join(lab, "nation", "1.targets.json")},
	} {
		if got, out, errs := ctl(t, code, append([]string{"pass"}, args...)...); got != daemon.Usage || errs == "" || out != "" {
			t.Errorf("%s: exit code %d, %s%s", name, got, out, errs)
		}
	}
	// What a gate took in today serves it next week, and grows old.
	if lines := passed(t, code, "--trust", filepath.Join(lab, "nation"), "--at", "2039-01-01T00:00:00Z"); len(lines) != 1 || lines[0].Reason == "S21" {
		t.Errorf("in years: %+v", lines)
	}
}

// tree names the files of a folder with their sizes and times.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			all.WriteString(strings.Join([]string{path, info.Mode().String(), info.ModTime().String()}, " ") + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestKeyListIsMadeOfWhatIssuersHandOut(t *testing.T) {
	c := newCeremony(t)
	code, out, errs := ctl(t, "", "trust", "keys", "--region", "CN-330100", "--usage", "health-code,travel-code", c.at("gao.pub"))
	if code != 0 {
		t.Fatal(errs)
	}
	first := c.put("first.json", out)
	shc := filepath.Join(vectors(t, "shc"), "examples", "issuer", ".well-known", "jwks.json")
	for _, bad := range [][]string{
		{c.at("gao.pub")},
		{"--region", "Hangzhou", c.at("gao.pub")},
		{"--region", "CN-330100", c.at("gao.key")},
		{"--region", "CN-330100", "--usage", "everything", c.at("gao.pub")},
		{"--region", "DE", "--base", first},
		{"--base", first, "--withdraw", "zz"},
		{"--base", first, "--withdraw", ""},
	} {
		if code, out, errs := ctl(t, "", append([]string{"trust", "keys"}, bad...)...); code != daemon.Usage || out != "" || errs == "" {
			t.Errorf("trust keys %s: exit code %d, %s", strings.Join(bad, " "), code, errs)
		}
	}
	name := "https://spec.smarthealth.cards/examples/issuer"
	code, out, errs = ctl(t, "", "trust", "keys", "--base", first, "--usage", "vaccination,test,recovery", "--name", name, shc)
	if code != 0 {
		t.Fatal(errs)
	}
	var list struct {
		Version int `json:"version"`
		Keys    []struct {
			KID       string   `json:"kid"`
			Usage     []string `json:"usage"`
			Names     []string `json:"names"`
			Withdrawn bool     `json:"withdrawn"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || list.Version != 2 || len(list.Keys) < 2 {
		t.Fatalf("%v: %+v", err, list)
	}
	if k := list.Keys[len(list.Keys)-1]; len(k.Names) != 1 || k.Names[0] != name || len(k.Usage) != 3 {
		t.Errorf("the issuer abroad is not known by its name: %+v", k)
	}
	second := c.put("second.json", out)
	_, out, _ = ctl(t, "", "trust", "keys", "--base", second, "--withdraw", list.Keys[0].KID[:8])
	if err := json.Unmarshal([]byte(out), &list); err != nil || list.Version != 3 || !list.Keys[0].Withdrawn || list.Keys[1].Withdrawn {
		t.Errorf("%v: %+v", err, list)
	}
}
