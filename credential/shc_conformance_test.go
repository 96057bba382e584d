package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// cardRing reads the keys of a .well-known/jwks.json as those of one issuer.
func cardRing(t testing.TB, file, issuer string) (ring Ring) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ReadSigner(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if len(key.ID) == shcThumbprint {
			key.Issuer, key.AnyIssuer, key.Names = "US", false, []string{issuer}
			ring = append(ring, key)
		}
	}
	return ring
}

// exampleIssuer is whom the published examples name; their keys lie beside them.
const exampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

// cardTexts gives what a code or file of the examples would be judged as, by its layout.
func cardTexts(file string) (texts []string, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(file)
	if strings.Contains(name, "-qr-code-numeric-") {
		return []string{strings.TrimSuffix(string(raw), "\n")}, nil
	}
	return ReadHealthCards(raw)
}

// soon is a second after a card began, which its payload beside it tells.
func soon(t *testing.T, folder, stem string) time.Time {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, stem+"-c-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: no payload beside it: %v", stem, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var payload struct {
		Begins float64 `json:"nbf"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		t.Fatal(err)
	}
	return time.Unix(int64(payload.Begins)+1, 0).UTC()
}

// TestPublishedHealthCardsVerify walks the standard's examples: each as JWS, as file and as
// codes, those of several parts joined by an Assembler.
func TestPublishedHealthCardsVerify(t *testing.T) {
	folder := filepath.Join(vectors(t, "shc"), "examples")
	v := Verifier{Keys: cardRing(t, filepath.Join(folder, "issuer", ".well-known", "jwks.json"), exampleIssuer)}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	passed, misses := 0, []string{}
	stand := map[string]gatehouse.Pass{} // of each card, however it is shown
	parts := map[string][]string{}       // texts by card
	check := func(name, stem, text string) {
		pass, err := v.Verify(text, soon(t, folder, stem))
		known, seen := stand[stem]
		switch {
		case err != nil:
			misses = append(misses, fmt.Sprintf("%s: %v", name, err))
		case pass.Format != "SHC" || pass.Issuer != "US":
			misses = append(misses, fmt.Sprintf("%s: a pass %s of %s", name, pass.Format, pass.Issuer))
		case seen && (fmt.Sprint(known.Facts) != fmt.Sprint(pass.Facts) || known.Holder != pass.Holder || known.Code != pass.Code):
			misses = append(misses, name+": says something else than in its other forms")
		default:
			stand[stem] = pass
			passed++
		}
	}
	for _, file := range files {
		name := filepath.Base(file)
		if len(name) < 12 || !strings.HasPrefix(name, "example-") {
			continue
		}
		stem, kind := name[:10], name[11:12]
		if !slices.Contains([]string{"d", "e", "f"}, kind) {
			continue
		}
		texts, err := cardTexts(file)
		if err != nil {
			misses = append(misses, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		if kind == "f" && strings.Count(texts[0], "/") == 3 {
			parts[stem] = append(parts[stem], texts[0])
			_, err := Parse(texts[0])
			if r := refused(t, err, gatehouse.ReasonMalformed); !strings.HasPrefix(r.Detail, "part ") {
				misses = append(misses, name+": one part alone gives "+r.Detail)
			}
			continue
		}
		for _, text := range texts {
			check(name, stem, text)
		}
	}
	for stem, texts := range parts {
		var a Assembler
		slices.Reverse(texts) // in any order
		for i, text := range texts {
			whole, missing := a.Add(text, noon)
			if missing != len(texts)-1-i {
				misses = append(misses, fmt.Sprintf("%s: %d parts missing after %d", stem, missing, i+1))
			}
			if whole != "" {
				check(stem+" of several parts", stem, whole)
			}
		}
	}
	t.Logf("shc/examples: %d passed, %d failed", passed, len(misses))
	if passed == 0 {
		t.Error("no card was seen")
	}
	for _, miss := range misses {
		t.Error(miss)
	}
	for stem, pass := range stand {
		t.Logf("%s: %d facts, warnings %q", stem, len(pass.Facts), pass.Warnings)
	}
}

// A flawedFile says what must become of a file whose name tells its flaw.
type flawedFile struct {
	in     string // part of the name
	reason gatehouse.Reason
	detail string
}

// flawedFiles are the flaws that the dev-tools name, the first that fits counts. Reason none is
// a pass: the flaw is one of style that a gate does not care about.
var flawedFiles = []flawedFile{
	{"qr-code-numeric-value-0-odd-count", gatehouse.ReasonMalformed, "digits: an odd number of digits"},
	{"index-out-of-range", gatehouse.ReasonMalformed, "digits: a part whose number"},
	{"wrong_qr_header", gatehouse.ReasonNotOurs, "prefix"},
	{"numeric-value-0-trailing_chars", gatehouse.ReasonNotOurs, "prefix"},
	{"qr_chunk_too_small", gatehouse.ReasonMalformed, "digits: a part of more than 8"},
	{"qr_chunk_too_big", gatehouse.ReasonMalformed, "part 2 of 2"},
	{"der-signature", gatehouse.ReasonBadSignature, "signature does not match"},
	{"invalid-signature", gatehouse.ReasonBadSignature, "signature does not match"},
	{"issuer-not-valid", gatehouse.ReasonUnknownKey, "not that of the issuer"},
	{"no_deflate", gatehouse.ReasonMalformed, "jws: header: the payload is not deflated"},
	{"no_jws_header_kid", gatehouse.ReasonUnknownKey, "names no key"},
	{"wrong_jws_header_kid", gatehouse.ReasonUnknownKey, "not in the trust list"},
	{"invalid_deflate", gatehouse.ReasonMalformed, "inflate"},
	{"invalid_issuer_url_http", gatehouse.ReasonMalformed, "claims: the issuer is no https URL"},
	{"missing-shc-vc-type", gatehouse.ReasonMalformed, "claims: its type"},
	{"nbf_not_yet_valid", gatehouse.ReasonNotYetValid, ""},
	{"payload-expanded-expired", gatehouse.ReasonExpired, ""},
	{"pre-expired", gatehouse.ReasonMalformed, "claims: expires before"},
	{"jws_too_long", gatehouse.ReasonMalformed, "claims: nbf is missing"}, // a payload of before the standard
	{"multi-jws", gatehouse.ReasonNone, ""},
	{"missing-covid-vc-type", gatehouse.ReasonNone, ""},
	{"unknown-vc-types", gatehouse.ReasonNone, ""},
	{"missing-lab-vc-type", gatehouse.ReasonNone, ""},
}

// TestFlawedHealthCardsAreRefusedForTheirReason walks the codes, files and payloads of the
// dev-tools. A payload that was published without its signature is signed here by a key of our
// own, so that its flaw is what decides.
func TestFlawedHealthCardsAreRefusedForTheirReason(t *testing.T) {
	root := vectors(t, "shc")
	folder := filepath.Join(root, "dev-tools")
	ours := testKey(t, "cards")
	ring := append(cardRing(t, filepath.Join(root, "examples", "issuer", ".well-known", "jwks.json"), exampleIssuer),
		cardKey(t, ours, exampleIssuer))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	passed, misses, left := 0, []string{}, []string{}
	for _, file := range files {
		name := filepath.Base(file)
		texts, why := flawedTexts(t, file, ours)
		if why != "" {
			left = append(left, name+" ("+why+")")
			continue
		}
		if strings.Contains(name, "trailing_chars") && len(texts) == 0 {
			passed++ // ReadHealthCards refused the file
			continue
		}
		i := slices.IndexFunc(flawedFiles, func(f flawedFile) bool { return strings.Contains(name, f.in) })
		want := flawedFile{reason: gatehouse.ReasonNone}
		if i >= 0 {
			want = flawedFiles[i]
		} else if len(texts) == 0 {
			misses = append(misses, name+": cannot be read as a file of cards")
			continue
		}
		for _, text := range texts {
			_, err := Verifier{Keys: ring}.Verify(text, at)
			got := gatehouse.Refusal{}
			if r := (*gatehouse.Refusal)(nil); errors.As(err, &r) {
				got = *r
			}
			if got.Reason != want.reason || !strings.Contains(got.Detail, want.detail) {
				misses = append(misses, fmt.Sprintf("%s: %s %s, want %s %s", name, got.Reason, got.Detail, want.reason, want.detail))
				break
			}
		}
		if len(misses) == 0 || !strings.HasPrefix(misses[len(misses)-1], name+":") {
			passed++
		}
	}
	t.Logf("shc/dev-tools: %d passed, %d failed", passed, len(misses))
	t.Logf("not judged here: %s", strings.Join(left, ", "))
	if passed == 0 {
		t.Error("no file was seen")
	}
	for _, miss := range misses {
		t.Error(miss)
	}
}

// flawedTexts gives the codes in a file, or why it holds none.
func flawedTexts(t *testing.T, file string, key steadyKey) (texts []string, why string) {
	t.Helper()
	name := filepath.Base(file)
	switch {
	case filepath.Ext(name) == ".png" || filepath.Ext(name) == ".jpg":
		return nil, "an image, for the reader of codes"
	case strings.Contains(name, "shlink") || strings.Contains(name, "shl-"):
		return nil, "a SMART Health Link, which is a network address"
	case strings.Contains(name, "_key") || strings.Contains(name, ".jwks.") || strings.Contains(name, "public.json") || strings.HasPrefix(name, "bad"):
		return nil, "keys and lists, which no code brings along"
	case strings.Contains(name, "-a-") || strings.Contains(name, "fhirhealthcard"):
		return nil, "FHIR without a card around it: style that a gate does not judge"
	case name == "LICENSE" || name == "test-issuers.json":
		return nil, "not a card"
	case filepath.Ext(name) == ".json":
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return []string{cardText(t, key, raw)}, ""
	}
	texts, err := cardTexts(file)
	if err != nil {
		return nil, ""
	}
	return texts, ""
}

// TestFlawedKeyFilesGiveNoKeyForCards takes the dev-tools' files of keys. Certificates in them
// are passed over, whatever they chain to.
func TestFlawedKeyFilesGiveNoKeyForCards(t *testing.T) {
	folder := filepath.Join(vectors(t, "shc"), "dev-tools")
	for name, want := range map[string]bool{
		"valid_key.json": true, "valid_keys.json": true, "wrong_curve_key.json": false, "wrong_kty_key.json": false,
		filepath.Join("badjwks", ".well-known", "jwks.json"): false,
	} {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		keys, err := ReadSigner(raw)
		got := slices.ContainsFunc(keys, func(key Key) bool { return len(key.ID) == shcThumbprint && fits(algES256, key.Public) })
		if got != want {
			t.Errorf("%s: a key for cards: %v, want %v (%v)", name, got, want, err)
		}
	}
}

// TestCardsOfIssuersWithFlawedListsVerify takes the dev-tools' cards beside lists of revocations
// that are flawed: the lists are for whoever reads them, the cards are sound.
func TestCardsOfIssuersWithFlawedListsVerify(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors(t, "shc"), "dev-tools", "badcrl", "*", "jws-*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		texts, err := cardTexts(file)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		u, err := Parse(texts[0])
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		ring := cardRing(t, filepath.Join(filepath.Dir(file), ".well-known", "jwks.json"), u.name)
		if pass, err := u.Verify(Verifier{Keys: ring}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || len(pass.Facts) == 0 {
			t.Errorf("%s: %+v, %v", filepath.Base(file), pass, err)
		}
	}
}

// TestIssuerDirectoryIsRead takes the published directory.
func TestIssuerDirectoryIsRead(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(vectors(t, "shc"), "vci-issuers.json"))
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := ReadIssuerDirectory(raw)
	if err != nil {
		t.Fatal(err)
	}
	for url, issuer := range issuers {
		if issuer.Name == "" {
			t.Errorf("%s has no name", url)
		}
	}
	t.Logf("vci-issuers: %d issuers", len(issuers))
}
