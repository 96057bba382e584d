package policy

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Bounds of expressions. A rule of two loops over all facts, one in the other, is within
// them; three are not. Costs are CEL's own units, a tenth of a microsecond each.
const (
	maxExpression = 4096 // characters
	maxRuleCost   = 50_000
	maxUncounted  = 4_000   // one loop over all facts is below it, one in another is not
	maxCost       = 400_000 // of all expressions of a policy together; a thousand rules of a region need a third
)

// A complaint is what is wrong in an expression, on which of its lines.
type complaint struct {
	line int // from 1
	what string
}

// compile checks an expression's names, types, words and cost, and readies it. The
// expression has to give true or false.
func (m *machine) compile(text string) (condition, []complaint) {
	checked, issues := m.env.Compile(text)
	if err := issues.Err(); err != nil {
		return condition{}, m.explainIssues(text, issues)
	}
	if checked.OutputType() != cel.BoolType {
		return condition{}, []complaint{{1, fmt.Sprintf("it gives %s, want true or false", cel.FormatCELType(checked.OutputType()))}}
	}
	native := checked.NativeRep()
	w := &walk{m: m, ast: native}
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(w.look))
	if len(w.complaints) > 0 {
		return condition{}, w.complaints
	}
	c := condition{reads: w.reads, lacks: w.lacks, text: text}
	estimate, err := m.env.EstimateCost(checked, m)
	if err != nil {
		return condition{}, []complaint{{1, err.Error()}}
	}
	if c.cost = estimate.Max; c.cost > maxRuleCost {
		return condition{}, []complaint{{1, fmt.Sprintf("it can cost %d, at most %d: a loop in a loop in a loop", c.cost, maxRuleCost)}}
	}
	whole := true
	for _, part := range conjuncts(native.Expr()) {
		whole = w.guard(part, &c) && whole
	}
	if whole {
		return c, nil
	}
	c.ast = checked
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if c.cost > maxUncounted {
		// Evidence is held to the sizes that the estimate rests on. What is large all the
		// same is counted as it runs, too: two locks on one door.
		options = append(options, cel.CostLimit(maxRuleCost))
	}
	if c.program, err = m.env.Program(checked, options...); err != nil {
		return condition{}, []complaint{{1, err.Error()}}
	}
	return c, nil
}

// explainIssues turns the checker's findings into ours: a name that the purpose lock takes
// away is told from one that never was.
func (m *machine) explainIssues(text string, issues *cel.Issues) (all []complaint) {
	lines := strings.Split(text, "\n")
	for _, e := range issues.Errors() {
		what, _, _ := strings.Cut(strings.ReplaceAll(e.Message, "'@", "'"), "\n")
		row := max(e.Location.Line(), 1)
		if row <= len(lines) && strings.HasPrefix(what, "undefined field") {
			name := strings.Trim(strings.TrimPrefix(what, "undefined field "), "'")
			for _, path := range slices.Sorted(maps.Keys(m.locked)) {
				if group := m.locked[path]; strings.HasSuffix(path, "."+name) && strings.Contains(lines[row-1], path) {
					what = fmt.Sprintf("purpose lock: %s is of the group %q, which purpose.reads does not name", path, group)
				}
			}
		}
		all = append(all, complaint{row, what})
	}
	return all
}

// A walk looks at every node of a checked expression.
type walk struct {
	m          *machine
	ast        *ast.AST
	reads      claims
	lacks      []string
	complaints []complaint
}

func (w *walk) look(e ast.Expr) {
	switch e.Kind() {
	case ast.StructKind, ast.MapKind:
		w.complain(e, "objects cannot be made in a rule")
	case ast.SelectKind:
		if f := w.field(e); f != nil {
			w.reads |= f.claim
			if !f.kept && f.of != typeSets {
				w.lacks = append(w.lacks, f.path())
			}
		}
	case ast.CallKind:
		w.call(e)
	case ast.ComprehensionKind:
		name := e.AsComprehension().IterVar()
		if _, taken := variables()[name]; taken || name == "now" {
			w.complain(e, "%s has a meaning of its own: call each of the list otherwise", name)
		}
	}
}

func (w *walk) complain(e ast.Expr, format string, args ...any) {
	line := w.ast.SourceInfo().GetStartLocation(e.ID()).Line()
	w.complaints = append(w.complaints, complaint{max(line, 1), fmt.Sprintf(format, args...)})
}

// field is the vocabulary's entry for a select, or nil.
func (w *walk) field(e ast.Expr) *seen {
	if e.Kind() != ast.SelectKind {
		return nil
	}
	s := e.AsSelect()
	return w.m.fields[w.ast.GetType(s.Operand().ID()).TypeName()][s.FieldName()]
}

// call holds literals to the words that their other side can say: a rule for the colour
// "rde" would never match, and nobody would notice.
func (w *walk) call(e ast.Expr) {
	c := e.AsCall()
	args := c.Args()
	switch c.FunctionName() {
	case operators.Equals, operators.NotEquals:
		w.compare(args[0], args[1])
		w.compare(args[1], args[0])
	case operators.In:
		if args[1].Kind() == ast.ListKind {
			for _, item := range args[1].AsList().Elements() {
				w.compare(args[0], item)
			}
		}
	case "@risk":
		if !w.m.grades {
			w.complain(e, "there is no [risk] table that it could ask")
		}
	case "within":
		if s, ok := literal(args[1]); ok && !regionForm.MatchString(s) {
			w.complain(args[1], "%.20q is no region: want the form CN-33, CN-330100 or DE", s)
		}
	}
}

func (w *walk) compare(of, with ast.Expr) {
	s, ok := literal(with)
	if !ok {
		return
	}
	var name string
	var words []string
	if f := w.field(of); f != nil {
		name, words = f.name, f.words
	} else if of.Kind() == ast.CallKind && of.AsCall().FunctionName() == "@risk" {
		name, words = "risk", riskWords
	}
	if words != nil && !slices.Contains(words, s) {
		w.complain(with, "%s is never %.20q: it is one of %q", name, s, words)
	}
}

func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// A compiled expression, or what is wrong with it.
type compiled struct {
	condition  condition
	complaints []complaint
}

// compileAll readies the rules' expressions on all processors: a board takes up a policy of
// a thousand rules while people stand before it. Two rules that ask the same share it.
func (p *Policy) compileAll(rules []ruleDoc) {
	p.ready = map[string]compiled{}
	for i := range rules {
		p.ready[rules[i].When] = compiled{}
	}
	texts := slices.Collect(maps.Keys(p.ready))
	done := make([]compiled, len(texts))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(texts)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(texts)); i = next.Add(1) - 1 {
				done[i].condition, done[i].complaints = p.machine.compile(texts[i])
			}
		})
	}
	workers.Wait()
	for i, text := range texts {
		p.ready[text] = done[i]
	}
}

func (p *Policy) compiled(text string) (condition, []complaint) {
	if c, ok := p.ready[text]; ok {
		return c.condition, c.complaints
	}
	return p.machine.compile(text)
}
