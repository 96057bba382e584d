package policy

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"

	"gatehouse"
)

// A Trace tells how a verdict came about, for people: each step, each rule that was tried
// and what came of it. It names nobody; what a rule's own words tell, it tells.
type Trace struct {
	Steps   []Step
	Rules   []Tried
	Verdict gatehouse.Verdict
	Decided string // the rule or the reason that decided
}

// A Step is one thing that the judge looked at without any rule.
type Step struct {
	Name string // "trust", "recognised", "colour", "risk", "temperature", "found"
	What string
}

// A Tried is one rule of the policy and what came of it.
type Tried struct {
	ID      string
	Line    int
	Matched bool
	Skipped string // why it was not tried; empty when it was
	Native  bool   // answered by comparing words, without the expression machine
	Cost    uint64 // that it took, in CEL's units; 0 when native or skipped
	Bound   uint64 // the most that it could have cost
	Fault   string // why it could not tell
	Call    gatehouse.Call
	Reason  gatehouse.Reason
}

// Explain judges as Judge does, and tells how. It is for people and is slower: it runs
// each expression a second time and counts.
func (p *Policy) Explain(e gatehouse.Evidence) Trace {
	t := &Trace{}
	t.Verdict = p.judge(&e, t)
	t.Decided = t.Verdict.Rule
	if t.Decided == "" {
		t.Decided = string(t.Verdict.Reason)
	}
	return *t
}

// The methods below do nothing on a nil trace, which is how Judge calls them.

func (t *Trace) step(name, format string, args ...any) {
	if t != nil {
		t.Steps = append(t.Steps, Step{name, strings.TrimSpace(fmt.Sprintf(format, args...))})
	}
}

func (t *Trace) found(f finding) {
	if t == nil {
		return
	}
	what := strings.TrimSpace(f.call.String() + " " + string(f.reason))
	if f.rule != "" {
		what += " by rule " + f.rule
	}
	if f.detail != "" {
		what += ": " + f.detail
	}
	t.Steps = append(t.Steps, Step{"found", what})
}

func (t *Trace) rule(r *rule, j *judging, why skip, matched bool, err error) {
	if t == nil {
		return
	}
	tried := Tried{ID: r.id, Line: r.line, Matched: matched, Native: r.program == nil, Bound: r.cost, Call: r.call, Reason: r.reason}
	switch why {
	case skipMode:
		tried.Skipped = fmt.Sprintf("it asks for %s, and mode %s judges nobody's health", strings.Join(r.reads.names(), ", "), j.policy.mode)
	case skipDates:
		tried.Skipped = "it does not hold today"
	case skipFormat:
		tried.Skipped = fmt.Sprintf("it is for %s, this is %s", strings.Join(r.formats, ", "), j.pass.Format)
	case skipIssuer:
		tried.Skipped = "it is for codes of other regions than " + string(j.pass.Issuer)
	default:
		if err != nil {
			tried.Fault = err.Error()
		}
		if r.ast != nil && r.ask(j.person) != isNot {
			tried.Cost = j.policy.machine.count(r.ast, j.person)
		}
	}
	t.Rules = append(t.Rules, tried)
}

// count runs an expression once more and tells what it took.
func (m *machine) count(checked *cel.Ast, p *person) uint64 {
	program, err := m.env.Program(checked, cel.EvalOptions(cel.OptTrackCost), cel.CostLimit(maxRuleCost))
	if err != nil {
		return 0
	}
	_, details, _ := program.Eval(p)
	if cost := details.ActualCost(); cost != nil {
		return *cost
	}
	return 0
}

// Lines are the trace as text, one step a line.
func (t Trace) Lines() (lines []string) {
	for _, s := range t.Steps {
		lines = append(lines, fmt.Sprintf("%-11s %s", s.Name, s.What))
	}
	for _, r := range t.Rules {
		what := "does not match"
		switch {
		case r.Skipped != "":
			what = "not tried: " + r.Skipped
		case r.Fault != "":
			what = "cannot tell: " + r.Fault
		case r.Matched:
			what = strings.TrimSpace("matches: " + r.Call.String() + " " + string(r.Reason))
		}
		how := fmt.Sprintf("cost %d of %d", r.Cost, r.Bound)
		if r.Native {
			how = "native"
		}
		if r.Skipped == "" {
			what += " (" + how + ")"
		}
		lines = append(lines, fmt.Sprintf("rule        %s, line %d: %s", r.ID, r.Line, what))
	}
	return append(lines, "decided     "+t.Decided)
}
