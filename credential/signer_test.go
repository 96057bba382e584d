package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func certificate(t testing.TB, country string, usages ...asn1.ObjectIdentifier) (der []byte, key steadyKey) {
	t.Helper()
	key = testKey(t, "signer")
	template := &x509.Certificate{
		SerialNumber:       big.NewInt(1),
		Subject:            pkix.Name{CommonName: "DSC"},
		NotBefore:          noon.AddDate(-1, 0, 0),
		NotAfter:           noon.AddDate(1, 0, 0),
		UnknownExtKeyUsage: usages,
	}
	if country != "" {
		template.Subject.Country = []string{country}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// jwkOf writes a public key as people publish it.
func jwkOf(t testing.TB, public crypto.PublicKey, kid string) []byte {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	var jwk map[string]string
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		jwk = map[string]string{"kty": "EC", "crv": "P-256", "x": enc(point[1:33]), "y": enc(point[33:])}
	case *rsa.PublicKey:
		jwk = map[string]string{"kty": "RSA", "n": enc(key.N.Bytes()), "e": "AQAB"}
	case ed25519.PublicKey:
		jwk = map[string]string{"kty": "OKP", "crv": "Ed25519", "x": enc(key)}
	}
	if kid != "" {
		jwk["kid"] = kid
	}
	b, err := json.Marshal(jwk)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignersAreReadInTheFormsThatPeopleHave(t *testing.T) {
	der, key := certificate(t, "DE")
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	sum := sha256.Sum256(der)
	travel := dccTextWithID(t, key, sum[:8])
	native, err := Issue(key, typical())
	if err != nil {
		t.Fatal(err)
	}
	// A certificate of Germany does not speak for Hangzhou; a bare key speaks for anybody.
	for name, c := range map[string]struct {
		data           []byte
		travel, native bool
	}{
		"PEM certificate":         {block("CERTIFICATE", der), true, false},
		"two in one PEM":          {append(block("PUBLIC KEY", spki), block("CERTIFICATE", der)...), true, true},
		"PEM public key":          {block("PUBLIC KEY", spki), false, true},
		"base64 of a certificate": {[]byte(base64.StdEncoding.EncodeToString(der) + "\n"), true, false},
		"DER certificate":         {der, true, false},
		"JWK":                     {jwkOf(t, key.Public(), ""), false, true},
		"JWK with key id":         {jwkOf(t, key.Public(), base64.StdEncoding.EncodeToString(sum[:8])), true, true},
	} {
		keys, err := ReadSigner(c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := Verifier{Keys: Ring(keys)}
		if _, err := v.Verify(travel, noon); (err == nil) != c.travel {
			t.Errorf("%s: travel certificate: %v", name, err)
		}
		if _, err := v.Verify(native, noon); (err == nil) != c.native {
			t.Errorf("%s: health code: %v", name, err)
		}
	}
}

func dccTextWithID(t testing.TB, key crypto.Signer, id []byte) string {
	t.Helper()
	message := signedMessage(t, key, map[int64]any{1: algES256, 4: id}, nil, mustCBOR(t, dccClaims(vaccinated())))
	return "HC1:" + encodeBase45(deflated(t, message))
}

func TestOtherKindsOfKeyAsJWK(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{long, testEdKey("signer")} {
		keys, err := ReadSigner(jwkOf(t, key.Public(), ""))
		if err != nil {
			t.Errorf("%T: %v", key, err)
			continue
		}
		if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(keys[0].Public) {
			t.Errorf("%T: got another key", key)
		}
	}
}

func TestCertificateSaysWhatItsKeyMaySign(t *testing.T) {
	oid := func(arcs ...int) asn1.ObjectIdentifier {
		return append(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1}, arcs...)
	}
	for name, c := range map[string]struct {
		usages  []asn1.ObjectIdentifier
		country string
		want    Usage
		issuer  gatehouse.Issuer
	}{
		"none":                {nil, "DE", UseAll, "DE"},
		"test":                {[]asn1.ObjectIdentifier{oid(1847, 2021, 1, 1)}, "DE", UseTest, "DE"},
		"vaccination, old":    {[]asn1.ObjectIdentifier{oid(0, 1847, 2021, 1, 2)}, "DE", UseVaccination, "DE"},
		"recovery and test":   {[]asn1.ObjectIdentifier{oid(1847, 2021, 1, 3), oid(0, 1847, 2021, 1, 1)}, "DE", UseRecovery | UseTest, "DE"},
		"of somebody else":    {[]asn1.ObjectIdentifier{oid(1847, 2022, 1, 1)}, "DE", UseAll, "DE"},
		"no country":          {nil, "", UseAll, ""},
		"country small":       {nil, "de", UseAll, "DE"},
		"country in words":    {nil, "Germany", UseAll, ""},
		"a fourth of the arc": {[]asn1.ObjectIdentifier{oid(1847, 2021, 1, 4)}, "DE", UseAll, "DE"},
	} {
		der, _ := certificate(t, c.country, c.usages...)
		keys, err := ReadSigner(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, key := range keys {
			if key.Usage != c.want || key.Issuer != c.issuer || key.AnyIssuer != (c.issuer == "") {
				t.Errorf("%s: got %q for %q, any %v, want %q for %q", name, key.Usage, key.Issuer, key.AnyIssuer, c.want, c.issuer)
			}
			if !key.NotAfter.Equal(noon.AddDate(1, 0, 0)) || !key.NotBefore.Equal(noon.AddDate(-1, 0, 0)) {
				t.Errorf("%s: counts from %v to %v", name, key.NotBefore, key.NotAfter)
			}
		}
	}
}

func TestWhatIsNoSignerIsRefused(t *testing.T) {
	der, key := certificate(t, "DE")
	private, err := x509.MarshalPKCS8PrivateKey(key.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	for name, data := range map[string]string{
		"nothing":                 "",
		"prose":                   "this is no key",
		"too long":                strings.Repeat("A", maxSigner+1),
		"private key":             string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"private key behind":      good + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"PEM cut off":             good[:len(good)/2],
		"prose behind":            good + "and so on",
		"certificate cut off":     string(der[:len(der)-1]),
		"bytes behind":            string(append(bytes.Clone(der), 0)),
		"base64 of nothing known": "AAAA",
		"JWK cut off":             `{"kty":"EC"`,
		"JWK of a secret":         `{"kty":"oct","k":"AAAA"}`,
		"JWK private":             `{"kty":"OKP","crv":"Ed25519","x":"AAAA","d":"AAAA"}`,
		"JWK short":               `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`,
		"JWK off the curve":       `{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`,
		"JWK RSA small":           `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"JWK RSA without e":       `{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `"}`,
		"JWK of another curve":    `{"kty":"EC","crv":"P-521"}`,
	} {
		if keys, err := ReadSigner([]byte(data)); err == nil {
			t.Errorf("%s: read as %d keys", name, len(keys))
		}
	}
}

func TestP384CertificateIsReadButDoesNotVerify(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: noon.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ReadSigner(der)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Verifier{Keys: Ring(keys)}.Verify(dccTextWithID(t, testKey(t, "berlin"), keys[0].ID), noon)
	if r := refused(t, err, gatehouse.ReasonBadSignature); !strings.Contains(r.Detail, "does not fit") {
		t.Errorf("got %q, want that the algorithm does not fit", r.Detail)
	}
}

// smallOrders are the spellings of the points of small order without the sign of x (Cremers
// and Jackson, "Prime, Order Please!", 2019, table 1): y = 0, 1, -1, the two of order 8, and
// 0 and 1 once more as p and p+1.
var smallOrders = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// TestKeyThatAnybodyCanSignUnderIsNoKey forges first: a signature of R = [s]B with s = 0 under
// the neutral point holds for every message.
func TestKeyThatAnybodyCanSignUnderIsNoKey(t *testing.T) {
	neutral := ed25519.PublicKey(unhex(t, smallOrders[1]))
	forged := append(bytes.Clone(neutral), make([]byte, 32)...)
	if !ed25519.Verify(neutral, []byte("anything"), forged) {
		t.Fatal("the forgery does not hold: this test shows nothing")
	}
	good := testEdKey("hangzhou").Public()
	if err := Sound(good); err != nil {
		t.Fatalf("a good key: %v", err)
	}
	listed, err := ringOf(t, "CN-330000", good)[0].Listed()
	if err != nil {
		t.Fatal(err)
	}
	listed.NotBefore, listed.NotAfter = noon, noon.AddDate(1, 0, 0)
	for _, h := range smallOrders {
		for _, sign := range []byte{0, 0x80} {
			key := ed25519.PublicKey(unhex(t, h))
			key[31] |= sign
			if _, err := ReadSigner(jwkOf(t, key, "")); err == nil {
				t.Errorf("%x: read as a signer", key)
			}
			bad := listed
			if bad.SPKI, err = x509.MarshalPKIXPublicKey(key); err != nil {
				t.Fatal(err)
			}
			bad.Usage = []string{"test"} // whose id is not made of the key
			if _, err := bad.key(); err == nil || !strings.Contains(err.Error(), "small order") {
				t.Errorf("%x: in a trust list: %v", key, err)
			}
		}
	}
}

func TestRSAKeyThatNobodyCanSignUnderIsNoKey(t *testing.T) {
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]*rsa.PublicKey{
		"exponent 1":    {N: good.N, E: 1},
		"exponent even": {N: good.N, E: 65536},
		"modulus even":  {N: new(big.Int).Lsh(good.N, 1), E: 65537},
	} {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSigner(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})); err == nil {
			t.Errorf("%s: read as a signer", name)
		}
	}
}
