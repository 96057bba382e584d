package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestThumbprintIsThatOfTheRFC takes the RSA key and the result of RFC 7638, section 3.1, and
// the Ed25519 ones of RFC 8037, appendix A.3.
func TestThumbprintIsThatOfTheRFC(t *testing.T) {
	for text, want := range map[string]string{
		`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
	} {
		keys, err := ReadSigner([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		id := jwkBytes(want, 32)
		if !slices.ContainsFunc(keys, func(key Key) bool { return bytes.Equal(key.ID, id) }) {
			t.Errorf("no key under %s", want)
		}
	}
}

func TestJWKAnswersToEachOfItsNamesOnce(t *testing.T) {
	key := testKey(t, "signer")
	native, err := KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	print, err := thumbprint(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	for kid, more := range map[string][]string{
		"":                      nil,
		"key-1":                 {"key-1"},
		enc(print):              nil, // 43 letters: a thumbprint, and too long for a name
		"AAAAAAAAAAA":           {"AAAAAAAAAAA", "\x00\x00\x00\x00\x00\x00\x00\x00"},
		enc(native):             {enc(native)},
		strings.Repeat("x", 33): nil,
	} {
		keys, err := ReadSigner(jwkOf(t, key.Public(), kid))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, key := range keys {
			got[string(key.ID)]++
		}
		want := map[string]int{string(native): 1, string(print): 1}
		for _, id := range more {
			want[id] = 1
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("kid %q: got ids %v, want %v", kid, got, want)
		}
	}
}

// withMember adds a member to a JWK.
func withMember(t testing.TB, jwk []byte, name, value string) string {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal(jwk, &members); err != nil {
		t.Fatal(err)
	}
	members[name] = value
	b, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSetOfKeysIsReadWholeOrNotAtAll(t *testing.T) {
	first, second := jwkOf(t, testKey(t, "first").Public(), ""), jwkOf(t, testEdKey("second").Public(), "")
	for name, c := range map[string]struct {
		set  string
		keys int // 0: refused
	}{
		"two":               {fmt.Sprintf(`{"keys":[%s,%s]}`, first, second), 4},
		"one to encrypt":    {fmt.Sprintf(`{"keys":[%s,%s]}`, first, withMember(t, second, "use", "enc")), 2},
		"one to sign":       {fmt.Sprintf(`{"keys":[%s]}`, withMember(t, first, "use", "sig")), 2},
		"more members":      {fmt.Sprintf(`{"keys":[%s],"updated":1}`, first), 2},
		"none":              {`{"keys":[]}`, 0},
		"none that signs":   {fmt.Sprintf(`{"keys":[%s]}`, withMember(t, first, "use", "enc")), 0},
		"one broken":        {fmt.Sprintf(`{"keys":[%s,{"kty":"EC","crv":"P-256"}]}`, first), 0},
		"one of P-384":      {fmt.Sprintf(`{"keys":[%s,{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}`, first), 0},
		"one private":       {fmt.Sprintf(`{"keys":[%s]}`, withMember(t, first, "d", "AAAA")), 0},
		"a number":          {`{"keys":[1]}`, 0},
		"a set in a set":    {fmt.Sprintf(`{"keys":[{"keys":[%s]}]}`, first), 0},
		"not a list":        {fmt.Sprintf(`{"keys":%s}`, first), 0},
		"bytes behind":      {fmt.Sprintf(`{"keys":[%s]} and so on`, first), 0},
		"257 keys":          {`{"keys":[` + strings.Repeat(`{},`, 256) + `{}]}`, 0},
		"nested past depth": {`{"keys":` + strings.Repeat("[", 20_000), 0},
	} {
		keys, err := ReadSigner([]byte(c.set))
		if (err == nil) != (c.keys > 0) || len(keys) != c.keys {
			t.Errorf("%s: got %d keys, %v, want %d", name, len(keys), err, c.keys)
		}
	}
}

// did is a document with one key under a name, and whatever a test changes.
func did(t testing.TB, change func(d map[string]any, method map[string]any)) []byte {
	t.Helper()
	method := map[string]any{
		"id": "did:web:health.example#key-1", "controller": "did:web:health.example", "type": "JsonWebKey2020",
		"publicKeyJwk": rawJSON(jwkOf(t, testKey(t, "wellington").Public(), "")),
	}
	d := map[string]any{
		"@context": "https://w3.org/ns/did/v1", "id": "did:web:health.example",
		"verificationMethod": []any{method}, "assertionMethod": []any{"did:web:health.example#key-1"},
	}
	change(d, method)
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

func TestDocumentOfADIDGivesTheKeysThatItAssertsWith(t *testing.T) {
	key := testKey(t, "wellington")
	text := nzcpText(t, key, "key-1", nzcpClaims())
	type m = map[string]any
	for name, c := range map[string]struct {
		change func(d, method m)
		read   bool
	}{
		"as published":          {func(_, _ m) {}, true},
		"name without the DID":  {func(d, _ m) { d["assertionMethod"] = []string{"#key-1"} }, true},
		"method's name as well": {func(d, v m) { d["assertionMethod"], v["id"] = []string{"#key-1"}, "#key-1" }, true},
		"method in the list":    {func(d, v m) { d["assertionMethod"], d["verificationMethod"] = []any{v}, []any{} }, true},
		"a key to log in with":  {func(d, _ m) { d["authentication"] = []string{"did:web:health.example#key-2"} }, true},
		"only to log in with":   {func(d, _ m) { d["authentication"] = d["assertionMethod"]; delete(d, "assertionMethod") }, false},
		"asserts with nothing":  {func(d, _ m) { d["assertionMethod"] = []string{} }, false},
		"names no key":          {func(d, _ m) { d["assertionMethod"] = []string{"did:web:health.example#key-2"} }, false},
		"asserts with a number": {func(d, _ m) { d["assertionMethod"] = []int{1} }, false},
		"another's control":     {func(_, v m) { v["controller"] = "did:web:other.example" }, false},
		"nobody's control":      {func(_, v m) { delete(v, "controller") }, false},
		"another's key": {func(d, v m) {
			v["id"] = "did:web:other.example#key-1"
			d["assertionMethod"] = []string{"did:web:other.example#key-1"}
		}, false},
		"no name of the key": {func(d, v m) {
			v["id"] = "did:web:health.example"
			d["assertionMethod"] = []string{"did:web:health.example"}
		}, false},
		"no DID":           {func(d, _ m) { delete(d, "id") }, false},
		"a web address":    {func(d, _ m) { d["id"] = "https://health.example" }, false},
		"a hidden DID":     {func(d, _ m) { d["id"] = "did:web:a\u202eb" }, false},
		"no key":           {func(_, v m) { delete(v, "publicKeyJwk") }, false},
		"a key of secrets": {func(_, v m) { v["publicKeyJwk"] = map[string]string{"kty": "oct", "k": "AAAA"} }, false},
	} {
		keys, err := ReadSigner(did(t, c.change))
		if (err == nil) != c.read {
			t.Errorf("%s: got %d keys, %v", name, len(keys), err)
		}
		if err != nil {
			continue
		}
		if len(keys) != 1 || string(keys[0].ID) != "key-1" || keys[0].AnyIssuer || !slices.Equal(keys[0].Names, []string{"did:web:health.example"}) {
			t.Errorf("%s: got %+v", name, keys)
		}
		if _, err := (Verifier{Keys: Ring(keys)}).Verify(text, noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		native, err := Issue(key, typical())
		if err != nil {
			t.Fatal(err)
		}
		keys[0].ID = ringOf(t, "", key.Public())[0].ID
		if _, err := (Verifier{Keys: Ring(keys)}).Verify(native, noon); err == nil {
			t.Errorf("%s: a DID's key speaks for a region", name)
		}
	}
}

// TestSameKeysAreReadFromTheirEveryForm keeps coordinates with zeros in front whole.
func TestSameKeysAreReadFromTheirEveryForm(t *testing.T) {
	for i := range 600 { // two in 256 have a zero there
		key := testKey(t, fmt.Sprint("zero", i))
		keys, err := ReadSigner(jwkOf(t, key.Public(), ""))
		if err != nil {
			t.Fatal(err)
		}
		var public crypto.PublicKey = &key.PublicKey
		if !public.(*ecdsa.PublicKey).Equal(keys[0].Public) {
			t.Fatalf("key %d is another when it was read", i)
		}
	}
}

// TestKeySetsOfOthersAreRead reads each jwks.json of the SMART Health Cards' vectors. Each key
// must answer to the thumbprint that its publisher computed; the one that is no set is refused.
func TestKeySetsOfOthersAreRead(t *testing.T) {
	passed, misses := 0, []string{}
	root := vectors(t, "shc")
	err := filepath.WalkDir(root, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.Name() != "jwks.json" {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		keys, answer := ReadSigner(raw)
		var set struct {
			Keys []struct {
				ID string `json:"kid"`
			} `json:"keys"`
		}
		if json.Unmarshal(raw, &set) != nil {
			if answer == nil {
				misses = append(misses, name+": is no JSON, and was read")
				return nil
			}
			passed++
			return nil
		}
		for _, published := range set.Keys {
			if len(Ring(keys).Keys(jwkBytes(published.ID, 32))) != 1 {
				misses = append(misses, fmt.Sprintf("%s: no key %s, %v", name, published.ID, answer))
				return nil
			}
		}
		passed++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	score(t, "shc key sets", passed, misses)
	if passed == 0 || len(misses) > 0 {
		t.Errorf("misses: %v", misses)
	}
}
