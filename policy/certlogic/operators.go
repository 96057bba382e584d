package certlogic

import "fmt"

// op is what a node does. The zero value is a part that cannot be evaluated.
type op uint8

const (
	opInvalid op = iota
	opLiteral
	opArray
	opVar
	opIf
	opAnd
	opNot
	opSame
	opIn
	opPlus
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opBefore
	opNotAfter
	opAfter
	opNotBefore
	opPlusTime
	opReduce
	opExtract
	opBirth
)

// shape says how many operands an operator takes.
type shape struct {
	op          op
	least, most int
}

// operator finds an operator by its name in the specification.
func operator(name string) (shape, bool) {
	switch name {
	case "if":
		return shape{op: opIf, least: 3, most: 3}, true
	case "and":
		return shape{op: opAnd, least: 2, most: maxNodes}, true
	case "!":
		return shape{op: opNot, least: 1, most: 1}, true
	case "===":
		return shape{op: opSame, least: 2, most: 2}, true
	case "in":
		return shape{op: opIn, least: 2, most: 2}, true
	case "+":
		return shape{op: opPlus, least: 2, most: 2}, true
	case "<":
		return shape{op: opLess, least: 2, most: 3}, true
	case "<=":
		return shape{op: opLessEqual, least: 2, most: 3}, true
	case ">":
		return shape{op: opGreater, least: 2, most: 3}, true
	case ">=":
		return shape{op: opGreaterEqual, least: 2, most: 3}, true
	case "before":
		return shape{op: opBefore, least: 2, most: 3}, true
	case "not-after":
		return shape{op: opNotAfter, least: 2, most: 3}, true
	case "after":
		return shape{op: opAfter, least: 2, most: 3}, true
	case "not-before":
		return shape{op: opNotBefore, least: 2, most: 3}, true
	case "plusTime":
		return shape{op: opPlusTime, least: 3, most: 3}, true
	case "reduce":
		return shape{op: opReduce, least: 3, most: 3}, true
	case "extractFromUVCI":
		return shape{op: opExtract, least: 2, most: 2}, true
	case "dccDateOfBirth":
		return shape{op: opBirth, least: 1, most: 1}, true
	}
	return shape{}, false
}

func (s shape) counts() string {
	switch {
	case s.op == opAnd:
		return "2 operands or more"
	case s.most > s.least:
		return fmt.Sprintf("%d or %d operands", s.least, s.most)
	case s.most == 1:
		return "1 operand"
	}
	return fmt.Sprintf("%d operands", s.least)
}
