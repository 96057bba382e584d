package policy

import (
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"gatehouse"
)

// A guard asks whether the word in a slot is one of a set of words.
type guard struct {
	slot int
	mask uint32
}

// A numberGuard compares a number of the person with one of the rule. known is false where
// the code does not state it; to compare it then is an error, as it is for the machine.
type numberGuard struct {
	of    func(*person) (v float64, known bool)
	op    string
	with  float64
	field string
	kept  bool // whether a row of the book still tells it
}

// answer is what a guard or a condition comes to.
type answer uint8

const (
	isNot answer = iota
	isSo
	cannotTell
)

func (g *numberGuard) ask(p *person) answer {
	v, known := g.of(p)
	if !known {
		return cannotTell
	}
	var held bool
	switch g.op {
	case operators.Less:
		held = v < g.with
	case operators.LessEquals:
		held = v <= g.with
	case operators.Greater:
		held = v > g.with
	case operators.GreaterEquals:
		held = v >= g.with
	}
	if held {
		return isSo
	}
	return isNot
}

// mirrored gives an operator as it reads from the other side; empty for what orders nothing.
func mirrored(op string) string {
	switch op {
	case operators.Less:
		return operators.Greater
	case operators.LessEquals:
		return operators.GreaterEquals
	case operators.Greater:
		return operators.Less
	case operators.GreaterEquals:
		return operators.LessEquals
	}
	return ""
}

// numberGuard reads "hours_since(pass.issued) > 12", "skin.celsius >= 37.3" and
// "has(pass.since)".
func (w *walk) numberGuard(e ast.Expr) (g numberGuard, ok bool) {
	if f := w.field(e); f != nil && f.time != nil && e.AsSelect().IsTestOnly() {
		return numberGuard{op: operators.Greater, with: 0, field: f.name, kept: f.kept, of: func(p *person) (float64, bool) {
			if f.time(p).IsZero() {
				return 0, true
			}
			return 1, true
		}}, true
	}
	if e.Kind() != ast.CallKind || mirrored(e.AsCall().FunctionName()) == "" {
		return g, false
	}
	g.op = e.AsCall().FunctionName()
	of, with := e.AsCall().Args()[0], e.AsCall().Args()[1]
	if of.Kind() == ast.LiteralKind {
		of, with, g.op = with, of, mirrored(g.op)
	}
	if with.Kind() != ast.LiteralKind {
		return g, false
	}
	switch v := with.AsLiteral().(type) {
	case types.Int:
		g.with = float64(v)
	case types.Double:
		g.with = float64(v)
	default:
		return g, false
	}
	if f := w.field(of); f != nil && f.number != nil && !of.AsSelect().IsTestOnly() {
		g.kept, g.of = f.kept, func(p *person) (float64, bool) { return f.number(p), true }
		return g, true
	}
	f, measure := w.elapsed(of)
	if f == nil {
		return g, false
	}
	g.field, g.kept, g.of = f.name, f.kept, func(p *person) (float64, bool) {
		t := f.time(p)
		if t.IsZero() {
			return 0, false
		}
		return measure(p.e.At, t), true
	}
	return g, true
}

// elapsed reads "hours_since(x)" and its like over a time of the vocabulary.
func (w *walk) elapsed(e ast.Expr) (f *seen, measure func(now, t time.Time) float64) {
	if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 || e.AsCall().Args()[0].Kind() != ast.IdentKind {
		return nil, nil
	}
	f = w.field(e.AsCall().Args()[1])
	if f == nil || f.time == nil || e.AsCall().Args()[0].AsIdent() != "now" {
		return nil, nil
	}
	switch z := w.m.zone; e.AsCall().FunctionName() {
	case "@hours_since":
		return f, func(now, t time.Time) float64 { return now.Sub(t).Hours() }
	case "@seconds_since":
		return f, func(now, t time.Time) float64 { return now.Sub(t).Seconds() }
	case "@days_since":
		return f, func(now, t time.Time) float64 { return float64(z.days(t, now)) }
	}
	return nil, nil
}

// listGuard reads a loop of the kind "any of these": over a list without elements it is
// false, whatever it asks of each.
func (w *walk) listGuard(e ast.Expr) (g numberGuard, ok bool) {
	if e.Kind() != ast.ComprehensionKind {
		return g, false
	}
	c := e.AsComprehension()
	f := w.field(c.IterRange())
	if f == nil || f.kind == "" || c.AccuInit().Kind() != ast.LiteralKind || c.AccuInit().AsLiteral() != types.False ||
		c.Result().Kind() != ast.IdentKind || c.Result().AsIdent() != c.AccuVar() {
		return g, false
	}
	return numberGuard{op: operators.Greater, with: 0, field: f.name, of: func(p *person) (float64, bool) {
		facts := p.pass.Facts
		if f.of == typeSecond {
			facts = p.second().Facts
		}
		for i := range facts {
			if facts[i].Kind == f.kind {
				return 1, true
			}
		}
		return 0, true
	}}, true
}

// conjuncts are the parts of an expression that all have to hold.
func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		var all []ast.Expr
		for _, a := range e.AsCall().Args() {
			all = append(all, conjuncts(a)...)
		}
		return all
	}
	return []ast.Expr{e}
}

// guard takes one part of a conjunction out of the expression machine's hands, when it
// compares one word, one number or one time, or asks for a region of the issuer. It gives
// false when it cannot.
func (w *walk) guard(e ast.Expr, c *condition) bool {
	if e.Kind() == ast.LiteralKind {
		return e.AsLiteral() == types.True
	}
	if slot, mask, ok := w.mask(e); ok {
		c.guards = append(c.guards, guard{slot, mask})
		return true
	}
	if n, ok := w.numberGuard(e); ok {
		c.numbers = append(c.numbers, n)
		return true
	}
	if n, ok := w.listGuard(e); ok {
		// Without a fact of the kind the loop finds nothing; with one it has to look.
		c.numbers = append(c.numbers, n)
		return false
	}
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "within" {
		args := e.AsCall().Args()
		if s, ok := literal(args[1]); ok && args[0].Kind() == ast.IdentKind && args[0].AsIdent() == "issuer" {
			c.regions = append(c.regions, areaOf(gatehouse.Issuer(s)))
			return true
		}
	}
	return false
}

// mask reads an expression that asks for the words of one field, with ==, !=, in, !, ||
// and && between.
func (w *walk) mask(e ast.Expr) (slot int, mask uint32, ok bool) {
	if f := w.field(e); f != nil && f.slot >= 0 && f.typ == cel.BoolType && !e.AsSelect().IsTestOnly() {
		return f.slot, 0b10, true
	}
	if e.Kind() != ast.CallKind {
		return 0, 0, false
	}
	c := e.AsCall()
	args := c.Args()
	switch c.FunctionName() {
	case operators.Equals, operators.NotEquals:
		f, s := args[0], args[1]
		if _, ok := literal(f); ok {
			f, s = s, f
		}
		slot, mask, ok = w.wordMask(f, s)
		if c.FunctionName() == operators.NotEquals {
			mask = ^mask
		}
		return slot, mask, ok
	case operators.In:
		if args[1].Kind() != ast.ListKind || args[1].AsList().Size() == 0 {
			return 0, 0, false
		}
		for _, item := range args[1].AsList().Elements() {
			at, m, ok := w.wordMask(args[0], item)
			if !ok {
				return 0, 0, false
			}
			slot, mask = at, mask|m
		}
		return slot, mask, true
	case operators.LogicalNot:
		slot, mask, ok = w.mask(args[0])
		return slot, ^mask, ok
	case operators.LogicalOr, operators.LogicalAnd:
		for i, a := range args {
			at, m, ok := w.mask(a)
			switch {
			case !ok || i > 0 && at != slot:
				return 0, 0, false
			case i == 0:
				slot, mask = at, m
			case c.FunctionName() == operators.LogicalOr:
				mask |= m
			default:
				mask &= m
			}
		}
		return slot, mask, true
	}
	return 0, 0, false
}

func (w *walk) wordMask(of, with ast.Expr) (slot int, mask uint32, ok bool) {
	f := w.field(of)
	s, isLiteral := literal(with)
	if f == nil || f.slot < 0 || !isLiteral || of.AsSelect().IsTestOnly() {
		return 0, 0, false
	}
	i := slices.Index(f.words, s)
	return f.slot, 1 << max(i, 0), i >= 0
}
