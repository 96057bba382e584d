package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func testSigners(t testing.TB) map[string]crypto.Signer {
	return map[string]crypto.Signer{"ES256": testKey(t, "hangzhou"), "EdDSA": testEdKey("hangzhou")}
}

func TestWhatIsIssuedIsWhatIsRead(t *testing.T) {
	for name, key := range testSigners(t) {
		c := typical()
		text, err := Issue(key, c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		u, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if u.Format() != "RHC1" || u.Algorithm() != name || u.Size() < 150 || len(u.KeyID()) != 16 {
			t.Errorf("%s: got %s, %s, %d bytes, key %s", name, u.Format(), u.Algorithm(), u.Size(), u.KeyID())
		}
		got, err := u.Verify(Verifier{Keys: ringOf(t, "CN-330100", key.Public())}, noon)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := gatehouse.Pass{
			Format: "RHC1", Issuer: c.Issuer, KeyID: u.KeyID(), Code: tagOf(c.ID),
			Holder: c.Holder, Grade: c.Grade, Class: c.Class, Since: c.Since,
			Issued: c.Issued, Expires: c.Expires, Facts: c.Facts,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

func TestTypicalCodeFitsASmallQRCode(t *testing.T) {
	c := typical()
	c.Facts = c.Facts[:len(c.Facts)-1]
	text, err := Issue(testKey(t, "hangzhou"), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 366 { // alphanumeric, version 11-M
		t.Errorf("got %d characters, want 366 at most", len(text))
	}
	if strings.Trim(text, base45Alphabet) != "" {
		t.Errorf("the text leaves the alphanumeric mode")
	}
}

// health signs any body in the place of a health code's.
func health(t *testing.T, change func(cwt map[int64]any, body map[int64]any)) error {
	t.Helper()
	key := testKey(t, "hangzhou")
	body := map[int64]any{1: 1, 2: map[int64]any{}, 3: 0}
	cwt := map[int64]any{1: "CN-330100", 4: noon.Add(time.Hour).Unix(), 6: noon.Unix(), 7: []byte("twelve bytes"), -70001: body}
	change(cwt, body)
	text := "RHC1:" + encodeBase45(signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, cwt)))
	_, err := Verifier{Keys: ringOf(t, "CN-330100", key.Public())}.Verify(text, noon)
	return err
}

func TestMinimalHealthCodeIsRead(t *testing.T) {
	if err := health(t, func(_, _ map[int64]any) {}); err != nil {
		t.Error(err)
	}
	if err := health(t, func(_, body map[int64]any) { body[77] = "of a later version" }); err != nil {
		t.Error(err)
	}
	// On a board of 32 bits too.
	if err := health(t, func(_, body map[int64]any) { body[4] = []uint64{1, 1 << 63} }); err != nil {
		t.Error(err)
	}
}

func TestHealthCodeOutOfBoundsIsMalformed(t *testing.T) {
	many := func(n int, item ...any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = item
		}
		return list
	}
	type m = map[int64]any
	for name, change := range map[string]func(cwt, body m){
		"no issuer":                 func(c, b m) { delete(c, 1) },
		"issuer in words":           func(c, b m) { c[1] = "Hangzhou" },
		"issuer of five digits":     func(c, b m) { c[1] = "CN-33010" },
		"no expiry":                 func(c, b m) { delete(c, 4) },
		"no issue time":             func(c, b m) { delete(c, 6) },
		"expiry before issue":       func(c, b m) { c[4] = noon.Unix() - 1 },
		"a second over a day":       func(c, b m) { c[4] = noon.Unix() + 24*60*60 + 1 },
		"no id":                     func(c, b m) { delete(c, 7) },
		"short id":                  func(c, b m) { c[7] = []byte("short") },
		"id as text":                func(c, b m) { c[7] = "twelve bytes" },
		"no body":                   func(c, b m) { delete(c, -70001) },
		"body is a list":            func(c, b m) { c[-70001] = []int{1} },
		"no version":                func(c, b m) { delete(b, 1) },
		"version 2":                 func(c, b m) { b[1] = 2 },
		"no colour":                 func(c, b m) { delete(b, 3) },
		"null colour":               func(c, b m) { b[3] = nil },
		"colour 4":                  func(c, b m) { b[3] = 4 },
		"colour below zero":         func(c, b m) { b[3] = -1 },
		"colour as text":            func(c, b m) { b[3] = "green" },
		"class 8":                   func(c, b m) { b[4] = []int{8, 0} },
		"class without detail":      func(c, b m) { b[4] = []int{1} },
		"name too long":             func(c, b m) { b[2] = m{1: strings.Repeat("x", 65)} },
		"name with newline":         func(c, b m) { b[2] = m{1: "a\nb"} },
		"name turned around":        func(c, b m) { b[2] = m{1: "a\u202eb"} },
		"name of fillers":           func(c, b m) { b[2] = m{1: "\u3164\u2800"} },
		"name with zero width":      func(c, b m) { b[2] = m{1: "a\u200bb"} },
		"name that is not UTF-8":    func(c, b m) { b[2] = rawName },
		"tag of seven bytes":        func(c, b m) { b[2] = m{2: []byte("seven b")} },
		"birth year 3":              func(c, b m) { b[2] = m{3: 3} },
		"33 travels":                func(c, b m) { b[5] = many(33, 330100, 2, 1, 0) },
		"travel left before it was": func(c, b m) { b[5] = many(1, 330100, 1, 2, 0) },
		"travel 15 days ago":        func(c, b m) { b[5] = many(1, 330100, 15, 1, 0) },
		"travel risk 4":             func(c, b m) { b[5] = many(1, 330100, 2, 1, 4) },
		"division of five digits":   func(c, b m) { b[5] = many(1, 33010, 2, 1, 0) },
		"travel of three":           func(c, b m) { b[5] = many(1, 330100, 2, 1) },
		"33 temperatures":           func(c, b m) { b[6] = many(33, 366, 10) },
		"temperature 45.1":          func(c, b m) { b[6] = many(1, 451, 10) },
		"temperature in degrees":    func(c, b m) { b[6] = many(1, 36, 10) },
		"temperature as a float":    func(c, b m) { b[6] = many(1, 366.5, 10) },
		"17 tests":                  func(c, b m) { b[7] = many(17, 1, 1, 10, 0) },
		"test of kind 0":            func(c, b m) { b[7] = many(1, 0, 1, 10, 0) },
		"test of kind 4":            func(c, b m) { b[7] = many(1, 4, 1, 10, 0) },
		"test with result 3":        func(c, b m) { b[7] = many(1, 1, 3, 10, 0) },
		"test years ago":            func(c, b m) { b[7] = many(1, 1, 1, int64(1)<<40, 0) },
		"9 vaccinations":            func(c, b m) { b[8] = many(9, 1, 18000, "") },
		"no dose":                   func(c, b m) { b[8] = many(1, 0, 18000, "") },
		"vaccinated tomorrow":       func(c, b m) { b[8] = many(1, 1, noon.Unix()/86400+1, "") },
		"day beyond counting":       func(c, b m) { b[8] = many(1, 1, uint64(1)<<63, "") },
		"product with a bell":       func(c, b m) { b[8] = many(1, 1, 18000, "\a") },
		"since before it all":       func(c, b m) { b[9] = uint64(1) << 62 },
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, health(t, change), gatehouse.ReasonMalformed)
		})
	}
}

// rawName is {1: "\xff"}: a text that is not UTF-8.
var rawName = rawCBOR{0xa1, 0x01, 0x61, 0xff}

type rawCBOR []byte

func (r rawCBOR) MarshalCBOR() ([]byte, error) { return r, nil }

func TestHealthCodeMustSignItsHeader(t *testing.T) {
	key := testKey(t, "hangzhou")
	payload := mustCBOR(t, map[int64]any{1: "CN-330100", 4: noon.Unix() + 60, 6: noon.Unix(), 7: []byte("twelve bytes"),
		-70001: map[int64]any{1: 1, 2: map[int64]any{}, 3: 0}})
	head := headOf(t, key)
	for name, headers := range map[string][2]map[int64]any{
		"key id outside":    {{1: head[1]}, {4: head[4]}},
		"algorithm outside": {{4: head[4]}, {1: head[1]}},
		"both outside":      {{}, head},
		"key id of 9 bytes": {{1: head[1], 4: append(head[4].([]byte), 0)}, {}},
	} {
		text := "RHC1:" + encodeBase45(signedMessage(t, key, headers[0], headers[1], payload))
		_, err := Verifier{Keys: ringOf(t, "CN-330100", key.Public())}.Verify(text, noon)
		if r := refused(t, err, gatehouse.ReasonMalformed); !strings.HasPrefix(r.Detail, "cose: ") {
			t.Errorf("%s: got %q, want it of cose", name, r.Detail)
		}
	}
}

func TestNoRegionSpeaksForAnother(t *testing.T) {
	key := testKey(t, "hangzhou")
	for _, c := range []struct {
		key, claim gatehouse.Issuer
		want       gatehouse.Reason
	}{
		{"CN-330100", "CN-330100", gatehouse.ReasonNone},
		{"CN-330000", "CN-330100", gatehouse.ReasonNone},
		{"CN", "CN-330100", gatehouse.ReasonNone},
		{"CN-330100", "CN-330000", gatehouse.ReasonUnknownKey},
		{"CN-330100", "CN-330200", gatehouse.ReasonUnknownKey},
		{"CN-440000", "CN-330100", gatehouse.ReasonUnknownKey},
		{"DE", "CN-330100", gatehouse.ReasonUnknownKey},
		{"", "CN-330100", gatehouse.ReasonUnknownKey},
	} {
		claims := typical()
		claims.Issuer = c.claim
		text, err := Issue(key, claims)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Verifier{Keys: ringOf(t, c.key, key.Public())}.Verify(text, noon)
		if c.want == gatehouse.ReasonNone {
			if err != nil {
				t.Errorf("key of %q for %q: %v", c.key, c.claim, err)
			}
			continue
		}
		if r := refused(t, err, c.want); r.Issuer != c.claim || r.Format != "RHC1" || r.KeyID == "" {
			t.Errorf("key of %q for %q: got %+v, want the claim named", c.key, c.claim, r)
		}
	}
}

func TestIssueRefusesWhatAGateWould(t *testing.T) {
	for name, change := range map[string]func(c *Claims){
		"no issuer":             func(c *Claims) { c.Issuer = "" },
		"a day and a second":    func(c *Claims) { c.Expires = c.Expires.Add(time.Second) },
		"expired when issued":   func(c *Claims) { c.Expires = c.Issued },
		"no times":              func(c *Claims) { c.Issued, c.Expires = time.Time{}, time.Time{} },
		"short id":              func(c *Claims) { c.ID = []byte("short") },
		"no colour":             func(c *Claims) { c.Grade = gatehouse.NoGrade },
		"colour 9":              func(c *Claims) { c.Grade = 9 },
		"name turned around":    func(c *Claims) { c.Holder.Name = "\u202e*" },
		"tag not hex":           func(c *Claims) { c.Holder.Tag = "xy" },
		"birth in words":        func(c *Claims) { c.Holder.Birth = "may" },
		"class 8":               func(c *Claims) { c.Class = 8 },
		"since tomorrow":        func(c *Claims) { c.Since = noon.Add(time.Hour) },
		"since the year 1":      func(c *Claims) { c.Since = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC) },
		"recovery":              func(c *Claims) { c.Facts = []gatehouse.Fact{{Kind: gatehouse.Recovery, At: noon}} },
		"test tomorrow":         func(c *Claims) { c.Facts[4].At = noon.Add(time.Minute) },
		"test of another kind":  func(c *Claims) { c.Facts[4].Method = "PCR" },
		"division in words":     func(c *Claims) { c.Facts[0].Division = "Xihu" },
		"travel without place":  func(c *Claims) { c.Facts[0].Division = "" },
		"travel of 15 days":     func(c *Claims) { c.Facts[0].At = noon.AddDate(0, 0, -15) },
		"temperature below 0":   func(c *Claims) { c.Facts[3].Temperature = -1 },
		"vaccination in 1969":   func(c *Claims) { c.Facts[6].At = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
		"doses below 0":         func(c *Claims) { c.Facts[6].Dose = -1 },
		"too many temperatures": func(c *Claims) { c.Facts = append(c.Facts, repeat(c.Facts[3], maxTemperatures)...) },
	} {
		c := typical()
		change(&c)
		if text, err := Issue(testKey(t, "hangzhou"), c); err == nil {
			t.Errorf("%s: issued %d characters", name, len(text))
		}
	}
}

func repeat(f gatehouse.Fact, n int) []gatehouse.Fact {
	facts := make([]gatehouse.Fact, n)
	for i := range facts {
		facts[i] = f
	}
	return facts
}

func TestIssueRefusesKeysThatGatesDoNotTake(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{p384, long} {
		if _, err := Issue(key, typical()); err == nil {
			t.Errorf("%T signed a health code", key)
		}
	}
}

func TestFullestCodeIsReadBack(t *testing.T) {
	c := typical()
	travel, skin, test, dose := c.Facts[0], c.Facts[3], c.Facts[4], c.Facts[6]
	c.Facts = nil
	c.Facts = append(c.Facts, repeat(travel, maxTravels)...)
	c.Facts = append(c.Facts, repeat(skin, maxTemperatures)...)
	c.Facts = append(c.Facts, repeat(test, maxTests)...)
	c.Facts = append(c.Facts, repeat(dose, maxVaccinations)...)
	text, err := Issue(testEdKey("hangzhou"), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 3391 { // alphanumeric, version 40-M
		t.Errorf("got %d characters, want 3391 at most", len(text))
	}
}

func TestIDsAreDrawnWhenNoneIsGiven(t *testing.T) {
	key := testEdKey("hangzhou")
	ring := ringOf(t, "CN", key.Public())
	seen := map[string]bool{}
	for range 8 {
		c := typical()
		c.ID = nil
		text, err := Issue(key, c)
		if err != nil {
			t.Fatal(err)
		}
		pass, err := Verifier{Keys: ring}.Verify(text, noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(pass.Code) != 16 || seen[pass.Code] {
			t.Errorf("got tag %q, want 16 digits that were not there before", pass.Code)
		}
		seen[pass.Code] = true
	}
}
