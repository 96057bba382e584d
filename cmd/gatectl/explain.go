package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/credential"
	"gatehouse/policy"
)

// A triedRule is one rule of the policy and what came of it.
type triedRule struct {
	ID      string           `json:"id"`
	Line    int              `json:"line"` // in the policy's text
	Matched bool             `json:"matched"`
	Skipped string           `json:"skipped,omitempty"` // why it was not tried
	Fault   string           `json:"fault,omitempty"`   // why it could not tell
	Call    string           `json:"call"`
	Reason  gatehouse.Reason `json:"reason"`
	Native  bool             `json:"native"` // answered without the expression machine
	Cost    uint64           `json:"cost"`   // in CEL's units
	Bound   uint64           `json:"bound"`  // the most that it could have cost
}

// explained tells how the verdict came about: bytes, header, key, signature, times, trust,
// what the policy looked at, the rules that were tried and the one that decided. It names
// nobody and shows no text of a code.
func (s *scan) explained(line *scanLine, codes qrLine, texts []string, p gatehouse.Passage) {
	say := func(step, format string, args ...any) {
		line.Steps = append(line.Steps, fmt.Sprintf("%-10s %s", step, fmt.Sprintf(format, args...)))
	}
	say("image", "%d codes read in %.1f ms", len(codes.Texts), codes.MS)
	if len(texts) < len(codes.Texts) {
		say("parts", "joined into %d", len(texts))
	}
	proven := false
	for _, text := range texts {
		proven = s.codeSteps(text, say) || proven
	}
	s.trustSteps(say)
	say("policy", "%s", s.policyStep())
	rules := s.rules.inForce(s.at)
	if proven {
		say("skin", "%s, %s", s.skin.Skin, s.skin.Quality)
	}
	trace := rules.Explain(s.evidence)
	for _, step := range trace.Steps {
		say(step.Name, "%s", step.What)
	}
	for _, r := range trace.Rules {
		line.Rules = append(line.Rules, triedRule{ID: r.ID, Line: r.Line, Matched: r.Matched, Skipped: r.Skipped, Fault: r.Fault,
			Call: r.Call.String(), Reason: r.Reason, Native: r.Native, Cost: r.Cost, Bound: r.Bound})
	}
	line.Decided = trace.Decided
	if trace.Verdict.Reason != p.Verdict.Reason || trace.Verdict.Rule != p.Verdict.Rule {
		line.Decided = string(p.Verdict.Reason) // the lane itself, over the judge's word
	}
}

// explanation is what --explain shows, a line each.
func (l scanLine) explanation() []string {
	if len(l.Steps) == 0 {
		return nil
	}
	lines := l.Steps
	for _, r := range l.Rules {
		what := "does not match"
		switch {
		case r.Skipped != "":
			what = "not tried: " + r.Skipped
		case r.Fault != "":
			what = "cannot tell: " + r.Fault
		case r.Matched:
			what = strings.TrimSpace("matches: " + r.Call + " " + string(r.Reason))
		}
		how := fmt.Sprintf(" (cost %d of %d)", r.Cost, r.Bound)
		if r.Native {
			how = " (native)"
		}
		if r.Skipped != "" {
			how = ""
		}
		lines = append(lines, fmt.Sprintf("%-10s %s, line %d: %s%s", "rule", r.ID, r.Line, what, how))
	}
	if l.Agreement != "" {
		lines = append(lines, fmt.Sprintf("%-10s %s", "agreement", l.Agreement))
	}
	verdict := strings.TrimSpace(l.Verdict + " " + string(l.Reason))
	if l.Detail != "" {
		verdict += ": " + l.Detail
	}
	if l.Decided != "" {
		lines = append(lines, fmt.Sprintf("%-10s %s", "decided", l.Decided))
	}
	return append(lines, fmt.Sprintf("%-10s %s", "verdict", verdict))
}

// codeSteps takes one text apart as the gate does, and tells whether it proved to be genuine.
func (s *scan) codeSteps(text string, say func(step, format string, args ...any)) bool {
	u, err := credential.Parse(text)
	if err != nil {
		say("text", "%d characters: %s", len(text), plain(err))
		return false
	}
	say("text", "%d characters, %s, %d bytes signed", len(text), u.Format(), u.Size())
	say("header", "algorithm %s, key %s", u.Algorithm(), orDash(u.KeyID()))
	s.keySteps(u, say)
	pass, err := u.Verify(s.belief.verifier(), s.at)
	if err != nil {
		say("code", "%s", plain(err))
		return false
	}
	say("signature", "holds")
	counts := ""
	if !pass.NotBefore.IsZero() {
		counts = " counts from " + stamp(pass.NotBefore) + ","
	}
	say("times", "issued %s,%s expires %s, judged as of %s", stamp(pass.Issued), counts, stamp(pass.Expires), stamp(s.at))
	say("revoked", "%s", s.revokedStep())
	pass = s.rules.inForce(s.at).Narrow(pass)
	if pass.Grade != gatehouse.NoGrade {
		why := strings.Join(pass.Class.Words(), ", ")
		if why != "" {
			why = ", for " + why
		}
		say("colour", "%s%s, as %s issued it", pass.Grade, why, pass.Issuer)
	}
	for _, f := range pass.Facts {
		say("fact", "%s %s %s", f.Kind, stamp(f.At), f.Result)
	}
	for _, w := range pass.Warnings {
		say("warning", "%s", w)
	}
	return true
}

// keySteps tells which keys answer to the code's key id.
func (s *scan) keySteps(u credential.Unverified, say func(step, format string, args ...any)) {
	kid, err := hex.DecodeString(u.KeyID())
	if err != nil || len(kid) == 0 {
		return
	}
	keys := s.belief.keys.Keys(kid)
	if len(keys) == 0 {
		say("key", "nobody vouches for it by that id")
	}
	for _, k := range keys {
		state := "in use"
		if k.Withdrawn {
			state = "withdrawn"
		}
		of := string(k.Issuer)
		if k.AnyIssuer {
			of = "whoever the code names: given by hand"
		}
		say("key", "of %s, for %s, %s", of, k.Usage, state)
	}
}

func (s *scan) trustSteps(say func(step, format string, args ...any)) {
	set := s.belief.set
	if set == nil {
		say("signed", "no trust folder: keys given by hand")
		return
	}
	v := set.Versions()
	say("signed", "%d keys of %d regions, timestamp %d of %s, %s old, root of %s", set.Len(), len(set.Regions()), v["timestamp"],
		stamp(set.Issued), spelled(set.Age(s.at)), s.belief.rootFrom)
}

func (s *scan) revokedStep() string {
	if s.belief.revoked == nil {
		return "no region published a list"
	}
	return "on no list"
}

func (s *scan) policyStep() string {
	p := s.rules.inForce(s.at)
	switch {
	case p == nil:
		return "none: give --trust or --policy"
	case !s.rules.signed:
		return p.Name() + ", mode " + string(p.Mode()) + ", not signed: no gate would take it like this"
	case p.Mode() == policy.Emergency:
		return p.Name() + ", the emergency policy is in force"
	}
	return p.Name() + ", mode " + string(p.Mode())
}

// plain is a refusal's reason and detail, or any other error's text.
func plain(err error) string {
	var refusal *gatehouse.Refusal
	if errors.As(err, &refusal) {
		return string(refusal.Reason) + ", " + refusal.Detail
	}
	return err.Error()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// spelled writes a length of time as people say it.
func spelled(d time.Duration) string {
	sign := ""
	if d < 0 {
		d, sign = -d, "-"
	}
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%s%d s", sign, int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%s%d min", sign, int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%s%d h", sign, int(d.Hours()))
	}
	return fmt.Sprintf("%s%d d %d h", sign, int(d.Hours())/24, int(d.Hours())%24)
}
