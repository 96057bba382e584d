package credential

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gatehouse"
)

// abroad verifies one code of each format that comes from abroad as JSON.
func abroad(t testing.TB) (texts map[string]string, v Verifier) {
	t.Helper()
	cards, seals := testKey(t, "cards"), testKey(t, "seals")
	state := newState(t, "UT", testKey(t, "csca"))
	ring := append(state.ring(t), cardKey(t, cards, cardIssuer), Key{
		ID: []byte("did:health"), Issuer: "IN", Public: testEdKey("divoc").Public(), Usage: UseProof, Names: []string{"https://health.example"},
	})
	return map[string]string{
		"SHC":    cardText(t, cards, vaccinatedCard()),
		"VDS-NC": sealText(t, seals, state.signer(t, &seals.PublicKey, nil, "NV", "NT"), sealedDoses),
		"DIVOC":  divocOf(t, divocDocument),
	}, Verifier{Keys: ring, Graph: sameGraph{}}
}

const divocDocument = `{"@context":["a"],"issuer":"https://health.example","issuanceDate":"2020-07-01T00:00:00Z","credentialSubject":{"name":"Mina"}}`

// sameGraph gives each document the graph of one credential: what is written in it is the test
// of the package that can write graphs.
type sameGraph struct{}

func (sameGraph) Canonical([]byte) ([]byte, error) {
	const c = "_:c14n0 "
	return []byte(c + rdfType + " " + credentialType + " .\n" + c + "<" + credentialNS + "issuer> <https://health.example> .\n" +
		c + "<" + credentialNS + `issuanceDate> "2020-07-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .` + "\n" +
		c + "<" + credentialNS + "credentialSubject> <did:x> .\n<did:x> <" + schemaNS + `name> "Mi\"na" .` + "\n" +
		c + "<" + credentialNS + "evidence> <https://health.example/vaccine/7> .\n" +
		"<https://health.example/vaccine/7> " + rdfType + " <vac:Vaccination> .\n" +
		"<https://health.example/vaccine/7> <" + schemaNS + `date> "2020-06-01" .` + "\n"), nil
}

// divocOf signs sameGraph for a document.
func divocOf(t testing.TB, document string) string {
	t.Helper()
	head := b64([]byte(`{"alg":"EdDSA","b64":false,"crit":["b64"]}`))
	graph, err := sameGraph{}.Canonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	hash := keyHash(graph)
	signature, err := signRaw(testEdKey("divoc"), algEdDSA, bytes.Join([][]byte{[]byte(head + "."), hash, hash}, nil))
	if err != nil {
		t.Fatal(err)
	}
	proof := `{"type":"Ed25519Signature2018","verificationMethod":"did:health","proofPurpose":"assertionMethod","jws":"` + head + ".." + b64(signature) + `"}`
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(divocFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(strings.TrimSuffix(document, "}") + `,"proof":` + proof + "}")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return divocText + base64.StdEncoding.EncodeToString(out.Bytes())
}

func TestCodesFromAbroadVerify(t *testing.T) {
	texts, v := abroad(t)
	for name, text := range texts {
		pass, err := v.Verify(text, noon)
		if err != nil || pass.Format != name || len(pass.Facts) == 0 || pass.Code == "" {
			t.Errorf("%s: %+v, %v", name, pass, err)
		}
	}
}

func TestCodesFromAbroadCutOffAnywhereAreRefused(t *testing.T) {
	texts, v := abroad(t)
	for name, text := range texts {
		for n := range len(text) {
			var r *gatehouse.Refusal
			if _, err := v.Verify(text[:n], noon); !errors.As(err, &r) || r.Reason == gatehouse.ReasonNone {
				// Padding at the end of base64, which says nothing, may be missing.
				if name == "DIVOC" && strings.Trim(text[n:], "=") == "" {
					continue
				}
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

func TestNoCodeFromAbroadVerifiesWithAByteChanged(t *testing.T) {
	texts, v := abroad(t)
	for _, name := range []string{"SHC", "VDS-NC"} {
		for i := range texts[name] {
			flipped := []byte(texts[name])
			flipped[i] ^= 1
			if pass, err := v.Verify(string(flipped), noon); err == nil {
				t.Fatalf("%s, byte %d: verified as %+v", name, i, pass)
			}
		}
	}
}

// FuzzAbroad lets through nothing but what the samples say.
func FuzzAbroad(f *testing.F) {
	texts, v := abroad(f)
	for _, text := range texts {
		f.Add(text)
	}
	f.Add("shc:/1/3/5676")
	f.Add("PK\x03\x04")
	f.Fuzz(func(t *testing.T, text string) {
		pass, err := v.Verify(text, noon)
		if err == nil {
			if pass.Holder.Name != "Ex***" && pass.Holder.Name != "CI***" && pass.Holder.Name != "Mi***" {
				t.Errorf("a pass for %+v", pass)
			}
			return
		}
		var r *gatehouse.Refusal
		if !errors.As(err, &r) || !presentable(r.Detail, 160) {
			t.Errorf("no refusal that can be shown: %q", err)
		}
	})
}

// FuzzCard signs whatever comes as a card's payload.
func FuzzCard(f *testing.F) {
	key := testKey(f, "cards")
	v := Verifier{Keys: Ring{cardKey(f, key, cardIssuer)}}
	f.Add(vaccinatedCard())
	f.Add(card("", cardHolder, fmt.Sprintf(cardLab, "final", "94500-6", "2020-07-09", "260415000")))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > 4000 {
			return
		}
		pass, err := v.Verify(cardText(t, key, payload), noon)
		fuzzedPass(t, pass, err)
	})
}

// FuzzSeal signs whatever comes as a seal's data, in its canonical form where it has one.
func FuzzSeal(f *testing.F) {
	key := testKey(f, "seals")
	state := newState(f, "UT", testKey(f, "csca"))
	der := state.signer(f, &key.PublicKey, nil, "NV", "NT")
	v := Verifier{Keys: state.ring(f)}
	f.Add([]byte(sealedDoses))
	f.Add([]byte(sealedTest))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		signed := string(data)
		if value, err := parseJSON(data); err == nil {
			if canonical, err := value.appendCanonical(nil); err == nil {
				signed = string(canonical)
			}
		}
		pass, err := v.Verify(sealText(t, key, der, signed), noon)
		fuzzedPass(t, pass, err)
	})
}

// FuzzCarried reads certificates as codes bring them along.
func FuzzCarried(f *testing.F) {
	state := newState(f, "UT", testKey(f, "csca"))
	f.Add(state.signer(f, &testKey(f, "seals").PublicKey, nil, "NV"))
	f.Add(state.certificate.Raw)
	v := Verifier{Keys: state.ring(f)}
	f.Fuzz(func(t *testing.T, der []byte) {
		certificate, err := parseCarried(der)
		if err != nil {
			return
		}
		for _, authority := range certifiedBy(v, certificate, "UT") {
			key := certifiedKey(nil, certificate, authority)
			if key.Usage&^UseProof != 0 || key.NotAfter.IsZero() {
				t.Errorf("got %+v", key)
			}
		}
		if keys, err := ReadCSCA(der); err == nil && (len(keys) != 1 || keys[0].Usage != UseCertify || keys[0].AnyIssuer) {
			t.Errorf("got %+v", keys)
		}
	})
}

// FuzzDIVOC signs a graph and puts it to whatever document comes.
func FuzzDIVOC(f *testing.F) {
	_, v := abroad(f)
	f.Add(divocDocument)
	f.Fuzz(func(t *testing.T, document string) {
		if len(document) > 2000 || !strings.HasSuffix(document, "}") {
			return
		}
		text := divocOf(t, document)
		if len(text) > maxText {
			return
		}
		pass, err := v.Verify(text, noon)
		fuzzedPass(t, pass, err)
	})
}

// FuzzIssuerDirectory wants no issuer without a sound address.
func FuzzIssuerDirectory(f *testing.F) {
	f.Add([]byte(`{"participating_issuers":[{"iss":"https://a.example","name":"A","website":"https://w.example/"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		issuers, err := ReadIssuerDirectory(data)
		if (err == nil) != (len(issuers) > 0) {
			t.Errorf("%d issuers, %v", len(issuers), err)
		}
		for url, issuer := range issuers {
			if !strings.HasPrefix(url, "https://") || !presentable(url+issuer.Name+issuer.Website+issuer.Canonical, 4*maxWebsite) {
				t.Errorf("got %q: %+v", url, issuer)
			}
		}
	})
}

func fuzzedPass(t *testing.T, pass gatehouse.Pass, err error) {
	t.Helper()
	if err != nil {
		var r *gatehouse.Refusal
		if !errors.As(err, &r) || !presentable(r.Detail, 160) {
			t.Errorf("no refusal that can be shown: %q", err)
		}
		return
	}
	if noon.Before(pass.Issued) || !pass.Expires.IsZero() && noon.After(pass.Expires) || pass.Issuer == "" || pass.Grade != gatehouse.NoGrade {
		t.Errorf("a pass of %s, from %s to %s", pass.Issuer, pass.Issued, pass.Expires)
	}
	if len(pass.Facts) > maxFacts || !presentable(pass.Holder.Name+pass.Holder.Birth, 40) {
		t.Errorf("%d facts of %+v", len(pass.Facts), pass.Holder)
	}
	for _, fact := range pass.Facts {
		if !presentable(fact.Method+fact.Product, 2*maxWord) || !fact.At.IsZero() && fact.At.Year() > 9999 {
			t.Errorf("a fact that cannot be shown: %+v", fact)
		}
	}
}

// TestMemoryDoesNotGrowWithWhatComesFromAbroad counts the bytes that the worst inputs take.
func TestMemoryDoesNotGrowWithWhatComesFromAbroad(t *testing.T) {
	key := testKey(t, "cards")
	_, v := abroad(t)
	signed := func(payload string) string { return cardText(t, key, []byte(payload)) }
	fill := func(s string) string { return strings.Repeat(s, (maxInflated-64)/len(s)) }
	for name, text := range map[string]string{
		"bomb":          signed(strings.Repeat(" ", 4<<20)),
		"numbers":       signed("[" + fill("0,") + "0]"),
		"objects":       signed("[" + fill(`{"":0},`) + "0]"),
		"nesting":       signed(fill("[")),
		"one text":      signed(`"` + fill(`\u0041`) + `"`),
		"seal of lists": `{"data":{"hdr":[` + strings.Repeat("[],", 2000) + `[]]},"sig":{}}`,
		"long seal":     `{"data":{` + strings.Repeat(" ", 1<<20),
		"zip bomb":      divocOf(t, strings.Repeat(" ", 4<<20)+"{}"),
	} {
		const rounds = 8
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			if _, err := v.Verify(text, noon); err == nil {
				t.Fatalf("%s: verified", name)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > 640<<10 {
			t.Errorf("%s: %d bytes for one text, want 640 KiB at most", name, each)
		}
	}
}

// TestCertificatesOfTheWHOAreNotMistaken walks the specimens of the DDCC, which begin like an EU
// certificate and are none.
func TestCertificatesOfTheWHOAreNotMistaken(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors(t, "ddcc"), "*Contents.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no specimens: %v", err)
	}
	passed, misses := 0, []string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Verifier{}.Verify(strings.TrimSpace(string(raw)), noon)
		var r *gatehouse.Refusal
		if !errors.As(err, &r) || r.Reason != gatehouse.ReasonMalformed || !strings.HasPrefix(r.Detail, "cwt: ") {
			misses = append(misses, fmt.Sprintf("%s: %v", filepath.Base(file), err))
			continue
		}
		t.Logf("%s: %v", filepath.Base(file), r)
		passed++
	}
	t.Logf("ddcc: %d passed, %d failed", passed, len(misses))
	for _, miss := range misses {
		t.Error(miss)
	}
}

// The bar is 0.35 ms from the text of a card to its pass.
func BenchmarkVerifyAbroad(b *testing.B) {
	texts, v := abroad(b)
	for _, name := range []string{"SHC", "VDS-NC"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(texts[name], noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func keyHash(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
