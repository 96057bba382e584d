package credential

import (
	"bytes"
	"strings"
	"testing"
)

// The texts of RFC 9285, sections 4.3 and 4.4.
var base45Examples = map[string]string{
	"AB":       "BB8",
	"Hello!!":  "%69 VD92EX0",
	"base-45":  "UJCLQE7W581",
	"ietf!":    "QED8WEX0",
	"":         "",
	"\x00":     "00",
	"\xff\xff": "FGW",
	"\xff":     "U5",
}

func TestBase45ReadsAndWritesTheExamplesOfTheRFC(t *testing.T) {
	for plain, text := range base45Examples {
		if got, err := decodeBase45(text); err != nil || string(got) != plain {
			t.Errorf("decode %q: got %q, %v, want %q", text, got, err, plain)
		}
		if got := encodeBase45([]byte(plain)); got != text {
			t.Errorf("encode %q: got %q, want %q", plain, got, text)
		}
	}
}

func TestBase45RefusesWhatAnEncoderNeverWrites(t *testing.T) {
	for name, text := range map[string]string{
		"one left over":        "BB8B",
		"a single character":   "B",
		"lower case":           "bB8",
		"equals sign":          "BB=",
		"above 65535":          "GGW",
		"far above 65535":      ":::",
		"above 255":            "V5",
		"far above 255":        "BB8::",
		"foreign at the end":   "BB8B~",
		"not ASCII":            "BBé",
		"newline":              "BB8\n",
		"foreign after groups": strings.Repeat("BB8", 10) + "B#8",
	} {
		if got, err := decodeBase45(text); err == nil {
			t.Errorf("%s: %q gave %x", name, text, got)
		}
	}
}

func TestEachByteStringHasOneBase45Text(t *testing.T) {
	for n := range 300 {
		b := bytes.Repeat([]byte{byte(n), byte(7 * n), 255}, n/3+1)[:n]
		got, err := decodeBase45(encodeBase45(b))
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%d bytes: got %x, %v, want %x", n, got, err, b)
		}
	}
}
