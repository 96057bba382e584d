// Package certlogic runs the acceptance rules that EU member states publish, as they are.
//
// A rule's logic is an expression in CertLogic, a small language written in JSON
// (github.com/ehn-dcc-development/eu-dcc-business-rules, specification 1.3). Parse reads an
// expression once; Eval runs it over a certificate as often as is wanted, from as many
// goroutines as are wanted. Rules, Applicable and Judge are the published rules around it.
//
// What comes in is bounded in bytes, depth, nodes and steps, and no input panics. An
// evaluation that meets what the specification calls an error ends with an error, never
// with a guess: a rule that cannot be computed has neither passed nor failed.
package certlogic

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The limits. The largest of 152 published expressions has 730 bytes, 15 levels and 86
// nodes; the largest data that they are tested with has 4 KiB and 4 levels.
const (
	maxLogic   = 64 << 10  // bytes of one expression
	maxPayload = 64 << 10  // bytes of one certificate
	maxData    = 256 << 10 // bytes of a whole data context, and of the value sets
	maxDepth   = 128       // levels of nesting, in expressions and in data
	maxNodes   = 10_000    // of one expression
	maxSteps   = 100_000   // of one evaluation: nodes visited, items compared, rounds of a reduce, 64 bytes of a text
	maxIssues  = 64        // that Validate tells of one expression
)

// errSteps ends an evaluation that would take too long.
var errSteps = fmt.Errorf("more than %d steps", maxSteps)

// An Expr is a parsed expression. It never changes, so that many goroutines may run it at
// once. The zero value evaluates to an error.
type Expr struct {
	root   node
	parts  int // how many nodes it has, constant ones included
	issues []Issue
}

// An Issue is one place where an expression is not as the specification wants it.
type Issue struct {
	Expr    string // the part that is wrong, as JSON
	Message string
}

// Parse reads an expression. It is an error when logic is not JSON or exceeds a limit. An
// operation that is not as the specification wants it is no error here, since a published
// rule may hold one where no certificate ever leads: Validate tells of it, and an
// evaluation that comes to it is an error.
func Parse(logic []byte) (*Expr, error) {
	tree, err := decode(logic, maxLogic)
	if err != nil {
		return nil, fmt.Errorf("certlogic expression: %w", err)
	}
	b := builder{nodes: maxNodes}
	e := &Expr{root: b.build(tree, maxDepth)}
	if b.err != nil {
		return nil, fmt.Errorf("certlogic expression: %w", b.err)
	}
	e.parts, e.issues = maxNodes-b.nodes, b.issues
	return e, nil
}

// Validate tells where the expression departs from the specification, the outer part
// before the inner; nothing for one that is valid. The words are those of the
// specification's validation test suite where that suite fixes them.
func (e *Expr) Validate() []Issue { return e.issues }

// Data is what an expression is evaluated on: for a rule, an object of "payload" and
// "external". The zero value is null.
type Data struct{ root Value }

// ReadData reads a data context from JSON, at most 256 KiB and 128 levels of it. Of an
// object's equal keys the last one counts, as in every implementation of CertLogic.
func ReadData(text []byte) (Data, error) {
	v, err := readValue(text, maxData)
	if err != nil {
		return Data{}, fmt.Errorf("certlogic data: %w", err)
	}
	return Data{v}, nil
}

// Eval evaluates the expression on d. An error means that the specification gives the
// expression no value on these data. Its text names operators, paths and types, never a
// value out of d.
func (e *Expr) Eval(d Data) (Value, error) {
	r := run{steps: maxSteps}
	return r.eval(&e.root, &scope{root: d.root})
}

// decode reads JSON of at most limit bytes.
func decode(text []byte, limit int) (any, error) {
	if len(text) > limit {
		return nil, fmt.Errorf("%d bytes, at most %d are read", len(text), limit)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		// The decoder's own error may quote what it read.
		var at *json.SyntaxError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("not JSON at byte %d", at.Offset)
		}
		return nil, errors.New("JSON with a number that is out of range")
	}
	return tree, nil
}
