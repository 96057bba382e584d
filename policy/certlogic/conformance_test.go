package certlogic

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vectors finds a folder of published vectors: below $GATEHOUSE_VECTORS, or in the first
// ../shared/vectors beside the repository or a folder above it.
func vectors(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("GATEHOUSE_VECTORS")
	if root == "" {
		here, err := filepath.Abs(".")
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

// tally counts by folder and names what missed.
type tally struct {
	passed, skipped map[string]int
	missed          map[string][]string
}

func newTally() tally {
	return tally{map[string]int{}, map[string]int{}, map[string][]string{}}
}

func (c tally) add(folder, name string, err error) {
	if err != nil {
		c.missed[folder] = append(c.missed[folder], fmt.Sprintf("%s: %v", name, err))
		return
	}
	c.passed[folder]++
}

// report prints each folder's line and fails the test on any miss, or where nothing ran.
func (c tally) report(t *testing.T) {
	t.Helper()
	folders := map[string]bool{}
	for _, m := range []map[string]int{c.passed, c.skipped} {
		for f := range m {
			folders[f] = true
		}
	}
	for f := range c.missed {
		folders[f] = true
	}
	if len(folders) == 0 {
		t.Error("no vectors in the folder")
	}
	for _, f := range slices.Sorted(maps.Keys(folders)) {
		line := fmt.Sprintf("%s: %d passed, %d failed", f, c.passed[f], len(c.missed[f]))
		if c.skipped[f] > 0 {
			line += fmt.Sprintf(" (%d left out by the suite's own directive)", c.skipped[f])
		}
		fmt.Println(line)
		for _, m := range c.missed[f] {
			t.Errorf("%s: %s", f, m)
		}
	}
}

// walkJSON visits every JSON file below root with its folder as it is to be reported.
func walkJSON(t testing.TB, root string, visit func(file, folder string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".json" {
			return err
		}
		folder, err := filepath.Rel(filepath.Dir(root), filepath.Dir(file))
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		if err == nil {
			visit(file, filepath.ToSlash(folder), text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A suite is a file of the specification's test suites.
type suite struct {
	Name, Directive string
	Cases           []struct {
		Name, Directive     string
		CertLogicExpression json.RawMessage
		Assertions          []struct {
			Directive, Message  string
			CertLogicExpression json.RawMessage
			Data, Expected      json.RawMessage
		}
		Issues *[]struct {
			Expr    json.RawMessage
			Message string
		}
	}
}

func TestTheSpecificationsSuitesHold(t *testing.T) {
	count := newTally()
	walkJSON(t, vectors(t, "certlogic"), func(file, folder string, text []byte) {
		if filepath.Base(folder) == "schemas" {
			return // read by the test below
		}
		var s suite
		if err := json.Unmarshal(text, &s); err != nil || len(s.Cases) == 0 {
			count.add(folder, filepath.Base(file), fmt.Errorf("is no suite: %v", err))
			return
		}
		for i, c := range s.Cases {
			name := fmt.Sprintf("%s, case %d %q", filepath.Base(file), i, c.Name)
			skip := s.Directive == "skip" || c.Directive == "skip"
			if c.Issues != nil {
				if skip {
					count.skipped[folder]++
					continue
				}
				want := ""
				for _, issue := range *c.Issues {
					want += canonical(t, issue.Expr) + " " + issue.Message + "\n"
				}
				count.add(folder, name, checkIssues(c.CertLogicExpression, want))
				continue
			}
			for j, a := range c.Assertions {
				if skip || a.Directive == "skip" {
					count.skipped[folder]++
					continue
				}
				logic := a.CertLogicExpression
				if logic == nil {
					logic = c.CertLogicExpression
				}
				count.add(folder, fmt.Sprintf("%s, assertion %d %s", name, j, a.Message), checkValue(logic, a.Data, a.Expected))
			}
		}
	})
	count.report(t)
}

func canonical(t testing.TB, text []byte) string {
	t.Helper()
	v, err := readValue(text, maxData)
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func checkIssues(logic []byte, want string) error {
	e, err := Parse(logic)
	if err != nil {
		return err
	}
	got := ""
	for _, issue := range e.Validate() {
		got += issue.Expr + " " + issue.Message + "\n"
	}
	if got != want {
		return fmt.Errorf("issues %q, want %q", got, want)
	}
	return nil
}

// checkValue compares a result with what a suite expects. JSON has no date-times: one is
// expected as a string that denotes the same instant.
func checkValue(logic, data, expected []byte) error {
	e, err := Parse(logic)
	if err != nil {
		return err
	}
	d, err := ReadData(data)
	if err != nil {
		return err
	}
	want, err := readValue(expected, maxData)
	if err != nil {
		return err
	}
	got, err := e.Eval(d)
	if err != nil {
		return err
	}
	if got.kind == kindTime && want.kind == kindString {
		at, ok := parseTime(want.text)
		if !ok {
			return fmt.Errorf("a date-time, want %s", expected)
		}
		want = instant(at)
	}
	r := run{steps: maxSteps}
	if same, err := r.same(got, want, maxDepth); !same || err != nil {
		shown, _ := got.MarshalJSON()
		return fmt.Errorf("%s, want %s", shown, expected)
	}
	return nil
}

// Every operator that the published schemas of expressions name is known here.
func TestEveryOperatorOfTheSchemaIsKnown(t *testing.T) {
	operators := 0
	walkJSON(t, vectors(t, "certlogic"), func(file, folder string, text []byte) {
		if filepath.Base(folder) != "schemas" {
			return
		}
		var schema struct {
			ID          string `json:"$id"`
			Definitions map[string]struct{ Properties, PatternProperties map[string]any }
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !strings.HasSuffix(schema.ID, "/expression") {
			return // describes the suites' files
		}
		for _, d := range schema.Definitions {
			names := slices.Collect(maps.Keys(d.Properties))
			for pattern := range d.PatternProperties {
				names = append(names, strings.Split(strings.ReplaceAll(pattern, `\`, ""), "|")...)
			}
			for _, name := range names {
				if _, ok := operator(name); !ok && name != "var" {
					t.Errorf("%s: operator %q is unknown", file, name)
				}
				operators++
			}
		}
	})
	if operators == 0 {
		t.Error("no schema of expressions in the folder")
	}
}
