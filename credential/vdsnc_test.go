package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// A testState has a signing authority of our own.
type testState struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

func newState(t testing.TB, country string, key crypto.Signer) testState {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{country}, CommonName: "CSCA"},
		NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return testState{key, certificate}
}

func (s testState) ring(t testing.TB) Ring {
	t.Helper()
	keys, err := ReadCSCA(s.certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// signer certifies a key for seals of the kinds that are named; change bends the certificate.
func (s testState) signer(t testing.TB, public crypto.PublicKey, change func(c *x509.Certificate), kinds ...string) []byte {
	t.Helper()
	list, err := asn1.Marshal(struct {
		Version int
		Types   []string `asn1:"set"`
	}{0, kinds})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Country: s.certificate.Subject.Country, CommonName: "Seals"},
		NotBefore: noon.AddDate(0, -1, 0), NotAfter: noon.AddDate(0, 1, 0),
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{{2, 23, 136, 1, 1, 14, 2}},
		ExtraExtensions:    []pkix.Extension{{Id: documentTypes, Value: list}},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.certificate, public, s.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

const sealedDoses = `{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"msg":{"pid":{"dob":"1961-05-15","n":"CITIZEN  JANE SUE","sex":"F"},` +
	`"uvci":"U32870","ve":[{"des":"XM68M6","dis":"RA01.0","nam":"Comirnaty","vd":[{"ctr":"UTO","dvc":"2020-05-29","lot":"7","seq":1},` +
	`{"ctr":"UTO","dvc":"2020-06-29","lot":"8","seq":2}]}]}}`

const sealedTest = `{"hdr":{"is":"UTO","t":"icao.test","v":1},"msg":{"dat":{"ri":"2020-07-10T08:00:00+02:00","sc":"2020-07-09T08:00:00+02:00"},` +
	`"pid":{"dn":"E1","dob":"1961","dt":"P","n":"CITIZEN  JANE"},"sp":{"ctr":"UTO","spn":"Lab"},"tr":{"m":"saliva","r":"Negative","tc":"molecular(PCR)"},"utci":"U1"}}`

// sealText signs data as it is written, which is canonical where the test means it to be.
func sealText(t testing.TB, key steadyKey, der []byte, data string) string {
	t.Helper()
	signature, err := signRaw(key, algES256, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return sealOf(data, "ES256", der, signature)
}

func sealOf(data, alg string, der, signature []byte) string {
	return fmt.Sprintf(`{"data":%s,"sig":{"alg":%q,"cer":%q,"sigvl":%q}}`, data, alg, b64(der), base64.URLEncoding.EncodeToString(signature))
}

func TestSealIsBelievedThroughItsState(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	big, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, authority := range map[string]crypto.Signer{"RSA": weak, "P-256": testKey(t, "csca"), "P-384": big} {
		state, key := newState(t, "UT", authority), testKey(t, "seals")
		der := state.signer(t, &key.PublicKey, nil, "NV", "NT")
		v := Verifier{Keys: state.ring(t)}
		pass, err := v.Verify(sealText(t, key, der, sealedDoses), noon)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if pass.Format != "VDS-NC" || pass.Issuer != "UT" || pass.Holder != (gatehouse.Holder{Name: "CI***", Birth: "1961-05-15"}) ||
			len(pass.Facts) != 2 || pass.Facts[1].Dose != 2 || pass.Facts[1].Product != "Comirnaty" || pass.Code != tagOf([]byte("U32870")) {
			t.Errorf("%s: got %+v", name, pass)
		}
		pass, err = v.Verify(sealText(t, key, der, sealedTest), noon)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := (gatehouse.Fact{Kind: gatehouse.Test, At: time.Date(2020, 7, 9, 6, 0, 0, 0, time.UTC), Method: "molecular(PCR)", Result: gatehouse.Negative}); len(pass.Facts) != 1 || pass.Facts[0] != want {
			t.Errorf("%s: got %+v", name, pass.Facts)
		}
		// The state's key may stand in a trust list.
		listed, err := v.Keys.(Ring)[0].Listed()
		if err != nil {
			t.Fatal(err)
		}
		trust := opened(t, TrustList{Region: "CN-33", Version: 1, Issued: noon, Keys: []TrustKey{listed}})
		if _, err := (Verifier{Keys: trust}).Verify(sealText(t, key, der, sealedDoses), noon); err != nil {
			t.Errorf("%s, by a trust list: %v", name, err)
		}
	}
}

func TestSealIsBelievedWhereItsSignerIsVouchedFor(t *testing.T) {
	state, key := newState(t, "UT", testKey(t, "csca")), testKey(t, "seals")
	der := state.signer(t, &key.PublicKey, nil, "NV", "NT")
	given, err := ReadSigner(der)
	if err != nil {
		t.Fatal(err)
	}
	text := sealText(t, key, der, sealedDoses)
	if pass, err := (Verifier{Keys: Ring(given)}).Verify(text, noon); err != nil || pass.Issuer != "UT" {
		t.Errorf("got %+v, %v", pass, err)
	}
	for name, change := range map[string]func(k *Key){
		"withdrawn":            func(k *Key) { k.Withdrawn = true },
		"of another country":   func(k *Key) { k.Issuer = "DE" },
		"another's public key": func(k *Key) { k.Public = testKey(t, "other").Public() },
		"for other statements": func(k *Key) { k.Usage = UseHealthCode },
		"over":                 func(k *Key) { k.NotAfter = noon.Add(-time.Hour) },
	} {
		ring := Ring(slices.Clone(given))
		change(&ring[0])
		change(&ring[1])
		if _, err := (Verifier{Keys: ring}).Verify(text, noon); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
	half := Ring(slices.Clone(given))
	half[1].Withdrawn = true
	_, err = Verifier{Keys: half}.Verify(text, noon)
	refused(t, err, gatehouse.ReasonKeyWithdrawn)
}

// TestSealIsSignedInItsCanonicalForm prints the same seal in other words.
func TestSealIsSignedInItsCanonicalForm(t *testing.T) {
	state, key := newState(t, "UT", testKey(t, "csca")), testKey(t, "seals")
	der := state.signer(t, &key.PublicKey, nil, "NV")
	signature, err := signRaw(key, algES256, []byte(sealedDoses))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"spaces":       strings.ReplaceAll(sealedDoses, ":{", " : { "),
		"other order":  strings.Replace(sealedDoses, `"is":"UTO","t":"icao.vacc"`, `"t":"icao.vacc","is":"UTO"`, 1),
		"escapes":      strings.Replace(sealedDoses, `CITIZEN`, `\u0043ITIZEN`, 1),
		"number 1.0":   strings.Replace(sealedDoses, `"seq":1`, `"seq":1.0`, 1),
		"number 1e0":   strings.Replace(sealedDoses, `"seq":1`, `"seq":1e0`, 1),
		"number 20e-1": strings.Replace(sealedDoses, `"seq":2`, `"seq":20e-1`, 1),
	} {
		if _, err := (Verifier{Keys: state.ring(t)}).Verify(sealOf(data, "ES256", der, signature), noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSealIsRefusedForItsReason(t *testing.T) {
	state, key := newState(t, "UT", testKey(t, "csca")), testKey(t, "seals")
	public := &key.PublicKey
	der := state.signer(t, public, nil, "NV")
	seal := func(data string) string { return sealText(t, key, der, data) }
	signature, err := signRaw(key, algES256, []byte(sealedDoses))
	if err != nil {
		t.Fatal(err)
	}
	long, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])})
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bent := func(change func(c *x509.Certificate), kinds ...string) string {
		return sealText(t, key, state.signer(t, public, change, kinds...), sealedDoses)
	}
	other := newState(t, "UT", testKey(t, "another authority"))
	neighbour := newState(t, "DE", testKey(t, "csca"))
	for name, c := range map[string]struct {
		text   string
		reason gatehouse.Reason
		detail string
	}{
		"ASN.1 signature":         {sealOf(sealedDoses, "ES256", der, long), gatehouse.ReasonBadSignature, "signature does not match"},
		"another word signed":     {strings.Replace(seal(sealedDoses), "JANE", "JOAN", 1), gatehouse.ReasonBadSignature, "signature does not match"},
		"alg none":                {sealOf(sealedDoses, "none", der, nil), gatehouse.ReasonBadSignature, "does not sign with none"},
		"alg HS256":               {sealOf(sealedDoses, "HS256", der, signature), gatehouse.ReasonBadSignature, "does not sign with"},
		"alg ES384":               {sealOf(sealedDoses, "ES384", der, signature), gatehouse.ReasonBadSignature, "does not sign with"},
		"alg in words":            {sealOf(sealedDoses, "es256", der, signature), gatehouse.ReasonMalformed, "json: no algorithm"},
		"key of another curve":    {sealOf(sealedDoses, "ES256", state.signer(t, p384.Public(), nil, "NV"), signature), gatehouse.ReasonBadSignature, "does not fit"},
		"stranger's certificate":  {sealText(t, key, other.signer(t, public, nil, "NV"), sealedDoses), gatehouse.ReasonUnknownKey, "no key of the trust list certifies"},
		"claims the state's id":   {sealText(t, key, testState{other.key, withID(other.certificate, state.certificate.SubjectKeyId)}.signer(t, public, nil, "NV"), sealedDoses), gatehouse.ReasonUnknownKey, "no key of the trust list certifies"},
		"neighbour's certificate": {sealText(t, key, neighbour.signer(t, public, nil, "NV"), sealedDoses), gatehouse.ReasonUnknownKey, "of another country"},
		"an authority":            {bent(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, "NV"), gatehouse.ReasonKeyUsage, "may not sign: vaccination"},
		"other purpose":           {bent(func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }, "NV"), gatehouse.ReasonKeyUsage, "may not sign: vaccination"},
		"may not sign at all":     {bent(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, "NV"), gatehouse.ReasonKeyUsage, "may not sign: vaccination"},
		"unknown condition": {bent(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 99}, Critical: true, Value: []byte{5, 0}})
		}, "NV"), gatehouse.ReasonKeyUsage, "may not sign"},
		"tests only":              {bent(nil, "NT"), gatehouse.ReasonKeyUsage, "may not sign: vaccination"},
		"passports":               {bent(nil, "P"), gatehouse.ReasonKeyUsage, "may not sign: vaccination"},
		"no types":                {bent(func(c *x509.Certificate) { c.ExtraExtensions = nil }), gatehouse.ReasonKeyUsage, "may not sign: vaccination"},
		"certificate expired":     {bent(func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) }, "NV"), gatehouse.ReasonKeyWithdrawn, "counted until"},
		"certificate to come":     {bent(func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Second) }, "NV"), gatehouse.ReasonKeyWithdrawn, "counts from"},
		"no certificate":          {sealOf(sealedDoses, "ES256", nil, signature), gatehouse.ReasonMalformed, "certificate: no certificate"},
		"large certificate":       {sealOf(sealedDoses, "ES256", make([]byte, maxCertificate+1), signature), gatehouse.ReasonMalformed, "certificate: a certificate of"},
		"kind unknown":            {seal(strings.Replace(sealedDoses, "icao.vacc", "icao.visa", 1)), gatehouse.ReasonMalformed, "json: a seal of a kind"},
		"version 2":               {seal(strings.Replace(sealedDoses, `"v":1`, `"v":2`, 1)), gatehouse.ReasonMalformed, "json: version"},
		"no country":              {seal(strings.Replace(sealedDoses, `"is":"UTO"`, `"is":"XYZ"`, 1)), gatehouse.ReasonMalformed, "json: the issuer"},
		"member twice":            {seal(strings.Replace(sealedDoses, `"v":1`, `"v":1,"v":1`, 1)), gatehouse.ReasonMalformed, "json: a key stands there twice"},
		"member twice in escapes": {seal(strings.Replace(sealedDoses, `"v":1`, `"v":1,"\u0076":1`, 1)), gatehouse.ReasonMalformed, "json: a name is written with escapes"},
		"half a surrogate":        {seal(strings.Replace(sealedDoses, "JANE", `\ud800`, 1)), gatehouse.ReasonMalformed, "json: not JSON"},
		"deep":                    {seal(strings.Replace(sealedDoses, `"v":1`, `"v":1,"x":`+strings.Repeat("[", 900)+strings.Repeat("]", 900), 1)), gatehouse.ReasonMalformed, "json: nested too deep"},
		"long number":             {seal(strings.Replace(sealedDoses, `"v":1`, `"v":1,"x":1`+strings.Repeat("0", 99), 1)), gatehouse.ReasonMalformed, "json: a number is too long"},
		"number without end":      {seal(strings.Replace(sealedDoses, `"seq":1`, `"seq":1e999`, 1)), gatehouse.ReasonMalformed, "signed: a number is out of range"},
		"bytes behind":            {seal(sealedDoses) + "x", gatehouse.ReasonMalformed, "json: bytes follow the end"},
		"no dose":                 {seal(strings.Replace(sealedDoses, `"vd":`, `"vdx":`, 1)), gatehouse.ReasonMalformed, "claims: no dose in it"},
		"another JSON":            {`{"data":[]}`, gatehouse.ReasonNotOurs, "prefix"},
		"only its beginning":      {`{ "data" : {`, gatehouse.ReasonMalformed, "json: cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verifier{Keys: state.ring(t)}.Verify(c.text, noon)
			if r := refused(t, err, c.reason); !strings.Contains(r.Detail, c.detail) || !presentable(r.Detail, 160) {
				t.Errorf("got %q, want %q", r.Detail, c.detail)
			}
		})
	}
	if _, err := (Verifier{}).Verify(seal(sealedDoses), noon); err == nil {
		t.Error("believed without any trust")
	}
	withdrawn := append(state.ring(t), Key{ID: keyPrint(der), Issuer: "UT", Public: public, Withdrawn: true, Usage: UseVaccination})
	_, err = Verifier{Keys: withdrawn}.Verify(seal(sealedDoses), noon)
	refused(t, err, gatehouse.ReasonKeyWithdrawn)
}

// inFull writes the curve of a certificate's key out, bent by change.
func inFull(t testing.TB, der []byte, change func(c *writtenCurve)) []byte {
	t.Helper()
	var certificate plainCertificate
	if _, err := asn1.Unmarshal(der, &certificate); err != nil {
		t.Fatal(err)
	}
	p := elliptic.P256().Params()
	curve := writtenCurve{Version: 1, Order: p.N, Cofactor: big.NewInt(1)}
	curve.Field.ID, curve.Field.Prime = idPrimeField, p.P
	curve.Curve.A, curve.Curve.B = new(big.Int).Sub(p.P, big.NewInt(3)).Bytes(), p.B.Bytes()
	curve.Curve.Seed = asn1.BitString{Bytes: []byte{1}, BitLength: 8}
	curve.Base = append(append([]byte{4}, p.Gx.FillBytes(make([]byte, 32))...), p.Gy.FillBytes(make([]byte, 32))...)
	if change != nil {
		change(&curve)
	}
	written, err := asn1.Marshal(curve)
	if err != nil {
		t.Fatal(err)
	}
	certificate.TBS.Key.Algorithm.Parameters = asn1.RawValue{FullBytes: written}
	out, err := asn1.Marshal(certificate)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAuthorityMayWriteItsCurveInFull(t *testing.T) {
	state := newState(t, "UT", testKey(t, "csca"))
	keys, err := ReadCSCA(inFull(t, state.certificate.Raw, nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := state.ring(t)[0]; !want.Public.(*ecdsa.PublicKey).Equal(keys[0].Public) || keys[0].Issuer != "UT" {
		t.Errorf("got %+v, want %+v", keys[0], want)
	}
	for name, change := range map[string]func(c *writtenCurve){
		"another base point": func(c *writtenCurve) { c.Base[64] ^= 1 },
		"another order":      func(c *writtenCurve) { c.Order = new(big.Int).Add(c.Order, big.NewInt(2)) },
		"another prime":      func(c *writtenCurve) { c.Field.Prime = big.NewInt(23) },
		"another a":          func(c *writtenCurve) { c.Curve.A = []byte{1} },
		"another b":          func(c *writtenCurve) { c.Curve.B = []byte{1} },
		"another cofactor":   func(c *writtenCurve) { c.Cofactor = big.NewInt(2) },
	} {
		if keys, err := ReadCSCA(inFull(t, state.certificate.Raw, change)); err == nil {
			t.Errorf("%s: got %+v", name, keys)
		}
	}
}

func TestCertificateSignedOverSHA1IsNobodys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	v := Verifier{Keys: Ring{{ID: []byte("authority"), Issuer: "UT", Public: &weak.PublicKey, Usage: UseCertify}}}
	for algorithm, hash := range map[x509.SignatureAlgorithm]crypto.Hash{x509.SHA1WithRSA: crypto.SHA1, x509.SHA256WithRSA: crypto.SHA256} {
		h := hash.New()
		h.Write([]byte("certificate"))
		signature, err := rsa.SignPKCS1v15(rand.Reader, weak, hash, h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		certificate := &x509.Certificate{AuthorityKeyId: []byte("authority"), SignatureAlgorithm: algorithm, RawTBSCertificate: []byte("certificate"), Signature: signature}
		if got := len(certifiedBy(v, certificate, "UT")); got != map[crypto.Hash]int{crypto.SHA256: 1}[hash] {
			t.Errorf("%v: %d authorities", algorithm, got)
		}
	}
}

func TestOnlyAuthoritiesAreReadAsSuch(t *testing.T) {
	state := newState(t, "UT", testKey(t, "csca"))
	unnamed := newState(t, "UTO", testKey(t, "csca"))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: state.certificate.Raw})
	if keys, err := ReadCSCA(append(text, text...)); err != nil || len(keys) != 2 || keys[0].Usage != UseCertify {
		t.Errorf("got %+v, %v", keys, err)
	}
	for name, data := range map[string][]byte{
		"a signer": state.signer(t, &testKey(t, "seals").PublicKey, nil, "NV"), "no country": unnamed.certificate.Raw, "nothing": nil,
		"cut off": state.certificate.Raw[:99], "PEM cut off": text[:99], "too large": make([]byte, maxSigner+1),
	} {
		if keys, err := ReadCSCA(data); err == nil {
			t.Errorf("%s: got %+v", name, keys)
		}
	}
}

func TestCountriesHaveTwoLetters(t *testing.T) {
	for three, want := range map[string]gatehouse.Issuer{
		"AUS": "AU", "D": "DE", "DEU": "DE", "CHN": "CN", "UTO": "UT", "ZWE": "ZW", "AND": "AD", "GBR": "GB",
		"": "", "AU": "", "XXX": "", "aus": "", "US ": "", "SAU": "SA", "S U": "",
	} {
		if got := countryOf(three); got != want {
			t.Errorf("%q: got %q, want %q", three, got, want)
		}
	}
	if len(countries)%6 != 0 || len(countries)/6 != 249 {
		t.Errorf("%d characters of countries, want 249 of 6", len(countries))
	}
}

func withID(c *x509.Certificate, id []byte) *x509.Certificate {
	copied := *c
	copied.SubjectKeyId = id
	return &copied
}

func keyPrint(der []byte) []byte {
	u, _ := Parse(sealOf(sealedDoses, "ES256", der, nil))
	return u.kid
}

// TestPublishedSealsVerify walks the specimens. Their signature must hold under the key that
// they carry; that the key is their state's can be told only where the state's certificate lies
// in the folder, and without it nobody may be believed.
func TestPublishedSealsVerify(t *testing.T) {
	folder := vectors(t, "vds-nc")
	var ring Ring
	files, err := filepath.Glob(filepath.Join(folder, "*.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// A file may hold an authority and what it certified.
		for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
			keys, err := ReadCSCA(block.Bytes)
			if err != nil {
				t.Logf("%s: %v", filepath.Base(file), err)
			}
			for _, key := range keys {
				t.Logf("%s: the authority of %s", filepath.Base(file), key.Issuer)
			}
			ring = append(ring, keys...)
		}
	}
	texts, err := filepath.Glob(filepath.Join(folder, "*Contents.txt"))
	if err != nil || len(texts) == 0 {
		t.Fatalf("no specimens: %v", err)
	}
	passed, misses := 0, []string{}
	for _, file := range texts {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		miss := judgeSeal(strings.TrimSpace(string(raw)), ring)
		if miss != "" {
			misses = append(misses, filepath.Base(file)+": "+miss)
			continue
		}
		passed++
	}
	t.Logf("vds-nc: %d passed, %d failed", passed, len(misses))
	for _, miss := range misses {
		t.Error(miss)
	}
}

// judgeSeal names what is wrong with how a specimen is judged.
func judgeSeal(text string, ring Ring) string {
	var seal struct {
		Sig struct{ Cer string }
	}
	if err := json.Unmarshal([]byte(text), &seal); err != nil {
		return err.Error()
	}
	der, err := decodePadded(seal.Sig.Cer)
	if err != nil {
		return err.Error()
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return err.Error()
	}
	u, err := Parse(text)
	if err != nil {
		return err.Error()
	}
	at := certificate.NotBefore.Add(24 * time.Hour)
	certified := len(certifiedBy(Verifier{Keys: ring}, certificate, u.issuer)) > 0
	_, err = u.Verify(Verifier{Keys: ring}, at)
	if certified != (err == nil) {
		return fmt.Sprintf("certified here: %v, and judged %v", certified, err)
	}
	// The same, as if its state had vouched for this one certificate.
	u.endorsed = func(Verifier, time.Time) ([]Key, error) {
		return []Key{certifiedKey(u.kid, certificate, Key{Issuer: u.issuer})}, nil
	}
	pass, err := u.Verify(Verifier{}, at)
	switch {
	case err != nil:
		return err.Error()
	case len(pass.Facts) == 0 || pass.Holder.Name == "" || pass.Holder.Birth == "":
		return fmt.Sprintf("got %+v", pass)
	}
	return ""
}
