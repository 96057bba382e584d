package certlogic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A published test of a member state's rule.
type ruleTest struct {
	Name              string
	Payload, External json.RawMessage
	Expected          json.RawMessage
}

// eachRule visits the published rules with their tests: a folder with a rule.json, and the
// JSON files below its folder tests.
func eachRule(t testing.TB, visit func(folder, name string, rule []byte, tests map[string]ruleTest)) {
	t.Helper()
	root := vectors(t, "eu-rules")
	rules := map[string][]byte{}
	tests := map[string]map[string]ruleTest{}
	walkJSON(t, root, func(file, _ string, text []byte) {
		dir := filepath.Dir(file)
		if filepath.Base(file) == "rule.json" {
			rules[dir] = text
			return
		}
		var rt ruleTest
		if err := json.Unmarshal(text, &rt); err != nil || rt.Payload == nil || rt.Expected == nil {
			return // a schema or the value sets, not a test
		}
		of := filepath.Dir(dir)
		if tests[of] == nil {
			tests[of] = map[string]ruleTest{}
		}
		tests[of][filepath.Base(file)] = rt
	})
	for dir := range tests {
		if rules[dir] == nil {
			t.Errorf("%s: tests without a rule", dir)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(rules)) {
		folder, err := filepath.Rel(filepath.Dir(root), filepath.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		visit(filepath.ToSlash(folder), filepath.Base(dir), rules[dir], tests[dir])
	}
}

func TestMemberStatesRulesRunAsTheyAre(t *testing.T) {
	count := newTally()
	eachRule(t, func(folder, name string, text []byte, tests map[string]ruleTest) {
		rules, err := ReadRules(text)
		if err != nil {
			count.add(folder, name, err)
			return
		}
		for _, issue := range rules[0].Logic.Validate() {
			t.Errorf("%s/%s: %s: %s", folder, name, issue.Message, issue.Expr)
		}
		if len(tests) == 0 {
			t.Errorf("%s/%s: a rule without a test", folder, name)
		}
		for file, rt := range tests {
			count.add(folder, fmt.Sprintf("%s/%s %q", name, file, rt.Name), checkRule(rules, rt))
		}
	})
	count.report(t)
}

// checkRule runs a published test twice: on its data as they are, and as a gate does, with
// the clock and the value sets handed over as External.
func checkRule(rules Rules, rt ruleTest) error {
	if rt.External == nil {
		rt.External = []byte("{}")
	}
	data := fmt.Sprintf(`{"payload":%s,"external":%s}`, rt.Payload, rt.External)
	d, err := ReadData([]byte(data))
	if err != nil {
		return err
	}
	v, err := rules[0].Logic.Eval(d)
	if err != nil {
		return err
	}
	got, _ := v.MarshalJSON()
	if want := bytes.TrimSpace(rt.Expected); !bytes.Equal(got, want) {
		return fmt.Errorf("%s, want %s", got, want)
	}
	var wire struct {
		ValidationClock string
		ValueSets       json.RawMessage
	}
	if err := json.Unmarshal(rt.External, &wire); err != nil {
		return err
	}
	var external External
	if wire.ValidationClock != "" {
		milli, ok := parseTime(wire.ValidationClock)
		if !ok {
			return fmt.Errorf("clock %q: %w", wire.ValidationClock, errDate)
		}
		external.ValidationClock = time.UnixMilli(milli)
	}
	if wire.ValueSets != nil {
		if external.ValueSets, err = ReadValueSets(wire.ValueSets); err != nil {
			return err
		}
	}
	want := Failed
	if string(got) == "true" {
		want = Passed
	}
	if r := rules.Judge(rt.Payload, external)[0]; r.Outcome != want {
		return fmt.Errorf("judged %s (%v), want %s", r.Outcome, r.Err, want)
	}
	return nil
}
