package credential

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

func TestCertificateStaysItselfAsJSON(t *testing.T) {
	for item, want := range map[string]string{
		"a0":                         `{}`,
		"80":                         `[]`,
		"a16164f6":                   `{"d":null}`,
		"a16164f7":                   `{"d":null}`,
		"a162646e02":                 `{"dn":2}`,
		"a162646ef94000":             `{"dn":2}`,
		"a162646efb3ff8000000000000": `{"dn":1.5}`,
		"a162646efa40000000":         `{"dn":2}`,
		"a162646e38ff":               `{"dn":-256}`,
		"a162646e1bffffffffffffffff": `{"dn":18446744073709551615}`,
		"83f4f5f6":                   `[false,true,null]`,
		"f97e00":                     `null`,
		"f97c00":                     `null`,
		"f90001":                     `5.960464477539063e-08`,
		"f9c000":                     `-2`,
		"c074323031332d30332d32315432303a30343a30305a": `"2013-03-21T20:04:00Z"`,
		"9f01bf6161ff60ff":   ``, // a map that ends after its key is no CBOR
		"9f01bf616102ff60ff": `[1,{"a":2},""]`,
		"7f616161627fff":     ``,
		"7f61616162ff":       `"ab"`,
		"4201ff":             `"Af8"`,
		"63c3bcff":           ``,
		"62c3bc":             `"ü"`,
		"64225c0a3c":         `"\"\\\u000a<"`,
		"a10102":             ``,
		"a26161016161f6":     ``,
		"3bffffffffffffffff": ``,
	} {
		got, err := jsonOf(unhex(t, item), 1000)
		if want == "" {
			if err == nil {
				t.Errorf("%s: got %s, want an error", item, got)
			}
			continue
		}
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", item, got, err, want)
		}
	}
}

func TestJSONIsBounded(t *testing.T) {
	for name, item := range map[string]any{
		"a list of empty maps": strings.Split(strings.Repeat("x", 200), ""),
		"a long text":          strings.Repeat("x", 600),
		"bells":                strings.Repeat("\a", 100), // six characters each
		"bytes":                make([]byte, 500),
	} {
		b, err := cbor.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jsonOf(b, 500); err == nil {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
	deep := strings.Repeat("\x81", maxDepth+2) + "\x00"
	if _, err := jsonOf([]byte(deep), 500); err == nil {
		t.Error("nested without end")
	}
	key := testKey(t, "berlin")
	inside := vaccinated()
	inside["x"] = rawCBOR(lattice(0xa0))
	_, err := Verifier{Keys: ringOf(t, "DE", key.Public())}.Verify(dccText(t, key, dccClaims(inside)), noon)
	if stageOf(err) != "claims" {
		t.Errorf("got %v, want that the JSON is too long", err)
	}
}

// TestHalfFloatsAgreeWithTheLibrary walks all 65,536 of them.
func TestHalfFloatsAgreeWithTheLibrary(t *testing.T) {
	for bits := range 1 << 16 {
		var want float64
		if err := cbor.Unmarshal([]byte{0xf9, byte(bits >> 8), byte(bits)}, &want); err != nil {
			t.Fatal(err)
		}
		if got := half(uint16(bits)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%04x: got %v, want %v", bits, got, want)
		}
	}
}

func FuzzCertificateJSON(f *testing.F) {
	f.Add(mustCBOR(f, vaccinated()))
	f.Fuzz(func(t *testing.T, item []byte) {
		got, err := jsonOf(item, 10_000)
		if err != nil {
			return
		}
		if len(got) > 10_000 || !json.Valid(got) {
			t.Errorf("%x: got %d bytes, %q", item, len(got), got)
		}
	})
}
