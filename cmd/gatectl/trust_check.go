package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/credential/revocation"
	"gatehouse/credential/trust"
	"gatehouse/policy"
	"gatehouse/policy/certlogic"
)

// A wording is one file that a region is to sign, as those who sign need to see it: what it
// is, and what is different from the one that is published.
type wording struct {
	name  string
	lines []string
}

func (w *wording) say(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// checkTarget holds a file to everything that a gate will ask of it, and for a policy to its
// own tests. old is what the region published under the name before, rules the policy that
// goes along with the file; nil for nothing.
func checkTarget(region gatehouse.Issuer, name, file string, old, rules []byte) (w *wording, err error) {
	w = &wording{name: name}
	if name == trust.Revocations {
		return w, w.revocations(region, file, old)
	}
	body, err := os.ReadFile(file) // the desk holds it to its limit
	if err != nil {
		return w, err
	}
	switch name {
	case trust.Policy, trust.Emergency:
		err = w.policy(region, body, old)
	case trust.Activation:
		err = w.activation(region, body)
	case trust.Keys:
		err = w.keys(region, body, old)
	case trust.Published:
		err = w.published(body)
	case trust.Risk:
		err = w.risk(body, rules)
	case trust.Directory:
		if !json.Valid(body) {
			err = errors.New("it is no JSON")
		}
	}
	if err != nil {
		return w, named(file, err)
	}
	if len(w.lines) == 0 {
		w.say("%d bytes", len(body))
	}
	return w, nil
}

func (w *wording) policy(region gatehouse.Issuer, body, old []byte) error {
	next, results, err := policy.Ready(body)
	if err != nil {
		return err
	}
	if next.Site() != region {
		return fmt.Errorf("it is for %s, and %s would sign it", next.Site(), region)
	}
	if urgent := next.Mode() == policy.Emergency; urgent != (w.name == trust.Emergency) {
		return fmt.Errorf("its mode is %s: an emergency policy is signed as %s, every other as %s", next.Mode(), trust.Emergency, trust.Policy)
	}
	var before *policy.Policy
	if old != nil {
		if before, err = policy.Read(old); err != nil {
			w.say("the published one cannot be used: %v", err)
			before = nil
		}
	}
	if !bytes.Equal(body, old) {
		if err := next.Follows(before); err != nil {
			return err
		}
	}
	purpose, _ := next.Purpose()
	w.say("%s, mode %s, for %s, reads %s", next.Name(), next.Mode(), purpose, strings.Join(next.Reads(), ", "))
	w.say("its own tests: %d of %d hold", len(results), len(results))
	if untested := next.Untested(); len(untested) > 0 {
		w.say("no test decides by %s", strings.Join(untested, ", "))
	}
	if before == nil {
		w.say("there is none in use that it would replace")
		return nil
	}
	for _, c := range policy.Diff(before, next) {
		w.say("%s", strings.ReplaceAll(c.String(), "\n", " "))
	}
	return nil
}

// risk reads the table as the policy that asks for it does: its dates are days of the site.
func (w *wording) risk(body, rules []byte) error {
	p, err := policy.Read(rules)
	if err != nil || !p.TakesRisk() {
		w.say("%d bytes; no policy that is here asks for it: [risk] file = true", len(body))
		return nil
	}
	if _, err := p.WithRisk(body); err != nil {
		return err
	}
	w.say("%d rows, as %s reads it", max(bytes.Count(bytes.TrimSpace(body), []byte("\n")), 0), p.Name())
	return nil
}

func (w *wording) activation(region gatehouse.Issuer, body []byte) error {
	a, err := policy.ReadActivation(body)
	if err != nil {
		return err
	}
	if a.Site != region {
		return fmt.Errorf("it is for %s, and %s would sign it", a.Site, region)
	}
	from := "at once"
	if !a.From.IsZero() {
		from = stamp(a.From)
	}
	w.say("brings %s into force, from %s until %s: %s", a.Policy, from, stamp(a.Until), a.Why.En)
	return nil
}

func (w *wording) keys(region gatehouse.Issuer, body, old []byte) error {
	next, err := credential.ReadTrust(body)
	if err != nil {
		return err
	}
	if next.Region != region {
		return fmt.Errorf("it is %s's", next.Region)
	}
	var was, is credential.TrustList
	if err := json.Unmarshal(body, &is); err != nil {
		return err
	}
	if old != nil {
		if err := json.Unmarshal(old, &was); err != nil {
			return fmt.Errorf("the published one: %w", err)
		}
	}
	if old != nil && !bytes.Equal(body, old) && is.Version <= was.Version {
		return fmt.Errorf("its version is %d, and %d is published: it only grows", is.Version, was.Version)
	}
	w.say("%s/%d, %d keys", is.Region, is.Version, len(is.Keys))
	before := map[string]credential.TrustKey{}
	for _, k := range was.Keys {
		before[k.KID+string(k.SPKI)] = k
	}
	for _, k := range is.Keys {
		b, had := before[k.KID+string(k.SPKI)]
		delete(before, k.KID+string(k.SPKI))
		switch {
		case !had:
			w.say("+ %s", keyLine(k))
		case keyLine(b) != keyLine(k):
			w.say("~ %s, was %s", keyLine(k), keyLine(b))
		}
	}
	for _, k := range was.Keys {
		if _, gone := before[k.KID+string(k.SPKI)]; gone {
			w.say("- %s", keyLine(k))
		}
	}
	return nil
}

func keyLine(k credential.TrustKey) string {
	line := fmt.Sprintf("key %.16s of %s for %s, %s to %s", k.KID, k.Issuer, strings.Join(k.Usage, ", "), stamp(k.NotBefore), stamp(k.NotAfter))
	if len(k.Names) > 0 {
		line += ", " + strings.Join(k.Names, ", ")
	}
	if k.Withdrawn {
		line += ", withdrawn"
	}
	return line
}

// publishedName is what a list of published rules is called: country and purpose.
var publishedName = regexp.MustCompile(`^[A-Z]{2}/[a-z0-9][a-z0-9-]*$`)

// published looks at every rule with the reader that runs it: an operation that is not as
// the specification has it would show on the first certificate that leads there.
func (w *wording) published(body []byte) error {
	_, file, err := readPublished(body)
	if err != nil {
		return err
	}
	if len(file.Rules) == 0 {
		return errors.New(`"rules" is empty: want lists by country and purpose, as "DE/entry"`)
	}
	for name, list := range file.Rules {
		if !publishedName.MatchString(name) {
			return fmt.Errorf("rules of %.40q: want country and purpose, as \"DE/entry\"", name)
		}
		rules, err := certlogic.ReadRules(list)
		if err != nil {
			return fmt.Errorf("rules of %s: %w", name, err)
		}
		for _, r := range rules {
			if issues := r.Logic.Validate(); len(issues) > 0 {
				return fmt.Errorf("rules of %s: %s: %s in %.200s", name, r.Identifier, issues[0].Message, issues[0].Expr)
			}
		}
		w.say("%d rules of %s", len(rules), name)
	}
	return nil
}

func (w *wording) revocations(region gatehouse.Issuer, file string, old []byte) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	list, err := revocation.Open(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if list.Issuer() != region {
		return fmt.Errorf("%s: it is %s's", file, list.Issuer())
	}
	w.say("version %d, %d codes and %d changes since, %d bytes", list.Version(), list.Entries(), list.Changes(), info.Size())
	if old == nil {
		return nil
	}
	was, err := revocation.Open(bytes.NewReader(old), int64(len(old)))
	if err != nil {
		w.say("the published one cannot be used: %v", err)
		return nil
	}
	switch {
	case list.Version() < was.Version():
		return fmt.Errorf("%s: its version is %d, and %d is published", file, list.Version(), was.Version())
	case list.Version() > was.Version():
		w.say("published is version %d, %d codes and %d changes", was.Version(), was.Entries(), was.Changes())
	}
	return nil
}

const kindActivation = "activation"

// kindOf is what a text of TOML says that it is; empty where it says nothing.
func kindOf(body []byte) string {
	var head struct {
		Kind string `toml:"kind"`
		Mode string `toml:"mode"`
	}
	if toml.Unmarshal(body, &head) != nil {
		return ""
	}
	if head.Mode == string(policy.Emergency) && head.Kind == "policy" {
		return trust.Emergency
	}
	return head.Kind
}
