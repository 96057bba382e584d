package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
)

// fullLaboratory has every kind of key.
func fullLaboratory(t *testing.T) string {
	t.Helper()
	lab := filepath.Join(t.TempDir(), "lab")
	if code, _, errs := ctl(t, "", "init", lab, "--also", "sm2,eddsa,travel"); code != 0 {
		t.Fatalf("init: %d %s", code, errs)
	}
	return lab
}

func TestEachFormatIsIssuedWithEachKey(t *testing.T) {
	lab := fullLaboratory(t)
	verifier := credential.Verifier{Keys: labGate(t, lab)}
	at := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)
	for _, key := range []string{"issuer-CN-330100", "issuer-CN-330100-sm2", "issuer-CN-330100-eddsa"} {
		for _, format := range []string{"RHC1", "RHC2"} {
			code, text, errs := ctl(t, "", "issue", "--key", filepath.Join(lab, key+".key"), "--format", format, "--at", at.Format(time.RFC3339),
				"--colour", "red", "--class", "place,contact", "--holder", "张*", "--birth", "1984", "--tag", "0011223344556677",
				"--travel", "220284:5d:3d", "--travel", "330100:36h:0h", "--test", "antigen:positive:90m")
			if code != 0 {
				t.Fatalf("%s %s: %s", key, format, errs)
			}
			u, err := credential.Parse(strings.TrimSpace(text))
			if err != nil {
				t.Fatal(err)
			}
			if u.Format() != format {
				t.Errorf("%s %s: it is %s", key, format, u.Format())
			}
			keys := labGate(t, lab).Keys(mustKeyID(t, filepath.Join(lab, key+".key")))
			if len(keys) != 1 {
				t.Fatalf("%s: %d keys", key, len(keys))
			}
			keys[0].NotBefore = time.Time{} // the laboratory is younger than the code
			pass, err := credential.Verifier{Keys: credential.Ring{keys[0]}}.Verify(strings.TrimSpace(text), at)
			if err != nil {
				t.Fatalf("%s %s: %v", key, format, err)
			}
			if pass.Grade != gatehouse.Red || pass.Class != gatehouse.Place|gatehouse.Contact ||
				pass.Holder != (gatehouse.Holder{Name: "张*", Birth: "1984", Tag: "0011223344556677"}) {
				t.Errorf("%s %s: %+v", key, format, pass)
			}
			want := []gatehouse.Fact{
				{Kind: gatehouse.Travel, Division: "220284", At: at.Add(-5 * 24 * time.Hour), Until: at.Add(-3 * 24 * time.Hour)},
				{Kind: gatehouse.Travel, Division: "330100", At: at.Add(-24 * time.Hour), Until: at}, // whole days
				{Kind: gatehouse.Test, Method: "antigen", Result: gatehouse.Positive, At: at.Add(-90 * time.Minute)},
			}
			if len(pass.Facts) != len(want) {
				t.Fatalf("%s %s: %+v", key, format, pass.Facts)
			}
			for i, f := range pass.Facts {
				if f != want[i] {
					t.Errorf("%s %s: fact %d is %+v, want %+v", key, format, i+1, f, want[i])
				}
			}
		}
	}
	code, text, errs := ctl(t, "", "issue", "--key", filepath.Join(lab, "travel-CN-330100.key"), "--format", "TTC1",
		"--holder", "138****1234", "--operator", "Example Mobile", "--travel", "231000:9d:5d")
	if code != 0 {
		t.Fatal(errs)
	}
	pass, err := verifier.Verify(strings.TrimSpace(text), time.Now())
	if err != nil || pass.Format != gatehouse.FormatTravel || pass.Grade != gatehouse.NoGrade || len(pass.Facts) != 1 {
		t.Errorf("%+v, %v", pass, err)
	}
}

func mustKeyID(t *testing.T, path string) []byte {
	t.Helper()
	key, err := daemon.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := credential.KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestKeySignsWhatItIsListedForAlone(t *testing.T) {
	lab := fullLaboratory(t)
	code, text, errs := ctl(t, "", "issue", "--key", filepath.Join(lab, "travel-CN-330100.key"))
	if code != 0 {
		t.Fatal(errs)
	}
	_, err := credential.Verifier{Keys: labGate(t, lab)}.Verify(strings.TrimSpace(text), time.Now())
	if refusal, ok := err.(*gatehouse.Refusal); !ok || refusal.Reason != gatehouse.ReasonKeyUsage {
		t.Errorf("a health code of the operator's key: %v", err)
	}
}

func TestWishThatNoCodeCanSayIsExitCodeTwo(t *testing.T) {
	lab := fullLaboratory(t)
	for _, more := range [][]string{
		{"--format", "HC1"},
		{"--travel", "220284"},
		{"--travel", "220284:5d:soon"},
		{"--travel", "220284:-5h:1h"},
		{"--travel", "22:5d:3d"},
		{"--travel", "220284:1d:5d"},
		{"--test", "nucleic-acid:perhaps:1h"},
		{"--test", "crystal-ball:negative:1h"},
		{"--class", "weather"},
		{"--tag", "00"},
		{"--operator", "Example Mobile"},
		{"--format", "TTC1", "--colour", "green", "--class", "place"},
		{"--format", "TTC1", "--test", "antigen:negative:1h"},
	} {
		args := append([]string{"issue", "--key", filepath.Join(lab, "issuer-CN-330100.key")}, more...)
		if code, out, errs := ctl(t, "", args...); code != daemon.Usage || errs == "" || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", more, code, out, errs)
		}
	}
}
