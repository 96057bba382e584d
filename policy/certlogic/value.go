package certlogic

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"
)

// kind is a value's type. The zero value is null.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
	kindTime
)

// A Value is what an expression evaluates to: a JSON value or a date-time. The zero value
// is null.
type Value struct {
	kind   kind
	number float64 // of a boolean 1 for true; of a date-time milliseconds since 1970, UTC
	text   string
	items  []Value
	fields map[string]Value
}

// maxInteger is the largest number up to which all integers are exact in the JavaScript
// numbers that the specification speaks of: 2^53 - 1.
const maxInteger = 1<<53 - 1

func boolean(b bool) Value {
	if b {
		return Value{kind: kindBool, number: 1}
	}
	return Value{kind: kindBool}
}

func number(f float64) Value    { return Value{kind: kindNumber, number: f + 0} } // + 0: no negative zero
func text(s string) Value       { return Value{kind: kindString, text: s} }
func array(vs []Value) Value    { return Value{kind: kindArray, items: vs} }
func instant(milli int64) Value { return Value{kind: kindTime, number: float64(milli)} }

// Bool gives the value as a boolean; ok is false when it is none. Nothing but a boolean is
// taken for one.
func (v Value) Bool() (b, ok bool) { return v.number != 0, v.kind == kindBool }

func isInteger(f float64) bool { return f == math.Trunc(f) && math.Abs(f) <= maxInteger }

// truth gives whether a value counts as true or as false, by the specification's list; ok
// is false for what is neither: a number that is no integer, and a date-time.
func (v Value) truth() (b, ok bool) {
	switch v.kind {
	case kindNull:
		return false, true
	case kindBool:
		return v.number != 0, true
	case kindNumber:
		return v.number != 0, isInteger(v.number)
	case kindString:
		return v.text != "", true
	case kindArray:
		return len(v.items) > 0, true
	case kindObject:
		return len(v.fields) > 0, true
	}
	return false, false
}

// String names the value's type for messages; it never shows the value.
func (v Value) String() string {
	switch v.kind {
	case kindBool:
		return "a boolean"
	case kindNumber:
		if isInteger(v.number) {
			return "an integer"
		}
		return "a number that is no integer"
	case kindString:
		return "a string"
	case kindArray:
		return "an array"
	case kindObject:
		return "an object"
	case kindTime:
		return "a date-time"
	}
	return "null"
}

// readValue reads JSON of at most limit bytes.
func readValue(text []byte, limit int) (Value, error) {
	tree, err := decode(text, limit)
	if err != nil {
		return Value{}, err
	}
	return convert(tree, maxDepth)
}

// errDepth is the answer to nesting that no certificate and no rule has.
var errDepth = errors.New("nested deeper than " + strconv.Itoa(maxDepth) + " levels")

// convert makes a value of what encoding/json decoded.
func convert(tree any, depth int) (Value, error) {
	if depth == 0 {
		return Value{}, errDepth
	}
	switch t := tree.(type) {
	case bool:
		return boolean(t), nil
	case float64:
		return number(t), nil
	case string:
		return text(t), nil
	case []any:
		v := array(make([]Value, len(t)))
		for i := range t {
			var err error
			if v.items[i], err = convert(t[i], depth-1); err != nil {
				return Value{}, err
			}
		}
		return v, nil
	case map[string]any:
		v := Value{kind: kindObject, fields: make(map[string]Value, len(t))}
		for key := range t {
			field, err := convert(t[key], depth-1)
			if err != nil {
				return Value{}, err
			}
			v.fields[key] = field
		}
		return v, nil
	}
	return Value{}, nil
}

// MarshalJSON writes the value. A date-time becomes a string of milliseconds in UTC, as
// JavaScript's dates do: "2021-05-17T00:00:00.000Z". A value that a reduce has folded to
// more than 10,000 parts is an error.
func (v Value) MarshalJSON() ([]byte, error) {
	left := maxNodes
	return v.appendJSON(nil, &left)
}

func (v Value) appendJSON(b []byte, left *int) ([]byte, error) {
	if *left--; *left < 0 {
		return nil, errors.New("certlogic: value with more than " + strconv.Itoa(maxNodes) + " parts")
	}
	var err error
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(b, v.number != 0), nil
	case kindNumber, kindString:
		var plain any = v.number
		if v.kind == kindString {
			plain = v.text
		}
		part, err := json.Marshal(plain)
		return append(b, part...), err
	case kindTime:
		at := time.UnixMilli(int64(v.number)).UTC()
		return at.AppendFormat(b, `"2006-01-02T15:04:05.000Z"`), nil
	case kindArray:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = item.appendJSON(b, left); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case kindObject:
		keys := make([]string, 0, len(v.fields))
		for key := range v.fields {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		b = append(b, '{')
		for i, key := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			name, err := json.Marshal(key)
			if err != nil {
				return nil, err
			}
			b = append(append(b, name...), ':')
			if b, err = v.fields[key].appendJSON(b, left); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return append(b, "null"...), nil
}
