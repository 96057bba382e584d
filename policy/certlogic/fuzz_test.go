package certlogic

import (
	"encoding/json"
	"testing"
)

// Whatever an expression and the data are, they end in a value or an error, and twice in
// the same.
func FuzzEval(f *testing.F) {
	f.Add([]byte(`{"if":[{"var":"payload.v.0"},{">=":[{"var":"payload.v.0.dn"},2]},true]}`), []byte(`{"payload":{"v":[{"dn":2}]}}`))
	f.Fuzz(func(t *testing.T, logic, data []byte) {
		e, err := Parse(logic)
		if err != nil {
			return
		}
		d, err := ReadData(data)
		if err != nil {
			return
		}
		v, err := e.Eval(d)
		again, err2 := e.Eval(d)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("first %v, then %v", err, err2)
		}
		if err != nil {
			return
		}
		one, err := v.MarshalJSON()
		two, err2 := again.MarshalJSON()
		if string(one) != string(two) || (err == nil) != (err2 == nil) {
			t.Fatalf("first %s, then %s", one, two)
		}
		if err == nil && !json.Valid(one) {
			t.Fatalf("%q is not JSON", one)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	f.Add("2021-02-03T04:05:06.789+01:30")
	f.Fuzz(func(t *testing.T, s string) {
		milli, ok := parseTime(s)
		if !ok {
			return
		}
		written, err := instant(milli).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		// A zone can carry the first and the last day of the calendar over its edges.
		if again, ok := parseTime(string(written[1 : len(written)-1])); len(written) == len(`"2021-02-03T04:05:06.789Z"`) && (!ok || again != milli) {
			t.Fatalf("%q is %s, which is read as %d, %t, want %d", s, written, again, ok, milli)
		}
	})
}

func FuzzReadRules(f *testing.F) {
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := ReadRules(text)
		if err != nil {
			return
		}
		for _, r := range rules.Judge([]byte(`{"ver":"1.3.0","v":[{"dn":2,"sd":2}]}`), External{}) {
			if (r.Err == nil) != (r.Outcome != Open) {
				t.Fatalf("%s with error %v", r.Outcome, r.Err)
			}
		}
	})
}
