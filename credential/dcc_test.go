package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/fxamacker/cbor/v2"
)

func TestTravelCertificateBecomesAPass(t *testing.T) {
	key := testKey(t, "berlin")
	ring := ringOf(t, "DE", key.Public())
	test := func(entry map[string]any) map[string]any {
		inside := vaccinated()
		delete(inside, "v")
		inside["t"] = []any{entry}
		return inside
	}
	recovered := vaccinated()
	delete(recovered, "v")
	recovered["r"] = []any{map[string]any{"fr": "2020-04-01", "df": "2020-04-20", "du": "2020-09-28", "ci": "R"}}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

	for name, c := range map[string]struct {
		inside map[string]any
		code   string
		want   gatehouse.Fact
	}{
		"vaccination": {vaccinated(), "URN:UVCI:01:DE:1#A",
			gatehouse.Fact{Kind: gatehouse.Vaccination, At: day(2020, 5, 29), Product: "EU/1/20/1528", Dose: 2, Doses: 2}},
		"negative": {test(map[string]any{"tt": "LP6464-4", "tr": "260415000", "sc": "2020-07-09T22:00:00+02:00", "ci": "T"}), "T",
			gatehouse.Fact{Kind: gatehouse.Test, At: time.Date(2020, 7, 9, 20, 0, 0, 0, time.UTC), Method: "LP6464-4", Result: gatehouse.Negative}},
		"positive is valid": {test(map[string]any{"tt": "LP217198-3", "tr": "260373001", "sc": "2020-07-09T22:00:00.5Z", "ci": "T"}), "T",
			gatehouse.Fact{Kind: gatehouse.Test, At: time.Date(2020, 7, 9, 22, 0, 0, 5e8, time.UTC), Method: "LP217198-3", Result: gatehouse.Positive}},
		"recovery": {recovered, "R",
			gatehouse.Fact{Kind: gatehouse.Recovery, At: day(2020, 4, 1), Until: day(2020, 9, 28)}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Verifier{Keys: ring}.Verify(dccText(t, key, dccClaims(c.inside)), noon)
			if err != nil {
				t.Fatal(err)
			}
			want := gatehouse.Pass{
				Format: "DCC", Issuer: "DE", KeyID: fmt.Sprintf("%x", ring[0].ID), Code: tagOf([]byte(c.code)),
				Holder: gatehouse.Holder{Name: "Mu***", Birth: "1964-08-12"},
				Issued: noon.Add(-24 * time.Hour), Expires: noon.Add(180 * 24 * time.Hour),
				Facts: []gatehouse.Fact{c.want},
			}
			var native map[string]any
			if err := json.Unmarshal(got.Native, &native); err != nil || native["dob"] != "1964-08-12" || native["nam"] == nil {
				t.Errorf("got %s, %v, want the certificate as JSON", got.Native, err)
			}
			got.Native = nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("\ngot  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestQuirksOfIssuersAreTaken lists what member states did and gates had to live with.
func TestQuirksOfIssuersAreTaken(t *testing.T) {
	key := testKey(t, "madrid")
	ring := ringOf(t, "ES", key.Public())
	claims := func(change func(cwt map[int64]any, inside map[string]any)) []byte {
		inside := vaccinated()
		cwt := dccClaims(inside)
		cwt[1] = "ES"
		change(cwt, inside)
		return mustCBOR(t, cwt)
	}
	plain := claims(func(_ map[int64]any, _ map[string]any) {})
	exp := noon.Add(time.Hour).Unix()
	head := headOf(t, key)
	entry := func(inside map[string]any) map[string]any { return inside["v"].([]any)[0].(map[string]any) }

	payloads := map[string][]byte{
		"times as floats": claims(func(c map[int64]any, _ map[string]any) { c[4], c[6] = float64(exp)+0.25, float64(exp)-7200.5 }),
		"times tagged": claims(func(c map[int64]any, _ map[string]any) {
			c[4], c[6] = cbor.Tag{Number: 1, Content: exp}, cbor.Tag{Number: 1, Content: float64(exp - 7200)}
		}),
		"doses as floats": claims(func(_ map[int64]any, d map[string]any) { entry(d)["dn"], entry(d)["sd"] = 2.0, 2.0 }),
		"null t and r":    claims(func(_ map[int64]any, d map[string]any) { d["t"], d["r"] = nil, nil }),
		"empty t and r":   claims(func(_ map[int64]any, d map[string]any) { d["t"], d["r"] = []any{}, []any{} }),
		"empty birth":     claims(func(_ map[int64]any, d map[string]any) { d["dob"] = "" }),
		"no birth":        claims(func(_ map[int64]any, d map[string]any) { delete(d, "dob") }),
		"no id":           claims(func(_ map[int64]any, d map[string]any) { delete(entry(d), "ci") }),
		"birth with time": claims(func(_ map[int64]any, d map[string]any) { d["dob"] = "1964-08-12T00:00:00" }),
		"day with time":   claims(func(_ map[int64]any, d map[string]any) { entry(d)["dt"] = "2020-05-29T09:00:00" }),
		"no issuer":       claims(func(c map[int64]any, _ map[string]any) { delete(c, 1) }),
		"other claims":    claims(func(c map[int64]any, _ map[string]any) { c[7], c[99] = []byte("id"), "x" }),
		// {_ 1: "ES", 4: exp, 6: exp-2h, -260: {_ 1: ...}}
		"endless maps": []byte("\xbf\x01\x62ES\x04\x1a" + be32(exp) + "\x06\x1a" + be32(exp-7200) + "\x39\x01\x03\xbf\x01" +
			string(mustCBOR(t, vaccinated())) + "\xff\xff"),
	}
	messages := map[string][]byte{
		"key id outside":          signedMessage(t, key, map[int64]any{1: head[1]}, map[int64]any{4: head[4]}, plain),
		"algorithm outside":       signedMessage(t, key, map[int64]any{4: head[4]}, map[int64]any{1: head[1]}, plain),
		"nothing signed but this": signedMessage(t, key, nil, head, plain),
		"another key id outside":  signedMessage(t, key, head, map[int64]any{4: []byte("another!")}, plain),
		"content type":            signedMessage(t, key, map[int64]any{1: head[1], 4: head[4], 3: 61}, nil, plain),
		"no tag":                  signedMessage(t, key, head, nil, plain)[1:],
		"both tags":               append([]byte{0xd8, 0x3d}, signedMessage(t, key, head, nil, plain)...),
		"CWT tag alone":           append([]byte{0xd8, 0x3d}, signedMessage(t, key, head, nil, plain)[1:]...),
	}
	for name, payload := range payloads {
		messages[name] = signedMessage(t, key, head, nil, payload)
	}
	for name, message := range messages {
		pass, err := Verifier{Keys: ring}.Verify("HC1:"+encodeBase45(deflated(t, message)), noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if pass.Issuer != "ES" || len(pass.Facts) != 1 || pass.Facts[0].Dose != 2 || pass.Facts[0].At.Hour() != 0 || len(pass.Warnings) != 0 {
			t.Errorf("%s: got %+v", name, pass)
		}
	}
}

func be32(n int64) string {
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func TestOddContentIsAWarning(t *testing.T) {
	key := testKey(t, "madrid")
	ring := ringOf(t, "ES", key.Public())
	inside := map[string]any{
		"dob": "in May", "nam": map[string]any{"fnt": "O\u202e'NEILL"},
		"t": []any{map[string]any{"tt": "a\a test" + strings.Repeat("!", 100), "tr": "NEGATIVO", "sc": "yesterday"}},
	}
	cwt := dccClaims(inside)
	cwt[1] = "https://issuer.example"
	pass, err := Verifier{Keys: ring}.Verify(dccText(t, key, cwt), noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(pass.Warnings) != 4 {
		t.Errorf("got warnings %q, want issuer, birth, sample and result", pass.Warnings)
	}
	fact := pass.Facts[0]
	if fact.Result != gatehouse.ResultUnknown || !fact.At.IsZero() {
		t.Errorf("got %v at %v, want nothing to be known", fact.Result, fact.At)
	}
	if fact.Method != "a test"+strings.Repeat("!", 58) {
		t.Errorf("got method %q, want 64 bytes without the bell", fact.Method)
	}
	if pass.Holder.Name != "ON***" || pass.Issuer != "ES" {
		t.Errorf("got %q of %q", pass.Holder.Name, pass.Issuer)
	}
}

func TestCodeWithoutAnIDHasOneTagHoweverItIsSpelled(t *testing.T) {
	key := testKey(t, "berlin")
	body := vaccinated()
	delete(body["v"].([]any)[0].(map[string]any), "ci")
	text := dccText(t, key, dccClaims(body))
	compressed, err := decodeBase45(strings.TrimPrefix(text, "HC1:"))
	if err != nil {
		t.Fatal(err)
	}
	message, err := inflate(compressed)
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(message[len(message)-32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(message[len(message)-32:])
	other := "HC1:" + encodeBase45(deflated(t, message))
	ring := Verifier{Keys: ringOf(t, "DE", key.Public())}
	first, err := ring.Verify(text, noon)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ring.Verify(other, noon)
	if err != nil {
		t.Fatal(err)
	}
	if other == text || first.Code == "" || first.Code != again.Code {
		t.Errorf("tags %q and %q of one code in two spellings", first.Code, again.Code)
	}
}

func TestAbroadTheKeySaysWhoseCodeItIs(t *testing.T) {
	key := testKey(t, "berlin")
	text := dccText(t, key, dccClaims(vaccinated()))
	pass, err := Verifier{Keys: ringOf(t, "FR", key.Public())}.Verify(text, noon)
	if err != nil {
		t.Fatal(err)
	}
	if pass.Issuer != "FR" || len(pass.Warnings) != 1 {
		t.Errorf("got %q with %q, want the key's FR and a warning", pass.Issuer, pass.Warnings)
	}
	ring := ringOf(t, "", key.Public())
	ring[0].AnyIssuer = true
	if pass, err = (Verifier{Keys: ring}).Verify(text, noon); err != nil || pass.Issuer != "DE" {
		t.Errorf("by hand: got %q, %v, want the claim DE", pass.Issuer, err)
	}
}

func TestEachReasonHasItsCase(t *testing.T) {
	key, other := testKey(t, "berlin"), testKey(t, "elsewhere")
	id := ringOf(t, "DE", key.Public())[0].ID
	text := dccText(t, key, dccClaims(vaccinated()))
	good := Key{ID: id, Issuer: "DE", Public: key.Public(), Usage: UseProof}
	with := func(change func(k *Key)) Ring {
		k := good
		change(&k)
		return Ring{k}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	huge := &rsa.PublicKey{N: new(big.Int).Lsh(weak.N, 4096), E: 65537}
	payload := mustCBOR(t, dccClaims(vaccinated()))
	head := func(alg int) string {
		return "HC1:" + encodeBase45(deflated(t, signedMessage(t, key, map[int64]any{1: alg, 4: id}, nil, payload)))
	}
	both := vaccinated()
	both["r"] = []any{map[string]any{"fr": "2020-04-01"}}

	for name, c := range map[string]struct {
		text string
		keys Keyring
		at   time.Time
		want gatehouse.Reason
	}{
		"good":                  {text, Ring{good}, noon, gatehouse.ReasonNone},
		"other prefix":          {"HC2:" + text[4:], Ring{good}, noon, gatehouse.ReasonNotOurs},
		"lower-case prefix":     {"hc1:" + text[4:], Ring{good}, noon, gatehouse.ReasonNotOurs},
		"no prefix":             {text[4:], Ring{good}, noon, gatehouse.ReasonNotOurs},
		"a web address":         {"https://example.org", Ring{good}, noon, gatehouse.ReasonNotOurs},
		"nothing":               {"", Ring{good}, noon, gatehouse.ReasonNotOurs},
		"prefix alone":          {"HC1:", Ring{good}, noon, gatehouse.ReasonMalformed},
		"no keyring":            {text, nil, noon, gatehouse.ReasonUnknownKey},
		"no key":                {text, Ring{}, noon, gatehouse.ReasonUnknownKey},
		"another id":            {text, with(func(k *Key) { k.ID = []byte("12345678") }), noon, gatehouse.ReasonUnknownKey},
		"names no key":          {"HC1:" + encodeBase45(deflated(t, signedMessage(t, key, map[int64]any{1: algES256}, nil, payload))), Ring{good}, noon, gatehouse.ReasonUnknownKey},
		"empty key id":          {"HC1:" + encodeBase45(deflated(t, signedMessage(t, key, map[int64]any{1: algES256, 4: []byte{}}, nil, payload))), Ring{{}}, noon, gatehouse.ReasonUnknownKey},
		"another key":           {text, with(func(k *Key) { k.Public = other.Public() }), noon, gatehouse.ReasonBadSignature},
		"P-384 under ES256":     {text, with(func(k *Key) { k.Public = p384.Public() }), noon, gatehouse.ReasonBadSignature},
		"Ed25519 under ES256":   {text, with(func(k *Key) { k.Public = testEdKey("x").Public() }), noon, gatehouse.ReasonBadSignature},
		"no public key":         {text, with(func(k *Key) { k.Public = nil }), noon, gatehouse.ReasonBadSignature},
		"RSA of 1024":           {head(algPS256), with(func(k *Key) { k.Public = weak.Public() }), noon, gatehouse.ReasonBadSignature},
		"RSA of 5120":           {head(algPS256), with(func(k *Key) { k.Public = huge }), noon, gatehouse.ReasonBadSignature},
		"algorithm none":        {head(0), Ring{good}, noon, gatehouse.ReasonBadSignature},
		"EdDSA":                 {head(algEdDSA), with(func(k *Key) { k.Public = testEdKey("x").Public() }), noon, gatehouse.ReasonBadSignature},
		"SM2":                   {head(-65800), Ring{good}, noon, gatehouse.ReasonBadSignature},
		"withdrawn":             {text, with(func(k *Key) { k.Withdrawn = true }), noon, gatehouse.ReasonKeyWithdrawn},
		"key not yet":           {text, with(func(k *Key) { k.NotBefore = noon.Add(1) }), noon, gatehouse.ReasonKeyWithdrawn},
		"key no more":           {text, with(func(k *Key) { k.NotAfter = noon.Add(-1) }), noon, gatehouse.ReasonKeyWithdrawn},
		"key for tests":         {text, with(func(k *Key) { k.Usage = UseTest | UseRecovery | UseHealthCode }), noon, gatehouse.ReasonKeyUsage},
		"key for nothing":       {text, with(func(k *Key) { k.Usage = 0 }), noon, gatehouse.ReasonKeyUsage},
		"last second":           {text, Ring{good}, noon.Add(180 * 24 * time.Hour), gatehouse.ReasonNone},
		"expired":               {text, Ring{good}, noon.Add(180*24*time.Hour + 1), gatehouse.ReasonExpired},
		"first second":          {text, Ring{good}, noon.Add(-24 * time.Hour), gatehouse.ReasonNone},
		"not yet valid":         {text, Ring{good}, noon.Add(-24*time.Hour - 1), gatehouse.ReasonNotYetValid},
		"at no time":            {text, Ring{good}, time.Time{}, gatehouse.ReasonNotYetValid},
		"two kinds":             {dccText(t, key, dccClaims(both)), Ring{good}, noon, gatehouse.ReasonMalformed},
		"two kinds, one usage":  {dccText(t, key, dccClaims(both)), with(func(k *Key) { k.Usage = UseVaccination }), noon, gatehouse.ReasonKeyUsage},
		"no kind":               {dccText(t, key, dccClaims(map[string]any{"ver": "1.3.0"})), Ring{good}, noon, gatehouse.ReasonMalformed},
		"no certificate":        {dccText(t, key, dccClaims(nil)), Ring{good}, noon, gatehouse.ReasonMalformed},
		"certificate in a list": {dccText(t, key, dccClaims([]any{vaccinated()})), Ring{good}, noon, gatehouse.ReasonMalformed},
		"a health code inside":  {dccText(t, key, map[int64]any{1: "DE", 4: noon.Unix(), 6: noon.Unix(), -70001: map[int]any{1: 1, 3: 0}}), Ring{good}, noon, gatehouse.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verifier{Keys: c.keys}.Verify(c.text, c.at)
			if c.want == gatehouse.ReasonNone {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if r := refused(t, err, c.want); c.want != gatehouse.ReasonNotOurs && r.Format != "DCC" {
				t.Errorf("got format %q, want DCC", r.Format)
			}
		})
	}
}

func TestKeysThatShareAnIDAreAllTried(t *testing.T) {
	key := testKey(t, "berlin")
	ring := ringOf(t, "DE", key.Public())
	id := ring[0].ID
	crowd := Ring{
		{ID: id, Issuer: "FR", Public: testKey(t, "paris").Public(), Usage: UseAll},
		{ID: id, Issuer: "HU", Public: testEdKey("pest").Public(), Usage: UseAll},
		ring[0],
	}
	pass, err := Verifier{Keys: crowd}.Verify(dccText(t, key, dccClaims(vaccinated())), noon)
	if err != nil || pass.Issuer != "DE" || len(pass.Warnings) != 0 {
		t.Errorf("got %+v, %v, want DE's own", pass, err)
	}
}

func TestRSAKeysOfTheUsualSizesSign(t *testing.T) {
	for _, bits := range []int{2048, 3072} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		var signer crypto.Signer = key
		if _, err := (Verifier{Keys: ringOf(t, "DE", key.Public())}).Verify(dccText(t, signer, dccClaims(vaccinated())), noon); err != nil {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

func TestNamesAreMaskedWhenRead(t *testing.T) {
	for name, want := range map[string]string{
		"Mustermann":              "Mu***",
		"d'Arsøns":                "dA***",
		"张":                       "张***",
		"Łukasz-Ó":                "Łu***",
		"  \u202eabc":             "ab***",
		"\u3164\u115fabc":         "ab***",
		"Li":                      "L***",
		"E":                       "E***",
		"e\u0301a":                "e***",
		"张伟":                      "张***",
		"王小明":                     "王***",
		"김민준":                     "김***",
		"さくら":                     "さ***",
		"محمد":                    "مح***",
		"\U00020000\U00020001":    "\U00020000***",
		"":                        "",
		"<<<":                     "",
		strings.Repeat("-", 1000): "",
	} {
		if got := mask(name); got != want {
			t.Errorf("mask %q: got %q, want %q", name, got, want)
		}
	}
}

func TestTimesOfAPassCanBeWrittenAsJSON(t *testing.T) {
	key := testKey(t, "madrid")
	for sampled, known := range map[string]bool{
		"9999-12-31T23:59:59-01:00": false,
		"0000-01-01T00:00:00+01:00": false,
		"9999-12-31T23:59:59Z":      true,
		"0001-01-01T00:00:01Z":      true,
	} {
		inside := map[string]any{"t": []any{map[string]any{"tr": "260415000", "sc": sampled}}}
		pass, err := Verifier{Keys: ringOf(t, "DE", key.Public())}.Verify(dccText(t, key, dccClaims(inside)), noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(pass.Facts); err != nil || pass.Facts[0].At.IsZero() == known {
			t.Errorf("%s: got %v, %v", sampled, pass.Facts[0].At, err)
		}
	}
}
