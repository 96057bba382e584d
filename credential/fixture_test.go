package credential

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/fxamacker/cbor/v2"
)

// noon is when everything in these tests happens, unless they say otherwise.
var noon = time.Date(2020, 7, 10, 12, 0, 0, 0, time.UTC)

// A steadyKey signs the same bytes the same way each time (RFC 6979), so that vectors can be
// written again and a fuzzer sees what its input changed.
type steadyKey struct{ *ecdsa.PrivateKey }

func (k steadyKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(nil, digest, opts)
}

// testKey is a key whose private part is a hash of its name: the same in every run.
func testKey(t testing.TB, name string) steadyKey {
	t.Helper()
	scalar := sha256.Sum256([]byte(name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return steadyKey{key}
}

func testEdKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// A steadySM2 signs SM2 by the formulas of GB/T 32918.2, section 6, with a k that is a hash of
// key and message: the same each time, and not the library that checks it.
type steadySM2 struct {
	public *ecdsa.PublicKey
	d      *big.Int
}

func testSM2Key(t testing.TB, name string) steadySM2 {
	t.Helper()
	scalar := sha256.Sum256([]byte(name))
	key, err := sm2.NewPrivateKey(scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return steadySM2{&key.PublicKey, new(big.Int).SetBytes(scalar[:])}
}

func (k steadySM2) Public() crypto.PublicKey { return k.public }

func (k steadySM2) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	za, err := sm2.CalculateZA(k.public, []byte("1234567812345678"))
	if err != nil {
		return nil, err
	}
	digest := sm3.Sum(append(za, message...))
	curve := k.public.Curve.Params()
	e, n := new(big.Int).SetBytes(digest[:]), curve.N
	secret := sha256.Sum256(append(k.d.Bytes(), digest[:]...))
	nonce := new(big.Int).SetBytes(secret[:])
	x, _ := k.public.Curve.ScalarBaseMult(nonce.Bytes())
	r := x.Add(x, e)
	r.Mod(r, n)
	inverse := new(big.Int).ModInverse(new(big.Int).Add(k.d, big.NewInt(1)), n)
	s := new(big.Int).Sub(nonce, new(big.Int).Mul(r, k.d))
	s.Mul(s, inverse).Mod(s, n)
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}

// ringOf holds one key for everything, in the name of issuer.
func ringOf(t testing.TB, issuer gatehouse.Issuer, public crypto.PublicKey) Ring {
	t.Helper()
	id, err := KeyID(public)
	if err != nil {
		t.Fatal(err)
	}
	return Ring{{ID: id, Issuer: issuer, Public: public, Usage: UseAll}}
}

// typical is the health code of somebody who was in three districts.
func typical() Claims {
	return Claims{
		Issuer:  "CN-330100",
		Issued:  noon,
		Expires: noon.Add(24 * time.Hour),
		ID:      []byte("twelve bytes"),
		Holder:  gatehouse.Holder{Name: "张*", Birth: "1990", Tag: "0102030405060708"},
		Grade:   gatehouse.Yellow,
		Class:   gatehouse.Place | gatehouse.Health,
		Since:   noon.Add(-90 * time.Minute),
		Facts: []gatehouse.Fact{
			{Kind: gatehouse.Travel, At: noon.AddDate(0, 0, -14), Until: noon.AddDate(0, 0, -3), Division: "330106", Risk: 1},
			{Kind: gatehouse.Travel, At: noon.AddDate(0, 0, -3), Until: noon.AddDate(0, 0, -1), Division: "310115", Risk: 2},
			{Kind: gatehouse.Travel, At: noon.AddDate(0, 0, -1), Until: noon, Division: "330102"},
			{Kind: gatehouse.Fever, At: noon.Add(-4 * time.Hour), Temperature: 36_600},
			{Kind: gatehouse.Test, At: noon.Add(-20 * time.Hour), Method: "nucleic-acid", Result: gatehouse.Negative, Division: "330100"},
			{Kind: gatehouse.Test, At: noon.Add(-9 * 24 * time.Hour), Method: "antibody", Result: gatehouse.ResultUnknown},
			{Kind: gatehouse.Vaccination, At: time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC), Product: "CoronaVac", Dose: 2},
		},
	}
}

// travelled is the travel code of a telephone that was in two cities.
func travelled() Claims {
	return Claims{
		Format:   "TTC1",
		Issuer:   "CN-330000",
		Issued:   noon,
		Expires:  noon.Add(24 * time.Hour),
		ID:       []byte("twelve bytes"),
		Holder:   gatehouse.Holder{Name: "138****1234", Tag: "0102030405060708"},
		Operator: "China Mobile",
		Facts: []gatehouse.Fact{
			{Kind: gatehouse.Travel, At: noon.AddDate(0, 0, -14), Until: noon.AddDate(0, 0, -2), Division: "330100", Method: "China Mobile"},
			{Kind: gatehouse.Travel, At: noon.AddDate(0, 0, -2), Until: noon, Division: "310100", Method: "China Mobile"},
		},
	}
}

// vaccinated is the inside of a travel certificate.
func vaccinated() map[string]any {
	return map[string]any{
		"ver": "1.3.0",
		"dob": "1964-08-12",
		"nam": map[string]any{"fn": "Mustermann", "fnt": "MUSTERMANN", "gn": "Erika", "gnt": "ERIKA"},
		"v": []any{map[string]any{
			"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215",
			"dn": 2, "sd": 2, "dt": "2020-05-29", "co": "DE", "is": "Institute", "ci": "URN:UVCI:01:DE:1#A",
		}},
	}
}

// dccClaims is the CWT around a certificate, valid at noon.
func dccClaims(inside any) map[int64]any {
	return map[int64]any{
		1:    "DE",
		4:    noon.Add(180 * 24 * time.Hour).Unix(),
		6:    noon.Add(-24 * time.Hour).Unix(),
		-260: map[int64]any{1: inside},
	}
}

func mustCBOR(t testing.TB, value any) []byte {
	t.Helper()
	if raw, ok := value.([]byte); ok {
		return raw
	}
	b, err := encoding.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signedMessage is a COSE_Sign1 over any payload, with headers as they are given.
func signedMessage(t testing.TB, key crypto.Signer, protected, unprotected map[int64]any, payload []byte) []byte {
	t.Helper()
	head := []byte{}
	if len(protected) > 0 {
		head = mustCBOR(t, protected)
	}
	signed := toBeSigned(head, payload)
	var signature []byte
	var err error
	switch key.(type) {
	case *rsa.PrivateKey:
		hash := sha256.Sum256(signed)
		signature, err = key.Sign(rand.Reader, hash[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case ed25519.PrivateKey:
		signature, err = signRaw(key, algEdDSA, signed)
	default:
		alg, unfit := algorithmOf(key.Public())
		if unfit != nil {
			t.Fatal(unfit)
		}
		signature, err = signRaw(key, alg, signed)
	}
	if err != nil {
		t.Fatal(err)
	}
	if unprotected == nil {
		unprotected = map[int64]any{}
	}
	return mustCBOR(t, cbor.Tag{Number: tagSign1, Content: []any{head, unprotected, payload, signature}})
}

func headOf(t testing.TB, key crypto.Signer) map[int64]any {
	t.Helper()
	id, err := KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, long := key.(*rsa.PrivateKey); long {
		return map[int64]any{1: algPS256, 4: id}
	}
	alg, err := algorithmOf(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return map[int64]any{1: alg, 4: id}
}

// dccText signs a payload into a travel certificate's text.
func dccText(t testing.TB, key crypto.Signer, payload any) string {
	t.Helper()
	return "HC1:" + encodeBase45(deflated(t, signedMessage(t, key, headOf(t, key), nil, mustCBOR(t, payload))))
}

func deflated(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// refused wants err to be an answer with this reason, and gives it.
func refused(t testing.TB, err error, want gatehouse.Reason) *gatehouse.Refusal {
	t.Helper()
	var r *gatehouse.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal %s", err, want)
	}
	if r.Reason != want {
		t.Fatalf("got %v, want %s", r, want)
	}
	return r
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reasonOf wants err to be an answer and gives its reason.
func reasonOf(t testing.TB, err error) gatehouse.Reason {
	t.Helper()
	var r *gatehouse.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return r.Reason
}

// stageOf is the stage that a malformed code was refused in: "base45", "cose".
func stageOf(err error) string {
	var r *gatehouse.Refusal
	if !errors.As(err, &r) || r.Reason != gatehouse.ReasonMalformed {
		return ""
	}
	stage, _, _ := strings.Cut(r.Detail, ":")
	return stage
}

// nativeSigners hold a key of each kind that our own formats are signed with.
func nativeSigners(t testing.TB) map[string]crypto.Signer {
	return map[string]crypto.Signer{"ES256": testKey(t, "hangzhou"), "EdDSA": testEdKey("hangzhou"), "SM2": testSM2Key(t, "hangzhou")}
}

// sameWords wants two passes to say the same.
func sameWords(t testing.TB, name string, got, want *told) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
	}
}

// negated is n - s in 32 bytes.
func negated(n *big.Int, s []byte) []byte {
	return new(big.Int).Sub(n, new(big.Int).SetBytes(s)).FillBytes(make([]byte, 32))
}
