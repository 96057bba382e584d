package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// TestSM2AgreesWithAnotherImplementation verifies what OpenSSL signed, out of its DER, and
// refuses it with any byte of the message or of the signature changed.
func TestSM2AgreesWithAnotherImplementation(t *testing.T) {
	folder := vectors(t, "sm2")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	message, der := read("msg.bin"), read("sig.der")
	keys, err := ReadSigner(read("pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	public := keys[0].Public
	raw, err := rawOf(der)
	if err != nil {
		t.Fatal(err)
	}
	passed, misses := 0, []string{}
	law := func(name string, holds bool) {
		if holds {
			passed++
		} else {
			misses = append(misses, name)
		}
	}
	holds := func(message, signature []byte) bool {
		return fits(algSM2, public) && verified(public, message, signature)
	}
	law("the message as signed", holds(message, raw))
	law("the signature in DER", !holds(message, der))
	flipped := true
	for i := range message {
		changed := bytes.Clone(message)
		changed[i] ^= 1
		flipped = flipped && !holds(changed, raw)
	}
	law("a byte of the message flipped", flipped)
	flipped = true
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		flipped = flipped && !holds(message, changed)
	}
	law("a byte of the signature flipped", flipped)
	score(t, "sm2", passed, misses)
	if len(misses) > 0 {
		t.Errorf("misses: %v", misses)
	}
}

// TestLibraryAndFormulasAgreeOnSM2 lets the library check what the test's own signer made and
// the other way round: Issue reads back what it signed.
func TestLibraryAndFormulasAgreeOnSM2(t *testing.T) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, signer := range map[string]crypto.Signer{"library": key, "formulas": testSM2Key(t, "hangzhou")} {
		text, err := Issue(signer, typical())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		u, err := Parse(text)
		if err != nil || u.Algorithm() != "SM2" {
			t.Errorf("%s: %s, %v", name, u.Algorithm(), err)
		}
	}
}

func TestSM2SignsOverItsUser(t *testing.T) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("to be signed")
	for user, want := range map[string]bool{"1234567812345678": true, "ALICE123@YAHOO.COM": false} {
		der, err := key.Sign(rand.Reader, message, sm2.NewSM2SignerOption(true, []byte(user)))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := rawOf(der)
		if err != nil {
			t.Fatal(err)
		}
		if got := verified(key.Public(), message, raw); got != want {
			t.Errorf("user %s: verified %v, want %v", user, got, want)
		}
	}
}

// forgedSignature puts any signature under a code that is otherwise good.
func forgedSignature(t testing.TB, key crypto.Signer, alg int64, change func(raw []byte) []byte) (text string, ring Ring) {
	t.Helper()
	ring = ringOf(t, "CN-330100", key.Public())
	head, payload := mustCBOR(t, map[int64]any{1: alg, 4: ring[0].ID}), mustCBOR(t, leastCWT())
	own, err := algorithmOf(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signRaw(key, own, toBeSigned(head, payload))
	if err != nil {
		t.Fatal(err)
	}
	return "RHC1:" + encodeBase45(mustCBOR(t, []any{head, map[int]int{}, payload, change(raw)})), ring
}

// derOf writes r and s as ASN.1.
func derOf(t testing.TB) func(raw []byte) []byte {
	return func(raw []byte) []byte {
		b, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestSignatureInAnotherFormIsRefused(t *testing.T) {
	der := derOf(t)
	for kind, c := range map[string]struct {
		key   crypto.Signer
		alg   int64
		other int64
		order *big.Int
	}{
		"ES256": {testKey(t, "hangzhou"), algES256, algSM2, elliptic.P256().Params().N},
		"SM2":   {testSM2Key(t, "hangzhou"), algSM2, algES256, sm2.P256().Params().N},
	} {
		part := func(at int, n *big.Int) func(raw []byte) []byte {
			return func(raw []byte) []byte { n.FillBytes(raw[at : at+32]); return raw }
		}
		for name, v := range map[string]struct {
			alg    int64
			change func(raw []byte) []byte
			holds  bool
		}{
			"as it is":           {c.alg, func(raw []byte) []byte { return raw }, true},
			"in DER":             {c.alg, der, false},
			"empty":              {c.alg, func([]byte) []byte { return []byte{} }, false},
			"63 bytes":           {c.alg, func(raw []byte) []byte { return raw[:63] }, false},
			"65 bytes":           {c.alg, func(raw []byte) []byte { return append(raw, 0) }, false},
			"65 bytes in front":  {c.alg, func(raw []byte) []byte { return append([]byte{0}, raw...) }, false},
			"r is 0":             {c.alg, part(0, new(big.Int)), false},
			"s is 0":             {c.alg, part(32, new(big.Int)), false},
			"both are 0":         {c.alg, func([]byte) []byte { return make([]byte, 64) }, false},
			"r is the order":     {c.alg, part(0, c.order), false},
			"s is the order":     {c.alg, part(32, c.order), false},
			"r above the order":  {c.alg, part(0, new(big.Int).Add(c.order, big.NewInt(1))), false},
			"s is all ones":      {c.alg, part(32, new(big.Int).SetBytes(bytes.Repeat([]byte{255}, 32))), false},
			"r and s exchanged":  {c.alg, func(raw []byte) []byte { return append(bytes.Clone(raw[32:]), raw[:32]...) }, false},
			"the other's number": {c.other, func(raw []byte) []byte { return raw }, false},
			"no number":          {0, func(raw []byte) []byte { return raw }, false},
			"ES384":              {-35, func(raw []byte) []byte { return raw }, false},
			"EdDSA":              {algEdDSA, func(raw []byte) []byte { return raw }, false},
			"private use":        {-65799, func(raw []byte) []byte { return raw }, false},
		} {
			text, ring := forgedSignature(t, c.key, v.alg, v.change)
			_, err := Verifier{Keys: ring}.Verify(text, noon)
			switch {
			case v.holds && err != nil:
				t.Errorf("%s, %s: %v", kind, name, err)
			case !v.holds && reasonOf(t, err) != gatehouse.ReasonBadSignature:
				t.Errorf("%s, %s: got %v, want S20", kind, name, err)
			}
		}
	}
}

// TestKeyOfAnotherCurveDoesNotFit puts every kind of key under every algorithm.
func TestKeyOfAnotherCurveDoesNotFit(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		public crypto.PublicKey
		alg    int64 // the only one that fits; 0: none
	}{
		"P-256":   {testKey(t, "x").Public(), algES256},
		"P-384":   {p384.Public(), 0},
		"P-521":   {p521.Public(), 0},
		"SM2":     {testSM2Key(t, "x").Public(), algSM2},
		"Ed25519": {testEdKey("x").Public(), algEdDSA},
	} {
		for _, alg := range []int64{0, algES256, algEdDSA, algPS256, algSM2, -35, -36} {
			if got, want := fits(alg, c.public), alg != 0 && alg == c.alg; got != want {
				t.Errorf("%s under %s: got %v, want %v", name, algorithmName(alg), got, want)
			}
		}
	}
}

func sm2Certificate(t testing.TB, key *sm2.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"CN"}}, NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(1, 0, 0)}
	der, err := smx509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSM2KeysAreReadInTheFormsThatPeopleHave(t *testing.T) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := smx509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if own, err := marshalSPKI(key.Public()); err != nil || !bytes.Equal(own, spki) {
		t.Errorf("as SubjectPublicKeyInfo: got %x, %v, want %x", own, err, spki)
	}
	der := sm2Certificate(t, key)
	x, y, err := coordinates(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	text, err := json.Marshal(map[string]string{"kty": "EC", "crv": "SM2", "x": enc(x), "y": enc(y), "kid": "hangzhou"})
	if err != nil {
		t.Fatal(err)
	}
	code, err := Issue(key, typical())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"PEM public key":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		"PEM certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"DER certificate": der,
		"JWK":             text,
	} {
		keys, err := ReadSigner(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := (Verifier{Keys: Ring(keys)}).Verify(code, noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	listed, err := ringOf(t, "CN-330100", key.Public())[0].Listed()
	if err != nil {
		t.Fatal(err)
	}
	listed.NotBefore, listed.NotAfter = noon, noon.AddDate(1, 0, 0)
	trusted, err := listed.key()
	if err != nil {
		t.Fatalf("in a trust list: %v", err)
	}
	if _, err := (Verifier{Keys: Ring{trusted}}).Verify(code, noon); err != nil {
		t.Errorf("in a trust list: %v", err)
	}
	off := bytes.Clone(spki)
	off[len(off)-1] ^= 1
	for name, bad := range map[string][]byte{
		"off the curve":     off,
		"cut off":           spki[:len(spki)-1],
		"bytes behind":      append(bytes.Clone(spki), 0),
		"compressed":        append([]byte(sm2SPKI), 2),
		"the point of zero": append([]byte(sm2SPKI), make([]byte, 65)...),
		"another curve":     bytes.Replace(spki, []byte(sm2Curve), []byte(sm2Curve[:len(sm2Curve)-1]+"\x2e"), 1),
	} {
		if _, err := ReadSigner(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: bad})); err == nil {
			t.Errorf("%s: read as a signer", name)
		}
	}
	if _, err := ReadSigner([]byte(strings.Replace(string(text), enc(y), enc(x), 1))); err == nil {
		t.Error("a JWK off the curve is read as a signer")
	}
}
