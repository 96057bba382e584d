package credential

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/veraison/go-cose"
)

// TestCOSEAgreesWithTheWorkingGroup walks the COSE working group's examples of Sign1, as far
// as their keys are of a kind that codes use and nothing external is signed with them.
func TestCOSEAgreesWithTheWorkingGroup(t *testing.T) {
	root := vectors(t, "cose")
	files, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files below %s: %v", root, err)
	}
	passed, left := 0, []string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Fail  bool `json:"fail"`
			Input struct {
				Sign0 *struct {
					Key      map[string]string `json:"key"`
					External string            `json:"external"`
					Alg      string            `json:"alg"`
				} `json:"sign0"`
			} `json:"input"`
			Output struct {
				CBOR string `json:"cbor"`
			} `json:"output"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v.Input.Sign0 == nil || v.Input.Sign0.External != "" {
			left = append(left, name)
			continue
		}
		key, ok := coseKey(v.Input.Sign0.Key)
		if alg := v.Input.Sign0.Alg; !ok || alg != "ES256" && alg != "EdDSA" {
			left = append(left, name)
			continue
		}
		if got := opens(unhex(t, v.Output.CBOR), key); got == v.Fail {
			t.Errorf("%s: verified %v, want %v", name, got, !v.Fail)
			continue
		}
		passed++
	}
	t.Logf("cose: %d passed; left out for their key or algorithm, several signers or external data: %v", passed, left)
	if passed < 8 {
		t.Errorf("%d examples applied, want 8 at least", passed)
	}
}

func opens(message []byte, key any) bool {
	s, err := parseSign1(message)
	return err == nil && fits(s.alg, key) && verified(key, toBeSigned(s.protected, s.payload), s.signature)
}

func coseKey(jwk map[string]string) (any, bool) {
	decode := func(name string) []byte {
		if h, ok := jwk[name+"_hex"]; ok {
			b, _ := hex.DecodeString(h)
			return b
		}
		b, _ := base64.RawURLEncoding.DecodeString(jwk[name])
		return b
	}
	switch jwk["crv"] {
	case "P-256":
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, decode("x"), decode("y")))
		return key, err == nil
	case "Ed25519":
		x := decode("x")
		return ed25519.PublicKey(x), len(x) == ed25519.PublicKeySize
	}
	return nil, false
}

func TestAnotherLibraryVerifiesWhatWeIssue(t *testing.T) {
	for name, key := range testSigners(t) {
		text, err := Issue(key, typical())
		if err != nil {
			t.Fatal(err)
		}
		message, err := decodeBase45(strings.TrimPrefix(text, "RHC1:"))
		if err != nil {
			t.Fatal(err)
		}
		var m cose.Sign1Message
		if err := m.UnmarshalCBOR(message); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		alg, err := m.Headers.Protected.Algorithm()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v, err := cose.NewVerifier(alg, key.Public())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := m.Verify(nil, v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSign1RefusesOtherShapes(t *testing.T) {
	good := "d28443a10126a0417840" // 18([h'a10126', {}, h'78', h'']) is read; the signature fails later
	if _, err := parseSign1(unhex(t, good)); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	for name, message := range map[string]string{
		"nothing":                      "",
		"COSE_Sign":                    "d8628443a10126a0417840",
		"COSE_Mac0":                    "d18443a10126a0417840",
		"tags in the wrong order":      "d2d83d8443a10126a0417840",
		"the tag twice":                "d2d28443a10126a0417840",
		"three parts":                  "d28343a10126a04178",
		"five parts":                   "d28543a10126a0417840f6",
		"detached payload":             "d28443a10126a0f640",
		"empty payload":                "d28443a10126a04040",
		"payload as a list of numbers": "d28443a10126a0811840",
		"payload as text":              "d28443a10126a0617840",
		"header as a map":              "d284a10126a0417840",
		"header that is a list":        "d284428101a0417840",
		"algorithm twice":              "d28445a201260126a0417840",
		"critical header":              "d28446a20126028104a0417840",
		"critical header unprotected":  "d28443a10126a1028104417840",
		"key id as a list":             "d28443a10126a104816b417840",
		"key id not UTF-8":             "d28443a10126a10461ff417840",
		"key id of 33 bytes":           "d28443a10126a1045821" + strings.Repeat("00", 33) + "417840",
		"algorithm as text":            "d28445a101624553" + "a0417840",
		"bytes behind":                 good + "00",
		"signature cut off":            "d28443a10126a04178",
	} {
		if s, err := parseSign1(unhex(t, message)); err == nil {
			t.Errorf("%s: read as %+v", name, s)
		}
	}
}

func TestSignedHeaderWinsOverTheOther(t *testing.T) {
	// 18([<<{1: -7, 4: 'A'}>>, {1: -8, 4: 'B'}, 'x', ''])
	s, err := parseSign1(unhex(t, "d28446a20126044141a20127044142417840"))
	if err != nil {
		t.Fatal(err)
	}
	if s.alg != algES256 || string(s.kid) != "A" || !s.inProtect {
		t.Errorf("got algorithm %d, key id %q, want %d, %q", s.alg, s.kid, algES256, "A")
	}
}

func TestEmptyHeaderIsSignedAsEmptyString(t *testing.T) {
	for _, message := range []string{"d28440a0417840", "d28441a0a0417840"} {
		s, err := parseSign1(unhex(t, message))
		if err != nil {
			t.Fatal(err)
		}
		want := append([]byte("\x84\x6aSignature1\x40\x40\x41"), 'x')
		if got := toBeSigned(s.protected, s.payload); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", message, got, want)
		}
	}
}
