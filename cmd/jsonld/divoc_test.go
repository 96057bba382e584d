package jsonld_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/cmd/jsonld"
	"gatehouse/credential"
)

var issued = time.Date(2021, 12, 17, 18, 41, 50, 0, time.UTC)

// dose is a certificate of our own: of nobody, about nothing that was given.
const dose = `{"@context":["https://www.w3.org/2018/credentials/v1","https://cowin.gov.in/credentials/vaccination/v2"],` +
	`"type":["VerifiableCredential","ProofOfVaccinationCredential"],` +
	`"credentialSubject":{"type":"Person","id":"did:Passport:X0001","name":"Mina Example","gender":"Female","dob":"1998-01-05"},` +
	`"issuer":"https://health.example","issuanceDate":"2021-12-17T18:41:49.791Z",` +
	`"evidence":[{"id":"https://health.example/vaccine/77","certificateId":"77","type":["Vaccination"],"batch":"B-9","vaccine":"Covi",` +
	`"manufacturer":"Maker","date":"2021-04-15","effectiveStart":"2021-04-15","effectiveUntil":"2022-04-15","dose":1,"totalDoses":2,` +
	`"verifier":{"name":"A Nurse"},"facility":{"name":"A Clinic","address":{"addressCountry":"IN"}}}],"nonTransferable":"true"}`

func testEd(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func keyOf(public crypto.PublicKey) credential.Key {
	return credential.Key{ID: []byte("did:health"), Issuer: "IN", Public: public, Usage: credential.UseProof, Names: []string{"https://health.example"}}
}

// proofOf signs a document the way that the standard of its proof says, bent by change.
func proofOf(t testing.TB, key crypto.Signer, document string, change func(proof map[string]any, head *string)) map[string]any {
	t.Helper()
	proof := map[string]any{"type": "Ed25519Signature2018", "created": "2021-12-17T18:41:49Z", "verificationMethod": "did:health", "proofPurpose": "assertionMethod"}
	head := `{"alg":"EdDSA","b64":false,"crit":["b64"]}`
	if _, ok := key.(*rsa.PrivateKey); ok {
		proof["type"], head = "RsaSignature2018", strings.Replace(head, "EdDSA", "PS256", 1)
	}
	if change != nil {
		change(proof, &head)
	}
	options := map[string]any{"@context": "https://w3id.org/security/v2"}
	for name, value := range proof {
		options[name] = value
	}
	raw, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	first, err := jsonld.Graph{}.Canonical(raw)
	if err != nil {
		t.Fatal(err)
	}
	second, err := jsonld.Graph{}.Canonical([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	head = base64.RawURLEncoding.EncodeToString([]byte(head))
	a, b := sha256.Sum256(first), sha256.Sum256(second)
	signed := append(append([]byte(head+"."), a[:]...), b[:]...)
	var signature []byte
	switch key := key.(type) {
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, signed)
	case *rsa.PrivateKey:
		hash := sha256.Sum256(signed)
		if signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, hash[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
			t.Fatal(err)
		}
	}
	proof["jws"] = head + ".." + base64.RawURLEncoding.EncodeToString(signature)
	return proof
}

func withProof(t testing.TB, document string, proof map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(proof)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(document, "}") + `,"proof":` + string(raw) + "}"
}

func zipped(t testing.TB, name, document string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(document)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func textOf(t testing.TB, document string) string {
	return "B64:" + base64.StdEncoding.EncodeToString(zipped(t, "certificate.json", document))
}

func TestCertificateVerifiesByItsGraph(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"Ed25519": testEd("health"), "RSA": weak} {
		v := credential.Verifier{Keys: credential.Ring{keyOf(key.Public())}, Graph: jsonld.Graph{}}
		document := withProof(t, dose, proofOf(t, key, dose, nil))
		packed := zipped(t, "certificate.json", document)
		letters := make([]rune, len(packed))
		for i, b := range packed {
			letters[i] = rune(b)
		}
		for how, text := range map[string]string{"base64": textOf(t, document), "bytes": string(packed), "letters": string(letters)} {
			pass, err := v.Verify(text, issued)
			if err != nil {
				t.Fatalf("%s as %s: %v", name, how, err)
			}
			fact := gatehouse.Fact{Kind: gatehouse.Vaccination, At: time.Date(2021, 4, 15, 0, 0, 0, 0, time.UTC), Dose: 1, Doses: 2}
			if pass.Format != "DIVOC" || pass.Issuer != "IN" || pass.Holder != (gatehouse.Holder{Name: "Mi***", Birth: "1998-01-05"}) ||
				len(pass.Facts) != 1 || pass.Facts[0] != fact || pass.Code == "" {
				t.Errorf("%s as %s: got %+v", name, how, pass)
			}
		}
	}
}

// TestOnlyWhatWasSignedIsRead changes the JSON in ways that leave its graph, and so its
// signature, as they are.
func TestOnlyWhatWasSignedIsRead(t *testing.T) {
	key := testEd("health")
	v := credential.Verifier{Keys: credential.Ring{keyOf(key.Public())}, Graph: jsonld.Graph{}}
	whole := withProof(t, dose, proofOf(t, key, dose, nil))
	want, err := v.Verify(textOf(t, whole), issued)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"words that mean nothing":    {`"gender"`, `"nickname":"Somebody Else","gender"`},
		"dates change places":        {`"effectiveStart":"2021-04-15","effectiveUntil":"2022-04-15"`, `"effectiveStart":"2022-04-15","effectiveUntil":"2021-04-15"`},
		"doses change places":        {`"dose":1,"totalDoses":2`, `"dose":2,"totalDoses":1`},
		"vaccine and batch":          {`"batch":"B-9","vaccine":"Covi"`, `"batch":"Covi","vaccine":"B-9"`},
		"a name that nobody defines": {`"type":"Person","id":"did:Passport:X0001","name":"Mina Example","gender":"Female","dob":"1998-01-05"`, `"type":"https://schema.org/Person","id":"did:Passport:X0001","https://schema.org/name":"Mina Example","name":"Somebody Else","https://schema.org/gender":"Female","https://schema.org/date":"1998-01-05"`},
	} {
		bent := strings.Replace(whole, c[0], c[1], 1)
		if bent == whole {
			t.Fatalf("%s: nothing was changed", name)
		}
		got, err := v.Verify(textOf(t, bent), issued)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestCertificateIsRefusedForItsReason(t *testing.T) {
	key := testEd("health")
	bend := func(change func(proof map[string]any, head *string)) string {
		return textOf(t, withProof(t, dose, proofOf(t, key, dose, change)))
	}
	whole := withProof(t, dose, proofOf(t, key, dose, nil))
	change := func(old, new string) string {
		bent := strings.Replace(whole, old, new, 1)
		if bent == whole {
			t.Fatalf("%s: nothing was changed", old)
		}
		return textOf(t, bent)
	}
	signed := func(old, new string) string {
		document := strings.Replace(dose, old, new, 1)
		return textOf(t, withProof(t, document, proofOf(t, key, document, nil)))
	}
	head := func(h string) string { return bend(func(_ map[string]any, head *string) { *head = h }) }
	two := func() []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for range 2 {
			w, err := z.Create("certificate.json")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(whole)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}()
	broken := zipped(t, "certificate.json", whole)
	broken[60] ^= 1
	for name, c := range map[string]struct {
		text   string
		reason gatehouse.Reason
		detail string
	}{
		"another name":          {change("Mina", "Nina"), gatehouse.ReasonBadSignature, "signature does not match"},
		"another method":        {bend(func(p map[string]any, _ *string) { p["verificationMethod"] = "did:else" }), gatehouse.ReasonUnknownKey, "not in the trust list"},
		"another issuer":        {signed(`"issuer":"https://health.example"`, `"issuer":"https://other.example"`), gatehouse.ReasonUnknownKey, "not that of the issuer"},
		"alg none":              {head(`{"alg":"none","b64":false,"crit":["b64"]}`), gatehouse.ReasonBadSignature, "does not sign with none"},
		"alg HS256":             {head(`{"alg":"HS256","b64":false,"crit":["b64"]}`), gatehouse.ReasonBadSignature, "does not sign with"},
		"alg of another suite":  {head(`{"alg":"PS256","b64":false,"crit":["b64"]}`), gatehouse.ReasonMalformed, "proof: header: the algorithm of another"},
		"b64 is true":           {head(`{"alg":"EdDSA","b64":true,"crit":["b64"]}`), gatehouse.ReasonMalformed, "proof: header: b64"},
		"b64 not critical":      {head(`{"alg":"EdDSA","b64":false}`), gatehouse.ReasonMalformed, "proof: header: b64"},
		"unknown and critical":  {head(`{"alg":"EdDSA","b64":false,"crit":["b64","exp"]}`), gatehouse.ReasonMalformed, "proof: header: a parameter is critical"},
		"header says alg twice": {head(`{"alg":"none","alg":"EdDSA","b64":false,"crit":["b64"]}`), gatehouse.ReasonMalformed, "proof: header: a key stands there twice"},
		"to authenticate":       {bend(func(p map[string]any, _ *string) { p["proofPurpose"] = "authentication" }), gatehouse.ReasonMalformed, "proof: a purpose"},
		"proof of its own kind": {bend(func(p map[string]any, _ *string) { p["type"] = "JcsEd25519Signature2020" }), gatehouse.ReasonMalformed, "proof: a kind"},
		"proof with a context":  {change(`"created"`, `"@context":"https://w3id.org/security/v2","created"`), gatehouse.ReasonMalformed, "proof: a context of its own"},
		"context that we lack":  {change("vaccination/v2", "vaccination/v9"), gatehouse.ReasonMalformed, "signed: its graph cannot be written"},
		"context brought along": {change(`"https://cowin.gov.in/credentials/vaccination/v2"`, `{"name":"https://schema.org/name"}`), gatehouse.ReasonMalformed, "signed: its graph cannot be written"},
		"expiry in other words": {expiryHidden(t, key), gatehouse.ReasonBadSignature, "signature does not match"},
		"expired":               {signed(`"issuer":`, `"expirationDate":"2021-12-17T18:41:49.9Z","issuer":`), gatehouse.ReasonExpired, ""},
		"to come":               {signed("2021-12-17T18:41:49.791Z", "2021-12-17T18:41:50.001Z"), gatehouse.ReasonNotYetValid, ""},
		"no vaccination":        {signed(`"type":["Vaccination"]`, `"type":["TestDetails"]`), gatehouse.ReasonMalformed, "claims: no vaccination"},
		"too many objects":      {change(`"nonTransferable"`, `"x":[`+strings.TrimSuffix(strings.Repeat("{},", 20), ",")+`],"nonTransferable"`), gatehouse.ReasonMalformed, "signed: its graph cannot be written"},
		"numbered nodes":        {change(`"did:Passport:X0001"`, `"_:b0"`), gatehouse.ReasonMalformed, "signed: its graph cannot be written"},
		"no base64":             {"B64:?", gatehouse.ReasonMalformed, "base64"},
		"no zip":                {"PK\x03\x04", gatehouse.ReasonMalformed, "zip: not a zip"},
		"another file":          {string(zipped(t, "other.json", whole)), gatehouse.ReasonMalformed, "zip: not one file"},
		"two files":             {string(two), gatehouse.ReasonMalformed, "zip: not one file"},
		"broken file":           {string(broken), gatehouse.ReasonMalformed, "zip: a file that is broken"},
		"bomb":                  {string(zipped(t, "certificate.json", strings.Repeat(" ", 4<<20))), gatehouse.ReasonMalformed, "zip: more than"},
		"no JSON":               {string(zipped(t, "certificate.json", "hello")), gatehouse.ReasonMalformed, "json"},
		"no proof":              {textOf(t, dose), gatehouse.ReasonMalformed, "json: no document with a proof"},
		"issuer as an object":   {change(`"issuer":"https://health.example"`, `"issuer":{"id":"https://health.example"}`), gatehouse.ReasonMalformed, "json: the issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			v := credential.Verifier{Keys: credential.Ring{keyOf(key.Public())}, Graph: jsonld.Graph{}}
			_, err := v.Verify(c.text, issued)
			var r *gatehouse.Refusal
			if !errors.As(err, &r) || r.Reason != c.reason || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("got %v, want %s %s", err, c.reason, c.detail)
			}
		})
	}
	if _, err := (credential.Verifier{Keys: credential.Ring{keyOf(key.Public())}}).Verify(textOf(t, whole), issued); err == nil {
		t.Error("believed without a graph")
	}
}

// expiryHidden moves a signed expiry to where the JSON has no word for it. Its type goes with
// the word, and so the graph is another.
func expiryHidden(t *testing.T, key crypto.Signer) string {
	t.Helper()
	document := strings.Replace(dose, `"issuer":`, `"expirationDate":"2021-12-17T18:41:49Z","issuer":`, 1)
	whole := withProof(t, document, proofOf(t, key, document, nil))
	bent := strings.Replace(whole, `"expirationDate"`, `"https://www.w3.org/2018/credentials#expirationDate"`, 1)
	if bent == whole {
		t.Fatal("nothing was changed")
	}
	return textOf(t, bent)
}

// TestPublishedCertificatesAreRead walks the specimens. A key for them counts when it lies beside
// them (*.pem, *.jwk); without one nobody may be believed, and that is what must be said.
func TestPublishedCertificatesAreRead(t *testing.T) {
	folder := vectors(t, "divoc")
	var ring credential.Ring
	for _, pattern := range []string{"*.pem", "*.jwk"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := credential.ReadSigner(raw)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, key := range keys {
				key.ID, key.AnyIssuer = []byte("did:india"), true
				ring = append(ring, key)
			}
		}
	}
	texts, err := filepath.Glob(filepath.Join(folder, "*Contents.txt"))
	if err != nil || len(texts) == 0 {
		t.Fatalf("no specimens: %v", err)
	}
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	stranger := keyOf(testEd("stranger").Public())
	passed, misses := 0, []string{}
	for _, file := range texts {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimSpace(string(raw))
		_, err = credential.Verifier{Keys: ring, Graph: jsonld.Graph{}}.Verify(text, at)
		var r *gatehouse.Refusal
		if len(ring) == 0 && errors.As(err, &r) && r.Reason == gatehouse.ReasonUnknownKey {
			// Under another's key it is taken apart to the last and does not match.
			u, parsed := credential.Parse(text)
			stranger.ID = []byte("did:india")
			stranger.Public = testEd("stranger").Public()
			if u.Algorithm() == "PS256" {
				weak, made := rsa.GenerateKey(rand.Reader, 2048)
				if made != nil {
					t.Fatal(made)
				}
				stranger.Public = &weak.PublicKey
			}
			_, err = credential.Verifier{Keys: credential.Ring{stranger}, Graph: jsonld.Graph{}}.Verify(text, at)
			if parsed == nil && errors.As(err, &r) && r.Reason == gatehouse.ReasonBadSignature {
				err = nil
			}
		}
		if err != nil {
			misses = append(misses, fmt.Sprintf("%s: %v", filepath.Base(file), err))
			continue
		}
		passed++
	}
	t.Logf("divoc: %d passed, %d failed; %d keys lie beside them", passed, len(misses), len(ring))
	for _, miss := range misses {
		t.Error(miss)
	}
}

// vectors finds a folder of published vectors: below $GATEHOUSE_VECTORS, or in the first
// ../shared/vectors beside the repository or a folder above it.
func vectors(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("GATEHOUSE_VECTORS")
	if root == "" {
		here, err := filepath.Abs(filepath.Join("..", ".."))
		if err != nil {
			t.Fatal(err)
		}
		for dir := here; root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			beside := filepath.Join(filepath.Dir(dir), "shared", "vectors")
			if _, err := os.Stat(beside); err == nil {
				root = beside
			}
		}
	}
	folder := filepath.Join(root, name)
	if _, err := os.Stat(folder); root == "" || err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no vectors %q: set GATEHOUSE_VECTORS", name)
		}
		t.Skipf("no vectors %q: set GATEHOUSE_VECTORS to their folder", name)
	}
	return folder
}

func BenchmarkVerify(b *testing.B) {
	key := testEd("health")
	v := credential.Verifier{Keys: credential.Ring{keyOf(key.Public())}, Graph: jsonld.Graph{}}
	text := textOf(b, withProof(b, dose, proofOf(b, key, dose, nil)))
	b.Run("DIVOC", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(text, issued); err != nil {
				b.Fatal(err)
			}
		}
	})
}
