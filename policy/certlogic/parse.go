package certlogic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A node is one part of an expression.
type node struct {
	op      op
	unit    unit       // of plusTime
	n       int64      // amount of plusTime, index of extractFromUVCI
	name    string     // the operator's name, the path of a var; why an invalid part is invalid
	literal *Value     // of a literal
	path    []fragment // of a var
	args    []node
}

// A fragment is one step of a path: a key of an object, and the index of an array when it
// is written in digits alone.
type fragment struct {
	key   string
	index int // -1 for none
}

// builder makes nodes of decoded JSON and notes what is wrong with them.
type builder struct {
	nodes  int // still allowed
	issues []Issue
	err    error // a limit was reached
}

func literal(v Value) node { return node{op: opLiteral, literal: &v} }

// invalid notes an issue and gives the node that stands for the wrong part.
func (b *builder) invalid(part any, message string) node {
	if len(b.issues) < maxIssues {
		shown, err := json.Marshal(part)
		if err != nil && b.err == nil {
			b.err = err
		}
		b.issues = append(b.issues, Issue{Expr: string(shown), Message: message})
	}
	return node{name: message}
}

func (b *builder) build(part any, depth int) node {
	if b.nodes--; b.nodes < 0 && b.err == nil {
		b.err = fmt.Errorf("more than %d parts", maxNodes)
	}
	if depth == 0 && b.err == nil {
		b.err = errDepth
	}
	if b.err != nil {
		return node{}
	}
	switch p := part.(type) {
	case string:
		return literal(text(p))
	case bool:
		return literal(boolean(p))
	case float64:
		if !isInteger(p) {
			shown, err := json.Marshal(p)
			if err != nil && b.err == nil {
				b.err = err
			}
			return b.invalid(part, string(shown)+" is a non-integer number")
		}
		return literal(number(p))
	case []any:
		return b.array(p, depth)
	case map[string]any:
		return b.operation(p, depth)
	}
	return b.invalid(part, "invalid CertLogic expression")
}

// array builds an array; one of literals alone becomes a literal itself, so that the lists
// of codes in the published rules cost nothing when they are asked.
func (b *builder) array(items []any, depth int) node {
	n := node{op: opArray, args: make([]node, len(items))}
	constant := make([]Value, 0, len(items))
	for i := range items {
		n.args[i] = b.build(items[i], depth-1)
		if n.args[i].op == opLiteral {
			constant = append(constant, *n.args[i].literal)
		}
	}
	if len(constant) == len(items) {
		return literal(array(constant))
	}
	return n
}

func (b *builder) operation(object map[string]any, depth int) node {
	if len(object) != 1 {
		return b.invalid(object, fmt.Sprintf("expression object must have exactly one key, but it has %d", len(object)))
	}
	var name string
	var operand any
	for name, operand = range object {
	}
	if name == "var" {
		return b.variable(object, operand)
	}
	operands, ok := operand.([]any)
	if !ok {
		return b.invalid(object, `operation not of the form { "<operator>": [ <values...> ] }`)
	}
	s, ok := operator(name)
	if !ok {
		return b.invalid(object, fmt.Sprintf("unrecognised operator: %q", name))
	}
	n := node{op: s.op, name: name}
	if len(operands) < s.least || len(operands) > s.most {
		n = b.invalid(object, fmt.Sprintf("%q takes %s, not %d", name, s.counts(), len(operands)))
	}
	operands = operands[:min(len(operands), s.most)]
	if s.op == opPlusTime || s.op == opExtract {
		return b.literals(n, object, operands, depth)
	}
	n.args = make([]node, len(operands))
	for i := range operands {
		n.args[i] = b.build(operands[i], depth-1)
	}
	return n
}

// literals builds the operations whose operands after the first stand there as literals.
func (b *builder) literals(n node, object map[string]any, operands []any, depth int) node {
	if len(operands) > 0 {
		n.args = []node{b.build(operands[0], depth-1)}
	}
	if len(operands) > 1 {
		f, ok := operands[1].(float64)
		if !ok || !isInteger(f) {
			n = b.invalid(object, "operand 2 must be an integer literal")
		}
		n.n = int64(f)
	}
	if len(operands) > 2 {
		name, _ := operands[2].(string)
		var ok bool
		if n.unit, ok = unitNamed(name); !ok {
			n = b.invalid(object, `operand 3 must be one of "year", "month", "day", "hour"`)
		}
	}
	return n
}

func (b *builder) variable(object map[string]any, operand any) node {
	path, ok := operand.(string)
	if !ok {
		return b.invalid(object, `not of the form { "var": "<path>" }`)
	}
	n := node{op: opVar, name: path}
	if path == "" {
		return n
	}
	keys := strings.Split(path, ".")
	if len(keys) > maxDepth {
		return b.invalid(object, fmt.Sprintf("data access path with more than %d fragments", maxDepth))
	}
	for _, key := range keys {
		if key == "" {
			return b.invalid(object, "data access path doesn't have a valid format: "+path)
		}
		n.path = append(n.path, fragment{key: key, index: index(key)})
	}
	return n
}

// index reads a path's fragment as an array's index; -1 when it is none.
func index(key string) int {
	if strings.Trim(key, "0123456789") != "" {
		return -1
	}
	i, err := strconv.Atoi(key)
	if errors.Is(err, strconv.ErrRange) {
		return -1
	}
	return i
}

// String names a node for messages.
func (n *node) String() string {
	switch n.op {
	case opVar:
		return fmt.Sprintf("var %q", n.name)
	case opLiteral:
		return "literal"
	case opArray:
		return "array"
	case opInvalid:
		return "invalid part"
	}
	return n.name
}
