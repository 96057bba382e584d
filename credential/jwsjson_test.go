package credential

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestJSONHasOneCanonicalForm(t *testing.T) {
	for text, want := range map[string]string{
		// The example of RFC 8785, section 3.2.2 and 3.2.3, and the corners of its number format.
		`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		"{\"\u20ac\":1,\"\r\":2,\"1\":3}":                             "", // a control character
		"{\"€\":1,\"1\":3,\"\u0080\":4,\"ö\":5,\"😂\":6,\"\ufb33\":7}": "{\"1\":3,\"\u0080\":4,\"ö\":5,\"€\":1,\"😂\":6,\"\ufb33\":7}",
		`[-0, 0, -0.0, 1e21, 1e20, 1e-6, 1e-7, 123456789012345678]`:   `[0,0,0,1e+21,100000000000000000000,0.000001,1e-7,123456789012345680]`,
		` { } `:              `{}`,
		"\t[\n]\r":           `[]`,
		`"\ud83d\ude02"`:     `"😂"`,
		`"\b\t\n\f\r\u007f"`: "\"\\b\\t\\n\\f\\r\x7f\"",
		`[1,]`:               "",
		`{"a":1,}`:           "",
		`{,}`:                "",
		`[01]`:               "",
		`[1.]`:               "",
		`[.5]`:               "",
		`[+1]`:               "",
		`[1e]`:               "",
		`[1e999]`:            "",
		`"\ud83d"`:           "",
		`"\ude02\ud83d"`:     "",
		`"\x"`:               "",
		"\"\xff\"":           "",
		`tru`:                "",
		`{"a" 1}`:            "",
		`{a:1}`:              "",
		`[1 2]`:              "",
		``:                   "",
		`"`:                  "",
		`{"a":1}{}`:          "",
		`{"a":1,"a":1}`:      "",
	} {
		v, err := parseJSON([]byte(text))
		var got []byte
		if err == nil {
			got, err = v.appendCanonical(nil)
		}
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}

// FuzzJSON holds the reader to encoding/json: what it takes, that takes too and in the same
// sense; what it refuses beyond that are names twice or in escapes, half characters and bounds.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2.5e3,"\ud83d\ude02",null,true,{}],"b":""}`, sealedDoses, "[[[[1]]],{\"\":0}]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseJSON(text)
		if err != nil {
			if v.kind() != 0 || !presentable(err.Error(), 80) {
				t.Errorf("a refusal with a value, or that cannot be shown: %q", err)
			}
			return
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			if _, ok := err.(*json.UnmarshalTypeError); ok { // a number too large for it
				return
			}
			t.Fatalf("%q is taken, and is no JSON: %v", text, err)
		}
		if len(v.text.items) > maxJSONItems {
			t.Errorf("%d items", len(v.text.items))
		}
		canonical, err := v.appendCanonical(nil)
		if err != nil {
			return
		}
		var got any
		if err := json.Unmarshal(canonical, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q: %v", text, canonical, err)
		}
		again, err := parseJSON(canonical)
		if err != nil {
			// A name may need an escape that names may not have.
			if strings.Contains(err.Error(), "escapes") {
				return
			}
			t.Fatalf("%q: %v", canonical, err)
		}
		twice, err := again.appendCanonical(nil)
		if err != nil || !bytes.Equal(twice, canonical) {
			t.Errorf("%q became %q", canonical, twice)
		}
	})
}

func TestNumericDatesAreRoundedAgainstTheHolder(t *testing.T) {
	for text, want := range map[string]instant{`1.5`: 2, `1`: 1, `253402300799`: lastInstant} {
		v, err := parseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := numericDate(v, math.Ceil); got != want || err != nil {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{`0`, `-5`, `253402300800`, `1e300`, `"1"`, `null`, `[]`} {
		v, err := parseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := numericDate(v, math.Floor); err == nil {
			t.Errorf("%s: got %d", text, got)
		}
	}
}
