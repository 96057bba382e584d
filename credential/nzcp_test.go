package credential

import (
	"crypto"
	"encoding/base32"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func encodeBase32(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// nzcpClaims is the inside of a pass that is good at noon.
func nzcpClaims() map[any]any {
	return map[any]any{
		1: "did:web:health.example",
		4: noon.AddDate(0, 6, 0).Unix(),
		5: noon.AddDate(0, 0, -1).Unix(),
		7: []byte("sixteen bytes id"),
		"vc": map[string]any{
			"@context":          []string{"https://www.w3.org/2018/credentials/v1", "https://health.example/v1"},
			"version":           "1.0.0",
			"type":              []string{"VerifiableCredential", "PublicCovidPass"},
			"credentialSubject": map[string]any{"givenName": "Aroha", "familyName": "Walker", "dob": "1960-04-16"},
		},
	}
}

func nzcpText(t testing.TB, key crypto.Signer, kid any, payload any) string {
	t.Helper()
	message := signedMessage(t, key, map[int64]any{1: algES256, 4: kid}, nil, mustCBOR(t, payload))
	return "NZCP:/1/" + encodeBase32(message)
}

// nzcpRing knows the key as the document of its DID names it.
func nzcpRing(t testing.TB, key crypto.Signer) Ring {
	t.Helper()
	return Ring{{ID: []byte("key-1"), Issuer: "NZ", Public: key.Public(), Names: []string{"did:web:health.example"}, Usage: UseEntitlement}}
}

// TestVectorsOfTheNZPass reads the ministry's examples by their layout: what is under valid
// passes, and what is under invalid is refused for the reason that its name tells. Its
// inactive pass became active in November 2026, so that the clock stands in 2021.
func TestVectorsOfTheNZPass(t *testing.T) {
	folder := filepath.Join(vectors(t, "nzcp"), "examples")
	at := time.Date(2021, 11, 10, 0, 0, 0, 0, time.UTC)
	document, err := os.ReadFile(filepath.Join(folder, "valid", "did.json"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ReadSigner(document)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]gatehouse.Reason{
		"expired":               gatehouse.ReasonExpired,
		"notactive":             gatehouse.ReasonNotYetValid,
		"modified":              gatehouse.ReasonBadSignature,
		"bad-public-key":        gatehouse.ReasonBadSignature, // of another key under the same name
		"not-associated-public": gatehouse.ReasonUnknownKey,
		"revoked-public-key":    gatehouse.ReasonUnknownKey,
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	passed, misses := 0, []string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimSpace(string(raw))
		valid := filepath.Base(filepath.Dir(file)) == "valid"
		if valid && !strings.HasPrefix(text, "NZCP:") {
			continue // the same pass in other words
		}
		want := gatehouse.ReasonNone
		for part, reason := range reasons {
			if !valid && strings.Contains(name, part) {
				want = reason
			}
		}
		if !valid && want == gatehouse.ReasonNone {
			misses = append(misses, name+": its name tells no reason")
			continue
		}
		pass, err := Verifier{Keys: Ring(keys)}.Verify(text, at)
		got := gatehouse.ReasonNone
		if err != nil {
			got = reasonOf(t, err)
		}
		if got != want || valid && (pass.Holder.Name == "" || len(pass.Facts) != 1) {
			misses = append(misses, name+": got "+cmpOr(string(got), "a pass")+", want "+cmpOr(string(want), "a pass"))
			continue
		}
		passed++
	}
	score(t, "nzcp", passed, misses)
	if len(misses) > 0 || passed == 0 {
		t.Errorf("misses: %v", misses)
	}
}

func TestNZPassEntitlesAndTellsNothingElse(t *testing.T) {
	key := testKey(t, "wellington")
	for kind, kid := range map[string]any{"bytes": []byte("key-1"), "text": "key-1"} {
		got, err := Verifier{Keys: nzcpRing(t, key)}.Verify(nzcpText(t, key, kid, nzcpClaims()), noon)
		if err != nil {
			t.Fatalf("key id as %s: %v", kind, err)
		}
		want := gatehouse.Pass{
			Format: "NZCP", Issuer: "NZ", KeyID: "6b65792d31", Code: tagOf([]byte("sixteen bytes id")),
			Holder:    gatehouse.Holder{Name: "Wa***", Birth: "1960-04-16"},
			NotBefore: noon.AddDate(0, 0, -1), Expires: noon.AddDate(0, 6, 0),
			Facts: []gatehouse.Fact{{Kind: gatehouse.Entitlement}},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("key id as %s:\ngot  %+v\nwant %+v", kind, got, want)
		}
	}
}

func TestNZPassIsRefusedForItsOwnReason(t *testing.T) {
	key := testKey(t, "wellington")
	ring := nzcpRing(t, key)
	with := func(change func(c map[any]any, vc map[string]any)) string {
		c := nzcpClaims()
		change(c, c["vc"].(map[string]any))
		return nzcpText(t, key, "key-1", c)
	}
	good := with(func(map[any]any, map[string]any) {})
	begins, ends := noon.AddDate(0, 0, -1), noon.AddDate(0, 6, 0)
	payload := mustCBOR(t, nzcpClaims())
	medical := ring[0]
	medical.Usage = UseProof
	other := ring[0]
	other.Names = []string{"did:web:other.example"}
	type m = map[any]any
	type vc = map[string]any
	for name, c := range map[string]struct {
		text  string
		ring  Ring
		at    time.Time
		want  gatehouse.Reason
		stage string
	}{
		"good":                   {good, ring, noon, "", ""},
		"at its beginning":       {good, ring, begins, "", ""},
		"a second before":        {good, ring, begins.Add(-time.Second), gatehouse.ReasonNotYetValid, ""},
		"at its end":             {good, ring, ends, "", ""},
		"a second after":         {good, ring, ends.Add(time.Second), gatehouse.ReasonExpired, ""},
		"version 2":              {strings.Replace(good, "/1/", "/2/", 1), ring, noon, gatehouse.ReasonMalformed, "prefix"},
		"no version":             {"NZCP:/", ring, noon, gatehouse.ReasonMalformed, "prefix"},
		"no slash":               {strings.Replace(good, ":/", ":", 1), ring, noon, gatehouse.ReasonNotOurs, ""},
		"small letters":          {strings.ToLower(good), ring, noon, gatehouse.ReasonNotOurs, ""},
		"base32 small":           {"NZCP:/1/" + strings.ToLower(good[8:]), ring, noon, gatehouse.ReasonMalformed, "base32"},
		"padded":                 {good + "=", ring, noon, gatehouse.ReasonMalformed, "base32"},
		"empty":                  {"NZCP:/1/", ring, noon, gatehouse.ReasonMalformed, "cose"},
		"key of another DID":     {good, Ring{other}, noon, gatehouse.ReasonUnknownKey, ""},
		"medical key":            {good, Ring{medical}, noon, gatehouse.ReasonKeyUsage, ""},
		"another key's name":     {nzcpText(t, key, "key-2", nzcpClaims()), ring, noon, gatehouse.ReasonUnknownKey, ""},
		"key id outside":         {"NZCP:/1/" + encodeBase32(signedMessage(t, key, map[int64]any{1: algES256}, map[int64]any{4: "key-1"}, payload)), ring, noon, gatehouse.ReasonMalformed, "cose"},
		"under SM2's number":     {"NZCP:/1/" + encodeBase32(signedMessage(t, key, map[int64]any{1: algSM2, 4: "key-1"}, nil, payload)), ring, noon, gatehouse.ReasonBadSignature, ""},
		"issuer of the web":      {with(func(c m, _ vc) { c[1] = "https://health.example" }), ring, noon, gatehouse.ReasonMalformed, "cwt"},
		"no beginning":           {with(func(c m, _ vc) { delete(c, 5) }), ring, noon, gatehouse.ReasonMalformed, "cwt"},
		"no end":                 {with(func(c m, _ vc) { delete(c, 4) }), ring, noon, gatehouse.ReasonMalformed, "cwt"},
		"end before beginning":   {with(func(c m, _ vc) { c[4] = c[5] }), ring, noon, gatehouse.ReasonMalformed, "cwt"},
		"no id":                  {with(func(c m, _ vc) { delete(c, 7) }), ring, noon, gatehouse.ReasonMalformed, "cwt"},
		"no credential":          {with(func(c m, _ vc) { delete(c, "vc") }), ring, noon, gatehouse.ReasonMalformed, "cwt"},
		"credential as text":     {with(func(c m, _ vc) { c["vc"] = "yes" }), ring, noon, gatehouse.ReasonMalformed, "claims"},
		"another context":        {with(func(_ m, v vc) { v["@context"] = []string{"https://example.org"} }), ring, noon, gatehouse.ReasonMalformed, "claims"},
		"another type":           {with(func(_ m, v vc) { v["type"] = []string{"VerifiableCredential"} }), ring, noon, gatehouse.ReasonMalformed, "claims"},
		"another version inside": {with(func(_ m, v vc) { v["version"] = "2.0.0" }), ring, noon, gatehouse.ReasonMalformed, "claims"},
		"names as numbers":       {with(func(_ m, v vc) { v["credentialSubject"] = map[string]int{"familyName": 1} }), ring, noon, gatehouse.ReasonMalformed, "claims"},
	} {
		_, err := Verifier{Keys: c.ring}.Verify(c.text, c.at)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got := reasonOf(t, err); got != c.want || c.stage != "" && stageOf(err) != c.stage {
			t.Errorf("%s: got %v, want %s %s", name, err, c.want, c.stage)
		}
	}
}

func TestWhoHasOneNameIsShownByIt(t *testing.T) {
	key := testKey(t, "wellington")
	c := nzcpClaims()
	c["vc"].(map[string]any)["credentialSubject"] = map[string]any{"givenName": "Aroha", "dob": "in April"}
	pass, err := Verifier{Keys: nzcpRing(t, key)}.Verify(nzcpText(t, key, "key-1", c), noon)
	if err != nil {
		t.Fatal(err)
	}
	if pass.Holder.Name != "Ar***" || pass.Holder.Birth != "" || len(pass.Warnings) != 1 {
		t.Errorf("got %+v, %q", pass.Holder, pass.Warnings)
	}
}

func TestBase32IsStrict(t *testing.T) {
	// RFC 4648, section 10, without the padding.
	for plain, text := range map[string]string{"": "", "f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "fooba": "MZXW6YTB", "foobar": "MZXW6YTBOI"} {
		if got, err := decodeBase32(text); err != nil || string(got) != plain {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, plain)
		}
	}
	for name, text := range map[string]string{
		"padding": "MY======", "small letters": "my", "one left over": "MZXW6YTBO", "bits left over": "MZ", "a zero": "M0",
		"newline": "MZXW\n6", "line feed behind": "MZXW6\r\n", "three": "MZX", "six": "MZXW6Y", "not ASCII": "MÜ", "space": " MY",
	} {
		if got, err := decodeBase32(text); err == nil {
			t.Errorf("%s: %q gave %q", name, text, got)
		}
	}
}
