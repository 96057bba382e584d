package certlogic

import (
	"errors"
	"fmt"
)

// run is one evaluation: what is left of its steps.
type run struct{ steps int }

// A scope is what var sees: the data, or inside a reduce the item and what was folded so
// far.
type scope struct {
	root        Value
	reducing    bool
	current     Value
	accumulator Value
}

// wholeScope is how many steps it costs to make an object of a reduce's scope, after its
// size beside that of other values.
const wholeScope = 10

// spend takes n steps; it reports whether there were that many left.
func (r *run) spend(n int) bool {
	if n > r.steps {
		r.steps = 0
		return false
	}
	r.steps -= n
	return true
}

// textStep is how many bytes of a text may be read for one step.
const textStep = 64

// spendText takes the steps for reading a text through: without them a long one that is
// asked for often would cost seconds within the limits.
func (r *run) spendText(s string) bool { return r.spend(len(s) / textStep) }

func (r *run) eval(n *node, s *scope) (Value, error) {
	if !r.spend(1) {
		return Value{}, errSteps
	}
	switch n.op {
	case opLiteral:
		return *n.literal, nil
	case opVar:
		if s.reducing && len(n.path) == 0 && !r.spend(wholeScope) {
			return Value{}, errSteps
		}
		return s.find(n.path), nil
	case opArray:
		return r.array(n, s)
	case opIf:
		return r.branch(n, s)
	case opAnd:
		return r.and(n, s)
	case opNot:
		holds, err := r.condition(n, 0, s)
		return boolean(!holds), err
	case opSame, opIn, opPlus:
		return r.binary(n, s)
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		return r.compare(n, s, kindNumber)
	case opBefore, opNotAfter, opAfter, opNotBefore:
		return r.compare(n, s, kindTime)
	case opPlusTime, opBirth:
		return r.time(n, s)
	case opReduce:
		return r.reduce(n, s)
	case opExtract:
		return r.extract(n, s)
	}
	if n.name == "" {
		return Value{}, errors.New("no expression")
	}
	return Value{}, errors.New(n.name)
}

// wrong is the error of an operand whose type the operator does not take.
func wrong(n *node, i int, got Value, want string) error {
	return fmt.Errorf("%s: operand %d (%s) is %s, want %s", n.name, i+1, &n.args[i], got, want)
}

// array evaluates the items one by one.
func (r *run) array(n *node, s *scope) (Value, error) {
	items := make([]Value, len(n.args))
	for i := range n.args {
		var err error
		if items[i], err = r.eval(&n.args[i], s); err != nil {
			return Value{}, err
		}
	}
	return array(items), nil
}

// condition evaluates operand i and asks whether it counts as true.
func (r *run) condition(n *node, i int, s *scope) (bool, error) {
	v, err := r.eval(&n.args[i], s)
	if err != nil {
		return false, err
	}
	holds, ok := v.truth()
	if !ok {
		return false, wrong(n, i, v, "a value that counts as true or false")
	}
	return holds, nil
}

// branch is "if": only the branch that is taken is evaluated.
func (r *run) branch(n *node, s *scope) (Value, error) {
	holds, err := r.condition(n, 0, s)
	if err != nil {
		return Value{}, err
	}
	if holds {
		return r.eval(&n.args[1], s)
	}
	return r.eval(&n.args[2], s)
}

// and gives the first operand that counts as false, else the last. Operands behind that
// one are not evaluated.
func (r *run) and(n *node, s *scope) (Value, error) {
	var v Value
	for i := range n.args {
		var err error
		if v, err = r.eval(&n.args[i], s); err != nil {
			return Value{}, err
		}
		holds, ok := v.truth()
		if !ok {
			return Value{}, wrong(n, i, v, "a value that counts as true or false")
		}
		if !holds {
			return v, nil
		}
	}
	return v, nil
}

// find follows a path into the data. What is not there is null.
func (s *scope) find(path []fragment) Value {
	v := s.root
	if s.reducing {
		if len(path) == 0 {
			return Value{kind: kindObject, fields: map[string]Value{"current": s.current, "accumulator": s.accumulator}}
		}
		switch path[0].key {
		case "current":
			v = s.current
		case "accumulator":
			v = s.accumulator
		default:
			return Value{}
		}
		path = path[1:]
	}
	for _, f := range path {
		switch {
		case v.kind == kindObject:
			v = v.fields[f.key]
		case v.kind == kindArray && f.index >= 0 && f.index < len(v.items):
			v = v.items[f.index]
		default:
			return Value{}
		}
	}
	return v
}

// reduce folds an array from the left. Its lambda sees {"current", "accumulator"} and
// nothing of the data around it. An array that is null is folded like an empty one: the
// specification's test suite wants that, its text says nothing of it.
func (r *run) reduce(n *node, s *scope) (Value, error) {
	over, err := r.eval(&n.args[0], s)
	if err != nil {
		return Value{}, err
	}
	if over.kind != kindArray && over.kind != kindNull {
		return Value{}, wrong(n, 0, over, "an array")
	}
	folded, err := r.eval(&n.args[2], s)
	if err != nil {
		return Value{}, err
	}
	for _, item := range over.items {
		inner := scope{reducing: true, current: item, accumulator: folded}
		if folded, err = r.eval(&n.args[1], &inner); err != nil {
			return Value{}, err
		}
	}
	return folded, nil
}

// extract gives one fragment of a certificate's identifier, null when there is none.
func (r *run) extract(n *node, s *scope) (Value, error) {
	v, err := r.eval(&n.args[0], s)
	if err != nil || v.kind == kindNull {
		return Value{}, err
	}
	if v.kind != kindString {
		return Value{}, wrong(n, 0, v, "a string or null")
	}
	if !r.spendText(v.text) {
		return Value{}, errSteps
	}
	fragment, ok := uvciFragment(v.text, n.n)
	if !ok {
		return Value{}, nil
	}
	return text(fragment), nil
}
