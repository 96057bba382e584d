package credential

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// printOf is the key id that a card names its key by.
func printOf(t testing.TB, key steadyKey) []byte {
	t.Helper()
	id, err := thumbprint(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func cardKey(t testing.TB, key steadyKey, issuer string) Key {
	t.Helper()
	return Key{ID: printOf(t, key), Issuer: "US", Public: &key.PublicKey, Usage: UseProof, Names: []string{issuer}}
}

func deflatedRaw(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// compactJWS signs header and payload as they are given.
func compactJWS(t testing.TB, key steadyKey, header string, payload []byte) string {
	t.Helper()
	signed := b64([]byte(header)) + "." + b64(payload)
	signature, err := signRaw(key, algES256, []byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(signature)
}

func cardHeader(t testing.TB, key steadyKey) string {
	return fmt.Sprintf(`{"zip":"DEF","alg":"ES256","kid":"%s"}`, b64(printOf(t, key)))
}

func digitsOf(t testing.TB, compact string) string {
	t.Helper()
	text, err := encodeDigits(compact)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// cardText signs a payload into a card's text.
func cardText(t testing.TB, key steadyKey, payload []byte) string {
	t.Helper()
	return digitsOf(t, compactJWS(t, key, cardHeader(t, key), deflatedRaw(t, payload)))
}

const cardIssuer = "https://health.example/cards"

// cardHolder, cardDose and cardLab are resources of our own; %s is filled in.
const (
	cardHolder = `{"resourceType":"Patient","name":[{"family":"Example","given":["Mina"]}],"birthDate":"1990-05"}`
	cardDose   = `{"resourceType":"Immunization","status":"%s","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"%s"}]},"patient":{"reference":"resource:0"},"occurrenceDateTime":"%s"}`
	cardLab    = `{"resourceType":"Observation","status":"%s","code":{"coding":[{"system":"http://loinc.org","code":"%s"}]},"effectiveDateTime":"%s","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"%s"}]}}`
)

// card is a payload, valid at noon, with resources; claims stand before vc.
func card(claims string, resources ...string) []byte {
	var entries []string
	for i, resource := range resources {
		entries = append(entries, fmt.Sprintf(`{"fullUrl":"resource:%d","resource":%s}`, i, resource))
	}
	if claims == "" {
		claims = fmt.Sprintf(`"iss":%q,"nbf":%d.5`, cardIssuer, noon.Unix()-60)
	}
	return fmt.Appendf(nil, `{%s,"vc":{"type":["https://smarthealth.cards#health-card"],"credentialSubject":{"fhirVersion":"4.0.1",`+
		`"fhirBundle":{"resourceType":"Bundle","type":"collection","entry":[%s]}},"rid":"MKyCxh7p6uQ"}}`, claims, strings.Join(entries, ","))
}

func vaccinatedCard() []byte {
	return card("", cardHolder, fmt.Sprintf(cardDose, "completed", "207", "2020-06-29"), fmt.Sprintf(cardDose, "completed", "207", "2020-05-29"))
}

func TestCardTellsItsFacts(t *testing.T) {
	key := testKey(t, "cards")
	v := Verifier{Keys: Ring{cardKey(t, key, cardIssuer)}}
	day := func(month, day int) time.Time { return time.Date(2020, time.Month(month), day, 0, 0, 0, 0, time.UTC) }
	dose := func(at time.Time, n int) gatehouse.Fact {
		return gatehouse.Fact{Kind: gatehouse.Vaccination, At: at, Product: "207", Dose: n}
	}
	lab := func(at time.Time, result gatehouse.Result) gatehouse.Fact {
		return gatehouse.Fact{Kind: gatehouse.Test, At: at, Method: "94500-6", Result: result}
	}
	both := `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"94500-6"}]},"effectiveDateTime":"2020-07-09",` +
		`"valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"LA6577-6"}]},"interpretation":[{"coding":[{"system":"` + systemInterpretation + `","code":"POS"}]}]}`
	for name, c := range map[string]struct {
		resources []string
		facts     []gatehouse.Fact
		warning   string
	}{
		"two doses, in their order":  {[]string{cardHolder, fmt.Sprintf(cardDose, "completed", "207", "2020-06-29"), fmt.Sprintf(cardDose, "completed", "207", "2020-05-29T10:00:00+02:00")}, []gatehouse.Fact{dose(time.Date(2020, 5, 29, 8, 0, 0, 0, time.UTC), 1), dose(day(6, 29), 2)}, ""},
		"a dose that was not given":  {[]string{cardHolder, fmt.Sprintf(cardDose, "not-done", "207", "2020-06-29")}, nil, "a vaccination that was not completed"},
		"against another disease":    {[]string{cardHolder, fmt.Sprintf(cardDose, "completed", "141", "2020-06-29")}, nil, "vaccinations against other diseases"},
		"in some month":              {[]string{cardHolder, fmt.Sprintf(cardDose, "completed", "207", "2020-06")}, []gatehouse.Fact{dose(time.Time{}, 1)}, "date of vaccination cannot be read"},
		"negative":                   {[]string{cardHolder, fmt.Sprintf(cardLab, "final", "94500-6", "2020-07-09T10:00:00Z", "260415000")}, []gatehouse.Fact{lab(day(7, 9).Add(10*time.Hour), gatehouse.Negative)}, ""},
		"positive":                   {[]string{cardHolder, fmt.Sprintf(cardLab, "final", "94500-6", "2020-07-09", "10828004")}, []gatehouse.Fact{lab(day(7, 9), gatehouse.Positive)}, ""},
		"negative, but preliminary":  {[]string{cardHolder, fmt.Sprintf(cardLab, "preliminary", "94500-6", "2020-07-09", "260415000")}, []gatehouse.Fact{lab(day(7, 9), gatehouse.ResultUnknown)}, "a test that is not final"},
		"negative and positive":      {[]string{cardHolder, both}, []gatehouse.Fact{lab(day(7, 9), gatehouse.ResultUnknown)}, "test result cannot be read"},
		"a negative of another kind": {[]string{cardHolder, fmt.Sprintf(cardLab, "final", "25428-4", "2020-07-09", "260385009")}, nil, "tests for something else"},
		"nobody":                     {nil, nil, "names nobody"},
		"other records":              {[]string{cardHolder, `{"resourceType":"Condition"}`}, nil, "holds records that are not read here"},
	} {
		pass, err := v.Verify(cardText(t, key, card("", c.resources...)), noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(pass.Facts, c.facts) {
			t.Errorf("%s: got %+v, want %+v", name, pass.Facts, c.facts)
		}
		if c.warning == "" && len(pass.Warnings) > 0 || c.warning != "" && !slices.Contains(pass.Warnings, c.warning) {
			t.Errorf("%s: warnings %q, want %q", name, pass.Warnings, c.warning)
		}
		if len(c.resources) > 0 && pass.Holder != (gatehouse.Holder{Name: "Ex***", Birth: "1990-05"}) {
			t.Errorf("%s: holder %+v", name, pass.Holder)
		}
	}
}

func TestCardIsRefusedForItsReason(t *testing.T) {
	key, other := testKey(t, "cards"), testKey(t, "other cards")
	ring := Ring{cardKey(t, key, cardIssuer), cardKey(t, other, "https://other.example")}
	good := vaccinatedCard()
	kid := b64(printOf(t, key))
	headed := func(header string) string { return digitsOf(t, compactJWS(t, key, header, deflatedRaw(t, good))) }
	packed := func(payload []byte) string { return digitsOf(t, compactJWS(t, key, cardHeader(t, key), payload)) }
	claims := func(format string, args ...any) string {
		return cardText(t, key, card(fmt.Sprintf(format, args...), cardHolder))
	}
	bent := func(old, new string) string {
		return cardText(t, key, bytes.Replace(good, []byte(old), []byte(new), 1))
	}
	compact := compactJWS(t, key, cardHeader(t, key), deflatedRaw(t, good))
	head, rest, _ := strings.Cut(compact, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	raw := part64(t, signature)
	long, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
	if err != nil {
		t.Fatal(err)
	}
	stranger := testKey(t, "stranger")
	x, y, err := coordinates(&stranger.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	jwk := fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}`, b64(x), b64(y))
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curve := append(ring, Key{ID: make([]byte, 32), Issuer: "US", Public: &p384.PublicKey, Usage: UseAll, Names: []string{cardIssuer}})
	at := noon.Unix()
	for name, c := range map[string]struct {
		text   string
		reason gatehouse.Reason
		detail string
	}{
		"alg none":               {headed(`{"zip":"DEF","alg":"none","kid":"` + kid + `"}`), gatehouse.ReasonBadSignature, "does not sign with none"},
		"alg none, unsigned":     {digitsOf(t, b64([]byte(`{"zip":"DEF","alg":"none","kid":"`+kid+`"}`))+"."+payload+"."), gatehouse.ReasonBadSignature, "does not sign with none"},
		"alg HS256":              {headed(`{"zip":"DEF","alg":"HS256","kid":"` + kid + `"}`), gatehouse.ReasonBadSignature, "does not sign with algorithm 5"},
		"alg ES384":              {headed(`{"zip":"DEF","alg":"ES384","kid":"` + kid + `"}`), gatehouse.ReasonBadSignature, "does not sign with algorithm -35"},
		"alg NONE":               {headed(`{"zip":"DEF","alg":"NONE","kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: no algorithm"},
		"no alg":                 {headed(`{"zip":"DEF","kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: no algorithm"},
		"alg twice":              {headed(`{"zip":"DEF","alg":"none","alg":"ES256","kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: a key stands there twice"},
		"alg in escapes":         {headed(`{"zip":"DEF","\u0061lg":"ES256","kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: a name is written with escapes"},
		"zip of another kind":    {headed(`{"zip":"GZ","alg":"ES256","kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: the payload is not deflated"},
		"critical":               {headed(`{"zip":"DEF","alg":"ES256","crit":["exp"],"kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: a parameter is critical"},
		"b64":                    {headed(`{"zip":"DEF","alg":"ES256","b64":false,"kid":"` + kid + `"}`), gatehouse.ReasonMalformed, "jws: header: b64"},
		"short kid":              {headed(`{"zip":"DEF","alg":"ES256","kid":"AAAA"}`), gatehouse.ReasonMalformed, "jws: header: the key id"},
		"no kid":                 {headed(`{"zip":"DEF","alg":"ES256"}`), gatehouse.ReasonUnknownKey, "names no key"},
		"kid of another issuer":  {headed(cardHeader(t, other)), gatehouse.ReasonBadSignature, "signature does not match"},
		"signed by another":      {digitsOf(t, compactJWS(t, other, cardHeader(t, other), deflatedRaw(t, good))), gatehouse.ReasonUnknownKey, "not that of the issuer"},
		"jwk brought along":      {digitsOf(t, compactJWS(t, stranger, `{"zip":"DEF","alg":"ES256","jwk":`+jwk+`,"kid":"`+b64(printOf(t, stranger))+`"}`, deflatedRaw(t, good))), gatehouse.ReasonUnknownKey, "not in the trust list"},
		"jwk beside a known kid": {digitsOf(t, compactJWS(t, stranger, `{"zip":"DEF","alg":"ES256","jwk":`+jwk+`,"kid":"`+kid+`"}`, deflatedRaw(t, good))), gatehouse.ReasonBadSignature, "signature does not match"},
		"jku and x5c":            {digitsOf(t, compactJWS(t, stranger, `{"zip":"DEF","alg":"ES256","jku":"https://evil.example/jwks.json","x5c":["MIIB"]}`, deflatedRaw(t, good))), gatehouse.ReasonUnknownKey, "names no key"},
		"ASN.1 signature":        {digitsOf(t, head+"."+payload+"."+b64(long)), gatehouse.ReasonBadSignature, "signature does not match"},
		"no signature":           {digitsOf(t, head+"."+payload+"."), gatehouse.ReasonBadSignature, "signature does not match"},
		"key of another curve":   {headed(`{"zip":"DEF","alg":"ES256","kid":"` + b64(make([]byte, 32)) + `"}`), gatehouse.ReasonBadSignature, "does not fit key"},
		"two parts":              {digitsOf(t, head+"."+payload), gatehouse.ReasonMalformed, "jws: not three parts"},
		"four parts":             {digitsOf(t, compact+".AAAA"), gatehouse.ReasonMalformed, "jws: not three parts"},
		"base64 with padding":    {digitsOf(t, head+"."+payload+"."+signature+"=="), gatehouse.ReasonMalformed, "jws: signature: not base64url"},
		"other spelling":         {digitsOf(t, head+"."+payload+"."+signature[:85]+"B"), gatehouse.ReasonMalformed, "jws: signature: not base64url"},
		"pair of 78":             {"shc:/78", gatehouse.ReasonMalformed, "digits: a pair above 77"},
		"odd":                    {"shc:/567", gatehouse.ReasonMalformed, "digits: an odd number"},
		"letters":                {"shc:/5a", gatehouse.ReasonMalformed, "digits: a character"},
		"nothing":                {"shc:/", gatehouse.ReasonMalformed, "jws: not three parts"},
		"one part":               {"shc:/2/3/5676", gatehouse.ReasonMalformed, "part 2 of 3"},
		"part 0":                 {"shc:/0/3/5676", gatehouse.ReasonMalformed, "digits: a part whose number"},
		"part 4 of 3":            {"shc:/4/3/5676", gatehouse.ReasonMalformed, "digits: a part whose number"},
		"part of 9":              {"shc:/1/9/5676", gatehouse.ReasonMalformed, "digits: a part of more than 8"},
		"part +1":                {"shc:/+1/3/5676", gatehouse.ReasonMalformed, "digits: a part whose number"},
		"three slashes":          {"shc:/1/2/3/5676", gatehouse.ReasonMalformed, "digits: neither"},
		"bomb":                   {packed(deflatedRaw(t, make([]byte, 1<<20))), gatehouse.ReasonMalformed, "inflate: more than"},
		"not deflated":           {packed(good), gatehouse.ReasonMalformed, "inflate: "},
		"deflated half":          {packed(deflatedRaw(t, good)[:200]), gatehouse.ReasonMalformed, "inflate: cut off"},
		"bytes behind":           {packed(append(deflatedRaw(t, good), 0)), gatehouse.ReasonMalformed, "inflate: 1 bytes follow"},
		"deep":                   {cardText(t, key, []byte(strings.Repeat("[", 60000))), gatehouse.ReasonMalformed, "claims: nested too deep"},
		"wide":                   {cardText(t, key, []byte("["+strings.Repeat("1,", 30000)+"1]")), gatehouse.ReasonMalformed, "claims: a list is too long"},
		"iss twice":              {bent(`"iss"`, `"iss":"https://other.example","iss"`), gatehouse.ReasonMalformed, "claims: a key stands there twice"},
		"not an object":          {cardText(t, key, []byte(`["iss"]`)), gatehouse.ReasonMalformed, "claims: not an object"},
		"iss by http":            {claims(`"iss":"http://health.example/cards","nbf":%d`, at), gatehouse.ReasonMalformed, "claims: the issuer is no https URL"},
		"iss with slash":         {claims(`"iss":"%s/","nbf":%d`, cardIssuer, at), gatehouse.ReasonMalformed, "claims: the issuer's URL ends in a slash"},
		"iss in capitals":        {claims(`"iss":"https://HEALTH.example/cards","nbf":%d`, at), gatehouse.ReasonUnknownKey, "not that of the issuer"},
		"no nbf":                 {claims(`"iss":%q`, cardIssuer), gatehouse.ReasonMalformed, "claims: nbf is missing"},
		"nbf in words":           {claims(`"iss":%q,"nbf":"%d"`, cardIssuer, at), gatehouse.ReasonMalformed, "claims: a time is no number"},
		"nbf without end":        {claims(`"iss":%q,"nbf":1e300`, cardIssuer), gatehouse.ReasonMalformed, "claims: a time is out of range"},
		"begins in a moment":     {claims(`"iss":%q,"nbf":%d.001`, cardIssuer, at), gatehouse.ReasonNotYetValid, ""},
		"ended a moment ago":     {claims(`"iss":%q,"nbf":%d,"exp":%d.999`, cardIssuer, at-9, at-1), gatehouse.ReasonExpired, ""},
		"ends before it begins":  {claims(`"iss":%q,"nbf":%d,"exp":%d`, cardIssuer, at, at-1), gatehouse.ReasonMalformed, "claims: expires before"},
		"no card":                {bent("#health-card", "#presentation"), gatehouse.ReasonMalformed, "claims: its type"},
		"no bundle":              {bent(`"Bundle"`, `"List"`), gatehouse.ReasonMalformed, "claims: no FHIR bundle"},
		"no version":             {bent(`"fhirVersion"`, `"version"`), gatehouse.ReasonMalformed, "claims: fhirVersion"},
		"long rid":               {bent("MKyCxh7p6uQ", strings.Repeat("A", 25)), gatehouse.ReasonMalformed, "claims: its revocation id"},
		"rid with a time":        {bent("MKyCxh7p6uQ", "MKy.1687450765"), gatehouse.ReasonMalformed, "claims: its revocation id"},
		"two patients":           {cardText(t, key, card("", cardHolder, cardHolder)), gatehouse.ReasonMalformed, "claims: more than one patient"},
		"a life of doses":        {cardText(t, key, card("", slices.Repeat([]string{fmt.Sprintf(cardDose, "completed", "207", "2020-06-29")}, maxFacts+1)...)), gatehouse.ReasonMalformed, "claims: 33 vaccinations"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verifier{Keys: curve}.Verify(c.text, noon)
			r := refused(t, err, c.reason)
			if !strings.Contains(r.Detail, c.detail) || !presentable(r.Detail, 160) || r.Format != "SHC" {
				t.Errorf("got %+v, want %q", r, c.detail)
			}
		})
	}
	for name, text := range map[string]string{
		"begins now": claims(`"iss":%q,"nbf":%d`, cardIssuer, at), "ends now": claims(`"iss":%q,"nbf":%d,"exp":%d`, cardIssuer, at-9, at),
		"part 1 of 1": strings.Replace(cardText(t, key, good), "shc:/", "shc:/1/1/", 1),
	} {
		if _, err := (Verifier{Keys: ring}).Verify(text, noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	tests := cardKey(t, key, cardIssuer)
	tests.Usage = UseTest
	_, err = Verifier{Keys: Ring{tests}}.Verify(cardText(t, key, good), noon)
	refused(t, err, gatehouse.ReasonKeyUsage)
}

// A listed revocation is one that the test knows.
type listed struct {
	id   string
	seen []Revocable
}

func (l *listed) Revoked(code Revocable) Standing {
	l.seen = append(l.seen, code)
	if string(code.ID) == l.id {
		return Revoked
	}
	return InForce
}

func TestCardIsTakenBackByItsRevocationID(t *testing.T) {
	key := testKey(t, "cards")
	list := &listed{id: "MKyCxh7p6uQ"}
	v := Verifier{Keys: Ring{cardKey(t, key, cardIssuer)}, Revoked: list}
	_, err := v.Verify(cardText(t, key, vaccinatedCard()), noon)
	refused(t, err, gatehouse.ReasonRevoked)
	// A list may mean only cards of before some second: half a second does not save one.
	if len(list.seen) != 1 || !list.seen[0].Issued.Equal(time.Unix(noon.Unix()-60, 0)) || !bytes.Equal(list.seen[0].Key, printOf(t, key)) {
		t.Errorf("asked of %+v", list.seen)
	}
	list.id = "another"
	if _, err := v.Verify(cardText(t, key, vaccinatedCard()), noon); err != nil {
		t.Error(err)
	}
}

func TestPartsJoinInAnyOrder(t *testing.T) {
	add := func(a *Assembler, text string, at time.Time) string {
		whole, missing := a.Add(text, at)
		return fmt.Sprintf("%s %d", whole, missing)
	}
	type step struct {
		text string
		wait time.Duration
		want string
	}
	for name, steps := range map[string][]step{
		"in order":            {{"shc:/1/3/11", 0, " 2"}, {"shc:/2/3/22", 0, " 1"}, {"shc:/3/3/33", 0, "shc:/112233 0"}},
		"backwards":           {{"shc:/3/3/33", 0, " 2"}, {"shc:/2/3/22", 0, " 1"}, {"shc:/1/3/11", 0, "shc:/112233 0"}},
		"held still":          {{"shc:/1/2/11", 0, " 1"}, {"shc:/1/2/11", time.Second, " 1"}, {"shc:/2/2/22", 0, "shc:/1122 0"}},
		"and once more":       {{"shc:/1/2/11", 0, " 1"}, {"shc:/2/2/22", 0, "shc:/1122 0"}, {"shc:/2/2/22", 0, " 1"}},
		"another card's part": {{"shc:/1/2/11", 0, " 1"}, {"shc:/1/2/44", 0, " 1"}, {"shc:/2/2/22", 0, "shc:/4422 0"}},
		"of another number":   {{"shc:/1/2/11", 0, " 1"}, {"shc:/2/3/22", 0, " 2"}, {"shc:/1/3/11", 0, " 1"}},
		"too late":            {{"shc:/1/2/11", 0, " 1"}, {"shc:/2/2/22", partsFor + 1, " 1"}},
		"just in time":        {{"shc:/1/2/11", 0, " 1"}, {"shc:/2/2/22", partsFor, "shc:/1122 0"}},
		"clock set back":      {{"shc:/1/2/11", 0, " 1"}, {"shc:/2/2/22", -1, " 1"}},
		"something between":   {{"shc:/1/2/11", 0, " 1"}, {"HC1:X", 0, "HC1:X 0"}, {"shc:/9/2/11", 0, "shc:/9/2/11 0"}, {"shc:/2/2/22", 0, "shc:/1122 0"}},
		"whole":               {{"shc:/5676", 0, "shc:/5676 0"}, {"shc:/1/1/11", 0, "shc:/11 0"}},
		"too many":            {{"shc:/1/9/11", 0, "shc:/1/9/11 0"}},
	} {
		var a Assembler
		at := noon
		for i, s := range steps {
			at = at.Add(s.wait)
			if got := add(&a, s.text, at); got != s.want {
				t.Errorf("%s, step %d: got %q, want %q", name, i+1, got, s.want)
			}
		}
	}
	var a Assembler
	add(&a, "shc:/1/2/11", noon)
	a.Forget()
	if got := add(&a, "shc:/2/2/22", noon); got != " 1" {
		t.Errorf("after forgetting: got %q", got)
	}
}

func TestFilesOfCards(t *testing.T) {
	compact := compactJWS(t, testKey(t, "cards"), `{"zip":"DEF"}`, []byte("x"))
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"a JWS": {compact, 1}, "with a newline": {compact + "\n", 1}, "a file": {`{"verifiableCredential":["` + compact + `","` + compact + `"]}`, 2},
		"space before": {" " + compact, 0}, "two lines": {compact + "\n\n", 0}, "no card": {`{"verifiableCredential":[]}`, 0}, "not a card": {`{"verifiableCredential":["x"]}`, 0},
		"other JSON": {`{}`, 0}, "broken JSON": {`{`, 0}, "nothing": {"", 0}, "too large": {compact + strings.Repeat("A", maxCardFile), 0},
		"many cards": {`{"verifiableCredential":["` + strings.Repeat(compact+`","`, maxCards) + compact + `"]}`, 0},
	} {
		texts, err := ReadHealthCards([]byte(c.file))
		if (err == nil) != (c.want > 0) || len(texts) != c.want {
			t.Errorf("%s: %d texts, %v", name, len(texts), err)
		}
		for _, text := range texts {
			if back, err := decodeDigits(strings.TrimPrefix(text, shcPrefix)); err != nil || back != compact {
				t.Errorf("%s: came back as %q, %v", name, back, err)
			}
		}
	}
}

func TestDirectoryWithASlipIsRefusedWhole(t *testing.T) {
	for name, data := range map[string]string{
		"not JSON": "x", "nobody": `{"participating_issuers":[]}`, "http": `{"participating_issuers":[{"iss":"http://a.example"}]}`,
		"slash": `{"participating_issuers":[{"iss":"https://a.example/"}]}`, "twice": `{"participating_issuers":[{"iss":"https://a.example"},{"iss":"https://a.example"}]}`,
		"hidden": `{"participating_issuers":[{"iss":"https://a.example/\u202e"}]}`, "too large": strings.Repeat(" ", maxDirectory+1),
	} {
		if got, err := ReadIssuerDirectory([]byte(data)); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
	got, err := ReadIssuerDirectory([]byte(`{"participating_issuers":[{"iss":"https://a.example","name":"A\u202e","website":"https://w.example/","canonical_iss":"https://b.example"}]}`))
	if want := (DirectoryIssuer{Name: "A", Website: "https://w.example/", Canonical: "https://b.example"}); err != nil || got["https://a.example"] != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func part64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := decodeBase64URL(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
