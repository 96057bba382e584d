package credential

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// vectors finds a folder of published vectors: below $GATEHOUSE_VECTORS, or in the first
// ../shared/vectors beside the repository or a folder above it.
func vectors(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("GATEHOUSE_VECTORS")
	if root == "" {
		here, err := filepath.Abs("..")
		if err != nil {
			t.Fatal(err)
		}
		for dir := here; root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			beside := filepath.Join(filepath.Dir(dir), "shared", "vectors")
			if _, err := os.Stat(beside); err == nil {
				root = beside
			}
		}
	}
	folder := filepath.Join(root, name)
	if _, err := os.Stat(folder); root == "" || err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no vectors %q: set GATEHOUSE_VECTORS", name)
		}
		t.Skipf("no vectors %q: set GATEHOUSE_VECTORS to their folder", name)
	}
	return folder
}

// A dccVector is one file of the EU's test data.
type dccVector struct {
	Text    string `json:"PREFIX"`
	Context struct {
		Certificate string `json:"CERTIFICATE"`
		Clock       string `json:"VALIDATIONCLOCK"`
	} `json:"TESTCTX"`
	Expected map[string]bool `json:"EXPECTEDRESULTS"`
}

func readDCCVector(file string) (v dccVector, keys Ring, at time.Time, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return v, nil, at, err
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, nil, at, err
	}
	if v.Context.Certificate != "" {
		if keys, err = ReadSigner([]byte(v.Context.Certificate)); err != nil {
			return v, nil, at, err
		}
	}
	if v.Context.Clock == "" {
		return v, keys, at, nil
	}
	// Some clocks stand there without a zone, or with one that RFC 3339 does not know.
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		if at, err = time.Parse(layout, v.Context.Clock); err == nil {
			break
		}
	}
	return v, keys, at, err
}

// judge compares an answer with the flags of a vector and names what differs. The flags are
// stages: the first false one is where the code must be refused. Strict is for the common
// vectors: a schema that is broken must be refused too, and a flag that is missing does not
// excuse a refusal for time.
func judge(v dccVector, answer error, strict bool) string {
	var refusal *gatehouse.Refusal
	reason, detail := gatehouse.ReasonNone, ""
	if errors.As(answer, &refusal) {
		reason, detail = refusal.Reason, refusal.Detail
	} else if answer != nil {
		return "no refusal but a breakdown: " + answer.Error()
	}
	says := func(flag string) (value, known bool) { value, known = v.Expected["EXPECTED"+flag]; return }
	want := func(ok bool, what string) string {
		if ok {
			return ""
		}
		return fmt.Sprintf("want %s, got %s %s", what, cmpOr(string(reason), "a pass"), detail)
	}
	at := func(stage string) bool {
		return reason == gatehouse.ReasonMalformed && strings.HasPrefix(detail, stage+": ")
	}
	outOfTime := reason == gatehouse.ReasonExpired || reason == gatehouse.ReasonNotYetValid
	stages := []struct {
		flag string
		ok   bool
		what string
	}{
		{"UNPREFIX", reason == gatehouse.ReasonNotOurs, "Q10"},
		{"B45DECODE", at("base45"), "Q12 base45"},
		{"COMPRESSION", at("inflate"), "Q12 inflate"},
		{"VERIFY", slices.Contains([]gatehouse.Reason{gatehouse.ReasonBadSignature, gatehouse.ReasonUnknownKey}, reason) ||
			at("cose") || at("cwt"), "S20, S21 or no message to verify"},
		{"EXPIRATIONCHECK", outOfTime, "V30 or V31"},
		{"KEYUSAGE", reason == gatehouse.ReasonKeyUsage, "S23"},
		{"DECODE", at("cose") || at("cwt") || at("claims"), "Q12"},
	}
	for _, stage := range stages {
		if value, known := says(stage.flag); known && !value {
			return want(stage.ok, stage.what)
		}
		if stage.flag == "COMPRESSION" && v.Context.Certificate == "" && reason == gatehouse.ReasonUnknownKey {
			return "" // without a certificate no more can be asked than that it was read
		}
	}
	if value, known := says("SCHEMAVALIDATION"); known && !value {
		if strict {
			return want(at("claims"), "Q12 claims")
		}
		return want(answer == nil || at("claims"), "a pass or Q12 claims")
	}
	// Where a vector is silent, it is judged as far as it speaks: all stages before hold.
	_, timed := says("EXPIRATIONCHECK")
	_, used := says("KEYUSAGE")
	if !strict && (!timed && outOfTime || !used && reason == gatehouse.ReasonKeyUsage) {
		return ""
	}
	return want(answer == nil, "a pass")
}

func cmpOr(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

// TestCommonVectorsOfTheDCC holds us to the 38 normative files. Q1 says that its image
// cannot be read; its text is sound, and the image is for the test of the QR stage.
func TestCommonVectorsOfTheDCC(t *testing.T) {
	folder := filepath.Join(vectors(t, "eu-dcc"), "common")
	misses, passed := walk(t, folder, true, func(name string) bool { return name == "Q1" })
	score(t, "eu-dcc/common", passed, misses)
	for _, miss := range misses {
		t.Error(miss)
	}
	t.Log("Q1 is left to the test of the QR stage: its image is broken, not its text")
}

// TestVectorsOfTheCountries judges what member states published, but for the files that
// their own list of known issues takes out for signature, times or key usage.
func TestVectorsOfTheCountries(t *testing.T) {
	root := vectors(t, "eu-dcc")
	known := knownIssues(t, filepath.Join(root, "known_issues.csv"))
	countries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, country := range countries {
		if !country.IsDir() || country.Name() == "common" {
			continue
		}
		misses, passed := walk(t, filepath.Join(root, country.Name()), false, func(name string) bool {
			return known[country.Name()+"/"+name] || known[country.Name()+"/"]
		})
		score(t, "eu-dcc/"+country.Name(), passed, misses)
		for _, miss := range misses {
			t.Error(miss)
		}
		total += passed
	}
	t.Logf("eu-dcc countries: %d passed; known issues left out: %v", total, slices.Sorted(maps.Keys(known)))
}

func score(t *testing.T, name string, passed int, misses []string) {
	t.Logf("%s: %d passed, %d failed %s", name, passed, len(misses), strings.Join(misses, "; "))
}

func walk(t *testing.T, folder string, strict bool, skip func(name string) bool) (misses []string, passed int) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(folder, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) != ".json" {
			return err
		}
		seen++
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if skip(name) {
			return nil
		}
		v, keys, at, err := readDCCVector(file)
		if err != nil {
			misses = append(misses, fmt.Sprintf("%s: cannot be set up: %v", name, err))
			return nil
		}
		_, answer := Verifier{Keys: keys}.Verify(v.Text, at)
		if v.Text == "" {
			t.Logf("%s/%s has an image only", filepath.Base(folder), name)
			return nil
		}
		if miss := judge(v, answer, strict); miss != "" {
			misses = append(misses, name+": "+miss)
			return nil
		}
		passed++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatalf("%s holds no vectors", folder)
	}
	return misses, passed
}

// knownIssues reads the publisher's list; a row without a test set is the whole country.
func knownIssues(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, row := range rows {
		switch row[0] {
		case "test_verification_check", "test_expiration_check", "test_expected_key_usage":
			known[row[1]+"/"+row[2]] = true
		}
	}
	return known
}
