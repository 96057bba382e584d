package certlogic

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// evaluate parses, reads and evaluates; the result as JSON, or the error's text.
func evaluate(t *testing.T, logic, data string) string {
	t.Helper()
	e, err := Parse([]byte(logic))
	if err != nil {
		t.Fatalf("%s: %v", logic, err)
	}
	d, err := ReadData([]byte(data))
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	v, err := e.Eval(d)
	if err != nil {
		return "error: " + err.Error()
	}
	b, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOperatorsMeanWhatTheSpecificationSays(t *testing.T) {
	const data = `{"a":[1,"x",null,{"k":2}],"o":{"k":2,"0":"zero"},"p":{"k":2},"s":"xyz","f":1.5,"n":null,"e":{},"big":1e300,"z":-0.0}`
	for _, c := range []struct{ logic, want string }{
		// var
		{`{"var":"a.3.k"}`, `2`},
		{`{"var":"a.4"}`, `null`},
		{`{"var":"a.-1"}`, `null`},
		{`{"var":"a.length"}`, `null`},
		{`{"var":"a.1x"}`, `null`},
		{`{"var":"a.99999999999999999999"}`, `null`},
		{`{"var":"s.0"}`, `null`},
		{`{"var":"o.0"}`, `"zero"`},
		{`{"var":"o.toString"}`, `null`},
		{`{"var":"n.k"}`, `null`},
		// what counts as true
		{`{"!":[{"var":"e"}]}`, `true`},
		{`{"!":[{"var":"o"}]}`, `false`},
		{`{"!":[{"var":"f"}]}`, `error: !: operand 1 (var "f") is a number that is no integer, want a value that counts as true or false`},
		{`{"!":[{"var":"big"}]}`, `error: !: operand 1 (var "big") is a number that is no integer, want a value that counts as true or false`},
		{`{"if":[{"plusTime":["2021-01-01",0,"day"]},1,2]}`, `error: if: operand 1 (plusTime) is a date-time, want a value that counts as true or false`},
		{`{"var":"z"}`, `0`},
		// only the branch that is taken
		{`{"if":[true,1,{"plusTime":[{"var":"n"},0,"day"]}]}`, `1`},
		{`{"if":[false,{"+":["x",1]},2]}`, `2`},
		{`{"and":[true,0,{"+":["x",1]}]}`, `0`},
		{`{"and":[true,{"var":"f"}]}`, `error: and: operand 2 (var "f") is a number that is no integer, want a value that counts as true or false`},
		// ===
		{`{"===":[1,"1"]}`, `false`},
		{`{"===":[{"var":"n"},{"var":"nowhere"}]}`, `true`},
		{`{"===":[{"var":"n"},0]}`, `false`},
		{`{"===":[false,0]}`, `false`},
		{`{"===":[{"var":"o"},{"var":"p"}]}`, `false`},
		{`{"===":[{"var":"a.3"},{"var":"p"}]}`, `true`},
		{`{"===":[[1,[2]],[1,[2]]]}`, `true`},
		{`{"===":[{"plusTime":["2021-01-01",0,"day"]},{"plusTime":["2021-01-01T01:00:00+01:00",0,"day"]}]}`, `true`},
		// in
		{`{"in":["y",{"var":"s"}]}`, `error: in: operand 2 (var "s") is a string, want an array`},
		{`{"in":["y",{"var":"n"}]}`, `error: in: operand 2 (var "n") is null, want an array`},
		{`{"in":[{"var":"n"},{"var":"a"}]}`, `true`},
		{`{"in":[{"var":"p"},{"var":"a"}]}`, `true`},
		{`{"in":["1",{"var":"a"}]}`, `false`},
		// + and comparisons take integers alone
		{`{"+":[1,-3]}`, `-2`},
		{`{"+":["1",1]}`, `error: +: operand 1 (literal) is a string, want an integer`},
		{`{"+":[1,{"var":"n"}]}`, `error: +: operand 2 (var "n") is null, want an integer`},
		{`{"+":[9007199254740991,1]}`, `error: +: the sum is beyond 2^53`},
		{`{"<":[1,{"var":"n"}]}`, `error: <: operand 2 (var "n") is null, want an integer`},
		{`{"<":[2,1,"x"]}`, `error: <: operand 3 (literal) is a string, want an integer`},
		{`{"<":[1,{"var":"f"}]}`, `error: <: operand 2 (var "f") is a number that is no integer, want an integer`},
		{`{">":[3,2,1]}`, `true`},
		{`{">":[3,1,2]}`, `false`},
		{`{">=":[2,2]}`, `true`},
		{`{"<=":[1.0,1]}`, `true`},
		// date-times
		{`{"before":["2021-01-01",{"plusTime":["2021-01-02",0,"day"]}]}`, `error: before: operand 1 (literal) is a string, want a date-time`},
		{`{"plusTime":[{"plusTime":["2021-01-01",0,"day"]},0,"day"]}`, `error: plusTime: operand 1 (plusTime) is a date-time, want a string`},
		{`{"dccDateOfBirth":[{"var":"n"}]}`, `error: dccDateOfBirth: operand 1 (var "n") is null, want a string`},
		{`{"after":[{"plusTime":["2021-01-03",0,"day"]},{"plusTime":["2021-01-02",0,"day"]},{"plusTime":["2021-01-01",0,"day"]}]}`, `true`},
		// reduce
		{`{"reduce":[[1,2,3],{"+":[{"var":"accumulator"},{"var":"current"}]},0]}`, `6`},
		{`{"reduce":[{"var":"s"},1,0]}`, `error: reduce: operand 1 (var "s") is a string, want an array`},
		{`{"reduce":[[1],{"var":"a"},0]}`, `null`},
		{`{"reduce":[[1],{"var":""},0]}`, `{"accumulator":0,"current":1}`},
		{`{"reduce":[[[1,2],[3]],{"+":[{"var":"accumulator"},{"reduce":[{"var":"current"},{"+":[{"var":"accumulator"},{"var":"current"}]},0]}]},0]}`, `6`},
		// extractFromUVCI
		{`{"extractFromUVCI":[{"var":"f"},0]}`, `error: extractFromUVCI: operand 1 (var "f") is a number that is no integer, want a string or null`},
		{`{"extractFromUVCI":["URN:UVCI:01:XX:a/b#c",9007199254740991]}`, `null`},
		{`{"extractFromUVCI":["URN:UVCI:01:XX:a/b#c",4]}`, `"c"`},
		// arrays
		{`[1,{"var":"s"},[{"var":"n"}]]`, `[1,"xyz",[null]]`},
		// parts that are not valid matter where they are reached, and not before
		{`{"if":[true,1,null]}`, `1`},
		{`{"if":[false,1,null]}`, `error: invalid CertLogic expression`},
		{`{"or":[true,false]}`, `error: unrecognised operator: "or"`},
		{`{"!":[true,false]}`, `error: "!" takes 1 operand, not 2`},
		{`{"===":[1]}`, `error: "===" takes 2 operands, not 1`},
		{`{"<":[1,2,3,4]}`, `error: "<" takes 2 or 3 operands, not 4`},
		{`{"and":[true]}`, `error: "and" takes 2 operands or more, not 1`},
		{`{"plusTime":["2021-01-01",{"var":"a.0"},"day"]}`, `error: operand 2 must be an integer literal`},
		{`{"plusTime":["2021-01-01",1,"week"]}`, `error: operand 3 must be one of "year", "month", "day", "hour"`},
		{`{"var":"a..b"}`, `error: data access path doesn't have a valid format: a..b`},
		{`2.5`, `error: 2.5 is a non-integer number`},
	} {
		if got := evaluate(t, c.logic, data); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.logic, got, c.want)
		}
	}
}

func TestValidateNamesEveryWrongPart(t *testing.T) {
	e, err := Parse([]byte(`{"if":[{"foo":[]},{"===":[null]},{"plusTime":["x",1.5,"week"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, issue := range e.Validate() {
		got = append(got, issue.Message)
	}
	want := []string{
		`unrecognised operator: "foo"`,
		`"===" takes 2 operands, not 1`,
		`invalid CertLogic expression`,
		`operand 2 must be an integer literal`,
		`operand 3 must be one of "year", "month", "day", "hour"`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatComesInHasASize(t *testing.T) {
	nested := func(open, shut string, n int) string { return strings.Repeat(open, n) + "1" + strings.Repeat(shut, n) }
	for name, logic := range map[string]string{
		"not JSON":       `{"var":`,
		"nothing":        ``,
		"two":            `1 2`,
		"number":         `1e999`,
		"bytes":          `"` + strings.Repeat("x", maxLogic) + `"`,
		"depth":          nested("[", "]", maxDepth),
		"operators deep": nested(`{"!":[`, `]}`, maxDepth),
		"far too deep":   nested("[", "]", 20_000),
		"parts":          `[` + strings.Repeat("1,", maxNodes) + `1]`,
	} {
		if e, err := Parse([]byte(logic)); err == nil {
			t.Errorf("%s: parsed as %v, want an error", name, e.root.op)
		}
	}
	for name, data := range map[string]string{
		"bytes": `"` + strings.Repeat("x", maxData) + `"`,
		"depth": nested("[", "]", maxDepth),
	} {
		if _, err := ReadData([]byte(data)); err == nil {
			t.Errorf("data, %s: read, want an error", name)
		}
	}
}

func TestAnEvaluationEndsByItsSteps(t *testing.T) {
	long := `[` + strings.Repeat("1,", 2_000) + `1]`
	d, err := ReadData([]byte(fmt.Sprintf(`{"x":%s}`, long)))
	if err != nil {
		t.Fatal(err)
	}
	for _, logic := range []string{
		// rounds within rounds
		`{"reduce":[{"var":"x"},{"reduce":[[1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10],{"+":[{"var":"accumulator"},1]},0]},0]}`,
		// a value that doubles: small in memory, endless to compare
		`{"===":[{"reduce":[{"var":"x"},[{"var":"accumulator"},{"var":"accumulator"}],1]},{"reduce":[{"var":"x"},[{"var":"accumulator"},{"var":"accumulator"}],1]}]}`,
	} {
		e, err := Parse([]byte(logic))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := e.Eval(d); err == nil {
			t.Errorf("%s: %v, want an error", logic, v)
		}
	}
	// It cannot be written down either.
	e, err := Parse([]byte(`{"reduce":[{"var":"x"},[{"var":"accumulator"},{"var":"accumulator"}],1]}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Eval(d)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := v.MarshalJSON(); err == nil {
		t.Errorf("%d bytes of JSON, want an error", len(b))
	}
}

// What a message of an error quotes goes to screens and logs.
func TestErrorsNeverShowTheData(t *testing.T) {
	const secret = "1985-13-77"
	for _, logic := range []string{
		`{"plusTime":[{"var":"payload.dob"},0,"day"]}`,
		`{"dccDateOfBirth":[{"var":"payload.dob"}]}`,
		`{"+":[{"var":"payload.dob"},1]}`,
		`{"in":[1,{"var":"payload.dob"}]}`,
	} {
		got := evaluate(t, logic, `{"payload":{"dob":"`+secret+`"}}`)
		if !strings.HasPrefix(got, "error: ") || strings.Contains(got, secret) {
			t.Errorf("%s: %s, want an error without the date", logic, got)
		}
	}
	if _, err := ReadData([]byte(`{"dob":"` + secret + `",,}`)); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("%v, want an error without the date", err)
	}
}

func TestReadingALongTextOftenEnds(t *testing.T) {
	text := strings.Repeat("1", 40<<10)
	data, err := ReadData([]byte(`{"many": [` + strings.Repeat("0,", 9_999) + `0], "text": "` + text + `", "date": "2021-05-17T00:00:00.` + text + `Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ each, start string }{
		"identifier": {`{"extractFromUVCI": [{"var": "accumulator"}, 9]}`, "text"},
		"date-time":  {`{"after": [{"plusTime": [{"var": "accumulator"}, 0, "day"]}, {"plusTime": ["1970", 0, "day"]}]}`, "date"},
		"equal":      {`{"===": [{"var": "accumulator"}, {"var": "accumulator"}]}`, "text"},
	} {
		e, err := Parse([]byte(`{"reduce": [{"var": "many"}, {"if": [{"and": [` + c.each + `, false]}, 0, {"var": "accumulator"}]}, {"var": "` + c.start + `"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Eval(data); !errors.Is(err, errSteps) {
			t.Errorf("%s: %v, want %v", name, err, errSteps)
		}
	}
}
