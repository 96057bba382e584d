package credential

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

var update = flag.Bool("update", false, "write the project's own vectors and fuzz corpus again")

// A vector is one file of testdata/vectors, for implementations in any language: a text, the
// key under which it is looked up (as a trust list has it), a clock, and what must come out.
type vector struct {
	About  string    `json:"about"`
	Text   string    `json:"text"`
	Key    TrustKey  `json:"key"`
	At     time.Time `json:"at"`
	Expect expect    `json:"expect"`
}

type expect struct {
	Reason gatehouse.Reason `json:"reason,omitempty"` // empty: the code verifies
	Pass   *told            `json:"pass,omitempty"`
}

// told is a Pass in words.
type told struct {
	Format  string           `json:"format"`
	Issuer  gatehouse.Issuer `json:"issuer"`
	Code    string           `json:"code"`
	Name    string           `json:"name"`
	Birth   string           `json:"birth"`
	Tag     string           `json:"tag,omitempty"`
	Grade   string           `json:"grade,omitempty"`
	Class   gatehouse.Class  `json:"class,omitempty"`
	Since   time.Time        `json:"since,omitzero"`
	Issued  time.Time        `json:"issued"`
	Expires time.Time        `json:"expires"`
	Facts   []map[string]any `json:"facts"`
}

func inWords(t testing.TB, p gatehouse.Pass) *told {
	t.Helper()
	raw, err := json.Marshal(p.Facts)
	if err != nil {
		t.Fatal(err)
	}
	w := &told{
		Format: p.Format, Issuer: p.Issuer, Code: p.Code, Name: p.Holder.Name, Birth: p.Holder.Birth,
		Tag: p.Holder.Tag, Grade: p.Grade.String(), Class: p.Class, Since: p.Since, Issued: p.Issued, Expires: p.Expires,
	}
	if err := json.Unmarshal(raw, &w.Facts); err != nil {
		t.Fatal(err)
	}
	return w
}

func answer(t testing.TB, v vector) expect {
	t.Helper()
	key, err := v.Key.key()
	if err != nil {
		t.Fatal(err)
	}
	pass, err := Verifier{Keys: Ring{key}}.Verify(v.Text, v.At)
	var refusal *gatehouse.Refusal
	if errors.As(err, &refusal) {
		return expect{Reason: refusal.Reason}
	}
	if err != nil {
		t.Fatal(err)
	}
	return expect{Pass: inWords(t, pass)}
}

func TestOwnVectorsHold(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "vectors", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got := answer(t, v); !reflect.DeepEqual(got, v.Expect) {
			t.Errorf("%s:\ngot  %+v %+v\nwant %+v %+v", file, got, got.Pass, v.Expect, v.Expect.Pass)
		}
	}
}

// writeVectors signs again what testdata/vectors holds. The reasons are written by hand: a
// vector says what must come out, not what did.
func writeVectors(t *testing.T) {
	ec, ed := testKey(t, "vector"), testEdKey("vector")
	listed := func(public any, usage Usage) TrustKey {
		key := ringOf(t, "CN-330000", public)[0]
		key.Usage, key.NotBefore, key.NotAfter = usage, noon.AddDate(0, -1, 0), noon.AddDate(1, 0, 0)
		k, err := key.Listed()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	withdrawn := listed(ec.Public(), UseHealthCode)
	withdrawn.Withdrawn = true
	abroad := listed(ec.Public(), UseHealthCode)
	abroad.Issuer = "CN-440000"
	german := listed(ec.Public(), UseProof)
	german.Issuer, german.KID = "DE", "8899aabbccddeeff"

	full, err := Issue(ec, typical())
	if err != nil {
		t.Fatal(err)
	}
	edText, err := Issue(ed, typical())
	if err != nil {
		t.Fatal(err)
	}
	least := Claims{Issuer: "CN-330000", Issued: noon, Expires: noon.Add(time.Minute), ID: make([]byte, 12), Grade: gatehouse.Green}
	small, err := Issue(ed, least)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Issue(testKey(t, "stranger"), typical())
	if err != nil {
		t.Fatal(err)
	}
	travel := dccTextWithID(t, ec, unhex(t, german.KID))
	body := map[int64]any{1: 1, 2: map[int64]any{}, 3: 0}
	cwt := map[int64]any{1: "CN-330100", 4: noon.Unix() + 24*60*60 + 1, 6: noon.Unix(), 7: make([]byte, 12), -70001: body}
	long := "RHC1:" + encodeBase45(signedMessage(t, ec, headOf(t, ec), nil, mustCBOR(t, cwt)))
	cwt[4] = noon.Unix() + 60
	body[3] = 4
	colour := "RHC1:" + encodeBase45(signedMessage(t, ec, headOf(t, ec), nil, mustCBOR(t, cwt)))
	flipped := []byte(full)
	flipped[len(flipped)-4] = map[bool]byte{true: '1', false: '0'}[flipped[len(flipped)-4] == '0']

	native, native2, none := listed(ec.Public(), UseHealthCode), listed(ed.Public(), UseHealthCode), gatehouse.ReasonNone
	for name, v := range map[string]struct {
		about string
		text  string
		key   TrustKey
		at    time.Time
		want  gatehouse.Reason
	}{
		"rhc1-es256":         {"a yellow code with every list", full, native, noon, none},
		"rhc1-eddsa":         {"the same, signed with Ed25519", edText, native2, noon, none},
		"rhc1-least":         {"nothing but a colour", small, native2, noon, none},
		"rhc1-last-second":   {"the instant of its expiry still counts", full, native, noon.AddDate(0, 0, 1), none},
		"rhc1-expired":       {"a second later", full, native, noon.AddDate(0, 0, 1).Add(time.Second), gatehouse.ReasonExpired},
		"rhc1-not-yet":       {"a second before it was issued", full, native, noon.Add(-time.Second), gatehouse.ReasonNotYetValid},
		"rhc1-withdrawn":     {"its key was withdrawn", full, withdrawn, noon, gatehouse.ReasonKeyWithdrawn},
		"rhc1-other-region":  {"its key is another province's", full, abroad, noon, gatehouse.ReasonUnknownKey},
		"rhc1-unknown-key":   {"its key is not in the list", other, native, noon, gatehouse.ReasonUnknownKey},
		"rhc1-bad-signature": {"one character of the signature is another", string(flipped), native, noon, gatehouse.ReasonBadSignature},
		"rhc1-long-life":     {"it lives 24 hours and a second", long, native, noon, gatehouse.ReasonMalformed},
		"rhc1-no-colour":     {"a colour that is none", colour, native, noon, gatehouse.ReasonMalformed},
		"rhc1-cut-off":       {"the last three characters are missing", full[:len(full)-3], native, noon, gatehouse.ReasonMalformed},
		"rhc1-lower-case":    {"base45 has no small letters", "RHC1:" + strings.ToLower(full[5:]), native, noon, gatehouse.ReasonMalformed},
		"rhc2":               {"a prefix of another version", "RHC2:" + full[5:], native, noon, gatehouse.ReasonNotOurs},
		"dcc-es256":          {"a travel certificate of vaccination", travel, german, noon, none},
		"dcc-key-usage":      {"its key is for health codes", dccText(t, ec, dccClaims(vaccinated())), native, noon, gatehouse.ReasonKeyUsage},
	} {
		out := vector{About: v.about, Text: v.text, Key: v.key, At: v.at, Expect: expect{Reason: v.want}}
		if v.want == none {
			out.Expect = answer(t, out)
		}
		raw, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join("testdata", "vectors", name+".json"), append(raw, '\n'))
	}
	for n, seed := range map[string]string{
		"FuzzBase45/full": goString(full[5:]), "FuzzBase45/odd": goString("BB8B"), "FuzzBase45/foreign": goString("a=\n"),
		"FuzzParse/rhc1": goString(full), "FuzzParse/dcc": goString(travel), "FuzzParse/cut": goString(travel[:200]),
		"FuzzParse/zeros":     goString("HC1:" + strings.Repeat("0", 60)),
		"FuzzVerify/dcc":      goBytes(mustCBOR(t, dccClaims(vaccinated()))) + "bool(false)\n",
		"FuzzVerify/rhc1":     goBytes(mustCBOR(t, cwt)) + "bool(true)\n",
		"FuzzVerify/deep":     goBytes([]byte(strings.Repeat("\x81", 200))) + "bool(true)\n",
		"FuzzReadSigner/jwk":  goBytes(jwkOf(t, ec.Public(), "AAAAAAAAAAA")),
		"FuzzReadSigner/okp":  goBytes(jwkOf(t, ed.Public(), "")),
		"FuzzReadSigner/pem":  goBytes([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")),
		"FuzzReadSigner/der":  goBytes([]byte{0x30, 0x82, 0xff, 0xff, 0x30}),
		"FuzzTrust/list":      goBytes(trustBody(t, zhejiang(t))),
		"FuzzTrust/kinds":     goBytes([]byte(`{"kind":"trust","kind":"policy"}`)),
		"FuzzTrust/no-keys":   goBytes([]byte(`{"kind":"trust","region":"CN-33","version":1,"issued":"2020-07-10T00:00:00Z"}`)),
		"FuzzTrust/deep-list": goBytes([]byte(`{"kind":"trust","keys":` + strings.Repeat("[", 300))),
	} {
		write(t, filepath.Join("testdata", "fuzz", n), []byte("go test fuzz v1\n"+seed))
	}
}

func goString(s string) string { return fmt.Sprintf("string(%q)\n", s) }

func goBytes(b []byte) string { return fmt.Sprintf("[]byte(%q)\n", b) }

func trustBody(t testing.TB, list TrustList) []byte {
	t.Helper()
	list.Kind = trustKind
	body, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
