package certlogic

import (
	"errors"
	"math"
	"strings"
)

// binary evaluates both operands of "===", "in" and "+", then the operator.
func (r *run) binary(n *node, s *scope) (Value, error) {
	left, err := r.eval(&n.args[0], s)
	if err != nil {
		return Value{}, err
	}
	right, err := r.eval(&n.args[1], s)
	if err != nil {
		return Value{}, err
	}
	switch n.op {
	case opIn:
		if right.kind != kindArray {
			return Value{}, wrong(n, 1, right, "an array")
		}
		return r.member(left, right.items)
	case opPlus:
		return plus(n, left, right)
	}
	same, err := r.same(left, right, maxDepth)
	return boolean(same), err
}

// member reports whether v is one of the items, compared as by "===".
func (r *run) member(v Value, items []Value) (Value, error) {
	for i := range items {
		same, err := r.same(v, items[i], maxDepth)
		if same || err != nil {
			return boolean(same), err
		}
	}
	return boolean(false), nil
}

// plus adds integers. A sum whose exactness JavaScript's numbers would lose is an error.
func plus(n *node, left, right Value) (Value, error) {
	if left.kind != kindNumber || !isInteger(left.number) {
		return Value{}, wrong(n, 0, left, "an integer")
	}
	if right.kind != kindNumber || !isInteger(right.number) {
		return Value{}, wrong(n, 1, right, "an integer")
	}
	sum := left.number + right.number
	if math.Abs(sum) > maxInteger {
		return Value{}, errors.New("+: the sum is beyond 2^53")
	}
	return number(sum), nil
}

// same is "===": equal in type and in content. Arrays and objects are compared by what
// they hold, date-times by their instant: values of CertLogic have no identity.
func (r *run) same(a, b Value, depth int) (bool, error) {
	if !r.spend(1) {
		return false, errSteps
	}
	if depth == 0 {
		return false, errDepth
	}
	if a.kind != b.kind {
		return false, nil
	}
	switch a.kind {
	case kindString:
		if len(a.text) != len(b.text) {
			return false, nil
		}
		if !r.spendText(a.text) {
			return false, errSteps
		}
		return a.text == b.text, nil
	case kindArray:
		if len(a.items) != len(b.items) {
			return false, nil
		}
		for i := range a.items {
			if same, err := r.same(a.items[i], b.items[i], depth-1); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case kindObject:
		if len(a.fields) != len(b.fields) {
			return false, nil
		}
		for key := range a.fields {
			other, ok := b.fields[key]
			if !ok {
				return false, nil
			}
			if same, err := r.same(a.fields[key], other, depth-1); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return a.number == b.number, nil
}

// compare orders two or three operands, integers or date-times. All of them are evaluated
// and must be of that kind, whatever the first two say.
func (r *run) compare(n *node, s *scope, want kind) (Value, error) {
	var at [3]float64
	for i := range n.args {
		v, err := r.eval(&n.args[i], s)
		if err != nil {
			return Value{}, err
		}
		switch {
		case v.kind != want && want == kindTime:
			return Value{}, wrong(n, i, v, "a date-time")
		case v.kind != want || want == kindNumber && !isInteger(v.number):
			return Value{}, wrong(n, i, v, "an integer")
		}
		at[i] = v.number
	}
	holds := true
	for i := 1; i < len(n.args); i++ {
		holds = holds && ordered(n.op, at[i-1], at[i])
	}
	return boolean(holds), nil
}

func ordered(o op, a, b float64) bool {
	switch o {
	case opLess, opBefore:
		return a < b
	case opLessEqual, opNotAfter:
		return a <= b
	case opGreater, opAfter:
		return a > b
	}
	return a >= b
}

// uvciPrefix may stand before an identifier and is not counted as fragments of it.
const uvciPrefix = "URN:UVCI:"

// uvciFragment gives the fragment of an identifier at index, counted from 0. Fragments are
// what stands between "/", "#" and ":", and may be empty.
func uvciFragment(uvci string, index int64) (string, bool) {
	if index < 0 {
		return "", false
	}
	rest := strings.TrimPrefix(uvci, uvciPrefix)
	for {
		end := strings.IndexAny(rest, "/#:")
		switch {
		case index == 0 && end < 0:
			return rest, true
		case index == 0:
			return rest[:end], true
		case end < 0:
			return "", false
		}
		rest = rest[end+1:]
		index--
	}
}
