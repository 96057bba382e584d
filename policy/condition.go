package policy

import (
	"fmt"

	"cel.dev/cel-go/cel"
)

// A condition is an expression, checked and ready. What of it compares one word, one number
// or one time is answered by guards; only what is left is worth the expression machine.
type condition struct {
	guards  []guard
	numbers []numberGuard
	regions []area      // the issuer has to be within each
	program cel.Program // nil: the guards say it all
	ast     *cel.Ast    // nil: as above
	text    string
	reads   claims
	lacks   []string // names that it reads and a row of the book does not keep
	cost    uint64
}

// holds asks the condition: the words first, then the numbers and the regions, then the
// machine about what is left. One part that is false makes it false, even where another
// cannot tell; that is how the machine reckons, too.
func (c *condition) holds(p *person) (bool, error) {
	told := c.ask(p)
	switch {
	case told == isNot:
		return false, nil
	case c.program == nil && told == cannotTell:
		return false, fmt.Errorf("%s is not stated", c.unstated(p))
	case c.program == nil:
		return true, nil
	}
	v, _, err := c.program.Eval(p)
	if err != nil {
		return false, err
	}
	held, ok := v.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it gives %v, not true or false", v.Type())
	}
	return held, nil
}

// ask asks the guards alone.
func (c *condition) ask(p *person) answer {
	for _, g := range c.guards {
		if g.mask>>p.words[g.slot]&1 == 0 {
			return isNot
		}
	}
	told := isSo
	for i := range c.numbers {
		switch c.numbers[i].ask(p) {
		case isNot:
			return isNot
		case cannotTell:
			told = cannotTell
		}
	}
	for _, region := range c.regions {
		if !region.holds(p.pass.Issuer) {
			return isNot
		}
	}
	return told
}

// unstated is the first name that a guard could not tell of.
func (c *condition) unstated(p *person) string {
	for i := range c.numbers {
		if c.numbers[i].ask(p) == cannotTell {
			return c.numbers[i].field
		}
	}
	return "something"
}
