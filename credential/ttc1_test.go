package credential

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestTravelCodeBecomesASecondPass(t *testing.T) {
	for name, key := range nativeSigners(t) {
		c := travelled()
		text, err := Issue(key, c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Trim(text, base45Alphabet) != "" {
			t.Errorf("%s: the text leaves the alphanumeric mode", name)
		}
		ring := ringOf(t, "CN-330000", key.Public())
		ring[0].Usage = UseTravelCode
		got, err := Verifier{Keys: ring}.Verify(text, noon)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := gatehouse.Pass{
			Format: "TTC1", Issuer: "CN-330000", KeyID: got.KeyID, Code: tagOf(c.ID),
			Holder: c.Holder, Issued: c.Issued, Expires: c.Expires, Facts: c.Facts,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

// TestNobodysKeySignsBothCodes: who vouches for a person's health sees no telephone, and an
// operator gives nobody a colour.
func TestNobodysKeySignsBothCodes(t *testing.T) {
	key := testKey(t, "operator")
	health, err := Issue(key, typical())
	if err != nil {
		t.Fatal(err)
	}
	travel, err := Issue(key, travelled())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text  string
		usage Usage
	}{{health, UseAll &^ UseHealthCode}, {travel, UseAll &^ UseTravelCode}, {travel, UseHealthCode}, {health, UseTravelCode}} {
		ring := ringOf(t, "CN", key.Public())
		ring[0].Usage = c.usage
		_, err := Verifier{Keys: ring}.Verify(c.text, noon)
		refused(t, err, gatehouse.ReasonKeyUsage)
	}
}

// travel signs any body in the place of a travel code's.
func travel(t *testing.T, change func(cwt, body map[int64]any)) error {
	t.Helper()
	key := testKey(t, "operator")
	body := map[int64]any{1: 1}
	cwt := map[int64]any{1: "CN-330000", 4: noon.Add(time.Hour).Unix(), 6: noon.Unix(), 7: []byte("twelve bytes"), -70002: body}
	change(cwt, body)
	text := "TTC1:" + encodeBase45(signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, cwt)))
	_, err := Verifier{Keys: ringOf(t, "CN", key.Public())}.Verify(text, noon)
	return err
}

func TestTravelCodeOutOfBoundsIsMalformed(t *testing.T) {
	type m = map[int64]any
	stay := func(n int, numbers ...any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = numbers
		}
		return list
	}
	for name, change := range map[string]func(cwt, body m){
		"least":                   func(_, _ m) {},
		"of a later version":      func(_, b m) { b[77] = "more" },
		"a phone abroad":          func(_, b m) { b[2] = "+44*****1234" },
		"a province":              func(_, b m) { b[4] = stay(1, 330000, 2, 0) },
		"32 stays":                func(_, b m) { b[4] = stay(32, 330100, 14, 0) },
		"!no issuer":              func(c, _ m) { delete(c, 1) },
		"!a day and a second":     func(c, _ m) { c[4] = noon.Unix() + 24*60*60 + 1 },
		"!expiry before issue":    func(c, _ m) { c[4] = noon.Unix() },
		"!no expiry":              func(c, _ m) { delete(c, 4) },
		"!no id":                  func(c, _ m) { delete(c, 7) },
		"!id of 11 bytes":         func(c, _ m) { c[7] = []byte("eleven byte") },
		"!no body":                func(c, _ m) { delete(c, -70002) },
		"!a health code's body":   func(c, _ m) { delete(c, -70002); c[-70001] = m{1: 1, 2: m{}, 3: 0} },
		"!body is a list":         func(c, _ m) { c[-70002] = []int{1} },
		"!no version":             func(_, b m) { delete(b, 1) },
		"!version 2":              func(_, b m) { b[1] = 2 },
		"!phone not masked":       func(_, b m) { b[2] = "13800001234" },
		"!phone with three stars": func(_, b m) { b[2] = "1380***1234" },
		"!phone with a name":      func(_, b m) { b[2] = "Li ****" },
		"!phone too long":         func(_, b m) { b[2] = strings.Repeat("*", 21) },
		"!tag of 9 bytes":         func(_, b m) { b[3] = []byte("nine byte") },
		"!tag as text":            func(_, b m) { b[3] = "8 bytes." },
		"!operator too long":      func(_, b m) { b[5] = strings.Repeat("x", 33) },
		"!operator turned round":  func(_, b m) { b[5] = "a\u202eb" },
		"!a district":             func(_, b m) { b[4] = stay(1, 330106, 2, 0) },
		"!five digits":            func(_, b m) { b[4] = stay(1, 33010, 2, 0) },
		"!15 days ago":            func(_, b m) { b[4] = stay(1, 330100, 15, 0) },
		"!left before it came":    func(_, b m) { b[4] = stay(1, 330100, 1, 2) },
		"!days below zero":        func(_, b m) { b[4] = stay(1, 330100, 1, -1) },
		"!days as floats":         func(_, b m) { b[4] = stay(1, 330100, 1.5, 0) },
		"!two numbers":            func(_, b m) { b[4] = stay(1, 330100, 1) },
		"!four numbers":           func(_, b m) { b[4] = stay(1, 330100, 1, 0, 1) },
		"!33 stays":               func(_, b m) { b[4] = stay(33, 330100, 14, 0) },
	} {
		err := travel(t, change)
		if strings.HasPrefix(name, "!") {
			refused(t, err, gatehouse.ReasonMalformed)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTravelCodeIsNotIssuedWithMoreThanTravels(t *testing.T) {
	for name, change := range map[string]func(c *Claims){
		"another format":  func(c *Claims) { c.Format = "TTC2" },
		"a colour":        func(c *Claims) { c.Grade = gatehouse.Green },
		"a reason":        func(c *Claims) { c.Class = gatehouse.Place },
		"a birth date":    func(c *Claims) { c.Holder.Birth = "1990" },
		"a whole number":  func(c *Claims) { c.Holder.Name = "13800001234" },
		"a tag in words":  func(c *Claims) { c.Holder.Tag = "Zhang" },
		"a test":          func(c *Claims) { c.Facts[0].Kind = gatehouse.Test },
		"a risk":          func(c *Claims) { c.Facts[0].Risk = 1 },
		"a district":      func(c *Claims) { c.Facts[0].Division = "330106" },
		"15 days":         func(c *Claims) { c.Facts[0].At = noon.AddDate(0, 0, -15) },
		"tomorrow":        func(c *Claims) { c.Facts[0].Until = noon.AddDate(0, 0, 1) },
		"two days' life":  func(c *Claims) { c.Expires = noon.AddDate(0, 0, 2) },
		"an operator too": func(c *Claims) { *c = typical(); c.Operator = "China Mobile" },
	} {
		c := travelled()
		change(&c)
		if text, err := Issue(testKey(t, "operator"), c); err == nil {
			t.Errorf("%s: issued %d characters", name, len(text))
		}
	}
}
